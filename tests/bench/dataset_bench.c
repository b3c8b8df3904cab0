/* SPDX-License-Identifier: Apache-2.0 */
/* dataset_bench [records] - prints what a record and a dataset cost. Files go to the current
 * folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataset.h"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void say(const char *what, double seconds, uint64_t count)
{
    printf("%-44s %8.3f us each %10.0f /s\n", what, seconds / (double)count * 1e6,
           (double)count / seconds);
}

/* About 300 bytes in five fields, as a generated review has them. */
static void set_five(struct record *record, uint64_t i)
{
    static const char text[] =
        "The film takes its time, and the second half repays it: two people in a kitchen, one "
        "window, and a quarrel that nobody wins. The camera never leaves the room. I would have "
        "cut ten minutes near the end, and I would watch it again tomorrow.";
    xy_value value = {.type = XY_TEXT, .text = STR(text)};
    record_set(record, "text", &value);
    value.text = STR("positive");
    record_set(record, "label", &value);
    value.text = STR("terse");
    record_set(record, "style", &value);
    value = (xy_value){.type = XY_NUMBER, .number = (double)i * 0.5};
    record_set(record, "confidence", &value);
    value = (xy_value){.type = XY_INT, .integer = (int64_t)i};
    record_set(record, "index", &value);
}

static void bench_record(uint64_t count)
{
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    double start = now();
    for (uint64_t i = 0; i < count; i++) {
        struct record *record = record_create(i);
        set_five(record, i);
        buffer_clear(&bytes);
        record_encode(record, &bytes);
        record_destroy(record);
    }
    say("record: create, 5 sets, encode, destroy", now() - start, count);
    printf("%-44s %8zu bytes\n", "record: encoded", bytes.length);
    start = now();
    for (uint64_t i = 0; i < count; i++) {
        struct record *record;
        struct error error;
        if (record_decode(buffer_str(&bytes), &record, &error) != 0)
            exit(1);
        record_destroy(record);
    }
    say("record: decode, destroy", now() - start, count);
    struct record *source = record_create(1);
    set_five(source, 1);
    start = now();
    for (uint64_t i = 0; i < count; i++)
        record_destroy(record_derive(source, i));
    say("record: derive, destroy", now() - start, count);
    start = now();
    for (uint64_t i = 0; i < count; i++) {
        buffer_clear(&bytes);
        record_write_json(source, NULL, false, &bytes);
    }
    say("record: as JSON", now() - start, count);
    record_destroy(source);
    buffer_free(&bytes);
}

static void must(int rc, const struct error *error)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s: %s\n", error->file, error->text);
    exit(1);
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    const char *path = "dataset_bench.data";
    struct error error = {0};
    bench_record(count);
    struct dataset *dataset = dataset_create(path, &error);
    must(dataset ? 0 : error.code, &error);
    struct record *record = record_create(1);
    set_five(record, 1);
    double start = now();
    for (uint64_t i = 0; i < count; i++)
        must(dataset_append(dataset, record, &error), &error);
    say("dataset: append", now() - start, count);
    start = now();
    must(dataset_seal(dataset, &error), &error);
    printf("%-44s %8.3f s\n", "dataset: seal (flush, rename, map)", now() - start);
    record_destroy(record);
    start = now();
    uint64_t read = 0;
    for (uint64_t i = 0; i < count; i++) {
        record = dataset_read(dataset, i);
        read += record->field_count;
        record_destroy(record);
    }
    say("dataset: read each record", now() - start, count);
    struct arena arena = {0};
    struct dataset_view view;
    uint32_t width;
    dataset_view_init(&view, dataset, &arena, false);
    start = now();
    view.base.api->column(&view.base, "confidence", &width);
    say("dataset: one numeric column", now() - start, count);
    dataset_view_finish(&view);
    arena_free(&arena);
    dataset_destroy(dataset);
    start = now();
    dataset = dataset_open(path, &error);
    must(dataset ? 0 : error.code, &error);
    say("dataset: open, all checksums", now() - start, count);
    dataset_destroy(dataset);
    unlink(path);
    return read == 5 * count ? 0 : 1;
}
