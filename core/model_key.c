/* SPDX-License-Identifier: Apache-2.0 */
#include "model_internal.h"

#define XXH_STATIC_LINKING_ONLY /* the streaming state on the stack */
#include <xxhash.h>

#include <stdlib.h>

enum { KEY_VERSION = 1, FIRST_TABLE = 64 };

static void hash_text(XXH3_state_t *hash, xy_str text)
{
    uint64_t length = text.len;
    XXH3_128bits_update(hash, &length, sizeof(length));
    if (text.len)
        XXH3_128bits_update(hash, text.ptr, text.len);
}

static void hash_list(XXH3_state_t *hash, const char *const *list)
{
    for (; list && *list; list++)
        hash_text(hash, str_of(*list));
    XXH3_128bits_update(hash, "", 1);
}

/* An option's value as it stands in the state. Stages and datasets are no options of a
 * generator. */
static void hash_option(XXH3_state_t *hash, const xy_option *option, const char *state)
{
    const char *place = state + option->offset;
    switch (option->type) {
    case XY_OPT_INT:
        XXH3_128bits_update(hash, place, sizeof(int64_t));
        break;
    case XY_OPT_NUMBER:
    case XY_OPT_SECONDS:
        XXH3_128bits_update(hash, place, sizeof(double));
        break;
    case XY_OPT_BOOL:
        XXH3_128bits_update(hash, place, sizeof(int32_t));
        break;
    case XY_OPT_LIST:
        hash_list(hash, *(const char *const *const *)place);
        break;
    case XY_OPT_TEXT:
    case XY_OPT_JSON:
    case XY_OPT_PATH:
    case XY_OPT_EXPRESSION:
    case XY_OPT_TEMPLATE:
    case XY_OPT_FIELD:
        hash_text(hash, str_of(*(const char *const *)place));
        break;
    default:
        break;
    }
}

void model_key_prefix(struct model *model)
{
    XXH3_state_t hash;
    uint32_t version = KEY_VERSION;
    XXH3_128bits_reset(&hash);
    XXH3_128bits_update(&hash, &version, sizeof(version));
    hash_text(&hash, str_of(model->type->stage.id));
    for (const xy_option *option = model->type->options; option && option->name; option++) {
        /* A secret is who pays, not what is asked: a rotated key must not pay for everything
         * again. */
        if (option->flags & (XY_OPT_NEUTRAL | XY_OPT_SECRET))
            continue;
        hash_text(&hash, str_of(option->name));
        hash_option(&hash, option, model->state);
    }
    XXH128_hash_t digest = XXH3_128bits_digest(&hash);
    model->prefix[0] = digest.low64;
    model->prefix[1] = digest.high64;
}

struct journal_key model_key(const struct model *model, const xy_request *request)
{
    XXH3_state_t hash;
    bool embed = request->operation == XY_EMBED;
    uint64_t counts[] = {model->prefix[0], model->prefix[1], request->operation,
                         request->message_count, request->text_count, request->stop_count};
    XXH3_128bits_reset(&hash);
    XXH3_128bits_update(&hash, counts, sizeof(counts));
    for (size_t i = 0; i < request->message_count; i++) {
        hash_text(&hash, request->messages[i].role);
        hash_text(&hash, request->messages[i].content);
    }
    for (size_t i = 0; i < request->text_count; i++)
        hash_text(&hash, request->texts[i]);
    for (size_t i = 0; i < request->stop_count; i++)
        hash_text(&hash, request->stop[i]);
    hash_text(&hash, request->json_schema);
    hash_text(&hash, request->extra);
    if (!embed) { /* A vector depends on its text alone: it is shared by all who ask for it. */
        struct {
            double temperature, top_p;
            uint64_t seed;
            uint32_t max_tokens, logprobs, sample, zero;
        } numbers = {
            /* Every negative value means "not set"; adding 0 makes -0 the same as 0. */
            .temperature = request->temperature < 0 ? -1 : request->temperature + 0.0,
            .top_p = request->top_p < 0 ? -1 : request->top_p + 0.0,
            .seed = request->seed,
            .max_tokens = request->max_tokens,
            .logprobs = request->logprobs,
            .sample = request->sample,
        };
        XXH3_128bits_update(&hash, &numbers, sizeof(numbers));
    }
    XXH128_hash_t digest = XXH3_128bits_digest(&hash);
    return (struct journal_key){.high = digest.high64, .low = digest.low64};
}

/* ---- a flight and its copy of the request ---------------------------------------------------- */

static size_t texts_size(const xy_str *texts, size_t count)
{
    size_t size = count * sizeof(*texts);
    for (size_t i = 0; i < count; i++)
        size += texts[i].len;
    return size;
}

static xy_str copy_text(char **bytes, xy_str text)
{
    xy_str copy = {*bytes, text.len};
    if (text.len)
        memcpy(*bytes, text.ptr, text.len);
    *bytes += text.len;
    return copy;
}

static const xy_str *copy_texts(char **arrays, char **bytes, const xy_str *texts, size_t count)
{
    xy_str *copies = (xy_str *)(void *)*arrays;
    *arrays += count * sizeof(*copies);
    for (size_t i = 0; i < count; i++)
        copies[i] = copy_text(bytes, texts[i]);
    return copies;
}

struct flight *flight_new(struct model *model, const xy_request *request, const xy_str *text,
                          struct journal_key key)
{
    const xy_str *texts = text ? text : request->texts;
    size_t text_count = text ? 1 : request->text_count;
    size_t array_size = request->message_count * sizeof(xy_message) +
                        (text_count + request->stop_count) * sizeof(xy_str);
    size_t size = array_size + texts_size(texts, text_count) +
                  texts_size(request->stop, request->stop_count) + request->json_schema.len +
                  request->extra.len;
    for (size_t i = 0; i < request->message_count; i++)
        size += request->messages[i].role.len + request->messages[i].content.len;
    struct flight *flight = memory_resize(NULL, sizeof(*flight) + size, 1);
    *flight = (struct flight){
        .model = model,
        .key = key,
        /* A stream of its own for each request: the same waits whatever else goes on. */
        .random = key.low ^ key.high,
        .request = *request,
    };
    xy_request *copy = &flight->request;
    char *arrays = (char *)flight->copy, *bytes = arrays + array_size;
    xy_message *messages = (xy_message *)(void *)arrays;
    arrays += request->message_count * sizeof(*messages);
    for (size_t i = 0; i < request->message_count; i++) {
        messages[i].role = copy_text(&bytes, request->messages[i].role);
        messages[i].content = copy_text(&bytes, request->messages[i].content);
    }
    copy->size = sizeof(*copy);
    copy->messages = messages;
    copy->texts = copy_texts(&arrays, &bytes, texts, text_count);
    copy->text_count = text_count;
    copy->stop = copy_texts(&arrays, &bytes, request->stop, request->stop_count);
    copy->json_schema = copy_text(&bytes, request->json_schema);
    copy->extra = copy_text(&bytes, request->extra);
    return flight;
}

void flight_free(struct flight *flight)
{
    free((char *)(uintptr_t)flight->payload.ptr);
    free(flight->error);
    free(flight);
}

/* ---- lists ----------------------------------------------------------------------------------- */

void flight_append(struct flight_list *list, struct flight *flight)
{
    flight->next = NULL;
    flight->previous = list->last;
    if (list->last)
        list->last->next = flight;
    else
        list->first = flight;
    list->last = flight;
    list->count++;
}

void flight_prepend(struct flight_list *list, struct flight *flight)
{
    flight->previous = NULL;
    flight->next = list->first;
    if (list->first)
        list->first->previous = flight;
    else
        list->last = flight;
    list->first = flight;
    list->count++;
}

void flight_remove(struct flight_list *list, struct flight *flight)
{
    if (flight->previous)
        flight->previous->next = flight->next;
    else
        list->first = flight->next;
    if (flight->next)
        flight->next->previous = flight->previous;
    else
        list->last = flight->previous;
    flight->next = flight->previous = NULL;
    list->count--;
}

/* ---- the table of what is on its way --------------------------------------------------------- */

static struct flight **table_place(struct model *model, struct journal_key key)
{
    return &model->table[key.low & (model->table_size - 1)];
}

struct flight *flight_find(struct model *model, struct journal_key key)
{
    if (model->table_count == 0)
        return NULL;
    struct flight *flight = *table_place(model, key);
    while (flight && (flight->key.low != key.low || flight->key.high != key.high))
        flight = flight->chain;
    return flight;
}

static void table_grow(struct model *model)
{
    struct flight **old = model->table;
    size_t old_size = model->table_size;
    model->table_size = old_size ? old_size * 2 : FIRST_TABLE;
    model->table = memory_zeroed(model->table_size, sizeof(struct flight *));
    for (size_t i = 0; i < old_size; i++) {
        for (struct flight *flight = old[i], *next; flight; flight = next) {
            next = flight->chain;
            struct flight **place = table_place(model, flight->key);
            flight->chain = *place;
            *place = flight;
        }
    }
    free((void *)old);
}

void flight_enter(struct model *model, struct flight *flight)
{
    if (model->table_count == model->table_size)
        table_grow(model);
    struct flight **place = table_place(model, flight->key);
    flight->chain = *place;
    *place = flight;
    flight->in_table = true;
    model->table_count++;
}

void flight_leave(struct model *model, struct flight *flight)
{
    if (!flight->in_table)
        return;
    struct flight **link = table_place(model, flight->key);
    while (*link != flight)
        link = &(*link)->chain;
    *link = flight->chain;
    flight->in_table = false;
    model->table_count--;
}
