/* SPDX-License-Identifier: Apache-2.0 */
/* registry_check.c - the rules of the plugin header that can be checked without running anything.
 */
#include <stdalign.h>
#include <string.h>

#include "options.h"
#include "registry_internal.h"

enum { STATE_LIMIT = 1 << 24 }; /* a larger state belongs on the heap; more likely it is no size */

/* The C type that each option type writes at its offset. */
static const struct slot {
    size_t size, alignment;
} slots[] = {
    [XY_OPT_TEXT] = {sizeof(char *), alignof(char *)},
    [XY_OPT_INT] = {sizeof(int64_t), alignof(int64_t)},
    [XY_OPT_NUMBER] = {sizeof(double), alignof(double)},
    [XY_OPT_BOOL] = {sizeof(int32_t), alignof(int32_t)},
    [XY_OPT_SECONDS] = {sizeof(double), alignof(double)},
    [XY_OPT_LIST] = {sizeof(char **), alignof(char **)},
    [XY_OPT_JSON] = {sizeof(char *), alignof(char *)},
    [XY_OPT_PATH] = {sizeof(char *), alignof(char *)},
    [XY_OPT_EXPRESSION] = {sizeof(char *), alignof(char *)},
    [XY_OPT_MODEL] = {sizeof(void *), alignof(void *)},
    [XY_OPT_LEARNER] = {sizeof(void *), alignof(void *)},
    [XY_OPT_DATASET] = {sizeof(void *), alignof(void *)},
    [XY_OPT_FIELD] = {sizeof(char *), alignof(char *)},
    [XY_OPT_TEMPLATE] = {sizeof(char *), alignof(char *)},
};

enum { TYPE_END = sizeof(slots) / sizeof(slots[0]) };

static bool is_name(const char *name, const char *others)
{
    if (!name || !*name || strlen(name) > 127)
        return false;
    for (; *name; name++) {
        bool alphanumeric = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                            (*name >= '0' && *name <= '9');
        if (!alphanumeric && !strchr(others, *name))
            return false;
    }
    return true;
}

/* Choices are names to compare a text with. */
static bool choices_fit(const xy_option *option)
{
    bool is_text = option->type == XY_OPT_TEXT || option->type == XY_OPT_LIST ||
                   option->type == XY_OPT_FIELD;
    return !option->choices || (is_text && *option->choices);
}

/* What is wrong with one option by itself, or NULL. */
static const char *option_fault(const xy_option *option, size_t state_size)
{
    if (option->type == 0 || option->type >= TYPE_END)
        return "has a type that this host does not know";
    const struct slot *slot = &slots[option->type];
    if (option->offset > state_size || state_size - option->offset < slot->size)
        return "writes outside the stage's state";
    if (option->offset % slot->alignment != 0)
        return "has an offset that its C type cannot stand at";
    if (option->low > option->high)
        return "has a range whose low end is above its high end";
    if ((option->flags & XY_OPT_REST) && option->type != XY_OPT_JSON)
        return "has XY_OPT_REST without the type XY_OPT_JSON";
    if ((option->flags & XY_OPT_REQUIRED) && option->def)
        return "is required and has a default, which could never be used";
    if (!choices_fit(option))
        return "has choices that cannot be checked: they need a text or a list, and one name or "
               "more";
    return NULL;
}

static bool options_overlap(const xy_option *a, const xy_option *b)
{
    return a->offset < b->offset + slots[b->type].size &&
           b->offset < a->offset + slots[a->type].size;
}

int registry_check_options(const struct stage_type *type, const char *owner, struct error *error)
{
    const xy_option *rest = NULL;
    for (size_t i = 0; i < type->option_count; i++) {
        const xy_option *option = &type->options[i];
        if (!is_name(option->name, "_-"))
            return error_set(error, XY_EBUG, "%s: option %zu has the name `%.130s`: expected "
                             "letters, digits, '_' and '-'", owner, i + 1, option->name);
        const char *fault = option_fault(option, type->stage.state_size);
        if (fault)
            return error_set(error, XY_EBUG, "%s: option `%s` %s (type %u, offset %u, state of %u "
                             "bytes)", owner, option->name, fault, option->type, option->offset,
                             type->stage.state_size);
        if (rest && (option->flags & XY_OPT_REST))
            return error_set(error, XY_EBUG, "%s: options `%s` and `%s` both collect the rest",
                             owner, rest->name, option->name);
        if (option->flags & XY_OPT_REST)
            rest = option;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(type->options[j].name, option->name) == 0)
                return error_set(error, XY_EBUG, "%s has two options named `%s`", owner,
                                 option->name);
            if (options_overlap(&type->options[j], option))
                return error_set(error, XY_EBUG, "%s: options `%s` and `%s` share bytes of the "
                                 "state", owner, type->options[j].name, option->name);
        }
        struct error cause;
        if (option->def && option_check_default(option, &cause) < 0)
            return error_set(error, XY_EBUG, "%s: the default of option `%s` is refused by its own "
                             "rules: %.600s", owner, option->name, cause.text);
    }
    return 0;
}

static const char *missing_of_generator(const xy_generator *table)
{
    if (!table)
        return "generator";
    return !table->can ? "generator->can"
         : !table->submit ? "generator->submit"
         : !table->cancel ? "generator->cancel" : NULL;
}

static const char *missing_of_learner(const xy_learner *table)
{
    if (!table)
        return "learner";
    return !table->fit ? "learner->fit"
         : !table->predict ? "learner->predict"
         : !table->release ? "learner->release" : NULL;
}

/* The first missing one of three functions that stand or fall together. */
static const char *missing_of_three(const bool present[3], const char *const names[3])
{
    if (!present[0] && !present[1] && !present[2])
        return NULL;
    for (size_t i = 0; i < 3; i++)
        if (!present[i])
            return names[i];
    return NULL;
}

/* Reading and writing may each be left out, but not in part, and not both. */
static const char *missing_of_format(const xy_format *table)
{
    if (!table)
        return "format";
    static const char *const reading[] = {"format->read_open", "format->read_next",
                                          "format->read_close"};
    static const char *const writing[] = {"format->write_open", "format->write_next",
                                          "format->write_close"};
    const bool reads[] = {table->read_open != NULL, table->read_next != NULL,
                          table->read_close != NULL};
    const bool writes[] = {table->write_open != NULL, table->write_next != NULL,
                           table->write_close != NULL};
    if (!reads[0] && !reads[1] && !reads[2] && !writes[0] && !writes[1] && !writes[2])
        return "format->read_open or format->write_open";
    const char *missing = missing_of_three(reads, reading);
    return missing ? missing : missing_of_three(writes, writing);
}

/* The function that a stage of this kind must have and has not, or NULL. */
static const char *missing_function(const xy_stage *stage)
{
    switch (stage->kind) {
    case XY_GENERATOR: return missing_of_generator(stage->generator);
    case XY_LEARNER: return missing_of_learner(stage->learner);
    case XY_FORMAT: return missing_of_format(stage->format);
    default: break;
    }
    if (stage->flags & XY_STAGE_DATASET)
        return stage->run ? NULL : "run";
    return stage->process ? NULL : "process";
}

/* Flags that contradict each other or the kind, or NULL. */
static const char *flags_fault(const xy_stage *stage)
{
    uint32_t flags = stage->flags;
    if ((flags & XY_STAGE_REENTRANT) && !(flags & XY_STAGE_CPU))
        return "XY_STAGE_REENTRANT without XY_STAGE_CPU";
    if ((flags & XY_STAGE_SOURCE) && stage->kind != XY_CONDITION)
        return "XY_STAGE_SOURCE, which only a condition can have";
    if ((flags & XY_STAGE_DATASET) && (flags & (XY_STAGE_SOURCE | XY_STAGE_BATCH)))
        return "XY_STAGE_DATASET together with XY_STAGE_SOURCE or XY_STAGE_BATCH";
    return NULL;
}

static bool is_language_word(const xy_stage *stage)
{
    static const char *const words[] = {"generate", "score", "embed", "repeat", "include"};
    if (stage->kind < XY_CONDITION || stage->kind > XY_EVALUATOR)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i], stage->id) == 0)
            return true;
    return false;
}

static int check_needs(const xy_stage *stage, const char *owner, struct error *error)
{
    for (size_t i = 0; stage->needs && stage->needs[i]; i++) {
        const char *slash = strchr(stage->needs[i], '/');
        if (!slash || slash == stage->needs[i] || !slash[1])
            return error_set(error, XY_EBUG, "%s needs the service `%.100s`: expected "
                             "\"name/revision\", as in \"xylem.log/1\"", owner, stage->needs[i]);
    }
    return 0;
}

static int check_stage(const struct plugin *plugin, size_t index, struct error *error)
{
    const struct stage_type *type = &plugin->stages[index];
    const xy_stage *stage = &type->stage;
    char owner[160];
    snprintf(owner, sizeof(owner), "stage %zu", index + 1);
    if (!is_name(stage->id, "_-."))
        return error_set(error, XY_EBUG, "%s has the id `%.100s`: expected letters, digits, '_', "
                         "'-' and '.'", owner, stage->id ? stage->id : "");
    snprintf(owner, sizeof(owner), "stage `%s`", stage->id);
    if (!kind_name(stage->kind))
        return error_set(error, XY_EBUG,
                         "%s has the kind %u: expected 1 (generator) to %d (format)", owner,
                         stage->kind, XY_FORMAT);
    if (is_language_word(stage)) {
        error_set(error, XY_EBUG, "%s has the name of a built-in step", owner);
        return error_hint(error, "choose another id");
    }
    if (!stage->summary || !*stage->summary) {
        error_set(error, XY_EBUG, "%s has no summary", owner);
        return error_hint(error, "say in one line what it does");
    }
    const char *missing = missing_function(stage);
    if (missing) {
        error_set(error, XY_EBUG, "%s is a %s%s and has no `%s`", owner,
                  stage->flags & XY_STAGE_DATASET ? "whole-dataset " : "", kind_name(stage->kind),
                  missing);
        return error_hint(error, "set the member in its xy_stage");
    }
    const char *fault = flags_fault(stage);
    if (fault)
        return error_set(error, XY_EBUG, "%s has the flag %s", owner, fault);
    if (stage->state_size > STATE_LIMIT)
        return error_set(error, XY_EBUG, "%s asks for a state of %u bytes: at most %d are given; "
                         "allocate the rest in open()", owner, stage->state_size, STATE_LIMIT);
    for (size_t i = 0; i < index; i++)
        if (plugin->stages[i].stage.kind == stage->kind &&
            strcmp(plugin->stages[i].stage.id, stage->id) == 0) {
            error_set(error, XY_EBUG, "it has two %ss named `%s`", kind_name(stage->kind),
                      stage->id);
            return error_hint(error, "rename one of them");
        }
    int code = check_needs(stage, owner, error);
    return code < 0 ? code : registry_check_options(type, owner, error);
}

int registry_check(const struct plugin *plugin, struct error *error)
{
    if (!plugin->info.name || !*plugin->info.name)
        return error_set(error, XY_EBUG, "the plugin has no name");
    if (!plugin->info.version || !*plugin->info.version)
        return error_set(error, XY_EBUG, "the plugin has no version");
    for (size_t i = 0; i < plugin->stage_count; i++) {
        int code = check_stage(plugin, i, error);
        if (code < 0)
            return code;
    }
    return 0;
}
