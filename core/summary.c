/* SPDX-License-Identifier: Apache-2.0 */
/* summary.json: what a run came to, for `xylem runs`, for reports and for other programs. */
#include <time.h>

#include "engine_internal.h"
#include "file.h"
#include "json.h"

static void write_models(const struct engine_result *result, struct buffer *out)
{
    buffer_append_text(out, ",\"models\":[");
    for (size_t i = 0; i < result->model_count; i++) {
        const struct model_stats *stats = &result->models[i];
        buffer_append_text(out, i ? ",{\"alias\":" : "{\"alias\":");
        json_write_text(out, str_of(stats->alias));
        json_write_figure(out, "calls", (double)stats->calls);
        json_write_figure(out, "answers", (double)stats->answers);
        json_write_figure(out, "cached", (double)stats->cached);
        json_write_figure(out, "failed", (double)stats->failed);
        json_write_figure(out, "retries", (double)stats->retries);
        json_write_figure(out, "limited", (double)stats->limited);
        json_write_figure(out, "prompt_tokens", (double)stats->prompt_tokens);
        json_write_figure(out, "output_tokens", (double)stats->output_tokens);
        json_write_figure(out, "cost", stats->cost);
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}

static void write_groups(const struct engine_result *result, struct buffer *out)
{
    buffer_append_text(out, ",\"groups\":[");
    for (size_t i = 0; i < result->group_count; i++) {
        buffer_append_text(out, i ? ",{\"name\":" : "{\"name\":");
        json_write_text(out, str_of(result->groups[i].name));
        json_write_figure(out, "wanted", (double)result->groups[i].wanted);
        json_write_figure(out, "candidates", (double)result->groups[i].candidates);
        json_write_figure(out, "accepted", (double)result->groups[i].accepted);
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}

static const char *end_name(enum engine_end end)
{
    switch (end) {
    case ENGINE_DONE: return "done";
    case ENGINE_SHORT: return "short";
    case ENGINE_BUDGET: return "budget spent";
    case ENGINE_INTERRUPTED: return "interrupted";
    case ENGINE_PAUSED: return "paused";
    default: return "failed";
    }
}

int summary_write(const struct engine_result *result)
{
    struct buffer out;
    buffer_init(&out, (size_t)64 << 20);
    buffer_append_text(&out, "{\"run\":");
    json_write_text(&out, str_of(result->run_id));
    buffer_append_text(&out, ",\"end\":");
    json_write_text(&out, str_of(end_name(result->end)));
    if (result->error.code) {
        struct buffer text;
        buffer_init(&text, 4096);
        error_format(&result->error, &text);
        buffer_append_text(&out, ",\"error\":");
        json_write_text(&out, buffer_str(&text));
        buffer_free(&text);
    }
    /* With its fraction: `xylem runs` puts runs in order of time. */
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    json_write_figure(&out, "finished", (double)now.tv_sec + (double)now.tv_nsec / 1e9);
    json_write_figure(&out, "seconds", result->seconds);
    json_write_figure(&out, "accepted", (double)result->accepted);
    json_write_figure(&out, "rejected", (double)result->rejected);
    json_write_figure(&out, "unfinished", (double)result->unfinished);
    json_write_figure(&out, "candidates", (double)result->candidates);
    json_write_figure(&out, "passes", result->passes);
    json_write_figure(&out, "cost", result->totals.cost);
    write_groups(result, &out);
    write_models(result, &out);
    buffer_append_text(&out, ",\"report\":");
    report_write_json(result->report, &out);
    buffer_append_text(&out, "}\n");
    char path[600];
    struct error error = {0};
    snprintf(path, sizeof(path), "%s/summary.json", result->folder);
    struct file_writer *file = file_writer_open(path, &error);
    if (file) {
        file_writer_append(file, out.bytes, out.length, &error);
        file_writer_close(file, true, &error);
    }
    buffer_free(&out);
    return error.code;
}
