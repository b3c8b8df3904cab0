/* SPDX-License-Identifier: Apache-2.0 */
#include "services.h"

static int submit(const xy_host *host, const xy_http_request *request,
                  void (*done)(void *user, const xy_http_reply *reply), void *user,
                  uint64_t *ticket)
{
    int code = services_on_loop(host_services(host), host_name(host), XY_HTTP " submit()");
    if (code < 0)
        return code;
    return http_submit(host_services(host)->http, request, done, user, ticket);
}

static int cancel(const xy_host *host, uint64_t ticket)
{
    int code = services_on_loop(host_services(host), host_name(host), XY_HTTP " cancel()");
    return code < 0 ? code : http_cancel(host_services(host)->http, ticket);
}

const xy_http service_http = {.size = sizeof(xy_http), .submit = submit, .cancel = cancel};
