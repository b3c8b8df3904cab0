/* SPDX-License-Identifier: Apache-2.0 */
/* The whole plugin `linear`, from texts to probabilities: linear_path_bench FILE CLASSES trains on
 * lines "class TAB text" with the defaults, asks about the same lines, and prints the CPU seconds
 * of each. linear.py sets scikit-learn beside it. */
#include "check.h"
#include "linear_data.h"
#include "measure.h"
#include "plugins/stage_host.h"

int main(int argc, char **argv)
{
    if (argc < 3)
        return 1;
    static uint32_t labels[BENCH_LINES];
    static xy_str texts[BENCH_LINES];
    size_t count = bench_lines_read(labels, texts, BENCH_LINES, argv[1]);
    xy_examples examples = {.size = sizeof(examples), .count = count, .texts = texts,
                            .labels = (const int32_t *)labels,
                            .classes = (uint32_t)strtoul(argv[2], NULL, 10)};
    float *probabilities = calloc(count * examples.classes, sizeof(*probabilities));
    struct stage_host host;
    stage_host_init(&host);
    stage_host_load(&host, "linear");
    struct instance *instance = stage_host_open(&host, XY_LEARNER, "linear", NULL);
    if (!instance || !probabilities)
        return 1;
    const xy_learner *learner = &instance_type(instance)->learner;
    struct job *job = job_create(instance, NULL, 0);
    job->cancelled = &host.cancelled;
    void *fitted = NULL;
    double start = cpu_seconds();
    if (learner->fit(instance_state(instance), &job->base, &examples, 1, &fitted) < 0)
        return 1;
    double trained = cpu_seconds();
    if (learner->predict(instance_state(instance), &job->base, fitted, &examples, probabilities))
        return 1;
    printf("%.4f %.4f\n", trained - start, cpu_seconds() - trained);
    learner->release(instance_state(instance), fitted);
    job_destroy(job);
    instance_close(instance);
    stage_host_free(&host);
    free(probabilities);
    return 0;
}
