//! Noise capacity: how well each rung learns labels of which a growing share is wrong.
//!
//! One job per rung. Its students, one per kind of noise, ratio and seed, share the features of one training part,
//! so one sweep fits them all. Within a seed the spoiled labels are nested: a label that is wrong at a ratio is
//! wrong at every higher one. Where the noise is made by a reference, a first job per seed trains the weakest rung on
//! gold labels of a part of its own.

use super::score::{Said, Speaker, Truth, bootstrap, drawn, item_rows};
use super::{Experiment, Found, FoundBy, Inputs, Job, probe_config};
use crate::plan::{Plan, RungPlan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::{Choice, LossName, NoiseCapacity, NoiseName};
use ndarray::{Array1, Array2, Axis};
use superalign_core::Estimate;
use superalign_data::noise::{Noise, margin_weights};
use superalign_data::world;
use superalign_learner::{fit, fit_sweep};

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

/// The cell of the reference that makes noise.
const TEACHER: &str = "teacher";
/// The share of the groups of its part that the reference of a seed is trained on.
const RESAMPLE: f64 = 0.8;

/// A rung under a kind of noise: what has a curve over the ratios.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curve<'a> {
    pub(crate) rung: &'a str,
    pub(crate) noise: NoiseName,
}

impl Curve<'_> {
    /// The name of the cell that sums up the curve.
    pub(crate) fn cell(self) -> String {
        format!("model={}/noise={}", self.rung, self.noise.name())
    }

    /// The name of the cell of one ratio.
    pub(crate) fn at(self, ratio: f64) -> String {
        format!("{}/ratio={ratio}", self.cell())
    }
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
        rungs * self.noise.len() * self.ratio.len() + usize::from(self.needs_teacher())
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        let rung =
            |(rung, r): (usize, &RungPlan)| Job { name: format!("model={}", r.name), rung, seed: None };
        let teacher = |&seed: &u64| Job { name: format!("{TEACHER}/seed={seed}"), rung: 0, seed: Some(seed) };
        let mut stages = vec![plan.rungs.iter().enumerate().map(rung).collect()];
        if self.needs_teacher() {
            stages.insert(0, plan.seeds.iter().map(teacher).collect());
        }
        stages
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
        match job.seed {
            Some(seed) => teach(job, seed, inputs),
            None => learn(job, self, inputs, earlier),
        }
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        summarise(self, inputs, found)
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
        let gold: Array1<f64> = drawn.iter().map(|&i| f64::from(own.gold[i])).collect();
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

/// A point of the grid of one rung.
type Point = (NoiseName, u64, f64);

/// A rung as student of every noisy signal.
fn learn(job: &Job, design: &NoiseCapacity, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
    let plan = inputs.plan;
    let rung = &plan.rungs[job.rung].name;
    let mut found = Found::default();
    let mut grid: Vec<Point> = Vec::new();
    for &kind in &design.noise {
        for &seed in &plan.seeds {
            grid.extend(design.ratio.iter().map(|&ratio| (kind, seed, ratio)));
        }
    }
    let cell = |(noise, _, ratio): Point| Curve { rung, noise }.at(ratio);
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
        let labels = noise(kind, design, plan, &train.gold, seed, &said)
            .and_then(|noise| noise.flip(&train.gold, ratio).map_err(|e| e.to_string()));
        match labels {
            Ok(labels) => problems.push((at, labels)),
            Err(why) => fail(&mut found, at, train.gold.len(), &why),
        }
    }
    let soft =
        Array2::from_shape_fn((train.gold.len(), problems.len()), |(i, k)| f64::from(problems[k].1[i]));
    let probes = fit_sweep(train_x, soft.view(), &probe_config(plan, LossName::Xent));
    for ((at, noisy), probe) in problems.iter().zip(probes) {
        let seed = at.1;
        let said = probe.and_then(|p| Ok((p.probabilities(train_x)?, p.probabilities(test_x)?)));
        let (on_train, on_test) = match said {
            Ok((on_train, on_test)) => (on_train.to_vec(), on_test.to_vec()),
            Err(why) => {
                fail(&mut found, *at, train.gold.len(), &why.to_string());
                continue;
            }
        };
        let name = cell(*at);
        let fits: Vec<bool> = on_train.iter().zip(noisy).map(|(p, y)| (*p >= 0.5) == *y).collect();
        let mut push = |metric: &str, correct: &[bool], groups: &[u32]| {
            let interval = bootstrap(plan, &format!("{name}/{metric}/{seed}"));
            let outcome = superalign_gap::capability(correct, Some(groups), &interval);
            found.rows.push(Row::new(&*name, Some(seed), metric, "share", correct.len(), outcome));
        };
        push(TRAIN_NOISY, &fits, &train.groups);
        push(TRAIN_CLEAN, &train.correct(&on_train), &train.groups);
        push(TEST, &test.correct(&on_test), &test.groups);
        let speaker = Speaker { model: rung, signal: &name, seed };
        found.items.extend(item_rows(&speaker, train.part, &on_train, |i| Some(f64::from(noisy[i]))));
        found.items.extend(item_rows(&speaker, test.part, &on_test, |_| None));
    }
    found
}

fn summarise(design: &NoiseCapacity, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    let plan = inputs.plan;
    let (Ok(train), Ok(test)) = (Truth::of(inputs.parts, "train"), Truth::of(inputs.parts, "test")) else {
        return Vec::new();
    };
    let said = Said::read(found);
    let mut rows = Vec::new();
    let mut push = |cell: &str, metric: &str, correct: &Result<Array2<bool>, String>, truth: &Truth<'_>| {
        let interval = bootstrap(plan, &format!("{cell}/{metric}"));
        let outcome = correct.as_ref().map_err(Clone::clone).and_then(|correct| {
            superalign_gap::capability_over_seeds(correct.view(), Some(&truth.groups), &interval)
                .map_err(|e| e.to_string())
        });
        rows.push(Row::new(cell, None, metric, "share", truth.gold.len(), outcome));
    };
    if design.needs_teacher() {
        let labels = said.by_seed(TEACHER, &plan.seeds, "train").map(|said| train.correct_by_seed(&said));
        push(TEACHER, LABELS, &labels, &train);
    }
    let mut capacities = Vec::new();
    for rung in &plan.rungs {
        for &kind in &design.noise {
            let noises: Result<Vec<Noise>, String> =
                plan.seeds.iter().map(|&seed| noise(kind, design, plan, &train.gold, seed, &said)).collect();
            let curve = Curve { rung: &rung.name, noise: kind };
            let mut fits_by_ratio = Vec::new();
            for &ratio in &design.ratio {
                let name = curve.at(ratio);
                let on = |part: &str| said.by_seed(&name, &plan.seeds, part);
                let fits = on("train").and_then(|by_seed| {
                    let noises = noises.as_ref().map_err(Clone::clone)?;
                    let noisy = noises.iter().map(|noise| noise.flip(&train.gold, ratio));
                    let noisy: Vec<Vec<bool>> = noisy.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
                    let shape = (plan.seeds.len(), train.gold.len());
                    Ok(Array2::from_shape_fn(shape, |(s, i)| (by_seed[s][i] >= 0.5) == noisy[s][i]))
                });
                push(&name, TRAIN_NOISY, &fits, &train);
                let clean = on("train").map(|by_seed| train.correct_by_seed(&by_seed));
                push(&name, TRAIN_CLEAN, &clean, &train);
                push(&name, TEST, &on("test").map(|by_seed| test.correct_by_seed(&by_seed)), &test);
                fits_by_ratio.push(fits);
            }
            let name = curve.cell();
            let interval = bootstrap(plan, &format!("{name}/{CAPACITY}"));
            let outcome = fits_by_ratio.into_iter().collect::<Result<Vec<_>, _>>().and_then(|fits| {
                superalign_gap::noise_fitting_capacity(&design.ratio, &fits, Some(&train.groups), &interval)
                    .map_err(|e| e.to_string())
            });
            capacities.push(Row::new(name, None, CAPACITY, "share", train.gold.len(), outcome));
        }
    }
    rows.extend(capacities);
    rows
}
