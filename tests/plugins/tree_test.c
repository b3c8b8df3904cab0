/* SPDX-License-Identifier: Apache-2.0 */
/* tree against a scripted model: fan-out arithmetic, depth-first order whatever order the answers
 * arrive in, backtracking, pruning, and trees that do not grow. The published tree of
 * Explore-Instruct, replayed. */
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

/* The model: told by the last line of the prompt, NAME|WANTED|CHILDREN, what is asked for. */
static struct script {
    const char *(*children)(const char *name, int wanted, const char *have);
    size_t asked;
    int most_pending;
    char prompts[64][256];
    uint32_t samples[64];
} script;

static int answer(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    (void)data;
    xy_str content = request->messages[request->message_count - 1].content;
    char *prompt = arena_copy(arena, content.ptr, content.len);
    size_t place = script.asked < 64 ? script.asked : 63;
    snprintf(script.prompts[place], sizeof(script.prompts[place]), "%s", prompt);
    script.samples[place] = request->sample;
    script.asked++;
    char *wanted = strchr(prompt, '|');
    CU_ASSERT_FATAL(wanted != NULL);
    *wanted++ = '\0';
    char *have = strchr(wanted, '|');
    CU_ASSERT_FATAL(have != NULL);
    *have++ = '\0';
    have[strcspn(have, "|")] = '\0';
    const char *text = script.children(prompt, (int)strtol(wanted, NULL, 10), have);
    reply->finish = XY_FINISH_STOP;
    if (!text) {
        reply->error = "the server is down";
        return XY_EUPSTREAM;
    }
    reply->text = arena_str(arena, str_of(text));
    return XY_OK;
}

#define PROMPT "model: m, prompt: \"{{ name }}|{{ wanted }}|{{ children | join(',') }}\""

static void grow(const char *yaml, const char *json)
{
    stage_result_free(&result);
    script.asked = 0;
    host.log[0] = '\0';
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "tree", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
}

/* The names that came out, as "a b c". */
static const char *names(void)
{
    static char text[8192];
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < result.count && length < sizeof(text) - 256; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i ? " " : "",
                                   stage_text(result.records[i], "name"));
    return text;
}

static double score(const char *name)
{
    return stage_host_score(&host, name).value;
}

/* Children of x are xa, xb, xc ..., as many as are wanted, behind those there are. */
static const char *letters(const char *name, int wanted, const char *have)
{
    static char text[4096];
    size_t length = 0, from = 0;
    for (const char *at = have; *at; at++)
        from += *at == ',';
    from += *have != '\0';
    text[0] = '\0';
    for (int i = 0; i < wanted; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%d. %s%c\n", i + 1, name,
                                   (int)('a' + (int)from + i));
    return text;
}

/* 2 roots, 3 children each, 2 of each of these: 2 + 6 + 12 nodes, asked in 2 + 6 calls. */
static void fans_out(void)
{
    script.children = letters;
    for (int newest = 0; newest < 2; newest++) {
        host.newest_first = newest;
        grow("{" PROMPT ", roots: [x, y], breadth: [3, 2]}", NULL);
        CU_ASSERT_EQUAL(result.verdict, XY_END);
        CHECK_TEXT(names(), "xaa xab xba xbb xca xcb yaa yab yba ybb yca ycb");
        CU_ASSERT_EQUAL(script.asked, 8);
    }
    host.newest_first = false;
    CHECK_TEXT(stage_text(result.records[3], "path"), "[\"x\",\"xb\",\"xbb\"]");
    CHECK_TEXT(stage_text(result.records[3], "parent"), "xb");
    CHECK_TEXT(stage_text(result.records[3], "depth"), "2");
    CU_ASSERT_EQUAL(score("nodes"), 20);
    CU_ASSERT_EQUAL(score("leaves"), 12);
    CU_ASSERT_EQUAL(score("depth_0"), 2);
    CU_ASSERT_EQUAL(score("depth_1"), 6);
    CU_ASSERT_EQUAL(score("depth_2"), 12);
    CU_ASSERT_EQUAL(score("asked"), 8);
    CU_ASSERT_EQUAL(score("filled"), 1);
    CU_ASSERT_EQUAL(score("pruned"), 0);
    CHECK_TEXT(host.log, "");
    grow("{" PROMPT ", breadth: 2, depth: 2, emit: nodes}",
         "{\"name\":\"x\",\"sector\":\"world\"}");
    CHECK_TEXT(names(), "x xa xaa xab xb xba xbb");
    CHECK_TEXT(stage_text(result.records[2], "sector"), "world");
    CU_ASSERT_EQUAL(result.records[2]->parent, 1);
    CHECK_TEXT(stage_text(result.records[0], "parent"), "");
    CHECK_TEXT(stage_text(result.records[0], "wanted"), ""); /* the prompt's alone */
    CU_ASSERT_EQUAL(result.verdict, XY_CONSUMED);
}

static void estimates(void)
{
    static const struct {
        const char *yaml;
        int64_t records;
        double calls;
    } cases[] = {
        {"{" PROMPT ", roots: [x, y], breadth: [3, 2]}", 12, 8},
        {"{" PROMPT ", breadth: [3, 2], emit: nodes}", 10, 4},
        {"{" PROMPT ", breadth: [30, 10]}", 300, 31},
        {"{" PROMPT ", breadth: [4, 2], per_ask: 2, backtracks: 1}", 8, 2 + 4},
        {"{" PROMPT ", breadth: [9], depth: 16, most_nodes: 500}", 500, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct instance *instance = stage_host_open(&host, XY_CONDITION, "tree", cases[i].yaml);
        CU_ASSERT_FATAL(instance != NULL);
        const xy_stage *stage = &instance_type(instance)->stage;
        CU_ASSERT_EQUAL(stage->estimate(instance_state(instance)), cases[i].records);
        if (cases[i].calls >= 0)
            CU_ASSERT_EQUAL(stage->estimate_calls(instance_state(instance)), cases[i].calls);
        instance_close(instance);
    }
}

/* One child for each asking, however many are wanted: only going back fills the tree. */
static const char *one_at_a_time(const char *name, int wanted, const char *have)
{
    (void)wanted;
    return letters(name, 1, have);
}

static void tracks_back(void)
{
    script.children = one_at_a_time;
    grow("{" PROMPT ", breadth: [2, 2], emit: nodes}", "{\"name\":\"x\"}");
    CHECK_TEXT(names(), "x xa xaa");
    CU_ASSERT_EQUAL(score("filled"), 0.5); /* 2 of the 2 + 2 that x and xa should have */
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "`x`: 2 of 4 children"));
    /* The deepest first: xa gets xab, then x gets xb, which looks ahead to xba. */
    grow("{" PROMPT ", breadth: [2, 2], emit: nodes, backtracks: 1}", "{\"name\":\"x\"}");
    CHECK_TEXT(names(), "x xa xaa xab xb xba");
    static const char *const asked[] = {"x|2|", "xa|2|", "xa|1|xaa", "x|1|xa", "xb|2|"};
    CU_ASSERT_EQUAL_FATAL(script.asked, 5);
    for (size_t i = 0; i < 5; i++)
        CHECK_TEXT(script.prompts[i], asked[i]);
    grow("{" PROMPT ", breadth: [2, 2], backtracks: 2}", "{\"name\":\"x\"}");
    CHECK_TEXT(names(), "xaa xab xba xbb");
    CU_ASSERT_EQUAL(score("filled"), 1);
    CHECK_TEXT(host.log, "");
}

/* Names as they come from a model that does not look at what there is. */
static const char *repeats(const char *name, int wanted, const char *have)
{
    (void)wanted, (void)have;
    if (!strcmp(name, "art"))
        return "- History of painting\n- the history of painting\n- Music\n- ART";
    return "- music\n- Folk songs\n- This is much too long to be the name of any topic at all, is "
           "it not\n- Folk dances: dances of the people";
}

/* ROUGE-L of "history of painting" and "the history of painting" is 6/7; of "folk songs" and "folk
 * dances" 1/2. */
static void prunes(void)
{
    script.children = repeats;
    grow("{" PROMPT ", breadth: [4, 3]}", "{\"name\":\"art\"}");
    CHECK_TEXT(names(), "Folk songs Folk dances Music"); /* below the first; Music stays a leaf */
    CU_ASSERT_EQUAL(score("depth_1"), 2);
    CU_ASSERT_EQUAL(score("pruned"), 2 + 2 + 4);
    CU_ASSERT_EQUAL(score("barren"), 1);
    CU_ASSERT_EQUAL(score("filled"), 4.0 / (4 + 3 + 3));
    grow("{" PROMPT ", breadth: [4, 3], unique: siblings}", "{\"name\":\"art\"}");
    CHECK_TEXT(names(), "music Folk songs Folk dances Folk songs Folk dances");
    grow("{" PROMPT ", breadth: [4], similar: 1}", "{\"name\":\"art\"}");
    CHECK_TEXT(names(), "History of painting the history of painting Music");
    const char *levels = stage_host_detail(&host, "tree", "levels");
    CHECK_TEXT(levels, "[{\"depth\":0,\"nodes\":1,\"asked\":1,\"wanted\":4,\"filled\":3,"
                       "\"pruned\":1,\"barren\":0}]");
    grow("{" PROMPT ", breadth: [2], description: keep}", "{\"name\":\"x\"}");
    CHECK_TEXT(names(), "music Folk songs");
}

static const char *refuses_x(const char *name, int wanted, const char *have)
{
    if (name[0] == 'x')
        return "I'm sorry, but I cannot help with that.";
    return name[0] == 'e' ? NULL : letters(name, wanted, have);
}

static void reports_what_does_not_grow(void)
{
    script.children = refuses_x;
    grow("{" PROMPT ", breadth: [2], backtracks: 3}", "{\"name\":\"x\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "the tree did not grow: no child after 4 askings: the model refuses");
    CU_ASSERT_EQUAL(script.asked, 4); /* once, and once for each time it goes back */
    CU_ASSERT_EQUAL(script.samples[3], 3); /* the same prompt, another sample */
    CU_ASSERT_EQUAL(score("refused"), 4);
    grow("{" PROMPT ", breadth: [2]}", "{\"name\":\"e\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "the tree did not grow: no child after 1 askings: the askings ended in "
                           "errors");
    grow("{" PROMPT ", roots: [x, y, e], breadth: [2]}", NULL);
    CHECK_TEXT(names(), "ya yb"); /* an error for one node is not the end of the others */
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "2 of 6 children that were asked for"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "1 answers refused, 1 lost to errors"));
    grow("{" PROMPT ", roots: [x], breadth: [2]}", NULL);
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM);
    grow("{" PROMPT ", breadth: [2]}", "{\"topic\":\"x\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why,
               "the field `name` is missing, empty or no text: there is no root to grow from");
    grow("{" PROMPT ", breadth: [2]}", NULL);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    script.children = letters;
    grow("{" PROMPT ", breadth: [9, 9, 9], most_nodes: 50, emit: nodes}", "{\"name\":\"x\"}");
    CU_ASSERT_EQUAL(result.count, 50);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "`most_nodes` ended it"));
}

static void shows_siblings_and_paths(void)
{
    script.children = letters;
    grow("{model: m, roots: [x, y], breadth: [2, 1], prompt: \"{{ name }}|{{ wanted }}|"
         "{{ children | join(',') }}|{{ siblings | join(',') }}|{{ path | join('>') }}|"
         "{{ parent }}|{{ depth }}\"}", NULL);
    CHECK_TEXT(script.prompts[0], "x|2||y|x||0");
    CHECK_TEXT(script.prompts[3], "xb|1||xa|x>xb|x|1");
}

static void refuses_options(void)
{
    static const char *const wrong[] = {
        "{" PROMPT ", breadth: [2, 0]}", "{" PROMPT ", breadth: [2, x]}",
        "{" PROMPT ", breadth: []}", "{" PROMPT ", breadth: 1.5}", "{model: m}",
        "{model: m, prompt: \"{{ x\"}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "tree", wrong[i]));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "`prompt`"));
}

/* ---- the published tree ---------------------------------------------------------------------- */

static const struct value *published;

/* The children of the node of that name, as Explore-Instruct's authors published them. */
static const struct value *find_node(const struct value *node, const char *name)
{
    if (str_is(value_member(node, STR("raw_task_name"))->text, name))
        return node;
    const struct value *children = value_member(node, STR("children"));
    for (size_t i = 0; i < children->list.count; i++) {
        const struct value *found = find_node(&children->list.items[i], name);
        if (found)
            return found;
    }
    return NULL;
}

static const char *published_children(const char *name, int wanted, const char *have)
{
    static char text[4096];
    (void)wanted, (void)have;
    const struct value *node = find_node(published, name);
    const struct value *children = node ? value_member(node, STR("children")) : NULL;
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; children && i < children->list.count; i++) {
        xy_str child = value_member(&children->list.items[i], STR("raw_task_name"))->text;
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%zu. %.*s\n", i + 1,
                                   (int)child.len, child.ptr);
    }
    return text;
}

static void replays_the_published_tree(void)
{
    const char *bytes = stage_host_reference(&host, "explore-instruct/tree_meta_info.json.gz");
    struct value tree;
    struct error error;
    if (!bytes)
        return;
    CU_ASSERT_EQUAL_FATAL(json_parse(&host.arena, str_of(bytes), &tree, &error), 0);
    published = &tree;
    script.children = published_children;
    grow("{" PROMPT ", breadth: [8, 5], emit: nodes}",
         "{\"name\":\"Assistance for text editting\"}");
    CU_ASSERT_EQUAL_FATAL(result.count, 9); /* none of the eight is pruned at 0.7 */
    const struct value *children = value_member(&tree, STR("children"));
    CU_ASSERT_EQUAL_FATAL(children->list.count, 8);
    for (size_t i = 0; i < 8; i++) {
        xy_str name = value_member(&children->list.items[i], STR("raw_task_name"))->text;
        CHECK_TEXT(stage_text(result.records[i + 1], "name"),
                   arena_copy(&host.arena, name.ptr, name.len));
    }
    CU_ASSERT_EQUAL(score("barren"), 8); /* the published tree ends there */
}

static const struct check checks[] = {
    {"fan-out, depth-first", fans_out},
    {"estimates", estimates},
    {"tracks back", tracks_back},
    {"prunes", prunes},
    {"what does not grow", reports_what_does_not_grow},
    {"siblings and paths", shows_siblings_and_paths},
    {"options", refuses_options},
    {"the published tree", replays_the_published_tree},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    host.answer = answer;
    stage_host_load(&host, "tree");
    int failed = check_main("tree", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
