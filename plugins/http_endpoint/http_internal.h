/* SPDX-License-Identifier: Apache-2.0 */
/* http_internal.h - what the files of this plugin share. [loop]
 *
 *   http_endpoint.c   options, open, submit, cancel
 *   http_request.c    the prompt put into the address and the body
 *   http_answer.c     the body as the answer, and what an HTTP error means
 */
#ifndef XYLEM_PLUGINS_HTTP_ENDPOINT_HTTP_INTERNAL_H
#define XYLEM_PLUGINS_HTTP_ENDPOINT_HTTP_INTERNAL_H

#include "exchanges.h"
#include "json_reader.h"
#include "text.h"

#define HTTP_PLACE "{prompt}"

/* How the prompt is written into a body. */
enum http_body { HTTP_NO_BODY = 0, HTTP_JSON, HTTP_FORM, HTTP_RAW };

struct http {
    /* Options. */
    const char *url, *method, *body, *answer;
    const char *const *headers;
    int32_t json;
    /* Worked out by open(). */
    const xy_host *host;
    enum http_body kind;
    struct text body_template;   /* without the quotes of a body that is a text */
    xy_str *header_list;
    size_t header_count;
    struct text address, content, prompt; /* of the request being sent: the service copies them */
    struct exchanges exchanges;
};

/* Fills `address` and `content` for the request; failed in either shows as false. */
bool http_write(struct http *http, const xy_request *request);

/* The reply to a body that came with a good status, and to a bad status. What the reply points to
 * is the call's. */
void http_read(const struct http *http, xy_call *call, xy_str body, xy_reply *reply);
void http_fail(const struct http *http, xy_call *call, int code, xy_str body, xy_reply *reply);

#endif
