/* SPDX-License-Identifier: Apache-2.0 */
/* refusals - finds what an assistant says in place of, before or behind what it was asked for:
 * refusals, "as an AI language model", "Sure! Here is ...", "I hope this helps". */
#include "excerpt.h"
#include "refusals_list.h"
#include "refusals_strip.h"

enum { USER = 1 << 20, PASSES = 4 }; /* numbers of the user's phrases; lead-ins one after another */

struct refusals {
    const char *field, *action, *where;
    const char *const *kinds, *const *languages, *const *phrases;
    int64_t window;
    uint32_t wanted;
    struct phrases set;
};

#define AT(member) offsetof(struct refusals, member)

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(field), .def = "text",
     .help = "The text field to look at."},
    {.name = "action", .type = XY_OPT_TEXT, .offset = AT(action), .def = "drop",
     .choices = "drop|strip",
     .help = "`strip` takes lead-ins and sign-offs off and keeps the rest; refusals and self "
             "references are dropped in any case."},
    {.name = "kinds", .type = XY_OPT_LIST, .offset = AT(kinds),
     .def = "[refusal, self_reference, lead_in, sign_off]",
     .choices = "refusal|self_reference|lead_in|sign_off", .help = "What is looked for."},
    {.name = "languages", .type = XY_OPT_LIST, .offset = AT(languages), .def = "[en, de, fr, es]",
     .choices = "en|de|fr|es", .help = "Whose built-in phrases are looked for."},
    {.name = "phrases", .type = XY_OPT_LIST, .offset = AT(phrases),
     .help = "Further phrases that count as refusals; case and punctuation do not matter."},
    {.name = "where", .type = XY_OPT_TEXT, .offset = AT(where), .def = "start",
     .choices = "start|anywhere",
     .help = "Where a refusal must begin: within `window` of the beginning, or anywhere."},
    {.name = "window", .type = XY_OPT_INT, .offset = AT(window), .def = "60", .low = 1,
     .high = 1e6, .help = "Bytes from the beginning within which a refusal begins."},
    {0},
};

static const char *const kind_names[REFUSAL_KINDS] = {"refusal", "self_reference", "lead_in",
                                                      "sign_off"};
static const char *const said[REFUSAL_KINDS] = {"a refusal", "the model speaks of itself",
                                                "a lead-in", "a sign-off"};

/* ---- life ------------------------------------------------------------------------------------ */

static bool is_in(const char *const *list, const char *word)
{
    for (size_t i = 0; list && list[i]; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

static int open_refusals(void *state, const xy_host *host)
{
    struct refusals *filter = state;
    int code = XY_OK;
    for (uint32_t kind = 0; kind < REFUSAL_KINDS; kind++)
        if (is_in(filter->kinds, kind_names[kind]))
            filter->wanted |= 1u << kind;
    for (size_t i = 0; filter->phrases && filter->phrases[i] && code == XY_OK; i++) {
        code = phrases_add(&filter->set, xy_text(filter->phrases[i]), USER + (uint32_t)i, NULL);
        if (code == XY_EINVAL)
            xy_log_line(host, XY_LOG_ERROR, "`phrases`: \"%s\" has no word to look for",
                        filter->phrases[i]);
    }
    for (uint32_t i = 0; refusals_list[i].phrase && code == XY_OK; i++)
        if ((filter->wanted >> refusals_list[i].kind & 1) &&
            is_in(filter->languages, refusals_list[i].language))
            code = phrases_add(&filter->set, xy_text(refusals_list[i].phrase), i, NULL);
    if (code == XY_OK && filter->set.count == 0) {
        xy_log_line(host, XY_LOG_ERROR, "nothing is looked for: name `kinds` and `languages`, or "
                    "`phrases`");
        code = XY_EINVAL;
    }
    if (code < 0)
        phrases_free(&filter->set);
    return code;
}

static void close_refusals(void *state)
{
    struct refusals *filter = state;
    phrases_free(&filter->set);
}

/* ---- a text ---------------------------------------------------------------------------------- */

struct finding { /* the first thing for which a text is dropped, and what could be taken off */
    struct phrases_hit hit;
    enum refusal_kind kind;
    bool found;
    size_t lead_in, sign_off; /* 0 and SIZE_MAX: none */
    struct phrases_hit lead_in_hit, sign_off_hit;
};

static enum refusal_kind kind_of(const struct phrases_hit *hit)
{
    return hit->number >= USER ? REFUSAL : refusals_list[hit->number].kind;
}

static void weigh(const struct refusals *filter, xy_str text, const struct phrases_hit *hit,
                  struct finding *finding)
{
    enum refusal_kind kind = kind_of(hit);
    size_t at;
    if (kind == LEAD_IN && finding->lead_in == 0) {
        finding->lead_in = refusals_lead_in(text, hit);
        finding->lead_in_hit = *hit;
    } else if (kind == SIGN_OFF && finding->sign_off == SIZE_MAX) {
        at = refusals_sign_off(text, hit);
        finding->sign_off = at;
        finding->sign_off_hit = *hit;
    } else if (kind == SELF_REFERENCE ||
               (kind == REFUSAL &&
                (filter->where[0] == 'a' || hit->start < (size_t)filter->window))) {
        if (!finding->found)
            *finding = (struct finding){*hit, kind, true, finding->lead_in, finding->sign_off,
                                        finding->lead_in_hit, finding->sign_off_hit};
    }
}

static int look(const struct refusals *filter, xy_str text, struct finding *finding)
{
    struct phrases_scan scan = {.text = text};
    struct phrases_hit hit;
    int code;
    *finding = (struct finding){.sign_off = SIZE_MAX};
    while ((code = phrases_next(&filter->set, &scan, &hit)) == 1)
        weigh(filter, text, &hit, finding);
    phrases_scan_free(&scan);
    return code;
}

static int drop(xy_job *job, xy_str text, enum refusal_kind kind, const struct phrases_hit *hit)
{
    xy_str words = {text.ptr + hit->start, hit->end - hit->start};
    size_t character = 1;
    for (size_t i = 0; i < hit->start; i++)
        character += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return xy_drop(job, "%s: %s, \"%.*s\", at character %zu", kind_names[kind], said[kind],
                   excerpt_length(words, 80), words.ptr, character);
}

/* Takes off what stands around the text, more than once where a lead-in follows another: "Sure!
 * Here is a review:". */
static int strip(const struct refusals *filter, xy_job *job, xy_str text, struct finding *finding)
{
    xy_str rest = text;
    for (int pass = 0; pass < PASSES && (finding->lead_in || finding->sign_off != SIZE_MAX);
         pass++) {
        size_t from = finding->lead_in, to = rest.len;
        if (finding->sign_off != SIZE_MAX && finding->sign_off >= from)
            to = finding->sign_off;
        rest = refusals_trim((xy_str){rest.ptr + from, to - from});
        if (rest.len == 0)
            return xy_drop(job, "nothing is left without lead-in and sign-off");
        if (look(filter, rest, finding) < 0)
            return xy_fail(job, XY_ENOMEM, "out of memory");
        if (finding->found)
            return drop(job, rest, finding->kind, &finding->hit);
    }
    int code = xy_record_set_text(job->api->input(job, 0), filter->field, rest);
    return code < 0 ? xy_fail(job, code, "`%s` could not be set", filter->field) : XY_OK;
}

static int process(void *state, xy_job *job)
{
    const struct refusals *filter = state;
    struct finding finding;
    xy_str text = xy_get(job, filter->field);
    if (!text.ptr)
        return xy_drop(job, "the field `%s` is missing or no text", filter->field);
    if (look(filter, text, &finding) < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    if (finding.found)
        return drop(job, text, finding.kind, &finding.hit);
    if (!finding.lead_in && finding.sign_off == SIZE_MAX)
        return XY_OK;
    if (filter->action[0] == 's')
        return strip(filter, job, text, &finding);
    return finding.lead_in ? drop(job, text, LEAD_IN, &finding.lead_in_hit)
                           : drop(job, text, SIGN_OFF, &finding.sign_off_hit);
}

static const xy_stage refusals = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct refusals),
    .id = "refusals",
    .version = "1.0.0",
    .summary = "Drops refusals and boiler-plate of assistants, or takes lead-ins and sign-offs off",
    .options = options,
    .open = open_refusals,
    .close = close_refusals,
    .process = process,
    .fields = "reads and, with `action: strip`, sets `field`",
};

XY_PLUGIN("refusals", "1.0.0", "Apache-2.0", &refusals)
