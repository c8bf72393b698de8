//! The paired permutation test: each item's (or group's) difference keeps its size, and may have had the other sign.

use super::Alternative;
use super::groups::{Groups, differences};
use crate::EvaluationError;
use crate::special::half_binomial;
use superalign_core::Seed;
use superalign_core::rand::Rng as _;

/// Up to so many differences all patterns of signs are counted: 2^20 of them.
const EXACT: usize = 20;
/// How much of the sum of sizes two sums may be apart by rounding alone.
const ROUNDING: f64 = 1e-12;
/// Differences whose signs are drawn with one byte.
const BYTE: usize = 8;

/// How the test is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlip {
    /// Patterns of signs that are drawn where there are too many to count, at least 1.
    pub draws: usize,
    /// Where they come from.
    pub seed: Seed,
    /// Which differences speak against the null hypothesis.
    pub alternative: Alternative,
}

impl SignFlip {
    /// 10,000 patterns, two-sided.
    #[must_use]
    pub const fn new(seed: Seed) -> Self {
        Self { draws: 10_000, seed, alternative: Alternative::TwoSided }
    }
}

/// Whether all patterns of signs were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patterns {
    /// All: the p-value is exact.
    All,
    /// So many were drawn.
    Drawn(usize),
}

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlipTest {
    /// Mean difference, first less second.
    pub difference: f64,
    /// Share of patterns whose mean difference is as extreme; of drawn ones (1 + as extreme) / (1 + drawn).
    pub p_value: f64,
    /// Which patterns.
    pub patterns: Patterns,
}

/// The paired permutation test of two models' scores: under the null hypothesis the two scores of an item could as well
/// have been exchanged. Items of one group are exchanged together.
///
/// The p-value is the share of the patterns of signs whose mean difference is as large as the observed one (in size,
/// for a two-sided test), or equal but for rounding. All patterns are counted where at most 20 items or groups have a
/// difference other than 0, or where all those differences have one size, as for right and wrong answers without
/// groups: the two-sided p-value is then that of McNemar's exact test. Else patterns are drawn, and the observed one
/// counts as one more (Phipson and Smyth 2010). As `permutation_test` of scipy with `permutation_type="samples"`.
///
/// Cost: one look-up for eight items of every draw; 10,000 draws of 100,000 items take a tenth of a second.
///
/// # Errors
/// Fewer than two items or groups; other numbers of scores or labels; a score that is no finite number; no draw; sums
/// of scores that are no finite numbers.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_evaluation::paired::{Patterns, SignFlip, sign_flip};
/// let (first, second) = ([3.0, 2.0, 5.0, 4.0], [1.0, 1.5, 1.0, 3.0]);
/// let found = sign_flip(&first, &second, None, &SignFlip::new(Seed::new(1)))?;
/// // Of 16 patterns, only the observed one and its opposite are as extreme.
/// assert_eq!((found.p_value, found.patterns), (0.125, Patterns::All));
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn sign_flip(
    first: &[f64],
    second: &[f64],
    groups: Option<&[u32]>,
    by: &SignFlip,
) -> Result<SignFlipTest, EvaluationError> {
    if by.draws == 0 {
        return Err(EvaluationError::setting("draws", 0.0, "at least 1"));
    }
    let items = differences(first, second)?;
    let largest = items.iter().fold(0.0_f64, |largest, item| largest.max(item.abs()));
    let table = Groups::about(0.0, &items, groups)?;
    let mut sums = table.sums;
    let observed: f64 = sums.iter().sum();
    let reach: f64 = sums.iter().map(|sum| sum.abs()).sum();
    if !reach.is_finite() {
        return Err(EvaluationError::undefined(
            "permutation test",
            "the sums of scores are no finite numbers",
        ));
    }
    // What is 0 but for the rounding of its items has no sign to flip.
    sums.retain(|sum| sum.abs() > ROUNDING * largest);
    let both = by.alternative == Alternative::TwoSided;
    // With all signs turned, what is extreme is large.
    if by.alternative == Alternative::Less || (both && observed < 0.0) {
        sums.iter_mut().for_each(|sum| *sum = -*sum);
    }
    let edge = sums.iter().sum::<f64>() - ROUNDING * reach;
    let exact = of_one_size(&sums).or_else(|| (sums.len() <= EXACT).then(|| share_of_all(&sums, edge)));
    let (p_value, patterns) = if let Some(above) = exact {
        // As many patterns are as extreme on the other side.
        (if both { (2.0 * above).min(1.0) } else { above }, Patterns::All)
    } else {
        let extreme = drawn_at_least(&sums, edge, by, both);
        ((1 + extreme) as f64 / (1 + by.draws) as f64, Patterns::Drawn(by.draws))
    };
    Ok(SignFlipTest { difference: observed / table.items as f64, p_value, patterns })
}

/// P(sum >= observed) where all differences have one size, from the binomial distribution.
fn of_one_size(sums: &[f64]) -> Option<f64> {
    let size = sums.first()?.abs();
    if sums.iter().any(|sum| (sum.abs() - size).abs() > ROUNDING * size) {
        return None;
    }
    let below = sums.iter().filter(|sum| **sum < 0.0).count() as u64;
    // At least as many above 0 is at most as many below.
    Some(half_binomial(below, sums.len() as u64).0)
}

/// P(sum >= edge) over all patterns of signs: those of one half of the differences, sorted, are searched for each of
/// the other half.
fn share_of_all(sums: &[f64], edge: f64) -> f64 {
    let (left, right) = sums.split_at(sums.len() / 2);
    let mut left = patterns(left);
    left.sort_unstable_by(f64::total_cmp);
    let right = patterns(right);
    let extreme: usize =
        right.iter().map(|right| left.len() - left.partition_point(|left| left + right < edge)).sum();
    extreme as f64 / (left.len() as f64 * right.len() as f64)
}

/// The sums of all patterns of signs; pattern b gives difference i its own sign where bit i of b is set.
fn patterns(sums: &[f64]) -> Vec<f64> {
    let mut all = vec![-sums.iter().sum::<f64>()];
    for sum in sums {
        all.extend_from_within(..);
        let half = all.len() / 2;
        all[half..].iter_mut().for_each(|all| *all += 2.0 * sum);
    }
    all
}

/// How many drawn patterns have a sum of at least the edge, in size where both sides count.
///
/// Eight differences at a time: their 256 sums fit the first cache, and a byte of each draw picks one.
fn drawn_at_least(sums: &[f64], edge: f64, by: &SignFlip, both: bool) -> usize {
    let mut totals = vec![0.0; by.draws];
    for (n, eight) in sums.chunks(BYTE).enumerate() {
        let all = patterns(eight);
        let mask = all.len() - 1;
        let mut rng = by.seed.nth(n as u64).rng();
        for totals in totals.chunks_mut(BYTE) {
            let bytes = rng.next_u64().to_le_bytes();
            for (total, byte) in totals.iter_mut().zip(bytes) {
                *total += all[usize::from(byte) & mask];
            }
        }
    }
    totals.iter().filter(|&&total| total >= edge || (both && -total >= edge)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paired::{McNemar, Table, mcnemar};
    use proptest::prelude::*;

    fn test(differences: &[f64], groups: Option<&[u32]>, alternative: Alternative) -> SignFlipTest {
        let by = SignFlip { alternative, ..SignFlip::new(Seed::new(3)) };
        sign_flip(differences, &vec![0.0; differences.len()], groups, &by).unwrap()
    }

    #[test]
    fn what_cannot_be_tested_says_why() {
        let by = SignFlip::new(Seed::new(1));
        let none = SignFlip { draws: 0, ..by };
        let message =
            |by: &SignFlip, first: &[f64]| sign_flip(first, &[1.0, 2.0], None, by).unwrap_err().to_string();
        assert_eq!(message(&none, &[1.0, 2.0]), "draws = 0: expected at least 1");
        assert_eq!(message(&by, &[1.0]), "number of scores of the second model: found 2, expected 1");
        assert_eq!(
            message(&by, &[f64::INFINITY, 1.0]),
            "score of the first model for item 0 is inf: expected a finite number"
        );
        assert_eq!(
            message(&by, &[1.7e308, 1.7e308]),
            "permutation test is undefined: the sums of scores are no finite numbers"
        );
    }

    #[test]
    fn right_and_wrong_answers_give_the_exact_test_of_mcnemar() {
        let first: Vec<f64> = (0..300).map(|n| f64::from(n % 10 < 4)).collect();
        let second: Vec<f64> = (0..300).map(|n| f64::from(n % 7 < 2)).collect();
        let found = sign_flip(&first, &second, None, &SignFlip::new(Seed::new(1))).unwrap();
        let right = |scores: &[f64]| scores.iter().map(|&score| score == 1.0).collect::<Vec<_>>();
        let table = Table::new(&right(&first), &right(&second)).unwrap();
        assert_eq!(found.p_value, mcnemar(&table, McNemar::Exact).unwrap().p_value);
        assert_eq!(found.patterns, Patterns::All);
    }

    #[test]
    fn equal_scores_have_a_p_value_of_one() {
        for alternative in [Alternative::TwoSided, Alternative::Greater, Alternative::Less] {
            assert_eq!(test(&[0.0; 5], None, alternative).p_value, 1.0);
        }
    }

    #[test]
    fn a_group_whose_scores_cancel_but_for_rounding_has_no_sign() {
        let differences = [2.0 / 3.0, -1.0 / 3.0, -1.0, 2.0 / 3.0, 0.0];
        assert_ne!(differences.iter().sum::<f64>(), 0.0);
        for alternative in [Alternative::TwoSided, Alternative::Greater, Alternative::Less] {
            assert_eq!(test(&differences, Some(&[0, 0, 0, 0, 1]), alternative).p_value, 1.0);
        }
    }

    #[test]
    fn drawn_patterns_come_near_to_all() {
        let differences: Vec<f64> = (0..20).map(|n| f64::from((n * 7919) % 23) / 7.0 - 1.2).collect();
        for alternative in [Alternative::TwoSided, Alternative::Greater, Alternative::Less] {
            let exact = test(&differences, None, alternative);
            let by = SignFlip { draws: 200_000, seed: Seed::new(5), alternative };
            let (sign, both) = match alternative {
                Alternative::TwoSided => (1.0, true),
                Alternative::Greater => (1.0, false),
                Alternative::Less => (-1.0, false),
            };
            let signed: Vec<f64> = differences.iter().map(|d| sign * d).collect();
            let sum: f64 = signed.iter().sum();
            let edge = if both { sum.abs() } else { sum } - 1e-9;
            let drawn = drawn_at_least(&signed, edge, &by, both) as f64 / 200_000.0;
            assert!((drawn - exact.p_value).abs() < 0.004, "{drawn} {exact:?}");
        }
    }

    proptest! {
        #[test]
        fn all_patterns_are_counted_as_one_by_one(
            differences in prop::collection::vec(-3_i32..4, 2..11),
            labels in prop::collection::vec(0_u32..5, 11),
        ) {
            let labels = &labels[..differences.len()];
            prop_assume!(labels.iter().any(|label| *label != labels[0]));
            let mut sums = [0_i32; 5];
            differences.iter().zip(labels).for_each(|(d, &label)| sums[label as usize] += d);
            let observed: i32 = sums.iter().sum();
            let all: Vec<i32> = (0..32)
                .map(|bits| (0..5).map(|i| if bits >> i & 1 == 1 { sums[i] } else { -sums[i] }).sum())
                .collect();
            let share = |extreme: &dyn Fn(i32) -> bool| {
                all.iter().filter(|&&sum| extreme(sum)).count() as f64 / 32.0
            };
            let scores: Vec<f64> = differences.iter().map(|&d| f64::from(d) / 3.0).collect();
            let expected = [
                (Alternative::TwoSided, share(&|sum| sum.abs() >= observed.abs())),
                (Alternative::Greater, share(&|sum| sum >= observed)),
                (Alternative::Less, share(&|sum| sum <= observed)),
            ];
            for (alternative, expected) in expected {
                let found = test(&scores, Some(labels), alternative);
                prop_assert!((found.p_value - expected).abs() < 1e-12, "{:?}: {} {}", alternative, found.p_value, expected);
            }
        }
    }
}
