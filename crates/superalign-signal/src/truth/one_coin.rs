//! One-coin Dawid-Skene: one accuracy for each rater.

use super::em::{self, Model, Table};
use super::patterns::Patterns;
use super::{ClassPrior, Search, Smoothing, Truth};
use crate::{SignalError, Votes};

/// Settings of [`one_coin`]. The defaults carry a prior, weaker than that of [`DawidSkene`](super::DawidSkene) since
/// there is less to go wrong.
///
/// ```
/// use superalign_signal::truth::{OneCoin, Smoothing};
/// assert_eq!(OneCoin::default().accuracy, Smoothing::Dirichlet { votes: 8.0, correct: 0.6 });
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OneCoin {
    /// What is believed of the accuracies.
    pub accuracy: Smoothing,
    /// Where the class prior comes from.
    pub classes: ClassPrior,
    /// How the best parameters are searched for.
    pub search: Search,
}

/// Accuracies of raters.
#[derive(Clone, Debug, PartialEq)]
pub struct Coins {
    /// Probability that a vote of the rater is right, whatever the truth. Without prior and votes, one over the
    /// number of categories.
    pub accuracy: Vec<f64>,
}

impl Default for OneCoin {
    fn default() -> Self {
        Self {
            accuracy: Smoothing::Dirichlet { votes: 8.0, correct: 0.6 },
            classes: ClassPrior::Estimated { items: 1.0 },
            search: Search::default(),
        }
    }
}

impl OneCoin {
    /// Without any prior.
    #[must_use]
    pub fn maximum_likelihood() -> Self {
        Self {
            accuracy: Smoothing::None,
            classes: ClassPrior::Estimated { items: 0.0 },
            search: Search::default(),
        }
    }

    /// As crowd-kit computes it: maximum likelihood, with probabilities of votes between 1e-10 and 1 - 1e-10.
    #[must_use]
    pub fn crowd_kit() -> Self {
        Self { accuracy: Smoothing::Floor(1e-10), ..Self::maximum_likelihood() }
    }
}

/// The one-coin model: as [`dawid_skene`](super::dawid_skene), but rater r is right with probability `a[r]` whatever
/// the truth, and otherwise gives each of the k - 1 wrong categories alike: `p[r][c][l] = a[r]` for l = c, else
/// `(1 - a[r]) / (k - 1)`.
///
/// One parameter for each rater, where the full model has k (k - 1): for raters with few votes. The posterior,
/// `gold`, errors and invariances are as there. With one category every vote is right. With [`Smoothing::Floor`] the
/// probabilities of votes are held between the floor and 1 - floor; the accuracies themselves are not.
///
/// # Errors
/// As [`dawid_skene`](super::dawid_skene).
///
/// Zhang, Chen, Zhou and Jordan 2014, "Spectral methods meet EM"; reference implementation: crowd-kit's
/// `OneCoinDawidSkene`, whose numbers [`OneCoin::crowd_kit`] gives.
///
/// ```
/// use ndarray::Array2;
/// use superalign_signal::{Votes, truth::{OneCoin, one_coin}};
/// // Three raters; number 2 errs in every third item.
/// let votes = Array2::from_shape_fn((60, 3), |(i, r)| ((i + usize::from(r == 2 && i % 3 == 0)) % 4) as i8);
/// let found = one_coin(&Votes::dense(votes.view())?, None, &OneCoin::maximum_likelihood())?;
/// assert!((found.raters.accuracy[0] - 1.0).abs() < 1e-6);
/// assert!((found.raters.accuracy[2] - 2.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn one_coin(
    votes: &Votes,
    gold: Option<&[Option<u32>]>,
    options: &OneCoin,
) -> Result<Truth<Coins>, SignalError> {
    options.accuracy.check()?;
    let patterns = em::layout(votes, gold, &options.search)?;
    let model = Coin { patterns: &patterns, smoothing: options.accuracy, accuracy: Vec::new() };
    let found = em::maximise(&patterns, &model, &options.classes, &options.search)?;
    let accuracy = found.model.accuracy.clone();
    Ok(found.truth(&patterns, Coins { accuracy }))
}

#[derive(Clone)]
struct Coin<'a> {
    patterns: &'a Patterns,
    smoothing: Smoothing,
    accuracy: Vec<f64>,
}

impl Coin<'_> {
    /// The votes seen before: right ones, and wrong ones of any category.
    fn added(&self) -> (f64, f64) {
        let k = self.patterns.categories;
        let (right, wrong) = self.smoothing.added(k);
        (right, wrong * k.saturating_sub(1) as f64)
    }
}

impl Model for Coin<'_> {
    fn update(&mut self, counts: &Table, table: &mut Table) {
        let k = self.patterns.categories;
        let added = self.added();
        self.accuracy.clear();
        for rater in 0..self.patterns.raters {
            let rows = self.patterns.of_rater[rater]..self.patterns.of_rater[rater + 1];
            let (mut right, mut sum) = added;
            sum += right;
            for row in rows.clone() {
                right += counts.row(row)[self.patterns.base[row].1 as usize];
                sum += counts.row(row).iter().sum::<f64>();
            }
            let accuracy = if sum > 0.0 { right / sum } else { 1.0 / k as f64 };
            self.accuracy.push(accuracy);
            let (mut of_right, mut of_wrong) = (accuracy, (1.0 - accuracy) / (k.max(2) - 1) as f64);
            if let Smoothing::Floor(floor) = self.smoothing {
                of_right = of_right.clamp(floor, 1.0 - floor);
                of_wrong = of_wrong.clamp(floor, 1.0 - floor);
            }
            for row in rows {
                let given = self.patterns.base[row].1 as usize;
                let probabilities = &mut table.row_mut(row)[..k];
                probabilities.fill(of_wrong);
                probabilities[given] = of_right;
            }
        }
    }

    fn objective(&self, log_likelihood: f64, _: &Table) -> f64 {
        let (right, wrong) = self.added();
        let term = |added: f64, p: f64| if added > 0.0 { added * p.ln() } else { 0.0 };
        log_likelihood + self.accuracy.iter().map(|&a| term(right, a) + term(wrong, 1.0 - a)).sum::<f64>()
    }
}
