/* SPDX-License-Identifier: Apache-2.0 */
/* TLS and HTTP/2 against nginx with a certificate made for the test; skipped where nginx or openssl
 * is missing. nginx hands the requests on to the test server. */
#include <ftw.h>
#include <sys/resource.h>

#include "check.h"
#include "http.h"
#include "server/launch.h"

static struct {
    char folder[256], certificate[300];
    int h2_port, h1_port, status_port;
    pid_t nginx;
    struct test_server server;
} site;

static bool run_program(const char *const *argv, pid_t *background)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    int status = 0,
        failed = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return false;
    if (background) {
        *background = pid;
        return true;
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* A port that nobody listens on right now. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                getsockname(fd, (struct sockaddr *)&address, &length) == 0;
    close(fd);
    return good ? ntohs(address.sin_port) : 0;
}

static bool write_configuration(const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    fprintf(
        file,
        "daemon off; master_process off; pid %s/pid; error_log %s/error.log;\n"
        "events { worker_connections 4096; }\n"
        "http { access_log off; keepalive_requests 100000;\n"
        " client_body_temp_path %s/body; proxy_temp_path %s/proxy; fastcgi_temp_path %s/fastcgi;\n"
        " uwsgi_temp_path %s/uwsgi; scgi_temp_path %s/scgi;\n"
        " ssl_certificate %s/cert.pem; ssl_certificate_key %s/key.pem;\n"
        " server { listen 127.0.0.1:%d ssl http2; location / { proxy_pass %s; } }\n"
        " server { listen 127.0.0.1:%d ssl; location / { proxy_pass %s; } }\n"
        " server { listen 127.0.0.1:%d; location / { stub_status; } } }\n",
        site.folder, site.folder, site.folder, site.folder, site.folder, site.folder, site.folder,
        site.folder, site.folder, site.h2_port, site.server.url, site.h1_port, site.server.url,
        site.status_port);
    return fclose(file) == 0;
}

/* All connections that nginx has accepted; the one that asks is among them. -1 when it is not
 * there. */
static long long accepted(void)
{
    char body[1024];
    struct test_server status = {.port = site.status_port};
    if (!test_server_ask(&status, "GET", "/", body, sizeof(body)))
        return -1;
    const char *line = strstr(body, "requests\n");
    return line ? strtoll(line + 9, NULL, 10) : -1;
}

static bool site_open(void)
{
    snprintf(site.folder, sizeof(site.folder), "%s/tls-XXXXXX", TEST_BUILD_DIR);
    if (!mkdtemp(site.folder) ||
        !test_server_start(&site.server, (const char *[]){"--latency-ms", "300", NULL}))
        return false;
    char key[300], configuration[300];
    snprintf(key, sizeof(key), "%s/key.pem", site.folder);
    snprintf(site.certificate, sizeof(site.certificate), "%s/cert.pem", site.folder);
    snprintf(configuration, sizeof(configuration), "%s/nginx.conf", site.folder);
    site.h2_port = free_port();
    site.h1_port = free_port();
    site.status_port = free_port();
    const char *const openssl[] = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                   "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
                                   site.certificate, "-days", "2", "-subj", "/CN=localhost",
                                   "-addext", "subjectAltName=IP:127.0.0.1", NULL};
    const char *const nginx[] = {"nginx", "-c", configuration, "-p", site.folder, NULL};
    if (!write_configuration(configuration) || !run_program(openssl, NULL) ||
        !run_program(nginx, &site.nginx))
        return false;
    for (int tries = 0; tries < 100 && accepted() < 0; tries++)
        usleep(50000);
    return accepted() >= 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static void site_close(void)
{
    if (site.nginx > 0) {
        kill(site.nginx, SIGTERM);
        waitpid(site.nginx, NULL, 0);
    }
    test_server_stop(&site.server);
    nftw(site.folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

struct result {
    size_t done, good;
    int32_t status;
    uint32_t retryable;
    char error[512];
};

static void count(void *user, const xy_http_reply *reply)
{
    struct result *result = user;
    result->done++;
    result->good += reply->status == XY_OK && reply->code == 200;
    result->status = reply->status;
    result->retryable = reply->retryable;
    if (reply->error)
        snprintf(result->error, sizeof(result->error), "%s", reply->error);
}

/* `number` calls at once to the port, with this file of certificates (NULL: the system's). */
static struct result call_many(int port, size_t number, const char *certificates)
{
    struct result result = {0};
    if (certificates)
        setenv("SSL_CERT_FILE", certificates, 1);
    else
        unsetenv("SSL_CERT_FILE");
    struct loop *loop = loop_create(1);
    struct http *http = http_create(loop);
    char url[128], body[128];
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/v1/chat/completions", port);
    for (size_t i = 0; i < number; i++) {
        int length = snprintf(body, sizeof(body),
                              "{\"messages\":[{\"role\":\"user\",\"content\":\"%zu\"}]}", i);
        xy_http_request request = {.size = sizeof(request), .url = url,
                                   .body = {body, (size_t)length}};
        CU_ASSERT_EQUAL(http_submit(http, &request, count, &result, NULL), XY_OK);
    }
    loop_run(loop);
    CU_ASSERT_EQUAL(result.done, number);
    if (result.good < number)
        printf("(%s) ", result.error);
    http_destroy(http);
    loop_destroy(loop);
    return result;
}

static void test_unknown_certificate(void)
{
    struct result result = call_many(site.h2_port, 3, NULL);
    CU_ASSERT_EQUAL(result.status, XY_EUPSTREAM);
    CU_ASSERT_EQUAL(result.retryable, 0); /* another attempt would find the same certificate */
    CU_ASSERT(strstr(result.error, "certificate") != NULL);
    CU_ASSERT(strstr(result.error, "SSL_CERT_FILE") != NULL);
    char missing[300];
    snprintf(missing, sizeof(missing), "%s/none.pem", site.folder);
    result = call_many(site.h2_port, 1, missing);
    CU_ASSERT_EQUAL(result.status, XY_EUPSTREAM);
    CU_ASSERT_EQUAL(result.retryable, 0);
    CU_ASSERT(strstr(result.error, "none.pem") != NULL);
    CU_ASSERT(strstr(result.error, "check the file named in SSL_CERT_FILE") != NULL);
}

static void test_http2_shares_connections(void)
{
    long long before = accepted();
    char body[256];
    test_server_ask(&site.server, "POST", "/reset", body, sizeof(body));
    struct result result = call_many(site.h2_port, 500, site.certificate);
    CU_ASSERT_EQUAL(result.good, 500);
    long long opened = accepted() - before - 1;
    printf("(%lld connections for 500 calls) ", opened);
    /* Two multi handles with four connections each. */
    CU_ASSERT(opened >= 2 && opened <= 8);
    /* Without streams side by side it would be eight. */
    CU_ASSERT(test_server_stat(&site.server, "in_flight_max") >= 40);
}

static void test_https_without_http2(void)
{
    long long before = accepted();
    char body[256];
    test_server_ask(&site.server, "POST", "/reset", body, sizeof(body));
    struct result result = call_many(site.h1_port, 300, site.certificate);
    CU_ASSERT_EQUAL(result.good, 300);
    CU_ASSERT_EQUAL(test_server_stat(&site.server, "answered_max"), 1);
    /* The first answers tell that each call needs its own connection, and the rest moves: without
     * that, four would be in flight. How many more depends on how fast the machine shakes hands. */
    CU_ASSERT(test_server_stat(&site.server, "in_flight_max") >= 40);
    CU_ASSERT(accepted() - before - 1 <= 300 + 8);
}

int main(void)
{
    unsetenv("CURL_CA_BUNDLE");
    unsetenv("SSL_CERT_DIR");
    const char *const openssl[] = {"openssl", "version", NULL}, *const nginx[] = {"nginx", "-v",
                                                                                  NULL};
    if (!run_program(openssl, NULL) || !run_program(nginx, NULL)) {
        printf("skipped: nginx or openssl is not installed\n");
        return 77;
    }
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    static const struct check checks[] = {
        {"unknown certificate", test_unknown_certificate},
        {"HTTP/2 shares connections", test_http2_shares_connections},
        {"https without HTTP/2", test_https_without_http2},
        {NULL, NULL},
    };
    if (!site_open()) {
        fprintf(stderr, "cannot start nginx; see %s/error.log\n", site.folder);
        return 1;
    }
    int status = check_main("http_tls", checks);
    site_close();
    return status;
}
