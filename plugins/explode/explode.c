/* SPDX-License-Identifier: Apache-2.0 */
/* explode - one record for each item of a list that a field holds. */
#include "explode_items.h"
#include "excerpt.h"
#include "json_value.h"

struct explode {
    const char *field, *into, *index_into, *split, *over;
    int64_t min_items, max_items;
    int32_t keep_list, keep_empty;
    const xy_host *host;
    struct pattern *pattern;
    _Atomic uint64_t cut_records, cut_items; /* lists that were too long, and what went with them */
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct explode, field),
     .flags = XY_OPT_REQUIRED, .help = "The field that holds the list: JSON, or a text."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = offsetof(struct explode, into),
     .help = "The field that an item becomes; without it the members of an object become fields "
             "and any other item takes the list's place."},
    {.name = "split", .type = XY_OPT_TEXT, .offset = offsetof(struct explode, split),
     .help = "A regular expression that stands between the items of a text, such as `\\n+`; "
             "without it a text has to be a JSON list."},
    {.name = "index_into", .type = XY_OPT_FIELD, .offset = offsetof(struct explode, index_into),
     .help = "A field for the item's place in the list, from 0."},
    {.name = "min_items", .type = XY_OPT_INT, .offset = offsetof(struct explode, min_items),
     .def = "1", .low = 0, .high = 1e6,
     .help = "A record whose list has fewer items is dropped; with 0 an empty list makes no record "
             "and no reject."},
    {.name = "max_items", .type = XY_OPT_INT, .offset = offsetof(struct explode, max_items),
     .def = "1000", .low = 1, .high = 1e6, .help = "The most items that a list may have."},
    {.name = "over", .type = XY_OPT_TEXT, .offset = offsetof(struct explode, over), .def = "cut",
     .choices = "cut|drop",
     .help = "What becomes of a longer list: the items past the limit are left out, or the record "
             "is dropped."},
    {.name = "keep_list", .type = XY_OPT_BOOL, .offset = offsetof(struct explode, keep_list),
     .def = "false", .help = "Leaves the list itself on each record."},
    {.name = "keep_empty", .type = XY_OPT_BOOL, .offset = offsetof(struct explode, keep_empty),
     .def = "false", .help = "Counts null and texts of white space as items, too."},
    {0},
};

/* ---- life ------------------------------------------------------------------------------------ */

static int open_explode(void *state, const xy_host *host)
{
    struct explode *explode = state;
    char error[512];
    explode->host = host;
    if (explode->min_items > explode->max_items) {
        xy_log_line(host, XY_LOG_ERROR, "`min_items` is %lld, more than `max_items`, %lld",
                    (long long)explode->min_items, (long long)explode->max_items);
        return XY_EINVAL;
    }
    if (!explode->split)
        return XY_OK;
    explode->pattern = pattern_compile(xy_text(explode->split), error, sizeof(error));
    if (explode->pattern)
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "`split`: %s", error);
    return XY_EINVAL;
}

static void close_explode(void *state)
{
    struct explode *explode = state;
    if (explode->cut_records)
        xy_log_line(explode->host, XY_LOG_WARNING,
                    "%llu items of %llu lists were left out, past `max_items`: %lld",
                    (unsigned long long)explode->cut_items,
                    (unsigned long long)explode->cut_records, (long long)explode->max_items);
    pattern_free(explode->pattern);
}

/* How long lists are depends on the records; `expect` in the file says it. */
static int64_t estimate(const void *state)
{
    (void)state;
    return -1;
}

/* ---- a record -------------------------------------------------------------------------------- */

static int find_items(const struct explode *explode, xy_job *job, struct items *items)
{
    xy_record *record = job->api->input(job, 0);
    xy_value value = {.type = XY_NULL};
    int type = record->api->get(record, explode->field, &value);
    if (type == XY_NULL)
        return xy_drop(job, "the field `%s` is missing", explode->field);
    if (type != XY_TEXT && type != XY_JSON)
        return xy_drop(job, "`%s` is neither a list nor a text", explode->field);
    xy_str list = json_check(value.text);
    if (type == XY_TEXT && explode->pattern)
        return explode_items_split(items, job, value.text, explode->pattern);
    if (json_kind(list) == '[')
        return explode_items_list(items, job, list);
    return xy_drop(job, "`%s` is no JSON list: %.*s", explode->field,
                   excerpt_length(value.text, 40), value.text.ptr);
}

/* The members of an object as fields of the record. */
static int spread(xy_job *job, xy_record *record, xy_str object)
{
    struct json_cursor at = {0};
    xy_str key, json;
    while (json_next(object, &at, &key, &json)) {
        char *name = job->api->alloc(job, key.len + 3);
        char *scratch = job->api->alloc(job, json.len + 1);
        if (!name || !scratch)
            return XY_ENOMEM;
        size_t length = json_decode((xy_str){key.ptr - 1, key.len + 2}, name);
        xy_value value = {.type = XY_NULL};
        json_value_read(json, scratch, &value);
        /* A NUL inside would name another field than the one that was written. */
        if (strlen(name) != length || record->api->set(record, name, &value) < 0)
            return XY_EINVAL;
    }
    return XY_OK;
}

static int set_item(const struct explode *explode, xy_job *job, xy_record *record, xy_str item,
                    bool json)
{
    const char *into = explode->into ? explode->into : explode->field;
    if (!json)
        return xy_record_set_text(record, into, item);
    if (json_kind(item) == '{' && !explode->into)
        return spread(job, record, item);
    char *scratch = job->api->alloc(job, item.len + 1);
    if (!scratch)
        return XY_ENOMEM;
    xy_value value = {.type = XY_NULL};
    json_value_read(item, scratch, &value);
    return record->api->set(record, into, &value);
}

static xy_record *make_record(const struct explode *explode, xy_job *job,
                              const struct items *items, size_t index, int *code)
{
    const xy_value none = {.type = XY_NULL};
    xy_record *record = job->api->new_record(job, job->api->input(job, 0));
    *code = record ? XY_OK : XY_ENOMEM;
    /* Removed first: an item, or one of its members, may go by the list's own name. */
    if (*code >= 0 && !explode->keep_list)
        *code = record->api->set(record, explode->field, &none);
    if (*code >= 0)
        *code = set_item(explode, job, record, items->slices[index], items->json);
    if (*code >= 0 && explode->index_into)
        *code = xy_record_set_int(record, explode->index_into, (int64_t)index);
    if (*code == XY_EINVAL)
        xy_drop(job, "item %zu has a field whose name or value cannot be kept", index);
    return record;
}

static int check_count(struct explode *explode, xy_job *job, struct items *items)
{
    size_t most = (size_t)explode->max_items;
    if (items->count < (size_t)explode->min_items)
        return xy_drop(job, "%zu items in `%s`; wanted are at least %lld", items->count,
                       explode->field, (long long)explode->min_items);
    if (items->count <= most)
        return XY_OK;
    if (explode->over[0] == 'd')
        return xy_drop(job, "%zu items in `%s`; allowed are %zu", items->count, explode->field,
                       most);
    explode->cut_records++;
    explode->cut_items += items->count - most;
    items->count = most;
    return XY_OK;
}

static int process(void *state, xy_job *job)
{
    struct explode *explode = state;
    struct items items = {.skip_empty = !explode->keep_empty};
    int code = find_items(explode, job, &items);
    if (code == XY_OK)
        code = check_count(explode, job, &items);
    if (code != XY_OK)
        return code;
    xy_record **records = job->api->alloc(job, (items.count + 1) * sizeof(*records));
    if (!records)
        return XY_ENOMEM;
    for (size_t i = 0; i < items.count; i++) {
        records[i] = make_record(explode, job, &items, i, &code);
        if (code < 0)
            return code == XY_EINVAL ? XY_DROP : code;
    }
    /* Only now, so that a record is exploded as a whole or dropped as a whole. */
    for (size_t i = 0; i < items.count; i++)
        job->api->emit(job, records[i]);
    return XY_CONSUMED;
}

static const void *extension(const char *id)
{
    static const char example[] = "{ field: text, split: \"\\\\s+\", max_items: 8 }";
    return strcmp(id, "xylem.example/1") == 0 ? example : NULL;
}

static const xy_stage explode_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct explode),
    .id = "explode",
    .version = "1.0.0",
    .summary = "Makes one record of each item of a list that a field holds",
    .options = options,
    .open = open_explode,
    .close = close_explode,
    .process = process,
    .estimate = estimate,
    .extension = extension,
    .fields = "reads `field`, sets `into` or whatever members the items have, and `index_into`",
};

XY_PLUGIN("explode", "1.0.0", "Apache-2.0", &explode_stage)
