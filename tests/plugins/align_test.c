/* SPDX-License-Identifier: Apache-2.0 */
/* Spans along alignments small enough to follow by eye. */
#include <math.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "align");
}

static void expect(const char *options, const char *json, int verdict, const char *field,
                   const char *expected)
{
    struct instance *align = stage_host_open(&host, XY_ENHANCER, "align", options);
    CU_ASSERT_FATAL(align != NULL);
    struct stage_result result;
    stage_host_process(&host, align, json, &result);
    CU_ASSERT_EQUAL(result.verdict, verdict);
    if (field)
        CHECK_TEXT(stage_text(result.input, field), expected);
    else
        CHECK_TEXT(result.why, expected);
    stage_result_free(&result);
    instance_close(align);
}

/* the(0) old(1) bridge(2) in(3) Prague(4)  ->  die(0) alte(1) Brücke(2) in(3) Prag(4) */
#define BRIDGE                                                                                     \
    "{\"source\":\"the old bridge in Prague\",\"target\":\"die alte Br\xc3\xbc" "cke in Prag\","

static void along_the_links(void)
{
    start();
    expect(NULL, BRIDGE "\"alignment\":\"0-0 1-1 2-2 3-3 4p4\",\"mentions\":["
           "{\"text\":\"old bridge\",\"type\":\"thing\",\"start\":4,\"end\":14},"
           "{\"text\":\"Prague\",\"start\":18,\"end\":24,\"start_byte\":18}]}", XY_OK,
           "target_mentions",
           "[{\"text\":\"alte Br\xc3\xbc" "cke\",\"start\":4,\"end\":15,\"start_byte\":4,"
           "\"end_byte\":16,\"type\":\"thing\"},{\"text\":\"Prag\",\"start\":19,\"end\":23,"
           "\"start_byte\":20,\"end_byte\":24}]");
    CU_ASSERT_EQUAL(stage_host_score(&host, "carried").value, 1);
    /* Pairs as JSON; crossed links; a span of a part of a token is the token's. */
    expect("{source: s, target: t, alignment: a, spans: m, into: n}",
           "{\"s\":\"red wine\",\"t\":\"  vino\\ttinto \",\"a\":[[0,1],[1,0]],\"m\":["
           "{\"start\":1,\"end\":2},{\"start\":0,\"end\":8}]}", XY_OK, "n",
           "[{\"text\":\"tinto\",\"start\":7,\"end\":12,\"start_byte\":7,\"end_byte\":12},"
           "{\"text\":\"vino\\ttinto\",\"start\":2,\"end\":12,\"start_byte\":2,\"end_byte\":12}]");
    stage_host_free(&host);
}

static void what_is_left_out(void)
{
    start();
    /* "gave up" is "gab ... auf", three words apart. */
    const char *line = "{\"source\":\"she gave up the plan\",\"target\":\"sie gab den Plan auf\","
                       "\"alignment\":\"0-0 1-1 2-4 3-2 4-3\",\"mentions\":["
                       "{\"text\":\"gave up\",\"start\":4,\"end\":11}]}";
    expect(NULL, line, XY_OK, "unaligned",
           "[{\"why\":\"its translation is scattered\",\"text\":\"gave up\"}]");
    expect("{gaps: 2}", line, XY_OK, "target_mentions",
           "[{\"text\":\"gab den Plan auf\",\"start\":4,\"end\":20,\"start_byte\":4,"
           "\"end_byte\":20}]");
    expect("{missing: reject}", line, XY_DROP, NULL,
           "a span cannot be carried over: its translation is scattered");
    expect(NULL, "{\"source\":\"a b\",\"target\":\"c\",\"alignment\":\"0-0\",\"mentions\":["
           "{\"start\":2,\"end\":3},{\"start\":7,\"end\":9},{\"start\":2,\"end\":2},4]}", XY_OK,
           "unaligned",
           "[{\"why\":\"none of its tokens has a link\"},"
           "{\"why\":\"no token of the source stands there\"},"
           "{\"why\":\"it has no `start` before its `end`\"},"
           "{\"why\":\"it has no `start` before its `end`\"}]");
    expect(NULL, "{\"source\":\"\",\"target\":\"\",\"alignment\":\"\",\"mentions\":[]}", XY_OK,
           "target_mentions", "[]");
    stage_host_free(&host);
}

static void bad_input(void)
{
    start();
    expect(NULL, BRIDGE "\"alignment\":\"0-0 4-5\",\"mentions\":[]}", XY_DROP, NULL,
           "the alignment has 4-5, and the texts have 5 and 5 tokens");
    expect(NULL, BRIDGE "\"alignment\":[[1e300,0]],\"mentions\":[]}", XY_DROP, NULL,
           "the alignment has 1e+300-0, and the texts have 5 and 5 tokens");
    expect(NULL, BRIDGE "\"alignment\":[[0.5,0]],\"mentions\":[]}", XY_DROP, NULL,
           "the alignment has 0.5-0: expected whole numbers");
    static const char *const torn[] = {"\"0\"", "\"0-\"", "\"-0\"", "\"0-0x\"", "\"zero-one\"",
                                       "[[0]]", "[[0,1,2]]", "[3]", "[[\"0\",\"0\"]]"};
    for (size_t i = 0; i < sizeof(torn) / sizeof(torn[0]); i++)
        expect(NULL, arena_printf(&host.arena, BRIDGE "\"alignment\":%s,\"mentions\":[]}", torn[i]),
               XY_DROP, NULL, "the alignment is no list of pairs of token numbers");
    expect(NULL, BRIDGE "\"mentions\":[]}", XY_DROP, NULL, "there is no `alignment`");
    expect(NULL, "{\"source\":\"a\",\"alignment\":\"\"}", XY_DROP, NULL, "there is no `target`");
    expect(NULL, "{\"target\":\"a\",\"alignment\":\"\"}", XY_DROP, NULL, "there is no `source`");
    expect(NULL, BRIDGE "\"alignment\":\"0-0\"}", XY_DROP, NULL,
           "there is no JSON list `mentions`");
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"along the links", along_the_links},
        {"what is left out", what_is_left_out},
        {"bad input", bad_input},
        {NULL, NULL},
    };
    return check_main("align", checks);
}
