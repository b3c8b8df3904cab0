/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.h - a regular expression from a pipeline file, by PCRE2: checked when a stage opens, and
 * bounded when it runs, so that no text makes it search for ever. In the library plugin_pattern.
 *
 * Texts are UTF-8, and \w, \d, \b and (?i) mean what they mean in Unicode. */
#ifndef XYLEM_PLUGINS_COMMON_PATTERN_H
#define XYLEM_PLUGINS_COMMON_PATTERN_H

#include <xylem/plugin.h>

/* Backtracking steps that one search may take. A pattern that needs no guessing takes a few per
 * byte; one that guesses exponentially reaches this in about 20 milliseconds. */
enum { PATTERN_STEPS = 2000000 };

struct pattern; /* compiled; read-only, so that any number of threads may search with it */

/* NULL, with the reason and its position in `error`, when it does not compile. [any] */
struct pattern *pattern_compile(xy_str source, char *error, size_t error_size);
void pattern_free(struct pattern *pattern);

/* The named groups, in the order of their numbers. The name is the pattern's own. */
uint32_t pattern_name_count(const struct pattern *pattern);
const char *pattern_name(const struct pattern *pattern, uint32_t index);
/* The group's number, from 1, of the named group `index`. */
uint32_t pattern_name_group(const struct pattern *pattern, uint32_t index);
uint32_t pattern_group_count(const struct pattern *pattern);

/* What one search found; made for one thread at a time. */
struct pattern_match {
    void *data;
    const size_t *bounds; /* begin and end of group i at 2i and 2i + 1; group 0 is the whole */
    uint32_t groups;      /* groups + 1 of the pattern */
};

/* XY_OK or XY_ENOMEM. */
int pattern_match_init(struct pattern_match *match, const struct pattern *pattern);
void pattern_match_free(struct pattern_match *match);

enum { PATTERN_NOT_EMPTY_HERE = 1 }; /* no empty match at `from` itself */

/* Searches `text`, valid UTF-8, from the byte `from` on. 1: found; 0: not; XY_EINVAL: the search
 * took more than PATTERN_STEPS, or more memory than it may; XY_ENOMEM. */
int pattern_find(const struct pattern *pattern, struct pattern_match *match, xy_str text,
                 size_t from, int flags);
/* A group's text; {NULL, 0} for a group that took no part in the match. */
xy_str pattern_group(const struct pattern_match *match, xy_str text, uint32_t group);

#endif
