/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve_result.h - how often anything was found, and the template of what to look for. */
#ifndef XYLEM_PLUGINS_RETRIEVE_RETRIEVE_RESULT_H
#define XYLEM_PLUGINS_RETRIEVE_RETRIEVE_RESULT_H

#include <pthread.h>

#include <xylem/plugin.h>

/* Counted over the records so far, and reported with each: the newest figure is the one that
 * stays. */
struct tally {
    pthread_mutex_t lock;
    const xy_report *report;
    const xy_host *host;
    uint64_t queries, empty, passages, with_gold, found, first;
};
void tally_open(struct tally *tally, const xy_host *host);
void tally_close(struct tally *tally);
/* `rank` as the field has it; negative: not asked for. */
void tally_add(struct tally *tally, xy_job *job, size_t found, int64_t rank);

/* A query template, compiled once. NULL with a logged error. [loop] */
void *result_compile(const xy_host *host, const xy_template *templates, const char *source);

#endif
