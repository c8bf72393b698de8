//! How many items a comparison needs, and how small a difference it can see.

use super::{Alternative, check_open};
use crate::EvaluationError;
use crate::special::normal_quantile;

/// What is asked of a planned comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// Probability of finding a difference that is not there, in (0, 1).
    pub error: f64,
    /// Probability of finding one that is there, in (0, 1), above `error`.
    pub power: f64,
    /// Whether the test is two-sided; the two one-sided ones need as many items.
    pub alternative: Alternative,
}

impl Default for Power {
    /// A two-sided test at 5% that finds four of five differences.
    fn default() -> Self {
        Self { error: 0.05, power: 0.8, alternative: Alternative::TwoSided }
    }
}

impl Power {
    /// The normal quantiles of the error (one-sided, or half of it) and of the power.
    pub(super) fn quantiles(&self) -> Result<(f64, f64), EvaluationError> {
        check_open("error", self.error)?;
        check_open("power", self.power)?;
        if self.power <= self.error {
            let expected = format!("above the error of {}", self.error);
            return Err(EvaluationError::setting("power", self.power, expected));
        }
        let tail = if self.alternative == Alternative::TwoSided { 0.5 * self.error } else { self.error };
        Ok((-normal_quantile(tail), normal_quantile(self.power)))
    }
}

/// On which side of the null share the share to be detected lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Above it.
    Above,
    /// Below it.
    Below,
}

/// The number of items that McNemar's test needs to find a difference of two shares of right answers.
///
/// n = ((z_error sqrt(discordance) + z_power sqrt(discordance - difference^2)) / difference)^2, rounded up (Connor
/// 1987). The discordance is the share of items on which one model alone is right:
/// [`Table::discordance`](super::Table).
///
/// # Errors
/// A discordance outside (0, 1]; a difference that is 0, or larger in size than the discordance; settings out of range.
///
/// ```
/// use superalign_evaluation::paired::{Power, paired_items};
/// assert_eq!(paired_items(0.02, 0.10, &Power::default())?, 1960);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn paired_items(difference: f64, discordance: f64, power: &Power) -> Result<u64, EvaluationError> {
    let (error, found) = power.quantiles()?;
    check_discordance(discordance)?;
    let size = difference.abs();
    if !(size > 0.0 && size <= discordance) {
        let expected = format!("a number other than 0, in size at most the discordance of {discordance}");
        return Err(EvaluationError::setting("difference", difference, expected));
    }
    let root = error * discordance.sqrt() + found * (discordance - size * size).max(0.0).sqrt();
    whole((root.max(0.0) / size).powi(2))
}

/// The smallest difference of two shares of right answers that McNemar's test finds with so many items: the inverse of
/// [`paired_items`].
///
/// # Errors
/// No item; a discordance outside (0, 1]; so few items that not even models that differ always in the same direction
/// are told apart; settings out of range.
///
/// ```
/// use superalign_evaluation::paired::{Power, paired_detectable};
/// let found = paired_detectable(1960, 0.10, &Power::default())?;
/// assert!((found - 0.02).abs() < 1e-4);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn paired_detectable(items: u64, discordance: f64, power: &Power) -> Result<f64, EvaluationError> {
    let (error, found) = power.quantiles()?;
    check_discordance(discordance)?;
    let n = check_items(items)?;
    // With d = sqrt(discordance) s: sqrt(n) s - error = found sqrt(1 - s^2).
    let inside = n + found * found - error * error;
    let s = (n.sqrt() * error + found * inside.max(0.0).sqrt()) / (n + found * found);
    let difference = discordance.sqrt() * s;
    if inside < 0.0 || difference > discordance {
        return Err(EvaluationError::undefined(
            "minimum detectable difference",
            format!("{items} items of which {discordance} differ are too few for any"),
        ));
    }
    Ok(difference)
}

/// The number of items that the test of one share against a null share needs.
///
/// n = ((z_error sqrt(p0 (1 - p0)) + z_power sqrt(p1 (1 - p1))) / (p1 - p0))^2, rounded up, for the null p0 and the
/// share p1 (Fleiss, Levin and Paik 2003, section 2.5).
///
/// # Errors
/// A null outside (0, 1); a share outside `0..=1` or equal to the null; settings out of range.
///
/// ```
/// use superalign_evaluation::paired::{Power, share_items};
/// assert_eq!(share_items(0.5, 0.55, &Power::default())?, 783);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn share_items(null: f64, share: f64, power: &Power) -> Result<u64, EvaluationError> {
    let (error, found) = power.quantiles()?;
    check_open("null", null)?;
    if !(0.0..=1.0).contains(&share) || share == null {
        let expected = format!("a number from 0 to 1 other than the null of {null}");
        return Err(EvaluationError::setting("share", share, expected));
    }
    let root = error * (null * (1.0 - null)).sqrt() + found * (share * (1.0 - share)).sqrt();
    whole((root.max(0.0) / (share - null)).powi(2))
}

/// The share nearest to the null, on one side of it, that the test finds with so many items: the inverse of
/// [`share_items`]. The effect is its distance from the null.
///
/// # Errors
/// No item; a null outside (0, 1); so few items that not even 0 or 1 is told from the null; settings out of range.
///
/// ```
/// use superalign_evaluation::paired::{Direction, Power, share_detectable};
/// let found = share_detectable(783, 0.5, Direction::Above, &Power::default())?;
/// assert!((found - 0.55).abs() < 1e-4);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn share_detectable(
    items: u64,
    null: f64,
    direction: Direction,
    power: &Power,
) -> Result<f64, EvaluationError> {
    let (error, found) = power.quantiles()?;
    check_open("null", null)?;
    let n = check_items(items)?;
    // Below the null is above its complement.
    let start = if direction == Direction::Above { null } else { 1.0 - null };
    let spread = start * (1.0 - start);
    // sqrt(n) d - error sqrt(spread) = found sqrt((start + d) (1 - start - d)), squared, is a quadratic in d.
    let null_term = error * spread.sqrt();
    let square = found * found;
    let (a, b, c) = (
        n + square,
        n.sqrt() * null_term + 0.5 * square * (1.0 - 2.0 * start),
        null_term * null_term - square * spread,
    );
    let inside = b * b - a * c;
    let effect = (b + inside.max(0.0).sqrt().copysign(found)) / a;
    if inside < 0.0 || start + effect > 1.0 {
        return Err(EvaluationError::undefined(
            "minimum detectable share",
            format!("{items} items are too few for any on that side of {null}"),
        ));
    }
    Ok(if direction == Direction::Above { null + effect } else { null - effect })
}

fn check_discordance(discordance: f64) -> Result<(), EvaluationError> {
    if discordance > 0.0 && discordance <= 1.0 {
        Ok(())
    } else {
        Err(EvaluationError::setting("discordance", discordance, "a number above 0, at most 1"))
    }
}

fn check_items(items: u64) -> Result<f64, EvaluationError> {
    if items == 0 {
        return Err(EvaluationError::TooFew { what: "items", found: 0, expected: 1 });
    }
    Ok(items as f64)
}

/// A number of items, rounded up; but what is whole except for rounding stays.
fn whole(items: f64) -> Result<u64, EvaluationError> {
    let up = (items * (1.0 - 1e-12)).ceil().max(1.0);
    if up < (1_u64 << 53) as f64 {
        Ok(up as u64)
    } else {
        Err(EvaluationError::undefined("number of items", "it is above 2^53: the difference is too small"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_planned_says_why() {
        let power = Power::default();
        assert_eq!(
            paired_items(0.2, 0.1, &power).unwrap_err().to_string(),
            "difference = 0.2: expected a number other than 0, in size at most the discordance of 0.1"
        );
        assert_eq!(
            paired_items(0.1, 1.5, &power).unwrap_err().to_string(),
            "discordance = 1.5: expected a number above 0, at most 1"
        );
        assert_eq!(
            paired_detectable(20, 0.1, &power).unwrap_err().to_string(),
            "minimum detectable difference is undefined: 20 items of which 0.1 differ are too few for any"
        );
        assert_eq!(
            share_detectable(2, 0.9, Direction::Above, &power).unwrap_err().to_string(),
            "minimum detectable share is undefined: 2 items are too few for any on that side of 0.9"
        );
        assert_eq!(
            share_items(0.5, 0.5, &power).unwrap_err().to_string(),
            "share = 0.5: expected a number from 0 to 1 other than the null of 0.5"
        );
        assert_eq!(
            share_items(0.5, 0.5 + 1e-9, &power).unwrap_err().to_string(),
            "number of items is undefined: it is above 2^53: the difference is too small"
        );
        let weak = Power { power: 0.05, ..power };
        assert_eq!(
            share_items(0.5, 0.6, &weak).unwrap_err().to_string(),
            "power = 0.05: expected above the error of 0.05"
        );
    }

    proptest! {
        #[test]
        fn the_detectable_difference_needs_that_many_items(
            items in 60_u64..1_000_000, discordance in 0.2..0.9, power in 0.1..0.99,
        ) {
            let power = Power { power, ..Power::default() };
            let difference = paired_detectable(items, discordance, &power).unwrap();
            prop_assert!(paired_items(difference, discordance, &power).unwrap().abs_diff(items) <= 1);
        }

        #[test]
        fn the_detectable_share_needs_that_many_items(
            items in 60_u64..1_000_000, null in 0.2..0.8, power in 0.1..0.99,
        ) {
            let power = Power { power, ..Power::default() };
            for direction in [Direction::Above, Direction::Below] {
                let share = share_detectable(items, null, direction, &power).unwrap();
                prop_assert!(share_items(null, share, &power).unwrap().abs_diff(items) <= 1);
            }
        }
    }
}
