//! Surrogate testing: easier tasks, other families, or what experts know, in the place of the withheld tasks.

use super::tasks::mean_by;
use super::{Exam, Player};
use crate::experiment::score::bootstrap;
use crate::record::Row;
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use superalign_core::{Bootstrap, Estimate, Rng, below, rand::RngExt};
use superalign_evaluation::surrogate::{
    Correlation, Degradation, DegradationPoint, Scored, Supervised, SurrogateKind, SurrogateTest, Tag,
    choose, degradation, rank_correlation, validity, with_errors,
};

/// Kendall's tau-b between surrogate score and withheld truth, over students.
pub(crate) const KENDALL: &str = "kendall-tau";
/// Spearman's rho between them.
pub(crate) const SPEARMAN: &str = "spearman-rho";
/// Slope of the withheld truth by the surrogate score.
pub(crate) const SLOPE: &str = "slope";
/// Surrogate score less withheld truth, a mean over students.
pub(crate) const FLATTERY: &str = "surrogate-less-truth";
/// Mean distance between the two scores of a student.
pub(crate) const DIFFERENCE: &str = "mean-absolute-difference";
/// Pairs of students in the wrong order.
pub(crate) const WRONG: &str = "wrong-pairs";
/// Those of them that both scores tell apart.
pub(crate) const SIGNIFICANTLY_WRONG: &str = "significantly-wrong-pairs";
/// A student's score on the surrogate.
pub(crate) const SURROGATE: &str = "surrogate-score";
/// A student's score on the withheld tasks.
pub(crate) const TARGET: &str = "withheld-score";
/// The share of surrogate labels that a supervisor has wrong.
pub(crate) const LABEL_ERROR: &str = "label-error";
/// Kendall's tau-b under a supervisor less that under as many errors that depend on nothing.
pub(crate) const AGAINST_RANDOM: &str = "kendall-tau-less-random-errors";
/// Slope of Kendall's tau-b by the error rate.
pub(crate) const FADING: &str = "kendall-tau-by-error";

/// Resamples of statistics that draw errors anew each time.
const MOST_DRAWS: usize = 400;

/// The kinds of surrogate: their names, and whether they are tried on every family in turn.
pub(crate) const KINDS: [(&str, bool); 3] =
    [("held-out-difficulty", false), ("held-out-family", true), ("sandwiched-experts", true)];

/// The cell of a kind of surrogate.
pub(crate) fn kind_cell(kind: &str) -> String {
    format!("surrogate={kind}")
}

/// The cell of a kind whose truth is withheld for one family.
pub(crate) fn withheld_cell(kind: &str, family: &str) -> String {
    format!("{}/withheld={family}", kind_cell(kind))
}

/// The cell of a student's two scores.
pub(crate) fn scored_cell(kind: &str, student: &Player) -> String {
    format!("{kind}/{}", student.cell)
}

/// The cell of labels by a supervisor of the ladder.
pub(crate) fn supervised_cell(supervisor: &Player) -> String {
    format!("{}/labels-by/{}", kind_cell(KINDS[0].0), supervisor.cell)
}

/// The cell of labels with simulated errors.
pub(crate) fn simulated_cell(error: f64) -> String {
    format!("{}/simulated-error={error}", kind_cell(KINDS[0].0))
}

/// All rows of surrogate testing.
pub(super) fn rows(exam: &Exam<'_>) -> Vec<Row> {
    let mut students = Vec::new();
    let mut table = Vec::new();
    for player in &exam.students {
        // One that failed has its row with the reason already.
        let Ok(solved) = exam.mean_solved(player) else { continue };
        table.extend(solved);
        students.push(player.clone());
    }
    let shape = (students.len(), exam.tasks.len());
    let Ok(table) = Array2::from_shape_vec(shape, table) else { return Vec::new() };
    let bench = Bench { exam, students, table };
    let mut families: Vec<&str> = exam.tasks.iter().map(|task| task.family).collect();
    families.sort_unstable();
    families.dedup();
    let known = exam.known;
    let difficulty = SurrogateKind::HeldOutDifficulty { known };
    let mut rows = bench.validity(&kind_cell(KINDS[0].0), &difficulty);
    rows.extend(bench.degradation(&difficulty));
    let by_family: Vec<Vec<Row>> = families
        .par_iter()
        .map(|&family| {
            let others: Vec<&str> = families.iter().copied().filter(|other| *other != family).collect();
            let withheld = [family];
            let (name, safe) = (crate::record::cell_safe(family), |kind: usize| KINDS[kind].0);
            let mut rows = bench.validity(
                &withheld_cell(safe(1), &name),
                &SurrogateKind::HeldOutFamily { withheld: &withheld },
            );
            rows.extend(bench.validity(
                &withheld_cell(safe(2), &name),
                &SurrogateKind::SandwichedExperts { known, experts: &others },
            ));
            rows
        })
        .collect();
    rows.extend(by_family.into_iter().flatten());
    rows
}

struct Bench<'a> {
    exam: &'a Exam<'a>,
    students: Vec<Player>,
    /// Scores, (students, tasks).
    table: Array2<f64>,
}

/// The scores on both sides, with their groups.
struct Sides {
    surrogate: Array2<f64>,
    target: Array2<f64>,
    surrogate_groups: Vec<u32>,
    target_groups: Vec<u32>,
    /// The tasks of the surrogate.
    tasks: Vec<usize>,
}

impl Sides {
    fn scored(&self) -> Scored<'_> {
        Scored {
            surrogate: self.surrogate.view(),
            target: self.target.view(),
            surrogate_groups: Some(&self.surrogate_groups),
            target_groups: Some(&self.target_groups),
        }
    }
}

impl Bench<'_> {
    fn sides(&self, kind: &SurrogateKind<'_>) -> Result<Sides, String> {
        let tags: Vec<Tag<'_>> = self.exam.tasks.iter().map(super::Task::tag).collect();
        let chosen = choose(&tags, kind).map_err(|e| e.to_string())?;
        let groups = |those: &[usize]| those.iter().map(|&i| self.exam.tasks[i].group).collect();
        Ok(Sides {
            surrogate: self.table.select(Axis(1), &chosen.surrogate),
            target: self.table.select(Axis(1), &chosen.target),
            surrogate_groups: groups(&chosen.surrogate),
            target_groups: groups(&chosen.target),
            tasks: chosen.surrogate,
        })
    }

    fn test(&self, cell: &str) -> SurrogateTest {
        SurrogateTest::new(bootstrap(self.exam.plan, cell))
    }

    fn validity(&self, cell: &str, kind: &SurrogateKind<'_>) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut push = |cell: &str, metric: &str, unit: &str, outcome: Result<Estimate, String>| {
            rows.push(Row::new(cell, None, metric, unit, self.students.len(), outcome));
        };
        let sides = self.sides(kind);
        let found =
            sides.and_then(|sides| validity(&sides.scored(), &self.test(cell)).map_err(|e| e.to_string()));
        let found = match found {
            Ok(found) => found,
            Err(why) => {
                push(cell, KENDALL, "correlation", Err(why));
                return rows;
            }
        };
        for (metric, unit, estimate) in [
            (KENDALL, "correlation", found.kendall),
            (SPEARMAN, "correlation", found.spearman),
            (SLOPE, "ratio", found.slope),
            (FLATTERY, "difference", found.bias),
            (DIFFERENCE, "difference", found.mean_absolute_difference),
            (WRONG, "share", found.order.wrong),
            (SIGNIFICANTLY_WRONG, "share", found.order.significantly_wrong),
        ] {
            push(cell, metric, unit, Ok(estimate));
        }
        for ((student, surrogate), target) in self.students.iter().zip(&found.surrogate).zip(&found.target) {
            let cell = scored_cell(cell, student);
            push(&cell, SURROGATE, "share", Ok(*surrogate));
            push(&cell, TARGET, "share", Ok(*target));
        }
        rows
    }

    /// How validity fades under the supervisors of the ladder, and under errors that depend on nothing.
    fn degradation(&self, kind: &SurrogateKind<'_>) -> Vec<Row> {
        let cell = kind_cell(KINDS[0].0);
        let Ok(sides) = self.sides(kind) else { return Vec::new() };
        let supervisors: Vec<(String, Result<Labels, String>)> = self
            .exam
            .supervisors
            .iter()
            .map(|supervisor| (supervised_cell(supervisor), self.labels_of(supervisor, &sides)))
            .collect();
        let mut rows = self.fading(&format!("{cell}/labels-by"), &sides, supervisors);
        if !self.exam.error.is_empty() {
            rows.extend(self.simulated(&format!("{cell}/simulated"), &sides));
        }
        rows
    }

    /// The surrogate scored by a supervisor of the ladder, seed by seed.
    fn labels_of(&self, supervisor: &Player, sides: &Sides) -> Result<Labels, String> {
        let labels = self.exam.solved(supervisor)?;
        let mut scores = Array2::zeros(sides.surrogate.dim());
        let n = labels.len() as f64;
        let mut wrong = vec![0.0; sides.tasks.len()];
        let own: Vec<Vec<Vec<f64>>> =
            self.students.iter().map(|student| self.exam.solved(student)).collect::<Result<_, _>>()?;
        for (seed, labels) in labels.iter().enumerate() {
            let of = |(student, task): (usize, usize)| own[student][seed][sides.tasks[task]];
            let errs: Vec<bool> = sides.tasks.iter().map(|&task| labels[task] < 0.5).collect();
            let said = Array2::from_shape_fn(sides.surrogate.dim(), of);
            scores += &with_errors(said.view(), &errs).map_err(|e| e.to_string())?;
            wrong.iter_mut().zip(errs).for_each(|(sum, err)| *sum += f64::from(u8::from(err)) / n);
        }
        Ok(Labels { scores: scores / n, wrong })
    }

    /// Labels that are wrong at random: the mean tau, and between what it lies, over errors drawn anew; the tasks stay.
    fn simulated(&self, cell: &str, sides: &Sides) -> Vec<Row> {
        let (by, n) = (self.few(cell), sides.tasks.len());
        let random = Random::new(sides);
        let errors: Vec<f64> = [0.0].into_iter().chain(self.exam.error.iter().copied()).collect();
        let one = |number: u64| -> Result<Vec<f64>, String> {
            let mut rng = by.seed.nth(number).rng();
            let all = vec![1.0; random.groups];
            errors.iter().map(|&error| random.kendall(&all, error, &mut rng)).collect()
        };
        let draws: Result<Vec<Vec<f64>>, String> = (0..by.draws as u64).into_par_iter().map(one).collect();
        let draws = match draws {
            Ok(draws) => draws,
            Err(why) => return vec![Row::new(cell, None, FADING, "ratio", n, Err::<Estimate, _>(why))],
        };
        let estimate = |of: &dyn Fn(&[f64]) -> f64| {
            let values: Vec<f64> = draws.iter().map(|draw| of(draw)).collect();
            by.interval(values.iter().sum::<f64>() / values.len() as f64, values)
        };
        let mut rows = Vec::new();
        for (place, &error) in self.exam.error.iter().enumerate() {
            let tau = estimate(&|draw| draw[place + 1]);
            let cell = simulated_cell(error);
            rows.push(Row::new(&*cell, None, KENDALL, "correlation", n, Ok::<_, String>(tau)));
        }
        let slope = estimate(&|draw| {
            let count = errors.len() as f64;
            let (x, y) = (errors.iter().sum::<f64>() / count, draw.iter().sum::<f64>() / count);
            let both: f64 = errors.iter().zip(draw).map(|(e, tau)| (e - x) * (tau - y)).sum();
            both / errors.iter().map(|e| (e - x) * (e - x)).sum::<f64>()
        });
        rows.push(Row::new(cell, None, FADING, "ratio", n, Ok::<_, String>(slope)));
        rows
    }

    /// The tau under a supervisor less that under as many errors at random, over the same resamples of the tasks.
    ///
    /// Random errors are the same for all seeds; those of a supervisor partly average out over them, which makes a
    /// supervisor look better rather than worse.
    fn against_random(&self, labels: &Labels, random: &Random, cell: &str) -> Result<Estimate, String> {
        let by = self.few(&format!("{cell}/{AGAINST_RANDOM}"));
        let own = random.sums_of(&labels.scores);
        let difference = |counts: &[f64], rng: &mut Rng| {
            let found = random.kendall_of(&own, counts)?;
            Ok::<_, String>(found - random.kendall(counts, labels.error(), rng)?)
        };
        let draws = (0..by.draws as u64).into_par_iter().map(|number| {
            let mut rng = by.seed.nth(number).rng();
            let whole = difference(&vec![1.0; random.groups], &mut rng)?;
            let mut counts = vec![0.0; random.groups];
            (0..random.groups).for_each(|_| counts[below(&mut rng, random.groups)] += 1.0);
            Ok((whole, difference(&counts, &mut rng)?))
        });
        let draws: Vec<(f64, f64)> = draws.collect::<Result<_, String>>()?;
        let (whole, resampled): (Vec<f64>, Vec<f64>) = draws.into_iter().unzip();
        Ok(by.interval(whole.iter().sum::<f64>() / whole.len() as f64, resampled))
    }

    fn few(&self, name: &str) -> Bootstrap {
        let by = bootstrap(self.exam.plan, name);
        Bootstrap { draws: by.draws.min(MOST_DRAWS), ..by }
    }

    fn fading(&self, cell: &str, sides: &Sides, all: Vec<(String, Result<Labels, String>)>) -> Vec<Row> {
        let n = sides.tasks.len();
        let mut rows = Vec::new();
        let mut known: Vec<(String, Labels)> = Vec::new();
        for (cell, labels) in all {
            match labels {
                Ok(labels) => known.push((cell, labels)),
                Err(why) => {
                    rows.push(Row::new(cell, None, KENDALL, "correlation", n, Err::<Estimate, _>(why)));
                }
            }
        }
        // The order of the points that come back.
        known.sort_by(|a, b| a.1.error().total_cmp(&b.1.error()));
        let supervised: Vec<Supervised<'_>> = known
            .iter()
            .map(|(_, labels)| Supervised { error: labels.error(), scores: labels.scores.view() })
            .collect();
        let found = degradation(&sides.scored(), &supervised, &self.test(cell)).map_err(|e| e.to_string());
        let Degradation { points, slope } = match found {
            Ok(found) => found,
            Err(why) => {
                rows.push(Row::new(cell, None, FADING, "ratio", n, Err::<Estimate, _>(why)));
                return rows;
            }
        };
        let by = bootstrap(self.exam.plan, &format!("{cell}/{LABEL_ERROR}"));
        let random = Random::new(sides);
        // The first point has the true labels, and is the validity itself.
        for ((cell, labels), DegradationPoint { validity, .. }) in known.iter().zip(&points[1..]) {
            rows.push(Row::new(cell, None, KENDALL, "correlation", n, Ok::<_, String>(*validity)));
            let error = mean_by(&labels.wrong, &sides.surrogate_groups, &by);
            rows.push(Row::new(cell, None, LABEL_ERROR, "share", n, error));
            let against = self.against_random(labels, &random, cell);
            rows.push(Row::new(cell, None, AGAINST_RANDOM, "difference", n, against));
        }
        rows.push(Row::new(cell, None, FADING, "ratio", n, Ok::<_, String>(slope)));
        rows
    }
}

/// Surrogate and target by group, for taus under errors that are drawn again and again.
struct Random<'a> {
    sides: &'a Sides,
    /// The number of all groups, and those of the tasks on either side.
    groups: usize,
    surrogate: Vec<usize>,
    target: Vec<usize>,
}

impl<'a> Random<'a> {
    fn new(sides: &'a Sides) -> Self {
        let mut places: Vec<u32> =
            sides.surrogate_groups.iter().chain(&sides.target_groups).copied().collect();
        places.sort_unstable();
        places.dedup();
        let of = |groups: &[u32]| {
            groups.iter().map(|group| places.partition_point(|other| other < group)).collect()
        };
        let (surrogate, target) = (of(&sides.surrogate_groups), of(&sides.target_groups));
        Self { sides, groups: places.len(), surrogate, target }
    }

    /// The sums of each student's scores on the surrogate by group, (students, groups).
    fn sums_of(&self, scores: &Array2<f64>) -> Array2<f64> {
        let mut sums = Array2::zeros((scores.nrows(), self.groups));
        for (scores, mut sums) in scores.rows().into_iter().zip(sums.rows_mut()) {
            scores.iter().zip(&self.surrogate).for_each(|(score, &group)| sums[group] += score);
        }
        sums
    }

    /// The tau of such sums with the target, where groups count so often.
    fn kendall_of(&self, sums: &Array2<f64>, counts: &[f64]) -> Result<f64, String> {
        let of = |sums: ndarray::ArrayView1<'_, f64>| {
            sums.iter().zip(counts).map(|(sum, count)| sum * count).sum()
        };
        let surrogate: Vec<f64> = sums.rows().into_iter().map(of).collect();
        self.tau(&surrogate, counts)
    }

    fn tau(&self, surrogate: &[f64], counts: &[f64]) -> Result<f64, String> {
        let of = |scores: ndarray::ArrayView1<'_, f64>| {
            scores.iter().zip(&self.target).map(|(score, &group)| score * counts[group]).sum()
        };
        let target: Vec<f64> = self.sides.target.rows().into_iter().map(of).collect();
        rank_correlation(surrogate, &target, Correlation::Kendall).map_err(|e| e.to_string())
    }

    /// The tau where each label of the surrogate is wrong with this probability.
    fn kendall(&self, counts: &[f64], error: f64, rng: &mut Rng) -> Result<f64, String> {
        // A wrong label turns a score s into 1 - s.
        let turns: Vec<(f64, f64)> = self
            .surrogate
            .iter()
            .map(|&group| {
                let count = counts[group];
                if rng.random::<f64>() < error { (-count, count) } else { (count, 0.0) }
            })
            .collect();
        let of = |scores: ndarray::ArrayView1<'_, f64>| {
            scores.iter().zip(&turns).map(|(score, (slope, start))| start + slope * score).sum()
        };
        let surrogate: Vec<f64> = self.sides.surrogate.rows().into_iter().map(of).collect();
        self.tau(&surrogate, counts)
    }
}

/// Scores by somebody's labels, and how often each of those is wrong.
struct Labels {
    scores: Array2<f64>,
    wrong: Vec<f64>,
}

impl Labels {
    fn error(&self) -> f64 {
        self.wrong.iter().sum::<f64>() / self.wrong.len().max(1) as f64
    }
}
