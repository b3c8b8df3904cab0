/* SPDX-License-Identifier: Apache-2.0 */
/* novelty_bench - the gate of a growing pool, over the `instruction` of each line of the input:
 *
 *     zcat ../shared/data/alpaca/alpaca_5000.jsonl.gz | build/bin/novelty_bench
 *
 * Every text is compared with all before it, as when none is dropped. */
#include <string.h>

#include "bench/measure.h"
#include "json.h"
#include "novelty_search.h"

static int read_lines(struct texts *texts)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    int code = XY_OK;
    while (code == XY_OK && (length = getline(&line, &room, stdin)) > 0) {
        struct arena arena = {0};
        struct error error = {0};
        struct value value;
        code = json_parse(&arena, (xy_str){line, (size_t)length}, &value, &error);
        const struct value *text =
            code == XY_OK ? value_member(&value, STR("instruction")) : NULL;
        if (text && text->type == VALUE_TEXT)
            code = texts_add(texts, text->text, UNIT_ROUGE);
        arena_free(&arena);
    }
    free(line);
    return code;
}

/* The table of all prefixes, as one would write it down: what the kernel is held against. */
static size_t plain_length(const uint32_t *a, size_t n, const uint32_t *b, size_t m, size_t *row)
{
    memset(row, 0, (m + 1) * sizeof(*row));
    for (size_t i = 0; i < n; i++) {
        size_t diagonal = 0;
        for (size_t j = 0; j < m; j++) {
            size_t above = row[j + 1], left = row[j];
            row[j + 1] = a[i] == b[j] ? diagonal + 1 : above > left ? above : left;
            diagonal = above;
        }
    }
    return row[m];
}

static void run_plain(const struct texts *texts, size_t most)
{
    size_t longest = 0, above = 0, count = texts->count < most ? texts->count : most;
    for (size_t i = 0; i < count; i++)
        longest = texts_length(texts, i) > longest ? texts_length(texts, i) : longest;
    size_t *row = malloc((longest + 1) * sizeof(*row));
    double from = clock_seconds();
    for (size_t i = 0; row && i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            size_t n = texts_length(texts, i), m = texts_length(texts, j);
            size_t common = plain_length(texts->words + texts->starts[i], n,
                                         texts->words + texts->starts[j], m, row);
            above += n + m && 2 * (double)common / (double)(n + m) > 0.7;
        }
    }
    double seconds = clock_seconds() - from, pairs = (double)count * ((double)count - 1) / 2;
    printf("%-26s pairs %10.0f  above 0.7 %5zu  %8.3f s  %8.2f million pairs/s\n",
           "plain table, one thread", pairs, above, seconds, pairs / seconds / 1e6);
    free(row);
}

static void run_search(const struct texts *texts, const char *name, size_t nearest, double floor)
{
    struct search search;
    size_t above = 0;
    double from = clock_seconds();
    int code = search_init(&search, texts, nearest);
    for (size_t i = 0; i < texts->count && code == XY_OK; i++) {
        code = search_find(&search, i, floor);
        above += search.nearest_count && search.nearest[0].similarity > 0.7;
        search_add(&search, i);
    }
    double seconds = clock_seconds() - from;
    printf("%-26s pairs %10llu  above 0.7 %5zu  %8.3f s  %8.2f million pairs/s  compared %.2f %%\n",
           name, (unsigned long long)search.pairs, above, seconds,
           (double)search.pairs / seconds / 1e6,
           100 * (double)search.compared / (double)search.pairs);
    search_free(&search);
}

int main(void)
{
    struct texts texts = {0};
    double from = clock_seconds();
    if (read_lines(&texts) < 0) {
        fprintf(stderr, "novelty_bench: the input is no JSON lines\n");
        return 1;
    }
    printf("texts %zu, words %zu, vocabulary %u, read in %.3f s\n", texts.count, texts.word_count,
           texts.vocabulary.count, clock_seconds() - from);
    run_search(&texts, "gate at 0.7", 1, 0.7);
    run_search(&texts, "most similar one", 1, 0);
    run_search(&texts, "10 nearest", 10, 0);
    run_plain(&texts, 2000);
    texts_free(&texts);
    return 0;
}
