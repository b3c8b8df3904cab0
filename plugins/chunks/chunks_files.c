/* SPDX-License-Identifier: Apache-2.0 */
#include "chunks_files.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Folders still to be looked through. */
struct folders {
    struct file *items;
    size_t count, room;
};

static bool push(struct file **items, size_t *count, size_t *room, struct file file)
{
    bool good = file.path && file.name;
    if (good && *count == *room) {
        size_t more = *room ? *room * 2 : 64;
        struct file *grown = realloc(*items, more * sizeof(*grown));
        good = grown != NULL;
        if (good) {
            *items = grown;
            *room = more;
        }
    }
    if (!good) {
        free(file.path);
        free(file.name);
        return false;
    }
    (*items)[(*count)++] = file;
    return true;
}

static char *join(const char *folder, const char *name)
{
    size_t length = strlen(folder) + strlen(name) + 2;
    char *path = malloc(length);
    if (path)
        snprintf(path, length, "%s%s%s", folder, *folder ? "/" : "", name);
    return path;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static bool fits(const char *name, const char *const *patterns)
{
    if (!patterns)
        return true;
    for (; *patterns; patterns++)
        if (fnmatch(*patterns, name, 0) == 0 || fnmatch(*patterns, last_part(name), 0) == 0)
            return true;
    return false;
}

static int fail(char why[DOCUMENT_WHY], const char *name, int error)
{
    if (error == ENOMEM)
        snprintf(why, DOCUMENT_WHY, "out of memory");
    else
        snprintf(why, DOCUMENT_WHY, "`%s` cannot be read: %s", name, strerror(error));
    return error == ENOMEM ? XY_ENOMEM : XY_EINVAL;
}

/* Takes one entry of a folder: a file goes to `files`, a folder to `folders`. Links to folders are
 * not followed, since they may lead around in circles. */
static int take_entry(struct files *files, struct folders *folders, const struct file *folder,
                      const char *entry, const char *const *patterns)
{
    struct stat status;
    struct file file = {join(folder->path, entry), join(folder->name, entry)};
    if (!file.path || !file.name || lstat(file.path, &status) < 0)
        status.st_mode = 0;
    bool is_folder = S_ISDIR(status.st_mode);
    if (S_ISLNK(status.st_mode) && stat(file.path, &status) < 0)
        status.st_mode = S_IFREG; /* a broken link is a document that cannot be read */
    bool is_file = S_ISREG(status.st_mode);
    bool wanted = is_file && fits(file.name, patterns);
    files->passed += is_file && !wanted;
    if (is_folder)
        return push(&folders->items, &folders->count, &folders->room, file) ? 0 : ENOMEM;
    if (wanted)
        return push(&files->items, &files->count, &files->room, file) ? 0 : ENOMEM;
    bool good = file.path && file.name;
    free(file.path);
    free(file.name);
    return good ? 0 : ENOMEM;
}

static int look_through(struct files *files, struct folders *folders, const struct file *folder,
                        const char *const *patterns)
{
    DIR *stream = opendir(folder->path);
    if (!stream)
        return errno;
    int error = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry) {
            error = errno;
            break;
        }
        if (entry->d_name[0] != '.')
            error = take_entry(files, folders, folder, entry->d_name, patterns);
        if (error)
            break;
    }
    closedir(stream);
    return error;
}

static int list_folder(struct files *files, const char *path, const char *const *patterns,
                       char why[DOCUMENT_WHY])
{
    struct folders folders = {0};
    struct file first = {strdup(path), strdup("")};
    int error = push(&folders.items, &folders.count, &folders.room, first) ? 0 : ENOMEM;
    int code = error ? fail(why, path, error) : XY_OK;
    while (folders.count && code == XY_OK) {
        struct file folder = folders.items[--folders.count];
        error = look_through(files, &folders, &folder, patterns);
        if (error)
            code = fail(why, *folder.name ? folder.name : path, error);
        free(folder.path);
        free(folder.name);
    }
    for (size_t i = 0; i < folders.count; i++) {
        free(folders.items[i].path);
        free(folders.items[i].name);
    }
    free(folders.items);
    return code;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

int files_list(struct files *files, const char *path, const char *const *patterns,
               char why[DOCUMENT_WHY])
{
    struct stat status;
    int code = stat(path, &status) < 0 ? fail(why, path, errno) : XY_OK;
    if (code == XY_OK && S_ISDIR(status.st_mode)) {
        code = list_folder(files, path, patterns, why);
    } else if (code == XY_OK) {
        struct file file = {strdup(path), strdup(last_part(path))};
        if (!push(&files->items, &files->count, &files->room, file))
            code = fail(why, path, ENOMEM);
    }
    if (code == XY_OK && files->count == 0) {
        if (files->passed)
            snprintf(why, DOCUMENT_WHY, "none of the %zu files in `%s` fits `files`",
                     files->passed, path);
        else
            snprintf(why, DOCUMENT_WHY, "there is no document in the folder `%s`", path);
        code = XY_EINVAL;
    }
    if (files->count > 1)
        qsort(files->items, files->count, sizeof(*files->items), by_name);
    return code;
}

void files_free(struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].path);
        free(files->items[i].name);
    }
    free(files->items);
    *files = (struct files){0};
}
