/* SPDX-License-Identifier: Apache-2.0 */
#include "json_reader.h"
#include "utf8.h"

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

/* Passes over bytes that need no look, eight at a time: neither quote, backslash, control nor
 * beyond ASCII. It may stop early (a borrow crosses bytes), never late. */
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

/* After the opening quote; ends behind the closing one. */
static bool check_string(struct scan *scan)
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
    skip_space(scan);
    if (scan->at < scan->end && *scan->at == close) {
        scan->at++;
        return true;
    }
    for (;;) {
        skip_space(scan);
        if (object) {
            if (scan->at == scan->end || *scan->at++ != '"' || !check_string(scan))
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
        return check_string(scan);
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
