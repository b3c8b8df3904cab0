/* SPDX-License-Identifier: Apache-2.0 */
/* language - keeps the texts that are in one of the wanted languages, by CLD2 (Sites 2013, "Compact
 * Language Detector 2"): naive Bayes over runs of four letters. */
#include "excerpt.h"
#include "language_cld2.h"

enum { LONGEST = 1 << 20 }; /* more of a text changes no guess */

struct language {
    const char *field, *into, *confidence_into, *unsure;
    const char *const *keep;
    double least;
    int64_t longest;
};

#define AT(member) offsetof(struct language, member)

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(field), .def = "text",
     .help = "The text field to look at."},
    {.name = "keep", .type = XY_OPT_LIST, .offset = AT(keep),
     .help = "Codes of the languages that stay, such as en, de, zh; when not given, all do."},
    {.name = "least", .type = XY_OPT_NUMBER, .offset = AT(least), .def = "0.7", .low = 0,
     .high = 1,
     .help = "The least share of the text's letters that must be in its language, with `keep`."},
    {.name = "unsure", .type = XY_OPT_TEXT, .offset = AT(unsure), .def = "keep",
     .choices = "keep|drop",
     .help = "What becomes of a text whose language cannot be told: it is too short, has no "
             "letters, or is like several languages."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into),
     .help = "The field for the language's code; `un` when it cannot be told."},
    {.name = "confidence_into", .type = XY_OPT_FIELD, .offset = AT(confidence_into),
     .help = "The field for the share of letters in that language; 0 when it cannot be told."},
    {.name = "longest", .type = XY_OPT_INT, .offset = AT(longest), .def = "4000", .low = 100,
     .high = LONGEST, .help = "Only so many bytes from the beginning of a text are looked at."},
    {0},
};

/* ---- codes ----------------------------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance of two short words. */
static size_t distance(const char *a, const char *b)
{
    size_t row[16], length = strlen(b);
    if (length >= 16)
        return 16;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t above = row[j + 1];
            row[j + 1] = smaller(smaller(above, row[j]) + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[length];
}

/* Is there such a code? Else `*nearest` is the most similar one. */
static bool is_code(const char *code, const char **nearest)
{
    size_t best = SIZE_MAX;
    const char *known;
    for (size_t i = 0; (known = language_code(i)) != NULL; i++) {
        size_t far = distance(code, known);
        if (far == 0)
            return true;
        if (far < best && strlen(known) <= 3) {
            best = far;
            *nearest = known;
        }
    }
    return false;
}

/* What people write for a language in place of its code. */
static const char *code_of_name(const char *name)
{
    static const char *const names[][2] = {
        {"english", "en"}, {"german", "de"}, {"deutsch", "de"}, {"french", "fr"},
        {"spanish", "es"}, {"italian", "it"}, {"portuguese", "pt"}, {"dutch", "nl"},
        {"russian", "ru"}, {"chinese", "zh"}, {"japanese", "ja"}, {"korean", "ko"},
        {"arabic", "ar"}, {"polish", "pl"}, {"turkish", "tr"}, {"hindi", "hi"},
        {"eng", "en"}, {"deu", "de"}, {"ger", "de"}, {"fra", "fr"}, {"spa", "es"},
        {"zh-cn", "zh"}, {"zh-tw", "zh-Hant"}, {"he", "iw"}, {"jp", "ja"}, {"ua", "uk"},
        {"cz", "cs"}, {"dk", "da"}, {"gr", "el"}, {"jv", "jw"}, {"nb", "no"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t at = 0;
        while (name[at] && ((name[at] >= 'A' && name[at] <= 'Z') ? name[at] | 0x20 : name[at]) ==
                               names[i][0][at])
            at++;
        if (!name[at] && !names[i][0][at])
            return names[i][1];
    }
    return NULL;
}

static int open_language(void *state, const xy_host *host)
{
    const struct language *filter = state;
    for (size_t i = 0; filter->keep && filter->keep[i]; i++) {
        const char *code = filter->keep[i], *nearest = "en";
        if (strcmp(code, "un") != 0 && is_code(code, &nearest))
            continue;
        const char *named = code_of_name(code);
        xy_log_line(host, XY_LOG_ERROR, "`keep`: the library knows no language `%s`; did you mean "
                    "`%s`?%s", code, named ? named : nearest,
                    strcmp(code, "un") == 0 ? " (`unsure` says what becomes of texts whose "
                                              "language "
                                              "cannot be told)" : "");
        return XY_EINVAL;
    }
    return XY_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

static bool is_kept(const struct language *filter, const char *code)
{
    for (size_t i = 0; filter->keep[i]; i++)
        if (strcmp(filter->keep[i], code) == 0)
            return true;
    return false;
}

static int judge(const struct language *filter, xy_job *job, const struct language_guess *guess)
{
    if (!guess->reliable)
        return strcmp(filter->unsure, "keep") == 0
                   ? XY_OK : xy_drop(job, "the language cannot be told; see `unsure`");
    if (!filter->keep || !filter->keep[0])
        return XY_OK;
    if (!is_kept(filter, guess->code))
        return xy_drop(job, "the language is `%s`, with %.2f of the letters", guess->code,
                       guess->share);
    if (guess->share < filter->least)
        return xy_drop(job, "%.2f of the letters are in `%s`, at least %g is wanted", guess->share,
                       guess->code, filter->least);
    return XY_OK;
}

static int process(void *state, xy_job *job)
{
    const struct language *filter = state;
    xy_record *record = job->api->input(job, 0);
    xy_str text = xy_get(job, filter->field);
    if (!text.ptr)
        return xy_drop(job, "the field `%s` is missing or no text", filter->field);
    int length = excerpt_length(text, (size_t)filter->longest);
    struct language_guess guess = language_tell(text.ptr, (size_t)length);
    if (!guess.reliable || strcmp(guess.code, "un") == 0)
        guess = (struct language_guess){"un", 0, false};
    int code = filter->into ? xy_record_set_text(record, filter->into, xy_text(guess.code)) : XY_OK;
    if (code >= 0 && filter->confidence_into)
        code = xy_record_set_number(record, filter->confidence_into, guess.share);
    if (code < 0)
        return xy_fail(job, code, "the fields `into` and `confidence_into` could not be set");
    return judge(filter, job, &guess);
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{keep: [en, de], into: language}" : NULL;
}

static const xy_stage language = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct language),
    .id = "language",
    .version = "1.0.0",
    .summary = "Keeps the texts that are in one of the wanted languages",
    .options = options,
    .open = open_language,
    .process = process,
    .extension = extension,
    .fields = "reads `field`, sets `into` and `confidence_into`",
};

XY_PLUGIN("language", "1.0.0", "Apache-2.0", &language)
