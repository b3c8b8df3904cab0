/* SPDX-License-Identifier: Apache-2.0 */
/* journal_bench [entries] - prints what the journal costs the thread of the loop, how many
 * entries a second it takes in the end, and its memory. A fresh folder under the current one is
 * used and removed. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "journal.h"

static double clock_of(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct journal_key key_of(uint64_t number)
{
    XXH128_hash_t hash = XXH3_128bits(&number, sizeof(number));
    return (struct journal_key){hash.high64, hash.low64};
}

static void must(int rc, const struct error *error)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s: %s\n", error->file, error->text);
    exit(1);
}

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void bench_append(struct journal *journal, uint64_t count, uint64_t each_turn)
{
    struct error error;
    char payload[1024];
    memset(payload, 'p', sizeof(payload));
    double start = clock_of(CLOCK_MONOTONIC), cpu = clock_of(CLOCK_THREAD_CPUTIME_ID), slowest = 0;
    for (uint64_t i = 0; i < count;) {
        double turn = clock_of(CLOCK_MONOTONIC);
        for (uint64_t end = i + each_turn; i < end && i < count; i++) {
            memcpy(payload, &i, sizeof(i));
            journal_append(journal, key_of(i), (xy_str){payload, sizeof(payload)});
        }
        must(journal_write(journal, &error), &error);
        turn = clock_of(CLOCK_MONOTONIC) - turn;
        slowest = turn > slowest ? turn : slowest;
    }
    double wall = clock_of(CLOCK_MONOTONIC) - start;
    cpu = clock_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
    printf("append + write, %llu a turn: %.0f /s, %.2f us CPU each, slowest turn %.1f ms\n",
           (unsigned long long)each_turn, (double)count / wall, cpu / (double)count * 1e6,
           slowest * 1e3);
    start = clock_of(CLOCK_MONOTONIC);
    must(journal_sync(journal, &error), &error);
    printf("  sync after it: %.3f s; with it %.0f /s; resident %ld KiB\n",
           clock_of(CLOCK_MONOTONIC) - start,
           (double)count / (wall + clock_of(CLOCK_MONOTONIC) - start), resident_kib());
}

static void bench_find(struct journal *journal, uint64_t from, uint64_t count, const char *what,
                       bool there)
{
    struct buffer out;
    uint64_t hits = 0;
    buffer_init(&out, 1 << 20);
    double start = clock_of(CLOCK_MONOTONIC), cpu = clock_of(CLOCK_THREAD_CPUTIME_ID);
    for (uint64_t i = 0; i < count; i++)
        hits += journal_find(journal, key_of(from + i * 7919 % count), &out);
    double wall = clock_of(CLOCK_MONOTONIC) - start;
    cpu = clock_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
    printf("find, %-28s %.3f us each, %.3f us CPU\n", what, wall / (double)count * 1e6,
           cpu / (double)count * 1e6);
    if (hits != (there ? count : 0))
        exit(1);
    buffer_free(&out);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static struct journal *timed_open(const char *folder, const char *what)
{
    struct error error = {0};
    double start = clock_of(CLOCK_MONOTONIC);
    struct journal *journal = journal_open(folder, &error);
    must(journal ? 0 : error.code, &error);
    printf("open, %-28s %.1f ms\n", what, (clock_of(CLOCK_MONOTONIC) - start) * 1e3);
    return journal;
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    char folder[] = "journal_bench_XXXXXX", path[64];
    if (!mkdtemp(folder))
        return 1;
    struct journal *journal = timed_open(folder, "new");
    bench_append(journal, count, 64);
    bench_find(journal, 0, count, "present, all indexed", true);
    bench_find(journal, 1u << 30, count, "absent", false);
    journal_close(journal);
    journal = timed_open(folder, "full and closed before");
    bench_find(journal, 1u << 30, 10000, "absent, filter being filled", false);
    journal_close(journal);
    snprintf(path, sizeof(path), "%s/index.db", folder);
    unlink(path);
    journal = timed_open(folder, "index rebuilt from the log");
    journal_close(journal);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
