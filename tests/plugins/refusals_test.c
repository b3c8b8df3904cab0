/* SPDX-License-Identifier: Apache-2.0 */
#include "filter_says.h"

static const char *says(const char *yaml, const char *text)
{
    char json[4096];
    snprintf(json, sizeof(json), "{\"text\":\"%s\"}", text);
    return filter_says("refusals", yaml, json);
}

static void finds_refusals(void)
{
    static const char *const cases[][2] = {
        {"I'm sorry, but I can't help with that.", "I'm sorry, but I can't"},
        {"I\xe2\x80\x99m SORRY -- but I can\xe2\x80\x99t do it",
         "I\xe2\x80\x99m SORRY -- but I can\xe2\x80\x99t"},
        {"Unfortunately, I cannot write this.", "Unfortunately, I cannot"},
        {"I cannot fulfil this request.", "I cannot fulfil"},
        {"Es tut mir leid, aber ich kann dabei nicht helfen.", "Es tut mir leid, aber ich kann"},
        {"Je suis désolé, mais je ne peux pas répondre.", "Je suis désolé, mais je ne peux"},
        {"Lo siento, pero no puedo ayudarte.", "Lo siento, pero no puedo"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[256];
        snprintf(expected, sizeof(expected), "refusal: a refusal, \"%s\", at character 1",
                 cases[i][1]);
        CHECK_TEXT(says(NULL, cases[i][0]), expected);
        CHECK_TEXT(says("action: strip", cases[i][0]), expected);
    }
    CHECK_TEXT(says(NULL, "Äh: as an AI language model, I like it."),
               "self_reference: the model speaks of itself, \"as an AI language model\", at "
               "character 5");
    CHECK_TEXT(says(NULL, "Er sagte: Als KI-Sprachmodell habe ich keine Meinung."),
               "self_reference: the model speaks of itself, \"Als KI-Sprachmodell\", at character "
               "11");
    CHECK_TEXT(says(NULL, "Sure! Here is a joke."),
               "lead_in: a lead-in, \"Sure! Here is\", at character 1");
}

static void knows_content(void)
{
    static const char *const cases[] = {
        "", "I'm sorry, but the acting was terrible.", "I am so sorry for your loss.",
        "Here is a film that has it all. The music alone is worth it.",
        "Sure, it was long, but I liked it.", "Of course the ending is silly.",
        "The scout, who had come all the way from the coast, and was tired, said: I cannot write, "
        "but I can sing.",
        "He is sorry, but he can't come.", "Natürlich war der Film zu lang.", "Claro que no.",
        "I hope this helps them win. They need it, and the fans deserve it after such a "
        "season.\\n\\n"
        "The next match is on Sunday.\\n\\nTickets are gone.", "Assure me. Ashore!",
        "Bien sûr le film est long.", "Let me know when you are home.",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(says(NULL, cases[i]), "");
    /* A refusal further on counts when it may begin anywhere. */
    CHECK_TEXT(says("where: anywhere", cases[6]),
               "refusal: a refusal, \"I cannot write\", at character 74");
}

static void strips_what_stands_around(void)
{
    static const char *const cases[][2] = {
        {"Sure, here is a review:\\n\\nLovely film.", "Lovely film."},
        {"Sure! Here is a review: Lovely film.", "Lovely film."},
        {"Sure! Lovely film.", "Lovely film."},
        {"**Certainly!** Here's the text you asked for:\\n\\nLovely film.\\n", "Lovely film."},
        {"Absolutely! I'd be happy to help! Here are two lines:\\n1. a\\n2. b", "1. a\n2. b"},
        {"Here is a short story about a dog.\\n\\nRex ran.", "Rex ran."},
        {"Lovely film.\\n\\nI hope this helps! Let me know if you need more.", "Lovely film."},
        {"Lovely film. Let me know if you want another one.", "Lovely film."},
        {"Lovely film.\\n\\n---\\n\\nFeel free to ask for changes!", "Lovely film."},
        {"Sure, here's one:\\n\\nLovely film.\\n\\nWould you like me to write another?",
         "Lovely film."},
        {"Gerne! Hier ist eine Rezension:\\n\\nSchöner Film.\\n\\nIch hoffe, das hilft!",
         "Schöner Film."},
        {"Bien sûr ! Voici une critique :\\n\\nBeau film.\\n\\nN'hésitez pas à demander.",
         "Beau film."},
        {"¡Claro! Aquí tienes una reseña:\\n\\nBonita.\\n\\nEspero que esto te ayude.", "Bonita."},
        {"Nothing to take off: a plain text.", "Nothing to take off: a plain text."},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_TEXT(says("action: strip", cases[i][0]), "");
        CHECK_TEXT(stage_text(result.input, "text"), cases[i][1]);
    }
    CHECK_TEXT(says("action: strip", "Sure, here is a review:"),
               "nothing is left without lead-in and sign-off");
    CHECK_TEXT(says("action: strip", "Sure! I'm sorry, but I can't do that."),
               "refusal: a refusal, \"I'm sorry, but I can't\", at character 7");
}

static void follows_its_options(void)
{
    CHECK_TEXT(says("kinds: [refusal]", "Sure! Here is a joke."), "");
    CHECK_TEXT(says("languages: [de]", "I cannot fulfil this."), "");
    CHECK_TEXT(says("{kinds: [], phrases: [no comment]}", "No comment!"),
               "refusal: a refusal, \"No comment\", at character 1");
    CHECK_TEXT(says("{phrases: [no comment], window: 3}", "He said: no comment!"), "");
    CHECK_TEXT(filter_says("refusals", NULL, "{\"other\":\"a\"}"),
               "the field `text` is missing or no text");
    CU_ASSERT(strstr(filter_refuses("refusals", "phrases: ['...']"),
                     "no word to look for") != NULL);
    CU_ASSERT(strstr(filter_refuses("refusals", "kinds: []"), "nothing is looked for") != NULL);
    CU_ASSERT(strstr(filter_refuses("refusals", "languages: [pt]"), "en") != NULL);
}

int main(void)
{
    static const struct check checks[] = {
        {"refusals", finds_refusals},
        {"content", knows_content},
        {"strip", strips_what_stands_around},
        {"options", follows_its_options},
        {0},
    };
    return filter_main("refusals", checks);
}
