/* SPDX-License-Identifier: Apache-2.0 */
#include "filter_says.h"

static const char *says(const char *yaml, const char *text)
{
    char json[4096];
    snprintf(json, sizeof(json), "{\"text\":\"%s\"}", text);
    return filter_says("encoding", yaml, json);
}

static void names_each_fault(void)
{
    static const char *const cases[][2] = {
        {"caf\\ufffd", "replacement: U+FFFD, where a character was lost, `\xef\xbf\xbd`, at "
                       "character "
                       "4"},
        {"Le cafÃ© est fermÃ©", "mojibake: UTF-8 that was read as Windows-1252, `Ã©`, at character "
                                "7, and 1 more"},
        {"Itâ€™s", "mojibake: UTF-8 that was read as Windows-1252, `â€™`, at character 3"},
        {"a\\u0007b", "control: a control character, U+0007, at character 2"},
        {"a\\u0000b", "control: a control character, U+0000, at character 2"},
        {"\xc3\xa9\\u0080b", "control: a control character, U+0080, at character 2"},
        {"caf\\\\u00e9", "escape: an escape that nobody decoded, `\\u00e9`, at character 4"},
        {"\\\\ud83d\\\\ude00",
         "escape: an escape that nobody decoded, `\\ud83d\\ude00`, at character 1"},
        {"cut \\\\ud83d", "escape: an escape that nobody decoded, `\\ud83d`, at character 5"},
        {"R&amp;D", "entity: an HTML entity, `&amp;`, at character 2"},
        {"don&#39;t, don&#x27;t", "entity: an HTML entity, `&#39;`, at character 4, and 1 more"},
        {"p\xd0\xb0ypal is safe",
         "mixed_script: a word of two scripts, `p\xd0\xb0ypal`, at character "
                                  "1"},
        {"zero\\u200bwidth", "invisible: an invisible character, U+200B, at character 5"},
        {"\\ufeffstart", "invisible: an invisible character, U+FEFF, at character 1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(says(NULL, cases[i][0]), cases[i][1]);
}

static void lets_good_text_alone(void)
{
    static const char *const cases[] = {
        "", "plain", "tab\\tand\\r\\nline", "café, naïve, Straße, Ångström, São Paulo, ÆØÅ",
        "NÃO, MAÇÃ\xe2\x80\xa6 e IRMÃ \xe2\x80\x93 sim", "ÂNGELA \xc2\xbb",
        "Привет, мир", "Ελληνικά", "日本語テキスト", "한국어", "العربية", "हिन्दी", "µm, Δx, 5Ω, α-helix, kΩ",
        "AT&T, R&D, a & b; c &d; &co", "C:\\\\users\\\\anna", "\\\\unit \\\\u12 \\\\alpha",
        "👩\xe2\x80\x8d👩\xe2\x80\x8d👧 family", "نمی\xe2\x80\x8c" "خواهم", "soft\xc2\xad" "hyphen",
        "x² + y³ ≤ 5 €",
        "“quoted” – it’s 50 °C…", "ISO-Привет", "НАТО и NATO", "Ñandú", "Ünïcödé", "Ä–Ö", "Ö« ist",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(says(NULL, cases[i]), "");
}

/* Every character of Latin-1 and some others, written as UTF-8 and read as Windows-1252: the way
 * back is known, since the test goes there by itself. */
static void undoes_what_it_did(void)
{
    static const uint16_t high[32] = {
        0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013,
        0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178};
    static const char *const words[] = {
        "élan", "façade", "Ölung", "Äpfel", "Übung", "niño", "señor", "crème brûlée", "“so”",
        "it’s",
        "a – b", "50 €", "20 °C", "1 £", "wait… now", "Ångström", "Óscar", "garçon à table",
        "😀 fine",
        "日本"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char broken[512] = "";
        for (const unsigned char *c = (const unsigned char *)words[i]; *c; c++)
            snprintf(broken + strlen(broken), sizeof(broken) - strlen(broken),
                     *c < 0x80 ? "%c" : "\\u%04x",
                     *c >= 0x80 && *c < 0xa0 ? high[*c - 0x80] : *c);
        CHECK_TEXT(says("action: repair", broken), "");
        CHECK_TEXT(stage_text(result.input, "text"), words[i]);
    }
}

static void repairs_what_is_certain(void)
{
    static const char *const cases[][2] = {
        {"R&amp;D &lt;3 &#39;x&#39; &#x20ac; &nbsp;", "R&D <3 'x' € \xc2\xa0"},
        {"caf\\\\u00e9 \\\\ud83d\\\\ude00", "café \xf0\x9f\x98\x80"},
        {"a\\u0007b\\u0080c\\u200bd\\ufeff", "abcd"},
        {"cafÃ© &amp; itâ€™s", "café & it’s"},
        {"untouched — “fine”", "untouched — “fine”"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_TEXT(says("action: repair", cases[i][0]), "");
        CHECK_TEXT(stage_text(result.input, "text"), cases[i][1]);
    }
    /* What is lost stays lost. */
    CHECK_TEXT(says("action: repair", "&amp; caf\\ufffd"),
               "replacement: U+FFFD, where a character was lost, `\xef\xbf\xbd`, at character 6");
    CHECK_TEXT(says("action: repair", "cut \\\\ud83d here"),
               "escape: an escape that nobody decoded, `\\ud83d`, at character 5");
    CHECK_TEXT(says("action: repair", "p\xd0\xb0ypal"),
               "mixed_script: a word of two scripts, `p\xd0\xb0ypal`, at character 1");
    CHECK_TEXT(says("{action: repair, faults: [entity]}", "a\\u200b&amp;"), "");
    CHECK_TEXT(stage_text(result.input, "text"), "a\xe2\x80\x8b&");
}

static void says_bad_input(void)
{
    CHECK_TEXT(filter_says("encoding", NULL, "{\"other\":\"a\"}"),
               "the field `text` is missing or no text");
    CU_ASSERT(strstr(filter_refuses("encoding", "faults: [mojibak]"), "mojibake") != NULL);
}

int main(void)
{
    static const struct check checks[] = {
        {"each fault", names_each_fault},
        {"good text", lets_good_text_alone},
        {"there and back", undoes_what_it_did},
        {"repair", repairs_what_is_certain},
        {"bad input", says_bad_input},
        {0},
    };
    return filter_main("encoding", checks);
}
