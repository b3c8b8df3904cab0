/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "file.h"

static char folder[] = "/tmp/xylem_dataset_XXXXXX";

static char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* Record i: text "record i", score i/2 but for each third, a vector of two in even ones. */
static struct record *make_record(uint64_t i)
{
    struct record *record = record_create(1000 + i);
    char text[32];
    int length = snprintf(text, sizeof(text), "record %llu", (unsigned long long)i);
    xy_value value = {.type = XY_TEXT, .text = {text, (size_t)length}};
    record_set(record, "text", &value);
    value = (xy_value){.type = XY_NUMBER, .number = (double)i / 2};
    if (i % 3 != 0)
        record_set(record, "score", &value);
    float pair[2] = {(float)i, -(float)i};
    value = (xy_value){.type = XY_VECTOR, .length = 2, .vector = pair};
    if (i % 2 == 0)
        record_set(record, "pair", &value);
    value = (xy_value){.type = XY_VECTOR, .length = 1 + (uint32_t)(i % 2), .vector = pair};
    record_set(record, "uneven", &value);
    return record;
}

static struct dataset *make_dataset(const char *name, uint64_t from, uint64_t count)
{
    struct error error;
    struct dataset *dataset = dataset_create(path_of(name), &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    for (uint64_t i = from; i < from + count; i++) {
        struct record *record = make_record(i);
        CU_ASSERT_EQUAL_FATAL(dataset_append(dataset, record, &error), 0);
        record_destroy(record);
    }
    CU_ASSERT_EQUAL_FATAL(dataset_seal(dataset, &error), 0);
    return dataset;
}

static void check_record(const struct dataset *dataset, uint64_t index, uint64_t made_as)
{
    struct record *record = dataset_read(dataset, index);
    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    xy_value value;
    char text[32];
    snprintf(text, sizeof(text), "record %llu", (unsigned long long)made_as);
    record_get(record, "text", &value);
    CHECK_TEXT(value.text.ptr, text);
    CU_ASSERT_EQUAL(record->id, 1000 + made_as);
    record_destroy(record);
}

static void test_write_and_read(void)
{
    struct error error;
    struct dataset *dataset = make_dataset("a", 0, 5000); /* several buffers full */
    CU_ASSERT_EQUAL(dataset_count(dataset), 5000);
    for (uint64_t i = 0; i < 5000; i += 7)
        check_record(dataset, i, i);
    CU_ASSERT_PTR_NULL(dataset_read(dataset, 5000));
    CU_ASSERT_NOT_EQUAL(access(path_of("a.new"), F_OK), 0);
    struct record *record = make_record(0);
    CU_ASSERT_EQUAL(dataset_append(dataset, record, &error), XY_EINVAL);
    CU_ASSERT_EQUAL(dataset_seal(dataset, &error), XY_EINVAL);
    record_destroy(record);
    dataset_destroy(dataset);
    dataset = dataset_open(path_of("a"), &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    CU_ASSERT_EQUAL(dataset_count(dataset), 5000);
    check_record(dataset, 4999, 4999);
    dataset_destroy(dataset);
    dataset_destroy(NULL);
}

static void test_empty_and_unsealed(void)
{
    struct error error;
    dataset_destroy(make_dataset("empty", 0, 0));
    struct dataset *dataset = dataset_open(path_of("empty"), &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    CU_ASSERT_EQUAL(dataset_count(dataset), 0);
    dataset_destroy(dataset);
    dataset = dataset_create(path_of("never"), &error);
    CU_ASSERT_EQUAL(access(path_of("never.new"), F_OK), 0);
    CU_ASSERT_PTR_NULL(dataset_read(dataset, 0));
    dataset_destroy(dataset);
    CU_ASSERT_NOT_EQUAL(access(path_of("never.new"), F_OK), 0);
    CU_ASSERT_NOT_EQUAL(access(path_of("never"), F_OK), 0);
    CU_ASSERT_PTR_NULL(dataset_create("/nowhere/at/all", &error));
    CU_ASSERT_EQUAL(error.code, XY_EIO);
    CU_ASSERT_PTR_NULL(dataset_open(path_of("never"), &error));
    CU_ASSERT_EQUAL(error.code, XY_EIO);
}

static void test_join(void)
{
    struct dataset *parts[] = {make_dataset("j0", 0, 3), make_dataset("j1", 3, 0),
                               make_dataset("j2", 3, 1), make_dataset("j3", 4, 6)};
    struct dataset *joined = dataset_join(parts, 4);
    struct dataset *outer[] = {joined, parts[2]};
    struct dataset *nested = dataset_join(outer, 2);
    CU_ASSERT_EQUAL(dataset_count(joined), 10);
    for (uint64_t i = 0; i < 10; i++)
        check_record(joined, i, i);
    CU_ASSERT_PTR_NULL(dataset_read(joined, 10));
    check_record(nested, 10, 3);
    dataset_destroy(nested);
    dataset_destroy(joined);
    for (size_t i = 0; i < 4; i++)
        dataset_destroy(parts[i]);
    joined = dataset_join(NULL, 0);
    CU_ASSERT_EQUAL(dataset_count(joined), 0);
    CU_ASSERT_PTR_NULL(dataset_read(joined, 0));
    dataset_destroy(joined);
}

static void test_select(void)
{
    struct dataset *source = make_dataset("s", 0, 100);
    uint32_t *chosen = memory_resize(NULL, 3, sizeof(*chosen));
    memcpy(chosen, (uint32_t[]){0, 41, 99}, 3 * sizeof(*chosen));
    struct dataset *some = dataset_select(source, chosen, 3);
    struct dataset *none = dataset_select(source, NULL, 0);
    struct dataset *joined = dataset_join((struct dataset *[]){some, none, source}, 3);
    /* Whoever is read from lives on in who reads. */
    dataset_destroy(source);
    dataset_destroy(some);
    dataset_destroy(none);
    CU_ASSERT_EQUAL(dataset_count(joined), 103);
    check_record(joined, 0, 0);
    check_record(joined, 1, 41);
    check_record(joined, 2, 99);
    check_record(joined, 3, 0);
    check_record(joined, 102, 99);
    CU_ASSERT_PTR_NULL(dataset_read(joined, 103));
    struct error error;
    CU_ASSERT_EQUAL(dataset_seal(joined, &error), 0);
    dataset_destroy(joined);
}

static void test_discard(void)
{
    struct error error;
    dataset_destroy(make_dataset("old", 0, 3));
    struct dataset *dataset = dataset_create(path_of("old"), &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    dataset_discard(dataset);
    CU_ASSERT_NOT_EQUAL(access(path_of("old"), F_OK), 0);
    CU_ASSERT_NOT_EQUAL(access(path_of("old.new"), F_OK), 0);
}

static void test_view(void)
{
    struct dataset *dataset = make_dataset("v", 0, 10);
    struct arena arena = {0};
    struct dataset_view view;
    dataset_view_init(&view, dataset, &arena, true);
    xy_dataset *seen = &view.base;
    CU_ASSERT_EQUAL(seen->api->count(seen), 10);
    CU_ASSERT_EQUAL(seen->api->at(seen, 4)->api->id(seen->api->at(seen, 4)), 1004);
    CU_ASSERT_PTR_NULL(seen->api->at(seen, 10));
    CU_ASSERT_PTR_NULL(seen->api->edit(seen, 10));
    seen->api->at(seen, 5);
    xy_record *edited = seen->api->edit(seen, 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(edited);
    xy_record_set_number(edited, "score", 99);
    seen->api->at(seen, 6);
    xy_value value;
    seen->api->at(seen, 5)->api->get(seen->api->at(seen, 5), "score", &value);
    CU_ASSERT_EQUAL(value.number, 99);
    char why[] = "too short";
    CU_ASSERT_EQUAL(seen->api->verdict(seen, 2, XY_OK, NULL), XY_OK);
    CU_ASSERT_EQUAL(seen->api->verdict(seen, 3, XY_DROP, why), XY_OK);
    why[0] = 'X'; /* the reason was copied */
    CU_ASSERT_EQUAL(seen->api->verdict(seen, 7, XY_DROP, NULL), XY_OK);
    CU_ASSERT_EQUAL(seen->api->verdict(seen, 7, XY_OK, NULL), XY_OK);
    CU_ASSERT_EQUAL(seen->api->verdict(seen, 10, XY_DROP, NULL), XY_EINVAL);
    CU_ASSERT_EQUAL(seen->api->verdict(seen, 1, XY_PENDING, NULL), XY_EINVAL);
    for (uint64_t i = 0; i < 10; i++) {
        int verdict;
        const char *reason;
        struct record *record = dataset_view_take(&view, i, &verdict, &reason);
        CU_ASSERT_PTR_NOT_NULL_FATAL(record);
        CU_ASSERT_EQUAL(record->id, 1000 + i);
        CU_ASSERT_EQUAL(verdict, i == 3 ? XY_DROP : XY_OK);
        CHECK_TEXT(reason ? reason : "none", i == 3 ? "too short" : "none");
        record_get(record, "score", &value);
        CU_ASSERT_TRUE(i != 5 || value.number == 99);
        record_destroy(record);
    }
    seen->api->edit(seen, 9); /* edited and not taken: freed all the same */
    dataset_view_finish(&view);
    dataset_view_init(&view, dataset, &arena, false);
    CU_ASSERT_PTR_NULL(view.base.api->edit(&view.base, 0));
    CU_ASSERT_EQUAL(view.base.api->verdict(&view.base, 0, XY_DROP, "no"), XY_EUNSUPPORTED);
    dataset_view_finish(&view);
    arena_free(&arena);
    dataset_destroy(dataset);
}

static bool same_file(const char *a, const char *b)
{
    struct buffer left, right;
    struct error error;
    buffer_init(&left, 1 << 30);
    buffer_init(&right, 1 << 30);
    bool same = file_read(path_of(a), 1 << 30, &left, &error) == 0 &&
                file_read(path_of(b), 1 << 30, &right, &error) == 0 &&
                str_equal(buffer_str(&left), buffer_str(&right));
    buffer_free(&left);
    buffer_free(&right);
    return same;
}

/* Batches of 1, 2, 3 ... records, of which some are larger than what is collected before a write,
 * give the file that one record after another gives. */
static void test_batch(void)
{
    struct error error;
    struct dataset *one = dataset_create(path_of("one"), &error);
    struct dataset *many = dataset_create(path_of("many"), &error);
    struct dataset_batch batch = {0};
    xy_str event = STR("{\"step\":\"a\",\"event\":\"made\"}");
    uint64_t number = 0;
    for (uint64_t size = 1; size < 60; size++) {
        for (uint64_t i = 0; i < size; i++) {
            struct record *record = make_record(number);
            if (number++ % 3 == 0)
                record_event(record, "source", "read", (xy_str){NULL, 0});
            dataset_batch_add(&batch, record, event);
            record_destroy(record);
            record = make_record(number - 1);
            if ((number - 1) % 3 == 0)
                record_event(record, "source", "read", (xy_str){NULL, 0});
            record_event_again(record, event);
            CU_ASSERT_EQUAL(dataset_append(one, record, &error), 0);
            record_destroy(record);
        }
        CU_ASSERT_EQUAL(batch.count, size);
        CU_ASSERT_EQUAL(dataset_append_batch(many, &batch, &error), 0);
        CU_ASSERT_EQUAL(batch.count, 0);
    }
    CU_ASSERT_EQUAL(dataset_append_batch(many, &batch, &error), 0); /* of nothing */
    CU_ASSERT_EQUAL(dataset_seal(one, &error), 0);
    CU_ASSERT_EQUAL(dataset_seal(many, &error), 0);
    CU_ASSERT_EQUAL(dataset_append_batch(many, &batch, &error), XY_EINVAL);
    CU_ASSERT_TRUE(same_file("one", "many"));
    check_record(many, number - 1, number - 1);
    buffer_free(&batch.bytes);
    dataset_destroy(one);
    dataset_destroy(many);
    unlink(path_of("one"));
    unlink(path_of("many"));
}

/* A record goes over with one event more, as if it had been read and given the event. */
static void test_append_from(void)
{
    struct error error;
    struct dataset *source = dataset_create(path_of("source"), &error);
    char *long_text = memory_resize(NULL, 130001, 1);
    memset(long_text, 'x', 130000);
    long_text[130000] = '\0';
    for (uint64_t i = 0; i < 4; i++) {
        struct record *record = make_record(i);
        for (uint64_t k = 0; k < i; k++) /* none, one, two, and a trail that was cut */
            record_event(record, i == 3 ? long_text : "before", "seen", (xy_str){NULL, 0});
        CU_ASSERT_EQUAL(dataset_append(source, record, &error), 0);
        record_destroy(record);
    }
    CU_ASSERT_EQUAL(dataset_seal(source, &error), 0);
    struct record *event = record_create(1);
    record_event(event, "filter", "dropped", STR("\"reason\":\"why\""));
    struct dataset *copied = dataset_create(path_of("copied"), &error);
    struct dataset *made = dataset_create(path_of("made"), &error);
    for (uint64_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(
            dataset_append_from(copied, source, i, buffer_str(&event->trail), &error), 0);
        struct record *record = dataset_read(source, i);
        record_event(record, "filter", "dropped", STR("\"reason\":\"why\""));
        CU_ASSERT_EQUAL(dataset_append(made, record, &error), 0);
        record_destroy(record);
    }
    CU_ASSERT_EQUAL(dataset_append_from(copied, source, 4, buffer_str(&event->trail), &error),
                    XY_EIO);
    CU_ASSERT_EQUAL(dataset_seal(copied, &error), 0);
    CU_ASSERT_EQUAL(dataset_seal(made, &error), 0);
    CU_ASSERT_TRUE(same_file("copied", "made"));
    record_destroy(event);
    free(long_text);
    dataset_destroy(source);
    dataset_destroy(copied);
    dataset_destroy(made);
    unlink(path_of("source"));
    unlink(path_of("copied"));
    unlink(path_of("made"));
}

/* Whatever way a reader goes, over joins too, it finds what dataset_read() finds. */
static void test_look_in_any_order(void)
{
    struct dataset *parts[] = {make_dataset("l0", 0, 50), make_dataset("l1", 50, 1),
                               make_dataset("l2", 51, 49)};
    struct dataset *joined = dataset_join(parts, 3);
    struct record_slot slot = {0};
    static const int64_t steps[] = {0, 1, 1, 1, 1, 44, 1, 1, 1, 1, 1, -51, 1, 0, 0, 94, -1, -1, 2};
    uint64_t at = 0;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        at += (uint64_t)steps[i];
        const struct record *record = dataset_look(joined, at, &slot);
        xy_value value;
        char text[32];
        CU_ASSERT_PTR_NOT_NULL_FATAL(record);
        CU_ASSERT_EQUAL(record->id, 1000 + at);
        snprintf(text, sizeof(text), "record %llu", (unsigned long long)at);
        record_get(record, "text", &value);
        CHECK_TEXT(value.text.ptr, text);
    }
    CU_ASSERT_PTR_NULL(dataset_look(joined, 100, &slot));
    record_slot_free(&slot);
    dataset_destroy(joined);
    for (size_t i = 0; i < 3; i++)
        dataset_destroy(parts[i]);
    unlink(path_of("l0"));
    unlink(path_of("l1"));
    unlink(path_of("l2"));
}

static void test_column(void)
{
    struct dataset *dataset = make_dataset("c", 0, 10);
    struct arena arena = {0};
    struct dataset_view view;
    dataset_view_init(&view, dataset, &arena, true);
    xy_dataset *seen = &view.base;
    uint32_t width;
    xy_value truth = {.type = XY_BOOL, .integer = 1};
    xy_record *edited = seen->api->edit(seen, 3);
    edited->api->set(edited, "score", &truth);
    const float *scores = seen->api->column(seen, "score", &width);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scores);
    CU_ASSERT_EQUAL(width, 1);
    for (uint64_t i = 0; i < 10; i++) {
        float expected = i == 3 ? 1 : (float)i / 2; /* the edit of record 3 counts */
        bool absent = i % 3 == 0 && i != 3;
        CU_ASSERT_TRUE(absent ? isnan(scores[i]) : scores[i] == expected);
    }
    const float *pairs = seen->api->column(seen, "pair", &width);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pairs);
    CU_ASSERT_EQUAL(width, 2);
    CU_ASSERT_EQUAL(pairs[2 * 8], 8.0f);
    CU_ASSERT_EQUAL(pairs[2 * 8 + 1], -8.0f);
    CU_ASSERT_TRUE(isnan(pairs[2 * 7]) && isnan(pairs[2 * 7 + 1]));
    const char *lists[] = {"[1, -2.5e0,3 ]", "[]", "[1,2,[3]]", "[4,5,\"6\"]", "[7,8,1e300]",
                           "{\"a\":1}", "[\t9,10,\n11]"};
    for (uint64_t i = 0; i < 7; i++) {
        xy_value list = {.type = XY_JSON, .text = xy_text(lists[i])};
        edited = seen->api->edit(seen, i);
        edited->api->set(edited, "list", &list);
    }
    const float *places = seen->api->column(seen, "list", &width); /* lists of numbers are rows */
    CU_ASSERT_PTR_NOT_NULL_FATAL(places);
    CU_ASSERT_EQUAL_FATAL(width, 3);
    CU_ASSERT_TRUE(places[0] == 1 && places[1] == -2.5f && places[2] == 3);
    CU_ASSERT_TRUE(places[18] == 9 && places[19] == 10 && places[20] == 11);
    for (size_t i = 3; i < 30; i++) /* and nothing else is, nor half a list past a float's range */
        CU_ASSERT_TRUE(isnan(places[i]) || i / 3 == 6);
    CU_ASSERT_PTR_NULL(seen->api->column(seen, "uneven", &width));
    CU_ASSERT_PTR_NULL(seen->api->column(seen, "text", &width));
    CU_ASSERT_PTR_NULL(seen->api->column(seen, "absent", &width));
    dataset_view_finish(&view);
    arena_free(&arena);
    dataset_destroy(dataset);
}

static void write_bytes(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* Each shorter file and each flipped byte is refused with a reason that names the file. */
static void test_damage(void)
{
    struct error error;
    char bytes[4096];
    char *sound = memory_copy_text(path_of("d"), strlen(path_of("d")));
    char *broken = memory_copy_text(path_of("broken"), strlen(path_of("broken")));
    dataset_destroy(make_dataset("d", 0, 6));
    FILE *file = fopen(sound, "rb");
    size_t length = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    CU_ASSERT_TRUE_FATAL(length > 100 && length < sizeof(bytes));
    for (size_t cut = 0; cut < length; cut++) {
        write_bytes(broken, bytes, cut);
        CU_ASSERT_PTR_NULL(dataset_open(broken, &error));
        CU_ASSERT_EQUAL(error.code, XY_EINVAL);
        CHECK_TEXT(error.file, broken);
    }
    for (size_t at = 0; at < length; at++) {
        bytes[at] = (char)(bytes[at] ^ 0x10);
        write_bytes(broken, bytes, length);
        CU_ASSERT_PTR_NULL(dataset_open(broken, &error));
        CU_ASSERT_EQUAL(error.code, XY_EINVAL);
        bytes[at] = (char)(bytes[at] ^ 0x10);
    }
    write_bytes(broken, bytes, length);
    struct dataset *dataset = dataset_open(broken, &error);
    CU_ASSERT_PTR_NOT_NULL(dataset);
    dataset_destroy(dataset);
    free(sound);
    free(broken);
}

static void remove_folder(void)
{
    static const char *const names[] = {"a",  "empty", "j0", "j1", "j2",
                                        "j3", "v",     "c",  "d",  "broken"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(path_of(names[i]));
    rmdir(folder);
}

int main(void)
{
    static const struct check checks[] = {
        {"written, sealed, read and opened again", test_write_and_read},
        {"empty and unsealed", test_empty_and_unsealed},
        {"joined", test_join},
        {"selected", test_select},
        {"discarded", test_discard},
        {"a view: edits and verdicts", test_view},
        {"columns", test_column},
        {"every damage is refused", test_damage},
        {"batches", test_batch},
        {"copied with an event", test_append_from},
        {"looked at in any order", test_look_in_any_order},
        {NULL, NULL},
    };
    if (!mkdtemp(folder))
        return 2;
    int rc = check_main("dataset", checks);
    remove_folder();
    return rc;
}
