/* SPDX-License-Identifier: Apache-2.0 */
/* The datasets in a run's folder: who was rejected where and why, and what was kept. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "cli.h"
#include "curation.h"
#include "json.h"
#include "report_reasons.h"

/* One file: STEP.ROUND.PART.records, or .rejects. */
struct data_file {
    char *path;
    const char *step;   /* with the `/` of a step inside an include */
    unsigned long round;
    bool rejects, damaged;
};

/* Which step rejected which record: a table of open places that is at most half full. */
struct id_set {
    uint64_t *keys;     /* 0: free */
    size_t count, capacity;
};

struct folder {
    struct curation *curation;
    struct data_file *files;
    size_t count;
    struct id_set rejected;
};

/* ---- a set ----------------------------------------------------------------------------------- */

static uint64_t key_of(uint64_t id, size_t step)
{
    uint64_t parts[2] = {id, step};
    uint64_t key = XXH3_64bits(parts, sizeof(parts));
    return key ? key : 1;
}

static size_t place_of(const struct id_set *set, uint64_t key)
{
    size_t at = (size_t)key & (set->capacity - 1);
    while (set->keys[at] && set->keys[at] != key)
        at = (at + 1) & (set->capacity - 1);
    return at;
}

static void set_add(struct id_set *set, uint64_t key)
{
    if (set->count * 2 >= set->capacity) {
        struct id_set larger = {.capacity = set->capacity ? set->capacity * 2 : 1024};
        larger.keys = memory_zeroed(larger.capacity, sizeof(uint64_t));
        for (size_t i = 0; i < set->capacity; i++) {
            if (set->keys[i])
                larger.keys[place_of(&larger, set->keys[i])] = set->keys[i];
        }
        free(set->keys);
        larger.count = set->count;
        *set = larger;
    }
    size_t at = place_of(set, key);
    set->count += !set->keys[at];
    set->keys[at] = key;
}

static bool set_has(const struct id_set *set, uint64_t key)
{
    return set->capacity && set->keys[place_of(set, key)];
}

/* ---- files ----------------------------------------------------------------------------------- */

static void add_problem(struct curation *curation, const char *text)
{
    curation->problems = memory_resize(curation->problems, curation->problem_count + 1,
                                       sizeof(char *));
    curation->problems[curation->problem_count++] =
        arena_copy(&curation->arena, text, strlen(text));
}

static struct curation_step *find_step(struct curation *curation, const char *id)
{
    for (size_t i = 0; i < curation->step_count; i++) {
        if (strcmp(curation->steps[i].id, id) == 0)
            return &curation->steps[i];
    }
    return NULL;
}

static struct curation_step *step_named(struct curation *curation, const char *id)
{
    struct curation_step *known = find_step(curation, id);
    if (known)
        return known;
    curation->steps = memory_resize(curation->steps, curation->step_count + 1,
                                    sizeof(*curation->steps));
    struct curation_step *step = &curation->steps[curation->step_count++];
    *step = (struct curation_step){.id = arena_copy(&curation->arena, id, strlen(id)),
                                   .kind = "", .use = ""};
    return step;
}

/* Cuts ".NUMBER" off the end of a name. */
static bool take_number(char *name, unsigned long *number)
{
    char *dot = strrchr(name, '.'), *end;
    if (!dot || !isdigit((unsigned char)dot[1]))
        return false;
    *number = strtoul(dot + 1, &end, 10);
    bool whole = *end == '\0';
    *dot = '\0';
    return whole;
}

static void add_file(void *data, const char *path, const char *name)
{
    struct folder *folder = data;
    char *id = arena_copy(&folder->curation->arena, name, strlen(name));
    char *ending = strrchr(id, '.');
    bool rejects = ending && strcmp(ending, ".rejects") == 0;
    unsigned long round, part;
    if (!rejects && !(ending && strcmp(ending, ".records") == 0))
        return;
    *ending = '\0';
    if (!take_number(id, &part) || !take_number(id, &round))
        return; /* a file that an option names: no step's */
    for (char *at = id; *at; at++) {
        if (*at == '+')
            *at = '/';
    }
    folder->files = memory_resize(folder->files, folder->count + 1, sizeof(*folder->files));
    folder->files[folder->count++] = (struct data_file){
        .path = arena_copy(&folder->curation->arena, path, strlen(path)),
        .step = id,
        .round = round,
        .rejects = rejects,
    };
}

static struct dataset *open_file(struct folder *folder, struct data_file *file)
{
    struct error error = {0};
    struct dataset *dataset = file->damaged ? NULL : dataset_open(file->path, &error);
    if (!dataset && !file->damaged) {
        struct buffer text;
        buffer_init(&text, 4096);
        error.hint[0] = '\0'; /* to delete a file is no remedy for a reader */
        error_format(&error, &text);
        buffer_append_text(&text, "; left out");
        add_problem(folder->curation, buffer_str(&text).ptr);
        buffer_free(&text);
        file->damaged = true;
    }
    return dataset;
}

/* ---- rejects --------------------------------------------------------------------------------- */

enum {
    SHORT_TEXT = 80,  /* characters */
    SHORT_REASON = 240,
    LEAST_TEXT = 24   /* bytes: less, a label say, tells less than all of the fields */
};

/* `text` where there is one, else the longest text; nothing where that is short. */
static xy_str telling_text(const struct record *record)
{
    xy_str best = STR("");
    xy_value value;
    if (record_get(record, "text", &value) == XY_TEXT && value.text.len)
        return value.text;
    for (uint32_t i = 0; i < record->field_count; i++) {
        const xy_value *other = &record->fields[i].value;
        if (other->type == XY_TEXT && other->text.len > best.len)
            best = other->text;
    }
    return best.len < LEAST_TEXT ? STR("") : best;
}

/* What would break the line, or steer a terminal, becomes spaces. */
static void calm(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at; at++) {
        if (*at < ' ' || *at == 0x7f)
            *at = ' ';
        else if (at[0] == 0xc2 && at[1] < 0xa0) /* U+0080 to U+009F */
            at[0] = at[1] = ' ';
    }
}

static char *shortened(struct curation *curation, xy_str whole, size_t most)
{
    size_t length = 0;
    for (size_t characters = 0; length < whole.len && characters < most; characters++) {
        length++;
        while (length < whole.len && (whole.ptr[length] & 0xc0) == 0x80)
            length++;
    }
    char *text = arena_printf(&curation->arena, "%.*s%s", (int)length, whole.ptr ? whole.ptr : "",
                              length < whole.len ? " ..." : "");
    calm(text);
    return text;
}

/* What tells most of a record in little room, on one line. */
static char *short_text(struct curation *curation, const struct record *record)
{
    xy_str best = telling_text(record);
    struct buffer json;
    buffer_init(&json, (size_t)64 << 20);
    if (!best.len) {
        record_write_json(record, NULL, false, &json);
        best = buffer_str(&json);
    }
    char *text = shortened(curation, best, SHORT_TEXT);
    buffer_free(&json);
    return text;
}

static struct curation_reason *reason_of(struct curation *curation, struct curation_step *step,
                                         const char *why)
{
    char folded[REASON_LENGTH];
    report_reason_fold(why, folded);
    calm(folded);
    for (size_t i = 0; i < step->reason_count; i++) {
        if (strcmp(step->reasons[i].text, folded) == 0)
            return &step->reasons[i];
    }
    if (step->reason_count == CURATION_REASONS)
        return &step->reasons[CURATION_REASONS - 1];
    if (step->reason_count == CURATION_REASONS - 1)
        snprintf(folded, sizeof(folded), "other reasons");
    step->reasons = memory_resize(step->reasons, step->reason_count + 1, sizeof(*step->reasons));
    struct curation_reason *reason = &step->reasons[step->reason_count++];
    *reason = (struct curation_reason){
        .text = arena_copy(&curation->arena, folded, strlen(folded))};
    return reason;
}

/* The last event of a trail in `arena`: {step, event, reason}; NULL when there is none. */
static const struct value *last_event(struct arena *arena, const struct record *record)
{
    struct buffer json;
    struct value trail;
    struct error error;
    buffer_init(&json, (size_t)1 << 20);
    buffer_append_char(&json, '[');
    buffer_append_str(&json, buffer_str(&record->trail));
    buffer_append_char(&json, ']');
    int code = json_parse(arena, buffer_str(&json), &trail, &error);
    buffer_free(&json);
    if (code < 0 || trail.list.count == 0)
        return NULL;
    struct value *last = arena_alloc(arena, sizeof(*last));
    *last = trail.list.items[trail.list.count - 1];
    return last;
}

static void take_reject(struct folder *folder, const char *name, xy_str reason,
                        const struct record *record, struct arena *arena)
{
    struct curation *curation = folder->curation;
    struct curation_step *step = step_named(curation, name);
    const char *why = reason.len ? arena_copy(arena, reason.ptr, reason.len)
                                 : "no reason was given";
    struct curation_reason *entry = reason_of(curation, step, why);
    step->rejected++;
    entry->count++;
    set_add(&folder->rejected, key_of(record->id, (size_t)(step - curation->steps)));
    if (entry->example_count < CURATION_EXAMPLES) {
        struct curation_example *example = &entry->examples[entry->example_count++];
        record_id_text(record->id, example->id);
        example->text = short_text(curation, record);
        example->why = shortened(curation, str_of(why), SHORT_REASON);
    }
}

/* With `bins`, the second pass: only the numbers are taken. Steps are known after the first. */
static void read_rejects(struct folder *folder, struct data_file *file, bool bins)
{
    struct dataset *dataset = open_file(folder, file);
    struct arena arena = {0};
    for (uint64_t i = 0; dataset && i < dataset_count(dataset); i++) {
        struct record *record = dataset_read(dataset, i);
        if (!record)
            continue;
        arena_reset(&arena);
        const struct value *event = last_event(&arena, record);
        xy_str id = curation_text(event, "step");
        const char *name = id.len ? arena_copy(&arena, id.ptr, id.len) : file->step;
        if (!bins)
            take_reject(folder, name, curation_text(event, "reason"), record, &arena);
        curation_take_scores(folder->curation, record, find_step(folder->curation, name), bins);
        record_destroy(record);
    }
    arena_free(&arena);
    dataset_destroy(dataset);
}

/* ---- what was kept --------------------------------------------------------------------------- */

/* Steps that only judged: their input is read, and what they rejected is left out. */
struct judges {
    size_t steps[64];
    size_t count;
};

static bool judged_out(const struct folder *folder, const struct judges *judges, uint64_t id)
{
    for (size_t i = 0; i < judges->count; i++) {
        if (set_has(&folder->rejected, key_of(id, judges->steps[i])))
            return true;
    }
    return false;
}

static void read_kept(struct folder *folder, struct data_file *file, const struct judges *judges,
                      bool bins)
{
    struct dataset *dataset = open_file(folder, file);
    struct record_slot slot = {0};
    for (uint64_t i = 0; dataset && i < dataset_count(dataset); i++) {
        const struct record *record = dataset_look(dataset, i, &slot);
        if (!record || judged_out(folder, judges, record->id))
            continue;
        folder->curation->kept += !bins;
        curation_take_scores(folder->curation, record, NULL, bins);
    }
    record_slot_free(&slot);
    dataset_destroy(dataset);
}

/* The files of the last round in which a step left any. */
static bool read_step_files(struct folder *folder, const char *id, const struct judges *judges,
                            bool bins)
{
    unsigned long last = 0;
    bool any = false;
    for (size_t i = 0; i < folder->count; i++) {
        const struct data_file *file = &folder->files[i];
        if (!file->rejects && strcmp(file->step, id) == 0) {
            last = !any || file->round > last ? file->round : last;
            any = true;
        }
    }
    for (size_t i = 0; any && i < folder->count; i++) {
        struct data_file *file = &folder->files[i];
        if (!file->rejects && file->round == last && strcmp(file->step, id) == 0)
            read_kept(folder, file, judges, bins);
    }
    return any;
}

static void read_left_by(struct folder *folder, const char *id, struct judges judges, bool bins)
{
    struct curation *curation = folder->curation;
    const struct curation_step *step = find_step(curation, id);
    if (read_step_files(folder, id, &judges, bins) || !step ||
        judges.count == sizeof(judges.steps) / sizeof(judges.steps[0]))
        return;
    judges.steps[judges.count++] = (size_t)(step - curation->steps);
    const struct value *from = step->counts ? value_member(step->counts, STR("from")) : NULL;
    for (size_t i = 0; from && i < from->list.count; i++) {
        xy_str name = from->list.items[i].text;
        read_left_by(folder, arena_copy(&curation->arena, name.ptr, name.len), judges, bins);
    }
}

/* The steps that outputs are made of; where the run does not say, the last that left records. */
static void name_kept(struct folder *folder)
{
    struct curation *curation = folder->curation;
    struct curation_step *last = NULL;
    bool told = false;
    for (size_t i = 0; i < curation->step_count; i++)
        told = told || curation->steps[i].written;
    for (size_t i = 0; i < folder->count && !told; i++) {
        if (folder->files[i].rejects)
            continue;
        struct curation_step *step = step_named(curation, folder->files[i].step);
        last = !last || step - curation->steps > last - curation->steps ? step : last;
    }
    if (last)
        last->written = true;
    curation->kept_in = "";
    for (size_t i = 0; i < curation->step_count; i++) {
        if (curation->steps[i].written)
            curation->kept_in = arena_printf(&curation->arena, "%s%s%s", curation->kept_in,
                                             *curation->kept_in ? ", " : "",
                                             curation->steps[i].id);
    }
}

static void read_all(struct folder *folder, bool bins)
{
    struct curation *curation = folder->curation;
    for (size_t i = 0; i < folder->count; i++) {
        if (folder->files[i].rejects)
            read_rejects(folder, &folder->files[i], bins);
    }
    if (!bins)
        name_kept(folder);
    for (size_t i = 0; i < curation->step_count; i++) {
        if (curation->steps[i].written)
            read_left_by(folder, curation->steps[i].id, (struct judges){0}, bins);
    }
}

static int by_count(const void *a, const void *b)
{
    const struct curation_reason *left = a, *right = b;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return strcmp(left->text, right->text);
}

void curation_read_data(struct curation *curation)
{
    struct folder folder = {.curation = curation};
    each_entry(arena_printf(&curation->arena, "%s/data", curation->folder), add_file, &folder);
    read_all(&folder, false);
    curation_set_bins(curation);
    read_all(&folder, true);
    for (size_t i = 0; i < curation->step_count; i++) {
        struct curation_step *step = &curation->steps[i];
        if (step->reason_count)
            qsort(step->reasons, step->reason_count, sizeof(*step->reasons), by_count);
    }
    free(folder.rejected.keys);
    free(folder.files);
}
