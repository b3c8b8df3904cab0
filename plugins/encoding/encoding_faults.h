/* SPDX-License-Identifier: Apache-2.0 */
/* encoding_faults.h - the traces that wrong encodings leave in a text, and the way back. [any] */
#ifndef XYLEM_PLUGINS_ENCODING_ENCODING_FAULTS_H
#define XYLEM_PLUGINS_ENCODING_ENCODING_FAULTS_H

#include "text.h"

enum encoding_fault {
    REPLACEMENT,  /* U+FFFD: something was lost */
    MOJIBAKE,     /* UTF-8 that was read as Windows-1252 or Latin-1 */
    CONTROL,      /* a control character other than tab, line feed and carriage return */
    ESCAPE,       /* "\ud83d", "\u00e9": escapes of JSON that nobody decoded */
    ENTITY,       /* "&amp;", "&#39;" */
    MIXED_SCRIPT, /* a word of Latin and Cyrillic or Greek letters */
    INVISIBLE,    /* zero width characters and other format characters, outside their use */
    ENCODING_FAULTS
};

struct encoding_find { /* the first fault of a kind */
    uint64_t count;
    size_t at, length; /* bytes */
};

/* Looks for all faults in `text`, valid UTF-8. */
void encoding_look(xy_str text, struct encoding_find found[ENCODING_FAULTS]);

/* The length of the fault at `at`, and, where it is certain, what the text was: written to `out`
 * (room for 8 bytes), its length in `*length`; SIZE_MAX when it cannot be told. 0: no fault is
 * there. */
size_t encoding_mojibake(xy_str text, size_t at, char *out, size_t *length);
size_t encoding_entity(xy_str text, size_t at, char *out, size_t *length);
size_t encoding_escape(xy_str text, size_t at, char *out, size_t *length);
size_t encoding_control(xy_str text, size_t at);
size_t encoding_invisible(xy_str text, size_t at);

/* The text with all repaired that is certain among the kinds whose bit is set. False: out of
 * memory. */
bool encoding_repair(xy_str text, uint32_t kinds, struct text *out);

#endif
