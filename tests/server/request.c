/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <string.h>
#include <strings.h>

static bool name_is(const char *line, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(line, name, length) == 0;
}

static bool contains(const char *text, size_t length, const char *word)
{
    return memmem(text, length, word, strlen(word)) != NULL;
}

static bool read_length(const char *text, size_t length, size_t *number)
{
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || *number > REQUEST_BODY_LIMIT)
            return false;
        *number = *number * 10 + (size_t)(text[i] - '0');
    }
    return length > 0;
}

static int read_header(const char *line, size_t length, struct request *request)
{
    const char *colon = memchr(line, ':', length);
    if (!colon)
        return 400;
    size_t name = (size_t)(colon - line);
    const char *value = colon + 1, *end = line + length;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    size_t size = (size_t)(end - value);
    if (name_is(line, name, "content-length")) {
        if (!read_length(value, size, &request->body_length))
            return 400;
    } else if (name_is(line, name, "transfer-encoding")) {
        return 411; /* no client here needs chunked requests */
    } else if (name_is(line, name, "authorization")) {
        request->authorization = value;
        request->authorization_length = size;
    } else if (name_is(line, name, "connection")) {
        request->close |= size == 5 && strncasecmp(value, "close", 5) == 0;
    } else if (name_is(line, name, "accept-encoding")) {
        request->accepts_gzip = contains(value, size, "gzip");
    } else if (name_is(line, name, "expect")) {
        request->expects_continue = true;
    }
    return REQUEST_READY;
}

static int read_line(const char *line, size_t length, struct request *request)
{
    const char *space = memchr(line, ' ', length);
    if (!space)
        return 400;
    request->method = line;
    request->method_length = (size_t)(space - line);
    const char *path = space + 1;
    size_t rest = length - request->method_length - 1;
    const char *end = memchr(path, ' ', rest);
    if (!end || rest - (size_t)(end - path) < 9 || memcmp(end, " HTTP/1.", 8) != 0)
        return 400;
    request->close = end[8] == '0';
    size_t path_length = (size_t)(end - path);
    if (path_length > 7 && memcmp(path, "http://", 7) == 0) {
        request->absolute = true;
        const char *slash = memchr(path + 7, '/', path_length - 7);
        path_length = slash ? path_length - (size_t)(slash - path) : 0;
        path = slash;
    }
    const char *query = path_length ? memchr(path, '?', path_length) : NULL;
    request->path = path;
    request->path_length = query ? (size_t)(query - path) : path_length;
    return REQUEST_READY;
}

int request_read(const char *bytes, size_t length, struct request *request)
{
    *request = (struct request){0};
    size_t window = length < REQUEST_HEAD_LIMIT ? length : REQUEST_HEAD_LIMIT;
    const char *head_end = length ? memmem(bytes, window, "\r\n\r\n", 4) : NULL;
    if (!head_end)
        return length >= REQUEST_HEAD_LIMIT ? 431 : REQUEST_MORE;
    const char *line = bytes, *stop = head_end + 2;
    int result = REQUEST_READY;
    while (line < stop && result == REQUEST_READY) {
        const char *end = memmem(line, (size_t)(stop - line), "\r\n", 2);
        size_t size = (size_t)(end - line);
        result = line == bytes ? read_line(line, size, request) : read_header(line, size, request);
        line = end + 2;
    }
    if (result != REQUEST_READY)
        return result;
    if (request->body_length > REQUEST_BODY_LIMIT)
        return 413;
    request->body = head_end + 4;
    request->total = (size_t)(request->body - bytes) + request->body_length;
    return request->total <= length ? REQUEST_READY : REQUEST_MORE;
}

bool request_is(const struct request *request, const char *method, const char *path)
{
    return request->method_length == strlen(method) && request->path_length == strlen(path) &&
           memcmp(request->method, method, request->method_length) == 0 &&
           memcmp(request->path, path, request->path_length) == 0;
}
