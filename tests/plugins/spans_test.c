/* SPDX-License-Identifier: Apache-2.0 */
/* Mentions held against their text; offsets were counted by hand, or by Python where they are many:
 * text.index(mention) and len(text[:i].encode()). */
#include <math.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;

static struct instance *open_spans(const char *options)
{
    struct instance *spans = stage_host_open(&host, XY_ENHANCER, "spans", options);
    CU_ASSERT_FATAL(spans != NULL);
    return spans;
}

/* What the field becomes. */
static void expect_field(const char *options, const char *json, const char *field,
                         const char *expected)
{
    struct instance *spans = open_spans(options);
    struct stage_result result;
    stage_host_process(&host, spans, json, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(stage_text(result.input, field), expected);
    stage_result_free(&result);
    instance_close(spans);
}

static void expect(const char *options, const char *json, const char *mentions)
{
    expect_field(options, json, "mentions", mentions);
}

static void expect_drop(const char *options, const char *json, const char *why)
{
    struct instance *spans = open_spans(options);
    struct stage_result result;
    stage_host_process(&host, spans, json, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, why);
    stage_result_free(&result);
    instance_close(spans);
}

static void start(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "spans");
}

static void forms_of_a_list(void)
{
    start();
    expect(NULL, "{\"text\":\"Ada met Ida.\",\"mentions\":[\"Ida\",\"Ada\"]}",
           "[{\"text\":\"Ada\",\"start\":0,\"end\":3,\"start_byte\":0,\"end_byte\":3},"
           "{\"text\":\"Ida\",\"start\":8,\"end\":11,\"start_byte\":8,\"end_byte\":11}]");
    expect(NULL, "{\"text\":\"Ada met Ida.\",\"mentions\":{\"person\":[\"Ida\"],\"place\":[],"
           "\"other\":\"met\"}}",
           "[{\"text\":\"met\",\"type\":\"other\",\"start\":4,\"end\":7,\"start_byte\":4,"
           "\"end_byte\":7},{\"text\":\"Ida\",\"type\":\"person\",\"start\":8,\"end\":11,"
           "\"start_byte\":8,\"end_byte\":11}]");
    /* A list in a text field, names of members, and members that are passed on. */
    expect("{text_key: name, type_key: kind}",
           "{\"text\":\"Ada met Ida.\",\"mentions\":\"[{\\\"kind\\\": \\\"p\\\", \\\"name\\\": "
           "\\\"Ida\\\", \\\"sure\\\": [1, 2], \\\"end\\\": 99}]\"}",
           "[{\"name\":\"Ida\",\"kind\":\"p\",\"start\":8,\"end\":11,\"start_byte\":8,"
           "\"end_byte\":11,\"sure\":[1, 2]}]");
    /* Offsets alone. */
    expect(NULL, "{\"text\":\"Ada met Ida.\",\"mentions\":[{\"start\":8,\"end\":11}]}",
           "[{\"text\":\"Ida\",\"start\":8,\"end\":11,\"start_byte\":8,\"end_byte\":11}]");
    expect(NULL, "{\"text\":\"Nobody.\",\"mentions\":[]}", "[]");
    stage_host_free(&host);
}

/* "Zoë" has three characters and four bytes, "🌱" one and four. */
static void characters_and_bytes(void)
{
    start();
    expect(NULL, "{\"text\":\"Zo\xc3\xab \xf0\x9f\x8c\xb1 und Zo\xc3\xab\",\"mentions\":[\"und\","
           "\"Zo\xc3\xab\",\"Zo\xc3\xab\"]}",
           "[{\"text\":\"Zo\xc3\xab\",\"start\":0,\"end\":3,\"start_byte\":0,\"end_byte\":4},"
           "{\"text\":\"und\",\"start\":6,\"end\":9,\"start_byte\":10,\"end_byte\":13},"
           "{\"text\":\"Zo\xc3\xab\",\"start\":10,\"end\":13,\"start_byte\":14,\"end_byte\":18}]");
    /* Decomposed in the text, composed in the mention: four characters. And no match before an
     * accent: "Zoe" is not in "Zoë". */
    expect(NULL, "{\"text\":\"Zoe\xcc\x88\",\"mentions\":[\"Zo\xc3\xab\"]}",
           "[{\"text\":\"Zoe\xcc\x88\",\"start\":0,\"end\":4,\"start_byte\":0,\"end_byte\":5}]");
    expect(NULL, "{\"text\":\"Zoe\xcc\x88\",\"mentions\":[\"Zoe\"]}", "[]");
    expect("{match: exact}", "{\"text\":\"Zoe\xcc\x88\",\"mentions\":[\"Zo\xc3\xab\"]}", "[]");
    stage_host_free(&host);
}

static void loose_and_exact(void)
{
    start();
    /* White space, a curly quote, a dash, a soft hyphen; the text's own form is written. */
    expect(NULL, "{\"text\":\"New\\n  York\",\"mentions\":[\" New York \"]}",
           "[{\"text\":\"New\\n  York\",\"start\":0,\"end\":10,\"start_byte\":0,"
           "\"end_byte\":10}]");
    expect("{match: exact}", "{\"text\":\"New\\n  York\",\"mentions\":[\"New York\"]}", "[]");
    expect(NULL, "{\"text\":\"O\xe2\x80\x99Neill\",\"mentions\":[\"O'Neill\"]}",
           "[{\"text\":\"O\xe2\x80\x99Neill\",\"start\":0,\"end\":7,\"start_byte\":0,"
           "\"end_byte\":9}]");
    expect(NULL, "{\"text\":\"\xe2\x80\x9cX\xe2\x80\x9d\",\"mentions\":[\"\\\"X\\\"\"]}",
           "[{\"text\":\"\xe2\x80\x9cX\xe2\x80\x9d\",\"start\":0,\"end\":3,\"start_byte\":0,"
           "\"end_byte\":7}]");
    expect(NULL, "{\"text\":\"1990\xe2\x80\x93""95\",\"mentions\":[\"1990-95\"]}",
           "[{\"text\":\"1990\xe2\x80\x93""95\",\"start\":0,\"end\":7,\"start_byte\":0,"
           "\"end_byte\":9}]");
    expect(NULL, "{\"text\":\"Lon\xc2\xad""don\",\"mentions\":[\"London\"]}",
           "[{\"text\":\"Lon\xc2\xad""don\",\"start\":0,\"end\":7,\"start_byte\":0,"
           "\"end_byte\":8}]");
    expect(NULL, "{\"text\":\"PARIS\",\"mentions\":[\"Paris\"]}", "[]");
    expect("{match: case}", "{\"text\":\"PARIS\",\"mentions\":[\"Paris\"]}",
           "[{\"text\":\"PARIS\",\"start\":0,\"end\":5,\"start_byte\":0,\"end_byte\":5}]");
    /* One character that folds to two is not split: "mas" is not in "maß". */
    expect("{match: case}", "{\"text\":\"MASS, ma\xc3\x9f\",\"mentions\":[\"ma\xc3\x9f\","
           "\"mass\"]}",
           "[{\"text\":\"MASS\",\"start\":0,\"end\":4,\"start_byte\":0,\"end_byte\":4},"
           "{\"text\":\"ma\xc3\x9f\",\"start\":6,\"end\":9,\"start_byte\":6,\"end_byte\":10}]");
    expect("{match: case}", "{\"text\":\"ma\xc3\x9f\",\"mentions\":[\"mas\"]}", "[]");
    stage_host_free(&host);
}

static void which_place(void)
{
    start();
    /* A whole word goes before a part of one; a part counts where there is no whole word. */
    expect(NULL, "{\"text\":\"Anna and Ann\",\"mentions\":[\"Ann\"]}",
           "[{\"text\":\"Ann\",\"start\":9,\"end\":12,\"start_byte\":9,\"end_byte\":12}]");
    expect(NULL, "{\"text\":\"Anna\",\"mentions\":[\"Ann\"]}",
           "[{\"text\":\"Ann\",\"start\":0,\"end\":3,\"start_byte\":0,\"end_byte\":3}]");
    const char *twice = "{\"text\":\"Ann saw Ann\",\"mentions\":[\"Ann\",\"Ann\",\"Ann\"]}";
    expect(NULL, twice, "[{\"text\":\"Ann\",\"start\":0,\"end\":3,\"start_byte\":0,\"end_byte\":3},"
           "{\"text\":\"Ann\",\"start\":8,\"end\":11,\"start_byte\":8,\"end_byte\":11}]");
    expect_field(NULL, twice, "unaligned", "[{\"text\":\"Ann\",\"why\":\"the text has it 2 times, "
                 "and that is said already\"}]");
    expect("{occurrence: all}", "{\"text\":\"Ann saw Ann\",\"mentions\":[\"Ann\"]}",
           "[{\"text\":\"Ann\",\"start\":0,\"end\":3,\"start_byte\":0,\"end_byte\":3},"
           "{\"text\":\"Ann\",\"start\":8,\"end\":11,\"start_byte\":8,\"end_byte\":11}]");
    expect("{occurrence: first}", "{\"text\":\"Ann saw Ann\",\"mentions\":[{\"text\":\"Ann\","
           "\"type\":\"a\"},{\"text\":\"Ann\",\"type\":\"b\"}]}",
           "[{\"text\":\"Ann\",\"type\":\"a\",\"start\":0,\"end\":3,\"start_byte\":0,"
           "\"end_byte\":3},{\"text\":\"Ann\",\"type\":\"b\",\"start\":0,\"end\":3,"
           "\"start_byte\":0,\"end_byte\":3}]");
    /* The model counted wrongly, but nearer to the second. */
    expect(NULL, "{\"text\":\"Ann saw Ann\",\"mentions\":[{\"text\":\"Ann\",\"start\":7,"
           "\"end\":10}]}",
           "[{\"text\":\"Ann\",\"start\":8,\"end\":11,\"start_byte\":8,\"end_byte\":11}]");
    stage_host_free(&host);
}

static void overlaps(void)
{
    start();
    const char *line = "{\"text\":\"Bank of England\",\"mentions\":[\"England\","
                       "\"Bank of England\",\"Bank\"]}";
    expect("{overlap: longest}", line, "[{\"text\":\"Bank of England\",\"start\":0,\"end\":15,"
           "\"start_byte\":0,\"end_byte\":15}]");
    expect("{overlap: first}", line,
           "[{\"text\":\"Bank\",\"start\":0,\"end\":4,\"start_byte\":0,\"end_byte\":4},"
           "{\"text\":\"England\",\"start\":8,\"end\":15,\"start_byte\":8,\"end_byte\":15}]");
    expect_field("{overlap: first}", line, "unaligned",
                 "[{\"text\":\"Bank of England\",\"why\":\"it overlaps another\"}]");
    CU_ASSERT_EQUAL(stage_host_score(&host, "overlapping").value, 1);
    CU_ASSERT_EQUAL(stage_host_score(&host, "aligned").value, 1);
    stage_host_free(&host);
}

static void what_is_missing(void)
{
    start();
    const char *line = "{\"text\":\"Ada met Ida.\",\"mentions\":[{\"text\":\"Eve\",\"type\":\"p\"},"
                       "{\"text\":\"Ada\",\"type\":\"robot\"},{\"text\":\"Ida\",\"type\":\"p\"},"
                       "{\"type\":\"p\"},7,{\"text\":\"met\"}]}";
    expect_field("{types: [p, q]}", line, "unaligned",
                 "[{\"text\":\"Eve\",\"type\":\"p\",\"why\":\"the text does not have it\"},"
                 "{\"text\":\"Ada\",\"type\":\"robot\",\"why\":\"its type is \\\"robot\\\", which "
                 "is none of `types`\"},{\"text\":\"\",\"type\":\"p\",\"why\":\"it says no text\"},"
                 "{\"text\":\"\",\"why\":\"it says no text\"},"
                 "{\"text\":\"met\",\"why\":\"it has no type\"}]");
    expect("{types: [p, q]}", line, "[{\"text\":\"Ida\",\"type\":\"p\",\"start\":8,\"end\":11,"
           "\"start_byte\":8,\"end_byte\":11}]");
    struct report_score aligned = stage_host_score(&host, "aligned");
    CU_ASSERT(fabs(aligned.value - 1.0 / 6) < 1e-12);
    CU_ASSERT_EQUAL(aligned.n, 6);
    expect("{missing: flag}", "{\"text\":\"Ada\",\"mentions\":[{\"text\":\"Eve\",\"note\":1},"
           "\"Ada\"]}",
           "[{\"text\":\"Ada\",\"start\":0,\"end\":3,\"start_byte\":0,\"end_byte\":3},"
           "{\"text\":\"Eve\",\"aligned\":false,\"why\":\"the text does not have it\","
           "\"note\":1}]");
    expect_drop("{missing: reject}", "{\"text\":\"Ada\",\"mentions\":[\"Ada\",\"Eve\"]}",
                "mention \"Eve\": the text does not have it");
    expect_drop(NULL, "{\"mentions\":[]}", "there is no `text`");
    expect_drop(NULL, "{\"text\":\"a\"}", "there is no `mentions`");
    expect_drop(NULL, "{\"text\":\"a\",\"mentions\":\"none\"}",
                "the mentions are no JSON list and no object of lists");
    stage_host_free(&host);
}

static void relations_between_mentions(void)
{
    start();
    const char *line =
        "{\"text\":\"Ada was born in London.\",\"mentions\":[\"London\",\"Ada\"],\"r\":["
        "{\"head\":\"Ada\",\"relation\":\"born_in\",\"tail\":\"London\"},"
        "{\"head\":\"Ada\",\"relation\":\"born_in\",\"tail\":\"Paris\"},"
        "{\"head\":1,\"relation\":\"by_number\",\"tail\":0},{\"tail\":\"Ada\"},3]}";
    expect_field("{relations: r}", line, "r",
                 "[{\"head\":\"Ada\",\"head_index\":0,\"tail\":\"London\",\"tail_index\":1,"
                 "\"relation\":\"born_in\"},{\"head\":\"Ada\",\"head_index\":0,\"tail\":\"London\","
                 "\"tail_index\":1,\"relation\":\"by_number\"}]");
    CU_ASSERT(fabs(stage_host_score(&host, "relations_kept").value - 0.4) < 1e-12);
    expect_field("{relations: r}", line, "unaligned",
                 "[{\"head\":\"Ada\",\"relation\":\"born_in\",\"tail\":\"Paris\",\"why\":\"its "
                 "tail is none of the mentions\"},{\"tail\":\"Ada\",\"why\":\"its head is none of "
                 "the mentions\"},{\"why\":\"its head is none of the mentions\"}]");
    expect_drop("{relations: r, missing: reject}", line,
                "a relation: its tail is none of the mentions");
    expect_drop("{relations: q}", line, "there is no JSON list `q`");
    stage_host_free(&host);
}

static void tags_of_tokens(void)
{
    start();
    const char *line = "{\"text\":\"Ada King's cat, in \xe6\x9d\xb1\xe4\xba\xac.\",\"mentions\":["
                       "{\"text\":\"Ada King\",\"type\":\"person\"},{\"text\":\"King\"},"
                       "{\"text\":\"\xe6\x9d\xb1\xe4\xba\xac\",\"type\":\"place\"}]}";
    expect_field("{tags: tags}", line, "tokens",
                 "[\"Ada\",\"King\",\"'\",\"s\",\"cat\",\",\",\"in\",\"\xe6\x9d\xb1\","
                 "\"\xe4\xba\xac\",\".\"]");
    expect_field("{tags: tags}", line, "tags", "[\"B-person\",\"I-person\",\"O\",\"O\",\"O\",\"O\","
                 "\"O\",\"B-place\",\"I-place\",\"O\"]");
    /* Two mentions side by side are two beginnings; a mention of a part marks its token. */
    expect_field("{tags: t, tokens: k}", "{\"text\":\"Ada Ida e\xcc\x81t\xc3\xa9\",\"mentions\":["
                 "\"Ada\",\"Ida\",\"t\xc3\xa9\"]}", "t", "[\"B\",\"B\",\"B\"]");
    expect_field("{tags: t}", "{\"text\":\"\",\"mentions\":[]}", "t", "[]");
    stage_host_free(&host);
}

static void bounds(void)
{
    start();
    struct buffer line;
    buffer_init(&line, SIZE_MAX);
    buffer_append_text(&line, "{\"text\":\"a\",\"mentions\":[");
    for (int i = 0; i < 4097; i++)
        buffer_append_text(&line, i ? ",\"a\"" : "\"a\"");
    buffer_append_text(&line, "]}");
    expect_drop(NULL, line.bytes, "there are more than 4096 mentions");
    buffer_clear(&line);
    /* Every place of every mention would be too many: what is left out says so. */
    buffer_append_text(&line, "{\"mentions\":[\"a\",\"b\"],\"text\":\"");
    for (int i = 0; i < 10000; i++)
        buffer_append_text(&line, "a b ");
    buffer_append_text(&line, "\"}");
    expect_field("{occurrence: all}", line.bytes, "unaligned",
                 "[{\"text\":\"b\",\"why\":\"it stands in the text too often\"}]");
    buffer_free(&line);
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"forms of a list", forms_of_a_list},
        {"characters and bytes", characters_and_bytes},
        {"loose and exact", loose_and_exact},
        {"which place", which_place},
        {"overlaps", overlaps},
        {"what is missing", what_is_missing},
        {"relations between mentions", relations_between_mentions},
        {"tags of tokens", tags_of_tokens},
        {"bounds", bounds},
        {NULL, NULL},
    };
    return check_main("spans", checks);
}
