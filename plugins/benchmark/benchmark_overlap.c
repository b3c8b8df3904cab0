/* SPDX-License-Identifier: Apache-2.0 */
#include "benchmark_overlap.h"

#include <stdlib.h>

#include <utf8proc.h>

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The text in the form it is compared in, freed by the caller; NULL when memory is short. */
static char *normalise(xy_str text, size_t *length)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t count =
        utf8proc_map((const utf8proc_uint8_t *)text.ptr, (utf8proc_ssize_t)text.len, &folded,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
    if (count < 0)
        return NULL;
    char *bytes = (char *)folded;
    size_t written = 0;
    for (size_t i = 0; i < (size_t)count; i++) {
        if (!is_blank(bytes[i]))
            bytes[written++] = bytes[i];
        else if (written > 0 && bytes[written - 1] != ' ')
            bytes[written++] = ' ';
    }
    if (written > 0 && bytes[written - 1] == ' ')
        written--;
    *length = written;
    return bytes;
}

static int add_texts(const struct names *texts, struct names *known)
{
    for (uint32_t i = 0; i < texts->count; i++) {
        size_t length;
        char *bytes = normalise(names_at(texts, i), &length);
        uint32_t number = bytes ? names_add(known, (xy_str){bytes, length}) : NAMES_NONE;
        free(bytes);
        if (number == NAMES_NONE)
            return XY_ENOMEM;
    }
    return XY_OK;
}

int overlap_count(const struct labelled *train, const struct labelled *test, uint64_t *overlap)
{
    struct names known = {.count = 0};
    int code = add_texts(&train->texts, &known);
    *overlap = 0;
    for (size_t row = 0; row < test->count && code == XY_OK; row++) {
        if (test->text_numbers[row] == NAMES_NONE)
            continue;
        size_t length;
        char *bytes = normalise(names_at(&test->texts, test->text_numbers[row]), &length);
        code = bytes ? XY_OK : XY_ENOMEM;
        if (bytes && names_find(&known, (xy_str){bytes, length}) != NAMES_NONE)
            ++*overlap;
        free(bytes);
    }
    names_free(&known);
    return code;
}
