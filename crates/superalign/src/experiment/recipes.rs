//! Recipes of weak-to-strong generalization: what can happen between a teacher's labels and the student.
//!
//! The labels are those that the teachers wrote down in the first stage; the functions that change them are those of
//! `superalign_paradigm::weak_to_strong`. A recipe that would be the direct one for some pair (no rung between the two, no
//! weaker teacher to agree with) has no cell there.

use super::features::verdicts_on;
use super::score::{Said, Speaker, Truth, item_rows};
use super::transfer::{Context, TEST};
use super::weak_to_strong::teacher_cell;
use super::{Found, FoundBy, Questions, probe_config};
use crate::plan::Part;
use crate::spec::{Choice, LossName, RecipeName, WeakToStrong};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use superalign_data::world::COMPETENCE_VERDICTS;
use superalign_learner::{Probe, fit};
use superalign_paradigm::weak_to_strong::{
    Balance, Rung, SelfTraining, Turn, agreed, climb, confident, pairs, self_train, zero_shot,
};
use superalign_paradigm::{Paradigm, Signal, Source};

/// The share of the items that filters keep.
const KEEP: f64 = 0.5;
/// Rounds of self-training.
const ROUNDS: usize = 2;

/// The likelihoods of verdicts on the test part.
const VERDICTS: &str = "verdicts";

/// The cell of a pair and a recipe other than `direct`.
pub(crate) fn recipe_cell(teacher: &str, student: &str, recipe: RecipeName) -> String {
    format!("teacher={teacher}/student={student}/recipe={}", recipe.name())
}

/// The cell of a rung that nobody supervises.
pub(crate) fn zero_shot_cell(rung: &str) -> String {
    format!("zero-shot={rung}")
}

/// The name of a recipe.
pub(crate) fn recipe_name(recipe: RecipeName) -> &'static str {
    recipe.name()
}

/// The recipes with a teacher, but the direct one.
pub(crate) fn taught(design: &WeakToStrong) -> impl Iterator<Item = RecipeName> {
    let recipes = design.recipe.iter().copied();
    recipes.filter(|recipe| !matches!(recipe, RecipeName::Direct | RecipeName::ZeroShot))
}

/// Whether a recipe differs from the direct one for this pair of rungs, by their places.
pub(crate) fn differs(recipe: RecipeName, teacher: usize, student: usize) -> bool {
    match recipe {
        RecipeName::Direct | RecipeName::ZeroShot => false,
        RecipeName::Bootstrapped => student > teacher + 1,
        RecipeName::AgreementFilter => teacher > 0,
        RecipeName::ConfidenceFilter | RecipeName::SelfTraining => true,
    }
}

/// The cells of a ladder, for one seed.
pub(super) fn cells(design: &WeakToStrong, rungs: usize) -> usize {
    let of = |recipe: RecipeName| pairs(rungs).filter(|&(i, j)| differs(recipe, i, j)).count();
    let alone = if design.recipe.contains(&RecipeName::ZeroShot) { rungs } else { 0 };
    taught(design).map(of).sum::<usize>() + alone
}

/// What the recipes ask the models.
pub(super) fn questions(design: &WeakToStrong, parts: &[Part]) -> Questions {
    let asks = design.recipe.contains(&RecipeName::ZeroShot);
    let test = parts.iter().find(|part| part.name == "test").filter(|_| asks);
    test.map(|part| (VERDICTS, verdicts_on(part, COMPETENCE_VERDICTS))).into_iter().collect()
}

/// The job's rung as student of every recipe and teacher.
pub(super) fn run(design: &WeakToStrong, context: &Context<'_>, earlier: &FoundBy) -> Found {
    let mut found = Found::default();
    let lesson = Lesson::read(design, context, earlier);
    for recipe in taught(design) {
        for teacher in (0..=context.rung).filter(|&teacher| differs(recipe, teacher, context.rung)) {
            let cell = recipe_cell(&context.inputs.plan.rungs[teacher].name, context.rung(), recipe);
            let said = lesson.as_ref().map_err(Clone::clone).and_then(|lesson| {
                let probe = lesson.learn(recipe, teacher)?;
                let said = probe.probabilities(context.features("test")?).map_err(|e| e.to_string())?;
                Ok(said.to_vec())
            });
            record(&mut found, context, &cell, said.as_deref());
        }
    }
    if design.recipe.contains(&RecipeName::ZeroShot) {
        record(&mut found, context, &zero_shot_cell(context.rung()), alone(context).as_deref());
    }
    found
}

fn record(found: &mut Found, context: &Context<'_>, cell: &str, said: Result<&[f64], &String>) {
    let test = match context.truth("test") {
        Ok(test) => test,
        Err(why) => return found.rows.extend(context.failed(&[cell], &why).rows),
    };
    let said = said.map_err(String::as_str);
    found.rows.push(context.accuracy(cell, TEST, &test, said));
    if let Ok(said) = said {
        let speaker = Speaker { model: context.rung(), signal: cell, seed: context.seed };
        found.items.extend(item_rows(&speaker, test.part, said, |_| None));
    }
}

/// The rung's own verdicts on the test part.
fn alone(context: &Context<'_>) -> Result<Vec<f64>, String> {
    let test = context.truth("test")?;
    let answers = context.inputs.features[context.rung].answers(VERDICTS)?;
    let source = Source::new(&zero_shot_cell(context.rung()), Paradigm::WeakToStrong, context.rung());
    let signal = zero_shot(names(&test), source, answers, Turn::Median).map_err(|e| e.to_string())?;
    Ok(signal.labels().to_vec())
}

fn names(truth: &Truth<'_>) -> Vec<String> {
    truth.part.items.iter().map(|item| item.id.clone()).collect()
}

/// The training items of a student, with what every teacher says of them.
struct Lesson<'a> {
    design: &'a WeakToStrong,
    context: &'a Context<'a>,
    drawn: Vec<usize>,
    items: Vec<String>,
    /// `(items, rungs up to the student)`.
    votes: Array2<f64>,
}

impl<'a> Lesson<'a> {
    fn read(design: &'a WeakToStrong, context: &'a Context<'a>, earlier: &FoundBy) -> Result<Self, String> {
        let own = context.truth("student")?;
        let drawn = context.drawn(&own, design.resample)?;
        let (said, all) = (Said::read(earlier), names(&own));
        let mut votes = Array2::zeros((drawn.len(), context.rung + 1));
        for (teacher, mut column) in votes.columns_mut().into_iter().enumerate() {
            let cell = teacher_cell(&context.inputs.plan.rungs[teacher].name);
            let labels = said.about(&cell, context.seed, "student")?;
            column.iter_mut().zip(&drawn).for_each(|(vote, &i)| *vote = labels[i]);
        }
        let items = drawn.iter().map(|&i| all[i].clone()).collect();
        Ok(Self { design, context, drawn, items, votes })
    }

    fn source(&self, rung: usize) -> Source {
        let name = &self.context.inputs.plan.rungs[rung].name;
        Source { seed: Some(self.context.seed), ..Source::new(name, Paradigm::WeakToStrong, name) }
    }

    /// What some teachers say; the labels are the mean of their votes.
    fn signal(&self, teachers: &[usize]) -> Result<Signal, String> {
        let sources = teachers.iter().map(|&teacher| self.source(teacher)).collect();
        let votes = self.votes.select(Axis(1), teachers);
        Signal::mean(self.items.clone(), sources, votes).map_err(|e| e.to_string())
    }

    /// The training items as a rung sees them.
    fn seen(&self, rung: usize) -> Result<Array2<f32>, String> {
        Ok(self.context.inputs.features[rung].part("student")?.select(Axis(0), &self.drawn))
    }

    fn learn(&self, recipe: RecipeName, teacher: usize) -> Result<Probe, String> {
        let loss = self.design.loss.first().copied().unwrap_or(LossName::Xent);
        let config = probe_config(self.context.inputs.plan, loss);
        let (signal, x) = (self.signal(&[teacher])?, self.seen(self.context.rung)?);
        let on = |places: &[usize]| {
            let labels = signal.labels().select(Axis(0), places);
            train(x.select(Axis(0), places).view(), labels.view(), &config)
        };
        match recipe {
            RecipeName::Direct | RecipeName::ZeroShot => train(x.view(), signal.labels(), &config),
            RecipeName::ConfidenceFilter => {
                on(&confident(&signal, KEEP, Balance::Even).map_err(|e| e.to_string())?)
            }
            RecipeName::AgreementFilter => {
                let all: Vec<usize> = (0..=teacher).collect();
                on(&agreed(&self.signal(&all)?, 1.0).map_err(|e| e.to_string())?)
            }
            RecipeName::SelfTraining => {
                let how = SelfTraining { rounds: ROUNDS, keep: KEEP, balance: Balance::Even, probe: config };
                let own = self.source(self.context.rung);
                let found = self_train(&signal, x.view(), &own, &how).map_err(|e| e.to_string())?;
                found.probes.into_iter().last().ok_or_else(|| "self-training gave no student".to_owned())
            }
            RecipeName::Bootstrapped => {
                let between: Vec<usize> = (teacher + 1..self.context.rung).collect();
                let views = between.iter().map(|&rung| self.seen(rung)).collect::<Result<Vec<_>, _>>()?;
                let rungs: Vec<Rung<'_>> = between
                    .iter()
                    .zip(&views)
                    .map(|(&rung, view)| Rung {
                        source: self.source(rung),
                        learns: view.view(),
                        labels: view.view(),
                        items: self.items.clone(),
                    })
                    .collect();
                let signals = climb(&signal, &rungs, &config).map_err(|e| e.to_string())?;
                train(x.view(), signals.last().unwrap_or(&signal).labels(), &config)
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]
fn train(
    x: ArrayView2<'_, f32>,
    labels: ArrayView1<'_, f64>,
    config: &superalign_learner::ProbeConfig,
) -> Result<Probe, String> {
    fit(x, labels, config).map_err(|e| e.to_string())
}
