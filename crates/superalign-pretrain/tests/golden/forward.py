"""A second, independent forward pass, in numpy and double precision, after the description of Llama in
Hugging Face's documentation (RMSNorm, rotate_half, causal attention, SwiGLU, tied embeddings).

    python3 forward.py > forward.json

needs numpy only. The Rust test `golden` compares logits, hidden states and the loss with this file.
"""

import json

import numpy as np

SHAPE = {"vocabulary": 7, "layers": 2, "width": 8, "heads": 2, "feed_forward": 12, "positions": 16}
SEQUENCES = [[0, 3, 6, 2, 2, 5, 1], [0, 4, 1], [0]]
EPSILON = 1e-5
THETA = 10_000.0


def parameters(rng):
    """Random values, rounded so that the file stays short."""
    d, f = SHAPE["width"], SHAPE["feed_forward"]
    draw = lambda *shape: np.round(rng.normal(0.0, 0.4, shape), 3)
    norm = lambda: np.round(1.0 + rng.normal(0.0, 0.3, d), 3)
    p = {"model.embed_tokens.weight": draw(SHAPE["vocabulary"], d)}
    for i in range(SHAPE["layers"]):
        at = f"model.layers.{i}."
        p[at + "input_layernorm.weight"] = norm()
        for part in "qkvo":
            p[at + f"self_attn.{part}_proj.weight"] = draw(d, d)
        p[at + "post_attention_layernorm.weight"] = norm()
        p[at + "mlp.gate_proj.weight"] = draw(f, d)
        p[at + "mlp.up_proj.weight"] = draw(f, d)
        p[at + "mlp.down_proj.weight"] = draw(d, f)
    p["model.norm.weight"] = norm()
    return p


def rms_norm(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON) * weight


def rotate_half(x):
    half = x.shape[-1] // 2
    return np.concatenate([-x[..., half:], x[..., :half]], -1)


def rotary(x):
    """x (heads, positions, head)."""
    _, n, head = x.shape
    frequencies = 1.0 / THETA ** (np.arange(0, head, 2) / head)
    angles = np.outer(np.arange(n), frequencies)
    angles = np.concatenate([angles, angles], -1)
    return x * np.cos(angles) + rotate_half(x) * np.sin(angles)


def attention(x, p, at):
    n, d = x.shape
    heads = SHAPE["heads"]
    split = lambda part: (x @ p[at + f"self_attn.{part}_proj.weight"].T).reshape(n, heads, -1).transpose(1, 0, 2)
    q, k, v = rotary(split("q")), rotary(split("k")), split("v")
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(d / heads)
    scores = np.where(np.tril(np.ones((n, n), bool)), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return (weights @ v).transpose(1, 0, 2).reshape(n, d) @ p[at + "self_attn.o_proj.weight"].T


def forward(tokens, p):
    x = p["model.embed_tokens.weight"][tokens]
    hidden = [x]
    for i in range(SHAPE["layers"]):
        at = f"model.layers.{i}."
        x = x + attention(rms_norm(x, p[at + "input_layernorm.weight"]), p, at)
        y = rms_norm(x, p[at + "post_attention_layernorm.weight"])
        gate, up = y @ p[at + "mlp.gate_proj.weight"].T, y @ p[at + "mlp.up_proj.weight"].T
        x = x + (gate / (1.0 + np.exp(-gate)) * up) @ p[at + "mlp.down_proj.weight"].T
        hidden.append(x)
    hidden[-1] = rms_norm(x, p["model.norm.weight"])
    return hidden[-1] @ p["model.embed_tokens.weight"].T, hidden


def main():
    p = parameters(np.random.default_rng(20_250_301))
    cases, total, count = [], 0.0, 0
    for tokens in SEQUENCES:
        logits, hidden = forward(np.array(tokens), p)
        shifted = logits - logits.max(-1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
        total -= sum(log_p[i, t] for i, t in enumerate(tokens[1:]))
        count += len(tokens) - 1
        cases.append({
            "tokens": tokens,
            "logits": np.round(logits, 9).ravel().tolist(),
            "hidden": [np.round(h, 9).ravel().tolist() for h in hidden],
        })
    about = "made by forward.py beside this file; numpy, double precision; logits (tokens, vocabulary) and " \
            "hidden states (tokens, width) row after row; loss is the mean cross-entropy in nats"
    values = {name: value.ravel().tolist() for name, value in p.items()}
    print(json.dumps({"about": about, "shape": SHAPE, "parameters": values, "cases": cases, "loss": total / count}))


main()
