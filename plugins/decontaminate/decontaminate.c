/* SPDX-License-Identifier: Apache-2.0 */
/* decontaminate - drops records that have text of a benchmark in them, so that a model trained on
 * them can be tested on it: runs of n words (Brown et al. 2020, "Language Models are Few-Shot
 * Learners", appendix C), and whole texts that are shorter. */
#include <math.h>
#include <pthread.h>

#include "decontaminate_grams.h"

struct decontaminate {
    xy_dataset *against;
    const char *const *fields, *const *their_fields;
    int64_t n, least;
    double share;
    const xy_host *host;
    const xy_report *report;
    struct grams grams;
    uint64_t *ids;           /* of the records of `against` */
    bool *met;               /* of them: a record has words of it */
    uint64_t count, met_count, seen, dropped;
    pthread_mutex_t lock;    /* of what changes: met and the counts */
};

#define AT(member) offsetof(struct decontaminate, member)

static const xy_option options[] = {
    {.name = "against", .type = XY_OPT_DATASET, .offset = AT(against), .flags = XY_OPT_REQUIRED,
     .help = "The data set, or the file, of which nothing may be in the records: a test set."},
    {.name = "fields", .type = XY_OPT_LIST, .offset = AT(fields), .def = "text",
     .help = "The records' text fields to look at."},
    {.name = "their_fields", .type = XY_OPT_LIST, .offset = AT(their_fields), .def = "text",
     .help = "The text fields of `against`."},
    {.name = "n", .type = XY_OPT_INT, .offset = AT(n), .def = "10", .low = 1, .high = 100,
     .help = "Drops a record with this many words in a row that `against` has, too."},
    {.name = "least", .type = XY_OPT_INT, .offset = AT(least), .def = "3", .low = 1, .high = 100,
     .help = "A text of `against` with fewer than `n` words counts as a whole, if it has so many; "
             "shorter ones are passed over."},
    {.name = "share", .type = XY_OPT_NUMBER, .offset = AT(share), .def = "0", .low = 0, .high = 1,
     .help = "Drops only where so large a share of a field's words lies in such runs; 0: one run "
             "is enough."},
    {0},
};

static int open_stage(void *state, const xy_host *host)
{
    struct decontaminate *stage = state;
    stage->host = host;
    stage->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    pthread_mutex_init(&stage->lock, NULL);
    stage->grams.n = (size_t)stage->n;
    stage->grams.least = (size_t)(stage->least < stage->n ? stage->least : stage->n);
    return XY_OK;
}

static int prepare(void *state, xy_job *job)
{
    struct decontaminate *stage = state;
    uint64_t count = stage->against->api->count(stage->against);
    if (count == 0)
        return xy_fail(job, XY_EINVAL, "`against` is empty: there is nothing to keep out");
    if (count > UINT32_MAX)
        return xy_fail(job, XY_EUNSUPPORTED, "`against` has more than 2^32 records");
    bool any = false;
    stage->count = count;
    stage->ids = job->api->alloc(job, count * sizeof(*stage->ids));
    stage->met = job->api->alloc(job, count * sizeof(*stage->met));
    if (!stage->ids || !stage->met)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (uint64_t i = 0; i < count; i++) {
        const xy_record *record = stage->against->api->at(stage->against, i);
        if (!record)
            return xy_fail(job, XY_EIO, "record %llu of `against` cannot be read",
                           (unsigned long long)i);
        if (i % 1024 == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        stage->ids[i] = record->api->id(record);
        for (const char *const *field = stage->their_fields; field && *field; field++) {
            xy_str text = xy_record_text(record, *field);
            any |= text.len > 0;
            if (text.len && !grams_add(&stage->grams, text, (uint32_t)i))
                return xy_fail(job, XY_ENOMEM, "out of memory");
        }
    }
    if (!any)
        return xy_fail(job, XY_EINVAL, "no record of `against` has text in `their_fields`");
    if (stage->grams.passed)
        xy_log_line(stage->host, XY_LOG_WARNING, "texts of `against` with fewer than %zu words are "
                    "passed over: %zu", stage->grams.least, stage->grams.passed);
    return XY_OK;
}

static void close_stage(void *state)
{
    struct decontaminate *stage = state;
    grams_free(&stage->grams);
    pthread_mutex_destroy(&stage->lock);
}

static void tell(const struct decontaminate *stage, xy_job *job, const char *name, uint64_t part,
                 uint64_t whole, const char *help)
{
    xy_score score = {.size = sizeof(score), .name = name, .unit = "share", .n = whole,
                      .value = (double)part / (double)whole, .low = NAN, .high = NAN,
                      .help = help};
    stage->report->score(job, &score);
}

/* Under the lock, so that what was told last is what was counted last. */
static void count(struct decontaminate *stage, xy_job *job, const struct gram *gram)
{
    if (!stage->report)
        return;
    pthread_mutex_lock(&stage->lock);
    stage->seen++;
    stage->dropped += gram != NULL;
    if (gram && !stage->met[gram->record]) {
        stage->met[gram->record] = true;
        stage->met_count++;
    }
    tell(stage, job, "contaminated", stage->dropped, stage->seen,
         "records with text of `against`");
    tell(stage, job, "exposed", stage->met_count, stage->count,
         "records of `against` that a dropped record was found to have text of");
    pthread_mutex_unlock(&stage->lock);
}

static int drop(const struct decontaminate *stage, xy_job *job, const char *field,
                const struct overlap *overlap)
{
    const struct gram *gram = overlap->first;
    char share[40] = "";
    if (stage->share > 0)
        snprintf(share, sizeof(share), "%.0f %% of its words, ", 100 * overlap->share);
    return xy_drop(job, "`%s` has words of %016llx of `against`: %s%.*s", field,
                   (unsigned long long)stage->ids[gram->record], share, (int)gram->length,
                   stage->grams.bytes.bytes + gram->at);
}

static int process(void *state, xy_job *job)
{
    struct decontaminate *stage = state;
    const xy_record *record = job->api->input(job, 0);
    for (const char *const *field = stage->fields; field && *field; field++) {
        xy_str text = xy_record_text(record, *field);
        struct overlap overlap;
        if (!text.len || !stage->grams.count)
            continue;
        if (!grams_find(&stage->grams, text, stage->share > 0, &overlap))
            return xy_fail(job, XY_ENOMEM, "out of memory");
        if (overlap.first && overlap.share >= stage->share) {
            count(stage, job, overlap.first);
            return drop(stage, job, *field, &overlap);
        }
    }
    count(stage, job, NULL);
    return XY_OK;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{against: some, n: 2}" : NULL;
}

static const xy_stage stage_decontaminate = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct decontaminate),
    .id = "decontaminate",
    .version = "1.0.0",
    .summary = "Drops records that have words of a benchmark in a row, or a whole text of it",
    .options = options,
    .open = open_stage,
    .prepare = prepare,
    .close = close_stage,
    .process = process,
    .extension = extension,
    .fields = "reads `fields`",
};

XY_PLUGIN("decontaminate", "1.0.0", "Apache-2.0", &stage_decontaminate)
