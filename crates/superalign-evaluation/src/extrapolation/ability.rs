//! What persons can do, given the items: abilities from their answers.
//!
//! The items come from `item_response`.

use super::chance::logistic;
use super::item_response::{Items, Parameter};
use super::responses::{Grid, softplus};
use crate::EvaluationError;
use ndarray::{ArrayView1, ArrayView2};

/// Mean and standard deviation of each person's ability given the answers, under the standard normal prior (expected a
/// posteriori); without an answer 0 and 1.
///
/// `answers` is (persons, items): 1 right, 0 wrong, below 0 none. `nodes` is the number of quadrature nodes, as in
/// [`ItemResponse`](super::ItemResponse). The errors of the items' parameters are not in the standard deviation.
///
/// # Errors
/// Another number of items, an answer above 1, nodes outside 5..=200.
///
/// Bock and Mislevy 1982, "Adaptive EAP estimation of ability in a microcomputer environment".
///
/// ```
/// use ndarray::{Array2, array};
/// use superalign_evaluation::extrapolation::{ItemResponse, ability_mean, item_response};
/// let answers = Array2::from_shape_fn((200, 4), |(i, j)| i8::from((j < i % 5) ^ ((i * 3 + j * 11) % 7 == 0)));
/// let items = item_response(answers.view(), None, &ItemResponse::default())?;
/// let found = ability_mean(&items, array![[1, 1, 1, 1], [1, 0, 0, 0]].view(), 61)?;
/// assert!(found[0].value > 0.0 && found[1].value < 0.0 && found[0].error < 1.0);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn ability_mean(
    items: &Items,
    answers: ArrayView2<'_, i8>,
    nodes: usize,
) -> Result<Vec<Parameter>, EvaluationError> {
    if !(5..=200).contains(&nodes) {
        return Err(EvaluationError::setting("nodes", nodes as f64, "a number in 5..=200"));
    }
    check(items, answers)?;
    let grid = Grid::new(nodes);
    let log_odds = items.lines().log_odds(&grid.nodes);
    let wrong = log_odds.mapv(softplus);
    let mut posterior = vec![0.0; nodes];
    let of = |row: ArrayView1<'_, i8>| {
        posterior.fill(0.0);
        for (j, &answer) in row.iter().enumerate().filter(|&(_, &answer)| answer >= 0) {
            let right = f64::from(answer);
            let terms = log_odds.row(j).into_iter().zip(wrong.row(j));
            posterior.iter_mut().zip(terms).for_each(|(sum, (odds, wrong))| *sum += right * odds - wrong);
        }
        let most = posterior.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for ((log, weight), node) in posterior.iter().zip(&grid.weights).zip(&grid.nodes) {
            let mass = weight * (log - most).exp();
            sum += mass;
            first += mass * node;
            second += mass * node * node;
        }
        let mean = first / sum;
        Parameter { value: mean, error: (second / sum - mean * mean).max(0.0).sqrt() }
    };
    Ok(answers.rows().into_iter().map(of).collect())
}

/// The ability under which each person's answers are most probable, with 1 / sqrt(information) as standard error.
///
/// `answers` as in [`ability_mean`]. A person whose answers all pull one way (all right, all wrong, none) has no such
/// ability, and an error that says so; the others have theirs.
///
/// # Errors
/// Another number of items, an answer above 1.
///
/// ```
/// use ndarray::{Array2, array};
/// use superalign_evaluation::extrapolation::{ItemResponse, ability_top, item_response};
/// let answers = Array2::from_shape_fn((200, 4), |(i, j)| i8::from((j < i % 5) ^ ((i * 3 + j * 11) % 7 == 0)));
/// let items = item_response(answers.view(), None, &ItemResponse::default())?;
/// let found = ability_top(&items, array![[1, 1, 1, 1], [1, 1, 0, 0]].view())?;
/// assert!(found[0].is_err() && found[1].is_ok());
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn ability_top(
    items: &Items,
    answers: ArrayView2<'_, i8>,
) -> Result<Vec<Result<Parameter, EvaluationError>>, EvaluationError> {
    check(items, answers)?;
    let lines = items.lines();
    let of = |(person, row): (usize, ArrayView1<'_, i8>)| {
        let asked: Vec<(f64, f64, f64)> = row
            .iter()
            .enumerate()
            .filter(|&(_, &answer)| answer >= 0)
            .map(|(j, &answer)| (lines.slope[j], lines.intercept[j], f64::from(answer)))
            .collect();
        // An answer pulls towards plus infinity when it is right and rises with ability, or is wrong and falls.
        let up = asked.iter().any(|&(slope, _, right)| slope * (right - 0.5) > 0.0);
        let down = asked.iter().any(|&(slope, _, right)| slope * (right - 0.5) < 0.0);
        if !(up && down) {
            let which = match (up, down) {
                (true, _) => "all speak for more",
                (_, true) => "all speak for less",
                _ => "say nothing",
            };
            let reason = format!("the answers of person {person} {which}: take the posterior mean");
            return Err(EvaluationError::undefined("ability of greatest likelihood", reason));
        }
        let score = |at: f64| {
            asked.iter().fold((0.0, 0.0), |(first, second), &(slope, intercept, right)| {
                let chance = logistic(slope * at + intercept);
                (first + slope * (right - chance), second + slope * slope * chance * (1.0 - chance))
            })
        };
        // The score falls with ability: a bracket, then Newton's method inside it.
        let (mut low, mut high) = (-1.0, 1.0);
        while score(low).0 < 0.0 && low > -1e9 {
            low *= 2.0;
        }
        while score(high).0 > 0.0 && high < 1e9 {
            high *= 2.0;
        }
        let mut at = 0.5 * (low + high);
        for _ in 0..200 {
            let (first, second) = score(at);
            if first > 0.0 {
                low = at;
            } else {
                high = at;
            }
            let newton = at + first / second;
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            let moved = (next - at).abs();
            at = next;
            if moved <= 1e-13 * at.abs().max(1.0) {
                break;
            }
        }
        Ok(Parameter { value: at, error: score(at).1.sqrt().recip() })
    };
    Ok(answers.rows().into_iter().enumerate().map(of).collect())
}

fn check(items: &Items, answers: ArrayView2<'_, i8>) -> Result<(), EvaluationError> {
    let (found, expected) = (answers.ncols(), items.slopes.len());
    if found != expected {
        return Err(EvaluationError::Shape { what: "number of items", found, expected });
    }
    if let Some((index, &answer)) = answers.iter().enumerate().find(|&(_, &answer)| answer > 1) {
        return Err(EvaluationError::Value {
            what: "answer",
            index,
            found: f64::from(answer),
            expected: "1 (right), 0 (wrong) or less (none)",
        });
    }
    Ok(())
}
