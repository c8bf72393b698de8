//! Features made ready for a sweep: checked, centred, scaled; and the curvature that all problems share.

use crate::LearnerError;
use crate::cholesky::Cholesky;
use crate::matrix::{Store, each, multiply, zeros};
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
        let (n, d) = features.dim();
        if d == 0 {
            return Err(LearnerError::NoColumns);
        }
        if n < crate::MINIMUM_ROWS {
            return Err(LearnerError::TooFewRows {
                what: "features",
                expected: crate::MINIMUM_ROWS,
                found: n,
            });
        }
        let mut mean = vec![0.0; d];
        for (row, values) in features.outer_iter().enumerate() {
            let mut finite = true;
            for (sum, &value) in mean.iter_mut().zip(values) {
                *sum += f64::from(value);
                finite &= value.is_finite();
            }
            if !finite {
                return Err(first_non_finite(features, row));
            }
        }
        mean.iter_mut().for_each(|m| *m /= n as f64);
        let mut variance = vec![0.0; d];
        for values in features.outer_iter() {
            for ((sum, &value), mean) in variance.iter_mut().zip(values).zip(&mean) {
                let difference = f64::from(value) - mean;
                *sum += difference * difference;
            }
        }
        variance.iter_mut().for_each(|v| *v /= n as f64);
        let scale: Vec<f64> = match scaling {
            Scaling::None => vec![1.0; d],
            Scaling::UnitVariance => {
                let constant = |(v, m): (&f64, &f64)| v.sqrt() <= 1e-7 * m.abs() || *v == 0.0;
                // A constant column is exactly 0 after centring (up to rounding, which an infinite scale removes).
                variance
                    .iter()
                    .zip(&mean)
                    .map(|(v, m)| if constant((v, m)) { f64::INFINITY } else { v.sqrt() })
                    .collect()
            }
        };
        let mut x = Array2::zeros((n, d));
        for (mut to, from) in x.outer_iter_mut().zip(features.outer_iter()) {
            for (((to, &from), mean), scale) in to.iter_mut().zip(from).zip(&mean).zip(&scale) {
                *to = ((f64::from(from) - mean) / scale) as f32;
            }
        }
        let squares = variance.iter().zip(&scale).map(|(v, s)| v / (s * s));
        let frobenius = (squares.clone().sum::<f64>() * n as f64).sqrt();
        let largest = squares.fold(0.0, f64::max).sqrt();
        Ok(Self { x, mean, scale, frobenius, largest })
    }

    /// Factors I + (C / 4) X'X, which bounds the curvature of the penalised cross-entropy from above
    /// (Böhning and Lindsay 1988) for every problem and everywhere.
    pub(crate) fn curvature(&self, penalty: f64) -> Result<Cholesky, LearnerError> {
        const STRIP: usize = 128;
        let d = self.x.ncols();
        let mut gram = zeros::<f32>(d, d);
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
            let mut bound = gram.mapv(|g| 0.25 * penalty * f64::from(g));
            bound.diag_mut().iter_mut().for_each(|value| *value += ridge);
            if let Some(factor) = Cholesky::factor(bound) {
                return Ok(factor);
            }
            ridge = (ridge * 10.0).max(1e-6 * penalty * largest);
        }
        Err(LearnerError::Overflow { largest: self.largest })
    }
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
