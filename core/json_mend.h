/* SPDX-License-Identifier: Apache-2.0 */
/* json_mend.h - what json_mend.c (lists and maps) and json_mend_scalar.c (texts, numbers, words)
 * share. */
#ifndef XYLEM_CORE_JSON_MEND_H
#define XYLEM_CORE_JSON_MEND_H

#include "json_internal.h"

enum mend {
    MEND_READ,
    MEND_NOTHING, /* a bracket, a comma or the end stands where a value should */
    MEND_FAILED
};

/* What a text is decides which characters may follow its closing quote. */
enum mend_role { MEND_KEY, MEND_MEMBER, MEND_ITEM };

struct mender {
    struct arena *arena;
    const char *at, *end;
    struct json_stack stack;
    struct buffer scratch; /* the text or number being put together */
    int open_lists, open_maps;
    bool mended, cut;
};

/* Skips space, comments and the like; stops the reader at the end of a code fence. */
void mender_skip(struct mender *mender);
/* The next byte, NUL at the end. */
char mender_peek(const struct mender *mender);
bool mender_at_quote(const struct mender *mender);
enum mend mender_read_key(struct mender *mender, xy_str *out);
enum mend mender_read_text(struct mender *mender, enum mend_role role, xy_str *out);
enum mend mender_read_number(struct mender *mender, struct value *out);
enum mend mender_read_word(struct mender *mender, struct value *out);

#endif
