/* SPDX-License-Identifier: Apache-2.0 */
/* The figures themselves are held against another implementation in tests/recipes. */
#include "filter_says.h"

#define PROSE "The cat sat with the dog, and all of them have to be fed by noon."

static const char *says(const char *yaml, const char *text)
{
    char json[4096];
    snprintf(json, sizeof(json), "{\"text\":\"%s\"}", text);
    return filter_says("repetition", yaml, json);
}

static void names_each_rule(void)
{
    static const char *const cases[][3] = {
        /* Two of four lines equal an earlier one: 0.5 of the lines. */
        {"{}", "The cat and the dog\\nThe cat and the dog\\nThe cat and the dog\\nA bird with a "
               "hat",
         "lines: share of repeated lines is 0.5, at most 0.3 is wanted"},
        {"{lines: 0}", "the of and\\nthe of and\\nA bird",
         "line_characters: share of characters in repeated lines is 0.385, at most 0.2 is wanted"},
        {"{lines: 0, line_characters: 0}", "Of the cat\\n\\nOf the cat\\n\\nA bird",
         "paragraphs: share of repeated paragraphs is 0.333, at most 0.3 is wanted"},
        /* "the cat" twice: 12 of 24 characters. */
        {"{}", "the cat and the cat of abcdef", "top_2: share of characters in the most frequent "
                                               "2-gram is 0.522, at most 0.2 is wanted"},
        {"{hashes: 0.2}", "# ## # the of and", "hashes: `#` for each word is 0.667, at most 0.2 is "
                                               "wanted"},
        {"{}", "- the cat\\n- of dogs\\n* and birds",
         "bullet_lines: share of lines that begin with a "
                                                    "bullet is 1, at most 0.9 is wanted"},
        {"{ellipses: 0}", "the cat...\\nof dogs\\u2026\\nand birds",
         "ellipsis_lines: share of lines that end with an ellipsis is 0.667, at most 0.3 is "
         "wanted"},
        {"{}", "a b the of c d",
         "word_length: mean length of the words is 1.5, at least 3 is wanted"},
        {"{}", "incomprehensibilities and the incomprehensibility",
         "word_length_most: mean length of the words is 11.5, at most 10 is wanted"},
        {"{}", "100 200 the 300 of 4000 500000",
         "alphabetic: share of words with a letter is 0.286, at least 0.8 is wanted"},
        /* Nine words: a short text may do without stop words, a longer one may not. */
        {"{}", "Lovely little film, loved every single minute, the end.", ""},
        {"{stop_words_from: 10}", "Lovely little film, loved every single minute, the end.", ""},
        {"{stop_words_from: 9}", "Lovely little film, loved every single minute, the end.",
         "stop_words: stop words is 1, at least 2 is wanted"},
        {"{stop_words: 3, stop_words_from: 0, stop_list: [der, die, und]}",
         "Der Hund und die Katze", ""},
        {"{}", PROSE, ""},
        {"{}", "", "the text is empty"},
        {"{}", " \\n ", "the text is empty"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(says(cases[i][0], cases[i][1]), cases[i][2]);
}

static void counts_long_repetitions(void)
{
    /* Six words twice among 24: the 5-gram rule sees 12 of 24 words, all of four letters. */
    const char *text = "have that with them once more; "
                       "abcd efgh ijkl mnop qrst uvwx yzab cdef ghij klmn opqr stuv "
                       "have that with them once more; wxyz";
    CHECK_TEXT(says("{top_2: 0, top_3: 0, top_4: 0}", text),
               "duplicate_5: share of characters in repeated 5-grams is 0.49, at most 0.15 is "
               "wanted");
    CHECK_TEXT(says("{top_2: 0, top_3: 0, top_4: 0, duplicate_5: 0, duplicate_6: 0, duplicate_7: "
                    "0.01}",
                    text), "");
}

static void sets_the_figures(void)
{
    CHECK_TEXT(says("{into: f, alphabetic: 0.9}", "12 the of and"),
               "word_length: mean length of the words is 2.5, at least 3 is wanted");
    CHECK_TEXT(stage_text(result.input, "f"),
               "{\"lines\":0,\"line_characters\":0,\"paragraphs\":0,\"paragraph_characters\":0,"
               "\"top_2\":0,\"top_3\":0,\"top_4\":0,\"duplicate_5\":0,\"duplicate_6\":0,"
               "\"duplicate_7\":0,\"duplicate_8\":0,\"duplicate_9\":0,\"duplicate_10\":0,"
               "\"hashes\":0,"
               "\"ellipses\":0,\"bullet_lines\":0,\"ellipsis_lines\":0,\"word_length\":2.5,"
               "\"alphabetic\":0.75,\"stop_words\":3,\"words\":4}");
}

static void says_bad_input(void)
{
    CHECK_TEXT(filter_says("repetition", NULL, "{\"other\":\"a\"}"),
               "the field `text` is missing or no text");
    CU_ASSERT(strstr(filter_refuses("repetition", "{stop_words: 3, stop_list: [a]}"),
                     "`stop_words` is 3 and `stop_list` has 1 words") != NULL);
    CU_ASSERT(strstr(filter_refuses("repetition", "{word_length: 5, word_length_most: 4}"),
                     "no text would stay") != NULL);
}

int main(void)
{
    static const struct check checks[] = {
        {"each rule", names_each_rule},
        {"long repetitions", counts_long_repetitions},
        {"figures", sets_the_figures},
        {"bad input", says_bad_input},
        {0},
    };
    return filter_main("repetition", checks);
}
