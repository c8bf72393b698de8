//! A mean, or a paired difference of two, with its standard error; items may come in groups.

use super::groups::{Groups, differences};
use super::power::Power;
use super::{Alternative, check_open};
use crate::special::{normal_quantile, normal_two_sided, student_two_sided, student_two_sided_quantile};
use crate::{Estimate, EvaluationError};

/// How the variance of a mean of n items in G groups allows for few of them. With e the deviations from the mean,
/// S = sum over items of e^2 and C = sum over groups of (sum of its e)^2:
///
/// | correction | variance of the mean |
/// |---|---|
/// | `Miller` | S / (n (n - 1)) + (C - S) / n^2 |
/// | `Groups` | C / n^2 * G / (G - 1) |
/// | `None` | C / n^2 |
///
/// Without groups the first two are the same: the variance by n - 1, divided by n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmallSample {
    /// Miller 2024, "Adding error bars to evals", equation 4.
    #[default]
    Miller,
    /// By groups less one: statsmodels (`cov_type="cluster"`, for a mean) and Inspect.
    Groups,
    /// None; too small where groups are few.
    None,
}

/// Which distribution a mean, less the true one, over its standard error is taken to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reference {
    /// The normal one, as Miller 2024 has it.
    #[default]
    Normal,
    /// Student's t with one degree of freedom less than there are groups: wider, for few groups.
    StudentT,
}

/// A mean with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean over items.
    pub value: f64,
    /// Its standard error, from 0.
    pub standard_error: f64,
    /// Number of items.
    pub items: usize,
    /// Number of groups; that of items where each is its own.
    pub groups: usize,
}

/// The mean of scores, with its standard error by [`SmallSample`].
///
/// `groups` holds a label for each item. Shares of right answers are means of 0 and 1.
///
/// # Errors
/// Fewer than two items or groups; another number of labels than of items; a score that is no finite number; scores
/// whose squares are none.
///
/// ```
/// use superalign_evaluation::paired::{Reference, SmallSample, mean};
/// let scores = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0];
/// let alone = mean(&scores, None, SmallSample::Miller)?;
/// // Pairs of items that always agree are worth half as many items.
/// let paired = mean(&scores, Some(&[7, 7, 8, 8, 9, 9]), SmallSample::Miller)?;
/// assert_eq!(alone.value, paired.value);
/// assert!(paired.standard_error > alone.standard_error);
/// assert_eq!(paired.interval(0.95, Reference::Normal)?.to_string(), "0.667 [0.107, 1.226]");
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn mean(
    scores: &[f64],
    groups: Option<&[u32]>,
    correction: SmallSample,
) -> Result<Mean, EvaluationError> {
    let table = Groups::new(scores, groups)?;
    let value = table.mean();
    let (n, count) = (table.items as f64, table.sums.len());
    let within: f64 = table.deviations().map(|deviation| deviation * deviation).sum();
    let variance = match correction {
        SmallSample::Miller => {
            let centre = value - table.origin;
            let items: f64 = scores.iter().map(|score| (score - table.origin - centre).powi(2)).sum();
            items / (n * (n - 1.0)) + (within - items) / (n * n)
        }
        SmallSample::Groups => within / (n * n) * (count as f64 / (count as f64 - 1.0)),
        SmallSample::None => within / (n * n),
    };
    let standard_error = variance.max(0.0).sqrt();
    if !(value.is_finite() && variance.is_finite()) {
        return Err(EvaluationError::undefined("mean", "the squares of the scores are no finite numbers"));
    }
    Ok(Mean { value, standard_error, items: table.items, groups: count })
}

/// The mean difference of two models' scores, first less second, with its standard error: the [`mean`] of the
/// differences, item by item.
///
/// Both models answer the same items, so that what makes an item hard cancels; the difference of two separate means
/// would have a larger error (Miller 2024, section 4).
///
/// # Errors
/// As [`mean`]; also two numbers of scores.
///
/// ```
/// use superalign_evaluation::paired::{Reference, SmallSample, difference};
/// let (first, second) = ([0.9, 0.5, 0.7, 0.4], [0.8, 0.3, 0.7, 0.3]);
/// let found = difference(&first, &second, None, SmallSample::Miller)?;
/// assert!((found.value - 0.1).abs() < 1e-12 && (found.standard_error - 0.040_824_829).abs() < 1e-9);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn difference(
    first: &[f64],
    second: &[f64],
    groups: Option<&[u32]>,
    correction: SmallSample,
) -> Result<Mean, EvaluationError> {
    mean(&differences(first, second)?, groups, correction)
}

impl Mean {
    /// The interval value -+ quantile * standard error, of that level. It may reach beyond the range of the scores.
    ///
    /// # Errors
    /// A level outside (0, 1).
    pub fn interval(&self, level: f64, reference: Reference) -> Result<Estimate, EvaluationError> {
        check_open("level", level)?;
        let quantile = match reference {
            Reference::Normal => -normal_quantile((1.0 - level) / 2.0),
            Reference::StudentT => student_two_sided_quantile(level, self.groups as f64 - 1.0),
        };
        let half = quantile * self.standard_error;
        Ok(Estimate { value: self.value, lo: self.value - half, hi: self.value + half })
    }

    /// The p-value of the test that the true mean is `null`: the z-test, or the t-test (of one mean, or paired).
    ///
    /// # Errors
    /// A null that is no finite number; a standard error of 0.
    ///
    /// ```
    /// use superalign_evaluation::paired::{Alternative, Reference, SmallSample, difference};
    /// let found = difference(&[3.0, 2.0, 4.0, 6.0], &[1.0, 2.0, 1.0, 2.0], None, SmallSample::Miller)?;
    /// let p = found.p_value(0.0, Alternative::TwoSided, Reference::StudentT)?;
    /// assert!((p - 0.077_994).abs() < 1e-6);
    /// # Ok::<(), superalign_evaluation::EvaluationError>(())
    /// ```
    pub fn p_value(
        &self,
        null: f64,
        alternative: Alternative,
        reference: Reference,
    ) -> Result<f64, EvaluationError> {
        if !null.is_finite() {
            return Err(EvaluationError::setting("null", null, "a finite number"));
        }
        if self.standard_error == 0.0 {
            let reason = "no two items or groups differ, so that the standard error is 0";
            return Err(EvaluationError::undefined("p-value of a mean", reason));
        }
        let statistic = (self.value - null) / self.standard_error;
        let both = match reference {
            Reference::Normal => normal_two_sided(statistic),
            Reference::StudentT => student_two_sided(statistic, self.groups as f64 - 1.0),
        };
        Ok(match alternative {
            Alternative::TwoSided => both,
            Alternative::Greater if statistic > 0.0 => 0.5 * both,
            Alternative::Less if statistic < 0.0 => 0.5 * both,
            Alternative::Greater | Alternative::Less => 1.0 - 0.5 * both,
        })
    }

    /// The smallest true difference that a comparison with this standard error would find with the given power:
    /// (z of the error + z of the power) * standard error (Miller 2024, section 5).
    ///
    /// It holds for scores of any kind and for groups; for right and wrong answers that are yet to be collected see
    /// [`paired_detectable`](super::paired_detectable).
    ///
    /// # Errors
    /// Settings of the power out of range.
    pub fn detectable(&self, power: &Power) -> Result<f64, EvaluationError> {
        let (error, found) = power.quantiles()?;
        Ok((error + found) * self.standard_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_has_no_mean_says_why() {
        let message = |scores: &[f64], groups: Option<&[u32]>| {
            mean(scores, groups, SmallSample::Miller).unwrap_err().to_string()
        };
        assert_eq!(message(&[1.0], None), "1 items: expected at least 2");
        assert_eq!(message(&[1.0, 2.0], Some(&[1])), "number of group labels: found 1, expected 2");
        assert_eq!(message(&[1.0, 2.0], Some(&[5, 5])), "1 groups: expected at least 2");
        assert_eq!(message(&[1.0, f64::NAN], None), "score of item 1 is NaN: expected a finite number");
        assert_eq!(
            message(&[1e300, -1e300], None),
            "mean is undefined: the squares of the scores are no finite numbers"
        );
        let two = difference(&[1.0, 2.0], &[1.0], None, SmallSample::Miller).unwrap_err().to_string();
        assert_eq!(two, "number of scores of the second model: found 1, expected 2");
        let constant = mean(&[0.1; 7], None, SmallSample::Miller).unwrap();
        assert_eq!((constant.value, constant.standard_error), (0.1, 0.0));
        assert_eq!(
            constant.p_value(0.0, Alternative::TwoSided, Reference::Normal).unwrap_err().to_string(),
            "p-value of a mean is undefined: no two items or groups differ, so that the standard error is 0"
        );
    }

    proptest! {
        #[test]
        fn groups_of_one_are_no_groups(scores in prop::collection::vec(-5.0..5.0, 2..40)) {
            let labels: Vec<u32> = (0..scores.len() as u32).map(|n| n * 7 % 1000).collect();
            let plain = mean(&scores, None, SmallSample::Miller).unwrap();
            for correction in [SmallSample::Miller, SmallSample::Groups] {
                let found = mean(&scores, Some(&labels), correction).unwrap();
                prop_assert!((found.standard_error - plain.standard_error).abs() < 1e-12);
            }
        }

        #[test]
        fn copies_of_every_item_in_one_group_leave_the_standard_error(
            scores in prop::collection::vec(-5.0..5.0, 2..20), copies in 2_usize..5,
        ) {
            let plain = mean(&scores, None, SmallSample::Groups).unwrap();
            let many: Vec<f64> = scores.iter().flat_map(|&score| vec![score; copies]).collect();
            let labels: Vec<u32> = (0..many.len()).map(|n| (n / copies) as u32).collect();
            let found = mean(&many, Some(&labels), SmallSample::Groups).unwrap();
            prop_assert!((found.standard_error - plain.standard_error).abs() < 1e-12);
        }
    }
}
