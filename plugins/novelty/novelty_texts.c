/* SPDX-License-Identifier: Apache-2.0 */
#include "novelty_texts.h"

#include <stdlib.h>

#include "fold.h"

/* ---- words ----------------------------------------------------------------------------------- */

/* The lower-case ASCII letter or digit that begins at `at`, or 0. Two characters outside ASCII have
 * a lower case that begins with an ASCII letter: the Kelvin sign, and I with a dot, whose dot then
 * parts words. `*length` is that of the character in bytes. */
static char lower_at(xy_str text, size_t at, size_t *length)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr + at;
    size_t left = text.len - at;
    *length = 1;
    if (bytes[0] >= 'A' && bytes[0] <= 'Z')
        return (char)(bytes[0] + 32);
    if ((bytes[0] >= 'a' && bytes[0] <= 'z') || (bytes[0] >= '0' && bytes[0] <= '9'))
        return (char)bytes[0];
    if (left >= 3 && bytes[0] == 0xe2 && bytes[1] == 0x84 && bytes[2] == 0xaa) {
        *length = 3;
        return 'k';
    }
    if (left >= 2 && bytes[0] == 0xc4 && bytes[1] == 0xb0) {
        *length = 2;
        return 'i';
    }
    return 0;
}

static void fold_rouge(struct text *out, xy_str text)
{
    bool space = false;
    size_t length;
    for (size_t at = 0; at < text.len; at += length) {
        char letter = lower_at(text, at, &length);
        if (letter && space && out->length)
            text_add(out, " ", 1);
        if (letter)
            text_add(out, &letter, 1);
        space = !letter || length == 2;
    }
}

void texts_fold(struct text *out, xy_str text, enum unit unit)
{
    if (unit == UNIT_ROUGE)
        fold_rouge(out, text);
    else
        fold_add(out, text, FOLD_WORDS);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static int make_room(struct texts *texts, size_t words)
{
    if (texts->count + 1 >= texts->room) {
        size_t room = texts->room ? texts->room * 2 : 256;
        size_t *starts = realloc(texts->starts, room * sizeof(*starts));
        if (starts)
            texts->starts = starts;
        struct signature *signatures = realloc(texts->signatures, room * sizeof(*signatures));
        if (signatures)
            texts->signatures = signatures;
        if (!starts || !signatures)
            return XY_ENOMEM;
        texts->starts[0] = 0;
        texts->room = room;
    }
    if (texts->word_count + words > texts->word_room) {
        size_t room = (texts->word_count + words) * 2;
        uint32_t *larger = realloc(texts->words, room * sizeof(*larger));
        if (!larger)
            return XY_ENOMEM;
        texts->words = larger;
        texts->word_room = room;
    }
    return XY_OK;
}

/* The length in bytes of the word at `at`: up to the next space, or one character. */
static size_t word_length(const struct text *folded, size_t at, bool characters)
{
    const char *bytes = folded->bytes + at;
    size_t left = folded->length - at, length = 1;
    if (!characters) {
        const char *space = memchr(bytes, ' ', left);
        return space ? (size_t)(space - bytes) : left;
    }
    while (length < left && ((unsigned char)bytes[length] & 0xc0) == 0x80)
        length++;
    return length;
}

int texts_add(struct texts *texts, xy_str text, enum unit unit)
{
    text_clear(&texts->folded);
    texts_fold(&texts->folded, text, unit);
    size_t length = texts->folded.length;
    /* A word has a byte at least, so there are no more words than bytes. */
    if (texts->folded.failed || make_room(texts, length) < 0)
        return XY_ENOMEM;
    struct signature signature = {{0, 0}};
    for (size_t at = 0; at < length;) {
        if (texts->folded.bytes[at] == ' ') {
            at++;
            continue;
        }
        size_t bytes = word_length(&texts->folded, at, unit == UNIT_CHARACTERS);
        uint32_t word = names_add(&texts->vocabulary, (xy_str){texts->folded.bytes + at, bytes});
        if (word == NAMES_NONE)
            return XY_ENOMEM;
        /* Numbers go around the bits: the most frequent words, which come early, differ. */
        signature.bits[word % 128 / 64] |= UINT64_C(1) << (word % 64);
        texts->words[texts->word_count++] = word;
        at += bytes;
    }
    texts->signatures[texts->count] = signature;
    texts->starts[++texts->count] = texts->word_count;
    return XY_OK;
}

void texts_free(struct texts *texts)
{
    free(texts->words);
    free(texts->starts);
    free(texts->signatures);
    names_free(&texts->vocabulary);
    text_free(&texts->folded);
    *texts = (struct texts){0};
}
