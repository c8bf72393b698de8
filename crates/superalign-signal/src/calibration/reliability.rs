//! The reliability table, and the errors that are read off it: ECE, MCE, ACE, l2, debiased, classwise.

use super::bins::{Grid, Placed, place};
use super::{Bins, check_pairs, top_labels};
use crate::SignalError;
use crate::fours::{Fours, LANES};
use crate::probabilities::{Visit, check_labels, each_checked, each_row};
use crate::resample::estimate;
use ndarray::{ArrayView2, Axis};
use pulp::{cast, f64x4};
use superalign_core::{Bootstrap, Estimate};

/// The normal quantile of a 95% interval.
const Z: f64 = 1.959_963_984_540_054;

/// One bin of a reliability table that holds at least one item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
    /// Number of items, at least 1.
    pub count: usize,
    /// Mean confidence, in [0, 1].
    pub confidence: f64,
    /// Share of hits, in [0, 1], with its 95% interval (Wilson 1927).
    pub accuracy: Estimate,
}

impl Bin {
    fn new((lo, hi): (f64, f64), sums: &Sums) -> Self {
        let (n, p) = (sums.count, sums.hits / sums.count);
        let centre = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        // At 0 and 1 the end is the value itself, which rounding would miss.
        let accuracy =
            Estimate { value: p, lo: (centre - half).clamp(0.0, p), hi: (centre + half).clamp(p, 1.0) };
        Self { lo, hi, count: n as usize, confidence: sums.confidence / n, accuracy }
    }
}

/// The reliability table: the bins that hold items, by rising confidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    /// Every bin that holds an item.
    pub bins: Vec<Bin>,
    /// Number of items.
    pub items: usize,
}

/// How the gaps |accuracy - confidence| of the bins are added up. All are in [0, 1]; 0 is calibrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norm {
    /// ECE: the mean gap, each bin weighted by its items (Naeini et al. 2015).
    #[default]
    L1,
    /// Root of the mean squared gap, weighted by items.
    L2,
    /// As `L2`, less the variance a (1 - a) / (n - 1) that the accuracy of each bin of n items adds to its squared
    /// gap; bins of one item add nothing, and a negative sum counts as 0 (Bröcker 2012, Kumar et al. 2019).
    L2Debiased,
    /// MCE: the largest gap.
    Max,
    /// ACE as netcal has it: the mean gap over the bins that hold items, each bin counting the same.
    Average,
}

/// What is added up in a bin, items counted by their weights.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    confidence: f64,
    hits: f64,
}

impl Sums {
    #[inline(always)]
    fn add(&mut self, weight: f64, confidence: f64, hit: bool) {
        self.count += weight;
        self.confidence += weight * confidence;
        self.hits += if hit { weight } else { 0.0 };
    }
}

fn error(bins: &[Sums], norm: Norm) -> f64 {
    let filled = || bins.iter().filter(|sums| sums.count > 0.0);
    let gap = |sums: &Sums| (sums.hits - sums.confidence).abs() / sums.count;
    let total: f64 = filled().map(|sums| sums.count).sum();
    match norm {
        // The weight cancels the divisor.
        Norm::L1 => filled().map(|sums| (sums.hits - sums.confidence).abs()).sum::<f64>() / total,
        Norm::L2 => (filled().map(|sums| sums.count * gap(sums).powi(2)).sum::<f64>() / total).sqrt(),
        Norm::L2Debiased => {
            let square = |sums: &Sums| {
                let accuracy = sums.hits / sums.count;
                sums.count * (gap(sums).powi(2) - accuracy * (1.0 - accuracy) / (sums.count - 1.0))
            };
            let sum: f64 = filled().filter(|sums| sums.count > 1.0).map(square).sum();
            (sum / total).max(0.0).sqrt()
        }
        Norm::Max => filled().map(gap).fold(0.0, f64::max),
        Norm::Average => filled().map(gap).sum::<f64>() / filled().count() as f64,
    }
}

impl Reliability {
    /// The calibration error of the table, in [0, 1].
    ///
    /// ```
    /// use superalign_signal::calibration::{Bins, Norm, reliability};
    /// let table = reliability(&[0.9, 0.9, 0.6, 0.6], &[true, true, true, false], Bins::default())?;
    /// assert!((table.error(Norm::L1) - 0.1).abs() < 1e-12);
    /// assert!((table.error(Norm::Max) - 0.1).abs() < 1e-12);
    /// # Ok::<(), superalign_signal::SignalError>(())
    /// ```
    #[must_use]
    pub fn error(&self, norm: Norm) -> f64 {
        let sums = |bin: &Bin| {
            let count = bin.count as f64;
            Sums { count, confidence: count * bin.confidence, hits: (count * bin.accuracy.value).round() }
        };
        error(&self.bins.iter().map(sums).collect::<Vec<_>>(), norm)
    }

    fn new(ends: &[(f64, f64)], sums: &[Sums]) -> Self {
        let filled = ends.iter().zip(sums).filter(|(_, sums)| sums.count > 0.0);
        let bins: Vec<Bin> = filled.map(|(&ends, sums)| Bin::new(ends, sums)).collect();
        let items = bins.iter().map(|bin| bin.count).sum();
        Self { bins, items }
    }
}

/// The reliability table of confidences and outcomes.
///
/// `confidence` `(n)` in [0, 1] is what was foretold of each item, `hit` `(n)` whether it came true: P(y = 1) and
/// whether y = 1 of a binary label, or the confidence in an answer and whether it was right. Sorting the items anew
/// changes nothing, but for [`Cut::Ranks`](super::Cut::Ranks) and [`Bins::Sweep`] where confidences are equal.
///
/// # Errors
/// No item, lists of different lengths, a confidence outside [0, 1], no bins.
///
/// ```
/// use superalign_signal::calibration::{Bins, Closed, reliability};
/// let bins = Bins::Width { count: 2, closed: Closed::Left };
/// let table = reliability(&[0.2, 0.4, 0.8], &[false, true, true], bins)?;
/// assert_eq!((table.bins[0].count, table.bins[0].accuracy.value), (2, 0.5));
/// assert!((table.bins[0].confidence - 0.3).abs() < 1e-12);
/// assert_eq!((table.bins[1].lo, table.bins[1].hi, table.bins[1].count), (0.5, 1.0, 1));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn reliability(confidence: &[f64], hit: &[bool], bins: Bins) -> Result<Reliability, SignalError> {
    check_pairs(confidence, hit)?;
    let placed = place(confidence, hit, bins)?;
    Ok(Reliability::new(&placed.ends, &gather(&placed, confidence, hit)))
}

fn gather(placed: &Placed, confidence: &[f64], hit: &[bool]) -> Vec<Sums> {
    let mut sums = vec![Sums::default(); placed.ends.len()];
    for ((&bin, &confidence), &hit) in placed.bin.iter().zip(confidence).zip(hit) {
        sums[bin as usize].add(1.0, confidence, hit);
    }
    sums
}

/// The reliability table of the most likely class: labels `(n)`, probabilities `(n, k)`.
///
/// The confidence of an item is its largest probability, a hit that the label is that class (of equally likely ones,
/// the first). Bins of equal width take one pass over the table and no memory.
///
/// # Errors
/// No item, fewer than two classes, a label that is no column, a row that is no distribution within 1e-6, no bins.
///
/// ```
/// use superalign_signal::calibration::{Bins, Norm, top_label_reliability};
/// let probs = ndarray::array![[0.8, 0.2], [0.3, 0.7], [0.9, 0.1]];
/// let ece = top_label_reliability(&[0, 0, 0], probs.view(), Bins::default())?.error(Norm::L1);
/// assert!((ece - (0.2 + 0.7 + 0.1) / 3.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn top_label_reliability<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    bins: Bins,
) -> Result<Reliability, SignalError> {
    let Bins::Width { count, closed } = bins else {
        let (confidence, hit) = top_labels(labels, probs)?;
        let placed = place(&confidence, &hit, bins)?;
        return Ok(Reliability::new(&placed.ends, &gather(&placed, &confidence, &hit)));
    };
    check_labels(labels, probs)?;
    let grid = Grid::new(count, closed)?;
    let mut count = Count { labels, grid: &grid, tables: vec![[[[0.0; 2]; LANES]; 2]; grid.bins()] };
    each_checked(probs, &mut count)?;
    let read = |[misses, hits]: &[[[f64; 2]; LANES]; 2]| {
        let [missed, hit] = [misses, hits].map(|tables| {
            tables.iter().fold([0.0; 2], |sums, table| [sums[0] + table[0], sums[1] + table[1]])
        });
        Sums { count: missed[0] + hit[0], confidence: missed[1] + hit[1], hits: hit[0] }
    };
    let sums: Vec<Sums> = count.tables.iter().map(read).collect();
    let ends: Vec<_> = grid.edges.windows(2).map(|pair| (pair[0], pair[1])).collect();
    Ok(Reliability::new(&ends, &sums))
}

/// Counts items into bins of equal width.
struct Count<'a> {
    labels: &'a [u32],
    grid: &'a Grid,
    /// Of each bin, of misses and of hits, the number and the sum of confidences; neighbouring items go to tables of
    /// their own, so that one sum need not wait for the last.
    tables: Vec<[[[f64; 2]; LANES]; 2]>,
}

impl<P> Visit<P> for Count<'_> {
    #[inline(always)]
    fn visit<S: Fours>(&mut self, simd: S, first: usize, count: usize, _: &[P], top: f64x4, largest: f64x4) {
        let labels = &self.labels[first..first + count];
        let mut label = [0.0; LANES];
        for i in 0..count {
            label[i] = f64::from(labels[i]);
        }
        let [miss, hit] = [0, 1].map(|value| simd.splat_u64s(value));
        let hit: [u64; LANES] = cast(simd.select_u64s(simd.equal_f64s(top, cast(label)), hit, miss));
        let bin = self.grid.places(simd, largest);
        let largest: [f64; LANES] = cast(largest);
        for i in 0..count {
            let [count, sum] = &mut self.tables[bin[i]][hit[i] as usize & 1][i];
            (*count, *sum) = (*count + 1.0, *sum + largest[i]);
        }
    }
}

/// Calibration error of confidences and outcomes with its interval over items; as [`reliability`] and
/// [`Reliability::error`].
///
/// The bins are those of all items, also in the resamples. An error is never negative, so noise lifts it: the
/// interval of a small one lies above the truth, unless the norm is [`Norm::L2Debiased`].
///
/// # Errors
/// As [`reliability`]; settings of the bootstrap out of their range.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_signal::{Bootstrap, calibration::{Bins, Norm, calibration_error_estimate}};
/// let hit: Vec<bool> = (0..1000).map(|i| i % 2 == 0).collect();
/// let by = Bootstrap::new(Seed::new(1));
/// let ece = calibration_error_estimate(&[0.7; 1000], &hit, Bins::default(), Norm::L1, &by)?;
/// assert!((ece.value - 0.2).abs() < 1e-9 && ece.lo > 0.15 && ece.hi < 0.25);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn calibration_error_estimate(
    confidence: &[f64],
    hit: &[bool],
    bins: Bins,
    norm: Norm,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    check_pairs(confidence, hit)?;
    interval(confidence, hit, bins, norm, by)
}

/// Calibration error of the most likely class with its interval over items; as [`top_label_reliability`] and
/// [`calibration_error_estimate`].
///
/// # Errors
/// As these.
pub fn top_label_error_estimate<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    bins: Bins,
    norm: Norm,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    let (confidence, hit) = top_labels(labels, probs)?;
    interval(&confidence, &hit, bins, norm, by)
}

fn interval(
    confidence: &[f64],
    hit: &[bool],
    bins: Bins,
    norm: Norm,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    let placed = place(confidence, hit, bins)?;
    let kinds: Vec<u32> = (0..confidence.len() as u32).collect();
    let mut sums = vec![Sums::default(); placed.ends.len()];
    estimate(by, "calibration error", &kinds, |counts| {
        sums.fill(Sums::default());
        for (item, &count) in counts.iter().enumerate() {
            sums[placed.bin[item] as usize].add(f64::from(count), confidence[item], hit[item]);
        }
        Ok(error(&sums, norm))
    })
}

/// Classwise (marginal) calibration error, in [0, 1]: every class against the rest, over `probs` `(n, k)`.
///
/// The error of class j is that of the confidences `probs[.., j]` and the outcomes `label = j`. Those of the classes
/// are averaged (classwise ECE of Kull et al. 2019); for the l2 norms, the squares are, and the root is taken (Kumar
/// et al. 2019); for [`Norm::Max`] the largest counts.
///
/// `Norm::L2Debiased` with `Bins::Mass { count: 15, cut: Cut::Midpoints }` is the estimator of Kumar et al.; their
/// package takes [`Bins::Distinct`] where every column has fewer than n / 4 distinct values.
///
/// # Errors
/// As [`top_label_reliability`].
///
/// ```
/// use superalign_signal::calibration::{Bins, Norm, classwise_error};
/// let probs = ndarray::array![[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]];
/// let error = classwise_error(&[0, 1], probs.view(), Bins::default(), Norm::L1)?;
/// assert!((error - (0.0 + 0.2 + 0.2) / 3.0).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn classwise_error<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    bins: Bins,
    norm: Norm,
) -> Result<f64, SignalError> {
    check_labels(labels, probs)?;
    if let Bins::Width { count, closed } = bins {
        let grid = Grid::new(count, closed)?;
        let (classes, size) = (probs.ncols(), grid.bins());
        let mut sums = vec![Sums::default(); classes * size];
        each_row(probs, |item, row, _, _| {
            for (class, (&p, sums)) in row.iter().zip(sums.chunks_exact_mut(size)).enumerate() {
                let p = p.into();
                sums[grid.place(p)].add(1.0, p, class == labels[item] as usize);
            }
        })?;
        return Ok(combine(sums.chunks_exact(size).map(|sums| error(sums, norm)), norm));
    }
    let columns = columns(labels, probs, bins)?;
    Ok(combine(columns.iter().map(|(placed, p, hit)| error(&gather(placed, p, hit), norm)), norm))
}

/// As [`classwise_error`], with its interval over items; the bins are those of all items.
///
/// # Errors
/// As [`classwise_error`]; settings of the bootstrap out of their range.
pub fn classwise_error_estimate<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    bins: Bins,
    norm: Norm,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    check_labels(labels, probs)?;
    let columns = columns(labels, probs, bins)?;
    let kinds: Vec<u32> = (0..labels.len() as u32).collect();
    estimate(by, "classwise calibration error", &kinds, |counts| {
        let errors = columns.iter().map(|(placed, p, hit)| {
            let mut sums = vec![Sums::default(); placed.ends.len()];
            for (item, &count) in counts.iter().enumerate() {
                sums[placed.bin[item] as usize].add(f64::from(count), p[item], hit[item]);
            }
            error(&sums, norm)
        });
        Ok(combine(errors, norm))
    })
}

/// Of a class, the places, the confidences and the outcomes.
type Column = (Placed, Vec<f64>, Vec<bool>);

/// The columns of the table, each against the rest.
fn columns<P: Copy + Into<f64>>(
    labels: &[u32],
    probs: ArrayView2<'_, P>,
    bins: Bins,
) -> Result<Vec<Column>, SignalError> {
    each_row(probs, |_, _, _, _| {})?;
    let columns = probs.axis_iter(Axis(1)).zip(0_u32..);
    columns
        .map(|(column, class)| {
            let p: Vec<f64> = column.iter().map(|&p| p.into()).collect();
            let hit: Vec<bool> = labels.iter().map(|&label| label == class).collect();
            Ok((place(&p, &hit, bins)?, p, hit))
        })
        .collect()
}

fn combine(errors: impl ExactSizeIterator<Item = f64>, norm: Norm) -> f64 {
    let classes = errors.len() as f64;
    match norm {
        Norm::L1 | Norm::Average => errors.sum::<f64>() / classes,
        Norm::L2 | Norm::L2Debiased => (errors.map(|error| error * error).sum::<f64>() / classes).sqrt(),
        Norm::Max => errors.fold(0.0, f64::max),
    }
}
