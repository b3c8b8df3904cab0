/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of text that a model or a stranger wrote: strict JSON, mended JSON, schemas. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What was read must be writable, and what is written must be read back as the same value. */
static void must_survive(const struct value *value, size_t size)
{
    struct buffer buffer;
    buffer_init(&buffer, size * 20 + 1000);
    struct arena arena = {0};
    struct value again;
    struct error error;
    if (!json_write(&buffer, value) ||
        json_parse(&arena, buffer_str(&buffer), &again, &error) != 0 || !value_equal(value, &again))
        abort();
    arena_free(&arena);
    buffer_free(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    /* A zero byte parts a schema from the value to check. */
    const uint8_t *parting = size ? memchr(bytes, 0, size) : NULL;
    size_t length = parting ? (size_t)(parting - bytes) : size;
    xy_str text = {(const char *)bytes, length};
    xy_str rest = {(const char *)bytes + length + (parting ? 1 : 0),
                   size - length - (parting ? 1 : 0)};
    struct arena arena = {0};
    struct value value;
    struct error error;
    bool strict = json_parse(&arena, text, &value, &error) == 0;
    if (strict)
        must_survive(&value, size);
    bool container = strict && (value.type == VALUE_LIST || value.type == VALUE_MAP), repaired;
    int code = json_repair(&arena, text, &value, &repaired, &error);
    if (code == 0)
        must_survive(&value, size);
    if (container && (code != 0 || repaired))
        abort(); /* strict JSON must come out as it is */
    struct schema *schema = schema_compile(text, &error);
    if (schema && json_parse(&arena, rest, &value, &error) == 0)
        schema_check(schema, &value, &error);
    schema_free(schema);
    arena_free(&arena);
    return 0;
}
