/* SPDX-License-Identifier: Apache-2.0 */
/* likelihood - how probable a model finds a text under the prompt of each label, token by token:
 * the discriminative part of FewGen (Meng et al. 2023, "Tuning Language Models as Training Data
 * Generators for Augmentation-Enhanced Few-Shot Learning", section 3.2), by log-probabilities. */
#include <math.h>

#include "names.h"
#include "text.h"

struct likelihood {
    const xy_model *model;
    const char *prompt, *system, *text, *label, *into, *weights_into, *level;
    const char *const *labels;
    size_t label_count;
    const xy_model_service *models;
    const xy_template *templates;
    const xy_report *report;
    void *prompt_compiled, *system_compiled;
    uint64_t asked, unasked, labelled, likeliest; /* records */
    double sum;                                   /* of their own labels' shares */
};

#define AT(member) offsetof(struct likelihood, member)

static const xy_option options[] = {
    {.name = "model", .type = XY_OPT_MODEL, .offset = AT(model), .flags = XY_OPT_REQUIRED,
     .help = "The model that is asked; the one that wrote the texts, to say what it could tell "
             "apart. It must score given texts."},
    {.name = "prompt", .type = XY_OPT_TEMPLATE, .offset = AT(prompt), .flags = XY_OPT_REQUIRED,
     .help = "A template of the prompt that asks for such a text. It is rendered once for each of "
             "`labels`, with the field `label` set to it; the text is scored as the answer."},
    {.name = "system", .type = XY_OPT_TEMPLATE, .offset = AT(system),
     .help = "A template of the system message, likewise; none when not given."},
    {.name = "labels", .type = XY_OPT_LIST, .offset = AT(labels), .flags = XY_OPT_REQUIRED,
     .help = "The labels that a text might have been written for; two at least."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = AT(text), .def = "text",
     .help = "The field with the text."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label), .def = "label",
     .help = "The field with the label, as the prompt names it."},
    {.name = "level", .type = XY_OPT_TEXT, .offset = AT(level), .def = "token",
     .choices = "token|text",
     .help = "Whether the labels share each token's probability, and a text has the mean of its "
             "tokens' shares, or they share the probability of the whole text."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "likelihood",
     .help = "The field set to a map from each label to its share."},
    {.name = "weights_into", .type = XY_OPT_FIELD, .offset = AT(weights_into),
     .def = "token_weights",
     .help = "With `level: token`: the field set to the list of the tokens' shares under the "
             "record's own label."},
    {0},
};

/* ---- options --------------------------------------------------------------------------------- */

static const char *check_labels(struct likelihood *likelihood)
{
    const char *const *labels = likelihood->labels;
    for (; labels[likelihood->label_count]; likelihood->label_count++)
        for (size_t i = 0; i < likelihood->label_count; i++)
            if (strcmp(labels[i], labels[likelihood->label_count]) == 0)
                return "`labels` has a label twice";
    return likelihood->label_count < 2 ? "`labels` needs two labels at least: a share of one is 1"
                                       : NULL;
}

static void *compile(const struct likelihood *likelihood, const xy_host *host, const char *name,
                     const char *source)
{
    char error[256];
    void *compiled = likelihood->templates->compile(xy_text(source), error, sizeof(error));
    if (!compiled)
        xy_log_line(host, XY_LOG_ERROR, "`%s`: %s", name, error);
    return compiled;
}

static void close_likelihood(void *state)
{
    struct likelihood *likelihood = state;
    if (likelihood->prompt_compiled)
        likelihood->templates->release(likelihood->prompt_compiled);
    if (likelihood->system_compiled)
        likelihood->templates->release(likelihood->system_compiled);
    likelihood->prompt_compiled = likelihood->system_compiled = NULL;
}

static int open_likelihood(void *state, const xy_host *host)
{
    struct likelihood *likelihood = state;
    likelihood->models = host->service(host, XY_MODEL);
    likelihood->templates = host->service(host, XY_TEMPLATE);
    likelihood->report = host->service(host, XY_REPORT); /* may be absent: a courtesy */
    if (!likelihood->models || !likelihood->templates)
        return XY_EUNSUPPORTED;
    const char *wrong = check_labels(likelihood);
    uint32_t can = likelihood->models->can(likelihood->model);
    if (!wrong && !(can & XY_SCORE))
        wrong = "the model of `model` does not score given texts; a local one does, and an "
                "endpoint with the legacy completions (`api: completions`)";
    if (wrong) {
        xy_log_line(host, XY_LOG_ERROR, "%s", wrong);
        return XY_EINVAL;
    }
    likelihood->prompt_compiled = compile(likelihood, host, "prompt", likelihood->prompt);
    if (likelihood->system)
        likelihood->system_compiled = compile(likelihood, host, "system", likelihood->system);
    bool good = likelihood->prompt_compiled && (likelihood->system_compiled || !likelihood->system);
    if (!good)
        close_likelihood(likelihood); /* close() comes only after a good open() */
    return good ? XY_OK : XY_EINVAL;
}

static double estimate_calls(const void *state)
{
    const struct likelihood *likelihood = state;
    size_t count = 0;
    while (likelihood->labels && likelihood->labels[count])
        count++;
    return (double)count;
}

/* ---- one record ------------------------------------------------------------------------------ */

struct asking { /* one text, asked about under one label after the other */
    struct likelihood *likelihood;
    xy_job *job;
    xy_record *scratch; /* the record's fields with another label; never emitted */
    xy_str text;
    size_t at;          /* the label that is asked about */
    double *sums;       /* label_count: log P(text | label) */
    float *logprobs;    /* label_count x tokens; NULL with `level: text` */
    size_t tokens;
    double *shares;     /* label_count */
};

/* Of logarithms to shares that sum to 1, in place. */
static void share_out(double *logs, size_t count)
{
    double highest = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++)
        highest = fmax(highest, logs[i]);
    for (size_t i = 0; i < count; i++)
        sum += logs[i] = exp(logs[i] - highest);
    for (size_t i = 0; i < count; i++)
        logs[i] /= sum;
}

/* Which of `labels` the record has; label_count: none of them. */
static size_t own_label(const struct likelihood *likelihood, const xy_record *record)
{
    char scratch[NAMES_SCRATCH];
    xy_str label = names_label(record, likelihood->label, scratch);
    for (size_t i = 0; label.ptr && i < likelihood->label_count; i++)
        if (strlen(likelihood->labels[i]) == label.len &&
            memcmp(likelihood->labels[i], label.ptr, label.len) == 0)
            return i;
    return likelihood->label_count;
}

/* No model's log-probabilities tell more, and every machine writes the same digits. */
static double rounded(double share, double parts)
{
    return round(share * parts) / parts;
}

/* exp(-L) of each token's discriminative loss L = -log [P(token | label) / sum of it over labels]
 * (the paper's equation 4), and of each label the mean over the text: a length-normalised share. */
static void share_tokens(const struct asking *asking, size_t own, struct text *weights)
{
    size_t labels = asking->likelihood->label_count;
    double *token = asking->sums; /* no more needed: a token's shares take their place */
    for (size_t j = 0; j < asking->tokens; j++) {
        for (size_t i = 0; i < labels; i++)
            token[i] = (double)asking->logprobs[i * asking->tokens + j];
        share_out(token, labels);
        for (size_t i = 0; i < labels; i++)
            asking->shares[i] += token[i] / (double)asking->tokens;
        text_add_literal(weights, j ? "," : "[");
        text_add_number(weights, own < labels ? rounded(token[own], 1e6) : 0);
    }
    text_add_literal(weights, "]");
}

static void count_record(struct likelihood *likelihood, const struct asking *asking, size_t own)
{
    likelihood->asked++;
    if (own == likelihood->label_count)
        return;
    size_t best = 0;
    for (size_t i = 1; i < likelihood->label_count; i++)
        best = asking->shares[i] > asking->shares[best] ? i : best;
    likelihood->labelled++;
    likelihood->likeliest += best == own;
    likelihood->sum += asking->shares[own];
}

static void give_score(const struct likelihood *likelihood, xy_job *job, const char *name,
                       double value, uint64_t n, const char *help)
{
    const xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = NAN,
                            .high = NAN, .unit = "share", .n = n, .help = help};
    likelihood->report->score(job, &score);
}

static void report(const struct likelihood *likelihood, xy_job *job)
{
    uint64_t all = likelihood->asked + likelihood->unasked;
    double labelled = (double)likelihood->labelled;
    if (!likelihood->report)
        return;
    give_score(likelihood, job, "unasked", (double)likelihood->unasked / (double)all, all,
               "records without a text, let through");
    if (likelihood->labelled == 0)
        return;
    give_score(likelihood, job, "likeliest", (double)likelihood->likeliest / labelled,
               likelihood->labelled, "records whose text is likeliest under their own label");
    give_score(likelihood, job, "mean_share", likelihood->sum / labelled, likelihood->labelled,
               "mean share of the records' own labels; 1 over their number: nothing is told apart");
}

/* Sets what came of all labels. */
static int conclude(struct asking *asking)
{
    struct likelihood *likelihood = asking->likelihood;
    xy_record *record = asking->job->api->input(asking->job, 0);
    size_t own = own_label(likelihood, record);
    struct text weights = {.bytes = NULL}, map = {.bytes = NULL};
    if (asking->logprobs) {
        share_tokens(asking, own, &weights);
    } else {
        memcpy(asking->shares, asking->sums, likelihood->label_count * sizeof(*asking->shares));
        share_out(asking->shares, likelihood->label_count);
    }
    for (size_t i = 0; i < likelihood->label_count; i++) {
        text_add_literal(&map, i ? "," : "{");
        text_add_json(&map, xy_text(likelihood->labels[i]));
        text_add_literal(&map, ":");
        text_add_number(&map, rounded(asking->shares[i], 1e9));
    }
    text_add_literal(&map, "}");
    int code = map.failed || weights.failed ? XY_ENOMEM : XY_OK;
    if (code == XY_OK)
        code = xy_record_set_json(record, likelihood->into, (xy_str){map.bytes, map.length});
    if (code >= 0 && asking->logprobs && own < likelihood->label_count)
        code = xy_record_set_json(record, likelihood->weights_into,
                                  (xy_str){weights.bytes, weights.length});
    text_free(&map);
    text_free(&weights);
    if (code < 0)
        return xy_fail(asking->job, code, "the shares cannot be set on `%s`", likelihood->into);
    count_record(likelihood, asking, own);
    report(likelihood, asking->job);
    return XY_OK;
}

/* ---- its questions --------------------------------------------------------------------------- */

static void answered(xy_job *job, void *user, const xy_reply *reply);

static int ask(struct asking *asking)
{
    const struct likelihood *likelihood = asking->likelihood;
    xy_job *job = asking->job;
    xy_message messages[2];
    size_t count = 0;
    int code = xy_record_set_text(asking->scratch, likelihood->label,
                                  xy_text(likelihood->labels[asking->at]));
    if (code < 0)
        return xy_fail(job, code, "the field `%s` cannot be set", likelihood->label);
    if (likelihood->system_compiled) {
        code = likelihood->templates->render(job, likelihood->system_compiled, asking->scratch,
                                             &messages[count].content);
        messages[count++].role = xy_text("system");
    }
    if (code >= 0)
        code = likelihood->templates->render(job, likelihood->prompt_compiled, asking->scratch,
                                             &messages[count].content);
    messages[count++].role = xy_text("user");
    if (code < 0)
        return code; /* explained by the template */
    xy_request request = {
        .size = sizeof(request), .operation = XY_SCORE, .messages = messages,
        .message_count = count, .texts = &asking->text, .text_count = 1, .temperature = -1,
        .top_p = -1, .logprobs = likelihood->level[1] == 'o'};
    code = likelihood->models->submit(job, likelihood->model, &request, answered, asking, NULL);
    return code < 0 ? xy_fail(job, code, "the text could not be sent to the model") : XY_OK;
}

/* Keeps the tokens of this label. XY_DROP, explained, where there are none to compare. */
static int keep_tokens(struct asking *asking, const xy_reply *reply)
{
    const struct likelihood *likelihood = asking->likelihood;
    if (reply->logprob_count == 0)
        return xy_drop(asking->job, "the model tells no log-probabilities of a given text's "
                       "tokens: use `level: text`, or another model");
    if (!asking->logprobs) {
        asking->tokens = reply->logprob_count;
        asking->logprobs = asking->job->api->alloc(
            asking->job, asking->tokens * likelihood->label_count * sizeof(*asking->logprobs));
    }
    if (!asking->logprobs)
        return xy_fail(asking->job, XY_ENOMEM, "out of memory");
    if (asking->tokens != reply->logprob_count)
        return xy_drop(asking->job, "the model cuts the text into %zu tokens under the label `%s` "
                       "and into %zu under `%s`: use `level: text`", asking->tokens,
                       likelihood->labels[0], reply->logprob_count,
                       likelihood->labels[asking->at]);
    for (size_t i = 0; i < reply->logprob_count; i++)
        if (!isfinite(reply->logprobs[i]))
            return xy_drop(asking->job, "the model answered no finite log-probability for token "
                           "%zu under the label `%s`", i, likelihood->labels[asking->at]);
    memcpy(asking->logprobs + asking->at * asking->tokens, reply->logprobs,
           asking->tokens * sizeof(*asking->logprobs));
    return XY_OK;
}

static int take(struct asking *asking, const xy_reply *reply)
{
    const struct likelihood *likelihood = asking->likelihood;
    if (reply->status < 0) {
        asking->job->api->explain(asking->job,
                                  reply->error ? reply->error : "the model did not answer");
        return reply->status;
    }
    if (reply->score_count != 1 || !isfinite(reply->scores[0]))
        return xy_drop(asking->job, "the model answered no finite score under the label `%s`",
                       likelihood->labels[asking->at]);
    asking->sums[asking->at] = reply->scores[0];
    return likelihood->level[1] == 'o' ? keep_tokens(asking, reply) : XY_OK;
}

static void answered(xy_job *job, void *user, const xy_reply *reply)
{
    struct asking *asking = user;
    int code = take(asking, reply);
    if (code == XY_OK && ++asking->at < asking->likelihood->label_count) {
        code = ask(asking);
        if (code == XY_OK)
            return;
    } else if (code == XY_OK) {
        code = conclude(asking);
    }
    job->api->finish(job, code);
}

static int process(void *state, xy_job *job)
{
    struct likelihood *likelihood = state;
    xy_record *record = job->api->input(job, 0);
    xy_str text = xy_record_text(record, likelihood->text);
    if (text.len == 0) {
        likelihood->unasked++;
        report(likelihood, job);
        return XY_OK;
    }
    struct asking *asking = job->api->alloc(job, sizeof(*asking));
    char *copy = job->api->alloc(job, text.len + 1);
    if (!asking || !copy)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    memcpy(copy, text.ptr, text.len);
    *asking = (struct asking){
        .likelihood = likelihood, .job = job, .text = {copy, text.len},
        .scratch = job->api->new_record(job, record),
        .sums = job->api->alloc(job, likelihood->label_count * sizeof(double)),
        .shares = job->api->alloc(job, likelihood->label_count * sizeof(double))};
    if (!asking->scratch || !asking->sums || !asking->shares)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    int code = ask(asking);
    return code < 0 ? code : XY_PENDING;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{model: some, prompt: 'Write a {{ label }} one.', labels: [good, bad], "
                 "level: text}" : NULL;
}

static const char *const needs[] = {XY_MODEL, XY_TEMPLATE, NULL};

static const xy_stage likelihood_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .state_size = sizeof(struct likelihood),
    .id = "likelihood",
    .version = "1.0.0",
    .summary = "Under the prompt of which label does a model find a text, and each of its tokens, "
               "how likely",
    .needs = needs,
    .options = options,
    .open = open_likelihood,
    .close = close_likelihood,
    .process = process,
    .estimate_calls = estimate_calls,
    .extension = extension,
    .fields = "reads `text`, `label` and what `prompt` names; sets `into`, and with `level: token` "
              "`weights_into`",
};

XY_PLUGIN_SINCE(1, "likelihood", "1.0.0", "Apache-2.0", &likelihood_stage)
