/* SPDX-License-Identifier: Apache-2.0 */
#include "http_internal.h"

#include "excerpt.h"
#include "utf8.h"

enum { SHOWN = 200, ERROR_SIZE = 480 };

/* The start of a body as one line, cut between characters; secrets in it as stars. */
static const char *shown(const struct http *http, xy_str body, char out[SHOWN + 1])
{
    excerpt_line(out, SHOWN + 1, (xy_str){body.ptr, utf8_check(body)});
    for (const char *const *header = http->headers; header && *header; header++) {
        const char *secret = strchr(*header, ':') + 1;
        while (*secret == ' ')
            secret++;
        const char *space = strrchr(secret, ' '); /* "Bearer KEY" */
        secret = space ? space + 1 : secret;
        size_t size = strlen(secret);
        for (char *found = out; size >= 4 && (found = strstr(found, secret)); found += size)
            memset(found, '*', size);
    }
    return out;
}

static void say(xy_call *call, xy_reply *reply, const char *what, const char *detail,
                const char *advice)
{
    char *text = call->api->alloc(call, ERROR_SIZE);
    reply->error = text;
    if (text)
        snprintf(text, ERROR_SIZE, "%s%s%s%s%s", what, *detail ? ": " : "", detail,
                 *advice ? "; " : "", advice);
}

/* Another attempt may bring what this one did not. */
static void malformed(const struct http *http, xy_call *call, xy_reply *reply, const char *what,
                      xy_str body)
{
    char begin[SHOWN + 1];
    reply->status = XY_EUPSTREAM;
    reply->retryable = 1;
    say(call, reply, what, shown(http, body, begin), "");
}

void http_read(const struct http *http, xy_call *call, xy_str body, xy_reply *reply)
{
    if (utf8_check(body) < body.len) {
        malformed(http, call, reply, "the answer is not UTF-8", body);
        reply->retryable = 0;
        return;
    }
    reply->finish = XY_FINISH_STOP;
    reply->text = body;
    if (!http->json && !http->answer)
        return;
    xy_str json = json_check(body), value = http->answer ? json_path(json, http->answer) : json;
    if (!json.ptr) {
        malformed(http, call, reply, "the answer is no JSON", body);
    } else if (!value.ptr) {
        malformed(http, call, reply, "the answer has nothing at the path of `answer`", body);
        reply->retryable = 0;
    } else if (json_is(value, "") || json_kind(value) != '"') {
        reply->text = json_kind(value) == '"' ? (xy_str){"", 0} : value;
    } else {
        char *text = call->api->alloc(call, value.len + 1);
        reply->text = (xy_str){text, text ? json_decode(value, text) : 0};
        if (!text)
            reply->status = XY_ENOMEM;
    }
}

struct meaning {
    int code;
    int32_t status;
    uint32_t retryable, limited;
    const char *advice;
};

static struct meaning meaning_of(int code)
{
    static const struct meaning known[] = {
        {400, XY_EINVAL, 0, 0, "check `url`, `method`, `headers` and `body`"},
        {401, XY_EINVAL, 0, 0, "the key was not accepted: check `headers`"},
        {402, XY_EBUDGET, 0, 0, "the account has no credit left"},
        {403, XY_EINVAL, 0, 0, "this is not allowed: check `headers`"},
        {404, XY_EINVAL, 0, 0, "there is nothing at this address: check `url`"},
        {405, XY_EINVAL, 0, 0, "check `method`"},
        {408, XY_ETIMEOUT, 1, 0, ""},
        {409, XY_EUPSTREAM, 1, 0, ""},
        {425, XY_EUPSTREAM, 1, 0, ""},
        {429, XY_EUPSTREAM, 1, 1, ""},
        {501, XY_EUNSUPPORTED, 0, 0, "check `method`"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].code == code)
            return known[i];
    if (code >= 500)
        return (struct meaning){code, XY_EUPSTREAM, 1, 0, ""};
    if (code >= 300 && code < 400)
        return (struct meaning){code, XY_EINVAL, 0, 0, "it has moved: correct `url`"};
    return (struct meaning){code, XY_EINVAL, 0, 0, ""};
}

void http_fail(const struct http *http, xy_call *call, int code, xy_str body, xy_reply *reply)
{
    struct meaning meaning = meaning_of(code);
    char what[32], begin[SHOWN + 1];
    bool page = body.len && body.ptr[0] == '<'; /* of a proxy, for people */
    snprintf(what, sizeof(what), "HTTP %d", code);
    reply->status = meaning.status;
    reply->retryable = meaning.retryable;
    reply->limited = meaning.limited || (code == 503 && reply->retry_after_ms >= 0);
    /* What is said about a refused key often has parts of it. */
    say(call, reply, what, page || code == 401 ? "" : shown(http, body, begin), meaning.advice);
}
