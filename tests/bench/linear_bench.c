/* SPDX-License-Identifier: Apache-2.0 */
/* The solver of `linear` beside liblinear, on one feature matrix in one process, in turns.
 *
 *     linear_bench KIND ROWS CLASSES [C [LIBRARY ...]]
 *
 * KIND is `texts` or `vectors` (made here, see linear_data.c) or a file of lines "class TAB text".
 * A LIBRARY is a liblinear shared object. Each way to train prints the CPU seconds of the quickest
 * of three turns and how far the objective it ends at is above the least that any way found,
 * relative to that. FEW=1: one turn, and fewer ways.
 *
 * Only ways that solve the same problem are compared so: liblinear's dual solver, and all of
 * liblinear before 2.40, draw the intercept to 0 like any other weight; ours does not, and the
 * primal solver of 2.40 and later is told not to. linear.py runs this. */
#include <math.h>

#include "linear_liblinear.h"
#include "linear_data.h"
#include "linear_solver.h"
#include "measure.h"

enum { TURNS = 3, MOST_PEERS = 3, MOST_WAYS = 32 };

struct way {
    char name[64];
    const struct peer *peer; /* NULL: ours */
    int solver;
    double tolerance;
    bool flat;               /* the intercept is not drawn to 0 */
    double seconds, value;
    double *weights;         /* classes x (columns + 1), the intercept last in each */
};

static struct way ways[MOST_WAYS];
static size_t way_count;

static struct way *add_way(const struct peer *peer, int solver, double tolerance)
{
    struct way *way = &ways[way_count++];
    *way = (struct way){.peer = peer, .solver = solver, .tolerance = tolerance,
                        .flat = !peer || (solver == 0 && peer->version >= 240),
                        .seconds = INFINITY};
    if (peer)
        snprintf(way->name, sizeof(way->name), "liblinear %d.%d -s %d -e %g", peer->version / 100,
                 peer->version % 100, solver, tolerance);
    else
        snprintf(way->name, sizeof(way->name), "linear, tolerance %g", tolerance);
    return way;
}

static int never(const xy_job *job)
{
    (void)job;
    return 0;
}

static const xy_job_api job_api = {.size = sizeof(job_api), .cancelled = never};

static double sign_of(const struct bench_rows *rows, size_t row, uint32_t problem)
{
    uint32_t positive = rows->problems == 1 ? 1 : problem;
    return rows->labels[row] == positive ? 1 : -1;
}

/* A copy of the matrix is made first, untimed: the solver takes the one it is given apart. */
static struct matrix copy_of(const struct matrix *matrix)
{
    struct matrix copy = *matrix;
    copy.entries = malloc(matrix->entry_count * sizeof(*copy.entries) + 1);
    copy.starts = malloc((matrix->rows + 1) * sizeof(*copy.starts));
    if (!copy.entries || !copy.starts)
        exit(1);
    memcpy(copy.entries, matrix->entries, matrix->entry_count * sizeof(*copy.entries));
    memcpy(copy.starts, matrix->starts, (matrix->rows + 1) * sizeof(*copy.starts));
    return copy;
}

static void run_ours(struct way *way, const struct bench_rows *rows, double c)
{
    xy_job job = {.api = &job_api};
    size_t count = rows->matrix.rows, width = (size_t)rows->matrix.columns + 1;
    double *targets = calloc(count * SOLVER_MOST, sizeof(*targets));
    double *costs = calloc(count, sizeof(*costs));
    double *solution = calloc(width * rows->problems, sizeof(*solution));
    struct matrix matrix = copy_of(&rows->matrix);
    struct linear_rows parts;
    double start = cpu_seconds();
    if (linear_rows_init(&parts, &matrix) < 0)
        exit(1);
    for (size_t i = 0; i < count; i++)
        costs[i] = c;
    for (uint32_t first = 0; first < rows->problems; first += SOLVER_MOST) {
        size_t some = rows->problems - first < SOLVER_MOST ? rows->problems - first : SOLVER_MOST;
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < some; k++)
                targets[i * some + k] = sign_of(rows, i, first + (uint32_t)k) > 0;
        const struct task task = {.rows = &parts, .problems = some, .targets = targets,
                                  .costs = costs, .tolerance = way->tolerance, .job = &job};
        if (solver_run(&task, solution + first, rows->problems) < 0)
            exit(1);
    }
    way->seconds = fmin(way->seconds, cpu_seconds() - start);
    for (size_t j = 0; j < width; j++)
        for (size_t p = 0; p < rows->problems; p++)
            way->weights[p * width + j] = solution[j * rows->problems + p];
    linear_rows_free(&parts);
    matrix_free(&matrix);
    free(solution);
    free(targets);
    free(costs);
}

/* The sum of the problems' objectives. */
static double objective(const struct bench_rows *rows, const double *weights, double c, bool flat)
{
    const struct matrix *matrix = &rows->matrix;
    double sum = 0;
    for (uint32_t p = 0; p < rows->problems; p++) {
        const double *own = weights + p * ((size_t)matrix->columns + 1);
        for (uint32_t j = 0; j < matrix->columns + !flat; j++)
            sum += own[j] * own[j] / 2;
        for (size_t i = 0; i < matrix->rows; i++) {
            double z = own[matrix->columns];
            for (size_t j = matrix->starts[i]; j < matrix->starts[i + 1]; j++)
                z += own[matrix->entries[j].column] * (double)matrix->entries[j].value;
            z *= sign_of(rows, i, p);
            sum += c * (log1p(exp(-fabs(z))) + (z < 0 ? -z : 0));
        }
    }
    return sum;
}

static void train(struct way *way, const struct bench_rows *rows, double c)
{
    if (way->peer) {
        double seconds = peer_train(way->peer, rows, way->solver, way->tolerance, c, way->flat,
                                    way->weights);
        way->seconds = fmin(way->seconds, seconds);
    } else {
        run_ours(way, rows, c);
    }
    way->value = objective(rows, way->weights, c, way->flat);
}

/* The least objective that any way found for the problem that `like` solves. */
static double least_value(const struct way *like)
{
    double least = INFINITY;
    for (size_t i = 0; i < way_count; i++)
        if (ways[i].flat == like->flat)
            least = fmin(least, ways[i].value);
    return least;
}

static void add_ways(const struct bench_rows *rows, int count, char **libraries, bool few)
{
    static struct peer peers[MOST_PEERS];
    static const double own[] = {1e-6, 1e-3, 1e-4, 1e-2, 1e-5, 1e-9};
    static const double primal[] = {1e-2, 1e-3, 1e-4, 1e-5}, dual[] = {0.1, 0.001, 1e-6, 0.01};
    for (size_t i = 0; i < (few ? 2 : 6); i++)
        add_way(NULL, 0, own[i]);
    for (int i = 0; i < count && i < MOST_PEERS; i++) {
        peer_open(&peers[i], libraries[i], rows);
        for (size_t j = 0; j < (few ? 1 : 4); j++)
            add_way(&peers[i], 0, primal[j]);
        for (size_t j = 0; j < (few ? 3 : 4); j++)
            add_way(&peers[i], 7, dual[j]);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 1;
    struct bench_rows rows;
    bench_rows_make(&rows, argv[1], argument(argc, argv, 2, 0),
                    (uint32_t)argument(argc, argv, 3, 2));
    double c = argc > 4 ? strtod(argv[4], NULL) : 10;
    bool few = getenv("FEW") != NULL;
    add_ways(&rows, argc > 5 ? argc - 5 : 0, argv + 5, few);
    size_t width = (size_t)rows.matrix.columns + 1;
    printf("%s: %zu rows, %u columns, %zu entries, %u classes, C %g, load %.1f\n", argv[1],
           rows.matrix.rows, rows.matrix.columns, rows.matrix.entry_count, rows.classes, c,
           load_average());
    for (size_t i = 0; i < way_count; i++)
        ways[i].weights = calloc(rows.problems * width, sizeof(double));
    for (int turn = 0; turn < (few ? 1 : TURNS); turn++)
        for (size_t i = 0; i < way_count; i++)
            train(&ways[i], &rows, c);
    for (size_t i = 0; i < way_count; i++)
        printf("%-32s %9.3f s  above the least by %8.1e\n", ways[i].name, ways[i].seconds,
               ways[i].value / least_value(&ways[i]) - 1);
    bench_rows_free(&rows);
    return 0;
}
