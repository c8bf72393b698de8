//! The rows over all seeds: every round of every path, and what each path gains.

use super::work::items_of;
use super::{
    CALLS, CHOSEN, CONFIDENCE, CONTRADICTED, CONTRADICTED_RIGHT, CRITIQUES, EMBEDDING_COLLAPSE, GAIN,
    HEADROOM, KEPT, LABEL_COLLAPSE, LABEL_ECE, LABEL_GAIN, LABELS, LEFT, Path, REASONS, SOLVED, SOLVED_GAIN,
    STOP_HELPS, STOPPED, STOPPED_GAIN, STUDENT, STUDENT_VERDICTS, TEST, TEST_ECE, UNANIMITY, UPHELD_RIGHT,
    VIEWS_GAIN, WITHOUT_STUDENT, ceiling_cell, over, plain_cell, task_numbers,
};
use crate::experiment::score::{Said, Truth, bootstrap};
use crate::experiment::{FoundBy, Inputs};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{SelfEnhancement, VariantName};
use ndarray::{Array2, ArrayView1, ArrayViewMut1, Axis, s};
use std::collections::BTreeMap;
use superalign_core::{Bootstrap, Estimate, below};
use superalign_gap::{Draws, capability_draws, utility_draws};
use superalign_paradigm::self_enhancement::{upheld, verdict_log_odds};

/// Bins of the calibration error, of equal width.
const BINS: usize = 10;

pub(super) fn summarise(design: &SelfEnhancement, inputs: &Inputs<'_>, found: &FoundBy) -> Vec<Row> {
    let (Ok(student), Ok(test)) = (Truth::of(inputs.parts, STUDENT[0]), Truth::of(inputs.parts, "test"))
    else {
        return Vec::new();
    };
    let chosen: Result<Vec<Vec<usize>>, String> =
        inputs.plan.seeds.iter().map(|&seed| items_of(design, inputs, &student, seed)).collect();
    let mut summary = Summary {
        design,
        plan: inputs.plan,
        inputs,
        said: Said::read(found),
        seeds: SeedRows::of(found),
        tasks: tasks(&test),
        label_resamples: Resamples::new(
            bootstrap(inputs.plan, LABELS),
            &student.groups,
            inputs.plan.seeds.len(),
        ),
        test_resamples: Resamples::new(
            bootstrap(inputs.plan, TEST_ECE),
            &test.groups,
            inputs.plan.seeds.len(),
        ),
        known: BTreeMap::new(),
        student,
        test,
        chosen,
        rows: Vec::new(),
    };
    let rungs = inputs.plan.rungs.len();
    for rung in 0..rungs {
        summary.baselines(rung);
        for path in design.paths(rungs, rung) {
            summary.path(&path);
        }
    }
    summary.rows
}

/// The right and the wrong candidate of each test task, and its group.
fn tasks(truth: &Truth<'_>) -> Vec<([usize; 2], u32)> {
    let numbers = task_numbers(&truth.groups);
    let pairs = numbers
        .windows(2)
        .enumerate()
        .filter(|(i, pair)| pair[0] == pair[1] && truth.evaluation()[*i] != truth.evaluation()[i + 1]);
    let pair = |i: usize| if truth.evaluation()[i] { [i, i + 1] } else { [i + 1, i] };
    pairs.map(|(i, _)| (pair(i), truth.groups[i])).collect()
}

/// The numbers of single seeds, by cell and metric.
struct SeedRows(std::collections::HashMap<(String, String), Vec<f64>>);

impl SeedRows {
    fn of(found: &FoundBy) -> Self {
        let mut all = std::collections::HashMap::<(String, String), Vec<f64>>::new();
        for row in found.values().flat_map(|found| &found.rows) {
            if let (Some(_), Some(value)) = (row.seed, row.value) {
                all.entry((row.cell.clone(), row.metric.clone())).or_default().push(value);
            }
        }
        Self(all)
    }

    fn get(&self, cell: &str, metric: &str) -> &[f64] {
        self.0.get(&(cell.to_owned(), metric.to_owned())).map_or(&[], Vec::as_slice)
    }
}

struct Summary<'a> {
    design: &'a SelfEnhancement,
    plan: &'a Plan,
    inputs: &'a Inputs<'a>,
    said: Said,
    seeds: SeedRows,
    student: Truth<'a>,
    test: Truth<'a>,
    tasks: Vec<([usize; 2], u32)>,
    /// The items that each seed draws.
    chosen: Result<Vec<Vec<usize>>, String>,
    rows: Vec<Row>,
    label_resamples: Resamples,
    test_resamples: Resamples,
    /// Draws by metric and cells, once they are known.
    known: BTreeMap<(&'static str, Vec<String>), Known>,
}

type Known = Result<Draws, String>;

impl Summary<'_> {
    fn push(&mut self, cell: &str, metric: &str, unit: &str, n: usize, outcome: Result<Estimate, String>) {
        self.rows.push(Row::new(cell, None, metric, unit, n, outcome));
    }

    fn draws_row(&mut self, cell: &str, metric: &str, unit: &str, draws: Known) {
        let level = self.plan.bootstrap.level;
        let outcome = draws.and_then(|draws| draws.estimate(level).map_err(|e| e.to_string()));
        self.push(cell, metric, unit, self.test.len(), outcome);
    }

    /// The mean of the seeds' numbers, without an interval.
    fn mean_row(&mut self, cell: &str, metric: &str, unit: &str) {
        let numbers = self.seeds.get(cell, metric);
        if numbers.is_empty() {
            return;
        }
        let value = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let n = numbers.len();
        let row =
            Row::new(cell, None, metric, unit, n, Ok::<_, String>(Estimate { value, lo: value, hi: value }));
        self.rows.push(Row { lo: None, hi: None, ..row });
    }

    /// What is said of the test items in these cells, one for each seed.
    fn by_seed(&self, cells: &[String]) -> Result<Vec<&[f64]>, String> {
        let seeds = self.plan.seeds.iter().zip(cells);
        seeds.map(|(&seed, cell)| self.said.about(cell, seed, "test")).collect()
    }

    /// Draws of the accuracy; those of all cells belong together.
    fn accuracy(&mut self, cells: &[String]) -> Known {
        self.known(TEST, cells, Self::new_accuracy)
    }

    /// Draws of the share of tasks solved; those of all cells belong together.
    fn solved(&mut self, cells: &[String]) -> Known {
        self.known(SOLVED, cells, Self::new_solved)
    }

    fn known(&mut self, metric: &'static str, cells: &[String], of: fn(&Self, &[String]) -> Known) -> Known {
        let key = (metric, cells.to_vec());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let known = of(self, cells);
        self.known.insert(key, known.clone());
        known
    }

    fn new_accuracy(&self, cells: &[String]) -> Known {
        let right: Array2<bool> = self.test.correct_by_seed(&self.by_seed(cells)?);
        let by = bootstrap(self.plan, TEST);
        let draws = capability_draws(&[right.view()], Some(&self.test.groups), &by);
        draws.map_err(|e| e.to_string())?.pop().ok_or_else(|| "no draws".to_owned())
    }

    fn new_solved(&self, cells: &[String]) -> Known {
        if self.tasks.is_empty() {
            return Err("the test part has no tasks of a right and a wrong candidate".to_owned());
        }
        let said = self.by_seed(cells)?;
        let score = |said: &[f64], [right, wrong]: [usize; 2]| match said[right].total_cmp(&said[wrong]) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        let scores =
            Array2::from_shape_fn((said.len(), self.tasks.len()), |(s, t)| score(said[s], self.tasks[t].0));
        let groups: Vec<u32> = self.tasks.iter().map(|(_, group)| *group).collect();
        let draws = utility_draws(&[scores.view()], Some(&groups), &bootstrap(self.plan, SOLVED));
        draws.map_err(|e| e.to_string())?.pop().ok_or_else(|| "no draws".to_owned())
    }

    /// The same cell for every seed.
    fn same(&self, cell: &str) -> Vec<String> {
        vec![cell.to_owned(); self.plan.seeds.len()]
    }

    fn baselines(&mut self, rung: usize) {
        let name = &self.plan.rungs[rung].name;
        let (ceiling, plain) = (ceiling_cell(name), plain_cell(name));
        for cell in [&ceiling, &plain] {
            let cells = self.same(cell);
            let (accuracy, solved) = (self.accuracy(&cells), self.solved(&cells));
            self.draws_row(cell, TEST, "share", accuracy);
            self.draws_row(cell, SOLVED, "share", solved);
        }
        self.criticism(rung, &plain);
        let first = self
            .design
            .paths(self.plan.rungs.len(), rung)
            .into_iter()
            .find(|path| path.variant != VariantName::Pairs && path.peer.is_none());
        if let Some(path) = first {
            let views = self.accuracy(&self.same(&path.round(self.plan, 0)));
            let difference = minus(views, self.accuracy(&self.same(&plain)));
            self.draws_row(&plain, VIEWS_GAIN, "difference", difference);
            let views = self.accuracy(&self.same(&path.round(self.plan, 0)));
            let headroom = minus(self.accuracy(&self.same(&ceiling)), views);
            self.draws_row(&ceiling, HEADROOM, "difference", headroom);
        }
    }

    /// How right the rung's own verdicts are where its criticism contradicts them, and where it upholds them.
    fn criticism(&mut self, rung: usize, cell: &str) {
        if !self.design.variant.contains(&VariantName::Critique) {
            return;
        }
        self.mean_row(cell, CONTRADICTED, "share");
        let found = self.criticised(rung);
        for (place, metric) in [CONTRADICTED_RIGHT, UPHELD_RIGHT].into_iter().enumerate() {
            let outcome = found.as_ref().map_err(Clone::clone).and_then(|all| all[place].clone());
            self.push(cell, metric, "share", self.student.len(), outcome);
        }
    }

    fn criticised(&self, rung: usize) -> Result<Vec<Sum>, String> {
        let chosen = self.chosen.as_ref().map_err(Clone::clone)?;
        let features = &self.inputs.features[rung];
        let log_odds = |name: &str| verdict_log_odds(features.answers(name)?).map_err(|e| e.to_string());
        let own = log_odds(STUDENT_VERDICTS[0])?;
        let holds = upheld(&log_odds(CRITIQUES[0])?, &log_odds(CRITIQUES[1])?);
        let mut tally = Tally::new(&self.label_resamples, 4);
        for (seed, chosen) in chosen.iter().enumerate() {
            for &item in chosen {
                let verdict = own[item] >= 0.0;
                let place = if holds[(item, usize::from(verdict))] < 0.5 { 0 } else { 2 };
                let mut terms = tally.of(seed, self.student.groups[item]);
                terms[place] += 1.0;
                terms[place + 1] += f64::from(u8::from(verdict == self.student.evaluation()[item]));
            }
        }
        Ok(tally.estimates(&self.label_resamples, |total| vec![total[1] / total[0], total[3] / total[2]]))
    }

    fn path(&mut self, path: &Path) {
        let (plan, rounds) = (self.plan, self.design.rounds);
        let cell = path.cell(plan);
        for number in 0..=rounds {
            let round = path.round(plan, number);
            let cells = self.same(&round);
            let (accuracy, solved) = (self.accuracy(&cells), self.solved(&cells));
            self.draws_row(&round, TEST, "share", accuracy);
            self.draws_row(&round, SOLVED, "share", solved);
            let error = self.test_calibration(&round);
            self.push(&round, TEST_ECE, "error", self.test.len(), error);
            self.mean_row(&round, EMBEDDING_COLLAPSE, "index");
            for metric in [CONFIDENCE, UNANIMITY, KEPT] {
                self.mean_row(&round, metric, "share");
            }
        }
        self.labels(path);
        for metric in [STOPPED, WITHOUT_STUDENT].into_iter().chain(REASONS) {
            self.mean_row(&cell, metric, "share");
        }
        self.mean_row(&cell, CHOSEN, "round");
        self.mean_row(&cell, CALLS, "questions");
        let (first, last) = (self.same(&path.round(plan, 0)), self.same(&path.round(plan, rounds)));
        let with_stop: Vec<String> =
            self.seeds.get(&cell, CHOSEN).iter().map(|chosen| path.round(plan, *chosen as usize)).collect();
        let with_stop = if with_stop.len() == plan.seeds.len() { with_stop } else { last.clone() };
        let ceiling = self.same(&ceiling_cell(&plan.rungs[path.rung].name));
        for (metric, a, b) in [
            (GAIN, &last, &first),
            (STOPPED_GAIN, &with_stop, &first),
            (STOP_HELPS, &with_stop, &last),
            (LEFT, &ceiling, &last),
        ] {
            let difference = minus(self.accuracy(a), self.accuracy(b));
            self.draws_row(&cell, metric, "difference", difference);
        }
        let difference = minus(self.solved(&last), self.solved(&first));
        self.draws_row(&cell, SOLVED_GAIN, "difference", difference);
        if let Some(rival) = self.design.rival(path.variant) {
            let other = Path { rung: path.rung, variant: rival, peer: None };
            let other = self.same(&other.round(plan, rounds));
            let difference = minus(self.accuracy(&last), self.accuracy(&other));
            self.draws_row(&cell, &over(rival), "difference", difference);
        }
    }

    /// Accuracy, calibration and collapse of the labels of every round, over the items that the seeds draw.
    fn labels(&mut self, path: &Path) {
        let (plan, many) = (self.plan, self.design.rounds + 1);
        let (cell, n) = (path.cell(plan), self.student.len());
        let tally = self.tally(path);
        let share = |total: &[f64], round: usize, term: usize| total[1 + round * TERMS + term] / total[0];
        let diversity = |p: f64| {
            let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
            (part(p) + part(1.0 - p)).exp()
        };
        let statistics = |total: &[f64]| {
            let mut all = Vec::with_capacity(3 * many + 1);
            for round in 0..many {
                all.push(share(total, round, 0));
                all.push((2..TERMS).map(|bin| share(total, round, bin).abs()).sum());
                all.push(1.0 - diversity(share(total, round, 1)) / diversity(share(total, 0, 1)));
            }
            all.push(share(total, many - 1, 0) - share(total, 0, 0));
            all
        };
        let found = tally.map(|tally| tally.estimates(&self.label_resamples, statistics));
        let at = |place: usize| found.as_ref().map_err(Clone::clone).and_then(|all| all[place].clone());
        for round in 0..many {
            let name = path.round(plan, round);
            let metrics = [(LABELS, "share"), (LABEL_ECE, "error"), (LABEL_COLLAPSE, "index")];
            for (place, (metric, unit)) in metrics.into_iter().enumerate() {
                self.push(&name, metric, unit, n, at(3 * round + place));
            }
        }
        self.push(&cell, LABEL_GAIN, "difference", n, at(3 * many));
    }

    /// Sums by seed and group: items; then for every round right labels, labels `right`, and by bin what was said less what
    /// was true.
    fn tally(&self, path: &Path) -> Result<Tally, String> {
        let chosen = self.chosen.as_ref().map_err(Clone::clone)?;
        let rounds = self.design.rounds + 1;
        let mut tally = Tally::new(&self.label_resamples, 1 + rounds * TERMS);
        for (place, (&seed, chosen)) in self.plan.seeds.iter().zip(chosen).enumerate() {
            for round in 0..rounds {
                let said = self.said.about(&path.round(self.plan, round), seed, STUDENT[0])?;
                if said.len() != chosen.len() {
                    return Err(format!("{} labels of {} items", said.len(), chosen.len()));
                }
                for (&item, &p) in chosen.iter().zip(said) {
                    let gold = self.student.evaluation()[item];
                    let mut own = tally.of(place, self.student.groups[item]);
                    if round == 0 {
                        own[0] += 1.0;
                    }
                    let first = 1 + round * TERMS;
                    own[first] += f64::from(u8::from((p >= 0.5) == gold));
                    own[first + 1] += f64::from(u8::from(p >= 0.5));
                    own[first + 2 + bin(p)] += p - f64::from(u8::from(gold));
                }
            }
        }
        Ok(tally)
    }

    /// The calibration error of what is said of the test items.
    fn test_calibration(&self, cell: &str) -> Result<Estimate, String> {
        let mut tally = Tally::new(&self.test_resamples, 1 + BINS);
        for (place, said) in self.by_seed(&self.same(cell))?.into_iter().enumerate() {
            for ((&p, &gold), &group) in said.iter().zip(self.test.evaluation()).zip(&self.test.groups) {
                let mut own = tally.of(place, group);
                own[0] += 1.0;
                own[1 + bin(p)] += p - f64::from(u8::from(gold));
            }
        }
        let error = |total: &[f64]| vec![total[1..].iter().map(|sum| (sum / total[0]).abs()).sum()];
        tally.estimates(&self.test_resamples, error).pop().ok_or_else(|| "nothing was said".to_owned())?
    }
}

/// Terms of a round: right labels, labels `right`, and the bins.
const TERMS: usize = 2 + BINS;

fn bin(p: f64) -> usize {
    ((p * BINS as f64) as usize).min(BINS - 1)
}

fn minus(a: Known, b: Known) -> Known {
    a?.minus(&b?).map_err(|e| e.to_string())
}

/// A statistic, or why there is none.
type Sum = Result<Estimate, String>;

/// How often each group comes in each resample, and which seeds do: the same for all tallies of a part.
struct Resamples {
    by: Bootstrap,
    /// `(draws, groups)`
    counts: Array2<f64>,
    seeds: Vec<Vec<usize>>,
}

impl Resamples {
    fn new(by: Bootstrap, groups: &[u32], seeds: usize) -> Self {
        let groups = groups.iter().max().map_or(0, |most| *most as usize + 1);
        let mut counts = Array2::zeros((by.draws, groups));
        let mut drawn = Vec::with_capacity(by.draws);
        for (n, mut row) in counts.outer_iter_mut().enumerate() {
            let mut rng = by.seed.nth(n as u64).rng();
            drawn.push((0..seeds).map(|_| below(&mut rng, seeds)).collect());
            (0..groups).for_each(|_| row[below(&mut rng, groups)] += 1.0);
        }
        Self { by, counts, seeds: drawn }
    }
}

/// Sums of terms by group and seed, and statistics of their totals over resampled seeds and groups.
struct Tally {
    terms: usize,
    /// `(groups, seeds x terms)`
    sums: Array2<f64>,
}

impl Tally {
    fn new(over: &Resamples, terms: usize) -> Self {
        let seeds = over.seeds.first().map_or(0, Vec::len);
        Self { terms, sums: Array2::zeros((over.counts.ncols(), seeds * terms)) }
    }

    /// The terms of a seed and a group.
    fn of(&mut self, seed: usize, group: u32) -> ArrayViewMut1<'_, f64> {
        self.sums.slice_mut(s![group as usize, seed * self.terms..(seed + 1) * self.terms])
    }

    /// Statistics of the totals, with intervals over seeds and groups that are drawn jointly for all seeds.
    fn estimates(&self, over: &Resamples, of: impl Fn(&[f64]) -> Vec<f64>) -> Vec<Sum> {
        let total = |by_seed: ArrayView1<'_, f64>, seeds: &mut dyn Iterator<Item = usize>| {
            let mut total = vec![0.0; self.terms];
            for seed in seeds {
                let own = by_seed.slice(s![seed * self.terms..(seed + 1) * self.terms]);
                total.iter_mut().zip(own).for_each(|(total, sum)| *total += sum);
            }
            of(&total)
        };
        let seeds = self.sums.ncols() / self.terms;
        let values = total(self.sums.sum_axis(Axis(0)).view(), &mut (0..seeds));
        let mut draws = vec![Vec::with_capacity(over.by.draws); values.len()];
        let resampled = over.counts.dot(&self.sums);
        for (by_seed, seeds) in resampled.outer_iter().zip(&over.seeds) {
            for (draws, value) in draws.iter_mut().zip(total(by_seed, &mut seeds.iter().copied())) {
                draws.push(value);
            }
        }
        let one = |(value, mut draws): (f64, Vec<f64>)| {
            draws.retain(|draw| draw.is_finite());
            if !value.is_finite() || draws.is_empty() {
                return Err("there is no item of this kind".to_owned());
            }
            Ok(over.by.interval(value, draws))
        };
        values.into_iter().zip(draws).map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use superalign_core::Seed;

    #[test]
    fn intervals_cover_the_share_that_groups_and_seeds_were_drawn_with() {
        // 200 groups of two items, three seeds that agree: the interval of a share is that of 200 groups.
        let groups: Vec<u32> = (0..400).map(|i| i / 2).collect();
        let over = Resamples::new(Bootstrap::new(Seed::new(1)), &groups, 3);
        let mut tally = Tally::new(&over, 2);
        for seed in 0..3 {
            for &group in &groups {
                let mut own = tally.of(seed, group);
                own[0] += 1.0;
                own[1] += f64::from(u8::from(group % 4 == 0));
            }
        }
        let found = tally.estimates(&over, |total| vec![total[1] / total[0], total[1] / 0.0]);
        assert!(found[1].is_err());
        let found = found[0].clone().unwrap();
        // 1.96 sqrt(1/4 3/4 / 200) = 0.060
        assert!((found.value - 0.25).abs() < 1e-12);
        assert!((found.hi - found.lo - 0.12).abs() < 0.015, "{found}");
    }

    #[test]
    fn a_probability_has_its_bin() {
        assert_eq!([0.0, 0.05, 0.1, 0.55, 0.999, 1.0].map(bin), [0, 0, 1, 5, 9, 9]);
    }
}
