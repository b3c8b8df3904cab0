/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer becomes: a text field, fields of a parsed object, class probabilities, a
 * vector. */
#include <math.h>
#include <string.h>

#include "call_internal.h"
#include "json.h"
#include "schema.h"

int call_refuse(struct call *call, const char *why)
{
    call->outcome.why = arena_copy(&call->arena, why, strlen(why));
    return XY_EINVAL;
}

static xy_str trimmed(xy_str text)
{
    while (text.len && strchr(" \t\r\n", text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static int spread_members(struct call *call, const struct value *value)
{
    if (value->type != VALUE_MAP)
        return call_refuse(call, "the answer is no JSON object, so it has no fields; name one with "
                            "`output.into`");
    for (size_t i = 0; i < value->map.count; i++) {
        const struct member *member = &value->map.members[i];
        const char *name = arena_copy(&call->arena, member->key.ptr, member->key.len);
        int code = record_set_tree(call->record, name, &member->value);
        if (code < 0)
            return call_refuse(call, "the answer has a field whose name or value cannot be kept");
    }
    return XY_OK;
}

void call_set_logprob(struct call *call, const xy_reply *reply)
{
    if (reply->logprob_count == 0)
        return;
    double sum = 0;
    for (size_t i = 0; i < reply->logprob_count; i++)
        sum += (double)reply->logprobs[i];
    xy_value value = {.type = XY_NUMBER, .number = sum / (double)reply->logprob_count};
    record_set(call->record, call->plan->into_logprob, &value);
}

int call_take_value(struct call *call, const struct value *value)
{
    const struct call_spec *spec = &call->plan->step->call;
    struct error error = {0};
    if (spec->schema && schema_check(spec->schema, value, &error) < 0)
        return call_refuse(call, error.text);
    if (spec->spread || !call->plan->into)
        return spread_members(call, value);
    if (record_set_tree(call->record, call->plan->into, value) < 0)
        return call_refuse(call, "the answer cannot be kept as JSON");
    return XY_OK;
}

/* Was the end reached, or were the tokens used up? A text that was cut is no error by itself: what
 * a list's last item is worth then, the pipeline knows. */
int call_set_finish(struct call *call, const xy_reply *reply)
{
    const char *finish = reply->finish == XY_FINISH_STOP     ? "stop"
                         : reply->finish == XY_FINISH_LENGTH ? "length"
                                                             : "unknown";
    const struct call_spec *spec = &call->plan->step->call;
    xy_value value = {.type = XY_TEXT, .text = str_of(finish)};
    return spec->finish ? record_set(call->record, spec->finish, &value) : XY_OK;
}

int call_take_text(struct call *call, const xy_reply *reply)
{
    const struct call_spec *spec = &call->plan->step->call;
    xy_str text = trimmed(reply->text);
    if (reply->finish == XY_FINISH_FILTER)
        return call_refuse(call, "the provider withheld the answer");
    if (text.len == 0)
        return call_refuse(call, "the answer is empty");
    call_set_logprob(call, reply);
    if (call_set_finish(call, reply) < 0)
        return call_refuse(call, "the field of `finish` cannot be set");
    if (!spec->schema) {
        xy_value value = {.type = XY_TEXT, .text = text};
        if (record_set(call->record, call->plan->into, &value) < 0)
            return call_refuse(call, "the answer is not valid UTF-8");
        return spec->append_to ? call_append_turn(call, text) : XY_OK;
    }
    struct value value;
    struct error error = {0};
    bool repaired = false;
    if (json_parse(&call->arena, text, &value, &error) < 0 &&
        json_repair(&call->arena, text, &value, &repaired, &error) < 0)
        return call_refuse(call,
                      reply->finish == XY_FINISH_LENGTH
                          ? "the answer was cut off at max_tokens before its JSON was complete"
                          : "the answer holds no JSON");
    return call_take_value(call, &value);
}

/* Scores to probabilities: p_i is proportional to exp(s_i), or, calibrated, to exp(s_i - c_i) with
 * the content-free scores c (Zhao et al. 2021, section 4, diagonal W = diag(p_cf)^-1, b = 0). */
static void probabilities(const struct call *call, const xy_reply *reply, double *out)
{
    const struct call_spec *spec = &call->plan->step->call;
    double highest = -INFINITY, sum = 0;
    for (size_t i = 0; i < reply->score_count; i++) {
        double tokens = reply->score_tokens && reply->score_tokens[i] ? reply->score_tokens[i] : 1;
        double divisor = spec->normalize_length ? tokens : 1;
        out[i] = (reply->scores[i] - (call->neutral ? call->neutral[i] : 0)) / divisor;
        if (out[i] > highest)
            highest = out[i];
    }
    for (size_t i = 0; i < reply->score_count; i++)
        sum += out[i] = exp(out[i] - highest);
    for (size_t i = 0; i < reply->score_count; i++)
        out[i] /= sum;
}

int call_take_scores(struct call *call, const xy_reply *reply)
{
    const struct call_spec *spec = &call->plan->step->call;
    size_t count = spec->candidate_count, best = 0;
    if (reply->score_count != count)
        return call_refuse(call, "the model did not score every candidate");
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(reply->scores[i]))
            return call_refuse(call, "the model answered a score that is no finite number");
    }
    double *shares = arena_alloc(&call->arena, count * sizeof(double));
    probabilities(call, reply, shares);
    struct member *members = arena_alloc(&call->arena, count * sizeof(*members));
    for (size_t i = 0; i < count; i++) {
        members[i] = (struct member){.key = str_of(spec->names[i]),
                                     .value = value_number(shares[i])};
        if (shares[i] > shares[best])
            best = i;
    }
    struct value map = {.type = VALUE_MAP, .map = {.members = members, .count = count}};
    xy_value label = {.type = XY_TEXT, .text = str_of(spec->names[best])};
    xy_value confidence = {.type = XY_NUMBER, .number = shares[best]};
    record_set(call->record, call->plan->into, &label);
    record_set(call->record, call->plan->into_confidence, &confidence);
    record_set_tree(call->record, call->plan->into_probabilities, &map);
    return XY_OK;
}

int call_take_vector(struct call *call, const xy_reply *reply)
{
    if (reply->vector_count != 1 || reply->dimension == 0)
        return call_refuse(call, "the model did not answer one vector");
    xy_value value = {.type = XY_VECTOR, .vector = reply->vectors,
                      .length = (uint32_t)reply->dimension};
    record_set(call->record, call->plan->into, &value);
    return XY_OK;
}
