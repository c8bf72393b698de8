//! Of what kind the noise is: the model of given labels, and the decision. The test against it lives in `dependence`.

use super::dependence::{MarginGroup, dependence};
use super::tails::chi_squared_above;
use crate::SignalError;
use crate::probabilities::{check_labels, each_row};
use ndarray::{Array2, ArrayView2};
use superalign_core::{Seed, below};

/// Probabilities are lifted to this before their logarithm is taken.
const LEAST: f64 = 1e-12;

/// Steps of a fit end when what is still to be gained in log-likelihood is foreseen to be less than this.
const GAIN: f64 = 1e-4;
const STEPS: usize = 2000;

/// Disagreements that are to be expected in every group by margin, for the test over groups to count.
const LEAST_IN_GROUP: f64 = 5.0;

/// Of more classes there would be too many pairs to fit, and to test.
const MOST_CLASSES: usize = 40;

/// Noisy labels that are needed for each pair of true and given class.
const PER_CELL: usize = 10;

/// How the kind of noise is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindOptions {
    /// The level of every test, in (0, 1).
    pub level: f64,
    /// Whether the probabilities are calibrated.
    pub calibration: Calibration,
    /// Groups of items by margin in which disagreement is compared, at least 2.
    pub groups: usize,
    /// Of more items, so many are drawn; the time grows with it.
    pub items: usize,
    /// Where the draw comes from.
    pub seed: Seed,
}

impl KindOptions {
    /// Level 0.01, a fitted temperature, four groups and at most 20,000 items.
    #[must_use]
    pub const fn new(seed: Seed) -> Self {
        Self { level: 0.01, calibration: Calibration::Temperature, groups: 4, items: 20_000, seed }
    }
}

/// Whether the probabilities are calibrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calibration {
    /// A temperature is fitted along with the noise. Noise that looks like another temperature is not seen then; with
    /// two classes that is most noise that depends on the margin.
    #[default]
    Temperature,
    /// They are. If they are not, what they miss is taken for noise that depends on the item.
    Trusted,
}

/// A kind of label noise.
#[derive(Clone, Debug, PartialEq)]
pub enum NoiseKind {
    /// Every class is mistaken as often, and for every other class as often: one rate.
    Symmetric,
    /// How often a class is mistaken, or for which other one, depends on the class: a transition matrix.
    ClassConditional,
    /// How often an item is mislabelled depends on its margin, beyond its class.
    InstanceDependent,
    /// The data do not say.
    CannotTell(Unclear),
}

/// Why the kind of noise cannot be told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unclear {
    /// There are too few wrong labels for the tests to see a difference.
    #[error("about {found:.0} wrong labels: expected at least {expected}, 10 for each pair of classes")]
    TooFewWrong {
        /// How many labels are wrong by the best fit of class-conditional noise.
        found: f64,
        /// How many there have to be.
        expected: usize,
    },
    /// The probabilities explain the labels without noise.
    #[error("the probabilities explain the labels without noise: there is none, or the model has learnt it")]
    NoNoise,
    /// No label is of this class.
    #[error("no label is of class {class}")]
    NoLabel {
        /// The class.
        class: usize,
    },
}

/// A test of one hypothesis against a wider one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// The test statistic, chi-squared if the hypothesis holds.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub degrees: usize,
    /// How probable a statistic at least as large is if the hypothesis holds.
    pub p_value: f64,
}

impl Test {
    pub(super) fn new(statistic: f64, degrees: usize) -> Self {
        let statistic = statistic.max(0.0);
        Self { statistic, degrees, p_value: chi_squared_above(statistic, degrees) }
    }
}

/// The kind of noise, and what was found on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// The kind.
    pub kind: NoiseKind,
    /// Number of items that were looked at.
    pub items: usize,
    /// Number of these whose label is wrong, by the best fit of class-conditional noise.
    pub wrong: f64,
    /// The fitted transition matrix `(k, k)`: row y, column s holds P(given = s | true = y).
    pub transition: Array2<f64>,
    /// The fitted temperature; 1 where the probabilities are trusted.
    pub temperature: f64,
    /// No noise against symmetric noise: a likelihood ratio, its p-value halved since a rate is not below 0.
    pub noise: Test,
    /// Symmetric against class-conditional noise: a likelihood ratio.
    pub asymmetry: Test,
    /// Class-conditional noise against disagreement that depends on the margin: a conditional moment test.
    pub dependence: Test,
    /// Disagreement by margin, from the smallest margins to the largest.
    pub groups: Vec<MarginGroup>,
}

/// Tells symmetric, class-conditional and instance-dependent noise apart, where the data allow it.
///
/// Labels `(n)`; `probs` `(n, k)` are probabilities of the true class from a model that has not learnt the noise: it
/// was trained on clean labels, on other ones, or robustly. If it was trained on these labels until it predicts their
/// noise, there is none left to see, which the answer says.
///
/// Under class-conditional noise, P(given = s | x) = sum over y of T[y, s] p(y | x), by which T (and a temperature of
/// p) is fitted to the labels by expectation maximisation. Three tests follow, each at `level`:
/// 1. noise at all: the likelihood ratio of one rate against none;
/// 2. dependence on the item: in groups by margin (largest less second largest probability), whether labels disagree
///    with the most likely class more or less often than the fit foretells (conditional moments, Newey 1985; their
///    variance allows for what was fitted). The fit is that of T, or of no noise where the first test finds none. It
///    counts where at least five disagreements are to be expected in every group;
/// 3. dependence on the class: the likelihood ratio of T against one rate.
///
/// If the second rejects, the noise is instance-dependent, or the probabilities are wrong in a way that no temperature
/// mends: the two look alike. What the margin does not show is not seen. Else, if the first does not reject, there is
/// no noise to be told. Else the third decides. Symmetric is a failure to find more, so at least ten wrong labels for
/// each pair of classes are asked for. A fit takes n k operations a step, and some hundreds of steps.
///
/// # Errors
/// No item, fewer than two classes, a label that is no column, a row that is no distribution within 1e-6; a level
/// outside (0, 1), fewer than two groups, no items; more than 40 classes.
///
/// ```
/// use superalign_core::{Seed, below};
/// use superalign_signal::label_noise::{Calibration, KindOptions, NoiseKind, noise_kind};
/// // Of 3,000 items of a sure model, every fifth label is drawn anew.
/// let mut rng = Seed::new(1).rng();
/// let class: Vec<u32> = (0..3000).map(|_| below(&mut rng, 3) as u32).collect();
/// let probs = ndarray::Array2::from_shape_fn((3000, 3), |(i, j)| if class[i] == j as u32 { 0.99 } else { 0.005 });
/// let mut label = |class: u32| if below(&mut rng, 5) == 0 { below(&mut rng, 3) as u32 } else { class };
/// let labels: Vec<u32> = class.iter().map(|&class| label(class)).collect();
/// // Where all items are alike, a temperature explains this noise: only a trusted model shows it.
/// let options = KindOptions { calibration: Calibration::Trusted, ..KindOptions::new(Seed::new(1)) };
/// let found = noise_kind(&labels, probs.view(), &options)?;
/// assert_eq!(found.kind, NoiseKind::Symmetric);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn noise_kind<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    options: &KindOptions,
) -> Result<Kind, SignalError> {
    check_labels(labels, probs)?;
    if !(options.level > 0.0 && options.level < 1.0) {
        return Err(SignalError::setting("level", options.level, "a number between 0 and 1"));
    }
    if options.groups < 2 {
        return Err(SignalError::setting("groups", options.groups as f64, "at least 2"));
    }
    if options.items == 0 {
        return Err(SignalError::setting("items", 0.0, "at least 1"));
    }
    if probs.ncols() > MOST_CLASSES {
        let reason =
            format!("{} classes: at most {MOST_CLASSES}, or there is too much to fit", probs.ncols());
        return Err(SignalError::undefined("kind of noise", reason));
    }
    each_row(probs, |_, _, _, _| {})?;
    let data = Data::new(labels, probs, options);
    let none = data.fit(Freedom::None, options.calibration);
    let one = data.fit(Freedom::OneRate, options.calibration);
    let full = data.fit(Freedom::Matrix, options.calibration);
    let k = data.classes;
    let ratio =
        |narrow: &Fit, wide: &Fit, degrees| Test::new(2.0 * (wide.likelihood - narrow.likelihood), degrees);
    let mut noise = ratio(&none, &one, 1);
    noise.p_value /= 2.0;
    let asymmetry = ratio(&one, &full, k * (k - 1) - 1);
    let is_noise = noise.p_value <= options.level;
    let (dependence, groups) = dependence(&data, if is_noise { &full } else { &none }, options);
    let is_seen = groups.iter().all(|group| group.expected * group.items as f64 >= LEAST_IN_GROUP);
    let expected = PER_CELL * k * (k - 1);
    let kind = if let Some(class) = (0..k).find(|class| !data.labels.contains(class)) {
        NoiseKind::CannotTell(Unclear::NoLabel { class })
    } else if is_seen && dependence.p_value <= options.level {
        NoiseKind::InstanceDependent
    } else if !is_noise {
        NoiseKind::CannotTell(Unclear::NoNoise)
    } else if full.wrong < expected as f64 {
        NoiseKind::CannotTell(Unclear::TooFewWrong { found: full.wrong, expected })
    } else if asymmetry.p_value <= options.level {
        NoiseKind::ClassConditional
    } else {
        NoiseKind::Symmetric
    };
    Ok(Kind {
        kind,
        items: data.labels.len(),
        wrong: full.wrong,
        temperature: 1.0 / full.sharpness,
        transition: full.transition,
        noise,
        asymmetry,
        dependence,
        groups,
    })
}

/// What is free in a fit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Freedom {
    None,
    OneRate,
    Matrix,
}

/// Items with the logarithms of their probabilities.
pub(super) struct Data {
    pub(super) labels: Vec<usize>,
    /// `(n, k)`.
    pub(super) logs: Vec<f64>,
    pub(super) classes: usize,
}

/// Class-conditional noise as fitted.
pub(super) struct Fit {
    pub(super) transition: Array2<f64>,
    /// 1 / temperature.
    pub(super) sharpness: f64,
    likelihood: f64,
    wrong: f64,
}

impl Data {
    fn new<P: Copy + Into<f64>>(labels: &[u32], probs: ArrayView2<'_, P>, options: &KindOptions) -> Self {
        let mut order: Vec<u32> = (0..labels.len() as u32).collect();
        if labels.len() > options.items {
            let mut rng = options.seed.named("items").rng();
            for i in 0..options.items {
                let other = i + below(&mut rng, order.len() - i);
                order.swap(i, other);
            }
            order.truncate(options.items);
        }
        let mut logs = Vec::with_capacity(order.len() * probs.ncols());
        for &item in &order {
            logs.extend(probs.row(item as usize).iter().map(|&p| p.into().max(LEAST).ln()));
        }
        let labels = order.iter().map(|&item| labels[item as usize] as usize).collect();
        Self { labels, logs, classes: probs.ncols() }
    }

    /// Fills in the probabilities of an item at a sharpness.
    pub(super) fn probabilities(&self, item: usize, sharpness: f64, into: &mut [f64]) {
        let logs = &self.logs[item * self.classes..(item + 1) * self.classes];
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for (p, log) in into.iter_mut().zip(logs) {
            *p = (sharpness * (log - largest)).exp();
            sum += *p;
        }
        into.iter_mut().for_each(|p| *p /= sum);
    }

    /// Expectation maximisation over the transition matrix and the sharpness.
    fn fit(&self, freedom: Freedom, calibration: Calibration) -> Fit {
        let (n, k) = (self.labels.len() as f64, self.classes);
        let rate = if freedom == Freedom::None { 0.0 } else { 0.1 };
        let mut fit = Fit { transition: one_rate(rate, k), sharpness: 1.0, likelihood: 0.0, wrong: 0.0 };
        let (mut before, mut last_gain) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut p = vec![0.0; k];
        for _ in 0..STEPS {
            let mut counts = Array2::<f64>::zeros((k, k));
            let (mut likelihood, mut slope, mut curvature) = (0.0, 0.0, 0.0);
            for (item, &label) in self.labels.iter().enumerate() {
                self.probabilities(item, fit.sharpness, &mut p);
                let column = fit.transition.column(label);
                let q: f64 = p.iter().zip(column).map(|(p, t)| p * t).sum::<f64>().max(f64::MIN_POSITIVE);
                likelihood += q.ln();
                let logs = &self.logs[item * k..(item + 1) * k];
                let (mut mean, mut square, mut target) = (0.0, 0.0, 0.0);
                for y in 0..k {
                    let share = p[y] * fit.transition[[y, label]] / q;
                    counts[[y, label]] += share;
                    target += share * logs[y];
                    mean += p[y] * logs[y];
                    square += p[y] * logs[y] * logs[y];
                }
                slope += target - mean;
                curvature += square - mean * mean;
            }
            fit.likelihood = likelihood;
            fit.wrong = counts.sum() - counts.diag().sum();
            let gain = likelihood - before;
            let speed = (gain / last_gain).clamp(0.0, 0.999);
            if gain.is_finite() && gain * (1.0 + speed / (1.0 - speed)) < GAIN {
                break;
            }
            (before, last_gain) = (likelihood, gain);
            match freedom {
                Freedom::None => {}
                Freedom::OneRate => fit.transition = one_rate((fit.wrong / n).clamp(0.0, 1.0), k),
                Freedom::Matrix => {
                    for (mut row, counts) in fit.transition.rows_mut().into_iter().zip(counts.rows()) {
                        let sum = counts.sum();
                        if sum > 0.0 {
                            row.assign(&(&counts / sum));
                        }
                    }
                }
            }
            if calibration == Calibration::Temperature && curvature > 0.0 {
                fit.sharpness =
                    (fit.sharpness + slope / curvature).clamp(fit.sharpness / 2.0, fit.sharpness * 2.0);
                fit.sharpness = fit.sharpness.clamp(0.01, 100.0);
            }
        }
        fit
    }
}

fn one_rate(rate: f64, k: usize) -> Array2<f64> {
    let other = rate / (k - 1) as f64;
    Array2::from_shape_fn((k, k), |(y, s)| if y == s { 1.0 - rate } else { other })
}

#[cfg(test)]
mod tests;
