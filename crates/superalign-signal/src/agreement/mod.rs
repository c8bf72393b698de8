//! How far raters agree, beyond chance: raw agreement, the kappas of Cohen, Conger, Fleiss, and Brennan and Prediger,
//! Krippendorff's alpha, Gwet's AC1 and AC2; each with intervals, standard errors and for all pairs of raters.
//!
//! A [`Coefficient`] names what is computed, with its conventions, and every function takes any of them. Items are first
//! grouped by how often each label was given, which costs one pass over the votes; everything else is computed from the
//! groups. No table of all pairs of categories is ever built, so that labels may be real numbers.
//!
//! Who of the raters is right is not here: see [`truth`](crate::truth).

mod chance;
mod coefficient;
mod conger;
mod distance;
mod kinds;
mod pairwise;
mod ratio;
mod standard_error;

pub use coefficient::{Categories, Coefficient, Level, Raters, Spacing, Weighting, Weights};
pub use pairwise::{Pairwise, pairwise};
pub use standard_error::{LoneVotes, null_standard_error, standard_error};

use crate::resample;
use crate::{Bootstrap, Estimate, SignalError, Votes};
use chance::Chance;
use kinds::Kinds;

/// A coefficient with the two agreements that it is made of: value = (observed - expected) / (1 - expected).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// The coefficient, at most 1; 0 where the raters agree as by chance.
    pub value: f64,
    /// p_a, the mean weight of two votes on an item.
    pub observed: f64,
    /// p_e, the mean weight of two labels drawn by chance, in the coefficient's sense of it; 0 for raw agreement.
    pub expected: f64,
}

/// A coefficient of agreement: 1 where all raters always agree, 0 where they agree as by chance, negative below.
///
/// Items with fewer than two votes do not count, but for the shares of labels in the chance agreement of Conger, Fleiss
/// and Gwet. Formulas and sources stand at [`Coefficient`] and [`Weights`].
///
/// # Errors
/// No item with two votes; one label (but Gwet's and Brennan and Prediger's exist where several categories are given,
/// and raw agreement always); for [`Coefficient::Cohen`] another number of raters than two; for [`Raters::Equal`]
/// items with different numbers of votes; labels that are no given category, or negative on a ratio scale.
///
/// ```
/// use superalign_signal::{Votes, agreement::{self, Coefficient, Level, Weighting}};
/// // Four items, three raters; -1 is no vote.
/// let votes = Votes::dense(ndarray::array![[0_i8, 0, 0], [1, 1, -1], [1, 1, 0], [0, 0, -1]].view())?;
/// let raw = agreement::value(&votes, Coefficient::Raw(Weighting::default()))?;
/// let alpha = agreement::value(&votes, Coefficient::Krippendorff(Level::Nominal))?;
/// assert!((raw - 5.0 / 6.0).abs() < 1e-12 && (alpha - 0.625).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn value(votes: &Votes, coefficient: Coefficient) -> Result<f64, SignalError> {
    parts(votes, coefficient).map(|parts| parts.value)
}

/// As [`value`], with the observed agreement and that expected by chance, as irrCAC gives them.
///
/// Those of [`Coefficient::Krippendorff`] are irrCAC's as well: the observed agreement is nearer to 1 by 1 / n than the
/// mean over pairs of votes, where n is the number of votes.
///
/// # Errors
/// As [`value`].
///
/// ```
/// use superalign_signal::{Votes, agreement::{self, Coefficient, Weighting}};
/// let votes = Votes::dense(ndarray::array![[0_i8, 0], [1, 1], [0, 1], [0, 0]].view())?;
/// let found = agreement::parts(&votes, Coefficient::Cohen(Weighting::default()))?;
/// assert_eq!((found.observed, found.expected, found.value), (0.75, 0.5, 0.5));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn parts(votes: &Votes, coefficient: Coefficient) -> Result<Parts, SignalError> {
    check(votes, coefficient)?;
    let kinds = Kinds::new(votes, &[coefficient]);
    Chance::new(&kinds, coefficient)?.parts(&kinds.counts())
}

/// A coefficient with its percentile interval over resampled items.
///
/// The categories and their weights stay those of all items in every resample.
///
/// # Errors
/// As [`value`]; also a bootstrap out of range, and a coefficient that does not exist in one of twenty resamples.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_signal::{Bootstrap, Votes, agreement::{self, Coefficient, Weighting}};
/// let table = ndarray::Array2::from_shape_fn((400, 3), |(i, j)| if i % 5 == j { 2_i8 } else { (i % 3) as i8 });
/// let votes = Votes::dense(table.view())?;
/// let ac1 = agreement::estimate(&votes, Coefficient::Gwet(Weighting::default()), &Bootstrap::new(Seed::new(1)))?;
/// assert!(ac1.lo < ac1.value && ac1.value < ac1.hi && ac1.hi - ac1.lo < 0.1);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn estimate(votes: &Votes, coefficient: Coefficient, by: &Bootstrap) -> Result<Estimate, SignalError> {
    estimates(votes, &[coefficient], by).swap_remove(0)
}

/// As [`estimate`] for several coefficients, from the same resamples: one outcome for each, in their order.
///
/// The resamples are drawn once, and are those that [`estimate`] draws; the values are the same but for rounding.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_signal::{Bootstrap, Votes, agreement::{self, Coefficient, Raters, Weighting}};
/// let table = ndarray::Array2::from_shape_fn((90, 3), |(i, j)| if i % 4 == j { 2_i8 } else { (i % 3) as i8 });
/// let votes = Votes::dense(table.view())?;
/// let plain = Weighting::default();
/// let asked = [Coefficient::Fleiss(plain, Raters::Equal), Coefficient::Cohen(plain)];
/// let found = agreement::estimates(&votes, &asked, &Bootstrap::new(Seed::new(1)));
/// assert!(found[0].is_ok());
/// assert_eq!(found[1].as_ref().unwrap_err().to_string(), "number of raters of Cohen's kappa: found 3, expected 2");
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
#[must_use]
pub fn estimates(
    votes: &Votes,
    coefficients: &[Coefficient],
    by: &Bootstrap,
) -> Vec<Result<Estimate, SignalError>> {
    let kinds = Kinds::new(votes, coefficients);
    let ready = |&coefficient| check(votes, coefficient).and_then(|()| Chance::new(&kinds, coefficient));
    let mut refused: Vec<Option<SignalError>> = Vec::with_capacity(coefficients.len());
    let mut asked = Vec::new();
    for outcome in coefficients.iter().map(ready) {
        refused.push(outcome.map(|chance| asked.push(chance)).err());
    }
    let names: Vec<&str> = asked.iter().map(|chance| chance.coefficient.name()).collect();
    let mut found = resample::estimates(by, &names, &kinds.of_item, |counts, values| {
        for (value, chance) in values.iter_mut().zip(&mut asked) {
            *value = chance.parts(counts).map(|parts| parts.value);
        }
    })
    .into_iter();
    let mut next =
        || found.next().unwrap_or_else(|| unreachable!("every coefficient that was not refused has one"));
    refused.into_iter().map(|error| error.map_or_else(&mut next, Err)).collect()
}

/// Whether the number of raters is one that the coefficient takes.
fn check(votes: &Votes, coefficient: Coefficient) -> Result<(), SignalError> {
    match coefficient {
        Coefficient::Cohen(_) if votes.raters() != 2 => {
            let what = "number of raters of Cohen's kappa";
            Err(SignalError::Shape { what, found: votes.raters(), expected: 2 })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
