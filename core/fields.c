/* SPDX-License-Identifier: Apache-2.0 */
#include "fields_internal.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "json.h"

enum {
    WORDS_CEILING = 64 << 20,
    USUAL_BYTES = 60,        /* of a value of which nothing is known */
    DEEPEST = 8
};

/* ---- names ----------------------------------------------------------------------------------- */

static bool in_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '_' || c >= 0x80;
}

void fields_add_words(struct fields *fields, xy_str text)
{
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        while (end < text.len && in_word((unsigned char)text.ptr[end]))
            end++;
        if (end > at) {
            buffer_append(&fields->words, text.ptr + at, end - at);
            buffer_append_char(&fields->words, '\0');
        }
        at = end + 1;
    }
}

/* What stands outside of {{ }}, {% %} and {# #}: a query's variables become fields. */
static void add_literal_words(struct fields *fields, xy_str text)
{
    while (text.len) {
        const char *tag = memchr(text.ptr, '{', text.len);
        size_t length = tag ? (size_t)(tag - text.ptr) : text.len;
        fields_add_words(fields, (xy_str){text.ptr, length});
        text = (xy_str){text.ptr + length, text.len - length};
        bool is_tag = text.len > 1 && strchr("{%#", text.ptr[1]);
        const char ending[] = {is_tag && text.ptr[1] != '{' ? text.ptr[1] : '}', '}'};
        const char *end = is_tag ? memmem(text.ptr + 2, text.len - 2, ending, 2) : NULL;
        size_t skipped = end ? (size_t)(end + 2 - text.ptr) : text.len > 0;
        text = (xy_str){text.ptr + skipped, text.len - skipped};
    }
}

static void add_node_words(struct fields *fields, const struct node *node)
{
    if (!node || node->secret)
        return;
    if (node->kind == NODE_SCALAR)
        fields_add_words(fields, node->text);
    for (size_t i = 0; node->kind != NODE_SCALAR && i < node->count; i++) {
        if (node->kind == NODE_MAP)
            fields_add_words(fields, node->keys[i]->text);
        add_node_words(fields, node->items[i]);
    }
}

/* ---- values ---------------------------------------------------------------------------------- */

/* The field as this step sets it, with room for another value; NULL when it has enough. */
static struct known_field *place_of(struct fields *fields, const char *name, size_t step)
{
    for (size_t i = fields->count; i-- > 0;) {
        struct known_field *field = &fields->items[i];
        if (field->step == step && strcmp(field->name, name) == 0)
            return field->count < FIELDS_DRAWS ? field : NULL;
    }
    fields->items = memory_resize(fields->items, fields->count + 1, sizeof(*fields->items));
    struct known_field *field = &fields->items[fields->count++];
    *field = (struct known_field){.name = arena_copy(&fields->arena, name, strlen(name)),
                                  .step = step};
    return field;
}

void fields_add_value(struct fields *fields, const char *name, size_t step, struct value value)
{
    struct known_field *field = place_of(fields, name, step);
    if (field)
        field->values[field->count++] = value;
    fields_add_words(fields, str_of(name));
}

/* What an option lists: axes of a grid, choices of a sampler. The values of the first list in it;
 * a map's keys where it holds none. */
static void add_listed(struct fields *fields, const char *name, size_t step,
                       const struct node *node, unsigned depth)
{
    struct value value;
    if (node->secret || depth == DEEPEST)
        return;
    if (node->kind == NODE_LIST) {
        for (size_t i = 0; i < node->count && i < FIELDS_DRAWS; i++) {
            /* Spread over all of them: the first may be the short ones. */
            const struct node *item = node->count <= FIELDS_DRAWS
                                          ? node->items[i]
                                          : node->items[i * node->count / FIELDS_DRAWS];
            if (node_value(&fields->arena, item, &value) == 0)
                fields_add_value(fields, name, step, value);
        }
        return;
    }
    if (node->kind == NODE_SCALAR) {
        if (node_value(&fields->arena, node, &value) == 0)
            fields_add_value(fields, name, step, value);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->items[i]->kind == NODE_LIST) {
            add_listed(fields, name, step, node->items[i], depth + 1);
            return;
        }
    }
    for (size_t i = 0; i < node->count && i < FIELDS_DRAWS; i++)
        fields_add_value(fields, name, step, value_text(node->keys[i]->text));
}

/* ---- steps ----------------------------------------------------------------------------------- */

static const char *text_option(const struct step *step, const char *name)
{
    const struct node *node = step->with ? node_member(step->with, name) : NULL;
    if (node)
        return node->kind == NODE_SCALAR ? node->text.ptr : NULL;
    for (size_t i = 0; i < step->type->option_count; i++) {
        if (strcmp(step->type->options[i].name, name) == 0)
            return step->type->options[i].def;
    }
    return NULL;
}

/* The file that an option names, in the arena; NULL when it names none. */
static const char *file_of(struct fields *fields, const struct step *step,
                           const xy_option *option)
{
    const struct node *node = step->with ? node_member(step->with, option->name) : NULL;
    if (!node || node->kind != NODE_SCALAR || node->secret || !node->text.len ||
        (option->type != XY_OPT_PATH && option->type != XY_OPT_DATASET) ||
        option->flags & XY_OPT_NEUTRAL)
        return NULL;
    if (option->type == XY_OPT_DATASET &&
        pipeline_lookup(fields->pipeline, step, node->text.ptr))
        return NULL;
    return file_path(&fields->arena, fields->pipeline->folder, node->text.ptr);
}

/* What a stage puts into the field that its option `into` names is a list where it draws several
 * from a data set, as demonstrations and passages are. */
static void add_drawn(struct fields *fields, const struct step *step, size_t number,
                      const struct reading *reading)
{
    const char *into = text_option(step, "into"), *k = text_option(step, "k");
    size_t count = k ? strtoul(k, NULL, 10) : 0;
    if (!into || !reading->listed || !count)
        return;
    if (count > FIELDS_RECORDS)
        count = FIELDS_RECORDS;
    for (size_t draw = 0; draw < FIELDS_DRAWS; draw++) {
        struct value *items = arena_alloc(&fields->arena, count * sizeof(*items));
        for (size_t i = 0; i < count; i++)
            items[i] = reading->list[(draw + i) % reading->listed];
        fields_add_value(fields, into, number,
                  (struct value){.type = VALUE_LIST, .list = {items, count}});
    }
}

/* What the file of an option has. `*files` counts the files, `*whole` those known to the end. */
static void visit_file(struct fields *fields, const struct step *step, size_t number,
                       const xy_option *option, size_t *files, size_t *whole)
{
    const char *path = file_of(fields, step, option), *format = text_option(step, "format");
    struct reading reading = {.fields = fields, .step = number};
    if (!path)
        return;
    if (format && strcmp(format, "auto") == 0)
        format = NULL;
    ++*files;
    *whole += fields_read_file(&reading, path, format, node_member(step->with, "with"));
    if (option->type == XY_OPT_DATASET)
        add_drawn(fields, step, number, &reading);
}

static void visit_option(struct fields *fields, const struct step *step, size_t number,
                         const xy_option *option)
{
    const struct node *node = step->with ? node_member(step->with, option->name) : NULL;
    if (option->type == XY_OPT_TEMPLATE) {
        if (node && node->kind == NODE_SCALAR && !node->secret)
            add_literal_words(fields, node->text);
    } else if (option->type != XY_OPT_EXPRESSION) {
        add_node_words(fields, node);
        fields_add_words(fields, str_of(option->def));
    }
    if (option->type != XY_OPT_JSON || !node || node->kind != NODE_MAP)
        return;
    for (size_t i = 0; i < node->count; i++) {
        if (!node->keys[i]->secret)
            add_listed(fields, node->keys[i]->text.ptr, number, node->items[i], 0);
    }
}

static bool is_option(const struct step *step, const struct node *key)
{
    for (size_t i = 0; i < step->type->option_count; i++) {
        const xy_option *option = &step->type->options[i];
        if (!(option->flags & XY_OPT_REST) && str_is(key->text, option->name))
            return true;
    }
    return false;
}

static void visit_stage(struct fields *fields, const struct step *step, size_t number)
{
    const char *line = step->type->stage.fields;
    size_t files = 0, whole = 0;
    for (size_t i = 0; i < step->type->option_count; i++) {
        visit_option(fields, step, number, &step->type->options[i]);
        visit_file(fields, step, number, &step->type->options[i], &files, &whole);
    }
    for (size_t i = 0; step->with && step->with->kind == NODE_MAP && i < step->with->count; i++) {
        const struct node *key = step->with->keys[i], *item = step->with->items[i];
        if (is_option(step, key))
            continue;
        fields_add_words(fields, key->text);
        add_node_words(fields, item);
        if (!key->secret)
            add_listed(fields, key->text.ptr, number, item, 0);
    }
    fields_add_words(fields, str_of(line));
    bool own = !line && !step_is_evaluator(step) && step->type->stage.kind != XY_FILTER;
    bool whatever = line && strstr(line, "whatever");
    fields->open = fields->open || own || (whatever && (!files || whole < files));
}

static void visit_output(struct fields *fields, const struct step *step, size_t number)
{
    const struct call_spec *call = &step->call;
    struct value schema = {.type = VALUE_NULL};
    struct error ignored;
    size_t bytes = (size_t)fields_answer_bytes(step);
    if (call->schema_text.len)
        json_parse(&fields->arena, call->schema_text, &schema, &ignored);
    const struct value *properties = value_member(&schema, STR("properties"));
    bool spread = call->spread && properties && properties->type == VALUE_MAP;
    fields->open = fields->open || (call->spread && !spread);
    for (size_t draw = 0; draw < FIELDS_DRAWS; draw++) {
        struct value answer = schema.type == VALUE_NULL
                                  ? fields_text(&fields->arena, bytes)
                                  : fields_of_schema(&fields->arena, &schema, draw, bytes);
        for (size_t i = 0; spread && i < answer.map.count; i++)
            fields_add_value(fields, arena_copy(&fields->arena, answer.map.members[i].key.ptr,
                                         answer.map.members[i].key.len),
                      number, answer.map.members[i].value);
        if (!spread)
            fields_add_value(fields, call->into ? call->into : "text", number, answer);
    }
}

static void visit_call(struct fields *fields, const struct step *step, size_t number)
{
    static const char *const stems[] = {
        [STEP_GENERATE] = "text", [STEP_SCORE] = "predicted", [STEP_EMBED] = "embedding"};
    const struct call_spec *call = &step->call;
    const char *stem = call->into ? call->into : call->spread ? step->id : stems[step->kind];
    static const char *const endings[] = {"", "_logprob", "_confidence", "_probabilities"};
    if (step->kind == STEP_GENERATE)
        visit_output(fields, step, number);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        fields_add_words(fields, str_of(arena_printf(&fields->arena, "%s%s", stem, endings[i])));
    for (size_t draw = 0; step->kind == STEP_SCORE && draw < call->candidate_count; draw++)
        fields_add_value(fields, stem, number, value_text(str_of(call->names[draw])));
    fields_add_words(fields, str_of(call->finish));
    fields_add_words(fields, str_of(call->append_to));
    fields_add_words(fields, str_of(call->conversation));
}

static void visit(struct fields *fields, struct step *const *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t number = fields->steps;
        fields->order = memory_resize(fields->order, number + 1, sizeof(struct step *));
        fields->order[fields->steps++] = steps[i];
        if (steps[i]->kind == STEP_REPEAT)
            visit(fields, steps[i]->steps, steps[i]->step_count);
        else if (steps[i]->kind == STEP_STAGE)
            visit_stage(fields, steps[i], number);
        else
            visit_call(fields, steps[i], number);
    }
}

void fields_collect(struct fields *fields, const struct pipeline *pipeline)
{
    *fields = (struct fields){.pipeline = pipeline};
    buffer_init(&fields->words, WORDS_CEILING);
    buffer_append_char(&fields->words, '\0');
    visit(fields, pipeline->steps, pipeline->step_count);
    fields->open = fields->open || fields->words.overflowed;
}

void fields_free(struct fields *fields)
{
    for (size_t i = 0; i < fields->record_count; i++)
        record_destroy(fields->records[i]);
    free(fields->records);
    free(fields->items);
    free(fields->order);
    buffer_free(&fields->words);
    arena_free(&fields->arena);
}

/* ---- what is asked --------------------------------------------------------------------------- */

/* `into`_confidence: what a stage's line says of a field that it names after another. */
static bool has_ending(const struct fields *fields, const char *name)
{
    for (const char *at = strchr(name, '_'); at; at = strchr(at + 1, '_')) {
        size_t length = strlen(at) + 1;
        char *ending = memory_resize(NULL, length + 1, 1);
        ending[0] = '\0';
        memcpy(ending + 1, at, length);
        bool found = memmem(fields->words.bytes, fields->words.length, ending, length + 1);
        free(ending);
        if (found)
            return true;
    }
    return false;
}

bool fields_may_have(const struct fields *fields, const char *name)
{
    size_t length = strlen(name) + 1;
    char *word = memory_resize(NULL, length + 1, 1);
    word[0] = '\0';
    memcpy(word + 1, name, length);
    bool found = memmem(fields->words.bytes, fields->words.length, word, length + 1);
    free(word);
    return found || fields->open || has_ending(fields, name);
}

const char *fields_nearest(struct fields *fields, const char *name)
{
    const char **names = arena_alloc(&fields->arena, (fields->count + 1) * sizeof(*names));
    for (size_t i = 0; i < fields->count; i++)
        names[i] = fields->items[i].name;
    return nearest_name(name, names, fields->count);
}

size_t fields_number(const struct fields *fields, const struct step *step)
{
    size_t number = 0;
    while (number < fields->steps && fields->order[number] != step)
        number++;
    return number;
}

struct value fields_draw(struct fields *fields, const char *name, size_t step, size_t draw)
{
    const struct known_field *found = NULL;
    for (size_t i = 0; i < fields->count; i++) {
        const struct known_field *field = &fields->items[i];
        if (strcmp(field->name, name) != 0 || !field->count)
            continue;
        /* The last that was set before; else, as in a loop, one that is set later. */
        if (!found || field->step < step)
            found = field;
    }
    return found ? found->values[draw % found->count]
                 : fields_text(&fields->arena, USUAL_BYTES);
}
