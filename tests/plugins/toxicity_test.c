/* SPDX-License-Identifier: Apache-2.0 */
/* Words here are mild and made up: the mechanism is tested, not a list. */
#include <stdlib.h>
#include <unistd.h>

#include "filter_says.h"

static const char words[] = "words: {insult: [nitwit, \"bird brain\"], threat: [\"will be "
                            "sorry\"]}";

static const char *says(const char *options, const char *text)
{
    char yaml[1024], json[1024];
    snprintf(yaml, sizeof(yaml), "{%s%s%s}", words, options[0] ? ", " : "", options);
    snprintf(json, sizeof(json), "{\"text\":\"%s\"}", text);
    return filter_says("toxicity", yaml, json);
}

static void finds_whole_words(void)
{
    static const char *const kept[] = {"", "A nice text.", "nitwits", "unnitwit", "bird, the brain",
                                       "You will be very sorry", "birdbrain"};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        CHECK_TEXT(says("", kept[i]), "");
    CHECK_TEXT(says("", "Äh, you NITWIT!"),
               "1 listed words, at most 0 are wanted; the first: insult, "
                                            "\"NITWIT\" at character 9");
    CHECK_TEXT(says("", "bird-brain, nitwit, you will be sorry"),
               "3 listed words, at most 0 are wanted; the first: insult, \"bird-brain\" at "
               "character "
               "1");
    CHECK_TEXT(says("most: 3", "bird-brain, nitwit, you will be sorry"), "");
}

static void stems_when_asked(void)
{
    CHECK_TEXT(says("stem: english", "You nitwits"),
               "1 listed words, at most 0 are wanted; the first: insult, \"nitwits\" at character "
               "5");
    CHECK_TEXT(says("stem: english", "Two bird brains"),
               "1 listed words, at most 0 are wanted; the first: insult, \"bird brains\" at "
               "character "
               "5");
    CHECK_TEXT(says("stem: english", "Nitrogen and birds"), "");
    CHECK_TEXT(filter_says("toxicity", "{words: {x: [Übeltäter]}, stem: german}",
                           "{\"text\":\"die Übeltätern\"}"),
               "1 listed words, at most 0 are wanted; the first: x, \"Übeltätern\" at character 5");
}

static void counts_and_annotates(void)
{
    CHECK_TEXT(says("categories: [threat], into: hits", "nitwit nitwit"), "");
    CHECK_TEXT(stage_text(result.input, "hits"), "{\"insult\":2,\"threat\":0}");
    CHECK_TEXT(says("action: annotate, into: hits", "nitwit, you will be sorry"), "");
    CHECK_TEXT(stage_text(result.input, "hits"), "{\"insult\":1,\"threat\":1}");
}

static void reads_a_file(void)
{
    char path[] = "/tmp/xylem-toxicity-XXXXXX", yaml[128];
    static const char list[] = "# a remark\nplain\n\n[insult]\n  nitwit \nbird brain\r\n[ threat "
                               "]\nor else\n";
    int file = mkstemp(path);
    CU_ASSERT_FATAL(file >= 0 && write(file, list, sizeof(list) - 1) == (ssize_t)sizeof(list) - 1);
    snprintf(yaml, sizeof(yaml), "{list: %s, into: hits, action: annotate}", path);
    CHECK_TEXT(filter_says("toxicity", yaml, "{\"text\":\"plain Bird Brain, or else! nitwit\"}"),
               "");
    CHECK_TEXT(stage_text(result.input, "hits"), "{\"listed\":1,\"insult\":2,\"threat\":1}");
    CU_ASSERT_EQUAL(write(file, "...\n", 4), 4);
    CU_ASSERT(strstr(filter_refuses("toxicity", yaml), ":9: no word stands there") != NULL);
    CU_ASSERT_EQUAL(ftruncate(file, 0), 0);
    CU_ASSERT(strstr(filter_refuses("toxicity", yaml), "the list is empty") != NULL);
    close(file);
    unlink(path);
    CU_ASSERT(strstr(filter_refuses("toxicity", yaml), "No such file") != NULL);
}

static void learns(void)
{
    static const char *const toxic[] = {"shut up you nitwit", "what a nitwit you are",
                                        "go away fool",
                                        "you fool shut up", "nobody likes you fool",
                                        "such a stupid nitwit", "shut your stupid mouth"};
    static const char *const fine[] = {"what a lovely day", "the soup was good", "see you tomorrow",
                                       "thanks for the help", "the train is late today",
                                       "a good book about birds", "we walked along the river"};
    char lines[2048] = "";
    for (size_t i = 0; i < 7; i++)
        snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines),
                 "{\"text\":\"%s\",\"label\":\"toxic\"}\n{\"text\":\"%s\",\"label\":\"fine\"}\n",
                 toxic[i], fine[i]);
    stage_host_add_dataset(&host, "labelled", lines);
    const char *yaml = "{learner: linear, train: labelled, score_into: p}";
    const char *why = filter_says("toxicity", yaml, "{\"text\":\"you stupid fool, shut up\"}");
    CU_ASSERT(strncmp(why, "the learner takes it for toxic with 0.", 38) == 0);
    CU_ASSERT(stage_number(result.input, "p") >= 0.5);
    CHECK_TEXT(filter_says("toxicity", yaml, "{\"text\":\"the day at the river was good\"}"), "");
    CU_ASSERT(stage_number(result.input, "p") < 0.5);
    CHECK_TEXT(filter_says("toxicity", "{learner: linear, train: labelled, threshold: 1}",
                           "{\"text\":\"you stupid fool, shut up\"}"), "");
    CU_ASSERT(strstr(filter_refuses("toxicity", "{learner: linear, train: labelled, toxic: bad}"),
                     "no record of `train` has the label `bad`") != NULL);
    CU_ASSERT(strstr(filter_refuses("toxicity",
                                    "{learner: linear, train: labelled, toxic: [toxic, fine]}"),
                     "2 labels, of which 2 are toxic") != NULL);
}

static void refuses_bad_options(void)
{
    CU_ASSERT(strstr(filter_refuses("toxicity", "{}"), "nothing is looked for") != NULL);
    CU_ASSERT(strstr(filter_refuses("toxicity", "words: {a: []}"), "the list is empty") != NULL);
    CU_ASSERT(strstr(filter_refuses("toxicity", "words: {a: b}"),
                     "list of words is wanted, see a") != NULL);
    CU_ASSERT(strstr(filter_refuses("toxicity", "{words: {a: [b]}, categories: [c]}"),
                     "the list has no category `c`; it has `a`") != NULL);
    CU_ASSERT(strstr(filter_refuses("toxicity", "{learner: linear}"), "needs `train`") != NULL);
    CHECK_TEXT(filter_says("toxicity", "words: {a: [b]}", "{\"other\":\"b\"}"),
               "the field `text` is missing or no text");
}

int main(void)
{
    static const struct check checks[] = {
        {"whole words", finds_whole_words},
        {"stems", stems_when_asked},
        {"categories", counts_and_annotates},
        {"a file", reads_a_file},
        {"a learner", learns},
        {"bad options", refuses_bad_options},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "toxicity");
    stage_host_load(&host, "linear");
    int failed = check_main("toxicity", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
