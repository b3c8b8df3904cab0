/* SPDX-License-Identifier: Apache-2.0 */
/* model_files.h - from the option `model` to a GGUF file, and what its header says. [any] */
#ifndef XYLEM_PLUGINS_LLAMA_MODEL_FILES_H
#define XYLEM_PLUGINS_LLAMA_MODEL_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* A value with a '/' or the ending ".gguf" is a path; any other is the name of a model in the cache
 * folder ${XYLEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xylem}/models. Returns the path, to free(),
 * of a file that exists and starts as GGUF does; NULL with the reason and what to do in `error`,
 * and *status XY_EINVAL, XY_EIO or XY_ENOMEM. */
char *model_files_find(const char *model, int *status, char *error, size_t error_size);

/* True when the header names a pooling, which only models that make embeddings have. False also
 * when the header cannot be read: loading it will say why. */
bool model_files_pools(const char *path);

#endif
