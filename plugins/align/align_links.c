/* SPDX-License-Identifier: Apache-2.0 */
#include "align_links.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct tokens tokens_of(xy_job *job, xy_str text)
{
    struct tokens tokens = {.count = 0};
    for (size_t i = 0; i < text.len; i++)
        tokens.count += !is_blank(text.ptr[i]) && (i == 0 || is_blank(text.ptr[i - 1]));
    tokens.items = job->api->alloc(job, (tokens.count + 1) * sizeof(*tokens.items));
    struct token *token = tokens.items - 1;
    size_t points = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool begins = ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
        if (!is_blank(text.ptr[i])) {
            if (i == 0 || is_blank(text.ptr[i - 1])) {
                token++;
                token->start = i;
                token->start_point = points;
            }
            token->end = i + 1;
            token->end_point = points + begins;
        }
        points += begins;
    }
    return tokens;
}

static int add(struct links *links, xy_job *job, double source, double target,
               const struct tokens *sources, const struct tokens *targets)
{
    if (source < 0 || target < 0)
        return xy_drop(job, "the alignment is no list of pairs of token numbers");
    if (source >= (double)sources->count || target >= (double)targets->count)
        return xy_drop(job, "the alignment has %g-%g, and the texts have %zu and %zu tokens",
                       source, target, sources->count, targets->count);
    if (source != (double)(size_t)source || target != (double)(size_t)target)
        return xy_drop(job, "the alignment has %g-%g: expected whole numbers", source, target);
    links->items[links->count++] = (struct link){(size_t)source, (size_t)target};
    return XY_OK;
}

/* A number of at most nine digits, or -1. */
static double read_number(xy_str said, size_t *at)
{
    double number = 0;
    size_t from = *at;
    while (*at < said.len && *at - from < 9 && said.ptr[*at] >= '0' && said.ptr[*at] <= '9')
        number = number * 10 + (said.ptr[(*at)++] - '0');
    return *at > from ? number : -1;
}

static int read_pharaoh(struct links *links, xy_job *job, xy_str said,
                        const struct tokens *sources, const struct tokens *targets)
{
    int code = XY_OK;
    for (size_t at = 0; at < said.len && code == XY_OK;) {
        if (is_blank(said.ptr[at])) {
            at++;
            continue;
        }
        double source = read_number(said, &at), target = -1;
        if (at < said.len && (said.ptr[at] == '-' || said.ptr[at] == 'p')) {
            at++;
            target = read_number(said, &at);
        }
        if (at < said.len && !is_blank(said.ptr[at]))
            target = -1;
        code = add(links, job, source, target, sources, targets);
    }
    return code;
}

static int read_list(struct links *links, xy_job *job, xy_str list, const struct tokens *sources,
                     const struct tokens *targets)
{
    struct json_cursor cursor = {0};
    xy_str key, item;
    int code = XY_OK;
    while (code == XY_OK && json_next(list, &cursor, &key, &item)) {
        double source = json_count(item) == 2 ? json_number(json_path(item, "0"), -1) : -1;
        code = add(links, job, source, json_number(json_path(item, "1"), -1), sources, targets);
    }
    return code;
}

int links_read(struct links *links, xy_job *job, xy_str said, const struct tokens *source,
               const struct tokens *target)
{
    /* A link takes three bytes at least, and one more to part it from the next. */
    links->items = job->api->alloc(job, (said.len / 2 + 1) * sizeof(*links->items));
    links->count = 0;
    xy_str json = json_check(said);
    if (json_kind(json) == '[')
        return read_list(links, job, json, source, target);
    return read_pharaoh(links, job, said, source, target);
}
