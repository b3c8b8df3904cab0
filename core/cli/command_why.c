/* SPDX-License-Identifier: Apache-2.0 */
/* `why`: the life of a record, from the data that the steps of a run left. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "dataset.h"
#include "json.h"

static const struct flag flags[] = {
    {"runs", 0, "DIR", "folder for runs (default .xylem)", false},
    {"run", 0, "RUN", "only this run", false},
    {"json", 0, NULL, "print the record as JSON", false},
    {NULL, 0, NULL, NULL, false},
};

struct search {
    uint64_t id;
    struct record *found;   /* the one with the longest trail: the latest state */
    char where[1024];
    size_t children;
};

static void look_into(struct search *search, const char *path)
{
    struct error error = {0};
    struct dataset *dataset = dataset_open(path, &error);
    for (uint64_t i = 0; dataset && i < dataset_count(dataset); i++) {
        struct record *record = dataset_read(dataset, i);
        search->children += record->parent == search->id;
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

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Calls `fn` for each entry of a folder in name order, hidden ones left out. */
static void each_entry(const char *folder, void (*fn)(void *data, const char *path,
                                                      const char *name), void *data)
{
    DIR *dir = opendir(folder);
    char **names = NULL;
    size_t count = 0;
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        names = memory_resize(names, count + 1, sizeof(char *));
        names[count++] = memory_copy_text(entry->d_name, strlen(entry->d_name));
    }
    if (dir)
        closedir(dir);
    if (count)
        qsort(names, count, sizeof(char *), by_name);
    for (size_t i = 0; i < count; i++) {
        char path[2048];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        fn(data, path, names[i]);
        free(names[i]);
    }
    free(names);
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
    if (search->children)
        printf("%zu records were made from it\n", search->children);
    buffer_clear(&json);
    record_write_json(record, NULL, false, &json);
    printf("%s\n", buffer_str(&json).ptr);
    buffer_free(&json);
    arena_free(&arena);
}

static void print_json(const struct search *search)
{
    struct buffer json;
    char id[17];
    record_id_text(search->found->id, id);
    buffer_init(&json, (size_t)64 << 20);
    buffer_printf(&json, "{\"id\":\"%s\",\"rejected\":%s,\"fields\":", id,
                  ends_with(search->where, ".rejects") ? "true" : "false");
    record_write_json(search->found, NULL, false, &json);
    buffer_append_text(&json, ",\"trail\":[");
    buffer_append_str(&json, buffer_str(&search->found->trail));
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
                           "rejects file or in the output's `id`", arguments->words[0]);
    each_entry(root ? root : ".xylem", at_pipeline, &walk);
    if (!search.found) {
        fprintf(stderr, "xylem why: no run under `%s` knows a record %s\n", root ? root : ".xylem",
                arguments->words[0]);
        return EXIT_FAILED;
    }
    if (argument_given(arguments, "json"))
        print_json(&search);
    else
        print_life(&search);
    record_destroy(search.found);
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

/* ---- runs ------------------------------------------------------------------------------------ */

static const struct flag runs_flags[] = {
    {"runs", 0, "DIR", "folder for runs (default .xylem)", false},
    {NULL, 0, NULL, NULL, false},
};

struct run_list {
    struct table *table;
    const char *pipeline;
    size_t count;
};

static void figure(struct table *table, const struct value *summary, const char *name,
                   const char *format)
{
    const struct value *value = value_member(summary, str_of(name));
    double number = value && value->type == VALUE_INT ? (double)value->integer
                    : value && value->type == VALUE_NUMBER ? value->number : 0;
    char text[64];
    if (strcmp(format, "time") == 0)
        snprintf(text, sizeof(text), "%s", short_seconds(number));
    else
        snprintf(text, sizeof(text), strcmp(format, "cost") == 0 ? "%.4f" : "%.0f", number);
    table_cell(table, "%s", text);
}

static void list_run(void *data, const char *path, const char *name)
{
    struct run_list *list = data;
    struct arena arena = {0};
    struct buffer text;
    struct value summary;
    struct error error = {0};
    char file[2100];
    buffer_init(&text, (size_t)64 << 20);
    snprintf(file, sizeof(file), "%s/summary.json", path);
    FILE *in = fopen(file, "r");
    char chunk[4096];
    for (size_t got = 1; in && got > 0;) {
        got = fread(chunk, 1, sizeof(chunk), in);
        buffer_append(&text, chunk, got);
    }
    if (in)
        fclose(in);
    list->count++;
    table_cell(list->table, "%s", name);
    table_cell(list->table, "%s", list->pipeline);
    if (in && json_parse(&arena, buffer_str(&text), &summary, &error) == 0) {
        const struct value *end = value_member(&summary, STR("end"));
        table_cell(list->table, "%.*s", end ? (int)end->text.len : 0, end ? end->text.ptr : "");
        figure(list->table, &summary, "accepted", "count");
        figure(list->table, &summary, "rejected", "count");
        figure(list->table, &summary, "cost", "cost");
        figure(list->table, &summary, "seconds", "time");
    } else {
        table_cell(list->table, "unfinished");
        for (int i = 0; i < 4; i++)
            table_cell(list->table, "-");
    }
    buffer_free(&text);
    arena_free(&arena);
}

static void list_pipeline(void *data, const char *path, const char *name)
{
    struct run_list *list = data;
    char folder[2100];
    list->pipeline = name;
    snprintf(folder, sizeof(folder), "%s/runs", path);
    each_entry(folder, list_run, list);
}

static int list_runs(const struct arguments *arguments)
{
    const char *root = argument(arguments, "runs");
    struct run_list list = {.table = table_create(7)};
    static const char *const heading[] = {"run",      "pipeline", "end", "accepted",
                                          "rejected", "cost",     "time"};
    for (size_t i = 0; i < 7; i++)
        table_cell(list.table, "%s", heading[i]);
    each_entry(root ? root : ".xylem", list_pipeline, &list);
    table_print(list.table, stdout);
    if (!list.count)
        printf("no runs under `%s`\n", root ? root : ".xylem");
    return EXIT_DONE;
}

const struct command command_runs = {
    .name = "runs",
    .words = "",
    .summary = "list the runs of every pipeline, with how each ended",
    .flags = runs_flags,
    .run = list_runs,
};
