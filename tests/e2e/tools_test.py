# SPDX-License-Identifier: Apache-2.0
"""Tools from a pipeline file to the written conversation, with a scripted model."""
import json
import os
import socket
import sys
import time

import harness

# A model in a few lines: a rule for the last user message, a default for the rest. What it was
# asked is appended to the log.
MODEL = r'''
import json, sys
rules = json.loads(sys.argv[1])
for line in sys.stdin:
    request = json.loads(line)
    last = request["messages"][-1]["content"]
    with open(sys.argv[2], "a") as log:
        log.write(json.dumps(request) + "\n")
    text = next((text for start, text in rules if last.startswith(start)), "no rule: " + last)
    text = text if isinstance(text, str) else json.dumps(text)
    print(json.dumps({"id": request["id"], "text": text}), flush=True)
'''


def call(expression, tool="calc"):
    return {"tool": tool, "arguments": {"expression": expression}}


class Tools(harness.Case):
    CODE = "{ use: code, with: { isolation: none, timeout: %s }%s }"

    def pipeline(self, rules, step="", tools="calc: { use: calculator }", head=""):
        self.write("model.py", MODEL)
        command = json.dumps([sys.executable, "model.py", json.dumps(rules), "log.jsonl"])
        return self.write("p.yaml", f"""xylem: 1
name: tools
{head}
models:
  m: {{ use: exec, command: {json.dumps(json.loads(command))} }}
tools:
  {tools}
steps:
  - {{ use: grid, with: {{ question: [What is 17 * 23?] }} }}
  - use: generate
    tools: [calc]
    prompt: {{ system: You count., user: "{{{{ question }}}}" }}
    {step}
write: {{ path: out.jsonl, rejects: rejects.jsonl }}
""")

    def asked(self):
        return [json.loads(line) for line in self.read("log.jsonl").splitlines()]

    def test_call_and_answer(self):
        self.pipeline([["What", call("17 * 23")], ["Result of calc: 391", {"answer": {"n": 391}}]],
                      "output: { fields: { n: integer }, finish: ended }\n"
                      "    conversation: messages")
        self.xylem("run", "p.yaml")
        record = self.records("out.jsonl")[0]
        self.assertEqual(record["n"], 391)
        self.assertIn("ended", record)
        self.assertEqual(record["tool_calls"], [{"tool": "calc", "arguments":
                         {"expression": "17 * 23"}, "result": 391, "error": None}])
        messages = record["messages"]
        self.assertEqual([m["role"] for m in messages],
                         ["system", "user", "assistant", "tool", "assistant"])
        self.assertEqual(messages[0]["content"], "You count.")
        function = messages[2]["tool_calls"][0]
        self.assertEqual(json.loads(function["function"]["arguments"]), {"expression": "17 * 23"})
        self.assertEqual(function["id"], messages[3]["tool_call_id"])
        self.assertEqual(json.loads(messages[4]["content"]), {"n": 391})
        self.assertEqual(record["tools"][0]["function"]["name"], "calc")
        first, second = self.asked()
        self.assertIn("You count.\n\nYou can call tools.", first["messages"][0]["content"])
        self.assertEqual(second["messages"][2:],
                         [{"role": "assistant", "content": json.dumps(call("17 * 23"))},
                          {"role": "user", "content": "Result of calc: 391"}])

    def test_chat_export(self):
        path = self.pipeline([["What", call("1+1")], ["Result", {"answer": "two"}]],
                             "conversation: messages")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.write("p.yaml", text[:text.index("write:")] +
                   "write: { path: out.jsonl, format: chat, "
                   "with: { messages: messages, keep: [tools] } }\n")
        self.xylem("run", "p.yaml")
        line = self.records("out.jsonl")[0]
        self.assertEqual(sorted(line), ["messages", "tools"])
        self.assertEqual(line["messages"][-1], {"role": "assistant", "content": "two"})

    def test_bad_calls_are_told(self):
        self.pipeline([["What", call("1", "calk")],
                       ["calk failed: there is no tool `calk`. The tools are: calc.",
                        {"tool": "calc", "arguments": {"text": "1"}}],
                       ["calc failed: the arguments do not fit: ", call("1 / 0")],
                       ["calc failed: division by zero", "I think it is 1."],
                       ["That answer cannot be used: the answer holds no JSON", {"tool": 5}],
                       ["That answer cannot be used: `tool` is no text", {"answer": "none"}]],
                      "conversation: messages\n    output: answer")
        self.xylem("run", "p.yaml")
        record = self.records("out.jsonl")[0]
        self.assertEqual(record["answer"], "none")
        self.assertEqual([c["tool"] for c in record["tool_calls"]], ["calk", "calc", "calc"])
        self.assertTrue(all(c["result"] is None and c["error"] for c in record["tool_calls"]))
        # Only the call that reached its tool is worth learning from.
        self.assertEqual([m["role"] for m in record["messages"]],
                         ["system", "user", "assistant", "tool", "assistant"])

    def test_never_stops_calling(self):
        self.pipeline([["", call("1 + 1")]], "tool_rounds: 3")
        self.xylem("run", "p.yaml")
        self.assertEqual(self.records("out.jsonl"), [])
        reject = self.records("rejects.jsonl")[0]
        self.assertIn("no answer after 3 calls of tools (`tool_rounds`)", json.dumps(reject))
        said = [request["messages"][-1]["content"] for request in self.asked()]
        self.assertEqual(said[1:], ["Result of calc: 2"] * 2 +
                         ["Result of calc: 2\nNo more calls are possible: give the answer."])

    def test_never_makes_sense(self):
        self.pipeline([["", "{}"]])
        self.xylem("run", "p.yaml")
        self.assertIn("it has neither `tool` nor `answer`", self.read("rejects.jsonl").decode())
        self.assertEqual(len(self.asked()), 3)  # the first, and two more

    def test_answer_breaks_its_schema(self):
        self.pipeline([["What", {"answer": {"n": "many"}}],
                       ["That answer cannot be used: $.n", {"answer": {"n": 5}}]],
                      "output: { fields: { n: integer } }")
        self.xylem("run", "p.yaml")
        self.assertEqual(self.records("out.jsonl")[0]["n"], 5)

    def test_resume_pays_nothing(self):
        self.pipeline([["What", call("17 * 23")], ["Result", {"answer": "391"}]])
        self.xylem("run", "p.yaml")
        first = self.read("out.jsonl")
        os.remove(self.path("out.jsonl"))
        self.xylem("run", "p.yaml")
        self.assertEqual(self.read("out.jsonl"), first)
        self.assertEqual(len(self.asked()), 2)

    def test_tools_that_hang_are_bounded(self):
        """By the tool's own limit, and by the host's; the model is told, and the run ends."""
        listener = socket.create_server(("127.0.0.1", 0))  # takes connections, answers nothing
        self.addCleanup(listener.close)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        loop = {"tool": "calc", "arguments": {"code": "while True: pass"}}
        for tools, arguments, why in [
                ("calc: " + self.CODE % ("300ms", ""), loop, "calc failed: no end within 0.3 s"),
                ("calc: " + self.CODE % ("30", ", timeout: 300ms"), loop,
                 "calc failed: no result within 0.3 s"),
                ("calc: { use: http_request, with: { base_url: '%s', timeout: 300ms } }" % url,
                 {"tool": "calc", "arguments": {"url": "/x", "body": ""}}, "calc failed: ")]:
            self.pipeline([["What", arguments], [why, {"answer": "no"}]], tools=tools,
                          step="output: answer")
            started = time.monotonic()
            self.xylem("run", "--fresh", "p.yaml", timeout=60)
            self.assertLess(time.monotonic() - started, 10)
            self.assertEqual(self.records("out.jsonl")[0]["answer"], "no", tools)

    def test_long_results_are_cut(self):
        loud = {"tool": "calc", "arguments": {"code": "print('\u00e9' * 10000)"}}
        self.pipeline([["What", loud], ["Result of calc: ", {"answer": "long"}]],
                      tools="calc: { use: code, with: { isolation: none } }", step="output: answer")
        self.xylem("run", "p.yaml")
        result = self.records("out.jsonl")[0]["tool_calls"][0]["result"]
        self.assertRegex(result, r"\u00e9 \[cut: 1638[34] of 20\d\d\d bytes\]$")
        self.assertTrue(self.asked()[1]["messages"][-1]["content"].endswith(result))

    def test_no_sandbox_no_run(self):
        self.pipeline([["What", {"answer": "no"}]], tools="calc: { use: code }")
        done = self.xylem("run", "p.yaml", code=1, env={"PATH": os.path.dirname(sys.executable)})
        self.assertIn("no sandbox, so no program is run", done.stderr)
        self.assertFalse(os.path.exists(self.path("log.jsonl")))  # and nothing was paid

    def test_check(self):
        self.pipeline([])
        self.assertIn("About 2 calls", self.xylem("check", "p.yaml").stdout)
        self.pipeline([], step="expect_calls: 5")
        self.assertIn("About 5 calls", self.xylem("check", "p.yaml").stdout)
        self.pipeline([], tools="calk: { use: calculator }")
        done = self.xylem("check", "p.yaml", code=2)
        self.assertIn("unknown tool `calc` (did you mean `calk`?)", done.stdout + done.stderr)
        self.pipeline([], tools="calc: { use: words, with: { path: x } }")
        done = self.xylem("check", "p.yaml", code=2)
        self.assertIn("tool `calc`: `words` is a condition and no tool", done.stdout + done.stderr)


if __name__ == "__main__":
    harness.main()
