/* SPDX-License-Identifier: Apache-2.0 */
/* registry_internal.h - what loader.c, registry_check.c and registry.c share; nobody else includes
 * it. */
#ifndef XYLEM_CORE_REGISTRY_INTERNAL_H
#define XYLEM_CORE_REGISTRY_INTERNAL_H

#include "registry.h"

/* Checks the file as bytes, opens it, and asks it for its description. No code of the plugin runs
 * but its constructors and xy_plugin_v1(). `*fingerprint` is XXH3 of the bytes. NULL with the
 * error. */
const xy_plugin *loader_open(const char *path, uint64_t *fingerprint, struct error *error);

/* Copies what the plugin describes into the host's own, zeroed structs, of each as much as both
 * sides know. 0, or an error when a size or a version makes that impossible. */
int loader_copy(struct plugin *plugin, const xy_plugin *theirs, struct error *error);

/* Every table of one copied plugin. 0, or the first rule that it breaks, by name. */
int registry_check(const struct plugin *plugin, struct error *error);

/* One option table against the state it writes to; `owner` names the stage in the message. */
int registry_check_options(const struct stage_type *type, const char *owner, struct error *error);

#endif
