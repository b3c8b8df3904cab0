/* SPDX-License-Identifier: Apache-2.0 */
/* xylem.store/1: where a step keeps files from run to run. */
#include <string.h>

#include "instance.h"
#include "job.h"

static const char *path(xy_job *base, const char *name)
{
    struct job *job = (struct job *)base;
    const struct services *services = instance_services(job->instance);
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        xy_say(base, XY_EINVAL, "`%s` is no file name", name);
        return NULL;
    }
    if (!services->store) {
        xy_say(base, XY_EUNSUPPORTED, "this host keeps no files");
        return NULL;
    }
    return arena_printf(&job->arena, "%s/steps/%s/%s", services->store,
                        instance_name(job->instance), name);
}

const xy_store service_store = {.size = sizeof(xy_store), .path = path};
