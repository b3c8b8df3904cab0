/* SPDX-License-Identifier: Apache-2.0 */
/* keeps_a_file - cannot run without xylem.store/1, and writes the file that it is given. */
#include <stdio.h>

#include <xylem/plugin.h>

/* xylem.store/1, which the header of minor 0 does not know. */
struct store {
    uint32_t size;
    const char *(*path)(xy_job *, const char *name);
};

struct state {
    const struct store *store;
};

static int open_filter(void *data, const xy_host *host)
{
    struct state *state = data;
    state->store = host->service(host, "xylem.store/1");
    return state->store ? XY_OK : XY_EUNSUPPORTED;
}

static int process(void *data, xy_job *job)
{
    const struct state *state = data;
    const char *path = state->store->path(job, "seen.txt");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return xy_fail(job, XY_EIO, "the file could not be written");
    fclose(file);
    return XY_OK;
}

static const char *const needs[] = {"xylem.store/1", NULL};

static const xy_stage keeps_a_file = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .state_size = sizeof(struct state),
    .id = "keeps_a_file",
    .version = "1.0.0",
    .summary = "Writes a file for each record",
    .needs = needs,
    .open = open_filter,
    .process = process,
};

XY_PLUGIN("keeps_a_file", "1.0.0", "Apache-2.0", &keeps_a_file)
