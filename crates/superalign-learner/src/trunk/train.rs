//! Training: many trunks on shared features, each on its own labels and seed.

use super::items::Material;
use super::model::check;
use super::stopping::{Split, shuffle};
use super::student::{Pace, Part, Student};
use super::{Head, ObjectiveFit, Phase, Stopping, Trunk, TrunkConfig, TrunkFit, TrunkItems, TrunkProblem};
use crate::LearnerError;
use crate::matrix::each;
use superalign_core::Seed;

/// Trains one trunk per problem on shared items, all with the same configuration.
///
/// Features are scaled once, over all items together. Each trunk starts from random weights ([`Trunk::initial`]) or
/// goes on from [`TrunkProblem::start`] (which first is written for the new scaling, the same function of the
/// features), and takes `config.steps` steps of AdamW (beta 0.9 and 0.999, epsilon 1e-8, decoupled decay), each down
/// the mean loss over a mini-batch of what [`super::Plan::phases`] says is its turn:
///
/// ```text
/// competence: L_c      conformity: L_v      both: weight L_c + (1 - weight) L_v
/// ```
///
/// Mini-batches walk through a random order of an objective's rows, drawn anew each time round. That order depends on
/// the seed alone, so plans see the same batches at the same turns. Steps on both objectives use `config.batch` labels
/// of each: plans are equal in gradient steps, not in labels read ([`TrunkFit::labels_read`]). A head that takes no
/// part in a step does not move in it.
///
/// The bytes of the answer depend on the inputs and the processor's instruction set, not on the number of threads.
/// Memory: one copy of the features, and per problem its parameters (five times) and a few mini-batches.
///
/// # Errors
/// For all problems alike: a setting outside its range, a rank above the number of columns, features that are not
/// finite or too few, objectives with different columns, groups that are too few. For a problem alone: labels that the
/// plan needs and that are absent, too few or outside [0, 1], a start of another shape, groups that cannot be held
/// out, divergence.
///
/// ```
/// use ndarray::array;
/// use superalign_core::Seed;
/// use superalign_learner::{Head, Items, TrunkConfig, TrunkItems, TrunkProblem, fit_trunks};
/// // Competence is an exclusive or, which no linear student can learn; conformity is the first column.
/// let features = array![[-1.0_f32, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]];
/// let (competence, conformity) = (array![0.0, 1.0, 1.0, 0.0], array![0.0, 0.0, 1.0, 1.0]);
/// let problem = TrunkProblem {
///     competence: Some(competence.view()),
///     conformity: Some(conformity.view()),
///     seed: Seed::new(1),
///     start: None,
/// };
/// let config = TrunkConfig { rank: 2, width: 32, steps: 300, ..TrunkConfig::default() };
/// let items = TrunkItems::Shared(Items::new(features.view()));
/// let trunk = fit_trunks(&items, &[problem], &config).remove(0)?;
/// let p = trunk.probabilities(features.view(), Head::Competence)?;
/// assert!(p[0] < 0.2 && p[1] > 0.8 && p[2] > 0.8 && p[3] < 0.2, "{p}");
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
#[must_use]
pub fn fit_trunks(
    items: &TrunkItems<'_>,
    problems: &[TrunkProblem<'_>],
    config: &TrunkConfig,
) -> Vec<Result<Trunk, LearnerError>> {
    let shared = config.check().and_then(|()| Material::new(items, config.scaling)).and_then(|material| {
        check(material.x.ncols(), config.rank, config.width)?;
        Ok((material, config.plan.phases(config.steps)?))
    });
    match shared {
        Err(error) => vec![Err(error); problems.len()],
        Ok((material, phases)) => {
            let mut trunks: Vec<Option<Result<Trunk, LearnerError>>> = vec![None; problems.len()];
            each(trunks.iter_mut().zip(problems).enumerate().collect(), |(number, (to, problem))| {
                let run = Run { material: &material, phases: &phases, config, problem, number };
                *to = Some(run.train());
            });
            trunks.into_iter().flatten().collect()
        }
    }
}

/// One problem and what it shares with the others.
struct Run<'a, 'p> {
    material: &'a Material,
    phases: &'a [Phase],
    config: &'a TrunkConfig,
    problem: &'a TrunkProblem<'p>,
    number: usize,
}

impl Run<'_, '_> {
    fn train(&self) -> Result<Trunk, LearnerError> {
        let (config, material, seed) = (self.config, self.material, self.problem.seed);
        let heads: Vec<Head> = Head::BOTH.into_iter().filter(|head| config.plan.trains(*head)).collect();
        let mut labels = [Vec::new(), Vec::new()];
        for head in &heads {
            let rows = material.rows[head.index()].len();
            if rows < crate::MINIMUM_ROWS {
                let expected = crate::MINIMUM_ROWS;
                return Err(LearnerError::TooFewRows {
                    what: "items of an objective",
                    expected,
                    found: rows,
                });
            }
            labels[head.index()] = self.problem.labels(*head, rows, self.number)?.to_vec();
        }
        let split = match config.stopping {
            Stopping::None => Split::all(material, &heads),
            Stopping::Supervisor { share, .. } => {
                Split::held_out(material, &heads, share, seed.named("held-out"))?
            }
        };
        let start = self.start()?;
        let mut student = Student::new(
            material.x.view(),
            start.shape(),
            start.parameters(),
            config.loss,
            2 * config.batch.min(material.x.nrows()),
        );
        let labels = Labels { material, labels };
        let mut fit = self.descend(&mut student, &split, &labels, &heads)?;
        for head in heads {
            let rows = &split.training[head.index()];
            let result = student.objective(head, rows, &labels.of(head, rows), 1.0);
            let (loss, gradient_norm) = result.map_err(|error| self.diverged(error, fit.steps))?;
            let held_out = &split.held_out[head.index()];
            let held_out = if held_out.is_empty() {
                None
            } else {
                Some(student.cross_entropy(head, held_out, &labels.of(head, held_out))?)
            };
            let ended = Some(ObjectiveFit { loss, gradient_norm, held_out });
            match head {
                Head::Competence => fit.competence = ended,
                Head::Conformity => fit.conformity = ended,
            }
        }
        if student.parameters.iter().any(|p| !p.is_finite()) {
            return Err(LearnerError::Diverged { problem: self.number, step: fit.steps });
        }
        Ok(start.with_parameters(&student.parameters, fit))
    }

    /// Takes the steps, and leaves the student at the weights to keep.
    fn descend(
        &self,
        student: &mut Student<'_, f32>,
        split: &Split,
        labels: &Labels<'_>,
        heads: &[Head],
    ) -> Result<TrunkFit, LearnerError> {
        let config = self.config;
        let steps = self.phases.len();
        let mut batches = Batches::new(split, labels, config.batch, self.problem.seed.named("order"));
        let mut trained = [false; 2];
        let mut best = Best { loss: f64::INFINITY, at: 0, parameters: Vec::new(), waited: 0 };
        let mut fit = TrunkFit::default();
        for (step, &phase) in self.phases.iter().enumerate() {
            let (rows, parts) = batches.next(phase);
            let pace = Pace {
                progress: step as f64 / steps as f64,
                rate: config.learning_rate * config.rate.factor(step, steps),
                decay: config.decay,
            };
            student.step(&rows, &parts, pace).map_err(|error| self.diverged(error, step))?;
            fit.steps = step + 1;
            fit.labels_read += parts.iter().map(|part| part.labels.len()).sum::<usize>();
            parts.iter().for_each(|part| trained[part.head.index()] = true);
            let Stopping::Supervisor { patience, every, .. } = config.stopping else { continue };
            let due = fit.steps.is_multiple_of(every) || fit.steps == steps;
            if !due || heads.iter().any(|head| !trained[head.index()]) {
                continue;
            }
            let mut loss = 0.0;
            for head in heads {
                let rows = &split.held_out[head.index()];
                let measured = student.cross_entropy(*head, rows, &labels.of(*head, rows));
                loss += measured.map_err(|error| self.diverged(error, step))?;
            }
            best.waited += 1;
            if loss < best.loss {
                best = Best { loss, at: fit.steps, parameters: student.parameters.clone(), waited: 0 };
            }
            if best.waited >= patience && fit.steps < steps {
                fit.stopped_at = Some(fit.steps);
                break;
            }
        }
        fit.kept_at = fit.steps;
        if !best.parameters.is_empty() {
            fit.kept_at = best.at;
            student.parameters = best.parameters;
        }
        Ok(fit)
    }

    /// The trunk to start from, written for the scaling of the material.
    fn start(&self) -> Result<Trunk, LearnerError> {
        let (config, material) = (self.config, self.material);
        let columns = material.x.ncols();
        let Some(start) = self.problem.start else {
            let seed = self.problem.seed.named("weights");
            let unscaled = Trunk::initial(columns, config.rank, config.width, seed)?;
            let mut weights = unscaled.weights().clone();
            weights.mean = material.mean.clone().into();
            weights.scale = material.scale.clone().into();
            return Trunk::new(weights);
        };
        let shape = start.shape();
        for (what, found, expected) in [
            ("number of columns of the start", shape.columns, columns),
            ("rank of the start", shape.rank, config.rank),
            ("width of the start", shape.width, config.width),
        ] {
            if found != expected {
                return Err(LearnerError::TrunkShape { what, expected, found });
            }
        }
        Ok(start.rescaled(&material.mean, &material.scale))
    }

    fn diverged(&self, error: LearnerError, step: usize) -> LearnerError {
        match error {
            LearnerError::Logit { .. } => LearnerError::Diverged { problem: self.number, step },
            other => other,
        }
    }
}

/// The best weights so far, by the labels held out.
struct Best {
    loss: f64,
    at: usize,
    parameters: Vec<f32>,
    /// Measurements since that were no better.
    waited: usize,
}

/// The labels of both objectives, found by rows of the material.
struct Labels<'a> {
    material: &'a Material,
    labels: [Vec<f64>; 2],
}

impl Labels<'_> {
    fn of(&self, head: Head, rows: &[usize]) -> Vec<f64> {
        let first = self.material.rows[head.index()].start;
        rows.iter().map(|row| self.labels[head.index()][row - first]).collect()
    }
}

/// The mini-batches of both objectives.
struct Batches<'a> {
    labels: &'a Labels<'a>,
    orders: [Order; 2],
    batch: usize,
}

impl<'a> Batches<'a> {
    fn new(split: &Split, labels: &'a Labels<'a>, batch: usize, seed: Seed) -> Self {
        let order = |head: Head| Order {
            rows: split.training[head.index()].clone(),
            seed: seed.named(match head {
                Head::Competence => "competence",
                Head::Conformity => "conformity",
            }),
            next: 0,
            rounds: 0,
        };
        Self { labels, orders: Head::BOTH.map(order), batch }
    }

    /// Rows of a step, and what it asks of them.
    fn next(&mut self, phase: Phase) -> (Vec<usize>, Vec<Part>) {
        let [competence, conformity] = &self.labels.material.rows;
        let together = competence == conformity;
        let mut rows = Vec::with_capacity(2 * self.batch);
        let mut parts: Vec<Part> = Vec::with_capacity(2);
        for head in Head::BOTH {
            let Some(weight) = phase.weight(head) else { continue };
            let range = match parts.first() {
                Some(first) if together => first.rows.clone(),
                _ => {
                    let start = rows.len();
                    self.orders[head.index()].take(self.batch, &mut rows);
                    start..rows.len()
                }
            };
            let labels = self.labels.of(head, &rows[range.clone()]);
            parts.push(Part { head, rows: range, labels, weight });
        }
        (rows, parts)
    }
}

/// A walk through rows in random order, again and again.
struct Order {
    rows: Vec<usize>,
    seed: Seed,
    next: usize,
    rounds: u64,
}

impl Order {
    /// The next rows: as many as a batch has, or all there are.
    fn take(&mut self, batch: usize, to: &mut Vec<usize>) {
        for _ in 0..batch.min(self.rows.len()) {
            if self.next == 0 {
                shuffle(&mut self.rows, self.seed.nth(self.rounds));
                self.rounds += 1;
            }
            to.push(self.rows[self.next]);
            self.next = (self.next + 1) % self.rows.len();
        }
    }
}
