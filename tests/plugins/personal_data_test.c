/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers here are the ones that standards, issuers and authorities publish as examples, or are
 * made up in ranges reserved for fiction and documentation. */
#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

static void judge(const char *yaml, const char *text)
{
    char json[2048];
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, "personal_data", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    snprintf(json, sizeof(json), "{\"text\":\"%s\"}", text);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
}

static const char *masked(const char *text)
{
    judge("action: mask", text);
    return stage_text(result.input, "text");
}

static void masks_what_is_personal(void)
{
    static const char *const cases[][2] = {
        {"Write to ada@example.org.", "Write to [email]."},
        {"<first.last+tag@mail.example.co.uk>", "<[email]>"},
        {"a@b.io,c_d@e-f.museum;", "[email],[email];"},
        {"Mail: José@exämple.org? ada@example.org!", "Mail: José@exämple.org? [email]!"},
        /* Reserved for fiction: Ofcom's, ARCEP's, Bundesnetzagentur's, and 555-01xx. */
        {"Call +44 20 7946 0958 now", "Call [phone] now"},
        {"+1 (202) 555-0173, or later", "[phone], or later"},
        {"+49 30 23125 000", "[phone]"},
        {"+491752345678 (mobile)", "[phone] (mobile)"},
        {"+33 (0)1 99 00 12 34.", "[phone]."},
        {"(202) 555-0173", "[phone]"},
        {"202-555-0173 is mine", "[phone] is mine"},
        {"202.555.0173", "[phone]"},
        {"1-800-555-0199", "[phone]"},
        {"020 7946 0958", "[phone]"},
        {"030/23125 000", "[phone]"},
        {"0171 3456789", "[phone]"},
        {"01 99 00 12 34", "[phone]"},
        {"0049 30 23125000", "[phone]"},
        {"Tel.: 91 123 45 67", "Tel.: [phone]"},
        {"my phone number is 5550173", "my phone number is [phone]"},
        {"Ruf an: 030\xc2\xa0" "23125000\xe2\x80\xa6", "Ruf an: [phone]\xe2\x80\xa6"},
        /* The card schemes' own test numbers. */
        {"4111 1111 1111 1111", "[card]"},
        {"4111111111111111", "[card]"},
        {"5555-5555-5555-4444.", "[card]."},
        {"2223003122003222", "[card]"},
        {"3782 822463 10005", "[card]"},
        {"30569309025904", "[card]"},
        {"6011111111111117", "[card]"},
        {"3530111333300000", "[card]"},
        {"4222222222222 and 4012888888881881", "[card] and [card]"},
        /* The IBAN registry's examples. */
        {"DE89 3704 0044 0532 0130 00", "[iban]"},
        {"GB29NWBK60161331926819,", "[iban],"},
        {"FR14 2004 1010 0505 0001 3M02 606", "[iban]"},
        {"NO93 8601 1117 947", "[iban]"},
        {"IBAN:MT84MALT011000012345MTLCAST001S", "IBAN:[iban]"},
        /* Documentation ranges of RFC 5737 and RFC 3849. */
        {"from 192.0.2.44 to 203.0.113.7.", "from [ip] to [ip]."},
        {"http://198.51.100.23:8080/", "http://[ip]:8080/"},
        {"2001:db8::8a2e:370:7334", "[ip]"},
        {"at [2001:db8:0:1:1:1:1:1]:443", "at [[ip]]:443"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(masked(cases[i][0]), cases[i][1]);
}

static void lets_alone_what_is_not(void)
{
    static const char *const cases[] = {
        "", "@", "a@b", "me @home", "user@host", "@handle", "a@b.c", "@media (max-width: 600px)",
        "5 @ 3.50 each", "x@y..com", "C@t.1", "foo@bar.c0m1",
        "2024-12-31", "31.12.2024", "12/31/2024", "01.02.2023 14:30", "2023-01-02 10:11:12",
        "01-02-2023 at 5", "20241231", "1989-1994", "from 1914 to 1918", "02/03/2021, 04/05/2022",
        "2024-12-31T23:59:59.123456789Z", "10:30 - 11:45", "12:30:45", "at 09:05",
        "version 10.11.12.13", "v10.20.30.40", "1.2.3.4", "1.2.3", "Section 3.14.15.92",
        "256.1.1.100", "10.20.30", "10.20.30.40.50", "192.168.01.10", "Python 3.11.2",
        "order 4711", "Order no. 202-555-0173", "invoice number: 303-555-4444",
        "ISBN 978-3-16-148410-0", "order 0800 1234567", "ISBN 0-306-40615-2",
        "1234567890", "1,234,567,890", "3.14159265358979", "$1 000 000 000", "0.123456789",
        "123-45-678", "12-34-56", "1 2 3 4 5 6 7 8 9 10", "5 - 3 = 2", "+5", "+100 points",
        "+3.5 %",
        "2 + 2", "1+12345678901", "192.0.2.44.5", "100-200-300", "555-0173", "42 of 1000 000 000",
        "4111 1111 1111 1112", "4111111111111112", "1234 5678 9012 3456", "9111111111111111",
        "4111 1111 1111 1111 1111 1111", "41-11-11-11-11-11-11-11", "411111111111111",
        "0000 0000 0000 0000", "x4111111111111111", "4111111111111111x", "0x4111111111111111",
        "DE88 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 0", "XX89370400440532013000",
        "AB12 CD34", "GB29", "IN THE YEAR 2025", "B2B AND B2C", "A4 PAPER 80 GSM",
        "a::b", "std::vector<int>", "::", "::1", "Foo::Bar 1", "10:20:30:40", "dead::beef",
        "ratio 3:2:1", "Genesis 1:1", "1:0 4:2", "\xe2\x82\xac 1 234 567", "No. 5",
        "(1) first (2) second", "(2020) 123", "pages 123-456", "0 1 2 3 4 5 6 7 8 9",
        "GPT-4 has 1.8T", "the 2000s", "90210", "90210-1234", "00:11:22:33:44:55",
        "550e8400-e29b-41d4-a716-446655440000", "d41d8cd98f00b204e9800998ecf8427e",
        "01 02 2003", "score 10-9-8", "08/15", "1/2 3/4 5/6", "0.5 0.25 0.125",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(masked(cases[i]), cases[i]);
}

static void drops_and_says_where(void)
{
    judge(NULL, "Äh, ask ada@example.org or 202-555-0173");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "personal data: email at character 9, and 1 more");
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "email").value, 1, 0);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "phone").value, 1, 0);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "card").value, 0, 0);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "records_with_personal_data").value, 1, 0);
    judge("kinds: [card]", "ask ada@example.org");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    judge("field: other", "ask ada@example.org");
    CHECK_TEXT(result.why, "the field `other` is missing or no text");
}

static void annotates(void)
{
    judge("{action: annotate, spans_into: s}", "Äh, ask ada@example.org or 202-555-0173");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(stage_text(result.input, "s"), "[{\"kind\":\"email\",\"start\":8,\"end\":23},"
                                              "{\"kind\":\"phone\",\"start\":27,\"end\":39}]");
    judge("{action: annotate, spans_into: s}", "nothing");
    CHECK_TEXT(stage_text(result.input, "s"), "[]");
}

static void numbers_placeholders(void)
{
    judge("{action: mask, mask: '<{KIND}_{n}>'}",
          "a@b.org, c@d.org, a@b.org, 192.0.2.44, c@d.org, e@f.org");
    CHECK_TEXT(stage_text(result.input, "text"),
               "<EMAIL_1>, <EMAIL_2>, <EMAIL_1>, <IP_1>, <EMAIL_2>, <EMAIL_3>");
}

static void takes_further_patterns(void)
{
    const char *yaml = "{action: mask, patterns: {customer: 'K-\\d{4}', plate: '[A-Z]-[A-Z]{2} "
                       "\\d+'}}";
    judge(yaml, "K-1234 drives B-XY 99, see K-1@example.org");
    CHECK_TEXT(stage_text(result.input, "text"), "[customer] drives [plate], see [email]");
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "personal_data", "patterns: {a: '('}"));
    CU_ASSERT(strstr(host.error.text, "`patterns`: `a`: `(` at character") != NULL);
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "personal_data", "patterns: [a]"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_FILTER, "personal_data", "kinds: [mail]"));
}

int main(void)
{
    static const struct check checks[] = {
        {"what is personal", masks_what_is_personal},
        {"what is not", lets_alone_what_is_not},
        {"drop", drops_and_says_where},
        {"annotate", annotates},
        {"placeholders", numbers_placeholders},
        {"further patterns", takes_further_patterns},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "personal_data");
    int failed = check_main("personal_data", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
