/* SPDX-License-Identifier: Apache-2.0 */
/* stage_host.h - a small host for tests of plugins: it loads the built object through the registry,
 * makes an instance from YAML text, feeds it records written as JSON lines and keeps what it said.
 *
 * Everything runs on the calling thread, without a loop: a stage that asks for xylem.loop/1 gets
 * NULL. A failure that is the test's own (a file that does not load, YAML or JSON that does not
 * parse) ends the test through CU_FAIL_FATAL; what the stage answers is for the test to judge.
 *
 * A JSON line's members become fields. Two forms are special: "@weight": NUMBER and "@parent":
 * INTEGER set what is not a field, and "#name": [NUMBERS] makes a vector field `name`.
 */
#ifndef XYLEM_TESTS_PLUGINS_STAGE_HOST_H
#define XYLEM_TESTS_PLUGINS_STAGE_HOST_H

#include "dataset.h"
#include "instance.h"
#include "job.h"
#include "services.h"

enum { STAGE_HOST_DATASETS = 16 };

struct stage_dataset {
    char name[32], path[64];
    struct dataset *dataset;
    struct dataset_view view;
};

struct stage_host {
    struct services services; /* first: what xy_host leads back to */
    struct registry registry;
    struct arena arena;
    struct error error;       /* of the last stage_host_open() that gave NULL */
    struct stage_dataset datasets[STAGE_HOST_DATASETS];
    size_t dataset_count;
    xy_student *students[8];  /* made for options, freed with the host */
    size_t student_count;
    _Atomic int cancelled;
    /* xylem.model/1 is there when this is set. Fills the reply, from `arena` where it needs memory;
     * the reply's status, and the return value, is XY_OK or an error. */
    int (*answer)(void *data, const xy_request *request, xy_reply *reply, struct arena *arena);
    void *answer_data;
    /* xylem.tools/1 is there when this is set: calls a tool. Fills the reply, its result from
     * `arena`. `tools`: what describe() says, a JSON list. */
    void (*tool)(void *data, const char *name, xy_str arguments, xy_tool_reply *reply,
                 struct arena *arena);
    const char *tools;
    struct stage_tool_call *tool_calls; /* made and not yet answered, oldest first */
    struct stage_call *calls; /* submitted and not yet answered, oldest first */
    bool newest_first;        /* answers the newest call first, as a server may */
    char log[4096];           /* every log line, one after another */
};

/* What a stage made of its input. */
struct stage_result {
    int verdict;              /* what process() or run() came to */
    const char *why;          /* explain(), or NULL */
    struct record **records;  /* run(): each input record as edited; else what was emitted */
    int *verdicts;            /* run(): of each record, XY_OK or XY_DROP */
    const char **reasons;
    size_t count;
    struct job *job;          /* owns `why` and the emitted records' memory */
    struct record *input;     /* process(): the input record, as edited; NULL for a source */
};

void stage_host_init(struct stage_host *host);
void stage_host_free(struct stage_host *host);
/* Loads build/lib/xylem/NAME.so. */
void stage_host_load(struct stage_host *host, const char *name);
/* A data set that an option of type XY_OPT_DATASET can name. */
void stage_host_add_dataset(struct stage_host *host, const char *name, const char *lines);
/* The same from records that the test made; they stay the caller's. */
void stage_host_add_records(struct stage_host *host, const char *name,
                            struct record *const *records, size_t count);

/* Creates, opens and prepares an instance with the options of `yaml` (NULL: none). The instance's
 * name, which seeds its random streams, is `id`. NULL with host->error. Freed by
 * instance_close(). */
struct instance *stage_host_open(struct stage_host *host, uint32_t kind, const char *id,
                                 const char *yaml);
/* One record from a JSON object; the caller's. */
struct record *stage_host_record(const char *json, uint64_t id);

/* process() on one record (`json` NULL: a source is asked once), pending model calls answered. */
void stage_host_process(struct stage_host *host, struct instance *instance, const char *json,
                        struct stage_result *result);
/* run() on a data set of JSON lines, or on one that was added. */
void stage_host_run(struct stage_host *host, struct instance *instance, const char *lines,
                    struct stage_result *result);
void stage_host_run_dataset(struct stage_host *host, struct instance *instance, const char *name,
                            struct stage_result *result);
/* Opens the filter `id`, runs it on JSON lines, and closes it. */
void stage_host_run_filter(struct stage_host *host, const char *id, const char *options,
                           const char *lines, struct stage_result *result);
/* The same must end with XY_EINVAL and a reason in which `why` stands. */
void stage_host_check_refusal(struct stage_host *host, const char *id, const char *options,
                              const char *lines, const char *why);
void stage_result_free(struct stage_result *result);

/* A field of a record as text ("0.5", "true", a JSON text); "" when it is absent. Valid until the
 * next call. */
const char *stage_text(const struct record *record, const char *field);
double stage_number(const struct record *record, const char *field); /* NaN when it is no number */

/* The newest score of that name, NaN members when there is none; a detail's JSON, or NULL. */
struct report_score stage_host_score(const struct stage_host *host, const char *name);
const char *stage_host_detail(struct stage_host *host, const char *step, const char *name);

/* All bytes of a file (gunzipped when its name ends in .gz), NULL when it cannot be read; the
 * host's. */
const char *stage_host_file(struct stage_host *host, const char *path);
/* The same for a file of the reference data: in $XYLEM_REFERENCE_DATA, or in ../shared/data beside
 * the repository. NULL, and a line that says so, where there is none. */
const char *stage_host_reference(struct stage_host *host, const char *name);

#endif
