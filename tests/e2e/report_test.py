# SPDX-License-Identifier: Apache-2.0
"""`xylem report` and the verdicts of `xylem why`: numbers reasoned by hand."""
import glob
import json
import os
import re
import signal
import time

import harness

# Ten records: good and bad, 1 to 5. `flip` makes one good record bad (the bad one with 5 is bad
# already); `weigh` doubles the weight of the two with 4; `gate` is asked for the four still
# good and drops the one with 1; of the nine left `twins` drops the second (bad, 5).
PIPELINE = """
xylem: 1
name: small
steps:
  - { id: plan, use: grid, with: { label: [good, bad], n: [1, 2, 3, 4, 5] } }
  - { id: mark, use: set, with: { score: "n / 10" } }
  - { id: flip, use: set, with: { label: "'bad' if n == 5 else label" } }
  - { id: weigh, use: expression, with: { weight: "2 if n == 4 else 1" } }
  - { id: gate, use: expression, when: "label == 'good'", with: { keep: "n > 1" } }
  - { id: twins, use: exact, with: { field: [label, n] } }
write: { path: out.jsonl, rejects: rejects.jsonl, with: { id: true } }
"""


class Small(harness.Case):
    def run_small(self, text=PIPELINE, code=0):
        self.write("small.yaml", text)
        self.xylem("run", "small.yaml", code=code)

    def report(self, *words):
        return json.loads(self.xylem("report", "--json", *words).stdout)

    def folder_of_run(self):
        return glob.glob(self.path(".xylem", "*", "runs", "*"))[0]

    def summary(self):
        with open(os.path.join(self.folder_of_run(), "summary.json"), encoding="utf-8") as file:
            return json.load(file)


class Report(Small):
    def test_steps(self):
        self.run_small()
        report = self.report()
        self.assertEqual((report["accepted"], report["rejected"], report["kept"]), (8, 2, 8))
        self.assertEqual(report["problems"], [])
        steps = {step["step"]: step for step in report["steps"]}
        self.assertEqual(list(steps), ["plan", "mark", "flip", "weigh", "gate", "twins"])
        figures = ["in", "out", "dropped", "changed", "reweighted", "rejected"]
        self.assertEqual({name: [step[figure] for figure in figures]
                          for name, step in steps.items()},
                         {"plan": [0, 10, 0, 0, 0, 0], "mark": [10, 10, 0, 0, 0, 0],
                          "flip": [10, 10, 0, 1, 0, 0], "weigh": [10, 10, 0, 2, 2, 0],
                          "gate": [4, 3, 1, 0, 0, 1], "twins": [9, 8, 1, 0, 0, 1]})
        self.assertEqual(steps["flip"]["fields"], [{"field": "label", "added": 0, "changed": 1}])
        self.assertEqual(steps["mark"]["fields"], [{"field": "score", "added": 10, "changed": 0}])
        self.assertEqual((steps["gate"]["kind"], steps["gate"]["use"]), ("filter", "expression"))

    def test_reasons_name_records(self):
        self.run_small()
        rejects = {reject["trail"][-1]["step"]: reject for reject in self.records("rejects.jsonl")}
        steps = {step["step"]: step for step in self.report()["steps"]}
        gate, twins = steps["gate"]["reasons"], steps["twins"]["reasons"]
        self.assertEqual([(reason["reason"], reason["count"]) for reason in gate + twins],
                         [("not true: n > #", 1), ("equals #", 1)])
        self.assertEqual(gate[0]["examples"],
                         [{"id": rejects["gate"]["id"], "reason": "not true: n > 1",
                           "text": '{"label":"good","n":1,"score":0.1}'}])
        # The twin that stayed is the record that `flip` changed: good and 5 once.
        twin = next(record["_id"] for record in self.records("out.jsonl") if record["n"] == 5)
        self.assertEqual(twins[0]["examples"][0]["reason"], f"equals {twin}")

    def test_histograms(self):
        self.run_small()
        report = self.report()
        score, weight = report["scores"]
        # 0.1 to 0.5 in ten bins of 0.04: 0.2 lies in the third, 0.3 begins the sixth. The source's
        # own `n` is no score.
        self.assertEqual((score["field"], score["step"]), ("score", "mark"))
        self.assertEqual(len(score["edges"]), 11)
        self.assertAlmostEqual(score["edges"][3], 0.22)
        self.assertEqual(score["kept"], [1, 0, 2, 0, 0, 2, 0, 2, 0, 1])
        self.assertEqual(score["dropped"], [1, 0, 0, 0, 0, 0, 0, 0, 0, 1])
        self.assertAlmostEqual(score["kept_mean"], (0.1 + 2 * 0.2 + 2 * 0.3 + 2 * 0.4 + 0.5) / 8)
        self.assertAlmostEqual(score["dropped_mean"], 0.3)
        self.assertEqual(score["dropped_by"], {"gate": 1, "twins": 1})
        self.assertEqual((weight["field"], weight["kept"], weight["dropped"]),
                         ("(weight)", [6, 2], [2, 0]))
        self.assertEqual(report["labels"], [{"label": "good", "kept": 3, "dropped": 1},
                                            {"label": "bad", "kept": 5, "dropped": 1}])

    def test_text_and_markdown(self):
        self.run_small(PIPELINE.replace("n > 1", "n > 1 or label == '<b>|'"))
        said = self.xylem("report").stdout
        self.assertRegex(said, r"(?m)^gate +expression filter +4 +3 +1 +0 +0 +0 +0 ")
        self.assertRegex(said, r"(?m)^flip +label +0 +1$")
        self.assertRegex(said, r"(?m)^0\.18 +0\.22 +2 +#{24} +0 *$")
        self.assertRegex(said, r"(?m)^0\.1 +0\.14 +1 +#{12} +1 +#{12}$")
        self.assertRegex(said, r"(?m)^bad +5 +1 +83\.3 %$")
        self.assertIn("gate: 1 rejected\n  1 (25.0 % of what came in)  not true: n > # or", said)
        self.assertEqual(self.xylem("report", "--markdown", "page.md").stdout, "")
        page = self.read("page.md").decode()
        self.assertIn("# Curation report: small\n", page)
        self.assertIn("| gate | expression filter | 4 | 3 | 1 |", page)
        self.assertIn(r"label == '\<b\>\|'", page)  # no markup of a record's gets through
        for line in page.splitlines():
            if line.startswith("|---"):
                columns = line.count("|")
            elif line.startswith("| ") and "columns" in locals():
                self.assertIn(len(re.findall(r"(?<!\\)\|", line)), (columns, 5, 7, 11))

    def test_which_run(self):
        self.run_small()
        first = self.report()["run"]
        self.run_small(PIPELINE.replace("n > 1", "n > 2"))
        second = self.report()
        self.assertNotEqual(second["run"], first)
        self.assertEqual(second["rejected"], 3)
        self.assertEqual(self.report(first)["rejected"], 2)
        self.assertEqual(self.report("small")["run"], second["run"])
        self.assertEqual(self.report("small.yaml")["run"], second["run"])
        # By the file as it was: the first run again. By one that never ran: the newest.
        self.write("small.yaml", PIPELINE)
        self.assertEqual(self.report("small.yaml")["run"], first)
        self.write("small.yaml", PIPELINE.replace("n > 1", "n > 3"))
        said = self.xylem("report", "small.yaml", "--json")
        self.assertEqual(json.loads(said.stdout)["run"], second["run"])
        self.assertIn("has not been run; this is the newest run of `small`", said.stderr)

    def test_no_such_run(self):
        said = self.xylem("report", code=1).stderr
        self.assertIn("there is no run under `.xylem` yet; `xylem run FILE` makes one", said)
        self.run_small()
        self.assertIn("did you mean `small`?", self.xylem("report", "smal", code=1).stderr)
        run = self.report()["run"]
        self.assertIn(f"did you mean `{run}`?",
                      self.xylem("report", run[:-1] + "x", code=1).stderr)
        self.write("other.yaml", PIPELINE.replace("name: small", "name: other"))
        self.assertIn("`other.yaml` has not been run",
                      self.xylem("report", "other.yaml", code=1).stderr)
        self.write("broken.yaml", "xylem: 1\nsteps: 3\n")
        self.assertIn("broken.yaml:2", self.xylem("report", "broken.yaml", code=2).stderr)
        self.assertIn("Is a directory",
                      self.xylem("report", "--markdown", self.folder, code=1).stderr)

    def test_a_damaged_dataset_is_named_and_left_out(self):
        self.run_small()
        path = os.path.join(self.folder_of_run(), "data", "gate.0.0.rejects")
        with open(path, "r+b") as file:
            file.seek(40)
            file.write(b"\xff")
        report = self.report()
        self.assertEqual(len(report["problems"]), 1)
        self.assertIn("gate.0.0.rejects", report["problems"][0])
        steps = {step["step"]: step for step in report["steps"]}
        self.assertEqual((steps["gate"]["dropped"], steps["gate"]["rejected"]), (1, 0))
        self.assertEqual(steps["twins"]["rejected"], 1)
        self.assertIn("gate.0.0.rejects", self.xylem("report").stdout)

    def test_without_a_summary(self):
        self.run_small()
        summary = os.path.join(self.folder_of_run(), "summary.json")
        with open(summary, encoding="utf-8") as file:
            whole = json.load(file)
        os.remove(summary)
        report = self.report()
        self.assertIn("summary.json is not there", report["problems"][0])
        self.assertNotIn("end", report)
        self.assertIn("unfinished", self.xylem("report").stdout)
        self.assertEqual({step["step"]: step["rejected"] for step in report["steps"]
                          if step["rejected"]}, {"gate": 1, "twins": 1})
        # Nobody says that `n` is the source's: it is shown.
        self.assertEqual({score["field"] for score in report["scores"]},
                         {"n", "score", "(weight)"})
        with open(summary, "w", encoding="utf-8") as file:
            file.write("{")
        self.assertIn("summary.json is damaged", self.report()["problems"][0])
        # An older version did not write how the steps hang together, nor what they changed.
        for step in whole["report"]["steps"]:
            for name in ("kind", "use", "from", "written", "when", "changed", "reweighted",
                         "fields"):
                del step[name]
        with open(summary, "w", encoding="utf-8") as file:
            json.dump(whole, file)
        report = self.report()
        self.assertEqual(report["problems"], [])
        self.assertEqual([step["dropped"] for step in report["steps"]], [0, 0, 0, 0, 1, 1])
        self.assertRegex(self.xylem("report").stdout, r"(?m)^gate +4 +3 +1 +0 +- +- ")

    def test_an_interrupted_run(self):
        with harness.Server("--latency-ms", "100") as server:
            self.write("slow.yaml", f"""
xylem: 1
name: slow
models: {{ t: {{ use: openai, base_url: "{server.url}", model: m, concurrency: 2 }} }}
steps:
  - {{ id: plan, use: grid, with: {{ n: {list(range(200))} }} }}
  - {{ id: write, use: generate, prompt: "{{{{ n }}}}" }}
write: {{ path: out.jsonl }}
""")
            process = self.start("run", "slow.yaml")
            time.sleep(1.5)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=30), 5)
            process.stderr.close()
        report = self.report()
        self.assertEqual(report["end"], "interrupted")
        write = report["steps"][1]
        self.assertEqual(write["out"], report["kept"])
        self.assertGreater(report["kept"], 0)
        self.assertLess(report["kept"], 200)

    def test_what_a_run_makes_anew_leaves_nothing_behind(self):
        # Passes of `accept`: the whole-dataset step starts over, the cut makes a file of its own.
        self.run_small("""
xylem: 1
name: small
steps:
  - { id: plan, use: sample, with: { n: [1, 2, 3, 4, 5, 6], count: 3 } }
  - { id: twins, use: exact, with: { field: [n] } }
accept: { count: 5 }
write: { path: out.jsonl, rejects: rejects.jsonl }
""")
        for _ in range(2):  # the second time over what the first left there
            report = self.report()
            self.assertEqual((report["accepted"], report["kept"]), (5, 5))
            self.assertEqual(sum(step["rejected"] for step in report["steps"]),
                             len(self.records("rejects.jsonl")))
            self.assertGreater(len(self.records("rejects.jsonl")), 0)
            self.assertGreater(self.summary()["passes"], 1)
            self.xylem("run", "-q", "small.yaml")

    def test_calls_of_stages_that_ask_by_themselves(self):
        with harness.Server() as server:
            self.write("asks.yaml", f"""
xylem: 1
name: asks
models:
  t: {{ use: openai, base_url: "{server.url}", model: m, price: {{ input: 100, output: 100 }} }}
steps:
  - {{ id: plan, use: grid, with: {{ text: [one, two, three], n: [1, 2] }} }}
  - {{ id: shown, use: demos.knn, with: {{ pool: plan, k: 1, embed: t }} }}
  - {{ id: write, use: generate, prompt: "{{{{ text }}}} {{{{ n }}}}", output: {{ into: answer }} }}
write: {{ path: out.jsonl }}
""")
            closing = self.xylem("run", "asks.yaml").stdout
            stats = server.stats()
        report = self.report()
        steps = {step["step"]: step for step in report["steps"]}
        self.assertEqual(steps["write"]["calls"], 6)
        # Six texts of the pool and six of the records.
        self.assertEqual(steps["shown"]["calls"], 12, stats)
        self.assertRegex(closing, r"(?m)^shown +6 +6 +0 +0 +12 ")
        self.assertEqual(report["models"][0]["cost"], report["cost"])
        self.assertAlmostEqual(report["cost_per_accepted"], report["cost"] / 6)
        self.assertGreater(report["cost"], 0)


class Why(Small):
    def test_each_verdict(self):
        self.run_small()
        rejects = {reject["trail"][-1]["step"]: reject["id"]
                   for reject in self.records("rejects.jsonl")}
        kept = {(record["label"], record["n"]): record["_id"]
                for record in self.records("out.jsonl")}

        def verdicts(record):
            said = self.xylem("why", record).stdout
            return re.findall(r"(?m)^  (\w+) +(\w+)", said), said
        told, said = verdicts(rejects["gate"])
        self.assertEqual(told, [("plan", "made"), ("mark", "set"), ("flip", "set"),
                                ("weigh", "kept"), ("gate", "dropped")])
        self.assertRegex(said, r"mark +set  score=0\.1\n")
        told, said = verdicts(kept["bad", 5])
        self.assertEqual(told, [("plan", "made"), ("mark", "set"), ("flip", "set"),
                                ("weigh", "kept"), ("gate", "kept"), ("twins", "kept")])
        self.assertRegex(said, r"gate +kept  \(or its `when` did not hold\)\n")
        self.assertRegex(said, r"flip +set  label=\"bad\"\n")
        life = json.loads(self.xylem("why", kept["bad", 5], "--json").stdout)
        self.assertEqual([event["step"] for event in life["passed"]],
                         ["mark", "flip", "weigh", "gate", "twins"])
        # Without the summary the trail is all that there is.
        os.remove(os.path.join(self.folder_of_run(), "summary.json"))
        self.assertEqual(verdicts(rejects["gate"])[0], [("plan", "made"), ("gate", "dropped")])


if __name__ == "__main__":
    harness.main()
