/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <math.h>

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;

/* The ranks of the records, "-" for one that was dropped and "k" for one kept without a rank. */
static const char *ranks(const char *yaml, const char *lines)
{
    static char text[512];
    instance_close(instance);
    stage_result_free(&result);
    instance = stage_host_open(&host, XY_FILTER, "select", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    host.log[0] = '\0';
    stage_host_run(&host, instance, lines, &result);
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < result.count; i++) {
        double rank = stage_number(result.records[i], "rank");
        char one[32];
        snprintf(one, sizeof(one), isnan(rank) ? "k" : "%.0f", rank);
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i ? " " : "",
                                   result.verdicts[i] == XY_DROP ? "-" : one);
    }
    return text;
}

/* Two tight groups of three and two, and one apart. On a circle: 0, 2, 4; 80, 83; 170 degrees. */
#define CIRCLE                                                                                    \
    "{\"#v\":[1,0]}\n{\"#v\":[0.99939,0.0349]}\n{\"#v\":[0.99756,0.06976]}\n"                     \
    "{\"#v\":[0.17365,0.98481]}\n{\"#v\":[0.12187,0.99255]}\n{\"#v\":[-0.98481,0.17365]}\n"

/* With two neighbours each: 0, 1, 2 vote for each other; 3 for 4 and 2; 4 for 3 and 2; 5 for 4
 * and 3. Votes: 0 has 1 2, 1 has 0 2, 2 has 0 1 3 4, 3 has 4 5, 4 has 3 5, 5 none. Chosen: 2,
 * whose voters 0, 1, 3, 4 then weigh 0.1. Left are 0: 1 (0.1), 1: 0 (0.1), 3: 4 5 (1.1), 4: 3 5
 * (1.1); equal scores and voters: 3. Then 5 and 4 weigh 0.1 and 0.01: 4 has only 5, 0.1; 0 has
 * 0.1 of 1, 1 has 0.1 of 0: all with two voters: 0. Then 1 has none but 0, chosen: 0; 4: 0.1.
 * Then 1 by votes, then 5. */
static void votes(void)
{
    CHECK_TEXT(ranks("{k: 6, vector: v, neighbours: 2, rank: rank}", CIRCLE), "2 4 0 1 3 5");
    CHECK_TEXT(ranks("{k: 2, vector: v, neighbours: 2, rank: rank}", CIRCLE), "- - 0 1 - -");
    CU_ASSERT_PTR_NOT_NULL(strstr(result.reasons[0], "not among the 2 chosen by vote_k"));
    CU_ASSERT_EQUAL(stage_host_score(&host, "chosen").value, 2);
    CHECK_TEXT(ranks("{k: 2, vector: v, neighbours: 2, rank: rank, action: mark}", CIRCLE),
               "k k 0 1 k k");
    CU_ASSERT_EQUAL(stage_host_score(&host, "short").value, 0);
}

/* A heap of duplicates gets one pick while others are left: each of its rows has the same voters,
 * which weigh a tenth once one is chosen. */
static void duplicates_once(void)
{
    const char *chosen = ranks("{k: 2, vector: v, neighbours: 3, rank: rank}",
                               "{\"#v\":[1,0]}\n{\"#v\":[1,0]}\n{\"#v\":[1,0]}\n{\"#v\":[1,0]}\n"
                               "{\"#v\":[1,0]}\n{\"#v\":[0,1]}\n{\"#v\":[0.1,1]}\n"
                               "{\"#v\":[0.2,1]}\n{\"#v\":[0.3,1]}\n");
    int heap = 0, others = 0;
    for (int i = 0; i < 9; i++) {
        bool kept = chosen[2 * i] != '-';
        *(i < 5 ? &heap : &others) += kept;
    }
    CU_ASSERT_EQUAL(heap, 1);
    CU_ASSERT_EQUAL(others, 1);
}

/* Record 2 is known: what it was chosen over in votes() comes next. */
static void knows_earlier_ones(void)
{
    struct record *first[] = {stage_host_record("{\"text\":\"c\"}", 7),
                              stage_host_record("{\"text\":\"not there\"}", 8)};
    stage_host_add_records(&host, "first", first, 2);
    CHECK_TEXT(ranks("{k: 2, vector: v, neighbours: 2, rank: rank, known: first}",
                     "{\"#v\":[1,0],\"text\":\"a\"}\n{\"#v\":[0.99939,0.0349],\"text\":\"b\"}\n"
                     "{\"#v\":[0.99756,0.06976],\"text\":\"c\"}\n"
                     "{\"#v\":[0.17365,0.98481],\"text\":\"d\"}\n"
                     "{\"#v\":[0.12187,0.99255],\"text\":\"e\"}\n"
                     "{\"#v\":[-0.98481,0.17365],\"text\":\"f\"}\n"),
               "1 - k 0 - -");
    stage_result_free(&result);
    record_destroy(first[0]);
    record_destroy(first[1]);
}

/* Ten rows, two picks: bands of floor(0.9 * 10 / 2) = 4 by rising confidence: rows 9 8 7 6, then
 * 5 4 3 2; the surest, 1 and 0, are left out. On a line of angles each has its two next as
 * neighbours. */
static void bands_of_confidence(void)
{
    char lines[2048] = "";
    size_t length = 0;
    for (int i = 0; i < 10; i++)
        length += (size_t)snprintf(lines + length, sizeof(lines) - length,
                                   "{\"#v\":[%.6f,%.6f],\"c\":%.2f}\n", cos(0.1 * i * i),
                                   sin(0.1 * i * i), 1 - 0.1 * i);
    const char *chosen = ranks("{k: 2, vector: v, neighbours: 2, rank: rank, confidence: c}",
                               lines);
    int first = 0, second = 0;
    for (int i = 0; i < 10; i++) {
        first += i >= 6 && chosen[2 * i] == '0';
        second += i >= 2 && i < 6 && chosen[2 * i] == '1';
    }
    CU_ASSERT_EQUAL(first, 1);
    CU_ASSERT_EQUAL(second, 1);
    CHECK_TEXT(ranks("{k: 2, method: least_confidence, confidence: c, rank: rank}",
                     "{\"c\":0.5}\n{\"x\":1}\n{\"c\":0.1}\n{\"c\":0.5}\n{\"c\":2}\n"),
               "1 - 0 - -");
}

/* The mean of the circle points between the groups; 2 and 3 are at 4 and 80 degrees: by the sum
 * of the unit vectors, (2.31, 2.26): 44.3 degrees, 3 is the nearest. From there 5 is farthest
 * (90), then 0 (80). */
static void spreads_out(void)
{
    CHECK_TEXT(ranks("{k: 3, method: k_center, vector: v, rank: rank}", CIRCLE), "2 - - 0 - 1");
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "coverage").value,
                           (3 + 0.99939 + 0.99756 + 0.99863) / 6, 1e-4);
    CHECK_TEXT(ranks("{k: 1, method: k_center, vector: v, rank: rank}", CIRCLE), "- - - 0 - -");
}

/* Three clusters: the middle of the three is 1; of two equally near to their mean the earlier. The
 * largest first. */
static void one_of_each_cluster(void)
{
    CHECK_TEXT(ranks("{k: 3, method: k_means, vector: v, rank: rank}", CIRCLE), "- 0 - 1 - 2");
    CHECK_TEXT(ranks("{k: 3, method: k_means, vector: v, rank: rank}",
                     "{\"#v\":[1,0]}\n{\"#v\":[1,0]}\n{\"#v\":[0,1]}\n{\"#v\":[0,2]}\n"),
               "0 - 1 -");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "2 of 3 records chosen"));
    CU_ASSERT_EQUAL(stage_host_score(&host, "short").value, 1);
}

/* Sums of cosines with the six: 4 (at 83 degrees) has cos 83 + cos 81 + cos 79 + cos 3 + 1 + cos
 * 87, 2.52; 2 has 2 * cos(2, 4) + 1 + cos 76 + cos 79 - cos 14, 2.46; 3 (80): cos 80, 78, 76 + 1
 * + cos 3 + 0, 2.62: the largest. Next, with 3 covering 0.17 0.21 0.24 1 1 0: 1 adds 0.83 + 0.79
 * + 0.76, more than 0 or 2, each 0.83 + 0.79 + 0.76 less a little; 5 adds 1. */
static void covers_all(void)
{
    CHECK_TEXT(ranks("{k: 3, method: facility_location, vector: v, rank: rank}", CIRCLE),
               "- 1 - 0 - 2");
}

/* Entropies by hand: 0.325, 0.693, 0.898, 0.611; what is no distribution has none. */
static void by_probabilities(void)
{
    static const char lines[] = "{\"p\":[0.9,0.1,0]}\n{\"p\":[0.5,0.5,0]}\n"
                                "{\"p\":{\"a\":0.6,\"b\":0.3,\"c\":0.1}}\n{\"p\":[7,3,0]}\n"
                                "{\"p\":[0,0,0]}\n{\"p\":[0.5,-0.1,0.6]}\n{\"x\":1}\n"
                                "{\"p\":[\"a\",1,1]}\n{\"p\":[1]}\n";
    CHECK_TEXT(ranks("{k: 4, method: entropy, probabilities: p, rank: rank}", lines),
               "3 1 0 2 - - - - -");
    CU_ASSERT_PTR_NOT_NULL(strstr(result.reasons[4], "nothing that `method: entropy` can measure"));
    /* Differences 0.8, 0, 0.3, 0.4. */
    CHECK_TEXT(ranks("{k: 3, method: margin, probabilities: [p], rank: rank}", lines),
               "- 0 1 2 - - - - -");
    CHECK_TEXT(ranks("{k: 2, method: disagreement, rank: rank}",
                     "{\"vote_entropy\":0.9}\n{\"vote_entropy\":1.5}\n{\"vote_entropy\":0}\n"
                     "{\"a\":1}\n"), "1 0 - -");
    CHECK_TEXT(ranks("{share: 0.5, method: disagreement, disagreement: d, rank: rank}",
                     "{\"d\":1}\n{\"d\":3}\n{\"d\":2}\n"), "- 0 1");
    CU_ASSERT_PTR_NOT_NULL(strstr(result.reasons[0], "not in the share of 0.5"));
}

/* Two sure draws that differ: entropy of the mean ln 2, of each 0: information ln 2. Two that are
 * equally unsure: ln 2 - ln 2 = 0. One sure, one unsure: H(0.75) - ln 2 / 2 = 0.562 - 0.347 =
 * 0.216. Draws of 0.9 and 0.1: ln 2 - 0.325 = 0.368. By entropy the first two are equal. */
static void by_information(void)
{
    static const char lines[] = "{\"d\":[[0.5,0.5],[0.5,0.5]]}\n{\"d\":[[1,0],[0.5,0.5]]}\n"
                                "{\"d\":[[1,0],[0,1]]}\n{\"d\":[[0.9,0.1],[0.1,0.9]]}\n"
                                "{\"d\":[[1,0],[0.2,0.3,0.5]]}\n";
    CHECK_TEXT(ranks("{k: 4, method: bald, probabilities: d, rank: rank}", lines), "3 2 0 1 -");
    CHECK_TEXT(ranks("{k: 3, method: entropy, probabilities: d, rank: rank}", lines), "0 - 1 2 -");
    CHECK_TEXT(ranks("{k: 1, method: bald, probabilities: [a, b], rank: rank}",
                     "{\"#a\":[0.5,0.5],\"b\":{\"x\":0.5,\"y\":0.5}}\n"
                     "{\"#a\":[0.25,0.75],\"b\":[0.75,0.25]}\n"), "- 0");
}

static void each_group_by_itself(void)
{
    CHECK_TEXT(ranks("{k: 2, method: least_confidence, confidence: c, per: label, rank: rank}",
                     "{\"label\":\"a\",\"c\":3}\n{\"label\":\"b\",\"c\":1}\n"
                     "{\"label\":\"a\",\"c\":1}\n{\"label\":\"a\",\"c\":2}\n"),
               "- 0 0 1");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "`label` = \"b\": 1 of 2 records chosen"));
}

static void draws_evenly(void)
{
    size_t counts[6] = {0};
    for (uint64_t seed = 1; seed <= 600; seed++) {
        host.services.seed = seed;
        ranks("{k: 2, method: random, rank: rank}", CIRCLE);
        for (size_t i = 0; i < 6; i++)
            counts[i] += result.verdicts[i] == XY_OK;
    }
    for (size_t i = 0; i < 6; i++) /* 200 expected, a standard deviation of 11.5 */
        CU_ASSERT_TRUE(fabs((double)counts[i] - 200) < 5 * 11.5);
}

static int embed(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    (void)data;
    float *vectors = arena_alloc(arena, request->text_count * 2 * sizeof(float));
    for (size_t i = 0; i < request->text_count; i++) {
        vectors[2 * i] = request->texts[i].ptr[0] == 'a';
        vectors[2 * i + 1] = request->texts[i].ptr[0] != 'a';
    }
    reply->vectors = vectors;
    reply->vector_count = request->text_count;
    reply->dimension = 2;
    return XY_OK;
}

static void embeds_and_keeps_all_of_few(void)
{
    CHECK_TEXT(ranks("{k: 9, embed: m, rank: rank}",
                     "{\"text\":\"a1\"}\n{\"text\":\"b1\"}\n{\"text\":\"\"}\n{\"n\":1}\n"),
               "0 1 - -");
    CU_ASSERT_PTR_NOT_NULL(strstr(result.reasons[2], "nothing to compare by in `text`"));
    CU_ASSERT_EQUAL(stage_host_score(&host, "short").value, 7);
    CHECK_TEXT(ranks("{k: 3, embed: m}", "{\"text\":\"a1\"}\n"), "k");
    CHECK_TEXT(ranks("{k: 3, embed: m}", ""), "");
}

static void refuse(const char *yaml, const char *why)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "select", yaml));
    if (!strstr(host.error.text, why))
        printf("\n    got: %s", host.error.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, why));
}

static void refuses_what_makes_no_sense(void)
{
    refuse("{k: 3}", "`method: vote_k` needs `embed`");
    refuse("{k: 3, embed: m, vector: v}", "not both");
    refuse("{k: 0, vector: v}", "k");
    refuse("{vector: v}", "either `k` or `share`");
    refuse("{vector: v, k: 3, share: 0.5}", "found both");
    refuse("{k: 3, method: bald}", "needs `probabilities`");
    refuse("{k: 3, method: entropy, probabilities: []}", "needs `probabilities`");
    refuse("{k: 3, vector: v, action: mark}", "needs `rank`");
    refuse("{k: 3, method: least_confidence}", "needs `confidence`");
    refuse("{k: 3, method: votek, vector: v}", "found `votek`");
    instance_close(instance);
    instance = stage_host_open(&host, XY_FILTER, "select", "{k: 3, vector: v}");
    stage_result_free(&result);
    stage_host_run(&host, instance, "{\"#v\":[1,0]}\n{\"#v\":[1,0,0]}\n", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "the vectors in `v` differ in length: record 1"));
}

static const struct check checks[] = {
    {"vote-k, by hand", votes},
    {"vote-k: duplicates", duplicates_once},
    {"vote-k: known ones", knows_earlier_ones},
    {"vote-k: bands; least confidence", bands_of_confidence},
    {"k-center", spreads_out},
    {"k-means", one_of_each_cluster},
    {"facility location", covers_all},
    {"entropy, margin, disagreement; a share", by_probabilities},
    {"BALD", by_information},
    {"per group", each_group_by_itself},
    {"random: each as likely", draws_evenly},
    {"embeds; k larger than what there is", embeds_and_keeps_all_of_few},
    {"bad input", refuses_what_makes_no_sense},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    host.answer = embed;
    stage_host_load(&host, "select");
    int failed = check_main("select", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    return failed;
}
