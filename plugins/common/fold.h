/* SPDX-License-Identifier: Apache-2.0 */
/* fold.h - texts made comparable: what two texts must share to count as the same. [any]
 *
 * Case is folded as Unicode says (chapter 3.13, so that STRASSE and strasse with sharp s agree),
 * the result is in NFC, and characters without a shape of their own (zero-width space, soft hyphen)
 * are left out. ASCII goes by a table, at several hundred MB/s; only runs of other characters go
 * through utf8proc. */
#ifndef XYLEM_PLUGINS_COMMON_FOLD_H
#define XYLEM_PLUGINS_COMMON_FOLD_H

#include "text.h"

enum fold {
    FOLD_NONE = 1,  /* byte for byte */
    FOLD_CASE = 2,  /* case folded; runs of white space are one space, none at the ends */
    FOLD_WORDS = 3  /* case folded; runs of anything but letters, marks and digits are one space */
};

/* Appends the folded text. `text` is valid UTF-8, as every text of a record is. */
void fold_add(struct text *out, xy_str text, enum fold fold);

#endif
