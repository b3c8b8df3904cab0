/* SPDX-License-Identifier: Apache-2.0 */
/* filter_says.h - what most tests of filters do: one record in, the reason out. */
#ifndef XYLEM_TESTS_PLUGINS_FILTER_SAYS_H
#define XYLEM_TESTS_PLUGINS_FILTER_SAYS_H

#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

/* "" when the record is kept, else the reason, with "error: " before it when it is no verdict. */
static inline const char *filter_says(const char *filter, const char *yaml, const char *json)
{
    static char line[1024];
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_FILTER, filter, yaml);
    if (!instance)
        printf("\n    %s\n", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
    snprintf(line, sizeof(line), "%s%s", result.verdict < 0 ? "error: " : "",
             result.verdict == XY_OK ? "" : result.why ? result.why : "no reason");
    return line;
}

/* The error with its hint when the options are refused; "" when they are not. */
static inline const char *filter_refuses(const char *filter, const char *yaml)
{
    static char line[1400];
    struct instance *instance = stage_host_open(&host, XY_FILTER, filter, yaml);
    snprintf(line, sizeof(line), "%s; %s", host.error.text, host.error.hint);
    if (!instance)
        return line;
    instance_close(instance);
    return "";
}

static inline int filter_main(const char *filter, const struct check *checks)
{
    stage_host_init(&host);
    stage_host_load(&host, filter);
    int failed = check_main(filter, checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}

#endif
