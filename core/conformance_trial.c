/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_trial.c - one stage from its options to its last rule, and what it says to the
 * parent. */
#include "conformance_trial.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "dataset.h"

/* One write() a line: shorter than PIPE_BUF, so lines of two threads never mix. */
static void tell(struct kit *kit, char mark, const char *format, va_list args)
{
    char line[1024];
    line[0] = mark;
    int length = vsnprintf(line + 1, sizeof(line) - 2, format, args);
    size_t used = length < 0 ? 0 : (size_t)length;
    if (used > sizeof(line) - 3)
        used = sizeof(line) - 3;
    for (size_t i = 1; i <= used; i++)
        if (line[i] == '\n')
            line[i] = ' ';
    line[used + 1] = '\n';
    ssize_t written = write(kit->out, line, used + 2);
    if (written != (ssize_t)used + 2)
        _exit(3); /* nobody listens any more */
}

__attribute__((format(printf, 3, 4))) static void tell_text(struct kit *kit, char mark,
                                                            const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(kit, mark, format, args);
    va_end(args);
}

void kit_begin(struct kit *kit, const char *rule)
{
    tell_text(kit, '>', "%s", rule);
    kit->bare = kit->longer = false;
    kit->answers = ANSWER_PLAIN;
    atomic_store(&kit->cancelled, 0);
    atomic_store(&kit->calls, 0);
    kit->cancel_at = 0;
}

void kit_fail(struct kit *kit, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(kit, '!', format, args);
    va_end(args);
}

void kit_note(struct kit *kit, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(kit, '-', format, args);
    va_end(args);
}

static void stay_silent(void *data, int level, const char *who, const char *message)
{
    (void)data, (void)level, (void)who, (void)message;
}

static int write_text(const char *folder, const char *name, const char *text, struct error *error)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    bool written = file && fputs(text, file) >= 0;
    if (file && fclose(file) != 0)
        written = false;
    return written ? 0 : error_set(error, XY_EIO, "cannot write `%s`", path);
}

/* The records that options of type XY_OPT_DATASET and XY_OPT_PATH lead to. */
static int make_files(struct kit *kit, struct error *error)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/pool.records", kit->folder);
    kit->dataset = dataset_create(path, error);
    if (!kit->dataset)
        return error->code;
    for (uint64_t i = 0; i < KIT_RECORDS; i++) {
        struct record *record = record_create(record_hash(1, "pool", i, 0, 0));
        kit_fill(kit, &record->base, RECORD_PLAIN, i);
        int code = dataset_append(kit->dataset, record, error);
        record_destroy(record);
        if (code < 0)
            return code;
    }
    int code = dataset_seal(kit->dataset, error);
    if (code < 0)
        return code;
    kit->view = arena_alloc(&kit->arena, sizeof(*kit->view));
    dataset_view_init(kit->view, kit->dataset, &kit->arena, false);
    code = write_text(kit->folder, "records.jsonl",
                      "{\"text\": \"one small text\", \"label\": \"alpha\"}\n"
                      "{\"text\": \"another text\", \"label\": \"beta\"}\n",
                      error);
    if (code == 0)
        code = write_text(kit->folder, "answers.jsonl",
                          "{\"prompt\": \"one small text\", \"text\": \"an answer\"}\n", error);
    if (code < 0)
        return code;
    return write_text(kit->folder, "graph.tsv",
                      "alpha\tholds\tone small text about a river\nbeta\tholds\talpha\n", error);
}

/* Can it be opened at all under these options? Otherwise there is nothing to try. */
static bool try_opening(struct kit *kit)
{
    kit_begin(kit, "open and close");
    struct error error = {0};
    struct instance *instance = kit_open(kit, &error);
    if (!instance) {
        kit_note(kit,
                 "not tried further: %s; %s, answer " CONFORMANCE_EXAMPLE " in extension() with "
                 "options that work",
                 error.text,
                 kit->guessed ? "the kit made its options up" : "it was opened with its defaults");
        return false;
    }
    struct instance *other = kit_open(kit, &error);
    if (!other)
        kit_fail(kit, "a second instance beside the first could not be opened: %s", error.text);
    kit_close(kit, instance);
    kit_close(kit, other);
    return true;
}

void conformance_trial(const struct registry *registry, const struct stage_type *type,
                       const char *folder, uint32_t job_ms, int out)
{
    /* A crash must reach the parent as the signal that it is, also where a sanitizer would turn it
     * into an exit status. */
    const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        signal(crashes[i], SIG_DFL);
    struct kit kit = {.type = type, .folder = folder, .job_ms = job_ms, .out = out};
    kit.services = (struct services){
        .loop = loop_create(2), .registry = registry, .report = report_create(), .seed = 7,
        .cancelled = &kit.cancelled, .log = stay_silent, .service = kit_service,
    };
    struct error error = {0};
    kit_begin(&kit, "options");
    if (make_files(&kit, &error) < 0 || kit_options(&kit, &error) < 0) {
        kit_fail(&kit, "%s", error.text);
    } else {
        kit_try_options(&kit);
        if (try_opening(&kit)) {
            switch (type->stage.kind) {
            case XY_GENERATOR: kit_try_generator(&kit); break;
            case XY_LEARNER: kit_try_learner(&kit); break;
            case XY_FORMAT: kit_try_format(&kit); break;
            default: kit_try_stream(&kit); break;
            }
        }
    }
    tell_text(&kit, '.', "%s", "");
}

void conformance_clean(const char *folder)
{
    DIR *entries = opendir(folder);
    while (entries) {
        const struct dirent *entry = readdir(entries);
        if (!entry)
            break;
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries)
        closedir(entries);
    rmdir(folder);
}
