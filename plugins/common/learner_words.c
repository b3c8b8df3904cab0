/* SPDX-License-Identifier: Apache-2.0 */
#include "learner_words.h"

#include <stdlib.h>

#include <utf8proc.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { FIRST_ROOM = 256 };

/* What a character is for the splitter. */
enum unit { UNIT_BLANK, UNIT_WORD, UNIT_SIGN };

static bool is_ascii(xy_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

/* The folded text, freed by the caller; NULL when memory is short. */
static char *fold(xy_str text, size_t *length)
{
    if (is_ascii(text)) {
        char *folded = malloc(text.len + 1);
        for (size_t i = 0; folded && i < text.len; i++) {
            char c = text.ptr[i];
            folded[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
        }
        *length = text.len;
        return folded;
    }
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t count =
        utf8proc_map((const utf8proc_uint8_t *)text.ptr, (utf8proc_ssize_t)text.len, &folded,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
    *length = count < 0 ? 0 : (size_t)count;
    return count < 0 ? NULL : (char *)folded;
}

static enum unit ascii_unit(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')
        return UNIT_WORD;
    return c <= ' ' || c == 0x7f ? UNIT_BLANK : UNIT_SIGN;
}

static enum unit unicode_unit(utf8proc_int32_t code)
{
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return UNIT_WORD;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC: return UNIT_BLANK;
    default: return UNIT_SIGN;
    }
}

/* The unit of the character at `at`, and its length in bytes. */
static enum unit unit_at(const char *text, size_t length, size_t at, size_t *bytes)
{
    unsigned char c = (unsigned char)text[at];
    *bytes = 1;
    if (c < 0x80)
        return ascii_unit(c);
    utf8proc_int32_t code;
    utf8proc_ssize_t got = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                            (utf8proc_ssize_t)(length - at), &code);
    if (got <= 0)
        return UNIT_SIGN;
    *bytes = (size_t)got;
    return unicode_unit(code);
}

static int add_unit(struct words *words, size_t start, size_t end)
{
    if (words->unit_count == words->unit_room) {
        size_t room = words->unit_room ? words->unit_room * 2 : FIRST_ROOM;
        size_t *starts = realloc(words->starts, room * sizeof(*starts));
        if (starts)
            words->starts = starts;
        size_t *ends = realloc(words->ends, room * sizeof(*ends));
        if (ends)
            words->ends = ends;
        if (!starts || !ends)
            return XY_ENOMEM;
        words->unit_room = room;
    }
    words->starts[words->unit_count] = start;
    words->ends[words->unit_count++] = end;
    return XY_OK;
}

static int split_words(struct words *words, const char *text, size_t length)
{
    int code = XY_OK;
    for (size_t at = 0, bytes; at < length && code == XY_OK;) {
        size_t start = at;
        enum unit unit = unit_at(text, length, at, &bytes);
        at += bytes;
        while (unit == UNIT_WORD && at < length &&
               unit_at(text, length, at, &bytes) == UNIT_WORD)
            at += bytes;
        if (unit != UNIT_BLANK)
            code = add_unit(words, start, at);
    }
    return code;
}

/* Blanks are written as one ' ' each run, in place: the text never grows. */
static int split_characters(struct words *words, char *text, size_t length)
{
    size_t written = 0;
    int code = XY_OK;
    bool blank = true; /* none at the start */
    for (size_t at = 0, bytes; at < length && code == XY_OK; at += bytes) {
        bool here = unit_at(text, length, at, &bytes) == UNIT_BLANK;
        if (here && blank)
            continue;
        size_t start = written;
        if (here)
            text[written++] = ' ';
        else
            for (size_t i = 0; i < bytes; i++)
                text[written++] = text[at + i];
        blank = here;
        code = add_unit(words, start, written);
    }
    return code;
}

static int add_gram(struct words *words, uint64_t hash)
{
    if (words->count == words->room) {
        size_t room = words->room ? words->room * 2 : FIRST_ROOM;
        uint64_t *grams = realloc(words->grams, room * sizeof(*grams));
        if (!grams)
            return XY_ENOMEM;
        words->grams = grams;
        words->room = room;
    }
    words->grams[words->count++] = hash;
    return XY_OK;
}

/* A gram's hash runs over its units' hashes, so that "ab c" and "a bc" differ. */
static int hash_grams(struct words *words, const char *text, int least, int most)
{
    for (size_t i = 0; i < words->unit_count; i++) {
        uint64_t hash = 0;
        for (int n = 1; n <= most && i + (size_t)n <= words->unit_count; n++) {
            size_t unit = i + (size_t)n - 1;
            hash = XXH3_64bits_withSeed(text + words->starts[unit],
                                        words->ends[unit] - words->starts[unit],
                                        hash + (uint64_t)n);
            int code = n >= least ? add_gram(words, hash) : XY_OK;
            if (code < 0)
                return code;
        }
    }
    return XY_OK;
}

int words_split(struct words *words, xy_str text, bool characters, int least, int most)
{
    words->count = words->unit_count = 0;
    if (text.len == 0)
        return XY_OK;
    size_t length;
    char *folded = fold(text, &length);
    if (!folded)
        return XY_ENOMEM;
    int code = characters ? split_characters(words, folded, length)
                          : split_words(words, folded, length);
    if (code == XY_OK)
        code = hash_grams(words, folded, least, most);
    free(folded);
    return code;
}

void words_free(struct words *words)
{
    free(words->grams);
    free(words->starts);
    free(words->ends);
    memset(words, 0, sizeof(*words));
}
