/* SPDX-License-Identifier: Apache-2.0 */
#include "human.h"
#include "json_reader.h"
#include "text.h"

/* ---- which records --------------------------------------------------------------------------- */

static int is_wanted(const struct work *work, const xy_record *record)
{
    const struct human *human = work->human;
    xy_value value = {.type = XY_NULL};
    if (!human->only)
        return 1;
    int code = human->expressions->evaluate(work->job, human->only_compiled, record, &value);
    return code < 0 ? code : human->expressions->truth(&value);
}

/* Every record is drawn for by itself: who sees a suggestion does not hang on who else is there. */
static bool draws_suggestion(const struct work *work, const xy_record *record)
{
    const struct human *human = work->human;
    uint64_t random = human->rng->stream(work->job, record, 0);
    if (human->show_suggestion[0] == 'h')
        return xy_random_unit(&random) < 0.5;
    return human->show_suggestion[0] == 'a';
}

static int add_item(struct work *work, const xy_record *record, size_t index)
{
    char key[HUMAN_KEY];
    snprintf(key, sizeof(key), "%016llx", (unsigned long long)record->api->id(record));
    uint32_t before = work->keys.count, number = names_add(&work->keys, xy_text(key));
    if (number == NAMES_NONE)
        return XY_ENOMEM;
    if (number == before)
        work->items[number] = (struct item){.index = (uint32_t)index, .first = NO_ITEM,
                                            .last = NO_ITEM,
                                            .shown = draws_suggestion(work, record)};
    work->items_of[index] = number;
    return XY_OK;
}

/* The labels that may be answered: the option's, else the codebook's. */
static int find_labels(struct work *work)
{
    const struct human *human = work->human;
    const char *const *given = human->labels;
    for (size_t i = 0; given && given[i]; i++)
        if (names_add(&work->labels, xy_text(given[i])) == NAMES_NONE)
            return XY_ENOMEM;
    if (!given) {
        xy_str json = {NULL, 0}, key, item;
        int code = human->templates->render(work->job, human->labels_compiled, NULL, &json);
        if (code < 0)
            return code;
        struct json_cursor at = {0};
        json = json_check(json);
        while (json_next(json, &at, &key, &item)) {
            char *label = work->job->api->alloc(work->job, item.len + 1);
            if (!label)
                return XY_ENOMEM;
            /* A label that is no string, such as 1, is written as it stands. */
            xy_str text = json_kind(item) == '"'
                              ? (xy_str){label, json_decode(item, label)} : item;
            if (names_add(&work->labels, text) == NAMES_NONE)
                return XY_ENOMEM;
        }
    }
    work->closed = work->labels.count > 0;
    return XY_OK;
}

int work_find_items(struct work *work)
{
    work->items_of = work->job->api->alloc(work->job, (work->count + 1) * sizeof(uint32_t));
    work->items = work->job->api->alloc(work->job, (work->count + 1) * sizeof(*work->items));
    if (!work->items_of || !work->items)
        return XY_ENOMEM;
    for (size_t i = 0; i < work->count; i++) {
        const xy_record *record = work->input->api->at(work->input, i);
        int wanted = record ? is_wanted(work, record) : XY_EIO;
        if (wanted < 0)
            return record ? wanted : xy_fail(work->job, XY_EIO, "record %zu cannot be read", i);
        if (i % 1024 == 0 && work->job->api->cancelled(work->job))
            return XY_ECANCELED;
        work->items_of[i] = NO_ITEM;
        int code = wanted ? add_item(work, record, i) : XY_OK;
        if (code < 0)
            return code;
    }
    return find_labels(work);
}

/* ---- the file -------------------------------------------------------------------------------- */

static int copy_field(xy_record *row, const xy_record *record, const char *from, const char *to)
{
    xy_value value = {.type = XY_NULL};
    if (record->api->get(record, from, &value) == XY_NULL)
        return XY_OK;
    return row->api->set(row, to, &value);
}

static xy_str labels_json(const struct work *work, struct text *json)
{
    text_add_literal(json, "[");
    for (uint32_t i = 0; i < work->labels.count; i++) {
        text_add_literal(json, i ? "," : "");
        text_add_json(json, names_at(&work->labels, i));
    }
    text_add_literal(json, "]");
    return (xy_str){json->bytes, json->length};
}

static int add_blanks(xy_record *row)
{
    static const char *const blanks[] = {HUMAN_LABEL, HUMAN_ANNOTATOR, HUMAN_REVISION};
    const xy_value no = {.type = XY_BOOL, .integer = 0};
    int code = XY_OK;
    for (size_t i = 0; i < 3 && code >= 0; i++)
        code = xy_record_set_text(row, blanks[i], (xy_str){"", 0});
    return code < 0 ? code : row->api->set(row, HUMAN_DISCARD, &no);
}

/* What a person needs, and empty places for what a person says. */
static int fill_row(struct work *work, xy_record *row, const xy_record *record, uint32_t number,
                    xy_str labels)
{
    const struct human *human = work->human;
    const char *const text_only[] = {human->text, NULL};
    const char *const *show = human->show && human->show[0] ? human->show : text_only;
    int code = xy_record_set_text(row, HUMAN_ID, names_at(&work->keys, number));
    for (size_t i = 0; show[i] && code >= 0; i++)
        code = copy_field(row, record, show[i], show[i]);
    const char *suggestion = human->suggestion ? human->suggestion : human->label;
    if (code >= 0 && work->items[number].shown)
        code = copy_field(row, record, suggestion, HUMAN_SUGGESTION);
    if (code >= 0 && work->closed)
        code = xy_record_set_json(row, HUMAN_LABELS, labels);
    xy_str told = {NULL, 0};
    int rendered = human->templates->render(work->job, human->instructions_compiled, record, &told);
    if (rendered < 0)
        return rendered;
    if (code >= 0 && told.len)
        code = xy_record_set_text(row, HUMAN_INSTRUCTIONS, told);
    if (code >= 0)
        code = add_blanks(row);
    return code >= 0 ? XY_OK
                     : xy_fail(work->job, code, "record %s cannot be put into the queue",
                               names_at(&work->keys, number).ptr);
}

static int write_new_rows(struct work *work, xy_writer *writer)
{
    struct text json = {0};
    xy_str labels = labels_json(work, &json);
    int code = json.failed ? XY_ENOMEM : XY_OK;
    for (uint32_t i = 0; i < work->keys.count && code >= 0; i++) {
        if (work->items[i].queued)
            continue;
        const xy_record *record = work->input->api->at(work->input, work->items[i].index);
        xy_record *row = work->job->api->new_record(work->job, NULL);
        if (!record || !row)
            code = record ? XY_ENOMEM : xy_fail(work->job, XY_EIO, "a record cannot be read");
        else
            code = fill_row(work, row, record, i, labels);
        if (code >= 0)
            code = work->human->files->write(work->job, writer, row);
    }
    text_free(&json);
    return code;
}

int work_write_queue(struct work *work)
{
    const struct human *human = work->human;
    uint32_t missing = 0;
    for (uint32_t i = 0; i < work->keys.count; i++)
        missing += !work->items[i].queued;
    if (missing == 0)
        return XY_OK; /* a file that a person may have open is left alone */
    xy_writer *writer = human->files->create(work->job, work->queue, human->format,
                                             human->format_options, NULL);
    if (!writer)
        return XY_EIO;
    int code = XY_OK;
    for (size_t i = 0; i < work->row_count && code >= 0; i++)
        code = human->files->write(work->job, writer, work->rows[i]);
    if (code >= 0)
        code = write_new_rows(work, writer);
    int finished = human->files->finish(work->job, writer, code >= 0);
    if (code >= 0 && finished >= 0)
        xy_log_line(human->host, XY_LOG_INFO, "%u records are new in %s", missing, work->queue);
    return code < 0 ? code : finished;
}
