/* SPDX-License-Identifier: Apache-2.0 */
/* budget.h - money and tokens: what was paid, what calls in flight may still cost, what is left.
 *
 * A call starts only when what is paid, what is reserved for the calls in flight and its own
 * estimate stay within the limit, so a hard budget is passed at most by what estimates were too
 * low. [loop]
 */
#ifndef XYLEM_CORE_BUDGET_H
#define XYLEM_CORE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "journal.h"

/* What was paid. */
struct spent {
    double money;
    uint64_t prompt_tokens, output_tokens;
};

struct budget {
    double money_limit;       /* 0: none */
    int64_t token_limit;      /* 0: none */
    struct spent spent;       /* by this run, earlier processes included */
    double reserved_money, reserved_tokens;
    uint32_t reservations;
};

enum budget_verdict {
    BUDGET_FITS = 1,
    BUDGET_WAIT,  /* calls in flight hold the rest: one that ends may leave enough */
    BUDGET_SPENT  /* nothing is in flight and the call still does not fit */
};

/* Prices in money per 1,000,000 tokens; `cached` 0: the same as `input`. */
struct prices {
    double input, cached, output;
};

double prices_cost(const struct prices *prices, double prompt, double cached, double output);

enum budget_verdict budget_ask(const struct budget *budget, double money, double tokens);
void budget_reserve(struct budget *budget, double money, double tokens);
void budget_release(struct budget *budget, double money, double tokens);

/* What a run has paid lives in the journal under a key of its own, written in the same system call
 * as the answers it paid for, the newest entry winning: a resumed run reads the exact sum back. */
void budget_load(struct budget *budget, struct journal *journal, uint64_t run_id);
void budget_append(const struct budget *budget, struct journal *journal, uint64_t run_id);

#endif
