/* SPDX-License-Identifier: Apache-2.0 */
/* scaffold.h - what `xylem new KIND NAME` writes: a plugin that builds, tests itself and runs.
 *
 * The files are those of sdk/template, built into the program; `my_plugin` in their names and their
 * text becomes the plugin's name.
 */
#ifndef XYLEM_CORE_SCAFFOLD_H
#define XYLEM_CORE_SCAFFOLD_H

#include "error.h"

/* One file of sdk/template; the path begins with "common/" or with the kind. */
struct scaffold_file {
    const char *path;
    const unsigned char *bytes;
    size_t length;
};

extern const struct scaffold_file scaffold_files[]; /* ends with a NULL path */

/* Writes a new plugin of `kind` ("filter" ...) to the folder `parent`/`name`, which must not exist;
 * `parent` NULL: the current folder. A name is a C identifier in lower case of at most 40 letters,
 * digits and '_'. 0, or the error; what was written before a failed write stays. */
int scaffold_write(const char *kind, const char *name, const char *parent, struct error *error);

#endif
