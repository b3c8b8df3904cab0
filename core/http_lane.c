/* SPDX-License-Identifier: Apache-2.0 */
#include "http_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { EVENT_COUNT = 256 };

/* ---- sockets --------------------------------------------------------------------------------- */

static struct http_socket *socket_of(struct http *http, curl_socket_t fd)
{
    size_t index = (size_t)fd;
    if (index >= http->socket_count) {
        size_t count = http->socket_count ? http->socket_count : 64;
        while (count <= index)
            count *= 2;
        http->sockets = memory_resize(http->sockets, count, sizeof(*http->sockets));
        memset(http->sockets + http->socket_count, 0,
               (count - http->socket_count) * sizeof(*http->sockets));
        http->socket_count = count;
    }
    return &http->sockets[index];
}

static void socket_register(struct http *http, curl_socket_t fd, struct http_socket *entry,
                            uint8_t events)
{
    if (entry->registered == events)
        return;
    struct epoll_event event = {.events = events, .data.fd = fd};
    int operation = !events ? EPOLL_CTL_DEL : entry->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(http->epoll, operation, fd, &event) == 0 || operation == EPOLL_CTL_DEL)
        entry->registered = events;
}

/* CURLMOPT_SOCKETFUNCTION */
static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *data, void *unused)
{
    (void)easy, (void)unused;
    struct lane *lane = data;
    struct http_socket *entry = socket_of(lane->http, fd);
    entry->lane = lane;
    entry->wanted = 0;
    if (what != CURL_POLL_REMOVE)
        entry->wanted = (uint8_t)((what & CURL_POLL_IN ? EPOLLIN : 0) |
                                  (what & CURL_POLL_OUT ? EPOLLOUT : 0));
    /* A connection that becomes idle stays registered for reading: the next call on it will want
     * just that. Others are libcurl's own (its resolver's), and closed behind our back. */
    if (entry->wanted || !entry->ours)
        socket_register(lane->http, fd, entry, entry->wanted);
    else if (entry->registered & EPOLLOUT)
        socket_register(lane->http, fd, entry, EPOLLIN);
    return 0;
}

static curl_socket_t socket_opened(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct http *http = data;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    *socket_of(http, fd) = (struct http_socket){.ours = true};
    return fd;
}

static int socket_closed(void *data, curl_socket_t fd)
{
    struct http *http = data;
    *socket_of(http, fd) = (struct http_socket){0}; /* closing it takes it out of epoll */
    return close(fd);
}

void lane_own_sockets(struct http *http, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_opened);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, socket_closed);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
}

/* ---- running a lane -------------------------------------------------------------------------- */

static void lane_collect(struct lane *lane)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(lane->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result;
        char *call = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        call_finish((struct call *)(void *)call, result);
    }
}

static void lane_run(struct lane *lane)
{
    int running;
    lane->kicked = false;
    lane->due_us = UINT64_MAX;
    curl_multi_socket_action(lane->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    lane_collect(lane);
}

static void lane_timer(void *data);

/* Leaves a timer that would run too early alone: most of libcurl's timers are deadlines that move
 * on with each call and are never reached. */
static void lane_arm(struct lane *lane)
{
    if (lane->due_us == UINT64_MAX || (lane->timer && lane->timer_us <= lane->due_us))
        return;
    timer_stop(lane->timer);
    uint64_t now = loop_now_us(lane->http->loop);
    lane->timer_us = lane->due_us;
    lane->timer = loop_after(lane->http->loop, lane->due_us > now ? lane->due_us - now : 0,
                             lane_timer, lane);
}

static void lane_timer(void *data)
{
    struct lane *lane = data;
    lane->timer = NULL;
    if (lane->due_us <= loop_now_us(lane->http->loop))
        lane_run(lane);
    lane_arm(lane);
}

/* CURLMOPT_TIMERFUNCTION */
static int timer_wanted(CURLM *multi, long milliseconds, void *data)
{
    (void)multi;
    struct lane *lane = data;
    if (milliseconds < 0) {
        lane->due_us = UINT64_MAX;
    } else if (milliseconds == 0) {
        lane->kicked = true;
        lanes_flush_soon(lane->http);
    } else {
        lane->due_us = loop_now_us(lane->http->loop) + (uint64_t)milliseconds * 1000;
        lane_arm(lane);
    }
    return 0;
}

void lanes_flush_soon(struct http *http)
{
    if (!http->flush)
        http->flush = loop_after(http->loop, 0, http_flush, http);
}

void lanes_run_kicked(struct http *http)
{
    for (size_t i = 0; i < http->lane_count; i++)
        if (http->lanes[i]->kicked)
            lane_run(http->lanes[i]);
}

/* libuv says that our epoll has events. */
static void sockets_ready(uv_poll_t *poll, int status, int uv_events)
{
    (void)status, (void)uv_events;
    struct http *http = poll->data;
    struct epoll_event events[EVENT_COUNT];
    struct lane *touched[EVENT_COUNT];
    size_t touched_count = 0;
    int running, count = epoll_wait(http->epoll, events, EVENT_COUNT, 0);
    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        struct http_socket *entry = socket_of(http, fd);
        if (!entry->wanted) {
            /* An idle connection that the server closed, or a TLS ticket: libcurl finds out when it
             * next looks at the connection. Until then it must not wake us again and again. */
            socket_register(http, fd, entry, 0);
            continue;
        }
        struct lane *lane = entry->lane;
        int mask = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(lane->multi, fd, mask, &running);
        size_t known = 0;
        while (known < touched_count && touched[known] != lane)
            known++;
        if (known == touched_count)
            touched[touched_count++] = lane;
    }
    for (size_t i = 0; i < touched_count; i++)
        lane_collect(touched[i]);
}

/* ---- lanes and their calls ------------------------------------------------------------------- */

static struct lane *lane_create(struct http *http, bool multiplexed)
{
    struct lane *lane = memory_zeroed(1, sizeof(*lane));
    *lane = (struct lane){.http = http, .multiplexed = multiplexed, .due_us = UINT64_MAX};
    lane->multi = curl_multi_init();
    if (!lane->multi)
        memory_resize(NULL, SIZE_MAX / 2, 1); /* says so and ends the process */
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_PER_MULTI);
    if (multiplexed)
        curl_multi_setopt(lane->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                          (long)HTTP_MULTIPLEXED_CONNECTIONS);
    http->lanes = memory_resize(http->lanes, http->lane_count + 1, sizeof(struct lane *));
    http->lanes[http->lane_count++] = lane;
    return lane;
}

void lane_add(struct call *call, bool multiplexed)
{
    struct http *http = call->http;
    struct lane *lane = NULL;
    for (size_t i = 0; i < http->lane_count && !lane; i++)
        if (http->lanes[i]->multiplexed == multiplexed && http->lanes[i]->active < HTTP_PER_MULTI)
            lane = http->lanes[i];
    if (!lane)
        lane = lane_create(http, multiplexed);
    if (http->active++ == 0)
        uv_ref(http->poll);
    lane->active++;
    call->lane = lane;
    curl_multi_add_handle(lane->multi, call->easy);
}

void lane_remove(struct call *call)
{
    struct http *http = call->http;
    struct lane *lane = call->lane;
    curl_multi_remove_handle(lane->multi, call->easy);
    call->lane = NULL;
    if (--lane->active == 0) {
        timer_stop(lane->timer); /* it must not keep the loop alive */
        lane->timer = NULL;
        lane->due_us = UINT64_MAX;
    }
    if (--http->active == 0)
        uv_unref(http->poll);
}

bool lanes_open(struct http *http)
{
    http->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (http->epoll < 0)
        return false;
    uv_poll_t *poll = memory_zeroed(1, sizeof(*poll));
    poll->data = http;
    http->poll = poll;
    uv_poll_init(loop_handle(http->loop), poll, http->epoll);
    uv_poll_start(poll, UV_READABLE, sockets_ready);
    uv_unref(http->poll);
    return true;
}

static void poll_closed(uv_handle_t *poll)
{
    free(poll);
}

void lanes_close(struct http *http)
{
    for (size_t i = 0; i < http->lane_count; i++) {
        timer_stop(http->lanes[i]->timer);
        http->lanes[i]->timer = NULL;
        curl_multi_setopt(http->lanes[i]->multi, CURLMOPT_TIMERFUNCTION, NULL);
        curl_multi_cleanup(http->lanes[i]->multi);
        free(http->lanes[i]);
    }
    timer_stop(http->flush);
    uv_poll_stop(http->poll);
    uv_close(http->poll, poll_closed);
    close(http->epoll);
    free(http->lanes);
    free(http->sockets);
}
