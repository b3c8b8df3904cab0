/* SPDX-License-Identifier: Apache-2.0 */
/* matches - keeps the records in whose text a regular expression is found, or those in which it is
 * not: the rejection rules of Self-Instruct and its kin (Wang et al. 2023, section 2.2 "Filtering
 * and postprocessing"). */
#include <stdbool.h>

#include "pattern.h"

#include "excerpt.h"

struct matches {
    const char *field, *pattern, *keep, *why;
    struct pattern *compiled;
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct matches, field),
     .def = "text", .help = "The text field to search."},
    {.name = "pattern", .type = XY_OPT_TEXT, .offset = offsetof(struct matches, pattern),
     .flags = XY_OPT_REQUIRED,
     .help = "The regular expression (PCRE2); `(?i)` in front ignores case, `\\A` and `\\z` are "
             "the text's ends."},
    {.name = "keep", .type = XY_OPT_TEXT, .offset = offsetof(struct matches, keep),
     .def = "matching", .choices = "matching|others",
     .help = "Which records stay: those in which it is found, or the others."},
    {.name = "why", .type = XY_OPT_TEXT, .offset = offsetof(struct matches, why),
     .help = "The reason that rejected records give, before what was found; the pattern when not "
             "given."},
    {0},
};

static int open_matches(void *state, const xy_host *host)
{
    struct matches *matches = state;
    char error[512];
    matches->compiled = pattern_compile(xy_text(matches->pattern), error, sizeof(error));
    if (!matches->compiled)
        xy_log_line(host, XY_LOG_ERROR, "`pattern`: %s", error);
    return matches->compiled ? XY_OK : XY_EINVAL;
}

static void close_matches(void *state)
{
    struct matches *matches = state;
    pattern_free(matches->compiled);
}

static int judge(const struct matches *matches, xy_job *job, int found, xy_str text)
{
    const char *why = matches->why ? matches->why : matches->pattern;
    bool keep_matching = matches->keep[0] == 'm';
    if (found == XY_ENOMEM)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (found < 0)
        return xy_fail(job, XY_EINVAL, "`pattern` takes more than %d steps on this text; write it "
                       "without nested repetitions", PATTERN_STEPS);
    if ((found == 1) == keep_matching)
        return XY_OK;
    if (keep_matching)
        return xy_drop(job, "%s: not found in `%s`", why, matches->field);
    return xy_drop(job, "%s: `%.*s`", why, excerpt_length(text, 60), text.len ? text.ptr : "");
}

static int process(void *state, xy_job *job)
{
    const struct matches *matches = state;
    xy_str text = xy_get(job, matches->field);
    if (!text.ptr)
        return xy_drop(job, "`%s` is missing or no text", matches->field);
    struct pattern_match match;
    if (pattern_match_init(&match, matches->compiled) < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    int found = pattern_find(matches->compiled, &match, text, 0, 0);
    xy_str group = found == 1 ? pattern_group(&match, text, 0) : (xy_str){NULL, 0};
    int code = judge(matches, job, found, group);
    pattern_match_free(&match);
    return code;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{ pattern: \"(?i)a|e\" }" : NULL;
}

static const xy_stage matches_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct matches),
    .id = "matches",
    .version = "1.0.0",
    .summary = "Keeps the records in whose text a regular expression is found, or the others",
    .options = options,
    .open = open_matches,
    .close = close_matches,
    .process = process,
    .extension = extension,
    .fields = "reads `field`",
};

XY_PLUGIN("matches", "1.0.0", "Apache-2.0", &matches_stage)
