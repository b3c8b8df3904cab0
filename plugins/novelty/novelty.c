/* SPDX-License-Identifier: Apache-2.0 */
/* novelty - the gate of a growing pool: a record passes when no earlier one resembles it by ROUGE-L
 * (Wang et al. 2023, "Self-Instruct", section 2.2). */
#include <stdlib.h>

#include "novelty_search.h"

enum { POLL = 1024 }; /* records between two looks at cancelled() while reading */

struct novelty {
    const char *field, *unit_name, *into, *nearest_into;
    double threshold;
    int64_t nearest;
    xy_dataset *against;
    const xy_host *host;
    const xy_report *report;
    enum unit unit;
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct novelty, field),
     .def = "text", .help = "The text field to compare."},
    {.name = "threshold", .type = XY_OPT_NUMBER, .offset = offsetof(struct novelty, threshold),
     .def = "0.7", .low = 0, .high = 1,
     .help = "A record more similar than this (ROUGE-L F1) to an earlier one that passed, or to "
             "one of `against`, is dropped."},
    {.name = "unit", .type = XY_OPT_TEXT, .offset = offsetof(struct novelty, unit_name),
     .def = "rouge", .choices = "rouge|words|characters",
     .help = "What a text is a sequence of: words of a-z and 0-9, as the usual ROUGE has it; words "
             "of any script; or characters, for languages written without spaces."},
    {.name = "against", .type = XY_OPT_DATASET, .offset = offsetof(struct novelty, against),
     .help = "A data set whose texts count as earlier ones: the seeds, the pool so far, a test "
             "set."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = offsetof(struct novelty, into),
     .help = "A field for the similarity to the most similar earlier text, 0 for none."},
    {.name = "nearest_into", .type = XY_OPT_FIELD, .offset = offsetof(struct novelty, nearest_into),
     .help = "A field for the list of the most similar earlier texts, each with `id`, `text` and "
             "`similarity`."},
    {.name = "nearest", .type = XY_OPT_INT, .offset = offsetof(struct novelty, nearest),
     .def = "10", .low = 1, .high = 1000, .help = "How many that list has at most."},
    {0},
};

/* ---- reading --------------------------------------------------------------------------------- */

struct pass {
    const struct novelty *novelty;
    xy_dataset *input;
    struct texts texts;
    struct search search;
    uint64_t *ids;    /* of the records, those of `against` first */
    uint64_t known;   /* records of `against` */
    uint64_t total;
    uint64_t empty, dropped, measured;
    double similarity; /* summed over the measured records */
};

static const xy_record *record_at(const struct pass *pass, uint64_t row)
{
    xy_dataset *home = row < pass->known ? pass->novelty->against : pass->input;
    return home->api->at(home, row < pass->known ? row : row - pass->known);
}

static int read_texts(struct pass *pass, xy_job *job)
{
    for (uint64_t row = 0; row < pass->total; row++) {
        if (row % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        const xy_record *record = record_at(pass, row);
        if (!record)
            return xy_fail(job, XY_EIO, "record %llu cannot be read", (unsigned long long)row);
        pass->ids[row] = record->api->id(record);
        if (texts_add(&pass->texts, xy_record_text(record, pass->novelty->field),
                      pass->novelty->unit) < 0)
            return XY_ENOMEM;
    }
    return XY_OK;
}

/* ---- judging --------------------------------------------------------------------------------- */

/* Reads other records of the data set, which ends one that is being edited. */
static void write_nearest(const struct pass *pass, struct text *list)
{
    text_add_literal(list, "[");
    for (size_t i = 0; i < pass->search.nearest_count; i++) {
        struct near near = pass->search.nearest[i];
        char id[64];
        snprintf(id, sizeof(id), "%s{\"id\":\"%016llx\",\"text\":", i ? "," : "",
                 (unsigned long long)pass->ids[near.text]);
        text_add_literal(list, id);
        const xy_record *other = record_at(pass, near.text);
        text_add_json(list, other ? xy_record_text(other, pass->novelty->field) : xy_text(""));
        text_add_literal(list, ",\"similarity\":");
        text_add_number(list, near.similarity);
        text_add_literal(list, "}");
    }
    text_add_literal(list, "]");
}

static int measure(struct pass *pass, uint64_t index)
{
    const struct novelty *novelty = pass->novelty;
    double most = pass->search.nearest_count ? pass->search.nearest[0].similarity : 0;
    struct text list = {0};
    int code = XY_OK;
    pass->measured++;
    pass->similarity += most;
    if (novelty->nearest_into)
        write_nearest(pass, &list);
    xy_record *record = pass->input->api->edit(pass->input, index);
    if (!record || list.failed)
        code = record ? XY_ENOMEM : XY_EIO;
    if (code == XY_OK && novelty->nearest_into)
        code = xy_record_set_json(record, novelty->nearest_into, (xy_str){list.bytes, list.length});
    if (code == XY_OK && novelty->into)
        code = xy_record_set_number(record, novelty->into, most);
    text_free(&list);
    return code;
}

static void drop(struct pass *pass, uint64_t index)
{
    struct near twin = pass->search.nearest[0];
    char why[96];
    snprintf(why, sizeof(why), "ROUGE-L %.3f with %016llx%s", twin.similarity,
             (unsigned long long)pass->ids[twin.text],
             twin.text < pass->known ? " of `against`" : "");
    pass->input->api->verdict(pass->input, index, XY_DROP, why);
    pass->dropped++;
}

static int judge(struct pass *pass, uint64_t row)
{
    const struct novelty *novelty = pass->novelty;
    bool exact = novelty->into || novelty->nearest_into;
    if (texts_length(&pass->texts, row) == 0) {
        pass->empty += row >= pass->known;
        return XY_OK;
    }
    if (row < pass->known) {
        search_add(&pass->search, row);
        return XY_OK;
    }
    /* Only where it is asked for what is not similar enough to be dropped is looked for. */
    int code = search_find(&pass->search, row, exact ? 0 : novelty->threshold);
    if (code == XY_OK && exact)
        code = measure(pass, row - pass->known);
    if (code < 0)
        return code;
    if (pass->search.nearest_count && pass->search.nearest[0].similarity > novelty->threshold)
        drop(pass, row - pass->known);
    else
        search_add(&pass->search, row);
    return XY_OK;
}

static int judge_all(struct pass *pass, xy_job *job)
{
    const struct novelty *novelty = pass->novelty;
    size_t nearest = novelty->nearest_into ? (size_t)novelty->nearest : 1;
    int code = search_init(&pass->search, &pass->texts, nearest);
    for (uint64_t row = 0; row < pass->total && code == XY_OK; row++) {
        code = job->api->cancelled(job) ? XY_ECANCELED : judge(pass, row);
        if (code == XY_EIO)
            xy_fail(job, code, "a record cannot be read again");
    }
    return code;
}

/* ---- the run --------------------------------------------------------------------------------- */

static void tell(const struct pass *pass, xy_job *job)
{
    const struct novelty *novelty = pass->novelty;
    uint64_t count = pass->total - pass->known;
    xy_score score = {.size = sizeof(score), .low = __builtin_nan(""), .high = __builtin_nan("")};
    if (novelty->report && count) {
        score.name = "too_similar";
        score.value = (double)pass->dropped / (double)count;
        score.unit = "share";
        score.n = count;
        score.help = "share of records that resemble an earlier one too much";
        novelty->report->score(job, &score);
    }
    if (novelty->report && pass->measured) {
        score.name = "mean_similarity";
        score.value = pass->similarity / (double)pass->measured;
        score.unit = "";
        score.n = pass->measured;
        score.help = "mean ROUGE-L F1 with the most similar earlier record";
        novelty->report->score(job, &score);
    }
    if (pass->empty)
        xy_log_line(novelty->host, XY_LOG_WARNING,
                    "%llu records have no word in `%s` and were kept without a comparison",
                    (unsigned long long)pass->empty, novelty->field);
    xy_log_line(novelty->host, XY_LOG_DEBUG, "%llu pairs, %llu of them compared word by word",
                (unsigned long long)pass->search.pairs, (unsigned long long)pass->search.compared);
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    struct novelty *novelty = state;
    xy_dataset *against = novelty->against;
    struct pass pass = {.novelty = novelty, .input = input,
                        .known = against ? against->api->count(against) : 0};
    pass.total = pass.known + input->api->count(input);
    pass.ids = calloc(pass.total + 1, sizeof(*pass.ids));
    int code = pass.ids ? read_texts(&pass, job) : XY_ENOMEM;
    if (code == XY_OK)
        code = judge_all(&pass, job);
    if (code == XY_ENOMEM)
        job->api->explain(job, "out of memory");
    if (code == XY_OK)
        tell(&pass, job);
    search_free(&pass.search);
    texts_free(&pass.texts);
    free(pass.ids);
    return code;
}

static int open_novelty(void *state, const xy_host *host)
{
    struct novelty *novelty = state;
    static const char first_letters[] = "rwc"; /* in the order of enum unit */
    novelty->host = host;
    novelty->report = host->service(host, XY_REPORT);
    novelty->unit =
        (enum unit)(strchr(first_letters, novelty->unit_name[0]) - first_letters + 1);
    return XY_OK;
}

static const xy_stage novelty_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct novelty),
    .id = "novelty",
    .version = "1.0.0",
    .summary = "Drops records that resemble an earlier one by ROUGE-L: the gate of a growing pool",
    .options = options,
    .open = open_novelty,
    .run = run,
    .fields = "reads `field`, sets `into` and `nearest_into`",
};

XY_PLUGIN("novelty", "1.0.0", "Apache-2.0", &novelty_stage)
