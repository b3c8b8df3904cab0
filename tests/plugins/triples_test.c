/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "json.h"
#include "stage_host.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;
static char folder[64];

/* ---- helpers --------------------------------------------------------------------------------- */

static const char *file(const char *name, const char *text)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    CU_ASSERT_FATAL(out != NULL);
    fputs(text, out);
    fclose(out);
    return path;
}

static bool open_stage(uint32_t kind, const char *stage, const char *path, const char *rest)
{
    char yaml[1024];
    instance_close(instance);
    snprintf(yaml, sizeof(yaml), "{path: \"%s\"%s%s}", path, *rest ? ", " : "", rest);
    host.log[0] = '\0';
    instance = stage_host_open(&host, kind, stage, yaml);
    return instance != NULL;
}

static void open_good(const char *stage, const char *path, const char *rest)
{
    bool good = open_stage(XY_CONDITION, stage, path, rest);
    if (!good)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(good);
}

static void check_refused(const char *stage, const char *path, const char *rest, const char *said)
{
    CU_ASSERT_FALSE(open_stage(XY_CONDITION, stage, path, rest));
    bool found = strstr(host.error.text, said) != NULL;
    CU_ASSERT_TRUE(found);
    if (!found)
        printf("\n    \"%s\" is not said in \"%s\" ", said, host.error.text);
}

static void process(const char *json)
{
    stage_result_free(&result);
    stage_host_process(&host, instance, json, &result);
}

/* The member of the i-th triple in a record's list. */
static const char *part(const struct record *record, size_t index, const char *member)
{
    static char parts[4][128];
    static unsigned at;
    char *out = parts[at++ % 4], key[32];
    const char *list = stage_text(record, "triples");
    snprintf(key, sizeof(key), "\"%s\":\"", member);
    for (size_t i = 0; list && i <= index; i++) {
        list = strstr(list, key);
        list = list ? list + strlen(key) : NULL;
    }
    snprintf(out, sizeof(parts[0]), "%.*s", list ? (int)strcspn(list, "\"") : 0, list ? list : "");
    return out;
}

static size_t size_of(const struct record *record)
{
    size_t count = 0;
    while (*part(record, count, "subject"))
        count++;
    return count;
}

/* ---- reading --------------------------------------------------------------------------------- */

#define RDFS "http://www.w3.org/2000/01/rdf-schema#"

/* The same graph in four ways: Ada founded Optics in 1990; their names in two languages. */
static const char in_turtle[] =
    "@prefix : <http://example.org/> .\n@prefix rdfs: <" RDFS "> .\n"
    ":ada rdfs:label \"Ada Reed\"@en, \"Ada Rohr\"@de ; :founded :reed_optics .\n"
    ":reed_optics :founded_in 1990 .\n";
static const char in_triples[] =
    "<http://example.org/ada> <" RDFS "label> \"Ada Rohr\"@de .\n# a comment\n"
    "<http://example.org/ada> <" RDFS "label> \"Ada Reed\"@en .\n"
    "<http://example.org/ada> <http://example.org/founded> <http://example.org/reed_optics> .\n"
    "<http://example.org/ada> <http://example.org/founded> <http://example.org/reed_optics> .\n"
    "<http://example.org/reed_optics> <http://example.org/founded_in> "
    "\"1990\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n";
static const char in_csv[] =
    "subject,relation,object\r\nAda Reed,founded,reed optics\r\n"
    "\"reed optics\",\"founded in\",1990\r\n";
static const char in_tsv[] = "Ada Reed\tfounded\treed optics\nreed optics\tfounded in\t1990\n";

static void reads_four_formats(void)
{
    static const char *const files[][2] = {{"g.ttl", in_turtle}, {"g.nt", in_triples},
                                           {"g.csv", in_csv}, {"g.tsv", in_tsv}};
    for (size_t i = 0; i < 4; i++) {
        open_good("triples.sample", file(files[i][0], files[i][1]), "n: 5, ids: ids");
        process("{}");
        CU_ASSERT_EQUAL(result.verdict, XY_OK);
        const char *text = stage_text(result.input, "triples_text");
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "(Ada Reed; founded; reed optics)"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "(reed optics; founded in; 1990)"));
        CU_ASSERT_EQUAL(size_of(result.input), 2); /* names are no triples; a repeat counts once */
        const char *entities = stage_text(result.input, "entities");
        CU_ASSERT_TRUE(strstr(entities, "Ada Reed") && strstr(entities, "reed optics"));
        if (i < 2) {
            CU_ASSERT_PTR_NULL(strstr(entities, "1990")); /* a literal is no entity */
            CU_ASSERT_PTR_NOT_NULL(strstr(stage_text(result.input, "ids"),
                                          "\"subject\":\"http://example.org/ada\""));
        }
    }
    open_good("triples.sample", file("g.ttl", in_turtle), "n: 5, language: de");
    process("{}");
    CU_ASSERT_PTR_NOT_NULL(strstr(stage_text(result.input, "triples_text"), "(Ada Rohr; founded;"));
    open_good("triples.sample", file("g.ttl", in_turtle), "n: 5, relations: [':founded in']");
    process("{}");
    CHECK_TEXT(stage_text(result.input, "triples_text"), "(reed optics; founded in; 1990)");
}

static void tells_the_line(void)
{
    check_refused("triples.sample", file("a.nt", "<http://e/a> <http://e/p> <http://e/b> .\n"
                                                 "\n<http://e/a> <http://e/p> .\n"), "",
                  "a.nt:3: this is no triple: expected");
    check_refused("triples.sample",
                  file("b.ttl", "@prefix e: <http://e/> .\ne:a e:p\n\n  ux:b .\n"), "",
                  "b.ttl:4: the prefix is not declared: ux:b");
    check_refused("triples.sample", file("c.ttl", "<http://e/a> <http://e/p> \"open .\n"), "",
                  "c.ttl:1: ");
    check_refused("triples.sample", file("d.csv", "subject,relation,object\na,b,c\nd,e\n"), "",
                  "d.csv:3: a triple is subject, relation, object, and this row has 2 values");
    check_refused("triples.sample", file("e.csv", "a,b,\"c\nd,e,f\n"), "", "e.csv:1: a quote is");
    check_refused("triples.sample", file("f.tsv", "a\tb\tc\n\na\t\tc\n"), "",
                  "f.tsv:3: the triple's relation is empty");
    check_refused("triples.sample", file("f.tsv", "a\tb\tc\na\tb\t\xff\n"), "",
                  "f.tsv:2: this row is not UTF-8");
    check_refused("triples.sample", file("g.nt", "# nothing\n"), "", "is empty: it has no triples");
    check_refused("triples.sample", file("h.rdf", "a"), "", "say `format`");
    check_refused("triples.sample", "/nowhere/at/all.nt", "", "cannot read");
    check_refused("triples.sample", file("i.tsv", in_tsv), "relations: [bought]",
                  "`relations` names bought, which is no relation");
    check_refused("triples.sample", file("i.tsv", in_tsv), "exclude: [founded, founded in]",
                  "none of them counts");
    check_refused("triples.walk", file("i.tsv", in_tsv), "count: 3, least: 4, most: 3", "`least`");
}

/* ---- walks ----------------------------------------------------------------------------------- */

/* A graph whose relations r0..r7 have 1, 2, 4, ... 128 different triples of 120 entities. */
enum { RELATIONS = 8, ENTITIES = 120, TRIPLES = 255 };

static const char *skewed_graph(void)
{
    char *text = calloc(1, 64 * TRIPLES);
    size_t length = 0, made = 0;
    for (size_t r = 0; r < RELATIONS; r++)
        for (size_t i = 0; i < (size_t)1 << r; i++, made++)
            length += (size_t)snprintf(text + length, 64, "e%zu\tr%zu\te%zu\n", made % ENTITIES, r,
                                       (made * 3 + made / ENTITIES * 13 + 1) % ENTITIES);
    const char *path = file("skewed.tsv", text);
    free(text);
    return path;
}

/* What the last records hold, counted by their text alone. */
struct count {
    size_t relations[RELATIONS], entities[ENTITIES], triples;
    size_t relations_seen, entities_seen;
    double entropy, entity_entropy;
};

static struct count count_records(void)
{
    struct count count = {0};
    for (size_t i = 0; i < result.count; i++) {
        for (size_t t = 0; t < size_of(result.records[i]); t++) {
            const char *relation = part(result.records[i], t, "relation");
            count.relations[strtoul(relation + 1, NULL, 10)]++;
            count.entities[strtoul(part(result.records[i], t, "subject") + 1, NULL, 10)]++;
            count.entities[strtoul(part(result.records[i], t, "object") + 1, NULL, 10)]++;
            count.triples++;
        }
    }
    for (size_t i = 0; i < ENTITIES; i++) {
        double share = (double)count.entities[i] / (double)(count.triples * 2);
        count.entities_seen += count.entities[i] > 0;
        count.entity_entropy -= share > 0 ? share * log2(share) : 0;
    }
    for (size_t i = 0; i < RELATIONS; i++) {
        double share = (double)count.relations[i] / (double)count.triples;
        count.relations_seen += count.relations[i] > 0;
        count.entropy -= share > 0 ? share * log2(share) : 0;
    }
    return count;
}

static void walks_are_more_even(void)
{
    const char *path = skewed_graph();
    open_good("triples.walk", path, "count: 64, least: 3, most: 3");
    process(NULL);
    CU_ASSERT_EQUAL(result.verdict, XY_END);
    struct count balanced = count_records();
    CU_ASSERT_EQUAL(balanced.triples, 64 * 3);
    CU_ASSERT_EQUAL(stage_host_score(&host, "relations_covered").value,
                    (double)balanced.relations_seen / RELATIONS);
    CU_ASSERT_EQUAL(stage_host_score(&host, "entities_covered").value,
                    (double)balanced.entities_seen / ENTITIES);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "relation_entropy").value, balanced.entropy,
                           1e-9);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "relation_evenness").value,
                           balanced.entropy / 3, 1e-9);
    open_good("triples.walk", path, "count: 64, least: 3, most: 3, balance: 0");
    process(NULL);
    struct count plain = count_records();
    open_good("triples.sample", path, "count: 64, n: 3");
    process(NULL);
    struct count uniform = count_records();
    CU_ASSERT_EQUAL(uniform.triples, 64 * 3);
    printf("\n    entropy of relations: uniform %.3f, walk without balance %.3f, balanced %.3f "
           "of 3 bits ", uniform.entropy, plain.entropy, balanced.entropy);
    /* Exact for uniform edges: sum of 2^r/255 log2(255/2^r) = 1.97 bits. */
    CU_ASSERT_TRUE(fabs(uniform.entropy - 1.97) < 0.2);
    CU_ASSERT_TRUE(balanced.entropy > uniform.entropy + 0.5);
    CU_ASSERT_TRUE(balanced.entropy > plain.entropy + 0.5);
    CU_ASSERT_TRUE(balanced.relations_seen == RELATIONS);
}

/* One relation, a tree of five children each, so that walks without balance keep coming back to the
 * inner nodes. */
static void entities_are_more_even(void)
{
    char text[64 * ENTITIES];
    size_t length = 0;
    for (size_t i = 1; i < ENTITIES; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "e%zu\tr0\te%zu\n", i,
                                   (i - 1) / 5);
    const char *path = file("tree.tsv", text);
    open_good("triples.walk", path, "count: 64, least: 3, most: 3, balance: 0");
    process(NULL);
    struct count plain = count_records();
    open_good("triples.walk", path, "count: 64, least: 3, most: 3");
    process(NULL);
    struct count balanced = count_records();
    printf("\n    entropy of entities: walk without balance %.3f, balanced %.3f of %.3f bits; "
           "covered %zu, %zu of %d ", plain.entity_entropy, balanced.entity_entropy,
           log2(ENTITIES), plain.entities_seen, balanced.entities_seen, ENTITIES);
    CU_ASSERT_TRUE(balanced.entity_entropy > plain.entity_entropy);
    CU_ASSERT_TRUE(balanced.entities_seen > plain.entities_seen);
}

static bool touches(const struct record *record, size_t a, size_t b)
{
    static const char *const ends[] = {"subject", "object"};
    for (size_t i = 0; i < 4; i++)
        if (strcmp(part(record, a, ends[i % 2]), part(record, b, ends[i / 2])) == 0)
            return true;
    return false;
}

/* Each triple after the first shares an entity with an earlier one, and none comes twice. */
static void walks_hang_together(void)
{
    size_t sizes[11] = {0};
    open_good("triples.walk", skewed_graph(), "count: 64");
    process(NULL);
    CU_ASSERT_EQUAL(result.count, 64);
    for (size_t i = 0; i < result.count; i++) {
        const struct record *record = result.records[i];
        size_t size = size_of(record);
        CU_ASSERT_FATAL(size >= 1 && size <= 10);
        sizes[size]++;
        for (size_t t = 1; t < size; t++) {
            bool joined = false, repeated = false;
            for (size_t before = 0; before < t; before++) {
                joined = joined || touches(record, t, before);
                repeated = repeated ||
                           (strcmp(part(record, t, "subject"), part(record, before, "subject")) ==
                                0 &&
                            strcmp(part(record, t, "relation"), part(record, before, "relation")) ==
                                0 &&
                            strcmp(part(record, t, "object"), part(record, before, "object")) == 0);
            }
            CU_ASSERT_TRUE(joined);
            CU_ASSERT_FALSE(repeated);
        }
    }
    size_t kinds = 0;
    for (size_t i = 1; i <= 10; i++)
        kinds += sizes[i] > 0;
    CU_ASSERT_TRUE(kinds >= 8); /* 64 draws of 10 sizes: fewer than 8 with probability 1e-12 */
}

static void walks_repeat(void)
{
    char first[512];
    const char *path = skewed_graph();
    open_good("triples.walk", path, "count: 64");
    process(NULL);
    snprintf(first, sizeof(first), "%s", stage_text(result.records[63], "triples"));
    open_good("triples.walk", path, "count: 64");
    process(NULL);
    CU_ASSERT_NSTRING_EQUAL(stage_text(result.records[63], "triples"), first, 500);
    open_good("triples.walk", file("small.tsv", in_tsv), "count: 5, least: 9, most: 9");
    process(NULL);
    CU_ASSERT_EQUAL(size_of(result.records[4]), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "5 of 5 sets are smaller than drawn"));
}

/* ---- neighbours ------------------------------------------------------------------------------ */

static const char family[] =
    "@prefix : <http://example.org/> .\n@prefix rdfs: <" RDFS "> .\n"
    "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
    ":a rdfs:label \"Ann\" ; skos:altLabel \"Annie\" ; :knows :b ; :age 40 .\n"
    ":b rdfs:label \"Bob\" ; :knows :c .\n:c rdfs:label \"Cy\" ; :knows :d .\n"
    ":d rdfs:label \"Dee\" .\n:z rdfs:label \"Zed\" .\n";

static const char *around(const char *rest, const char *json)
{
    open_good("triples.neighbours", file("family.ttl", family), rest);
    process(json);
    return stage_text(result.input, "triples_text");
}

static void finds_neighbours(void)
{
    CHECK_TEXT(around("", "{\"entity\":\"Ann\"}"), "(Ann; knows; Bob)\n(Ann; age; 40)");
    CHECK_TEXT(around("", "{\"entity\":\"annie!\"}"), "(Ann; knows; Bob)\n(Ann; age; 40)");
    CHECK_TEXT(around("", "{\"entity\":\":b\"}"), "(Ann; knows; Bob)\n(Bob; knows; Cy)");
    CHECK_TEXT(around("direction: out", "{\"entity\":\"http://example.org/b\"}"),
               "(Bob; knows; Cy)");
    CHECK_TEXT(around("direction: in", "{\"entity\":\"<http://example.org/b>\"}"),
               "(Ann; knows; Bob)");
    CHECK_TEXT(around("hops: 2, direction: out", "{\"entity\":\"Ann\"}"),
               "(Ann; knows; Bob)\n(Ann; age; 40)\n(Bob; knows; Cy)");
    CHECK_TEXT(around("hops: 9, direction: out, exclude: [age], most: 2", "{\"entity\":\"Ann\"}"),
               "(Ann; knows; Bob)\n(Bob; knows; Cy)");
    CHECK_TEXT(around("entity: names, direction: out", "{\"names\":[\"Bob\",\"Cy\"]}"),
               "(Bob; knows; Cy)\n(Cy; knows; Dee)");
}

static void tells_what_is_missing(void)
{
    around("", "{\"entity\":\"Eve\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "`Eve` (field `entity`) is not in the graph"));
    around("", "{\"text\":\"Eve\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    around("missing: error", "{\"entity\":\"Eve\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CHECK_TEXT(around("missing: empty", "{\"entity\":\"Eve\"}"), "");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(stage_text(result.input, "triples"), "[]");
}

/* A hub of 5,000 triples: the neighbourhood stays within its bound, and the draws differ. */
static void stays_bounded(void)
{
    char *text = calloc(5000, 32);
    for (size_t i = 0, length = 0; i < 5000; i++)
        length += (size_t)snprintf(text + length, 32, "n%zu\tin\thub\n", i);
    open_good("triples.neighbours", file("hub.tsv", text), "hops: 3, most: 25");
    free(text);
    process("{\"entity\":\"hub\"}");
    CU_ASSERT_EQUAL(size_of(result.input), 25);
    CU_ASSERT_STRING_NOT_EQUAL(part(result.input, 24, "subject"), "n24");
}

/* ---- topics ---------------------------------------------------------------------------------- */

static const char zoo[] =
    "cat\tis a\tmammal\ndog\tis a\tmammal\nowl\tis a\tbird\nwren\tis a\tbird\n"
    "crow\tis a\tbird\nmammal\tunder\tanimal\nbird\tunder\tanimal\n"
    "rock\tlies in\tgarden\nowl\tlives in\tgarden\nwren\tlives in\tgarden\n"
    "crow\tlives in\tgarden\nwren\tlikes\tgarden\n";

static void draws_topics(void)
{
    open_good("triples.topics", file("zoo.tsv", zoo),
              "classes: {birds: bird, others: mammal}, along: [^is a], id: topic_id");
    process("{\"label\":\"birds\"}");
    CU_ASSERT_PTR_NOT_NULL(strstr("owl wren crow", stage_text(result.input, "topic")));
    char topic[32];
    snprintf(topic, sizeof(topic), "%s", stage_text(result.input, "topic"));
    CHECK_TEXT(stage_text(result.input, "topic_id"), topic);
    open_good("triples.topics", file("zoo.tsv", zoo),
              "classes: {birds: bird, others: mammal}, along: [^is a], count: 64");
    process(NULL);
    CU_ASSERT_EQUAL_FATAL(result.count, 64);
    size_t birds[3] = {0}, others = 0;
    for (size_t i = 0; i < 64; i++) {
        const char *drawn = stage_text(result.records[i], "topic");
        if (i % 2)
            others += strcmp(drawn, "cat") == 0 || strcmp(drawn, "dog") == 0;
        else
            birds[drawn[0] == 'o' ? 0 : drawn[0] == 'w' ? 1 : 2]++;
    }
    CU_ASSERT_EQUAL(others, 32); /* the classes in turn */
    for (size_t i = 0; i < 3; i++) /* 32 draws of three: within four standard deviations */
        CU_ASSERT_TRUE(fabs((double)birds[i] - 32 / 3.0) < 4 * sqrt(32 * 2 / 9.0));
}

static const char *listed(const char *rest)
{
    static char text[256];
    size_t length = 0;
    open_good("triples.topics", file("zoo.tsv", zoo), rest);
    process(NULL);
    text[0] = '\0';
    for (size_t i = 0; i < result.count; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i ? " " : "",
                                   stage_text(result.records[i], "topic"));
    return text;
}

static void follows_paths(void)
{
    CHECK_TEXT(listed("classes: [mammal, bird], along: [^is a]"), "cat dog owl wren crow");
    CHECK_TEXT(listed("classes: [animal], along: [^under, ^is a]"), "cat dog owl wren crow");
    CHECK_TEXT(listed("classes: [animal], along: [^under*]"), "mammal bird animal");
    CHECK_TEXT(listed("classes: [owl], along: [is a, under]"), "animal");
    /* wren is in three triples, owl and crow in two; of equals the first counts. */
    CHECK_TEXT(listed("classes: [bird], along: [^is a], most: 2"), "wren owl");
    CHECK_TEXT(listed("classes: {b: bird}, along: [^is a], class: kind"), "owl wren crow");
    CHECK_TEXT(stage_text(result.records[0], "kind"), "b");
}

static void refuses_topics(void)
{
    const char *path = file("zoo.tsv", zoo);
    check_refused("triples.topics", path, "classes: [bird, rock], along: [^is a]",
                  "the class `rock` has no topics");
    check_refused("triples.topics", path, "classes: {f: fish}, along: [^is a]",
                  "the class `f` stands for `fish`, which is not in the graph");
    check_refused("triples.topics", path, "classes: [bird], along: [^eats]",
                  "`along` names `eats`");
    check_refused("triples.topics", path, "classes: {}, along: [^is a]", "at least one");
    open_good("triples.topics", path, "classes: [bird], along: [^is a]");
    process("{\"label\":\"fish\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "`fish`, which is none of `classes`"));
}

/* ---- coverage -------------------------------------------------------------------------------- */

static void measures_coverage(void)
{
    CU_ASSERT_TRUE_FATAL(open_stage(XY_EVALUATOR, "triples.coverage", file("zoo.tsv", zoo), ""));
    stage_result_free(&result);
    stage_host_run(&host, instance,
                   "{\"triples\":[{\"subject\":\"cat\",\"relation\":\"is a\","
                   "\"object\":\"mammal\"},"
                   "{\"subject\":\"Dog\",\"relation\":\"Is a\",\"object\":\"mammal\"}]}\n"
                   "{\"triples\":[{\"subject\":\"rock\",\"relation\":\"lies in\","
                   "\"object\":\"garden\"},{\"subject\":\"cat\",\"relation\":\"is a\","
                   "\"object\":\"bird\"}]}\n{\"text\":\"none\"}\n", &result);
    /* Of 5 relations 2; of 10 entities cat, mammal, dog, rock, garden; histogram 2 to 1. */
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "relations_covered").value, 0.4, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "entities_covered").value, 0.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "relation_entropy").value,
                           log2(3) - 2.0 / 3, 1e-12);
    CU_ASSERT_EQUAL(stage_host_score(&host, "triples").value, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "1 triples in `triples` are not of the graph"));
}

static const struct check checks[] = {
    {"four formats", reads_four_formats},
    {"the line of what is wrong", tells_the_line},
    {"entropy and coverage", walks_are_more_even},
    {"evenness of entities", entities_are_more_even},
    {"walks hang together", walks_hang_together},
    {"the same walks", walks_repeat},
    {"neighbours", finds_neighbours},
    {"what is missing", tells_what_is_missing},
    {"a hub", stays_bounded},
    {"topics", draws_topics},
    {"paths", follows_paths},
    {"topics refused", refuses_topics},
    {"coverage", measures_coverage},
    {0},
};

int main(void)
{
    snprintf(folder, sizeof(folder), "/tmp/xylem-triples-XXXXXX");
    if (!mkdtemp(folder))
        return 2;
    stage_host_init(&host);
    stage_host_load(&host, "triples");
    int failed = check_main("triples", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    if (!failed) {
        char command[128];
        static const char *const names[] = {"g.ttl", "g.nt", "g.csv", "g.tsv", "a.nt", "b.ttl",
                                            "c.ttl", "d.csv", "e.csv", "f.tsv", "h.rdf", "i.tsv",
                                            "skewed.tsv", "tree.tsv", "small.tsv", "family.ttl",
                                            "hub.tsv", "zoo.tsv"};
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            snprintf(command, sizeof(command), "%s/%s", folder, names[i]);
            unlink(command);
        }
        rmdir(folder);
    }
    return failed;
}
