//! What computes a measure, from weights that need not sum to 1.

use super::measure::{Estimator, Evenness, Lorenz, Measure, Simpson};
use crate::SignalError;

/// The measure of counts.
pub(crate) fn of_counts(
    counts: impl Iterator<Item = f64> + Clone,
    measure: Measure,
) -> Result<f64, SignalError> {
    value(counts, measure, Some)
}

/// The measure of shares, which know nothing of a number of labels.
pub(crate) fn of_shares(
    shares: impl Iterator<Item = f64> + Clone,
    measure: Measure,
) -> Result<f64, SignalError> {
    value(shares, measure, |_| None)
}

fn value(
    weights: impl Iterator<Item = f64> + Clone,
    measure: Measure,
    labels: impl Fn(f64) -> Option<f64>,
) -> Result<f64, SignalError> {
    let name = measure.name();
    let total: f64 = weights.clone().sum();
    if total <= 0.0 {
        return Err(SignalError::undefined(name, "there is not one label"));
    }
    let scale = 1.0 / total;
    let counted = |what: &'static str| {
        labels(total).ok_or_else(|| SignalError::undefined(name, format!("{what} needs counts, not shares")))
    };
    let present = || weights.clone().filter(|&weight| weight > 0.0);
    let lambda = || present().map(|weight| weight * scale * (weight * scale)).sum::<f64>();
    match measure {
        Measure::Entropy { estimator, base } => {
            let nats = match estimator {
                Estimator::PlugIn => entropy(present(), total),
                Estimator::MillerMadow => {
                    let n = counted("Miller-Madow")?;
                    entropy(present(), total) + (present().count() - 1) as f64 / (2.0 * n)
                }
                Estimator::ChaoShen => chao_shen(present(), counted("Chao-Shen")?),
            };
            Ok(nats / base.ln())
        }
        // The ends without a logarithm, so that they are exact.
        Measure::Hill(0.0) => Ok(present().count() as f64),
        Measure::Hill(f64::INFINITY) => Ok(total / present().fold(0.0, f64::max)),
        Measure::Hill(order) => Ok(renyi(present(), total, order)?.exp()),
        Measure::Renyi { order, base } => Ok(renyi(present(), total, order)? / base.ln()),
        Measure::Tsallis(order) => tsallis(present(), total, order),
        Measure::Simpson(form) => {
            let unbiased = || {
                let n = counted("the unbiased form")?;
                if n < 2.0 {
                    return Err(SignalError::undefined(name, "one label has no second one to differ from"));
                }
                Ok(present().map(|count| count * (count - 1.0)).sum::<f64>() / (n * (n - 1.0)))
            };
            match form {
                Simpson::Dominance => Ok(lambda()),
                Simpson::Complement => Ok(1.0 - lambda()),
                Simpson::Inverse => Ok(1.0 / lambda()),
                Simpson::UnbiasedDominance => unbiased(),
                Simpson::UnbiasedComplement => Ok(1.0 - unbiased()?),
                Simpson::UnbiasedInverse => match unbiased()? {
                    0.0 => {
                        Err(SignalError::undefined(name, "every label occurs once, so no two are the same"))
                    }
                    lambda => Ok(1.0 / lambda),
                },
            }
        }
        Measure::BergerParker => Ok(present().fold(0.0, f64::max) * scale),
        Measure::Evenness(form) => {
            let distinct = present().count();
            match form {
                Evenness::Classes => match weights.clone().count() {
                    1 => Err(SignalError::undefined(name, "one class is neither even nor uneven")),
                    classes => Ok(entropy(present(), total) / (classes as f64).ln()),
                },
                _ if distinct == 1 => Ok(1.0),
                Evenness::Pielou => Ok(entropy(present(), total) / (distinct as f64).ln()),
                Evenness::Simpson => Ok(1.0 / (lambda() * distinct as f64)),
                Evenness::Heip => Ok(entropy(present(), total).exp_m1() / (distinct - 1) as f64),
            }
        }
        Measure::Gini(lorenz) => {
            let mut sorted: Vec<f64> = weights.collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let (mut sum, mut area) = (0.0, 0.0);
            for weight in &sorted {
                sum += weight;
                area += sum;
            }
            area = match lorenz {
                Lorenz::Trapezoids => area - sum / 2.0,
                Lorenz::Rectangles => area,
            };
            Ok((1.0 - 2.0 * area / (sum * sorted.len() as f64)).max(0.0))
        }
        Measure::ImbalanceRatio => {
            let (least, most) =
                weights.fold((f64::INFINITY, 0.0), |(least, most), w| (w.min(least), w.max(most)));
            if least > 0.0 {
                Ok(most / least)
            } else {
                Err(SignalError::undefined(name, "a class without a label makes it infinite"))
            }
        }
    }
}

/// In nats: `ln W - sum w ln w / W`, with one division and no share ever formed.
fn entropy(weights: impl Iterator<Item = f64>, total: f64) -> f64 {
    let sum: f64 = weights.map(|weight| weight * weight.ln()).sum();
    (total.ln() - sum / total).max(0.0)
}

fn chao_shen(counts: impl Iterator<Item = f64> + Clone, n: f64) -> f64 {
    let once = counts.clone().filter(|&count| count == 1.0).count() as f64;
    let coverage = 1.0 - if once == n { n - 1.0 } else { once } / n;
    let term = |count: f64| {
        let share = coverage * count / n;
        // 1 - (1 - share)^n, exact for small shares.
        let seen = if share < 1.0 { -(n * (-share).ln_1p()).exp_m1() } else { 1.0 };
        -share * share.ln() / seen
    };
    counts.map(term).sum::<f64>() + 0.0
}

fn order_in_range(order: f64) -> Result<(), SignalError> {
    if order >= 0.0 {
        Ok(())
    } else {
        Err(SignalError::setting("order", order, "a number from 0, or infinity"))
    }
}

/// `sum p^q - 1 = sum p (p^(q - 1) - 1)`, without cancellation near order 1.
fn excess(weights: impl Iterator<Item = f64>, total: f64, order: f64) -> f64 {
    let log = total.ln();
    weights.map(|weight| weight * ((order - 1.0) * (weight.ln() - log)).exp_m1()).sum::<f64>() / total
}

/// In nats.
fn renyi(weights: impl Iterator<Item = f64> + Clone, total: f64, order: f64) -> Result<f64, SignalError> {
    order_in_range(order)?;
    let most = weights.clone().fold(0.0, f64::max);
    Ok(if order == 0.0 {
        (weights.count() as f64).ln()
    } else if order == 1.0 {
        entropy(weights, total)
    } else if order == f64::INFINITY {
        (total / most).ln()
    } else if order < 2.0 {
        excess(weights, total, order).ln_1p() / (1.0 - order)
    } else {
        // Shares by the largest one, whose power does not vanish.
        let sum: f64 = weights.map(|weight| (order * (weight / most).ln()).exp()).sum();
        (sum.ln() + order * (most / total).ln()) / (1.0 - order)
    }
    .max(0.0))
}

fn tsallis(weights: impl Iterator<Item = f64>, total: f64, order: f64) -> Result<f64, SignalError> {
    order_in_range(order)?;
    Ok(if order == 1.0 {
        entropy(weights, total)
    } else if order == f64::INFINITY {
        0.0
    } else {
        excess(weights, total, order) / (1.0 - order)
    }
    .max(0.0))
}
