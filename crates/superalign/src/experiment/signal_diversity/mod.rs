//! Signal diversity: one teacher against several, sources that err together against such that err apart, and rules that
//! make one label of many votes.
//!
//! Every teacher is trained on gold labels of the same part, every source labels the same items, and every student, of the
//! strongest rung, learns from one label for each: sets differ in who speaks, not in what it costs in labels. What is
//! estimated of the sources without gold labels stands beside the truth, which only the summary and the rows of a cell
//! see.

mod sets;
mod sources;
mod summary;

use super::features::verdicts_on;
use super::{Experiment, Found, FoundBy, Inputs, Job, Questions, transfer};
use crate::plan::{Part, Plan, Wanted};
use crate::record::Row;
use crate::report::{self, Findings, Numbers};
use crate::spec::{Choice, RuleName, SetName, SignalDiversity};
use superalign_data::world::COMPETENCE_VERDICTS;
use superalign_paradigm::diversify::Rule;

pub(crate) use super::transfer::{LABELS, TEST, ceiling_cell};

/// Test accuracy of the student of a combined signal minus that of the student of the best single teacher.
pub(crate) const GAIN: &str = "gain-over-best-teacher";
/// Accuracy of the combined labels minus that of the labels of the best single teacher.
pub(crate) const LABEL_GAIN: &str = "label-gain-over-best-teacher";
/// Accuracy that is estimated from votes alone.
pub(crate) const ESTIMATED: &str = "estimated-accuracy";
/// That less the true accuracy on the same items.
pub(crate) const ESTIMATE_ERROR: &str = "estimate-less-truth";
/// As [`ESTIMATE_ERROR`], with sources of one rung taken to err together, where a set has several of some rungs.
pub(crate) const KIN_ERROR: &str = "estimate-by-kin-less-truth";
/// Mean correlation of the errors of two sources.
pub(crate) const CORRELATION: &str = "error-correlation";
/// The same, estimated from votes alone.
pub(crate) const ESTIMATED_CORRELATION: &str = "estimated-error-correlation";
/// Mean of Yule's Q over pairs of sources.
pub(crate) const Q: &str = "q-statistic";
/// Number of sources that err apart which these are worth.
pub(crate) const INDEPENDENT: &str = "independent-sources";
/// Number of different voters: the Vendi score of the agreement of their votes.
pub(crate) const VENDI: &str = "vendi-of-votes";
/// Number of clusters that are found from votes alone.
pub(crate) const CLUSTERS: &str = "clusters";

/// Sources that a determinantal process chooses.
const CHOSEN: usize = 3;

/// The likelihoods of verdicts on a part.
const VERDICTS: &str = "verdicts";

/// A source of votes, by its rung's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceName {
    Probe(usize),
    Bag(usize, usize),
    Subspace(usize, usize),
    Verdict(usize),
}

impl SourceName {
    pub(super) const fn rung(self) -> usize {
        match self {
            Self::Probe(rung) | Self::Verdict(rung) | Self::Bag(rung, _) | Self::Subspace(rung, _) => rung,
        }
    }
}

/// The cell of a source.
pub(super) fn source_cell(source: SourceName, plan: &Plan) -> String {
    let rung = &plan.rungs[source.rung()].name;
    match source {
        SourceName::Probe(_) => format!("source=probe of {rung}"),
        SourceName::Bag(_, bag) => format!("source=bag {} of {rung}", bag + 1),
        SourceName::Subspace(_, share) => format!("source=subspace {} of {rung}", share + 1),
        SourceName::Verdict(_) => format!("source=verdict of {rung}"),
    }
}

/// The cells of all sources.
pub(crate) fn source_cells(design: &SignalDiversity, plan: &Plan) -> Vec<String> {
    design.sources(plan.rungs.len()).into_iter().map(|source| source_cell(source, plan)).collect()
}

/// The cells of what is estimated of the members of a set, each with that of the source.
pub(crate) fn member_cells(design: &SignalDiversity, set: SetName, plan: &Plan) -> Vec<(String, String)> {
    let members = design.members_of(set, plan.rungs.len()).into_iter();
    members
        .map(|source| source_cell(source, plan))
        .map(|cell| (format!("{}/{cell}", set_cell(set)), cell))
        .collect()
}

/// The cell of a set.
pub(crate) fn set_cell(set: SetName) -> String {
    format!("set={}", set.name())
}

/// The cell of a set's combined signal.
pub(crate) fn rule_cell(set: SetName, rule: RuleName) -> String {
    format!("{}/rule={}", set_cell(set), rule.name())
}

/// The names, for the report.
pub(crate) fn set_name(set: SetName) -> &'static str {
    set.name()
}

/// The names, for the report.
pub(crate) fn rule_name(rule: RuleName) -> &'static str {
    rule.name()
}

/// The cells of the single teachers: a probe of every rung below the student.
pub(crate) fn teacher_cells(design: &SignalDiversity, plan: &Plan) -> Vec<String> {
    let teachers = design.members_of(SetName::Rungs, plan.rungs.len()).into_iter();
    teachers.map(|source| source_cell(source, plan)).collect()
}

/// The one of these cells that is righter on average than any other, with hindsight: of single teachers, the reference
/// that a combination has to beat.
pub(crate) fn best_single(cells: &[String], accuracy: impl Fn(&str) -> Option<f64>) -> Option<&String> {
    let known = cells.iter().filter_map(|cell| Some((cell, accuracy(cell)?)));
    known.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(cell, _)| cell)
}

impl SignalDiversity {
    /// The members of a set, of a ladder of so many rungs.
    fn members_of(&self, set: SetName, rungs: usize) -> Vec<SourceName> {
        let below = rungs.saturating_sub(1);
        let strongest = below.saturating_sub(1);
        let probes = (0..below).map(SourceName::Probe);
        let verdicts = (0..below).map(SourceName::Verdict);
        match set {
            SetName::Bags => (0..self.members).map(|bag| SourceName::Bag(strongest, bag)).collect(),
            SetName::Subspaces => {
                (0..self.members).map(|share| SourceName::Subspace(strongest, share)).collect()
            }
            SetName::Rungs => probes.collect(),
            SetName::Verdicts => verdicts.collect(),
            SetName::Paradigms => probes.chain(verdicts).collect(),
            SetName::All => {
                let mut all: Vec<SourceName> = Vec::new();
                for &set in self.set.iter().filter(|set| **set != SetName::All) {
                    let new = self.members_of(set, rungs).into_iter();
                    all.extend(new.filter(|source| !all.contains(source)).collect::<Vec<_>>());
                }
                all
            }
        }
    }

    /// Every source, and a probe of every rung below the student in any case.
    fn sources(&self, rungs: usize) -> Vec<SourceName> {
        let mut all: Vec<SourceName> = self.members_of(SetName::Rungs, rungs);
        for &set in &self.set {
            let new = self.members_of(set, rungs).into_iter();
            all.extend(new.filter(|source| !all.contains(source)).collect::<Vec<_>>());
        }
        all
    }
}

impl RuleName {
    pub(in crate::experiment) fn rule(self) -> Rule {
        match self {
            Self::Mean => Rule::Mean,
            Self::Majority => Rule::Majority,
            Self::DawidSkene => Rule::DawidSkene,
            Self::Weighted => Rule::Weighted,
            Self::Decorrelated => Rule::Decorrelated,
            Self::Dpp => Rule::Process(CHOSEN),
        }
    }
}

impl Experiment for SignalDiversity {
    fn parts(&self) -> Vec<Wanted> {
        transfer::parts(self.teacher, self.student, self.test)
    }

    fn questions(&self, parts: &[Part]) -> Questions {
        let asks = self.sources(2).iter().any(|source| matches!(source, SourceName::Verdict(_)));
        let labelled = parts.iter().find(|part| part.name == "student").filter(|_| asks);
        labelled.map(|part| (VERDICTS, verdicts_on(part, COMPETENCE_VERDICTS))).into_iter().collect()
    }

    fn cells(&self, rungs: usize) -> usize {
        let sets = self.set.iter().map(|&set| 1 + self.members_of(set, rungs).len() + self.rule.len());
        1 + self.sources(rungs).len() + sets.sum::<usize>()
    }

    fn check(&self, plan: &Plan) -> Result<(), String> {
        let below = plan.rungs.len().saturating_sub(1);
        let needs = [SetName::Rungs, SetName::Verdicts].into_iter().find(|set| self.set.contains(set));
        match needs {
            Some(set) if below < 3 => Err(format!(
                "`grid.set` has \"{}\", which takes a source from every rung below the student: found {below} such \
                 rungs, expected at least 3",
                set.name()
            )),
            _ if below < 1 => {
                Err("a teacher and a student are needed: found 1 rung, expected at least 2".into())
            }
            _ => Ok(()),
        }
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        let last = plan.rungs.len().saturating_sub(1);
        let teach = plan.seeds.iter().flat_map(|&seed| {
            plan.rungs[..last].iter().enumerate().map(move |(rung, r)| Job {
                name: format!("sources={}/seed={seed}", r.name),
                rung,
                seed: Some(seed),
            })
        });
        let combine = plan.seeds.iter().map(|&seed| Job {
            name: format!("sets/seed={seed}"),
            rung: last,
            seed: Some(seed),
        });
        vec![teach.collect(), combine.collect()]
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
        if job.name.starts_with("sources=") {
            sources::run(self, job, inputs)
        } else {
            sets::run(self, job, inputs, earlier)
        }
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        summary::summarise(self, inputs, found)
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::signal_diversity::findings(plan, self, numbers)
    }
}
