/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include <math.h>

#include "check.h"

static struct value list_of(const struct value *items, size_t count)
{
    return (struct value){.type = VALUE_LIST, .list = {.items = items, .count = count}};
}

static struct value map_of(const struct member *members, size_t count)
{
    return (struct value){.type = VALUE_MAP, .map = {.members = members, .count = count}};
}

static void test_member(void)
{
    struct member members[] = {{STR("a"), value_int(1)}, {STR("ab"), value_int(2)}};
    struct value map = map_of(members, 2), text = value_text(STR("a"));
    CU_ASSERT_PTR_EQUAL(value_member(&map, STR("ab")), &members[1].value);
    CU_ASSERT_PTR_NULL(value_member(&map, STR("b")));
    CU_ASSERT_PTR_NULL(value_member(&map, STR("")));
    CU_ASSERT_PTR_NULL(value_member(&text, STR("a")));
    CU_ASSERT_PTR_NULL(value_member(NULL, STR("a")));
}

static void test_duplicate(void)
{
    struct member few[] = {{.key = STR("a")}, {.key = STR("b")}, {.key = STR("a")}};
    CU_ASSERT_PTR_EQUAL(value_duplicate(few, 3), &few[2]);
    CU_ASSERT_PTR_NULL(value_duplicate(few, 2));
    CU_ASSERT_PTR_NULL(value_duplicate(NULL, 0));
    struct member many[100];
    char names[100][8];
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof(names[i]), "k%d", i);
        many[i] = (struct member){.key = str_of(names[i])};
    }
    CU_ASSERT_PTR_NULL(value_duplicate(many, 100));
    many[70].key = STR("k3");
    many[40].key = STR("k90");
    many[60].key = STR("k3");
    CU_ASSERT_PTR_EQUAL(value_duplicate(many, 100), &many[60]); /* 90 repeats 40 only later */
}

static void test_compare_numbers(void)
{
    static const struct {
        struct value a, b;
        int order;
    } cases[] = {
        {{.type = VALUE_INT, .integer = 1}, {.type = VALUE_NUMBER, .number = 1.0}, 0},
        {{.type = VALUE_INT, .integer = 1}, {.type = VALUE_NUMBER, .number = 1.5}, -1},
        {{.type = VALUE_INT, .integer = -1}, {.type = VALUE_NUMBER, .number = -1.5}, 1},
        {{.type = VALUE_INT, .integer = 0}, {.type = VALUE_NUMBER, .number = -0.0}, 0},
        /* 2^53 + 1 has no double: rounding it would make these equal. */
        {{.type = VALUE_INT, .integer = INT64_C(9007199254740993)},
         {.type = VALUE_NUMBER, .number = 9007199254740992.0},
         1},
        {{.type = VALUE_INT, .integer = INT64_MAX}, {.type = VALUE_NUMBER, .number = 0x1p63}, -1},
        {{.type = VALUE_INT, .integer = INT64_MIN}, {.type = VALUE_NUMBER, .number = -0x1p63}, 0},
        {{.type = VALUE_INT, .integer = INT64_MIN}, {.type = VALUE_NUMBER, .number = -1e300}, 1},
        {{.type = VALUE_INT, .integer = INT64_MIN}, {.type = VALUE_INT, .integer = INT64_MAX}, -1},
        {{.type = VALUE_NUMBER, .number = 2}, {.type = VALUE_NUMBER, .number = 1}, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        CU_ASSERT_EQUAL(value_compare_numbers(&cases[i].a, &cases[i].b), cases[i].order);
        CU_ASSERT_EQUAL(value_compare_numbers(&cases[i].b, &cases[i].a), -cases[i].order);
        CU_ASSERT_EQUAL(value_equal(&cases[i].a, &cases[i].b), cases[i].order == 0);
    }
}

static void test_equal(void)
{
    struct value one = value_int(1), yes = value_bool(true), no = value_bool(false);
    struct value null = {.type = VALUE_NULL}, nan = value_number(NAN);
    struct value text = value_text(STR("1")), nul_text = value_text(STR("a\0b"));
    struct value other_nul = value_text(STR("a\0c"));
    CU_ASSERT_FALSE(value_equal(&one, &yes));
    CU_ASSERT_FALSE(value_equal(&one, &text));
    CU_ASSERT_FALSE(value_equal(&yes, &no));
    CU_ASSERT_FALSE(value_equal(&null, &no));
    CU_ASSERT_FALSE(value_equal(&nan, &nan));
    CU_ASSERT_FALSE(value_equal(&nul_text, &other_nul));
    CU_ASSERT_TRUE(value_equal(&null, &null));
    CU_ASSERT_TRUE(value_equal(&nul_text, &nul_text));
    struct value ab[] = {value_int(1), value_int(2)}, ba[] = {value_int(2), value_int(1)};
    struct value left = list_of(ab, 2), right = list_of(ba, 2), shorter = list_of(ab, 1);
    CU_ASSERT_FALSE(value_equal(&left, &right));
    CU_ASSERT_FALSE(value_equal(&left, &shorter));
    struct member xy[] = {{STR("x"), ab[0]}, {STR("y"), ab[1]}};
    struct member yx[] = {{STR("y"), ab[1]}, {STR("x"), value_number(1.0)}};
    struct member xz[] = {{STR("x"), ab[0]}, {STR("z"), ab[1]}};
    struct value map = map_of(xy, 2), same = map_of(yx, 2), different = map_of(xz, 2);
    struct value part = map_of(xy, 1);
    CU_ASSERT_TRUE(value_equal(&map, &same));
    CU_ASSERT_FALSE(value_equal(&map, &different));
    CU_ASSERT_FALSE(value_equal(&map, &part));
    CU_ASSERT_FALSE(value_equal(&map, &left));
}

static void test_equal_large_maps(void)
{
    enum { COUNT = 500 };
    static struct member forward[COUNT], backward[COUNT];
    static char names[COUNT][8];
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "k%d", i);
        forward[i] = (struct member){str_of(names[i]), value_int(i)};
        backward[COUNT - 1 - i] = forward[i];
    }
    struct value a = map_of(forward, COUNT), b = map_of(backward, COUNT);
    CU_ASSERT_TRUE(value_equal(&a, &b));
    backward[250].value = value_int(-1);
    CU_ASSERT_FALSE(value_equal(&a, &b));
}

static void test_type_name(void)
{
    struct value null = {.type = VALUE_NULL}, flag = value_bool(true), number = value_number(1);
    struct value integer = value_int(1), text = value_text(STR("")), list = list_of(NULL, 0);
    struct value map = map_of(NULL, 0);
    CHECK_TEXT(value_type_name(&null), "null");
    CHECK_TEXT(value_type_name(&flag), "boolean");
    CHECK_TEXT(value_type_name(&integer), "integer");
    CHECK_TEXT(value_type_name(&number), "number");
    CHECK_TEXT(value_type_name(&text), "string");
    CHECK_TEXT(value_type_name(&list), "array");
    CHECK_TEXT(value_type_name(&map), "object");
}

int main(void)
{
    static const struct check checks[] = {
        {"member", test_member},
        {"duplicate", test_duplicate},
        {"compare_numbers", test_compare_numbers},
        {"equal", test_equal},
        {"equal_large_maps", test_equal_large_maps},
        {"type_name", test_type_name},
        {NULL, NULL},
    };
    return check_main("value", checks);
}
