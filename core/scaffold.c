/* SPDX-License-Identifier: Apache-2.0 */
#include "scaffold.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "registry.h"

enum { NAME_LIMIT = 40, FILE_LIMIT = 1 << 20 };

static const char placeholder[] = "my_plugin";

static bool is_identifier(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > NAME_LIMIT || !(name[0] >= 'a' && name[0] <= 'z'))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= '0' && name[i] <= '9') &&
            name[i] != '_')
            return false;
    return true;
}

/* A C keyword would name functions and targets that nobody can build. */
static bool is_reserved(const char *name)
{
    static const char *const words[] = {
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
        "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
        "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
        "union", "unsigned", "void", "volatile", "while", "test", "all", "install", "clean", "help",
        "generate", "score", "embed", "repeat", "include",
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return false;
}

/* `text` with each placeholder replaced, appended to `out`. */
static void rename_text(xy_str text, const char *name, struct buffer *out)
{
    size_t width = sizeof(placeholder) - 1;
    while (text.len > 0) {
        const char *found = memmem(text.ptr, text.len, placeholder, width);
        size_t before = found ? (size_t)(found - text.ptr) : text.len;
        buffer_append(out, text.ptr, before);
        if (!found)
            break;
        buffer_append_text(out, name);
        text.ptr += before + width;
        text.len -= before + width;
    }
}

static int make_folder(const char *path, struct error *error)
{
    if (mkdir(path, 0777) == 0)
        return 0;
    return error_set(error, XY_EIO, "cannot make the folder `%s`: %s", path, strerror(errno));
}

static int write_file(const char *path, xy_str bytes, struct error *error)
{
    FILE *file = fopen(path, "wbx");
    bool written = file && fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len;
    if (file && fclose(file) != 0)
        written = false;
    return written ? 0
                   : error_set(error, XY_EIO, "cannot write `%s`: %s", path, strerror(errno));
}

/* One template file to its place below `folder`. */
static int write_template(const struct scaffold_file *file, const char *below, const char *name,
                          const char *folder, struct error *error)
{
    struct buffer path, text;
    buffer_init(&path, PATH_MAX);
    buffer_init(&text, FILE_LIMIT);
    buffer_printf(&path, "%s/", folder);
    rename_text(str_of(below), name, &path);
    rename_text((xy_str){(const char *)file->bytes, file->length}, name, &text);
    int code = path.overflowed || text.overflowed
                   ? error_set(error, XY_EINVAL, "the path below `%s` is too long", folder)
                   : write_file(path.bytes, buffer_str(&text), error);
    buffer_free(&path);
    buffer_free(&text);
    return code;
}

static int check_arguments(const char *kind, const char *name, struct error *error)
{
    if (!kind_of(kind)) {
        const char *names[XY_FORMAT];
        for (uint32_t i = 0; i < XY_FORMAT; i++)
            names[i] = kind_name(i + 1);
        error_set(error, XY_EINVAL, "there is no kind `%.100s`", kind);
        const char *nearest = nearest_name(kind, names, XY_FORMAT);
        if (nearest)
            return error_hint(error, "did you mean `%s`?", nearest);
        return error_hint(error, "kinds: generator, condition, filter, enhancer, evaluator, "
                                 "learner, format");
    }
    if (!is_identifier(name) || is_reserved(name)) {
        error_set(error, XY_EINVAL, "`%.100s` cannot be the name of a plugin", name);
        return error_hint(error,
                          "begin with a lower-case letter, then lower-case letters, digits "
                          "and '_', at most %d, and no word of C or of the pipeline language",
                          NAME_LIMIT);
    }
    return 0;
}

int scaffold_write(const char *kind, const char *name, const char *parent, struct error *error)
{
    int code = check_arguments(kind, name, error);
    if (code < 0)
        return code;
    char folder[PATH_MAX - 16], tests[PATH_MAX];
    int length = snprintf(folder, sizeof(folder), "%s/%s", parent ? parent : ".", name);
    if (length < 0 || (size_t)length >= sizeof(folder))
        return error_set(error, XY_EINVAL, "the path of the new folder is too long");
    snprintf(tests, sizeof(tests), "%s/tests", folder);
    code = make_folder(folder, error);
    if (code == 0)
        code = make_folder(tests, error);
    for (const struct scaffold_file *file = scaffold_files; file->path && code == 0; file++) {
        const char *slash = strchr(file->path, '/');
        xy_str top = {file->path, slash ? (size_t)(slash - file->path) : 0};
        if (str_is(top, "common") || str_is(top, kind))
            code = write_template(file, slash + 1, name, folder, error);
    }
    return code;
}
