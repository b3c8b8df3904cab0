/* SPDX-License-Identifier: Apache-2.0 */
/* services.h - what the host offers to plugins: the tables behind xy_host.service().
 *
 * One file under services/ for each service. A service whose part of the core is absent (no models
 * in `xylem test-plugin`) is NULL to the plugin.
 */
#ifndef XYLEM_CORE_SERVICES_H
#define XYLEM_CORE_SERVICES_H

#include "http.h"
#include "loop.h"
#include "model.h"
#include "options.h"
#include "registry.h"
#include "report.h"

struct services {
    struct loop *loop;
    struct http *http;
    struct models *models;
    struct tools *tools; /* NULL: the file has no `tools:` */
    const struct registry *registry;
    struct report *report;
    const struct pipeline *pipeline; /* NULL in tests */
    const char *store;               /* folder of all of the pipeline's runs; NULL: none */
    uint64_t seed;
    const _Atomic int *cancelled;    /* the run's flag */
    /* A line for the user; NULL: standard error. [any] */
    void (*log)(void *data, int level, const char *who, const char *message);
    void *log_data;
    int log_level;                   /* lines below it are not written */
    /* NULL: the tables of this program. Else asked in their place: the conformance kit's own. */
    const void *(*service)(const xy_host *host, const char *id);
};

/* The host's side of xy_host: one for each instance. */
struct host {
    xy_host base; /* first */
    struct services *services;
    const char *name;
    bool opening;        /* open() is running: its error lines become the reason */
    char problem[512];   /* the last of them */
};

void host_init(struct host *host, struct services *services, const char *name);
struct services *host_services(const xy_host *host);
const char *host_name(const xy_host *host);
/* The program's own table for that id, or NULL where its part of the core is absent. */
const void *services_find(const xy_host *host, const char *id);

/* A log line from the core itself. [any] */
void services_log(struct services *services, int level, const char *who, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Is this the thread that a call is tagged for? XY_OK, or XY_EBUG with a line that names the plugin
 * and the call ("xylem.model/1 embed()"). Without a loop there is nothing to hold it against. [any]
 */
int services_on_loop(struct services *services, const char *who, const char *call);
int services_off_loop(struct services *services, const char *who, const char *call);

/* A learner with its options, what an option of type XY_OPT_LEARNER points to. `node`: its name, or
 * a map with `use:`. Owned by the caller, freed by student_destroy() [loop]. */
xy_student *student_create(struct services *services, const struct node *node, const char *folder,
                           const struct option_resolver *resolver, struct error *error);
/* What the stage released on the loop, as in close(): the learner's release() is called now.
 * [worker], once the stage is closed and before student_destroy(). */
void student_release_left(xy_student *student);
void student_destroy(xy_student *student);

/* A scope over one record's fields, then over the run's globals: codebook, round, record_id,
 * record_weight, and scores, what evaluators have reported so far, as scores.STEP.name. */
struct record_scope {
    const struct record *record;     /* NULL: globals only */
    const struct services *services; /* without a pipeline there is no codebook */
    uint32_t round;
};
struct scope record_scope(const struct record_scope *data);
/* Does a step's `when` hold for the record? 0 with *holds, or what the evaluation failed with. */
int record_when(const struct record_scope *data, const struct expression *when, bool *holds,
                struct error *error);

/* Each table below is static; see plugin.h. */
extern const xy_log service_log;
extern const xy_rng service_rng;
extern const xy_loop service_loop;
extern const xy_model_service service_model;
extern const xy_http service_http;
extern const xy_learner_service service_learner;
extern const xy_expression service_expression;
extern const xy_template service_template;
extern const xy_schema service_schema;
extern const xy_tools service_tools;
extern const xy_files service_files;
extern const xy_store service_store;
extern const xy_report service_report;

#endif
