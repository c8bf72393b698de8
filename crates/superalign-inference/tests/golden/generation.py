"""Writes generation.json: what Python transformers generates, filters and templates, for the tests to compare with.

    python generation.py        # needs torch and transformers (written with 5.x on CPU); writes beside itself

- `greedy`: for every rung of models/ladder, tokens of greedy decoding in single precision, plain and with a repetition
  penalty, one prompt at a time (transformers' own cache).
- `filters`: for random scores, the ids that each logits processor leaves, and their scores.
"""

import json
import pathlib
import random

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

HERE = pathlib.Path(__file__).parent
LADDER = HERE / "../../../../models/ladder"
NEW = 24


def greedy():
    out = []
    for rung in range(4):
        folder = LADDER / f"rung-{rung}"
        model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        words = [word for word in tokenizer.get_vocab() if not word.startswith("<")]
        draw = random.Random(rung)
        words.sort()
        prompts = ["ask 3 + 4 ?", "ask", "say 7", "do dear"]
        prompts = [" ".join(word for word in prompt.split() if word in words) for prompt in prompts]
        prompts += [" ".join(draw.choices(words, k=draw.randint(2, 40))) for _ in range(6)]
        for prompt in prompts:
            ids = torch.tensor([tokenizer.encode(prompt).ids])
            mask = torch.ones_like(ids)
            cases = {}
            for penalty in (1.0, 1.3):
                with torch.no_grad():
                    whole = model.generate(
                        ids, attention_mask=mask, do_sample=False, max_new_tokens=NEW, repetition_penalty=penalty,
                        eos_token_id=3, pad_token_id=0,
                    )
                cases[str(penalty)] = whole[0, ids.shape[1]:].tolist()
            text = tokenizer.decode(cases["1.0"], skip_special_tokens=True)
            out.append({"rung": rung, "prompt": prompt, "plain": cases["1.0"], "penalty": cases["1.3"], "text": text})
    return out


def filters():
    torch.manual_seed(1)
    out = []
    for size in (1, 2, 7, 50, 400):
        for spread in (0.5, 3.0):
            scores = torch.randn(1, size) * spread
            seen = torch.randint(0, size, (1, 5))
            settings = [
                ("repetition_penalty", 1.7, RepetitionPenaltyLogitsProcessor(1.7)),
                ("temperature", 0.6, TemperatureLogitsWarper(0.6)),
                ("top_k", 5, TopKLogitsWarper(5)),
                ("top_p", 0.8, TopPLogitsWarper(0.8)),
                ("top_p", 0.25, TopPLogitsWarper(0.25)),
                ("min_p", 0.15, MinPLogitsWarper(0.15)),
            ]
            for name, value, processor in settings:
                after = processor(seen, scores.clone())[0].tolist()
                out.append({
                    "filter": name,
                    "value": value,
                    "seen": seen[0].tolist(),
                    "before": scores[0].tolist(),
                    "after": [None if x == float("-inf") else x for x in after],
                })
    return out


def main():
    cases = {"greedy": greedy(), "filters": filters()}
    (HERE / "generation.json").write_text(json.dumps(cases) + "\n")


main()
