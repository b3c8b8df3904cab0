/* SPDX-License-Identifier: Apache-2.0 */
#include "filter_says.h"

static const char *says(const char *yaml, const char *text)
{
    char json[4096];
    snprintf(json, sizeof(json), "{\"text\":\"%s\"}", text);
    return filter_says("leakage", yaml, json);
}

static void finds_slots(void)
{
    static const char *const cases[][3] = {
        {"Dear {{ name }}, hi", "{{ name }}", "6"},
        {"Dear {{name}}, hi", "{{name}}", "6"},
        {"{% if x %}yes", "{% if x %}", "1"},
        {"Ä: dear {first_name}!", "{first_name}", "9"},
        {"I live in [CITY].", "[CITY]", "11"},
        {"Sincerely,\\n[Your Name]", "[Your Name]", "12"},
        {"Dear [Name],", "[Name]", "6"},
        {"on [DATE/TIME]", "[DATE/TIME]", "4"},
        {"see [insert link to page here].", "[insert link to page here]", "5"},
        {"token: <YOUR_TOKEN>", "<YOUR_TOKEN>", "8"},
        {"A <PLACEHOLDER> film", "<PLACEHOLDER>", "3"},
        {"Hi <your name>!", "<your name>", "4"},
        {"Insert your review here", "Insert your review here", "1"},
        {"(insert text here)", "insert text here", "2"},
        {"Lorem ipsum dolor", "Lorem ipsum", "1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[256];
        snprintf(expected, sizeof(expected), "a slot that nobody filled: `%s` at character %s",
                 cases[i][1], cases[i][2]);
        CHECK_TEXT(says(NULL, cases[i][0]), expected);
        CHECK_TEXT(says("slots: false", cases[i][0]), "");
    }
    CHECK_TEXT(says("allow: ['[EMAIL]']", "write to [EMAIL]"), "");
    CHECK_TEXT(says("allow: ['[EMAIL]']", "write to [EMAIL] or [PHONE]"),
               "a slot that nobody filled: `[PHONE]` at character 21");
}

static void knows_content(void)
{
    static const char *const cases[] = {
        "", "a plain text", "{}", "{ }", "{{", "}}", "x{i}", "the set {1, 2, 3}", "{a}",
        "\\\\frac{ab}{cd}",
        "for (;;) { run(); }", "{\\\"name\\\": 1}", "if (a[i] < b[NAME])", "see [1] and [2, 3]",
        "[sic]",
        "[link text](http://example.org)", "[NAME](http://example.org)", "[laughs]", "[x]", "[ ]",
        "[A]",
        "a < b and c > d", "<b>bold</b>", "<DIV><SPAN>", "<html lang=en>", "<http://example.org>",
        "vector<int>", "<-", "5 <6> 7", "Insert the coin here and there.", "inserted here",
        "Please insert your card here.", "He put it {somewhere nice}", "100 [km]",
        "$\\\\{ab\\\\}$", "x^{ab}",
        "Your name is on [the list]",
        "[they went home, your honour, and slept for very long, until "
        "the morning came]",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(says(NULL, cases[i]), "");
}

static void finds_labels(void)
{
    const char *yaml = "{label: label, synonyms: {positive: [praise, thumbs up], \"1\": yes}}";
    static const char *const cases[][2] = {
        {"{\"text\":\"A very positive review.\",\"label\":\"positive\"}",
         "the text gives its label `positive` away: \"positive\" at character 8"},
        {"{\"text\":\"Äh: POSITIVE!\",\"label\":\"positive\"}",
         "the text gives its label `positive` away: \"POSITIVE\" at character 5"},
        {"{\"text\":\"Two thumbs-up.\",\"label\":\"positive\"}",
         "the text gives its label `positive` away by a synonym: \"thumbs-up\" at character 5"},
        {"{\"text\":\"He is very angry\",\"label\":\"very_angry\"}",
         "the text gives its label `very_angry` away: \"very angry\" at character 7"},
        {"{\"text\":\"Well, yes.\",\"label\":1}",
         "the text gives its label `1` away by a synonym: \"yes\" at character 7"},
        {"{\"text\":\"Positively lovely, a praiseworthy negative.\",\"label\":\"positive\"}", ""},
        {"{\"text\":\"A positive review.\",\"label\":\"negative\"}", ""},
        {"{\"text\":\"\",\"label\":\"negative\"}", ""},
        {"{\"text\":\"a\",\"label\":\"?\"}", ""},
        {"{\"text\":\"a\"}", "the label field `label` is missing or empty"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(filter_says("leakage", yaml, cases[i][0]), cases[i][1]);
}

static void finds_prompts(void)
{
    const char *yaml = "{prompt: prompt, run: 4}";
    static const char *const cases[][2] = {
        {"{\"prompt\":\"Write one short review of a film.\",\"text\":\"Here: write ONE short "
         "review, of a "
         "film!\"}",
         "7 words in a row are the prompt's, fewer than 4 are wanted: write one short review of a "
         "film"},
        {"{\"prompt\":\"Write one short review of a film.\",\"text\":\"a short review of the "
         "film\"}", ""},
        {"{\"prompt\":\"a b c d e f g h\",\"text\":\"a b c d x e f g h y b c d e f g\"}",
         "6 words in a row are the prompt's, fewer than 4 are wanted: b c d e f g"},
        {"{\"prompt\":\"a b c\",\"text\":\"a b c\"}", ""},
        {"{\"prompt\":\"a a a a a a\",\"text\":\"a a a a a\"}",
         "5 words in a row are the prompt's, fewer than 4 are wanted: a a a a a"},
        {"{\"prompt\":\"\",\"text\":\"a b c d e\"}", ""},
        {"{\"prompt\":\"a b c d e\",\"text\":\"\"}", ""},
        {"{\"text\":\"a\"}", "the prompt field `prompt` is missing or no text"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(filter_says("leakage", yaml, cases[i][0]), cases[i][1]);
}

static void says_bad_input(void)
{
    CHECK_TEXT(filter_says("leakage", NULL, "{\"other\":\"a\"}"),
               "the field `text` is missing or no text");
    CU_ASSERT(strstr(filter_refuses("leakage", "synonyms: [a]"), "no map from label") != NULL);
    CU_ASSERT(strstr(filter_refuses("leakage", "synonyms: {a: 1}"), "no map from label") != NULL);
}

int main(void)
{
    static const struct check checks[] = {
        {"slots", finds_slots},
        {"content", knows_content},
        {"labels", finds_labels},
        {"prompts", finds_prompts},
        {"bad input", says_bad_input},
        {0},
    };
    return filter_main("leakage", checks);
}
