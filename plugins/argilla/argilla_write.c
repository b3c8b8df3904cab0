/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "argilla.h"

struct writer {
    struct answers_list list;
    struct text id, record, answers, revisions;
    bool open;
};

int argilla_write_open(const void *state, xy_job *job, const char *const *fields,
                       xy_output *output, void **cursor)
{
    (void)state;
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    writer->list = (struct answers_list){.output = output, .fields = fields};
    *cursor = writer;
    return XY_OK;
}

static bool is_shown(const struct argilla *options, const char *name)
{
    for (size_t i = 0; options->shown[i]; i++)
        if (strcmp(name, options->shown[i]) == 0)
            return true;
    return false;
}

/* The id, suggestions and responses have places of their own. */
static bool has_a_place(const struct argilla *options, const char *name)
{
    return strcmp(name, "id") == 0 || answers_has(&options->names, name);
}

/* Fields that are shown are texts; metadata are texts, numbers, or lists. */
static void add_value(struct text *out, const xy_value *value, bool as_text)
{
    struct text json = {0};
    json_value_add(&json, value);
    xy_str written = {json.bytes, json.length};
    bool plain = value->type == XY_TEXT ||
                 (!as_text && (value->type == XY_INT || value->type == XY_NUMBER ||
                               (value->type == XY_JSON && json_kind(written) == '[')));
    if (plain)
        text_add_str(out, written);
    else
        text_add_json(out, written);
    out->failed = out->failed || json.failed;
    text_free(&json);
}

static void add_members(const struct argilla *options, const struct writer *writer,
                        struct text *out, const xy_record *record, bool shown)
{
    bool first = true;
    for (size_t i = 0; !out->failed; i++) {
        xy_value value = {.type = XY_NULL};
        const char *name = answers_list_field(&writer->list, record, i);
        if (!name)
            break;
        if (has_a_place(options, name) || is_shown(options, name) != shown ||
            record->api->get(record, name, &value) == XY_NULL)
            continue;
        text_add_literal(out, first ? "" : ",");
        text_add_json(out, xy_text(name));
        text_add_literal(out, ":");
        add_value(out, &value, shown);
        first = false;
    }
}

static void add_suggestion(const struct argilla *options, struct text *out,
                           const xy_record *record)
{
    xy_value value, score;
    if (!answers_get(record, options->names.suggestion, &value))
        return;
    text_add_json(out, xy_text(options->names.label));
    text_add_literal(out, ":{\"value\":");
    add_value(out, &value, value.type != XY_JSON);
    text_add_literal(out, ",\"score\":");
    if (options->names.score && answers_get(record, options->names.score, &score))
        json_value_add(out, &score);
    else
        text_add_literal(out, "null");
    text_add_literal(out, ",\"agent\":");
    text_add_json(out, xy_text(options->agent));
    text_add_literal(out, "}");
}

static void add_response(struct text *out, const xy_record *record, const xy_value *value,
                         bool discarded)
{
    xy_value user;
    text_add_literal(out, out->length ? ",{\"value\":" : "{\"value\":");
    if (value)
        add_value(out, value, value->type != XY_JSON);
    else
        text_add_literal(out, "\"\"");
    text_add_literal(out, ",\"user_id\":");
    if (answers_get(record, "annotator", &user))
        add_value(out, &user, true);
    else
        text_add_literal(out, "null");
    text_add_literal(out, discarded ? ",\"status\":\"discarded\"}" : "}");
}

static void add_answers(const struct argilla *options, struct writer *writer,
                        const xy_record *record)
{
    xy_value label, revision;
    bool labelled = answers_label(&options->names, record, &label);
    bool discarded = answers_discarded(record);
    if (labelled || discarded)
        add_response(&writer->answers, record, labelled ? &label : NULL, discarded);
    if (answers_get(record, options->names.revision, &revision))
        add_response(&writer->revisions, record, &revision, false);
}

static void add_question(struct text *out, const char *name, const struct text *answers, bool first)
{
    text_add_literal(out, first ? "" : ",");
    text_add_json(out, xy_text(name));
    text_add_literal(out, ":[");
    text_add(out, answers->bytes, answers->length);
    text_add_literal(out, "]");
    out->failed = out->failed || answers->failed;
}

static int end_record(const struct argilla *options, struct writer *writer, xy_job *job)
{
    struct text *record = &writer->record;
    if (!writer->open)
        return XY_OK;
    writer->open = false;
    text_add_literal(record, ",\"responses\":{");
    if (writer->answers.length)
        add_question(record, options->names.label, &writer->answers, true);
    if (writer->revisions.length)
        add_question(record, options->names.revision, &writer->revisions, !writer->answers.length);
    text_add_literal(record, "},\"vectors\":{}}");
    if (record->failed || writer->id.failed)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return answers_list_add(&writer->list, (xy_str){record->bytes, record->length});
}

static xy_str id_of(const xy_record *record, char scratch[24])
{
    xy_str id = xy_record_text(record, "id");
    if (id.len)
        return id;
    snprintf(scratch, 24, "%016llx", (unsigned long long)record->api->id(record));
    return xy_text(scratch);
}

int argilla_write_next(const void *state, xy_job *job, void *cursor, const xy_record *record)
{
    const struct argilla *options = state;
    struct writer *writer = cursor;
    char scratch[24];
    xy_str id = id_of(record, scratch);
    bool more = writer->open && id.len == writer->id.length &&
                memcmp(id.ptr, writer->id.bytes, id.len) == 0;
    if (!more) {
        int code = end_record(options, writer, job);
        if (code < 0)
            return code;
        text_clear(&writer->id);
        text_clear(&writer->record);
        text_clear(&writer->answers);
        text_clear(&writer->revisions);
        text_add_str(&writer->id, id);
        text_add_literal(&writer->record, "{\"id\":");
        text_add_json(&writer->record, id);
        text_add_literal(&writer->record, ",\"fields\":{");
        add_members(options, writer, &writer->record, record, true);
        text_add_literal(&writer->record, "},\"metadata\":{");
        add_members(options, writer, &writer->record, record, false);
        text_add_literal(&writer->record, "},\"suggestions\":{");
        add_suggestion(options, &writer->record, record);
        text_add_literal(&writer->record, "}");
        writer->open = true;
    }
    add_answers(options, writer, record);
    return XY_OK;
}

int argilla_write_close(const void *state, xy_job *job, void *cursor)
{
    struct writer *writer = cursor;
    int code = end_record(state, writer, job);
    if (code >= 0)
        code = answers_list_end(&writer->list);
    text_free(&writer->id);
    text_free(&writer->record);
    text_free(&writer->answers);
    text_free(&writer->revisions);
    free(writer);
    return code;
}
