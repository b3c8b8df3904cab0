/* SPDX-License-Identifier: Apache-2.0 */
/* journal_log.c - answers.log.
 *
 *   head    "xylemlog", u32 version (1), u32 0, u64 identity, u64 XXH3 of the 24 bytes before
 *   entry   u64 checksum, u32 length, u32 kind (1), u64 key high, u64 key low, the payload
 * All little-endian. The checksum is XXH3 of everything behind it, seeded with identity +
 * offset: an entry that was copied to another place, or that stands inside a payload, is not
 * taken for one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "journal_internal.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the log is little-endian");

enum { VERSION = 1, KIND_ANSWER = 1, FIRST_READ = 4096 };

static const char magic[8] = {'x', 'y', 'l', 'e', 'm', 'l', 'o', 'g'};

struct head {
    char magic[8];
    uint32_t version, zero;
    uint64_t identity, checksum;
};
_Static_assert(sizeof(struct head) == JOURNAL_HEAD, "the head has no padding");

struct entry {
    uint64_t checksum;
    uint32_t length, kind;
    struct journal_key key;
};
_Static_assert(sizeof(struct entry) == JOURNAL_ENTRY, "an entry has no padding");

/* ---- the file -------------------------------------------------------------------------------- */

/* Made beside and renamed, so that a log either has its whole head or is not there. */
static int create(const char *path, struct error *error)
{
    struct head head = {.version = VERSION};
    struct buffer name;
    memcpy(head.magic, magic, sizeof(magic));
    if (getrandom(&head.identity, sizeof(head.identity), 0) != sizeof(head.identity))
        return journal_io_error(error, path, "no random number for a new log");
    head.checksum = XXH3_64bits(&head, offsetof(struct head, checksum));
    buffer_init(&name, 1 << 16);
    buffer_printf(&name, "%s.new", path);
    int file = open(buffer_str(&name).ptr, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    bool made = file >= 0 && pwrite(file, &head, sizeof(head), 0) == sizeof(head) &&
                fdatasync(file) == 0 && rename(name.bytes, path) == 0;
    int rc = made ? 0 : journal_io_error(error, path, "cannot create the journal's log");
    if (file >= 0)
        close(file);
    if (!made)
        unlink(buffer_str(&name).ptr);
    buffer_free(&name);
    return rc;
}

static int check_head(struct journal_log *log, const char *path, struct error *error)
{
    struct head head = {0};
    ssize_t got = pread(log->file, &head, sizeof(head), 0);
    if (got < 0)
        return journal_io_error(error, path, "cannot read the journal's log");
    if (got < (ssize_t)sizeof(head) || memcmp(head.magic, magic, sizeof(magic)) != 0) {
        error_set(error, XY_EINVAL, "not a journal of xylem");
        error_at(error, path, 0, 0);
        return error_hint(error, "name another folder, or move this file away");
    }
    if (head.version != VERSION) {
        error_set(error, XY_EINVAL, "a journal of version %u, this program reads version %u",
                  head.version, VERSION);
        error_at(error, path, 0, 0);
        return error_hint(error, "use the xylem that wrote it, or another folder");
    }
    if (head.checksum != XXH3_64bits(&head, offsetof(struct head, checksum))) {
        error_set(error, XY_EINVAL, "the head of the journal's log is damaged");
        error_at(error, path, 0, 0);
        return error_hint(error, "restore its first 32 bytes from a copy, or move it away");
    }
    log->identity = head.identity;
    return 0;
}

int journal_log_open(struct journal_log *log, const char *path, struct error *error)
{
    struct stat status;
    bool missing = stat(path, &status) != 0 && errno == ENOENT;
    if (missing && create(path, error) != 0)
        return XY_EIO;
    log->file = open(path, O_RDWR | O_CLOEXEC);
    if (log->file < 0 || fstat(log->file, &status) != 0)
        return journal_io_error(error, path, "cannot open the journal's log");
    log->size = (uint64_t)status.st_size;
    return check_head(log, path, error);
}

/* ---- entries --------------------------------------------------------------------------------- */

/* `entry` is followed by its payload. */
static uint64_t checksum_of(const struct journal_log *log, const char *entry, size_t length,
                            uint64_t offset)
{
    return XXH3_64bits_withSeed(entry + sizeof(uint64_t),
                                JOURNAL_ENTRY - sizeof(uint64_t) + length,
                                log->identity + offset);
}

void journal_log_seal(const struct journal_log *log, char *to, uint64_t offset,
                      struct journal_key key, size_t length)
{
    struct entry entry = {.length = (uint32_t)length, .kind = KIND_ANSWER, .key = key};
    memcpy(to, &entry, sizeof(entry));
    entry.checksum = checksum_of(log, to, length, offset);
    memcpy(to, &entry.checksum, sizeof(entry.checksum));
}

/* Is there a sound entry in these bytes of the log? */
static bool sound(const struct journal_log *log, const char *bytes, uint64_t left, uint64_t offset,
                  struct entry *entry)
{
    if (left < JOURNAL_ENTRY)
        return false;
    memcpy(entry, bytes, sizeof(*entry));
    return entry->kind == KIND_ANSWER && entry->length <= JOURNAL_PAYLOAD &&
           entry->length <= left - JOURNAL_ENTRY &&
           checksum_of(log, bytes, entry->length, offset) == entry->checksum;
}

static bool read_fully(int file, char *to, size_t length, uint64_t offset)
{
    while (length > 0) {
        ssize_t got = pread(file, to, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return true;
}

/* The bytes of the entry at `offset`, checked. Most entries come with the first system call. */
static bool read_entry(const struct journal_log *log, uint64_t offset, struct buffer *scratch,
                       struct entry *entry)
{
    buffer_clear(scratch);
    char *bytes = buffer_reserve(scratch, FIRST_READ);
    ssize_t got = pread(log->file, bytes, FIRST_READ, (off_t)offset);
    if (got < (ssize_t)JOURNAL_ENTRY)
        return false;
    memcpy(entry, bytes, sizeof(*entry));
    if (entry->kind != KIND_ANSWER || entry->length > JOURNAL_PAYLOAD)
        return false;
    size_t whole = JOURNAL_ENTRY + (size_t)entry->length;
    scratch->length = (size_t)got;
    if (whole > (size_t)got) {
        bytes = buffer_reserve(scratch, whole - (size_t)got);
        if (!bytes || !read_fully(log->file, bytes, whole - (size_t)got, offset + (uint64_t)got))
            return false;
    }
    scratch->length = whole;
    return checksum_of(log, scratch->bytes, entry->length, offset) == entry->checksum;
}

bool journal_log_read(const struct journal_log *log, uint64_t offset, struct journal_key key,
                      struct buffer *scratch, xy_str *payload)
{
    struct entry entry;
    if (!read_entry(log, offset, scratch, &entry) || entry.key.high != key.high ||
        entry.key.low != key.low)
        return false;
    *payload = (xy_str){scratch->bytes + JOURNAL_ENTRY, entry.length};
    return true;
}

bool journal_log_position(const struct journal_log *log, uint64_t offset,
                          struct journal_position *position)
{
    struct entry entry;
    struct buffer scratch;
    buffer_init(&scratch, JOURNAL_ENTRY + (size_t)JOURNAL_PAYLOAD + FIRST_READ);
    bool whole = read_entry(log, offset, &scratch, &entry);
    buffer_free(&scratch);
    if (!whole)
        return false;
    position->end = offset + JOURNAL_ENTRY + entry.length;
    position->last_offset = offset;
    position->last_checksum = entry.checksum;
    return true;
}

/* ---- scanning -------------------------------------------------------------------------------- */

/* A sound entry behind damage keeps its place: only what is torn at the very end may be cut,
 * since a flipped bit in the middle must not take the answers behind it along. Returns `size`
 * for none. */
static uint64_t next_sound(const struct journal_log *log, const char *bytes, uint64_t at,
                           uint64_t size, uint64_t base)
{
    struct entry entry;
    for (; at + JOURNAL_ENTRY <= size; at++) {
        if (sound(log, bytes + at, size - at, base + at, &entry))
            return at;
    }
    return size;
}

int journal_log_scan(const struct journal_log *log, uint64_t from, struct journal_scan *scan,
                     struct error *error)
{
    scan->end = from;
    scan->damaged_bytes = 0;
    if (from >= log->size)
        return 0;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), base = from / page * page;
    uint64_t size = log->size - base, at = from - base;
    const char *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, log->file, (off_t)base);
    if (bytes == MAP_FAILED)
        return journal_io_error(error, NULL, "cannot map the journal's log");
    madvise((void *)(uintptr_t)bytes, size, MADV_SEQUENTIAL);
    int rc = 0;
    while (at < size && rc == 0) {
        struct entry entry;
        if (!sound(log, bytes + at, size - at, base + at, &entry)) {
            uint64_t next = next_sound(log, bytes, at + 1, size, base);
            if (next < size)
                scan->damaged_bytes += next - at;
            at = next;
            continue;
        }
        struct journal_place place = {.key = entry.key, .offset = base + at};
        at += JOURNAL_ENTRY + entry.length;
        scan->end = base + at;
        rc = scan->entry(scan->data, &place);
    }
    munmap((void *)(uintptr_t)bytes, size);
    return rc;
}
