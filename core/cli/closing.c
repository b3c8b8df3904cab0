/* SPDX-License-Identifier: Apache-2.0 */
/* The table that closes a run. */
#include <math.h>
#include <string.h>

#include "cli.h"

static void print_steps(const struct report *report, FILE *to)
{
    struct table *table = table_create(7);
    static const char *const heading[] = {"step",   "in",    "out", "dropped",
                                          "failed", "calls", "time"};
    for (size_t i = 0; i < 7; i++)
        table_cell(table, "%s", heading[i]);
    for (size_t i = 0; i < report_steps(report); i++) {
        struct step_counts counts;
        table_cell(table, "%s", report_step_at(report, i, &counts));
        table_cell(table, "%llu", (unsigned long long)counts.in);
        table_cell(table, "%llu", (unsigned long long)counts.out);
        table_cell(table, "%llu", (unsigned long long)counts.dropped);
        table_cell(table, "%llu", (unsigned long long)counts.failed);
        table_cell(table, "%llu", (unsigned long long)counts.calls);
        table_cell(table, "%s", counts.seconds > 0 ? short_seconds(counts.seconds) : "");
    }
    table_print(table, to);
}

static void print_groups(const struct engine_result *result, FILE *to)
{
    if (!result->group_count)
        return;
    fprintf(to, "\n");
    struct table *table = table_create(5);
    static const char *const heading[] = {"yield", "wanted", "accepted", "candidates", "share"};
    for (size_t i = 0; i < 5; i++)
        table_cell(table, "%s", heading[i]);
    for (size_t i = 0; i < result->group_count; i++) {
        const struct group_yield *group = &result->groups[i];
        table_cell(table, "%s", group->name[0] ? group->name : "all");
        table_cell(table, "%llu", (unsigned long long)group->wanted);
        table_cell(table, "%llu", (unsigned long long)group->accepted);
        if (group->candidates) {
            table_cell(table, "%llu", (unsigned long long)group->candidates);
            table_cell(table, "%.3f", (double)group->accepted / (double)group->candidates);
        } else {
            table_cell(table, "-");
            table_cell(table, "-");
        }
    }
    table_print(table, to);
}

static void print_models(const struct engine_result *result, FILE *to)
{
    if (!result->model_count)
        return;
    fprintf(to, "\n");
    struct table *table = table_create(8);
    static const char *const heading[] = {"model",   "calls",      "from cache", "retries",
                                          "failed", "tokens in", "tokens out", "cost"};
    for (size_t i = 0; i < 8; i++)
        table_cell(table, "%s", heading[i]);
    for (size_t i = 0; i < result->model_count; i++) {
        const struct model_stats *stats = &result->models[i];
        table_cell(table, "%s", stats->alias);
        table_cell(table, "%llu", (unsigned long long)stats->calls);
        table_cell(table, "%llu", (unsigned long long)stats->cached);
        table_cell(table, "%llu", (unsigned long long)stats->retries);
        table_cell(table, "%llu", (unsigned long long)stats->failed);
        table_cell(table, "%s", short_count((double)stats->prompt_tokens));
        table_cell(table, "%s", short_count((double)stats->output_tokens));
        table_cell(table, "%.4f", stats->cost);
    }
    table_print(table, to);
}

static void print_scores(const struct report *report, FILE *to)
{
    if (!report_scores(report))
        return;
    fprintf(to, "\n");
    struct table *table = table_create(4);
    static const char *const heading[] = {"score", "value", "interval", "n"};
    for (size_t i = 0; i < 4; i++)
        table_cell(table, "%s", heading[i]);
    for (size_t i = 0; i < report_scores(report); i++) {
        struct report_score score = report_score_at(report, i);
        if (score.round)
            table_cell(table, "%s.%s[%u]", score.step, score.name, score.round);
        else
            table_cell(table, "%s.%s", score.step, score.name);
        table_cell(table, "%.4g", score.value);
        if (isnan(score.low) || isnan(score.high))
            table_cell(table, "%s", "");
        else
            table_cell(table, "%.4g to %.4g", score.low, score.high);
        if (score.n)
            table_cell(table, "%llu", (unsigned long long)score.n);
        else
            table_cell(table, "%s", "");
    }
    table_print(table, to);
}

/* Who loses most of the records to one rule learns it here, and where the others stand. */
static void print_rejection(const struct engine_result *result, FILE *to)
{
    struct report_rejection most = report_most_rejected(result->report);
    if (most.count)
        fprintf(to, "\nmost often rejected, %llu times, by `%s`: %s (`xylem report` tells all)\n",
                (unsigned long long)most.count, most.step, most.why);
}

void closing_print(const struct engine_result *result, FILE *to)
{
    print_steps(result->report, to);
    print_groups(result, to);
    print_models(result, to);
    print_scores(result->report, to);
    print_rejection(result, to);
    fprintf(to, "\n%llu accepted, %llu rejected, %s, cost %.4f; run %s in %s\n",
            (unsigned long long)result->accepted, (unsigned long long)result->rejected,
            short_seconds(result->seconds), result->totals.cost, result->run_id, result->folder);
}
