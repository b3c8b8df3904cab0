/* SPDX-License-Identifier: Apache-2.0 */
/* repetition - drops texts that repeat themselves or do not look like prose, by the rules with
 * which MassiveText was made (Rae et al. 2021, "Scaling Language Models: Methods, Analysis and
 * Insights from Training Gopher", appendix A.1.1 and table A1). */
#include "repetition_measure.h"
#include "text.h"

struct repetition {
    const char *field, *into;
    const char *const *stop_list;
    double limits[FIGURES];
    double word_length_most;
    int64_t stop_words, stop_words_from;
    int longest;
};

#define AT(member) offsetof(struct repetition, member)
#define LIMIT(option, figure, default_, help_)                                                    \
    {.name = option, .type = XY_OPT_NUMBER, .offset = AT(limits[figure]), .def = default_,        \
     .low = 0, .high = 1e6, .help = help_ " 0: no such rule."}

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(field), .def = "text",
     .help = "The text field to look at."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into),
     .help = "The field for all figures, a JSON object; records that are dropped have it, too."},
    LIMIT("lines", DUPLICATE_LINES, "0.3", "Largest share of lines that equal an earlier one."),
    LIMIT("line_characters", DUPLICATE_LINE_CHARACTERS, "0.2",
          "Largest share of characters in such lines."),
    LIMIT("paragraphs", DUPLICATE_PARAGRAPHS, "0.3",
          "Largest share of paragraphs that equal an earlier one."),
    LIMIT("paragraph_characters", DUPLICATE_PARAGRAPH_CHARACTERS, "0.2",
          "Largest share of characters in such paragraphs."),
    LIMIT("top_2", TOP_2, "0.2",
          "Largest share of characters in the most frequent 2-gram, if it occurs twice."),
    LIMIT("top_3", TOP_2 + 1, "0.18", "The same for 3-grams."),
    LIMIT("top_4", TOP_4, "0.16", "The same for 4-grams."),
    LIMIT("duplicate_5", DUPLICATE_5, "0.15",
          "Largest share of characters in 5-grams that occur more than once."),
    LIMIT("duplicate_6", DUPLICATE_5 + 1, "0.14", "The same for 6-grams."),
    LIMIT("duplicate_7", DUPLICATE_5 + 2, "0.13", "The same for 7-grams."),
    LIMIT("duplicate_8", DUPLICATE_5 + 3, "0.12", "The same for 8-grams."),
    LIMIT("duplicate_9", DUPLICATE_5 + 4, "0.11", "The same for 9-grams."),
    LIMIT("duplicate_10", DUPLICATE_10, "0.1", "The same for 10-grams."),
    LIMIT("hashes", HASHES, "0.1", "Most `#` for each word."),
    LIMIT("ellipses", ELLIPSES, "0.1", "Most ellipses for each word."),
    LIMIT("bullet_lines", BULLET_LINES, "0.9", "Largest share of lines that begin with a bullet."),
    LIMIT("ellipsis_lines", ELLIPSIS_LINES, "0.3",
          "Largest share of lines that end with an ellipsis."),
    LIMIT("word_length", WORD_LENGTH, "3", "Least mean length of the words, in characters."),
    {.name = "word_length_most", .type = XY_OPT_NUMBER, .offset = AT(word_length_most),
     .def = "10", .low = 0, .high = 1e6,
     .help = "Largest mean length of the words. 0: no such rule."},
    LIMIT("alphabetic", ALPHABETIC, "0.8", "Least share of words with a letter in them."),
    {.name = "stop_words", .type = XY_OPT_INT, .offset = AT(stop_words), .def = "2", .low = 0,
     .high = 64, .help = "How many of `stop_list` must be there. 0: no such rule."},
    {.name = "stop_words_from", .type = XY_OPT_INT, .offset = AT(stop_words_from), .def = "50",
     .low = 0, .high = 1e9,
     .help = "Texts of fewer words than this need no stop words: the paper's documents have 50 "
             "words at least, and a good text of ten words often has none."},
    {.name = "stop_list", .type = XY_OPT_LIST, .offset = AT(stop_list),
     .help = "At most 64 lower-case words that any prose has; when not given, the paper's eight "
             "English ones: the, be, to, of, and, that, have, with."},
    {0},
};

static const char *const english[] = {"the", "be", "to", "of", "and", "that", "have", "with", NULL};

/* What a reason says of a figure, and how the figure is called in `into`. */
static const struct rule {
    const char *name, *what;
    bool least; /* the limit is a lower bound */
} rules[FIGURES] = {
    [DUPLICATE_LINES] = {"lines", "share of repeated lines", false},
    [DUPLICATE_LINE_CHARACTERS] = {"line_characters", "share of characters in repeated lines",
                                   false},
    [DUPLICATE_PARAGRAPHS] = {"paragraphs", "share of repeated paragraphs", false},
    [DUPLICATE_PARAGRAPH_CHARACTERS] = {"paragraph_characters",
                                        "share of characters in repeated paragraphs", false},
    [TOP_2] = {"top_2", "share of characters in the most frequent 2-gram", false},
    [TOP_2 + 1] = {"top_3", "share of characters in the most frequent 3-gram", false},
    [TOP_4] = {"top_4", "share of characters in the most frequent 4-gram", false},
    [DUPLICATE_5] = {"duplicate_5", "share of characters in repeated 5-grams", false},
    [DUPLICATE_5 + 1] = {"duplicate_6", "share of characters in repeated 6-grams", false},
    [DUPLICATE_5 + 2] = {"duplicate_7", "share of characters in repeated 7-grams", false},
    [DUPLICATE_5 + 3] = {"duplicate_8", "share of characters in repeated 8-grams", false},
    [DUPLICATE_5 + 4] = {"duplicate_9", "share of characters in repeated 9-grams", false},
    [DUPLICATE_10] = {"duplicate_10", "share of characters in repeated 10-grams", false},
    [HASHES] = {"hashes", "`#` for each word", false},
    [ELLIPSES] = {"ellipses", "ellipses for each word", false},
    [BULLET_LINES] = {"bullet_lines", "share of lines that begin with a bullet", false},
    [ELLIPSIS_LINES] = {"ellipsis_lines", "share of lines that end with an ellipsis", false},
    [WORD_LENGTH] = {"word_length", "mean length of the words", true},
    [ALPHABETIC] = {"alphabetic", "share of words with a letter", true},
    [STOP_WORDS] = {"stop_words", "stop words", true},
    [WORDS] = {"words", "words", true},
};

static int open_repetition(void *state, const xy_host *host)
{
    struct repetition *filter = state;
    size_t count = 0;
    filter->stop_list = filter->stop_list ? filter->stop_list : english;
    while (filter->stop_list[count])
        count++;
    filter->limits[STOP_WORDS] = (double)filter->stop_words;
    if (count > 64 || (size_t)filter->stop_words > count) {
        xy_log_line(host, XY_LOG_ERROR, "`stop_words` is %lld and `stop_list` has %zu words; the "
                    "list has as many as are wanted, and at most 64",
                    (long long)filter->stop_words, count);
        return XY_EINVAL;
    }
    if (filter->word_length_most > 0 &&
        filter->limits[WORD_LENGTH] > filter->word_length_most) {
        xy_log_line(host, XY_LOG_ERROR, "`word_length` is %g and `word_length_most` %g: no text "
                    "would stay", filter->limits[WORD_LENGTH], filter->word_length_most);
        return XY_EINVAL;
    }
    for (int n = 2; n <= LONGEST_GRAM; n++)
        if (filter->into || filter->limits[TOP_2 + n - 2] > 0)
            filter->longest = n;
    return XY_OK;
}

static int write_figures(const struct repetition *filter, xy_job *job, const double *figures)
{
    struct text json = {0};
    text_add_literal(&json, "{");
    for (int i = 0; i < FIGURES; i++) {
        text_add_literal(&json, i ? ",\"" : "\"");
        text_add_literal(&json, rules[i].name);
        text_add_literal(&json, "\":");
        text_add_number(&json, figures[i]);
    }
    text_add_literal(&json, "}");
    int code = json.failed ? XY_ENOMEM
                           : xy_record_set_json(job->api->input(job, 0), filter->into,
                                                (xy_str){json.bytes, json.length});
    text_free(&json);
    return code;
}

static int judge(const struct repetition *filter, xy_job *job, const double *figures)
{
    for (int i = 0; i < FIGURES; i++) {
        double limit = filter->limits[i];
        if (i == STOP_WORDS && figures[WORDS] < (double)filter->stop_words_from)
            continue;
        if (limit > 0 && (rules[i].least ? figures[i] < limit : figures[i] > limit))
            return xy_drop(job, "%s: %s is %.3g, at %s %g is wanted", rules[i].name,
                           rules[i].what, figures[i], rules[i].least ? "least" : "most", limit);
    }
    if (filter->word_length_most > 0 && figures[WORD_LENGTH] > filter->word_length_most)
        return xy_drop(job, "word_length_most: mean length of the words is %.3g, at most %g is "
                       "wanted", figures[WORD_LENGTH], filter->word_length_most);
    return XY_OK;
}

static int process(void *state, xy_job *job)
{
    const struct repetition *filter = state;
    double figures[FIGURES];
    xy_str text = xy_get(job, filter->field);
    if (!text.ptr)
        return xy_drop(job, "the field `%s` is missing or no text", filter->field);
    if (repetition_measure(text, filter->stop_list, filter->longest, figures) < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (figures[WORD_LENGTH] <= 0)
        return xy_drop(job, "the text is empty");
    if (filter->into) {
        int code = write_figures(filter, job, figures);
        if (code < 0)
            return xy_fail(job, code, "`%s` could not be set", filter->into);
    }
    return judge(filter, job, figures);
}

static const xy_stage repetition = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct repetition),
    .id = "repetition",
    .version = "1.0.0",
    .summary = "Drops texts that repeat themselves or do not look like prose, by Gopher's rules",
    .options = options,
    .open = open_repetition,
    .process = process,
    .fields = "reads `field`, sets `into`",
};

XY_PLUGIN("repetition", "1.0.0", "Apache-2.0", &repetition)
