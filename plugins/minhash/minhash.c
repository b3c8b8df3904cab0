/* SPDX-License-Identifier: Apache-2.0 */
/* minhash - drops near-duplicates, found by MinHash signatures and locality-sensitive hashing
 * (Broder 1997; Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", chapter 3). */
#include <math.h>

#include <xylem/plugin.h>

#include "minhash_index.h"
#include "minhash_shingle.h"
#include "minhash_signature.h"

enum { POLL = 256 }; /* records between two looks at cancelled() */

enum verify { VERIFY_NONE = 1, VERIFY_SIGNATURES = 2, VERIFY_EXACT = 3 };

struct minhash {
    const char *field, *unit, *verify_name;
    double threshold;
    int64_t permutation_count, shingle;
    xy_dataset *against;
    const xy_host *host;
    enum verify verify;
    double hopeless; /* an estimate below it is not worth the reading of the record */
    struct permutations permutations;
    struct banding banding;
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct minhash, field),
     .def = "text", .help = "The text field to compare."},
    {.name = "threshold", .type = XY_OPT_NUMBER, .offset = offsetof(struct minhash, threshold),
     .def = "0.7", .low = 0.1, .high = 1,
     .help = "The Jaccard similarity of two sets of shingles from which on the later record is "
             "dropped."},
    {.name = "unit", .type = XY_OPT_TEXT, .offset = offsetof(struct minhash, unit),
     .def = "words", .choices = "words|characters",
     .help = "What shingles are made of; characters suit languages written without spaces."},
    {.name = "shingle", .type = XY_OPT_INT, .offset = offsetof(struct minhash, shingle),
     .def = "0", .low = 0, .high = 100,
     .help = "How many units a shingle has; 0 means 3 words or 5 characters."},
    {.name = "permutations", .type = XY_OPT_INT,
     .offset = offsetof(struct minhash, permutation_count), .def = "128", .low = SIGNATURE_STEP,
     .high = SIGNATURE_MOST,
     .help = "The length of a signature, a multiple of 32: a longer one estimates better."},
    {.name = "verify", .type = XY_OPT_TEXT, .offset = offsetof(struct minhash, verify_name),
     .def = "exact", .choices = "none|signatures|exact",
     .help = "How a candidate is checked: not at all, by the similarity that the signatures "
             "estimate, or by the similarity itself."},
    {.name = "against", .type = XY_OPT_DATASET, .offset = offsetof(struct minhash, against),
     .help = "A data set whose texts count as earlier ones: a test set, or a corpus one has."},
    {0},
};

/* ---- the run --------------------------------------------------------------------------------- */

struct pass {
    const struct minhash *minhash;
    xy_dataset *input;
    struct minhash_index index;
    struct shingles own, other;
    uint32_t least[SIGNATURE_MOST];
    uint64_t known;      /* rows of `against`, which come first */
    uint64_t empty;      /* records without a word to compare */
};

struct twin {
    uint64_t row;
    double similarity;
    bool found;
};

static const xy_record *record_at(const struct pass *pass, uint64_t row)
{
    xy_dataset *home = row < pass->known ? pass->minhash->against : pass->input;
    return home->api->at(home, row < pass->known ? row : row - pass->known);
}

static int shingle(const struct pass *pass, const xy_record *record, struct shingles *out)
{
    const struct minhash *minhash = pass->minhash;
    return shingles_of(out, xy_record_text(record, minhash->field), (size_t)minhash->shingle,
                       minhash->unit[0] == 'c');
}

/* By what the option says: the estimate, or the similarity itself where the estimate comes near the
 * threshold. Negative: an error. */
static double similarity_to(struct pass *pass, uint32_t entry)
{
    const struct minhash_index *index = &pass->index;
    const uint8_t *other = index->signatures + (size_t)entry * index->permutations;
    double estimate = signature_similarity(index->shortened, other, index->permutations);
    if (pass->minhash->verify != VERIFY_EXACT || estimate < pass->minhash->hopeless)
        return estimate;
    const xy_record *record = record_at(pass, index->rows[entry]);
    if (!record)
        return XY_EIO;
    if (shingle(pass, record, &pass->other) < 0)
        return XY_ENOMEM;
    shingles_sort(&pass->other);
    return shingles_jaccard(&pass->own, &pass->other);
}

/* The most similar one of the entries met; the earliest of equally similar ones. */
static int find_twin(struct pass *pass, struct twin *twin)
{
    const struct minhash *minhash = pass->minhash;
    signature_of(&minhash->permutations, pass->own.hashes, pass->own.count, pass->least);
    if (minhash_index_find(&pass->index, pass->least) < 0)
        return XY_ENOMEM;
    if (minhash->verify == VERIFY_EXACT && pass->index.found_count)
        shingles_sort(&pass->own);
    for (size_t i = 0; i < pass->index.found_count; i++) {
        uint32_t entry = pass->index.found[i];
        double similarity = similarity_to(pass, entry);
        if (similarity < 0)
            return (int)similarity;
        if (minhash->verify != VERIFY_NONE && similarity < minhash->threshold)
            continue;
        if (!twin->found || similarity > twin->similarity)
            *twin = (struct twin){pass->index.rows[entry], similarity, true};
    }
    return XY_OK;
}

static void drop(const struct pass *pass, uint64_t index, const struct twin *twin)
{
    const xy_record *record = record_at(pass, twin->row);
    char why[128];
    snprintf(why, sizeof(why), "near-duplicate of %016llx%s (similarity %.2f)",
             record ? (unsigned long long)record->api->id(record) : 0ULL,
             twin->row < pass->known ? " of `against`" : "", twin->similarity);
    pass->input->api->verdict(pass->input, index, XY_DROP, why);
}

/* Rows of `against` all enter the index; a row of the input only when it has no twin there. */
static int add_row(struct pass *pass, xy_job *job, uint64_t row)
{
    const xy_record *record = record_at(pass, row);
    if (!record)
        return xy_fail(job, XY_EIO, "record %llu cannot be read", (unsigned long long)row);
    if (shingle(pass, record, &pass->own) < 0)
        return XY_ENOMEM;
    if (pass->own.count == 0) {
        pass->empty += row >= pass->known;
        return XY_OK;
    }
    struct twin twin = {.found = false};
    int code = find_twin(pass, &twin);
    if (code < 0)
        return code;
    if (row < pass->known || !twin.found)
        return minhash_index_add(&pass->index, row);
    drop(pass, row - pass->known, &twin);
    return XY_OK;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct minhash *minhash = state;
    xy_dataset *against = minhash->against;
    struct pass pass = {.minhash = minhash, .input = input,
                        .known = against ? against->api->count(against) : 0};
    uint64_t total = pass.known + input->api->count(input);
    int code = minhash_index_init(&pass.index, minhash->banding, minhash->permutations.count,
                                  total);
    for (uint64_t row = 0; row < total && code >= 0; row++) {
        code = add_row(&pass, job, row);
        if (row % POLL == 0 && job->api->cancelled(job))
            code = XY_ECANCELED;
    }
    if (code == XY_ENOMEM)
        job->api->explain(job, "out of memory");
    else if (code == XY_EUNSUPPORTED)
        job->api->explain(job, "more than 2^32 - 2 records at once");
    else if (code == XY_EIO)
        job->api->explain(job, "a record of the data set cannot be read");
    if (pass.empty)
        xy_log_line(minhash->host, XY_LOG_WARNING,
                    "%llu records have no word in `%s` and were kept without a comparison",
                    (unsigned long long)pass.empty, minhash->field);
    minhash_index_free(&pass.index);
    shingles_free(&pass.own);
    shingles_free(&pass.other);
    return code;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int open_minhash(void *state, const xy_host *host)
{
    struct minhash *minhash = state;
    static const char first_letters[] = "nse"; /* in the order of enum verify */
    minhash->host = host;
    minhash->verify =
        (enum verify)(strchr(first_letters, minhash->verify_name[0]) - first_letters + 1);
    if (minhash->shingle == 0)
        minhash->shingle = minhash->unit[0] == 'c' ? 5 : 3;
    if (minhash->permutation_count % SIGNATURE_STEP != 0) {
        xy_log_line(host, XY_LOG_ERROR, "`permutations` is %lld; it must be a multiple of %d",
                    (long long)minhash->permutation_count, SIGNATURE_STEP);
        return XY_EINVAL;
    }
    permutations_init(&minhash->permutations, (size_t)minhash->permutation_count);
    /* Five standard errors below the threshold: one similar pair in 3 million is lost by that. */
    double t = minhash->threshold;
    minhash->hopeless = t - 5 * sqrt(t * (1 - t) / (double)minhash->permutation_count);
    /* Where candidates are verified, a false one costs a comparison and a missed one stays in the
     * data: 1 to 9. Unverified, both are mistakes of the same size, as datasketch has it. */
    double weight = minhash->verify == VERIFY_NONE ? 0.5 : 0.1;
    minhash->banding =
        banding_choose(minhash->threshold, minhash->permutations.count, weight);
    xy_log_line(host, XY_LOG_DEBUG, "%zu bands of %zu rows: %.1f %% of pairs at the threshold meet",
                minhash->banding.bands, minhash->banding.rows,
                100 * banding_chance(minhash->banding, minhash->threshold));
    return XY_OK;
}

static const xy_stage minhash_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct minhash),
    .id = "minhash",
    .version = "1.0.0",
    .summary = "Drops near-duplicates of earlier records, found by MinHash signatures",
    .options = options,
    .open = open_minhash,
    .run = run,
    .fields = "reads `field`",
};

XY_PLUGIN("minhash", "1.0.0", "Apache-2.0", &minhash_stage)
