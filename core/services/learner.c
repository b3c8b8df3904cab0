/* SPDX-License-Identifier: Apache-2.0 */
/* xylem.learner/1, and the students that options of type XY_OPT_LEARNER point to. */
#include <math.h>
#include <stdlib.h>

#include "instance.h"
#include "job.h"

struct xy_student {
    struct instance *instance;
    /* What was released on the loop, where a learner's own release() must not run. [loop] until the
     * stage that did it is closed. */
    void **left;
    size_t left_count;
};

xy_student *student_create(struct services *services, const struct node *node, const char *folder,
                           const struct option_resolver *resolver, struct error *error)
{
    static const char *const ignore[] = {"use", NULL};
    const struct node *use = node->kind == NODE_MAP ? node_member(node, "use") : node;
    if (!use || use->kind != NODE_SCALAR || use->text.len == 0) {
        node_error(node, error, XY_EINVAL, "a learner is a name, or a map with `use: NAME`");
        return NULL;
    }
    const struct stage_type *type = registry_find(services->registry, XY_LEARNER, use->text.ptr);
    if (!type) {
        node_error(use, error, XY_EINVAL, "there is no learner `%s`", use->text.ptr);
        const char *near = registry_nearest(services->registry, XY_LEARNER, use->text.ptr);
        if (near)
            error_hint(error, "did you mean `%s`?", near);
        return NULL;
    }
    struct instance *instance =
        instance_create(services, type, use->text.ptr, node->kind == NODE_MAP ? node : NULL, node,
                        folder, ignore, resolver, error);
    if (!instance)
        return NULL;
    xy_student *student = memory_zeroed(1, sizeof(*student));
    student->instance = instance;
    if (instance_open(instance, error) < 0) {
        student_destroy(student);
        return NULL;
    }
    return student;
}

static const xy_learner *learner_of(const xy_student *student)
{
    return &instance_type(student->instance)->learner;
}

void student_release_left(xy_student *student)
{
    for (size_t i = 0; i < student->left_count; i++)
        learner_of(student)->release(instance_state(student->instance), student->left[i]);
    free(student->left);
    student->left = NULL;
    student->left_count = 0;
}

void student_destroy(xy_student *student)
{
    if (!student)
        return;
    instance_close(student->instance);
    free(student);
}

static int check_examples(xy_job *job, const xy_examples *examples, bool labelled)
{
    if (examples->classes < 2)
        return xy_fail(job, XY_EINVAL, "a learner needs at least two classes, there %s %u",
                       examples->classes == 1 ? "is" : "are", examples->classes);
    for (size_t i = 0; labelled && i < examples->count; i++) {
        if (!examples->soft && (uint32_t)examples->labels[i] >= examples->classes)
            return xy_fail(job, XY_EINVAL, "example %zu has label %d of %u classes", i,
                           (int)examples->labels[i], examples->classes);
        if (examples->weights && !(isfinite(examples->weights[i]) && examples->weights[i] >= 0))
            return xy_fail(job, XY_EINVAL, "example %zu has weight %g", i,
                           (double)examples->weights[i]);
    }
    return XY_OK;
}

/* May a learner be trained, now and here, on these? */
static int check_training(xy_job *job, const xy_examples *examples, const char *call)
{
    int tagged = services_off_loop(instance_services(((struct job *)job)->instance),
                                   instance_name(((struct job *)job)->instance), call);
    if (tagged < 0)
        return tagged;
    if (examples->count == 0)
        return xy_fail(job, XY_EINVAL, "there is nothing to train on");
    if (!examples->labels && !examples->soft)
        return xy_fail(job, XY_EINVAL, "training needs labels");
    return check_examples(job, examples, true);
}

static int trace(xy_job *job, const xy_student *student, const xy_examples *examples,
                 const xy_examples *watched, uint64_t seed, const float **probabilities,
                 uint32_t *passes, void **fitted)
{
    const xy_learner *learner = learner_of(student);
    *fitted = NULL;
    *passes = 0;
    int code = check_training(job, examples, XY_LEARNER_SERVICE " trace()");
    if (code == XY_OK && watched)
        code = check_examples(job, watched, false);
    if (code < 0)
        return code;
    if (!learner->trace)
        return xy_fail(job, XY_EUNSUPPORTED, "the learner `%s` does not tell how it learned: it "
                       "has no passes over the data; `xylem plugins` lists the others",
                       instance_type(student->instance)->stage.id);
    return learner->trace(instance_state(student->instance), job, examples,
                          watched ? watched : examples, seed, probabilities, passes, fitted);
}

static int fit(xy_job *job, const xy_student *student, const xy_examples *examples, uint64_t seed,
               void **fitted)
{
    *fitted = NULL;
    int code = check_training(job, examples, XY_LEARNER_SERVICE " fit()");
    if (code < 0)
        return code;
    const void *state = instance_state(student->instance);
    return learner_of(student)->fit(state, job, examples, seed, fitted);
}

static int predict(xy_job *job, const xy_student *student, const void *fitted,
                   const xy_examples *examples, float *probabilities)
{
    int tagged = services_off_loop(instance_services(((struct job *)job)->instance),
                                   instance_name(((struct job *)job)->instance),
                                   XY_LEARNER_SERVICE " predict()");
    if (tagged < 0)
        return tagged;
    int code = check_examples(job, examples, false);
    if (code < 0 || examples->count == 0)
        return code;
    const void *state = instance_state(student->instance);
    return learner_of(student)->predict(state, job, fitted, examples, probabilities);
}

static void release(const xy_student *base, void *fitted)
{
    struct xy_student *student = (struct xy_student *)(uintptr_t)base;
    const struct services *services = instance_services(student->instance);
    if (!fitted)
        return;
    if (!services->loop || !loop_is_current(services->loop)) {
        learner_of(student)->release(instance_state(student->instance), fitted);
        return;
    }
    student->left = memory_resize(student->left, student->left_count + 1, sizeof(void *));
    student->left[student->left_count++] = fitted;
}

const xy_learner_service service_learner = {
    .size = sizeof(xy_learner_service), .fit = fit, .predict = predict, .release = release,
    .trace = trace};
