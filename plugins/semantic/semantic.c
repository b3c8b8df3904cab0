/* SPDX-License-Identifier: Apache-2.0 */
/* semantic - drops records whose meaning is nearly that of an earlier one, by the cosine of their
 * embeddings: semantic deduplication (Abbas et al. 2023, "SemDeDup") without its clusters, so that
 * no pair is missed, up to the size where that takes too long. */
#include <math.h>
#include <stdlib.h>

#include "confusion.h"
#include "semantic_search.h"

struct semantic {
    struct rows_options rows;
    double threshold;
    int64_t exact_rows;
    int32_t within;
    const xy_host *host;
    const xy_report *report;
};

#define AT(member) offsetof(struct semantic, member)

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(rows.field), .def = "text",
     .help = "The text field to compare, where `embed` is given."},
    {.name = "embed", .type = XY_OPT_MODEL, .offset = AT(rows.embed),
     .help = "The model that embeds the texts; this or `vector` is needed."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = AT(rows.vector),
     .help = "A field with ready vectors, of an `embed` step, in place of a model."},
    {.name = "threshold", .type = XY_OPT_NUMBER, .offset = AT(threshold), .def = "0.95", .low = -1,
     .high = 1,
     .help = "The cosine from which on two records are near-duplicates; what suits depends on the "
             "model."},
    {.name = "prefer", .type = XY_OPT_FIELD, .offset = AT(rows.prefer),
     .help = "A number field: of two near-duplicates the one with the higher value stays, the "
             "earlier one where they are equal; without it always the earlier."},
    {.name = "against", .type = XY_OPT_DATASET, .offset = AT(rows.against),
     .help = "A data set whose records count as earlier ones: a test set, or a corpus one has."},
    {.name = "within", .type = XY_OPT_BOOL, .offset = AT(within), .def = "true",
     .help = "Compares the records with each other, too; `false`: with those of `against` alone, "
             "as decontamination does."},
    {.name = "exact_rows", .type = XY_OPT_INT, .offset = AT(exact_rows), .def = "100k", .low = 0,
     .high = 4e9,
     .help = "Up to so many rows each is compared with all; beyond, an approximate index finds "
             "the nearest, and its measured recall is reported."},
    {0},
};

static int open_semantic(void *state, const xy_host *host)
{
    struct semantic *semantic = state;
    struct rows_options *rows = &semantic->rows;
    semantic->host = host;
    semantic->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    rows->models = host->service(host, XY_MODEL);
    if (!rows->embed == !rows->vector) {
        xy_log_line(host, XY_LOG_ERROR, "give `embed`, a model, or `vector`, a field with ready "
                    "vectors%s", rows->embed ? ", not both" : "");
        return XY_EINVAL;
    }
    if (!semantic->within && !rows->against) {
        xy_log_line(host, XY_LOG_ERROR, "`within: false` leaves nothing to compare with: give "
                    "`against`, a data set");
        return XY_EINVAL;
    }
    if (rows->embed && !rows->models)
        return XY_EUNSUPPORTED;
    if (rows->embed && !(rows->models->can(rows->embed) & XY_EMBED)) {
        xy_log_line(host, XY_LOG_ERROR, "the model given as `embed` cannot embed texts");
        return XY_EINVAL;
    }
    return XY_OK;
}

/* ---- the run --------------------------------------------------------------------------------- */

struct ranked {
    double prefer;
    uint32_t row;
};

static int by_preference(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->prefer != right->prefer)
        return left->prefer > right->prefer ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

/* The rows that have vectors: those of `against`, then the preferred ones of the input. */
static int put_in_order(const struct rows *rows, uint32_t *order, size_t *count)
{
    struct ranked *ranked = malloc((rows->count + 1) * sizeof(*ranked));
    size_t known = 0;
    if (!ranked)
        return XY_ENOMEM;
    *count = 0;
    for (size_t row = 0; row < rows->count; row++) {
        if (!rows->vectors[row])
            continue;
        ranked[(*count)++] = (struct ranked){rows->prefers[row], (uint32_t)row};
        known += row < rows->known;
    }
    qsort(ranked + known, *count - known, sizeof(*ranked), by_preference);
    for (size_t i = 0; i < *count; i++)
        order[i] = ranked[i].row;
    free(ranked);
    return XY_OK;
}

static uint64_t drop_all(const struct search *search, xy_dataset *input)
{
    const struct rows *rows = search->rows;
    uint64_t dropped = 0;
    for (size_t row = rows->known; row < rows->count; row++) {
        uint32_t twin = search->twins[row];
        if (twin == SEMANTIC_NONE)
            continue;
        char why[128];
        snprintf(why, sizeof(why), "near-duplicate of %016llx%s (cosine %.3f)",
                 (unsigned long long)rows->ids[twin], twin < rows->known ? " of `against`" : "",
                 search->similarities[row]);
        input->api->verdict(input, row - rows->known, XY_DROP, why);
        dropped++;
    }
    return dropped;
}

static void tell(const struct semantic *semantic, xy_job *job, const struct search *search,
                 uint64_t dropped)
{
    const struct rows *rows = search->rows;
    uint64_t own = rows->count - rows->known;
    if (rows->empty)
        xy_log_line(semantic->host, XY_LOG_WARNING, "%zu records have no vector to compare and "
                    "were kept", rows->empty);
    if (!semantic->report || own == 0)
        return;
    xy_score score = {.size = sizeof(score), .name = "near_duplicates", .unit = "share",
                      .value = (double)dropped / (double)own, .low = NAN, .high = NAN, .n = own,
                      .help = "records that resemble one that is kept"};
    semantic->report->score(job, &score);
    if (!search->tested)
        return;
    struct estimate found = confusion_wilson(search->tested - search->missed, search->tested);
    score = (xy_score){.size = sizeof(score), .name = "recall", .unit = "share",
                       .value = 1 - (double)search->missed / (double)search->tested,
                       .low = found.low, .high = found.high, .n = search->tested,
                       .help = "near-duplicates that the index found, of those a sample has"};
    semantic->report->score(job, &score);
}

static int search_rows(const struct semantic *semantic, xy_job *job, xy_dataset *input,
                       const struct rows *rows)
{
    uint32_t *order = malloc((rows->count + 1) * sizeof(*order));
    struct search search = {.rows = rows, .order = order, .threshold = semantic->threshold,
                            .within = semantic->within != 0};
    search.twins = malloc((rows->count + 1) * sizeof(*search.twins));
    search.similarities = calloc(rows->count + 1, sizeof(*search.similarities));
    int code = order && search.twins && search.similarities
                   ? put_in_order(rows, order, &search.count) : XY_ENOMEM;
    if (code == XY_OK) {
        memset(search.twins, 0xff, rows->count * sizeof(*search.twins));
        code = search.count <= (uint64_t)semantic->exact_rows ? search_exactly(&search, job)
                                                              : search_by_index(&search, job);
    }
    if (code == XY_OK)
        tell(semantic, job, &search, drop_all(&search, input));
    else if (code == XY_ENOMEM)
        job->api->explain(job, "out of memory");
    free(order);
    free(search.twins);
    free(search.similarities);
    return code;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct semantic *semantic = state;
    struct rows rows = {0};
    if (input->api->count(input) == 0)
        return XY_OK;
    int code = rows_read(&rows, job, input, &semantic->rows);
    if (code == XY_OK && rows.count >= SEMANTIC_NONE)
        code = xy_fail(job, XY_EUNSUPPORTED, "more than 2^32 - 2 records at once");
    if (code == XY_OK)
        code = search_rows(semantic, job, input, &rows);
    rows_free(&rows);
    return code;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{embed: m}" : NULL;
}

static const xy_stage semantic_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct semantic),
    .id = "semantic",
    .version = "1.0.0",
    .summary = "Drops records that mean nearly what an earlier one does, by their embeddings",
    .options = options,
    .open = open_semantic,
    .run = run,
    .extension = extension,
    .fields = "reads `field` or `vector`, and `prefer`",
};

XY_PLUGIN("semantic", "1.0.0", "Apache-2.0", &semantic_stage)
