/* SPDX-License-Identifier: Apache-2.0 */
/* journal_files.h - journals in a folder of their own, with entries that follow from their
 * numbers. */
#ifndef XYLEM_TESTS_FAULTS_JOURNAL_FILES_H
#define XYLEM_TESTS_FAULTS_JOURNAL_FILES_H

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "check.h"
#include "journal.h"

static char root[64];
static struct buffer found; /* of the last find */

static inline const char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
    return path;
}

static inline struct journal_key key_of(uint64_t number)
{
    XXH128_hash_t hash = XXH3_128bits(&number, sizeof(number));
    return (struct journal_key){hash.high64, hash.low64};
}

/* The payload of entry `number`: its length and bytes follow from the number alone. */
static inline xy_str payload_of(uint64_t number, size_t most)
{
    static char bytes[4096];
    uint64_t random = number;
    size_t length = most ? xy_random_below(&random, most) : 0;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)xy_random_next(&random);
    return (xy_str){bytes, length};
}

static inline bool has(struct journal *journal, uint64_t number, size_t most)
{
    return journal_find(journal, key_of(number), &found) &&
           str_equal(buffer_str(&found), payload_of(number, most));
}

static inline struct journal *open_journal(const char *name)
{
    struct error error = {0};
    struct journal *journal = journal_open(path_of(name), &error);
    if (!journal)
        printf("\n    journal_open: %s: %s\n", error.file, error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
    return journal;
}

/* Adds entries from..from+count-1, one write for all. */
static inline void add(struct journal *journal, uint64_t from, uint64_t count, size_t most)
{
    struct error error;
    for (uint64_t i = from; i < from + count; i++)
        journal_append(journal, key_of(i), payload_of(i, most));
    CU_ASSERT_EQUAL_FATAL(journal_write(journal, &error), 0);
}

static inline void fill(const char *name, uint64_t from, uint64_t count, size_t most)
{
    struct journal *journal = open_journal(name);
    add(journal, from, count, most);
    journal_close(journal);
}

static inline void remove_index(const char *name)
{
    static const char *const files[] = {"index.db", "index.db-wal", "index.db-shm"};
    char path[128];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", name, files[i]);
        unlink(path_of(path));
    }
}

static inline int remove_one(const char *path, const struct stat *status, int kind,
                             struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

/* In memory where there is some: hundreds of flushes need no disk to be tested. */
static inline bool make_root(void)
{
    bool memory = access("/dev/shm", W_OK) == 0;
    snprintf(root, sizeof(root), "%s/xylem_faults_XXXXXX", memory ? "/dev/shm" : "/tmp");
    buffer_init(&found, 64 << 20);
    return mkdtemp(root) != NULL;
}

static inline void remove_root(void)
{
    buffer_free(&found);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
