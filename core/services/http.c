/* SPDX-License-Identifier: Apache-2.0 */
#include "services.h"

static int submit(const xy_host *host, const xy_http_request *request,
                  void (*done)(void *user, const xy_http_reply *reply), void *user,
                  uint64_t *ticket)
{
    return http_submit(host_services(host)->http, request, done, user, ticket);
}

static int cancel(const xy_host *host, uint64_t ticket)
{
    return http_cancel(host_services(host)->http, ticket);
}

const xy_http service_http = {.size = sizeof(xy_http), .submit = submit, .cancel = cancel};
