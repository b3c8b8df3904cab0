/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_LIMIT = 100, WORD_LIMIT = 64 };

int error_set(struct error *error, int code, const char *format, ...)
{
    *error = (struct error){.code = code};
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}

int error_at(struct error *error, const char *file, int line, int column)
{
    snprintf(error->file, sizeof(error->file), "%s", file ? file : "");
    error->line = line;
    error->column = column;
    return error->code;
}

int error_hint(struct error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->hint, sizeof(error->hint), format, args);
    va_end(args);
    return error->code;
}

void error_format(const struct error *error, struct buffer *buffer)
{
    if (error->file[0]) {
        buffer_append_text(buffer, error->file);
        if (error->line > 0)
            buffer_printf(buffer, ":%d", error->line);
        if (error->column > 0)
            buffer_printf(buffer, ":%d", error->column);
        buffer_append_text(buffer, ": ");
    }
    buffer_append_text(buffer, error->text);
    if (error->hint[0])
        buffer_printf(buffer, " (%s)", error->hint);
}

const char *error_name(int code)
{
    switch (code) {
    case XY_EINVAL: return "invalid input";
    case XY_ENOMEM: return "out of memory";
    case XY_ECANCELED: return "cancelled";
    case XY_ETIMEOUT: return "timed out";
    case XY_EUPSTREAM: return "the service failed";
    case XY_EBUDGET: return "the budget is spent";
    case XY_EUNSUPPORTED: return "not supported";
    case XY_EBUG: return "a plugin broke a rule";
    case XY_EIO: return "input or output failed";
    case XY_EPAUSED: return "waiting for people";
    default: return code >= 0 ? "no error" : "unknown error";
    }
}

void error_list_add(struct error_list *list, const struct error *error)
{
    list->total++;
    if (list->count == LIST_LIMIT)
        return;
    list->errors = memory_resize(list->errors, list->count + 1, sizeof(*list->errors));
    list->errors[list->count++] = *error;
}

void error_list_free(struct error_list *list)
{
    free(list->errors);
    *list = (struct error_list){0};
}

/* Optimal string alignment: two neighbours that changed places count as one edit, for that is the
 * commonest slip ("lable"). Three rows of the table are enough. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_LIMIT + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && second[j - 2] + 1 < best)
                best = second[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t length = strlen(word), best = WORD_LIMIT;
    if (length > WORD_LIMIT)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(names[i]);
        if (other > WORD_LIMIT)
            continue;
        size_t distance = edit_distance(word, length, names[i], other);
        size_t longer = length > other ? length : other;
        if (distance < best && distance * 3 <= longer) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
