/* SPDX-License-Identifier: Apache-2.0 */
/* dataset_internal.h - what dataset*.c share.
 *
 * The file of a dataset:
 *   head    "xylemds\n", u32 version (2), u32 0
 *   entry   u32 length, u64 checksum of the bytes and of the entry's index, the encoded record
 *   foot    u32 0xffffffff, u64 entries, u64 XXH3 of all entries' checksums, "sealed\n\0"
 * The foot is what tells a whole file from one that was cut between two entries.
 */
#ifndef XYLEM_CORE_DATASET_INTERNAL_H
#define XYLEM_CORE_DATASET_INTERNAL_H

#include <stdatomic.h>
#include <xxhash.h>

#include "dataset.h"

enum {
    DATASET_VERSION = 2,
    DATASET_HEAD = 16,
    DATASET_ENTRY = 12,              /* bytes before each record */
    DATASET_FOOT = 28,
    STRIDE = 4,              /* records between two offsets that are kept in memory */
    WINDOW = 4 << 20,        /* bytes of the map that a reader in order keeps behind it */
    BUFFERED = 64 << 10,     /* bytes collected before a write() */
    AHEAD = 512,             /* bytes of the next record that a reader in order asks memory for */
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

static inline uint64_t dataset_chained(uint64_t chain, uint64_t checksum)
{
    uint64_t parts[2] = {chain, checksum};
    return XXH3_64bits(parts, sizeof(parts));
}

/* With the index in it, so that entries cannot change places. */
static inline uint64_t dataset_checksum(const char *bytes, size_t length, uint64_t index)
{
    return XXH3_64bits(bytes, length) ^ (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* An empty one without a file. */
struct dataset *dataset_make(void);
/* Keeps the place of the record that comes next, and counts it. */
void dataset_add_offset(struct dataset *dataset, uint64_t offset);
/* The error for errno. Returns XY_EIO. */
int dataset_io_error(struct error *error, const char *path, const char *what);
/* Maps the open file and closes it. */
int dataset_map(struct dataset *dataset, size_t size, struct error *error);
/* The encoded record `index` of a sealed dataset, in the mapped file; {NULL, 0} past the end. */
xy_str dataset_bytes(const struct dataset *dataset, uint64_t index);

#endif
