/* SPDX-License-Identifier: Apache-2.0 */
#include "repetition_measure.h"

#include <stdlib.h>

#include <utf8proc.h>
#include <xxhash.h>

enum { STOP_WORDS_MOST = 64, LONGEST_STOP_WORD = 32 };

/* ---- characters ------------------------------------------------------------------------------ */

static uint32_t characters_of(xy_str text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* What a byte may be the first of: 1 white space of ASCII, 2 perhaps one beyond it. */
static const unsigned char classes[256] = {
    ['\t'] = 1, ['\n'] = 1, ['\v'] = 1, ['\f'] = 1, ['\r'] = 1, [' '] = 1, [0xc2] = 2, [0xe1] = 2,
    [0xe2] = 2, [0xe3] = 2};

static size_t space_beyond_ascii(const char *at, const char *end)
{
    static const char *const spaces[] = {
        "\xc2\x85", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
        "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f",
        "\u3000"};
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        size_t length = strlen(spaces[i]);
        if ((size_t)(end - at) >= length && memcmp(at, spaces[i], length) == 0)
            return length;
    }
    return 0;
}

/* The length in bytes of the white space at `at`, or 0: Unicode's White_Space. */
static inline size_t space_at(const char *at, const char *end)
{
    unsigned char class = classes[(unsigned char)*at];
    return class < 2 ? class : space_beyond_ascii(at, end);
}

static bool starts_with(xy_str text, const char *what)
{
    size_t length = strlen(what);
    return text.len >= length && memcmp(text.ptr, what, length) == 0;
}

static bool ends_with(xy_str text, const char *what)
{
    size_t length = strlen(what);
    return text.len >= length && memcmp(text.ptr + text.len - length, what, length) == 0;
}

static xy_str strip(xy_str text)
{
    const char *at = text.ptr, *end = at + text.len;
    size_t space;
    while (at < end && (space = space_at(at, end)) > 0)
        at += space;
    while (at < end) {
        const char *last = end - 1;
        while (last > at && ((unsigned char)*last & 0xc0) == 0x80)
            last--;
        if (!space_at(last, end))
            break;
        end = last;
    }
    return (xy_str){at, (size_t)(end - at)};
}

/* ---- lines ----------------------------------------------------------------------------------- */

struct lines {
    struct repetition_seen lines, paragraphs;
    uint64_t bullets, ellipses;
    const char *paragraph, *paragraph_end; /* the paragraph that is open, or NULL */
};

static bool is_bullet(xy_str line)
{
    static const char *const bullets[] = {"- ", "* ", "•", "‣", "◦", "●", "○", "■", "□", "▪", "▫",
                                          "⁃", "∙"};
    for (size_t i = 0; i < sizeof(bullets) / sizeof(bullets[0]); i++)
        if (starts_with(line, bullets[i]))
            return true;
    return false;
}

static bool end_paragraph(struct lines *lines)
{
    if (!lines->paragraph)
        return true;
    xy_str text = {lines->paragraph, (size_t)(lines->paragraph_end - lines->paragraph)};
    lines->paragraph = NULL;
    return repetition_see(&lines->paragraphs, text, characters_of(text));
}

static bool add_line(struct lines *lines, xy_str line)
{
    line = strip(line);
    if (line.len == 0)
        return end_paragraph(lines);
    lines->bullets += is_bullet(line);
    lines->ellipses += ends_with(line, "...") || ends_with(line, "…");
    if (!lines->paragraph)
        lines->paragraph = line.ptr;
    lines->paragraph_end = line.ptr + line.len;
    return repetition_see(&lines->lines, line, characters_of(line));
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static int measure_lines(xy_str text, double figures[FIGURES])
{
    struct lines lines = {0};
    const char *at = text.ptr, *end = at + text.len;
    bool good = true;
    while (good && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        good = add_line(&lines, (xy_str){at, (size_t)(stop - at)});
        at = stop + 1;
    }
    good = good && end_paragraph(&lines);
    const struct repetition_seen *all = &lines.lines, *runs = &lines.paragraphs;
    figures[DUPLICATE_LINES] = ratio(all->repeated, all->count);
    figures[DUPLICATE_LINE_CHARACTERS] = ratio(all->repeated_characters, all->characters);
    figures[DUPLICATE_PARAGRAPHS] = ratio(runs->repeated, runs->count);
    figures[DUPLICATE_PARAGRAPH_CHARACTERS] = ratio(runs->repeated_characters, runs->characters);
    figures[BULLET_LINES] = ratio(lines.bullets, all->count);
    figures[ELLIPSIS_LINES] = ratio(lines.ellipses, all->count);
    free(lines.lines.slots);
    free(lines.paragraphs.slots);
    return good ? XY_OK : XY_ENOMEM;
}

/* ---- words ----------------------------------------------------------------------------------- */

struct words {
    struct repetition_text text;
    const char *const *stop_words;
    uint64_t stop_words_seen;  /* bit i: stop_words[i] */
    uint64_t first_letters[4]; /* bit c: a stop word begins with the byte c */
    uint64_t alphabetic;
};

static bool is_letter(unsigned char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26;
}

static bool has_letter(xy_str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (is_letter((unsigned char)word.ptr[i]))
            return true;
    for (size_t i = 0; i < word.len;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)word.ptr + i,
                                                 (utf8proc_ssize_t)(word.len - i), &point);
        utf8proc_category_t category = used > 0 ? utf8proc_category(point) : UTF8PROC_CATEGORY_CN;
        if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO)
            return true;
        i += used > 0 ? (size_t)used : 1;
    }
    return false;
}

static bool is_mark(unsigned char c) /* ASCII punctuation */
{
    return c > ' ' && c < 0x7f && !is_letter(c) && !(c >= '0' && c <= '9');
}

static void prepare_stop_words(struct words *words)
{
    for (size_t i = 0; words->stop_words && words->stop_words[i] && i < STOP_WORDS_MOST; i++) {
        unsigned char first = (unsigned char)words->stop_words[i][0];
        words->first_letters[first >> 6] |= UINT64_C(1) << (first & 63);
    }
}

/* Stop words count without the punctuation around them, and in any case of letters. */
static xy_str without_marks(xy_str word)
{
    while (word.len && is_mark((unsigned char)word.ptr[0]))
        word = (xy_str){word.ptr + 1, word.len - 1};
    while (word.len && is_mark((unsigned char)word.ptr[word.len - 1]))
        word.len--;
    return word;
}

static void look_for_stop_word(struct words *words, xy_str word)
{
    char folded[LONGEST_STOP_WORD];
    word = without_marks(word);
    if (word.len == 0 || word.len >= LONGEST_STOP_WORD)
        return;
    unsigned char first = (unsigned char)word.ptr[0];
    first = first < 0x80 && is_letter(first) ? first | 0x20 : first;
    if (!(words->first_letters[first >> 6] >> (first & 63) & 1))
        return;
    for (size_t i = 0; i < word.len; i++)
        folded[i] = is_letter((unsigned char)word.ptr[i]) ? (char)(word.ptr[i] | 0x20)
                                                          : word.ptr[i];
    for (size_t i = 0; words->stop_words[i] && i < STOP_WORDS_MOST; i++)
        if (strlen(words->stop_words[i]) == word.len &&
            memcmp(words->stop_words[i], folded, word.len) == 0)
            words->stop_words_seen |= UINT64_C(1) << i;
}

static uint64_t count_of(xy_str text, const char *what)
{
    size_t length = strlen(what);
    uint64_t count = 0;
    const char *at = text.ptr, *end = at + text.len;
    while (at < end && (at = memmem(at, (size_t)(end - at), what, length)) != NULL) {
        count++;
        at += length;
    }
    return count;
}

static bool add_word(struct words *words, xy_str word)
{
    struct repetition_text *text = &words->text;
    if (text->count == text->room) {
        size_t room = text->room * 2 + 256;
        uint64_t *hashes = realloc(text->hashes, room * sizeof(*hashes));
        text->hashes = hashes ? hashes : text->hashes;
        uint32_t *lengths = hashes ? realloc(text->lengths, room * sizeof(*lengths)) : NULL;
        text->lengths = lengths ? lengths : text->lengths;
        if (!lengths)
            return false;
        text->room = room;
    }
    uint32_t length = characters_of(word);
    text->hashes[text->count] = XXH3_64bits(word.ptr, word.len);
    text->lengths[text->count++] = length;
    text->characters += length;
    words->alphabetic += is_letter((unsigned char)word.ptr[0]) || has_letter(word);
    look_for_stop_word(words, word);
    return true;
}

static int measure_words(struct words *words, xy_str text, int longest, double figures[FIGURES])
{
    const char *at = text.ptr, *end = at + text.len;
    prepare_stop_words(words);
    while (at < end) {
        size_t space = space_at(at, end);
        const char *from = at;
        if (space) {
            at += space;
            continue;
        }
        do
            at++; /* a byte in the middle of a character is no space */
        while (at < end && (!classes[(unsigned char)*at] || !space_at(at, end)));
        if (!add_word(words, (xy_str){from, (size_t)(at - from)}))
            return XY_ENOMEM;
    }
    uint64_t count = words->text.count;
    figures[HASHES] = ratio(count_of(text, "#"), count);
    figures[ELLIPSES] = ratio(count_of(text, "...") + count_of(text, "…"), count);
    figures[WORD_LENGTH] = ratio(words->text.characters, count);
    figures[ALPHABETIC] = ratio(words->alphabetic, count);
    figures[STOP_WORDS] = (double)__builtin_popcountll(words->stop_words_seen);
    figures[WORDS] = (double)count;
    return repetition_grams(&words->text, longest, figures);
}

int repetition_measure(xy_str text, const char *const *stop_words, int longest,
                       double figures[FIGURES])
{
    struct words words = {.stop_words = stop_words};
    for (int i = 0; i < FIGURES; i++)
        figures[i] = 0;
    int code = text.len ? measure_lines(text, figures) : XY_OK;
    if (code == XY_OK && text.len)
        code = measure_words(&words, text, longest, figures);
    free(words.text.hashes);
    free(words.text.lengths);
    return code;
}
