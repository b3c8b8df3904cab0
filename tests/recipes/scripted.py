# SPDX-License-Identifier: Apache-2.0
"""A recipe run with a model that a test writes in Python, and everything that it was asked.

The model is a function `answer(prompt, system, number)` in the source text that a test gives: it
gets the last user message, the system message and how many requests came before, and returns a
text, or a dictionary of a reply's members. It runs behind the `exec` generator.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

SPEAKER = '''
import json, re, sys
{source}
for number, line in enumerate(sys.stdin):
    request = json.loads(line)
    said = {{}}
    for message in request["messages"]:
        said[message["role"]] = message["content"]
    reply = answer(said["user"], said.get("system", ""), number)
    reply = reply if isinstance(reply, dict) else {{"text": reply}}
    with open({asked!r}, "a") as file:
        file.write(json.dumps({{"prompt": said["user"], **reply}}) + "\\n")
    print(json.dumps({{"id": request["id"], **reply}}), flush=True)
'''


class Case(harness.Case):
    def recipe(self, name, source, *sets, code=0):
        """Runs pipelines/NAME.yaml; the summary, with what was accepted, rejected and asked."""
        self.runs = getattr(self, "runs", 0) + 1  # each with a journal of its own
        self.write("speaker.py", SPEAKER.format(source=source, asked=self.path("asked.jsonl")))
        self.write("asked.jsonl", "")
        sets = ["models.teacher={ use: exec, command: [python3, '%s'] }" % self.path("speaker.py"),
                f"write.path={self.path('data.jsonl')}",
                f"write.rejects={self.path('rejects.jsonl')}", *sets]
        words = [word for value in sets for word in ("--set", value)]
        done = self.xylem("run", "-q", "--json", "--runs", self.path(f"runs{self.runs}"),
                          os.path.join(harness.ROOT, "pipelines", f"{name}.yaml"), *words,
                          code=code, timeout=300)
        summary = json.loads(done.stdout)
        self.assertEqual(summary["unfinished"], 0)
        summary["said"] = done.stderr
        summary["data"] = self.records("data.jsonl")
        summary["rejects"] = self.records("rejects.jsonl")
        summary["asked"] = self.records("asked.jsonl")
        return summary

    @staticmethod
    def reasons(summary, field="instruction"):
        """From a rejected record's field to the step that rejected it and the reason."""
        return {reject["fields"].get(field): (reject["trail"][-1]["step"],
                                              reject["trail"][-1].get("reason"))
                for reject in summary["rejects"]}
