/* SPDX-License-Identifier: Apache-2.0 */
#include "schema_grammar.h"
#include "schema_grammar_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <xylem/plugin.h>

/* At most one space, and only where people write one: a small model otherwise fills its budget with
 * blanks. Escapes leave out surrogates, which alone are no valid Unicode. */
static const char base_rules[] =
    "ws ::= \" \"?\n"
    "char ::= [^\"\\\\\\x00-\\x1F\\x7F] | \"\\\\\" ([\"\\\\/bfnrt] | \"u\" "
    "([0-9a-cefA-CEF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}))\n"
    "string ::= \"\\\"\" char* \"\\\"\"\n"
    "integer ::= \"-\"? (\"0\" | [1-9] [0-9]{0,14})\n"
    "number ::= integer (\".\" [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?\n"
    "boolean ::= \"true\" | \"false\"\n";
static const char any_value_rules[] =
    "value ::= object | array | string | number | boolean | \"null\"\n"
    "member ::= string \":\" ws value\n"
    "object ::= \"{\" ws (member (\",\" ws member)*)? ws \"}\"\n"
    "array ::= \"[\" ws (value (\",\" ws value)*)? ws \"]\"\n";

/* Keywords that describe and do not constrain, or, as additionalProperties, that a grammar which
 * writes only the named properties satisfies whatever they say. */
static const char *const annotations[] = {
    "title", "description", "default", "examples", "format", "$schema", "$id", "$comment",
    "deprecated", "readOnly", "writeOnly", "$defs", "definitions", "additionalProperties", NULL};

int grammar_fail(struct grammar *grammar, int status, const char *format, ...)
{
    if (grammar->status == 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(grammar->error, grammar->error_size, format, args);
        va_end(args);
        grammar->status = status;
    }
    return grammar->status;
}

static bool listed(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

int grammar_only(struct grammar *grammar, const cJSON *schema, const char *const *handled)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, schema)
        if (!listed(annotations, item->string) && !listed(handled, item->string))
            return grammar_fail(grammar, XY_EUNSUPPORTED,
                                "the grammar cannot enforce the schema's keyword '%s' here",
                                item->string);
    return 0;
}

int grammar_limit(struct grammar *grammar, const cJSON *schema, const char *keyword, long absent,
                  long *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(schema, keyword);
    *value = absent;
    if (!item)
        return 0;
    if (!cJSON_IsNumber(item) || item->valuedouble < 0 ||
        item->valuedouble != floor(item->valuedouble))
        return grammar_fail(grammar, XY_EINVAL, "the schema's %s is not a whole number", keyword);
    if (item->valuedouble > SCHEMA_REPEAT)
        return grammar_fail(grammar, XY_EUNSUPPORTED,
                            "the schema's %s is above %d, the most a grammar can count to", keyword,
                            SCHEMA_REPEAT);
    *value = (long)item->valuedouble;
    return 0;
}

void grammar_literal(struct text *out, const char *bytes)
{
    text_add_string(out, "\"");
    for (; *bytes; bytes++) {
        if (*bytes == '"' || *bytes == '\\')
            text_add_string(out, "\\");
        if ((unsigned char)*bytes < 0x20)
            text_print(out, "\\x%02X", (unsigned)(unsigned char)*bytes);
        else
            text_add(out, bytes, 1);
    }
    text_add_string(out, "\"");
}

static int constant(struct grammar *grammar, const cJSON *value, struct text *out)
{
    char *json = cJSON_PrintUnformatted(value);
    if (!json)
        return grammar_fail(grammar, XY_ENOMEM, "out of memory");
    grammar_literal(out, json);
    cJSON_free(json);
    return 0;
}

/* One alternative for each element, through `emit`. */
static int alternatives(struct grammar *grammar, const cJSON *list, const char *keyword,
                        struct text *out,
                        int (*emit)(struct grammar *, const cJSON *, struct text *))
{
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0)
        return grammar_fail(grammar, XY_EINVAL, "the schema's %s is not a list with elements",
                            keyword);
    const char *before = "(";
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        text_add_string(out, before);
        before = " | ";
        if (emit(grammar, item, out) < 0)
            return grammar->status;
    }
    text_add_string(out, ")");
    return 0;
}

static int string_value(struct grammar *grammar, const cJSON *schema, struct text *out)
{
    static const char *const handled[] = {"type", "minLength", "maxLength", NULL};
    long least, most;
    if (grammar_only(grammar, schema, handled) < 0 ||
        grammar_limit(grammar, schema, "minLength", 0, &least) < 0 ||
        grammar_limit(grammar, schema, "maxLength", -1, &most) < 0)
        return grammar->status;
    if (most >= 0 && least > most)
        return grammar_fail(grammar, XY_EINVAL, "the schema's minLength is above its maxLength");
    if (least == 0 && most < 0)
        text_add_string(out, "string");
    else if (most < 0)
        text_print(out, "\"\\\"\" char{%ld,} \"\\\"\"", least);
    else
        text_print(out, "\"\\\"\" char{%ld,%ld} \"\\\"\"", least, most);
    return 0;
}

/* A short range is a list of its members; a long one has no compact grammar. */
static int integer_value(struct grammar *grammar, const cJSON *schema, struct text *out)
{
    static const char *const handled[] = {"type", "minimum", "maximum", NULL};
    const cJSON *low = cJSON_GetObjectItemCaseSensitive(schema, "minimum");
    const cJSON *high = cJSON_GetObjectItemCaseSensitive(schema, "maximum");
    if (grammar_only(grammar, schema, handled) < 0)
        return grammar->status;
    if (!low && !high) {
        text_add_string(out, "integer");
        return 0;
    }
    /* A missing item is no number to cJSON_IsNumber().
     * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    if (!cJSON_IsNumber(low) || !cJSON_IsNumber(high) || high->valuedouble < low->valuedouble ||
        high->valuedouble - low->valuedouble > 255 || fabs(low->valuedouble) > 1e9)
        return grammar_fail(
            grammar, XY_EUNSUPPORTED,
            "the grammar can enforce minimum and maximum only together, for a range "
            "of at most 256 integers");
    long first = (long)ceil(low->valuedouble), last = (long)floor(high->valuedouble);
    if (first > last)
        return grammar_fail(grammar, XY_EINVAL, "no integer lies from minimum to maximum");
    for (long value = first; value <= last; value++)
        text_print(out, "%s\"%ld\"", value == first ? "(" : " | ", value);
    text_add_string(out, ")");
    return 0;
}

static int typed_value(struct grammar *grammar, const cJSON *schema, const char *type,
                       struct text *out)
{
    static const char *const handled[] = {"type", NULL};
    if (strcmp(type, "object") == 0)
        return grammar_object(grammar, schema, out);
    if (strcmp(type, "array") == 0)
        return grammar_array(grammar, schema, out);
    if (strcmp(type, "string") == 0)
        return string_value(grammar, schema, out);
    if (strcmp(type, "integer") == 0)
        return integer_value(grammar, schema, out);
    if (grammar_only(grammar, schema, handled) < 0)
        return grammar->status;
    if (strcmp(type, "number") == 0 || strcmp(type, "boolean") == 0)
        text_add_string(out, type);
    else if (strcmp(type, "null") == 0)
        text_add_string(out, "\"null\"");
    else
        return grammar_fail(grammar, XY_EINVAL, "the schema's type '%s' is none of JSON's", type);
    return 0;
}

/* "type": ["string", "null"]: only plain types, where the other keywords cannot mean two things. */
static int type_list(struct grammar *grammar, const cJSON *schema, const cJSON *types,
                     struct text *out)
{
    static const char *const handled[] = {"type", NULL};
    if (cJSON_GetArraySize(types) == 0)
        return grammar_fail(grammar, XY_EINVAL, "the schema's type is an empty list");
    if (cJSON_GetArraySize(types) > 1 && grammar_only(grammar, schema, handled) < 0)
        return grammar->status;
    const char *before = "(";
    const cJSON *type;
    cJSON_ArrayForEach(type, types) {
        if (!cJSON_IsString(type))
            return grammar_fail(grammar, XY_EINVAL, "the schema's type is not a name");
        text_add_string(out, before);
        before = " | ";
        if (typed_value(grammar, schema, type->valuestring, out) < 0)
            return grammar->status;
    }
    text_add_string(out, ")");
    return 0;
}

static const cJSON *referred(const struct grammar *grammar, const char *reference)
{
    static const struct {
        const char *prefix, *section;
    } places[] = {{"#/$defs/", "$defs"}, {"#/definitions/", "definitions"}};
    if (strcmp(reference, "#") == 0)
        return grammar->root;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t length = strlen(places[i].prefix);
        if (strncmp(reference, places[i].prefix, length) == 0)
            return cJSON_GetObjectItemCaseSensitive(
                cJSON_GetObjectItemCaseSensitive(grammar->root, places[i].section),
                reference + length);
    }
    return NULL;
}

/* A rule of its own for each schema that is referred to, so that it may refer to itself. */
static int reference(struct grammar *grammar, const cJSON *schema, struct text *out)
{
    static const char *const handled[] = {"$ref", NULL};
    const char *name =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(schema, "$ref"));
    const cJSON *target = name ? referred(grammar, name) : NULL;
    if (grammar_only(grammar, schema, handled) < 0)
        return grammar->status;
    if (!target)
        return grammar_fail(grammar, XY_EUNSUPPORTED,
                            "the schema's $ref '%s' leads to nothing in '#/$defs'",
                            name ? name : "");
    size_t index = 0;
    while (index < grammar->reference_count && grammar->references[index] != target)
        index++;
    text_print(out, "d%zu", index);
    if (index < grammar->reference_count)
        return 0;
    if (index == SCHEMA_REFERENCES)
        return grammar_fail(grammar, XY_EUNSUPPORTED, "the schema refers to more than %d others",
                            SCHEMA_REFERENCES);
    grammar->references[grammar->reference_count++] = target;
    struct text body = {0};
    if (grammar_value(grammar, target, &body) == 0) {
        text_print(&grammar->rules, "d%zu ::= ", index);
        text_add(&grammar->rules, body.ptr ? body.ptr : "", body.len);
        text_add_string(&grammar->rules, "\n");
    }
    grammar->rules.failed |= body.failed;
    text_free(&body);
    return grammar->status;
}

/* A schema without the keywords that name its values: by its type, or by what it says of parts. */
static int by_type(struct grammar *grammar, const cJSON *schema, struct text *out)
{
    static const char *const nothing[] = {NULL};
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type");
    if (cJSON_IsString(type))
        return typed_value(grammar, schema, type->valuestring, out);
    if (cJSON_IsArray(type))
        return type_list(grammar, schema, type, out);
    if (cJSON_HasObjectItem(schema, "properties"))
        return grammar_object(grammar, schema, out);
    if (cJSON_HasObjectItem(schema, "items"))
        return grammar_array(grammar, schema, out);
    if (grammar_only(grammar, schema, nothing) < 0)
        return grammar->status;
    grammar->any_value = true;
    text_add_string(out, "value");
    return 0;
}

/* By the keyword that decides what the value may be. */
static int dispatch(struct grammar *grammar, const cJSON *schema, struct text *out)
{
    static const char *const with_enum[] = {"enum", "type", NULL};
    static const char *const with_const[] = {"const", "type", NULL};
    static const char *const with_any[] = {"anyOf", NULL};
    static const char *const with_all[] = {"allOf", NULL};
    const cJSON *item;
    if (cJSON_HasObjectItem(schema, "$ref"))
        return reference(grammar, schema, out);
    item = cJSON_GetObjectItemCaseSensitive(schema, "enum");
    if (item)
        return grammar_only(grammar, schema, with_enum) < 0
                   ? grammar->status
                   : alternatives(grammar, item, "enum", out, constant);
    item = cJSON_GetObjectItemCaseSensitive(schema, "const");
    if (item)
        return grammar_only(grammar, schema, with_const) < 0 ? grammar->status
                                                     : constant(grammar, item, out);
    item = cJSON_GetObjectItemCaseSensitive(schema, "anyOf");
    if (item)
        return grammar_only(grammar, schema, with_any) < 0
                   ? grammar->status
                   : alternatives(grammar, item, "anyOf", out, grammar_value);
    item = cJSON_GetObjectItemCaseSensitive(schema, "allOf");
    if (item && cJSON_GetArraySize(item) == 1)
        return grammar_only(grammar, schema, with_all) < 0
                   ? grammar->status
                   : grammar_value(grammar, cJSON_GetArrayItem(item, 0), out);
    return by_type(grammar, schema, out);
}

int grammar_value(struct grammar *grammar, const cJSON *schema, struct text *out)
{
    if (cJSON_IsTrue(schema)) {
        grammar->any_value = true;
        text_add_string(out, "value");
        return 0;
    }
    if (!cJSON_IsObject(schema))
        return grammar_fail(grammar, XY_EINVAL, "a schema must be a JSON object");
    if (grammar->depth == SCHEMA_DEPTH)
        return grammar_fail(grammar, XY_EUNSUPPORTED, "the schema is nested more than %d deep",
                            SCHEMA_DEPTH);
    grammar->depth++;
    int status = dispatch(grammar, schema, out);
    grammar->depth--;
    return status;
}

char *schema_grammar(const char *schema, size_t len, int *status, char *error, size_t error_size)
{
    struct grammar grammar = {.error = error, .error_size = error_size};
    struct text root = {0};
    cJSON *parsed = cJSON_ParseWithLength(schema, len);
    if (!parsed)
        grammar_fail(&grammar, XY_EINVAL, "the JSON schema is not valid JSON");
    grammar.root = parsed;
    if (grammar.status == 0 && grammar_value(&grammar, parsed, &root) == 0) {
        text_add_string(&grammar.rules, "root ::= ");
        text_add(&grammar.rules, root.ptr ? root.ptr : "", root.len);
        text_add_string(&grammar.rules, "\n");
        text_add_string(&grammar.rules, base_rules);
        if (grammar.any_value)
            text_add_string(&grammar.rules, any_value_rules);
    }
    if (grammar.rules.failed || root.failed)
        grammar_fail(&grammar, XY_ENOMEM, "out of memory");
    cJSON_Delete(parsed);
    text_free(&root);
    *status = grammar.status;
    if (grammar.status < 0)
        text_free(&grammar.rules);
    return grammar.rules.ptr;
}
