/* SPDX-License-Identifier: Apache-2.0 */
/* openai_internal.h - what the files of this plugin share.
 *
 *   openai.c          options, open, submit, cancel
 *   openai_request.c  a request as the endpoint's JSON
 *   openai_reply.c    the endpoint's JSON as a reply
 *   openai_score.c    log-probabilities of given continuations
 *   openai_error.c    what an HTTP error means, in one sentence
 */
#ifndef XYLEM_PLUGINS_OPENAI_OPENAI_INTERNAL_H
#define XYLEM_PLUGINS_OPENAI_OPENAI_INTERNAL_H

#include "exchanges.h"
#include "json_reader.h"
#include "text.h"

enum flavor {
    FLAVOR_OPENAI = 1,
    FLAVOR_AZURE,
    FLAVOR_VLLM,
    FLAVOR_LLAMA_SERVER,
    FLAVOR_OLLAMA,
    FLAVOR_OPENROUTER
};

enum schema_form {
    SCHEMA_JSON_SCHEMA = 1,    /* response_format: {type: json_schema, ...} */
    SCHEMA_JSON_OBJECT,        /* response_format: {type: json_object}: JSON, but no schema */
    SCHEMA_GUIDED_JSON,        /* vLLM, older releases */
    SCHEMA_STRUCTURED_OUTPUTS, /* vLLM, newer releases */
    SCHEMA_NONE
};

enum score_form {
    SCORE_ECHO = 1,    /* legacy completions with echo: exact */
    SCORE_FIRST_TOKEN, /* chat with top_logprobs of one token: an approximation */
    SCORE_NONE
};


struct openai {
    /* Options. */
    const char *base_url, *api_key, *model, *api, *flavor_name;
    const char *organization, *project, *deployment, *api_version;
    const char *const *headers;
    const char *token_limit_name, *schema_name, *score_name;
    const char *extra;
    int64_t dimensions, top_logprobs;
    int32_t strict;
    /* Worked out by open(). */
    const xy_host *host;
    enum flavor flavor;
    enum schema_form schema;
    enum score_form score;
    bool chat;
    const char *token_limit;
    char *url_complete, *url_legacy, *url_embed;
    char **header_lines;
    xy_str *header_list;
    size_t header_count;
    struct text body;            /* of the request being sent: http copies it */
    struct exchanges exchanges;
};

/* Writes the body of a request into openai->body and returns the URL it goes to. */
const char *openai_write(struct openai *openai, const xy_request *request);
/* OpenAI takes only schemas whose top says `type: object`: any other is sent as the one member of
 * an object, and taken out of the answer again. */
#define OPENAI_WRAPPED "message"
bool openai_wraps(const struct openai *openai, xy_str schema);
/* What stands between two messages where the endpoint takes one text, and its length in
 * characters. */
#define OPENAI_JOIN_ESCAPED "\\n\\n"
enum { OPENAI_JOIN_LENGTH = 2 };

/* Fills `reply` from a good answer's body; what it points to is the call's. On nonsense the reply's
 * status is XY_EUPSTREAM, retryable. */
void openai_read(const struct openai *openai, xy_call *call, xy_str body, xy_reply *reply);
void openai_read_scores(const struct openai *openai, xy_call *call, xy_str answer,
                        xy_reply *reply);
/* A decoded string in the call's memory, NUL-terminated; {NULL, 0} when it is no string. */
xy_str openai_text(xy_call *call, xy_str value);

/* Sets status, error, retryable and limited from an HTTP status and its body. */
void openai_fail(const struct openai *openai, xy_call *call, int code, xy_str body,
                 xy_reply *reply);
void openai_malformed(xy_call *call, const char *what, xy_str body, xy_reply *reply);

#endif
