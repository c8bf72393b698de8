//! P-values adjusted for their number.

use crate::EvaluationError;

/// What is kept below the level when all comparisons with an adjusted p-value below it are called differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adjustment {
    /// The probability of a single false one (Holm 1979), whatever the dependence of the tests.
    #[default]
    Holm,
    /// The expected share of false ones (Benjamini and Hochberg 1995), for independent or positively dependent tests.
    BenjaminiHochberg,
}

/// Adjusted p-values, in the order of the given ones: to be compared with the level as a single one would be.
///
/// With the m p-values in ascending order p_1, ..., p_m, Holm's are max over j <= i of (m - j + 1) p_j, those of
/// Benjamini and Hochberg min over j >= i of m p_j / j, both at most 1. As `multipletests` of statsmodels (`holm`,
/// `fdr_bh`). Of no p-values there are none.
///
/// # Errors
/// A p-value outside `0..=1`.
///
/// ```
/// use superalign_evaluation::paired::{Adjustment, adjusted};
/// assert_eq!(adjusted(&[0.25, 0.0625, 0.125], Adjustment::Holm)?, [0.25, 0.1875, 0.25]);
/// assert_eq!(adjusted(&[0.25, 0.0625, 0.125], Adjustment::BenjaminiHochberg)?, [0.25, 0.1875, 0.1875]);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn adjusted(p_values: &[f64], adjustment: Adjustment) -> Result<Vec<f64>, EvaluationError> {
    if let Some(index) = p_values.iter().position(|p| !(0.0..=1.0).contains(p)) {
        let (what, expected) = ("p-value", "a number from 0 to 1");
        return Err(EvaluationError::Value { what, index, found: p_values[index], expected });
    }
    let count = p_values.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut found = vec![0.0; count];
    match adjustment {
        Adjustment::Holm => {
            let mut most = 0.0_f64;
            for (rank, &index) in order.iter().enumerate() {
                most = most.max((count - rank) as f64 * p_values[index]).min(1.0);
                found[index] = most;
            }
        }
        Adjustment::BenjaminiHochberg => {
            let mut least = 1.0_f64;
            for (rank, &index) in order.iter().enumerate().rev() {
                least = least.min(p_values[index] * (count as f64 / (rank + 1) as f64));
                found[index] = least;
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_probability_is_refused() {
        let message = |p| adjusted(&[0.5, p], Adjustment::Holm).unwrap_err().to_string();
        assert_eq!(message(1.5), "p-value 1 is 1.5: expected a number from 0 to 1");
        assert_eq!(message(f64::NAN), "p-value 1 is NaN: expected a number from 0 to 1");
        assert_eq!(adjusted(&[], Adjustment::Holm), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn adjusting_keeps_the_order_and_holm_is_the_stricter(
            p_values in prop::collection::vec(0.0..=1.0, 1..30),
        ) {
            let holm = adjusted(&p_values, Adjustment::Holm).unwrap();
            let hochberg = adjusted(&p_values, Adjustment::BenjaminiHochberg).unwrap();
            for i in 0..p_values.len() {
                prop_assert!(p_values[i] <= hochberg[i] + 1e-15 && hochberg[i] <= holm[i] + 1e-15);
                prop_assert!(holm[i] <= 1.0);
                for j in 0..p_values.len() {
                    prop_assert!(p_values[i] > p_values[j] || holm[i] <= holm[j]);
                    prop_assert!(p_values[i] > p_values[j] || hochberg[i] <= hochberg[j]);
                }
            }
        }
    }
}
