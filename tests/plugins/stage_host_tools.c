/* SPDX-License-Identifier: Apache-2.0 */
/* stage_host_tools.c - xylem.tools/1 for tests: each call goes to the test's tool(). */
#include <string.h>

#include "stage_host_internal.h"

struct stage_tool_call {
    struct stage_tool_call *next;
    struct job *job;
    const char *name;
    xy_str arguments;
    xy_tool_done done;
    void *user;
};

static struct stage_host *host_of(const xy_job *base)
{
    return (struct stage_host *)instance_services(((const struct job *)base)->instance);
}

static int describe(xy_job *base, const char *const *names, xy_str *json)
{
    (void)names;
    *json = str_of(host_of(base)->tools);
    return XY_OK;
}

static int call(xy_job *base, const char *name, xy_str arguments, xy_tool_done done, void *user)
{
    struct job *job = (struct job *)base;
    struct stage_tool_call *call = arena_alloc(&job->arena, sizeof(*call));
    *call = (struct stage_tool_call){
        .job = job, .name = arena_copy(&job->arena, name, strlen(name)),
        .arguments = arena_str(&job->arena, arguments), .done = done, .user = user};
    struct stage_tool_call **end = &host_of(base)->tool_calls;
    while (*end)
        end = &(*end)->next;
    *end = call;
    job->tickets++;
    return XY_OK;
}

bool stage_host_tool_next(struct stage_host *host)
{
    struct stage_tool_call *call = host->tool_calls;
    if (!call)
        return false;
    host->tool_calls = call->next;
    xy_tool_reply reply = {.size = sizeof(reply)};
    host->tool(host->answer_data, call->name, call->arguments, &reply, &call->job->arena);
    call->job->tickets--;
    call->done(&call->job->base, call->user, &reply);
    return true;
}

const xy_tools stage_host_tools = {.size = sizeof(xy_tools), .describe = describe, .call = call};
