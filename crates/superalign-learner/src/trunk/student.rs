//! A trunk while it is trained: one gradient step, and one look at a whole objective.

use super::Head;
use super::adamw::AdamW;
use super::network::{Scratch, Shape};
use super::real::Real;
use crate::{LearnerError, Loss, sigmoid};
use ndarray::ArrayView2;
use std::ops::Range;

/// Rows of a pass that only measures.
const BLOCK: usize = 256;

/// What a step asks of some rows of its batch.
pub(crate) struct Part {
    pub(crate) head: Head,
    /// Rows of the batch.
    pub(crate) rows: Range<usize>,
    /// Soft labels of those rows.
    pub(crate) labels: Vec<f64>,
    /// Weight of the objective in this step.
    pub(crate) weight: f64,
}

/// Where a step stands in the schedule.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// Share of the steps taken before, in [0, 1].
    pub(crate) progress: f64,
    pub(crate) rate: f64,
    pub(crate) decay: f64,
}

/// Parameters on their way, with all that a step needs.
///
/// The shared part and each head have an optimiser of their own. A head that takes no part in a step stays as it is:
/// it neither decays nor drifts on its momentum.
pub(crate) struct Student<'a, T> {
    x: ArrayView2<'a, T>,
    loss: Loss,
    pub(crate) parameters: Vec<T>,
    gradient: Vec<T>,
    shared: AdamW<T>,
    heads: [AdamW<T>; 2],
    scratch: Scratch<T>,
    logits: Vec<[T; 2]>,
}

impl<'a, T: Real> Student<'a, T> {
    /// For steps on at most `batch` rows of `x`.
    pub(crate) fn new(
        x: ArrayView2<'a, T>,
        shape: Shape,
        parameters: Vec<T>,
        loss: Loss,
        batch: usize,
    ) -> Self {
        let optimiser = |part: Range<usize>| AdamW::new(part.clone(), shape.decays(part));
        Self {
            x,
            loss,
            gradient: vec![T::ZERO; shape.parameters()],
            parameters,
            shared: optimiser(shape.shared()),
            heads: Head::BOTH.map(|head| optimiser(shape.head(head))),
            scratch: Scratch::new(shape, batch.max(BLOCK)),
            logits: Vec::new(),
        }
    }

    /// One step of AdamW down the weighted sum of the parts' losses over some rows of `x`.
    pub(crate) fn step(&mut self, rows: &[usize], parts: &[Part], pace: Pace) -> Result<(), LearnerError> {
        self.scratch.gather(self.x, rows);
        self.scratch.forward(&self.parameters, rows.len());
        self.logits.clear();
        self.logits.resize(rows.len(), [T::ZERO; 2]);
        for part in parts {
            let z = finite(self.scratch.logits(&self.parameters, part.head, part.rows.clone()))?;
            let batch = self.loss.batch(&z, &part.labels, pace.progress)?;
            for (to, from) in self.logits[part.rows.clone()].iter_mut().zip(batch.gradient) {
                to[part.head.index()] = T::of(part.weight * from);
            }
        }
        self.scratch.backward(&self.parameters, &mut self.gradient, &self.logits);
        self.shared.step(&mut self.parameters, &self.gradient, pace.rate, pace.decay);
        for part in parts {
            let head = &mut self.heads[part.head.index()];
            head.step(&mut self.parameters, &self.gradient, pace.rate, pace.decay);
        }
        Ok(())
    }

    /// Logits of a head for some rows of `x`.
    pub(crate) fn logits(&mut self, head: Head, rows: &[usize]) -> Result<Vec<f64>, LearnerError> {
        let mut all = Vec::with_capacity(rows.len());
        for block in rows.chunks(BLOCK) {
            self.scratch.gather(self.x, block);
            self.scratch.forward(&self.parameters, block.len());
            all.extend(self.scratch.logits(&self.parameters, head, 0..block.len()));
        }
        finite(all)
    }

    /// Mean cross-entropy of a head for some rows of `x`.
    pub(crate) fn cross_entropy(
        &mut self,
        head: Head,
        rows: &[usize],
        labels: &[f64],
    ) -> Result<f64, LearnerError> {
        Ok(sigmoid::cross_entropy(&self.logits(head, rows)?, labels) / rows.len() as f64)
    }

    /// The loss of a head over some rows of `x` as one batch, and the norm of its gradient by all parameters. Blocks
    /// are added up in double precision.
    pub(crate) fn objective(
        &mut self,
        head: Head,
        rows: &[usize],
        labels: &[f64],
        progress: f64,
    ) -> Result<(f64, f64), LearnerError> {
        let z = self.logits(head, rows)?;
        let batch = self.loss.batch(&z, labels, progress)?;
        let mut total = vec![0.0; self.parameters.len()];
        for (block, by_logit) in rows.chunks(BLOCK).zip(batch.gradient.chunks(BLOCK)) {
            self.scratch.gather(self.x, block);
            self.scratch.forward(&self.parameters, block.len());
            self.logits.clear();
            self.logits.extend(by_logit.iter().map(|g| {
                let mut both = [T::ZERO; 2];
                both[head.index()] = T::of(*g);
                both
            }));
            self.scratch.backward(&self.parameters, &mut self.gradient, &self.logits);
            for (total, part) in total.iter_mut().zip(&self.gradient) {
                *total += part.to_f64();
            }
        }
        Ok((batch.value, crate::matrix::norm(&total)))
    }
}

fn finite(logits: Vec<f64>) -> Result<Vec<f64>, LearnerError> {
    match logits.iter().position(|z| !z.is_finite()) {
        Some(row) => Err(LearnerError::Logit { row, value: logits[row] }),
        None => Ok(logits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use serde::Deserialize;

    /// Written by `tests/golden/trunk.py` with PyTorch in double precision.
    #[derive(Deserialize)]
    struct Golden {
        rank: usize,
        width: usize,
        decay: f64,
        features: Vec<Vec<f64>>,
        /// Of competence, of conformity.
        labels: [Vec<f64>; 2],
        start: Vec<f64>,
        steps: Vec<Step>,
        end: Vec<f64>,
        losses: [f64; 2],
        gradient_norms: [f64; 2],
    }

    #[derive(Deserialize)]
    struct Step {
        rate: f64,
        parts: Vec<Asked>,
    }

    #[derive(Deserialize)]
    struct Asked {
        head: usize,
        rows: Vec<usize>,
        weight: f64,
    }

    /// Takes the steps of the golden file; what came out, and what was expected.
    fn follow<T: Real>(golden: &Golden) -> (Vec<f64>, Vec<f64>) {
        let (n, d) = (golden.features.len(), golden.features[0].len());
        let x = Array2::from_shape_fn((n, d), |(i, j)| T::of(golden.features[i][j]));
        let shape = Shape { columns: d, rank: golden.rank, width: golden.width };
        let start = golden.start.iter().map(|p| T::of(*p)).collect();
        let mut student = Student::new(x.view(), shape, start, Loss::CrossEntropy, 2 * n);
        for step in &golden.steps {
            let mut rows: Vec<usize> = Vec::new();
            let mut parts = Vec::new();
            for asked in &step.parts {
                if rows != asked.rows {
                    rows.extend(&asked.rows);
                }
                parts.push(Part {
                    head: Head::BOTH[asked.head],
                    rows: rows.len() - asked.rows.len()..rows.len(),
                    labels: asked.rows.iter().map(|row| golden.labels[asked.head][*row]).collect(),
                    weight: asked.weight,
                });
            }
            let pace = Pace { progress: 0.0, rate: step.rate, decay: golden.decay };
            student.step(&rows, &parts, pace).expect("finite");
        }
        let mut found: Vec<f64> = student.parameters.iter().map(|p| p.to_f64()).collect();
        let mut expected = golden.end.clone();
        let all: Vec<usize> = (0..n).collect();
        for head in Head::BOTH {
            let i = head.index();
            let (loss, norm) = student.objective(head, &all, &golden.labels[i], 1.0).expect("finite");
            let cross_entropy = student.cross_entropy(head, &all, &golden.labels[i]).expect("finite");
            found.extend([loss, cross_entropy, norm]);
            expected.extend([golden.losses[i], golden.losses[i], golden.gradient_norms[i]]);
        }
        (found, expected)
    }

    fn furthest((found, expected): (Vec<f64>, Vec<f64>)) -> f64 {
        assert_eq!(found.len(), expected.len());
        found.iter().zip(&expected).map(|(f, e)| (f - e).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn steps_are_those_of_pytorch() {
        let golden: Golden =
            serde_json::from_str(include_str!("../../tests/golden/trunk.json")).expect("golden file");
        assert_eq!(golden.steps.len(), 24);
        let moved = golden.start.iter().zip(&golden.end).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(moved > 0.1, "the steps lead somewhere");
        let exact = furthest(follow::<f64>(&golden));
        assert!(exact < 1e-9, "double precision is off by {exact:e}");
        let single = furthest(follow::<f32>(&golden));
        assert!(single < 1e-4, "single precision is off by {single:e}");
    }
}
