/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "chat.h"

struct writer {
    xy_output *output;
    const char *const *fields; /* of the pipeline file: kept too */
    struct text line;
};

int chat_write_open(const void *state, xy_job *job, const char *const *fields, xy_output *output,
                    void **cursor)
{
    (void)state;
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    writer->output = output;
    writer->fields = fields;
    *cursor = writer;
    return XY_OK;
}

/* A text as it is; any other value as the JSON that stands for it. False when it is absent. */
static bool add_message(struct text *line, const xy_record *record, const char *role,
                        const char *field, bool first)
{
    xy_value value = {.type = XY_NULL};
    if (record->api->get(record, field, &value) == XY_NULL)
        return false;
    text_add_literal(line, first ? "{\"role\":\"" : ",{\"role\":\"");
    text_add_literal(line, role);
    text_add_literal(line, "\",\"content\":");
    if (value.type == XY_TEXT) {
        text_add_json(line, value.text);
    } else {
        struct text json = {0};
        json_value_add(&json, &value);
        text_add_json(line, (xy_str){json.bytes, json.length});
        line->failed = line->failed || json.failed;
        text_free(&json);
    }
    text_add_literal(line, "}");
    return true;
}

static int add_fields(const struct chat *chat, xy_job *job, struct text *line,
                      const xy_record *record)
{
    text_add_literal(line, "[");
    bool system = add_message(line, record, "system", chat->system, true);
    const char *missing = NULL;
    if (!add_message(line, record, "user", chat->user, !system))
        missing = chat->user;
    else if (!add_message(line, record, "assistant", chat->assistant, false))
        missing = chat->assistant;
    text_add_literal(line, "]");
    if (missing)
        return xy_fail(job, XY_EINVAL, "record %016llx has no field `%s`; name the fields of the "
                       "conversation with `user` and `assistant`, or give `messages`",
                       (unsigned long long)record->api->id(record), missing);
    return XY_OK;
}

static int add_list(const struct chat *chat, xy_job *job, struct text *line,
                    const xy_record *record)
{
    xy_value value = {.type = XY_NULL};
    record->api->get(record, chat->messages, &value);
    const char *fault = "it is no JSON list";
    if (value.type == XY_JSON)
        fault = chat_find_fault(value.text);
    if (fault)
        return xy_fail(job, XY_EINVAL, "record %016llx, field `%s`: %s",
                       (unsigned long long)record->api->id(record), chat->messages, fault);
    text_add_str(line, value.text);
    return XY_OK;
}

static void add_kept(struct text *line, const xy_record *record, const char *const *names)
{
    for (size_t i = 0; names && names[i]; i++) {
        xy_value value = {.type = XY_NULL};
        record->api->get(record, names[i], &value);
        text_add_literal(line, ",");
        text_add_json(line, xy_text(names[i]));
        text_add_literal(line, ":");
        json_value_add(line, &value);
    }
}

int chat_write_next(const void *state, xy_job *job, void *cursor, const xy_record *record)
{
    const struct chat *chat = state;
    struct writer *writer = cursor;
    text_clear(&writer->line);
    text_add_literal(&writer->line, "{\"messages\":");
    int code = chat->messages ? add_list(chat, job, &writer->line, record)
                              : add_fields(chat, job, &writer->line, record);
    if (code < 0)
        return code;
    add_kept(&writer->line, record, chat->keep ? chat->keep : writer->fields);
    if (chat->with_weight) {
        text_add_literal(&writer->line, ",\"_weight\":");
        text_add_number(&writer->line, record->api->weight(record));
    }
    text_add_literal(&writer->line, "}\n");
    if (writer->line.failed)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return writer->output->api->append(writer->output, writer->line.bytes, writer->line.length);
}

int chat_write_close(const void *state, xy_job *job, void *cursor)
{
    struct writer *writer = cursor;
    (void)state;
    (void)job;
    text_free(&writer->line);
    free(writer);
    return XY_OK;
}
