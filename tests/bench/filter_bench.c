/* SPDX-License-Identifier: Apache-2.0 */
/* filter_bench - megabytes per second and thread of the filters of form and safety, over the lines
 * of the input, each a text; process() as the engine calls it, with a job and a record for each
 * text:
 *
 *     zcat FILE.jsonl.gz | build/bin/filter_bench
 *
 * The same with ten and a hundred lines to a text. Where the reference data are, alpaca_5000 is
 * it. */
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "stage_host.h"

enum { LEAST_SECONDS = 1 };

static const char *const filters[][2] = {
    {"length", "{}"}, /* for comparison */
    {"repetition", "{}"},
    {"personal_data", "{action: annotate}"},
    {"refusals", "{}"},
    {"leakage", "{}"},
    {"encoding", "{}"},
    {"toxicity", "{action: annotate, words: {a: [nitwit, bird brain], b: [will be sorry]}}"},
    {"toxicity", "{action: annotate, stem: english, words: {a: [nitwit, bird brain]}}"},
    {"language", "{}"},
};

/* The texts: `lines` lines of the input each. */
static size_t make_records(char *bytes, size_t size, size_t lines, struct record **records)
{
    size_t count = 0;
    for (size_t at = 0; at < size;) {
        size_t end = at;
        for (size_t i = 0; i < lines && end < size; i++) {
            const char *stop = memchr(bytes + end, '\n', size - end);
            end = stop ? (size_t)(stop - bytes) + 1 : size;
        }
        xy_value value = {.type = XY_TEXT, .text = {bytes + at, end - at}};
        records[count] = stage_host_record("{}", count + 1);
        record_set(records[count++], "text", &value);
        at = end;
    }
    return count;
}

static void measure(struct stage_host *host, size_t number, struct record **records, size_t count,
                    size_t size)
{
    struct instance *instance =
        stage_host_open(host, XY_FILTER, filters[number][0], filters[number][1]);
    if (!instance) {
        printf("%-14s %s\n", filters[number][0], host->error.text);
        return;
    }
    size_t passes = 0, dropped = 0;
    double from = cpu_seconds(), spent = 0;
    for (; spent < LEAST_SECONDS; passes++, spent = cpu_seconds() - from)
        for (size_t i = 0; i < count; i++) {
            struct job *job = job_create(instance, &records[i], 1);
            job->cancelled = &host->cancelled;
            dropped += instance_type(instance)->stage.process(instance_state(instance),
                                                              &job->base) == XY_DROP;
            job_settle(job, XY_OK);
            job_destroy(job);
        }
    printf("%-14s %7.1f MB/s  %8.0f records/s  %5.1f %% dropped  %s\n", filters[number][0],
           (double)size * (double)passes / spent / 1e6, (double)count * (double)passes / spent,
           100 * (double)dropped / (double)(count * passes), filters[number][1]);
    instance_close(instance);
}

int main(void)
{
    static struct stage_host host;
    size_t size = 0, room = 64 << 20;
    char *bytes = malloc(room);
    struct record **records = malloc((1 << 20) * sizeof(*records));
    if (!bytes || !records)
        return 1;
    size = fread(bytes, 1, room, stdin);
    stage_host_init(&host);
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
        if (i == 0 || strcmp(filters[i][0], filters[i - 1][0]) != 0)
            stage_host_load(&host, filters[i][0]);
    for (size_t lines = 1; lines <= 100; lines *= 10) {
        size_t count = make_records(bytes, size, lines, records);
        printf("-- %zu texts of %zu bytes\n", count, size / count);
        for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
            measure(&host, i, records, count, size);
    }
    return 0;
}
