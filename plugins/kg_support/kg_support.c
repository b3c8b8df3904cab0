/* SPDX-License-Identifier: Apache-2.0 */
/* kg_support - keeps the answers that stay with what is known: their triples are in the graph or
 * among those given, the entities asked for stand in the text, and no others. Faithfulness by
 * knowledge (survey, section 4.2); of its texts SynthIE (Josifoski et al. 2023) wants the same: all
 * that was given, and nothing more. */
#include "kg_support.h"

#include <math.h>

enum { LONGEST_NAME = 8 }; /* words of the names that are looked for in texts */

struct support {
    struct graph_options graph_options;
    const char *claims, *given, *mentions, *entities, *text, *require, *into;
    double threshold;
    int32_t all_given, only_given;
    const xy_host *host;
    const xy_report *report;
    struct graph graph;     /* zeroed without a `path` */
    uint64_t looked_at, checked, supported; /* records; all that they claim; what of it holds */
};

#define AT(member) offsetof(struct support, member)

static const xy_option options[] = {
    GRAPH_OPTIONS(struct support, graph_options, 0),
    {.name = "claims", .type = XY_OPT_FIELD, .offset = AT(claims),
     .help = "A field of triples that an answer claims, a list or lines: each must be in the graph "
             "or among `given`."},
    {.name = "given", .type = XY_OPT_FIELD, .offset = AT(given), .def = "triples",
     .help = "The field of the triples that the record was written from; may be absent."},
    {.name = "mentions", .type = XY_OPT_FIELD, .offset = AT(mentions),
     .help = "A field of names that an answer uses: each must be an entity of the graph or of "
             "`given`."},
    {.name = "entities", .type = XY_OPT_FIELD, .offset = AT(entities),
     .help = "A field of names each of which, or an alias of it, must stand in `text`."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = AT(text), .def = "text",
     .help = "The text in which names are looked for."},
    {.name = "all_given", .type = XY_OPT_BOOL, .offset = AT(all_given), .def = "false",
     .help = "Each subject and object of `given`, numbers and dates too, must stand in `text`."},
    {.name = "only_given", .type = XY_OPT_BOOL, .offset = AT(only_given), .def = "false",
     .help = "An entity of the graph that stands in `text` must be one of `given`."},
    {.name = "require", .type = XY_OPT_TEXT, .offset = AT(require), .def = "all",
     .choices = "all|share",
     .help = "Keeps a record of which all holds, or a share of at least `threshold`."},
    {.name = "threshold", .type = XY_OPT_NUMBER, .offset = AT(threshold), .def = "0.8", .low = 0,
     .high = 1, .help = "With `require: share`: the least share of claims and names that hold."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "support",
     .help = "The field set to that share."},
    {0},
};

/* One record's look: what it was given, and what was found. */
struct look {
    struct support *support;
    xy_job *job;
    const xy_record *record;
    struct claims given;
    xy_str text;            /* folded; {NULL, 0} before it was needed */
    size_t checked, supported;
    char why[400];          /* about the first that does not hold */
};

__attribute__((format(printf, 3, 4))) static void note(struct look *look, bool holds,
                                                       const char *format, ...)
{
    look->checked++;
    look->supported += holds;
    if (holds || look->why[0])
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(look->why, sizeof(look->why), format, args);
    va_end(args);
}

static bool same(xy_str a, xy_str b)
{
    return a.len == b.len && a.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static int shown(xy_str text)
{
    return (int)(text.len < 80 ? text.len : 80);
}

static const char *where_else(const struct support *support)
{
    return support->graph.count ? " or in the graph" : "";
}

/* ---- claims ---------------------------------------------------------------------------------- */

static bool is_given(const struct look *look, const struct claim *claim)
{
    for (size_t i = 0; i < look->given.count; i++) {
        const struct claim *given = &look->given.items[i];
        if (same(given->folded[0], claim->folded[0]) && same(given->folded[1], claim->folded[1]) &&
            same(given->folded[2], claim->folded[2]))
            return true;
    }
    return false;
}

static int check_claims(struct look *look)
{
    const struct support *support = look->support;
    struct claims claims = {0};
    int code = claims_read(&claims, look->job, look->record, support->claims);
    if (code == XY_OK && claims.count == 0)
        return xy_drop(look->job, "`%s` is missing or empty: nothing is claimed", support->claims);
    for (size_t i = 0; code == XY_OK && i < claims.count; i++) {
        const struct claim *claim = &claims.items[i];
        const xy_str *parts = claim->parts;
        bool holds = is_given(look, claim) ||
                     (support->graph.count &&
                      graph_find_triple(&support->graph, parts[0], parts[1], parts[2]) !=
                          GRAPH_NONE);
        note(look, holds, "the claim (%.*s; %.*s; %.*s) is not among the given triples%s",
             shown(parts[0]), parts[0].ptr, shown(parts[1]), parts[1].ptr, shown(parts[2]),
             parts[2].ptr, where_else(support));
    }
    return code;
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_given_name(const struct look *look, xy_str folded)
{
    for (size_t i = 0; i < look->given.count; i++)
        if (same(look->given.items[i].folded[0], folded) ||
            same(look->given.items[i].folded[2], folded))
            return true;
    return false;
}

static bool is_known_name(const struct support *support, const struct claim *name)
{
    struct graph_range range = {0, 0};
    if (support->graph.count)
        range = graph_named(&support->graph, name->folded[0]);
    uint32_t term = GRAPH_NONE;
    if (support->graph.count && range.from == range.to)
        term = graph_find(&support->graph, name->parts[0]);
    return range.from < range.to ||
           (term != GRAPH_NONE && graph_is_entity(&support->graph, term));
}

static int check_mentions(struct look *look)
{
    struct claims names = {0};
    int code = claims_read_names(&names, look->job, look->record, look->support->mentions);
    for (size_t i = 0; code == XY_OK && i < names.count; i++) {
        const struct claim *name = &names.items[i];
        note(look, is_given_name(look, name->folded[0]) || is_known_name(look->support, name),
             "`%.*s`, which `%s` names, is not among the given entities%s", shown(name->parts[0]),
             name->parts[0].ptr, look->support->mentions, where_else(look->support));
    }
    return code;
}

static int read_text(struct look *look)
{
    const struct support *support = look->support;
    xy_str text = xy_record_text(look->record, support->text);
    if (look->text.ptr)
        return XY_OK;
    if (text.len == 0)
        return xy_drop(look->job, "the field `%s` is missing, empty or no text", support->text);
    look->text = claims_fold(look->job, text);
    return look->text.ptr ? XY_OK : xy_fail(look->job, XY_ENOMEM, "out of memory");
}

/* Does one of the names by which the graph knows the entity stand in the text? */
static bool by_another_name(const struct look *look, xy_str folded)
{
    const struct graph *graph = &look->support->graph;
    struct graph_range range = graph_named(graph, folded);
    for (uint32_t i = range.from; i < range.to; i++)
        if (graph_is_mentioned(graph, graph->names[i].term, look->text))
            return true;
    return false;
}

static void check_named(struct look *look, const struct claim *claim, size_t part)
{
    const struct support *support = look->support;
    bool holds = graph_holds_words(look->text, claim->folded[part]) ||
                 (support->graph.count && by_another_name(look, claim->folded[part]));
    note(look, holds, "`%.*s` is not named in `%s`", shown(claim->parts[part]),
         claim->parts[part].ptr, support->text);
}

static int check_entities(struct look *look)
{
    struct claims names = {0};
    int code = read_text(look);
    if (code == XY_OK)
        code = claims_read_names(&names, look->job, look->record, look->support->entities);
    for (size_t i = 0; code == XY_OK && i < names.count; i++)
        check_named(look, &names.items[i], 0);
    return code;
}

static int check_all_given(struct look *look)
{
    int code = read_text(look);
    if (code == XY_OK && look->given.count == 0)
        return xy_drop(look->job, "`%s` is missing or empty: nothing was given",
                       look->support->given);
    for (size_t i = 0; code == XY_OK && i < look->given.count; i++) {
        check_named(look, &look->given.items[i], 0);
        check_named(look, &look->given.items[i], 2);
    }
    return code;
}

/* Is one of the entities so called known to the record by any of its names? */
static bool is_one_given(const struct look *look, struct graph_range range)
{
    const struct graph *graph = &look->support->graph;
    for (uint32_t i = range.from; i < range.to; i++) {
        for (size_t j = 0; j < look->given.count * 2; j++) {
            xy_str name = look->given.items[j / 2].folded[j % 2 ? 2 : 0];
            if (graph_is_called(graph, graph->names[i].term, name))
                return true;
        }
    }
    return false;
}

/* Where `words` words on from `at` the text has the end of a word; 0 when it is too short. */
static size_t end_of(xy_str text, size_t at, unsigned words)
{
    for (; words > 0; words--) {
        if (at >= text.len)
            return 0;
        while (at < text.len && text.ptr[at] != ' ')
            at++;
        if (words > 1)
            at++;
    }
    return at;
}

/* Goes over the text, at each word the longest name of an entity that begins there. */
static int check_only_given(struct look *look)
{
    const struct graph *graph = &look->support->graph;
    int code = read_text(look);
    xy_str text = look->text;
    for (size_t at = 0; code == XY_OK && at < text.len;) {
        size_t next = end_of(text, at, 1) + 1;
        for (unsigned words = LONGEST_NAME; words > 0; words--) {
            size_t end = end_of(text, at, words);
            xy_str name = {text.ptr + at, end > at ? end - at : 0};
            struct graph_range range = graph_named(graph, name);
            if (range.from == range.to)
                continue;
            bool given = is_given_name(look, name) || is_one_given(look, range);
            note(look, given, "`%s` names \"%.*s\", an entity that was not given",
                 look->support->text, shown(name), name.ptr);
            next = end + 1;
            break;
        }
        at = next;
    }
    return code;
}

/* ---- the stage ------------------------------------------------------------------------------- */

static int open_support(void *state, const xy_host *host)
{
    struct support *support = state;
    support->host = host;
    support->report = host->service(host, XY_REPORT);
    if (!support->claims && !support->mentions && !support->entities && !support->all_given &&
        !support->only_given) {
        xy_log_line(host, XY_LOG_ERROR, "nothing is checked: name `claims`, `mentions` or "
                    "`entities`, or set `all_given` or `only_given`");
        return XY_EINVAL;
    }
    if (support->only_given && !support->graph_options.path) {
        xy_log_line(host, XY_LOG_ERROR, "`only_given` needs the `path` of a graph, whose names it "
                    "looks for");
        return XY_EINVAL;
    }
    return XY_OK;
}

static int prepare(void *state, xy_job *job)
{
    struct support *support = state;
    if (!support->graph_options.path)
        return XY_OK;
    int code = graph_open(&support->graph, &support->graph_options, job, support->host);
    if (code == XY_OK && !graph_index_names(&support->graph))
        return xy_fail(job, XY_ENOMEM, "out of memory");
    return code;
}

static void close_support(void *state)
{
    graph_free(&((struct support *)state)->graph);
}

static void report(struct support *support, const struct look *look)
{
    support->looked_at++;
    support->checked += look->checked;
    support->supported += look->supported;
    if (!support->report || support->checked == 0)
        return;
    xy_score score = {.size = sizeof(score), .name = "supported",
                      .value = (double)support->supported / (double)support->checked,
                      .low = NAN, .high = NAN, .unit = "share", .n = support->looked_at,
                      .help = "claims and names that hold, of all records looked at"};
    support->report->score(look->job, &score);
}

static int check(struct look *look)
{
    const struct support *support = look->support;
    int code = claims_read(&look->given, look->job, look->record, support->given);
    if (code == XY_OK && support->claims)
        code = check_claims(look);
    if (code == XY_OK && support->mentions)
        code = check_mentions(look);
    if (code == XY_OK && support->entities)
        code = check_entities(look);
    if (code == XY_OK && support->all_given)
        code = check_all_given(look);
    if (code == XY_OK && support->only_given)
        code = check_only_given(look);
    return code;
}

static int process(void *state, xy_job *job)
{
    struct support *support = state;
    xy_record *record = job->api->input(job, 0);
    struct look look = {.support = support, .job = job, .record = record};
    int code = check(&look);
    if (code != XY_OK)
        return code;
    report(support, &look);
    double share = look.checked ? (double)look.supported / (double)look.checked : 1;
    xy_record_set_number(record, support->into, share);
    bool all = support->require[0] == 'a';
    if (all ? look.supported == look.checked : share >= support->threshold)
        return XY_OK;
    return all ? xy_drop(job, "%s", look.why)
               : xy_drop(job, "%zu of %zu hold, fewer than the share of %g; %s", look.supported,
                         look.checked, support->threshold, look.why);
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{path: graph.tsv, entities: label, mentions: label, only_given: true}" : NULL;
}

static const xy_stage support_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU,
    .state_size = sizeof(struct support),
    .id = "kg_support",
    .version = "1.0.0",
    .summary = "Keeps the records whose triples and names a knowledge graph, or what they were "
               "given, supports",
    .options = options,
    .open = open_support,
    .prepare = prepare,
    .close = close_support,
    .process = process,
    .extension = extension,
    .fields = "reads `claims`, `given`, `mentions`, `entities`, `text`, sets `into`",
};

XY_PLUGIN("kg_support", "1.0.0", "Apache-2.0", &support_stage)
