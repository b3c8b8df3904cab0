# SPDX-License-Identifier: Apache-2.0
"""MCKD's cross-partition labelling on 8,662 recorded annotations: what comes of each stage.

The recipe runs as it is; its teacher gives the recorded label. The students learn from n-grams.
"""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import freeal_test
import harness


@unittest.skipUnless(os.path.exists(freeal_test.REVIEWS), "there is no recorded data")
class Stages(freeal_test.Loop):
    def students(self, *sets):
        words = [
            "models.teacher={ use: exec, command: [python3, '%s', '%s'] }" % (
                self.path("annotator.py"), self.path("labels.json")),
            "models.embedder={ use: exec, operations: [embed], command: [python3, '%s'] }"
            % self.path("embedder.py"), "params.learner=softmax",
            f"params.texts={self.path('texts.jsonl')}", f"write.path={self.path('data.jsonl')}",
            f"write.rejects={self.path('rejects.jsonl')}",
            "write.fields=[idx, text, label, teacher_label, student_label, student_confidence]",
            *sets]
        self.xylem("run", "-q", "--runs", self.path("runs"),
                   os.path.join(harness.ROOT, "pipelines", "mckd.yaml"),
                   *[word for value in words for word in ("--set", value)], timeout=600)
        rows = self.records("data.jsonl")
        self.assertEqual(len(rows), 8662)
        return rows

    def measure(self, name, rows):
        """Prints a setting; how many of the students' labels of the parsed rows are right."""
        parsed = [row for row in rows if row["text"] in self.recorded]
        gold = [self.gold[row["idx"]] for row in parsed]
        said = sum(row["student_label"] == g for row, g in zip(parsed, gold))
        right = sum(row["label"] == g for row, g in zip(parsed, gold))
        moved = [row for row in parsed if row["teacher_label"]]
        better = sum(row["label"] == self.gold[row["idx"]] for row in moved)
        print(f"\n{name}: students {said} of {len(parsed)}, labels then {right} (teacher 7758); "
              f"{better} of {len(moved)} changes good", end="")
        for row in parsed:  # what was changed is told, and nothing else
            self.assertEqual(row["teacher_label"] or row["label"], self.recorded[row["text"]])
        self.assertGreater(said / len(parsed), 0.7)
        return said, moved

    def test_stages(self):
        self.prepare()
        taught, right_of = {}, {}
        for threshold in 0, 0.9:
            for stages, teaches in ((1, "labels"), (2, "labels"), (2, "probabilities"),
                                    (3, "labels"), (3, "probabilities")):
                rows = self.students(f"params.stages={stages}", f"params.threshold={threshold}",
                                     f"params.teaches={teaches}")
                key = threshold, stages, teaches
                right_of[key], moved = self.measure(
                    f"threshold {threshold}, {stages} stages, {teaches}", rows)
                for row in moved:
                    self.assertGreaterEqual(row["student_confidence"], threshold)
                taught[key] = [row["student_label"] for row in rows]
        one, two, soft = (0, 1, "labels"), (0, 2, "labels"), (0, 2, "probabilities")
        self.assertNotEqual(taught[one], taught[two])  # a second lesson was another one
        self.assertGreater(right_of[two], right_of[one])  # what the stages are for
        self.assertNotEqual(taught[two], taught[soft])
        self.assertGreater(right_of[soft], right_of[one])


if __name__ == "__main__":
    harness.main()
