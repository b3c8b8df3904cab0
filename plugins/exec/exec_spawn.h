/* SPDX-License-Identifier: Apache-2.0 */
/* exec_spawn.h - a program started. [any] */
#ifndef XYLEM_PLUGINS_EXEC_EXEC_SPAWN_H
#define XYLEM_PLUGINS_EXEC_EXEC_SPAWN_H

#include <sys/types.h>

/* Starts `command` (NULL-terminated) with `standard` as its stdin, stdout and stderr, in a process
 * group of its own: Ctrl-C lets calls in flight finish, and killing takes a wrapper's children too.
 * It starts with no signal blocked. 0 or errno. */
int exec_spawn(const char *const *command, const int standard[3], pid_t *pid);

#endif
