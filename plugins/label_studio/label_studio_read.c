/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "label_studio.h"

struct reader {
    struct json_file file;
    xy_str task;             /* whose annotations are being read; {NULL, 0}: the next one is due */
    xy_str annotations;      /* of it; {NULL, 0} when it has none */
    struct json_cursor at;
};

void label_studio_read_close(const void *state, void *cursor)
{
    struct reader *reader = cursor;
    (void)state;
    if (reader)
        json_file_free(&reader->file);
    free(reader);
}

int label_studio_read_open(const void *state, xy_job *job, const char *path, void **cursor)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    int code = json_file_open(&reader->file, job, path);
    if (code < 0) {
        label_studio_read_close(state, reader);
        return code;
    }
    *cursor = reader;
    return XY_OK;
}

static int set(const struct reader *reader, xy_record *out, const char *name, xy_str value)
{
    return json_file_set_named(out, name, value, reader->file.scratch);
}

static int set_members(struct reader *reader, xy_job *job, xy_str object, xy_record *out)
{
    struct json_cursor at = {0};
    xy_str key, value;
    while (json_next(object, &at, &key, &value))
        if (json_file_set(out, key, value, reader->file.scratch) < 0)
            return json_file_fail(&reader->file, job, "a field's name is empty or longer than 127 "
                                  "bytes, or its value has a key twice");
    return XY_OK;
}

/* ---- results --------------------------------------------------------------------------------- */

static bool is_one_of(xy_str string, const char *const *names)
{
    for (; *names; names++)
        if (json_is(string, *names))
            return true;
    return false;
}

/* What a control says of the whole task: of a list with one item, that item. Regions (a span, a
 * box) give {NULL, 0}. */
static xy_str plain_value(xy_str result)
{
    static const char *const plain[] = {"choices", "textarea", "rating", "number", "taxonomy",
                                        "pairwise", "datetime", NULL};
    xy_str type = json_member(result, "type"), value = json_member(result, "value"), key, item;
    if (!is_one_of(type, plain))
        return (xy_str){NULL, 0};
    char name[16];
    json_decode(type, name);
    bool text = strcmp(name, "textarea") == 0, side = strcmp(name, "pairwise") == 0;
    xy_str said = json_member(value, text ? "text" : side ? "selected" : name);
    struct json_cursor at = {0};
    if (json_kind(said) == '[' && json_count(said) == 1 && json_next(said, &at, &key, &item))
        return item;
    return said;
}

/* Regions: a list of all that were drawn with one tool, each a label studio `value`. */
static int set_regions(xy_record *out, const char *name, xy_str results, xy_str from)
{
    struct json_cursor at = {0};
    xy_str key, result;
    struct text list = {0};
    text_add_literal(&list, "[");
    while (json_next(results, &at, &key, &result)) {
        xy_str other = json_member(result, "from_name");
        if (other.len != from.len || memcmp(other.ptr, from.ptr, from.len) != 0)
            continue;
        text_add_literal(&list, list.length > 1 ? "," : "");
        text_add_str(&list, json_member(result, "value"));
    }
    text_add_literal(&list, "]");
    int code = list.failed ? XY_ENOMEM
                           : xy_record_set_json(out, name, (xy_str){list.bytes, list.length});
    text_free(&list);
    return code;
}

static int set_results(struct reader *reader, xy_job *job, xy_str results, xy_record *out)
{
    struct json_cursor at = {0};
    xy_str key, result;
    while (json_next(results, &at, &key, &result)) {
        char name[128];
        xy_str from = json_member(result, "from_name"), value = plain_value(result);
        if (json_kind(from) != '"') /* a relation between regions has no tool */
            continue;
        if (from.len >= sizeof(name) || json_kind(json_member(result, "value")) != '{')
            return json_file_fail(&reader->file, job, "an annotation has a result without `value`, "
                                  "or with a `from_name` of more than 127 bytes");
        json_decode(from, name);
        int code = value.ptr ? set(reader, out, name, value)
                             : set_regions(out, name, results, from);
        if (code < 0)
            return json_file_fail(&reader->file, job, "a result cannot be kept");
    }
    return XY_OK;
}

/* ---- who and when ---------------------------------------------------------------------------- */

/* As text: a user's number, or what stands for a user in an object. */
static int set_annotator(struct reader *reader, xy_str annotation, xy_record *out)
{
    static const char *const names[] = {"email", "username", "id"};
    xy_str by = json_member(annotation, "completed_by");
    for (size_t i = 0; i < 3 && json_kind(by) == '{'; i++)
        if (json_kind(json_member(by, names[i])) && json_kind(json_member(by, names[i])) != 'n')
            by = json_member(by, names[i]);
    if (json_kind(by) == '0')
        return xy_record_set_text(out, "annotator", by);
    if (json_kind(by) != '"')
        by = json_member(annotation, "created_username");
    return set(reader, out, "annotator", by);
}

static int set_annotation(struct reader *reader, xy_job *job, xy_str annotation, xy_record *out)
{
    xy_str time = json_member(annotation, "updated_at");
    const xy_value yes = {.type = XY_BOOL, .integer = 1};
    if (json_kind(time) != '"')
        time = json_member(annotation, "created_at");
    int code = set_results(reader, job, json_member(annotation, "result"), out);
    if (code < 0)
        return code;
    if (json_kind(json_member(annotation, "was_cancelled")) == 't')
        code = out->api->set(out, "discard", &yes);
    if (code >= 0)
        code = set_annotator(reader, annotation, out);
    if (code >= 0)
        code = set(reader, out, "time", time);
    if (code >= 0)
        code = set(reader, out, "lead_time", json_member(annotation, "lead_time"));
    return code < 0 ? json_file_fail(&reader->file, job, "an annotation cannot be kept") : XY_OK;
}

static int set_suggestion(const struct label_studio *options, struct reader *reader, xy_str task,
                          xy_record *out)
{
    struct json_cursor at = {0};
    xy_str key, result, prediction = json_path(task, "predictions.0");
    xy_str results = json_member(prediction, "result");
    while (json_next(results, &at, &key, &result))
        if (json_is(json_member(result, "from_name"), options->names.label) &&
            set(reader, out, options->names.suggestion, plain_value(result)) < 0)
            return XY_EINVAL;
    if (!options->names.score)
        return XY_OK;
    return set(reader, out, options->names.score, json_member(prediction, "score"));
}

/* ---- tasks ----------------------------------------------------------------------------------- */

/* JSON-MIN: no `data`, each annotation an object of its own with the task's fields. */
static int read_plain(struct reader *reader, xy_job *job, xy_str object, xy_record *out)
{
    xy_str time = json_member(object, "updated_at");
    int code = set_members(reader, job, object, out);
    if (code < 0 || json_kind(time) != '"')
        return code;
    return set(reader, out, "time", time);
}

static int next_task(struct reader *reader, xy_job *job)
{
    int code = json_file_next(&reader->file, job, &reader->task);
    if (code != XY_OK)
        return code;
    reader->at = (struct json_cursor){0};
    reader->annotations = json_member(reader->task, "annotations");
    if (!reader->annotations.ptr) /* before version 1.0 */
        reader->annotations = json_member(reader->task, "completions");
    if (json_kind(reader->annotations) != '[' || json_count(reader->annotations) == 0)
        reader->annotations = (xy_str){NULL, 0};
    return XY_OK;
}

/* The next annotation, which stays {NULL, 0} for a task that has none; XY_END after the last. */
static int next_annotation(struct reader *reader, xy_job *job, xy_str *annotation)
{
    xy_str key;
    for (;;) {
        if (reader->task.ptr && json_next(reader->annotations, &reader->at, &key, annotation))
            return XY_OK;
        int code = next_task(reader, job);
        if (code != XY_OK || !reader->annotations.ptr)
            return code;
    }
}

int label_studio_read_next(const void *state, xy_job *job, void *cursor, xy_record *out)
{
    struct reader *reader = cursor;
    xy_str annotation = {NULL, 0};
    int code = next_annotation(reader, job, &annotation);
    if (code != XY_OK)
        return code;
    xy_str data = json_member(reader->task, "data"), id = json_member(reader->task, "id");
    if (json_kind(data) != '{')
        return data.ptr ? json_file_fail(&reader->file, job, "`data` is no object")
                        : read_plain(reader, job, reader->task, out);
    code = set_members(reader, job, data, out);
    if (code == XY_OK && !json_member(data, "id").ptr && json_kind(id) == '0')
        code = xy_record_set_text(out, "id", id);
    if (code == XY_OK && set_suggestion(state, reader, reader->task, out) < 0)
        code = json_file_fail(&reader->file, job, "a prediction cannot be kept");
    if (code >= 0 && annotation.ptr)
        code = set_annotation(reader, job, annotation, out);
    return code < 0 ? code : XY_OK;
}
