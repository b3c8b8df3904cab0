/* SPDX-License-Identifier: Apache-2.0 */
/* http_bench - core/http under the same load as bare_client.
 *
 *     http_bench URL [CALLS [IN_FLIGHT]]
 *
 * Also prints the memory per call: the growth of the resident set from before the first call to the
 * moment half of the calls are done, divided by the calls in flight. That counts connections,
 * handles and buffers.
 */
#include "http.h"
#include "measure.h"

struct bench {
    struct http *http;
    const char *url;
    size_t calls, begun, done, good;
    double resident;
};

static void submit_next(struct bench *bench);

static void done(void *user, const xy_http_reply *reply)
{
    struct bench *bench = user;
    bench->done++;
    bench->good += reply->status == XY_OK && reply->code == 200;
    if (reply->status != XY_OK && bench->done - bench->good < 3)
        fprintf(stderr, "%s\n", reply->error);
    if (bench->done == bench->calls / 2)
        bench->resident = resident_mb();
    if (bench->begun < bench->calls)
        submit_next(bench);
}

static void submit_next(struct bench *bench)
{
    static const xy_str headers[] = {{"Content-Type: application/json", 30},
                                     {"Authorization: Bearer test-key", 30}};
    char body[1024];
    xy_http_request request = {.size = sizeof(request),
                               .url = bench->url,
                               .headers = headers,
                               .header_count = 2,
                               .body = {body, bench_body(body, sizeof(body), bench->begun++)}};
    if (http_submit(bench->http, &request, done, bench, NULL) != XY_OK)
        bench->done++;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "http_bench URL [CALLS [IN_FLIGHT]]\n");
        return 2;
    }
    struct loop *loop = loop_create(0);
    struct bench bench = {.http = http_create(loop),
                          .url = argv[1],
                          .calls = argument(argc, argv, 2, 50000)};
    size_t in_flight = argument(argc, argv, 3, 256);
    if (in_flight > bench.calls)
        in_flight = bench.calls;
    raise_file_limit();
    double start_resident = resident_mb();
    double start_time = clock_seconds(), start_cpu = cpu_seconds();
    while (bench.begun < in_flight)
        submit_next(&bench);
    loop_run(loop);
    report("http_bench", in_flight, bench.calls, bench.good, clock_seconds() - start_time,
           cpu_seconds() - start_cpu);
    printf("%-12s memory per call in flight: %.1f KiB\n", "",
           (bench.resident - start_resident) * 1e6 / 1024 / (double)in_flight);
    http_destroy(bench.http);
    loop_destroy(loop);
    return bench.good == bench.calls ? 0 : 1;
}
