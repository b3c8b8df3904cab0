/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that steps read tell of fields: their names, and values such as they have. */
#include <stdlib.h>
#include <string.h>

#include "fields_internal.h"
#include "files.h"
#include "instance.h"
#include "job.h"

enum { BYTES = 8 << 20 };

static void keep_value(struct reading *reading, const char *name, size_t bytes, struct value value)
{
    if (reading->value_count == reading->value_room) {
        reading->value_room = reading->value_room * 2 + 64;
        reading->values = memory_resize(reading->values, reading->value_room,
                                        sizeof(*reading->values));
    }
    reading->values[reading->value_count] =
        (struct read_value){name, bytes, reading->value_count, value};
    reading->value_count++;
}

static int by_name_and_length(const void *a, const void *b)
{
    const struct read_value *one = a, *other = b;
    int names = strcmp(one->name, other->name);
    if (names)
        return names;
    if (one->bytes != other->bytes)
        return one->bytes < other->bytes ? -1 : 1;
    return one->order < other->order ? -1 : 1;
}

/* Of each field the values in the middle of as many equal parts, from the short to the long: their
 * mean length is about that of all, where the first ones' need not be. */
static void choose_values(struct reading *reading)
{
    struct read_value *values = reading->values;
    size_t count = reading->value_count;
    if (count)
        qsort(values, count, sizeof(*values), by_name_and_length);
    for (size_t first = 0, end; first < count; first = end) {
        end = first + 1;
        while (end < count && strcmp(values[end].name, values[first].name) == 0)
            end++;
        size_t all = end - first, draws = all < FIELDS_DRAWS ? all : FIELDS_DRAWS;
        for (size_t i = 0; i < draws; i++)
            fields_add_value(reading->fields, values[first].name, reading->step,
                      values[first + (2 * i + 1) * all / (2 * draws)].value);
    }
    free(values);
    reading->values = NULL;
}

static void take_record(struct reading *reading, struct record *record)
{
    struct fields *fields = reading->fields;
    bool listed = reading->listed < FIELDS_DRAWS;
    size_t room = listed ? record->field_count : 0, count = 0;
    struct member *members = arena_alloc(&fields->arena, (room + 1) * sizeof(*members));
    for (size_t i = 0; i < record->field_count; i++) {
        const char *name = record->fields[i].name;
        struct value value;
        reading->bytes += record->fields[i].value.text.len;
        if (!record_value(record, &fields->arena, str_of(name), &value))
            continue;
        keep_value(reading, name, record->fields[i].value.text.len, value);
        if (count < room)
            members[count++] = (struct member){str_of(name), value};
    }
    if (listed)
        reading->list[reading->listed++] = (struct value){.type = VALUE_MAP,
                                                          .map = {members, count}};
    fields->records = memory_resize(fields->records, fields->record_count + 1,
                                    sizeof(struct record *));
    fields->records[fields->record_count++] = record;
}

static int read_all(struct reading *reading, struct instance *instance, const char *path)
{
    const xy_format *format = &instance_type(instance)->format;
    const void *state = instance_state(instance);
    struct job *job = job_create(instance, NULL, 0);
    void *cursor = NULL;
    int code = format->read_open(state, &job->base, path, &cursor);
    bool opened = code >= 0;
    for (uint64_t i = 0; code == XY_OK && i < FIELDS_RECORDS && reading->bytes < BYTES; i++) {
        struct record *record = record_create(i);
        code = format->read_next(state, &job->base, cursor, &record->base);
        if (code == XY_OK)
            take_record(reading, record);
        else
            record_destroy(record);
    }
    if (opened)
        format->read_close(state, cursor);
    job_destroy(job);
    return code;
}

bool fields_read_file(struct reading *reading, const char *path, const char *format_name,
                         const struct node *with)
{
    struct error error = {0};
    struct registry *registry = reading->fields->pipeline->registry;
    struct services services = {.registry = registry};
    const struct stage_type *type = files_format(registry, path, format_name, &error);
    if (!type || !type->format.read_open)
        return false;
    struct instance *instance = instance_create(&services, type, type->stage.id, with, with, NULL,
                                                NULL, NULL, &error);
    int code = instance ? read_all(reading, instance, path) : error.code;
    choose_values(reading);
    instance_close(instance);
    return code == XY_END;
}
