/* SPDX-License-Identifier: Apache-2.0 */
#include "pair_groups.h"

#include <math.h>
#include <stdlib.h>

int answers_init(struct answers *answers, size_t count)
{
    *answers = (struct answers){.count = count};
    answers->list = calloc(count + 1, sizeof(*answers->list));
    return answers->list ? XY_OK : XY_ENOMEM;
}

bool answer_counts(const struct answer *answer)
{
    return answer->text != NAMES_NONE && !isnan(answer->score);
}

static int compare(const void *left, const void *right)
{
    const struct answer *a = left, *b = right;
    bool a_counts = answer_counts(a), b_counts = answer_counts(b);
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a_counts != b_counts)
        return a_counts ? -1 : 1;
    if (a_counts && a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->record < b->record ? -1 : 1;
}

void answers_rank(struct answers *answers)
{
    qsort(answers->list, answers->count, sizeof(*answers->list), compare);
}

void answers_free(struct answers *answers)
{
    names_free(&answers->groups);
    names_free(&answers->texts);
    free(answers->list);
    *answers = (struct answers){0};
}

bool pair_next(enum pair_method method, size_t count, size_t *first, size_t *second)
{
    bool begin = *second == 0;
    if (count < 2)
        return false;
    if (method == PAIR_BEST_WORST) {
        *second = count - 1;
        return begin;
    }
    if (begin) {
        *second = 1;
    } else if (method == PAIR_ALL && *second + 1 < count) {
        ++*second;
    } else {
        ++*first;
        *second = *first + 1;
    }
    return *second < count;
}
