/* SPDX-License-Identifier: Apache-2.0 */
/* Every function ends the process: loading, listing and documenting a plugin must call none. */
#include <stdlib.h>
#include <xylem/plugin.h>

static int trap_open(void *state, const xy_host *host)
{
    (void)state, (void)host;
    abort();
}

static int trap_process(void *state, xy_job *job)
{
    (void)state, (void)job;
    abort();
}

static int64_t trap_estimate(const void *state)
{
    (void)state;
    abort();
}

static const void *trap_extension(const char *id)
{
    (void)id;
    abort();
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "trap", .summary = "s", .open = trap_open,
    .process = trap_process, .estimate = trap_estimate, .extension = trap_extension,
};

XY_PLUGIN("trap", "1.0", "MIT", &stage)
