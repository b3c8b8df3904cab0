# SPDX-License-Identifier: Apache-2.0
"""Makes llama_reference.inc: what all-MiniLM-L6-v2 gives for four texts, by its own arithmetic.

A forward pass in numpy over the safetensors file, in float64, with a word-piece tokenizer of its
own: it shares no code with llama.cpp or with the converter that it checks. Needed in development
only.
Usage: llama_reference.py MODEL_FOLDER > llama_reference.inc
"""
import json
import sys
import unicodedata

import numpy as np

TEXTS = [
    "A moving, funny film with wonderful performances.",
    "The plot is dull and the acting is worse.",
    "Caf\u00e9 na\u00efve: 3,000 d\u00e9j\u00e0-vu moments (unbelievably!)",
    "x",
]
LAYERS, HEADS = 6, 12


def load(folder):
    raw = open(folder + "/model.safetensors", "rb").read()
    size = int.from_bytes(raw[:8], "little")
    tensors = {}
    for name, entry in json.loads(raw[8:8 + size]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            data = np.frombuffer(raw[8 + size + begin:8 + size + end], dtype="<f4")
            tensors[name] = data.reshape(entry["shape"]).astype(np.float64)
    return tensors


def words(text):
    """BERT's basic tokenizer: lower case, accents away, punctuation apart."""
    text = unicodedata.normalize("NFD", text.lower())
    text = "".join(c for c in text if unicodedata.category(c) != "Mn")
    out = ""
    for c in text:
        ascii_mark = any(low <= ord(c) <= high
                         for low, high in ((33, 47), (58, 64), (91, 96), (123, 126)))
        out += f" {c} " if ascii_mark or unicodedata.category(c).startswith("P") else c
    return out.split()


def tokenize(text, vocabulary):
    tokens = [vocabulary["[CLS]"]]
    for word in words(text):
        pieces, start = [], 0
        while start < len(word):
            end = len(word)
            while end > start and ("##" if start else "") + word[start:end] not in vocabulary:
                end -= 1
            if end == start:
                pieces = [vocabulary["[UNK]"]]
                break
            pieces.append(vocabulary[("##" if start else "") + word[start:end]])
            start = end
        tokens += pieces
    return tokens + [vocabulary["[SEP]"]]


def erf(x):
    from math import erf as scalar
    return np.vectorize(scalar)(x)


def norm(x, tensors, name):
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(var + 1e-12) * tensors[name + ".weight"] + tensors[name + ".bias"]


def dense(x, tensors, name):
    return x @ tensors[name + ".weight"].T + tensors[name + ".bias"]


def embed(tokens, t):
    x = (t["embeddings.word_embeddings.weight"][tokens]
         + t["embeddings.position_embeddings.weight"][:len(tokens)]
         + t["embeddings.token_type_embeddings.weight"][0])
    x = norm(x, t, "embeddings.LayerNorm")
    n, width = x.shape
    for layer in range(LAYERS):
        p = f"encoder.layer.{layer}."
        q, k, v = (
            dense(x, t, p + "attention.self." + part).reshape(n, HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value"))
        score = q @ k.transpose(0, 2, 1) / np.sqrt(width // HEADS)
        weight = np.exp(score - score.max(-1, keepdims=True))
        weight /= weight.sum(-1, keepdims=True)
        heads = (weight @ v).transpose(1, 0, 2).reshape(n, width)
        x = norm(x + dense(heads, t, p + "attention.output.dense"), t,
                 p + "attention.output.LayerNorm")
        up = dense(x, t, p + "intermediate.dense")
        up = up * 0.5 * (1 + erf(up / np.sqrt(2)))
        x = norm(x + dense(up, t, p + "output.dense"), t, p + "output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def main():
    folder = sys.argv[1]
    tensors = load(folder)
    lines = open(folder + "/vocab.txt", encoding="utf-8").read().splitlines()
    vocabulary = {piece: index for index, piece in enumerate(lines)}
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by llama_reference.py: the vectors of four texts in float64 arithmetic. */")
    print("static const struct {\n    const char *text;\n    unsigned tokens;\n"
          "    float vector[384];\n} reference[] = {")
    for text in TEXTS:
        tokens = tokenize(text, vocabulary)
        quoted = "".join(c if ord(c) < 128 else "".join(f"\\{b:03o}" for b in c.encode())
                         for c in text)
        print(f'    {{"{quoted}", {len(tokens)},\n     {{', end="")
        values = [f"{value:.6f}f" for value in embed(tokens, tensors)]
        for row in range(0, len(values), 8):
            print(("      " if row else "") + ", ".join(values[row:row + 8]),
                  end=",\n" if row < 376 else "")
        print("}},")
    print("};")


main()
