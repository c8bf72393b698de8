//! Supervision gap, gain and performance gap recovered.

use crate::bootstrap::Counts;
use crate::{Bootstrap, GapError};
use ndarray::ArrayView2;
use superalign_core::Estimate;

/// gamma(T, S) = K(S) - C(T): the student's ceiling minus the supervisor's capability, in [-1, 1].
///
/// `weak` and `ceiling` are (seeds, items) over the same items, with as many seeds, or one; items and seeds are
/// resampled jointly.
///
/// # Errors
/// As [`capability_over_seeds`](crate::capability_over_seeds); also terms over other items or seeds.
pub fn supervision_gap(
    weak: ArrayView2<'_, bool>,
    ceiling: ArrayView2<'_, bool>,
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Estimate, GapError> {
    Counts::new([weak, ceiling], groups)?.estimate(bootstrap, |[weak, ceiling]| ceiling - weak)
}

/// C(S from T) - C(T): the student's capability minus that of its supervisor, in [-1, 1]. Unlike
/// [`performance_gap_recovered`] it is always defined.
///
/// # Errors
/// As [`supervision_gap`].
pub fn gain(
    weak: ArrayView2<'_, bool>,
    transfer: ArrayView2<'_, bool>,
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Estimate, GapError> {
    Counts::new([weak, transfer], groups)?.estimate(bootstrap, |[weak, transfer]| transfer - weak)
}

/// PGR = (C(S from T) - C(T)) / (K(S) - C(T)), Burns et al. 2023: 0 when the student is no better than its
/// supervisor, 1 when it reaches its ceiling; it may be negative or above 1.
///
/// All three terms are (seeds, items) over the same items, with as many seeds, or one; they are resampled jointly.
///
/// # Errors
/// [`GapError::NoGap`] when the interval of the denominator is not above 0: a share of nothing is not a number.
/// Else as [`supervision_gap`].
///
/// ```
/// use ndarray::Array2;
/// use superalign_core::Seed;
/// use superalign_gap::{Bootstrap, GapError, performance_gap_recovered};
/// let right = |share: usize| Array2::from_shape_fn((1, 1000), |(_, i)| i % 10 < share);
/// let by = Bootstrap { draws: 500, level: 0.95, seed: Seed::new(1) };
/// let pgr = performance_gap_recovered(right(6).view(), right(7).view(), right(8).view(), None, &by)?;
/// assert!((pgr.value - 0.5).abs() < 1e-12 && pgr.lo > 0.2 && pgr.hi < 0.8);
/// // A ceiling no better than its supervisor leaves nothing to recover.
/// let none = performance_gap_recovered(right(5).view(), right(6).view(), right(5).view(), None, &by);
/// assert!(matches!(none, Err(GapError::NoGap { .. })));
/// # Ok::<(), GapError>(())
/// ```
pub fn performance_gap_recovered(
    weak: ArrayView2<'_, bool>,
    transfer: ArrayView2<'_, bool>,
    ceiling: ArrayView2<'_, bool>,
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Estimate, GapError> {
    let counts = Counts::new([weak, transfer, ceiling], groups)?;
    let gap = counts.estimate(bootstrap, |[weak, _, ceiling]| ceiling - weak)?;
    let refused = GapError::NoGap { gap };
    if gap.lo <= 0.0 {
        return Err(refused);
    }
    // A resample without a gap stands at the end to which it points; where that reaches the interval, refuse.
    let share = counts.estimate(bootstrap, |[weak, transfer, ceiling]| {
        let (part, whole) = (transfer - weak, ceiling - weak);
        if whole > 0.0 { part / whole } else { f64::INFINITY.copysign(part) }
    })?;
    if share.lo.is_finite() && share.hi.is_finite() { Ok(share) } else { Err(refused) }
}

/// The plain formula of [`performance_gap_recovered`] for three published capabilities, where the items are not
/// at hand. It comes without an interval, so it cannot tell whether the gap is real: prefer the other.
///
/// # Errors
/// [`GapError::NoGap`] when the ceiling is not above the supervisor.
pub fn recovered_share(weak: f64, transfer: f64, ceiling: f64) -> Result<f64, GapError> {
    let whole = ceiling - weak;
    if whole > 0.0 {
        Ok((transfer - weak) / whole)
    } else {
        Err(GapError::NoGap { gap: Estimate { value: whole, lo: whole, hi: whole } })
    }
}
