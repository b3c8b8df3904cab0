/* SPDX-License-Identifier: Apache-2.0 */
#include "human.h"
#include "text.h"

static const struct answer *first_of(const struct work *work, const struct item *item)
{
    return item->first == NO_ITEM ? NULL : &work->answers[item->first];
}

static const struct answer *next_of(const struct work *work, const struct answer *answer)
{
    return answer->next == NO_ITEM ? NULL : &work->answers[answer->next];
}

static uint32_t votes_for(const struct work *work, const struct item *item, uint32_t label)
{
    uint32_t votes = 0;
    for (const struct answer *at = first_of(work, item); at; at = next_of(work, at))
        votes += at->label == label;
    return votes;
}

/* The label with the most votes, NULL when two have as many. */
static const struct answer *most_voted(const struct work *work, const struct item *item)
{
    const struct answer *best = NULL;
    uint32_t most = 0;
    bool tied = false;
    for (const struct answer *at = first_of(work, item); at; at = next_of(work, at)) {
        uint32_t votes = votes_for(work, item, at->label);
        if (!best || votes > most) {
            best = at;
            most = votes;
            tied = false;
        } else if (votes == most && at->label != best->label) {
            tied = true;
        }
    }
    return tied ? NULL : best;
}

struct judgement work_judge(const struct work *work, const struct item *item)
{
    const struct answer *answer = first_of(work, item);
    if (item->answers < (uint64_t)work->human->annotators)
        return (struct judgement){OUTCOME_WAITS, NULL};
    if (work->human->rule[0] == 'm')
        answer = most_voted(work, item);
    else if (work->human->rule[0] == 'a' && votes_for(work, item, answer->label) < item->answers)
        answer = NULL;
    if (!answer)
        return (struct judgement){OUTCOME_UNDECIDED, NULL};
    return (struct judgement){answer->label == NAMES_NONE ? OUTCOME_DISCARD : OUTCOME_LABEL,
                              answer};
}

const char *work_say_answers(const struct work *work, const struct item *item)
{
    struct text text = {0};
    for (const struct answer *at = first_of(work, item); at; at = next_of(work, at)) {
        text_add_literal(&text, text.length ? ", " : "");
        text_add_str(&text, names_at(&work->annotators, at->annotator));
        text_add_literal(&text, " `");
        text_add_str(&text, at->label == NAMES_NONE ? xy_text("discard")
                                                    : names_at(&work->labels, at->label));
        text_add_literal(&text, "`");
    }
    char *copy = work->job->api->alloc(work->job, text.length + 1);
    if (copy && text.length)
        memcpy(copy, text.bytes, text.length);
    text_free(&text);
    return copy ? copy : "";
}
