/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.c - the file of a dataset.
 *
 *   head    "xylemds\n", u32 version (1), u32 0
 *   entry   u32 length, u64 XXH3 of the bytes (seeded with the entry's index), the encoded record
 *   foot    u32 0xffffffff, u64 entries, u64 XXH3 of all entries' checksums, "sealed\n\0"
 * The foot is what tells a whole file from one that was cut between two entries.
 */
#include "dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "dataset_internal.h"
#include "record_internal.h"

enum {
    VERSION = 1,
    HEAD = 16,
    ENTRY = 12,              /* bytes before each record */
    FOOT = 28,
    STRIDE = 4,              /* records between two offsets that are kept in memory */
    WINDOW = 4 << 20,        /* bytes of the map that a reader in order keeps behind it */
    BUFFERED = 64 << 10,     /* bytes collected before a write() */
    RECORD_CEILING = 1 << 30 /* bytes of one encoded record */
};

static const char head_magic[8] = {'x', 'y', 'l', 'e', 'm', 'd', 's', '\n'};
static const char foot_magic[8] = {'s', 'e', 'a', 'l', 'e', 'd', '\n', '\0'};
static const uint32_t foot_mark = UINT32_MAX;

struct dataset {
    char *path;
    uint64_t count;
    /* Writing. */
    char *temporary;         /* PATH.new; NULL once sealed */
    int file;
    struct buffer pending;
    uint64_t written;        /* bytes that write() took */
    uint64_t chain;          /* hash of the checksums so far */
    int failed;              /* XY_EIO once a write failed: the file has a hole in it */
    /* Reading. */
    uint64_t *offsets;       /* of the length of each record whose index STRIDE divides */
    size_t capacity;
    const char *map;
    size_t map_size;
    _Atomic uint64_t window; /* which WINDOW of the map was read last */
    bool own;                /* this process wrote it: its records need no second look */
    _Atomic uint32_t holders; /* joins and selections that read it, and whoever made it */
    /* Joined, or, with `chosen`, selected from one part. */
    struct dataset **parts;
    uint64_t *ends;          /* records in parts 0..i */
    size_t part_count;
    uint32_t *chosen;        /* which records of the part, ascending */
};

static struct dataset *make(void)
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

static uint64_t chained(uint64_t chain, uint64_t checksum)
{
    uint64_t parts[2] = {chain, checksum};
    return XXH3_64bits(parts, sizeof(parts));
}

static void add_offset(struct dataset *dataset, uint64_t offset)
{
    size_t marks = dataset->count / STRIDE;
    if (dataset->count++ % STRIDE)
        return;
    if (marks == dataset->capacity) {
        dataset->capacity = dataset->capacity ? dataset->capacity * 2 : 256;
        dataset->offsets =
            memory_resize(dataset->offsets, dataset->capacity, sizeof(*dataset->offsets));
    }
    dataset->offsets[marks] = offset;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int io_error(struct error *error, const char *path, const char *what)
{
    int number = errno;
    error_set(error, XY_EIO, "%s: %s", what, strerror(number));
    error_at(error, path, 0, 0);
    if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        error_hint(error, "make room and run the same command again");
    return XY_EIO;
}

static int write_pending(struct dataset *dataset, struct error *error)
{
    size_t done = 0;
    while (done < dataset->pending.length) {
        ssize_t got = write(dataset->file, dataset->pending.bytes + done,
                            dataset->pending.length - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            dataset->failed = XY_EIO;
            return io_error(error, dataset->temporary, "cannot write the dataset");
        }
        done += (size_t)got;
    }
    dataset->written += done;
    buffer_clear(&dataset->pending);
    return 0;
}

struct dataset *dataset_create(const char *path, struct error *error)
{
    struct dataset *dataset = make();
    struct buffer name;
    buffer_init(&name, 1 << 16);
    buffer_printf(&name, "%s.new", path);
    dataset->path = memory_copy_text(path, strlen(path));
    dataset->temporary = memory_copy_text(buffer_str(&name).ptr, name.length);
    buffer_free(&name);
    buffer_init(&dataset->pending, BUFFERED + ENTRY + (size_t)RECORD_CEILING);
    dataset->file = open(dataset->temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    if (dataset->file < 0) {
        io_error(error, dataset->temporary, "cannot create a dataset");
        dataset_destroy(dataset);
        return NULL;
    }
    uint32_t version[2] = {VERSION, 0};
    buffer_append(&dataset->pending, head_magic, sizeof(head_magic));
    buffer_append(&dataset->pending, version, sizeof(version));
    return dataset;
}

int dataset_append(struct dataset *dataset, const struct record *record, struct error *error)
{
    struct buffer *pending = &dataset->pending;
    if (!dataset->temporary || dataset->failed)
        return error_set(error, dataset->failed ? XY_EIO : XY_EINVAL, "%s: %s", dataset->path,
                         dataset->failed ? "an earlier write failed" : "the dataset is sealed");
    size_t start = pending->length;
    buffer_reserve(pending, ENTRY);
    pending->length += ENTRY;
    record_encode(record, pending);
    size_t length = pending->length - start - ENTRY;
    if (pending->overflowed || length > RECORD_CEILING) {
        pending->length = start;
        pending->overflowed = false;
        return error_set(error, XY_EINVAL, "%s: record %llu is larger than 1 GiB", dataset->path,
                         (unsigned long long)dataset->count);
    }
    char *entry = pending->bytes + start;
    uint32_t narrow = (uint32_t)length;
    uint64_t checksum = XXH3_64bits_withSeed(entry + ENTRY, length, dataset->count);
    memcpy(entry, &narrow, sizeof(narrow));
    memcpy(entry + 4, &checksum, sizeof(checksum));
    dataset->chain = chained(dataset->chain, checksum);
    add_offset(dataset, dataset->written + start);
    return pending->length >= BUFFERED ? write_pending(dataset, error) : 0;
}

static int map_file(struct dataset *dataset, size_t size, struct error *error)
{
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, dataset->file, 0);
    if (map == MAP_FAILED)
        return io_error(error, dataset->path, "cannot map the dataset");
    dataset->map = map;
    dataset->map_size = size;
    close(dataset->file);
    dataset->file = -1;
    return 0;
}

int dataset_seal(struct dataset *dataset, struct error *error)
{
    if (dataset->parts)
        return 0;
    if (!dataset->temporary || dataset->failed)
        return error_set(error, dataset->failed ? XY_EIO : XY_EINVAL, "%s: %s", dataset->path,
                         dataset->failed ? "an earlier write failed" : "the dataset is sealed");
    buffer_append(&dataset->pending, &foot_mark, sizeof(foot_mark));
    buffer_append(&dataset->pending, &dataset->count, sizeof(dataset->count));
    buffer_append(&dataset->pending, &dataset->chain, sizeof(dataset->chain));
    buffer_append(&dataset->pending, foot_magic, sizeof(foot_magic));
    if (write_pending(dataset, error) != 0)
        return XY_EIO;
    buffer_free(&dataset->pending);
    dataset->failed = XY_EIO; /* until all of the following has worked */
    /* A file system that is careful with a rename over a file would start to write this one out:
     * only what a run gives its user is worth that. */
    unlink(dataset->path);
    if (rename(dataset->temporary, dataset->path) != 0)
        return io_error(error, dataset->path, "cannot rename the dataset into its place");
    free(dataset->temporary);
    dataset->temporary = NULL;
    /* The descriptor of writing cannot be mapped for reading. */
    close(dataset->file);
    dataset->file = open(dataset->path, O_RDONLY | O_CLOEXEC);
    if (dataset->file < 0)
        return io_error(error, dataset->path, "cannot read the dataset");
    if (map_file(dataset, dataset->written, error) != 0)
        return XY_EIO;
    dataset->failed = 0;
    dataset->own = true;
    return 0;
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
    size_t size = dataset->map_size, at = HEAD;
    uint64_t checksum;
    uint32_t length;
    for (;;) {
        if (size - at < sizeof(length))
            return damaged(dataset, error, "the dataset is cut off");
        memcpy(&length, dataset->map + at, sizeof(length));
        if (length == foot_mark)
            break;
        if (size - at < ENTRY || length > size - at - ENTRY)
            return damaged(dataset, error, "the dataset is cut off");
        memcpy(&checksum, dataset->map + at + 4, sizeof(checksum));
        if (XXH3_64bits_withSeed(dataset->map + at + ENTRY, length, dataset->count) != checksum)
            return damaged(dataset, error, "a checksum of the dataset does not match");
        dataset->chain = chained(dataset->chain, checksum);
        add_offset(dataset, at);
        at += ENTRY + length;
    }
    if (size - at != FOOT || memcmp(dataset->map + at + 20, foot_magic, sizeof(foot_magic)) != 0)
        return damaged(dataset, error, "the dataset's end is damaged");
    if (memcmp(dataset->map + at + 4, &dataset->count, 8) != 0 ||
        memcmp(dataset->map + at + 12, &dataset->chain, 8) != 0)
        return damaged(dataset, error, "the dataset's end does not fit its records");
    return 0;
}

static int check_head(const struct dataset *dataset, struct error *error)
{
    uint32_t version[2];
    if (dataset->map_size < HEAD ||
        memcmp(dataset->map, head_magic, sizeof(head_magic)) != 0) {
        error_set(error, XY_EINVAL, "not a dataset of xylem");
        return error_at(error, dataset->path, 0, 0);
    }
    memcpy(version, dataset->map + 8, sizeof(version));
    if (version[0] != VERSION || version[1] != 0) {
        error_set(error, XY_EINVAL, "a dataset of version %u.%u, expected %u.0", version[0],
                  version[1], VERSION);
        error_at(error, dataset->path, 0, 0);
        return error_hint(error, "it was written by another version of xylem");
    }
    return 0;
}

struct dataset *dataset_open(const char *path, struct error *error)
{
    struct dataset *dataset = make();
    struct stat status;
    dataset->path = memory_copy_text(path, strlen(path));
    dataset->file = open(path, O_RDONLY | O_CLOEXEC);
    int rc = dataset->file < 0 || fstat(dataset->file, &status) != 0
                 ? io_error(error, path, "cannot open the dataset")
                 : 0;
    if (rc == 0 && status.st_size == 0) {
        error_set(error, XY_EINVAL, "an empty file, expected a dataset of xylem");
        rc = error_at(error, path, 0, 0);
    }
    if (rc == 0)
        rc = map_file(dataset, (size_t)status.st_size, error);
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
    struct dataset *dataset = make();
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

/* Where record `index` lies, and in which file. */
static xy_str locate(const struct dataset *dataset, uint64_t index, const struct dataset **file)
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
    const char *entry = dataset->map + dataset->offsets[index / STRIDE];
    uint32_t length;
    memcpy(&length, entry, sizeof(length));
    for (uint64_t skip = index % STRIDE; skip > 0; skip--) {
        entry += ENTRY + length;
        memcpy(&length, entry, sizeof(length));
    }
    forget_behind(dataset, (size_t)(entry - dataset->map));
    *file = dataset;
    return (xy_str){entry + ENTRY, length};
}

xy_str dataset_bytes(const struct dataset *dataset, uint64_t index)
{
    const struct dataset *file;
    return locate(dataset, index, &file);
}

struct record *dataset_read(const struct dataset *dataset, uint64_t index)
{
    const struct dataset *file = NULL;
    xy_str bytes = locate(dataset, index, &file);
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
    xy_str bytes = locate(dataset, index, &file);
    return bytes.ptr ? record_decode_slot(bytes, file->own, slot) : NULL;
}
