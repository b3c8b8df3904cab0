/* SPDX-License-Identifier: Apache-2.0 */
/* loader.c - from a file to a host copy of what it describes.
 *
 * A file is judged by its bytes before it is opened, since opening runs its constructors, and a
 * file that was cut off would end the process inside dlopen() with SIGBUS.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "registry_internal.h"

enum {
    STAGE_LIMIT = 1000,      /* stages of one plugin, and options of one stage: a table without */
    STRUCT_LIMIT = 1 << 16   /* its end, or a size that was never set, is met before a crash */
};

#define FILE_LIMIT ((size_t)1 << 30)

#define STRINGIFY_(x) #x
#define STRINGIFY(x) STRINGIFY_(x)
#define ENTRY "xy_plugin_v" STRINGIFY(XY_ABI_MAJOR)
#define MAJOR STRINGIFY(XY_ABI_MAJOR)

/* The whole file in `*bytes`, freed by the caller. */
static int read_file(const char *path, char **bytes, size_t *length, struct error *error)
{
    *bytes = NULL;
    *length = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) {
        error_set(error, XY_EIO, "cannot open `%s`: %s", path, strerror(errno));
        goto out;
    }
    if (!S_ISREG(status.st_mode)) {
        error_set(error, XY_EINVAL, "`%s` is no plain file: a plugin is one shared object", path);
        goto out;
    }
    if (status.st_size < 0 || (size_t)status.st_size > FILE_LIMIT) {
        error_set(error, XY_EINVAL, "`%s` is larger than 1 GiB: no plugin is", path);
        goto out;
    }
    char *content = memory_resize(NULL, (size_t)status.st_size + 1, 1);
    size_t filled = 0;
    while (filled < (size_t)status.st_size) {
        ssize_t got = read(file, content + filled, (size_t)status.st_size - filled);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        filled += (size_t)got;
    }
    if (filled < (size_t)status.st_size) {
        free(content);
        error_set(error, XY_EIO, "cannot read all of `%s`", path);
        goto out;
    }
    *bytes = content;
    *length = filled;
    error->code = 0;
out:
    if (file >= 0)
        close(file);
    return error->code;
}

static ElfW(Ehdr) own_header(void)
{
    /* The program's own first bytes say which machine and word size it was built for. */
    ElfW(Ehdr) header = {0};
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        if (read(file, &header, sizeof(header)) != (ssize_t)sizeof(header))
            memset(&header, 0, sizeof(header));
        close(file);
    }
    return header;
}

/* Segments that reach past the end of the file, or a program header table that does. */
static bool is_cut_off(const char *bytes, size_t length, const ElfW(Ehdr) *header)
{
    for (size_t i = 0; i < header->e_phnum; i++) {
        size_t at = header->e_phoff + i * sizeof(ElfW(Phdr));
        if (header->e_phoff > length || at > length || length - at < sizeof(ElfW(Phdr)))
            return true;
        ElfW(Phdr) segment;
        memcpy(&segment, bytes + at, sizeof(segment));
        if (segment.p_type == PT_LOAD &&
            (segment.p_offset > length || length - segment.p_offset < segment.p_filesz))
            return true;
    }
    return false;
}

static int check_bytes(const char *path, const char *bytes, size_t length, struct error *error)
{
    if (length < EI_NIDENT || memcmp(bytes, ELFMAG, SELFMAG) != 0) {
        error_set(error, XY_EINVAL, "`%s` is not a shared object: it does not begin as an ELF file",
                  path);
        return error_hint(error, "build it with xylem_add_plugin(), or take it out of the folder");
    }
    ElfW(Ehdr) own = own_header(), header;
    if (own.e_ident[EI_CLASS] &&
        (bytes[EI_CLASS] != (char)own.e_ident[EI_CLASS] ||
         bytes[EI_DATA] != (char)own.e_ident[EI_DATA])) {
        error_set(error, XY_EINVAL, "`%s` is built for another word size or byte order", path);
        return error_hint(error, "build the plugin for this machine");
    }
    if (length < sizeof(header)) {
        error_set(error, XY_EINVAL, "`%s` is cut off within its header", path);
        return error_hint(error, "build or copy it again");
    }
    memcpy(&header, bytes, sizeof(header));
    if (own.e_machine && header.e_machine != own.e_machine) {
        error_set(error, XY_EINVAL, "`%s` is built for ELF machine %u, this program for %u", path,
                  header.e_machine, own.e_machine);
        return error_hint(error, "build the plugin for this machine");
    }
    if (header.e_type != ET_DYN) {
        error_set(error, XY_EINVAL, "`%s` is ELF type %u, a shared object is type %u", path,
                  header.e_type, (unsigned)ET_DYN);
        return error_hint(error, "link it with -shared, as xylem_add_plugin() does");
    }
    if (header.e_phentsize != sizeof(ElfW(Phdr)) || is_cut_off(bytes, length, &header)) {
        error_set(error, XY_EINVAL, "`%s` is cut off: it has %zu bytes and describes more", path,
                  length);
        return error_hint(error, "build or copy it again");
    }
    return 0;
}

/* The entry is missing: says what the file exports instead. */
static int explain_missing_entry(const char *path, void *object, struct error *error)
{
    for (int major = 0; major <= 9; major++) {
        char name[32];
        snprintf(name, sizeof(name), "xy_plugin_v%d", major);
        if (dlsym(object, name)) {
            error_set(error, XY_EUNSUPPORTED, "`%s` exports %s, this host loads v" MAJOR, path,
                      name);
            return error_hint(error, "install a plugin built for major " MAJOR);
        }
    }
    error_set(error, XY_EINVAL, "`%s` exports no " ENTRY "(): it is not a Xylem plugin", path);
    return error_hint(error, "end the plugin's source with XY_PLUGIN(...)");
}

const xy_plugin *loader_open(const char *path, uint64_t *fingerprint, struct error *error)
{
    const xy_plugin *described = NULL;
    char *bytes = NULL;
    size_t length = 0;
    if (read_file(path, &bytes, &length, error) < 0 || check_bytes(path, bytes, length, error) < 0)
        goto out;
    *fingerprint = XXH3_64bits(bytes, length);

    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        const char *why = dlerror();
        error_set(error, XY_EINVAL, "`%s` cannot be opened: %s", path,
                  why ? why : "no reason given");
        error_hint(error, "a plugin links every library it uses, and nothing of the host");
        goto out;
    }
    /* From here on the object stays open, also when it is refused: unloading code that has run its
     * constructors is what crashes later. */
    const xy_plugin *(*entry)(void) = NULL;
    void *symbol = dlsym(object, ENTRY);
    if (!symbol) {
        explain_missing_entry(path, object, error);
        goto out;
    }
    memcpy(&entry, &symbol, sizeof(entry)); /* ISO C has no cast from an object to a function */
    described = entry();
    if (!described) {
        error_set(error, XY_EBUG, "`%s`: " ENTRY "() returned NULL", path);
        error_hint(error, "it must return static data; XY_PLUGIN(...) writes one that does");
    }
out:
    free(bytes);
    return described;
}

/* As much of a struct as both sides know, into the host's zeroed one. */
static int copy_sized(void *ours, size_t our_size, const void *theirs, size_t least,
                      const char *what, struct error *error)
{
    uint32_t size;
    memcpy(&size, theirs, sizeof(size));
    if (size < least || size > STRUCT_LIMIT) {
        error_set(error, XY_EBUG, "%s says its size is %u bytes: expected at least %zu", what, size,
                  least);
        return error_hint(error, "set `.size = sizeof(...)`; XY_STAGE_INIT does it for a stage");
    }
    memset(ours, 0, our_size);
    memcpy(ours, theirs, size < our_size ? size : our_size);
    memcpy(ours, &(uint32_t){(uint32_t)our_size}, sizeof(uint32_t));
    return 0;
}

/* The option table with the host's stride: the plugin's own may be shorter or longer. */
static int copy_options(struct stage_type *type, const char *what, struct error *error)
{
    const char *theirs = (const char *)type->stage.options;
    size_t stride = type->stage.option_size;
    size_t least = offsetof(xy_option, offset) + sizeof(uint32_t);
    if (theirs && (stride < least || stride > STRUCT_LIMIT)) {
        error_set(error, XY_EBUG, "%s says each option is %zu bytes: expected at least %zu", what,
                  stride, least);
        return error_hint(error, "begin the stage with XY_STAGE_INIT");
    }
    size_t count = 0;
    for (; theirs && count <= STAGE_LIMIT; count++) {
        const char *name;
        memcpy(&name, theirs + count * stride, sizeof(name));
        if (!name)
            break;
    }
    if (count > STAGE_LIMIT) {
        error_set(error, XY_EBUG, "%s has more than %d options", what, STAGE_LIMIT);
        return error_hint(error, "end the option table with {0}");
    }
    xy_option *options = memory_zeroed(count + 1, sizeof(*options));
    for (size_t i = 0; i < count; i++)
        memcpy(&options[i], theirs + i * stride,
               stride < sizeof(*options) ? stride : sizeof(*options));
    type->options = options;
    type->option_count = count;
    type->stage.options = options;
    type->stage.option_size = sizeof(*options);
    return 0;
}

static int copy_stage(struct stage_type *type, const xy_stage *theirs, size_t index,
                      struct error *error)
{
    char what[128];
    snprintf(what, sizeof(what), "stage %zu", index + 1);
    int code = copy_sized(&type->stage, sizeof(type->stage), theirs,
                          offsetof(xy_stage, id) + sizeof(char *), what, error);
    if (code < 0)
        return code;
    xy_stage *stage = &type->stage;
    if (stage->id)
        snprintf(what, sizeof(what), "stage `%.100s`", stage->id);
    if (!stage->version)
        stage->version = type->plugin->info.version;
    code = copy_options(type, what, error);
    /* Only the table of the stage's own kind is looked at: another one is not called, ever. */
    if (code == 0 && stage->kind == XY_GENERATOR && stage->generator) {
        code = copy_sized(&type->generator, sizeof(type->generator), stage->generator,
                          sizeof(uint32_t), "the generator table", error);
        stage->generator = &type->generator;
    }
    if (code == 0 && stage->kind == XY_LEARNER && stage->learner) {
        code = copy_sized(&type->learner, sizeof(type->learner), stage->learner,
                          sizeof(uint32_t), "the learner table", error);
        stage->learner = &type->learner;
    }
    if (code == 0 && stage->kind == XY_FORMAT && stage->format) {
        code = copy_sized(&type->format, sizeof(type->format), stage->format, sizeof(uint32_t),
                          "the format table", error);
        stage->format = &type->format;
    }
    return code;
}

int loader_copy(struct plugin *plugin, const xy_plugin *theirs, struct error *error)
{
    xy_plugin *info = &plugin->info;
    int code = copy_sized(info, sizeof(*info), theirs,
                          offsetof(xy_plugin, stages) + sizeof(void *), "the plugin", error);
    if (code < 0)
        return code;
    if (info->abi_major != XY_ABI_MAJOR) {
        error_set(error, XY_EUNSUPPORTED, "it says abi_major %u behind " ENTRY "()",
                  info->abi_major);
        return error_hint(error, "build it against the header that belongs to this host");
    }
    if (info->needs_minor > XY_ABI_MINOR) {
        error_set(error, XY_EUNSUPPORTED, "it needs ABI %d.%u, this host has %d.%d", XY_ABI_MAJOR,
                  info->needs_minor, XY_ABI_MAJOR, XY_ABI_MINOR);
        return error_hint(error, "update xylem, or install an older release of the plugin");
    }
    size_t count = 0;
    while (info->stages && count <= STAGE_LIMIT && info->stages[count])
        count++;
    if (count == 0 || count > STAGE_LIMIT) {
        error_set(error, XY_EBUG, "it has %s", count ? "a stage table without end" : "no stages");
        return error_hint(error, "name at least one stage in XY_PLUGIN(), which ends the table");
    }
    plugin->stages = memory_zeroed(count, sizeof(*plugin->stages));
    plugin->stage_count = count;
    for (size_t i = 0; i < count && code == 0; i++) {
        plugin->stages[i].plugin = plugin;
        code = copy_stage(&plugin->stages[i], info->stages[i], i, error);
    }
    return code;
}
