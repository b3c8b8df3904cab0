/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "calibrate_fit.h"

static size_t bin_of(double confidence, size_t bins)
{
    double place = ceil(confidence * (double)bins) - 1;
    return place < 0 ? 0 : place >= (double)bins ? bins - 1 : (size_t)place;
}

void measures_add(struct measures *measures, const double *probabilities, size_t classes,
                  uint32_t truth, bool first)
{
    size_t best = 0;
    double distance = 0, n = (double)++measures->count;
    for (size_t j = 0; j < classes; j++) {
        double gap = probabilities[j] - (j == truth ? 1 : 0);
        distance += gap * gap;
        if (!first && probabilities[j] > probabilities[best])
            best = j;
    }
    bool right = best == truth;
    double least = fmax(probabilities[truth], measures->floor);
    measures->likelihood += (-log(least) - measures->likelihood) / n;
    measures->brier += (distance - measures->brier) / n;
    measures->accuracy += ((right ? 1 : 0) - measures->accuracy) / n;
    struct bin *bin = &measures->bins[bin_of(probabilities[best], measures->bin_count)];
    bin->confidence += probabilities[best];
    bin->right += right;
    bin->count++;
}

double measures_error(const struct measures *measures)
{
    double sum = 0;
    for (size_t m = 0; m < measures->bin_count; m++)
        sum += fabs(measures->bins[m].confidence - measures->bins[m].right);
    return measures->count ? sum / (double)measures->count : NAN;
}

void measures_write(const struct measures *measures, struct text *json)
{
    const char *between = "[";
    for (size_t m = 0; m < measures->bin_count; m++) {
        const struct bin *bin = &measures->bins[m];
        if (!(bin->count > 0))
            continue;
        const struct {
            const char *name;
            double value;
        } members[] = {
            {"{\"low\":", (double)m / (double)measures->bin_count},
            {",\"high\":", (double)(m + 1) / (double)measures->bin_count},
            {",\"n\":", bin->count},
            {",\"confidence\":", bin->confidence / bin->count},
            {",\"accuracy\":", bin->right / bin->count},
        };
        text_add_literal(json, between);
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
            text_add_literal(json, members[i].name);
            text_add_number(json, members[i].value);
        }
        text_add_literal(json, "}");
        between = ",";
    }
    text_add_literal(json, *between == '[' ? "[]" : "]");
}
