/* SPDX-License-Identifier: Apache-2.0 */
#include "instance.h"
#include "job.h"

static void score(xy_job *base, const xy_score *given)
{
    const struct job *job = (const struct job *)base;
    report_add_score(instance_services(job->instance)->report, instance_name(job->instance),
                     job->round, given);
}

static void detail(xy_job *base, const char *name, xy_str json)
{
    const struct job *job = (const struct job *)base;
    report_add_detail(instance_services(job->instance)->report, instance_name(job->instance), name,
                      json);
}

const xy_report service_report = {.size = sizeof(xy_report), .score = score, .detail = detail};
