/* SPDX-License-Identifier: Apache-2.0 */
/* openai: any endpoint that speaks OpenAI's HTTP API. One attempt per call; retries, limits, budget
 * and cache are the host's. */
#include "openai_internal.h"

#include <stdlib.h>

#define NEUTRAL XY_OPT_NEUTRAL
#define AT(member) offsetof(struct openai, member)

static const xy_option options[] = {
    {"base_url", XY_OPT_TEXT, AT(base_url), "https://api.openai.com/v1", 0, 0, 0, NULL,
     "Where the API lives, up to and with /v1 (azure: up to the resource's host)."},
    {"api_key", XY_OPT_TEXT, AT(api_key), NULL, XY_OPT_SECRET, 0, 0, NULL,
     "The key, sent as a bearer token (azure: as api-key); best from ${NAME}."},
    {"model", XY_OPT_TEXT, AT(model), NULL, 0, 0, 0, NULL,
     "The model's name at the endpoint; azure takes its deployment instead."},
    {"flavor", XY_OPT_TEXT, AT(flavor_name), "openai", 0, 0, 0,
     "openai|azure|vllm|llama-server|ollama|openrouter",
     "Which server this is: sets how a few parameters are sent (see the table in its README)."},
    {"api", XY_OPT_TEXT, AT(api), "chat", 0, 0, 0, "chat|completions",
     "Chat messages, or the legacy completions endpoint with raw text."},
    {"organization", XY_OPT_TEXT, AT(organization), NULL, NEUTRAL, 0, 0, NULL,
     "Sent as OpenAI-Organization."},
    {"project", XY_OPT_TEXT, AT(project), NULL, NEUTRAL, 0, 0, NULL, "Sent as OpenAI-Project."},
    {"headers", XY_OPT_LIST, AT(headers), NULL, XY_OPT_SECRET, 0, 0, NULL,
     "Further headers, \"Name: value\" each."},
    {"deployment", XY_OPT_TEXT, AT(deployment), NULL, 0, 0, 0, NULL,
     "azure: the deployment's name."},
    {"api_version", XY_OPT_TEXT, AT(api_version), "2024-10-21", 0, 0, 0, NULL,
     "azure: the api-version of the URL."},
    {"token_limit", XY_OPT_TEXT, AT(token_limit_name), "auto", 0, 0, 0,
     "auto|max_tokens|max_completion_tokens",
     "The field that carries max_tokens; auto: max_completion_tokens at api.openai.com and azure."},
    {"schema", XY_OPT_TEXT, AT(schema_name), "json_schema", 0, 0, 0,
     "json_schema|json_object|guided_json|structured_outputs|none",
     "How a JSON schema is sent; none leaves the answer to be parsed and mended."},
    {"strict", XY_OPT_BOOL, AT(strict), "true", 0, 0, 0, NULL,
     "Sent as `strict` with json_schema; OpenAI then refuses schemas it cannot guarantee."},
    {"score", XY_OPT_TEXT, AT(score_name), "auto", 0, 0, 0, "auto|echo|first_token|none",
     "How continuations are scored: legacy echo (exact), or top_logprobs of the first token."},
    {"top_logprobs", XY_OPT_INT, AT(top_logprobs), "20", 0, 1, 20, NULL,
     "first_token: how many alternatives to ask for."},
    {"dimensions", XY_OPT_INT, AT(dimensions), "0", 0, 0, 1 << 20, NULL,
     "Length of embeddings where the model can shorten them; 0: the model's own."},
    {"extra", XY_OPT_JSON, AT(extra), NULL, 0, 0, 0, NULL,
     "A map of further members for every request body; they win over what this plugin sends."},
    {.name = NULL},
};

/* ---- open ------------------------------------------------------------------------------------ */

static int refuse(const struct openai *openai, const char *why)
{
    xy_log_line(openai->host, XY_LOG_ERROR, "openai: %s", why);
    return XY_EINVAL;
}

static char *join(const char *a, const char *b, const char *c, const char *d)
{
    size_t length = strlen(a) + strlen(b) + strlen(c) + strlen(d) + 1;
    char *text = malloc(length);
    if (text)
        snprintf(text, length, "%s%s%s%s", a, b, c, d);
    return text;
}

static char *endpoint(const struct openai *openai, const char *path)
{
    char *base = strdup(openai->base_url);
    if (!base)
        return NULL;
    for (size_t end = strlen(base); end && base[end - 1] == '/'; end--)
        base[end - 1] = '\0';
    char *url, *azure = NULL;
    if (openai->flavor == FLAVOR_AZURE) {
        azure = join("/openai/deployments/", openai->deployment, path, "?api-version=");
        url = azure ? join(base, azure, openai->api_version, "") : NULL;
    } else {
        url = join(base, path, "", "");
    }
    free(azure);
    free(base);
    return url;
}

static bool add_header(struct openai *openai, const char *name, const char *value)
{
    char *line = join(name, value, "", "");
    if (!line)
        return false;
    openai->header_lines[openai->header_count] = line;
    openai->header_list[openai->header_count++] = xy_text(line);
    return true;
}

/* Headers that would be another header, or none, are refused; `*count`: how many there are. */
static int check_headers(struct openai *openai, size_t *count)
{
    *count = 0;
    for (const char *const *header = openai->headers; header && *header; header++, ++*count)
        if (!strchr(*header, ':') || strpbrk(*header, "\r\n"))
            return refuse(openai, "each of `headers` must be one line \"Name: value\"");
    if (openai->api_key && strpbrk(openai->api_key, "\r\n"))
        return refuse(openai, "`api_key` has a line break in it");
    return XY_OK;
}

static int make_headers(struct openai *openai)
{
    size_t count;
    int status = check_headers(openai, &count);
    if (status < 0)
        return status;
    count += 4; /* those that are added below */
    openai->header_lines = calloc(count, sizeof(*openai->header_lines));
    openai->header_list = calloc(count, sizeof(*openai->header_list));
    if (!openai->header_lines || !openai->header_list)
        return XY_ENOMEM;
    bool good = add_header(openai, "Content-Type: ", "application/json");
    if (openai->api_key && *openai->api_key)
        good &= add_header(openai, openai->flavor == FLAVOR_AZURE ? "api-key: "
                                                                  : "Authorization: Bearer ",
                           openai->api_key);
    if (openai->organization)
        good &= add_header(openai, "OpenAI-Organization: ", openai->organization);
    if (openai->project)
        good &= add_header(openai, "OpenAI-Project: ", openai->project);
    for (const char *const *header = openai->headers; header && *header; header++)
        good &= add_header(openai, *header, "");
    return good ? XY_OK : XY_ENOMEM;
}

/* The option's place among its choices, from 1. */
static int choice(const char *value, const char *const *names)
{
    int place = 1;
    while (*names && strcmp(value, *names) != 0)
        names++, place++;
    return place;
}

static void choose(struct openai *openai)
{
    static const char *const flavors[] = {"openai", "azure", "vllm", "llama-server", "ollama",
                                          "openrouter", NULL};
    static const char *const schemas[] = {"json_schema", "json_object", "guided_json",
                                          "structured_outputs", "none", NULL};
    static const char *const scores[] = {"echo", "first_token", "none", NULL};
    openai->flavor = (enum flavor)choice(openai->flavor_name, flavors);
    openai->schema = (enum schema_form)choice(openai->schema_name, schemas);
    openai->chat = strcmp(openai->api, "chat") == 0;
    if (strcmp(openai->score_name, "auto") != 0)
        openai->score = (enum score_form)choice(openai->score_name, scores);
    else
        openai->score = openai->chat ? SCORE_FIRST_TOKEN : SCORE_ECHO;
    bool modern = openai->chat && (openai->flavor == FLAVOR_AZURE ||
                                   strstr(openai->base_url, "://api.openai.com"));
    openai->token_limit = openai->token_limit_name;
    if (strcmp(openai->token_limit, "auto") == 0)
        openai->token_limit = modern ? "max_completion_tokens" : "max_tokens";
}

static void read_reply(void *state, xy_call *call, const xy_http_reply *http, xy_reply *reply)
{
    const struct openai *openai = state;
    if (http->status != XY_OK)
        return;
    if (http->code >= 200 && http->code < 300)
        openai_read(openai, call, http->body, reply);
    else
        openai_fail(openai, call, http->code, http->body, reply);
}

static int openai_open(void *state, const xy_host *host)
{
    struct openai *openai = state;
    openai->host = host;
    openai->exchanges = (struct exchanges){
        .host = host, .http = host->service(host, XY_HTTP), .read = read_reply, .state = openai};
    choose(openai);
    if (openai->flavor == FLAVOR_AZURE && !openai->deployment)
        return refuse(openai, "flavor azure needs `deployment`, its name in the portal");
    if (openai->flavor != FLAVOR_AZURE && !openai->model)
        return refuse(openai, "`model` is missing: the model's name at the endpoint");
    if (strncmp(openai->base_url, "http://", 7) != 0 &&
        strncmp(openai->base_url, "https://", 8) != 0)
        return refuse(openai, "`base_url` must start with http:// or https://");
    if (openai->extra && json_kind(json_check(xy_text(openai->extra))) != '{')
        return refuse(openai, "`extra` must be a map");
    int code = make_headers(openai);
    openai->url_complete = endpoint(openai, openai->chat ? "/chat/completions" : "/completions");
    openai->url_legacy = endpoint(openai, "/completions");
    openai->url_embed = endpoint(openai, "/embeddings");
    if (!openai->url_complete || !openai->url_legacy || !openai->url_embed)
        code = XY_ENOMEM;
    return code;
}

static void openai_close(void *state)
{
    struct openai *openai = state;
    for (size_t i = 0; i < openai->header_count; i++)
        free(openai->header_lines[i]);
    free((void *)openai->header_lines);
    free(openai->header_list);
    free(openai->url_complete);
    free(openai->url_legacy);
    free(openai->url_embed);
    text_free(&openai->body);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static uint32_t openai_can(const void *state)
{
    const struct openai *openai = state;
    uint32_t can = XY_COMPLETE | XY_EMBED | XY_CAN_LOGPROBS | XY_CAN_SEED;
    if (openai->score != SCORE_NONE)
        can |= XY_SCORE;
    if (openai->schema != SCHEMA_NONE && openai->schema != SCHEMA_JSON_OBJECT)
        can |= XY_CAN_SCHEMA;
    return can;
}

static int openai_submit(void *state, xy_call *call)
{
    struct openai *openai = state;
    const xy_request *request = call->api->request(call);
    text_clear(&openai->body);
    const char *url = openai_write(openai, request);
    if (openai->body.failed)
        return XY_ENOMEM;
    xy_http_request http = {
        .size = sizeof(http),
        .timeout_ms = request->timeout_ms,
        .method = "POST",
        .url = url,
        .headers = openai->header_list,
        .header_count = openai->header_count,
        .body = {openai->body.bytes, openai->body.length},
    };
    return exchanges_send(&openai->exchanges, call, &http);
}

static void openai_cancel(void *state, xy_call *call)
{
    exchanges_cancel(&((struct openai *)state)->exchanges, call);
}

static const xy_generator generator = {
    .size = sizeof(generator),
    .can = openai_can,
    .submit = openai_submit,
    .cancel = openai_cancel,
};

static const char *const needs[] = {XY_HTTP, NULL};

/* Options under which the conformance kit can try it. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{ model: some, base_url: \"http://localhost:1/v1\" }"
               : NULL;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_GENERATOR,
    .state_size = sizeof(struct openai),
    .id = "openai",
    .version = "1.0.0",
    .summary = "Completes, scores and embeds through any endpoint that speaks OpenAI's HTTP API.",
    .needs = needs,
    .options = options,
    .open = openai_open,
    .close = openai_close,
    .generator = &generator,
    .extension = extension,
};

XY_PLUGIN("openai", "1.0.0", "Apache-2.0", &stage)
