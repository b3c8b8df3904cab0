/* SPDX-License-Identifier: Apache-2.0 */
/* bare_client - the yardstick: libcurl's multi interface and nothing else.
 *
 *     bare_client URL [CALLS [IN_FLIGHT]]
 *
 * One multi handle, reused easy handles with every option set once, curl_multi_poll(): what the
 * quickest short client would do. It counts replies of status 200 and keeps nothing.
 */
#include <curl/curl.h>

#include "measure.h"

struct transfer {
    char body[1024];
    size_t received;
};

static size_t body_came(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes;
    ((struct transfer *)data)->received += size * count;
    return size * count;
}

static void start(CURLM *multi, CURL *easy, struct transfer *transfer, size_t number)
{
    transfer->received = 0;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE,
                     (long)bench_body(transfer->body, sizeof(transfer->body), number));
    curl_multi_add_handle(multi, easy);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "bare_client URL [CALLS [IN_FLIGHT]]\n");
        return 2;
    }
    size_t calls = argument(argc, argv, 2, 50000), in_flight = argument(argc, argv, 3, 256);
    if (in_flight > calls)
        in_flight = calls;
    raise_file_limit();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)in_flight);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Authorization: Bearer test-key");
    headers = curl_slist_append(headers, "Expect:");
    struct transfer *transfers = calloc(in_flight, sizeof(*transfers));
    CURL **handles = calloc(in_flight, sizeof(*handles));
    if (!multi || !headers || !transfers || !handles)
        return 1;
    double start_time = clock_seconds(), start_cpu = cpu_seconds();
    size_t begun = 0, done = 0, good = 0;
    for (; begun < in_flight; begun++) {
        CURL *easy = handles[begun] = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfers[begun].body);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_came);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfers[begun]);
        curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfers[begun]);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        start(multi, easy, &transfers[begun], begun);
    }
    while (done < calls) {
        int running, left;
        curl_multi_perform(multi, &running);
        CURLMsg *message = curl_multi_info_read(multi, &left);
        if (!message)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
        for (; message; message = curl_multi_info_read(multi, &left)) {
            CURL *easy = message->easy_handle;
            char *transfer = NULL;
            long status = 0;
            curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
            curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
            good += message->data.result == CURLE_OK && status == 200;
            done++;
            curl_multi_remove_handle(multi, easy);
            if (begun < calls)
                start(multi, easy, (struct transfer *)(void *)transfer, begun++);
        }
    }
    report("bare_client", in_flight, calls, good, clock_seconds() - start_time,
           cpu_seconds() - start_cpu);
    for (size_t i = 0; i < in_flight; i++)
        curl_easy_cleanup(handles[i]);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    free(handles);
    free(transfers);
    return good == calls ? 0 : 1;
}
