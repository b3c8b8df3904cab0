/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - texts numbered from 0 in the order of first sight: the labels of a data set, its words,
 * its groups. And a record's field as such a text. One thread at a time. */
#ifndef XYLEM_PLUGINS_COMMON_NAMES_H
#define XYLEM_PLUGINS_COMMON_NAMES_H

#include <stdbool.h>

#include <xylem/plugin.h>

#define NAMES_NONE UINT32_MAX

struct names { /* zeroed: empty */
    char *bytes;        /* all texts, one after another, each with a NUL */
    size_t length, capacity;
    size_t *starts;     /* of each text in `bytes`; count + 1 of them */
    uint64_t *hashes;
    uint32_t *slots;    /* open addressing: number + 1, or 0 */
    uint32_t count, room, slot_count;
};

/* The text's number, new or old; NAMES_NONE when memory is short. */
uint32_t names_add(struct names *names, xy_str text);
/* The text's number, or NAMES_NONE when it was never added. */
uint32_t names_find(const struct names *names, xy_str text);
/* The text, valid until the next names_add(). */
xy_str names_at(const struct names *names, uint32_t number);
void names_free(struct names *names);

enum { NAMES_SCRATCH = 40 };
/* A field as a label: text as it is, an integer in decimal, true or false, a number in the shortest
 * form that reads back the same. {NULL, 0} when the field is absent, empty, or of another type. The
 * text lies in the record or in `scratch`. */
xy_str names_label(const xy_record *record, const char *field, char scratch[NAMES_SCRATCH]);
/* A number field (integer, number, boolean), or `otherwise`. */
double names_number(const xy_record *record, const char *field, double otherwise);

#endif
