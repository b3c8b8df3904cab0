/* SPDX-License-Identifier: Apache-2.0 */
/* out.h - a growing byte buffer for the test server, and hashing. One thread. */
#ifndef XYLEM_TESTS_SERVER_OUT_H
#define XYLEM_TESTS_SERVER_OUT_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed is empty. NUL-terminated once anything was added. */
struct out {
    char *bytes;
    size_t length, capacity;
};

/* Room for `length` more bytes; ends the program when there is no memory. */
char *out_reserve(struct out *out, size_t length);
void out_add(struct out *out, const void *bytes, size_t length);
void out_text(struct out *out, const char *text);
void out_format(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes; the input is valid UTF-8. */
void out_json_string(struct out *out, const char *text, size_t length);
/* Drops the first `length` bytes. */
void out_consume(struct out *out, size_t length);
void out_free(struct out *out);

/* FNV-1a (Fowler, Noll, Vo) by 64-bit words, then finished by mix(): equal in every run. */
uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t length);
/* SplitMix64's finisher (Steele, Lea, Flood 2014). */
uint64_t hash_mix(uint64_t value);
/* Uniform in [0, 1) from a hash. */
double hash_unit(uint64_t hash);

#endif
