/* SPDX-License-Identifier: Apache-2.0 */
/* xylem.tools/1: the tools of the pipeline file, for a stage that itself decides what to call. */
#include "tools.h"

#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "json.h"

enum { LIST_CEILING = 1 << 22 };

static struct services *services_of(const xy_job *base)
{
    return instance_services(((const struct job *)base)->instance);
}

static void write_tool(struct buffer *out, const struct tool_spec *tool)
{
    buffer_append_text(out, out->length ? ",{\"name\":" : "{\"name\":");
    json_write_text(out, str_of(tool->name));
    buffer_append_text(out, ",\"description\":");
    json_write_text(out, str_of(tool->description));
    buffer_append_text(out, ",\"parameters\":");
    buffer_append_str(out, tool->parameters);
    buffer_append_char(out, '}');
}

static int unknown(xy_job *job, const struct tools *tools, const char *name)
{
    const char *names[MOST_TOOLS];
    size_t count = tools_count(tools);
    for (size_t i = 0; i < count; i++)
        names[i] = tools_at(tools, i)->name;
    const char *nearest = nearest_name(name, names, count);
    if (nearest)
        return xy_fail(job, XY_EINVAL, "unknown tool `%.100s`; did you mean `%s`?", name, nearest);
    return xy_fail(job, XY_EINVAL, "unknown tool `%.100s`: the file's `tools:` does not have it",
                   name);
}

static int describe(xy_job *base, const char *const *names, xy_str *json)
{
    const struct tools *tools = services_of(base)->tools;
    struct buffer list;
    int code = XY_OK;
    buffer_init(&list, LIST_CEILING);
    for (size_t i = 0; !names && i < tools_count(tools); i++)
        write_tool(&list, tools_at(tools, i));
    for (; names && *names && code == XY_OK; names++) {
        const struct tool_spec *tool = tools_find(tools, str_of(*names));
        if (tool)
            write_tool(&list, tool);
        else
            code = unknown(base, tools, *names);
    }
    *json = str_of(arena_printf(&((struct job *)base)->arena, "[%s]",
                                list.length ? list.bytes : ""));
    buffer_free(&list);
    return code;
}

struct pending_tool {
    struct job *job;
    xy_tool_done done;
    void *user;
};

static void call_done(void *data, const struct tool_outcome *outcome)
{
    struct pending_tool call = *(struct pending_tool *)data;
    free(data);
    atomic_fetch_sub(&call.job->tickets, 1);
    call.done(&call.job->base, call.user,
              &(xy_tool_reply){.size = sizeof(xy_tool_reply), .status = outcome->status,
                               .result = outcome->result});
}

static int call(xy_job *base, const char *name, xy_str arguments, xy_tool_done done, void *user)
{
    struct job *job = (struct job *)base;
    struct services *services = services_of(base);
    int tagged = services_on_loop(services, instance_name(job->instance), XY_TOOLS " call()");
    if (tagged < 0)
        return tagged;
    struct value value = {.type = VALUE_MAP};
    struct error error = {0};
    if (arguments.len && json_parse(&job->arena, arguments, &value, &error) < 0)
        return xy_fail(base, XY_EINVAL, "the arguments are no JSON: %s", error.text);
    struct pending_tool *pending = memory_zeroed(1, sizeof(*pending));
    *pending = (struct pending_tool){.job = job, .done = done, .user = user};
    atomic_fetch_add(&job->tickets, 1);
    tools_call(services->tools, str_of(name), &value, call_done, pending);
    return XY_OK;
}

const xy_tools service_tools = {.size = sizeof(xy_tools), .describe = describe, .call = call};
