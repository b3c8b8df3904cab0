/* SPDX-License-Identifier: Apache-2.0 */
/* my_plugin - writes labels in one form: lower case, without spaces around them. */
#include <xylem/plugin.h>

struct state {
    const char *field;
};

static const xy_option options[] = {
    {"field", XY_OPT_FIELD, offsetof(struct state, field), "label", 0, 0, 0, NULL,
     "The field that holds the label."},
    {0},
};

/* Writes the normal form of `label` to `out`, which has room for label.len bytes. */
static size_t normalize(xy_str label, char *out)
{
    size_t first = 0, last = label.len;
    while (first < last && label.ptr[first] == ' ')
        first++;
    while (last > first && label.ptr[last - 1] == ' ')
        last--;
    for (size_t i = first; i < last; i++) {
        char c = label.ptr[i];
        out[i - first] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return last - first;
}

static int process(void *data, xy_job *job)
{
    const struct state *state = data;
    xy_str label = xy_get(job, state->field);
    if (!label.ptr)
        return XY_OK; /* no label, nothing to do */
    char *text = job->api->alloc(job, label.len + 1);
    if (!text)
        return XY_ENOMEM;
    xy_str normal = {text, normalize(label, text)};
    int code = xy_record_set_text(job->api->input(job, 0), state->field, normal);
    return code < 0 ? xy_fail(job, code, "cannot set the field `%s`", state->field) : XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_ENHANCER, .id = "my_plugin", .state_size = sizeof(struct state),
    .summary = "Writes labels in one form.", .options = options, .process = process,
};

XY_PLUGIN("my_plugin", "0.1.0", "Apache-2.0", &stage)
