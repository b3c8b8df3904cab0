/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder.h"

#include <stdlib.h>

#include <xxhash.h>

#include "file.h"
#include "json.h"

struct recorder {
    struct file_writer *file;
    struct buffer line;
    uint64_t *seen;     /* hashes of what names each request; open addressing, 0 is free */
    size_t size, count;
    struct error error; /* the first; nothing is written after it */
};

struct recorder *recorder_open(const char *path, struct error *error)
{
    struct file_writer *file = file_writer_open(path, error);
    if (!file)
        return NULL;
    struct recorder *recorder = memory_zeroed(1, sizeof(*recorder));
    recorder->file = file;
    buffer_init(&recorder->line, (size_t)256 << 20);
    return recorder;
}

/* ---- which requests have a line -------------------------------------------------------------- */

static bool seen_add(struct recorder *recorder, uint64_t hash)
{
    if (recorder->count * 2 >= recorder->size) {
        uint64_t *old = recorder->seen;
        size_t old_size = recorder->size;
        recorder->size = old_size ? old_size * 2 : 1024;
        recorder->seen = memory_zeroed(recorder->size, sizeof(*recorder->seen));
        recorder->count = 0;
        for (size_t i = 0; i < old_size; i++) {
            if (old[i])
                seen_add(recorder, old[i]);
        }
        free(old);
    }
    size_t at = hash & (recorder->size - 1);
    while (recorder->seen[at] && recorder->seen[at] != hash)
        at = (at + 1) & (recorder->size - 1);
    if (recorder->seen[at])
        return false;
    recorder->seen[at] = hash;
    recorder->count++;
    return true;
}

/* ---- one line -------------------------------------------------------------------------------- */

/* What `replay` finds the line by: the messages and the sample, or the text to embed. */
static void write_request(struct buffer *out, const xy_request *request)
{
    if (request->operation == XY_EMBED) {
        buffer_append_text(out, "{\"prompt\":");
        json_write_text(out, request->texts[0]);
        return;
    }
    buffer_append_text(out, "{\"messages\":[");
    for (size_t i = 0; i < request->message_count; i++) {
        buffer_append_text(out, i ? ",{\"role\":" : "{\"role\":");
        json_write_text(out, request->messages[i].role);
        buffer_append_text(out, ",\"content\":");
        json_write_text(out, request->messages[i].content);
        buffer_append_char(out, '}');
    }
    buffer_printf(out, "],\"sample\":%u", request->sample);
}

static void write_floats(struct buffer *out, const char *name, const float *values, size_t count)
{
    buffer_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, i ? ",%.9g" : "%.9g", (double)values[i]);
    buffer_append_char(out, ']');
}

static void write_scores(struct buffer *out, const xy_request *request, const xy_reply *reply)
{
    buffer_append_text(out, ",\"scores\":{");
    for (size_t i = 0; i < reply->score_count && i < request->text_count; i++) {
        if (i)
            buffer_append_char(out, ',');
        json_write_text(out, request->texts[i]);
        buffer_append_char(out, ':');
        json_write_number(out, reply->scores[i]);
    }
    buffer_append_char(out, '}');
    if (reply->logprob_count == 0)
        return;
    buffer_append_text(out, ",\"score_tokens\":[");
    for (size_t i = 0; i < reply->score_count; i++)
        buffer_printf(out, i ? ",%u" : "%u", reply->score_tokens[i]);
    buffer_append_char(out, ']');
    write_floats(out, "logprobs", reply->logprobs, reply->logprob_count);
}

static void write_answer(struct buffer *out, const xy_request *request, const xy_reply *reply)
{
    static const char *const finishes[] = {
        [XY_FINISH_LENGTH] = "length", [XY_FINISH_FILTER] = "filter"};
    if (request->operation == XY_EMBED) {
        write_floats(out, "vector", reply->vectors, reply->dimension);
    } else if (request->operation == XY_SCORE) {
        write_scores(out, request, reply);
    } else {
        buffer_append_text(out, ",\"text\":");
        json_write_text(out, reply->text);
        if (reply->finish == XY_FINISH_LENGTH || reply->finish == XY_FINISH_FILTER)
            buffer_printf(out, ",\"finish\":\"%s\"", finishes[reply->finish]);
        if (reply->logprob_count)
            write_floats(out, "logprobs", reply->logprobs, reply->logprob_count);
    }
    if (request->operation != XY_EMBED)
        buffer_printf(out, ",\"prompt_tokens\":%u,\"output_tokens\":%u", reply->prompt_tokens,
                      reply->output_tokens);
    buffer_append_text(out, "}\n");
}

void recorder_add(struct recorder *recorder, const xy_request *request, const xy_reply *reply)
{
    if (recorder->error.code)
        return;
    buffer_clear(&recorder->line);
    write_request(&recorder->line, request);
    xy_str names = buffer_str(&recorder->line);
    uint64_t hash = XXH3_64bits_withSeed(names.ptr, names.len, request->operation);
    for (size_t i = 0; request->operation == XY_SCORE && i < request->text_count; i++)
        hash = XXH3_64bits_withSeed(request->texts[i].ptr, request->texts[i].len, hash);
    if (!seen_add(recorder, hash ? hash : 1))
        return;
    write_answer(&recorder->line, request, reply);
    file_writer_append(recorder->file, recorder->line.bytes, recorder->line.length,
                       &recorder->error);
}

int recorder_close(struct recorder *recorder, struct error *error)
{
    if (!recorder)
        return 0;
    bool good = !recorder->error.code;
    int code = file_writer_close(recorder->file, good, error);
    if (!good)
        *error = recorder->error;
    code = good ? code : recorder->error.code;
    buffer_free(&recorder->line);
    free(recorder->seen);
    free(recorder);
    return code;
}
