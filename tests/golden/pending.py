# SPDX-License-Identifier: Apache-2.0
"""A stand-in model for writing a recipe's recorded answers, to be used with `exec`:

    xylem run pipelines/METHOD.yaml --set 'models.teacher={use: exec, command: [python3,
        tests/golden/pending.py, tests/golden/METHOD/answers.jsonl, pending.jsonl]}'

It answers from the first file (the format of the `replay` generator). A request without an answer
fails, and is appended to the second file as a line for the first, its answer to be filled in: write
what a good model would, move the lines over, and run again until nothing is pending.
"""
import json
import sys


def key_of(request):
    """The exact request, as plugins/replay/README.md defines it."""
    text = b""
    for message in request.get("messages", []):
        text += message["role"].encode() + b"\x1f" + message["content"].encode() + b"\x1e"
    for part in request.get("candidates", request.get("texts", [])):
        text += part.encode() + b"\x1e"
    text += str(request.get("sample", 0)).encode() + b"\x1e"
    hash_ = 0xCBF29CE484222325
    for byte in text:
        hash_ = (hash_ ^ byte) * 0x100000001B3 % 2 ** 64
    return f"{hash_:016x}"


def load(path):
    """Answers by exact key, by (prompt, sample), and by prompt alone under sample None."""
    answers = {}
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                answer = json.loads(line)
                if "key" in answer:
                    answers[answer["key"]] = answer
                elif "messages" in answer:
                    scores = answer.get("scores", {})
                    answers[key_of({**answer, "candidates": list(scores)})] = answer
                    if scores:  # over OpenAI's API nobody tells the candidates
                        answers.setdefault(key_of(answer), answer)
                if "prompt" in answer:
                    answers[answer["prompt"], answer.get("sample")] = answer
    except FileNotFoundError:
        pass
    return answers


def find(answers, request, text=None):
    """The recorded answer to a request (`text`: to one text of an embedding), or None."""
    prompt = text
    if prompt is None:
        users = [m["content"] for m in request.get("messages", []) if m["role"] == "user"]
        prompt = users[-1] if users else ""
    for key in (None if text else key_of(request), (prompt, request.get("sample", 0)),
                (prompt, None)):
        if key in answers:
            return answers[key]
    return None


def pending_line(request, text=None):
    if text is not None:
        return {"prompt": text, "vector": []}
    line = {"key": key_of(request), "messages": request["messages"]}
    if request["operation"] == "score":
        return {**line, "scores": dict.fromkeys(request["candidates"], None)}
    return {**line, "sample": request.get("sample", 0), "text": None}


def main():
    answers = load(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        parts = request["texts"] if request["operation"] == "embed" else [None]
        found = [find(answers, request, part) for part in parts]
        missing = [part for part, answer in zip(parts, found) if answer is None]
        reply = {"id": request["id"]}
        if missing:
            with open(sys.argv[2], "a", encoding="utf-8") as file:
                for part in missing:
                    file.write(json.dumps(pending_line(request, part), ensure_ascii=False) + "\n")
            reply["error"] = f"pending: written to {sys.argv[2]}"
        elif request["operation"] == "embed":
            reply["vectors"] = [answer["vector"] for answer in found]
        elif request["operation"] == "score":
            scores = found[0]["scores"]
            reply["scores"] = scores if isinstance(scores, list) else \
                [scores[candidate] for candidate in request["candidates"]]
            reply.update({name: found[0][name] for name in ("score_tokens", "logprobs")
                          if name in found[0]})
        else:
            reply.update({name: found[0][name] for name in ("text", "finish", "logprobs")
                          if name in found[0]})
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
