# SPDX-License-Identifier: Apache-2.0
"""pipelines/README.md: the table of recipes, from the head of each file.

    python3 tests/docs/recipes_table.py

writes the tables between the marks of the page. A recipe's head is a comment: the method with its
paper, `does:`, `checked:`, each of one line or more. Which part of the survey it belongs to stands
here, so that the page has the survey's order.
"""
import glob
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PIPELINES = os.path.join(ROOT, "pipelines")
PAGE = os.path.join(PIPELINES, "README.md")
BEGIN, END = "<!-- recipes: made by tests/docs/recipes_table.py -->", "<!-- end of recipes -->"

PARTS = (
    ("Task specification", "role_play codebook_annotation gpt3mix gpt3mix_votes schema_output"),
    ("Conditioning scope", "zerogen supergen attrprompt simprompt clingen clingen_nli tinystories "
                           "textbooks ada_instruct"),
    ("Conditioning values", "class_values concept_tree template_pool personas document_qa "
                            "ultrachat_material oss_instruct"),
    ("Knowledge", "synthie kg_questions knowledge_enhanced retrieval_augmented "
                  "ares_synthetic"),
    ("Demonstrations", "kate vote_k progen lab annollm dissimilar_demos mixed_pool"),
    ("Sample-wise steps", "ultrachat self_prompting self_prompting_answers symgen "
                          "chain_of_thought self_consistency constitutional_ai "
                          "constitutional_preferences evol_instruct metamath orca dromedary"),
    ("Dataset-wise steps", "self_instruct alpaca unnatural_instructions synthetic_prompting "
                           "explore_instruct s3 rest_em bare"),
    ("Tools and planning", "tool_use checked_maths code_exercises toolbench autonomous"),
    ("Annotation", "prompt_panel ner relations nli_pairs wanli translation_pairs paxqa tabular "
                   "intent_augmentation lm_labelling_functions"),
    ("Curation: filters", "semantic_deduplication decontamination clean_text toxicity_cascade "
                          "cllm data_map confident_learning alpagasus"),
    ("Curation: weights", "sungen llmaaa fewgen"),
    ("Curation: labels without people", "freeal mckd regen dawid_skene ares udapdr"),
    ("Curation: labels with people", "human_labels coannotating active_labelling"),
    ("What users of other tools expect", "quickstart instruction_data multi_turn_chat "
                                         "preference_pairs"),
)


def head(path):
    """The first comment of a recipe as {"title", "does", "checked"}."""
    parts, part = {"title": ""}, "title"
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                break
            text = line[1:].strip()
            if text.startswith("SPDX-") or (not text and part is None):
                continue
            key = re.match(r"(does|checked):\s*(.*)", text)
            if key:
                part, text = key.group(1), key.group(2)
                parts[part] = ""
            elif not text or (part == "checked" and re.match(r"[A-Z]\w*.*:$", text)):
                part = None
            elif part in ("does", "checked") and not line.startswith("#   "):
                part = None
            if part:
                parts[part] = f"{parts[part]} {text}".strip()
    return parts


def recipes():
    return {os.path.splitext(os.path.basename(path))[0]: head(path)
            for path in sorted(glob.glob(os.path.join(PIPELINES, "*.yaml")))}


def tables(found):
    lines = []
    for part, names in PARTS:
        names = [name for name in names.split() if name in found]
        if not names:
            continue
        lines += ["", f"### {part}", "", "| recipe | method | what it does | checked |",
                  "|---|---|---|---|"]
        for name in names:
            row = found[name]
            cells = [f"[`{name}`]({name}.yaml)", row["title"].rstrip("."), row.get("does", ""),
                     row.get("checked", "")]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def made():
    """The page as it should be."""
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables(recipes())}\n{END}{after}"


def without_a_place():
    placed = {name for _, names in PARTS for name in names.split()}
    return sorted(set(recipes()) - placed)


if __name__ == "__main__":
    page = made()
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(page)
    for name in without_a_place():
        print(f"{name}: add it to a part in tests/docs/recipes_table.py")
