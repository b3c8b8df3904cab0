/* SPDX-License-Identifier: Apache-2.0 */
/* llama_embed_test.c - embeddings against a reference of other origin (llama_reference.py), what
 * the plugin exports, and what it says about models that it cannot open. */
#include "check.h"
#include "plugins/llama_reference.inc"
#include "plugins/llama_support.h"

#include <elf.h>

static struct bench embedder;

static void exports_one_symbol(void)
{
    FILE *file = fopen(PLUGIN, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(size);
    CU_ASSERT_EQUAL_FATAL(fread(bytes, 1, size, file), size);
    fclose(file);
    const Elf64_Ehdr *header = (const void *)bytes;
    const Elf64_Shdr *sections = (const void *)(bytes + header->e_shoff);
    unsigned defined = 0, entries = 0;
    for (unsigned i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_DYNSYM)
            continue;
        const Elf64_Sym *symbols = (const void *)(bytes + sections[i].sh_offset);
        const char *names = bytes + sections[sections[i].sh_link].sh_offset;
        for (size_t s = 0; s < sections[i].sh_size / sizeof(*symbols); s++)
            if (symbols[s].st_shndx != SHN_UNDEF) {
                defined++;
                entries += strcmp(names + symbols[s].st_name, "xy_plugin_v1") == 0;
            }
    }
    CU_ASSERT_EQUAL(defined, 1);
    CU_ASSERT_EQUAL(entries, 1);
    free(bytes);
}

static void embeds_as_the_reference(void)
{
    enum { COUNT = sizeof(reference) / sizeof(reference[0]), WIDTH = 384 };
    xy_str texts[COUNT];
    uint32_t tokens = 0;
    for (int i = 0; i < COUNT; i++) {
        texts[i] = xy_text(reference[i].text);
        tokens += reference[i].tokens;
    }
    xy_request request = bench_new_request(XY_EMBED);
    request.texts = texts;
    request.text_count = COUNT;
    struct bench_call *call = ask(&embedder, &request);
    CU_ASSERT_EQUAL_FATAL(call->reply.status, XY_OK);
    CU_ASSERT_EQUAL_FATAL(call->reply.vector_count, COUNT);
    CU_ASSERT_EQUAL_FATAL(call->reply.dimension, WIDTH);
    CU_ASSERT_EQUAL(call->reply.prompt_tokens, tokens);
    for (int i = 0; i < COUNT; i++) {
        double cosine = 0, length = 0;
        for (int d = 0; d < WIDTH; d++) {
            double value = (double)call->vectors[i * WIDTH + d];
            cosine += value * (double)reference[i].vector[d];
            length += value * value;
        }
        CU_ASSERT_DOUBLE_EQUAL(length, 1, 1e-5);
        CU_ASSERT(cosine > 0.9999);
    }
    bench_call_free(call);
}

/* More texts than one batch holds, in two requests that share batches: each vector is its own
 * text's. */
static void embeds_in_batches(void)
{
    enum { COUNT = 150, WIDTH = 384 };
    xy_str texts[COUNT];
    for (int i = 0; i < COUNT; i++)
        texts[i] = xy_text(reference[i % 2].text);
    xy_request request = bench_new_request(XY_EMBED);
    request.texts = texts;
    request.text_count = COUNT;
    struct bench_call *first = bench_submit(&embedder, &request);
    struct bench_call *second = ask(&embedder, &request);
    CU_ASSERT_FATAL(bench_wait(&embedder, first, PATIENCE));
    const struct bench_call *both[] = {first, second};
    for (int b = 0; b < 2; b++)
        for (int i = 0; i < COUNT; i++) {
            double cosine = 0;
            for (int d = 0; d < WIDTH; d++)
                cosine += (double)both[b]->vectors[i * WIDTH + d] *
                          (double)reference[i % 2].vector[d];
            CU_ASSERT(cosine > 0.9999);
        }
    bench_call_free(first);
    bench_call_free(second);
}

static void refuses_to_write(void)
{
    xy_message prompt[2];
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "hello", NULL);
    CU_ASSERT_EQUAL(embedder.stage->generator->can(embedder.state), XY_EMBED);
    struct bench_call *call = ask(&embedder, &request);
    CU_ASSERT_EQUAL(call->reply.status, XY_EUNSUPPORTED);
    bench_call_free(call);
}

static void fails_to_open(const char *model, const char *first, const char *second)
{
    struct bench bench;
    CU_ASSERT_FATAL(bench_load(&bench, PLUGIN, "llama"));
    bench_set(&bench, "model", model);
    CU_ASSERT_EQUAL(bench_open(&bench), XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(bench.log, first));
    CU_ASSERT_PTR_NOT_NULL(strstr(bench.log, second));
    bench_close(&bench);
}

static void explains_what_it_cannot_open(void)
{
    fails_to_open("/nowhere/model.gguf", "/nowhere/model.gguf", "No such file");
    fails_to_open(TEST_SOURCE_DIR "/CMakeLists.txt", "is not a GGUF file", "CMakeLists.txt");
    fails_to_open("smolm2-135m-instruct", "unknown model 'smolm2-135m-instruct'",
                  "nearest name is 'smollm2-135m-instruct'");
}

static void explains_a_broken_file(void)
{
    char path[] = "/tmp/xylem-llama-test-XXXXXX.gguf";
    int file = mkstemps(path, 5);
    CU_ASSERT_FATAL(file >= 0);
    CU_ASSERT_EQUAL(write(file, "GGUF\3\0\0\0garbage", 15), 15);
    close(file);
    struct bench bench;
    xy_message prompt[2];
    CU_ASSERT_FATAL(bench_load(&bench, PLUGIN, "llama"));
    bench_set(&bench, "model", path);
    CU_ASSERT_EQUAL(bench_open(&bench), XY_OK);
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "hello", NULL);
    struct bench_call *call = ask(&bench, &request);
    CU_ASSERT_EQUAL(call->reply.status, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(call->error, path));
    bench_call_free(call);
    bench_close(&bench);
    CU_ASSERT_EQUAL(bench.broken, 0);
    unlink(path);
}

static void breaks_no_rule(void)
{
    bench_close(&embedder);
    CU_ASSERT_EQUAL(embedder.broken, 0);
}

int main(void)
{
    static const struct check checks[] = {
        {"exports one symbol", exports_one_symbol},
        {"embeds as the reference", embeds_as_the_reference},
        {"embeds in batches", embeds_in_batches},
        {"refuses to write", refuses_to_write},
        {"explains what it cannot open", explains_what_it_cannot_open},
        {"explains a broken file", explains_a_broken_file},
        {"breaks no rule", breaks_no_rule},
        {NULL, NULL},
    };
    if (!models_ready())
        return 77;
    if (!bench_load(&embedder, PLUGIN, "llama"))
        return 2;
    bench_set(&embedder, "model", "all-minilm-l6-v2");
    bench_set(&embedder, "threads", "1");
    if (bench_open(&embedder) < 0) {
        fprintf(stderr, "%s", embedder.log);
        return 2;
    }
    return check_main("llama_embed", checks);
}
