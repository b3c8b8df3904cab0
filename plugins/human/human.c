/* SPDX-License-Identifier: Apache-2.0 */
/* human - records that a person has to look at go to a queue; the run pauses until answers are
 * there, and goes on with them. */
#include "human.h"

#define AT(member) offsetof(struct human, member)

/* The codebook as the model reads it, too. */
#define INSTRUCTIONS                                                                              \
    "{% if codebook is defined %}{% if codebook.task is defined %}{{ codebook.task }}\n"          \
    "{% endif %}{% if codebook.labels is defined and codebook.labels is mapping %}"               \
    "{% for label, meaning in codebook.labels.items() %}\n{{ label }}: {{ meaning }}"             \
    "{% endfor %}{% endif %}{% endif %}"

static const char labels_template[] =
    "{{ (codebook.labels | list | tojson) if codebook is defined and codebook.labels is defined "
    "else '[]' }}";

static const xy_option options[] = {
    {.name = "queue", .type = XY_OPT_PATH, .offset = AT(queue),
     .flags = XY_OPT_NEUTRAL,
     .help = "The file of what waits, one row for each record; rows keep their place and what "
             "people wrote into them when the run goes on. By default among the pipeline's runs, "
             "where the line that says that the run pauses tells."},
    {.name = "format", .type = XY_OPT_TEXT, .offset = AT(format),
     .help = "The queue's format, as in `label_studio`, where the file's ending does not tell."},
    {.name = "with", .type = XY_OPT_JSON, .offset = AT(format_options),
     .help = "Options of that format."},
    {.name = "answers", .type = XY_OPT_PATH, .offset = AT(answers),
     .flags = XY_OPT_NEUTRAL,
     .help = "A file with answers, or a folder of such files, one for each annotator, as another "
             "program wrote them; answers in the queue itself count too."},
    {.name = "answers_format", .type = XY_OPT_TEXT, .offset = AT(answers_format),
     .help = "The format of `answers`, where the ending does not tell."},
    {.name = "answers_with", .type = XY_OPT_JSON, .offset = AT(answers_options),
     .help = "Options of that format."},
    {.name = "only", .type = XY_OPT_EXPRESSION, .offset = AT(only),
     .help = "Which records need people, as in `vote_entropy > 0.5`; others pass by unchanged."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = AT(text), .def = "text",
     .help = "The text that is labelled, and that a `revision` takes the place of."},
    {.name = "show", .type = XY_OPT_LIST, .offset = AT(show),
     .help = "Fields that people see; by default the text alone."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label), .def = "label",
     .help = "The field that takes people's label, and has the model's before."},
    {.name = "suggestion", .type = XY_OPT_FIELD, .offset = AT(suggestion),
     .help = "The field with the model's suggestion, when it is not that of `label`."},
    {.name = "show_suggestion", .type = XY_OPT_TEXT, .offset = AT(show_suggestion), .def = "all",
     .choices = "all|half|none",
     .help = "Whether people see it; `half` draws for each record, so that agreement with and "
             "without it can be compared."},
    {.name = "before", .type = XY_OPT_FIELD, .offset = AT(before), .def = "model_label",
     .help = "The field that keeps the model's label."},
    {.name = "labels", .type = XY_OPT_LIST, .offset = AT(labels),
     .help = "The labels that people choose from; by default those of the codebook, and without "
             "any, any text."},
    {.name = "instructions", .type = XY_OPT_TEMPLATE, .offset = AT(instructions),
     .def = INSTRUCTIONS,
     .help = "What people are told; by default the codebook's task and what its labels mean."},
    {.name = "annotators", .type = XY_OPT_INT, .offset = AT(annotators), .def = "1", .low = 1,
     .high = 100, .help = "How many people have to answer for each record."},
    {.name = "rule", .type = XY_OPT_TEXT, .offset = AT(rule), .def = "majority",
     .choices = "majority|agree|first",
     .help = "What several answers come to: the most frequent, what all say, or the first."},
    {.name = "undecided", .type = XY_OPT_TEXT, .offset = AT(undecided), .def = "drop",
     .choices = "drop|wait",
     .help = "Where the rule decides nothing: the record is dropped, or the run waits for one more "
             "answer."},
    {.name = "wait", .type = XY_OPT_BOOL, .offset = AT(wait), .def = "true",
     .help = "Pauses the run while answers are missing; without, such records pass unchanged."},
    {0},
};

static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {
        HUMAN_ID, HUMAN_SUGGESTION, HUMAN_LABELS, HUMAN_INSTRUCTIONS, HUMAN_LABEL, HUMAN_ANNOTATOR,
        HUMAN_REVISION, HUMAN_DISCARD, HUMAN_TIME, HUMAN_SHOWN};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
        if (strcmp(reserved[i], name) == 0)
            return true;
    return false;
}

static int compile(struct human *human)
{
    char error[256];
    if (human->only) {
        human->only_compiled =
            human->expressions->compile(xy_text(human->only), error, sizeof(error));
        if (!human->only_compiled) {
            xy_log_line(human->host, XY_LOG_ERROR, "only: %s", error);
            return XY_EINVAL;
        }
    }
    human->instructions_compiled =
        human->templates->compile(xy_text(human->instructions), error, sizeof(error));
    if (human->instructions_compiled)
        human->labels_compiled =
            human->templates->compile(xy_text(labels_template), error, sizeof(error));
    if (!human->labels_compiled)
        xy_log_line(human->host, XY_LOG_ERROR, "instructions: %s", error);
    return human->labels_compiled ? XY_OK : XY_EINVAL;
}

static void close_human(void *state)
{
    struct human *human = state;
    if (human->only_compiled)
        human->expressions->release(human->only_compiled);
    if (human->instructions_compiled)
        human->templates->release(human->instructions_compiled);
    if (human->labels_compiled)
        human->templates->release(human->labels_compiled);
    human->only_compiled = human->instructions_compiled = human->labels_compiled = NULL;
}

static int open_human(void *state, const xy_host *host)
{
    struct human *human = state;
    human->host = host;
    human->files = host->service(host, XY_FILES);
    human->expressions = host->service(host, XY_EXPRESSION);
    human->templates = host->service(host, XY_TEMPLATE);
    human->rng = host->service(host, XY_RNG);
    human->store = host->service(host, XY_STORE);
    human->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    if (!human->files || !XY_HAS(human->files, xy_files, finish) || !human->expressions ||
        !human->templates || !human->rng)
        return XY_EUNSUPPORTED;
    for (size_t i = 0; human->show && human->show[i]; i++) {
        if (is_reserved(human->show[i])) {
            xy_log_line(host, XY_LOG_ERROR, "`show` has `%s`, which the queue uses for something "
                        "of its own: give the field another name with `set` before this step",
                        human->show[i]);
            return XY_EINVAL;
        }
    }
    if (!human->queue && !human->store) {
        xy_log_line(host, XY_LOG_ERROR, "name the file of the queue as `queue`: this host keeps no "
                    "files from run to run");
        return XY_EINVAL;
    }
    if (human->answers && human->queue && strcmp(human->answers, human->queue) == 0)
        human->answers = NULL; /* they are looked for there anyway */
    int code = compile(human);
    if (code < 0)
        close_human(human);
    return code;
}

/* ---- one run --------------------------------------------------------------------------------- */

static int pause_run(struct work *work, size_t waiting, size_t undecided)
{
    const struct human *human = work->human;
    char more[64] = "";
    if (undecided)
        snprintf(more, sizeof(more), ", %zu of them for one more answer", undecided);
    return xy_fail(work->job, XY_EPAUSED, "%zu of %u records wait for people%s: write `label` (or "
                   "`discard`) and `annotator` into the rows of %s%s%s", waiting,
                   work->keys.count, more, work->queue, human->answers ? ", or answers to " : "",
                   human->answers ? human->answers : "");
}

static int look(struct work *work)
{
    size_t waiting = 0, undecided = 0;
    for (uint32_t i = 0; i < work->keys.count; i++) {
        enum outcome outcome = work_judge(work, &work->items[i]).outcome;
        bool again = outcome == OUTCOME_UNDECIDED && work->human->undecided[0] == 'w';
        waiting += outcome == OUTCOME_WAITS || again;
        undecided += again;
    }
    return waiting && work->human->wait ? pause_run(work, waiting, undecided) : XY_OK;
}

static int work_on(struct work *work)
{
    int code = work_find_items(work);
    if (code < 0 || work->keys.count == 0)
        return code;
    code = work_read_answers(work);
    if (code == XY_OK)
        code = work_write_queue(work);
    if (code < 0)
        return code;
    work_report(work); /* also of what is there when the run pauses */
    code = look(work);
    return code < 0 ? code : work_apply(work);
}

/* A name whose ending says what is in it. */
static const char *find_queue(const struct human *human, xy_job *job)
{
    const char *format = human->format ? human->format : "jsonl";
    bool plain = strcmp(format, "jsonl") == 0 || strcmp(format, "csv") == 0;
    char name[32];
    snprintf(name, sizeof(name), "queue.%s", plain ? format : "json");
    return human->queue ? human->queue : human->store->path(job, name);
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    struct work work = {.human = state, .job = job, .input = input,
                        .count = (size_t)input->api->count(input)};
    work.queue = find_queue(state, job);
    if (!work.queue)
        return XY_EINVAL;
    int code = work_on(&work);
    if (code == XY_ENOMEM)
        xy_fail(job, code, "out of memory");
    names_free(&work.keys);
    names_free(&work.labels);
    names_free(&work.annotators);
    return code;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{queue: queue.jsonl}" : NULL;
}

static const char *const needs[] = {XY_FILES, XY_EXPRESSION, XY_TEMPLATE, XY_RNG, NULL};

static const xy_stage human_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct human),
    .id = "human",
    .version = "1.0.0",
    .summary = "Puts records into a queue for people, pauses the run, goes on with their answers",
    .needs = needs,
    .options = options,
    .open = open_human,
    .close = close_human,
    .run = run,
    .extension = extension,
    .fields = "reads `show`, `label`, `suggestion`; sets `label`, `before`, `text` (revised), "
              "`unrevised`, `answers`",
};

XY_PLUGIN_SINCE(1, "human", "1.0.0", "Apache-2.0", &human_stage)
