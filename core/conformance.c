/* SPDX-License-Identifier: Apache-2.0 */
/* conformance.c - one process per stage, and the report of what it said. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance_trial.h"
#include "registry.h"

/* What the parent has heard of one stage. */
struct hearing {
    const struct stage_type *type;
    bool verbose;
    uint32_t job_ms;
    struct buffer *report;
    struct buffer line;     /* a line that has not ended yet */
    char rule[128];         /* what is being tried */
    bool rule_broken;
    size_t broken, tried;
};

static void say(struct hearing *hearing, const char *mark, const char *rule, const char *text)
{
    buffer_printf(hearing->report, "%-5s %s `%s`: %s%s%s\n", mark,
                  kind_name(hearing->type->stage.kind), hearing->type->stage.id, rule,
                  *text ? ": " : "", text);
}

static void end_rule(struct hearing *hearing)
{
    if (!hearing->rule[0])
        return;
    hearing->tried++;
    if (hearing->verbose && !hearing->rule_broken)
        say(hearing, "ok", hearing->rule, "");
    hearing->rule[0] = '\0';
}

static void fail(struct hearing *hearing, const char *text)
{
    hearing->broken++;
    hearing->rule_broken = true;
    say(hearing, "FAIL", hearing->rule[0] ? hearing->rule : "start", text);
}

/* Lines of the child: '>' a rule begins, '!' it is broken, '-' a note, '.' all done. */
static void hear_line(struct hearing *hearing, const char *line, bool *done)
{
    switch (line[0]) {
    case '>':
        end_rule(hearing);
        snprintf(hearing->rule, sizeof(hearing->rule), "%s", line + 1);
        hearing->rule_broken = false;
        break;
    case '!': fail(hearing, line + 1); break;
    case '-': say(hearing, "note", hearing->rule[0] ? hearing->rule : "start", line + 1); break;
    default:
        end_rule(hearing);
        *done = true;
    }
}

static void hear_bytes(struct hearing *hearing, const char *bytes, size_t length, bool *done)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\n') {
            buffer_append_char(&hearing->line, bytes[i]);
            continue;
        }
        if (hearing->line.length)
            hear_line(hearing, hearing->line.bytes, done);
        buffer_clear(&hearing->line);
    }
}

/* Listens until the child has closed its end; kills it when it says nothing for too long. */
static void listen(struct hearing *hearing, int pipe_end, pid_t child)
{
    bool done = false, hung = false;
    for (;;) {
        struct pollfd ready = {.fd = pipe_end, .events = POLLIN};
        int count = poll(&ready, 1, (int)(KIT_SILENCE * hearing->job_ms));
        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0 && !hung) {
            fail(hearing, "it hangs: a function that was called did not come back");
            kill(child, SIGKILL);
            hung = true;
            continue;
        }
        char bytes[4096];
        ssize_t got = read(pipe_end, bytes, sizeof(bytes));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        hear_bytes(hearing, bytes, (size_t)got, &done);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (done || hung)
        return;
    char text[128];
    if (WIFSIGNALED(status))
        snprintf(text, sizeof(text), "it crashed: %s", strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof(text), "it ended the process with status %d", WEXITSTATUS(status));
    fail(hearing, text);
}

/* Tries one stage; adds to the counts. */
static void try_stage(struct hearing *hearing, const struct registry *registry,
                      const struct stage_type *type, const char *folder)
{
    hearing->type = type;
    hearing->rule[0] = '\0';
    hearing->rule_broken = false;
    buffer_init(&hearing->line, 8192);
    int ends[2];
    if (pipe(ends) != 0) {
        fail(hearing, "no pipe could be made");
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        conformance_trial(registry, type, folder, hearing->job_ms, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    if (child < 0)
        fail(hearing, "no process could be started");
    else
        listen(hearing, ends[0], child);
    close(ends[0]);
    buffer_free(&hearing->line);
}

int conformance_run(const char *path, bool verbose, struct buffer *report)
{
    return conformance_run_within(path, verbose, KIT_JOB_MS, report);
}

int conformance_run_within(const char *path, bool verbose, uint32_t job_ms, struct buffer *report)
{
    struct registry registry = {0};
    struct error error = {0};
    struct hearing hearing = {.verbose = verbose, .job_ms = job_ms, .report = report};
    struct plugin *plugin = registry_load(&registry, path, &error);
    if (!plugin) {
        buffer_append_text(report, "FAIL  loading: ");
        error_format(&error, report);
        buffer_append_char(report, '\n');
        registry_free(&registry);
        return error.code;
    }
    char folder[] = "/tmp/xylem-conformance.XXXXXX";
    if (!mkdtemp(folder)) {
        buffer_printf(report, "FAIL  start: no folder in /tmp: %s\n", strerror(errno));
        registry_free(&registry);
        return XY_EIO;
    }
    for (size_t i = 0; i < plugin->stage_count; i++)
        try_stage(&hearing, &registry, &plugin->stages[i], folder);
    conformance_clean(folder);
    buffer_printf(report, "%s %s: %zu stage%s, %zu rules tried, %zu broken\n", plugin->info.name,
                  plugin->info.version, plugin->stage_count, plugin->stage_count == 1 ? "" : "s",
                  hearing.tried, hearing.broken);
    registry_free(&registry);
    return (int)hearing.broken;
}
