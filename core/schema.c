/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "schema_internal.h"

/* A pattern gives up after so many steps: some tens of milliseconds, where backtracking
 * explodes. */
enum { PATTERN_STEPS = 1000000, PATTERN_KIBIBYTES = 20000 };

struct definition {
    xy_str name;
    const struct value *source;
    struct schema_node *node;
};

struct compiler {
    struct schema *schema;
    struct error *error;
    struct definition *definitions;
    size_t definition_count;
    struct schema_node *root, *nodes; /* nodes: all of them, chained by `next` */
};

/* `field` is the member of `node` that the keyword table names. */
typedef bool compile_keyword(struct compiler *compiler, struct schema_node *node, void *field,
                             const struct value *value, const struct schema_place *place);

static bool compile_node(struct compiler *compiler, struct schema_node *node,
                         const struct value *source, const struct schema_place *place);

static bool refuse(struct compiler *compiler, const struct schema_place *place, const char *wrong)
{
    struct buffer path;
    buffer_init(&path, 512);
    schema_place_write(place, &path);
    error_set(compiler->error, XY_EINVAL, "schema, at %s: %s", buffer_str(&path).ptr, wrong);
    buffer_free(&path);
    return false;
}

static struct schema_node *compile_new(struct compiler *compiler, const struct value *source,
                                       const struct schema_place *place)
{
    struct schema_node *node = arena_alloc(&compiler->schema->arena, sizeof(*node));
    return compile_node(compiler, node, source, place) ? node : NULL;
}

/* ---- keywords: types and values
 * ----------------------------------------------------------------- */

static unsigned type_bits(xy_str name)
{
    static const struct {
        const char *name;
        unsigned bits;
    } types[] = {
        {"null", 1u << VALUE_NULL},   {"boolean", 1u << VALUE_BOOL}, {"integer", 1u << VALUE_INT},
        {"string", 1u << VALUE_TEXT}, {"array", 1u << VALUE_LIST},   {"object", 1u << VALUE_MAP},
        {"number", 1u << VALUE_INT | 1u << VALUE_NUMBER},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (str_is(name, types[i].name))
            return types[i].bits;
    }
    return 0;
}

static bool compile_type(struct compiler *compiler, struct schema_node *node, void *field,
                         const struct value *value, const struct schema_place *place)
{
    (void)field;
    const struct value *names = value->type == VALUE_LIST ? value->list.items : value;
    size_t count = value->type == VALUE_LIST ? value->list.count : 1;
    for (size_t i = 0; i < count; i++) {
        unsigned bits = names[i].type == VALUE_TEXT ? type_bits(names[i].text) : 0;
        if (bits == 0)
            return refuse(compiler, place,
                          "expected null, boolean, integer, number, string, array, "
                          "object, or a list of these");
        node->types |= bits;
    }
    return count > 0 || refuse(compiler, place, "a list of types must not be empty");
}

static bool compile_enum(struct compiler *compiler, struct schema_node *node, void *field,
                         const struct value *value, const struct schema_place *place)
{
    (void)field;
    node->enumeration = value;
    return (value->type == VALUE_LIST && value->list.count > 0) ||
           refuse(compiler, place, "expected a list of the allowed values");
}

static bool compile_const(struct compiler *compiler, struct schema_node *node, void *field,
                          const struct value *value, const struct schema_place *place)
{
    (void)compiler, (void)field, (void)place;
    node->constant = value;
    return true;
}

static bool compile_pattern(struct compiler *compiler, struct schema_node *node, void *field,
                            const struct value *value, const struct schema_place *place)
{
    (void)field;
    if (value->type != VALUE_TEXT)
        return refuse(compiler, place, "expected a regular expression");
    struct schema *schema = compiler->schema;
    /* What ECMA-262 means and PCRE2 can be told: `$` only at the very end, \u0041, [] and [^]. */
    const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX |
                             PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF |
                             PCRE2_NEVER_BACKSLASH_C;
    int code;
    PCRE2_SIZE offset;
    node->pattern = pcre2_compile((PCRE2_SPTR)value->text.ptr, value->text.len, options, &code,
                                  &offset, NULL);
    if (!node->pattern) {
        char reason[160], wrong[256];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof(reason));
        snprintf(wrong, sizeof(wrong), "not a regular expression: %s, after %zu bytes", reason,
                 offset);
        return refuse(compiler, place, wrong);
    }
    /* Where there is no compiler for this machine the pattern is only slower. */
    pcre2_jit_compile(node->pattern, PCRE2_JIT_COMPLETE);
    schema->patterns =
        memory_resize(schema->patterns, schema->pattern_count + 1, sizeof(*schema->patterns));
    schema->patterns[schema->pattern_count++] = node->pattern;
    node->pattern_text = value->text;
    return true;
}

/* ---- keywords: limits
 * --------------------------------------------------------------------------- */

static bool is_number(const struct value *value)
{
    return value->type == VALUE_INT || value->type == VALUE_NUMBER;
}

static bool compile_bound(struct compiler *compiler, struct schema_node *node, void *field,
                          const struct value *value, const struct schema_place *place)
{
    (void)node;
    const struct value **bound = field;
    *bound = value;
    return is_number(value) || refuse(compiler, place, "expected a number");
}

static bool compile_size(struct compiler *compiler, struct schema_node *node, void *field,
                         const struct value *value, const struct schema_place *place)
{
    (void)node;
    size_t *size = field;
    double number = value->type == VALUE_INT      ? (double)value->integer
                    : value->type == VALUE_NUMBER ? value->number
                                                  : -1;
    if (!(number >= 0 && number <= 0x1p53) || number != (double)(uint64_t)number)
        return refuse(compiler, place, "expected an integer that is not negative");
    *size = (size_t)number;
    return true;
}

static bool compile_multiple_of(struct compiler *compiler, struct schema_node *node, void *field,
                                const struct value *value, const struct schema_place *place)
{
    (void)field;
    const struct value zero = value_int(0);
    if (!is_number(value) || value_compare_numbers(value, &zero) <= 0)
        return refuse(compiler, place, "expected a number above 0");
    node->multiple_of = value;
    return true;
}

static bool compile_unique(struct compiler *compiler, struct schema_node *node, void *field,
                           const struct value *value, const struct schema_place *place)
{
    (void)field;
    node->unique_items = value->type == VALUE_BOOL && value->boolean;
    return value->type == VALUE_BOOL || refuse(compiler, place, "expected true or false");
}

/* ---- keywords: schemas within schemas
 * ------------------------------------------------------------ */

static bool compile_required(struct compiler *compiler, struct schema_node *node, void *field,
                             const struct value *value, const struct schema_place *place)
{
    (void)field;
    bool good = value->type == VALUE_LIST;
    for (size_t i = 0; good && i < value->list.count; i++)
        good = value->list.items[i].type == VALUE_TEXT;
    node->required = value;
    return good || refuse(compiler, place, "expected a list of member names");
}

static bool compile_properties(struct compiler *compiler, struct schema_node *node, void *field,
                               const struct value *value, const struct schema_place *place)
{
    (void)field;
    if (value->type != VALUE_MAP)
        return refuse(compiler, place, "expected an object of schemas");
    size_t count = value->map.count;
    node->properties = arena_alloc(&compiler->schema->arena, count * sizeof(*node->properties));
    node->property_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct member *member = &value->map.members[i];
        struct schema_place inner = {.parent = place, .key = member->key};
        node->properties[i].key = member->key;
        node->properties[i].node = compile_new(compiler, &member->value, &inner);
        if (!node->properties[i].node)
            return false;
    }
    return true;
}

static bool compile_one(struct compiler *compiler, struct schema_node *node, void *field,
                        const struct value *value, const struct schema_place *place)
{
    (void)node;
    struct schema_node **inner = field;
    *inner = compile_new(compiler, value, place);
    return *inner != NULL;
}

static bool compile_list(struct compiler *compiler, struct schema_node *node, void *field,
                         const struct value *value, const struct schema_place *place)
{
    (void)node;
    struct schema_nodes *nodes = field;
    if (value->type != VALUE_LIST || value->list.count == 0)
        return refuse(compiler, place, "expected a list of schemas");
    nodes->count = value->list.count;
    nodes->nodes = arena_alloc(&compiler->schema->arena, nodes->count * sizeof(*nodes->nodes));
    for (size_t i = 0; i < nodes->count; i++) {
        struct schema_place inner = {.parent = place, .index = i};
        nodes->nodes[i] = compile_new(compiler, &value->list.items[i], &inner);
        if (!nodes->nodes[i])
            return false;
    }
    return true;
}

/* Is `pointer` (RFC 6901, one token) the name? ~1 stands for a slash, ~0 for a tilde. */
static bool pointer_is(xy_str pointer, xy_str name)
{
    size_t at = 0;
    for (size_t i = 0; i < pointer.len; i++, at++) {
        char c = pointer.ptr[i];
        if (c == '~' && i + 1 < pointer.len)
            c = pointer.ptr[++i] == '1' ? '/' : '~';
        if (at == name.len || c != name.ptr[at])
            return false;
    }
    return at == name.len;
}

static bool compile_reference(struct compiler *compiler, struct schema_node *node, void *field,
                              const struct value *value, const struct schema_place *place)
{
    (void)field;
    static const char *const prefixes[] = {"#/$defs/", "#/definitions/"};
    xy_str target = value->type == VALUE_TEXT ? value->text : STR("");
    node->reference = str_is(target, "#") ? compiler->root : NULL;
    for (size_t p = 0; p < 2; p++) {
        size_t length = strlen(prefixes[p]);
        if (target.len < length || memcmp(target.ptr, prefixes[p], length) != 0)
            continue;
        xy_str name = {target.ptr + length, target.len - length};
        for (size_t i = 0; i < compiler->definition_count; i++) {
            if (pointer_is(name, compiler->definitions[i].name))
                node->reference = compiler->definitions[i].node;
        }
    }
    return node->reference || refuse(compiler, place,
                                     "expected #, #/$defs/NAME or #/definitions/NAME "
                                     "with a NAME that is defined at the top");
}

static bool compile_dialect(struct compiler *compiler, struct schema_node *node, void *field,
                            const struct value *value, const struct schema_place *place)
{
    (void)field;
    /* The keywords known here mean the same in both drafts. */
    static const char *const known[] = {"https://json-schema.org/draft/2020-12/schema",
                                        "http://json-schema.org/draft-07/schema#",
                                        "http://json-schema.org/draft-07/schema"};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (node == compiler->root && value->type == VALUE_TEXT && str_is(value->text, known[i]))
            return true;
    }
    return refuse(compiler, place, "expected draft 2020-12 or draft-07, and only at the top");
}

static bool compile_top_only(struct compiler *compiler, struct schema_node *node, void *field,
                             const struct value *value, const struct schema_place *place)
{
    (void)field;
    (void)value;
    return node == compiler->root || refuse(compiler, place, "this may stand only at the top");
}

#define FIELD(member) offsetof(struct schema_node, member)
static const struct keyword {
    const char *name;
    compile_keyword *compile; /* NULL: says nothing that could be checked */
    size_t field;
} keywords[] = {
    {"type", compile_type, 0},
    {"enum", compile_enum, 0},
    {"const", compile_const, 0},
    {"properties", compile_properties, 0},
    {"required", compile_required, 0},
    {"additionalProperties", compile_one, FIELD(additional)},
    {"minProperties", compile_size, FIELD(min_properties)},
    {"maxProperties", compile_size, FIELD(max_properties)},
    {"items", compile_one, FIELD(items)},
    {"prefixItems", compile_list, FIELD(prefix)},
    {"minItems", compile_size, FIELD(min_items)},
    {"maxItems", compile_size, FIELD(max_items)},
    {"uniqueItems", compile_unique, 0},
    {"minLength", compile_size, FIELD(min_length)},
    {"maxLength", compile_size, FIELD(max_length)},
    {"pattern", compile_pattern, 0},
    {"minimum", compile_bound, FIELD(minimum)},
    {"maximum", compile_bound, FIELD(maximum)},
    {"exclusiveMinimum", compile_bound, FIELD(exclusive_minimum)},
    {"exclusiveMaximum", compile_bound, FIELD(exclusive_maximum)},
    {"multipleOf", compile_multiple_of, 0},
    {"anyOf", compile_list, FIELD(any)},
    {"oneOf", compile_list, FIELD(one)},
    {"allOf", compile_list, FIELD(all)},
    {"not", compile_one, FIELD(negated)},
    {"$ref", compile_reference, 0},
    {"$defs", compile_top_only, 0},
    {"definitions", compile_top_only, 0},
    {"$id", compile_top_only, 0},
    {"$schema", compile_dialect, 0},
    {"format", NULL, 0},
    {"title", NULL, 0},
    {"description", NULL, 0},
    {"default", NULL, 0},
    {"examples", NULL, 0},
    {"$comment", NULL, 0},
    {"deprecated", NULL, 0},
    {"readOnly", NULL, 0},
    {"writeOnly", NULL, 0},
};
#undef FIELD
enum { KEYWORDS = sizeof(keywords) / sizeof(*keywords) };

static bool unknown_keyword(struct compiler *compiler, xy_str name,
                            const struct schema_place *place)
{
    char word[64], wrong[160];
    snprintf(word, sizeof(word), "%.*s", (int)(name.len < 63 ? name.len : 63), name.ptr);
    snprintf(wrong, sizeof(wrong), "the keyword `%s` is not supported", word);
    refuse(compiler, place, wrong);
    const char *names[KEYWORDS];
    for (size_t i = 0; i < KEYWORDS; i++)
        names[i] = keywords[i].name;
    const char *near = nearest_name(word, names, KEYWORDS);
    if (near)
        error_hint(compiler->error, "did you mean `%s`?", near);
    return false;
}

static bool compile_node(struct compiler *compiler, struct schema_node *node,
                         const struct value *source, const struct schema_place *place)
{
    node->next = compiler->nodes;
    compiler->nodes = node;
    node->max_items = node->max_length = node->max_properties = SIZE_MAX;
    if (source->type == VALUE_BOOL) {
        node->boolean = true;
        node->allowed = source->boolean;
        return true;
    }
    if (source->type != VALUE_MAP)
        return refuse(compiler, place, "expected a schema: an object, true or false");
    for (size_t i = 0; i < source->map.count; i++) {
        const struct member *member = &source->map.members[i];
        size_t k = 0;
        while (k < KEYWORDS && !str_is(member->key, keywords[k].name))
            k++;
        if (k == KEYWORDS)
            return unknown_keyword(compiler, member->key, place);
        struct schema_place inner = {.parent = place, .key = member->key};
        void *field = (char *)node + keywords[k].field;
        if (keywords[k].compile &&
            !keywords[k].compile(compiler, node, field, &member->value, &inner))
            return false;
    }
    return true;
}

/* ---- definitions and the whole
 * -------------------------------------------------------------------- */

static bool compile_definitions(struct compiler *compiler, const struct value *source,
                                const struct schema_place *top)
{
    const char *const names[] = {"$defs", "definitions"};
    for (size_t n = 0; n < 2; n++) {
        const struct value *map = value_member(source, str_of(names[n]));
        struct schema_place place = {.parent = top, .key = str_of(names[n])};
        if (!map)
            continue;
        if (map->type != VALUE_MAP)
            return refuse(compiler, &place, "expected an object of schemas");
        for (size_t i = 0; i < map->map.count; i++) {
            compiler->definitions =
                memory_resize(compiler->definitions, compiler->definition_count + 1,
                              sizeof(*compiler->definitions));
            compiler->definitions[compiler->definition_count++] = (struct definition){
                .name = map->map.members[i].key,
                .source = &map->map.members[i].value,
                .node = arena_alloc(&compiler->schema->arena, sizeof(struct schema_node)),
            };
        }
    }
    /* Only now, since one definition may refer to a later one. */
    for (size_t i = 0; i < compiler->definition_count; i++) {
        struct definition *definition = &compiler->definitions[i];
        struct schema_place place = {.parent = top, .key = STR("$defs")};
        struct schema_place inner = {.parent = &place, .key = definition->name};
        if (!compile_node(compiler, definition->node, definition->source, &inner))
            return false;
    }
    return true;
}

static bool compile(struct compiler *compiler, xy_str source)
{
    struct schema *schema = compiler->schema;
    struct value *value = arena_alloc(&schema->arena, sizeof(*value));
    if (json_parse(&schema->arena, source, value, compiler->error) != 0)
        return false;
    const struct schema_place top = {0};
    compiler->root = arena_alloc(&schema->arena, sizeof(*compiler->root));
    schema->root = compiler->root;
    if (!compile_definitions(compiler, value, &top) ||
        !compile_node(compiler, compiler->root, value, &top))
        return false;
    for (struct schema_node *node = compiler->nodes; node; node = node->next) {
        if (schema_height(node, 1) > SCHEMA_IN_PLACE_DEPTH)
            return refuse(compiler, &top,
                          "a $ref leads back to itself without a step into the value, "
                          "or $ref, anyOf, oneOf, allOf and not are nested too deeply");
    }
    return true;
}

struct schema *schema_compile(xy_str source, struct error *error)
{
    struct schema *schema = memory_zeroed(1, sizeof(*schema));
    schema->limits = pcre2_match_context_create(NULL);
    if (schema->limits) {
        pcre2_set_match_limit(schema->limits, PATTERN_STEPS);
        pcre2_set_heap_limit(schema->limits, PATTERN_KIBIBYTES);
    }
    struct compiler compiler = {.schema = schema, .error = error};
    bool good = compile(&compiler, source);
    free(compiler.definitions);
    if (good)
        return schema;
    schema_free(schema);
    return NULL;
}

void schema_free(struct schema *schema)
{
    if (!schema)
        return;
    for (size_t i = 0; i < schema->pattern_count; i++)
        pcre2_code_free(schema->patterns[i]);
    free(schema->patterns);
    pcre2_match_context_free(schema->limits);
    arena_free(&schema->arena);
    free(schema);
}
