/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "json.h"

bool terminal_colours(FILE *stream)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(fileno(stream)) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

const char *terminal_colour(FILE *stream, enum colour colour)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m",
                                        "\033[33m"};
    return terminal_colours(stream) ? codes[colour] : "";
}

static char *next_text(void)
{
    static char texts[4][32];
    static unsigned next;
    return texts[next++ % 4];
}

const char *short_count(double count)
{
    char *text = next_text();
    if (count < 10000)
        snprintf(text, 32, "%.0f", count);
    else if (count < 1e6)
        snprintf(text, 32, "%.1fk", count / 1e3);
    else if (count < 1e9)
        snprintf(text, 32, "%.1fM", count / 1e6);
    else
        snprintf(text, 32, "%.1fG", count / 1e9);
    return text;
}

const char *short_seconds(double seconds)
{
    char *text = next_text();
    if (seconds < 10)
        snprintf(text, 32, "%.1fs", seconds);
    else if (seconds < 60)
        snprintf(text, 32, "%.0fs", seconds);
    else if (seconds < 3600)
        snprintf(text, 32, "%dm%02ds", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(text, 32, "%dh%02dm", (int)seconds / 3600, (int)seconds / 60 % 60);
    return text;
}

/* ---- the progress line ----------------------------------------------------------------------- */

static bool line_shown;

static void progress_text(const struct engine_progress *progress, char *text, size_t size)
{
    const struct model_totals *models = &progress->models;
    char eta[48] = "";
    if (progress->expected_calls > 0 && models->answers > 0 &&
        (double)models->answers < progress->expected_calls) {
        double left = progress->seconds * (progress->expected_calls / (double)models->answers - 1);
        snprintf(eta, sizeof(eta), "  ETA %s", short_seconds(left));
    }
    char pass[24] = "";
    if (progress->pass)
        snprintf(pass, sizeof(pass), " (pass %u)", progress->pass + 1);
    snprintf(text, size,
             "%s%s  %s records, %s out, %s rejected  %u calls in flight  %.0f tokens/s  "
             "cost %.4f  %s%s",
             progress->step ? progress->step : "starting", pass,
             short_count((double)progress->entered), short_count((double)progress->accepted),
             short_count((double)progress->rejected), models->in_flight,
             progress->tokens_per_second, models->cost, short_seconds(progress->seconds), eta);
}

void progress_show(const struct engine_progress *progress)
{
    static double last_line;
    char text[512];
    progress_text(progress, text, sizeof(text));
    if (!isatty(STDERR_FILENO)) {
        if (progress->seconds - last_line >= 10) {
            last_line = progress->seconds;
            fprintf(stderr, "%s\n", text);
        }
        return;
    }
    struct winsize window = {.ws_col = 80};
    ioctl(STDERR_FILENO, TIOCGWINSZ, &window);
    int width = window.ws_col ? window.ws_col : 80;
    fprintf(stderr, "\r\033[K%.*s", width - 1, text);
    fflush(stderr);
    line_shown = true;
}

void progress_clear(void)
{
    if (line_shown)
        fprintf(stderr, "\r\033[K");
    line_shown = false;
}

/* ---- tables ---------------------------------------------------------------------------------- */

struct table {
    size_t columns, count;
    char **cells;
};

struct table *table_create(size_t columns)
{
    struct table *table = memory_zeroed(1, sizeof(*table));
    table->columns = columns;
    return table;
}

void table_cell(struct table *table, const char *format, ...)
{
    struct buffer text;
    buffer_init(&text, 1 << 16);
    va_list args;
    va_start(args, format);
    buffer_vprintf(&text, format, args);
    va_end(args);
    table->cells = memory_resize(table->cells, table->count + 1, sizeof(char *));
    table->cells[table->count++] = memory_copy_text(buffer_str(&text).ptr, text.length);
    buffer_free(&text);
}

static bool is_figure(const char *cell)
{
    return isdigit((unsigned char)cell[0]) || (cell[0] == '-' && isdigit((unsigned char)cell[1]));
}

static bool right_aligned(const struct table *table, size_t column)
{
    for (size_t i = table->columns + column; i < table->count; i += table->columns) {
        if (table->cells[i][0] && !is_figure(table->cells[i]) && strcmp(table->cells[i], "-") != 0)
            return false;
    }
    return column > 0;
}

void table_discard(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

void table_print(struct table *table, FILE *to)
{
    size_t *widths = memory_zeroed(table->columns, sizeof(*widths));
    bool *right = memory_zeroed(table->columns, sizeof(*right));
    for (size_t i = 0; i < table->columns; i++)
        right[i] = right_aligned(table, i); /* before the first cell is freed */
    for (size_t i = 0; i < table->count; i++) {
        size_t length = utf8_count(str_of(table->cells[i]));
        /* A table that has cells has columns.
         * NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
        if (length > widths[i % table->columns])
            widths[i % table->columns] = length;
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        const char *cell = table->cells[i];
        int pad = (int)(widths[column] - utf8_count(str_of(cell)));
        bool last = column + 1 == table->columns, heading = i < table->columns;
        if (heading && column == 0)
            fputs(terminal_colour(to, DIM), to);
        if (right[column])
            fprintf(to, "%s%*s%s", column ? "  " : "", pad, "", cell);
        else
            fprintf(to, "%s%s%*s", column ? "  " : "", cell, last ? 0 : pad, "");
        if (last)
            fprintf(to, "%s\n", heading ? terminal_colour(to, PLAIN) : "");
    }
    /* Only now: how a column is aligned depends on all of its cells. */
    free(widths);
    free(right);
    table_discard(table);
}

void print_markdown_text(const char *text, FILE *to)
{
    for (; *text; text++) {
        if (strchr("\\`*_[]<>|&", *text))
            putc('\\', to);
        putc(*text, to);
    }
}

void table_print_markdown(struct table *table, FILE *to)
{
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        fputs(column ? " | " : "| ", to);
        print_markdown_text(table->cells[i], to);
        if (column + 1 < table->columns)
            continue;
        fputs(" |\n", to);
        for (size_t k = 0; i < table->columns && k < table->columns; k++)
            fprintf(to, "%s%s", right_aligned(table, k) ? "|---:" : "|---",
                    k + 1 == table->columns ? "|\n" : "");
    }
    table_discard(table);
}
