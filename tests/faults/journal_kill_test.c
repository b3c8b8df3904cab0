/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal promises when its process is killed, or another one has it open. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal_files.h"

enum { KILLS = 30 };

/* ---- two openers ----------------------------------------------------------------------------- */

static void test_two_openers(void)
{
    int ends[2];
    char byte;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct error error;
        struct journal *journal = journal_open(path_of("two"), &error);
        byte = journal != NULL;
        if (write(ends[1], &byte, 1) == 1)
            pause();
        _exit(1);
    }
    close(ends[1]);
    CU_ASSERT_TRUE(read(ends[0], &byte, 1) == 1 && byte == 1);
    close(ends[0]);
    struct error error = {0};
    char holder[64];
    snprintf(holder, sizeof(holder), "in use by process %ld since ", (long)child);
    CU_ASSERT_PTR_NULL(journal_open(path_of("two"), &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, holder));
    /* Once that process is gone, however it went, nothing stands in the way. */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    struct journal *journal = open_journal("two");
    journal_close(journal);
}

/* ---- kill -9 --------------------------------------------------------------------------------- */

/* Writes entries from `first` on for ever, telling after each write what is acknowledged. */
static _Noreturn void write_for_ever(uint64_t first, uint64_t seed, int out)
{
    struct error error;
    struct journal *journal = journal_open(path_of("kill"), &error);
    uint64_t next = first;
    while (journal) {
        for (uint64_t i = xy_random_below(&seed, 200) + 1; i > 0; i--, next++)
            journal_append(journal, key_of(next), payload_of(next, 2000));
        if (journal_write(journal, &error) != 0 || write(out, &next, sizeof(next)) < 0)
            break;
        if (xy_random_below(&seed, 10) == 0 && journal_sync(journal, &error) != 0)
            break;
    }
    _exit(1); /* never reached by a writer that works: it is killed */
}

static uint64_t run_and_kill(uint64_t first, uint64_t *random)
{
    int ends[2];
    uint64_t acknowledged = first, one;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    uint64_t seed = xy_random_next(random);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        write_for_ever(first, seed, ends[1]);
    }
    close(ends[1]);
    /* One in four while it opens the journal, the others at some point after their first write. */
    bool writes = xy_random_below(random, 4) > 0;
    if (writes && read(ends[0], &one, sizeof(one)) == sizeof(one))
        acknowledged = one;
    usleep((useconds_t)xy_random_below(random, writes ? 40000 : 20000));
    kill(child, SIGKILL);
    int status;
    waitpid(child, &status, 0);
    CU_ASSERT_TRUE(WIFSIGNALED(status)); /* it did not stop by itself */
    while (read(ends[0], &one, sizeof(one)) == sizeof(one))
        acknowledged = one;
    close(ends[0]);
    return acknowledged;
}

static void test_kill(void)
{
    uint64_t random = 20261123, count = 0, useful = 0;
    for (int round = 0; round < KILLS; round++) {
        uint64_t acknowledged = run_and_kill(count, &random);
        useful += acknowledged > count;
        if (round % 7 == 6)
            remove_index("kill");
        struct journal *journal = open_journal("kill");
        uint64_t missing = 0;
        for (uint64_t i = 0; i < acknowledged; i++)
            missing += !has(journal, i, 2000);
        CU_ASSERT_EQUAL(missing, 0); /* what was acknowledged in any round */
        CU_ASSERT_EQUAL(journal_stats(journal).damaged_bytes, 0);
        CU_ASSERT_TRUE(journal_stats(journal).entries >= acknowledged);
        journal_close(journal);
        count = acknowledged;
    }
    CU_ASSERT_TRUE(useful >= KILLS / 2); /* most were killed while they wrote */
}

int main(void)
{
    static const struct check checks[] = {
        {"two openers", test_two_openers},
        {"kill -9", test_kill},
        {NULL, NULL},
    };
    if (!make_root())
        return 2;
    int rc = check_main("journal kill", checks);
    remove_root();
    return rc;
}
