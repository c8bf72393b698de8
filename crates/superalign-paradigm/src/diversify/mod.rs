//! Diversified signals: several sources about the same items become one.
//!
//! [`pool`] puts signals of any paradigm side by side. [`reliability`] says how accurate each source is and which of them
//! err together, from their votes alone. [`combine`] makes one label of all votes, by one of the [`Rule`]s.
//!
//! | file | what it holds |
//! |---|---|
//! | `kinds` | votes as bits, counted; their moments |
//! | `reliability` | accuracy and correlation of errors, with intervals |
//! | `clusters` | the rank-one structure of agreement, and who departs from it |
//! | `select` | subsets: greatest joint accuracy, determinantal point process |
//! | `combine` | the rules |
//!
//! Agreement alone cannot tell everything. Read what [`reliability`] assumes before its numbers are believed.

mod clusters;
mod combine;
mod kinds;
mod reliability;
mod select;

pub use combine::{Combined, Rule, combine};
pub use reliability::{Config, Dependence, Method, Misfit, Reliability, reliability};
pub use select::{decorrelated, joint_accuracy, process};

use crate::{ParadigmError, Signal, Source};
use ndarray::{Axis, concatenate};

/// Most sources that can be combined.
pub const MOST_SOURCES: usize = 64;

/// Signals about the same items as one: the sources of all, side by side, and the mean of their votes.
///
/// What it costs is the sum. Sources keep their names, which have to differ.
///
/// ```
/// use ndarray::array;
/// use superalign_paradigm::{Paradigm, Signal, Source, diversify::pool};
///
/// let of = |name: &str, vote: f64| {
///     Signal::mean(vec!["a".into()], vec![Source::new(name, Paradigm::WeakToStrong, "rung-0")], array![[vote]])
/// };
/// let both = pool(&[of("one", 0.9)?, of("two", 0.7)?])?;
/// assert_eq!(both.votes(), array![[0.9, 0.7]]);
/// assert!((both.labels()[0] - 0.8).abs() < 1e-12);
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
///
/// # Errors
/// No signal; signals about other items; two sources of one name.
pub fn pool(signals: &[Signal]) -> Result<Signal, ParadigmError> {
    let Some(first) = signals.first() else {
        return Err(ParadigmError::TooFew { what: "signals", found: 0, expected: 1 });
    };
    for signal in signals {
        if signal.items().len() != first.items().len() {
            let (found, expected) = (signal.items().len(), first.items().len());
            return Err(ParadigmError::Shape { what: "number of items", found, expected });
        }
        if let Some(place) = (0..first.items().len()).find(|&i| signal.items()[i] != first.items()[i]) {
            let reason = format!(
                "item {place} is {} in one signal and {} in another",
                first.items()[place],
                signal.items()[place]
            );
            return Err(ParadigmError::Undefined { what: "the pool of signals", reason: reason.into() });
        }
    }
    let sources: Vec<Source> = signals.iter().flat_map(|signal| signal.sources().iter().cloned()).collect();
    for (place, source) in sources.iter().enumerate() {
        if sources[..place].iter().any(|other| other.name == source.name) {
            let reason = format!("two sources are called {}", source.name);
            return Err(ParadigmError::Undefined { what: "the pool of signals", reason: reason.into() });
        }
    }
    let views: Vec<_> = signals.iter().map(Signal::votes).collect();
    let votes = concatenate(Axis(1), &views).map_err(|_| ParadigmError::Shape {
        what: "number of rows of votes",
        found: 0,
        expected: first.items().len(),
    })?;
    let cost = signals.iter().fold(crate::Cost::default(), |sum, signal| sum.plus(signal.cost()));
    Ok(Signal::mean(first.items().to_vec(), sources, votes)?.costing(cost))
}

/// The number of each source's kin: sources of the same model have the same, in order of first sight.
///
/// Models of one make are likely to err together; this is what is known of it before any vote is seen, for
/// [`Dependence::Known`].
#[must_use]
pub fn kin(sources: &[Source]) -> Vec<usize> {
    let mut models: Vec<&str> = Vec::new();
    sources
        .iter()
        .map(|source| {
            models.iter().position(|model| *model == source.model).unwrap_or_else(|| {
                models.push(&source.model);
                models.len() - 1
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
