/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 25, QUERY_SIZE = 4096 };

/* The form's query without its percent-encoding, cut at QUERY_SIZE. */
static void read_query(const struct request *request, char query[QUERY_SIZE])
{
    const char *at = request->body, *end = request->body + request->body_length;
    size_t length = 0;
    if (request->body_length > 6 && memcmp(at, "query=", 6) == 0)
        for (at += 6; at < end && *at != '&' && length + 1 < QUERY_SIZE; at++) {
            char code[3] = {at[0], 0, 0};
            if (*at == '%' && end - at > 2) {
                memcpy(code, at + 1, 2);
                query[length++] = (char)strtoul(code, NULL, 16);
                at += 2;
            } else {
                query[length++] = *at == '+' ? ' ' : *at;
            }
        }
    query[length] = '\0';
}

static unsigned number_after(const char *query, const char *word, unsigned otherwise)
{
    const char *found = strstr(query, word);
    return found ? (unsigned)strtoul(found + strlen(word), NULL, 10) : otherwise;
}

int table_answer(struct out *out, const struct request *request)
{
    char query[QUERY_SIZE];
    read_query(request, query);
    if (strstr(query, "WRONG")) {
        out_text(out, "error at 1:1: expected one of ASK, SELECT");
        return 400;
    }
    if (strstr(query, "SLOWLY")) {
        out_text(out, "java.util.concurrent.TimeoutException: the query ran for 60 s");
        return 500;
    }
    if (strncmp(query, "ASK", 3) == 0) {
        out_text(out, "{\"head\":{},\"boolean\":true}\n");
        return 200;
    }
    unsigned offset = number_after(query, "OFFSET ", 0);
    unsigned limit = number_after(query, "LIMIT ", ROWS);
    out_text(out, "{\"head\":{\"vars\":[\"n\",\"name\"]},\"results\":{\"bindings\":[");
    for (unsigned i = offset; i < ROWS && i - offset < limit; i++)
        out_format(out,
                   "%s{\"n\":{\"type\":\"literal\",\"value\":\"%u\",\"datatype\":"
                   "\"http://www.w3.org/2001/XMLSchema#integer\"},"
                   "\"name\":{\"type\":\"literal\",\"value\":\"row %u\",\"xml:lang\":\"en\"}}",
                   i > offset ? "," : "", i + 1, i + 1);
    out_text(out, "]}}\n");
    return 200;
}
