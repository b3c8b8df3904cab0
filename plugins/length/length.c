/* SPDX-License-Identifier: Apache-2.0 */
/* length - keeps the records whose text has a length between two bounds. */
#include <stdbool.h>

#include <xylem/plugin.h>

#include <utf8proc.h>

struct length {
    const char *field, *unit;
    int64_t least, most;
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct length, field),
     .def = "text", .help = "The text field to measure."},
    {.name = "unit", .type = XY_OPT_TEXT, .offset = offsetof(struct length, unit),
     .def = "words", .choices = "words|characters|bytes",
     .help = "What is counted: runs of letters and digits, code points, or bytes."},
    {.name = "min", .type = XY_OPT_INT, .offset = offsetof(struct length, least), .def = "1",
     .low = 0, .high = 1e12, .help = "Shorter texts are dropped."},
    {.name = "max", .type = XY_OPT_INT, .offset = offsetof(struct length, most), .def = "0",
     .low = 0, .high = 1e12, .help = "Longer texts are dropped; 0 sets no bound."},
    {0},
};

/* An apostrophe belongs to the word that it stands in: "don't" is one word. */
static bool is_word(utf8proc_int32_t point, bool inside)
{
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND: return true;
    default: return inside && (point == '\'' || point == 0x2019);
    }
}

static int64_t measure(xy_str text, const char *unit)
{
    int64_t words = 0, characters = 0;
    bool inside = false;
    if (unit[0] == 'b')
        return (int64_t)text.len;
    for (size_t at = 0; at < text.len;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + at,
                                                 (utf8proc_ssize_t)(text.len - at), &point);
        if (used <= 0)
            break; /* a record's text is valid UTF-8: this cannot be */
        bool word = is_word(point, inside);
        words += word && !inside;
        inside = word;
        characters++;
        at += (size_t)used;
    }
    return unit[0] == 'w' ? words : characters;
}

static int open_length(void *state, const xy_host *host)
{
    const struct length *filter = state;
    if (filter->most == 0 || filter->least <= filter->most)
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "`min` is %lld and `max` is %lld: no text would stay",
                (long long)filter->least, (long long)filter->most);
    return XY_EINVAL;
}

static int process(void *state, xy_job *job)
{
    const struct length *filter = state;
    xy_str text = xy_get(job, filter->field);
    if (!text.ptr)
        return xy_drop(job, "the field `%s` is missing or no text", filter->field);
    int64_t length = measure(text, filter->unit);
    if (length < filter->least)
        return xy_drop(job, "%lld %s, at least %lld are wanted", (long long)length, filter->unit,
                       (long long)filter->least);
    if (filter->most > 0 && length > filter->most)
        return xy_drop(job, "%lld %s, at most %lld are wanted", (long long)length, filter->unit,
                       (long long)filter->most);
    return XY_OK;
}

static const xy_stage length = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct length),
    .id = "length",
    .version = "1.0.0",
    .summary = "Keeps the records whose text is neither too short nor too long",
    .options = options,
    .open = open_length,
    .process = process,
    .fields = "reads `field`",
};

XY_PLUGIN("length", "1.0.0", "Apache-2.0", &length)
