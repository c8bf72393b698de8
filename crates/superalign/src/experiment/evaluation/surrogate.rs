//! Surrogate testing: easier tasks, other families, or what experts know, in the place of the withheld tasks.

use super::tasks::mean_by;
use super::{Exam, Player};
use crate::experiment::score::bootstrap;
use crate::record::Row;
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use superalign_core::Estimate;
use superalign_evaluation::surrogate::{
    Degradation, DegradationPoint, Scored, Supervised, SurrogateKind, SurrogateTest, Tag, choose,
    degradation, independent_errors, validity, with_errors,
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
/// Kendall's tau-b to be expected for as many errors that depend on nothing.
pub(crate) const EXPECTED: &str = "expected-kendall-tau";
/// Slope of Kendall's tau-b by the error rate.
pub(crate) const FADING: &str = "kendall-tau-by-error";

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
    for player in exam.design.students(exam.plan) {
        // One that failed has its row with the reason already.
        let Ok(solved) = exam.mean_solved(&player) else { continue };
        table.extend(solved);
        students.push(player);
    }
    let shape = (students.len(), exam.tasks.len());
    let Ok(table) = Array2::from_shape_vec(shape, table) else { return Vec::new() };
    let bench = Bench { exam, students, table };
    let mut families: Vec<&str> = exam.tasks.iter().map(|task| task.family).collect();
    families.sort_unstable();
    families.dedup();
    let known = exam.design.known as u64;
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
            .design
            .supervisors(self.exam.plan)
            .iter()
            .map(|supervisor| (supervised_cell(supervisor), self.labels_of(supervisor, &sides)))
            .collect();
        let simulated: Vec<(String, Result<Labels, String>)> = self
            .exam
            .design
            .error
            .iter()
            .map(|&error| (simulated_cell(error), self.simulated(error, &sides)))
            .collect();
        let mut rows = self.fading(&format!("{cell}/labels-by"), &sides, supervisors);
        rows.extend(self.fading(&format!("{cell}/simulated"), &sides, simulated));
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

    /// The surrogate scored by labels that are wrong at random.
    fn simulated(&self, error: f64, sides: &Sides) -> Result<Labels, String> {
        let seed = bootstrap(self.exam.plan, "simulated errors").seed.named(&error.to_string());
        let wrong = independent_errors(sides.tasks.len(), error, seed).map_err(|e| e.to_string())?;
        let scores = with_errors(sides.surrogate.view(), &wrong).map_err(|e| e.to_string())?;
        Ok(Labels { scores, wrong: wrong.into_iter().map(|wrong| f64::from(u8::from(wrong))).collect() })
    }

    fn fading(&self, cell: &str, sides: &Sides, all: Vec<(String, Result<Labels, String>)>) -> Vec<Row> {
        let n = sides.tasks.len();
        let mut rows = Vec::new();
        let mut known: Vec<(String, Labels)> = Vec::new();
        for (cell, labels) in all {
            match labels {
                Ok(labels) => known.push((cell, labels)),
                Err(why) => {
                    rows.push(Row::new(cell, None, KENDALL, "correlation", n, Err::<Estimate, _>(why)))
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
        // The first point has the true labels, and is the validity itself.
        for ((cell, labels), DegradationPoint { validity, expected, .. }) in known.iter().zip(&points[1..]) {
            rows.push(Row::new(cell, None, KENDALL, "correlation", n, Ok::<_, String>(*validity)));
            let error = mean_by(&labels.wrong, &sides.surrogate_groups, &by);
            rows.push(Row::new(cell, None, LABEL_ERROR, "share", n, error));
            let exact = Estimate { value: *expected, lo: *expected, hi: *expected };
            let row = Row::new(cell, None, EXPECTED, "correlation", n, Ok::<_, String>(exact));
            rows.push(Row { lo: None, hi: None, ..row });
        }
        rows.push(Row::new(cell, None, FADING, "ratio", n, Ok::<_, String>(slope)));
        rows
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
