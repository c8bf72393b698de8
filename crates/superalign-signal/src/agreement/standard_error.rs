//! Standard errors by formula, over items drawn from a large population. Those by resampling are not here.

use super::chance::Chance;
use super::kinds::Kinds;
use super::{Coefficient, Parts, Weighting, check};
use crate::{SignalError, Votes};

/// What an item with one vote is to the standard errors of Conger's, Fleiss', Brennan and Prediger's and Gwet's
/// coefficients; those
/// of the others know no such item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LoneVotes {
    /// It says something of the shares of labels and nothing of the observed agreement, as in resampling.
    #[default]
    LeftOut,
    /// It counts as one whose raters agree as by chance (Gwet 2014, irrCAC). Where there are many and the raters agree
    /// well, the standard error is too large, easily by half.
    ByChance,
}

/// The standard error of a coefficient by linearisation, in units of the coefficient.
///
/// Each item has an influence on the coefficient, and the standard error is that of the mean influence. For
/// [`Coefficient::Cohen`] it is that of Fleiss, Cohen and Everitt (1969; statsmodels' `std_kappa`), divided by n; for the
/// others that of Gwet (2014, ch. 5 and 6; with [`LoneVotes::ByChance`] irrCAC's `se`), divided by n - 1. Weights count as
/// given, though those of [`Level::Ordinal`](super::Level::Ordinal) come from the votes.
///
/// # Errors
/// As [`value`](super::value); also fewer than two items that count.
///
/// ```
/// use superalign_signal::{Votes, agreement::{self, Coefficient, LoneVotes, Weighting}};
/// let votes = Votes::dense(ndarray::array![[0_i8, 0], [1, 1], [0, 1], [0, 0]].view())?;
/// let raw = Coefficient::Raw(Weighting::default());
/// let error = agreement::standard_error(&votes, raw, LoneVotes::LeftOut)?;
/// assert!((error - 0.25).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn standard_error(votes: &Votes, coefficient: Coefficient, lone: LoneVotes) -> Result<f64, SignalError> {
    check(votes, coefficient)?;
    let kinds = Kinds::new(votes, &[coefficient]);
    let counts = kinds.counts();
    let mut chance = Chance::new(&kinds, coefficient)?;
    let parts = chance.parts(&counts)?;
    match coefficient {
        Coefficient::Cohen(_) => Ok(of_two_raters(&chance, parts, &counts)),
        Coefficient::Krippendorff(_) | Coefficient::WeightedKrippendorff(_) => {
            of_votes(&chance, parts, &counts)
        }
        Coefficient::Raw(_)
        | Coefficient::Conger(_)
        | Coefficient::Fleiss(..)
        | Coefficient::BrennanPrediger(_)
        | Coefficient::Gwet(_) => of_items(&chance, parts, &counts, lone),
    }
}

/// The standard error of Cohen's kappa where the raters agree by chance alone: kappa divided by it tests for that.
///
/// sqrt((sum a_k b_l (w_kl - w_k - w_l)^2 - p_e^2) / n) / (1 - p_e), where w_k and w_l are the mean weights of the
/// first rater's label k and of the second rater's label l to the other's labels (Fleiss, Cohen and Everitt 1969;
/// statsmodels' `std_kappa0`). It takes time for all pairs of the labels that occur.
///
/// # Errors
/// As [`value`](super::value).
///
/// ```
/// use superalign_signal::{Votes, agreement::{self, Weighting}};
/// let votes = Votes::dense(ndarray::array![[0_i8, 0], [1, 1], [0, 0], [1, 1]].view())?;
/// assert_eq!(agreement::null_standard_error(&votes, Weighting::default())?, 0.5);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn null_standard_error(votes: &Votes, weighting: Weighting) -> Result<f64, SignalError> {
    let kappa = Coefficient::Cohen(weighting);
    check(votes, kappa)?;
    let kinds = Kinds::new(votes, &[kappa]);
    let mut chance = Chance::new(&kinds, kappa)?;
    let parts = chance.parts(&kinds.counts())?;
    let by_first = by_first_rater(&chance);
    let items: f64 = chance.labels.iter().sum();
    let mut sum = 0.0;
    for (k, a) in chance.labels.iter().enumerate().filter(|(_, a)| **a > 0.0) {
        for (l, b) in chance.others.iter().enumerate().filter(|(_, b)| **b > 0.0) {
            let distance = chance.scale.distance.between(k as u32, l as u32);
            // The mean of w_kl - w_k - w_l is -p_e.
            let off = (1.0 - distance) - (1.0 - chance.means[k]) - (1.0 - by_first[l]) + parts.expected;
            sum += a / items * (b / items) * off * off;
        }
    }
    Ok((sum / items).sqrt() / (1.0 - parts.expected))
}

/// For each category its mean distance to the first rater's labels.
fn by_first_rater(chance: &Chance<'_>) -> Vec<f64> {
    let mut to = vec![0.0; chance.labels.len()];
    chance.scale.distance.means(&chance.labels, &mut to);
    to
}

fn of_two_raters(chance: &Chance<'_>, parts: Parts, counts: &[u32]) -> f64 {
    let by_first = by_first_rater(chance);
    let items: f64 = chance.labels.iter().sum();
    let left = 1.0 - parts.value;
    let mut sum = 0.0;
    for (kind, &count) in counts.iter().enumerate() {
        if let [(_, a), (_, b)] = *chance.kinds.voters(kind) {
            let by_chance = (1.0 - chance.means[a as usize]) + (1.0 - by_first[b as usize]);
            let influence = 1.0 - chance.scale.distance.between(a, b) - by_chance * left;
            sum += f64::from(count) * (influence - (parts.value - parts.expected * left)).powi(2);
        }
    }
    (sum / items).sqrt() / (items.sqrt() * (1.0 - parts.expected))
}

fn of_items(chance: &Chance<'_>, parts: Parts, counts: &[u32], lone: LoneVotes) -> Result<f64, SignalError> {
    let sizes = &chance.kinds.sizes;
    let number = |least: u32| -> f64 {
        let those = counts.iter().zip(sizes).filter(|(_, size)| **size >= least);
        those.map(|(&count, _)| f64::from(count)).sum()
    };
    // Raw agreement takes no labels from items with one vote.
    let least = if let Coefficient::Raw(_) = chance.coefficient { 2 } else { 1 };
    let (voted, paired) = (number(least), number(2));
    // The agreement from which an item with one vote does not differ.
    let level = match lone {
        LoneVotes::LeftOut => parts.observed,
        LoneVotes::ByChance => parts.expected,
    };
    let all: f64 = chance.labels.iter().sum();
    let gwet = (1.0 - chance.scale.uniform) * chance.scale.size / (chance.scale.size - 1.0);
    let chance_alone = |label: u32| match chance.coefficient {
        Coefficient::Fleiss(..) => 1.0 - chance.means[label as usize],
        Coefficient::Gwet(_) => gwet * ((all - chance.labels[label as usize]) / all),
        _ => parts.expected,
    };
    let by_rater = match &chance.raters {
        Some(raters) => raters.influences(chance.kinds, &chance.scale.distance, counts, voted),
        None => Vec::new(),
    };
    let influences = counts.iter().zip(sizes).enumerate().filter(|(_, (_, size))| **size >= least);
    let influences = influences.map(|(kind, (&count, &size))| {
        let off_level = if size > 1 { voted / paired * (1.0 - chance.within[kind] - level) } else { 0.0 };
        let off = by_rater.get(kind).copied().unwrap_or_else(|| {
            let runs = chance.kinds.runs(kind).iter();
            let sum: f64 = runs.map(|&(label, many)| f64::from(many) * chance_alone(label)).sum();
            sum / f64::from(size) - parts.expected
        });
        (f64::from(count), off_level + level - parts.expected - 2.0 * (1.0 - parts.value) * off)
    });
    of_mean(influences, parts.value, parts.expected, voted)
}

fn of_votes(chance: &Chance<'_>, parts: Parts, counts: &[u32]) -> Result<f64, SignalError> {
    let sizes = &chance.kinds.sizes;
    let paired = || counts.iter().zip(sizes).enumerate().filter(|(_, (_, size))| **size > 1);
    let items: f64 = paired().map(|(_, (&count, _))| f64::from(count)).sum();
    let votes: f64 = chance.labels.iter().sum();
    let each = votes / items;
    // The agreement without the correction for the number of votes, and the coefficient made of it.
    let plain = 1.0 - (1.0 - parts.observed) * (votes / (votes - 1.0));
    let value = (plain - parts.expected) / (1.0 - parts.expected);
    let influences = paired().map(|(kind, (&count, &size))| {
        let more = (f64::from(size) - each) / each;
        let agreed = f64::from(size) / each * (1.0 - chance.within[kind]) - parts.observed * more;
        let runs = chance.kinds.runs(kind).iter();
        let weight = |&(label, many): &(u32, u32)| f64::from(many) * (1.0 - chance.means[label as usize]);
        let by_chance = runs.map(weight).sum::<f64>() / each - parts.expected * more;
        let off = by_chance - parts.expected;
        (f64::from(count), agreed - parts.expected - 2.0 * (1.0 - value) * off)
    });
    of_mean(influences, value, parts.expected, items)
}

/// The standard error of the mean of influences (how many items, influence times 1 - expected).
fn of_mean(
    influences: impl Iterator<Item = (f64, f64)>,
    value: f64,
    expected: f64,
    items: f64,
) -> Result<f64, SignalError> {
    if items < 2.0 {
        return Err(SignalError::TooFew {
            what: "items for a standard error",
            found: items as usize,
            expected: 2,
        });
    }
    let sum: f64 = influences.map(|(count, off)| count * (off / (1.0 - expected) - value).powi(2)).sum();
    Ok((sum / (items * (items - 1.0))).sqrt())
}
