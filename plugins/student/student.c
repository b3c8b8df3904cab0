/* SPDX-License-Identifier: Apache-2.0 */
/* student - a small model that learns from a teacher's labels and corrects those it doubts. */
#include <math.h>
#include <stdlib.h>

#include "folds.h"

struct student {
    const xy_host *host;
    const char *text, *label, *vector, *confidence, *action, *teaches;
    const xy_student *learner;
    const char *const *features;
    xy_dataset *train;
    int64_t folds, stages;
    double threshold, margin;
    const xy_learner_service *service;
    const xy_rng *rng;
    const xy_report *report;
};

static const xy_option options[] = {
    {.name = "learner", .type = XY_OPT_LEARNER, .offset = offsetof(struct student, learner),
     .flags = XY_OPT_REQUIRED, .help = "The student: a learner's name, or a map with `use:`."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = offsetof(struct student, text), .def = "text",
     .help = "The field with the text."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = offsetof(struct student, label),
     .def = "label", .help = "The field with the teacher's label; a record may be without."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = offsetof(struct student, vector),
     .help = "A field with vectors to learn from in place of the text."},
    {.name = "features", .type = XY_OPT_LIST, .offset = offsetof(struct student, features),
     .help = "Or fields that are numbers or categories: the columns of a table."},
    {.name = "confidence", .type = XY_OPT_FIELD, .offset = offsetof(struct student, confidence),
     .help = "The field with the teacher's probability of its label, where there is one."},
    {.name = "folds", .type = XY_OPT_INT, .offset = offsetof(struct student, folds), .def = "5",
     .low = 2, .high = 100,
     .help = "Each part of the records is judged by a student of the other parts."},
    {.name = "stages", .type = XY_OPT_INT, .offset = offsetof(struct student, stages), .def = "1",
     .low = 1, .high = 20,
     .help = "Students of a stage learn the labels of the students of the stage before, where "
             "these were heard; always of other parts than they judge."},
    {.name = "teaches", .type = XY_OPT_TEXT, .offset = offsetof(struct student, teaches),
     .def = "labels", .choices = "labels|probabilities",
     .help = "What a stage hands on to the next where it was heard: its labels, or the "
             "probabilities of all classes."},
    {.name = "train", .type = XY_OPT_DATASET, .offset = offsetof(struct student, train),
     .help = "Another data set to learn from, such as human seeds, in place of the folds."},
    {.name = "threshold", .type = XY_OPT_NUMBER, .offset = offsetof(struct student, threshold),
     .def = "0.9", .low = 0, .high = 1,
     .help = "The student is heard when the probability of its label is at least this."},
    {.name = "margin", .type = XY_OPT_NUMBER, .offset = offsetof(struct student, margin),
     .def = "0", .low = -1, .high = 1,
     .help = "And when it is above the teacher's by more than this."},
    {.name = "action", .type = XY_OPT_TEXT, .offset = offsetof(struct student, action),
     .def = "relabel", .choices = "relabel|drop|annotate",
     .help = "What becomes of a record whose label the student contradicts."},
    {0},
};

/* One run. */
struct lesson {
    struct labelled set, train;
    struct names classes;
    struct columns columns;
    struct judgements judgements;
    uint32_t *fold_of, *taught; /* taught: each record's class in the stage, then the teacher's */
    float *soft;                /* what the next stage learns in their place; NULL: labels */
    uint64_t moved[20];         /* of each stage: labels that the next one learns otherwise */
    uint64_t asked, agreed, overruled, filled;
};

static int open_student(void *state, const xy_host *host)
{
    struct student *student = state;
    student->host = host;
    student->service = host->service(host, XY_LEARNER_SERVICE);
    student->rng = host->service(host, XY_RNG);
    student->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    if (student->train && student->stages > 1) {
        xy_log_line(host, XY_LOG_ERROR, "with `train` there is one student, and no second of the "
                    "`stages`");
        return XY_EINVAL;
    }
    return student->service && student->rng ? XY_OK : XY_EUNSUPPORTED;
}

/* Is the student sure enough to be heard against this record's label? */
static bool is_surer(const struct student *student, const xy_record *record, bool labelled,
                     double confidence)
{
    if (confidence < student->threshold)
        return false;
    if (!student->confidence || !labelled)
        return true;
    double teacher = names_number(record, student->confidence, NAN);
    return isnan(teacher) || confidence > teacher + student->margin;
}

/* What the next stage learns of one record as probabilities: the students' where they were heard,
 * else all on the teacher's label. */
static void soften(struct lesson *lesson, size_t i, bool heard)
{
    uint32_t classes = lesson->classes.count, teacher = lesson->taught[i];
    float *row = lesson->soft + i * classes;
    if (heard) {
        memcpy(row, lesson->judgements.probabilities + i * classes, classes * sizeof(*row));
        return;
    }
    memset(row, 0, classes * sizeof(*row));
    if (teacher != NAMES_NONE)
        row[teacher] = 1;
}

/* What the next stage learns: the students' labels where they were heard, else the teacher's. */
static void pass_on(const struct student *student, xy_dataset *input, struct lesson *lesson,
                    int64_t stage)
{
    for (size_t i = 0; i < lesson->set.count; i++) {
        uint32_t teacher = lesson->taught[i], said = lesson->judgements.classes[i];
        double confidence = (double)lesson->judgements.confidences[i];
        bool heard = said != NAMES_NONE &&
                     is_surer(student, input->api->at(input, i), teacher != NAMES_NONE,
                              confidence);
        uint32_t next = heard ? said : teacher;
        lesson->moved[stage] += next != lesson->set.classes[i];
        lesson->set.classes[i] = next;
        if (lesson->soft)
            soften(lesson, i, heard);
    }
    lesson->set.soft = lesson->soft;
}

/* Stage after stage over the same parts, so that no record is ever judged by a student that learnt
 * it (Zhao et al. 2023, "Multistage Collaborative Knowledge Distillation", section 3). */
static int judge_in_stages(const struct student *student, const struct school *school,
                           xy_dataset *input, struct lesson *lesson)
{
    size_t size = lesson->set.count * sizeof(*lesson->taught);
    size_t cells = lesson->set.count * lesson->classes.count;
    if (student->stages > 1 && student->teaches[0] == 'p') {
        lesson->soft = calloc(cells + 1, sizeof(float));
        lesson->judgements.probabilities = calloc(cells + 1, sizeof(float));
        if (!lesson->soft || !lesson->judgements.probabilities)
            return XY_ENOMEM;
    }
    int folds = folds_split(school, &lesson->set, (int)student->folds, lesson->fold_of);
    int code = folds < 0 ? folds : XY_OK;
    memcpy(lesson->taught, lesson->set.classes, size);
    for (int64_t stage = 0; stage < student->stages && code == XY_OK; stage++) {
        code = folds_judge(school, &lesson->set, folds, lesson->fold_of, &lesson->judgements);
        if (code == XY_OK && stage + 1 < student->stages)
            pass_on(student, input, lesson, stage);
    }
    memcpy(lesson->set.classes, lesson->taught, size);
    lesson->set.soft = NULL;
    return code;
}

static int judge(const struct student *student, xy_job *job, xy_dataset *input,
                 struct lesson *lesson)
{
    lesson->columns.names = student->features;
    lesson->columns.host = student->host;
    const struct labelled_fields fields = {student->text, student->label, student->vector,
                                           student->features ? &lesson->columns : NULL};
    const struct school school = {
        .service = student->service, .learner = student->learner, .job = job,
        .seed = student->rng->stream(job, NULL, 0), .classes = &lesson->classes};
    int code = XY_OK;
    if (student->train) /* first: from it the columns are learnt */
        code = labelled_read(&lesson->train, job, student->train, &fields, &lesson->classes);
    if (code == XY_OK)
        code = labelled_read(&lesson->set, job, input, &fields, &lesson->classes);
    size_t count = lesson->set.count;
    lesson->fold_of = calloc(count + 1, sizeof(*lesson->fold_of));
    lesson->taught = calloc(count + 1, sizeof(*lesson->taught));
    lesson->judgements.classes = calloc(count + 1, sizeof(uint32_t));
    lesson->judgements.confidences = calloc(count + 1, sizeof(float));
    if (!lesson->fold_of || !lesson->taught || !lesson->judgements.classes ||
        !lesson->judgements.confidences)
        return XY_ENOMEM;
    for (size_t i = 0; i < count; i++)
        lesson->judgements.classes[i] = NAMES_NONE;
    if (code < 0)
        return code;
    if (student->train)
        return folds_judge_all(&school, &lesson->train, &lesson->set, &lesson->judgements);
    return judge_in_stages(student, &school, input, lesson);
}

static int overrule(const struct student *student, xy_dataset *input, size_t index,
                    xy_record *record, xy_str label, double confidence, struct lesson *lesson)
{
    char scratch[NAMES_SCRATCH];
    xy_str teacher = names_label(record, student->label, scratch);
    if (strcmp(student->action, "annotate") == 0)
        return XY_OK;
    if (strcmp(student->action, "drop") == 0) {
        if (!teacher.ptr)
            return XY_OK; /* no label, no contradiction */
        lesson->overruled++;
        char why[256];
        snprintf(why, sizeof(why), "the student says \"%.80s\" with %.3f, the label is \"%.*s\"",
                 label.ptr, confidence, (int)(teacher.len < 80 ? teacher.len : 80), teacher.ptr);
        return input->api->verdict(input, index, XY_DROP, why);
    }
    lesson->overruled += teacher.ptr != NULL;
    lesson->filled += teacher.ptr == NULL;
    int code = teacher.ptr ? xy_record_set_text(record, "teacher_label", teacher) : XY_OK;
    if (code >= 0)
        code = xy_record_set_text(record, student->label, label);
    if (code >= 0 && student->confidence)
        code = xy_record_set_number(record, student->confidence, confidence);
    return code;
}

static int apply_one(const struct student *student, xy_dataset *input, size_t index,
                     struct lesson *lesson)
{
    uint32_t class_index = lesson->judgements.classes[index];
    if (class_index == NAMES_NONE)
        return XY_OK;
    uint32_t teacher = lesson->set.classes[index];
    double confidence = (double)lesson->judgements.confidences[index];
    xy_str label = names_at(&lesson->classes, class_index);
    xy_record *record = input->api->edit(input, index);
    lesson->asked += teacher != NAMES_NONE;
    lesson->agreed += teacher == class_index;
    int code = xy_record_set_text(record, "student_label", label);
    if (code >= 0)
        code = xy_record_set_number(record, "student_confidence", confidence);
    if (code < 0 || teacher == class_index ||
        !is_surer(student, record, teacher != NAMES_NONE, confidence))
        return code;
    return overrule(student, input, index, record, label, confidence, lesson);
}

static void give_score(const struct student *student, xy_job *job, const char *name, double value,
                       const char *unit, uint64_t n, const char *help)
{
    const xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = NAN,
                            .high = NAN, .unit = unit, .n = n, .help = help};
    student->report->score(job, &score);
}

static void report_lesson(const struct student *student, xy_job *job, const struct lesson *lesson)
{
    if (!student->report)
        return;
    if (lesson->asked)
        give_score(student, job, "student_agreement",
                   (double)lesson->agreed / (double)lesson->asked, "share", lesson->asked,
                   "share of labels that the student gives too, not having learnt from them");
    give_score(student, job, "overruled", (double)lesson->overruled, "records", lesson->set.count,
               "labels that the student changed, or records that it dropped");
    for (int64_t stage = 0; stage + 1 < student->stages; stage++) {
        char name[32];
        snprintf(name, sizeof(name), "moved_%d", (int)stage + 1);
        give_score(student, job, name, (double)lesson->moved[stage], "records", lesson->set.count,
                   "labels that changed from one stage's lesson to the next");
    }
    give_score(student, job, "filled", (double)lesson->filled, "records", lesson->set.count,
               "labels that the student gave to records without one");
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct student *student = state;
    struct lesson lesson = {.asked = 0};
    int code = XY_OK;
    if (input->api->count(input) > 0)
        code = judge(student, job, input, &lesson);
    for (size_t i = 0; i < lesson.set.count && code >= 0; i++)
        code = apply_one(student, input, i, &lesson);
    if (code >= 0)
        report_lesson(student, job, &lesson);
    labelled_free(&lesson.set);
    labelled_free(&lesson.train);
    names_free(&lesson.classes);
    columns_free(&lesson.columns);
    free(lesson.fold_of);
    free(lesson.taught);
    free(lesson.judgements.classes);
    free(lesson.judgements.confidences);
    free(lesson.judgements.probabilities);
    free(lesson.soft);
    return code < 0 ? code : XY_OK;
}

static const char *const needs[] = {XY_LEARNER_SERVICE, XY_RNG, NULL};

static const xy_stage student_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct student),
    .id = "student",
    .version = "1.0.0",
    .summary = "A small model learns from the labels and corrects those that it doubts",
    .needs = needs,
    .options = options,
    .open = open_student,
    .run = run,
    .fields = "reads `text`, `label`, `vector`, `features`, `confidence` and each record's "
              "weight; sets student_label, student_confidence, and on relabelling `label`, "
              "`confidence` and teacher_label",
};

XY_PLUGIN("student", "1.0.0", "Apache-2.0", &student_stage)
