/* SPDX-License-Identifier: Apache-2.0 */
/* Built against an earlier minor: the structs end before members that this host knows. */
#include <xylem/plugin.h>

struct state {
    int64_t most;
};

/* The prefix of xy_option that ends before `low`. */
struct short_option {
    const char *name;
    uint32_t type, offset;
    const char *def;
    uint32_t flags;
};

static const struct short_option options[] = {
    {"most", XY_OPT_INT, offsetof(struct state, most), "10", 0},
    {0},
};

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

/* The prefix of xy_stage that ends before `run`. */
static const struct short_stage {
    uint32_t size, kind, flags, state_size;
    const char *id, *version, *summary;
    const char *const *needs;
    const struct short_option *options;
    uint32_t option_size, max_inflight;
    int (*open)(void *, const xy_host *);
    int (*prepare)(void *, xy_job *);
    void (*close)(void *);
    int (*process)(void *, xy_job *);
} stage = {
    .size = sizeof(stage), .kind = XY_FILTER, .state_size = sizeof(struct state), .id = "shorter",
    .version = "0", .summary = "Knows less than the host.", .options = options,
    .option_size = sizeof(struct short_option), .process = process,
};

XY_EXPORT const xy_plugin *xy_plugin_v1(void)
{
    static const struct short_stage *const stages[] = {&stage, NULL};
    static const xy_plugin plugin = {
        sizeof(plugin), XY_ABI_MAJOR, XY_ABI_MINOR, 0,
        "shorter",      "1.0",        "MIT",        (const xy_stage *const *)stages};
    return &plugin;
}
