//! Features made ready for a sweep: checked, centred, scaled; and the curvature that all problems share.

use crate::LearnerError;
use crate::cholesky::Cholesky;
use crate::matrix::{Store, add_scaled, each, multiply, zeros};
use ndarray::{Array2, ArrayView2, Axis, s};

/// How the columns of the features are scaled before the penalty looks at their weights.
///
/// Columns are centred in either case, which changes nothing but the speed: the intercept is not penalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scaling {
    /// Every column is divided by its standard deviation (the root of the mean square after centring), so that
    /// one penalty means the same for encoders of any width and scale. Constant columns get the weight 0.
    #[default]
    UnitVariance,
    /// Columns stay as they are: the penalty acts on the weights that are returned.
    None,
}

/// Centred and scaled features, row by row in single precision: the only copy that a sweep makes.
pub(crate) struct Prepared {
    /// (n, d).
    pub(crate) x: Array2<f32>,
    pub(crate) mean: Vec<f64>,
    pub(crate) scale: Vec<f64>,
    /// Root of the sum of squares of `x`.
    pub(crate) frobenius: f64,
    largest: f64,
}

impl Prepared {
    pub(crate) fn new(features: ArrayView2<'_, f32>, scaling: Scaling) -> Result<Self, LearnerError> {
        check_shape(features)?;
        let n = features.nrows();
        let (mean, spread) = moments(features, Centring::Mean)?;
        let scale = scales(scaling, &mean, &spread);
        let mut x = Array2::zeros(features.dim());
        let tasks = x
            .axis_chunks_iter_mut(Axis(0), lane_rows(n))
            .zip(features.axis_chunks_iter(Axis(0), lane_rows(n)));
        each(tasks.collect(), |(mut to, from)| {
            for (mut to, from) in to.outer_iter_mut().zip(from.outer_iter()) {
                for (((to, &from), mean), scale) in to.iter_mut().zip(from).zip(&mean).zip(&scale) {
                    *to = ((f64::from(from) - mean) / scale) as f32;
                }
            }
        });
        Ok(Self::from_parts(x, mean, scale, &spread))
    }

    /// The same about the origin, in place.
    pub(crate) fn in_place(mut x: Array2<f32>, scaling: Scaling) -> Result<Self, LearnerError> {
        check_shape(x.view())?;
        let (mean, spread) = moments(x.view(), Centring::Origin)?;
        let scale = scales(scaling, &mean, &spread);
        let rows = lane_rows(x.nrows());
        each(x.axis_chunks_iter_mut(Axis(0), rows).collect(), |mut rows| {
            for mut row in rows.outer_iter_mut() {
                for (value, scale) in row.iter_mut().zip(&scale) {
                    *value = (f64::from(*value) / scale) as f32;
                }
            }
        });
        Ok(Self::from_parts(x, mean, scale, &spread))
    }

    fn from_parts(x: Array2<f32>, mean: Vec<f64>, scale: Vec<f64>, spread: &[f64]) -> Self {
        let squares = spread.iter().zip(&scale).map(|(v, s)| (v / s).powi(2));
        let frobenius = (squares.clone().sum::<f64>() * x.nrows() as f64).sqrt();
        let largest = squares.fold(0.0, f64::max).sqrt();
        Self { x, mean, scale, frobenius, largest }
    }

    /// The gradient norm that rounding in double precision leaves.
    pub(crate) fn rounding(&self, penalty: f64) -> f64 {
        1e-13 * penalty * (self.frobenius.powi(2) + self.x.nrows() as f64).sqrt()
    }

    /// Factors I + (C / 4) X'X, which bounds the curvature of the penalised cross-entropy from above
    /// (Böhning and Lindsay 1988) for every problem and everywhere.
    pub(crate) fn curvature(&self, penalty: f64) -> Result<Cholesky, LearnerError> {
        const STRIP: usize = 64;
        let d = self.x.ncols();
        let mut gram = Array2::<f32>::zeros((d, d));
        let strips: Vec<_> = gram.axis_chunks_iter_mut(Axis(1), STRIP).enumerate().collect();
        each(strips, |(i, mut strip)| {
            let from = i * STRIP;
            let columns = self.x.slice(s![.., from..from + strip.ncols()]);
            let rest = self.x.slice(s![.., from..]);
            multiply(&mut strip.slice_mut(s![from.., ..]), Store::Replace, rest.t(), columns, 1.0);
        });
        let mut largest = 0.0_f64;
        for value in gram.diag() {
            largest = largest.max(f64::from(*value));
        }
        if !largest.is_finite() {
            return Err(LearnerError::Overflow { largest: self.largest });
        }
        // The Gram matrix is exact to single precision only; a ridge of that size keeps the factor positive. It
        // belongs to the preconditioner: the objective does not see it.
        let mut ridge = 1.0;
        for _ in 0..8 {
            let mut bound = zeros(d, d);
            bound.zip_mut_with(&gram, |to, &g| *to = 0.25 * penalty * f64::from(g));
            bound.diag_mut().iter_mut().for_each(|value| *value += ridge);
            if let Some(factor) = Cholesky::factor(bound) {
                return Ok(factor);
            }
            ridge = (ridge * 10.0).max(1e-6 * penalty * largest);
        }
        Err(LearnerError::Overflow { largest: self.largest })
    }
}

/// Rows of a lane: the number of lanes is fixed, so that sums do not depend on the number of threads.
fn lane_rows(n: usize) -> usize {
    n.div_ceil(16).max(128)
}

fn scales(scaling: Scaling, mean: &[f64], spread: &[f64]) -> Vec<f64> {
    // A constant column is exactly 0 after centring (up to rounding, which an infinite scale removes).
    let constant = |spread: f64, mean: f64| spread <= 1e-7 * mean.abs() || spread == 0.0;
    match scaling {
        Scaling::None => vec![1.0; mean.len()],
        Scaling::UnitVariance => {
            let columns = spread.iter().zip(mean);
            columns.map(|(&s, &m)| if constant(s, m) { f64::INFINITY } else { s }).collect()
        }
    }
}

/// Where the columns of the features have their origin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Centring {
    /// Their mean: an intercept makes up for it.
    Mean,
    /// Where it is: there is no intercept.
    Origin,
}

/// The origin of every column and the root mean square about it.
fn moments(features: ArrayView2<'_, f32>, centring: Centring) -> Result<(Vec<f64>, Vec<f64>), LearnerError> {
    let (n, d) = features.dim();
    // Sums are taken about the first row, so that a mean far from 0 costs no digits.
    let start: Vec<f64> = match centring {
        Centring::Mean => features.row(0).iter().map(|&value| f64::from(value)).collect(),
        Centring::Origin => vec![0.0; d],
    };
    let mut lanes: Vec<(Option<usize>, Vec<f64>, Vec<f64>)> =
        (0..n.div_ceil(lane_rows(n))).map(|_| (None, vec![0.0; d], vec![0.0; d])).collect();
    let tasks = lanes.iter_mut().zip(features.axis_chunks_iter(Axis(0), lane_rows(n)));
    each(tasks.collect(), |((bad, sums, squares), rows)| {
        for (row, values) in rows.outer_iter().enumerate() {
            let mut finite = true;
            for (((sum, square), &value), start) in
                sums.iter_mut().zip(squares.iter_mut()).zip(values).zip(&start)
            {
                finite &= value.is_finite();
                let away = f64::from(value) - start;
                *sum += away;
                *square += away * away;
            }
            if !finite && bad.is_none() {
                *bad = Some(row);
            }
        }
    });
    let (mut mean, mut square) = (vec![0.0; d], vec![0.0; d]);
    for (index, (bad, sums, squares)) in lanes.iter().enumerate() {
        if let Some(row) = bad {
            return Err(first_non_finite(features, index * lane_rows(n) + row));
        }
        add_scaled(&mut mean, 1.0 / n as f64, sums);
        add_scaled(&mut square, 1.0 / n as f64, squares);
    }
    Ok(match centring {
        Centring::Mean => {
            let spread = square.iter().zip(&mean).map(|(s, m)| (s - m * m).max(0.0).sqrt()).collect();
            (mean.iter().zip(&start).map(|(m, s)| m + s).collect(), spread)
        }
        Centring::Origin => (vec![0.0; d], square.into_iter().map(f64::sqrt).collect()),
    })
}

fn check_shape(features: ArrayView2<'_, f32>) -> Result<(), LearnerError> {
    let (found, d) = features.dim();
    let expected = crate::MINIMUM_ROWS;
    if d == 0 {
        return Err(LearnerError::NoColumns);
    }
    if found < expected {
        return Err(LearnerError::TooFewRows { what: "features", expected, found });
    }
    Ok(())
}

fn first_non_finite(features: ArrayView2<'_, f32>, row: usize) -> LearnerError {
    let values = features.row(row);
    let column = values.iter().position(|v| !v.is_finite()).unwrap_or(0);
    LearnerError::NonFinite { row, column, value: values[column] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn columns_are_centred_and_scaled() {
        let x = array![[1.0_f32, 5.0, 1e6], [3.0, 5.0, 1e6 + 2.0], [5.0, 5.0, 1e6 + 4.0]];
        let unit = Prepared::new(x.view(), Scaling::UnitVariance).expect("finite");
        let s = 1.5_f32.sqrt();
        assert!(
            (&unit.x - &array![[-s, 0.0, -s], [0.0, 0.0, 0.0], [s, 0.0, s]]).iter().all(|e| e.abs() < 1e-6)
        );
        assert!((unit.frobenius - 6.0_f64.sqrt()).abs() < 1e-12);
        let plain = Prepared::new(x.view(), Scaling::None).expect("finite");
        assert_eq!(plain.x, array![[-2.0_f32, 0.0, -2.0], [0.0, 0.0, 0.0], [2.0, 0.0, 2.0]]);
        assert_eq!(plain.mean, [3.0, 5.0, 1e6 + 2.0]);
    }

    #[test]
    fn the_first_bad_feature_is_named() {
        let x = array![[1.0_f32, 2.0], [3.0, f32::INFINITY], [f32::NAN, 0.0]];
        let found = Prepared::new(x.view(), Scaling::None).map(|_| ());
        assert_eq!(found, Err(LearnerError::NonFinite { row: 1, column: 1, value: f32::INFINITY }));
    }
}
