/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "check.h"
#include "json_cases.h"
#include "utf8.h"

static void test_accepted(void)
{
    for (size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
        struct arena arena = {0};
        struct value value;
        struct error error = {0};
        int code = json_parse(&arena, accepted[i].text, &value, &error);
        CU_ASSERT_EQUAL(code, 0);
        if (code != 0)
            printf("\n    %s: %s\n", accepted[i].name, error.text);
        CU_ASSERT_TRUE(json_valid(accepted[i].text));
        arena_free(&arena);
    }
}

static void test_refused(void)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct arena arena = {0};
        struct value value;
        struct error error = {0};
        int code = json_parse(&arena, refused[i].text, &value, &error);
        CU_ASSERT_EQUAL(code, XY_EINVAL);
        if (code != XY_EINVAL)
            printf("\n    accepted: %s\n", refused[i].name);
        CU_ASSERT_TRUE(error.line >= 1 && error.column >= 1 && error.text[0] != '\0');
        CU_ASSERT_FALSE(json_valid(refused[i].text));
        arena_free(&arena);
    }
}

static struct value parsed(struct arena *arena, xy_str text)
{
    struct value value = {0};
    struct error error = {0};
    int code = json_parse(arena, text, &value, &error);
    CU_ASSERT_EQUAL(code, 0);
    if (code != 0)
        printf("\n    %.*s: %s\n", (int)text.len, text.ptr, error.text);
    return value;
}

static void test_values(void)
{
    struct arena arena = {0};
    char source[] = "{\"t\": \"a\\u0000\\u20ac\\ud83d\\ude00/\\/\", \"l\": [1, -2.5, true, null]}";
    struct value value = parsed(&arena, str_of(source));
    memset(source, 'x', sizeof(source)); /* nothing may borrow from the caller's text */
    const struct value *text = value_member(&value, STR("t"));
    CU_ASSERT_TRUE(text && text->type == VALUE_TEXT &&
                   str_equal(text->text, STR("a\0\xe2\x82\xac\xf0\x9f\x98\x80//")));
    const struct value *list = value_member(&value, STR("l"));
    CU_ASSERT_FATAL(list && list->type == VALUE_LIST && list->list.count == 4);
    const struct value *items = list->list.items;
    CU_ASSERT_TRUE(items[0].type == VALUE_INT && items[0].integer == 1);
    CU_ASSERT_TRUE(items[1].type == VALUE_NUMBER && items[1].number == -2.5);
    CU_ASSERT_TRUE(items[2].type == VALUE_BOOL && items[2].boolean);
    CU_ASSERT_TRUE(items[3].type == VALUE_NULL);
    CU_ASSERT_TRUE(str_is(value.map.members[0].key, "t") && str_is(value.map.members[1].key, "l"));
    arena_free(&arena);
}

static void test_integers(void)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"9007199254740993", INT64_C(9007199254740993)}, /* 2^53 + 1 has no double */
        {"-9007199254740993", -INT64_C(9007199254740993)},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct value value = parsed(&arena, str_of(cases[i].text));
        CU_ASSERT_TRUE(value.type == VALUE_INT && value.integer == cases[i].value);
    }
    struct value value = parsed(&arena, STR("9223372036854775808"));
    CU_ASSERT_TRUE(value.type == VALUE_NUMBER && value.number == 0x1p63);
    value = parsed(&arena, STR("18446744073709551616"));
    CU_ASSERT_TRUE(value.type == VALUE_NUMBER && value.number == 0x1p64);
    arena_free(&arena);
}

/* Each literal is read by the compiler too, which rounds correctly. */
static void test_numbers(void)
{
#define NUMBER(literal) {#literal, literal}
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        NUMBER(0.1), NUMBER(1e22), NUMBER(1e23), NUMBER(123.456e78), NUMBER(1.7976931348623157e308),
        NUMBER(5e-324), NUMBER(2.2250738585072014e-308), NUMBER(9007199254740993.0),
        NUMBER(0.30000000000000004), NUMBER(123456789012345678901234567890.5),
        NUMBER(3.14159265358979323846264338327950288), NUMBER(1e0), NUMBER(100e-2),
        NUMBER(0.000001), NUMBER(1e-22), NUMBER(1e-23), NUMBER(9007199254740991e22),
        NUMBER(0.1e1), NUMBER(2.5e+3), NUMBER(4.9406564584124654e-324),
    };
#undef NUMBER
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct value value = parsed(&arena, str_of(cases[i].text));
        CU_ASSERT_TRUE(value.type == VALUE_NUMBER && value.number == cases[i].value);
        if (value.number != cases[i].value)
            printf("\n    %s: got %.17g\n", cases[i].text, value.number);
    }
    struct value zero = parsed(&arena, STR("-0.0"));
    CU_ASSERT_TRUE(zero.type == VALUE_NUMBER && zero.number == 0 && signbit(zero.number));
    arena_free(&arena);
}

static void nested_text(struct buffer *buffer, const char *open, const char *close, int depth)
{
    for (int i = 0; i < depth; i++)
        buffer_append_text(buffer, open);
    for (int i = 0; i < depth; i++)
        buffer_append_text(buffer, close);
}

static void test_depth(void)
{
    struct buffer buffer;
    buffer_init(&buffer, (size_t)1 << 20);
    nested_text(&buffer, "[", "]", JSON_DEPTH);
    CU_ASSERT_TRUE(json_valid(buffer_str(&buffer)));
    buffer_clear(&buffer);
    nested_text(&buffer, "[", "]", JSON_DEPTH + 1);
    CU_ASSERT_FALSE(json_valid(buffer_str(&buffer)));
    buffer_clear(&buffer);
    nested_text(&buffer, "{\"a\":", "}", 100000);
    CU_ASSERT_FALSE(json_valid(buffer_str(&buffer)));
    buffer_free(&buffer);
}

static void test_error_place(void)
{
    static const struct {
        const char *text;
        int line, column;
        const char *part;
    } cases[] = {
        {"{\n  \"a\": tru\n}", 2, 8, "expected a value, at `t`"},
        {"[\"\xc3\xa9\xc3\xa9\" 1]", 1, 7, "expected `,` or `]`, at `1`"},
        {"[1,\n 2", 2, 3, "expected `,` or `]`, but the text ends"},
        {"{\"a\":1,\n\"\\u0061\":2}", 2, 1, "twice"},
        {"\n\n1 x", 3, 3, "text follows the value, at `x`"},
        {"[1e400]", 1, 2, "range"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena arena = {0};
        struct value value;
        struct error error = {0};
        CU_ASSERT_EQUAL(json_parse(&arena, str_of(cases[i].text), &value, &error), XY_EINVAL);
        CU_ASSERT_EQUAL(error.line, cases[i].line);
        CU_ASSERT_EQUAL(error.column, cases[i].column);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, cases[i].part));
        if (error.column != cases[i].column || !strstr(error.text, cases[i].part))
            printf("\n    %s: %d:%d %s\n", cases[i].text, error.line, error.column, error.text);
        arena_free(&arena);
    }
}

static void test_many_keys(void)
{
    struct buffer buffer;
    buffer_init(&buffer, (size_t)16 << 20);
    buffer_append_char(&buffer, '{');
    for (int i = 0; i < 100000; i++)
        buffer_printf(&buffer, "\"key%d\":%d,", i, i);
    size_t shared = buffer.length;
    buffer_append_text(&buffer, "\"last\":0}");
    CU_ASSERT_TRUE(json_valid(buffer_str(&buffer)));
    buffer.length = shared;
    buffer_append_text(&buffer, "\"key4711\":0}");
    CU_ASSERT_FALSE(json_valid(buffer_str(&buffer)));
    buffer_free(&buffer);
}

/* Strings of every length around the eight-byte steps, with the odd byte at every place. */
static void test_text_lengths(void)
{
    for (size_t length = 1; length < 40; length++) {
        for (size_t place = 0; place < length; place++) {
            char text[64];
            memset(text, 'a', sizeof(text));
            text[0] = text[length + 1] = '"';
            CU_ASSERT_TRUE(json_valid((xy_str){text, length + 2}));
            text[place + 1] = '\x1f';
            CU_ASSERT_FALSE(json_valid((xy_str){text, length + 2}));
            text[place + 1] = '\xff';
            CU_ASSERT_FALSE(json_valid((xy_str){text, length + 2}));
            text[place + 1] = '"'; /* ends too early, so that text follows */
            CU_ASSERT_FALSE(json_valid((xy_str){text, length + 2}));
        }
    }
}

static void test_utf8(void)
{
    CU_ASSERT_TRUE(utf8_valid(STR("")));
    CU_ASSERT_TRUE(utf8_valid(STR("plain text that is longer than eight bytes")));
    CU_ASSERT_TRUE(utf8_valid(STR("12345678\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0")));
    CU_ASSERT_FALSE(utf8_valid(STR("12345678\xc3")));
    CU_ASSERT_FALSE(utf8_valid(STR("1234567\x80")));
    CU_ASSERT_FALSE(utf8_valid(STR("\xed\xbf\xbf")));
    CU_ASSERT_FALSE(utf8_valid(STR("\xf5\x80\x80\x80")));
    CU_ASSERT_EQUAL(utf8_count(STR("")), 0);
    CU_ASSERT_EQUAL(utf8_count(STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
    /* Every code point encodes to a valid sequence of its own length. */
    size_t wrong = 0;
    for (uint32_t point = 0; point < 0x110000; point++) {
        if (point >= 0xd800 && point <= 0xdfff)
            continue;
        char bytes[4];
        bool valid;
        size_t length = utf8_encode(point, bytes);
        wrong += utf8_sequence(bytes, length, &valid) != length || !valid;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- the same as cJSON, where cJSON can be trusted ------------------------------------------- */

static bool same_as_reference(const struct value *value, const cJSON *other);

static bool same_items(const struct value *value, const cJSON *other)
{
    bool map = value->type == VALUE_MAP;
    const cJSON *child = other->child;
    for (size_t i = 0; i < (map ? value->map.count : value->list.count); i++) {
        const struct value *mine = map ? &value->map.members[i].value : &value->list.items[i];
        if (!child || (map && !str_is(value->map.members[i].key, child->string)) ||
            !same_as_reference(mine, child))
            return false;
        child = child->next;
    }
    return child == NULL;
}

static bool same_as_reference(const struct value *value, const cJSON *other)
{
    switch (value->type) {
    case VALUE_NULL: return cJSON_IsNull(other);
    case VALUE_BOOL: return cJSON_IsBool(other) && cJSON_IsTrue(other) == value->boolean;
    case VALUE_INT: return cJSON_IsNumber(other) && other->valuedouble == (double)value->integer;
    case VALUE_NUMBER: return cJSON_IsNumber(other) && other->valuedouble == value->number;
    case VALUE_TEXT: return cJSON_IsString(other) && str_is(value->text, other->valuestring);
    case VALUE_MAP: return cJSON_IsObject(other) && same_items(value, other);
    default: return cJSON_IsArray(other) && same_items(value, other);
    }
}

/* One byte changed, taken away or put in. */
static void mutate(char *text, size_t *length, uint64_t *state)
{
    static const char alphabet[] = "{}[]\",:\\ 0123456789-+.eEtrufalsn\n/\xc3\xa9";
    size_t place = (size_t)xy_random_below(state, *length);
    char fresh = alphabet[xy_random_below(state, sizeof(alphabet) - 1)];
    uint64_t kind = xy_random_below(state, 3);
    if (kind == 0) {
        text[place] = fresh;
    } else if (kind == 1) {
        memmove(text + place, text + place + 1, *length - place - 1);
        *length -= 1;
    } else {
        memmove(text + place + 1, text + place, *length - place);
        text[place] = fresh;
        *length += 1;
    }
}

/* cJSON accepts more than JSON, so it must accept all that we do, with the same values. No seed has
 * \u0000, where cJSON would cut the text. */
static void test_mutations(void)
{
    static const char *const seeds[] = {
        "{\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
        "\"content\":\"Hi \\u00e9\\n\"},\"finish_reason\":\"stop\"}],\"usage\":{\"total\":21.5e0}}",
        "[[],{},[[1,2],[3.25,-4e-2]],\"\\ud83d\\ude00\",true,false,null,\"a\\\\b\\/c\"]",
        "{\"a\":{\"b\":[{\"c\":[1,{\"d\":\"e\"}]},\"\xc3\xa9\"]},\"f\":-0.001}",
    };
    uint64_t state = 20;
    int read = 0;
    for (int round = 0; round < 6000; round++) {
        char text[512];
        size_t length = strlen(seeds[round % 3]);
        memcpy(text, seeds[round % 3], length);
        for (uint64_t edits = 1 + xy_random_below(&state, 2); edits > 0; edits--)
            mutate(text, &length, &state);
        struct arena arena = {0};
        struct value value;
        struct error error;
        if (json_parse(&arena, (xy_str){text, length}, &value, &error) == 0) {
            read++;
            text[length] = '\0';
            cJSON *reference = cJSON_Parse(text);
            bool same = reference && same_as_reference(&value, reference);
            CU_ASSERT_TRUE(same);
            if (!same)
                printf("\n    %s\n", text);
            cJSON_Delete(reference);
        }
        arena_free(&arena);
    }
    CU_ASSERT_TRUE(read > 1000); /* else the comparison says little */
}

int main(void)
{
    static const struct check checks[] = {
        {"accepted", test_accepted},
        {"refused", test_refused},
        {"values", test_values},
        {"integers", test_integers},
        {"numbers", test_numbers},
        {"depth", test_depth},
        {"error_place", test_error_place},
        {"many_keys", test_many_keys},
        {"text_lengths", test_text_lengths},
        {"utf8", test_utf8},
        {"mutations", test_mutations},
        {NULL, NULL},
    };
    return check_main("json", checks);
}
