# SPDX-License-Identifier: Apache-2.0
"""FreeAL's loop on its own recorded annotations: 8,662 film reviews that ChatGPT labelled.

The recipe runs as it is; the annotator gives the recorded label of a text whatever examples it is
shown, so that what the loop adds is the student's part alone. The student learns from n-grams, and
from the recorded translations there and back. Every round is printed.

    freeal_test.py Embedded     the same with the embedded MiniLM; a quarter of an hour, by hand
"""
import gzip
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(harness.ROOT), "shared", "data"))
REVIEWS = os.path.join(DATA, "freeal-mr", "train.jsonl.gz")
LABELS = {0: "negative", 1: "positive"}

ANNOTATOR = '''
import json, sys
labels = json.load(open(sys.argv[1]))
for line in sys.stdin:
    request = json.loads(line)
    prompt = request["messages"][-1]["content"]
    if prompt.startswith("Write a short"):
        text = "A %s film, %s." % (("fine", "told well") if "positive" in prompt else
                                   ("dull", "told badly")) + " " * prompt.endswith("2:")
    else:
        comment = prompt[prompt.rindex("Comment: ") + len("Comment: "):]
        text = json.dumps({"reply": labels.get(comment, "unclear")})
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
'''

# Counts of words, hashed into 64 numbers: near enough to cluster by, and fast.
EMBEDDER = '''
import json, re, sys, zlib
for line in sys.stdin:
    request = json.loads(line)
    vectors = []
    for text in request["texts"]:
        vector = [0.0] * 64
        for word in re.findall(r"\\w+", text.lower()):
            hashed = zlib.crc32(word.encode())
            vector[hashed % 64] += 1 if hashed & 64 else -1
        length = sum(x * x for x in vector) ** 0.5 or 1
        vectors.append([x / length for x in vector])
    print(json.dumps({"id": request["id"], "vectors": vectors}), flush=True)
'''


def share(rows, right):
    good = sum(map(right, rows))
    value = good / max(len(rows), 1)
    return value, f"{good} of {len(rows)} = {100 * value:.2f} %"


class Loop(harness.Case):
    def prepare(self):
        with gzip.open(REVIEWS, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        self.gold = {row["idx"]: LABELS[row["gold"]] for row in rows}
        self.recorded = {row["text"]: LABELS[row["chatgpt"]] for row in rows if row["chatgpt"] >= 0}
        self.write("texts.jsonl", "".join(json.dumps(
            {"idx": row["idx"], "text": row["text"], "other": row["back_translation"]}) + "\n"
            for row in rows))
        self.write("labels.json", json.dumps(self.recorded))
        self.write("annotator.py", ANNOTATOR)
        self.write("embedder.py", EMBEDDER)

    def run_rounds(self, rounds, *sets):
        words = [
            "models.teacher={ use: exec, command: [python3, '%s', '%s'] }" % (
                self.path("annotator.py"), self.path("labels.json")),
            f"params.texts={self.path('texts.jsonl')}", f"params.rounds={rounds}",
            "params.share=0.2", "params.demonstrations=100", "params.shown=10",
            "steps.rounds.steps.student.with.view=other", f"write.path={self.path('data.jsonl')}",
            f"write.rejects={self.path('rejects.jsonl')}",
            "write.fields=[idx, text, label, student_label, clean, right, demonstration, demos]",
            *sets]
        done = self.xylem("run", "-q", "--json", "--runs", self.path("runs"),
                          os.path.join(harness.ROOT, "pipelines", "freeal.yaml"),
                          *[word for value in words for word in ("--set", value)], timeout=1800)
        self.assertEqual(json.loads(done.stdout)["unfinished"], 0)
        return self.records("data.jsonl")

    def measure(self, number, rows):
        """Prints a round and returns its shares."""
        def is_gold(field):
            return lambda row: row[field] == self.gold[row["idx"]]
        parsed = [row for row in rows if row["label"]]
        found = {
            "annotator, parsed": share(parsed, is_gold("label")),
            "annotator, all": share(rows, is_gold("label")),
            "clean": share([row for row in rows if row["clean"]], is_gold("label")),
            "right": share([row for row in rows if row["right"]], is_gold("label")),
            "demonstrations": share([row for row in rows if row["demonstration"]],
                                    is_gold("label")),
            "student, parsed": share(parsed, is_gold("student_label")),
            "student, not parsed": share([row for row in rows if not row["label"]],
                                         is_gold("student_label")),
            "student, all": share(rows, is_gold("student_label")),
            "annotator, filled by the student": share(
                rows, lambda row: (row["label"] or row["student_label"]) == self.gold[row["idx"]]),
        }
        print(f"\nround {number}:", *(f"  {name}: {text}" for name, (_, text) in found.items()),
              sep="\n")
        return {name: value for name, (value, _) in found.items()}

    def hold(self, rows, found):
        """What must be so, whatever the student."""
        self.assertEqual(len(rows), 8662)
        for row in rows:  # the annotator's labels are the recorded ones, and none is lost
            self.assertEqual(row["label"], self.recorded.get(row["text"]))
        self.assertGreater(found["clean"], found["annotator, parsed"])
        self.assertGreater(found["right"], 0.975)  # FreeAL's own: 98.27 %
        self.assertGreaterEqual(found["demonstrations"], 0.95)
        self.assertGreater(found["annotator, filled by the student"], found["annotator, all"])


@unittest.skipUnless(os.path.exists(REVIEWS), "there is no recorded data")
class Recorded(Loop):
    def test_two_rounds(self):
        self.prepare()
        sets = ["models.embedder={ use: exec, operations: [embed], command: [python3, '%s'] }"
                % self.path("embedder.py"), "params.learner=softmax"]
        for number in 1, 2:
            rows = self.run_rounds(number, *sets)
            found = self.measure(number, rows)
            self.hold(rows, found)
            self.assertGreater(found["student, all"], found["annotator, all"])
            if number == 1:
                right = sum(row["right"] for row in rows)
                continue
            # All but the right ones of round 1 were asked again, with five examples of each label.
            shown = [[demo["label"] for demo in row["demos"]] for row in rows
                     if len(row["demos"]) == 10]
            self.assertEqual(len(shown), 8662 - right)
            for labels in shown:
                self.assertEqual(labels.count("positive"), 5)
        print("the aim, 93.72 % of parsed rows, is",
              "reached" if found["student, parsed"] > 0.9372 else "not reached by this student")


@unittest.skipUnless(os.path.exists(REVIEWS) and "Embedded" in sys.argv, "by hand")
class Embedded(Loop):
    def test_two_rounds(self):
        self.prepare()
        for number in 1, 2:
            rows = self.run_rounds(number, "params.learner={ use: softmax, features: embedding, "
                                   "embed: embedder }", f"cache={self.path('cache')}")
            self.hold(rows, self.measure(number, rows))


if __name__ == "__main__":
    harness.main()
