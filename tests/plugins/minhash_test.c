/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static struct stage_host host;
static struct stage_result result;

static void run_lines(const char *yaml, const char *lines)
{
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "minhash", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_run(&host, instance, lines, &result);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    instance_close(instance);
}

/* "110" says keep, keep, drop. */
static const char *kept(const char *yaml, const char *lines)
{
    static char marks[64];
    run_lines(yaml, lines);
    for (size_t i = 0; i < result.count; i++)
        marks[i] = result.verdicts[i] == XY_OK ? '1' : '0';
    marks[result.count] = '\0';
    return marks;
}

/* ---- a corpus with known similarities -------------------------------------------------------- */

enum { TEXTS = 2400, LONGEST = 64, VOCABULARY = 5000, SHINGLE = 3 };

/* Texts as numbers of words; every third word drawn from few, so that unrelated texts share
 * some. */
struct corpus {
    uint16_t words[TEXTS][LONGEST];
    size_t lengths[TEXTS];
    uint64_t shingles[TEXTS][LONGEST];
    size_t counts[TEXTS];
    bool edited[TEXTS];
    struct record *records[TEXTS];
};

static uint16_t draw_word(uint64_t *random)
{
    return (uint16_t)(xy_random_below(random, 3) ? 50 + xy_random_below(random, VOCABULARY - 50)
                                                 : xy_random_below(random, 50));
}

/* A new text, or an earlier new one with `edits` words replaced. */
static void make_text(struct corpus *corpus, size_t i, size_t edits, uint64_t *random)
{
    if (i < 100 || edits == 0) {
        corpus->lengths[i] = 30 + xy_random_below(random, LONGEST - 30 + 1);
        for (size_t w = 0; w < corpus->lengths[i]; w++)
            corpus->words[i][w] = draw_word(random);
        return;
    }
    size_t from;
    do
        from = xy_random_below(random, i);
    while (corpus->edited[from]);
    corpus->edited[i] = true;
    corpus->lengths[i] = corpus->lengths[from];
    memcpy(corpus->words[i], corpus->words[from], sizeof(corpus->words[i]));
    for (size_t e = 0; e < edits; e++)
        corpus->words[i][xy_random_below(random, corpus->lengths[i])] = draw_word(random);
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

/* The set of its shingles, each as the one number that its three words make: no hashing here. */
static void make_shingles(struct corpus *corpus, size_t i)
{
    uint64_t all[LONGEST];
    size_t count = 0, kept_count = 0;
    for (size_t w = 0; w + SHINGLE <= corpus->lengths[i]; w++)
        all[count++] = (uint64_t)corpus->words[i][w] << 32 |
                       (uint64_t)corpus->words[i][w + 1] << 16 | corpus->words[i][w + 2];
    qsort(all, count, sizeof(*all), compare_numbers);
    for (size_t k = 0; k < count; k++)
        if (k == 0 || all[k] != all[k - 1])
            corpus->shingles[i][kept_count++] = all[k];
    corpus->counts[i] = kept_count;
}

static double jaccard(const struct corpus *corpus, size_t a, size_t b)
{
    size_t i = 0, j = 0, both = 0;
    while (i < corpus->counts[a] && j < corpus->counts[b]) {
        uint64_t first = corpus->shingles[a][i], second = corpus->shingles[b][j];
        both += first == second;
        i += first <= second;
        j += second <= first;
    }
    return (double)both / (double)(corpus->counts[a] + corpus->counts[b] - both);
}

static struct corpus *make_corpus(size_t most_edits, uint64_t seed)
{
    struct corpus *corpus = calloc(1, sizeof(*corpus));
    for (size_t i = 0; i < TEXTS; i++) {
        char json[LONGEST * 8 + 32] = "{\"text\":\"";
        size_t length = strlen(json);
        make_text(corpus, i, xy_random_below(&seed, most_edits + 1), &seed);
        make_shingles(corpus, i);
        for (size_t w = 0; w < corpus->lengths[i]; w++) /* case and punctuation must not count */
            length += (size_t)snprintf(json + length, sizeof(json) - length, "%s%c%u",
                                       w ? (i % 2 ? " " : ", ") : "", i % 3 ? 'w' : 'W',
                                       corpus->words[i][w]);
        snprintf(json + length, sizeof(json) - length, "\"}");
        corpus->records[i] = stage_host_record(json, i + 1);
    }
    return corpus;
}

static void free_corpus(struct corpus *corpus)
{
    for (size_t i = 0; i < TEXTS; i++)
        record_destroy(corpus->records[i]);
    free(corpus);
}

struct quality {
    size_t wanted, found;  /* texts that resemble a kept earlier one by at least `sure`; dropped */
    size_t dropped, right; /* all dropped; those whose named twin was kept and is similar enough */
    double worst_estimate; /* largest difference of the printed similarity from the real one */
};

/* What run() did to the corpus against the similarity of all pairs, computed one by one. */
static struct quality judge(const struct corpus *corpus, double sure, double enough)
{
    struct quality quality = {0};
    for (size_t j = 0; j < TEXTS; j++) {
        bool wanted = false;
        for (size_t i = 0; i < j && !wanted; i++)
            wanted = result.verdicts[i] == XY_OK && jaccard(corpus, i, j) >= sure;
        bool dropped = result.verdicts[j] == XY_DROP;
        quality.wanted += wanted;
        quality.found += wanted && dropped;
        if (!dropped)
            continue;
        unsigned long long id = 0;
        double similarity = 0;
        int read = sscanf(result.reasons[j], "near-duplicate of %16llx (similarity %lf)", &id,
                          &similarity);
        CU_ASSERT_FATAL(read == 2 && id >= 1 && id <= j);
        double real = jaccard(corpus, (size_t)id - 1, j);
        quality.dropped++;
        quality.right += result.verdicts[id - 1] == XY_OK && real >= enough;
        if (fabs(real - similarity) > quality.worst_estimate)
            quality.worst_estimate = fabs(real - similarity);
    }
    return quality;
}

static struct quality measure(const char *yaml, size_t most_edits, uint64_t seed, double sure,
                              double enough)
{
    struct corpus *corpus = make_corpus(most_edits, seed);
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "minhash", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_add_records(&host, "corpus", corpus->records, TEXTS);
    stage_host_run_dataset(&host, instance, "corpus", &result);
    struct quality quality = judge(corpus, sure, enough);
    printf("\n    %zu of %zu similar texts dropped, %zu of %zu rightly; estimates within %.3f ",
           quality.found, quality.wanted, quality.right, quality.dropped, quality.worst_estimate);
    instance_close(instance);
    dataset_view_finish(&host.datasets[host.dataset_count - 1].view);
    dataset_destroy(host.datasets[host.dataset_count - 1].dataset);
    unlink(host.datasets[--host.dataset_count].path);
    free_corpus(corpus);
    return quality;
}

/* One replaced word in 30 to 64 leaves a similarity of at least 25/31 = 0.81. */
static void finds_planted_pairs(void)
{
    static const char *const ways[] = {"verify: exact", "verify: signatures", "verify: none"};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        /* Candidates that nobody verifies are found by a stricter banding, 14 x 9. */
        double recall = i < 2 ? 0.99 : 0.95;
        struct quality quality = measure(ways[i], 1, 11, 0.8, 0.7);
        CU_ASSERT_TRUE(quality.wanted > 800);
        CU_ASSERT_TRUE((double)quality.found >= recall * (double)quality.wanted);
        CU_ASSERT_TRUE((double)quality.right >= 0.99 * (double)quality.dropped);
        /* Six standard errors at J = 0.8 and 128 permutations, and the rounding of two digits. */
        CU_ASSERT_TRUE(quality.worst_estimate < 6 * sqrt(0.8 * 0.2 / 128) + 0.005);
    }
}

/* Up to eight replaced words: similarities all the way down, many near the threshold. */
static void exact_drops_nothing_below_the_threshold(void)
{
    struct quality quality = measure(NULL, 8, 12, 0.8, 0.7);
    CU_ASSERT_TRUE(quality.wanted > 200);
    CU_ASSERT_TRUE((double)quality.found >= 0.99 * (double)quality.wanted);
    CU_ASSERT_EQUAL(quality.right, quality.dropped);
    CU_ASSERT_TRUE(quality.worst_estimate <= 0.005 + 1e-9); /* the two digits printed */
}

/* The estimate's standard error is 0.04 there: nearly nothing falls three of them below. */
static void estimates_near_the_threshold(void)
{
    struct quality quality = measure("verify: signatures", 8, 13, 0.8, 0.7 - 3 * 0.0405);
    CU_ASSERT_TRUE((double)quality.found >= 0.985 * (double)quality.wanted);
    CU_ASSERT_TRUE((double)quality.right >= 0.99 * (double)quality.dropped);
}

static void other_thresholds(void)
{
    struct quality quality = measure("{threshold: 0.5, verify: exact}", 8, 14, 0.6, 0.5);
    CU_ASSERT_TRUE((double)quality.found >= 0.97 * (double)quality.wanted);
    CU_ASSERT_EQUAL(quality.right, quality.dropped);
    quality = measure("{threshold: 0.9, permutations: 256, verify: exact}", 2, 15, 0.95, 0.9);
    CU_ASSERT_TRUE((double)quality.found >= 0.97 * (double)quality.wanted);
    CU_ASSERT_EQUAL(quality.right, quality.dropped);
}

/* ---- small cases ----------------------------------------------------------------------------- */

#define LONG "the quick brown fox jumps over the lazy dog and runs into the dark green wood"

static void keeps_the_first(void)
{
    CHECK_TEXT(kept(NULL, "{\"text\":\"" LONG "\"}\n{\"text\":\"something else altogether here\"}\n"
                          "{\"text\":\"The quick, brown fox: jumps over the lazy dog and runs into "
                          "the dark green wood!\"}\n{\"text\":\"" LONG " again\"}\n"), "1100");
    CHECK_TEXT(result.reasons[2], "near-duplicate of 00000000000003e8 (similarity 1.00)");
}

static void short_and_missing_texts(void)
{
    /* Fewer words than a shingle: one shingle; no word, or no text: kept, with one warning. */
    host.log[0] = '\0';
    CHECK_TEXT(kept(NULL, "{\"text\":\"good\"}\n{\"text\":\"Good!\"}\n{\"text\":\"good film\"}\n"
                          "{\"text\":\"\"}\n{\"text\":\"...\"}\n{\"other\":1}\n{\"text\":5}\n"),
               "1011111");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "4 records have no word in `text`"));
    CHECK_TEXT(kept(NULL, ""), "");
}

static void characters(void)
{
    /* Chinese without spaces: one shingle of words, many of characters. */
    const char *lines = "{\"text\":\"\\u4eca\\u5929\\u5929\\u6c14\\u5f88\\u597d\\u6211\\u4eec"
                        "\\u53bb\\u516c\\u56ed\\u6563\\u6b65\\u5427\\u597d\\u5417\"}\n"
                        "{\"text\":\"\\u4eca\\u5929\\u5929\\u6c14\\u5f88\\u597d\\u6211\\u4eec"
                        "\\u53bb\\u516c\\u56ed\\u6563\\u6b65\\u5427\\u597d\"}\n";
    /* 16 and 15 characters give 15 and 14 shingles of two, 14 of them shared: 14/15. */
    CHECK_TEXT(kept("{unit: characters, shingle: 2, verify: exact}", lines), "10");
    CHECK_TEXT(result.reasons[1], "near-duplicate of 00000000000003e8 (similarity 0.93)");
    CHECK_TEXT(kept(NULL, lines), "11");
}

static void names_the_most_similar(void)
{
    /* a b c d e f against both: shares abc bcd cde def with the second, abc bcd cde with the
     * first. */
    run_lines("{threshold: 0.4, verify: exact}", "{\"text\":\"a b c d e x y\"}\n"
                                                 "{\"text\":\"k a b c d e f\"}\n"
                                                 "{\"text\":\"a b c d e f\"}\n");
    /* First two: 3 shared (abc bcd cde) of 5 + 5 - 3 = 7: 0.43, so the second is dropped. */
    CHECK_TEXT(result.reasons[1], "near-duplicate of 00000000000003e8 (similarity 0.43)");
    CHECK_TEXT(result.reasons[2], "near-duplicate of 00000000000003e8 (similarity 0.50)");
    run_lines("{threshold: 0.45, verify: exact}", "{\"text\":\"a b c d e x y\"}\n"
                                                  "{\"text\":\"k a b c d e f\"}\n"
                                                  "{\"text\":\"a b c d e f\"}\n");
    CU_ASSERT_EQUAL(result.verdicts[1], XY_OK);
    CHECK_TEXT(result.reasons[2], "near-duplicate of 00000000000003e9 (similarity 0.80)");
}

static void compares_against_a_corpus(void)
{
    stage_host_add_dataset(&host, "gold", "{\"text\":\"unrelated words stand in this one\"}\n"
                                          "{\"text\":\"" LONG "\"}\n");
    CHECK_TEXT(kept("against: gold", "{\"text\":\"" LONG "\"}\n{\"text\":\"quite new\"}\n"), "01");
    CHECK_TEXT(result.reasons[0],
               "near-duplicate of 00000000000003e9 of `against` (similarity 1.00)");
}

static void refuses_odd_lengths(void)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "minhash", "permutations: 100"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "minhash", "threshold: 1.5"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "minhash", "verify: maybe"));
}

static void stops_when_canceled(void)
{
    struct instance *instance = stage_host_open(&host, XY_FILTER, "minhash", NULL);
    CU_ASSERT_FATAL(instance != NULL);
    stage_result_free(&result);
    host.cancelled = 1;
    stage_host_run(&host, instance, "{\"text\":\"a\"}\n", &result);
    host.cancelled = 0;
    CU_ASSERT_EQUAL(result.verdict, XY_ECANCELED);
    instance_close(instance);
}

static const struct check checks[] = {
    {"the first one stays", keeps_the_first},
    {"recall and precision on planted pairs", finds_planted_pairs},
    {"exact verification", exact_drops_nothing_below_the_threshold},
    {"estimates near the threshold", estimates_near_the_threshold},
    {"other thresholds", other_thresholds},
    {"short and missing texts", short_and_missing_texts},
    {"characters", characters},
    {"the most similar twin", names_the_most_similar},
    {"against a corpus", compares_against_a_corpus},
    {"options out of range", refuses_odd_lengths},
    {"cancellation", stops_when_canceled},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "minhash");
    int failed = check_main("minhash", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
