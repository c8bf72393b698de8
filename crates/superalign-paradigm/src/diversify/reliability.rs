//! How accurate sources are and which of them err together, from their votes alone.

use super::clusters::{Agreement, FEWEST, numbered};
use super::kinds::{Kinds, Moments};
use crate::ParadigmError;
use ndarray::{Array2, ArrayView2};
use superalign_core::{Bootstrap, Estimate, Seed};
use superalign_signal::truth::{ClassPrior, OneCoin, one_coin};
use superalign_signal::{SignalError, Votes};

const WHAT: &str = "the accuracy of sources";

/// How [`reliability`] goes about it.
///
/// ```
/// use superalign_paradigm::diversify::{Config, Dependence, Method};
/// let config = Config { dependence: Dependence::Known(vec![0, 0, 1, 2]), ..Config::default() };
/// assert_eq!((config.method, config.positives), (Method::Agreement, 0.5));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How accuracies follow from agreement.
    pub method: Method,
    /// Which sources may err together.
    pub dependence: Dependence,
    /// The share of items whose true answer is yes, in (0, 1): votes alone do not tell it. 0.5 by default.
    pub positives: f64,
    /// How intervals are made.
    pub bootstrap: Bootstrap,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            method: Method::Agreement,
            dependence: Dependence::Detected,
            positives: 0.5,
            bootstrap: Bootstrap::new(Seed::new(0)),
        }
    }
}

/// How accuracies follow from agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Least squares: the covariance of every two sources that err apart is a product of two numbers, one for each
    /// (Parisi, Strino, Nadler and Kluger 2014; with clusters, Jaffe, Fetaya, Nadler, Jiang and Kluger 2016).
    Agreement,
    /// The median over triplets of `sqrt(|q_jk q_jl / q_kl|)` (Fu et al. 2020, FlyingSquid). Takes every source to be
    /// better than chance, and goes astray where one of the three hardly is.
    Triplets,
    /// Maximum likelihood of [`one_coin`], with the given share of positives. Knows no clusters: sources that err
    /// together make it believe them.
    OneCoin,
}

/// Which sources may err together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependence {
    /// None: given the truth, they err apart.
    Apart,
    /// Those whose agreement is found to depart from what independent errors allow.
    Detected,
    /// Those with the same number, one number for each source; for example [`kin`](super::kin).
    Known(Vec<usize>),
}

/// What votes tell of their sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    /// Estimated share of items that each source gets right.
    pub accuracy: Vec<Estimate>,
    /// Estimated correlation `(k, k)` of the errors of every two sources, 1 on the diagonal.
    pub correlation: Array2<f64>,
    /// The mean correlation of the errors of two different sources.
    pub mean_correlation: Estimate,
    /// The cluster of each source, numbered by first sight: sources of one cluster may err together.
    pub clusters: Vec<usize>,
    /// How far agreement across clusters is from what independent errors allow.
    pub misfit: Misfit,
}

/// A sum of squares against what chance makes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Misfit {
    /// Sum over pairs across clusters of the squared departure by its variance. Near `freedom` where all is well.
    pub chi_squared: f64,
    /// Number of pairs across clusters less the number of sources; with 0 or less there is nothing to test.
    pub freedom: f64,
    /// Whether the departure is one that chance makes.
    pub fits: bool,
}

/// The accuracy of each source and the correlation of their errors, without any truth.
///
/// `votes` is `(n, k)`, probabilities; one half or more is a yes. With `groups` (n numbers), items of one group are
/// resampled together. Write f = 1 for a yes and -1 for a no, b for twice `positives` less 1, and let sources j and k err
/// independently given the truth. Then their votes have the covariance
///
/// ```text
/// q_jk = (1 - b^2) r_j r_k,    r = P(yes | true) + P(no | false) - 1,
/// ```
///
/// of rank one off the diagonal, from which r follows, and from it and the mean vote mu the accuracy
/// `a = (1 + (1 - b^2) r + b mu) / 2`. The correlation of errors is then an observed number:
/// `rho_jk = (E f_j f_k - m_j m_k) / sqrt((1 - m_j^2) (1 - m_k^2))`, m = 2a - 1, for errors that are as frequent on true
/// items as on false ones.
///
/// **Clusters.** With [`Dependence::Detected`], and four sources or more, a partition is sought whose pairs *across*
/// clusters are of rank one: agglomeration with a beam, by chi-squared plus ln n for each pair that is let go. Where
/// several partitions explain the votes alike, the one whose clusters agree most within is taken.
///
/// **What is assumed, because votes cannot tell.** More than half of all skill is above chance (else all answers could
/// be turned round). Of two explanations with as many parameters, sources that agree *more* are the copies: three copies
/// of one bad source beside three good independent ones, and three excellent ones beside three copies of a bad one, give
/// the same votes. What all sources have in common (the same hard items) looks like skill; it raises all estimates.
///
/// How estimates degrade where two of five sources (accuracies 0.55, 0.6, 0.7, 0.8 and 0.9) err together, 10,000 items:
/// the largest error of an accuracy, mean of 20 draws. Where the two are those that know most, what they share is skill
/// as far as the others can tell; where their correlation is slight, the wrong pair may be found.
///
/// ```text
/// pair       correlation  apart  detected  triplets  one-coin
/// 0.8, 0.9   0.0          0.006  0.006     0.019     0.006
/// 0.8, 0.9   0.1          0.017  0.017     0.020     0.017
/// 0.8, 0.9   0.2          0.027  0.027     0.025     0.028
/// 0.8, 0.9   0.4          0.050  0.050     0.037     0.050
/// 0.8, 0.9   0.8          0.091  0.085     0.066     0.091
/// 0.7, 0.8   0.0          0.006  0.006     0.019     0.006
/// 0.7, 0.8   0.1          0.031  0.031     0.024     0.031
/// 0.7, 0.8   0.2          0.058  0.024     0.031     0.059
/// 0.7, 0.8   0.4          0.106  0.011     0.030     0.109
/// 0.7, 0.8   0.8          0.198  0.014     0.031     0.199
/// 0.6, 0.7   0.0          0.006  0.006     0.019     0.006
/// 0.6, 0.7   0.1          0.015  0.078     0.060     0.010
/// 0.6, 0.7   0.2          0.030  0.013     0.031     0.016
/// 0.6, 0.7   0.4          0.077  0.007     0.028     0.037
/// 0.6, 0.7   0.8          0.250  0.009     0.031     0.296
/// ```
///
/// ```
/// use ndarray::Array2;
/// use superalign_core::{Seed, below};
/// use superalign_paradigm::diversify::{Config, reliability};
/// let right = [0.9, 0.8, 0.7];
/// let mut rng = Seed::new(1).rng();
/// let votes = Array2::from_shape_fn((4000, 3), |(i, k)| {
///     let errs = below(&mut rng, 1000) as f64 >= 1000.0 * right[k];
///     f64::from(u8::from((i % 2 == 0) != errs))
/// });
/// let found = reliability(votes.view(), None, &Config::default())?;
/// assert!(found.accuracy.iter().zip(right).all(|(found, right)| (found.value - right).abs() < 0.03));
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
///
/// # Errors
/// Votes outside [0, 1]; fewer than three sources or clusters; sources that agree no more than by chance; numbers that do
/// not fit; settings out of their ranges; more than one resample in twenty without a value.
pub fn reliability(
    votes: ArrayView2<'_, f64>,
    groups: Option<&[u32]>,
    config: &Config,
) -> Result<Reliability, ParadigmError> {
    config.bootstrap.check().map_err(SignalError::from)?;
    let kinds = Kinds::new(votes, groups)?;
    let mut found = point(&kinds, config)?;
    let by = &config.bootstrap;
    let mut draws: Vec<Vec<f64>> = vec![Vec::with_capacity(by.draws); kinds.sources];
    let mut means = Vec::with_capacity(by.draws);
    for n in 0..by.draws as u64 {
        let counts = kinds.drawn(&mut by.seed.nth(n).rng());
        let moments = kinds.of(&counts);
        if let Ok(accuracy) = accuracies(&kinds, &counts, &moments, &found.clusters, config) {
            means.push(mean_of_pairs(&correlation(&moments, &accuracy)));
            draws.iter_mut().zip(accuracy).for_each(|(draws, accuracy)| draws.push(accuracy));
        }
    }
    let undefined = by.draws - draws[0].len();
    if undefined * 20 > by.draws {
        let reason = format!("it does not exist in {undefined} of {} resamples", by.draws);
        return Err(ParadigmError::Undefined { what: WHAT, reason: reason.into() });
    }
    found.mean_correlation = by.interval(found.mean_correlation.value, means);
    for (accuracy, draws) in found.accuracy.iter_mut().zip(draws) {
        *accuracy = by.interval(accuracy.value, draws);
    }
    Ok(found)
}

/// As [`reliability`], with every interval no more than its value.
pub(super) fn without_intervals(
    votes: ArrayView2<'_, f64>,
    config: &Config,
) -> Result<Reliability, ParadigmError> {
    point(&Kinds::new(votes, None)?, config)
}

fn point(kinds: &Kinds, config: &Config) -> Result<Reliability, ParadigmError> {
    let p = config.positives;
    if !(p > 0.0 && p < 1.0) {
        return Err(ParadigmError::Setting {
            key: "positives",
            found: p,
            expected: "a number between 0 and 1".into(),
        });
    }
    if kinds.sources < FEWEST {
        return Err(ParadigmError::TooFew { what: "sources", found: kinds.sources, expected: FEWEST });
    }
    let moments = kinds.of(kinds.whole());
    let agreement = Agreement::new(&moments);
    let clusters = match &config.dependence {
        Dependence::Apart => (0..kinds.sources).collect(),
        Dependence::Detected => agreement.clusters(limit(config)),
        Dependence::Known(known) if known.len() == kinds.sources => numbered(known),
        Dependence::Known(known) => {
            let (found, expected) = (known.len(), kinds.sources);
            return Err(ParadigmError::Shape { what: "number of clusters' entries", found, expected });
        }
    };
    let count = clusters.iter().max().map_or(0, |last| last + 1);
    if count < FEWEST {
        return Err(ParadigmError::TooFew {
            what: "clusters of sources that err apart",
            found: count,
            expected: FEWEST,
        });
    }
    let accuracy = accuracies(kinds, kinds.whole(), &moments, &clusters, config)?;
    let chi = agreement.misfit(&clusters, &agreement.factors(&clusters, limit(config)));
    let misfit = Misfit { chi_squared: chi.0, freedom: chi.1, fits: agreement.fits(&clusters, chi) };
    let correlation = correlation(&moments, &accuracy);
    let exact = |value: f64| Estimate { value, lo: value, hi: value };
    let mean_correlation = exact(mean_of_pairs(&correlation));
    let accuracy = accuracy.into_iter().map(exact).collect();
    Ok(Reliability { accuracy, correlation, mean_correlation, clusters, misfit })
}

/// Twice the share of positives less 1.
fn imbalance(config: &Config) -> f64 {
    2.0 * config.positives - 1.0
}

/// The greatest factor of a covariance: that of a source that is always right.
fn limit(config: &Config) -> f64 {
    (1.0 - imbalance(config).powi(2)).sqrt()
}

fn accuracies(
    kinds: &Kinds,
    counts: &[u32],
    moments: &Moments,
    clusters: &[usize],
    config: &Config,
) -> Result<Vec<f64>, ParadigmError> {
    let (b, limit) = (imbalance(config), limit(config));
    let factors = match config.method {
        Method::OneCoin => {
            let votes = Votes::dense(kinds.table(counts).view())?;
            if votes.categories() < 2 {
                return Err(undefined("every vote is the same"));
            }
            let classes = ClassPrior::Fixed(vec![1.0 - config.positives, config.positives]);
            let options = OneCoin { classes, ..OneCoin::maximum_likelihood() };
            return Ok(one_coin(&votes, None, &options)?.raters.accuracy);
        }
        Method::Agreement => Agreement::new(moments).factors(clusters, limit),
        Method::Triplets => triplets(moments, clusters, limit)?,
    };
    if factors.iter().filter(|v| v.abs() > 1e-9).count() < FEWEST {
        return Err(undefined("the sources agree no more than by chance"));
    }
    let of =
        |(source, v): (usize, &f64)| f64::midpoint(1.0, v * limit + b * moments.mean(source)).clamp(0.0, 1.0);
    Ok(factors.iter().enumerate().map(of).collect())
}

fn triplets(moments: &Moments, clusters: &[usize], limit: f64) -> Result<Vec<f64>, ParadigmError> {
    let k = clusters.len();
    let of = |a: usize| {
        let mut found = Vec::new();
        for b in (0..k).filter(|&b| clusters[b] != clusters[a]) {
            for c in (0..b).filter(|&c| clusters[c] != clusters[a] && clusters[c] != clusters[b]) {
                let q = |x, y| moments.covariance(x, y);
                if q(b, c) != 0.0 {
                    found.push((q(a, b) * q(a, c) / q(b, c)).abs().sqrt().min(limit));
                }
            }
        }
        found.sort_by(f64::total_cmp);
        match found.len() {
            0 => Err(undefined("no triplet of sources agrees more than by chance")),
            n => Ok(f64::midpoint(found[(n - 1) / 2], found[n / 2])),
        }
    };
    (0..k).map(of).collect()
}

fn correlation(moments: &Moments, accuracy: &[f64]) -> Array2<f64> {
    let k = accuracy.len();
    let margin = |source: usize| 2.0 * accuracy[source] - 1.0;
    Array2::from_shape_fn((k, k), |(a, b)| {
        if a == b {
            return 1.0;
        }
        let spread = (1.0 - margin(a).powi(2)) * (1.0 - margin(b).powi(2));
        // A source that is never wrong has no errors to correlate.
        if spread < 1e-9 {
            return 0.0;
        }
        ((moments.product(a, b) - margin(a) * margin(b)) / spread.sqrt()).clamp(-1.0, 1.0)
    })
}

/// The mean of what is off the diagonal; there are three sources or more.
fn mean_of_pairs(table: &Array2<f64>) -> f64 {
    let k = table.nrows() as f64;
    (table.sum() - table.diag().sum()) / (k * (k - 1.0))
}

fn undefined(reason: &'static str) -> ParadigmError {
    ParadigmError::Undefined { what: WHAT, reason: reason.into() }
}
