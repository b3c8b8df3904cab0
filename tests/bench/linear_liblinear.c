/* SPDX-License-Identifier: Apache-2.0 */
#include "linear_liblinear.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "measure.h"

/* The structures of linear.h; parameter has grown since 2.30. */
struct node {
    int index;
    double value;
};

struct problem {
    int l, n;
    double *y;
    struct node **x;
    double bias;
};

struct old_parameter {
    int solver_type;
    double eps, C;
    int nr_weight, *weight_label;
    double *weight, p, *init_sol;
};

struct new_parameter {
    int solver_type;
    double eps, C;
    int nr_weight, *weight_label;
    double *weight, p, nu, *init_sol;
    int regularize_bias;
    bool w_recalc;
};

union parameter {
    struct old_parameter old;
    struct new_parameter new;
};

struct model;

static void *find(const struct peer *peer, const char *name)
{
    void *symbol = dlsym(peer->library, name);
    if (!symbol) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return symbol;
}

static void quiet(const char *text)
{
    (void)text;
}

void peer_open(struct peer *peer, const char *path, const struct bench_rows *rows)
{
    const struct matrix *matrix = &rows->matrix;
    peer->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!peer->library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    peer->version = *(const int *)find(peer, "liblinear_version");
    void (*set_print)(void (*)(const char *)) = NULL;
    *(void **)&set_print = find(peer, "set_print_string_function");
    set_print(quiet);
    struct node *nodes = calloc(matrix->entry_count + 2 * matrix->rows, sizeof(*nodes));
    struct problem *problem = calloc(1, sizeof(*problem));
    *problem = (struct problem){.l = (int)matrix->rows, .n = (int)matrix->columns + 1, .bias = 1,
                                .y = calloc(matrix->rows, sizeof(double)),
                                .x = calloc(matrix->rows, sizeof(struct node *))};
    struct node *next = nodes;
    for (size_t i = 0; i < matrix->rows; i++) {
        problem->x[i] = next;
        problem->y[i] = rows->labels[i];
        for (size_t j = matrix->starts[i]; j < matrix->starts[i + 1]; j++)
            *next++ = (struct node){(int)matrix->entries[j].column + 1,
                                    (double)matrix->entries[j].value};
        *next++ = (struct node){(int)matrix->columns + 1, 1};
        (next++)->index = -1;
    }
    peer->nodes = nodes;
    peer->problem = problem;
}

double peer_train(const struct peer *peer, const struct bench_rows *rows, int solver,
                  double tolerance, double c, bool flat, double *weights)
{
    struct model *(*train)(const struct problem *, const void *) = NULL;
    double (*coefficient)(const struct model *, int, int) = NULL;
    double (*intercept)(const struct model *, int) = NULL;
    void (*labels_of)(const struct model *, int *) = NULL;
    void (*destroy)(struct model **) = NULL;
    *(void **)&train = find(peer, "train");
    *(void **)&coefficient = find(peer, "get_decfun_coef");
    *(void **)&intercept = find(peer, "get_decfun_bias");
    *(void **)&labels_of = find(peer, "get_labels");
    *(void **)&destroy = find(peer, "free_and_destroy_model");
    union parameter parameter = {.new = {.regularize_bias = !flat}};
    if (peer->version < 240)
        parameter.old = (struct old_parameter){.p = 0.1};
    parameter.old.solver_type = solver; /* the first members are alike */
    parameter.old.eps = tolerance;
    parameter.old.C = c;
    struct model *model = NULL;
    double start = cpu_seconds();
    model = train(peer->problem, &parameter);
    double seconds = cpu_seconds() - start;
    size_t width = (size_t)rows->matrix.columns + 1;
    /* Its classes stand in the order in which rows have them. */
    int *labels = calloc(rows->classes, sizeof(*labels));
    labels_of(model, labels);
    for (uint32_t k = 0; k < rows->classes; k++) {
        if (rows->problems == 1 && labels[k] == 0)
            continue; /* the one problem is that of class 1 */
        double *own = weights + (rows->problems == 1 ? 0 : (size_t)labels[k]) * width;
        for (size_t j = 0; j + 1 < width; j++)
            own[j] = coefficient(model, (int)j + 1, (int)k);
        own[width - 1] = intercept(model, (int)k);
    }
    free(labels);
    destroy(&model);
    return seconds;
}
