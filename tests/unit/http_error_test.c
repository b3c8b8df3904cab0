/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "http_internal.h"

static int32_t after(const char *text, int64_t now)
{
    return http_retry_after(text, strlen(text), now);
}

/* The date is the example of RFC 9110, 5.6.7, in its three forms: 784111777 seconds since 1970. */
static void test_retry_after(void)
{
    CU_ASSERT_EQUAL(after("0", 0), 0);
    CU_ASSERT_EQUAL(after("120", 0), 120000);
    CU_ASSERT_EQUAL(after(" 3 \r\n", 0), 3000);
    CU_ASSERT_EQUAL(after("1.5", 0), 1500);
    CU_ASSERT_EQUAL(after("0.0001", 0), 1); /* rounded up: never too early */
    CU_ASSERT_EQUAL(after("2147484", 0), INT32_MAX);
    CU_ASSERT_EQUAL(after("99999999999999999999999999", 0), INT32_MAX);
    CU_ASSERT_EQUAL(after("Sun, 06 Nov 1994 08:49:37 GMT", 784111770), 7000);
    CU_ASSERT_EQUAL(after(" Sunday, 06-Nov-94 08:49:37 GMT\r\n", 784111776), 1000);
    CU_ASSERT_EQUAL(after("Sun Nov  6 08:49:37 1994", 784111777), 0);
    CU_ASSERT_EQUAL(after("Sun, 06 Nov 1994 08:49:37 GMT", 999999999), 0);
    static const char *const wrong[] = {"",    " ",    "-1",  "soon", "1e3",   "inf",
                                        "nan", "0x10", "1,5", ".",    "1.2.3", "12 34"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        CU_ASSERT_EQUAL(after(wrong[i], 0), -1);
        if (after(wrong[i], 0) != -1)
            printf("\n    \"%s\" gave %d\n", wrong[i], after(wrong[i], 0));
    }
    CU_ASSERT_EQUAL(http_retry_after_ms("250\r\n", 5), 250);
    CU_ASSERT_EQUAL(http_retry_after_ms("0.2", 3), 1);
    CU_ASSERT_EQUAL(http_retry_after_ms("99999999999", 11), INT32_MAX);
    CU_ASSERT_EQUAL(http_retry_after_ms("x", 1), -1);
}

static void test_origin_text(void)
{
    static const char *const cases[][2] = {
        {"https://api.example.com/v1?key=s", "https://api.example.com"},
        {"http://127.0.0.1:80", "http://127.0.0.1:80"},
        {"http://user:pass@host:1/x", "http://host:1"},
        {"http://user:p@ss@w@host/x@y", "http://host"},
        {"https://[::1]:8443/?a@b", "https://[::1]:8443"},
        {"HTTP://host#frag@x", "HTTP://host"},
    };
    char text[64];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        http_origin_text(cases[i][0], text, sizeof(text));
        CHECK_TEXT(text, cases[i][1]);
    }
}

static size_t lines(const struct header_set *set)
{
    size_t count = 0;
    for (const struct curl_slist *item = set->list; item; item = item->next)
        count++;
    return count;
}

static void test_header_sets(void)
{
    struct header_set *sets = NULL;
    xy_str a[] = {STR("A: 1"), STR("B: 2")}, c[] = {STR("content-type: text/x"), STR("B:")};
    struct header_set *first = header_set_take(&sets, a, 2, true);
    struct header_set *again = header_set_take(&sets, a, 2, true);
    struct header_set *shorter = header_set_take(&sets, a, 1, true);
    struct header_set *other = header_set_take(&sets, c, 2, true);
    CU_ASSERT_PTR_EQUAL(first, again);
    CU_ASSERT_PTR_NOT_EQUAL(first, shorter);
    /* Expect, Content-Type, User-Agent and Accept-Encoding are added, where the caller has none. */
    CU_ASSERT_EQUAL(lines(first), 6);
    CU_ASSERT_EQUAL(lines(shorter), 5);
    CU_ASSERT_EQUAL(lines(other), 5);
    header_set_release(&sets, first);
    CU_ASSERT_PTR_EQUAL(header_set_take(&sets, a, 2, true), again);
    header_set_release(&sets, again);
    header_set_release(&sets, again);
    header_set_release(&sets, other);
    header_set_release(&sets, shorter);
    header_set_release(&sets, NULL);
    CU_ASSERT_PTR_NULL(sets);
}

int main(void)
{
    static const struct check checks[] = {
        {"Retry-After", test_retry_after},
        {"origin", test_origin_text},
        {"header sets", test_header_sets},
        {NULL, NULL},
    };
    return check_main("http_error", checks);
}
