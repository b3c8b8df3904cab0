/* SPDX-License-Identifier: Apache-2.0 */
/* The reader that mends the usual slips of models. Where two readings are possible it takes the
 * one that keeps the answer's text, and where a value would have to be invented it leaves the
 * member out. */
#include <string.h>
#include <strings.h>

#include "json_internal.h"
#include "json_mend.h"

/* Repeated keys in one object: the last value wins, but an object full of them is no slip. */
enum { REPEATED_KEYS = 64 };

static bool skip_comment(struct mender *mender)
{
    const char *at = mender->at;
    size_t left = (size_t)(mender->end - at);
    if (left > 1 && at[0] == '/' && at[1] == '*') {
        const char *close = memmem(at + 2, left - 2, "*/", 2);
        mender->at = close ? close + 2 : mender->end;
        return true;
    }
    if (*at != '#' && !(left > 1 && at[0] == '/' && at[1] == '/'))
        return false;
    const char *newline = memchr(at, '\n', left);
    mender->at = newline ? newline : mender->end;
    return true;
}

/* Space that only JSON does not take for space, and dots that stand for "and so on". */
static size_t odd_space(const char *at, size_t left)
{
    static const char *const odd[] = {"\xc2\xa0",     "\xef\xbb\xbf", "...",
                                      "\xe2\x80\xa6", "\f",           "\v"};
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        size_t length = strlen(odd[i]);
        if (length <= left && memcmp(at, odd[i], length) == 0)
            return length;
    }
    return 0;
}

void mender_skip(struct mender *mender)
{
    while (mender->at < mender->end) {
        char c = *mender->at;
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            mender->at++;
            continue;
        }
        size_t left = (size_t)(mender->end - mender->at);
        if (left >= 3 && memcmp(mender->at, "```", 3) == 0) {
            mender->end = mender->at; /* the block was closed, so the answer was cut before */
            return;
        }
        size_t odd = odd_space(mender->at, left);
        if (odd == 0 && !skip_comment(mender))
            return;
        mender->at += odd;
        mender->mended = true;
    }
}

char mender_peek(const struct mender *mender)
{
    return mender->at < mender->end ? *mender->at : '\0';
}

static bool mend_end(struct mender *mender)
{
    if (mender->at < mender->end)
        return false;
    mender->mended = mender->cut = true;
    return true;
}

/* Whether the list or map that is being read ends here; consumes its bracket. */
static bool at_close(struct mender *mender, bool map)
{
    if (mend_end(mender))
        return true;
    char c = *mender->at;
    if (c != ']' && c != '}')
        return false;
    if ((c == '}') == map) {
        mender->at++;
        return true;
    }
    mender->mended = true;
    /* Another kind of bracket: ours is missing where an outer one fits, else it is a mistyped
     * ours. */
    if (!(map ? mender->open_lists : mender->open_maps))
        mender->at++;
    return true;
}

/* Skips the comma behind an item; more or fewer than one is a slip. */
static void skip_commas(struct mender *mender, bool after_item)
{
    size_t commas = 0;
    mender_skip(mender);
    while (mender_peek(mender) == ',') {
        commas++;
        mender->at++;
        mender_skip(mender);
    }
    char next = mender_peek(mender);
    bool closing = next == ']' || next == '}';
    if (commas != (size_t)(after_item && !closing))
        mender->mended = true;
}

static enum mend read_nested(struct mender *mender, struct value *out);

static enum mend read_value(struct mender *mender, enum mend_role role, struct value *out)
{
    mender_skip(mender);
    char c = mender_peek(mender);
    if (mender->at == mender->end || c == ',' || c == ']' || c == '}')
        return MEND_NOTHING;
    if (c == '{' || c == '[')
        return read_nested(mender, out);
    if (mender_at_quote(mender)) {
        out->type = VALUE_TEXT;
        return mender_read_text(mender, role, &out->text);
    }
    if (strchr("+-.0123456789", c))
        return mender_read_number(mender, out);
    return mender_read_word(mender, out);
}

static enum mend read_list(struct mender *mender, struct value *out)
{
    size_t base = mender->stack.count;
    for (bool after_item = false;; after_item = true) {
        skip_commas(mender, after_item);
        if (at_close(mender, false))
            break;
        struct value item = {0};
        enum mend mend = read_value(mender, MEND_ITEM, &item);
        if (mend == MEND_FAILED)
            return mend;
        if (mend == MEND_NOTHING)
            mender->mended = true;
        else
            *json_stack_push(&mender->stack) = (struct member){.value = item};
    }
    *out = json_stack_list(&mender->stack, base, mender->arena);
    return MEND_READ;
}

/* The last value of a repeated key takes the place of the first, as Python's json has it. */
static bool drop_repeated(struct mender *mender, size_t base)
{
    for (int round = 0; round < REPEATED_KEYS; round++) {
        size_t count = mender->stack.count - base;
        if (count == 0)
            return true;
        struct member *members = mender->stack.members + base;
        const struct member *twice = value_duplicate(members, count);
        if (!twice)
            return true;
        size_t at = (size_t)(twice - members), first = 0;
        while (!str_equal(members[first].key, twice->key))
            first++;
        members[first].value = twice->value;
        memmove(members + at, members + at + 1, (count - at - 1) * sizeof(*members));
        mender->stack.count--;
        mender->mended = true;
    }
    return false;
}

static enum mend read_member(struct mender *mender)
{
    struct member member = {0};
    enum mend mend = mender_read_key(mender, &member.key);
    if (mend == MEND_FAILED)
        return mend;
    mender_skip(mender);
    if (mend_end(mender))
        return MEND_NOTHING;
    if (*mender->at != ':')
        return MEND_FAILED;
    mender->at++;
    mend = read_value(mender, MEND_MEMBER, &member.value);
    if (mend == MEND_READ)
        *json_stack_push(&mender->stack) = member;
    return mend;
}

static enum mend read_map(struct mender *mender, struct value *out)
{
    size_t base = mender->stack.count;
    for (bool after_item = false;; after_item = true) {
        skip_commas(mender, after_item);
        if (at_close(mender, true))
            break;
        enum mend mend = read_member(mender);
        if (mend == MEND_FAILED)
            return mend;
        if (mend == MEND_NOTHING)
            mender->mended = true;
    }
    if (!drop_repeated(mender, base))
        return MEND_FAILED;
    *out = json_stack_map(&mender->stack, base, mender->arena);
    return MEND_READ;
}

static enum mend read_nested(struct mender *mender, struct value *out)
{
    if (mender->open_lists + mender->open_maps == JSON_DEPTH)
        return MEND_FAILED;
    bool map = *mender->at++ == '{';
    int *open = map ? &mender->open_maps : &mender->open_lists;
    ++*open;
    enum mend mend = map ? read_map(mender, out) : read_list(mender, out);
    --*open;
    return mend;
}

bool json_mend(struct arena *arena, xy_str text, struct value *out, size_t *used)
{
    struct mender mender = {.arena = arena, .at = text.ptr, .end = text.ptr + text.len};
    buffer_init(&mender.scratch, text.len * 3 + 16); /* U+FFFD is three bytes for one */
    bool good = read_nested(&mender, out) == MEND_READ;
    *used = (size_t)(mender.at - text.ptr);
    size_t count = out->type == VALUE_MAP ? out->map.count : out->list.count;
    json_stack_free(&mender.stack);
    buffer_free(&mender.scratch);
    /* A bracket and then the end is prose, or an answer without content. */
    return good && !(mender.cut && count == 0);
}
