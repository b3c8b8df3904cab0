/* SPDX-License-Identifier: Apache-2.0 */
#include "explode_items.h"

static int add(struct items *items, xy_job *job, xy_str slice)
{
    if (items->count == items->room) {
        size_t room = items->room ? items->room * 2 : 16;
        xy_str *larger = job->api->alloc(job, room * sizeof(*larger));
        if (!larger)
            return xy_fail(job, XY_ENOMEM, "out of memory");
        if (items->count)
            memcpy(larger, items->slices, items->count * sizeof(*larger));
        items->slices = larger;
        items->room = room;
    }
    items->slices[items->count++] = slice;
    return XY_OK;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static xy_str trimmed(xy_str text)
{
    while (text.len && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* null, and a string of white space, which may be written with escapes. */
static bool is_empty(xy_str json)
{
    if (json_kind(json) == 'n')
        return true;
    if (json_kind(json) != '"')
        return false;
    for (size_t i = 1; i + 1 < json.len; i++) {
        if (json.ptr[i] == '\\' && strchr("ntrf", json.ptr[i + 1]))
            i++;
        else if (!is_space(json.ptr[i]))
            return false;
    }
    return true;
}

int explode_items_list(struct items *items, xy_job *job, xy_str list)
{
    struct json_cursor at = {0};
    xy_str key, value;
    int code = XY_OK;
    items->json = true;
    while (code == XY_OK && json_next(list, &at, &key, &value)) {
        if (!items->skip_empty || !is_empty(value))
            code = add(items, job, value);
    }
    return code;
}

int explode_items_split(struct items *items, xy_job *job, xy_str text,
                        const struct pattern *pattern)
{
    struct pattern_match match;
    if (pattern_match_init(&match, pattern) < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    size_t from = 0;
    int found = 1, code = XY_OK;
    while (found == 1 && code == XY_OK) {
        /* An empty match, as a lookahead has it, divides where it lies, but never at the beginning
         * of an item, where it would divide for ever. */
        found = pattern_find(pattern, &match, text, from, PATTERN_NOT_EMPTY_HERE);
        size_t to = found == 1 ? match.bounds[0] : text.len;
        xy_str item = trimmed((xy_str){text.ptr + from, to > from ? to - from : 0});
        if (found >= 0 && (item.len || !items->skip_empty))
            code = add(items, job, item);
        from = found == 1 ? match.bounds[1] : text.len;
    }
    pattern_match_free(&match);
    if (found == XY_ENOMEM)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (found < 0)
        return xy_fail(job, XY_EINVAL, "`split` takes more than %d steps on this text; write it "
                       "without nested repetitions", PATTERN_STEPS);
    return code;
}
