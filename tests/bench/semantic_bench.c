/* SPDX-License-Identifier: Apache-2.0 */
/* What semantic deduplication costs, and what its index finds: all pairs, then the index, over
 *
 *     semantic_bench [ROWS [WIDTH [FILE [all|index]]]]
 *
 * random vectors, a tenth of them near copies of others; or the rows of FILE (floats as they lie in
 * memory, WIDTH a row), and where these are too few mixtures of two of them. Shares are of the rows
 * that all pairs drop: beside them stands what the plugin itself reports from its sample. */
#include <math.h>
#include <string.h>

#include "bench/measure.h"
#include "check.h"
#include "plugins/stage_host.h"

static size_t rows = 100000, width = 384;
static const char *path, *only = "";

/* Uniform in the cube is near enough to spread out: cosines of others stay below 0.5. */
static void make_random(float *vectors)
{
    uint64_t random = 1;
    for (size_t i = 0; i < rows; i++) {
        bool copy = i > 0 && xy_random_unit(&random) < 0.1;
        const float *from = vectors + xy_random_below(&random, i ? i : 1) * width;
        for (size_t k = 0; k < width; k++) {
            double own = xy_random_unit(&random) - 0.5;
            vectors[i * width + k] = (float)(copy ? (double)from[k] + 0.1 * own : own);
        }
    }
}

/* Of unit length, a fifth to a half of the way from one row to another: from less than a quarter of
 * the way on, unrelated rows have a cosine of more than 0.95 with the first. */
static void mix(float *vectors, size_t at, size_t whole, uint64_t *random)
{
    const float *from = vectors + xy_random_below(random, whole) * width;
    const float *to = vectors + xy_random_below(random, whole) * width;
    double share = 0.2 + 0.3 * xy_random_unit(random), length = 0;
    float *row = vectors + at * width;
    for (size_t k = 0; k < width; k++) {
        row[k] = (float)((1 - share) * (double)from[k] + share * (double)to[k]);
        length += (double)row[k] * (double)row[k];
    }
    for (size_t k = 0; k < width; k++)
        row[k] = (float)((double)row[k] / sqrt(length));
}

static bool read_rows(float *vectors)
{
    uint64_t random = 1;
    FILE *file = fopen(path, "re");
    size_t whole = file ? fread(vectors, width * sizeof(*vectors), rows, file) : 0;
    if (file)
        fclose(file);
    for (size_t i = whole; whole > 0 && i < rows; i++)
        mix(vectors, i, whole, &random);
    printf("\n%zu rows of %s, %zu mixtures of two", whole, path, rows - whole);
    return whole > 0;
}

static void add_rows(struct stage_host *host)
{
    struct record **records = calloc(rows, sizeof(struct record *));
    float *vectors = calloc(rows * width, sizeof(*vectors));
    if (!path)
        make_random(vectors);
    else if (!read_rows(vectors))
        exit(1);
    for (size_t i = 0; i < rows; i++) {
        records[i] = record_create(i + 1);
        xy_value value = {.type = XY_VECTOR, .length = (uint32_t)width,
                          .vector = vectors + i * width};
        record_set(records[i], "v", &value);
    }
    free(vectors);
    stage_host_add_records(host, "rows", records, rows);
    for (size_t i = 0; i < rows; i++)
        record_destroy(records[i]);
    free(records);
}

/* The most memory since the last call, in MB: Linux forgets the peak when it is told 5. */
static double peak_mb(void)
{
    unsigned long peak = 0;
    char line[128];
    FILE *status = fopen("/proc/self/status", "re"), *clear;
    while (status && fgets(line, sizeof(line), status))
        sscanf(line, "VmHWM: %lu", &peak);
    if (status)
        fclose(status);
    clear = fopen("/proc/self/clear_refs", "we");
    if (clear) {
        fputs("5", clear);
        fclose(clear);
    }
    return (double)peak / 1024;
}

static void measure(struct stage_host *host, const char *name, const char *yaml,
                    struct stage_result *result)
{
    struct instance *instance = stage_host_open(host, XY_FILTER, "semantic", yaml);
    if (!instance) {
        printf("%s\n", host->error.text);
        return;
    }
    peak_mb();
    double before = resident_mb(), start = clock_seconds(), cpu = cpu_seconds();
    stage_host_run_dataset(host, instance, "rows", result);
    size_t dropped = 0;
    for (size_t i = 0; i < result->count; i++)
        dropped += result->verdicts[i] == XY_DROP;
    printf("%-10s %8.1f s, %8.1f s of CPU, %6.0f MB more, %zu dropped", name,
           clock_seconds() - start, cpu_seconds() - cpu, peak_mb() - before, dropped);
    if (result->verdict == XY_OK && strstr(yaml, "exact_rows: 0"))
        printf(", recall by its sample %.4f of %.0f", stage_host_score(host, "recall").value,
               (double)stage_host_score(host, "recall").n);
    printf("%s%s\n", result->verdict < 0 ? ": " : "", result->verdict < 0 ? result->why : "");
    fflush(stdout);
    instance_close(instance);
}

/* A row that the index misses stays, and may be the twin of a later one: both directions count. */
static void compare(const struct stage_result *all, const struct stage_result *index)
{
    size_t dropped = 0, both = 0, more = 0;
    for (size_t i = 0; i < all->count && i < index->count; i++) {
        bool one = all->verdicts[i] == XY_DROP, other = index->verdicts[i] == XY_DROP;
        dropped += one;
        both += one && other;
        more += other && !one;
    }
    printf("of %zu rows dropped by all pairs the index drops %zu (%.4f), and %zu others\n", dropped,
           both, dropped ? (double)both / (double)dropped : 1, more);
}

/* The host of the tests wants to stand in one. */
static void measure_both(void)
{
    struct stage_host host;
    struct stage_result all = {0}, index = {0};
    stage_host_init(&host);
    stage_host_load(&host, "semantic");
    add_rows(&host);
    printf("\n%zu rows of %zu numbers\n", rows, width);
    if (strcmp(only, "all") != 0)
        measure(&host, "the index", "{vector: v, exact_rows: 0}", &index);
    if (strcmp(only, "index") != 0)
        measure(&host, "all pairs", "{vector: v, exact_rows: 4000000000}", &all);
    if (all.count && index.count)
        compare(&all, &index);
    stage_result_free(&all);
    stage_result_free(&index);
    stage_host_free(&host);
}

int main(int count, char **arguments)
{
    static const struct check checks[] = {{"semantic", measure_both}, {0}};
    rows = count > 1 ? strtoul(arguments[1], NULL, 10) : rows;
    width = count > 2 ? strtoul(arguments[2], NULL, 10) : width;
    path = count > 3 ? arguments[3] : NULL;
    only = count > 4 ? arguments[4] : "";
    return check_main("semantic_bench", checks);
}
