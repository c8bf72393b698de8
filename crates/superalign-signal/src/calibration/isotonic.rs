//! Isotonic recalibration: the best non-decreasing map from confidences to outcomes.

use super::check_pairs;
use crate::SignalError;

/// A non-decreasing map, fitted by least squares: piecewise linear between knots, constant beyond them.
///
/// ```
/// use superalign_signal::calibration::Isotonic;
/// let map = Isotonic::fit(&[0.1, 0.2, 0.6, 0.8], &[0.0, 1.0, 0.0, 1.0], None)?;
/// assert_eq!([0.0, 0.2, 0.5, 1.0].map(|p| map.predict(p)), [0.0, 0.5, 0.5, 1.0]);
/// assert!((map.predict(0.7) - 0.75).abs() < 1e-12);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Isotonic {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Isotonic {
    /// Fits to confidences `(n)` in [0, 1] and outcomes `(n)`, any finite numbers, usually 0 and 1; `weights` `(n)`
    /// above 0, or all 1.
    ///
    /// Minimises the weighted sum of squares over all non-decreasing maps, by pooling adjacent violators (Ayer et al.
    /// 1955; Zadrozny and Elkan 2002), in O(n log n). Equal confidences are one point at the mean of their outcomes.
    /// Between the points the map is linear, as in scikit-learn; the ends of each constant stretch are the knots.
    ///
    /// # Errors
    /// No item, lists of different lengths, a confidence outside [0, 1], an outcome that is not finite, a weight that
    /// is not finite or not above 0.
    pub fn fit(confidence: &[f64], outcome: &[f64], weights: Option<&[f64]>) -> Result<Self, SignalError> {
        check_pairs(confidence, outcome)?;
        if let Some(index) = outcome.iter().position(|y| !y.is_finite()) {
            let found = outcome[index];
            return Err(SignalError::Value { what: "outcome", index, found, expected: "a finite number" });
        }
        if let Some(weights) = weights {
            if weights.len() != outcome.len() {
                let (found, expected) = (weights.len(), outcome.len());
                return Err(SignalError::Shape { what: "number of weights", found, expected });
            }
            if let Some(index) = weights.iter().position(|w| !(*w > 0.0 && w.is_finite())) {
                let found = weights[index];
                return Err(SignalError::Value {
                    what: "weight",
                    index,
                    found,
                    expected: "a finite number above 0",
                });
            }
        }
        let mut order: Vec<u32> = (0..confidence.len() as u32).collect();
        order.sort_by(|&a, &b| confidence[a as usize].total_cmp(&confidence[b as usize]));
        let mut points: Vec<Block> = Vec::new();
        for &item in &order {
            let (x, y) = (confidence[item as usize] + 0.0, outcome[item as usize]);
            let weight = weights.map_or(1.0, |weights| weights[item as usize]);
            match points.last_mut() {
                Some(last) if last.to == x => last.merge(&Block { from: x, to: x, weight, mean: y }),
                _ => points.push(Block { from: x, to: x, weight, mean: y }),
            }
        }
        let mut blocks: Vec<Block> = Vec::new();
        for mut block in points {
            while let Some(last) = blocks.pop_if(|last| last.mean >= block.mean) {
                block.from = last.from;
                block.merge(&last);
            }
            blocks.push(block);
        }
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for block in blocks {
            x.push(block.from);
            y.push(block.mean);
            if block.to > block.from {
                x.push(block.to);
                y.push(block.mean);
            }
        }
        Ok(Self { x, y })
    }

    /// The value of the map at a confidence; beyond the outer knots, the value there.
    #[must_use]
    pub fn predict(&self, confidence: f64) -> f64 {
        let above = self.x.partition_point(|&x| x <= confidence);
        if above == 0 {
            return self.y[0];
        }
        let below = above - 1;
        if above == self.x.len() || self.x[below] == confidence {
            return self.y[below];
        }
        let share = (confidence - self.x[below]) / (self.x[above] - self.x[below]);
        self.y[below] + share * (self.y[above] - self.y[below])
    }

    /// The knots as (confidence, value), by rising confidence; values never fall.
    pub fn knots(&self) -> impl ExactSizeIterator<Item = (f64, f64)> + '_ {
        self.x.iter().copied().zip(self.y.iter().copied())
    }
}

/// Neighbouring points with one value.
struct Block {
    from: f64,
    to: f64,
    weight: f64,
    mean: f64,
}

impl Block {
    /// Takes in the weight and the mean of another block.
    fn merge(&mut self, other: &Self) {
        let weight = self.weight + other.weight;
        self.mean += (other.mean - self.mean) * (other.weight / weight);
        self.weight = weight;
    }
}
