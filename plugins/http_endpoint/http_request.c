/* SPDX-License-Identifier: Apache-2.0 */
#include "http_internal.h"

/* RFC 3986, section 2.3: all but unreserved characters, so that nothing ends a query early. */
static void add_percent(struct text *out, xy_str text)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char unreserved[] = "-._~";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                     (c && strchr(unreserved, c));
        char code[3] = {'%', digits[c >> 4], digits[c & 15]};
        text_add(out, plain ? text.ptr + i : code, plain ? 1 : 3);
    }
}

/* Copies `source` with the prompt, encoded for its place, in each place for it. */
static void fill(struct text *out, xy_str source, xy_str prompt, enum http_body kind)
{
    const char *at = source.ptr, *end = source.ptr + source.len;
    size_t length = strlen(HTTP_PLACE);
    while (at < end) {
        const char *place = memmem(at, (size_t)(end - at), HTTP_PLACE, length);
        text_add(out, at, (size_t)((place ? place : end) - at));
        if (!place)
            break;
        if (kind == HTTP_JSON)
            text_add_escaped(out, prompt);
        else if (kind == HTTP_FORM)
            add_percent(out, prompt);
        else
            text_add_str(out, prompt);
        at = place + length;
    }
}

bool http_write(struct http *http, const xy_request *request)
{
    text_clear(&http->prompt);
    text_clear(&http->address);
    text_clear(&http->content);
    for (size_t i = 0; i < request->message_count; i++) {
        text_add_literal(&http->prompt, i ? "\n\n" : "");
        text_add_str(&http->prompt, request->messages[i].content);
    }
    xy_str prompt = {http->prompt.bytes, http->prompt.length};
    fill(&http->address, xy_text(http->url), prompt, HTTP_FORM);
    if (http->kind)
        fill(&http->content, (xy_str){http->body_template.bytes, http->body_template.length},
             prompt, http->kind);
    return !http->prompt.failed && !http->address.failed && !http->content.failed;
}
