//! How far surrogate scores say what the withheld truth says.

use super::correlation::{Correlation, of, sign};
use super::scored::{Resampler, Scored, SurrogateTest};
use crate::paired::{Alternative, Reference, SmallSample, adjusted, difference};
use crate::{Bootstrap, Estimate, EvaluationError};
use ndarray::ArrayView2;
use superalign_core::below;

/// What surrogate scores are worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Validity {
    /// Number of students.
    pub students: usize,
    /// Kendall's tau-b between the two scores, in `-1..=1`.
    pub kendall: Estimate,
    /// Spearman's rho between them.
    pub spearman: Estimate,
    /// Slope of the line of least squares, target by surrogate; 1 where a step in one is a step in the other.
    pub slope: Estimate,
    /// Its value at a surrogate score of 0.
    pub intercept: Estimate,
    /// Mean of surrogate less target score: what the surrogate flatters.
    pub bias: Estimate,
    /// Mean distance between the two scores of a student.
    pub mean_absolute_difference: Estimate,
    /// Score of each student on the surrogate.
    pub surrogate: Vec<Estimate>,
    /// Score of each student on the target.
    pub target: Vec<Estimate>,
    /// Pairs of students that the surrogate orders wrongly.
    pub order: Order,
}

/// Pairs of students in the wrong order.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Number of pairs.
    pub pairs: usize,
    /// Share of pairs whose scores are in opposite order on surrogate and target; ties are not.
    pub wrong: Estimate,
    /// Number of pairs that the surrogate tells apart: adjusted p-value of the paired difference below 1 - level.
    pub told_apart: usize,
    /// Share of all pairs that surrogate and target both tell apart, in opposite order: mistakes that chance does not
    /// explain. Its interval is over resampled students (pairs of one and the same left out), with the tests as they
    /// are.
    pub significantly_wrong: Estimate,
    /// Those pairs, the one that is better on the target first.
    pub reversed: Vec<(usize, usize)>,
}

/// Whether the surrogate says of the students what the withheld truth says.
///
/// The interval of every number but one comes from the same resamples of groups of items (surrogate, target, and what
/// both share), and of students under [`Varied::ItemsAndStudents`](super::Varied). Both scores are noisy: with few
/// items, correlation and slope are nearer to 0 than those of the students' true abilities, and their resamples are
/// nearer still; the interval is that of what so many items show.
///
/// # Errors
/// Fewer than 3 students or 2 items; shapes that do not go together; scores that are no finite numbers; students who
/// all score the same; a statistic that more than one resample in twenty leaves undefined (few students who are
/// resampled); settings of the bootstrap.
///
/// ```
/// use ndarray::Array2;
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_evaluation::surrogate::{Scored, SurrogateTest, validity};
/// // Students 0 to 4 answer 9, 8, 7, 6 and 5 of ten surrogate items in each block, and two fewer of the target.
/// let surrogate = Array2::from_shape_fn((5, 200), |(s, i)| f64::from(i * 7 % 10 < 9 - s));
/// let target = Array2::from_shape_fn((5, 200), |(s, i)| f64::from(i * 3 % 10 < 7 - s));
/// let scored = Scored {
///     surrogate: surrogate.view(), target: target.view(), surrogate_groups: None, target_groups: None,
/// };
/// let found = validity(&scored, &SurrogateTest::new(Bootstrap::new(Seed::new(1))))?;
/// assert_eq!((found.kendall.value, found.order.reversed.len()), (1.0, 0));
/// assert!((found.slope.value - 1.0).abs() < 1e-12 && (found.bias.value - 0.2).abs() < 1e-12);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn validity(scored: &Scored<'_>, test: &SurrogateTest) -> Result<Validity, EvaluationError> {
    const NAMES: [&str; 7] = [
        "Kendall's tau-b",
        "Spearman's rho",
        "slope of the target by the surrogate",
        "intercept of the target by the surrogate",
        "bias of the surrogate",
        "mean absolute difference",
        "share of pairs in the wrong order",
    ];
    let resampler = Resampler::new(scored)?;
    test.bootstrap.check()?;
    let whole = resampler.whole();
    let (surrogate, target) =
        (resampler.surrogate.means(&whole.counts), resampler.target.means(&whole.counts));
    resampler.check_spread(&surrogate, &target)?;
    let students = surrogate.len();
    let found = resampler.estimates(test, &NAMES, |drawn| {
        let surrogate = resampler.surrogate.means(&drawn.counts);
        let target = resampler.target.means(&drawn.counts);
        let (x, y) = (drawn.of(&surrogate), drawn.of(&target));
        let (slope, intercept) = line(&x, &y);
        let n = x.len() as f64;
        let mut all = vec![
            of(&x, &y, Correlation::Kendall),
            of(&x, &y, Correlation::Spearman),
            slope,
            intercept,
            x.iter().zip(&y).map(|(x, y)| x - y).sum::<f64>() / n,
            x.iter().zip(&y).map(|(x, y)| (x - y).abs()).sum::<f64>() / n,
            wrong(&x, &y),
        ];
        // The scores of single students are those of the drawn items, whoever is drawn.
        all.extend(surrogate);
        all.extend(target);
        all
    })?;
    let [kendall, spearman, slope, intercept, bias, mean_absolute_difference, wrong] =
        std::array::from_fn(|place| found[place]);
    Ok(Validity {
        students,
        kendall,
        spearman,
        slope,
        intercept,
        bias,
        mean_absolute_difference,
        surrogate: found[7..7 + students].to_vec(),
        target: found[7 + students..].to_vec(),
        order: order(scored, test, wrong)?,
    })
}

/// Slope and intercept of the line of least squares, y by x; NaN where all x are equal.
pub(super) fn line(x: &[f64], y: &[f64]) -> (f64, f64) {
    let n = x.len() as f64;
    let (a, b) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    if x.iter().all(|other| *other == x[0]) {
        return (f64::NAN, f64::NAN);
    }
    let (mut both, mut square) = (0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        both += (x - a) * (y - b);
        square += (x - a) * (x - a);
    }
    (both / square, b - both / square * a)
}

/// The share of pairs in opposite order.
fn wrong(x: &[f64], y: &[f64]) -> f64 {
    let mut found = 0_u32;
    for i in 0..x.len() {
        found += (0..i).map(|j| u32::from(sign(x[i] - x[j]) * sign(y[i] - y[j]) < 0.0)).sum::<u32>();
    }
    f64::from(found) / pairs(x.len()) as f64
}

const fn pairs(students: usize) -> usize {
    students * (students - 1) / 2
}

/// -1, 0 or 1 for each pair (i, j), j < i: which is better, and 0 where the difference is not significant.
fn told_apart(
    scores: ArrayView2<'_, f64>,
    groups: Option<&[u32]>,
    test: &SurrogateTest,
) -> Result<Vec<f64>, EvaluationError> {
    let rows: Vec<Vec<f64>> = scores.rows().into_iter().map(|row| row.to_vec()).collect();
    let (mut signs, mut p_values) = (Vec::new(), Vec::new());
    for i in 0..rows.len() {
        for j in 0..i {
            let found = difference(&rows[i], &rows[j], groups, SmallSample::Miller)?;
            signs.push(sign(found.value));
            // Without a spread, either nothing differs or everything does alike.
            p_values.push(match (found.standard_error == 0.0, found.value == 0.0) {
                (true, true) => 1.0,
                (true, false) => 0.0,
                _ => found.p_value(0.0, Alternative::TwoSided, Reference::Normal)?,
            });
        }
    }
    let p_values = adjusted(&p_values, test.adjustment)?;
    let error = 1.0 - test.bootstrap.level;
    Ok(signs.into_iter().zip(p_values).map(|(sign, p)| if p < error { sign } else { 0.0 }).collect())
}

fn order(scored: &Scored<'_>, test: &SurrogateTest, wrong: Estimate) -> Result<Order, EvaluationError> {
    let students = scored.surrogate.nrows();
    let surrogate = told_apart(scored.surrogate, scored.surrogate_groups, test)?;
    let target = told_apart(scored.target, scored.target_groups, test)?;
    let place = |i: usize, j: usize| i * (i - 1) / 2 + j;
    let is_reversed = |i: usize, j: usize| surrogate[place(i, j)] * target[place(i, j)] < 0.0;
    let mut reversed = Vec::new();
    for i in 0..students {
        for j in (0..i).filter(|&j| is_reversed(i, j)) {
            reversed.push(if target[place(i, j)] > 0.0 { (i, j) } else { (j, i) });
        }
    }
    let by = Bootstrap { seed: test.bootstrap.seed.named("students"), ..test.bootstrap };
    let share = |counts: &[u32]| {
        let (mut hits, mut all) = (0.0, 0.0);
        for i in 0..students {
            for j in 0..i {
                let weight = f64::from(counts[i]) * f64::from(counts[j]);
                all += weight;
                hits += if is_reversed(i, j) { weight } else { 0.0 };
            }
        }
        if all > 0.0 { Some(hits / all) } else { None }
    };
    let draws: Vec<f64> = (0..by.draws as u64)
        .filter_map(|number| {
            let mut rng = by.seed.nth(number).rng();
            let mut counts = vec![0; students];
            (0..students).for_each(|_| counts[below(&mut rng, students)] += 1);
            share(&counts)
        })
        .collect();
    let value = reversed.len() as f64 / pairs(students) as f64;
    let significantly_wrong =
        if draws.is_empty() { Estimate { value, lo: value, hi: value } } else { by.interval(value, draws) };
    Ok(Order {
        pairs: pairs(students),
        wrong,
        told_apart: surrogate.iter().filter(|sign| **sign != 0.0).count(),
        significantly_wrong,
        reversed,
    })
}
