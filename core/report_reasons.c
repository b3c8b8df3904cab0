/* SPDX-License-Identifier: Apache-2.0 */
#include "report_reasons.h"

#include <ctype.h>
#include <string.h>

#include "json.h"

enum { ID_DIGITS = 16, REASONS_KNOWN = 100 };

/* A record's id: 16 lower-case hexadecimal digits that stand alone. */
static bool is_id(const char *why, const char *at)
{
    return (at == why || !isalnum((unsigned char)at[-1])) &&
           strspn(at, "0123456789abcdef") == ID_DIGITS && !isalnum((unsigned char)at[ID_DIGITS]);
}

void report_reason_fold(const char *why, char folded[REASON_LENGTH])
{
    size_t length = 0;
    for (const char *at = why; *at && length + 1 < REASON_LENGTH; at++) {
        bool id = is_id(why, at), digit = id || isdigit((unsigned char)*at);
        if (id)
            at += ID_DIGITS - 1;
        if (digit && length && folded[length - 1] == '#')
            continue;
        folded[length++] = digit ? '#' : *at;
    }
    folded[length] = '\0';
    /* Not in the middle of a character. */
    while (length && !utf8_valid((xy_str){folded, length}))
        folded[--length] = '\0';
}

void report_reasons_add(struct reason **reasons, struct arena *arena, const char *why)
{
    char folded[REASON_LENGTH];
    report_reason_fold(why, folded);
    struct reason *reason = *reasons;
    size_t known = 0;
    while (reason && strcmp(reason->text, folded) != 0) {
        reason = reason->next;
        known++;
    }
    if (!reason && known < REASONS_KNOWN) {
        reason = arena_alloc(arena, sizeof(*reason));
        *reason = (struct reason){.next = *reasons,
                                  .text = arena_copy(arena, folded, strlen(folded))};
        *reasons = reason;
    }
    if (reason)
        reason->count++;
}

const struct reason *report_reasons_next(const struct reason *reasons, const struct reason *after)
{
    const struct reason *best = NULL;
    for (const struct reason *reason = reasons; reason; reason = reason->next) {
        bool below = !after || reason->count < after->count ||
                     (reason->count == after->count && strcmp(reason->text, after->text) > 0);
        bool above = !best || reason->count > best->count ||
                     (reason->count == best->count && strcmp(reason->text, best->text) < 0);
        if (below && above)
            best = reason;
    }
    return best;
}
