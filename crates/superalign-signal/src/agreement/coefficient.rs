//! The coefficients of agreement and their conventions, by name. How they are computed is not here.

/// How far apart two labels are, from 0 (the same) to 1; the weight of two labels is 1 minus that (Gwet 2014, ch. 3).
///
/// With k and l the places of the two labels among the q categories, counted from 0, and x their values:
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Weights {
    /// Any two different labels are 1 apart.
    #[default]
    Identity,
    /// |x_k - x_l| / (x_max - x_min).
    Linear(Spacing),
    /// The square of [`Weights::Linear`].
    Quadratic(Spacing),
    /// d (d + 1) / (q (q - 1)) with d = |k - l|: the share of the pairs of categories that lie between the two.
    Ordinal,
}

/// What the value of a category is for linear and quadratic weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Spacing {
    /// Its place among the categories, as scikit-learn and statsmodels count: categories are evenly spaced.
    #[default]
    Index,
    /// The label itself, as irrCAC counts: labels 1, 2 and 10 are 1 and 8 apart.
    Value,
}

/// Which categories there are, for weights and for coefficients that count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Categories {
    /// The labels that occur among the votes that count (in a resample: among all items, drawn or not).
    #[default]
    Observed,
    /// The whole numbers from `first` to `last`, both included, whether they occur or not.
    Whole {
        /// The lowest label.
        first: i32,
        /// The highest label.
        last: i32,
    },
}

/// Weights over a set of categories; by default identity weights over those that are observed.
///
/// ```
/// use superalign_signal::agreement::{Categories, Spacing, Weighting, Weights};
/// let stars = Weighting {
///     weights: Weights::Quadratic(Spacing::Value),
///     categories: Categories::Whole { first: 1, last: 5 },
/// };
/// assert_ne!(stars, Weighting::new(Weights::Quadratic(Spacing::Value)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Weighting {
    /// How far apart two labels are.
    pub weights: Weights,
    /// Which labels there are.
    pub categories: Categories,
}

impl Weighting {
    /// These weights over the observed categories.
    #[must_use]
    pub const fn new(weights: Weights) -> Self {
        Self { weights, categories: Categories::Observed }
    }
}

/// The scale on which Krippendorff's alpha takes the labels; d is the distance of two labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// d = 1 for different labels.
    Nominal,
    /// d is the square of the number of votes between the two labels, half of each label's own included; given in
    /// shares of all votes.
    Ordinal,
    /// d = (x - y)^2, given in shares of the squared range.
    Interval,
    /// d = ((x - y) / (x + y))^2, and 0 for two zeros; labels must not be negative.
    Ratio,
}

/// Which numbers of raters an item may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Raters {
    /// Every item has as many votes as every other: Fleiss 1971, and what statsmodels asks for.
    Equal,
    /// Any number: items count alike, each with the mean over its pairs of votes (Gwet 2014, irrCAC).
    #[default]
    Varying,
}

/// A coefficient of agreement: 1 - D / E, where D is the observed and E the expected distance of two votes on an item.
///
/// Below, m is an item's number of votes, w = 1 - d the weight of two labels, and p_a the mean weight of two votes on
/// an item, over the items with at least two; p_k is the mean over items of the share of label k among an item's votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coefficient {
    /// p_a itself, in [0, 1]: chance is left out.
    Raw(Weighting),
    /// Cohen's kappa of two raters (1960, weighted 1968): p_e = sum w_kl a_k b_l from both raters' shares of labels,
    /// over the items that both rated.
    Cohen(Weighting),
    /// Conger's kappa (1980; irrCAC): Cohen's for any number of raters. p_e is the mean over pairs of raters of theirs, from
    /// each rater's shares of labels over all its votes.
    Conger(Weighting),
    /// Fleiss' kappa (1971): p_e = sum w_kl p_k p_l. With two raters it is Scott's pi.
    Fleiss(Weighting, Raters),
    /// Brennan and Prediger (1981), also Randolph's kappa and Bennett's S: p_e = sum w_kl / q^2.
    BrennanPrediger(Weighting),
    /// Krippendorff's alpha (2004): every vote counts alike, and the expected distance is that of two of all votes that
    /// stand beside another vote on their item.
    Krippendorff(Level),
    /// Krippendorff's alpha with the weights of the other coefficients (Gwet 2014, irrCAC).
    WeightedKrippendorff(Weighting),
    /// Gwet's AC1 (2008), with other than identity weights his AC2: p_e = sum w_kl / (q (q - 1)) sum p_k (1 - p_k).
    Gwet(Weighting),
}

impl Coefficient {
    /// The name in messages and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw(_) => "raw agreement",
            Self::Cohen(_) => "Cohen's kappa",
            Self::Conger(_) => "Conger's kappa",
            Self::Fleiss(..) => "Fleiss' kappa",
            Self::BrennanPrediger(_) => "Brennan-Prediger coefficient",
            Self::Krippendorff(_) | Self::WeightedKrippendorff(_) => "Krippendorff's alpha",
            Self::Gwet(Weighting { weights: Weights::Identity, .. }) => "Gwet's AC1",
            Self::Gwet(_) => "Gwet's AC2",
        }
    }
}
