# SPDX-License-Identifier: Apache-2.0
"""What a learner is promised: the threads it is called on."""
import os
import shutil
import subprocess

import harness

# A learner that says on which thread it is told to forget, and a filter that keeps what was learnt
# from prepare() to close().
KEEPER = r"""
#include <pthread.h>
#include <stdlib.h>
#include <xylem/plugin.h>

struct learner { const xy_host *host; pthread_t loop; };

static int open_learner(void *data, const xy_host *host)
{
    struct learner *learner = data;
    learner->host = host;
    learner->loop = pthread_self();
    return XY_OK;
}

static void close_learner(void *data)
{
    xy_log_line(((struct learner *)data)->host, XY_LOG_WARNING, "closed");
}

static int fit(const void *data, xy_job *job, const xy_examples *examples, uint64_t seed,
               void **fitted)
{
    (void)data; (void)job; (void)examples; (void)seed;
    *fitted = malloc(1);
    return *fitted ? XY_OK : XY_ENOMEM;
}

static int predict(const void *data, xy_job *job, const void *fitted, const xy_examples *examples,
                   float *probabilities)
{
    (void)data; (void)job; (void)fitted; (void)examples; (void)probabilities;
    return XY_EUNSUPPORTED;
}

static void release(const void *data, void *fitted)
{
    const struct learner *learner = data;
    xy_log_line(learner->host, XY_LOG_WARNING, "released on %s",
                pthread_equal(pthread_self(), learner->loop) ? "the loop" : "a worker");
    free(fitted);
}

static const xy_learner learns = {sizeof(learns), fit, predict, release, NULL};
static const xy_stage learner = {
    XY_STAGE_INIT, .kind = XY_LEARNER, .id = "aware", .state_size = sizeof(struct learner),
    .summary = "Learns nothing.", .open = open_learner, .close = close_learner, .learner = &learns,
};

struct keeper {
    const xy_student *student;
    const xy_learner_service *service;
    void *first, *second;
};

static const xy_option options[] = {
    {.name = "learner", .type = XY_OPT_LEARNER, .offset = offsetof(struct keeper, student),
     .flags = XY_OPT_REQUIRED, .help = "The learner."},
    {0},
};

static int open_keeper(void *data, const xy_host *host)
{
    struct keeper *keeper = data;
    keeper->service = host->service(host, XY_LEARNER_SERVICE);
    return keeper->service ? XY_OK : XY_EUNSUPPORTED;
}

static int prepare(void *data, xy_job *job)
{
    struct keeper *keeper = data;
    int32_t labels[] = {0, 1};
    xy_str texts[] = {xy_text("a"), xy_text("b")};
    xy_examples examples = {.size = sizeof(examples), .classes = 2, .count = 2, .texts = texts,
                            .labels = labels};
    void *third = NULL;
    int code = keeper->service->fit(job, keeper->student, &examples, 1, &keeper->first);
    if (code == XY_OK)
        code = keeper->service->fit(job, keeper->student, &examples, 1, &keeper->second);
    if (code == XY_OK)
        code = keeper->service->fit(job, keeper->student, &examples, 1, &third);
    keeper->service->release(keeper->student, third);
    return code;
}

static void close_keeper(void *data)
{
    struct keeper *keeper = data;
    keeper->service->release(keeper->student, keeper->first);
    keeper->service->release(keeper->student, keeper->second);
    keeper->service->release(keeper->student, NULL);
}

static int process(void *data, xy_job *job)
{
    (void)data; (void)job;
    return XY_OK;
}

static const xy_stage keeper = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "keeper", .state_size = sizeof(struct keeper),
    .summary = "Keeps what was learnt.", .options = options, .open = open_keeper,
    .prepare = prepare, .close = close_keeper, .process = process,
};

XY_PLUGIN_SINCE(1, "keeper", "0.1.0", "Apache-2.0", &learner, &keeper)
"""


class Threads(harness.Case):
    def test_what_close_releases_is_released_on_a_worker(self):
        compiler = shutil.which("cc")
        if not compiler:
            self.skipTest("no C compiler")
        subprocess.run([compiler, "-shared", "-fPIC", "-pthread", "-o", self.path("keeper.so"),
                        self.write("keeper.c", KEEPER),
                        "-I", os.path.join(harness.ROOT, "sdk", "include")], check=True)
        self.write("p.yaml", "xylem: 1\nname: p\nplugins: [keeper.so]\nsteps:\n"
                   "  - { use: grid, with: { n: [1, 2] } }\n"
                   "  - { use: keeper, with: { learner: aware } }\n"
                   "write: { path: out.jsonl }\n")
        said = self.xylem("run", "p.yaml").stderr
        self.assertEqual(said.count("released on the loop"), 0, said)
        self.assertEqual(said.count("released on a worker"), 3, said)
        self.assertEqual(said.count("closed"), 1, said)
        self.assertLess(said.rindex("released"), said.rindex("closed"))


if __name__ == "__main__":
    harness.main()
