"""Makes paired.json: values of scipy, statsmodels and mpmath on generated inputs. Run: python paired.py > paired.json"""

import importlib.metadata as versions
import json
import warnings

import mpmath
import numpy as np
import scipy.stats as st
import statsmodels.api as sm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import normal_sample_size_one_tail
from statsmodels.stats.proportion import proportion_confint

warnings.simplefilter("ignore")
mpmath.mp.dps = 40
rng = np.random.default_rng(20240501)
cases = []


def case(function, package, expected, tol=1e-10, **given):
    plain = lambda x: np.asarray(x).tolist() if isinstance(x, (np.ndarray, np.generic, tuple)) else x
    cases.append(
        {"function": function, "package": package, **{k: plain(v) for k, v in given.items()},
         "expected": plain(expected), "tol": tol})


# Shares.
for k, n in [(0, 1), (1, 1), (3, 10), (0, 50), (50, 50), (81, 263), (4999, 5000), (700000, 1000000), (12, 40000000)]:
    for level in [0.8, 0.95, 0.999]:
        for interval, method in [("wilson", "wilson"), ("clopper-pearson", "beta")]:
            lo, hi = proportion_confint(k, n, alpha=1 - level, method=method)
            case("share", "statsmodels", [lo, hi], successes=k, trials=n, level=level, interval=interval)

# Standard errors: scipy's sem without groups; by statsmodels' cluster covariance of a mean; Miller's formula as written.
for n, groups in [(12, 4), (60, 9), (200, 50), (500, 3)]:
    label = rng.integers(0, groups, n)
    effect = rng.normal(size=groups)
    x = np.round(rng.normal(size=n) + effect[label], 6)
    y = np.round(0.5 * x + rng.normal(size=n), 6)
    case("mean", "scipy.stats.sem", [x.mean(), st.sem(x)], scores=x, correction="miller")
    test = st.ttest_1samp(x, 0.25)
    case("t", "scipy.stats.ttest_1samp", test.pvalue, scores=x, null=0.25, alternative="two-sided")
    case("t-interval", "scipy.stats.ttest_1samp", list(test.confidence_interval(0.9)), scores=x, level=0.9)
    for alternative in ["less", "greater"]:
        p = st.ttest_rel(x, y, alternative=alternative).pvalue
        case("paired-t", "scipy.stats.ttest_rel", p, first=x, second=y, alternative=alternative)
    for correction, use in [("groups", True), ("none", False)]:
        fit = sm.OLS(x, np.ones(n)).fit(
            cov_type="cluster",
            cov_kwds={"groups": label, "use_correction": use, "df_correction": False})
        # The correction of statsmodels also has (n - 1) / (n - k) for the k = 1 parameters, which is 1 here.
        case("mean", "statsmodels OLS", [x.mean(), fit.bse[0]], scores=x, groups=label, correction=correction)
    e = x - x.mean()
    cross = sum(e[i] * e[j] for i in range(n) for j in range(n) if i != j and label[i] == label[j])
    case("mean", "Miller 2024, equation 4, summed over pairs", [x.mean(), np.sqrt(e @ e / (n - 1) / n + cross / n**2)],
         scores=x, groups=label, correction="miller")

# McNemar.
for b, c in [(6, 16), (0, 5), (1, 0), (10, 10), (121, 59), (40, 41), (5000, 4800), (1, 300), (2000000, 2004000)]:
    case("mcnemar", "statsmodels", list(vars(mcnemar([[7, b], [c, 3]], exact=True)).values())[:2], tol=1e-9,
         first_only=b, second_only=c, test="exact")
    if b != c:
        p = 2 * st.binom.cdf(min(b, c), b + c, 0.5) - st.binom.pmf(min(b, c), b + c, 0.5)
        case("mcnemar", "scipy.stats.binom (Fagerland 2013)", [min(b, c), p], tol=1e-9,
             first_only=b, second_only=c, test="mid-p")
    for test, correction in [("chi-squared", False), ("corrected", True)]:
        if b != c or test == "chi-squared":
            found = mcnemar([[7, b], [c, 3]], exact=False, correction=correction)
            case("mcnemar", "statsmodels", [found.statistic, found.pvalue], first_only=b, second_only=c, test=test)

# Sign flips, all patterns counted by scipy.
for n, digits in [(2, 3), (7, 3), (7, 0), (12, 1), (14, 4)]:
    x, y = np.round(rng.normal(0.4, 1, n), digits), np.round(rng.normal(0, 1, n), digits)
    for alternative in ["two-sided", "less", "greater"]:
        found = st.permutation_test((x, y), lambda a, b, axis: np.mean(a - b, axis=axis), vectorized=True,
                                    permutation_type="samples", n_resamples=np.inf, alternative=alternative)
        case("sign-flip", "scipy.stats.permutation_test", [found.statistic, found.pvalue],
             first=x, second=y, alternative=alternative)
# More than can be counted: scipy draws 200,000.
x = np.round(rng.normal(0.18, 1, 60), 3)
found = st.permutation_test((x, 0 * x), lambda a, b, axis: np.mean(a - b, axis=axis), vectorized=True,
                            permutation_type="samples", n_resamples=200_000, rng=np.random.default_rng(1))
case("sign-flip", "scipy.stats.permutation_test, drawn", [found.statistic, found.pvalue], tol=0.005,
     first=x, second=0 * x, alternative="two-sided")

# Many p-values.
for p in [rng.uniform(0, 1, 15) ** 3, np.array([0.04]), np.array([0.01, 0.01, 0.02, 1.0, 0.0])]:
    for adjustment, method in [("holm", "holm"), ("benjamini-hochberg", "fdr_bh")]:
        case("adjusted", "statsmodels", multipletests(p, method=method)[1], p_values=p, adjustment=adjustment)

# Sample sizes: the normal approximation with two standard deviations, not rounded.
for error, power, sides in [(0.05, 0.8, 2), (0.01, 0.95, 2), (0.05, 0.9, 1)]:
    for d, psi in [(0.02, 0.1), (-0.05, 0.3), (0.2, 0.2)]:
        n = normal_sample_size_one_tail(abs(d), power, error / sides, psi**0.5, (psi - d * d) ** 0.5)
        case("paired-items", "statsmodels", float(n), difference=d, discordance=psi, error=error, power=power, sides=sides)
    for p0, p1 in [(0.5, 0.55), (0.9, 0.85), (0.01, 0.02)]:
        n = normal_sample_size_one_tail(
            abs(p1 - p0), power, error / sides, (p0 * (1 - p0)) ** 0.5, (p1 * (1 - p1)) ** 0.5)
        case("share-items", "statsmodels", float(n), null=p0, share=p1, error=error, power=power, sides=sides)

# Intervals from scipy's own resamples: its draws, its values without one item, and the ends it made of them.
for n, statistic in [(15, "mean"), (25, "deviation"), (40, "ratio")]:
    x = np.round(rng.lognormal(0, 1, n), 4)
    y = np.round(rng.lognormal(0, 0.5, n), 4)
    of = {"mean": lambda x, y, axis=-1: np.mean(x, axis=axis),
          "deviation": lambda x, y, axis=-1: np.std(x, axis=axis),
          "ratio": lambda x, y, axis=-1: np.mean(x, axis=axis) / np.mean(y, axis=axis)}[statistic]
    without = [float(of(np.delete(x, i), np.delete(y, i))) for i in range(n)]
    for interval, method in [("percentile", "percentile"), ("bca", "BCa")]:
        found = st.bootstrap((x, y), of, paired=True, n_resamples=199, confidence_level=0.9, method=method,
                             rng=np.random.default_rng(5))
        case("draws", "scipy.stats.bootstrap", list(found.confidence_interval), value=float(of(x, y)),
             draws=found.bootstrap_distribution, without=without, level=0.9, interval=interval)
# And with its own draws, many of them.
x = np.round(rng.lognormal(0, 1, 80), 4)
for interval, method in [("percentile", "percentile"), ("bca", "BCa")]:
    found = st.bootstrap((x,), np.mean, n_resamples=200_000, method=method, batch=2000, rng=np.random.default_rng(2))
    case("bootstrap", "scipy.stats.bootstrap", list(found.confidence_interval), tol=0.01, scores=x, interval=interval)

print('{"versions": ' + json.dumps({p: versions.version(p) for p in ["numpy", "scipy", "statsmodels"]}) + ',\n"cases": [')
print(",\n".join(json.dumps(case) for case in cases))
print("]}")
