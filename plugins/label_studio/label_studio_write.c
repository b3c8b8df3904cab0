/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "label_studio.h"

struct writer {
    struct answers_list list;
    struct text id;            /* of the task that is open, to which more annotations may come */
    struct text task, annotations;
    bool open;
};

int label_studio_write_open(const void *state, xy_job *job, const char *const *fields,
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

/* What a person answered stands in the task's annotations, not in its data. */
static bool is_answer(const struct label_studio *options, const char *name)
{
    return strcmp(name, "lead_time") == 0 || answers_has(&options->names, name);
}

static void add_field(struct text *out, const xy_record *record, const char *name)
{
    xy_value value = {.type = XY_NULL};
    if (record->api->get(record, name, &value) == XY_NULL)
        return;
    text_add_literal(out, out->bytes[out->length - 1] == '{' ? "" : ",");
    text_add_json(out, xy_text(name));
    text_add_literal(out, ":");
    json_value_add(out, &value);
}

static void add_data(const struct label_studio *options, const struct writer *writer,
                     struct text *out, const xy_record *record)
{
    const char *name;
    text_add_literal(out, "{\"data\":{");
    for (size_t i = 0; !out->failed; i++) {
        name = answers_list_field(&writer->list, record, i);
        if (!name)
            break;
        if (!is_answer(options, name))
            add_field(out, record, name);
    }
    text_add_literal(out, "}");
}

static void add_result(struct text *out, const struct label_studio *options,
                       const xy_record *record, const char *name, const xy_value *value,
                       bool area)
{
    char id[24];
    snprintf(id, sizeof(id), "%016llx", (unsigned long long)record->api->id(record));
    text_add_literal(out, "{\"id\":\"");
    text_add_literal(out, id);
    text_add_literal(out, area ? "r\",\"from_name\":" : "\",\"from_name\":");
    text_add_json(out, xy_text(name));
    text_add_literal(out, ",\"to_name\":");
    text_add_json(out, xy_text(options->text));
    text_add_literal(out, area ? ",\"type\":\"textarea\",\"value\":{\"text\":["
                               : ",\"type\":\"choices\",\"value\":{\"choices\":");
    struct text json = {0};
    json_value_add(&json, value);
    xy_str written = {json.bytes, json.length};
    bool list = value->type == XY_JSON && json_kind(written) == '[';
    text_add_literal(out, list || area ? "" : "[");
    /* Choices are texts, also 1 and true. */
    if (list || value->type == XY_TEXT)
        text_add_str(out, written);
    else
        text_add_json(out, written);
    text_add_literal(out, list && !area ? "}}" : "]}}");
    out->failed = out->failed || json.failed;
    text_free(&json);
}

static void add_predictions(const struct label_studio *options, struct text *out,
                            const xy_record *record)
{
    xy_value value, score;
    if (!answers_get(record, options->names.suggestion, &value))
        return;
    text_add_literal(out, ",\"predictions\":[{\"model_version\":");
    text_add_json(out, xy_text(options->model_version));
    if (options->names.score && answers_get(record, options->names.score, &score)) {
        text_add_literal(out, ",\"score\":");
        json_value_add(out, &score);
    }
    text_add_literal(out, ",\"result\":[");
    add_result(out, options, record, options->names.label, &value, false);
    text_add_literal(out, "]}]");
}

/* Label Studio knows people by number or by e-mail address; any other name goes where it shows
 * one. */
static bool is_user_number(const xy_value *value)
{
    if (value->type != XY_TEXT)
        return value->type == XY_INT;
    xy_str text = value->text;
    bool plain = text.len < 10 && (text.ptr[0] != '0' || text.len == 1);
    for (size_t i = 0; i < text.len; i++)
        plain = plain && text.ptr[i] >= '0' && text.ptr[i] <= '9';
    return plain;
}

static void add_annotator(struct text *out, const xy_record *record)
{
    xy_value value;
    if (!answers_get(record, "annotator", &value))
        return;
    bool number = is_user_number(&value);
    bool address = value.type == XY_TEXT && memchr(value.text.ptr, '@', value.text.len);
    text_add_literal(out, number    ? ",\"completed_by\":"
                          : address ? ",\"completed_by\":{\"email\":"
                                    : ",\"created_username\":");
    if (number && value.type == XY_TEXT)
        text_add_str(out, value.text);
    else
        json_value_add(out, &value);
    text_add_literal(out, address && !number ? "}" : "");
}

static void add_annotation(const struct label_studio *options, struct text *out,
                           const xy_record *record)
{
    xy_value label, revision, time;
    bool labelled = answers_label(&options->names, record, &label);
    bool discarded = answers_discarded(record);
    if (!labelled && !discarded)
        return;
    text_add_literal(out, out->length ? ",{\"result\":[" : "{\"result\":[");
    if (labelled)
        add_result(out, options, record, options->names.label, &label, false);
    if (answers_get(record, options->names.revision, &revision) && revision.type == XY_TEXT) {
        text_add_literal(out, labelled ? "," : "");
        add_result(out, options, record, options->names.revision, &revision, true);
    }
    text_add_literal(out, discarded ? "],\"was_cancelled\":true" : "],\"was_cancelled\":false");
    add_annotator(out, record);
    if (answers_get(record, "time", &time) && time.type == XY_TEXT) {
        text_add_literal(out, ",\"created_at\":");
        text_add_json(out, time.text);
    }
    if (answers_get(record, "lead_time", &time)) {
        text_add_literal(out, ",\"lead_time\":");
        json_value_add(out, &time);
    }
    text_add_literal(out, "}");
}

static int end_task(struct writer *writer, xy_job *job)
{
    if (!writer->open)
        return XY_OK;
    writer->open = false;
    if (writer->annotations.length) {
        text_add_literal(&writer->task, ",\"annotations\":[");
        text_add(&writer->task, writer->annotations.bytes, writer->annotations.length);
        text_add_literal(&writer->task, "]");
    }
    text_add_literal(&writer->task, "}");
    if (writer->task.failed || writer->annotations.failed || writer->id.failed)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return answers_list_add(&writer->list, (xy_str){writer->task.bytes, writer->task.length});
}

/* Is it one more answer for the task that is open? */
static bool continues(const struct writer *writer, const xy_record *record)
{
    xy_str id = xy_record_text(record, "id");
    return writer->open && id.len && id.len == writer->id.length &&
           memcmp(id.ptr, writer->id.bytes, id.len) == 0;
}

int label_studio_write_next(const void *state, xy_job *job, void *cursor, const xy_record *record)
{
    const struct label_studio *options = state;
    struct writer *writer = cursor;
    if (!continues(writer, record)) {
        int code = end_task(writer, job);
        if (code < 0)
            return code;
        text_clear(&writer->id);
        text_clear(&writer->task);
        text_clear(&writer->annotations);
        text_add_str(&writer->id, xy_record_text(record, "id"));
        add_data(options, writer, &writer->task, record);
        add_predictions(options, &writer->task, record);
        writer->open = true;
    }
    add_annotation(options, &writer->annotations, record);
    return writer->annotations.failed ? xy_fail(job, XY_ENOMEM, "out of memory") : XY_OK;
}

int label_studio_write_close(const void *state, xy_job *job, void *cursor)
{
    struct writer *writer = cursor;
    (void)state;
    int code = end_task(writer, job);
    if (code >= 0)
        code = answers_list_end(&writer->list);
    text_free(&writer->id);
    text_free(&writer->task);
    text_free(&writer->annotations);
    free(writer);
    return code;
}
