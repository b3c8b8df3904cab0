/* SPDX-License-Identifier: Apache-2.0 */
/* Two forms. That of Argilla 2 has, by question, `suggestions: {label: {value}}` and `responses:
 * {label: [{value, user_id}]}`; that of its server and of Argilla 1 has lists, `suggestions:
 * [{question_name, value}]` and `responses: [{user_id, status, values: {label: {value}}}]`. */
#include <stdlib.h>

#include "argilla.h"

struct reader {
    struct json_file file;
    xy_str record;      /* whose answers are being read */
    xy_str *users;      /* of Argilla 2's form: who answered, each once; {NULL, 0}: not named */
    size_t user_count, user_room;
    size_t next, answers; /* how many there are */
};

void argilla_read_close(const void *state, void *cursor)
{
    struct reader *reader = cursor;
    (void)state;
    if (!reader)
        return;
    json_file_free(&reader->file);
    free(reader->users);
    free(reader);
}

int argilla_read_open(const void *state, xy_job *job, const char *path, void **cursor)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    int code = json_file_open(&reader->file, job, path);
    if (code < 0) {
        argilla_read_close(state, reader);
        return code;
    }
    *cursor = reader;
    return XY_OK;
}

static int set(const struct reader *reader, xy_record *out, const char *name, xy_str value)
{
    return json_file_set_named(out, name, value, reader->file.scratch);
}

static int set_members(struct reader *reader, xy_str object, xy_record *out)
{
    struct json_cursor at = {0};
    xy_str key, value;
    int code = XY_OK;
    while (code >= 0 && json_kind(object) == '{' && json_next(object, &at, &key, &value))
        code = json_file_set(out, key, value, reader->file.scratch);
    return code;
}

/* ---- suggestions ----------------------------------------------------------------------------- */

static xy_str find_suggestion(xy_str suggestions, const char *question)
{
    struct json_cursor at = {0};
    xy_str key, item;
    if (json_kind(suggestions) == '{')
        return json_member(suggestions, question);
    while (json_kind(suggestions) == '[' && json_next(suggestions, &at, &key, &item))
        if (json_is(json_member(item, "question_name"), question))
            return item;
    return (xy_str){NULL, 0};
}

static int set_suggestion(const struct argilla *options, struct reader *reader, xy_record *out)
{
    xy_str suggestions = json_member(reader->record, "suggestions");
    xy_str found = find_suggestion(suggestions, options->names.label);
    int code = set(reader, out, options->names.suggestion, json_member(found, "value"));
    if (code >= 0 && options->names.score)
        code = set(reader, out, options->names.score, json_member(found, "score"));
    return code;
}

/* ---- responses ------------------------------------------------------------------------------- */

static bool same(xy_str a, xy_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static int add_user(struct reader *reader, xy_str user)
{
    for (size_t i = 0; i < reader->user_count; i++)
        if (same(reader->users[i], user))
            return XY_OK;
    if (reader->user_count == reader->user_room) {
        size_t room = reader->user_room ? 2 * reader->user_room : 8;
        xy_str *larger = realloc(reader->users, room * sizeof(*larger));
        if (!larger)
            return XY_ENOMEM;
        reader->users = larger;
        reader->user_room = room;
    }
    reader->users[reader->user_count++] = user;
    return XY_OK;
}

static int find_users(struct reader *reader, xy_str responses)
{
    struct json_cursor question = {0};
    xy_str key, list, answer;
    reader->user_count = 0;
    while (json_next(responses, &question, &key, &list)) {
        struct json_cursor at = {0};
        while (json_kind(list) == '[' && json_next(list, &at, &key, &answer))
            if (add_user(reader, json_member(answer, "user_id")) < 0)
                return XY_ENOMEM;
    }
    return XY_OK;
}

static int next_record(struct reader *reader, xy_job *job)
{
    int code = json_file_next(&reader->file, job, &reader->record);
    if (code != XY_OK)
        return code;
    xy_str responses = json_member(reader->record, "responses");
    if (json_kind(json_member(reader->record, "fields")) != '{')
        return json_file_fail(&reader->file, job, "expected a record of Argilla, with `fields`");
    reader->next = reader->answers = reader->user_count = 0;
    if (json_kind(responses) == '[')
        reader->answers = json_count(responses);
    else if (json_kind(responses) == '{')
        code = find_users(reader, responses);
    if (reader->user_count)
        reader->answers = reader->user_count;
    return code < 0 ? xy_fail(job, code, "out of memory") : XY_OK;
}

static int set_status(xy_record *out, xy_str status)
{
    const xy_value yes = {.type = XY_BOOL, .integer = 1};
    return json_is(status, "discarded") ? out->api->set(out, "discard", &yes) : XY_OK;
}

/* All that one user said, question by question. */
static int set_user(struct reader *reader, xy_str user, xy_record *out)
{
    xy_str responses = json_member(reader->record, "responses"), name, list, key, answer;
    struct json_cursor question = {0};
    int code = set(reader, out, "annotator", user);
    while (code >= 0 && json_next(responses, &question, &name, &list)) {
        struct json_cursor at = {0};
        while (code >= 0 && json_kind(list) == '[' && json_next(list, &at, &key, &answer)) {
            if (!same(json_member(answer, "user_id"), user))
                continue;
            code = set_status(out, json_member(answer, "status"));
            if (code >= 0)
                code = json_file_set(out, name, json_member(answer, "value"),
                                     reader->file.scratch);
        }
    }
    return code;
}

/* A response of the other form; a draft is no answer yet. */
static int set_response(struct reader *reader, xy_str response, xy_record *out)
{
    struct json_cursor at = {0};
    xy_str key, value, time = json_member(response, "updated_at");
    if (json_is(json_member(response, "status"), "draft"))
        return XY_OK;
    int code = set(reader, out, "annotator", json_member(response, "user_id"));
    if (code >= 0)
        code = set_status(out, json_member(response, "status"));
    if (code >= 0)
        code = set(reader, out, "time", time);
    while (code >= 0 && json_next(json_member(response, "values"), &at, &key, &value))
        code = json_file_set(out, key, json_member(value, "value"), reader->file.scratch);
    return code;
}

static int set_answer(struct reader *reader, size_t index, xy_record *out)
{
    struct json_cursor at = {0};
    xy_str responses = json_member(reader->record, "responses"), key, response = {NULL, 0};
    if (reader->user_count)
        return set_user(reader, reader->users[index], out);
    for (size_t i = 0; i <= index; i++)
        json_next(responses, &at, &key, &response);
    return set_response(reader, response, out);
}

int argilla_read_next(const void *state, xy_job *job, void *cursor, xy_record *out)
{
    struct reader *reader = cursor;
    bool fresh = false;
    if (!reader->record.ptr || reader->next >= reader->answers) {
        int code = next_record(reader, job);
        if (code != XY_OK)
            return code;
        fresh = true;
    }
    xy_str id = json_member(reader->record, "external_id");
    if (!json_kind(id) || json_kind(id) == 'n')
        id = json_member(reader->record, "id");
    int code = set(reader, out, "id", id);
    if (code >= 0)
        code = set_members(reader, json_member(reader->record, "fields"), out);
    if (code >= 0)
        code = set_members(reader, json_member(reader->record, "metadata"), out);
    if (code >= 0)
        code = set_suggestion(state, reader, out);
    if (code >= 0 && !(fresh && reader->answers == 0))
        code = set_answer(reader, reader->next++, out);
    return code < 0 ? json_file_fail(&reader->file, job, "a value of this record cannot be kept: a "
                                     "name that is empty or longer than 127 bytes, or a key twice")
                    : XY_OK;
}
