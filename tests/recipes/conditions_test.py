# SPDX-License-Identifier: Apache-2.0
"""The recipes of task specification, conditioning scope and conditioning values: bytes of prompts,
shares of draws, filters against recorded tables, models that refuse or repeat themselves."""
import collections
import gzip
import itertools
import json
import math
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import harness

PIPELINES = os.path.join(harness.ROOT, "pipelines")
EXAMPLES = os.path.join(harness.ROOT, "examples", "data")
DATA = os.environ.get("XYLEM_REFERENCE_DATA",
                      os.path.join(os.path.dirname(harness.ROOT), "shared", "data"))

# A model whose answers are `answer(request, prompt)` of the test, and which writes down what it was
# asked. Its rules stand in a file of the test's folder.
MODEL = '''
import json, random, re, sys
NUMBER = 0
{rules}
for line in sys.stdin:
    request = json.loads(line)
    with open("asked.jsonl", "a") as file:
        file.write(json.dumps(request) + "\\n")
    NUMBER += 1
    got = answer(request, request["messages"][-1]["content"])
    got = {{"text": got}} if isinstance(got, str) else got
    print(json.dumps({{"id": request["id"], **got}}), flush=True)
'''


def lines_of(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        return file.read().splitlines()


def reference(*parts):
    path = os.path.join(DATA, *parts)
    if not os.path.exists(path):
        return None
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def words_of(text):
    return re.findall("[a-z0-9]+", text.lower())


def rouge_l(a, b):
    """F1 of the longest common subsequence (Lin 2004), by the plain table."""
    a, b = words_of(a), words_of(b)
    row = [0] * (len(b) + 1)
    for word in a:
        diagonal = 0
        for j, other in enumerate(b):
            above = row[j + 1]
            row[j + 1] = diagonal + 1 if word == other else max(above, row[j])
            diagonal = above
    return 2 * row[-1] / (len(a) + len(b)) if a or b else 0


class Conditions(harness.Case):
    def run_recipe(self, name, rules, *sets, code=0):
        """Runs it in a fresh folder; the records, the rejects, and the requests."""
        for file in ("asked.jsonl", "data.jsonl", "rejects.jsonl"):
            if os.path.exists(self.path(file)):
                os.remove(self.path(file))
        self.runs = getattr(self, "runs", 0) + 1
        self.write("model.py", MODEL.format(rules=rules))
        words = []
        for value in ["models.teacher={ use: exec, operations: [complete, score], concurrency: 1, "
                      "attempts: 1, command: [python3, model.py] }",
                      f"write.path={self.path('data.jsonl')}",
                      f"write.rejects={self.path('rejects.jsonl')}", *sets]:
            words += ["--set", value]
        done = self.xylem("run", "-q", "--json", "--runs", self.path(f"runs{self.runs}"),
                          os.path.join(PIPELINES, f"{name}.yaml"), *words, code=code)
        self.summary, self.said = json.loads(done.stdout), done.stderr
        asked = self.records("asked.jsonl") if os.path.exists(self.path("asked.jsonl")) else []
        return self.records("data.jsonl"), self.records("rejects.jsonl"), asked

    def score(self, step, name):
        return next(s["value"] for s in self.summary["report"]["scores"]
                    if s["step"] == step and s["name"] == name)

    def check_shares(self, counts, shares):
        """Each count within five standard deviations of its share."""
        total = sum(counts.values())
        self.assertLessEqual(set(counts), set(shares))
        for name, share in shares.items():
            spread = 5 * math.sqrt(total * share * (1 - share))
            self.assertLess(abs(counts[name] - total * share), spread + 1e-9, name)


class RolePlay(Conditions):
    RULES = '''
def answer(request, prompt):
    return f"Sentence number {NUMBER} about nothing in particular at all."
'''

    def test_three_prompts_in_one_conversation(self):
        data, _, asked = self.run_recipe("role_play", self.RULES, "params.conversations=2")
        self.assertEqual(collections.Counter(r["label"] for r in data),
                         {"positive": 6, "negative": 6})
        kind = "sentence of a film review"
        says = {"positive": "praises the film, or a part of it",
                "negative": "criticises the film, or a part of it"}
        self.assertEqual(len(asked), 12)
        for request in asked:
            roles = [m["role"] for m in request["messages"]]
            self.assertEqual(roles, ["system"] + ["user", "assistant"] * (len(roles) // 2 - 1) +
                             ["user"])
            texts = [m["content"] for m in request["messages"]]
            self.assertEqual(texts[0],
                             "Suppose you are a critic who writes short sentences about films.")
            say = says["positive" if "praises" in texts[1] else "negative"]
            self.assertEqual(texts[1], f"Write one {kind} that {say}. Answer with the sentence "
                                       "alone.")
            for text in texts[3::2]:
                self.assertEqual(text, f"Write another {kind} that {say}. Make it different from "
                                       "those before: another aspect, other words.")

    def test_few_shot_draws_from_the_pool_and_the_label(self):
        pool = {}
        for line in lines_of("movie_sentences.jsonl"):
            row = json.loads(line)
            pool.setdefault(row["label"], set()).add(row["text"])
        _, _, asked = self.run_recipe("role_play", self.RULES, "params.few_shot=true",
                                      "params.conversations=20", "params.turns=1")
        shown = {"positive": collections.Counter(), "negative": collections.Counter()}
        for request in asked:
            text = request["messages"][1]["content"]
            label = "positive" if "praises" in text else "negative"
            demos = re.findall('"(.*?)"', text)
            self.assertEqual(len(set(demos)), 2)
            self.assertLessEqual(set(demos), pool[label])
            shown[label].update(demos)
            self.assertIn("similar but new", text)
        for label in shown:  # 40 draws of 4: each of them is seen
            self.assertEqual(set(shown[label]), pool[label])


class GPT3Mix(Conditions):
    RULES = '''
def answer(request, prompt):
    if request["operation"] == "score":
        random.seed(request["messages"][0]["content"])
        scores = [-8 * random.random() for _ in request["candidates"]]
        with open("scores.jsonl", "a") as file:
            file.write(json.dumps(scores) + "\\n")
        return {"scores": scores}
    return f" A film of {NUMBER} acts and no hero. (Sentiment: negative)"
'''

    def test_header_and_soft_labels(self):
        data, rejects, asked = self.run_recipe("gpt3mix", self.RULES, "params.count=25")
        self.assertEqual((len(data), len(rejects), len(asked)), (25, 0, 50))
        pool = {r["text"]: r["label"] for r in map(json.loads, lines_of("movie_sentences.jsonl"))}
        for request in asked[:25]:
            lines = request["messages"][0]["content"].split("\n")
            self.assertEqual(lines[0], "Each item in the following list contains a movie review "
                             "and the respective sentiment. Sentiment is one of 'positive' or "
                             "'negative'.")
            self.assertEqual(len(lines), 5)  # the header, two anchors, nothing, the wish
            anchors = [re.fullmatch(r"Movie review: (.*) \(Sentiment: (\w+)\)", line)
                       for line in lines[1:3]]
            for anchor in anchors:
                self.assertEqual(pool[anchor[1]], anchor[2])
            self.assertNotEqual(anchors[0][1], anchors[1][1])
            self.assertEqual(request["messages"][1], {"role": "assistant",
                                                      "content": "Movie review:"})
        for record, scores in zip(data, self.records("scores.jsonl")):
            chances = [math.exp(score) for score in scores]
            soft = record["label_probabilities"]
            self.assertAlmostEqual(sum(soft.values()), 1, places=12)
            self.assertAlmostEqual(soft["positive"], chances[0] / sum(chances), places=12)
            self.assertEqual(record["label"], max(soft, key=soft.get))

    def test_votes_stand_in(self):
        data, _, _ = self.run_recipe("gpt3mix_votes", '''
def answer(request, prompt):
    if "Which sentiment" not in prompt:
        return json.dumps({"text": f"A film of {NUMBER} acts and no hero."})
    return json.dumps({"label": "positive" if request.get("sample", 0) < 3 else "negative"})
''', "params.count=4", "params.votes=8")
        self.assertEqual(len(data), 4)
        for record in data:
            self.assertEqual(record["votes"], 8)
            self.assertEqual(record["label_probabilities"], {"negative": 0.625, "positive": 0.375})


class ZeroGen(Conditions):
    def test_two_stages_and_balance(self):
        data, _, asked = self.run_recipe("zerogen", '''
def answer(request, prompt):
    if "json_schema" in request:
        return json.dumps({"items": [f"Film {i}" for i in range(50)]})
    return f"It was number {NUMBER} of the year."
''', "params.titles=12")
        self.assertEqual(collections.Counter(r["label"] for r in data),
                         {"positive": 12, "negative": 12})
        self.assertEqual(len({r["title"] for r in data}), 12)
        self.assertEqual(asked[0]["messages"][0]["content"], "List 12 titles of films.")
        self.assertEqual([m["content"] for m in asked[1]["messages"]],
                         ['Write a movie review in positive sentiment for the movie "Film 0".',
                          'The movie review in positive sentiment for movie "Film 0" is: "'])
        self.assertEqual(asked[1]["stop"], ['"'])


class AttrPrompt(Conditions):
    """The attribute values of NYT that the authors published, and a table of yes and no."""

    RULES = '''
with open("tables.json") as file:
    TABLES = json.load(file)
def answer(request, prompt):
    if "writing styles" in prompt:
        return json.dumps({"items": TABLES["styles"]})
    if "most similar to" in prompt:
        return json.dumps({"items": ["one", "two"]})
    if "subtopics of" in prompt:
        label = re.search(r"about (\\w+), each", prompt)[1]
        return json.dumps({"items": TABLES["subtopics"][label]})
    if prompt.startswith("Is "):
        value = prompt.split('"')[1]
        return json.dumps({"relevant": "yes" if value in TABLES["relevant"] else "no"})
    return f"Text {NUMBER}"
'''

    def test_filter_and_draws(self):
        published = reference("attrprompt", "nyt_attributes.json")
        if not published:
            self.skipTest("no reference data")
        folder = "attrprompt/gpt-3.5-turbo/"
        labels = ["baseball", "dance", "music"]
        subtopics = {label: [re.sub(r"^\d+\. ", "", value).strip().replace('"', "'").rstrip(".")
                             for value in published[f"{folder}subtopics_filter/{label}.jsonl"]]
                     for label in labels}
        styles = [value.rstrip(".") for value in published[f"{folder}style/style.txt"]]
        values = [value for label in labels for value in subtopics[label]]
        relevant = values[::5]
        self.write("tables.json", json.dumps({"styles": styles, "subtopics": subtopics,
                                              "relevant": relevant}))
        data, rejects, asked = self.run_recipe(
            "attrprompt", self.RULES, f"steps.classes.with.label={json.dumps(labels)}",
            "params.per_class=400", "params.subtopics=50", f"params.styles={len(styles)}")
        dropped = [r["fields"]["subtopic"] for r in rejects if "subtopic" in r["fields"]]
        self.assertEqual(dropped, relevant)  # exactly what the table says
        for label in labels:
            kept = [v for v in subtopics[label] if v not in relevant]
            drawn = collections.Counter(r["subtopic"] for r in data if r["label"] == label)
            self.assertEqual(sum(drawn.values()), 400)
            self.check_shares(drawn, {value: 1 / len(kept) for value in kept})
        self.check_shares(collections.Counter(r["style"] for r in data),
                          {style: 1 / len(styles) for style in styles})
        self.check_shares(collections.Counter(r["words"] for r in data), {30: 0.5, 100: 0.5})
        prompts = {r["messages"][0]["content"] for r in asked}
        for record in data[::40]:
            self.assertIn(
                "Suppose you are a writer for news articles. Please give a synthetic news article "
                f"about {record['label']} following the requirements below:\n"
                f"1. Should focus on {record['subtopic']};\n"
                f"2. Should be in the style of {record['style']};\n"
                f"3. Should be around {record['words']} words;\n"
                f"4. The location: {record['location']}.", prompts)

    def test_a_class_without_values(self):
        self.write("tables.json", json.dumps({"styles": ["plain"], "relevant": [],
                                              "subtopics": {"economy": ["taxes"], "health": [],
                                                            "sports": ["golf"]}}))
        data, rejects, _ = self.run_recipe("attrprompt", self.RULES, "params.per_class=2",
                                           "params.styles=1", "params.subtopics=1")
        self.assertEqual({r["label"] for r in data}, {"economy", "sports"})
        reasons = collections.Counter(r["trail"][-1]["reason"] for r in rejects)
        self.assertEqual(reasons, {"no value after 2 askings: no answer held a list": 1,
                                   "the `pool` has no value for `label` health": 2})

    def test_simprompt(self):
        data, _, asked = self.run_recipe("simprompt", '''
def answer(request, prompt):
    return f"Text {NUMBER}"
''')
        self.assertEqual(collections.Counter(r["label"] for r in data),
                         {"economy": 3, "sports": 3, "health": 3})
        self.assertEqual(asked[0]["messages"][0]["content"], "Suppose you are a writer for news "
                         "articles. Please give an example of a synthetic news article about "
                         "economy.")


class TinyStories(Conditions):
    RULES = '''
def answer(request, prompt):
    verb, noun, adjective = re.findall('"(\\w+)"', prompt)
    if NUMBER % 4 == 0:
        return f"Number {NUMBER}: a {noun} will {verb}."
    return f"Number {NUMBER}: {noun}s were {adjective}, and would {verb}."
'''

    def test_draws_and_filter(self):
        count = 3000
        data, rejects, asked = self.run_recipe("tinystories", self.RULES, f"params.count={count}")
        everything = data + [r["fields"] for r in rejects]
        self.assertEqual(len(everything), count)
        # Each fourth story has no adjective (by chance a verb or noun may be the same word).
        self.assertEqual(len(rejects), count // 4)
        for reject in rejects:
            self.assertEqual(reject["trail"][-1]["reason"],
                             f"1 of 3 words are missing: \"{reject['fields']['adjective']}\"")
        vocabulary = {kind: lines_of(f"tinystories_{kind}s.txt")
                      for kind in ("noun", "verb", "adjective")}
        for kind, words in vocabulary.items():
            self.check_shares(collections.Counter(r[kind] for r in everything),
                              {word: 1 / len(words) for word in words})
        # Distinct triples of n draws from N: n - n(n-1)/2N on average, its variance the same small
        # number of pairs.
        pairs = count * (count - 1) / 2 / math.prod(len(words) for words in vocabulary.values())
        triples = {(r["noun"], r["verb"], r["adjective"]) for r in everything}
        self.assertLess(abs(count - len(triples) - pairs), 5 * math.sqrt(pairs) + 1)
        # 0 to 3 of 6 features, each number as likely: each feature in a quarter of the stories.
        sizes = collections.Counter(len(r["features"]) for r in everything)
        self.check_shares(sizes, {size: 0.25 for size in range(4)})
        features = collections.Counter(f for r in everything for f in r["features"])
        self.assertEqual(len(features), 6)
        for number in features.values():
            self.assertLess(abs(number - count / 4), 5 * math.sqrt(count * 0.25 * 0.75))
        self.assertEqual(len(asked), count)

    def test_same_seed_same_prompts(self):
        def prompts(*sets):
            return [r["messages"][0]["content"] for r in
                    self.run_recipe("tinystories", self.RULES, "params.count=20", *sets)[2]]
        first = prompts()
        self.assertEqual(prompts(), first)
        self.assertNotEqual(prompts("seed=13"), first)
        plain = next(p for p in first if "features" not in p)
        self.assertRegex(plain, re.escape(
            "Write a short story (3-5 paragraphs) which only uses very simple words that a 3 year "
            "old child would understand. The story should use the verb \"") + r"\w+\", the noun "
            r"\"\w+\" and the adjective \"\w+\"\. Remember to only use simple words!$")


class Textbooks(Conditions):
    def test_every_topic_meets_every_audience(self):
        _, _, asked = self.run_recipe("textbooks", '''
def answer(request, prompt):
    return f"```python\\ndef f{NUMBER}():\\n    return {NUMBER}\\n```"
''')
        passages = [r["messages"][0]["content"] for r in asked
                    if r["messages"][0]["content"].startswith("Write a short passage")]
        grid = itertools.product(["recursion", "binary search", "sorting a list"],
                                 ["children aged ten", "first-year students"])
        self.assertEqual(sorted(passages), sorted(
            f"Write a short passage of a textbook on {topic} in Python, for {audience}. Explain "
            "the idea in their words, then show one small example as a fenced block of Python."
            for topic, audience in grid))


class ConceptTree(Conditions):
    RULES = '''
def answer(request, prompt):
    wanted = int(re.search(r"(\\d+) (?:subtopics|different|new)", prompt)[1])
    random.seed(prompt)
    letters = "abcdefghijklmnopqrstuvwxyz"
    def name():
        return " ".join("".join(random.choice(letters) for _ in range(6)) for _ in range(3))
    return json.dumps({"items": [name() for _ in range(wanted)]})
'''

    def test_fan_out(self):
        data, rejects, asked = self.run_recipe(
            "concept_tree", self.RULES, "params.subtopics=7", "params.questions=4",
            "params.related=2")
        leaves, questions = 3 * 7, 3 * 7 * 4
        self.assertEqual(len(data), questions + questions * 2)
        self.assertEqual(len(asked), 3 + leaves + questions)
        self.assertEqual(rejects, [])
        self.assertEqual(self.score("subtopics", "leaves"), leaves)
        self.assertEqual(self.score("subtopics", "filled"), 1)
        topics = [r["path"][0] for r in data[:questions]]
        self.assertEqual(topics, ["technology"] * 28 + ["food and drink"] * 28 +
                         ["the natural world"] * 28)

    def test_check_foresees_tokens_and_cost(self):
        """3 + 9 + 18 calls of at most 100 tokens, at 2 dollars for a million of them."""
        said = json.loads(self.xylem(
            "check", "--json", os.path.join(PIPELINES, "concept_tree.yaml"), "--set",
            "models.teacher={ use: exec, command: [x], price: { output: 2 }, "
            "params: { max_tokens: 100 } }").stdout)
        self.assertEqual((said["calls"], said["output_tokens"]), (30, 3000))
        self.assertAlmostEqual(said["cost"], 0.006, places=9)
        self.assertGreater(said["prompt_tokens"], 30 * 20)

    def test_a_topic_that_does_not_grow(self):
        rules = self.RULES.replace("    wanted", "    if 'subtopics of food' in prompt:\n"
                                   "        return \"I'm sorry, I can't.\"\n    wanted", 1)
        data, _, _ = self.run_recipe("concept_tree", rules)
        self.assertEqual({r["path"][0] for r in data}, {"technology", "the natural world"})
        self.assertEqual(self.score("subtopics", "refused"), 1)
        self.assertIn("6 of 9 children that were asked for", self.said)


class ExploreInstruct(Conditions):
    def test_published_instructions(self):
        """What the recipe's filter keeps of the instructions of a published task."""
        published = reference("explore-instruct", "style_transfer.json.gz")
        if not published:
            self.skipTest("no reference data")
        rows = published["examples"][:150]
        self.write("rows.json", json.dumps(rows))
        data, rejects, _ = self.run_recipe("explore_instruct", '''
with open("rows.json") as file:
    ROWS = iter(json.load(file))
def answer(request, prompt):
    if prompt.startswith("You break"):
        return json.dumps({"items": ["Style transfer"]})
    return json.dumps({k: next_row[k] or "none" for next_row in [next(ROWS)]
                       for k in ("instruction", "input", "output")})
''', "params.breadth=[1]", "params.per_ask=1", "params.backtracks=0", "params.instructions=150")
        kept = []
        for row in rows:
            if all(rouge_l(row["instruction"], other) <= 0.7 for other in kept):
                kept.append(row["instruction"])
        self.assertEqual([r["instruction"] for r in data], kept)
        self.assertLess(len(kept), 150)
        self.assertEqual(len(rejects), 150 - len(kept) + 1)  # and the root, which is no task
        self.assertEqual({tuple(r["path"]) for r in data},
                         {("writing assistance", "Style transfer")})


class ClassValues(Conditions):
    def test_a_model_that_repeats_itself_for_ever(self):
        data, rejects, asked = self.run_recipe("class_values", '''
def answer(request, prompt):
    return "1. Soil\\n2. soil\\n3. **SOIL**"
''', "params.count=50")
        self.assertEqual(len(data), 3)  # one for each class
        self.assertEqual(len(asked), 3 * 3)  # one asking that brought it, two that brought nothing
        self.assertEqual((self.score("values", "distinct"), self.score("values", "dry")), (3, 3))
        self.assertEqual(self.said.count("1 of 50 values after 3 askings"), 3)
        self.assertEqual(rejects, [])
        self.assertIn("Others than: Soil.", asked[-1]["messages"][-1]["content"])

    def test_params_of_the_model(self):
        _, _, asked = self.run_recipe("class_values", '''
def answer(request, prompt):
    return "Soil, water, light, tools"
''', "models.teacher.params={ temperature: 0.25, max_tokens: 99, stop: [END], seed: 4 }",
                                      "steps.values.with.max_tokens=77")
        self.assertEqual([(r["temperature"], r["max_tokens"], r["stop"]) for r in asked],
                         [(0.25, 77, ["END"])] * 3)
        self.assertEqual(len({r["seed"] for r in asked}), 3)

    def test_a_model_that_refuses(self):
        data, rejects, asked = self.run_recipe("class_values", '''
def answer(request, prompt):
    return "I'm sorry, but I can't help with that."
''')
        self.assertEqual((data, len(rejects), len(asked)), ([], 3, 6))
        for reject in rejects:
            self.assertEqual(reject["trail"][-1]["reason"],
                             "no value after 2 askings: the model refuses")


class TemplatePool(Conditions):
    def test_shares_and_own_task(self):
        self.write("passages.jsonl", "".join(json.dumps({"text": f"Passage {i}."}) + "\n"
                                             for i in range(800)))
        data, _, asked = self.run_recipe("template_pool", '''
def answer(request, prompt):
    return f"This is answer {NUMBER}."
''', f"steps.passages.with.path={self.path('passages.jsonl')}")
        self.assertEqual(len(data), 2400)
        pool = [json.loads(line) for line in lines_of("prompt_templates.jsonl")]
        for record in data:
            template = pool[record["template_index"]]
            self.assertEqual(template["task"], record["task"])
            start = template["template"].split("{{")[0]
            self.assertTrue(record["prompt"].startswith(start))
            self.assertRegex(record["prompt"], r"Passage \d+\.")
        drawn = collections.Counter(r["template_index"] for r in data if r["task"] == "summary")
        self.check_shares(drawn, {0: 0.5, 1: 0.25, 2: 0.25})
        drawn = collections.Counter(r["template_index"] for r in data if r["task"] == "simpler")
        self.check_shares(drawn, {5: 0.5, 6: 0.5})
        self.assertEqual(len(asked), 2400)

    def test_a_task_without_a_template(self):
        data, rejects, _ = self.run_recipe("template_pool", '''
def answer(request, prompt):
    return "This is an answer."
''', "steps.tasks.with.task=[summary, rhyme]")
        self.assertEqual(len(data), 3)
        self.assertEqual({r["trail"][-1]["reason"] for r in rejects},
                         {"there is no template for `task` rhyme"})

    def test_a_template_that_names_nothing(self):
        self.write("bad.jsonl", '{"task": "summary", "template": "{{ txt }}", "weight": 1}\n')
        _, rejects, asked = self.run_recipe(
            "template_pool", "", "steps.tasks.with.task=[summary]",
            f"steps.prompts.with.pool={self.path('bad.jsonl')}")
        self.assertEqual((len(rejects), len(asked)), (3, 0))
        self.assertIn("txt", rejects[0]["trail"][-1]["reason"])
        self.assertEqual(rejects[0]["fields"]["template_index"], 0)


if __name__ == "__main__":
    harness.main()
