#!/usr/bin/env python3
"""Times a sweep of probes against scikit-learn, one fit after the other, on the same work and threads.

Usage: compare.py [--threads N] [--rounds N] [--rows N] [--tolerance G] [--encoder DIR] [--texts DIR] [--json FILE]
                  [TASK...]

The work is 11 noise ratios x 5 seeds = 55 binary problems on one matrix of 10,000 x 768 in single precision, C = 1.
It is written to target/peers/work; this crate's `peers` bench and scikit-learn's lbfgs (at its default tolerance, with
iterations enough to reach it) are timed in turns, and the smallest times compared. Making the work, imports, reading
files and scaling the peer's features are not timed. The objectives of both are computed here, in double precision, and
held against an optimum at a tight tolerance. Exit status 1 if an objective is too high.

Ours stops at a gradient norm of 0.01 by default, which puts the objective at most 0.01^2 / 2 above its optimum (and is
a thousandth of what scikit-learn's default comes to); --tolerance 1e-5 is the default of the library.

Tasks: `independent`, Gaussian columns; `encoder`, mean-pooled vectors of two layers of a sentence encoder (ONNX, with
its tokenizer.json) over real texts, scaled to unit variance; `encoder-raw`, the same as they are. The last two are
skipped where the encoder or the texts are not found.
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
WORK = ROOT / "target" / "peers" / "work"
REQUIREMENTS = HERE / "requirements.txt"
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
TARGETS = {"independent": 8, "encoder": 20, "encoder-raw": 20}
RATIOS, SEEDS, COLUMNS = 11, 5, 768
# How far above the tight optimum an objective may be, as a part of it.
GAP = 1e-6


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"which to run [all]: {', '.join(TARGETS)}")
    parser.add_argument("--threads", type=int, default=2, help="threads of either side [%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="turns of either side [%(default)s]")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the features [%(default)s]")
    parser.add_argument("--tolerance", default="0.01", help="gradient norm at which ours stops [%(default)s]")
    parser.add_argument("--encoder", type=Path, default=ROOT.parent / "shared" / "models" / "minilm")
    parser.add_argument("--texts", type=Path, default=ROOT.parent / "shared" / "data" / "hh-harmless")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    return parser.parse_args()


def enter_environment(threads):
    """Runs this script again inside a virtual environment, with the numbers of threads set before numpy loads."""
    folder = ROOT / "target" / "peers" / "venv-learner"
    pinned = all(os.environ.get(name) == str(threads) for name in THREAD_VARIABLES)
    if pinned and Path(sys.prefix).resolve() == folder.resolve():
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


def independent(np, rng, args):
    x = rng.standard_normal((args.rows, COLUMNS), dtype=np.float32)
    score = x @ rng.standard_normal(COLUMNS) * (2 / COLUMNS**0.5) + rng.standard_normal(args.rows)
    return x, score > 0


def encoder(np, rng, args):
    x, truth = embeddings(np, args)
    spread = x.std(0)
    return ((x - x.mean(0)) / np.where(spread > 0, spread, 1)).astype(np.float32), truth


def encoder_raw(np, rng, args):
    return embeddings(np, args)


def embeddings(np, args):
    """Replies that people chose (true) or rejected, and what two layers of the encoder make of them; kept on disk."""
    kept = WORK / f"embeddings-{args.rows}.npz"
    if not kept.exists():
        print("encoding the texts (once)", file=sys.stderr, flush=True)
        WORK.mkdir(parents=True, exist_ok=True)
        vectors, truth = encode(np, args)
        np.savez(kept, vectors=vectors, truth=truth)
    found = np.load(kept)
    return found["vectors"], found["truth"]


def encode(np, args):
    import onnxruntime
    from tokenizers import Tokenizer

    texts, truth = [], []
    for path in sorted(args.texts.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            pair = json.loads(line)
            for key in ("chosen", "rejected"):
                texts.append(pair[key][-400:])
                truth.append(key == "chosen")
    texts, truth = texts[: args.rows], np.array(truth[: args.rows])
    if len(texts) < args.rows:
        sys.exit(f"{args.texts}: {len(texts)} texts, {args.rows} wanted")
    tokenizer = Tokenizer.from_file(str(args.encoder / "tokenizer.json"))
    tokenizer.enable_truncation(64)
    tokenizer.enable_padding()
    session = onnxruntime.InferenceSession(str(args.encoder / "model.onnx"), providers=["CPUExecutionProvider"])
    layers = ["hidden_states.3", "last_hidden_state"]
    vectors = np.zeros((len(texts), COLUMNS), np.float32)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for start in range(0, len(order), 32):
        batch = order[start : start + 32]
        coded = tokenizer.encode_batch([texts[i] for i in batch])
        ids = np.array([c.ids for c in coded], np.int64)
        mask = np.array([c.attention_mask for c in coded], np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        share = (mask / mask.sum(1, keepdims=True)).astype(np.float32)
        hidden = session.run(layers, given)
        vectors[batch] = np.concatenate([np.einsum("bs,bsd->bd", share, h) for h in hidden], axis=1)
    return vectors, truth


def noisy(np, rng, truth):
    """One column per seed and ratio; an item that is flipped at a ratio is flipped at every larger one."""
    columns = []
    for _ in range(SEEDS):
        u = rng.random(len(truth))
        columns += [truth != (u < ratio / (RATIOS - 1)) for ratio in range(RATIOS)]
    return np.stack(columns, axis=1).astype(np.float64)


# ---------- both sides, in turns ----------


def build():
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "bench", "--quiet", "-p", "superalign-learner", "--features", "rayon", "--bench", "peers"]
    command += ["--no-run", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "peers")


def ours(np, program, folder, args):
    command = [program, str(folder), "3", str(args.threads), args.tolerance]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found, np.load(folder / "ours.npy")


def theirs(np, x, labels):
    """Seconds, iterations, coefficients (intercept last) and CPU seconds of one fit per column."""
    from sklearn.linear_model import LogisticRegression

    start, cpu = time.perf_counter(), time.process_time()
    models = [LogisticRegression(C=1.0, max_iter=100_000).fit(x, y) for y in labels.T]
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    coefficients = np.stack([np.append(m.coef_[0], m.intercept_[0]) for m in models], axis=1)
    return seconds, [int(m.n_iter_[0]) for m in models], coefficients.astype(np.float64), cpu


def objectives(np, x, labels, coefficients):
    z = x @ coefficients[:-1] + coefficients[-1]
    return 0.5 * (coefficients[:-1] ** 2).sum(0) + (np.logaddexp(0, z) - labels * z).sum(0)


def optimum(np, x, labels):
    """The objective of the first seed's columns at a tight tolerance."""
    from sklearn.linear_model import LogisticRegression

    best = []
    for y in labels.T[:RATIOS]:
        model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-10, max_iter=1000).fit(x, y)
        best.append(objectives(np, x, y[:, None], np.append(model.coef_[0], model.intercept_[0])[:, None])[0])
    return np.array(best)


def compare(np, program, name, args):
    rng = np.random.Generator(np.random.PCG64(1234))
    make = {"independent": independent, "encoder": encoder, "encoder-raw": encoder_raw}[name]
    x, truth = make(np, rng, args)
    labels = noisy(np, rng, truth)
    folder = WORK / f"sweep-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "x.npy", x)
    np.save(folder / "labels.npy", labels)
    turns_ours, turns_theirs = [], []
    for _ in range(args.rounds):
        found, coefficients = ours(np, program, folder, args)
        turns_ours.append(found)
        turns_theirs.append(theirs(np, x, labels))
    best_ours = min(turns_ours, key=lambda found: found["seconds"])
    best_ours["cpu_seconds"] = min(found["cpu_seconds"] for found in turns_ours)
    best_theirs = min(turns_theirs, key=lambda found: found[0])
    peer_cpu = min(found[3] for found in turns_theirs)
    exact = x.astype(np.float64)
    mine = objectives(np, exact, labels, coefficients)
    peer = objectives(np, exact, labels, best_theirs[2])
    tight = optimum(np, exact, labels)
    return best_ours | {
        "task": name,
        "peer_seconds": best_theirs[0],
        "ratio": best_theirs[0] / best_ours["seconds"],
        "peer_cpu_seconds": peer_cpu,
        "cpu_ratio": peer_cpu / best_ours["cpu_seconds"],
        "target": TARGETS[name],
        "peer_iterations": sum(best_theirs[1]) / len(best_theirs[1]),
        # Largest first: how far above the peer, how far above the optimum, as parts of the objective.
        "above_peer": float(((mine - peer) / peer).max()),
        "above_optimum": float(((mine[:RATIOS] - tight) / tight).max()),
        "peer_above_optimum": float(((peer[:RATIOS] - tight) / tight).max()),
    }


def main():
    args = arguments()
    unknown = [name for name in args.tasks if name not in TARGETS]
    if unknown:
        sys.exit(f"no task {', '.join(unknown)}: expected some of {', '.join(TARGETS)}")
    enter_environment(args.threads)
    import numpy as np

    program = build()
    rows = []
    for name in args.tasks or TARGETS:
        kept = WORK / f"embeddings-{args.rows}.npz"
        if name != "independent" and not kept.exists() and not (args.encoder.exists() and args.texts.exists()):
            print(f"{name}: skipped: {args.encoder} or {args.texts} not found")
            continue
        row = compare(np, program, name, args)
        row["good"] = row["above_peer"] <= 0 and row["above_optimum"] <= GAP
        rows.append(row)
        print(
            f"{name}: scikit-learn {1e3 * row['peer_seconds']:.0f} ms ({row['peer_iterations']:.1f} iterations a fit), "
            f"ours {1e3 * row['seconds']:.1f} ms ({row['passes']:.1f} passes a problem), "
            f"ratio {row['ratio']:.1f}x (target {row['target']}x)\n"
            f"  CPU time {1e3 * row['peer_cpu_seconds']:.0f} ms and {1e3 * row['cpu_seconds']:.1f} ms, "
            f"ratio {row['cpu_ratio']:.1f}x (what counts on a busy machine, with one thread a side)\n"
            f"  {row['gflops']:.0f} GFLOP/s of {row['peak_gflops']:.0f} in sgemm ({row['gflops'] / row['peak_gflops']:.0%}), "
            f"memory {row['memory_mb']:.0f} MB beside features of {row['features_mb']:.0f} MB\n"
            f"  objective: ours above the peer's by at most {row['above_peer']:.1e}, above the optimum by "
            f"{row['above_optimum']:.1e} (the peer by {row['peer_above_optimum']:.1e}): {'good' if row['good'] else 'TOO HIGH'}",
            flush=True,
        )
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{args.threads} thread(s) a side; load average at the end {load:.1f}")
    if args.json:
        args.json.write_text(json.dumps({"threads": args.threads, "load": load, "tasks": rows}, indent=1) + "\n")
    return 0 if all(row["good"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
