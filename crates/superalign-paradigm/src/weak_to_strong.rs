//! Weak-to-strong generalization: weaker teachers label, a stronger student learns from the labels.
//!
//! A teacher's votes are a [`Signal`] ([`teach`], or [`Signal::mean`] of votes that are there already). Between it and the
//! student stand the recipes of this file, each of which makes a signal of signals and features:
//!
//! | function | what it does |
//! |---|---|
//! | [`teach`] | one or several trained probes vote on new items |
//! | [`climb`] | every rung learns from the one below it and labels for the one above |
//! | [`confident`] | the items about which the signal is surest |
//! | [`agreed`] | the items on which its sources agree |
//! | [`self_train`] | the student learns, labels anew, and learns from what it is sure of |
//! | [`zero_shot`] | no supervision at all: what the model itself takes for the likelier verdict |
//!
//! Burns et al. 2023, "Weak-to-strong generalization: eliciting strong capabilities with weak supervision" (all pairs of
//! [`pairs`], bootstrapping, the weak label as sole supervision); self-training with a share of confident labels is that of
//! Lee 2013, class by class that of Zou et al. 2018.

use crate::{Cost, ParadigmError, Signal, Source};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use superalign_core::LogLikelihood;
use superalign_learner::{Probe, ProbeConfig, fit};

/// Every pair of a teacher and a student that is no weaker, among `rungs` from the weakest to the strongest: teacher 0
/// with all, and so on. A rung that teaches itself is among them.
///
/// ```
/// use superalign_paradigm::weak_to_strong::pairs;
/// assert_eq!(pairs(2).collect::<Vec<_>>(), [(0, 0), (0, 1), (1, 1)]);
/// ```
pub fn pairs(rungs: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rungs).flat_map(move |teacher| (teacher..rungs).map(move |student| (teacher, student)))
}

/// A trained teacher, and the items as it sees them.
#[derive(Clone, Debug)]
pub struct Teacher<'a> {
    /// Who it is.
    pub source: Source,
    /// The probe.
    pub probe: &'a Probe,
    /// The features `(n, d)` of the items to be labelled.
    pub features: ArrayView2<'a, f32>,
}

/// The signal of one or several teachers: their probabilities, and the mean of these.
///
/// ```
/// use ndarray::array;
/// use superalign_learner::Probe;
/// use superalign_paradigm::weak_to_strong::{Teacher, teach};
/// use superalign_paradigm::{Paradigm, Source};
///
/// let probe = Probe::new(array![1.0], 0.0);
/// let features = array![[2.0_f32], [0.0]];
/// let source = Source::new("weak", Paradigm::WeakToStrong, "rung-0");
/// let teacher = Teacher { source, probe: &probe, features: features.view() };
/// let signal = teach(vec!["a".into(), "b".into()], &[teacher])?;
/// assert!(signal.labels()[0] > 0.85 && signal.labels()[1] == 0.5);
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
///
/// # Errors
/// No teacher, no item, features that do not fit the items or the probe.
pub fn teach(items: Vec<String>, teachers: &[Teacher<'_>]) -> Result<Signal, ParadigmError> {
    let mut votes = Array2::zeros((items.len(), teachers.len()));
    for (teacher, mut votes) in teachers.iter().zip(votes.columns_mut()) {
        rows(teacher.features, items.len())?;
        votes.assign(&teacher.probe.probabilities(teacher.features)?);
    }
    let calls = (items.len() * teachers.len()) as u64;
    let sources = teachers.iter().map(|teacher| teacher.source.clone()).collect();
    Ok(Signal::mean(items, sources, votes)?.costing(Cost { calls, ..Cost::default() }))
}

/// A rung on the way up.
#[derive(Clone, Debug)]
pub struct Rung<'a> {
    /// Who it is.
    pub source: Source,
    /// The items that the rung below has labelled, as this rung sees them.
    pub learns: ArrayView2<'a, f32>,
    /// The items that it labels for the rung above: the same ones or fresh ones.
    pub labels: ArrayView2<'a, f32>,
    /// Their names.
    pub items: Vec<String>,
}

/// Bootstrapping along a ladder: the first rung learns from `first` and labels, the second learns from that and labels,
/// and so on. One signal per rung, each with one source; the last is what a student above all of them is taught by.
///
/// Each probe minimises the cross-entropy (or whatever `probe` says) against the soft labels of the one before. No rungs
/// give no signals: the student is taught by `first` directly.
///
/// # Errors
/// Features that do not fit the items; a probe that cannot be trained.
pub fn climb(first: &Signal, rungs: &[Rung<'_>], probe: &ProbeConfig) -> Result<Vec<Signal>, ParadigmError> {
    let mut signals: Vec<Signal> = Vec::with_capacity(rungs.len());
    for rung in rungs {
        let before = signals.last().unwrap_or(first);
        rows(rung.learns, before.items().len())?;
        rows(rung.labels, rung.items.len())?;
        let probe = fit(rung.learns, before.labels(), probe)?;
        let votes = probe.probabilities(rung.labels)?.insert_axis(Axis(1));
        let calls = rung.items.len() as u64;
        let cost = before.cost().plus(Cost { calls, ..Cost::default() });
        signals.push(Signal::mean(rung.items.clone(), vec![rung.source.clone()], votes)?.costing(cost));
    }
    Ok(signals)
}

/// How a filter treats the two classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Balance {
    /// The surest items, whatever their labels: one class may take all places.
    Free,
    /// The same number of items on either side of the signal's median label, as far as there are any: half of the
    /// places for the highest labels, half for the lowest.
    #[default]
    Even,
}

/// The places, rising, of the share `keep` of the items about which the signal is surest (at least one).
///
/// With [`Balance::Even`], the items of the highest and of the lowest labels in equal number; with [`Balance::Free`],
/// those of the greatest confidence. Of equals the earlier ones.
///
/// ```
/// use ndarray::array;
/// use superalign_paradigm::weak_to_strong::{Balance, confident};
/// use superalign_paradigm::{Paradigm, Signal, Source};
///
/// let items = (0..4).map(|i| i.to_string()).collect();
/// let source = Source::new("weak", Paradigm::WeakToStrong, "rung-0");
/// let signal = Signal::mean(items, vec![source], array![[0.9], [0.8], [0.6], [0.4]])?;
/// assert_eq!(confident(&signal, 0.5, Balance::Free)?, [0, 1]);
/// assert_eq!(confident(&signal, 0.5, Balance::Even)?, [0, 3]);
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
///
/// # Errors
/// A share outside (0, 1].
pub fn confident(signal: &Signal, keep: f64, balance: Balance) -> Result<Vec<usize>, ParadigmError> {
    if !(keep > 0.0 && keep <= 1.0) {
        return Err(ParadigmError::Setting {
            key: "keep",
            found: keep,
            expected: "a share in (0, 1]".into(),
        });
    }
    let n = signal.items().len();
    let count = ((keep * n as f64).round() as usize).clamp(1, n);
    let mut places: Vec<usize> = (0..n).collect();
    match balance {
        Balance::Free => {
            places.sort_by(|&a, &b| signal.confidence()[b].total_cmp(&signal.confidence()[a]));
            places.truncate(count);
        }
        Balance::Even => {
            places.sort_by(|&a, &b| signal.labels()[b].total_cmp(&signal.labels()[a]));
            let high = count.div_ceil(2);
            places.drain(high..n - (count - high));
        }
    }
    places.sort_unstable();
    Ok(places)
}

/// The places, rising, of the items on which at least the share `needed` of the sources gives the same verdict (yes from
/// one half on).
///
/// 1 asks for all; of one source every item is kept.
///
/// # Errors
/// A share outside [0.5, 1]; no item on which so many agree.
pub fn agreed(signal: &Signal, needed: f64) -> Result<Vec<usize>, ParadigmError> {
    if !(0.5..=1.0).contains(&needed) {
        let expected = "a share in [0.5, 1]".into();
        return Err(ParadigmError::Setting { key: "needed", found: needed, expected });
    }
    let k = signal.sources().len() as f64;
    let agrees = |row: ndarray::ArrayView1<'_, f64>| {
        let yes = row.iter().filter(|vote| **vote >= 0.5).count() as f64;
        yes.max(k - yes) / k + 1e-12 >= needed
    };
    let places: Vec<usize> = signal
        .votes()
        .rows()
        .into_iter()
        .enumerate()
        .filter(|(_, row)| agrees(*row))
        .map(|(i, _)| i)
        .collect();
    if places.is_empty() {
        return Err(ParadigmError::TooFew {
            what: "items on which enough sources agree",
            found: 0,
            expected: 1,
        });
    }
    Ok(places)
}

/// How a student trains itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelfTraining {
    /// Rounds after the first training, from 0; 2 by default.
    pub rounds: usize,
    /// The share of the items that a round learns from, in (0, 1]: those about which the student is surest. 0.5 by default.
    pub keep: f64,
    /// How these are divided between the classes.
    pub balance: Balance,
    /// How probes are trained.
    pub probe: ProbeConfig,
}

impl Default for SelfTraining {
    fn default() -> Self {
        Self { rounds: 2, keep: 0.5, balance: Balance::Even, probe: ProbeConfig::default() }
    }
}

/// What self-training comes to.
#[derive(Clone, Debug)]
pub struct SelfTrained {
    /// The student after every training: the first has learnt from the teacher's signal, the others from the signal of
    /// the student before.
    pub probes: Vec<Probe>,
    /// What each of them says of the items.
    pub signals: Vec<Signal>,
}

/// Self-training: the student learns from the signal, labels the same items anew, and learns from the share of them
/// about which it is surest, round after round.
///
/// `features` are those of the signal's items, `(n, d)`, and `student` is who it is. Labels stay soft. As many probes and
/// signals as rounds, plus one.
///
/// # Errors
/// Features that do not fit the items; a probe that cannot be trained (labels that are all the same); settings out of
/// their ranges.
pub fn self_train(
    signal: &Signal,
    features: ArrayView2<'_, f32>,
    student: &Source,
    config: &SelfTraining,
) -> Result<SelfTrained, ParadigmError> {
    rows(features, signal.items().len())?;
    let says = |probe: &Probe, before: &Signal| -> Result<Signal, ParadigmError> {
        let votes = probe.probabilities(features)?.insert_axis(Axis(1));
        let cost = before.cost().plus(Cost { calls: before.items().len() as u64, ..Cost::default() });
        Ok(Signal::mean(before.items().to_vec(), vec![student.clone()], votes)?.costing(cost))
    };
    let first = fit(features, signal.labels(), &config.probe)?;
    let mut found = SelfTrained { signals: vec![says(&first, signal)?], probes: vec![first] };
    for round in 0..config.rounds {
        let before = &found.signals[round];
        let places = confident(before, config.keep, config.balance)?;
        let labels = before.labels().select(Axis(0), &places);
        let probe = fit(features.select(Axis(0), &places).view(), labels.view(), &config.probe)?;
        let signal = says(&probe, before)?;
        found.probes.push(probe);
        found.signals.push(signal);
    }
    Ok(found)
}

/// Where the verdict of [`zero_shot`] turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Turn {
    /// Where both verdicts are equally likely.
    Even,
    /// At the median of the items, whose share of positives is then one half: takes away what a model says whatever the
    /// item is (Zhao et al. 2021 calibrate by an empty item; here the items themselves serve).
    #[default]
    Median,
}

/// Zero-shot elicitation: the probability of yes is the logistic function of ln P(yes) - ln P(no) after the item, the
/// likelihoods of two verdicts; nobody supervises.
///
/// `verdicts` has for each item the log-likelihoods of the verdict yes and of the verdict no, as
/// `superalign_core::Model::choice_log_likelihoods` gives them. They are compared as sums, since the verdicts are the same
/// two words throughout.
///
/// ```
/// use superalign_core::LogLikelihood;
/// use superalign_paradigm::weak_to_strong::{Turn, zero_shot};
/// use superalign_paradigm::{Paradigm, Source};
///
/// let says = |yes: f64, no: f64| vec![yes, no].into_iter().map(|sum| LogLikelihood { sum, tokens: 1 }).collect();
/// let source = Source::new("alone", Paradigm::WeakToStrong, "rung-3");
/// let items = vec!["a".into(), "b".into()];
/// let signal = zero_shot(items, source, &[says(-1.0, -2.0), says(-2.0, -1.0)], Turn::Even)?;
/// assert!((signal.labels()[0] - 0.7310585786300049).abs() < 1e-12);
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
///
/// # Errors
/// Another number of verdicts than of items, an item without exactly two, a likelihood that is no number.
pub fn zero_shot(
    items: Vec<String>,
    source: Source,
    verdicts: &[Vec<LogLikelihood>],
    turn: Turn,
) -> Result<Signal, ParadigmError> {
    if verdicts.len() != items.len() {
        let (found, expected) = (verdicts.len(), items.len());
        return Err(ParadigmError::Shape { what: "number of verdicts", found, expected });
    }
    let mut odds = Vec::with_capacity(items.len());
    for (index, verdict) in verdicts.iter().enumerate() {
        let [yes, no] = verdict[..] else {
            return Err(ParadigmError::Shape {
                what: "number of verdicts of an item",
                found: verdict.len(),
                expected: 2,
            });
        };
        let found = yes.sum - no.sum;
        if found.is_nan() {
            let expected = "a number";
            return Err(ParadigmError::Value { what: "log-odds of item", index, found, expected });
        }
        odds.push(found);
    }
    let middle = match turn {
        Turn::Even => 0.0,
        Turn::Median => {
            let mut sorted = odds.clone();
            sorted.sort_by(f64::total_cmp);
            let n = sorted.len();
            if n == 0 { 0.0 } else { f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]) }
        }
    };
    let votes: Array1<f64> = odds.iter().map(|odds| 1.0 / (1.0 + (middle - odds).exp())).collect();
    let cost = Cost { calls: items.len() as u64, ..Cost::default() };
    Ok(Signal::mean(items, vec![source], votes.insert_axis(Axis(1)))?.costing(cost))
}

fn rows(features: ArrayView2<'_, f32>, expected: usize) -> Result<(), ParadigmError> {
    let found = features.nrows();
    if found == expected {
        return Ok(());
    }
    Err(ParadigmError::Shape { what: "number of rows of features", found, expected })
}

#[cfg(test)]
mod tests;
