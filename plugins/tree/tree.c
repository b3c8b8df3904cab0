/* SPDX-License-Identifier: Apache-2.0 */
/* tree - a tree of topics or tasks that a model grows from its roots: the meta topics and subtopics
 * of UltraChat (Ding et al. 2023, section 3.1), and the exploration of Explore-Instruct (Wan et al.
 * 2023, section 3.2), which looks ahead and tracks back. */
#include <math.h>
#include <stdlib.h>

#include "tree_grow.h"

enum { SHORTFALLS_SAID = 20 };

struct tree {
    struct list_call call;
    const char *const *roots, *const *breadth;
    const char *name, *emit, *unique;
    int64_t depth, per_ask, backtracks, most_nodes, most_words;
    double similar;
    const xy_host *host;
    const xy_rng *rng;
    const xy_report *report;
    struct tree_rules rules;
    struct tree_counts totals;
    uint64_t grown, said;
};

#define AT(member) offsetof(struct tree, member)

static const xy_option options[] = {
    {.name = "prompt", .type = XY_OPT_TEMPLATE, .offset = AT(call.prompt),
     .flags = XY_OPT_REQUIRED,
     .help = "A template of the prompt that asks for a node's children. Beside the fields of the "
             "record it has the node's `name` (or what `name` says), `parent`, `depth`, `path` "
             "from the root, `children` so far, `siblings`, and `wanted`, how many are asked for."},
    LIST_CALL_OPTIONS(struct tree, call, "cut"),
    {.name = "roots", .type = XY_OPT_LIST, .offset = AT(roots),
     .help = "The names of the roots, where no record stands for one: then it makes records of "
             "nothing."},
    {.name = "name", .type = XY_OPT_FIELD, .offset = AT(name), .def = "name",
     .help = "The field with the root's name in a record that comes in, and with a node's name in "
             "one that goes out."},
    {.name = "breadth", .type = XY_OPT_LIST, .offset = AT(breadth), .def = "5",
     .help = "How many children a node is to have; a list of them by the node's depth, the last of "
             "which holds for all below."},
    {.name = "depth", .type = XY_OPT_INT, .offset = AT(depth), .def = "0", .low = 0,
     .high = TREE_DEEPEST,
     .help = "The depth of the deepest nodes, a root's being 0; 0: as many as `breadth` lists."},
    {.name = "per_ask", .type = XY_OPT_INT, .offset = AT(per_ask), .def = "0", .low = 0,
     .high = 100000,
     .help = "How many children are asked for at once at most; 0: all that are missing."},
    {.name = "backtracks", .type = XY_OPT_INT, .offset = AT(backtracks), .def = "0", .low = 0,
     .high = 100,
     .help = "How often each node that is not full is asked again, the deepest first, once the "
             "tree has been grown to its depth."},
    {.name = "unique", .type = XY_OPT_TEXT, .offset = AT(unique), .def = "tree",
     .choices = "tree|siblings",
     .help = "Whether a name may come only once in the whole tree, or once below a node."},
    {.name = "similar", .type = XY_OPT_NUMBER, .offset = AT(similar), .def = "0.7", .low = 0,
     .high = 1,
     .help = "A name whose ROUGE-L to one that counts is above this is left out; 1: only the same "
             "name is."},
    {.name = "most_words", .type = XY_OPT_INT, .offset = AT(most_words), .def = "12", .low = 0,
     .high = 100000, .help = "A longer name is left out: prose is no name. 0: any length."},
    {.name = "most_nodes", .type = XY_OPT_INT, .offset = AT(most_nodes), .def = "10000", .low = 1,
     .high = 10000000, .help = "At so many nodes a tree stops growing."},
    {.name = "emit", .type = XY_OPT_TEXT, .offset = AT(emit), .def = "leaves",
     .choices = "leaves|nodes",
     .help = "Whether the nodes without children make records, or all, the roots included."},
    {0},
};

/* ---- options --------------------------------------------------------------------------------- */

/* False: what stands in `breadth` is no whole number of at least 1. */
static bool read_rules(const struct tree *tree, struct tree_rules *rules)
{
    size_t given = 0;
    *rules = (struct tree_rules){
        .per_ask = tree->per_ask, .backtracks = tree->backtracks, .most_nodes = tree->most_nodes,
        .most_words = tree->most_words, .similar = tree->similar,
        .siblings_only = tree->unique[0] == 's'};
    while (tree->breadth && tree->breadth[given] && given < TREE_DEEPEST) {
        char *end = NULL;
        long long breadth = strtoll(tree->breadth[given], &end, 10);
        if (end == tree->breadth[given] || *end || breadth < 1 || breadth > 100000)
            return false;
        rules->breadth[given++] = breadth;
    }
    for (size_t i = given; given && i < TREE_DEEPEST; i++)
        rules->breadth[i] = rules->breadth[given - 1];
    rules->depth = tree->depth ? (uint32_t)tree->depth : (uint32_t)given;
    return given > 0 && !tree->breadth[given];
}

static int open_tree(void *state, const xy_host *host)
{
    struct tree *tree = state;
    tree->host = host;
    tree->rng = host->service(host, XY_RNG);
    tree->report = host->service(host, XY_REPORT);
    if (!tree->rng)
        return XY_EUNSUPPORTED;
    if (!read_rules(tree, &tree->rules)) {
        xy_log_line(host, XY_LOG_ERROR, "`breadth` is a whole number from 1 to 100000, or a list "
                    "of at most %d of them", TREE_DEEPEST);
        return XY_EINVAL;
    }
    return list_call_open(&tree->call, host);
}

static void close_tree(void *state)
{
    list_call_close(&((struct tree *)state)->call);
}

static double count_roots(const struct tree *tree)
{
    size_t roots = 0;
    while (tree->roots && tree->roots[roots])
        roots++;
    return roots ? (double)roots : 1;
}

static int64_t estimate(const void *state)
{
    const struct tree *tree = state;
    struct tree_rules rules;
    if (!read_rules(tree, &rules))
        return -1;
    double level = count_roots(tree), all = level;
    for (uint32_t depth = 0; depth < rules.depth; depth++)
        all += level *= (double)rules.breadth[depth];
    double records = tree->emit[0] == 'n' ? all : level;
    return (int64_t)fmin(records, (double)rules.most_nodes);
}

/* Of a tree that grows as asked for. */
static double estimate_calls(const void *state)
{
    const struct tree *tree = state;
    struct tree_rules rules;
    double calls = 0, level = count_roots(tree);
    bool good = read_rules(tree, &rules);
    for (uint32_t depth = 0; good && depth < rules.depth; depth++) {
        double breadth = (double)rules.breadth[depth];
        double each = rules.per_ask ? ceil(breadth / (double)rules.per_ask) : 1;
        calls += level * fmin(each, 1 + (double)rules.backtracks);
        level *= breadth;
    }
    return calls;
}

/* ---- scores ---------------------------------------------------------------------------------- */

static void say_score(const struct tree *tree, xy_job *job, const char *name, double value,
                      const char *unit, const char *help)
{
    xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = NAN, .high = NAN,
                      .unit = unit, .n = tree->grown, .help = help};
    tree->report->score(job, &score);
}

static void say_levels(const struct tree *tree, xy_job *job)
{
    const struct tree_counts *totals = &tree->totals;
    struct text json = {0};
    for (uint32_t depth = 0; depth < tree->rules.depth; depth++) {
        const struct {
            const char *name;
            uint64_t value;
        } members[] = {{"depth", depth}, {"nodes", totals->nodes[depth]},
                       {"asked", totals->asked[depth]}, {"wanted", totals->wanted[depth]},
                       {"filled", totals->filled[depth]}, {"pruned", totals->pruned[depth]},
                       {"barren", totals->barren[depth]}};
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
            text_add_literal(&json, i ? "," : depth ? ",{" : "[{");
            text_add_json(&json, xy_text(members[i].name));
            text_add_literal(&json, ":");
            text_add_integer(&json, members[i].value);
        }
        text_add_literal(&json, "}");
    }
    text_add_literal(&json, "]");
    if (!json.failed)
        tree->report->detail(job, "levels", (xy_str){json.bytes, json.length});
    text_free(&json);
}

static void add_counts(struct tree_counts *totals, const struct tree_counts *counts)
{
    for (size_t depth = 0; depth <= TREE_DEEPEST; depth++) {
        totals->nodes[depth] += counts->nodes[depth];
        if (depth == TREE_DEEPEST)
            break;
        totals->asked[depth] += counts->asked[depth];
        totals->wanted[depth] += counts->wanted[depth];
        totals->filled[depth] += counts->filled[depth];
        totals->pruned[depth] += counts->pruned[depth];
        totals->barren[depth] += counts->barren[depth];
    }
    totals->leaves += counts->leaves;
    totals->refused += counts->refused;
    totals->lost += counts->lost;
    totals->full |= counts->full;
}

static uint64_t sum(const uint64_t *counts, size_t length)
{
    uint64_t all = 0;
    for (size_t i = 0; i < length; i++)
        all += counts[i];
    return all;
}

static void report(struct tree *tree, xy_job *job)
{
    const struct tree_counts *totals = &tree->totals;
    double wanted = (double)sum(totals->wanted, TREE_DEEPEST);
    if (!tree->report)
        return;
    say_score(tree, job, "nodes", (double)sum(totals->nodes, TREE_DEEPEST + 1), "",
              "nodes of all trees, the roots included");
    say_score(tree, job, "leaves", (double)totals->leaves, "", "nodes without children");
    for (uint32_t depth = 0; depth <= tree->rules.depth; depth++) {
        char name[32];
        snprintf(name, sizeof(name), "depth_%u", depth);
        say_score(tree, job, name, (double)totals->nodes[depth], "", "nodes of this depth");
    }
    say_score(tree, job, "filled", wanted > 0 ? (double)sum(totals->filled, TREE_DEEPEST) / wanted
                                              : NAN, "share",
              "children over those that the nodes that were asked should have");
    say_score(tree, job, "asked", (double)sum(totals->asked, TREE_DEEPEST), "", "askings");
    say_score(tree, job, "barren", (double)sum(totals->barren, TREE_DEEPEST), "",
              "nodes that were asked and have no child");
    say_score(tree, job, "pruned", (double)sum(totals->pruned, TREE_DEEPEST), "",
              "names left out: like one that was there, or too long");
    say_score(tree, job, "refused", (double)totals->refused, "",
              "answers that were an apology in place of a list");
    say_levels(tree, job);
}

/* ---- one tree, or all of `roots` ------------------------------------------------------------- */

static int emit_node(const struct tree *tree, const struct tree_growth *growth, uint32_t number)
{
    xy_job *job = growth->job;
    const struct tree_node *node = &growth->tree.nodes[number];
    xy_record *record = job->api->new_record(job, job->api->input(job, 0));
    xy_str parent = node->parent == TREE_NONE ? xy_text("")
                                              : tree_nodes_name(&growth->tree, node->parent);
    struct text path = {0};
    tree_nodes_add_path(&growth->tree, number, &path);
    int code = record && !path.failed ? XY_OK : XY_ENOMEM;
    if (code >= 0)
        code = xy_record_set_text(record, tree->name, tree_nodes_name(&growth->tree, number));
    if (code >= 0)
        code = xy_record_set_text(record, "parent", parent);
    if (code >= 0)
        code = xy_record_set_int(record, "depth", node->depth);
    if (code >= 0)
        code = xy_record_set_json(record, "path", (xy_str){path.bytes, path.length});
    text_free(&path);
    return code < 0 ? xy_fail(job, code, "a node cannot be set on `%s`", tree->name)
                    : job->api->emit(job, record);
}

/* A root that was asked and has no child stands for a tree that did not grow: no record. */
static bool is_emitted(const struct tree *tree, const struct tree_node *node)
{
    bool bare_root = node->depth == 0 && node->asked > 0 && node->children == 0;
    return !bare_root && (tree->emit[0] == 'n' || node->children == 0);
}

static int emit_all(const struct tree *tree, const struct tree_growth *growth)
{
    for (uint32_t node = 0; node != TREE_NONE; node = tree_nodes_next(&growth->tree, node)) {
        int code = is_emitted(tree, &growth->tree.nodes[node]) ? emit_node(tree, growth, node)
                                                               : XY_OK;
        if (code < 0)
            return code;
    }
    return growth->job->api->input(growth->job, 0) ? XY_CONSUMED : XY_END;
}

static void say_short(struct tree *tree, const struct tree_growth *growth)
{
    const struct tree_counts *counts = &growth->counts;
    uint64_t wanted = sum(counts->wanted, TREE_DEEPEST), filled = sum(counts->filled, TREE_DEEPEST);
    if (filled >= wanted && !counts->full)
        return;
    if (tree->said++ < SHORTFALLS_SAID)
        xy_log_line(tree->host, XY_LOG_WARNING,
                    "`%.*s`: %llu of %llu children that were asked for, %llu names pruned, %llu "
                    "answers refused, %llu lost to errors%s%s",
                    (int)tree_nodes_name(&growth->tree, 0).len,
                    tree_nodes_name(&growth->tree, 0).ptr, (unsigned long long)filled,
                    (unsigned long long)wanted,
                    (unsigned long long)sum(counts->pruned, TREE_DEEPEST),
                    (unsigned long long)counts->refused, (unsigned long long)counts->lost,
                    counts->full ? "; `most_nodes` ended it" : "",
                    tree->said == SHORTFALLS_SAID ? " (further ones are not said)" : "");
}

static void grown(struct tree_growth *growth, int code)
{
    struct tree *tree = growth->data;
    xy_job *job = growth->job;
    tree->grown++;
    add_counts(&tree->totals, &growth->counts);
    report(tree, job);
    if (code >= 0)
        say_short(tree, growth);
    if (code >= 0 && sum(growth->counts.filled, TREE_DEEPEST) == 0) {
        bool record = job->api->input(job, 0) != NULL;
        const char *why = growth->counts.lost      ? "the askings ended in errors"
                          : growth->counts.refused ? "the model refuses"
                                                   : "no answer held a name that can be used";
        code = xy_say(job, record ? XY_DROP : XY_EUPSTREAM, "the tree did not grow: no child after "
                      "%llu askings: %s",
                      (unsigned long long)sum(growth->counts.asked, TREE_DEEPEST), why);
    } else if (code >= 0) {
        code = emit_all(tree, growth);
    }
    tree_grow_free(growth);
    job->api->finish(job, code);
}

/* XY_DROP for a record without a name to begin with. */
static int plant(const struct tree *tree, struct tree_growth *growth)
{
    xy_job *job = growth->job;
    const xy_record *input = job->api->input(job, 0);
    bool good = true;
    if (input) {
        xy_str name = xy_record_text(input, tree->name);
        if (name.len == 0)
            return xy_drop(job, "the field `%s` is missing, empty or no text: there is no root to "
                           "grow from", tree->name);
        good = tree_grow_root(growth, name);
    }
    for (size_t i = 0; !input && good && tree->roots && tree->roots[i]; i++)
        good = tree_grow_root(growth, xy_text(tree->roots[i]));
    if (!good)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (growth->tree.count == 0)
        return xy_fail(job, XY_EINVAL, "give `roots`: no step stands before this one, so it has to "
                       "know what to grow from");
    return XY_OK;
}

static int process(void *state, xy_job *job)
{
    struct tree *tree = state;
    struct tree_growth *growth = job->api->alloc(job, sizeof(*growth));
    if (!growth)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    *growth = (struct tree_growth){
        .rules = &tree->rules, .call = &tree->call, .rng = tree->rng, .name = tree->name,
        .job = job, .scratch = job->api->new_record(job, job->api->input(job, 0)), .done = grown,
        .data = tree};
    int code = plant(tree, growth);
    if (code == XY_OK)
        code = growth->scratch ? tree_grow(growth) : xy_fail(job, XY_ENOMEM, "out of memory");
    if (code == XY_OK)
        return XY_PENDING;
    tree_grow_free(growth);
    return code;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{model: teacher, prompt: \"{{ wanted }} kinds of {{ name }}, not {{ children }}\""
                 ", roots: [art, science], breadth: [2, 2], backtracks: 1}"
               : NULL;
}

static const char *const needs[] = {XY_MODEL, XY_TEMPLATE, XY_RNG, NULL};

static const xy_stage tree_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_SOURCE,
    .state_size = sizeof(struct tree),
    .id = "tree",
    .version = "1.0.0",
    .summary = "Lets a model grow a tree of topics or tasks, and makes a record of each leaf",
    .needs = needs,
    .options = options,
    .open = open_tree,
    .close = close_tree,
    .process = process,
    .estimate = estimate,
    .estimate_calls = estimate_calls,
    .extension = extension,
    .fields = "reads `name`, sets `name`, `parent`, `depth` and `path`",
};

XY_PLUGIN_SINCE(1, "tree", "1.0.0", "Apache-2.0", &tree_stage)
