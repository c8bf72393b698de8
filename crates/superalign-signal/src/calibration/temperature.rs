//! Temperature scaling: one number that makes a model's confidences better.

use crate::SignalError;
use crate::probabilities::check_labels;
use crate::resample::estimate;
use ndarray::{Array2, ArrayView2};
use superalign_core::{Bootstrap, Estimate};

/// Newton steps are doubled, halved and cut to a bracket until the slope is this small beside its scale.
const TOLERANCE: f64 = 1e-12;
const STEPS: usize = 200;

/// A fitted temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature {
    /// By what logits are to be divided, above 0; above 1 the model was too sure.
    pub temperature: f64,
    /// Mean negative log-likelihood at this temperature, in nats.
    pub nll: f64,
    /// Mean negative log-likelihood of the logits as they are.
    pub nll_before: f64,
}

/// The temperature T that minimises the mean negative log-likelihood of softmax(logits / T) (Guo et al. 2017).
///
/// Labels `(n)`, logits `(n, k)`; logarithms of probabilities will do. The likelihood is convex in 1 / T, and Newton
/// steps inside a bracket find its one minimum to rounding. Fit on other items than those to be judged.
///
/// # Errors
/// No item, fewer than two classes, a label that is no column, a logit that is not finite. Undefined where no finite
/// positive temperature is best: where every label has the largest logit of its row (T falls to 0), and where the
/// logits of the labels are on average not above the mean of their rows (T grows without end).
///
/// ```
/// use superalign_signal::calibration::fit_temperature;
/// // Of four answers at logits of 4 to 0 three are right, which softmax(logits / T) says at 4 / T = ln 3.
/// let logits = ndarray::array![[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0]];
/// let fit = fit_temperature(&[0, 0, 0, 1], logits.view())?;
/// assert!((fit.temperature - 4.0 / 3_f64.ln()).abs() < 1e-9 && fit.nll < fit.nll_before);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn fit_temperature<P: Copy + Into<f64>>(
    labels: &[u32],
    logits: ArrayView2<'_, P>,
) -> Result<Temperature, SignalError> {
    let rows = Rows::new(labels, logits)?;
    let beta = rows.minimum()?;
    Ok(Temperature { temperature: 1.0 / beta, nll: rows.at(beta).value, nll_before: rows.at(1.0).value })
}

/// The temperature of [`fit_temperature`] with its interval over items.
///
/// Each resample takes one Newton step from the optimum of all items, which differs from its own optimum by terms of
/// the order 1 / n (Davidson and MacKinnon 1999) and needs two numbers per item instead of its logits.
///
/// # Errors
/// As [`fit_temperature`]; settings of the bootstrap out of their range.
pub fn temperature_estimate<P: Copy + Into<f64>>(
    labels: &[u32],
    logits: ArrayView2<'_, P>,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    let rows = Rows::new(labels, logits)?;
    let beta = rows.minimum()?;
    let parts: Vec<[f64; 2]> = rows
        .each()
        .map(|(row, label)| {
            let part = part(row, label, beta);
            [part.slope, part.curvature]
        })
        .collect();
    let kinds: Vec<u32> = (0..labels.len() as u32).collect();
    estimate(by, "temperature", &kinds, |counts| {
        let (mut slope, mut curvature) = (0.0, 0.0);
        for (&count, part) in counts.iter().zip(&parts) {
            slope += f64::from(count) * part[0];
            curvature += f64::from(count) * part[1];
        }
        let beta = beta - slope / curvature;
        if beta > 0.0 && beta.is_finite() {
            Ok(1.0 / beta)
        } else {
            Err(SignalError::undefined("temperature", "a resample has none"))
        }
    })
}

/// softmax(logits / T) of every row: probabilities `(n, k)`.
///
/// # Errors
/// A temperature that is not above 0, a logit that is not finite.
///
/// ```
/// use superalign_signal::calibration::apply_temperature;
/// let probs = apply_temperature(ndarray::array![[2.0 * 3_f64.ln(), 0.0]].view(), 2.0)?;
/// assert!((probs[[0, 0]] - 0.75).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn apply_temperature<P: Copy + Into<f64>>(
    logits: ArrayView2<'_, P>,
    temperature: f64,
) -> Result<Array2<f64>, SignalError> {
    if !(temperature > 0.0 && temperature.is_finite()) {
        return Err(SignalError::setting("temperature", temperature, "a finite number above 0"));
    }
    let mut probs = finite(logits)?;
    for mut row in probs.rows_mut() {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.mapv_inplace(|logit| ((logit - largest) / temperature).exp());
        let sum = row.sum();
        row.mapv_inplace(|value| value / sum);
    }
    Ok(probs)
}

fn finite<P: Copy + Into<f64>>(logits: ArrayView2<'_, P>) -> Result<Array2<f64>, SignalError> {
    let columns = logits.ncols().max(1);
    let logits = logits.mapv(Into::into);
    match logits.iter().position(|logit: &f64| !logit.is_finite()) {
        None => Ok(logits),
        Some(place) => Err(SignalError::Value {
            what: "logit of item",
            index: place / columns,
            found: logits[[place / columns, place % columns]],
            expected: "a finite number",
        }),
    }
}

/// The mean negative log-likelihood as a function of 1 / T, with its derivatives.
#[derive(Clone, Copy, Default)]
struct Part {
    value: f64,
    slope: f64,
    curvature: f64,
}

struct Rows<'a> {
    labels: &'a [u32],
    logits: Vec<f64>,
    classes: usize,
}

impl<'a> Rows<'a> {
    /// The logits less the largest of their row, so that no exponential overflows.
    fn new<P: Copy + Into<f64>>(labels: &'a [u32], logits: ArrayView2<'_, P>) -> Result<Self, SignalError> {
        check_labels(labels, logits)?;
        let classes = logits.ncols();
        let mut logits: Vec<f64> = finite(logits)?.into_iter().collect();
        for row in logits.chunks_exact_mut(classes) {
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // Two finite numbers may be further apart than any finite number.
            row.iter_mut().for_each(|logit| *logit = (*logit - largest).max(f64::MIN));
        }
        Ok(Self { labels, logits, classes })
    }

    fn each(&self) -> impl Iterator<Item = (&[f64], usize)> {
        self.logits.chunks_exact(self.classes).zip(self.labels.iter().map(|&label| label as usize))
    }

    fn at(&self, beta: f64) -> Part {
        let n = self.labels.len() as f64;
        self.each().fold(Part::default(), |sum, (row, label)| {
            let part = part(row, label, beta);
            Part {
                value: sum.value + part.value / n,
                slope: sum.slope + part.slope / n,
                curvature: sum.curvature + part.curvature / n,
            }
        })
    }

    /// The 1 / T at which the likelihood is largest.
    fn minimum(&self) -> Result<f64, SignalError> {
        let undefined = |reason: &'static str| Err(SignalError::undefined("temperature", reason));
        if self.each().all(|(row, label)| row[label] == 0.0) {
            return undefined(
                "every label has the largest logit of its row, so that the best one falls to 0",
            );
        }
        // At 1 / T = 0 the rows are uniform: the slope there decides whether any positive 1 / T is better.
        if self.at(0.0).slope >= 0.0 {
            return undefined(
                "the logits of the labels are not above the mean of their rows, so that the best one is infinite",
            );
        }
        let scale = self.each().map(|(row, label)| -row[label]).fold(f64::MIN_POSITIVE, f64::max);
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut beta = 1.0;
        for _ in 0..STEPS {
            let part = self.at(beta);
            if part.slope.abs() <= TOLERANCE * TOLERANCE.sqrt() * scale {
                break;
            }
            if part.slope > 0.0 {
                high = beta;
            } else {
                low = beta;
            }
            let newton = beta - part.slope / part.curvature;
            let next = if newton > low && newton < high && newton <= 8.0 * beta && newton >= beta / 8.0 {
                newton
            } else if high.is_infinite() {
                8.0 * beta
            } else if low == 0.0 {
                beta / 8.0
            } else {
                f64::midpoint(low, high)
            };
            let done = (next - beta).abs() <= TOLERANCE * beta;
            beta = next;
            if done {
                break;
            }
        }
        Ok(beta)
    }
}

/// One item's part, its logits being at most 0 and the largest of them 0.
fn part(row: &[f64], label: usize, beta: f64) -> Part {
    let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
    for &logit in row {
        let weight = (beta * logit).exp();
        // Where the weight vanishes, so does its product with the logit.
        if weight > 0.0 {
            sum += weight;
            first += weight * logit;
            second += weight * logit * logit;
        }
    }
    let mean = first / sum;
    Part {
        value: sum.ln() - beta * row[label],
        slope: mean - row[label],
        curvature: (second / sum - mean * mean).max(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{ArrayView1, array};

    #[test]
    fn where_no_temperature_is_best_it_says_why() {
        let message = |labels: &[u32], logits: Array2<f64>| {
            fit_temperature(labels, logits.view()).unwrap_err().to_string()
        };
        assert_eq!(
            message(&[0, 1], array![[2.0, 1.0], [0.0, 3.0]]),
            "temperature is undefined: every label has the largest logit of its row, so that the best one falls to 0"
        );
        assert_eq!(
            message(&[1, 0], array![[2.0, 1.0], [0.0, 3.0]]),
            "temperature is undefined: the logits of the labels are not above the mean of their rows, so that the \
             best one is infinite"
        );
        assert_eq!(
            message(&[1, 0], array![[2.0, 1.0], [0.0, f64::NAN]]),
            "logit of item 1 is NaN: expected a finite number"
        );
        assert_eq!(
            apply_temperature(array![[1.0]].view(), 0.0).unwrap_err().to_string(),
            "temperature = 0: expected a finite number above 0"
        );
    }

    #[test]
    fn it_is_as_large_as_the_logits_are() {
        let logits = Array2::from_shape_fn((50, 3), |(i, j)| ((i * 7 + j * 11) % 13) as f64 - 6.0);
        let labels: Vec<u32> = (0..50)
            .map(|i: usize| {
                if i.is_multiple_of(3) {
                    1
                } else {
                    (0..3).max_by_key(|j| (i * 7 + j * 11) % 13).unwrap() as u32
                }
            })
            .collect();
        let found = fit_temperature(&labels, logits.view()).unwrap();
        for factor in [1e-9, 1e-3, 30.0, 1e12] {
            let scaled = fit_temperature(&labels, (&logits * factor).view()).unwrap();
            assert!((scaled.temperature / factor / found.temperature - 1.0).abs() < 1e-9, "{factor}");
            assert!((scaled.nll - found.nll).abs() < 1e-12);
        }
        for beside in [0.99, 1.01] {
            let probs = apply_temperature(logits.view(), found.temperature * beside).unwrap();
            let nll = super::super::nll(&labels, probs.view(), super::super::Clip::Never).unwrap();
            assert!(nll > found.nll);
        }
    }

    #[test]
    fn the_interval_covers_the_temperature_that_made_the_labels() {
        use superalign_core::{Seed, below};
        let mut covered = 0;
        for run in 0..20 {
            // Labels drawn from softmax(logits / 2).
            let mut rng = Seed::new(run).rng();
            let mut uniform = || (below(&mut rng, 1 << 30) as f64 + 0.5) / f64::from(1 << 30);
            let logits = Array2::from_shape_simple_fn((2000, 4), || 8.0 * uniform() - 4.0);
            let probs = apply_temperature(logits.view(), 2.0).unwrap();
            let mut label = |row: ArrayView1<'_, f64>| {
                let mut rest = uniform();
                let passed = |p: &&f64| {
                    rest -= **p;
                    rest > 0.0
                };
                row.iter().take_while(passed).count().min(3) as u32
            };
            let labels: Vec<u32> = probs.rows().into_iter().map(&mut label).collect();
            let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(run)) };
            let found = temperature_estimate(&labels, logits.view(), &by).unwrap();
            assert!(found.lo < found.value && found.value < found.hi && found.hi - found.lo < 0.6, "{found}");
            covered += usize::from(found.covers(2.0));
        }
        // 95% of 20; fewer than 16 happen once in 400 times.
        assert!(covered >= 16, "{covered}");
    }
}
