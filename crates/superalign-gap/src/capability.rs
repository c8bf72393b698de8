//! Capability: the share of items that are answered rightly.

use crate::bootstrap::Counts;
use crate::{Bootstrap, GapError};
use ndarray::{ArrayView1, ArrayView2, Axis};
use superalign_core::Estimate;

/// C(A; X), the mean over held-out items of whether A is right, in [0, 1], with its interval.
///
/// `groups` has one label per item; items of one label are drawn together.
///
/// # Errors
/// Fewer than [`MINIMUM_ITEMS`](crate::MINIMUM_ITEMS) items or [`MINIMUM_GROUPS`](crate::MINIMUM_GROUPS) groups,
/// groups of another length, a bootstrap out of range.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_gap::{Bootstrap, capability};
/// let correct: Vec<bool> = (0..400).map(|i| i % 4 != 0).collect();
/// let by = Bootstrap { draws: 1000, level: 0.95, seed: Seed::new(1) };
/// let found = capability(&correct, None, &by)?;
/// assert_eq!(found.value, 0.75);
/// assert!(found.lo > 0.70 && found.hi < 0.80);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
pub fn capability(
    correct: &[bool],
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Estimate, GapError> {
    capability_over_seeds(ArrayView1::from(correct).insert_axis(Axis(0)), groups, bootstrap)
}

/// As [`capability`], for several seeds: `correct` is (seeds, items), and seeds are resampled as well as items.
///
/// # Errors
/// As [`capability`]; also no row.
pub fn capability_over_seeds(
    correct: ArrayView2<'_, bool>,
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Estimate, GapError> {
    Counts::new([correct], groups)?.estimate(bootstrap, |[share]| share)
}
