/* SPDX-License-Identifier: Apache-2.0 */
#include "http_internal.h"

#include <string.h>

static int32_t clamp_ms(double milliseconds)
{
    return milliseconds >= (double)INT32_MAX ? INT32_MAX : (int32_t)milliseconds;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without the blanks in front, and those and line ends behind. */
static xy_str trimmed(const char *text, size_t length)
{
    const char *end = text + length;
    while (text < end && (*text == ' ' || *text == '\t'))
        text++;
    while (end > text && is_blank(end[-1]))
        end--;
    return (xy_str){text, (size_t)(end - text)};
}

/* Digits with an optional fraction and spaces around, times `scale` and rounded up; -1 for anything
 * else. By hand, since strtod() takes signs, exponents, "inf", and the locale's comma. */
static double decimal(const char *text, size_t length, double scale)
{
    xy_str word = trimmed(text, length);
    double number = 0, unit = 1;
    bool digits = false, fraction = false;
    for (const char *at = word.ptr; at < word.ptr + word.len; at++) {
        if (*at == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (*at < '0' || *at > '9')
            return -1;
        digits = true;
        number = number * 10 + (*at - '0');
        if (fraction)
            unit *= 10;
        if (number > 1e15) /* also keeps the loop over a long line of digits exact enough */
            return (double)INT32_MAX;
    }
    if (!digits)
        return -1;
    double scaled = number * scale / unit;
    double whole = (double)(int64_t)scaled;
    return whole < scaled ? whole + 1 : whole;
}

int32_t http_retry_after_ms(const char *text, size_t length)
{
    double number = decimal(text, length, 1);
    return number < 0 ? -1 : clamp_ms(number);
}

int32_t http_retry_after(const char *text, size_t length, int64_t now)
{
    double number = decimal(text, length, 1000);
    if (number >= 0)
        return clamp_ms(number);
    char date[64];
    if (length >= sizeof(date))
        return -1;
    memcpy(date, text, length);
    date[length] = '\0';
    /* The three forms of RFC 9110, 5.6.7; libcurl reads them without the locale. */
    time_t then = curl_getdate(date, NULL);
    if (then == -1)
        return -1;
    return (int64_t)then <= now ? 0 : clamp_ms((double)((int64_t)then - now) * 1000);
}

void http_origin_text(const char *url, char *text, size_t size)
{
    const char *scheme_end = strstr(url, "://");
    const char *start = scheme_end ? scheme_end + 3 : url;
    size_t length = strcspn(start, "/?#");
    for (size_t i = 0; i < length; i++) { /* past the last @: a password may hold one */
        if (start[i] == '@') {
            start += i + 1;
            length -= i + 1;
            i = (size_t)-1;
        }
    }
    int scheme = scheme_end ? (int)(scheme_end - url) : 0;
    snprintf(text, size, "%.*s%s%.*s", scheme, url, scheme_end ? "://" : "", (int)length, start);
}

struct failure_text {
    CURLcode code;
    int status;
    bool retryable;
    const char *text; /* NULL: libcurl's own words */
    const char *remedy;
};

static const struct failure_text failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, XY_EUPSTREAM, true, "the name of the host is not known",
     "check the spelling of the address and the network"},
    {CURLE_COULDNT_RESOLVE_PROXY, XY_EUPSTREAM, true, "the name of the proxy is not known",
     "check http_proxy, https_proxy and all_proxy"},
    {CURLE_COULDNT_CONNECT, XY_EUPSTREAM, true, "cannot connect", "is the server running?"},
    {CURLE_OPERATION_TIMEDOUT, XY_ETIMEOUT, true, "no whole answer in time", NULL},
    {CURLE_GOT_NOTHING, XY_EUPSTREAM, true, "the connection was closed before any answer", NULL},
    {CURLE_PARTIAL_FILE, XY_EUPSTREAM, true, "the answer was cut short", NULL},
    {CURLE_SEND_ERROR, XY_EUPSTREAM, true, "the connection broke while sending", NULL},
    {CURLE_RECV_ERROR, XY_EUPSTREAM, true, "the connection broke while receiving", NULL},
    {CURLE_HTTP2, XY_EUPSTREAM, true, NULL, NULL},
    {CURLE_HTTP2_STREAM, XY_EUPSTREAM, true, NULL, NULL},
    {CURLE_WEIRD_SERVER_REPLY, XY_EUPSTREAM, true, "the answer is not HTTP", NULL},
    {CURLE_UNSUPPORTED_PROTOCOL, XY_EUPSTREAM, false, "the answer is not HTTP/1.1 or HTTP/2", NULL},
    {CURLE_SSL_CONNECT_ERROR, XY_EUPSTREAM, true, NULL, NULL},
    {CURLE_PEER_FAILED_VERIFICATION, XY_EUPSTREAM, false, NULL,
     "if you trust the server, name its issuer's certificate file (PEM) in SSL_CERT_FILE"},
    {CURLE_SSL_CACERT_BADFILE, XY_EUPSTREAM, false, NULL,
     "check the file named in SSL_CERT_FILE or CURL_CA_BUNDLE"},
    {CURLE_BAD_CONTENT_ENCODING, XY_EUPSTREAM, true, "the compressed answer cannot be unpacked",
     NULL},
    {CURLE_URL_MALFORMAT, XY_EINVAL, false, "the address is not a URL", NULL},
    {CURLE_OUT_OF_MEMORY, XY_ENOMEM, false, "out of memory", NULL},
};

static void explain_too_long(struct call *call, xy_http_reply *reply, const char *origin)
{
    char *message = call->http->message;
    size_t size = sizeof(call->http->message);
    reply->status = XY_EUPSTREAM;
    if (call->head_too_long)
        snprintf(message, size, "%s: the headers of the answer are longer than %d bytes", origin,
                 HTTP_HEAD_LIMIT);
    else
        snprintf(message, size, "%s: the answer is longer than the %zu bytes allowed", origin,
                 call->reply.ceiling);
}

void http_explain(struct call *call, CURLcode result, xy_http_reply *reply)
{
    char origin[200], *message = call->http->message;
    size_t size = sizeof(call->http->message);
    http_origin_text(call->url, origin, sizeof(origin));
    reply->error = message;
    if (call->cancelled) {
        reply->status = XY_ECANCELED;
        snprintf(message, size, "%s: cancelled", origin);
        return;
    }
    if (call->reply.overflowed || call->head_too_long) {
        explain_too_long(call, reply, origin);
        return;
    }
    struct failure_text failure = {.status = XY_EUPSTREAM};
    for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++)
        if (failures[i].code == result)
            failure = failures[i];
    reply->status = failure.status;
    reply->retryable = failure.retryable;
    const char *detail = call->curl_error[0] ? call->curl_error : curl_easy_strerror(result);
    if (failure.text)
        snprintf(message, size, "%s: %s (%s)%s%s", origin, failure.text,
                 detail, failure.remedy ? "; " : "", failure.remedy ? failure.remedy : "");
    else
        snprintf(message, size, "%s: %s%s%s", origin, detail,
                 failure.remedy ? "; " : "", failure.remedy ? failure.remedy : "");
}
