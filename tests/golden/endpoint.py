# SPDX-License-Identifier: Apache-2.0
"""An HTTP endpoint that speaks OpenAI's chat and embedding calls and answers from recorded answers:
what a recipe meets at a provider, without one. The API knows no sample numbers, but each sample is
asked for with a seed of its own: the n-th seed of a request gets the n-th sample's answer, and the
same seed the same answer again."""
import collections
import http.server
import json
import threading

import pending


MOST_SAMPLES = 64


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, code, body):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/embeddings"):
            texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
            found = [pending.find(self.server.answers, {}, text) for text in texts]
            if None in found:
                return self.reply(400, {"error": {"message": "no recorded vector"}})
            return self.reply(200, {"model": "recorded", "usage": {"prompt_tokens": len(texts)},
                                    "data": [{"index": i, "embedding": answer["vector"]}
                                             for i, answer in enumerate(found)]})
        answer = self.server.take(request)
        if answer is None:
            return self.reply(400, {"error": {"message": "no recorded answer"}})
        choice = {"index": 0, "finish_reason": answer.get("finish", "stop"),
                  "message": {"role": "assistant", "content": answer.get("text", "")}}
        if "scores" in answer:
            top = [{"token": token, "logprob": value} for token, value in answer["scores"].items()]
            choice["message"]["content"] = top[0]["token"]
            choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
        elif "logprobs" in answer:
            choice["logprobs"] = {"content": [{"token": "x", "logprob": value}
                                              for value in answer["logprobs"]]}
        return self.reply(200, {"model": "recorded", "choices": [choice],
                                "usage": {"prompt_tokens": 1, "completion_tokens": 1}})


class Endpoint(http.server.ThreadingHTTPServer):
    """`with Endpoint(path) as server: server.url`; server.unanswered counts what was not there."""
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, path, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.answers = pending.load(path)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"
        self.seeds = collections.defaultdict(dict)  # of each request: the seeds, in order
        self.unanswered = 0
        self.prompt_bytes = 0  # of all messages of all requests
        self.lock = threading.Lock()

    def take(self, request):
        messages = [{"role": m["role"], "content": m["content"]} for m in request["messages"]]
        found = [pending.find(self.answers, {"messages": messages, "sample": number})
                 for number in range(MOST_SAMPLES)]
        found = [answer for answer in found if answer is not None]
        asked = json.dumps({**request, "seed": None}, sort_keys=True)
        with self.lock:
            self.prompt_bytes += sum(len(message["content"].encode()) for message in messages)
            seeds = self.seeds[asked]
            number = seeds.setdefault(request.get("seed"), len(seeds))
            self.unanswered += not found
        return found[min(number, len(found) - 1)] if found else None

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
