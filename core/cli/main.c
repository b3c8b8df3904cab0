/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const struct command *const commands[] = {
    &command_run,  &command_check,  &command_plugins, &command_help,        &command_why,
    &command_runs, &command_report, &command_new,     &command_test_plugin, &command_schema,
    &command_completion, NULL,
};

static size_t flag_index(const struct command *command, const char *name)
{
    size_t i = 0;
    while (command->flags[i].name && strcmp(command->flags[i].name, name) != 0)
        i++;
    return i;
}

const char *argument(const struct arguments *arguments, const char *flag)
{
    size_t i = flag_index(arguments->command, flag), count = arguments->flags[i].count;
    return count ? arguments->flags[i].values[count - 1] : NULL;
}

bool argument_given(const struct arguments *arguments, const char *flag)
{
    return arguments->flags[flag_index(arguments->command, flag)].count > 0;
}

const char *const *argument_all(const struct arguments *arguments, const char *flag)
{
    return arguments->flags[flag_index(arguments->command, flag)].values;
}

int usage_error(const struct command *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "xylem%s%s: ", command ? " " : "", command ? command->name : "");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    if (command)
        fprintf(stderr, "\nsee `xylem %s --help`\n", command->name);
    else
        fprintf(stderr, "\nsee `xylem --help`\n");
    return EXIT_USAGE;
}

void print_usage(FILE *to, const struct command *command)
{
    fprintf(to, "usage: xylem %s", command->name);
    if (command->flags[0].name)
        fprintf(to, " [options]");
    if (command->words[0])
        fprintf(to, " %s", command->words);
    fprintf(to, "\n\n%s\n", command->summary);
    if (command->flags[0].name)
        fprintf(to, "\noptions:\n");
    for (const struct flag *flag = command->flags; flag->name; flag++) {
        char left[64], letter[8] = "    ";
        if (flag->letter)
            snprintf(letter, sizeof(letter), "-%c, ", flag->letter);
        snprintf(left, sizeof(left), "%s--%s%s%s", letter, flag->name, flag->value_name ? " " : "",
                 flag->value_name ? flag->value_name : "");
        fprintf(to, "  %-28s %s%s\n", left, flag->help, flag->repeated ? " (may be repeated)" : "");
    }
    if (command->details)
        fprintf(to, "\n%s", command->details);
}

static void print_fault(const struct error *error, const char *what)
{
    struct buffer text;
    buffer_init(&text, 8192);
    error_format(error, &text);
    fprintf(stderr, "%s%s:%s %s\n", terminal_colour(stderr, RED), what,
            terminal_colour(stderr, PLAIN), buffer_str(&text).ptr);
    buffer_free(&text);
}

void print_error(const struct error *error)
{
    print_fault(error, "error");
}

void print_warnings(const struct error_list *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        print_fault(&errors->errors[i], "warning");
}

void print_errors(const struct error_list *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        print_error(&errors->errors[i]);
    if (errors->total > errors->count)
        fprintf(stderr, "and %zu more errors\n", errors->total - errors->count);
}

static void print_help(FILE *to)
{
    fprintf(to, "usage: xylem COMMAND [options] ...\n\n"
                "Makes labelled data with language models: generates, curates, evaluates.\n\n"
                "commands:\n");
    for (const struct command *const *command = commands; *command; command++)
        fprintf(to, "  %-14s %s\n", (*command)->name, (*command)->summary);
    fprintf(to, "\n`xylem COMMAND --help` tells more; `xylem help exit-codes` lists exit codes.\n");
}

static const struct command *find_command(const char *name)
{
    const char *names[32];
    size_t count = 0;
    for (const struct command *const *command = commands; *command; command++) {
        if (strcmp((*command)->name, name) == 0)
            return *command;
        names[count++] = (*command)->name;
    }
    const char *near = nearest_name(name, names, count);
    if (near)
        usage_error(NULL, "there is no command `%s`; did you mean `%s`?", name, near);
    else
        usage_error(NULL, "there is no command `%s`", name);
    return NULL;
}

static const struct flag *find_flag(const struct command *command, const char *word, size_t length)
{
    for (const struct flag *flag = command->flags; flag->name; flag++) {
        if (strlen(flag->name) == length && memcmp(flag->name, word, length) == 0)
            return flag;
    }
    const char *names[32];
    size_t count = 0;
    for (const struct flag *flag = command->flags; flag->name && count < 32; flag++)
        names[count++] = flag->name;
    char *name = memory_copy_text(word, length);
    const char *near = nearest_name(name, names, count);
    if (near)
        usage_error(command, "there is no option `--%s`; did you mean `--%s`?", name, near);
    else
        usage_error(command, "there is no option `--%s`", name);
    free(name);
    return NULL;
}

static const struct flag *find_letter(const struct command *command, const char *word)
{
    for (const struct flag *flag = command->flags; flag->name; flag++) {
        if (flag->letter == word[1] && word[2] == '\0')
            return flag;
    }
    usage_error(command, "there is no option `%s`", word);
    return NULL;
}

static bool fits(const struct arguments *arguments, const struct flag *flag, const char *value)
{
    const struct command *command = arguments->command;
    if (flag->value_name && (!value || !*value))
        usage_error(command, "`--%s` needs a value: --%s %s", flag->name, flag->name,
                    flag->value_name);
    else if (!flag->value_name && value)
        usage_error(command, "`--%s` takes no value", flag->name);
    else if (arguments->flags[flag - command->flags].count == MOST_VALUES)
        usage_error(command, "`--%s` was given more than %d times", flag->name, MOST_VALUES);
    else
        return true;
    return false;
}

/* Takes one flag and its value; returns how many words it used, 0 after an error. */
static int take_flag(struct arguments *arguments, char **words)
{
    const struct command *command = arguments->command;
    const char *word = words[0], *equals = strchr(word, '=');
    bool is_long = word[1] == '-';
    size_t length = equals && is_long ? (size_t)(equals - word) - 2 : strlen(word) - 2;
    const struct flag *flag = is_long ? find_flag(command, word + 2, length)
                                      : find_letter(command, word);
    if (!flag)
        return 0;
    size_t index = (size_t)(flag - command->flags);
    const char *value = is_long && equals ? equals + 1 : NULL;
    int used = 1;
    if (flag->value_name && !value) {
        value = words[1];
        used = 2;
    }
    if (!fits(arguments, flag, value))
        return 0;
    arguments->flags[index].values[arguments->flags[index].count++] = value ? value : "";
    return used;
}

static int parse(struct arguments *arguments, char **words)
{
    const struct command *command = arguments->command;
    bool only_words = false;
    for (int i = 0; words[i];) {
        if (!only_words && strcmp(words[i], "--") == 0) {
            only_words = true;
            i++;
        } else if (!only_words && words[i][0] == '-' && words[i][1]) {
            int used = take_flag(arguments, words + i);
            if (!used)
                return EXIT_USAGE;
            i += used;
        } else if (arguments->word_count == command->most_words) {
            return usage_error(command, "unexpected `%s`", words[i]);
        } else {
            arguments->words[arguments->word_count++] = words[i++];
        }
    }
    if (arguments->word_count < command->least_words)
        return usage_error(command, "%s is missing", command->words);
    return EXIT_DONE;
}

static bool asks_for_help(char **words)
{
    for (int i = 0; words[i] && strcmp(words[i], "--") != 0; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("xylem %s (plugin ABI %d.%d)\n", XYLEM_VERSION, XY_ABI_MAJOR, XY_ABI_MINOR);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    const struct command *command = find_command(argv[1]);
    if (!command)
        return EXIT_USAGE;
    if (asks_for_help(argv + 2)) {
        print_usage(stdout, command);
        return EXIT_DONE;
    }
    /* A broken pipe and a full quota are errors to report, not reasons to be killed. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    struct arguments arguments = {.command = command};
    int code = parse(&arguments, argv + 2);
    return code == EXIT_DONE ? command->run(&arguments) : code;
}
