/* SPDX-License-Identifier: Apache-2.0 */
/* The strict reader. It copies the whole text into the arena once and lets every string lie in that
 * copy, unescaped in place (an escape is never shorter than what it stands for): so a text costs no
 * allocation of its own, and the caller's text need not outlive the call. */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "json_internal.h"
#include "utf8.h"

/* Zero bytes behind the copy: the reader needs no bounds check, as a zero ends every token, and
 * may look at eight bytes at once. */
enum { PADDING = 8 };

struct reader {
    char *start, *at, *end;
    struct arena *arena;
    struct json_stack stack;
    int depth;
    const char *wrong;    /* what was expected or is not allowed; NULL while all is well */
    const char *wrong_at;
};

static bool fail_at(struct reader *reader, const char *at, const char *wrong)
{
    reader->wrong = wrong;
    reader->wrong_at = at;
    return false;
}

static bool fail(struct reader *reader, const char *wrong)
{
    return fail_at(reader, reader->at, wrong);
}

static inline void skip_space(struct reader *reader)
{
    char *at = reader->at;
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
        at++;
    reader->at = at;
}

/* Bytes of a string that need no look: neither quote, backslash, control nor non-ASCII. The test is
 * for eight bytes at once; it may stop early (borrows cross bytes), never late. */
static inline char *plain_end(char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    for (;;) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
        uint64_t stop = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                        (word - ones * 0x20) | word;
        if (stop & tops)
            break;
        at += sizeof(word);
    }
    while ((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* Reads the escape at reader->at (past "\u") and appends its code point to *to. */
static bool read_unicode_escape(struct reader *reader, char **to)
{
    int32_t unit = json_hexadecimal(reader->at);
    if (unit < 0)
        return fail(reader, "\\u needs four hexadecimal digits");
    uint32_t code_point = (uint32_t)unit;
    if (unit >= 0xd800 && unit <= 0xdfff) {
        bool pair = unit < 0xdc00 && reader->at[4] == '\\' && reader->at[5] == 'u';
        int32_t low = pair ? json_hexadecimal(reader->at + 6) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(reader, "half of a surrogate pair stands alone");
        code_point = 0x10000 + ((code_point - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        reader->at += 6;
    }
    reader->at += 4;
    *to += utf8_encode(code_point, *to);
    return true;
}

static bool read_escape(struct reader *reader, char **to)
{
    static const char plain[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    unsigned char letter = (unsigned char)reader->at[1];
    if (letter == 'u') {
        reader->at += 2;
        return read_unicode_escape(reader, to);
    }
    if (letter >= 128 || !plain[letter])
        return fail(reader, "this escape does not exist in JSON");
    *(*to)++ = plain[letter];
    reader->at += 2;
    return true;
}

/* reader->at stands behind the opening quote. */
static bool read_text(struct reader *reader, xy_str *out)
{
    char *start = reader->at, *to = start;
    for (;;) {
        char *from = reader->at;
        char *stop = plain_end(from);
        size_t length = (size_t)(stop - from);
        if (to != from)
            memmove(to, from, length);
        to += length;
        reader->at = stop;
        if (*stop == '"')
            break;
        if (*stop == '\\') {
            if (!read_escape(reader, &to))
                return false;
            continue;
        }
        if (stop == reader->end)
            return fail(reader, "a string needs its closing quote");
        if ((unsigned char)*stop < 0x20)
            return fail(reader, "a control character in a string must be escaped");
        bool valid;
        length = utf8_sequence(stop, (size_t)(reader->end - stop), &valid);
        if (!valid)
            return fail(reader, "this is not UTF-8");
        memmove(to, stop, length);
        to += length;
        reader->at += length;
    }
    reader->at++;
    *out = (xy_str){start, (size_t)(to - start)};
    return true;
}

static char *skip_digits(char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

static bool read_number(struct reader *reader, struct value *out)
{
    char *start = reader->at, *at = start + (*start == '-');
    char *digits = at;
    at = skip_digits(at);
    if (at == digits)
        return fail(reader, "a digit must follow the minus sign");
    if (*digits == '0' && at - digits > 1)
        return fail(reader, "a number must not start with a zero");
    if (*at == '.') {
        digits = ++at;
        at = skip_digits(at);
        if (at == digits)
            return fail(reader, "a digit must follow the decimal point");
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        digits = at;
        at = skip_digits(at);
        if (at == digits)
            return fail(reader, "a digit must follow the exponent's letter");
    }
    if (!json_number((xy_str){start, (size_t)(at - start)}, out))
        return fail(reader, "the number is past the range of a double");
    reader->at = at;
    return true;
}

static bool read_word(struct reader *reader, const char *word, struct value value,
                      struct value *out)
{
    size_t length = strlen(word);
    if (strncmp(reader->at, word, length) != 0)
        return fail(reader, "expected a value");
    reader->at += length;
    *out = value;
    return true;
}

static bool read_value(struct reader *reader, struct value *out);

static bool read_list(struct reader *reader, struct value *out)
{
    size_t base = reader->stack.count;
    skip_space(reader);
    bool more = *reader->at != ']';
    while (more) {
        struct value item;
        skip_space(reader);
        if (!read_value(reader, &item))
            return false;
        *json_stack_push(&reader->stack) = (struct member){.value = item};
        skip_space(reader);
        more = *reader->at == ',';
        if (!more && *reader->at != ']')
            return fail(reader, "expected `,` or `]`");
        reader->at += more;
    }
    reader->at++;
    *out = json_stack_list(&reader->stack, base, reader->arena);
    return true;
}

static bool read_map(struct reader *reader, struct value *out)
{
    size_t base = reader->stack.count;
    skip_space(reader);
    bool more = *reader->at != '}';
    while (more) {
        struct member member = {0};
        skip_space(reader);
        if (*reader->at != '"')
            return fail(reader, "expected a key in double quotes");
        reader->at++;
        if (!read_text(reader, &member.key))
            return false;
        skip_space(reader);
        if (*reader->at != ':')
            return fail(reader, "expected `:`");
        reader->at++;
        skip_space(reader);
        if (!read_value(reader, &member.value))
            return false;
        *json_stack_push(&reader->stack) = member;
        skip_space(reader);
        more = *reader->at == ',';
        if (!more && *reader->at != '}')
            return fail(reader, "expected `,` or `}`");
        reader->at += more;
    }
    reader->at++;
    *out = json_stack_map(&reader->stack, base, reader->arena);
    const struct member *twice = value_duplicate(out->map.members, out->map.count);
    return !twice || fail_at(reader, twice->key.ptr - 1, "this key stands in the object twice");
}

static bool read_nested(struct reader *reader, struct value *out)
{
    if (reader->depth == JSON_DEPTH)
        return fail(reader, "lists and objects are nested too deeply");
    reader->depth++;
    bool map = *reader->at++ == '{';
    bool good = map ? read_map(reader, out) : read_list(reader, out);
    reader->depth--;
    return good;
}

static bool read_value(struct reader *reader, struct value *out)
{
    switch (*reader->at) {
    case '{':
    case '[': return read_nested(reader, out);
    case '"':
        reader->at++;
        out->type = VALUE_TEXT;
        return read_text(reader, &out->text);
    case 't': return read_word(reader, "true", value_bool(true), out);
    case 'f': return read_word(reader, "false", value_bool(false), out);
    case 'n': return read_word(reader, "null", (struct value){.type = VALUE_NULL}, out);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return read_number(reader, out);
    default: return fail(reader, "expected a value");
    }
}

/* The place is counted in the caller's text, since the copy may have been unescaped in place. */
static int report(const struct reader *reader, xy_str text, struct error *error)
{
    size_t offset = (size_t)(reader->wrong_at - reader->start);
    int line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < offset; i++) {
        if (text.ptr[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    }
    size_t column = utf8_count((xy_str){text.ptr + line_start, offset - line_start}) + 1;
    if (offset == text.len)
        error_set(error, XY_EINVAL, "not JSON: %s, but the text ends", reader->wrong);
    else if (text.ptr[offset] > ' ' && text.ptr[offset] < 127)
        error_set(error, XY_EINVAL, "not JSON: %s, at `%c`", reader->wrong, text.ptr[offset]);
    else
        error_set(error, XY_EINVAL, "not JSON: %s", reader->wrong);
    return error_at(error, NULL, line, (int)column);
}

static int parse(struct arena *arena, xy_str text, struct value *out, size_t *used,
                 struct error *error)
{
    struct reader reader = {.arena = arena};
    reader.start = reader.at = arena_alloc(arena, text.len + PADDING);
    if (text.len)
        memcpy(reader.start, text.ptr, text.len);
    reader.end = reader.start + text.len;
    *out = (struct value){.type = VALUE_NULL};
    skip_space(&reader);
    bool good = read_value(&reader, out);
    if (good && !used) {
        skip_space(&reader);
        if (reader.at != reader.end)
            good = fail(&reader, "text follows the value");
    }
    json_stack_free(&reader.stack);
    if (used)
        *used = (size_t)(reader.at - reader.start);
    return good ? 0 : report(&reader, text, error);
}

int json_parse(struct arena *arena, xy_str text, struct value *out, struct error *error)
{
    return parse(arena, text, out, NULL, error);
}

int json_parse_prefix(struct arena *arena, xy_str text, struct value *out, size_t *used,
                      struct error *error)
{
    return parse(arena, text, out, used, error);
}

bool json_valid(xy_str text)
{
    struct arena arena = {0};
    struct value value;
    struct error error;
    bool valid = json_parse(&arena, text, &value, &error) == 0;
    arena_free(&arena);
    return valid;
}
