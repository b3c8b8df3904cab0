/* SPDX-License-Identifier: Apache-2.0 */
/* exchanges.h - a generator's calls over xylem.http/1: sent, answered, cancelled. [loop] */
#ifndef XYLEM_PLUGINS_COMMON_EXCHANGES_H
#define XYLEM_PLUGINS_COMMON_EXCHANGES_H

#include <xylem/plugin.h>

struct exchange; /* one call that is out */

struct exchanges { /* part of a generator's state; zeroed but for what open() sets */
    const xy_host *host;
    const xy_http *http;
    /* Makes a reply of what came. Where no HTTP answer came whole (http->status), the reply's
     * status, error and `retryable` already say so; it may say it better. */
    void (*read)(void *state, xy_call *call, const xy_http_reply *http, xy_reply *reply);
    void *state;
    struct exchange *first;
};

/* Sends one request for the call: for submit(). 0, and read() and then complete() will come; or
 * negative, and they will not. */
int exchanges_send(struct exchanges *exchanges, xy_call *call, const xy_http_request *request);
/* For cancel(). */
void exchanges_cancel(struct exchanges *exchanges, xy_call *call);

#endif
