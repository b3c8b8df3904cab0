/* SPDX-License-Identifier: Apache-2.0 */
#include "panel.h"

#include <stdlib.h>

enum { POLL = 4096, NAMES_MAX = 4096 };

static bool has_fields(const struct panel_source *source)
{
    return source->fields && source->fields[0];
}

int panel_check(const struct panel_source *source, xy_job *job)
{
    if (has_fields(source) && source->annotator)
        return xy_fail(job, XY_EINVAL, "`fields` and `annotator`: take `fields` where a record "
                       "holds several votes, `annotator` where it holds one");
    for (size_t i = 0; has_fields(source) && source->fields[i]; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(source->fields[i], source->fields[j]) == 0)
                return xy_fail(job, XY_EINVAL, "`%s` stands twice in `fields`", source->fields[i]);
    if (!has_fields(source) && !source->annotator)
        return xy_fail(job, XY_EINVAL, "who votes? Give `fields`, several fields of a record, or "
                       "`annotator`, the field that names who gave the record's one vote");
    return XY_OK;
}

static uint32_t item_of(struct panel *panel, const struct panel_source *source,
                        const xy_record *record)
{
    char scratch[NAMES_SCRATCH];
    xy_str value = {NULL, 0};
    if (source->by)
        value = names_label(record, source->by, scratch);
    if (!value.ptr) {
        /* A record that nothing connects to others is an item of its own. */
        bool alone = source->by || has_fields(source);
        uint64_t parent = alone ? 0 : record->api->parent(record);
        snprintf(scratch, sizeof(scratch), "%s%016llx", source->by ? "\x01" : "",
                 (unsigned long long)(parent ? parent : record->api->id(record)));
        value = xy_text(scratch);
    }
    return names_add(&panel->items, value);
}

static bool abstains(const struct panel_source *source, xy_str label)
{
    for (size_t i = 0; source->abstain && source->abstain[i]; i++)
        if (strlen(source->abstain[i]) == label.len &&
            memcmp(source->abstain[i], label.ptr, label.len) == 0)
            return true;
    return !label.ptr;
}

static int add_vote(struct panel *panel, xy_job *job, struct panel_vote vote, xy_str label)
{
    vote.label = names_add(&panel->labels, label);
    if (vote.label == NAMES_NONE)
        return XY_ENOMEM;
    if (panel->labels.count > NAMES_MAX || panel->annotators.count > NAMES_MAX)
        return xy_fail(job, XY_EINVAL, "more than %d different %s: these fields hold none",
                       NAMES_MAX, panel->labels.count > NAMES_MAX ? "labels" : "annotators");
    panel->votes[panel->count++] = vote;
    return XY_OK;
}

/* The one vote of a record, by the annotator that it names. */
static int read_vote(struct panel *panel, const struct panel_source *source, xy_job *job,
                     const xy_record *record, struct panel_vote vote)
{
    char scratch[NAMES_SCRATCH], name[NAMES_SCRATCH];
    xy_str label = names_label(record, source->field, scratch);
    if (abstains(source, label)) {
        panel->abstained++;
        return XY_OK;
    }
    xy_str annotator = names_label(record, source->annotator, name);
    if (!annotator.ptr)
        return xy_fail(job, XY_EINVAL, "record %zu has a vote and no `%s` to say whose it is",
                       vote.record, source->annotator);
    vote.annotator = names_add(&panel->annotators, annotator);
    return vote.annotator == NAMES_NONE ? XY_ENOMEM : add_vote(panel, job, vote, label);
}

static int read_record(struct panel *panel, const struct panel_source *source, xy_job *job,
                       const xy_record *record, size_t index)
{
    struct panel_vote vote = {.record = index, .item = item_of(panel, source, record)};
    if (vote.item == NAMES_NONE)
        return XY_ENOMEM;
    panel->record_items[index] = vote.item;
    if (!has_fields(source))
        return read_vote(panel, source, job, record, vote);
    for (; source->fields[vote.field]; vote.field++) {
        char scratch[NAMES_SCRATCH];
        xy_str label = names_label(record, source->fields[vote.field], scratch);
        vote.annotator = names_find(&panel->annotators, xy_text(source->fields[vote.field]));
        int code = XY_OK;
        if (abstains(source, label))
            panel->abstained++;
        else
            code = add_vote(panel, job, vote, label);
        if (code < 0)
            return code;
    }
    return XY_OK;
}

/* By item, stable. */
static int sort_votes(struct panel *panel)
{
    size_t items = panel->items.count;
    struct panel_vote *sorted = calloc(panel->count + 1, sizeof(*sorted));
    panel->starts = calloc(items + 2, sizeof(*panel->starts));
    if (!sorted || !panel->starts) {
        free(sorted);
        return XY_ENOMEM;
    }
    for (size_t i = 0; i < panel->count; i++)
        panel->starts[panel->votes[i].item + 2]++;
    for (size_t i = 2; i < items + 2; i++)
        panel->starts[i] += panel->starts[i - 1];
    /* starts[i + 1] moves from the item's start to its end, which is the next one's start. */
    for (size_t i = 0; i < panel->count; i++)
        sorted[panel->starts[panel->votes[i].item + 1]++] = panel->votes[i];
    free(panel->votes);
    panel->votes = sorted;
    return XY_OK;
}

int panel_read(struct panel *panel, const struct panel_source *source, xy_job *job,
               xy_dataset *input)
{
    size_t records = input->api->count(input), each = has_fields(source) ? 0 : 1;
    for (; has_fields(source) && source->fields[each]; each++)
        if (names_add(&panel->annotators, xy_text(source->fields[each])) == NAMES_NONE)
            return XY_ENOMEM;
    panel->votes = calloc(records * each + 1, sizeof(*panel->votes));
    panel->record_items = calloc(records + 1, sizeof(*panel->record_items));
    if (!panel->votes || !panel->record_items)
        return XY_ENOMEM;
    for (size_t i = 0; i < records; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        int code = read_record(panel, source, job, input->api->at(input, i), i);
        if (code < 0)
            return code;
    }
    return sort_votes(panel);
}

void panel_free(struct panel *panel)
{
    names_free(&panel->labels);
    names_free(&panel->annotators);
    names_free(&panel->items);
    free(panel->votes);
    free(panel->starts);
    free(panel->record_items);
    memset(panel, 0, sizeof(*panel));
}
