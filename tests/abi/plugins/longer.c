/* SPDX-License-Identifier: Apache-2.0 */
/* Built against a later minor: every struct has members that this host does not know. */
#include <xylem/plugin.h>

struct state {
    int64_t most;
};

struct longer_option {
    xy_option known;
    const char *unknown[3];
};

static const struct longer_option options[] = {
    {{"most", XY_OPT_INT, offsetof(struct state, most), "10", 0, 1, 100, NULL, "Most."},
     {"a", "b", "c"}},
    {{"least", XY_OPT_INT, sizeof(struct state), NULL, 0, 0, 0, NULL, "Least."}, {0}},
    {{0}, {0}},
};

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const struct longer_stage {
    xy_stage known;
    const char *unknown[8];
} stage = {
    {.size = sizeof(stage), .option_size = sizeof(struct longer_option), .kind = XY_FILTER,
     .id = "longer", .version = "9", .summary = "Knows more than the host.",
     .state_size = 2 * sizeof(struct state), .options = &options[0].known, .process = process},
    {"unknown"},
};

static const struct longer_plugin {
    xy_plugin known;
    uint64_t unknown[4];
} plugin;
static const xy_stage *const stages[] = {&stage.known, NULL};
static const struct longer_plugin plugin = {
    {sizeof(plugin), XY_ABI_MAJOR, XY_ABI_MINOR + 7, 0, "longer", "1.0", "MIT", stages},
    {1, 2, 3, 4}};

XY_EXPORT const xy_plugin *xy_plugin_v1(void)
{
    return &plugin.known;
}
