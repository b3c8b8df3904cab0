/* SPDX-License-Identifier: Apache-2.0 */
#include "http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool header_is_good(xy_str header)
{
    const char *colon = header.len ? memchr(header.ptr, ':', header.len) : NULL;
    if (!colon || colon == header.ptr)
        return false;
    for (size_t i = 0; i < header.len; i++)
        if (header.ptr[i] == '\r' || header.ptr[i] == '\n' || header.ptr[i] == '\0')
            return false;
    return true;
}

static bool has_name(xy_str header, const char *name)
{
    size_t length = strlen(name);
    return header.len > length && header.ptr[length] == ':' &&
           strncasecmp(header.ptr, name, length) == 0;
}

static struct header_set *find(struct header_set *set, const char *key, size_t length)
{
    enum { LOOK_AT = 64 }; /* a server has a few header sets; past that a new list is as cheap */
    for (size_t i = 0; set && i < LOOK_AT; i++, set = set->next)
        if (set->key_length == length && memcmp(set->key, key, length) == 0)
            return set;
    return NULL;
}

static void append_header(struct header_set *set, const char *line)
{
    struct curl_slist *list = curl_slist_append(set->list, line);
    if (!list)
        memory_resize(NULL, SIZE_MAX / 2, 1); /* says so and ends the process */
    set->list = list;
}

/* libcurl drops a header written "Name:" and sends one written "Name;" empty. */
static void append_as_curl_reads(struct header_set *set, char *line)
{
    char *colon = line + strcspn(line, ":");
    if (colon[0] && colon[1 + strspn(colon + 1, " \t")] == '\0') {
        colon[0] = ';';
        colon[1] = '\0';
    }
    append_header(set, line);
}

struct header_set *header_set_take(struct header_set **sets, const xy_str *headers, size_t count,
                                   bool has_body)
{
    struct buffer key;
    struct header_set *set = NULL;
    bool typed = false, named = false, encoded = false;
    buffer_init(&key, HTTP_HEAD_LIMIT);
    buffer_append_char(&key, has_body ? 'b' : '-');
    for (size_t i = 0; i < count; i++) {
        typed |= has_name(headers[i], "Content-Type");
        named |= has_name(headers[i], "User-Agent");
        encoded |= has_name(headers[i], "Accept-Encoding");
        if (!header_is_good(headers[i]) || !buffer_append_str(&key, headers[i]) ||
            !buffer_append_char(&key, '\0'))
            goto out;
    }
    set = find(*sets, key.bytes, key.length);
    if (!set) {
        set = memory_zeroed(1, sizeof(*set));
        set->key = memory_copy_text(key.bytes, key.length);
        set->key_length = key.length;
        /* Waiting for "100 Continue" would cost a round trip on long prompts. */
        append_header(set, "Expect:");
        if (has_body && !typed)
            append_header(set, "Content-Type: application/json");
        /* libcurl formats what its own options say twice for each request, character by character;
         * these two lines once. */
        if (!named)
            append_header(set, "User-Agent: xylem/" XYLEM_VERSION);
        if (!encoded)
            append_header(set, "Accept-Encoding: gzip");
        for (char *line = key.bytes + 1; line < key.bytes + key.length;) {
            size_t length = strlen(line);
            append_as_curl_reads(set, line);
            line += length + 1;
        }
        set->next = *sets;
        *sets = set;
    }
    set->users++;
out:
    if (key.bytes)
        explicit_bzero(key.bytes, key.capacity);
    buffer_free(&key);
    return set;
}

void header_set_release(struct header_set **sets, struct header_set *set)
{
    if (!set || --set->users > 0)
        return;
    while (*sets != set)
        sets = &(*sets)->next;
    *sets = set->next;
    for (struct curl_slist *item = set->list; item; item = item->next)
        explicit_bzero(item->data, strlen(item->data));
    curl_slist_free_all(set->list);
    explicit_bzero(set->key, set->key_length);
    free(set->key);
    free(set);
}
