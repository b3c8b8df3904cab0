/* SPDX-License-Identifier: Apache-2.0 */
/* stutter - drops texts in which a model got stuck: the same word many times in a row. */
#include <xylem/plugin.h>

struct state {
    const char *field;
    int64_t most;
};

static const xy_option options[] = {
    {"field", XY_OPT_FIELD, offsetof(struct state, field), "text", 0, 0, 0, NULL,
     "The field to look at."},
    {"most", XY_OPT_INT, offsetof(struct state, most), "3", 0, 1, 1000000, NULL,
     "A word may stand so many times in a row."},
    {0},
};

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next word at or after *at, which moves past it; empty at the end. Words end at white space.
 */
static xy_str next_word(xy_str text, size_t *at)
{
    while (*at < text.len && is_space(text.ptr[*at]))
        ++*at;
    size_t first = *at;
    while (*at < text.len && !is_space(text.ptr[*at]))
        ++*at;
    xy_str word = {text.len ? text.ptr + first : NULL, *at - first};
    return word;
}

static int64_t longest_run(xy_str text)
{
    int64_t longest = 0, run = 0;
    size_t at = 0;
    xy_str previous = {NULL, 0};
    for (;;) {
        xy_str word = next_word(text, &at);
        if (word.len == 0)
            return longest;
        int same = word.len == previous.len && memcmp(word.ptr, previous.ptr, word.len) == 0;
        run = same ? run + 1 : 1;
        if (run > longest)
            longest = run;
        previous = word;
    }
}

static int process(void *data, xy_job *job)
{
    const struct state *state = data;
    int64_t run = longest_run(xy_get(job, state->field));
    return run <= state->most ? XY_OK
                              : xy_drop(job, "a word %lld times in a row", (long long)run);
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "stutter", .state_size = sizeof(struct state),
    .summary = "Drops texts that repeat one word many times in a row.", .options = options,
    .process = process, .fields = "reads `field`",
};

XY_PLUGIN("stutter", "1.0.0", "Apache-2.0", &stage)
