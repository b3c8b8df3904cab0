/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"

enum { READ_SIZE = 4000, KEEP_CAPACITY = 64 * 1024 };

static void watch(struct server *server, struct connection *connection, bool output)
{
    if (connection->wants_output == output)
        return;
    connection->wants_output = output;
    struct epoll_event event = {.events = output ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.ptr = connection};
    epoll_ctl(server->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

void connection_close(struct server *server, struct connection *connection, bool reset)
{
    if (connection->waits)
        delayed_remove(server, connection);
    if (connection->counted)
        server->counts->in_flight--;
    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    close(connection->fd);
    if (connection->next)
        connection->next->previous = connection->previous;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    server->counts->connections_open--;
    out_free(&connection->in);
    out_free(&connection->out);
    free(connection);
}

/* ---- writing an answer -------------------------------------------------------------------- */

static uint32_t crc32_of(const char *bytes, size_t length)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* RFC 1952 around "stored" blocks of RFC 1951: gzip without a compressor. */
static void gzip_stored(struct out *out, const char *bytes, size_t length)
{
    static const unsigned char head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    uint32_t tail[2] = {crc32_of(bytes, length), (uint32_t)length}; /* little-endian hosts only */
    out_add(out, head, sizeof(head));
    size_t at = 0;
    do {
        size_t size = length - at < 65535 ? length - at : 65535;
        unsigned char block[5] = {at + size == length, size & 255, size >> 8, ~size & 255,
                                  ~size >> 8 & 255};
        out_add(out, block, sizeof(block));
        out_add(out, bytes + at, size);
        at += size;
    } while (at < length);
    out_add(out, tail, sizeof(tail));
}

static const char *reason_of(int status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Status";
    }
}

static void write_retry_after(const struct settings *settings, struct out *out)
{
    if (settings->retry_after < 0)
        return;
    if (settings->retry_after_date) {
        /* Dates have whole seconds: rounded up, so that the wait is at least what was asked for. */
        time_t then = time(NULL) + (time_t)ceil(settings->retry_after) + 1;
        struct tm parts;
        char date[64];
        gmtime_r(&then, &parts);
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        out_format(out, "Retry-After: %s\r\n", date);
    } else if (settings->retry_after == floor(settings->retry_after)) {
        out_format(out, "Retry-After: %.0f\r\n", settings->retry_after);
    } else {
        out_format(out, "retry-after-ms: %.0f\r\n", ceil(settings->retry_after * 1000));
    }
}

static void write_answer(struct server *server, struct connection *connection, int status,
                         struct out *body, bool gzip)
{
    struct out *out = &connection->out, packed = {0};
    if (gzip) {
        gzip_stored(&packed, body->bytes, body->length);
        body = &packed;
        server->counts->compressed++;
    }
    out_format(out, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
               status, reason_of(status), body->length);
    if (gzip)
        out_text(out, "Content-Encoding: gzip\r\n");
    if (status == 429 || status == 503)
        write_retry_after(&server->settings, out);
    if (connection->close_after)
        out_text(out, "Connection: close\r\n");
    out_text(out, "\r\n");
    size_t length = connection->kind == FAIL_TRUNCATE ? body->length / 2 : body->length;
    out_add(out, body->bytes, length);
    out_free(&packed);
}

/* ---- deciding what a request gets --------------------------------------------------------- */

static int draw_failure(const struct settings *settings, uint64_t hash, uint32_t attempt)
{
    double draw = hash_unit(hash_mix(hash ^ hash_mix(settings->seed * 1000003 + attempt)));
    for (size_t i = 0; i < settings->failure_count; i++) {
        draw -= settings->failures[i].probability;
        if (draw < 0)
            return settings->failures[i].kind;
    }
    return FAIL_NONE;
}

static bool over_limit(struct server *server, uint64_t now)
{
    const struct settings *settings = &server->settings;
    if (settings->max_in_flight && server->counts->in_flight > settings->max_in_flight)
        return true;
    if (settings->limit <= 0)
        return false;
    if (now - server->window_start_us >= 1000000) {
        server->window_start_us = now;
        server->window_requests = 0;
    }
    return (double)++server->window_requests > settings->limit;
}

static bool key_is_good(const struct settings *settings, const struct request *request)
{
    if (!settings->key)
        return true;
    size_t length = strlen(settings->key);
    return request->authorization_length == length + 7 &&
           memcmp(request->authorization, "Bearer ", 7) == 0 &&
           memcmp(request->authorization + 7, settings->key, length) == 0;
}

/* Counts the attempt and says what it gets: enum failure_kind, or an HTTP status of 400 and
 * above. */
static int judge(struct server *server, struct connection *connection,
                 const struct request *request, uint64_t now)
{
    struct counts *counts = server->counts;
    uint32_t attempt = 0;
    struct body *body = request->body_length ? body_find(&server->bodies, connection->body_hash)
                                             : NULL;
    if (body) {
        attempt = body->attempts++;
        counts->distinct_bodies = server->bodies.count;
        if (body->attempts > counts->attempts_max)
            counts->attempts_max = body->attempts;
        counts->early += now < body->not_before_us;
    }
    if (!key_is_good(&server->settings, request))
        return 401;
    if (over_limit(server, now)) {
        counts->limited++;
        return 429;
    }
    return draw_failure(&server->settings, connection->body_hash, attempt);
}

/* The answer leaves now: what depends on that moment is counted here. */
static void count_answer(struct server *server, struct connection *connection)
{
    struct counts *counts = server->counts;
    if (connection->counted)
        counts->in_flight--;
    connection->counted = false;
    counts->resets += connection->kind == FAIL_RESET;
    if (connection->kind == FAIL_RESET)
        return;
    counts->by_status[connection->status]++;
    counts->truncated += connection->kind == FAIL_TRUNCATE;
    counts->malformed += connection->kind == FAIL_MALFORMED;
    counts->slow += connection->kind == FAIL_SLOW;
    struct body *body = connection->body_hash ? body_find(&server->bodies, connection->body_hash)
                                              : NULL;
    if (!body)
        return;
    double wait = server->settings.retry_after;
    if ((connection->status == 429 || connection->status == 503) && wait > 0)
        body->not_before_us = now_us() + (uint64_t)(wait * 1e6);
    bool good = connection->status == 200 &&
                (connection->kind == FAIL_NONE || connection->kind == FAIL_SLOW);
    if (!good)
        return;
    counts->answered_again += body->answered > 0;
    body->answered++;
    if (body->answered > counts->answered_max)
        counts->answered_max = body->answered;
}

static bool answer_control(struct server *server, struct connection *connection,
                           const struct request *request)
{
    struct out body = {0};
    if (request_is(request, "GET", "/stats")) {
        counts_write(server->counts, &body);
    } else if (request_is(request, "POST", "/reset")) {
        counts_reset(server->counts);
        body_table_free(&server->bodies);
        out_text(&body, "{}\n");
    } else {
        return false;
    }
    write_answer(server, connection, 200, &body, false);
    out_free(&body);
    return true;
}

/* Answers one request, now or later. */
static void answer_request(struct server *server, struct connection *connection,
                           const struct request *request)
{
    const struct settings *settings = &server->settings;
    struct counts *counts = server->counts;
    connection->close_after = request->close;
    connection->kind = FAIL_NONE;
    if (answer_control(server, connection, request))
        return;
    uint64_t now = now_us();
    counts->requests++;
    counts->proxied += request->absolute;
    counts->in_flight++;
    connection->counted = true;
    if (counts->in_flight > counts->in_flight_max)
        counts->in_flight_max = counts->in_flight;
    uint64_t hash = hash_bytes(hash_bytes(0, request->path, request->path_length), request->body,
                               request->body_length);
    connection->body_hash = request->body_length ? hash + (hash == 0) : 0;

    int verdict = judge(server, connection, request, now);
    struct out *body = &server->scratch;
    body->length = 0;
    connection->kind = verdict < 400 ? verdict : FAIL_NONE;
    if (verdict >= 400)
        connection->status = answer_error(body, verdict, "the test server was told to say so");
    else
        connection->status = answer_write(body, request, hash);
    if (connection->kind == FAIL_MALFORMED)
        body->length = 0, out_text(body, "{\"choices\":[{\"message\":{\"content\":\"<html>");
    connection->close_after |= connection->kind == FAIL_TRUNCATE;
    write_answer(server, connection, connection->status, body,
                 settings->gzip && request->accepts_gzip);

    uint64_t delay = settings->latency_ms * UINT64_C(1000);
    delay += (uint64_t)(hash_unit(hash_mix(hash + 1)) * settings->jitter_ms * 1000);
    delay += connection->kind == FAIL_SLOW ? settings->slow_ms * UINT64_C(1000) : 0;
    if (delay == 0)
        return;
    connection->due_us = now + delay;
    connection->waits = true;
    delayed_add(server, connection);
}

/* ---- moving bytes -------------------------------------------------------------------------- */

/* False when the connection is gone. */
static bool send_answer(struct server *server, struct connection *connection)
{
    struct out *out = &connection->out;
    while (connection->sent < out->length) {
        ssize_t count = send(connection->fd, out->bytes + connection->sent,
                             out->length - connection->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            watch(server, connection, true);
            return true;
        }
        if (count < 0) {
            connection_close(server, connection, false);
            return false;
        }
        connection->sent += (size_t)count;
    }
    out->length = connection->sent = 0;
    if (out->capacity > KEEP_CAPACITY)
        out_free(out);
    watch(server, connection, false);
    if (connection->close_after) {
        shutdown(connection->fd, SHUT_WR);
        connection_close(server, connection, false);
        return false;
    }
    return true;
}

static bool deliver(struct server *server, struct connection *connection)
{
    if (connection->counted)
        count_answer(server, connection);
    if (connection->kind == FAIL_RESET) {
        connection_close(server, connection, true);
        return false;
    }
    return send_answer(server, connection);
}

/* Answers the requests that are complete; false when the connection is gone. */
static bool answer_all(struct server *server, struct connection *connection)
{
    while (!connection->waits && connection->out.length == 0 && connection->in.length) {
        struct request request;
        int result = request_read(connection->in.bytes, connection->in.length, &request);
        if (result == REQUEST_MORE) {
            if (request.expects_continue && connection->in.length < request.total &&
                connection->in.length == request.total - request.body_length)
                return send(connection->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL) > 0;
            return true;
        }
        if (result == REQUEST_READY) {
            answer_request(server, connection, &request);
            out_consume(&connection->in, request.total);
        } else {
            struct out body = {0};
            connection->close_after = true;
            connection->kind = FAIL_NONE;
            server->counts->by_status[result]++;
            answer_error(&body, result, "not a request that this server can read");
            write_answer(server, connection, result, &body, false);
            out_free(&body);
        }
        if (!connection->waits && !deliver(server, connection))
            return false;
    }
    return true;
}

void connection_readable(struct server *server, struct connection *connection)
{
    struct out *in = &connection->in;
    if (in->length > REQUEST_HEAD_LIMIT + REQUEST_BODY_LIMIT) {
        connection_close(server, connection, true);
        return;
    }
    char *place = out_reserve(in, READ_SIZE);
    ssize_t count = recv(connection->fd, place, in->capacity - in->length - 1, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        connection_close(server, connection, false);
        return;
    }
    in->length += (size_t)count;
    if (answer_all(server, connection) && in->length == 0 && in->capacity > KEEP_CAPACITY)
        out_free(in);
}

void connection_writable(struct server *server, struct connection *connection)
{
    if (send_answer(server, connection))
        answer_all(server, connection);
}

void connection_due(struct server *server, struct connection *connection)
{
    connection->waits = false;
    if (deliver(server, connection))
        answer_all(server, connection);
}
