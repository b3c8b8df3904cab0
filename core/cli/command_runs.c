/* SPDX-License-Identifier: Apache-2.0 */
/* `runs`: what each run left in its summary. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "file.h"
#include "json.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void each_entry(const char *folder, void (*fn)(void *data, const char *path, const char *name),
                void *data)
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

static const struct flag runs_flags[] = {
    {"runs", 0, "DIR", "folder for runs (default .xylem)", false},
    {"json", 0, NULL, "print the list as JSON", false},
    {NULL, 0, NULL, NULL, false},
};

/* What is known of a run; without a summary it was killed before its end. */
struct run_entry {
    char *name, *pipeline, *summary;
    double finished;
};

struct run_list {
    struct run_entry *entries;
    const char *pipeline;
    size_t count;
};

static double number_of(const struct value *summary, const char *name)
{
    const struct value *value = value_member(summary, str_of(name));
    return value && value->type == VALUE_INT      ? (double)value->integer
           : value && value->type == VALUE_NUMBER ? value->number
                                                  : 0;
}

static void add_run(void *data, const char *path, const char *name)
{
    struct run_list *list = data;
    struct arena arena = {0};
    struct buffer text;
    struct value summary;
    struct error error = {0};
    char file[2100];
    buffer_init(&text, (size_t)64 << 20);
    snprintf(file, sizeof(file), "%s/summary.json", path);
    list->entries = memory_resize(list->entries, list->count + 1, sizeof(*list->entries));
    struct run_entry *entry = &list->entries[list->count++];
    *entry = (struct run_entry){
        .name = memory_copy_text(name, strlen(name)),
        .pipeline = memory_copy_text(list->pipeline, strlen(list->pipeline)),
        .finished = HUGE_VAL,
    };
    if (file_read(file, (size_t)64 << 20, &text, &error) == XY_OK &&
        json_parse(&arena, buffer_str(&text), &summary, &error) == XY_OK) {
        while (text.length && text.bytes[text.length - 1] == '\n')
            text.length--;
        entry->summary = memory_copy_text(text.bytes, text.length);
        entry->finished = number_of(&summary, "finished");
    }
    buffer_free(&text);
    arena_free(&arena);
}

static void add_pipeline(void *data, const char *path, const char *name)
{
    struct run_list *list = data;
    char folder[2100];
    list->pipeline = name;
    snprintf(folder, sizeof(folder), "%s/runs", path);
    each_entry(folder, add_run, list);
}

/* The latest last, where a reader of a terminal looks; those that never ended after it. */
static int by_time(const void *a, const void *b)
{
    const struct run_entry *left = a, *right = b;
    if (left->finished != right->finished)
        return left->finished < right->finished ? -1 : 1;
    return strcmp(left->name, right->name);
}

static void print_row(struct table *table, const struct run_entry *entry)
{
    struct arena arena = {0};
    struct value summary;
    struct error error = {0};
    table_cell(table, "%s", entry->name);
    table_cell(table, "%s", entry->pipeline);
    if (entry->summary && json_parse(&arena, str_of(entry->summary), &summary, &error) == XY_OK) {
        const struct value *end = value_member(&summary, STR("end"));
        table_cell(table, "%.*s", end ? (int)end->text.len : 0, end ? end->text.ptr : "");
        table_cell(table, "%.0f", number_of(&summary, "accepted"));
        table_cell(table, "%.0f", number_of(&summary, "rejected"));
        table_cell(table, "%.4f", number_of(&summary, "cost"));
        table_cell(table, "%s", short_seconds(number_of(&summary, "seconds")));
    } else {
        table_cell(table, "unfinished");
        for (int i = 0; i < 4; i++)
            table_cell(table, "-");
    }
    arena_free(&arena);
}

static void print_runs(const struct run_list *list)
{
    struct table *table = table_create(7);
    static const char *const heading[] = {"run",      "pipeline", "end", "accepted",
                                          "rejected", "cost",     "time"};
    for (size_t i = 0; i < 7; i++)
        table_cell(table, "%s", heading[i]);
    for (size_t i = 0; i < list->count; i++)
        print_row(table, &list->entries[i]);
    table_print(table, stdout);
}

/* A list of the summaries, each with its pipeline's name in front. */
static void print_runs_json(const struct run_list *list)
{
    struct buffer out;
    buffer_init(&out, (size_t)256 << 20);
    buffer_append_char(&out, '[');
    for (size_t i = 0; i < list->count; i++) {
        const struct run_entry *entry = &list->entries[i];
        buffer_append_text(&out, i ? ",{\"pipeline\":" : "{\"pipeline\":");
        json_write_text(&out, str_of(entry->pipeline));
        buffer_append_char(&out, ',');
        if (entry->summary)
            buffer_append_text(&out, entry->summary + 1);
        else
            buffer_printf(&out, "\"run\":\"%s\",\"end\":\"unfinished\"}", entry->name);
    }
    buffer_append_char(&out, ']');
    puts(buffer_str(&out).ptr);
    buffer_free(&out);
}

static int list_runs(const struct arguments *arguments)
{
    const char *root = argument(arguments, "runs");
    struct run_list list = {0};
    each_entry(root ? root : ".xylem", add_pipeline, &list);
    if (list.count)
        qsort(list.entries, list.count, sizeof(*list.entries), by_time);
    if (argument_given(arguments, "json"))
        print_runs_json(&list);
    else if (list.count)
        print_runs(&list);
    else
        printf("no runs under `%s`\n", root ? root : ".xylem");
    for (size_t i = 0; i < list.count; i++) {
        free(list.entries[i].name);
        free(list.entries[i].pipeline);
        free(list.entries[i].summary);
    }
    free(list.entries);
    return EXIT_DONE;
}

const struct command command_runs = {
    .name = "runs",
    .words = "",
    .summary = "list the runs of every pipeline, with how each ended",
    .flags = runs_flags,
    .run = list_runs,
};
