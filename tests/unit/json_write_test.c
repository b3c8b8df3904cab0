/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>

#include "check.h"

static struct value parsed(struct arena *arena, xy_str text)
{
    struct value value = {0};
    struct error error = {0};
    CU_ASSERT_EQUAL(json_parse(arena, text, &value, &error), 0);
    return value;
}

static void check_written(const struct value *value, int indent, const char *expected)
{
    struct buffer buffer;
    buffer_init(&buffer, (size_t)1 << 20);
    bool fits = indent < 0 ? json_write(&buffer, value) : json_write_pretty(&buffer, value, indent);
    CU_ASSERT_TRUE(fits);
    CHECK_TEXT(buffer.bytes, expected);
    buffer_free(&buffer);
}

static void test_values(void)
{
    struct arena arena = {0};
    struct value value =
        parsed(&arena, STR(" { \"b\" : [ ] , \"a\" : { } , \"c\":[1,{\"d\":null}], "
                           "\"e\":[true,false,\"x\",-9223372036854775808,1.50] }"));
    check_written(&value, -1,
                  "{\"b\":[],\"a\":{},\"c\":[1,{\"d\":null}],"
                  "\"e\":[true,false,\"x\",-9223372036854775808,1.5]}");
    value = parsed(&arena, STR("{\"b\":[],\"c\":[1,{\"d\":null}]}"));
    check_written(&value, 2,
                  "{\n  \"b\": [],\n  \"c\": [\n    1,\n    {\n      \"d\": null\n    }\n  ]\n}");
    arena_free(&arena);
    value = value_number(NAN);
    check_written(&value, -1, "null");
    value = value_number(-INFINITY);
    check_written(&value, -1, "null");
}

static void test_texts(void)
{
    struct value value = value_text(STR("\"\\/\b\f\n\r\t\x01\x7f\0\xe2\x82\xac"));
    check_written(&value, -1, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\\u0000\xe2\x82\xac\"");
    value = value_text((xy_str){NULL, 0});
    check_written(&value, -1, "\"\"");
    /* One U+FFFD for each maximal part (Unicode 15, section 3.9, table 3-8), as Python has it. */
#define BAD "\xef\xbf\xbd"
    value = value_text(STR("a\xf1\x80\x80\xe1\x80\xc2"
                           "b\x80"
                           "c\x80\xbf"
                           "d\xed\xa0\x80\xf0\x9f"));
    check_written(&value, -1, "\"a" BAD BAD BAD "b" BAD "c" BAD BAD "d" BAD BAD BAD BAD "\"");
#undef BAD
}

/* The expected texts are what Python 3.11 prints for repr() of the same literal. */
static void test_numbers(void)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0.0, "0.0"}, {-0.0, "-0.0"}, {1.0, "1.0"}, {-1.5, "-1.5"}, {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"}, {1.0 / 3.0, "0.3333333333333333"}, {100.0, "100.0"},
        {1e15, "1000000000000000.0"}, {1e16, "1e+16"}, {0.0001, "0.0001"}, {0.00001, "1e-05"},
        {123456789012345680.0, "1.2345678901234568e+17"}, {0.000012345, "1.2345e-05"},
        {1e22, "1e+22"}, {1e23, "1e+23"}, {5e-324, "5e-324"}, {1e100, "1e+100"},
        {1.7976931348623157e308, "1.7976931348623157e+308"}, {1234.5678, "1234.5678"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"}, {0.5, "0.5"},
        {9007199254740992.0, "9007199254740992.0"}, {12345678.9, "12345678.9"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buffer buffer;
        buffer_init(&buffer, 64);
        CU_ASSERT_TRUE(json_write_number(&buffer, cases[i].number));
        CHECK_TEXT(buffer.bytes, cases[i].text);
        buffer_free(&buffer);
    }
}

static void test_number_round_trip(void)
{
    uint64_t state = 11;
    struct arena arena = {0};
    struct buffer buffer;
    buffer_init(&buffer, 64);
    size_t wrong = 0;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = xy_random_next(&state);
        double number;
        memcpy(&number, &bits, sizeof(number));
        if (!isfinite(number))
            continue;
        buffer_clear(&buffer);
        CU_ASSERT_TRUE(json_write_number(&buffer, number));
        struct value value = parsed(&arena, buffer_str(&buffer));
        wrong += value.type != VALUE_NUMBER || value.number != number;
        arena_reset(&arena);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    buffer_free(&buffer);
    arena_free(&arena);
}

static void test_ceiling(void)
{
    struct arena arena = {0};
    struct value value = parsed(&arena, STR("{\"key\":[1,2.5,\"text\\n\",{\"a\":null}]}"));
    struct buffer whole;
    buffer_init(&whole, 1000);
    CU_ASSERT_TRUE(json_write_pretty(&whole, &value, 3));
    for (size_t ceiling = 3; ceiling < whole.length + 3; ceiling++) {
        struct buffer buffer;
        buffer_init(&buffer, ceiling);
        buffer_append_text(&buffer, "abc");
        CU_ASSERT_FALSE(json_write_pretty(&buffer, &value, 3));
        CU_ASSERT_TRUE(str_is(buffer_str(&buffer), "abc") && buffer.overflowed);
        buffer_free(&buffer);
    }
    buffer_free(&whole);
    arena_free(&arena);
}

int main(void)
{
    static const struct check checks[] = {
        {"values", test_values},
        {"texts", test_texts},
        {"numbers", test_numbers},
        {"number_round_trip", test_number_round_trip},
        {"ceiling", test_ceiling},
        {NULL, NULL},
    };
    return check_main("json_write", checks);
}
