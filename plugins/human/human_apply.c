/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "human.h"
#include "json_value.h"

static int drop(struct work *work, size_t index, const char *format, const char *who)
{
    char why[400];
    snprintf(why, sizeof(why), "%s%.300s", format, who);
    return work->input->api->verdict(work->input, index, XY_DROP, why);
}

/* The label in the type that the model's had: 1 stays a number. */
static int set_label(struct work *work, xy_record *record, xy_str label)
{
    const char *field = work->human->label;
    xy_value value = {.type = XY_NULL};
    int type = record->api->get(record, field, &value);
    xy_str json = json_check(label);
    char kind = json_kind(json);
    if (type != XY_NULL && type != XY_TEXT && (kind == '0' || kind == 't' || kind == 'f')) {
        json_value_read(json, NULL, &value);
        return record->api->set(record, field, &value);
    }
    return xy_record_set_text(record, field, label);
}

static int keep_model_label(struct work *work, xy_record *record)
{
    xy_value value = {.type = XY_NULL};
    const char *from = work->human->label, *to = work->human->before;
    if (record->api->get(record, from, &value) == XY_NULL)
        return XY_OK;
    struct text copy = {0}; /* set() may move what get() lent */
    int code;
    if (value.type == XY_TEXT || value.type == XY_JSON) {
        text_add_str(&copy, value.text);
        value.text = (xy_str){copy.bytes ? copy.bytes : "", copy.length};
    }
    code = copy.failed ? XY_ENOMEM : record->api->set(record, to, &value);
    text_free(&copy);
    return code;
}

static int revise(struct work *work, xy_record *record, const struct item *item, uint32_t label)
{
    const struct answer *revised = NULL;
    for (uint32_t i = item->first; i != NO_ITEM && !revised; i = work->answers[i].next)
        if (work->answers[i].label == label && work->answers[i].revision.len)
            revised = &work->answers[i];
    if (!revised)
        return XY_OK;
    struct text old = {0};
    text_add_str(&old, xy_record_text(record, work->human->text));
    int code = old.failed ? XY_ENOMEM : XY_OK;
    if (code == XY_OK && old.length)
        code = xy_record_set_text(record, "unrevised", (xy_str){old.bytes, old.length});
    text_free(&old);
    return code < 0 ? code : xy_record_set_text(record, work->human->text, revised->revision);
}

static void add_text_member(struct text *json, const char *name, xy_str text)
{
    if (!text.len)
        return;
    text_add_literal(json, ",\"");
    text_add_literal(json, name);
    text_add_literal(json, "\":");
    text_add_json(json, text);
}

/* Who said what, for the record's own provenance. */
static int keep_answers(struct work *work, xy_record *record, const struct item *item)
{
    struct text json = {0};
    text_add_literal(&json, "[");
    for (uint32_t i = item->first; i != NO_ITEM; i = work->answers[i].next) {
        const struct answer *answer = &work->answers[i];
        text_add_literal(&json, i == item->first ? "{\"annotator\":" : ",{\"annotator\":");
        text_add_json(&json, names_at(&work->annotators, answer->annotator));
        if (answer->label == NAMES_NONE)
            text_add_literal(&json, ",\"discard\":true");
        else
            add_text_member(&json, "label", names_at(&work->labels, answer->label));
        add_text_member(&json, "time", answer->time);
        add_text_member(&json, "revision", answer->revision);
        text_add_literal(&json, answer->shown ? ",\"suggestion_shown\":true}"
                                              : ",\"suggestion_shown\":false}");
    }
    text_add_literal(&json, "]");
    int code = json.failed ? XY_ENOMEM
                           : xy_record_set_json(record, "answers",
                                                (xy_str){json.bytes, json.length});
    text_free(&json);
    return code;
}

static int apply_one(struct work *work, size_t index)
{
    const struct item *item = &work->items[work->items_of[index]];
    struct judgement judgement = work_judge(work, item);
    if (judgement.outcome == OUTCOME_WAITS)
        return XY_OK;
    xy_record *record = work->input->api->edit(work->input, index);
    if (!record)
        return XY_EIO;
    int code = keep_answers(work, record, item);
    if (code < 0)
        return code;
    if (judgement.outcome == OUTCOME_UNDECIDED)
        return work->human->undecided[0] == 'w'
                   ? XY_OK
                   : drop(work, index, "annotators differ: ", work_say_answers(work, item));
    if (judgement.outcome == OUTCOME_DISCARD)
        return drop(work, index, "discarded by ",
                    names_at(&work->annotators, judgement.answer->annotator).ptr);
    code = keep_model_label(work, record);
    if (code >= 0)
        code = set_label(work, record, names_at(&work->labels, judgement.answer->label));
    return code < 0 ? code : revise(work, record, item, judgement.answer->label);
}

int work_apply(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        int code = work->items_of[i] == NO_ITEM ? XY_OK : apply_one(work, i);
        if (code < 0)
            return xy_fail(work->job, code, "the answer for record %s cannot be kept",
                           names_at(&work->keys, work->items_of[i]).ptr);
    }
    return XY_OK;
}
