/* SPDX-License-Identifier: Apache-2.0 */
/* A call on the wrong thread is refused and the plugin named, whatever the build. */
#include <pthread.h>
#include <stdlib.h>

#include "check.h"
#include "instance.h"
#include "job.h"
#include "services.h"

struct seen {
    struct services services;
    struct host host;
    struct instance *instance;
    char log[512], who[64];
    int answers[4];
};

static void keep_log(void *data, int level, const char *who, const char *message)
{
    struct seen *seen = data;
    CU_ASSERT_EQUAL(level, XY_LOG_ERROR);
    snprintf(seen->who, sizeof(seen->who), "%s", who);
    snprintf(seen->log, sizeof(seen->log), "%s", message);
}

static void nothing(void *data)
{
    (void)data;
}

static void *on_another_thread(void *data)
{
    struct seen *seen = data;
    seen->answers[0] = service_loop.after(&seen->host.base, 1, nothing, NULL);
    return NULL;
}

static void on_the_loop(void *data)
{
    struct seen *seen = data;
    const float *vectors;
    size_t dimension;
    struct job *job = job_create(seen->instance, NULL, 0);
    xy_str text = STR("text");
    seen->answers[1] = service_loop.after(&seen->host.base, 1, nothing, NULL);
    seen->answers[2] = service_model.embed(&job->base, NULL, &text, 1, &vectors, &dimension);
    job_destroy(job);
    loop_stop(seen->services.loop);
}

static void threads_are_checked(void)
{
    static const xy_option none[] = {{0}};
    static const struct stage_type type = {
        .stage = {.size = sizeof(xy_stage), .kind = XY_FILTER, .state_size = 1}, .options = none};
    struct seen seen = {.services = {.loop = loop_create(1), .log = keep_log}};
    struct error error = {0};
    pthread_t thread;
    seen.services.log_data = &seen;
    host_init(&seen.host, &seen.services, "step");
    seen.instance = instance_create(&seen.services, &type, "step", NULL, NULL, NULL, NULL, NULL,
                                    &error);
    CU_ASSERT_FATAL(seen.instance != NULL);
    pthread_create(&thread, NULL, on_another_thread, &seen);
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(seen.answers[0], XY_EBUG);
    CHECK_TEXT(seen.who, "step");
    CHECK_TEXT(seen.log, "the plugin called xylem.loop/1 after() on another thread; it is tagged "
                         "[loop]");
    loop_post(seen.services.loop, on_the_loop, &seen);
    loop_run(seen.services.loop);
    CU_ASSERT_EQUAL(seen.answers[1], XY_OK);
    CU_ASSERT_EQUAL(seen.answers[2], XY_EBUG);
    CU_ASSERT(strstr(seen.log, "xylem.model/1 call() or embed() on the loop") != NULL);
    instance_close(seen.instance);
    loop_destroy(seen.services.loop);
}

int main(void)
{
    static const struct check checks[] = {
        {"threads are checked", threads_are_checked},
        {NULL, NULL},
    };
    return check_main("services", checks);
}
