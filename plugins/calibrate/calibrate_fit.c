/* SPDX-License-Identifier: Apache-2.0 */
#include "calibrate_fit.h"

#include <math.h>
#include <stdlib.h>

#define SLOPE_LEAST 1e-3
#define SLOPE_MOST 1e3

static int make_room(struct rows *rows, size_t classes)
{
    if (rows->count + 1 >= rows->room) {
        size_t room = rows->room ? rows->room * 2 : 64;
        size_t *starts = realloc(rows->starts, (room + 1) * sizeof(*starts));
        if (starts)
            rows->starts = starts;
        uint32_t *truths = realloc(rows->truths, room * sizeof(*truths));
        if (truths)
            rows->truths = truths;
        if (!starts || !truths)
            return XY_ENOMEM;
        rows->room = room;
        rows->starts[0] = 0;
    }
    if (rows->length + classes > rows->capacity) {
        size_t capacity = 2 * rows->capacity + classes + 64;
        double *logs = realloc(rows->logs, capacity * sizeof(*logs));
        if (logs)
            rows->logs = logs;
        double *stated = realloc(rows->stated, capacity * sizeof(*stated));
        if (stated)
            rows->stated = stated;
        if (!logs || !stated)
            return XY_ENOMEM;
        rows->capacity = capacity;
    }
    return XY_OK;
}

int rows_add(struct rows *rows, const double *probabilities, size_t classes, uint32_t truth,
             double floor)
{
    int code = make_room(rows, classes);
    if (code < 0)
        return code;
    for (size_t j = 0; j < classes; j++) {
        rows->stated[rows->length] = probabilities[j];
        rows->logs[rows->length++] = log(fmax(probabilities[j], floor));
    }
    rows->truths[rows->count++] = truth;
    rows->starts[rows->count] = rows->length;
    return XY_OK;
}

void rows_free(struct rows *rows)
{
    free(rows->logs);
    free(rows->stated);
    free(rows->starts);
    free(rows->truths);
    memset(rows, 0, sizeof(*rows));
}

/* The first derivative of the negative log-likelihood by the slope: over rows, the mean logarithm
 * under the tempered probabilities less that of the truth. It grows with the slope. */
static double temperature_gradient(const struct rows *rows, double slope, size_t folds, size_t fold)
{
    double gradient = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (folds && i % folds == fold)
            continue;
        const double *logs = rows->logs + rows->starts[i];
        size_t classes = rows->starts[i + 1] - rows->starts[i];
        double most = -INFINITY, sum = 0, mean = 0;
        for (size_t j = 0; j < classes; j++)
            most = fmax(most, slope * logs[j]);
        for (size_t j = 0; j < classes; j++) {
            double share = exp(slope * logs[j] - most);
            sum += share;
            mean += share * logs[j];
        }
        gradient += mean / sum - logs[rows->truths[i]];
    }
    return gradient;
}

/* The likelihood is convex in the slope, so that halving the interval of its logarithm finds it. */
static void fit_temperature(const struct rows *rows, struct calibration *calibration, size_t folds,
                            size_t fold)
{
    double low = log(SLOPE_LEAST), high = log(SLOPE_MOST);
    bool below = temperature_gradient(rows, SLOPE_LEAST, folds, fold) >= 0;
    bool above = temperature_gradient(rows, SLOPE_MOST, folds, fold) <= 0;
    calibration->bounded = below || above;
    if (below && above) /* every class of every row is as likely: any slope is as good */
        return;
    for (int i = 0; i < 200 && !calibration->bounded && high - low > 1e-15; i++) {
        double middle = (low + high) / 2;
        if (temperature_gradient(rows, exp(middle), folds, fold) > 0)
            high = middle;
        else
            low = middle;
    }
    calibration->slope = below ? SLOPE_LEAST : above ? SLOPE_MOST : exp((low + high) / 2);
}

struct newton {
    double loss, slope, offset;        /* the loss and its gradient */
    double curve, cross, offset_curve; /* second derivatives */
};

static struct newton platt_look(const struct rows *rows, double slope, double offset,
                                const double targets[2], size_t folds, size_t fold)
{
    struct newton at = {.curve = 1e-12, .offset_curve = 1e-12};
    for (size_t i = 0; i < rows->count; i++) {
        if (folds && i % folds == fold)
            continue;
        const double *logs = rows->logs + rows->starts[i];
        double x = logs[0] - logs[1], z = slope * x + offset, target = targets[rows->truths[i]];
        double p = z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z));
        at.loss += (z >= 0 ? z : 0) + log1p(exp(-fabs(z))) - target * z;
        at.slope += (p - target) * x;
        at.offset += p - target;
        at.curve += p * (1 - p) * x * x;
        at.cross += p * (1 - p) * x;
        at.offset_curve += p * (1 - p);
    }
    return at;
}

static void fit_platt(const struct rows *rows, struct calibration *calibration, size_t folds,
                      size_t fold)
{
    double counts[2] = {0, 0};
    for (size_t i = 0; i < rows->count; i++)
        if (!folds || i % folds != fold)
            counts[rows->truths[i]]++;
    const double targets[2] = {(counts[0] + 1) / (counts[0] + 2), 1 / (counts[1] + 2)};
    double slope = 1, offset = 0;
    struct newton at = platt_look(rows, slope, offset, targets, folds, fold);
    for (int i = 0; i < 100; i++) {
        double determinant = at.curve * at.offset_curve - at.cross * at.cross;
        if (!(determinant > 0) || hypot(at.slope, at.offset) < 1e-10)
            break;
        double step = (at.offset_curve * at.slope - at.cross * at.offset) / determinant;
        double shift = (at.curve * at.offset - at.cross * at.slope) / determinant, part = 1;
        struct newton next = platt_look(rows, slope - step, offset - shift, targets, folds, fold);
        while (!(next.loss <= at.loss) && part > 1e-10) {
            part /= 2;
            next = platt_look(rows, slope - part * step, offset - part * shift, targets, folds,
                              fold);
        }
        if (!(next.loss <= at.loss))
            break;
        slope -= part * step;
        offset -= part * shift;
        at = next;
    }
    calibration->slope = slope;
    calibration->offset = offset;
    calibration->bounded = counts[0] == 0 || counts[1] == 0; /* only the targets settle it */
}

struct calibration calibrate_fit(const struct rows *rows, enum calibrate_method method,
                                 size_t folds, size_t fold)
{
    struct calibration calibration = {.method = method, .slope = 1};
    if (method == CALIBRATE_PLATT)
        fit_platt(rows, &calibration, folds, fold);
    else
        fit_temperature(rows, &calibration, folds, fold);
    return calibration;
}

void calibrate_apply(const struct calibration *calibration, const double *logs, size_t classes,
                     double *probabilities)
{
    if (calibration->method == CALIBRATE_PLATT && classes == 2) {
        double z = calibration->slope * (logs[0] - logs[1]) + calibration->offset;
        probabilities[0] = z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z));
        probabilities[1] = 1 - probabilities[0];
        return;
    }
    double most = -INFINITY, sum = 0;
    for (size_t j = 0; j < classes; j++)
        most = fmax(most, calibration->slope * logs[j]);
    for (size_t j = 0; j < classes; j++) {
        probabilities[j] = exp(calibration->slope * logs[j] - most);
        sum += probabilities[j];
    }
    for (size_t j = 0; j < classes; j++)
        probabilities[j] /= sum;
}
