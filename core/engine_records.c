/* SPDX-License-Identifier: Apache-2.0 */
/* An output's records through its format. Where what the format writes depends on each record
 * alone, two cursors take turns, block by block: the second one, in a thread of its own, fills a
 * buffer that goes behind what the first one wrote. The bytes are the same as with one. */
#include <pthread.h>

#include "engine_internal.h"
#include "job.h"

enum {
    BLOCK = 1024,         /* records that a cursor takes at once ... */
    BLOCK_BYTES = 1 << 20 /* ... the second one no more than fit here, and one more */
};

/* One cursor of the format, and what it has to write. */
struct lane {
    xy_output own; /* into `bytes` */
    struct buffer bytes;
    const struct dataset *data;
    const xy_format *format;
    const void *state;
    struct job *job;
    void *cursor;
    struct record_slot slot;
    uint64_t from, count, done;
    bool opened;
    int code;
};

/* The second lane's thread. */
struct second {
    struct lane lane;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool busy, over, started;
};

static int lane_append(xy_output *base, const void *bytes, size_t length)
{
    return buffer_append(&((struct lane *)base)->bytes, bytes, length) ? XY_OK : XY_EINVAL;
}

static const xy_output_api lane_api = {.size = sizeof(xy_output_api), .append = lane_append};

/* Through `sink`, or into the lane's own buffer. */
static void lane_open(struct lane *lane, struct instance *instance, const struct dataset *data,
                      const struct write_spec *spec, xy_output *sink)
{
    *lane = (struct lane){.own = {&lane_api}, .data = data, .job = job_create(instance, NULL, 0),
                          .format = &instance_type(instance)->format,
                          .state = instance_state(instance)};
    buffer_init(&lane->bytes, SIZE_MAX / 2);
    lane->code = lane->format->write_open(lane->state, &lane->job->base, spec->fields,
                                          sink ? sink : &lane->own, &lane->cursor);
    lane->opened = lane->code >= 0;
}

static void lane_write(struct lane *lane)
{
    lane->done = 0;
    while (lane->done < lane->count && lane->code >= 0 && lane->bytes.length < BLOCK_BYTES) {
        const struct record *record =
            dataset_look(lane->data, lane->from + lane->done++, &lane->slot);
        lane->code =
            lane->format->write_next(lane->state, &lane->job->base, lane->cursor, &record->base);
    }
}

static void lane_close(struct lane *lane)
{
    if (lane->opened) {
        int closed = lane->format->write_close(lane->state, &lane->job->base, lane->cursor);
        lane->code = lane->code < 0 ? lane->code : closed;
    }
    record_slot_free(&lane->slot);
    buffer_free(&lane->bytes);
}

/* ---- the second thread ----------------------------------------------------------------------- */

static void *second_run(void *data)
{
    struct second *second = data;
    pthread_mutex_lock(&second->lock);
    for (;;) {
        while (!second->busy && !second->over)
            pthread_cond_wait(&second->changed, &second->lock);
        if (!second->busy)
            break;
        pthread_mutex_unlock(&second->lock);
        lane_write(&second->lane);
        pthread_mutex_lock(&second->lock);
        second->busy = false;
        pthread_cond_signal(&second->changed);
    }
    pthread_mutex_unlock(&second->lock);
    return NULL;
}

static void second_tell(struct second *second, bool over)
{
    pthread_mutex_lock(&second->lock);
    second->busy = !over;
    second->over = over;
    pthread_cond_signal(&second->changed);
    pthread_mutex_unlock(&second->lock);
}

static void second_wait(struct second *second)
{
    pthread_mutex_lock(&second->lock);
    while (second->busy)
        pthread_cond_wait(&second->changed, &second->lock);
    pthread_mutex_unlock(&second->lock);
}

static void second_begin(struct second *second)
{
    pthread_mutex_init(&second->lock, NULL);
    pthread_cond_init(&second->changed, NULL);
    second->started = second->lane.code >= 0 &&
                      pthread_create(&second->thread, NULL, second_run, second) == 0;
}

static void second_end(struct second *second)
{
    if (second->started) {
        second_tell(second, true);
        pthread_join(second->thread, NULL);
    }
    pthread_cond_destroy(&second->changed);
    pthread_mutex_destroy(&second->lock);
}

/* ---- all records ----------------------------------------------------------------------------- */

static uint64_t at_most(uint64_t count, uint64_t most)
{
    return count < most ? count : most;
}

/* Both lanes once: from record `from` on. Returns the first record that neither has written; less
 * than 0 in first->code or second->lane.code ends it. */
static uint64_t write_blocks(struct lane *first, struct second *second, uint64_t from,
                             uint64_t block, xy_output *sink)
{
    struct lane *lane = &second->lane;
    uint64_t total = dataset_count(first->data);
    first->from = from;
    first->count = at_most(total - from, block);
    lane->from = from + first->count;
    lane->count = second->started ? at_most(total - lane->from, block) : 0;
    if (lane->count)
        second_tell(second, false);
    lane_write(first);
    if (!lane->count)
        return lane->from;
    second_wait(second);
    if (first->code >= 0 && lane->bytes.length) {
        int code = sink->api->append(sink, lane->bytes.bytes, lane->bytes.length);
        first->code = code < 0 ? code : first->code;
    }
    buffer_clear(&lane->bytes);
    return lane->from + lane->done;
}

int engine_write_records(struct engine *engine, struct instance *instance,
                         const struct write_spec *spec, const struct dataset *data,
                         xy_output *sink)
{
    struct lane first;
    struct second second = {.started = false};
    uint64_t total = dataset_count(data), block = BLOCK;
    bool two = instance_type(instance)->format.write_by_record && total > (uint64_t)2 * BLOCK;
    lane_open(&first, instance, data, spec, sink);
    if (two) {
        lane_open(&second.lane, instance, data, spec, NULL);
        second_begin(&second);
    }
    for (uint64_t at = 0; at < total && first.code >= 0 && second.lane.code >= 0;) {
        at = write_blocks(&first, &second, at, block, sink);
        /* Large records come in small blocks. */
        block = second.lane.done < second.lane.count ? second.lane.done
                                                     : at_most(block * 2, BLOCK);
    }
    if (two) {
        second_end(&second);
        lane_close(&second.lane);
    }
    lane_close(&first);
    const struct lane *failed = first.code < 0 ? &first : &second.lane;
    int code = failed->code < 0 ? failed->code : XY_OK;
    if (code < 0 && !engine->error.code)
        error_set(&engine->error, code, "%s: %s", spec->path,
                  failed->job->why ? failed->job->why : error_name(code));
    job_destroy(first.job);
    job_destroy(second.lane.job);
    return code;
}
