/* SPDX-License-Identifier: Apache-2.0 */
#include "retrieve_corpus.h"

#include <stdlib.h>

#include <xxhash.h>

#include "json_value.h"

static uint64_t hash_of(xy_str text)
{
    return text.len ? XXH3_64bits(text.ptr, text.len) : 0;
}

/* A list in a record has no vectors, and its `score` is the search's. */
static void add_field(struct corpus *corpus, const xy_record *record, const char *name,
                      size_t start)
{
    xy_value value = {.type = XY_NULL};
    int type = record->api->get(record, name, &value);
    if (type == XY_NULL || type == XY_VECTOR || strcmp(name, "score") == 0)
        return;
    text_add_literal(&corpus->json, corpus->json.length > start ? "," : "");
    text_add_json(&corpus->json, xy_text(name));
    text_add_literal(&corpus->json, ":");
    json_value_add(&corpus->json, &value);
}

static int read_passage(struct corpus *corpus, const struct corpus_options *options,
                        const xy_record *record, struct passage *passage)
{
    char scratch[NAMES_SCRATCH];
    xy_str text = xy_record_text(record, options->field);
    size_t start = corpus->json.length;
    *passage = (struct passage){.json = start, .text = corpus->texts.length,
                                .text_length = text.len, .id = record->api->id(record),
                                .text_hash = hash_of(text)};
    text_add_str(&corpus->texts, text);
    for (size_t i = 0; options->fields && options->fields[i]; i++)
        add_field(corpus, record, options->fields[i], start);
    for (size_t i = 0; !options->fields && record->api->field(record, i); i++)
        add_field(corpus, record, record->api->field(record, i), start);
    passage->json_length = corpus->json.length - start;
    if (options->gold)
        passage->gold_hash = hash_of(names_label(record, options->gold, scratch));
    if (options->match) {
        uint32_t number = names_add(&corpus->match_values,
                                    names_label(record, options->match, scratch));
        passage->match = number + 1;
        if (number == NAMES_NONE)
            return XY_ENOMEM;
    }
    return corpus->json.failed || corpus->texts.failed ? XY_ENOMEM : XY_OK;
}

int corpus_read(struct corpus *corpus, xy_job *job, const struct corpus_options *options)
{
    xy_dataset *dataset = options->dataset;
    uint64_t count = dataset->api->count(dataset);
    if (count == 0)
        return xy_fail(job, XY_EINVAL, "the `corpus` is empty: there is nothing to retrieve");
    if (count >= NAMES_NONE)
        return xy_fail(job, XY_EUNSUPPORTED, "the `corpus` has more than 2^32 - 2 passages");
    corpus->passages = calloc(count, sizeof(*corpus->passages));
    if (!corpus->passages)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (uint64_t i = 0; i < count; i++) {
        const xy_record *record = dataset->api->at(dataset, i);
        if (!record)
            return xy_fail(job, XY_EIO, "record %llu of the `corpus` cannot be read",
                           (unsigned long long)i);
        if (i % 1024 == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        if (read_passage(corpus, options, record, &corpus->passages[i]) < 0)
            return xy_fail(job, XY_ENOMEM, "out of memory");
        if (corpus->passages[i].text_length == 0)
            return xy_fail(job, XY_EINVAL, "record %llu of the `corpus` has no text in `%s`; name "
                           "another `field`, or filter the corpus", (unsigned long long)i + 1,
                           options->field);
        corpus->count++;
    }
    return XY_OK;
}

void corpus_drop_texts(struct corpus *corpus)
{
    text_free(&corpus->texts);
}

void corpus_free(struct corpus *corpus)
{
    free(corpus->passages);
    text_free(&corpus->json);
    text_free(&corpus->texts);
    names_free(&corpus->match_values);
}

struct corpus_view corpus_view_of(const struct corpus *corpus,
                                  const struct corpus_options *options, const xy_record *record)
{
    struct corpus_view view = {0};
    char scratch[NAMES_SCRATCH];
    if (options->match) {
        xy_str value = names_label(record, options->match, scratch);
        uint32_t number = names_find(&corpus->match_values, value);
        view.match = number == NAMES_NONE ? NAMES_NONE : number + 1;
    }
    if (options->exclude_self) {
        view.id = record->api->id(record);
        view.parent = record->api->parent(record);
        view.text_hash = hash_of(xy_record_text(record, options->field));
    }
    return view;
}
