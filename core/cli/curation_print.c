/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a run as text for a terminal or as a page of Markdown. */
#include <math.h>
#include <string.h>

#include "cli.h"
#include "curation.h"

enum { BAR = 24 };

struct page {
    const struct curation *curation;
    bool markdown;
    FILE *to;
};

static void heading(const struct page *page, const char *text)
{
    if (page->markdown)
        fprintf(page->to, "\n## %s\n\n", text);
    else
        fprintf(page->to, "\n%s%s%s\n", terminal_colour(page->to, BOLD), text,
                terminal_colour(page->to, PLAIN));
}

static struct table *table_begin(const char *const *headings, size_t columns)
{
    struct table *table = table_create(columns);
    for (size_t i = 0; i < columns; i++)
        table_cell(table, "%s", headings[i]);
    return table;
}

static void table_end(const struct page *page, struct table *table)
{
    if (page->markdown)
        table_print_markdown(table, page->to);
    else
        table_print(table, page->to);
}

/* A line of text between the tables. */
static void note(const struct page *page, const char *text)
{
    if (page->markdown) {
        fputc('\n', page->to);
        print_markdown_text(text, page->to);
        fputc('\n', page->to);
    } else {
        fprintf(page->to, "%s\n", text);
    }
}

static void cell_count(struct table *table, double count)
{
    table_cell(table, "%.0f", count);
}

static void cell_share(struct table *table, double part, double whole)
{
    if (whole > 0)
        table_cell(table, "%.1f %%", 100 * part / whole);
    else
        table_cell(table, "-");
}

/* ---- what it came to ------------------------------------------------------------------------- */

static void print_head(const struct page *page)
{
    const struct curation *curation = page->curation;
    const struct value *summary = &curation->summary;
    char line[512];
    if (page->markdown) {
        fputs("# Curation report: ", page->to);
        print_markdown_text(curation->pipeline, page->to);
        fputc('\n', page->to);
    }
    if (summary->type == VALUE_MAP) {
        xy_str end = curation_text(summary, "end");
        double accepted = curation_figure(summary, "accepted"),
               cost = curation_figure(summary, "cost");
        snprintf(line, sizeof(line), "run %s of %s: %.*s; %.0f accepted, %.0f rejected in %s",
                 curation->run, curation->pipeline, (int)end.len, end.ptr, accepted,
                 curation_figure(summary, "rejected"),
                 short_seconds(curation_figure(summary, "seconds")));
        note(page, line);
        if (cost > 0) {
            snprintf(line, sizeof(line), "cost %.4f", cost);
            if (accepted > 0)
                snprintf(line, sizeof(line), "cost %.4f, %.6f for each accepted record", cost,
                         cost / accepted);
            note(page, line);
        }
        xy_str error = curation_text(summary, "error");
        if (error.len) {
            snprintf(line, sizeof(line), "it ended with: %.*s", (int)error.len, error.ptr);
            note(page, line);
        }
    } else {
        snprintf(line, sizeof(line), "run %s of %s: unfinished", curation->run,
                 curation->pipeline);
        note(page, line);
    }
    for (size_t i = 0; i < curation->problem_count; i++)
        note(page, curation->problems[i]);
}

static void print_steps(const struct page *page)
{
    static const char *const headings[] = {"step",   "is",      "in",         "out",  "dropped",
                                           "failed", "changed", "reweighted", "calls", "cost"};
    const struct curation *curation = page->curation;
    struct table *table = table_begin(headings, 10);
    for (size_t i = 0; i < curation->step_count; i++) {
        const struct curation_step *step = &curation->steps[i];
        bool known = step->counts != NULL;
        table_cell(table, "%s", step->id);
        table_cell(table, "%s%s%s", step->use, *step->use ? " " : "", step->kind);
        static const char *const figures[] = {"in",      "out",        "dropped", "failed",
                                              "changed", "reweighted", "calls"};
        for (size_t k = 0; k < sizeof(figures) / sizeof(figures[0]); k++) {
            bool told = known && value_member(step->counts, str_of(figures[k]));
            if (told)
                cell_count(table, curation_figure(step->counts, figures[k]));
            else if (strcmp(figures[k], "dropped") == 0)
                cell_count(table, (double)step->rejected);
            else
                table_cell(table, "-");
        }
        table_cell(table, "%.4f", curation_figure(step->counts, "cost"));
    }
    heading(page, "Steps");
    table_end(page, table);
}

static void print_changes(const struct page *page)
{
    static const char *const headings[] = {"step", "field", "set", "changed"};
    const struct curation *curation = page->curation;
    struct table *table = table_begin(headings, 4);
    bool any = false;
    for (size_t i = 0; i < curation->step_count; i++) {
        const struct value *counts = curation->steps[i].counts;
        const struct value *fields = counts ? value_member(counts, STR("fields")) : NULL;
        for (size_t k = 0; fields && k < fields->list.count; k++) {
            const struct value *field = &fields->list.items[k];
            xy_str name = curation_text(field, "field");
            table_cell(table, "%s", curation->steps[i].id);
            table_cell(table, "%.*s", (int)name.len, name.ptr);
            cell_count(table, curation_figure(field, "added"));
            cell_count(table, curation_figure(field, "changed"));
            any = true;
        }
    }
    if (any)
        heading(page, "Fields: on how many records a step set one, or changed its value");
    if (any)
        table_end(page, table);
    else
        table_discard(table);
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static void print_example(const struct page *page, const struct curation_example *example)
{
    fprintf(page->to, page->markdown ? "  - `%s` " : "      %s  ", example->id);
    if (page->markdown) {
        print_markdown_text(example->text, page->to);
        fputs(": ", page->to);
        print_markdown_text(example->why, page->to);
        fputc('\n', page->to);
    } else {
        fprintf(page->to, "%s\n                        %s%s%s\n", example->text,
                terminal_colour(page->to, DIM), example->why, terminal_colour(page->to, PLAIN));
    }
}

static void print_reason(const struct page *page, const struct curation_step *step,
                         const struct curation_reason *reason)
{
    double in = curation_figure(step->counts, "in");
    double whole = in > 0 ? in : (double)step->rejected;
    fprintf(page->to, page->markdown ? "- **%llu** (%.1f %% of %s) " : "  %llu (%.1f %% of %s)  ",
            (unsigned long long)reason->count, 100 * (double)reason->count / whole,
            in > 0 ? "what came in" : "its rejects");
    if (page->markdown)
        print_markdown_text(reason->text, page->to);
    else
        fputs(reason->text, page->to);
    fputc('\n', page->to);
    for (size_t i = 0; i < reason->example_count; i++)
        print_example(page, &reason->examples[i]);
}

static void print_rejects(const struct page *page)
{
    const struct curation *curation = page->curation;
    bool any = false;
    for (size_t i = 0; i < curation->step_count; i++) {
        const struct curation_step *step = &curation->steps[i];
        if (!step->reason_count)
            continue;
        if (!any)
            heading(page, "Why records were rejected");
        any = true;
        fprintf(page->to, page->markdown ? "\n### %s: %llu rejected\n\n" : "%s: %llu rejected\n",
                step->id, (unsigned long long)step->rejected);
        for (size_t k = 0; k < step->reason_count; k++)
            print_reason(page, step, &step->reasons[k]);
    }
    if (any)
        fprintf(page->to, "%s`xylem why ID` tells the life of one.\n",
                page->markdown ? "\n" : "");
}

/* ---- scores ---------------------------------------------------------------------------------- */

static const char *bar(uint64_t count, uint64_t most, char text[BAR + 1])
{
    size_t length = most ? (size_t)ceil((double)count / (double)most * BAR) : 0;
    memset(text, '#', length);
    text[length] = '\0';
    return text;
}

static void print_bins(const struct page *page, const struct curation_score *score)
{
    static const char *const headings[] = {"from", "to", "kept", "", "dropped", ""};
    struct table *table = table_begin(headings, 6);
    uint64_t most = 0;
    for (size_t i = 0; i < score->bins; i++) {
        most = score->kept[i] > most ? score->kept[i] : most;
        most = score->dropped[i] > most ? score->dropped[i] : most;
    }
    bool values = score->whole && score->high - score->low < CURATION_BINS;
    for (size_t i = 0; i < score->bins; i++) {
        char text[BAR + 1];
        table_cell(table, "%.4g", curation_edge(score, i));
        table_cell(table, "%.4g", curation_edge(score, values ? i : i + 1));
        cell_count(table, (double)score->kept[i]);
        table_cell(table, "%s", bar(score->kept[i], most, text));
        cell_count(table, (double)score->dropped[i]);
        table_cell(table, "%s", bar(score->dropped[i], most, text));
    }
    table_end(page, table);
}

static void print_score(const struct page *page, const struct curation_score *score)
{
    const struct curation *curation = page->curation;
    fputs(page->markdown ? "\n### " : "", page->to);
    if (page->markdown)
        print_markdown_text(score->field, page->to);
    else
        fputs(score->field, page->to);
    fprintf(page->to, "%s%s%s", *score->step ? ", set by " : "", score->step,
            page->markdown ? "\n\n" : "\n");
    print_bins(page, score);
    fputs(page->markdown ? "\n" : "  ", page->to);
    fprintf(page->to, "kept %llu", (unsigned long long)score->kept_count);
    if (score->kept_count)
        fprintf(page->to, ", mean %.4g", score->kept_sum / (double)score->kept_count);
    fprintf(page->to, "; dropped %llu", (unsigned long long)score->dropped_count);
    if (score->dropped_count)
        fprintf(page->to, ", mean %.4g", score->dropped_sum / (double)score->dropped_count);
    for (size_t i = 0, shown = 0; i < curation->step_count; i++) {
        if (score->dropped_by[i])
            fprintf(page->to, "%s%s %llu", shown++ ? ", " : ", by ", curation->steps[i].id,
                    (unsigned long long)score->dropped_by[i]);
    }
    if (score->not_finite)
        fprintf(page->to, "; %llu not finite", (unsigned long long)score->not_finite);
    fputc('\n', page->to);
}

static void print_scores(const struct page *page)
{
    const struct curation *curation = page->curation;
    if (!curation->score_count)
        return;
    heading(page, "Scores on records");
    char line[512];
    snprintf(line, sizeof(line), "kept: the %llu records that %s left; dropped: rejected by any "
             "step after the score was set",
             (unsigned long long)curation->kept, curation->kept_in);
    note(page, line);
    for (size_t i = 0; i < curation->score_count; i++)
        print_score(page, &curation->scores[i]);
    if (curation->score_skipped) {
        snprintf(line, sizeof(line), "only the first %d numeric fields are shown",
                 CURATION_SCORES);
        note(page, line);
    }
}

/* JSON has no number for a bound that was not told. */
static bool is_number(const struct value *map, const char *name)
{
    const struct value *value = value_member(map, str_of(name));
    return value && (value->type == VALUE_INT || value->type == VALUE_NUMBER);
}

static void print_reported(const struct page *page)
{
    static const char *const headings[] = {"score", "round", "value", "interval", "n", "unit"};
    const struct value *report = value_member(&page->curation->summary, STR("report"));
    const struct value *scores = report ? value_member(report, STR("scores")) : NULL;
    if (!scores || scores->type != VALUE_LIST || !scores->list.count)
        return;
    struct table *table = table_begin(headings, 6);
    for (size_t i = 0; i < scores->list.count; i++) {
        const struct value *score = &scores->list.items[i];
        xy_str step = curation_text(score, "step"), name = curation_text(score, "name"),
               unit = curation_text(score, "unit");
        table_cell(table, "%.*s.%.*s", (int)step.len, step.ptr, (int)name.len, name.ptr);
        cell_count(table, curation_figure(score, "round"));
        table_cell(table, "%.4g", curation_figure(score, "value"));
        if (is_number(score, "low") && is_number(score, "high"))
            table_cell(table, "%.4g to %.4g", curation_figure(score, "low"),
                       curation_figure(score, "high"));
        else
            table_cell(table, "%s", "");
        cell_count(table, curation_figure(score, "n"));
        table_cell(table, "%.*s", (int)unit.len, unit.ptr);
    }
    heading(page, "Reported by the steps");
    table_end(page, table);
}

/* ---- yields and models ----------------------------------------------------------------------- */

static void print_groups(const struct page *page)
{
    static const char *const headings[] = {"group", "wanted", "candidates", "accepted", "yield"};
    const struct value *groups = value_member(&page->curation->summary, STR("groups"));
    struct table *table = table_begin(headings, 5);
    for (size_t i = 0; i < groups->list.count; i++) {
        const struct value *group = &groups->list.items[i];
        xy_str name = curation_text(group, "name");
        double candidates = curation_figure(group, "candidates"),
               accepted = curation_figure(group, "accepted");
        table_cell(table, "%.*s", (int)name.len, name.len ? name.ptr : "all");
        cell_count(table, curation_figure(group, "wanted"));
        cell_count(table, candidates);
        cell_count(table, accepted);
        cell_share(table, accepted, candidates);
    }
    heading(page, "Yield");
    table_end(page, table);
}

static void print_labels(const struct page *page)
{
    static const char *const headings[] = {"label", "kept", "dropped", "yield"};
    const struct curation *curation = page->curation;
    const struct value *groups = value_member(&curation->summary, STR("groups"));
    if (groups && groups->type == VALUE_LIST && groups->list.count) {
        print_groups(page);
        return;
    }
    if (!curation->label_count)
        return;
    struct table *table = table_begin(headings, 4);
    for (size_t i = 0; i < curation->label_count; i++) {
        const struct curation_label *label = &curation->labels[i];
        table_cell(table, "%s", label->value);
        cell_count(table, (double)label->kept);
        cell_count(table, (double)label->dropped);
        cell_share(table, (double)label->kept, (double)(label->kept + label->dropped));
    }
    heading(page, "Yield by label");
    table_end(page, table);
}

static void print_models(const struct page *page)
{
    static const char *const headings[] = {"model",   "calls",     "from cache", "retries",
                                           "failed",  "tokens in", "tokens out", "cost"};
    static const char *const figures[] = {"calls",  "cached",        "retries",
                                          "failed", "prompt_tokens", "output_tokens"};
    const struct value *models = value_member(&page->curation->summary, STR("models"));
    if (!models || models->type != VALUE_LIST || !models->list.count)
        return;
    struct table *table = table_begin(headings, 8);
    for (size_t i = 0; i < models->list.count; i++) {
        const struct value *model = &models->list.items[i];
        xy_str alias = curation_text(model, "alias");
        table_cell(table, "%.*s", (int)alias.len, alias.ptr);
        for (size_t k = 0; k < sizeof(figures) / sizeof(figures[0]); k++)
            cell_count(table, curation_figure(model, figures[k]));
        table_cell(table, "%.4f", curation_figure(model, "cost"));
    }
    heading(page, "Models");
    table_end(page, table);
}

void curation_print(const struct curation *curation, bool markdown, FILE *to)
{
    struct page page = {.curation = curation, .markdown = markdown, .to = to};
    print_head(&page);
    print_steps(&page);
    print_labels(&page);
    print_rejects(&page);
    print_changes(&page);
    print_scores(&page);
    print_reported(&page);
    print_models(&page);
}
