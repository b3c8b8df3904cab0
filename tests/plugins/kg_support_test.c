/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <stdlib.h>
#include <unistd.h>

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;
static char path[] = "/tmp/xylem-support-XXXXXX";

static const char graph[] =
    "@prefix : <http://example.org/> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
    "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
    ":ada rdfs:label \"Ada Reed\" ; skos:altLabel \"A. Reed\" ; a :Person ; :founded :optics ;\n"
    "  :born 1951 .\n"
    ":optics rdfs:label \"Reed Optics\" ; :in :bern .\n:bern rdfs:label \"Bern\" .\n"
    ":ben rdfs:label \"Ben Okri\" ; a :Person ; :in :bern .\n:Person rdfs:label \"person\" .\n"
    ":founded rdfs:label \"founded\"@en, \"grundete\"@de .\n";

#define GIVEN                                                                                      \
    "\"triples\":[{\"subject\":\"Ada Reed\",\"relation\":\"founded\",\"object\":\"Reed Optics\"}]"

static bool open_support(const char *options, bool with_graph)
{
    char yaml[512];
    instance_close(instance);
    if (with_graph)
        snprintf(yaml, sizeof(yaml), "{path: %s, format: turtle, %s}", path, options);
    else
        snprintf(yaml, sizeof(yaml), "{%s}", options);
    instance = stage_host_open(&host, XY_FILTER, "kg_support", yaml);
    return instance != NULL;
}

/* The reason for which the record is dropped; "" when it is kept. */
static const char *judged(const char *json)
{
    stage_result_free(&result);
    stage_host_process(&host, instance, json, &result);
    CU_ASSERT_TRUE(result.verdict == XY_OK || result.verdict == XY_DROP);
    return result.verdict == XY_OK ? "" : result.why;
}

static void checks_claims(void)
{
    CU_ASSERT_TRUE_FATAL(open_support("claims: said", true));
    CHECK_TEXT(judged("{\"said\":[{\"subject\":\"Ada Reed\",\"relation\":\"founded\","
                      "\"object\":\"Reed Optics\"}]}"), "");
    CHECK_TEXT(judged("{\"said\":[[\"a reed\",\"GRUNDETE\",\"reed optics\"],"
                      "[\"http://example.org/ada\",\"born\",1951]]}"), "");
    CHECK_TEXT(judged("{\"said\":\"(Ada Reed; founded; Reed Optics)\\nReed Optics | in | Bern\"}"),
               "");
    CHECK_TEXT(judged("{\"said\":[[\"Ada Reed\",\"founded\",\"Reed Optics\"],"
                      "[\"Ben Okri\",\"founded\",\"Reed Optics\"]]}"),
               "the claim (Ben Okri; founded; Reed Optics) is not among the given triples or in "
               "the graph");
    CU_ASSERT_DOUBLE_EQUAL(stage_number(result.input, "support"), 0.5, 1e-12);
    /* The other way around, with another relation, of an unknown subject: none is a triple. */
    CU_ASSERT_STRING_NOT_EQUAL(judged("{\"said\":[[\"Bern\",\"founded\",\"Ada Reed\"]]}"), "");
    CU_ASSERT_STRING_NOT_EQUAL(judged("{\"said\":[[\"Ada Reed\",\"in\",\"Reed Optics\"]]}"), "");
    CU_ASSERT_STRING_NOT_EQUAL(judged("{\"said\":[[\"Eve\",\"founded\",\"Reed Optics\"]]}"), "");
    CHECK_TEXT(judged("{\"said\":[]}"), "`said` is missing or empty: nothing is claimed");
    CHECK_TEXT(judged("{\"text\":\"none\"}"), "`said` is missing or empty: nothing is claimed");
    CHECK_TEXT(judged("{\"said\":[[\"Ada Reed\",\"founded\"]]}"),
               "item 1 of `said` is no triple: it begins [\"Ada Reed\",\"founded\"]");
    CHECK_TEXT(judged("{\"said\":\"Ada founded Optics\"}"), "a line of `said` is no triple "
               "`(subject; relation; object)`: Ada founded Optics");
}

/* Without a graph, what was given is all that is known. */
static void checks_given_claims(void)
{
    CU_ASSERT_TRUE_FATAL(open_support("claims: said", false));
    CHECK_TEXT(judged("{" GIVEN ",\"said\":[[\"ada reed\",\"Founded\",\"Reed Optics\"]]}"), "");
    CHECK_TEXT(judged("{" GIVEN ",\"said\":[[\"Reed Optics\",\"in\",\"Bern\"]]}"),
               "the claim (Reed Optics; in; Bern) is not among the given triples");
}

static void checks_shares(void)
{
    const char *half = "{\"said\":[[\"Ada Reed\",\"founded\",\"Reed Optics\"],"
                       "[\"Bern\",\"founded\",\"Reed Optics\"]]}";
    CU_ASSERT_TRUE_FATAL(open_support("claims: said, require: share, threshold: 0.5", true));
    CHECK_TEXT(judged(half), "");
    CU_ASSERT_TRUE_FATAL(open_support("claims: said, require: share, threshold: 0.6", true));
    CHECK_TEXT(judged(half), "1 of 2 hold, fewer than the share of 0.6; the claim (Bern; founded; "
               "Reed Optics) is not among the given triples or in the graph");
    judged("{\"said\":[[\"Ada Reed\",\"founded\",\"Reed Optics\"]]}");
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "supported").value, 2 / 3.0, 1e-12);
    CU_ASSERT_EQUAL(stage_host_score(&host, "supported").n, 2);
}

static void checks_mentions(void)
{
    CU_ASSERT_TRUE_FATAL(open_support("mentions: names", true));
    CHECK_TEXT(judged("{\"names\":[\"Ada Reed\",\"a. reed\",\"BERN\",\":ben\"]}"), "");
    CHECK_TEXT(judged("{\"names\":[\"Bern\",\"Basel\",\"Zug\"]}"),
               "`Basel`, which `names` names, is not among the given entities or in the graph");
    CHECK_TEXT(judged("{\"names\":[\"founded\"]}"), /* a relation is no entity */
               "`founded`, which `names` names, is not among the given entities or in the graph");
    CHECK_TEXT(judged("{\"names\":[7]}"), "`names` lists what is no name: 7");
    CU_ASSERT_TRUE_FATAL(open_support("mentions: names", false));
    CHECK_TEXT(judged("{" GIVEN ",\"names\":[\"reed optics\"]}"), "");
    CHECK_TEXT(judged("{" GIVEN ",\"names\":\"Bern\"}"),
               "`Bern`, which `names` names, is not among the given entities");
}

static void checks_entities(void)
{
    CU_ASSERT_TRUE_FATAL(open_support("entities: names", true));
    CHECK_TEXT(judged("{\"names\":[\"Ada Reed\",\"Reed Optics\"],"
                      "\"text\":\"In 1980 A. REED founded Reed-Optics.\"}"), "");
    CHECK_TEXT(judged("{\"names\":[\"Ada Reed\",\"Bern\"],\"text\":\"Ada Reed is Bernese.\"}"),
               "`Bern` is not named in `text`"); /* as a whole word */
    CHECK_TEXT(judged("{\"names\":[\"Bern\"],\"text\":\"\"}"),
               "the field `text` is missing, empty or no text");
    CU_ASSERT_TRUE_FATAL(open_support("entities: names", false));
    CHECK_TEXT(judged("{\"names\":[\"Ada Reed\"],\"text\":\"A. Reed did.\"}"),
               "`Ada Reed` is not named in `text`"); /* the alias stands in the graph alone */
}

static void checks_all_given(void)
{
    const char *born = "\"triples\":[{\"subject\":\"Ada Reed\",\"relation\":\"born\","
                       "\"object\":\"1951\"}]";
    char json[512];
    CU_ASSERT_TRUE_FATAL(open_support("all_given: true", true));
    snprintf(json, sizeof(json), "{%s,\"text\":\"A. Reed, born 1951.\"}", born);
    CHECK_TEXT(judged(json), "");
    snprintf(json, sizeof(json), "{%s,\"text\":\"Ada Reed, born in 19511.\"}", born);
    CHECK_TEXT(judged(json), "`1951` is not named in `text`");
    CHECK_TEXT(judged("{\"text\":\"Ada Reed.\"}"),
               "`triples` is missing or empty: nothing was given");
}

static void checks_only_given(void)
{
    CU_ASSERT_TRUE_FATAL(open_support("only_given: true, exclude: [rdf:type]", true));
    CHECK_TEXT(judged("{" GIVEN ",\"text\":\"A. Reed, a person of ideas, founded Reed Optics.\"}"),
               "");
    CHECK_TEXT(judged("{" GIVEN ",\"text\":\"Ada Reed founded Reed Optics with Ben Okri.\"}"),
               "`text` names \"ben okri\", an entity that was not given");
    CHECK_TEXT(judged("{" GIVEN ",\"text\":\"Ada Reed founded Reed Optics in Bern\"}"),
               "`text` names \"bern\", an entity that was not given");
    CU_ASSERT_TRUE_FATAL(open_support("only_given: true", true));
    CHECK_TEXT(judged("{" GIVEN ",\"text\":\"A. Reed, a person of ideas, founded Reed Optics.\"}"),
               "`text` names \"person\", an entity that was not given");
}

static void refuses(void)
{
    CU_ASSERT_FALSE(open_support("given: triples", true));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "nothing is checked"));
    CU_ASSERT_FALSE(open_support("only_given: true", false));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "needs the `path` of a graph"));
    CU_ASSERT_FALSE(open_support("claims: c, path: /nowhere/at/all.ttl", false));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "cannot read /nowhere/at/all.ttl"));
}

static const struct check checks[] = {
    {"claims", checks_claims},
    {"claims of what was given", checks_given_claims},
    {"shares", checks_shares},
    {"mentions", checks_mentions},
    {"entities in the text", checks_entities},
    {"all that was given", checks_all_given},
    {"entities that were not given", checks_only_given},
    {"options", refuses},
    {0},
};

int main(void)
{
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file)
        return 2;
    fputs(graph, file);
    fclose(file);
    stage_host_init(&host);
    stage_host_load(&host, "kg_support");
    int failed = check_main("kg_support", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    unlink(path);
    return failed;
}
