/* SPDX-License-Identifier: Apache-2.0 */
/* RDF through libserd. It tells the line of what it cannot parse, but not of what it hands over:
 * for a prefix that was never declared the file is read once more, byte by byte, so that the lines
 * read when the statement comes are those up to it. */
#include <stdlib.h>

#include <serd/serd.h>

#include "graph.h"

enum { PAGE = 65536, POLL = 4096 };

struct source {
    struct graph *graph;
    xy_job *job;
    FILE *file;
    SerdEnv *env;
    struct text scratch;
    unsigned line;          /* newlines that were read, and one */
    uint32_t statements;
    bool locating;          /* the second time: nothing is added */
    int code;               /* what to answer; XY_OK while all is well */
};

static int refuse(struct source *source, int code, unsigned line, const char *what, xy_str value)
{
    if (source->code == XY_OK)
        snprintf(source->graph->error, sizeof(source->graph->error), "%s:%u: %s%.*s",
                 source->graph->options->path, line, what, (int)(value.len < 200 ? value.len : 200),
                 value.len ? value.ptr : "");
    source->code = source->code == XY_OK ? code : source->code;
    return source->code;
}

static xy_str str_of(const SerdNode *node)
{
    return (xy_str){(const char *)node->buf, node->n_bytes};
}

static size_t read_bytes(void *bytes, size_t size, size_t count, void *stream)
{
    struct source *source = stream;
    size_t got = fread(bytes, size, count, source->file);
    for (size_t i = 0; source->locating && i < got; i++)
        source->line += ((const char *)bytes)[i] == '\n';
    return got;
}

static int read_failed(void *stream)
{
    return ferror(((struct source *)stream)->file);
}

/* ---- what serd hands over -------------------------------------------------------------------- */

static SerdStatus on_base(void *handle, const SerdNode *uri)
{
    struct source *source = handle;
    return serd_env_set_base_uri(source->env, uri);
}

static SerdStatus on_prefix(void *handle, const SerdNode *name, const SerdNode *uri)
{
    struct source *source = handle;
    struct text *both = &source->scratch;
    text_clear(both);
    text_add_str(both, str_of(name));
    text_add_literal(both, ":");
    text_add_str(both, str_of(uri));
    if (both->failed || names_add(&source->graph->prefixes,
                                  (xy_str){both->bytes, both->length}) == NAMES_NONE)
        return SERD_ERR_INTERNAL;
    return serd_env_set_prefix(source->env, name, uri);
}

/* Appends the IRI written out in full: prefixed names and relative ones are expanded. */
static bool add_iri(struct source *source, const SerdNode *node, struct text *out)
{
    if (node->type == SERD_CURIE) {
        SerdChunk prefix, rest;
        if (serd_env_expand(source->env, node, &prefix, &rest) != SERD_SUCCESS) {
            refuse(source, XY_EINVAL, source->line, "the prefix is not declared: ", str_of(node));
            return false;
        }
        text_add(out, (const char *)prefix.buf, prefix.len);
        text_add(out, (const char *)rest.buf, rest.len);
        return true;
    }
    SerdNode full = serd_env_expand_node(source->env, node);
    text_add_str(out, str_of(full.buf ? &full : node));
    serd_node_free(&full);
    return true;
}

static uint32_t iri(struct source *source, const SerdNode *node)
{
    xy_str none = {NULL, 0};
    if (node->type == SERD_URI && serd_uri_string_has_scheme(node->buf))
        return graph_term(source->graph, '<', str_of(node), none);
    text_clear(&source->scratch);
    if (!add_iri(source, node, &source->scratch) || source->scratch.failed)
        return GRAPH_NONE;
    return graph_term(source->graph, '<',
                      (xy_str){source->scratch.bytes, source->scratch.length}, none);
}

static uint32_t literal(struct source *source, const SerdNode *object, const SerdNode *datatype,
                        const SerdNode *language)
{
    struct text *suffix = &source->scratch;
    text_clear(suffix);
    if (language && language->buf) {
        text_add_literal(suffix, "@");
        text_add_str(suffix, str_of(language));
    } else if (datatype && datatype->buf) {
        text_add_literal(suffix, "^^");
        if (!add_iri(source, datatype, suffix))
            return GRAPH_NONE;
    }
    return suffix->failed ? GRAPH_NONE
                          : graph_term(source->graph, '"', str_of(object),
                                       (xy_str){suffix->bytes, suffix->length});
}

static uint32_t term_of(struct source *source, const SerdNode *node, const SerdNode *datatype,
                        const SerdNode *language)
{
    if (node->type == SERD_LITERAL)
        return literal(source, node, datatype, language);
    if (node->type == SERD_BLANK)
        return graph_term(source->graph, '_', str_of(node), (xy_str){NULL, 0});
    return iri(source, node);
}

static SerdStatus on_statement(void *handle, SerdStatementFlags flags, const SerdNode *in_graph,
                               const SerdNode *subject, const SerdNode *relation,
                               const SerdNode *object, const SerdNode *datatype,
                               const SerdNode *language)
{
    struct source *source = handle;
    (void)flags, (void)in_graph;
    if (++source->statements % POLL == 0 && source->job->api->cancelled(source->job)) {
        source->code = XY_ECANCELED;
        return SERD_ERR_INTERNAL;
    }
    struct graph_triple triple = {.subject = term_of(source, subject, NULL, NULL)};
    triple.relation = triple.subject == GRAPH_NONE ? GRAPH_NONE : iri(source, relation);
    triple.object = triple.relation == GRAPH_NONE ? GRAPH_NONE
                                                  : term_of(source, object, datatype, language);
    if (triple.object != GRAPH_NONE && (source->locating || graph_add(source->graph, triple)))
        return SERD_SUCCESS;
    if (source->code == XY_OK)
        refuse(source, XY_ENOMEM, source->line, "out of memory", (xy_str){NULL, 0});
    return SERD_ERR_INTERNAL;
}

static SerdStatus on_error(void *handle, const SerdError *error)
{
    struct source *source = handle;
    char words[256];
    /* serd starts the arguments before it calls this.
     * NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    vsnprintf(words, sizeof(words), error->fmt, *error->args);
    words[strcspn(words, "\n")] = '\0';
    /* The text of the first counts: what follows comes of it. */
    refuse(source, XY_EINVAL, error->line, "this is no triple: ", xy_text(words));
    return SERD_SUCCESS;
}

/* ---- the file -------------------------------------------------------------------------------- */

static void read_all(struct source *source, bool turtle)
{
    SerdReader *reader = serd_reader_new(turtle ? SERD_TURTLE : SERD_NTRIPLES, source, NULL,
                                         on_base, on_prefix, on_statement, NULL);
    source->env = serd_env_new(NULL);
    if (!reader || !source->env) {
        refuse(source, XY_ENOMEM, 0, "out of memory", (xy_str){NULL, 0});
    } else {
        serd_reader_set_strict(reader, true);
        serd_reader_set_error_sink(reader, on_error, source);
        SerdStatus status = serd_reader_read_source(
            reader, read_bytes, read_failed, source, (const uint8_t *)source->graph->options->path,
            source->locating ? 1 : PAGE);
        if (status > SERD_FAILURE)
            refuse(source, XY_EINVAL, source->line, (const char *)serd_strerror(status),
                   (xy_str){NULL, 0});
    }
    serd_env_free(source->env);
    serd_reader_free(reader);
}

int graph_read_rdf(struct graph *graph, xy_job *job, FILE *file, bool turtle)
{
    struct source source = {.graph = graph, .job = job, .file = file};
    read_all(&source, turtle);
    /* Line 0 is one that serd did not tell. */
    if (source.code == XY_EINVAL && source.line == 0 && strstr(graph->error, ":0: ")) {
        rewind(file);
        source.code = XY_OK;
        source.line = 1;
        source.locating = true;
        read_all(&source, turtle);
    }
    text_free(&source.scratch);
    return source.code;
}
