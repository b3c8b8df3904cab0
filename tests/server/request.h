/* SPDX-License-Identifier: Apache-2.0 */
/* request.h - reads one HTTP/1.1 request from the start of a buffer. */
#ifndef XYLEM_TESTS_SERVER_REQUEST_H
#define XYLEM_TESTS_SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum {
    REQUEST_HEAD_LIMIT = 64 * 1024,
    REQUEST_BODY_LIMIT = 32 * 1024 * 1024,
    REQUEST_MORE = 0, /* the request is not all there yet */
    REQUEST_READY = 1 /* or an HTTP status of 400 and above: refuse it and close */
};

/* Points into the buffer it was read from. */
struct request {
    const char *method, *path, *authorization, *body;
    size_t method_length, path_length, authorization_length, body_length;
    size_t total;      /* bytes of the whole request */
    bool absolute;     /* the URL had a scheme and a host: the client takes us for a proxy */
    bool close;        /* the client asked for it, or speaks HTTP/1.0 */
    bool accepts_gzip;
    bool expects_continue; /* the body is awaited by a client that waits for "100 Continue" */
};

int request_read(const char *bytes, size_t length, struct request *request);
bool request_is(const struct request *request, const char *method, const char *path);

#endif
