/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a model's answer the JSON is. How slips are mended stands in json_mend.c. */
#include <string.h>

#include "json_internal.h"

/* Brackets to try, and how often the answer's length may be read in all of them together: an answer
 * full of brackets must not make the search quadratic. */
enum { CANDIDATES = 64, PASSES = 4, PASSES_MINIMUM = 65536 };

static const char fence[] = "```";

struct search {
    struct arena *arena;
    xy_str text;
    struct value *out;
    bool *repaired;
    struct error *error; /* why the first candidate is not strict JSON */
    int tried;
    size_t work; /* bytes read by attempts that failed */
};

static bool may_try(const struct search *search)
{
    return search->tried < CANDIDATES && search->work <= search->text.len * PASSES + PASSES_MINIMUM;
}

static size_t skip_space(xy_str text, size_t at)
{
    while (at < text.len && strchr(" \t\r\n", text.ptr[at]) && text.ptr[at] != '\0')
        at++;
    return at;
}

/* The next fence at or behind `at`, text.len when there is none. */
static size_t find_fence(xy_str text, size_t at)
{
    const char *found = at < text.len ? memmem(text.ptr + at, text.len - at, fence, 3) : NULL;
    return found ? (size_t)(found - text.ptr) : text.len;
}

/* Where the block that `at` lies in ends: a fence that is alone at the start of its line, as one
 * inside of a line may belong to a string. */
static size_t block_end(xy_str text, size_t at)
{
    for (size_t end = find_fence(text, at); end < text.len; end = find_fence(text, end + 3)) {
        size_t start = end;
        while (start > at && (text.ptr[start - 1] == ' ' || text.ptr[start - 1] == '\t'))
            start--;
        if (start > at && text.ptr[start - 1] == '\n')
            return end;
    }
    return text.len;
}

static bool is_open_bracket(xy_str text, size_t at)
{
    return at < text.len && (text.ptr[at] == '{' || text.ptr[at] == '[');
}

/* Strictly first, since mending may change what was right. */
static bool try_at(struct search *search, size_t at)
{
    search->tried++;
    xy_str rest = {search->text.ptr + at, search->text.len - at};
    struct arena scratch = {0}; /* a failed attempt shall not stay in the caller's arena */
    struct error error = {0};
    struct value ignored;
    size_t used = 0;
    int code = json_parse_prefix(&scratch, rest, &ignored, &used, &error);
    arena_free(&scratch);
    if (search->tried == 1)
        *search->error = error;
    if (code == 0) {
        *search->repaired = false;
        return json_parse(search->arena, (xy_str){rest.ptr, used}, search->out, &error) == 0;
    }
    rest.len = block_end(search->text, at) - at;
    search->work += used;
    *search->repaired = true;
    bool mended = json_mend(search->arena, rest, search->out, &used);
    search->work += used;
    return mended;
}

static bool try_fences(struct search *search)
{
    xy_str text = search->text;
    for (size_t at = find_fence(text, 0); at < text.len; at = find_fence(text, at)) {
        at += sizeof(fence) - 1;
        size_t start = at;
        while (start < text.len &&
               ((text.ptr[start] | 0x20) >= 'a' && (text.ptr[start] | 0x20) <= 'z'))
            start++; /* the block's language: json, JSON, python */
        if (start < text.len && text.ptr[start] == '5')
            start++; /* json5 */
        start = skip_space(text, start);
        if (is_open_bracket(text, start) && may_try(search) && try_at(search, start))
            return true;
    }
    return false;
}

int json_repair(struct arena *arena, xy_str text, struct value *out, bool *repaired,
                struct error *error)
{
    struct search search = {arena, text, out, repaired, error, 0, 0};
    *repaired = false;
    *error = (struct error){0};
    bool found = is_open_bracket(text, skip_space(text, 0)) &&
                 try_at(&search, skip_space(text, 0));
    found = found || try_fences(&search);
    for (size_t at = 0; !found && at < text.len && may_try(&search); at++)
        found = is_open_bracket(text, at) && try_at(&search, at);
    if (found) {
        *error = (struct error){0};
        return 0;
    }
    *repaired = false;
    *out = (struct value){.type = VALUE_NULL};
    if (search.tried == 0)
        return error_set(error, XY_EINVAL, "the answer holds no JSON object or array");
    struct error first = *error;
    return error_set(error, XY_EINVAL, "the answer holds no readable JSON object or array: %.900s",
                     first.text);
}
