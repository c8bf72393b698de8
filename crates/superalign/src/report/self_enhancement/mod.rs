//! The report of a self-enhancement experiment: words and tables here, drawings in `figures`.

mod figures;

use super::prose::{Effect, and, count, effect};
use super::table::{Table, shown};
use super::{Findings, Numbers};
use crate::experiment::self_enhancement::{
    CALLS, CHOSEN, CONTRADICTED, CONTRADICTED_RIGHT, EMBEDDING_COLLAPSE, GAIN, HEADROOM, KEPT,
    LABEL_COLLAPSE, LABEL_ECE, LABEL_GAIN, LABELS, LEFT, Path, REASONS, SOLVED, SOLVED_GAIN, STOP_HELPS,
    STOPPED, STOPPED_GAIN, TEST, TEST_ECE, UNANIMITY, UPHELD_RIGHT, VIEWS_GAIN, WITHOUT_STUDENT,
    ceiling_cell, over, plain_cell,
};
use crate::plan::Plan;
use crate::record::Row;
use crate::spec::{Choice, SelfEnhancement, VariantName};
use superalign_core::Estimate;

/// Reads the findings out of the numbers.
pub(crate) fn findings(plan: &Plan, design: &SelfEnhancement, numbers: &Numbers<'_>) -> Findings {
    let page = Page { plan, design, numbers };
    Findings { sentences: page.sentences(), figures: page.figures(), tables: page.tables() }
}

struct Page<'a> {
    plan: &'a Plan,
    design: &'a SelfEnhancement,
    numbers: &'a Numbers<'a>,
}

impl<'a> Page<'a> {
    fn row(&self, cell: &str, metric: &str) -> Option<&'a Row> {
        self.numbers.summary(cell, metric)
    }

    fn value(&self, cell: &str, metric: &str) -> Option<Estimate> {
        self.row(cell, metric)?.estimate()
    }

    fn number(&self, cell: &str, metric: &str) -> Option<f64> {
        self.row(cell, metric)?.value
    }

    fn rung(&self, rung: usize) -> &'a str {
        &self.plan.rungs[rung].name
    }

    fn paths(&self) -> Vec<Path> {
        let rungs = self.plan.rungs.len();
        (0..rungs).flat_map(|rung| self.design.paths(rungs, rung)).collect()
    }

    fn last(&self, path: &Path) -> String {
        path.round(self.plan, self.design.rounds)
    }

    fn sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        out.extend(self.in_short());
        out.extend(self.start());
        for &variant in &self.design.variant {
            out.extend(self.gains(variant));
        }
        out.extend(self.comparisons());
        out.extend(self.pairs());
        out.extend(self.criticism());
        out.extend(self.calibration());
        out.extend(self.collapse());
        if self.plan.data.parts.iter().filter(|part| part.name.starts_with("student")).count() < 2 {
            out.push("Each item has one view: confidence is that of a single verdict.".to_owned());
        }
        out
    }

    /// All paths at once.
    fn in_short(&self) -> Option<String> {
        let paths = self.paths();
        let gains: Vec<(&Path, Estimate)> =
            paths.iter().filter_map(|path| Some((path, self.value(&path.cell(self.plan), GAIN)?))).collect();
        let (most, least) = (
            gains.iter().max_by(|a, b| a.1.value.total_cmp(&b.1.value))?,
            gains.iter().min_by(|a, b| a.1.value.total_cmp(&b.1.value))?,
        );
        let [better, worse, open] = tally(gains.iter().map(|(_, e)| e));
        let named = |(path, e): &(&Path, Estimate)| {
            format!(
                "{} {}: {:+.3} [{:+.3}, {:+.3}]",
                self.rung(path.rung),
                path.name(self.plan),
                e.value,
                e.lo,
                e.hi
            )
        };
        Some(format!(
            "Of {}, the last student is more often right than its rung's own verdicts in {better}, less often in {worse}, \
             and no difference can be claimed in {open}. Highest {}; lowest {}. (With so many comparisons, one in \
             twenty of no effect will look like one.)",
            count(gains.len(), "path"),
            named(most),
            named(least)
        ))
    }

    /// Where the rungs start, and what the views add.
    fn start(&self) -> Vec<String> {
        let rungs = || (0..self.plan.rungs.len()).map(|rung| self.rung(rung));
        let listed = |cell: fn(&str) -> String| {
            let each = rungs().map(|name| format!("{name} {}", shown(self.row(&cell(name), TEST))));
            and(&each.collect::<Vec<_>>())
        };
        let mut out = vec![format!(
            "Without training, the rungs' own verdicts are right on this share of test items: {}. Students of true labels of \
             the same items: {}.",
            listed(plain_cell),
            listed(ceiling_cell)
        )];
        let views: Vec<(String, Estimate)> = rungs()
            .filter_map(|name| Some((name.to_owned(), self.value(&plain_cell(name), VIEWS_GAIN)?)))
            .collect();
        if self.design.views > 1 && !views.is_empty() {
            out.push(format!("The mean verdict over views instead of the plain one: {}.", verdict(&views)));
        }
        let headroom: Vec<(String, Estimate)> = rungs()
            .filter_map(|name| Some((name.to_owned(), self.value(&ceiling_cell(name), HEADROOM)?)))
            .collect();
        if !headroom.is_empty() {
            out.push(format!(
                "What there is to gain is what students of true labels have over those verdicts: {}.",
                verdict(&headroom)
            ));
        }
        out
    }

    /// What the paths of a variant gain.
    fn gains(&self, variant: VariantName) -> Option<String> {
        let paths: Vec<Path> = self.paths().into_iter().filter(|path| path.variant == variant).collect();
        let of = |metric: &str| -> Vec<(String, Estimate)> {
            let named = |path: &Path| {
                let name = match path.peer {
                    Some(peer) => format!("{} with {}", self.rung(path.rung), self.rung(peer)),
                    None => self.rung(path.rung).to_owned(),
                };
                Some((name, self.value(&path.cell(self.plan), metric)?))
            };
            paths.iter().filter_map(named).collect()
        };
        let (test, labels) = (of(GAIN), of(LABEL_GAIN));
        if test.is_empty() {
            return None;
        }
        let [better, worse, open] = tally(labels.iter().map(|(_, e)| e));
        Some(format!(
            "{}: after {} the student against the rung's own verdicts, on test items: {}. Its labels against the \
             first ones: better in {better}, worse in {worse}, no difference in {open}.",
            sentence_name(variant),
            count(self.design.rounds, "round"),
            verdict(&test),
        ))
    }

    /// What one more thing adds, at the same items and rounds.
    fn comparisons(&self) -> Vec<String> {
        let mut out = Vec::new();
        for &variant in &self.design.variant {
            let Some(rival) = self.design.rival(variant).filter(|_| variant != VariantName::Pairs) else {
                continue;
            };
            let paths: Vec<Path> = self.paths().into_iter().filter(|path| path.variant == variant).collect();
            let found = |stronger: Option<bool>| -> Vec<(String, Estimate)> {
                let those = paths.iter().filter(|path| {
                    path.peer.map(|peer| peer > path.rung) == stronger
                        || (stronger.is_none() && path.peer.is_none())
                });
                let named = |path: &Path| {
                    let name = match path.peer {
                        Some(peer) => format!("{} with {}", self.rung(path.rung), self.rung(peer)),
                        None => self.rung(path.rung).to_owned(),
                    };
                    Some((name, self.value(&path.cell(self.plan), &over(rival))?))
                };
                those.filter_map(named).collect()
            };
            for (stronger, what) in [
                (None, ""),
                (Some(true), ", the peer being stronger"),
                (Some(false), ", the peer being weaker"),
            ] {
                let found = found(stronger);
                if !found.is_empty() {
                    out.push(format!(
                        "{} against {} after the last round (test items){what}: {}.",
                        sentence_name(variant),
                        rival.name(),
                        verdict(&found)
                    ));
                }
            }
        }
        out
    }

    /// Preferences beside items, in tasks solved.
    fn pairs(&self) -> Option<String> {
        if !self.design.variant.contains(&VariantName::Pairs) {
            return None;
        }
        let mut parts = Vec::new();
        for path in self.paths() {
            if !matches!(path.variant, VariantName::Pairs | VariantName::Gated) {
                continue;
            }
            let gain = self.row(&path.cell(self.plan), SOLVED_GAIN);
            parts.push(format!("{} {} {}", self.rung(path.rung), path.variant.name(), shown(gain)));
        }
        Some(format!(
            "Who learns from pairs knows that one of two candidates is right, so that accuracies are compared in tasks: the \
             share of tasks whose right candidate is held for the likelier one grows by: {}.",
            and(&parts)
        ))
    }

    fn criticism(&self) -> Option<String> {
        let rungs = (0..self.plan.rungs.len()).map(|rung| self.rung(rung));
        let shares: Vec<String> = rungs
            .filter_map(|name| {
                let cell = plain_cell(name);
                let share = self.number(&cell, CONTRADICTED)?;
                let right = [CONTRADICTED_RIGHT, UPHELD_RIGHT].map(|metric| shown(self.row(&cell, metric)));
                Some(format!("{name} {:.1}% ({} against {})", 100.0 * share, right[0], right[1]))
            })
            .collect();
        if shares.is_empty() {
            return None;
        }
        Some(format!(
            "Asked about their own verdicts, the rungs contradict this share of them (in brackets: right among those \
             contradicted, against those upheld): {}.",
            and(&shares)
        ))
    }

    /// Calibration at the first and the last round.
    fn calibration(&self) -> Option<String> {
        let (mut worse, mut better, mut all) = (0, 0, 0);
        let mut means = [0.0; 2];
        for path in self.paths() {
            let at = |cell: String| self.value(&cell, TEST_ECE);
            let (Some(first), Some(last)) = (at(path.round(self.plan, 0)), at(self.last(&path))) else {
                continue;
            };
            all += 1;
            means[0] += first.value;
            means[1] += last.value;
            worse += usize::from(last.lo > first.hi);
            better += usize::from(last.hi < first.lo);
        }
        (all > 0).then(|| {
            format!(
                "Calibration error on test items: {:.3} on average over the rungs' own verdicts, {:.3} after the last \
                 round; intervals apart in {} for the worse and in {better} for the better, of {}.",
                means[0] / f64::from(all),
                means[1] / f64::from(all),
                worse,
                count(all as usize, "path")
            )
        })
    }

    /// What is left of diversity, whether the stop rule fired, and whether that was good.
    fn collapse(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut worst: Option<(f64, String)> = None;
        let mut fired = Vec::new();
        let mut judged: Vec<(String, Estimate)> = Vec::new();
        let paths = self.paths();
        for path in &paths {
            let cell = path.cell(self.plan);
            let name = format!("{} {}", self.rung(path.rung), path.name(self.plan));
            if let Some(index) = self.number(&self.last(path), LABEL_COLLAPSE)
                && worst.as_ref().is_none_or(|(most, _)| index > *most)
            {
                worst = Some((index, format!("{index:.3} ({name})")));
            }
            let Some(share) = self.number(&cell, STOPPED).filter(|share| *share > 0.0) else { continue };
            let why = ["collapse of labels", "the rarer class", "collapse of embeddings"];
            let reasons: Vec<String> = REASONS
                .iter()
                .zip(why)
                .filter(|(metric, _)| self.number(&cell, metric).is_some_and(|share| share > 0.0))
                .map(|(_, why)| why.to_owned())
                .collect();
            let reasons = if reasons.is_empty() { "its peer's collapse".to_owned() } else { and(&reasons) };
            fired.push(format!("{name} ({:.0}% of seeds, by {reasons})", 100.0 * share));
            if let Some(helps) = self.value(&cell, STOP_HELPS) {
                judged.push((name, helps));
            }
        }
        if let Some((_, worst)) = worst {
            out.push(format!("The largest collapse index of labels after the last round is {worst}."));
        }
        if fired.is_empty() {
            out.push(format!(
                "The stop rule fired in none of {}: stopping and going on are the same here.",
                count(paths.len(), "path")
            ));
            return out;
        }
        out.push(format!(
            "The stop rule fired in {} of {}: {}.",
            fired.len(),
            count(paths.len(), "path"),
            and(&fired)
        ));
        out.push(format!(
            "Using the student from before the collapse instead of going on (test items): {}.",
            verdict(&judged)
        ));
        out
    }

    fn tables(&self) -> Vec<Table> {
        let mut main = Table::new(
            "What self-enhancement gains",
            2,
            &[
                "rung",
                "labels",
                "own verdicts",
                "last round",
                "gain",
                "with stop rule",
                "stop less going on",
                "left to ceiling",
                "label gain",
                "questions",
            ],
        );
        let mut compared = Table::new(
            "Against another way, after the last round",
            3,
            &["rung", "labels", "against", "difference"],
        );
        let mut stops = Table::new(
            "The stop rule",
            2,
            &[
                "rung",
                "labels",
                "fired",
                "by labels",
                "by rarer class",
                "by embeddings",
                "round used",
                "no student",
            ],
        );
        let mut rounds = Table::new(
            "Every round",
            3,
            &[
                "rung",
                "labels",
                "round",
                "label accuracy",
                "test accuracy",
                "tasks solved",
                "label ECE",
                "test ECE",
                "label collapse",
                "embedding collapse",
                "of one mind",
                "kept",
            ],
        );
        for path in self.paths() {
            let (cell, names) =
                (path.cell(self.plan), [self.rung(path.rung).to_owned(), path.name(self.plan)]);
            let mut row = names.to_vec();
            row.push(shown(self.row(&path.round(self.plan, 0), TEST)));
            row.push(shown(self.row(&self.last(&path), TEST)));
            row.extend(
                [GAIN, STOPPED_GAIN, STOP_HELPS, LEFT, LABEL_GAIN]
                    .map(|metric| shown(self.row(&cell, metric))),
            );
            row.push(
                self.number(&cell, CALLS).map_or_else(|| "not measured".to_owned(), |n| format!("{n:.0}")),
            );
            main.rows.push(row);
            if let Some(rival) = self.design.rival(path.variant) {
                let mut row = names.to_vec();
                row.push(rival.name().to_owned());
                row.push(shown(self.row(&cell, &over(rival))));
                compared.rows.push(row);
            }
            let plain = |cell: &str, metric: &str| {
                self.number(cell, metric)
                    .map_or_else(|| "not measured".to_owned(), |value| format!("{value:.2}"))
            };
            let mut row = names.to_vec();
            row.extend([STOPPED].into_iter().chain(REASONS).map(|metric| plain(&cell, metric)));
            row.extend([CHOSEN, WITHOUT_STUDENT].map(|metric| plain(&cell, metric)));
            stops.rows.push(row);
            for round in 0..=self.design.rounds {
                let cell = path.round(self.plan, round);
                let mut row = names.to_vec();
                row.push(round.to_string());
                let metrics = [LABELS, TEST, SOLVED, LABEL_ECE, TEST_ECE, LABEL_COLLAPSE];
                row.extend(metrics.map(|metric| shown(self.row(&cell, metric))));
                row.extend([EMBEDDING_COLLAPSE, UNANIMITY, KEPT].map(|metric| plain(&cell, metric)));
                rounds.rows.push(row);
            }
        }
        vec![main, compared, stops, rounds]
    }
}

/// Number of positive and of negative effects, and of those of which neither can be said.
fn tally<'e>(all: impl Iterator<Item = &'e Estimate>) -> [usize; 3] {
    all.fold([0; 3], |mut counts, e| {
        let place = match effect(e) {
            Effect::Positive => 0,
            Effect::Negative => 1,
            Effect::None => 2,
        };
        counts[place] += 1;
        counts
    })
}

/// So many of whom nothing can be said are named.
const LISTED: usize = 4;

/// Who gains, who loses, and for whom neither can be said.
fn verdict(found: &[(String, Estimate)]) -> String {
    let those = |wanted: Effect| -> Vec<String> {
        let some = found.iter().filter(|(_, e)| effect(e) == wanted);
        some.map(|(name, e)| format!("{name} ({:+.3} [{:+.3}, {:+.3}])", e.value, e.lo, e.hi)).collect()
    };
    let parts: Vec<String> = [
        (Effect::Positive, "better for"),
        (Effect::Negative, "worse for"),
        (Effect::None, "no difference can be claimed for"),
    ]
    .into_iter()
    .filter_map(|(wanted, what)| {
        let those = those(wanted);
        match those.len() {
            0 => None,
            // Names matter where something can be said of them.
            many if wanted == Effect::None && many > LISTED => Some(format!("{what} {many} others")),
            _ => Some(format!("{what} {}", and(&those))),
        }
    })
    .collect();
    if parts.is_empty() { "not measured".to_owned() } else { parts.join("; ") }
}

fn sentence_name(variant: VariantName) -> &'static str {
    match variant {
        VariantName::Alone => "All labels",
        VariantName::Gated => "The surest labels, classes in balance (gated)",
        VariantName::Greedy => "The surest labels of whatever class (greedy)",
        VariantName::HeldOut => "Labels by students that have not seen the item (held-out)",
        VariantName::Critique => "The surest labels that criticism upholds (critique)",
        VariantName::Pairs => "Self-made preferences (pairs)",
        VariantName::Peer => "The surest labels of either of two rungs (peer)",
        VariantName::Exchange => "The surest labels of the other of two rungs (exchange)",
    }
}
