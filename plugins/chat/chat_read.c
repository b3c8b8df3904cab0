/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "chat.h"

struct reader {
    FILE *file;
    char *path, *line, *scratch;
    size_t capacity, scratch_size;
    uint64_t number;
};

void chat_read_close(const void *state, void *cursor)
{
    struct reader *reader = cursor;
    (void)state;
    if (!reader)
        return;
    if (reader->file)
        fclose(reader->file);
    free(reader->path);
    free(reader->line);
    free(reader->scratch);
    free(reader);
}

int chat_read_open(const void *state, xy_job *job, const char *path, void **cursor)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    reader->path = strdup(path);
    reader->file = fopen(path, "re");
    if (!reader->path || !reader->file) {
        int code = xy_fail(job, XY_EIO, "cannot read `%s`: %s", path, strerror(errno));
        chat_read_close(state, reader);
        return code;
    }
    *cursor = reader;
    return XY_OK;
}

static int bad_line(xy_job *job, const struct reader *reader, const char *what)
{
    return xy_fail(job, XY_EINVAL, "%s:%llu: %s", reader->path,
                   (unsigned long long)reader->number, what);
}

/* The next line that is not empty, with room for its longest string in `scratch`. 1, 0 at the
 * end. */
static int next_line(struct reader *reader, xy_job *job, xy_str *line)
{
    do {
        ssize_t length = getline(&reader->line, &reader->capacity, reader->file);
        reader->number++;
        if (length < 0)
            return ferror(reader->file) ? bad_line(job, reader, strerror(errno)) : 0;
        *line = (xy_str){reader->line, (size_t)length};
        if (reader->number == 1 && length >= 3 && memcmp(line->ptr, "\xef\xbb\xbf", 3) == 0)
            *line = (xy_str){line->ptr + 3, line->len - 3};
    } while (strspn(line->ptr, " \t\r\n") == line->len);
    if (line->len + 1 > reader->scratch_size) {
        char *larger = realloc(reader->scratch, line->len * 2);
        if (!larger)
            return xy_fail(job, XY_ENOMEM, "out of memory");
        reader->scratch = larger;
        reader->scratch_size = line->len * 2;
    }
    return 1;
}

static const char *field_of(const struct chat *chat, xy_str role)
{
    if (json_is(role, "system") || json_is(role, "developer"))
        return chat->system;
    if (json_is(role, "user"))
        return chat->user;
    return json_is(role, "assistant") ? chat->assistant : NULL;
}

/* One message for each role at most: what three fields can hold. */
static int split(const struct chat *chat, xy_job *job, struct reader *reader, xy_str messages,
                 xy_record *out)
{
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, item = {NULL, 0};
    while (json_next(messages, &at, &key, &item)) {
        const char *field = field_of(chat, json_member(item, "role"));
        xy_str content = json_member(item, "content");
        if (!field || json_kind(content) != '"' || out->api->get(out, field, NULL) != XY_NULL)
            return bad_line(job, reader, "more than one message of a role, another role, or a "
                            "content that is no text: read it whole by the option `messages`");
        xy_str text = {reader->scratch, json_decode(content, reader->scratch)};
        if (xy_record_set_text(out, field, text) < 0)
            return bad_line(job, reader, "a message cannot be kept");
    }
    return XY_OK;
}

static int read_others(const struct chat *chat, xy_job *job, struct reader *reader, xy_str object,
                       xy_record *out)
{
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, item = {NULL, 0};
    while (json_next(object, &at, &key, &item)) {
        char name[128];
        xy_str quoted = {key.ptr - 1, key.len + 2};
        if (json_is(quoted, "messages"))
            continue;
        if (key.len + 1 > sizeof(name))
            return bad_line(job, reader, "a field's name is longer than 127 bytes");
        json_decode(quoted, name);
        if (chat->with_weight && strcmp(name, "_weight") == 0) {
            if (out->api->set_weight(out, json_number(item, -1)) < 0)
                return bad_line(job, reader, "`_weight` is no finite number of at least 0");
            continue;
        }
        xy_value value;
        json_value_read(item, reader->scratch, &value);
        if (value.type != XY_NULL && out->api->set(out, name, &value) < 0)
            return bad_line(job, reader, "a field's name is empty, or its value cannot be kept");
    }
    return XY_OK;
}

int chat_read_next(const void *state, xy_job *job, void *cursor, xy_record *out)
{
    const struct chat *chat = state;
    struct reader *reader = cursor;
    xy_str line = {NULL, 0};
    int got = next_line(reader, job, &line);
    if (got <= 0)
        return got < 0 ? got : XY_END;
    xy_str object = json_check(line), messages = json_member(object, "messages");
    if (json_kind(object) != '{' || !messages.ptr)
        return bad_line(job, reader, "expected a JSON object with a member `messages`");
    const char *fault = chat_find_fault(messages);
    if (fault)
        return bad_line(job, reader, fault);
    if (!chat->messages) {
        int code = split(chat, job, reader, messages, out);
        return code < 0 ? code : read_others(chat, job, reader, object, out);
    }
    if (xy_record_set_json(out, chat->messages, messages) < 0)
        return bad_line(job, reader, "the messages cannot be kept: does a key come twice?");
    return read_others(chat, job, reader, object, out);
}
