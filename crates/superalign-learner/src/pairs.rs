//! Training on preferences: of two items, which is the better one.

use crate::features::Prepared;
use crate::passes::Link;
use crate::sweep::solve;
use crate::{LearnerError, Loss, Probe, ProbeConfig};
use ndarray::{Array2, ArrayView2};

/// Whether a student of preferences may favour a place, whatever stands there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PositionBias {
    /// It may not: swapping the two items of a pair and its label changes nothing.
    #[default]
    None,
    /// A bias towards the first place is fitted (unpenalised), so that judges who favour a place do not bend the
    /// weights. Needs pairs whose order was drawn at random, and labels of both kinds.
    Fitted,
}

/// Trains one Bradley-Terry student per column of `preferences` on pairs of items that have features.
///
/// Every problem j minimises, over weights w,
///
/// ```text
/// 1/2 |w|^2 + C sum_i loss(w . (a_i - b_i), y_ij)
/// ```
///
/// where a and b are the features `(pairs, d)` of the `first` and the `second` items, C is `config.penalty` and y are
/// the `preferences` `(pairs, problems)`: probabilities in [0, 1] that the first is the better one, hard or soft
/// (1/2 is a tie). An item scores w . x, and the first of two is preferred with probability 1 / (1 + exp(-(w . a -
/// w . b))) (Bradley and Terry 1952). It is the objective of a logistic regression on differences without an intercept.
/// [`PositionBias::Fitted`] adds a term b to the score of the first, unpenalised, in [`Probe::intercept`]; otherwise
/// that is 0.
///
/// [`crate::Scaling::UnitVariance`] divides every column of the differences by its root mean square *about 0*, which
/// a swap does not change. Score single items with [`Probe::logits`], pairs with [`pair_logits`]. Under
/// [`crate::Loss::LogConf`] predictions are hardened by their rank, as for any labels; that alone depends on the order.
///
/// Certificates, determinism and memory are those of [`crate::fit_sweep`], with one copy of the differences.
///
/// # Errors
/// As [`crate::fit_sweep`], where rows are pairs and features are differences; also another number of columns or rows
/// of the second items; confident learning, whose folds know no pairs. Preferences that are all alike have an optimum
/// unless a bias is fitted.
///
/// ```
/// use ndarray::array;
/// use superalign_learner::{PositionBias, ProbeConfig, fit_pairs, pair_logits};
/// let first = array![[1.0_f32, 0.0], [2.0, 1.0], [0.0, 1.0]];
/// let second = array![[0.0_f32, 0.0], [0.5, 1.0], [1.0, 1.0]];
/// let preferences = array![[1.0], [0.9], [0.0]]; // more of the first feature is better
/// let config = ProbeConfig::default();
/// let fitted = fit_pairs(first.view(), second.view(), preferences.view(), PositionBias::None, &config);
/// let student = fitted[0].as_ref().expect("pairs");
/// assert!(student.weights[0] > 0.5 && student.weights[1].abs() < 0.2 && student.intercept == 0.0);
/// let margin = pair_logits(student, first.view(), second.view())?;
/// assert!(margin[0] > 0.0 && margin[2] < 0.0);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
#[must_use]
pub fn fit_pairs(
    first: ArrayView2<'_, f32>,
    second: ArrayView2<'_, f32>,
    preferences: ArrayView2<'_, f64>,
    bias: PositionBias,
    config: &ProbeConfig,
) -> Vec<Result<Probe, LearnerError>> {
    let link = match bias {
        PositionBias::None => Link::LogisticThroughOrigin,
        PositionBias::Fitted => Link::Logistic,
    };
    let ready = config.check().and_then(|()| {
        let (expected, found) = (first.nrows(), preferences.nrows());
        if found != expected {
            return Err(LearnerError::Rows { what: "preferences", of: "pairs", expected, found });
        }
        if let Loss::ConfidentLearning { .. } = config.loss {
            return Err(LearnerError::LossOfPairs { found: config.loss.name() });
        }
        let prepared = Prepared::in_place(difference(first, second)?, config.scaling)?;
        Ok((prepared.curvature(config.penalty)?, prepared))
    });
    match ready {
        Err(error) => vec![Err(error); preferences.ncols()],
        Ok((factor, prepared)) => {
            let kept = vec![Ok(Vec::new()); preferences.ncols()];
            solve(&prepared, &factor, link, preferences, kept, config)
        }
    }
}

/// Logits that the first of two items is the better one, w . a - w . b + intercept, one per pair.
///
/// # Errors
/// Another number of columns than weights; another number of second items than first ones.
///
/// ```
/// use ndarray::array;
/// use superalign_learner::{Probe, pair_logits};
/// let student = Probe::new(vec![2.0], 0.0);
/// let logits = pair_logits(&student, array![[1.0_f32]].view(), array![[0.25_f32]].view())?;
/// assert_eq!(logits, [1.5]);
/// # Ok::<(), superalign_learner::LearnerError>(())
/// ```
pub fn pair_logits(
    student: &Probe,
    first: ArrayView2<'_, f32>,
    second: ArrayView2<'_, f32>,
) -> Result<Vec<f64>, LearnerError> {
    check_shapes(first, second)?;
    let (first, second) = (student.logits(first)?, student.logits(second)?);
    // Both carry the intercept; the difference wants it once.
    Ok(first.iter().zip(&second).map(|(a, b)| a - b + student.intercept).collect())
}

fn check_shapes(first: ArrayView2<'_, f32>, second: ArrayView2<'_, f32>) -> Result<(), LearnerError> {
    let ((expected, columns), (found, other)) = (first.dim(), second.dim());
    if found != expected {
        return Err(LearnerError::Rows { what: "second items", of: "first items", expected, found });
    }
    if other != columns {
        return Err(LearnerError::PairColumns { expected: columns, found: other });
    }
    Ok(())
}

fn difference(first: ArrayView2<'_, f32>, second: ArrayView2<'_, f32>) -> Result<Array2<f32>, LearnerError> {
    check_shapes(first, second)?;
    for items in [first, second] {
        for (row, values) in items.outer_iter().enumerate() {
            if let Some(column) = values.iter().position(|v| !v.is_finite()) {
                return Err(LearnerError::NonFinite { row, column, value: values[column] });
            }
        }
    }
    Ok(&first - &second)
}
