/* SPDX-License-Identifier: Apache-2.0 */
#include "model_files.h"

#include <dirent.h>
#include <errno.h>
#include <gguf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xylem/plugin.h>

static const struct {
    const char *name, *file;
} known[] = {
    {"smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q8_0.gguf"},
    {"all-minilm-l6-v2", "all-MiniLM-L6-v2.F16.gguf"},
};
enum { KNOWN = sizeof(known) / sizeof(known[0]), NAME_LIMIT = 128 };

static void cache_folder(char *out, size_t size)
{
    const char *own = getenv("XYLEM_CACHE"), *shared = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (own && *own)
        snprintf(out, size, "%s/models", own);
    else if (shared && *shared)
        snprintf(out, size, "%s/xylem/models", shared);
    else
        snprintf(out, size, "%s/.cache/xylem/models", home ? home : "");
}

static bool ends_with_gguf(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && strcasecmp(name + length - 5, ".gguf") == 0;
}

/* Levenshtein's distance, letters folded; names longer than the limit count as far away. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_LIMIT + 1], la = strlen(a), lb = strlen(b);
    if (la > NAME_LIMIT || lb > NAME_LIMIT)
        return NAME_LIMIT;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t change = diagonal + (strncasecmp(a + i - 1, b + j - 1, 1) != 0);
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < best ? change : best;
        }
    }
    return row[lb];
}

static void consider(const char *wanted, const char *name, char *nearest, size_t *least)
{
    size_t away = distance(wanted, name);
    if (away < *least && strlen(name) < NAME_LIMIT) {
        *least = away;
        memcpy(nearest, name, strlen(name) + 1);
    }
}

/* "the nearest is ..." over the known names and the files in the folder. */
static void unknown(const char *model, const char *folder, char *error, size_t error_size)
{
    char nearest[NAME_LIMIT] = "", names[256] = "";
    size_t least = SIZE_MAX, used = 0;
    for (size_t i = 0; i < KNOWN; i++) {
        consider(model, known[i].name, nearest, &least);
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
                                 known[i].name);
    }
    DIR *directory = opendir(folder);
    for (struct dirent *entry = directory ? readdir(directory) : NULL; entry;
         entry = readdir(directory))
        if (ends_with_gguf(entry->d_name) && strlen(entry->d_name) < NAME_LIMIT) {
            char stem[NAME_LIMIT];
            snprintf(stem, sizeof(stem), "%.*s", (int)(strlen(entry->d_name) - 5), entry->d_name);
            consider(model, stem, nearest, &least);
        }
    if (directory)
        closedir(directory);
    snprintf(error, error_size,
             "unknown model '%s': the nearest name is '%s'; known are %s, the files in %s, and the "
             "path of any .gguf file", model, nearest, names, folder);
}

static char *readable_gguf(const char *path, const char *remedy, int *status, char *error,
                           size_t error_size)
{
    char magic[4] = "";
    FILE *file = fopen(path, "rb");
    if (!file) {
        *status = errno == ENOENT ? XY_EINVAL : XY_EIO;
        snprintf(error, error_size, "the model file %s cannot be opened: %s%s", path,
                 strerror(errno), remedy);
        return NULL;
    }
    size_t got = fread(magic, 1, sizeof(magic), file);
    fclose(file);
    if (got != sizeof(magic) || memcmp(magic, "GGUF", sizeof(magic)) != 0) {
        *status = XY_EINVAL;
        snprintf(error, error_size,
                 "%s is not a GGUF file: it does not start with 'GGUF'; convert the model with "
                 "llama.cpp's tools", path);
        return NULL;
    }
    char *copy = strdup(path);
    *status = copy ? XY_OK : XY_ENOMEM;
    if (!copy)
        snprintf(error, error_size, "out of memory");
    return copy;
}

char *model_files_find(const char *model, int *status, char *error, size_t error_size)
{
    if (strchr(model, '/') || ends_with_gguf(model))
        return readable_gguf(model, "", status, error, error_size);
    char folder[PATH_MAX - NAME_LIMIT - 8], path[PATH_MAX];
    cache_folder(folder, sizeof(folder));
    for (size_t i = 0; i < KNOWN; i++)
        if (strcasecmp(known[i].name, model) == 0) {
            snprintf(path, sizeof(path), "%s/%s", folder, known[i].file);
            return readable_gguf(path, "; fetch it: sh plugins/llama/fetch_models.sh", status,
                                 error, error_size);
        }
    snprintf(path, sizeof(path), "%s/%.*s.gguf", folder, NAME_LIMIT, model);
    FILE *file = fopen(path, "rb");
    if (!file) {
        *status = XY_EINVAL;
        unknown(model, folder, error, error_size);
        return NULL;
    }
    fclose(file);
    return readable_gguf(path, "", status, error, error_size);
}

bool model_files_pools(const char *path)
{
    struct gguf_context *header =
        gguf_init_from_file(path, (struct gguf_init_params){.no_alloc = true});
    if (!header)
        return false;
    bool pools = false;
    int64_t id = gguf_find_key(header, "general.architecture");
    if (id >= 0 && gguf_get_kv_type(header, id) == GGUF_TYPE_STRING) {
        char key[NAME_LIMIT];
        snprintf(key, sizeof(key), "%s.pooling_type", gguf_get_val_str(header, id));
        id = gguf_find_key(header, key);
        pools = id >= 0 && gguf_get_kv_type(header, id) == GGUF_TYPE_UINT32 &&
                gguf_get_val_u32(header, id) != 0;
    }
    gguf_free(header);
    return pools;
}
