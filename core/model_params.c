/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of requests as the pipeline file has them, and what they mean for a request. */
#include "json.h"
#include "model_internal.h"

static bool as_number(const struct value *value, double *out)
{
    if (value->type == VALUE_INT)
        *out = (double)value->integer;
    else if (value->type == VALUE_NUMBER)
        *out = value->number;
    return value->type == VALUE_INT || value->type == VALUE_NUMBER;
}

static xy_str extra_text(struct arena *arena, const struct value *value)
{
    struct buffer extra;
    buffer_init(&extra, 1 << 20);
    json_write(&extra, value);
    xy_str text = arena_str(arena, buffer_str(&extra));
    buffer_free(&extra);
    return text;
}

static void set_stop(struct arena *arena, const struct value *value, xy_request *request)
{
    size_t count = value->type == VALUE_LIST ? value->list.count : value->type == VALUE_TEXT;
    const struct value *items = value->type == VALUE_LIST ? value->list.items : value;
    xy_str *stop = arena_alloc(arena, (count + 1) * sizeof(*stop));
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].type == VALUE_TEXT && items[i].text.len)
            stop[kept++] = items[i].text;
    }
    request->stop = stop;
    request->stop_count = kept;
}

void model_read_params(struct arena *arena, const struct value *params, xy_request *request,
                       uint64_t *seed)
{
    for (size_t i = 0; params->type == VALUE_MAP && i < params->map.count; i++) {
        const struct member *param = &params->map.members[i];
        double number = 0;
        if (param->value.type == VALUE_BOOL)
            number = param->value.boolean;
        as_number(&param->value, &number);
        if (str_is(param->key, "temperature"))
            request->temperature = number;
        else if (str_is(param->key, "top_p"))
            request->top_p = number;
        else if (str_is(param->key, "max_tokens"))
            request->max_tokens = (uint32_t)number;
        else if (str_is(param->key, "logprobs"))
            request->logprobs = (uint32_t)number;
        else if (str_is(param->key, "timeout"))
            request->timeout_ms = (uint32_t)(number * 1000);
        else if (str_is(param->key, "seed"))
            *seed = (uint64_t)number;
        else if (str_is(param->key, "stop"))
            set_stop(arena, &param->value, request);
        else if (str_is(param->key, "extra"))
            request->extra = extra_text(arena, &param->value);
    }
}

void model_fill(const struct model *model, xy_request *request)
{
    const xy_request *own = &model->defaults;
    if (request->temperature < 0)
        request->temperature = own->temperature;
    if (request->top_p < 0)
        request->top_p = own->top_p;
    if (request->max_tokens == 0)
        request->max_tokens = own->max_tokens;
    if (request->logprobs == 0)
        request->logprobs = own->logprobs;
    if (request->timeout_ms == 0)
        request->timeout_ms = own->timeout_ms;
    if (request->extra.len == 0)
        request->extra = own->extra;
    if (request->stop_count == 0 && own->stop_count > 0) {
        request->stop = own->stop;
        request->stop_count = own->stop_count;
    }
    /* At temperature 0 there is one answer to a prompt: no seed tells two of them apart. */
    if (request->temperature == 0)
        request->seed = 0;
    else if (request->seed)
        request->seed += model->default_seed;
}
