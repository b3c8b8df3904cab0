#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Hugging Face encoder as a student: what `learner: { use: exec, command: [...] }` starts.

    pip install torch transformers
    learner: { use: exec, command: [python3, examples/encoder/encoder.py, --model, FOLDER] }

Fine-tunes a whole encoder, under one linear layer over the mean of its last states, on the
examples, soft labels and weights included, and after each pass tells the probabilities of the
watched examples, so that `dynamics` can draw data maps of it and `freeal` can stop its warm-up.
README.md beside this file has figures; plugins/exec/README.md has the protocol. Nothing but answers
may go to stdout; what is said on stderr, a line a pass, is in the run's log.
"""
import argparse
import contextlib
import json
import os
import sys
import time


def read(count):
    return [json.loads(sys.stdin.readline()) for _ in range(count)]


def answer(value):
    print(json.dumps(value), flush=True)


def say(words):
    print(words, file=sys.stderr, flush=True)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="distilbert-base-uncased",
                        help="a folder with config.json, or a name on the Hugging Face hub")
    parser.add_argument("--epochs", type=int, default=3, help="passes over the examples")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=5e-5, help="of AdamW, at its highest")
    parser.add_argument("--smoothing", type=float, default=0,
                        help="so much of each target is spread evenly over the classes")
    parser.add_argument("--length", type=int, default=128, help="tokens; a longer text is cut")
    parser.add_argument("--threads", type=int, default=2,
                        help="part of what makes two runs equal, so not the machine's number")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    return parser.parse_args()


class Encoder:
    """An encoder with a classification layer, fitted to one lesson."""

    def __init__(self, options, classes):
        from transformers import AutoModel, AutoTokenizer, logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.options = options
        self.tokenizer = AutoTokenizer.from_pretrained(options.model)
        encoder = AutoModel.from_pretrained(options.model)
        head = torch.nn.Linear(encoder.config.hidden_size, classes)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.parts = torch.nn.ModuleDict({"encoder": encoder.float(), "head": head}).to(self.device)

    def tokens(self, examples):
        """Token numbers for each text, made once and not in each pass."""
        texts = [example["text"] for example in examples]
        return self.tokenizer(texts, truncation=True, max_length=self.options.length)["input_ids"]

    def logits(self, tokens):
        batch = self.tokenizer.pad({"input_ids": tokens}, return_tensors="pt").to(self.device)
        bfloat16 = self.options.precision == "bfloat16"
        with torch.autocast(self.device, torch.bfloat16) if bfloat16 else contextlib.nullcontext():
            states = self.parts["encoder"](**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(2).float()
        means = (states.float() * mask).sum(1) / mask.sum(1)
        return self.parts["head"](torch.nn.functional.dropout(means, 0.1, self.parts.training))

    def batches(self, tokens):
        """All rows in random order, those of one batch of nearly the same length: padding would
        double the work."""
        batches = []
        for some in torch.randperm(len(tokens)).split(16 * self.options.batch):
            some = some[torch.tensor([len(tokens[row]) for row in some]).sort(stable=True)[1]]
            batches += some.split(self.options.batch)
        return [batches[i] for i in torch.randperm(len(batches))]

    def targets(self, examples, classes):
        targets = torch.zeros(len(examples), classes)
        for row, example in zip(targets, examples):
            if "soft" in example:
                row += torch.tensor(example["soft"])
            else:
                row[example["label"]] = 1
        return (1 - self.options.smoothing) * targets + self.options.smoothing / classes

    def fit(self, examples, classes, after_pass):
        options = self.options
        tokens, targets = self.tokens(examples), self.targets(examples, classes)
        weights = torch.tensor([example["weight"] for example in examples])
        steps = options.epochs * -(-len(examples) // options.batch)
        optimizer = torch.optim.AdamW(self.parts.parameters(), lr=options.rate, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(
            (step + 1) / (0.1 * steps + 1), (steps - step) / (0.9 * steps)))
        for number in range(1, options.epochs + 1):
            began, total = time.monotonic(), 0
            self.parts.train()
            for rows in self.batches(tokens):
                losses = torch.nn.functional.cross_entropy(
                    self.logits([tokens[row] for row in rows.tolist()]),
                    targets[rows].to(self.device), reduction="none")
                cost = weights[rows].to(self.device)
                loss = (losses * cost).sum() / cost.sum().clamp(min=1e-9)
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.parts.parameters(), 1)
                optimizer.step()
                schedule.step()
                total += loss.item() * len(rows)
            say(f"pass {number} of {options.epochs} over {len(examples)} examples: loss "
                f"{total / len(examples):.4f}, {time.monotonic() - began:.0f} s")
            after_pass()

    def predict(self, examples):
        """The probabilities of each class for each example. Texts of like length go together."""
        self.parts.eval()
        tokens = self.tokens(examples)
        order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
        found = [None] * len(tokens)
        with torch.inference_mode():
            for start in range(0, len(order), self.options.batch):
                rows = order[start:start + self.options.batch]
                logits = self.logits([tokens[row] for row in rows])
                for row, probabilities in zip(rows, logits.softmax(1).tolist()):
                    found[row] = probabilities
        return found


def fit(options, request, examples, watched):
    for example in examples[:1] + watched[:1]:
        if "text" not in example:
            raise ValueError("an encoder reads texts: leave `vector` away")
    torch.manual_seed(request["seed"])
    encoder = Encoder(options, request["classes"])

    def after_pass():
        if watched:
            answer({"pass": encoder.predict(watched)})

    encoder.fit(examples, request["classes"], after_pass)
    return encoder


def main():
    options = read_options()
    torch.set_num_threads(options.threads)
    encoder = None
    for line in sys.stdin:
        request = json.loads(line)
        examples = read(request["count"])
        try:
            if request["operation"] == "fit":
                encoder = fit(options, request, examples, read(request["watched"]))
                answer({"fitted": True})
            else:
                for row in encoder.predict(examples):
                    answer({"probabilities": row})
        except (OSError, RuntimeError, ValueError) as problem:  # no such model, no memory left
            answer({"error": " ".join(str(problem).split())})


os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
try:
    import torch
except ImportError as problem:
    answer({"error": f"{problem}: pip install torch transformers"})
    sys.exit(1)
if __name__ == "__main__":
    main()
