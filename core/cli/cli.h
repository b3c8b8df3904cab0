/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h - shared by the commands of the program `xylem`. Everything here is on the main thread.
 *
 * A command is one file, one table of flags and one function. Usage text, `--help`, `xylem help`
 * and the shell completions are made from the tables.
 */
#ifndef XYLEM_CORE_CLI_CLI_H
#define XYLEM_CORE_CLI_CLI_H

#include "engine.h"
#include "registry.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,     /* the run failed, or a check found errors in a plugin */
    EXIT_USAGE = 2,      /* wrong command line, or errors in the pipeline file: nothing was paid */
    EXIT_SHORT = 3,      /* written, but `accept` did not get its count */
    EXIT_BUDGET = 4,     /* written with what the budget allowed */
    EXIT_INTERRUPTED = 5, /* stopped by the user: nothing lost, the same command goes on */
    EXIT_PAUSED = 6      /* people have work to do: nothing lost, the same command goes on */
};

/* One flag of a command. A flag without `value_name` is a switch. */
struct flag {
    const char *name;        /* "runs" for --runs; NULL ends the table */
    char letter;             /* 'q' for -q, or 0 */
    const char *value_name;  /* "DIR"; NULL for a switch */
    const char *help;
    bool repeated;           /* may be given more than once */
};

enum { MOST_VALUES = 64 };

/* What was given: values in the order of the table; `set` counts switches too. */
struct arguments {
    const struct command *command;
    struct {
        const char *values[MOST_VALUES + 1]; /* NULL-terminated */
        size_t count;
    } flags[16];
    const char *words[MOST_VALUES + 1];      /* what was no flag, NULL-terminated */
    size_t word_count;
};

struct command {
    const char *name, *words, *summary;  /* words: "FILE", "[PLUGIN]" for the usage line */
    size_t least_words, most_words;
    const struct flag *flags;            /* NULL-named end; --help is everybody's */
    int (*run)(const struct arguments *arguments);
    const char *details;                 /* printed under the flags by --help; may be NULL */
};

extern const struct command command_run, command_check, command_plugins, command_help, command_why,
    command_runs, command_report, command_new, command_test_plugin, command_schema,
    command_completion;
extern const struct command *const commands[]; /* NULL-terminated */

/* The last value of a flag, or NULL; whether it was given; all of its values. */
const char *argument(const struct arguments *arguments, const char *flag);
bool argument_given(const struct arguments *arguments, const char *flag);
const char *const *argument_all(const struct arguments *arguments, const char *flag);

/* Prints `xylem NAME: text` to standard error and returns EXIT_USAGE. */
int usage_error(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for a word that is no kind of stage. */
int unknown_kind(const struct command *command, const char *word);
void print_usage(FILE *to, const struct command *command);

/* Prints each error on a line; with colours on a terminal. */
void print_errors(const struct error_list *errors);
void print_error(const struct error *error);
void print_warnings(const struct error_list *errors);

/* ---- terminal.c ------------------------------------------------------------------------------ */

/* Is standard error a terminal that may be coloured (NO_COLOR unset, TERM not dumb)? */
bool terminal_colours(FILE *stream);
/* "\033[..m" or "" where colours are off. */
enum colour { PLAIN = 0, BOLD, DIM, RED, GREEN, YELLOW };
const char *terminal_colour(FILE *stream, enum colour colour);

/* The progress line: drawn on standard error when that is a terminal; else one line each 10 s. */
void progress_show(const struct engine_progress *progress);
void progress_clear(void);

/* A table with aligned columns; a cell of digits is aligned right. */
struct table;
struct table *table_create(size_t columns);
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(struct table *table, FILE *to); /* the first row is the heading; frees */
void table_print_markdown(struct table *table, FILE *to);
void table_discard(struct table *table);
/* A text within Markdown, with what would be markup escaped. */
void print_markdown_text(const char *text, FILE *to);

/* "1234567" as "1.2M", a number of seconds as "2m03s". Static buffers, four of them in turn. */
const char *short_count(double count);
const char *short_seconds(double seconds);

/* ---- command_runs.c -------------------------------------------------------------------------- */

/* Calls `fn` for each entry of a folder in name order, hidden ones left out. */
void each_entry(const char *folder, void (*fn)(void *data, const char *path, const char *name),
                void *data);

/* ---- closing.c ------------------------------------------------------------------------------- */

/* The table that closes a run: steps, yield, models, scores. */
void closing_print(const struct engine_result *result, FILE *to);

/* ---- reference.c ----------------------------------------------------------------------------- */

/* Everything `xylem help NAME` says of a stage: as text for a terminal, or as Markdown. */
void reference_print(const struct registry *registry, const struct stage_type *type, bool markdown,
                     FILE *to);
/* The index of the reference pages, as Markdown. */
void reference_index(const struct registry *registry, FILE *to);

#endif
