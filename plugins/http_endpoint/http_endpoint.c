/* SPDX-License-Identifier: Apache-2.0 */
/* http: any service with an HTTP address, as a model: a search, an annotator, a language model with
 * an API of its own. One attempt per call; retries, limits, budget and cache are the host's. */
#include "http_internal.h"

#include <stdlib.h>
#include <strings.h>

#define AT(member) offsetof(struct http, member)

static const xy_option options[] = {
    {.name = "url", .type = XY_OPT_TEXT, .offset = AT(url), .flags = XY_OPT_REQUIRED,
     .help = "The address; " HTTP_PLACE " in it becomes the prompt, percent-encoded."},
    {.name = "method", .type = XY_OPT_TEXT, .offset = AT(method), .choices = "GET|POST|PUT",
     .help = "POST with a body and GET without when not given."},
    {.name = "body", .type = XY_OPT_JSON, .offset = AT(body),
     .help = "What is sent: a map, as JSON, or a text; " HTTP_PLACE " in it becomes the prompt."},
    {.name = "headers", .type = XY_OPT_LIST, .offset = AT(headers), .flags = XY_OPT_SECRET,
     .help = "Further headers, \"Name: value\" each; keys best from ${NAME}."},
    {.name = "answer", .type = XY_OPT_TEXT, .offset = AT(answer),
     .help = "Where a JSON answer has the text, as `results.0.text`; all of it when not given."},
    {.name = "json", .type = XY_OPT_BOOL, .offset = AT(json), .def = "false",
     .help = "An answer that is no JSON counts as a failure, and is tried again."},
    {0},
};

/* ---- open ------------------------------------------------------------------------------------ */

static int refuse(const struct http *http, const char *why)
{
    xy_log_line(http->host, XY_LOG_ERROR, "http: %s", why);
    return XY_EINVAL;
}

static const char *content_type_of(const struct http *http)
{
    for (const char *const *header = http->headers; header && *header; header++)
        if (strncasecmp(*header, "content-type:", 13) == 0)
            return *header + 13;
    return NULL;
}

/* A map is JSON; a text is a form, unless a header says that it is something else. */
static int read_body(struct http *http)
{
    const char *type = content_type_of(http);
    xy_str body = json_check(xy_text(http->body));
    if (json_kind(body) == '"') {
        char *decoded = malloc(body.len + 1);
        if (!decoded)
            return XY_ENOMEM;
        text_add(&http->body_template, decoded, json_decode(body, decoded));
        free(decoded);
        http->kind = type && !strstr(type, "x-www-form-urlencoded") ? HTTP_RAW : HTTP_FORM;
    } else if (json_kind(body) == '{' || json_kind(body) == '[') {
        text_add_str(&http->body_template, body);
        http->kind = HTTP_JSON;
    } else {
        return refuse(http, "`body` must be a map or a text");
    }
    return http->body_template.failed ? XY_ENOMEM : XY_OK;
}

static int make_headers(struct http *http)
{
    size_t count = 0;
    for (const char *const *header = http->headers; header && *header; header++, count++)
        if (!strchr(*header, ':') || strpbrk(*header, "\r\n"))
            return refuse(http, "each of `headers` must be one line \"Name: value\"");
    http->header_list = calloc(count + 1, sizeof(*http->header_list));
    if (!http->header_list)
        return XY_ENOMEM;
    for (size_t i = 0; i < count; i++)
        http->header_list[http->header_count++] = xy_text(http->headers[i]);
    if (http->kind && !content_type_of(http))
        http->header_list[http->header_count++] =
            xy_text(http->kind == HTTP_JSON ? "Content-Type: application/json"
                                            : "Content-Type: application/x-www-form-urlencoded");
    return XY_OK;
}

static void read_reply(void *state, xy_call *call, const xy_http_reply *got, xy_reply *reply)
{
    const struct http *http = state;
    if (got->status == XY_OK && got->code >= 200 && got->code < 300)
        http_read(http, call, got->body, reply);
    else if (got->status == XY_OK)
        http_fail(http, call, got->code, got->body, reply);
    if (reply->status < 0 && !reply->error)
        reply->error = "the call failed";
}

static int open_http(void *state, const xy_host *host)
{
    struct http *http = state;
    http->host = host;
    http->exchanges = (struct exchanges){
        .host = host, .http = host->service(host, XY_HTTP), .read = read_reply, .state = http};
    if (!http->exchanges.http)
        return XY_EUNSUPPORTED;
    if (strncmp(http->url, "http://", 7) != 0 && strncmp(http->url, "https://", 8) != 0)
        return refuse(http, "`url` must start with http:// or https://");
    if (!strstr(http->url, HTTP_PLACE) && !(http->body && strstr(http->body, HTTP_PLACE)))
        return refuse(http, "neither `url` nor `body` has " HTTP_PLACE ": every call would be the "
                            "same");
    if (http->body && http->method && strcmp(http->method, "GET") == 0)
        return refuse(http, "a GET has no `body`: leave out `method`, or the body");
    int code = http->body ? read_body(http) : XY_OK;
    return code < 0 ? code : make_headers(http);
}

static void close_http(void *state)
{
    struct http *http = state;
    free(http->header_list);
    text_free(&http->body_template);
    text_free(&http->address);
    text_free(&http->content);
    text_free(&http->prompt);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static uint32_t can(const void *state)
{
    (void)state;
    return XY_COMPLETE;
}

static int submit(void *state, xy_call *call)
{
    struct http *http = state;
    const xy_request *request = call->api->request(call);
    if (request->operation != XY_COMPLETE)
        return XY_EUNSUPPORTED;
    if (!http_write(http, request))
        return XY_ENOMEM;
    xy_http_request wanted = {
        .size = sizeof(wanted),
        .timeout_ms = request->timeout_ms,
        .method = http->method,
        .url = http->address.bytes,
        .headers = http->header_list,
        .header_count = http->header_count,
    };
    if (http->kind)
        wanted.body = (xy_str){http->content.bytes, http->content.length};
    return exchanges_send(&http->exchanges, call, &wanted);
}

static void cancel(void *state, xy_call *call)
{
    exchanges_cancel(&((struct http *)state)->exchanges, call);
}

static const xy_generator generator = {
    .size = sizeof(generator), .can = can, .submit = submit, .cancel = cancel};

static const char *const needs[] = {XY_HTTP, NULL};

/* Options under which the conformance kit can try it. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{ url: \"http://localhost:1/search?q={prompt}\" }" : NULL;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_GENERATOR,
    .state_size = sizeof(struct http),
    .id = "http",
    .version = "1.0.0",
    .summary = "Completes by any HTTP service: sends the prompt, answers with what comes back",
    .needs = needs,
    .options = options,
    .open = open_http,
    .close = close_http,
    .generator = &generator,
    .extension = extension,
};

XY_PLUGIN("http_endpoint", "1.0.0", "Apache-2.0", &stage)
