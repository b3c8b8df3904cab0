/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of tools: on the loop, on workers, refused, too slow, cancelled, and how many at once. */
#include "tools.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "job.h"
#include "json.h"
#include "schema.h"

/* ---- fake stages ----------------------------------------------------------------------------- */

static _Atomic int at_work, most_at_work;

static void enter(void)
{
    int now = atomic_fetch_add(&at_work, 1) + 1, most = atomic_load(&most_at_work);
    while (now > most && !atomic_compare_exchange_weak(&most_at_work, &most, now)) {}
}

static int add(void *state, xy_job *job)
{
    (void)state;
    xy_record *record = job->api->input(job, 0);
    xy_value a, b;
    record->api->get(record, "a", &a);
    if (record->api->get(record, "b", &b) == XY_NULL)
        return xy_drop(job, "nothing to add");
    return xy_record_set_int(record, "sum", a.integer + b.integer);
}

static int add_slowly(void *state, xy_job *job)
{
    enter();
    usleep(5000);
    atomic_fetch_sub(&at_work, 1);
    return add(state, job);
}

static int say_text(void *state, xy_job *job)
{
    (void)state;
    return xy_record_set_text(job->api->input(job, 0), "sum", xy_text("a \"text\""));
}

static int emit(void *state, xy_job *job)
{
    (void)state;
    xy_record *record = job->api->new_record(job, job->api->input(job, 0));
    xy_record_set_json(record, "sum", xy_text("[1,{\"b\":null}]"));
    job->api->emit(job, record);
    return XY_CONSUMED;
}

static int forget(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_OK;
}

static int fail(void *state, xy_job *job)
{
    (void)state;
    return xy_fail(job, XY_EIO, "the disk is gone");
}

static int hang(void *state, xy_job *job)
{
    (void)state;
    while (!job->api->cancelled(job))
        usleep(1000);
    usleep(20000); /* it ends after its caller has gone on */
    return xy_record_set_int(job->api->input(job, 0), "sum", 1);
}

static int wait_on_worker(void *state, xy_job *job)
{
    (void)state, (void)job;
    return XY_PENDING;
}

static xy_job *pending_job;

static int pend(void *state, xy_job *job)
{
    (void)state;
    pending_job = job;
    return XY_PENDING;
}

/* ---- a loop with one tool -------------------------------------------------------------------- */

struct fixture {
    struct services services;
    struct stage_type type;
    struct tool_spec spec;
    struct instance *instance;
    struct tools *tools;
    struct timer *guard;
    int answers, expected;
    struct tool_outcome last;
    char result[512];
    char log[512];
};

static void keep_log(void *data, int level, const char *who, const char *message)
{
    struct fixture *fixture = data;
    (void)level;
    snprintf(fixture->log, sizeof(fixture->log), "%s: %s", who, message);
}

static void too_long(void *data)
{
    struct fixture *fixture = data;
    fixture->guard = NULL;
    loop_stop(fixture->services.loop);
}

static void start(struct fixture *fixture, int (*process)(void *state, xy_job *job), uint32_t flags)
{
    struct error error = {0};
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},"
        "\"b\":{\"type\":\"integer\"}},\"required\":[\"a\"]}";
    *fixture = (struct fixture){0};
    fixture->services.loop = loop_create(8);
    fixture->services.log = keep_log;
    fixture->services.log_data = fixture;
    fixture->type.stage = (xy_stage){XY_STAGE_INIT, .kind = XY_CONDITION, .id = "adder",
                                     .flags = flags, .state_size = 8, .process = process};
    fixture->spec = (struct tool_spec){.name = "adder", .result = "sum", .timeout = 5,
                                       .schema = schema_compile(str_of(schema), &error),
                                       .step = {.type = &fixture->type}};
    fixture->instance = instance_create(&fixture->services, &fixture->type, "tools.adder", NULL,
                                        NULL, ".", NULL, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fixture->instance);
    CU_ASSERT_EQUAL(instance_open(fixture->instance, &error), 0);
    struct instance *instances[] = {fixture->instance};
    fixture->tools = tools_create(&fixture->services, &fixture->spec, instances, 1);
    atomic_store(&most_at_work, 0);
}

static void answered(void *data, const struct tool_outcome *outcome)
{
    struct fixture *fixture = data;
    fixture->answers++;
    fixture->last = *outcome;
    snprintf(fixture->result, sizeof(fixture->result), "%.*s", (int)outcome->result.len,
             outcome->result.ptr);
    if (fixture->answers == fixture->expected)
        loop_stop(fixture->services.loop);
}

static void call(struct fixture *fixture, const char *name, const char *arguments)
{
    struct arena arena = {0};
    struct error error;
    struct value value;
    CU_ASSERT_EQUAL_FATAL(json_parse(&arena, str_of(arguments), &value, &error), 0);
    int before = fixture->answers;
    tools_call(fixture->tools, str_of(name), &value, answered, fixture);
    CU_ASSERT_EQUAL(fixture->answers, before); /* never from inside */
    arena_free(&arena);
    fixture->expected++;
}

static void run(struct fixture *fixture)
{
    fixture->guard = loop_after(fixture->services.loop, 10000000, too_long, fixture);
    loop_run(fixture->services.loop);
    timer_stop(fixture->guard);
    CU_ASSERT_EQUAL(fixture->answers, fixture->expected);
}

static void close_on_worker(void *data)
{
    tools_close(((struct fixture *)data)->tools);
}

static void closed(void *data)
{
    loop_stop(((struct fixture *)data)->services.loop);
}

static void stop(struct fixture *fixture)
{
    loop_work(fixture->services.loop, close_on_worker, closed, fixture);
    loop_run(fixture->services.loop);
    instance_close(fixture->instance);
    schema_free((struct schema *)(uintptr_t)fixture->spec.schema);
    loop_destroy(fixture->services.loop);
}

static void check_one(int (*process)(void *state, xy_job *job), uint32_t flags, const char *name,
                      const char *arguments, struct tool_outcome expected, const char *result)
{
    struct fixture fixture;
    start(&fixture, process, flags);
    call(&fixture, name, arguments);
    run(&fixture);
    CU_ASSERT_EQUAL(fixture.last.status, expected.status);
    CU_ASSERT_EQUAL(fixture.last.ran, expected.ran);
    CU_ASSERT_EQUAL(fixture.last.json, expected.json);
    CHECK_TEXT(fixture.result, result);
    stop(&fixture);
}

#define OUTCOME(...) ((struct tool_outcome){__VA_ARGS__})

static void outcomes(void)
{
    static const uint32_t where[] = {0, XY_STAGE_CPU, XY_STAGE_CPU | XY_STAGE_REENTRANT};
    for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
        check_one(add, where[i], "adder", "{\"a\":2,\"b\":3}",
                  OUTCOME(.status = XY_OK, .ran = true, .json = true), "5");
        check_one(add, where[i], "adder", "{\"a\":2}", OUTCOME(.status = XY_DROP, .ran = true),
                  "nothing to add");
        check_one(say_text, where[i], "adder", "{\"a\":2}", OUTCOME(.status = XY_OK, .ran = true),
                  "a \"text\"");
        check_one(emit, where[i], "adder", "{\"a\":2}",
                  OUTCOME(.status = XY_OK, .ran = true, .json = true), "[1,{\"b\":null}]");
        check_one(fail, where[i], "adder", "{\"a\":2}", OUTCOME(.status = XY_EIO, .ran = true),
                  "the disk is gone");
        check_one(forget, where[i], "adder", "{\"a\":2}", OUTCOME(.status = XY_EBUG, .ran = true),
                  "the tool `adder` did not set its result `sum`");
    }
    check_one(wait_on_worker, XY_STAGE_CPU, "adder", "{\"a\":2}",
              OUTCOME(.status = XY_EBUG, .ran = true),
              "plugin `tools.adder` answered XY_PENDING on a worker");
}

static void refusals(void)
{
    check_one(add, 0, "ader", "{\"a\":2}", OUTCOME(.status = XY_EINVAL),
              "there is no tool `ader`");
    check_one(add, 0, "adder", "{}", OUTCOME(.status = XY_EINVAL),
              "the arguments do not fit: $: the required member `a` is missing");
    check_one(add, 0, "adder", "[]", OUTCOME(.status = XY_EINVAL),
              "the arguments are no JSON object");
    check_one(add, 0, "adder", "{\"a\":2,\"\":3}", OUTCOME(.status = XY_EINVAL),
              "the argument `` cannot be used");
    check_one(add, 0, "adder", "{\"a\":2,\"b\":null}", OUTCOME(.status = XY_EINVAL),
              "the arguments do not fit: $.b: expected integer, found null");
}

static void finish_late(void *data)
{
    (void)data;
    xy_record_set_int(pending_job->api->input(pending_job, 0), "sum", 9);
    pending_job->api->finish(pending_job, XY_OK);
}

static void pending(void)
{
    struct fixture fixture;
    start(&fixture, pend, 0);
    call(&fixture, "adder", "{\"a\":2}");
    loop_after(fixture.services.loop, 10000, finish_late, NULL);
    run(&fixture);
    CHECK_TEXT(fixture.result, "9");
    stop(&fixture);
    /* Pending past its time, finished afterwards: the answer comes once. */
    start(&fixture, pend, 0);
    fixture.spec.timeout = 0.02;
    call(&fixture, "adder", "{\"a\":2}");
    run(&fixture);
    CU_ASSERT_EQUAL(fixture.last.status, XY_ETIMEOUT);
    CHECK_TEXT(fixture.result, "no result within 0.02 s");
    CU_ASSERT_TRUE(pending_job->api->cancelled(pending_job));
    loop_after(fixture.services.loop, 10000, finish_late, NULL);
    stop(&fixture);
    CU_ASSERT_EQUAL(fixture.answers, 1);
}

static void hanging(void)
{
    struct fixture fixture;
    start(&fixture, hang, XY_STAGE_CPU);
    fixture.spec.timeout = 0.02;
    for (int i = 0; i < 3; i++)
        call(&fixture, "adder", "{\"a\":2}");
    run(&fixture);
    CU_ASSERT_EQUAL(fixture.last.status, XY_ETIMEOUT);
    stop(&fixture); /* waits until the hanging one has noticed */
    CU_ASSERT_EQUAL(fixture.answers, 3);
}

static void bounded(void)
{
    struct fixture fixture;
    start(&fixture, add_slowly, XY_STAGE_CPU);
    for (int i = 0; i < 8; i++)
        call(&fixture, "adder", "{\"a\":2,\"b\":2}");
    run(&fixture);
    CU_ASSERT_EQUAL(atomic_load(&most_at_work), 1);
    stop(&fixture);
    start(&fixture, add_slowly, XY_STAGE_CPU | XY_STAGE_REENTRANT);
    for (int i = 0; i < 16; i++)
        call(&fixture, "adder", "{\"a\":2,\"b\":2}");
    run(&fixture);
    CU_ASSERT(atomic_load(&most_at_work) <= 4);
    stop(&fixture);
}

static void stop_soon(void *data)
{
    tools_stop(((struct fixture *)data)->tools);
}

static void stopped(void)
{
    struct fixture fixture;
    start(&fixture, hang, XY_STAGE_CPU);
    for (int i = 0; i < 3; i++)
        call(&fixture, "adder", "{\"a\":2}");
    loop_after(fixture.services.loop, 10000, stop_soon, &fixture);
    run(&fixture);
    CU_ASSERT_EQUAL(fixture.last.status, XY_OK); /* the one at work noticed, and finished */
    call(&fixture, "adder", "{\"a\":2}");
    run(&fixture);
    CU_ASSERT_EQUAL(fixture.last.status, XY_ECANCELED);
    stop(&fixture);
}

int main(void)
{
    static const struct check checks[] = {
        {"what a call comes to", outcomes},
        {"calls that are refused", refusals},
        {"a tool that waits", pending},
        {"a tool that hangs", hanging},
        {"how many at once", bounded},
        {"a run that is stopped", stopped},
        {NULL, NULL},
    };
    return check_main("tools", checks);
}
