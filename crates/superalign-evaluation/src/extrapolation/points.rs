//! Right answers by level: the data of every curve.

use crate::EvaluationError;

/// How many of how many items are answered rightly at each level of difficulty or scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    pub(super) rows: Vec<Row>,
    /// Distinct levels, rising.
    pub(super) levels: Vec<f64>,
    pub(super) clustered: bool,
}

/// One row: `right` of `total` at `x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) x: f64,
    pub(super) right: f64,
    pub(super) total: f64,
    pub(super) cluster: u32,
}

impl Points {
    /// `right[i]` of `total[i]` items at level `x[i]`, in any order; several rows may have one level.
    ///
    /// # Errors
    /// No rows, other lengths, a level that is not a finite number, a row without items, more right than there are.
    ///
    /// ```
    /// use superalign_evaluation::extrapolation::Points;
    /// assert_eq!(Points::new(&[2.0, 1.0], &[7, 9], &[10, 10])?.levels(), [1.0, 2.0]);
    /// let error = Points::new(&[1.0], &[11], &[10]).unwrap_err().to_string();
    /// assert_eq!(error, "number right in row 0 is 11: expected at most the number of items");
    /// # Ok::<(), superalign_evaluation::EvaluationError>(())
    /// ```
    pub fn new(x: &[f64], right: &[u64], total: &[u64]) -> Result<Self, EvaluationError> {
        Self::build(x, right, total, None)
    }

    /// As [`Points::new`], where rows of one label in `clusters` (a family of items, a model) stray together, and are
    /// resampled together by [`Resampling::Clusters`](super::Resampling::Clusters).
    ///
    /// # Errors
    /// As [`Points::new`].
    pub fn clustered(
        x: &[f64],
        right: &[u64],
        total: &[u64],
        clusters: &[u32],
    ) -> Result<Self, EvaluationError> {
        Self::build(x, right, total, Some(clusters))
    }

    /// The distinct levels, rising.
    #[must_use]
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    fn build(
        x: &[f64],
        right: &[u64],
        total: &[u64],
        clusters: Option<&[u32]>,
    ) -> Result<Self, EvaluationError> {
        let expected = x.len();
        if expected == 0 {
            return Err(EvaluationError::TooFew { what: "rows", found: 0, expected: 1 });
        }
        for (what, found) in [
            ("number of right counts", right.len()),
            ("number of totals", total.len()),
            ("number of clusters", clusters.map_or(expected, <[u32]>::len)),
        ] {
            if found != expected {
                return Err(EvaluationError::Shape { what, found, expected });
            }
        }
        let mut rows = Vec::with_capacity(expected);
        for index in 0..expected {
            let value = |what, found, expected| EvaluationError::Value { what, index, found, expected };
            if !x[index].is_finite() {
                return Err(value("level of row", x[index], "a finite number"));
            }
            if total[index] == 0 {
                return Err(value("number of items in row", 0.0, "at least 1"));
            }
            if right[index] > total[index] {
                return Err(value("number right in row", right[index] as f64, "at most the number of items"));
            }
            rows.push(Row {
                x: x[index],
                right: right[index] as f64,
                total: total[index] as f64,
                cluster: clusters.map_or(index as u32, |clusters| clusters[index]),
            });
        }
        Ok(Self::of(rows, clusters.is_some()))
    }

    pub(super) fn of(mut rows: Vec<Row>, clustered: bool) -> Self {
        rows.sort_by(|a, b| a.x.total_cmp(&b.x));
        let mut levels: Vec<f64> = rows.iter().map(|row| row.x).collect();
        levels.dedup();
        Self { rows, levels, clustered }
    }

    /// The rows of the first levels.
    pub(super) fn first(&self, levels: usize) -> Self {
        let last = self.levels[levels - 1];
        let rows = self.rows.iter().filter(|row| row.x <= last).copied().collect();
        Self { rows, levels: self.levels[..levels].to_vec(), clustered: self.clustered }
    }

    /// Right and all answers at a level.
    pub(super) fn at_level(&self, level: f64) -> (f64, f64) {
        let rows = self.rows.iter().filter(|row| row.x == level);
        rows.fold((0.0, 0.0), |(right, total), row| (right + row.right, total + row.total))
    }
}
