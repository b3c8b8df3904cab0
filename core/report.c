/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "report_reasons.h"

struct step_entry {
    const char *id;
    struct step_counts counts;
    struct reason *reasons;
    struct report_changes changes;
    const char *kind, *use;
    const char **from;
    size_t from_count;
    bool written, conditional;
};

struct detail {
    const char *step, *name;
    xy_str json;
};

struct report {
    pthread_mutex_t lock;
    struct arena arena;
    struct report_score *scores;
    size_t score_count;
    struct step_entry *steps;
    size_t step_count;
    struct detail *details;
    size_t detail_count;
};

enum { REASONS_SHOWN = 5 };

struct report *report_create(void)
{
    struct report *report = memory_zeroed(1, sizeof(*report));
    pthread_mutex_init(&report->lock, NULL);
    return report;
}

void report_destroy(struct report *report)
{
    if (!report)
        return;
    pthread_mutex_destroy(&report->lock);
    arena_free(&report->arena);
    for (size_t i = 0; i < report->step_count; i++)
        free(report->steps[i].changes.fields);
    free(report->scores);
    free(report->steps);
    free(report->details);
    free(report);
}

static const char *copy_text(struct report *report, const char *text)
{
    return text ? arena_copy(&report->arena, text, strlen(text)) : "";
}

static struct step_entry *known_step(struct report *report, const char *step)
{
    for (size_t i = 0; i < report->step_count; i++) {
        if (strcmp(report->steps[i].id, step) == 0)
            return &report->steps[i];
    }
    return NULL;
}

static struct step_entry *step_entry(struct report *report, const char *step)
{
    struct step_entry *known = known_step(report, step);
    if (known)
        return known;
    report->steps = memory_resize(report->steps, report->step_count + 1, sizeof(*report->steps));
    struct step_entry *entry = &report->steps[report->step_count++];
    *entry = (struct step_entry){.id = copy_text(report, step)};
    return entry;
}

void report_add_score(struct report *report, const char *step, uint32_t round,
                      const xy_score *score)
{
    pthread_mutex_lock(&report->lock);
    struct report_score *place = NULL;
    for (size_t i = 0; i < report->score_count && !place; i++) {
        struct report_score *old = &report->scores[i];
        if (old->round == round && strcmp(old->step, step) == 0 &&
            strcmp(old->name, score->name) == 0)
            place = old;
    }
    if (!place) {
        report->scores = memory_resize(report->scores, report->score_count + 1,
                                       sizeof(*report->scores));
        place = &report->scores[report->score_count++];
        *place = (struct report_score){
            .step = copy_text(report, step),
            .name = copy_text(report, score->name),
            .unit = copy_text(report, score->unit),
            .help = copy_text(report, score->help),
            .round = round,
        };
    }
    place->value = score->value;
    place->low = score->low;
    place->high = score->high;
    place->n = score->n;
    pthread_mutex_unlock(&report->lock);
}

void report_add_detail(struct report *report, const char *step, const char *name, xy_str json)
{
    if (!json_valid(json))
        return;
    pthread_mutex_lock(&report->lock);
    struct detail *place = NULL;
    for (size_t i = 0; i < report->detail_count && !place; i++) {
        struct detail *old = &report->details[i];
        if (strcmp(old->step, step) == 0 && strcmp(old->name, name) == 0)
            place = old;
    }
    if (!place) {
        report->details = memory_resize(report->details, report->detail_count + 1,
                                        sizeof(*report->details));
        place = &report->details[report->detail_count++];
        *place = (struct detail){.step = copy_text(report, step), .name = copy_text(report, name)};
    }
    place->json = arena_str(&report->arena, json);
    pthread_mutex_unlock(&report->lock);
}

static void add_counts(struct step_counts *sum, const struct step_counts *counts)
{
    sum->in += counts->in;
    sum->out += counts->out;
    sum->dropped += counts->dropped;
    sum->failed += counts->failed;
    sum->calls += counts->calls;
    sum->prompt_tokens += counts->prompt_tokens;
    sum->output_tokens += counts->output_tokens;
    sum->cost += counts->cost;
    sum->seconds += counts->seconds;
}

void report_add_counts(struct report *report, const char *step, const struct step_counts *counts)
{
    pthread_mutex_lock(&report->lock);
    add_counts(&step_entry(report, step)->counts, counts);
    pthread_mutex_unlock(&report->lock);
}

void report_add_calls(struct report *report, const char *who, const struct step_counts *counts)
{
    pthread_mutex_lock(&report->lock);
    struct step_entry *step = known_step(report, who);
    if (step)
        add_counts(&step->counts, counts);
    pthread_mutex_unlock(&report->lock);
}

/* ---- what steps did -------------------------------------------------------------------------- */

static struct report_field *field_entry(struct report_changes *changes, const char *name)
{
    for (size_t i = 0; i < changes->count; i++) {
        if (changes->fields[i].name == name)
            return &changes->fields[i];
    }
    changes->fields = memory_resize(changes->fields, changes->count + 1, sizeof(*changes->fields));
    struct report_field *field = &changes->fields[changes->count++];
    *field = (struct report_field){.name = name};
    return field;
}

void report_take_changes(struct report_changes *changes, struct record *record)
{
    for (uint64_t left = record->added | record->changed; left; left &= left - 1) {
        unsigned at = (unsigned)__builtin_ctzll(left);
        struct report_field *field = field_entry(changes, record->fields[at].name);
        field->added += record->added >> at & 1;
        field->changed += record->changed >> at & 1;
    }
    changes->records += record->changed || record->reweighted;
    changes->weights += record->reweighted;
    record->added = record->changed = 0;
    record->reweighted = false;
}

void report_add_changes(struct report *report, const char *step,
                        const struct report_changes *changes)
{
    pthread_mutex_lock(&report->lock);
    struct report_changes *sum = &step_entry(report, step)->changes;
    for (size_t i = 0; i < changes->count; i++) {
        struct report_field *field = field_entry(sum, changes->fields[i].name);
        field->added += changes->fields[i].added;
        field->changed += changes->fields[i].changed;
    }
    sum->records += changes->records;
    sum->weights += changes->weights;
    pthread_mutex_unlock(&report->lock);
}

void report_add_step(struct report *report, const struct report_step *step)
{
    pthread_mutex_lock(&report->lock);
    struct step_entry *entry = step_entry(report, step->id);
    entry->kind = copy_text(report, step->kind);
    entry->use = copy_text(report, step->use);
    entry->from = arena_alloc(&report->arena, step->from_count * sizeof(char *));
    entry->from_count = step->from_count;
    for (size_t i = 0; i < step->from_count; i++)
        entry->from[i] = copy_text(report, step->from[i]);
    entry->written = step->written;
    entry->conditional = step->conditional;
    pthread_mutex_unlock(&report->lock);
}

void report_reset_counts(struct report *report, const char *step)
{
    pthread_mutex_lock(&report->lock);
    struct step_entry *entry = step_entry(report, step);
    double seconds = entry->counts.seconds;
    entry->counts = (struct step_counts){.seconds = seconds};
    entry->reasons = NULL;
    entry->changes.count = 0;
    entry->changes.records = entry->changes.weights = 0;
    pthread_mutex_unlock(&report->lock);
}

void report_add_reason(struct report *report, const char *step, const char *why)
{
    pthread_mutex_lock(&report->lock);
    report_reasons_add(&step_entry(report, step)->reasons, &report->arena, why);
    pthread_mutex_unlock(&report->lock);
}

struct report_rejection report_most_rejected(const struct report *report)
{
    struct report_rejection most = {0};
    for (size_t i = 0; i < report->step_count; i++) {
        const struct reason *reason = report_reasons_next(report->steps[i].reasons, NULL);
        if (reason && reason->count > most.count)
            most = (struct report_rejection){
                .step = report->steps[i].id, .why = reason->text, .count = reason->count};
    }
    return most;
}

size_t report_scores(const struct report *report)
{
    return report->score_count;
}

struct report_score report_score_at(const struct report *report, size_t index)
{
    return report->scores[index];
}

size_t report_steps(const struct report *report)
{
    return report->step_count;
}

const char *report_step_at(const struct report *report, size_t index, struct step_counts *counts)
{
    *counts = report->steps[index].counts;
    return report->steps[index].id;
}

/* A step's newest scores as a map; null when it has none. The lock is held. */
static struct value scores_of(const struct report *report, struct arena *arena, xy_str step)
{
    struct member *members = arena_alloc(arena, (report->score_count + 1) * sizeof(*members));
    size_t count = 0;
    for (size_t i = report->score_count; i-- > 0;) {
        const struct report_score *score = &report->scores[i];
        bool newer = !str_is(step, score->step);
        for (size_t k = 0; k < count && !newer; k++)
            newer = str_is(members[k].key, score->name);
        if (!newer)
            members[count++] = (struct member){.key = str_of(score->name),
                                               .value = value_number(score->value)};
    }
    if (!count)
        return (struct value){.type = VALUE_NULL};
    return (struct value){.type = VALUE_MAP, .map = {.members = members, .count = count}};
}

/* `name` finds the newest score of that name; a step's id finds a map of its newest scores, so that
 * `agreement >= 0.95` and `agreement.kappa >= 0.8` both read as one expects. */
static bool lookup(const void *data, struct arena *arena, xy_str name, struct value *out)
{
    struct report *report = (struct report *)(uintptr_t)data;
    bool found = false;
    pthread_mutex_lock(&report->lock);
    for (size_t i = report->score_count; i-- > 0 && !found;) {
        if (str_is(name, report->scores[i].name)) {
            *out = value_number(report->scores[i].value);
            found = true;
        }
    }
    if (!found) {
        *out = scores_of(report, arena, name);
        found = out->type != VALUE_NULL;
    }
    pthread_mutex_unlock(&report->lock);
    return found;
}

struct scope report_scope(const struct report *report)
{
    return (struct scope){.lookup = lookup, .data = report};
}

struct value report_tree(struct report *report, struct arena *arena)
{
    pthread_mutex_lock(&report->lock);
    struct member *members = arena_alloc(arena, (report->score_count + 1) * sizeof(*members));
    size_t count = 0;
    for (size_t i = 0; i < report->score_count; i++) {
        xy_str step = str_of(report->scores[i].step);
        bool known = false;
        for (size_t k = 0; k < count && !known; k++)
            known = str_equal(members[k].key, step);
        if (!known)
            members[count++] = (struct member){.key = step,
                                               .value = scores_of(report, arena, step)};
    }
    pthread_mutex_unlock(&report->lock);
    return (struct value){.type = VALUE_MAP, .map = {.members = members, .count = count}};
}

static void write_changes(struct buffer *out, const struct report_changes *changes)
{
    json_write_figure(out, "changed", (double)changes->records);
    json_write_figure(out, "reweighted", (double)changes->weights);
    buffer_append_text(out, ",\"fields\":[");
    for (size_t i = 0; i < changes->count; i++) {
        buffer_append_text(out, i ? ",{\"field\":" : "{\"field\":");
        json_write_text(out, str_of(changes->fields[i].name));
        json_write_figure(out, "added", (double)changes->fields[i].added);
        json_write_figure(out, "changed", (double)changes->fields[i].changed);
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}

static void write_place(struct buffer *out, const struct step_entry *step)
{
    buffer_append_text(out, ",\"kind\":");
    json_write_text(out, str_of(step->kind ? step->kind : ""));
    buffer_append_text(out, ",\"use\":");
    json_write_text(out, str_of(step->use ? step->use : ""));
    buffer_append_text(out, ",\"from\":[");
    for (size_t i = 0; i < step->from_count; i++) {
        if (i)
            buffer_append_char(out, ',');
        json_write_text(out, str_of(step->from[i]));
    }
    buffer_printf(out, "],\"written\":%s,\"when\":%s", step->written ? "true" : "false",
                  step->conditional ? "true" : "false");
}

static void write_step(struct buffer *out, const struct step_entry *step)
{
    buffer_append_text(out, "{\"step\":");
    json_write_text(out, str_of(step->id));
    write_place(out, step);
    json_write_figure(out, "in", (double)step->counts.in);
    json_write_figure(out, "out", (double)step->counts.out);
    json_write_figure(out, "dropped", (double)step->counts.dropped);
    json_write_figure(out, "failed", (double)step->counts.failed);
    json_write_figure(out, "calls", (double)step->counts.calls);
    json_write_figure(out, "prompt_tokens", (double)step->counts.prompt_tokens);
    json_write_figure(out, "output_tokens", (double)step->counts.output_tokens);
    json_write_figure(out, "cost", step->counts.cost);
    json_write_figure(out, "seconds", step->counts.seconds);
    write_changes(out, &step->changes);
    buffer_append_text(out, ",\"reasons\":[");
    const struct reason *reason = report_reasons_next(step->reasons, NULL);
    for (int i = 0; reason && i < REASONS_SHOWN; i++) {
        buffer_append_text(out, i ? ",{\"reason\":" : "{\"reason\":");
        json_write_text(out, str_of(reason->text));
        json_write_figure(out, "count", (double)reason->count);
        buffer_append_char(out, '}');
        reason = report_reasons_next(step->reasons, reason);
    }
    buffer_append_text(out, "]}");
}

static void write_score(struct buffer *out, const struct report_score *score)
{
    buffer_append_text(out, "{\"step\":");
    json_write_text(out, str_of(score->step));
    buffer_append_text(out, ",\"name\":");
    json_write_text(out, str_of(score->name));
    json_write_figure(out, "value", score->value);
    json_write_figure(out, "low", score->low);
    json_write_figure(out, "high", score->high);
    json_write_figure(out, "n", (double)score->n);
    json_write_figure(out, "round", score->round);
    buffer_append_text(out, ",\"unit\":");
    json_write_text(out, str_of(score->unit));
    buffer_append_char(out, '}');
}

void report_write_json(const struct report *report, struct buffer *out)
{
    buffer_append_text(out, "{\"steps\":[");
    for (size_t i = 0; i < report->step_count; i++) {
        if (i)
            buffer_append_char(out, ',');
        write_step(out, &report->steps[i]);
    }
    buffer_append_text(out, "],\"scores\":[");
    for (size_t i = 0; i < report->score_count; i++) {
        if (i)
            buffer_append_char(out, ',');
        write_score(out, &report->scores[i]);
    }
    buffer_append_text(out, "],\"details\":{");
    for (size_t i = 0; i < report->detail_count; i++) {
        const struct detail *detail = &report->details[i];
        char *key = NULL;
        size_t length = strlen(detail->step) + strlen(detail->name) + 2;
        key = memory_resize(NULL, length, 1);
        snprintf(key, length, "%s.%s", detail->step, detail->name);
        if (i)
            buffer_append_char(out, ',');
        json_write_text(out, str_of(key));
        buffer_append_char(out, ':');
        buffer_append_str(out, detail->json);
        free(key);
    }
    buffer_append_text(out, "}}");
}
