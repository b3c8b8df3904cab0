/* SPDX-License-Identifier: Apache-2.0 */
/* SPARQL 1.1 Query Results JSON Format: {"head", "results": {"bindings": [{"x": {"type", "value",
 * "datatype"}}]}}. */
#include "json_value.h"
#include "sparql.h"

#define XSD "http://www.w3.org/2001/XMLSchema#"

bool sparql_is_answer(xy_str answer)
{
    char boolean = json_kind(json_member(answer, "boolean"));
    return boolean == 't' || boolean == 'f' || json_kind(sparql_bindings(answer)) == '[';
}

xy_str sparql_bindings(xy_str answer)
{
    return json_path(answer, "results.bindings");
}

static bool is_one_of(xy_str name, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        if (name.len == strlen(names[i]) && memcmp(name.ptr, names[i], name.len) == 0)
            return true;
    return false;
}

static bool read_integer(xy_str text, int64_t *out)
{
    bool minus = text.len && text.ptr[0] == '-';
    size_t at = text.len && strchr("+-", text.ptr[0]) ? 1 : 0;
    uint64_t number = 0, most = (uint64_t)INT64_MAX + minus;
    if (at == text.len)
        return false;
    for (; at < text.len; at++) {
        unsigned digit = (unsigned)(text.ptr[at] - '0');
        if (digit > 9 || number > (most - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = minus ? (int64_t)(0 - number) : (int64_t)number;
    return true;
}

/* What a literal of an XML Schema type means; it stays text where that cannot be said. */
static void read_typed(xy_str type, xy_value *value)
{
    static const char *const integers[] = {
        "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger",
        "negativeInteger", "nonPositiveInteger", "unsignedInt", "unsignedLong", "unsignedShort",
        "unsignedByte", NULL};
    static const char *const numbers[] = {"decimal", "double", "float", NULL};
    size_t length = sizeof(XSD) - 1;
    if (type.len <= length || memcmp(type.ptr, XSD, length) != 0)
        return;
    type = (xy_str){type.ptr + length, type.len - length};
    if (is_one_of(type, integers) && read_integer(value->text, &value->integer)) {
        value->type = XY_INT;
    } else if (is_one_of(type, numbers) && json_kind(json_check(value->text)) == '0') {
        value->type = XY_NUMBER;
        value->number = json_number(value->text, 0);
    } else if (is_one_of(type, (const char *const[]){"boolean", NULL})) {
        value->integer = is_one_of(value->text, (const char *const[]){"true", "1", NULL});
        value->type = XY_BOOL;
    }
}

static xy_str decode(xy_job *job, xy_str string)
{
    char *text = job->api->alloc(job, string.len + 1);
    return text ? (xy_str){text, json_decode(string, text)} : (xy_str){NULL, 0};
}

/* The next variable that the row binds, and its value; false when there is no more. XY_NULL: memory
 * is short. */
static bool next_value(xy_job *job, xy_str row, struct json_cursor *cursor, xy_str *name,
                       xy_value *value)
{
    static const char *const members[] = {"type", "value", "datatype"};
    xy_str key, binding, parts[3];
    if (!json_next(row, cursor, &key, &binding))
        return false;
    json_members(binding, members, parts, 3);
    *name = decode(job, (xy_str){key.ptr - 1, key.len + 2});
    *value = (xy_value){.type = XY_TEXT, .text = decode(job, parts[1])};
    if (!name->ptr || !value->text.ptr)
        value->type = XY_NULL;
    else if (!json_is(parts[0], "uri") && parts[2].ptr)
        read_typed(decode(job, parts[2]), value);
    return true;
}

int sparql_set_row(xy_job *job, xy_record *record, xy_str row)
{
    struct json_cursor cursor = {0};
    xy_str name;
    xy_value value;
    while (next_value(job, row, &cursor, &name, &value)) {
        if (value.type == XY_NULL)
            return XY_ENOMEM;
        int code = record->api->set(record, name.ptr, &value);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

bool sparql_add_row(xy_job *job, xy_str row, struct text *out)
{
    struct json_cursor cursor = {0};
    xy_str name;
    xy_value value;
    bool first = true;
    text_add_literal(out, "{");
    for (; next_value(job, row, &cursor, &name, &value); first = false) {
        if (value.type == XY_NULL)
            return false;
        text_add_literal(out, first ? "" : ",");
        text_add_json(out, name);
        text_add_literal(out, ":");
        json_value_add(out, &value);
    }
    text_add_literal(out, "}");
    return !out->failed;
}
