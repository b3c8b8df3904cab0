/* SPDX-License-Identifier: Apache-2.0 */
/* record_json.c - a record's fields as values of templates and as JSON, and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "record_internal.h"

int record_set_tree(struct record *record, const char *field, const struct value *value)
{
    xy_value flat = {0};
    struct buffer json;
    buffer_init(&json, SIZE_MAX / 2);
    switch (value->type) {
    case VALUE_NULL: flat.type = XY_NULL; break;
    case VALUE_BOOL:
        flat.type = XY_BOOL;
        flat.integer = value->boolean;
        break;
    case VALUE_INT:
        flat.type = XY_INT;
        flat.integer = value->integer;
        break;
    case VALUE_NUMBER:
        flat.type = XY_NUMBER;
        flat.number = value->number;
        break;
    case VALUE_TEXT:
        flat.type = XY_TEXT;
        flat.text = value->text;
        break;
    case VALUE_LIST:
    case VALUE_MAP:
        flat.type = XY_JSON;
        json_write(&json, value);
        flat.text = buffer_str(&json);
        break;
    }
    int rc = record_set(record, field, &flat);
    buffer_free(&json);
    return rc;
}

static struct value vector_value(const xy_value *flat, struct arena *arena)
{
    struct value *items = arena_alloc(arena, flat->length * sizeof(*items));
    for (uint32_t i = 0; i < flat->length; i++)
        items[i] = value_number((double)flat->vector[i]);
    return (struct value){.type = VALUE_LIST, .list = {items, flat->length}};
}

bool record_value(const struct record *record, struct arena *arena, xy_str field,
                  struct value *out)
{
    const xy_value *flat = NULL;
    for (uint32_t i = 0; i < record->field_count && !flat; i++) {
        const char *name = record->fields[i].name;
        if (strncmp(name, field.ptr, field.len) == 0 && name[field.len] == '\0')
            flat = &record->fields[i].value;
    }
    if (!flat)
        return false;
    struct error error;
    switch (flat->type) {
    case XY_TEXT: *out = value_text(flat->text); return true;
    case XY_INT: *out = value_int(flat->integer); return true;
    case XY_NUMBER: *out = value_number(flat->number); return true;
    case XY_BOOL: *out = value_bool(flat->integer != 0); return true;
    case XY_JSON: return json_parse(arena, flat->text, out, &error) == 0;
    case XY_VECTOR: *out = vector_value(flat, arena); return true;
    default: return false;
    }
}

/* The shortest decimal that reads back as this float: the digits a double needs would suggest a
 * precision that is not there, and cost twice the bytes. */
static void write_float(struct buffer *out, float number)
{
    double shortest = (double)number;
    for (int digits = 6; digits <= 9; digits++) {
        char text[32];
        snprintf(text, sizeof(text), "%.*g", digits, (double)number);
        shortest = strtod(text, NULL); /* the locale of the line above, whichever it is */
        if ((float)shortest == number)
            break;
    }
    json_write_number(out, shortest);
}

/* Valid JSON has raw line ends only between tokens; they would break a file of JSON lines. */
static void write_json_text(struct buffer *out, xy_str json)
{
    size_t from = 0;
    for (size_t i = 0; i < json.len; i++) {
        if (json.ptr[i] != '\n' && json.ptr[i] != '\r')
            continue;
        buffer_append(out, json.ptr + from, i - from);
        from = i + 1;
    }
    buffer_append(out, json.ptr + from, json.len - from);
}

static void write_field(struct buffer *out, const char *name, const xy_value *value)
{
    json_write_text(out, str_of(name));
    buffer_append_char(out, ':');
    switch (value->type) {
    case XY_TEXT: json_write_text(out, value->text); break;
    case XY_INT: buffer_printf(out, "%lld", (long long)value->integer); break;
    case XY_NUMBER: json_write_number(out, value->number); break;
    case XY_BOOL: buffer_append_text(out, value->integer ? "true" : "false"); break;
    case XY_JSON: write_json_text(out, value->text); break;
    case XY_VECTOR:
        buffer_append_char(out, '[');
        for (uint32_t i = 0; i < value->length; i++) {
            if (i)
                buffer_append_char(out, ',');
            write_float(out, value->vector[i]);
        }
        buffer_append_char(out, ']');
        break;
    default: buffer_append_text(out, "null"); break;
    }
}

void record_write_json(const struct record *record, const char *const *fields, bool vectors,
                       struct buffer *out)
{
    bool first = true;
    buffer_append_char(out, '{');
    for (size_t i = 0; fields ? fields[i] != NULL : i < record->field_count; i++) {
        const char *name = fields ? fields[i] : record->fields[i].name;
        xy_value value;
        int type = record_get(record, name, &value);
        if (type == XY_NULL || (type == XY_VECTOR && !vectors))
            continue;
        if (!first)
            buffer_append_char(out, ',');
        first = false;
        write_field(out, name, &value);
    }
    buffer_append_char(out, '}');
}
