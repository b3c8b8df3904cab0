/* SPDX-License-Identifier: Apache-2.0 */
/* tool_search - finds a sequence of calls of tools that solves a task, by depth-first search with
 * going back (DFSDT: Qin et al. 2023, "ToolLLM", section 2.3): at each node the model says the next
 * call; a call that fails, and a node that the model gives up, lead back to where something else
 * can be tried, and the model is told what was tried there. */
#include <stdlib.h>

#include "prompt.h"
#include "excerpt.h"
#include "tree.h"

enum { RESULT_SHOWN = 16384 };

struct tool_search {
    const xy_model *model;
    const char *prompt, *task, *answer, *conversation;
    const char *const *names;
    int64_t depth, branches, nodes, max_tokens;
    double temperature;
    /* Of open() and prepare(). */
    const xy_host *host;
    const xy_model_service *models;
    const xy_tools *tools;
    const xy_template *templates;
    const xy_rng *random;
    const xy_report *report;
    void *compiled;
    const char *block;           /* what is said of the tools, below the prompt */
    const char *list;            /* the tools as OpenAI's chat format declares them */
    xy_str schema;               /* of a message */
    uint64_t solved, ended;
};

#define AT(member) offsetof(struct tool_search, member)

static const xy_option options[] = {
    {"model", XY_OPT_MODEL, AT(model), NULL, XY_OPT_REQUIRED, 0, 0, NULL,
     "The model that says the next call."},
    {"prompt", XY_OPT_TEMPLATE, AT(prompt), NULL, XY_OPT_REQUIRED, 0, 0, NULL,
     "The system message; how to call, and the tools, are described below it."},
    {"task", XY_OPT_FIELD, AT(task), "instruction", 0, 0, 0, NULL, "The field with the task."},
    {"tools", XY_OPT_LIST, AT(names), NULL, 0, 0, 0, NULL,
     "Names under the file's `tools:`; all of them when left out."},
    {"answer", XY_OPT_FIELD, AT(answer), "answer", 0, 0, 0, NULL, "The field for the answer."},
    {"conversation", XY_OPT_FIELD, AT(conversation), NULL, 0, 0, 0, NULL,
     "A field for the successful path in OpenAI's chat format; `tools` then takes the tools."},
    {"depth", XY_OPT_INT, AT(depth), "8", 0, 1, 100, NULL, "Most calls on one path."},
    {"branches", XY_OPT_INT, AT(branches), "2", 0, 1, 100, NULL,
     "How often the model is asked at one node for something else."},
    {"nodes", XY_OPT_INT, AT(nodes), "24", 0, 1, 10000, NULL,
     "Most messages of the model for one task."},
    {"temperature", XY_OPT_NUMBER, AT(temperature), "1", 0, 0, 100, NULL,
     "Of the model's messages."},
    {"max_tokens", XY_OPT_INT, AT(max_tokens), "512", 0, 1, 1 << 20, NULL,
     "Longest message of the model."},
    {0},
};

/* One task's way through its tree; in the job's memory. */
struct search {
    struct tool_search *stage;
    xy_job *job;
    xy_str system, task;
    struct node *node;      /* where the model is asked next */
    struct move move;       /* the one that is being made */
    struct text tried;      /* everything that led nowhere */
    uint64_t random;
    int64_t asked;
};

/* ---- the end --------------------------------------------------------------------------------- */

static void report_rate(const struct tool_search *stage, xy_job *job)
{
    if (!stage->report)
        return;
    stage->report->score(job, &(xy_score){
        .size = sizeof(xy_score), .name = "pass_rate", .n = stage->ended, .unit = "share",
        .value = (double)stage->solved / (double)stage->ended, .low = __builtin_nan(""),
        .high = __builtin_nan(""), .help = "tasks that the search solved"});
}

static void set_json(struct search *search, const char *field, const struct text *json)
{
    xy_record *record = search->job->api->input(search->job, 0);
    if (!json->failed)
        xy_record_set_json(record, field, (xy_str){json->bytes, json->length});
}

static void set_lists(struct search *search)
{
    struct text list = {0};
    tree_write_path(search->node, &list);
    set_json(search, "tool_calls", &list);
    text_clear(&list);
    text_add_literal(&list, "[");
    text_add(&list, search->tried.length ? search->tried.bytes : "", search->tried.length);
    text_add_literal(&list, "]");
    set_json(search, "tried", &list);
    text_free(&list);
}

static void end(struct search *search, int verdict)
{
    struct tool_search *stage = search->stage;
    xy_job *job = search->job;
    if (verdict == XY_OK || verdict == XY_DROP) {
        stage->ended++;
        stage->solved += verdict == XY_OK;
        set_lists(search);
        xy_record_set_int(job->api->input(job, 0), "search_nodes", search->asked);
        report_rate(stage, job);
    }
    tree_forget(search->node);
    text_free(&search->tried);
    job->api->finish(job, verdict);
}

static void solved(struct search *search)
{
    const struct tool_search *stage = search->stage;
    xy_record *record = search->job->api->input(search->job, 0);
    if (xy_record_set_text(record, stage->answer, search->move.text) < 0) {
        end(search, xy_drop(search->job, "the answer cannot be kept"));
        return;
    }
    if (stage->conversation) {
        struct text chat = {0};
        tree_write_chat(search->node, search->system, search->task, search->move.text, &chat);
        set_json(search, stage->conversation, &chat);
        text_free(&chat);
        xy_record_set_json(record, "tools", xy_text(stage->list));
    }
    end(search, XY_OK);
}

/* ---- forward and back ------------------------------------------------------------------------ */

static void ask(struct search *search);

/* The nearest node, from here upwards, where something else may be tried. */
static void go_on(struct search *search)
{
    const struct tool_search *stage = search->stage;
    while (search->node->parent && search->node->children >= (uint32_t)stage->branches) {
        struct node *dead = search->node;
        struct move move = {.said = SAID_CALL, .tool = dead->tool, .arguments = dead->arguments};
        search->node = dead->parent;
        tree_note(search->node, &move, xy_text("nothing after it led to an answer"),
                  &search->tried);
        text_free(&dead->tried);
    }
    if (search->node->children >= (uint32_t)stage->branches)
        end(search, xy_drop(search->job, "no answer: every branch was tried (%lld messages)",
                            (long long)search->asked));
    else
        ask(search);
}

static void lead_nowhere(struct search *search, xy_str why)
{
    tree_note(search->node, &search->move, why, &search->tried);
    go_on(search);
}

static xy_str shown(xy_str result)
{
    return (xy_str){result.ptr, (size_t)excerpt_length(result, RESULT_SHOWN)};
}

static void called(xy_job *job, void *user, const xy_tool_reply *reply)
{
    struct search *search = user;
    if (reply->status == XY_ECANCELED || reply->status == XY_EBUG) {
        end(search, xy_say(job, reply->status, "%.*s",
                           (int)(reply->result.len < 400 ? reply->result.len : 400),
                           reply->result.ptr));
    } else if (reply->status != XY_OK) {
        lead_nowhere(search, shown(reply->result));
    } else {
        search->node = tree_child(job, search->node, &search->move, shown(reply->result));
        go_on(search);
    }
}

/* The model has no way on from here: the node is left for good. */
static void give_up(struct search *search)
{
    tree_note(search->node, &search->move, search->move.text, &search->tried);
    search->node->children = UINT32_MAX;
    go_on(search);
}

static bool is_ours(const struct tool_search *stage, xy_str name)
{
    for (const char *const *ours = stage->names; ours && *ours; ours++) {
        if (strlen(*ours) == name.len && memcmp(*ours, name.ptr, name.len) == 0)
            return true;
    }
    return !stage->names;
}

static void make_move(struct search *search)
{
    const struct tool_search *stage = search->stage;
    const struct move *move = &search->move;
    if (move->said == SAID_ANSWER) {
        solved(search);
    } else if (move->said == SAID_GIVE_UP) {
        give_up(search);
    } else if (move->said == SAID_NOTHING) {
        lead_nowhere(search, xy_text("the message was no call, no answer and no giving up"));
    } else if (search->node->depth >= (uint32_t)stage->depth) {
        lead_nowhere(search, xy_text("the path has the most calls that it may have"));
    } else if (!is_ours(stage, move->tool)) {
        lead_nowhere(search, xy_text("there is no tool of that name"));
    } else {
        int code = stage->tools->call(search->job, move->tool.ptr, move->arguments, called, search);
        if (code < 0)
            end(search, code);
    }
}

static void answered(xy_job *job, void *user, const xy_reply *reply)
{
    struct search *search = user;
    if (reply->status < 0) {
        end(search, xy_say(job, reply->status, "%s", reply->error ? reply->error
                                                                  : "the model failed"));
        return;
    }
    tree_read(job, reply->text, &search->move);
    make_move(search);
}

static void ask(struct search *search)
{
    const struct tool_search *stage = search->stage;
    xy_request request = {.size = sizeof(request), .operation = XY_COMPLETE, .top_p = -1,
                          .temperature = stage->temperature, .json_schema = stage->schema,
                          .max_tokens = (uint32_t)stage->max_tokens};
    if (search->asked >= stage->nodes) {
        end(search, xy_drop(search->job, "no answer within %lld messages of the model",
                            (long long)stage->nodes));
        return;
    }
    search->asked++;
    search->node->children++;
    request.messages = tree_messages(search->job, search->node, search->system, search->task,
                                     &request.message_count);
    request.seed = xy_random_next(&search->random);
    int code = stage->models->submit(search->job, stage->model, &request, answered, search, NULL);
    if (code < 0)
        end(search, xy_say(search->job, code, "the model would not take the request"));
}

static int process(void *state, xy_job *job)
{
    struct tool_search *stage = state;
    xy_record *record = job->api->input(job, 0);
    xy_str task = xy_get(job, stage->task), prompt;
    if (!task.len)
        return xy_drop(job, "there is no task in `%.100s`", stage->task);
    int code = stage->templates->render(job, stage->compiled, record, &prompt);
    if (code < 0)
        return code;
    struct search *search = job->api->alloc(job, sizeof(*search));
    size_t length = prompt.len + strlen(stage->block);
    char *system = job->api->alloc(job, length + 1);
    memcpy(system, prompt.ptr, prompt.len);
    memcpy(system + prompt.len, stage->block, strlen(stage->block));
    char *copy = job->api->alloc(job, task.len + 1); /* the field may be set while it is needed */
    memcpy(copy, task.ptr, task.len);
    *search = (struct search){.stage = stage, .job = job, .system = {system, length},
                              .task = {copy, task.len}, .node = tree_root(job),
                              .random = stage->random->stream(job, record, 0)};
    ask(search);
    return XY_PENDING;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int search_open(void *state, const xy_host *host)
{
    struct tool_search *stage = state;
    char why[256];
    stage->host = host;
    stage->models = host->service(host, XY_MODEL);
    stage->tools = host->service(host, XY_TOOLS);
    stage->templates = host->service(host, XY_TEMPLATE);
    stage->random = host->service(host, XY_RNG);
    stage->report = host->service(host, XY_REPORT);
    if (!(stage->models->can(stage->model) & XY_COMPLETE)) {
        xy_log_line(host, XY_LOG_ERROR, "the model cannot complete prompts");
        return XY_EUNSUPPORTED;
    }
    stage->compiled = stage->templates->compile(xy_text(stage->prompt), why, sizeof(why));
    if (stage->compiled)
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "`prompt`: %s", why);
    return XY_EINVAL;
}

static void search_close(void *state)
{
    struct tool_search *stage = state;
    if (stage->compiled)
        stage->templates->release(stage->compiled);
    stage->compiled = NULL;
}

/* What is said of the tools is the same for all tasks. */
static int prepare(void *state, xy_job *job)
{
    struct tool_search *stage = state;
    struct text text = {0};
    xy_str tools;
    int code = stage->tools->describe(job, stage->names, &tools);
    if (code < 0)
        return code;
    tools = json_check(tools);
    if (json_count(tools) == 0)
        return xy_fail(job, XY_EINVAL, "the file has no `tools:`");
    prompt_write_schema(&text, tools);
    stage->schema = xy_text(prompt_keep(job, &text));
    prompt_write_block(&text, tools);
    stage->block = prompt_keep(job, &text);
    prompt_write_list(&text, tools);
    stage->list = prompt_keep(job, &text);
    text_free(&text);
    return stage->schema.ptr && stage->block && stage->list ? XY_OK : XY_ENOMEM;
}

/* Without knowing the tasks: some calls, and the answer. `expect_calls` says better. */
static double estimate_calls(const void *state)
{
    const struct tool_search *stage = state;
    return stage->nodes < 4 ? (double)stage->nodes : 4;
}

static const char *const needs[] = {XY_MODEL, XY_TOOLS, XY_TEMPLATE, XY_RNG, NULL};

static const void *extension(const char *id)
{
    static const char example[] = "{ model: m, prompt: Solve it., task: text }";
    return strcmp(id, "xylem.example/1") == 0 ? example : NULL;
}

static const xy_stage tool_search = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .state_size = sizeof(struct tool_search),
    .id = "tool_search",
    .version = "1.0.0",
    .summary = "Solves a task by a depth-first search over calls of tools (DFSDT)",
    .needs = needs,
    .options = options,
    .open = search_open,
    .prepare = prepare,
    .close = search_close,
    .process = process,
    .estimate_calls = estimate_calls,
    .extension = extension,
    .fields = "reads `task`; sets `answer`, `tool_calls`, `tried` and `search_nodes`",
};

XY_PLUGIN_SINCE(1, "tool_search", "1.0.0", "Apache-2.0", &tool_search)
