# SPDX-License-Identifier: Apache-2.0
"""What a run promises: order, determinism, every record accounted for, nothing paid twice."""
import glob
import json
import os
import shutil
import subprocess
import textwrap
import unittest

import harness

# A model of a few lines: answers as the first word of its prompt says.
MODEL = '''
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    words = request["messages"][0]["content"].split()
    turn = (len(request["messages"]) - 1) // 2
    answer = {
        "fenced": "Sure! Here it is:\\n```json\\n{'stars': 4, 'text': 'good',}\\n```",
        "second": "no idea" if turn == 0 else json.dumps(
            {"stars": 3, "text": request["messages"][-1]["content"]}),
        "never": "no idea",
        "range": json.dumps({"stars": 9, "text": "too many"}),
        "echo": " ".join(words),
    }[words[0]]
    print(json.dumps({"id": request["id"], "text": answer, "prompt_tokens": 10,
                      "output_tokens": 5}), flush=True)
'''

ROUNDS_EVALUATOR = """
#include <math.h>
#include <xylem/plugin.h>

/* Reports how many records it saw and which round it is in. */
struct state { const xy_report *report; };

static const char *const needs[] = {XY_REPORT, NULL};

static int open(void *data, const xy_host *host)
{
    struct state *state = data;
    state->report = host->service(host, XY_REPORT);
    return state->report ? XY_OK : XY_EUNSUPPORTED;
}

static int run(void *data, xy_job *job, xy_dataset *input)
{
    const struct state *state = data;
    uint64_t count = input->api->count(input);
    xy_score score = {.size = sizeof(score), .name = "records", .value = (double)count,
                      .low = NAN, .high = NAN, .n = count};
    state->report->score(job, &score);
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_EVALUATOR, .flags = XY_STAGE_DATASET, .id = "tally",
    .state_size = sizeof(struct state), .summary = "Counts.", .needs = needs, .open = open,
    .run = run,
};

XY_PLUGIN("tally", "0.1.0", "Apache-2.0", &stage)
"""


FIRST_FILTER = """
#include <xylem/plugin.h>

/* Takes all of its records for one new record that says how many they were; drops the first. */
static int run(void *data, xy_job *job, xy_dataset *input)
{
    (void)data;
    uint64_t count = input->api->count(input);
    if (count)
        input->api->verdict(input, 0, XY_DROP, "the first");
    xy_record *sum = job->api->new_record(job, NULL);
    xy_record_set_int(sum, "n", (int64_t)count);
    job->api->emit(job, sum);
    return XY_CONSUMED;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_ENHANCER, .flags = XY_STAGE_DATASET, .id = "fold",
    .summary = "Folds.", .run = run,
};

XY_PLUGIN("fold", "0.1.0", "Apache-2.0", &stage)
"""


def server_model(server, **keys):
    spec = {"use": "openai", "base_url": server.url, "model": "test-model", **keys}
    return json.dumps(spec)


class RunCase(harness.Case):
    def pipeline(self, text, name="p.yaml"):
        return self.write(name, "xylem: 1\n" + textwrap.dedent(text))

    def run_text(self, text, *words, code=0, name="p.yaml"):
        self.pipeline(text, name)
        return self.xylem("run", "-q", name, *words, code=code)

    def summary(self, *words, code=0, name="p.yaml"):
        return json.loads(self.xylem("run", "-q", "--json", name, *words, code=code).stdout)


class Order(RunCase):
    TEXT = """
        name: order
        seed: 3
        models: {{ t: {model} }}
        steps:
          - use: grid
            with: {{ topic: [{topics}], style: [terse, long] }}
          - id: draft
            use: generate
            prompt: "{{{{ topic }}}} {{{{ style }}}}"
            output: draft
            samples: 2
          - use: length
            with: {{ field: draft, min: 12, unit: words }}
          - id: better
            use: generate
            prompt: "Improve: {{{{ draft }}}}"
            output: better
        write: {{ path: out.jsonl, rejects: rejects.jsonl, with: {{ id: true }} }}
        """
    TOPICS = [f"topic{i}" for i in range(150)]

    def text(self, server, concurrency):
        return self.TEXT.format(model=server_model(server, concurrency=concurrency),
                                topics=", ".join(self.TOPICS))

    def test_order_and_bytes_do_not_depend_on_when_answers_arrive(self):
        """Three runs: one call at a time without latency, and many at once, answers shuffled."""
        results = []
        port = "0"
        for runs, concurrency, options in (("one", 1, []),
                                           ("two", 64, ["--latency-ms", "2", "--jitter-ms", "40"]),
                                           ("three", 500, ["--jitter-ms", "150", "--fail",
                                                           "slow:0.02", "--slow-ms", "400"])):
            with harness.Server("--port", port, *options) as server:
                port = str(server.port)  # the address is a part of each request's key
                text = self.text(server, concurrency)
                self.run_text(text, "--runs", runs)
                stats = server.stats()
                self.assertEqual(stats["answered_again"], 0)
                if concurrency > 1:
                    self.assertGreater(stats["in_flight_max"], concurrency // 4)
            results.append((self.read("out.jsonl"), self.read("rejects.jsonl")))
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], results[2])
        place = {(topic, style): i for i, (topic, style) in enumerate(
            (topic, style) for topic in self.TOPICS for style in ("terse", "long"))}
        kept = self.records("out.jsonl")
        places = [place[record["topic"], record["style"]] for record in kept]
        self.assertEqual(places, sorted(places))
        rejected = self.records("rejects.jsonl")
        self.assertEqual(len(kept) + len(rejected), 600)
        self.assertGreater(len(rejected), 0)
        for record in kept:
            # The server draws an answer's first four words from its prompt: it is this record's.
            draft = record["draft"].split()
            self.assertLessEqual(set(draft[:4]), {record["topic"], record["style"]}, record)
            self.assertGreaterEqual(len(draft), 12)
            self.assertLessEqual(set(record["better"].split()[:4]), {"Improve", *draft}, record)
        ids = [record["_id"] for record in kept] + [record["id"] for record in rejected]
        self.assertEqual(len(set(ids)), 600)

    def test_second_run_pays_nothing(self):
        with harness.Server() as server:
            self.pipeline(self.text(server, 32))
            first = self.summary()
            wrote = self.read("out.jsonl"), self.read("rejects.jsonl")
            paid = server.stats()["requests"]
            second = self.summary()
            self.assertEqual(server.stats()["requests"], paid)
            self.assertEqual((self.read("out.jsonl"), self.read("rejects.jsonl")), wrote)
        self.assertEqual(first["models"][0]["calls"], paid)
        self.assertEqual(second["models"][0]["calls"], 0)
        self.assertEqual(second["models"][0]["cached"], paid)
        self.assertEqual(second["run"], first["run"])
        self.assertEqual(first["accepted"] + first["rejected"], 600)
        self.assertEqual(first["end"], "done")
        self.assertEqual(first["unfinished"], 0)
        steps = {step["step"]: step for step in first["report"]["steps"]}
        self.assertEqual([step["step"] for step in first["report"]["steps"]],
                         ["grid", "draft", "length", "better"])
        self.assertEqual(steps["grid"]["out"], 300)
        self.assertEqual(steps["draft"]["in"], 600)
        self.assertEqual(steps["draft"]["calls"], 600)
        self.assertEqual(steps["length"]["in"], 600)
        self.assertEqual(steps["length"]["dropped"], first["rejected"])
        self.assertEqual(steps["better"]["calls"], first["accepted"])

    def test_samples_differ(self):
        with harness.Server() as server:
            self.run_text(f"""
                models: {{ t: {server_model(server)} }}
                steps:
                  - {{ use: grid, with: {{ topic: [a, b] }} }}
                  - {{ use: generate, prompt: "{{{{ topic }}}}", samples: 5 }}
                write: {{ path: out.jsonl }}
                """)
            self.assertEqual(server.stats()["distinct_bodies"], 10)
        records = self.records("out.jsonl")
        self.assertEqual([record["topic"] for record in records], ["a"] * 5 + ["b"] * 5)
        self.assertEqual(len({record["text"] for record in records}), 10)


class Structured(RunCase):
    SCHEMA = ("{ fields: { stars: { type: integer, minimum: 1, maximum: 5 }, text: text }, "
              "retry: 1 }")

    def modes(self, modes, extra=""):
        self.write("model.py", MODEL)
        self.pipeline(f"""
            models: {{ t: {{ use: exec, command: [python3, model.py] }} }}
            steps:
              - {{ use: grid, with: {{ mode: [{modes}] }} }}
              - id: ask
                use: generate
                prompt: "{{{{ mode }}}} please"
                output: {self.SCHEMA}
            {extra}
            write: {{ path: out.jsonl, rejects: rejects.jsonl }}
            """)

    def test_the_server_enforces_the_schema(self):
        with harness.Server() as server:
            self.run_text(f"""
                models: {{ t: {server_model(server)} }}
                steps:
                  - {{ use: grid, with: {{ topic: [{', '.join('abcdefgh')}] }} }}
                  - use: generate
                    prompt: "{{{{ topic }}}}"
                    output:
                      json_schema:
                        type: object
                        properties:
                          stars: {{ type: integer, minimum: 1, maximum: 5 }}
                          mood: {{ enum: [glad, sad] }}
                        required: [stars, mood]
                        additionalProperties: false
                      into: review
                write: {{ path: out.jsonl }}
                """)
            self.assertEqual(server.stats()["requests"], 8)
        for record in self.records("out.jsonl"):
            self.assertEqual(set(record), {"topic", "review"})
            self.assertIn(record["review"]["stars"], range(1, 6))
            self.assertIn(record["review"]["mood"], ("glad", "sad"))

    def test_repaired_asked_again_rejected(self):
        self.modes("fenced, second, never, range")
        summary = self.summary()
        kept = {record["mode"]: record for record in self.records("out.jsonl")}
        self.assertEqual(set(kept), {"fenced", "second"})
        self.assertEqual((kept["fenced"]["stars"], kept["fenced"]["text"]), (4, "good"))
        # The second question carries the error of the first answer, and came back as the answer.
        self.assertIn("the answer holds no JSON", kept["second"]["text"])
        rejects = {record["fields"]["mode"]: record["trail"][-1]
                   for record in self.records("rejects.jsonl")}
        self.assertEqual(set(rejects), {"never", "range"})
        self.assertEqual(rejects["never"]["reason"], "the answer holds no JSON")
        self.assertEqual(rejects["never"]["step"], "ask")
        self.assertIn("5", rejects["range"]["reason"])
        # fenced 1 call; the other three are asked once more.
        self.assertEqual(summary["models"][0]["calls"], 7)


class Flow(RunCase):
    def test_when_from_lists_and_named_datasets(self):
        self.write("model.py", MODEL)
        self.run_text("""
            models: { t: { use: exec, command: [python3, model.py] } }
            steps:
              - { id: left, use: grid, with: { n: [1, 2, 3] } }
              - { id: right, use: grid, from: [], with: { n: [10, 11] } }
              - { id: both, use: expression, from: [right, left], with: { keep: "n != 2" } }
              - id: even
                use: generate
                when: n % 2 == 0
                prompt: "echo {{ n }}"
            write:
              - { path: out.jsonl, rejects: rejects.jsonl }
              - { path: left.jsonl, from: left }
            """)
        self.assertEqual(self.records("out.jsonl"), [{"n": 10, "text": "echo 10"}, {"n": 11},
                                                     {"n": 1}, {"n": 3}])
        self.assertEqual(self.records("left.jsonl"), [{"n": 1}, {"n": 2}, {"n": 3}])
        self.assertEqual([r["fields"] for r in self.records("rejects.jsonl")], [{"n": 2}])

    def test_include_with_params(self):
        self.write("block.yaml", textwrap.dedent("""
            xylem: 1
            params: { least: null, field: n }
            steps:
              - { id: above, use: expression, with: { keep: "${params.field} >= ${params.least}" } }
            """))
        text = """
            steps:
              - { use: grid, with: { n: [1, 2, 3, 4] } }
              - { include: block.yaml, id: first, params: { least: 2 } }
              - { include: block.yaml, id: second, params: { least: 3 } }
            write: [{ path: out.jsonl, rejects: rejects.jsonl }, { path: first.jsonl, from: first }]
            """
        self.run_text(text)
        self.assertEqual(self.records("out.jsonl"), [{"n": 3}, {"n": 4}])
        self.assertEqual(self.records("first.jsonl"), [{"n": 2}, {"n": 3}, {"n": 4}])
        self.assertEqual([r["trail"][-1]["step"] for r in self.records("rejects.jsonl")],
                         ["first/above", "second/above"])
        self.run_text(text, "--set", "steps.second.params.least=4")
        self.assertEqual(self.records("out.jsonl"), [{"n": 4}])

    def plugin(self, name, source):
        compiler = shutil.which("cc")
        if not compiler:
            self.skipTest("no C compiler")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", self.path(f"{name}.so"),
                        self.write(f"{name}.c", source),
                        "-I", os.path.join(harness.ROOT, "sdk", "include")], check=True)

    def test_a_dataset_stage_may_consume_its_input(self):
        self.plugin("fold", FIRST_FILTER)
        self.pipeline("""
            plugins: [fold.so]
            steps:
              - { use: grid, with: { n: [1, 2, 3] } }
              - { use: fold }
            write: { path: out.jsonl, rejects: rejects.jsonl }
            """)
        steps = {step["step"]: step for step in self.summary()["report"]["steps"]}
        self.assertEqual(self.records("out.jsonl"), [{"n": 3}])
        self.assertEqual([r["fields"] for r in self.records("rejects.jsonl")], [{"n": 1}])
        self.assertEqual([steps["fold"][key] for key in ("in", "out", "dropped")], [3, 1, 1])
        self.plugin("fold", FIRST_FILTER.replace("job->api->emit(job, sum);", ""))
        self.xylem("run", "-q", "p.yaml")
        self.assertEqual(self.records("out.jsonl"), [])

    def repeat(self, head, keep="n > round"):
        self.plugin("tally", ROUNDS_EVALUATOR)
        self.pipeline(f"""
            plugins: [tally.so]
            steps:
              - {{ use: grid, with: {{ n: [1, 2, 3, 4, 5, 6] }} }}
              - id: rounds
                repeat: {head}
                steps:
                  - {{ id: cut, use: expression, with: {{ keep: "{keep}" }} }}
                  - {{ use: tally }}
            write: {{ path: out.jsonl, rejects: rejects.jsonl }}
            """)

    def test_repeat_times(self):
        """`round` counts from 0: the rounds drop nothing, 1, 2."""
        self.repeat("3")
        summary = self.summary()
        self.assertEqual([r["n"] for r in self.records("out.jsonl")], [3, 4, 5, 6])
        self.assertEqual([r["fields"]["n"] for r in self.records("rejects.jsonl")], [1, 2])
        scores = [(score["round"], score["value"]) for score in summary["report"]["scores"]]
        self.assertEqual(scores, [(0, 6), (1, 5), (2, 4)])

    def test_repeat_until(self):
        self.repeat("{ times: 6, until: tally.records <= 4 }")
        self.xylem("run", "-q", "p.yaml")
        self.assertEqual([r["n"] for r in self.records("out.jsonl")], [3, 4, 5, 6])
        self.xylem("run", "-q", "p.yaml", "--set", "steps.rounds.repeat.until=tally.records < 6")
        self.assertEqual([r["n"] for r in self.records("out.jsonl")], [2, 3, 4, 5, 6])
        self.xylem("run", "-q", "p.yaml", "--set", "steps.rounds.repeat.until=round == 0")
        self.assertEqual([r["n"] for r in self.records("out.jsonl")], [1, 2, 3, 4, 5, 6])


class Accept(RunCase):
    TEXT = """
        seed: 9
        codebook: {{ task: Judge., labels: {{ positive: Praise., negative: Blame. }} }}
        models: {{ t: {model} }}
        steps:
          - {{ use: grid, with: {{ label: [positive, negative], style: [a, b, c] }} }}
          - use: generate
            prompt: "{{{{ label }}}} {{{{ style }}}}"
            output:
              fields: {{ text: text, stars: {{ type: integer, minimum: 1, maximum: 5 }} }}
          - {{ id: good, use: expression, with: {{ keep: "stars >= 4" }} }}
        accept: {{ count: {count}, per: label{more} }}
        write: {{ path: out.jsonl, rejects: rejects.jsonl }}
        """

    def test_refill_until_every_label_has_its_count(self):
        with harness.Server("--jitter-ms", "5") as server:
            self.pipeline(self.TEXT.format(model=server_model(server), count=20, more=""))
            summary = self.summary()
            requests = server.stats()["requests"]
            again = self.read("out.jsonl"), self.read("rejects.jsonl")
            self.summary()
            self.assertEqual((self.read("out.jsonl"), self.read("rejects.jsonl")), again)
            self.assertEqual(server.stats()["requests"], requests)
        records = self.records("out.jsonl")
        for label in ("positive", "negative"):
            self.assertEqual(sum(record["label"] == label for record in records), 20)
        self.assertTrue(all(record["stars"] >= 4 for record in records))
        rejects = self.records("rejects.jsonl")
        reasons = {}
        for record in rejects:
            last = record["trail"][-1]
            reasons.setdefault(last["step"], []).append(record)
        self.assertEqual(set(reasons) - {"accept"}, {"good"})
        for record in reasons.get("accept", []):
            self.assertGreaterEqual(record["fields"]["stars"], 4)
            self.assertIn("surplus", record["trail"][-1]["reason"])
        self.assertEqual(summary["candidates"], requests)
        self.assertEqual(len(records) + len(rejects), requests)
        self.assertGreater(summary["passes"], 1)
        groups = {group["name"]: group for group in summary["groups"]}
        self.assertEqual(groups["positive"]["accepted"], 20)
        self.assertEqual(groups["positive"]["wanted"], 20)
        self.assertEqual(groups["positive"]["candidates"] + groups["negative"]["candidates"],
                         requests)

    def test_candidate_limit(self):
        with harness.Server() as server:
            self.pipeline(self.TEXT.format(model=server_model(server), count=50,
                                           more=", candidates: 100"))
            done = self.xylem("run", "p.yaml", code=3)
            self.assertEqual(server.stats()["requests"], 100)
        self.assertIn("`candidates` is reached", done.stderr)
        records, rejects = self.records("out.jsonl"), self.records("rejects.jsonl")
        self.assertEqual(len(records) + len(rejects), 100)
        self.assertLess(len(records), 100)
        self.assertIn("positive", done.stdout)


    def test_a_grid_goes_on_where_the_last_pass_stopped(self):
        self.run_text("""
name: p
steps:
  - { id: plan, use: grid, with: { n: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], count: 4 } }
  - { id: odd, use: expression, with: { keep: "n % 2 == 1" } }
accept: { count: 5 }
write: { path: out.jsonl }
""")
        self.assertEqual([record["n"] for record in self.records("out.jsonl")], [1, 3, 5, 7, 9])


class Budget(RunCase):
    TEXT = """
        models:
          t: {{ use: openai, base_url: "{url}", model: m, concurrency: {concurrency},
                price: {{ input: 1000, output: 10000 }}, params: {{ max_tokens: 40 }} }}
        budget: {{ {budget} }}
        steps:
          - {{ use: grid, with: {{ n: [{numbers}] }} }}
          - {middle}
          - {{ use: generate, prompt: "Number {{{{ n }}}} once" }}
        write: {{ path: out.jsonl, rejects: rejects.jsonl }}
        """
    LENGTH = "{ id: all, use: length, with: { field: n, min: 1, unit: characters } }"

    def spend(self, budget, middle=LENGTH,
              concurrency=16, count=400):
        with harness.Server("--latency-ms", "2", "--jitter-ms", "5") as server:
            self.pipeline(self.TEXT.format(
                url=server.url, budget=budget, middle=middle, concurrency=concurrency,
                numbers=", ".join(f'"n{i}"' for i in range(count))))
            first = self.summary(code=4)
            requests = server.stats()["requests"]
            again = self.summary(code=4)
            self.assertLessEqual(server.stats()["requests"] - requests, 1)
        return first, again

    def held(self, summary, count=400):
        records, rejects = self.records("out.jsonl"), self.records("rejects.jsonl")
        self.assertEqual(summary["end"], "budget spent")
        self.assertGreater(len(records), 0)
        self.assertEqual(len(records), summary["accepted"])
        self.assertEqual(len(rejects), summary["rejected"])
        self.assertLess(len(records), count)
        self.assertIn("budget", rejects[-1]["trail"][-1]["reason"])
        return records, rejects

    def test_money(self):
        summary, again = self.spend("usd: 20")
        self.held(summary)
        # A call costs at most 0.001 * prompt + 0.01 * 40 output tokens: about 0.41.
        self.assertLessEqual(summary["cost"], 20)
        self.assertGreater(summary["cost"], 20 - 17 * 0.45)
        self.assertLessEqual(again["cost"], 20)

    def test_tokens(self):
        summary, _ = self.spend("tokens: 2k")
        self.held(summary)
        model = summary["models"][0]
        used = model["prompt_tokens"] + model["output_tokens"]
        self.assertLessEqual(used, 2000)
        self.assertGreater(used, 2000 - 17 * 60)

    def test_every_record_is_accounted_for(self):
        """Those that no source made are not asked for; those that a step left are all rejected."""
        summary, _ = self.spend("usd: 20", count=3000)
        records, rejects = self.held(summary, 3000)
        made = summary["report"]["steps"][0]["out"]
        self.assertEqual(len(records) + len(rejects), made)
        self.assertLess(made, 3000)
        parts = """{ id: two, use: grid, from: [], with: { n: [last] } }
          - { id: all, use: expression, from: [grid, two], with: { keep: "true" } }"""
        summary, _ = self.spend("usd: 20", count=3000, middle=parts)
        records, rejects = self.held(summary, 3001)
        self.assertEqual(len(records) + len(rejects), 3001)


class Tools(RunCase):
    TEXT = """
        models: {{ t: {model} }}
        steps:
          - {{ use: grid, with: {{ n: [1, 2, 3, 4] }} }}
          - {{ id: ask, use: generate, prompt: "{{{{ n }}}}", samples: 2 }}
          - {{ id: odd, use: expression, with: {{ keep: "n % 2 == 1" }} }}
        write: {{ path: out.jsonl, rejects: rejects.jsonl, with: {{ id: true }} }}
        """

    def test_why_tells_the_life_of_any_record(self):
        with harness.Server() as server:
            self.run_text(self.TEXT.format(model=server_model(server)))
        kept, rejected = self.records("out.jsonl")[0], self.records("rejects.jsonl")[0]
        said = self.xylem("why", kept["_id"]).stdout
        self.assertIn("kept", said)
        self.assertIn("answered", said)
        self.assertIn(kept["text"], said)
        said = self.xylem("why", rejected["id"]).stdout
        self.assertIn("rejected", said)
        self.assertIn("not true: n % 2 == 1", said)
        life = json.loads(self.xylem("why", rejected["id"], "--json").stdout)
        self.assertTrue(life["rejected"])
        self.assertEqual(life["trail"], rejected["trail"])
        parent = said.split("made from ")[1][:16]
        said = self.xylem("why", parent).stdout
        self.assertIn(parent, said)
        self.assertIn("2 records were made from it", said)
        self.assertIn(rejected["id"], said)
        self.assertEqual(json.loads(self.xylem("why", parent, "--json").stdout)["id"], parent)
        unknown = self.xylem("why", "0123456789abcdef", code=1)
        self.assertIn("no run under `.xylem` knows a record 0123456789abcdef", unknown.stderr)
        self.assertIn("no record id", self.xylem("why", "hello", code=2).stderr)

    def test_runs(self):
        self.assertIn("no runs", self.xylem("runs").stdout)
        with harness.Server() as server:
            self.run_text(self.TEXT.format(model=server_model(server)))
            self.xylem("run", "-q", "p.yaml", "--set", "steps.odd.with.keep=n == 1")
        said = self.xylem("runs").stdout.splitlines()
        self.assertEqual(len(said), 3)
        self.assertEqual(said[1].split()[1:5], ["p", "done", "4", "4"])
        self.assertEqual(said[2].split()[1:5], ["p", "done", "2", "6"])
        listed = json.loads(self.xylem("runs", "--json").stdout)
        self.assertEqual(sorted(run["accepted"] for run in listed), [2, 4])
        self.assertEqual({run["pipeline"] for run in listed}, {"p"})

    def test_json_for_machines(self):
        with harness.Server() as server:
            self.pipeline(self.TEXT.format(model=server_model(server)))
            estimate = json.loads(self.xylem("check", "p.yaml", "--json").stdout)
            self.assertEqual((estimate["valid"], estimate["records"], estimate["calls"]),
                             (True, 4, 8))
            self.assertEqual(server.stats()["requests"], 0)
            wrong = json.loads(self.xylem("check", "p.yaml", "--json", "--set", "seeed=1",
                                          code=2).stdout)
            self.assertFalse(wrong["valid"])
            self.assertEqual(len(wrong["errors"]), 1)
        self.assertIn("grid", {stage["name"]
                               for stage in json.loads(self.xylem("plugins", "--json").stdout)})

    def test_an_answer_tells_how_it_ended(self):
        self.write("a.jsonl", '{"prompt": "a", "text": "whole", "finish": "stop"}\n'
                   '{"prompt": "b", "text": "cut o", "finish": "length"}\n'
                   '{"prompt": "c", "text": "by default"}\n')
        self.pipeline("""
            models: { t: { use: replay, file: a.jsonl } }
            steps:
              - { use: grid, with: { topic: [a, b, c] } }
              - { use: generate, prompt: "{{ topic }}", output: { into: x, finish: end } }
            write: { path: out.jsonl }
            """)
        self.xylem("run", "-q", "p.yaml")
        self.assertEqual([(r["x"], r["end"]) for r in self.records("out.jsonl")],
                         [("whole", "stop"), ("cut o", "length"), ("by default", "stop")])

    def test_set_swaps_the_backend(self):
        self.write("answers.jsonl", "".join(
            json.dumps({"prompt": str(n), "text": f"recorded {n}"}) + "\n" for n in range(1, 5)))
        with harness.Server() as server:
            self.pipeline(self.TEXT.format(model=server_model(server)))
            self.write("model.py", MODEL)
            self.xylem("run", "-q", "p.yaml", "--set",
                       "models.t={ use: replay, file: answers.jsonl }")
            self.assertEqual(server.stats()["requests"], 0)
            self.assertEqual([record["text"] for record in self.records("out.jsonl")],
                             ["recorded 1"] * 2 + ["recorded 3"] * 2)
            self.xylem("run", "-q", "p.yaml")
            self.assertEqual(server.stats()["requests"], 8)

    def test_two_pipelines_share_a_cache(self):
        with harness.Server() as server:
            text = "cache: shared\n" + textwrap.dedent(self.TEXT.format(model=server_model(server)))
            self.run_text("name: one\n" + text, name="one.yaml")
            self.assertEqual(server.stats()["requests"], 8)
            self.run_text("name: two\n" + text, name="two.yaml")
            self.assertEqual(server.stats()["requests"], 8)

    def test_fresh_pays_again(self):
        with harness.Server() as server:
            self.run_text(self.TEXT.format(model=server_model(server)))
            self.xylem("run", "-q", "--fresh", "p.yaml")
            self.assertEqual(server.stats()["requests"], 16)

    def test_one_process_at_a_time(self):
        with harness.Server("--latency-ms", "1500") as server:
            self.pipeline(self.TEXT.format(model=server_model(server)))
            first = self.start("run", "-q", "p.yaml")
            while not server.stats()["in_flight"]:
                self.assertIsNone(first.poll())
            second = self.xylem("run", "-q", "p.yaml", code=1)
            self.assertEqual(len(second.stderr.splitlines()), 1, second.stderr)
            self.assertIn(f"process {first.pid}", second.stderr)
            # The folder is the first one's: the second leaves no word about how its run ended.
            summaries = glob.glob(self.path(".xylem", "*", "runs", "*", "summary.json"))
            self.assertEqual(summaries, [])
            first.stderr.close()
            self.assertEqual(first.wait(), 0)
            self.assertEqual(server.stats()["requests"], 8)
        self.assertEqual(len(self.records("out.jsonl")), 4)

    def test_a_journal_that_cannot_be_opened_leaves_the_last_summary(self):
        with harness.Server() as server:
            self.run_text(self.TEXT.format(model=server_model(server)))
            summary, = glob.glob(self.path(".xylem", "*", "runs", "*", "summary.json"))
            before = self.read(summary)
            index = self.path(".xylem", "p", "index.db")
            os.unlink(index)
            os.mkdir(index)
            self.assertIn("index.db", self.xylem("run", "-q", "p.yaml", code=1).stderr)
        self.assertEqual(json.loads(before)["end"], "done")
        self.assertEqual(self.read(summary), before)


class WhenOverDatasets(harness.Case):
    """`when` on a step that sees its whole input: the others pass by, each in its place."""

    def run_step(self, step, rows):
        self.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self.write("when.yaml", f"""
xylem: 1
name: when
steps:
  - {{ use: read, with: {{ path: rows.jsonl }} }}
  - {step}
write: {{ path: out.jsonl, rejects: rejects.jsonl }}
""")
        said = self.xylem("run", "-q", "--json", "when.yaml").stdout
        steps = json.loads(said)["report"]["steps"]
        return self.records("out.jsonl"), self.records("rejects.jsonl"), steps[-1]

    ROWS = [{"n": n, "vote_entropy": n / 10} for n in (3, 1, 4, 2, 5)]

    def test_a_stage_that_judges(self):
        kept, rejects, step = self.run_step(
            '{ use: select, when: "n < 4", with: { method: disagreement, k: 1 } }', self.ROWS)
        self.assertEqual([row["n"] for row in kept], [3, 4, 5])
        self.assertEqual([row["fields"]["n"] for row in rejects], [1, 2])
        self.assertEqual((step["in"], step["out"], step["dropped"]), (3, 1, 2))

    def test_a_stage_that_edits(self):
        kept, rejects, step = self.run_step(
            '{ use: allocate, when: "n != 5", with: { share: 0.25 } }', self.ROWS)
        self.assertEqual([(row["n"], row.get("annotator")) for row in kept],
                         [(3, "model"), (1, "model"), (4, "human"), (2, "model"), (5, None)])
        self.assertEqual((rejects, step["in"], step["out"]), ([], 4, 4))

    def test_nobody(self):
        kept, _, step = self.run_step(
            '{ use: select, when: "n > 9", with: { method: disagreement, k: 1 } }', self.ROWS)
        self.assertEqual(len(kept), 5)
        self.assertEqual((step["in"], step["out"]), (0, 0))

    def test_a_condition_that_fails(self):
        rows = [*self.ROWS[:2], {"other": 1}]
        for step in ("{ use: select, when: 'n < 4', with: { method: disagreement, k: 1 } }",
                     "{ use: allocate, when: 'n < 4', with: { share: 0 } }"):
            kept, rejects, counts = self.run_step(step, rows)
            self.assertEqual(kept[0]["n"], 3)
            self.assertIn("when: ", rejects[-1]["trail"][-1]["reason"])
            self.assertEqual(rejects[-1]["fields"], {"other": 1})
            self.assertEqual((counts["in"], counts["failed"]), (3, 1))


if __name__ == "__main__":
    harness.main()
