//! Agreement of two sources that answer the same binary questions.

use crate::bootstrap::Counts;
use crate::{Bootstrap, GapError};
use ndarray::{ArrayView2, Zip};
use superalign_core::Estimate;

/// The share of binary items on which two sources give the same verdict, in [0, 1]: both right or both wrong.
///
/// `weak` and `student` are (seeds, items) with the same shape.
///
/// # Errors
/// As [`capability_over_seeds`](crate::capability_over_seeds); also two shapes.
///
/// ```
/// use ndarray::Array2;
/// use superalign_core::Seed;
/// use superalign_gap::{Bootstrap, agreement};
/// let weak = Array2::from_shape_fn((1, 100), |(_, i)| i % 2 == 0);
/// let by = Bootstrap { draws: 100, level: 0.95, seed: Seed::new(1) };
/// assert_eq!(agreement(weak.view(), weak.view(), None, &by)?.value, 1.0);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
pub fn agreement(
    weak: ArrayView2<'_, bool>,
    student: ArrayView2<'_, bool>,
    groups: Option<&[u32]>,
    bootstrap: &Bootstrap,
) -> Result<Estimate, GapError> {
    for (what, found, expected) in [
        ("number of seeds", student.nrows(), weak.nrows()),
        ("number of items", student.ncols(), weak.ncols()),
    ] {
        if found != expected {
            return Err(GapError::Shape { what, found, expected });
        }
    }
    let same = Zip::from(weak).and(student).map_collect(|a, b| a == b);
    Counts::new([same.view()], groups)?.estimate(bootstrap, |[share]| share)
}
