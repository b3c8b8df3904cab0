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

    def test_stages(self):
        self.prepare()
        taught, right_of = {}, {}
        for threshold in 0, 0.9:
            for stages in 1, 2:
                rows = self.students(f"params.stages={stages}", f"params.threshold={threshold}")
                parsed = [row for row in rows if row["text"] in self.recorded]
                gold = [self.gold[row["idx"]] for row in parsed]
                said = sum(row["student_label"] == g for row, g in zip(parsed, gold))
                right = sum(row["label"] == g for row, g in zip(parsed, gold))
                moved = [row for row in parsed if row["teacher_label"]]
                better = sum(row["label"] == self.gold[row["idx"]] for row in moved)
                print(f"\nthreshold {threshold}, {stages} stages: students {said} of "
                      f"{len(parsed)}, labels then {right} (teacher 7758); "
                      f"{better} of {len(moved)} changes good")
                for row in parsed:  # what was changed is told, and nothing else
                    self.assertEqual(row["teacher_label"] or row["label"],
                                     self.recorded[row["text"]])
                    self.assertTrue(not row["teacher_label"] or
                                    row["student_confidence"] >= threshold)
                taught[threshold, stages] = [row["student_label"] for row in rows]
                right_of[threshold, stages] = said
                self.assertGreater(said / len(parsed), 0.7)
        self.assertNotEqual(taught[0, 1], taught[0, 2])  # a second lesson was another one
        self.assertGreater(right_of[0, 2], right_of[0, 1])  # what the stages are for


if __name__ == "__main__":
    harness.main()
