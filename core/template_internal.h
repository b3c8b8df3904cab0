/* SPDX-License-Identifier: Apache-2.0 */
/* template_internal.h - what the template_*.c files share; nobody else includes it.
 *
 * source -> tokens (template_lex) -> nodes (template_parse, template_expression) -> slots for names
 * (template_scope) -> rendering (template_render, template_evaluate). Values while rendering are
 * `struct item`: record values plus what only Python has (tuples, ranges, generators, undefined).
 * Everything below that returns bool says false when it failed, with render->error filled.
 */
#ifndef XYLEM_CORE_TEMPLATE_INTERNAL_H
#define XYLEM_CORE_TEMPLATE_INTERNAL_H

#include "template.h"

enum {
    TEMPLATE_CHAIN = 400, /* operators that may hang on one another: bounds the evaluator's stack */
    TEMPLATE_NESTING = 200, /* lists in lists that may be compared or printed */
    TEMPLATE_PARAMETERS = 5 /* of a filter, a test or a method, at most */
};

/* ---- items ----------------------------------------------------------------------------------- */

enum kind {
    KIND_ABSENT, /* an argument not given, a slot not yet looked up */
    KIND_UNDEFINED,
    KIND_NONE,
    KIND_BOOL,
    KIND_INT,
    KIND_FLOAT,
    KIND_TEXT,
    KIND_LIST,
    KIND_TUPLE,
    KIND_MAP,
    KIND_KEYS, /* a dict's views: the map itself is in `map` */
    KIND_VALUES,
    KIND_ITEMS,
    KIND_RANGE,
    KIND_GENERATOR,
    KIND_NAMESPACE,
    KIND_LOOP,
    KIND_CYCLER,
    KIND_JOINER,
    KIND_FUNCTION
};

struct item {
    uint8_t kind;
    bool foreign;  /* list: struct value items; map: struct member; else struct item, struct pair */
    bool markup;   /* text: Python's Markup, what `escape` and `tojson` give */
    bool attribute; /* undefined: a missing member, not a variable; tuple: what groupby gives */
    bool lenient;   /* undefined: what `if` without `else` gives, which prints as nothing */
    union {
        bool boolean;
        int64_t integer;
        double number;
        xy_str text; /* undefined: the name that was asked for */
        struct {
            const void *data;
            size_t count;
        } list, map;
        struct range *range;
        struct generator *generator;
        struct dictionary *dictionary; /* namespace */
        struct loop *loop;
        struct cycler *cycler;
        struct joiner *joiner;
        const struct function *function;
    };
};

struct pair {
    struct item key, value;
};

struct range {
    int64_t start, stop, step;
    size_t count;
};

/* Pairs that can still grow: a namespace, and maps while they are built. */
struct dictionary {
    struct pair *pairs;
    size_t count, capacity;
};

struct cycler {
    const struct item *items;
    size_t count, position;
};

struct joiner {
    struct item separator;
    bool used;
};

/* Walks any iterable. */
struct cursor {
    struct item source;
    size_t index; /* items so far; for text the byte offset */
};

struct arguments {
    const struct item *items; /* the positional ones, then the values of `names` */
    size_t count, keyword_count; /* positional; by keyword */
    const xy_str *names;
};

struct render;

/* A Python generator: lazy and used up by being read once. */
struct generator {
    int (*next)(struct render *render, struct generator *self, struct item *out);
    struct cursor cursor;
    struct item first, second; /* what the filter keeps */
    struct arguments arguments;
    const void *function;
    void *state;
    size_t index;
    uint16_t depth; /* generators that read from generators */
    bool started, inverted, done;
};

struct loop {
    struct item source;
    struct cursor cursor;
    const struct node *test; /* `for ... if test` */
    struct node *statement;
    struct item *pending; /* read ahead, because `length` was asked for */
    size_t pending_count, pending_index;
    struct item current, before, after, changed;
    bool has_after, at_end, has_changed;
    int64_t index0, length, depth0;
};

/* ---- the program ----------------------------------------------------------------------------- */

enum node_type {
    NODE_CONSTANT,
    NODE_NAME,
    NODE_LIST,
    NODE_TUPLE,
    NODE_DICT, /* children: key, value, key, value ... */
    NODE_ATTRIBUTE,
    NODE_SUBSCRIPT,
    NODE_SLICE, /* children: start, stop, step; each may be NULL */
    NODE_UNARY,
    NODE_BINARY,
    NODE_COMPARE, /* children: operands; `operations` between them */
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_CONCAT,
    NODE_CONDITION, /* children: test, then, else or NULL */
    NODE_FILTER,    /* children: value, then arguments */
    NODE_TEST,
    NODE_METHOD,
    NODE_CALL,
    NODE_NAMESPACE, /* an assignment's target: text.attribute */
    /* statements */
    NODE_TEXT,
    NODE_OUTPUT,
    NODE_IF,  /* children: test, body, test, body ..., else body or NULL */
    NODE_FOR, /* children: target, iterable, test, body, else body, target for the test; 2, 4, 5
                 may be NULL */
    NODE_SET, /* children: target, value */
    NODE_SET_BLOCK, /* children: target, body, filter or NULL */
    NODE_FILTER_BLOCK, /* children: filter, body */
    NODE_WITH, /* children: body, target, value, target, value ... */
    NODE_BODY
};

enum operation {
    OP_ADD = 1, OP_SUB, OP_MUL, OP_DIV, OP_FLOORDIV, OP_MOD, OP_POW, OP_NEG, OP_POS,
    OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_IN, OP_NOT_IN
};

struct node {
    uint8_t type, operation;
    bool negated;      /* a test behind `is not` */
    uint16_t depth;
    uint32_t line, column;
    uint32_t slot;     /* of a name */
    uint32_t scope[3]; /* of a for: body, else, test; of the other blocks: the first */
    xy_str text;       /* name, attribute, template text */
    struct item constant;
    const struct function *function;
    struct node **children;
    size_t count;
    const uint8_t *operations;
    const xy_str *names; /* the last keyword_count children are arguments by keyword */
    size_t keyword_count;
};

/* How a scope's variable starts out when the scope is entered (jinja2/idtracking.py). */
enum load { LOAD_PARAMETER, LOAD_RESOLVE, LOAD_ALIAS, LOAD_UNDEFINED };

struct symbol {
    xy_str name;
    uint8_t load;
    bool stored;
    uint32_t slot, outer;
    uint32_t external; /* index among the names taken from outside */
};

struct frame {
    struct symbol *symbols;
    size_t count;
    struct frame *parent;
};

struct program {
    struct arena arena;
    struct node *root;
    struct frame **frames; /* [0] is the whole template */
    size_t frame_count;
    size_t slot_count;
    xy_str *slot_names;
    uint32_t *slot_externals;
    const char **names; /* from outside, NULL-terminated, without Jinja2's own functions */
    xy_str *externals;
    size_t external_count;
};

/* ---- filters, tests, methods, functions: one table shape ------------------------------------- */

typedef bool run_function(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out);
typedef bool call_function(struct render *render, const struct item *value,
                           const struct arguments *arguments, struct item *out);

struct function {
    const char *name;
    const char *parameters[TEMPLATE_PARAMETERS];
    uint8_t required;    /* how many of them must be given */
    bool positional;     /* C methods of Python take no keywords */
    run_function *run;   /* fixed parameters; those not given are KIND_ABSENT */
    call_function *call; /* or any arguments */
};

extern const struct function template_text_filters[], template_list_filters[],
    template_number_filters[], template_lazy_filters[], template_tests[], template_globals[],
    template_text_methods[], template_text_test_methods[], template_split_methods[],
    template_other_methods[];

/* NULL when there is none of that name. */
const struct function *template_filter(xy_str name);
const struct function *template_test(xy_str name);
const struct function *template_method(xy_str name);
const struct function *template_global(xy_str name);
/* All names of one table family joined by ", ", for messages. */
void template_list_names(const struct function *const *tables, char *text, size_t size);
const struct function *const *template_filter_tables(void);
/* Does a call fit the parameters? `why` gets the reason when it does not. */
bool template_fits(const struct function *function, size_t count, const xy_str *names,
                   size_t keyword_count, char *why, size_t size);
bool template_call(struct render *render, const struct function *function,
                   const struct item *value, const struct arguments *arguments,
                   struct item *out);

/* ---- rendering ------------------------------------------------------------------------------- */

/* Text under construction, in the rendering's arena. */
struct text {
    struct render *render;
    char *bytes;
    size_t length, capacity;
};

struct render {
    const struct program *program;
    const struct scope *scope;
    struct arena *arena;
    struct buffer *out;
    struct text *capture; /* output goes here instead while a block is being set */
    struct error *error;
    const struct node *node; /* what is being evaluated: the place of an error */
    struct item *slots, *externals;
    uint64_t steps;
    size_t written;
    int nesting;
    bool failed;
};

/* Always false, so that `return template_fail(...)` reads. The first failure counts. */
bool template_fail(struct render *render, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool template_undefined(struct render *render, const struct item *item);
/* Counts `steps` operations. */
bool template_charge(struct render *render, uint64_t steps);
/* NULL past the bounds. Zeroed. */
void *template_alloc(struct render *render, size_t count, size_t size);

bool template_execute(struct render *render, const struct node *node);
void template_enter(struct render *render, uint32_t frame);
bool template_assign(struct render *render, const struct node *target, const struct item *value);
bool template_evaluate(struct render *render, const struct node *node, struct item *out);
bool template_emit(struct render *render, const struct item *item);

/* for loops and the `loop` variable */
bool template_for(struct render *render, const struct node *node);
bool item_loop_attribute(struct render *render, struct loop *loop, xy_str name, struct item *out);

/* ---- operations on items --------------------------------------------------------------------- */

struct item item_of(const struct value *value);
/* A struct value in the arena; false for what JSON cannot say. */
bool item_to_value(struct render *render, const struct item *item, struct value *out);
struct item item_text(xy_str text);
struct item item_static(const char *text);
struct item item_int(int64_t integer);
struct item item_float(double number);
struct item item_bool(bool boolean);
struct item item_none(void);
struct item item_missing(const char *why);
struct item item_list(const struct item *items, size_t count, bool tuple);
bool item_is_integer(const struct item *item); /* Python's: bool too */
int64_t item_integer(const struct item *item);
bool item_is_sequence(const struct item *item);
struct item sequence_at(const struct item *sequence, size_t index);
size_t map_count(const struct item *map);
struct pair map_at(const struct item *map, size_t index);
/* 1 found, 0 not there, -1 failed. */
int map_find(struct render *render, const struct item *map, const struct item *key,
             struct item *out);
bool dictionary_set(struct render *render, struct dictionary *dictionary, const struct item *key,
                    const struct item *value);
struct item dictionary_map(const struct dictionary *dictionary);

bool item_truth(struct render *render, const struct item *item, bool *out);
bool item_equal(struct render *render, const struct item *a, const struct item *b, bool *out);
/* `operation` one of OP_LT to OP_GE. */
bool item_ordered(struct render *render, const struct item *a, const struct item *b, int operation,
                  bool *out);
bool item_compare(struct render *render, int operation, const struct item *a, const struct item *b,
                  bool *out);
bool item_contains(struct render *render, const struct item *container, const struct item *item,
                   bool *out);
bool item_hashable(struct render *render, const struct item *item);
uint64_t item_hash(const struct item *item);
/* Stable, ascending by `keys`; moves `items` along. */
bool items_sort(struct render *render, struct item *keys, struct item *items, size_t count,
                bool reverse);
bool item_length(struct render *render, const struct item *item, int64_t *out);
/* Python's word for the type, for messages. */
const char *item_type(const struct item *item);
bool item_binary(struct render *render, int operation, const struct item *a, const struct item *b,
                 struct item *out);
bool item_negate(struct render *render, const struct item *item, struct item *out);

/* environment.getattr and environment.getitem */
bool item_attribute(struct render *render, const struct item *item, xy_str name, struct item *out);
bool item_subscript(struct render *render, const struct item *item, const struct item *key,
                    struct item *out);
/* A part absent is KIND_NONE. */
bool item_slice(struct render *render, const struct item *item, const struct item parts[3],
                struct item *out);
/* "a.b.0" as make_attrgetter() reads it; `fallback` may be NULL. */
bool item_path(struct render *render, const struct item *item, const struct item *attribute,
               const struct item *fallback, struct item *out);

bool cursor_open(struct render *render, const struct item *source, struct cursor *cursor);
/* 1 an item, 0 the end, -1 failed. */
int cursor_next(struct render *render, struct cursor *cursor, struct item *out);
/* All of an iterable as a fresh array. */
bool item_collect(struct render *render, const struct item *source, struct item **items,
                  size_t *count);

/* ---- text ------------------------------------------------------------------------------------ */

bool text_append(struct text *text, const void *bytes, size_t length);
bool text_append_char(struct text *text, char c);
bool text_append_point(struct text *text, uint32_t point);
bool text_pad(struct text *text, uint32_t fill, size_t count);
xy_str text_str(const struct text *text);
/* Python's str(), repr() and json.dumps(). */
bool text_write(struct text *text, const struct item *item);
bool text_repr(struct text *text, const struct item *item);
bool text_json(struct text *text, const struct item *item, int indent, int level);
bool text_escape(struct text *text, xy_str source);
/* str() of an item: borrowed when it is text. */
bool item_string(struct render *render, const struct item *item, xy_str *out);

/* The code point at `*at`, which moves past it; a byte that is not UTF-8 is a point of its own. */
uint32_t point_next(xy_str text, size_t *at);
size_t point_count(xy_str text);
size_t point_offset(xy_str text, size_t index);
bool point_is_space(uint32_t point);
bool point_is_word(uint32_t point);
bool point_is_printable(uint32_t point);
enum text_case { CASE_UPPER, CASE_LOWER, CASE_TITLE, CASE_CAPITAL, CASE_SWAP };
bool text_convert(struct text *text, xy_str source, enum text_case how);
bool text_find(xy_str text, xy_str part, size_t from, size_t *at);
/* Python's str.strip(): `chars` NULL for white space; sides 1 left, 2 right. */
xy_str text_strip(xy_str text, const xy_str *chars, int sides);
bool text_replace(struct text *text, xy_str source, xy_str old, xy_str new, int64_t count);
/* str.splitlines(): one line at a time, without its end. */
bool text_line(xy_str text, size_t *at, xy_str *line);
bool text_split(struct render *render, xy_str source, const xy_str *separator, int64_t limit,
                bool from_right, struct item *out);

/* ---- numbers --------------------------------------------------------------------------------- */

enum { NUMBER_TEXT = 400 };
/* Python's repr() of a float; the length. `text` has NUMBER_TEXT bytes. */
size_t number_repr(double number, char *text);
/* Python's int(text, base) and float(text). */
bool number_parse_int(xy_str text, int base, int64_t *out, bool *too_large);
bool number_parse_float(xy_str text, double *out);
/* Digits of `number` rounded to `places` after the point, Python's round(). */
double number_round(double number, int64_t places);
/* printf's %.*f, %.*e and %.*g, with inf and nan as Python spells them. */
size_t number_print(double number, char type, int precision, bool alternate, char *text,
                    size_t size);
bool format_percent(struct render *render, xy_str format, const struct item *arguments,
                    struct item *out);
bool format_braces(struct render *render, xy_str format, const struct arguments *arguments,
                   struct item *out);

/* ---- compiling ------------------------------------------------------------------------------- */

enum token_type {
    TOKEN_END, TOKEN_DATA, TOKEN_OUTPUT_BEGIN, TOKEN_OUTPUT_END, TOKEN_BLOCK_BEGIN,
    TOKEN_BLOCK_END, TOKEN_NAME, TOKEN_STRING, TOKEN_INTEGER, TOKEN_FLOAT, TOKEN_OPERATOR
};

struct token {
    uint8_t type;
    char operator[3];
    uint32_t line, column;
    xy_str text; /* name, data, string without its escapes; else the source */
    int64_t integer;
    double number;
};

struct compiler {
    struct program *program;
    struct arena *arena; /* the program's */
    struct error *error;
    xy_str source;       /* newlines normalised */
    struct token *tokens;
    size_t count, capacity, position;
    int depth;
    bool failed;
    bool in_loop;
};

/* Always NULL. */
void *compile_fail(struct compiler *compiler, const struct token *token, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* `expression`: the source is what stands between {{ and }}. */
bool template_lex(struct compiler *compiler, bool expression);
const struct token *token_at(const struct compiler *compiler, size_t ahead);
bool token_is_name(const struct token *token, const char *name);
bool token_is(const struct token *token, const char *operator);
const char *token_describe(const struct token *token, char *text, size_t size);
bool skip_name(struct compiler *compiler, const char *name);
bool skip_operator(struct compiler *compiler, const char *operator);
bool expect_operator(struct compiler *compiler, const char *operator, const char *what);
struct node *syntax_new(struct compiler *compiler, enum node_type type, const struct token *token,
                      size_t count);
/* Appends a child, in the arena. */
void syntax_add(struct compiler *compiler, struct node *node, struct node *child);
bool syntax_check_depth(struct compiler *compiler, struct node *node);
bool compile_enter(struct compiler *compiler);

struct node *parse_body(struct compiler *compiler, const char *const *ends);
struct node *parse_tuple(struct compiler *compiler, bool condition, bool parentheses,
                         const char *end_name);
struct node *parse_expression(struct compiler *compiler);
struct node *parse_primary(struct compiler *compiler);
struct node *parse_filter(struct compiler *compiler, struct node *value);
struct node *parse_postfix(struct compiler *compiler, struct node *node);
struct node *parse_test(struct compiler *compiler, struct node *value);
struct node *parse_call(struct compiler *compiler, struct node *callee);
bool template_resolve(struct compiler *compiler);

#endif
