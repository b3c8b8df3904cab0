/* SPDX-License-Identifier: Apache-2.0 */
/* my_plugin - keeps records whose text has enough words. */
#include <xylem/plugin.h>

struct state {
    const char *field;
    int64_t least;
};

static const xy_option options[] = {
    {"field", XY_OPT_FIELD, offsetof(struct state, field), "text", 0, 0, 0, NULL,
     "The field to look at."},
    {"least", XY_OPT_INT, offsetof(struct state, least), "3", 0, 0, 1000000, NULL,
     "Fewer words than this are dropped."},
    {0},
};

static int64_t count_words(xy_str text)
{
    int64_t words = 0;
    for (size_t i = 0; i < text.len; i++)
        words += text.ptr[i] != ' ' && (i == 0 || text.ptr[i - 1] == ' ');
    return words;
}

static int process(void *data, xy_job *job)
{
    const struct state *state = data;
    int64_t words = count_words(xy_get(job, state->field));
    return words >= state->least ? XY_OK : xy_drop(job, "%lld words", (long long)words);
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "my_plugin", .state_size = sizeof(struct state),
    .summary = "Keeps records whose text has enough words.", .options = options,
    .process = process,
};

XY_PLUGIN("my_plugin", "0.1.0", "Apache-2.0", &stage)
