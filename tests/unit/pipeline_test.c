/* SPDX-License-Identifier: Apache-2.0 */
/* What a good pipeline file becomes. */
#include "pipeline_fake.h"

#include "json.h"

static struct pipeline *good(const char *text, const char *const *sets)
{
    struct error_list errors = {0};
    struct pipeline *pipeline = fake_read_text(text, sets, &errors);
    CHECK_TEXT(fake_lines(&errors), "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(pipeline);
    error_list_free(&errors);
    return pipeline;
}

static void bad(const char *text, const char *const *sets, const char *lines)
{
    struct error_list errors = {0};
    CU_ASSERT_PTR_NULL(fake_read_text(text, sets, &errors));
    CHECK_TEXT(fake_lines(&errors), lines);
    error_list_free(&errors);
}

/* "a,b" for the sources of a step, "-" for none. */
static const char *sources(const struct pipeline *pipeline, const char *id)
{
    static char line[256];
    const struct step *step = pipeline_step(pipeline, id);
    if (!step)
        return "(no such step)";
    line[0] = '\0';
    for (size_t i = 0; i < step->from_count; i++) {
        size_t length = strlen(line);
        snprintf(line + length, sizeof(line) - length, "%s%s", i ? "," : "", step->from[i]);
    }
    return step->from_nothing ? "-" : line;
}

static const char whole[] =
    "xylem: 1\n"
    "name: movie-reviews\n"
    "seed: 7\n"
    "codebook: { task: Judge the review., labels: { positive: It praises., negative: It pans. } }\n"
    "models:\n"
    "  teacher:\n"
    "    use: echo\n"
    "    base_url: \"${XT_URL:-http://localhost}\"\n"
    "    api_key: \"${XT_KEY}\"\n"
    "    concurrency: 64\n"
    "    requests_per_minute: 3k\n"
    "    tokens_per_minute: 2M\n"
    "    attempts: 3\n"
    "    timeout: 90s\n"
    "    deadline: 5m\n"
    "    price: { input: 0.15, cached_input: 0.075, output: 0.6 }\n"
    "    params: { temperature: 0.9, max_tokens: 200, stop: END, extra: { top_k: 40 } }\n"
    "  small: { use: echo, base_url: x, price: { input: 1 } }\n"
    "budget: { usd: 5, tokens: 2M }\n"
    "cache: answers\n"
    "steps:\n"
    "  - id: seeds\n"
    "    use: read\n"
    "    with: { path: seeds.jsonl }\n"
    "  - id: plan\n"
    "    use: grid\n"
    "    from: []\n"
    "    with: { label: [positive, negative], style: [terse, ironic] }\n"
    "  - use: demos.knn\n"
    "    with: { pool: seeds, k: 2, embed: small }\n"
    "  - id: write\n"
    "    use: generate\n"
    "    model: teacher\n"
    "    when: label != 'neutral'\n"
    "    prompt: { user: \"Write: {{ label }}\", system: You write reviews. }\n"
    "    output: { fields: { text: text, stars: integer, mood: [good, bad] }, retry: 1 }\n"
    "    samples: 3\n"
    "    params: { temperature: 0, seed: 5 }\n"
    "  - id: look\n"
    "    use: diversity\n"
    "  - use: minhash\n"
    "  - id: judge\n"
    "    use: score\n"
    "    model: small\n"
    "    prompt: \"{{ text }} It was\"\n"
    "    candidates: { positive: \" great\", negative: \" bad\" }\n"
    "    content_free: It was\n"
    "    normalize_length: true\n"
    "  - use: embed\n"
    "    model: small\n"
    "    text: \"{{ text }}\"\n"
    "  - id: relabel\n"
    "    use: student\n"
    "    with: { learner: { use: linear, c: 3 } }\n"
    "  - id: gold\n"
    "    use: read\n"
    "    with: { path: gold.jsonl }\n"
    "  - id: measure\n"
    "    use: evaluator/agreement\n"
    "    from: relabel\n"
    "    with: { gold: gold }\n"
    "accept: { count: 2k, per: label }\n"
    "write:\n"
    "  - { path: out/reviews.jsonl, from: relabel, fields: [text, label], rejects: out/no.jsonl }\n"
    "  - { path: out/train.chat.jsonl, from: relabel }\n"
    "  - { path: out/reviews, format: jsonl, from: minhash }\n";

static void check_models(const struct pipeline *pipeline)
{
    CU_ASSERT_EQUAL_FATAL(pipeline->model_count, 2);
    const struct model_spec *teacher = &pipeline->models[0], *small = &pipeline->models[1];
    CHECK_TEXT(teacher->alias, "teacher");
    CHECK_TEXT(teacher->type->stage.id, "echo");
    CU_ASSERT_EQUAL(teacher->concurrency, 64);
    CU_ASSERT_EQUAL(teacher->requests_per_minute, 3000);
    CU_ASSERT_EQUAL(teacher->tokens_per_minute, 2000000);
    CU_ASSERT_EQUAL(teacher->attempts, 3);
    CU_ASSERT_EQUAL(teacher->timeout, 90);
    CU_ASSERT_EQUAL(teacher->deadline, 300);
    CU_ASSERT_EQUAL(teacher->price_input, 0.15);
    CU_ASSERT_EQUAL(teacher->price_cached, 0.075);
    CU_ASSERT_EQUAL(teacher->price_output, 0.6);
    CU_ASSERT_TRUE(str_is(node_member(teacher->node, "api_key")->text, "s3cret"));
    CU_ASSERT_EQUAL(small->attempts, 6);
    CU_ASSERT_EQUAL(small->timeout, 600);
    CU_ASSERT_EQUAL(small->concurrency, 0);
    CU_ASSERT_EQUAL(small->price_cached, 1); /* as dear as any input until a price is given */
    CU_ASSERT_EQUAL(small->params.type, VALUE_NULL);
}

static void check_generate(const struct pipeline *pipeline)
{
    const struct step *step = pipeline_step(pipeline, "write");
    CU_ASSERT_PTR_NOT_NULL_FATAL(step);
    const struct call_spec *call = &step->call;
    CU_ASSERT_EQUAL(step->kind, STEP_GENERATE);
    CU_ASSERT_PTR_NOT_NULL(step->when);
    CU_ASSERT_PTR_EQUAL(call->model, &pipeline->models[0]);
    CU_ASSERT_EQUAL(call->samples, 3);
    CU_ASSERT_EQUAL_FATAL(call->message_count, 2);
    CHECK_TEXT(call->messages[0].role, "system"); /* whatever the order in the file */
    CHECK_TEXT(call->messages[1].role, "user");
    CU_ASSERT_EQUAL(call->retry, 1);
    CU_ASSERT_TRUE(call->spread);
    CU_ASSERT_PTR_NULL(call->into);
    CU_ASSERT_PTR_NOT_NULL(call->schema);
    CHECK_TEXT(call->schema_text.ptr,
               "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"},"
               "\"stars\":{\"type\":\"integer\"},\"mood\":{\"enum\":[\"good\",\"bad\"]}},"
               "\"required\":[\"text\",\"stars\",\"mood\"],\"additionalProperties\":false}");
    struct buffer params;
    buffer_init(&params, 4096);
    json_write(&params, &call->params);
    CHECK_TEXT(params.bytes, "{\"max_tokens\":200,\"stop\":[\"END\"],\"extra\":{\"top_k\":40},"
                             "\"temperature\":0.0,\"seed\":5}");
    buffer_free(&params);
}

static void check_score(const struct pipeline *pipeline)
{
    const struct call_spec *call = &pipeline_step(pipeline, "judge")->call;
    CU_ASSERT_EQUAL_FATAL(call->candidate_count, 2);
    CHECK_TEXT(call->names[0], "positive");
    CHECK_TEXT(call->names[1], "negative");
    CHECK_TEXT(call->into, "scores");
    CU_ASSERT_TRUE(call->normalize_length);
    CU_ASSERT_TRUE(call->calibrate);
    CU_ASSERT_PTR_NOT_NULL(call->content_free);
    CU_ASSERT_EQUAL(call->message_count, 1);
    CHECK_TEXT(call->messages[0].role, "user");
    const struct step *embed = pipeline_step(pipeline, "embed");
    CU_ASSERT_EQUAL(embed->kind, STEP_EMBED);
    CHECK_TEXT(embed->call.into, "embedding");
    CU_ASSERT_PTR_NOT_NULL(embed->call.text);
}

static void check_output(const struct pipeline *pipeline)
{
    CU_ASSERT_EQUAL(pipeline->accept.count, 2000);
    CHECK_TEXT(pipeline->accept.per, "label");
    CU_ASSERT_PTR_NOT_NULL_FATAL(pipeline->accept.groups); /* the codebook's labels */
    CHECK_TEXT(pipeline->accept.groups[0], "positive");
    CHECK_TEXT(pipeline->accept.groups[1], "negative");
    CU_ASSERT_PTR_NULL(pipeline->accept.groups[2]);
    CU_ASSERT_EQUAL(pipeline->accept.candidates, 80000); /* 20 x 2,000 x 2 */
    CU_ASSERT_EQUAL_FATAL(pipeline->write_count, 3);
    const struct write_spec *writes = pipeline->writes;
    char path[128];
    snprintf(path, sizeof(path), "%s/out/reviews.jsonl", fake_folder);
    CHECK_TEXT(writes[0].path, path);
    snprintf(path, sizeof(path), "%s/out/no.jsonl", fake_folder);
    CHECK_TEXT(writes[0].rejects, path);
    CHECK_TEXT(writes[0].format->stage.id, "jsonl");
    CHECK_TEXT(writes[0].from, "relabel");
    CHECK_TEXT(writes[0].fields[1], "label");
    CU_ASSERT_PTR_NULL(writes[0].fields[2]);
    CHECK_TEXT(writes[1].format->stage.id, "chat"); /* the longer ending wins */
    CU_ASSERT_PTR_NULL(writes[1].fields);
    CU_ASSERT_PTR_NULL(writes[1].rejects);
    CHECK_TEXT(writes[2].format->stage.id, "jsonl");
    CHECK_TEXT(writes[2].from, "minhash");
}

static void test_whole(void)
{
    setenv("XT_KEY", "s3cret", 1);
    unsetenv("XT_URL");
    struct pipeline *pipeline = good(whole, NULL);
    CHECK_TEXT(pipeline->name, "movie-reviews");
    CHECK_TEXT(pipeline->file, "p.yaml");
    CHECK_TEXT(pipeline->folder, fake_folder);
    CU_ASSERT_EQUAL(pipeline->seed, 7);
    CU_ASSERT_EQUAL(pipeline->budget_money, 5);
    CU_ASSERT_EQUAL(pipeline->budget_tokens, 2000000);
    CU_ASSERT_PTR_NOT_NULL(strstr(pipeline->cache, "/answers"));
    CU_ASSERT_EQUAL(pipeline->codebook.type, VALUE_MAP);
    CU_ASSERT_EQUAL(pipeline->step_count, 11);
    CHECK_TEXT(sources(pipeline, "seeds"), "-");
    CHECK_TEXT(sources(pipeline, "plan"), "-");
    CHECK_TEXT(sources(pipeline, "demos.knn"), "plan");
    CHECK_TEXT(sources(pipeline, "write"), "demos.knn");
    CHECK_TEXT(sources(pipeline, "look"), "write");
    CHECK_TEXT(sources(pipeline, "minhash"), "write"); /* past the evaluator */
    CHECK_TEXT(sources(pipeline, "gold"), "-");        /* takes no input, wherever it stands */
    CHECK_TEXT(sources(pipeline, "measure"), "relabel");
    const struct step *knn = pipeline_step(pipeline, "demos.knn");
    CU_ASSERT_PTR_NOT_NULL_FATAL(knn->uses);
    CHECK_TEXT(knn->uses[0], "seeds");
    CU_ASSERT_PTR_NULL(knn->uses[1]);
    CHECK_TEXT(pipeline_step(pipeline, "measure")->uses[0], "gold");
    CU_ASSERT_TRUE(step_is_source(pipeline_step(pipeline, "seeds")));
    CU_ASSERT_FALSE(step_is_source(knn));
    CU_ASSERT_TRUE(step_is_evaluator(pipeline_step(pipeline, "measure")));
    CU_ASSERT_TRUE(step_is_dataset(pipeline_step(pipeline, "relabel")));
    CU_ASSERT_FALSE(step_is_dataset(pipeline_step(pipeline, "minhash")));
    CU_ASSERT_PTR_NULL(pipeline_step(pipeline, "nobody"));
    check_models(pipeline);
    check_generate(pipeline);
    check_score(pipeline);
    check_output(pipeline);
    pipeline_free(pipeline);
}

#define HEAD "xylem: 1\nmodels: {m: {use: echo, base_url: x}}\n"

static void test_smallest(void)
{
    struct pipeline *pipeline = good("xylem: 1\nsteps: [{use: grid}]\n", NULL);
    CHECK_TEXT(pipeline->name, "p");
    CU_ASSERT_EQUAL(pipeline->seed, 0);
    CU_ASSERT_EQUAL(pipeline->write_count, 0);
    CU_ASSERT_EQUAL(pipeline->accept.count, 0);
    CU_ASSERT_EQUAL(pipeline->codebook.type, VALUE_NULL);
    CU_ASSERT_PTR_NULL(pipeline->cache);
    pipeline_free(pipeline);
    pipeline_free(NULL);
}

static void test_outputs(void)
{
    static const struct {
        const char *output, *into, *schema;
        unsigned retry;
    } cases[] = {
        {"", "text", NULL, 0},
        {", output: review", "review", NULL, 0},
        {", output: {into: review}", "review", NULL, 0},
        {", output: {json_schema: {type: object}}", NULL, "{\"type\":\"object\"}", 2},
        {", output: {json_schema: {type: array}, into: all}", "all", "{\"type\":\"array\"}", 2},
        {", output: {json_schema: '{\"type\": \"object\"}', retry: 0}", NULL,
         "{\"type\":\"object\"}", 0},
        {", output: {fields: [a]}", NULL,
         "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"],"
         "\"additionalProperties\":false}", 2},
        {", output: {fields: {a: list}, into: x}", "x",
         "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":"
         "\"string\"}}},\"required\":[\"a\"],\"additionalProperties\":false}", 2},
        {", output: {fields: {a: {type: integer, minimum: 1}}}", NULL,
         "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":1}},"
         "\"required\":[\"a\"],\"additionalProperties\":false}", 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer text;
        buffer_init(&text, 4096);
        buffer_printf(&text, HEAD "steps:\n  - use: grid\n  - {use: generate, prompt: hi%s}\n",
                      cases[i].output);
        struct pipeline *pipeline = good(text.bytes, NULL);
        const struct call_spec *call = &pipeline->steps[1]->call;
        CU_ASSERT_PTR_EQUAL(call->model, &pipeline->models[0]); /* the only one */
        CU_ASSERT_EQUAL(call->spread, cases[i].into == NULL);
        if (cases[i].into)
            CHECK_TEXT(call->into, cases[i].into);
        CU_ASSERT_EQUAL(call->schema != NULL, cases[i].schema != NULL);
        if (cases[i].schema)
            CHECK_TEXT(call->schema_text.ptr, cases[i].schema);
        CU_ASSERT_EQUAL(call->retry, cases[i].retry);
        CU_ASSERT_EQUAL(call->samples, 1);
        pipeline_free(pipeline);
        buffer_free(&text);
    }
}

static void test_messages(void)
{
    struct pipeline *pipeline = good(
        HEAD "steps:\n  - use: grid\n  - use: generate\n    prompt:\n      messages:\n"
             "        - {role: user, content: one}\n        - {role: assistant, content: two}\n"
             "        - {role: user, content: three}\n  - use: score\n    prompt: x\n"
             "    candidates: [' yes', ' no ']\n    into: answer\n", NULL);
    const struct call_spec *call = &pipeline->steps[1]->call;
    CU_ASSERT_EQUAL_FATAL(call->message_count, 3);
    CHECK_TEXT(call->messages[1].role, "assistant");
    CHECK_TEXT(call->messages[2].role, "user");
    const struct call_spec *score = &pipeline->steps[2]->call;
    CHECK_TEXT(score->names[0], "yes"); /* the class is the text without its spaces */
    CHECK_TEXT(score->names[1], "no");
    CHECK_TEXT(score->into, "answer");
    CU_ASSERT_FALSE(score->calibrate);
    pipeline_free(pipeline);
}

static void test_history(void)
{
    struct pipeline *pipeline = good(
        HEAD "steps:\n  - use: grid\n  - use: generate\n    prompt:\n      messages:\n"
             "        - {role: system, content: one}\n        - {history: talk, swap: true}\n"
             "        - {history: talk}\n    output: {append_to: talk, role: user}\n"
             "  - use: generate\n    id: b\n    prompt: x\n    output: {into: a, append_to: talk}\n"
             "  - use: generate\n    id: c\n    prompt: x\n", NULL);
    const struct call_spec *call = &pipeline->steps[1]->call;
    CU_ASSERT_EQUAL_FATAL(call->message_count, 3);
    CU_ASSERT_PTR_NULL(call->messages[0].history);
    CU_ASSERT_PTR_NULL(call->messages[1].role);
    CU_ASSERT_PTR_NULL(call->messages[1].content);
    CHECK_TEXT(call->messages[1].history, "talk");
    CU_ASSERT_TRUE(call->messages[1].swap);
    CU_ASSERT_FALSE(call->messages[2].swap);
    CHECK_TEXT(call->into, "text");
    CHECK_TEXT(call->append_to, "talk");
    CHECK_TEXT(call->append_role, "user");
    CHECK_TEXT(pipeline->steps[2]->call.append_role, "assistant");
    CU_ASSERT_PTR_NULL(pipeline->steps[3]->call.append_to);
    pipeline_free(pipeline);
}

static void test_repeat(void)
{
    struct pipeline *pipeline = good(
        HEAD "steps:\n"
             "  - {use: grid, id: plan}\n"
             "  - id: rounds\n"
             "    repeat: { times: 3, until: agreement.accuracy >= 0.95 }\n"
             "    steps:\n"
             "      - {use: generate, prompt: hi}\n"
             "      - {use: evaluator/agreement, with: {gold: plan}}\n"
             "      - {use: minhash}\n"
             "  - {use: student}\n"
             "  - {id: again, repeat: 2, steps: [{use: expression, with: {keep: 'true'}}]}\n"
             "write: {path: o.jsonl}\n", NULL);
    CU_ASSERT_EQUAL(pipeline->step_count, 4);
    const struct step *rounds = pipeline_step(pipeline, "rounds");
    CU_ASSERT_EQUAL(rounds->kind, STEP_REPEAT);
    CU_ASSERT_EQUAL(rounds->times, 3);
    CU_ASSERT_PTR_NOT_NULL(rounds->until);
    CU_ASSERT_EQUAL(rounds->step_count, 3);
    CHECK_TEXT(sources(pipeline, "rounds"), "plan");
    CHECK_TEXT(sources(pipeline, "generate"), "rounds");
    CHECK_TEXT(sources(pipeline, "agreement"), "generate");
    CHECK_TEXT(sources(pipeline, "minhash"), "generate");
    CHECK_TEXT(sources(pipeline, "student"), "rounds");
    CHECK_TEXT(sources(pipeline, "again"), "student");
    CU_ASSERT_EQUAL(pipeline_step(pipeline, "again")->times, 2);
    CU_ASSERT_PTR_NULL(pipeline_step(pipeline, "again")->until);
    CHECK_TEXT(pipeline->writes[0].from, "again");
    pipeline_free(pipeline);

    /* A repeat that begins the file makes its own records. */
    pipeline = good("xylem: 1\nsteps:\n  - {repeat: 2, steps: [{use: grid}, {use: minhash}]}\n",
                    NULL);
    CHECK_TEXT(sources(pipeline, "repeat"), "-");
    CHECK_TEXT(sources(pipeline, "grid"), "-");
    CHECK_TEXT(sources(pipeline, "minhash"), "grid");
    pipeline_free(pipeline);
}

static void test_join(void)
{
    struct pipeline *pipeline = good(
        "xylem: 1\nsteps:\n  - {use: grid, id: a}\n  - {use: read, id: b, with: {path: x}}\n"
        "  - {use: minhash, from: [a, b]}\n  - {use: diversity, from: a}\n  - {use: student}\n",
        NULL);
    CHECK_TEXT(sources(pipeline, "minhash"), "a,b");
    CHECK_TEXT(sources(pipeline, "diversity"), "a");
    CHECK_TEXT(sources(pipeline, "student"), "minhash"); /* an evaluator leaves no trace */
    pipeline_free(pipeline);
}

static void test_include(void)
{
    fake_file("sub.yaml", "xylem: 1\nname: curate\nparams: { threshold: 0.7, pool: null }\nsteps:\n"
                          "  - id: near\n    use: minhash\n"
                          "    with: { threshold: \"${params.threshold}\" }\n"
                          "  - id: demos\n    use: demos.knn\n    with: { pool: near }\n"
                          "  - id: other\n    use: demos.knn\n"
                          "    with: { pool: \"${params.pool}\" }\n"
                          "  - use: diversity\n");
    fake_file("outer.yaml", "xylem: 1\nsteps:\n  - {use: expression, with: {keep: 'true'}}\n"
                            "  - {include: sub.yaml, id: in, params: {pool: plan}}\n");
    struct pipeline *pipeline = good(
        HEAD "steps:\n"
             "  - {use: grid, id: plan}\n"
             "  - {use: read, id: near, with: {path: x}}\n"
             "  - {include: sub.yaml, id: curate, from: plan, params: {pool: near}}\n"
             "  - {use: student}\n"
             "  - {use: minhash, from: curate}\n"
             "  - {id: pick, use: demos.knn, with: {pool: curate/demos}}\n"
             "  - {include: outer.yaml}\n", NULL);
    CHECK_TEXT(sources(pipeline, "curate/near"), "plan");
    CHECK_TEXT(sources(pipeline, "curate/demos"), "curate/near");
    CHECK_TEXT(sources(pipeline, "student"), "curate/other"); /* past the block's evaluator */
    CHECK_TEXT(sources(pipeline, "minhash"), "curate/other");
    /* Inside the block `near` is the block's own, also where a parameter says it. */
    CHECK_TEXT(pipeline_step(pipeline, "curate/demos")->uses[0], "curate/near");
    CHECK_TEXT(pipeline_step(pipeline, "curate/other")->uses[0], "curate/near");
    CHECK_TEXT(pipeline_step(pipeline, "pick")->uses[0], "curate/demos");
    CHECK_TEXT(sources(pipeline, "outer/expression"), "pick");
    CHECK_TEXT(sources(pipeline, "outer/in/near"), "outer/expression");
    CHECK_TEXT(pipeline_step(pipeline, "outer/in/other")->uses[0], "plan");
    const struct step *inner = pipeline_step(pipeline, "outer/in/other");
    CHECK_TEXT(pipeline_lookup(pipeline, inner, "near")->id, "outer/in/near");
    CHECK_TEXT(pipeline_lookup(pipeline, inner, "expression")->id, "outer/expression");
    CHECK_TEXT(pipeline_lookup(pipeline, inner, "plan")->id, "plan");
    CHECK_TEXT(pipeline_lookup(pipeline, NULL, "curate")->id, "curate/other");
    CHECK_TEXT(pipeline_lookup(pipeline, NULL, "outer")->id, "outer/in/other");
    CU_ASSERT_PTR_NULL(pipeline_lookup(pipeline, inner, "nobody"));
    pipeline_free(pipeline);

    /* The same block within a repeat, and twice under two names. */
    pipeline = good(
        "xylem: 1\nsteps:\n  - {use: grid, id: plan}\n  - id: rounds\n    repeat: 2\n    steps:\n"
        "      - {include: sub.yaml, id: one, params: {pool: plan}}\n"
        "      - {include: sub.yaml, id: two, params: {pool: rounds}}\n", NULL);
    CHECK_TEXT(sources(pipeline, "one/near"), "rounds");
    CHECK_TEXT(sources(pipeline, "two/near"), "one/other");
    CHECK_TEXT(pipeline_step(pipeline, "two/other")->uses[0], "rounds");
    CU_ASSERT_EQUAL(pipeline_step(pipeline, "rounds")->step_count, 8);
    pipeline_free(pipeline);
    bad("xylem: 1\nsteps:\n  - {use: grid, id: sub}\n"
        "  - {include: sub.yaml, params: {pool: sub}}\n", NULL,
        "p.yaml:4:5: a second step `sub`; the first is on line 3 (give it an `id:` of its own)");
}

static void test_sets(void)
{
    static const char text[] =
        "xylem: 1\nparams: {labels: [a, b], n: 2}\nmodels: {m: {use: echo, base_url: x}}\nsteps:\n"
        "  - use: grid\n    with:\n      label: ${params.labels}\n"
        "  - {use: generate, prompt: hi, samples: \"${params.n}\"}\n";
    struct pipeline *pipeline = good(text, NULL);
    CU_ASSERT_EQUAL(pipeline->steps[1]->call.samples, 2);
    uint64_t before = pipeline->fingerprint;
    CU_ASSERT_EQUAL(node_member(pipeline->steps[0]->with, "label")->count, 2);
    pipeline_free(pipeline);
    pipeline = good(text, (const char *const[]){"params.n=9", "params.labels=[x, y, z]", "seed=4",
                                                "steps.generate.output=review",
                                                "models.m.concurrency=8",
                                                "write={path: out.jsonl}", NULL});
    CU_ASSERT_EQUAL(pipeline->steps[1]->call.samples, 9);
    CHECK_TEXT(pipeline->steps[1]->call.into, "review");
    CU_ASSERT_EQUAL(node_member(pipeline->steps[0]->with, "label")->count, 3);
    CU_ASSERT_EQUAL(pipeline->seed, 4);
    CU_ASSERT_EQUAL(pipeline->models[0].concurrency, 8);
    CU_ASSERT_EQUAL(pipeline->write_count, 1);
    CU_ASSERT_NOT_EQUAL(pipeline->fingerprint, before);
    pipeline_free(pipeline);
    bad(text, (const char *const[]){"seed", NULL}, "--set: `seed`: expected path=value");
    bad(text, (const char *const[]){"models.m.use=ecko", NULL},
        "--set models.m.use:1:1: model `m`: unknown generator `ecko` (did you mean `echo`?)");
    bad(text, (const char *const[]){"params.lables=[x]", NULL},
        "--set params.lables:1:1: p.yaml declares no parameter `lables` (did you mean `labels`?)");
    bad(text, (const char *const[]){"steps.5.use=grid", NULL},
        "--set steps.5.use: no item `5` in the list: expected an `id:` or an index below 2");
}

/* The fingerprint changes with what matters and with nothing else. */
static void test_fingerprint(void)
{
    static const struct {
        const char *text;
        bool same;
    } cases[] = {
        {"# a comment\nxylem: 1\nseed:   3\nsteps:\n- use: grid\n  with: { a: [1, 2] }\n", true},
        {"xylem: 1\nseed: 4\nsteps: [{use: grid, with: {a: [1, 2]}}]\n", false},
        {"xylem: 1\nseed: 3\nsteps: [{use: grid, with: {a: ['1', 2]}}]\n", false},
        {"xylem: 1\nseed: 3\nsteps: [{use: grid, with: {a: [1, 2], b: [1]}}]\n", false},
        {"xylem: 1\nseed: 3\nsteps: [{use: grid, with: {a: [12]}}]\n", false},
    };
    struct pipeline *first =
        good("xylem: 1\nseed: 3\nsteps: [{use: grid, with: {a: [1, 2]}}]\n", NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pipeline *other = good(cases[i].text, NULL);
        CU_ASSERT_EQUAL(other->fingerprint == first->fingerprint, cases[i].same);
        pipeline_free(other);
    }
    pipeline_free(first);
    /* A key may change without paying everything again. */
    static const char keyed[] = "xylem: 1\nmodels: {m: {use: echo, base_url: x, api_key: "
                                "\"${XT_KEY}\"}}\nsteps: [{use: grid}]\n";
    setenv("XT_KEY", "one", 1);
    struct pipeline *one = good(keyed, NULL);
    setenv("XT_KEY", "two", 1);
    struct pipeline *two = good(keyed, NULL);
    CU_ASSERT_EQUAL(one->fingerprint, two->fingerprint);
    pipeline_free(one);
    pipeline_free(two);
}

static void test_groups(void)
{
    static const struct {
        const char *text, *first;
        uint64_t candidates;
    } cases[] = {
        {"codebook: {labels: [x, y, z]}\naccept: {count: 10, per: label}\n", "x", 600},
        {"codebook: {topic: [t]}\naccept: {count: 10, per: topic}\n", "t", 200},
        {"accept: {count: 10, per: label}\n", "a", 400}, /* from the grid */
        {"accept: {count: 10, per: other}\n", NULL, 200},
        {"accept: {count: 10, per: label, candidates: 50}\n", "a", 50},
        {"accept: 10\n", NULL, 200},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer text;
        buffer_init(&text, 4096);
        buffer_printf(&text, "xylem: 1\nsteps: [{use: grid, with: {label: {a: 1, b: 2}}}]\n"
                             "write: {path: o.jsonl}\n%s", cases[i].text);
        struct pipeline *pipeline = good(text.bytes, NULL);
        CU_ASSERT_EQUAL(pipeline->accept.count, 10);
        CU_ASSERT_EQUAL(pipeline->accept.candidates, cases[i].candidates);
        CU_ASSERT_EQUAL(pipeline->accept.groups != NULL, cases[i].first != NULL);
        if (cases[i].first)
            CHECK_TEXT(pipeline->accept.groups[0], cases[i].first);
        pipeline_free(pipeline);
        buffer_free(&text);
    }
}

static void test_dataset_file(void)
{
    fake_file("data.jsonl", "{}\n");
    struct pipeline *pipeline = good("xylem: 1\nsteps:\n  - {use: grid}\n"
                                     "  - {use: demos.knn, with: {pool: data.jsonl}}\n", NULL);
    CU_ASSERT_PTR_NULL(pipeline->steps[1]->uses);
    pipeline_free(pipeline);
}

/* An error within a prompt is shown where it stands in the file. */
static void test_template_place(void)
{
    struct error_list errors = {0};
    CU_ASSERT_PTR_NULL(fake_read_text(HEAD "steps:\n  - use: grid\n  - use: generate\n    prompt:\n"
                                           "      user: |\n        Write.\n        A {{ label\n",
                                      NULL, &errors));
    CU_ASSERT_EQUAL_FATAL(errors.count, 1);
    CU_ASSERT_TRUE(errors.errors[0].line >= 9 && errors.errors[0].line <= 10);
    CU_ASSERT_PTR_NOT_NULL(strstr(errors.errors[0].text, "the user prompt: "));
    error_list_free(&errors);
}

/* A chain of files, each with ten includes of the next: 10^9 files if nobody counted. */
static void test_include_bomb(void)
{
    for (int level = 0; level < 9; level++) {
        struct buffer text;
        char name[32];
        buffer_init(&text, 4096);
        buffer_append_text(&text, "xylem: 1\nsteps:\n");
        for (int i = 0; i < 10; i++)
            buffer_printf(&text, level < 8 ? "  - {include: b%d.yaml, id: i%d}\n"
                                           : "  - {use: minhash, id: m%d%d}\n", level + 1, i);
        snprintf(name, sizeof(name), "b%d.yaml", level);
        fake_file(name, text.bytes);
        buffer_free(&text);
    }
    struct error_list errors = {0};
    CU_ASSERT_PTR_NULL(fake_read_text("xylem: 1\nsteps: [{use: grid}, {include: b0.yaml}]\n", NULL,
                                      &errors));
    CU_ASSERT_PTR_NOT_NULL(strstr(fake_lines(&errors), "more than 16 files within each other, or "
                                                       "1000 in all"));
    error_list_free(&errors);
    for (int level = 0; level < 9; level++) {
        char name[32];
        snprintf(name, sizeof(name), "b%d.yaml", level);
        unlink(name);
    }
}

/* The example that docs/pipeline-file.md begins with is a good file. */
static void test_documented(void)
{
    struct buffer page;
    buffer_init(&page, 1 << 20);
    FILE *file = fopen(TEST_SOURCE_DIR "/docs/pipeline-file.md", "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    char block[4096];
    for (size_t got; (got = fread(block, 1, sizeof(block), file)) > 0;)
        buffer_append(&page, block, got);
    fclose(file);
    char *start = strstr(page.bytes, "```yaml\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(start);
    start += strlen("```yaml\n");
    char *end = strstr(start, "```");
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    *end = '\0';
    struct pipeline *pipeline = good(start, NULL);
    CHECK_TEXT(pipeline->name, "movie-reviews");
    CU_ASSERT_EQUAL(pipeline->accept.candidates, 8000); /* 20 x 200 x 2 labels */
    CHECK_TEXT(pipeline->writes[0].from, "minhash");
    pipeline_free(pipeline);
    buffer_free(&page);
}

static const char *const files[] = {"p.yaml", "sub.yaml", "outer.yaml", "data.jsonl", NULL};

int main(void)
{
    static const struct check checks[] = {
        {"a whole pipeline", test_whole},
        {"the smallest", test_smallest},
        {"outputs", test_outputs},
        {"messages", test_messages},
        {"conversations", test_history},
        {"repeat", test_repeat},
        {"joins", test_join},
        {"include", test_include},
        {"--set", test_sets},
        {"fingerprint", test_fingerprint},
        {"groups", test_groups},
        {"a file as a dataset", test_dataset_file},
        {"place within a prompt", test_template_place},
        {"include bomb", test_include_bomb},
        {"the documented example", test_documented},
        {NULL, NULL},
    };
    fake_enter();
    int code = check_main("pipeline", checks);
    fake_leave(files);
    return code;
}
