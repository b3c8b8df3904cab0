/* SPDX-License-Identifier: Apache-2.0 */
/* http_request - asks a server that the file allows; a tool, for servers of tools. */
#include <strings.h>

#include "json_reader.h"
#include "text.h"

struct http_request {
    const char *base_url, *url, *body, *result;
    const char *const *hosts;
    const char *const *headers;
    double timeout;
    int64_t most_bytes;
    /* Of open(). */
    const xy_host *host;
    const xy_http *http;
};

#define AT(member) offsetof(struct http_request, member)

static const xy_option options[] = {
    {"base_url", XY_OPT_TEXT, AT(base_url), NULL, 0, 0, 0, NULL,
     "What stands before a URL that begins with `/`; its host is allowed."},
    {"hosts", XY_OPT_LIST, AT(hosts), NULL, 0, 0, 0, NULL,
     "Hosts that may be asked, as `api.example.org` (every port) or `127.0.0.1:8080`."},
    {"url", XY_OPT_FIELD, AT(url), "url", 0, 0, 0, NULL, "The field with the URL, or its path."},
    {"body", XY_OPT_FIELD, AT(body), "body", 0, 0, 0, NULL,
     "The field with the request's JSON: it is then posted; absent or empty: GET."},
    {"result", XY_OPT_FIELD, AT(result), "result", 0, 0, 0, NULL,
     "The field for the answer: JSON where it is JSON, else text."},
    {"headers", XY_OPT_LIST, AT(headers), NULL, XY_OPT_SECRET, 0, 0, NULL,
     "Lines `Name: value` for each request, such as a key."},
    {"timeout", XY_OPT_SECONDS, AT(timeout), "10s", 0, 0.01, 3600, NULL,
     "Longest time for one answer."},
    {"most_bytes", XY_OPT_INT, AT(most_bytes), "65536", 0, 1, 1 << 26, NULL,
     "A longer answer is refused."},
    {0},
};

/* ---- which hosts ----------------------------------------------------------------------------- */

/* "host:port" of a URL; {NULL, 0} when it is no plain http or https URL: one with a user name or
 * odd characters before the path could mean another host to somebody else. */
static xy_str authority_of(xy_str url)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(schemes[i]);
        if (url.len <= length || strncasecmp(url.ptr, schemes[i], length) != 0)
            continue;
        xy_str rest = {url.ptr + length, 0};
        const char *end = url.ptr + url.len;
        while (rest.ptr + rest.len < end && !strchr("/?#", rest.ptr[rest.len])) {
            unsigned char c = (unsigned char)rest.ptr[rest.len];
            bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || strchr(".-:[]_", c);
            if (!plain || !c)
                return (xy_str){NULL, 0};
            rest.len++;
        }
        return rest.len ? rest : (xy_str){NULL, 0};
    }
    return (xy_str){NULL, 0};
}

static bool is_host(xy_str authority, xy_str allowed)
{
    if (authority.len < allowed.len || strncasecmp(authority.ptr, allowed.ptr, allowed.len) != 0)
        return false;
    bool with_port = memchr(allowed.ptr, ':', allowed.len) && allowed.ptr[allowed.len - 1] != ']';
    return authority.len == allowed.len || (!with_port && authority.ptr[allowed.len] == ':');
}

static bool is_allowed(const struct http_request *stage, xy_str authority)
{
    for (const char *const *host = stage->hosts; host && *host; host++) {
        if (**host && is_host(authority, xy_text(*host)))
            return true;
    }
    return false;
}

static bool is_clean(xy_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f || text.ptr[i] == '\\')
            return false;
    }
    return text.len > 0 && text.len <= 8000;
}

/* The whole URL in the job's memory; NULL with the job's reason when it may not be asked. */
static const char *make_url(const struct http_request *stage, xy_job *job, xy_str url)
{
    xy_str base = xy_text(stage->base_url);
    bool path = url.len && url.ptr[0] == '/';
    if (!is_clean(url)) {
        xy_drop(job, "the URL is empty, too long, or has spaces in it");
        return NULL;
    }
    if (path && !base.len) {
        xy_drop(job, "a URL that begins with `/` needs `base_url`");
        return NULL;
    }
    if (!path) {
        xy_str authority = authority_of(url);
        if (!authority.ptr || !is_allowed(stage, authority)) {
            xy_drop(job, "`%.*s` may not be asked%s", (int)(url.len < 100 ? url.len : 100), url.ptr,
                    base.len ? ": give a path that begins with `/`" : "");
            return NULL;
        }
        base.len = 0;
    }
    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    char *whole = job->api->alloc(job, base.len + url.len + 1);
    memcpy(whole, base.ptr ? base.ptr : "", base.len);
    memcpy(whole + base.len, url.ptr, url.len);
    return whole;
}

/* ---- one request ----------------------------------------------------------------------------- */

struct asked {
    const struct http_request *stage;
    xy_job *job;
};

/* JSON is kept as JSON; a text that is no UTF-8 cannot be kept at all. */
static int keep(const struct asked *asked, xy_str body)
{
    xy_record *record = asked->job->api->input(asked->job, 0);
    const char *field = asked->stage->result;
    xy_str json = json_check(body);
    if (json.ptr && xy_record_set_json(record, field, json) >= 0)
        return XY_OK;
    if (xy_record_set_text(record, field, body.ptr ? body : (xy_str){"", 0}) >= 0)
        return XY_OK;
    return xy_drop(asked->job, "the answer is neither JSON nor UTF-8 text");
}

static void answered(void *user, const xy_http_reply *reply)
{
    const struct asked *asked = user;
    xy_job *job = asked->job;
    int verdict;
    if (reply->status == XY_ECANCELED)
        verdict = XY_ECANCELED;
    else if (reply->status < 0)
        verdict = xy_drop(job, "%s", reply->error ? reply->error : "the server does not answer");
    else if (reply->code < 200 || reply->code > 299)
        verdict = xy_drop(job, "HTTP %d: %.*s", reply->code,
                          (int)(reply->body.len < 200 ? reply->body.len : 200),
                          reply->body.ptr ? reply->body.ptr : "");
    else
        verdict = keep(asked, reply->body);
    job->api->finish(job, verdict);
}

static size_t count_of(const char *const *list)
{
    size_t count = 0;
    while (list && list[count])
        count++;
    return count;
}

static int process(void *state, xy_job *job)
{
    const struct http_request *stage = state;
    const char *url = make_url(stage, job, xy_get(job, stage->url));
    size_t count = count_of(stage->headers);
    if (!url)
        return XY_DROP;
    xy_str *headers = job->api->alloc(job, (count + 1) * sizeof(*headers));
    xy_str body = xy_get(job, stage->body);
    for (size_t i = 0; i < count; i++)
        headers[i] = xy_text(stage->headers[i]);
    if (body.len)
        headers[count++] = xy_text("Content-Type: application/json");
    xy_http_request request = {
        .size = sizeof(request), .url = url, .headers = headers, .header_count = count,
        .body = body, .max_body = (uint64_t)stage->most_bytes,
        .timeout_ms = (uint32_t)(stage->timeout * 1000)};
    struct asked *asked = job->api->alloc(job, sizeof(*asked));
    *asked = (struct asked){stage, job};
    int code = stage->http->submit(stage->host, &request, answered, asked, NULL);
    return code < 0 ? xy_drop(job, "`%.200s` is no URL that can be asked", url) : XY_PENDING;
}

static int http_open(void *state, const xy_host *host)
{
    struct http_request *stage = state;
    stage->host = host;
    stage->http = host->service(host, XY_HTTP);
    if (!stage->base_url && !count_of(stage->hosts)) {
        xy_log_line(host, XY_LOG_ERROR, "give `base_url` or `hosts`: no other server is asked");
        return XY_EINVAL;
    }
    if (stage->base_url && !authority_of(xy_text(stage->base_url)).ptr) {
        xy_log_line(host, XY_LOG_ERROR, "`base_url` begins with http:// or https:// and a host, "
                    "found `%.200s`", stage->base_url);
        return XY_EINVAL;
    }
    return XY_OK;
}

static const char *const needs[] = {XY_HTTP, NULL};

static const void *extension(const char *id)
{
    static const xy_tool tool = {
        .size = sizeof(tool),
        .description = "Asks a web server. `url` is a path such as /cities?name=Graz; `body` is "
                       "the JSON text to post, or empty to get.",
        .parameters = "{\"type\":\"object\",\"properties\":{\"url\":{\"type\":\"string\"},"
                      "\"body\":{\"type\":\"string\"}},\"required\":[\"url\",\"body\"],"
                      "\"additionalProperties\":false}",
        .result = "result",
    };
    if (strcmp(id, XY_TOOL) == 0)
        return &tool;
    return strcmp(id, "xylem.example/1") == 0 ? "{ base_url: \"http://127.0.0.1:1\", url: text }"
                                              : NULL;
}

static const xy_stage http_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .state_size = sizeof(struct http_request),
    .id = "http_request",
    .version = "1.0.0",
    .summary = "Asks a server that the file allows, with GET or by posting JSON; a tool",
    .needs = needs,
    .options = options,
    .max_inflight = 64,
    .open = http_open,
    .process = process,
    .extension = extension,
    .fields = "reads `url` and `body`; sets `result`",
};

XY_PLUGIN_SINCE(1, "http_request", "1.0.0", "Apache-2.0", &http_stage)
