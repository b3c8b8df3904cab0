/* SPDX-License-Identifier: Apache-2.0 */
/* fields_internal.h - between fields.c and fields_value.c. */
#ifndef XYLEM_CORE_FIELDS_INTERNAL_H
#define XYLEM_CORE_FIELDS_INTERNAL_H

#include "fields.h"

/* A text of so many bytes. */
struct value fields_text(struct arena *arena, size_t length);
/* A value of a JSON schema; another draw gives another choice. `bytes`: how long the texts in it
 * are together. */
struct value fields_of_schema(struct arena *arena, const struct value *schema, size_t draw,
                              size_t bytes);

#endif
