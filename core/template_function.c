/* SPDX-License-Identifier: Apache-2.0 */
/* Finding filters, tests, methods and functions by name, and handing them their arguments. */
#include "template_internal.h"

#include <string.h>

static const struct function *const filter_tables[] = {template_text_filters, template_list_filters,
                                                       template_number_filters,
                                                       template_lazy_filters, NULL};
static const struct function *const method_tables[] = {
    template_text_methods, template_text_test_methods, template_split_methods,
    template_other_methods, NULL};

const struct function *const *template_filter_tables(void)
{
    return filter_tables;
}

static const struct function *find(const struct function *table, xy_str name)
{
    for (; table->name; table++)
        if (str_is(name, table->name))
            return table;
    return NULL;
}

static const struct function *find_in(const struct function *const *tables, xy_str name)
{
    const struct function *found = NULL;
    for (; *tables && !found; tables++)
        found = find(*tables, name);
    return found;
}

const struct function *template_filter(xy_str name)
{
    return find_in(filter_tables, name);
}

const struct function *template_test(xy_str name)
{
    return find(template_tests, name);
}

const struct function *template_method(xy_str name)
{
    return find_in(method_tables, name);
}

const struct function *template_global(xy_str name)
{
    return find(template_globals, name);
}

void template_list_names(const struct function *const *tables, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (; *tables; tables++)
        for (const struct function *function = *tables; function->name && length < size; function++)
            length += (size_t)snprintf(text + length, size - length, "%s%s", length ? ", " : "",
                                       function->name);
}

static size_t parameter_count(const struct function *function)
{
    size_t count = 0;
    while (count < TEMPLATE_PARAMETERS && function->parameters[count])
        count++;
    return count;
}

static size_t parameter_index(const struct function *function, xy_str name)
{
    size_t count = parameter_count(function);
    for (size_t i = 0; i < count && !function->positional; i++)
        if (str_is(name, function->parameters[i]))
            return i;
    return TEMPLATE_PARAMETERS;
}

bool template_fits(const struct function *function, size_t count, const xy_str *names,
                   size_t keyword_count, char *why, size_t size)
{
    if (function->call)
        return true;
    bool given[TEMPLATE_PARAMETERS + 1] = {false};
    size_t known = parameter_count(function);
    if (count > known) {
        snprintf(why, size, "found %zu arguments, expected at most %zu", count, known);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        given[i] = true;
    for (size_t i = 0; i < keyword_count; i++) {
        size_t index = parameter_index(function, names[i]);
        if (index == TEMPLATE_PARAMETERS || given[index]) {
            snprintf(why, size, "found the argument `%.*s`, which it %s",
                     names[i].len > 60 ? 60 : (int)names[i].len, names[i].ptr,
                     index == TEMPLATE_PARAMETERS ? "does not have" : "was given already");
            return false;
        }
        given[index] = true;
    }
    for (size_t i = 0; i < function->required; i++)
        if (!given[i]) {
            snprintf(why, size, "the argument `%s` is missing", function->parameters[i]);
            return false;
        }
    return true;
}

bool template_call(struct render *render, const struct function *function, const struct item *value,
                   const struct arguments *arguments, struct item *out)
{
    if (function->call)
        return function->call(render, value, arguments, out);
    struct item bound[TEMPLATE_PARAMETERS];
    char why[200];
    if (!template_fits(function, arguments->count, arguments->names, arguments->keyword_count, why,
                       sizeof(why)))
        return template_fail(render, "%s: %s", function->name, why);
    memset(bound, 0, sizeof(bound));
    for (size_t i = 0; i < arguments->count; i++)
        bound[i] = arguments->items[i];
    for (size_t i = 0; i < arguments->keyword_count; i++)
        bound[parameter_index(function, arguments->names[i])] =
            arguments->items[arguments->count + i];
    return function->run(render, value, bound, out);
}
