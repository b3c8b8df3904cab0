/* SPDX-License-Identifier: Apache-2.0 */
/* spans_place.c - finding in the text what a model said, and settling what overlaps. */
#include <stdlib.h>

#include "spans_mentions.h"

static bool is_placed(const struct mention *mention)
{
    return mention->place.end > mention->place.start;
}

static bool is_taken(const struct mentions *mentions, const struct place *place)
{
    for (size_t i = 0; i < mentions->count; i++)
        if (mentions->items[i].place.start == place->start &&
            mentions->items[i].place.end == place->end)
            return true;
    return false;
}

/* The place nearest to where the model said it is; the earlier of two as near. */
static size_t nearest(xy_str text, const struct place *places, size_t count, int64_t from)
{
    size_t best = 0;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        int64_t distance = llabs((int64_t)text_points(text, places[i].start) - from);
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

static void choose(struct mentions *mentions, struct mention *mention, xy_str text,
                   const struct place *places, size_t count, const struct rules *rules)
{
    if (mention->from >= 0) {
        mention->place = places[nearest(text, places, count, mention->from)];
        return;
    }
    size_t i = 0;
    while (rules->occurrence == OCCURRENCE_EACH && i < count && is_taken(mentions, &places[i]))
        i++;
    if (i < count) {
        mention->place = places[i];
        return;
    }
    char *why = mentions->job->api->alloc(mentions->job, 80);
    snprintf(why, 80, "the text has it %zu time%s, and that is said already", count,
             count == 1 ? "" : "s");
    mention->why = why;
}

/* `all`: the mention stands for every place of its text; the further ones are mentions too. */
static void add_further(struct mentions *mentions, size_t index, const struct place *places,
                        size_t count)
{
    size_t room = mentions->count + count;
    struct mention *more = mentions->job->api->alloc(mentions->job, room * sizeof(*more));
    memcpy(more, mentions->items, mentions->count * sizeof(*more));
    for (size_t i = 1; i < count; i++) {
        more[mentions->count] = more[index];
        more[mentions->count++].place = places[i];
    }
    mentions->items = more;
    mentions->room = room;
}

static void find_all(struct mentions *mentions, xy_str text, const struct rules *rules)
{
    size_t said = mentions->count;
    for (size_t i = 0; i < said; i++) {
        struct mention *mention = &mentions->items[i];
        if (mention->why)
            continue;
        size_t count;
        struct place *places =
            text_places(mentions->job, text, mention->surface, rules->match, &count);
        if (count == 0) {
            mention->why = "the text does not have it";
            continue;
        }
        if (rules->occurrence != OCCURRENCE_ALL) {
            choose(mentions, mention, text, places, count, rules);
        } else if (is_taken(mentions, &places[0])) {
            mention->why = "it is said already";
        } else if (mentions->count + count <= 4 * (size_t)MENTIONS_MAX) {
            mention->place = places[0];
            add_further(mentions, i, places, count);
        } else {
            mention->why = "it stands in the text too often";
        }
    }
}

/* ---- overlaps -------------------------------------------------------------------------------- */

static int by_length(const void *a, const void *b)
{
    const struct mention *left = *(const struct mention *const *)a;
    const struct mention *right = *(const struct mention *const *)b;
    size_t left_length = left->place.end - left->place.start;
    size_t right_length = right->place.end - right->place.start;
    if (left_length != right_length)
        return left_length > right_length ? -1 : 1;
    if (left->place.start != right->place.start)
        return left->place.start < right->place.start ? -1 : 1;
    return left < right ? -1 : left > right;
}

static void settle_overlaps(struct mentions *mentions, enum overlap overlap)
{
    size_t count = 0;
    struct mention **order =
        mentions->job->api->alloc(mentions->job, (mentions->count + 1) * sizeof(*order));
    for (size_t i = 0; i < mentions->count; i++)
        if (is_placed(&mentions->items[i]) && !mentions->items[i].why)
            order[count++] = &mentions->items[i];
    if (overlap == OVERLAP_LONGEST)
        qsort(order, count, sizeof(*order), by_length);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (order[k]->crossed || order[k]->place.end <= order[i]->place.start ||
                order[i]->place.end <= order[k]->place.start)
                continue;
            order[i]->crossed = true;
            order[i]->why = "it overlaps another";
            break;
        }
    }
}

static int by_place(const void *a, const void *b)
{
    const struct mention *left = a, *right = b;
    bool left_bad = left->why != NULL, right_bad = right->why != NULL;
    if (left_bad != right_bad)
        return left_bad ? 1 : -1;
    if (!left_bad && left->place.start != right->place.start)
        return left->place.start < right->place.start ? -1 : 1;
    if (!left_bad && left->place.end != right->place.end)
        return left->place.end > right->place.end ? -1 : 1;
    return left->said < right->said ? -1 : left->said > right->said;
}

void mentions_place(struct mentions *mentions, xy_str text, const struct rules *rules)
{
    find_all(mentions, text, rules);
    if (rules->overlap != OVERLAP_KEEP)
        settle_overlaps(mentions, rules->overlap);
    if (mentions->count)
        qsort(mentions->items, mentions->count, sizeof(*mentions->items), by_place);
    for (size_t i = 0; i < mentions->count; i++)
        mentions->items[i].number = i;
}
