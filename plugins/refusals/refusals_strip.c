/* SPDX-License-Identifier: Apache-2.0 */
#include "refusals_strip.h"

enum { LEAD_IN_MOST = 200, BEFORE_MOST = 40, SIGN_OFF_MOST = 400 }; /* bytes */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool ends_sentence(char c)
{
    return c == '.' || c == '!' || c == '?';
}

/* Nothing but marks stand before the phrase: quotes, stars, spaces, "¡", an emoji. */
static bool is_first(xy_str text, size_t start)
{
    for (size_t i = 0; i < start; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool letter = (unsigned char)((c | 0x20) - 'a') < 26 || (c >= '0' && c <= '9');
        bool mark = c == 0xc2 || c == 0xe2 || c == 0xf0 || (c & 0xc0) == 0x80;
        if (letter || (c >= 0x80 && !mark))
            return false;
    }
    return true;
}

/* Behind the stars and the like that close what was open before the lead-in. */
static size_t behind_marks(xy_str text, size_t at)
{
    while (at < text.len && (text.ptr[at] == '*' || text.ptr[at] == '_'))
        at++;
    return at;
}

static bool is_only_line(xy_str text, size_t end, size_t most)
{
    size_t next = end + 1;
    char last = end > 0 ? text.ptr[end - 1] : ' ';
    if (end >= text.len || end > most || !(ends_sentence(last) || last == ':' || last == '*'))
        return false;
    while (next < text.len && text.ptr[next] != '\n' && is_space(text.ptr[next]))
        next++;
    return next < text.len && text.ptr[next] == '\n';
}

/* The byte of the colon that ends the sentence, or of what ends it in another way; not beyond its
 * line. */
static size_t sentence_end(xy_str text, size_t at)
{
    for (; at < text.len && text.ptr[at] != '\n' && at < LEAD_IN_MOST; at++) {
        bool apart = at + 1 == text.len || is_space(text.ptr[at + 1]) || text.ptr[at + 1] == '*';
        if (apart && (text.ptr[at] == ':' || ends_sentence(text.ptr[at])))
            break;
    }
    return at;
}

size_t refusals_lead_in(xy_str text, const struct phrases_hit *hit)
{
    size_t at = hit->end;
    if (!is_first(text, hit->start))
        return 0;
    if (at < text.len && text.ptr[at] == '!')
        return behind_marks(text, at + 1);
    at = sentence_end(text, at);
    if (at < text.len && at < LEAD_IN_MOST && text.ptr[at] == ':')
        return behind_marks(text, at + 1);
    const char *line = at < text.len ? memchr(text.ptr + at, '\n', text.len - at) : NULL;
    size_t end = line ? (size_t)(line - text.ptr) : text.len;
    if (is_only_line(text, end, LEAD_IN_MOST))
        return end;
    /* "Sure! Here is why it rains": what is certain is the exclamation. */
    const char *mark = memchr(text.ptr + hit->start, '!', hit->end - hit->start);
    return mark ? behind_marks(text, (size_t)(mark + 1 - text.ptr)) : 0;
}

size_t refusals_sign_off(xy_str text, const struct phrases_hit *hit)
{
    size_t start = hit->start, newlines = 0;
    while (start > 0 && text.ptr[start - 1] != '\n' &&
           !(ends_sentence(text.ptr[start - 1]) && is_space(text.ptr[start])))
        start--;
    if (hit->start - start > BEFORE_MOST || text.len - start > SIGN_OFF_MOST)
        return SIZE_MAX;
    for (size_t i = hit->end; i < text.len; i++) {
        newlines += text.ptr[i] == '\n';
        if (newlines >= 2 && !is_space(text.ptr[i]))
            return SIZE_MAX; /* another paragraph follows */
    }
    return start;
}

static size_t rule_line(xy_str text) /* the length of a last line of marks alone, or 0 */
{
    size_t length = 0;
    while (length < text.len && strchr("-*=_", text.ptr[text.len - 1 - length]) != NULL)
        length++;
    return length >= 3 && (length == text.len || text.ptr[text.len - 1 - length] == '\n') ? length
                                                                                         : 0;
}

xy_str refusals_trim(xy_str text)
{
    size_t rule = 0;
    do {
        text.len -= rule;
        while (text.len && is_space(text.ptr[text.len - 1]))
            text.len--;
        rule = rule_line(text);
    } while (rule);
    while (text.len && is_space(text.ptr[0]))
        text = (xy_str){text.ptr + 1, text.len - 1};
    return text;
}
