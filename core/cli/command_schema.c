/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"

static const struct flag no_flags[] = {{NULL, 0, NULL, NULL, false}};

static int run_schema(const struct arguments *arguments)
{
    (void)arguments;
    struct registry registry = {0};
    struct buffer out;
    buffer_init(&out, (size_t)64 << 20);
    registry_load_all(&registry, NULL);
    pipeline_schema(&registry, &out);
    puts(buffer_str(&out).ptr);
    buffer_free(&out);
    registry_free(&registry);
    return EXIT_DONE;
}

const struct command command_schema = {
    .name = "schema",
    .words = "",
    .summary = "print the JSON Schema of pipeline files, for completion in editors",
    .flags = no_flags,
    .run = run_schema,
    .details =
        "For the YAML language server: `xylem schema > xylem.schema.json`, then as the first\n"
        "line of a pipeline file: # yaml-language-server: $schema=xylem.schema.json\n",
};

/* ---- completion ------------------------------------------------------------------------------ */

static void print_bash(void)
{
    printf("# bash completion for xylem: source <(xylem completion bash)\n"
           "_xylem() {\n"
           "  local word=${COMP_WORDS[COMP_CWORD]}\n"
           "  case ${COMP_WORDS[1]} in\n");
    for (const struct command *const *command = commands; *command; command++) {
        printf("    %s) COMPREPLY=($(compgen -W \"--help", (*command)->name);
        for (const struct flag *flag = (*command)->flags; flag->name; flag++)
            printf(" --%s", flag->name);
        printf("\" -- \"$word\")) ;;\n");
    }
    printf("    *) COMPREPLY=($(compgen -W \"--help --version");
    for (const struct command *const *command = commands; *command; command++)
        printf(" %s", (*command)->name);
    printf("\" -- \"$word\")) ;;\n  esac\n"
           "  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "}\ncomplete -o filenames -F _xylem xylem\n");
}

static void print_zsh(void)
{
    printf("#compdef xylem\n# zsh completion: xylem completion zsh > \"${fpath[1]}/_xylem\"\n"
           "_xylem() {\n  local -a commands=(\n");
    for (const struct command *const *command = commands; *command; command++)
        printf("    '%s:%s'\n", (*command)->name, (*command)->summary);
    printf("  )\n  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
           "  case $words[2] in\n");
    for (const struct command *const *command = commands; *command; command++) {
        printf("    %s) _arguments", (*command)->name);
        for (const struct flag *flag = (*command)->flags; flag->name; flag++)
            printf(" '--%s[%s]%s%s'", flag->name, flag->help, flag->value_name ? ":" : "",
                   flag->value_name ? flag->value_name : "");
        printf(" '*:file:_files' ;;\n");
    }
    printf("  esac\n}\n_xylem \"$@\"\n");
}

static void print_fish(void)
{
    printf("# fish completion: xylem completion fish > ~/.config/fish/completions/xylem.fish\n");
    for (const struct command *const *command = commands; *command; command++) {
        printf("complete -c xylem -n __fish_use_subcommand -a %s -d '%s'\n", (*command)->name,
               (*command)->summary);
        for (const struct flag *flag = (*command)->flags; flag->name; flag++)
            printf("complete -c xylem -n '__fish_seen_subcommand_from %s' -l %s%s -d '%s'\n",
                   (*command)->name, flag->name, flag->value_name ? " -r" : "", flag->help);
    }
}

static int run_completion(const struct arguments *arguments)
{
    const char *shell = arguments->words[0];
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else
        return usage_error(&command_completion, "no completion for `%s`: bash, zsh or fish", shell);
    return EXIT_DONE;
}

const struct command command_completion = {
    .name = "completion",
    .words = "SHELL",
    .summary = "print completions for bash, zsh or fish",
    .least_words = 1,
    .most_words = 1,
    .flags = no_flags,
    .run = run_completion,
};
