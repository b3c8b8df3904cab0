/* SPDX-License-Identifier: Apache-2.0 */
/* sampler.h - where a field's random values come from: one sampler for each field, as the options
 * describe it. Samplers are only read while records are made. */
#ifndef XYLEM_PLUGINS_SAMPLE_SAMPLER_H
#define XYLEM_PLUGINS_SAMPLE_SAMPLER_H

#include "json_value.h"

enum sampler_kind {
    SAMPLE_CATEGORICAL = 1, /* one of `values`, by their weights */
    SAMPLE_UNIFORM = 2,     /* between low and high */
    SAMPLE_NORMAL = 3,      /* around mean, between low and high */
    SAMPLE_DATE = 4,        /* a moment from day low to the end of day high, by `format` */
    SAMPLE_FILE = 5         /* a value of a column of a file, each row as likely */
};

struct sampler {
    enum sampler_kind kind;
    char *field;
    xy_str *values;         /* JSON each; in the options' text, or in `column_text` */
    double *bounds;         /* running sums of the weights */
    size_t count;
    double low, high, mean, deviation;
    bool integer;
    char *format;           /* SAMPLE_DATE: as strftime() has it */
    char *path, *column;    /* SAMPLE_FILE */
    struct text column_text;
};

struct samplers {
    struct sampler *items;
    size_t count;
    char error[256];        /* why samplers_read() said no */
};

/* Reads `fields`, a map from field to sampler, whose text is borrowed and must stay. Files are only
 * named, not read. 0, or XY_EINVAL or XY_ENOMEM with `error`. samplers_free() in either case. */
int samplers_read(struct samplers *samplers, const char *fields, const char *folder);
void samplers_free(struct samplers *samplers);

/* Sets the sampler's field to one draw from the stream. 0 or negative. */
int sampler_draw(const struct sampler *sampler, xy_job *job, xy_record *record, uint64_t *random);

/* Days since 1970-01-01 of a text YYYY-MM-DD in the Gregorian calendar; false for anything else. */
bool date_read(xy_str text, int64_t *days);
/* Writes a moment, seconds since 1970-01-01 UTC, in the language of the C locale; 0 when it does
 * not fit, else its length. */
size_t date_write(char *out, size_t size, const char *format, int64_t seconds);

#endif
