/* SPDX-License-Identifier: Apache-2.0 */
#include "replay_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const members[] = {
    "key",      "prompt", "messages", "sample", "text",         "scores",        "vector",
    "finish", "logprobs", "model",  "score_tokens", "prompt_tokens", "output_tokens", NULL};
static const char *const kind_members[] = {NULL, "text", "scores", "vector"};

/* FNV-1a (Fowler, Noll, Vo), 64 bits; never 0, which marks a free place. */
static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_entry(bool by_key, xy_str text, enum answer_kind kind, int64_t sample)
{
    char tail[] = {(char)by_key, (char)kind};
    uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), text.ptr, text.len);
    hash = hash_bytes(hash, tail, sizeof(tail));
    if (!by_key) /* a key has its sample in it */
        hash = hash_bytes(hash, (const char *)&sample, sizeof(sample));
    return hash ? hash : 1;
}

/* Does the raw JSON string say `text`? */
static bool says(xy_str raw, xy_str text)
{
    if (raw.len == text.len + 2 && memcmp(raw.ptr + 1, text.ptr, text.len) == 0)
        return memchr(text.ptr, '\\', text.len) == NULL;
    char *decoded = malloc(raw.len + 1);
    if (!decoded)
        return false;
    size_t length = json_decode(raw, decoded);
    bool same = length == text.len && memcmp(decoded, text.ptr, length) == 0;
    free(decoded);
    return same;
}

static struct entry *place_of(const struct recording *recording, uint64_t hash, bool by_key,
                              xy_str text, enum answer_kind kind, int64_t sample)
{
    size_t mask = recording->size - 1, at = hash & mask;
    for (;; at = (at + 1) & mask) {
        struct entry *entry = &recording->table[at];
        if (entry->hash == 0)
            return entry;
        if (entry->hash == hash && entry->by_key == by_key && entry->kind == kind &&
            (by_key || entry->sample == sample) && says(entry->by, text))
            return entry;
    }
}

const struct entry *recording_find(const struct recording *recording, bool by_key, xy_str text,
                                   enum answer_kind kind, int64_t sample)
{
    int64_t samples[] = {sample, SAMPLE_ANY};
    for (size_t i = 0; i < (by_key ? 1 : 2); i++) {
        uint64_t hash = hash_entry(by_key, text, kind, samples[i]);
        const struct entry *entry = place_of(recording, hash, by_key, text, kind, samples[i]);
        if (entry->hash)
            return entry;
    }
    return NULL;
}

static bool grow(struct recording *recording)
{
    struct recording larger = {.size = recording->size ? recording->size * 2 : 256};
    larger.table = calloc(larger.size, sizeof(*larger.table));
    if (!larger.table)
        return false;
    for (size_t i = 0; i < recording->size; i++) {
        const struct entry *entry = &recording->table[i];
        size_t at = entry->hash & (larger.size - 1);
        while (entry->hash && larger.table[at].hash)
            at = (at + 1) & (larger.size - 1);
        if (entry->hash)
            larger.table[at] = *entry;
    }
    free(recording->table);
    recording->table = larger.table;
    recording->size = larger.size;
    return true;
}

static int add(struct recording *recording, const struct entry *entry, char *error, size_t size)
{
    if (recording->count * 2 >= recording->size && !grow(recording))
        return XY_ENOMEM;
    char *text = malloc(entry->by.len + 1);
    if (!text)
        return XY_ENOMEM;
    xy_str found_by = {text, json_decode(entry->by, text)};
    uint64_t hash = hash_entry(entry->by_key, found_by, entry->kind, entry->sample);
    struct entry *place =
        place_of(recording, hash, entry->by_key, found_by, entry->kind, entry->sample);
    free(text);
    if (place->hash) {
        snprintf(error, size, "line %zu answers the same request as line %zu: keep one of them, or "
                 "tell them apart by \"sample\"", entry->number, place->number);
        return XY_EINVAL;
    }
    *place = *entry;
    place->hash = hash;
    recording->count++;
    return XY_OK;
}

static const char *wrong_member(xy_str line, char *buffer, size_t size)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    while (json_next(line, &cursor, &key, &value)) {
        const char *const *known = members;
        while (*known && (strlen(*known) != key.len || memcmp(*known, key.ptr, key.len) != 0))
            known++;
        if (*known)
            continue;
        snprintf(
            buffer, size,
            "unknown member \"%.*s\"; known are key, prompt, messages, sample, text, "
            "scores, vector, score_tokens, finish, logprobs, model, prompt_tokens, output_tokens",
            key.len < 60 ? (int)key.len : 60, key.ptr);
        return buffer;
    }
    return NULL;
}

/* A line names its call by a key (its messages are then for the reader alone), a prompt, or its
 * messages. */
static bool names_its_call(xy_str line)
{
    char key = json_kind(json_member(line, "key")), prompt = json_kind(json_member(line, "prompt"));
    char messages = json_kind(json_member(line, "messages"));
    if (prompt)
        return prompt == '"' && !key && !messages;
    return key ? key == '"' : messages == '[';
}

/* ---- keys ------------------------------------------------------------------------------------ */

uint64_t replay_key_start(void)
{
    return UINT64_C(0xcbf29ce484222325);
}

uint64_t replay_key_add(uint64_t hash, xy_str text, char end)
{
    return hash_bytes(hash_bytes(hash, text.ptr, text.len), &end, 1);
}

void replay_key_end(uint64_t hash, uint32_t sample, char *out)
{
    char digits[16];
    snprintf(digits, sizeof(digits), "%u", sample);
    hash = replay_key_add(hash, xy_text(digits), 0x1e);
    snprintf(out, REPLAY_KEY, "%016llx", (unsigned long long)hash);
}

/* The key of the request that the line's messages and the names of its scores are, as a JSON
 * string; malloc'ed. NULL where a message has no role and content, or for want of memory. */
static char *key_of_line(xy_str line)
{
    uint64_t hash = replay_key_start();
    char *text = malloc(line.len + 1), *key = malloc(REPLAY_KEY + 2);
    xy_str unused, item;
    bool good = text && key;
    struct json_cursor cursor = {NULL};
    while (good && json_next(json_member(line, "messages"), &cursor, &unused, &item)) {
        xy_str role = json_member(item, "role"), content = json_member(item, "content");
        good = json_kind(role) == '"' && json_kind(content) == '"';
        hash = replay_key_add(hash, (xy_str){text, good ? json_decode(role, text) : 0}, 0x1f);
        hash = replay_key_add(hash, (xy_str){text, good ? json_decode(content, text) : 0}, 0x1e);
    }
    cursor = (struct json_cursor){NULL};
    xy_str scores = json_member(line, "scores"), name;
    while (good && json_kind(scores) == '{' && json_next(scores, &cursor, &name, &item)) {
        size_t length = json_decode((xy_str){name.ptr - 1, name.len + 2}, text);
        hash = replay_key_add(hash, (xy_str){text, length}, 0x1e);
    }
    free(text);
    if (!good) {
        free(key);
        return NULL;
    }
    replay_key_end(hash, (uint32_t)json_number(json_member(line, "sample"), 0), key + 1);
    key[0] = key[REPLAY_KEY] = '"';
    return key;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool is_sample(xy_str sample)
{
    double number = json_number(sample, -1);
    return number >= 0 && number < 4e9 && number == (double)(uint32_t)number;
}

/* What is wrong with the line's answers, or NULL. */
static const char *check_answers(xy_str line)
{
    char text = json_kind(json_member(line, "text"));
    char scores = json_kind(json_member(line, "scores"));
    xy_str vector = json_member(line, "vector");
    if (!text && !scores && !json_kind(vector))
        return "has no answer: needs \"text\", \"scores\" or \"vector\"";
    bool vector_fits = !json_kind(vector) || (json_kind(vector) == '[' && json_count(vector) > 0);
    if ((text && text != '"') || (scores && scores != '{' && scores != '[') || !vector_fits)
        return "\"text\" is a string, \"scores\" a map or a list of numbers, \"vector\" a list of "
               "numbers";
    return NULL;
}

/* What is wrong with the line, or NULL. */
static const char *check_line(xy_str line, char *buffer, size_t size)
{
    if (json_kind(line) != '{')
        return line.len ? "not a JSON object" : "not valid JSON in UTF-8";
    if (!names_its_call(line))
        return "needs \"key\" or \"prompt\", a string, or \"messages\", a list";
    const char *fault = check_answers(line);
    if (fault)
        return fault;
    xy_str sample = json_member(line, "sample");
    if (sample.len && !is_sample(sample))
        return "\"sample\" is a whole number from 0";
    return wrong_member(line, buffer, size);
}

static int add_line(struct recording *recording, xy_str text, size_t number, char *error,
                    size_t size)
{
    char reason[256];
    xy_str line = json_check(text);
    const char *wrong = check_line(line, reason, sizeof(reason));
    if (wrong) {
        snprintf(error, size, "line %zu: %s", number, wrong);
        return XY_EINVAL;
    }
    xy_str key = json_member(line, "key");
    char *made = NULL;
    if (!key.len && json_member(line, "messages").len) {
        made = key_of_line(line);
        if (!made) {
            snprintf(error, size, "line %zu: a message needs \"role\" and \"content\"", number);
            return XY_EINVAL;
        }
        key = (xy_str){made, REPLAY_KEY + 1};
    }
    struct entry entry = {
        .line = line,
        .by = key.len ? key : json_member(line, "prompt"),
        .by_key = key.len > 0,
        .sample = (int64_t)json_number(json_member(line, "sample"), SAMPLE_ANY),
        .number = number,
        .made_key = made,
    };
    for (int kind = ANSWER_TEXT; kind <= ANSWER_VECTOR; kind++) {
        entry.kind = (enum answer_kind)kind;
        if (json_member(line, kind_members[kind]).len == 0)
            continue;
        int code = add(recording, &entry, error, size);
        if (code != XY_OK) {
            free(entry.made_key);
            return code;
        }
        entry.made_key = NULL; /* the first entry owns it */
    }
    return XY_OK;
}

static int read_bytes(struct recording *recording, const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    size_t capacity = 0, used = 0;
    bool good = file != NULL;
    while (good && !feof(file)) {
        if (used == capacity) {
            capacity = capacity ? capacity * 2 : 1 << 16;
            char *larger = realloc(recording->bytes, capacity + 1);
            good = larger != NULL;
            recording->bytes = larger ? larger : recording->bytes;
            continue;
        }
        used += fread(recording->bytes + used, 1, capacity - used, file);
        good = !ferror(file);
    }
    int failure = errno;
    if (file)
        fclose(file);
    errno = failure;
    *length = used;
    return good ? XY_OK : XY_EIO;
}

int recording_read(struct recording *recording, const char *path, char *error, size_t error_size)
{
    size_t length = 0, number = 0;
    *recording = (struct recording){.bytes = NULL};
    int code = read_bytes(recording, path, &length);
    if (code != XY_OK)
        snprintf(error, error_size, "cannot be read: %s", strerror(errno));
    for (size_t start = 0; code == XY_OK && start < length; number++) {
        const char *line = recording->bytes + start;
        const char *end = memchr(line, '\n', length - start);
        size_t width = end ? (size_t)(end - line) : length - start;
        start += width + 1;
        if (strspn(line, " \t\r") < width)
            code = add_line(recording, (xy_str){line, width}, number + 1, error, error_size);
        if (code == XY_ENOMEM)
            snprintf(error, error_size, "is too large for the memory there is");
    }
    if (code == XY_OK && recording->count == 0) {
        snprintf(error, error_size, "holds no answer");
        code = XY_EINVAL;
    }
    return code;
}

void recording_free(struct recording *recording)
{
    for (size_t i = 0; i < recording->size; i++)
        free(recording->table[i].made_key);
    free(recording->bytes);
    free(recording->table);
    *recording = (struct recording){.bytes = NULL};
}
