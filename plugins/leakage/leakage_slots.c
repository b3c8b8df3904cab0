/* SPDX-License-Identifier: Apache-2.0 */
#include "leakage_find.h"

enum { SLOT_MOST = 60 }; /* a longer pair of brackets is text */

static bool is_letter(char c)
{
    return (unsigned char)(((unsigned char)c | 0x20) - 'a') < 26;
}

static bool is_name(char c) /* of a variable */
{
    return is_letter(c) || c == '_' || (c >= '0' && c <= '9');
}

static bool same(xy_str text, size_t at, const char *word) /* without regard to case */
{
    size_t i = 0;
    while (word[i] && at + i < text.len &&
           (is_letter(word[i]) ? text.ptr[at + i] | 0x20 : text.ptr[at + i]) == word[i])
        i++;
    return !word[i];
}

/* Between brackets, from `at` to `end`: is it a word of a list, alone or (`first`) in front? */
static bool is_one_of(xy_str text, size_t at, size_t end, const char *const *words, bool first)
{
    for (; *words; words++) {
        size_t length = strlen(*words);
        if (at + length <= end && same(text, at, *words) &&
            (at + length == end || (first && !is_name(text.ptr[at + length]))))
            return true;
    }
    return false;
}

static size_t closing(xy_str text, size_t at, char bracket)
{
    for (size_t i = at; i < text.len && i - at <= SLOT_MOST && text.ptr[i] != '\n'; i++)
        if (text.ptr[i] == bracket)
            return i;
    return 0;
}

/* "{{ name }}" and "{% if %}"; `end` is the first closing brace. */
static size_t expression(xy_str text, size_t at, size_t end)
{
    bool block = text.ptr[at + 1] == '%';
    bool closed = block ? text.ptr[end - 1] == '%' && end > at + 3
                        : end + 1 < text.len && text.ptr[end + 1] == '}';
    size_t name = at + 2;
    while (name < end && (text.ptr[name] == ' ' || text.ptr[name] == '-'))
        name++;
    if (!closed || name == end || !is_name(text.ptr[name]))
        return 0;
    return end + (block ? 1 : 2) - at;
}

/* These, and "{name}", but no set, formula or code. */
static size_t braces(xy_str text, size_t at)
{
    size_t end = closing(text, at + 1, '}');
    if (!end || end == at + 1)
        return 0;
    char next = text.ptr[at + 1];
    if (next == '{' || next == '%')
        return expression(text, at, end);
    if (end - at < 3 || !is_letter(next) ||
        (at > 0 && (is_name(text.ptr[at - 1]) || strchr("\\^$}{#", text.ptr[at - 1]))))
        return 0;
    for (size_t i = at + 1; i < end; i++)
        if (!is_name(text.ptr[i]))
            return 0;
    return end + 1 - at;
}

/* Letters in capitals, with blanks and '_': a name for what is to stand there. */
static bool is_capitals(xy_str text, size_t at, size_t end)
{
    size_t letters = 0;
    for (size_t i = at; i < end; i++) {
        bool capital = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
        if (!capital && !strchr(" _-/'", text.ptr[i]) &&
            !(text.ptr[i] >= '0' && text.ptr[i] <= '9'))
            return false;
        letters += capital;
    }
    return letters >= 3;
}

static const char *const fronts[] = {"insert", "your", "enter", "add", "fill", "placeholder",
                                     "name of",
                                     "company name", "recipient", "link to", NULL};
static const char *const wholes[] = {
    "name", "date", "time", "company", "employer", "manager", "location", "city", "country",
    "address", "phone", "email", "title", "product", "text", "label", "topic", "number", "position",
    "first name", "last name", "phone number", "email address", "brand", "restaurant", "hotel",
    "url",
    NULL};

/* "[NAME]", "[Your Name]", "[Date]"; no footnote "[1]", no "[sic]", no link "[text](...)". */
static size_t square(xy_str text, size_t at)
{
    size_t end = closing(text, at + 1, ']');
    if (!end || end == at + 1)
        return 0;
    if (end + 1 < text.len && (text.ptr[end + 1] == '(' || text.ptr[end + 1] == '['))
        return 0;
    if (at > 0 && (is_name(text.ptr[at - 1]) || text.ptr[at - 1] == ']'))
        return 0; /* an index */
    bool is = is_capitals(text, at + 1, end) || is_one_of(text, at + 1, end, fronts, true) ||
              is_one_of(text, at + 1, end, wholes, false);
    return is ? end + 1 - at : 0;
}

/* "<NAME>", "<your text>", "<insert ...>"; no tag. */
static size_t angle(xy_str text, size_t at)
{
    static const char *const tags[] = {
        "html", "head", "body", "div", "span", "table", "tbody", "thead", "title", "form", "input",
        "button", "img", "pre", "code", "doctype", "script", "style", "font", "center", "strong",
        "meta", "link", "label", "select", "option", "textarea", "video", "audio", "canvas", "svg",
        "main", "nav", "section", "article", "header", "footer", "blockquote", "sub", "sup", NULL};
    size_t end = closing(text, at + 1, '>');
    if (!end || end == at + 1 || is_one_of(text, at + 1, end, tags, true))
        return 0;
    bool is = is_capitals(text, at + 1, end) || is_one_of(text, at + 1, end, fronts, true);
    return is ? end + 1 - at : 0;
}

/* A line "Insert your text here." */
static size_t insert_here(xy_str text, size_t at)
{
    bool begins = at == 0 || strchr("\n(*_:\"", text.ptr[at - 1]) != NULL;
    if (!begins || !same(text, at, "insert "))
        return 0;
    for (size_t i = at + 7; i + 4 <= text.len && i - at <= SLOT_MOST; i++) {
        if (strchr(".!?\n", text.ptr[i]))
            return 0;
        if (!same(text, i, "here") || is_name(text.ptr[i - 1]))
            continue;
        bool ends = i + 4 == text.len || strchr("\n.)*_\"", text.ptr[i + 4]) != NULL;
        return ends ? i + 4 - at : 0;
    }
    return 0;
}

static size_t slot_at(xy_str text, size_t at)
{
    switch (text.ptr[at]) {
    case '{': return braces(text, at);
    case '[': return square(text, at);
    case '<': return angle(text, at);
    case 'I':
    case 'i': return insert_here(text, at);
    case 'L':
    case 'l': return same(text, at, "lorem ipsum") ? 11 : 0;
    default: return 0;
    }
}

size_t leakage_slot(xy_str text, size_t from, size_t *at)
{
    static const char interesting[256] = {['{'] = 1, ['['] = 1, ['<'] = 1, ['I'] = 1, ['i'] = 1,
                                          ['L'] = 1, ['l'] = 1};
    for (size_t i = from; i < text.len; i++) {
        size_t length = interesting[(unsigned char)text.ptr[i]] ? slot_at(text, i) : 0;
        if (length) {
            *at = i;
            return length;
        }
    }
    return 0;
}
