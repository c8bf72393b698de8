//! The jobs: those of gap annealing, and one for each arm, which walks to its end.

use super::{LABELS, SOURCES, VERDICTS, arm_cell, round_cell};
use crate::experiment::gap_annealing::path::{self, Work};
use crate::experiment::gap_annealing::trunks::{Ground, Lesson, Part, Student, Training};
use crate::experiment::gap_annealing::{COMPETENCE, CONFORMITY, TEACHER, candidates};
use crate::experiment::score::bootstrap;
use crate::experiment::{Found, FoundBy, Inputs, Job};
use crate::record::Row;
use crate::spec::{ArmName, Component, Superalignment};
use ndarray::{Array1, Axis};
use superalign_core::{Estimate, LogLikelihood};
use superalign_data::split::split_by_group;
use superalign_gap::annealing::{Annealing, Budget, Config, Outcome};
use superalign_learner::Head;
use superalign_paradigm::diversify::{self, Dependence};
use superalign_paradigm::weak_to_strong::{Turn, zero_shot};
use superalign_paradigm::{Paradigm, Signal, Source};

pub(super) fn run(job: &Job, design: &Superalignment, inputs: &Inputs<'_>, earlier: &FoundBy) -> Found {
    let seed = job.seed.unwrap_or_default();
    let own = |arm: &ArmName| job.name == format!("{}/seed={seed}", arm_cell(*arm));
    let Some(&arm) = design.arm.iter().find(|arm| own(arm)) else {
        return path::run(job, &design.path, inputs, earlier);
    };
    let ground = Ground { inputs };
    let work = Work { job, design: &design.path, ground, seed, earlier };
    let walk = Walk { design, arm, work };
    let mut found = Found::default();
    if let Err(why) = walk.to_its_end(&mut found) {
        for round in 1..=design.rounds(arm) {
            let cell = round_cell(arm, round);
            if !found.rows.iter().any(|row| row.cell == cell) {
                found.rows.extend(walk.work.failed(&cell, &[COMPETENCE, CONFORMITY], &why));
            }
        }
    }
    found
}

/// An arm under way.
struct Walk<'a> {
    design: &'a Superalignment,
    arm: ArmName,
    work: Work<'a>,
}

/// Labels of both objectives, and how many sources each is made of.
struct Labels {
    labels: [Array1<f64>; 2],
    sources: usize,
}

impl Walk<'_> {
    fn to_its_end(&self, found: &mut Found) -> Result<(), String> {
        let (work, ground) = (&self.work, self.work.ground);
        let plan = ground.inputs.plan;
        let mut teachers = vec![work.supervisor()?];
        if self.arm.has(Component::Diversified) {
            teachers.splice(0..0, self.bagged()?);
        }
        let config = Config {
            policy: work.policy(self.arm.policy())?,
            rounds: self.design.rounds(self.arm),
            budget: Budget { steps: work.design.steps as u64, labels: work.design.student as u64 },
            most_uses: work.design.most_uses,
            level: plan.bootstrap.level,
            teacher: ground.validated(newest(&teachers)?)?,
        };
        let list = candidates(plan, work.design);
        let mut annealing = Annealing::new(config, work.candidates(&list)?).map_err(|e| e.to_string())?;
        let [competence, conformity] = Head::BOTH.map(|head| work.pool(head, annealing.rounds()));
        let (competence, conformity) = (competence?, conformity?);
        while let Some(round) = annealing.next() {
            let (rung, rank) = list[round.candidate];
            let cell = round_cell(self.arm, round.number + 1);
            let items = [competence[round.number].clone(), conformity[round.number].clone()];
            let Labels { labels, sources } = self.labels(&items, &teachers, rung)?;
            self.write_labels(found, &cell, &items, &labels, sources)?;
            let lesson = Lesson { part: Part::Student, items, labels };
            let how = Training {
                steps: usize::try_from(round.budget.steps).unwrap_or(usize::MAX),
                plan: self.arm.plan().plan(),
                ..work.training(rung, rank, &format!("round={}", round.number))
            };
            let student = ground.train(&lesson, how)?;
            for (head, metric) in Head::BOTH.into_iter().zip([COMPETENCE, CONFORMITY]) {
                ground.test(found, &student, (&cell, metric), head, work.seed)?;
            }
            let outcome = Outcome { scores: ground.validated(&student)?, competence_only: None };
            let record = annealing.record(outcome).map_err(|e| e.to_string())?;
            work.write_down(found, &cell, record);
            teachers.push(student);
        }
        Ok(())
    }

    /// The weakest rung, trained on other draws of the supervisor's gold labels.
    fn bagged(&self) -> Result<Vec<Student>, String> {
        let (work, ground) = (&self.work, self.work.ground);
        let gold = ground.gold(Part::Teacher)?;
        let bag = |number: usize| {
            let name = format!("bag={number}");
            let seed = ground.inputs.plan.seed(work.seed, &name);
            let drawn = Head::BOTH.map(|head| {
                let truth = ground.truth(Part::Teacher, head)?;
                let groups: Vec<&str> = truth.part.items.iter().map(|item| item.group.as_str()).collect();
                if self.design.share >= 1.0 {
                    return Ok::<_, String>((0..groups.len()).collect());
                }
                let shares = [self.design.share];
                let mut split = split_by_group(&groups, &shares, seed).map_err(|e| e.to_string())?;
                Ok(split.swap_remove(0))
            });
            let [competence, conformity] = drawn;
            let items: [Vec<usize>; 2] = [competence?, conformity?];
            let labels = Head::BOTH.map(|head| {
                let head = head.index();
                items[head].iter().map(|&item| gold.labels[head][item]).collect::<Array1<f64>>()
            });
            let lesson = Lesson { part: Part::Teacher, items, labels };
            ground.train(&lesson, work.training(0, work.strongest_rank(), &format!("{TEACHER}/{name}")))
        };
        (0..self.design.bags).map(bag).collect()
    }

    /// What the items are said to be: by the newest teacher, by the student's own model, or by all sources together.
    fn labels(&self, items: &[Vec<usize>; 2], teachers: &[Student], rung: usize) -> Result<Labels, String> {
        let ground = self.work.ground;
        let newest = newest(teachers)?;
        if self.arm == ArmName::SelfLabelled {
            let own = |head: Head| {
                let verdicts = self.verdicts(head, &items[head.index()], rung);
                verdicts.map(|signal| signal.labels().to_owned())
            };
            let [competence, conformity] = Head::BOTH.map(own);
            return Ok(Labels { labels: [competence?, conformity?], sources: 1 });
        }
        if !self.arm.has(Component::Diversified) {
            let lesson = ground.taught(Part::Student, items.clone(), newest)?;
            return Ok(Labels { labels: lesson.labels, sources: 1 });
        }
        let taught: Vec<Lesson> = teachers
            .iter()
            .map(|teacher| ground.taught(Part::Student, items.clone(), teacher))
            .collect::<Result<_, _>>()?;
        let [competence, conformity] = Head::BOTH.map(|head| {
            let signal = self.pooled(head, &items[head.index()], teachers, &taught)?;
            // Votes of one model err together, which is known before any is seen.
            let config = diversify::Config {
                dependence: Dependence::Known(diversify::kin(signal.sources())),
                ..diversify::Config::default()
            };
            let combined = diversify::combine(&signal, self.design.rule.rule(), &config);
            combined.map(|combined| combined.signal).map_err(|e| e.to_string())
        });
        let (competence, conformity) = (competence?, conformity?);
        let sources = competence.sources().len();
        Ok(Labels { labels: [competence.labels().to_owned(), conformity.labels().to_owned()], sources })
    }

    /// All sources about items of an objective: every teacher, and every rung's own verdicts.
    fn pooled(
        &self,
        head: Head,
        items: &[usize],
        teachers: &[Student],
        taught: &[Lesson],
    ) -> Result<Signal, String> {
        let plan = self.work.ground.inputs.plan;
        let mut signals = Vec::with_capacity(taught.len() + plan.rungs.len());
        for (place, (teacher, lesson)) in teachers.iter().zip(taught).enumerate() {
            let name = format!("teacher-{}", place + 1);
            let source = Source::new(&name, Paradigm::WeakToStrong, &plan.rungs[teacher.rung].name);
            let votes = lesson.labels[head.index()].clone().insert_axis(Axis(1));
            let signal = Signal::mean(self.names(head, items)?, vec![source], votes);
            signals.push(signal.map_err(|e| e.to_string())?);
        }
        for rung in 0..plan.rungs.len() {
            signals.push(self.verdicts(head, items, rung)?);
        }
        diversify::pool(&signals).map_err(|e| e.to_string())
    }

    /// What a rung's model says of items by itself: the likelihoods of the good verdict and of the bad one.
    fn verdicts(&self, head: Head, items: &[usize], rung: usize) -> Result<Signal, String> {
        let inputs = self.work.ground.inputs;
        let said = inputs.features[rung].answers(VERDICTS[head.index()])?;
        let model = &inputs.plan.rungs[rung].name;
        let source = Source::new(&format!("verdicts of {model}"), Paradigm::SelfEnhancement, model);
        let own: Vec<Vec<LogLikelihood>> = items.iter().map(|&item| said[item].clone()).collect();
        zero_shot(self.names(head, items)?, source, &own, Turn::Median).map_err(|e| e.to_string())
    }

    fn names(&self, head: Head, items: &[usize]) -> Result<Vec<String>, String> {
        let truth = self.work.ground.truth(Part::Student, head)?;
        Ok(items.iter().map(|&item| truth.part.items[item].id.clone()).collect())
    }

    /// The rows about a round's labels.
    fn write_labels(
        &self,
        found: &mut Found,
        cell: &str,
        items: &[Vec<usize>; 2],
        labels: &[Array1<f64>; 2],
        sources: usize,
    ) -> Result<(), String> {
        let (ground, seed) = (self.work.ground, self.work.seed);
        for (head, metric) in Head::BOTH.into_iter().zip([COMPETENCE, CONFORMITY]) {
            let truth = ground.truth(Part::Student, head)?;
            let (items, labels) = (&items[head.index()], &labels[head.index()]);
            let gold = truth.evaluation();
            let right: Vec<bool> =
                items.iter().zip(labels).map(|(&item, label)| (*label >= 0.5) == gold[item]).collect();
            let groups: Vec<u32> = items.iter().map(|&item| truth.groups[item]).collect();
            let by = bootstrap(ground.inputs.plan, &format!("{cell}/{LABELS}/{metric}/{seed}"));
            let outcome = superalign_gap::capability(&right, Some(&groups), &by);
            let metric = format!("{LABELS}-{metric}");
            found.rows.push(Row::new(cell, Some(seed), &metric, "share", items.len(), outcome));
        }
        let value = sources as f64;
        let exact = Ok::<_, String>(Estimate { value, lo: value, hi: value });
        let row = Row::new(cell, Some(seed), SOURCES, "count", items[0].len(), exact);
        found.rows.push(Row { lo: None, hi: None, ..row });
        Ok(())
    }
}

fn newest(teachers: &[Student]) -> Result<&Student, String> {
    teachers.last().ok_or_else(|| "there is no teacher".to_owned())
}
