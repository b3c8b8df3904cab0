/* SPDX-License-Identifier: Apache-2.0 */
#include "exec_learner.h"

#include <math.h>
#include <stdlib.h>

struct exec_learner {
    const char *const *command;
    double seconds;
    const xy_host *host;
};

static const xy_option options[] = {
    {.name = "command", .type = XY_OPT_LIST, .offset = offsetof(struct exec_learner, command),
     .flags = XY_OPT_REQUIRED, .help = "The program and its arguments, as a list; no shell is "
                                       "between."},
    {.name = "answer_within", .type = XY_OPT_SECONDS,
     .offset = offsetof(struct exec_learner, seconds), .def = "0", .flags = XY_OPT_NEUTRAL,
     .low = 0, .high = 1e7,
     .help = "Time for training, and for each prediction; 0: as long as it takes."},
    {0},
};

struct fitted {
    struct talk talk;
    uint32_t classes;
};

static int open_learner(void *state, const xy_host *host)
{
    ((struct exec_learner *)state)->host = host;
    return XY_OK;
}

static void release(const void *state, void *data)
{
    (void)state;
    struct fitted *fitted = data;
    if (!fitted)
        return;
    talk_end(&fitted->talk);
    free(fitted);
}

/* ---- lines out ------------------------------------------------------------------------------- */

static void add_floats(struct text *out, const char *name, const float *values, size_t count)
{
    text_add_literal(out, name);
    for (size_t j = 0; j < count; j++) {
        text_add_literal(out, j ? "," : "");
        if (isfinite(values[j]))
            text_add_number(out, (double)values[j]);
        else
            text_add_literal(out, "null");
    }
    text_add_literal(out, "]");
}

/* {"text": ..., "vector": [...], "label": 0 or "soft": [...], "weight": 1}, what there is. */
static void add_example(struct text *out, const xy_examples *examples, size_t row, bool labelled)
{
    const char *before = "{";
    if (examples->texts) {
        text_add_literal(out, "{\"text\":");
        text_add_json(out, examples->texts[row]);
        before = ",";
    }
    if (examples->vectors) {
        text_add_literal(out, before);
        add_floats(out, "\"vector\":[", examples->vectors + row * examples->dimension,
                   examples->dimension);
        before = ",";
    }
    if (labelled && examples->soft) {
        text_add_literal(out, before);
        add_floats(out, "\"soft\":[", examples->soft + row * examples->classes, examples->classes);
    } else if (labelled) {
        text_add_literal(out, before);
        text_add_literal(out, "\"label\":");
        text_add_integer(out, (uint64_t)examples->labels[row]);
    }
    if (labelled) {
        text_add_literal(out, ",\"weight\":");
        text_add_number(out, examples->weights ? (double)examples->weights[row] : 1);
    }
    text_add_literal(out, "}\n");
}

static void add_member(struct text *out, const char *name, uint64_t number)
{
    text_add_literal(out, name);
    text_add_integer(out, number);
}

/* ---- lines in -------------------------------------------------------------------------------- */

static int complain(xy_job *job, const struct exec_learner *learner, xy_str line,
                    const char *expected)
{
    return xy_fail(job, XY_EIO, "`%s` answered `%.*s`; expected is %s", learner->command[0],
                   line.len < 120 ? (int)line.len : 120, line.ptr, expected);
}

/* A line is an object; one with `error` is the end. */
static int read_line(xy_job *job, const struct exec_learner *learner, xy_str line, xy_str *object)
{
    *object = json_check(line);
    if (json_kind(*object) != '{')
        return complain(job, learner, line, "a JSON object");
    xy_str error = json_member(*object, "error");
    if (!error.ptr)
        return XY_OK;
    char *text = job->api->alloc(job, error.len + 1);
    size_t length = text && json_kind(error) == '"' ? json_decode(error, text) : 0;
    return xy_fail(job, XY_EIO, "`%s`: %.*s", learner->command[0], (int)length,
                   length ? text : "");
}

/* A list of probabilities, which are divided by their sum. */
static bool read_probabilities(xy_str list, uint32_t classes, float *out)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    uint32_t count = 0;
    double sum = 0;
    if (json_kind(list) != '[')
        return false;
    while (json_next(list, &cursor, &key, &value)) {
        double p = json_number(value, NAN);
        if (count == classes || !(p >= 0) || isinf(p))
            return false;
        out[count++] = (float)p;
        sum += p;
    }
    for (uint32_t k = 0; k < count; k++)
        out[k] = (float)((double)out[k] / sum);
    return count == classes && sum > 0;
}

static bool read_pass(xy_str pass, size_t count, uint32_t classes, float *out)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    size_t rows = 0;
    while (json_next(pass, &cursor, &key, &value)) {
        if (rows == count || !read_probabilities(value, classes, out + rows * classes))
            return false;
        rows++;
    }
    return rows == count;
}

/* ---- training -------------------------------------------------------------------------------- */

/* The passes of a trace, grown as they come; in the end they move to the job's arena. */
struct passes {
    float *probabilities;
    size_t size; /* of one pass */
    uint32_t count, room;
};

static float *next_pass(struct passes *passes)
{
    if (passes->count == passes->room) {
        uint32_t room = passes->room ? 2 * passes->room : 8;
        float *grown = realloc(passes->probabilities, (room * passes->size + 1) * sizeof(*grown));
        if (!grown)
            return NULL;
        passes->probabilities = grown;
        passes->room = room;
    }
    return passes->probabilities + passes->count++ * passes->size;
}

/* Reads passes until the line that says that training is done. */
static int hear_training(const struct exec_learner *learner, const struct talk_terms *terms,
                         struct fitted *fitted, const struct text *out, size_t watched,
                         struct passes *passes)
{
    xy_str line, object;
    for (;;) {
        int code = talk_exchange(&fitted->talk, terms, out, &line);
        if (code == XY_OK)
            code = read_line(terms->job, learner, line, &object);
        if (code != XY_OK)
            return code;
        out = NULL;
        if (json_kind(json_member(object, "fitted")) == 't')
            return XY_OK;
        xy_str pass = json_member(object, "pass");
        float *row = watched && json_kind(pass) == '[' ? next_pass(passes) : NULL;
        if (!row || !read_pass(pass, watched, fitted->classes, row))
            return complain(terms->job, learner, line, "{\"fitted\": true}, or before it "
                            "{\"pass\": [[...], ...]} with the probabilities of each watched "
                            "example");
    }
}

static int train(const struct exec_learner *learner, xy_job *job, const xy_examples *examples,
                 const xy_examples *watched, uint64_t seed, struct passes *passes, void **out)
{
    const struct talk_terms terms = {learner->host, job, learner->command, learner->seconds};
    struct text lines = {0};
    struct fitted *fitted = calloc(1, sizeof(*fitted));
    size_t others = watched ? watched->count : 0;
    if (!fitted)
        return XY_ENOMEM;
    fitted->classes = examples->classes;
    add_member(&lines, "{\"operation\":\"fit\",\"count\":", examples->count);
    add_member(&lines, ",\"classes\":", examples->classes);
    add_member(&lines, ",\"dimension\":", examples->vectors ? examples->dimension : 0);
    add_member(&lines, ",\"seed\":", seed >> 11); /* 53 bits, which any JSON reader keeps */
    add_member(&lines, ",\"watched\":", others);
    text_add_literal(&lines, "}\n");
    for (size_t i = 0; i < examples->count; i++)
        add_example(&lines, examples, i, true);
    for (size_t i = 0; i < others; i++)
        add_example(&lines, watched, i, false);
    int code = lines.failed ? XY_ENOMEM : talk_start(&fitted->talk, &terms);
    if (code == XY_OK)
        code = hear_training(learner, &terms, fitted, &lines, others, passes);
    text_free(&lines);
    if (code < 0) {
        release(learner, fitted);
        return code;
    }
    *out = fitted;
    return XY_OK;
}

static int fit(const void *state, xy_job *job, const xy_examples *examples, uint64_t seed,
               void **out)
{
    struct passes passes = {.count = 0};
    return train(state, job, examples, NULL, seed, &passes, out);
}

static int trace(const void *state, xy_job *job, const xy_examples *examples,
                 const xy_examples *watched, uint64_t seed, const float **probabilities,
                 uint32_t *count, void **out)
{
    const struct exec_learner *learner = state;
    struct passes passes = {.size = watched->count * examples->classes};
    *out = NULL;
    int code = train(learner, job, examples, watched, seed, &passes, out);
    size_t bytes = passes.count * passes.size * sizeof(float);
    float *kept = code == XY_OK ? job->api->alloc(job, bytes + 1) : NULL;
    if (code == XY_OK && passes.count == 0)
        code = xy_fail(job, XY_EUNSUPPORTED, "`%s` tells no passes: a program that is to be "
                       "watched writes {\"pass\": ...} after each", learner->command[0]);
    else if (code == XY_OK && !kept)
        code = XY_ENOMEM;
    if (code == XY_OK && bytes)
        memcpy(kept, passes.probabilities, bytes);
    free(passes.probabilities);
    *probabilities = kept;
    *count = passes.count;
    if (code < 0 && *out) {
        release(state, *out);
        *out = NULL;
    }
    return code;
}

/* ---- prediction ------------------------------------------------------------------------------ */

static int predict(const void *state, xy_job *job, const void *data, const xy_examples *examples,
                   float *probabilities)
{
    const struct exec_learner *learner = state;
    struct fitted *fitted = (struct fitted *)(uintptr_t)data; /* its process is not const */
    const struct talk_terms terms = {learner->host, job, learner->command, learner->seconds};
    struct text lines = {0};
    add_member(&lines, "{\"operation\":\"predict\",\"count\":", examples->count);
    text_add_literal(&lines, "}\n");
    for (size_t i = 0; i < examples->count; i++)
        add_example(&lines, examples, i, false);
    int code = lines.failed ? XY_ENOMEM : XY_OK;
    for (size_t i = 0; i < examples->count && code == XY_OK; i++) {
        xy_str line, object;
        code = talk_exchange(&fitted->talk, &terms, i == 0 ? &lines : NULL, &line);
        if (code == XY_OK)
            code = read_line(job, learner, line, &object);
        if (code == XY_OK &&
            !read_probabilities(json_member(object, "probabilities"), fitted->classes,
                                probabilities + i * fitted->classes))
            code = complain(job, learner, line, "{\"probabilities\": [...]}, a number for each "
                            "class, not all 0");
    }
    text_free(&lines);
    return code;
}

static const xy_learner learner = {
    .size = sizeof(learner), .fit = fit, .predict = predict, .release = release, .trace = trace};

/* Options under which the conformance kit can try it. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{command: [cat]}" : NULL;
}

const xy_stage exec_learner_stage = {
    XY_STAGE_INIT,
    .kind = XY_LEARNER,
    .state_size = sizeof(struct exec_learner),
    .id = "exec",
    .version = "1.0.0",
    .summary = "Any program that trains and predicts over JSON lines",
    .options = options,
    .open = open_learner,
    .learner = &learner,
    .extension = extension,
};
