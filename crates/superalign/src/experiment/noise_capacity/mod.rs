//! Noise capacity: how well each rung learns labels of which a growing share is wrong.
//!
//! One job per rung and kind of student. Its students, one per kind of noise, ratio and seed, share the features of
//! one training part, so one sweep fits them all. Within a seed the spoiled labels are nested: a label that is wrong at
//! a ratio is wrong at every higher one. Where the noise is made by a reference, a first job per seed trains the weakest
//! rung on gold labels of a part of its own. Students on growing shares of the true labels show the other measures of
//! capacity beside it.

mod capacity;
mod students;
mod summary;

use self::students::students;
use super::score::{Said, Speaker, Truth, bootstrap, drawn, item_rows};
use super::{Experiment, Found, FoundBy, Inputs, Job, probe_config};
use crate::plan::{Plan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::{Choice, LossName, NoiseCapacity, NoiseName, StudentName};
use ndarray::{Array1, Array2, Axis};
use superalign_core::Estimate;
use superalign_data::noise::{Noise, margin_weights};
use superalign_data::world;
use superalign_learner::fit;

/// Accuracy on the training items, against the labels that were given.
pub(crate) const TRAIN_NOISY: &str = "train-accuracy-noisy";
/// Accuracy on the training items, against the true labels.
pub(crate) const TRAIN_CLEAN: &str = "train-accuracy-clean";
/// Accuracy on the held-out items, against the true labels.
pub(crate) const TEST: &str = "test-accuracy";
/// Noise-fitting capacity of a rung.
pub(crate) const CAPACITY: &str = "noise-fitting-capacity";
/// Accuracy of the reference on the training items: 1 minus the ratio at which teacher-made noise is its own.
pub(crate) const LABELS: &str = "label-accuracy";
/// Capability with all true labels.
pub(crate) const CEILING: &str = "ceiling";
/// Where the learning curve ends.
pub(crate) const ASYMPTOTE: &str = "learning-curve-asymptote";
/// 1 minus the code length of the true labels, against guessing.
pub(crate) const COMPRESSION: &str = "prequential-compression";
/// Kendall's tau-b of two measures of capacity over the rungs.
pub(crate) const AGREEMENT: &str = "rank-correlation";

/// The measures of capacity, in the order of the report.
pub(crate) const ESTIMATORS: [&str; 4] = [CEILING, ASYMPTOTE, CAPACITY, COMPRESSION];

/// The cell of the reference that makes noise.
const TEACHER: &str = "teacher";
/// The share of the groups of its part that the reference of a seed is trained on.
const RESAMPLE: f64 = 0.8;

/// A rung with a kind of student: what has a capacity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Learner<'a> {
    pub(crate) rung: &'a str,
    pub(crate) student: StudentName,
}

impl Learner<'_> {
    /// The name of its cell.
    pub(crate) fn cell(self) -> String {
        format!("model={}/student={}", self.rung, self.student.name())
    }

    /// The name of the cell of a share of the true labels.
    pub(crate) fn at(self, share: f64) -> String {
        format!("{}/share={share}", self.cell())
    }
}

/// A learner under a kind of noise: what has a curve over the ratios.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curve<'a> {
    pub(crate) learner: Learner<'a>,
    pub(crate) noise: NoiseName,
}

impl Curve<'_> {
    /// The name of the cell that sums up the curve.
    pub(crate) fn cell(self) -> String {
        format!("{}/noise={}", self.learner.cell(), self.noise.name())
    }

    /// The name of the cell of one ratio.
    pub(crate) fn at(self, ratio: f64) -> String {
        format!("{}/ratio={ratio}", self.cell())
    }
}

/// The cell of the agreement of two measures of capacity.
pub(crate) fn agreement_cell(student: StudentName, one: &str, other: &str) -> String {
    format!("student={}/{one}/{other}", student.name())
}

impl Experiment for NoiseCapacity {
    fn parts(&self) -> Vec<Wanted> {
        let part = |name, role, part, items| Wanted { name, role, part, items, objective: None };
        let mut parts = vec![
            part("train", "spoiled labels train every student", world::Part::Student, self.train),
            part("test", "clean labels test every student", world::Part::Test, self.test),
        ];
        if self.needs_teacher() {
            let role = "gold labels train the reference that makes noise";
            parts.push(part("teacher", role, world::Part::Teacher, self.teacher));
        }
        parts
    }

    fn cells(&self, rungs: usize) -> usize {
        let learner = self.noise.len() * self.ratio.len() + self.share.len();
        rungs * self.student.len() * learner + usize::from(self.needs_teacher())
    }

    fn check(&self, plan: &Plan) -> Result<(), String> {
        let rank = plan.learner.trunk.rank;
        let narrow = plan.rungs.iter().find(|r| r.model.width < rank);
        match narrow.filter(|_| self.student.contains(&StudentName::Trunk)) {
            None => Ok(()),
            Some(rung) => Err(format!(
                "`learner.trunk.rank` is out of range: {rank}\n help: the valid range of `rank` is 1 to {}, the number \
                 of features of {}",
                rung.model.width, rung.name
            )),
        }
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        let teacher = |&seed: &u64| Job { name: format!("{TEACHER}/seed={seed}"), rung: 0, seed: Some(seed) };
        let mut learners = Vec::new();
        for (rung, r) in plan.rungs.iter().enumerate() {
            let name = |&student: &StudentName| Learner { rung: &r.name, student }.cell();
            learners.extend(self.student.iter().map(|s| Job { name: name(s), rung, seed: None }));
        }
        let mut stages = vec![learners];
        if self.needs_teacher() {
            stages.insert(0, plan.seeds.iter().map(teacher).collect());
        }
        stages
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
        if let Some(seed) = job.seed {
            return teach(job, seed, inputs);
        }
        let rung = &inputs.plan.rungs[job.rung].name;
        let own = |&student: &StudentName| Some(Learner { rung, student }).filter(|l| l.cell() == job.name);
        let Some(learner) = self.student.iter().find_map(own) else { return Found::default() };
        let mut found = learn(job, self, learner, inputs, earlier);
        let shares = capacity::learn(job, self, learner, inputs);
        found.rows.extend(shares.rows);
        found.items.extend(shares.items);
        found
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        summary::summarise(self, inputs, found)
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::noise_capacity::findings(plan, self, numbers)
    }
}

/// The reference of a seed: what it says about the training items.
fn teach(job: &Job, seed: u64, inputs: &Inputs<'_>) -> Found {
    let plan = inputs.plan;
    let said = || -> Result<_, String> {
        let (own, train) = (Truth::of(inputs.parts, "teacher")?, Truth::of(inputs.parts, "train")?);
        let features = &inputs.features[job.rung];
        let drawn = drawn(&own, RESAMPLE, plan.seed(seed, "teacher"))?;
        let gold: Array1<f64> = drawn.iter().map(|&i| f64::from(own.taught()[i])).collect();
        let x = features.part("teacher")?.select(Axis(0), &drawn);
        let probe =
            fit(x.view(), gold.view(), &probe_config(plan, LossName::Xent)).map_err(|e| e.to_string())?;
        let said = probe.probabilities(features.part("train")?).map_err(|e| e.to_string())?.to_vec();
        Ok((said, train))
    };
    match said() {
        Err(why) => {
            let row = Row::new(TEACHER, Some(seed), LABELS, "share", 0, Err::<Estimate, _>(why));
            Found { rows: vec![row], items: Vec::new() }
        }
        Ok((said, train)) => {
            let interval = bootstrap(plan, &format!("{TEACHER}/{LABELS}/{seed}"));
            let outcome = superalign_gap::capability(&train.correct(&said), Some(&train.groups), &interval);
            let speaker = Speaker { model: &plan.rungs[job.rung].name, signal: TEACHER, seed };
            Found {
                rows: vec![Row::new(TEACHER, Some(seed), LABELS, "share", said.len(), outcome)],
                items: item_rows(&speaker, train.part, &said, |_| None),
            }
        }
    }
}

/// The order in which the training labels of a seed go wrong.
fn noise(
    kind: NoiseName,
    design: &NoiseCapacity,
    plan: &Plan,
    gold: &[bool],
    seed: u64,
    said: &Said,
) -> Result<Noise, String> {
    let own = plan.seed(seed, "noise");
    let teacher = || said.about(TEACHER, seed, "train");
    match kind {
        NoiseName::Uniform => Ok(Noise::uniform(gold.len(), own)),
        NoiseName::ClassConditional => {
            Noise::class_conditional(gold, design.class_weights, own).map_err(|e| e.to_string())
        }
        NoiseName::InstanceDependent => {
            Noise::instance_dependent(&margin_weights(teacher()?), own).map_err(|e| e.to_string())
        }
        NoiseName::TeacherMade => Noise::teacher_made(gold, teacher()?, own).map_err(|e| e.to_string()),
    }
}

/// A point of the grid of one learner.
type Point = (NoiseName, u64, f64);

/// A rung as student of every noisy signal.
fn learn(
    job: &Job,
    design: &NoiseCapacity,
    learner: Learner<'_>,
    inputs: &Inputs<'_>,
    earlier: &FoundBy,
) -> Found {
    let plan = inputs.plan;
    let mut found = Found::default();
    let mut grid: Vec<Point> = Vec::new();
    for &kind in &design.noise {
        for &seed in &plan.seeds {
            grid.extend(design.ratio.iter().map(|&ratio| (kind, seed, ratio)));
        }
    }
    let cell = |(noise, _, ratio): Point| Curve { learner, noise }.at(ratio);
    let fail = |found: &mut Found, at: Point, n: usize, why: &str| {
        for metric in [TRAIN_NOISY, TRAIN_CLEAN, TEST] {
            found.rows.push(Row::new(cell(at), Some(at.1), metric, "share", n, Err(why)));
        }
    };
    let features = &inputs.features[job.rung];
    let material = || -> Result<_, String> {
        let (train, test) = (Truth::of(inputs.parts, "train")?, Truth::of(inputs.parts, "test")?);
        Ok((train, test, features.part("train")?, features.part("test")?))
    };
    let (train, test, train_x, test_x) = match material() {
        Ok(material) => material,
        Err(why) => {
            grid.iter().for_each(|&at| fail(&mut found, at, 0, &why));
            return found;
        }
    };
    let said = Said::read(earlier);
    let mut problems: Vec<(Point, Vec<bool>)> = Vec::new();
    for &at in &grid {
        let (kind, seed, ratio) = at;
        let labels = noise(kind, design, plan, train.taught(), seed, &said)
            .and_then(|noise| noise.flip(train.taught(), ratio).map_err(|e| e.to_string()));
        match labels {
            Ok(labels) => problems.push((at, labels)),
            Err(why) => fail(&mut found, at, train.len(), &why),
        }
    }
    let soft = Array2::from_shape_fn((train.len(), problems.len()), |(i, k)| f64::from(problems[k].1[i]));
    let seeds: Vec<_> = problems.iter().map(|((_, seed, _), _)| plan.seed(*seed, "student")).collect();
    let said = students(learner.student, plan, train_x, &soft, &seeds, &[train_x, test_x]);
    for ((at, noisy), said) in problems.iter().zip(said) {
        let seed = at.1;
        let said = match said {
            Ok(said) => said,
            Err(why) => {
                fail(&mut found, *at, train.len(), &why);
                continue;
            }
        };
        let (on_train, on_test) = (&said[0], &said[1]);
        let name = cell(*at);
        let fits: Vec<bool> = on_train.iter().zip(noisy).map(|(p, y)| (*p >= 0.5) == *y).collect();
        let mut push = |metric: &str, correct: &[bool], groups: &[u32]| {
            let interval = bootstrap(plan, &format!("{name}/{metric}/{seed}"));
            let outcome = superalign_gap::capability(correct, Some(groups), &interval);
            found.rows.push(Row::new(&*name, Some(seed), metric, "share", correct.len(), outcome));
        };
        push(TRAIN_NOISY, &fits, &train.groups);
        push(TRAIN_CLEAN, &train.correct(on_train), &train.groups);
        push(TEST, &test.correct(on_test), &test.groups);
        let speaker = Speaker { model: learner.rung, signal: &name, seed };
        found.items.extend(item_rows(&speaker, train.part, on_train, |i| Some(f64::from(noisy[i]))));
        found.items.extend(item_rows(&speaker, test.part, on_test, |_| None));
    }
    found
}
