/* SPDX-License-Identifier: Apache-2.0 */
/* schema_object.c - grammars of objects and arrays. */
#include "schema_grammar_internal.h"

#include <string.h>
#include <xylem/plugin.h>

struct object {
    unsigned rule;         /* its rules are "o<rule>-..." */
    const cJSON *required; /* list of names; may be NULL */
};

static bool is_required(const struct object *object, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object->required)
        if (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0)
            return true;
    return false;
}

/* The rule for what may follow from property `index` on. `first` tells whether nothing has been
 * written yet, which decides about the comma:
 *   required: comma key value, then the rest
 *   optional: the same, or the rest without it */
static void rest_rule(struct text *rules, const struct object *object, const cJSON *property,
                      unsigned index, bool first)
{
    const char *tag = first ? "f" : "n";
    char *key =
        cJSON_PrintUnformatted(&(cJSON){.type = cJSON_String, .valuestring = property->string});
    if (!key) {
        rules->failed = true;
        return;
    }
    text_print(rules, "o%u-%u-%s ::= %s", object->rule, index, tag, first ? "" : "\",\" ws ");
    grammar_literal(rules, key);
    cJSON_free(key);
    text_print(rules, " \":\" ws o%u-v%u", object->rule, index);
    if (property->next)
        text_print(rules, " o%u-%u-n", object->rule, index + 1);
    if (!is_required(object, property->string)) {
        if (property->next)
            text_print(rules, " | o%u-%u-%s", object->rule, index + 1, tag);
        else
            text_add_string(rules, " | \"\"");
    }
    text_add_string(rules, "\n");
}

static int check_required(struct grammar *grammar, const cJSON *required, const cJSON *properties)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, required)
        if (!cJSON_IsString(item) || !cJSON_HasObjectItem(properties, item->valuestring))
            return grammar_fail(grammar, XY_EUNSUPPORTED,
                                "the schema requires '%s', which is not among its properties",
                                cJSON_IsString(item) ? item->valuestring : "?");
    return 0;
}

int grammar_object(struct grammar *grammar, const cJSON *schema, struct text *out)
{
    static const char *const handled[] = {"type", "properties", "required", NULL};
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
    struct object object = {
        .rule = grammar->next_rule++,
        .required = cJSON_GetObjectItemCaseSensitive(schema, "required"),
    };
    if (grammar_only(grammar, schema, handled) < 0 ||
        check_required(grammar, object.required, properties) < 0)
        return grammar->status;
    if (!properties) {
        grammar->any_value = true;
        text_add_string(out, "object");
        return 0;
    }
    unsigned index = 0;
    bool first = true; /* every property so far may have been left out */
    const cJSON *property;
    cJSON_ArrayForEach(property, properties) {
        struct text value = {0};
        if (grammar_value(grammar, property, &value) == 0) {
            text_print(&grammar->rules, "o%u-v%u ::= ", object.rule, index);
            text_add(&grammar->rules, value.ptr ? value.ptr : "", value.len);
            text_add_string(&grammar->rules, "\n");
            if (first)
                rest_rule(&grammar->rules, &object, property, index, true);
            if (index > 0)
                rest_rule(&grammar->rules, &object, property, index, false);
        }
        grammar->rules.failed |= value.failed;
        text_free(&value);
        if (grammar->status < 0)
            return grammar->status;
        first = first && !is_required(&object, property->string);
        index++;
    }
    if (index == 0)
        text_add_string(out, "\"{\" ws \"}\"");
    else
        text_print(out, "\"{\" ws o%u-0-f ws \"}\"", object.rule);
    return 0;
}

int grammar_array(struct grammar *grammar, const cJSON *schema, struct text *out)
{
    static const char *const handled[] = {"type", "items", "minItems", "maxItems", NULL};
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(schema, "items");
    unsigned rule = grammar->next_rule++;
    long least, most;
    if (grammar_only(grammar, schema, handled) < 0 ||
        grammar_limit(grammar, schema, "minItems", 0, &least) < 0 ||
        grammar_limit(grammar, schema, "maxItems", -1, &most) < 0)
        return grammar->status;
    if (most >= 0 && least > most)
        return grammar_fail(grammar, XY_EINVAL, "the schema's minItems is above its maxItems");
    if (most == 0) {
        text_add_string(out, "\"[\" ws \"]\"");
        return 0;
    }
    struct text element = {0};
    if (items)
        grammar_value(grammar, items, &element);
    else
        text_add_string(&element, "value");
    grammar->any_value |= !items;
    if (grammar->status == 0) {
        text_print(&grammar->rules, "a%u ::= ", rule);
        text_add(&grammar->rules, element.ptr ? element.ptr : "", element.len);
        text_add_string(&grammar->rules, "\n");
        text_print(out, "\"[\" ws %sa%u", least == 0 ? "(" : "", rule);
        long more = least > 1 ? least - 1 : 0;
        if (most < 0)
            text_print(out, " (\",\" ws a%u){%ld,}", rule, more);
        else if (most > 1)
            text_print(out, " (\",\" ws a%u){%ld,%ld}", rule, more, most - 1);
        text_print(out, "%s ws \"]\"", least == 0 ? ")?" : "");
    }
    grammar->rules.failed |= element.failed;
    text_free(&element);
    return grammar->status;
}
