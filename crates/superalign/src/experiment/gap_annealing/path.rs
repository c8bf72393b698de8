//! The jobs: capacities of candidates, the pilot of the calibration, and the paths.

use super::trunks::{Ground, Part, Student, Training};
use super::{
    CEILING, COMPETENCE, CONFORMITY, PILOT_GAIN, PILOT_GAP, PREDICTED, REGRESSIONS, TAKEN, TARGET, TEACHER,
    candidate_cell, candidates, path_cell, round_cell,
};
use crate::experiment::score::Truth;
use crate::experiment::{Found, FoundBy, Inputs, Job};
use crate::record::Row;
use crate::spec::{GapAnnealing, PlanName, PolicyName};
use superalign_core::Estimate;
use superalign_data::split::split_by_group;
use superalign_gap::Draws;
use superalign_gap::annealing::{
    Annealing, Budget, Candidate, Confidence, Config, Outcome, Policy, Schedule, Scores,
};
use superalign_gap::calibration::{self, Folds, Pair, calibrate};
use superalign_learner::{Head, Plan};

/// The plan by which the supervisor, the ceiling and the candidates learn.
const BOTH: Plan = Plan::Parallel { weight: 0.5 };
/// Gammas of the fitted gain that an adaptive schedule chooses from.
const BAND: usize = 41;

pub(in crate::experiment) fn run(
    job: &Job,
    design: &GapAnnealing,
    inputs: &Inputs<'_>,
    earlier: &FoundBy,
) -> Found {
    let seed = job.seed.unwrap_or_default();
    let work = Work { job, design, ground: Ground { inputs }, seed, earlier };
    if job.name.starts_with("capacity=") {
        work.capacities()
    } else if job.name.starts_with("pilot=") {
        work.pilot()
    } else {
        work.path()
    }
}

/// A job under way.
pub(in crate::experiment) struct Work<'a> {
    pub(in crate::experiment) job: &'a Job,
    pub(in crate::experiment) design: &'a GapAnnealing,
    pub(in crate::experiment) ground: Ground<'a>,
    pub(in crate::experiment) seed: u64,
    pub(in crate::experiment) earlier: &'a FoundBy,
}

impl Work<'_> {
    pub(in crate::experiment) fn rung(&self, rung: usize) -> &str {
        &self.ground.inputs.plan.rungs[rung].name
    }

    pub(in crate::experiment) fn training(&self, rung: usize, rank: usize, name: &str) -> Training {
        let seed = self.ground.inputs.plan.seed(self.seed, name);
        Training { rung, rank, steps: self.design.steps, plan: BOTH, seed }
    }

    pub(in crate::experiment) fn strongest_rank(&self) -> usize {
        self.design.rank.last().copied().unwrap_or(1)
    }

    /// The weakest rung, trained on its own gold labels.
    pub(in crate::experiment) fn supervisor(&self) -> Result<Student, String> {
        let lesson = self.ground.gold(Part::Teacher)?;
        self.ground.train(&lesson, self.training(0, self.strongest_rank(), TEACHER))
    }

    pub(in crate::experiment) fn failed(&self, cell: &str, metrics: &[&str], why: &str) -> Vec<Row> {
        let row =
            |metric: &&str| Row::new(cell, Some(self.seed), metric, "share", 0, Err::<Estimate, _>(why));
        metrics.iter().map(row).collect()
    }

    /// Tests a student on both objectives; what fails is a row.
    fn test(&self, found: &mut Found, cell: &str, student: Result<Student, String>) {
        let outcome = student.and_then(|student| {
            for (head, metric) in Head::BOTH.into_iter().zip([COMPETENCE, CONFORMITY]) {
                self.ground.test(found, &student, (cell, metric), head, self.seed)?;
            }
            Ok(())
        });
        if let Err(why) = outcome {
            found.rows.extend(self.failed(cell, &[COMPETENCE, CONFORMITY], &why));
        }
    }

    /// A rung with every rank, trained on the supervisor's gold labels: the capacities that policies go by.
    fn capacities(&self) -> Found {
        let mut found = Found::default();
        let (rung, plan) = (self.job.rung, self.ground.inputs.plan);
        if rung == 0 {
            self.test(&mut found, TEACHER, self.supervisor());
        }
        if rung + 1 == plan.rungs.len() {
            let lesson = self.ground.gold(Part::Student);
            let how = self.training(rung, self.strongest_rank(), CEILING);
            self.test(&mut found, CEILING, lesson.and_then(|lesson| self.ground.train(&lesson, how)));
        }
        for (_, rank) in candidates(plan, self.design).into_iter().filter(|(own, _)| *own == rung) {
            let cell = candidate_cell(self.rung(rung), rank);
            let scores = self.ground.gold(Part::Teacher).and_then(|lesson| {
                let student = self.ground.train(&lesson, self.training(rung, rank, &cell))?;
                self.ground.validated(&student)
            });
            self.scored(&mut found, &cell, &scores);
        }
        found
    }

    /// Rows with the validated scores of a student.
    fn scored(&self, found: &mut Found, cell: &str, scores: &Result<Scores, String>) {
        for (head, metric) in Head::BOTH.into_iter().zip([COMPETENCE, CONFORMITY]) {
            let outcome = scores.as_ref().map_err(Clone::clone).and_then(|scores| {
                let draws = if head == Head::Competence { &scores.competence } else { &scores.conformity };
                draws.estimate(self.ground.inputs.plan.bootstrap.level).map_err(|e| e.to_string())
            });
            let n = self.ground.truth(Part::Validation, head).map_or(0, |truth| truth.len());
            found.rows.push(Row::new(cell, Some(self.seed), metric, "share", n, outcome));
        }
    }

    /// A rung as student of every weaker one, for the steps of one round: what the calibration is fitted to.
    fn pilot(&self) -> Found {
        let mut found = Found::default();
        let plan = self.ground.inputs.plan;
        let (ground, rung) = (self.ground, self.job.rung);
        let n = ground.truth(Part::Validation, Head::Competence).map_or(0, |truth| truth.len());
        let short = |rung: usize, rank: usize, name: &str| Training {
            steps: self.design.steps / self.design.rounds,
            ..self.training(rung, rank, name)
        };
        let gold = ground.gold(Part::Teacher);
        let taught_by_gold = |rung: usize, rank: usize| {
            let how = short(rung, rank, &format!("pilot={rung}/rank={rank}"));
            ground.train(gold.as_ref().map_err(Clone::clone)?, how)
        };
        let ceilings: Vec<Result<Scores, String>> = if rung > 0 {
            let ceiling = |&rank: &usize| ground.validated(&taught_by_gold(rung, rank)?);
            self.design.rank.iter().map(ceiling).collect()
        } else {
            Vec::new()
        };
        for weaker in 0..rung {
            let teacher = taught_by_gold(weaker, self.strongest_rank());
            let lesson = teacher.as_ref().map_err(Clone::clone).and_then(|teacher| {
                let [competence, conformity] = Head::BOTH.map(|head| first(self.pool(head, 1)?));
                Ok((
                    ground.taught(Part::Student, [competence?, conformity?], teacher)?,
                    ground.validated(teacher)?,
                ))
            });
            for (&rank, ceiling) in self.design.rank.iter().zip(&ceilings) {
                let cell = self.pilot_cell(weaker, rung, rank);
                let pair = || -> Result<[Draws; 2], String> {
                    let (lesson, weak) = lesson.as_ref().map_err(Clone::clone)?;
                    let student = ground.validated(&ground.train(lesson, short(rung, rank, &cell))?)?;
                    let minus = |scores: &Scores| {
                        scores.competence.minus(&weak.competence).map_err(|e| e.to_string())
                    };
                    Ok([minus(ceiling.as_ref().map_err(Clone::clone)?)?, minus(&student)?])
                };
                let pair = pair();
                for (metric, which) in [(PILOT_GAP, 0), (PILOT_GAIN, 1)] {
                    let outcome = pair.as_ref().map_err(Clone::clone).and_then(|pair| {
                        pair[which].estimate(plan.bootstrap.level).map_err(|e| e.to_string())
                    });
                    found.rows.push(Row::new(&*cell, Some(self.seed), metric, "difference", n, outcome));
                }
            }
        }
        found
    }

    /// The cell of a pair of the pilot.
    fn pilot_cell(&self, teacher: usize, student: usize, rank: usize) -> String {
        format!("teacher={}/{}", self.rung(teacher), candidate_cell(self.rung(student), rank))
    }

    /// The items of the student part, split by group into as many shares as there are rounds.
    pub(in crate::experiment) fn pool(&self, head: Head, rounds: usize) -> Result<Vec<Vec<usize>>, String> {
        let truth: Truth<'_> = self.ground.truth(Part::Student, head)?;
        let all = (0..truth.len()).collect();
        if rounds == 1 {
            return Ok(vec![all]);
        }
        let groups: Vec<&str> = truth.part.items.iter().map(|i| i.group.as_str()).collect();
        let shares = vec![1.0 / rounds as f64; rounds];
        let seed = self.ground.inputs.plan.seed(self.seed, "pool");
        split_by_group(&groups, &shares, seed).map_err(|e| e.to_string())
    }

    fn path(&self) -> Found {
        let policies = self.design.policy.iter();
        let named = policies.flat_map(|&policy| self.design.plan.iter().map(move |&plan| (policy, plan)));
        let own = |(policy, plan): &(PolicyName, PlanName)| {
            self.job.name == format!("{}/seed={}", path_cell(*policy, *plan), self.seed)
        };
        let mut found = Found::default();
        let Some((policy, plan)) = named.into_iter().find(own) else { return found };
        if let Err(why) = self.walk(&mut found, policy, plan) {
            let rounds = if policy == PolicyName::Direct { 1 } else { self.design.rounds };
            for round in 1..=rounds {
                let cell = round_cell(policy, plan, round);
                if !found.rows.iter().any(|row| row.cell == cell) {
                    found.rows.extend(self.failed(&cell, &[COMPETENCE, CONFORMITY], &why));
                }
            }
        }
        found
    }

    /// Walks a path to its end, writing down every round.
    fn walk(&self, found: &mut Found, policy: PolicyName, plan: PlanName) -> Result<(), String> {
        let (ground, design) = (self.ground, self.design);
        let mut teacher = self.supervisor()?;
        let config = Config {
            policy: self.policy(policy)?,
            rounds: design.rounds,
            budget: Budget { steps: design.steps as u64, labels: design.student as u64 },
            most_uses: design.most_uses,
            level: ground.inputs.plan.bootstrap.level,
            teacher: ground.validated(&teacher)?,
        };
        let list = candidates(ground.inputs.plan, design);
        let mut annealing = Annealing::new(config, self.candidates(&list)?).map_err(|e| e.to_string())?;
        let [competence, conformity] = Head::BOTH.map(|head| self.pool(head, annealing.rounds()));
        let (competence, conformity) = (competence?, conformity?);
        while let Some(round) = annealing.next() {
            let (rung, rank) = list[round.candidate];
            let cell = round_cell(policy, plan, round.number + 1);
            let items = [competence[round.number].clone(), conformity[round.number].clone()];
            let lesson = ground.taught(Part::Student, items, &teacher)?;
            let steps = usize::try_from(round.budget.steps).unwrap_or(usize::MAX);
            let how = Training {
                steps,
                plan: plan.plan(),
                ..self.training(rung, rank, &format!("round={}", round.number))
            };
            let student = ground.train(&lesson, how)?;
            let alone = ground.train(&lesson, Training { plan: Plan::CompetenceOnly, ..how })?;
            for (head, metric) in Head::BOTH.into_iter().zip([COMPETENCE, CONFORMITY]) {
                ground.test(found, &student, (&cell, metric), head, self.seed)?;
            }
            let only = format!("{cell}/competence-only");
            ground.test(found, &alone, (&only, COMPETENCE), Head::Competence, self.seed)?;
            let outcome = Outcome {
                scores: ground.validated(&student)?,
                competence_only: Some(ground.validated(&alone)?.competence),
            };
            let record = annealing.record(outcome).map_err(|e| e.to_string())?;
            self.write_down(found, &cell, record);
            teacher = student;
        }
        Ok(())
    }

    /// The rows of a round that say how it was chosen.
    pub(in crate::experiment) fn write_down(
        &self,
        found: &mut Found,
        cell: &str,
        record: &superalign_gap::annealing::Record,
    ) {
        let round = &record.round;
        let n = self.design.validation;
        let gap = Ok::<_, String>(round.gap);
        found.rows.push(Row::new(cell, Some(self.seed), PREDICTED, "difference", n, gap));
        let mut plain = |metric: &str, unit: &str, value: f64| {
            let exact = Ok::<_, String>(Estimate { value, lo: value, hi: value });
            found.rows.push(Row {
                lo: None,
                hi: None,
                ..Row::new(cell, Some(self.seed), metric, unit, n, exact)
            });
        };
        if let Some(target) = round.target {
            plain(TARGET, "difference", target);
        }
        plain(TAKEN, "place", round.candidate as f64);
        plain(REGRESSIONS, "count", record.regressions.len() as f64);
    }

    /// The candidates with the capacities that were measured.
    pub(in crate::experiment) fn candidates(
        &self,
        list: &[(usize, usize)],
    ) -> Result<Vec<Candidate>, String> {
        let plan = self.ground.inputs.plan;
        let candidate = |&(rung, rank): &(usize, usize)| {
            let cell = candidate_cell(self.rung(rung), rank);
            let capacity = self.measured(&cell, COMPETENCE)?;
            let features = plan.rungs[rung].model.width;
            let cost = (rank * (features + plan.learner.trunk.width)) as f64;
            Ok(Candidate {
                name: cell,
                rung,
                rank: Some(rank),
                width: Some(plan.learner.trunk.width),
                capacity,
                cost,
            })
        };
        list.iter().map(candidate).collect()
    }

    /// What an earlier job of this seed measured.
    fn measured(&self, cell: &str, metric: &str) -> Result<Estimate, String> {
        let mut rows = self.earlier.values().flat_map(|found| &found.rows);
        let row = rows.find(|r| r.cell == cell && r.metric == metric && r.seed == Some(self.seed));
        let row = row.ok_or_else(|| format!("{cell} was not measured"))?;
        row.estimate().ok_or_else(|| row.error.clone().unwrap_or_else(|| format!("{cell} has no value")))
    }

    pub(in crate::experiment) fn policy(&self, name: PolicyName) -> Result<Policy, String> {
        let (from, to) = (self.design.from, self.design.to);
        Ok(match name {
            PolicyName::Direct => Policy::Direct,
            PolicyName::FixedSteps => Policy::FixedSteps,
            PolicyName::Constant => Policy::Annealed(Schedule::Constant { gap: from }),
            PolicyName::Linear => Policy::Annealed(Schedule::Linear { from, to }),
            PolicyName::Cosine => Policy::Annealed(Schedule::Cosine { from, to }),
            PolicyName::Exponential => Policy::Annealed(Schedule::Exponential { from, to }),
            PolicyName::Reversed => Policy::Reversed(Schedule::Linear { from, to }),
            PolicyName::Random => Policy::Random(self.ground.inputs.plan.seed(self.seed, "random policy")),
            PolicyName::Adaptive => Policy::Annealed(Schedule::Adaptive {
                band: self.calibrated()?,
                confidence: Confidence::Value,
            }),
        })
    }

    /// The fitted gain of this seed's pilot.
    fn calibrated(&self) -> Result<Vec<(f64, Estimate)>, String> {
        let plan = self.ground.inputs.plan;
        let mut pairs = Vec::new();
        for student in 1..plan.rungs.len() {
            for teacher in 0..student {
                for &rank in &self.design.rank {
                    let cell = self.pilot_cell(teacher, student, rank);
                    let draws = |metric: &str| {
                        let e = self.measured(&cell, metric)?;
                        // Two standard errors a side at 95%; draws of one name belong together in no pair.
                        let error = ((e.hi - e.lo) / 3.92).max(1e-6);
                        let seed = plan.seed(self.seed, &format!("{cell}/{metric}"));
                        Draws::normal(e.value, error, plan.bootstrap.draws, seed).map_err(|e| e.to_string())
                    };
                    let (gamma, gain) = (draws(PILOT_GAP)?, draws(PILOT_GAIN)?);
                    pairs.push(Pair { teacher: teacher as u32, student: student as u32, gamma, gain });
                }
            }
        }
        let folds = if plan.rungs.len() > 3 { Folds::Teacher } else { Folds::Pair };
        let seed = plan.seed(self.seed, "calibration");
        let config = calibration::Config { folds, level: plan.bootstrap.level, seed };
        let found = calibrate(&pairs, &config).map_err(|e| format!("the pilot gives no calibration: {e}"))?;
        found.band(BAND).map_err(|e| e.to_string())
    }
}

/// The only share of a pool that is not divided.
fn first(shares: Vec<Vec<usize>>) -> Result<Vec<usize>, String> {
    shares.into_iter().next().ok_or_else(|| "the student part is empty".to_owned())
}
