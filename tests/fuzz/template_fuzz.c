/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as template, as expression and as a value's text: the first byte says where the source
 * ends, the rest is the text of `s`. Nothing may crash, leak or run past the bounds. */
#include <stddef.h>
#include <stdint.h>

#include "template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lookup(const void *data, struct arena *arena, xy_str name, struct value *out)
{
    static const struct value items[] = {{.type = VALUE_INT, .integer = 3},
                                         {.type = VALUE_TEXT, .text = {"b", 1}},
                                         {.type = VALUE_NUMBER, .number = 0.5}};
    static const struct member members[] = {{{"k", 1}, {.type = VALUE_INT, .integer = 1}},
                                            {{"v", 1}, {.type = VALUE_TEXT, .text = {"x", 1}}}};
    (void)arena;
    if (str_is(name, "s"))
        *out = value_text(*(const xy_str *)data);
    else if (str_is(name, "l"))
        *out = (struct value){.type = VALUE_LIST, .list = {items, 3}};
    else if (str_is(name, "d"))
        *out = (struct value){.type = VALUE_MAP, .map = {members, 2}};
    else if (str_is(name, "n"))
        *out = value_int(7);
    else
        return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t split = 1 + (size - 1) * data[0] / 255;
    xy_str source = {(const char *)data + 1, split - 1},
           text = {(const char *)data + split, size - split};
    struct scope scope = {.lookup = lookup, .data = &text};
    struct arena arena = {0};
    struct error error;
    struct buffer out;
    struct value value;
    buffer_init(&out, 1 << 16);
    struct template *template = template_compile(source, &error);
    if (template)
        template_render(template, &scope, &arena, &out, &error);
    struct expression *expression = expression_compile(source, &error);
    if (expression)
        expression_evaluate(expression, &scope, &arena, &value, &error);
    template_free(template);
    expression_free(expression);
    buffer_free(&out);
    arena_free(&arena);
    return 0;
}
