#!/usr/bin/env python3
"""Times generation against Python transformers on the processor: tokens a second for a batch of prompts.

Usage: generate.py [--model DIR] [--rounds N] [--prompts N] [--json FILE]

Both continue the same prompts by 64 tokens each, greedily, end tokens ignored; both in single precision on all cores,
transformers with its key-value cache, left padding and default threads. They take turns; opening and a first round to
warm up are not timed; the median of the turns is compared, and so is the processor time that a batch costs, which other
work on the machine disturbs less (spinning threads count in it). ONNX Runtime is the one that `superalign runtime status`
tells. Exit status 1 if a token differs.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from common import ROOT, build, enter_environment


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "ladder" / "rung-3")
    parser.add_argument("--rounds", type=int, default=5, help="turns of either side [%(default)s]")
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    return parser.parse_args()


def prompts(model, count):
    from tokenizers import Tokenizer

    vocabulary = Tokenizer.from_file(str(model / "tokenizer.json")).get_vocab()
    words = sorted(word for word in vocabulary if word.isalpha())
    draw = random.Random(1)
    return [" ".join(draw.choices(words, k=draw.randint(4, 40))) for _ in range(count)]


def main():
    options = arguments()
    enter_environment("generate")
    program = build("generate")
    texts = prompts(options.model, options.prompts)

    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(options.model / "tokenizer.json"), pad_token="<pad>", padding_side="left"
    )
    peer = transformers.AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32).eval()
    peer.generation_config.eos_token_id = None

    def theirs():
        start = time.perf_counter()
        batch = tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
        with torch.inference_mode():
            ids = peer.generate(**batch, do_sample=False, max_new_tokens=64, pad_token_id=0)
        new = ids[:, batch["input_ids"].shape[1]:]
        return new.numel() / (time.perf_counter() - start), new.tolist()

    def ours():
        command = [program, options.model, "1", "2"]
        done = subprocess.run(command, input="\n".join(texts), text=True, stdout=subprocess.PIPE, check=True)
        second = json.loads(done.stdout.splitlines()[1])
        return second["tokens"] / second["seconds"], second["ids"]

    def cost(rounds):
        """Processor seconds of a whole run of ours."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [program, options.model, "1", str(rounds)]
        subprocess.run(command, input="\n".join(texts), text=True, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    theirs()
    turns, costs = [], []
    for turn in range(options.rounds):
        mine, my_ids = ours()
        before = time.process_time()
        other, other_ids = theirs()
        other_cost = time.process_time() - before
        costs.append(((cost(6) - cost(1)) / 5, other_cost))
        same = sum(a == b for a, b in zip(my_ids, other_ids))
        turns.append((mine, other))
        load = os.getloadavg()[0]
        print(f"turn {turn + 1}: ours {mine:8.0f} tokens/s, transformers {other:8.0f}; "
              f"{same} of {len(texts)} completions equal; load {load:.1f}", flush=True)
    mine, other = (statistics.median(side) for side in zip(*turns))
    ratio = statistics.median(a / b for a, b in turns)
    print(f"median: ours {mine:.0f}, transformers {other:.0f} tokens/s; ratio of turns {ratio:.2f} "
          f"(torch {torch.__version__}, {torch.get_num_threads()} threads)")
    my_cost, other_cost = (statistics.median(side) for side in zip(*costs))
    print(f"processor seconds a batch: ours {my_cost:.2f}, transformers {other_cost:.2f}; ratio {other_cost / my_cost:.2f}")
    if options.json:
        figures = {"ours": mine, "transformers": other, "ratio": ratio, "turns": turns, "costs": costs, "equal": same}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    sys.exit(same != len(texts))


main()
