/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "test_server - an OpenAI-style server for tests, on 127.0.0.1, deterministic, counting\n"
    "  --port N            0: any free port; the port is printed as one line (default 0)\n"
    "  --latency-ms N      each answer comes so much later (default 0)\n"
    "  --jitter-ms N       and up to so much later again, by a hash of the body\n"
    "  --fail LIST         KIND:PROBABILITY,... with KIND an HTTP status of 400 to 599, reset,\n"
    "                      truncate, malformed or slow; decided by (seed, body, attempt)\n"
    "  --seed N            of the failures (default 0)\n"
    "  --slow-ms N         what `slow` adds (default 2000)\n"
    "  --retry-after S     sent with each 429 and 503; a fraction goes as retry-after-ms\n"
    "  --retry-after-date  as an HTTP date instead of seconds\n"
    "  --limit N           requests a second, 429 past it\n"
    "  --max-in-flight N   requests being answered at once, 429 past it\n"
    "  --require-key KEY   401 without `Authorization: Bearer KEY`\n"
    "  --gzip              answers in gzip to clients that accept it\n"
    "  --count-file PATH   keeps the counts in this file (see counts.h)\n"
    "  --die-with-parent   ends when the process that started it ends\n";

static bool parse_number(const char *text, double least, double most, double *number)
{
    char *end;
    *number = strtod(text, &end); /* the program never sets a locale: this is the C locale */
    return end != text && *end == '\0' && *number >= least && *number <= most;
}

static bool parse_failure(const char *text, struct failure *failure)
{
    static const char *const names[] = {
        [FAIL_RESET] = "reset",
        [FAIL_TRUNCATE] = "truncate",
        [FAIL_MALFORMED] = "malformed",
        [FAIL_SLOW] = "slow",
    };
    const char *colon = strchr(text, ':');
    double number;
    if (!colon || !parse_number(colon + 1, 0, 1, &failure->probability))
        return false;
    size_t length = (size_t)(colon - text);
    for (int kind = FAIL_RESET; kind <= FAIL_SLOW; kind++) {
        if (strlen(names[kind]) == length && memcmp(names[kind], text, length) == 0) {
            failure->kind = kind;
            return true;
        }
    }
    char status[8];
    if (length >= sizeof(status))
        return false;
    memcpy(status, text, length);
    status[length] = '\0';
    if (!parse_number(status, 400, 599, &number))
        return false;
    failure->kind = (int)number;
    return true;
}

static bool parse_failures(const char *list, struct settings *settings)
{
    char *copy = strdup(list), *rest = copy;
    bool good = copy != NULL;
    char *item = good ? strsep(&rest, ",") : NULL;
    while (good && item) {
        good = settings->failure_count < FAILURE_LIMIT &&
               parse_failure(item, &settings->failures[settings->failure_count]);
        settings->failure_count++;
        item = strsep(&rest, ",");
    }
    free(copy);
    return good;
}

static bool set_number(struct settings *settings, const char *name, const char *value)
{
    double number;
    if (!parse_number(value, 0, 1e9, &number))
        return false;
    if (strcmp(name, "--port") == 0 && number <= 65535)
        settings->port = (uint16_t)number;
    else if (strcmp(name, "--latency-ms") == 0)
        settings->latency_ms = (uint32_t)number;
    else if (strcmp(name, "--jitter-ms") == 0)
        settings->jitter_ms = (uint32_t)number;
    else if (strcmp(name, "--slow-ms") == 0)
        settings->slow_ms = (uint32_t)number;
    else if (strcmp(name, "--seed") == 0)
        settings->seed = (uint64_t)number;
    else if (strcmp(name, "--retry-after") == 0)
        settings->retry_after = number;
    else if (strcmp(name, "--limit") == 0)
        settings->limit = number;
    else if (strcmp(name, "--max-in-flight") == 0)
        settings->max_in_flight = (uint32_t)number;
    else
        return false;
    return true;
}

static bool set_flag(struct settings *settings, const char *name)
{
    if (strcmp(name, "--retry-after-date") == 0)
        settings->retry_after_date = true;
    else if (strcmp(name, "--gzip") == 0)
        settings->gzip = true;
    else if (strcmp(name, "--die-with-parent") == 0)
        settings->die_with_parent = true;
    else
        return false;
    return true;
}

static bool set_value(struct settings *settings, const char *name, const char *value)
{
    if (strcmp(name, "--fail") == 0)
        return parse_failures(value, settings);
    if (strcmp(name, "--require-key") == 0)
        settings->key = value;
    else if (strcmp(name, "--count-file") == 0)
        settings->count_file = value;
    else
        return set_number(settings, name, value);
    return true;
}

bool settings_parse(struct settings *settings, int argc, char **argv)
{
    *settings = (struct settings){.slow_ms = 2000, .retry_after = -1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(help, stdout);
            exit(0);
        }
        if (set_flag(settings, argv[i]))
            continue;
        if (i + 1 == argc || !set_value(settings, argv[i], argv[i + 1])) {
            fprintf(stderr, "test_server: cannot use `%s%s%s`; see --help\n", argv[i],
                    i + 1 < argc ? " " : "", i + 1 < argc ? argv[i + 1] : "");
            return false;
        }
        i++;
    }
    return true;
}
