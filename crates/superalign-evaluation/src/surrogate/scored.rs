//! The scores of students on surrogate and target items, and how they are resampled together.

use super::correlation::Correlation;
use crate::paired::Adjustment;
use crate::{Bootstrap, Estimate, EvaluationError};
use ndarray::{Array2, ArrayView2};
use std::collections::BTreeMap;
use superalign_core::{Rng, below};

/// Of the resamples, at most this share may leave a statistic undefined.
const UNDEFINED_SHARE: f64 = 0.05;

/// Scores of the same students on surrogate items and on target items.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    /// Scores on items whose truth is known, (students, items).
    pub surrogate: ArrayView2<'a, f64>,
    /// Scores on items whose truth is withheld, (students, items).
    pub target: ArrayView2<'a, f64>,
    /// A group label for each surrogate item; without, each is its own.
    pub surrogate_groups: Option<&'a [u32]>,
    /// A group label for each target item; without, each is its own. Items of one label on both sides (made from one
    /// fact) are drawn together.
    pub target_groups: Option<&'a [u32]>,
}

/// What varies from one resample to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Varied {
    /// Items: these students are meant, and no others.
    #[default]
    Items,
    /// Items and students: the students stand for others like them.
    ItemsAndStudents,
}

/// Settings of [`validity`](super::validity) and [`degradation`](super::degradation).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurrogateTest {
    /// How intervals are made.
    pub bootstrap: Bootstrap,
    /// What varies from one resample to the next.
    pub varied: Varied,
    /// How the p-values of all pairs of students are adjusted for their number.
    pub adjustment: Adjustment,
}

impl SurrogateTest {
    /// Items vary, and pairs are adjusted after Holm.
    #[must_use]
    pub const fn new(bootstrap: Bootstrap) -> Self {
        Self { bootstrap, varied: Varied::Items, adjustment: Adjustment::Holm }
    }
}

/// Sums of scores by group, (students, groups), with the groups' sizes and their places among all.
pub(super) struct Sums {
    sums: Array2<f64>,
    sizes: Vec<f64>,
    places: Vec<usize>,
}

impl Sums {
    fn new(scores: ArrayView2<'_, f64>, unit_of: &[usize]) -> Self {
        let mut places = unit_of.to_vec();
        places.sort_unstable();
        places.dedup();
        let mut sums = Array2::zeros((scores.nrows(), places.len()));
        let mut sizes = vec![0.0; places.len()];
        for (item, unit) in unit_of.iter().enumerate() {
            let place = places.partition_point(|other| other < unit);
            sizes[place] += 1.0;
            let mut column = sums.column_mut(place);
            column += &scores.column(item);
        }
        Self { sums, sizes, places }
    }

    /// The mean score of each student, where each group counts so often.
    pub(super) fn means(&self, counts: &[f64]) -> Vec<f64> {
        let of_group: Vec<f64> = self.places.iter().map(|&place| counts[place]).collect();
        let items: f64 = of_group.iter().zip(&self.sizes).map(|(count, size)| count * size).sum();
        let mean = |row: ndarray::ArrayView1<'_, f64>| {
            row.iter().zip(&of_group).map(|(sum, count)| sum * count).sum::<f64>() / items
        };
        self.sums.rows().into_iter().map(mean).collect()
    }
}

/// The two tables by group, with what is drawn together.
pub(super) struct Resampler {
    pub(super) surrogate: Sums,
    pub(super) target: Sums,
    unit_of_surrogate: Vec<usize>,
    units: usize,
    /// Groups of the surrogate alone, of both, of the target alone.
    strata: [Vec<usize>; 3],
    students: usize,
}

/// How often each group counts, and which students are drawn.
pub(super) struct Drawn {
    pub(super) counts: Vec<f64>,
    pub(super) students: Vec<usize>,
}

impl Drawn {
    /// The values of the drawn students.
    pub(super) fn of(&self, values: &[f64]) -> Vec<f64> {
        self.students.iter().map(|&student| values[student]).collect()
    }
}

impl Resampler {
    pub(super) fn new(scored: &Scored<'_>) -> Result<Self, EvaluationError> {
        let students = scored.surrogate.nrows();
        if students < 3 {
            return Err(EvaluationError::TooFew { what: "students", found: students, expected: 3 });
        }
        if scored.target.nrows() != students {
            let (what, found) = ("number of students on the target", scored.target.nrows());
            return Err(EvaluationError::Shape { what, found, expected: students });
        }
        let sides = [
            ("surrogate items", "surrogate score", scored.surrogate, scored.surrogate_groups),
            ("target items", "target score", scored.target, scored.target_groups),
        ];
        let mut units: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        let mut unit_of = [Vec::new(), Vec::new()];
        for (side, (what, score, scores, groups)) in sides.into_iter().enumerate() {
            let items = scores.ncols();
            if items < 2 {
                return Err(EvaluationError::TooFew { what, found: items, expected: 2 });
            }
            check_scores(score, scores)?;
            if let Some(groups) = groups
                && groups.len() != items
            {
                let what = "number of group labels";
                return Err(EvaluationError::Shape { what, found: groups.len(), expected: items });
            }
            for item in 0..items {
                // Labels are the same on both sides, items without one are not.
                let key = groups.map_or((1 + side, item), |groups| (0, groups[item] as usize));
                let next = units.len();
                unit_of[side].push(*units.entry(key).or_insert(next));
            }
        }
        let mut seen = vec![[false; 2]; units.len()];
        for (side, unit_of) in unit_of.iter().enumerate() {
            unit_of.iter().for_each(|&unit| seen[unit][side] = true);
        }
        let those = |sides: [bool; 2]| (0..units.len()).filter(|&unit| seen[unit] == sides).collect();
        let [unit_of_surrogate, unit_of_target] = unit_of;
        Ok(Self {
            surrogate: Sums::new(scored.surrogate, &unit_of_surrogate),
            target: Sums::new(scored.target, &unit_of_target),
            unit_of_surrogate,
            units: units.len(),
            strata: [those([true, false]), those([true, true]), those([false, true])],
            students,
        })
    }

    /// Another scoring of the surrogate items.
    pub(super) fn sums(&self, scores: ArrayView2<'_, f64>) -> Result<Sums, EvaluationError> {
        let expected = self.unit_of_surrogate.len();
        for (what, found, expected) in [
            ("number of students under the supervisor", scores.nrows(), self.students),
            ("number of items under the supervisor", scores.ncols(), expected),
        ] {
            if found != expected {
                return Err(EvaluationError::Shape { what, found, expected });
            }
        }
        check_scores("supervised score", scores)?;
        Ok(Sums::new(scores, &self.unit_of_surrogate))
    }

    /// Everything once.
    pub(super) fn whole(&self) -> Drawn {
        Drawn { counts: vec![1.0; self.units], students: (0..self.students).collect() }
    }

    fn draw(&self, rng: &mut Rng, varied: Varied) -> Drawn {
        let mut drawn = Drawn { counts: vec![0.0; self.units], students: (0..self.students).collect() };
        for stratum in &self.strata {
            for _ in 0..stratum.len() {
                drawn.counts[stratum[below(rng, stratum.len())]] += 1.0;
            }
        }
        if varied == Varied::ItemsAndStudents {
            drawn.students.iter_mut().for_each(|student| *student = below(rng, self.students));
        }
        drawn
    }

    /// Intervals of statistics that are computed together: one draw gives one value of each, NaN where undefined.
    /// `names` are theirs, for errors.
    pub(super) fn estimates(
        &self,
        test: &SurrogateTest,
        names: &[&'static str],
        statistics: impl Fn(&Drawn) -> Vec<f64>,
    ) -> Result<Vec<Estimate>, EvaluationError> {
        let by = &test.bootstrap;
        by.check()?;
        let values = statistics(&self.whole());
        let mut draws = vec![Vec::with_capacity(by.draws); values.len()];
        for number in 0..by.draws as u64 {
            let drawn = self.draw(&mut by.seed.nth(number).rng(), test.varied);
            for (draws, value) in draws.iter_mut().zip(statistics(&drawn)) {
                if !value.is_nan() {
                    draws.push(value);
                }
            }
        }
        let estimate = |(place, (value, draws)): (usize, (f64, Vec<f64>))| {
            let undefined = by.draws - draws.len();
            if undefined as f64 > UNDEFINED_SHARE * by.draws as f64 || draws.is_empty() {
                let reason = format!("it does not exist in {undefined} of {} resamples", by.draws);
                return Err(EvaluationError::undefined(names.get(place).copied().unwrap_or("score"), reason));
            }
            Ok(by.interval(value, draws))
        };
        values.into_iter().zip(draws).enumerate().map(estimate).collect()
    }

    /// Refuses students that no ranks tell apart.
    pub(super) fn check_spread(&self, surrogate: &[f64], target: &[f64]) -> Result<(), EvaluationError> {
        for (what, scores) in [("surrogate", surrogate), ("target", target)] {
            if scores.iter().all(|score| *score == scores[0]) {
                let reason = format!("all {} students score {} on the {what}", self.students, scores[0]);
                return Err(EvaluationError::undefined(Correlation::Kendall.name(), reason));
            }
        }
        Ok(())
    }
}

fn check_scores(what: &'static str, scores: ArrayView2<'_, f64>) -> Result<(), EvaluationError> {
    match scores.iter().enumerate().find(|(_, score)| !score.is_finite()) {
        Some((index, &found)) => {
            Err(EvaluationError::Value { what, index, found, expected: "a finite number" })
        }
        None => Ok(()),
    }
}
