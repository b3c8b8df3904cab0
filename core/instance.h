/* SPDX-License-Identifier: Apache-2.0 */
/* instance.h - one configured stage: its state, its options' memory and its xy_host.
 *
 * Life: instance_create() -> instance_open() [loop] -> instance_prepare() [worker] -> jobs ->
 * instance_close() [loop]. A stage used in three steps has three instances.
 */
#ifndef XYLEM_CORE_INSTANCE_H
#define XYLEM_CORE_INSTANCE_H

#include "options.h"
#include "registry.h"
#include "services.h"

struct instance;

/* Options are checked and written into fresh state; nothing of the plugin runs. `name` is the
 * step's id, or the alias; it is copied. Datasets named by options are resolved through `resolver`.
 * NULL with the error of the first bad option. */
struct instance *instance_create(struct services *services, const struct stage_type *type,
                                 const char *name, const struct node *with,
                                 const struct node *place, const char *folder,
                                 const char *const *ignore, const struct option_resolver *resolver,
                                 struct error *error);
/* Checks `needs`, then calls open(). [loop] */
int instance_open(struct instance *instance, struct error *error);
/* Calls prepare(), if there is one. [worker] */
int instance_prepare(struct instance *instance, uint32_t round, struct error *error);
/* Calls close() when open() had succeeded, and frees everything. [loop]; NULL is fine. */
void instance_close(struct instance *instance);

const char *instance_name(const struct instance *instance);
uint64_t instance_seed(const struct instance *instance);
const struct stage_type *instance_type(const struct instance *instance);
void *instance_state(struct instance *instance);
struct services *instance_services(const struct instance *instance);

#endif
