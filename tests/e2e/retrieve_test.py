# SPDX-License-Identifier: Apache-2.0
"""BM25 against an independent one in plain Python; a search service that fails in every way."""
import collections
import http.server
import json
import math
import os
import random
import re
import threading
import time
import unittest
import urllib.parse

from harness import Case, main

BM25 = """
xylem: 1
steps:
  - {{ id: corpus, use: read, with: {{ path: corpus.jsonl }} }}
  - {{ id: queries, use: read, with: {{ path: queries.jsonl }} }}
  - use: retrieve.bm25
    with: {options}
write: {{ path: out.jsonl }}
"""


def words_of(text):
    return re.findall(r"[^\W_]+", text.casefold())


def bm25(corpus, query, k, k1, b):
    """Robertson and Zaragoza 2009, with Lucene's 1 in the logarithm: (index, score), best first. In
    the order of operations of the formula, so that scores that are equal but for rounding are in
    the same order, too."""
    bags = [collections.Counter(words_of(text)) for text in corpus]
    lengths = [sum(bag.values()) for bag in bags]
    mean = sum(lengths) / len(lengths)
    scores = [0.0] * len(corpus)
    for word, times in collections.Counter(words_of(query)).items():
        having = sum(word in bag for bag in bags)
        idf = math.log(1 + (len(corpus) - having + 0.5) / (having + 0.5))
        for i, bag in enumerate(bags):
            if word in bag:
                scores[i] += times * idf * bag[word] * (k1 + 1) / (
                    bag[word] + k1 * (1 - b + b * lengths[i] / mean))
    found = [i for i, score in enumerate(scores) if score > 0]
    found.sort(key=lambda i: (-scores[i], i))
    return [(i, scores[i]) for i in found[:k]]


class Lexical(Case):
    def retrieve(self, corpus, queries, code=0, **options):
        for name, rows in (("corpus", corpus), ("queries", queries)):
            self.write(f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        options = {"corpus": "corpus", "query": "{{ q }}", **options}
        self.write("pipeline.yaml", BM25.format(options=json.dumps(options)))
        self.done = self.xylem("run", "pipeline.yaml", code=code)
        return self.records("out.jsonl") if code == 0 else None

    def test_is_what_plain_python_computes(self):
        draw = random.Random(5)
        vocabulary = [f"word{i}" for i in range(80)] + ["Élan", "élan", "STRASSE", "don't", "x_y"]
        weights = [1 / (i + 1) for i in range(len(vocabulary))]
        corpus = [" ".join(draw.choices(vocabulary, weights, k=draw.randint(1, 40)))
                  for _ in range(300)]
        corpus[7] = "..."  # no word at all
        corpus[20:23] = [corpus[19]] * 3  # equal scores
        queries = [" ".join(draw.choices(vocabulary, weights, k=draw.randint(1, 8)))
                   for _ in range(60)] + ["nothing of this is there"]
        rows = [{"n": i, "text": text} for i, text in enumerate(corpus)]
        for k, k1, b in ((5, 1.2, 0.75), (40, 0.9, 0.4), (10, 2, 1), (10, 0, 0)):
            out = self.retrieve(rows, [{"q": query} for query in queries], k=k, k1=k1, b=b)
            self.assertEqual(len(out), len(queries))
            for query, row in zip(queries, out):
                expected = bm25(corpus, query, k, k1, b)
                self.assertEqual([passage["n"] for passage in row["passages"]],
                                 [i for i, _ in expected], (query, k, k1, b))
                for passage, (_, score) in zip(row["passages"], expected):
                    self.assertAlmostEqual(passage["score"], score, delta=1e-9)
        self.assertEqual(out[-1]["passages"], [])
        self.assertIn("nothing was found for its query", self.done.stderr)
        self.assertRegex(self.done.stdout, r"retrieve\.bm25\.empty\s+0\.016")  # 1 of 61

    def test_match_self_and_gold(self):
        corpus = [{"id": i, "text": text, "topic": topic, "score": "mine"} for i, (text, topic) in
                  enumerate([("red apple", "a"), ("green apple", "b"), ("apple pie", "a"),
                             ("stone", "a")])]
        ids = [[passage["id"] for passage in row["passages"]] for row in self.retrieve(
            corpus, [{"q": "apple", "topic": "a"}, {"q": "apple", "topic": "c"}], match="topic")]
        self.assertEqual(ids, [[0, 2], []])
        out = self.retrieve(corpus, [{"q": "apple", "text": "green apple"},
                                     {"q": "pie", "text": "apple pie"},
                                     {"q": "stone", "text": "red apple"}],
                            gold="text", k=2, fields=["id"])
        self.assertEqual([row["rank"] for row in out], [2, 1, 0])
        self.assertEqual(list(out[1]["passages"][0]), ["id", "score"])
        self.assertRegex(self.done.stdout, r"retrieve\.bm25\.recall_1\s+0\.33")
        self.assertRegex(self.done.stdout, r"retrieve\.bm25\.recall\s+0\.66")
        out = self.retrieve(corpus, [{"q": "apple", "text": "green apple"}], exclude_self=True)
        self.assertEqual([passage["id"] for passage in out[0]["passages"]], [0, 2])
        self.assertEqual(len(out[0]["passage_ids"]), 2)
        out = self.retrieve(corpus, [{"q": "apple pie"}], minimum=1)
        self.assertEqual([passage["id"] for passage in out[0]["passages"]], [2])

    def refuse(self, part, corpus, query="{{ q }}", code=1):
        self.retrieve(corpus, [{"q": "a"}], code=code, query=query)
        self.assertIn(part, re.sub(r"\s+", " ", self.done.stderr))

    def test_bad_input(self):
        self.refuse("record 2 of the `corpus` has no text in `text`",
                    [{"text": "a"}, {"body": "b"}])
        self.refuse("pipeline.yaml:", [{"text": "a"}], query="{{ q", code=2)
        out = self.retrieve([{"text": "a"}], [{"q": ""}])
        self.assertEqual(out[0]["passages"], [])
        # An empty corpus, from a step that drops everything.
        self.write("pipeline.yaml", """
xylem: 1
steps:
  - { id: all, use: read, with: { path: corpus.jsonl } }
  - { id: corpus, use: expression, with: { keep: "text == 'none'" } }
  - { id: queries, use: read, with: { path: queries.jsonl } }
  - { use: retrieve.bm25, with: { corpus: corpus, query: "{{ q }}" } }
write: { path: out.jsonl }
""")
        done = self.xylem("run", "pipeline.yaml", code=1)
        self.assertIn("the `corpus` is empty: there is nothing to retrieve", done.stderr)

    def test_ares_passages_are_found_by_their_queries(self):
        """The recorded queries of ARES that its authors labelled relevant: their own passage is
        found, and they find another passage than an irrelevant one's."""
        folder = os.environ.get("XYLEM_REFERENCE_DATA",
                                os.path.join(os.path.dirname(__file__), "../../../shared/data"))
        path = os.path.join(folder, "ares", "nq_synthetic_queries.jsonl.gz")
        if not os.path.exists(path):
            self.skipTest(f"no reference data `{path}`")
        import gzip
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        documents = sorted({row["document"] for row in rows})
        good = [{"q": row["synthetic_query"], "text": row["document"]} for row in rows
                if row["Context_Relevance_Label"] == "Yes"][:300]
        out = self.retrieve([{"text": text} for text in documents], good, gold="text", k=20)
        first = sum(row["rank"] == 1 for row in out) / len(out)
        within = sum(row["rank"] > 0 for row in out) / len(out)
        print(f"(own passage first for {first:.3f}, within 20 for {within:.3f} of {len(out)}) ",
              end="")
        self.assertEqual([row["rank"] for row in out[:20]], [self.rank(documents, row)
                                                             for row in good[:20]])
        self.assertGreater(first, 0.5)  # ARES kept those whose passage its own retriever had first
        bad = [{"q": row["synthetic_query"], "text": row["document"]} for row in rows
               if row["Context_Relevance_Label"] == "No"][:300]
        out = self.retrieve([{"text": text} for text in documents], bad, gold="text", k=20)
        self.assertLess(sum(row["rank"] == 1 for row in out) / len(out), first / 4)

    @staticmethod
    def rank(documents, row):
        found = [documents[i] for i, _ in bm25(documents, row["q"], 20, 1.2, 0.75)]
        return found.index(row["text"]) + 1 if row["text"] in found else 0


# ---- a search service ----------------------------------------------------------------------------

class Service(http.server.BaseHTTPRequestHandler):
    """Answers /find?q=WORDS and POST bodies {"query": WORDS} with results; the words tell the
    faults: `limited` gets a 429 first, `broken` a 500, `garbled` half a JSON text, `slow` no answer
    in time; `gone` always a 404, `down` always a 500, `odd` another shape."""
    protocol_version = "HTTP/1.1"
    seen = collections.Counter()

    def log_message(self, *_):
        pass

    def reply(self, code, body, **headers):
        data = body.encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self, words):
        Service.seen[words] += 1
        first = Service.seen[words] == 1
        if "limited" in words and first:
            return self.reply(429, "slow down", Retry_After="0")
        if ("broken" in words and first) or "down" in words:
            return self.reply(500, "it broke")
        if "garbled" in words and first:
            return self.reply(200, '{"hits": {"hi')
        if "slow" in words and first:
            time.sleep(2)
            self.close_connection = True
            return None  # nobody waits any more
        if "gone" in words:
            return self.reply(404, "<html>nothing here</html>")
        if "odd" in words:
            return self.reply(200, '{"hits": "none"}')
        hits = [] if "empty" in words else [
            {"_score": 3 - i, "_source": {"body": f"{words} {i}", "x/~": i}} for i in range(3)]
        return self.reply(200, json.dumps({"hits": {"hits": hits}}))

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.answer(query["q"][0])

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(body["query"])


HTTP = """
xylem: 1
models:
  search: {{ use: http, url: "http://127.0.0.1:{port}/find?q={{prompt}}", json: true, attempts: 4,
             timeout: 0.5, concurrency: 4{more} }}
steps:
  - {{ id: queries, use: read, with: {{ path: queries.jsonl }} }}
  - use: retrieve.http
    with: {options}
write: {{ path: out.jsonl, rejects: rejects.jsonl }}
"""


class Endpoint(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        cls.server.daemon_threads = True
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self):
        super().setUp()
        Service.seen.clear()

    def retrieve(self, queries, more="", code=0, **options):
        self.write("queries.jsonl", "".join(json.dumps({"q": query}) + "\n" for query in queries))
        options = {"endpoint": "search", "query": "{{ q }}", "results": "hits.hits", **options}
        self.write("pipeline.yaml", HTTP.format(port=self.server.server_port, more=more,
                                                options=json.dumps(options)))
        self.done = self.xylem("run", "pipeline.yaml", code=code)
        return {row["q"]: row["passages"] for row in self.records("out.jsonl")}

    def test_faults_are_the_cores_to_mend(self):
        queries = ["plain & simple?", "limited", "broken", "garbled", "slow", "empty",
                   "gone", "down", "odd", "Zürich 中"]
        found = self.retrieve(queries, k=2, fields={"text": "_source.body",
                                                            "score": "_score", "no": "nothing"})
        self.assertEqual(set(found), set(queries) - {"gone", "down", "odd"})
        for query in set(found) - {"empty"}:
            self.assertEqual(found[query], [{"text": f"{query} 0", "score": 3},
                                            {"text": f"{query} 1", "score": 2}])
        self.assertEqual(found["empty"], [])
        self.assertEqual(Service.seen["down"], 4)
        self.assertEqual(Service.seen["gone"], 1)
        self.assertEqual(Service.seen["slow"], 2)
        self.assertEqual(Service.seen["plain & simple?"], 1)
        reasons = {row["fields"]["q"]: row["trail"][-1]["reason"]
                   for row in self.records("rejects.jsonl")}
        self.assertIn("HTTP 404; there is nothing at this address: check `url`", reasons["gone"])
        self.assertIn("HTTP 500: it broke", reasons["down"])
        self.assertIn("has no list at `results: hits.hits`", reasons["odd"])
        self.assertRegex(self.done.stdout, r"retrieve\.http\.empty\s+0\.14")  # 1 of 7

    def test_nothing_is_asked_twice(self):
        self.retrieve(["one", "two"])
        first = self.read("out.jsonl")
        self.retrieve(["one", "two"])
        self.assertEqual(self.read("out.jsonl"), first)
        self.assertEqual(Service.seen, {"one": 1, "two": 1})

    def test_bodies_and_pointers(self):
        more = (f', url: "http://127.0.0.1:{self.server.server_port}/", '
                'body: {query: "{prompt}"}')
        text = HTTP.replace('url: "http://127.0.0.1:{port}/find?q={{prompt}}", ', "")
        self.write("queries.jsonl", json.dumps({"q": 'say "hi"\n'}))
        self.write("pipeline.yaml", text.format(port=0, more=more, options=json.dumps(
            {"endpoint": "search", "query": "{{ q }}", "results": "/hits/hits", "k": 1,
             "fields": {"n": "/_source/x~1~0", "text": "_source.body"}})))
        self.xylem("run", "pipeline.yaml")
        self.assertEqual(self.records("out.jsonl")[0]["passages"],
                         [{"n": 0, "text": 'say "hi"\n 0'}])

    def test_a_service_that_never_answers(self):
        self.write("queries.jsonl", '{"q": "x"}')
        self.write("pipeline.yaml", HTTP.format(
            port=9, more="", options='{endpoint: search, query: "{{ q }}"}').replace(
                "attempts: 4", "attempts: 2"))
        self.xylem("run", "pipeline.yaml")
        self.assertEqual(self.records("out.jsonl"), [])
        self.assertIn("127.0.0.1", json.dumps(self.records("rejects.jsonl")))


if __name__ == "__main__":
    main()
