/* SPDX-License-Identifier: Apache-2.0 */
/* convert_minilm.c - writes all-MiniLM-L6-v2 (safetensors and vocab.txt) as one GGUF file.
 *
 * The layout is that of llama.cpp's architecture "bert" (its conversion/bert.py): matrices as F16,
 * norms, biases, position and type embeddings as F32, the pooler left out, and the word pieces
 * rewritten to its "phantom space" form, where U+2581 starts a word and "##" is dropped.
 * In C, because a fresh Debian keeps pip from installing numpy and gguf into its Python.
 * Usage: convert_minilm MODEL_FOLDER OUT.gguf
 */
#include <cjson/cJSON.h>
#include <ggml.h>
#include <gguf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 6, WIDTH = 384, POSITIONS = 512, HIDDEN = 1536, HEADS = 12, WORD_COUNT = 30522 };
enum { TOKEN_NORMAL = 1, TOKEN_CONTROL = 3 }; /* llama.h: enum llama_token_type */
enum { POOLING_MEAN = 1 };                    /* llama.h: enum llama_pooling_type */
enum { FILE_TYPE_F16 = 1 };                   /* llama.h: enum llama_ftype */

struct safetensors {
    char *bytes;      /* the whole file, NUL-terminated */
    size_t size;
    cJSON *header;
    const char *data; /* behind the header */
    size_t data_size;
};

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return NULL;
    }
    char *bytes = NULL;
    long length = -1;
    if (fseek(file, 0, SEEK_END) == 0)
        length = ftell(file);
    if (length >= 0 && fseek(file, 0, SEEK_SET) == 0)
        bytes = malloc((size_t)length + 1);
    if (!bytes || fread(bytes, 1, (size_t)length, file) != (size_t)length) {
        fprintf(stderr, "%s: cannot be read whole\n", path);
        free(bytes);
        bytes = NULL;
    } else {
        bytes[length] = '\0';
        *size = (size_t)length;
    }
    fclose(file);
    return bytes;
}

/* An 8-byte little-endian length, a JSON header of that length, then the tensors' bytes. */
static int safetensors_open(struct safetensors *file, const char *path)
{
    file->bytes = read_file(path, &file->size);
    if (!file->bytes)
        return -1;
    uint64_t header = 0;
    for (size_t i = 0; i < 8 && i < file->size; i++)
        header |= (uint64_t)(unsigned char)file->bytes[i] << (8 * i);
    if (file->size >= 8 && header <= file->size - 8)
        file->header = cJSON_ParseWithLength(file->bytes + 8, (size_t)header);
    if (!file->header) {
        fprintf(stderr, "%s: not a safetensors file\n", path);
        return -1;
    }
    file->data = file->bytes + 8 + header;
    file->data_size = file->size - 8 - (size_t)header;
    return 0;
}

/* The tensor's floats, or NULL when it is absent, not F32, or not of `count` values. */
static const float *safetensors_find(const struct safetensors *file, const char *name, size_t count)
{
    const cJSON *entry = cJSON_GetObjectItemCaseSensitive(file->header, name);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "dtype"));
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    double begin = cJSON_GetNumberValue(cJSON_GetArrayItem(offsets, 0));
    double end = cJSON_GetNumberValue(cJSON_GetArrayItem(offsets, 1));
    if (!type || strcmp(type, "F32") != 0 || !(begin >= 0) || !(end <= (double)file->data_size) ||
        end - begin != (double)(count * sizeof(float))) {
        fprintf(stderr, "tensor %s: missing, or not %zu values of F32\n", name, count);
        return NULL;
    }
    return (const float *)(const void *)(file->data + (size_t)begin);
}

/* Adds `source` as `target`; rows 0 makes a vector. F16 for matrices that are multiplied with. */
static int add_tensor(struct gguf_context *gguf, struct ggml_context *ggml,
                      const struct safetensors *file, const char *source, const char *target,
                      int64_t rows, int64_t columns, enum ggml_type type)
{
    size_t count = (size_t)(columns * (rows ? rows : 1));
    const float *values = safetensors_find(file, source, count);
    if (!values)
        return -1;
    struct ggml_tensor *tensor = rows ? ggml_new_tensor_2d(ggml, type, columns, rows)
                                      : ggml_new_tensor_1d(ggml, type, columns);
    ggml_set_name(tensor, target);
    if (type == GGML_TYPE_F16)
        ggml_fp32_to_fp16_row(values, tensor->data, (int64_t)count);
    else
        memcpy(tensor->data, values, count * sizeof(float));
    gguf_add_tensor(gguf, tensor);
    return 0;
}

static int add_layer(struct gguf_context *gguf, struct ggml_context *ggml,
                     const struct safetensors *file, int layer)
{
    static const struct {
        const char *source, *target;
        int64_t rows, columns; /* of the weight; rows 0: a norm */
    } parts[] = {
        {"attention.self.query", "attn_q", WIDTH, WIDTH},
        {"attention.self.key", "attn_k", WIDTH, WIDTH},
        {"attention.self.value", "attn_v", WIDTH, WIDTH},
        {"attention.output.dense", "attn_output", WIDTH, WIDTH},
        {"attention.output.LayerNorm", "attn_output_norm", 0, WIDTH},
        {"intermediate.dense", "ffn_up", HIDDEN, WIDTH},
        {"output.dense", "ffn_down", WIDTH, HIDDEN},
        {"output.LayerNorm", "layer_output_norm", 0, WIDTH},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char source[96], target[64];
        int64_t rows = parts[i].rows;
        snprintf(source, sizeof(source), "encoder.layer.%d.%s.weight", layer, parts[i].source);
        snprintf(target, sizeof(target), "blk.%d.%s.weight", layer, parts[i].target);
        if (add_tensor(gguf, ggml, file, source, target, rows, parts[i].columns,
                       rows ? GGML_TYPE_F16 : GGML_TYPE_F32) < 0)
            return -1;
        snprintf(source, sizeof(source), "encoder.layer.%d.%s.bias", layer, parts[i].source);
        snprintf(target, sizeof(target), "blk.%d.%s.bias", layer, parts[i].target);
        if (add_tensor(gguf, ggml, file, source, target, 0, rows ? rows : WIDTH,
                       GGML_TYPE_F32) < 0)
            return -1;
    }
    return 0;
}

static int add_weights(struct gguf_context *gguf, struct ggml_context *ggml,
                       const struct safetensors *file)
{
    static const struct {
        const char *source, *target;
        int64_t rows;
        enum ggml_type type;
    } parts[] = {
        {"embeddings.word_embeddings.weight", "token_embd.weight", WORD_COUNT, GGML_TYPE_F16},
        {"embeddings.position_embeddings.weight", "position_embd.weight", POSITIONS, GGML_TYPE_F32},
        {"embeddings.token_type_embeddings.weight", "token_types.weight", 2, GGML_TYPE_F32},
        {"embeddings.LayerNorm.weight", "token_embd_norm.weight", 0, GGML_TYPE_F32},
        {"embeddings.LayerNorm.bias", "token_embd_norm.bias", 0, GGML_TYPE_F32},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (add_tensor(gguf, ggml, file, parts[i].source, parts[i].target, parts[i].rows, WIDTH,
                       parts[i].type) < 0)
            return -1;
    for (int layer = 0; layer < LAYERS; layer++)
        if (add_layer(gguf, ggml, file, layer) < 0)
            return -1;
    return 0;
}

static void add_parameters(struct gguf_context *gguf)
{
    gguf_set_val_str(gguf, "general.architecture", "bert");
    gguf_set_val_str(gguf, "general.name", "all-MiniLM-L6-v2");
    gguf_set_val_str(gguf, "general.license", "apache-2.0");
    gguf_set_val_u32(gguf, "general.file_type", FILE_TYPE_F16);
    gguf_set_val_u32(gguf, "bert.block_count", LAYERS);
    gguf_set_val_u32(gguf, "bert.context_length", POSITIONS);
    gguf_set_val_u32(gguf, "bert.embedding_length", WIDTH);
    gguf_set_val_u32(gguf, "bert.feed_forward_length", HIDDEN);
    gguf_set_val_u32(gguf, "bert.attention.head_count", HEADS);
    gguf_set_val_f32(gguf, "bert.attention.layer_norm_epsilon", 1e-12f);
    gguf_set_val_bool(gguf, "bert.attention.causal", false);
    gguf_set_val_u32(gguf, "bert.pooling_type", POOLING_MEAN);
}

static const struct {
    const char *piece, *key;
} specials[] = {
    {"[PAD]", "tokenizer.ggml.padding_token_id"},
    {"[UNK]", "tokenizer.ggml.unknown_token_id"},
    {"[CLS]", "tokenizer.ggml.bos_token_id"},
    {"[SEP]", "tokenizer.ggml.seperator_token_id"}, /* the format's own spelling */
    {"[MASK]", "tokenizer.ggml.mask_token_id"},
};

/* Rewrites one line of vocab.txt; `out` has room for three bytes more. */
static int32_t rewrite_piece(struct gguf_context *gguf, uint32_t id, const char *piece, char *out)
{
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
        if (strcmp(piece, specials[i].piece) == 0) {
            gguf_set_val_u32(gguf, specials[i].key, id);
            memcpy(out, piece, strlen(piece) + 1);
            return TOKEN_CONTROL;
        }
    const char *mark = strncmp(piece, "##", 2) == 0 ? "" : "\xe2\x96\x81";
    const char *rest = *mark ? piece : piece + 2;
    memcpy(out, mark, strlen(mark));
    memcpy(out + strlen(mark), rest, strlen(rest) + 1);
    return TOKEN_NORMAL;
}

/* Takes the text of vocab.txt apart in place. */
static int add_vocabulary(struct gguf_context *gguf, char *text, size_t size)
{
    int status = -1;
    size_t count = 0;
    const char **pieces = calloc(WORD_COUNT, sizeof(*pieces));
    int32_t *types = calloc(WORD_COUNT, sizeof(*types));
    char *pool = malloc(size + (size_t)WORD_COUNT * 4);
    if (!pieces || !types || !pool)
        goto out;
    char *next = pool;
    for (char *line = text; *line && count < WORD_COUNT; count++) {
        char *end = line + strcspn(line, "\n");
        char *after = *end ? end + 1 : end;
        *end = '\0';
        if (end > line && end[-1] == '\r')
            end[-1] = '\0';
        types[count] = rewrite_piece(gguf, (uint32_t)count, line, next);
        pieces[count] = next;
        next += strlen(next) + 1;
        line = after;
    }
    if (count != WORD_COUNT) {
        fprintf(stderr, "vocab.txt: %zu lines, %d expected\n", count, WORD_COUNT);
        goto out;
    }
    gguf_set_val_str(gguf, "tokenizer.ggml.model", "bert");
    gguf_set_val_str(gguf, "tokenizer.ggml.pre", "jina-v2-en");
    gguf_set_val_u32(gguf, "tokenizer.ggml.token_type_count", 2);
    gguf_set_arr_str(gguf, "tokenizer.ggml.tokens", pieces, count);
    gguf_set_arr_data(gguf, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types, count);
    status = 0;
out:
    free(pool);
    free(types);
    free(pieces);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: convert_minilm MODEL_FOLDER OUT.gguf\n");
        return 2;
    }
    int status = 1;
    char path[4096];
    size_t vocabulary_size = 0;
    struct safetensors file = {0};
    struct gguf_context *gguf = gguf_init_empty();
    struct ggml_context *ggml = ggml_init((struct ggml_init_params){.mem_size = 64u << 20});
    snprintf(path, sizeof(path), "%s/vocab.txt", argv[1]);
    char *vocabulary = read_file(path, &vocabulary_size);
    snprintf(path, sizeof(path), "%s/model.safetensors", argv[1]);
    if (!gguf || !ggml || !vocabulary || safetensors_open(&file, path) < 0)
        goto out;
    add_parameters(gguf);
    if (add_vocabulary(gguf, vocabulary, vocabulary_size) < 0 || add_weights(gguf, ggml, &file) < 0)
        goto out;
    if (!gguf_write_to_file(gguf, argv[2], false)) {
        fprintf(stderr, "%s: cannot be written\n", argv[2]);
        goto out;
    }
    status = 0;
out:
    cJSON_Delete(file.header);
    free(file.bytes);
    free(vocabulary);
    if (ggml)
        ggml_free(ggml);
    gguf_free(gguf);
    return status;
}
