/* SPDX-License-Identifier: Apache-2.0 */
#include "instance.h"

#include <stdlib.h>
#include <string.h>

#include "job.h"

struct instance {
    const struct stage_type *type;
    struct host host;
    struct arena arena;   /* options' memory, the name */
    void *state;
    struct job *job;      /* of prepare(): lives as long as the instance */
    bool opened;
};

struct instance *instance_create(struct services *services, const struct stage_type *type,
                                 const char *name, const struct node *with,
                                 const struct node *place, const char *folder,
                                 const char *const *ignore, const struct option_resolver *resolver,
                                 struct error *error)
{
    struct instance *instance = memory_zeroed(1, sizeof(*instance));
    instance->type = type;
    instance->state = memory_zeroed(1, type->stage.state_size);
    const char *copy = arena_copy(&instance->arena, name, strlen(name));
    host_init(&instance->host, services, copy);
    struct error_list errors = {0};
    options_apply(type->options, with, arena_printf(&instance->arena, "`%s`", name), place, folder,
                  ignore, resolver, &instance->arena, instance->state, &errors);
    if (errors.count) {
        *error = errors.errors[0];
        error_list_free(&errors);
        instance_close(instance);
        return NULL;
    }
    error_list_free(&errors);
    return instance;
}

int instance_open(struct instance *instance, struct error *error)
{
    const xy_stage *stage = &instance->type->stage;
    for (const char *const *need = stage->needs; need && *need; need++) {
        if (!instance->host.base.service(&instance->host.base, *need))
            return error_set(error, XY_EUNSUPPORTED, "`%s` needs the service %s, which this host "
                             "does not have", instance->host.name, *need);
    }
    instance->host.opening = true;
    instance->host.problem[0] = '\0';
    int code = stage->open ? stage->open(instance->state, &instance->host.base) : XY_OK;
    instance->host.opening = false;
    if (code < 0)
        return error_set(error, code, "`%s` could not be opened: %s", instance->host.name,
                         instance->host.problem[0] ? instance->host.problem : error_name(code));
    instance->opened = true;
    return XY_OK;
}

int instance_prepare(struct instance *instance, uint32_t round, struct error *error)
{
    const xy_stage *stage = &instance->type->stage;
    if (!stage->prepare)
        return XY_OK;
    instance->job = job_create(instance, NULL, 0);
    instance->job->round = round;
    instance->job->cancelled = instance->host.services->cancelled;
    int code = stage->prepare(instance->state, &instance->job->base);
    if (code < 0)
        return error_set(error, code, "`%s`: %s", instance->host.name,
                         instance->job->why ? instance->job->why : error_name(code));
    return XY_OK;
}

void instance_close(struct instance *instance)
{
    if (!instance)
        return;
    if (instance->opened && instance->type->stage.close)
        instance->type->stage.close(instance->state);
    job_destroy(instance->job);
    free(instance->state);
    arena_free(&instance->arena);
    free(instance);
}

const char *instance_name(const struct instance *instance)
{
    return instance->host.name;
}

uint64_t instance_seed(const struct instance *instance)
{
    return instance->host.services->seed;
}

const struct stage_type *instance_type(const struct instance *instance)
{
    return instance->type;
}

void *instance_state(struct instance *instance)
{
    return instance->state;
}

struct services *instance_services(const struct instance *instance)
{
    return instance->host.services;
}
