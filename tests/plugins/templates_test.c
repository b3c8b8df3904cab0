/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `template`; the core's own templates are tested in tests/unit. */
#include <math.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;

static void open_pool(const char *yaml)
{
    instance_close(instance);
    host.log[0] = '\0';
    instance = stage_host_open(&host, XY_CONDITION, "template", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
}

static const char *render(const char *json)
{
    stage_result_free(&result);
    stage_host_process(&host, instance, json, &result);
    return stage_text(result.input, "prompt");
}

static void renders_over_the_record(void)
{
    open_pool("{templates: [\"Say {{ text | upper }}.\"]}");
    CHECK_TEXT(render("{\"text\":\"hi {{ x }}\"}"), "Say HI {{ X }}.");
    CHECK_TEXT(stage_text(result.input, "template_index"), "0");
    open_pool("{templates: [one], into: asked, index: which}");
    render("{}");
    CHECK_TEXT(stage_text(result.input, "asked"), "one");
    CHECK_TEXT(stage_text(result.input, "which"), "0");
}

/* How often each of three templates was drawn in so many records. */
static void count_draws(size_t draws, size_t counts[3])
{
    memset(counts, 0, 3 * sizeof(*counts));
    for (size_t i = 0; i < draws; i++) {
        struct record *record = record_create(i + 99);
        struct job *job = job_create(instance, &record, 1);
        job->cancelled = &host.cancelled;
        int code = instance_type(instance)->stage.process(instance_state(instance), &job->base);
        CU_ASSERT_EQUAL_FATAL(code, XY_OK);
        counts[(size_t)stage_number(record, "template_index")]++;
        job_destroy(job);
        record_destroy(record);
    }
}

static void draws_by_weight(void)
{
    enum { DRAWS = 6000 };
    size_t counts[3];
    open_pool("{templates: [a, b, c]}");
    count_draws(DRAWS, counts);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_TRUE(fabs((double)counts[i] - DRAWS / 3.0) < 5 * sqrt(DRAWS * 2.0 / 9));
    open_pool("{templates: [{text: a, weight: 3}, {text: b, weight: 0}, c]}");
    count_draws(DRAWS, counts);
    CU_ASSERT_EQUAL(counts[1], 0);
    CU_ASSERT_TRUE(fabs((double)counts[0] - DRAWS * 0.75) < 5 * sqrt(DRAWS * 0.75 * 0.25));
}

static void draws_from_a_pool(void)
{
    stage_host_add_dataset(&host, "pool",
                           "{\"task\":\"sum\",\"template\":\"Sum up {{ text }}\",\"w\":1}\n"
                           "{\"task\":\"ask\",\"template\":\"Ask about {{ text }}\",\"w\":2}\n"
                           "{\"task\":\"sum\",\"template\":\"{{ text }} in short\",\"w\":0}\n");
    open_pool("{pool: pool, match: task, weight: w}");
    CHECK_TEXT(render("{\"task\":\"ask\",\"text\":\"it\"}"), "Ask about it");
    CHECK_TEXT(stage_text(result.input, "template_index"), "1"); /* its place in the whole pool */
    CHECK_TEXT(render("{\"task\":\"sum\",\"text\":\"it\"}"), "Sum up it");
    render("{\"task\":\"rhyme\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "there is no template for `task` rhyme");
    open_pool("{match: task, templates: [{match: a, text: x}, {match: b, text: y}]}");
    CHECK_TEXT(render("{\"task\":\"b\"}"), "y");
}

static void names_the_template_at_fault(void)
{
    static const struct {
        const char *yaml, *said;
    } cases[] = {
        {"{templates: [fine, \"{{ x | nosuch }}\"]}", "template 1 of `templates`: 1:8: "},
        {"{templates: [fine, fine, {weight: 2}]}", "template 2 of `templates`: expected a text"},
        {"{templates: [{text: a, weight: -1}]}", "template 0 of `templates`: its weight"},
        {"{templates: [{text: a, weight: x}]}", "template 0 of `templates`: its weight"},
        {"{templates: [a], match: task}", "template 0 of `templates`: it has no text under "},
        {"{templates: []}", "at least one template"},
        {"{templates: {a: b}}", "at least one template"},
        {"{}", "`templates`, or as a data set, `pool`"},
        {"{pool: bad}", "template 1 of the `pool`: 1:"},
        {"{pool: bad, field: text}", "template 0 of the `pool`: it has no text in `text`"},
        {"{pool: bad, match: task}", "template 0 of the `pool`: it has no `task`"},
    };
    stage_host_add_dataset(&host, "bad", "{\"template\":\"good\"}\n{\"template\":\"{% if %}\"}\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "template", cases[i].yaml));
        bool said = strstr(host.error.text, cases[i].said) != NULL;
        CU_ASSERT_TRUE(said);
        if (!said)
            printf("\n    %s: %s ", cases[i].yaml, host.error.text);
    }
    /* A name that the record does not have. */
    open_pool("{templates: [\"{{ styel }}\"]}");
    render("{\"style\":\"terse\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "styel"));
    CHECK_TEXT(stage_text(result.input, "template_index"), "0");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "template 0 cannot be rendered"));
}

static const struct check checks[] = {
    {"renders over the record", renders_over_the_record},
    {"draws by weight", draws_by_weight},
    {"draws from a pool", draws_from_a_pool},
    {"names the template at fault", names_the_template_at_fault},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "templates");
    int failed = check_main("templates", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    return failed;
}
