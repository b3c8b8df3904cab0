/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline_fake.h - stages without plugins, and files in a folder of their own. */
#ifndef XYLEM_TESTS_UNIT_PIPELINE_FAKE_H
#define XYLEM_TESTS_UNIT_PIPELINE_FAKE_H

#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "pipeline.h"

struct fake_state {
    const char *text, *path, *json, *field, *expression;
    int64_t integer;
    double number;
    const void *pointer, *other;
    const char *const *list;
};

#define AT(member) offsetof(struct fake_state, member)

static const xy_option fake_read[] = {
    {"path", XY_OPT_PATH, AT(path), NULL, XY_OPT_REQUIRED, 0, 0, NULL, "The file."},
    {0},
};
static const xy_option fake_grid[] = {
    {"values", XY_OPT_JSON, AT(json), NULL, XY_OPT_REST, 0, 0, NULL, "A list for each field."},
    {0},
};
static const xy_option fake_knn[] = {
    {"pool", XY_OPT_DATASET, AT(pointer), NULL, XY_OPT_REQUIRED, 0, 0, NULL, "The examples."},
    {"k", XY_OPT_INT, AT(integer), "4", 0, 1, 100, NULL, "How many."},
    {"embed", XY_OPT_MODEL, AT(other), NULL, 0, 0, 0, NULL, "The embedder."},
    {0},
};
static const xy_option fake_minhash[] = {
    {"field", XY_OPT_FIELD, AT(field), "text", 0, 0, 0, NULL, "The text."},
    {"threshold", XY_OPT_NUMBER, AT(number), "0.7", 0, 0.01, 1, NULL, "Similarity."},
    {0},
};
static const xy_option fake_expression[] = {
    {"keep", XY_OPT_EXPRESSION, AT(expression), NULL, XY_OPT_REQUIRED, 0, 0, NULL, "What stays."},
    {0},
};
static const xy_option fake_agreement[] = {
    {"gold", XY_OPT_DATASET, AT(pointer), NULL, 0, 0, 0, NULL, "The gold labels."},
    {0},
};
static const xy_option fake_student[] = {
    {"learner", XY_OPT_LEARNER, AT(pointer), "linear", 0, 0, 0, NULL, "The learner."},
    {0},
};
static const xy_option fake_echo[] = {
    {"base_url", XY_OPT_TEXT, AT(text), NULL, XY_OPT_REQUIRED, 0, 0, NULL, "Where it is."},
    {"api_key", XY_OPT_TEXT, AT(path), NULL, XY_OPT_SECRET, 0, 0, NULL, "The key."},
    {0},
};
static const xy_option fake_linear[] = {
    {"c", XY_OPT_NUMBER, AT(number), "1", 0, 0.001, 1000, NULL, "Regularisation."},
    {0},
};
static const xy_option fake_none[] = {{0}};

static inline int fake_write_open(const void *state, xy_job *job, const char *const *fields,
                                  xy_output *output, void **cursor)
{
    (void)state, (void)job, (void)fields, (void)output, (void)cursor;
    return XY_OK;
}

static inline const void *fake_tool(const char *id)
{
    static const xy_tool tool = {
        .size = sizeof(tool), .description = "Adds.", .result = "sum",
        .parameters = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"}},"
                      "\"required\":[\"a\"]}"};
    return strcmp(id, XY_TOOL) == 0 ? &tool : NULL;
}

#define FAKE(id_, kind_, flags_, options_)                                                         \
    {.stage = {XY_STAGE_INIT, .id = id_, .kind = kind_, .flags = flags_,                  \
               .summary = "Fake " id_ ".",                                                         \
               .state_size = sizeof(struct fake_state), .options = options_},                      \
     .options = options_}

/* A registry that lives as long as the program; nothing in it is freed. */
static inline struct registry *fake_registry(void)
{
    static struct stage_type stages[] = {
        FAKE("read", XY_CONDITION, XY_STAGE_SOURCE | XY_STAGE_NO_INPUT, fake_read),
        FAKE("grid", XY_CONDITION, XY_STAGE_SOURCE, fake_grid),
        FAKE("demos.knn", XY_CONDITION, 0, fake_knn),
        FAKE("adder", XY_CONDITION, 0, fake_linear),
        FAKE("minhash", XY_FILTER, 0, fake_minhash),
        FAKE("expression", XY_FILTER, 0, fake_expression),
        FAKE("agreement", XY_FILTER, 0, fake_none),
        FAKE("student", XY_ENHANCER, XY_STAGE_DATASET, fake_student),
        FAKE("agreement", XY_EVALUATOR, 0, fake_agreement),
        FAKE("diversity", XY_EVALUATOR, XY_STAGE_DATASET, fake_none),
        FAKE("echo", XY_GENERATOR, 0, fake_echo),
        FAKE("openai", XY_GENERATOR, 0, fake_grid),
        FAKE("linear", XY_LEARNER, 0, fake_linear),
        FAKE("jsonl", XY_FORMAT, 0, fake_none),
        FAKE("chat", XY_FORMAT, 0, fake_none),
        FAKE("csv", XY_FORMAT, 0, fake_none),
    };
    enum { COUNT = sizeof(stages) / sizeof(stages[0]) };
    static char path[] = "fake.so";
    static struct plugin plugin = {.path = path, .stages = stages, .stage_count = COUNT};
    static struct registry registry = {.plugins = &plugin};
    for (size_t i = 0; i < COUNT; i++) {
        stages[i].plugin = &plugin;
        while (stages[i].options[stages[i].option_count].name)
            stages[i].option_count++;
    }
    stages[3].stage.extension = fake_tool;
    stages[COUNT - 3].format = (xy_format){.endings = ".jsonl .ndjson",
                                           .write_open = fake_write_open};
    stages[COUNT - 2].format = (xy_format){.endings = ".chat.jsonl",
                                           .write_open = fake_write_open};
    stages[COUNT - 1].format = (xy_format){.endings = ".csv"};
    return &registry;
}

static char fake_folder[64];

/* Makes an empty folder and goes there, so that messages show plain names. */
static inline void fake_enter(void)
{
    snprintf(fake_folder, sizeof(fake_folder), "/tmp/pipeline_test_XXXXXX");
    if (!mkdtemp(fake_folder) || chdir(fake_folder) != 0)
        abort();
}

static inline void fake_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "wb");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        abort();
}

static inline void fake_leave(const char *const *names)
{
    for (; *names; names++)
        unlink(*names);
    if (chdir("/") != 0 || rmdir(fake_folder) != 0)
        printf("\n    %s is left behind\n", fake_folder);
}

/* All messages, a line each, or "". Valid until the next call. */
static inline const char *fake_lines(const struct error_list *errors)
{
    static struct buffer lines;
    if (!lines.ceiling)
        buffer_init(&lines, 1 << 20);
    buffer_clear(&lines);
    for (size_t i = 0; i < errors->count; i++) {
        if (i)
            buffer_append_char(&lines, '\n');
        error_format(&errors->errors[i], &lines);
    }
    return lines.bytes && lines.length ? lines.bytes : "";
}

static inline struct pipeline *fake_read_text(const char *text, const char *const *sets,
                                              struct error_list *errors)
{
    fake_file("p.yaml", text);
    return pipeline_read("p.yaml", NULL, sets, fake_registry(), errors);
}

#endif
