/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BODY_LIMIT = 1 << 23 };

struct counts *counts_open(const char *path)
{
    int file = -1, flags = MAP_SHARED | MAP_ANONYMOUS;
    if (path) {
        flags = MAP_SHARED;
        file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file < 0 || ftruncate(file, sizeof(struct counts)) != 0) {
            perror(path);
            if (file >= 0)
                close(file);
            return NULL;
        }
    }
    struct counts *counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, flags, file, 0);
    if (file >= 0)
        close(file);
    if (counts == MAP_FAILED) {
        perror("test_server: mmap");
        return NULL;
    }
    counts->magic = COUNTS_MAGIC;
    return counts;
}

void counts_reset(struct counts *counts)
{
    struct counts fresh = {
        .magic = COUNTS_MAGIC,
        .in_flight = counts->in_flight,
        .in_flight_max = counts->in_flight,
        .connections_open = counts->connections_open,
        .connections_open_max = counts->connections_open,
    };
    *counts = fresh;
}

static void member(struct out *out, const char *name, uint64_t value)
{
    out_format(out, "\"%s\":%llu,", name, (unsigned long long)value);
}

void counts_write(const struct counts *counts, struct out *out)
{
    out_text(out, "{");
    member(out, "requests", counts->requests);
    member(out, "distinct_bodies", counts->distinct_bodies);
    member(out, "in_flight", counts->in_flight);
    member(out, "in_flight_max", counts->in_flight_max);
    member(out, "connections", counts->connections);
    member(out, "connections_open", counts->connections_open);
    member(out, "connections_open_max", counts->connections_open_max);
    member(out, "early", counts->early);
    member(out, "answered_max", counts->answered_max);
    member(out, "answered_again", counts->answered_again);
    member(out, "attempts_max", counts->attempts_max);
    member(out, "resets", counts->resets);
    member(out, "truncated", counts->truncated);
    member(out, "malformed", counts->malformed);
    member(out, "slow", counts->slow);
    member(out, "proxied", counts->proxied);
    member(out, "limited", counts->limited);
    member(out, "compressed", counts->compressed);
    out_text(out, "\"status\":{");
    const char *comma = "";
    for (int status = 0; status < STATUS_LIMIT; status++) {
        if (!counts->by_status[status])
            continue;
        out_format(out, "%s\"%d\":%llu", comma, status,
                   (unsigned long long)counts->by_status[status]);
        comma = ",";
    }
    out_text(out, "}}\n");
}

static struct body *place_of(const struct body_table *table, uint64_t hash)
{
    size_t index = hash & (table->capacity - 1);
    while (table->bodies[index].hash && table->bodies[index].hash != hash)
        index = (index + 1) & (table->capacity - 1);
    return &table->bodies[index];
}

static bool grow(struct body_table *table)
{
    struct body_table wider = {.count = table->count,
                               .capacity = table->capacity ? table->capacity * 2 : 1024};
    wider.bodies = calloc(wider.capacity, sizeof(*wider.bodies));
    if (!wider.bodies)
        return false;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->bodies[i].hash)
            *place_of(&wider, table->bodies[i].hash) = table->bodies[i];
    free(table->bodies);
    *table = wider;
    return true;
}

struct body *body_find(struct body_table *table, uint64_t hash)
{
    hash += hash == 0;
    if (table->count * 4 >= table->capacity * 3 && !grow(table))
        return NULL;
    struct body *body = place_of(table, hash);
    if (body->hash)
        return body;
    if (table->count == BODY_LIMIT)
        return NULL;
    table->count++;
    body->hash = hash;
    return body;
}

void body_table_free(struct body_table *table)
{
    free(table->bodies);
    *table = (struct body_table){0};
}
