/* SPDX-License-Identifier: Apache-2.0 */
#include "retrieve_index.h"

#include <math.h>
#include <stdlib.h>

#include "fold.h"

/* The next word of a folded text, which has one space between two words; false at its end. */
static bool next_word(const struct text *folded, size_t *at, xy_str *word)
{
    while (*at < folded->length && folded->bytes[*at] == ' ')
        ++*at;
    if (*at == folded->length)
        return false;
    const char *from = folded->bytes + *at;
    const char *space = memchr(from, ' ', folded->length - *at);
    *word = (xy_str){from, space ? (size_t)(space - from) : folded->length - *at};
    *at += word->len;
    return true;
}

/* ---- building -------------------------------------------------------------------------------- */

/* While it is built, `postings` has the words of each passage, one passage after another, with the
 * word's number in place of the passage's, and `starts` where each passage begins. */
static bool make_room(struct index *index, size_t used)
{
    if (used == index->postings_room) {
        size_t room = used ? used * 2 : 4096;
        struct posting *postings = realloc(index->postings, room * sizeof(*postings));
        if (!postings)
            return false;
        index->postings = postings;
        index->postings_room = room;
    }
    return true;
}

static bool make_passage_room(struct index *index)
{
    size_t count = index->count;
    if (count & (count - 1)) /* rooms are powers of two, filled when the count is one */
        return true;
    size_t room = count ? count * 2 : 1;
    size_t *starts = realloc(index->starts, (room + 1) * sizeof(*starts));
    if (starts)
        index->starts = starts;
    uint32_t *lengths = realloc(index->lengths, room * sizeof(*lengths));
    if (lengths)
        index->lengths = lengths;
    return starts && lengths;
}

static int by_word(const void *a, const void *b)
{
    uint32_t first = ((const struct posting *)a)->passage;
    uint32_t second = ((const struct posting *)b)->passage;
    return (first > second) - (first < second);
}

/* Sorts a passage's words by number and makes one entry of equal ones; returns how many remain. */
static size_t merge_words(struct posting *words, size_t count)
{
    size_t kept = 0;
    qsort(words, count, sizeof(*words), by_word);
    for (size_t i = 0; i < count; i++) {
        if (kept && words[kept - 1].passage == words[i].passage)
            words[kept - 1].frequency++;
        else
            words[kept++] = words[i];
    }
    return kept;
}

bool index_add(struct index *index, xy_str text)
{
    if (!make_passage_room(index))
        return false;
    size_t from = index->count ? index->starts[index->count] : 0, used = from, at = 0;
    xy_str word;
    text_clear(&index->folded);
    fold_add(&index->folded, text, FOLD_WORDS);
    while (next_word(&index->folded, &at, &word)) {
        uint32_t number = names_add(&index->words, word);
        if (number == NAMES_NONE || !make_room(index, used))
            return false;
        index->postings[used++] = (struct posting){number, 1};
    }
    index->lengths[index->count] = (uint32_t)(used - from);
    index->starts[index->count++] = from;
    index->starts[index->count] =
        used > from ? from + merge_words(index->postings + from, used - from) : from;
    return !index->folded.failed;
}

/* From passages with their words to words with their passages, by counting. */
static bool invert(struct index *index)
{
    size_t words = index->words.count, total = index->count ? index->starts[index->count] : 0;
    size_t *starts = calloc(words + 2, sizeof(*starts));
    struct posting *postings = malloc((total + 1) * sizeof(*postings));
    if (!starts || !postings) {
        free(starts);
        free(postings);
        return false;
    }
    for (size_t i = 0; i < total; i++)
        starts[index->postings[i].passage + 2]++;
    for (size_t i = 2; i < words + 2; i++)
        starts[i] += starts[i - 1];
    for (size_t passage = 0; passage < index->count; passage++)
        for (size_t i = index->starts[passage]; i < index->starts[passage + 1]; i++) {
            const struct posting *entry = &index->postings[i];
            postings[starts[entry->passage + 1]++] =
                (struct posting){(uint32_t)passage, entry->frequency};
        }
    free(index->postings);
    free(index->starts);
    index->postings = postings;
    index->starts = starts;
    return true;
}

bool index_finish(struct index *index, double k1, double b)
{
    double total = 0;
    index->k1 = k1;
    if (!invert(index))
        return false;
    index->idf = calloc(index->words.count + 1, sizeof(*index->idf));
    index->norms = calloc(index->count + 1, sizeof(*index->norms));
    if (!index->idf || !index->norms)
        return false;
    for (size_t i = 0; i < index->count; i++)
        total += index->lengths[i];
    double mean = total > 0 ? total / (double)index->count : 1;
    for (size_t i = 0; i < index->count; i++)
        index->norms[i] = k1 * (1 - b + b * (double)index->lengths[i] / mean);
    for (size_t i = 0; i < index->words.count; i++) {
        double having = (double)(index->starts[i + 1] - index->starts[i]);
        index->idf[i] = log(1 + ((double)index->count - having + 0.5) / (having + 0.5));
    }
    free(index->lengths);
    index->lengths = NULL;
    text_free(&index->folded);
    return true;
}

void index_free(struct index *index)
{
    names_free(&index->words);
    free(index->postings);
    free(index->starts);
    free(index->idf);
    free(index->norms);
    free(index->lengths);
    text_free(&index->folded);
}

/* ---- searching ------------------------------------------------------------------------------- */

struct query_word {
    uint32_t word, count;
};

/* The query's words that any passage has, each once, in the order of the query. */
static size_t read_query(const struct index *index, const struct text *folded,
                         struct query_word *words)
{
    size_t count = 0, at = 0;
    xy_str word;
    while (next_word(folded, &at, &word)) {
        uint32_t number = names_find(&index->words, word);
        size_t i = number == NAMES_NONE ? count : 0;
        while (i < count && words[i].word != number)
            i++;
        if (number == NAMES_NONE)
            continue;
        if (i == count)
            words[count++] = (struct query_word){number, 0};
        words[i].count++;
    }
    return count;
}

int index_score(const struct index *index, xy_str query, double *scores)
{
    struct text folded = {0};
    fold_add(&folded, query, FOLD_WORDS);
    struct query_word *words = malloc((folded.length / 2 + 1) * sizeof(*words));
    size_t count = words && !folded.failed ? read_query(index, &folded, words) : 0;
    for (size_t i = 0; i < count; i++) {
        double weight = index->idf[words[i].word] * (double)words[i].count;
        size_t end = index->starts[words[i].word + 1];
        for (size_t at = index->starts[words[i].word]; at < end; at++) {
            const struct posting *posting = &index->postings[at];
            double frequency = (double)posting->frequency;
            scores[posting->passage] +=
                weight * frequency * (index->k1 + 1) / (frequency + index->norms[posting->passage]);
        }
    }
    bool failed = !words || folded.failed;
    free(words);
    text_free(&folded);
    return failed ? -1 : (int)count;
}
