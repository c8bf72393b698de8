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
use ndarray::Array2;
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
        .filter(|(i, pair)| pair[0] == pair[1] && truth.gold[*i] != truth.gold[i + 1]);
    let pair = |i: usize| if truth.gold[i] { [i, i + 1] } else { [i + 1, i] };
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
}

type Known = Result<Draws, String>;

impl Summary<'_> {
    fn push(&mut self, cell: &str, metric: &str, unit: &str, n: usize, outcome: Result<Estimate, String>) {
        self.rows.push(Row::new(cell, None, metric, unit, n, outcome));
    }

    fn draws_row(&mut self, cell: &str, metric: &str, unit: &str, draws: Known) {
        let level = self.plan.bootstrap.level;
        let outcome = draws.and_then(|draws| draws.estimate(level).map_err(|e| e.to_string()));
        self.push(cell, metric, unit, self.test.gold.len(), outcome);
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
    fn accuracy(&self, cells: &[String]) -> Known {
        let right: Array2<bool> = self.test.correct_by_seed(&self.by_seed(cells)?);
        let by = bootstrap(self.plan, TEST);
        let draws = capability_draws(&[right.view()], Some(&self.test.groups), &by);
        draws.map_err(|e| e.to_string())?.pop().ok_or_else(|| "no draws".to_owned())
    }

    /// Draws of the share of tasks solved; those of all cells belong together.
    fn solved(&self, cells: &[String]) -> Known {
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
            self.push(cell, metric, "share", self.student.gold.len(), outcome);
        }
    }

    fn criticised(&self, rung: usize) -> Result<Vec<Sum>, String> {
        let chosen = self.chosen.as_ref().map_err(Clone::clone)?;
        let features = &self.inputs.features[rung];
        let log_odds = |name: &str| verdict_log_odds(features.answers(name)?).map_err(|e| e.to_string());
        let own = log_odds(STUDENT_VERDICTS[0])?;
        let holds = upheld(&log_odds(CRITIQUES[0])?, &log_odds(CRITIQUES[1])?);
        let mut tally = Tally::new(&self.student.groups, 4);
        for chosen in chosen {
            let mut sums = tally.seed();
            for &item in chosen {
                let verdict = own[item] >= 0.0;
                let place = if holds[(item, usize::from(verdict))] < 0.5 { 0 } else { 2 };
                let terms = tally.of(&mut sums, self.student.groups[item]);
                terms[place] += 1.0;
                terms[place + 1] += f64::from(u8::from(verdict == self.student.gold[item]));
            }
            tally.sums.push(sums);
        }
        let by = bootstrap(self.plan, CONTRADICTED);
        Ok(tally.estimates(&by, |total| vec![total[1] / total[0], total[3] / total[2]]))
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
            self.push(&round, TEST_ECE, "error", self.test.gold.len(), error);
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
        let (cell, n) = (path.cell(plan), self.student.gold.len());
        let tally = self.tally(path);
        let by = bootstrap(plan, LABELS);
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
        let found = tally.map(|tally| tally.estimates(&by, statistics));
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
        let mut tally = Tally::new(&self.student.groups, 1 + rounds * TERMS);
        for (&seed, chosen) in self.plan.seeds.iter().zip(chosen) {
            let mut sums = tally.seed();
            for round in 0..rounds {
                let said = self.said.about(&path.round(self.plan, round), seed, STUDENT[0])?;
                if said.len() != chosen.len() {
                    return Err(format!("{} labels of {} items", said.len(), chosen.len()));
                }
                for (&item, &p) in chosen.iter().zip(said) {
                    let gold = self.student.gold[item];
                    let own = tally.of(&mut sums, self.student.groups[item]);
                    if round == 0 {
                        own[0] += 1.0;
                    }
                    let terms = &mut own[1 + round * TERMS..][..TERMS];
                    terms[0] += f64::from(u8::from((p >= 0.5) == gold));
                    terms[1] += f64::from(u8::from(p >= 0.5));
                    terms[2 + bin(p)] += p - f64::from(u8::from(gold));
                }
            }
            tally.sums.push(sums);
        }
        Ok(tally)
    }

    /// The calibration error of what is said of the test items.
    fn test_calibration(&self, cell: &str) -> Result<Estimate, String> {
        let mut tally = Tally::new(&self.test.groups, 1 + BINS);
        for said in self.by_seed(&self.same(cell))? {
            let mut sums = tally.seed();
            for ((&p, &gold), &group) in said.iter().zip(&self.test.gold).zip(&self.test.groups) {
                let own = tally.of(&mut sums, group);
                own[0] += 1.0;
                own[1 + bin(p)] += p - f64::from(u8::from(gold));
            }
            tally.sums.push(sums);
        }
        let by = bootstrap(self.plan, TEST_ECE);
        let error = |total: &[f64]| vec![total[1..].iter().map(|sum| (sum / total[0]).abs()).sum()];
        tally.estimates(&by, error).pop().ok_or_else(|| "nothing was said".to_owned())?
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

/// Sums of terms by seed and group, and statistics of their totals over resampled seeds and groups.
struct Tally {
    groups: usize,
    terms: usize,
    sums: Vec<Vec<f64>>,
}

impl Tally {
    fn new(groups: &[u32], terms: usize) -> Self {
        Self { groups: groups.iter().max().map_or(0, |most| *most as usize + 1), terms, sums: Vec::new() }
    }

    fn seed(&self) -> Vec<f64> {
        vec![0.0; self.groups * self.terms]
    }

    fn of<'a>(&self, sums: &'a mut [f64], group: u32) -> &'a mut [f64] {
        &mut sums[group as usize * self.terms..][..self.terms]
    }

    /// Statistics of the totals, with intervals over seeds and groups that are drawn jointly for all seeds.
    fn estimates(&self, by: &Bootstrap, of: impl Fn(&[f64]) -> Vec<f64>) -> Vec<Sum> {
        let total = |seeds: &[usize], counts: &[f64]| {
            let mut total = vec![0.0; self.terms];
            for &seed in seeds {
                for (sums, count) in self.sums[seed].chunks_exact(self.terms).zip(counts) {
                    if *count > 0.0 {
                        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += count * sum);
                    }
                }
            }
            of(&total)
        };
        let all: Vec<usize> = (0..self.sums.len()).collect();
        let values = total(&all, &vec![1.0; self.groups]);
        let mut draws = vec![Vec::with_capacity(by.draws); values.len()];
        for n in 0..by.draws as u64 {
            let mut rng = by.seed.nth(n).rng();
            let seeds: Vec<usize> = all.iter().map(|_| below(&mut rng, all.len())).collect();
            let mut counts = vec![0.0; self.groups];
            (0..self.groups).for_each(|_| counts[below(&mut rng, self.groups)] += 1.0);
            for (draws, value) in draws.iter_mut().zip(total(&seeds, &counts)) {
                draws.push(value);
            }
        }
        let one = |(value, mut draws): (f64, Vec<f64>)| {
            draws.retain(|draw| draw.is_finite());
            if !value.is_finite() || draws.is_empty() {
                return Err("there is no item of this kind".to_owned());
            }
            Ok(by.interval(value, draws))
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
        let mut tally = Tally::new(&groups, 2);
        for _ in 0..3 {
            let mut sums = tally.seed();
            for &group in &groups {
                let own = tally.of(&mut sums, group);
                own[0] += 1.0;
                own[1] += f64::from(u8::from(group % 4 == 0));
            }
            tally.sums.push(sums);
        }
        let by = Bootstrap::new(Seed::new(1));
        let found = tally.estimates(&by, |total| vec![total[1] / total[0], total[1] / 0.0]);
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
