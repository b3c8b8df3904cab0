/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_internal.h - what the conformance_*.c files share; nobody else includes it. */
#ifndef XYLEM_CORE_CONFORMANCE_INTERNAL_H
#define XYLEM_CORE_CONFORMANCE_INTERNAL_H

#include <stdatomic.h>

#include "conformance.h"
#include "instance.h"
#include "job.h"

enum {
    KIT_JOB_MS = 5000,      /* a job, a call or a run must be over by then */
    KIT_SILENCE = 4,        /* without a word for so many times that, the stage hangs */
    KIT_GRACE_MS = 10,      /* a second answer is waited for so long */
    KIT_RECORDS = 3,
    KIT_HUGE = 1 << 20      /* bytes in each text of the huge record */
};

enum kit_answers { ANSWER_PLAIN, ANSWER_ERROR, ANSWER_EMPTY, ANSWER_ODD };

/* Everything of one stage's trial; lives in the child process. */
struct kit {
    struct services services; /* first: the services' mock finds the kit by it */
    const struct stage_type *type;
    const char *folder;       /* of the kit's own files */
    int out;                  /* the pipe to the parent */
    uint32_t job_ms;          /* KIT_JOB_MS, or what a test of the kit itself has patience for */
    struct arena arena;
    const struct node *options;
    bool guessed;             /* values of required options are the kit's invention */
    struct dataset *dataset;  /* what options of type XY_OPT_DATASET read */
    struct dataset_view *view;
    bool bare;                /* only the services that the stage needs */
    bool longer;              /* tables and replies of a later minor */
    enum kit_answers answers;
    _Atomic int cancelled;
    _Atomic int calls;        /* calls of services and polls of cancelled() in this trial */
    int cancel_at;            /* the call that cancels the run; 0: none */
};

/* ---- reporting (conformance_trial.c); `rule` is a few words, the same each time -------------- */

/* Says what is being tried, so that a crash or a hang has a name. */
void kit_begin(struct kit *kit, const char *rule);
__attribute__((format(printf, 2, 3))) void kit_fail(struct kit *kit, const char *format, ...);
__attribute__((format(printf, 2, 3))) void kit_note(struct kit *kit, const char *format, ...);

/* ---- running things (conformance_drive.c) ---------------------------------------------------- */

/* Runs fn(data) on the loop's thread, or on a worker, and waits. */
void kit_do(struct kit *kit, bool on_worker, loop_fn fn, void *data);
/* Turns the loop until `*flag`, or for `milliseconds` at most. */
bool kit_wait(struct kit *kit, const _Atomic int *flag, uint32_t milliseconds);

/* A fresh instance with the kit's options: created, opened, prepared. NULL with `code` set and the
 * reason in `error`. */
struct instance *kit_open(struct kit *kit, struct error *error);
void kit_close(struct kit *kit, struct instance *instance);

/* One job under watch: counts its endings, and cancels where the kit was told to. */
struct watched {
    struct kit *kit;
    struct job *job;
    struct instance *instance;
    struct record *inputs[KIT_RECORDS];
    size_t count;
    uint64_t sequence;    /* of a source */
    _Atomic int finishes; /* calls of finish() */
    _Atomic int over;
    struct dataset_view *dataset; /* run() instead of process() */
    int answer;
};

/* Runs one job to its end and checks how it ends. The records in `inputs` stay the caller's. False
 * when it never ended. */
bool kit_run(struct watched *watched);
void kit_finish(struct watched *watched);

/* ---- the mock host (conformance_host.c) ------------------------------------------------------ */

const void *kit_service(const xy_host *host, const char *id);
struct kit *kit_of_job(const xy_job *base);
/* Counts one call, and cancels the run when it is the one chosen. True when the run is cancelled.
 */
bool kit_count(struct kit *kit);
extern const struct option_resolver kit_resolver_functions;
extern const xy_files kit_files; /* conformance_files.c */

/* ---- records and options (conformance_input.c) ----------------------------------------------- */

enum kit_record { RECORD_PLAIN, RECORD_NO_FIELDS, RECORD_EMPTY, RECORD_HUGE, RECORD_ODD_TEXT,
                  RECORD_OTHER_TYPES, RECORD_KINDS };
extern const char *const kit_record_names[RECORD_KINDS];

/* Sets the fields of a record that the stage might look at: those its options name, and the usual
 * ones. */
void kit_fill(struct kit *kit, xy_record *record, enum kit_record what, uint64_t index);
/* The options to try with: the stage's example, or made up. 0, or an error when the example is
 * none. */
int kit_options(struct kit *kit, struct error *error);
/* Missing and out-of-range options are refused, and each option has its sentence of help. */
void kit_try_options(struct kit *kit);

/* ---- the trials, by shape of stage ----------------------------------------------------------- */

void kit_try_stream(struct kit *kit);
void kit_try_generator(struct kit *kit);
void kit_try_learner(struct kit *kit);
void kit_try_format(struct kit *kit);

#endif
