/* SPDX-License-Identifier: Apache-2.0 */
/* words - random words for a text to be written around (TinyStories, Eldan and Li 2023, section
 * 2.1: three words from a vocabulary of 1,500 made the stories diverse). */
#include <errno.h>
#include <stdlib.h>

#include "text.h"

enum { AT_ONCE = 64 };

struct words {
    const char *const *list;
    const char *path;
    const char *const *into;
    int64_t n, least, count;
    int32_t distinct;
    const xy_rng *rng;
    const xy_host *host;
    struct text bytes;      /* of the file's words, each with a NUL */
    xy_str *words;
    size_t word_count, fields;
};

static const xy_option options[] = {
    {.name = "list", .type = XY_OPT_LIST, .offset = offsetof(struct words, list),
     .help = "The words to draw from; a word given twice is twice as likely."},
    {.name = "path", .type = XY_OPT_PATH, .offset = offsetof(struct words, path),
     .help = "A text file with one word, or phrase, a line; in place of `list`."},
    {.name = "n", .type = XY_OPT_INT, .offset = offsetof(struct words, n), .def = "3", .low = 1,
     .high = 1000, .help = "How many words a record gets."},
    {.name = "least", .type = XY_OPT_INT, .offset = offsetof(struct words, least), .def = "-1",
     .low = -1, .high = 1000,
     .help = "With this, a record gets any number of words from `least`, which may be 0, to `n`, "
             "each as likely: a random subset. -1: always `n`."},
    {.name = "distinct", .type = XY_OPT_BOOL, .offset = offsetof(struct words, distinct),
     .def = "true", .help = "Never draws one place of the list twice for the same record."},
    {.name = "into", .type = XY_OPT_LIST, .offset = offsetof(struct words, into), .def = "words",
     .help = "One field, set to the list of words (to the word itself when `n` is 1 and there is "
             "no `least`), or `n` fields, one for each word."},
    {.name = "count", .type = XY_OPT_INT, .offset = offsetof(struct words, count), .def = "0",
     .low = 0, .high = 1e15,
     .help = "How many records to make, of nothing or of each record that comes in; 0 adds words "
             "to each record that comes in."},
    {0},
};

/* ---- the list -------------------------------------------------------------------------------- */

static int refuse(const struct words *words, const char *what)
{
    xy_log_line(words->host, XY_LOG_ERROR, "%s", what);
    return XY_EINVAL;
}

static int open_words(void *state, const xy_host *host)
{
    struct words *words = state;
    words->host = host;
    words->rng = host->service(host, XY_RNG);
    if (!words->rng)
        return XY_EUNSUPPORTED;
    if (!words->list == !words->path)
        return refuse(words, "give the words either as `list` or as the `path` of a file");
    while (words->into && words->into[words->fields])
        words->fields++;
    if (words->fields != 1 && words->fields != (size_t)words->n)
        return refuse(words, "`into` names one field for all words, or as many fields as `n`");
    if (words->least >= 0 && words->fields != 1)
        return refuse(words, "a subset (`least`) goes into one field, as a list");
    if (words->least > words->n)
        return refuse(words, "`least` is more than `n`");
    return XY_OK;
}

static void close_words(void *state)
{
    struct words *words = state;
    free(words->words);
    text_free(&words->bytes);
}

/* Adds each line without the white space around it; empty lines are passed over. */
static int read_lines(struct words *words, xy_job *job)
{
    FILE *file = fopen(words->path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    if (!file)
        return xy_fail(job, XY_EIO, "cannot read `%s`: %s", words->path, strerror(errno));
    for (length = getline(&line, &capacity, file); length >= 0;
         length = getline(&line, &capacity, file)) {
        const char *from = line, *to = line + length;
        if (words->word_count == 0 && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
            from += 3;
        while (from < to && strchr(" \t\r\n", *from))
            from++;
        while (to > from && strchr(" \t\r\n", to[-1]))
            to--;
        if (from == to)
            continue;
        text_add(&words->bytes, from, (size_t)(to - from));
        text_add(&words->bytes, "", 1);
        words->word_count++;
    }
    int failed = ferror(file);
    free(line);
    fclose(file);
    if (failed)
        return xy_fail(job, XY_EIO, "cannot read `%s` to its end", words->path);
    return words->bytes.failed ? xy_fail(job, XY_ENOMEM, "out of memory") : XY_OK;
}

static int prepare(void *state, xy_job *job)
{
    struct words *words = state;
    int code = words->path ? read_lines(words, job) : XY_OK;
    if (code < 0)
        return code;
    while (words->list && words->list[words->word_count])
        words->word_count++;
    if (words->word_count == 0)
        return xy_fail(job, XY_EINVAL, "there are no words to draw from");
    if (words->distinct && words->word_count < (size_t)words->n)
        return xy_fail(job, XY_EINVAL, "%lld distinct words are wanted and there are %zu",
                       (long long)words->n, words->word_count);
    words->words = calloc(words->word_count, sizeof(*words->words));
    if (!words->words)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    const char *at = words->bytes.bytes;
    for (size_t i = 0; i < words->word_count; i++) {
        words->words[i] = xy_text(words->list ? words->list[i] : at);
        at += words->list ? 0 : words->words[i].len + 1;
    }
    return XY_OK;
}

/* ---- drawing --------------------------------------------------------------------------------- */

static bool taken(const uint64_t *chosen, size_t count, uint64_t place)
{
    for (size_t i = 0; i < count; i++)
        if (chosen[i] == place)
            return true;
    return false;
}

/* Floyd's sample without replacement (Bentley and Floyd 1987), shuffled, since its order is not. */
static void draw_distinct(uint64_t *chosen, size_t n, uint64_t from, uint64_t *random)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t last = from - n + i, place = xy_random_below(random, last + 1);
        chosen[i] = taken(chosen, i, place) ? last : place;
    }
    for (size_t i = n; i > 1; i--) {
        size_t other = xy_random_below(random, i);
        uint64_t kept = chosen[i - 1];
        chosen[i - 1] = chosen[other];
        chosen[other] = kept;
    }
}

static int set_list(const struct words *words, xy_record *record, const uint64_t *chosen,
                    size_t count)
{
    struct text list = {0};
    text_add_literal(&list, "[");
    for (size_t i = 0; i < count; i++) {
        text_add_literal(&list, i ? "," : "");
        text_add_json(&list, words->words[chosen[i]]);
    }
    text_add_literal(&list, "]");
    int code = list.failed ? XY_ENOMEM
                           : xy_record_set_json(record, words->into[0],
                                                (xy_str){list.bytes, list.length});
    text_free(&list);
    return code;
}

static int fill(const struct words *words, xy_job *job, const xy_record *origin, uint64_t number,
                xy_record *record)
{
    size_t n = (size_t)words->n, count = n;
    uint64_t random = words->rng->stream(job, origin, number);
    bool subset = words->least >= 0, each = !subset && words->fields == n;
    uint64_t *chosen = job->api->alloc(job, n * sizeof(*chosen));
    if (!chosen)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (words->distinct)
        draw_distinct(chosen, n, words->word_count, &random);
    for (size_t i = 0; !words->distinct && i < n; i++)
        chosen[i] = xy_random_below(&random, words->word_count);
    /* All are drawn, and their order is random: the first of them are a subset of any size. */
    if (subset)
        count = (size_t)words->least + xy_random_below(&random, n - (size_t)words->least + 1);
    int code = each ? XY_OK : set_list(words, record, chosen, count);
    for (size_t i = 0; code >= 0 && each && i < n; i++)
        code = xy_record_set_text(record, words->into[i], words->words[chosen[i]]);
    if (code < 0)
        return xy_fail(job, code, "the words cannot be set on `%s`: is each word UTF-8?",
                       words->into[0]);
    return XY_OK;
}

static int64_t estimate(const void *state)
{
    const struct words *words = state;
    return words->count ? words->count : 1;
}

static int process(void *state, xy_job *job)
{
    const struct words *words = state;
    xy_record *origin = job->api->input(job, 0);
    uint64_t total = (uint64_t)words->count, from = 0, to = total;
    if (origin && total == 0)
        return fill(words, job, origin, 0, origin);
    if (!origin && total == 0)
        return xy_fail(job, XY_EINVAL, "give `count`: no step stands before this one, so it has to "
                       "know how many records to make");
    if (!origin) {
        from = job->api->sequence(job) * AT_ONCE;
        to = total - from < AT_ONCE ? total : from + AT_ONCE;
    }
    for (uint64_t number = from; number < to; number++) {
        xy_record *record = job->api->new_record(job, origin);
        int code = record ? fill(words, job, origin, number, record) : XY_ENOMEM;
        if (code == XY_OK)
            code = job->api->emit(job, record);
        if (code < 0)
            return code;
    }
    return !origin && to == total ? XY_END : XY_CONSUMED;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{list: [a, b, c, d], count: 3}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

static const xy_stage words_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_SOURCE,
    .state_size = sizeof(struct words),
    .id = "words",
    .version = "1.0.0",
    .summary = "Draws random words from a list for each record to be written around",
    .needs = needs,
    .options = options,
    .open = open_words,
    .prepare = prepare,
    .close = close_words,
    .process = process,
    .estimate = estimate,
    .extension = extension,
    .fields = "sets `into`",
};

XY_PLUGIN("words", "1.0.0", "Apache-2.0", &words_stage)
