/* SPDX-License-Identifier: Apache-2.0 */
/* align - carries spans of a text over to its translation, along a word alignment: the answers and
 * entities of PAXQA (Li and Callison-Burch 2023, Findings of EMNLP, section 3). */
#include "align_links.h"
#include "scores.h"

struct align {
    const char *source, *target, *alignment, *spans, *into, *unaligned, *missing;
    int64_t gaps;
    const xy_report *report;
    uint64_t said, carried; /* one call at a time */
};

static const xy_option options[] = {
    {.name = "source", .type = XY_OPT_FIELD, .offset = offsetof(struct align, source),
     .def = "source", .help = "The field with the text that the spans are of."},
    {.name = "target", .type = XY_OPT_FIELD, .offset = offsetof(struct align, target),
     .def = "target", .help = "The field with its translation."},
    {.name = "alignment", .type = XY_OPT_FIELD, .offset = offsetof(struct align, alignment),
     .def = "alignment",
     .help = "The field that says which tokens translate each other: `0-0 1-2`, or a JSON list of "
             "pairs; a token is what stands between white space."},
    {.name = "spans", .type = XY_OPT_FIELD, .offset = offsetof(struct align, spans),
     .def = "mentions",
     .help = "The field with a JSON list of objects with `start` and `end`, in characters, as the "
             "stage spans writes them."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = offsetof(struct align, into),
     .def = "target_mentions", .help = "The field for the spans of the translation."},
    {.name = "gaps", .type = XY_OPT_INT, .offset = offsetof(struct align, gaps), .def = "1",
     .low = 0, .high = 1000,
     .help = "How many tokens inside a carried span may have no link to the span it comes from."},
    {.name = "missing", .type = XY_OPT_TEXT, .offset = offsetof(struct align, missing),
     .def = "drop", .choices = "drop|reject",
     .help = "A span that cannot be carried over: `drop` it, or `reject` the whole record."},
    {.name = "unaligned", .type = XY_OPT_FIELD, .offset = offsetof(struct align, unaligned),
     .def = "unaligned",
     .help = "The field for what was left out, a JSON list, each with `why`."},
    {0},
};

static int open_align(void *state, const xy_host *host)
{
    struct align *align = state;
    align->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    return XY_OK;
}

/* One record's two texts and their links. */
struct pair {
    xy_str target;
    struct tokens sources, targets;
    struct links links;
    bool *linked; /* of each target token, for the span at hand */
};

/* The first and the last target token that the span's tokens are linked to; NULL, or why not. */
static const char *carry(const struct align *align, const struct pair *pair, double start,
                         double end, size_t *first, size_t *last)
{
    size_t linked = 0;
    bool inside = false;
    *first = SIZE_MAX;
    *last = 0;
    if (!(start >= 0) || !(end > start))
        return "it has no `start` before its `end`";
    memset(pair->linked, 0, pair->targets.count * sizeof(bool));
    for (size_t i = 0; i < pair->links.count; i++) {
        const struct token *token = &pair->sources.items[pair->links.items[i].source];
        size_t target = pair->links.items[i].target;
        if ((double)token->start_point >= end || (double)token->end_point <= start)
            continue;
        linked += !pair->linked[target];
        pair->linked[target] = true;
        *first = target < *first ? target : *first;
        *last = target > *last ? target : *last;
    }
    for (size_t i = 0; i < pair->sources.count; i++)
        inside = inside || ((double)pair->sources.items[i].start_point < end &&
                            (double)pair->sources.items[i].end_point > start);
    if (!inside)
        return "no token of the source stands there";
    if (linked == 0)
        return "none of its tokens has a link";
    return *last - *first + 1 - linked > (size_t)align->gaps ? "its translation is scattered"
                                                             : NULL;
}

/* The members of `item` but for those that are written anew, each with a comma before it. */
static void add_others(struct text *out, xy_str item)
{
    static const char *const known[] = {"text", "start", "end", "start_byte", "end_byte", "why"};
    struct json_cursor cursor = {0};
    xy_str key, value;
    while (json_next(item, &cursor, &key, &value)) {
        bool other = true;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            other = other && !(strlen(known[i]) == key.len &&
                               memcmp(known[i], key.ptr, key.len) == 0);
        if (!other)
            continue;
        text_add_literal(out, ",");
        text_add_str(out, (xy_str){key.ptr - 1, key.len + 2});
        text_add_literal(out, ":");
        text_add_str(out, value);
    }
}

static void add_span(struct text *out, const struct pair *pair, xy_str item, size_t first,
                     size_t last)
{
    const struct token *from = &pair->targets.items[first], *to = &pair->targets.items[last];
    const struct {
        const char *key;
        size_t value;
    } places[] = {{",\"start\":", from->start_point}, {",\"end\":", to->end_point},
                  {",\"start_byte\":", from->start}, {",\"end_byte\":", to->end}};
    text_add_literal(out, out->length > 1 ? ",{\"text\":" : "{\"text\":");
    text_add_json(out, (xy_str){pair->target.ptr + from->start, to->end - from->start});
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        text_add_literal(out, places[i].key);
        text_add_integer(out, places[i].value);
    }
    add_others(out, item);
    text_add_literal(out, "}");
}

static void add_refused(struct text *out, xy_str item, const char *why)
{
    text_add_literal(out, out->length > 1 ? ",{\"why\":" : "{\"why\":");
    text_add_json(out, xy_text(why));
    xy_str text = json_member(item, "text");
    if (text.ptr) {
        text_add_literal(out, ",\"text\":");
        text_add_str(out, text);
    }
    add_others(out, item);
    text_add_literal(out, "}");
}

/* Carries all spans over; the first reason why one could not be, or NULL. */
static const char *carry_all(struct align *align, const struct pair *pair, xy_str list,
                             struct text *out, struct text *unaligned)
{
    const char *first_why = NULL;
    struct json_cursor cursor = {0};
    xy_str key, item;
    text_add_literal(out, "[");
    text_add_literal(unaligned, "[");
    while (json_next(list, &cursor, &key, &item)) {
        size_t first, last;
        const char *why = carry(align, pair, json_number(json_member(item, "start"), -1),
                                json_number(json_member(item, "end"), -1), &first, &last);
        align->said++;
        align->carried += !why;
        if (why)
            add_refused(unaligned, item, why);
        else
            add_span(out, pair, item, first, last);
        first_why = first_why ? first_why : why;
    }
    text_add_literal(out, "]");
    text_add_literal(unaligned, "]");
    return first_why;
}

static int write(struct align *align, xy_job *job, xy_record *record, const struct pair *pair,
                 xy_str list)
{
    struct text out = {0}, unaligned = {0};
    const char *why = carry_all(align, pair, list, &out, &unaligned);
    int code = out.failed || unaligned.failed ? XY_ENOMEM : XY_OK;
    if (code >= 0)
        code = xy_record_set_json(record, align->into, (xy_str){out.bytes, out.length});
    if (code >= 0)
        code = xy_record_set_json(record, align->unaligned,
                                  (xy_str){unaligned.bytes, unaligned.length});
    text_free(&out);
    text_free(&unaligned);
    if (code >= 0 && why && strcmp(align->missing, "reject") == 0)
        return xy_drop(job, "a span cannot be carried over: %s", why);
    return code < 0 ? code : XY_OK;
}

static void give_figures(const struct align *align, xy_job *job)
{
    const struct score_sink sink = {align->report, job, NULL};
    if (align->report && align->said)
        scores_estimate(&sink, "carried", confusion_wilson(align->carried, align->said), "share",
                        align->said, "share of the spans that were carried over");
}

static int process(void *state, xy_job *job)
{
    struct align *align = state;
    xy_record *record = job->api->input(job, 0);
    xy_str source = xy_record_text(record, align->source);
    xy_str said = xy_record_text(record, align->alignment);
    xy_str list = xy_record_text(record, align->spans);
    struct pair pair = {.target = xy_record_text(record, align->target)};
    if (!source.ptr || !pair.target.ptr || !said.ptr)
        return xy_drop(job, "there is no `%.127s`", !source.ptr        ? align->source
                                                    : !pair.target.ptr ? align->target
                                                                       : align->alignment);
    list = list.ptr ? json_check(list) : list;
    if (json_kind(list) != '[')
        return xy_drop(job, "there is no JSON list `%.127s`", align->spans);
    pair.sources = tokens_of(job, source);
    pair.targets = tokens_of(job, pair.target);
    pair.linked = job->api->alloc(job, pair.targets.count + 1);
    int code = links_read(&pair.links, job, said, &pair.sources, &pair.targets);
    if (code != XY_OK)
        return code;
    code = write(align, job, record, &pair, list);
    give_figures(align, job);
    return code;
}

static const xy_stage align_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_CPU,
    .state_size = sizeof(struct align),
    .id = "align",
    .version = "1.0.0",
    .summary = "Carries spans of a text over to its translation, along a word alignment",
    .options = options,
    .open = open_align,
    .process = process,
    .fields = "reads `source`, `target`, `alignment` and `spans`; sets `into` and `unaligned`",
};

XY_PLUGIN("align", "1.0.0", "Apache-2.0", &align_stage)
