/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "http_internal.h"

enum { ORIGIN_LIMIT = 256 };

/* ---- what libcurl tells about one transfer --------------------------------------------------- */

static size_t body_came(char *bytes, size_t size, size_t count, void *data)
{
    struct call *call = data;
    return buffer_append(&call->reply, bytes, size * count) ? size * count : 0;
}

static bool line_is(const char *line, size_t length, const char *name)
{
    size_t name_length = strlen(name);
    return length > name_length && strncasecmp(line, name, name_length) == 0;
}

static size_t header_came(char *line, size_t size, size_t count, void *data)
{
    struct call *call = data;
    size_t length = size * count;
    call->head_bytes += length;
    call->head_too_long = call->head_bytes > HTTP_HEAD_LIMIT;
    if (call->head_too_long)
        return 0;
    if (line_is(line, length, "HTTP/")) { /* a new head: 100 Continue or a proxy's came before */
        call->retry_after_ms = -1;
        call->retry_after_exact = false;
    } else if (line_is(line, length, "retry-after-ms:")) {
        call->retry_after_ms = http_retry_after_ms(line + 15, length - 15);
        call->retry_after_exact = call->retry_after_ms >= 0;
    } else if (line_is(line, length, "retry-after:") && !call->retry_after_exact) {
        call->retry_after_ms = http_retry_after(line + 12, length - 12, (int64_t)time(NULL));
    }
    return length;
}

static int about_to_send(void *data, char *remote_ip, char *local_ip, int remote_port,
                         int local_port)
{
    (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
    ((struct call *)data)->started = true;
    return CURL_PREREQFUNC_OK;
}

/* ---- calls: pooled, each with its easy handle ------------------------------------------------ */

static void set_lasting_options(struct call *call)
{
    CURL *easy = call->easy;
    struct http *http = call->http;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_came);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_came);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L); /* answers may take minutes */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip"); /* unpack it; see http_headers.c */
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 8192L);
    curl_easy_setopt(easy, CURLOPT_SHARE, http->share);
    if (http->ca_file || http->ca_folder) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, http->ca_folder);
    }
    lane_own_sockets(http, easy);
}

static struct call *call_take(struct http *http)
{
    struct call *call = http->free_calls;
    if (call) {
        http->free_calls = call->next_free;
        return call;
    }
    call = memory_zeroed(1, sizeof(*call));
    call->http = http;
    call->easy = curl_easy_init();
    if (!call->easy)
        memory_resize(NULL, SIZE_MAX / 2, 1); /* says so and ends the process */
    call->slot = (uint32_t)http->call_count;
    call->method = "GET"; /* a new easy handle's */
    set_lasting_options(call);
    buffer_init(&call->reply, HTTP_DEFAULT_MAX_BODY);
    if ((http->call_count & (http->call_count - 1)) == 0) {
        size_t capacity = http->call_count ? http->call_count * 2 : 1;
        http->calls = memory_resize(http->calls, capacity, sizeof(struct call *));
    }
    http->calls[http->call_count++] = call;
    return call;
}

static void call_give_back(struct call *call)
{
    if (call->reply.capacity > HTTP_KEEP_CAPACITY)
        buffer_free(&call->reply);
    if (call->body_capacity > HTTP_KEEP_CAPACITY) {
        free(call->body);
        call->body = NULL;
        call->body_capacity = 0;
    }
    call->generation++;
    call->next_free = call->http->free_calls;
    call->http->free_calls = call;
}

static void call_free(struct call *call)
{
    curl_easy_cleanup(call->easy);
    header_set_release(&call->http->header_sets, call->headers);
    buffer_free(&call->reply);
    free(call->url);
    free(call->body);
    free(call);
}

static uint64_t ticket_of(const struct call *call)
{
    return (uint64_t)call->generation << 32 | (call->slot + 1u);
}

static struct call *call_by_ticket(const struct http *http, uint64_t ticket)
{
    uint32_t slot = (uint32_t)ticket;
    if (slot == 0 || slot > http->call_count)
        return NULL;
    struct call *call = http->calls[slot - 1];
    return call->lane && ticket_of(call) == ticket ? call : NULL;
}

/* ---- preparing a call: only what differs from the handle's last one is set again ------------- */

static void prepare_url(struct call *call, const char *url)
{
    if (call->url && strcmp(call->url, url) == 0)
        return;
    size_t length = strlen(url);
    if (!call->url || length >= call->url_capacity) {
        call->url_capacity = length + 1;
        call->url = memory_resize(call->url, call->url_capacity, 1);
    }
    memcpy(call->url, url, length + 1);
    curl_easy_setopt(call->easy, CURLOPT_URL, call->url);
}

static void prepare_body(struct call *call, xy_str body)
{
    if (body.len >= call->body_capacity) {
        call->body_capacity = body.len + 1;
        call->body = memory_resize(call->body, call->body_capacity, 1);
    }
    if (body.len)
        memcpy(call->body, body.ptr, body.len);
    call->body[body.len] = '\0';
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body);
}

static void prepare_method(struct call *call, const char *method, bool has_body)
{
    bool same = strcmp(call->method, method) == 0;
    if (same && strcmp(method, "POST") == 0)
        return;
    CURL *easy = call->easy;
    bool post = has_body || strcmp(method, "POST") == 0;
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, post ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (strcmp(method, post ? "POST" : "GET") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    if (!same) {
        snprintf(call->custom_method, sizeof(call->custom_method), "%s", method);
        call->method = call->custom_method;
    }
}

static void prepare_timing(struct call *call, uint32_t timeout_ms, bool multiplexed)
{
    if (call->timeout_ms != timeout_ms) {
        call->timeout_ms = timeout_ms;
        curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    }
    if (call->pipewait != multiplexed) {
        call->pipewait = multiplexed;
        curl_easy_setopt(call->easy, CURLOPT_PIPEWAIT, (long)multiplexed);
    }
}

static bool url_is_good(const char *url)
{
    size_t scheme = !url ? 0 : strncasecmp(url, "http://", 7) == 0 ? 7
                             : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;
    if (!scheme)
        return false;
    for (const char *at = url; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 127)
            return false;
    return url[scheme] != '\0';
}

static bool method_is_good(const char *method)
{
    size_t length = strlen(method);
    for (size_t i = 0; i < length; i++)
        if (method[i] < 'A' || method[i] > 'Z')
            return false;
    return length > 0 && length < sizeof(((struct call *)NULL)->custom_method);
}

/* ---- https servers that do not speak HTTP/2 -------------------------------------------------- */

static struct origin *origin_of(struct http *http, const char *url)
{
    if (strncasecmp(url, "https://", 8) != 0)
        return NULL;
    size_t length = 8 + strcspn(url + 8, "/?#");
    for (size_t i = 0; i < http->origin_count; i++)
        if (http->origins[i]->name_length == length &&
            memcmp(http->origins[i]->name, url, length) == 0)
            return http->origins[i];
    if (http->origin_count == ORIGIN_LIMIT)
        return NULL;
    if (!http->origins)
        http->origins = memory_zeroed(ORIGIN_LIMIT, sizeof(struct origin *));
    struct origin *origin = memory_zeroed(1, sizeof(*origin));
    origin->name = memory_copy_text(url, length);
    origin->name_length = length;
    http->origins[http->origin_count++] = origin;
    return origin;
}

/* Calls to an https server start in a lane with few connections, as HTTP/2 needs. A server that
 * answers in HTTP/1.1 needs a connection for each: what still waits there moves. */
static void learn_version(struct call *call)
{
    long version = 0;
    struct origin *origin = call->origin;
    if (!origin || origin->only_http1 || !call->lane->multiplexed)
        return;
    curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
    if (version != CURL_HTTP_VERSION_1_1 && version != CURL_HTTP_VERSION_1_0)
        return;
    origin->only_http1 = true;
    struct http *http = call->http;
    for (size_t i = 0; i < http->call_count; i++) {
        struct call *other = http->calls[i];
        if (!other->lane || other->origin != origin || other->started)
            continue;
        lane_remove(other);
        prepare_timing(other, other->timeout_ms, false);
        lane_add(other, false);
    }
}

/* ---- the end of a call ----------------------------------------------------------------------- */

struct delivery {
    struct call *call;
    xy_http_reply reply;
};

static void deliver(void *data)
{
    struct delivery *delivery = data;
    delivery->call->done(delivery->call->user, &delivery->reply);
}

void call_finish(struct call *call, CURLcode result)
{
    struct delivery delivery = {.call = call};
    xy_http_reply *reply = &delivery.reply;
    reply->size = sizeof(*reply);
    reply->retry_after_ms = -1;
    if (result == CURLE_OK && !call->cancelled) {
        long code = 0;
        char *type = NULL;
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &code);
        curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
        learn_version(call);
        reply->code = (int32_t)code;
        reply->retry_after_ms = call->retry_after_ms;
        reply->retryable = code == 408 || code == 409 || code == 429 || code >= 500;
        reply->body = buffer_str(&call->reply);
        reply->content_type = type;
    } else {
        http_explain(call, result, reply);
    }
    lane_remove(call);
    loop_call(call->http->loop, deliver, &delivery);
    call_give_back(call);
}

void http_flush(void *data)
{
    struct http *http = data;
    http->flush = NULL;
    for (size_t i = 0; i < http->cancel_count; i++) { /* `done` may add to them */
        struct call *call = call_by_ticket(http, http->cancels[i]);
        if (call)
            call_finish(call, CURLE_ABORTED_BY_CALLBACK);
    }
    http->cancel_count = 0;
    lanes_run_kicked(http);
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* libcurl itself reads none of the variables; its command-line tool and OpenSSL do. A file of
 * certificates is read once for each lane, but for each connection, at some 50 ms, where a folder
 * is set as well: so a folder only where there is no file. */
static void find_certificates(struct http *http)
{
    const char *usual = curl_version_info(CURLVERSION_NOW)->cainfo;
    http->ca_file = environment("CURL_CA_BUNDLE");
    if (!http->ca_file)
        http->ca_file = environment("SSL_CERT_FILE");
    if (!http->ca_file)
        http->ca_folder = environment("SSL_CERT_DIR");
    if (!http->ca_file && !http->ca_folder && usual && access(usual, R_OK) == 0)
        http->ca_file = usual;
}

/* ---- the contract ---------------------------------------------------------------------------- */

struct http *http_create(struct loop *loop)
{
    struct http *http = memory_zeroed(1, sizeof(*http));
    http->loop = loop;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    http->share = curl_share_init();
    if (!http->share || !lanes_open(http)) {
        fprintf(stderr, "xylem: the system gives no further file; raise `ulimit -n`\n");
        _Exit(71); /* EX_OSERR, as for memory */
    }
    /* One thread: no locks. Connections are not shared, since their one list would be walked. */
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    find_certificates(http);
    return http;
}

void http_destroy(struct http *http)
{
    if (!http)
        return;
    for (size_t i = 0; i < http->call_count; i++)
        call_free(http->calls[i]);
    lanes_close(http);
    curl_share_cleanup(http->share);
    for (size_t i = 0; i < http->origin_count; i++) {
        free(http->origins[i]->name);
        free(http->origins[i]);
    }
    free(http->origins);
    free(http->calls);
    free(http->cancels);
    free(http);
    curl_global_cleanup();
}

int http_submit(struct http *http, const xy_http_request *given,
                void (*done)(void *user, const xy_http_reply *reply), void *user, uint64_t *ticket)
{
    xy_http_request request = {0};
    memcpy(&request, given, given->size < sizeof(request) ? given->size : sizeof(request));
    bool has_body = request.body.len > 0;
    const char *method = request.method ? request.method : has_body ? "POST" : "GET";
    if (!url_is_good(request.url) || !method_is_good(method))
        return XY_EINVAL;
    bool posts = has_body || strcmp(method, "POST") == 0;
    struct header_set *headers = header_set_take(&http->header_sets, request.headers,
                                                 request.header_count, posts);
    if (!headers)
        return XY_EINVAL;
    struct call *call = call_take(http);
    if (call->headers != headers)
        curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, headers->list);
    header_set_release(&http->header_sets, call->headers);
    call->headers = headers;
    prepare_url(call, request.url);
    call->origin = origin_of(http, call->url);
    bool multiplexed = call->origin && !call->origin->only_http1;
    prepare_method(call, method, has_body);
    if (posts)
        prepare_body(call, request.body);
    prepare_timing(call, request.timeout_ms ? request.timeout_ms : HTTP_DEFAULT_TIMEOUT_MS,
                   multiplexed);
    buffer_clear(&call->reply);
    call->reply.ceiling = request.max_body ? request.max_body : HTTP_DEFAULT_MAX_BODY;
    call->head_bytes = 0;
    call->retry_after_ms = -1;
    call->retry_after_exact = call->started = call->cancelled = call->head_too_long = false;
    call->curl_error[0] = '\0';
    call->done = done;
    call->user = user;
    if (ticket)
        *ticket = ticket_of(call);
    lane_add(call, multiplexed);
    return XY_OK;
}

int http_cancel(struct http *http, uint64_t ticket)
{
    struct call *call = call_by_ticket(http, ticket);
    if (!call)
        return XY_EINVAL;
    if (call->cancelled)
        return XY_OK;
    call->cancelled = true;
    if (http->cancel_count == http->cancel_capacity) {
        http->cancel_capacity = http->cancel_capacity ? http->cancel_capacity * 2 : 16;
        http->cancels = memory_resize(http->cancels, http->cancel_capacity, sizeof(uint64_t));
    }
    http->cancels[http->cancel_count++] = ticket;
    lanes_flush_soon(http);
    return XY_OK;
}

size_t http_active(const struct http *http)
{
    return http->active;
}
