/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "record_internal.h"

static int set_text(struct record *record, const char *field, const char *text)
{
    xy_value value = {.type = XY_TEXT, .text = str_of(text)};
    return record_set(record, field, &value);
}

static int set_typed(struct record *record, const char *field, uint32_t type, xy_str text)
{
    xy_value value = {.type = type, .text = text};
    return record_set(record, field, &value);
}

/* A record with one field of each type, a weight, a parent and a trail. */
static struct record *make_full(void)
{
    static const float vector[3] = {0.1f, -2.5f, 1e-20f};
    struct record *record = record_create(42);
    record->parent = 7;
    record->sample = 3;
    record->weight = 0.25;
    set_text(record, "text", "caf\xc3\xa9");
    xy_value value = {.type = XY_INT, .integer = INT64_MIN};
    record_set(record, "int", &value);
    value = (xy_value){.type = XY_NUMBER, .number = 0.1};
    record_set(record, "number", &value);
    value = (xy_value){.type = XY_BOOL, .integer = 5};
    record_set(record, "bool", &value);
    set_typed(record, "json", XY_JSON, STR("{\"a\":\n[1,2]}"));
    value = (xy_value){.type = XY_VECTOR, .length = 3, .vector = vector};
    record_set(record, "vector", &value);
    record_event(record, "write", "made", STR("\"tokens\":12"));
    return record;
}

static void test_fields(void)
{
    struct record *record = record_create(1);
    xy_value value;
    CU_ASSERT_EQUAL(record_get(record, "a", &value), XY_NULL);
    CU_ASSERT_EQUAL(set_text(record, "a", "one"), XY_OK);
    CU_ASSERT_EQUAL(set_text(record, "b", "two"), XY_OK);
    CU_ASSERT_EQUAL(record_get(record, "a", &value), XY_TEXT);
    CHECK_TEXT(value.text.ptr, "one");
    /* A value borrowed from the field that it is set to. */
    value.text.ptr++, value.text.len--;
    CU_ASSERT_EQUAL(record_set(record, "a", &value), XY_OK);
    CU_ASSERT_EQUAL(record_get(record, "a", &value), XY_TEXT);
    CHECK_TEXT(value.text.ptr, "ne");
    /* XY_NULL removes, and keeps the order of the rest. */
    set_text(record, "c", "three");
    CU_ASSERT_EQUAL(record_set(record, "a", &(xy_value){0}), XY_OK);
    CU_ASSERT_EQUAL(record_set(record, "never_seen_name", &(xy_value){0}), XY_OK);
    CHECK_TEXT(record->base.api->field(&record->base, 0), "b");
    CHECK_TEXT(record->base.api->field(&record->base, 1), "c");
    CU_ASSERT_PTR_NULL(record->base.api->field(&record->base, 2));
    record_destroy(record);
    record_destroy(NULL);
}

static void test_many_fields(void)
{
    struct record *record = record_create(1);
    char name[32];
    for (int i = 0; i < RECORD_FIELDS; i++) {
        snprintf(name, sizeof(name), "field_%d", i);
        CU_ASSERT_EQUAL_FATAL(set_text(record, name, name), XY_OK);
    }
    CU_ASSERT_EQUAL(set_text(record, "one_too_many", "x"), XY_EINVAL);
    xy_value value;
    CU_ASSERT_EQUAL(record_get(record, "field_4000", &value), XY_TEXT);
    CHECK_TEXT(value.text.ptr, "field_4000");
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    record_encode(record, &bytes);
    struct record *copy;
    struct error error;
    CU_ASSERT_EQUAL_FATAL(record_decode(buffer_str(&bytes), &copy, &error), 0);
    CU_ASSERT_EQUAL(copy->field_count, RECORD_FIELDS);
    buffer_free(&bytes);
    record_destroy(copy);
    record_destroy(record);
}

static void test_refused(void)
{
    struct record *record = record_create(1);
    char name[130];
    memset(name, 'n', sizeof(name));
    name[128] = '\0';
    set_text(record, "kept", "as it was");
    CU_ASSERT_EQUAL(set_text(record, name, "x"), XY_EINVAL);
    name[127] = '\0';
    CU_ASSERT_EQUAL(set_text(record, name, "x"), XY_OK);
    CU_ASSERT_EQUAL(set_text(record, "", "x"), XY_EINVAL);
    CU_ASSERT_EQUAL(set_text(record, "bad\xff", "x"), XY_EINVAL);
    CU_ASSERT_EQUAL(set_text(record, "kept", "\xc0\xaf"), XY_EINVAL);
    CU_ASSERT_EQUAL(set_typed(record, "kept", XY_JSON, STR("{\"a\":}")), XY_EINVAL);
    CU_ASSERT_EQUAL(set_typed(record, "kept", XY_JSON, STR("")), XY_EINVAL);
    CU_ASSERT_EQUAL(set_typed(record, "kept", 99, STR("x")), XY_EINVAL);
    xy_value value;
    record_get(record, "kept", &value);
    CHECK_TEXT(value.text.ptr, "as it was");
    CU_ASSERT_EQUAL(record->base.api->set_weight(&record->base, -1), XY_EINVAL);
    CU_ASSERT_EQUAL(record->base.api->set_weight(&record->base, (double)NAN), XY_EINVAL);
    CU_ASSERT_EQUAL(record->base.api->set_weight(&record->base, (double)INFINITY), XY_EINVAL);
    CU_ASSERT_EQUAL(record->base.api->set_weight(&record->base, 2), XY_OK);
    CU_ASSERT_EQUAL(record->base.api->weight(&record->base), 2);
    record_destroy(record);
}

static void write_json(const struct record *record, const char *const *fields, bool vectors,
                       const char *expected)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    record_write_json(record, fields, vectors, &out);
    CHECK_TEXT(out.bytes, expected);
    buffer_free(&out);
}

static void test_json(void)
{
    struct record *record = make_full();
    /* The line end inside the JSON field is gone: one record must stay one line. */
    write_json(record, NULL, false,
               "{\"text\":\"caf\xc3\xa9\",\"int\":-9223372036854775808,\"number\":0.1,"
               "\"bool\":true,\"json\":{\"a\":[1,2]}}");
    write_json(record, (const char *const[]){"vector", "absent", "bool", NULL}, true,
               "{\"vector\":[0.1,-2.5,1e-20],\"bool\":true}");
    write_json(record, (const char *const[]){NULL}, true, "{}");
    record_destroy(record);
}

static void test_values(void)
{
    struct record *record = make_full();
    struct arena arena = {0};
    struct value value;
    CU_ASSERT_TRUE(record_value(record, &arena, STR("json"), &value));
    const struct value *list = value_member(&value, STR("a"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(list);
    CU_ASSERT_EQUAL(list->list.count, 2);
    CU_ASSERT_TRUE(record_value(record, &arena, (xy_str){"vector_and_more", 6}, &value));
    CU_ASSERT_EQUAL_FATAL(value.type, VALUE_LIST);
    CU_ASSERT_EQUAL(value.list.items[1].number, -2.5);
    CU_ASSERT_FALSE(record_value(record, &arena, STR("vec"), &value));
    CU_ASSERT_FALSE(record_value(record, &arena, STR("vectors"), &value));
    /* And back, by way of a tree. */
    struct value items[2] = {value_int(1), value_text(STR("x\"y"))};
    struct value tree = {.type = VALUE_LIST, .list = {items, 2}};
    CU_ASSERT_EQUAL(record_set_tree(record, "tree", &tree), XY_OK);
    xy_value flat;
    CU_ASSERT_EQUAL(record_get(record, "tree", &flat), XY_JSON);
    CHECK_TEXT(flat.text.ptr, "[1,\"x\\\"y\"]");
    struct value truth = value_bool(true), nothing = {.type = VALUE_NULL};
    CU_ASSERT_EQUAL(record_set_tree(record, "tree", &truth), XY_OK);
    CU_ASSERT_EQUAL(record_get(record, "tree", NULL), XY_BOOL);
    CU_ASSERT_EQUAL(record_set_tree(record, "tree", &nothing), XY_OK);
    CU_ASSERT_EQUAL(record_get(record, "tree", NULL), XY_NULL);
    arena_free(&arena);
    record_destroy(record);
}

/* Two records say the same in every member. */
static void check_same(const struct record *a, const struct record *b)
{
    struct buffer left, right;
    buffer_init(&left, 1 << 20);
    buffer_init(&right, 1 << 20);
    record_encode(a, &left);
    record_encode(b, &right);
    CU_ASSERT_TRUE(str_equal(buffer_str(&left), buffer_str(&right)));
    buffer_free(&left);
    buffer_free(&right);
}

static void test_derive(void)
{
    struct record *source = make_full();
    struct record *record = record_derive(source, 99);
    CU_ASSERT_EQUAL(record->id, 99);
    CU_ASSERT_EQUAL(record->parent, 42);
    CU_ASSERT_EQUAL(record->weight, 0.25);
    CHECK_TEXT(record->trail.bytes, source->trail.bytes);
    for (int i = 0; i < 20; i++) { /* grows past what is embedded */
        char name[16];
        snprintf(name, sizeof(name), "more_%d", i);
        CU_ASSERT_EQUAL(set_text(record, name, "x"), XY_OK);
    }
    set_text(record, "text", "changed");
    record_destroy(source);
    xy_value value;
    record_get(record, "json", &value);
    CHECK_TEXT(value.text.ptr, "{\"a\":\n[1,2]}");
    record_get(record, "vector", &value);
    CU_ASSERT_EQUAL(value.vector[1], -2.5f);
    record_destroy(record);
}

static void test_codec(void)
{
    struct record *record = make_full(), *copy;
    struct buffer bytes;
    struct error error;
    buffer_init(&bytes, 1 << 20);
    record_encode(record, &bytes);
    CU_ASSERT_EQUAL_FATAL(record_decode(buffer_str(&bytes), &copy, &error), 0);
    CU_ASSERT_EQUAL(copy->id, 42);
    CU_ASSERT_EQUAL(copy->parent, 7);
    CU_ASSERT_EQUAL(copy->sample, 3);
    CU_ASSERT_EQUAL(copy->weight, 0.25);
    xy_value value;
    CU_ASSERT_EQUAL(record_get(copy, "int", &value), XY_INT);
    CU_ASSERT_EQUAL(value.integer, INT64_MIN);
    CU_ASSERT_EQUAL(record_get(copy, "bool", &value), XY_BOOL);
    CU_ASSERT_EQUAL(value.integer, 1);
    check_same(record, copy);
    CU_ASSERT_EQUAL(set_text(copy, "text", "changed"), XY_OK);
    record_destroy(copy);
    /* One field without decoding. */
    CU_ASSERT_EQUAL(record_peek(buffer_str(&bytes), "number", &value), XY_NUMBER);
    CU_ASSERT_EQUAL(value.number, 0.1);
    CU_ASSERT_EQUAL(record_peek(buffer_str(&bytes), "numbe", &value), XY_NULL);
    /* A ceiling is respected and told. */
    struct buffer small;
    buffer_init(&small, 20);
    record_encode(record, &small);
    CU_ASSERT_TRUE(small.overflowed && small.length == 0);
    buffer_free(&small);
    buffer_free(&bytes);
    record_destroy(record);
}

/* Whatever decodes must be a record that keeps every promise: it encodes to the same bytes. */
static unsigned try_decode(const char *bytes, size_t length)
{
    /* A copy of exact size lets AddressSanitizer see a read past the end. */
    char *exact = memory_resize(NULL, length, 1);
    memcpy(exact, bytes, length);
    struct record *record;
    struct error error;
    int rc = record_decode((xy_str){exact, length}, &record, &error);
    xy_value value;
    record_peek((xy_str){exact, length}, "vector", &value);
    CU_ASSERT_TRUE(rc == 0 || (rc == XY_EINVAL && !record && error.text[0]));
    if (rc == 0) {
        struct buffer again;
        buffer_init(&again, 1 << 20);
        record_encode(record, &again);
        CU_ASSERT_TRUE(again.length == length && memcmp(again.bytes, exact, length) == 0);
        struct arena arena = {0};
        struct value tree;
        CU_ASSERT_TRUE(record_get(record, "json", NULL) != XY_JSON ||
                       record_value(record, &arena, STR("json"), &tree));
        arena_free(&arena);
        buffer_free(&again);
    }
    record_destroy(record);
    free(exact);
    return rc == 0;
}

static void test_any_bytes(void)
{
    struct record *record = make_full();
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    record_encode(record, &bytes);
    /* Every shorter form is refused; every byte is changed to every value. */
    for (size_t length = 0; length < bytes.length; length++)
        CU_ASSERT_EQUAL(try_decode(bytes.bytes, length), 0);
    for (size_t at = 0; at < bytes.length; at++) {
        char kept = bytes.bytes[at];
        for (unsigned byte = 0; byte < 256; byte++) {
            bytes.bytes[at] = (char)byte;
            try_decode(bytes.bytes, bytes.length);
        }
        bytes.bytes[at] = kept;
    }
    /* Several places at once, and joined halves, from a fixed stream. */
    uint64_t random = 20261123;
    for (int round = 0; round < 50000; round++) {
        struct buffer mutant;
        buffer_init(&mutant, 1 << 20);
        size_t cut = xy_random_below(&random, bytes.length);
        buffer_append(&mutant, bytes.bytes, cut);
        size_t from = xy_random_below(&random, bytes.length);
        buffer_append(&mutant, bytes.bytes + from, bytes.length - from);
        for (uint64_t i = xy_random_below(&random, 4); i > 0; i--)
            mutant.bytes[xy_random_below(&random, mutant.length)] = (char)xy_random_next(&random);
        try_decode(mutant.bytes, mutant.length);
        buffer_free(&mutant);
    }
    buffer_free(&bytes);
    record_destroy(record);
}

static void test_trail(void)
{
    struct record *record = record_create(1);
    record_event(record, "a\"b", "made", STR(""));
    record_event(record, "filter", "kept", STR("\"score\":0.5"));
    struct record *again = record_create(2);
    record_event_again(again, buffer_str(&record->trail));
    CU_ASSERT_TRUE(str_equal(buffer_str(&again->trail), buffer_str(&record->trail)));
    record_event_again(again, STR("{}"));
    CU_ASSERT_EQUAL(again->trail.length, record->trail.length + 3);
    record_destroy(again);
    CHECK_TEXT(record->trail.bytes, "{\"step\":\"a\\\"b\",\"event\":\"made\"},"
                                    "{\"step\":\"filter\",\"event\":\"kept\",\"score\":0.5}");
    char *long_text = memory_resize(NULL, 60001, 1);
    memset(long_text, 'x', 60000);
    long_text[60000] = '\0';
    size_t full = 0;
    for (int i = 0; i < 10; i++) {
        record_event(record, long_text, "seen", STR(""));
        if (i == 4)
            full = record->trail.length;
    }
    CU_ASSERT_EQUAL(record->trail.length, full); /* nothing is added after the cut */
    CU_ASSERT_TRUE(record->trail.length <= RECORD_TRAIL);
    CU_ASSERT_FALSE(record->trail.overflowed);
    CU_ASSERT_PTR_NOT_NULL(strstr(record->trail.bytes, "\"event\":\"trail_cut\""));
    size_t cut = record->trail.length;
    record_event_again(record, STR("{}"));
    CU_ASSERT_EQUAL(record->trail.length, cut);
    /* Still a JSON list when brackets are put around it. */
    struct buffer list;
    buffer_init(&list, 1 << 20);
    buffer_append_char(&list, '[');
    buffer_append_str(&list, buffer_str(&record->trail));
    buffer_append_char(&list, ']');
    CU_ASSERT_TRUE(json_valid(buffer_str(&list)));
    buffer_free(&list);
    free(long_text);
    record_destroy(record);
}

static void check_text(const struct record *record, const char *field, const char *text)
{
    xy_value value;
    CU_ASSERT_EQUAL_FATAL(record_get(record, field, &value), XY_TEXT);
    CHECK_TEXT(value.text.ptr, text);
}

/* Values lie in the record's own allocation while there is room, and beside it afterwards. */
static void test_room(void)
{
    struct record *record = record_create_roomy(1, 32);
    char names[20][4];
    set_text(record, "a", "fifteen letters");
    set_text(record, "b", "more than the room that is left");
    set_text(record, "a", "another");
    set_text(record, "a", "and one that is longer than all of the room was");
    check_text(record, "a", "and one that is longer than all of the room was");
    check_text(record, "b", "more than the room that is left");
    record_event(record, "x", "made", STR(""));
    for (int i = 0; i < 20; i++) {
        snprintf(names[i], sizeof(names[i]), "f%d", i);
        set_text(record, names[i], names[i]);
    }
    record_renew(record, 7);
    CU_ASSERT_EQUAL(record->id, 7);
    CU_ASSERT_EQUAL(record->field_count, 0);
    CU_ASSERT_EQUAL(record->trail.length, 0);
    CU_ASSERT_EQUAL(record->held, 0);
    CU_ASSERT_EQUAL(record_get(record, "a", NULL), XY_NULL);
    set_text(record, "c", "fits");
    CU_ASSERT_PTR_NULL(record->fields[0].storage);
    check_text(record, "c", "fits");
    record_destroy(record);
}

static void test_identity(void)
{
    char text[17];
    uint64_t id;
    record_id_text(UINT64_C(0x0123456789abcdef), text);
    CHECK_TEXT(text, "0123456789abcdef");
    CU_ASSERT_TRUE(record_id_parse(text, &id));
    CU_ASSERT_EQUAL(id, UINT64_C(0x0123456789abcdef));
    CU_ASSERT_FALSE(record_id_parse("0123456789abcde", &id));
    CU_ASSERT_FALSE(record_id_parse("0123456789abcdef0", &id));
    CU_ASSERT_FALSE(record_id_parse("0123456789ABCDEF", &id));
    CU_ASSERT_FALSE(record_id_parse("", &id));
    uint64_t base = record_hash(7, "write", 1, 2, 3);
    CU_ASSERT_EQUAL(base, record_hash(7, "write", 1, 2, 3));
    CU_ASSERT_NOT_EQUAL(base, record_hash(8, "write", 1, 2, 3));
    CU_ASSERT_NOT_EQUAL(base, record_hash(7, "writf", 1, 2, 3));
    CU_ASSERT_NOT_EQUAL(base, record_hash(7, "write", 2, 1, 3));
    CU_ASSERT_NOT_EQUAL(base, record_hash(7, "write", 1, 3, 2));
    const char *name = record_intern("label", 5);
    CU_ASSERT_PTR_EQUAL(name, record_intern("labelled", 5));
    CHECK_TEXT(name, "label");
}

int main(void)
{
    static const struct check checks[] = {
        {"fields are set, replaced and removed", test_fields},
        {"many fields", test_many_fields},
        {"bad names and values are refused", test_refused},
        {"fields as JSON", test_json},
        {"fields as values of templates", test_values},
        {"a derived record", test_derive},
        {"the binary form", test_codec},
        {"the binary form survives any bytes", test_any_bytes},
        {"the trail is bounded", test_trail},
        {"room for values", test_room},
        {"ids and names", test_identity},
        {NULL, NULL},
    };
    return check_main("record", checks);
}
