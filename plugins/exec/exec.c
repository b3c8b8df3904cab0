/* SPDX-License-Identifier: Apache-2.0 */
/* exec: any program that answers JSON lines is a model, or a learner. */
#include "exec_internal.h"
#include "exec_learner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define AT(member) offsetof(struct exec, member)

static const xy_option options[] = {
    {"command", XY_OPT_LIST, AT(command), NULL, XY_OPT_REQUIRED, 0, 0, NULL,
     "The program and its arguments, as a list; no shell is between."},
    {"operations", XY_OPT_LIST, AT(operations), NULL, 0, 0, 0, NULL,
     "What it can do: any of complete, score, embed; complete when not given."},
    {"processes", XY_OPT_INT, AT(processes), "1", XY_OPT_NEUTRAL, 1, 256, NULL,
     "How many of it run at the same time."},
    {"parallel", XY_OPT_INT, AT(parallel), "1", XY_OPT_NEUTRAL, 1, 4096, NULL,
     "Calls that one process gets before it has answered the first."},
    {"answer_within", XY_OPT_SECONDS, AT(timeout), "0", XY_OPT_NEUTRAL, 0, 1e6, NULL,
     "Time for one answer before the process is killed; 0: the model's `timeout`."},
    {"restarts", XY_OPT_INT, AT(restarts), "5", XY_OPT_NEUTRAL, 0, 1000, NULL,
     "Restarts in a row, without any answer between, after which a process is given up."},
    {.name = NULL},
};

/* ---- exchanges ------------------------------------------------------------------------------- */

void exchange_append(struct exchange_list *list, struct exchange *exchange)
{
    exchange->next = NULL;
    if (list->last)
        list->last->next = exchange;
    else
        list->first = exchange;
    list->last = exchange;
    list->count++;
}

bool exchange_remove(struct exchange_list *list, struct exchange *exchange)
{
    struct exchange *before = NULL, *at = list->first;
    while (at && at != exchange)
        before = at, at = at->next;
    if (!at)
        return false;
    if (before)
        before->next = at->next;
    else
        list->first = at->next;
    if (list->last == at)
        list->last = before;
    at->next = NULL;
    list->count--;
    return true;
}

void exchange_free(struct exchange *exchange)
{
    text_free(&exchange->line);
    free(exchange);
}

/* [loop] */
static void complete(void *data)
{
    struct exchange *exchange = data;
    xy_call *call = exchange->call;
    xy_reply reply = {.size = sizeof(reply), .retry_after_ms = -1, .status = exchange->status};
    if (exchange->status == XY_OK) {
        protocol_read(call, (xy_str){exchange->line.bytes, exchange->line.length}, &reply);
    } else {
        reply.error = exchange->error;
        reply.retryable = exchange->retryable;
    }
    call->api->complete(call, &reply);
    exchange_free(exchange);
}

void exchange_post(struct exchange *exchange)
{
    if (!exchange->call)
        exchange_free(exchange);
    else
        exchange->exec->loop->post(exchange->exec->host, complete, exchange);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static struct process *least_busy(struct exec *exec, char *error, size_t error_size)
{
    struct process *best = NULL;
    size_t least = SIZE_MAX;
    for (int64_t i = 0; i < exec->processes; i++) {
        struct process *process = &exec->pool[i];
        pthread_mutex_lock(&process->lock);
        size_t busy = process->waiting.count + process->active.count;
        bool hopeless = process->hopeless;
        if (hopeless)
            snprintf(error, error_size, "%.250s", process->last_end);
        pthread_mutex_unlock(&process->lock);
        if (!hopeless && busy < least) {
            best = process;
            least = busy;
        }
    }
    return best;
}

static int hand_over(struct process *process, struct exchange *exchange)
{
    if (!process->started && pthread_create(&process->thread, NULL, process_run, process) != 0)
        return XY_ENOMEM;
    process->started = true;
    pthread_mutex_lock(&process->lock);
    exchange_append(&process->waiting, exchange);
    pthread_mutex_unlock(&process->lock);
    process_wake(process);
    return XY_OK;
}

static int exec_submit(void *state, xy_call *call)
{
    struct exec *exec = state;
    const xy_request *request = call->api->request(call);
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange)
        return XY_ENOMEM;
    exchange->exec = exec;
    exchange->call = call;
    exchange->id = ++exec->next_id;
    exchange->timeout_ms =
        exec->timeout > 0 ? (uint32_t)(exec->timeout * 1e3) : request->timeout_ms;
    if (exchange->timeout_ms == 0)
        exchange->timeout_ms = 600000;
    protocol_write(&exchange->line, exchange->id, request);
    int code = exchange->line.failed ? XY_ENOMEM : XY_OK;
    struct process *process = least_busy(exec, exchange->error, sizeof(exchange->error));
    if (code == XY_OK && !process) {
        exchange->status = XY_EUPSTREAM; /* all are given up: say why, in the usual way */
        exchange_post(exchange);
        return XY_OK;
    }
    if (code == XY_OK)
        code = hand_over(process, exchange);
    if (code != XY_OK)
        exchange_free(exchange);
    return code;
}

/* A waiting call is taken back. One that the program works on is answered now; a stand-in without a
 * call keeps its place until the program's answer comes. */
static struct exchange *take_back(struct process *process, const xy_call *call)
{
    struct exchange *found = process->waiting.first;
    while (found && found->call != call)
        found = found->next;
    if (found) {
        exchange_remove(&process->waiting, found);
        return found;
    }
    for (found = process->active.first; found && found->call != call;)
        found = found->next;
    struct exchange *stand_in = found ? calloc(1, sizeof(*stand_in)) : NULL;
    if (!stand_in)
        return NULL;
    *stand_in = (struct exchange){.exec = found->exec, .id = found->id, .due_ms = found->due_ms,
                                  .timeout_ms = found->timeout_ms};
    exchange_remove(&process->active, found);
    exchange_append(&process->active, stand_in);
    return found;
}

static void exec_cancel(void *state, xy_call *call)
{
    struct exec *exec = state;
    struct exchange *found = NULL;
    for (int64_t i = 0; i < exec->processes && !found; i++) {
        struct process *process = &exec->pool[i];
        pthread_mutex_lock(&process->lock);
        found = take_back(process, call);
        pthread_mutex_unlock(&process->lock);
    }
    if (!found)
        return;
    found->status = XY_ECANCELED;
    snprintf(found->error, sizeof(found->error), "cancelled");
    exchange_post(found);
}

/* ---- the stage ------------------------------------------------------------------------------- */

static int read_operations(struct exec *exec)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } known[] = {{"complete", XY_COMPLETE}, {"score", XY_SCORE}, {"embed", XY_EMBED}};
    if (!exec->operations)
        exec->can = XY_COMPLETE;
    for (const char *const *name = exec->operations; name && *name; name++) {
        uint32_t bit = 0;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            if (strcmp(*name, known[i].name) == 0)
                bit = known[i].bit;
        if (!bit) {
            xy_log_line(exec->host, XY_LOG_ERROR,
                        "exec: `operations` has \"%s\"; known are complete, score, embed", *name);
            return XY_EINVAL;
        }
        exec->can |= bit;
    }
    return XY_OK;
}

static void exec_close(void *state)
{
    struct exec *exec = state;
    for (int64_t i = 0; exec->pool && i < exec->processes; i++) {
        struct process *process = &exec->pool[i];
        pthread_mutex_lock(&process->lock);
        process->stopping = true;
        pthread_mutex_unlock(&process->lock);
        if (process->started)
            process_wake(process);
    }
    for (int64_t i = 0; exec->pool && i < exec->processes; i++) {
        struct process *process = &exec->pool[i];
        if (process->started)
            pthread_join(process->thread, NULL);
        while (process->active.first) { /* stand-ins only: no call is pending any more */
            struct exchange *left = process->active.first;
            exchange_remove(&process->active, left);
            exchange_free(left);
        }
        text_free(&process->outgoing);
        text_free(&process->incoming);
        text_free(&process->complaint);
        pthread_mutex_destroy(&process->lock);
        for (int end = 0; end < 2; end++)
            if (process->wake[end] >= 0)
                close(process->wake[end]);
    }
    free(exec->pool);
    exec->pool = NULL;
}

static int exec_open(void *state, const xy_host *host)
{
    struct exec *exec = state;
    exec->host = host;
    exec->loop = host->service(host, XY_LOOP);
    int code = read_operations(exec);
    if (code == XY_OK && (!exec->command || !exec->command[0] || !*exec->command[0])) {
        xy_log_line(host, XY_LOG_ERROR, "exec: `command` is empty: it takes the program and its "
                    "arguments as a list");
        code = XY_EINVAL;
    }
    if (code != XY_OK)
        return code;
    exec->pool = calloc((size_t)exec->processes, sizeof(*exec->pool));
    if (!exec->pool)
        return XY_ENOMEM;
    for (int64_t i = 0; i < exec->processes; i++) {
        struct process *process = &exec->pool[i];
        *process = (struct process){.exec = exec, .number = (size_t)i + 1, .wake = {-1, -1},
                                    .input = -1, .output = -1, .errors = -1};
        pthread_mutex_init(&process->lock, NULL);
        if (pipe2(process->wake, O_CLOEXEC | O_NONBLOCK) != 0)
            code = XY_EIO;
    }
    if (code != XY_OK)
        exec_close(exec);
    return code;
}

static uint32_t exec_can(const void *state)
{
    return ((const struct exec *)state)->can;
}

static const xy_generator generator = {
    .size = sizeof(generator),
    .can = exec_can,
    .submit = exec_submit,
    .cancel = exec_cancel,
};

static const char *const needs[] = {XY_LOOP, NULL};

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_GENERATOR,
    .state_size = sizeof(struct exec),
    .id = "exec",
    .version = "1.0.0",
    .summary = "Completes, scores and embeds through any program that answers JSON lines.",
    .needs = needs,
    .options = options,
    .open = exec_open,
    .close = exec_close,
    .generator = &generator,
};

XY_PLUGIN("exec", "1.0.0", "Apache-2.0", &stage, &exec_learner_stage)
