# SPDX-License-Identifier: Apache-2.0
"""ToolBench over a mock server of tools: the recipe's search asks it through `http_request`."""
import http.server
import json
import os
import sys
import threading
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scripted

CITIES = {"Graz": {"id": 7}, "Linz": {"id": 8}}
WEATHER = {7: "sunny, 24 degrees"}


class Handler(http.server.BaseHTTPRequestHandler):
    """/city?name= gives an id, /weather?id= the weather; one city has none, one path hangs."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.server.asked.append(self.path)
        found = None
        if url.path == "/city":
            found = CITIES.get(query.get("name"))
        elif url.path == "/weather":
            text = WEATHER.get(int(query.get("id", 0)))
            found = {"weather": text} if text else None
        elif url.path == "/hang":
            self.server.released.wait(20)
        body = json.dumps(found if found else {"error": "nothing of that name"}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.released = [], threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass  # who waited for the path that hangs has gone


MODEL = '''
import json
def get(url):
    return json.dumps({"tool": "api", "arguments": {"url": url, "body": ""}})

def answer(prompt, system, number):
    if prompt.startswith("Write one task"):
        return json.dumps({"instruction": "How is the weather in Graz?"})
    if "sunny" in prompt:
        return json.dumps({"answer": "In Graz it is sunny, with 24 degrees."})
    if prompt.startswith("How is") and "led nowhere" not in prompt:
        return get("/city?name=Linz")           # the wrong city: a path that ends nowhere
    if prompt.startswith("How is"):
        return get("/city?name=Graz")
    if '"id":8' in prompt:
        return get("/weather?id=8") if "led nowhere" not in prompt else get("FIRST")
    return get("/weather?id=7")
'''


class ToolBench(scripted.Case):
    def setUp(self):
        super().setUp()
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.released.set)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def search(self, model, *sets):
        api = "{ use: http_request, with: { base_url: '%s', timeout: 1s } }" % self.url
        return self.recipe("toolbench", model, f"tools.api={api}", "params.tools=[api]",
                           "params.about=[the weather of a city]", *sets)

    def test_search_goes_back(self):
        summary = self.search(MODEL.replace("FIRST", "/weather?id=9"))
        self.assertEqual(self.server.asked,
                         ["/city?name=Linz", "/weather?id=8", "/weather?id=9", "/city?name=Graz",
                          "/weather?id=7"])
        chat = summary["data"][0]["messages"]
        self.assertEqual([m["role"] for m in chat], ["system", "user", "assistant", "tool",
                                                     "assistant", "tool", "assistant"])
        self.assertEqual([json.loads(m["content"]) for m in chat if m["role"] == "tool"],
                         [{"id": 7}, {"weather": "sunny, 24 degrees"}])
        self.assertEqual(chat[-1]["content"], "In Graz it is sunny, with 24 degrees.")
        scores = {score["name"]: score["value"] for score in summary["report"]["scores"]}
        self.assertEqual(scores["pass_rate"], 1)

    def test_bounds(self):
        summary = self.search(MODEL.replace("FIRST", "/weather?id=9"), "steps.search.with.nodes=3")
        self.assertEqual(summary["data"], [])
        fields = summary["rejects"][0]["fields"]
        self.assertEqual([(one["depth"], one["error"][:8]) for one in fields["tried"]],
                         [(2, "HTTP 404"), (2, "HTTP 404"), (1, "nothing ")])

    def test_server_that_hangs(self):
        summary = self.search(MODEL.replace("FIRST", "/hang"))
        self.assertEqual(len(summary["data"]), 1)  # the search went on elsewhere
        self.assertIn("/hang", self.server.asked)

    def test_another_host_is_never_asked(self):
        summary = self.search(MODEL.replace("FIRST", "http://localhost:1/x"))
        self.assertEqual(len(summary["data"]), 1)
        self.assertNotIn("/x", self.server.asked)


if __name__ == "__main__":
    scripted.harness.main()
