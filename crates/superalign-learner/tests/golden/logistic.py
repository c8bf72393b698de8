"""Writes logistic.json: reference coefficients of scikit-learn for the probe's golden test.

    python3 -m pip install numpy scipy scikit-learn
    python3 logistic.py > logistic.json

Soft labels are given to scikit-learn as pairs of weighted rows, which is the same objective. Features are exact in
single precision, so both sides see the same numbers.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


def features(rng, rows, columns, kind):
    x = rng.standard_normal((rows, columns))
    if kind == "correlated":  # a shared component, far from the origin, on unlike scales
        x = 0.3 * x + rng.standard_normal((rows, 1)) + 5.0
        x *= np.logspace(-1, 1, columns)
    if kind == "constant-column":
        x[:, 0] = 3.0
    return np.round(x, 3).astype(np.float32).astype(np.float64)


def labels(rng, x, kind):
    z = (x - x.mean(0)) / np.maximum(x.std(0), 1e-9) @ rng.standard_normal(x.shape[1])
    p = 1 / (1 + np.exp(-z))
    return np.round(p, 3) if kind == "soft" else (rng.random(len(x)) < p).astype(float)


def solve(x, y, penalty):
    rows = np.concatenate([x, x])
    targets = np.concatenate([np.ones(len(x)), np.zeros(len(x))])
    weights = np.concatenate([y, 1 - y])
    model = LogisticRegression(C=penalty, solver="newton-cholesky", tol=1e-13, max_iter=10_000)
    model.fit(rows, targets, sample_weight=weights)
    z = x @ model.coef_[0] + model.intercept_[0]
    objective = 0.5 * (model.coef_[0] ** 2).sum() + penalty * (np.logaddexp(0, z) - y * z).sum()
    return model.coef_[0], model.intercept_[0], objective


def main():
    rng = np.random.default_rng(20250710)
    cases = []
    for name, rows, columns, kind, penalty, scaling in [
        ("hard and soft", 120, 5, "plain", 1.0, "none"),
        ("correlated, scaled", 150, 8, "correlated", 1.0, "unit-variance"),
        ("correlated, as it is", 150, 8, "correlated", 10.0, "none"),
        ("more columns than rows", 20, 40, "plain", 0.5, "unit-variance"),
        ("a constant column, nearly no penalty", 100, 4, "constant-column", 1e4, "unit-variance"),
    ]:
        x = features(rng, rows, columns, kind)
        scale = StandardScaler().fit(x)
        shown = scale.transform(x) if scaling == "unit-variance" else x
        problems = []
        for label_kind in ("hard", "soft"):
            y = labels(rng, x, label_kind)
            coefficients, intercept, objective = solve(shown, y, penalty)
            if scaling == "unit-variance":
                coefficients = coefficients / scale.scale_
                intercept = intercept - coefficients @ scale.mean_
            problems.append(
                {
                    "labels": y.tolist(),
                    "coefficients": coefficients.tolist(),
                    "intercept": float(intercept),
                    "objective": float(objective),
                }
            )
        cases.append(
            {
                "name": name,
                "penalty": penalty,
                "scaling": scaling,
                "features": x.tolist(),
                "problems": problems,
            }
        )
    about = f"scikit-learn {sklearn.__version__}, LogisticRegression(solver='newton-cholesky', tol=1e-13)"
    json.dump({"about": about, "cases": cases}, sys.stdout)
    print()


main()
