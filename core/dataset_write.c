/* SPDX-License-Identifier: Apache-2.0 */
/* dataset_write.c - a dataset's file while records are added to it, and its sealing. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataset_internal.h"
#include "record_internal.h"

void dataset_add_offset(struct dataset *dataset, uint64_t offset)
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

int dataset_io_error(struct error *error, const char *path, const char *what)
{
    int number = errno;
    error_set(error, XY_EIO, "%s: %s", what, strerror(number));
    error_at(error, path, 0, 0);
    if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        error_hint(error, "make room and run the same command again");
    return XY_EIO;
}

static int write_bytes(struct dataset *dataset, const struct buffer *bytes, struct error *error)
{
    size_t done = 0;
    while (done < bytes->length) {
        ssize_t got = write(dataset->file, bytes->bytes + done, bytes->length - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            dataset->failed = XY_EIO;
            return dataset_io_error(error, dataset->temporary, "cannot write the dataset");
        }
        done += (size_t)got;
    }
    dataset->written += done;
    return 0;
}

static int write_pending(struct dataset *dataset, struct error *error)
{
    int code = write_bytes(dataset, &dataset->pending, error);
    buffer_clear(&dataset->pending);
    return code;
}

struct dataset *dataset_create(const char *path, struct error *error)
{
    struct dataset *dataset = dataset_make();
    struct buffer name;
    buffer_init(&name, 1 << 16);
    buffer_printf(&name, "%s.new", path);
    dataset->path = memory_copy_text(path, strlen(path));
    dataset->temporary = memory_copy_text(buffer_str(&name).ptr, name.length);
    buffer_free(&name);
    buffer_init(&dataset->pending, BUFFERED + DATASET_ENTRY + (size_t)RECORD_CEILING);
    dataset->file = open(dataset->temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    if (dataset->file < 0) {
        dataset_io_error(error, dataset->temporary, "cannot create a dataset");
        dataset_destroy(dataset);
        return NULL;
    }
    uint32_t version[2] = {DATASET_VERSION, 0};
    buffer_append(&dataset->pending, head_magic, sizeof(head_magic));
    buffer_append(&dataset->pending, version, sizeof(version));
    return dataset;
}

static int check_open(const struct dataset *dataset, struct error *error)
{
    if (dataset->temporary && !dataset->failed)
        return 0;
    return error_set(error, dataset->failed ? XY_EIO : XY_EINVAL, "%s: %s", dataset->path,
                     dataset->failed ? "an earlier write failed" : "the dataset is sealed");
}

/* Of the entry that begins at `start` and is the last one. */
static void put_length(const struct buffer *out, size_t start)
{
    uint32_t length = (uint32_t)(out->length - start - DATASET_ENTRY);
    memcpy(out->bytes + start, &length, sizeof(length));
}

/* Room for an entry's head, then the record. False when that is too large: nothing was added. */
static bool add_entry(struct buffer *out, const struct record *record, xy_str trail)
{
    size_t start = out->length;
    if (buffer_reserve(out, DATASET_ENTRY))
        out->length += DATASET_ENTRY;
    record_encode_with(record, trail, out);
    size_t length = out->length - start - DATASET_ENTRY;
    if (out->overflowed || length > RECORD_CEILING) {
        out->length = start;
        out->overflowed = false;
        return false;
    }
    put_length(out, start);
    return true;
}

static int too_large(const struct dataset *dataset, uint64_t ahead, struct error *error)
{
    unsigned long long number = dataset->count + ahead;
    return error_set(error, XY_EINVAL, "%s: record %llu is larger than 1 GiB", dataset->path,
                     number);
}

/* The entry at `at`, which will stand at `offset` in the file: its checksum, and its place among
 * the others. Returns where it ends. */
static char *settle_entry(struct dataset *dataset, char *at, uint64_t offset)
{
    uint32_t length;
    memcpy(&length, at, sizeof(length));
    uint64_t checksum = dataset_checksum(at + DATASET_ENTRY, length, dataset->count);
    memcpy(at + 4, &checksum, sizeof(checksum));
    dataset->chain = dataset_chained(dataset->chain, checksum);
    dataset_add_offset(dataset, offset);
    return at + DATASET_ENTRY + length;
}

/* Of the last entry that is pending. */
static int end_entry(struct dataset *dataset, size_t start, struct error *error)
{
    struct buffer *pending = &dataset->pending;
    put_length(pending, start);
    settle_entry(dataset, pending->bytes + start, dataset->written + start);
    return pending->length >= BUFFERED ? write_pending(dataset, error) : 0;
}

int dataset_append(struct dataset *dataset, const struct record *record, struct error *error)
{
    struct buffer *pending = &dataset->pending;
    size_t start = pending->length;
    if (check_open(dataset, error) != 0)
        return error->code;
    if (!add_entry(pending, record, buffer_str(&record->trail)))
        return too_large(dataset, 0, error);
    return end_entry(dataset, start, error);
}

void dataset_batch_add(struct dataset_batch *batch, struct record *record, xy_str event)
{
    if (!batch->bytes.ceiling)
        buffer_init(&batch->bytes, SIZE_MAX / 2);
    if (record->trail.length) {
        record_event_again(record, event);
        event = buffer_str(&record->trail);
    }
    batch->too_large = batch->too_large || !add_entry(&batch->bytes, record, event);
    batch->count += !batch->too_large;
}

int dataset_append_batch(struct dataset *dataset, struct dataset_batch *batch,
                         struct error *error)
{
    struct buffer *pending = &dataset->pending, *bytes = &batch->bytes;
    if (check_open(dataset, error) != 0)
        return error->code;
    if (batch->too_large)
        return too_large(dataset, batch->count, error);
    /* What is there is written as it lies: only a small rest is copied. */
    if (pending->length && pending->length + bytes->length >= BUFFERED &&
        write_pending(dataset, error) != 0)
        return error->code;
    char *at = bytes->bytes;
    for (uint64_t i = 0; i < batch->count; i++)
        at = settle_entry(dataset, at, dataset->written + pending->length +
                                           (size_t)(at - bytes->bytes));
    int code = 0;
    if (bytes->length >= BUFFERED)
        code = write_bytes(dataset, bytes, error);
    else
        buffer_append(pending, bytes->bytes, bytes->length);
    buffer_clear(bytes);
    batch->count = 0;
    return code;
}

int dataset_map(struct dataset *dataset, size_t size, struct error *error)
{
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, dataset->file, 0);
    if (map == MAP_FAILED)
        return dataset_io_error(error, dataset->path, "cannot map the dataset");
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
        return dataset_io_error(error, dataset->path, "cannot rename the dataset into its place");
    free(dataset->temporary);
    dataset->temporary = NULL;
    /* The descriptor of writing cannot be mapped for reading. */
    close(dataset->file);
    dataset->file = open(dataset->path, O_RDONLY | O_CLOEXEC);
    if (dataset->file < 0)
        return dataset_io_error(error, dataset->path, "cannot read the dataset");
    if (dataset_map(dataset, dataset->written, error) != 0)
        return XY_EIO;
    dataset->failed = 0;
    dataset->own = true;
    return 0;
}

/* The bytes go over as they are. Where they cannot, the record is made: its trail then says that it
 * was cut. */
int dataset_append_from(struct dataset *dataset, const struct dataset *source, uint64_t index,
                        xy_str event, struct error *error)
{
    struct buffer *pending = &dataset->pending;
    size_t start = pending->length;
    if (check_open(dataset, error) != 0)
        return error->code;
    if (buffer_reserve(pending, DATASET_ENTRY)) {
        pending->length += DATASET_ENTRY;
        if (record_copy_with(dataset_bytes(source, index), event, pending))
            return end_entry(dataset, start, error);
    }
    pending->length = start;
    pending->overflowed = false;
    struct record *record = dataset_read(source, index);
    if (!record)
        return error_set(error, XY_EIO, "%s: record %llu cannot be read", dataset->path,
                         (unsigned long long)index);
    record_event_again(record, event);
    int code = dataset_append(dataset, record, error);
    record_destroy(record);
    return code;
}
