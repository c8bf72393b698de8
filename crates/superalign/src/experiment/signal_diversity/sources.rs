//! The sources of a rung: probes of gold labels of the teacher part, and its own verdicts.

use super::{LABELS, SourceName, VERDICTS, source_cell};
use crate::experiment::score::{Speaker, Truth, bootstrap, drawn, item_rows};
use crate::experiment::{Found, Inputs, Job, probe_config};
use crate::record::Row;
use crate::spec::{LossName, SignalDiversity};
use ndarray::{Array1, ArrayView2, Axis};
use superalign_core::{Estimate, below};
use superalign_learner::fit;
use superalign_paradigm::weak_to_strong::{Teacher, Turn, teach, zero_shot};
use superalign_paradigm::{Paradigm, Signal, Source};

/// What the sources of a rung say of the student part, and how right the teachers are.
pub(super) fn run(design: &SignalDiversity, job: &Job, inputs: &Inputs<'_>) -> Found {
    let mut found = Found::default();
    let own = design.sources(inputs.plan.rungs.len()).into_iter().filter(|source| source.rung() == job.rung);
    for name in own {
        let cell = source_cell(name, inputs.plan);
        let seed = job.seed.unwrap_or_default();
        match votes(design, name, seed, inputs) {
            Ok(signal) => record(&mut found, &cell, &signal, job, inputs),
            Err(why) => {
                found.rows.push(Row::new(cell, Some(seed), LABELS, "share", 0, Err::<Estimate, _>(why)));
            }
        }
    }
    found
}

fn record(found: &mut Found, cell: &str, signal: &Signal, job: &Job, inputs: &Inputs<'_>) {
    let seed = job.seed.unwrap_or_default();
    let Ok(student) = Truth::of(inputs.parts, "student") else { return };
    let said = signal.labels().to_vec();
    let interval = bootstrap(inputs.plan, &format!("{cell}/{LABELS}/{seed}"));
    let outcome = superalign_gap::capability(&student.correct(&said), Some(&student.groups), &interval);
    found.rows.push(Row::new(cell, Some(seed), LABELS, "share", student.len(), outcome));
    let speaker = Speaker { model: &inputs.plan.rungs[job.rung].name, signal: cell, seed };
    found.items.extend(item_rows(&speaker, student.part, &said, |_| None));
}

/// The votes of a source on the student part.
fn votes(
    design: &SignalDiversity,
    name: SourceName,
    seed: u64,
    inputs: &Inputs<'_>,
) -> Result<Signal, String> {
    let plan = inputs.plan;
    let (teacher, student) = (Truth::of(inputs.parts, "teacher")?, Truth::of(inputs.parts, "student")?);
    let features = &inputs.features[name.rung()];
    let items: Vec<String> = student.part.items.iter().map(|item| item.id.clone()).collect();
    let cell = source_cell(name, plan);
    let source = Source {
        seed: Some(seed),
        ..Source::new(&cell, Paradigm::WeakToStrong, &plan.rungs[name.rung()].name)
    };
    if let SourceName::Verdict(_) = name {
        return zero_shot(items, source, features.answers(VERDICTS)?, Turn::Median)
            .map_err(|e| e.to_string());
    }
    // Bags are other draws of the same gold labels; all else learns from the seed's own draw.
    let draw = match name {
        SourceName::Bag(_, bag) => plan.seed(seed, "bag").nth(bag as u64),
        _ => plan.seed(seed, "teacher"),
    };
    let drawn = drawn(&teacher, design.resample, draw)?;
    let columns = match name {
        SourceName::Subspace(_, share) => {
            let width = features.part("teacher")?.ncols();
            subspace(width, design.members, share, plan.seed(seed, "subspaces"))?
        }
        _ => (0..features.part("teacher")?.ncols()).collect(),
    };
    let seen = |x: ArrayView2<'_, f32>| x.select(Axis(1), &columns);
    let x = seen(features.part("teacher")?).select(Axis(0), &drawn);
    let gold: Array1<f64> = drawn.iter().map(|&i| f64::from(teacher.taught()[i])).collect();
    let probe = fit(x.view(), gold.view(), &probe_config(plan, LossName::Xent)).map_err(|e| e.to_string())?;
    let x = seen(features.part("student")?);
    teach(items, &[Teacher { source, probe: &probe, features: x.view() }]).map_err(|e| e.to_string())
}

/// One of `shares` disjoint shares of the columns, as even as can be, in an order drawn from the seed.
fn subspace(
    width: usize,
    shares: usize,
    share: usize,
    seed: superalign_core::Seed,
) -> Result<Vec<usize>, String> {
    let mut order: Vec<usize> = (0..width).collect();
    let mut rng = seed.rng();
    for i in (1..width).rev() {
        order.swap(i, below(&mut rng, i + 1));
    }
    let mut own: Vec<usize> = order.into_iter().skip(share).step_by(shares).collect();
    own.sort_unstable();
    if own.is_empty() { Err(format!("{width} features make no {shares} subspaces")) } else { Ok(own) }
}
