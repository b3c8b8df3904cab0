/* SPDX-License-Identifier: Apache-2.0 */
/* chunks_files.h - the documents that a path names. [any] */
#ifndef XYLEM_PLUGINS_CHUNKS_CHUNKS_FILES_H
#define XYLEM_PLUGINS_CHUNKS_CHUNKS_FILES_H

#include "chunks_document.h"

struct file {
    char *path, *name; /* to open it; and as records call it: below the folder, or the last part */
};

struct files { /* zeroed: empty */
    struct file *items; /* by name, byte for byte: the same everywhere */
    size_t count, room;
    size_t passed;      /* files of the folder that `patterns` left out */
};

/* Lists a file, or the files of a folder and the folders in it, but for hidden ones, and those of
 * them that fit one of `patterns` (NULL-terminated; NULL: all; as the shell's, held against the
 * name and against its last part). 0, or an error with its text in `why`; none found is one. */
int files_list(struct files *files, const char *path, const char *const *patterns,
               char why[DOCUMENT_WHY]);
void files_free(struct files *files);

#endif
