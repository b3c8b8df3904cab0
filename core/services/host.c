/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "services.h"

struct entry {
    const char *id;
    const void *table;
    bool (*present)(const struct services *services); /* NULL: always */
};

static bool has_loop(const struct services *services)
{
    return services->loop != NULL;
}

static bool has_http(const struct services *services)
{
    return services->http != NULL;
}

static bool has_models(const struct services *services)
{
    return services->models != NULL;
}

static bool has_tools(const struct services *services)
{
    return services->tools != NULL;
}

static bool has_registry(const struct services *services)
{
    return services->registry != NULL;
}

static bool has_report(const struct services *services)
{
    return services->report != NULL;
}

static bool has_store(const struct services *services)
{
    return services->store != NULL;
}

static const struct entry entries[] = {
    {XY_LOG, &service_log, NULL},
    {XY_RNG, &service_rng, NULL},
    {XY_LOOP, &service_loop, has_loop},
    {XY_MODEL, &service_model, has_models},
    {XY_HTTP, &service_http, has_http},
    {XY_TOOLS, &service_tools, has_tools},
    {XY_LEARNER_SERVICE, &service_learner, has_registry},
    {XY_EXPRESSION, &service_expression, NULL},
    {XY_TEMPLATE, &service_template, NULL},
    {XY_SCHEMA, &service_schema, NULL},
    {XY_FILES, &service_files, has_registry},
    {XY_STORE, &service_store, has_store},
    {XY_REPORT, &service_report, has_report},
};

const void *services_find(const xy_host *base, const char *id)
{
    const struct services *services = host_services(base);
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        const struct entry *entry = &entries[i];
        if (strcmp(entry->id, id) == 0)
            return !entry->present || entry->present(services) ? entry->table : NULL;
    }
    return NULL;
}

void host_init(struct host *host, struct services *services, const char *name)
{
    *host = (struct host){
        .base = {sizeof(xy_host), XY_ABI_MAJOR, XY_ABI_MINOR,
                 services->service ? services->service : services_find},
        .services = services,
        .name = name,
    };
}

struct services *host_services(const xy_host *host)
{
    return ((const struct host *)host)->services;
}

const char *host_name(const xy_host *host)
{
    return ((const struct host *)host)->name;
}

void services_log(struct services *services, int level, const char *who, const char *format, ...)
{
    if (level < services->log_level)
        return;
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (services->log)
        services->log(services->log_data, level, who, message);
    else
        fprintf(stderr, "%s: %s\n", who, message);
}

int services_on_loop(struct services *services, const char *who, const char *call)
{
    if (!services->loop || loop_is_current(services->loop))
        return XY_OK;
    services_log(services, XY_LOG_ERROR, who,
                 "the plugin called %s on another thread; it is tagged "
                 "[loop]",
                 call);
    return XY_EBUG;
}

int services_off_loop(struct services *services, const char *who, const char *call)
{
    if (!services->loop || !loop_is_current(services->loop))
        return XY_OK;
    services_log(services, XY_LOG_ERROR, who,
                 "the plugin called %s on the loop, where it would wait "
                 "for itself; it is tagged [worker]",
                 call);
    return XY_EBUG;
}

static void write_log(const xy_host *base, int level, const char *message)
{
    struct host *host = (struct host *)(uintptr_t)base;
    if (host->opening && level == XY_LOG_ERROR)
        snprintf(host->problem, sizeof(host->problem), "%s", message);
    else
        services_log(host->services, level, host->name, "%s", message);
}

const xy_log service_log = {.size = sizeof(xy_log), .write = write_log};
