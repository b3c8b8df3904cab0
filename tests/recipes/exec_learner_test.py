# SPDX-License-Identifier: Apache-2.0
"""The learner `exec`: a program that counts words is a student, can be watched, and every way in
which a program can fail is one error that says so."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

# Naive counts of words; two passes, the first of which knows nothing. argv[1] is a way to fail.
TRAINER = '''
import json, os, sys, time
way = sys.argv[1] if len(sys.argv) > 1 else ""

def read(count):
    return [json.loads(sys.stdin.readline()) for _ in range(count)]

def say(value):
    print(json.dumps(value), flush=True)

def judge(example):
    sums = [0.1] * classes
    for word in example["text"].split():
        for label, number in counts.get(word, {}).items():
            sums[label] += number
    return sums

print("hello", file=sys.stderr)
if way == "early":  # it cannot work, and says so without reading
    say({"error": "no libraries for that"})
    sys.exit(1)
if way == "killed":
    os.kill(os.getpid(), 9)
if way == "mute":
    os.close(2)
for line in sys.stdin:
    request = json.loads(line)
    rows = read(request["count"])
    if request["operation"] == "fit":
        watched = read(request["watched"])
        classes, counts = request["classes"], {}
        if way == "error":
            say({"error": "no memory for that"})
        if way == "dies":
            sys.exit("out of luck")
        if way == "hangs":
            time.sleep(60)
        if way == "babbles":
            print("epoch 1 of 3", flush=True)
        if watched and way != "passless":
            say({"pass": [[1] * classes for _ in watched]})
        for row in rows:
            for word in row["text"].split():
                own = counts.setdefault(word, {})
                own[row["label"]] = own.get(row["label"], 0) + row["weight"]
        if watched and way != "passless":
            say({"pass": [judge(row) for row in watched]})
        say({"fitted": True})
    else:
        for row in rows:
            say({"probabilities": judge(row)[1 if way == "short" else 0:]})
'''


class ExecLearner(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("trainer.py", TRAINER)
        self.write("rows.jsonl", "".join(
            json.dumps({"text": f"thing {i} is {'red' if i % 2 else 'blue'}",
                        "label": "warm" if (i % 2) ^ (i == 4) else "cold"}) + "\n"
            for i in range(60)))

    def run_step(self, step, way="", code=0, more=""):
        self.write("pipeline.yaml", f"""
xylem: 1
steps:
  - {{ use: read, with: {{ path: rows.jsonl }} }}
  - use: {step}
    with:
      learner: {{ use: exec, command: [{sys.executable}, trainer.py, "{way}"]{more} }}
      {"action: annotate" if step == "student" else "method: annotate"}
write: {{ path: out.jsonl }}
""")
        return self.xylem("run", "-q", "--fresh", "pipeline.yaml", code=code)

    def test_a_student(self):
        self.run_step("student")
        self.hold_colours()

    def test_without_stderr(self):
        self.run_step("student", "mute")
        self.hold_colours()

    def hold_colours(self):
        for i, row in enumerate(self.records("out.jsonl")):
            self.assertEqual(row["student_label"], "warm" if i % 2 else "cold")

    def test_watched(self):
        """Half in the first pass; in the second more for the right labels, less for the wrong."""
        self.run_step("dynamics")
        rows = self.records("out.jsonl")
        self.assertEqual(len(rows), 60)
        for i, row in enumerate(rows):
            self.assertEqual(row["dynamics_confidence"] < 0.5, i == 4, row)
            self.assertAlmostEqual(abs(row["dynamics_confidence"] - 0.5),
                                   row["dynamics_variability"], places=6)

    def test_failures(self):
        for way, words in {
                "error": ["trainer", "no memory for that"],
                "dies": ["ended before it had answered", "out of luck"],
                "killed": ["was ended by signal 9 before it had answered", "hello"],
                "babbles": ["answered `epoch 1 of 3`", "expected is a JSON object"],
                "short": ["a number for each class"]}.items():
            said = self.run_step("student", way, code=1).stderr
            for word in words[1:] if way == "error" else words:
                self.assertIn(word, said, way)
        said = self.run_step("student", "hangs", code=1, more=", answer_within: 1s").stderr
        self.assertIn("has not answered within 1 seconds", said)
        said = self.run_step("dynamics", "passless", code=1).stderr
        self.assertIn("tells no passes", said)

    def test_it_ends_without_reading(self):
        """Its reason is heard, though more is to be told than a socket holds."""
        self.write("rows.jsonl", "".join(
            json.dumps({"text": str(i) + "x" * 20000, "label": "ab"[i % 2]}) + "\n"
            for i in range(60)))
        self.assertIn("no libraries for that", self.run_step("student", "early", code=1).stderr)

    def test_no_such_program(self):
        self.run_step("student")
        text = self.read("pipeline.yaml").decode().replace(sys.executable, "/no/such/program")
        self.write("pipeline.yaml", text)
        said = self.xylem("run", "-q", "--fresh", "pipeline.yaml", code=1).stderr
        self.assertIn("`/no/such/program` cannot be started", said)


if __name__ == "__main__":
    harness.main()
