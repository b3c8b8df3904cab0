/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_input.c - the records and the options that a stage is tried with. */
#include <stdlib.h>
#include <string.h>

#include "conformance_internal.h"
#include "json.h"

const char *const kit_record_names[RECORD_KINDS] = {
    [RECORD_PLAIN] = "a plain record",
    [RECORD_NO_FIELDS] = "a record without fields",
    [RECORD_EMPTY] = "empty texts",
    [RECORD_HUGE] = "huge texts",
    [RECORD_ODD_TEXT] = "non-ASCII texts",
    [RECORD_OTHER_TYPES] = "fields of other types",
};

/* ---- records --------------------------------------------------------------------------------- */

/* Letters of two, three and four bytes, a combining mark, right-to-left text, a NUL byte, a
 * newline. */
static const char odd_text[] = "\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x8c\xb1 e\xcc\x81 "
                               "\xd7\xa9\xd7\x9c\0 x\n{{ a }} \"q\" \\";

static void set_other_type(xy_record *record, const char *field, size_t which)
{
    static const float vector[] = {0.6f, 0.8f};
    const xy_value values[] = {
        {.type = XY_INT, .integer = INT64_MIN},
        {.type = XY_NUMBER, .number = 1e308},
        {.type = XY_BOOL, .integer = 1},
        {.type = XY_JSON, .text = STR("{\"a\": [1, null, \"x\"]}")},
        {.type = XY_VECTOR, .length = 2, .vector = vector},
    };
    record->api->set(record, field, &values[which % (sizeof(values) / sizeof(values[0]))]);
}

static void fill_field(struct kit *kit, xy_record *record, const char *field, enum kit_record what,
                       uint64_t index)
{
    static const char *const plain[KIT_RECORDS] = {
        "one small text about a river", "another text, not like the first", "alpha"};
    switch (what) {
    case RECORD_PLAIN:
        xy_record_set_text(record, field, str_of(plain[index % KIT_RECORDS]));
        break;
    case RECORD_EMPTY: xy_record_set_text(record, field, STR("")); break;
    case RECORD_ODD_TEXT: xy_record_set_text(record, field, STR(odd_text)); break;
    case RECORD_OTHER_TYPES: set_other_type(record, field, strlen(field) + index); break;
    case RECORD_HUGE: {
        char *text = arena_alloc(&kit->arena, KIT_HUGE);
        for (size_t i = 0; i < KIT_HUGE; i++)
            text[i] = i % 7 == 6 ? ' ' : (char)('a' + (i * 31 + i / 1000) % 26);
        xy_record_set_text(record, field, (xy_str){text, KIT_HUGE});
        break;
    }
    default: break;
    }
}

static xy_str option_value(struct kit *kit, const xy_option *option)
{
    const struct node *given = kit->options ? node_member(kit->options, option->name) : NULL;
    if (given && given->kind == NODE_SCALAR)
        return given->text;
    return str_of(option->def);
}

void kit_fill(struct kit *kit, xy_record *record, enum kit_record what, uint64_t index)
{
    if (what == RECORD_NO_FIELDS)
        return;
    fill_field(kit, record, "text", what, index);
    fill_field(kit, record, "label", what, index + 2);
    for (size_t i = 0; i < kit->type->option_count; i++) {
        const xy_option *option = &kit->type->options[i];
        xy_str name = option->type == XY_OPT_FIELD ? option_value(kit, option) : (xy_str){0};
        if (name.len > 0 && !str_is(name, "text") && !str_is(name, "label"))
            fill_field(kit, record, arena_copy(&kit->arena, name.ptr, name.len), what, index + i);
    }
}

/* ---- options --------------------------------------------------------------------------------- */

/* A value of the option's type inside its range, as YAML. */
static void write_guess(struct kit *kit, const xy_option *option, struct buffer *out)
{
    bool any = option->low == 0 && option->high == 0;
    struct buffer text;
    buffer_init(&text, 4096);
    size_t first = option->choices ? strcspn(option->choices, "|") : 0;
    switch (option->type) {
    case XY_OPT_TEXT: case XY_OPT_FIELD: case XY_OPT_LIST:
        json_write_text(&text, first ? (xy_str){option->choices, first} : STR("text"));
        break;
    case XY_OPT_INT: buffer_printf(&text, "%.0f", any ? 2.0 : option->low); break;
    case XY_OPT_NUMBER: case XY_OPT_SECONDS:
        json_write_number(&text, any ? 1.0 : option->low / 2 + option->high / 2);
        break;
    case XY_OPT_BOOL: buffer_append_text(&text, "true"); break;
    case XY_OPT_JSON: buffer_append_text(&text, "{}"); break;
    case XY_OPT_PATH: buffer_append_text(&text, "records.jsonl"); break;
    case XY_OPT_EXPRESSION: buffer_append_text(&text, "'true'"); break;
    case XY_OPT_TEMPLATE: buffer_append_text(&text, "'{{ text }}'"); break;
    default: buffer_append_text(&text, "some"); break;
    }
    (void)kit;
    buffer_printf(out, "%s: %s\n", option->name, text.bytes);
    buffer_free(&text);
}

int kit_options(struct kit *kit, struct error *error)
{
    const xy_stage *stage = &kit->type->stage;
    const char *example = stage->extension ? stage->extension(CONFORMANCE_EXAMPLE) : NULL;
    struct buffer text;
    buffer_init(&text, 1 << 20);
    if (example) {
        buffer_append_text(&text, example);
    } else {
        for (size_t i = 0; i < kit->type->option_count; i++)
            if (kit->type->options[i].flags & XY_OPT_REQUIRED) {
                write_guess(kit, &kit->type->options[i], &text);
                kit->guessed = true;
            }
        if (!kit->guessed)
            buffer_append_text(&text, "{}");
    }
    kit->options = node_read_text(&kit->arena, CONFORMANCE_EXAMPLE,
                                  arena_str(&kit->arena, buffer_str(&text)), error);
    buffer_free(&text);
    return kit->options ? 0 : error->code;
}

/* Applies the kit's options with one key left out or replaced; how many errors that gives. */
static size_t count_errors(struct kit *kit, const char *key, const char *replacement)
{
    struct node changed = *kit->options;
    changed.kind = NODE_MAP;
    size_t room = kit->options->count + 1;
    changed.keys = arena_alloc(&kit->arena, room * sizeof(struct node *));
    changed.items = arena_alloc(&kit->arena, room * sizeof(struct node *));
    changed.count = 0;
    for (size_t i = 0; i < kit->options->count; i++) {
        if (str_is(kit->options->keys[i]->text, key))
            continue;
        changed.keys[changed.count] = kit->options->keys[i];
        changed.items[changed.count++] = kit->options->items[i];
    }
    if (replacement) {
        struct node *name = arena_alloc(&kit->arena, sizeof(*name));
        struct node *value = arena_alloc(&kit->arena, sizeof(*value));
        *name = (struct node){.kind = NODE_SCALAR, .file = "", .text = str_of(key), .plain = true};
        *value = (struct node){.kind = NODE_SCALAR, .file = "", .text = str_of(replacement),
                               .plain = true};
        changed.keys[changed.count] = name;
        changed.items[changed.count++] = value;
    }
    struct error_list errors = {0};
    struct option_resolver resolver = kit_resolver_functions;
    resolver.data = kit;
    size_t found = options_apply(kit->type->options, &changed, "the stage", &changed, kit->folder,
                                 NULL, &resolver, &kit->arena, NULL, &errors);
    error_list_free(&errors);
    return found;
}

static void try_range(struct kit *kit, const xy_option *option)
{
    bool number = option->type == XY_OPT_INT || option->type == XY_OPT_NUMBER ||
                  option->type == XY_OPT_SECONDS;
    if (!number || (option->low == 0 && option->high == 0))
        return;
    char text[64];
    snprintf(text, sizeof(text), "%.0f", option->high + 1 + option->high / 1e6);
    if (count_errors(kit, option->name, text) == 0)
        kit_fail(kit, "option `%s` takes %s, above its range", option->name, text);
    snprintf(text, sizeof(text), "%.0f", option->low - 1 - __builtin_fabs(option->low) / 1e6);
    if (count_errors(kit, option->name, text) == 0)
        kit_fail(kit, "option `%s` takes %s, below its range", option->name, text);
}

void kit_try_options(struct kit *kit)
{
    for (size_t i = 0; i < kit->type->option_count; i++) {
        const xy_option *option = &kit->type->options[i];
        if (!option->help || strlen(option->help) < 3)
            kit_fail(kit, "option `%s` has no help: one sentence for the reference pages",
                     option->name);
        if ((option->flags & XY_OPT_REQUIRED) && !(option->flags & XY_OPT_REST) &&
            count_errors(kit, option->name, NULL) == 0)
            kit_fail(kit, "option `%s` is required, and leaving it out is no error", option->name);
        try_range(kit, option);
    }
    if (kit->options->kind == NODE_MAP && count_errors(kit, "", NULL) > 0)
        kit_fail(kit, "the options of " CONFORMANCE_EXAMPLE " are refused by its own table");
}
