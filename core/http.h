/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - one HTTP attempt at a time for each call, over pooled connections (libcurl).
 *
 * Several multi handles of at most HTTP_PER_MULTI transfers each (libcurl walks lists), chosen by
 * load; each keeps its own connections alive. HTTP/2 where TLS offers it, with a bounded number of
 * connections; gzip; proxies and CA files by libcurl's own environment variables (http_proxy,
 * no_proxy, SSL_CERT_FILE, CURL_CA_BUNDLE). Redirects are not followed: an API that moved is an
 * error worth reading. Bodies are bounded. No retries here: see model.h. [loop] for everything.
 */
#ifndef XYLEM_CORE_HTTP_H
#define XYLEM_CORE_HTTP_H

#include "error.h"
#include "loop.h"

enum { HTTP_PER_MULTI = 256 };

struct http;

struct http *http_create(struct loop *loop);
/* All transfers must be done or cancelled. */
void http_destroy(struct http *http);

/* See xylem.http/1 in plugin.h. 0 or XY_EINVAL (no URL, a scheme that is not http or https). */
int http_submit(struct http *http, const xy_http_request *request,
                void (*done)(void *user, const xy_http_reply *reply), void *user,
                uint64_t *ticket);
int http_cancel(struct http *http, uint64_t ticket);
size_t http_active(const struct http *http);

#endif
