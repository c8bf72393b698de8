#!/usr/bin/env python3
"""Times Bradley-Terry strengths of a million comparisons among 200 players against evalica's Rust core.

Usage: compare.py [--rounds N] [--comparisons N] [--players N] [--json FILE]

The comparisons are drawn from a seed and written to target/peers/evaluation; this crate's `peers` bench and evalica's
extension module are then timed in turns, on one thread each, and the smallest times compared. Both count the
comparisons inside the timed part; making the arrays and reading files are not timed. evalica stops when a sweep changes
the scores by less than 1e-6, ours at a gradient of norm 1e-8, which this script checks with numpy. Exit status 1 if the
strengths differ or the gradient is larger.
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


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of either side [%(default)s]")
    parser.add_argument("--comparisons", type=int, default=1_000_000)
    parser.add_argument("--players", type=int, default=200)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    return parser.parse_args()


def enter_environment():
    """Runs this script again inside a virtual environment."""
    folder = ROOT / "target" / "peers" / "venv-evaluation"
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
    sys.exit(subprocess.run([python, __file__, *sys.argv[1:]]).returncode)


def build():
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "bench", "--quiet", "-p", "superalign-evaluation", "--bench", "peers", "--no-run", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "peers")


def work(np, args):
    """Pairs at random, strengths of a standard deviation of 1, one tie in ten. Winners: 1 the first, 2 the second, 0 a tie."""
    rng = np.random.Generator(np.random.PCG64(1234))
    theta = rng.standard_normal(args.players)
    first = rng.integers(0, args.players, args.comparisons)
    second = (first + rng.integers(1, args.players, args.comparisons)) % args.players
    won = rng.random(args.comparisons) < 1 / (1 + np.exp(theta[second] - theta[first]))
    winner = np.where(rng.random(args.comparisons) < 0.1, 0, np.where(won, 1, 2))
    return first, second, winner


def gradient(np, theta, first, second, winner):
    score = np.array([0.5, 1.0, 0.0])[winner] - 1 / (1 + np.exp(theta[second] - theta[first]))
    slopes = np.bincount(first, score, len(theta)) - np.bincount(second, score, len(theta))
    return float(np.linalg.norm(slopes))


def main():
    args = arguments()
    enter_environment()
    import numpy as np
    from evalica import _brzo

    program = build()
    first, second, winner = work(np, args)
    folder = ROOT / "target" / "peers" / "evaluation"
    folder.mkdir(parents=True, exist_ok=True)
    for name, column in (("first", first), ("second", second), ("winner", winner)):
        column.astype("<u4").tofile(folder / f"{name}.bin")
    xs, ys, ws = first.astype(np.uint64), second.astype(np.uint64), winner.astype(np.uint8)
    weights = np.ones(args.comparisons)

    def evalica():
        start = time.perf_counter()
        scores, _ = _brzo.bradley_terry(
            xs=xs, ys=ys, winners=ws, weights=weights, total=args.players, win_weight=1.0, tie_weight=0.5,
            tolerance=1e-6, limit=100,
        )
        return time.perf_counter() - start, np.log(scores)

    best_ours = best_peer = float("inf")
    for _ in range(args.rounds):
        command = [program, str(folder), str(args.players), "10"]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        best_ours = min(best_ours, found["seconds"])
        for _ in range(10):
            seconds, theirs = evalica()
            best_peer = min(best_peer, seconds)
    ours = np.array(found["strengths"])
    apart = float(np.abs(ours - (theirs - theirs.mean())).max())
    norms = [gradient(np, theta, first, second, winner) for theta in (ours, theirs)]
    figures = {
        "comparisons": args.comparisons,
        "players": args.players,
        "ours_s": best_ours,
        "evalica_s": best_peer,
        "ratio": best_peer / best_ours,
        "gradient_norm_ours": norms[0],
        "gradient_norm_evalica": norms[1],
        "largest_difference": apart,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }
    for name, value in figures.items():
        print(f"{name:22} {value:.6g}" if isinstance(value, float) else f"{name:22} {value}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0 if apart < 1e-4 and norms[0] <= 1e-8 else 1


if __name__ == "__main__":
    sys.exit(main())
