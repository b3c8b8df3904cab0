/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "check.h"
#include "journal_internal.h"

static char root[] = "/tmp/xylem_journal_XXXXXX";
static struct buffer found; /* of the last find */

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
    return path;
}

static struct journal_key key_of(uint64_t number)
{
    XXH128_hash_t hash = XXH3_128bits(&number, sizeof(number));
    return (struct journal_key){hash.high64, hash.low64};
}

/* Payloads of different lengths, 0 among them. */
static void append(struct journal *journal, uint64_t number, const char *text)
{
    char payload[700];
    memset(payload, 'a' + (int)(number % 26), sizeof(payload));
    int length = snprintf(payload, sizeof(payload), "%llu %s", (unsigned long long)number, text);
    payload[length] = ' ';
    journal_append(journal, key_of(number),
                   (xy_str){payload, number % 50 == 0 ? 0 : (size_t)length + number % 600});
}

static bool has(struct journal *journal, uint64_t number, const char *text)
{
    char start[64];
    int length = snprintf(start, sizeof(start), "%llu %s", (unsigned long long)number, text);
    if (!journal_find(journal, key_of(number), &found))
        return false;
    if (number % 50 == 0)
        return found.length == 0;
    return found.length == (size_t)length + number % 600 &&
           memcmp(found.bytes, start, (size_t)length) == 0;
}

static struct journal *open_journal(const char *name)
{
    struct error error = {0};
    struct journal *journal = journal_open(path_of(name), &error);
    if (!journal)
        printf("\n    journal_open: %s: %s\n", error.file, error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
    return journal;
}

static void write_all(struct journal *journal)
{
    struct error error = {0};
    CU_ASSERT_EQUAL_FATAL(journal_write(journal, &error), 0);
}

static void test_append_and_find(void)
{
    struct error error;
    struct journal *journal = open_journal("deep/er/a");
    CU_ASSERT_FALSE(has(journal, 1, "x"));
    for (uint64_t i = 0; i < 3000; i++)
        append(journal, i, "x");
    write_all(journal);
    for (uint64_t i = 0; i < 3000; i++)
        CU_ASSERT_TRUE(has(journal, i, "x"));
    for (uint64_t i = 3000; i < 6000; i++)
        CU_ASSERT_FALSE(has(journal, i, "x"));
    struct journal_stats stats = journal_stats(journal);
    CU_ASSERT_EQUAL(stats.entries, 3000);
    CU_ASSERT_EQUAL(stats.hits, 3000);
    CU_ASSERT_EQUAL(stats.misses, 3001);
    /* The same once they come out of the index. */
    CU_ASSERT_EQUAL(journal_sync(journal, &error), 0);
    CU_ASSERT_EQUAL(journal->recent->tail, 3000);
    for (uint64_t i = 0; i < 3000; i += 17)
        CU_ASSERT_TRUE(has(journal, i, "x"));
    journal_close(journal);
    journal = open_journal("deep/er/a");
    stats = journal_stats(journal);
    CU_ASSERT_EQUAL(stats.entries, 3000);
    CU_ASSERT_EQUAL(stats.cut_bytes, 0);
    CU_ASSERT_FALSE(stats.rebuilt);
    for (uint64_t i = 0; i < 3000; i++)
        CU_ASSERT_TRUE(has(journal, i, "x"));
    journal_close(journal);
    journal_close(NULL);
}

/* The newest entry of a key wins: while queued, written, indexed, and after opening again. */
static void test_newest_wins(void)
{
    struct error error;
    struct journal *journal = open_journal("newest");
    append(journal, 1, "first");
    append(journal, 1, "second");
    CU_ASSERT_TRUE(has(journal, 1, "second"));
    CU_ASSERT_EQUAL(journal_sync(journal, &error), 0);
    CU_ASSERT_TRUE(has(journal, 1, "second"));
    append(journal, 1, "third");
    write_all(journal);
    CU_ASSERT_TRUE(has(journal, 1, "third"));
    journal_close(journal);
    journal = open_journal("newest");
    CU_ASSERT_TRUE(has(journal, 1, "third"));
    journal_close(journal);
}

/* Keys whose upper halves are the same: each keeps its own answer, and its newest. */
static void test_twins(void)
{
    struct journal *journal = open_journal("twins");
    struct error error;
    char text[32];
    for (int round = 0; round < 2; round++) {
        for (uint64_t low = 0; low < 5; low++) {
            int length = snprintf(text, sizeof(text), "%d of %d", (int)low, round);
            journal_append(journal, (struct journal_key){UINT64_MAX, low},
                           (xy_str){text, (size_t)length});
        }
        CU_ASSERT_EQUAL(journal_write(journal, &error), 0);
        CU_ASSERT_EQUAL(journal_sync(journal, &error), 0);
    }
    for (int opened = 0; opened < 2; opened++) {
        for (uint64_t low = 0; low < 5; low++) {
            snprintf(text, sizeof(text), "%d of 1", (int)low);
            CU_ASSERT_TRUE(
                journal_find(journal, (struct journal_key){UINT64_MAX, low}, &found));
            CHECK_TEXT(found.bytes, text);
        }
        CU_ASSERT_FALSE(journal_find(journal, (struct journal_key){UINT64_MAX, 5}, &found));
        CU_ASSERT_FALSE(journal_find(journal, (struct journal_key){1, 0}, &found));
        journal_close(journal);
        journal = open_journal("twins");
    }
    journal_close(journal);
}

/* An entry that is found is on disk, even when nobody called journal_write(). */
static void test_found_is_written(void)
{
    struct journal *journal = open_journal("written");
    append(journal, 7, "x");
    struct stat before, after;
    stat(path_of("written/answers.log"), &before);
    CU_ASSERT_TRUE(has(journal, 7, "x"));
    stat(path_of("written/answers.log"), &after);
    CU_ASSERT_TRUE(after.st_size > before.st_size);
    journal_close(journal);
}

/* More entries than memory keeps, without a write in between. */
static void test_bounded_memory(void)
{
    const uint64_t count = JOURNAL_RECENT + JOURNAL_RECENT / 2;
    struct journal *journal = open_journal("bounded");
    for (uint64_t i = 0; i < count; i++) {
        journal_append(journal, key_of(i), STR("short"));
        if (journal->recent->head - journal->recent->tail > JOURNAL_RECENT)
            CU_FAIL("too many recent entries");
    }
    write_all(journal);
    uint64_t missing = 0;
    for (uint64_t i = 0; i < count; i++)
        missing += !journal_find(journal, key_of(i), &found);
    CU_ASSERT_EQUAL(missing, 0);
    journal_close(journal);
    /* Opened again, the filter is filled behind the scenes; before and after, answers are right. */
    journal = open_journal("bounded");
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < count; i += 101)
            missing += !journal_find(journal, key_of(i), &found);
        CU_ASSERT_EQUAL(missing, 0);
        CU_ASSERT_FALSE(journal_find(journal, key_of(1u << 30), &found));
        for (int wait = 0; wait < 500 && !atomic_load(&journal->filter.complete); wait++)
            usleep(10000);
        CU_ASSERT_TRUE(atomic_load(&journal->filter.complete));
    }
    journal_close(journal);
}

static void test_ceiling(void)
{
    struct journal *journal = open_journal("ceiling");
    char *payload = memory_zeroed(1, 6 << 20); /* larger than the queue is allowed to grow */
    journal_append(journal, key_of(1), (xy_str){payload, 6 << 20});
    journal_append(journal, key_of(2), STR("after"));
    write_all(journal);
    struct buffer small;
    buffer_init(&small, 100);
    CU_ASSERT_FALSE(journal_find(journal, key_of(1), &small));
    CU_ASSERT_TRUE(small.overflowed);
    CU_ASSERT_TRUE(journal_find(journal, key_of(2), &small));
    CHECK_TEXT(small.bytes, "after");
    CU_ASSERT_TRUE(journal_find(journal, key_of(1), &found));
    CU_ASSERT_EQUAL(found.length, 6 << 20);
    buffer_free(&small);
    free(payload);
    journal_close(journal);
}

static void make_file(const char *path, const char *bytes, size_t length)
{
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    CU_ASSERT_EQUAL_FATAL(write(file, bytes, length), (ssize_t)length);
    close(file);
}

static void refused(const char *name, const char *text, const char *hint)
{
    struct error error = {0};
    CU_ASSERT_PTR_NULL_FATAL(journal_open(path_of(name), &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, text));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.hint, hint));
    CU_ASSERT_TRUE(error.file[0] && error.code < 0);
    if (!strstr(error.text, text))
        printf("\n    got \"%s\"\n", error.text);
}

static void test_refused(void)
{
    /* Two openers: who holds it is told, and it can be opened once that one has closed. */
    struct journal *journal = open_journal("two");
    char process[64];
    snprintf(process, sizeof(process), "in use by process %ld since 2", (long)getpid());
    refused("two", process, "wait for it");
    journal_close(journal);
    journal_close(open_journal("two"));
    /* A version to come. */
    char head[32];
    int file = open(path_of("two/answers.log"), O_RDWR);
    CU_ASSERT_EQUAL_FATAL(pread(file, head, 32, 0), 32);
    head[8] = 9;
    CU_ASSERT_EQUAL(pwrite(file, head, 32, 0), 32);
    refused("two", "a journal of version 9, this program reads version 1", "the xylem that wrote");
    head[8] = 1, head[20] ^= 1;
    CU_ASSERT_EQUAL(pwrite(file, head, 32, 0), 32);
    refused("two", "head of the journal's log is damaged", "restore");
    close(file);
    /* Other files in its place. */
    mkdir(path_of("other"), 0755);
    make_file(path_of("other/answers.log"), "{\"a\": 1}\n{\"text\": \"long enough\"}\n", 33);
    refused("other", "not a journal", "another folder");
    make_file(path_of("other/answers.log"), "xylemlog", 8);
    refused("other", "not a journal", "another folder");
    make_file(path_of("plain"), "x", 1);
    refused("plain", "not a folder", "");
    refused("plain/below", "cannot make", "");
}

static void fill(const char *name, uint64_t count)
{
    struct error error;
    struct journal *journal = open_journal(name);
    for (uint64_t i = 0; i < count; i++)
        append(journal, i, "x");
    CU_ASSERT_EQUAL(journal_write(journal, &error), 0);
    journal_close(journal);
}

static void check_all(const char *name, uint64_t count, bool rebuilt)
{
    struct journal *journal = open_journal(name);
    CU_ASSERT_EQUAL(journal_stats(journal).rebuilt, rebuilt);
    CU_ASSERT_EQUAL(journal_stats(journal).entries, count);
    uint64_t missing = 0;
    for (uint64_t i = 0; i < count; i++)
        missing += !has(journal, i, "x");
    CU_ASSERT_EQUAL(missing, 0);
    CU_ASSERT_FALSE(has(journal, count + 1, "x"));
    journal_close(journal);
}

static void test_index_lost(void)
{
    const uint64_t count = JOURNAL_BATCH + 2000;
    const char *index = path_of("index/index.db");
    char *kept = memory_copy_text(index, strlen(index));
    fill("index", count);
    check_all("index", count, false);
    unlink(kept);
    check_all("index", count, false); /* a missing index is nothing unusual */
    char garbage[5000];
    memset(garbage, 'g', sizeof(garbage));
    make_file(kept, garbage, sizeof(garbage));
    check_all("index", count, true);
    make_file(kept, "", 0);
    check_all("index", count, false);
    CU_ASSERT_EQUAL(truncate(kept, 8192), 0);
    check_all("index", count, true);
    check_all("index", count, false);
    /* The index of another log. */
    fill("stranger", 100);
    CU_ASSERT_EQUAL(rename(path_of("stranger/index.db"), kept), 0);
    check_all("index", count, true);
    free(kept);
}

/* The log went back to an older copy that is a prefix: the index must not point behind its end. */
static void test_log_restored(void)
{
    fill("restored", 100);
    struct stat status;
    stat(path_of("restored/answers.log"), &status);
    struct journal *journal = open_journal("restored");
    for (uint64_t i = 100; i < 200; i++)
        append(journal, i, "x");
    write_all(journal);
    journal_close(journal);
    CU_ASSERT_EQUAL(truncate(path_of("restored/answers.log"), status.st_size), 0);
    check_all("restored", 100, true);
}

static void *sync_thread(void *data)
{
    static struct error error;
    int rc = 0;
    for (int i = 0; i < 20 && rc == 0; i++)
        rc = journal_sync(data, &error);
    return rc == 0 ? NULL : &error;
}

static void test_sync_from_another_thread(void)
{
    struct journal *journal = open_journal("thread");
    pthread_t thread;
    void *result = NULL;
    for (uint64_t i = 0; i < 2000; i++)
        append(journal, i, "x");
    write_all(journal);
    pthread_create(&thread, NULL, sync_thread, journal);
    uint64_t missing = 0;
    for (uint64_t i = 2000; i < 6000; i++) {
        append(journal, i, "x");
        if (i % 16 == 0)
            write_all(journal);
        missing += !has(journal, i - 1000, "x");
    }
    pthread_join(thread, &result);
    CU_ASSERT_PTR_NULL(result);
    CU_ASSERT_EQUAL(missing, 0);
    CU_ASSERT_TRUE(journal->recent->tail >= 2000);
    journal_close(journal);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

int main(void)
{
    static const struct check checks[] = {
        {"append and find", test_append_and_find},
        {"the newest entry wins", test_newest_wins},
        {"keys that share a half", test_twins},
        {"what is found is on disk", test_found_is_written},
        {"memory is bounded", test_bounded_memory},
        {"large answers", test_ceiling},
        {"clear refusals", test_refused},
        {"a lost or damaged index is rebuilt", test_index_lost},
        {"a log restored from a copy", test_log_restored},
        {"sync from another thread", test_sync_from_another_thread},
        {NULL, NULL},
    };
    if (!mkdtemp(root))
        return 2;
    buffer_init(&found, 64 << 20);
    int rc = check_main("journal", checks);
    buffer_free(&found);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return rc;
}
