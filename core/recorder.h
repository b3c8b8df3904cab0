/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.h - every answer of a run as a line that the `replay` generator answers from.
 *
 * A completion or a score is written with its messages, an embedding with its text. Two requests
 * that differ in parameters alone read the same in such a file: the first answer is kept.
 * [loop] for everything.
 */
#ifndef XYLEM_CORE_RECORDER_H
#define XYLEM_CORE_RECORDER_H

#include "error.h"
#include "value.h"

struct recorder;

/* Writes to PATH.new until it is closed. NULL with the error. */
struct recorder *recorder_open(const char *path, struct error *error);
/* Adds a good answer. What cannot be written is told by recorder_close(). */
void recorder_add(struct recorder *recorder, const xy_request *request, const xy_reply *reply);
/* Renames the file to PATH and frees. 0, or the first error of writing. NULL is fine. */
int recorder_close(struct recorder *recorder, struct error *error);

#endif
