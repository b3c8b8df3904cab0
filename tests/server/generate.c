/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { DEPTH_LIMIT = 8, ARRAY_LIMIT = 16, PROMPT_WORDS = 32 };

static const char *const words[] = {
    "actor",   "again",   "almost",   "always",  "ambitious", "autumn",  "awkward",  "beautiful",
    "before",  "behind",  "bitter",   "boring",  "bright",    "camera",  "careful",  "charming",
    "cheap",   "city",    "clever",   "clumsy",  "cold",      "comedy",  "crowd",    "curious",
    "dark",    "delight", "dialogue", "dinner",  "director",  "dream",   "dull",     "early",
    "elegant", "empty",   "ending",   "enough",  "evening",   "every",   "fails",    "family",
    "famous",  "fast",    "film",     "finally", "first",     "forest",  "fresh",    "friend",
    "funny",   "game",    "garden",   "gentle",  "glass",     "good",    "great",    "hardly",
    "heart",   "heavy",   "hero",     "holds",   "honest",    "hotel",   "house",    "humour",
    "idea",    "island",  "journey",  "kind",    "kitchen",   "large",   "late",     "laugh",
    "letter",  "light",   "little",   "lively",  "long",      "lost",    "loud",     "love",
    "magic",   "market",  "memory",   "middle",  "minute",    "modern",  "moment",   "moral",
    "morning", "music",   "mystery",  "narrow",  "never",     "night",   "noise",    "novel",
    "ocean",   "often",   "old",      "paper",   "patient",   "perfect", "picture",  "plain",
    "plot",    "poor",    "proud",    "quick",   "quiet",     "rain",    "rarely",   "rich",
    "river",   "road",    "rough",    "sad",     "scene",     "script",  "second",   "serious",
    "shallow", "sharp",   "short",    "silent",  "simple",    "slow",    "small",    "song",
    "sound",   "story",   "strange",  "street",  "strong",    "summer",  "surprise", "sweet",
    "table",   "tender",  "theatre",  "thin",    "thriller",  "tired",   "town",     "train",
    "under",   "village", "voice",    "waits",   "warm",      "waste",   "water",    "weak",
    "wild",    "window",  "winter",   "wise",    "without",   "wonder",  "young",
};

static const char *pick_word(uint64_t hash)
{
    return words[hash % (sizeof(words) / sizeof(*words))];
}

/* The starts of up to PROMPT_WORDS ASCII words of the prompt. */
static size_t prompt_words(const char *prompt, const char *starts[PROMPT_WORDS],
                           size_t lengths[PROMPT_WORDS])
{
    size_t count = 0;
    while (*prompt && count < PROMPT_WORDS) {
        size_t length = 0;
        while (isalnum((unsigned char)prompt[length]))
            length++;
        if (length > 1 && length < 24) {
            starts[count] = prompt;
            lengths[count++] = length;
        }
        prompt += length ? length : 1;
    }
    return count;
}

unsigned generate_text(struct out *out, uint64_t hash, const char *prompt, unsigned max_words,
                       bool *cut)
{
    const char *starts[PROMPT_WORDS];
    size_t lengths[PROMPT_WORDS];
    size_t known = prompt_words(prompt, starts, lengths);
    unsigned count = 8 + (unsigned)(hash % 24);
    *cut = max_words && count > max_words;
    if (*cut)
        count = max_words;
    for (unsigned i = 0; i < count; i++) {
        uint64_t draw = hash_mix(hash + i * UINT64_C(0x9e3779b97f4a7c15));
        if (i)
            out_add(out, " ", 1);
        if (i < 4 && known)
            out_add(out, starts[draw % known], lengths[draw % known]);
        else
            out_text(out, pick_word(draw));
    }
    return count;
}

static double schema_number(const cJSON *schema, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(schema, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static void generate_object(struct out *out, uint64_t hash, const cJSON *schema, unsigned depth)
{
    const cJSON *property = NULL;
    const char *comma = "";
    out_text(out, "{");
    cJSON_ArrayForEach(property, cJSON_GetObjectItemCaseSensitive(schema, "properties"))
    {
        out_text(out, comma);
        out_json_string(out, property->string, strlen(property->string));
        out_text(out, ":");
        hash = hash_bytes(hash, property->string, strlen(property->string));
        generate_value(out, hash, property, depth + 1);
        comma = ",";
    }
    out_text(out, "}");
}

static void generate_array(struct out *out, uint64_t hash, const cJSON *schema, unsigned depth)
{
    double least = schema_number(schema, "minItems", 1);
    double most = schema_number(schema, "maxItems", least > 3 ? least : 3);
    least = fmin(fmax(least, 0), ARRAY_LIMIT);
    most = fmin(fmax(most, least), ARRAY_LIMIT);
    unsigned count = (unsigned)(least + floor(hash_unit(hash) * (most - least + 1)));
    out_text(out, "[");
    for (unsigned i = 0; i < count; i++) {
        if (i)
            out_text(out, ",");
        const cJSON *items = cJSON_GetObjectItemCaseSensitive(schema, "items");
        generate_value(out, hash_mix(hash + i + 1), items, depth + 1);
    }
    out_text(out, "]");
}

static void generate_number(struct out *out, uint64_t hash, const cJSON *schema, bool whole)
{
    double least = schema_number(schema, "minimum", 0);
    double most = schema_number(schema, "maximum", least > 100 ? least : 100);
    double number = least + hash_unit(hash) * (most - least);
    if (whole)
        number = fmin(floor(least + hash_unit(hash) * (most - least + 1)), most);
    out_format(out, whole ? "%.0f" : "%.6g", number);
}

static void print_json(struct out *out, const cJSON *item)
{
    char *text = cJSON_PrintUnformatted(item);
    out_text(out, text ? text : "null");
    cJSON_free(text);
}

static const cJSON *first_branch(const cJSON *schema)
{
    const cJSON *branches = cJSON_GetObjectItemCaseSensitive(schema, "anyOf");
    if (!branches)
        branches = cJSON_GetObjectItemCaseSensitive(schema, "oneOf");
    return cJSON_IsArray(branches) ? cJSON_GetArrayItem(branches, 0) : NULL;
}

void generate_value(struct out *out, uint64_t hash, const cJSON *schema, unsigned depth)
{
    const cJSON *branch = first_branch(schema);
    if (branch)
        schema = branch;
    const cJSON *choices = cJSON_GetObjectItemCaseSensitive(schema, "enum");
    const cJSON *constant = cJSON_GetObjectItemCaseSensitive(schema, "const");
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type");
    if (cJSON_IsArray(type))
        type = cJSON_GetArrayItem(type, 0);
    const char *name = cJSON_IsString(type) ? type->valuestring : "string";
    int choice_count = cJSON_GetArraySize(choices);
    bool cut;
    if (choice_count > 0)
        print_json(out, cJSON_GetArrayItem(choices, (int)(hash % (unsigned)choice_count)));
    else if (constant)
        print_json(out, constant);
    else if (depth >= DEPTH_LIMIT || strcmp(name, "null") == 0)
        out_text(out, "null");
    else if (strcmp(name, "object") == 0)
        generate_object(out, hash, schema, depth);
    else if (strcmp(name, "array") == 0)
        generate_array(out, hash, schema, depth);
    else if (strcmp(name, "integer") == 0 || strcmp(name, "number") == 0)
        generate_number(out, hash, schema, name[0] == 'i');
    else if (strcmp(name, "boolean") == 0)
        out_text(out, hash & 1 ? "true" : "false");
    else {
        out_text(out, "\"");
        generate_text(out, hash, "", 12, &cut);
        out_text(out, "\"");
    }
}

static bool is_word(unsigned char c)
{
    return isalnum(c) || c >= 0x80;
}

size_t generate_token_length(const char *text, size_t length)
{
    size_t end = length > 1 && text[0] == ' ' && is_word((unsigned char)text[1]) ? 1 : 0;
    while (end < length && is_word((unsigned char)text[end]))
        end++;
    return end || !length ? end : 1;
}

double generate_logprob(const char *before, size_t before_length, const char *token,
                        size_t token_length)
{
    uint64_t hash = hash_bytes(hash_bytes(0, before, before_length), token, token_length);
    return -0.01 - 7.99 * hash_unit(hash);
}

void generate_vector(const char *text, float vector[VECTOR_SIZE])
{
    double sum[VECTOR_SIZE] = {0}, square = 0;
    sum[0] = 1e-6; /* a text without a word has a direction too */
    while (*text) {
        size_t length = 0;
        while (is_word((unsigned char)text[length]))
            length++;
        uint64_t hash = hash_bytes(1, text, length);
        for (size_t i = 0; length && i < VECTOR_SIZE; i++)
            sum[i] += hash_unit(hash_mix(hash + i)) - 0.5;
        text += length ? length : 1;
    }
    for (size_t i = 0; i < VECTOR_SIZE; i++)
        square += sum[i] * sum[i];
    for (size_t i = 0; i < VECTOR_SIZE; i++)
        vector[i] = (float)(sum[i] / sqrt(square));
}
