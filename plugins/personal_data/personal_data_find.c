/* SPDX-License-Identifier: Apache-2.0 */
#include "personal_data_find.h"

#include <stdlib.h>

#include <arpa/inet.h>

bool personal_add(struct personal_spans *spans, size_t start, size_t end, uint32_t kind)
{
    if (spans->count == spans->room) {
        size_t room = spans->room * 2 + 8;
        struct personal_span *items = realloc(spans->items, room * sizeof(*items));
        if (!items)
            return false;
        spans->items = items;
        spans->room = room;
    }
    spans->items[spans->count++] = (struct personal_span){start, end, kind};
    return true;
}

/* ---- e-mail ---------------------------------------------------------------------------------- */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (unsigned char)(((unsigned char)c | 0x20) - 'a') < 26;
}

static bool is_local(char c)
{
    return is_alnum(c) || strchr("._%+-", c) != NULL;
}

/* Two characters or more, and no digit. */
static bool is_top_level(xy_str text, size_t label, size_t at)
{
    bool letters = at - label >= 2;
    for (size_t i = label; i < at; i++)
        letters = letters && !(text.ptr[i] >= '0' && text.ptr[i] <= '9');
    return letters;
}

/* The end of a domain name with a dot and a top level of two letters or more; 0 when there is none.
 * The dot that ends a sentence is no part of it. */
static size_t domain_end(xy_str text, size_t at)
{
    size_t end = 0, label = at, labels = 0;
    for (; at <= text.len && at - label <= 64; at++) {
        bool inside = at < text.len && (is_alnum(text.ptr[at]) || text.ptr[at] == '-');
        if (inside)
            continue;
        if (at == label || text.ptr[label] == '-' || text.ptr[at - 1] == '-')
            break;
        end = ++labels >= 2 && is_top_level(text, label, at) ? at : end;
        if (at == text.len || text.ptr[at] != '.')
            break;
        label = at + 1;
    }
    return end && !personal_wordly(text, end) ? end : 0;
}

/* Around the '@' at `at`. */
static size_t email(xy_str text, size_t at, size_t from, size_t *start)
{
    size_t first = at;
    while (first > from && at - first < 64 && is_local(text.ptr[first - 1]) &&
           text.ptr[first - 1] != '\0')
        first--;
    while (first < at && !is_alnum(text.ptr[first]))
        first++;
    if (first == at || text.ptr[at - 1] == '.' || (first > 0 && personal_wordly(text, first - 1)))
        return 0;
    *start = first;
    return domain_end(text, at + 1);
}

/* ---- IP addresses ---------------------------------------------------------------------------- */

/* The word just in front says that the numbers are a version. */
static bool is_version(xy_str text, size_t at)
{
    static const char *const words[] = {"version", "release", "build", "firmware", "section",
                                        "chapter", "ver.", "v", "v."};
    while (at > 0 && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == ':'))
        at--;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]), same = 0;
        while (same < length && at >= length &&
               ((unsigned char)text.ptr[at - length + same] | 0x20) ==
                   ((unsigned char)words[i][same] | 0x20))
            same++;
        if (same == length && (at == length || !personal_wordly(text, at - length - 1)))
            return true;
    }
    return false;
}

/* How many digits a number from 0 to 255 has at `at`, written without leading zeros; 0: none. */
static size_t octet(xy_str text, size_t at)
{
    unsigned value = 0;
    size_t length = 0;
    while (personal_digit(text, at + length) && length < 4)
        value = value * 10 + (unsigned)(text.ptr[at + length++] - '0');
    bool is = length <= 3 && value <= 255 && !(length > 1 && text.ptr[at] == '0');
    return is ? length : 0;
}

/* One of the four has two digits at least: "1.2.3.4" is a section. */
static size_t ip4(xy_str text, size_t at)
{
    size_t from = at, longest = 0;
    for (int part = 0; part < 4; part++) {
        size_t length = octet(text, at);
        if (length == 0)
            return 0;
        at += length;
        longest = length > longest ? length : longest;
        if (part < 3 && (at >= text.len || text.ptr[at++] != '.'))
            return 0;
    }
    bool goes_on = personal_wordly(text, at) ||
                   (at + 1 < text.len && (text.ptr[at] == '.' || text.ptr[at] == '-') &&
                    personal_wordly(text, at + 1));
    return goes_on || longest < 2 || is_version(text, from) ? 0 : at;
}

static bool is_hexadecimal(char c)
{
    return (c >= '0' && c <= '9') || (unsigned char)(((unsigned char)c | 0x20) - 'a') < 6;
}

static bool is_ip6(xy_str text)
{
    char address[INET6_ADDRSTRLEN + 1] = "";
    struct in6_addr parsed;
    if (text.len >= INET6_ADDRSTRLEN)
        return false;
    memcpy(address, text.ptr, text.len);
    return inet_pton(AF_INET6, address, &parsed) == 1;
}

/* The end of the run of hexadecimal digits and colons; how many groups of digits it has, and
 * whether a decimal one is there. */
static size_t ip6_run(xy_str text, size_t at, size_t *groups, bool *digit)
{
    size_t end = at;
    for (; end < text.len && (is_hexadecimal(text.ptr[end]) || text.ptr[end] == ':'); end++) {
        *groups += text.ptr[end] != ':' && (end == at || text.ptr[end - 1] == ':');
        *digit = *digit || personal_digit(text, end);
    }
    return end;
}

/* Around the first ':' at `at`. At least three groups and a digit: "::" and "a::b" stand in
 * code. */
static size_t ip6(xy_str text, size_t at, size_t from, size_t *start)
{
    size_t first = at, groups = 0;
    bool digit = false;
    while (first > from && at - first < 4 && is_hexadecimal(text.ptr[first - 1]))
        first--;
    if (first > 0 && (personal_wordly(text, first - 1) || text.ptr[first - 1] == ':'))
        return 0;
    size_t end = ip6_run(text, first, &groups, &digit);
    if (end > at + 2 && text.ptr[end - 1] == ':' && text.ptr[end - 2] != ':')
        end--; /* "from 2001:db8::1:" */
    if (groups < 3 || !digit || personal_wordly(text, end))
        return 0;
    *start = first;
    return is_ip6((xy_str){text.ptr + first, end - first}) ? end : 0;
}

/* ---- all ------------------------------------------------------------------------------------- */

/* Nothing of a number stands before `at`: no letter, digit or sign that would make it a part. */
static bool is_start(xy_str text, size_t at)
{
    if (at == 0)
        return true;
    if (personal_wordly(text, at - 1) || text.ptr[at - 1] == '_')
        return false;
    bool joined = strchr(".,-/+=", text.ptr[at - 1]) != NULL && at >= 2 &&
                  personal_wordly(text, at - 2);
    return !joined;
}

static size_t number(xy_str text, size_t at, uint32_t kinds, uint32_t *kind)
{
    static const struct {
        uint32_t kind;
        size_t (*read)(xy_str, size_t);
    } readers[] = {{CARD, personal_card}, {IP, ip4}, {PHONE, personal_phone}};
    bool digit = personal_digit(text, at);
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        *kind = readers[i].kind;
        size_t end = (kinds >> *kind & 1) && (digit || *kind == PHONE) ? readers[i].read(text, at)
                                                                      : 0;
        if (end)
            return end;
    }
    return 0;
}

/* What begins, or has its sign, at `at`; `from` is the end of the one before. */
static size_t find_at(xy_str text, size_t at, size_t from, uint32_t kinds,
                      struct personal_span *span)
{
    char c = text.ptr[at];
    span->start = at;
    if (c == '@') {
        span->kind = EMAIL;
        return kinds >> EMAIL & 1 ? email(text, at, from, &span->start) : 0;
    }
    if (c == ':') {
        span->kind = IP;
        return kinds >> IP & 1 ? ip6(text, at, from, &span->start) : 0;
    }
    if (c >= 'A' && c <= 'Z') {
        span->kind = IBAN;
        bool is = (kinds >> IBAN & 1) && personal_digit(text, at + 2) && is_start(text, at);
        return is ? personal_iban(text, at) : 0;
    }
    return is_start(text, at) ? number(text, at, kinds, &span->kind) : 0;
}

int personal_find(xy_str text, uint32_t kinds, struct personal_spans *spans)
{
    static const char interesting[256] = {
        ['@'] = 1, ['+'] = 1, ['('] = 1, [':'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1,
        ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1, ['A'] = 1, ['B'] = 1,
        ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1, ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1,
        ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1,
        ['S'] = 1, ['T'] = 1, ['U'] = 1, ['V'] = 1, ['X'] = 1};
    size_t from = 0;
    for (size_t at = 0; at < text.len; at++) {
        struct personal_span span;
        if (!interesting[(unsigned char)text.ptr[at]])
            continue;
        size_t end = find_at(text, at, from, kinds, &span);
        if (!end)
            continue;
        if (!personal_add(spans, span.start, end, span.kind))
            return XY_ENOMEM;
        from = end;
        at = end - 1;
    }
    return XY_OK;
}
