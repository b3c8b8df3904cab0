/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.c - opening, joining and reading; dataset_write.c writes. */
#include "dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset_internal.h"
#include "record_internal.h"

struct dataset *dataset_make(void)
{
    struct dataset *dataset = memory_zeroed(1, sizeof(*dataset));
    dataset->file = -1;
    atomic_init(&dataset->holders, 1);
    return dataset;
}

static struct dataset *hold(struct dataset *dataset)
{
    atomic_fetch_add_explicit(&dataset->holders, 1, memory_order_relaxed);
    return dataset;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int damaged(const struct dataset *dataset, struct error *error, const char *what)
{
    error_set(error, XY_EINVAL, "%s (at record %llu)", what, (unsigned long long)dataset->count);
    error_at(error, dataset->path, 0, 0);
    return error_hint(error, "delete the file; the step that makes it will run again");
}

static int check_entries(struct dataset *dataset, struct error *error)
{
    size_t size = dataset->map_size, at = DATASET_HEAD;
    uint64_t checksum;
    uint32_t length;
    for (;;) {
        if (size - at < sizeof(length))
            return damaged(dataset, error, "the dataset is cut off");
        memcpy(&length, dataset->map + at, sizeof(length));
        if (length == foot_mark)
            break;
        if (size - at < DATASET_ENTRY || length > size - at - DATASET_ENTRY)
            return damaged(dataset, error, "the dataset is cut off");
        memcpy(&checksum, dataset->map + at + 4, sizeof(checksum));
        if (dataset_checksum(dataset->map + at + DATASET_ENTRY, length, dataset->count) != checksum)
            return damaged(dataset, error, "a checksum of the dataset does not match");
        dataset->chain = dataset_chained(dataset->chain, checksum);
        dataset_add_offset(dataset, at);
        at += DATASET_ENTRY + length;
    }
    if (size - at != DATASET_FOOT ||
        memcmp(dataset->map + at + 20, foot_magic, sizeof(foot_magic)) != 0)
        return damaged(dataset, error, "the dataset's end is damaged");
    if (memcmp(dataset->map + at + 4, &dataset->count, 8) != 0 ||
        memcmp(dataset->map + at + 12, &dataset->chain, 8) != 0)
        return damaged(dataset, error, "the dataset's end does not fit its records");
    return 0;
}

static int check_head(const struct dataset *dataset, struct error *error)
{
    uint32_t version[2];
    if (dataset->map_size < DATASET_HEAD ||
        memcmp(dataset->map, head_magic, sizeof(head_magic)) != 0) {
        error_set(error, XY_EINVAL, "not a dataset of xylem");
        return error_at(error, dataset->path, 0, 0);
    }
    memcpy(version, dataset->map + 8, sizeof(version));
    if (version[0] != DATASET_VERSION || version[1] != 0) {
        error_set(error, XY_EINVAL, "a dataset of version %u.%u, expected %u.0", version[0],
                  version[1], DATASET_VERSION);
        error_at(error, dataset->path, 0, 0);
        return error_hint(error, "it was written by another version of xylem");
    }
    return 0;
}

struct dataset *dataset_open(const char *path, struct error *error)
{
    struct dataset *dataset = dataset_make();
    struct stat status = {0};
    dataset->path = memory_copy_text(path, strlen(path));
    dataset->file = open(path, O_RDONLY | O_CLOEXEC);
    int rc = dataset->file < 0 || fstat(dataset->file, &status) != 0
                 ? dataset_io_error(error, path, "cannot open the dataset")
                 : 0;
    if (rc == 0 && status.st_size == 0) {
        error_set(error, XY_EINVAL, "an empty file, expected a dataset of xylem");
        rc = error_at(error, path, 0, 0);
    }
    if (rc == 0)
        rc = dataset_map(dataset, (size_t)status.st_size, error);
    if (rc == 0)
        rc = check_head(dataset, error);
    if (rc == 0)
        rc = check_entries(dataset, error);
    if (rc == 0)
        return dataset;
    dataset_destroy(dataset);
    return NULL;
}

struct dataset *dataset_join(struct dataset *const *parts, size_t count)
{
    struct dataset *dataset = dataset_make();
    dataset->parts = memory_zeroed(count, sizeof(*dataset->parts));
    dataset->ends = memory_zeroed(count, sizeof(*dataset->ends));
    dataset->part_count = count;
    for (size_t i = 0; i < count; i++) {
        dataset->parts[i] = hold(parts[i]);
        dataset->count += parts[i]->count;
        dataset->ends[i] = dataset->count;
    }
    return dataset;
}

struct dataset *dataset_select(struct dataset *source, uint32_t *chosen, uint64_t count)
{
    struct dataset *dataset = dataset_join(&source, 1);
    dataset->chosen = chosen;
    dataset->count = count;
    return dataset;
}

void dataset_destroy(struct dataset *dataset)
{
    if (!dataset || atomic_fetch_sub_explicit(&dataset->holders, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < dataset->part_count; i++)
        dataset_destroy(dataset->parts[i]);
    if (dataset->temporary)
        unlink(dataset->temporary); /* never sealed: nobody may take it for a dataset */
    if (dataset->file >= 0)
        close(dataset->file);
    if (dataset->map)
        munmap((void *)(uintptr_t)dataset->map, dataset->map_size);
    buffer_free(&dataset->pending);
    free(dataset->temporary);
    free(dataset->path);
    free(dataset->offsets);
    free(dataset->parts);
    free(dataset->ends);
    free(dataset->chosen);
    free(dataset);
}

void dataset_discard(struct dataset *dataset)
{
    if (dataset->path)
        unlink(dataset->path);
    dataset_destroy(dataset);
}

/* ---- reading --------------------------------------------------------------------------------- */

uint64_t dataset_count(const struct dataset *dataset)
{
    return dataset->count;
}

/* The first part that ends after `index`. */
static size_t part_of(const struct dataset *dataset, uint64_t index)
{
    size_t low = 0, high = dataset->part_count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (index < dataset->ends[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* A reader in order leaves a window of the map for the next one: its pages need not stay in memory.
 * They come back from the file when somebody reads there again, so that no pointer goes bad. */
static void forget_behind(const struct dataset *dataset, size_t at)
{
    _Atomic uint64_t *last = (_Atomic uint64_t *)(uintptr_t)&dataset->window;
    uint64_t window = at / WINDOW, before = atomic_load_explicit(last, memory_order_relaxed);
    if (window == before)
        return;
    atomic_store_explicit(last, window, memory_order_relaxed);
    if (window == before + 1)
        madvise((char *)(uintptr_t)dataset->map + before * WINDOW, WINDOW, MADV_DONTNEED);
}

/* Where record `index` lies, and in which file. `last`, which may be NULL, is where this reader
 * found its last one: mostly the record before. */
static xy_str locate(const struct dataset *dataset, uint64_t index, const struct dataset **file,
                     struct record_slot *last)
{
    if (index >= dataset->count)
        return (xy_str){NULL, 0};
    while (dataset->parts) {
        size_t part = dataset->chosen ? 0 : part_of(dataset, index);
        if (dataset->chosen)
            index = dataset->chosen[index];
        else if (part)
            index -= dataset->ends[part - 1];
        dataset = dataset->parts[part];
    }
    if (!dataset->map)
        return (xy_str){NULL, 0};
    bool next = last && last->file == dataset && last->next_index == index;
    const char *entry = next ? last->next : dataset->map + dataset->offsets[index / STRIDE];
    uint32_t length;
    memcpy(&length, entry, sizeof(length));
    for (uint64_t skip = next ? 0 : index % STRIDE; skip > 0; skip--) {
        entry += DATASET_ENTRY + length;
        memcpy(&length, entry, sizeof(length));
    }
    forget_behind(dataset, (size_t)(entry - dataset->map));
    *file = dataset;
    if (last) {
        last->file = dataset;
        last->next_index = index + 1;
        last->next = entry + DATASET_ENTRY + length;
        /* Never past the map's end by more than a prefetch may be. */
        for (size_t line = 0; next && line < AHEAD; line += 64)
            __builtin_prefetch(last->next + line);
    }
    return (xy_str){entry + DATASET_ENTRY, length};
}

xy_str dataset_bytes(const struct dataset *dataset, uint64_t index)
{
    const struct dataset *file;
    return locate(dataset, index, &file, NULL);
}

struct record *dataset_read(const struct dataset *dataset, uint64_t index)
{
    const struct dataset *file = NULL;
    xy_str bytes = locate(dataset, index, &file, NULL);
    struct record *record = NULL;
    struct error error;
    if (bytes.ptr && file->own)
        record_decode_own(bytes, &record, &error);
    else if (bytes.ptr)
        record_decode(bytes, &record, &error);
    return record;
}

const struct record *dataset_look(const struct dataset *dataset, uint64_t index,
                                  struct record_slot *slot)
{
    const struct dataset *file = NULL;
    xy_str bytes = locate(dataset, index, &file, slot);
    return bytes.ptr ? record_decode_slot(bytes, file->own, slot) : NULL;
}
