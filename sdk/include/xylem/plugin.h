/* SPDX-License-Identifier: Apache-2.0 */
/* xylem/plugin.h - the only header a plugin includes.
 *
 * Rules that hold everywhere below
 *
 *  Threads    [loop]   the event-loop thread. A call must return within a few milliseconds: it may
 *                      start work, never wait for it.
 *             [worker] a pool thread. May compute for as long as it polls cancelled().
 *             [any]    either, and any thread that the plugin started itself.
 *             A debug host checks the tags and names the plugin that breaks one.
 *  Ownership  An argument is borrowed for the call: keep a copy, not the pointer. What a host call
 *             returns belongs to the host until the scope that its comment names. Nothing that one
 *             side allocates is freed by the other; a job's arena (alloc) is the plugin's scratch.
 *  Errors     0 or more is a verdict. Less than 0 is XY_E*, with its text given through explain().
 *  Growth     Every struct that may grow starts with `size` and grows at its end only. A member
 *             that the other side does not have reads as 0.
 *  Text       UTF-8 as (ptr, len), not NUL-terminated unless typed `const char *`.
 *  Strangers  A plugin links nothing of the host and finds no host symbol: everything it may call
 *             is in the tables below, or in a service that it asks for by name.
 *
 * A plugin is one shared object that exports xy_plugin_v1() and nothing else. See docs/guide/.
 */
#ifndef XY_PLUGIN_H
#define XY_PLUGIN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XY_ABI_MAJOR 1 /* also in the entry symbol's name: another major is another symbol */
#define XY_ABI_MINOR 1 /* counts appended members and added services */

#if defined(__GNUC__)
#define XY_EXPORT __attribute__((visibility("default")))
#define XY_PRINTF(text_at, args_at) __attribute__((format(printf, text_at, args_at)))
#else
#define XY_EXPORT
#define XY_PRINTF(text_at, args_at)
#endif

/* True when the other side's struct is long enough to hold `member`, and the member is set. */
#define XY_HAS(struct_pointer, type, member)                                                      \
    ((struct_pointer)->size >= offsetof(type, member) + sizeof((struct_pointer)->member) &&       \
     (struct_pointer)->member)

/* ---- verdicts and errors --------------------------------------------------------------------- */

/* What process(), run() and finish() say about a job. */
enum {
    XY_OK = 0,            /* done: the input record, as edited, goes downstream */
    XY_DROP = 1,          /* done: the input record goes to the rejects, with its reason */
    XY_CONSUMED = 2,      /* done: only what was emitted goes downstream */
    XY_PENDING = 3,       /* not done: finish() will be called, exactly once, later */
    XY_END = 4,           /* a source, or a reader, has no more */
    XY_EINVAL = -1,       /* input or options that make no sense */
    XY_ENOMEM = -2,
    XY_ECANCELED = -3,    /* the run is being stopped */
    XY_ETIMEOUT = -4,     /* a deadline passed */
    XY_EUPSTREAM = -5,    /* a service failed after the host's own retries */
    XY_EBUDGET = -6,      /* the tokens or money allotted to the run are spent */
    XY_EUNSUPPORTED = -7, /* this plugin or this host cannot do it */
    XY_EBUG = -8,         /* a rule above was broken; the host says which and by whom */
    XY_EIO = -9,          /* a file could not be read or written */
    XY_EPAUSED = -10      /* since minor 1: people have work to do first; the run ends, and the same
                             command goes on when it is done. explain() says what, and where */
};

/* ---- values ---------------------------------------------------------------------------------- */

typedef struct xy_str {
    const char *ptr;
    size_t len;
} xy_str;

enum { /* xy_value.type */
    XY_NULL = 0,
    XY_TEXT = 1,
    XY_INT = 2,
    XY_NUMBER = 3,
    XY_BOOL = 4,
    XY_JSON = 5,  /* any JSON value as text in `text`, valid UTF-8, no duplicate keys */
    XY_VECTOR = 6 /* `length` floats: an embedding, class probabilities */
};

/* A typed value, passed by pointer. Not growable: what it cannot say is a new type. */
typedef struct xy_value {
    uint32_t type;
    uint32_t length;      /* XY_VECTOR: number of floats */
    int64_t integer;      /* XY_INT; XY_BOOL: 0 or 1 */
    double number;        /* XY_NUMBER */
    xy_str text;          /* XY_TEXT, XY_JSON */
    const float *vector;  /* XY_VECTOR */
} xy_value;

/* ---- records, jobs, datasets: opaque, each led by its function table ------------------------- */

typedef struct xy_record {
    const struct xy_record_api *api;
} xy_record;

typedef struct xy_job {
    const struct xy_job_api *api;
} xy_job;

typedef struct xy_dataset {
    const struct xy_dataset_api *api;
} xy_dataset;

/* A flat map of named, typed values with a stable id, a weight, and provenance that the host keeps.
 * [any], but one thread at a time for one record. A field's name is at most 127 bytes long. */
typedef struct xy_record_api {
    uint32_t size;
    /* The field's type and, when `out` is not NULL, its value, valid until the field is set again.
     * XY_NULL (0) when the field is absent. */
    int (*get)(const xy_record *, const char *field, xy_value *out);
    /* Copies the value; XY_NULL removes the field. Negative: XY_EINVAL for text that is not UTF-8,
     * JSON that does not parse, an empty or too long name; the record is then unchanged. */
    int (*set)(xy_record *, const char *field, const xy_value *value);
    /* The i-th field's name in the order of first setting, NULL past the end. */
    const char *(*field)(const xy_record *, size_t index);
    /* Derived from the record's origin: the same in every run with the same pipeline and seed. */
    uint64_t (*id)(const xy_record *);
    /* The id of the record this one was made from, 0 for a source's own. */
    uint64_t (*parent)(const xy_record *);
    /* Training weight, 1 unless a stage set another; never negative, NaN or infinite. */
    double (*weight)(const xy_record *);
    int (*set_weight)(xy_record *, double weight);
} xy_record_api;

/* A job is one call's worth of work and lives until it is finished. */
typedef struct xy_job_api {
    uint32_t size;
    /* [any] How many input records: 0 for a source, 1 unless the stage has XY_STAGE_BATCH. */
    size_t (*count)(const xy_job *);
    /* [any] The i-th input record; valid until the job is finished. NULL past the end. */
    xy_record *(*input)(xy_job *, size_t index);
    /* [any] Zeroed scratch, aligned for any type; freed by the host when the job is finished. */
    void *(*alloc)(xy_job *, size_t bytes);
    /* [any] A new record: a copy of `parent`'s fields and provenance with an id of its own, or an
     * empty one when `parent` is NULL. Freed by emit() or with the job. */
    xy_record *(*new_record)(xy_job *, const xy_record *parent);
    /* [any] Gives the record away; what a job emits goes downstream in the order of emitting. */
    int (*emit)(xy_job *, xy_record *);
    /* [any] In a batch: what becomes of input `index` (XY_OK, XY_DROP, XY_CONSUMED or an error). */
    int (*verdict)(xy_job *, size_t index, int verdict, const char *why);
    /* [any] The reason behind XY_DROP or an error. Copied; the last one counts. */
    void (*explain)(xy_job *, const char *why);
    /* [any] Only after process() answered XY_PENDING; exactly once. The job is gone afterwards. */
    int (*finish)(xy_job *, int verdict);
    /* [any] Nonzero once the run is being stopped; poll it in long loops. */
    int (*cancelled)(const xy_job *);
    /* [any] Which pass this is, from 0: of an enclosing `repeat`, or of a refill of `accept`. */
    uint32_t (*round)(const xy_job *);
    /* [any] How often this instance of a source was asked before, from 0. */
    uint64_t (*sequence)(const xy_job *);
} xy_job_api;

/* A named, ordered set of records, possibly on disk. [worker], one thread at a time. */
typedef struct xy_dataset_api {
    uint32_t size;
    uint64_t (*count)(const xy_dataset *);
    /* The i-th record, valid until the next at() or edit() on this dataset; NULL past the end. */
    const xy_record *(*at)(xy_dataset *, uint64_t index);
    /* The same to change in place: edits go downstream. NULL for a dataset that is not the stage's
     * input (an option of type XY_OPT_DATASET), and for an evaluator. */
    xy_record *(*edit)(xy_dataset *, uint64_t index);
    /* What becomes of record `index` (XY_OK or XY_DROP); XY_OK unless said otherwise. */
    int (*verdict)(xy_dataset *, uint64_t index, int verdict, const char *why);
    /* One numeric field of all records as a count x *width row-major matrix of floats, absent
     * values NaN; *width is 1 for XY_INT, XY_NUMBER and XY_BOOL; a JSON list of numbers is as good
     * as a vector. NULL when no record has the field or the widths differ. Valid until the job is finished. */
    const float *(*column)(xy_dataset *, const char *field, uint32_t *width);
} xy_dataset_api;

/* ---- the host -------------------------------------------------------------------------------- */

typedef struct xy_host {
    uint32_t size;
    uint16_t abi_major, abi_minor;
    /* [any] The service named "name/revision", or NULL when this host has none. The table is
     * static; the host pointer, one for each instance of a stage, is valid until close() has
     * returned. */
    const void *(*service)(const struct xy_host *, const char *id);
} xy_host;

#define XY_LOG "xylem.log/1"
enum { XY_LOG_DEBUG = 1, XY_LOG_INFO = 2, XY_LOG_WARNING = 3, XY_LOG_ERROR = 4 };
typedef struct xy_log {
    uint32_t size;
    void (*write)(const xy_host *, int level, const char *message); /* [any] */
} xy_log;

#define XY_RNG "xylem.rng/1"
typedef struct xy_rng {
    uint32_t size;
    /* [any] The start of a random stream fixed by (run seed, step, round, record, salt): the order
     * in which answers arrive changes nothing. `record` NULL: by the source's sequence number, or
     * by the step alone in run(). Draw from it with xy_random_next(). */
    uint64_t (*stream)(const xy_job *, const xy_record *record, uint64_t salt);
} xy_rng;

#define XY_LOOP "xylem.loop/1"
typedef struct xy_loop {
    uint32_t size;
    /* [any] Runs fn(data) on the loop, soon, in the order of posting. */
    int (*post)(const xy_host *, void (*fn)(void *data), void *data);
    /* [loop] Runs fn(data) on the loop after `milliseconds`; always runs, also while stopping. */
    int (*after)(const xy_host *, uint32_t milliseconds, void (*fn)(void *data), void *data);
    /* [loop] Runs fn(data) on a worker, then done(data) on the loop; both always run. */
    int (*work)(const xy_host *, void (*fn)(void *data), void (*done)(void *data), void *data);
} xy_loop;

/* ---- model calls ----------------------------------------------------------------------------- */

enum { /* xy_request.operation, and the bits of what a generator can */
    XY_COMPLETE = 1u << 0, /* text for a prompt */
    XY_SCORE = 1u << 1,    /* log-probabilities of given continuations of a prompt */
    XY_EMBED = 1u << 2,    /* one vector for each text */
    XY_CAN_SCHEMA = 1u << 8,   /* constrains a completion to a JSON schema by itself */
    XY_CAN_LOGPROBS = 1u << 9, /* reports log-probabilities of the tokens it chose */
    XY_CAN_SEED = 1u << 10     /* honours `seed` */
};

typedef struct xy_message {
    xy_str role;    /* "system", "user", "assistant" */
    xy_str content;
} xy_message;

/* One request. Copied by submit(). Members that are 0/NULL take the model's own defaults, but for
 * temperature and top_p, where a negative value means "not set". */
typedef struct xy_request {
    uint32_t size;
    uint32_t operation;          /* XY_COMPLETE, XY_SCORE or XY_EMBED */
    const xy_message *messages;  /* the prompt; a last "assistant" message is a prefill */
    size_t message_count;
    const xy_str *texts;         /* XY_SCORE: candidate continuations; XY_EMBED: texts */
    size_t text_count;
    const xy_str *stop;          /* XY_COMPLETE: stop sequences, not part of the answer */
    size_t stop_count;
    xy_str json_schema;          /* XY_COMPLETE: the answer's schema; empty: free text */
    xy_str extra;                /* a JSON object of provider-specific parameters; may be empty */
    double temperature, top_p;
    uint32_t max_tokens;
    uint32_t logprobs;           /* nonzero asks for token log-probabilities: XY_COMPLETE and, since
                                    minor 1, XY_SCORE */
    uint64_t seed;
    uint32_t sample;             /* which of several samples of the same prompt, from 0 */
    uint32_t timeout_ms;         /* 0: the model's own */
} xy_request;

enum { /* xy_reply.finish */
    XY_FINISH_UNKNOWN = 0,
    XY_FINISH_STOP = 1,   /* the model ended by itself or at a stop sequence */
    XY_FINISH_LENGTH = 2, /* max_tokens cut it */
    XY_FINISH_FILTER = 3  /* the provider withheld it */
};

/* One answer. Everything it points to is borrowed for the callback, or for complete(). */
typedef struct xy_reply {
    uint32_t size;
    int32_t status;               /* XY_OK or XY_E*; on an error `error` says why */
    const char *error;
    xy_str text;                  /* XY_COMPLETE */
    const double *scores;         /* XY_SCORE: natural-log probability of each candidate, summed */
    const uint32_t *score_tokens; /* XY_SCORE: tokens of each candidate */
    size_t score_count;
    const float *vectors;         /* XY_EMBED: vector_count x dimension, row-major, unit length */
    size_t vector_count, dimension;
    /* With `logprobs`: natural log, one for each token. XY_SCORE, since minor 1: the candidates'
     * one behind the other, each as many as `score_tokens` says; none where the model tells sums
     * alone. */
    const float *logprobs;
    size_t logprob_count;
    uint32_t finish;
    uint32_t prompt_tokens, output_tokens, cached_tokens;
    uint32_t retryable;           /* from a generator: on an error, another attempt may succeed */
    uint32_t limited;             /* from a generator: the error is the server's rate limit */
    int32_t retry_after_ms;       /* from a generator: the server's own wish; negative: none. Note
                                     that 0 means "at once", so set -1 where there is none */
    const char *model;            /* what the server says answered; may be NULL */
    double cost;                  /* money as the server reports it; 0: by the file's price table */
} xy_reply;

typedef struct xy_model xy_model; /* an alias of `models:`, from an option of XY_OPT_MODEL */
typedef void (*xy_reply_done)(xy_job *job, void *user, const xy_reply *reply);

#define XY_MODEL "xylem.model/1"
/* Retries, rate limits, budget, cache and journal live behind these calls: no plugin has its
 * own. */
typedef struct xy_model_service {
    uint32_t size;
    /* [loop] Copies `request`. On 0 `done` is called exactly once, on [loop], never from inside
     * submit(); a reply with an error status is the last word. `ticket` may be NULL. */
    int (*submit)(xy_job *, const xy_model *, const xy_request *request, xy_reply_done done,
                  void *user, uint64_t *ticket);
    /* [any] A wish: `done` still comes, with XY_ECANCELED or with the answer that won the race. */
    int (*cancel)(xy_job *, const xy_model *, uint64_t ticket);
    /* [worker] The same, waiting for the answer, which lives in the job's arena. Returns its
     * status. */
    int (*call)(xy_job *, const xy_model *, const xy_request *request, xy_reply *reply);
    /* [worker] Embeds `count` texts, in as many calls as that takes, each text cached by content;
     * `*vectors` is count x *dimension in the job's arena. */
    int (*embed)(xy_job *, const xy_model *, const xy_str *texts, size_t count,
                 const float **vectors, size_t *dimension);
    /* [any] XY_COMPLETE, XY_SCORE ... bits. */
    uint32_t (*can)(const xy_model *);
} xy_model_service;

#define XY_HTTP "xylem.http/1"
typedef struct xy_http_request {
    uint32_t size;
    uint32_t timeout_ms;      /* 0: 600,000 */
    const char *method, *url; /* method NULL: POST with a body, GET without */
    const xy_str *headers;    /* "Name: value" each */
    size_t header_count;
    xy_str body;
    uint64_t max_body;        /* refuse a longer answer; 0: 64 MiB */
} xy_http_request;

typedef struct xy_http_reply {
    uint32_t size;
    int32_t status;          /* XY_OK once any HTTP answer came whole; else XY_E* */
    int32_t code;            /* the HTTP status, 0 when there was none */
    int32_t retry_after_ms;  /* from Retry-After (seconds or date) or retry-after-ms; -1: none */
    uint32_t retryable;      /* 408, 409, 429, 5xx, or a connection that failed or broke */
    const char *error;       /* what went wrong, without any secret; NULL when nothing did */
    xy_str body;
    const char *content_type;
} xy_http_reply;

typedef struct xy_http {
    uint32_t size;
    /* [loop] One attempt, over pooled connections. Copies `request`; `done` comes exactly once, on
     * [loop], never from inside submit(). */
    int (*submit)(const xy_host *, const xy_http_request *request,
                  void (*done)(void *user, const xy_http_reply *reply), void *user,
                  uint64_t *ticket);
    int (*cancel)(const xy_host *, uint64_t ticket); /* [loop] `done` comes, with XY_ECANCELED */
} xy_http;

/* ---- tools ----------------------------------------------------------------------------------- */

/* What makes a stage a tool that a model may call: its extension("xylem.tool/1") answers this. The
 * stage is a condition source that takes one record: the host makes a record whose fields are the
 * call's arguments, runs process() on it, and gives the model the field `result` (or, where the
 * stage drops the record or fails, the reason). Its options stand under `tools:` in the file. */
#define XY_TOOL "xylem.tool/1" /* since minor 1 */
typedef struct xy_tool {
    uint32_t size;
    const char *description; /* for the model: what it does and when to call it */
    const char *parameters;  /* JSON schema of the arguments: an object, its properties fields */
    const char *result;      /* the field that process() sets */
} xy_tool;

typedef struct xy_tool_reply {
    uint32_t size;
    int32_t status;  /* XY_OK; XY_DROP: the tool refused; XY_E*: it failed */
    xy_str result;   /* text or JSON of the result field, or the reason; borrowed for the callback */
} xy_tool_reply;

typedef void (*xy_tool_done)(xy_job *job, void *user, const xy_tool_reply *reply);

#define XY_TOOLS "xylem.tools/1" /* since minor 1: the tools of the pipeline's `tools:` */
typedef struct xy_tools {
    uint32_t size;
    /* [any] A JSON list of {"name", "description", "parameters"} of the tools named in `names`
     * (NULL-terminated; NULL: all), in the job's arena. XY_EINVAL, explained, for a name that the
     * file does not have. */
    int (*describe)(xy_job *, const char *const *names, xy_str *json);
    /* [loop] Calls a tool with `arguments`, a JSON object, which is checked against its schema. On
     * 0 `done` comes exactly once, on [loop], never from inside call(). */
    int (*call)(xy_job *, const char *name, xy_str arguments, xy_tool_done done, void *user);
} xy_tools;

/* ---- learners, expressions, schemas, files, reports ------------------------------------------ */

/* Rows to learn from or to predict; every array is borrowed for the call. */
typedef struct xy_examples {
    uint32_t size;
    uint32_t classes;      /* number of classes; at least 2 in fit() */
    size_t count;
    const xy_str *texts;   /* count */
    const int32_t *labels; /* count, each in [0, classes); NULL in predict() */
    const float *soft;     /* count x classes, rows sum to 1; NULL: use `labels` */
    const float *weights;  /* count; NULL: all 1 */
    const float *vectors;  /* count x dimension ready features; NULL: the learner makes its own */
    size_t dimension;
} xy_examples;

typedef struct xy_student xy_student; /* a configured learner, from an option of XY_OPT_LEARNER */

#define XY_LEARNER_SERVICE "xylem.learner/1"
typedef struct xy_learner_service {
    uint32_t size;
    /* [worker] Trains; *fitted is released by release(). Deterministic for one seed. */
    int (*fit)(xy_job *, const xy_student *, const xy_examples *, uint64_t seed, void **fitted);
    /* [worker] count x classes probabilities, row-major, rows sum to 1. */
    int (*predict)(xy_job *, const xy_student *, const void *fitted, const xy_examples *,
                   float *probabilities);
    /* [any] Frees what fit() or trace() made; NULL is fine. On the loop, as in close(), it only says
     * that nobody needs it any more: the learner's release() runs on a worker, once the stage is
     * closed. */
    void (*release)(const xy_student *, void *fitted);
    /* [worker] Since minor 1. fit() that also tells how each example was learned (Swayamdipta et
     * al. 2020, "Dataset Cartography", section 2): after each pass over the data, the class
     * probabilities of `watched`: *passes x watched->count x classes in the job's arena. `watched`
     * NULL: of the examples themselves. XY_EUNSUPPORTED for a learner that has no passes. */
    int (*trace)(xy_job *, const xy_student *, const xy_examples *, const xy_examples *watched,
                 uint64_t seed, const float **probabilities, uint32_t *passes, void **fitted);
} xy_learner_service;

#define XY_EXPRESSION "xylem.expression/1"
typedef struct xy_expression {
    uint32_t size;
    /* [any] Compiles; NULL with the reason in `error`. */
    void *(*compile)(xy_str source, char *error, size_t error_size);
    /* [any] Evaluates over a record's fields; *out borrows from the job's arena. 0 or negative. */
    int (*evaluate)(xy_job *, const void *compiled, const xy_record *, xy_value *out);
    /* [any] Jinja2's truth of a value: 0 or 1. */
    int (*truth)(const xy_value *);
    void (*release)(void *compiled);
} xy_expression;

#define XY_TEMPLATE "xylem.template/1" /* since minor 1 */
typedef struct xy_template {
    uint32_t size;
    /* [any] Compiles a prompt template; NULL with the reason in `error`. */
    void *(*compile)(xy_str source, char *error, size_t error_size);
    /* [any] Renders over a record's fields, the codebook, `round` and the run's `scores`; `record`
     * NULL: without fields. *out lives in the job's arena. Negative, explained, when a name is
     * undefined or a bound is passed. */
    int (*render)(xy_job *, const void *compiled, const xy_record *record, xy_str *out);
    void (*release)(void *compiled);
} xy_template;

#define XY_SCHEMA "xylem.schema/1"
typedef struct xy_schema {
    uint32_t size;
    void *(*compile)(xy_str schema, char *error, size_t error_size); /* [any] NULL: see `error` */
    /* [any] 0 when `json` is valid, else XY_EINVAL with the first violation and its path. */
    int (*validate)(const void *compiled, xy_str json, char *error, size_t error_size);
    void (*release)(void *compiled);
} xy_schema;

typedef struct xy_reader xy_reader;
typedef struct xy_writer xy_writer;

#define XY_FILES "xylem.files/1"
typedef struct xy_files {
    uint32_t size;
    /* [worker] Opens a file of records through the format its name ends in, or through `format`,
     * with that format's options as a JSON object. `format` and `options` may be NULL. */
    xy_reader *(*open)(xy_job *, const char *path, const char *format, const char *options);
    /* [worker] XY_OK with the next record's fields set on `out`, XY_END, or an error with its
     * line. */
    int (*next)(xy_job *, xy_reader *, xy_record *out);
    void (*close)(xy_reader *);
    /* [worker] Since minor 1. Makes a file of records in the same manner, `fields` as in
     * xy_format.write_open; missing folders are made. NULL, explained, when that cannot be. */
    xy_writer *(*create)(xy_job *, const char *path, const char *format, const char *options,
                         const char *const *fields);
    int (*write)(xy_job *, xy_writer *, const xy_record *);
    /* Ends the writer. With `keep` the file is flushed and takes the path's place as a whole, else
     * nothing is left of it. 0, or an error, explained. */
    int (*finish)(xy_job *, xy_writer *, int keep);
} xy_files;

#define XY_STORE "xylem.store/1" /* since minor 1 */
typedef struct xy_store {
    uint32_t size;
    /* [any] Where this step may keep the file `name` from run to run: in a folder of its own that
     * all runs of the pipeline share, and that may have to be made. In the job's arena. NULL,
     * explained, for what is no plain file name. */
    const char *(*path)(xy_job *, const char *name);
} xy_store;

#define XY_REPORT "xylem.report/1"
typedef struct xy_score {
    uint32_t size;
    const char *name;  /* snake_case, unique within the stage; `until:` sees it as STEP.name */
    double value;
    double low, high;  /* interval; NaN for none */
    const char *unit;  /* "", "share", "tokens" ... */
    uint64_t n;        /* how many records it is over; 0: not told */
    const char *help;  /* one line; may be NULL */
} xy_score;

typedef struct xy_report {
    uint32_t size;
    void (*score)(xy_job *, const xy_score *); /* [any] */
    /* [any] Free-form detail for the run's summary: a JSON value under `name`. */
    void (*detail)(xy_job *, const char *name, xy_str json);
} xy_report;

/* ---- options --------------------------------------------------------------------------------- */

enum { /* xy_option.type, with the C type written at `offset` in the stage's state */
    XY_OPT_TEXT = 1,       /* const char *; NULL when not given and without default */
    XY_OPT_INT = 2,        /* int64_t; "2M", "10k" are understood */
    XY_OPT_NUMBER = 3,     /* double */
    XY_OPT_BOOL = 4,       /* int32_t, 0 or 1 */
    XY_OPT_SECONDS = 5,    /* double; "500ms", "30s", "5m" are understood */
    XY_OPT_LIST = 6,       /* const char *const *, NULL-terminated; a scalar is a list of one */
    XY_OPT_JSON = 7,       /* const char *: any YAML value, as JSON text */
    XY_OPT_PATH = 8,       /* const char *: made absolute against the pipeline file's folder. A
                              file, or a folder with all in it, that a run notices to have
                              changed since it began, unless marked XY_OPT_NEUTRAL */
    XY_OPT_EXPRESSION = 9, /* const char *: checked to compile; use xylem.expression/1 */
    XY_OPT_MODEL = 10,     /* const xy_model *: names an alias of `models:` */
    XY_OPT_LEARNER = 11,   /* const xy_student *: a learner's name, or a map with `use:` */
    XY_OPT_DATASET = 12,   /* xy_dataset *: a step's id, or a path that a format can read; ready
                              in prepare(), process() and run(), not yet in open() */
    XY_OPT_FIELD = 13,     /* const char *: the name of a record's field */
    XY_OPT_TEMPLATE = 14   /* const char *: checked to compile; use xylem.template/1; minor 1 */
};

enum { /* xy_option.flags */
    XY_OPT_REQUIRED = 1u << 0,
    XY_OPT_SECRET = 1u << 1, /* never printed, logged, hashed in clear or written to disk */
    XY_OPT_REST = 1u << 2,   /* type XY_OPT_JSON: collects, as an object, all keys no other names */
    XY_OPT_NEUTRAL = 1u << 3 /* changes no answer (a timeout): not part of a request's key; a path
                                that a run may find changed when it goes on */
};

typedef struct xy_option {
    const char *name;     /* the key in the pipeline file; NULL ends the table */
    uint32_t type;
    uint32_t offset;      /* of the C type above, in the stage's state; set before open() */
    const char *def;      /* the default as it would be written in the file; NULL: none */
    uint32_t flags;
    double low, high;     /* both 0: any; else the allowed range of a number, inclusive */
    const char *choices;  /* "one|two|three"; NULL: any */
    const char *help;     /* one sentence; the reference pages are generated from it */
} xy_option;

/* ---- what a plugin exports ------------------------------------------------------------------- */

enum { /* 0 is not a kind: a forgotten member is an error, not a generator */
    XY_GENERATOR = 1,
    XY_CONDITION = 2,
    XY_FILTER = 3,
    XY_ENHANCER = 4,
    XY_EVALUATOR = 5,
    XY_LEARNER = 6,
    XY_FORMAT = 7
};

enum { /* xy_stage.flags */
    XY_STAGE_CPU = 1u << 0,       /* process() is called on [worker], one call at a time */
    XY_STAGE_REENTRANT = 1u << 1, /* with CPU: by many workers at once; state is read-only then */
    XY_STAGE_DATASET = 1u << 2,   /* run() sees the whole input; process() is not used */
    XY_STAGE_BATCH = 1u << 3,     /* a job may carry many records: answer with verdict() for each */
    XY_STAGE_SOURCE = 1u << 4,    /* works without input: makes records out of nothing */
    XY_STAGE_NO_INPUT = 1u << 5   /* with SOURCE: cannot take input, so it starts a stream wherever
                                     it stands in the file */
};

/* A model behind one asynchronous interface. */
typedef struct xy_call {
    const struct xy_call_api *api;
} xy_call;

typedef struct xy_call_api {
    uint32_t size;
    const xy_request *(*request)(const xy_call *); /* [any] valid until complete() */
    void *(*alloc)(xy_call *, size_t bytes);       /* [any] zeroed; freed after complete() */
    /* [loop] Exactly once for each accepted call, never from inside submit(); `reply` is copied.
     * The call is gone afterwards. From another thread go through xylem.loop/1 post(). */
    int (*complete)(xy_call *, const xy_reply *reply);
} xy_call_api;

typedef struct xy_generator {
    uint32_t size;
    /* [any] Which operations and abilities this configured instance has. After open(). */
    uint32_t (*can)(const void *state);
    /* [loop] Starts one attempt. 0: complete() will come. Negative: it will not. */
    int (*submit)(void *state, xy_call *call);
    /* [loop] A wish: complete() still comes, soon, with XY_ECANCELED or with an answer. */
    void (*cancel)(void *state, xy_call *call);
} xy_generator;

typedef struct xy_learner {
    uint32_t size;
    /* [worker] See xylem.learner/1. `*fitted` is the learner's own; freed by its release(). */
    int (*fit)(const void *state, xy_job *, const xy_examples *, uint64_t seed, void **fitted);
    int (*predict)(const void *state, xy_job *, const void *fitted, const xy_examples *,
                   float *probabilities);
    void (*release)(const void *state, void *fitted); /* [worker] */
    /* [worker] Since minor 1. Optional: see xylem.learner/1. `watched` is never NULL; memory from the
     * job's alloc(). */
    int (*trace)(const void *state, xy_job *, const xy_examples *, const xy_examples *watched,
                 uint64_t seed, const float **probabilities, uint32_t *passes, void **fitted);
} xy_learner;

/* Where a format writes: append() copies, [worker]. */
typedef struct xy_output {
    const struct xy_output_api *api;
} xy_output;

typedef struct xy_output_api {
    uint32_t size;
    int (*append)(xy_output *, const void *bytes, size_t length);
} xy_output_api;

typedef struct xy_format {
    uint32_t size;
    const char *endings; /* ".jsonl .ndjson": file names it is chosen for; "" for none */
    /* [worker] Reading: open a file, set the fields of one record after another, close. The error's
     * text (through explain()) names the line. Either half may be NULL. */
    int (*read_open)(const void *state, xy_job *, const char *path, void **cursor);
    int (*read_next)(const void *state, xy_job *, void *cursor, xy_record *out);
    void (*read_close)(const void *state, void *cursor);
    /* [worker] Writing: `fields` NULL-terminated, or NULL for all of each record. The host writes
     * to a temporary file, flushes it and renames it. */
    int (*write_open)(const void *state, xy_job *, const char *const *fields, xy_output *,
                      void **cursor);
    int (*write_next)(const void *state, xy_job *, void *cursor, const xy_record *);
    int (*write_close)(const void *state, xy_job *, void *cursor);
    /* Since minor 1. Nonzero: what write_next() appends depends on its record alone, and
     * write_open() and write_close() append nothing. The host may then write parts of one file with
     * several cursors, each in a thread of its own, and put them one behind the other. */
    uint32_t write_by_record;
} xy_format;

typedef struct xy_stage {
    uint32_t size;             /* XY_STAGE_INIT sets it */
    uint32_t kind, flags;
    uint32_t state_size;       /* zeroed state that the host allocates for each instance */
    const char *id;            /* the name after `use:`; letters, digits, '_', '-', '.' */
    const char *version, *summary;
    const char *const *needs;  /* services it cannot run without, NULL-terminated */
    const xy_option *options;
    uint32_t option_size;      /* stride of `options`; XY_STAGE_INIT sets it */
    uint32_t max_inflight;     /* jobs that may be pending here; 0: the host's default */
    /* [loop] Optional: look services up, check options. The last line that it logs as an error is
     * the reason that the user reads. `xylem check`, and a run before its first call, open and
     * close every stage but generators to hear it: whatever can wait belongs into prepare(). */
    int (*open)(void *state, const xy_host *host);
    /* [worker] Optional, once before the first process(): read pools, embed them, train. `job` has
     * no input and lives as long as the instance: what prepare() allocates on it stays. */
    int (*prepare)(void *state, xy_job *job);
    void (*close)(void *state);                    /* [loop] optional; no job is pending any more */
    int (*process)(void *state, xy_job *job);      /* [loop], or [worker] with XY_STAGE_CPU */
    int (*run)(void *state, xy_job *job, xy_dataset *input); /* [worker], with XY_STAGE_DATASET */
    const xy_generator *generator; /* of that kind, and so on */
    const xy_learner *learner;
    const xy_format *format;
    /* Optional: how many records process() will emit for one input (or, in a source, in all); -1
     * when it cannot tell. For `xylem check`. [any], after options are set and before open(). */
    int64_t (*estimate)(const void *state);
    const void *(*extension)(const char *id); /* optional: what this ABI has no member for yet */
    /* Optional: one line on which fields it reads and sets, for the reference pages, and for
     * `xylem check`, which refuses a prompt that names a field that no step sets: the word
     * `whatever` says that there are fields that neither this line nor an option names. */
    const char *fields;
    /* Since minor 1. Optional: how many model calls process() makes for one input (or, in a source,
     * in all), run() for each record of its input; NULL: none but those that embed. [any], as
     * estimate(). */
    double (*estimate_calls)(const void *state);
    /* Since minor 1. Optional: estimate() for a source whose records stand in files, which it has
     * once: it may read them through xylem.files/1. [worker], after open(); `job` is as in
     * prepare(). It should take no more than a second or two: of a long file a part tells enough.
     * Negative when it cannot tell; with explain(), the error that a run would end with. */
    int64_t (*estimate_files)(void *state, xy_job *job);
} xy_stage;

typedef struct xy_plugin {
    uint32_t size;
    uint16_t abi_major, abi_minor;  /* built against */
    uint32_t needs_minor;           /* the oldest host minor this plugin can run in */
    const char *name, *version, *license;
    const xy_stage *const *stages;  /* NULL-terminated */
} xy_plugin;

/* The one exported symbol. Returns static data and does nothing else, so that listing, checking and
 * documenting a plugin never runs its code. */
XY_EXPORT const xy_plugin *xy_plugin_v1(void);

#define XY_STAGE_INIT .size = sizeof(xy_stage), .option_size = sizeof(xy_option)

/* XY_PLUGIN_SINCE names the oldest host minor that the plugin can run in. */
#define XY_PLUGIN(name_, version_, license_, ...)                                                 \
    XY_PLUGIN_SINCE(0, name_, version_, license_, __VA_ARGS__)

#define XY_PLUGIN_SINCE(needs_minor_, name_, version_, license_, ...)                             \
    XY_EXPORT const xy_plugin *xy_plugin_v1(void)                                                 \
    {                                                                                             \
        static const xy_stage *const stages[] = {__VA_ARGS__, NULL};                              \
        static const xy_plugin plugin = {sizeof(plugin), XY_ABI_MAJOR, XY_ABI_MINOR,              \
                                         needs_minor_, name_, version_, license_, stages};        \
        return &plugin;                                                                           \
    }

/* ---- conveniences, compiled into the plugin: not part of the ABI ----------------------------- */

/* SplitMix64 (Steele, Lea, Flood 2014): the next 64 bits of the stream that `state` stands in. */
static inline uint64_t xy_random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Uniform in [0, 1), 53 bits. */
static inline double xy_random_unit(uint64_t *state)
{
    return (double)(xy_random_next(state) >> 11) * 0x1.0p-53;
}

/* Uniform in [0, bound) without bias; 0 when bound is 0. */
static inline uint64_t xy_random_below(uint64_t *state, uint64_t bound)
{
    if (bound == 0)
        return 0;
    uint64_t least = (0 - bound) % bound;
    for (;;) {
        uint64_t draw = xy_random_next(state);
        if (draw >= least)
            return draw % bound;
    }
}

static inline xy_str xy_text(const char *text)
{
    xy_str str = {text, text ? strlen(text) : 0};
    return str;
}

/* A record's text (or JSON) field; {NULL, 0} when it is absent or of another type. */
static inline xy_str xy_record_text(const xy_record *record, const char *field)
{
    xy_value value;
    memset(&value, 0, sizeof(value));
    int type = record->api->get(record, field, &value);
    if (type != XY_TEXT && type != XY_JSON)
        value.text.ptr = NULL, value.text.len = 0;
    return value.text;
}

static inline int xy_record_set_text(xy_record *record, const char *field, xy_str text)
{
    xy_value value;
    memset(&value, 0, sizeof(value));
    value.type = XY_TEXT;
    value.text = text;
    return record->api->set(record, field, &value);
}

static inline int xy_record_set_number(xy_record *record, const char *field, double number)
{
    xy_value value;
    memset(&value, 0, sizeof(value));
    value.type = XY_NUMBER;
    value.number = number;
    return record->api->set(record, field, &value);
}

static inline int xy_record_set_int(xy_record *record, const char *field, int64_t integer)
{
    xy_value value;
    memset(&value, 0, sizeof(value));
    value.type = XY_INT;
    value.integer = integer;
    return record->api->set(record, field, &value);
}

static inline int xy_record_set_json(xy_record *record, const char *field, xy_str json)
{
    xy_value value;
    memset(&value, 0, sizeof(value));
    value.type = XY_JSON;
    value.text = json;
    return record->api->set(record, field, &value);
}

/* The single input record's text. */
static inline xy_str xy_get(xy_job *job, const char *field)
{
    xy_str none = {NULL, 0};
    xy_record *input = job->api->input(job, 0);
    return input ? xy_record_text(input, field) : none;
}

/* explain() with a format; returns `verdict`, so that `return xy_say(...)` reads. */
XY_PRINTF(3, 4)
static inline int xy_say(xy_job *job, int verdict, const char *format, ...)
{
    char why[512];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    job->api->explain(job, why);
    return verdict;
}
#define xy_drop(job, ...) xy_say(job, XY_DROP, __VA_ARGS__)
#define xy_fail(job, error, ...) xy_say(job, error, __VA_ARGS__)

/* A log line with a format; does nothing in a host without xylem.log/1. */
XY_PRINTF(3, 4)
static inline void xy_log_line(const xy_host *host, int level, const char *format, ...)
{
    const xy_log *log = (const xy_log *)host->service(host, XY_LOG);
    if (!log)
        return;
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    log->write(host, level, message);
}

#ifdef __cplusplus
}
#endif
#endif /* XY_PLUGIN_H */
