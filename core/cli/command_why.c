/* SPDX-License-Identifier: Apache-2.0 */
/* `why`: the life of a record, from the data that the steps of a run left. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "dataset.h"
#include "json.h"
#include "lineage.h"

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
    char folder[1024];      /* of the run */
    size_t place;           /* of the step that left it, in the order of the file */
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

/* A state with a longer trail is a later one; so is, at the same length, that of a later step. */
static bool is_later(const struct search *search, const struct record *record, size_t place)
{
    const struct record *found = search->found;
    if (!found || record->trail.length != found->trail.length)
        return !found || record->trail.length > found->trail.length;
    return place >= search->place;
}

static void look_into(struct search *search, const char *path, const char *folder, size_t place)
{
    struct error error = {0};
    struct dataset *dataset = dataset_open(path, &error);
    for (uint64_t i = 0; dataset && i < dataset_count(dataset); i++) {
        struct record *record = dataset_read(dataset, i);
        if (record->parent == search->id)
            add_child(search, record->id);
        if (record->id == search->id && is_later(search, record, place)) {
            record_destroy(search->found);
            search->found = record;
            search->place = place;
            snprintf(search->folder, sizeof(search->folder), "%s", folder);
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
    struct lineage lineage; /* of the run that is being looked into */
};

static void at_data(void *data, const char *path, const char *name)
{
    struct walk *walk = data;
    if (!ends_with(name, ".records") && !ends_with(name, ".rejects"))
        return;
    xy_str step = lineage_step_of_file(&walk->lineage.arena, name);
    look_into(walk->search, path, walk->lineage.folder, lineage_place(&walk->lineage, step));
}

static void at_run(void *data, const char *path, const char *name)
{
    struct walk *walk = data;
    char folder[2100];
    if (walk->run && strcmp(walk->run, name) != 0)
        return;
    snprintf(folder, sizeof(folder), "%s/data", path);
    lineage_read(&walk->lineage, path);
    each_entry(folder, at_data, walk);
    lineage_free(&walk->lineage);
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

/* ---- what steps did without a note ----------------------------------------------------------- */

/* The record's trail, and the steps it went through. */
struct life {
    struct arena arena;
    struct lineage lineage;
    struct value trail;
    const struct value *path[LINEAGE_STEPS];
    size_t path_count;
};

static xy_str event_step(const struct life *life, size_t event)
{
    const struct value *step = value_member(&life->trail.list.items[event], STR("step"));
    return step ? step->text : STR("");
}

static void life_read(struct life *life, const struct search *search)
{
    struct buffer json;
    struct error error = {0};
    *life = (struct life){.trail = {.type = VALUE_LIST}};
    lineage_read(&life->lineage, search->folder);
    buffer_init(&json, (size_t)64 << 20);
    buffer_append_char(&json, '[');
    buffer_append_str(&json, buffer_str(&search->found->trail));
    buffer_append_char(&json, ']');
    if (json_parse(&life->arena, buffer_str(&json), &life->trail, &error) < 0)
        life->trail = (struct value){.type = VALUE_LIST};
    buffer_free(&json);
    bool rejected = ends_with(search->where, ".rejects");
    const char *slash = strrchr(search->where, '/');
    xy_str last = lineage_step_of_file(&life->arena, slash ? slash + 1 : search->where);
    if (rejected && life->trail.list.count)
        last = event_step(life, life->trail.list.count - 1);
    life->path_count = lineage_path(&life->lineage, last, !rejected, life->path);
}

static void life_free(struct life *life)
{
    lineage_free(&life->lineage);
    arena_free(&life->arena);
}

/* Does the trail tell of this step? A repeat is no more than what its steps did. */
static bool is_told(const struct life *life, const struct value *step)
{
    xy_str id = value_member(step, STR("step"))->text;
    const struct value *kind = value_member(step, STR("kind"));
    bool told = kind && kind->type == VALUE_TEXT && str_is(kind->text, "repeat");
    for (size_t i = 0; i < life->trail.list.count && !told; i++)
        told = str_equal(event_step(life, i), id);
    return told;
}

enum { SHORT_VALUE = 60 };

static void print_passed(const struct value *step, const struct record *record)
{
    xy_str id = value_member(step, STR("step"))->text;
    printf("  %-20.*s %s", (int)id.len, id.ptr, lineage_verdict(step, record));
    struct buffer text;
    buffer_init(&text, (size_t)64 << 20);
    for (uint32_t i = 0; i < record->field_count; i++) {
        const char *name = record->fields[i].name, *names[] = {name, NULL};
        if (!lineage_sets(step, name))
            continue;
        buffer_clear(&text);
        record_write_json(record, names, false, &text);
        /* {"name":value} without what stands around the value; `{}` is a vector's. */
        size_t before = strlen(name) + 4;
        if (text.length <= before + 1)
            continue;
        size_t length = text.length - before - 1;
        bool cut = length > SHORT_VALUE;
        length = cut ? SHORT_VALUE : length;
        while (cut && (text.bytes[before + length] & 0xc0) == 0x80)
            length--;
        printf("  %s=%.*s%s", name, (int)length, text.bytes + before, cut ? "..." : "");
    }
    printf("%s\n", lineage_conditional(step) ? "  (or its `when` did not hold)" : "");
    buffer_free(&text);
}

static bool is_step(const struct value *step, xy_str id)
{
    return str_equal(value_member(step, STR("step"))->text, id);
}

/* The steps on the way from `next` up to `stop` that left no note. */
static void print_way(const struct life *life, size_t *next, size_t stop,
                      const struct record *record)
{
    for (; *next < stop; (*next)++) {
        if (!is_told(life, life->path[*next]))
            print_passed(life->path[*next], record);
    }
}

static void print_verdicts(const struct life *life, const struct record *record)
{
    size_t next = 0;
    for (size_t i = 0; i < life->trail.list.count; i++) {
        size_t at = next;
        while (at < life->path_count && !is_step(life->path[at], event_step(life, i)))
            at++;
        if (at < life->path_count) /* else of a step that is not on the way: an earlier round's */
            print_way(life, &next, at, record);
        print_event(&life->trail.list.items[i]);
    }
    print_way(life, &next, life->path_count, record);
}

static void write_verdicts(const struct life *life, const struct record *record,
                           struct buffer *json)
{
    bool first = true;
    buffer_append_text(json, ",\"passed\":[");
    for (size_t i = 0; i < life->path_count; i++) {
        if (is_told(life, life->path[i]))
            continue;
        buffer_append_text(json, first ? "{\"step\":" : ",{\"step\":");
        json_write_text(json, value_member(life->path[i], STR("step"))->text);
        buffer_printf(json, ",\"event\":\"%s\",\"when\":%s}",
                      lineage_verdict(life->path[i], record),
                      lineage_conditional(life->path[i]) ? "true" : "false");
        first = false;
    }
    buffer_append_char(json, ']');
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
    struct buffer json;
    struct life life;
    char id[17], parent[17];
    record_id_text(record->id, id);
    record_id_text(record->parent, parent);
    bool rejected = ends_with(search->where, ".rejects");
    printf("record %s%s%s, %s, weight %g\n", id, record->parent ? ", made from " : "",
           record->parent ? parent : "", rejected ? "rejected" : "kept", record->weight);
    printf("last seen in %s\n", search->where);
    life_read(&life, search);
    print_verdicts(&life, record);
    life_free(&life);
    print_children(search);
    buffer_init(&json, (size_t)64 << 20);
    record_write_json(record, NULL, false, &json);
    printf("%s\n", buffer_str(&json).ptr);
    buffer_free(&json);
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
        struct life life;
        life_read(&life, search);
        write_verdicts(&life, search->found, &json);
        life_free(&life);
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
