# SPDX-License-Identifier: Apache-2.0
"""Knowledge graphs: what walks cover, counted again from the records; a real SPARQL server
(oxigraph, from tests/requirements.txt) beside the graph in memory; an endpoint that fails."""
import collections
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]
import harness
import scripted

GRAPH = os.path.join(harness.ROOT, "examples", "data", "solar_system.ttl")
GOLDEN = os.path.join(harness.ROOT, "tests", "golden")
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
OXIGRAPH = shutil.which("oxigraph") or shutil.which("oxigraph",
                                                    path=os.path.dirname(sys.executable))
MISSING = "skipped: there is no oxigraph (pip install -r tests/requirements.txt)"


def entropy(counts):
    total = sum(counts.values())
    return -sum(n / total * math.log2(n / total) for n in counts.values())


class Pipeline(harness.Case):
    def run_steps(self, steps, models="", code=0, name="t"):
        """A pipeline of these steps, run; its records and its summary."""
        self.write(f"{name}.yaml", f"xylem: 1\nname: {name}\n{models}steps:\n{steps}"
                                   f"write: {{ path: {name}.jsonl }}\n")
        done = self.xylem("run", "-q", "--json", f"{name}.yaml", code=code)
        self.said = done.stderr
        return (self.records(f"{name}.jsonl") if code == 0 else [],
                json.loads(done.stdout) if done.stdout else {})

    def scores(self, summary, step):
        return {score["name"]: score["value"] for score in summary["report"]["scores"]
                if score["step"] == step}


class Coverage(Pipeline):
    """Triples counted from the written records alone."""

    def count(self, records):
        relations, entities = collections.Counter(), set()
        for record in records:
            for triple in record["ids"]:
                relations[triple["relation"]] += 1
                entities |= {triple["subject"], triple["object"]}
        return relations, {entity for entity in entities if entity.startswith("http")}

    def test_walks_against_uniform_triples(self):
        records, summary = self.run_steps(
            f"  - {{ id: walk, use: triples.walk, with: {{ path: {GRAPH}, count: 40, least: 3, "
            "most: 3, ids: ids } }\n"
            f"  - {{ id: all, use: triples.coverage, with: {{ path: {GRAPH} }} }}\n")
        relations, entities = self.count(records)
        self.assertEqual(sum(relations.values()), 120)
        uniform, _ = self.run_steps(
            f"  - {{ id: s, use: triples.sample, with: {{ path: {GRAPH}, count: 40, n: 3, "
            "ids: ids } }\n", name="uniform")
        plain, _ = self.count(uniform)
        print(f"\nentropy of relations in 120 triples: uniform {entropy(plain):.3f}, "
              f"walks {entropy(relations):.3f} bits")
        self.assertGreater(entropy(relations), entropy(plain))
        for step in ("walk", "all"):  # what was drawn, and the evaluator's count by names
            scores = self.scores(summary, step)
            self.assertAlmostEqual(scores["relation_entropy"], entropy(relations), places=9)
            self.assertEqual(scores["triples"], 120)
            self.assertAlmostEqual(scores["relations_covered"], len(relations) / RELATIONS)
        # How many there are of each, the server counts too: Server.test_all_triples_in_pages.
        self.assertAlmostEqual(self.scores(summary, "walk")["entities_covered"],
                               len(entities) / ENTITIES)

    def test_the_same_walks_again(self):
        step = (f"  - {{ id: walk, use: triples.walk, with: {{ path: {GRAPH}, count: 300 }} }}\n")
        first, _ = self.run_steps(step, name="one")
        second, _ = self.run_steps(step, name="two")
        self.assertEqual(first, second)
        self.assertEqual(len(first), 300)

    def test_bad_graphs(self):
        for name, text, said in (
                ("bad.nt", "<http://e/a> <http://e/b> <http://e/c> .\n<a:a> <a:b> .\n",
                 "bad.nt:2: this is no triple"),
                ("empty.ttl", "@prefix a: <http://a/> .\n", "is empty: it has no triples")):
            self.write(name, text)
            self.run_steps(f"  - {{ use: triples.walk, with: {{ path: {name}, count: 3 }} }}\n",
                           code=1)
            self.assertIn(said, self.said)


def graph_lines():
    """Subject, class and label of the graph's terms, by the shape of its lines alone."""
    terms = {}
    with open(GRAPH, encoding="utf-8") as file:
        for line in file:
            found = re.match(r':(\w+) a :(\w+) ; rdfs:label "([^"]+)"@en', line)
            if found:
                terms[found[3]] = found[2]
    return terms


class Recipes(scripted.Case):
    """Recipes with a model of the test's own: what it is asked, and what is drawn."""

    STYLES = ["a field guide", "a news report", "a diary entry", "a museum label"]

    def test_clingen(self):
        """Each topic is of its class, and topics and styles are drawn evenly."""
        summary = self.recipe("clingen", f"""
STYLES = {self.STYLES}
def answer(prompt, system, number):
    if prompt.startswith("List"):
        return json.dumps({{"items": STYLES}})
    topic = re.search("It is about (.*), and it is written like: (.*)[.]", prompt)
    return json.dumps({{"text": "Sentence %d tells of %s." % (number, topic[1])}})
""", "params.count=400")
        records = summary["data"]
        classes = {"Planet": "planet", "DwarfPlanet": "planet", "Moon": "moon",
                   "Spacecraft": "spacecraft", "Astronomer": "astronomer"}
        terms = {name: classes[kind] for name, kind in graph_lines().items()}
        self.assertEqual(len(records), 400)
        for label in ("planet", "moon", "spacecraft", "astronomer"):
            topics = [name for name, kind in terms.items() if kind == label]
            drawn = collections.Counter(r["topic"] for r in records if r["label"] == label)
            self.assertEqual(sum(drawn.values()), 100)
            self.assertEqual(sorted(set(drawn)), sorted(topics))  # missed once in 1,000 seeds
            self.check_even(drawn, len(topics))
        self.check_even(collections.Counter(r["style"] for r in records), 4)
        # Demonstrations are of the class that is asked for, and not always in one order.
        with open(os.path.join(harness.ROOT, "examples", "data", "clingen_seeds.jsonl"),
                  encoding="utf-8") as file:
            seeds = {seed["text"]: seed["label"] for seed in map(json.loads, file)}
        orders = collections.defaultdict(set)
        for asked in summary["asked"][1:]:
            shown = re.findall("^- (.*)$", asked["prompt"], re.M)
            self.assertEqual(len(shown), 2)
            self.assertEqual(len({seeds[text] for text in shown}), 1)
            orders[seeds[shown[0]]].add(tuple(shown))
        self.assertTrue(all(len(order) == 6 for order in orders.values()))  # 2 of 3, in order

    def check_even(self, counts, kinds):
        """Pearson's statistic below a bound that it passes once in 10,000 draws (Wilson and
        Hilferty's approximation of chi-square)."""
        mean = sum(counts.values()) / kinds
        statistic = sum((n - mean) ** 2 / mean for n in counts.values())
        free = kinds - 1
        bound = free * (1 - 2 / (9 * free) + 3.719 * math.sqrt(2 / (9 * free))) ** 3
        self.assertLess(statistic, bound, counts)

    def test_clingen_nli(self):
        """The second step is given the first one's sentence and what the label means."""
        summary = self.recipe("clingen_nli", """
def answer(prompt, system, number):
    topic = re.search("sentence about (.*), as in", prompt)
    if topic:
        return json.dumps({"premise": "The book tells of %s at length." % topic[1]})
    return json.dumps({"hypothesis": "Second sentence, number %d." % number})
""", "params.count=6")
        second = [a["prompt"] for a in summary["asked"] if a["prompt"].startswith("First")]
        for record in summary["data"]:
            prompt = next(a["prompt"] for a in summary["asked"]
                          if record["hypothesis"] in a["text"])
            self.assertIn(f"First sentence: {record['premise']}\n", prompt)
            self.assertIn({"entailment": "must be true", "neutral": "may be true or false",
                           "contradiction": "cannot be true"}[record["label"]], prompt)
        self.assertTrue(second)
        labels = collections.Counter(r["label"] for r in summary["data"])
        self.assertEqual(len(set(labels.values())), 1)

    def test_knowledge_enhanced(self):
        """The neighbourhood is in the prompt, bounded; what it does not support is dropped."""
        summary = self.recipe("knowledge_enhanced", """
def answer(prompt, system, number):
    facts = [re.split("; ", line[1:-1]) for line in prompt.splitlines() if line[:1] == "("]
    subject, relation, thing = facts[number % len(facts)]
    if number % 3 == 2:
        thing = "Alpha Centauri"
    return json.dumps({"question": "What is it, in case %d?" % number, "subject": subject,
                       "relation": relation, "object": thing,
                       "text": "It is known of %s and %s." % (subject, thing)})
""", "params.count=30", "params.facts=4")
        self.assertTrue(summary["asked"])
        for asked in summary["asked"]:
            facts = [line for line in asked["prompt"].splitlines() if line.startswith("(")]
            entity = re.match("Facts about (.*):", asked["prompt"])[1]
            self.assertTrue(1 <= len(facts) <= 4)
            self.assertTrue(all(entity in re.split("[(;)] ?", fact) for fact in facts), facts)
        reasons = [reject["trail"][-1]["reason"] for reject in summary["rejects"]]
        self.assertTrue(any("Alpha Centauri) is not among the given" in r for r in reasons))
        for record in summary["data"]:
            self.assertNotIn("Alpha Centauri", record["text"])

    def test_synthie(self):
        """A text that says all and nothing more is kept; one that leaves out or adds is not."""
        summary = self.recipe("synthie", """
def answer(prompt, system, number):
    facts = [line[1:-1].split("; ") for line in prompt.splitlines() if line[:1] == "("]
    said = facts[1:] if number % 4 == 1 else facts
    text = "Number %d. " % number + " ".join(" ".join(fact) + "." for fact in said)
    return text + " So does Hanover." * (number % 4 == 2) or "."
""", "params.count=80", "params.most=3")
        steps = collections.Counter(r["trail"][-1]["step"] for r in summary["rejects"])
        self.assertEqual(set(steps), {"all_named", "nothing_else"})
        scores = {(s["step"], s["name"]): s["value"] for s in summary["report"]["scores"]}
        relations = collections.Counter(t["relation"] for r in summary["data"]
                                        for t in r["triples"])
        self.assertAlmostEqual(scores["coverage", "relation_entropy"], entropy(relations),
                               places=9)
        self.assertEqual(scores["coverage", "triples"], sum(relations.values()))
        for record in summary["data"]:
            for triple in record["triples"]:
                self.assertIn(triple["subject"], record["text"])
                self.assertIn(triple["object"], record["text"])


# Of the example graph: 71 subjects and objects that are IRIs, classes among them.
RELATIONS, ENTITIES = 12, 71


@unittest.skipUnless(OXIGRAPH, MISSING)
class Server(Pipeline):
    """The same questions to a SPARQL server and to the graph in memory."""

    @classmethod
    def setUpClass(cls):
        cls.process = None
        for port in range(17878, 17898):
            cls.process = subprocess.Popen([OXIGRAPH, "serve", "--bind", f"127.0.0.1:{port}"],
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            cls.base = f"http://127.0.0.1:{port}"
            for _ in range(100):
                time.sleep(0.05)
                if cls.process.poll() is not None:
                    break  # the port is taken
                try:
                    urllib.request.urlopen(f"{cls.base}/query?query=ASK%7B%7D", timeout=5).read()
                    cls.load()
                    return
                except urllib.error.URLError:
                    continue
            cls.process.kill()
            cls.process.wait()
        raise RuntimeError("no SPARQL server started")

    @classmethod
    def load(cls):
        with open(GRAPH, "rb") as file:
            request = urllib.request.Request(f"{cls.base}/store?default", data=file.read(),
                                             headers={"Content-Type": "text/turtle"})
        urllib.request.urlopen(request, timeout=10).read()

    @classmethod
    def tearDownClass(cls):
        cls.process.kill()
        cls.process.wait()

    def models(self, more=""):
        return f"models:\n  kg: {{ use: sparql, endpoint: '{self.base}/query'{more} }}\n"

    def query(self, query, more="", **words):
        text = json.dumps(query)
        return self.run_steps(f"  - {{ use: sparql, with: {{ endpoint: kg, query: {text}{more} }} "
                              "}\n", self.models(), **words)

    def test_all_triples_in_pages(self):
        rows, summary = self.query(
            f"SELECT ?s ?p ?o {{ ?s ?p ?o FILTER(?p != <{LABEL}> && ?p != <{ALIAS}>) }} "
            "ORDER BY ?s ?p ?o", ", page: 50")
        embedded, _ = self.run_steps(
            f"  - {{ use: triples.sample, with: {{ path: {GRAPH}, n: 1000, count: 1, ids: ids }} "
            "}\n", name="embedded")
        here = {(t["subject"], t["relation"], t["object"]) for t in embedded[0]["ids"]}
        there = {(row["s"], row["p"], str(row["o"])) for row in rows}
        self.assertEqual(here, there)
        self.assertEqual(len(rows), len(there))
        self.assertEqual(summary["models"][0]["calls"], len(rows) // 50 + 1)
        years = [row["o"] for row in rows if row["p"].endswith("launchedIn")]
        self.assertTrue(years and all(isinstance(year, int) for year in years))
        # What Coverage takes for granted of the graph.
        entities = {row["s"] for row in rows} | \
                   {row["o"] for row in rows if str(row["o"]).startswith("http")}
        self.assertEqual(len(entities), ENTITIES)
        self.assertEqual(len({row["p"] for row in rows}), RELATIONS)

    def test_neighbours(self):
        rows, _ = self.query("SELECT DISTINCT ?entity { ?entity ?p ?o ; a ?c } ORDER BY ?entity",
                             name="entities")
        steps = ("  - { use: read, with: { path: entities.jsonl } }\n"
                 f"  - {{ use: triples.neighbours, with: {{ path: {GRAPH}, most: 1000, ids: ids }} "
                 "}\n"
                 "  - use: sparql\n    with:\n      endpoint: kg\n      into: rows\n"
                 "      query: |\n"
                 "        SELECT ?s ?p ?o { { ?s ?p ?o } FILTER(?s = <{{ entity }}> || "
                 f"?o = <{{{{ entity }}}}>) FILTER(?p != <{LABEL}> && ?p != <{ALIAS}>) }}\n")
        records, _ = self.run_steps(steps, self.models())
        self.assertEqual(len(records), len(rows))
        for record in records:
            here = {(t["subject"], t["relation"], t["object"]) for t in record["ids"]}
            there = {(row["s"], row["p"], str(row["o"])) for row in record["rows"]}
            self.assertEqual(here, there, record["entity"])

    def test_topics(self):
        rows, _ = self.query(
            "PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> "
            "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> SELECT ?topic "
            "{ <http://example.org/solar/Planet> ^rdfs:subClassOf*/^rdf:type ?topic }")
        topics, _ = self.run_steps(
            f"  - {{ use: triples.topics, with: {{ path: {GRAPH}, classes: {{ p: ':Planet' }}, "
            "along: ['^rdfs:subClassOf*', '^rdf:type'], id: id } }\n", name="topics")
        self.assertEqual(sorted(row["topic"] for row in rows), sorted(t["id"] for t in topics))
        self.assertEqual(len(topics), 10)

    def test_kg_questions(self):
        """The recipe on the server writes what it wrote from the server's recorded answers."""
        answers = os.path.join(GOLDEN, "kg_questions", "answers.jsonl")
        recipe = os.path.join(harness.ROOT, "pipelines", "kg_questions.yaml")
        words = ["run", "-q", "--json", "--runs", self.path("runs"), recipe,
                 "--set", f"models.teacher={{ use: replay, file: {answers} }}",
                 "--set", f"write.path={self.path('data.jsonl')}",
                 "--set", f"write.rejects={self.path('rejects.jsonl')}"]
        env = {"KG_ENDPOINT": f"{self.base}/query"}
        calls = json.loads(self.xylem(*words, env=env).stdout)["models"]
        with open(os.path.join(GOLDEN, "kg_questions", "expected.jsonl"), "rb") as file:
            self.assertEqual(self.read("data.jsonl"), file.read())
        self.assertEqual([m["calls"] for m in calls if m["alias"] == "kg"], [4])
        # Again: every row comes from the journal, as every answer of the model does.
        calls = json.loads(self.xylem(*words, env=env).stdout)["models"]
        self.assertEqual([m["calls"] for m in calls if m["alias"] == "kg"], [0])
        self.assertEqual([m["cached"] for m in calls if m["alias"] == "kg"], [4])

    def test_a_wrong_query(self):
        self.query("SELECT ?s { ?s ?p }", code=1)
        self.assertIn(f"{self.base}/query: HTTP 400, \"error at 1:", self.said)
        self.assertIn("check the query", self.said)

    def test_zz_a_timeout(self):
        """Last by its name: the server goes on computing what nobody waits for."""
        self.run_steps("  - use: sparql\n    with:\n      endpoint: kg\n      timeout: 300ms\n"
                       "      query: SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . "
                       "?j ?k ?l }\n", self.models(", attempts: 2"), code=1)
        self.assertIn(f"{self.base}/query: no answer within 0.3 s, the `timeout`", self.said)


class Faults(Pipeline):
    """The test server's table of 25 rows, through every failure that an endpoint can have."""

    def ask(self, server, query, more="", code=0):
        models = ("models:\n  kg: { use: sparql, attempts: 12, endpoint: "
                  f"'http://127.0.0.1:{server.port}/sparql' }}\n")
        return self.run_steps(f"  - {{ use: sparql, with: {{ endpoint: kg{more}, query: "
                              f"{json.dumps(query)} }} }}\n", models, code)

    def test_failures_lose_nothing(self):
        with harness.Server("--fail", "429:0.1,500:0.1,503:0.05,reset:0.05,truncate:0.1,"
                            "malformed:0.1", "--retry-after", "1", "--seed", "3") as server:
            rows, summary = self.ask(server, "SELECT ?n ?name {} ORDER BY ?n", ", page: 3")
            stats = server.stats()
        self.assertEqual([row["n"] for row in rows], list(range(1, 26)))
        self.assertEqual(rows[6]["name"], "row 7")
        model = summary["models"][0]
        self.assertEqual(model["calls"] - model["retries"], 9)  # the last page has one row
        self.assertGreater(model["retries"], 0)
        self.assertEqual(stats["early"], 0)

    def test_what_is_not_asked_again(self):
        for word, said in (("WRONG", "HTTP 400, \"error at 1:1: expected one of ASK, SELECT\""),
                           ("SLOWLY", "the endpoint gave the query up")):
            with harness.Server() as server:
                self.ask(server, f"SELECT ?n {{ {word} }}", code=1)
                self.assertEqual(server.stats()["requests"], 1)
            self.assertIn(said, self.said)
            self.assertIn(f"http://127.0.0.1:{server.port}/sparql", self.said)


if __name__ == "__main__":
    if not OXIGRAPH:
        print(MISSING)
    harness.main()
