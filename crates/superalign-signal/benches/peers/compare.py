#!/usr/bin/env python3
"""Times this crate against the Python packages that people use for the same metrics, on the same generated work.

Usage: compare.py [--threads N] [--rounds N] [--scale S] [--json FILE] [TASK...]

For every task the work is drawn from a seed and written to target/peers/work; this crate's `peers` bench and the
Python peer are then timed in turns, each pinned to the same number of threads, and the smallest times compared.
Data generation, imports and reading files are not timed. What both computed is compared as well: a ratio of two
programs that did different work would mean nothing. Exit status 1 if results differ.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
REQUIREMENTS = HERE / "requirements.txt"
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
TASKS = {}


class Task:
    """Work and the peer that does it: `make(np, rng, scale)` draws inputs, `peer(inputs)` returns a callable."""

    def __init__(self, name, against, make, peer, target, repeats, tolerance=1e-6):
        self.name, self.against, self.make, self.peer = name, against, make, peer
        self.target, self.repeats, self.tolerance = target, repeats, tolerance
        TASKS[name] = self


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="which to run [all]; `list` names them")
    parser.add_argument("--threads", type=int, default=1, help="threads of either side [%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="turns of either side [%(default)s]")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size of the work [%(default)s]")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    return parser.parse_args()


def enter_environment(threads):
    """Runs this script again inside a virtual environment, with the numbers of threads set before numpy loads."""
    folder = ROOT / "target" / "peers" / "venv"
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "requirements.done"
    wanted = REQUIREMENTS.read_text()
    if not done.exists() or done.read_text() != wanted:
        print(f"making the environment {folder} (once)", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, symlinks=os.name != "nt")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]
        subprocess.run(pip, check=True)
        done.write_text(wanted)
    environment = dict(os.environ) | {name: str(threads) for name in THREAD_VARIABLES}
    # A core type forced on the machine would slow the peer down.
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        environment.pop(name, None)
    sys.exit(subprocess.run([python, __file__, *sys.argv[1:]], env=environment).returncode)


# ---------- the work ----------


def embeddings(np, rng, n, d):
    """40 clusters and noise; the columns' scale falls, and with it the spectrum."""
    centres = rng.standard_normal((40, d))
    cluster = rng.integers(0, 40, n)
    return (centres[cluster] * 0.6 + rng.standard_normal((n, d))) * (1 + np.arange(d)) ** -0.5


def sentences(np, rng, n):
    """15 to 25 words of a Zipf law over 5,000, three in ten with one of 200 phrases of eight words."""
    share = 1 / np.arange(1, 5001)
    steps = np.cumsum(share / share.sum())
    words = lambda k: np.minimum(np.searchsorted(steps, rng.random(k)), 4999)
    phrases = [words(8) for _ in range(200)]
    texts = []
    for _ in range(n):
        text = words(int(rng.integers(15, 26)))
        if rng.random() < 0.3:
            at = int(rng.integers(0, len(text) - 7))
            text[at : at + 8] = phrases[int(rng.integers(200))]
        texts.append(" ".join(f"w{word}" for word in text))
    return texts


def ratings(np, rng, n, missing):
    """Ten raters, right in 50 to 90% of the cases, four classes; -1 where a rater gave none."""
    truth = rng.integers(0, 4, n)
    right = rng.random((n, 10)) < np.linspace(0.5, 0.9, 10)
    table = np.where(right, truth[:, None], rng.integers(0, 4, (n, 10))).astype(np.int8)
    table[rng.random((n, 10)) < missing] = -1
    return {"ratings": table}


def probabilities(np, rng, n):
    """Ten classes; one label in five is wrong."""
    truth = rng.integers(0, 10, n)
    logits = rng.standard_normal((n, 10))
    logits[np.arange(n), truth] += 2.5
    p = np.exp(logits)
    p /= p.sum(1, keepdims=True)
    wrong = rng.random(n) < 0.2
    labels = np.where(wrong, (truth + rng.integers(1, 10, n)) % 10, truth)
    return {"probs": p, "labels": labels.astype(np.int64)}


def two_sets(np, rng, n):
    centres = rng.standard_normal((40, 384))
    draw = lambda noise: centres[rng.integers(0, 40, n)] * 0.6 + noise * rng.standard_normal((n, 384))
    return {"real": draw(1.0), "fake": draw(1.1)}


# ---------- the peers ----------


def vendi_numpy(data):
    import numpy as np

    def run():
        unit = data["x"] / np.linalg.norm(data["x"], axis=1, keepdims=True)
        values = np.linalg.eigvalsh(unit.T @ unit / len(unit))
        values = values[values > 1e-12]
        return {"vendi": float(np.exp(-(values * np.log(values)).sum()))}

    return run


def vendi_package(data):
    from vendi_score import vendi

    return lambda: {"vendi": float(vendi.score_X(data["x"], normalize=True))}


def krippendorff_package(data):
    import krippendorff
    import numpy as np

    table = data["ratings"].astype(float)
    table[table < 0] = np.nan
    table = table.T.copy()
    return lambda: {"alpha": float(krippendorff.alpha(table, level_of_measurement="nominal"))}


def dawid_skene_crowdkit(data):
    import numpy as np
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    item, rater = np.nonzero(data["ratings"] >= 0)
    label = data["ratings"][item, rater].astype(np.int64)
    votes = pd.DataFrame({"task": item, "worker": rater, "label": label})

    def run():
        # Its stopping rule is on a bound that counts the prior once per vote; 1e-5 is its default.
        found = DawidSkene(n_iter=100, tol=1e-5).fit(votes)
        return {"prior": [float(p) for p in found.priors_.sort_index()]}

    return run


def joint_cleanlab(data):
    import numpy as np
    from cleanlab import count

    def run():
        joint = count.compute_confident_joint(data["labels"], data["probs"], calibrate=False)
        return {"off_diagonal": int(joint.sum() - np.trace(joint))}

    return run


def ece_numpy(data):
    import numpy as np

    p, y = data["probs"], data["labels"]

    def run():
        said = p.argmax(1)
        confidence = p[np.arange(len(p)), said]
        bins = np.minimum((confidence * 15).astype(np.int64), 14)
        stated = np.bincount(bins, confidence, 15)
        came_true = np.bincount(bins, said == y, 15)
        return {"ece": float(np.abs(came_true - stated).sum() / len(p))}

    return run


def prdc_package(data):
    import contextlib
    import io
    import prdc

    def run():
        with contextlib.redirect_stdout(io.StringIO()):
            found = prdc.compute_prdc(data["real"], data["fake"], 5)
        return {key: float(value) for key, value in found.items()}

    return run


def distinct_sets(data):
    def run():
        found = {}
        texts = [text.split() for text in data["texts"]]
        for n in (1, 2, 3, 4):
            grams, total = set(), 0
            for text in texts:
                mine = list(zip(*[text[i:] for i in range(n)]))
                total += len(mine)
                grams.update(mine)
            found[f"distinct_{n}"] = len(grams) / total
        return found

    return run


def self_bleu_fast(data):
    import numpy as np
    from fast_bleu import SelfBLEU

    texts = [text.split() for text in data["texts"]]
    return lambda: {"self_bleu": float(np.mean(SelfBLEU(texts, {4: (0.25,) * 4}).get_score()[4]))}


def self_bleu_nltk(data):
    import numpy as np
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    texts = [text.split() for text in data["texts"]]
    smoothing = SmoothingFunction().method1

    def one(i):
        others = texts[:i] + texts[i + 1 :]
        return sentence_bleu(others, texts[i], weights=(0.25,) * 4, smoothing_function=smoothing)

    return lambda: {"self_bleu": float(np.mean([one(i) for i in range(len(texts))]))}


def embedding_work(n):
    return lambda np, rng, scale: {"x": embeddings(np, rng, int(n * scale), 384)}


def text_work(n):
    return lambda np, rng, scale: {"texts": sentences(np, rng, int(n * scale))}


Task("vendi", "numpy, d x d", embedding_work(10_000), vendi_numpy, 1, 5)
Task("vendi-default", "vendi-score, n x n", embedding_work(10_000), vendi_package, 500, 1, 1e-5)
Task("self-bleu", "fast-bleu (C++)", text_work(1_000), self_bleu_fast, 3, 3, 1e-3)
Task("self-bleu-nltk", "nltk", text_work(1_000), self_bleu_nltk, 300, 1)
Task("krippendorff", "krippendorff", lambda np, rng, s: ratings(np, rng, int(100_000 * s), 0.3), krippendorff_package, 15, 5)
# Two programs that stop at different places: the class shares agree to about the peer's tolerance.
Task("dawid-skene", "crowd-kit", lambda np, rng, s: ratings(np, rng, int(100_000 * s), 0.0), dawid_skene_crowdkit, 10, 1, 2e-3)
Task("confident-joint", "cleanlab", lambda np, rng, s: probabilities(np, rng, int(1_000_000 * s)), joint_cleanlab, 10, 3)
Task("distinct", "Python sets", text_work(100_000), distinct_sets, 10, 1)
Task("prdc", "prdc", lambda np, rng, s: two_sets(np, rng, int(5_000 * s)), prdc_package, 4, 1)
Task("ece", "numpy", lambda np, rng, s: probabilities(np, rng, int(1_000_000 * s)), ece_numpy, 10, 5)


# ---------- both sides, in turns ----------


def write(np, folder, data):
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in data.items():
        if isinstance(value, list):
            (folder / f"{name}.txt").write_text("\n".join(value) + "\n")
        else:
            np.save(folder / f"{name}.npy", value)


def build():
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "bench", "--quiet", "-p", "superalign-signal", "--bench", "peers", "--no-run", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "peers")


def ours(program, task, folder, repeats):
    command = [program, task, str(folder), str(repeats)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def timed(run, repeats):
    best, result = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - start)
    return best, result


def alike(a, b, tolerance):
    if isinstance(b, dict):
        return all(key in a and alike(a[key], b[key], tolerance) for key in b)
    if isinstance(b, list):
        return len(a) == len(b) and all(alike(x, y, tolerance) for x, y in zip(a, b))
    return abs(a - b) <= tolerance * max(1.0, abs(b))


def compare(np, program, task, args):
    data = task.make(np, np.random.Generator(np.random.PCG64(1234)), args.scale)
    folder = ROOT / "target" / "peers" / "work" / task.name
    write(np, folder, data)
    peer = task.peer(data)
    best_ours, best_peer = float("inf"), float("inf")
    for _ in range(args.rounds if task.repeats > 1 else 1):
        found = ours(program, task.name, folder, max(5, task.repeats))
        best_ours = min(best_ours, found["seconds"])
        seconds, result = timed(peer, task.repeats)
        best_peer = min(best_peer, seconds)
    return {
        "task": task.name,
        "peer": task.against,
        "peer_s": best_peer,
        "ours_s": best_ours,
        "ratio": best_peer / best_ours,
        "target": task.target,
        "alike": alike(found["result"], result, task.tolerance),
        "ours": found["result"],
        "theirs": result,
    }


def main():
    args = arguments()
    if args.tasks == ["list"]:
        print("\n".join(f"{task.name:16} {task.against}" for task in TASKS.values()))
        return 0
    unknown = [name for name in args.tasks if name not in TASKS]
    if unknown:
        sys.exit(f"no task {', '.join(unknown)}: expected some of {', '.join(TASKS)}")
    enter_environment(args.threads)
    import warnings

    import numpy as np

    warnings.filterwarnings("ignore")
    program = build()
    print(f"{'task':16} {'peer':20} {'peer, ms':>10} {'ours, ms':>9} {'ratio':>8} {'target':>7}  results")
    rows = []
    for name in args.tasks or TASKS:
        row = compare(np, program, TASKS[name], args)
        rows.append(row)
        verdict = "alike" if row["alike"] else f"DIFFER: {row['ours']} and {row['theirs']}"
        print(
            f"{row['task']:16} {row['peer']:20} {1e3 * row['peer_s']:10.2f} {1e3 * row['ours_s']:9.3f}"
            f" {row['ratio']:7.1f}x {row['target']:6}x  {verdict}",
            flush=True,
        )
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{args.threads} thread(s) a side; load average at the end {load:.1f}")
    if args.json:
        args.json.write_text(json.dumps({"threads": args.threads, "load": load, "tasks": rows}, indent=1) + "\n")
    return 0 if all(row["alike"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
