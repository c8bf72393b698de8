//! One label of many votes.

use super::reliability::{Reliability, without_intervals};
use super::select::{decorrelated, log_odds, process};
use super::{Config, MOST_SOURCES};
use crate::{ParadigmError, Signal, Source};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use superalign_signal::Votes;
use superalign_signal::truth::{DawidSkene, dawid_skene};

/// How votes become one label. Votes count as yes from one half on, where their size does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The mean of the votes.
    Mean,
    /// The share of sources that say yes.
    Majority,
    /// The posterior of [`dawid_skene`] with its usual priors: confusion matrices and truths found together.
    DawidSkene,
    /// The posterior of independent sources of the estimated accuracies: log-odds of the positives plus, for every
    /// source, `ln(a / (1 - a))` for a yes and the opposite for a no. The weights of a cluster of m sources whose errors
    /// correlate by r on average are divided by 1 + (m - 1) r (Kish's design effect).
    Weighted,
    /// The mean of the votes of the sources whose majority is estimated to be best
    /// ([`decorrelated`](super::decorrelated)).
    Decorrelated,
    /// The mean of the votes of so many sources, drawn from a determinantal process by its mode
    /// ([`process`](super::process)).
    Process(usize),
}

/// A combined signal, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Combined {
    /// The signal; it keeps all votes and sources.
    pub signal: Signal,
    /// The weight of each source's vote, of sum 1 (in absolute values); none for Dawid-Skene, where it depends on the
    /// vote.
    pub weights: Option<Vec<f64>>,
    /// What was estimated of the sources, where the rule needs it; without intervals, for which there is
    /// [`reliability`](super::reliability).
    pub reliability: Option<Reliability>,
}

impl Rule {
    /// Its name, as specs and records write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Majority => "majority",
            Self::DawidSkene => "dawid-skene",
            Self::Weighted => "weighted",
            Self::Decorrelated => "decorrelated",
            Self::Process(_) => "dpp",
        }
    }
}

/// Combines the votes of a signal by a rule. No truth enters.
///
/// ```
/// use ndarray::array;
/// use superalign_paradigm::diversify::{Config, Rule, combine};
/// use superalign_paradigm::{Paradigm, Signal, Source};
///
/// let sources = ["one", "two", "three"].map(|name| Source::new(name, Paradigm::WeakToStrong, "rung-0"));
/// let votes = array![[0.9, 0.7, 0.2], [0.2, 0.4, 0.9]];
/// let signal = Signal::mean(vec!["a".into(), "b".into()], sources.to_vec(), votes)?;
/// let combined = combine(&signal, Rule::Majority, &Config::default())?;
/// assert_eq!(combined.signal.labels(), array![2.0 / 3.0, 1.0 / 3.0]);
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
///
/// # Errors
/// More than 64 sources; for the last three rules as [`reliability`](super::reliability).
pub fn combine(signal: &Signal, rule: Rule, config: &Config) -> Result<Combined, ParadigmError> {
    let votes = signal.votes();
    let k = votes.ncols();
    if k > MOST_SOURCES {
        return Err(ParadigmError::Shape { what: "number of sources", found: k, expected: MOST_SOURCES });
    }
    let yes = votes.mapv(|vote| f64::from(u8::from(vote >= 0.5)));
    let even = |chosen: &[usize]| -> Vec<f64> {
        (0..k).map(|source| if chosen.contains(&source) { 1.0 / chosen.len() as f64 } else { 0.0 }).collect()
    };
    let all: Vec<usize> = (0..k).collect();
    let (labels, weights, reliability) = match rule {
        Rule::Mean => (weighed(votes, &even(&all)), Some(even(&all)), None),
        Rule::Majority => (weighed(yes.view(), &even(&all)), Some(even(&all)), None),
        Rule::DawidSkene => (posterior(&yes)?, None, None),
        Rule::Weighted => {
            let found = without_intervals(votes, config)?;
            let weights = discounted(&found);
            let prior = (config.positives / (1.0 - config.positives)).ln();
            let label = |row: ndarray::ArrayView1<'_, f64>| {
                let sum: f64 = row.iter().zip(&weights).map(|(yes, w)| w * (2.0 * yes - 1.0)).sum();
                1.0 / (1.0 + (-(prior + sum)).exp())
            };
            let labels = yes.map_axis(Axis(1), label);
            let total: f64 = weights.iter().map(|w| w.abs()).sum::<f64>().max(1e-12);
            (labels, Some(weights.iter().map(|w| w / total).collect()), Some(found))
        }
        Rule::Decorrelated | Rule::Process(_) => {
            let found = without_intervals(votes, config)?;
            let chosen = match rule {
                Rule::Process(count) => process(&found, count)?,
                _ => decorrelated(&found),
            };
            (weighed(votes, &even(&chosen)), Some(even(&chosen)), Some(found))
        }
    };
    let labels = labels.mapv(|label: f64| label.clamp(0.0, 1.0));
    let confidence = labels.mapv(|label| (2.0 * label - 1.0).abs().min(1.0));
    let sources: Vec<Source> = signal.sources().to_vec();
    let made = Signal::new(signal.items().to_vec(), labels, confidence, sources, votes.to_owned())?;
    Ok(Combined { signal: made.costing(signal.cost()), weights, reliability })
}

fn weighed(votes: ArrayView2<'_, f64>, weights: &[f64]) -> Array1<f64> {
    let sum = |row: ndarray::ArrayView1<'_, f64>| row.iter().zip(weights).map(|(vote, w)| vote * w).sum();
    votes.map_axis(Axis(1), sum)
}

/// Probability of yes by Dawid and Skene.
fn posterior(yes: &Array2<f64>) -> Result<Array1<f64>, ParadigmError> {
    let votes = Votes::dense(yes.mapv(|vote| vote as i8).view())?;
    let found = dawid_skene(&votes, None, &DawidSkene::default())?;
    match votes.values().iter().position(|value| *value > 0.5) {
        Some(place) => Ok(found.posterior.column(place).to_owned()),
        None => Ok(Array1::zeros(yes.nrows())),
    }
}

/// Log-odds of the accuracies, less where a cluster says the same thing several times.
fn discounted(found: &Reliability) -> Vec<f64> {
    let k = found.accuracy.len();
    let weight = |source: usize| {
        let kin = (0..k).filter(|&o| o != source && found.clusters[o] == found.clusters[source]);
        // The sum over the others is m - 1 times their mean.
        let shared: f64 = kin.map(|other| found.correlation[[source, other]].max(0.0)).sum();
        log_odds(found.accuracy[source].value) / (1.0 + shared)
    };
    (0..k).map(weight).collect()
}
