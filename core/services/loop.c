/* SPDX-License-Identifier: Apache-2.0 */
#include "services.h"

static int post(const xy_host *host, void (*fn)(void *data), void *data)
{
    loop_post(host_services(host)->loop, fn, data);
    return XY_OK;
}

static int after(const xy_host *host, uint32_t milliseconds, void (*fn)(void *data), void *data)
{
    int code = services_on_loop(host_services(host), host_name(host), XY_LOOP " after()");
    if (code < 0)
        return code;
    loop_after(host_services(host)->loop, (uint64_t)milliseconds * 1000, fn, data);
    return XY_OK;
}

static int work(const xy_host *host, void (*fn)(void *data), void (*done)(void *data), void *data)
{
    int code = services_on_loop(host_services(host), host_name(host), XY_LOOP " work()");
    if (code < 0)
        return code;
    loop_work(host_services(host)->loop, fn, done, data);
    return XY_OK;
}

const xy_loop service_loop = {
    .size = sizeof(xy_loop), .post = post, .after = after, .work = work};
