"""Makes extrapolation.json beside it: values of scipy, statsmodels and girth on generated counts and answers.

pip install numpy scipy statsmodels girth; python extrapolation.py
"""

import json
from pathlib import Path

import girth
import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import optimize, stats
from scipy.special import expit, gammaln, logit

rng = np.random.default_rng(7)


def choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def best(share, starts, n, k):
    """Greatest likelihood of `share(raw)` over raw numbers, from many starts."""

    def cost(raw):
        p = np.clip(share(raw), 1e-9, 1 - 1e-9)
        return -np.sum(k * np.log(p) + (n - k) * np.log1p(-p) + choose(n, k))

    found = None
    for start in starts:
        one = optimize.minimize(cost, start, method="Nelder-Mead", options=dict(xatol=1e-11, fatol=1e-13, maxiter=20000, maxfev=20000))
        one = optimize.minimize(cost, one.x, method="Nelder-Mead", options=dict(xatol=1e-11, fatol=1e-13, maxiter=20000, maxfev=20000))
        if found is None or one.fun < found.fun:
            found = one
    return found


cases = {}
x = np.arange(1.0, 11.0)
n = np.full(10, 200)

# Logistic from 0 to 1: a binomial GLM.
k = rng.binomial(n, expit(-0.8 * (x - 5.3)))
glm = sm.GLM(np.stack([k, n - k], 1), sm.add_constant(x), family=sm.families.Binomial()).fit(tol=1e-14)
intercept, slope = glm.params


def fall_to(limit, constrained, side, at):
    return optimize.brentq(lambda v: 2 * (glm.llf - constrained(v)) - limit, *sorted([at, at + side]), xtol=1e-12)


def with_slope(v):
    found = sm.GLM(np.stack([k, n - k], 1), np.ones((10, 1)), offset=v * x, family=sm.families.Binomial()).fit(tol=1e-14)
    return found.llf


def with_logit(at):
    def of(v):
        found = sm.GLM(np.stack([k, n - k], 1), (x - at)[:, None], offset=np.full(10, v), family=sm.families.Binomial()).fit(tol=1e-14)
        return found.llf

    return of


limit = stats.chi2.ppf(0.95, 1)
at = intercept + slope * 13
cases["logistic"] = dict(
    x=x.tolist(), right=k.tolist(), total=n.tolist(), slope=slope, midpoint=-intercept / slope,
    log_likelihood=glm.llf, share_at_13=float(expit(at)),
    profile_slope=[fall_to(limit, with_slope, -0.3, slope), fall_to(limit, with_slope, 0.3, slope)],
    profile_share_at_13=[float(expit(fall_to(limit, with_logit(13), s, at))) for s in (-3, 3)],
)

# Logistic with free floor and ceiling.
k = rng.binomial(n, 0.25 + 0.68 * expit(-1.3 * (x - 5.0)))
share = lambda r: expit(r[2]) + (1 - expit(r[2])) * expit(r[3]) * expit(r[1] * (x - r[0]))
found = best(share, [[5, -1, -1, 2], [5, -2, -1, 1]], n, k)
floor = expit(found.x[2])
cases["logistic_four"] = dict(
    x=x.tolist(), right=k.tolist(), total=n.tolist(), midpoint=found.x[0], slope=found.x[1], floor=floor,
    ceiling=floor + (1 - floor) * expit(found.x[3]), log_likelihood=-found.fun,
)

# Power law with asymptote.
scale = 2.0 ** np.arange(10)
k = rng.binomial(n, 0.9 + (0.2 - 0.9) * (scale / scale[0]) ** -0.4)
share = lambda r: expit(r[2]) + (expit(r[0]) - expit(r[2])) * (scale / scale[0]) ** -np.exp(r[1])
found = best(share, [[-1, -1, 2], [-1, 0, 1], [-1, -2, 4]], n, k)
cases["power_law"] = dict(
    x=scale.tolist(), right=k.tolist(), total=n.tolist(), start=expit(found.x[0]), exponent=np.exp(found.x[1]),
    asymptote=expit(found.x[2]), log_likelihood=-found.fun,
)

# Clipped line with free limits.
k = rng.binomial(n, np.clip(1.1 - 0.12 * x, 0.2, 0.85))
share = lambda r: np.clip(r[0] + r[1] * x, r[2], max(r[2], r[3]))
starts = [[1.1, -0.12, 0.2, 0.85], [1.2, -0.15, 0.25, 0.8], [1.0, -0.1, 0.15, 0.9], [1.05, -0.11, 0.2, 0.8]]
found = best(share, starts, n, k)
cases["clipped"] = dict(
    x=x.tolist(), right=k.tolist(), total=n.tolist(), log_likelihood=-found.fun, share=share(found.x).tolist(),
)

# Monotone, falling; and the line of weighted least squares.
n = rng.integers(20, 300, 10)
k = rng.binomial(n, 0.8 - 0.05 * x)
cases["monotone"] = dict(
    x=x.tolist(), right=k.tolist(), total=n.tolist(),
    share=optimize.isotonic_regression(k / n, weights=n, increasing=False).x.tolist(),
    line=sm.WLS(k / n, sm.add_constant(x), weights=n).fit().params.tolist(),
)

# Binomial quantities within the predictions.
cases["normal_quantile"] = {str(p): stats.norm.ppf(p) for p in (0.8, 0.95, 0.995)}

# Abilities by girth, on known items.
slope, difficulty = np.array([0.8, 1.2, 1.7, 1.0, 0.6]), np.array([-1.5, -0.5, 0.0, 0.8, 1.9])
answers = np.array([[1, 1, 0, 0, 0], [1, 1, 1, 0, 1], [0, 1, 1, 1, 0], [1, 0, 0, 0, 0]]).T
cases["abilities"] = dict(
    slope=slope.tolist(), intercept=(-slope * difficulty).tolist(), answers=answers.T.tolist(),
    top=girth.ability_mle(answers, difficulty, slope).tolist(),
    mean=girth.ability_eap(answers, difficulty, slope, options=dict(quadrature_n=201)).tolist(),
)

# Two-parameter model by direct search of the marginal likelihood, with gaps; errors by differences of its gradient.
persons = 600
a, d = np.array([0.7, 1.1, 1.6, 0.9, 1.3, 0.5]), np.array([1.0, 0.2, -0.4, 0.6, -1.0, 0.0])
theta = rng.normal(size=persons)
right = (rng.random((persons, 6)) < expit(theta[:, None] * a + d)).astype(int)
asked = rng.random((persons, 6)) < 0.85
nodes, weights = np.polynomial.hermite_e.hermegauss(61)
weights = weights / weights.sum()


def evidence(raw):
    a, d = raw[:6], raw[6:]
    odds = nodes[:, None] * a + d
    log = (right * asked) @ odds.T - asked @ np.logaddexp(0, odds).T
    return np.sum(scipy.special.logsumexp(log, b=weights, axis=1))


def slopes(raw, by=1e-5):
    unit = np.eye(12) * by
    return np.array([(evidence(raw + u) - evidence(raw - u)) / (2 * by) for u in unit])


found = optimize.minimize(lambda r: -evidence(r), np.r_[np.ones(6), np.zeros(6)], jac=lambda r: -slopes(r), method="BFGS", options=dict(gtol=1e-7))
unit = np.eye(12) * 1e-4
hessian = np.array([(slopes(found.x + u) - slopes(found.x - u)) / 2e-4 for u in unit])
cases["two_parameter"] = dict(
    answers=["".join(map(str, np.where(q, r, 2))) for r, q in zip(right, asked)],
    slope=found.x[:6].tolist(), intercept=found.x[6:].tolist(), log_likelihood=-found.fun,
    error=np.sqrt(np.diag(np.linalg.inv(-(hessian + hessian.T) / 2))).tolist(),
)
about = f"made by extrapolation.py with scipy {scipy.__version__}, statsmodels {statsmodels.__version__}, girth {girth.__version__ if hasattr(girth, '__version__') else '0.8.0'}"
json.dump(dict(about=about, **cases), open(Path(__file__).with_suffix(".json"), "w"), default=float, indent=1)
