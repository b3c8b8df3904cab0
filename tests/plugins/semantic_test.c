/* SPDX-License-Identifier: Apache-2.0 */
/* The reference here is plain: every record against every kept one, in doubles. */
#include "check.h"
#include "stage_host.h"

#include <math.h>
#include <stdlib.h>

static struct stage_host host;
static struct stage_result result;

static void run_lines(const char *yaml, const char *lines)
{
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "semantic", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    host.log[0] = '\0';
    stage_host_run(&host, instance, lines, &result);
    instance_close(instance);
}

/* "110" says keep, keep, drop. */
static const char *kept(const char *yaml, const char *lines)
{
    static char marks[64];
    run_lines(yaml, lines);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    for (size_t i = 0; i < result.count; i++)
        marks[i] = result.verdicts[i] == XY_OK ? '1' : '0';
    marks[result.count] = '\0';
    return marks;
}

/* The same by the index, which a build without hnswlib does not have: then NULL, if it says so. */
static const char *kept_by_index(const char *yaml, const char *lines)
{
    run_lines(yaml, lines);
    if (result.verdict != XY_EUNSUPPORTED)
        return kept(yaml, lines);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "install libhnswlib-dev"));
    return NULL;
}

/* ---- by hand --------------------------------------------------------------------------------- */

/* On a circle, lengths 1, 2 and 1: 0, 10, 30 and 50 degrees. cos 10 = 0.985, cos 20 = 0.940, cos 40
 * = 0.766. */
#define CIRCLE                                                                                    \
    "{\"#v\":[1,0],\"n\":1}\n{\"#v\":[1.969616,0.347296],\"n\":3}\n"                              \
    "{\"#v\":[0.866025,0.5],\"n\":2}\n{\"#v\":[0.642788,0.766044]}\n"

static void keeps_the_earlier(void)
{
    CHECK_TEXT(kept("{vector: v, threshold: 0.98}", CIRCLE), "1011");
    CHECK_TEXT(result.reasons[1], "near-duplicate of 00000000000003e8 (cosine 0.985)");
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "near_duplicates").value, 0.25, 1e-12);
    /* At 0.9 the second goes; the third resembles only it (0.940), and 0.866 with the first. */
    CHECK_TEXT(kept("{vector: v, threshold: 0.9}", CIRCLE), "1010");
    CHECK_TEXT(result.reasons[3], "near-duplicate of 00000000000003ea (cosine 0.940)");
    /* All: the most similar kept one is named; -1 keeps the first alone. */
    CHECK_TEXT(kept("{vector: v, threshold: -1}", CIRCLE), "1000");
    const char *marks = kept_by_index("{vector: v, threshold: 0.98, exact_rows: 0}", CIRCLE);
    if (!marks)
        return;
    CHECK_TEXT(marks, "1011");
    CHECK_TEXT(result.reasons[1], "near-duplicate of 00000000000003e8 (cosine 0.985)");
}

/* The second has the highest n, and takes the first and the third (0.985, 0.940); the last, without
 * n, comes last, and resembles only the third, which is gone: 0.766 with the second. */
static void keeps_the_preferred(void)
{
    CHECK_TEXT(kept("{vector: v, threshold: 0.93, prefer: n}", CIRCLE), "0101");
    CHECK_TEXT(result.reasons[0], "near-duplicate of 00000000000003e9 (cosine 0.985)");
    CHECK_TEXT(result.reasons[2], "near-duplicate of 00000000000003e9 (cosine 0.940)");
}

static void compares_against_a_corpus(void)
{
    stage_host_add_dataset(&host, "gold", "{\"#v\":[0,1],\"n\":0}\n{\"#v\":[0,2]}\n"
                                          "{\"#v\":[1,0]}\n");
    /* The corpus wins over any preference, and its own duplicates do not matter. */
    CHECK_TEXT(kept("{vector: v, threshold: 0.98, against: gold, prefer: n}", CIRCLE), "0011");
    CHECK_TEXT(result.reasons[0], "near-duplicate of 00000000000003ea of `against` (cosine 1.000)");
    CHECK_TEXT(result.reasons[1], "near-duplicate of 00000000000003ea of `against` (cosine 0.985)");
    const char *marks =
        kept_by_index("{vector: v, threshold: 0.98, against: gold, exact_rows: 3}", CIRCLE);
    CHECK_TEXT(marks ? marks : "0011", "0011");
    stage_host_add_dataset(&host, "nothing", "");
    CHECK_TEXT(kept("{vector: v, threshold: 0.98, against: nothing}", CIRCLE), "1011");
}

/* The first two resemble each other (0.985), but only the last one the corpus, at 53.13 degrees:
 * cos 3.13 = 0.9985. */
static void compares_with_the_corpus_alone(void)
{
    stage_host_add_dataset(&host, "test", "{\"#v\":[0.6,0.8]}\n");
    const char *yaml = "{vector: v, threshold: 0.98, against: test, within: false}";
    CHECK_TEXT(kept(yaml, CIRCLE), "1110");
    CHECK_TEXT(result.reasons[3], "near-duplicate of 00000000000003e8 of `against` (cosine 0.999)");
    const char *marks = kept_by_index(
        "{vector: v, threshold: 0.98, against: test, within: false, exact_rows: 0}", CIRCLE);
    CHECK_TEXT(marks ? marks : "1110", "1110");
    stage_host_add_dataset(&host, "nothing", "");
    CHECK_TEXT(kept("{vector: v, threshold: 0.98, against: nothing, within: false}", CIRCLE),
               "1111");
}

static int embed(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    float *vectors = arena_alloc(arena, request->text_count * 2 * sizeof(float));
    (void)data;
    for (size_t i = 0; i < request->text_count; i++)
        vectors[2 * i + (request->texts[i].ptr[0] != 'a')] = 1;
    reply->vectors = vectors;
    reply->vector_count = request->text_count;
    reply->dimension = 2;
    return XY_OK;
}

static void embeds_texts(void)
{
    CHECK_TEXT(kept("{embed: m}", "{\"text\":\"a\"}\n{\"text\":\"bb\"}\n{\"text\":\"ab\"}\n"
                                  "{\"text\":\"\"}\n{\"n\":1}\n"), "11011");
    CHECK_TEXT(result.reasons[2], "near-duplicate of 00000000000003e8 (cosine 1.000)");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "2 records have no vector to compare"));
}

/* ---- against the reference ------------------------------------------------------------------- */

enum { RECORDS = 1500, WIDTH = 37 }; /* some blocks; lanes and a rest */

static double cosine(const float *a, const float *b)
{
    double inner = 0, left = 0, right = 0;
    for (int i = 0; i < WIDTH; i++) {
        inner += (double)a[i] * (double)b[i];
        left += (double)a[i] * (double)a[i];
        right += (double)b[i] * (double)b[i];
    }
    return inner / sqrt(left * right);
}

/* A third of the records are others with noise of some size, so that cosines spread. */
static void make_vectors(float (*vectors)[WIDTH])
{
    uint64_t random = 5;
    for (int i = 0; i < RECORDS; i++) {
        bool copy = i > 0 && xy_random_unit(&random) < 0.33;
        uint64_t from = xy_random_below(&random, (uint64_t)i + 1);
        double noise = xy_random_unit(&random);
        for (int k = 0; k < WIDTH; k++) {
            double own = xy_random_unit(&random) - 0.5;
            vectors[i][k] = (float)(copy ? (double)vectors[from][k] + noise * own : own);
        }
    }
}

static struct record **make_records(float (*vectors)[WIDTH])
{
    struct record **records = calloc(RECORDS, sizeof(struct record *));
    for (int i = 0; i < RECORDS; i++) {
        records[i] = record_create((uint64_t)i + 1);
        xy_value value = {.type = XY_VECTOR, .length = WIDTH, .vector = vectors[i]};
        record_set(records[i], "v", &value);
    }
    return records;
}

/* True where the reference drops, and at what similarity. */
static size_t reference(float (*vectors)[WIDTH], double threshold, bool *dropped, double *most)
{
    size_t count = 0;
    for (int i = 0; i < RECORDS; i++) {
        most[i] = -2;
        for (int k = 0; k < i; k++)
            if (!dropped[k] && cosine(vectors[i], vectors[k]) > most[i])
                most[i] = cosine(vectors[i], vectors[k]);
        dropped[i] = most[i] >= threshold;
        count += dropped[i];
    }
    return count;
}

static size_t run_vectors(const char *yaml)
{
    size_t count = 0;
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "semantic", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_run_dataset(&host, instance, "many", &result);
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    for (size_t i = 0; i < result.count; i++)
        count += result.verdicts[i] == XY_DROP;
    instance_close(instance);
    return count;
}

static void equals_the_reference(void)
{
    static float vectors[RECORDS][WIDTH];
    static bool dropped[RECORDS];
    static double most[RECORDS];
    make_vectors(vectors);
    struct record **records = make_records(vectors);
    stage_host_add_records(&host, "many", records, RECORDS);
    size_t wanted = reference(vectors, 0.9, dropped, most);
    CU_ASSERT_TRUE(wanted > 200 && wanted < 600);
    CU_ASSERT_EQUAL(run_vectors("{vector: v, threshold: 0.9}"), wanted);
    for (int i = 0; i < RECORDS; i++) {
        char cosine_text[32];
        CU_ASSERT_EQUAL(result.verdicts[i] == XY_DROP, dropped[i]);
        snprintf(cosine_text, sizeof(cosine_text), "(cosine %.3f)", most[i]);
        CU_ASSERT_TRUE(!dropped[i] || strstr(result.reasons[i], cosine_text) != NULL);
    }
    bool indexed = kept_by_index("{vector: v, exact_rows: 0}", CIRCLE) != NULL;
    /* The index finds at least 95 of 100, and says how many it found. */
    size_t found =
        indexed ? run_vectors("{vector: v, threshold: 0.9, exact_rows: 100}") : wanted;
    CU_ASSERT_TRUE((double)found >= 0.95 * (double)wanted && found <= wanted + wanted / 20);
    CU_ASSERT_TRUE(!indexed || stage_host_score(&host, "recall").value >= 0.95);
    CU_ASSERT_TRUE(!indexed || stage_host_score(&host, "recall").n > 20);
    for (int i = 0; i < RECORDS; i++)
        record_destroy(records[i]);
    free(records);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void odd_vectors(void)
{
    float zero[2] = {0, 0}, none[2] = {NAN, 1}, good[2] = {1, 0};
    float *all[] = {zero, none, good, zero};
    struct record *records[4];
    for (uint64_t i = 0; i < 4; i++) {
        records[i] = record_create(i + 1);
        xy_value value = {.type = XY_VECTOR, .length = 2, .vector = all[i]};
        record_set(records[i], "v", &value);
    }
    stage_host_add_records(&host, "odd", records, 4);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "semantic", "vector: v");
    host.log[0] = '\0';
    stage_result_free(&result);
    stage_host_run_dataset(&host, instance, "odd", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(result.verdicts[i], XY_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "3 records have no vector to compare"));
    instance_close(instance);
    for (size_t i = 0; i < 4; i++)
        record_destroy(records[i]);
    CHECK_TEXT(kept("vector: v", ""), "");
}

static void named_errors(void)
{
    run_lines("vector: w", CIRCLE);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "no record of the input has a vector in `w`"));
    run_lines("embed: m", CIRCLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "no record of the input has a text in `text`"));
    stage_host_add_dataset(&host, "three", "{\"#v\":[0,1,0]}\n");
    run_lines("{vector: v, against: three}", CIRCLE);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "the vectors of the input have 2 numbers, those of "
                                              "`against` 3"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "semantic", NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "give `embed`, a model, or `vector`"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "semantic", "{embed: m, vector: v}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "semantic", "{vector: v, threshold: 2}"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "semantic", "{vector: v, within: false}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "give `against`, a data set"));
}

static void stops_when_canceled(void)
{
    host.cancelled = 1;
    run_lines("vector: v", CIRCLE);
    CU_ASSERT_EQUAL(result.verdict, XY_ECANCELED);
    host.cancelled = 0;
}

static const struct check checks[] = {
    {"the earlier one stays", keeps_the_earlier},
    {"the preferred one stays", keeps_the_preferred},
    {"against a corpus", compares_against_a_corpus},
    {"with the corpus alone", compares_with_the_corpus_alone},
    {"texts embedded by a model", embeds_texts},
    {"all pairs, and the index", equals_the_reference},
    {"vectors without direction", odd_vectors},
    {"named errors", named_errors},
    {"cancellation", stops_when_canceled},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    host.answer = embed;
    stage_host_load(&host, "semantic");
    int failed = check_main("semantic", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
