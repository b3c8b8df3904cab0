/* SPDX-License-Identifier: Apache-2.0 */
/* schema_grammar.h - a JSON schema as a grammar in GBNF (llama.cpp, grammars/README.md).
 *
 * Understood: type (name or list), enum, const, properties, required, items, minItems, maxItems,
 * minLength, maxLength, minimum and maximum of a short integer range, anyOf, allOf of one, $ref to
 * "#", "#/$defs/NAME" or "#/definitions/NAME". An object has its properties in the order of the
 * schema and no others; annotations (title, description, format ...) change nothing. Any other
 * keyword is refused by name, so that nobody believes a rule that is not enforced.
 * [any], reentrant.
 */
#ifndef XYLEM_PLUGINS_LLAMA_SCHEMA_GRAMMAR_H
#define XYLEM_PLUGINS_LLAMA_SCHEMA_GRAMMAR_H

#include <stddef.h>

/* The grammar, with the start rule "root"; free() it. NULL with the reason in `error` and *status
 * XY_EUNSUPPORTED (a keyword that has no grammar), XY_EINVAL (no schema) or XY_ENOMEM. */
char *schema_grammar(const char *schema, size_t len, int *status, char *error, size_t error_size);

#endif
