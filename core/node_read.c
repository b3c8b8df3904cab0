/* SPDX-License-Identifier: Apache-2.0 */
/* From YAML text to a tree, event by event, so that bounds are checked before memory is spent. */
#include "node.h"

#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

struct anchor {
    const char *name;
    const struct node *node;
    size_t size;        /* nodes below and including it */
    int depth;          /* levels below and including it */
    bool open;          /* still being read: an alias to it would never end */
    struct anchor *next;
};

struct reader {
    struct arena *arena;
    const char *file;
    xy_str text;
    yaml_parser_t parser;
    yaml_event_t event;
    struct anchor *anchors;
    size_t nodes;
    size_t line, line_offset; /* a line from 0 and the byte it starts at; only moves forward */
    struct error *error;
};

static struct node *read_node(struct reader *reader, int depth);

static int fail(struct reader *reader, yaml_mark_t mark, const char *text)
{
    error_set(reader->error, XY_EINVAL, "%s", text);
    return error_at(reader->error, reader->file, (int)mark.line + 1, (int)mark.column + 1);
}

/* libyaml gives a byte offset, not a mark, for text that it cannot decode. */
static yaml_mark_t mark_of_offset(xy_str text, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool line_end = c == '\n' || (c == '\r' && (i + 1 == text.len || text.ptr[i + 1] != '\n'));
        if (line_end) {
            mark.line++;
            mark.column = 0;
        } else if ((c & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

/* The bytes from a mark to the end of the text, for hints on what stands there. */
static xy_str text_at(const struct reader *reader, yaml_mark_t mark)
{
    size_t line = 0, i = 0;
    for (; i < reader->text.len && line < mark.line; i++)
        line += reader->text.ptr[i] == '\n';
    for (size_t column = 0; i < reader->text.len && column < mark.column; column++) {
        i++;
        while (i < reader->text.len && ((unsigned char)reader->text.ptr[i] & 0xc0) == 0x80)
            i++;
    }
    return (xy_str){reader->text.ptr + i, reader->text.len - i};
}

static int fail_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "unreadable";
    if (parser->error == YAML_READER_ERROR) {
        yaml_mark_t mark = mark_of_offset(reader->text, parser->problem_offset);
        if (strcmp(problem, "control characters are not allowed") == 0)
            error_set(reader->error, XY_EINVAL, "control character 0x%02x in the file",
                      (unsigned)parser->problem_value);
        else
            error_set(reader->error, XY_EINVAL, "text that is not UTF-8 (%s)", problem);
        return error_at(reader->error, reader->file, (int)mark.line + 1, (int)mark.column + 1);
    }
    yaml_mark_t mark = parser->problem_mark;
    error_set(reader->error, XY_EINVAL, "invalid YAML: %s", problem);
    error_at(reader->error, reader->file, (int)mark.line + 1, (int)mark.column + 1);
    xy_str rest = text_at(reader, mark);
    if (rest.len > 0 && rest.ptr[0] == '\t')
        error_hint(reader->error, "a tab cannot indent; use spaces");
    else if (rest.len > 0 && rest.ptr[0] == '%')
        error_hint(reader->error, "quote text that starts with `{%%`, or write it after `|`");
    else if (strcmp(problem, "mapping values are not allowed in this context") == 0)
        error_hint(reader->error, "quote text that contains `: `");
    else if (strcmp(problem, "did not find expected key") == 0)
        error_hint(reader->error, "check the indentation");
    return XY_EINVAL;
}

static bool next_event(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return true;
    fail_syntax(reader);
    return false;
}

static struct node *make_node(struct reader *reader, enum node_kind kind)
{
    yaml_mark_t mark = reader->event.start_mark;
    if (++reader->nodes > NODE_LIMIT) {
        fail(reader, mark, "more than 100000 values after aliases are followed");
        return NULL;
    }
    struct node *node = arena_alloc(reader->arena, sizeof(*node));
    node->kind = kind;
    node->file = reader->file;
    node->line = (int)mark.line + 1;
    node->column = (int)mark.column + 1;
    return node;
}

static void add_item(struct reader *reader, struct node *node, struct node *key, struct node *item)
{
    /* The arrays double at each power of two: the arena keeps at most as much again. */
    if ((node->count & (node->count - 1)) == 0) {
        size_t capacity = node->count ? node->count * 2 : 1;
        struct node **items = arena_alloc(reader->arena, capacity * sizeof(*items));
        if (node->count)
            memcpy(items, node->items, node->count * sizeof(*items));
        node->items = items;
        if (node->kind == NODE_MAP) {
            struct node **keys = arena_alloc(reader->arena, capacity * sizeof(*keys));
            if (node->count)
                memcpy(keys, node->keys, node->count * sizeof(*keys));
            node->keys = keys;
        }
    }
    if (node->kind == NODE_MAP)
        node->keys[node->count] = key;
    node->items[node->count++] = item;
}

static int compare_keys(const void *a, const void *b)
{
    const struct node *left = *(struct node *const *)a, *right = *(struct node *const *)b;
    size_t shorter = left->text.len < right->text.len ? left->text.len : right->text.len;
    int order = shorter ? memcmp(left->text.ptr, right->text.ptr, shorter) : 0;
    if (order == 0)
        order = (left->text.len > right->text.len) - (left->text.len < right->text.len);
    if (order == 0)
        order = left->line != right->line ? left->line - right->line : left->column - right->column;
    return order;
}

/* Sorting keeps a map of 50,000 keys as quick to check as to read. */
static int check_duplicates(struct reader *reader, const struct node *map)
{
    if (map->count < 2)
        return 0;
    struct node **sorted = memory_resize(NULL, map->count, sizeof(*sorted));
    memcpy(sorted, map->keys, map->count * sizeof(*sorted));
    qsort(sorted, map->count, sizeof(*sorted), compare_keys);
    const struct node *first = NULL, *again = NULL;
    for (size_t i = 1; i < map->count; i++) {
        if (!str_equal(sorted[i - 1]->text, sorted[i]->text))
            continue;
        bool earlier = !again || sorted[i]->line < again->line;
        if (earlier) {
            first = sorted[i - 1];
            again = sorted[i];
        }
    }
    free(sorted);
    if (!again)
        return 0;
    return node_error(again, reader->error, XY_EINVAL,
                      "duplicate key `%.*s`, given first on line %d", (int)again->text.len,
                      again->text.ptr, first->line);
}

static bool tag_is(const yaml_char_t *tag, const char *const *known)
{
    if (!tag)
        return true;
    for (; *known; known++) {
        if (strcmp((const char *)tag, *known) == 0)
            return true;
    }
    return false;
}

static int refuse_tag(struct reader *reader, const yaml_char_t *tag)
{
    char text[160];
    snprintf(text, sizeof(text), "unknown tag `%.80s`; a pipeline file has none but !!str",
             (const char *)tag);
    return fail(reader, reader->event.start_mark, text);
}

/* Spaces that the first line with text in it, from `line` on, starts with. */
static int block_indent(struct reader *reader, size_t line)
{
    xy_str text = reader->text;
    while (reader->line < line && reader->line_offset < text.len)
        reader->line += text.ptr[reader->line_offset++] == '\n';
    int indent = 0;
    for (size_t i = reader->line_offset; i < text.len; i++) {
        if (text.ptr[i] == '\n' || text.ptr[i] == '\r')
            indent = 0;
        else if (text.ptr[i] == ' ')
            indent++;
        else
            break;
    }
    return indent;
}

/* Where the text stands, so that an error within a template can be shown in the file. */
static void place_text(struct reader *reader, struct node *node)
{
    const yaml_event_t *event = &reader->event;
    bool bare = !event->data.scalar.anchor && !event->data.scalar.tag;
    if (event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE) {
        node->text_line = node->line + 1;
        node->text_indent = block_indent(reader, event->start_mark.line + 1);
    } else if (bare && event->start_mark.line == event->end_mark.line) {
        node->text_line = node->line;
        node->text_indent = node->column - (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
    }
}

static struct node *read_scalar(struct reader *reader)
{
    static const char *const known[] = {YAML_STR_TAG, "!", NULL};
    const yaml_char_t *tag = reader->event.data.scalar.tag;
    if (!tag_is(tag, known)) {
        refuse_tag(reader, tag);
        return NULL;
    }
    struct node *node = make_node(reader, NODE_SCALAR);
    if (!node)
        return NULL;
    size_t length = reader->event.data.scalar.length;
    node->text.ptr = arena_copy(reader->arena, reader->event.data.scalar.value, length);
    node->text.len = length;
    node->plain = !tag && reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    place_text(reader, node);
    return node;
}

/* An alias becomes a copy, so that substitution and --set change one place and not all of them. The
 * size is known before anything is copied: a bomb costs nothing. */
static struct node *read_alias(struct reader *reader, int depth)
{
    const char *name = (const char *)reader->event.data.alias.anchor;
    yaml_mark_t mark = reader->event.start_mark;
    const struct anchor *anchor = reader->anchors;
    while (anchor && strcmp(anchor->name, name) != 0)
        anchor = anchor->next;
    char text[160];
    if (!anchor) {
        snprintf(text, sizeof(text), "unknown alias `*%.80s`; an anchor comes before its aliases",
                 name);
        fail(reader, mark, text);
        return NULL;
    }
    if (anchor->open) {
        snprintf(text, sizeof(text), "the alias `*%.80s` stands inside what it names", name);
        fail(reader, mark, text);
        return NULL;
    }
    if (depth + anchor->depth - 1 > NODE_DEPTH) {
        fail(reader, mark, "nested more than 64 levels deep after aliases are followed");
        return NULL;
    }
    if (reader->nodes + anchor->size > NODE_LIMIT) {
        fail(reader, mark, "more than 100000 values after aliases are followed");
        return NULL;
    }
    reader->nodes += anchor->size;
    return node_copy(reader->arena, anchor->node);
}

static bool read_items(struct reader *reader, struct node *node, int depth)
{
    bool map = node->kind == NODE_MAP;
    yaml_event_type_t end = map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    for (;;) {
        if (!next_event(reader))
            return false;
        if (reader->event.type == end)
            return true;
        struct node *key = NULL;
        if (map) {
            if (reader->event.type != YAML_SCALAR_EVENT) {
                fail(reader, reader->event.start_mark, "a key that is not plain text");
                error_hint(reader->error, "quote text that starts with `{{`");
                return false;
            }
            key = read_scalar(reader);
            if (key && key->plain && str_is(key->text, "<<")) {
                fail(reader, reader->event.start_mark, "the merge key `<<` is not YAML 1.2");
                error_hint(reader->error, "repeat the keys, or alias the whole map");
                return false;
            }
            if (!key || !next_event(reader))
                return false;
        }
        struct node *item = read_node(reader, depth + 1);
        if (!item)
            return false;
        add_item(reader, node, key, item);
    }
}

static struct anchor *add_anchor(struct reader *reader, const yaml_char_t *name,
                                 const struct node *node)
{
    if (!name)
        return NULL;
    struct anchor *anchor = arena_alloc(reader->arena, sizeof(*anchor));
    anchor->name = arena_copy(reader->arena, name, strlen((const char *)name));
    anchor->node = node;
    anchor->open = true;
    anchor->next = reader->anchors;
    reader->anchors = anchor;
    return anchor;
}

static struct node *read_collection(struct reader *reader, int depth)
{
    static const char *const map_tags[] = {YAML_MAP_TAG, NULL};
    static const char *const list_tags[] = {YAML_SEQ_TAG, NULL};
    bool map = reader->event.type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *tag = map ? reader->event.data.mapping_start.tag
                                 : reader->event.data.sequence_start.tag;
    if (!tag_is(tag, map ? map_tags : list_tags)) {
        refuse_tag(reader, tag);
        return NULL;
    }
    struct node *node = make_node(reader, map ? NODE_MAP : NODE_LIST);
    if (!node)
        return NULL;
    struct anchor *anchor =
        add_anchor(reader, map ? reader->event.data.mapping_start.anchor
                               : reader->event.data.sequence_start.anchor, node);
    if (!read_items(reader, node, depth))
        return NULL;
    if (map && check_duplicates(reader, node) < 0)
        return NULL;
    if (anchor) {
        anchor->size = node_size(node, &anchor->depth);
        anchor->open = false;
    }
    return node;
}

/* The value that starts with the current event. NULL with the error. */
static struct node *read_node(struct reader *reader, int depth)
{
    if (depth > NODE_DEPTH) {
        fail(reader, reader->event.start_mark, "nested more than 64 levels deep");
        return NULL;
    }
    switch (reader->event.type) {
    case YAML_ALIAS_EVENT:
        return read_alias(reader, depth);
    case YAML_SCALAR_EVENT: {
        struct node *node = read_scalar(reader);
        struct anchor *anchor =
            node ? add_anchor(reader, reader->event.data.scalar.anchor, node) : NULL;
        if (anchor) {
            anchor->size = 1;
            anchor->depth = 1;
            anchor->open = false;
        }
        return node;
    }
    default:
        return read_collection(reader, depth);
    }
}

static struct node *read_stream(struct reader *reader)
{
    if (!next_event(reader) || !next_event(reader)) /* stream start, then a document or the end */
        return NULL;
    if (reader->event.type == YAML_STREAM_END_EVENT) {
        struct node *node = make_node(reader, NODE_SCALAR);
        node->text = STR("");
        node->plain = true;
        return node;
    }
    if (!next_event(reader))
        return NULL;
    struct node *root = read_node(reader, 1);
    if (!root || !next_event(reader) || !next_event(reader)) /* document end, then what follows */
        return NULL;
    if (reader->event.type != YAML_STREAM_END_EVENT) {
        fail(reader, reader->event.start_mark, "a second document; a pipeline file has one");
        return NULL;
    }
    return root;
}

struct node *node_read_text(struct arena *arena, const char *file, xy_str text, struct error *error)
{
    struct reader reader = {
        .arena = arena,
        .file = arena_copy(arena, file, strlen(file)),
        .text = text,
        .error = error,
    };
    if (text.len > NODE_BYTES) {
        error_set(error, XY_EINVAL, "%zu bytes; a pipeline file has at most 16 MiB", text.len);
        error_at(error, file, 0, 0);
        return NULL;
    }
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0) {
        reader.text.ptr += 3;
        reader.text.len -= 3;
    }
    if (!yaml_parser_initialize(&reader.parser)) {
        error_set(error, XY_ENOMEM, "no memory for the YAML parser");
        return NULL;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.text.ptr,
                                 reader.text.len);
    struct node *root = read_stream(&reader);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return root;
}

struct node *node_read_file(struct arena *arena, const char *path, struct error *error)
{
    struct buffer buffer;
    buffer_init(&buffer, NODE_BYTES + 4096);
    struct node *root = NULL;
    FILE *file = fopen(path, "rbe");
    if (!file) {
        error_set(error, XY_EIO, "cannot be opened: %s", strerror(errno));
        error_at(error, path, 0, 0);
        goto out;
    }
    char block[4096];
    size_t got;
    do {
        got = fread(block, 1, sizeof(block), file);
    } while (got > 0 && buffer_append(&buffer, block, got) && buffer.length <= NODE_BYTES);
    if (ferror(file)) {
        error_set(error, XY_EIO, "cannot be read: %s", strerror(errno));
        error_at(error, path, 0, 0);
        goto out;
    }
    if (buffer.length > NODE_BYTES) {
        error_set(error, XY_EINVAL, "more than 16 MiB; a pipeline file has at most that");
        error_at(error, path, 0, 0);
        goto out;
    }
    root = node_read_text(arena, path, buffer_str(&buffer), error);
out:
    if (file)
        fclose(file);
    buffer_free(&buffer);
    return root;
}
