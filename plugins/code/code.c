/* SPDX-License-Identifier: Apache-2.0 */
/* code - runs a program that a model wrote, in a sandbox; a tool, and the judge of exercises. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "sandbox.h"

struct code {
    const char *code, *tests, *input, *expected, *result, *file, *isolation;
    const char *const *command;
    const char *const *mounts;
    int64_t memory, disk, output, processes;
    double timeout;
    int32_t drop_failed;
    /* Worked out by open() and prepare(). */
    const xy_host *host;
    struct sandbox sandbox;
};

#define AT(member) offsetof(struct code, member)

static const xy_option options[] = {
    {"code", XY_OPT_FIELD, AT(code), "code", 0, 0, 0, NULL, "The field with the program's text."},
    {"tests", XY_OPT_FIELD, AT(tests), NULL, 0, 0, 0, NULL,
     "A field with further lines that are put below the program, such as its tests."},
    {"input", XY_OPT_FIELD, AT(input), NULL, 0, 0, 0, NULL,
     "A field whose text the program reads as its standard input; none when left out."},
    {"expected", XY_OPT_FIELD, AT(expected), NULL, 0, 0, 0, NULL,
     "A field with the output that is expected, without the spaces around it; the record is "
     "dropped when the program prints something else."},
    {"result", XY_OPT_FIELD, AT(result), "result", 0, 0, 0, NULL,
     "The field for {\"exit\", \"stdout\", \"stderr\"}."},
    {"drop_failed", XY_OPT_BOOL, AT(drop_failed), "false", 0, 0, 0, NULL,
     "Drops records whose program ends with another exit code than 0."},
    {"command", XY_OPT_LIST, AT(command), "python3", 0, 0, 0, NULL,
     "The interpreter, called with the name of the code's file."},
    {"file", XY_OPT_TEXT, AT(file), "main.py", 0, 0, 0, NULL, "The name of the code's file."},
    {"isolation", XY_OPT_TEXT, AT(isolation), "bubblewrap", 0, 0, 0, "bubblewrap|none",
     "bubblewrap: no network, no files but /usr and an empty folder; none: the program runs as "
     "you, with limits only, and may do whatever you may."},
    {"mounts", XY_OPT_LIST, AT(mounts), NULL, 0, 0, 0, NULL,
     "Further folders that the program may read, such as an interpreter's."},
    {"timeout", XY_OPT_SECONDS, AT(timeout), "10s", 0, 0.01, 3600, NULL, "Longest time."},
    {"memory", XY_OPT_INT, AT(memory), "536870912", 0, 1 << 20, 1e15, NULL,
     "Most bytes of address space of each process."},
    {"disk", XY_OPT_INT, AT(disk), "67108864", 0, 4096, 1e15, NULL,
     "Most bytes in its folder, and in one file."},
    {"output", XY_OPT_INT, AT(output), "65536", 0, 16, 1 << 24, NULL,
     "Most bytes that it may print, on standard output and on standard error."},
    {"processes", XY_OPT_INT, AT(processes), "16", 0, 1, 10000, NULL,
     "Most processes and threads."},
    {0},
};

static int code_open(void *state, const xy_host *host)
{
    struct code *code = state;
    code->host = host;
    if (strchr(code->file, '/') || !*code->file) {
        xy_log_line(host, XY_LOG_ERROR, "`file` is a name without folders, found `%s`",
                    code->file);
        return XY_EINVAL;
    }
    code->sandbox = (struct sandbox){
        .command = code->command, .mounts = code->mounts, .file = code->file,
        .isolated = strcmp(code->isolation, "none") != 0, .memory = code->memory,
        .disk = code->disk, .processes = code->processes, .seconds = code->timeout};
    return XY_OK;
}

static int prepare(void *state, xy_job *job)
{
    struct code *code = state;
    char why[256] = "";
    if (!code->command || !code->command[0])
        return xy_fail(job, XY_EINVAL, "`command` is empty");
    int answer = sandbox_probe(&code->sandbox, why, sizeof(why));
    if (answer < 0 && code->sandbox.isolated)
        return xy_fail(job, answer,
                       "no sandbox, so no program is run: %s (install bubblewrap and allow user "
                       "namespaces; or write `isolation: none`, which protects nothing)", why);
    if (answer < 0)
        return xy_fail(job, answer, "no program can be run: %s", why);
    if (!code->sandbox.isolated)
        xy_log_line(code->host, XY_LOG_WARNING,
                    "isolation: none: programs that a model wrote run with all of your rights");
    return XY_OK;
}

/* ---- one program ----------------------------------------------------------------------------- */

static int is_cancelled(void *job)
{
    return ((xy_job *)job)->api->cancelled(job);
}

/* The length of the well-formed UTF-8 sequence at `at`, or 0. */
static size_t sequence_length(const char *at, const char *end)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)*at;
    if (first < 0x80)
        return 1;
    size_t length = (first & 0xe0) == 0xc0 ? 2 : (first & 0xf0) == 0xe0 ? 3 : 4;
    uint32_t point = first & (0xffu >> (length + 1));
    if (first < 0xc2 || first > 0xf4 || (size_t)(end - at) < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | ((unsigned char)at[i] & 0x3f);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point >= least[length] && point <= 0x10ffff && !surrogate ? length : 0;
}

/* Bytes that are no UTF-8 become question marks: a record's text is valid. */
static void add_valid(struct text *out, const struct text *bytes)
{
    text_add(out, bytes->length ? bytes->bytes : "", bytes->length);
    for (size_t at = 0; at < out->length && !out->failed;) {
        size_t length = sequence_length(out->bytes + at, out->bytes + out->length);
        if (!length)
            out->bytes[at] = '?';
        at += length ? length : 1;
    }
}

static void add_member(struct text *json, const char *name, const struct text *bytes)
{
    struct text valid = {0};
    add_valid(&valid, bytes);
    text_add_literal(json, name);
    text_add_json(json, (xy_str){valid.length ? valid.bytes : "", valid.length});
    json->failed = json->failed || valid.failed;
    text_free(&valid);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static xy_str trimmed(xy_str text)
{
    while (text.len && is_space(text.ptr[0]))
        text.ptr++, text.len--;
    while (text.len && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static int check(const struct code *code, xy_job *job, const struct program *program)
{
    if (code->drop_failed && program->status != 0) {
        xy_str errors = trimmed((xy_str){program->errors.bytes, program->errors.length});
        size_t start = errors.len; /* the last line, where an exception is named */
        while (start > 0 && errors.ptr[start - 1] != '\n')
            start--;
        return xy_drop(job, "the program ended with exit code %d: %.*s", program->status,
                       (int)(errors.len - start < 200 ? errors.len - start : 200),
                       errors.len ? errors.ptr + start : "");
    }
    if (!code->expected)
        return XY_OK;
    xy_str expected = trimmed(xy_get(job, code->expected));
    xy_str got = trimmed((xy_str){program->output.bytes, program->output.length});
    if (expected.len == got.len && (!got.len || memcmp(expected.ptr, got.ptr, got.len) == 0))
        return XY_OK;
    return xy_drop(job, "the program printed something else than `%.100s`", code->expected);
}

static int take(const struct code *code, xy_job *job, const struct program *program)
{
    switch (program->end) {
    case PROGRAM_LATE: return xy_drop(job, "no end within %g s", code->timeout);
    case PROGRAM_LOUD:
        return xy_drop(job, "it printed more than %lld bytes", (long long)code->output);
    case PROGRAM_CANCELLED: return XY_ECANCELED;
    case PROGRAM_FAILED:
        return xy_fail(job, XY_EIO, "it could not be started: %s", strerror(program->status));
    default: break;
    }
    struct text json = {0};
    char exit[32];
    snprintf(exit, sizeof(exit), "{\"exit\":%d", program->status);
    text_add_literal(&json, exit);
    add_member(&json, ",\"stdout\":", &program->output);
    add_member(&json, ",\"stderr\":", &program->errors);
    text_add_literal(&json, "}");
    int answer = json.failed ? XY_ENOMEM
                             : xy_record_set_json(job->api->input(job, 0), code->result,
                                                  (xy_str){json.bytes, json.length});
    text_free(&json);
    return answer < 0 ? answer : check(code, job, program);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

/* Without isolation the file lies in a folder of its own, for as long as the program runs. */
static bool make_folder(const struct code *code, char folder[64], const struct text *text)
{
    char path[400];
    snprintf(folder, 64, P_tmpdir "/xylem-code-XXXXXX");
    if (!mkdtemp(folder))
        return false;
    snprintf(path, sizeof(path), "%s/%.255s", folder, code->file);
    FILE *file = fopen(path, "wbx");
    bool written = file && fwrite(text->bytes, 1, text->length, file) == text->length;
    return file && fclose(file) == 0 && written;
}

static int run(const struct code *code, xy_job *job, const struct text *text)
{
    const char *command[SANDBOX_ARGUMENTS];
    struct sandbox_line line;
    char folder[64] = "";
    size_t count = 0;
    bool isolated = code->sandbox.isolated;
    xy_str input = code->input ? xy_get(job, code->input) : (xy_str){"", 0};
    for (; code->command[count] && count + 2 < SANDBOX_ARGUMENTS; count++)
        command[count] = code->command[count];
    command[count++] = code->file;
    command[count] = NULL;
    sandbox_line(&code->sandbox, command, &line);
    struct program program = {
        .arguments = line.arguments, .seconds = code->timeout, .cancelled = is_cancelled,
        .data = job, .most_output = (size_t)code->output,
        .input = program_file(input.ptr, input.len),
        .file = isolated ? program_file(text->bytes, text->length) : -1};
    bool ready = program.input >= 0 && !line.full &&
                 (isolated ? program.file >= 0 : make_folder(code, folder, text));
    program.folder = isolated ? NULL : folder;
    int answer = ready ? XY_OK : xy_fail(job, XY_EIO, "the program's files could not be made");
    if (ready) {
        program_run(&program);
        answer = take(code, job, &program);
    }
    if (*folder)
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (program.input >= 0)
        close(program.input);
    if (program.file >= 0)
        close(program.file);
    text_free(&program.output);
    text_free(&program.errors);
    return answer;
}

static int process(void *state, xy_job *job)
{
    const struct code *code = state;
    xy_str program = xy_get(job, code->code);
    struct text text = {0};
    if (!program.ptr)
        return xy_drop(job, "there is no text in `%.100s`", code->code);
    text_add_str(&text, program);
    text_add_literal(&text, "\n");
    if (code->tests) {
        text_add_str(&text, xy_get(job, code->tests));
        text_add_literal(&text, "\n");
    }
    int answer = text.failed ? XY_ENOMEM : run(code, job, &text);
    text_free(&text);
    return answer;
}

static const void *extension(const char *id)
{
    static const xy_tool tool = {
        .size = sizeof(tool),
        .description = "Runs a Python program in a sandbox without network and gives its exit code "
                       "and what it printed.",
        .parameters = "{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"string\"}},"
                      "\"required\":[\"code\"],\"additionalProperties\":false}",
        .result = "result",
    };
    if (strcmp(id, XY_TOOL) == 0)
        return &tool;
    /* The conformance kit's texts are no programs: a command that reads none. */
    return strcmp(id, "xylem.example/1") == 0 ? "{ isolation: none, command: [\"true\"] }" : NULL;
}

static const xy_stage code_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct code),
    .id = "code",
    .version = "1.0.0",
    .summary = "Runs a program in a sandbox, with limits on time, memory and output; a tool",
    .options = options,
    .open = code_open,
    .prepare = prepare,
    .process = process,
    .extension = extension,
    .fields = "reads `code`, `tests`, `input` and `expected`; sets `result`",
};

XY_PLUGIN_SINCE(1, "code", "1.0.0", "Apache-2.0", &code_stage)
