//! Prequential description length: how many bits the labels cost a student that learns them as they come.

use crate::bootstrap::layout;
use crate::draws::Draws;
use crate::{Bootstrap, GapError};
use ndarray::ArrayView2;
use std::f64::consts::LN_2;
use superalign_core::{Estimate, below};

/// The code length of the labels of a set, given its inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct DescriptionLength {
    /// L, in bits.
    pub bits: Estimate,
    /// 1 - L / (n log2 k): 0 when the student is no better than guessing, near 1 when it needs few labels; negative
    /// when it is worse than guessing. (Voita and Titov's compression is n log2 k / L.)
    pub compression: Estimate,
    /// The compression with its resamples.
    pub draws: Draws,
    /// Bits of every block, the mean over seeds; they sum to L.
    pub blocks: Vec<f64>,
}

/// The online code of Blier and Ollivier 2018, as probes use it (Voita and Titov 2020):
/// `L = n_1 log2 k + sum over blocks b >= 2 of -log2 p(labels of b | student trained on blocks before b)`.
///
/// `ends` are the ends of the blocks, rising, in items: the first block is `0..ends[0]` and is coded uniformly, the
/// last end is n. `log_likelihoods`, (seeds, n - ends\[0\]), are ln p(label) of the items after the first block, in
/// nats, each by the student trained on the blocks before its own. `classes` is k. `groups`, if any, label the same
/// items.
///
/// The interval comes from resampling items (or groups) and seeds. Blocks keep their sizes: what is resampled is how
/// far each item is from the mean of its block and seed. It holds the order of the items and the students as they are.
///
/// # Errors
/// Fewer than two classes or blocks, ends that do not rise, a likelihood of another number of items, a log-likelihood
/// above 0 or not finite (a label given probability 0 costs infinitely many bits: bound probabilities from below); too
/// few items or groups.
///
/// ```
/// use ndarray::Array2;
/// use superalign_core::Seed;
/// use superalign_gap::Bootstrap;
/// use superalign_gap::capacity::description_length;
/// // 100 binary labels: 20 at 1 bit each, 30 at probability 1/2, 50 at probability 1/sqrt(2).
/// let ln = Array2::from_shape_fn((1, 80), |(_, i)| if i < 30 { 0.5_f64.ln() } else { 0.5 * 0.5_f64.ln() });
/// let found = description_length(&[20, 50, 100], ln.view(), 2, None, &Bootstrap::new(Seed::new(1)))?;
/// assert!((found.bits.value - 75.0).abs() < 1e-9 && (found.compression.value - 0.25).abs() < 1e-12);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
pub fn description_length(
    ends: &[usize],
    log_likelihoods: ArrayView2<'_, f64>,
    classes: usize,
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<DescriptionLength, GapError> {
    bootstrap.check()?;
    if classes < 2 {
        return Err(GapError::TooFew { what: "classes", found: classes, expected: 2 });
    }
    if ends.len() < 2 {
        return Err(GapError::TooFew { what: "blocks", found: ends.len(), expected: 2 });
    }
    for (index, &end) in ends.iter().enumerate() {
        if end <= if index == 0 { 0 } else { ends[index - 1] } {
            let expected = "a number above 0 and above the end before";
            return Err(GapError::Value { what: "end of block", index, found: end as f64, expected });
        }
    }
    let (first, items) = (ends[0], ends[ends.len() - 1]);
    let (seeds, coded) = log_likelihoods.dim();
    if coded != items - first {
        let what = "number of items after the first block";
        return Err(GapError::Shape { what, found: coded, expected: items - first });
    }
    let place = layout(&[(seeds, coded)], groups)?;
    for ((_, index), &found) in log_likelihoods.indexed_iter() {
        if !(found <= 0.0 && found.is_finite()) {
            let (what, expected) = ("log-likelihood of item", "a finite number, 0 or below");
            return Err(GapError::Value { what, index, found, expected });
        }
    }
    let uniform = (classes as f64).log2();
    let count = place.iter().max().map_or(0, |last| last + 1);
    let mut sizes = vec![0_u32; count];
    place.iter().for_each(|&group| sizes[group] += 1);
    let mut blocks = vec![first as f64 * uniform];
    let mut totals = vec![0.0; seeds];
    // By group and seed: sums of distances from the mean of block and seed.
    let mut away = vec![0.0; count * seeds];
    for pair in ends.windows(2) {
        let block = pair[0] - first..pair[1] - first;
        let mut bits = 0.0;
        for (seed, total) in totals.iter_mut().enumerate() {
            let cost = |item: usize| -log_likelihoods[(seed, item)] / LN_2;
            let sum: f64 = block.clone().map(cost).sum();
            let mean = sum / block.len() as f64;
            block.clone().for_each(|item| away[place[item] * seeds + seed] += cost(item) - mean);
            *total += sum;
            bits += sum;
        }
        blocks.push(bits / seeds as f64);
    }
    let length = blocks[0] + totals.iter().sum::<f64>() / seeds as f64;
    let resample = |number: u64| {
        let mut rng = bootstrap.seed.nth(number).rng();
        let drawn: Vec<usize> = (0..seeds).map(|_| below(&mut rng, seeds)).collect();
        let mut sum = 0.0;
        let mut drawn_items = 0_u64;
        for _ in 0..count {
            let group = below(&mut rng, count);
            drawn_items += u64::from(sizes[group]);
            sum += drawn.iter().map(|&seed| away[group * seeds + seed]).sum::<f64>();
        }
        let kept: f64 = drawn.iter().map(|&seed| totals[seed]).sum();
        blocks[0] + (kept + sum * coded as f64 / drawn_items as f64) / seeds as f64
    };
    let bits = Draws { value: length, draws: (0..bootstrap.draws as u64).map(resample).collect() };
    let draws = bits.map(|bits| 1.0 - bits / (items as f64 * uniform));
    Ok(DescriptionLength {
        bits: bits.estimate(bootstrap.level)?,
        compression: draws.estimate(bootstrap.level)?,
        draws,
        blocks,
    })
}
