/* SPDX-License-Identifier: Apache-2.0 */
/* diversity - how varied a data set is: vocabulary, distinct n-grams, overlap, similarity. */
#include <math.h>
#include <stdlib.h>

#include "diversity_grams.h"
#include "diversity_vectors.h"
#include "scores.h"
#include "vector_column.h"

enum { POLL = 4096 };

struct diversity {
    const char *text, *label, *vector;
    const xy_model *embed;
    const xy_report *report;
    const xy_model_service *model;
};

static const xy_option options[] = {
    {.name = "text", .type = XY_OPT_FIELD, .offset = offsetof(struct diversity, text),
     .def = "text", .help = "The field with the text."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = offsetof(struct diversity, label),
     .help = "A field with labels: adds figures within and between classes."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = offsetof(struct diversity, vector),
     .help = "A field with embeddings, to measure similarity by."},
    {.name = "embed", .type = XY_OPT_MODEL, .offset = offsetof(struct diversity, embed),
     .help = "A model that embeds the texts, where there is no such field."},
    {0},
};

struct survey {
    struct grams grams;
    struct names texts, classes;
    uint32_t *class_of, *text_of; /* of each record; NAMES_NONE: none */
    size_t count;
    struct similarity similarity;
};

static int open_diversity(void *state, const xy_host *host)
{
    struct diversity *diversity = state;
    diversity->report = host->service(host, XY_REPORT);
    diversity->model = host->service(host, XY_MODEL);
    if (diversity->vector && diversity->embed) {
        xy_log_line(host, XY_LOG_ERROR, "give `vector` or `embed`, not both");
        return XY_EINVAL;
    }
    if (!diversity->report || (diversity->embed && !diversity->model))
        return XY_EUNSUPPORTED;
    return XY_OK;
}

static int read_texts(const struct diversity *diversity, xy_job *job, xy_dataset *input,
                      struct survey *survey)
{
    survey->class_of = calloc(survey->count + 1, sizeof(*survey->class_of));
    survey->text_of = calloc(survey->count + 1, sizeof(*survey->text_of));
    if (!survey->class_of || !survey->text_of)
        return XY_ENOMEM;
    for (size_t i = 0; i < survey->count; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        const xy_record *record = input->api->at(input, i);
        char scratch[NAMES_SCRATCH];
        xy_str label = {NULL, 0}, text = xy_record_text(record, diversity->text);
        if (diversity->label)
            label = names_label(record, diversity->label, scratch);
        uint32_t class_index = label.ptr ? names_add(&survey->classes, label) : NAMES_NONE;
        survey->class_of[i] = class_index;
        survey->text_of[i] = text.len ? names_add(&survey->texts, text) : NAMES_NONE;
        if ((label.ptr && class_index == NAMES_NONE) ||
            (text.len && survey->text_of[i] == NAMES_NONE))
            return XY_ENOMEM;
        int code = text.len ? grams_add(&survey->grams, text, class_index) : XY_OK;
        if (code < 0)
            return code;
    }
    return XY_OK;
}

/* Each distinct text is embedded once; the rows are then those of the records. */
static int embed_texts(const struct diversity *diversity, xy_job *job, struct survey *survey,
                       const float **vectors, size_t *width)
{
    uint32_t distinct = survey->texts.count;
    *width = 0;
    *vectors = NULL;
    if (distinct == 0)
        return XY_OK;
    xy_str *texts = job->api->alloc(job, distinct * sizeof(*texts));
    if (!texts)
        return XY_ENOMEM;
    for (uint32_t i = 0; i < distinct; i++)
        texts[i] = names_at(&survey->texts, i);
    const float *embedded;
    int code = diversity->model->embed(job, diversity->embed, texts, distinct, &embedded, width);
    if (code < 0)
        return code;
    float *rows = job->api->alloc(job, (survey->count * *width + 1) * sizeof(*rows));
    if (!rows)
        return XY_ENOMEM;
    for (size_t i = 0; i < survey->count; i++) /* a record without text stays a row of zeros */
        if (survey->text_of[i] != NAMES_NONE)
            memcpy(rows + i * *width, embedded + survey->text_of[i] * *width,
                   *width * sizeof(*rows));
    *vectors = rows;
    return XY_OK;
}

static int measure_similarity(const struct diversity *diversity, xy_job *job, xy_dataset *input,
                              struct survey *survey)
{
    const float *vectors = NULL;
    size_t width = 0;
    survey->similarity = (struct similarity){NAN, NAN, NAN, 0};
    if (diversity->vector) {
        uint32_t column_width = 0;
        if (survey->count)
            vectors = vector_column(input, job, diversity->vector, "", &column_width);
        width = column_width;
        if (!vectors && survey->count)
            return XY_EINVAL;
    } else if (diversity->embed) {
        int code = embed_texts(diversity, job, survey, &vectors, &width);
        if (code < 0)
            return code;
    }
    if (!vectors)
        return XY_OK;
    /* What the survey holds is freed by its owner, the caller.
     * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    return similarity_measure(vectors, survey->count, width,
                              diversity->label ? survey->class_of : NULL, survey->classes.count,
                              &survey->similarity);
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : NAN;
}

static void report_words(const struct score_sink *sink, const struct survey *survey)
{
    const struct grams *grams = &survey->grams;
    uint64_t n = grams->records;
    double mean = n ? grams->length_sum / (double)n : NAN;
    double squares = grams->length_squares - mean * grams->length_sum;
    scores_value(sink, "vocabulary", (double)grams->words.count, "words", n,
                 "different words, as they stand between white space");
    scores_value(sink, "tokens", (double)grams->totals[0], "words", n, "words in all");
    scores_value(sink, "distinct_1", ratio(grams->words.count, grams->totals[0]), "share", n,
                 "different words over all words");
    scores_value(sink, "distinct_2", ratio(grams->twos.count, grams->totals[1]), "share", n,
                 "different pairs of words over all pairs");
    scores_value(sink, "distinct_3", ratio(grams->threes.count, grams->totals[2]), "share", n,
                 "different runs of three words over all of them");
    scores_value(sink, "self_overlap", grams_overlap(grams), "share", n,
                 "mean share of a record's pairs of words that another record has too");
    scores_value(sink, "length_mean", mean, "words", n, "mean length of a text");
    scores_value(sink, "length_sd", n > 1 ? sqrt(fmax(squares, 0) / (double)(n - 1)) : NAN,
                 "words", n, "standard deviation of the length");
    scores_value(sink, "duplicates", (double)(n - survey->texts.count), "records", n,
                 "records whose text another record had before");
    if (survey->classes.count)
        scores_value(sink, "vocabulary_class_mean",
                     (double)grams->class_words.count / survey->classes.count, "words", n,
                     "different words within a class, mean over the classes");
}

static void report_similarity(const struct score_sink *sink, const struct similarity *similarity)
{
    scores_value(sink, "similarity", similarity->all, "cosine", similarity->count,
                 "mean cosine over all pairs of records (average pairwise similarity)");
    scores_value(sink, "similarity_within", similarity->within, "cosine", similarity->count,
                 "mean cosine over pairs of one label");
    scores_value(sink, "similarity_between", similarity->between, "cosine", similarity->count,
                 "mean cosine over pairs of two labels");
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct diversity *diversity = state;
    struct survey survey = {.count = input->api->count(input)};
    int code = read_texts(diversity, job, input, &survey);
    if (code == XY_OK)
        code = measure_similarity(diversity, job, input, &survey);
    if (code == XY_OK) {
        const struct score_sink sink = {.report = diversity->report, .job = job};
        report_words(&sink, &survey);
        report_similarity(&sink, &survey.similarity);
    }
    grams_free(&survey.grams);
    names_free(&survey.texts);
    names_free(&survey.classes);
    free(survey.class_of);
    free(survey.text_of);
    return code;
}

static const char *const needs[] = {XY_REPORT, NULL};

static const xy_stage diversity_stage = {
    XY_STAGE_INIT,
    .kind = XY_EVALUATOR,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct diversity),
    .id = "diversity",
    .version = "1.0.0",
    .summary = "Vocabulary, distinct n-grams, overlap and similarity of a data set",
    .needs = needs,
    .options = options,
    .open = open_diversity,
    .run = run,
    .fields = "reads `text`, `label` and `vector`",
};

XY_PLUGIN("diversity", "1.0.0", "Apache-2.0", &diversity_stage)
