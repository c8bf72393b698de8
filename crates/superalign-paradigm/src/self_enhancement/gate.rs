//! Which labels train the student: self-critique, then the gate.

use super::votes::by_task;
use super::{Balance, Config, Critique, Gate, Student};
use crate::Signal;
use ndarray::ArrayView2;
use superalign_core::Seed;

/// What trains a student.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kept {
    /// Items and their labels.
    Items(Vec<(usize, f64)>),
    /// Pairs of items of one task, and the probability that the first is the better one.
    Pairs(Vec<([usize; 2], f64)>),
}

impl Kept {
    /// The items, in order.
    pub(super) fn items(&self) -> Vec<usize> {
        let mut all: Vec<usize> = match self {
            Self::Items(kept) => kept.iter().map(|(i, _)| *i).collect(),
            Self::Pairs(kept) => kept.iter().flat_map(|(pair, _)| *pair).collect(),
        };
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The label as a verdict; none at one half.
pub(super) fn hardened(p: f64) -> Option<bool> {
    (confidence(p) > 0.0).then_some(p > 0.5)
}

/// One thing that may be kept.
struct Candidate<T> {
    what: T,
    p: f64,
    /// Breaks ties of confidence, whatever the order of items.
    key: u64,
}

/// What is kept of a signal. `upheld` `(n, 2)`: the probability that the critic upholds `wrong` and `right`.
pub(super) fn keep(
    signal: &Signal,
    tasks: &[u32],
    upheld: Option<ArrayView2<'_, f64>>,
    config: &Config,
    seed: Seed,
) -> Kept {
    let contradicted = |i: usize, label: bool| {
        config.critique != Critique::None
            && upheld.is_some_and(|upheld| upheld[(i, usize::from(label))] < 0.5)
    };
    let (labels, items) = (signal.labels(), signal.items());
    match config.student {
        Student::Items => {
            let mut all = Vec::new();
            for (i, &p) in labels.iter().enumerate() {
                let Some(label) = hardened(p) else { continue };
                let p = match (contradicted(i, label), config.critique) {
                    (true, Critique::Flip) => 1.0 - p,
                    (true, _) => continue,
                    (false, _) => p,
                };
                all.push(Candidate { what: i, p, key: seed.named(&items[i]).value() });
            }
            let kept = gated(all, labels.len(), config.gate);
            let mut kept: Vec<(usize, f64)> = kept.into_iter().map(|one| (one.what, one.p)).collect();
            kept.sort_unstable_by_key(|(i, _)| *i);
            Kept::Items(kept)
        }
        Student::Pairs => {
            let (mut all, mut pairs) = (Vec::new(), 0);
            for members in by_task(tasks) {
                for (place, &i) in members.iter().enumerate() {
                    for &j in &members[place + 1..] {
                        pairs += 1;
                        let p = preference(labels[i], labels[j]);
                        let Some(first) = hardened(p) else { continue };
                        let verdicts = [(i, first), (j, !first)];
                        let against =
                            verdicts.into_iter().filter(|&(i, label)| contradicted(i, label)).count();
                        let p = match (against, config.critique) {
                            (0, _) => p,
                            (2, Critique::Flip) => 1.0 - p,
                            _ => continue,
                        };
                        // The same key whichever stands first.
                        let key = seed.named(&items[i]).value() ^ seed.named(&items[j]).value();
                        all.push(Candidate { what: [i, j], p, key });
                    }
                }
            }
            let gate = match config.gate {
                Gate::Share { share, .. } => Gate::Share { share, balance: Balance::Free },
                other => other,
            };
            let kept = gated(all, pairs, gate);
            let mut kept: Vec<([usize; 2], f64)> = kept.into_iter().map(|one| (one.what, one.p)).collect();
            kept.sort_unstable_by_key(|(pair, _)| *pair);
            Kept::Pairs(kept)
        }
    }
}

/// The label of a pair, (1 + p - q) / 2: with two candidates to a task and no draws, p itself.
fn preference(p: f64, q: f64) -> f64 {
    f64::midpoint(1.0, p - q)
}

/// The candidates that pass, of `total` from which they come.
fn gated<T>(mut all: Vec<Candidate<T>>, total: usize, gate: Gate) -> Vec<Candidate<T>> {
    let (share, balance) = match gate {
        Gate::All => return all,
        Gate::Threshold(at) => {
            all.retain(|one| confidence(one.p) >= at);
            return all;
        }
        Gate::Share { share, balance } => (share, balance),
    };
    let most = (share * total as f64).round().max(1.0) as usize;
    all.sort_by(|a, b| confidence(b.p).total_cmp(&confidence(a.p)).then(a.key.cmp(&b.key)));
    if balance == Balance::Free {
        all.truncate(most);
        return all;
    }
    let right = all.iter().filter(|one| one.p > 0.5).count();
    let each = (most / 2).max(1).min(right).min(all.len() - right);
    let mut seen = [0; 2];
    all.retain(|one| {
        let seen = &mut seen[usize::from(one.p > 0.5)];
        *seen += 1;
        *seen <= each
    });
    all
}

/// |2p - 1|, to twelve digits: votes that are shares make ties, which rounding must not break.
fn confidence(p: f64) -> f64 {
    const DIGITS: f64 = 1e12;
    ((2.0 * p - 1.0).abs() * DIGITS).round() / DIGITS
}
