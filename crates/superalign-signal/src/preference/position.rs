//! Whether votes follow the place at which an answer is shown.

use super::comparison::Preferred;
use crate::{Bootstrap, Estimate, SignalError, resample};

/// What votes on the same pairs, shown in both orders, say of the places; all but `pairs` and `bias` in `0..=1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PositionBias<T> {
    /// Number of pairs with a preference in both orders.
    pub pairs: usize,
    /// Share of them in which the same answer was preferred in both orders.
    pub consistency: T,
    /// Share in which the first place was preferred in both orders.
    pub always_first: T,
    /// Share in which the second place was.
    pub always_second: T,
    /// Share of all votes that went to the first place.
    pub first_rate: T,
    /// That, less one half: above 0 for judges that favour the first place.
    pub bias: T,
}

/// Position bias from votes on pairs that were shown in both orders.
///
/// `order` and `swapped` have one vote per pair: the place that was preferred, in the one order and in the other. The
/// same answer was preferred where the places differ. Pairs with a tie in either order are left out.
///
/// ```
/// use superalign_signal::preference::{Preferred::{First, Second, Tie}, position_bias};
/// let found = position_bias(&[First, First, Tie], &[Second, First, First])?;
/// assert_eq!((found.pairs, found.consistency, found.always_first, found.first_rate), (2, 0.5, 0.5, 0.75));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// Lists of different lengths; no pair with a preference in both orders.
pub fn position_bias(order: &[Preferred], swapped: &[Preferred]) -> Result<PositionBias<f64>, SignalError> {
    let counts = tally(order, swapped)?;
    let [consistency, always_first, always_second, first_rate, bias] = shares(counts.map(f64::from));
    let pairs = counts.iter().sum::<u32>() as usize;
    Ok(PositionBias { pairs, consistency, always_first, always_second, first_rate, bias })
}

/// As [`position_bias`], with percentile intervals over pairs that are resampled jointly for all shares.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_signal::preference::{Preferred::First, position_bias_estimate};
/// let found = position_bias_estimate(&[First; 50], &[First; 50], &Bootstrap::new(Seed::new(1)))?;
/// assert_eq!((found.bias.lo, found.bias.hi), (0.5, 0.5));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`position_bias`].
pub fn position_bias_estimate(
    order: &[Preferred],
    swapped: &[Preferred],
    by: &Bootstrap,
) -> Result<PositionBias<Estimate>, SignalError> {
    let counts = tally(order, swapped)?;
    let found = resample::estimates_of_counts(by, &["position bias"; 5], &counts, |counts, values| {
        let shares = shares([counts[0], counts[1], counts[2]].map(f64::from));
        values.iter_mut().zip(shares).for_each(|(value, share)| *value = Ok(share));
    });
    let found: Vec<Estimate> = found.into_iter().collect::<Result<_, _>>()?;
    Ok(PositionBias {
        pairs: counts.iter().sum::<u32>() as usize,
        consistency: found[0],
        always_first: found[1],
        always_second: found[2],
        first_rate: found[3],
        bias: found[4],
    })
}

/// How many pairs preferred the same answer, the first place twice, and the second place twice.
fn tally(order: &[Preferred], swapped: &[Preferred]) -> Result<[u32; 3], SignalError> {
    if order.len() != swapped.len() {
        let (found, expected) = (swapped.len(), order.len());
        return Err(SignalError::Shape { what: "number of votes on swapped pairs", found, expected });
    }
    let mut counts = [0; 3];
    for (order, swapped) in order.iter().zip(swapped) {
        match (order, swapped) {
            (Preferred::Tie, _) | (_, Preferred::Tie) => {}
            (Preferred::First, Preferred::First) => counts[1] += 1,
            (Preferred::Second, Preferred::Second) => counts[2] += 1,
            _ => counts[0] += 1,
        }
    }
    if counts == [0; 3] {
        return Err(SignalError::undefined("position bias", "no pair has a preference in both orders"));
    }
    Ok(counts)
}

fn shares([same, first, second]: [f64; 3]) -> [f64; 5] {
    let pairs = same + first + second;
    let rate = (same + 2.0 * first) / (2.0 * pairs);
    [same / pairs, first / pairs, second / pairs, rate, rate - 0.5]
}

#[cfg(test)]
mod tests {
    use super::Preferred::{First, Second, Tie};
    use super::*;
    use superalign_core::Seed;

    #[test]
    fn what_does_not_exist_says_why() {
        let message = |a: &[_], b: &[_]| position_bias(a, b).unwrap_err().to_string();
        assert_eq!(message(&[First], &[]), "number of votes on swapped pairs: found 0, expected 1");
        assert_eq!(
            message(&[Tie, First], &[First, Tie]),
            "position bias is undefined: no pair has a preference in both orders"
        );
    }

    #[test]
    fn exchanging_the_orders_and_mirroring_the_places() {
        let order: Vec<_> = (0..300).map(|i| if i % 3 == 0 { Second } else { First }).collect();
        let swapped: Vec<_> = (0..300).map(|i| if i % 5 < 2 { First } else { Second }).collect();
        let found = position_bias(&order, &swapped).unwrap();
        assert_eq!(found, position_bias(&swapped, &order).unwrap());
        let mirror =
            |list: &[_]| list.iter().map(|&p| if p == First { Second } else { First }).collect::<Vec<_>>();
        let mirrored = position_bias(&mirror(&order), &mirror(&swapped)).unwrap();
        assert!((mirrored.bias + found.bias).abs() < 1e-12 && mirrored.always_first == found.always_second);
        let estimate = position_bias_estimate(&order, &swapped, &Bootstrap::new(Seed::new(2))).unwrap();
        assert_eq!(estimate.consistency.value, found.consistency);
        assert!(
            estimate.bias.lo < found.bias
                && found.bias < estimate.bias.hi
                && estimate.bias.hi < found.bias + 0.06
        );
    }
}
