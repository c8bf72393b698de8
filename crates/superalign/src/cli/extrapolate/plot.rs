//! The curves, what was observed and what is predicted, as an SVG: a figure for each series, one below the other.

use super::table::Counts;
use super::work::Found;
use super::{ExtrapolateArgs, Levels};
use crate::report::{FigureLines, FigureSeries, figure_lines};
use superalign_evaluation::paired::{ShareInterval, share};

/// Width and height of one figure.
const SIZE: (usize, usize) = (640, 400);

pub(super) fn plot(counts: &Counts, found: &Found, args: &ExtrapolateArgs) -> String {
    let place = |x: f64| match args.x {
        Levels::Difficulty => x,
        Levels::Scale => x.log10(),
    };
    let axis = match args.x {
        Levels::Difficulty => "difficulty",
        Levels::Scale => "logarithm of scale, base 10",
    };
    let figures: Vec<String> = counts
        .series
        .iter()
        .zip(&found.path)
        .map(|(series, path)| {
            let observed = series.levels.iter().filter_map(|&(x, right, total)| {
                let found = share(right, total, ShareInterval::Wilson, args.level).ok()?;
                Some((place(x), found.value, found.lo, found.hi))
            });
            let predicted = path.iter().map(|p| (place(p.x), p.share.value, p.outcome.lo, p.outcome.hi));
            let curves =
                path.iter().map(|p| (place(p.x), p.share.value, p.disagreement[0], p.disagreement[1]));
            let mut all = vec![
                FigureSeries { name: "observed".to_owned(), points: observed.collect() },
                FigureSeries { name: "predicted".to_owned(), points: predicted.collect() },
            ];
            if found.members.len() > 1 {
                all.push(FigureSeries { name: "curves disagree".to_owned(), points: curves.collect() });
            }
            let title = if series.name.is_empty() { "Share of right answers" } else { &series.name };
            let figure = FigureLines {
                title,
                x: axis,
                y: "share right",
                y_range: (0.0, 1.0),
                reference: None,
                series: all,
            };
            figure_lines(&figure)
        })
        .collect();
    let (width, height) = (SIZE.0, SIZE.1 * figures.len());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" color=\"#222\" role=\"img\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (row, figure) in figures.iter().enumerate() {
        svg += &figure.replacen("<svg ", &format!("<svg y=\"{}\" ", SIZE.1 * row), 1);
    }
    svg + "</svg>\n"
}
