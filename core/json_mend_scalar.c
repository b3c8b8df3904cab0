/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "json_mend.h"
#include "utf8.h"

static bool is_word_byte(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 0x80 || isalnum(byte) || c == '_' || c == '$';
}

/* ---- quotes --------------------------------------------------------------------------------- */

enum quote { QUOTE_NONE, QUOTE_DOUBLE, QUOTE_SINGLE, QUOTE_CURLY_DOUBLE, QUOTE_CURLY_SINGLE };

static enum quote quote_at(const char *at, const char *end, size_t *length)
{
    *length = 1;
    if (at == end)
        return QUOTE_NONE;
    if (*at == '"')
        return QUOTE_DOUBLE;
    if (*at == '\'')
        return QUOTE_SINGLE;
    if (end - at < 3 || memcmp(at, "\xe2\x80", 2) != 0)
        return QUOTE_NONE;
    *length = 3;
    unsigned char last = (unsigned char)at[2];
    if (last >= 0x9c && last <= 0x9f)
        return QUOTE_CURLY_DOUBLE;
    return last >= 0x98 && last <= 0x9b ? QUOTE_CURLY_SINGLE : QUOTE_NONE;
}

static bool quotes_match(enum quote open, enum quote close)
{
    return close == open || (open == QUOTE_CURLY_DOUBLE && close == QUOTE_DOUBLE) ||
           (open == QUOTE_CURLY_SINGLE && close == QUOTE_SINGLE);
}

bool mender_at_quote(const struct mender *mender)
{
    size_t length;
    return quote_at(mender->at, mender->end, &length) != QUOTE_NONE;
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/* A key, quoted or bare, and its colon; or as much of that as the end of the answer lets stand. */
static bool looks_like_key(const char *at, const char *end)
{
    size_t length;
    enum quote open = quote_at(at, end, &length);
    if (open == QUOTE_NONE) {
        const char *start = at;
        while (at < end && (is_word_byte(*at) || *at == '-'))
            at++;
        if (at == start)
            return at == end;
    } else {
        at += length;
        while (at < end && !quotes_match(open, quote_at(at, end, &length)))
            at += *at == '\\' && end - at > 1 ? 2 : 1;
        if (at < end)
            at += length;
    }
    at = skip_space(at, end);
    return at == end || *at == ':';
}

/* Does a comma behind a quote part two items or members, or is it one of the text's own? */
static bool comma_parts(const char *behind, const char *end, enum mend_role role)
{
    const char *at = skip_space(behind, end);
    return role == MEND_ITEM || at == end || strchr("}],/#.", *at) || looks_like_key(at, end);
}

/* Does the text end at this quote, or is it one that should have been escaped? By what follows. */
static bool closes(const char *behind, const char *end, enum mend_role role)
{
    size_t length;
    const char *at = skip_space(behind, end);
    if (at == end || (end - at >= 3 && memcmp(at, "```", 3) == 0))
        return true;
    if (role == MEND_KEY)
        return *at == ':';
    if (*at == '}' || *at == ']' || *at == '#')
        return true;
    if (*at == '/')
        return end - at > 1 && (at[1] == '/' || at[1] == '*');
    if (*at == ',')
        return comma_parts(at + 1, end, role);
    /* A comma is missing. */
    if (at == behind || quote_at(at, end, &length) == QUOTE_NONE)
        return false;
    return role == MEND_ITEM || looks_like_key(at, end);
}

/* ---- texts ---------------------------------------------------------------------------------- */

static void append_code_point(struct buffer *buffer, uint32_t code_point)
{
    char bytes[4];
    buffer_append(buffer, bytes, utf8_encode(code_point, bytes));
}

/* mender->at stands on "\u". Half a pair becomes U+FFFD; what is no escape stays as it is. */
static void read_unicode_escape(struct mender *mender)
{
    enum { ESCAPE = 6, REPLACEMENT = 0xfffd };
    const char *at = mender->at;
    int32_t unit = mender->end - at >= ESCAPE ? json_hexadecimal(at + 2) : -1;
    if (unit < 0) {
        mender->mended = true;
        if (mender->end - at < ESCAPE) {
            mender->at = mender->end; /* cut inside the escape */
            return;
        }
        buffer_append(&mender->scratch, at, 2);
        mender->at += 2;
        return;
    }
    mender->at += ESCAPE;
    if (unit < 0xd800 || unit > 0xdfff) {
        append_code_point(&mender->scratch, (uint32_t)unit);
        return;
    }
    at = mender->at;
    bool pair = unit < 0xdc00 && mender->end - at >= ESCAPE && at[0] == '\\' && at[1] == 'u';
    int32_t low = pair ? json_hexadecimal(at + 2) : -1;
    if (low < 0xdc00 || low > 0xdfff) {
        mender->mended = true;
        append_code_point(&mender->scratch, REPLACEMENT);
        return;
    }
    mender->at += ESCAPE;
    append_code_point(&mender->scratch,
                      0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00));
}

static void read_escape(struct mender *mender)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (mender->end - mender->at < 2) {
        mender->at = mender->end; /* cut inside the escape */
        return;
    }
    char letter = mender->at[1];
    if (letter == 'u') {
        read_unicode_escape(mender);
        return;
    }
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found) {
        buffer_append_char(&mender->scratch, meanings[found - letters]);
        mender->at += 2;
        return;
    }
    mender->mended = true;
    mender->at++;
    if (letter == '\'' || letter == '\n') {
        buffer_append_char(&mender->scratch, letter);
        mender->at++;
    } else {
        /* A formula or a pattern: the backslash is meant. */
        buffer_append_char(&mender->scratch, '\\');
    }
}

static void read_plain(struct mender *mender)
{
    bool valid;
    size_t left = (size_t)(mender->end - mender->at);
    size_t length = utf8_sequence(mender->at, left, &valid);
    if (valid)
        buffer_append(&mender->scratch, mender->at, length);
    else if (length < left)
        buffer_append_text(&mender->scratch, "\xef\xbf\xbd"); /* else cut inside the sequence */
    if (!valid || (unsigned char)*mender->at < 0x20)
        mender->mended = true;
    mender->at += length;
}

enum mend mender_read_text(struct mender *mender, enum mend_role role, xy_str *out)
{
    size_t length;
    enum quote open = quote_at(mender->at, mender->end, &length);
    mender->at += length;
    mender->mended |= open != QUOTE_DOUBLE;
    buffer_clear(&mender->scratch);
    bool doubtful = false, closed = false;
    while (!closed && mender->at < mender->end) {
        const char *at = mender->at;
        if (*at == '\\') {
            read_escape(mender);
        } else if (quotes_match(open, quote_at(at, mender->end, &length))) {
            closed = closes(at + length, mender->end, role);
            if (!closed) {
                bool apostrophe = *at == '\'' && at + 1 < mender->end && is_word_byte(at[-1]) &&
                                  is_word_byte(at[1]);
                doubtful |= !apostrophe;
                mender->mended = true;
                buffer_append(&mender->scratch, at, length);
            }
            mender->at += length;
        } else {
            read_plain(mender);
        }
    }
    /* A text that has quotes but no end has probably swallowed what follows it. */
    if (!closed && doubtful)
        return MEND_FAILED;
    mender->mended |= !closed;
    *out = arena_str(mender->arena, buffer_str(&mender->scratch));
    return MEND_READ;
}

enum mend mender_read_key(struct mender *mender, xy_str *out)
{
    if (mender_at_quote(mender))
        return mender_read_text(mender, MEND_KEY, out);
    const char *start = mender->at;
    while (mender->at < mender->end && (is_word_byte(*mender->at) || *mender->at == '-'))
        mender->at++;
    xy_str key = {start, (size_t)(mender->at - start)};
    mender->mended = true;
    if (key.len == 0 || !utf8_valid(key))
        return MEND_FAILED;
    *out = arena_str(mender->arena, key);
    return MEND_READ;
}

/* ---- numbers and words
 * ------------------------------------------------------------------------ */

/* Copies digits, without the underscores that Python allows; returns how many. */
static size_t copy_digits(struct mender *mender)
{
    size_t before = mender->scratch.length;
    for (; isdigit((unsigned char)mender_peek(mender)) || mender_peek(mender) == '_';
         mender->at++) {
        if (*mender->at != '_')
            buffer_append_char(&mender->scratch, *mender->at);
        else
            mender->mended = true;
    }
    return mender->scratch.length - before;
}

/* Drops the zeros that JSON does not allow in front, all but the last digit's. */
static void drop_leading_zeros(struct mender *mender, size_t digits_at)
{
    struct buffer *scratch = &mender->scratch;
    size_t zeros = 0, count = scratch->length - digits_at;
    while (zeros + 1 < count && scratch->bytes[digits_at + zeros] == '0')
        zeros++;
    if (zeros == 0)
        return;
    memmove(scratch->bytes + digits_at, scratch->bytes + digits_at + zeros, count - zeros);
    scratch->length -= zeros;
    scratch->bytes[scratch->length] = '\0';
    mender->mended = true;
}

static void copy_exponent(struct mender *mender)
{
    size_t before = mender->scratch.length;
    buffer_append_char(&mender->scratch, 'e');
    mender->at++;
    if (mender_peek(mender) == '+' || mender_peek(mender) == '-')
        buffer_append_char(&mender->scratch, *mender->at++);
    if (copy_digits(mender) == 0) { /* cut inside the exponent */
        mender->scratch.length = before;
        mender->scratch.bytes[before] = '\0';
        mender->mended = true;
    }
}

static bool number_ends(const struct mender *mender)
{
    char c = mender_peek(mender);
    return mender->at == mender->end || (c && strchr(" \t\r\n,]}/#`", c));
}

enum mend mender_read_number(struct mender *mender, struct value *out)
{
    buffer_clear(&mender->scratch);
    char sign = *mender->at;
    if (sign == '-')
        buffer_append_char(&mender->scratch, '-');
    if (sign == '-' || sign == '+') {
        mender->at++;
        mender->mended |= sign == '+';
        if (mender->at == mender->end)
            return MEND_NOTHING;
        if ((*mender->at | 0x20) == 'i')
            return mender_read_word(mender, out);
    }
    size_t digits_at = mender->scratch.length;
    size_t digits = copy_digits(mender);
    if (digits == 0)
        buffer_append_char(&mender->scratch, '0'); /* .5 */
    else
        drop_leading_zeros(mender, digits_at);
    if (mender_peek(mender) == '.') {
        mender->at++;
        buffer_append_char(&mender->scratch, '.');
        size_t fraction = copy_digits(mender);
        if (fraction == 0)
            buffer_append_char(&mender->scratch, '0'); /* 5. */
        mender->mended |= digits == 0 || fraction == 0;
        digits += fraction;
    }
    if (digits > 0 && (mender_peek(mender) | 0x20) == 'e')
        copy_exponent(mender);
    if (digits == 0 || !number_ends(mender))
        return MEND_FAILED;
    if (!json_number(buffer_str(&mender->scratch), out)) { /* as Infinity is written */
        mender->mended = true;
        *out = (struct value){.type = VALUE_NULL};
    }
    return MEND_READ;
}

enum mend mender_read_word(struct mender *mender, struct value *out)
{
    static const struct {
        const char *word;
        struct value value;
    } words[] = {
        {"true", {.type = VALUE_BOOL, .boolean = true}},
        {"false", {.type = VALUE_BOOL, .boolean = false}},
        {"null", {.type = VALUE_NULL}},
        {"None", {.type = VALUE_NULL}},
        {"NaN", {.type = VALUE_NULL}},
        {"Infinity", {.type = VALUE_NULL}},
        {"inf", {.type = VALUE_NULL}},
        {"undefined", {.type = VALUE_NULL}},
    };
    const char *start = mender->at;
    while (mender->at < mender->end && is_word_byte(*mender->at))
        mender->at++;
    size_t length = (size_t)(mender->at - start);
    bool cut = mender->at == mender->end;
    for (size_t i = 0; length > 0 && i < sizeof(words) / sizeof(*words); i++) {
        size_t whole = strlen(words[i].word);
        if (length > whole || strncasecmp(start, words[i].word, length) != 0 ||
            (length < whole && !cut))
            continue;
        mender->mended |= length < whole || i > 2 || memcmp(start, words[i].word, length) != 0;
        *out = words[i].value;
        return MEND_READ;
    }
    return MEND_FAILED;
}
