# SPDX-License-Identifier: Apache-2.0
"""The command line: help, completion, colours, the progress line, the schema, new plugins."""
import glob
import json
import os
import pty
import re
import select
import shutil
import subprocess
import textwrap
import time

import harness

COMMANDS = ["run", "check", "plugins", "help", "why", "runs", "report", "new", "test-plugin",
            "schema", "completion"]
KINDS = ["generator", "condition", "filter", "enhancer", "evaluator", "learner", "format"]


class Terminal:
    """Runs the program on a terminal of its own and keeps what it draws."""

    def __init__(self, words, folder, columns=200, env=None):
        master, slave = pty.openpty()
        subprocess.run(["stty", "cols", str(columns)], stdin=slave, check=True)
        clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        process = subprocess.Popen([harness.XYLEM, *words], cwd=folder, stdin=slave, stdout=slave,
                                   stderr=slave, env={**clean, "TERM": "xterm", **(env or {})})
        os.close(slave)
        drawn = b""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    part = os.read(master, 65536)
                except OSError:  # the other side is closed
                    break
                if not part:
                    break
                drawn += part
        os.close(master)
        self.code = process.wait(timeout=10)
        self.text = drawn.decode()


class CommandLine(harness.Case):
    def test_help_of_every_command(self):
        listed = self.xylem("--help").stdout
        for command in COMMANDS:
            self.assertIn(f"  {command} ", listed)
            said = self.xylem(command, "--help")
            self.assertTrue(said.stdout.startswith(f"usage: xylem {command}"), said.stdout)
            self.assertEqual(said.stderr, "")
            self.assertEqual(self.xylem(command, "-h").stdout, said.stdout)
            self.assertEqual(self.xylem("help", command).stdout, said.stdout)
            # Each flag of the completions is explained.
            for flag in re.findall(r"--[a-z-]+", self.completed(command)):
                self.assertIn(flag, said.stdout)
        self.assertRegex(self.xylem("--version").stdout,
                         r"^xylem \d+\.\d+\.\d+ \(plugin ABI 1\.\d+\)\n$")

    def completed(self, command):
        script = self.xylem("completion", "fish").stdout
        return " ".join(f"--{flag}" for flag in re.findall(
            rf"__fish_seen_subcommand_from {command}' -l (\S+)", script))

    def test_exit_codes_are_documented(self):
        said = self.xylem("help", "exit-codes").stdout
        self.assertEqual([line.split()[0] for line in said.splitlines()],
                         ["0", "1", "2", "3", "4", "5", "6", "71"])

    def test_every_stage_has_a_page(self):
        for stage in json.loads(self.xylem("plugins", "--json").stdout):
            page = self.xylem("help", stage["name"], "--markdown").stdout
            self.assertIn(f"# {stage['kind']} `{stage['name']}`", page)
            self.assertIn(stage["summary"], page)
        self.xylem("help", "--all", "pages")
        pages = os.listdir(self.path("pages"))
        self.assertIn("README.md", pages)
        index = self.read("pages/README.md").decode()
        for page in re.findall(r"\]\(([^)]+)\)", index):
            self.assertIn(page, pages)

    def test_completions_are_scripts(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.xylem("completion", shell).stdout
            for command in COMMANDS:
                self.assertIn(command, script)
            if shutil.which(shell):
                path = self.write(f"completion.{shell}", script)
                subprocess.run([shell, "-n", path], check=True)

    def test_bash_completes(self):
        self.write("completion.bash", self.xylem("completion", "bash").stdout)

        def completions(*words):
            line = " ".join(f'"{word}"' for word in words)
            script = (f"source completion.bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
                      f'_xylem; printf "%s\\n" "${{COMPREPLY[@]}}"')
            return subprocess.run(["bash", "-c", script], cwd=self.folder, check=True, text=True,
                                  capture_output=True).stdout.split()
        self.assertEqual(sorted(completions("xylem", "")),
                         sorted([*COMMANDS, "--help", "--version"]))
        self.assertEqual(completions("xylem", "ru"), ["run", "runs"])
        self.assertEqual(completions("xylem", "rep"), ["report"])
        self.assertIn("--set", completions("xylem", "run", "--"))
        self.write("my.yaml", "")
        self.assertEqual(completions("xylem", "run", "my"), ["my.yaml"])

    def test_colours_only_on_a_terminal(self):
        words = ["help", "length"]
        self.assertNotIn("\033", self.xylem(*words, env={"NO_COLOR": ""}).stdout)
        self.assertIn("\033[1m", Terminal(words, self.folder).text)
        self.assertNotIn("\033[1m", Terminal(words, self.folder, env={"NO_COLOR": "1"}).text)
        self.assertNotIn("\033[1m", Terminal(words, self.folder, env={"TERM": "dumb"}).text)
        wrong = Terminal(["run", "missing.yaml"], self.folder)
        self.assertIn("\033[31m", wrong.text)
        self.assertEqual(wrong.code, 2)


PIPELINE = """
xylem: 1
name: shown
models:
  t: {{ use: openai, base_url: "{url}", model: m, concurrency: 4,
        price: {{ input: 100, output: 100 }} }}
steps:
  - {{ use: grid, with: {{ n: [{numbers}] }} }}
  - {{ use: top, with: {{ order: first, share: 1 }} }}
  - {{ id: write, use: generate, prompt: "Number {{{{ n }}}}" }}
  - {{ use: length, with: {{ field: text, min: 10, unit: words }} }}
write: {{ path: out.jsonl }}
"""


class Progress(harness.Case):
    def pipeline(self, server, count=40):
        self.write("p.yaml", PIPELINE.format(url=server.url,
                                             numbers=", ".join(str(i) for i in range(count))))

    def test_line_on_a_terminal(self):
        with harness.Server("--latency-ms", "200") as server:
            self.pipeline(server)
            shown = Terminal(["run", "p.yaml"], self.folder)
        self.assertEqual(shown.code, 0, shown.text)
        lines = [line for line in shown.text.split("\r\033[K") if "in flight" in line]
        self.assertGreater(len(lines), 10)  # one each 0.1 s of 2 s
        self.assertTrue(all(len(line) < 200 for line in lines))
        middle = [line for line in lines if "4 calls in flight" in line]
        self.assertGreater(len(middle), 5, lines)
        for line in middle[3:]:
            self.assertRegex(line, r"^\w+  40 records, \d+ out, \d+ rejected  4 calls in flight  "
                                   r"\d+ tokens/s  cost \d+\.\d{4}  \d+\.\ds  ETA \d+(\.\d)?s")
        rates = [int(re.search(r"(\d+) tokens/s", line)[1]) for line in lines]
        self.assertGreater(max(rates), 50)  # 20 calls a second of about 20 tokens
        costs = [float(re.search(r"cost (\d+\.\d+)", line)[1]) for line in lines]
        self.assertEqual(costs, sorted(costs))
        # The line is gone before the closing table comes.
        table = shown.text.split("\r\033[K")[-1]
        self.assertNotIn("in flight", table)
        for word in ("step", "dropped", "model", "retries", "tokens in", "cost"):
            self.assertIn(word, table)

    def test_narrow_terminal(self):
        with harness.Server("--latency-ms", "200") as server:
            self.pipeline(server, 8)
            shown = Terminal(["run", "p.yaml"], self.folder, columns=40)
        for line in shown.text.split("\r\033[K")[1:-1]:
            self.assertLess(len(line), 40)

    def test_quiet_and_pipes(self):
        with harness.Server() as server:
            self.pipeline(server)
            done = self.xylem("run", "p.yaml")
            self.assertNotIn("\r", done.stderr)
            self.assertNotIn("\033", done.stderr + done.stdout)
            self.assertIn("40", done.stdout)
            done = self.xylem("run", "-q", "p.yaml")
            self.assertEqual((done.stdout, done.stderr), ("", ""))
            quiet = Terminal(["run", "-q", "p.yaml"], self.folder)
            self.assertEqual(quiet.text, "")

    def test_output_that_nobody_reads(self):
        """A closed pipe is no reason to lose a run."""
        with harness.Server() as server:
            self.pipeline(server)
            process = subprocess.Popen([harness.XYLEM, "run", "p.yaml"], cwd=self.folder,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            process.stdout.close()
            self.assertIn(process.wait(timeout=30), (0, 1))
        self.assertGreater(len(self.records("out.jsonl")), 0)


class Schema(harness.Case):
    def used(self, node):
        """The stages that a pipeline names, without their kind."""
        if isinstance(node, dict):
            if isinstance(node.get("use"), str):
                yield node["use"].split("/")[-1]
            node = list(node.values())
        for item in node if isinstance(node, list) else ():
            yield from self.used(item)

    def test_schema_fits_the_shipped_pipelines(self):
        try:
            import jsonschema
            import yaml
        except ImportError:
            self.skipTest("no jsonschema and yaml for Python here")
        schema = json.loads(self.xylem("schema").stdout)
        validator = jsonschema.Draft202012Validator
        validator.check_schema(schema)
        files = glob.glob(os.path.join(harness.ROOT, "pipelines", "*.yaml"))
        built = {stage["name"] for stage in json.loads(self.xylem("plugins", "--json").stdout)}
        for path in files:
            with open(path, encoding="utf-8") as file:
                pipeline = yaml.safe_load(file)
            lacking = set(self.used(pipeline)) - built - {"generate", "score", "embed"}
            if lacking:  # a plugin whose library is missing is left out of the build
                print(f"{os.path.basename(path)} not held against the schema: this build has no "
                      f"{', '.join(sorted(lacking))}")
                continue
            with self.subTest(path=os.path.basename(path)):
                errors = [error.message for error in validator(schema).iter_errors(pipeline)]
                self.assertEqual(errors, [])
        good = yaml.safe_load(textwrap.dedent("""
            xylem: 1
            steps: [{ use: grid, with: { n: [1, 2] } }]
            write: { path: out.jsonl }
            """))
        self.assertTrue(validator(schema).is_valid(good))
        self.assertFalse(validator(schema).is_valid({**good, "stepps": []}))
        self.assertFalse(validator(schema).is_valid({**good, "steps": [{"use": "gird"}]}))


class NewPlugin(harness.Case):
    def test_every_kind_builds_and_keeps_the_rules(self):
        if not shutil.which("cmake"):
            self.skipTest("no cmake")
        subprocess.run(["cmake", "--install", harness.BUILD, "--prefix", self.path("installed")],
                       check=True, capture_output=True)
        for kind in KINDS:
            with self.subTest(kind=kind):
                name = f"my_{kind}"
                self.assertIn(name, self.xylem("new", kind, name).stdout)
                for words in (["cmake", "-S", name, "-B", f"{name}/build",
                               f"-DCMAKE_PREFIX_PATH={self.path('installed')}"],
                              ["cmake", "--build", f"{name}/build"]):
                    done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                built = f"{name}/build/{name}.so"
                self.xylem("test-plugin", built)
                env = {"XYLEM_PLUGIN_PATH": self.path(name, "build")}
                listed = json.loads(self.xylem("plugins", "--json", env=env).stdout)
                self.assertIn((kind, name), {(stage["kind"], stage["name"]) for stage in listed})
                again = self.xylem("new", kind, name, code=2)
                self.assertIn("exists", again.stderr)


if __name__ == "__main__":
    harness.main()
