/* SPDX-License-Identifier: Apache-2.0 */
#include "confusion.h"

#include <math.h>
#include <stdlib.h>

#define NORMAL_QUANTILE 1.959963984540054 /* of 0.975: two-sided 95 % */

int confusion_init(struct confusion *confusion, uint32_t classes)
{
    confusion->classes = classes;
    confusion->total = 0;
    confusion->cells = calloc((size_t)classes * classes + 1, sizeof(*confusion->cells));
    return confusion->cells ? XY_OK : XY_ENOMEM;
}

void confusion_add(struct confusion *confusion, uint32_t gold, uint32_t predicted)
{
    confusion->cells[(size_t)gold * confusion->classes + predicted]++;
    confusion->total++;
}

void confusion_free(struct confusion *confusion)
{
    free(confusion->cells);
    memset(confusion, 0, sizeof(*confusion));
}

static uint64_t cell(const struct confusion *confusion, uint32_t gold, uint32_t predicted)
{
    return confusion->cells[(size_t)gold * confusion->classes + predicted];
}

uint64_t confusion_hits(const struct confusion *confusion)
{
    uint64_t hits = 0;
    for (uint32_t i = 0; i < confusion->classes; i++)
        hits += cell(confusion, i, i);
    return hits;
}

uint64_t confusion_gold(const struct confusion *confusion, uint32_t class_index)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < confusion->classes; i++)
        sum += cell(confusion, class_index, i);
    return sum;
}

uint64_t confusion_predicted(const struct confusion *confusion, uint32_t class_index)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < confusion->classes; i++)
        sum += cell(confusion, i, class_index);
    return sum;
}

struct estimate confusion_wilson(uint64_t hits, uint64_t n)
{
    if (n == 0)
        return (struct estimate){NAN, NAN, NAN};
    double count = (double)n, p = (double)hits / count, z = NORMAL_QUANTILE;
    double spread = z * sqrt(p * (1 - p) / count + z * z / (4 * count * count));
    double scale = 1 + z * z / count, middle = p + z * z / (2 * count);
    double low = (middle - spread) / scale, high = (middle + spread) / scale;
    /* At 0 and n hits the ends are exactly 0 and 1, which rounding would miss. */
    return (struct estimate){p, hits == 0 ? 0 : low, hits == n ? 1 : high};
}

struct estimate confusion_accuracy(const struct confusion *confusion)
{
    return confusion_wilson(confusion_hits(confusion), confusion->total);
}

double confusion_f1(const struct confusion *confusion, uint32_t class_index)
{
    uint64_t both = confusion_gold(confusion, class_index) +
                    confusion_predicted(confusion, class_index);
    return both ? 2 * (double)cell(confusion, class_index, class_index) / (double)both : 0;
}

double confusion_macro_f1(const struct confusion *confusion)
{
    double sum = 0;
    uint32_t occurring = 0;
    for (uint32_t i = 0; i < confusion->classes; i++) {
        if (confusion_gold(confusion, i) + confusion_predicted(confusion, i) == 0)
            continue;
        sum += confusion_f1(confusion, i);
        occurring++;
    }
    return occurring ? sum / occurring : NAN;
}

/* The variance of kappa times n (1 - chance)^2, from the shares of rows and columns. */
static double kappa_variance(const struct confusion *confusion, const double *gold,
                             const double *predicted, double chance, double kappa)
{
    double n = (double)confusion->total, on = 0, off = 0;
    for (uint32_t i = 0; i < confusion->classes; i++) {
        for (uint32_t j = 0; j < confusion->classes; j++) {
            double share = (double)cell(confusion, i, j) / n;
            double cross = 1 - (gold[i] + predicted[i]) * (1 - kappa);
            if (i == j)
                on += share * cross * cross;
            else
                off += share * (predicted[i] + gold[j]) * (predicted[i] + gold[j]);
        }
    }
    double rest = kappa - chance * (1 - kappa);
    return on + (1 - kappa) * (1 - kappa) * off - rest * rest;
}

struct estimate confusion_kappa(const struct confusion *confusion)
{
    struct estimate none = {NAN, NAN, NAN};
    double n = (double)confusion->total, chance = 0;
    double *shares = calloc((size_t)confusion->classes * 2 + 1, sizeof(*shares));
    if (!shares)
        return none;
    double *gold = shares, *predicted = shares + confusion->classes;
    for (uint32_t i = 0; i < confusion->classes && n > 0; i++) {
        gold[i] = (double)confusion_gold(confusion, i) / n;
        predicted[i] = (double)confusion_predicted(confusion, i) / n;
        chance += gold[i] * predicted[i];
    }
    struct estimate kappa = none;
    if (n > 0 && chance < 1) {
        kappa.value = ((double)confusion_hits(confusion) / n - chance) / (1 - chance);
        double variance = kappa_variance(confusion, gold, predicted, chance, kappa.value);
        double error = sqrt(fmax(variance, 0) / n) / (1 - chance);
        kappa.low = fmax(kappa.value - NORMAL_QUANTILE * error, -1);
        kappa.high = fmin(kappa.value + NORMAL_QUANTILE * error, 1);
    }
    free(shares);
    return kappa;
}

static void write_ratio(struct text *out, const char *key, double part, double whole)
{
    text_add_literal(out, key);
    if (whole > 0)
        text_add_number(out, part / whole);
    else
        text_add_literal(out, "null");
}

void confusion_write_classes(const struct confusion *confusion, const struct names *names,
                             struct text *out)
{
    text_add_literal(out, "[");
    for (uint32_t i = 0; i < confusion->classes; i++) {
        uint64_t gold = confusion_gold(confusion, i), predicted = confusion_predicted(confusion, i);
        uint64_t hits = cell(confusion, i, i);
        text_add_literal(out, i ? ",{\"class\":" : "{\"class\":");
        text_add_json(out, names_at(names, i));
        text_add_literal(out, ",\"gold\":");
        text_add_integer(out, gold);
        text_add_literal(out, ",\"predicted\":");
        text_add_integer(out, predicted);
        text_add_literal(out, ",\"hits\":");
        text_add_integer(out, hits);
        write_ratio(out, ",\"precision\":", (double)hits, (double)predicted);
        write_ratio(out, ",\"recall\":", (double)hits, (double)gold);
        write_ratio(out, ",\"f1\":", 2 * (double)hits, (double)(gold + predicted));
        text_add_literal(out, "}");
    }
    text_add_literal(out, "]");
}

void confusion_write_matrix(const struct confusion *confusion, const struct names *names,
                            struct text *out)
{
    text_add_literal(out, "{\"classes\":[");
    for (uint32_t i = 0; i < confusion->classes; i++) {
        text_add_literal(out, i ? "," : "");
        text_add_json(out, names_at(names, i));
    }
    text_add_literal(out, "],\"rows\":[");
    for (uint32_t i = 0; i < confusion->classes; i++) {
        text_add_literal(out, i ? ",[" : "[");
        for (uint32_t j = 0; j < confusion->classes; j++) {
            text_add_literal(out, j ? "," : "");
            text_add_integer(out, cell(confusion, i, j));
        }
        text_add_literal(out, "]");
    }
    text_add_literal(out, "]}");
}
