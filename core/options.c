/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "options_internal.h"

/* One pass over a table and a map. */
struct pass {
    const xy_option *options;
    size_t count;
    const struct node *with;
    const struct node *place;
    const char *const *ignore;
    struct option_target target;
    struct error_list *errors;
    size_t found; /* errors of this pass */
};

static void report(struct pass *pass, const struct error *error)
{
    error_list_add(pass->errors, error);
    pass->found++;
}

static const xy_option *find_option(const struct pass *pass, xy_str key)
{
    for (size_t i = 0; i < pass->count; i++)
        if (!(pass->options[i].flags & XY_OPT_REST) && str_is(key, pass->options[i].name))
            return &pass->options[i];
    return NULL;
}

static bool is_ignored(const struct pass *pass, xy_str key)
{
    for (size_t i = 0; pass->ignore && pass->ignore[i]; i++)
        if (str_is(key, pass->ignore[i]))
            return true;
    return false;
}

/* A hint to an unknown key: the nearest known one, or all of them. */
static void hint_key(const struct pass *pass, const char *key, struct error *error)
{
    size_t count = 0, room = pass->count;
    for (size_t i = 0; pass->ignore && pass->ignore[i]; i++)
        room++;
    const char **names = memory_zeroed(room, sizeof(*names));
    for (size_t i = 0; i < pass->count; i++)
        names[count++] = pass->options[i].name;
    struct buffer known;
    buffer_init(&known, sizeof(error->hint) - sizeof("known options: "));
    for (size_t i = 0; i < count; i++)
        buffer_printf(&known, "%s%s", i ? ", " : "", names[i]);
    for (size_t i = 0; pass->ignore && pass->ignore[i]; i++)
        names[count++] = pass->ignore[i];
    const char *nearest = nearest_name(key, names, count);
    if (nearest)
        error_hint(error, "did you mean `%s`?", nearest);
    else if (pass->count == 0)
        error_hint(error, "it has no options");
    else
        error_hint(error, "known options: %s", known.bytes);
    buffer_free(&known);
    free(names);
}

/* All keys that no option names, as one map node for the option that collects the rest. */
static struct node *collect_rest(const struct pass *pass)
{
    struct arena *arena = pass->target.arena;
    struct node *rest = arena_alloc(arena, sizeof(*rest));
    *rest = *(pass->with ? pass->with : pass->place);
    rest->kind = NODE_MAP;
    rest->count = 0;
    size_t most = pass->with ? pass->with->count : 0;
    rest->keys = arena_alloc(arena, (most + 1) * sizeof(struct node *));
    rest->items = arena_alloc(arena, (most + 1) * sizeof(struct node *));
    for (size_t i = 0; i < most; i++) {
        struct node *key = pass->with->keys[i];
        if (find_option(pass, key->text) || is_ignored(pass, key->text))
            continue;
        rest->keys[rest->count] = key;
        rest->items[rest->count++] = pass->with->items[i];
    }
    return rest;
}

static void check_keys(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++)
        if (pass->options[i].flags & XY_OPT_REST)
            return;
    for (size_t i = 0; pass->with && i < pass->with->count; i++) {
        const struct node *key = pass->with->keys[i];
        if (find_option(pass, key->text) || is_ignored(pass, key->text))
            continue;
        struct error error;
        node_error(key, &error, XY_EINVAL, "%s has no option `%.*s`", pass->target.where,
                   (int)(key->text.len < 200 ? key->text.len : 200), key->text.ptr);
        hint_key(pass, key->text.ptr, &error);
        report(pass, &error);
    }
}

/* What the file gives for the option; NULL for nothing, which `null` is as well. */
static const struct node *given_value(struct pass *pass, const xy_option *option)
{
    const struct node *value = NULL;
    if (option->flags & XY_OPT_REST) {
        const struct node *rest = collect_rest(pass);
        value = rest->count > 0 || !option->def ? rest : NULL;
    } else if (pass->with) {
        value = node_member(pass->with, option->name);
    }
    return value && option_is_null(value) ? NULL : value;
}

static void apply_option(struct pass *pass, const xy_option *option)
{
    struct error error;
    pass->target.option = option;
    const struct node *value = given_value(pass, option);
    if (!value && (option->flags & XY_OPT_REQUIRED)) {
        node_error(pass->with ? pass->with : pass->place, &error, XY_EINVAL,
                   "%s needs the option `%s`", pass->target.where, option->name);
        error_hint(&error, "%s: %.180s", option_type_name(option->type),
                   option->help ? option->help : "");
        report(pass, &error);
        return;
    }
    struct node placed;
    if (!value && option->def) {
        struct node *fallback = option_default_node(pass->target.arena, option, &error);
        if (!fallback) {
            report(pass, &error);
            return;
        }
        /* A default that a resolver cannot follow is an error of the file that left it in place. */
        const struct node *place = pass->with ? pass->with : pass->place;
        placed = *fallback;
        placed.file = place->file;
        placed.line = place->line;
        placed.column = place->column;
        value = &placed;
    }
    if (value && option_write(&pass->target, value, &error) < 0)
        report(pass, &error);
}

size_t options_apply(const xy_option *options, const struct node *with, const char *where,
                     const struct node *place, const char *folder, const char *const *ignore,
                     const struct option_resolver *resolver, struct arena *arena, void *state,
                     struct error_list *errors)
{
    struct pass pass = {
        .options = options,
        .with = with && option_is_null(with) ? NULL : with,
        .place = place,
        .ignore = ignore,
        .target = {.where = where, .folder = folder, .resolver = resolver, .arena = arena,
                   .state = state},
        .errors = errors,
    };
    while (options && options[pass.count].name)
        pass.count++;
    static const struct node nowhere = {.kind = NODE_MAP, .file = ""};
    if (!pass.place)
        pass.place = pass.with ? pass.with : &nowhere;
    if (pass.with && pass.with->kind != NODE_MAP) {
        struct error error;
        node_error(pass.with, &error, XY_EINVAL, "%s: the options are %s, expected a map", where,
                   pass.with->kind == NODE_LIST ? "a list" : "one value");
        error_hint(&error, "write `key: value` lines");
        report(&pass, &error);
        return pass.found;
    }
    check_keys(&pass);
    for (size_t i = 0; i < pass.count; i++)
        apply_option(&pass, &options[i]);
    return pass.found;
}
