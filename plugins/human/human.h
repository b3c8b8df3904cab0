/* SPDX-License-Identifier: Apache-2.0 */
/* human.h - records that wait for people, what people answered, and what follows from it. One
 * thread at a time; [worker] but for open(). */
#ifndef XYLEM_PLUGINS_HUMAN_HUMAN_H
#define XYLEM_PLUGINS_HUMAN_HUMAN_H

#include "names.h"

/* Names of the queue's fields, which answers use too; see the README. */
#define HUMAN_ID "id"
#define HUMAN_SUGGESTION "suggestion"
#define HUMAN_LABELS "labels"
#define HUMAN_INSTRUCTIONS "instructions"
#define HUMAN_LABEL "label"
#define HUMAN_ANNOTATOR "annotator"
#define HUMAN_REVISION "revision"
#define HUMAN_DISCARD "discard"
#define HUMAN_TIME "time"
#define HUMAN_SHOWN "suggestion_shown"

enum { HUMAN_KEY = 17 }; /* a record's id in 16 hexadecimal digits, and a NUL */

struct human {
    const char *queue, *format, *format_options;
    const char *answers, *answers_format, *answers_options;
    const char *only, *text, *label, *suggestion, *instructions, *show_suggestion, *rule,
        *undecided, *before;
    const char *const *show, *const *labels;
    int64_t annotators;
    int32_t wait;
    void *only_compiled, *instructions_compiled, *labels_compiled;
    const xy_host *host;
    const xy_files *files;
    const xy_expression *expressions;
    const xy_template *templates;
    const xy_rng *rng;
    const xy_report *report;
    const xy_store *store;   /* NULL: this host keeps no files */
};

enum { NO_ITEM = UINT32_MAX };

/* A record that people look at; records with the same id share one. */
struct item {
    uint32_t index;      /* of its first record in the data set */
    bool queued;         /* a row of the queue file has it */
    bool shown;          /* its row shows the model's suggestion */
    uint32_t first, last; /* its answers, a chain in the order of the files; NO_ITEM: none */
    uint32_t answers;
};

struct answer {
    uint32_t item, label, annotator; /* label: NAMES_NONE when discarded */
    uint32_t next;                   /* of the same item */
    const char *file;
    uint32_t nth;                    /* which row of that file with this id, from 0 */
    xy_str time, revision;
    bool shown;
};

/* The work of one run(); all memory is the job's but for the names. */
struct work {
    const struct human *human;
    xy_job *job;
    xy_dataset *input;
    size_t count;
    uint32_t *items_of;  /* count: which item a record is; NO_ITEM for none */
    struct names keys;   /* of the items */
    struct item *items;
    struct names labels; /* the codebook's first, then, where it has none, any */
    bool closed;         /* other labels are errors */
    struct names annotators;
    struct answer *answers;
    size_t answer_count, answer_room;
    size_t unknown, unasked; /* answers for no record of the data set; unasked: all rows read */
    const char *queue;   /* the option's, or where the host keeps this step's */
    xy_record **rows;    /* of the queue file, as they were */
    size_t row_count, row_room;
};

/* human_queue.c: which records are items, and the file that has them. */
int work_find_items(struct work *work);
/* Adds the items that the queue file lacks to it; the rows that it has stay as they are. */
int work_write_queue(struct work *work);

/* human_answers.c: reads the queue file and the answers, where these exist. */
int work_read_answers(struct work *work);
/* "FILE:LINE" of an answer, in the job's arena: the line on which its id stands. */
const char *work_place(struct work *work, const struct answer *answer);
/* The label of all that is nearest to `word`, NULL when none is near. */
const char *work_nearest_label(const struct work *work, xy_str word);

/* human_judge.c: what several answers come to. */
enum outcome { OUTCOME_WAITS, OUTCOME_LABEL, OUTCOME_DISCARD, OUTCOME_UNDECIDED };
struct judgement {
    enum outcome outcome;
    const struct answer *answer; /* the first that says what was decided */
};
struct judgement work_judge(const struct work *work, const struct item *item);
/* "anna `positive`, ben `negative`", in the job's arena. */
const char *work_say_answers(const struct work *work, const struct item *item);

/* human_apply.c: labels, revisions and verdicts on the records. */
int work_apply(struct work *work);

/* human_report.c */
void work_report(const struct work *work);

#endif
