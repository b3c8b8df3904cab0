/* SPDX-License-Identifier: Apache-2.0 */
/* encoding - finds the traces of wrong encodings, and drops the record or repairs what is
 * certain. */
#include "encoding_faults.h"
#include "excerpt.h"

struct encoding {
    const char *field, *action;
    const char *const *faults;
    uint32_t wanted;
};

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct encoding, field),
     .def = "text", .help = "The text field to look at."},
    {.name = "action", .type = XY_OPT_TEXT, .offset = offsetof(struct encoding, action),
     .def = "drop", .choices = "drop|repair",
     .help = "`repair` first undoes what is certain: mojibake, entities, escapes, control and "
             "invisible characters; what is left is dropped."},
    {.name = "faults", .type = XY_OPT_LIST, .offset = offsetof(struct encoding, faults),
     .def = "[replacement, mojibake, control, escape, entity, mixed_script, invisible]",
     .choices = "replacement|mojibake|control|escape|entity|mixed_script|invisible",
     .help = "What counts as a fault."},
    {0},
};

static const struct fault {
    const char *name, *what;
} names[ENCODING_FAULTS] = {
    [REPLACEMENT] = {"replacement", "U+FFFD, where a character was lost"},
    [MOJIBAKE] = {"mojibake", "UTF-8 that was read as Windows-1252"},
    [CONTROL] = {"control", "a control character"},
    [ESCAPE] = {"escape", "an escape that nobody decoded"},
    [ENTITY] = {"entity", "an HTML entity"},
    [MIXED_SCRIPT] = {"mixed_script", "a word of two scripts"},
    [INVISIBLE] = {"invisible", "an invisible character"},
};

static int open_encoding(void *state, const xy_host *host)
{
    struct encoding *filter = state;
    (void)host;
    for (size_t i = 0; filter->faults && filter->faults[i]; i++)
        for (int kind = 0; kind < ENCODING_FAULTS; kind++)
            if (strcmp(filter->faults[i], names[kind].name) == 0)
                filter->wanted |= 1u << kind;
    return XY_OK;
}

static size_t characters(xy_str text, size_t to)
{
    size_t count = 0;
    for (size_t i = 0; i < to; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* The fault as it can be shown: a control or invisible character as its code. */
static int drop(xy_job *job, xy_str text, enum encoding_fault kind,
                const struct encoding_find *find)
{
    xy_str piece = {text.ptr + find->at, find->length};
    char code[16] = "", more[48] = "";
    if (kind == CONTROL)
        snprintf(code, sizeof(code), "U+%04X",
                 (unsigned char)piece.ptr[piece.len - 1]); /* the last byte is the code */
    if (kind == INVISIBLE)
        snprintf(code, sizeof(code), "U+%s", (unsigned char)piece.ptr[0] == 0xef ? "FEFF"
                                             : piece.ptr[1] == '\x81'            ? "2060"
                                             : piece.ptr[2] == '\x8b'            ? "200B"
                                             : piece.ptr[2] == '\x8c'            ? "200C"
                                                                                 : "200D");
    if (find->count > 1)
        snprintf(more, sizeof(more), ", and %llu more", (unsigned long long)(find->count - 1));
    if (code[0])
        return xy_drop(job, "%s: %s, %s, at character %zu%s", names[kind].name, names[kind].what,
                       code, characters(text, find->at) + 1, more);
    return xy_drop(job, "%s: %s, `%.*s`, at character %zu%s", names[kind].name, names[kind].what,
                   excerpt_length(piece, 40), piece.ptr, characters(text, find->at) + 1, more);
}

static int judge(const struct encoding *filter, xy_job *job, xy_str text)
{
    struct encoding_find found[ENCODING_FAULTS];
    encoding_look(text, found);
    for (int kind = 0; kind < ENCODING_FAULTS; kind++)
        if (found[kind].count && (filter->wanted >> kind & 1))
            return drop(job, text, (enum encoding_fault)kind, &found[kind]);
    return XY_OK;
}

static bool has_any(const struct encoding *filter, xy_str text)
{
    struct encoding_find found[ENCODING_FAULTS];
    encoding_look(text, found);
    for (int kind = 0; kind < ENCODING_FAULTS; kind++)
        if (found[kind].count && (filter->wanted >> kind & 1))
            return true;
    return false;
}

static int process(void *state, xy_job *job)
{
    const struct encoding *filter = state;
    xy_str text = xy_get(job, filter->field);
    if (!text.ptr)
        return xy_drop(job, "the field `%s` is missing or no text", filter->field);
    if (filter->action[0] != 'r' || !has_any(filter, text))
        return judge(filter, job, text);
    struct text repaired = {0};
    if (!encoding_repair(text, filter->wanted, &repaired)) {
        text_free(&repaired);
        return xy_fail(job, XY_ENOMEM, "out of memory");
    }
    xy_str now = {repaired.bytes, repaired.length};
    int code = xy_record_set_text(job->api->input(job, 0), filter->field, now);
    code = code < 0 ? xy_fail(job, code, "`%s` could not be set", filter->field)
                    : judge(filter, job, now);
    text_free(&repaired);
    return code;
}

static const xy_stage encoding = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct encoding),
    .id = "encoding",
    .version = "1.0.0",
    .summary = "Drops texts with the traces of a wrong encoding, or repairs what is certain",
    .options = options,
    .open = open_encoding,
    .process = process,
    .fields = "reads and, with `action: repair`, sets `field`",
};

XY_PLUGIN("encoding", "1.0.0", "Apache-2.0", &encoding)
