"""Makes surrogate.json: values of scipy on generated inputs. Run: python surrogate.py > surrogate.json"""

import importlib.metadata as versions
import json

import numpy as np
import scipy.stats as st

rng = np.random.default_rng(20240713)
cases = []


def case(function, package, expected, tol=1e-12, **given):
    plain = lambda x: np.asarray(x).tolist() if isinstance(x, (np.ndarray, np.generic)) else x
    expected = [float(x) for x in np.atleast_1d(expected)]
    cases.append({"function": function, "package": package, **{k: plain(v) for k, v in given.items()},
                  "expected": expected, "tol": tol})


# Rank correlations, with few and with many ties.
for n in [3, 4, 7, 20, 60]:
    for steps in [2, 5, 1000]:
        x = rng.integers(0, steps, n)
        y = np.where(rng.random(n) < 0.4, rng.integers(0, steps, n), x)
        x[0], y[0], x[-1], y[-1] = 0, 0, steps, steps
        x, y = x / steps, y / steps
        case("kendall", "scipy.stats.kendalltau", st.kendalltau(x, y).statistic, first=x, second=y)
        case("spearman", "scipy.stats.spearmanr", st.spearmanr(x, y).statistic, first=x, second=y)

# Validity of tables: correlations and calibration of the mean scores.
for students, surrogate_items, target_items in [(3, 40, 30), (6, 100, 150), (15, 60, 25)]:
    ability = rng.normal(size=students)
    answers = lambda items, shift: (rng.random((students, items)) < 1 / (1 + np.exp(-(
        ability[:, None] - rng.normal(size=items)[None] - shift)))).astype(int)
    surrogate, target = answers(surrogate_items, -0.5), answers(target_items, 0.5)
    x, y = surrogate.mean(1), target.mean(1)
    fit = st.linregress(x, y)
    case("validity", "scipy.stats", [
        st.kendalltau(x, y).statistic, st.spearmanr(x, y).statistic, fit.slope, fit.intercept,
        (x - y).mean(), np.abs(x - y).mean()], surrogate=surrogate, target=target)
    # Errors of the labels, from the definition.
    for error in [0.05, 0.2, 0.45]:
        total, untied = 0.0, 0
        for i in range(students):
            for j in range(i):
                d = surrogate[i] - surrogate[j]
                spread = np.sqrt(4 * error * (1 - error) * (d**2).sum()) / surrogate_items
                truth = np.sign(y[i] - y[j])
                if spread > 0:
                    total += truth * (2 * st.norm.cdf((1 - 2 * error) * d.mean() / spread) - 1)
                    untied += 1
        pairs_y = sum(y[i] != y[j] for i in range(students) for j in range(i))
        case("expected-kendall", "scipy.stats.norm", total / np.sqrt(untied * pairs_y), surrogate=surrogate,
             truth=y, error=error)

print(json.dumps({"versions": {name: versions.version(name) for name in ["numpy", "scipy"]}, "cases": cases}))
