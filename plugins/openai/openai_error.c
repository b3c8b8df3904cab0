/* SPDX-License-Identifier: Apache-2.0 */
#include "openai_internal.h"

#include "excerpt.h"

enum { MESSAGE_MOST = 300 };

/* The server's own words: {"error": {"message"}}, {"error": "..."}, {"message"}, {"detail"}. */
static xy_str server_words(xy_call *call, xy_str body)
{
    static const char *const places[] = {"error.message", "error", "message", "detail",
                                         "detail.0.msg", NULL};
    xy_str answer = json_check(body);
    for (const char *const *place = places; *place; place++) {
        xy_str words = openai_text(call, json_path(answer, *place));
        if (words.len)
            return words;
    }
    if (body.len && (body.ptr[0] == '<' || json_kind(answer) == '{'))
        return (xy_str){NULL, 0}; /* a page, or an object without words: nothing worth repeating */
    return body;
}

/* A server may quote what it was sent: the key must not get into a message that way. */
static void scrub(char *text, const char *key)
{
    size_t length = key ? strlen(key) : 0;
    if (length < 4)
        return;
    for (char *found = strstr(text, key); found; found = strstr(found, key))
        memset(found, '*', length);
}

struct meaning {
    int code;
    int32_t status;
    uint32_t retryable, limited;
    const char *advice;
};

static const struct meaning meanings[] = {
    {400, XY_EINVAL, 0, 0, "check the request's parameters, its length, and `flavor`"},
    {401, XY_EINVAL, 0, 0, "the key was not accepted: check `api_key`"},
    {402, XY_EBUDGET, 0, 0, "the account has no credit left"},
    {403, XY_EINVAL, 0, 0, "this key may not do that: check `api_key`, `organization` and `model`"},
    {404, XY_EINVAL, 0, 0, "no such address or model: check `base_url` (up to /v1) and `model`"},
    {405, XY_EINVAL, 0, 0, "not an API at this address: check `base_url`"},
    {408, XY_ETIMEOUT, 1, 0, NULL},
    {409, XY_EUPSTREAM, 1, 0, NULL},
    {413, XY_EINVAL, 0, 0, "the request is too large for the server"},
    {422, XY_EINVAL, 0, 0, "check the request's parameters and `flavor`"},
    {425, XY_EUPSTREAM, 1, 0, NULL},
    {429, XY_EUPSTREAM, 1, 1, NULL},
    {501, XY_EUNSUPPORTED, 0, 0, "the server cannot do this: check `api` and `score`"},
    {529, XY_EUPSTREAM, 1, 1, NULL}, /* "overloaded", at some providers */
    {0, 0, 0, 0, NULL},
};

static struct meaning meaning_of(int code)
{
    for (const struct meaning *meaning = meanings; meaning->code; meaning++)
        if (meaning->code == code)
            return *meaning;
    if (code >= 500)
        return (struct meaning){code, XY_EUPSTREAM, 1, 0, NULL};
    if (code >= 300 && code < 400)
        return (struct meaning){code, XY_EINVAL, 0, 0, "the API has moved: correct `base_url`"};
    return (struct meaning){code, XY_EUPSTREAM, 0, 0, NULL};
}

/* A 429 that no waiting mends: OpenAI's insufficient_quota (platform.openai.com/docs/guides/
 * error-codes: "You exceeded your current quota, please check your plan and billing details"). */
static bool out_of_quota(xy_str answer)
{
    return json_is(json_path(answer, "error.code"), "insufficient_quota") ||
           json_is(json_path(answer, "error.type"), "insufficient_quota");
}

void openai_fail(const struct openai *openai, xy_call *call, int code, xy_str body,
                 xy_reply *reply)
{
    struct meaning meaning = meaning_of(code);
    char words[MESSAGE_MOST];
    /* What is said about a refused key often contains parts of it. */
    excerpt_line(words, sizeof(words), code == 401 ? (xy_str){NULL, 0} : server_words(call, body));
    scrub(words, openai->api_key);
    if (code == 429 && out_of_quota(json_check(body)))
        meaning = (struct meaning){code, XY_EBUDGET, 0, 0, "the account's quota is spent"};
    /* 503 with Retry-After is a server that asks for less. */
    if (code == 503 && reply->retry_after_ms >= 0)
        meaning.limited = 1;
    reply->status = meaning.status;
    reply->retryable = meaning.retryable;
    reply->limited = meaning.limited;
    enum { SIZE = MESSAGE_MOST + 200 };
    char *text = call->api->alloc(call, SIZE);
    if (!text)
        return;
    const char *advice = meaning.advice ? meaning.advice : "";
    snprintf(text, SIZE, "HTTP %d%s%s%s%s", code, *words ? ": " : "", words,
             *advice ? "; " : "", advice);
    reply->error = text;
}

void openai_malformed(xy_call *call, const char *what, xy_str body, xy_reply *reply)
{
    enum { SIZE = 256, SHOWN = 80 };
    char begin[SHOWN];
    excerpt_line(begin, sizeof(begin), body);
    char *text = call->api->alloc(call, SIZE);
    if (text)
        snprintf(text, SIZE, "%s; it begins: %s", what, *begin ? begin : "(empty)");
    reply->status = XY_EUPSTREAM;
    reply->retryable = 1;
    reply->error = text;
}
