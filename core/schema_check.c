/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "json.h"
#include "schema_internal.h"

/* Nodes visited and items compared in one check: schemas of schemas can multiply, answers are
 * small. */
enum { WORK_LIMIT = 10000000, FEW_ITEMS = 16, SHOWN_BYTES = 200 };

struct checker {
    const struct schema *schema;
    struct error *error;
    int quiet; /* above 0 within alternatives, whose violations are nobody's error */
    size_t work;
};

typedef const struct schema_place place;

void schema_place_write(const struct schema_place *at, struct buffer *buffer)
{
    if (!at->parent) {
        buffer_append_char(buffer, '$');
        return;
    }
    schema_place_write(at->parent, buffer);
    bool plain = at->key.len > 0;
    for (size_t i = 0; plain && i < at->key.len; i++) {
        char c = at->key.ptr[i];
        plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '_' || c == '$';
    }
    if (!at->key.ptr) {
        buffer_printf(buffer, "[%zu]", at->index);
    } else if (plain) {
        buffer_append_char(buffer, '.');
        buffer_append_str(buffer, at->key);
    } else {
        buffer_append_char(buffer, '[');
        json_write_text(buffer, at->key);
        buffer_append_char(buffer, ']');
    }
}

static bool violated(struct checker *checker, place *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool violated(struct checker *checker, place *at, const char *format, ...)
{
    if (checker->quiet > 0)
        return false;
    struct buffer text;
    buffer_init(&text, sizeof(checker->error->text));
    schema_place_write(at, &text);
    char rule[600];
    va_list args;
    va_start(args, format);
    vsnprintf(rule, sizeof(rule), format, args);
    va_end(args);
    error_set(checker->error, XY_EINVAL, "%s: %s", buffer_str(&text).ptr, rule);
    buffer_free(&text);
    return false;
}

/* "expected FOUND-IN-THE-SCHEMA, found VALUE", both as JSON and cut where they are long. */
static bool violated_value(struct checker *checker, place *at, const char *expected,
                           const struct value *rule, const struct value *value)
{
    if (checker->quiet > 0)
        return false;
    struct buffer wanted, found;
    buffer_init(&wanted, (size_t)1 << 20);
    buffer_init(&found, (size_t)1 << 20);
    json_write(&wanted, rule);
    json_write(&found, value);
    violated(checker, at, "expected %s %.*s, found %.*s", expected, SHOWN_BYTES,
             buffer_str(&wanted).ptr, SHOWN_BYTES, buffer_str(&found).ptr);
    buffer_free(&wanted);
    buffer_free(&found);
    return false;
}

static bool check_node(struct checker *checker, const struct schema_node *node,
                       const struct value *value, place *at);

/* Whether the value fits, without a word about it. */
static bool fits(struct checker *checker, const struct schema_node *node, const struct value *value,
                 place *at)
{
    checker->quiet++;
    bool good = check_node(checker, node, value, at);
    checker->quiet--;
    return good;
}

/* ---- any type
 * ----------------------------------------------------------------------------------- */

static bool check_type(struct checker *checker, const struct schema_node *node,
                       const struct value *value, place *at)
{
    static const char *const names[] = {"null",   "boolean", "integer", "number",
                                        "string", "array",   "object"};
    if (node->types == 0 || node->types & 1u << value->type)
        return true;
    if (value->type == VALUE_NUMBER && node->types & 1u << VALUE_INT &&
        value->number == trunc(value->number))
        return true; /* 1.0 is an integer to JSON Schema */
    char expected[80] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        bool part_of_number = i == VALUE_INT && node->types & 1u << VALUE_NUMBER;
        if (node->types & 1u << i && !part_of_number)
            length += (size_t)snprintf(expected + length, sizeof(expected) - length, "%s%s",
                                       length ? " or " : "", names[i]);
    }
    return violated(checker, at, "expected %s, found %s", expected, value_type_name(value));
}

static bool check_constants(struct checker *checker, const struct schema_node *node,
                            const struct value *value, place *at)
{
    if (node->constant && !value_equal(node->constant, value))
        return violated_value(checker, at, "the value", node->constant, value);
    if (!node->enumeration)
        return true;
    for (size_t i = 0; i < node->enumeration->list.count; i++) {
        if (value_equal(&node->enumeration->list.items[i], value))
            return true;
    }
    return violated_value(checker, at, "one of", node->enumeration, value);
}

static bool check_one(struct checker *checker, const struct schema_node *node,
                      const struct value *value, place *at)
{
    size_t fitting = 0;
    for (size_t i = 0; i < node->one.count && fitting < 2; i++)
        fitting += fits(checker, node->one.nodes[i], value, at);
    if (fitting == 1)
        return true;
    return violated(checker, at, "%s of the %zu alternatives of oneOf fits, expected exactly one",
                    fitting ? "more than one" : "none", node->one.count);
}

static bool check_combined(struct checker *checker, const struct schema_node *node,
                           const struct value *value, place *at)
{
    if (node->reference && !check_node(checker, node->reference, value, at))
        return false;
    for (size_t i = 0; i < node->all.count; i++) {
        if (!check_node(checker, node->all.nodes[i], value, at))
            return false;
    }
    bool any = node->any.count == 0;
    for (size_t i = 0; !any && i < node->any.count; i++)
        any = fits(checker, node->any.nodes[i], value, at);
    if (!any)
        return violated(checker, at, "none of the %zu alternatives of anyOf fits", node->any.count);
    if (node->one.count > 0 && !check_one(checker, node, value, at))
        return false;
    if (node->negated && fits(checker, node->negated, value, at))
        return violated(checker, at, "the value fits the schema under `not`");
    return true;
}

/* ---- numbers and texts
 * ---------------------------------------------------------------------------- */

static double as_double(const struct value *value)
{
    return value->type == VALUE_INT ? (double)value->integer : value->number;
}

static bool is_multiple(const struct value *value, const struct value *of)
{
    if (value->type == VALUE_INT && of->type == VALUE_INT)
        return value->integer % of->integer == 0;
    double quotient = as_double(value) / as_double(of);
    if (!isfinite(quotient))
        return false;
    /* 0.3 is meant to be a multiple of 0.1. Both are half a unit in the last place off their
     * decimal texts at most and so is the division, which makes at most 1.5 epsilon in relative
     * terms. */
    return fabs(quotient - nearbyint(quotient)) <= 1.5 * DBL_EPSILON * fabs(quotient);
}

static bool check_number(struct checker *checker, const struct schema_node *node,
                         const struct value *value, place *at)
{
    if (value->type == VALUE_NUMBER && isnan(value->number))
        return violated(checker, at, "expected a number, found NaN");
    if (node->minimum && value_compare_numbers(value, node->minimum) < 0)
        return violated_value(checker, at, "at least", node->minimum, value);
    if (node->maximum && value_compare_numbers(value, node->maximum) > 0)
        return violated_value(checker, at, "at most", node->maximum, value);
    if (node->exclusive_minimum && value_compare_numbers(value, node->exclusive_minimum) <= 0)
        return violated_value(checker, at, "more than", node->exclusive_minimum, value);
    if (node->exclusive_maximum && value_compare_numbers(value, node->exclusive_maximum) >= 0)
        return violated_value(checker, at, "less than", node->exclusive_maximum, value);
    if (node->multiple_of && !is_multiple(value, node->multiple_of))
        return violated_value(checker, at, "a multiple of", node->multiple_of, value);
    return true;
}

static bool check_pattern(struct checker *checker, const struct schema_node *node,
                          const struct value *value, place *at)
{
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    int code = match ? pcre2_match(node->pattern, (PCRE2_SPTR)value->text.ptr, value->text.len, 0,
                                   0, match, checker->schema->limits)
                     : PCRE2_ERROR_NOMEMORY;
    pcre2_match_data_free(match);
    if (code >= 0)
        return true;
    int length = (int)(node->pattern_text.len < SHOWN_BYTES ? node->pattern_text.len : SHOWN_BYTES);
    return violated(checker, at, "%s the pattern %.*s",
                    code == PCRE2_ERROR_NOMATCH
                        ? "the text does not match"
                        : "matching the text was given up (too much work): see",
                    length, node->pattern_text.ptr);
}

static bool check_size(struct checker *checker, place *at, const char *what, size_t size,
                       size_t least, size_t most)
{
    if (size < least)
        return violated(checker, at, "expected at least %zu %s, found %zu", least, what, size);
    return size <= most ||
           violated(checker, at, "expected at most %zu %s, found %zu", most, what, size);
}

static bool check_text(struct checker *checker, const struct schema_node *node,
                       const struct value *value, place *at)
{
    if ((node->min_length > 0 || node->max_length < SIZE_MAX) &&
        !check_size(checker, at, "characters", utf8_count(value->text), node->min_length,
                    node->max_length))
        return false;
    return !node->pattern || check_pattern(checker, node, value, at);
}

/* ---- lists
 * ---------------------------------------------------------------------------------------- */

/* Equal values have equal hashes: 1 and 1.0, and maps in any order. */
static uint64_t hash_value(const struct value *value)
{
    uint64_t hash = 0;
    double number;
    switch (value->type) {
    case VALUE_NULL: return 1;
    case VALUE_BOOL: return value->boolean ? 2 : 3;
    case VALUE_INT:
    case VALUE_NUMBER:
        number = as_double(value) + 0.0; /* -0 becomes 0 */
        return XXH3_64bits(&number, sizeof(number));
    case VALUE_TEXT: return XXH3_64bits_withSeed(value->text.ptr, value->text.len, VALUE_TEXT);
    case VALUE_LIST:
        for (size_t i = 0; i < value->list.count; i++) {
            uint64_t pair[2] = {hash, hash_value(&value->list.items[i])};
            hash = XXH3_64bits(pair, sizeof(pair));
        }
        return hash + VALUE_LIST;
    default:
        for (size_t i = 0; i < value->map.count; i++) {
            xy_str key = value->map.members[i].key;
            uint64_t seed = hash_value(&value->map.members[i].value);
            hash += XXH3_64bits_withSeed(key.ptr, key.len, seed);
        }
        return hash + VALUE_MAP;
    }
}

struct hashed {
    uint64_t hash;
    const struct value *value;
};

static int compare_hashed(const void *left, const void *right)
{
    const struct hashed *a = left, *b = right;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* The items are sorted by hash, so that only those with the same one are compared. */
static bool has_repeated(struct checker *checker, const struct value *list)
{
    size_t count = list->list.count;
    struct hashed *items = memory_resize(NULL, count, sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        const struct value *item = &list->list.items[i];
        items[i] = (struct hashed){count > FEW_ITEMS ? hash_value(item) : 0, item};
    }
    if (count > FEW_ITEMS)
        qsort(items, count, sizeof(*items), compare_hashed);
    bool repeated = false;
    for (size_t i = 0; i < count && !repeated; i++) {
        for (size_t j = i + 1; j < count && items[j].hash == items[i].hash && !repeated; j++) {
            repeated = value_equal(items[i].value, items[j].value);
            if (++checker->work > WORK_LIMIT)
                break;
        }
    }
    free(items);
    return repeated;
}

static bool check_list(struct checker *checker, const struct schema_node *node,
                       const struct value *value, place *at)
{
    size_t count = value->list.count;
    if (!check_size(checker, at, "items", count, node->min_items, node->max_items))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct schema_node *item =
            i < node->prefix.count ? node->prefix.nodes[i] : node->items;
        place inner = {.parent = at, .index = i};
        if (item && !check_node(checker, item, &value->list.items[i], &inner))
            return false;
    }
    if (node->unique_items && has_repeated(checker, value))
        return violated(checker, at, "expected items that differ, found the same one twice");
    return true;
}

/* ---- maps
 * ----------------------------------------------------------------------------------------- */

static const struct schema_node *property_node(const struct schema_node *node, xy_str key)
{
    for (size_t i = 0; i < node->property_count; i++) {
        if (str_equal(node->properties[i].key, key))
            return node->properties[i].node;
    }
    return node->additional;
}

static bool check_map(struct checker *checker, const struct schema_node *node,
                      const struct value *value, place *at)
{
    size_t count = value->map.count;
    if (!check_size(checker, at, "members", count, node->min_properties, node->max_properties))
        return false;
    for (size_t i = 0; node->required && i < node->required->list.count; i++) {
        xy_str key = node->required->list.items[i].text;
        if (!value_member(value, key))
            return violated(checker, at, "the required member `%.*s` is missing", (int)key.len,
                            key.ptr);
    }
    for (size_t i = 0; i < count; i++) {
        const struct member *member = &value->map.members[i];
        const struct schema_node *inner_node = property_node(node, member->key);
        place inner = {.parent = at,
                       .key = {member->key.ptr ? member->key.ptr : "", member->key.len}};
        if (inner_node && !check_node(checker, inner_node, &member->value, &inner))
            return false;
    }
    return true;
}

/* ---- the whole
 * ------------------------------------------------------------------------------------ */

static bool check_node(struct checker *checker, const struct schema_node *node,
                       const struct value *value, place *at)
{
    if (++checker->work > WORK_LIMIT)
        return violated(checker, at, "the schema takes too much work on this value");
    if (node->boolean)
        return node->allowed || violated(checker, at, "nothing is allowed here");
    if (!check_type(checker, node, value, at) || !check_constants(checker, node, value, at))
        return false;
    bool good = true;
    switch (value->type) {
    case VALUE_INT:
    case VALUE_NUMBER: good = check_number(checker, node, value, at); break;
    case VALUE_TEXT: good = check_text(checker, node, value, at); break;
    case VALUE_LIST: good = check_list(checker, node, value, at); break;
    case VALUE_MAP: good = check_map(checker, node, value, at); break;
    default: break;
    }
    return good && check_combined(checker, node, value, at);
}

int schema_check(const struct schema *schema, const struct value *value, struct error *error)
{
    struct checker checker = {.schema = schema, .error = error};
    place top = {0};
    bool good = check_node(&checker, schema->root, value, &top);
    /* Under `not` a check that was given up would count as one that failed. */
    if (checker.work > WORK_LIMIT)
        return error_set(error, XY_EINVAL, "$: the schema takes too much work on this value");
    return good ? 0 : XY_EINVAL;
}
