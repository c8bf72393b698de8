//! Item response models: how hard and how telling each item is, from persons' right and wrong answers.
//!
//! The likelihood is in `responses`, the search in `marginal`; what a person can do, given the items, is in `ability`.

use super::marginal::{Search, identified};
use super::responses::{Lines, Patterns};
use crate::{Estimate, EvaluationError};
use ndarray::ArrayView2;

/// Which item response model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemModel {
    /// One slope for all items: Rasch's model, with abilities of variance slope^2.
    Rasch,
    /// A slope for each item.
    TwoParameter,
}

/// What is known of the items beforehand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ItemPrior {
    /// Nothing: maximum likelihood.
    Flat,
    /// Slopes are log-normal, intercepts normal about 0: maximum a posteriori. It keeps the items finite that all
    /// persons get right, or all wrong.
    LogNormal {
        /// Mean of the logarithm of a slope, in [-5, 5].
        log_slope_mean: f64,
        /// Standard deviation of the logarithm of a slope, in [1e-3, 1e3].
        log_slope_deviation: f64,
        /// Standard deviation of an intercept, in [1e-3, 1e3].
        intercept_deviation: f64,
    },
}

/// Settings of [`item_response`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ItemResponse {
    /// The model; [`ItemModel::TwoParameter`] by default.
    pub model: ItemModel,
    /// The prior; [`ItemPrior::Flat`] by default.
    pub prior: ItemPrior,
    /// Quadrature nodes, 5 to 200; 61 by default. Their distance is about 3.14 / sqrt(nodes) and should be at most
    /// twice the standard deviation of a person's posterior: take more for long tests of steep items.
    pub nodes: usize,
    /// Most passes over the answers, at least 1; 2,000 by default.
    pub iterations: usize,
}

/// A parameter with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// The estimate.
    pub value: f64,
    /// Its standard error, from the observed information.
    pub error: f64,
}

/// Items as [`item_response`] finds them.
#[derive(Clone, Debug, PartialEq)]
pub struct Items {
    /// The model.
    pub model: ItemModel,
    /// Slope (discrimination) of each item, of the log-odds by the ability; all the same under [`ItemModel::Rasch`].
    pub slopes: Vec<Parameter>,
    /// Intercept (easiness) of each item: the log-odds of a right answer at ability 0.
    pub intercepts: Vec<Parameter>,
    /// Covariance of slope and intercept of each item.
    pub covariances: Vec<f64>,
    /// Natural logarithm of the probability of all answers, abilities integrated out.
    pub log_likelihood: f64,
    /// The log-likelihood, plus the logarithm of the prior's density without its constant.
    pub objective: f64,
    /// Number of free parameters.
    pub parameters: usize,
    /// Number of persons with an answer.
    pub persons: f64,
    /// Passes over the answers.
    pub iterations: usize,
    /// The largest absolute derivative of the objective at the end.
    pub gradient: f64,
}

impl Default for ItemResponse {
    fn default() -> Self {
        Self { model: ItemModel::TwoParameter, prior: ItemPrior::Flat, nodes: 61, iterations: 2000 }
    }
}

impl ItemPrior {
    /// Weak knowledge: slopes about 1, most between 0.4 and 2.7; intercepts mostly within 6 of 0.
    #[must_use]
    pub const fn weak() -> Self {
        Self::LogNormal { log_slope_mean: 0.0, log_slope_deviation: 0.5, intercept_deviation: 3.0 }
    }

    fn check(&self) -> Result<(), EvaluationError> {
        let Self::LogNormal { log_slope_mean, log_slope_deviation, intercept_deviation } = *self else {
            return Ok(());
        };
        if !(-5.0..=5.0).contains(&log_slope_mean) {
            return Err(EvaluationError::setting("log_slope_mean", log_slope_mean, "a number in [-5, 5]"));
        }
        for (key, found) in
            [("log_slope_deviation", log_slope_deviation), ("intercept_deviation", intercept_deviation)]
        {
            if !(1e-3..=1e3).contains(&found) {
                return Err(EvaluationError::setting(key, found, "a number in [1e-3, 1e3]"));
            }
        }
        Ok(())
    }

    /// Logarithm of the density, slope and second derivative, at a slope.
    pub(super) fn of_slope(&self, slope: f64) -> [f64; 3] {
        match *self {
            Self::Flat => [0.0; 3],
            Self::LogNormal { .. } if slope <= 0.0 => [f64::NEG_INFINITY, 0.0, 0.0],
            Self::LogNormal { log_slope_mean, log_slope_deviation, .. } => {
                let precision = log_slope_deviation.powi(-2);
                let off = (slope.ln() - log_slope_mean) * precision;
                let value = -slope.ln() - 0.5 * off * off / precision;
                [value, -(1.0 + off) / slope, (1.0 + off - precision) / (slope * slope)]
            }
        }
    }

    pub(super) fn of_intercept(&self, intercept: f64) -> [f64; 3] {
        match *self {
            Self::Flat => [0.0; 3],
            Self::LogNormal { intercept_deviation, .. } => {
                let precision = intercept_deviation.powi(-2);
                [-0.5 * precision * intercept * intercept, -precision * intercept, -precision]
            }
        }
    }
}

impl Parameter {
    /// The normal (Wald) interval at a level in (0, 1).
    ///
    /// # Errors
    /// A level outside (0, 1).
    pub fn interval(&self, level: f64) -> Result<Estimate, EvaluationError> {
        let half = self.error * two_sided(level)?;
        Ok(Estimate { value: self.value, lo: self.value - half, hi: self.value + half })
    }
}

/// The half width of a two-sided normal interval, in standard errors.
pub(super) fn two_sided(level: f64) -> Result<f64, EvaluationError> {
    if level > 0.0 && level < 1.0 {
        Ok(crate::special::normal_quantile(0.5 + 0.5 * level))
    } else {
        Err(EvaluationError::setting("level", level, "a number between 0 and 1"))
    }
}

impl Items {
    /// Difficulty of an item, the ability at which half are right: -intercept / slope, its error by the delta method.
    ///
    /// # Errors
    /// No such item; a slope of 0, where right answers say nothing of ability.
    pub fn difficulty(&self, item: usize) -> Result<Parameter, EvaluationError> {
        let (Some(slope), Some(intercept)) = (self.slopes.get(item), self.intercepts.get(item)) else {
            let expected = self.slopes.len();
            return Err(EvaluationError::Shape {
                what: "item below the number of items",
                found: item,
                expected,
            });
        };
        if slope.value.abs() < 1e-9 {
            return Err(EvaluationError::undefined("difficulty", format!("the slope of item {item} is 0")));
        }
        let value = -intercept.value / slope.value;
        let variance = intercept.error.powi(2)
            + 2.0 * value * self.covariances[item]
            + value * value * slope.error.powi(2);
        Ok(Parameter { value, error: variance.max(0.0).sqrt() / slope.value.abs() })
    }

    /// Variance of the abilities where every slope is 1, as Rasch's model is often written: slope^2.
    ///
    /// # Errors
    /// The slopes differ.
    pub fn ability_variance(&self) -> Result<Parameter, EvaluationError> {
        if self.model != ItemModel::Rasch {
            let reason = "under the two-parameter model it is 1 by definition";
            return Err(EvaluationError::undefined("variance of the abilities", reason));
        }
        let slope = self.slopes[0];
        Ok(Parameter { value: slope.value * slope.value, error: 2.0 * slope.value.abs() * slope.error })
    }

    pub(super) fn lines(&self) -> Lines {
        let values = |of: &[Parameter]| of.iter().map(|parameter| parameter.value).collect();
        Lines { slope: values(&self.slopes), intercept: values(&self.intercepts) }
    }
}

/// An item response model by marginal maximum likelihood: a person of ability t answers item j rightly with probability
/// `1 / (1 + exp(-(slope[j] t + intercept[j])))`, and abilities are standard normal.
///
/// `answers` is (persons, items): 1 right, 0 wrong, below 0 no answer (missing at random). `counts` says how many
/// persons each row stands for. Rows that are alike are worked on once.
///
/// Expectation maximisation with Gauss-Hermite quadrature, then Newton's method with the exact observed information
/// until the gain is lost in rounding. Of the two mirror images of a solution, the slopes' sum is not negative.
///
/// # Errors
/// No persons or items, an answer above 1, settings out of range. Without a prior also: fewer than 3 items (2 for
/// Rasch), an item nobody answered or that all get right or wrong, slopes that grow without bound or whose
/// curvature is singular (too few persons).
///
/// Bock and Aitkin 1981, "Marginal maximum likelihood estimation of item parameters"; Louis 1982.
///
/// ```
/// use ndarray::Array2;
/// use superalign_evaluation::extrapolation::{ItemModel, ItemResponse, item_response};
/// // Person i gets the easiest items right, and one in seven answers is turned round.
/// let answer = |(i, j): (usize, usize)| i8::from((j < i % 5) ^ ((i * 3 + j * 11) % 7 == 0));
/// let answers = Array2::from_shape_fn((200, 4), answer);
/// let found = item_response(answers.view(), None, &ItemResponse { model: ItemModel::Rasch, ..Default::default() })?;
/// assert!(found.difficulty(0)?.value < found.difficulty(3)?.value);
/// assert!(found.gradient < 1e-6);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn item_response(
    answers: ArrayView2<'_, i8>,
    counts: Option<&[u64]>,
    options: &ItemResponse,
) -> Result<Items, EvaluationError> {
    if !(5..=200).contains(&options.nodes) {
        return Err(EvaluationError::setting("nodes", options.nodes as f64, "a number in 5..=200"));
    }
    if options.iterations == 0 {
        return Err(EvaluationError::setting("iterations", 0.0, "at least 1"));
    }
    options.prior.check()?;
    let patterns = Patterns::new(answers, counts)?;
    if options.prior == ItemPrior::Flat {
        identified(&patterns, options.model)?;
    }
    let mut search = Search::new(&patterns, options);
    search.run()?;
    search.items()
}
