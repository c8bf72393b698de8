"""Writes logistic.json: reference coefficients of scikit-learn for the golden tests of probes, of students of several
classes, and of students of pairs.

    python3 -m pip install numpy scipy scikit-learn
    python3 logistic.py > logistic.json

Soft labels are given to scikit-learn as weighted rows, one per class, which is the same objective. Features are exact in
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


def solve(x, y, penalty, intercept=True):
    rows = np.concatenate([x, x])
    targets = np.concatenate([np.ones(len(x)), np.zeros(len(x))])
    weights = np.concatenate([y, 1 - y])
    model = LogisticRegression(
        C=penalty, solver="newton-cholesky", tol=1e-13, max_iter=10_000, fit_intercept=intercept
    )
    model.fit(rows, targets, sample_weight=weights)
    bias = model.intercept_[0] if intercept else 0.0
    z = x @ model.coef_[0] + bias
    objective = 0.5 * (model.coef_[0] ** 2).sum() + penalty * (np.logaddexp(0, z) - y * z).sum()
    return model.coef_[0], bias, objective


def solve_classes(x, y, penalty):
    k = y.shape[1]
    rows = np.concatenate([x] * k)
    targets = np.repeat(np.arange(k), len(x))
    model = LogisticRegression(C=penalty, solver="lbfgs", tol=1e-14, max_iter=100_000)
    model.fit(rows, targets, sample_weight=y.T.ravel())
    exact = LogisticRegression(C=penalty, solver="newton-cholesky", tol=1e-13, max_iter=10_000)
    exact.fit(rows, targets, sample_weight=y.T.ravel())
    assert np.abs(model.coef_ - exact.coef_).max() < 1e-3, "two solvers of one objective"
    z = x @ exact.coef_.T + exact.intercept_
    loss = (np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)) + z.max(1) - (y * z).sum(1)).sum()
    objective = 0.5 * (exact.coef_**2).sum() + penalty * loss
    return exact.coef_, exact.intercept_ - exact.intercept_.mean(), objective


def class_labels(rng, x, k, kind):
    z = (x - x.mean(0)) / np.maximum(x.std(0), 1e-9) @ rng.standard_normal((x.shape[1], k))
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    if kind == "soft":
        p = np.round(p, 3)
        p[:, 0] += 1 - p.sum(1)
        return np.round(np.maximum(p, 0), 3)
    return np.eye(k)[[rng.choice(k, p=row) for row in p]]


def class_cases(rng):
    cases = []
    for name, rows, columns, kind, penalty, scaling, k in [
        ("three classes", 120, 5, "plain", 1.0, "none", 3),
        ("five classes, correlated, scaled", 200, 8, "correlated", 1.0, "unit-variance", 5),
        ("four classes, more columns than rows", 30, 40, "plain", 0.5, "unit-variance", 4),
        ("three classes, little penalty", 150, 4, "correlated", 100.0, "none", 3),
    ]:
        x = features(rng, rows, columns, kind)
        scale = StandardScaler().fit(x)
        shown = scale.transform(x) if scaling == "unit-variance" else x
        problems = []
        for label_kind in ("hard", "soft"):
            y = class_labels(rng, x, k, label_kind)
            coefficients, intercepts, objective = solve_classes(shown, y, penalty)
            if scaling == "unit-variance":
                coefficients = coefficients / scale.scale_
                intercepts = intercepts - coefficients @ scale.mean_
                intercepts = intercepts - intercepts.mean()
            problems.append(
                {
                    "labels": y.tolist(),
                    "coefficients": coefficients.tolist(),
                    "intercepts": intercepts.tolist(),
                    "objective": float(objective),
                }
            )
        cases.append(
            {"name": name, "penalty": penalty, "scaling": scaling, "features": x.tolist(), "problems": problems}
        )
    return cases


def pair_cases(rng):
    cases = []
    for name, pairs, columns, penalty, scaling, biased in [
        ("no bias", 120, 5, 1.0, "none", False),
        ("no bias, scaled", 150, 8, 2.0, "unit-variance", False),
        ("a bias is fitted", 150, 6, 1.0, "none", True),
        ("more columns than pairs", 20, 40, 1.0, "unit-variance", False),
    ]:
        # Eighths of small numbers, so that differences are exact in single precision.
        first, second = (np.round(8 * rng.standard_normal((pairs, columns))) / 8 for _ in range(2))
        x = first - second
        scale = np.sqrt((x**2).mean(0)) if scaling == "unit-variance" else np.ones(columns)
        problems = []
        for label_kind in ("hard", "soft"):
            y = labels(rng, x, label_kind)
            coefficients, intercept, objective = solve(x / scale, y, penalty, biased)
            problems.append(
                {
                    "labels": y.tolist(),
                    "coefficients": (coefficients / scale).tolist(),
                    "intercept": float(intercept),
                    "objective": float(objective),
                }
            )
        cases.append(
            {
                "name": name,
                "penalty": penalty,
                "scaling": scaling,
                "biased": biased,
                "first": first.tolist(),
                "second": second.tolist(),
                "problems": problems,
            }
        )
    return cases


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
    found = {"about": about, "cases": cases, "classes": class_cases(rng), "pairs": pair_cases(rng)}
    json.dump(found, sys.stdout)
    print()


main()
