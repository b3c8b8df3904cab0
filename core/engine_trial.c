/* SPDX-License-Identifier: Apache-2.0 */
/* Every stage opened and closed again before anything is paid: a stage checks in open() what its
 * option table cannot say, and one that begins hours later would tell its user too late. */
#include <stdlib.h>

#include "engine_internal.h"
#include "job.h"

enum { STUDENTS = 8 };

struct trial {
    const struct pipeline *pipeline;
    struct services *services;
    struct error_list *errors;
    xy_student *students[STUDENTS]; /* of the stage that is tried */
    size_t student_count;
};

/* ---- what options point to ------------------------------------------------------------------- */

/* In open() a data set is not ready yet, by the ABI's word: that there is one is all it may see. */
static uint64_t no_count(const xy_dataset *dataset)
{
    (void)dataset;
    return 0;
}

static const xy_record *no_record(xy_dataset *dataset, uint64_t index)
{
    (void)dataset;
    (void)index;
    return NULL;
}

static xy_record *no_edit(xy_dataset *dataset, uint64_t index)
{
    (void)dataset;
    (void)index;
    return NULL;
}

static int no_verdict(xy_dataset *dataset, uint64_t index, int verdict, const char *why)
{
    (void)dataset;
    (void)index;
    (void)verdict;
    (void)why;
    return XY_EUNSUPPORTED;
}

static const float *no_column(xy_dataset *dataset, const char *field, uint32_t *width)
{
    (void)dataset;
    (void)field;
    *width = 0;
    return NULL;
}

static const xy_dataset_api no_dataset = {.size = sizeof(xy_dataset_api), .count = no_count,
                                          .at = no_record, .edit = no_edit,
                                          .verdict = no_verdict, .column = no_column};

static xy_dataset *resolve_dataset(void *data, const struct node *node, struct error *error)
{
    static xy_dataset unready = {&no_dataset};
    (void)data;
    (void)node;
    (void)error;
    return &unready;
}

/* `check` opens no model: it would load weights, or want a key. */
static const xy_model *resolve_model(void *data, const struct node *node, struct error *error)
{
    static const char unopened;
    const struct trial *trial = data;
    const struct model *model = NULL;
    if (!trial->services->models)
        return (const xy_model *)&unopened;
    model = models_find(trial->services->models, node->text.ptr);
    if (!model)
        node_error(node, error, XY_EINVAL, "there is no model `%s`", node->text.ptr);
    return (const xy_model *)model;
}

static const xy_student *resolve_learner(void *data, const struct node *node, struct error *error)
{
    struct trial *trial = data;
    const struct option_resolver resolver = {.model = resolve_model, .data = trial};
    if (trial->student_count == STUDENTS) {
        node_error(node, error, XY_EUNSUPPORTED, "a step may name at most %d learners", STUDENTS);
        return NULL;
    }
    xy_student *student =
        student_create(trial->services, node, trial->pipeline->folder, &resolver, error);
    if (student)
        trial->students[trial->student_count++] = student;
    return student;
}

/* ---- services -------------------------------------------------------------------------------- */

/* A model that is not open may be able to do anything: only a run can tell. */
static uint32_t can_anything(const xy_model *model)
{
    (void)model;
    return UINT32_MAX;
}

static int no_post(const xy_host *host, void (*fn)(void *data), void *data)
{
    (void)host;
    (void)fn;
    (void)data;
    return XY_EUNSUPPORTED;
}

static int no_after(const xy_host *host, uint32_t milliseconds, void (*fn)(void *data), void *data)
{
    (void)milliseconds;
    return no_post(host, fn, data);
}

static int no_work(const xy_host *host, void (*fn)(void *data), void (*done)(void *data),
                   void *data)
{
    (void)done;
    return no_post(host, fn, data);
}

static int no_request(const xy_host *host, const xy_http_request *request,
                      void (*done)(void *user, const xy_http_reply *reply), void *user,
                      uint64_t *ticket)
{
    (void)host;
    (void)request;
    (void)done;
    (void)user;
    (void)ticket;
    return XY_EUNSUPPORTED;
}

static int no_cancel(const xy_host *host, uint64_t ticket)
{
    (void)host;
    (void)ticket;
    return XY_EUNSUPPORTED;
}

/* What a run will have, and `check` has not. Calls that need a job cannot be made in open(). */
static const void *find_service(const xy_host *host, const char *id)
{
    static const xy_loop no_loop = {sizeof(no_loop), no_post, no_after, no_work};
    static const xy_http no_http = {sizeof(no_http), no_request, no_cancel};
    static xy_model_service any_model;
    const struct services *services = host_services(host);
    if (strcmp(id, XY_TOOLS) == 0) /* a run's are opened later */
        return services->pipeline->tool_count ? &service_tools : NULL;
    if (strcmp(id, XY_STORE) == 0)
        return &service_store;
    if (strcmp(id, XY_LOOP) == 0 && !services->loop)
        return &no_loop;
    if (strcmp(id, XY_HTTP) == 0 && !services->http)
        return &no_http;
    if (strcmp(id, XY_MODEL) == 0 && !services->models) {
        any_model = service_model;
        any_model.can = can_anything;
        return &any_model;
    }
    return services_find(host, id);
}

/* ---- stages ---------------------------------------------------------------------------------- */

static void add_error(struct trial *trial, struct error *error, const struct node *place)
{
    if (!error->code)
        return;
    if (error->line == 0 && place) /* a stage knows not where in the file it stands */
        error_at(error, place->file, place->line, place->column);
    error_list_add(trial->errors, error);
}

static bool names_model(const struct step *step)
{
    for (size_t i = 0; i < step->type->option_count; i++) {
        const xy_option *option = &step->type->options[i];
        if (option->type == XY_OPT_MODEL && node_member(step->with, option->name))
            return true;
    }
    return false;
}

/* An opened instance, or NULL; end_stage() in both cases. */
static struct instance *begin_stage(struct trial *trial, const struct step *step,
                                    struct error *error)
{
    const struct option_resolver resolver = {.model = resolve_model, .learner = resolve_learner,
                                             .dataset = resolve_dataset, .data = trial};
    struct instance *instance =
        instance_create(trial->services, step->type, step->id, step->with, step->node,
                        trial->pipeline->folder, NULL, &resolver, error);
    if (!instance || instance_open(instance, error) == XY_OK)
        return instance;
    instance_close(instance);
    return NULL;
}

static void end_stage(struct trial *trial, struct instance *instance)
{
    instance_close(instance);
    while (trial->student_count)
        student_destroy(trial->students[--trial->student_count]);
}

static void try_stage(struct trial *trial, const struct step *step)
{
    struct error error = {0};
    struct instance *instance = begin_stage(trial, step, &error);
    end_stage(trial, instance);
    add_error(trial, &error, step->node);
}

static void try_steps(struct trial *trial, struct step *const *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool stage = steps[i]->kind == STEP_STAGE;
        /* A run tries, once its models are open, what `check` could not tell without them. */
        if (stage && (!trial->services->models || names_model(steps[i])))
            try_stage(trial, steps[i]);
        try_steps(trial, steps[i]->steps, steps[i]->step_count);
    }
}

static void try_tools(struct trial *trial)
{
    for (size_t i = 0; i < trial->pipeline->tool_count; i++) {
        struct step *step = &trial->pipeline->tools[i].step;
        try_steps(trial, &step, 1);
    }
}

static void try_formats(struct trial *trial)
{
    for (size_t i = 0; i < trial->pipeline->write_count; i++) {
        struct error error = {0};
        const struct write_spec *spec = &trial->pipeline->writes[i];
        struct instance *instance =
            output_format_open(trial->services, trial->pipeline, spec, &error);
        instance_close(instance);
        add_error(trial, &error, spec->format_node);
    }
}

/* ---- for `check`, and for a run -------------------------------------------------------------- */

/* Everything of a run but its models. Ended by report_destroy(). */
static struct services services_of(const struct pipeline *pipeline)
{
    return (struct services){.registry = pipeline->registry,
                             .pipeline = pipeline,
                             .report = report_create(),
                             .seed = pipeline->seed,
                             .service = find_service,
                             .log_level = XY_LOG_ERROR + 1};
}

void engine_check_stages(const struct pipeline *pipeline, struct error_list *errors)
{
    struct services services = services_of(pipeline);
    struct trial trial = {.pipeline = pipeline, .services = &services, .errors = errors};
    try_tools(&trial);
    try_steps(&trial, pipeline->steps, pipeline->step_count);
    try_formats(&trial);
    report_destroy(services.report);
}

double engine_ask_files(const struct pipeline *pipeline, const struct step *step,
                        struct error *error)
{
    struct services services = services_of(pipeline);
    struct trial trial = {.pipeline = pipeline, .services = &services};
    struct error unopened = {0};
    struct instance *instance = begin_stage(&trial, step, &unopened);
    struct job *job = instance ? job_create(instance, NULL, 0) : NULL;
    int64_t count = job ? step->type->stage.estimate_files(instance_state(instance), &job->base)
                        : XY_EINVAL;
    if (count < 0 && job && job->why) {
        error_set(error, (int)count, "`%s`: %s", step->id, job->why);
        error_at(error, step->node->file, step->node->line, step->node->column);
    }
    job_destroy(job);
    end_stage(&trial, instance);
    report_destroy(services.report);
    return count < 0 ? -1 : (double)count;
}

static void try_on_loop(void *data)
{
    struct trial *trial = data;
    try_tools(trial);
    try_steps(trial, trial->pipeline->steps, trial->pipeline->step_count);
}

int engine_try_stages(struct engine *engine)
{
    struct services services = engine->services;
    struct error_list errors = {0};
    struct trial trial = {.pipeline = engine->pipeline, .services = &services, .errors = &errors};
    services.service = find_service;
    services.log_level = XY_LOG_ERROR + 1; /* the stage says it again when its time comes */
    engine_on_loop(engine, try_on_loop, &trial);
    if (errors.count && !engine->error.code)
        engine->error = errors.errors[0];
    for (size_t i = 1; i < errors.count; i++)
        services_log(&engine->services, XY_LOG_ERROR, "xylem", "%s:%d: %s", errors.errors[i].file,
                     errors.errors[i].line, errors.errors[i].text);
    error_list_free(&errors);
    return engine->error.code;
}
