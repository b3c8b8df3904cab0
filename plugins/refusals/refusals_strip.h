/* SPDX-License-Identifier: Apache-2.0 */
/* refusals_strip.h - where a lead-in ends and a sign-off begins. [any] */
#ifndef XYLEM_PLUGINS_REFUSALS_REFUSALS_STRIP_H
#define XYLEM_PLUGINS_REFUSALS_REFUSALS_STRIP_H

#include "phrases.h"

/* The byte where what was asked for begins, for a lead-in's phrase at the beginning of `text`; 0
 * when it is no lead-in but a sentence of the text ("Here is a film that has it all. The ...").
 * One is: what ends with a colon in the same line, an exclamation ("Sure!"), or a short line
 * before an empty one. */
size_t refusals_lead_in(xy_str text, const struct phrases_hit *hit);
/* The byte where a sign-off begins, for its phrase at `hit`; SIZE_MAX when it does not begin a
 * sentence of the last paragraph, near the end. */
size_t refusals_sign_off(xy_str text, const struct phrases_hit *hit);
/* Without white space, and lines of nothing but "-", "*" or "=", at both ends. */
xy_str refusals_trim(xy_str text);

#endif
