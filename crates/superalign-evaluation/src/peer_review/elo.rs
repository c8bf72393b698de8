//! Elo ratings, one comparison after another.

use super::tally::check;
use crate::{Bootstrap, Estimate, EvaluationError};
use superalign_core::{Comparison, below};

/// How ratings are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elo {
    /// Rating at the start.
    pub initial: f64,
    /// Base of the odds, above 1.
    pub base: f64,
    /// Difference of ratings at which the odds are `base` to 1, above 0.
    pub scale: f64,
    /// Most that one comparison can move a rating, above 0.
    pub step: f64,
}

impl Default for Elo {
    /// 1,000 at the start, base 10, scale 400, steps of at most 4.
    fn default() -> Self {
        Self { initial: 1000.0, base: 10.0, scale: 400.0, step: 4.0 }
    }
}

/// The ratings after all comparisons, in their order (Elo 1978):
/// `r_i += step (s - 1 / (1 + base^((r_j - r_i) / scale)))`, with s 1 for a win, 1/2 for a tie, 0 for a loss. Their sum
/// never changes; another order gives other ratings: see [`elo_over_orders`].
///
/// ```
/// use superalign_evaluation::peer_review::{Comparison, Elo, Preferred, elo};
/// let list = [Comparison { first: 0, second: 1, preferred: Preferred::First }];
/// assert_eq!(elo(&list, 2, &Elo::default())?, [1002.0, 998.0]);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// No comparison, a player that is not there or is compared with itself; a setting out of its range.
pub fn elo(comparisons: &[Comparison], players: usize, by: &Elo) -> Result<Vec<f64>, EvaluationError> {
    let rate = rate(comparisons, players, by)?;
    let mut ratings = vec![by.initial; players];
    comparisons.iter().for_each(|comparison| rate_one(&mut ratings, comparison, rate, by.step));
    Ok(ratings)
}

/// The mean ratings over random orders of the comparisons, which do not depend on the order in which they are given,
/// and between which ratings the middle `level` of the orders lie.
///
/// The draws of `orders` are orders, not samples: the interval says what the order does, and nothing of how few
/// comparisons there are. Cost: one pass over the comparisons for each order.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_evaluation::peer_review::{Comparison, Elo, Preferred::{First, Second}, elo_over_orders};
/// let list = [First, Second].map(|preferred| Comparison { first: 0, second: 1, preferred });
/// let found = elo_over_orders(&list, 2, &Elo::default(), &Bootstrap::new(Seed::new(1)))?;
/// // Whoever wins last stands above.
/// assert!(found[0].lo < 1000.0 && found[0].hi > 1000.0);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// As [`elo`]; settings of the draws out of range.
pub fn elo_over_orders(
    comparisons: &[Comparison],
    players: usize,
    by: &Elo,
    orders: &Bootstrap,
) -> Result<Vec<Estimate>, EvaluationError> {
    orders.check()?;
    let rate = rate(comparisons, players, by)?;
    let mut found = vec![Vec::with_capacity(orders.draws); players];
    for draw in 0..orders.draws as u64 {
        let mut rng = orders.seed.nth(draw).rng();
        let mut order: Vec<u32> = (0..comparisons.len() as u32).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, below(&mut rng, last + 1));
        }
        let mut ratings = vec![by.initial; players];
        for place in order {
            rate_one(&mut ratings, &comparisons[place as usize], rate, by.step);
        }
        found.iter_mut().zip(ratings).for_each(|(found, rating)| found.push(rating));
    }
    Ok(found
        .into_iter()
        .map(|draws| orders.interval(draws.iter().sum::<f64>() / draws.len() as f64, draws))
        .collect())
}

/// The settings checked: how steep the logistic is.
fn rate(comparisons: &[Comparison], players: usize, by: &Elo) -> Result<f64, EvaluationError> {
    check(comparisons, players)?;
    for (key, found, fits, expected) in [
        ("initial", by.initial, true, "a finite number"),
        ("base", by.base, by.base > 1.0, "a number above 1"),
        ("scale", by.scale, by.scale > 0.0, "a number above 0"),
        ("step", by.step, by.step > 0.0, "a number above 0"),
    ] {
        if !(found.is_finite() && fits) {
            return Err(EvaluationError::setting(key, found, expected));
        }
    }
    Ok(by.base.ln() / by.scale)
}

fn rate_one(ratings: &mut [f64], comparison: &Comparison, rate: f64, step: f64) {
    let (first, second) = (comparison.first as usize, comparison.second as usize);
    let expected = 1.0 / (1.0 + (rate * (ratings[second] - ratings[first])).exp());
    let change = step * (comparison.preferred.score() - expected);
    ratings[first] += change;
    ratings[second] -= change;
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused() {
        let message = |by: Elo| elo(&round(&[(0, 1, 1)]), 2, &by).unwrap_err().to_string();
        assert_eq!(message(Elo { base: 1.0, ..Elo::default() }), "base = 1: expected a number above 1");
        assert_eq!(
            message(Elo { step: f64::NAN, ..Elo::default() }),
            "step = NaN: expected a number above 0"
        );
    }

    #[test]
    fn what_one_gains_the_other_loses() {
        let list = round(&[(0, 1, 1), (1, 2, 0), (2, 0, 2), (2, 1, 1)]);
        let found = elo(&list, 3, &Elo { step: 32.0, ..Elo::default() }).unwrap();
        assert!((found.iter().sum::<f64>() - 3000.0).abs() < 1e-9 && found[0] > found[1]);
    }

    #[test]
    fn over_all_orders_the_order_given_does_not_count() {
        let mut list = round(&[(0, 1, 1), (1, 2, 0), (2, 0, 2), (2, 1, 1)]);
        let by = Elo { step: 32.0, ..Elo::default() };
        let orders = Bootstrap { draws: 20_000, ..Bootstrap::new(superalign_core::Seed::new(1)) };
        let found = elo_over_orders(&list, 3, &by, &orders).unwrap();
        list.reverse();
        let other = elo_over_orders(&list, 3, &by, &orders).unwrap();
        for (found, other) in found.iter().zip(&other) {
            assert!((found.value - other.value).abs() < 0.1, "{found} {other}");
        }
        let rating = elo(&list, 3, &by).unwrap()[0];
        assert!(found[0].lo <= rating && rating <= found[0].hi);
    }
}
