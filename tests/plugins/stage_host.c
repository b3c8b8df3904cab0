/* SPDX-License-Identifier: Apache-2.0 */
#include "stage_host.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "json.h"
#include "stage_host_internal.h"

static void fail(const char *what, const struct error *error)
{
    printf("\n    %s: %s\n", what, error->text);
    CU_FAIL_FATAL("the test's own input is wrong");
}

static void keep_log(void *data, int level, const char *who, const char *message)
{
    (void)level;
    struct stage_host *host = data;
    size_t used = strlen(host->log);
    snprintf(host->log + used, sizeof(host->log) - used, "%s: %s\n", who, message);
}

void stage_host_init(struct stage_host *host)
{
    *host = (struct stage_host){0};
    host->services.registry = &host->registry;
    host->services.report = report_create();
    host->services.seed = 7;
    host->services.cancelled = &host->cancelled;
    host->services.log = keep_log;
    host->services.log_data = host;
    host->services.service = stage_host_service;
}

void stage_host_free(struct stage_host *host)
{
    for (size_t i = 0; i < host->student_count; i++)
        student_destroy(host->students[i]);
    for (size_t i = 0; i < host->dataset_count; i++) {
        dataset_view_finish(&host->datasets[i].view);
        dataset_destroy(host->datasets[i].dataset);
        unlink(host->datasets[i].path);
    }
    report_destroy(host->services.report);
    registry_free(&host->registry);
    arena_free(&host->arena);
}

void stage_host_load(struct stage_host *host, const char *name)
{
    struct error error = {0};
    const char *path = arena_printf(&host->arena, "%s/lib/xylem/%s.so", TEST_BUILD_DIR, name);
    if (!registry_load(&host->registry, path, &error))
        fail(path, &error);
}

/* ---- records and data sets ------------------------------------------------------------------- */

static void set_vector(struct record *record, const char *field, const struct value *list)
{
    float *vector = memory_zeroed(list->list.count + 1, sizeof(float));
    for (size_t i = 0; i < list->list.count; i++) {
        const struct value *item = &list->list.items[i];
        vector[i] = item->type == VALUE_INT ? (float)item->integer : (float)item->number;
    }
    xy_value value = {.type = XY_VECTOR, .length = (uint32_t)list->list.count, .vector = vector};
    record_set(record, field, &value);
    free(vector);
}

static void set_member(struct record *record, const struct member *member)
{
    const struct value *value = &member->value;
    double number = value->type == VALUE_INT ? (double)value->integer : value->number;
    char *name = memory_copy_text(member->key.ptr, member->key.len);
    if (strcmp(name, "@weight") == 0)
        record->weight = number;
    else if (strcmp(name, "@parent") == 0)
        record->parent = (uint64_t)value->integer;
    else if (name[0] == '#')
        set_vector(record, name + 1, value);
    else
        record_set_tree(record, name, value);
    free(name);
}

static struct record *parse_record(xy_str json, uint64_t id)
{
    struct arena arena = {0};
    struct error error = {0};
    struct value value;
    int code = json_parse(&arena, json, &value, &error);
    if (code < 0 || value.type != VALUE_MAP) {
        arena_free(&arena);
        fail("a record", &error);
    }
    struct record *record = record_create(id);
    for (size_t i = 0; i < value.map.count; i++)
        set_member(record, &value.map.members[i]);
    arena_free(&arena);
    return record;
}

struct record *stage_host_record(const char *json, uint64_t id)
{
    return parse_record(str_of(json), id);
}

static struct stage_dataset *new_dataset(struct stage_host *host, const char *name)
{
    static unsigned number; /* tests are one thread */
    struct error error = {0};
    CU_ASSERT_FATAL(host->dataset_count < STAGE_HOST_DATASETS);
    struct stage_dataset *set = &host->datasets[host->dataset_count++];
    snprintf(set->name, sizeof(set->name), "%s", name);
    snprintf(set->path, sizeof(set->path), P_tmpdir "/stage-%ld-%u.xyl", (long)getpid(), number++);
    set->dataset = dataset_create(set->path, &error);
    if (!set->dataset)
        fail(set->path, &error);
    return set;
}

static void seal(struct stage_host *host, struct stage_dataset *set)
{
    struct error error = {0};
    if (dataset_seal(set->dataset, &error) < 0)
        fail(set->path, &error);
    dataset_view_init(&set->view, set->dataset, &host->arena, false);
}

static void append_line(struct dataset *dataset, xy_str line)
{
    struct error error = {0};
    struct record *record = parse_record(line, 1000 + dataset_count(dataset));
    if (dataset_append(dataset, record, &error) < 0)
        fail("append", &error);
    record_destroy(record);
}

void stage_host_add_dataset(struct stage_host *host, const char *name, const char *lines)
{
    struct stage_dataset *set = new_dataset(host, name);
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        if (length)
            append_line(set->dataset, (xy_str){lines, length});
        lines += length + (lines[length] == '\n');
    }
    seal(host, set);
}

void stage_host_add_records(struct stage_host *host, const char *name,
                            struct record *const *records, size_t count)
{
    struct error error = {0};
    struct stage_dataset *set = new_dataset(host, name);
    for (size_t i = 0; i < count; i++)
        if (dataset_append(set->dataset, records[i], &error) < 0)
            fail(name, &error);
    seal(host, set);
}

static struct stage_dataset *find_dataset(struct stage_host *host, const char *name)
{
    for (size_t i = 0; i < host->dataset_count; i++)
        if (strcmp(host->datasets[i].name, name) == 0)
            return &host->datasets[i];
    return NULL;
}

/* ---- instances ------------------------------------------------------------------------------- */

static const xy_model *resolve_model(void *data, const struct node *node, struct error *error)
{
    (void)node, (void)error;
    return data; /* any pointer that is not NULL: the mock asks nothing of it */
}

static const struct option_resolver *resolver_of(struct stage_host *host);

static const xy_student *resolve_learner(void *data, const struct node *node, struct error *error)
{
    struct stage_host *host = data;
    if (host->student_count == sizeof(host->students) / sizeof(host->students[0])) {
        error_set(error, XY_EINVAL, "this test makes too many learners");
        return NULL;
    }
    xy_student *student =
        student_create(&host->services, node, ".", resolver_of(host), error);
    if (student)
        host->students[host->student_count++] = student;
    return student;
}

static xy_dataset *resolve_dataset(void *data, const struct node *node, struct error *error)
{
    struct stage_dataset *set = find_dataset(data, node->text.ptr);
    if (!set)
        node_error(node, error, XY_EINVAL, "there is no data set `%s`", node->text.ptr);
    return set ? &set->view.base : NULL;
}

static const struct option_resolver *resolver_of(struct stage_host *host)
{
    struct option_resolver *resolver = arena_alloc(&host->arena, sizeof(*resolver));
    *resolver = (struct option_resolver){resolve_model, resolve_learner, resolve_dataset, host};
    return resolver;
}

struct instance *stage_host_open(struct stage_host *host, uint32_t kind, const char *id,
                                 const char *yaml)
{
    host->error = (struct error){0};
    const struct stage_type *type = registry_find(&host->registry, kind, id);
    if (!type) {
        error_set(&host->error, XY_EINVAL, "no stage `%s`", id);
        fail(id, &host->error);
    }
    struct node *with = NULL;
    if (yaml) {
        with = node_read_text(&host->arena, "test.yaml", str_of(yaml), &host->error);
        if (!with)
            fail(yaml, &host->error);
    }
    struct node place = {.kind = NODE_MAP, .file = "test.yaml", .line = 1, .column = 1};
    struct instance *instance =
        instance_create(&host->services, type, id, with, with ? with : &place, ".", NULL,
                        resolver_of(host), &host->error);
    if (!instance)
        return NULL;
    if (instance_open(instance, &host->error) < 0 ||
        instance_prepare(instance, 0, &host->error) < 0) {
        instance_close(instance);
        return NULL;
    }
    return instance;
}

/* ---- one job --------------------------------------------------------------------------------- */

static void note_finished(struct job *job, void *data)
{
    (void)job;
    *(bool *)data = true;
}

void stage_host_process(struct stage_host *host, struct instance *instance, const char *json,
                        struct stage_result *result)
{
    *result = (struct stage_result){0};
    bool finished = false;
    if (json)
        result->input = stage_host_record(json, 1);
    struct job *job = job_create(instance, &result->input, json ? 1 : 0);
    job->cancelled = &host->cancelled;
    job->finished = note_finished;
    job->data = &finished;
    int answer = instance_type(instance)->stage.process(instance_state(instance), &job->base);
    if (!job_settle(job, answer)) {
        while (!finished && stage_host_answer_next(host)) {}
        if (!finished)
            CU_FAIL_FATAL("the job is pending and nothing is left that could finish it");
    }
    result->job = job;
    result->verdict = job->verdict;
    result->why = job->why;
    struct record **emitted = job_take_emitted(job, &result->count);
    result->records = memory_zeroed(result->count + 1, sizeof(struct record *));
    for (size_t i = 0; i < result->count; i++)
        result->records[i] = emitted[i];
}

static void run(struct stage_host *host, struct instance *instance, struct stage_dataset *set,
                struct stage_result *result)
{
    *result = (struct stage_result){0};
    bool evaluator = instance_type(instance)->stage.kind == XY_EVALUATOR;
    struct job *job = job_create(instance, NULL, 0);
    job->cancelled = &host->cancelled;
    struct dataset_view view;
    dataset_view_init(&view, set->dataset, &job->arena, !evaluator);
    int answer =
        instance_type(instance)->stage.run(instance_state(instance), &job->base, &view.base);
    job_settle(job, answer);
    result->job = job;
    result->verdict = job->verdict;
    result->why = job->why;
    result->count = dataset_count(set->dataset);
    result->records = memory_zeroed(result->count + 1, sizeof(struct record *));
    result->verdicts = memory_zeroed(result->count + 1, sizeof(int));
    result->reasons = memory_zeroed(result->count + 1, sizeof(char *));
    for (size_t i = 0; i < result->count; i++)
        result->records[i] =
            dataset_view_take(&view, i, &result->verdicts[i], &result->reasons[i]);
    for (size_t i = 0; i < result->count; i++) /* the view's memory is about to go */
        if (result->reasons[i])
            result->reasons[i] =
                arena_copy(&job->arena, result->reasons[i], strlen(result->reasons[i]));
    dataset_view_finish(&view);
}

void stage_host_run(struct stage_host *host, struct instance *instance, const char *lines,
                    struct stage_result *result)
{
    stage_host_add_dataset(host, "", lines);
    struct stage_dataset *set = &host->datasets[--host->dataset_count];
    run(host, instance, set, result);
    dataset_view_finish(&set->view);
    dataset_destroy(set->dataset);
    unlink(set->path);
}

void stage_host_run_filter(struct stage_host *host, const char *id, const char *options,
                           const char *lines, struct stage_result *result)
{
    struct instance *filter = stage_host_open(host, XY_FILTER, id, options);
    CU_ASSERT_FATAL(filter != NULL);
    stage_host_run(host, filter, lines, result);
    instance_close(filter);
}

void stage_host_check_refusal(struct stage_host *host, const char *id, const char *options,
                              const char *lines, const char *why)
{
    struct stage_result result;
    stage_host_run_filter(host, id, options, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    if (result.why && !strstr(result.why, why))
        printf("\n    got: %s\n", result.why);
    CU_ASSERT(result.why && strstr(result.why, why));
    stage_result_free(&result);
}

void stage_host_run_dataset(struct stage_host *host, struct instance *instance, const char *name,
                            struct stage_result *result)
{
    struct stage_dataset *set = find_dataset(host, name);
    CU_ASSERT_FATAL(set != NULL);
    run(host, instance, set, result);
}

void stage_result_free(struct stage_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        record_destroy(result->records[i]);
    free(result->records);
    free(result->verdicts);
    free(result->reasons);
    record_destroy(result->input);
    job_destroy(result->job);
    *result = (struct stage_result){0};
}
