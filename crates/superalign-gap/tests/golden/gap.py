"""Makes gap.json: values of scipy and moocore on generated inputs. Run: python gap.py > gap.json"""

import importlib.metadata as versions
import json

import moocore
import numpy as np
import scipy.optimize as so
import scipy.stats as st

rng = np.random.default_rng(20261128)
cases = []


def case(function, package, expected, tol=1e-10, **given):
    plain = lambda x: np.asarray(x).tolist() if isinstance(x, (np.ndarray, np.generic, tuple, list)) else x
    cases.append(
        {"function": function, "package": package, **{k: plain(v) for k, v in given.items()},
         "expected": plain(expected), "tol": tol})


# Learning curves: greatest binomial likelihood from many starts, with bounds on the parameters.
def likelihood(parameters, sizes, wrong, items):
    a, s, c = parameters
    p = np.clip(a + s * (sizes / sizes[0]) ** -c, 1e-9, 1 - 1e-9)
    return np.sum(wrong * np.log(p) + (items - wrong) * np.log(1 - p))


for a, b, c, items, sizes in [
    (0.10, 2.0, 0.50, 4000, 100 * 2.0 ** np.arange(8)),
    (0.25, 1.0, 0.35, 2000, 50 * 2.0 ** np.arange(9)),
    (0.00, 1.5, 0.30, 5000, 100 * 4.0 ** np.arange(5)),
    (0.05, 30.0, 1.00, 1000, np.array([100.0, 300.0, 1000.0, 3000.0, 10000.0])),
    (0.30, 0.0, 1.00, 1000, np.array([100.0, 300.0, 1000.0, 3000.0])),
    (0.40, 0.5, 0.70, 500, np.array([10.0, 25.0, 70.0, 150.0, 600.0, 2000.0])),
]:
    wrong = rng.binomial(items, a + b * sizes**-c)
    best = None
    for start in [(0.01, 0.3, 0.1), (0.1, 0.2, 0.5), (0.2, 0.1, 1.0), (0.05, 0.4, 2.0), (0.3, 0.02, 0.3)]:
        found = so.minimize(
            lambda x: -likelihood(x, sizes, wrong, items) / items, start, method="SLSQP",
            bounds=[(0, 1), (0, 1), (0.02, 4)], options={"ftol": 1e-15, "maxiter": 1000})
        polished = so.minimize(
            lambda x: -likelihood(np.clip(x, [0, 0, 0.02], [1, 1, 4]), sizes, wrong, items) / items, found.x,
            method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-16, "maxiter": 5000})
        if best is None or polished.fun < best.fun:
            best = polished
    x = np.clip(best.x, [0, 0, 0.02], [1, 1, 4])
    case("learning-curve", "scipy.optimize (SLSQP, Nelder-Mead)", x, tol=2e-4, sizes=sizes, wrong=wrong, items=items,
         likelihood=likelihood(x, sizes, wrong, items) / items)

# Ranks, with ties.
for n in [3, 4, 5, 9, 20]:
    for digits in [0, 1, 4]:
        x, y = np.round(rng.normal(0, 1.5, n), digits), np.round(rng.normal(0, 1.5, n), digits)
        if len(set(x)) > 1 and len(set(y)) > 1:
            case("kendall", "scipy.stats.kendalltau", st.kendalltau(x, y).statistic, x=x, y=y)
            case("spearman", "scipy.stats.spearmanr", st.spearmanr(x, y).statistic, x=x, y=y)

# Fronts. moocore minimises: signs turned.
for n in [1, 3, 8, 30]:
    for digits in [1, 6]:
        points = np.round(rng.uniform(0.3, 1, (n, 2)), digits)
        area = moocore.hypervolume(-points, ref=[-0.5, -0.5])
        members = np.flatnonzero(moocore.is_nondominated(-points, keep_weakly=True))
        case("front", "moocore", area, points=points, reference=[0.5, 0.5], members=members)

# Shapes of gain against gamma: weighted polynomial regression.
for n in [4, 7, 15]:
    gamma = np.sort(rng.uniform(0, 0.3, n))
    error = rng.uniform(0.002, 0.01, n)
    gain = 0.05 - 3 * (gamma - 0.15) ** 2 + rng.normal(0, error / 2)
    c = np.polyfit(gamma, gain, 2, w=1 / error)
    assert c[0] < 0
    case("parabola", "numpy.polyfit", np.polyval(c, gamma), gamma=gamma, gain=gain, error=error, vertex=-c[1] / c[0] / 2)

packages = {name: versions.version(name) for name in ["numpy", "scipy", "moocore"]}
print(json.dumps({"packages": packages, "cases": cases}, indent=1))
