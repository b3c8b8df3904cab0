/* SPDX-License-Identifier: Apache-2.0 */
/* leakage - drops texts in which the machinery shows: slots of a template that nobody filled,
 * the name of the label that a student is to find out, words of the prompt. */
#include <stdlib.h>

#include "excerpt.h"
#include "json_reader.h"
#include "leakage_find.h"
#include "names.h"
#include "phrases.h"

struct leakage {
    const char *field, *label, *prompt, *synonyms;
    const char *const *allow;
    int32_t slots;
    int64_t run;
    xy_str words; /* the checked `synonyms` */
};

#define AT(member) offsetof(struct leakage, member)

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(field), .def = "text",
     .help = "The text field to look at."},
    {.name = "slots", .type = XY_OPT_BOOL, .offset = AT(slots), .def = "true",
     .help = "Drops texts with slots that nobody filled: {{ name }}, {name}, [NAME], [Your Name], "
             "<PLACEHOLDER>, [insert ... here]."},
    {.name = "allow", .type = XY_OPT_LIST, .offset = AT(allow),
     .help = "Slots that may stand in a text, as they are written: [EMAIL]."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label),
     .help = "The field with the label, whose name must not be in the text; when not given, it "
             "may."},
    {.name = "synonyms", .type = XY_OPT_JSON, .offset = AT(synonyms), .def = "{}",
     .help = "A map from label to the words that give it away, too."},
    {.name = "prompt", .type = XY_OPT_FIELD, .offset = AT(prompt),
     .help = "The field with the prompt, of which no long run of words may be in the text."},
    {.name = "run", .type = XY_OPT_INT, .offset = AT(run), .def = "12", .low = 2, .high = 1000,
     .help = "So many words in a row of the prompt are too many."},
    {0},
};

static int open_leakage(void *state, const xy_host *host)
{
    struct leakage *filter = state;
    xy_str key, value;
    struct json_cursor at = {0};
    filter->words = json_check(xy_text(filter->synonyms));
    bool good = json_kind(filter->words) == '{';
    while (good && json_next(filter->words, &at, &key, &value))
        good = json_kind(value) == '[' || json_kind(value) == '"';
    if (good)
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "`synonyms` is no map from label to a list of words; write "
                "`positive: [praise, recommend]`");
    return XY_EINVAL;
}

static size_t character(xy_str text, size_t at)
{
    size_t count = 1;
    for (size_t i = 0; i < at; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static bool is_allowed(const struct leakage *filter, xy_str slot)
{
    for (size_t i = 0; filter->allow && filter->allow[i]; i++)
        if (strlen(filter->allow[i]) == slot.len &&
            memcmp(filter->allow[i], slot.ptr, slot.len) == 0)
            return true;
    return false;
}

static int look_for_slots(const struct leakage *filter, xy_job *job, xy_str text)
{
    size_t at, length;
    for (size_t from = 0; (length = leakage_slot(text, from, &at)) > 0; from = at + length) {
        xy_str slot = {text.ptr + at, length};
        if (!is_allowed(filter, slot))
            return xy_drop(job, "a slot that nobody filled: `%.*s` at character %zu",
                           excerpt_length(slot, 60), slot.ptr, character(text, at));
    }
    return XY_OK;
}

/* ---- labels ---------------------------------------------------------------------------------- */

static int add_decoded(struct phrases *set, xy_str json)
{
    if (json_kind(json) != '"')
        return XY_OK;
    char *decoded = malloc(json.len + 1);
    int code = decoded ? phrases_add(set, (xy_str){decoded, json_decode(json, decoded)}, 1, NULL)
                       : XY_ENOMEM;
    free(decoded);
    return code == XY_EINVAL ? XY_OK : code;
}

/* The label's own words: "very_positive" is "very positive", too. */
static int add_words(const struct leakage *filter, struct phrases *set, xy_str label)
{
    xy_str key, value, list, item;
    struct json_cursor at = {0}, inner = {0};
    int code = phrases_add(set, label, 0, NULL);
    code = code == XY_EINVAL ? XY_OK : code; /* a label of signs alone */
    while (code >= 0 && json_next(filter->words, &at, &key, &value)) {
        if (key.len != label.len || memcmp(key.ptr, label.ptr, key.len) != 0)
            continue;
        list = value;
        if (json_kind(list) == '"')
            code = add_decoded(set, list);
        while (code >= 0 && json_kind(list) == '[' && json_next(list, &inner, &key, &item))
            code = add_decoded(set, item);
        break;
    }
    return code;
}

static int look_for_label(const struct leakage *filter, xy_job *job, xy_str text)
{
    char scratch[NAMES_SCRATCH];
    xy_str label = names_label(job->api->input(job, 0), filter->label, scratch);
    struct phrases set = {0};
    struct phrases_hit hit;
    if (!label.ptr)
        return xy_drop(job, "the label field `%s` is missing or empty", filter->label);
    int code = add_words(filter, &set, label);
    struct phrases_scan scan = {.text = text};
    if (code >= 0)
        code = phrases_next(&set, &scan, &hit);
    phrases_scan_free(&scan);
    phrases_free(&set);
    if (code < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (code == 0)
        return XY_OK;
    xy_str words = {text.ptr + hit.start, hit.end - hit.start};
    return xy_drop(job, "the text gives its label `%.*s` away%s: \"%.*s\" at character %zu",
                   excerpt_length(label, 60), label.ptr, hit.number ? " by a synonym" : "",
                   excerpt_length(words, 60), words.ptr, character(text, hit.start));
}

/* ---- the prompt ------------------------------------------------------------------------------ */

static int look_for_prompt(const struct leakage *filter, xy_job *job, xy_str text)
{
    char shown[256];
    xy_str prompt = xy_get(job, filter->prompt);
    if (!prompt.ptr)
        return xy_drop(job, "the prompt field `%s` is missing or no text", filter->prompt);
    int64_t words = leakage_copy(text, prompt, (size_t)filter->run, shown, sizeof(shown));
    if (words < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    xy_str run = xy_text(words ? shown : "");
    return words ? xy_drop(job, "%lld words in a row are the prompt's, fewer than %lld are wanted: "
                           "%.*s", (long long)words, (long long)filter->run,
                           excerpt_length(run, 120), run.ptr)
                 : XY_OK;
}

static int process(void *state, xy_job *job)
{
    const struct leakage *filter = state;
    xy_str text = xy_get(job, filter->field);
    if (!text.ptr)
        return xy_drop(job, "the field `%s` is missing or no text", filter->field);
    int code = filter->slots ? look_for_slots(filter, job, text) : XY_OK;
    if (code == XY_OK && filter->label)
        code = look_for_label(filter, job, text);
    if (code == XY_OK && filter->prompt)
        code = look_for_prompt(filter, job, text);
    return code;
}

static const xy_stage leakage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct leakage),
    .id = "leakage",
    .version = "1.0.0",
    .summary = "Drops texts with unfilled slots, their own label's name, or words of the prompt",
    .options = options,
    .open = open_leakage,
    .process = process,
    .fields = "reads `field`, `label` and `prompt`",
};

XY_PLUGIN("leakage", "1.0.0", "Apache-2.0", &leakage)
