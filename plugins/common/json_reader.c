/* SPDX-License-Identifier: Apache-2.0 */
#include "json_reader.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>

/* Everything here walks only over text that json_check() has accepted. */

char json_kind(xy_str value)
{
    if (value.len == 0)
        return 0;
    char c = value.ptr[0];
    return c == '-' || (c >= '0' && c <= '9') ? '0' : c;
}

static const char *after_space(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
        at++;
    return at;
}

/* Goes from quote to quote; one behind an odd number of backslashes does not end the string. */
static const char *after_string(const char *at, const char *end)
{
    const char *start = at + 1;
    for (;;) {
        at = memchr(at + 1, '"', (size_t)(end - at - 1));
        const char *slash = at;
        while (slash > start && slash[-1] == '\\')
            slash--;
        if ((at - slash) % 2 == 0)
            return at + 1;
    }
}

/* Behind a number or a word: where anything stands that ends one. */
static const char *after_scalar(const char *at, const char *end)
{
    while (at < end && !memchr(",}] \n\t\r", *at, 7))
        at++;
    return at;
}

static const char *after_value(const char *at, const char *end)
{
    if (*at == '"')
        return after_string(at, end);
    if (*at != '{' && *at != '[')
        return after_scalar(at, end);
    size_t depth = 0;
    do {
        if (*at == '"') {
            at = after_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    } while (depth);
    return at;
}

bool json_next(xy_str container, struct json_cursor *cursor, xy_str *key, xy_str *value)
{
    char kind = json_kind(container);
    if (kind != '{' && kind != '[')
        return false;
    const char *end = container.ptr + container.len;
    const char *at = after_space(cursor->at ? cursor->at : container.ptr + 1);
    if (cursor->at && *at == ',')
        at = after_space(at + 1);
    if (*at == '}' || *at == ']')
        return false;
    if (kind == '{') {
        const char *after = after_string(at, end);
        *key = (xy_str){at + 1, (size_t)(after - at) - 2};
        at = after_space(after_space(after) + 1);
    }
    const char *after = after_value(at, end);
    *value = (xy_str){at, (size_t)(after - at)};
    cursor->at = after;
    return true;
}

size_t json_count(xy_str container)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    size_t count = 0;
    while (json_next(container, &cursor, &key, &value))
        count++;
    return count;
}

static bool same(xy_str text, const char *word, size_t length)
{
    return text.len == length && memcmp(text.ptr, word, length) == 0;
}

static xy_str member(xy_str object, const char *key, size_t length)
{
    struct json_cursor cursor = {NULL};
    xy_str name, value;
    if (json_kind(object) == '{')
        while (json_next(object, &cursor, &name, &value))
            if (same(name, key, length))
                return value;
    return (xy_str){NULL, 0};
}

static xy_str item(xy_str array, const char *index, size_t length)
{
    size_t wanted = 0;
    for (size_t i = 0; i < length; i++)
        wanted = wanted * 10 + (size_t)(index[i] - '0');
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    while (json_next(array, &cursor, &key, &value))
        if (wanted-- == 0)
            return value;
    return (xy_str){NULL, 0};
}

xy_str json_member(xy_str object, const char *key)
{
    return member(object, key, strlen(key));
}

void json_members(xy_str object, const char *const *keys, xy_str *values, size_t count)
{
    struct json_cursor cursor = {NULL};
    xy_str name, value;
    memset(values, 0, count * sizeof(*values));
    while (json_kind(object) == '{' && json_next(object, &cursor, &name, &value))
        for (size_t i = 0; i < count; i++)
            if (!values[i].len && name.len && name.ptr[0] == keys[i][0] &&
                same(name, keys[i], strlen(keys[i])))
                values[i] = value;
}

xy_str json_path(xy_str value, const char *path)
{
    while (value.len && *path) {
        size_t length = strcspn(path, ".");
        value = json_kind(value) == '[' ? item(value, path, length) : member(value, path, length);
        path += length + (path[length] == '.');
    }
    return value;
}

bool json_is(xy_str value, const char *string)
{
    return json_kind(value) == '"' &&
           same((xy_str){value.ptr + 1, value.len - 2}, string, strlen(string));
}

/* ---- leaves ---------------------------------------------------------------------------------- */

static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", NULL);
}

/* Any number, correctly rounded. The slice may end where its memory ends: strtod needs a copy. */
static double rounded(xy_str value, double otherwise)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char *text = malloc(value.len + 1);
    pthread_once(&once, make_c_locale);
    if (!text || !c_locale) {
        free(text);
        return otherwise;
    }
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    double number = strtod_l(text, NULL, c_locale);
    free(text);
    return number;
}

/* "-12" behind the `e` of a number, kept within what an int holds. */
static int exponent_of(const char *at, const char *end)
{
    int sign = *at == '-' ? -1 : 1, given = 0;
    for (at += *at == '-' || *at == '+'; at < end; at++)
        if (given < 10000)
            given = given * 10 + (*at - '0');
    return sign * given;
}

double json_number(xy_str value, double otherwise)
{
    if (json_kind(value) != '0')
        return otherwise;
    const char *at = value.ptr, *end = value.ptr + value.len;
    bool negative = *at == '-';
    uint64_t digits = 0;
    int exponent = 0;
    bool fraction = false;
    for (at += negative; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at == '.') {
            fraction = true;
        } else if (digits < UINT64_C(1000000000000000000)) { /* 18 digits and one more fit */
            digits = digits * 10 + (uint64_t)(*at - '0');
            exponent -= fraction;
        } else {
            exponent += !fraction;
        }
    }
    if (at < end)
        exponent += exponent_of(at + 1, end);
    /* Exact in one operation where both fit a double (Clinger 1990); else the library's
     * rounding. */
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double result;
    if (digits >= UINT64_C(1) << 53 || exponent < -22 || exponent > 22)
        return rounded(value, otherwise);
    result = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
    return negative ? -result : result;
}

static int hex(unsigned char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

static uint32_t unit(const char *at)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++)
        code = code << 4 | (uint32_t)hex((unsigned char)at[i]);
    return code;
}

static char *put_code_point(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

/* `*at` behind "\u"; moves it behind the escape, or behind both halves of a pair. */
static uint32_t code_point(const char **at, const char *end)
{
    uint32_t code = unit(*at);
    *at += 4;
    if (code < 0xd800 || code > 0xdfff)
        return code;
    if (code < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        uint32_t low = unit(*at + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *at += 6;
            return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return 0xfffd;
}

size_t json_decode(xy_str value, char *out)
{
    char *start = out;
    if (json_kind(value) != '"') {
        *out = '\0';
        return 0;
    }
    const char *at = value.ptr + 1, *end = value.ptr + value.len - 1;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        memcpy(out, at, plain);
        out += plain;
        at += plain;
        if (!escape)
            break;
        static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
        char c = at[1];
        at += 2;
        const char *name = strchr(names, c);
        if (c == 'u')
            out = put_code_point(out, code_point(&at, end));
        else
            *out++ = name ? meant[name - names] : c;
    }
    *out = '\0';
    return (size_t)(out - start);
}
