/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - files that appear whole or not at all, and folders made on the way to them. */
#ifndef XYLEM_CORE_FILE_H
#define XYLEM_CORE_FILE_H

#include "error.h"

struct file_writer;

/* Writes to PATH.new; makes missing folders. NULL with the error. One thread at a time. */
struct file_writer *file_writer_open(const char *path, struct error *error);
int file_writer_append(struct file_writer *writer, const void *bytes, size_t length,
                       struct error *error);
/* With `keep` flushes it to disk and renames it to PATH; else removes it. Frees. */
int file_writer_close(struct file_writer *writer, bool keep, struct error *error);

/* `path` as a pipeline file in `folder` means it: in the arena, or `path` itself when it is
 * absolute or `folder` is NULL. */
const char *file_path(struct arena *arena, const char *folder, const char *path);
/* mkdir -p. 0 or XY_EIO. */
int file_make_folder(const char *path, struct error *error);
/* A whole small file (at most `ceiling` bytes) into `out`. 0 or XY_EIO. */
int file_read(const char *path, size_t ceiling, struct buffer *out, struct error *error);

#endif
