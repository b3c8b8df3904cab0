/* SPDX-License-Identifier: Apache-2.0 */
/* lockfile.h - what a run was made from: lock.json in the run's folder.
 *
 * It names the fingerprints (XXH3) of the pipeline, of each plugin that it uses, of each model's
 * entry without secrets, and of each input: files, and folders with all in them. A run that goes on
 * compares: what changed since is said in a warning, and the lock is written anew; answers are
 * addressed by their content, so one that no longer fits is not used.
 */
#ifndef XYLEM_CORE_LOCKFILE_H
#define XYLEM_CORE_LOCKFILE_H

#include "pipeline.h"

/* Writes FOLDER/lock.json. The names of what differs from an earlier one are appended to `changes`,
 * separated by ", ". 0, or XY_EIO with the error. [worker] */
int lockfile_write(const struct pipeline *pipeline, const char *folder, struct buffer *changes,
                   struct error *error);

#endif
