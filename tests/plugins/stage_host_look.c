/* SPDX-License-Identifier: Apache-2.0 */
/* stage_host_look.c - what tests read: fields, scores, details, reference files. */
#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json.h"
#include "stage_host_internal.h"

extern char **environ;

const char *stage_text(const struct record *record, const char *field)
{
    static char text[4096]; /* tests are one thread */
    xy_value value = {0};
    text[0] = '\0';
    switch (record_get(record, field, &value)) {
    case XY_TEXT:
    case XY_JSON:
        snprintf(text, sizeof(text), "%.*s", (int)value.text.len, value.text.ptr);
        break;
    case XY_INT: snprintf(text, sizeof(text), "%lld", (long long)value.integer); break;
    case XY_BOOL: snprintf(text, sizeof(text), "%s", value.integer ? "true" : "false"); break;
    case XY_NUMBER: snprintf(text, sizeof(text), "%.10g", value.number); break;
    default: break;
    }
    return text;
}

double stage_number(const struct record *record, const char *field)
{
    xy_value value = {0};
    switch (record_get(record, field, &value)) {
    case XY_INT:
    case XY_BOOL: return (double)value.integer;
    case XY_NUMBER: return value.number;
    default: return NAN;
    }
}

struct report_score stage_host_score(const struct stage_host *host, const char *name)
{
    struct report_score found = {.value = NAN, .low = NAN, .high = NAN};
    const struct report *report = host->services.report;
    for (size_t i = 0; i < report_scores(report); i++) {
        struct report_score score = report_score_at(report, i);
        if (strcmp(score.name, name) == 0)
            found = score;
    }
    return found;
}

const char *stage_host_detail(struct stage_host *host, const char *step, const char *name)
{
    struct buffer json, out;
    buffer_init(&json, SIZE_MAX);
    buffer_init(&out, SIZE_MAX);
    report_write_json(host->services.report, &json);
    struct value report;
    struct error error;
    const char *found = NULL;
    if (json_parse(&host->arena, buffer_str(&json), &report, &error) == 0) {
        const struct value *details = value_member(&report, STR("details"));
        const char *key = arena_printf(&host->arena, "%s.%s", step, name);
        const struct value *detail = details ? value_member(details, str_of(key)) : NULL;
        if (detail && json_write(&out, detail))
            found = arena_copy(&host->arena, out.bytes, out.length);
    }
    buffer_free(&json);
    buffer_free(&out);
    return found;
}

/* Runs `gzip -dc PATH` with its output in `out`. */
static pid_t start_gunzip(const char *path, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    char program[] = "gzip", option[] = "-dc", *file = memory_copy_text(path, strlen(path));
    char *const arguments[] = {program, option, file, NULL};
    pid_t child;
    int failed = posix_spawnp(&child, "gzip", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    free(file);
    return failed ? -1 : child;
}

static bool read_stream(FILE *stream, struct buffer *bytes)
{
    char block[65536];
    size_t got = fread(block, 1, sizeof(block), stream);
    for (; got > 0; got = fread(block, 1, sizeof(block), stream))
        buffer_append(bytes, block, got);
    return !ferror(stream);
}

static bool read_compressed(const char *path, struct buffer *bytes)
{
    int ends[2];
    if (pipe(ends) < 0)
        return false;
    pid_t child = start_gunzip(path, ends[1]);
    close(ends[1]);
    FILE *stream = fdopen(ends[0], "r");
    bool good = child > 0 && stream && read_stream(stream, bytes);
    if (stream)
        fclose(stream);
    int status = 1;
    if (child > 0)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return good && status == 0;
}

const char *stage_host_file(struct stage_host *host, const char *path)
{
    if (access(path, R_OK) < 0)
        return NULL;
    struct buffer bytes;
    buffer_init(&bytes, SIZE_MAX);
    size_t length = strlen(path);
    bool good;
    if (length > 3 && strcmp(path + length - 3, ".gz") == 0) {
        good = read_compressed(path, &bytes);
    } else {
        FILE *stream = fopen(path, "r");
        good = stream && read_stream(stream, &bytes);
        if (stream)
            fclose(stream);
    }
    const char *copy = good ? arena_copy(&host->arena, bytes.bytes, bytes.length) : NULL;
    buffer_free(&bytes);
    return copy;
}

const char *stage_host_reference(struct stage_host *host, const char *name)
{
    const char *folder = getenv("XYLEM_REFERENCE_DATA");
    if (!folder)
        folder = TEST_SOURCE_DIR "/../shared/data";
    const char *bytes =
        stage_host_file(host, arena_printf(&host->arena, "%s/%s", folder, name));
    if (!bytes)
        printf("(skipped: no reference data `%s`) ", name);
    return bytes;
}
