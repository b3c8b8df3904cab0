/* SPDX-License-Identifier: Apache-2.0 */
/* measure.h - clocks, memory and the one request body that the HTTP benchmarks share. */
#ifndef XYLEM_TESTS_BENCH_MEASURE_H
#define XYLEM_TESTS_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static inline double clock_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* User and system time of this process, all threads. */
static inline double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static inline double resident_mb(void)
{
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file) {
        if (fscanf(file, "%lu %lu", &total, &resident) != 2)
            resident = 0;
        fclose(file);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static inline double load_average(void)
{
    double load = 0;
    return getloadavg(&load, 1) == 1 ? load : 0;
}

static inline void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* A chat request of about 330 bytes, another one for each number; returns its length. */
static inline size_t bench_body(char *bytes, size_t size, size_t number)
{
    return (size_t)snprintf(
        bytes, size,
        "{\"model\":\"test-model\",\"messages\":[{\"role\":\"system\",\"content\":\"You write "
        "short "
        "film reviews that people would believe.\"},{\"role\":\"user\",\"content\":\"Write one "
        "positive review in a terse style, 30 to 80 words, about film number %zu. Do not mention "
        "the "
        "number.\"}],\"temperature\":0.7,\"max_tokens\":64}",
        number);
}

static inline size_t argument(int argc, char **argv, int index, size_t otherwise)
{
    return index < argc ? (size_t)strtoull(argv[index], NULL, 10) : otherwise;
}

static inline void report(const char *name, size_t in_flight, size_t calls, size_t good,
                          double seconds, double cpu)
{
    printf("%-12s in flight %5zu  calls %7zu  good %7zu  %8.0f calls/s  %6.1f us CPU per call  "
           "RSS %.1f MB\n",
           name, in_flight, calls, good, (double)calls / seconds, cpu / (double)calls * 1e6,
           resident_mb());
}

#endif
