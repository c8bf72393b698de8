//! The rounds: signal, gate, student, next signal.

use super::gate::{Kept, hardened, keep};
use super::health::health;
use super::votes::{by_task, consistency, within_tasks};
use super::{Config, Health, Lessons, Reason, Relabel, Student, Targets};
use crate::{Cost, Paradigm, ParadigmError, Signal, Source};
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};
use std::borrow::Cow;
use superalign_core::Seed;
use superalign_learner::{PositionBias, Probe, fit, fit_pairs};

/// A model that enhances itself or its peers, as far as it has been read.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Its name.
    pub model: &'a str,
    /// Its features of the items, at least one view.
    pub views: &'a [View<'a>],
    /// Names of the columns of `log_odds`: the views under which it was asked.
    pub asked: &'a [String],
    /// Its own verdicts: ln p(right) / p(wrong), `(items, asked)`. See [`super::ask_verdicts`].
    pub log_odds: ArrayView2<'a, f64>,
    /// Its criticism `(items, 2)`: the probability that the verdict `wrong` holds of an item where that was its verdict,
    /// and `right` likewise. Needed where labels are criticised. See [`super::ask_critiques`].
    pub critique: Option<ArrayView2<'a, f64>>,
    /// What asking it cost.
    pub cost: Cost,
}

/// The features of the items under one view.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Its name.
    pub name: &'a str,
    /// The features, `(items, width)`.
    pub features: ArrayView2<'a, f32>,
}

/// What came of a member.
#[derive(Clone, Debug)]
pub struct Enhanced {
    /// Round 0, its own verdicts, and one round for each student.
    pub rounds: Vec<Round>,
    /// Why there is no further round.
    pub end: End,
}

/// A student and what it says of the items.
#[derive(Clone, Debug)]
pub struct Round {
    /// What is said of all items.
    pub signal: Signal,
    /// Who says it: none in round 0. A student of pairs has no intercept, and its logits compare within a task.
    pub student: Option<Probe>,
    /// The items whose labels the gate keeps of this signal, by their places, in order: they train the next student (a
    /// peer's, where there are peers).
    pub kept: Vec<usize>,
    /// What the signal is like.
    pub health: Health,
}

/// Why the rounds ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// All were done.
    Rounds,
    /// The last signal counts as collapsed.
    Collapse(Reason),
    /// That of a peer does.
    Peer,
    /// There was nothing to train a student on.
    NoStudent(Cow<'static, str>),
}

impl Enhanced {
    /// The round to be used: the last, or the one before it where the last signal counts as collapsed.
    #[must_use]
    pub fn chosen(&self) -> usize {
        let last = self.rounds.len() - 1;
        if let End::Collapse(_) = self.end { last.saturating_sub(1) } else { last }
    }
}

/// Rounds of self-labelling; see the [module](super) for what a round is.
///
/// `items` are named; `tasks` are numbers that the candidates of one task share (a number each where there are no
/// tasks). One member teaches itself; of several each is taught what all of them keep, or the others ([`Lessons`]): an
/// item's target is the mean label of those that keep it. One [`Enhanced`] for each member, in their order.
///
/// Neither the order of items nor, beyond rounding, that of views changes what is said of an item. Students are
/// trained on the features of all views of the items kept.
///
/// # Errors
/// A setting out of its range; no items, members, or views; sizes that do not belong together; log-odds that are not
/// finite; criticism that is asked for and lacks; labels that are all one half; what the learner refuses.
/// Labels of one class are no error: the rounds end with [`End::NoStudent`].
///
/// ```
/// use ndarray::{Array2, array};
/// use superalign_core::Seed;
/// use superalign_paradigm::Cost;
/// use superalign_paradigm::self_enhancement::{Config, End, Member, View, enhance};
///
/// // The first feature holds the truth; the model's own verdict is wrong on every fifth item.
/// let truth = |i: usize| if i % 2 == 0 { 1.0 } else { -1.0 };
/// let features = Array2::from_shape_fn((100, 2), |(i, j)| if j == 0 { truth(i) as f32 } else { (i % 7) as f32 });
/// let log_odds = Array2::from_shape_fn((100, 1), |(i, _)| truth(i) * if i % 5 == 0 { -0.5 } else { 0.5 + i as f64 / 100.0 });
/// let items: Vec<String> = (0..100).map(|i| i.to_string()).collect();
/// let tasks: Vec<u32> = (0..100).map(|i| i / 2).collect();
/// let views = [View { name: "plain", features: features.view() }];
/// let member = Member {
///     model: "m", views: &views, asked: &["plain".into()], log_odds: log_odds.view(), critique: None, cost: Cost::default(),
/// };
/// let found = &enhance(&items, &tasks, &[member], &Config::default(), Seed::new(1))?[0];
/// let wrong = |round: usize| {
///     found.rounds[round].signal.labels().iter().enumerate().filter(|(i, p)| (**p > 0.5) != (truth(*i) > 0.0)).count()
/// };
/// assert_eq!((found.end.clone(), wrong(0), wrong(1)), (End::Rounds, 20, 0));
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
pub fn enhance(
    items: &[String],
    tasks: &[u32],
    members: &[Member<'_>],
    config: &Config,
    seed: Seed,
) -> Result<Vec<Enhanced>, ParadigmError> {
    config.check()?;
    check(items, tasks, members, config)?;
    let work = Work { items, tasks, members, config, seed };
    let mut all: Vec<(Enhanced, Kept)> = Vec::new();
    for member in members {
        let (round, kept) = work.round(member, 0, member.log_odds, member.asked, None, None)?;
        all.push((Enhanced { rounds: vec![round], end: End::Rounds }, kept));
    }
    for number in 1..=config.rounds + 1 {
        if stopped(&mut all, config) || number > config.rounds {
            break;
        }
        let lessons: Vec<Kept> = (0..members.len()).map(|own| lesson(&all, own, config.lessons)).collect();
        let mut students = Vec::new();
        for (own, (member, lesson)) in members.iter().zip(&lessons).enumerate() {
            match work.students(member, lesson)? {
                Ok(found) => students.push(found),
                Err(why) => {
                    // A peer's student is as missing to this member as its own.
                    for (place, (enhanced, _)) in all.iter_mut().enumerate() {
                        let why = if place == own { why.into() } else { format!("of a peer: {why}").into() };
                        enhanced.end = End::NoStudent(why);
                    }
                    return Ok(all.into_iter().map(|(enhanced, _)| enhanced).collect());
                }
            }
        }
        for ((member, (enhanced, kept)), (student, log_odds)) in members.iter().zip(&mut all).zip(students) {
            let names: Vec<String> = member.views.iter().map(|view| view.name.to_owned()).collect();
            let first = enhanced.rounds[0].health;
            let (round, now) =
                work.round(member, number, log_odds.view(), &names, Some(student), Some(&first))?;
            enhanced.rounds.push(round);
            *kept = now;
        }
    }
    Ok(all.into_iter().map(|(enhanced, _)| enhanced).collect())
}

/// Whether a signal has collapsed; says so in the ends.
fn stopped(all: &mut [(Enhanced, Kept)], config: &Config) -> bool {
    let Some(rule) = &config.stop else { return false };
    let reasons: Vec<Option<Reason>> = all
        .iter()
        .map(|(enhanced, _)| enhanced.rounds.last().and_then(|round| rule.collapsed(&round.health)))
        .collect();
    if reasons.iter().all(Option::is_none) {
        return false;
    }
    for ((enhanced, _), reason) in all.iter_mut().zip(reasons) {
        enhanced.end = reason.map_or(End::Peer, End::Collapse);
    }
    true
}

/// What a member is taught: its own labels where it is alone; else the mean of what all keep, or the others.
fn lesson(all: &[(Enhanced, Kept)], own: usize, lessons: Lessons) -> Kept {
    fn mean<K: Ord + Copy>(lists: &[&Vec<(K, f64)>]) -> Vec<(K, f64)> {
        let mut sums = std::collections::BTreeMap::<K, (f64, f64)>::new();
        for (what, p) in lists.iter().copied().flatten() {
            let sum = sums.entry(*what).or_default();
            *sum = (sum.0 + p, sum.1 + 1.0);
        }
        let means = sums.into_iter().map(|(what, (sum, count))| (what, sum / count));
        // Peers who contradict each other to the hair teach nothing.
        means.filter(|(_, p)| hardened(*p).is_some()).collect()
    }
    if all.len() == 1 {
        return all[0].1.clone();
    }
    let teaches = |place: usize| lessons == Lessons::Shared || place != own;
    let (mut items, mut pairs) = (Vec::new(), Vec::new());
    for (_, (_, kept)) in all.iter().enumerate().filter(|(place, _)| teaches(*place)) {
        match kept {
            Kept::Items(kept) => items.push(kept),
            Kept::Pairs(kept) => pairs.push(kept),
        }
    }
    if pairs.is_empty() { Kept::Items(mean(&items)) } else { Kept::Pairs(mean(&pairs)) }
}

struct Work<'a, 'm> {
    items: &'a [String],
    tasks: &'a [u32],
    members: &'a [Member<'m>],
    config: &'a Config,
    seed: Seed,
}

/// A student, and what it says of every item under every view; or why there is none.
type Taught = Result<(Probe, Array2<f64>), &'static str>;

impl Work<'_, '_> {
    /// The signal of these log-odds, what is kept of it, and its health.
    fn round(
        &self,
        member: &Member<'_>,
        number: usize,
        log_odds: ArrayView2<'_, f64>,
        names: &[String],
        student: Option<Probe>,
        first: Option<&Health>,
    ) -> Result<(Round, Kept), ParadigmError> {
        let seed = self.seed.named(member.model).nth(number as u64);
        let source = |name: &String| Source {
            name: match number {
                0 => format!("{}/{name}", member.model),
                _ => format!("{}/round={number}/{name}", member.model),
            },
            paradigm: Paradigm::SelfEnhancement,
            model: member.model.to_owned(),
            view: Some(name.clone()),
            seed: None,
        };
        let sources: Vec<Source> = names.iter().map(source).collect();
        let log_odds = match self.config.student {
            Student::Items => log_odds.to_owned(),
            Student::Pairs => within_tasks(log_odds, self.tasks)?,
        };
        let (temperatures, draws) = (&self.config.temperatures, self.config.draws);
        let cost = self.members.iter().fold(Cost::default(), |sum, member| sum.plus(member.cost));
        let signal =
            consistency(self.items, &sources, log_odds.view(), temperatures, draws, seed.named("votes"))?
                .costing(if number == 0 { member.cost } else { cost });
        let kept = keep(&signal, self.tasks, member.critique, self.config, seed.named("gate"));
        let health = health(&signal, &kept, member.views[0].features, first)?;
        Ok((Round { signal, student, kept: kept.items(), health }, kept))
    }

    /// Trains a member's student on a lesson.
    fn students(&self, member: &Member<'_>, lesson: &Kept) -> Result<Taught, ParadigmError> {
        let student = match self.train(member, lesson)? {
            Ok(student) => student,
            Err(why) => return Ok(Err(why)),
        };
        let mut log_odds = Array2::zeros((self.items.len(), member.views.len()));
        for (mut column, view) in log_odds.columns_mut().into_iter().zip(member.views) {
            column.assign(&student.logits(view.features)?);
        }
        let Relabel::CrossFit(folds) = self.config.relabel else { return Ok(Ok((student, log_odds))) };
        let fold = self.folds(folds);
        for number in 0..folds {
            let other = |i: usize| fold[i] != number;
            let part = match lesson {
                Kept::Items(kept) => Kept::Items(kept.iter().copied().filter(|(i, _)| other(*i)).collect()),
                Kept::Pairs(kept) => {
                    Kept::Pairs(kept.iter().copied().filter(|([i, _], _)| other(*i)).collect())
                }
            };
            let unseen = match self.train(member, &part)? {
                Ok(student) => student,
                Err(why) => return Ok(Err(why)),
            };
            let own: Vec<usize> = (0..self.items.len()).filter(|i| !other(*i)).collect();
            for (v, view) in member.views.iter().enumerate() {
                let said = unseen.logits(view.features.select(Axis(0), &own).view())?;
                for (&i, z) in own.iter().zip(said) {
                    log_odds[(i, v)] = z;
                }
            }
        }
        Ok(Ok((student, log_odds)))
    }

    /// The fold of each item: tasks in an order drawn from the seed, dealt out in turn.
    fn folds(&self, folds: usize) -> Vec<usize> {
        let seed = self.seed.named("folds");
        let mut tasks = by_task(self.tasks);
        tasks.sort_by_key(|members| seed.nth(u64::from(self.tasks[members[0]])).value());
        let mut fold = vec![0; self.items.len()];
        for (place, members) in tasks.iter().enumerate() {
            members.iter().for_each(|&i| fold[i] = place % folds);
        }
        fold
    }

    /// A student of a lesson, on all views of the items in it; or why there is none.
    fn train(
        &self,
        member: &Member<'_>,
        lesson: &Kept,
    ) -> Result<Result<Probe, &'static str>, ParadigmError> {
        let target = |p: f64| match self.config.targets {
            Targets::Soft => p,
            Targets::Hard => f64::from(u8::from(p > 0.5)),
        };
        let stacked = |places: &[usize]| {
            let rows: Vec<_> =
                member.views.iter().map(|view| view.features.select(Axis(0), places)).collect();
            let rows: Vec<_> = rows.iter().map(|rows| rows.view()).collect();
            // The views of a member have one width, which was checked.
            concatenate(Axis(0), &rows).unwrap_or_default()
        };
        let many = member.views.len();
        match lesson {
            Kept::Items(kept) => {
                let right = kept.iter().filter(|(_, p)| *p > 0.5).count();
                if right == 0 || right == kept.len() {
                    return Ok(Err("the labels kept are of one class"));
                }
                let places: Vec<usize> = kept.iter().map(|(i, _)| *i).collect();
                let y: Array1<f64> = (0..many).flat_map(|_| kept.iter().map(|(_, p)| target(*p))).collect();
                Ok(Ok(fit(stacked(&places).view(), y.view(), &self.config.probe)?))
            }
            Kept::Pairs(kept) => {
                if kept.len() * many < 2 {
                    return Ok(Err("fewer than two pairs are kept"));
                }
                let side = |n: usize| stacked(&kept.iter().map(|(pair, _)| pair[n]).collect::<Vec<_>>());
                let y: Array1<f64> = (0..many).flat_map(|_| kept.iter().map(|(_, p)| target(*p))).collect();
                let y = y.insert_axis(Axis(1));
                let (first, second) = (side(0), side(1));
                let mut found =
                    fit_pairs(first.view(), second.view(), y.view(), PositionBias::None, &self.config.probe);
                match found.pop() {
                    Some(student) => Ok(Ok(student?)),
                    None => Ok(Err("the learner gave no student")),
                }
            }
        }
    }
}

fn check(
    items: &[String],
    tasks: &[u32],
    members: &[Member<'_>],
    config: &Config,
) -> Result<(), ParadigmError> {
    let n = items.len();
    for (what, found, expected) in [("items", n, 2), ("members", members.len(), 1)] {
        if found < expected {
            return Err(ParadigmError::TooFew { what, found, expected });
        }
    }
    let same = |what: &'static str, found: usize, expected: usize| {
        if found == expected { Ok(()) } else { Err(ParadigmError::Shape { what, found, expected }) }
    };
    same("number of tasks", tasks.len(), n)?;
    for member in members {
        if member.views.is_empty() {
            return Err(ParadigmError::TooFew { what: "views", found: 0, expected: 1 });
        }
        for view in member.views {
            same("number of rows of features", view.features.nrows(), n)?;
            same("width of the features of a view", view.features.ncols(), member.views[0].features.ncols())?;
        }
        same("number of rows of log-odds", member.log_odds.nrows(), n)?;
        same("number of columns of log-odds", member.log_odds.ncols(), member.asked.len())?;
        if let Some(upheld) = member.critique {
            same("number of rows of the critique", upheld.nrows(), n)?;
            same("number of columns of the critique", upheld.ncols(), 2)?;
            crate::signal::in_unit("critique", upheld.iter())?;
        } else if config.critique != super::Critique::None {
            return Err(ParadigmError::Undefined {
                what: "critique",
                reason: format!("{} has not criticised its verdicts", member.model).into(),
            });
        }
    }
    Ok(())
}
