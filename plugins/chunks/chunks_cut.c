/* SPDX-License-Identifier: Apache-2.0 */
#include "chunks_cut.h"

/* Draws that find only blank lines before a document is given up. */
enum { MOST_DRAWS = 64 };

/* The place `count` characters after `at`, at most `to`; what is missing is left in `*count`. */
static size_t forward(const char *text, size_t at, size_t to, size_t *count)
{
    for (; at < to && *count > 0; --*count)
        at += cut_character(text, at);
    return at;
}

/* Runs of `size` characters, each `step` after the one before it, until one reaches the end. */
static void cut_characters(const char *text, struct span part, const struct cut_options *options,
                           struct spans *out)
{
    for (size_t at = part.from; at < part.to;) {
        size_t left = options->size, step = options->size - options->overlap;
        size_t to = forward(text, at, part.to, &left);
        cut_trimmed(text, at, to, out);
        at = to == part.to ? to : forward(text, at, part.to, &step);
    }
}

/* The chunk from the first to the last of a run of units, unless it is blank. */
static bool add_run(const char *text, enum unit by, const struct span *units, size_t count,
                    struct spans *out)
{
    size_t from = units[0].from, to = units[count - 1].to;
    if (cut_is_blank(text, from, to))
        return false;
    if (by == UNIT_LINES)
        spans_add(out, from, to);
    else
        cut_trimmed(text, from, to, out);
    return true;
}

static void cut_part(const struct document *document, struct span part,
                     const struct cut_options *options, struct spans *out)
{
    struct spans units = {0};
    if (options->by == UNIT_CHARACTERS) {
        cut_characters(document->text.bytes, part, options, out);
        return;
    }
    cut_units(document, part, options->by, &units);
    for (size_t at = 0; at < units.count; at += options->size - options->overlap) {
        size_t count = units.count - at < options->size ? units.count - at : options->size;
        add_run(document->text.bytes, options->by, units.items + at, count, out);
        if (at + count == units.count)
            break;
    }
    out->failed |= units.failed;
    spans_free(&units);
}

/* ---- draws ----------------------------------------------------------------------------------- */

static bool is_drawn(const struct spans *out, size_t since, struct span span)
{
    for (size_t i = since; i < out->count; i++)
        if (out->items[i].from == span.from && out->items[i].to == span.to)
            return true;
    return false;
}

/* One run: its length drawn first, then its place, each as likely as any other (OSS-Instruct, Wei
 * et al. 2023, "Magicoder": 1 to 15 consecutive lines). A blank run, or one that this document has
 * given already, is drawn again. */
static bool draw_run(const struct document *document, const struct cut_options *options,
                     const struct spans *units, size_t since, uint64_t *random, struct spans *out)
{
    size_t most = units->count < options->size ? units->count : options->size;
    size_t least = options->smallest < most ? options->smallest : most;
    for (int i = 0; i < MOST_DRAWS; i++) {
        size_t count = least + xy_random_below(random, most - least + 1);
        size_t at = xy_random_below(random, units->count - count + 1);
        if (!add_run(document->text.bytes, options->by, units->items + at, count, out))
            continue;
        if (!is_drawn(&(struct spans){out->items, out->count - 1, 0, false}, since,
                      out->items[out->count - 1]))
            return true;
        out->count--;
    }
    return false;
}

static void draw_part(const struct document *document, struct span part,
                      const struct cut_options *options, uint64_t *random, struct spans *out)
{
    struct spans units = {0};
    size_t since = out->count;
    cut_units(document, part, options->by, &units);
    for (size_t i = 0; units.count && i < options->draw && !out->failed; i++)
        if (!draw_run(document, options, &units, since, random, out))
            break;
    out->failed |= units.failed;
    spans_free(&units);
}

void cut_document(const struct document *document, const struct cut_options *options,
                  uint64_t *random, struct spans *out)
{
    struct spans parts = {0};
    struct span all = {0, document->text.length};
    if (options->within == UNIT_DOCUMENT)
        spans_add(&parts, all.from, all.to);
    else
        cut_units(document, all, options->within, &parts);
    for (size_t i = 0; i < parts.count; i++) {
        if (options->draw)
            draw_part(document, parts.items[i], options, random, out);
        else
            cut_part(document, parts.items[i], options, out);
    }
    out->failed |= parts.failed;
    spans_free(&parts);
}
