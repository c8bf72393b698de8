"""Writes trunk.json: steps of a trunk under PyTorch's AdamW, for the trunk's golden test.

    python3 -m pip install numpy torch
    python3 trunk.py > trunk.json

In double precision, from given weights, batches and learning rates: steps on both objectives with the same items, steps
on both with items of their own, and steps on one objective, in which the other head has no gradient and so stays.
"""

import json
import sys

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import gelu

ITEMS, COLUMNS, RANK, WIDTH, BATCH, STEPS, DECAY = 24, 6, 3, 20, 7, 24, 0.05


def flat(parameters):
    down, up, bias, v, w, v0, w0 = parameters
    return torch.cat([t.reshape(-1) for t in (down, up, bias, v, v0, w, w0)])


def objective(parameters, head, x, y):
    down, up, bias, v, w, v0, w0 = parameters
    hidden = gelu(x @ down @ up + bias, approximate="tanh")
    return cross_entropy(hidden @ (v, w)[head] + (v0, w0)[head], y)


def main():
    torch.set_default_dtype(torch.float64)
    dice = torch.Generator().manual_seed(20261128)
    normal = lambda *shape: torch.round(torch.randn(*shape, generator=dice), decimals=4)
    x = normal(ITEMS, COLUMNS)
    labels = [torch.round(torch.rand(ITEMS, generator=dice), decimals=3) for _ in range(2)]
    labels[0] = torch.round(labels[0])
    shapes = [(COLUMNS, RANK), (RANK, WIDTH), (WIDTH,), (WIDTH,), (WIDTH,), (1,), (1,)]
    parameters = [(0.5 * normal(*shape)).requires_grad_() for shape in shapes]
    start = flat(parameters).tolist()
    down, up, bias, v, w, v0, w0 = parameters
    groups = [
        {"params": [down, up, v, w], "weight_decay": DECAY},
        {"params": [bias, v0, w0], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8)
    rows = lambda: torch.randperm(ITEMS, generator=dice)[:BATCH].tolist()
    steps = []
    for step in range(STEPS):
        rate = round(0.03 * (1 - step / STEPS), 6)
        same = rows()
        parts = [
            [(0, same, 0.3), (1, same, 0.7)],
            [(0, rows(), 1.0)],
            [(1, rows(), 1.0)],
            [(0, rows(), 0.6), (1, rows(), 0.4)],
        ][step // 2 % 4]
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        loss = sum(weight * objective(parameters, head, x[r], labels[head][r]) for head, r, weight in parts)
        loss.backward()
        optimiser.step()
        asked = [{"head": head, "rows": r, "weight": weight} for head, r, weight in parts]
        steps.append({"rate": rate, "parts": asked})
    losses, norms = [], []
    for head in range(2):
        optimiser.zero_grad(set_to_none=True)
        loss = objective(parameters, head, x, labels[head])
        loss.backward()
        losses.append(loss.item())
        norms.append(torch.cat([p.grad.reshape(-1) for p in parameters if p.grad is not None]).norm().item())
    golden = {
        "about": f"torch {torch.__version__.split('+')[0]}, torch.optim.AdamW in float64",
        "rank": RANK,
        "width": WIDTH,
        "decay": DECAY,
        "features": x.tolist(),
        "labels": [y.tolist() for y in labels],
        "start": start,
        "steps": steps,
        "end": flat(parameters).tolist(),
        "losses": losses,
        "gradient_norms": norms,
    }
    json.dump(golden, sys.stdout)
    print()


main()
