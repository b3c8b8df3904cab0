/* SPDX-License-Identifier: Apache-2.0 */
/* Every way to get a pipeline file wrong, with the exact words for it. */
#include "pipeline_fake.h"

/* Line 1 and 2; the text of a case starts on line 3. */
#define HEAD "xylem: 1\nmodels: {m: {use: echo, base_url: x}}\n"
/* Lines 3 and 4: a step of a case starts on line 5, its map in column 5. */
#define GRID HEAD "steps:\n  - {use: grid, with: {label: [a, b]}}\n"

static const struct {
    const char *text, *lines;
} cases[] = {
    /* ---- the file ---------------------------------------------------------------------------- */
    {"", "p.yaml:1:1: the file is empty, expected a pipeline"},
    {"- a\n", "p.yaml:1:1: expected a pipeline's map of keys, found a list"},
    {"steps: [", "p.yaml:2:1: invalid YAML: did not find expected node content"},
    {"name: x\nsteps:\n  - {use: grid}\n",
     "p.yaml:1:1: no `xylem:`, the version of the file format (write `xylem: 1` at the top)"},
    {"xylem: 2\nsteps:\n  - {use: grid}\n",
     "p.yaml:1:8: `xylem`: expected 1, the version that this program reads, found `2`"},
    {"xylem: 1\n", "p.yaml:1:1: no `steps:`, the list of what to do"},
    {HEAD "steps: []\n", "p.yaml:3:8: `steps`: an empty list"},
    {HEAD "steps: {use: grid}\n", "p.yaml:3:8: `steps`: expected a list, found a map"},
    {GRID "sead: 3\n", "p.yaml:5:1: the pipeline: unknown key `sead` (did you mean `seed`?)"},
    {GRID "quite_unlike: 3\n",
     "p.yaml:5:1: the pipeline: unknown key `quite_unlike` (known keys: xylem, name, seed, "
     "codebook, params, models, plugins, tools, budget, cache, steps, accept, write)"},
    {GRID "seed: x\n", "p.yaml:5:7: `seed`: expected a whole number from 0 up, found `x`"},
    {GRID "seed: -1\n", "p.yaml:5:7: `seed`: expected a whole number from 0 up, found `-1`"},
    {GRID "name: [a]\n", "p.yaml:5:7: `name`: expected a text, found a list"},
    {GRID "name: ''\n", "p.yaml:5:7: `name`: expected a text, found an empty one"},
    {GRID "codebook: words\n", "p.yaml:5:11: `codebook`: expected a map, found `words`"},
    {GRID "cache: {a: b}\n", "p.yaml:5:8: `cache`: expected a text, found a map"},
    {GRID "plugins: nowhere\n",
     "p.yaml:5:10: `plugins`: `nowhere` cannot be read: No such file or directory"},
    {GRID "name: ${XT_UNSET}\n", "p.yaml:5:7: the environment variable XT_UNSET is not set "
                                 "(export it, or write ${XT_UNSET:-default})"},
    {GRID "params: [a]\n", "p.yaml:5:9: `params`: expected a map of defaults, found a list"},
    {GRID "params: {a: }\n", "p.yaml:5:10: the parameter `a` has no default "
                             "(give it with --set params.a=...)"},
    /* ---- budget ------------------------------------------------------------------------------ */
    {GRID "budget: 5\n", "p.yaml:5:9: `budget`: expected a map, found `5`"},
    {GRID "budget: {used: 5}\n",
     "p.yaml:5:10: `budget`: unknown key `used` (did you mean `usd`?)"},
    {GRID "budget: {usd: 5, money: 5}\n",
     "p.yaml:5:9: `budget` has `usd:` or `money:`, not both"},
    {GRID "budget: {usd: -1}\n",
     "p.yaml:5:15: `usd`: expected a number from 0 up, found `-1`"},
    {GRID "budget: {usd: 0}\n",
     "p.yaml:5:9: `budget`: expected more than nothing (leave it out for no limit)"},
    {GRID "budget: {tokens: 2 million}\n",
     "p.yaml:5:18: `tokens`: expected a whole number from 1 up, found `2 million`"},
    /* ---- models ------------------------------------------------------------------------------ */
    {"xylem: 1\nmodels: [a]\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:9: `models`: expected a map of names, found a list"},
    {"xylem: 1\nmodels: {m: echo}\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:13: model `m`: expected a map, found `echo`"},
    {"xylem: 1\nmodels: {m: {base_url: x}}\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:13: model `m`: needs `use:` (use: the name of a generator)"},
    {"xylem: 1\nmodels: {m: {use: ecko, base_url: x}}\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:19: model `m`: unknown generator `ecko` (did you mean `echo`?)"},
    {"xylem: 1\nmodels: {m: {use: minhash}}\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:19: model `m`: `minhash` is a filter, expected a generator"},
    {"xylem: 1\nmodels: {1m: {use: echo, base_url: x}}\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:10: the name of a model: expected 1 to 64 letters, digits, `_`, `-` or `.` after a "
     "first letter, found `1m`"},
    {"xylem: 1\nmodels: {m: {use: echo, base_url: x, concurency: 4}}\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:38: model `m` has no option `concurency` (did you mean `concurrency`?)"},
    {"xylem: 1\nmodels: {m: {use: echo, base_url: x, concurrency: 0}}\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:51: `concurrency`: expected a whole number from 1 to 100000, found `0`"},
    {"xylem: 1\nmodels: {m: {use: echo, base_url: x, timeout: soon}}\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:47: `timeout`: expected a duration, as 30, 500ms or 5m, found `soon`"},
    {"xylem: 1\nmodels: {m: {use: echo, base_url: x, requests_per_minute: many}}\nsteps:\n"
     "  - {use: grid}\n",
     "p.yaml:2:59: `requests_per_minute`: expected a number from 0 up, found `many`"},
    {"xylem: 1\nmodels: {m: {use: echo, base_url: x, price: {in: 1}}}\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:46: `price`: unknown key `in` (known keys: input, cached_input, output)"},
    {"xylem: 1\nmodels: {m: {use: echo, base_url: x, params: {temprature: 1}}}\nsteps:\n"
     "  - {use: grid}\n",
     "p.yaml:2:47: `params`: unknown key `temprature` (did you mean `temperature`?)"},
    {"xylem: 1\nmodels: {m: {use: echo, base_url: x, params: {top_p: 2}}}\nsteps:\n"
     "  - {use: grid}\n",
     "p.yaml:2:54: `top_p`: expected a number from 0 to 1, found `2`"},
    {"xylem: 1\nmodels: {m: {use: echo, base_url: x, params: {extra: 1}}}\nsteps:\n"
     "  - {use: grid}\n",
     "p.yaml:2:54: `extra`: expected a map, found `1`"},
    {"xylem: 1\nmodels: {m: {use: echo}}\nsteps:\n  - {use: grid}\n",
     "p.yaml:2:13: model `m` needs the option `base_url` (text: Where it is.)"},
    /* ---- steps ------------------------------------------------------------------------------- */
    {GRID "  - diversity\n",
     "p.yaml:5:5: a step: expected a map, found `diversity` (write `- use: NAME`)"},
    {GRID "  - {id: x}\n", "p.yaml:5:5: a step needs `use:`, `repeat:` or `include:`"},
    {GRID "  - {use: [a]}\n", "p.yaml:5:11: `use`: expected a text, found a list"},
    {GRID "  - {use: minhahs}\n",
     "p.yaml:5:11: unknown stage `minhahs` (did you mean `minhash`?)"},
    {GRID "  - {use: genrate}\n",
     "p.yaml:5:11: unknown stage `genrate` (did you mean `generate`?)"},
    {GRID "  - {use: something_else}\n",
     "p.yaml:5:11: unknown stage `something_else` (`xylem plugins` lists what there is)"},
    {GRID "  - {use: echo}\n", "p.yaml:5:11: `echo` is a generator, expected a condition, filter, "
                               "enhancer or evaluator (describe it under `models:`)"},
    {GRID "  - {use: linear}\n",
     "p.yaml:5:11: `linear` is a learner, expected a condition, filter, enhancer or evaluator"},
    {GRID "  - {use: agreement}\n",
     "p.yaml:5:11: `agreement` is a filter and an evaluator "
     "(write filter/agreement or evaluator/agreement)"},
    {GRID "  - {use: enhancer/minhash}\n",
     "p.yaml:5:11: unknown enhancer `enhancer/minhash` (`xylem plugins` lists what there is)"},
    {GRID "  - {use: filter/minhahs}\n",
     "p.yaml:5:11: unknown filter `filter/minhahs` (did you mean `filter/minhash`?)"},
    {GRID "  - {use: generator/echo}\n",
     "p.yaml:5:11: `generator/echo`: expected condition/, filter/, enhancer/ or evaluator/ before "
     "the name"},
    {GRID "  - {use: sieve/minhash}\n",
     "p.yaml:5:11: `sieve/minhash`: expected condition/, filter/, enhancer/ or evaluator/ before "
     "the name"},
    {GRID "  - {use: minhash, threshold: 0.5}\n",
     "p.yaml:5:20: step `minhash`: unknown key `threshold` "
     "(it is an option: write it below `with:`)"},
    {GRID "  - {use: minhash, wiht: {}}\n",
     "p.yaml:5:20: step `minhash`: unknown key `wiht` (did you mean `with`?)"},
    {GRID "  - {use: minhash, with: {treshold: 0.5}}\n",
     "p.yaml:5:27: step `minhash` has no option `treshold` (did you mean `threshold`?)"},
    {GRID "  - {use: minhash, with: {threshold: 3}}\n",
     "p.yaml:5:38: step `minhash`: option `threshold` expects a number between 0.01 and 1, "
     "found `3`"},
    {GRID "  - {use: minhash, with: [a]}\n",
     "p.yaml:5:26: step `minhash`: the options are a list, expected a map "
     "(write `key: value` lines)"},
    {GRID "  - {use: expression}\n",
     "p.yaml:5:5: step `expression` needs the option `keep` (expression: What stays.)"},
    {GRID "  - {use: minhash, id: a/b}\n",
     "p.yaml:5:24: `id`: expected 1 to 64 letters, digits, `_`, `-` or `.` after a first letter, "
     "found `a/b`"},
    {GRID "  - {use: minhash}\n  - {use: minhash}\n",
     "p.yaml:6:5: a second step `minhash`; the first is on line 5 (give it an `id:` of its own)"},
    {GRID "  - {use: minhash, id: x}\n  - {use: diversity, id: x}\n",
     "p.yaml:6:26: a second step `x`; the first is on line 5 (give it an `id:` of its own)"},
    {GRID "  - {use: minhash, repeat: 2}\n",
     "p.yaml:5:5: a step has one of `use:`, `repeat:` and `include:`"},
    {GRID "  - {use: minhash, when: 'label =='}\n", NULL}, /* the words are the template module's */
    {HEAD "steps:\n  - {use: grid, when: 'label'}\n",
     "p.yaml:4:23: `when` looks at records: step `grid` reads none"},
    {GRID "  - {use: minhash, when: [a]}\n",
     "p.yaml:5:26: `when`: expected an expression, found a list"},
    /* ---- streams and references -------------------------------------------------------------- */
    {HEAD "steps:\n  - {use: minhash}\n",
     "p.yaml:4:5: step `minhash` needs records, and no step before it makes any "
     "(begin with a condition source such as `grid` or `read`)"},
    {GRID "  - {use: minhash, from: []}\n",
     "p.yaml:5:26: step `minhash` needs records to read "
     "(only a condition source such as `grid` makes records)"},
    {GRID "  - {use: minhash, from: gird}\n",
     "p.yaml:5:26: unknown step `gird` (did you mean `grid`?)"},
    {GRID "  - {use: minhash, from: {a: b}}\n",
     "p.yaml:5:26: `from`: expected a step's id or a list of them, found a map"},
    {GRID "  - {use: minhash, from: [grid, grid]}\n", "p.yaml:5:33: `from`: `grid` twice"},
    {GRID "  - {use: minhash, from: minhash}\n", "p.yaml:5:26: `minhash` reads itself"},
    {GRID "  - {use: diversity}\n  - {use: minhash, from: diversity}\n",
     "p.yaml:6:26: `diversity` is an evaluator: it makes no records to read"},
    {GRID "  - {use: minhash, from: student}\n  - {use: student, from: grid}\n",
     "p.yaml:5:26: `student` comes later: a step reads from steps before it "
     "(move `student` before `minhash`)"},
    {GRID "  - {use: minhash, from: student}\n  - {use: student}\n",
     "p.yaml:5:26: a cycle: `minhash` reads `student`, which in the end reads `minhash`"},
    {GRID "  - {use: demos.knn, with: {pool: late}}\n  - {use: minhash}\n"
     "  - {use: student, id: late}\n",
     "p.yaml:5:35: a cycle: `demos.knn` reads `late`, which in the end reads `demos.knn`"},
    {GRID "  - {use: demos.knn, with: {pool: nobody}}\n", "p.yaml:5:35: unknown step `nobody`"},
    {GRID "  - {use: demos.knn, with: {pool: no.jsonl}}\n",
     "p.yaml:5:35: step `demos.knn`: no step `no.jsonl`, and the file cannot be read: "
     "No such file or directory"},
    {GRID "  - {use: demos.knn, with: {pool: grid, embed: n}}\n",
     "p.yaml:5:48: step `demos.knn`: unknown model `n` (name it under `models:`)"},
    {GRID "  - {use: demos.knn}\n", "p.yaml:5:5: step `demos.knn` needs the option `pool` "
                                    "(dataset: The examples.)"},
    {GRID "  - {use: read, from: grid, with: {path: x}}\n",
     "p.yaml:5:23: step `read` makes records and reads none (remove `from:`)"},
    {GRID "  - {use: student, with: {learner: liner}}\n",
     "p.yaml:5:36: step `student`: unknown learner `liner` (did you mean `linear`?)"},
    {GRID "  - {use: student, with: {learner: {c: 2}}}\n",
     "p.yaml:5:36: step `student`: a learner needs `use:`"},
    {GRID "  - {use: student, with: {learner: {use: linear, c: 0}}}\n",
     "p.yaml:5:53: learner `linear`: option `c` expects a number between 0.001 and 1000, "
     "found `0`"},
    /* ---- repeat ------------------------------------------------------------------------------ */
    {GRID "  - {repeat: 0, steps: [{use: minhash}]}\n",
     "p.yaml:5:14: `repeat`: expected a whole number from 1 to 1000000, found `0`"},
    {GRID "  - {repeat: {until: round}, steps: [{use: minhash}]}\n",
     "p.yaml:5:14: `repeat` needs `times:`, the most rounds that may be paid for"},
    {GRID "  - {repeat: {time: 2, times: 2}, steps: [{use: minhash}]}\n",
     "p.yaml:5:15: `repeat`: unknown key `time` (did you mean `times`?)"},
    {GRID "  - {repeat: 2}\n", "p.yaml:5:5: a repeat needs `steps:`"},
    {GRID "  - {repeat: 2, steps: []}\n", "p.yaml:5:24: `steps`: an empty list"},
    {GRID "  - {repeat: 2, use_: x, steps: [{use: minhash}]}\n",
     "p.yaml:5:17: a repeat: unknown key `use_` (known keys: id, repeat, steps, from, expect)"},
    {GRID "  - {repeat: {times: 2, until: plan.x}, steps: [{use: minhash}]}\n",
     "p.yaml:5:32: `until`: `plan` is no stage in this repeat, nor `round`"},
    {GRID "  - {repeat: 2, steps: [{use: minhash}]}\n  - {use: student, from: minhash}\n",
     "p.yaml:6:26: `minhash` is inside the repeat `repeat` (read `repeat`)"},
    /* ---- generate ---------------------------------------------------------------------------- */
    {GRID "  - {use: generate, prompt: hi, model: n}\n",
     "p.yaml:5:40: unknown model `n` (name it under `models:`)"},
    {"xylem: 1\nmodels: {teacher: {use: echo, base_url: x}}\nsteps:\n  - {use: grid}\n"
     "  - {use: generate, prompt: hi, model: teecher}\n",
     "p.yaml:5:40: unknown model `teecher` (did you mean `teacher`?)"},
    {"xylem: 1\nmodels: {}\nsteps:\n  - {use: grid}\n  - {use: generate, prompt: hi}\n",
     "p.yaml:5:5: step `generate` needs `model:`, and the file needs `models:`"},
    {"xylem: 1\nmodels: {a: {use: echo, base_url: x}, b: {use: echo, base_url: x}}\nsteps:\n"
     "  - {use: grid}\n  - {use: generate, prompt: hi}\n",
     "p.yaml:5:5: step `generate` needs `model:`, one of the names under `models:`"},
    {GRID "  - {use: generate}\n", "p.yaml:5:5: step `generate` needs `prompt:` "
                                   "(a text, or `system:`, `user:` and `assistant:`)"},
    {GRID "  - {use: generate, prompt: {usr: hi}}\n",
     "p.yaml:5:30: `prompt`: unknown key `usr` (did you mean `user`?)\n"
     "p.yaml:5:29: `prompt` needs `user:`"},
    {GRID "  - {use: generate, prompt: {user: [hi]}}\n",
     "p.yaml:5:36: the user prompt: expected a text, found a list"},
    {GRID "  - {use: generate, prompt: {user: hi, messages: []}}\n",
     "p.yaml:5:29: `prompt` has `messages:` or the others, not both"},
    {GRID "  - {use: generate, prompt: {messages: []}}\n",
     "p.yaml:5:40: `messages`: expected a list of messages, found an empty one"},
    {GRID "  - {use: generate, prompt: {messages: [{role: usr, content: x}]}}\n",
     "p.yaml:5:48: `role`: expected system, user or assistant, found `usr` "
     "(did you mean `user`?)"},
    {GRID "  - {use: generate, prompt: {messages: [{role: user}]}}\n",
     "p.yaml:5:41: a message needs `role:` and `content:` (or is `history: FIELD`)"},
    {GRID "  - {use: generate, prompt: {messages: [{history: [a]}]}}\n",
     "p.yaml:5:51: `history`: expected a text, found a list"},
    {GRID "  - {use: generate, prompt: {messages: [{history: ''}]}}\n",
     "p.yaml:5:51: a field's name has 1 to 127 bytes, found 0"},
    {GRID "  - {use: generate, prompt: {messages: [{history: a, role: user}]}}\n",
     "p.yaml:5:54: a history: unknown key `role` (known keys: history, swap)"},
    {GRID "  - {use: generate, prompt: {messages: [{history: a, swap: 2}]}}\n",
     "p.yaml:5:60: `swap`: expected true or false, found `2`"},
    {GRID "  - {use: generate, prompt: hi, output: {append_to: a, role: usr}}\n",
     "p.yaml:5:62: `role`: expected system, user or assistant, found `usr` "
     "(did you mean `user`?)"},
    {GRID "  - {use: generate, prompt: hi, output: {into: a, append_to: a}}\n",
     "p.yaml:5:62: `append_to`: the field `a` takes the answer itself (name another field with "
     "`into:`)"},
    {GRID "  - {use: generate, prompt: hi, output: {append_to: text}}\n",
     "p.yaml:5:53: `append_to`: the field `text` takes the answer itself (name another field with "
     "`into:`)"},
    {GRID "  - {use: score, prompt: {messages: [{history: m}]}, candidates: [a, b], "
          "content_free: x}\n",
     "p.yaml:5:88: `content_free` stands in for the prompt's last user message, and the prompt "
     "writes none"},
    {GRID "  - {use: generate, prompt: hi, output: {role: user}}\n",
     "p.yaml:5:48: `role` says whose turn `append_to:` adds: name that field, too"},
    {GRID "  - {use: generate, prompt: hi, output: {append_to: a, fields: [b]}}\n",
     "p.yaml:5:53: `append_to` adds a text to a conversation: it goes with no `json_schema:` and "
     "no `fields:`"},
    {GRID "  - {use: generate, prompt: hi, samples: 0}\n",
     "p.yaml:5:42: `samples`: expected a whole number from 1 to 10000, found `0`"},
    {GRID "  - {use: generate, prompt: hi, sampels: 2}\n",
     "p.yaml:5:33: a generate step: unknown key `sampels` (did you mean `samples`?)"},
    {GRID "  - {use: generate, prompt: hi, with: {}}\n",
     "p.yaml:5:33: a generate step: unknown key `with` (known keys: id, use, from, when, model, "
     "prompt, output, samples, params, tools, tool_rounds, conversation, expect, expect_calls)"},
    {GRID "  - {use: generate, prompt: hi, params: {max_tokens: lots}}\n",
     "p.yaml:5:54: `max_tokens`: expected a whole number from 1 to 4294967295, found `lots`"},
    {GRID "  - {use: generate, prompt: hi, params: {stop: {a: b}}}\n",
     "p.yaml:5:48: `stop`: expected a list of texts, found a map"},
    {GRID "  - {use: generate, prompt: hi, params: {logprobs: 3}}\n",
     "p.yaml:5:52: `logprobs`: expected true or false, found `3`"},
    {GRID "  - {use: generate, prompt: hi, output: {retry: 2}}\n",
     "p.yaml:5:49: `retry` asks again when the answer breaks its schema: it needs "
     "`json_schema:` or `fields:`"},
    {GRID "  - {use: generate, prompt: hi, output: {json_schema: {type: object}, fields: [a]}}\n",
     "p.yaml:5:79: `output` has `json_schema:` or `fields:`, not both"},
    {GRID "  - {use: generate, prompt: hi, output: {json_schema: {type: array}}}\n",
     "p.yaml:5:55: `output` needs `into:`, the field for an answer that is no object "
     "(or give it `type: object`)"},
    {GRID "  - {use: generate, prompt: hi, output: {fields: {a: txt}}}\n",
     "p.yaml:5:54: a field is text, integer, number, boolean, list, a list of choices or a schema, "
     "found `txt` (did you mean `text`?)"},
    {GRID "  - {use: generate, prompt: hi, output: {fields: x}}\n",
     "p.yaml:5:50: `fields`: expected a map or a list of names, found `x`"},
    {GRID "  - {use: generate, prompt: hi, output: [a]}\n",
     "p.yaml:5:41: `output`: expected a map, found a list"},
    /* ---- score and embed --------------------------------------------------------------------- */
    {GRID "  - {use: score, prompt: hi}\n", "p.yaml:5:5: step `score` needs `candidates:` "
                                            "(a list of texts, or a map from class to text)"},
    {GRID "  - {use: score, prompt: hi, candidates: [a]}\n",
     "p.yaml:5:42: `candidates`: expected 2 to 1000 texts, in a list or in a map from class to "
     "text, found 1"},
    {GRID "  - {use: score, prompt: hi, candidates: [a, ' a']}\n",
     "p.yaml:5:46: `candidates`: `a` twice"},
    {GRID "  - {use: score, prompt: hi, candidates: [a, b], calibrate: true}\n",
     "p.yaml:5:61: `calibrate` needs `content_free:`, the user's prompt with no content in it"},
    {GRID "  - {use: score, prompt: hi, candidates: [a, b], output: x}\n",
     "p.yaml:5:50: a score step: unknown key `output` (known keys: id, use, from, when, model, "
     "prompt, candidates, into, normalize_length, calibrate, content_free, params, expect, "
     "expect_calls)"},
    {GRID "  - {use: embed}\n",
     "p.yaml:5:5: step `embed` needs `text:` (for example \"{{ text }}\")"},
    {GRID "  - {use: embed, text: x, into: [a]}\n",
     "p.yaml:5:33: `into`: expected a text, found a list"},
    /* ---- accept and write -------------------------------------------------------------------- */
    {GRID "accept: {count: 5}\n",
     "p.yaml:5:9: `accept` needs `write:`, where the records go"},
    {GRID "accept: {per: label}\nwrite: {path: o.jsonl}\n",
     "p.yaml:5:9: `accept` needs `count:`"},
    {GRID "accept: {count: none}\nwrite: {path: o.jsonl}\n",
     "p.yaml:5:17: `count`: expected a whole number from 1 to 1000000000000, found `none`"},
    {GRID "accept: {count: 5, per: label, candidates: 9}\nwrite: {path: o.jsonl}\n",
     "p.yaml:5:44: `candidates`: 9 cannot give the 10 records that `accept` asks for"},
    {GRID "write: {format: jsonl}\n", "p.yaml:5:8: `write` needs `path:`"},
    {GRID "write: o.jsonl\n", "p.yaml:5:8: `write`: expected a map, found `o.jsonl`"},
    {GRID "write: {path: o.xyz}\n",
     "p.yaml:5:15: no format goes by the ending of `o.xyz` (name one with `format:`)"},
    {GRID "write: {path: o, format: jsnol}\n",
     "p.yaml:5:26: unknown format `jsnol` (did you mean `jsonl`?)"},
    {GRID "write: {path: o.csv}\n", "p.yaml:5:15: the format `csv` reads only"},
    {GRID "write: {path: o.jsonl, from: gird}\n",
     "p.yaml:5:30: unknown step `gird` (did you mean `grid`?)"},
    {GRID "write: {path: o.jsonl, with: {indent: 2}}\n",
     "p.yaml:5:31: format `jsonl` has no option `indent` (it has no options)"},
    {GRID "write: {path: o.jsonl, fields: {a: b}}\n",
     "p.yaml:5:32: `fields`: expected a list of texts, found a map"},
    {GRID "write: [{path: a.jsonl}, {path: a.jsonl}]\n",
     "p.yaml:5:33: `path`: another output writes `a.jsonl` too"},
    {GRID "write: [{path: a.jsonl, rejects: r}, {path: b.jsonl, rejects: s}]\n",
     "p.yaml:5:63: a second `rejects:`: one file has the rejects of all steps"},
    {GRID "write: {path: a.jsonl, rejects: a.jsonl}\n",
     "p.yaml:5:33: `rejects`: another output writes `a.jsonl` too"},
    /* ---- include ----------------------------------------------------------------------------- */
    {GRID "  - {include: no.yaml}\n",
     "p.yaml:5:15: `include`: `no.yaml` cannot be opened: No such file or directory"},
    {GRID "  - {include: p.yaml}\n", "p.yaml:5:15: `include`: `p.yaml` includes itself"},
    {GRID "  - {include: ring1.yaml}\n",
     "ring2.yaml:3:13: `include`: `ring1.yaml` includes itself"},
    {GRID "  - {include: block.yaml, params: {threshold: 0.5, treshold: 1}}\n",
     "p.yaml:5:52: block.yaml declares no parameter `treshold` (did you mean `threshold`?)"},
    {GRID "  - {include: block.yaml}\n", "p.yaml:5:15: block.yaml needs the parameter `threshold`"},
    {GRID "  - {include: block.yaml, params: [1]}\n",
     "p.yaml:5:35: `params`: expected a map, found a list"},
    {GRID "  - {include: block.yaml, params: {threshold: 7}}\n",
     "p.yaml:5:47: step `block/near`: option `threshold` expects a number between 0.01 and 1, "
     "found `7`"},
    {GRID "  - {include: block.yaml, when: x, params: {threshold: 1}}\n",
     "p.yaml:5:27: an include: unknown key `when` (known keys: id, include, params, from)"},
    {GRID "  - {include: whole.yaml}\n",
     "whole.yaml:2:1: an included file: unknown key `models` "
     "(known keys: xylem, name, params, steps)"},
};

static const char *const files[] = {"p.yaml", "ring1.yaml", "ring2.yaml", "block.yaml",
                                    "whole.yaml", NULL};

static void test_messages(void)
{
    unsetenv("XT_UNSET");
    size_t checked = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error_list errors = {0};
        struct pipeline *pipeline = fake_read_text(cases[i].text, NULL, &errors);
        CU_ASSERT_PTR_NULL(pipeline);
        CU_ASSERT_TRUE(errors.total > 0);
        pipeline_free(pipeline);
        if (cases[i].lines) {
            checked++;
            CHECK_TEXT(fake_lines(&errors), cases[i].lines);
        }
        error_list_free(&errors);
    }
    CU_ASSERT_TRUE(checked >= 80);
    printf("\n    %zu messages compared ", checked);
}

/* One pass finds them all, in the order of the file's parts. */
static void test_all_at_once(void)
{
    static const char text[] =
        "xylem: 1\n"
        "sead: 4\n"
        "models:\n"
        "  m: {use: echo, base_url: x, concurrency: none}\n"
        "steps:\n"
        "  - {use: grid}\n"
        "  - use: generate\n"
        "    modle: m\n"
        "    prompt: hi\n"
        "  - {use: minhash, with: {threshold: high}}\n"
        "  - {use: expressoin}\n"
        "write: {path: out.jsonl, form: x}\n";
    struct error_list errors = {0};
    CU_ASSERT_PTR_NULL(fake_read_text(text, NULL, &errors));
    CHECK_TEXT(fake_lines(&errors),
               "p.yaml:2:1: the pipeline: unknown key `sead` (did you mean `seed`?)\n"
               "p.yaml:4:44: `concurrency`: expected a whole number from 1 to 100000, found "
               "`none`\n"
               "p.yaml:8:5: a generate step: unknown key `modle` (did you mean `model`?)\n"
               "p.yaml:11:11: unknown stage `expressoin` (did you mean `expression`?)\n"
               "p.yaml:10:38: step `minhash`: option `threshold` expects a number, found `high`\n"
               "p.yaml:12:26: `write`: unknown key `form` (did you mean `from`?)");
    error_list_free(&errors);
}

/* A value that came from the environment is in no message. */
static void test_secrets(void)
{
    static const char *const texts[] = {
        "seed: ${XT_SECRET}\n", "budget: ${XT_SECRET}\n", "budget: {usd: '${XT_SECRET}'}\n",
        "accept: '${XT_SECRET}'\nwrite: {path: o.jsonl}\n", "write: {path: 'o.${XT_SECRET}'}\n",
        "  - {use: '${XT_SECRET}'}\n", "  - {use: minhash, from: '${XT_SECRET}'}\n",
        "  - {use: minhash, with: {threshold: '${XT_SECRET}'}}\n",
        "  - {use: minhash, with: {field: '${XT_SECRET}', x: 1}}\n",
        "  - {use: generate, model: '${XT_SECRET}', prompt: x}\n",
        "  - {use: generate, prompt: '{{ ${XT_SECRET} + '}\n",
        "  - {use: minhash, when: '${XT_SECRET} +'}\n",
        "  - {use: expression, with: {keep: '${XT_SECRET} +'}}\n",
        "  - {use: demos.knn, with: {pool: '${XT_SECRET}'}}\n",
        "  - {use: demos.knn, with: {pool: './${XT_SECRET}'}}\n",
        "  - {use: demos.knn, with: {pool: grid, embed: '${XT_SECRET}'}}\n",
        "  - {use: student, with: {learner: '${XT_SECRET}'}}\n",
        "  - {use: student, with: {learner: {use: '${XT_SECRET}'}}}\n",
        "  - {use: minhash, id: '9${XT_SECRET}'}\n", "  - {repeat: '${XT_SECRET}', steps: []}\n",
        "  - {use: score, prompt: x, candidates: '${XT_SECRET}'}\n",
        "  - {use: score, prompt: x, candidates: ['${XT_SECRET}', '${XT_SECRET}']}\n",
        "  - {use: generate, prompt: x, output: {json_schema: '${XT_SECRET}'}}\n",
        "  - {use: generate, prompt: x, output: {json_schema: {type: '${XT_SECRET}'}}}\n",
        "  - {use: generate, prompt: x, output: {fields: {a: '${XT_SECRET}'}}}\n",
        "  - {include: '${XT_SECRET}'}\n", "plugins: '${XT_SECRET}'\n",
        "write: {path: '${XT_SECRET}.jsonl', rejects: '${XT_SECRET}.jsonl'}\n",
        "write: {path: o.jsonl, format: '${XT_SECRET}'}\n",
        "write: {path: o.jsonl, from: '${XT_SECRET}'}\n",
    };
    setenv("XT_SECRET", "hunter2", 1);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct error_list errors = {0};
        struct buffer text;
        buffer_init(&text, 4096);
        buffer_printf(&text, "%s%s", GRID, texts[i]);
        struct pipeline *pipeline = fake_read_text(text.bytes, NULL, &errors);
        const char *lines = fake_lines(&errors);
        if (strstr(lines, "hunter2"))
            printf("\n    shown: %s\n", lines);
        CU_ASSERT_PTR_NULL(pipeline);
        CU_ASSERT_PTR_NULL(strstr(lines, "hunter2"));
        pipeline_free(pipeline);
        error_list_free(&errors);
        buffer_free(&text);
    }
}

int main(void)
{
    static const struct check checks[] = {
        {"messages", test_messages},
        {"all at once", test_all_at_once},
        {"secrets", test_secrets},
        {NULL, NULL},
    };
    fake_enter();
    fake_file("ring1.yaml", "xylem: 1\nsteps:\n  - {include: ring2.yaml}\n");
    fake_file("ring2.yaml", "xylem: 1\nsteps:\n- {include: ring1.yaml}\n");
    fake_file("block.yaml",
              "xylem: 1\nparams: {threshold: , field: text}\nsteps:\n  - id: near\n"
              "    use: minhash\n    with:\n      threshold: ${params.threshold}\n"
              "      field: text\n");
    fake_file("whole.yaml", "xylem: 1\nmodels: {}\nsteps:\n  - {use: minhash}\n");
    int code = check_main("pipeline errors", checks);
    fake_leave(files);
    return code;
}
