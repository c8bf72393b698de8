//! Sandwiching: weak judges label questions about contexts that they cannot see, helped by stronger rungs; what they
//! label trains the strongest rung.
//!
//! Hearings are held while texts are read ([`Experiment::interview`]), on the student part, whose gold labels never
//! reach them. Two items of one question are its two answers: the label of the first is the judge's probability, that of
//! the second the rest. Every rung judges alone and with the full context; every rung with every stronger one as
//! advisor holds the protocols of the grid.
//!
//! Alone and without context a judge may be worse than a guess in the generated world: the facts that it learnt in
//! pretraining are of another part, so that of two answers the one it has met is more often the wrong one.

mod summary;

use super::transfer::{self, Context, Student, ceiling_cell};
use super::{Experiment, Found, FoundBy, Inputs, Interviews, Job, ReadError, Room};
use crate::plan::{Asked, Part, Plan, Wanted};
use crate::record::{Row, TranscriptRow};
use crate::report::{self, Findings, Numbers, Table};
use crate::spec::{DataSource, ProtocolName, Sandwiching};
use std::collections::BTreeSet;
use superalign_core::Seed;
use superalign_data::DataError;
use superalign_data::item::Objective;
use superalign_data::world::World;
use superalign_paradigm::sandwiching::{Case, Outcome, Script, alone, consultancy, debate, full_context};
use superalign_paradigm::{ParadigmError, Signal};

pub(crate) use summary::{
    ACCURACY, ADVANTAGE, BELOW, CALLS, DISHONEST, GAP, HONEST, LESS_ALONE, LESS_CONSULTANCY, LESS_FULL,
    PERSUASION, TOKENS,
};
pub(crate) use transfer::{GAIN, LABELS, TEST};

/// The judge alone.
pub(crate) const ALONE: &str = "alone";
/// The judge with the full context.
pub(crate) const FULL: &str = "full-context";

/// The cell of a judge without advisors.
pub(crate) fn solo_cell(judge: &str, protocol: &str) -> String {
    format!("judge={judge}/protocol={protocol}")
}

/// The cell of a judge and an advisor.
pub(crate) fn helped_cell(judge: &str, advisor: &str, protocol: &str) -> String {
    format!("judge={judge}/advisor={advisor}/protocol={protocol}")
}

/// The cell of the student of a signal.
pub(crate) fn student_cell(signal: &str, student: &str) -> String {
    format!("{signal}/student={student}")
}

/// A signal: who judges, how, and with whose help.
pub(crate) struct Bench {
    pub(crate) cell: String,
    pub(crate) judge: usize,
    /// The advisor and the protocol, or alone, or with the full context.
    pub(crate) how: How,
}

/// How a judge decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Alone,
    Full,
    Helped(usize, ProtocolName),
}

impl Sandwiching {
    /// The signals, in the order of judges, then advisors, then protocols.
    pub(crate) fn benches(&self, plan: &Plan) -> Vec<Bench> {
        let names: Vec<&str> = plan.rungs.iter().map(|rung| rung.name.as_str()).collect();
        let mut all = Vec::new();
        for (judge, name) in names.iter().enumerate() {
            all.push(Bench { cell: solo_cell(name, ALONE), judge, how: How::Alone });
            all.push(Bench { cell: solo_cell(name, FULL), judge, how: How::Full });
            for (advisor, helper) in names.iter().enumerate().skip(judge + 1) {
                all.extend(self.protocol.iter().map(|&protocol| Bench {
                    cell: helped_cell(name, helper, protocol.name()),
                    judge,
                    how: How::Helped(advisor, protocol),
                }));
            }
        }
        all
    }

    /// A part of the world: questions of each family and difficulty in turn.
    fn part_of(&self, world: &World, wanted: &Wanted) -> Part {
        let (kinds, levels) = (self.family.len().max(1), self.difficulty.len().max(1));
        let mut part = Part {
            name: wanted.name,
            role: wanted.role,
            items: Vec::new(),
            prompts: Vec::new(),
            cases: Vec::new(),
        };
        for index in 0..wanted.items.div_ceil(2) {
            let (family, difficulty) = (self.family[index / levels % kinds], self.difficulty[index % levels]);
            let difficulty = u8::try_from(difficulty).unwrap_or(u8::MAX);
            let round = (index / levels / kinds) as u64;
            let task = world.task(wanted.part, family, difficulty, round);
            let pair = world.competence_pair(wanted.part, family, difficulty, round);
            let before = format!("{} ask {} ", task.context, task.question);
            let place = part.items.len();
            let answer = |n: usize| (place + n, pair[n].text.strip_prefix(&before).unwrap_or_default());
            part.cases.push(Asked::new(&task.group, &task.context, &task.question, [answer(0), answer(1)]));
            part.items.extend(pair);
        }
        part
    }
}

impl Experiment for Sandwiching {
    fn parts(&self) -> Vec<Wanted> {
        // Nobody is trained on gold labels but the ceiling.
        let mut parts = transfer::parts(0, self.student, self.test);
        parts.remove(0);
        parts[0].role = "a judge's verdicts train the students, gold labels the ceiling";
        parts
    }

    fn own_parts(&self, source: &DataSource) -> Option<Result<Vec<Part>, DataError>> {
        let DataSource::World(seed) = source else { return None };
        let world = World::new(Seed::new(*seed));
        Some(Ok(self.parts().iter().map(|wanted| self.part_of(&world, wanted)).collect()))
    }

    fn interview(&self, room: &mut Room<'_>) -> Result<Interviews, ReadError> {
        let mut all = Interviews::default();
        let (plan, parts) = (room.plan, room.parts);
        let benches = self.benches(plan);
        room.expect(benches.len());
        let asked = questions(parts);
        let script = Script::new(&self.prompts).map_err(|error| error.to_string());
        // What varies by seed is who trains on what; the hearings are those of the first.
        let seed = plan.seed(plan.seeds.first().copied().unwrap_or_default(), "hearings");
        for bench in &benches {
            let (cases, script) = match (&asked, &script) {
                (Ok(cases), Ok(script)) => (cases, script),
                (Err(why), _) | (_, Err(why)) => {
                    all.keep(&bench.cell, Err(why.clone()));
                    continue;
                }
            };
            let advisor = match bench.how {
                How::Helped(advisor, _) => advisor,
                How::Alone | How::Full => bench.judge,
            };
            let heard = room.hear([bench.judge, advisor], |judge, advisor, done| {
                let (config, cases) = (&self.hearing, &cases[..]);
                let helped = |protocol| match protocol {
                    ProtocolName::Consultancy => consultancy,
                    ProtocolName::Debate => debate,
                };
                match (bench.how, advisor) {
                    (How::Alone, _) => alone(judge, cases, script, config, seed, done),
                    (How::Full, _) => full_context(judge, cases, script, config, seed, done),
                    (How::Helped(_, protocol), Some(advisor)) => {
                        helped(protocol)(judge, advisor, cases, script, config, seed, done)
                    }
                    (How::Helped(..), None) => Err(ParadigmError::Undefined {
                        what: "the hearing",
                        reason: "judge and advisor are one model at two layers".into(),
                    }),
                }
            })?;
            all.keep(&bench.cell, heard.map(|Outcome { signal, transcripts }| (signal, transcripts)));
        }
        Ok(all)
    }

    fn check(&self, plan: &Plan) -> Result<(), String> {
        if plan.data.objective == Objective::Conformity {
            return Err("`data.objective` is conformity\n help: hearings are about questions of which one answer is right: set it to \"competence\"".into());
        }
        let models: BTreeSet<&str> = plan.rungs.iter().map(|rung| rung.model.digest.as_str()).collect();
        if models.len() < 2 {
            return Err(format!(
                "a judge and an advisor are two models, and there is {}\n help: name a weaker and a stronger one with \
                 --model, or a ladder of two rungs and more",
                models.len()
            ));
        }
        Ok(())
    }

    fn cells(&self, rungs: usize) -> usize {
        let pairs = rungs * rungs.saturating_sub(1) / 2;
        2 * (2 * rungs + pairs * self.protocol.len()) + 1
    }

    fn jobs(&self, plan: &Plan) -> Vec<Vec<Job>> {
        let stage = |kind: &str| -> Vec<Job> {
            let job = |&seed: &u64| Job {
                name: format!("{kind}/seed={seed}"),
                rung: plan.rungs.len().saturating_sub(1),
                seed: Some(seed),
            };
            plan.seeds.iter().map(job).collect()
        };
        vec![stage("signals"), stage("students")]
    }

    fn run(&self, job: &Job, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
        let (context, plan) = (Context::new(job, inputs), inputs.plan);
        let benches = self.benches(plan);
        if job.name.starts_with("signals") {
            let mut found = Found::default();
            for bench in &benches {
                let labels = item_labels(inputs.parts, inputs.interviews.signal(&bench.cell));
                let one = context.label(&bench.cell, &plan.rungs[bench.judge].name, labels);
                found.rows.extend(one.rows);
                found.items.extend(one.items);
            }
            return found;
        }
        let student = |bench: &Bench| Student {
            cell: student_cell(&bench.cell, context.rung()),
            teacher: bench.cell.clone(),
            loss: self.loss,
        };
        let students: Vec<Student> = benches.iter().map(student).collect();
        context.learn(&students, self.resample, earlier)
    }

    fn summarise(&self, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
        summary::rows(self, inputs, found)
    }

    fn findings(&self, plan: &Plan, numbers: &Numbers<'_>) -> Findings {
        report::sandwiching::findings(plan, self, numbers)
    }

    fn exchanges(&self, plan: &Plan, transcripts: &[TranscriptRow]) -> Vec<Table> {
        report::sandwiching::exchanges(plan, self, transcripts)
    }
}

/// The student part, and its questions.
fn student_part(parts: &[Part]) -> Result<&Part, String> {
    let part = parts.iter().find(|part| part.name == "student").ok_or("the plan lacks the part student")?;
    if part.cases.is_empty() {
        return Err(
            "the data have no questions with two answers about a context, which hearings are about".into()
        );
    }
    Ok(part)
}

/// What judges are asked: no label is part of it.
fn questions(parts: &[Part]) -> Result<Vec<Case>, String> {
    Ok(student_part(parts)?.cases.iter().map(|asked| asked.case.clone()).collect())
}

/// The labels of the items of the student part; an item that no question is about has one half.
fn item_labels(parts: &[Part], signal: Result<&Signal, String>) -> Result<Vec<f64>, String> {
    let part = student_part(parts)?;
    let mut labels = vec![0.5; part.items.len()];
    for (asked, label) in part.cases.iter().zip(signal?.labels()) {
        labels[asked.items[0]] = *label;
        labels[asked.items[1]] = 1.0 - label;
    }
    Ok(labels)
}

/// The ceiling of the students.
pub(crate) fn ceiling(plan: &Plan) -> String {
    ceiling_cell(plan.rungs.last().map_or("", |rung| &rung.name))
}
