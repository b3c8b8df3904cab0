/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

/* "" when the text is kept, else the reason. */
static const char *judge(const char *yaml, const char *json)
{
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "language", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
    return result.verdict == XY_OK ? "" : result.why;
}

/* Sentences of everyday language, written for this test. */
static const struct {
    const char *code, *json;
} sentences[] = {
    {"en", "{\"text\":\"The second half of the film is much better than the first one.\"}"},
    {"en", "{\"text\":\"My order arrived two days late, and the box was open.\"}"},
    {"de", "{\"text\":\"Die zweite Hälfte des Films ist viel besser als die erste.\"}"},
    {"de", "{\"text\":\"Meine Bestellung kam zwei Tage zu spät, und der Karton war offen.\"}"},
    {"fr", "{\"text\":\"La deuxième moitié du film est bien meilleure que la première.\"}"},
    {"fr", "{\"text\":\"Ma commande est arrivée avec deux jours de retard.\"}"},
    {"es", "{\"text\":\"La segunda mitad de la película es mucho mejor que la primera.\"}"},
    {"es", "{\"text\":\"Mi pedido llegó con dos días de retraso y la caja estaba abierta.\"}"},
    {"it", "{\"text\":\"La seconda metà del film è molto migliore della prima.\"}"},
    {"pt", "{\"text\":\"A segunda metade do filme é muito melhor do que a primeira.\"}"},
    {"nl", "{\"text\":\"De tweede helft van de film is veel beter dan de eerste.\"}"},
    {"pl", "{\"text\":\"Druga połowa filmu jest znacznie lepsza niż pierwsza.\"}"},
    {"ru", "{\"text\":\"Вторая половина фильма намного лучше первой.\"}"},
    {"el", "{\"text\":\"Το δεύτερο μισό της ταινίας είναι πολύ καλύτερο.\"}"},
    {"ja", "{\"text\":\"映画の後半は前半よりずっと良いです。\"}"},
    {"ko", "{\"text\":\"영화의 후반부가 전반부보다 훨씬 좋습니다.\"}"},
    {"tr", "{\"text\":\"Filmin ikinci yarısı ilk yarısından çok daha iyi.\"}"},
};

static void tells_languages(void)
{
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        CHECK_TEXT(judge("{into: l, confidence_into: c}", sentences[i].json), "");
        CHECK_TEXT(stage_text(result.input, "l"), sentences[i].code);
        CU_ASSERT(stage_number(result.input, "c") > 0.9);
    }
}

static void keeps_the_wanted(void)
{
    CHECK_TEXT(judge("keep: [en, de]", sentences[0].json), "");
    CHECK_TEXT(judge("keep: [en, de]", sentences[2].json), "");
    const char *why = judge("keep: [en, de]", sentences[4].json);
    CU_ASSERT(strncmp(why, "the language is `fr`, with 0.9", 30) == 0);
    /* Half and half: each has about half of the letters. */
    const char *mixed = "{\"text\":\"The second half of the film is much better than the first "
                        "one, "
                        "and the music is lovely. Die zweite Hälfte des Films ist viel besser als "
                        "die erste, und die Musik ist wunderschön.\"}";
    judge("{into: l, confidence_into: c, keep: [en, de], least: 0.2, unsure: keep}", mixed);
    CU_ASSERT(stage_number(result.input, "c") < 0.7);
    CU_ASSERT(strcmp(judge("{keep: [en, de], least: 0.9, unsure: drop}", mixed), "") != 0);
}

static void says_when_it_cannot_tell(void)
{
    static const char *const unclear[] = {"{\"text\":\"\"}", "{\"text\":\"Ok\"}",
                                          "{\"text\":\"12:30 - 14:45\"}"};
    for (size_t i = 0; i < sizeof(unclear) / sizeof(unclear[0]); i++) {
        CHECK_TEXT(judge("{keep: en, into: l}", unclear[i]), "");
        CHECK_TEXT(stage_text(result.input, "l"), "un");
        CHECK_TEXT(judge("{keep: en, unsure: drop}", unclear[i]),
                   "the language cannot be told; see `unsure`");
    }
}

static void refuses_bad_options(void)
{
    CHECK_TEXT(judge(NULL, "{\"other\":\"a\"}"), "the field `text` is missing or no text");
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "language", "keep: [en, english]"));
    CU_ASSERT(strstr(host.error.text, "no language `english`; did you mean `en`?") != NULL);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "language", "keep: [de-at]"));
    CU_ASSERT(strstr(host.error.text, "no language `de-at`; did you mean") != NULL);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "language", "keep: [frr]"));
    CU_ASSERT(strstr(host.error.text, "did you mean `fr`?") != NULL);
}

int main(void)
{
    static const struct check checks[] = {
        {"languages", tells_languages},
        {"what is kept", keeps_the_wanted},
        {"what cannot be told", says_when_it_cannot_tell},
        {"bad options", refuses_bad_options},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "language");
    int failed = check_main("language", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
