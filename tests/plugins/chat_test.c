/* SPDX-License-Identifier: Apache-2.0 */
#include "format_host.h"

static struct stage_host host;

static const char *load(const char *yaml, const char *text)
{
    return format_read(&host, "chat", yaml, text);
}

static const char *save(const char *yaml, const char *const *fields, const char *lines)
{
    return format_write(&host, "chat", yaml, fields, lines);
}

#define USER "{\"role\":\"user\",\"content\":\"Hi\"}"
#define ANSWER "{\"role\":\"assistant\",\"content\":\"Say \\\"yes\\\"\\n\"}"
#define SYSTEM "{\"role\":\"system\",\"content\":\"Be kind\"}"

static void writes_fields(void)
{
    CHECK_TEXT(save(NULL, NULL, "{\"user\":\"Hi\",\"assistant\":\"Say \\\"yes\\\"\\n\"}\n"),
               "{\"messages\":[" USER "," ANSWER "]}\n");
    CHECK_TEXT(save(NULL, NULL, "{\"assistant\":\"Say \\\"yes\\\"\\n\",\"user\":\"Hi\","
                                 "\"system\":\"Be kind\",\"label\":1}\n"),
               "{\"messages\":[" SYSTEM "," USER "," ANSWER "]}\n");
    static const char *const fields[] = {"label", NULL};
    CHECK_TEXT(save("{user: q, assistant: a}", fields, "{\"q\":1,\"a\":[true],\"label\":\"x\"}\n"),
               "{\"messages\":[{\"role\":\"user\",\"content\":\"1\"},"
               "{\"role\":\"assistant\",\"content\":\"[true]\"}],\"label\":\"x\"}\n");
    CHECK_TEXT(save("keep: [n, none]", NULL, "{\"user\":\"Hi\",\"assistant\":\"\",\"n\":2}\n"),
               "{\"messages\":[" USER ",{\"role\":\"assistant\",\"content\":\"\"}],"
               "\"n\":2,\"none\":null}\n");
    CHECK_TEXT(save(NULL, NULL, "{\"user\":\"Hi\"}\n"),
               "error: record 00000000000003e8 has no field `assistant`; name the fields of the "
               "conversation with `user` and `assistant`, or give `messages`");
}

static void writes_whole_lists(void)
{
    CHECK_TEXT(save("messages: m", NULL, "{\"m\":[" USER "," ANSWER "," USER "]}\n"),
               "{\"messages\":[" USER "," ANSWER "," USER "]}\n");
    CHECK_TEXT(save("messages: m", NULL, "{\"m\":\"Hi\"}\n"),
               "error: record 00000000000003e8, field `m`: it is no JSON list");
    CHECK_TEXT(save("messages: m", NULL, "{\"m\":[{\"role\":\"user\"}]}\n"),
               "error: record 00000000000003e8, field `m`: a message has no `content`");
    CHECK_TEXT(save("messages: m", NULL, "{\"m\":[]}\n"), "error: record 00000000000003e8, field "
               "`m`: the messages are no list with at least one message");
}

static void reads(void)
{
    CHECK_TEXT(load(NULL, "\xef\xbb\xbf{\"messages\":[" SYSTEM "," USER "," ANSWER "],\"n\":1}\n\n"
                          "{\"n\":null,\"messages\":[" USER "," ANSWER "]}"),
               "{\"system\":\"Be kind\",\"user\":\"Hi\",\"assistant\":\"Say \\\"yes\\\"\\n\","
               "\"n\":1}\n{\"user\":\"Hi\",\"assistant\":\"Say \\\"yes\\\"\\n\"}\n");
    CHECK_TEXT(load("{user: q}", "{\"messages\":[" USER "]}"), "{\"q\":\"Hi\"}\n");
    CHECK_TEXT(load("messages: m", "{\"messages\":[" USER "," USER "]}"),
               "{\"m\":[" USER "," USER "]}\n");
    CHECK_TEXT(load("messages: m", "{\"messages\":[{\"role\":\"tool\",\"content\":null}]}"),
               "{\"m\":[{\"role\":\"tool\",\"content\":null}]}\n");
}

static void tells_where_it_is_broken(void)
{
    CHECK_TEXT(load(NULL, "{\"messages\":[" USER "]}\n{}\n"), "{\"user\":\"Hi\"}\n"
               "error: FILE:2: expected a JSON object with a member `messages`");
    CHECK_TEXT(load(NULL, "[1]"),
               "error: FILE:1: expected a JSON object with a member `messages`");
    CHECK_TEXT(load(NULL, "\n{\"messages\":[{\"content\":\"x\"}]}"),
               "error: FILE:2: a message has no `role`");
    CHECK_TEXT(load(NULL, "{\"messages\":[" USER "," USER "]}"), "error: FILE:1: more than one "
               "message of a role, another role, or a content that is no text: read it whole by "
               "the option `messages`");
    CHECK_TEXT(load(NULL, "{\"messages\":["), "error: FILE:1: expected a JSON object with a member "
               "`messages`");
}

static void keeps_weights(void)
{
    CHECK_TEXT(save("{weight: true, keep: [n]}", NULL, "{\"@weight\":0.5,\"user\":\"Hi\","
                                                       "\"assistant\":\"Ho\",\"n\":1}\n"),
               "{\"messages\":[" USER ",{\"role\":\"assistant\",\"content\":\"Ho\"}],\"n\":1,"
               "\"_weight\":0.5}\n");
    static const char line[] = "{\"messages\":[" USER "],\"_weight\":0.5}\n";
    CHECK_TEXT(load(NULL, line), "{\"user\":\"Hi\",\"_weight\":0.5}\n");
    CHECK_TEXT(load("weight: true", line), "{\"user\":\"Hi\"}\n");
    CU_ASSERT_EQUAL(format_read_weight(&host, "chat", "weight: true", line), 0.5);
    CHECK_TEXT(load("weight: true", "{\"messages\":[" USER "],\"_weight\":-1}\n"),
               "error: FILE:1: `_weight` is no finite number of at least 0");
}

static const struct check checks[] = {
    {"fields to messages", writes_fields},
    {"lists of messages", writes_whole_lists},
    {"reading", reads},
    {"weights", keeps_weights},
    {"broken files", tells_where_it_is_broken},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "chat");
    int failed = check_main("chat", checks);
    stage_host_free(&host);
    return failed;
}
