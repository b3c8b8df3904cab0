/* SPDX-License-Identifier: Apache-2.0 */
/* graph.h - a knowledge graph in memory: its terms numbered, its triples in three orders, its
 * names. Read once in prepare(), then only read, by any number of threads.
 *
 * A triple takes 12 bytes where it lies sorted by subject and 4 in each of two further orders, a
 * term its text and about 24 bytes. Numbers follow the file, so that ties are broken alike in
 * every run.
 *
 *   graph.c        open and close, options, terms by their names in options
 *   graph_store.c  the orders and the ranges in them
 *   graph_read.c   N-Triples and Turtle, through libserd
 *   graph_rows.c   three columns of CSV or TSV
 *   graph_names.c  what a term is called, and the terms that are called so
 *   graph_facts.c  triples as fields of a record
 */
#ifndef XYLEM_PLUGINS_COMMON_GRAPH_H
#define XYLEM_PLUGINS_COMMON_GRAPH_H

#include "names.h"
#include "text.h"

#define GRAPH_NONE NAMES_NONE

struct graph_options {
    const char *path, *format, *language;
    const char *const *label, *const *aliases, *const *relations, *const *exclude;
};

/* The options of a stage that has a struct graph_options as a member of its state. */
#define GRAPH_OPTIONS(state_, member_, path_flags)                                                \
    {.name = "path", .type = XY_OPT_PATH, .offset = offsetof(state_, member_.path),               \
     .flags = (path_flags),                                                                       \
     .help = "The graph's file: N-Triples (.nt), Turtle (.ttl), or rows of subject, relation, "   \
             "object (.csv, .tsv)."},                                                             \
    {.name = "format", .type = XY_OPT_TEXT, .offset = offsetof(state_, member_.format),           \
     .choices = "ntriples|turtle|csv|tsv",                                                        \
     .help = "The file's format, where its ending does not tell it."},                            \
    {.name = "label", .type = XY_OPT_LIST, .offset = offsetof(state_, member_.label),             \
     .def = "rdfs:label",                                                                         \
     .help = "The relations whose object is the subject's name, the first that a term has "       \
             "counts; a term without one is called by the end of its IRI."},                      \
    {.name = "aliases", .type = XY_OPT_LIST, .offset = offsetof(state_, member_.aliases),         \
     .def = "skos:altLabel",                                                                      \
     .help = "The relations whose objects are further names, by which a term is found."},         \
    {.name = "language", .type = XY_OPT_TEXT, .offset = offsetof(state_, member_.language),       \
     .def = "en",                                                                                 \
     .help = "The language of names to prefer, then those without one, then any."},               \
    {.name = "relations", .type = XY_OPT_LIST, .offset = offsetof(state_, member_.relations),     \
     .help = "Only triples of these relations count; all but those of names when not given."},    \
    {.name = "exclude", .type = XY_OPT_LIST, .offset = offsetof(state_, member_.exclude),         \
     .help = "Triples of these relations do not count."}

struct graph_triple {
    uint32_t subject, relation, object; /* numbers of terms */
};

/* Positions [from, to) in one of the orders. */
struct graph_range {
    uint32_t from, to;
};

struct graph_name {
    uint64_t hash;      /* of the folded name */
    uint32_t term;
};

struct graph { /* zeroed: empty */
    const struct graph_options *options;
    const xy_host *host;
    /* A term's first byte says what it is: '<' an IRI, or a name out of CSV or TSV; '"' a literal,
     * whose text ends in another '"', behind which @language or ^^datatype stands; '_' a blank
     * node. */
    struct names terms;
    struct names prefixes;              /* each with what it stands for: `ex:http://example.org/` */
    struct graph_triple *triples;       /* by subject, relation, object; each once */
    uint32_t *by_relation;              /* positions in `triples`, by relation, object, subject */
    uint32_t *by_object;                /* the same, by object, subject, relation */
    uint32_t count, room;
    /* What the options let count: */
    uint32_t *relations;                /* relations, by number */
    uint64_t *ends;                     /* triples of relations 0..i, summed: the last is all */
    uint32_t relation_count;
    uint32_t entity_count;              /* subjects, and objects that are no literals */
    uint8_t *flags;                     /* of each term: GRAPH_COUNTS, GRAPH_ENTITY */
    uint32_t *labels, *aliases;         /* relations that name; ended by GRAPH_NONE */
    struct graph_name *names;           /* by hash, then by term; after graph_index_names() */
    uint32_t name_count, name_room;
    char error[1024];
};

enum { GRAPH_COUNTS = 1, GRAPH_ENTITY = 2, GRAPH_NAMES = 4 };

/* Reads the file and applies the options, which must outlive the graph. XY_OK, or an error with its
 * text on the job: a malformed triple with its file and line, a graph without triples, an option
 * that names no relation. [worker] */
int graph_open(struct graph *graph, const struct graph_options *options, xy_job *job,
               const xy_host *host);
void graph_free(struct graph *graph);

/* ---- reading and ordering: used by graph_open() ---------------------------------------------- */

/* Appends a triple of terms that graph_term() numbered. False when memory is short. */
bool graph_add(struct graph *graph, struct graph_triple triple);
/* The number of the term of that kind ('<', '"', '_') and text; `suffix` follows a literal. */
uint32_t graph_term(struct graph *graph, char kind, xy_str text, xy_str suffix);
/* Both append the file's triples, explain into graph->error, and answer XY_OK or an error. */
int graph_read_rdf(struct graph *graph, xy_job *job, FILE *file, bool turtle);
int graph_read_rows(struct graph *graph, xy_job *job, FILE *file, char delimiter);
/* Sorts, drops repeats, and makes the other orders, in time linear in triples and terms. */
bool graph_order(struct graph *graph);

/* ---- looking up ------------------------------------------------------------------------------ */

/* In `triples`: of a subject; of a subject and a relation. */
struct graph_range graph_subject(const struct graph *graph, uint32_t subject);
struct graph_range graph_subject_relation(const struct graph *graph, uint32_t subject,
                                          uint32_t relation);
/* In `by_relation`. */
struct graph_range graph_relation(const struct graph *graph, uint32_t relation);
struct graph_range graph_relation_object(const struct graph *graph, uint32_t relation,
                                         uint32_t object);
/* In `by_object`. */
struct graph_range graph_object(const struct graph *graph, uint32_t object);

/* May this triple be shown: is its relation neither left out nor one of names? */
bool graph_counts(const struct graph *graph, uint32_t position);
/* All triples that count, and the position in `triples` of the index-th, by relation. */
uint64_t graph_size(const struct graph *graph);
uint32_t graph_at(const struct graph *graph, uint64_t index);
/* The relation's place in `relations`, or GRAPH_NONE. */
uint32_t graph_relation_place(const struct graph *graph, uint32_t relation);
bool graph_is_entity(const struct graph *graph, uint32_t term);

/* A term as it stands in options and records: an IRI, also in <>, prefix:name, or a text out of CSV
 * and TSV. GRAPH_NONE when the graph does not have it. */
uint32_t graph_find(const struct graph *graph, xy_str text);
/* A relation, also by its name. */
uint32_t graph_find_relation(const struct graph *graph, xy_str text);

/* ---- names ----------------------------------------------------------------------------------- */

/* Appends what the term is called: its label, a literal's text, or the end of its IRI with blanks
 * for underscores. */
void graph_add_name(const struct graph *graph, uint32_t term, struct text *out);
/* Makes graph_named() possible. False when memory is short. */
bool graph_index_names(struct graph *graph);
/* The entities called so, by label, alias or end of IRI, without regard to case and punctuation:
 * names[from..to). `folded` is a text that FOLD_WORDS made comparable. */
struct graph_range graph_named(const struct graph *graph, xy_str folded);
/* graph_find(), else the entity called so that has most triples, the first of equals. */
uint32_t graph_find_entity(const struct graph *graph, xy_str text);
/* The position in `triples` of one that is so named, or so written in the file; the first where
 * several are, GRAPH_NONE where none is. Needs graph_index_names(). */
uint32_t graph_find_triple(const struct graph *graph, xy_str subject, xy_str relation,
                           xy_str object);
/* Is this text one of the term's names, or the term itself? */
bool graph_is_called(const struct graph *graph, uint32_t term, xy_str folded);
/* Does one of the term's names stand in the folded text, as whole words? */
bool graph_is_mentioned(const struct graph *graph, uint32_t term, xy_str text);
/* Does the folded name stand in the folded text, as whole words? */
bool graph_holds_words(xy_str text, xy_str name);

/* ---- records --------------------------------------------------------------------------------- */

struct graph_fields {
    const char *into, *text, *entities, *ids; /* fields to set; NULL or "": none */
};

#define GRAPH_FIELDS(state_, member_)                                                             \
    {.name = "into", .type = XY_OPT_FIELD, .offset = offsetof(state_, member_.into),              \
     .def = "triples",                                                                            \
     .help = "The field set to the list of {subject, relation, object}, by their names."},        \
    {.name = "text", .type = XY_OPT_FIELD, .offset = offsetof(state_, member_.text),              \
     .def = "triples_text",                                                                       \
     .help = "The field set to the same as lines `(subject; relation; object)`, for prompts."},   \
    {.name = "entities", .type = XY_OPT_FIELD, .offset = offsetof(state_, member_.entities),      \
     .def = "entities",                                                                           \
     .help = "The field set to the list of the names of the entities in them."},                  \
    {.name = "ids", .type = XY_OPT_FIELD, .offset = offsetof(state_, member_.ids),                \
     .help = "A field set to the list of {subject, relation, object} as the file has them."}

/* Sets the fields to the triples at these positions. XY_OK, or an error with its text on the
 * job. */
int graph_set_fields(const struct graph *graph, xy_job *job, xy_record *record,
                     const struct graph_fields *fields, const uint32_t *positions, size_t count);

/* What a set of triples covers of the graph. */
struct graph_coverage {     /* zeroed: empty */
    uint32_t *relation_uses; /* relation_count of the graph */
    uint32_t *entity_uses;   /* of each term */
    uint64_t triples;
    uint32_t relations, entities;
};

bool graph_coverage_init(struct graph_coverage *coverage, const struct graph *graph);
void graph_coverage_clear(struct graph_coverage *coverage, const struct graph *graph);
void graph_coverage_free(struct graph_coverage *coverage);
void graph_coverage_add(struct graph_coverage *coverage, const struct graph *graph,
                        uint32_t position);
/* The entropy of the histogram of relations, in bits. */
double graph_coverage_entropy(const struct graph_coverage *coverage, const struct graph *graph);
/* Scores `relations_covered`, `entities_covered`, `relation_entropy`, `relation_evenness`; does
 * nothing in a host without xylem.report/1. */
void graph_coverage_report(const struct graph_coverage *coverage, const struct graph *graph,
                           xy_job *job, uint64_t records);

#endif
