/* SPDX-License-Identifier: Apache-2.0 */
/* exact - drops records whose text, made comparable, equals that of an earlier record. The first
 * kind of deduplication of Lee et al. 2022, "Deduplicating Training Data Makes Language Models
 * Better", on whole records. */
#include <xylem/plugin.h>

#include "exact_table.h"
#include "fold.h"
#include "json_value.h"

enum { AT_ONCE = 64 }; /* records whose keys are made together */

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

/* A record's key, before it has a row. Texts that are compared byte by byte are hashed where they
 * lie. */
struct keyed {
    XXH128_hash_t key;
    uint64_t id;
    bool any;
};

static bool key_of(const struct exact *exact, const xy_record *record, struct text *scratch,
                   struct keyed *out)
{
    xy_value value = {.type = XY_NULL};
    out->id = record->api->id(record);
    if (exact->fold == FOLD_NONE && !exact->fields[1] &&
        record->api->get(record, exact->fields[0], &value) == XY_TEXT) {
        out->any = true;
        out->key = XXH3_128bits(value.text.ptr, value.text.len);
        return true;
    }
    out->any = comparable(exact, record, scratch);
    if (scratch->failed)
        return false;
    out->key = XXH3_128bits_withSeed(scratch->bytes, scratch->length, 1);
    return true;
}

/* ---- the run --------------------------------------------------------------------------------- */

struct pass {
    struct exact_table table;
    struct text scratch;
    uint64_t known;   /* rows of `against` */
};

static void drop(const struct pass *pass, xy_dataset *input, uint64_t index, uint64_t first)
{
    char why[64];
    snprintf(why, sizeof(why), "equals %016llx%s", (unsigned long long)pass->table.by_row[first].id,
             first < pass->known ? " of `against`" : "");
    input->api->verdict(input, index, XY_DROP, why);
}

/* Records from, from + 1 ... of a data set. All keys first: while the later ones are made, the
 * table's slots for the earlier ones come out of memory. `input` is NULL where nothing is to be
 * dropped. */
static int add_some(const struct exact *exact, struct pass *pass, xy_dataset *data, uint64_t from,
                    uint64_t count, xy_dataset *input)
{
    struct keyed keyed[AT_ONCE];
    for (uint64_t i = 0; i < count; i++) {
        const xy_record *record = data->api->at(data, from + i);
        if (!record)
            return XY_EIO;
        if (!key_of(exact, record, &pass->scratch, &keyed[i]))
            return XY_ENOMEM;
        exact_table_expect(&pass->table, keyed[i].key);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint32_t own = pass->table.rows, first = own;
        if (keyed[i].any)
            first = exact_table_add(&pass->table, keyed[i].key, keyed[i].id);
        else
            exact_table_skip(&pass->table);
        if (input && first != own)
            drop(pass, input, from + i, first);
    }
    return XY_OK;
}

static int add_all(const struct exact *exact, xy_job *job, struct pass *pass, xy_dataset *data,
                   xy_dataset *input)
{
    /* Rows are known only where `against` is given.
     * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    uint64_t count = data->api->count(data);
    for (uint64_t from = 0; from < count; from += AT_ONCE) {
        if (job->api->cancelled(job))
            return XY_ECANCELED;
        uint64_t left = count - from;
        int code = add_some(exact, pass, data, from, left < AT_ONCE ? left : AT_ONCE, input);
        if (code == XY_EIO)
            return xy_fail(job, XY_EIO, "one of the records from %llu on%s cannot be read",
                           (unsigned long long)from, input ? "" : " of `against`");
        if (code < 0)
            return code;
    }
    return XY_OK;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct exact *exact = state;
    struct pass pass = {.known = exact->against ? exact->against->api->count(exact->against) : 0};
    int code = exact_table_init(&pass.table, pass.known + input->api->count(input));
    if (code == XY_OK && pass.known)
        code = add_all(exact, job, &pass, exact->against, NULL);
    if (code == XY_OK)
        code = add_all(exact, job, &pass, input, input);
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
