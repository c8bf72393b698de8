//! One function per quantity, each a call of `superalign-gap`.

use crate::{Answers, Fault, Resampling, triple};
use wasm_bindgen::prelude::*;

/// Share of items answered rightly, over all rows.
///
/// # Errors
/// As [`superalign_gap::capability_over_seeds`].
#[wasm_bindgen]
pub fn capability(answers: &Answers, by: &Resampling) -> Result<Vec<f64>, JsError> {
    let estimate = superalign_gap::capability_over_seeds(answers.view(), by.groups(), by.bootstrap());
    Ok(triple(estimate.map_err(Fault::from)?))
}

/// Capability of the student minus that of its weak supervisor.
///
/// # Errors
/// As [`superalign_gap::gain`].
#[wasm_bindgen]
pub fn gain(weak: &Answers, student: &Answers, by: &Resampling) -> Result<Vec<f64>, JsError> {
    let estimate = superalign_gap::gain(weak.view(), student.view(), by.groups(), by.bootstrap());
    Ok(triple(estimate.map_err(Fault::from)?))
}

/// Performance gap recovered: (student - weak) / (ceiling - weak), each a capability.
///
/// # Errors
/// The interval of the denominator touches zero; else as [`superalign_gap::performance_gap_recovered`].
#[wasm_bindgen(js_name = performanceGapRecovered)]
pub fn performance_gap_recovered(
    weak: &Answers,
    student: &Answers,
    ceiling: &Answers,
    by: &Resampling,
) -> Result<Vec<f64>, JsError> {
    let (weak, student, ceiling) = (weak.view(), student.view(), ceiling.view());
    let estimate =
        superalign_gap::performance_gap_recovered(weak, student, ceiling, by.groups(), by.bootstrap());
    Ok(triple(estimate.map_err(Fault::from)?))
}

/// Area under training accuracy on the noisy labels against noise ratio: 0 is chance, 1 is perfect memorisation.
///
/// `fits` says whether the student agrees with each noisy label: the rows of the first ratio (one per seed), then
/// those of the second, and so on.
///
/// # Errors
/// Rows that do not divide among the ratios; else as [`superalign_gap::noise_fitting_capacity`].
#[wasm_bindgen(js_name = noiseFittingCapacity)]
pub fn noise_fitting_capacity(ratios: &[f64], fits: &Answers, by: &Resampling) -> Result<Vec<f64>, JsError> {
    let fits = fits.split(ratios.len())?;
    let estimate = superalign_gap::noise_fitting_capacity(ratios, &fits, by.groups(), by.bootstrap());
    Ok(triple(estimate.map_err(Fault::from)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resampling(groups: Option<Vec<u32>>) -> Resampling {
        Resampling::read(200.0, 0.95, 7, groups).unwrap()
    }

    #[test]
    fn an_estimate_is_value_and_ends() {
        let answers = Answers::read(&[1, 1, 1, 0].repeat(100), 1).unwrap();
        let found = capability(&answers, &resampling(None)).unwrap_or_default();
        assert_eq!((found.len(), found[0]), (3, 0.75));
        assert!(found[1] < 0.75 && 0.75 < found[2], "{found:?}");
    }

    #[test]
    fn items_that_share_a_group_widen_the_interval() {
        let answers = Answers::read(&[[1; 50], [0; 50]].concat().repeat(4), 1).unwrap();
        let width = |groups| {
            let found = capability(&answers, &resampling(groups)).unwrap_or_default();
            found[2] - found[1]
        };
        assert!(width(Some((0..400).map(|item| item / 50).collect())) > 2.0 * width(None));
    }
}
