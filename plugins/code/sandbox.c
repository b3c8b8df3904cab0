/* SPDX-License-Identifier: Apache-2.0 */
/* Isolation is bubblewrap's (github.com/containers/bubblewrap): new user, network, process, IPC and
 * mount namespaces, with nothing in them but /usr and an empty folder in memory. Limits are the
 * kernel's, set by prlimit just before the interpreter starts. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FILES = 256, PROBE_SECONDS = 20 };

static void add(struct sandbox_line *line, const char *argument)
{
    line->full = line->full || line->count + 1 == SANDBOX_ARGUMENTS;
    if (!line->full)
        line->arguments[line->count++] = argument;
}

static void add_all(struct sandbox_line *line, const char *const *arguments)
{
    for (; arguments && *arguments; arguments++)
        add(line, *arguments);
}

/* Words that are put together: they lie in the line's own memory. */
static void add_text(struct sandbox_line *line, const char *first, const char *second)
{
    char *text = line->texts + line->used;
    size_t room = sizeof(line->texts) - line->used;
    int length = snprintf(text, room, "%s%s", first, second);
    if (length < 0 || (size_t)length >= room) {
        line->full = true;
        return;
    }
    line->used += (size_t)length + 1;
    add(line, text);
}

/* "--as=536870912" */
static void add_number(struct sandbox_line *line, const char *name, int64_t number)
{
    char digits[32];
    snprintf(digits, sizeof(digits), "%lld", (long long)number);
    add_text(line, name, digits);
}

static void add_limits(struct sandbox_line *line, const struct sandbox *sandbox)
{
    add(line, "prlimit");
    add_number(line, "--as=", sandbox->memory);
    add_number(line, "--cpu=", (int64_t)ceil(sandbox->seconds) + 1);
    add_number(line, "--fsize=", sandbox->disk);
    add_number(line, "--nproc=", sandbox->processes);
    add_number(line, "--nofile=", OPEN_FILES);
    add(line, "--core=0");
    add(line, "--");
}

/* /bin and so on are links into /usr on most systems, folders on some. */
static void add_system(struct sandbox_line *line)
{
    static const struct {
        const char *path, *target;
    } folders[] = {{"/bin", "usr/bin"},     {"/sbin", "usr/sbin"},   {"/lib", "usr/lib"},
                   {"/lib32", "usr/lib32"}, {"/lib64", "usr/lib64"}, {NULL, NULL}};
    add_all(line, (const char *const[]){"--ro-bind", "/usr", "/usr", "--ro-bind-try",
                                        "/etc/alternatives", "/etc/alternatives",
                                        "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
                                        NULL});
    for (size_t i = 0; folders[i].path; i++) {
        struct stat status;
        if (lstat(folders[i].path, &status) != 0)
            continue;
        add(line, S_ISLNK(status.st_mode) ? "--symlink" : "--ro-bind");
        add(line, S_ISLNK(status.st_mode) ? folders[i].target : folders[i].path);
        add(line, folders[i].path);
    }
}

static void add_isolation(struct sandbox_line *line, const struct sandbox *sandbox)
{
    /* The kernel counts no processes of root's: root becomes nobody first. */
    if (geteuid() == 0)
        add_all(line, (const char *const[]){"setpriv", "--reuid=65534", "--regid=65534",
                                            "--clear-groups", "--", NULL});
    add_all(line, (const char *const[]){"bwrap", "--unshare-all", "--die-with-parent",
                                        "--new-session", "--cap-drop", "ALL", "--hostname",
                                        "sandbox", NULL});
    add_system(line);
    if (sandbox->proc)
        add_all(line, (const char *const[]){"--proc", "/proc", NULL});
    add_all(line, (const char *const[]){"--dev", "/dev", "--size", NULL});
    add_number(line, "", sandbox->disk);
    add_all(line, (const char *const[]){"--tmpfs", "/tmp", "--size", NULL});
    add_number(line, "", sandbox->disk);
    add_all(line, (const char *const[]){"--tmpfs", "/box", NULL});
    for (const char *const *mount = sandbox->mounts; mount && *mount; mount++)
        add_all(line, (const char *const[]){"--ro-bind", *mount, *mount, NULL});
    add_all(line, (const char *const[]){"--chdir", "/box", "--file", "3", NULL});
    add_text(line, "/box/", sandbox->file);
    add(line, "--");
}

void sandbox_line(const struct sandbox *sandbox, const char *const *command,
                  struct sandbox_line *line)
{
    line->count = line->used = 0;
    line->full = false;
    if (sandbox->isolated)
        add_isolation(line, sandbox);
    add_limits(line, sandbox);
    add_all(line, command);
    line->arguments[line->count] = NULL;
}

/* ---- does it work here ----------------------------------------------------------------------- */

/* The last line that the probe wrote, for the user. */
static void last_line(const struct text *text, char *out, size_t size)
{
    size_t end = text->length, start;
    while (end > 0 && (text->bytes[end - 1] == '\n' || text->bytes[end - 1] == ' '))
        end--;
    for (start = end; start > 0 && text->bytes[start - 1] != '\n'; start--) {}
    snprintf(out, size, "%.*s", (int)(end - start), end ? text->bytes + start : "");
}

static int try_once(const struct sandbox *sandbox, char *why, size_t size)
{
    const char *command[] = {"sh", "-c", "command -v \"$0\" >/dev/null || exit 77",
                             sandbox->command[0], NULL};
    struct sandbox_line line;
    sandbox_line(sandbox, command, &line);
    struct program program = {.arguments = line.arguments, .seconds = PROBE_SECONDS,
                              .most_output = 1 << 16, .input = open("/dev/null", O_RDONLY),
                              .file = sandbox->isolated ? program_file("", 0) : -1};
    program_run(&program);
    close(program.input);
    if (program.file >= 0)
        close(program.file);
    int code = program.end == PROGRAM_EXITED && program.status == 0 ? XY_OK : XY_EUNSUPPORTED;
    if (program.end == PROGRAM_FAILED)
        snprintf(why, size, "%s: %s", line.arguments[0], strerror(program.status));
    else if (program.status == 77)
        snprintf(why, size, "there is no `%s` in it", sandbox->command[0]);
    else if (code < 0)
        last_line(&program.errors, why, size);
    text_free(&program.output);
    text_free(&program.errors);
    return code;
}

int sandbox_probe(struct sandbox *sandbox, char *why, size_t size)
{
    sandbox->proc = true;
    int code = try_once(sandbox, why, size);
    if (code == XY_OK || !sandbox->isolated)
        return code;
    /* Inside of some containers /proc cannot be mounted anew; most programs do without. */
    char second[256];
    sandbox->proc = false;
    return try_once(sandbox, second, sizeof(second));
}
