//! Settings that the models share: how to search, and what is believed beforehand.

use crate::SignalError;
use superalign_core::{Seed, rand::RngExt as _};

/// What is added to counts is at most this, so that sums stay finite.
pub(super) const MOST: f64 = 1e12;

/// How the best parameters are searched for: by expectation maximisation from one start or several.
///
/// The first start takes the share of each category among an item's votes as its posterior. Every further one
/// weights the raters by numbers drawn from the exponential distribution. The end with the largest objective (see
/// [`Truth::objective`](super::Truth::objective)) is kept, the first among equals.
///
/// ```
/// use superalign_signal::truth::{DawidSkene, Search};
/// let options = DawidSkene { search: Search { starts: 5, ..Search::default() }, ..DawidSkene::default() };
/// assert_eq!((options.search.iterations, options.search.tolerance), (1000, 1e-6));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The search ends when the change (see [`Stop`]) is at most this; 0 or more. With 0 it goes on to the limit, or
    /// until nothing changes at all. 1e-6 by default.
    pub tolerance: f64,
    /// Limit of iterations, at least 1; 1,000 by default.
    pub iterations: usize,
    /// Number of starts, at least 1, which is the default.
    pub starts: usize,
    /// Where the weights of the further starts come from.
    pub seed: Seed,
    /// Which change is compared with the tolerance.
    pub stop: Stop,
    /// The rater of each column of the votes, for raters who vote more than once on an item and so have several
    /// columns. Raters are numbered from 0, below the number of columns. `None`: every column is a rater.
    pub columns: Option<Vec<u32>>,
}

/// Which change of an iteration is compared with the tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The largest change of a probability among the parameters (for GLAD, of an ability or log-ease).
    Parameters,
    /// crowd-kit 1.4: the gain of its bound per vote; the search ends when it is below the tolerance (crowd-kit's is
    /// 1e-5). Dawid-Skene and one-coin: the evidence lower bound, but with the class prior once for every vote. GLAD:
    /// the expected log-likelihood without the entropy of the truths, over votes times categories; it often falls
    /// early. MACE has none and refuses this.
    CrowdKitBound,
}

/// What is believed of the raters before any vote is seen, and what keeps probabilities from being 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Smoothing {
    /// Nothing: maximum likelihood.
    None,
    /// As [`Smoothing::None`], but an expected count (of a category that the rater gives at all) or, for one coin, a
    /// probability is at least this; crowd-kit's is 1e-10. In (0, 0.5).
    Floor(f64),
    /// Dirichlet prior as votes seen before: for every truth, each rater is taken to have given that many `votes`, a
    /// share `correct` of them right, the rest evenly over the wrong categories. It is added to the counts: the
    /// estimate is the mode under Dirichlet(1 + added counts).
    Dirichlet {
        /// Number of votes for each truth (one coin: altogether), 0 or more.
        votes: f64,
        /// Share of them that is right, in [0, 1].
        correct: f64,
    },
}

/// Where the probability of each category of an item comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassPrior {
    /// Estimated: the mean posterior, after this many items of every category were added (0: maximum likelihood).
    Estimated {
        /// Items of every category seen before, 0 or more.
        items: f64,
    },
    /// The same for all categories.
    Uniform,
    /// These, one for each category, above 0 and with sum 1 within 1e-6.
    Fixed(Vec<f64>),
}

impl Default for Search {
    fn default() -> Self {
        Self {
            tolerance: 1e-6,
            iterations: 1000,
            starts: 1,
            seed: Seed::new(0),
            stop: Stop::Parameters,
            columns: None,
        }
    }
}

impl Stop {
    pub(super) fn is_reached(self, change: f64, tolerance: f64) -> bool {
        match self {
            Self::Parameters => change <= tolerance,
            Self::CrowdKitBound => change < tolerance,
        }
    }
}

impl Search {
    pub(super) fn check(&self) -> Result<(), SignalError> {
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return Err(SignalError::setting("tolerance", self.tolerance, "a number from 0"));
        }
        for (key, found) in [("iterations", self.iterations), ("starts", self.starts)] {
            if found == 0 {
                return Err(SignalError::setting(key, 0.0, "at least 1"));
            }
        }
        Ok(())
    }

    /// Refuses a bound that the model does not have.
    pub(super) fn needs_parameters(&self, model: &'static str) -> Result<(), SignalError> {
        if self.stop == Stop::CrowdKitBound {
            return Err(SignalError::undefined(
                "crowd-kit's bound",
                format!("{model} does not have it; stop by the parameters"),
            ));
        }
        Ok(())
    }

    /// The weight of each rater's votes at a start.
    pub(super) fn weights(&self, raters: usize, start: usize) -> Vec<f64> {
        let mut rng = self.seed.nth(start as u64).rng();
        // From (0, 1], so that no weight is infinite, and none so small that an item loses all its votes.
        let mut draw = || (-(1.0 - rng.random::<f64>()).ln()).max(1e-3);
        (0..raters).map(|_| if start == 0 { 1.0 } else { draw() }).collect()
    }
}

impl Smoothing {
    pub(super) fn check(self) -> Result<(), SignalError> {
        match self {
            Self::None => Ok(()),
            Self::Floor(floor) if floor > 0.0 && floor < 0.5 => Ok(()),
            Self::Floor(floor) => Err(SignalError::setting("floor", floor, "a number between 0 and 0.5")),
            Self::Dirichlet { votes, .. } if !(0.0..=MOST).contains(&votes) => {
                Err(SignalError::setting("votes", votes, "a number in [0, 1e12]"))
            }
            Self::Dirichlet { correct, .. } if !(0.0..=1.0).contains(&correct) => {
                Err(SignalError::setting("correct", correct, "a number in [0, 1]"))
            }
            Self::Dirichlet { .. } => Ok(()),
        }
    }

    /// The votes seen before that were right, and those for each wrong category; with one category all were right.
    pub(super) fn added(self, categories: usize) -> (f64, f64) {
        match self {
            Self::Dirichlet { votes, .. } if categories < 2 => (votes, 0.0),
            Self::Dirichlet { votes, correct } => {
                (votes * correct, votes * (1.0 - correct) / (categories - 1) as f64)
            }
            Self::None | Self::Floor(_) => (0.0, 0.0),
        }
    }
}

impl ClassPrior {
    pub(super) fn check(&self, categories: usize) -> Result<(), SignalError> {
        match self {
            Self::Uniform => Ok(()),
            Self::Estimated { items } if (0.0..=MOST).contains(items) => Ok(()),
            Self::Estimated { items } => Err(SignalError::setting("items", *items, "a number in [0, 1e12]")),
            Self::Fixed(prior) if prior.len() != categories => {
                let (found, expected) = (prior.len(), categories);
                Err(SignalError::Shape { what: "number of class probabilities", found, expected })
            }
            Self::Fixed(prior) => {
                if let Some(index) = prior.iter().position(|&p| !(p > 0.0 && p <= 1.0)) {
                    let (what, found) = ("probability of category", prior[index]);
                    return Err(SignalError::Value {
                        what,
                        index,
                        found,
                        expected: "a number above 0, at most 1",
                    });
                }
                let sum: f64 = prior.iter().sum();
                if categories > 0 && (sum - 1.0).abs() > 1e-6 {
                    return Err(SignalError::setting("sum of the class probabilities", sum, "1"));
                }
                Ok(())
            }
        }
    }

    /// Sets the probabilities of the categories from their expected counts; both may be padded.
    pub(super) fn update(&self, categories: usize, counts: &[f64], classes: &mut [f64]) {
        let even = 1.0 / categories as f64;
        match self {
            Self::Estimated { items } => {
                let sum: f64 = counts[..categories].iter().sum::<f64>() + items * categories as f64;
                for (class, count) in classes[..categories].iter_mut().zip(counts) {
                    *class = if sum > 0.0 { (count + items) / sum } else { even };
                }
            }
            Self::Uniform => classes[..categories].fill(even),
            Self::Fixed(prior) => classes[..categories].copy_from_slice(prior),
        }
    }

    /// Logarithm of the prior density of these class probabilities, without its constant.
    pub(super) fn log_density(&self, classes: &[f64]) -> f64 {
        match self {
            Self::Estimated { items } if *items > 0.0 => items * classes.iter().map(|p| p.ln()).sum::<f64>(),
            _ => 0.0,
        }
    }
}
