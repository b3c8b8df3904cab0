/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve_corpus.h - the passages to search, in memory: each as the JSON object that goes into a
 * record, with what tells whether it may be given. Filled once in prepare(), then only read. */
#ifndef XYLEM_PLUGINS_RETRIEVE_RETRIEVE_CORPUS_H
#define XYLEM_PLUGINS_RETRIEVE_RETRIEVE_CORPUS_H

#include "names.h"
#include "text.h"

struct passage {
    size_t json, json_length;   /* members of the object, without its braces, in `json` */
    size_t text, text_length;   /* in `texts` */
    uint64_t id, text_hash, gold_hash;
    uint32_t match;             /* number of the value of that field; 0 without the field */
};

/* What the stages with a corpus are told alike. */
struct corpus_options {
    xy_dataset *dataset;
    const char *query;          /* a template's source */
    const char *field, *match, *gold;
    const char *const *fields;
    int64_t k;
    double minimum;
    int32_t exclude_self;
    const char *into, *ids, *rank;
};

struct corpus { /* zeroed: empty */
    struct passage *passages;
    size_t count;
    struct text json, texts;
    struct names match_values;
};

/* Reads the whole data set. 0, or an error with its text on the job. [worker] */
int corpus_read(struct corpus *corpus, xy_job *job, const struct corpus_options *options);
/* Lets go of the texts, once they are indexed. */
void corpus_drop_texts(struct corpus *corpus);
void corpus_free(struct corpus *corpus);

static inline xy_str corpus_text(const struct corpus *corpus, size_t index)
{
    const struct passage *passage = &corpus->passages[index];
    xy_str text = {corpus->texts.bytes + passage->text, passage->text_length};
    return text;
}

/* Which passages a record may have. [any] */
struct corpus_view {
    uint64_t id, parent, text_hash; /* 0: nothing to leave out */
    uint32_t match;                 /* 0: any; NAMES_NONE: none */
};
struct corpus_view corpus_view_of(const struct corpus *corpus,
                                  const struct corpus_options *options, const xy_record *record);
static inline bool corpus_shows(const struct corpus_view *view, const struct passage *passage)
{
    bool self = (view->id && passage->id == view->id) ||
                (view->parent && passage->id == view->parent) ||
                (view->text_hash && passage->text_hash == view->text_hash);
    return !self && (view->match == 0 || passage->match == view->match);
}

#endif
