//! How the validity of a surrogate fades as the supervisor who labels it errs more.

use super::correlation::{Correlation, of};
use super::errors::{check_shares, expected_kendall, expected_score};
use super::scored::{Resampler, Scored, SurrogateTest};
use super::validity::line;
use crate::{Estimate, EvaluationError};
use ndarray::ArrayView2;

/// The surrogate items scored by the labels of a supervisor.
#[derive(Clone, Copy, Debug)]
pub struct Supervised<'a> {
    /// The share of the surrogate's labels that the supervisor has wrong, in `0..=1`.
    pub error: f64,
    /// Scores by its labels, (students, items): the students and items of the surrogate, in their order.
    pub scores: ArrayView2<'a, f64>,
}

/// What a surrogate is worth under supervisors of several error rates.
#[derive(Clone, Debug, PartialEq)]
pub struct Degradation {
    /// By error rate, rising; the first has the true labels and an error of 0.
    pub points: Vec<DegradationPoint>,
    /// Slope of the line of least squares: Kendall's tau-b by error rate.
    pub slope: Estimate,
}

/// What a surrogate is worth under one supervisor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DegradationPoint {
    /// Its error rate.
    pub error: f64,
    /// Kendall's tau-b between the scores by its labels and the withheld truth.
    pub validity: Estimate,
    /// What [`expected_kendall`] gives for as many errors that depend on nothing. Less than that is found where
    /// errors favour some students, such as those who make the same.
    pub expected: f64,
    /// Mean score over students and items, by its labels.
    pub score: Estimate,
    /// What [`expected_score`] gives for it; more is found where students make the supervisor's errors too.
    pub expected_score: f64,
}

/// Kendall's tau-b between surrogate scores and the withheld truth, by how often the supervisor is wrong about the
/// surrogate. All points come from the same resamples, so that the interval of the slope is that of a paired
/// comparison.
///
/// `scored.surrogate` holds the scores by the true labels, within `0..=1`: they are the point at an error of 0.
///
/// # Errors
/// As [`validity`](super::validity); no supervisor, or none with an error above 0; error rates or scores outside
/// `0..=1`; scores that have another shape, or under which all students are equal.
///
/// ```
/// use ndarray::Array2;
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_evaluation::surrogate::{
///     Scored, Supervised, SurrogateTest, degradation, independent_errors, with_errors,
/// };
/// let surrogate = Array2::from_shape_fn((5, 300), |(s, i)| f64::from((i * 7 + s) % 20 < 18 - 2 * s));
/// let target = Array2::from_shape_fn((5, 300), |(s, i)| f64::from((i * 3 + s) % 20 < 14 - 2 * s));
/// let wrong = independent_errors(300, 0.4, Seed::new(3))?;
/// let by_supervisor = with_errors(surrogate.view(), &wrong)?;
/// let scored = Scored {
///     surrogate: surrogate.view(), target: target.view(), surrogate_groups: None, target_groups: None,
/// };
/// let by = SurrogateTest::new(Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) });
/// let found = degradation(&scored, &[Supervised { error: 0.4, scores: by_supervisor.view() }], &by)?;
/// assert_eq!((found.points[0].error, found.points[0].validity.value), (0.0, 1.0));
/// assert!(found.slope.hi <= 0.0 && found.points[1].expected < 0.9);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn degradation(
    scored: &Scored<'_>,
    supervised: &[Supervised<'_>],
    test: &SurrogateTest,
) -> Result<Degradation, EvaluationError> {
    let resampler = Resampler::new(scored)?;
    check_shares(scored.surrogate)?;
    let view = |error, scores| Supervised { error, scores };
    let mut order: Vec<Supervised<'_>> =
        supervised.iter().map(|supervisor| view(supervisor.error, supervisor.scores.view())).collect();
    for (index, supervisor) in supervised.iter().enumerate() {
        let found = supervisor.error;
        if !(0.0..=1.0).contains(&found) {
            let (what, expected) = ("error rate of supervisor", "a number from 0 to 1");
            return Err(EvaluationError::Value { what, index, found, expected });
        }
    }
    order.sort_by(|a, b| a.error.total_cmp(&b.error));
    if order.last().is_none_or(|worst| worst.error == 0.0) {
        let what = "supervisors with an error rate above 0";
        return Err(EvaluationError::TooFew { what, found: 0, expected: 1 });
    }
    order.insert(0, view(0.0, scored.surrogate.view()));
    let whole = resampler.whole();
    let target = resampler.target.means(&whole.counts);
    let mut sums = Vec::with_capacity(order.len());
    for supervisor in &order {
        let found = resampler.sums(supervisor.scores)?;
        check_shares(supervisor.scores)?;
        resampler.check_spread(&found.means(&whole.counts), &target)?;
        sums.push(found);
    }
    let errors: Vec<f64> = order.iter().map(|supervisor| supervisor.error).collect();
    let count = order.len();
    let mut names = vec!["Kendall's tau-b"; count];
    names.push("slope of Kendall's tau-b by the error rate");
    let found = resampler.estimates(test, &names, |drawn| {
        let target = drawn.of(&resampler.target.means(&drawn.counts));
        let scores: Vec<Vec<f64>> = sums.iter().map(|sums| drawn.of(&sums.means(&drawn.counts))).collect();
        let mut all: Vec<f64> =
            scores.iter().map(|scores| of(scores, &target, Correlation::Kendall)).collect();
        all.push(line(&errors, &all).0);
        all.extend(scores.iter().map(|scores| scores.iter().sum::<f64>() / scores.len() as f64));
        all
    })?;
    let score = found[count + 1].value;
    let point = |place: usize| {
        let error = errors[place];
        Ok(DegradationPoint {
            error,
            validity: found[place],
            expected: expected_kendall(scored.surrogate, &target, error)?,
            score: found[count + 1 + place],
            expected_score: expected_score(score, error)?,
        })
    };
    let points = (0..count).map(point).collect::<Result<_, EvaluationError>>()?;
    Ok(Degradation { points, slope: found[count] })
}
