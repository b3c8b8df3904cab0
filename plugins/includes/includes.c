/* SPDX-License-Identifier: Apache-2.0 */
/* includes - keeps records whose text has the words that it was to be written with (TinyStories,
 * Eldan and Li 2023, section 2.1), in any inflection. */
#include <stdlib.h>

#include <libstemmer.h>

#include "fold.h"
#include "excerpt.h"
#include "json_reader.h"

enum { NAMED = 3, LONGEST_SHOWN = 40 }; /* missing words that a reason names, and their bytes */

struct includes {
    const char *field;
    const char *const *words, *const *phrases;
    const char *stem;
    int64_t least;
    const xy_host *host;
    struct sb_stemmer *stemmer; /* NULL: whole words are compared */
    struct text haystack, needle, folded, decoded;
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct includes, field),
     .def = "text", .help = "The text that is looked at."},
    {.name = "words", .type = XY_OPT_LIST, .offset = offsetof(struct includes, words),
     .help = "Names of fields with words, or phrases, that the text must have: a text is one, a "
             "list has several."},
    {.name = "phrases", .type = XY_OPT_LIST, .offset = offsetof(struct includes, phrases),
     .help = "Words, or phrases, that each text must have."},
    {.name = "least", .type = XY_OPT_INT, .offset = offsetof(struct includes, least), .def = "0",
     .low = 0, .high = 100000, .help = "How many of them suffice; 0: all."},
    {.name = "stem", .type = XY_OPT_TEXT, .offset = offsetof(struct includes, stem),
     .def = "english",
     .choices = "none|arabic|basque|catalan|danish|dutch|english|finnish|french|german|greek|hindi|"
                "hungarian|indonesian|irish|italian|lithuanian|nepali|norwegian|porter|portuguese|"
                "romanian|russian|serbian|spanish|swedish|tamil|turkish|yiddish",
     .help = "The language by whose stems words are compared; `none` compares whole words."},
    {0},
};

static int open_includes(void *state, const xy_host *host)
{
    struct includes *includes = state;
    includes->host = host;
    if ((!includes->words || !includes->words[0]) &&
        (!includes->phrases || !includes->phrases[0])) {
        xy_log_line(host, XY_LOG_ERROR, "name the fields with the words to look for in `words`, or "
                    "the words themselves in `phrases`");
        return XY_EINVAL;
    }
    if (strcmp(includes->stem, "none") == 0)
        return XY_OK;
    includes->stemmer = sb_stemmer_new(includes->stem, NULL);
    if (!includes->stemmer)
        xy_log_line(host, XY_LOG_ERROR, "this libstemmer has no stemmer for `%s`; `none` compares "
                    "whole words", includes->stem);
    return includes->stemmer ? XY_OK : XY_EUNSUPPORTED;
}

static void close_includes(void *state)
{
    struct includes *includes = state;
    sb_stemmer_delete(includes->stemmer);
    text_free(&includes->haystack);
    text_free(&includes->needle);
    text_free(&includes->folded);
    text_free(&includes->decoded);
}

/* The text's words, folded and stemmed, each between spaces, so that a phrase is a part of it. */
static void write_stems(struct includes *includes, xy_str text, struct text *out)
{
    text_clear(out);
    text_clear(&includes->folded);
    fold_add(&includes->folded, text, FOLD_WORDS);
    const char *at = includes->folded.bytes, *end = at ? at + includes->folded.length : at;
    out->failed = out->failed || includes->folded.failed;
    text_add_literal(out, " ");
    while (at < end) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        size_t length = (size_t)((space ? space : end) - at);
        const sb_symbol *stem = NULL;
        if (includes->stemmer && length < 256) /* a longer run of letters is no word */
            stem = sb_stemmer_stem(includes->stemmer, (const sb_symbol *)at, (int)length);
        if (stem)
            text_add(out, (const char *)stem, (size_t)sb_stemmer_length(includes->stemmer));
        else
            text_add(out, at, length);
        text_add_literal(out, " ");
        at += length + 1;
    }
}

/* What was found so far, and the words that were not. */
struct search {
    struct includes *includes;
    size_t wanted, found;
    struct text missing;
};

static void look_for(struct search *search, xy_str phrase)
{
    struct includes *includes = search->includes;
    write_stems(includes, phrase, &includes->needle);
    if (includes->needle.length <= 1)
        return; /* it has no word, and asks for nothing */
    search->wanted++;
    if (memmem(includes->haystack.bytes, includes->haystack.length, includes->needle.bytes,
               includes->needle.length)) {
        search->found++;
        return;
    }
    size_t missing = search->wanted - search->found;
    if (missing > NAMED)
        return;
    text_add_literal(&search->missing, missing > 1 ? ", \"" : "\"");
    text_add(&search->missing, phrase.ptr, (size_t)excerpt_length(phrase, LONGEST_SHOWN));
    text_add_literal(&search->missing, "\"");
}

/* A text is one phrase; of a list, each text is one. */
static void look_for_field(struct search *search, const xy_record *record, const char *field)
{
    xy_value value = {.type = XY_NULL};
    int type = record->api->get(record, field, &value);
    if (type == XY_TEXT)
        look_for(search, value.text);
    if (type != XY_JSON)
        return;
    xy_str list = json_check(value.text), key = {NULL, 0}, item = {NULL, 0};
    struct json_cursor at = {0};
    while (json_kind(list) == '[' && json_next(list, &at, &key, &item)) {
        if (json_kind(item) != '"')
            continue;
        struct text *decoded = &search->includes->decoded;
        text_clear(decoded);
        text_add(decoded, item.ptr, item.len); /* room for what is never longer */
        if (!decoded->failed)
            look_for(search, (xy_str){decoded->bytes, json_decode(item, decoded->bytes)});
    }
}

static int process(void *state, xy_job *job)
{
    struct includes *includes = state;
    struct search search = {.includes = includes};
    const xy_record *record = job->api->input(job, 0);
    write_stems(includes, xy_record_text(record, includes->field), &includes->haystack);
    for (size_t i = 0; includes->words && includes->words[i]; i++)
        look_for_field(&search, record, includes->words[i]);
    for (size_t i = 0; includes->phrases && includes->phrases[i]; i++)
        look_for(&search, xy_text(includes->phrases[i]));
    size_t least = includes->least && (size_t)includes->least < search.wanted
                       ? (size_t)includes->least : search.wanted;
    int verdict = XY_OK;
    if (includes->haystack.failed || includes->needle.failed || includes->decoded.failed ||
        search.missing.failed)
        verdict = xy_fail(job, XY_ENOMEM, "out of memory");
    else if (search.found < least)
        verdict = xy_drop(job, "%zu of %zu words are missing: %s%s", search.wanted - search.found,
                          search.wanted, search.missing.bytes,
                          search.wanted - search.found > NAMED ? " and others" : "");
    text_free(&search.missing);
    return verdict;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{words: label, phrases: [text]}" : NULL;
}

static const xy_stage includes_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU,
    .state_size = sizeof(struct includes),
    .id = "includes",
    .version = "1.0.0",
    .summary = "Keeps records whose text has the words it was to be written with, inflected or not",
    .options = options,
    .open = open_includes,
    .close = close_includes,
    .process = process,
    .extension = extension,
    .fields = "reads `field` and `words`",
};

XY_PLUGIN("includes", "1.0.0", "Apache-2.0", &includes_stage)
