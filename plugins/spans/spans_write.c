/* SPDX-License-Identifier: Apache-2.0 */
#include "spans_write.h"

/* ---- members --------------------------------------------------------------------------------- */

/* A comma, unless a list or an object was just opened. */
static void separate(struct text *out)
{
    char last = out->length ? out->bytes[out->length - 1] : '[';
    if (last != '[' && last != '{')
        text_add_literal(out, ",");
}

static void add_key(struct text *out, const char *key)
{
    separate(out);
    text_add_json(out, xy_text(key));
    text_add_literal(out, ":");
}

static void add_string(struct text *out, const char *key, xy_str value)
{
    add_key(out, key);
    text_add_json(out, value);
}

static void add_integer(struct text *out, const char *key, size_t value)
{
    add_key(out, key);
    text_add_integer(out, value);
}

/* The members of an object, but for those that are written anew. */
static void add_others(struct text *out, xy_str object, const char *const *known)
{
    struct json_cursor cursor = {0};
    xy_str key, value;
    while (json_next(object, &cursor, &key, &value)) {
        bool other = true;
        for (size_t i = 0; known[i]; i++)
            other = other && !(strlen(known[i]) == key.len &&
                               memcmp(known[i], key.ptr, key.len) == 0);
        if (!other)
            continue;
        separate(out);
        text_add_str(out, (xy_str){key.ptr - 1, key.len + 2});
        text_add_literal(out, ":");
        text_add_str(out, value);
    }
}

static xy_str slice(xy_str text, struct place place)
{
    return (xy_str){text.ptr + place.start, place.end - place.start};
}

/* ---- mentions -------------------------------------------------------------------------------- */

static void add_said(struct text *out, const struct mention *mention, const struct rules *rules)
{
    add_string(out, rules->text_key, mention->surface.ptr ? mention->surface : xy_text(""));
    if (mention->type.ptr)
        add_string(out, rules->type_key, mention->type);
}

void write_mentions(const struct mentions *mentions, xy_str text, const struct rules *rules,
                    struct text *out)
{
    const char *const known[] = {rules->text_key, rules->type_key, "start", "end", "start_byte",
                                 "end_byte", "aligned", "why", NULL};
    text_add_literal(out, "[");
    for (size_t i = 0; i < mentions->count; i++) {
        const struct mention *mention = &mentions->items[i];
        if (mention->why && (rules->missing != MISSING_FLAG || mention->crossed))
            continue;
        separate(out);
        text_add_literal(out, "{");
        if (mention->why) {
            add_said(out, mention, rules);
            add_key(out, "aligned");
            text_add_literal(out, "false");
            add_string(out, "why", xy_text(mention->why));
        } else {
            add_string(out, rules->text_key, slice(text, mention->place));
            if (mention->type.ptr)
                add_string(out, rules->type_key, mention->type);
            size_t start = text_points(text, mention->place.start);
            add_integer(out, "start", start);
            add_integer(out, "end", start + text_points(slice(text, mention->place), SIZE_MAX));
            add_integer(out, "start_byte", mention->place.start);
            add_integer(out, "end_byte", mention->place.end);
        }
        add_others(out, mention->object, known);
        text_add_literal(out, "}");
    }
    text_add_literal(out, "]");
}

void write_unaligned(const struct mentions *mentions, const struct rules *rules, struct text *out)
{
    for (size_t i = 0; i < mentions->count; i++) {
        const struct mention *mention = &mentions->items[i];
        if (!mention->why)
            continue;
        separate(out);
        text_add_literal(out, "{");
        add_said(out, mention, rules);
        add_string(out, "why", xy_text(mention->why));
        text_add_literal(out, "}");
    }
}

/* ---- relations ------------------------------------------------------------------------------- */

/* The mention that an end of a relation means: by its number in the model's list, or the first of
 * its text. */
static const struct mention *find_end(const struct mentions *mentions, xy_str end, xy_str text,
                                      const struct rules *rules)
{
    double number = json_number(end, -1);
    xy_str surface = mentions_decode(mentions->job, end);
    for (size_t i = 0; i < mentions->count; i++) {
        const struct mention *mention = &mentions->items[i];
        if (mention->why)
            continue;
        if (surface.ptr ? text_same(slice(text, mention->place), surface, rules->match)
                        : (double)mention->said == number)
            return mention;
    }
    return NULL;
}

static void add_end(struct text *out, const char *key, const char *index_key, xy_str text,
                    const struct mention *mention)
{
    add_string(out, key, slice(text, mention->place));
    add_integer(out, index_key, mention->number);
}

static void add_refused(struct text *out, xy_str item, const char *why)
{
    const char *const known[] = {"why", NULL};
    separate(out);
    text_add_literal(out, "{");
    add_others(out, item, known);
    add_string(out, "why", xy_text(why));
    text_add_literal(out, "}");
}

struct relation_counts write_relations(const struct mentions *mentions, xy_str list, xy_str text,
                                       const struct rules *rules, struct text *out,
                                       struct text *unaligned)
{
    const char *const known[] = {"head", "head_index", "tail", "tail_index", NULL};
    struct relation_counts counts = {0};
    struct json_cursor cursor = {0};
    xy_str key, item;
    text_add_literal(out, "[");
    while (json_next(list, &cursor, &key, &item)) {
        const struct mention *head = find_end(mentions, json_member(item, "head"), text, rules);
        const struct mention *tail = find_end(mentions, json_member(item, "tail"), text, rules);
        counts.said++;
        if (!head || !tail) {
            const char *why = head ? "its tail is none of the mentions"
                                   : "its head is none of the mentions";
            add_refused(unaligned, item, why);
            counts.why = counts.why ? counts.why : why;
            continue;
        }
        counts.kept++;
        separate(out);
        text_add_literal(out, "{");
        add_end(out, "head", "head_index", text, head);
        add_end(out, "tail", "tail_index", text, tail);
        add_others(out, item, known);
        text_add_literal(out, "}");
    }
    text_add_literal(out, "]");
    return counts;
}

/* ---- tags ------------------------------------------------------------------------------------ */

/* Mentions are in the order of the text; the first that reaches into the token has it. `*from` is
 * the first mention that may still do so. */
static const struct mention *owner(const struct mentions *mentions, struct place token,
                                   size_t *from)
{
    while (*from < mentions->count && !mentions->items[*from].why &&
           mentions->items[*from].place.end <= token.start)
        ++*from;
    for (size_t i = *from; i < mentions->count; i++) {
        const struct mention *mention = &mentions->items[i];
        if (mention->why || mention->place.start >= token.end)
            break;
        if (mention->place.end > token.start)
            return mention;
    }
    return NULL;
}

void write_tags(const struct mentions *mentions, xy_str text, struct text *tokens,
                struct text *tags)
{
    const struct mention *last = NULL;
    struct place token;
    size_t at = 0, from = 0;
    text_add_literal(tokens, "[");
    text_add_literal(tags, "[");
    while (text_token(text, &at, &token)) {
        const struct mention *mention = owner(mentions, token, &from);
        separate(tokens);
        text_add_json(tokens, slice(text, token));
        separate(tags);
        if (!mention) {
            text_add_literal(tags, "\"O\"");
        } else {
            text_add_literal(tags, mention == last ? "\"I" : "\"B");
            if (mention->type.ptr) {
                text_add_literal(tags, "-");
                text_add_escaped(tags, mention->type);
            }
            text_add_literal(tags, "\"");
        }
        last = mention;
    }
    text_add_literal(tokens, "]");
    text_add_literal(tags, "]");
}
