//! The preference set of the generated world: every rung scores the answers in several ways, and the official sums are
//! made of that.
//!
//! Only the probe learns something: each seed draws its training preferences anew. The other scorers say the same
//! whatever the seed.

use super::features::verdicts_on;
use super::score::{Said, Speaker, Truth, bootstrap, drawn, item_rows};
use super::{Experiment, Found, FoundBy, Inputs, Job, Questions, probe_config};
use crate::plan::{Part, Plan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::reward::{Shape, WORLD_JOIN, preference_probe, rewards, world_table};
use crate::spec::{Choice, DataSource, LossName, RewardBench, ScorerName};
use ndarray::Axis;
use superalign_core::{ChoicePrompt, Estimate, LogLikelihood, Seed, below};
use superalign_data::DataError;
use superalign_data::item::{BinaryItem, Preference};
use superalign_data::world::{self, CONFORMITY_VERDICTS, World};
use superalign_evaluation::reward_bench::{Missing, Rule, own_estimates, pair_credits};

/// The official sum of a section or of all: the share of preferences whose better answer scores higher.
pub(crate) const SCORE: &str = "score";
/// How much higher the strongest rung scores than the weakest.
pub(crate) const RISE: &str = "strongest-less-weakest";
/// The name of all sections together.
pub(crate) const OVERALL: &str = "overall";

/// The likelihoods of the answers.
const ANSWERS: &str = "answers";
/// The likelihoods of the verdicts after them.
const VERDICTS: &str = "verdicts";

/// The cell of a rung and a way of scoring.
pub(crate) fn scorer_cell(rung: &str, scorer: ScorerName) -> String {
    format!("model={rung}/scorer={}", scorer.name())
}

/// The cell of one of its sections.
pub(crate) fn section_cell(rung: &str, scorer: ScorerName, section: &str) -> String {
    format!("{}/section={section}", scorer_cell(rung, scorer))
}

/// The cell of one of its subsets.
pub(crate) fn subset_cell(rung: &str, scorer: ScorerName, subset: &str) -> String {
    format!("{}/subset={subset}", scorer_cell(rung, scorer))
}

/// The cell of what a way of scoring gains from the weakest rung to the strongest.
pub(crate) fn rise_cell(scorer: ScorerName, section: &str) -> String {
    format!("scorer={}/section={section}", scorer.name())
}

/// The name of a way of scoring.
pub(crate) fn scorer_name(scorer: ScorerName) -> &'static str {
    scorer.name()
}

/// The subsets with their sections, in the order of tables.
pub(crate) fn subsets() -> Vec<(String, String)> {
    world_table().subsets.into_iter().map(|subset| (subset.name, subset.section)).collect()
}

/// The sections and the whole, in the order of tables.
pub(crate) fn sections() -> Vec<String> {
    let mut names: Vec<String> = world_table().sections.into_iter().map(|section| section.name).collect();
    names.push(OVERALL.to_owned());
    names
}

impl Experiment for RewardBench {
    fn parts(&self) -> Vec<Wanted> {
        let subsets = world::Subset::ALL.len();
        let part = |name, role, part, per_subset: usize| Wanted {
            name,
            role,
            part,
            items: 2 * subsets * per_subset,
            objective: None,
        };
        vec![
            part("train", "preferences train the probe", world::Part::Student, self.train_per_subset),
            part("test", "preferences test every scorer", world::Part::Test, self.per_subset),
        ]
    }

    fn own_parts(&self, source: &DataSource) -> Option<Result<Vec<Part>, DataError>> {
        Some(match source {
            DataSource::World(seed) => {
                let world = World::new(Seed::new(*seed));
                let sizes = [self.train_per_subset, self.per_subset];
                let part = |(wanted, size): (&Wanted, usize)| {
                    preferences(wanted, &world.preference_set(wanted.part, size))
                };
                Ok(self.parts().iter().zip(sizes).map(part).collect())
            }
            DataSource::File(path) => Err(DataError::Split {
                found: format!("the file {}", path.display()),
                expected: "a generated world, whose sections this experiment knows".to_owned(),
                remedy: "score a benchmark of your own with `superalign reward-bench run --data FILE`"
                    .to_owned(),
            }),
        })
    }

    fn questions(&self, parts: &[Part]) -> Questions {
        let Some(test) = parts.iter().find(|part| part.name == "test") else { return Vec::new() };
        let asks = |wanted: &[ScorerName]| self.scorer.iter().any(|scorer| wanted.contains(scorer));
        let mut questions = Vec::new();
        if asks(&[ScorerName::Likelihood, ScorerName::LikelihoodPerToken]) {
            questions.push((ANSWERS, test.prompts.clone()));
        }
        if asks(&[ScorerName::Verdict]) {
            questions.push((VERDICTS, verdicts_on(test, CONFORMITY_VERDICTS)));
        }
        questions
    }

    fn cells(&self, rungs: usize) -> usize {
        rungs * self.scorer.len()
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        let of_seed = |&seed: &u64| {
            plan.rungs.iter().enumerate().map(move |(rung, r)| Job {
                name: format!("model={}/seed={seed}", r.name),
                rung,
                seed: Some(seed),
            })
        };
        vec![plan.seeds.iter().flat_map(of_seed).collect()]
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, _: &FoundBy) -> Found {
        let (plan, seed) = (inputs.plan, job.seed.unwrap_or_default());
        let rung = &plan.rungs[job.rung].name;
        let mut found = Found::default();
        for &scorer in &self.scorer {
            let cell = scorer_cell(rung, scorer);
            let test = Truth::of(inputs.parts, "test");
            let scores = test.and_then(|test| Ok((self.scores(scorer, job, inputs)?, test)));
            let outcome = scores.and_then(|(scores, test)| {
                let said = chances(&scores);
                let speaker = Speaker { model: rung, signal: &cell, seed };
                found.items.extend(item_rows(&speaker, test.part, &said, |_| None));
                let by = bootstrap(plan, &format!("{cell}/{seed}"));
                sums(&test, &credits(&said)?, &by)?.1.map(|overall| (overall, test.prompts()))
            });
            let n = outcome.as_ref().map_or(0, |found| found.1);
            found.rows.push(Row::new(cell, Some(seed), SCORE, "share", n, outcome.map(|found| found.0)));
        }
        found
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        let Ok(test) = Truth::of(inputs.parts, "test") else { return Vec::new() };
        let (plan, said) = (inputs.plan, Said::read(found));
        let n = test.prompts();
        let mut rows = Vec::new();
        for &scorer in &self.scorer {
            let mut all = Vec::new();
            for rung in &plan.rungs {
                let cell = scorer_cell(&rung.name, scorer);
                let mean = mean_credits(&said, &cell, plan);
                let by = bootstrap(plan, &cell);
                let (of_sections, overall) =
                    match mean.as_ref().map_err(Clone::clone).and_then(|mean| sums(&test, mean, &by)) {
                        Ok(sums) => sums,
                        Err(why) => (vec![Err(why.clone()); sections().len() - 1], Err(why)),
                    };
                for (section, outcome) in sections().iter().zip(of_sections.into_iter().chain([overall])) {
                    rows.push(Row::new(
                        section_cell(&rung.name, scorer, section),
                        None,
                        SCORE,
                        "share",
                        n,
                        outcome,
                    ));
                }
                for (subset, _) in subsets() {
                    let cell = subset_cell(&rung.name, scorer, &subset);
                    let those = members(&test, &subset);
                    let outcome = mean
                        .as_ref()
                        .map_err(Clone::clone)
                        .and_then(|mean| accuracy(&those, mean, &bootstrap(plan, &cell)));
                    rows.push(Row::new(cell, None, SCORE, "share", those.len(), outcome));
                }
                all.push(mean);
            }
            let (Some(weakest), Some(strongest)) = (all.first(), all.last()) else { continue };
            for section in sections() {
                let cell = rise_cell(scorer, &section);
                let outcome = match (weakest, strongest) {
                    (Err(why), _) | (_, Err(why)) => Err(why.clone()),
                    _ if all.len() < 2 => Err("there is one rung only".to_owned()),
                    (Ok(weakest), Ok(strongest)) => rise(&test, weakest, strongest, &section, plan, &cell),
                };
                rows.push(Row::new(cell, None, RISE, "difference", n, outcome));
            }
        }
        rows
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::reward_bench::findings(plan, self, numbers)
    }
}

impl RewardBench {
    /// The scores of all answers of the test part.
    fn scores(&self, scorer: ScorerName, job: &Job, inputs: &Inputs<'_>) -> Result<Vec<f64>, String> {
        let (plan, features) = (inputs.plan, &inputs.features[job.rung]);
        let flat = |of: fn(&LogLikelihood) -> f64| -> Result<Vec<f64>, String> {
            Ok(features.answers(ANSWERS)?.iter().flatten().map(of).collect())
        };
        match scorer {
            ScorerName::Likelihood => flat(|said| said.sum),
            ScorerName::LikelihoodPerToken => flat(|said| said.sum / said.tokens.max(1) as f64),
            ScorerName::Verdict => {
                Ok(features.answers(VERDICTS)?.iter().map(|both| both[0].sum - both[1].sum).collect())
            }
            ScorerName::Probe => {
                let train = Truth::of(inputs.parts, "train")?;
                let mut chosen =
                    drawn(&train, self.resample, plan.seed(job.seed.unwrap_or_default(), "train"))?;
                // Groups are whole preferences: the better answer, then the worse.
                chosen.sort_unstable();
                let shapes = vec![Shape { answers: 2, correct: 1 }; chosen.len() / 2];
                let x = features.part("train")?.select(Axis(0), &chosen);
                let probe = preference_probe(x.view(), &shapes, &probe_config(plan, LossName::Xent))
                    .map_err(|e| e.to_string())?;
                rewards(&probe, features.part("test")?).map_err(|e| e.to_string())
            }
        }
    }
}

impl Truth<'_> {
    /// Number of requests.
    fn prompts(&self) -> usize {
        self.len() / 2
    }
}

/// Preferences as a part: two items each, the better answer first.
fn preferences(wanted: &Wanted, set: &[Preference]) -> Part {
    let item = |preference: &Preference, answer: &str, label: bool| BinaryItem {
        id: format!("{}/{}", preference.id, if label { "chosen" } else { "rejected" }),
        group: preference.group.clone(),
        text: format!("{}{WORLD_JOIN}{answer}", preference.prompt),
        label,
        tags: preference.tags.clone(),
    };
    let both = |p: &Preference| [item(p, &p.chosen, true), item(p, &p.rejected, false)];
    let ask = |p: &Preference| ChoicePrompt {
        prefix: format!("{}{WORLD_JOIN}", p.prompt),
        choices: vec![p.chosen.clone(), p.rejected.clone()],
    };
    Part {
        name: wanted.name,
        role: wanted.role,
        items: set.iter().flat_map(both).collect(),
        prompts: set.iter().map(ask).collect(),
        cases: Vec::new(),
    }
}

/// For each answer the probability that it is the better one of its pair, if scores are log-odds.
fn chances(scores: &[f64]) -> Vec<f64> {
    let one = |a: f64, b: f64| if a == b { 0.5 } else { 1.0 / (1.0 + (b - a).exp()) };
    scores.chunks_exact(2).flat_map(|pair| [one(pair[0], pair[1]), one(pair[1], pair[0])]).collect()
}

/// The credit of each pair: 1 where the better answer scores higher; equal scores count 0.
fn credits(said: &[f64]) -> Result<Vec<f64>, String> {
    let side = |n: usize| said.iter().skip(n).step_by(2).copied().collect::<Vec<f64>>();
    pair_credits(&side(0), &side(1), Rule::Classifier).map_err(|e| e.to_string())
}

/// The mean of the credits over seeds.
fn mean_credits(said: &Said, cell: &str, plan: &Plan) -> Result<Vec<f64>, String> {
    let by_seed = said.by_seed(cell, &plan.seeds, "test")?;
    let credits = by_seed.iter().map(|said| credits(said)).collect::<Result<Vec<_>, _>>()?;
    let n = credits.len().max(1) as f64;
    let items = credits.first().map_or(0, Vec::len);
    Ok((0..items).map(|i| credits.iter().map(|one| one[i]).sum::<f64>() / n).collect())
}

type Sum = Result<Estimate, String>;

/// The sections and the whole.
fn sums(
    test: &Truth<'_>,
    credits: &[f64],
    by: &superalign_core::Bootstrap,
) -> Result<(Vec<Sum>, Sum), String> {
    let found =
        own_estimates(&world_table(), &subsets_of(test), credits, Some(&groups(test)), Missing::Refuse, by)
            .map_err(|e| e.to_string())?;
    let text = |sum: Result<Estimate, superalign_evaluation::EvaluationError>| sum.map_err(|e| e.to_string());
    Ok((found.sections.into_iter().map(text).collect(), text(found.overall)))
}

/// The subset of each pair.
fn subsets_of<'a>(test: &'a Truth<'_>) -> Vec<&'a str> {
    test.part.items.iter().step_by(2).map(|item| item.tags.family.as_str()).collect()
}

/// The group of each pair.
fn groups(test: &Truth<'_>) -> Vec<u32> {
    test.groups.iter().step_by(2).copied().collect()
}

/// The pairs of a subset.
fn members(test: &Truth<'_>, subset: &str) -> Vec<usize> {
    subsets_of(test).into_iter().enumerate().filter(|(_, name)| *name == subset).map(|(i, _)| i).collect()
}

/// The mean credit of some pairs, over resampled pairs.
fn accuracy(those: &[usize], credits: &[f64], by: &superalign_core::Bootstrap) -> Result<Estimate, String> {
    if those.is_empty() {
        return Err("there is no preference of it".to_owned());
    }
    let n = those.len();
    let value = those.iter().map(|&i| credits[i]).sum::<f64>() / n as f64;
    let draw = |rng: &mut superalign_core::Rng| {
        (0..n).map(|_| credits[those[below(rng, n)]]).sum::<f64>() / n as f64
    };
    by.estimate(value, draw).map_err(|e| e.to_string())
}

/// How much higher the strongest rung scores than the weakest, over the same resamples of the same pairs: within subsets,
/// as in the official sums.
fn rise(
    test: &Truth<'_>,
    weakest: &[f64],
    strongest: &[f64],
    section: &str,
    plan: &Plan,
    cell: &str,
) -> Result<Estimate, String> {
    let table = world_table();
    let subsets = subsets_of(test);
    // Pairs by section and subset: sections weigh the same, and in each every pair does.
    let mut sections: Vec<Vec<Vec<f64>>> = Vec::new();
    for one in table.sections.iter().filter(|one| section == OVERALL || one.name == section) {
        let names = table.subsets.iter().filter(|subset| subset.section == one.name);
        let pairs = names.map(|subset| {
            let those = (0..subsets.len()).filter(|&i| subsets[i] == subset.name);
            those.map(|i| strongest[i] - weakest[i]).collect::<Vec<f64>>()
        });
        sections.push(pairs.filter(|pairs| !pairs.is_empty()).collect());
    }
    if sections.is_empty() || sections.iter().any(Vec::is_empty) {
        return Err(format!("there is no preference of {section}"));
    }
    let n = sections.len() as f64;
    let mean = |sum_of: &mut dyn FnMut(&[f64]) -> f64| {
        let of_section = |subsets: &Vec<Vec<f64>>, sum_of: &mut dyn FnMut(&[f64]) -> f64| {
            let all = subsets.iter().map(Vec::len).sum::<usize>() as f64;
            subsets.iter().map(|pairs| sum_of(pairs)).sum::<f64>() / all
        };
        sections.iter().map(|subsets| of_section(subsets, sum_of)).sum::<f64>() / n
    };
    let value = mean(&mut |pairs| pairs.iter().sum());
    bootstrap(plan, &format!("{cell}/{RISE}"))
        .estimate(value, |rng| {
            mean(&mut |pairs| (0..pairs.len()).map(|_| pairs[below(rng, pairs.len())]).sum())
        })
        .map_err(|e| e.to_string())
}
