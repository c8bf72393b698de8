//! How confidences are cut into bins. What is counted in them lives in `reliability`.

use crate::SignalError;
use crate::fours::{Fours, LANES};
use pulp::{cast, f64x4};

/// How confidences are cut into bins.
///
/// The value of a calibration error depends on it more than on anything else, so it is always said. The default is
/// that of Guo et al. (2017): 15 bins of equal width, the upper edge belonging to the bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bins {
    /// `count` bins of equal width over [0, 1].
    Width {
        /// Number of bins, at least 1.
        count: usize,
        /// Which edge belongs to a bin.
        closed: Closed,
    },
    /// `count` bins of as equal a number of items as can be; with fewer items, one bin for each.
    Mass {
        /// Number of bins, at least 1.
        count: usize,
        /// Where a bin ends.
        cut: Cut,
    },
    /// As `Mass` by [`Cut::Ranks`], with the largest number of bins for which the accuracy never falls from one bin
    /// to the next (Roelofs et al. 2022, "ECE sweep").
    Sweep,
    /// One bin for each distinct confidence: exact for models with few of them.
    Distinct,
}

impl Default for Bins {
    fn default() -> Self {
        Self::Width { count: 15, closed: Closed::Right }
    }
}

/// Which edge belongs to a bin of equal width. The edges are i / count as `numpy.linspace` rounds them: `i * (1 / count)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// `[lo, hi)`, the last `[lo, 1]` (netcal, `numpy.histogram`).
    Left,
    /// `(lo, hi]`, the first `[0, hi]` (Guo et al. 2017, uncertainty-calibration).
    Right,
    /// `[lo, hi)`, and a confidence of exactly 1 has a bin of its own; confidences and edges are rounded to single
    /// precision first (torchmetrics).
    LeftOneApart,
}

/// Where a bin of equal mass ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Between ranks, in a stable sort by confidence: the first `n mod count` bins hold one item more
    /// (`numpy.array_split`). Equal confidences may fall into different bins, by the order of the items.
    Ranks,
    /// Half way between the confidences on both sides of each cut by ranks, the upper edge belonging to the bin; cuts
    /// that coincide are one (uncertainty-calibration). The order of the items does not matter.
    Midpoints,
    /// At the quantiles i / count of the confidences (type 7), but 0 and 1 at the ends, the lower edge belonging to
    /// the bin; cuts that coincide are one (netcal, which refuses them).
    Quantiles,
}

/// Where each item belongs.
pub(super) struct Placed {
    /// The bin of each item.
    pub(super) bin: Vec<u32>,
    /// The ends of each bin; of bins by ranks, and of distinct values, the least and largest confidence in it.
    pub(super) ends: Vec<(f64, f64)>,
}

/// Adding it rounds to a whole number, and leaves that in the low bits.
const TWO_TO_52: f64 = 4_503_599_627_370_496.0;

/// Bins of equal width: the place of a confidence by arithmetic alone.
pub(super) struct Grid {
    pub(super) edges: Vec<f64>,
    count: f64,
    step: f64,
    last: usize,
    closed: Closed,
}

impl Grid {
    pub(super) fn new(count: usize, closed: Closed) -> Result<Self, SignalError> {
        check_count(count)?;
        let step = 1.0 / count as f64;
        let mut edges: Vec<f64> = match closed {
            Closed::Left | Closed::Right => (0..count).map(|i| i as f64 * step).collect(),
            // torch.linspace counts from both ends.
            Closed::LeftOneApart => (0..count)
                .map(|i| {
                    let step = 1.0 / count as f32;
                    let low = i < count.div_ceil(2);
                    f64::from(if low { i as f32 * step } else { 1.0 - (count - i) as f32 * step })
                })
                .collect(),
        };
        edges.push(1.0);
        if closed == Closed::LeftOneApart {
            edges.push(1.0);
        }
        Ok(Self { edges, count: count as f64, step, last: count - 1, closed })
    }

    pub(super) fn bins(&self) -> usize {
        self.edges.len() - 1
    }

    /// The bin of a confidence in [0, 1] (or above by a rounding error).
    #[inline(always)]
    pub(super) fn place(&self, confidence: f64) -> usize {
        // The nearest whole number: the bin, or that above. Its edge decides.
        let at = |confidence: f64| confidence * self.count + TWO_TO_52;
        let low = |at: f64| at.to_bits() as u32 as usize;
        match self.closed {
            Closed::Left | Closed::Right => {
                let at = at(confidence);
                let edge = (at - TWO_TO_52) * self.step;
                let below = if self.closed == Closed::Left { confidence < edge } else { confidence <= edge };
                low(at).saturating_sub(usize::from(below)).min(self.last)
            }
            Closed::LeftOneApart => {
                let confidence = f64::from(confidence as f32);
                let i = low(at(confidence)).min(self.last);
                let i = i - usize::from(confidence < self.edges[i]);
                i + usize::from(confidence >= self.edges[i + 1])
            }
        }
    }

    /// [`Self::place`] of four confidences.
    #[inline(always)]
    pub(super) fn places<S: Fours>(&self, simd: S, confidence: f64x4) -> [usize; LANES] {
        if self.closed == Closed::LeftOneApart {
            return cast::<_, [f64; LANES]>(confidence).map(|confidence| self.place(confidence));
        }
        let [two_to_52, count, step] = [TWO_TO_52, self.count, self.step].map(|value| simd.splat_f64s(value));
        let at = simd.add_f64s(simd.mul_f64s(confidence, count), two_to_52);
        let above = simd.sub_f64s(at, two_to_52);
        let edge = simd.mul_f64s(above, step);
        let below = if self.closed == Closed::Left {
            simd.less_than_f64s(confidence, edge)
        } else {
            simd.less_than_or_equal_f64s(confidence, edge)
        };
        let [zero, one, last] = [0.0, 1.0, self.last as f64].map(|value| simd.splat_f64s(value));
        let bin = simd.sub_f64s(above, simd.select_f64s(below, one, zero));
        let bin = simd.min_f64s(simd.max_f64s(bin, zero), last);
        cast::<_, [u64; LANES]>(simd.add_f64s(bin, two_to_52)).map(|bits| bits as u32 as usize)
    }
}

/// Places every item; `hit` is looked at by [`Bins::Sweep`] only.
pub(super) fn place(confidence: &[f64], hit: &[bool], bins: Bins) -> Result<Placed, SignalError> {
    match bins {
        Bins::Width { count, closed } => {
            let grid = Grid::new(count, closed)?;
            let bin = confidence.iter().map(|&confidence| grid.place(confidence) as u32).collect();
            Ok(Placed { bin, ends: ends(&grid.edges) })
        }
        Bins::Mass { count, cut: Cut::Ranks } => {
            check_count(count)?;
            Ok(by_ranks(confidence, &order(confidence), count.min(confidence.len())))
        }
        Bins::Mass { count, cut: Cut::Midpoints } => {
            check_count(count)?;
            let sorted = sorted(confidence);
            let count = count.min(sorted.len());
            let mut edges = vec![0.0];
            edges.extend((1..count).map(|i| {
                let start = start(sorted.len(), count, i);
                f64::midpoint(sorted[start - 1], sorted[start])
            }));
            edges.push(1.0);
            edges.dedup();
            Ok(between(confidence, &edges, |edge, confidence| edge < confidence))
        }
        Bins::Mass { count, cut: Cut::Quantiles } => {
            check_count(count)?;
            let sorted = sorted(confidence);
            let mut edges = vec![0.0];
            edges.extend((1..count).map(|i| {
                let place = i as f64 * (1.0 / count as f64) * (sorted.len() - 1) as f64;
                let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
                low + (high - low) * place.fract()
            }));
            edges.push(1.0);
            edges.dedup();
            Ok(between(confidence, &edges, |edge, confidence| edge <= confidence))
        }
        Bins::Sweep => {
            let order = order(confidence);
            Ok(by_ranks(confidence, &order, sweep(&order, hit)))
        }
        Bins::Distinct => {
            let mut values = sorted(confidence);
            values.dedup();
            let bin = confidence.iter().map(|c| values.partition_point(|v| v < c) as u32).collect();
            Ok(Placed { bin, ends: values.into_iter().map(|value| (value, value)).collect() })
        }
    }
}

fn check_count(count: usize) -> Result<(), SignalError> {
    if (1..=1 << 20).contains(&count) {
        Ok(())
    } else {
        Err(SignalError::setting("count", count as f64, "between 1 and 2^20 bins"))
    }
}

fn ends(edges: &[f64]) -> Vec<(f64, f64)> {
    edges.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

fn sorted(confidence: &[f64]) -> Vec<f64> {
    let mut sorted = confidence.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The items by rising confidence, in their order where it is equal.
fn order(confidence: &[f64]) -> Vec<u32> {
    // Numbers in [0, 1] sort as their bits do (minus zero apart); with the item behind them, the sort is stable.
    let mut keys: Vec<(u64, u32)> =
        confidence.iter().zip(0..).map(|(&c, item)| ((c + 0.0).to_bits(), item)).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, item)| item).collect()
}

/// Where part i of `count` parts of n begins: the first n mod count parts are one longer.
fn start(n: usize, count: usize, i: usize) -> usize {
    i * (n / count) + i.min(n % count)
}

fn by_ranks(confidence: &[f64], order: &[u32], count: usize) -> Placed {
    let n = order.len();
    let mut bin = vec![0; n];
    let mut ends = Vec::with_capacity(count);
    for i in 0..count {
        let mine = &order[start(n, count, i)..start(n, count, i + 1)];
        mine.iter().for_each(|&item| bin[item as usize] = i as u32);
        ends.push((confidence[mine[0] as usize], confidence[mine[mine.len() - 1] as usize]));
    }
    Placed { bin, ends }
}

/// Bins between rising edges; `below` says whether a confidence is beyond an edge.
fn between(confidence: &[f64], edges: &[f64], below: impl Fn(f64, f64) -> bool) -> Placed {
    let inner = &edges[1..edges.len() - 1];
    let bin = confidence.iter().map(|&c| inner.partition_point(|&edge| below(edge, c)) as u32).collect();
    Placed { bin, ends: ends(edges) }
}

/// The largest number of bins of equal mass up to which the accuracy rises from bin to bin.
fn sweep(order: &[u32], hit: &[bool]) -> usize {
    let mut hits = Vec::with_capacity(order.len() + 1);
    hits.push(0_u64);
    for (i, &item) in order.iter().enumerate() {
        hits.push(hits[i] + u64::from(hit[item as usize]));
    }
    let n = order.len();
    let rises = |count: usize| {
        let mut before = (0, 1);
        (0..count).all(|i| {
            let (from, to) = (start(n, count, i), start(n, count, i + 1));
            let now = (hits[to] - hits[from], (to - from) as u64);
            // before.0 / before.1 <= now.0 / now.1, in whole numbers.
            let rises = before.0 * now.1 <= now.0 * before.1;
            before = now;
            rises
        })
    };
    (2..=n).take_while(|&count| rises(count)).last().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_edge_belongs_to_the_side_that_is_said() {
        let place = |closed, c| Grid::new(4, closed).unwrap().place(c);
        for (c, left, right, apart) in
            [(0.0, 0, 0, 0), (0.25, 1, 0, 1), (0.3, 1, 1, 1), (0.75, 3, 2, 3), (1.0, 3, 3, 4)]
        {
            assert_eq!(place(Closed::Left, c), left);
            assert_eq!(place(Closed::Right, c), right);
            assert_eq!(place(Closed::LeftOneApart, c), apart);
        }
    }

    #[test]
    fn bins_of_equal_mass_are_cut_where_they_say() {
        let c = [0.5, 0.1, 0.1, 0.9, 0.1];
        let place = |cut| place(&c, &[true; 5], Bins::Mass { count: 3, cut }).unwrap();
        let ranks = place(Cut::Ranks);
        assert_eq!((ranks.bin, ranks.ends), (vec![1, 0, 0, 2, 1], vec![(0.1, 0.1), (0.1, 0.5), (0.9, 0.9)]));
        let middle = place(Cut::Midpoints);
        assert_eq!(
            (middle.bin, middle.ends),
            (vec![1, 0, 0, 2, 0], vec![(0.0, 0.1), (0.1, 0.7), (0.7, 1.0)])
        );
        let quantiles = place(Cut::Quantiles);
        assert_eq!(quantiles.bin, [2, 1, 1, 2, 1]);
    }

    #[test]
    fn the_sweep_stops_before_the_accuracy_falls() {
        let c = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        let count = |hit: [bool; 6]| sweep(&order(&c), &hit);
        assert_eq!(count([false, false, true, true, true, true]), 6);
        assert_eq!(count([false, true, false, true, true, true]), 4);
        assert_eq!(count([true, true, true, false, false, false]), 1);
    }

    #[test]
    fn no_bins_are_refused() {
        let refused = |bins| place(&[0.5], &[true], bins).err().unwrap().to_string();
        let expected = "count = 0: expected between 1 and 2^20 bins";
        assert_eq!(refused(Bins::Width { count: 0, closed: Closed::Left }), expected);
        for cut in [Cut::Ranks, Cut::Midpoints, Cut::Quantiles] {
            assert_eq!(refused(Bins::Mass { count: 0, cut }), expected);
        }
    }

    proptest! {
        /// Arithmetic places a confidence where a search among the edges does, also on and beside the edges.
        #[test]
        fn the_grid_agrees_with_a_search(count in 1_usize..200, i in 0_usize..200, off in -1_i64..=1, c in 0.0..=1.0) {
            let left = Grid::new(count, Closed::Left).unwrap();
            let right = Grid::new(count, Closed::Right).unwrap();
            let edge = left.edges[i.min(count)];
            let beside = f64::from_bits((edge.to_bits() as i64 + off).max(0) as u64).min(1.0);
            for c in [beside, c] {
                let inner = &left.edges[1..count];
                prop_assert_eq!(left.place(c), inner.partition_point(|&e| e <= c));
                prop_assert_eq!(right.place(c), inner.partition_point(|&e| e < c));
            }
            let apart = Grid::new(count, Closed::LeftOneApart).unwrap();
            for grid in [left, right, apart] {
                let places = grid.places(pulp::Scalar256b, f64x4(beside, c, 0.0, 1.0 + 1e-6));
                prop_assert_eq!(places, [beside, c, 0.0, 1.0 + 1e-6].map(|c| grid.place(c)));
            }
        }
    }
}
