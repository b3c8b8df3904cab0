/* SPDX-License-Identifier: Apache-2.0 */
#include "sparql.h"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* Behind the string that begins at `at`, in one or three quotes of either kind. */
static size_t skip_string(xy_str query, size_t at)
{
    char quote = query.ptr[at];
    bool three = at + 2 < query.len && query.ptr[at + 1] == quote && query.ptr[at + 2] == quote;
    for (at += three ? 3 : 1; at < query.len; at++) {
        if (query.ptr[at] == '\\')
            at++;
        else if (query.ptr[at] == quote && !three)
            return at + 1;
        else if (query.ptr[at] == quote && at + 2 < query.len && query.ptr[at + 1] == quote &&
                 query.ptr[at + 2] == quote)
            return at + 3;
    }
    return query.len;
}

/* Behind the IRI that begins at `at`; just behind the '<' where it is an operator. */
static size_t skip_iri(xy_str query, size_t at)
{
    for (size_t end = at + 1; end < query.len; end++) {
        if (query.ptr[end] == '>')
            return end + 1;
        if ((unsigned char)query.ptr[end] <= ' ' || strchr("<\"{}|^`\\", query.ptr[end]))
            break;
    }
    return at + 1;
}

static size_t skip_comment(xy_str query, size_t at)
{
    while (at < query.len && query.ptr[at] != '\n' && query.ptr[at] != '\r')
        at++;
    return at;
}

static bool word_is(xy_str word, const char *keyword)
{
    return word.len == strlen(keyword) && strncasecmp(word.ptr, keyword, word.len) == 0;
}

/* A word outside of braces. What follows PREFIX ends in ':' and is none of these. */
static void note_word(struct sparql_query *read, xy_str word, size_t at)
{
    static const char *const others[] = {"CONSTRUCT", "DESCRIBE", "INSERT", "DELETE", "LOAD",
                                         "CLEAR", "DROP", "CREATE", "WITH", NULL};
    if (read->form == 0 && word_is(word, "SELECT"))
        read->form = SPARQL_SELECT;
    if (read->form == 0 && word_is(word, "ASK"))
        read->form = SPARQL_ASK;
    for (size_t i = 0; read->form == 0 && others[i]; i++)
        if (word_is(word, others[i]))
            read->form = SPARQL_OTHER;
    read->limited = read->limited || word_is(word, "LIMIT") || word_is(word, "OFFSET");
    read->ordered = read->ordered || word_is(word, "ORDER");
    if (word_is(word, "VALUES"))
        read->end = at;
}

/* Behind what begins at `at` and is no word: a string, an IRI, a comment, or one character. */
static size_t skip_other(xy_str query, size_t at)
{
    switch (query.ptr[at]) {
    case '"': case '\'': return skip_string(query, at);
    case '<': return skip_iri(query, at);
    case '#': return skip_comment(query, at);
    default: return at + 1;
    }
}

struct sparql_query sparql_read(xy_str query)
{
    struct sparql_query read = {.end = query.len};
    unsigned depth = 0;
    for (size_t at = 0; at < query.len;) {
        char c = query.ptr[at];
        size_t from = at;
        if (!is_word(c) && c != '?' && c != '$') {
            depth += c == '{';
            depth -= c == '}' && depth > 0;
            at = skip_other(query, at);
            continue;
        }
        for (at++; at < query.len && is_word(query.ptr[at]); at++) {}
        bool prefix = at < query.len && query.ptr[at] == ':';
        if (depth == 0 && !prefix)
            note_word(&read, (xy_str){query.ptr + from, at - from}, from);
    }
    read.form = read.form ? read.form : SPARQL_OTHER;
    return read;
}

void sparql_page(xy_str query, const struct sparql_query *read, uint64_t limit, uint64_t offset,
                 struct text *out)
{
    if (limit == 0 || read->form != SPARQL_SELECT) {
        text_add_str(out, query);
        return;
    }
    text_add(out, query.ptr, read->end);
    text_add_literal(out, "\nLIMIT "); /* on a line of its own: a comment may stand before */
    text_add_integer(out, limit);
    if (offset) {
        text_add_literal(out, " OFFSET ");
        text_add_integer(out, offset);
    }
    text_add_literal(out, "\n");
    text_add(out, query.ptr + read->end, query.len - read->end);
}
