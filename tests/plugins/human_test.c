/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;
static char folder[64];

#define LABELS "labels: [positive, negative], "
#define TWO                                                                                       \
    "{\"text\":\"a\",\"label\":\"positive\"}\n{\"text\":\"b\",\"label\":\"negative\"}\n"

/* ---- files ----------------------------------------------------------------------------------- */

static const char *path_of(const char *name)
{
    return arena_printf(&host.arena, "%s/%s", folder, name);
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs(text, file);
    fclose(file);
}

static const char *read_text(const char *name)
{
    const char *text = stage_host_file(&host, path_of(name));
    return text ? text : "(no file)";
}

static void start_over(void)
{
    static const char *const names[] = {"q.jsonl", "q.csv", "q.json", "a.jsonl", "a/anna.jsonl",
                                        "a/ben.jsonl", "a/.hidden", "a/c.jsonl~", "a"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        remove(path_of(names[i]));
}

/* ---- running --------------------------------------------------------------------------------- */

/* Runs over the lines; the labels that came out, "-" for a dropped record; or why not, with "DIR"
 * in place of the folder. The host's ids count from 1. */
static const char *run(const char *options, const char *lines)
{
    const char *yaml = arena_printf(&host.arena, "{queue: '%s/q.jsonl', %s}", folder, options);
    instance_close(instance);
    stage_result_free(&result);
    instance = stage_host_open(&host, XY_ENHANCER, "human", yaml);
    if (!instance)
        return host.error.text;
    host.log[0] = '\0';
    stage_host_run(&host, instance, lines, &result);
    struct buffer out;
    buffer_init(&out, 1 << 16);
    for (size_t i = 0; result.verdict == XY_OK && i < result.count; i++)
        buffer_printf(&out, "%s%s", i ? " " : "", result.verdicts[i] == XY_DROP
                                    ? "-" : stage_text(result.records[i], "label"));
    for (const char *at = result.why; result.verdict < 0 && at && *at;) {
        const char *next = strstr(at, folder);
        size_t length = next ? (size_t)(next - at) : strlen(at);
        buffer_printf(&out, "%.*s%s", (int)length, at, next ? "DIR" : "");
        at += length + (next ? strlen(folder) : 0);
    }
    const char *text = arena_copy(&host.arena, out.bytes ? out.bytes : "", out.length);
    buffer_free(&out);
    return text;
}

static const char *id_of(size_t row)
{
    static char text[4][20];
    static int next;
    char *out = text[next++ % 4];
    snprintf(out, 20, "%016llx", (unsigned long long)result.records[row]->id);
    return out;
}

/* The ids of the first two records, which the host gives by position. */
static char first[20], second[20];

static void learn_ids(void)
{
    start_over();
    run(LABELS "wait: false", TWO);
    snprintf(first, sizeof(first), "%s", id_of(0));
    snprintf(second, sizeof(second), "%s", id_of(1));
    start_over();
}

static const char *answer(const char *id, const char *members)
{
    return arena_printf(&host.arena, "{\"id\":\"%s\",%s}\n", id, members);
}

static const char *both(const char *a, const char *b)
{
    return arena_printf(&host.arena, "%s%s", a, b);
}

static double score(const char *name)
{
    return stage_host_score(&host, name).value;
}

/* ---- the queue ------------------------------------------------------------------------------- */

static void waits_and_goes_on(void)
{
    learn_ids();
    CHECK_TEXT(run(LABELS "instructions: 'Say {{ text }}'", TWO),
               "2 of 2 records wait for people: write `label` (or `discard`) and `annotator` into "
               "the rows of DIR/q.jsonl");
    CU_ASSERT_EQUAL(result.verdict, XY_EPAUSED);
    CHECK_TEXT(read_text("q.jsonl"), arena_printf(&host.arena,
        "{\"id\":\"%s\",\"text\":\"a\",\"suggestion\":\"positive\",\"labels\":[\"positive\","
        "\"negative\"],\"instructions\":\"Say a\",\"label\":\"\",\"annotator\":\"\","
        "\"revision\":\"\",\"discard\":false}\n"
        "{\"id\":\"%s\",\"text\":\"b\",\"suggestion\":\"negative\",\"labels\":[\"positive\","
        "\"negative\"],\"instructions\":\"Say b\",\"label\":\"\",\"annotator\":\"\","
        "\"revision\":\"\",\"discard\":false}\n", first, second));
    CU_ASSERT_EQUAL(score("waiting"), 2);
    /* One row is filled in: the file stays as it is, byte for byte, odd spaces included. */
    const char *half = both(answer(first, " \"label\": \"negative\", \"annotator\": \"anna\", "
                                   "\"time\": \"noon\""), answer(second, "\"label\":\"\""));
    write_text("q.jsonl", half);
    CU_ASSERT_PTR_NOT_NULL(strstr(run(LABELS "wait: true", TWO), "1 of 2 records wait"));
    CHECK_TEXT(read_text("q.jsonl"), half);
    CHECK_TEXT(run(LABELS "wait: false", TWO), "negative negative");
    CHECK_TEXT(stage_text(result.records[0], "model_label"), "positive");
    CHECK_TEXT(stage_text(result.records[0], "answers"), "[{\"annotator\":\"anna\",\"label\":"
               "\"negative\",\"time\":\"noon\",\"suggestion_shown\":true}]");
    CHECK_TEXT(stage_text(result.records[1], "answers"), "");
    CU_ASSERT_EQUAL(score("changed"), 1);
    /* A new record goes behind the rows that are there, which keep their answers. */
    CU_ASSERT_PTR_NOT_NULL(strstr(run(LABELS "wait: true", TWO "{\"text\":\"c\"}\n"),
                                  "2 of 3 records wait"));
    CU_ASSERT_PTR_NOT_NULL(strstr(read_text("q.jsonl"), "\"label\":\"negative\",\"annotator\":"
                                  "\"anna\",\"time\":\"noon\"}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(read_text("q.jsonl"), "\"text\":\"c\",\"labels\""));
}

static void only_some(void)
{
    start_over();
    CHECK_TEXT(run(LABELS "only: \"text == 'z'\"", TWO), "positive negative");
    CHECK_TEXT(read_text("q.jsonl"), "(no file)");
    CHECK_TEXT(run(LABELS "wait: true", ""), "");
    CU_ASSERT_PTR_NOT_NULL(strstr(run(LABELS "only: \"text == 'b'\"", TWO), "1 of 1 records wait"));
    write_text("q.jsonl", answer(second, "\"label\":\"positive\""));
    CHECK_TEXT(run(LABELS "only: \"text == 'b'\"", TWO), "positive positive");
    CHECK_TEXT(stage_text(result.records[1], "answers"), "[{\"annotator\":\"somebody\",\"label\":"
               "\"positive\",\"suggestion_shown\":true}]");
    /* The weight is as it was. */
    CHECK_TEXT(run(LABELS "only: \"text == 'b'\"",
                   "{\"text\":\"a\"}\n{\"text\":\"b\",\"@weight\":0.25}\n"), " positive");
    CU_ASSERT_EQUAL(result.records[1]->base.api->weight(&result.records[1]->base), 0.25);
}

static void shows_or_hides_suggestions(void)
{
    char lines[8192] = "";
    size_t length = 0;
    for (int i = 0; i < 100; i++)
        length += (size_t)snprintf(lines + length, sizeof(lines) - length,
                                   "{\"text\":\"t%d\",\"label\":\"x\"}\n", i);
    start_over();
    run("show_suggestion: none", lines);
    CU_ASSERT_PTR_NULL(strstr(read_text("q.jsonl"), "suggestion"));
    start_over();
    run("show_suggestion: half", lines);
    int shown = 0;
    for (const char *at = read_text("q.jsonl"); (at = strstr(at, "suggestion")) != NULL; at++)
        shown++;
    CU_ASSERT_TRUE(shown > 30 && shown < 70); /* 50 expected, a standard deviation of 5 */
    start_over();
    run("suggestion: guess, show: [guess, n]", "{\"text\":\"a\",\"guess\":\"g\",\"n\":7}\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(read_text("q.jsonl"),
                                  "\"guess\":\"g\",\"n\":7,\"suggestion\":\"g\",\"label\":\"\""));
}

/* ---- answers --------------------------------------------------------------------------------- */

static void discards_and_revisions(void)
{
    start_over();
    write_text("a.jsonl", both(answer(first, "\"label\":\"positive\",\"revision\":\"A!\""),
                               answer(second, "\"discard\":true,\"annotator\":\"ben\"")));
    const char *options = arena_printf(&host.arena, LABELS "answers: '%s/a.jsonl'", folder);
    CHECK_TEXT(run(options, TWO), "positive -");
    CHECK_TEXT(stage_text(result.records[0], "text"), "A!");
    CHECK_TEXT(stage_text(result.records[0], "unrevised"), "a");
    CHECK_TEXT(result.reasons[1], "discarded by ben");
    CU_ASSERT_EQUAL(score("discarded"), 1);
    CU_ASSERT_EQUAL(score("model_agreement"), 1);
    start_over();
    CU_ASSERT_PTR_NOT_NULL(strstr(run(options, TWO), "q.jsonl, or answers to DIR/a.jsonl"));
    /* The model's numbers stay numbers. */
    write_text("a.jsonl", both(answer(first, "\"label\":1"), answer(second, "\"label\":\"0\"")));
    CHECK_TEXT(run(arena_printf(&host.arena, "answers: '%s/a.jsonl'", folder),
                   "{\"text\":\"a\",\"label\":0}\n{\"text\":\"b\",\"label\":0}\n"), "1 0");
    xy_value value;
    CU_ASSERT_EQUAL(result.records[0]->base.api->get(&result.records[0]->base, "label", &value),
                    XY_INT);
}

static void other_formats(void)
{
    start_over();
    const char *options = arena_printf(&host.arena, "queue: '%s/q.csv', " LABELS
                                       "with: {newline: lf}", folder);
    const char *yaml = arena_printf(&host.arena, "{%s}", options);
    instance_close(instance);
    stage_result_free(&result);
    instance = stage_host_open(&host, XY_ENHANCER, "human", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_run(&host, instance, TWO, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_EPAUSED);
    CHECK_TEXT(read_text("q.csv"), arena_printf(&host.arena,
        "id,text,suggestion,labels,label,annotator,revision,discard\n"
        "%s,a,positive,\"[\"\"positive\"\",\"\"negative\"\"]\",,,,false\n"
        "%s,b,negative,\"[\"\"positive\"\",\"\"negative\"\"]\",,,,false\n", first, second));
    write_text("q.csv", arena_printf(&host.arena, "id,label,annotator,discard\n%s,negative,anna,\n"
                                     "%s,,anna,yes\n", first, second));
    stage_result_free(&result);
    stage_host_run(&host, instance, TWO, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(stage_text(result.records[0], "label"), "negative");
    CU_ASSERT_EQUAL(result.verdicts[1], XY_DROP);
    /* An export of Label Studio as the answers to a queue of lines. */
    write_text("q.json", arena_printf(&host.arena,
        "[{\"id\":1,\"data\":{\"id\":\"%s\"},\"annotations\":[{\"completed_by\":3,\"result\":["
        "{\"from_name\":\"label\",\"type\":\"choices\",\"value\":{\"choices\":[\"negative\"]}}]}]},"
        "{\"id\":2,\"data\":{\"id\":\"%s\"},\"annotations\":[{\"was_cancelled\":true}]}]",
        first, second));
    CHECK_TEXT(run(arena_printf(&host.arena, LABELS "answers: '%s/q.json', answers_format: "
                                "label_studio", folder), TWO), "negative -");
    start_over();
}

static void several_annotators(void)
{
    start_over();
    mkdir(path_of("a"), 0755);
    write_text("a/.hidden", "not for us");
    write_text("a/c.jsonl~", "not for us");
    const char *options = arena_printf(&host.arena, LABELS "annotators: 2, answers: '%s/a', ",
                                       folder);
    write_text("a/anna.jsonl", both(answer(first, "\"label\":\"positive\""),
                                    answer(second, "\"label\":\"positive\"")));
    CU_ASSERT_PTR_NOT_NULL(strstr(run(options, TWO), "2 of 2 records wait"));
    write_text("a/ben.jsonl", both(answer(first, "\"label\":\"positive\""),
                                   answer(second, "\"label\":\"negative\"")));
    CHECK_TEXT(run(both(options, "rule: first"), TWO), "positive positive");
    CHECK_TEXT(run(both(options, "rule: agree"), TWO), "positive -");
    CHECK_TEXT(result.reasons[1], "annotators differ: anna `positive`, ben `negative`");
    CHECK_TEXT(run(options, TWO), "positive -");
    CU_ASSERT_EQUAL(score("undecided"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(run(both(options, "undecided: wait"), TWO),
                                  "1 of 2 records wait for people, 1 of them for one more answer"));
    /* Two items, labels + + and + -: pairs that agree 1 of 2. Alpha: n 4, observed 2 of 4, totals 3
     * and 1: 1 - 3 * 2 / (16 - 10) = 0. Fleiss: P 0.5, chance 10/16: -1/3. */
    CU_ASSERT_DOUBLE_EQUAL(score("annotator_agreement"), 0.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(score("krippendorff_alpha"), 0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(score("fleiss_kappa"), -1.0 / 3, 1e-12);
    /* A third opinion in the queue itself; the same answer again counts once. */
    write_text("q.jsonl", both(answer(second, "\"label\":\"negative\",\"annotator\":\"cleo\""),
                               answer(second, "\"label\":\"negative\",\"annotator\":\"ben\"")));
    CHECK_TEXT(run(options, TWO), "positive negative");
    CU_ASSERT_PTR_NOT_NULL(strstr(stage_text(result.records[1], "answers"), "\"cleo\""));
    start_over();
}

/* Krippendorff 2011, the example of section C: four observers, twelve units, a blank where one did
 * not answer; alpha is 0.743. */
static void reliability_as_published(void)
{
    static const char *const published[4] = {"123321412   ", "1233224125 3", " 3332342251 ",
                                             "12332441251 "};
    char lines[1024] = "", answers[8192] = "";
    size_t length = 0, at = 0;
    start_over();
    for (int unit = 0; unit < 12; unit++)
        length += (size_t)snprintf(lines + length, sizeof(lines) - length, "{\"text\":\"u%d\"}\n",
                                   unit);
    run("wait: false", lines);
    for (int coder = 0; coder < 4; coder++)
        for (size_t unit = 0; unit < 12; unit++)
            if (published[coder][unit] != ' ')
                at += (size_t)snprintf(answers + at, sizeof(answers) - at, "{\"id\":\"%s\","
                                       "\"label\":\"%c\",\"annotator\":\"%c\"}\n", id_of(unit),
                                       published[coder][unit], 'A' + coder);
    write_text("q.jsonl", answers);
    run("wait: false", lines);
    CU_ASSERT_DOUBLE_EQUAL(score("krippendorff_alpha"), 0.743, 0.0005);
    /* Of the eleven units with two answers or more, eight are of one mind; the others have 3 of 6,
     * 0 of 6 and 3 of 6 pairs alike: 9 of 11 on the mean, though the numbers of pairs differ.
     * Their 40 labels are 9, 13, 10, 5 and 3 of a kind: 384 of 1,600 alike by chance. */
    CU_ASSERT_DOUBLE_EQUAL(score("annotator_agreement"), 9.0 / 11, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(score("fleiss_kappa"), (9.0 / 11 - 0.24) / 0.76, 1e-12);
    start_over();
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void bad_answers(void)
{
    start_over();
    write_text("q.jsonl", both(answer(first, "\"label\":\"\""),
                               answer(second, "\"label\":\"Negativ\"")));
    CHECK_TEXT(run(LABELS "wait: true", TWO), "DIR/q.jsonl:2: `Negativ` is none of the 2 labels; "
               "did you mean `negative`?");
    write_text("q.jsonl", answer(first, "\"label\":\"something else\""));
    CHECK_TEXT(run(LABELS "wait: true", TWO), "DIR/q.jsonl:1: `something else` is none of the 2 "
               "labels");
    write_text("q.jsonl", arena_printf(&host.arena, "%s\n%s",
        answer(first, "\"label\":\"positive\",\"annotator\":\"anna\""),
        answer(first, "\"label\":\"negative\",\"annotator\":\"anna\"")));
    CHECK_TEXT(run(LABELS "wait: true", TWO), "DIR/q.jsonl:3: `negative` by anna, who answered "
               "`positive` for the same record in DIR/q.jsonl:1: keep one of the two");
    write_text("q.jsonl", "{\"label\":\"positive\"}\n");
    CHECK_TEXT(run(LABELS "wait: true", TWO),
               "DIR/q.jsonl: row 1 has no `id`: keep the ids of the queue");
    write_text("q.jsonl", answer(first, "\"label\":\"positive\""));
    CHECK_TEXT(run(LABELS "annotators: 2", TWO), "DIR/q.jsonl:1: the answer has no `annotator`, "
               "which `annotators: 2` needs");
    write_text("q.jsonl", "{\"id\":");
    CU_ASSERT_PTR_NOT_NULL(strstr(run(LABELS "wait: true", TWO), "DIR/q.jsonl:1: "));
    /* For no record: left out with a warning, as long as others are for one. */
    write_text("q.jsonl", both(answer(first, "\"label\":\"positive\""),
                               answer("00ff", "\"label\":\"positive\"")));
    CHECK_TEXT(run(LABELS "wait: false", TWO), "positive negative");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "q.jsonl:2: no record here has the id `00ff`"));
    CU_ASSERT_EQUAL(score("unknown_answers"), 1);
    write_text("q.jsonl", answer("00ff", "\"label\":\"positive\""));
    CHECK_TEXT(run(LABELS "wait: true", TWO), "none of the 1 answers is for a record that is here: "
               "are they for another run, with another seed or other steps?");
    start_over();
}

static void refuses(void)
{
    static const char *const cases[][2] = {
        {"show: [text, label]", "`show` has `label`, which the queue uses"},
        {"only: 'a ='", "only"},
        {"annotators: 0", "annotators"},
        {"rule: best", "rule"},
        {"instructions: '{{ a'", "instructions"},
        {"format: jsonll, wait: true", "there is no format `jsonll`"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *why = run(cases[i][0], TWO);
        if (!strstr(why, cases[i][1]))
            printf("\n    got: %s", why);
        CU_ASSERT_PTR_NOT_NULL(strstr(why, cases[i][1]));
    }
    chmod(folder, 0500);
    if (geteuid() != 0)
        CU_ASSERT_PTR_NOT_NULL(strstr(run("wait: true", TWO), "cannot"));
    chmod(folder, 0700);
}

static const struct check checks[] = {
    {"waits, and goes on", waits_and_goes_on},
    {"only some records", only_some},
    {"suggestions shown or hidden", shows_or_hides_suggestions},
    {"discards, revisions, numbers", discards_and_revisions},
    {"CSV, Label Studio", other_formats},
    {"several annotators", several_annotators},
    {"Krippendorff's example", reliability_as_published},
    {"bad answers", bad_answers},
    {"bad options", refuses},
    {0},
};

int main(void)
{
    static const char *const plugins[] = {"human", "jsonl", "csv", "label_studio"};
    snprintf(folder, sizeof(folder), P_tmpdir "/human-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    stage_host_init(&host);
    for (size_t i = 0; i < 4; i++)
        stage_host_load(&host, plugins[i]);
    int failed = check_main("human", checks);
    stage_result_free(&result);
    instance_close(instance);
    start_over();
    rmdir(folder);
    stage_host_free(&host);
    return failed;
}
