/* SPDX-License-Identifier: Apache-2.0 */
#include "phrases.h"

#include <stdlib.h>

#include <utf8proc.h>

#include "fold.h"

enum { LONGEST_WORD = 128 }; /* a longer run of letters is no word, and matches nothing */

/* A word behind the words of its parent. */
struct phrases_node {
    uint64_t word;
    uint32_t parent, id; /* id 0: a free slot; the root's is 1 */
    uint32_t number;     /* of the phrase that ends here, or PHRASES_NONE */
};

enum { ROOT = 1 };

struct word {
    size_t start, end;
    bool plain; /* ASCII alone */
};

/* ---- words ----------------------------------------------------------------------------------- */

/* 1 for an ASCII letter or digit, and what case folding makes of it. */
static const unsigned char folded[128] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6',
    ['7'] = '7', ['8'] = '8', ['9'] = '9', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd',
    ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k',
    ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y',
    ['Z'] = 'z', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f',
    ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm',
    ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't',
    ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z'};

/* How many bytes of a word's character stand at `at`: 0 when it is no part of a word. `*skip` is
 * how long the character is in any case. A soft hyphen and its like belong to the word, without
 * a shape. */
static size_t wordly(xy_str text, size_t at, size_t *skip)
{
    unsigned char c = (unsigned char)text.ptr[at];
    *skip = 1;
    if (c < 0x80)
        return folded[c] != 0;
    utf8proc_int32_t point;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + at,
                                             (utf8proc_ssize_t)(text.len - at), &point);
    if (used <= 0)
        return 0; /* a record's text is valid UTF-8: this cannot be */
    *skip = (size_t)used;
    utf8proc_category_t category = utf8proc_category(point);
    bool is = (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME) ||
              (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) ||
              utf8proc_get_property(point)->ignorable;
    return is ? (size_t)used : 0;
}

static bool next_word(xy_str text, size_t at, struct word *word)
{
    size_t skip, length;
    while (at < text.len && !wordly(text, at, &skip))
        at += skip;
    word->start = at;
    word->plain = true;
    while (at < text.len && (length = wordly(text, at, &skip)) > 0) {
        word->plain = word->plain && length == 1;
        at += length;
    }
    word->end = at;
    return word->end > word->start;
}

static uint64_t mix(uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * UINT64_C(0x100000001b3); /* FNV-1a */
}

static uint64_t finish(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 32;
}

static uint64_t hash_bytes(xy_str bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes.len; i++)
        hash = mix(hash, (unsigned char)bytes.ptr[i]);
    return finish(hash);
}

static size_t prefix_of(const char *bytes, size_t length)
{
    size_t first = length > 0 ? folded[(unsigned char)bytes[0] & 0x7f] : 0;
    size_t second = length > 1 ? folded[(unsigned char)bytes[1] & 0x7f] : 0;
    return (first << 8 | second) & 0xffff;
}

/* The folded, stemmed word's hash; 0 for what is no word. */
static uint64_t hash_word(struct phrases_scan *scan, const struct word *word)
{
    const char *bytes = scan->text.ptr + word->start;
    size_t length = word->end - word->start;
    if (length > LONGEST_WORD)
        return 0;
    if (word->plain && !scan->stem) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325);
        for (size_t i = 0; i < length; i++)
            hash = mix(hash, folded[(unsigned char)bytes[i]]);
        return finish(hash);
    }
    text_clear(&scan->scratch);
    fold_add(&scan->scratch, (xy_str){bytes, length}, FOLD_WORDS);
    if (scan->scratch.failed || scan->scratch.length == 0)
        return 0;
    xy_str plain = {scan->scratch.bytes, scan->scratch.length};
    return hash_bytes(scan->stem ? scan->stem->stem(scan->stem->data, plain) : plain);
}

/* ---- the set --------------------------------------------------------------------------------- */

static size_t slot_of(const struct phrases *phrases, uint32_t parent, uint64_t word)
{
    size_t slot = (word ^ parent * UINT64_C(0x9e3779b97f4a7c15)) & (phrases->room - 1);
    while (phrases->nodes[slot].id &&
           (phrases->nodes[slot].word != word || phrases->nodes[slot].parent != parent))
        slot = (slot + 1) & (phrases->room - 1);
    return slot;
}

static bool grow(struct phrases *phrases)
{
    struct phrases larger = {.count = phrases->count,
                             .room = phrases->room ? phrases->room * 2 : 256};
    if (phrases->count * 2 < phrases->room)
        return true;
    larger.nodes = calloc(larger.room, sizeof(*larger.nodes));
    if (!larger.nodes)
        return false;
    for (size_t i = 0; i < phrases->room; i++) {
        const struct phrases_node *node = &phrases->nodes[i];
        if (node->id)
            larger.nodes[slot_of(&larger, node->parent, node->word)] = *node;
    }
    free(phrases->nodes);
    phrases->nodes = larger.nodes;
    phrases->room = larger.room;
    return true;
}

static struct phrases_node *child(struct phrases *phrases, uint32_t parent, uint64_t word)
{
    if (!grow(phrases))
        return NULL;
    struct phrases_node *node = &phrases->nodes[slot_of(phrases, parent, word)];
    if (!node->id)
        *node = (struct phrases_node){word, parent, (uint32_t)++phrases->count + ROOT,
                                      PHRASES_NONE};
    return node;
}

int phrases_add(struct phrases *phrases, xy_str phrase, uint32_t number,
                const struct phrases_stem *stem)
{
    struct phrases_scan scan = {.text = phrase, .stem = stem};
    struct phrases_node *node = NULL;
    struct word word;
    bool failed = false;
    for (size_t at = 0; !failed && next_word(phrase, at, &word); at = word.end) {
        uint64_t hash = hash_word(&scan, &word);
        if (!hash && !scan.scratch.failed)
            continue;
        if (!node) {
            size_t prefix = prefix_of(phrase.ptr + word.start, word.end - word.start);
            phrases->first[hash >> 6 & 63] |= UINT64_C(1) << (hash & 63);
            phrases->prefix[prefix >> 6] |= UINT64_C(1) << (prefix & 63);
        }
        node = child(phrases, node ? node->id : ROOT, hash);
        failed = !node || scan.scratch.failed;
    }
    phrases_scan_free(&scan);
    if (failed)
        return XY_ENOMEM;
    if (!node)
        return XY_EINVAL;
    if (node->number == PHRASES_NONE)
        node->number = number;
    return XY_OK;
}

void phrases_free(struct phrases *phrases)
{
    free(phrases->nodes);
    *phrases = (struct phrases){0};
}

/* ---- the search ------------------------------------------------------------------------------ */

/* The longest phrase that begins with `word`, whose hash is known. */
static bool longest(const struct phrases *phrases, struct phrases_scan *scan, struct word word,
                    uint64_t hash, struct phrases_hit *hit)
{
    bool found = false;
    size_t start = word.start;
    for (uint32_t parent = ROOT;;) {
        const struct phrases_node *node = &phrases->nodes[slot_of(phrases, parent, hash)];
        if (!node->id)
            return found;
        if (node->number != PHRASES_NONE) {
            *hit = (struct phrases_hit){start, word.end, node->number};
            found = true;
        }
        parent = node->id;
        if (!next_word(scan->text, word.end, &word))
            return found;
        hash = hash_word(scan, &word);
    }
}

int phrases_next(const struct phrases *phrases, struct phrases_scan *scan, struct phrases_hit *hit)
{
    struct word word;
    if (!phrases->count)
        return 0;
    while (next_word(scan->text, scan->at, &word)) {
        scan->at = word.end;
        if (word.plain && scan->stem && scan->stem->prefix_kept) {
            size_t prefix = prefix_of(scan->text.ptr + word.start, word.end - word.start);
            if (!(phrases->prefix[prefix >> 6] >> (prefix & 63) & 1))
                continue;
        }
        uint64_t hash = hash_word(scan, &word);
        if (scan->scratch.failed)
            return XY_ENOMEM;
        if (!(phrases->first[hash >> 6 & 63] >> (hash & 63) & 1) ||
            !longest(phrases, scan, word, hash, hit))
            continue;
        scan->at = hit->end;
        return 1;
    }
    return 0;
}

void phrases_scan_free(struct phrases_scan *scan)
{
    text_free(&scan->scratch);
}
