//! A trained trunk: what it says, its weights, and how it was trained.

use super::Head;
use super::network::{Scratch, Shape};
use crate::matrix::each;
use crate::{LearnerError, sigmoid};
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis};
use superalign_core::{Seed, rand::RngExt as _};

/// Rows that go through the network together when a trunk is asked.
const BLOCK: usize = 256;

/// A student with a bottleneck and two heads. For features x (d), as they were given:
///
/// ```text
/// z = D' (x - mean) / scale        (r)  bottleneck: rank r, no nonlinearity
/// a = gelu(U' z + b)               (h)  hidden units: width h
/// logit of a head = v . a + v0          p = 1 / (1 + exp(-logit))
/// ```
///
/// GELU is taken in its usual approximation by tanh (Hendrycks and Gimpel 2016).
///
/// ```
/// use ndarray::array;
/// use superalign_core::Seed;
/// use superalign_learner::{Head, Trunk};
/// let trunk = Trunk::initial(3, 2, 8, Seed::new(1))?;
/// let p = trunk.probabilities(array![[1.0_f32, 0.0, -1.0]].view(), Head::Conformity)?;
/// assert_eq!(p.to_vec(), [0.5], "heads start at zero");
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Trunk {
    weights: TrunkWeights,
    /// How it was trained; all zeros for a trunk that was not.
    pub fit: TrunkFit,
}

/// The weights of a [`Trunk`], by the letters of its formula.
#[derive(Clone, Debug, PartialEq)]
pub struct TrunkWeights {
    /// What is taken off each feature: mean (d).
    pub mean: Array1<f64>,
    /// What each feature is then divided by: scale (d). Infinite for a feature that is ignored.
    pub scale: Array1<f64>,
    /// From the features to the bottleneck: D (d, r).
    pub down: Array2<f32>,
    /// From the bottleneck to the hidden units: U (r, h).
    pub up: Array2<f32>,
    /// Of the hidden units: b (h).
    pub bias: Array1<f32>,
    /// Weights of both heads in the order of [`Head::BOTH`]: v (2, h).
    pub heads: Array2<f32>,
    /// Intercepts of both heads: v0.
    pub intercepts: [f32; 2],
}

/// How a trunk was trained.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrunkFit {
    /// Gradient steps taken.
    pub steps: usize,
    /// Steps after which the weights were kept: fewer than `steps` where early stopping found better ones before.
    pub kept_at: usize,
    /// Steps after which early stopping ran out of patience; `None` where every step was taken.
    pub stopped_at: Option<usize>,
    /// Labels that the steps read, of both objectives, repetitions counted.
    pub labels_read: usize,
    /// How competence ended; `None` where the plan did not train it.
    pub competence: Option<ObjectiveFit>,
    /// How conformity ended; `None` where the plan did not train it.
    pub conformity: Option<ObjectiveFit>,
}

/// How one objective of a trunk ended, at the weights that were kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectiveFit {
    /// The loss over all its training rows as one batch, as it stands at the end of the schedule.
    pub loss: f64,
    /// Euclidean norm of the gradient of that loss by all weights (the features scaled, decay left out).
    pub gradient_norm: f64,
    /// Mean cross-entropy of the held-out labels of the supervisor; `None` without early stopping.
    pub held_out: Option<f64>,
}

impl TrunkFit {
    /// How an objective ended; `None` where the plan did not train it.
    #[must_use]
    pub fn objective(&self, head: Head) -> Option<ObjectiveFit> {
        match head {
            Head::Competence => self.competence,
            Head::Conformity => self.conformity,
        }
    }
}

impl Trunk {
    /// A trunk from weights that are known already.
    ///
    /// # Errors
    /// Weights whose shapes do not fit together, a rank of 0 or above the number of features, no hidden units.
    pub fn new(weights: TrunkWeights) -> Result<Self, LearnerError> {
        let ((columns, rank), width) = (weights.down.dim(), weights.up.ncols());
        check(columns, rank, width)?;
        for (what, found, expected) in [
            ("number of means", weights.mean.len(), columns),
            ("number of scales", weights.scale.len(), columns),
            ("number of rows of `up`", weights.up.nrows(), rank),
            ("number of biases", weights.bias.len(), width),
            ("number of heads", weights.heads.nrows(), 2),
            ("width of the heads", weights.heads.ncols(), width),
        ] {
            if found != expected {
                return Err(LearnerError::TrunkShape { what, expected, found });
            }
        }
        Ok(Self { weights, fit: TrunkFit::default() })
    }

    /// The trunk that training starts from: no scaling, `down` and `up` uniform with variance 1 / (rows), the rest 0,
    /// so that it says one half of everything.
    ///
    /// # Errors
    /// A rank of 0 or above the number of features, no features, no hidden units.
    pub fn initial(columns: usize, rank: usize, width: usize, seed: Seed) -> Result<Self, LearnerError> {
        check(columns, rank, width)?;
        let uniform = |name: &str, (rows, columns): (usize, usize)| {
            let mut rng = seed.named(name).rng();
            let bound = (3.0 / rows as f64).sqrt();
            Array2::from_shape_simple_fn((rows, columns), || {
                (bound * (2.0 * rng.random::<f64>() - 1.0)) as f32
            })
        };
        Self::new(TrunkWeights {
            mean: Array1::zeros(columns),
            scale: Array1::ones(columns),
            down: uniform("down", (columns, rank)),
            up: uniform("up", (rank, width)),
            bias: Array1::zeros(width),
            heads: Array2::zeros((2, width)),
            intercepts: [0.0; 2],
        })
    }

    /// Its weights.
    #[must_use]
    pub fn weights(&self) -> &TrunkWeights {
        &self.weights
    }

    /// Width of its bottleneck.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.weights.down.ncols()
    }

    /// Number of its hidden units.
    #[must_use]
    pub fn width(&self) -> usize {
        self.weights.up.ncols()
    }

    /// Logits of a head, one per row of the features `(n, d)`.
    ///
    /// # Errors
    /// Another number of columns than the trunk was made for.
    pub fn logits(&self, features: ArrayView2<'_, f32>, head: Head) -> Result<Array1<f64>, LearnerError> {
        let shape = self.shape();
        if features.ncols() != shape.columns {
            return Err(LearnerError::Columns { expected: shape.columns, found: features.ncols() });
        }
        let parameters = self.parameters();
        let mut out = Array1::zeros(features.nrows());
        let tasks: Vec<(ArrayViewMut1<'_, f64>, ArrayView2<'_, f32>)> =
            out.axis_chunks_iter_mut(Axis(0), BLOCK).zip(features.axis_chunks_iter(Axis(0), BLOCK)).collect();
        each(tasks, |(mut out, rows)| {
            let mut scratch = Scratch::new(shape, rows.nrows());
            for (mut to, from) in scratch.x.outer_iter_mut().zip(rows.outer_iter()) {
                let scaling = self.weights.mean.iter().zip(&self.weights.scale);
                for ((to, &from), (mean, scale)) in to.iter_mut().zip(from).zip(scaling) {
                    *to = ((f64::from(from) - mean) / scale) as f32;
                }
            }
            scratch.forward(&parameters, rows.nrows());
            for (to, from) in out.iter_mut().zip(scratch.logits(&parameters, head, 0..rows.nrows())) {
                *to = from;
            }
        });
        Ok(out)
    }

    /// Probabilities in [0, 1] of a head's positive class, one per row of the features `(n, d)`.
    ///
    /// # Errors
    /// As [`Trunk::logits`].
    pub fn probabilities(
        &self,
        features: ArrayView2<'_, f32>,
        head: Head,
    ) -> Result<Array1<f64>, LearnerError> {
        Ok(self.logits(features, head)?.mapv_into(sigmoid::sigmoid))
    }

    /// Whether a head puts each row into its class: the positive one where the probability is at least one half.
    ///
    /// # Errors
    /// As [`Trunk::logits`]; also another number of labels than rows.
    pub fn correct(
        &self,
        features: ArrayView2<'_, f32>,
        head: Head,
        labels: &[bool],
    ) -> Result<Vec<bool>, LearnerError> {
        let logits = self.logits(features, head)?;
        if labels.len() != logits.len() {
            let (expected, found) = (logits.len(), labels.len());
            return Err(LearnerError::Rows { what: "labels", of: "features", expected, found });
        }
        Ok(logits.iter().zip(labels).map(|(&z, &label)| (z >= 0.0) == label).collect())
    }

    /// Share of rows that a head puts into their class ([`Trunk::correct`]), in [0, 1].
    ///
    /// # Errors
    /// As [`Trunk::correct`]; also no rows.
    pub fn accuracy(
        &self,
        features: ArrayView2<'_, f32>,
        head: Head,
        labels: &[bool],
    ) -> Result<f64, LearnerError> {
        let correct = self.correct(features, head, labels)?;
        if correct.is_empty() {
            return Err(LearnerError::TooFewRows { what: "features", expected: 1, found: 0 });
        }
        Ok(correct.iter().filter(|c| **c).count() as f64 / correct.len() as f64)
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape { columns: self.weights.down.nrows(), rank: self.rank(), width: self.width() }
    }

    /// All weights in one vector, in the order of [`Shape`].
    pub(crate) fn parameters(&self) -> Vec<f32> {
        let TrunkWeights { down, up, bias, heads, intercepts, .. } = &self.weights;
        let mut all: Vec<f32> = down.iter().chain(up).chain(bias).copied().collect();
        for (weights, intercept) in heads.outer_iter().zip(intercepts) {
            all.extend(weights);
            all.push(*intercept);
        }
        all
    }

    /// The same function of the features, for features scaled in another way: what one scaling takes off and the
    /// other does not goes into the biases. Features that the other scaling ignores are ignored from now on.
    pub(crate) fn rescaled(&self, mean: &[f64], scale: &[f64]) -> Self {
        let mut weights = self.weights.clone();
        let mut shift = vec![0.0; self.rank()];
        for (i, row) in self.weights.down.outer_iter().enumerate() {
            let (old, new) = (self.weights.scale[i], scale[i]);
            let factor = if new.is_finite() { new / old } else { 0.0 };
            let moved = (mean[i] - self.weights.mean[i]) / old;
            for (j, &weight) in row.iter().enumerate() {
                shift[j] += moved * f64::from(weight);
                weights.down[(i, j)] = (factor * f64::from(weight)) as f32;
            }
        }
        for (j, bias) in weights.bias.iter_mut().enumerate() {
            let moved: f64 =
                shift.iter().zip(self.weights.up.column(j)).map(|(s, u)| s * f64::from(*u)).sum();
            *bias = (f64::from(*bias) + moved) as f32;
        }
        weights.mean = mean.to_vec().into();
        weights.scale = scale.to_vec().into();
        Self { weights, fit: self.fit }
    }

    /// A trunk of this shape and scaling with other parameters, in the order of [`Shape`].
    pub(crate) fn with_parameters(mut self, parameters: &[f32], fit: TrunkFit) -> Self {
        let shape = self.shape();
        let weights = &mut self.weights;
        let copy = |to: &mut dyn Iterator<Item = &mut f32>, from: &[f32]| {
            to.zip(from).for_each(|(to, from)| *to = *from);
        };
        copy(&mut weights.down.iter_mut(), &parameters[shape.down()]);
        copy(&mut weights.up.iter_mut(), &parameters[shape.up()]);
        copy(&mut weights.bias.iter_mut(), &parameters[shape.bias()]);
        for head in Head::BOTH {
            let from = &parameters[shape.head(head)];
            let to = weights.heads.row_mut(head.index());
            copy(&mut to.into_iter().chain(&mut weights.intercepts[head.index()..]), from);
        }
        self.fit = fit;
        self
    }
}

/// Whether a network can have these sizes.
pub(crate) fn check(columns: usize, rank: usize, width: usize) -> Result<(), LearnerError> {
    if columns == 0 {
        return Err(LearnerError::NoColumns);
    }
    if rank == 0 || rank > columns {
        return Err(LearnerError::Rank { found: rank, columns });
    }
    if width == 0 {
        return Err(LearnerError::Setting { key: "width", found: 0.0, expected: "at least 1" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize, speed: f64) -> impl Iterator<Item = f64> {
        (0..n).map(move |i| (speed * (i + 1) as f64).sin())
    }

    fn trunk() -> Trunk {
        let blank = Trunk::initial(6, 2, 5, Seed::new(4)).expect("fits");
        let parameters: Vec<f32> = wave(blank.shape().parameters(), 0.9).map(|v| v as f32).collect();
        let trunk = blank.with_parameters(&parameters, TrunkFit::default());
        assert_eq!(trunk.parameters(), parameters);
        trunk
    }

    #[test]
    fn logits_follow_the_formula() {
        let trunk = trunk().rescaled(&[0.5; 6], &[2.0; 6]);
        let x: Vec<f32> = wave(300 * 6, 1.7).map(|v| v as f32).collect();
        let x = Array2::from_shape_vec((300, 6), x).expect("sizes");
        let TrunkWeights { mean, scale, down, up, bias, heads, intercepts } = trunk.weights();
        for head in Head::BOTH {
            let found = trunk.logits(x.view(), head).expect("six columns");
            for (row, found) in x.outer_iter().zip(found) {
                let scaled = (row.mapv(f64::from) - mean) / scale;
                let z = scaled.dot(&down.mapv(f64::from)).dot(&up.mapv(f64::from)) + bias.mapv(f64::from);
                let a = z.mapv(|u| {
                    let inner = (2.0 / std::f64::consts::PI).sqrt() * (u + 0.044_715 * u * u * u);
                    0.5 * u * (1.0 + inner.tanh())
                });
                let logit =
                    a.dot(&heads.row(head.index()).mapv(f64::from)) + f64::from(intercepts[head.index()]);
                assert!((found - logit).abs() < 1e-5, "{head}: {found} {logit}");
            }
        }
    }

    #[test]
    fn another_scaling_is_the_same_function() {
        let x: Vec<f32> = wave(50 * 6, 1.1).map(|v| 3.0 + v as f32).collect();
        let x = Array2::from_shape_vec((50, 6), x).expect("sizes");
        let first = trunk();
        let mean: Vec<f64> = wave(6, 0.4).map(|v| 3.0 + v).collect();
        let scale: Vec<f64> = wave(6, 2.0).map(|v| 1.5 + v).collect();
        let second = first.rescaled(&mean, &scale);
        let a = first.logits(x.view(), Head::Competence).expect("columns");
        let b = second.logits(x.view(), Head::Competence).expect("columns");
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4), "{a} {b}");
    }

    #[test]
    fn shapes_are_checked() {
        let good = trunk().weights().clone();
        let says = |weights: TrunkWeights| Trunk::new(weights).expect_err("refused").to_string();
        let messages = [
            says(TrunkWeights { mean: Array1::zeros(5), ..good.clone() }),
            says(TrunkWeights { up: Array2::zeros((3, 5)), ..good.clone() }),
            says(TrunkWeights { heads: Array2::zeros((2, 4)), ..good.clone() }),
            Trunk::initial(6, 7, 5, Seed::new(0)).expect_err("rank").to_string(),
            Trunk::initial(6, 1, 0, Seed::new(0)).expect_err("width").to_string(),
            Trunk::initial(0, 1, 1, Seed::new(0)).expect_err("columns").to_string(),
            trunk().logits(Array2::zeros((3, 7)).view(), Head::Competence).expect_err("columns").to_string(),
            trunk()
                .accuracy(Array2::zeros((3, 6)).view(), Head::Competence, &[true])
                .expect_err("rows")
                .to_string(),
            trunk()
                .accuracy(Array2::zeros((0, 6)).view(), Head::Competence, &[])
                .expect_err("rows")
                .to_string(),
        ];
        insta::assert_snapshot!(messages.join("\n"), @r"
        trunk: number of means is 5, expected 6
        trunk: number of rows of `up` is 3, expected 2
        trunk: width of the heads is 4, expected 5
        rank = 7: expected from 1 to 6, the number of columns of the features
        width = 0: expected at least 1
        features: expected at least one column, found none
        features: expected 6 columns, as many as the student was trained on, found 7
        labels: expected 3 rows, as many as there are features, found 1
        features: expected at least 1 rows, found 0
        ");
    }
}
