/* SPDX-License-Identifier: Apache-2.0 */
/* triples.topics - topics of each class out of a graph: the terms that a path of relations leads to
 * from the class's own term (ClinGen, Xu et al. 2023, "Knowledge-Infused Prompting", section 3). */
#include <stdlib.h>

#include "json_reader.h"
#include "triples.h"

struct class {
    char *label, *node;
    uint32_t *topics;
    uint32_t count;
};

/* One step of the path: `relation`, against its direction with ^, any number of times with *. */
struct step {
    uint32_t relation;
    bool inverse, any_number;
};

struct topics {
    struct graph_options graph_options;
    const char *classes_json, *label, *into, *id;
    const char *const *path;
    int64_t count, most;
    const xy_host *host;
    const xy_rng *rng;
    struct graph graph;
    struct class *classes;
    size_t class_count;
    struct step *steps;
    size_t step_count;
    uint64_t topic_count;   /* of all classes */
};

#define AT(member) offsetof(struct topics, member)

static const xy_option options[] = {
    GRAPH_OPTIONS(struct topics, graph_options, XY_OPT_REQUIRED),
    {.name = "classes", .type = XY_OPT_JSON, .offset = AT(classes_json), .flags = XY_OPT_REQUIRED,
     .help = "A map from each class to its term in the graph, or a list of terms that are called "
             "as the classes are."},
    {.name = "along", .type = XY_OPT_LIST, .offset = AT(path), .flags = XY_OPT_REQUIRED,
     .help = "The relations that lead from a class's term to its topics, one after another; ^ "
             "before one follows it from object to subject, * behind it any number of times."},
    {.name = "class", .type = XY_OPT_FIELD, .offset = AT(label), .def = "label",
     .help = "The field of the class: read from each record that comes in, or set."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "topic",
     .help = "The field set to the topic's name."},
    {.name = "id", .type = XY_OPT_FIELD, .offset = AT(id),
     .help = "A field set to the topic as the file has it."},
    {.name = "most", .type = XY_OPT_INT, .offset = AT(most), .def = "0", .low = 0, .high = 1e9,
     .help = "Keeps so many topics of a class, those in most triples; 0 keeps all."},
    {.name = "count", .type = XY_OPT_INT, .offset = AT(count), .def = "0", .low = 0, .high = 1e12,
     .help = "As a source: how many records to make, the classes in turn, topics drawn uniformly; "
             "0 makes one record for each topic of each class."},
    {0},
};

/* ---- options --------------------------------------------------------------------------------- */

static char *decode(xy_str string)
{
    char *out = calloc(1, string.len + 1);
    if (out)
        json_decode(string, out);
    return out;
}

static int read_classes(struct topics *topics)
{
    xy_str json = json_check(xy_text(topics->classes_json)), key = {NULL, 0}, value = {NULL, 0};
    struct json_cursor cursor = {0};
    bool map = json_kind(json) == '{';
    size_t count = json_count(json);
    if ((!map && json_kind(json) != '[') || count == 0) {
        xy_log_line(topics->host, XY_LOG_ERROR, "`classes` is a map from class to term, or a list "
                    "of terms, with at least one");
        return XY_EINVAL;
    }
    topics->classes = calloc(count, sizeof(*topics->classes));
    while (topics->classes && json_next(json, &cursor, &key, &value)) {
        struct class *class = &topics->classes[topics->class_count++];
        if (json_kind(value) != '"') {
            xy_log_line(topics->host, XY_LOG_ERROR, "`classes`: a term is a text");
            return XY_EINVAL;
        }
        class->node = decode(value);
        class->label = decode(map ? (xy_str){key.ptr - 1, key.len + 2} : value);
        if (!class->node || !class->label)
            return XY_ENOMEM;
    }
    return topics->classes ? XY_OK : XY_ENOMEM;
}

static void close_topics(void *state)
{
    struct topics *topics = state;
    for (size_t i = 0; i < topics->class_count; i++) {
        free(topics->classes[i].label);
        free(topics->classes[i].node);
        free(topics->classes[i].topics);
    }
    free(topics->classes);
    free(topics->steps);
    graph_free(&topics->graph);
}

static int open_topics(void *state, const xy_host *host)
{
    struct topics *topics = state;
    topics->host = host;
    topics->rng = host->service(host, XY_RNG);
    int code = topics->rng ? read_classes(topics) : XY_EUNSUPPORTED;
    if (code < 0)
        close_topics(state); /* close() comes only after a good open() */
    return code;
}

static int read_path(struct topics *topics, xy_job *job)
{
    while (topics->path[topics->step_count])
        topics->step_count++;
    topics->steps = calloc(topics->step_count + 1, sizeof(*topics->steps));
    if (!topics->steps)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < topics->step_count; i++) {
        xy_str text = xy_text(topics->path[i]);
        struct step *step = &topics->steps[i];
        step->inverse = text.len && text.ptr[0] == '^';
        text.ptr += step->inverse;
        text.len -= step->inverse;
        step->any_number = text.len && text.ptr[text.len - 1] == '*';
        text.len -= step->any_number;
        step->relation = graph_find_relation(&topics->graph, text);
        if (step->relation == GRAPH_NONE)
            return xy_fail(job, XY_EINVAL, "`along` names `%.*s`, which is no relation of %s",
                           (int)text.len, text.ptr, topics->graph_options.path);
    }
    return XY_OK;
}

/* ---- topics ---------------------------------------------------------------------------------- */

/* A set of terms; `seen` has a byte for each term of the graph. */
struct terms {
    uint32_t *items;
    uint8_t *seen;
    uint32_t count;
};

static void add_term(struct terms *terms, uint32_t term)
{
    if (!terms->seen[term])
        terms->items[terms->count++] = term;
    terms->seen[term] = 1;
}

static void follow(const struct graph *graph, const struct step *step, uint32_t term,
                   struct terms *into)
{
    struct graph_range range = step->inverse
                                   ? graph_relation_object(graph, step->relation, term)
                                   : graph_subject_relation(graph, term, step->relation);
    for (uint32_t i = range.from; i < range.to; i++)
        add_term(into, step->inverse ? graph->triples[graph->by_relation[i]].subject
                                     : graph->triples[i].object);
}

/* One step from all of `from`; with * those themselves, and as far as it goes. */
static void take_step(const struct graph *graph, const struct step *step, const struct terms *from,
                      struct terms *into)
{
    memset(into->seen, 0, graph->terms.count);
    into->count = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        if (step->any_number)
            add_term(into, from->items[i]);
        else
            follow(graph, step, from->items[i], into);
    }
    for (uint32_t i = 0; step->any_number && i < into->count; i++)
        follow(graph, step, into->items[i], into);
}

struct ranked {
    uint64_t triples;
    uint32_t term;
};

static int by_term(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    return (first > second) - (first < second);
}

static int by_triples(const void *a, const void *b)
{
    const struct ranked *first = a, *second = b;
    if (first->triples != second->triples)
        return first->triples > second->triples ? -1 : 1;
    return (first->term > second->term) - (first->term < second->term);
}

static int keep_most(const struct topics *topics, struct class *class)
{
    if (topics->most == 0 || class->count <= (uint64_t)topics->most)
        return XY_OK;
    struct ranked *ranked = calloc(class->count, sizeof(*ranked));
    if (!ranked)
        return XY_ENOMEM;
    for (uint32_t i = 0; i < class->count; i++) {
        uint32_t term = class->topics[i];
        struct graph_range out = graph_subject(&topics->graph, term);
        struct graph_range in = graph_object(&topics->graph, term);
        ranked[i] = (struct ranked){(uint64_t)(out.to - out.from) + (in.to - in.from), term};
    }
    qsort(ranked, class->count, sizeof(*ranked), by_triples);
    class->count = (uint32_t)topics->most;
    for (uint32_t i = 0; i < class->count; i++)
        class->topics[i] = ranked[i].term;
    free(ranked);
    return XY_OK;
}

static int find_topics(struct topics *topics, xy_job *job, struct class *class,
                       struct terms *terms)
{
    uint32_t node = graph_find_entity(&topics->graph, xy_text(class->node));
    if (node == GRAPH_NONE)
        return xy_fail(job, XY_EINVAL, "the class `%s` stands for `%s`, which is not in the graph "
                       "%s", class->label, class->node, topics->graph_options.path);
    struct terms *from = &terms[0], *into = &terms[1];
    from->items[0] = node;
    from->count = 1;
    for (size_t i = 0; i < topics->step_count; i++) {
        take_step(&topics->graph, &topics->steps[i], from, into);
        struct terms *kept = from;
        from = into;
        into = kept;
    }
    if (from->count == 0)
        return xy_fail(job, XY_EINVAL, "the class `%s` has no topics: no triples of %s lead from "
                       "`%s` along `along`", class->label, topics->graph_options.path, class->node);
    class->topics = calloc(from->count, sizeof(*class->topics));
    if (!class->topics)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    memcpy(class->topics, from->items, from->count * sizeof(*class->topics));
    class->count = from->count;
    qsort(class->topics, class->count, sizeof(*class->topics), by_term);
    int code = keep_most(topics, class);
    topics->topic_count += class->count;
    xy_log_line(topics->host, XY_LOG_INFO, "class `%s`: %u topics", class->label, class->count);
    return code < 0 ? xy_fail(job, code, "out of memory") : XY_OK;
}

static int prepare(void *state, xy_job *job)
{
    struct topics *topics = state;
    int code = graph_open(&topics->graph, &topics->graph_options, job, topics->host);
    if (code == XY_OK && !graph_index_names(&topics->graph))
        code = xy_fail(job, XY_ENOMEM, "out of memory");
    if (code == XY_OK)
        code = read_path(topics, job);
    if (code < 0)
        return code;
    struct terms terms[2];
    size_t all = topics->graph.terms.count;
    for (size_t i = 0; i < 2; i++)
        terms[i] = (struct terms){calloc(all, sizeof(uint32_t)), calloc(all, 1), 0};
    if (terms[0].items && terms[0].seen && terms[1].items && terms[1].seen)
        for (size_t i = 0; code == XY_OK && i < topics->class_count; i++)
            code = find_topics(topics, job, &topics->classes[i], terms);
    else
        code = xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < 2; i++) {
        free(terms[i].items);
        free(terms[i].seen);
    }
    return code;
}

/* ---- records --------------------------------------------------------------------------------- */

static int set_topic(const struct topics *topics, xy_job *job, xy_record *record, uint32_t term)
{
    const struct graph *graph = &topics->graph;
    struct text name = {0};
    graph_add_name(graph, term, &name);
    int code = name.failed ? XY_ENOMEM
                           : xy_record_set_text(record, topics->into,
                                                (xy_str){name.length ? name.bytes : "",
                                                         name.length});
    text_free(&name);
    if (code >= 0 && topics->id) {
        xy_str key = names_at(&graph->terms, term);
        code = xy_record_set_text(record, topics->id, (xy_str){key.ptr + 1, key.len - 1});
    }
    return code < 0 ? xy_fail(job, code, "the topic's name cannot be set") : XY_OK;
}

static int draw_for(const struct topics *topics, xy_job *job, xy_record *record)
{
    char scratch[NAMES_SCRATCH];
    xy_str label = names_label(record, topics->label, scratch);
    for (size_t i = 0; i < topics->class_count; i++) {
        const struct class *class = &topics->classes[i];
        if (label.len != strlen(class->label) || memcmp(label.ptr, class->label, label.len) != 0)
            continue;
        uint64_t random = topics->rng->stream(job, record, 0);
        return set_topic(topics, job, record,
                         class->topics[xy_random_below(&random, class->count)]);
    }
    return xy_drop(job, "the field `%s` is `%.*s`, which is none of `classes`", topics->label,
                   (int)(label.len < 100 ? label.len : 100), label.len ? label.ptr : "");
}

/* The number-th topic of all classes, one after another. */
static uint32_t topic_at(const struct topics *topics, uint64_t number, const struct class **class)
{
    *class = topics->classes;
    while (number >= (*class)->count)
        number -= (*class)++->count;
    return (*class)->topics[number];
}

static int make(const struct topics *topics, xy_job *job, uint64_t number)
{
    const struct class *class = &topics->classes[number % topics->class_count];
    uint32_t topic;
    if (topics->count) {
        uint64_t random = topics->rng->stream(job, NULL, number);
        topic = class->topics[xy_random_below(&random, class->count)];
    } else {
        topic = topic_at(topics, number, &class);
    }
    xy_record *record = job->api->new_record(job, NULL);
    if (!record)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    int code = xy_record_set_text(record, topics->label, xy_text(class->label));
    if (code >= 0)
        code = set_topic(topics, job, record, topic);
    return code < 0 ? code : job->api->emit(job, record);
}

static int process(void *state, xy_job *job)
{
    const struct topics *topics = state;
    xy_record *record = job->api->input(job, 0);
    if (record)
        return draw_for(topics, job, record);
    if (topics->count == 0 && job->api->round(job) > 0)
        return XY_END; /* each topic was there once */
    uint64_t from, to;
    int64_t all = topics->count ? topics->count : (int64_t)topics->topic_count;
    bool last = triples_span(job, all, &from, &to);
    for (uint64_t number = from; number < to; number++) {
        int code = make(topics, job, number);
        if (code < 0)
            return code;
    }
    return last ? XY_END : XY_CONSUMED;
}

static int64_t estimate(const void *state)
{
    const struct topics *topics = state;
    return topics->count ? topics->count : -1;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{path: graph.tsv, classes: [alpha, beta], along: [holds]}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage triples_topics = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT | XY_STAGE_SOURCE,
    .state_size = sizeof(struct topics),
    .id = "triples.topics",
    .version = "1.0.0",
    .summary = "Draws a topic of each record's class from what a graph links to the class",
    .needs = needs,
    .options = options,
    .open = open_topics,
    .prepare = prepare,
    .close = close_topics,
    .process = process,
    .estimate = estimate,
    .extension = extension,
    .fields = "reads or sets `class`, sets `into` and `id`",
};
