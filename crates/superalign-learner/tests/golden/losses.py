"""Writes losses.json: values and gradients of the losses by PyTorch's automatic differentiation in double precision,
and what cleanlab prunes, for the losses' golden test.

    python3 -m pip install numpy torch cleanlab
    python3 losses.py > losses.json

Every loss is written on two class scores (0, z), as its source writes it: softmax, detach where the source detaches.
The mean is over all items. Ties (z = 0, y = 1/2) do not occur: sources break them by position.
"""

import json
import sys

import cleanlab
import numpy as np
import torch
from cleanlab.filter import find_label_issues
from torch.nn.functional import cross_entropy, log_softmax, one_hot, softmax


def batch(rng, rows):
    """Logits, and labels that agree with them more often than not; some labels are hard."""
    z = rng.normal(0, 2.5, rows)
    y = 1 / (1 + np.exp(-(0.5 * z + rng.normal(0, 1.5, rows))))
    y = np.where(rng.random(rows) < 0.3, np.round(y), y)
    return np.round(z, 3) + 0.0005, np.round(y, 4)


def pair(y):
    return torch.stack([1 - y, y], 1)


def each(scores, target):
    return cross_entropy(scores, target, reduction="none")


def xent(scores, y):
    return each(scores, pair(y)).mean()


def kl(scores, y):
    return torch.nn.functional.kl_div(log_softmax(scores, 1), pair(y), reduction="batchmean")


def logconf(scores, y, c):
    preds = softmax(scores, 1)
    threshold = torch.quantile(preds[:, 0], y.mean())
    own = torch.stack([preds[:, 0] >= threshold, preds[:, 0] < threshold], 1).double()
    return each(scores, (1 - c) * pair(y) + c * own.detach()).mean()


def product(scores, y, alpha, beta):
    target = softmax(scores, 1) ** beta * pair(y) ** alpha
    return each(scores, (target / target.sum(1, keepdim=True)).detach()).mean()


def entropy(scores, y, c):
    return each(scores, (1 - c) * pair(y) + c * softmax(scores, 1).detach()).mean()


def window(scores, y, r):
    unsure = softmax(scores, 1).max(1).values < 0.5 + r
    return cross_entropy(scores[unsure], pair(y)[unsure], reduction="sum") / len(y)


def gce(scores, y, q):
    return (pair(y) * (1 - softmax(scores, 1) ** q) / q).sum(1).mean()


def bootstrap_soft(scores, y, trust):
    return -((trust * pair(y) + (1 - trust) * softmax(scores, 1)) * log_softmax(scores, 1)).sum(1).mean()


def bootstrap_hard(scores, y, trust):
    own = one_hot(scores.argmax(1), 2).double()
    return -((trust * pair(y) + (1 - trust) * own) * log_softmax(scores, 1)).sum(1).mean()


def small_loss(scores, y, noise):
    losses = each(scores, pair(y))
    kept = torch.argsort(losses.detach(), stable=True)[: int((1 - noise) * len(y) + 1e-9)]
    return losses[kept].sum() / len(y)


def label_smoothing(scores, y, s):
    return cross_entropy(scores, pair(y), label_smoothing=s)


def adaptconf(scores, y, temperature):
    own, weak = scores.argmax(1), pair(y).argmax(1)
    e_own = torch.exp(each(scores, own) / temperature)
    e_weak = torch.exp(each(scores, weak) / temperature)
    share = (e_own / (e_own + e_weak)).detach()
    return ((1 - share) * each(scores, pair(y)) + share * each(scores, own)).mean()


LOSSES = [
    ("xent", xent, []),
    ("kl", kl, []),
    ("logconf", logconf, [0.5]),
    ("logconf", logconf, [0.2]),
    ("product", product, [1.0, 1.0]),
    ("product", product, [0.7, 1.6]),
    ("entropy", entropy, [0.5]),
    ("window", window, [0.15]),
    ("window", window, [0.4]),
    ("gce", gce, [0.7]),
    ("gce", gce, [0.05]),
    ("gce", gce, [1.0]),
    ("bootstrap-soft", bootstrap_soft, [0.95]),
    ("bootstrap-soft", bootstrap_soft, [0.3]),
    ("bootstrap-hard", bootstrap_hard, [0.8]),
    ("small-loss", small_loss, [0.2]),
    ("small-loss", small_loss, [0.55]),
    ("label-smoothing", label_smoothing, [0.1]),
    ("adaptconf", adaptconf, [1.0]),
    ("adaptconf", adaptconf, [2.5]),
]


def main():
    rng = np.random.default_rng(20251128)
    z, y = batch(rng, 150)
    cases = []
    for name, loss, parameters in LOSSES:
        logits = torch.tensor(z, requires_grad=True)
        scores = torch.stack([torch.zeros_like(logits), logits], 1)
        value = loss(scores, torch.tensor(y), *parameters)
        value.backward()
        gradient = [float(g) for g in logits.grad]
        cases.append({"loss": name, "parameters": parameters, "value": value.item(), "gradient": gradient})
    prunings = []
    for rows, scale, noise in [(200, 2.0, 0.2), (300, 1.0, 0.35), (150, 4.0, 0.1), (100, 3.0, 0.0)]:
        truth = rng.random(rows) < rng.uniform(0.3, 0.7)
        logits = scale * np.where(truth, 1.0, -1.0) * rng.gamma(2.0, 0.5, rows) + rng.normal(0, 1, rows)
        p = np.round(1 / (1 + np.exp(-logits)), 6)
        labels = (truth != (rng.random(rows) < noise)).astype(int)
        pruned = find_label_issues(
            labels, np.stack([1 - p, p], 1), filter_by="prune_by_noise_rate", n_jobs=1
        )
        prunings.append(
            {"probabilities": p.tolist(), "labels": labels.tolist(), "pruned": np.flatnonzero(pruned).tolist()}
        )
    about = f"PyTorch {torch.__version__.split('+')[0]}, cleanlab {cleanlab.__version__}"
    golden = {"about": about, "logits": z.tolist(), "labels": y.tolist(), "cases": cases, "prunings": prunings}
    json.dump(golden, sys.stdout)
    print()


main()
