/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

static bool is(const char *name, const char *other)
{
    return other && strcmp(name, other) == 0;
}

bool answers_has(const struct answer_fields *fields, const char *name)
{
    static const char *const with_all[] = {"annotator", "time", "discard", "suggestion_shown"};
    for (size_t i = 0; i < sizeof(with_all) / sizeof(*with_all); i++)
        if (is(name, with_all[i]))
            return true;
    return is(name, fields->label) || is(name, fields->revision) || is(name, fields->suggestion) ||
           is(name, fields->score);
}

bool answers_get(const xy_record *record, const char *field, xy_value *value)
{
    *value = (xy_value){.type = XY_NULL};
    int type = record->api->get(record, field, value);
    return type != XY_NULL && !(type == XY_TEXT && value->text.len == 0);
}

bool answers_label(const struct answer_fields *fields, const xy_record *record, xy_value *label)
{
    return !is(fields->label, fields->suggestion) && answers_get(record, fields->label, label);
}

bool answers_discarded(const xy_record *record)
{
    xy_value value;
    if (!answers_get(record, "discard", &value))
        return false;
    if (value.type == XY_TEXT)
        return value.text.len == 4 && memcmp(value.text.ptr, "true", 4) == 0;
    return (value.type == XY_BOOL || value.type == XY_INT) && value.integer != 0;
}

/* ---- a file with a list of objects ----------------------------------------------------------- */

const char *answers_list_field(const struct answers_list *list, const xy_record *record, size_t i)
{
    return list->fields ? list->fields[i] : record->api->field(record, i);
}

int answers_list_add(struct answers_list *list, xy_str object)
{
    int code = list->output->api->append(list->output, list->begun ? ",\n" : "[\n", 2);
    list->begun = true;
    return code < 0 ? code : list->output->api->append(list->output, object.ptr, object.len);
}

int answers_list_end(struct answers_list *list)
{
    return list->output->api->append(list->output, list->begun ? "\n]\n" : "[]\n", 3);
}
