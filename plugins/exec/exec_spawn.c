/* SPDX-License-Identifier: Apache-2.0 */
#include "exec_internal.h"

#include <signal.h>
#include <spawn.h>

/* A group of its own: Ctrl-C lets calls in flight finish, and killing takes a wrapper's children
 * too. Signals are blocked in this thread; the program starts with none blocked. */
int process_spawn(struct process *process, const int pipes[3][2])
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&actions, pipes[i][i > 0], i);
    const char *const *command = process->exec->command;
    int failed = posix_spawnp(&process->pid, command[0], &actions, &attributes,
                              (char *const *)(uintptr_t)command, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}
