/* SPDX-License-Identifier: Apache-2.0 */
/* chunks - condition sources that cut documents, or the texts of records, into passages to write
 * from, each with the exact place that it was cut from. */
#include "chunks_files.h"
#include "chunks_record.h"

#include <math.h>

enum { AT_ONCE = 64 };

struct chunks {
    const char *path, *format_name, *password, *by_name, *within_name, *unreadable;
    const char *const *patterns;
    int64_t size, overlap, draw, smallest;
    const char *field, *document_field;
    struct record_fields fields;
    const xy_host *host;
    const xy_rng *rng;
    const xy_report *report;
    struct cut_options cut;
    enum format format;
    /* The source's place: the files, and the one that is being given out. */
    struct files files;
    size_t file, number;
    struct document document;
    struct places places;
    struct spans spans;
    struct text scratch;
    bool over;
    uint64_t made, bytes, empty, unread;
};

#define AT(member) offsetof(struct chunks, member)
#define UNITS "characters|words|sentences|paragraphs|headings|pages|lines|document"

#define CUT_OPTIONS                                                                               \
    {.name = "by", .type = XY_OPT_TEXT, .offset = AT(by_name), .def = "words", .choices = UNITS,  \
     .help = "What a chunk is made of: so many of these units, one after another."},              \
    {.name = "size", .type = XY_OPT_INT, .offset = AT(size), .def = "0", .low = 0, .high = 1e9,   \
     .help = "How many units a chunk has at most; 0: 1000 characters, 200 words, 8 sentences, 15 " \
             "lines, else 1."},                                                                   \
    {.name = "overlap", .type = XY_OPT_INT, .offset = AT(overlap), .def = "0", .low = 0,          \
     .high = 1e9, .help = "How many units of a chunk come again at the start of the next one."},  \
    {.name = "within", .type = XY_OPT_TEXT, .offset = AT(within_name), .def = "document",         \
     .choices = "document|headings|pages|paragraphs",                                             \
     .help = "What no chunk reaches across."},                                                    \
    {.name = "draw", .type = XY_OPT_INT, .offset = AT(draw), .def = "0", .low = 0, .high = 1e6,   \
     .help = "Draws so many chunks at random from each document in place of cutting all of it; "  \
             "each round of a refill draws others."},                                             \
    {.name = "smallest", .type = XY_OPT_INT, .offset = AT(smallest), .def = "1", .low = 1,        \
     .high = 1e9, .help = "draw: how many units a chunk has at least; its number of units is "    \
                          "drawn, too."},                                                         \
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(fields.text), .def = "text",              \
     .help = "The field set to the chunk."},                                                      \
    {.name = "title", .type = XY_OPT_FIELD, .offset = AT(fields.title), .def = "title",           \
     .help = "The field set to the titles of the headings that the chunk stands under."},         \
    {.name = "number", .type = XY_OPT_FIELD, .offset = AT(fields.number), .def = "chunk",         \
     .help = "The field set to the chunk's number in its document, from 0."},                     \
    {.name = "source", .type = XY_OPT_FIELD, .offset = AT(fields.source), .def = "source",        \
     .help = "The field set to the place of the chunk in the document's text: `start` and `end` " \
             "in characters, `start_byte` and `end_byte`, `line` and `end_line`, and in a PDF "   \
             "`page` and `end_page`."}

static const xy_option file_options[] = {
    {.name = "path", .type = XY_OPT_PATH, .offset = AT(path), .flags = XY_OPT_REQUIRED,
     .help = "A document, or a folder of documents with its folders."},
    {.name = "files", .type = XY_OPT_LIST, .offset = AT(patterns),
     .help = "Patterns, as `*.md` or `src/*.c`, of the files of the folder to read; all but "
             "hidden ones when not given."},
    {.name = "format", .type = XY_OPT_TEXT, .offset = AT(format_name), .def = "auto",
     .choices = "auto|text|markdown|html|pdf",
     .help = "What the files are; auto goes by their endings and takes unknown ones as text."},
    {.name = "password", .type = XY_OPT_TEXT, .offset = AT(password), .flags = XY_OPT_SECRET,
     .help = "The password of encrypted PDF files; best from ${NAME}."},
    {.name = "unreadable", .type = XY_OPT_TEXT, .offset = AT(unreadable), .def = "fail",
     .choices = "fail|skip",
     .help = "What a document that cannot be read does: end the run, or be left out with a line "
             "in the log and counted as `unreadable`."},
    CUT_OPTIONS,
    {.name = "document", .type = XY_OPT_FIELD, .offset = AT(document_field), .def = "document",
     .help = "The field set to the document's path below `path`."},
    {0},
};

static const xy_option field_options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(field), .def = "text",
     .help = "The field of each record to cut."},
    {.name = "format", .type = XY_OPT_TEXT, .offset = AT(format_name), .def = "text",
     .choices = "text|markdown|html", .help = "What the field holds."},
    CUT_OPTIONS,
    {0},
};

/* ---- options --------------------------------------------------------------------------------- */

/* The name's place among the choices. */
static size_t choice(const char *choices, const char *name)
{
    size_t place = 0, length = strlen(name);
    while (strncmp(choices, name, length) != 0 || (choices[length] && choices[length] != '|')) {
        const char *bar = strchr(choices, '|');
        if (!bar)
            return place;
        choices = bar + 1;
        place++;
    }
    return place;
}

static enum unit unit_of(const char *name)
{
    static const enum unit units[] = {UNIT_CHARACTERS, UNIT_WORDS, UNIT_SENTENCES,
                                      UNIT_PARAGRAPHS, UNIT_HEADINGS, UNIT_PAGES,
                                      UNIT_LINES, UNIT_DOCUMENT};
    return units[choice(UNITS, name)];
}

static void settle_options(struct chunks *chunks)
{
    static const size_t sizes[UNIT_COUNT] = {1, 1000, 200, 8, 1, 1, 1, 15};
    struct cut_options *cut = &chunks->cut;
    cut->by = unit_of(chunks->by_name);
    cut->within = unit_of(chunks->within_name);
    cut->size = chunks->size ? (size_t)chunks->size : sizes[cut->by];
    cut->overlap = (size_t)chunks->overlap;
    cut->draw = (size_t)chunks->draw;
    cut->smallest = (size_t)chunks->smallest;
    chunks->format = (enum format)choice("auto|text|markdown|html|pdf", chunks->format_name);
}

static int refuse(const struct chunks *chunks, const char *what)
{
    xy_log_line(chunks->host, XY_LOG_ERROR, "%s", what);
    return XY_EINVAL;
}

static int open_chunks(void *state, const xy_host *host)
{
    struct chunks *chunks = state;
    chunks->host = host;
    chunks->rng = host->service(host, XY_RNG);
    chunks->report = host->service(host, XY_REPORT);
    settle_options(chunks);
    const struct cut_options *cut = &chunks->cut;
    if (!chunks->rng)
        return XY_EUNSUPPORTED;
    if (cut->overlap >= cut->size)
        return refuse(chunks, "`overlap` must be less than `size`, or no chunk has anything new");
    if (cut->smallest > cut->size)
        return refuse(chunks, "`smallest` must not be more than `size`");
    if (cut->draw && cut->overlap)
        return refuse(chunks, "`overlap` is for cutting: what `draw` draws overlaps by chance");
    if (cut->draw && cut->by == UNIT_CHARACTERS)
        return refuse(chunks, "`draw` does not draw characters: give `by: words`, or another unit");
    return XY_OK;
}

static void close_chunks(void *state)
{
    struct chunks *chunks = state;
    files_free(&chunks->files);
    document_free(&chunks->document);
    places_free(&chunks->places);
    spans_free(&chunks->spans);
    text_free(&chunks->scratch);
}

/* ---- documents ------------------------------------------------------------------------------- */

static int prepare(void *state, xy_job *job)
{
    struct chunks *chunks = state;
    char why[DOCUMENT_WHY];
    /* A document has its chunks once: asked again, only a draw has more to give. */
    chunks->over = job->api->round(job) > 0 && !chunks->cut.draw;
    int code = chunks->over ? XY_OK
                            : files_list(&chunks->files, chunks->path, chunks->patterns, why);
    return code < 0 ? xy_fail(job, code, "%s", why) : XY_OK;
}

static void say(const struct chunks *chunks, xy_job *job, const char *name, double value,
                const char *unit, const char *help)
{
    xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = NAN, .high = NAN,
                      .unit = unit, .help = help};
    chunks->report->score(job, &score);
}

static void finish_report(const struct chunks *chunks, xy_job *job)
{
    if (!chunks->report)
        return;
    say(chunks, job, "documents", (double)chunks->files.count, "", "documents found");
    say(chunks, job, "chunks", (double)chunks->made, "", "chunks made of them");
    say(chunks, job, "mean_length",
        chunks->made ? (double)chunks->bytes / (double)chunks->made : 0, "bytes",
        "mean length of a chunk");
    say(chunks, job, "empty", (double)chunks->empty, "", "documents without any text");
    say(chunks, job, "unreadable", (double)chunks->unread, "",
        "documents left out since they cannot be read");
}

/* Cuts the document that was read; what is there to give out stands in `spans` then. */
static int cut(struct chunks *chunks, xy_job *job, const xy_record *record, uint64_t salt)
{
    uint64_t random = chunks->rng->stream(job, record, salt);
    chunks->spans.count = chunks->number = 0;
    cut_document(&chunks->document, &chunks->cut, &random, &chunks->spans);
    places_free(&chunks->places);
    if (chunks->spans.failed || !places_init(&chunks->places, &chunks->document))
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return XY_OK;
}

static int next_document(struct chunks *chunks, xy_job *job)
{
    char why[DOCUMENT_WHY];
    size_t index = chunks->file++;
    const struct file *file = &chunks->files.items[index];
    chunks->spans.count = chunks->number = 0;
    int code = document_read(&chunks->document, file->path, file->name, chunks->format,
                             chunks->password, why);
    if (code < 0 && code != XY_ENOMEM && strcmp(chunks->unreadable, "skip") == 0) {
        xy_log_line(chunks->host, XY_LOG_WARNING, "left out: %s", why);
        chunks->unread++;
        return XY_OK;
    }
    if (code < 0)
        return xy_fail(job, code, "%s", why);
    code = cut(chunks, job, NULL, index);
    if (code == XY_OK && chunks->spans.count == 0) {
        chunks->empty++;
        xy_log_line(chunks->host, XY_LOG_WARNING, "`%s` has no text%s", file->name,
                    chunks->document.page_count ? ": is it a scan? Recognise its text first, as "
                                                  "with `ocrmypdf`" : "");
    }
    return code;
}

static int emit(struct chunks *chunks, xy_job *job, const xy_record *parent, const char *name)
{
    size_t number = chunks->number++;
    struct span span = chunks->spans.items[number];
    xy_record *record = job->api->new_record(job, parent);
    int code = record ? XY_OK : XY_ENOMEM;
    if (code == XY_OK && name)
        code = xy_record_set_text(record, chunks->document_field, xy_text(name));
    if (code >= 0)
        code = record_fill(record, &chunks->fields, &chunks->document, &chunks->places, span,
                           number, &chunks->scratch);
    if (code >= 0)
        code = job->api->emit(job, record);
    chunks->made++;
    chunks->bytes += span.to - span.from;
    if (code < 0)
        return xy_fail(job, code, "chunk %zu of `%s` cannot be set: is its name UTF-8?", number,
                       name ? name : chunks->field);
    return XY_OK;
}

static int process_files(void *state, xy_job *job)
{
    struct chunks *chunks = state;
    size_t given = 0;
    while (!chunks->over && given < AT_ONCE) {
        int code = XY_OK;
        if (job->api->cancelled(job))
            return XY_ECANCELED;
        if (chunks->number < chunks->spans.count) {
            code = emit(chunks, job, NULL, chunks->files.items[chunks->file - 1].name);
            given++;
        } else if (chunks->file < chunks->files.count) {
            code = next_document(chunks, job);
        } else {
            chunks->over = true;
            finish_report(chunks, job);
        }
        if (code < 0)
            return code;
    }
    return chunks->over ? XY_END : XY_CONSUMED;
}

/* ---- fields of records ----------------------------------------------------------------------- */

static int process_field(void *state, xy_job *job)
{
    struct chunks *chunks = state;
    char why[DOCUMENT_WHY];
    xy_record *record = job->api->input(job, 0);
    xy_str text = xy_record_text(record, chunks->field);
    if (text.len == 0)
        return xy_drop(job, "the field `%s` is missing, empty or no text: there is nothing to cut",
                       chunks->field);
    int code = document_take(&chunks->document, text, chunks->field, chunks->format, why);
    if (code < 0)
        return xy_fail(job, code, "%s", why);
    code = cut(chunks, job, record, 0);
    if (code == XY_OK && chunks->spans.count == 0)
        return xy_drop(job, "the field `%s` has no text but white space or markup", chunks->field);
    /* The chunks are copies of the record: without the whole text in each, which they replace. */
    if (code == XY_OK)
        record->api->set(record, chunks->field, &(xy_value){.type = XY_NULL});
    while (code >= 0 && chunks->number < chunks->spans.count)
        code = emit(chunks, job, record, NULL);
    return code < 0 ? code : XY_CONSUMED;
}

/* ---- the plugin ------------------------------------------------------------------------------ */

/* Counts what a run would make, from the documents themselves; those after the first 16 MiB count
 * as the ones before them. */
static int64_t estimate(const void *state)
{
    struct chunks trial = *(const struct chunks *)state;
    char why[DOCUMENT_WHY];
    uint64_t random = 0;
    size_t bytes = 0, done = 0;
    settle_options(&trial);
    if (trial.cut.overlap >= trial.cut.size || trial.cut.smallest > trial.cut.size ||
        files_list(&trial.files, trial.path, trial.patterns, why) < 0)
        return files_free(&trial.files), -1;
    for (; done < trial.files.count && bytes < (16 << 20); done++) {
        const struct file *file = &trial.files.items[done];
        if (document_read(&trial.document, file->path, file->name, trial.format, trial.password,
                          why) < 0)
            continue;
        cut_document(&trial.document, &trial.cut, &random, &trial.spans);
        bytes += trial.document.text.length;
    }
    double share = (double)done / (double)trial.files.count;
    int64_t made = (int64_t)((double)trial.spans.count / share + 0.5);
    files_free(&trial.files);
    document_free(&trial.document);
    spans_free(&trial.spans);
    return made;
}

/* Options to try them with, for `xylem test-plugin`. */
static const void *file_example(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{path: records.jsonl, by: words, size: 3}" : NULL;
}

static const void *field_example(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{by: words, size: 100000}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

static const xy_stage chunks_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_SOURCE | XY_STAGE_NO_INPUT,
    .state_size = sizeof(struct chunks),
    .id = "chunks",
    .version = "1.0.0",
    .summary =
        "Reads documents (text, Markdown, HTML, PDF, source code) and cuts them into passages",
    .needs = needs,
    .options = file_options,
    .open = open_chunks,
    .prepare = prepare,
    .close = close_chunks,
    .process = process_files,
    .estimate = estimate,
    .extension = file_example,
    .fields = "sets `into`, `document`, `title`, `number` and `source`",
};

static const xy_stage field_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU,
    .state_size = sizeof(struct chunks),
    .id = "chunks.field",
    .version = "1.0.0",
    .summary = "Cuts a text field of each record into passages, a record for each",
    .needs = needs,
    .options = field_options,
    .open = open_chunks,
    .close = close_chunks,
    .process = process_field,
    .extension = field_example,
    .fields = "reads `field`, sets `into`, `title`, `number` and `source`",
};

XY_PLUGIN("chunks", "1.0.0", "Apache-2.0", &chunks_stage, &field_stage)
