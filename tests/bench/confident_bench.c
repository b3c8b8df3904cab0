/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel of confident_learning on a matrix in a file: rows and classes as two 64-bit integers,
 * labels of 32 bits, probabilities as floats. Prints the seconds of each method and what it finds;
 * confident.py, which makes the file, does the same with cleanlab. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "confident_issues.h"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void measure(const struct confident_rows *rows, const char *name,
                    enum confident_method method)
{
    double start = now();
    struct confident_joint joint = {.given = NULL};
    bool *issues = calloc(rows->count, sizeof(*issues));
    const struct confident_task task = {rows, &joint, method, 1, 1};
    size_t found = 0;
    if (!issues || confident_joint_fill(&joint, rows) < 0 ||
        confident_issues_find(&task, issues) < 0)
        exit(1);
    double seconds = now() - start;
    for (size_t i = 0; i < rows->count; i++)
        found += issues[i];
    printf("%s %.4f %zu\n", name, seconds, found);
    confident_joint_free(&joint);
    free(issues);
}

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    uint64_t sizes[2];
    if (!file || fread(sizes, sizeof(*sizes), 2, file) != 2)
        return 1;
    uint32_t *labels = calloc(sizes[0], sizeof(*labels));
    float *probabilities = calloc(sizes[0] * sizes[1], sizeof(*probabilities));
    if (!labels || !probabilities || fread(labels, sizeof(*labels), sizes[0], file) != sizes[0] ||
        fread(probabilities, sizeof(float) * sizes[1], sizes[0], file) != sizes[0])
        return 1;
    fclose(file);
    const struct confident_rows rows = {probabilities, labels, sizes[0], (uint32_t)sizes[1]};
    measure(&rows, "prune_by_noise_rate", METHOD_NOISE_RATE);
    measure(&rows, "prune_by_class", METHOD_CLASS);
    measure(&rows, "both", METHOD_BOTH);
    measure(&rows, "confident_learning", METHOD_JOINT);
    free(labels);
    free(probabilities);
    return 0;
}
