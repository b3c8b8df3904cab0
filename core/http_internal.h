/* SPDX-License-Identifier: Apache-2.0 */
/* http_internal.h - what the files of the HTTP module share.
 *
 * http.c holds calls: from submit to done. http_lane.c holds lanes: one libcurl multi handle each,
 * their sockets and timers. http_headers.c and http_error.c are helpers without state of their own.
 * [loop] for everything.
 */
#ifndef XYLEM_CORE_HTTP_INTERNAL_H
#define XYLEM_CORE_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "http.h"

enum {
    HTTP_HEAD_LIMIT = 256 * 1024,    /* bytes of response headers */
    HTTP_KEEP_CAPACITY = 64 * 1024,  /* buffers above it are given back after the call */
    HTTP_DEFAULT_TIMEOUT_MS = 600000,
    HTTP_CONNECT_TIMEOUT_MS = 30000,
    /* Connections to one host in a lane whose hosts speak HTTP/2, or may: at the usual 100 streams
     * each, three carry a full lane; one more leaves room for a server that is closing one. */
    HTTP_MULTIPLEXED_CONNECTIONS = 4,
};
#define HTTP_DEFAULT_MAX_BODY (UINT64_C(64) << 20)

/* ---- header sets (http_headers.c) ---------------------------------------------------------- */

/* One distinct list of request headers, shared by all calls that send it. May hold keys: wiped. */
struct header_set {
    struct header_set *next;
    struct curl_slist *list;
    char *key;
    size_t key_length, users;
};

/* Takes one use of the set with these headers. NULL when a header has no colon or holds a line
 * break: it would be another header, or none. */
struct header_set *header_set_take(struct header_set **sets, const xy_str *headers, size_t count,
                                   bool has_body);
void header_set_release(struct header_set **sets, struct header_set *set);

/* ---- origins: what is known about a server -------------------------------------------------- */

struct origin {
    char *name; /* "https://host:port" as the URL writes it */
    size_t name_length;
    bool only_http1; /* an https server that did not take HTTP/2 */
};

/* ---- lanes ----------------------------------------------------------------------------------- */

struct lane {
    struct http *http;
    CURLM *multi;
    bool multiplexed;     /* for https servers that speak HTTP/2, or may */
    bool kicked;          /* libcurl asked to be called at once */
    size_t active;        /* calls in it */
    uint64_t due_us;      /* when libcurl wants to be called; UINT64_MAX: never */
    uint64_t timer_us;    /* when `timer` runs: never after due_us, often before */
    struct timer *timer;
};

/* A socket by its file descriptor. What epoll is told changes as rarely as possible: a kept-alive
 * connection stays registered between two calls. */
struct http_socket {
    struct lane *lane;
    uint8_t wanted;       /* EPOLLIN, EPOLLOUT as libcurl wants now */
    uint8_t registered;   /* as epoll knows */
    bool ours;            /* opened and closed through our callbacks, so that we see it close */
};

struct call {
    struct http *http;
    struct lane *lane;    /* NULL while the call is not in flight */
    CURL *easy;
    struct call *next_free;
    uint32_t slot, generation;
    struct header_set *headers;
    struct origin *origin; /* of an https URL */
    char *url, *body;
    size_t url_capacity, body_capacity;
    const char *method;   /* "GET", "POST", "HEAD" or `custom_method` */
    char custom_method[16];
    uint32_t timeout_ms;
    bool pipewait;
    struct buffer reply;
    size_t head_bytes;
    int32_t retry_after_ms;
    bool retry_after_exact; /* from retry-after-ms */
    bool started;           /* the request is being sent: it may not be moved any more */
    bool cancelled, head_too_long;
    void (*done)(void *user, const xy_http_reply *reply);
    void *user;
    char curl_error[CURL_ERROR_SIZE];
};

struct http {
    struct loop *loop;
    void *poll;            /* uv_poll_t on `epoll`; freed by its own close callback */
    int epoll;
    struct http_socket *sockets;
    size_t socket_count;
    struct lane **lanes;
    size_t lane_count;
    struct timer *flush;   /* set while a lane was kicked or a call cancelled */
    CURLSH *share;
    struct call **calls;
    size_t call_count, active;
    struct call *free_calls;
    struct header_set *header_sets;
    struct origin **origins;
    size_t origin_count;
    uint64_t *cancels;     /* tickets */
    size_t cancel_count, cancel_capacity;
    const char *ca_file, *ca_folder;
    char message[1024];    /* of the reply that is being delivered */
};

bool lanes_open(struct http *http);
void lanes_close(struct http *http);
/* Puts the call into the first lane with room, so that few lanes keep their connections busy. */
void lane_add(struct call *call, bool multiplexed);
void lane_remove(struct call *call);
/* Ensures http_flush() runs before the next poll. */
void lanes_flush_soon(struct http *http);
/* Runs the lanes that asked for it. */
void lanes_run_kicked(struct http *http);
/* libcurl's callbacks for the sockets of an easy handle. */
void lane_own_sockets(struct http *http, CURL *easy);

/* http.c: the call is over with this result; its `done` has run when this returns. */
void call_finish(struct call *call, CURLcode result);
void http_flush(void *http);

/* ---- words (http_error.c) -------------------------------------------------------------------- */

/* Milliseconds from the value of a Retry-After header, seconds or an HTTP date (RFC 9110, 10.2.3),
 * at `now` seconds since 1970; -1 when it is neither. Fractions of seconds, which some servers
 * send, are taken too. A date in the past gives 0. At most INT32_MAX. */
int32_t http_retry_after(const char *text, size_t length, int64_t now);
/* Milliseconds from a retry-after-ms header; -1 when it is not a number. */
int32_t http_retry_after_ms(const char *text, size_t length);
/* "scheme://host:port" of an URL: no user, password, path or query, which may hold secrets. */
void http_origin_text(const char *url, char *text, size_t size);
/* Fills status, retryable and error of a call that ended without a whole answer. */
void http_explain(struct call *call, CURLcode result, xy_http_reply *reply);

#endif
