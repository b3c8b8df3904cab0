/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges.h"

struct exchange {
    struct exchanges *exchanges;
    xy_call *call;
    struct exchange *next, *previous;
    uint64_t ticket;
};

static void enter(struct exchange *exchange)
{
    struct exchanges *exchanges = exchange->exchanges;
    exchange->next = exchanges->first;
    if (exchange->next)
        exchange->next->previous = exchange;
    exchanges->first = exchange;
}

static void leave(struct exchange *exchange)
{
    if (exchange->previous)
        exchange->previous->next = exchange->next;
    else
        exchange->exchanges->first = exchange->next;
    if (exchange->next)
        exchange->next->previous = exchange->previous;
}

static void answered(void *user, const xy_http_reply *http)
{
    struct exchange *exchange = user;
    struct exchanges *exchanges = exchange->exchanges;
    xy_call *call = exchange->call;
    xy_reply reply = {.size = sizeof(reply), .retry_after_ms = http->retry_after_ms};
    leave(exchange);
    if (http->status != XY_OK) {
        reply.status = http->status;
        reply.error = http->error;
        reply.retryable = http->retryable;
    }
    exchanges->read(exchanges->state, call, http, &reply);
    call->api->complete(call, &reply);
}

int exchanges_send(struct exchanges *exchanges, xy_call *call, const xy_http_request *request)
{
    struct exchange *exchange = call->api->alloc(call, sizeof(*exchange));
    if (!exchange)
        return XY_ENOMEM;
    *exchange = (struct exchange){.exchanges = exchanges, .call = call};
    int code = exchanges->http->submit(exchanges->host, request, answered, exchange,
                                       &exchange->ticket);
    if (code < 0)
        return code;
    enter(exchange);
    return XY_OK;
}

void exchanges_cancel(struct exchanges *exchanges, xy_call *call)
{
    struct exchange *exchange = exchanges->first;
    while (exchange && exchange->call != call)
        exchange = exchange->next;
    if (exchange)
        exchanges->http->cancel(exchanges->host, exchange->ticket);
}
