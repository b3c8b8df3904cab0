/* SPDX-License-Identifier: Apache-2.0 */
/* requantize - writes a GGUF model again with 8-bit weights, by llama.cpp's own quantiser.
 *
 * The package index carries SmolLM2 as Q4_1, whose matrix products have no fast kernel for prompts
 * on x86: a prompt costs 43 % less processor time from Q8_0. The weights are those of the Q4_1 file
 * to within 8-bit rounding; what Q4_1 lost is not won back. Usage: requantize FROM.gguf TO.gguf
 */
#include <stdio.h>
#include <unistd.h>

#include <llama.h>

static void log_errors(enum ggml_log_level level, const char *text, void *data)
{
    (void)data;
    if (level == GGML_LOG_LEVEL_ERROR)
        fputs(text, stderr);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: requantize FROM.gguf TO.gguf\n");
        return 2;
    }
    llama_log_set(log_errors, NULL);
    llama_backend_init();
    struct llama_model_quantize_params params = llama_model_quantize_default_params();
    params.ftype = LLAMA_FTYPE_MOSTLY_Q8_0;
    params.allow_requantize = true;
    params.nthread = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
    if (llama_model_quantize(argv[1], argv[2], &params) == 0)
        return 0;
    fprintf(stderr, "requantize: `%s` could not be written again as `%s`\n", argv[1], argv[2]);
    return 1;
}
