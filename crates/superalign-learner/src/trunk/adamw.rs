//! AdamW and the course of its learning rate.

use super::real::{Real, wide};
use std::f64::consts::PI;
use std::ops::Range;

/// Decay rate of the gradient's running mean.
const BETA1: f64 = 0.9;
/// Decay rate of the squared gradient's running mean.
const BETA2: f64 = 0.999;
/// Added to the root of the squared gradient's mean.
const EPSILON: f64 = 1e-8;

/// The course of the learning rate over the steps of a trunk, whatever each step follows: in a plan of two phases,
/// the second has the lower rates of a cosine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// The peak at every step.
    Constant,
    /// Linearly up to the peak over the first `warmup` share of the steps, then along half a cosine to 0.
    Cosine {
        /// Share of the steps, in [0, 1].
        warmup: f64,
    },
}

impl Rate {
    /// The factor of the peak, in [0, 1], at a step counted from 0.
    ///
    /// ```
    /// use superalign_learner::Rate;
    /// let rate = Rate::Cosine { warmup: 0.5 };
    /// let course: Vec<f64> = (0..4).map(|step| rate.factor(step, 4)).collect();
    /// assert_eq!(course, [0.5, 1.0, 1.0, 0.5]);
    /// ```
    #[must_use]
    pub fn factor(self, step: usize, steps: usize) -> f64 {
        match self {
            Rate::Constant => 1.0,
            Rate::Cosine { warmup } => {
                let rising = (warmup * steps as f64).round();
                let step = step as f64;
                if step < rising {
                    return (step + 1.0) / rising;
                }
                let along = (step - rising) / (steps as f64 - rising).max(1.0);
                0.5 * (1.0 + (PI * along.min(1.0)).cos())
            }
        }
    }
}

/// AdamW (Loshchilov and Hutter 2019; decay decoupled from the gradient and multiplied by the learning rate, as in
/// PyTorch) over one part of a vector of parameters, with a count of steps of its own.
pub(crate) struct AdamW<T> {
    part: Range<usize>,
    /// Within the vector of all parameters.
    decaying: Vec<Range<usize>>,
    mean: Vec<T>,
    square: Vec<T>,
    steps: i32,
}

impl<T: Real> AdamW<T> {
    pub(crate) fn new(part: Range<usize>, decaying: Vec<Range<usize>>) -> Self {
        let zeros = vec![T::ZERO; part.len()];
        Self { part, decaying, mean: zeros.clone(), square: zeros, steps: 0 }
    }

    /// One step for this part of all parameters.
    pub(crate) fn step(&mut self, parameters: &mut [T], gradient: &[T], rate: f64, decay: f64) {
        self.steps = self.steps.saturating_add(1);
        let t = self.steps;
        let keep = T::of(1.0 - rate * decay);
        for range in &self.decaying {
            for parameter in &mut parameters[range.clone()] {
                *parameter = *parameter * keep;
            }
        }
        let factors = [
            BETA1,
            1.0 - BETA1,
            BETA2,
            1.0 - BETA2,
            rate / (1.0 - BETA1.powi(t)),
            1.0 / (1.0 - BETA2.powi(t)),
            EPSILON,
        ];
        let part = self.part.clone();
        let (parameters, gradient) = (&mut parameters[part.clone()], &gradient[part]);
        update(parameters, gradient, &mut self.mean, &mut self.square, factors.map(T::of));
    }
}

wide! {
    /// Moves the running means, then the parameters.
    fn update<'a, T>(
        parameters: &'a mut [T],
        gradient: &'a [T],
        mean: &'a mut [T],
        square: &'a mut [T],
        factors: [T; 7],
    ) {
        let [b1, a1, b2, a2, mean_scale, square_scale, epsilon] = factors;
        for (((p, &g), m), s) in parameters.iter_mut().zip(gradient).zip(mean).zip(square) {
            *m = *m * b1 + g * a1;
            *s = *s * b2 + g * g * a2;
            *p -= *m * mean_scale / ((*s * square_scale).sqrt() + epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_has_the_length_of_the_rate() {
        let mut adam = AdamW::<f64>::new(1..3, std::iter::once(1..2).collect());
        let mut parameters = [1.0, 1.0, 1.0, 1.0];
        adam.step(&mut parameters, &[9.0, 0.3, -4.0, 9.0], 0.1, 0.5);
        let expected = [1.0, 0.95 - 0.1, 1.1, 1.0];
        assert!(parameters.iter().zip(expected).all(|(p, e)| (p - e).abs() < 1e-7), "{parameters:?}");
    }

    #[test]
    fn rates_rise_then_fall() {
        let rate = Rate::Cosine { warmup: 0.1 };
        let course: Vec<f64> = (0..100).map(|step| rate.factor(step, 100)).collect();
        assert!(course[..10].windows(2).all(|w| w[0] < w[1]) && course[9] == 1.0 && course[10] == 1.0);
        assert!(course[10..].windows(2).all(|w| w[0] > w[1]) && course[99] < 1e-3 && course[99] > 0.0);
        assert_eq!(Rate::Cosine { warmup: 0.0 }.factor(0, 1), 1.0);
        assert_eq!(Rate::Cosine { warmup: 1.0 }.factor(3, 4), 1.0);
        assert_eq!(Rate::Constant.factor(7, 8), 1.0);
    }
}
