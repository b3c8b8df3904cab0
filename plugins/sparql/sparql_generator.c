/* SPDX-License-Identifier: Apache-2.0 */
/* The generator: the last message is the query, the answer is the endpoint's JSON (SPARQL 1.1
 * Protocol). As a model it has the host's retries, limits, cache and journal. */
#include <stdlib.h>

#include "exchanges.h"
#include "excerpt.h"
#include "sparql.h"

enum { WORDS_MOST = 300 };

struct generator {
    const char *endpoint, *method, *parameters;
    const char *const *headers;
    const char *const *default_graph;
    const xy_host *host;
    struct text extra;          /* parameters and default graphs, encoded, each led by '&' */
    xy_str *header_list;
    size_t header_count;
    struct exchanges exchanges;
};

#define AT(member) offsetof(struct generator, member)

static const xy_option options[] = {
    {"endpoint", XY_OPT_TEXT, AT(endpoint), NULL, XY_OPT_REQUIRED, 0, 0, NULL,
     "The address that answers SPARQL queries, such as https://query.wikidata.org/sparql."},
    {"method", XY_OPT_TEXT, AT(method), "post", XY_OPT_NEUTRAL, 0, 0, "post|get",
     "How a query is sent: in a form, or in the address (where caches stand in between)."},
    {"default_graph", XY_OPT_LIST, AT(default_graph), NULL, 0, 0, 0, NULL,
     "Graphs to query, sent as default-graph-uri; the endpoint's own when not given."},
    {"parameters", XY_OPT_JSON, AT(parameters), NULL, 0, 0, 0, NULL,
     "A map of further parameters that an endpoint knows, such as { timeout: 30000 }."},
    {"headers", XY_OPT_LIST, AT(headers), NULL, XY_OPT_SECRET, 0, 0, NULL,
     "Further headers, \"Name: value\" each: authorization, or the User-Agent that Wikidata asks "
     "for."},
    {.name = NULL},
};

/* ---- open ------------------------------------------------------------------------------------ */

static int refuse(const struct generator *generator, const char *why)
{
    xy_log_line(generator->host, XY_LOG_ERROR, "sparql: %s", why);
    return XY_EINVAL;
}

/* Percent-encodes all but what RFC 3986 calls unreserved. */
static void add_encoded(struct text *out, xy_str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~", c));
        char code[3] = {'%', digits[c >> 4], digits[c & 15]};
        text_add(out, plain ? text.ptr + i : code, plain ? 1 : 3);
    }
}

static void add_parameter(struct text *out, xy_str name, xy_str value)
{
    text_add_literal(out, "&");
    add_encoded(out, name);
    text_add_literal(out, "=");
    add_encoded(out, value);
}

static int make_extra(struct generator *generator)
{
    for (const char *const *graph = generator->default_graph; graph && *graph; graph++)
        add_parameter(&generator->extra, xy_text("default-graph-uri"), xy_text(*graph));
    if (!generator->parameters)
        return XY_OK;
    xy_str map = json_check(xy_text(generator->parameters)), key, value;
    struct json_cursor cursor = {0};
    if (json_kind(map) != '{')
        return refuse(generator, "`parameters` must be a map");
    while (json_next(map, &cursor, &key, &value)) {
        char *text = malloc(value.len + 1);
        if (!text)
            return XY_ENOMEM;
        bool string = json_kind(value) == '"';
        size_t length = string ? json_decode(value, text) : 0;
        add_parameter(&generator->extra, key, string ? (xy_str){text, length} : value);
        free(text);
    }
    return generator->extra.failed ? XY_ENOMEM : XY_OK;
}

static int make_headers(struct generator *generator)
{
    size_t count = 2;
    for (const char *const *header = generator->headers; header && *header; header++, count++)
        if (!strchr(*header, ':') || strpbrk(*header, "\r\n"))
            return refuse(generator, "each of `headers` must be one line \"Name: value\"");
    generator->header_list = calloc(count, sizeof(*generator->header_list));
    if (!generator->header_list)
        return XY_ENOMEM;
    xy_str *list = generator->header_list;
    list[generator->header_count++] = xy_text("Accept: application/sparql-results+json");
    if (generator->method[0] == 'p')
        list[generator->header_count++] =
            xy_text("Content-Type: application/x-www-form-urlencoded");
    for (const char *const *header = generator->headers; header && *header; header++)
        list[generator->header_count++] = xy_text(*header);
    return XY_OK;
}

static void generator_close(void *state)
{
    struct generator *generator = state;
    text_free(&generator->extra);
    free(generator->header_list);
}

static void read_reply(void *state, xy_call *call, const xy_http_reply *http, xy_reply *reply);

static int generator_open(void *state, const xy_host *host)
{
    struct generator *generator = state;
    const char *start = strstr(generator->endpoint, "://");
    generator->host = host;
    generator->exchanges = (struct exchanges){
        .host = host, .http = host->service(host, XY_HTTP), .read = read_reply,
        .state = generator};
    if (!generator->exchanges.http)
        return XY_EUNSUPPORTED;
    if (strncmp(generator->endpoint, "http://", 7) != 0 &&
        strncmp(generator->endpoint, "https://", 8) != 0)
        return refuse(generator, "`endpoint` must start with http:// or https://");
    if (memchr(start + 3, '@', strcspn(start + 3, "/?#")))
        return refuse(generator, "`endpoint` holds a password, which messages would show: give it "
                      "as a header, headers: [\"Authorization: Basic ${NAME}\"]");
    int code = make_extra(generator);
    if (code == XY_OK)
        code = make_headers(generator);
    if (code < 0)
        generator_close(state); /* close() comes only after a good open() */
    return code;
}

/* ---- what went wrong ------------------------------------------------------------------------- */

/* The start of the endpoint's words on one line, cut between characters; nothing of a web page. */
static void quote(char *out, size_t size, xy_str words)
{
    if (words.len && words.ptr[0] == '<')
        words.len = 0;
    excerpt_line(out, size, words);
}

static bool mentions(xy_str text, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= text.len; i++)
        if (strncasecmp(text.ptr + i, word, length) == 0)
            return true;
    return false;
}

struct meaning {
    int code;
    int32_t status;
    uint32_t retryable, limited;
    const char *advice;
};

/* A query that the endpoint itself gave up is not asked again: it would be given up again. Web
 * pages of gateways, which say "time-out" of what may pass, begin with '<'. */
static struct meaning meaning_of(int code, xy_str body)
{
    static const struct meaning meanings[] = {
        {400, XY_EINVAL, 0, 0, "; check the query"},
        {401, XY_EINVAL, 0, 0, "; check `headers`"},
        {403, XY_EINVAL, 0, 0, "; check `headers`: some want a User-Agent that names you"},
        {404, XY_EINVAL, 0, 0, "; check `endpoint`"},
        {405, XY_EINVAL, 0, 0, "; check `endpoint`, or try the other `method`"},
        {406, XY_EINVAL, 0, 0, "; it cannot answer in JSON: is the query a SELECT or ASK?"},
        {408, XY_ETIMEOUT, 1, 0, ""},
        {414, XY_EINVAL, 0, 0, "; the query is too long for an address: use `method: post`"},
        {425, XY_EUPSTREAM, 1, 0, ""},
        {429, XY_EUPSTREAM, 1, 1, ""},
        {0, 0, 0, 0, NULL},
    };
    bool page = body.len && body.ptr[0] == '<';
    if (code >= 500 && !page && (mentions(body, "timeout") || mentions(body, "timed out") ||
                                 mentions(body, "estimated execution time")))
        return (struct meaning){code, XY_ETIMEOUT, 0, 0,
                                "; the endpoint gave the query up: ask for less, as with `page`"};
    for (const struct meaning *meaning = meanings; meaning->code; meaning++)
        if (meaning->code == code)
            return *meaning;
    if (code >= 500)
        return (struct meaning){code, XY_EUPSTREAM, 1, 0, ""};
    if (code >= 300 && code < 400)
        return (struct meaning){code, XY_EINVAL, 0, 0, "; the endpoint has moved: correct it"};
    return (struct meaning){code, XY_EUPSTREAM, 0, 0, ""};
}

enum { MESSAGE_SIZE = WORDS_MOST + 400 };

static void fail(const struct generator *generator, xy_call *call, const xy_http_reply *http,
                 xy_reply *reply)
{
    struct meaning meaning = meaning_of(http->code, http->body);
    char words[WORDS_MOST], *text = call->api->alloc(call, MESSAGE_SIZE);
    /* What is said about refused credentials may hold parts of them. */
    quote(words, sizeof(words), http->code == 401 ? (xy_str){NULL, 0} : http->body);
    reply->status = meaning.status;
    reply->retryable = meaning.retryable;
    reply->limited = meaning.limited || (http->code == 503 && http->retry_after_ms >= 0);
    if (text)
        snprintf(text, MESSAGE_SIZE, "%s: HTTP %d%s%s%s%s", generator->endpoint,
                 http->code, *words ? ", \"" : "", words, *words ? "\"" : "", meaning.advice);
    reply->error = text;
}

static void fail_to_reach(const struct generator *generator, xy_call *call,
                          const xy_http_reply *http, xy_reply *reply)
{
    char *text = call->api->alloc(call, MESSAGE_SIZE);
    uint32_t timeout = call->api->request(call)->timeout_ms;
    if (!text || http->status != XY_ETIMEOUT)
        return;
    snprintf(text, MESSAGE_SIZE, "%s: no answer within %g s, the `timeout`: ask for less, as with "
             "`page` or LIMIT, or allow more", generator->endpoint,
             timeout ? timeout / 1e3 : 600.0);
    reply->error = text;
}

static void read_answer(const struct generator *generator, xy_call *call, xy_str body,
                        xy_reply *reply)
{
    xy_str answer = json_check(body);
    char begin[80], *text;
    if (sparql_is_answer(answer)) {
        reply->text = body;
        reply->finish = XY_FINISH_STOP;
        return;
    }
    text = call->api->alloc(call, MESSAGE_SIZE);
    quote(begin, sizeof(begin), body);
    reply->status = XY_EUPSTREAM;
    reply->retryable = !answer.ptr; /* it may have been cut short */
    if (text)
        snprintf(text, MESSAGE_SIZE, "%s: the answer is no SPARQL results in JSON; it begins: %s",
                 generator->endpoint, *begin ? begin : "(nothing, or a web page)");
    reply->error = text;
}

static void read_reply(void *state, xy_call *call, const xy_http_reply *http, xy_reply *reply)
{
    const struct generator *generator = state;
    if (http->status != XY_OK)
        fail_to_reach(generator, call, http, reply);
    else if (http->code >= 200 && http->code < 300)
        read_answer(generator, call, http->body, reply);
    else
        fail(generator, call, http, reply);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static uint32_t generator_can(const void *state)
{
    (void)state;
    return XY_COMPLETE;
}

static int generator_submit(void *state, xy_call *call)
{
    struct generator *generator = state;
    const xy_request *asked = call->api->request(call);
    if (asked->operation != XY_COMPLETE || asked->message_count == 0)
        return XY_EUNSUPPORTED;
    struct text body = {0}, url = {0};
    bool post = generator->method[0] == 'p';
    struct text *out = post ? &body : &url;
    text_add_literal(&url, generator->endpoint);
    if (!post)
        text_add_literal(&url, strchr(generator->endpoint, '?') ? "&" : "?");
    text_add_literal(out, "query=");
    add_encoded(out, asked->messages[asked->message_count - 1].content);
    text_add(out, generator->extra.bytes, generator->extra.length);
    xy_http_request request = {
        .size = sizeof(request), .timeout_ms = asked->timeout_ms,
        .method = post ? "POST" : "GET", .url = url.bytes, .headers = generator->header_list,
        .header_count = generator->header_count, .body = {body.bytes, body.length}};
    int code = body.failed || url.failed
                   ? XY_ENOMEM : exchanges_send(&generator->exchanges, call, &request);
    text_free(&body);
    text_free(&url);
    return code;
}

static void generator_cancel(void *state, xy_call *call)
{
    exchanges_cancel(&((struct generator *)state)->exchanges, call);
}

static const xy_generator generator_calls = {
    .size = sizeof(generator_calls),
    .can = generator_can,
    .submit = generator_submit,
    .cancel = generator_cancel,
};

static const char *const needs[] = {XY_HTTP, NULL};

/* Options under which the conformance kit can try it. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{ endpoint: \"http://localhost:1/query\" }" : NULL;
}

const xy_stage sparql_generator = {
    XY_STAGE_INIT,
    .kind = XY_GENERATOR,
    .state_size = sizeof(struct generator),
    .id = "sparql",
    .version = "1.0.0",
    .summary = "Answers SPARQL queries with the JSON of any SPARQL 1.1 endpoint.",
    .needs = needs,
    .options = options,
    .open = generator_open,
    .close = generator_close,
    .generator = &generator_calls,
    .extension = extension,
};
