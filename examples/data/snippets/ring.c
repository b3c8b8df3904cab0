/* SPDX-License-Identifier: Apache-2.0 */
/* A ring buffer of bytes: one writer, one reader. */
#include <stddef.h>

struct ring {
    unsigned char *bytes;
    size_t room, from, count;
};

/* How many of the bytes fitted. */
size_t ring_write(struct ring *ring, const unsigned char *bytes, size_t count)
{
    size_t written = 0;
    while (written < count && ring->count < ring->room) {
        size_t at = (ring->from + ring->count) % ring->room;
        ring->bytes[at] = bytes[written++];
        ring->count++;
    }
    return written;
}

/* The oldest byte, or -1 when there is none. */
int ring_read(struct ring *ring)
{
    if (ring->count == 0)
        return -1;
    int byte = ring->bytes[ring->from];
    ring->from = (ring->from + 1) % ring->room;
    ring->count--;
    return byte;
}
