/* SPDX-License-Identifier: Apache-2.0 */
/* values.llm against a scripted model: every form of a list, models that repeat themselves and that
 * refuse. values.draw against the attribute values that AttrPrompt's authors published. */
#include <math.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

enum { MOST_PROMPTS = 32 };

static struct stage_host host;
static struct stage_result result;

/* The model: the answers in turn, the last one for ever; and what it was asked. */
static struct script {
    const char *const *answers;
    size_t asked;
    uint32_t finish;
    int status, schema_status;
    size_t good;    /* so many answers come before `status` does */
    char prompts[MOST_PROMPTS][512];
    uint32_t samples[MOST_PROMPTS];
    uint64_t seeds[MOST_PROMPTS];
    double temperature;
} script;

static int answer(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    (void)data, (void)arena;
    if (request->json_schema.len && script.schema_status) {
        reply->error = "no schemas here";
        return script.schema_status;
    }
    const xy_message *last = &request->messages[request->message_count - 1];
    size_t place = script.asked < MOST_PROMPTS ? script.asked : MOST_PROMPTS - 1;
    snprintf(script.prompts[place], sizeof(script.prompts[place]), "%.*s", (int)last->content.len,
             last->content.ptr);
    script.samples[place] = request->sample;
    script.seeds[place] = request->seed;
    script.temperature = request->temperature;
    script.asked++;
    reply->error = "the server is down";
    reply->finish = script.finish ? script.finish : XY_FINISH_STOP;
    reply->text = str_of(*script.answers);
    if (script.answers[1])
        script.answers++;
    return script.asked > script.good ? script.status : XY_OK;
}

/* Asks for one record; `json` NULL: as a source. */
static void ask(const char *yaml, const char *json, const char *const *answers)
{
    stage_result_free(&result);
    script.answers = answers;
    script.asked = 0;
    host.log[0] = '\0';
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "values.llm", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
}

#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- reading lists --------------------------------------------------------------------------- */

static void reads_every_form(void)
{
    static const struct {
        const char *answer, *values;
    } cases[] = {
        {"1. Drama\n2. Comedy\n3. Horror", "[\"Drama\",\"Comedy\",\"Horror\"]"},
        {"Sure! Here are 2:\n\n 1) Drama\n10) Comedy\n\nLet me know if you want more.",
         "[\"Drama\",\"Comedy\"]"},
        {"- **Drama**: plays\n  - about people\n- Comedy.\n", "[\"Drama: plays\",\"Comedy\"]"},
        {"* \"Drama\"\n* \xe2\x80\x9c" "Comedy\xe2\x80\x9d", "[\"Drama\",\"Comedy\"]"},
        {"\xe2\x80\xa2 Drama\n\xe2\x80\xa2" "Comedy", "[\"Drama\",\"Comedy\"]"},
        {"**1. Drama**\n**2. Comedy**", "[\"Drama\",\"Comedy\"]"},
        {"a) Drama\nb) Comedy", "[\"Drama\",\"Comedy\"]"},
        {"Drama, Comedy (dark, dry), and Horror.",
         "[\"Drama\",\"Comedy (dark, dry)\",\"Horror\"]"},
        {"Some genres: Drama, Comedy", "[\"Drama\",\"Comedy\"]"},
        {"Here they are:\nDrama\nComedy\n\nThat is all!", "[\"Drama\",\"Comedy\"]"},
        {"[\"Drama\", \"say \\\"hi\\\"\", 7]", "[\"Drama\",\"say \\\"hi\\\"\",\"7\"]"},
        {"Here:\n```json\n{\"values\": [\"Drama\", {\"name\": \"Comedy\", \"why\": \"x\"}]}\n```",
         "[\"Drama\",\"Comedy\"]"},
        {"[\"Drama\", \"Comedy\", \"Hor", "[\"Drama\",\"Comedy\"]"},
        {"Drama", "[\"Drama\"]"},
        {"3.5 stars\n12:30 pm", "[\"3.5 stars\",\"12:30 pm\"]"},
        {"1. e.g. the U.S.\n2. \n3. caf\xc3\xa9;", "[\"e.g. the U.S.\",\"caf\xc3\xa9\"]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask("{model: m, prompt: p, emit: list, most_asks: 1}", "{}", ANSWERS(cases[i].answer));
        CU_ASSERT_EQUAL_FATAL(result.count, 1);
        CHECK_TEXT(stage_text(result.records[0], "value"), cases[i].values);
    }
    ask("{model: m, prompt: p, emit: list, most_asks: 1, description: cut}", "{}",
        ANSWERS("1. **Drama**: plays\n2. Comedy - dry\n3. Sci-fi"));
    CHECK_TEXT(stage_text(result.records[0], "value"), "[\"Drama\",\"Comedy\",\"Sci-fi\"]");
    script.finish = XY_FINISH_LENGTH; /* the last item may have been cut in the middle */
    ask("{model: m, prompt: p, emit: list, most_asks: 1}", "{}", ANSWERS("1. Drama\n2. Com"));
    CHECK_TEXT(stage_text(result.records[0], "value"), "[\"Drama\"]");
    script.finish = 0;
}

/* ---- asking again ---------------------------------------------------------------------------- */

static void asks_until_there_are_enough(void)
{
    ask("{model: m, count: 4, into: topic, system: \"on {{ label }}\", prompt: "
        "\"{{ wanted }} of {{ label }}, not {{ have | join('/') }}\"}",
        "{\"label\":\"sports\"}", ANSWERS("1. Golf\n2.  golf \n3. GOLF", "Tennis, Golf", "Chess",
                                          "Judo, Polo"));
    CHECK_TEXT(script.prompts[0], "4 of sports, not ");
    CHECK_TEXT(script.prompts[1], "3 of sports, not Golf");
    CHECK_TEXT(script.prompts[2], "2 of sports, not Golf/Tennis");
    CHECK_TEXT(script.prompts[3], "1 of sports, not Golf/Tennis/Chess");
    CU_ASSERT_EQUAL(script.asked, 4);
    CU_ASSERT_EQUAL(result.verdict, XY_CONSUMED);
    CU_ASSERT_EQUAL_FATAL(result.count, 4); /* Polo was more than it was asked for */
    static const char *const topics[] = {"Golf", "Tennis", "Chess", "Judo"};
    for (size_t i = 0; i < 4; i++) {
        CHECK_TEXT(stage_text(result.records[i], "topic"), topics[i]);
        CHECK_TEXT(stage_text(result.records[i], "label"), "sports");
        CHECK_TEXT(stage_text(result.records[i], "have"), ""); /* the prompt's alone */
        CU_ASSERT_EQUAL(result.records[i]->parent, 1);
    }
    CU_ASSERT_NOT_EQUAL(result.records[0]->id, result.records[1]->id);
    CU_ASSERT_EQUAL(stage_host_score(&host, "distinct").value, 4);
    CU_ASSERT_EQUAL(stage_host_score(&host, "asked").value, 4);
    CU_ASSERT_EQUAL(stage_host_score(&host, "repeated").value, 3); /* golf, GOLF, Golf */
    CU_ASSERT_EQUAL(stage_host_score(&host, "filled").value, 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "dry").value, 0);
    CHECK_TEXT(host.log, "");
    ask("{model: m, count: 5, per_ask: 2, prompt: \"{{ wanted }}\"}", "{}",
        ANSWERS("a, b", "c, d", "e"));
    CHECK_TEXT(script.prompts[1], "2");
    CHECK_TEXT(script.prompts[2], "1");
    CU_ASSERT_EQUAL(result.count, 5);
}

static void stops_when_the_model_is_dry(void)
{
    ask("{model: m, prompt: \"{{ have }}\", count: 10, dry: 3}", "{}",
        ANSWERS("Golf, Tennis", "Golf", "Judo", "Judo, Golf"));
    CU_ASSERT_EQUAL(result.count, 3);
    CU_ASSERT_EQUAL(script.asked, 6); /* two, none, one, and then three in a row */
    /* An asking that brought nothing is repeated as another sample, with another seed. */
    static const uint32_t samples[] = {0, 0, 1, 0, 1, 2};
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(script.samples[i], samples[i]);
    CU_ASSERT_NOT_EQUAL(script.seeds[3], script.seeds[4]);
    CU_ASSERT_EQUAL(stage_host_score(&host, "dry").value, 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "filled").value, 0.3);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "3 of 10 values after 6 askings: 3 brought nothing new "
                                            "in a row"));
    ask("{model: m, prompt: p, count: 10, dry: 3, temperature: 0}", "{}", ANSWERS("Golf"));
    CU_ASSERT_EQUAL(script.asked, 2); /* the same prompt would bring the same answer */
    CU_ASSERT_EQUAL(script.seeds[0], 0);
    CU_ASSERT_EQUAL(script.temperature, 0);
    ask("{model: m, prompt: p, count: 9, dry: 99, most_asks: 7}", "{}", ANSWERS("Golf", ""));
    CU_ASSERT_EQUAL(script.asked, 7);
    CU_ASSERT_EQUAL(result.count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "7 is the limit of `most_asks`"));
}

static void reports_refusals(void)
{
    ask("{model: m, prompt: p}", "{}", ANSWERS("I'm sorry, but I can't help with that."));
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "no value after 2 askings: the model refuses");
    CU_ASSERT_EQUAL(stage_host_score(&host, "refused").value, 2);
    ask("{model: m, prompt: p}", "{}", ANSWERS("   \n"));
    CHECK_TEXT(result.why, "no value after 2 askings: no answer held a list");
    ask("{model: m, prompt: p}", NULL, ANSWERS("Sorry, no."));
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM); /* nothing stands before it that could go on */
    ask("{model: m, prompt: p, most_words: 3, count: 2}", "{}",
        ANSWERS("1. This is a long sentence about golf\n2. Golf\n3. Table tennis club"));
    CU_ASSERT_EQUAL(result.count, 2);
    CU_ASSERT_EQUAL(stage_host_score(&host, "too_long").value, 1);
}

/* ROUGE-L of "history of golf" and "the history of golf" is 2 * 3 / 7 = 0.857; of "rules of golf"
 * and either 2 * 2 / 6 and 2 * 2 / 7. */
static void leaves_out_near_duplicates(void)
{
    const char *const *answers = ANSWERS("1. history of golf\n2. The history of golf\n"
                                         "3. Rules of golf");
    ask("{model: m, prompt: p, most_asks: 1, similar: 0.7}", "{}", answers);
    CU_ASSERT_EQUAL_FATAL(result.count, 2);
    CHECK_TEXT(stage_text(result.records[1], "value"), "Rules of golf");
    ask("{model: m, prompt: p, most_asks: 1, similar: 0.86}", "{}", answers);
    CU_ASSERT_EQUAL(result.count, 3);
    ask("{model: m, prompt: p, most_asks: 1, similar: 0.6}", "{}", answers);
    CU_ASSERT_EQUAL(result.count, 1);
    ask("{model: m, prompt: p, most_asks: 1}", "{}", ANSWERS("C++, C#, c#"));
    CU_ASSERT_EQUAL(result.count, 2);
    ask("{model: m, prompt: p, most_asks: 1, normalise: words}", "{}", ANSWERS("sci-fi, sci fi"));
    CU_ASSERT_EQUAL(result.count, 1);
    ask("{model: m, prompt: p, most_asks: 1, normalise: none}", "{}", ANSWERS("Sci-fi, sci-fi"));
    CU_ASSERT_EQUAL(result.count, 2);
}

static void works_as_a_source(void)
{
    ask("{model: m, prompt: \"{{ wanted }}\", count: 2}", NULL, ANSWERS("Golf, Judo"));
    CU_ASSERT_EQUAL(result.verdict, XY_END);
    CU_ASSERT_EQUAL_FATAL(result.count, 2);
    CU_ASSERT_EQUAL(result.records[0]->parent, 0);
    CHECK_TEXT(stage_text(result.records[1], "value"), "Judo");
}

static void asks_for_json_where_it_can(void)
{
    script.schema_status = XY_EUNSUPPORTED;
    ask("{model: m, prompt: p, json: true, count: 1}", "{}", ANSWERS("Golf"));
    CU_ASSERT_EQUAL(result.count, 1);
    CU_ASSERT_EQUAL(script.asked, 1);
    script.schema_status = 0;
    ask("{model: m, prompt: p, json: true, count: 1}", "{}", ANSWERS("{\"items\":[\"Golf\"]}"));
    CU_ASSERT_EQUAL(result.count, 1);
}

static void passes_errors_on(void)
{
    script.status = XY_EUPSTREAM;
    ask("{model: m, prompt: p}", "{}", ANSWERS(""));
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM);
    CHECK_TEXT(result.why, "the server is down");
    script.good = 1;
    ask("{model: m, prompt: p}", "{}", ANSWERS("Golf, Judo"));
    CU_ASSERT_EQUAL(result.verdict, XY_CONSUMED);
    CU_ASSERT_EQUAL(result.count, 2); /* what came before is not lost */
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "2 of 10 values after 2 askings: 1 ended in an error"));
    script.status = XY_EBUDGET;
    ask("{model: m, prompt: p}", "{}", ANSWERS("Golf, Judo"));
    CU_ASSERT_EQUAL(result.verdict, XY_EBUDGET);
    script.status = 0;
    ask("{model: m, prompt: \"{{ lable }}\"}", "{\"label\":1}", ANSWERS("Golf"));
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "lable"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "values.llm",
                                       "{model: m, prompt: \"{{ x\"}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "values.llm", "{model: m}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "prompt"));
}

static void estimates(void)
{
    static const struct {
        const char *yaml;
        int64_t records;
        double calls;
    } cases[] = {{"{model: m, prompt: p, count: 7}", 7, 1},
                 {"{model: m, prompt: p, count: 7, per_ask: 3}", 7, 3},
                 {"{model: m, prompt: p, count: 70, per_ask: 3, most_asks: 5, emit: list}", 1, 5}};
    for (size_t i = 0; i < 3; i++) {
        struct instance *instance =
            stage_host_open(&host, XY_CONDITION, "values.llm", cases[i].yaml);
        CU_ASSERT_FATAL(instance != NULL);
        const xy_stage *stage = &instance_type(instance)->stage;
        CU_ASSERT_EQUAL(stage->estimate(instance_state(instance)), cases[i].records);
        CU_ASSERT_EQUAL(stage->estimate_calls(instance_state(instance)), cases[i].calls);
        instance_close(instance);
    }
}

/* ---- values.draw ----------------------------------------------------------------------------- */

static struct instance *open_draw(const char *yaml)
{
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "values.draw", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    return instance;
}

static void draws_of_the_own_class(void)
{
    stage_host_add_dataset(&host, "pool",
                           "{\"label\":\"a\",\"value\":1,\"w\":1}\n"
                           "{\"label\":\"b\",\"value\":[2,\"x\"],\"w\":0}\n"
                           "{\"label\":\"a\",\"value\":\"three\",\"w\":3}\n");
    struct instance *draw = open_draw("{pool: pool, match: label, field: [value, w]}");
    stage_result_free(&result);
    stage_host_process(&host, draw, "{\"label\":\"b\",\"kept\":true}", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(stage_text(result.input, "value"), "[2,\"x\"]");
    CHECK_TEXT(stage_text(result.input, "w"), "0");
    CHECK_TEXT(stage_text(result.input, "kept"), "true");
    stage_result_free(&result);
    stage_host_process(&host, draw, "{\"label\":\"c\"}", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "the `pool` has no value for `label` c");
    stage_result_free(&result);
    stage_host_process(&host, draw, "{}", &result);
    CHECK_TEXT(result.why, "the `pool` has no value for `label` (missing)");
    instance_close(draw);
    draw = open_draw("{pool: pool, match: label, weight: w}");
    stage_result_free(&result);
    stage_host_process(&host, draw, "{\"label\":\"b\"}", &result);
    CHECK_TEXT(result.why, "all values that it could draw have weight 0");
    instance_close(draw);
    stage_host_add_dataset(&host, "empty", "");
    draw = open_draw("{pool: empty}");
    stage_result_free(&result);
    stage_host_process(&host, draw, "{}", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "the `pool` is empty: there is no value to draw");
    instance_close(draw);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "values.draw",
                                       "{pool: pool, field: gone}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "record 0 of the `pool` has no `gone`"));
}

/* Draws 200 times for each of `values` records of one data set and sees each value as often as a
 * uniform draw has it: chi squared below its mean by five standard deviations above. */
static void check_uniform(struct instance *draw, const char *label, size_t values)
{
    enum { TIMES = 200, MOST = 128 };
    char seen[MOST][256];
    size_t counts[MOST] = {0}, known = 0, draws = values * TIMES;
    for (size_t i = 0; i < draws; i++) {
        struct record *record = record_create(i + 17);
        struct value text = value_text(str_of(label));
        record_set_tree(record, "label", &text);
        struct job *job = job_create(draw, &record, 1);
        job->cancelled = &host.cancelled;
        int verdict = instance_type(draw)->stage.process(instance_state(draw), &job->base);
        CU_ASSERT_EQUAL_FATAL(verdict, XY_OK);
        const char *value = stage_text(record, "value");
        size_t at = 0;
        while (at < known && strncmp(seen[at], value, sizeof(seen[at]) - 1) != 0)
            at++;
        CU_ASSERT_FATAL(at < MOST);
        if (at == known)
            snprintf(seen[known++], sizeof(seen[0]), "%s", value);
        counts[at]++;
        job_destroy(job);
        record_destroy(record);
    }
    CU_ASSERT_EQUAL(known, values);
    double chi = 0, freedom = (double)values - 1;
    for (size_t i = 0; i < known; i++)
        chi += ((double)counts[i] - TIMES) * ((double)counts[i] - TIMES) / TIMES;
    CU_ASSERT_TRUE(chi < freedom + 5 * sqrt(2 * freedom));
}

/* The values that ChatGPT gave for AG News: 15 to 20 subtopics in each of four classes. */
static void draws_published_values(void)
{
    static const struct {
        const char *label;
        size_t values;
    } classes[] = {{"business", 17}, {"sci_tech", 19}, {"sports", 20}, {"world", 15}};
    const char *bytes = stage_host_reference(&host, "attrprompt/agnews_attributes.json");
    struct value file;
    struct error error;
    if (!bytes)
        return;
    CU_ASSERT_EQUAL_FATAL(json_parse(&host.arena, str_of(bytes), &file, &error), 0);
    struct record *records[128];
    size_t count = 0;
    for (size_t c = 0; c < 4; c++) {
        const char *key = arena_printf(&host.arena, "attrprompt/gpt-3.5-turbo/subtopics/%s.jsonl",
                                       classes[c].label);
        const struct value *list = value_member(&file, str_of(key));
        CU_ASSERT_EQUAL_FATAL(list->list.count, classes[c].values);
        for (size_t i = 0; i < list->list.count; i++) {
            struct value label = value_text(str_of(classes[c].label));
            records[count] = record_create(count + 1);
            record_set_tree(records[count], "label", &label);
            record_set_tree(records[count++], "value", &list->list.items[i]);
        }
    }
    stage_host_add_records(&host, "subtopics", records, count);
    struct instance *draw = open_draw("{pool: subtopics, match: label}");
    for (size_t c = 0; c < 4; c++)
        check_uniform(draw, classes[c].label, classes[c].values);
    instance_close(draw);
    for (size_t i = 0; i < count; i++)
        record_destroy(records[i]);
}

static const struct check checks[] = {
    {"every form of a list", reads_every_form},
    {"asks until there are enough", asks_until_there_are_enough},
    {"a dry model", stops_when_the_model_is_dry},
    {"refusals", reports_refusals},
    {"near duplicates", leaves_out_near_duplicates},
    {"a source", works_as_a_source},
    {"json", asks_for_json_where_it_can},
    {"errors", passes_errors_on},
    {"estimates", estimates},
    {"draw: the own class", draws_of_the_own_class},
    {"draw: published values", draws_published_values},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    host.answer = answer;
    stage_host_load(&host, "values");
    int failed = check_main("values", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
