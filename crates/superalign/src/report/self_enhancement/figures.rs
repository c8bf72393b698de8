//! The figures: gains and calibration by rung, and every rung's course over the rounds.

use super::Page;
use crate::experiment::self_enhancement::{GAIN, LABEL_COLLAPSE, Path, TEST, TEST_ECE, ceiling_cell};
use crate::report::figure::{self, Bar, Bars, Lines, Series};
use crate::spec::{Choice, VariantName};

impl Page<'_> {
    pub(super) fn figures(&self) -> Vec<(String, String)> {
        let mut out = vec![self.gained(), self.calibrated()];
        let rungs = self.plan.rungs.len();
        for rung in 0..rungs {
            let (two, alone): (Vec<Path>, Vec<Path>) =
                self.design.paths(rungs, rung).into_iter().partition(|path| path.variant.takes_two());
            // Peers beside the same labels without a peer.
            let gated = alone.iter().filter(|path| path.variant == VariantName::Gated).cloned();
            let peers = |variant| {
                let of = two.iter().filter(|path| path.variant == variant).cloned();
                gated.clone().chain(of).collect::<Vec<Path>>()
            };
            out.extend(self.rounds(rung, &alone, TEST, "Accuracy by round"));
            for variant in [VariantName::Peer, VariantName::Exchange] {
                if two.iter().any(|path| path.variant == variant) {
                    let title = format!("Accuracy by round with a peer ({})", variant.name());
                    out.extend(self.rounds(rung, &peers(variant), TEST, &title));
                }
            }
            out.extend(self.rounds(rung, &alone, LABEL_COLLAPSE, "Collapse of labels by round"));
        }
        out
    }

    /// A metric of these paths over the rounds.
    fn rounds(&self, rung: usize, paths: &[Path], metric: &str, title: &str) -> Option<(String, String)> {
        let one = |path: &Path| Series {
            name: path.name(self.plan),
            points: (0..=self.design.rounds)
                .filter_map(|round| {
                    let e = self.value(&path.round(self.plan, round), metric)?;
                    Some((round as f64, e.value, e.lo, e.hi))
                })
                .collect(),
        };
        let series: Vec<Series> = paths.iter().map(one).filter(|series| !series.points.is_empty()).collect();
        let points = || series.iter().flat_map(|series| &series.points);
        points().next()?;
        let (lo, hi) = points().fold((f64::MAX, f64::MIN), |(lo, hi), p| (lo.min(p.2), hi.max(p.3)));
        let (reference, y, what) = if metric == TEST {
            let ceiling = self.number(&ceiling_cell(self.rung(rung)), TEST);
            let what = "right verdicts on test items; round 0 is the rung's own verdict over views";
            (ceiling.map(|value| (value, "true labels")), "share of test items", what)
        } else {
            let what = "1 - diversity of labels / that of round 0 (Hill number of order 1); above the line the stop \
                        rule fires";
            (Some((self.design.stop_labels, "stop")), "collapse index", what)
        };
        let (lo, hi) = reference.map_or((lo, hi), |(at, _)| (lo.min(at), hi.max(at)));
        let title = format!("{title}, {}", self.rung(rung));
        let svg = figure::lines(&Lines {
            title: &title,
            x: "round",
            y,
            y_range: (lo - 0.02, hi + 0.02),
            reference,
            series,
        });
        Some((svg, format!("{title}: {what}.")))
    }

    /// The ways that take one rung.
    fn alone(&self) -> Vec<VariantName> {
        self.design.variant.iter().copied().filter(|variant| !variant.takes_two()).collect()
    }

    /// What every variant gains, by rung.
    fn gained(&self) -> (String, String) {
        let alone = self.alone();
        let bar = |rung, &variant: &VariantName| {
            self.bar(&Path { rung, variant, peer: None }.cell(self.plan), GAIN)
        };
        let group = |rung: usize| {
            (self.rung(rung).to_owned(), alone.iter().map(|variant| bar(rung, variant)).collect::<Vec<_>>())
        };
        let groups: Vec<_> = (0..self.plan.rungs.len()).map(group).collect();
        let ends = groups.iter().flat_map(|(_, bars)| bars.iter().flatten());
        let (lo, hi) = ends.fold((-0.02_f64, 0.02_f64), |(lo, hi), bar| (lo.min(bar.1), hi.max(bar.2)));
        (
            figure::bars(&Bars {
                title: "Gain over the rung's own verdicts",
                y: "difference of test accuracy",
                y_range: (lo, hi),
                reference: Some((0.0, "no gain")),
                kinds: alone.iter().map(|variant| variant.name().to_owned()).collect(),
                groups,
            }),
            "Test accuracy after the last round minus that of round 0, for each rung and way of labelling."
                .to_owned(),
        )
    }

    /// Calibration error of the rung's own verdicts, and after the last round of every variant.
    fn calibrated(&self) -> (String, String) {
        let alone = self.alone();
        let bar = |rung, &variant: &VariantName| {
            self.bar(&self.last(&Path { rung, variant, peer: None }), TEST_ECE)
        };
        let group = |rung: usize| {
            let first =
                Path { rung, variant: alone.first().copied().unwrap_or(VariantName::Alone), peer: None };
            let own = self.bar(&first.round(self.plan, 0), TEST_ECE);
            let bars = std::iter::once(own).chain(alone.iter().map(|variant| bar(rung, variant)));
            (self.rung(rung).to_owned(), bars.collect::<Vec<_>>())
        };
        let groups: Vec<_> = (0..self.plan.rungs.len()).map(group).collect();
        let ends = groups.iter().flat_map(|(_, bars)| bars.iter().flatten());
        let hi = ends.fold(0.05_f64, |hi, bar| hi.max(bar.2));
        let kinds = std::iter::once("own verdicts".to_owned());
        (
            figure::bars(&Bars {
                title: "Calibration error",
                y: "expected calibration error, test items",
                y_range: (0.0, hi),
                reference: None,
                kinds: kinds.chain(alone.iter().map(|variant| variant.name().to_owned())).collect(),
                groups,
            }),
            "Expected calibration error (10 bins) of the rung's own verdicts and after the last round. Noise lifts an error \
             of this kind, so that small ones lie below their intervals' middle."
                .to_owned(),
        )
    }

    fn bar(&self, cell: &str, metric: &str) -> Option<Bar> {
        let e = self.value(cell, metric)?;
        Some((e.value, e.lo, e.hi))
    }
}
