//! What every paradigm makes.

use crate::ParadigmError;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

/// A supervision signal: what is said about items whose truth nobody knows, by whom, and at what cost.
///
/// The label of an item is the probability that its candidate is right (or proper), in [0, 1]. Its confidence, in
/// [0, 1], is how sure the maker of the signal is: 0 a guess, 1 certain. Where a paradigm has nothing better, it is
/// |2p - 1|.
///
/// ```
/// use ndarray::array;
/// use superalign_paradigm::{Paradigm, Signal, Source};
///
/// let weak = |name: &str| Source::new(name, Paradigm::WeakToStrong, "rung-0");
/// let votes = array![[0.9, 0.7], [0.2, 0.4], [0.5, 0.1]];
/// let items = ["a", "b", "c"].map(str::to_owned).to_vec();
/// let signal = Signal::mean(items, vec![weak("one"), weak("two")], votes)?;
/// assert!((signal.labels()[0] - 0.8).abs() < 1e-12);
/// assert!((signal.confidence()[0] - 0.6).abs() < 1e-12);
/// assert_eq!(signal.select(&[2]).items(), ["c"]);
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    items: Vec<String>,
    labels: Array1<f64>,
    confidence: Array1<f64>,
    votes: Array2<f64>,
    sources: Vec<Source>,
    cost: Cost,
}

/// Who votes: a model in a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name, unique in the signal.
    pub name: String,
    /// How its votes are made.
    pub paradigm: Paradigm,
    /// The model.
    pub model: String,
    /// How the items are put before it, where there are several ways (`shuffled-1`).
    pub view: Option<String>,
    /// The seed of its training or sampling, where it has one.
    pub seed: Option<u64>,
}

impl Source {
    /// A source with one view and no seed.
    #[must_use]
    pub fn new(name: &str, paradigm: Paradigm, model: &str) -> Self {
        Self { name: name.to_owned(), paradigm, model: model.to_owned(), view: None, seed: None }
    }
}

/// How a signal is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paradigm {
    /// Weaker teachers label for a stronger student.
    WeakToStrong,
    /// A model labels for itself, or for its peers.
    SelfEnhancement,
    /// A weak judge is helped by stronger advisors.
    Sandwiching,
    /// Signals of several paradigms, combined.
    Combined,
}

impl Paradigm {
    /// Its name, as specs and records write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WeakToStrong => "weak-to-strong",
            Self::SelfEnhancement => "self-enhancement",
            Self::Sandwiching => "sandwiching",
            Self::Combined => "combined",
        }
    }
}

/// What a signal cost, apart from time, which differs between machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Number of questions put to models.
    pub calls: u64,
    /// Tokens that models read.
    pub tokens_read: u64,
    /// Tokens that models wrote.
    pub tokens_written: u64,
}

impl Cost {
    /// The cost of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            tokens_read: self.tokens_read + other.tokens_read,
            tokens_written: self.tokens_written + other.tokens_written,
        }
    }
}

impl Signal {
    /// A signal of labels `(n)`, confidence `(n)` and the votes of `k` sources `(n, k)`.
    ///
    /// # Errors
    /// No items or no sources, sizes that do not belong together, a number outside [0, 1].
    pub fn new(
        items: Vec<String>,
        labels: Array1<f64>,
        confidence: Array1<f64>,
        sources: Vec<Source>,
        votes: Array2<f64>,
    ) -> Result<Self, ParadigmError> {
        for (what, found) in [("items", items.len()), ("sources", sources.len())] {
            if found == 0 {
                return Err(ParadigmError::TooFew { what, found, expected: 1 });
            }
        }
        let sizes = [
            ("number of labels", labels.len(), items.len()),
            ("number of confidences", confidence.len(), items.len()),
            ("number of rows of votes", votes.nrows(), items.len()),
            ("number of columns of votes", votes.ncols(), sources.len()),
        ];
        for (what, found, expected) in sizes {
            if found != expected {
                return Err(ParadigmError::Shape { what, found, expected });
            }
        }
        in_unit("label of item", labels.iter())?;
        in_unit("confidence of item", confidence.iter())?;
        in_unit("vote", votes.iter())?;
        Ok(Self { items, labels, confidence, votes, sources, cost: Cost::default() })
    }

    /// The signal that is the mean of the votes `(n, k)`, and as confident as that is far from one half.
    ///
    /// # Errors
    /// As [`Signal::new`].
    pub fn mean(items: Vec<String>, sources: Vec<Source>, votes: Array2<f64>) -> Result<Self, ParadigmError> {
        let labels = votes.mean_axis(Axis(1)).unwrap_or_default();
        let confidence = labels.mapv(|label: f64| (2.0 * label - 1.0).abs().min(1.0));
        Self::new(items, labels, confidence, sources, votes)
    }

    /// The same signal, with what it cost.
    #[must_use]
    pub fn costing(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// The signal about some of the items only, by their places.
    ///
    /// # Panics
    /// A place beyond the last item.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        Self {
            items: places.iter().map(|&place| self.items[place].clone()).collect(),
            labels: self.labels.select(Axis(0), places),
            confidence: self.confidence.select(Axis(0), places),
            votes: self.votes.select(Axis(0), places),
            sources: self.sources.clone(),
            cost: self.cost,
        }
    }

    /// The names of the items.
    #[must_use]
    pub fn items(&self) -> &[String] {
        &self.items
    }

    /// Probability that each item is right, `(n)`.
    #[must_use]
    pub fn labels(&self) -> ArrayView1<'_, f64> {
        self.labels.view()
    }

    /// How sure the signal is of each item, `(n)`, from 0 to 1.
    #[must_use]
    pub fn confidence(&self) -> ArrayView1<'_, f64> {
        self.confidence.view()
    }

    /// What each source says of each item, `(n, k)`.
    #[must_use]
    pub fn votes(&self) -> ArrayView2<'_, f64> {
        self.votes.view()
    }

    /// The sources, in the order of the columns of [`Signal::votes`].
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// What it cost.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        self.cost
    }
}

/// Refuses numbers outside [0, 1].
pub(crate) fn in_unit<'a>(
    what: &'static str,
    numbers: impl Iterator<Item = &'a f64>,
) -> Result<(), ParadigmError> {
    for (index, &found) in numbers.enumerate() {
        if !(0.0..=1.0).contains(&found) {
            return Err(ParadigmError::Value { what, index, found, expected: "a number from 0 to 1" });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn sources(n: usize) -> Vec<Source> {
        (0..n).map(|k| Source::new(&format!("source-{k}"), Paradigm::WeakToStrong, "rung-0")).collect()
    }

    fn refused(items: usize, labels: Array1<f64>, votes: Array2<f64>) -> String {
        let confidence = Array1::zeros(labels.len());
        let items = (0..items).map(|i| i.to_string()).collect();
        Signal::new(items, labels, confidence, sources(2), votes).expect_err("is refused").to_string()
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let fits = Array2::from_elem((2, 2), 0.5);
        insta::assert_snapshot!([
            refused(0, array![], Array2::zeros((0, 2))),
            refused(2, array![0.5], fits.clone()),
            refused(2, array![0.5, 0.5], Array2::zeros((2, 3))),
            refused(2, array![0.5, 1.5], fits.clone()),
            refused(2, array![0.5, f64::NAN], fits),
            refused(2, array![0.5, 0.5], array![[0.0, 1.0], [0.5, -0.1]]),
        ].join("\n"), @"
        0 items: expected at least 1
        number of labels: found 1, expected 2
        number of columns of votes: found 3, expected 2
        label of item 1 is 1.5: expected a number from 0 to 1
        label of item 1 is NaN: expected a number from 0 to 1
        vote 3 is -0.1: expected a number from 0 to 1
        ");
    }

    #[test]
    fn a_selection_keeps_each_item_with_its_own() {
        let votes = array![[0.9, 0.7], [0.2, 0.4], [0.5, 0.1]];
        let items = ["a", "b", "c"].map(str::to_owned).to_vec();
        let cost = Cost { calls: 3, tokens_read: 30, tokens_written: 0 };
        let signal = Signal::mean(items, sources(2), votes).expect("fits").costing(cost);
        let some = signal.select(&[2, 0]);
        assert_eq!(some.items(), ["c", "a"]);
        assert_eq!(some.votes(), array![[0.5, 0.1], [0.9, 0.7]]);
        assert_eq!(some.labels(), signal.labels().select(Axis(0), &[2, 0]));
        assert_eq!(some.cost(), cost, "the others were paid for as well");
    }
}
