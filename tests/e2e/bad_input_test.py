# SPDX-License-Identifier: Apache-2.0
"""Bad files and command lines: each gets one line that says what and where, an exit code, and pays
nothing. And secrets: whatever happens, no byte that is written holds one."""
import http.server
import json
import os
import textwrap
import threading

import harness

GOOD = """\
xylem: 1
models: { t: { use: exec, command: [cat] } }
steps:
  - { use: grid, with: { n: [1, 2] } }
write: { path: out.jsonl }
"""
READ = GOOD.replace("grid, with: { n: [1, 2] }", "read, with: { path: seeds.jsonl }")
BOMB = "xylem: 1\nparams: {a0: &a0 [x,x,x,x,x,x,x,x,x,x]" + "".join(
    f", a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)) + "}\n"

# name of the file, its text (bytes or str), words after `run`, exit code, the one line.
FILES = [
    ("missing.yaml", None, [], 2,
     "error: missing.yaml: cannot be opened: No such file or directory"),
    ("folder.yaml", ..., [], 2, "error: folder.yaml: cannot be read: Is a directory"),
    ("empty.yaml", "", [], 2, "error: empty.yaml:1:1: the file is empty, expected a pipeline"),
    ("open.yaml", "xylem: 1\nsteps: [\n", [], 2,
     "error: open.yaml:3:1: invalid YAML: did not find expected node content"),
    ("tab.yaml", "xylem: 1\nsteps:\n\t- use: grid\n", [], 2,
     "error: tab.yaml:3:1: invalid YAML: found character that cannot start any token (a tab cannot "
     "indent; use spaces)"),
    ("bytes.yaml", b"\xff\xfe", [], 2,
     "error: bytes.yaml:1:1: text that is not UTF-8 (invalid leading UTF-8 octet)"),
    ("zero.yaml", b"a\0b", [], 2, "error: zero.yaml:1:2: control character 0x00 in the file"),
    ("bomb.yaml", BOMB, [], 2,
     "error: bomb.yaml:2:231: more than 100000 values after aliases are followed"),
    ("deep.yaml", "xylem: 1\nparams: { a: " + "[" * 500 + "]" * 500 + " }\n", [], 2,
     "error: deep.yaml:2:76: nested more than 64 levels deep"),
    ("key.yaml", GOOD + "modells: {}\n", [], 2,
     "error: key.yaml:6:1: the pipeline: unknown key `modells` (did you mean `models`?)"),
    ("twice.yaml", GOOD + "write: { path: b.jsonl }\n", [], 2,
     "error: twice.yaml:6:1: duplicate key `write`, given first on line 5"),
    ("stage.yaml", GOOD.replace("grid", "gird"), [], 2,
     "error: stage.yaml:4:12: unknown stage `gird` (did you mean `grid`?)"),
    ("env.yaml", GOOD.replace("[cat]", '["${NO_SUCH_VARIABLE}"]'), [], 2,
     "error: env.yaml:2:37: the environment variable NO_SUCH_VARIABLE is not set (export it, or "
     "write ${NO_SUCH_VARIABLE:-default})"),
    ("cycle.yaml", "xylem: 1\nsteps:\n  - { include: cycle.yaml }\n", [], 2,
     "error: cycle.yaml:3:16: `include`: `cycle.yaml` includes itself"),
    ("plugins.yaml", GOOD + "plugins: [nowhere]\n", [], 2,
     "error: plugins.yaml:6:11: `plugins`: `nowhere` cannot be read: No such file or directory"),
    ("nowrite.yaml", GOOD, ["--set", "write.path="], 2,
     "error: nowrite.yaml:5:8: `write` needs `path:`"),
    ("set.yaml", GOOD, ["--set", "steps.gird.with.n=3"], 2, "error: --set steps.gird.with.n: no "
     "item `gird` in the list: expected an `id:` or an index below 1"),
    ("set.yaml", GOOD, ["--set", "nothing"], 2, "error: --set: `nothing`: expected path=value"),
    ("set.yaml", GOOD, ["--set", "a.b.c=1"], 2,
     "error: --set a.b.c:1:1: the pipeline: unknown key `a` (known keys: xylem, name, seed, "
     "codebook, params, models, plugins, tools, budget, cache, steps, accept, write)"),
    ("set.yaml", GOOD, ["--set", "models.t.use=opnai"], 2,
     "error: --set models.t.use:1:1: model `t`: unknown generator `opnai` (did you mean "
     "`openai`?)"),
]

# seeds.jsonl, exit code, the one line ({folder} is the test's).
SEEDS = [
    (None, 2, "error: read.yaml:4:32: `seeds.jsonl` cannot be read: No such file or directory"),
    ("", 1, "error: step `read` made no records: its input is empty, or its options leave nothing"),
    ("\n\n", 1,
     "error: step `read` made no records: its input is empty, or its options leave nothing"),
    ('{"a":1}\n\n{"a":2\n', 1, "error: step `read`: {folder}/seeds.jsonl:3: this line is not valid "
     "JSON (one object a line)"),
    ("[1]\n", 1, "error: step `read`: {folder}/seeds.jsonl:1: expected a JSON object, found "
     "another JSON value"),
    (b'{"a":"\xff"}\n', 1, "error: step `read`: {folder}/seeds.jsonl:1: this line is not valid "
     "JSON (one object a line)"),
]

# words, exit code, the first line.
LINES = [
    ([], 2, "usage: xylem COMMAND [options] ..."),
    (["rnu"], 2, "xylem: there is no command `rnu`; did you mean `run`?"),
    (["zzzzzz"], 2, "xylem: there is no command `zzzzzz`"),
    (["run"], 2, "xylem run: FILE is missing"),
    (["run", "a", "b"], 2, "xylem run: unexpected `b`"),
    (["run", "a", "--sett=x"], 2, "xylem run: there is no option `--sett`; did you mean `--set`?"),
    (["run", "a", "-x"], 2, "xylem run: there is no option `-x`"),
    (["run", "a", "--set"], 2, "xylem run: `--set` needs a value: --set PATH=VALUE"),
    (["run", "a", "--runs", ""], 2, "xylem run: `--runs` needs a value: --runs DIR"),
    (["run", "a", "--quiet=1"], 2, "xylem run: `--quiet` takes no value"),
    (["why"], 2, "xylem why: ID is missing"),
    (["why", "xyz"], 2, "xylem why: `xyz` is no record id: 16 hexadecimal digits, as in the "
     "rejects file or in an output's `_id`"),
    (["help", "gird"], 2, "xylem help: there is no plugin or command `gird`; did you mean `grid`?"),
    (["new", "filtre", "x"], 2, "xylem new: there is no kind `filtre`; did you mean `filter`?"),
    (["new", "filter"], 2, "xylem new: KIND NAME is missing"),
    (["plugins", "--kind", "filtr"], 2,
     "xylem plugins: there is no kind `filtr`; did you mean `filter`?"),
    (["completion", "tcsh"], 2, "xylem completion: no completion for `tcsh`: bash, zsh or fish"),
]


class Bad(harness.Case):
    def held(self, done, code, line):
        self.assertEqual(done.stderr, line + "\n")
        self.assertEqual(done.returncode, code)
        self.assertEqual(done.stdout, "")

    def put(self, name, text):
        if text is None:
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        elif text is ...:
            os.mkdir(self.path(name))
        else:
            with open(self.path(name), "wb") as file:
                file.write(text if isinstance(text, bytes) else text.encode())

    def test_files(self):
        for name, text, words, code, line in FILES:
            with self.subTest(name=name, words=words):
                self.put(name, text)
                self.held(self.xylem("run", name, *words, code=None), code, line)
                self.held(self.xylem("check", name, *words, code=None), code, line)
                self.assertFalse(os.path.exists(self.path(".xylem")))

    def test_a_file_is_read_only_while_it_is_small(self):
        self.put("large.yaml", "xylem: 1\n" + "# comment\n" * 4000000)
        done = self.xylem("run", "large.yaml", code=2)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("large.yaml", done.stderr)

    def test_seeds(self):
        self.put("read.yaml", READ)
        for number, (text, code, line) in enumerate(SEEDS):
            with self.subTest(text=text):
                self.put("seeds.jsonl", text)
                # A folder for each: a run whose seeds have changed says so first.
                done = self.xylem("run", "-q", "read.yaml", "--runs", f"runs{number}", code=None)
                self.held(done, code, line.format(folder=self.folder))
                self.assertFalse(os.path.exists(self.path("out.jsonl")))

    def test_command_lines(self):
        self.put("a", GOOD)
        for words, code, line in LINES:
            with self.subTest(words=words):
                done = self.xylem(*words, code=code)
                self.assertEqual(done.stderr.splitlines()[0], line)
                self.assertEqual(done.stdout, "")
        self.assertEqual(os.listdir(self.folder), ["a"])

    def test_every_error_of_a_file_is_told_at_once(self):
        self.put("many.yaml", GOOD.replace("grid", "gird") + "modells: {}\nsead: 1\n")
        done = self.xylem("check", "many.yaml", code=2)
        self.assertEqual(len(done.stderr.splitlines()), 3, done.stderr)


SECRET = "sk-verysecret-0123456789abcdef"


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers as a careless server does: with what it was sent, the key included."""
    protocol_version = "HTTP/1.1"
    status = 400

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.refuse()

    def refuse(self):
        key = self.headers["Authorization"]
        body = json.dumps({"error": {"message": f"Incorrect API key provided: {key}. Header was "
                                                f"{dict(self.headers)}"}}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Key", key)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Secrets(harness.Case):
    PIPELINE = """
        xylem: 1
        name: secrets
        models:
          t: {{ use: openai, base_url: "{url}", model: m, api_key: "${{THE_KEY}}", attempts: 2 }}
        steps:
          - {{ use: grid, with: {{ n: [{numbers}] }} }}
          - {{ use: generate, prompt: "{{{{ n }}}}" }}
        write: {{ path: out.jsonl, rejects: rejects.jsonl }}
        """

    def pipeline(self, url, count=3):
        numbers = ", ".join(str(i) for i in range(count))
        self.write("p.yaml", textwrap.dedent(self.PIPELINE.format(url=url, numbers=numbers)))

    def no_byte_has_it(self, *outputs):
        for text in outputs:
            self.assertNotIn(SECRET, text)
        seen = 0
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(SECRET.encode(), file.read(), name)
                seen += 1
        return seen

    def run_it(self, code, *words):
        done = self.xylem("run", "-v", "p.yaml", *words, code=code, env={"THE_KEY": SECRET})
        self.no_byte_has_it(done.stdout, done.stderr)
        return done

    def test_a_good_run(self):
        with harness.Server("--require-key", SECRET) as server:
            self.pipeline(server.url)
            self.run_it(0)
            self.assertEqual(server.stats()["requests"], 3)
            self.assertGreaterEqual(self.no_byte_has_it(), 6)
            for words in (["check", "p.yaml"], ["check", "p.yaml", "--json"], ["runs"],
                          ["run", "p.yaml", "--json"]):
                done = self.xylem(*words, env={"THE_KEY": SECRET})
                self.no_byte_has_it(done.stdout, done.stderr)

    def test_another_key_is_the_same_request(self):
        with harness.Server() as server:
            self.pipeline(server.url)
            self.run_it(0)
            self.xylem("run", "-q", "p.yaml", env={"THE_KEY": "another"})
            self.assertEqual(server.stats()["requests"], 3)

    def test_a_server_that_echoes_the_key(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        server.status = 400
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            self.pipeline(f"http://127.0.0.1:{server.server_port}/v1")
            for status, said in ((400, "Incorrect API key provided"), (500, "Incorrect API key"),
                                 (401, "the key was not accepted"), (403, "403")):
                server.status = status
                self.assertIn(said, self.run_it(1).stderr)
        finally:
            server.shutdown()
            server.server_close()

    def test_rejects_do_not_hold_it(self):
        """Most requests are answered well: the run goes on, the refusals become rejects."""
        class Half(Echo):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if body["messages"][-1]["content"] in ("1", "3"):
                    self.refuse()
                    return
                answer = json.dumps({"choices": [{"message": {"content": "yes"}}]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Half)
        server.status = 422
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            self.pipeline(f"http://127.0.0.1:{server.server_port}/v1", count=5)
            self.run_it(0)
        finally:
            server.shutdown()
            server.server_close()
        rejects = self.records("rejects.jsonl")
        self.assertEqual([record["fields"]["n"] for record in rejects], [1, 3])
        self.assertIn("Incorrect API key provided", rejects[0]["trail"][-1]["reason"])
        self.no_byte_has_it(self.xylem("why", rejects[0]["id"]).stdout)

    def test_a_wrong_file_with_a_key_in_it(self):
        self.pipeline("not a url")
        text = self.read("p.yaml").decode()
        wrong = [text.replace("attempts: 2", "attempts: ${THE_KEY}"),
                 text.replace("api_key:", "api_kee:"),
                 text.replace('"${THE_KEY}"', '{ a: "${THE_KEY}" }'),
                 text.replace("use: openai", 'use: "${THE_KEY}"'),
                 text.replace("prompt:", 'model: "${THE_KEY}", prompt:')]
        for place in wrong:
            self.assertNotEqual(place, text)
            self.write("p.yaml", place)
            with self.subTest(place=place):
                self.run_it(2)
                done = self.xylem("check", "p.yaml", "--json", code=2, env={"THE_KEY": SECRET})
                self.no_byte_has_it(done.stdout, done.stderr)

    def test_a_set_on_the_command_line(self):
        with harness.Server("--require-key", SECRET) as server:
            self.pipeline(server.url)
            self.run_it(0, "--set", "models.t.api_key=${THE_KEY}")
            self.run_it(0, "--set", f"models.t.api_key={SECRET}")


if __name__ == "__main__":
    harness.main()
