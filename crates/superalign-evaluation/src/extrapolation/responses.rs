//! Right and wrong answers, and what all distinct rows of them say about the items: the likelihood with abilities
//! integrated out, its gradient and its curvature. The search is in `item_response`.

use super::chance::logistic;
use super::hermite::nodes_and_weights;
use crate::EvaluationError;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Rows whose tables stay in the second cache, and whose sums are added up on their own.
const CHUNK: usize = 256;

/// Distinct rows of answers and how many persons gave them.
pub(super) struct Patterns {
    pub(super) items: usize,
    /// Sum of the counts.
    pub(super) persons: f64,
    counts: Vec<f64>,
    /// 1 where the answer is right, else 0; and 1 where there is an answer. Row after row.
    right: Vec<u8>,
    asked: Vec<u8>,
    complete: bool,
}

/// Expected numbers of answers at each ability, from the posteriors of all persons.
pub(super) struct Expected {
    pub(super) log_likelihood: f64,
    /// Right answers and all answers, (items, nodes).
    pub(super) right: Array2<f64>,
    pub(super) asked: Array2<f64>,
}

/// Abilities and their probabilities.
pub(super) struct Grid {
    pub(super) nodes: Vec<f64>,
    pub(super) weights: Vec<f64>,
}

/// Slope and intercept of each item.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    pub(super) slope: Vec<f64>,
    pub(super) intercept: Vec<f64>,
}

impl Grid {
    pub(super) fn new(nodes: usize) -> Self {
        let (nodes, weights) = nodes_and_weights(nodes);
        Self { nodes, weights }
    }
}

impl Lines {
    /// Log-odds of a right answer, (items, nodes).
    pub(super) fn log_odds(&self, nodes: &[f64]) -> Array2<f64> {
        Array2::from_shape_fn((self.slope.len(), nodes.len()), |(j, q)| {
            self.slope[j] * nodes[q] + self.intercept[j]
        })
    }
}

/// ln(1 + exp(x)).
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

impl Patterns {
    /// Answers are (persons, items): 1 right, 0 wrong, below 0 none.
    pub(super) fn new(answers: ArrayView2<'_, i8>, counts: Option<&[u64]>) -> Result<Self, EvaluationError> {
        let (persons, items) = answers.dim();
        if persons == 0 {
            return Err(EvaluationError::TooFew { what: "persons", found: 0, expected: 1 });
        }
        if items == 0 {
            return Err(EvaluationError::TooFew { what: "items", found: 0, expected: 1 });
        }
        if let Some(counts) = counts
            && counts.len() != persons
        {
            let found = counts.len();
            return Err(EvaluationError::Shape { what: "number of counts", found, expected: persons });
        }
        let mut found =
            Self { items, persons: 0.0, counts: vec![], right: vec![], asked: vec![], complete: true };
        let mut places: HashMap<Vec<i8>, usize> = HashMap::new();
        for (person, row) in answers.rows().into_iter().enumerate() {
            if let Some(item) = row.iter().position(|&answer| answer > 1) {
                return Err(EvaluationError::Value {
                    what: "answer",
                    index: person * items + item,
                    found: f64::from(row[item]),
                    expected: "1 (right), 0 (wrong) or less (none)",
                });
            }
            let count = counts.map_or(1.0, |counts| counts[person] as f64);
            let key: Vec<i8> = row.iter().map(|&answer| answer.max(-1)).collect();
            if count == 0.0 || key.iter().all(|&answer| answer < 0) {
                continue;
            }
            found.persons += count;
            match places.entry(key) {
                Entry::Occupied(place) => found.counts[*place.get()] += count,
                Entry::Vacant(place) => {
                    found.right.extend(place.key().iter().map(|&answer| u8::from(answer == 1)));
                    found.asked.extend(place.key().iter().map(|&answer| u8::from(answer >= 0)));
                    found.complete &= place.key().iter().all(|&answer| answer >= 0);
                    place.insert(found.counts.len());
                    found.counts.push(count);
                }
            }
        }
        if found.counts.is_empty() {
            return Err(EvaluationError::TooFew { what: "persons with an answer", found: 0, expected: 1 });
        }
        Ok(found)
    }

    /// Numbers of right and of all answers to an item.
    pub(super) fn score(&self, item: usize) -> (f64, f64) {
        let mut score = (0.0, 0.0);
        for (row, count) in self.counts.iter().enumerate() {
            let place = row * self.items + item;
            score.0 += count * f64::from(self.right[place]);
            score.1 += count * f64::from(self.asked[place]);
        }
        score
    }

    fn chunks(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let rows = self.counts.len();
        (0..rows).step_by(CHUNK).map(move |start| start..(start + CHUNK).min(rows))
    }

    fn table(&self, of: &[u8], rows: &std::ops::Range<usize>) -> Array2<f64> {
        let flat = of[rows.start * self.items..rows.end * self.items].iter().map(|&x| f64::from(x)).collect();
        Array2::from_shape_vec((rows.len(), self.items), flat)
            .unwrap_or_else(|_| unreachable!("as many as rows and items"))
    }

    /// Posteriors of the abilities of some rows, (rows, nodes), each with the logarithm of its evidence.
    fn posterior(
        &self,
        tables: (&Array2<f64>, Option<&Array2<f64>>),
        log_odds: &Array2<f64>,
        wrong: &Array2<f64>,
        grid: &Grid,
    ) -> (Array2<f64>, Vec<f64>) {
        let mut posterior = tables.0.dot(log_odds);
        match tables.1 {
            Some(asked) => posterior -= &asked.dot(wrong),
            None => posterior -= &wrong.sum_axis(Axis(0)),
        }
        let evidence = posterior.rows_mut().into_iter().map(|mut row| {
            let most = row.fold(f64::NEG_INFINITY, |most, &x| most.max(x));
            row.iter_mut().zip(&grid.weights).for_each(|(x, weight)| *x = weight * (*x - most).exp());
            let sum = row.sum();
            row /= sum;
            most + sum.ln()
        });
        let evidence = evidence.collect();
        (posterior, evidence)
    }

    /// One pass over the answers (the E step).
    pub(super) fn expected(&self, lines: &Lines, grid: &Grid) -> Expected {
        let log_odds = lines.log_odds(&grid.nodes);
        let wrong = log_odds.mapv(softplus);
        let shape = log_odds.dim();
        let mut found =
            Expected { log_likelihood: 0.0, right: Array2::zeros(shape), asked: Array2::zeros(shape) };
        for rows in self.chunks() {
            let right = self.table(&self.right, &rows);
            let asked = (!self.complete).then(|| self.table(&self.asked, &rows));
            let (mut posterior, evidence) = self.posterior((&right, asked.as_ref()), &log_odds, &wrong, grid);
            for ((mut row, evidence), &count) in
                posterior.rows_mut().into_iter().zip(evidence).zip(&self.counts[rows])
            {
                found.log_likelihood += count * evidence;
                row *= count;
            }
            found.right += &right.t().dot(&posterior);
            match asked {
                Some(asked) => found.asked += &asked.t().dot(&posterior),
                None => found.asked += &posterior.sum_axis(Axis(0)),
            }
        }
        found
    }

    /// Minus the second derivatives of the log-likelihood by all slopes, then all intercepts (Louis 1982): the
    /// information of abilities and answers together, less the variance of its score given the answers.
    ///
    /// The score of an item is its residual, right - asked * chance, times the ability (slope) or 1 (intercept). Sums
    /// over persons of products of two residuals are taken apart: right by right, right by chance, chance by chance.
    pub(super) fn information(&self, lines: &Lines, grid: &Grid) -> Array2<f64> {
        let items = self.items;
        let log_odds = lines.log_odds(&grid.nodes);
        let wrong = log_odds.mapv(softplus);
        let chances = log_odds.mapv(logistic);
        // Chances times each power of the ability, (nodes, items).
        let powers = [0, 1, 2].map(|power| {
            Array2::from_shape_fn((grid.nodes.len(), items), |(q, j)| {
                chances[[j, q]] * grid.nodes[q].powi(power)
            })
        });
        let expected = self.expected(lines, grid);
        let mut squares = [(); 3].map(|()| Array2::<f64>::zeros((items, items)));
        let mut information = Array2::<f64>::zeros((2 * items, 2 * items));
        for rows in self.chunks() {
            let right = self.table(&self.right, &rows);
            let asked = (!self.complete).then(|| self.table(&self.asked, &rows));
            let (posterior, _) = self.posterior((&right, asked.as_ref()), &log_odds, &wrong, grid);
            let counts = &self.counts[rows];
            let counted = counted(&posterior, counts);
            let mut mean = Array2::<f64>::zeros((counts.len(), 2 * items));
            for (power, square) in squares.iter_mut().enumerate() {
                let ability: Vec<f64> = grid.nodes.iter().map(|node| node.powi(power as i32)).collect();
                let ability = posterior.dot(&ArrayView1::from(&ability));
                let mut scaled = counted_by(&right, counts, ability.iter());
                *square += &right.t().dot(&scaled);
                if let Some(asked) = &asked {
                    let chance = counted.dot(&powers[power]) * asked;
                    let mixed = right.t().dot(&chance);
                    *square -= &mixed;
                    *square -= &mixed.t();
                }
                if power < 2 {
                    // The mean score of each person: of the intercepts, then of the slopes.
                    scaled = counted_by(&right, &vec![1.0; counts.len()], ability.iter());
                    let chance = posterior.dot(&powers[power]);
                    scaled -= &asked.as_ref().map_or_else(|| chance.clone(), |asked| &chance * asked);
                    let place = if power == 1 { 0 } else { items };
                    mean.slice_mut(s![.., place..place + items]).assign(&scaled);
                }
            }
            if let Some(asked) = &asked {
                among(asked, &counted, &powers, &chances, &mut squares);
            }
            information += &mean.t().dot(&self::counted(&mean, counts));
        }
        if self.complete {
            for (square, power) in squares.iter_mut().zip(&powers) {
                let mixed = expected.right.dot(power);
                *square -= &mixed;
                *square -= &mixed.t();
                *square += &(&chances * &expected.asked).dot(power);
            }
        }
        let [by_intercept, mixed, by_slope] = squares;
        information.slice_mut(s![..items, ..items]).scaled_add(-1.0, &by_slope);
        information.slice_mut(s![..items, items..]).scaled_add(-1.0, &mixed);
        information.slice_mut(s![items.., ..items]).scaled_add(-1.0, &mixed);
        information.slice_mut(s![items.., items..]).scaled_add(-1.0, &by_intercept);
        for j in 0..items {
            for (q, node) in grid.nodes.iter().enumerate() {
                let bend = expected.asked[[j, q]] * chances[[j, q]] * (1.0 - chances[[j, q]]);
                information[[j, j]] += bend * node * node;
                information[[j, items + j]] += bend * node;
                information[[items + j, j]] += bend * node;
                information[[items + j, items + j]] += bend;
            }
        }
        information
    }
}

/// Rows times their counts.
fn counted(table: &Array2<f64>, counts: &[f64]) -> Array2<f64> {
    counted_by(table, counts, std::iter::repeat(&1.0))
}

/// Rows times their counts and another number each.
fn counted_by<'a>(table: &Array2<f64>, counts: &[f64], by: impl Iterator<Item = &'a f64>) -> Array2<f64> {
    let mut scaled = table.clone();
    scaled.rows_mut().into_iter().zip(counts).zip(by).for_each(|((mut row, count), by)| row *= count * by);
    scaled
}

/// Adds to `squares` the products of the chances of two items, over the persons that were asked both.
fn among(
    asked: &Array2<f64>,
    counted: &Array2<f64>,
    powers: &[Array2<f64>; 3],
    chances: &Array2<f64>,
    squares: &mut [Array2<f64>; 3],
) {
    for j in 0..asked.ncols() {
        let mut both = asked.slice(s![.., ..=j]).to_owned();
        both.rows_mut().into_iter().zip(asked.column(j)).for_each(|(mut row, asked)| row *= *asked);
        let persons = both.t().dot(counted);
        for (power, square) in powers.iter().zip(&mut *squares) {
            for k in 0..=j {
                let terms = persons.row(k).into_iter().zip(power.column(j)).zip(chances.row(k));
                let sum: f64 = terms.map(|((persons, of_j), of_k)| persons * of_j * of_k).sum();
                square[[j, k]] += sum;
                if k < j {
                    square[[k, j]] += sum;
                }
            }
        }
    }
}
