/* SPDX-License-Identifier: Apache-2.0 */
/* refusals_list.h - what assistants say that belongs to no data set. Static; [any].
 *
 * Compared by words, without case and punctuation: "I'm sorry, but" is written "i m sorry but". */
#ifndef XYLEM_PLUGINS_REFUSALS_REFUSALS_LIST_H
#define XYLEM_PLUGINS_REFUSALS_REFUSALS_LIST_H

#include <xylem/plugin.h>

enum refusal_kind {
    REFUSAL,        /* "I'm sorry, but I can't": the task was not done */
    SELF_REFERENCE, /* "as an AI language model": anywhere in a text */
    LEAD_IN,        /* "Sure! Here is": before what was asked for */
    SIGN_OFF,       /* "I hope this helps": behind it */
    REFUSAL_KINDS
};

struct refusal_phrase {
    const char *language; /* "en", "de", "fr", "es" */
    enum refusal_kind kind;
    const char *phrase;
};

/* Ends with a NULL phrase. */
extern const struct refusal_phrase refusals_list[];

#endif
