/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - which format plugin reads or writes a file. */
#ifndef XYLEM_CORE_FILES_H
#define XYLEM_CORE_FILES_H

#include "registry.h"

/* The format named `name`, or, when that is NULL, the first one that claims the path's ending. NULL
 * with the error. [any] */
const struct stage_type *files_format(const struct registry *registry, const char *path,
                                      const char *name, struct error *error);

#endif
