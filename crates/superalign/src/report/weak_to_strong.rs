//! The report of a weak-to-strong experiment.

use super::figure::{self, Bars, Heat};
use super::prose::{Effect, and, count, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers, recipes};
use crate::experiment::weak_to_strong::{
    AGREEMENT, AGREEMENT_WRONG, GAIN, PGR, TEST, ceiling_cell, loss_name, pair_cell, teacher_cell,
};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{LossName, WeakToStrong};

/// Reads the findings out of the numbers.
pub(crate) fn findings(plan: &Plan, design: &WeakToStrong, numbers: &Numbers<'_>) -> Findings {
    let rungs: Vec<&str> = plan.rungs.iter().map(|r| r.name.as_str()).collect();
    Findings {
        sentences: [sentences(&rungs, design, numbers), recipes::sentences(&rungs, design, numbers)].concat(),
        figures: figures(&rungs, design, numbers),
        tables: tables(&rungs, design, numbers),
    }
}

/// Pairs of a teacher and a student that is no weaker; `strict` leaves out a rung that teaches itself.
fn pairs<'a>(rungs: &'a [&'a str], strict: Pairs) -> impl Iterator<Item = (&'a str, &'a str)> {
    let own = usize::from(strict == Pairs::Stronger);
    (0..rungs.len()).flat_map(move |i| (i + own..rungs.len()).map(move |j| (rungs[i], rungs[j])))
}

/// Which pairs are meant.
#[derive(Clone, Copy, PartialEq)]
enum Pairs {
    All,
    Stronger,
}

fn sentences(rungs: &[&str], design: &WeakToStrong, numbers: &Numbers<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for (title, cell) in [("Teachers", teacher_cell as fn(&str) -> String), ("Ceilings", ceiling_cell)] {
        let listed: Vec<String> =
            rungs.iter().map(|r| format!("{r} {}", shown(numbers.summary(&cell(r), TEST)))).collect();
        out.push(format!("{title} (test accuracy): {}.", and(&listed)));
    }
    for &loss in &design.loss {
        out.extend(gain_sentence(rungs, loss, numbers));
        out.extend(pgr_sentence(rungs, loss, numbers));
    }
    let (Some(&first), others) = (design.loss.first(), design.loss.get(1..).unwrap_or_default()) else {
        return out;
    };
    for &other in others {
        let difference = |(i, j): (&str, &str)| {
            let value = |loss| numbers.summary(&pair_cell(i, j, loss), TEST).and_then(Row::estimate);
            Some((value(other)?, value(first)?))
        };
        let all: Vec<_> = pairs(rungs, Pairs::Stronger).filter_map(difference).collect();
        if !all.is_empty() {
            let mean = all.iter().map(|(b, a)| b.value - a.value).sum::<f64>() / all.len() as f64;
            let apart = all.iter().filter(|(b, a)| b.lo > a.hi || b.hi < a.lo).count();
            out.push(format!(
                "{} against {}: {mean:+.3} test accuracy on average over {}; their intervals are apart in {apart}.",
                loss_name(other),
                loss_name(first),
                count(all.len(), "pair")
            ));
        }
    }
    out
}

fn gain_sentence(rungs: &[&str], loss: LossName, numbers: &Numbers<'_>) -> Option<String> {
    let mut by: [Vec<String>; 3] = Default::default();
    for (i, j) in pairs(rungs, Pairs::Stronger) {
        let Some(gain) = numbers.summary(&pair_cell(i, j, loss), GAIN).and_then(Row::estimate) else {
            continue;
        };
        let place = match effect(&gain) {
            Effect::Positive => 0,
            Effect::Negative => 1,
            Effect::None => 2,
        };
        by[place].push(format!("{i} to {j} ({gain:+.3})", gain = gain.value));
    }
    let total = by.iter().map(Vec::len).sum::<usize>();
    if total == 0 {
        return None;
    }
    let part = |names: &[String], what: &str| match names {
        [] => None,
        names if names.len() == total && total > 3 => Some(format!("{what} in all {total} pairs")),
        names => Some(format!("{what} in {}: {}", count(names.len(), "pair"), names.join(", "))),
    };
    let parts: Vec<String> = [
        part(&by[0], "the student surpasses its teacher"),
        part(&by[1], "the student falls below its teacher"),
        part(&by[2], "no difference between student and teacher can be claimed"),
    ]
    .into_iter()
    .flatten()
    .collect();
    Some(format!("With {}, {}.", loss_name(loss), parts.join("; ")))
}

fn pgr_sentence(rungs: &[&str], loss: LossName, numbers: &Numbers<'_>) -> Option<String> {
    let (mut defined, mut intervals) = (Vec::new(), Vec::new());
    let mut undefined = Vec::new();
    for (i, j) in pairs(rungs, Pairs::Stronger) {
        let row = numbers.summary(&pair_cell(i, j, loss), PGR)?;
        match row.value {
            Some(value) => {
                defined.push(value);
                intervals.extend(row.lo.zip(row.hi));
            }
            None => undefined
                .push(format!("{i} to {j} ({})", row.error.as_deref().unwrap_or("no reason recorded"))),
        }
    }
    defined.sort_by(f64::total_cmp);
    let above = intervals.iter().filter(|(lo, _)| *lo > 0.0).count();
    let mut out = match defined[..] {
        [] => format!("With {}, the performance gap recovered is defined for no pair", loss_name(loss)),
        [one] => format!(
            "With {}, the performance gap recovered is {one:.2}{} in its one defined pair",
            loss_name(loss),
            intervals.first().map_or_else(String::new, |(lo, hi)| format!(" [{lo:.2}, {hi:.2}]"))
        ),
        [lo, .., hi] => format!(
            "With {}, the performance gap recovered is {lo:.2} to {hi:.2} over {} (median {:.2}), and \
             above 0 with its interval in {above}",
            loss_name(loss),
            count(defined.len(), "pair"),
            median(&defined)
        ),
    };
    if !undefined.is_empty() {
        out += &format!("; undefined for {}", undefined.join("; "));
    }
    Some(out + ".")
}

fn median(sorted: &[f64]) -> f64 {
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

/// Losses that have maps of their own; where there are more, one map has all.
const MAPS: usize = 2;

/// The gain of every loss in every pair of a teacher and a stronger student.
fn by_loss(rungs: &[&str], design: &WeakToStrong, numbers: &Numbers<'_>) -> (String, String) {
    let pairs: Vec<(&str, &str)> = pairs(rungs, Pairs::Stronger).collect();
    let cell = |loss: LossName, (i, j): (&str, &str)| {
        let row = numbers.summary(&pair_cell(i, j, loss), GAIN)?;
        Some(row.value.ok_or_else(|| "undefined".to_owned()))
    };
    let figure = figure::heat(&Heat {
        title: "Gain over the teacher, by loss",
        x: "teacher, student",
        y: "loss",
        columns: pairs.iter().map(|(i, j)| format!("{i}, {j}")).collect(),
        rows: design.loss.iter().map(|&loss| loss_name(loss).to_owned()).collect(),
        extreme: 0.2,
        cells: design.loss.iter().map(|&loss| pairs.iter().map(|&pair| cell(loss, pair)).collect()).collect(),
    });
    (figure, "Test accuracy of the student minus that of its teacher.".to_owned())
}

fn figures(rungs: &[&str], design: &WeakToStrong, numbers: &Numbers<'_>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let names: Vec<String> = rungs.iter().map(|r| (*r).to_owned()).collect();
    let heat = |title: &str, metric: &str, loss: LossName, extreme: f64| {
        let cell = |i: usize, j: usize| {
            if i > j {
                return None;
            }
            let row = numbers.summary(&pair_cell(rungs[i], rungs[j], loss), metric)?;
            Some(row.value.ok_or_else(|| "undefined".to_owned()))
        };
        let row = |i: usize| (0..rungs.len()).map(|j| cell(i, j)).collect();
        figure::heat(&Heat {
            title,
            x: "student",
            y: "teacher",
            columns: names.clone(),
            rows: names.clone(),
            extreme,
            cells: (0..rungs.len()).map(row).collect(),
        })
    };
    if design.loss.len() > MAPS {
        out.push(by_loss(rungs, design, numbers));
    }
    for &loss in design.loss.iter().take(MAPS) {
        let name = loss_name(loss);
        out.push((
            heat(&format!("Gain over the teacher, {name}"), GAIN, loss, 0.2),
            format!("Test accuracy of the student minus that of its teacher, student trained with {name}."),
        ));
        out.push((
            heat(&format!("Performance gap recovered, {name}"), PGR, loss, 1.0),
            "Share of the way from the teacher to the student's own ceiling. Undefined where the two cannot be \
             told apart."
                .to_owned(),
        ));
    }
    out.extend(recipes::figure(rungs, design, numbers));
    let value = |cell: &str| {
        let e = numbers.summary(cell, TEST)?.estimate()?;
        Some((e.value, e.lo, e.hi))
    };
    let weakest = rungs.first().copied().unwrap_or_default();
    let mut kinds = vec!["teacher".to_owned()];
    kinds.extend(design.loss.iter().take(MAPS).map(|l| format!("taught, {}", loss_name(*l))));
    kinds.push("ceiling".to_owned());
    let groups = rungs
        .iter()
        .map(|r| {
            let mut values = vec![value(&teacher_cell(r))];
            values.extend(design.loss.iter().take(MAPS).map(|l| value(&pair_cell(weakest, r, *l))));
            values.push(value(&ceiling_cell(r)));
            ((*r).to_owned(), values)
        })
        .collect();
    out.push((
        figure::bars(&Bars {
            title: "Test accuracy by rung",
            y: "accuracy",
            y_range: (0.0, 1.0),
            reference: Some((0.5, "chance")),
            kinds,
            groups,
        }),
        format!(
            "Each rung as a teacher, as a student of the weakest rung ({weakest}), and with true labels."
        ),
    ));
    out
}

fn tables(rungs: &[&str], design: &WeakToStrong, numbers: &Numbers<'_>) -> Vec<Table> {
    let header =
        ["teacher", "student", "loss", "teacher acc.", "student acc.", "ceiling acc.", "gain", "PGR"];
    let mut main = Table::new("Weak to strong", 3, &header);
    let mut agreement = Table::new(
        "Student-teacher agreement on the test part",
        3,
        &["teacher", "student", "loss", "overall", "where the teacher errs"],
    );
    for (i, j) in pairs(rungs, Pairs::All) {
        for &loss in &design.loss {
            let cell = pair_cell(i, j, loss);
            let name = [i.to_owned(), j.to_owned(), loss_name(loss).to_owned()];
            let mut row = name.to_vec();
            row.extend([
                shown(numbers.summary(&teacher_cell(i), TEST)),
                shown(numbers.summary(&cell, TEST)),
                shown(numbers.summary(&ceiling_cell(j), TEST)),
                shown(numbers.summary(&cell, GAIN)),
                shown(numbers.summary(&cell, PGR)),
            ]);
            main.rows.push(row);
            let mut row = name.to_vec();
            row.extend([
                shown(numbers.summary(&cell, AGREEMENT)),
                shown(numbers.summary(&cell, AGREEMENT_WRONG)),
            ]);
            agreement.rows.push(row);
        }
    }
    let mut undefined = Table::new("Why a PGR is undefined", 3, &["teacher", "student", "loss", "reason"]);
    for (i, j) in pairs(rungs, Pairs::All) {
        for &loss in &design.loss {
            if let Some(why) = numbers.summary(&pair_cell(i, j, loss), PGR).and_then(|r| r.error.clone()) {
                undefined.rows.push(vec![i.to_owned(), j.to_owned(), loss_name(loss).to_owned(), why]);
            }
        }
    }
    undefined.names = 4;
    let mut tables = vec![main, agreement, breakdown(rungs, numbers)];
    tables.extend(recipes::table(rungs, design, numbers));
    if !undefined.rows.is_empty() {
        tables.insert(1, undefined);
    }
    tables
}

/// Ceilings by family and difficulty: where the ability that supervision should bring out is.
fn breakdown(rungs: &[&str], numbers: &Numbers<'_>) -> Table {
    let mut kinds: Vec<&str> = Vec::new();
    let suffix = |row: &'_ Row, cell: &str| row.cell.len() > cell.len();
    for rung in rungs {
        let cell = ceiling_cell(rung);
        for row in numbers.below(&cell, TEST).filter(|r| suffix(r, &cell)) {
            let kind = &row.cell[cell.len() + 1..];
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    let mut header = vec!["kind of item"];
    header.extend(rungs);
    let mut table = Table::new("Ceilings by family and difficulty", 1, &header);
    for kind in kinds {
        let mut row = vec![kind.to_owned()];
        row.extend(
            rungs.iter().map(|r| shown(numbers.summary(&format!("{}/{kind}", ceiling_cell(r)), TEST))),
        );
        table.rows.push(row);
    }
    table
}
