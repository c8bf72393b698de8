//! AdamW with a clipped gradient, and the learning rate's schedule.

use crate::model::{Kind, Shape};
use crate::real::Real;
use crate::wide::wide;
use std::f64::consts::PI;
use std::ops::Range;

/// Decay rate of the gradient's running mean.
pub const BETA1: f64 = 0.9;
/// Decay rate of the squared gradient's running mean.
pub const BETA2: f64 = 0.95;
/// Added to the root of the squared gradient's mean.
pub const EPSILON: f64 = 1e-8;
/// The greatest norm a step's gradient may have; a longer one is shortened.
pub const CLIP: f64 = 1.0;
/// Where the cosine ends, as a part of the peak.
pub const FINAL_FRACTION: f64 = 0.1;

/// Learning rate when a part `progress` (0 to 1) of the budget is used: it rises linearly to `peak` over the
/// first `warmup` part, then falls along a cosine to a tenth of the peak.
#[must_use]
pub fn learning_rate(peak: f64, warmup: f64, progress: f64) -> f64 {
    let progress = progress.clamp(0.0, 1.0);
    if progress < warmup {
        return peak * progress / warmup;
    }
    let along = if warmup < 1.0 { (progress - warmup) / (1.0 - warmup) } else { 1.0 };
    peak * (FINAL_FRACTION + (1.0 - FINAL_FRACTION) * 0.5 * (1.0 + (PI * along).cos()))
}

/// The running means of AdamW (Loshchilov and Hutter 2019), decay decoupled.
#[derive(Clone, Debug)]
pub struct AdamW<T = f32> {
    pub(crate) mean: Vec<T>,
    pub(crate) square: Vec<T>,
    pub(crate) steps: u64,
    decay: f64,
    decaying: Vec<Range<usize>>,
}

impl<T: Real> AdamW<T> {
    /// An optimiser at rest. Projections decay; norms and embeddings do not.
    #[must_use]
    pub fn new(shape: &Shape, decay: f64) -> Self {
        let decaying = shape
            .tensors()
            .into_iter()
            .filter(|t| !matches!(t.kind, Kind::Embedding | Kind::Norm))
            .map(|t| t.range)
            .collect();
        let zeros = vec![T::ZERO; shape.parameters()];
        Self { mean: zeros.clone(), square: zeros, steps: 0, decay, decaying }
    }

    /// One step along `gradient` times `factor` (the clipping).
    pub fn step(&mut self, parameters: &mut [T], gradient: &[T], factor: f64, rate: f64) {
        self.steps += 1;
        let t = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let factors = Factors {
            b1: T::of(BETA1),
            a1: T::of((1.0 - BETA1) * factor),
            b2: T::of(BETA2),
            a2: T::of((1.0 - BETA2) * factor * factor),
            mean_scale: T::of(rate / (1.0 - BETA1.powi(t))),
            square_scale: T::of(1.0 / (1.0 - BETA2.powi(t))),
            epsilon: T::of(EPSILON),
        };
        for range in &self.decaying {
            let keep = T::of(1.0 - rate * self.decay);
            for p in &mut parameters[range.clone()] {
                *p = *p * keep;
            }
        }
        update(parameters, gradient, &mut self.mean, &mut self.square, factors);
    }
}

wide! {
    /// Moves the running means and then the parameters.
    fn update<'a, T>(
        parameters: &'a mut [T],
        gradient: &'a [T],
        mean: &'a mut [T],
        square: &'a mut [T],
        factors: Factors<T>,
    ) {
        let Factors { b1, a1, b2, a2, mean_scale, square_scale, epsilon } = factors;
        for (((p, &g), m), s) in parameters.iter_mut().zip(gradient).zip(mean).zip(square) {
            *m = *m * b1 + g * a1;
            *s = *s * b2 + g * g * a2;
            *p -= *m * mean_scale / ((*s * square_scale).sqrt() + epsilon);
        }
    }
}

/// The numbers of one step: mean = b1 mean + a1 g, and likewise the squares; then both without their bias.
struct Factors<T> {
    b1: T,
    a1: T,
    b2: T,
    a2: T,
    mean_scale: T,
    square_scale: T,
    epsilon: T,
}

/// The factor that brings a gradient of that norm down to [`CLIP`]; 1 if it is no longer than that.
#[must_use]
pub fn clip_factor(norm: f64) -> f64 {
    if norm > CLIP { CLIP / norm } else { 1.0 }
}
