/* SPDX-License-Identifier: Apache-2.0 */
#include "coverage_tally.h"

#include <math.h>
#include <stdlib.h>

#include "json_value.h"

enum { POLL = 4096 };

/* ---- values as texts ------------------------------------------------------------------------- */

/* A scalar of a JSON list as a label, in the form that names_label() gives a field's. False for
 * null, an empty text, a list or a map. */
static bool json_label(xy_str json, struct text *label)
{
    struct text scratch = {0};
    xy_value value;
    text_clear(label);
    text_add(&scratch, json.ptr, json.len); /* room for the decoded text */
    if (scratch.failed)
        return false;
    json_value_read(json, scratch.bytes, &value);
    if (value.type == XY_TEXT)
        text_add_str(label, value.text);
    else if (value.type == XY_NUMBER)
        text_add_number(label, value.number);
    else if (value.type == XY_INT || value.type == XY_BOOL)
        text_add(label, json.ptr, json.len);
    text_free(&scratch);
    return !label->failed && label->length > 0;
}

/* The value's number with a count of its own; NAMES_NONE when memory is short. */
static uint32_t add_value(struct tally *tally, xy_str text)
{
    uint32_t number = names_add(&tally->values, text);
    if (number == NAMES_NONE || number < tally->room)
        return number;
    size_t room = 2 * tally->room + 16;
    uint64_t *counts = realloc(tally->counts, room * sizeof(*counts));
    if (!counts)
        return NAMES_NONE;
    memset(counts + tally->room, 0, (room - tally->room) * sizeof(*counts));
    tally->counts = counts;
    tally->room = room;
    return number;
}

/* ---- the option ------------------------------------------------------------------------------ */

static int read_expected(struct tally *tally, xy_str list, char *error, size_t error_size)
{
    struct json_cursor at = {0};
    struct text label = {0};
    xy_str key, value;
    int code = XY_OK;
    while (code == XY_OK && json_next(list, &at, &key, &value)) {
        xy_str text = {NULL, 0};
        if (json_label(value, &label))
            text = (xy_str){label.bytes, label.length};
        if (!text.ptr) {
            snprintf(error, error_size, "`expected`: `%.100s`: expected a list of texts or numbers",
                     tally->field);
            code = XY_EINVAL;
        } else if (names_find(&tally->values, text) != NAMES_NONE) {
            snprintf(error, error_size, "`expected`: `%.100s`: \"%.100s\" twice", tally->field,
                     label.bytes);
            code = XY_EINVAL;
        } else if (add_value(tally, text) == NAMES_NONE) {
            code = XY_ENOMEM;
        }
    }
    text_free(&label);
    tally->expected = tally->values.count;
    return code;
}

static struct tally *find(const struct tallies *tallies, xy_str key)
{
    for (size_t i = 0; i < tallies->count; i++) {
        if (strlen(tallies->items[i].field) == key.len &&
            memcmp(tallies->items[i].field, key.ptr, key.len) == 0)
            return &tallies->items[i];
    }
    return NULL;
}

int tallies_init(struct tallies *tallies, const char *const *fields, const char *expected,
                 char *error, size_t error_size)
{
    struct json_cursor at = {0};
    xy_str map = json_check(xy_text(expected)), key, value;
    *tallies = (struct tallies){0};
    while (fields && fields[tallies->count])
        tallies->count++;
    tallies->items = calloc(tallies->count + 1, sizeof(*tallies->items));
    if (!tallies->items)
        return XY_ENOMEM;
    for (size_t i = 0; i < tallies->count; i++)
        /* Without `fields` none was counted.
         * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        tallies->items[i].field = fields[i];
    if (expected && json_kind(map) != '{') {
        snprintf(error, error_size, "`expected`: expected a map from field to its values");
        return XY_EINVAL;
    }
    while (json_next(map, &at, &key, &value)) {
        struct tally *tally = find(tallies, key);
        if (!tally || json_kind(value) != '[' || json_count(value) == 0) {
            snprintf(error, error_size, "`expected`: `%.*s` %s",
                     (int)(key.len < 100 ? key.len : 100), key.ptr,
                     tally ? "needs a list of values" : "is none of `fields`");
            return XY_EINVAL;
        }
        int code = read_expected(tally, value, error, error_size);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

void tallies_free(struct tallies *tallies)
{
    for (size_t i = 0; tallies->items && i < tallies->count; i++) {
        names_free(&tallies->items[i].values);
        free(tallies->items[i].counts);
    }
    free(tallies->items);
    *tallies = (struct tallies){0};
}

/* ---- counting -------------------------------------------------------------------------------- */

static int count_value(struct tally *tally, xy_str text)
{
    uint32_t number = add_value(tally, text);
    if (number == NAMES_NONE)
        return XY_ENOMEM;
    tally->counts[number]++;
    tally->total++;
    return XY_OK;
}

/* Does an earlier item of the list say the same? Lists of conditions are short. */
static bool said_before(xy_str list, size_t index, const struct text *label)
{
    struct json_cursor at = {0};
    struct text other = {0};
    xy_str key, value;
    bool same = false;
    for (size_t i = 0; i < index && !same && json_next(list, &at, &key, &value); i++)
        same = json_label(value, &other) && other.length == label->length &&
               memcmp(other.bytes, label->bytes, label->length) == 0;
    text_free(&other);
    return same;
}

static int count_list(struct tally *tally, xy_str list, uint64_t *counted)
{
    struct json_cursor at = {0};
    struct text label = {0};
    xy_str key, value;
    int code = XY_OK;
    for (size_t i = 0; code == XY_OK && json_next(list, &at, &key, &value); i++) {
        if (!json_label(value, &label) || said_before(list, i, &label))
            continue;
        code = count_value(tally, (xy_str){label.bytes, label.length});
        ++*counted;
    }
    text_free(&label);
    return code;
}

int tallies_add(struct tallies *tallies, const xy_record *record)
{
    int code = XY_OK;
    for (size_t i = 0; i < tallies->count && code == XY_OK; i++) {
        struct tally *tally = &tallies->items[i];
        char scratch[NAMES_SCRATCH];
        xy_value value;
        uint64_t counted = 0;
        int type = record->api->get(record, tally->field, &value);
        xy_str label = type == XY_JSON ? (xy_str){NULL, 0}
                                       : names_label(record, tally->field, scratch);
        if (type == XY_JSON && json_kind(json_check(value.text)) == '[')
            code = count_list(tally, json_check(value.text), &counted);
        else if (label.ptr)
            code = count_value(tally, label);
        tally->records++;
        tally->without += !label.ptr && counted == 0;
    }
    return code;
}

int tallies_read(struct tallies *tallies, xy_job *job, xy_dataset *dataset)
{
    uint64_t count = dataset->api->count(dataset);
    int code = XY_OK;
    for (uint64_t i = 0; i < count && code == XY_OK; i++)
        code = i % POLL == 0 && job->api->cancelled(job)
                   ? XY_ECANCELED : tallies_add(tallies, dataset->api->at(dataset, i));
    return code;
}

/* ---- what the counts say --------------------------------------------------------------------- */

struct ranked {
    uint64_t count;
    uint32_t number;
};

static int compare(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

uint32_t *tally_rarest(const struct tally *tally)
{
    size_t count = tally->values.count;
    struct ranked *ranked = calloc(count + 1, sizeof(*ranked));
    uint32_t *numbers = calloc(count + 1, sizeof(*numbers));
    if (!ranked || !numbers) {
        free(ranked);
        free(numbers);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        ranked[i] = (struct ranked){tally->counts[i], (uint32_t)i};
    qsort(ranked, count, sizeof(*ranked), compare);
    for (size_t i = 0; i < count; i++)
        numbers[i] = ranked[i].number;
    free(ranked);
    return numbers;
}

double tally_entropy(const struct tally *tally)
{
    double bits = 0;
    for (size_t i = 0; i < tally->values.count; i++) {
        double share = (double)tally->counts[i] / (double)tally->total;
        if (tally->counts[i])
            bits -= share * log2(share);
    }
    return tally->total ? fabs(bits) : NAN;
}
