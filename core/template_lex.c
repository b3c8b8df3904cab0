/* SPDX-License-Identifier: Apache-2.0 */
/* Source text to tokens, rule for rule as jinja2/lexer.py: the same order of alternatives, so that
 * for example {{-5}} strips and {{ {} }} does not end early. */
#include "template_internal.h"

#include <string.h>
#include <utf8proc.h>

/* Where the lexer stands in the normalised source. */
struct lexer {
    struct compiler *compiler;
    xy_str source;
    size_t at;
    size_t line_at; /* where the place below was computed for */
    uint32_t line, column;
    bool strip; /* white space before the next data is dropped */
    char open[TEMPLATE_DEPTH * 4];
    size_t open_count;
};

static bool starts(const struct lexer *lexer, size_t at, const char *text)
{
    size_t length = strlen(text);
    return at <= lexer->source.len && lexer->source.len - at >= length &&
           memcmp(lexer->source.ptr + at, text, length) == 0;
}

static int byte_at(const struct lexer *lexer, size_t at)
{
    return at < lexer->source.len ? (unsigned char)lexer->source.ptr[at] : -1;
}

/* Lines count from 1, columns in characters from 1. Only moves forward. */
static void place(struct lexer *lexer, size_t at, struct token *token)
{
    while (lexer->line_at < at) {
        unsigned char c = (unsigned char)lexer->source.ptr[lexer->line_at++];
        if (c == '\n') {
            lexer->line++;
            lexer->column = 1;
        } else if ((c & 0xc0) != 0x80)
            lexer->column++;
    }
    token->line = lexer->line;
    token->column = lexer->column;
}

static struct token *push(struct lexer *lexer, enum token_type type, size_t from, size_t to)
{
    struct compiler *compiler = lexer->compiler;
    if (compiler->count == compiler->capacity) {
        compiler->capacity = compiler->capacity ? compiler->capacity * 2 : 64;
        compiler->tokens =
            memory_resize(compiler->tokens, compiler->capacity, sizeof(*compiler->tokens));
    }
    struct token *token = &compiler->tokens[compiler->count++];
    *token = (struct token){.type = (uint8_t)type, .text = {lexer->source.ptr + from, to - from}};
    place(lexer, from, token);
    return token;
}

static bool lex_fail(struct lexer *lexer, size_t at, const char *message)
{
    struct token token = {.type = TOKEN_END};
    place(lexer, at, &token);
    compile_fail(lexer->compiler, &token, "%s", message);
    return false;
}

static size_t skip_space(const struct lexer *lexer, size_t at)
{
    while (at < lexer->source.len) {
        size_t next = at;
        if (!point_is_space(point_next(lexer->source, &next)))
            break;
        at = next;
    }
    return at;
}

static void push_data(struct lexer *lexer, size_t from, size_t to, bool strip_right)
{
    if (lexer->strip) {
        size_t start = skip_space(lexer, from);
        from = start < to ? start : to;
        lexer->strip = false;
    }
    if (strip_right) {
        xy_str text = text_strip((xy_str){lexer->source.ptr + from, to - from}, NULL, 2);
        to = from + text.len;
    }
    if (to > from)
        push(lexer, TOKEN_DATA, from, to);
}

/* Matches [-+]?%} (or what `end` is) at `at`; the position behind it, or 0. */
static size_t match_end(struct lexer *lexer, size_t at, const char *end, bool plus, bool *strip)
{
    *strip = byte_at(lexer, at) == '-';
    if (*strip || (plus && byte_at(lexer, at) == '+'))
        at++;
    return starts(lexer, at, end) ? at + strlen(end) : 0;
}

/* At "{%": is it {% NAME %}? The position behind it, or 0. */
static size_t match_tag(struct lexer *lexer, size_t at, const char *name, bool plus, bool *strip)
{
    at += 2;
    if (byte_at(lexer, at) == '-' || byte_at(lexer, at) == '+')
        at++;
    at = skip_space(lexer, at);
    if (!starts(lexer, at, name))
        return 0;
    return match_end(lexer, skip_space(lexer, at + strlen(name)), "%}", plus, strip);
}

static bool lex_comment(struct lexer *lexer)
{
    size_t begin = lexer->at;
    for (size_t at = begin + 2; at < lexer->source.len; at++) {
        /* A sign right behind {# belongs to the opening tag. */
        if (at == begin + 2 && (byte_at(lexer, at) == '-' || byte_at(lexer, at) == '+'))
            at++;
        bool strip;
        size_t end = match_end(lexer, at, "#}", true, &strip);
        if (end) {
            lexer->at = end;
            lexer->strip = strip;
            return true;
        }
    }
    return lex_fail(lexer, begin, "the comment that starts here has no end; expected #}");
}

static bool lex_raw(struct lexer *lexer, size_t from)
{
    for (size_t at = from; at < lexer->source.len; at++) {
        bool strip;
        if (!starts(lexer, at, "{%"))
            continue;
        size_t end = match_tag(lexer, at, "endraw", true, &strip);
        if (end) {
            push_data(lexer, from, at, byte_at(lexer, at + 2) == '-');
            lexer->at = end;
            lexer->strip = strip;
            return true;
        }
    }
    return lex_fail(lexer, lexer->at, "{% raw %} has no end; expected {% endraw %}");
}

static int hex_digits(xy_str text, size_t at, size_t count, uint32_t *out)
{
    uint32_t value = 0;
    if (text.len - at < count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char c = text.ptr[at + i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + (uint32_t)digit;
    }
    *out = value;
    return 0;
}

static size_t put_point(char *to, uint32_t point)
{
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)point, (utf8proc_uint8_t *)to);
}

/* Up to three octal digits, of which the first is `first`. */
static uint32_t octal_point(xy_str text, size_t *at, char first)
{
    uint32_t point = (uint32_t)(first - '0');
    for (int i = 0; i < 2 && *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '7'; i++)
        point = point * 8 + (uint32_t)(text.ptr[(*at)++] - '0');
    return point;
}

/* One escape as Python's unicode-escape codec reads it; `*at` stands behind the backslash. The
 * bytes written to `to`, or -1. An unknown escape keeps its backslash. */
static int unescape_one(xy_str text, size_t *at, char *to)
{
    static const char simple[] = "abfnrtv\\'\"", means[] = "\a\b\f\n\r\t\v\\'\"";
    char c = text.ptr[(*at)++];
    const char *found = c ? strchr(simple, c) : NULL;
    if (found) {
        *to = means[found - simple];
        return 1;
    }
    if (c == '\n')
        return 0;
    if (c >= '0' && c <= '7')
        return (int)put_point(to, octal_point(text, at, c));
    uint32_t point = 0;
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits) {
        if (hex_digits(text, *at, digits, &point) < 0 || point > 0x10ffff ||
            (point >= 0xd800 && point < 0xe000))
            return -1;
        *at += digits;
        return (int)put_point(to, point);
    }
    if (c == 'N')
        return -1;
    to[0] = '\\';
    to[1] = c;
    return 2;
}

static bool lex_string(struct lexer *lexer, char quote)
{
    size_t begin = lexer->at, end = begin + 1;
    while (byte_at(lexer, end) >= 0 && byte_at(lexer, end) != quote)
        end += byte_at(lexer, end) == '\\' ? 2 : 1;
    if (byte_at(lexer, end) != quote)
        return lex_fail(lexer, begin, "the string that starts here has no closing quote");
    xy_str text = {lexer->source.ptr + begin + 1, end - begin - 1};
    struct token *token = push(lexer, TOKEN_STRING, begin, end + 1);
    lexer->at = end + 1;
    if (!memchr(text.ptr, '\\', text.len)) {
        token->text = text;
        return true;
    }
    /* No escape is longer decoded than written, but for an unknown one, which stays as long. */
    char *plain = arena_alloc(lexer->compiler->arena, text.len + 8);
    size_t length = 0;
    for (size_t at = 0; at < text.len;) {
        if (text.ptr[at] != '\\') {
            plain[length++] = text.ptr[at++];
            continue;
        }
        at++;
        int written = unescape_one(text, &at, plain + length);
        if (written < 0)
            return lex_fail(lexer, begin,
                            "an escape in this string is not understood; expected "
                            "\\n, \\t, \\\\, \\', \\\", \\xHH, \\uHHHH or "
                            "\\UHHHHHHHH with a valid code point");
        length += (size_t)written;
    }
    token->text = (xy_str){plain, length};
    return true;
}

/* Digits with single underscores between them; the position behind, or `at` when there are none. */
static size_t match_digits(const struct lexer *lexer, size_t at, int base)
{
    size_t end = at;
    for (;;) {
        size_t next = end;
        if (next > at && byte_at(lexer, next) == '_')
            next++;
        int c = byte_at(lexer, next);
        int digit = c >= '0' && c <= '9'        ? c - '0'
                    : c >= 0 && (c | 32) >= 'a' ? (c | 32) - 'a' + 10
                                                : 99;
        if (digit >= base)
            return end;
        end = next + 1;
    }
}

static size_t match_float(const struct lexer *lexer)
{
    size_t at = lexer->at, whole = match_digits(lexer, at, 10);
    if (whole == at || (at > 0 && byte_at(lexer, at - 1) == '.'))
        return 0;
    size_t end = whole, found = 0;
    if (byte_at(lexer, end) == '.' && match_digits(lexer, end + 1, 10) > end + 1)
        found = end = match_digits(lexer, end + 1, 10);
    if ((byte_at(lexer, end) | 32) == 'e' && byte_at(lexer, end) > 0) {
        size_t digits =
            end + 1 + (byte_at(lexer, end + 1) == '+' || byte_at(lexer, end + 1) == '-');
        if (match_digits(lexer, digits, 10) > digits)
            found = match_digits(lexer, digits, 10);
    }
    return found;
}

static size_t match_integer(const struct lexer *lexer)
{
    size_t at = lexer->at;
    if (byte_at(lexer, at) != '0')
        return match_digits(lexer, at, 10);
    int letter = byte_at(lexer, at + 1) | 32;
    int base = letter == 'b' ? 2 : letter == 'o' ? 8 : letter == 'x' ? 16 : 0;
    if (base) {
        size_t digits = at + 2 + (byte_at(lexer, at + 2) == '_');
        size_t end = match_digits(lexer, digits, base);
        if (end > digits)
            return end;
    }
    return match_digits(lexer, at, 1);
}

static bool lex_number(struct lexer *lexer)
{
    size_t begin = lexer->at, end = match_float(lexer);
    bool is_float = end != 0, too_large = false;
    if (!is_float)
        end = match_integer(lexer);
    struct token *token = push(lexer, is_float ? TOKEN_FLOAT : TOKEN_INTEGER, begin, end);
    lexer->at = end;
    bool good = is_float ? number_parse_float(token->text, &token->number)
                         : number_parse_int(token->text, 0, &token->integer, &too_large);
    if (!good)
        return lex_fail(lexer, begin,
                        "this integer does not fit 64 bits; expected one between "
                        "-2^63 and 2^63 - 1");
    return true;
}

static bool lex_operator(struct lexer *lexer)
{
    static const char *const operators[] = {"**", "//", "==", "!=", ">=", "<=", "+", "-", "*",
                                            "/",  "%",  "~",  "<",  ">",  "=",  ".", ",", ":",
                                            "|",  "(",  ")",  "[",  "]",  "{",  "}"};
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (!starts(lexer, lexer->at, operators[i]))
            continue;
        char c = operators[i][0];
        if (c == '(' || c == '[' || c == '{') {
            if (lexer->open_count == sizeof(lexer->open))
                return lex_fail(lexer, lexer->at, "brackets are nested too deeply");
            lexer->open[lexer->open_count++] = c == '(' ? ')' : c == '[' ? ']' : '}';
        } else if (c == ')' || c == ']' || c == '}') {
            if (!lexer->open_count || lexer->open[--lexer->open_count] != c)
                return lex_fail(lexer, lexer->at, "this bracket closes none that is open");
        }
        size_t length = strlen(operators[i]);
        struct token *token = push(lexer, TOKEN_OPERATOR, lexer->at, lexer->at + length);
        memcpy(token->operator, operators[i], length + 1);
        lexer->at += length;
        return true;
    }
    return lex_fail(lexer, lexer->at,
                    "this character means nothing inside a tag; expected a name, "
                    "a number, a string or an operator");
}

/* One token inside {{ }} or {% %}. */
static bool lex_inside(struct lexer *lexer)
{
    size_t next = lexer->at;
    uint32_t point = point_next(lexer->source, &next);
    if (point >= '0' && point <= '9')
        return lex_number(lexer);
    if (point == '"' || point == '\'')
        return lex_string(lexer, (char)point);
    if (!point_is_word(point))
        return lex_operator(lexer);
    size_t begin = lexer->at;
    while (next < lexer->source.len) {
        size_t after = next;
        if (!point_is_word(point_next(lexer->source, &after)))
            break;
        next = after;
    }
    push(lexer, TOKEN_NAME, begin, next);
    lexer->at = next;
    return true;
}

/* The inside of a tag up to its end. `end` NULL: up to the end of the source. */
static bool lex_tag(struct lexer *lexer, const char *end, enum token_type end_type)
{
    lexer->open_count = 0;
    size_t begin = lexer->at;
    for (;;) {
        lexer->at = skip_space(lexer, lexer->at);
        bool strip;
        size_t behind = end && lexer->open_count == 0
                            ? match_end(lexer, lexer->at, end, end_type == TOKEN_BLOCK_END, &strip)
                            : 0;
        if (behind) {
            push(lexer, end_type, lexer->at, behind);
            lexer->at = behind;
            lexer->strip = strip;
            return true;
        }
        if (lexer->at >= lexer->source.len) {
            if (end)
                return lex_fail(lexer, begin,
                                end_type == TOKEN_BLOCK_END ? "this tag has no end; expected %}"
                                                            : "this tag has no end; expected }}");
            return true;
        }
        if (!lex_inside(lexer))
            return false;
    }
}

/* Where the next "{{", "{%" or "{#" begins; the source's end when there is none. */
static size_t next_mark(const struct lexer *lexer)
{
    size_t at = lexer->at;
    for (; at < lexer->source.len; at++) {
        int type = lexer->source.ptr[at] == '{' ? byte_at(lexer, at + 1) : 0;
        if (type == '{' || type == '%' || type == '#')
            break;
    }
    return at;
}

static bool lex_root(struct lexer *lexer)
{
    while (lexer->at < lexer->source.len) {
        size_t begin = lexer->at, at = next_mark(lexer);
        if (at >= lexer->source.len) {
            push_data(lexer, begin, at, false);
            lexer->at = at;
            return true;
        }
        push_data(lexer, begin, at, byte_at(lexer, at + 2) == '-');
        lexer->at = at;
        int type = byte_at(lexer, at + 1);
        bool strip, good;
        size_t raw = type == '%' ? match_tag(lexer, at, "raw", false, &strip) : 0;
        if (type == '#')
            good = lex_comment(lexer);
        else if (raw) {
            lexer->strip = strip;
            good = lex_raw(lexer, raw);
        } else {
            push(lexer, type == '%' ? TOKEN_BLOCK_BEGIN : TOKEN_OUTPUT_BEGIN, at, at + 2);
            lexer->at += 2;
            if (byte_at(lexer, lexer->at) == '-' || byte_at(lexer, lexer->at) == '+')
                lexer->at++;
            good = type == '%' ? lex_tag(lexer, "%}", TOKEN_BLOCK_END)
                               : lex_tag(lexer, "}}", TOKEN_OUTPUT_END);
        }
        if (!good)
            return false;
    }
    return true;
}

bool template_lex(struct compiler *compiler, bool expression)
{
    struct lexer *lexer = arena_alloc(compiler->arena, sizeof(*lexer));
    *lexer = (struct lexer){.compiler = compiler, .line = 1, .column = 1};
    /* "\r\n" and "\r" become "\n", as jinja2 does first of all. */
    char *plain = arena_alloc(compiler->arena, compiler->source.len + 1);
    size_t length = 0;
    for (size_t i = 0; i < compiler->source.len; i++) {
        char c = compiler->source.ptr[i];
        if (c == '\r') {
            c = '\n';
            i += i + 1 < compiler->source.len && compiler->source.ptr[i + 1] == '\n';
        }
        plain[length++] = c;
    }
    lexer->source = (xy_str){plain, length};
    for (size_t at = 0; at < length;) {
        size_t start = at;
        point_next(lexer->source, &at);
        if (at == start + 1 && (unsigned char)plain[start] >= 0x80)
            return lex_fail(lexer, start, "the source is not UTF-8 here");
    }
    bool good = expression ? lex_tag(lexer, NULL, TOKEN_OUTPUT_END) : lex_root(lexer);
    if (good)
        push(lexer, TOKEN_END, length, length);
    return good;
}
