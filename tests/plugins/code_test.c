/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that behave, and programs that do not. Without bubblewrap only the refusal is tested. */
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;
static bool works; /* bubblewrap does, here */

static struct instance *open_with(const char *options)
{
    stage_host_init(&host);
    stage_host_load(&host, "code");
    return stage_host_open(&host, XY_CONDITION, "code", options);
}

static struct instance *open_good(const char *options)
{
    struct instance *instance = open_with(options);
    if (!instance)
        printf("\n    %s\n", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    return instance;
}

static void close_it(struct instance *instance)
{
    instance_close(instance);
    stage_host_free(&host);
}

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* The result, or the reason of the drop. `more`: further members of the record. */
static const char *outcome(struct instance *instance, const char *code, const char *more)
{
    static char text[1 << 17];
    struct stage_result result;
    struct buffer json;
    buffer_init(&json, 1 << 20);
    buffer_append_text(&json, "{\"code\":");
    json_write_text(&json, str_of(code));
    buffer_printf(&json, "%s}", more);
    stage_host_process(&host, instance, json.bytes, &result);
    snprintf(text, sizeof(text), "%s", result.verdict == XY_OK ? stage_text(result.input, "result")
                                       : result.why ? result.why : "?");
    CU_ASSERT(result.verdict == XY_OK || result.verdict == XY_DROP);
    stage_result_free(&result);
    buffer_free(&json);
    return text;
}

static void well_behaved(const char *options)
{
    struct instance *instance = open_good(options);
    CHECK_TEXT(outcome(instance, "print(6 * 7)", ""),
               "{\"exit\":0,\"stdout\":\"42\\n\",\"stderr\":\"\"}");
    CHECK_TEXT(outcome(instance, "import sys\nprint('x', file=sys.stderr); sys.exit(3)", ""),
               "{\"exit\":3,\"stdout\":\"\",\"stderr\":\"x\\n\"}");
    CHECK_TEXT(outcome(instance, "import sys; sys.stdout.buffer.write(b'a\\xffb\\xc3\\xa9')", ""),
               "{\"exit\":0,\"stdout\":\"a?b\xc3\xa9\",\"stderr\":\"\"}");
    CHECK_TEXT(outcome(instance, "import sys; print(len(sys.stdin.read()))", ""),
               "{\"exit\":0,\"stdout\":\"0\\n\",\"stderr\":\"\"}");
    CHECK_TEXT(outcome(instance, "", ""), "{\"exit\":0,\"stdout\":\"\",\"stderr\":\"\"}");
    CU_ASSERT_PTR_NOT_NULL(strstr(outcome(instance, "1 +", ""), "SyntaxError"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(outcome(instance, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", ""),
               "{\"exit\":139,"));
    close_it(instance);
}

static void behaves(void)
{
    well_behaved("{isolation: none}");
    if (works)
        well_behaved(NULL);
}

static void judged(void)
{
    struct instance *instance =
        open_good("{isolation: none, tests: tests, drop_failed: true, input: given, "
                  "expected: wanted}");
    const char *program = "def add(a, b): return a + b\nprint(add(*map(int, input().split())))";
    CHECK_TEXT(outcome(instance, program, ",\"tests\":\"assert add(1, 2) == 3\",\"given\":\"4 5\","
                                          "\"wanted\":\" 9\""),
               "{\"exit\":0,\"stdout\":\"9\\n\",\"stderr\":\"\"}");
    CHECK_TEXT(outcome(instance, program, ",\"tests\":\"assert add(1, 2) == 4\",\"given\":\"4 5\","
                                          "\"wanted\":\"9\""),
               "the program ended with exit code 1: AssertionError");
    CHECK_TEXT(outcome(instance, program, ",\"given\":\"4 5\",\"wanted\":\"8\""),
               "the program printed something else than `wanted`");
    struct stage_result result;
    stage_host_process(&host, instance, "{\"text\":\"x\"}", &result);
    CHECK_TEXT(result.why, "there is no text in `code`");
    stage_result_free(&result);
    close_it(instance);
}

static void another_interpreter(void)
{
    struct instance *instance =
        open_good("{isolation: none, command: [sh, -e], file: main.sh}");
    CHECK_TEXT(outcome(instance, "echo $((6 * 7)); false; echo no", ""),
               "{\"exit\":1,\"stdout\":\"42\\n\",\"stderr\":\"\"}");
    close_it(instance);
}

/* ---- bounds, with and without isolation ------------------------------------------------------ */

static void bounded(const char *isolation)
{
    char options[200];
    snprintf(options, sizeof(options), "{isolation: %s, timeout: 1s, output: 1000, memory: "
                                       "200000000, disk: 1000000, processes: 8}", isolation);
    struct instance *instance = open_good(options);
    double start = seconds();
    CHECK_TEXT(outcome(instance, "while True: pass", ""), "no end within 1 s");
    CHECK_TEXT(outcome(instance, "import time; time.sleep(60)", ""), "no end within 1 s");
    CHECK_TEXT(outcome(instance, "import os, time\nos.close(1); os.close(2); time.sleep(60)", ""),
               "no end within 1 s");
    CHECK_TEXT(outcome(instance, "while True: print('x' * 100)", ""),
               "it printed more than 1000 bytes");
    CHECK_TEXT(outcome(instance, "import sys\nwhile True: sys.stderr.write('x' * 100)", ""),
               "it printed more than 1000 bytes");
    CU_ASSERT(seconds() - start < 10);
    CU_ASSERT_PTR_NOT_NULL(strstr(outcome(instance, "x = bytearray(10 ** 9)", ""), "MemoryError"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(outcome(instance, "open('big', 'wb').write(bytes(10 ** 7))", ""), "\"exit\":1,"));
    /* A child that outlives its parent is gone when process() returns. */
    start = seconds();
    CHECK_TEXT(outcome(instance, "import os, time\nif os.fork() == 0: time.sleep(60)", ""),
               "{\"exit\":0,\"stdout\":\"\",\"stderr\":\"\"}");
    CU_ASSERT(seconds() - start < 1);
    close_it(instance);
}

static void bounds(void)
{
    bounded("none");
    if (works)
        bounded("bubblewrap");
}

/* ---- isolation ------------------------------------------------------------------------------- */

static void check_output(struct instance *instance, const char *code, const char *part)
{
    const char *got = outcome(instance, code, "");
    if (!strstr(got, part))
        printf("\n    %s\n    gives %.300s\n", code, got);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, part));
}

/* A port of the host that takes connections. */
static int listen_somewhere(int *listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    *listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(*listener, (struct sockaddr *)&address, length), 0);
    CU_ASSERT_EQUAL(listen(*listener, 8), 0);
    CU_ASSERT_EQUAL(getsockname(*listener, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

/* A folder that the sandbox may read. */
static void mounted(void)
{
    char folder[] = P_tmpdir "/code-mount-XXXXXX", path[64], text[256];
    struct stat status;
    if (!works)
        return;
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/word", folder);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs("visible", file);
    fclose(file);
    chmod(folder, 0777);
    chmod(path, 0666);
    snprintf(text, sizeof(text), "{mounts: [%s]}", folder);
    struct instance *instance = open_good(text);
    snprintf(text, sizeof(text), "print(open('%s').read())", path);
    check_output(instance, text, "visible\\n");
    snprintf(text, sizeof(text), "open('%s', 'a').write('x')", path);
    check_output(instance, text, "Read-only file system");
    CU_ASSERT(stat(path, &status) == 0 && status.st_size == 7);
    close_it(instance);
    unlink(path);
    rmdir(folder);
}

static void isolated(void)
{
    int listener;
    if (!works)
        return;
    char mark[64], program[256];
    snprintf(mark, sizeof(mark), P_tmpdir "/code-test-%ld", (long)getpid());
    setenv("XYLEM_TEST_SECRET", "s3cret", 1);
    struct instance *instance = open_good("{processes: 12, timeout: 5s}");
    snprintf(program, sizeof(program),
             "import socket\nsocket.create_connection(('127.0.0.1', %d), 1)",
             listen_somewhere(&listener));
    check_output(instance, program, "Connection refused\\n"); /* its loopback is not ours */
    close(listener);
    check_output(instance, "import socket\nsocket.create_connection(('1.1.1.1', 53), 1)",
                 "Network is unreachable\\n");
    check_output(instance, "open('/etc/shadow')", "No such file or directory: '/etc/shadow'");
    check_output(instance, "open('/etc/passwd')", "No such file or directory: '/etc/passwd'");
    check_output(instance, "import os; print(os.path.exists('/root'), os.path.exists('/home'))",
                 "False False");
    check_output(instance, "import os; print(sorted(os.listdir('/box')), os.getcwd())",
                 "['main.py'] /box");
    check_output(instance, "import os; print('s3cret' in str(os.environ))", "False");
    check_output(instance, "open('/usr/x', 'w')", "Read-only file system");
    check_output(instance, "open('here', 'w').write('1'); print(open('here').read())", "1\\n");
    snprintf(program, sizeof(program), "open('%s', 'w').write('1')", mark);
    check_output(instance, program, "{\"exit\":0,"); /* in a /tmp of its own */
    struct stat status;
    CU_ASSERT(stat(mark, &status) != 0);
    check_output(instance, "import os; print(len([p for p in os.listdir('/proc') if p.isdigit()]))"
                           " if os.path.exists('/proc') else print(2)", "\"stdout\":\"");
    /* Fork bombs: the limit stops them, and nothing is left. */
    double start = seconds();
    check_output(instance, "import os\nwhile True: os.fork()", "Resource temporarily unavailable");
    check_output(instance, "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
                 "no end within 5 s");
    CU_ASSERT(seconds() - start < 20);
    check_output(instance, "import threading, time\nfor i in range(100):\n"
                           "    threading.Thread(target=time.sleep, args=(1,)).start()",
                 "can't start new thread");
    close_it(instance);
    unsetenv("XYLEM_TEST_SECRET");
}

/* No sandbox, no program: with a PATH in which there is no bwrap. */
static void refuses(void)
{
    char *path = strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    setenv("PATH", "/nowhere", 1);
    struct instance *instance = open_with(NULL);
    CU_ASSERT_PTR_NULL(instance);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "no sandbox, so no program is run: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "write `isolation: none`, which protects"));
    stage_host_free(&host);
    setenv("PATH", path, 1);
    free(path);
    CU_ASSERT_PTR_NULL(open_with("{isolation: none, command: [no-such-program]}"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(host.error.text, "no program can be run: there is no `no-such-program` in it"));
    stage_host_free(&host);
    CU_ASSERT_PTR_NULL(open_with("{isolation: none, file: ../x.py}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "a name without folders, found `../x.py`"));
    stage_host_free(&host);
    instance = open_good("{isolation: none}");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "run with all of your rights"));
    host.cancelled = 1;
    struct stage_result result;
    stage_host_process(&host, instance, "{\"code\":\"while True: pass\"}", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_ECANCELED);
    stage_result_free(&result);
    close_it(instance);
}

int main(void)
{
    static const struct check checks[] = {
        {"programs that behave", behaves},
        {"judged by tests and output", judged},
        {"another interpreter", another_interpreter},
        {"bounds", bounds},
        {"isolation", isolated},
        {"a folder that may be read", mounted},
        {"without a sandbox", refuses},
        {NULL, NULL},
    };
    struct instance *instance = open_with(NULL);
    works = instance != NULL;
    if (!works)
        printf("skipped: isolation: %s\n", host.error.text);
    instance_close(instance);
    stage_host_free(&host);
    return check_main("code", checks);
}
