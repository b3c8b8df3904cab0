/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a run as one JSON object. */
#include "curation.h"
#include "json.h"

static void text_member(struct buffer *out, const char *name, const char *text)
{
    buffer_printf(out, ",\"%s\":", name);
    json_write_text(out, str_of(text));
}

static void write_reason(struct buffer *out, const struct curation_reason *reason)
{
    buffer_append_text(out, "{\"reason\":");
    json_write_text(out, str_of(reason->text));
    json_write_figure(out, "count", (double)reason->count);
    buffer_append_text(out, ",\"examples\":[");
    for (size_t i = 0; i < reason->example_count; i++) {
        const struct curation_example *example = &reason->examples[i];
        buffer_printf(out, "%s{\"id\":\"%s\"", i ? "," : "", example->id);
        text_member(out, "text", example->text);
        text_member(out, "reason", example->why);
        buffer_append_char(out, '}');
    }
    buffer_append_text(out, "]}");
}

static void write_step(struct buffer *out, const struct curation_step *step)
{
    static const char *const figures[] = {"in", "out", "dropped", "failed", "changed",
                                          "reweighted", "calls", "cost"};
    buffer_append_text(out, "{\"step\":");
    json_write_text(out, str_of(step->id));
    text_member(out, "kind", step->kind);
    text_member(out, "use", step->use);
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        if (step->counts && value_member(step->counts, str_of(figures[i])))
            json_write_figure(out, figures[i], curation_figure(step->counts, figures[i]));
    }
    json_write_figure(out, "rejected", (double)step->rejected);
    const struct value *fields = step->counts ? value_member(step->counts, STR("fields")) : NULL;
    if (fields) {
        buffer_append_text(out, ",\"fields\":");
        json_write(out, fields);
    }
    buffer_append_text(out, ",\"reasons\":[");
    for (size_t i = 0; i < step->reason_count; i++) {
        if (i)
            buffer_append_char(out, ',');
        write_reason(out, &step->reasons[i]);
    }
    buffer_append_text(out, "]}");
}

static void write_bins(struct buffer *out, const char *name, const uint64_t *bins, size_t count)
{
    buffer_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s%llu", i ? "," : "", (unsigned long long)bins[i]);
    buffer_append_char(out, ']');
}

static void write_score(struct buffer *out, const struct curation *curation,
                        const struct curation_score *score)
{
    buffer_append_text(out, "{\"field\":");
    json_write_text(out, str_of(score->field));
    text_member(out, "step", score->step);
    json_write_figure(out, "low", score->low);
    json_write_figure(out, "high", score->high);
    buffer_append_text(out, ",\"edges\":[");
    for (size_t i = 0; i <= score->bins; i++) {
        if (i)
            buffer_append_char(out, ',');
        json_write_number(out, curation_edge(score, i));
    }
    buffer_append_char(out, ']');
    write_bins(out, "kept", score->kept, score->bins);
    write_bins(out, "dropped", score->dropped, score->bins);
    json_write_figure(out, "kept_mean", score->kept_sum / (double)score->kept_count);
    json_write_figure(out, "dropped_mean", score->dropped_sum / (double)score->dropped_count);
    json_write_figure(out, "not_finite", (double)score->not_finite);
    buffer_append_text(out, ",\"dropped_by\":{");
    for (size_t i = 0, shown = 0; i < curation->step_count; i++) {
        if (!score->dropped_by[i])
            continue;
        if (shown++)
            buffer_append_char(out, ',');
        json_write_text(out, str_of(curation->steps[i].id));
        buffer_printf(out, ":%llu", (unsigned long long)score->dropped_by[i]);
    }
    buffer_append_text(out, "}}");
}

static void write_labels(struct buffer *out, const struct curation *curation)
{
    buffer_append_text(out, ",\"labels\":[");
    for (size_t i = 0; i < curation->label_count; i++) {
        buffer_append_text(out, i ? ",{\"label\":" : "{\"label\":");
        json_write_text(out, str_of(curation->labels[i].value));
        json_write_figure(out, "kept", (double)curation->labels[i].kept);
        json_write_figure(out, "dropped", (double)curation->labels[i].dropped);
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}

/* What the summary says already is handed on as it is. */
static void write_summary(struct buffer *out, const struct value *summary)
{
    static const char *const names[] = {"end", "error", "accepted", "rejected", "unfinished",
                                        "seconds", "cost", "groups", "models"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct value *value = value_member(summary, str_of(names[i]));
        if (!value)
            continue;
        buffer_printf(out, ",\"%s\":", names[i]);
        json_write(out, value);
    }
    const struct value *report = value_member(summary, STR("report"));
    const struct value *reported = report ? value_member(report, STR("scores")) : NULL;
    if (reported) {
        buffer_append_text(out, ",\"reported\":");
        json_write(out, reported);
    }
    double accepted = curation_figure(summary, "accepted");
    if (accepted > 0)
        json_write_figure(out, "cost_per_accepted", curation_figure(summary, "cost") / accepted);
}

void curation_print_json(const struct curation *curation, FILE *to)
{
    struct buffer out;
    buffer_init(&out, (size_t)256 << 20);
    buffer_append_text(&out, "{\"run\":");
    json_write_text(&out, str_of(curation->run));
    text_member(&out, "pipeline", curation->pipeline);
    text_member(&out, "folder", curation->folder);
    write_summary(&out, &curation->summary);
    json_write_figure(&out, "kept", (double)curation->kept);
    text_member(&out, "kept_in", curation->kept_in);
    buffer_append_text(&out, ",\"steps\":[");
    for (size_t i = 0; i < curation->step_count; i++) {
        if (i)
            buffer_append_char(&out, ',');
        write_step(&out, &curation->steps[i]);
    }
    buffer_append_text(&out, "],\"scores\":[");
    for (size_t i = 0; i < curation->score_count; i++) {
        if (i)
            buffer_append_char(&out, ',');
        write_score(&out, curation, &curation->scores[i]);
    }
    buffer_append_char(&out, ']');
    write_labels(&out, curation);
    buffer_append_text(&out, ",\"problems\":[");
    for (size_t i = 0; i < curation->problem_count; i++) {
        if (i)
            buffer_append_char(&out, ',');
        json_write_text(&out, str_of(curation->problems[i]));
    }
    buffer_append_text(&out, "]}\n");
    fwrite(out.bytes, 1, out.length, to);
    buffer_free(&out);
}
