/* SPDX-License-Identifier: Apache-2.0 */
#include "instance.h"
#include "job.h"

static uint64_t stream(const xy_job *base, const xy_record *record, uint64_t salt)
{
    const struct job *job = (const struct job *)base;
    uint64_t origin = record ? ((const struct record *)record)->id : job->sequence;
    return record_hash(instance_seed(job->instance), instance_name(job->instance), origin,
                       job->round, salt ^ UINT64_C(0x72616e646f6d)); /* apart from record ids */
}

const xy_rng service_rng = {.size = sizeof(xy_rng), .stream = stream};
