/* SPDX-License-Identifier: Apache-2.0 */
/* llama_support.h - what the tests of the generator `llama` share. */
#ifndef XYLEM_TESTS_PLUGINS_LLAMA_SUPPORT_H
#define XYLEM_TESTS_PLUGINS_LLAMA_SUPPORT_H

#include "check.h"
#include "plugins/generator_host.h"

#include <stdlib.h>
#include <unistd.h>

#define PLUGIN TEST_BUILD_DIR "/lib/xylem/llama.so"
enum { PATIENCE = 60 }; /* seconds without any answer */

static inline void models_folder(char *out, size_t size)
{
    const char *own = getenv("XYLEM_CACHE"), *shared = getenv("XDG_CACHE_HOME");
    if (own && *own)
        snprintf(out, size, "%s/models", own);
    else if (shared && *shared)
        snprintf(out, size, "%s/xylem/models", shared);
    else
        snprintf(out, size, "%s/.cache/xylem/models", getenv("HOME"));
}

static inline struct bench_call *ask(struct bench *bench, const xy_request *request)
{
    struct bench_call *call = bench_submit(bench, request);
    CU_ASSERT_PTR_NOT_NULL_FATAL(call);
    CU_ASSERT_FATAL(bench_wait(bench, call, PATIENCE));
    return call;
}

/* A user's message, and what the answer is to begin with unless that is NULL. */
static inline size_t messages(xy_message *out, const char *user, const char *prefill)
{
    out[0] = (xy_message){xy_text("user"), xy_text(user)};
    out[1] = (xy_message){xy_text("assistant"), xy_text(prefill)};
    return prefill ? 2 : 1;
}

/* False, with a line that says what is missing, where the tests cannot run. */
static inline bool models_ready(void)
{
    char folder[512], path[600];
    models_folder(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/all-MiniLM-L6-v2.F16.gguf", folder); /* fetched last */
    bool plugin = access(PLUGIN, R_OK) == 0, models = access(path, R_OK) == 0;
    if (!plugin || !models)
        printf("skipped: %s is missing; sh plugins/llama/%s\n", plugin ? path : "the plugin",
               plugin ? "fetch_models.sh" : "build_runtime.sh");
    return plugin && models;
}

#endif
