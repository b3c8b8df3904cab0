# SPDX-License-Identifier: Apache-2.0
"""A Hugging Face encoder as a student: what `learner: { use: exec, command: [...] }` starts.

    pip install torch transformers
    learner: { use: exec, command: [python3, examples/encoder/encoder.py, --epochs, "3"] }

Fine-tunes a sequence classifier on the examples, soft labels and weights included, and after each
epoch tells the probabilities of the watched examples, so that `dynamics` can draw data maps of it.
plugins/exec/README.md has the protocol. Nothing but answers may go to stdout.
"""
import argparse
import json
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def read(count):
    return [json.loads(sys.stdin.readline()) for _ in range(count)]


def answer(value):
    print(json.dumps(value), flush=True)


class Encoder:
    def __init__(self, options, classes):
        self.options = options
        self.tokenizer = AutoTokenizer.from_pretrained(options.model)
        self.model = AutoModelForSequenceClassification.from_pretrained(options.model,
                                                                        num_labels=classes)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model.to(self.device)

    def logits(self, texts):
        batch = self.tokenizer(texts, padding=True, truncation=True, max_length=self.options.length,
                               return_tensors="pt").to(self.device)
        return self.model(**batch).logits

    def fit(self, examples, classes, seed, after_epoch):
        order = torch.Generator().manual_seed(seed % 2 ** 31)
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=self.options.rate)
        targets = torch.zeros(len(examples), classes)
        for i, example in enumerate(examples):
            if "soft" in example:
                targets[i] = torch.tensor(example["soft"])
            else:
                targets[i, example["label"]] = 1
        weights = torch.tensor([example["weight"] for example in examples])
        for _ in range(self.options.epochs):
            self.model.train()
            for rows in torch.randperm(len(examples), generator=order).split(self.options.batch):
                logits = self.logits([examples[i]["text"] for i in rows.tolist()])
                loss = torch.nn.functional.cross_entropy(logits, targets[rows].to(self.device),
                                                         reduction="none")
                cost = weights[rows].to(self.device)
                optimizer.zero_grad()
                ((loss * cost).sum() / cost.sum().clamp(min=1e-9)).backward()
                optimizer.step()
            after_epoch()

    @torch.no_grad()
    def predict(self, examples):
        self.model.eval()
        for start in range(0, len(examples), self.options.batch):
            part = examples[start:start + self.options.batch]
            yield from self.logits([example["text"] for example in part]).softmax(1).tolist()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="distilbert-base-uncased")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-5)
    parser.add_argument("--length", type=int, default=128)
    options = parser.parse_args()
    encoder = None
    for line in sys.stdin:
        request = json.loads(line)
        examples = read(request["count"])
        if request["operation"] == "fit":
            watched = read(request["watched"])
            torch.manual_seed(request["seed"] % 2 ** 31)
            encoder = Encoder(options, request["classes"])

            def after_epoch(encoder=encoder, watched=watched):
                if watched:
                    answer({"pass": list(encoder.predict(watched))})

            encoder.fit(examples, request["classes"], request["seed"], after_epoch)
            answer({"fitted": True})
        else:
            for row in encoder.predict(examples):
                answer({"probabilities": row})


if __name__ == "__main__":
    main()
