/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { HEAP_KIB = 64 * 1024 }; /* memory that one search may use for its backtracking */

struct pattern {
    pcre2_code *code;
    pcre2_match_context *bounds;
    struct name {
        const char *text;
        uint32_t group;
    } *names;
    uint32_t name_count, group_count;
};

static int compare_names(const void *a, const void *b)
{
    const struct name *first = a, *second = b;
    return (first->group > second->group) - (first->group < second->group);
}

/* PCRE2 keeps names in alphabetical order; a reader of the pattern expects them as written. */
static int read_names(struct pattern *pattern)
{
    PCRE2_SPTR table;
    uint32_t stride;
    pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &pattern->group_count);
    pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMECOUNT, &pattern->name_count);
    pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMETABLE, &table);
    pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMEENTRYSIZE, &stride);
    pattern->names = calloc(pattern->name_count + 1, sizeof(*pattern->names));
    for (uint32_t i = 0; pattern->names && i < pattern->name_count; i++, table += stride)
        pattern->names[i] = (struct name){(const char *)table + 2,
                                          (uint32_t)table[0] << 8 | table[1]};
    if (!pattern->names)
        return XY_ENOMEM;
    qsort(pattern->names, pattern->name_count, sizeof(*pattern->names), compare_names);
    return XY_OK;
}

static int set_bounds(struct pattern *pattern)
{
    pattern->bounds = pcre2_match_context_create(NULL);
    if (!pattern->bounds)
        return XY_ENOMEM;
    pcre2_set_match_limit(pattern->bounds, PATTERN_STEPS);
    pcre2_set_heap_limit(pattern->bounds, HEAP_KIB);
    return XY_OK;
}

struct pattern *pattern_compile(xy_str source, char *error, size_t error_size)
{
    int code;
    PCRE2_SIZE at;
    struct pattern *pattern = calloc(1, sizeof(*pattern));
    if (!pattern) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    pattern->code = pcre2_compile((PCRE2_SPTR)source.ptr, source.len,
                                  PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at,
                                  NULL);
    if (!pattern->code) {
        PCRE2_UCHAR why[160] = "";
        pcre2_get_error_message(code, why, sizeof(why));
        snprintf(error, error_size, "`%.*s` at character %zu: %s", (int)source.len, source.ptr,
                 (size_t)at + 1, (const char *)why);
    } else if (read_names(pattern) < 0 || set_bounds(pattern) < 0) {
        snprintf(error, error_size, "out of memory");
    } else {
        return pattern;
    }
    pattern_free(pattern);
    return NULL;
}

void pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_code_free(pattern->code);
    pcre2_match_context_free(pattern->bounds);
    free(pattern->names);
    free(pattern);
}

uint32_t pattern_name_count(const struct pattern *pattern)
{
    return pattern->name_count;
}

const char *pattern_name(const struct pattern *pattern, uint32_t index)
{
    return pattern->names[index].text;
}

uint32_t pattern_name_group(const struct pattern *pattern, uint32_t index)
{
    return pattern->names[index].group;
}

uint32_t pattern_group_count(const struct pattern *pattern)
{
    return pattern->group_count;
}

/* ---- searching ------------------------------------------------------------------------------- */

int pattern_match_init(struct pattern_match *match, const struct pattern *pattern)
{
    *match = (struct pattern_match){
        .data = pcre2_match_data_create_from_pattern(pattern->code, NULL),
        .groups = pattern->group_count + 1};
    if (!match->data)
        return XY_ENOMEM;
    match->bounds = pcre2_get_ovector_pointer(match->data);
    return XY_OK;
}

void pattern_match_free(struct pattern_match *match)
{
    pcre2_match_data_free(match->data);
    *match = (struct pattern_match){0};
}

int pattern_find(const struct pattern *pattern, struct pattern_match *match, xy_str text,
                 size_t from, int flags)
{
    uint32_t options = PCRE2_NO_UTF_CHECK;
    if (flags & PATTERN_NOT_EMPTY_HERE)
        options |= PCRE2_NOTEMPTY_ATSTART;
    int code = pcre2_match(pattern->code, (PCRE2_SPTR)(text.ptr ? text.ptr : ""), text.len, from,
                           options, match->data, pattern->bounds);
    if (code >= 0)
        /* A \K in a lookaround can put the beginning behind the end: there is no such text. */
        return match->bounds[0] <= match->bounds[1] ? 1 : XY_EINVAL;
    if (code == PCRE2_ERROR_NOMATCH)
        return 0;
    return code == PCRE2_ERROR_NOMEMORY ? XY_ENOMEM : XY_EINVAL;
}

xy_str pattern_group(const struct pattern_match *match, xy_str text, uint32_t group)
{
    size_t from = match->bounds[2 * (size_t)group], to = match->bounds[2 * (size_t)group + 1];
    if (from == PCRE2_UNSET)
        return (xy_str){NULL, 0};
    return (xy_str){text.ptr + from, to - from};
}
