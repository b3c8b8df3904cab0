/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - the tree of a search: what was called on the way to each node, what was tried below it,
 * and both as messages for the model and as JSON for the record. Nodes lie in the job's memory. */
#ifndef XYLEM_PLUGINS_TOOL_SEARCH_TREE_H
#define XYLEM_PLUGINS_TOOL_SEARCH_TREE_H

#include "json_reader.h"
#include "text.h"

/* A call that worked; the root has none. */
struct node {
    struct node *parent;
    uint32_t depth;              /* calls from the root to here */
    xy_str message;              /* what the model said: the call's JSON, as it stands */
    xy_str tool, arguments;      /* the name; JSON */
    xy_str result;
    struct text tried;           /* JSON of the calls below that led nowhere, with commas */
    uint32_t children;           /* how often the model was asked here */
};

/* What one message of the model says. */
enum said { SAID_NOTHING = 0, SAID_CALL, SAID_ANSWER, SAID_GIVE_UP };
struct move {
    enum said said;
    xy_str message, tool, arguments, text; /* text: the answer, or the reason to give up */
};

struct node *tree_root(xy_job *job);
struct node *tree_child(xy_job *job, struct node *parent, const struct move *move, xy_str result);
/* Frees what a node and those above it hold outside of the job's memory. */
void tree_forget(struct node *node);

/* Reads a message: one JSON object, alone or within other words. Slices are copied into the job. */
void tree_read(xy_job *job, xy_str message, struct move *move);

/* The conversation that leads to `node`, in the job's memory: `system`, `task`, each call and its
 * result; and, when something was tried here before, that it led nowhere. */
const xy_message *tree_messages(xy_job *job, const struct node *node, xy_str system, xy_str task,
                                size_t *count);

/* Notes that a call below `node` led nowhere: there for the model, and in `all` for the record. */
void tree_note(struct node *node, const struct move *move, xy_str why, struct text *all);

/* The calls from the root to `node`: [{"tool", "arguments", "result", "error"}]. */
void tree_write_path(const struct node *node, struct text *out);
/* The same as a conversation in OpenAI's chat format, with the answer. */
void tree_write_chat(const struct node *node, xy_str system, xy_str task, xy_str answer,
                     struct text *out);

#endif
