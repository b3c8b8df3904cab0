/* SPDX-License-Identifier: Apache-2.0 */
/* toxicity - drops texts with words of a list, or texts that a learner, trained on labelled
 * ones, takes for toxic. No word list is built in: what is offensive depends on the language and
 * the use. */
#include <stdlib.h>

#include <libstemmer.h>

#include "excerpt.h"
#include "toxicity_list.h"
#include "toxicity_student.h"

struct toxicity {
    const char *field, *list, *words, *stem, *action, *into, *score_into;
    const char *const *categories;
    int64_t most;
    double threshold;
    xy_dataset *train;
    const xy_rng *rng;
    struct toxicity_list listed;
    struct toxicity_student student;
    uint64_t counted; /* bit i: hits of category i count against `most` */
};

#define AT(member) offsetof(struct toxicity, member)

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(field), .def = "text",
     .help = "The text field to look at."},
    {.name = "list", .type = XY_OPT_PATH, .offset = AT(list),
     .help = "A file with a word or phrase in each line, `[category]` before those of a category, "
             "`#` before a remark."},
    {.name = "words", .type = XY_OPT_JSON, .offset = AT(words),
     .help = "Words in the pipeline file itself: a map from category to a list."},
    {.name = "categories", .type = XY_OPT_LIST, .offset = AT(categories),
     .help = "The categories for which a text is dropped; when not given, all. Others are only "
             "counted."},
    {.name = "most", .type = XY_OPT_INT, .offset = AT(most), .def = "0", .low = 0, .high = 1e6,
     .help = "So many hits may be in a text."},
    {.name = "stem", .type = XY_OPT_TEXT, .offset = AT(stem), .def = "none",
     .choices = "none|arabic|basque|catalan|danish|dutch|english|finnish|french|german|greek|hindi|"
                "hungarian|indonesian|irish|italian|lithuanian|nepali|norwegian|porter|portuguese|"
                "romanian|russian|serbian|spanish|swedish|tamil|turkish|yiddish",
     .help = "The language by whose stems words are compared; `none` compares whole words."},
    {.name = "learner", .type = XY_OPT_LEARNER, .offset = AT(student.learner),
     .help = "A learner that tells toxic texts: its name, or a map with `use:`."},
    {.name = "train", .type = XY_OPT_DATASET, .offset = AT(train),
     .help = "The labelled texts that it learns from."},
    {.name = "train_text", .type = XY_OPT_FIELD, .offset = AT(student.text), .def = "text",
     .help = "The field of `train` with the text."},
    {.name = "train_label", .type = XY_OPT_FIELD, .offset = AT(student.label), .def = "label",
     .help = "The field of `train` with the label."},
    {.name = "toxic", .type = XY_OPT_LIST, .offset = AT(student.toxic), .def = "toxic",
     .help = "The labels of `train` that mean toxic, at most 16."},
    {.name = "threshold", .type = XY_OPT_NUMBER, .offset = AT(threshold), .def = "0.5", .low = 0,
     .high = 1, .help = "A text is dropped when its probability is at least this."},
    {.name = "action", .type = XY_OPT_TEXT, .offset = AT(action), .def = "drop",
     .choices = "drop|annotate", .help = "`annotate` drops nothing and only sets the fields."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into),
     .help = "The field for the number of hits of each category, a JSON object."},
    {.name = "score_into", .type = XY_OPT_FIELD, .offset = AT(score_into),
     .help = "The field for the learner's probability."},
    {0},
};

/* ---- stems ----------------------------------------------------------------------------------- */

static xy_str stem_word(void *data, xy_str word)
{
    struct sb_stemmer *stemmer = data;
    const sb_symbol *stem = sb_stemmer_stem(stemmer, (const sb_symbol *)word.ptr, (int)word.len);
    return stem ? (xy_str){(const char *)stem, (size_t)sb_stemmer_length(stemmer)} : word;
}

/* A stemmer serves one thread, so that each text has its own. `*stem` is left zeroed without
 * one. */
static bool make_stem(const struct toxicity *filter, struct phrases_stem *stem)
{
    *stem = (struct phrases_stem){0};
    if (strcmp(filter->stem, "none") == 0)
        return true;
    stem->stem = stem_word;
    stem->data = sb_stemmer_new(filter->stem, NULL);
    stem->prefix_kept = strcmp(filter->stem, "english") == 0;
    return stem->data != NULL;
}

static void free_stem(struct phrases_stem *stem)
{
    if (stem->data)
        sb_stemmer_delete(stem->data);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* What the options say together; NULL when they make sense. */
static const char *complaint(const struct toxicity *filter)
{
    if (!filter->list && !filter->words && !filter->student.learner)
        return "nothing is looked for: give a file in `list`, `words`, or a `learner`; no list is "
               "built in";
    if (filter->student.learner && !filter->train)
        return "`learner` needs `train`, the labelled texts that it learns from";
    if (filter->train && !filter->student.learner)
        return "`train` needs a `learner`";
    return NULL;
}

static int choose_categories(struct toxicity *filter, char *why, size_t size)
{
    filter->counted = filter->categories ? 0 : UINT64_MAX;
    for (size_t i = 0; filter->categories && filter->categories[i]; i++) {
        uint32_t number = names_find(&filter->listed.categories, xy_text(filter->categories[i]));
        if (number == NAMES_NONE) {
            snprintf(why, size, "`categories`: the list has no category `%s`; it has%s%s",
                     filter->categories[i], filter->listed.categories.count ? " `" : " none",
                     filter->listed.categories.count ? names_at(&filter->listed.categories, 0).ptr
                                                     : "");
            if (filter->listed.categories.count && strlen(why) + 16 < size)
                snprintf(why + strlen(why), size - strlen(why), "`%s",
                         filter->listed.categories.count > 1 ? " and others" : "");
            return XY_EINVAL;
        }
        filter->counted |= UINT64_C(1) << number;
    }
    return XY_OK;
}

static int read_lists(struct toxicity *filter, const struct phrases_stem *stem, char *why,
                      size_t size)
{
    int code = XY_OK;
    if (filter->list)
        code = toxicity_list_read(&filter->listed, filter->list, stem, why, size);
    if (code == XY_OK && filter->words)
        code = toxicity_list_add(&filter->listed, xy_text(filter->words), stem, why, size);
    if (code == XY_OK)
        code = choose_categories(filter, why, size);
    if (code == XY_OK && (filter->list || filter->words) && filter->listed.count == 0) {
        snprintf(why, size, "the list is empty: there is nothing to look for");
        code = XY_EINVAL;
    }
    return code;
}

static int open_toxicity(void *state, const xy_host *host)
{
    struct toxicity *filter = state;
    struct phrases_stem stem;
    char why[512] = "out of memory";
    const char *wrong = complaint(filter);
    filter->rng = host->service(host, XY_RNG);
    filter->student.service = host->service(host, XY_LEARNER_SERVICE);
    if (!wrong && !make_stem(filter, &stem))
        wrong = "this libstemmer has no stemmer for the language of `stem`; `none` compares whole "
                "words";
    if (!wrong && filter->student.learner && (!filter->student.service || !filter->rng))
        wrong = "this host has no learners";
    if (wrong) {
        xy_log_line(host, XY_LOG_ERROR, "%s", wrong);
        return XY_EINVAL;
    }
    int code = read_lists(filter, stem.stem ? &stem : NULL, why, sizeof(why));
    free_stem(&stem);
    if (code < 0) {
        xy_log_line(host, XY_LOG_ERROR, "%s", why);
        toxicity_list_free(&filter->listed);
    }
    return code;
}

static int prepare(void *state, xy_job *job)
{
    struct toxicity *filter = state;
    if (!filter->student.learner)
        return XY_OK;
    return toxicity_student_train(&filter->student, job, filter->train,
                                  filter->rng->stream(job, NULL, 0));
}

static void close_toxicity(void *state)
{
    struct toxicity *filter = state;
    if (filter->student.fitted)
        filter->student.service->release(filter->student.learner, filter->student.fitted);
    toxicity_list_free(&filter->listed);
}

/* ---- a text ---------------------------------------------------------------------------------- */

struct hits {
    uint64_t of[TOXICITY_CATEGORIES], counted;
    struct phrases_hit first; /* of those that count */
};

static int search(const struct toxicity *filter, xy_str text, struct hits *hits)
{
    struct phrases_stem stem;
    struct phrases_hit hit;
    *hits = (struct hits){.counted = 0};
    if (filter->listed.count == 0)
        return XY_OK;
    if (!make_stem(filter, &stem))
        return XY_ENOMEM;
    struct phrases_scan scan = {.text = text, .stem = stem.stem ? &stem : NULL};
    int code;
    while ((code = phrases_next(&filter->listed.set, &scan, &hit)) == 1) {
        hits->of[hit.number]++;
        if (!(filter->counted >> hit.number & 1))
            continue;
        if (hits->counted++ == 0)
            hits->first = hit;
    }
    phrases_scan_free(&scan);
    free_stem(&stem);
    return code;
}

static int write_hits(const struct toxicity *filter, xy_job *job, const struct hits *hits)
{
    struct text json = {0};
    text_add_literal(&json, "{");
    for (uint32_t i = 0; i < filter->listed.categories.count; i++) {
        text_add_literal(&json, i ? "," : "");
        text_add_json(&json, names_at(&filter->listed.categories, i));
        text_add_literal(&json, ":");
        text_add_integer(&json, hits->of[i]);
    }
    text_add_literal(&json, "}");
    int code = json.failed ? XY_ENOMEM
                           : xy_record_set_json(job->api->input(job, 0), filter->into,
                                                (xy_str){json.bytes, json.length});
    text_free(&json);
    return code < 0 ? xy_fail(job, code, "`%s` could not be set", filter->into) : XY_OK;
}

static int drop_for_words(const struct toxicity *filter, xy_job *job, xy_str text,
                          const struct hits *hits)
{
    xy_str words = {text.ptr + hits->first.start, hits->first.end - hits->first.start};
    xy_str category = names_at(&filter->listed.categories, hits->first.number);
    size_t character = 1;
    for (size_t i = 0; i < hits->first.start; i++)
        character += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return xy_drop(job, "%llu listed words, at most %lld are wanted; the first: %.*s, \"%.*s\" at "
                   "character %zu", (unsigned long long)hits->counted, (long long)filter->most,
                   (int)category.len, category.ptr, excerpt_length(words, 60), words.ptr,
                   character);
}

static int process(void *state, xy_job *job)
{
    const struct toxicity *filter = state;
    bool drops = filter->action[0] == 'd';
    double probability = 0;
    struct hits hits;
    xy_str text = xy_get(job, filter->field);
    if (!text.ptr)
        return xy_drop(job, "the field `%s` is missing or no text", filter->field);
    if (search(filter, text, &hits) < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    int code = filter->into ? write_hits(filter, job, &hits) : XY_OK;
    if (code == XY_OK && filter->student.learner)
        code = toxicity_student_ask(&filter->student, job, text, &probability);
    if (code == XY_OK && filter->student.learner && filter->score_into)
        code = xy_record_set_number(job->api->input(job, 0), filter->score_into, probability);
    if (code < 0)
        return code;
    if (drops && hits.counted > (uint64_t)filter->most)
        return drop_for_words(filter, job, text, &hits);
    if (drops && filter->student.learner && probability >= filter->threshold)
        return xy_drop(job, "the learner takes it for toxic with %.3f, less than %g is wanted",
                       probability, filter->threshold);
    return XY_OK;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{words: {insult: [fool, \"a b\"]}, into: hits}"
                                              : NULL;
}

static const xy_stage toxicity = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct toxicity),
    .id = "toxicity",
    .version = "1.0.0",
    .summary = "Drops texts with words of a list, or that a learner takes for toxic",
    .options = options,
    .open = open_toxicity,
    .prepare = prepare,
    .close = close_toxicity,
    .process = process,
    .extension = extension,
    .fields = "reads `field`, sets `into` and `score_into`",
};

XY_PLUGIN("toxicity", "1.0.0", "Apache-2.0", &toxicity)
