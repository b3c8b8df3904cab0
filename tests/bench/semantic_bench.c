/* SPDX-License-Identifier: Apache-2.0 */
/* What semantic deduplication costs: random unit vectors, a tenth of them near copies of others.
 *
 *     semantic_bench [ROWS [WIDTH]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "plugins/stage_host.h"

static size_t rows = 100000, width = 384;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Uniform in the cube is near enough to spread out: cosines of others stay below 0.5. */
static struct record **make(void)
{
    struct record **records = calloc(rows, sizeof(struct record *));
    float *vectors = calloc(rows * width, sizeof(*vectors));
    uint64_t random = 1;
    for (size_t i = 0; i < rows; i++) {
        bool copy = i > 0 && xy_random_unit(&random) < 0.1;
        const float *from = vectors + xy_random_below(&random, i ? i : 1) * width;
        for (size_t k = 0; k < width; k++) {
            double own = xy_random_unit(&random) - 0.5;
            vectors[i * width + k] = (float)(copy ? (double)from[k] + 0.1 * own : own);
        }
        records[i] = record_create(i + 1);
        xy_value value = {.type = XY_VECTOR, .length = (uint32_t)width,
                          .vector = vectors + i * width};
        record_set(records[i], "v", &value);
    }
    free(vectors);
    return records;
}

static void measure(struct stage_host *host, const char *name, const char *yaml)
{
    struct stage_result result = {0};
    struct instance *instance = stage_host_open(host, XY_FILTER, "semantic", yaml);
    if (!instance) {
        printf("%s\n", host->error.text);
        return;
    }
    double start = now();
    stage_host_run_dataset(host, instance, "rows", &result);
    double seconds = now() - start;
    size_t dropped = 0;
    for (size_t i = 0; i < result.count; i++)
        dropped += result.verdicts[i] == XY_DROP;
    printf("%-12s %8.2f s, %zu dropped", name, seconds, dropped);
    if (result.verdict == XY_OK && strstr(yaml, "exact_rows: 0"))
        printf(", recall %.4f", stage_host_score(host, "recall").value);
    printf("%s%s\n", result.verdict < 0 ? ": " : "", result.verdict < 0 ? result.why : "");
    stage_result_free(&result);
    instance_close(instance);
}

/* The host of the tests wants to stand in one. */
static void measure_both(void)
{
    struct stage_host host;
    stage_host_init(&host);
    stage_host_load(&host, "semantic");
    struct record **records = make();
    stage_host_add_records(&host, "rows", records, rows);
    for (size_t i = 0; i < rows; i++)
        record_destroy(records[i]);
    free(records);
    printf("\n%zu rows of %zu numbers\n", rows, width);
    measure(&host, "all pairs", "{vector: v, exact_rows: 4000000000}");
    measure(&host, "the index", "{vector: v, exact_rows: 0}");
    stage_host_free(&host);
}

int main(int count, char **arguments)
{
    static const struct check checks[] = {{"semantic", measure_both}, {0}};
    rows = count > 1 ? strtoul(arguments[1], NULL, 10) : rows;
    width = count > 2 ? strtoul(arguments[2], NULL, 10) : width;
    return check_main("semantic_bench", checks);
}
