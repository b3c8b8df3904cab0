/* SPDX-License-Identifier: Apache-2.0 */
/* Wants the host's tables to be of exactly the size that it knows. */
#include <xylem/plugin.h>

static int open(void *data, const xy_host *host)
{
    (void)data;
    const xy_log *log = host->service(host, XY_LOG);
    return !log || log->size == sizeof(*log) ? XY_OK : XY_EUNSUPPORTED;
}

static int process(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .id = "refuses_longer",
    .summary = "Wants the host's tables to be of exactly the size that it knows.",
    .open = open,
    .process = process,
};

XY_PLUGIN("refuses_longer", "1.0", "MIT", &stage)
