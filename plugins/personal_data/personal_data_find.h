/* SPDX-License-Identifier: Apache-2.0 */
/* personal_data_find.h - where personal data stands in a text. [any]
 *
 * Each form is read by hand, with its checks (Luhn, mod-97, ranges), and only where it is not
 * part of a longer run: what is wanted is that dates, versions and order numbers are let alone. */
#ifndef XYLEM_PLUGINS_PERSONAL_DATA_PERSONAL_DATA_FIND_H
#define XYLEM_PLUGINS_PERSONAL_DATA_PERSONAL_DATA_FIND_H

#include <stdbool.h>

#include <xylem/plugin.h>

enum personal_kind { EMAIL, PHONE, CARD, IBAN, IP, PERSONAL_KINDS };

struct personal_span {
    size_t start, end; /* bytes */
    uint32_t kind;     /* a personal_kind, or PERSONAL_KINDS + the number of a user's pattern */
};

struct personal_spans { /* zeroed: empty; ascending, without overlap; freed with free(items) */
    struct personal_span *items;
    size_t count, room;
};

/* Adds what is found of the kinds whose bit is set. XY_OK or XY_ENOMEM. */
int personal_find(xy_str text, uint32_t kinds, struct personal_spans *spans);
bool personal_add(struct personal_spans *spans, size_t start, size_t end, uint32_t kind);

/* Each: does such a thing begin at `at`, a place where no word or number goes on? Its end, or 0. */
size_t personal_card(xy_str text, size_t at);
size_t personal_iban(xy_str text, size_t at);
size_t personal_phone(xy_str text, size_t at);

static inline bool personal_digit(xy_str text, size_t at)
{
    return at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9';
}

/* Whether the character at `at`, or of which a byte stands there, is a letter or digit. Beyond
 * ASCII all are but for Latin-1's signs and the blocks of punctuation. */
static inline bool personal_wordly(xy_str text, size_t at)
{
    if (at >= text.len)
        return false;
    unsigned char c = (unsigned char)text.ptr[at];
    if (c < 0x80)
        return personal_digit(text, at) || (unsigned char)((c | 0x20) - 'a') < 26;
    while (at > 0 && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
        at--;
    const unsigned char *lead = (const unsigned char *)text.ptr + at;
    return !(lead[0] == 0xc2 || (lead[0] == 0xe2 && lead[1] == 0x80) ||
             (lead[0] == 0xe3 && lead[1] == 0x80) || (lead[0] == 0xef && lead[1] == 0xbc));
}

#endif
