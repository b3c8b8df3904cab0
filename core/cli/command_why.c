/* SPDX-License-Identifier: Apache-2.0 */
/* `why`: the life of a record, from the data that the steps of a run left. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "dataset.h"
#include "json.h"

static const struct flag flags[] = {
    {"runs", 0, "DIR", "folder for runs (default .xylem)", false},
    {"run", 0, "RUN", "only this run", false},
    {"json", 0, NULL, "print the record as JSON", false},
    {NULL, 0, NULL, NULL, false},
};

enum { CHILDREN_SHOWN = 10 };

struct search {
    uint64_t id;
    struct record *found;   /* the one with the longest trail: the latest state */
    char where[1024];
    uint64_t *children;     /* records made from it; a later state of one is not counted twice */
    size_t child_count;
};

static void add_child(struct search *search, uint64_t id)
{
    for (size_t i = 0; i < search->child_count; i++) {
        if (search->children[i] == id)
            return;
    }
    search->children = memory_resize(search->children, search->child_count + 1, sizeof(uint64_t));
    search->children[search->child_count++] = id;
}

static void look_into(struct search *search, const char *path)
{
    struct error error = {0};
    struct dataset *dataset = dataset_open(path, &error);
    for (uint64_t i = 0; dataset && i < dataset_count(dataset); i++) {
        struct record *record = dataset_read(dataset, i);
        if (record->parent == search->id)
            add_child(search, record->id);
        if (record->id == search->id &&
            (!search->found || record->trail.length >= search->found->trail.length)) {
            record_destroy(search->found);
            search->found = record;
            snprintf(search->where, sizeof(search->where), "%s", path);
        } else {
            record_destroy(record);
        }
    }
    dataset_destroy(dataset);
}

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0;
}

struct walk {
    struct search *search;
    const char *run;
};

static void at_data(void *data, const char *path, const char *name)
{
    struct walk *walk = data;
    if (ends_with(name, ".records") || ends_with(name, ".rejects"))
        look_into(walk->search, path);
}

static void at_run(void *data, const char *path, const char *name)
{
    struct walk *walk = data;
    char folder[2100];
    if (walk->run && strcmp(walk->run, name) != 0)
        return;
    snprintf(folder, sizeof(folder), "%s/data", path);
    each_entry(folder, at_data, walk);
}

static void at_pipeline(void *data, const char *path, const char *name)
{
    char folder[2100];
    (void)name;
    snprintf(folder, sizeof(folder), "%s/runs", path);
    each_entry(folder, at_run, data);
}

static void print_event(const struct value *event)
{
    const struct value *step = value_member(event, STR("step"));
    const struct value *name = value_member(event, STR("event"));
    printf("  %-20.*s %.*s", step ? (int)step->text.len : 0, step ? step->text.ptr : "",
           name ? (int)name->text.len : 0, name ? name->text.ptr : "");
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    for (size_t i = 0; i < event->map.count; i++) {
        const struct member *member = &event->map.members[i];
        if (str_is(member->key, "step") || str_is(member->key, "event"))
            continue;
        buffer_clear(&text);
        json_write(&text, &member->value);
        printf("  %.*s=%s", (int)member->key.len, member->key.ptr, buffer_str(&text).ptr);
    }
    printf("\n");
    buffer_free(&text);
}

static void print_children(const struct search *search)
{
    if (!search->child_count)
        return;
    printf("%zu %s made from it:", search->child_count,
           search->child_count == 1 ? "record was" : "records were");
    for (size_t i = 0; i < search->child_count && i < CHILDREN_SHOWN; i++) {
        char id[17];
        record_id_text(search->children[i], id);
        printf(" %s", id);
    }
    printf("%s\n", search->child_count > CHILDREN_SHOWN ? " ..." : "");
}

static void print_life(const struct search *search)
{
    const struct record *record = search->found;
    struct arena arena = {0};
    struct buffer json;
    struct value trail;
    struct error error = {0};
    char id[17], parent[17];
    record_id_text(record->id, id);
    record_id_text(record->parent, parent);
    bool rejected = ends_with(search->where, ".rejects");
    printf("record %s%s%s, %s, weight %g\n", id, record->parent ? ", made from " : "",
           record->parent ? parent : "", rejected ? "rejected" : "kept", record->weight);
    printf("last seen in %s\n", search->where);
    buffer_init(&json, (size_t)64 << 20);
    buffer_append_char(&json, '[');
    buffer_append_str(&json, buffer_str(&record->trail));
    buffer_append_char(&json, ']');
    if (json_parse(&arena, buffer_str(&json), &trail, &error) == 0) {
        for (size_t i = 0; i < trail.list.count; i++)
            print_event(&trail.list.items[i]);
    }
    print_children(search);
    buffer_clear(&json);
    record_write_json(record, NULL, false, &json);
    printf("%s\n", buffer_str(&json).ptr);
    buffer_free(&json);
    arena_free(&arena);
}

/* A record that no step left on disk is still known by what was made from it. */
static void print_parent(const struct search *search)
{
    char id[17];
    record_id_text(search->id, id);
    printf("record %s was passed on inside a run and kept by no step\n", id);
    print_children(search);
}

static void print_json(const struct search *search)
{
    struct buffer json;
    char id[17];
    record_id_text(search->id, id);
    buffer_init(&json, (size_t)64 << 20);
    buffer_printf(&json, "{\"id\":\"%s\"", id);
    if (search->found) {
        buffer_printf(&json, ",\"rejected\":%s,\"fields\":",
                      ends_with(search->where, ".rejects") ? "true" : "false");
        record_write_json(search->found, NULL, false, &json);
        buffer_append_text(&json, ",\"trail\":[");
        buffer_append_str(&json, buffer_str(&search->found->trail));
        buffer_append_char(&json, ']');
    }
    buffer_append_text(&json, ",\"children\":[");
    for (size_t i = 0; i < search->child_count; i++) {
        record_id_text(search->children[i], id);
        buffer_printf(&json, "%s\"%s\"", i ? "," : "", id);
    }
    buffer_append_text(&json, "]}");
    puts(buffer_str(&json).ptr);
    buffer_free(&json);
}

static int run(const struct arguments *arguments)
{
    const char *root = argument(arguments, "runs");
    struct search search = {0};
    struct walk walk = {.search = &search, .run = argument(arguments, "run")};
    if (!record_id_parse(arguments->words[0], &search.id))
        return usage_error(&command_why, "`%s` is no record id: 16 hexadecimal digits, as in the "
                           "rejects file or in an output's `_id`", arguments->words[0]);
    each_entry(root ? root : ".xylem", at_pipeline, &walk);
    if (!search.found && !search.child_count) {
        fprintf(stderr, "xylem why: no run under `%s` knows a record %s\n", root ? root : ".xylem",
                arguments->words[0]);
        return EXIT_FAILED;
    }
    if (argument_given(arguments, "json"))
        print_json(&search);
    else if (search.found)
        print_life(&search);
    else
        print_parent(&search);
    record_destroy(search.found);
    free(search.children);
    return EXIT_DONE;
}

const struct command command_why = {
    .name = "why",
    .words = "ID",
    .summary = "tell the life of a record: where it came from, what was asked, why it was dropped",
    .least_words = 1,
    .most_words = 1,
    .flags = flags,
    .run = run,
};
