/* SPDX-License-Identifier: Apache-2.0 */
/* A search in a small world whose paths are known: doors that open and doors that do not, and a
 * model that follows a script by where it stands. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;

/* What the model says: the last message begins with `last` and holds `part`. */
struct rule {
    const char *last, *part, *text;
};
static const struct rule *script;
static int asked, opened;
static char transcript[20000]; /* the last user message of each request, one after another */
static uint64_t seeds[64];

static int answer(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    (void)data;
    const xy_message *last = &request->messages[request->message_count - 1];
    char *text = arena_printf(arena, "%.*s", (int)last->content.len, last->content.ptr);
    size_t used = strlen(transcript);
    snprintf(transcript + used, sizeof(transcript) - used, "%s\n--\n", text);
    seeds[asked++ % 64] = request->seed;
    CU_ASSERT_PTR_NOT_NULL(strstr(request->messages[0].content.ptr, "{\"give_up\": \"why\"}"));
    CU_ASSERT(request->json_schema.len > 0);
    for (const struct rule *rule = script; rule->last; rule++) {
        if (strncmp(text, rule->last, strlen(rule->last)) == 0 && strstr(text, rule->part)) {
            reply->text = str_of(rule->text);
            return XY_OK;
        }
    }
    reply->error = "no rule";
    return XY_EUPSTREAM;
}

/* Doors with an even number open; door 9 is the run's end. */
static void open_door(void *data, const char *name, xy_str arguments, xy_tool_reply *reply,
                      struct arena *arena)
{
    struct value value;
    struct error error;
    (void)data;
    opened++;
    CHECK_TEXT(name, "open");
    CU_ASSERT_EQUAL_FATAL(json_parse(arena, arguments, &value, &error), 0);
    const struct value *door = value_member(&value, STR("door"));
    int64_t number = door ? door->integer : 1;
    reply->status = number == 9 ? XY_ECANCELED : number % 2 ? XY_DROP : XY_OK;
    reply->result = number % 2 ? STR("locked")
                               : str_of(arena_printf(arena, "room %lld", (long long)number));
}

static struct instance *open_with(const char *options)
{
    stage_host_init(&host);
    stage_host_load(&host, "tool_search");
    host.answer = answer;
    host.tool = open_door;
    host.tools = "[{\"name\":\"open\",\"description\":\"Opens.\",\"parameters\":"
                 "{\"type\":\"object\"}}]";
    asked = opened = 0;
    transcript[0] = '\0';
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "tool_search", options);
    if (!instance)
        printf("\n    %s\n", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    return instance;
}

static void search(const char *options, const struct rule *rules, int verdict, const char *why,
                   struct stage_result *result, struct instance **instance)
{
    *instance = open_with(options);
    script = rules;
    stage_host_process(&host, *instance, "{\"instruction\":\"Find the gold.\"}", result);
    CU_ASSERT_EQUAL(result->verdict, verdict);
    CHECK_TEXT(result->why ? result->why : "", why);
}

static void over(struct stage_result *result, struct instance *instance)
{
    stage_result_free(result);
    instance_close(instance);
    stage_host_free(&host);
}

#define OPTIONS "model: m, prompt: You look for gold."
#define OPEN(door) "{\"tool\":\"open\",\"arguments\":{\"door\":" #door "}}"

/* Room 2 is entered, door 3 fails, room 2 is given up, room 4 is entered from the start: gold. */
static void goes_back(void)
{
    static const struct rule rules[] = {
        {"Find", "led nowhere", "Let me see: " OPEN(4)},
        {"Find", "", OPEN(2)},
        {"Result of open: room 2", "led nowhere", "{\"give_up\":\"a dead end\"}"},
        {"Result of open: room 2", "", OPEN(3)},
        {"Result of open: room 4", "", "{\"answer\":\"gold\"}"},
        {0}};
    struct stage_result result;
    struct instance *instance;
    search("{" OPTIONS ", conversation: messages}", rules, XY_OK, "", &result, &instance);
    CHECK_TEXT(stage_text(result.input, "answer"), "gold");
    CHECK_TEXT(stage_text(result.input, "tool_calls"),
               "[{\"tool\":\"open\",\"arguments\":{\"door\":4},\"result\":\"room 4\","
               "\"error\":null}]");
    CHECK_TEXT(stage_text(result.input, "tried"),
               "[{\"depth\":2,\"tool\":\"open\",\"arguments\":{\"door\":3},\"error\":\"locked\"},"
               "{\"depth\":2,\"error\":\"a dead end\"},"
               "{\"depth\":1,\"tool\":\"open\",\"arguments\":{\"door\":2},"
               "\"error\":\"nothing after it led to an answer\"}]");
    CU_ASSERT_EQUAL(stage_number(result.input, "search_nodes"), 5);
    CU_ASSERT_EQUAL(asked, 5);
    CU_ASSERT_EQUAL(opened, 3);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(transcript, "Result of open: room 2\n\nThis was tried here and led nowhere, so do "
                           "something else:\n[{\"tool\":\"open\",\"arguments\":{\"door\":3},"
                           "\"error\":\"locked\"}]\n--"));
    CHECK_TEXT(stage_text(result.input, "tools"),
               "[{\"type\":\"function\",\"function\":{\"name\":\"open\",\"description\":\"Opens.\","
               "\"parameters\":{\"type\":\"object\"}}}]");
    const char *chat = stage_text(result.input, "messages");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(chat, "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\","
                     "\"type\":\"function\",\"function\":{\"name\":\"open\",\"arguments\":"
                     "\"{\\\"door\\\":4}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_1\","
                     "\"content\":\"room 4\"},{\"role\":\"assistant\",\"content\":\"gold\"}]"));
    CU_ASSERT_EQUAL(stage_host_score(&host, "pass_rate").value, 1);
    for (int i = 1; i < 5; i++)
        CU_ASSERT(seeds[i] != seeds[i - 1]);
    over(&result, instance);
}

/* Breadth: with one branch nothing is tried again. */
static void gives_up(void)
{
    static const struct rule rules[] = {{"Find", "", OPEN(1)}, {0}};
    static const struct rule silly[] = {{"", "", "I do not know."}, {0}};
    static const struct rule stranger[] = {{"", "", "{\"tool\":\"shut\",\"arguments\":{}}"}, {0}};
    struct stage_result result;
    struct instance *instance;
    search("{" OPTIONS ", branches: 1}", rules, XY_DROP,
           "no answer: every branch was tried (1 messages)", &result, &instance);
    CHECK_TEXT(stage_text(result.input, "tool_calls"), "[]");
    CU_ASSERT_EQUAL(stage_host_score(&host, "pass_rate").value, 0);
    over(&result, instance);
    search("{" OPTIONS ", branches: 3}", rules, XY_DROP,
           "no answer: every branch was tried (3 messages)", &result, &instance);
    CU_ASSERT_EQUAL(opened, 3);
    over(&result, instance);
    search("{" OPTIONS "}", silly, XY_DROP, "no answer: every branch was tried (2 messages)",
           &result, &instance);
    CU_ASSERT_EQUAL(opened, 0);
    over(&result, instance);
    search("{" OPTIONS ", tools: [open]}", stranger, XY_DROP,
           "no answer: every branch was tried (2 messages)", &result, &instance);
    CU_ASSERT_EQUAL(opened, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(stage_text(result.input, "tried"), "no tool of that name"));
    over(&result, instance);
}

/* A model that always goes one room further: 1 + 2 + 4 + 8 nodes below depth 3 with two branches,
 * each asked twice; or as many as `nodes` allows. */
static void bounds(void)
{
    static const struct rule rules[] = {{"", "", OPEN(2)}, {0}};
    struct stage_result result;
    struct instance *instance;
    search("{" OPTIONS ", depth: 3, nodes: 1000}", rules, XY_DROP,
           "no answer: every branch was tried (30 messages)", &result, &instance);
    CU_ASSERT_EQUAL(opened, 2 + 4 + 8);
    over(&result, instance);
    search("{" OPTIONS ", depth: 30, nodes: 12}", rules, XY_DROP,
           "no answer within 12 messages of the model", &result, &instance);
    CU_ASSERT_EQUAL(asked, 12);
    over(&result, instance);
}

static void broken(void)
{
    static const struct rule none[] = {{0}};
    static const struct rule stops[] = {{"", "", OPEN(9)}, {0}};
    struct stage_result result;
    struct instance *instance;
    search("{" OPTIONS "}", none, XY_EUPSTREAM, "no rule", &result, &instance);
    CU_ASSERT(isnan(stage_host_score(&host, "pass_rate").value));
    over(&result, instance);
    search("{" OPTIONS "}", stops, XY_ECANCELED, "locked", &result, &instance);
    over(&result, instance);
    instance = open_with("{" OPTIONS "}");
    stage_host_process(&host, instance, "{\"text\":\"x\"}", &result);
    CHECK_TEXT(result.why, "there is no task in `instruction`");
    over(&result, instance);
}

int main(void)
{
    static const struct check checks[] = {
        {"goes back to where it can go on", goes_back},
        {"gives up", gives_up},
        {"bounds", bounds},
        {"a model or a tool that fails", broken},
        {NULL, NULL},
    };
    return check_main("tool_search", checks);
}
