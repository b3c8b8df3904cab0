/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "human.h"

enum { TELL_UNKNOWN = 3, LONGEST_LABEL = 64 };

/* A file of answers while it is read. */
struct source {
    const char *path;    /* the job's */
    xy_str annotator;    /* who, where a row does not say */
    bool is_queue;
    struct names ids;    /* seen in it, and how often: */
    uint32_t *seen;
    size_t seen_room;
    uint32_t row;
};

/* ---- where something stands ------------------------------------------------------------------ */

/* The line of the file on which `id` stands for the nth time; 0 when it cannot be found. */
static unsigned long find_line(const char *path, const char *id, uint32_t nth)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    unsigned long number = 0, found = 0;
    while (file && !found && getline(&line, &room, file) >= 0) {
        number++;
        for (const char *at = line; !found && (at = strstr(at, id)) != NULL; at++)
            if (nth-- == 0)
                found = number;
    }
    free(line);
    if (file)
        fclose(file);
    return found;
}

static const char *place(struct work *work, const char *file, const char *id, uint32_t nth)
{
    size_t room = strlen(file) + 32;
    char *text = work->job->api->alloc(work->job, room);
    unsigned long line = find_line(file, id, nth);
    if (!text)
        return file;
    if (line)
        snprintf(text, room, "%s:%lu", file, line);
    else
        snprintf(text, room, "%s", file);
    return text;
}

const char *work_place(struct work *work, const struct answer *answer)
{
    return place(work, answer->file, names_at(&work->keys, answer->item).ptr, answer->nth);
}

/* Edits from one word to the other (Levenshtein); long words are not compared. */
static size_t distance(xy_str a, xy_str b)
{
    size_t row[LONGEST_LABEL + 1];
    if (a.len > LONGEST_LABEL || b.len > LONGEST_LABEL)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t kept = diagonal + ((a.ptr[i - 1] | 32) != (b.ptr[j - 1] | 32));
            size_t other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = kept < other ? kept : other;
        }
    }
    return row[b.len];
}

const char *work_nearest_label(const struct work *work, xy_str word)
{
    size_t best = SIZE_MAX, most = 1 + word.len / 3;
    const char *nearest = NULL;
    for (uint32_t i = 0; i < work->labels.count; i++) {
        xy_str label = names_at(&work->labels, i);
        size_t far = distance(word, label);
        if (far < best && far <= most) {
            best = far;
            nearest = label.ptr;
        }
    }
    return nearest;
}

/* ---- one row --------------------------------------------------------------------------------- */

/* CSV has no booleans: true, yes, 1 and x in a text are one, too. */
static bool is_true(const xy_record *row, const char *field, bool otherwise)
{
    xy_value value = {.type = XY_NULL};
    int type = row->api->get(row, field, &value);
    if (type == XY_BOOL || type == XY_INT)
        return value.integer != 0;
    if (type != XY_TEXT || value.text.len == 0)
        return otherwise;
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "1", "x"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
        if (value.text.len == strlen(yes[i]) && memcmp(value.text.ptr, yes[i], value.text.len) == 0)
            return true;
    return false;
}

static int keep_text(struct work *work, const xy_record *row, const char *field, xy_str *out)
{
    char scratch[NAMES_SCRATCH];
    xy_str text = names_label(row, field, scratch);
    *out = (xy_str){NULL, 0};
    if (!text.len)
        return XY_OK;
    char *copy = work->job->api->alloc(work->job, text.len + 1);
    if (!copy)
        return XY_ENOMEM;
    memcpy(copy, text.ptr, text.len);
    *out = (xy_str){copy, text.len};
    return XY_OK;
}

static int read_label(struct work *work, const xy_record *row, struct answer *answer)
{
    char scratch[NAMES_SCRATCH];
    xy_str label = names_label(row, HUMAN_LABEL, scratch);
    answer->label = NAMES_NONE;
    if (is_true(row, HUMAN_DISCARD, false))
        return XY_OK;
    answer->label = names_find(&work->labels, label);
    if (answer->label == NAMES_NONE && !work->closed)
        answer->label = names_add(&work->labels, label);
    else if (answer->label == NAMES_NONE) {
        const char *near = work_nearest_label(work, label);
        return xy_fail(work->job, XY_EINVAL, "%s: `%.*s` is none of the %u labels%s%s%s",
                       work_place(work, answer), (int)(label.len < 60 ? label.len : 60), label.ptr,
                       work->labels.count, near ? "; did you mean `" : "", near ? near : "",
                       near ? "`?" : "");
    }
    return answer->label == NAMES_NONE ? XY_ENOMEM : XY_OK;
}

static int read_annotator(struct work *work, const struct source *source, const xy_record *row,
                          struct answer *answer)
{
    char scratch[NAMES_SCRATCH];
    xy_str name = names_label(row, HUMAN_ANNOTATOR, scratch);
    if (!name.len)
        name = source->annotator;
    if (!name.len && work->human->annotators > 1)
        return xy_fail(work->job, XY_EINVAL, "%s: the answer has no `annotator`, which "
                       "`annotators: %lld` needs", work_place(work, answer),
                       (long long)work->human->annotators);
    answer->annotator = names_add(&work->annotators, name.len ? name : xy_text("somebody"));
    return answer->annotator == NAMES_NONE ? XY_ENOMEM : XY_OK;
}

static const char *label_text(const struct work *work, const struct answer *answer)
{
    return answer->label == NAMES_NONE ? "discard" : names_at(&work->labels, answer->label).ptr;
}

/* Adds the answer to its item's. The same one again, as when the queue and an export both have it,
 * counts once. */
static int add_answer(struct work *work, const struct answer *answer)
{
    struct item *item = &work->items[answer->item];
    for (uint32_t i = item->first; i != NO_ITEM; i = work->answers[i].next) {
        const struct answer *earlier = &work->answers[i];
        if (earlier->annotator != answer->annotator)
            continue;
        if (earlier->label == answer->label)
            return XY_OK;
        return xy_fail(work->job, XY_EINVAL, "%s: `%s` by %s, who answered `%s` for the same "
                       "record in %s: keep one of the two", work_place(work, answer),
                       label_text(work, answer),
                       names_at(&work->annotators, answer->annotator).ptr,
                       label_text(work, earlier), work_place(work, earlier));
    }
    if (work->answer_count == work->answer_room) {
        size_t room = work->answer_room ? 2 * work->answer_room : 256;
        struct answer *larger = work->job->api->alloc(work->job, room * sizeof(*larger));
        if (!larger)
            return XY_ENOMEM;
        if (work->answer_count)
            memcpy(larger, work->answers, work->answer_count * sizeof(*larger));
        work->answers = larger;
        work->answer_room = room;
    }
    uint32_t number = (uint32_t)work->answer_count++;
    work->answers[number] = *answer;
    if (item->first == NO_ITEM)
        item->first = number;
    else
        work->answers[item->last].next = number;
    item->last = number;
    item->answers++;
    return XY_OK;
}

static bool is_answered(const xy_record *row)
{
    char scratch[NAMES_SCRATCH];
    return names_label(row, HUMAN_LABEL, scratch).len || is_true(row, HUMAN_DISCARD, false);
}

static void tell_unknown(struct work *work, const struct source *source, xy_str id, uint32_t nth)
{
    char text[64];
    snprintf(text, sizeof(text), "%.*s", (int)(id.len < 60 ? id.len : 60), id.ptr);
    if (work->unknown++ < TELL_UNKNOWN)
        xy_log_line(work->human->host, XY_LOG_WARNING, "%s: no record here has the id `%s`; the "
                    "answer is left out", place(work, source->path, text, nth), text);
}

/* How often this id came before in the file. */
static int count_id(struct work *work, struct source *source, xy_str id, uint32_t *nth)
{
    uint32_t number = names_add(&source->ids, id);
    if (number == NAMES_NONE)
        return XY_ENOMEM;
    if (number >= source->seen_room) {
        size_t room = source->seen_room ? 2 * source->seen_room : 256;
        uint32_t *larger = work->job->api->alloc(work->job, room * sizeof(*larger));
        if (!larger)
            return XY_ENOMEM;
        if (source->seen_room)
            memcpy(larger, source->seen, source->seen_room * sizeof(*larger));
        source->seen = larger;
        source->seen_room = room;
    }
    *nth = source->seen[number]++;
    return XY_OK;
}

static int read_row(struct work *work, struct source *source, const xy_record *row)
{
    char scratch[NAMES_SCRATCH];
    xy_str id = names_label(row, HUMAN_ID, scratch);
    struct answer answer = {.file = source->path, .next = NO_ITEM};
    source->row++;
    if (!id.len)
        return xy_fail(work->job, XY_EINVAL, "%s: row %u has no `id`: keep the ids of the queue",
                       source->path, source->row);
    int code = count_id(work, source, id, &answer.nth);
    if (code < 0)
        return code;
    answer.item = names_find(&work->keys, id);
    bool answered = is_answered(row);
    work->unasked += answered;
    if (answer.item == NAMES_NONE) {
        if (answered)
            tell_unknown(work, source, id, answer.nth);
        return XY_OK;
    }
    struct item *item = &work->items[answer.item];
    item->queued = item->queued || source->is_queue;
    if (!answered)
        return XY_OK;
    answer.shown = is_true(row, HUMAN_SHOWN, item->shown);
    code = read_label(work, row, &answer);
    if (code == XY_OK)
        code = read_annotator(work, source, row, &answer);
    if (code == XY_OK)
        code = keep_text(work, row, HUMAN_TIME, &answer.time);
    if (code == XY_OK)
        code = keep_text(work, row, HUMAN_REVISION, &answer.revision);
    return code == XY_OK ? add_answer(work, &answer) : code;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int keep_row(struct work *work, xy_record *row)
{
    if (work->row_count == work->row_room) {
        size_t room = work->row_room ? 2 * work->row_room : 256;
        xy_record **larger = work->job->api->alloc(work->job, room * sizeof(xy_record *));
        if (!larger)
            return XY_ENOMEM;
        if (work->row_count)
            memcpy(larger, work->rows, work->row_count * sizeof(xy_record *));
        work->rows = larger;
        work->row_room = room;
    }
    work->rows[work->row_count++] = row;
    return XY_OK;
}

static int read_file(struct work *work, struct source *source, const char *format,
                     const char *format_options)
{
    const xy_files *files = work->human->files;
    xy_reader *reader = files->open(work->job, source->path, format, format_options);
    int code = reader ? XY_OK : XY_EINVAL;
    while (code == XY_OK) {
        xy_record *row = work->job->api->new_record(work->job, NULL);
        code = row ? files->next(work->job, reader, row) : XY_ENOMEM;
        if (code == XY_OK)
            code = read_row(work, source, row);
        if (code == XY_OK && source->is_queue)
            code = keep_row(work, row);
        if (code == XY_OK && source->row % 1024 == 0 && work->job->api->cancelled(work->job))
            code = XY_ECANCELED;
    }
    files->close(reader);
    names_free(&source->ids);
    return code < 0 ? code : XY_OK;
}

/* A file of a folder: `anna.jsonl` has anna's answers, where its rows do not say whose. */
static int read_of_folder(struct work *work, const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = work->job->api->alloc(work->job, room);
    if (!path)
        return XY_ENOMEM;
    snprintf(path, room, "%s/%s", folder, name);
    struct source source = {.path = path,
                            .annotator = {path + strlen(folder) + 1, strcspn(name, ".")}};
    return read_file(work, &source, work->human->answers_format, work->human->answers_options);
}

static int is_visible(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    /* NAME.new is a file that another program is about to put there. */
    return entry->d_name[0] != '.' && entry->d_name[length - 1] != '~' &&
           !(length > 4 && strcmp(entry->d_name + length - 4, ".new") == 0);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_folder(struct work *work, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_visible, by_bytes), code = XY_OK;
    if (count < 0)
        return xy_fail(work->job, XY_EIO, "cannot read the folder `%s`: %s", folder,
                       strerror(errno));
    for (int i = 0; i < count; i++) {
        if (code == XY_OK)
            code = read_of_folder(work, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return code;
}

int work_read_answers(struct work *work)
{
    const struct human *human = work->human;
    struct stat there;
    int code = XY_OK;
    if (stat(work->queue, &there) == 0) {
        struct source queue = {.path = work->queue, .is_queue = true};
        code = read_file(work, &queue, human->format, human->format_options);
    }
    if (code == XY_OK && human->answers && stat(human->answers, &there) == 0) {
        struct source answers = {.path = human->answers};
        code = S_ISDIR(there.st_mode)
                   ? read_folder(work, human->answers)
                   : read_file(work, &answers, human->answers_format, human->answers_options);
    }
    if (code == XY_OK && work->unknown && work->unknown == work->unasked)
        return xy_fail(work->job, XY_EINVAL, "none of the %zu answers is for a record that is "
                       "here: are they for another run, with another seed or other steps?",
                       work->unknown);
    return code;
}
