/* SPDX-License-Identifier: Apache-2.0 */
/* language_cld2.h - the few calls of CLD2, a C++ library, that the plugin needs. [any] */
#ifndef XYLEM_PLUGINS_LANGUAGE_LANGUAGE_CLD2_H
#define XYLEM_PLUGINS_LANGUAGE_LANGUAGE_CLD2_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct language_guess {
    const char *code; /* "en", "zh-Hant"; static; "un" where the library cannot tell */
    double share;     /* of the text's letters that are in it, 0 to 1 */
    bool reliable;    /* the library's own word */
};

/* The language of most of the text, valid UTF-8, plain and not HTML. */
struct language_guess language_tell(const char *text, size_t length);
/* The i-th code that a guess can have; NULL behind the last. A code may come twice. */
const char *language_code(size_t index);

#ifdef __cplusplus
}
#endif
#endif
