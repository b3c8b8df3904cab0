/* SPDX-License-Identifier: Apache-2.0 */
/* exact - drops records whose text, made comparable, equals that of an earlier record. The first
 * kind of deduplication of Lee et al. 2022, "Deduplicating Training Data Makes Language Models
 * Better", on whole records. */
#include <xylem/plugin.h>

#include "exact_table.h"
#include "fold.h"
#include "json_value.h"

enum { POLL = 4096 }; /* records between two looks at cancelled() */

struct exact {
    const char *const *fields;
    const char *normalise;
    xy_dataset *against;
    enum fold fold;
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_LIST, .offset = offsetof(struct exact, fields), .def = "text",
     .help = "The field to compare, or a list of fields that must all agree."},
    {.name = "normalise", .type = XY_OPT_TEXT, .offset = offsetof(struct exact, normalise),
     .def = "case", .choices = "none|case|words",
     .help = "What is the same: the very bytes; the text without regard to case and white space; "
             "or its words, without regard to punctuation either."},
    {.name = "against", .type = XY_OPT_DATASET, .offset = offsetof(struct exact, against),
     .help = "A data set whose texts count as earlier ones: a test set, or a corpus one has."},
    {0},
};

/* ---- keys ------------------------------------------------------------------------------------ */

/* The fields' values one after another, each led by its type and closed by a byte that no UTF-8
 * text has, so that different divisions of the same letters differ. False: no field is there. */
static bool comparable(const struct exact *exact, const xy_record *record, struct text *out)
{
    bool any = false;
    text_clear(out);
    for (size_t i = 0; exact->fields[i]; i++) {
        xy_value value = {.type = XY_NULL};
        int type = record->api->get(record, exact->fields[i], &value);
        any = any || type != XY_NULL;
        if (type == XY_TEXT)
            fold_add(out, value.text, exact->fold);
        else
            json_value_add(out, &value);
        char closing[2] = {(char)0xff, (char)type};
        text_add(out, closing, sizeof(closing));
    }
    return any;
}

/* The record's row that has the same key first; its own when it is new. Negative: XY_ENOMEM. */
static int64_t add(const struct exact *exact, struct exact_table *table, const xy_record *record,
                   struct text *scratch)
{
    uint32_t own = table->rows;
    bool any = comparable(exact, record, scratch);
    if (scratch->failed)
        return XY_ENOMEM;
    if (!any) {
        exact_table_skip(table);
        return own;
    }
    return exact_table_add(table, XXH3_128bits(scratch->bytes, scratch->length),
                           record->api->id(record));
}

/* ---- the run --------------------------------------------------------------------------------- */

struct pass {
    struct exact_table table;
    struct text scratch;
    uint64_t known;   /* rows of `against` */
};

static int add_known(const struct exact *exact, xy_job *job, struct pass *pass)
{
    for (uint64_t i = 0; i < pass->known; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        /* Rows are known only where `against` is given.
         * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        const xy_record *record = exact->against->api->at(exact->against, i);
        if (!record)
            return xy_fail(job, XY_EIO, "record %llu of `against` cannot be read",
                           (unsigned long long)i);
        int64_t first = add(exact, &pass->table, record, &pass->scratch);
        if (first < 0)
            return (int)first;
    }
    return XY_OK;
}

static void drop(const struct pass *pass, xy_dataset *input, uint64_t index, uint64_t first)
{
    char why[64];
    snprintf(why, sizeof(why), "equals %016llx%s", (unsigned long long)pass->table.ids[first],
             first < pass->known ? " of `against`" : "");
    input->api->verdict(input, index, XY_DROP, why);
}

static int judge(const struct exact *exact, xy_job *job, struct pass *pass, xy_dataset *input)
{
    uint64_t count = input->api->count(input);
    for (uint64_t i = 0; i < count; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        const xy_record *record = input->api->at(input, i);
        if (!record)
            return xy_fail(job, XY_EIO, "record %llu cannot be read", (unsigned long long)i);
        int64_t first = add(exact, &pass->table, record, &pass->scratch);
        if (first < 0)
            return (int)first;
        if ((uint64_t)first != pass->known + i)
            drop(pass, input, i, (uint64_t)first);
    }
    return XY_OK;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct exact *exact = state;
    struct pass pass = {.known = exact->against ? exact->against->api->count(exact->against) : 0};
    int code = exact_table_init(&pass.table, pass.known + input->api->count(input));
    if (code == XY_OK)
        code = add_known(exact, job, &pass);
    if (code == XY_OK)
        code = judge(exact, job, &pass, input);
    if (code == XY_ENOMEM)
        job->api->explain(job, "out of memory");
    else if (code == XY_EUNSUPPORTED)
        xy_say(job, code, "more than %d records at once", EXACT_TABLE_FULL);
    exact_table_free(&pass.table);
    text_free(&pass.scratch);
    return code;
}

static int open_exact(void *state, const xy_host *host)
{
    struct exact *exact = state;
    static const char first_letters[] = "ncw"; /* in the order of enum fold */
    exact->fold = (enum fold)(strchr(first_letters, exact->normalise[0]) - first_letters + 1);
    if (exact->fields && exact->fields[0])
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "`field` is an empty list; name at least one field");
    return XY_EINVAL;
}

static const xy_stage exact_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct exact),
    .id = "exact",
    .version = "1.0.0",
    .summary = "Drops records whose text equals an earlier one's but for case and white space",
    .options = options,
    .open = open_exact,
    .run = run,
    .fields = "reads `field`",
};

XY_PLUGIN("exact", "1.0.0", "Apache-2.0", &exact_stage)
