/* SPDX-License-Identifier: Apache-2.0 */
/* dataset_view.c - a dataset as a plugin sees it during one run(): records to look at, to edit
 * and to judge. Nothing is written back: the engine takes each record with its verdict
 * afterwards. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_internal.h"
#include "json_internal.h"
#include "record_internal.h"

static struct record *edit_of(const struct dataset_view *view, uint64_t index)
{
    return view->edits && index < dataset_count(view->dataset) ? view->edits[index] : NULL;
}

static uint64_t view_count(const xy_dataset *base)
{
    return dataset_count(((const struct dataset_view *)base)->dataset);
}

static const xy_record *view_at(xy_dataset *base, uint64_t index)
{
    struct dataset_view *view = (struct dataset_view *)base;
    struct record *edited = edit_of(view, index);
    if (edited)
        return &edited->base;
    if (!view->current || view->current_index != index) {
        view->current = dataset_look(view->dataset, index, &view->slot);
        view->current_index = index;
    }
    return view->current ? &view->current->base : NULL;
}

static xy_record *view_edit(xy_dataset *base, uint64_t index)
{
    struct dataset_view *view = (struct dataset_view *)base;
    uint64_t count = dataset_count(view->dataset);
    if (!view->editable || index >= count)
        return NULL;
    if (!view->edits)
        view->edits = memory_zeroed(count, sizeof(struct record *));
    if (!view->edits[index])
        view->edits[index] = dataset_read(view->dataset, index);
    return view->edits[index] ? &view->edits[index]->base : NULL;
}

static int view_verdict(xy_dataset *base, uint64_t index, int verdict, const char *why)
{
    struct dataset_view *view = (struct dataset_view *)base;
    uint64_t count = dataset_count(view->dataset);
    if (index >= count || (verdict != XY_OK && verdict != XY_DROP))
        return XY_EINVAL;
    if (!view->editable)
        return XY_EUNSUPPORTED;
    if (!view->verdicts) {
        if (verdict == XY_OK)
            return XY_OK;
        view->verdicts = memory_zeroed(count, sizeof(*view->verdicts));
        view->reasons = memory_zeroed(count, sizeof(*view->reasons));
    }
    view->verdicts[index] = (uint8_t)verdict;
    bool told = verdict == XY_DROP && why;
    view->reasons[index] = told ? arena_copy(view->arena, why, strlen(why)) : NULL;
    return XY_OK;
}

/* ---- columns --------------------------------------------------------------------------------- */

static float list_number(xy_str token)
{
    struct value number;
    if (!json_number(token, &number))
        return NAN;
    return number.type == VALUE_INT ? (float)number.integer : (float)number.number;
}

/* The numbers of a JSON list, to `row` where that is given; 0 when anything else is in it. `json`
 * is valid JSON, so that each number ends before a comma, a blank or the bracket. */
static uint32_t list_numbers(xy_str json, float *row)
{
    uint32_t count = 0;
    const char *at = json.ptr, *end = json.ptr + json.len;
    if (json.len == 0 || *at != '[')
        return 0;
    while (++at < end && *at != ']') {
        if (strchr(" \t\r\n,", *at))
            continue;
        if (*at != '-' && (*at < '0' || *at > '9'))
            return 0;
        const char *start = at;
        while (at + 1 < end && !strchr(" \t\r\n,]", at[1]))
            at++;
        if (row)
            row[count] = list_number((xy_str){start, (size_t)(at - start) + 1});
        count++;
    }
    return count;
}

/* How many floats a value is worth in a column; 0 for one that is not numeric. */
static uint32_t value_width(const xy_value *value)
{
    switch (value->type) {
    case XY_INT:
    case XY_NUMBER:
    case XY_BOOL: return 1;
    case XY_VECTOR: return value->length;
    case XY_JSON: return list_numbers(value->text, NULL);
    default: return 0;
    }
}

/* The value as it lies in the file, or in the edit. A vector's floats are given in `text`. */
static void find_value(const struct dataset_view *view, uint64_t index, const char *field,
                       xy_value *value)
{
    const struct record *edited = edit_of(view, index);
    if (!edited) {
        record_peek(dataset_bytes(view->dataset, index), field, value);
        return;
    }
    record_get(edited, field, value);
    if (value->type == XY_VECTOR)
        value->text = (xy_str){(const char *)value->vector, value->length * sizeof(float)};
}

/* A list with a number past a float's range is as none: half a vector is no place. */
static void fill_from_list(float *row, uint32_t width, xy_str json)
{
    list_numbers(json, row);
    bool finite = true;
    for (uint32_t i = 0; i < width; i++)
        finite = finite && isfinite(row[i]);
    for (uint32_t i = 0; i < width && !finite; i++)
        row[i] = NAN;
}

static void fill_row(float *row, uint32_t width, const xy_value *value)
{
    switch (value->type) {
    case XY_INT:
    case XY_BOOL: row[0] = (float)value->integer; break;
    case XY_NUMBER: row[0] = (float)value->number; break;
    case XY_VECTOR: memcpy(row, value->text.ptr, width * sizeof(float)); break;
    case XY_JSON: fill_from_list(row, width, value->text); break;
    default:
        for (uint32_t i = 0; i < width; i++)
            row[i] = NAN;
    }
}

/* Two passes, since the width is known only when a record with the field was met, and the matrix is
 * too large to be made and thrown away. */
static const float *view_column(xy_dataset *base, const char *field, uint32_t *width)
{
    struct dataset_view *view = (struct dataset_view *)base;
    uint64_t count = dataset_count(view->dataset);
    xy_value value;
    *width = 0;
    for (uint64_t i = 0; i < count; i++) {
        find_value(view, i, field, &value);
        uint32_t here = value_width(&value);
        if (here && *width && here != *width)
            return NULL;
        if (here)
            *width = here;
    }
    if (*width == 0 || count > SIZE_MAX / sizeof(float) / *width)
        return NULL;
    float *matrix = arena_alloc(view->arena, count * *width * sizeof(float));
    for (uint64_t i = 0; i < count; i++) {
        find_value(view, i, field, &value);
        if (value_width(&value) == 0)
            value.type = XY_NULL; /* text, or an empty vector */
        fill_row(matrix + i * *width, *width, &value);
    }
    return matrix;
}

/* ---- life ------------------------------------------------------------------------------------ */

static const xy_dataset_api view_api = {
    .size = sizeof(xy_dataset_api),
    .count = view_count,
    .at = view_at,
    .edit = view_edit,
    .verdict = view_verdict,
    .column = view_column,
};

void dataset_view_init(struct dataset_view *view, const struct dataset *dataset,
                       struct arena *arena, bool editable)
{
    *view = (struct dataset_view){
        .base.api = &view_api,
        .dataset = dataset,
        .arena = arena,
        .editable = editable,
    };
}

struct record *dataset_view_take(struct dataset_view *view, uint64_t index, int *verdict,
                                 const char **why)
{
    bool known = view->verdicts && index < dataset_count(view->dataset);
    *verdict = known ? view->verdicts[index] : XY_OK;
    *why = known ? view->reasons[index] : NULL;
    struct record *record = edit_of(view, index);
    if (record)
        view->edits[index] = NULL;
    return record ? record : dataset_read(view->dataset, index);
}

void dataset_view_finish(struct dataset_view *view)
{
    uint64_t count = dataset_count(view->dataset);
    for (uint64_t i = 0; view->edits && i < count; i++)
        record_destroy(view->edits[i]);
    record_slot_free(&view->slot);
    free(view->edits);
    free(view->verdicts);
    free(view->reasons);
    *view = (struct dataset_view){0};
}
