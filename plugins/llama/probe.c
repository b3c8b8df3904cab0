/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - compiled by CMake against a found llama.cpp: it touches what the plugin relies on and
 * what older releases lack or spell differently, so that a misfit shows while configuring. */
#include <gguf.h>
#include <llama.h>

/* What main() returns 0 for: the types of these pointers are what is checked. */
static const struct {
    void (*copy)(llama_memory_t, llama_seq_id, llama_seq_id, llama_pos, llama_pos);
    bool (*remove)(llama_memory_t, llama_seq_id, llama_pos, llama_pos);
    struct llama_sampler *(*grammar)(const struct llama_vocab *, const char *, const char *);
    int32_t (*tokenize)(const struct llama_vocab *, const char *, int32_t, llama_token *, int32_t,
                        bool, bool);
    int32_t (*chat)(const char *, const struct llama_chat_message *, size_t, bool, char *, int32_t);
    struct llama_model *(*load)(const char *, struct llama_model_params);
    float *(*logits)(struct llama_context *, int32_t);
    float *(*embedding)(struct llama_context *, llama_seq_id);
} used = {
    .copy = llama_memory_seq_cp,
    .remove = llama_memory_seq_rm,
    .grammar = llama_sampler_init_grammar,
    .tokenize = llama_tokenize,
    .chat = llama_chat_apply_template,
    .load = llama_model_load_from_file,
    .logits = llama_get_logits_ith,
    .embedding = llama_get_embeddings_seq,
};

int main(void)
{
    struct llama_context_params params = llama_context_default_params();
    params.kv_unified = true;
    params.swa_full = true;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_AUTO;
    struct gguf_context *file = gguf_init_empty();
    gguf_free(file);
    return !used.copy || !params.kv_unified;
}
