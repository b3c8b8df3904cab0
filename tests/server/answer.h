/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - the bodies of the OpenAI-style endpoints. */
#ifndef XYLEM_TESTS_SERVER_ANSWER_H
#define XYLEM_TESTS_SERVER_ANSWER_H

#include "out.h"
#include "request.h"

/* Writes the JSON body that belongs to the request and returns the HTTP status. `hash` is that of
 * path and body: the same request always gets the same answer. */
int answer_write(struct out *out, const struct request *request, uint64_t hash);
/* The body of an error, in OpenAI's shape; returns `status`. */
int answer_error(struct out *out, int status, const char *message);

#endif
