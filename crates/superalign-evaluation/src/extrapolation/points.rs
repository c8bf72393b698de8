//! Right answers by level: the data of every curve.

use crate::EvaluationError;

/// How distances between levels count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Spacing {
    /// As they are: difficulty.
    #[default]
    Even,
    /// By ratios: parameters, compute. Logistic, clipped, linear and monotone curves are over the natural logarithm of
    /// the level, and so are their slopes and all distances; midpoints are levels. Levels are above 0. A power law is
    /// one in the level either way.
    Ratio,
}

impl Spacing {
    /// Where a level lies.
    pub(super) fn place(self, level: f64) -> f64 {
        match self {
            Self::Even => level,
            Self::Ratio => level.ln(),
        }
    }

    /// The level that lies there.
    pub(super) fn level(self, place: f64) -> f64 {
        match self {
            Self::Even => place,
            // Beyond, there are no such levels.
            Self::Ratio => place.clamp(-700.0, 700.0).exp(),
        }
    }
}

/// How many of how many items are answered rightly at each level of difficulty or scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    pub(super) rows: Vec<Row>,
    /// Distinct levels, rising.
    pub(super) levels: Vec<f64>,
    pub(super) clustered: bool,
    pub(super) spacing: Spacing,
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

    /// The same rows, whose levels count so.
    ///
    /// # Errors
    /// Under [`Spacing::Ratio`] a level that is not above 0.
    ///
    /// ```
    /// use superalign_evaluation::extrapolation::{Curve, Points, Spacing, fit};
    /// // Ten times the size adds as much to the log-odds at every size.
    /// let points = Points::new(&[1e6, 1e7, 1e8, 1e9], &[120, 270, 500, 730], &[1000; 4])?.spaced(Spacing::Ratio)?;
    /// let found = fit(&points, Curve::logistic())?;
    /// assert!((found.parameters[1].1 / 1e8 - 1.0).abs() < 0.1 && found.at(1e10)? > 0.85);
    /// # Ok::<(), superalign_evaluation::EvaluationError>(())
    /// ```
    pub fn spaced(self, spacing: Spacing) -> Result<Self, EvaluationError> {
        if spacing == Spacing::Ratio
            && let Some(index) = self.levels.iter().position(|&level| level <= 0.0)
        {
            let (what, expected) = ("level", "above 0, where levels count by ratios");
            return Err(EvaluationError::Value { what, index, found: self.levels[index], expected });
        }
        Ok(Self { spacing, ..self })
    }

    /// How distances between the levels count.
    #[must_use]
    pub const fn spacing(&self) -> Spacing {
        self.spacing
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
        Ok(Self::of(rows, clusters.is_some(), Spacing::Even))
    }

    pub(super) fn of(mut rows: Vec<Row>, clustered: bool, spacing: Spacing) -> Self {
        rows.sort_by(|a, b| a.x.total_cmp(&b.x));
        let mut levels: Vec<f64> = rows.iter().map(|row| row.x).collect();
        levels.dedup();
        Self { rows, levels, clustered, spacing }
    }

    /// The rows of the first levels.
    pub(super) fn first(&self, levels: usize) -> Self {
        let last = self.levels[levels - 1];
        let rows = self.rows.iter().filter(|row| row.x <= last).copied().collect();
        Self { rows, levels: self.levels[..levels].to_vec(), ..*self }
    }

    /// Right and all answers at a level.
    pub(super) fn at_level(&self, level: f64) -> (f64, f64) {
        let rows = self.rows.iter().filter(|row| row.x == level);
        rows.fold((0.0, 0.0), |(right, total), row| (right + row.right, total + row.total))
    }
}
