/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, typed members and messages: the small change of reading a pipeline file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "options_parse.h"
#include "pipeline_internal.h"

enum { FIELD_NAME = 127 };

void pipeline_fail(struct pipeline_reader *reader, const struct node *node, const char *hint,
                   const char *format, ...)
{
    struct error error;
    char text[sizeof(error.text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    node_error(node, &error, XY_EINVAL, "%s", text);
    if (hint)
        error_hint(&error, "%s", hint);
    error_list_add(reader->errors, &error);
}

const char *pipeline_nearest(struct pipeline_reader *reader, const char *word,
                             const char *const *names, size_t count)
{
    const char *nearest = nearest_name(word, names, count);
    return nearest ? arena_printf(reader->arena, "did you mean `%s`?", nearest) : NULL;
}

static size_t count_names(const char *const *names)
{
    size_t count = 0;
    while (names[count])
        count++;
    return count;
}

static bool has_option(const xy_option *options, xy_str key)
{
    for (; options && options->name; options++) {
        if (str_is(key, options->name))
            return true;
    }
    return false;
}

static const char *known_keys(struct pipeline_reader *reader, const char *const *known)
{
    struct buffer list;
    buffer_init(&list, 240);
    for (size_t i = 0; known[i]; i++)
        buffer_printf(&list, "%s%s", i ? ", " : "", known[i]);
    const char *text = arena_printf(reader->arena, "known keys: %s", list.bytes);
    buffer_free(&list);
    return text;
}

bool pipeline_check_keys(struct pipeline_reader *reader, const struct node *map,
                         const char *const *known, const char *where, const xy_option *under_with)
{
    char found[NODE_SHOWN];
    if (map->kind != NODE_MAP) {
        pipeline_fail(reader, map, NULL, "%s: expected a map, found %s", where,
                      node_shown(map, found));
        return false;
    }
    for (size_t i = 0; i < map->count; i++) {
        const struct node *key = map->keys[i];
        size_t at = 0;
        while (known[at] && !str_is(key->text, known[at]))
            at++;
        if (known[at])
            continue;
        const char *hint = has_option(under_with, key->text)
                               ? "it is an option: write it below `with:`"
                               : pipeline_nearest(reader, key->text.ptr, known, count_names(known));
        pipeline_fail(reader, key, hint ? hint : known_keys(reader, known),
                      "%s: unknown key %s", where, node_shown(key, found));
    }
    return true;
}

const struct node *pipeline_member(const struct node *map, const char *key)
{
    const struct node *node = node_member(map, key);
    return node && node_is_null(node) ? NULL : node;
}

const char *pipeline_scalar(struct pipeline_reader *reader, const struct node *node,
                            const char *what)
{
    char found[NODE_SHOWN];
    if (node->kind != NODE_SCALAR || node_is_null(node)) {
        pipeline_fail(reader, node, NULL, "%s: expected a text, found %s", what,
                      node_shown(node, found));
        return NULL;
    }
    if (node->text.len && memchr(node->text.ptr, '\0', node->text.len)) {
        pipeline_fail(reader, node, NULL, "%s: a text with a NUL byte", what);
        return NULL;
    }
    return node->text.ptr;
}

static const char *quoted_key(struct pipeline_reader *reader, const char *key)
{
    return arena_printf(reader->arena, "`%s`", key);
}

bool pipeline_text(struct pipeline_reader *reader, const struct node *map, const char *key,
                   const char **out)
{
    const struct node *node = pipeline_member(map, key);
    if (!node)
        return false;
    const char *text = pipeline_scalar(reader, node, quoted_key(reader, key));
    if (!text)
        return false;
    if (!text[0]) {
        pipeline_fail(reader, node, NULL, "`%s`: expected a text, found an empty one", key);
        return false;
    }
    *out = text;
    return true;
}

bool pipeline_count(struct pipeline_reader *reader, const struct node *map, const char *key,
                    int64_t low, int64_t high, int64_t *out)
{
    const struct node *node = pipeline_member(map, key);
    char found[NODE_SHOWN];
    int64_t count = 0;
    if (!node)
        return false;
    bool valid = node->kind == NODE_SCALAR && parse_count(node->text, &count) == 0 &&
                 count >= low && count <= high;
    if (valid) {
        *out = count;
        return true;
    }
    if (high == INT64_MAX)
        pipeline_fail(reader, node, NULL, "`%s`: expected a whole number from %lld up, found %s",
                      key, (long long)low, node_shown(node, found));
    else
        pipeline_fail(reader, node, NULL,
                      "`%s`: expected a whole number from %lld to %lld, found %s", key,
                      (long long)low, (long long)high, node_shown(node, found));
    return false;
}

/* "2M" and "10k" are understood for limits as they are for counts. */
static bool read_number(const struct node *node, double *out)
{
    int64_t count;
    if (node->kind != NODE_SCALAR)
        return false;
    if (parse_number(node->text, out) == 0)
        return true;
    if (parse_count(node->text, &count) != 0)
        return false;
    *out = (double)count;
    return true;
}

bool pipeline_number(struct pipeline_reader *reader, const struct node *map, const char *key,
                     double low, double high, double *out)
{
    const struct node *node = pipeline_member(map, key);
    char found[NODE_SHOWN];
    double number = 0;
    if (!node)
        return false;
    if (read_number(node, &number) && number >= low && number <= high) {
        *out = number;
        return true;
    }
    node_shown(node, found);
    if (isinf(high))
        pipeline_fail(reader, node, NULL, "`%s`: expected a number from %.15g up, found %s", key,
                      low, found);
    else
        pipeline_fail(reader, node, NULL, "`%s`: expected a number from %.15g to %.15g, found %s",
                      key, low, high, found);
    return false;
}

bool pipeline_seconds(struct pipeline_reader *reader, const struct node *map, const char *key,
                      double *out)
{
    const struct node *node = pipeline_member(map, key);
    char found[NODE_SHOWN];
    double seconds = 0;
    if (!node)
        return false;
    if (node->kind == NODE_SCALAR && parse_seconds(node->text, &seconds) == 0 && seconds >= 0) {
        *out = seconds;
        return true;
    }
    pipeline_fail(reader, node, NULL, "`%s`: expected a duration, as 30, 500ms or 5m, found %s",
                  key, node_shown(node, found));
    return false;
}

bool pipeline_bool(struct pipeline_reader *reader, const struct node *map, const char *key,
                   bool *out)
{
    const struct node *node = pipeline_member(map, key);
    char found[NODE_SHOWN];
    if (!node)
        return false;
    struct value value = {.type = VALUE_NULL};
    if (node->kind == NODE_SCALAR)
        node_value(reader->arena, node, &value);
    if (value.type != VALUE_BOOL) {
        pipeline_fail(reader, node, NULL, "`%s`: expected true or false, found %s", key,
                      node_shown(node, found));
        return false;
    }
    *out = value.boolean;
    return true;
}

const char *pipeline_absolute(struct pipeline_reader *reader, const char *path)
{
    return file_path(reader->arena, reader->pipeline->folder, path);
}

bool pipeline_path(struct pipeline_reader *reader, const struct node *map, const char *key,
                   const char **out)
{
    const char *path;
    if (!pipeline_text(reader, map, key, &path))
        return false;
    *out = pipeline_absolute(reader, path);
    return true;
}

bool pipeline_texts(struct pipeline_reader *reader, const struct node *map, const char *key,
                    const char ***out)
{
    const struct node *node = pipeline_member(map, key);
    char found[NODE_SHOWN];
    if (!node)
        return false;
    if (node->kind == NODE_MAP) {
        pipeline_fail(reader, node, NULL, "`%s`: expected a list of texts, found %s", key,
                      node_shown(node, found));
        return false;
    }
    size_t count = node->kind == NODE_LIST ? node->count : 1;
    const char **texts = arena_alloc(reader->arena, (count + 1) * sizeof(*texts));
    for (size_t i = 0; i < count; i++) {
        const struct node *item = node->kind == NODE_LIST ? node->items[i] : node;
        texts[i] = pipeline_scalar(reader, item, quoted_key(reader, key));
        if (!texts[i])
            return false;
    }
    *out = texts;
    return true;
}

bool pipeline_check_name(struct pipeline_reader *reader, const struct node *node, const char *name,
                         const char *what)
{
    static const char letters[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-.";
    enum { FIRST_LETTERS = 53 }; /* of these may begin a name */
    char found[NODE_SHOWN];
    size_t length = strlen(name);
    bool valid = length > 0 && length <= 64 && strspn(name, letters) == length &&
                 memchr(letters, name[0], FIRST_LETTERS);
    if (!valid)
        pipeline_fail(reader, node, NULL,
                      "%s: expected 1 to 64 letters, digits, `_`, `-` or `.` after a first letter, "
                      "found %s", what, node_shown(node, found));
    return valid;
}

bool pipeline_check_field(struct pipeline_reader *reader, const struct node *node, const char *name)
{
    size_t length = strlen(name);
    if (length > 0 && length <= FIELD_NAME)
        return true;
    pipeline_fail(reader, node, NULL, "a field's name has 1 to %d bytes, found %zu", FIELD_NAME,
                  length);
    return false;
}

void pipeline_field(struct pipeline_reader *reader, const struct node *node, const char *what,
                    const char **field)
{
    const char *name = pipeline_scalar(reader, node, what);
    if (name && pipeline_check_field(reader, node, name))
        *field = name;
}
