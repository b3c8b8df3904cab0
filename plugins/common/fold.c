/* SPDX-License-Identifier: Apache-2.0 */
#include "fold.h"

#include <stdlib.h>

#include <utf8proc.h>

enum { ON_STACK = 256 };

/* Appending with the space that is owed between two pieces, and none before the first. */
struct folding {
    struct text *out;
    size_t start;   /* where this text began in `out` */
    bool gap;       /* separators were passed since the last piece */
    enum fold fold;
};

/* What each ASCII character becomes; a space stands for everything that separates. */
static const char words_table[128 + 1] =
    "                                                0123456789      "
    " abcdefghijklmnopqrstuvwxyz      abcdefghijklmnopqrstuvwxyz     ";
static const char case_table[128 + 1] =
    "\x00\x01\x02\x03\x04\x05\x06\x07\x08     \x0e\x0f"
    "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
    " !\"#$%&'()*+,-./0123456789:;<=>?"
    "@abcdefghijklmnopqrstuvwxyz[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f";

static const char *table_of(enum fold fold)
{
    return fold == FOLD_WORDS ? words_table : case_table;
}

static bool separates(enum fold fold, utf8proc_int32_t point)
{
    if (point < 0x80)
        return table_of(fold)[point] == ' ';
    utf8proc_category_t category = utf8proc_category(point);
    if (fold == FOLD_WORDS)
        return !((category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME) ||
                 (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO));
    return point == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

static void add_piece(struct folding *folding, const char *bytes, size_t length)
{
    if (folding->gap && folding->out->length > folding->start)
        text_add(folding->out, " ", 1);
    folding->gap = false;
    text_add(folding->out, bytes, length);
}

/* Characters that are not all ASCII, already folded: pieces and separators, one by one. */
static void add_points(struct folding *folding, const utf8proc_uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t used =
            utf8proc_iterate(bytes + at, (utf8proc_ssize_t)(length - at), &point);
        if (used <= 0)
            return; /* a record's text is valid UTF-8: this cannot be */
        if (separates(folding->fold, point))
            folding->gap = true;
        else
            add_piece(folding, (const char *)bytes + at, (size_t)used);
        at += (size_t)used;
    }
}

/* A run of characters beyond ASCII with the one ASCII character before it, with which a combining
 * mark may join. Nothing joins with an ASCII character that follows, so that runs can be mapped one
 * by one and still give the NFC of the whole. */
static void add_run(struct folding *folding, const char *run, size_t length)
{
    const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD |
                                  UTF8PROC_IGNORE;
    utf8proc_int32_t stack[ON_STACK], *points = stack;
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)run;
    utf8proc_ssize_t count =
        utf8proc_decompose(bytes, (utf8proc_ssize_t)length, points, ON_STACK, how);
    if (count >= ON_STACK) { /* reencoding wants room for one more */
        points = malloc(((size_t)count + 1) * sizeof(*points));
        if (!points) {
            folding->out->failed = true;
            return;
        }
        count = utf8proc_decompose(bytes, (utf8proc_ssize_t)length, points, count, how);
    }
    count = count > 0 ? utf8proc_reencode(points, count, how) : 0;
    if (count > 0)
        add_points(folding, (const utf8proc_uint8_t *)points, (size_t)count);
    if (points != stack)
        free(points);
}

/* ASCII characters up to `end`. The loop has no branch that depends on the text: a separator behind
 * a separator is written too, and then written over. */
static void add_ascii(struct folding *folding, const char *at, const char *end)
{
    const char *table = table_of(folding->fold);
    char block[ON_STACK], last = 'x';
    while (at < end && table[(unsigned char)*at] == ' ') {
        folding->gap = true;
        at++;
    }
    if (at == end)
        return;
    if (folding->gap && folding->out->length > folding->start)
        text_add(folding->out, " ", 1);
    while (at < end) {
        const char *stop = end - at < ON_STACK ? end : at + ON_STACK;
        size_t length = 0;
        for (; at < stop; at++) {
            char c = table[(unsigned char)*at];
            block[length] = c;
            length += (size_t)((c != ' ') | (last != ' '));
            last = c;
        }
        text_add(folding->out, block, length);
    }
    folding->gap = last == ' ';
    if (folding->gap && !folding->out->failed)
        folding->out->bytes[--folding->out->length] = '\0'; /* it comes back if more follows */
}

void fold_add(struct text *out, xy_str text, enum fold fold)
{
    struct folding folding = {.out = out, .start = out->length, .fold = fold};
    const char *at = text.ptr, *end = text.ptr + text.len;
    if (fold == FOLD_NONE) {
        text_add_str(out, text);
        return;
    }
    while (at < end) {
        const char *run = at;
        while (run < end && (unsigned char)*run < 0x80)
            run++;
        const char *join = run < end && run > at ? run - 1 : run;
        add_ascii(&folding, at, join);
        at = run;
        while (at < end && (unsigned char)*at >= 0x80)
            at++;
        if (at > join)
            add_run(&folding, join, (size_t)(at - join));
    }
}
