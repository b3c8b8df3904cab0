/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"
#include "text.h"

#include <limits.h>
#include <stdlib.h>

static int check_template(struct prompt_style *style, bool automatic, char *error,
                          size_t error_size)
{
    const struct llama_chat_message hello = {.role = "user", .content = "hello"};
    if (!style->template ||
        llama_chat_apply_template(style->template, &hello, 1, true, NULL, 0) > 0)
        return 0;
    if (automatic) {
        snprintf(
            error, error_size,
            "the model's chat template is none of those that llama.cpp knows without a Jinja "
            "interpreter; set `template` to one of its names (chatml, llama3, ...) or to plain");
        return XY_EINVAL;
    }
    const char *names[128];
    int32_t count = llama_chat_builtin_templates(names, 128);
    struct text list = {0};
    for (int32_t i = 0; i < count && i < 128; i++)
        text_print(&list, "%s%s", i ? ", " : "", names[i]);
    snprintf(error, error_size, "unknown chat template '%s'; known are auto, plain, %s",
             style->template, list.ptr ? list.ptr : "");
    text_free(&list);
    return XY_EINVAL;
}

int prompt_style_init(struct prompt_style *style, const struct llama_model *model,
                      const char *choice, char *error, size_t error_size)
{
    *style = (struct prompt_style){.vocab = llama_model_get_vocab(model)};
    bool automatic = strcmp(choice, "auto") == 0;
    if (automatic)
        style->template = llama_model_chat_template(model, NULL);
    else if (strcmp(choice, "plain") != 0)
        style->template = choice;
    int32_t words = llama_vocab_n_tokens(style->vocab);
    style->controls = calloc((size_t)words + 1, sizeof(*style->controls));
    if (!style->controls) {
        snprintf(error, error_size, "out of memory");
        return XY_ENOMEM;
    }
    for (llama_token token = 0; token < words; token++) {
        enum llama_token_attr attributes = llama_vocab_get_attr(style->vocab, token);
        if (attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN))
            style->controls[style->control_count++] = llama_vocab_get_text(style->vocab, token);
    }
    return check_template(style, automatic, error, error_size);
}

void prompt_style_finish(struct prompt_style *style)
{
    free(style->controls);
    *style = (struct prompt_style){0};
}

llama_token *prompt_tokenize(const struct llama_vocab *vocab, const char *text, size_t len,
                             bool special, bool control, size_t *count)
{
    if (len > INT32_MAX / 2)
        return NULL;
    int32_t room = (int32_t)len + 8;
    for (;;) {
        llama_token *tokens = malloc((size_t)room * sizeof(*tokens));
        if (!tokens)
            return NULL;
        int32_t got = llama_tokenize(vocab, text, (int32_t)len, tokens, room, special, control);
        if (got >= 0) {
            *count = (size_t)got;
            return tokens;
        }
        free(tokens);
        if (got == INT32_MIN)
            return NULL;
        room = -got;
    }
}

/* The length of the control token's text that starts here, 0 when none does. */
static size_t control_at(const struct prompt_style *style, const char *text, size_t len)
{
    for (size_t i = 0; i < style->control_count; i++) {
        size_t length = strlen(style->controls[i]);
        if (length > 1 && length <= len && memcmp(text, style->controls[i], length) == 0)
            return length;
    }
    return 0;
}

static void add_content(const struct prompt_style *style, xy_str content, struct text *out)
{
    for (size_t i = 0; i < content.len; i++) {
        /* A NUL would end the text for llama.h. */
        text_add(out, content.ptr[i] ? content.ptr + i : " ", 1);
        if (control_at(style, content.ptr + i, content.len - i) > 0)
            text_add_string(out, " ");
    }
}

/* Role and content of each message as strings, one behind the other in `pool`. */
static struct llama_chat_message *to_chat(const struct prompt_style *style,
                                          const xy_message *messages, size_t count,
                                          struct text *pool)
{
    struct llama_chat_message *chat = calloc(count + 1, sizeof(*chat));
    for (size_t i = 0; i < count; i++) {
        add_content(style, messages[i].role, pool);
        text_add(pool, "", 1);
        add_content(style, messages[i].content, pool);
        text_add(pool, "", 1);
    }
    if (!chat || pool->failed) {
        free(chat);
        return NULL;
    }
    const char *next = pool->ptr;
    for (size_t i = 0; i < count; i++) {
        chat[i].role = next;
        chat[i].content = next + strlen(next) + 1;
        next = chat[i].content + strlen(chat[i].content) + 1;
    }
    return chat;
}

static int render(const struct prompt_style *style, const struct llama_chat_message *chat,
                  size_t count, bool prefilled, struct text *out)
{
    size_t closed = count - (prefilled ? 1 : 0);
    if (!style->template) {
        for (size_t i = 0; i < count; i++) {
            text_add_string(out, i ? "\n" : "");
            text_add_string(out, chat[i].content);
        }
        return out->failed ? XY_ENOMEM : 0;
    }
    int32_t need = llama_chat_apply_template(style->template, chat, closed, true, NULL, 0);
    if (need < 0)
        return XY_EINVAL;
    char *rendered = malloc((size_t)need + 1);
    if (!rendered)
        return XY_ENOMEM;
    llama_chat_apply_template(style->template, chat, closed, true, rendered, need + 1);
    text_add(out, rendered, (size_t)need);
    free(rendered);
    if (prefilled)
        text_add_string(out, chat[count - 1].content);
    return out->failed ? XY_ENOMEM : 0;
}

llama_token *prompt_tokens(const struct prompt_style *style, const xy_message *messages,
                           size_t message_count, size_t *count, int *status, char *error,
                           size_t error_size)
{
    struct text pool = {0}, rendered = {0};
    llama_token *tokens = NULL;
    xy_str last = message_count ? messages[message_count - 1].role : xy_text("");
    bool prefilled =
        last.len == strlen("assistant") && memcmp(last.ptr, "assistant", last.len) == 0;
    struct llama_chat_message *chat = to_chat(style, messages, message_count, &pool);
    *status = chat ? render(style, chat, message_count, prefilled, &rendered) : XY_ENOMEM;
    if (*status == 0) {
        tokens = prompt_tokenize(style->vocab, rendered.ptr ? rendered.ptr : "", rendered.len, true,
                                 true, count);
        *status = tokens ? 0 : XY_ENOMEM;
    }
    if (*status < 0)
        snprintf(error, error_size, "%s",
                 *status == XY_EINVAL ? "the chat template cannot render these messages"
                                      : "out of memory");
    free(chat);
    text_free(&rendered);
    text_free(&pool);
    return tokens;
}
