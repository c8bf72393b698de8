//! Elo ratings, one comparison after another.

use super::comparison::{Comparison, check};
use crate::SignalError;

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

/// The ratings after all comparisons, in their order (Elo 1978): `r_i += step (s - 1 / (1 + base^((r_j - r_i) / scale)))`,
/// with s 1 for a win, 1/2 for a tie, 0 for a loss. Their sum never changes; another order gives other ratings.
///
/// ```
/// use superalign_signal::preference::{Comparison, Elo, Preferred, elo};
/// let list = [Comparison { first: 0, second: 1, preferred: Preferred::First }];
/// assert_eq!(elo(&list, 2, &Elo::default())?, [1002.0, 998.0]);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No comparison, a player that is not there or is compared with itself; a setting out of its range.
pub fn elo(comparisons: &[Comparison], players: usize, by: &Elo) -> Result<Vec<f64>, SignalError> {
    check(comparisons, players)?;
    for (key, found, fits, expected) in [
        ("initial", by.initial, true, "a finite number"),
        ("base", by.base, by.base > 1.0, "a number above 1"),
        ("scale", by.scale, by.scale > 0.0, "a number above 0"),
        ("step", by.step, by.step > 0.0, "a number above 0"),
    ] {
        if !(found.is_finite() && fits) {
            return Err(SignalError::setting(key, found, expected));
        }
    }
    let rate = by.base.ln() / by.scale;
    let mut ratings = vec![by.initial; players];
    for comparison in comparisons {
        let (first, second) = (comparison.first as usize, comparison.second as usize);
        let expected = 1.0 / (1.0 + (rate * (ratings[second] - ratings[first])).exp());
        let change = by.step * (comparison.preferred.score() - expected);
        ratings[first] += change;
        ratings[second] -= change;
    }
    Ok(ratings)
}

#[cfg(test)]
mod tests {
    use super::super::comparison::round;
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
}
