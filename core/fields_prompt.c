/* SPDX-License-Identifier: Apache-2.0 */
/* How long a step's prompts are likely to be: its templates, rendered with values such as records
 * will have. */
#include <string.h>

#include "fields.h"

enum { HISTORY_BYTES = 400 }; /* of a conversation that nothing is known of */

/* What one rendering sees. */
struct sight {
    struct fields *fields;
    size_t step, draw;
};

static bool lookup(const void *data, struct arena *arena, xy_str name, struct value *out)
{
    const struct sight *sight = data;
    const struct pipeline *pipeline = sight->fields->pipeline;
    if (str_is(name, "codebook") && pipeline->codebook.type == VALUE_MAP)
        *out = pipeline->codebook;
    else if (str_is(name, "round"))
        *out = value_int(0);
    else if (str_is(name, "record_weight"))
        *out = value_number(1);
    else
        *out = fields_draw(sight->fields, arena_str(arena, name).ptr, sight->step, sight->draw);
    return true;
}

/* The text outside of its tags, and a usual value for each name: where it cannot be rendered with
 * made-up values, as when it goes through the members of a text. */
static double rough_bytes(struct sight *sight, const struct template *template, xy_str source)
{
    double bytes = 0;
    for (const char *const *name = template_names(template); *name; name++) {
        struct value value = fields_draw(sight->fields, *name, sight->step, sight->draw);
        bytes += value.type == VALUE_TEXT ? (double)value.text.len : 0;
    }
    return bytes + (double)source.len;
}

static double template_bytes(struct sight *sight, const struct template *template, xy_str source)
{
    struct scope scope = {.lookup = lookup, .data = sight};
    struct arena arena = {0};
    struct buffer out;
    struct error ignored;
    buffer_init(&out, TEMPLATE_OUTPUT);
    bool good = template_render(template, &scope, &arena, &out, &ignored) >= 0;
    double bytes = good ? (double)out.length : rough_bytes(sight, template, source);
    buffer_free(&out);
    arena_free(&arena);
    return bytes;
}

/* All templates below a node: a prompt is a text, a map of roles, or a list of messages. */
static double node_bytes(struct sight *sight, const struct node *node)
{
    struct error ignored;
    double bytes = 0;
    if (!node)
        return 0;
    for (size_t i = 0; node->kind != NODE_SCALAR && i < node->count; i++)
        bytes += node_bytes(sight, node->items[i]);
    if (node->kind != NODE_SCALAR)
        return bytes;
    struct template *template = template_compile(node->text, &ignored);
    bytes = template ? template_bytes(sight, template, node->text) : (double)node->text.len;
    template_free(template);
    return bytes;
}

static double option_bytes(struct sight *sight, const struct step *step)
{
    double bytes = 0;
    for (const xy_option *option = step->type->options; option && option->name; option++) {
        const struct node *node = step->with ? node_member(step->with, option->name) : NULL;
        struct node fallback = {.kind = NODE_SCALAR, .text = str_of(option->def)};
        if (option->type == XY_OPT_TEMPLATE && (node || option->def))
            bytes += node_bytes(sight, node ? node : &fallback);
    }
    return bytes;
}

double fields_prompt_bytes(struct fields *fields, const struct step *step)
{
    const struct call_spec *call = &step->call;
    double bytes = 0;
    struct sight sight = {.fields = fields, .step = fields_number(fields, step)};
    for (; sight.draw < FIELDS_DRAWS; sight.draw++) {
        if (step->kind == STEP_STAGE) {
            bytes += option_bytes(&sight, step);
            continue;
        }
        bytes += node_bytes(&sight, node_member(step->node, "prompt"));
        if (step->kind == STEP_EMBED)
            bytes += node_bytes(&sight, node_member(step->node, "text"));
        for (size_t i = 0; i < call->message_count; i++)
            bytes += call->messages[i].history ? HISTORY_BYTES : 0;
    }
    return bytes / FIELDS_DRAWS + (double)call->tool_block.len;
}
