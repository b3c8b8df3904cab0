/* SPDX-License-Identifier: Apache-2.0 */
#include "confident_joint.h"

#include <math.h>
#include <stdlib.h>

/* A probability this little under a threshold reaches it, and no threshold is below twice that. */
static const double SLACK = 1e-6;

static void find_thresholds(struct confident_joint *joint, const struct confident_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t label = rows->labels[i];
        joint->given[label]++;
        joint->thresholds[label] += (double)rows->probabilities[i * rows->classes + label];
    }
    for (uint32_t k = 0; k < rows->classes; k++) {
        joint->thresholds[k] = joint->given[k] ? joint->thresholds[k] / (double)joint->given[k] : 2;
        joint->thresholds[k] = fmax(joint->thresholds[k], 2 * SLACK);
    }
}

/* The least float that reaches a threshold: comparing floats is then the same as comparing
 * doubles. */
static float least_float(double threshold)
{
    float least = (float)threshold;
    return (double)least < threshold ? nextafterf(least, INFINITY) : least;
}

static uint32_t guess(const float *p, const float *reach, uint32_t classes)
{
    uint32_t reached = 0, one = 0, best = 0;
    for (uint32_t k = 0; k < classes; k++) {
        uint32_t reaches = p[k] >= reach[k];
        reached += reaches;
        one = reaches ? k : one;
    }
    if (reached <= 1)
        return reached ? one : CONFIDENT_NONE;
    for (uint32_t k = 1; k < classes; k++)
        best = p[k] > p[best] ? k : best;
    return best;
}

void confident_joint_round(const double *numbers, int64_t *whole, uint32_t *order, uint32_t count)
{
    double sum = 0, rounded = 0;
    for (uint32_t k = 0; k < count; k++) {
        double nearest = nearbyint(numbers[k]);
        whole[k] = (int64_t)nearest;
        sum += numbers[k];
        rounded += nearest;
        /* Sorted by what rounding took away, least first; equals by index. */
        uint32_t at = k;
        for (; at > 0; at--) {
            uint32_t other = order[at - 1];
            if (numbers[other] - (double)whole[other] <= numbers[k] - nearest)
                break;
            order[at] = other;
        }
        order[at] = k;
    }
    int64_t missing = (int64_t)nearbyint(nearbyint(sum) - rounded);
    for (uint32_t i = 0; missing > 0; i = (i + 1) % count, missing--)
        whole[order[count - 1 - i]]++;
    for (uint32_t i = 0; missing < 0; i = (i + 1) % count, missing++)
        whole[order[i]]--;
}

/* The calibration of equation 3: rows to the labels' counts, all to the number of records. */
static void calibrate(struct confident_joint *joint, const struct confident_rows *rows,
                      double *cells, uint32_t *order)
{
    uint32_t classes = rows->classes;
    double all = 0;
    for (uint32_t i = 0; i < classes; i++) {
        double sum = 0;
        for (uint32_t j = 0; j < classes; j++)
            sum += (double)joint->counts[i * classes + j];
        for (uint32_t j = 0; j < classes; j++) {
            double *cell = &cells[i * classes + j];
            *cell = (double)joint->counts[i * classes + j] / sum * (double)joint->given[i];
            all += *cell;
        }
    }
    for (size_t i = 0; i < (size_t)classes * classes; i++)
        cells[i] = cells[i] / all * (double)rows->count;
    for (size_t i = 0; i < classes; i++)
        confident_joint_round(cells + i * classes, joint->counts + i * classes, order, classes);
}

int confident_joint_fill(struct confident_joint *joint, const struct confident_rows *rows)
{
    uint32_t classes = rows->classes;
    size_t cells = (size_t)classes * classes;
    joint->thresholds = calloc(classes + cells + 1, sizeof(*joint->thresholds));
    joint->given = calloc(classes + 1, sizeof(*joint->given));
    joint->counts = calloc(cells + 1, sizeof(*joint->counts));
    joint->guesses = calloc(rows->count + 1, sizeof(*joint->guesses));
    float *reach = calloc(classes + 1, sizeof(*reach));
    uint32_t *order = calloc(classes + 1, sizeof(*order));
    int code = joint->thresholds && joint->given && joint->counts && joint->guesses && reach &&
                       order ? XY_OK : XY_ENOMEM;
    if (code == XY_OK && rows->count) {
        find_thresholds(joint, rows);
        for (uint32_t k = 0; k < classes; k++)
            reach[k] = least_float(joint->thresholds[k] - SLACK);
        for (size_t i = 0; i < rows->count; i++) {
            joint->guesses[i] = guess(rows->probabilities + i * classes, reach, classes);
            if (joint->guesses[i] != CONFIDENT_NONE)
                joint->counts[rows->labels[i] * classes + joint->guesses[i]]++;
        }
        /* Some record of each label is taken to be right, so that no row is empty. */
        for (uint32_t k = 0; k < classes; k++)
            joint->counts[k * classes + k] += joint->counts[k * classes + k] == 0;
        calibrate(joint, rows, joint->thresholds + classes, order);
    }
    free(reach);
    free(order);
    return code;
}

void confident_joint_free(struct confident_joint *joint)
{
    free(joint->thresholds);
    free(joint->given);
    free(joint->counts);
    free(joint->guesses);
    *joint = (struct confident_joint){.given = NULL};
}
