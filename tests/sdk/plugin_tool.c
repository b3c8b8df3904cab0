/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_tool new KIND NAME FOLDER | load KIND NAME FILE.so | conform FILE.so...
 * The parts of the program that the out-of-tree test needs, without the rest of it. */
#include <stdio.h>
#include <string.h>

#include "conformance.h"
#include "registry.h"
#include "scaffold.h"

static int fail(const struct error *error)
{
    fprintf(stderr, "%s (%s)\n", error->text, error->hint);
    return 1;
}

/* Every file is tried; the status is 1 when one broke a rule. */
static int conform(char **paths)
{
    int status = 0;
    for (; *paths; paths++) {
        struct buffer report;
        buffer_init(&report, 1 << 22);
        if (conformance_run(*paths, false, &report) != 0)
            status = 1;
        fputs(report.bytes, stdout);
        buffer_free(&report);
    }
    return status;
}

int main(int count, char **arguments)
{
    struct error error = {0};
    if (count == 5 && strcmp(arguments[1], "new") == 0)
        return scaffold_write(arguments[2], arguments[3], arguments[4], &error) < 0 ? fail(&error)
                                                                                    : 0;
    if (count > 2 && strcmp(arguments[1], "conform") == 0)
        return conform(arguments + 2);
    if (count != 5 || strcmp(arguments[1], "load") != 0)
        return 2;
    struct registry registry = {0};
    if (!registry_load(&registry, arguments[4], &error))
        return fail(&error);
    const struct stage_type *type = registry_find(&registry, kind_of(arguments[2]), arguments[3]);
    int missing = type == NULL;
    if (missing)
        fprintf(stderr, "%s has no %s `%s`\n", arguments[4], arguments[2], arguments[3]);
    registry_free(&registry);
    return missing;
}
