/* SPDX-License-Identifier: Apache-2.0 */
/* xylem.files/1 of the conformance kit: any file can be read, unless answers are to be errors, and
 * what is written goes nowhere. */
#include <stdlib.h>

#include "conformance_internal.h"

struct xy_reader {
    struct kit *kit;
    uint64_t next;
};

static xy_reader *files_mock_open(xy_job *base, const char *path, const char *format,
                                  const char *options)
{
    (void)format;
    (void)options;
    struct kit *kit = kit_of_job(base);
    if (kit_count(kit) || kit->answers == ANSWER_ERROR || !path) {
        base->api->explain(base, "the file cannot be opened");
        return NULL;
    }
    xy_reader *reader = memory_zeroed(1, sizeof(*reader));
    reader->kit = kit;
    return reader;
}

static int files_mock_next(xy_job *base, xy_reader *reader, xy_record *out)
{
    (void)base;
    if (reader->next == KIT_RECORDS)
        return XY_END;
    kit_fill(reader->kit, out, RECORD_PLAIN, reader->next++);
    return XY_OK;
}

static void files_mock_close(xy_reader *reader)
{
    free(reader);
}

static const char made[1]; /* every writer: there is nothing to remember */

static xy_writer *files_mock_create(xy_job *base, const char *path, const char *format,
                                    const char *options, const char *const *fields)
{
    (void)format;
    (void)options;
    (void)fields;
    struct kit *kit = kit_of_job(base);
    if (kit_count(kit) || kit->answers == ANSWER_ERROR || !path) {
        base->api->explain(base, "the file cannot be made");
        return NULL;
    }
    return (xy_writer *)(uintptr_t)made;
}

static int files_mock_write(xy_job *base, xy_writer *writer, const xy_record *record)
{
    (void)base;
    return writer && record ? XY_OK : XY_EINVAL;
}

static int files_mock_finish(xy_job *base, xy_writer *writer, int keep)
{
    (void)base;
    (void)keep;
    return writer ? XY_OK : XY_EINVAL;
}

const xy_files kit_files = {sizeof(kit_files), files_mock_open, files_mock_next, files_mock_close,
                            files_mock_create, files_mock_write, files_mock_finish};
