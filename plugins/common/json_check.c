/* SPDX-License-Identifier: Apache-2.0 */
#include "json_reader.h"
#include "utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { DEPTH_LIMIT = 64 };

struct scan {
    const unsigned char *at, *end;
};

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' ||
                                    *scan->at == '\r'))
        scan->at++;
}

static bool is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool check_escape(struct scan *scan)
{
    if (scan->at == scan->end)
        return false;
    unsigned char c = *scan->at++;
    if (c != 'u')
        return c && strchr("\"\\/bfnrt", c) != NULL;
    for (int i = 0; i < 4; i++, scan->at++)
        if (scan->at == scan->end || !is_hex(*scan->at))
            return false;
    return true;
}

/* Passes over bytes that need no look: neither quote, backslash, control nor beyond ASCII. It may
 * stop early, never late. */
#ifdef __SSE2__
static void skip_plain(struct scan *scan)
{
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    while (scan->end - scan->at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)scan->at);
        /* Compared with signs, bytes beyond ASCII are less than a space too. */
        __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote),
                                                 _mm_cmpeq_epi8(bytes, slash)),
                                    _mm_cmplt_epi8(bytes, space));
        unsigned found = (unsigned)_mm_movemask_epi8(stop);
        if (found) {
            scan->at += __builtin_ctz(found);
            return;
        }
        scan->at += 16;
    }
}
#else
static void skip_plain(struct scan *scan)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    while (scan->end - scan->at >= (ptrdiff_t)sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, scan->at, sizeof(word));
        uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
        if (((quote - ones) | (slash - ones) | (word - ones * 0x20) | word) & tops)
            return;
        scan->at += sizeof(word);
    }
}
#endif

/* After the opening quote; ends behind the closing one. `*escapes` is set where there are any. */
static bool check_string(struct scan *scan, bool *escapes)
{
    while (scan->at < scan->end) {
        skip_plain(scan);
        if (scan->at == scan->end)
            return false;
        unsigned char c = *scan->at;
        if (c >= 0x80) {
            size_t length = utf8_sequence(scan->at, scan->end);
            if (!length)
                return false;
            scan->at += length;
            continue;
        }
        scan->at++;
        if (c == '"')
            return true;
        if (c < 0x20 || (c == '\\' && !check_escape(scan)))
            return false;
        *escapes = *escapes || c == '\\';
    }
    return false;
}

static bool check_digits(struct scan *scan)
{
    const unsigned char *start = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return scan->at > start;
}

static bool check_number(struct scan *scan)
{
    if (scan->at < scan->end && *scan->at == '-')
        scan->at++;
    bool zero = scan->at < scan->end && *scan->at == '0';
    if (zero)
        scan->at++;
    else if (!check_digits(scan))
        return false;
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (!check_digits(scan))
            return false;
    }
    if (scan->at < scan->end && (*scan->at | 0x20) == 'e') {
        scan->at++;
        if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
            scan->at++;
        return check_digits(scan);
    }
    return true;
}

static bool check_word(struct scan *scan, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static bool check_value(struct scan *scan, int depth);

/* After the opening bracket. */
static bool check_container(struct scan *scan, bool object, int depth)
{
    unsigned char close = object ? '}' : ']';
    bool escapes = false;
    skip_space(scan);
    if (scan->at < scan->end && *scan->at == close) {
        scan->at++;
        return true;
    }
    for (;;) {
        skip_space(scan);
        if (object) {
            if (scan->at == scan->end || *scan->at++ != '"' || !check_string(scan, &escapes))
                return false;
            skip_space(scan);
            if (scan->at == scan->end || *scan->at++ != ':')
                return false;
        }
        if (!check_value(scan, depth))
            return false;
        skip_space(scan);
        if (scan->at == scan->end)
            return false;
        unsigned char c = *scan->at++;
        if (c == close)
            return true;
        if (c != ',')
            return false;
    }
}

static bool check_value(struct scan *scan, int depth)
{
    bool escapes = false;
    skip_space(scan);
    if (scan->at == scan->end || depth > DEPTH_LIMIT)
        return false;
    switch (*scan->at) {
    case '{':
    case '[':
        scan->at++;
        return check_container(scan, scan->at[-1] == '{', depth + 1);
    case '"':
        scan->at++;
        return check_string(scan, &escapes);
    case 't':
        return check_word(scan, "true");
    case 'f':
        return check_word(scan, "false");
    case 'n':
        return check_word(scan, "null");
    default:
        return check_number(scan);
    }
}

xy_str json_check(xy_str text)
{
    if (text.len == 0)
        return (xy_str){NULL, 0};
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    struct scan scan = {bytes, bytes + text.len};
    skip_space(&scan);
    const char *start = (const char *)scan.at;
    if (!check_value(&scan, 0))
        return (xy_str){NULL, 0};
    size_t length = (size_t)((const char *)scan.at - start);
    skip_space(&scan);
    return scan.at == scan.end ? (xy_str){start, length} : (xy_str){NULL, 0};
}

/* ---- one member after another ---------------------------------------------------------------- */

struct json_walk json_walk_begin(xy_str text)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    struct scan scan = {bytes, bytes + text.len};
    skip_space(&scan);
    bool object = scan.at < scan.end && *scan.at == '{';
    return (struct json_walk){(const char *)scan.at + object, text.ptr + text.len, object, !object,
                              true};
}

/* A string, its bytes between the quotes in `*inner`; scan->at stands on the opening one. */
static bool walk_string(struct scan *scan, xy_str *inner, bool *plain)
{
    const char *start = (const char *)++scan->at;
    bool escapes = false;
    if (!check_string(scan, &escapes))
        return false;
    *plain = !escapes;
    *inner = (xy_str){start, (size_t)((const char *)scan->at - start) - 1};
    return true;
}

static bool walk_value(struct scan *scan, struct json_walk_member *member)
{
    skip_space(scan);
    member->plain_value = false;
    if (scan->at < scan->end && *scan->at == '"') {
        if (!walk_string(scan, &member->value, &member->plain_value))
            return false;
        member->value = (xy_str){member->value.ptr - 1, member->value.len + 2};
        return true;
    }
    const char *start = (const char *)scan->at;
    if (!check_value(scan, 1))
        return false;
    member->value = (xy_str){start, (size_t)((const char *)scan->at - start)};
    return true;
}

/* Between two members, or behind the last one: then the walk is no longer inside. */
static bool walk_separator(struct scan *scan, struct json_walk *walk)
{
    skip_space(scan);
    if (scan->at == scan->end)
        return false;
    if (*scan->at == '}') {
        scan->at++;
        skip_space(scan);
        walk->inside = false;
        return scan->at == scan->end;
    }
    if (walk->first)
        return true;
    if (*scan->at++ != ',')
        return false;
    skip_space(scan);
    return true;
}

bool json_walk_next(struct json_walk *walk, struct json_walk_member *member)
{
    struct scan scan = {(const unsigned char *)walk->at, (const unsigned char *)walk->end};
    if (!walk->inside)
        return false;
    walk->wrong = !walk_separator(&scan, walk);
    if (walk->inside && !walk->wrong) {
        walk->wrong = scan.at == scan.end || *scan.at != '"' ||
                      !walk_string(&scan, &member->key, &member->plain_key);
        skip_space(&scan);
        walk->wrong = walk->wrong || scan.at == scan.end || *scan.at++ != ':' ||
                      !walk_value(&scan, member);
    }
    walk->inside = walk->inside && !walk->wrong;
    walk->first = false;
    walk->at = (const char *)scan.at;
    return walk->inside;
}

bool json_walk_end(const struct json_walk *walk)
{
    return !walk->inside && !walk->wrong;
}
