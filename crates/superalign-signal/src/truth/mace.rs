//! MACE: raters who know the truth, or spam.

use super::em::{self, Model, Table};
use super::patterns::Patterns;
use super::settings::MOST;
use super::special::{digamma, ln_gamma};
use super::{ClassPrior, Search, Truth};
use crate::{SignalError, Votes};
use ndarray::Array2;

/// Settings of [`mace`]; the default method is variational, with the priors of the reference implementation.
#[derive(Clone, Debug, PartialEq)]
pub struct Mace {
    /// How the parameters are estimated.
    pub method: MaceMethod,
    /// How the best parameters are searched for.
    pub search: Search,
}

/// How [`mace`] estimates its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaceMethod {
    /// Expectation maximisation, with the same number added to every expected count.
    Em {
        /// What is added, 0 or more; 0 is maximum likelihood, the reference implementation has 0.01 / k.
        smoothing: f64,
    },
    /// Variational Bayes: Beta prior of spamming and knowing, Dirichlet prior of what a spammer gives. All above 0.
    Variational {
        /// Parameter of the Beta prior for spamming; 0.5 by default.
        spams: f64,
        /// Parameter of the Beta prior for knowing; 0.5 by default.
        knows: f64,
        /// Parameter of the Dirichlet prior, the same for every category; 10 by default.
        strategy: f64,
    },
}

/// What raters do: know, or spam.
#[derive(Clone, Debug, PartialEq)]
pub struct Spammers {
    /// Probability that the rater knows the truth of an item and says so. (Under variational Bayes its mean.)
    pub competence: Vec<f64>,
    /// (raters, categories): what the rater gives otherwise; rows sum to 1.
    pub strategy: Array2<f64>,
    /// Probability that a vote of the rater is right, with a uniform truth.
    pub accuracy: Vec<f64>,
}

impl Default for Mace {
    fn default() -> Self {
        let method = MaceMethod::Variational { spams: 0.5, knows: 0.5, strategy: 10.0 };
        Self { method, search: Search::default() }
    }
}

impl Mace {
    /// Expectation maximisation without any prior.
    #[must_use]
    pub fn maximum_likelihood() -> Self {
        Self { method: MaceMethod::Em { smoothing: 0.0 }, search: Search::default() }
    }
}

/// The MACE model (multi-annotator competence estimation): rater r, meeting truth c, says c with probability
/// `a[r]`, and otherwise, whatever the truth, category l with probability `t[r][l]`:
/// `p[r][c][l] = a[r] [l = c] + (1 - a[r]) t[r][l]`. All truths are equally probable.
///
/// The log-likelihood is that of the reported parameters (under variational Bayes, of their means), with the truths
/// summed out; the objective of variational Bayes is the lower bound of the evidence. Starts, `gold`, errors and
/// invariances are as in [`dawid_skene`](super::dawid_skene). Other implementations start at random and need many
/// starts; this one starts at the vote shares.
///
/// # Errors
/// As [`dawid_skene`](super::dawid_skene); [`Stop::CrowdKitBound`](super::Stop::CrowdKitBound), which MACE does not
/// have.
///
/// Hovy, Berg-Kirkpatrick, Vaswani and Hovy 2013, "Learning whom to trust with MACE".
///
/// ```
/// use ndarray::Array2;
/// use superalign_signal::{Votes, truth::{Mace, mace}};
/// // Four raters: number 3 always says 0.
/// let votes = Array2::from_shape_fn((60, 4), |(i, r)| if r == 3 { 0 } else { (i % 3) as i8 });
/// let found = mace(&Votes::dense(votes.view())?, None, &Mace::default())?;
/// assert!(found.raters.competence[0] > 0.9 && found.raters.competence[3] < 0.1);
/// assert!(found.raters.strategy[[3, 0]] > 0.7);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
pub fn mace(
    votes: &Votes,
    gold: Option<&[Option<u32>]>,
    options: &Mace,
) -> Result<Truth<Spammers>, SignalError> {
    options.method.check()?;
    options.search.needs_parameters("MACE")?;
    let patterns = em::layout(votes, gold, &options.search)?;
    let even = 1.0 / patterns.categories.max(1) as f64;
    let model = Spam {
        patterns: &patterns,
        method: options.method,
        raters: vec![Rater { spams: 0.5, knows: 0.5, spammed: 0.0, known: 0.0 }; patterns.raters],
        strategy: vec![even; patterns.base.len()],
        spammed: vec![0.0; patterns.base.len()],
    };
    let found = em::maximise(&patterns, &model, &ClassPrior::Uniform, &options.search)?;
    let raters = found.model.means();
    let mut table = found.table.clone();
    for (row, &(rater, given)) in patterns.base.iter().enumerate() {
        let knows = raters.competence[rater as usize];
        let spams = (1.0 - knows) * raters.strategy[[rater as usize, given as usize]];
        fill(&mut table.row_mut(row)[..patterns.categories], given as usize, spams, knows);
    }
    Ok(found.with_likelihood_of(&patterns, table).truth(&patterns, raters))
}

impl MaceMethod {
    fn check(self) -> Result<(), SignalError> {
        match self {
            Self::Em { smoothing } if (0.0..=MOST).contains(&smoothing) => Ok(()),
            Self::Em { smoothing } => {
                Err(SignalError::setting("smoothing", smoothing, "a number in [0, 1e12]"))
            }
            Self::Variational { spams, knows, strategy } => {
                let bad = |(_, found): &(&str, f64)| !(*found > 0.0 && *found <= MOST);
                match [("spams", spams), ("knows", knows), ("strategy", strategy)].into_iter().find(bad) {
                    Some((key, found)) => {
                        Err(SignalError::setting(key, found, "a number above 0, at most 1e12"))
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

/// The probability of a vote under each truth.
fn fill(row: &mut [f64], given: usize, spams: f64, knows: f64) {
    row.fill(spams);
    row[given] += knows;
}

/// What is believed of a rater: probabilities (under variational Bayes, exponentials of expected logarithms, whose sum
/// is below 1), and the expected counts they came from.
#[derive(Clone)]
struct Rater {
    spams: f64,
    knows: f64,
    spammed: f64,
    known: f64,
}

#[derive(Clone)]
struct Spam<'a> {
    patterns: &'a Patterns,
    method: MaceMethod,
    raters: Vec<Rater>,
    /// For each base row, the probability that a spamming rater gives its category.
    strategy: Vec<f64>,
    /// For each base row, how many of the votes are expected to be spam.
    spammed: Vec<f64>,
}

impl Spam<'_> {
    /// What is added to the counts of spamming, knowing, and each category.
    const fn added(&self) -> (f64, f64, f64) {
        match self.method {
            MaceMethod::Em { smoothing } => (smoothing, smoothing, smoothing),
            MaceMethod::Variational { spams, knows, strategy } => (spams, knows, strategy),
        }
    }

    /// The parameters, or their means.
    fn means(&self) -> Spammers {
        let k = self.patterns.categories;
        let (spams, knows, each) = self.added();
        let mut strategy = Array2::from_elem((self.patterns.raters, k), each);
        for (&(rater, given), spammed) in self.patterns.base.iter().zip(&self.spammed) {
            strategy[[rater as usize, given as usize]] += spammed;
        }
        let mut competence = Vec::new();
        let mut accuracy = Vec::new();
        for (rater, mut row) in self.raters.iter().zip(strategy.rows_mut()) {
            let sum = row.sum();
            row.mapv_inplace(|x| if sum > 0.0 { x / sum } else { 1.0 / k as f64 });
            let votes = rater.spammed + rater.known + spams + knows;
            let known = if votes > 0.0 { (rater.known + knows) / votes } else { 0.5 };
            competence.push(known);
            accuracy.push(known + (1.0 - known) / k as f64);
        }
        Spammers { competence, strategy, accuracy }
    }
}

impl Model for Spam<'_> {
    fn update(&mut self, counts: &Table, table: &mut Table) {
        let k = self.patterns.categories;
        let (spams, knows, each) = self.added();
        for (r, rater) in self.raters.iter_mut().enumerate() {
            let rows = self.patterns.of_rater[r]..self.patterns.of_rater[r + 1];
            (rater.spammed, rater.known) = (0.0, 0.0);
            for row in rows.clone() {
                let given = self.patterns.base[row].1 as usize;
                let right = counts.row(row)[given];
                let as_spam = rater.spams * self.strategy[row];
                let known =
                    if rater.knows > 0.0 { right * rater.knows / (as_spam + rater.knows) } else { 0.0 };
                self.spammed[row] = counts.row(row).iter().sum::<f64>() - known;
                rater.spammed += self.spammed[row];
                rater.known += known;
            }
            let votes = rater.spammed + rater.known + spams + knows;
            let given = rater.spammed + each * k as f64;
            if let MaceMethod::Variational { .. } = self.method {
                let whole = digamma(votes);
                rater.spams = (digamma(rater.spammed + spams) - whole).exp();
                rater.knows = (digamma(rater.known + knows) - whole).exp();
            } else if votes > 0.0 {
                rater.spams = (rater.spammed + spams) / votes;
                rater.knows = (rater.known + knows) / votes;
            }
            for row in rows {
                if let MaceMethod::Variational { .. } = self.method {
                    self.strategy[row] = (digamma(self.spammed[row] + each) - digamma(given)).exp();
                } else if given > 0.0 {
                    self.strategy[row] = (self.spammed[row] + each) / given;
                }
                let category = self.patterns.base[row].1 as usize;
                fill(&mut table.row_mut(row)[..k], category, rater.spams * self.strategy[row], rater.knows);
            }
        }
    }

    fn objective(&self, log_likelihood: f64, _: &Table) -> f64 {
        let (spams, knows, each) = self.added();
        let mut objective = log_likelihood;
        let mut with_prior = |counts: &mut dyn Iterator<Item = (f64, f64)>| {
            objective += match self.method {
                MaceMethod::Em { .. } => log_density(counts),
                MaceMethod::Variational { .. } => -divergence(counts),
            };
        };
        for (r, rater) in self.raters.iter().enumerate() {
            with_prior(&mut [(rater.spammed, spams), (rater.known, knows)].into_iter());
            let seen = &self.spammed[self.patterns.of_rater[r]..self.patterns.of_rater[r + 1]];
            let unseen = self.patterns.categories - seen.len();
            let all = seen.iter().copied().chain(std::iter::repeat_n(0.0, unseen));
            with_prior(&mut all.map(|count| (count, each)));
        }
        objective
    }
}

/// Logarithm of the density of the mode for these (count, added) pairs, without its constant.
fn log_density(counts: &mut dyn Iterator<Item = (f64, f64)>) -> f64 {
    let counts: Vec<_> = counts.collect();
    let sum: f64 = counts.iter().map(|(count, added)| count + added).sum();
    let term =
        |(count, added): (f64, f64)| if added > 0.0 { added * ((count + added) / sum).ln() } else { 0.0 };
    counts.into_iter().map(term).sum()
}

/// Kullback-Leibler divergence of the Dirichlet distribution with parameters count + prior from that of the prior.
fn divergence(counts: &mut dyn Iterator<Item = (f64, f64)>) -> f64 {
    let (mut sum, mut before, mut divergence) = (0.0, 0.0, 0.0);
    let mut weighted = 0.0;
    for (count, prior) in counts {
        sum += count + prior;
        before += prior;
        weighted += count;
        divergence += ln_gamma(prior) - ln_gamma(count + prior) + count * digamma(count + prior);
    }
    if before == 0.0 {
        return 0.0;
    }
    divergence + ln_gamma(sum) - ln_gamma(before) - weighted * digamma(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::Stop;
    use ndarray::array;

    #[test]
    fn settings_out_of_range_are_refused() {
        let votes = Votes::dense(array![[0, 1]].view()).unwrap();
        let message = |options: Mace| mace(&votes, None, &options).unwrap_err().to_string();
        let em = |smoothing| Mace { method: MaceMethod::Em { smoothing }, search: Search::default() };
        assert_eq!(message(em(-1.0)), "smoothing = -1: expected a number in [0, 1e12]");
        let method = MaceMethod::Variational { spams: 0.5, knows: 0.0, strategy: 10.0 };
        assert_eq!(message(Mace { method, ..em(0.0) }), "knows = 0: expected a number above 0, at most 1e12");
        let search = Search { stop: Stop::CrowdKitBound, ..Search::default() };
        assert_eq!(
            message(Mace { search, ..em(0.0) }),
            "crowd-kit's bound is undefined: MACE does not have it; stop by the parameters"
        );
    }

    #[test]
    fn the_bound_is_below_the_evidence() {
        // One rater, one item: the evidence is that of one vote under a uniform prior, 1 / k, whatever the rater.
        let votes = Votes::triples(&[0, 1], &[0, 0], &[0.0, 1.0]).unwrap();
        let found = mace(&votes, None, &Mace::default()).unwrap();
        // Two votes on different items: spam and truth are both symmetric; the evidence is close to 1/4.
        assert!(found.objective < 0.25_f64.ln() + 0.05 && found.objective > -3.0, "{}", found.objective);
        assert!((found.log_likelihood - 0.25_f64.ln()).abs() < 1e-9);
    }
}
