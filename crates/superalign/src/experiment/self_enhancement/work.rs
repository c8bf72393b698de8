//! The jobs: a rung on its own paths, two rungs as peers.

use super::{
    CALLS, CHOSEN, CONFIDENCE, CONTRADICTED, CRITIQUES, EMBEDDING_COLLAPSE, KEPT, LABEL_COLLAPSE, LABELS,
    Path, REASONS, STOPPED, STUDENT, STUDENT_VERDICTS, TEST, TEST_VERDICTS, UNANIMITY, WITHOUT_STUDENT,
    ceiling_cell, plain_cell, task_numbers, views,
};
use crate::experiment::score::{Speaker, Truth, bootstrap, drawn, item_rows};
use crate::experiment::{Found, Inputs, Job, probe_config};
use crate::plan::Part;
use crate::record::Row;
use crate::spec::{LossName, SelfEnhancement, VariantName};
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate, stack};
use superalign_core::Estimate;
use superalign_learner::fit;
use superalign_paradigm::Cost;
use superalign_paradigm::self_enhancement::{
    Balance, Config, Critique, Draws, End, Enhanced, Gate, Lessons, Member, Reason, Relabel, Round, StopRule,
    Student, View, consistency, enhance, first_collapse, upheld, verdict_log_odds, within_tasks,
};
use superalign_paradigm::{Paradigm, Source};

pub(super) fn run(job: &Job, design: &SelfEnhancement, inputs: &Inputs<'_>) -> Found {
    let seed = job.seed.unwrap_or_default();
    let work = Work { design, inputs, seed };
    let rungs = inputs.plan.rungs.len();
    if let Some(names) = job.name.strip_prefix("peers=") {
        let other = (job.rung + 1..rungs)
            .find(|&other| names.starts_with(&format!("{}+{}/", work.name(job.rung), work.name(other))));
        return other.map_or_else(Found::default, |other| work.peers([job.rung, other]));
    }
    work.alone(job.rung)
}

/// The positions of the items that a seed draws, in order.
pub(super) fn items_of(
    design: &SelfEnhancement,
    inputs: &Inputs<'_>,
    truth: &Truth<'_>,
    seed: u64,
) -> Result<Vec<usize>, String> {
    let mut chosen = drawn(truth, design.resample, inputs.plan.seed(seed, STUDENT[0]))?;
    chosen.sort_unstable();
    Ok(chosen)
}

/// When a signal of this design counts as collapsed.
pub(super) fn stop_rule(design: &SelfEnhancement) -> StopRule {
    StopRule { labels: design.stop_labels, embeddings: design.stop_embeddings, rarer: design.stop_rarer }
}

struct Work<'a> {
    design: &'a SelfEnhancement,
    inputs: &'a Inputs<'a>,
    seed: u64,
}

/// The items that a seed draws.
struct Ground {
    chosen: Vec<usize>,
    items: Vec<String>,
    tasks: Vec<u32>,
    /// The part with these items alone.
    part: Part,
}

/// What a rung has been asked about them, and the features of every view.
struct Read {
    features: Vec<Array2<f32>>,
    log_odds: Array2<f64>,
    critique: Option<Array2<f64>>,
    asked: Vec<String>,
    /// What its verdicts cost, and its criticism.
    cost: [Cost; 2],
}

impl<'a> Work<'a> {
    fn name(&self, rung: usize) -> &'a str {
        &self.inputs.plan.rungs[rung].name
    }

    fn failed(&self, cell: &str, why: &str) -> Row {
        Row::new(cell, Some(self.seed), TEST, "share", 0, Err::<Estimate, _>(why))
    }

    fn ground(&self) -> Result<Ground, String> {
        let truth = Truth::of(self.inputs.parts, STUDENT[0])?;
        let chosen = items_of(self.design, self.inputs, &truth, self.seed)?;
        let groups: Vec<u32> = chosen.iter().map(|&i| truth.groups[i]).collect();
        let part = Part {
            name: truth.part.name,
            role: truth.part.role,
            items: chosen.iter().map(|&i| truth.part.items[i].clone()).collect(),
            prompts: Vec::new(),
            cases: Vec::new(),
        };
        // Names of items can say which candidate is right, and draws and ties follow from names: places do not.
        let items = chosen.iter().map(ToString::to_string).collect();
        Ok(Ground { tasks: task_numbers(&groups), items, part, chosen })
    }

    fn read(&self, rung: usize, ground: &Ground) -> Result<Read, String> {
        let features = &self.inputs.features[rung];
        let many = views(self.inputs.parts);
        let answers = |name: &str| {
            let said = features.answers(name)?;
            let said: Vec<_> = ground.chosen.iter().map(|&i| said[i].clone()).collect();
            verdict_log_odds(&said).map_err(|e| e.to_string())
        };
        let columns: Vec<Array1<f64>> =
            STUDENT_VERDICTS[..many].iter().map(|name| answers(name)).collect::<Result<_, _>>()?;
        let critique = if self.design.variant.contains(&VariantName::Critique) {
            Some(upheld(&answers(CRITIQUES[0])?, &answers(CRITIQUES[1])?))
        } else {
            None
        };
        let asked = |times: usize| Cost { calls: (times * ground.items.len()) as u64, ..Cost::default() };
        let of = |name: &&str| Ok(features.part(name)?.select(Axis(0), &ground.chosen));
        Ok(Read {
            features: STUDENT[..many].iter().map(of).collect::<Result<_, String>>()?,
            log_odds: side_by_side(&columns)?,
            critique,
            asked: view_names(many),
            cost: [asked(many), asked(CRITIQUES.len())],
        })
    }

    /// The ceiling, the plain verdict, and the paths that a rung goes alone.
    fn alone(&self, rung: usize) -> Found {
        let mut found = Found::default();
        let paths = self.design.paths(self.inputs.plan.rungs.len(), rung);
        let (ceiling, plain) = (ceiling_cell(self.name(rung)), plain_cell(self.name(rung)));
        let ready = self.ground().and_then(|ground| Ok((self.read(rung, &ground)?, ground)));
        let (read, ground) = match ready {
            Ok(ready) => ready,
            Err(why) => {
                found.rows.extend([&ceiling, &plain].map(|cell| self.failed(cell, &why)));
                let alone = paths.iter().filter(|path| path.peer.is_none());
                found.rows.extend(alone.map(|path| self.failed(&path.cell(self.inputs.plan), &why)));
                return found;
            }
        };
        for (cell, said) in [
            (&ceiling, self.ceiling(rung, &read, &ground)),
            (&plain, self.zero_shot(rung, 1, VariantName::Alone)),
        ] {
            if let Err(why) = said.and_then(|said| self.test(&mut found, rung, cell, &said)) {
                found.rows.push(self.failed(cell, &why));
            }
        }
        if let Some(upheld) = &read.critique {
            let own = read.log_odds.column(0);
            let against = own.iter().zip(upheld.outer_iter());
            let against = against.filter(|(z, holds)| holds[usize::from(**z >= 0.0)] < 0.5).count();
            found.rows.push(self.number(
                &plain,
                CONTRADICTED,
                "share",
                own.len(),
                against as f64 / own.len() as f64,
            ));
        }
        for path in paths.iter().filter(|path| path.peer.is_none()) {
            let outcome = self.path(&mut found, &[path], &[&read], &ground);
            if let Err(why) = outcome {
                found.rows.push(self.failed(&path.cell(self.inputs.plan), &why));
            }
        }
        found
    }

    /// Two rungs that teach each other.
    fn peers(&self, rungs: [usize; 2]) -> Found {
        let mut found = Found::default();
        let ready = self.ground().and_then(|ground| {
            let [one, other] = rungs;
            Ok((self.read(one, &ground)?, self.read(other, &ground)?, ground))
        });
        for &variant in self.design.variant.iter().filter(|variant| variant.takes_two()) {
            let path = |own: usize| Path { rung: rungs[own], variant, peer: Some(rungs[1 - own]) };
            let paths = [path(0), path(1)];
            let outcome = ready.as_ref().map_err(Clone::clone).and_then(|(one, other, ground)| {
                self.path(&mut found, &[&paths[0], &paths[1]], &[one, other], ground)
            });
            if let Err(why) = outcome {
                found.rows.extend(paths.iter().map(|path| self.failed(&path.cell(self.inputs.plan), &why)));
            }
        }
        found
    }

    /// A probe on gold labels of the same items, in all views.
    fn ceiling(&self, rung: usize, read: &Read, ground: &Ground) -> Result<Vec<f64>, String> {
        let views: Vec<_> = read.features.iter().map(|view| view.view()).collect();
        let x = concatenate(Axis(0), &views).map_err(|e| e.to_string())?;
        let truth = Truth::of(self.inputs.parts, STUDENT[0])?;
        let gold = ground.chosen.iter().map(|&i| f64::from(u8::from(truth.ceiling()[i])));
        let y: Array1<f64> = views.iter().flat_map(|_| gold.clone()).collect();
        let probe = fit(x.view(), y.view(), &probe_config(self.inputs.plan, LossName::Xent));
        let test = self.inputs.features[rung].part("test")?;
        let said = probe.and_then(|probe| probe.probabilities(test)).map_err(|e| e.to_string())?;
        Ok(said.to_vec())
    }

    /// What a rung says of the test items under the first views, without training.
    fn zero_shot(&self, rung: usize, views: usize, variant: VariantName) -> Result<Vec<f64>, String> {
        let features = &self.inputs.features[rung];
        let said = |name: &&str| verdict_log_odds(features.answers(name)?).map_err(|e| e.to_string());
        let columns: Vec<Array1<f64>> = TEST_VERDICTS[..views].iter().map(said).collect::<Result<_, _>>()?;
        let truth = Truth::of(self.inputs.parts, "test")?;
        let log_odds = self.within(side_by_side(&columns)?, &truth, variant)?;
        let items: Vec<String> = (0..truth.len()).map(|i| i.to_string()).collect();
        let source = |view: &String| Source {
            view: Some(view.clone()),
            ..Source::new(view, Paradigm::SelfEnhancement, self.name(rung))
        };
        let sources: Vec<Source> = view_names(views).iter().map(source).collect();
        let seed = self.inputs.plan.seed(self.seed, "test-votes").named(self.name(rung));
        let signal =
            consistency(&items, &sources, log_odds.view(), &self.design.temperature, self.draws(), seed);
        Ok(signal.map_err(|e| e.to_string())?.labels().to_vec())
    }

    /// Log-odds as a variant takes them: of pairs, those within a task.
    fn within(
        &self,
        log_odds: Array2<f64>,
        truth: &Truth<'_>,
        variant: VariantName,
    ) -> Result<Array2<f64>, String> {
        match variant {
            VariantName::Pairs => {
                within_tasks(log_odds.view(), &task_numbers(&truth.groups)).map_err(|e| e.to_string())
            }
            _ => Ok(log_odds),
        }
    }

    fn draws(&self) -> Draws {
        if self.design.draws == 0 { Draws::Expected } else { Draws::Sampled(self.design.draws) }
    }

    fn config(&self, variant: VariantName) -> Config {
        let gate = |balance| Gate::Share { share: self.design.share, balance };
        let usual = Config {
            rounds: self.design.rounds,
            temperatures: self.design.temperature.clone(),
            draws: self.draws(),
            gate: gate(Balance::Equal),
            probe: probe_config(self.inputs.plan, LossName::Xent),
            stop: None,
            ..Config::default()
        };
        match variant {
            VariantName::Alone => Config { gate: Gate::All, ..usual },
            VariantName::Gated | VariantName::Peer => usual,
            VariantName::Exchange => Config { lessons: Lessons::Exchanged, ..usual },
            VariantName::Greedy => Config { gate: gate(Balance::Free), ..usual },
            VariantName::HeldOut => Config { relabel: Relabel::CrossFit(2), ..usual },
            VariantName::Critique => Config { critique: Critique::Drop, ..usual },
            VariantName::Pairs => Config { student: Student::Pairs, ..usual },
        }
    }

    /// Goes the paths of members that learn together, and records every round.
    fn path(
        &self,
        found: &mut Found,
        paths: &[&Path],
        reads: &[&Read],
        ground: &Ground,
    ) -> Result<(), String> {
        let variant = paths[0].variant;
        let views: Vec<Vec<View<'_>>> = reads
            .iter()
            .map(|read| {
                let named = read.asked.iter().zip(&read.features);
                named.map(|(name, features)| View { name, features: features.view() }).collect()
            })
            .collect();
        let members: Vec<Member<'_>> = paths
            .iter()
            .zip(reads)
            .zip(&views)
            .map(|((path, read), views)| Member {
                model: self.name(path.rung),
                views,
                asked: &read.asked,
                log_odds: read.log_odds.view(),
                critique: read.critique.as_ref().map(|upheld| upheld.view()),
                cost: match variant {
                    VariantName::Critique => read.cost[0].plus(read.cost[1]),
                    _ => read.cost[0],
                },
            })
            .collect();
        let seed = self.inputs.plan.seed(self.seed, "rounds");
        let all = enhance(&ground.items, &ground.tasks, &members, &self.config(variant), seed)
            .map_err(|e| e.to_string())?;
        let rule = stop_rule(self.design);
        // Peers stop together, at the first of them that has collapsed.
        let first = all.iter().filter_map(|one| Some(first_collapse(&one.rounds, &rule)?.0)).min();
        for (path, enhanced) in paths.iter().zip(&all) {
            self.record(found, path, enhanced, first, ground)?;
        }
        Ok(())
    }

    fn record(
        &self,
        found: &mut Found,
        path: &Path,
        enhanced: &Enhanced,
        stopped: Option<usize>,
        ground: &Ground,
    ) -> Result<(), String> {
        let (plan, rounds) = (self.inputs.plan, &enhanced.rounds);
        let cell = path.cell(plan);
        for number in 0..=self.design.rounds {
            let round = &rounds[number.min(rounds.len() - 1)];
            self.round(found, path, &path.round(plan, number), round, ground)?;
        }
        let last = rounds[rounds.len() - 1].signal.items().len();
        let chosen = stopped.map_or(self.design.rounds, |round| round.saturating_sub(1));
        let mut tell = |metric: &str, unit: &str, value: f64| {
            found.rows.push(self.number(&cell, metric, unit, last, value));
        };
        tell(CHOSEN, "round", chosen as f64);
        tell(STOPPED, "share", f64::from(u8::from(stopped.is_some())));
        let own =
            first_collapse(rounds, &stop_rule(self.design)).filter(|(round, _)| Some(*round) == stopped);
        let why = own.map(|(_, reason)| match reason {
            Reason::Labels { .. } => 0,
            Reason::Rarer { .. } => 1,
            Reason::Embeddings { .. } => 2,
        });
        for (place, metric) in REASONS.iter().enumerate() {
            tell(metric, "share", f64::from(u8::from(why == Some(place))));
        }
        tell(WITHOUT_STUDENT, "share", f64::from(u8::from(matches!(enhanced.end, End::NoStudent(_)))));
        tell(CALLS, "questions", rounds[rounds.len() - 1].signal.cost().calls as f64);
        Ok(())
    }

    /// A round: its labels, what its student says of the test items, and its health.
    fn round(
        &self,
        found: &mut Found,
        path: &Path,
        cell: &str,
        round: &Round,
        ground: &Ground,
    ) -> Result<(), String> {
        let speaker = Speaker { model: self.name(path.rung), signal: cell, seed: self.seed };
        let labels = round.signal.labels().to_vec();
        let kept =
            |i: usize| round.kept.binary_search(&i).is_ok().then(|| f64::from(u8::from(labels[i] > 0.5)));
        found.items.extend(item_rows(&speaker, &ground.part, &labels, kept));
        let groups = crate::experiment::score::group_numbers(&ground.part.items);
        let truth = Truth::of(self.inputs.parts, STUDENT[0])?;
        let judged = labels.iter().zip(&ground.chosen);
        let right: Vec<bool> = judged.map(|(p, &i)| (*p >= 0.5) == truth.evaluation()[i]).collect();
        let by = bootstrap(self.inputs.plan, &format!("{cell}/{LABELS}/{}", self.seed));
        let outcome = superalign_gap::capability(&right, Some(&groups), &by);
        found.rows.push(Row::new(cell, Some(self.seed), LABELS, "share", right.len(), outcome));
        let said = match &round.student {
            None => self.zero_shot(path.rung, views(self.inputs.parts), path.variant)?,
            Some(student) => {
                let x: ArrayView2<'_, f32> = self.inputs.features[path.rung].part("test")?;
                let logits = student.logits(x).map_err(|e| e.to_string())?;
                let truth = Truth::of(self.inputs.parts, "test")?;
                let logits = self.within(logits.insert_axis(Axis(1)), &truth, path.variant)?;
                logits.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect()
            }
        };
        self.test(found, path.rung, cell, &said)?;
        let (health, n) = (&round.health, labels.len());
        let mut tell =
            |metric: &str, unit: &str, value: f64| found.rows.push(self.number(cell, metric, unit, n, value));
        tell(LABEL_COLLAPSE, "index", health.label_collapse);
        if let Some(index) = health.embedding_collapse {
            tell(EMBEDDING_COLLAPSE, "index", index);
        }
        tell(CONFIDENCE, "share", health.confidence);
        tell(UNANIMITY, "share", health.unanimity);
        tell(KEPT, "share", round.kept.len() as f64 / n as f64);
        Ok(())
    }

    /// Rows and items of what somebody says of the test part.
    fn test(&self, found: &mut Found, rung: usize, cell: &str, said: &[f64]) -> Result<(), String> {
        let truth = Truth::of(self.inputs.parts, "test")?;
        let by = bootstrap(self.inputs.plan, &format!("{cell}/{TEST}/{}", self.seed));
        let outcome = superalign_gap::capability(&truth.correct(said), Some(&truth.groups), &by);
        found.rows.push(Row::new(cell, Some(self.seed), TEST, "share", said.len(), outcome));
        let speaker = Speaker { model: self.name(rung), signal: cell, seed: self.seed };
        found.items.extend(item_rows(&speaker, truth.part, said, |_| None));
        Ok(())
    }

    /// A number of this seed that has no interval.
    fn number(&self, cell: &str, metric: &str, unit: &str, n: usize, value: f64) -> Row {
        let estimate = Estimate { value, lo: value, hi: value };
        let row = Row::new(cell, Some(self.seed), metric, unit, n, Ok::<_, String>(estimate));
        Row { lo: None, hi: None, ..row }
    }
}

/// `plain`, then the others.
fn view_names(many: usize) -> Vec<String> {
    (0..many).map(|view| if view == 0 { "plain".to_owned() } else { format!("reordered-{view}") }).collect()
}

fn side_by_side(columns: &[Array1<f64>]) -> Result<Array2<f64>, String> {
    let columns: Vec<_> = columns.iter().map(|column| column.view()).collect();
    stack(Axis(1), &columns).map_err(|e| e.to_string())
}
