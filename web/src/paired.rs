//! Two sides on the same items: `superalign-evaluation`'s paired statistics.

use crate::{Fault, Resampling};
use superalign_evaluation::paired::{
    Adjustment, BootstrapInterval, McNemar, Power, SignFlip, SmallSample, Table, adjusted, difference,
    difference_estimate, mcnemar, mean_estimate, sign_flip,
};
use wasm_bindgen::prelude::*;

/// Sign flips of a test, as many as `superalign compare` draws.
const FLIPS: usize = 10_000;

/// How two sides compare on the same items.
#[wasm_bindgen(getter_with_clone)]
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Mean of the first side: value, lower end, upper end.
    pub first: Vec<f64>,
    /// Mean of the second side.
    pub second: Vec<f64>,
    /// First less second.
    pub difference: Vec<f64>,
    /// p-value of the sign-flip test, which flips whole groups.
    pub flips: f64,
    /// Of right and wrong answers: both, first only, second only, neither. Empty for other scores.
    pub table: Vec<f64>,
    /// p-value of McNemar's exact test, where there is a table.
    pub mcnemar: Option<f64>,
    /// The smallest difference that four of five such comparisons would find.
    pub detectable: f64,
}

/// Compares two sides by their scores of the same items, in one order; scores of 0 and 1 are right and wrong answers.
///
/// # Errors
/// Sides of different lengths, no items, scores that are no numbers.
#[wasm_bindgen]
pub fn compare(first: &[f64], second: &[f64], by: &Resampling) -> Result<Comparison, JsError> {
    Ok(compared(first, second, by)?)
}

/// Adjusts p-values for their number, by Holm or, `"benjamini-hochberg"`, by the rate of false discoveries.
///
/// # Errors
/// Another method; a p-value outside [0, 1].
#[wasm_bindgen(js_name = adjustedPValues)]
pub fn adjusted_p_values(p_values: &[f64], method: &str) -> Result<Vec<f64>, JsError> {
    let method = match method {
        "holm" => Adjustment::Holm,
        "benjamini-hochberg" => Adjustment::BenjaminiHochberg,
        other => return Err(Fault::Method(other.to_owned()).into()),
    };
    Ok(adjusted(p_values, method).map_err(Fault::from)?)
}

fn compared(first: &[f64], second: &[f64], by: &Resampling) -> Result<Comparison, Fault> {
    let (groups, bootstrap) = (by.groups(), by.bootstrap());
    let binary = |scores: &[f64]| scores.iter().all(|x| *x == 0.0 || *x == 1.0);
    let (mut counts, mut exact) = (Vec::new(), None);
    if binary(first) && binary(second) {
        let right = |scores: &[f64]| scores.iter().map(|x| *x == 1.0).collect::<Vec<bool>>();
        let table = Table::new(&right(first), &right(second))?;
        counts = [table.both, table.first_only, table.second_only, table.neither].map(|n| n as f64).to_vec();
        // Sides that never differ are not told apart.
        exact = Some(if table.first_only + table.second_only == 0 {
            1.0
        } else {
            mcnemar(&table, McNemar::Exact)?.p_value
        });
    }
    let flip = SignFlip { draws: FLIPS, ..SignFlip::new(bootstrap.seed.named("flips")) };
    let percentile = BootstrapInterval::Percentile;
    let triple = |estimate: superalign_core::Estimate| crate::triple(estimate);
    let power = Power { error: 1.0 - bootstrap.level, ..Power::default() };
    Ok(Comparison {
        first: triple(mean_estimate(first, groups, percentile, bootstrap)?),
        second: triple(mean_estimate(second, groups, percentile, bootstrap)?),
        difference: triple(difference_estimate(first, second, groups, percentile, bootstrap)?),
        flips: if first == second { 1.0 } else { sign_flip(first, second, groups, &flip)?.p_value },
        table: counts,
        mcnemar: exact,
        detectable: difference(first, second, groups, SmallSample::Miller)?.detectable(&power)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_and_wrong_answers_have_a_table_and_other_scores_have_none() {
        let by = Resampling::read(200.0, 0.95, 1, None).unwrap();
        let (first, second) = ([1.0, 1.0, 1.0, 0.0].repeat(50), [1.0, 0.0, 1.0, 0.0].repeat(50));
        let found = compared(&first, &second, &by).unwrap();
        assert_eq!(found.table, [100.0, 50.0, 0.0, 50.0]);
        assert_eq!(found.difference[0], 0.25);
        assert!(found.mcnemar.is_some_and(|p| p < 1e-10) && found.flips < 0.001);
        let same = compared(&first, &first, &by).unwrap();
        assert_eq!((same.mcnemar, same.flips), (Some(1.0), 1.0));
        let scores = compared(&[0.5, 0.25, 0.75], &[0.25, 0.5, 0.5], &by).unwrap();
        assert!(scores.table.is_empty() && scores.mcnemar.is_none());
        assert!(compared(&first, &second[1..], &by).is_err());
    }
}
