/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal promises when its files are torn, damaged or cannot grow. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal_files.h"

enum { HEAD = 32, ENTRY = 32 };

static struct buffer read_file(const char *path)
{
    struct buffer bytes;
    buffer_init(&bytes, 64 << 20);
    int file = open(path, O_RDONLY);
    CU_ASSERT_TRUE_FATAL(file >= 0);
    for (;;) {
        char *room = buffer_reserve(&bytes, 65536);
        ssize_t got = read(file, room, 65536);
        if (got <= 0)
            break;
        bytes.length += (size_t)got;
    }
    close(file);
    return bytes;
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    CU_ASSERT_EQUAL_FATAL(write(file, bytes, length), (ssize_t)length);
    close(file);
}

/* Where entry `index` of a log of entries 0, 1, 2 ... begins. */
static size_t offset_of(uint64_t index, size_t most)
{
    size_t offset = HEAD;
    for (uint64_t i = 0; i < index; i++)
        offset += ENTRY + payload_of(i, most).len;
    return offset;
}

/* ---- a torn tail ----------------------------------------------------------------------------- */

/* The log ends at `length` bytes, of which `whole` entries are complete. */
static void check_torn(const char *name, uint64_t whole, uint64_t total, size_t cut_bytes)
{
    struct journal *journal = open_journal(name);
    struct journal_stats stats = journal_stats(journal);
    CU_ASSERT_EQUAL(stats.cut_bytes, cut_bytes);
    CU_ASSERT_EQUAL(stats.entries, whole);
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < total; i++)
        wrong += has(journal, i, 60) != (i < whole);
    CU_ASSERT_EQUAL(wrong, 0);
    add(journal, 1000, 1, 60); /* it goes on right behind what is whole */
    CU_ASSERT_TRUE(has(journal, 1000, 60));
    journal_close(journal);
    journal = open_journal(name);
    CU_ASSERT_EQUAL(journal_stats(journal).cut_bytes, 0);
    CU_ASSERT_EQUAL(journal_stats(journal).entries, whole + 1);
    CU_ASSERT_TRUE(has(journal, 1000, 60) && has(journal, whole - 1, 60));
    journal_close(journal);
}

/* At every byte of the last four entries, with the index as a kill leaves it (it stands before the
 * tail), then as a loss of the file leaves it, then as a restored log leaves it (it stands
 * behind). */
static void test_torn_tail(void)
{
    enum { TOTAL = 24, BEHIND = 12, FIRST = 20 };
    fill("torn", 0, BEHIND, 60);
    struct buffer behind = read_file(path_of("torn/index.db"));
    fill("torn", BEHIND, TOTAL - BEHIND, 60);
    struct buffer ahead = read_file(path_of("torn/index.db"));
    struct buffer log = read_file(path_of("torn/answers.log"));
    CU_ASSERT_EQUAL_FATAL(log.length, offset_of(TOTAL, 60));
    uint64_t whole = FIRST;
    for (size_t length = offset_of(FIRST, 60); length < log.length; length++) {
        while (offset_of(whole + 1, 60) <= length)
            whole++;
        remove_index("torn");
        write_file(path_of("torn/answers.log"), log.bytes, length);
        if (length % 3 == 0)
            write_file(path_of("torn/index.db"), behind.bytes, behind.length);
        if (length % 3 == 1)
            write_file(path_of("torn/index.db"), ahead.bytes, ahead.length);
        check_torn("torn", whole, TOTAL, length - offset_of(whole, 60));
    }
    /* After a loss of power a tail may also be zeros, or an older block's bytes. */
    for (int kind = 0; kind < 2; kind++) {
        struct buffer tail;
        buffer_init(&tail, 1 << 20);
        buffer_append_str(&tail, buffer_str(&log));
        for (int i = 0; i < 5000; i++)
            buffer_append_char(&tail, kind ? log.bytes[HEAD + i % 500] : '\0');
        remove_index("torn");
        write_file(path_of("torn/answers.log"), tail.bytes, tail.length);
        check_torn("torn", TOTAL, TOTAL, 5000);
        buffer_free(&tail);
    }
    buffer_free(&behind);
    buffer_free(&ahead);
    buffer_free(&log);
}

/* ---- flipped bits ---------------------------------------------------------------------------- */

static void test_flipped_bits(void)
{
    enum { TOTAL = 10, HIT = 5 };
    fill("flip", 0, TOTAL, 60);
    struct buffer log = read_file(path_of("flip/answers.log"));
    size_t from = offset_of(HIT, 60), to = offset_of(HIT + 1, 60);
    for (size_t at = from; at < to; at++) {
        char kept = log.bytes[at];
        log.bytes[at] = (char)(kept ^ 1 << at % 8);
        write_file(path_of("flip/answers.log"), log.bytes, log.length);
        log.bytes[at] = kept;
        bool indexed = at % 2 == 0;
        if (!indexed)
            remove_index("flip"); /* the whole log is read */
        struct journal *journal = open_journal("flip");
        CU_ASSERT_EQUAL(journal_stats(journal).cut_bytes, 0);
        CU_ASSERT_EQUAL(journal_stats(journal).damaged_bytes, indexed ? 0 : to - from);
        uint64_t wrong = 0;
        for (uint64_t i = 0; i < TOTAL; i++)
            wrong += has(journal, i, 60) != (i != HIT);
        CU_ASSERT_EQUAL(wrong, 0); /* only the entry that was hit is lost, and it is not returned */
        CU_ASSERT_EQUAL(journal_stats(journal).damaged_finds, indexed);
        add(journal, HIT, 1, 60); /* paid again */
        CU_ASSERT_TRUE(has(journal, HIT, 60));
        journal_close(journal);
        journal = open_journal("flip");
        for (uint64_t i = 0; i < TOTAL; i++)
            wrong += !has(journal, i, 60);
        CU_ASSERT_EQUAL(wrong, 0);
        journal_close(journal);
        /* An index that fits the sound log again. */
        remove_index("flip");
        write_file(path_of("flip/answers.log"), log.bytes, log.length);
        journal_close(open_journal("flip"));
    }
    buffer_free(&log);
}

/* Every page of the index with garbage in it: an answer may be missed, never wrong, and the next
 * opening has them all again. */
static void test_damaged_index(void)
{
    enum { TOTAL = 2000 };
    fill("page", 0, TOTAL, 20);
    struct buffer index = read_file(path_of("page/index.db"));
    CU_ASSERT_TRUE_FATAL(index.length >= 5 * 4096);
    for (size_t page = 0; page < index.length / 4096; page++) {
        struct buffer bad;
        buffer_init(&bad, 64 << 20);
        buffer_append_str(&bad, buffer_str(&index));
        memset(bad.bytes + page * 4096 + 100, (int)(0x5a + page), 1500);
        remove_index("page");
        write_file(path_of("page/index.db"), bad.bytes, bad.length);
        struct journal *journal = open_journal("page");
        uint64_t wrong = 0;
        for (uint64_t i = 0; i < TOTAL; i++)
            wrong += journal_find(journal, key_of(i), &found) &&
                     !str_equal(buffer_str(&found), payload_of(i, 20));
        CU_ASSERT_EQUAL(wrong, 0);
        journal_close(journal);
        journal = open_journal("page");
        for (uint64_t i = 0; i < TOTAL; i++)
            wrong += !has(journal, i, 20);
        CU_ASSERT_EQUAL(wrong, 0);
        journal_close(journal);
        buffer_free(&bad);
    }
    buffer_free(&index);
}

/* ---- a full disk ----------------------------------------------------------------------------- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, bytes};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* What a child tells: how many entries were acknowledged, and whether all else was as promised. */
struct told {
    uint64_t acknowledged;
    int good;
};

static struct told from_child(void (*run)(struct told *told))
{
    struct told told = {0};
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        run(&told);
        _exit(write(ends[1], &told, sizeof(told)) == sizeof(told) ? 0 : 1);
    }
    close(ends[1]);
    CU_ASSERT_EQUAL(read(ends[0], &told, sizeof(told)), sizeof(told));
    close(ends[0]);
    waitpid(child, NULL, 0);
    return told;
}

static void fill_the_disk(struct told *told)
{
    struct error error = {0};
    limit_files(1 << 20);
    struct journal *journal = journal_open(path_of("full"), &error);
    if (!journal)
        return;
    int rc = 0;
    while (rc == 0 && told->acknowledged < 100000) {
        for (uint64_t i = 0; i < 10; i++)
            journal_append(journal, key_of(told->acknowledged + i),
                           payload_of(told->acknowledged + i, 3000));
        rc = journal_write(journal, &error);
        told->acknowledged += rc == 0 ? 10 : 0;
    }
    bool refused = rc == XY_EIO && strstr(error.text, "File too large") && error.hint[0];
    /* Nothing of the failed write may be used, all before it may, and the failure is final. */
    bool kept = has(journal, 0, 3000) && has(journal, told->acknowledged - 1, 3000);
    bool unused = true;
    for (uint64_t i = 0; i < 10; i++)
        unused = unused && !journal_find(journal, key_of(told->acknowledged + i), &found);
    journal_append(journal, key_of(1u << 30), STR("small"));
    bool final = journal_write(journal, &error) == XY_EIO &&
                 journal_sync(journal, &error) == XY_EIO;
    journal_close(journal);
    told->good = refused && kept && unused && final;
}

static void fill_the_index(struct told *told)
{
    struct error error = {0};
    limit_files(48 << 10); /* the log needs 32,032 bytes, the index more than there is */
    struct journal *journal = journal_open(path_of("small"), &error);
    if (!journal)
        return;
    for (uint64_t i = 0; i < 1000; i++)
        journal_append(journal, key_of(i), payload_of(i, 0));
    if (journal_write(journal, &error) == 0)
        told->acknowledged = 1000;
    told->good = journal_sync(journal, &error) == XY_EIO && error.text[0] &&
                 journal_write(journal, &error) == XY_EIO;
    journal_close(journal);
}

static void check_acknowledged(const char *name, uint64_t count, size_t most)
{
    struct journal *journal = open_journal(name);
    uint64_t missing = 0;
    for (uint64_t i = 0; i < count; i++)
        missing += !has(journal, i, most);
    CU_ASSERT_EQUAL(missing, 0);
    add(journal, count, 10, most);
    CU_ASSERT_TRUE(has(journal, count, most));
    journal_close(journal);
}

static void test_full_disk(void)
{
    struct told told = from_child(fill_the_disk);
    CU_ASSERT_EQUAL(told.good, 1);
    CU_ASSERT_TRUE(told.acknowledged > 300 && told.acknowledged < 1200);
    check_acknowledged("full", told.acknowledged, 3000);
    told = from_child(fill_the_index);
    CU_ASSERT_EQUAL(told.good, 1);
    CU_ASSERT_EQUAL(told.acknowledged, 1000);
    check_acknowledged("small", told.acknowledged, 0);
}

int main(void)
{
    static const struct check checks[] = {
        {"a tail torn at every byte", test_torn_tail},
        {"flipped bits", test_flipped_bits},
        {"a damaged index", test_damaged_index},
        {"a full disk", test_full_disk},
        {NULL, NULL},
    };
    if (!make_root())
        return 2;
    int rc = check_main("journal faults", checks);
    remove_root();
    return rc;
}
