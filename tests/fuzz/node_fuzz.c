/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes through everything that node.h does. Build with clang -fsanitize=fuzzer,address:
 * clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Icore -Isdk/include \
 *     tests/fuzz/node_fuzz.c core/node*.c core/error.c core/memory.c -lyaml -o node_fuzz */
#include "node.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Every bound that the header promises holds for a tree that was accepted. */
static void check_tree(const struct node *node, int depth)
{
    if (depth > NODE_DEPTH || node->line < 1 || node->column < 1)
        abort();
    if (node->kind == NODE_SCALAR && node->text.ptr[node->text.len] != '\0')
        abort();
    char out[NODE_SHOWN];
    node_shown(node, out);
    struct error error;
    error_set(&error, XY_EINVAL, "x");
    error_at(&error, "", 1, 1);
    node_place_within(node, &error);
    for (size_t i = 0; i < node->count; i++)
        check_tree(node->items[i], depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena arena = {0};
    struct error error = {0};
    struct error_list errors = {0};
    struct node *root =
        node_read_text(&arena, "fuzz", (xy_str){(const char *)bytes, length}, &error);
    if (!root) {
        if (error.code >= 0 || !error.text[0])
            abort();
        goto out;
    }
    int depth = 0;
    if (node_size(root, &depth) > 2 * (size_t)NODE_LIMIT || depth > NODE_DEPTH)
        abort();
    check_tree(root, 1);
    struct value value;
    node_value(&arena, root, &value);
    const struct node *params = node_member(root, "params");
    node_substitute(&arena, root, params ? node_copy(&arena, params) : NULL, &errors);
    if (root->kind == NODE_MAP && root->count > 0) {
        const struct node *key = root->keys[0];
        node_set(&arena, root, key->text.ptr, STR("{a: [1]}"), &error);
    }
out:
    error_list_free(&errors);
    arena_free(&arena);
    return 0;
}
