/* SPDX-License-Identifier: Apache-2.0 */
#include "budget.h"

#include <xxhash.h>

/* The entry of the journal, in the machine's byte order like the rest of the log. */
struct spent_entry {
    uint32_t magic, version;
    struct spent spent;
};

enum { SPENT_MAGIC = 0x54505358, SPENT_VERSION = 1 }; /* "XSPT" */

double prices_cost(const struct prices *prices, double prompt, double cached, double output)
{
    double cached_price = prices->cached > 0 ? prices->cached : prices->input;
    if (cached > prompt)
        cached = prompt;
    return ((prompt - cached) * prices->input + cached * cached_price + output * prices->output) /
           1e6;
}

enum budget_verdict budget_ask(const struct budget *budget, double money, double tokens)
{
    const struct spent *spent = &budget->spent;
    double paid_tokens = (double)(spent->prompt_tokens + spent->output_tokens);
    bool money_fits = budget->money_limit <= 0 ||
                      (spent->money < budget->money_limit &&
                       spent->money + budget->reserved_money + money <= budget->money_limit);
    bool tokens_fit =
        budget->token_limit <= 0 || paid_tokens + budget->reserved_tokens + tokens <=
                                        (double)budget->token_limit;
    if (money_fits && tokens_fit)
        return BUDGET_FITS;
    return budget->reservations > 0 ? BUDGET_WAIT : BUDGET_SPENT;
}

void budget_reserve(struct budget *budget, double money, double tokens)
{
    budget->reservations++;
    budget->reserved_money += money;
    budget->reserved_tokens += tokens;
}

void budget_release(struct budget *budget, double money, double tokens)
{
    budget->reservations--;
    budget->reserved_money -= money;
    budget->reserved_tokens -= tokens;
    if (budget->reservations == 0) /* No drift of rounded sums from one call to the next. */
        budget->reserved_money = budget->reserved_tokens = 0;
}

static struct journal_key spent_key(uint64_t run_id)
{
    static const char name[] = "xylem: spent by run";
    XXH128_hash_t hash = XXH3_128bits_withSeed(name, sizeof(name), run_id);
    return (struct journal_key){.high = hash.high64, .low = hash.low64};
}

void budget_load(struct budget *budget, struct journal *journal, uint64_t run_id)
{
    struct buffer buffer;
    struct spent_entry entry;
    buffer_init(&buffer, 1 << 16);
    if (journal_find(journal, spent_key(run_id), &buffer) && buffer.length == sizeof(entry)) {
        memcpy(&entry, buffer.bytes, sizeof(entry));
        if (entry.magic == SPENT_MAGIC && entry.version == SPENT_VERSION)
            budget->spent = entry.spent;
    }
    buffer_free(&buffer);
}

void budget_append(const struct budget *budget, struct journal *journal, uint64_t run_id)
{
    struct spent_entry entry = {SPENT_MAGIC, SPENT_VERSION, budget->spent};
    journal_append(journal, spent_key(run_id), (xy_str){(const char *)&entry, sizeof(entry)});
}
