//! The measures of diversity and their conventions, by name. What computes them is in `value`.

/// Base of the logarithm of an entropy or a divergence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// e: nats.
    #[default]
    Natural,
    /// 2: bits.
    Two,
    /// 10: hartleys.
    Ten,
}

impl Base {
    /// The natural logarithm of this base.
    pub(crate) fn ln(self) -> f64 {
        match self {
            Self::Natural => 1.0,
            Self::Two => std::f64::consts::LN_2,
            Self::Ten => std::f64::consts::LN_10,
        }
    }
}

/// How the entropy of the whole is estimated from the counts `n_i` of `n` labels, of which `S` are distinct.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Estimator {
    /// Entropy of the shares as they are: `-sum p_i ln p_i`. Too low for a small sample.
    #[default]
    PlugIn,
    /// Plug-in plus `(S - 1) / (2 n)` (Miller 1955).
    MillerMadow,
    /// `-sum c_i ln c_i / (1 - (1 - c_i)^n)`, where `c_i = C p_i` and the coverage `C` is `1 - f1 / n`, of `f1` labels
    /// that occur once; with `f1 = n` it is `1 / n` (Chao and Shen 2003).
    ChaoShen,
}

/// Simpson's index (1949) in its forms: `lambda = sum p_i^2`, and without bias `sum n_i (n_i - 1) / (n (n - 1))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simpson {
    /// `lambda`: the chance that two labels drawn with return are the same.
    Dominance,
    /// `1 - lambda`, also called Gini-Simpson: the chance that they differ.
    Complement,
    /// `1 / lambda`: the effective number of labels, the Hill number of order 2.
    Inverse,
    /// `lambda` of two labels drawn without return.
    UnbiasedDominance,
    /// `1 -` that.
    UnbiasedComplement,
    /// `1 /` that; undefined where every label occurs once.
    UnbiasedInverse,
}

/// How evenly labels are used: 1 when all are used alike. `S` is the number of labels that occur, `k` of all.
///
/// With one label, the first three are 1: what occurs is used alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evenness {
    /// `H / ln S` (Pielou 1966).
    Pielou,
    /// `1 / (lambda S)`.
    Simpson,
    /// `(exp H - 1) / (S - 1)` (Heip 1974).
    Heip,
    /// `H / ln k`: over all classes, whether or not they occur. Undefined for one class.
    Classes,
}

/// How the area under the Lorenz curve of the Gini index is summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lorenz {
    /// By trapezoids: the usual Gini index.
    #[default]
    Trapezoids,
    /// By rectangles that reach up to the curve's right ends; lower by `1 / k`, and 0 where that is negative.
    Rectangles,
}

/// A measure of the diversity of `k` classes with shares `p_i`.
///
/// | measure | formula | range |
/// |---|---|---|
/// | `Entropy` | `-sum p_i log p_i`, with `0 log 0 = 0` (Shannon 1948) | `0..=log k` |
/// | `Hill(q)` | `(sum p_i^q)^(1 / (1 - q))` (Hill 1973): the effective number of labels | `1..=k` |
/// | `Renyi` | log of the Hill number (Renyi 1961) | `0..=log k` |
/// | `Tsallis(q)` | `(1 - sum p_i^q) / (q - 1)` (Tsallis 1988) | from 0 |
/// | `Simpson` | see [`Simpson`] | |
/// | `BergerParker` | `max p_i` | `1/k..=1` |
/// | `Evenness` | see [`Evenness`] | `0..=1` |
/// | `Gini` | inequality of the shares: `1 - 2 B`, where `B` is the area under their Lorenz curve | `0..1` |
/// | `ImbalanceRatio` | largest by smallest count of a class | from 1 |
///
/// Orders are from 0 to infinity; at 1 and at infinity they are the limits: `Hill(0)` is the number of labels that
/// occur, `Hill(1)` the perplexity `exp H`, `Hill(infinity)` is `1 / max p_i`. Classes that do not occur matter to
/// `Gini`, `ImbalanceRatio` and `Evenness::Classes` alone.
///
/// ```
/// use superalign_signal::label_diversity::{Measure, diversity};
/// let counts = [4, 2, 2, 0];
/// assert_eq!(diversity(&counts, Measure::Hill(0.0))?, 3.0);
/// assert!((diversity(&counts, Measure::Hill(1.0))? - 8_f64.sqrt()).abs() < 1e-12);
/// assert_eq!(diversity(&counts, Measure::Hill(f64::INFINITY))?, 2.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Shannon entropy.
    Entropy {
        /// How the whole is estimated from a sample.
        estimator: Estimator,
        /// Base of the logarithm.
        base: Base,
    },
    /// Hill number of this order.
    Hill(f64),
    /// Rényi entropy.
    Renyi {
        /// The order.
        order: f64,
        /// Base of the logarithm.
        base: Base,
    },
    /// Tsallis entropy of this order.
    Tsallis(f64),
    /// Simpson's index.
    Simpson(Simpson),
    /// Share of the most frequent label.
    BergerParker,
    /// Evenness.
    Evenness(Evenness),
    /// Gini index of the shares of all classes.
    Gini(Lorenz),
    /// Largest by smallest class.
    ImbalanceRatio,
}

impl Measure {
    /// Shannon entropy of the shares as they are, in nats.
    pub const ENTROPY: Self = Self::Entropy { estimator: Estimator::PlugIn, base: Base::Natural };

    /// Name, for errors.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Entropy { .. } => "entropy",
            Self::Hill(_) => "Hill number",
            Self::Renyi { .. } => "Rényi entropy",
            Self::Tsallis(_) => "Tsallis entropy",
            Self::Simpson(_) => "Simpson's index",
            Self::BergerParker => "Berger-Parker dominance",
            Self::Evenness(_) => "evenness",
            Self::Gini(_) => "Gini index",
            Self::ImbalanceRatio => "imbalance ratio",
        }
    }
}
