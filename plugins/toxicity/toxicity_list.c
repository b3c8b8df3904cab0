/* SPDX-License-Identifier: Apache-2.0 */
#include "toxicity_list.h"

#include <errno.h>
#include <stdlib.h>

#include "json_reader.h"
#include "utf8.h"

static int category(struct toxicity_list *list, xy_str name, uint32_t *number)
{
    *number = names_add(&list->categories, name);
    if (*number == NAMES_NONE)
        return XY_ENOMEM;
    return *number < TOXICITY_CATEGORIES ? XY_OK : XY_EUNSUPPORTED;
}

static int add_phrase(struct toxicity_list *list, xy_str phrase, uint32_t number,
                      const struct phrases_stem *stem)
{
    int code = phrases_add(&list->set, phrase, number, stem);
    list->count += code == XY_OK;
    return code;
}

static xy_str trim(xy_str text)
{
    while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
        text.len--;
    while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = (xy_str){text.ptr + 1, text.len - 1};
    return text;
}

static int read_line(struct toxicity_list *list, xy_str line, uint32_t *current,
                     const struct phrases_stem *stem)
{
    line = trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return XY_OK;
    if (utf8_check(line) != line.len)
        return XY_EIO;
    if (line.ptr[0] == '[' && line.ptr[line.len - 1] == ']' && line.len > 2)
        return category(list, trim((xy_str){line.ptr + 1, line.len - 2}), current);
    int code = *current == NAMES_NONE ? category(list, xy_text("listed"), current) : XY_OK;
    return code == XY_OK ? add_phrase(list, line, *current, stem) : code;
}

static const char *complaint(int code)
{
    switch (code) {
    case XY_EINVAL: return "no word stands there; write a word, a phrase, or `[category]`";
    case XY_EIO: return "the line is not UTF-8";
    case XY_EUNSUPPORTED: return "there are more than 64 categories";
    default: return "out of memory";
    }
}

int toxicity_list_read(struct toxicity_list *list, const char *path,
                       const struct phrases_stem *stem, char *why, size_t size)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t length;
    uint32_t current = NAMES_NONE;
    int code = XY_OK;
    if (!file) {
        snprintf(why, size, "`list`: %s: %s", path, strerror(errno));
        return XY_EIO;
    }
    while (code == XY_OK && (length = getline(&line, &room, file)) >= 0) {
        number++;
        code = read_line(list, (xy_str){line, (size_t)length}, &current, stem);
    }
    if (code < 0)
        snprintf(why, size, "`list`: %s:%zu: %s", path, number, complaint(code));
    else if (ferror(file) && (code = XY_EIO) < 0)
        snprintf(why, size, "`list`: %s cannot be read", path);
    free(line);
    fclose(file);
    return code;
}

static int add_list(struct toxicity_list *list, xy_str words, uint32_t number,
                    const struct phrases_stem *stem)
{
    struct json_cursor at = {0};
    xy_str key, item;
    int code = json_kind(words) == '[' ? XY_OK : XY_EINVAL;
    while (code == XY_OK && json_next(words, &at, &key, &item)) {
        char *decoded = malloc(item.len + 1);
        code = !decoded ? XY_ENOMEM : json_kind(item) != '"' ? XY_EINVAL : XY_OK;
        if (code == XY_OK)
            code = add_phrase(list, (xy_str){decoded, json_decode(item, decoded)}, number, stem);
        free(decoded);
    }
    return code;
}

int toxicity_list_add(struct toxicity_list *list, xy_str json, const struct phrases_stem *stem,
                      char *why, size_t size)
{
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, value, object = json_check(json);
    int code = json_kind(object) == '{' ? XY_OK : XY_EINVAL;
    while (code == XY_OK && json_next(object, &at, &key, &value)) {
        uint32_t number;
        code = category(list, key, &number);
        if (code == XY_OK)
            code = add_list(list, value, number, stem);
    }
    if (code == XY_EINVAL)
        snprintf(why, size, "`words`: a map from category to a list of words is wanted%s%.*s",
                 key.len ? ", see " : "", (int)key.len, key.len ? key.ptr : "");
    else if (code < 0)
        snprintf(why, size, "`words`: %s", complaint(code));
    return code;
}

void toxicity_list_free(struct toxicity_list *list)
{
    phrases_free(&list->set);
    names_free(&list->categories);
}
