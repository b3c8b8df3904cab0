/* SPDX-License-Identifier: Apache-2.0 */
/* fields_internal.h - between fields.c, fields_file.c and fields_value.c. */
#ifndef XYLEM_CORE_FIELDS_INTERNAL_H
#define XYLEM_CORE_FIELDS_INTERNAL_H

#include "fields.h"

/* A text of so many bytes. */
struct value fields_text(struct arena *arena, size_t length);
/* A value of a JSON schema; another draw gives another choice. `bytes`: how long the texts in it
 * are together. */
struct value fields_of_schema(struct arena *arena, const struct value *schema, size_t draw,
                              size_t bytes);

/* At most so many records of a file are looked at; of a longer one not all fields are known. */
enum { FIELDS_RECORDS = 1000 };

/* fields.c: what stands in `text` may be a field's name; `value` is one that `name` may have, of
 * which as many as FIELDS_DRAWS are kept. */
void fields_add_words(struct fields *fields, xy_str text);
void fields_add_value(struct fields *fields, const char *name, size_t step, struct value value);

/* A file of records while it is read. */
struct reading {
    struct fields *fields;
    size_t step;
    struct value list[FIELDS_DRAWS]; /* its first records, each as a map */
    size_t listed, bytes;
    struct read_value {
        const char *name;
        size_t bytes, order;
        struct value value;
    } *values;                       /* of all records */
    size_t value_count, value_room;
};

/* fields_file.c: adds what the records of the file have, and fills `list`. `with`: the format's
 * options as a step gives them, or NULL. Are these all fields of the file? Not when no format reads
 * it, or when it is longer. */
bool fields_read_file(struct reading *reading, const char *path, const char *format_name,
                      const struct node *with);

#endif
