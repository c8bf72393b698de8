//! Figures as inline SVG, readable on light and dark pages and without colour.
//!
//! Text, axes and grid take the page's colour; series differ by colour (Okabe and Ito's palette, told apart by
//! all common kinds of colour vision) and by marker; heat maps write their numbers into the cells, black or
//! white, whichever has the greater contrast there.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A curve with a band.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// `(x, y, lo, hi)`, rising in x.
    pub(crate) points: Vec<(f64, f64, f64, f64)>,
}

/// Curves over a common axis.
#[derive(Clone, Debug)]
pub(crate) struct Lines<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
    pub(crate) y_range: (f64, f64),
    /// A horizontal line to compare with, and its name.
    pub(crate) reference: Option<(f64, &'a str)>,
    pub(crate) series: Vec<Series>,
}

/// Values with intervals, side by side.
#[derive(Clone, Debug)]
pub(crate) struct Bars<'a> {
    pub(crate) title: &'a str,
    pub(crate) y: &'a str,
    pub(crate) y_range: (f64, f64),
    pub(crate) reference: Option<(f64, &'a str)>,
    /// Names of the bars within a group.
    pub(crate) kinds: Vec<String>,
    /// Group name, and per kind a bar where there is one.
    pub(crate) groups: Vec<(String, Vec<Option<Bar>>)>,
}

/// A bar and its interval: `(value, lo, hi)`.
pub(crate) type Bar = (f64, f64, f64);

/// A value per pair.
#[derive(Clone, Debug)]
pub(crate) struct Heat<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<String>,
    /// The value that gets the strongest colour (and its negative the strongest of the other one).
    pub(crate) extreme: f64,
    /// `cells[row][column]`: a value; text in its place where it is undefined; nothing where there is no pair.
    pub(crate) cells: Vec<Vec<Option<Result<f64, String>>>>,
}

/// Points of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Dots {
    pub(crate) name: String,
    /// `(x, y, lo, hi)`; the interval is that of y.
    pub(crate) points: Vec<(f64, f64, f64, f64)>,
    /// How the points belong together.
    pub(crate) joined: Joined,
}

/// How points of one kind belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// They do not.
    Apart,
    /// In the order given, as a path.
    Path,
}

/// Points in a plane, with a curve through them where there is one.
#[derive(Clone, Debug)]
pub(crate) struct Scatter<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
    /// A horizontal line to compare with, and its name.
    pub(crate) reference: Option<(f64, &'a str)>,
    pub(crate) dots: Vec<Dots>,
    /// `(x, y, lo, hi)`, rising in x; may be empty.
    pub(crate) curve: Vec<(f64, f64, f64, f64)>,
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Stands for the page's own colour until the SVG is finished.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_HEX: &str = "#010203";
const FONT: &str = "system-ui, sans-serif";
const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(140, 140, 140),
];

fn colour(i: usize) -> RGBColor {
    PALETTE[i % PALETTE.len()]
}

fn ink(size: i32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK)
}

/// The finished `<svg>` element; a drawing that failed says so in the place of the figure.
fn finish(
    title: &str,
    size: (u32, u32),
    draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Drawn,
) -> String {
    let mut svg = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&root).and_then(|()| Ok(root.present()?))
    };
    let title = super::html::escape(title);
    if let Err(error) = drawn {
        return format!("<p class=\"error\">{title}: {}</p>", super::html::escape(&error.to_string()));
    }
    let (w, h) = size;
    let start = svg.find('>').map_or(0, |i| i + 1);
    format!(
        "<svg viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" aria-label=\"{title}\" \
         xmlns=\"http://www.w3.org/2000/svg\"><title>{title}</title>{}",
        svg[start..].replace(INK_HEX, "currentColor")
    )
}

/// Draws curves; several are told apart by colour and marker, and named at the right.
pub(crate) fn lines(figure: &Lines<'_>) -> String {
    finish(figure.title, (640, 400), |root| {
        let xs = figure.series.iter().flat_map(|s| s.points.iter().map(|p| p.0));
        let (x0, x1) = xs.fold((f64::MAX, f64::MIN), |(lo, hi), x| (lo.min(x), hi.max(x)));
        let (x0, x1) = if x0 < x1 { (x0, x1) } else { (0.0, 1.0) };
        let (y0, y1) = figure.y_range;
        let (plot, legend) = root.split_horizontally(500);
        let mut chart = ChartBuilder::on(&plot)
            .caption(figure.title, ink(16))
            .margin(8)
            .x_label_area_size(40)
            .y_label_area_size(52)
            .build_cartesian_2d(x0..x1, y0..y1)?;
        mesh(&mut chart, figure.x, figure.y)?;
        if let Some((y, name)) = figure.reference {
            chart.draw_series(DashedLineSeries::new(
                [(x0, y), (x1, y)],
                4,
                4,
                INK.mix(0.6).stroke_width(1),
            ))?;
            let style = ink(11).pos(Pos::new(HPos::Right, VPos::Bottom));
            chart.draw_series([Text::new(name.to_owned(), (x1, y), style)])?;
        }
        for (i, series) in figure.series.iter().enumerate() {
            let c = colour(i);
            let upper = series.points.iter().map(|p| (p.0, p.3.clamp(y0, y1)));
            let lower = series.points.iter().rev().map(|p| (p.0, p.2.clamp(y0, y1)));
            chart.draw_series([Polygon::new(upper.chain(lower).collect::<Vec<_>>(), c.mix(0.18))])?;
            chart
                .draw_series(LineSeries::new(series.points.iter().map(|p| (p.0, p.1)), c.stroke_width(2)))?;
            for p in &series.points {
                marker(plot_point(&chart, (p.0, p.1)), i, &plot)?;
            }
        }
        for (i, series) in figure.series.iter().enumerate() {
            let y = 46 + 20 * i as i32;
            legend.draw(&PathElement::new([(0, y), (24, y)], colour(i).stroke_width(2)))?;
            marker((12, y), i, &legend)?;
            legend.draw(&Text::new(short(&series.name, 15), (30, y), left_middle(12)))?;
        }
        Ok(())
    })
}

/// Draws bars with their intervals.
pub(crate) fn bars(figure: &Bars<'_>) -> String {
    finish(figure.title, (640, 360), |root| {
        let (y0, y1) = figure.y_range;
        let groups = figure.groups.len().max(1) as f64;
        let kinds = figure.kinds.len().max(1);
        let (plot, legend) = root.split_horizontally(if kinds > 1 { 500 } else { 640 });
        let mut chart = ChartBuilder::on(&plot)
            .caption(figure.title, ink(16))
            .margin(8)
            .x_label_area_size(40)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..groups, y0..y1)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(0)
            .y_desc(figure.y)
            .y_label_formatter(&|y| format!("{y:.2}"))
            .axis_style(INK.mix(0.7))
            .bold_line_style(INK.mix(0.15))
            .light_line_style(INK.mix(0.0))
            .label_style(ink(12))
            .axis_desc_style(ink(13))
            .draw()?;
        let base = y0.max(0.0).min(y1);
        for (g, (name, values)) in figure.groups.iter().enumerate() {
            let width = 0.76 / kinds as f64;
            for (k, value) in values.iter().enumerate() {
                let Some((v, lo, hi)) = value else { continue };
                let left = g as f64 + 0.12 + k as f64 * width;
                let right = left + width * 0.9;
                let middle = f64::midpoint(left, right);
                let corners = [(left, base), (right, v.clamp(y0, y1))];
                chart.draw_series([Rectangle::new(corners, colour(k).mix(0.75).filled())])?;
                let ends = [(middle, lo.clamp(y0, y1)), (middle, hi.clamp(y0, y1))];
                chart.draw_series([PathElement::new(ends, INK.stroke_width(2))])?;
            }
            let (x, y) = plot_point(&chart, (g as f64 + 0.5, y0));
            let style = ink(12).pos(Pos::new(HPos::Center, VPos::Top));
            plot.draw(&Text::new(short(name, 18), (x, y + 6), style))?;
        }
        if let Some((y, name)) = figure.reference {
            let line = [(0.0, y), (groups, y)];
            chart.draw_series(DashedLineSeries::new(line, 4, 4, INK.mix(0.6).stroke_width(1)))?;
            let style = ink(11).pos(Pos::new(HPos::Right, VPos::Bottom));
            chart.draw_series([Text::new(name.to_owned(), (groups, y), style)])?;
        }
        if kinds > 1 {
            for (k, name) in figure.kinds.iter().enumerate() {
                let y = 46 + 20 * k as i32;
                legend.draw(&Rectangle::new([(0, y - 6), (14, y + 6)], colour(k).mix(0.75).filled()))?;
                legend.draw(&Text::new(short(name, 16), (20, y), left_middle(12)))?;
            }
        }
        Ok(())
    })
}

/// Draws a heat map: blue above zero, orange below, the number in every cell.
pub(crate) fn heat(figure: &Heat<'_>) -> String {
    let (columns, rows) = (figure.columns.len() as i32, figure.rows.len() as i32);
    // Many columns are narrow, so that the page need not shrink them.
    let (cell_w, cell_h, left, top) = if columns > 8 { (48, 30, 130, 44) } else { (96, 44, 130, 44) };
    let size = ((left + columns * cell_w + 16).max(360) as u32, (top + rows * cell_h + 56) as u32);
    finish(figure.title, size, |root| {
        root.draw(&Text::new(figure.title.to_owned(), (8, 8), ink(16)))?;
        for (r, row) in figure.cells.iter().enumerate() {
            let y = top + r as i32 * cell_h;
            let style = ink(12).pos(Pos::new(HPos::Right, VPos::Center));
            root.draw(&Text::new(short(&figure.rows[r], 16), (left - 8, y + cell_h / 2), style))?;
            for (c, value) in row.iter().enumerate() {
                let Some(value) = value else { continue };
                let x = left + c as i32 * cell_w;
                let corners = [(x + 1, y + 1), (x + cell_w - 1, y + cell_h - 1)];
                let middle = (x + cell_w / 2, y + cell_h / 2);
                let centred = Pos::new(HPos::Center, VPos::Center);
                match value {
                    Ok(v) => {
                        let fill = diverging(v / figure.extreme.max(1e-12));
                        root.draw(&Rectangle::new(corners, fill.filled()))?;
                        let style = (FONT, if columns > 8 { 12 } else { 14 })
                            .into_font()
                            .color(&text_on(fill))
                            .pos(centred);
                        root.draw(&Text::new(format!("{v:+.2}"), middle, style))?;
                    }
                    Err(why) => {
                        root.draw(&Rectangle::new(corners, INK.mix(0.4).stroke_width(1)))?;
                        root.draw(&Text::new(why.clone(), middle, ink(11).pos(centred)))?;
                    }
                }
            }
        }
        let bottom = top + rows * cell_h;
        for (c, name) in figure.columns.iter().enumerate() {
            let x = left + c as i32 * cell_w + cell_w / 2;
            let style = ink(12).pos(Pos::new(HPos::Center, VPos::Top));
            root.draw(&Text::new(short(name, 14), (x, bottom + 6), style))?;
        }
        let style = ink(13).pos(Pos::new(HPos::Center, VPos::Top));
        root.draw(&Text::new(figure.x.to_owned(), (left + columns * cell_w / 2, bottom + 28), style))?;
        root.draw(&Text::new(figure.y.to_owned(), (8, top - 14), ink(13)))?;
        Ok(())
    })
}

/// Draws points with the intervals of their heights, and a curve with its band.
pub(crate) fn scatter(figure: &Scatter<'_>) -> String {
    finish(figure.title, (640, 420), |root| {
        let all = || figure.dots.iter().flat_map(|d| d.points.iter()).chain(&figure.curve);
        let (x0, x1) = margins(all().map(|p| p.0));
        let (y0, y1) =
            margins(all().flat_map(|p| [p.1, p.2, p.3]).chain(figure.reference.map(|reference| reference.0)));
        let (plot, legend) = root.split_horizontally(500);
        let mut chart = ChartBuilder::on(&plot)
            .caption(figure.title, ink(16))
            .margin(8)
            .x_label_area_size(40)
            .y_label_area_size(52)
            .build_cartesian_2d(x0..x1, y0..y1)?;
        mesh(&mut chart, figure.x, figure.y)?;
        if let Some((y, name)) = figure.reference {
            let line = [(x0, y), (x1, y)];
            chart.draw_series(DashedLineSeries::new(line, 4, 4, INK.mix(0.6).stroke_width(1)))?;
            let style = ink(11).pos(Pos::new(HPos::Right, VPos::Bottom));
            chart.draw_series([Text::new(name.to_owned(), (x1, y), style)])?;
        }
        if !figure.curve.is_empty() {
            let upper = figure.curve.iter().map(|p| (p.0, p.3));
            let lower = figure.curve.iter().rev().map(|p| (p.0, p.2));
            chart.draw_series([Polygon::new(upper.chain(lower).collect::<Vec<_>>(), INK.mix(0.12))])?;
            let line = figure.curve.iter().map(|p| (p.0, p.1));
            chart.draw_series(LineSeries::new(line, INK.stroke_width(2)))?;
        }
        for (i, dots) in figure.dots.iter().enumerate() {
            for p in &dots.points {
                let ends = [(p.0, p.2), (p.0, p.3)];
                chart.draw_series([PathElement::new(ends, colour(i).mix(0.5).stroke_width(1))])?;
            }
            if dots.joined == Joined::Path {
                let path = dots.points.iter().map(|p| (p.0, p.1));
                chart.draw_series(LineSeries::new(path, colour(i).stroke_width(2)))?;
            }
            for p in &dots.points {
                marker(plot_point(&chart, (p.0, p.1)), i, &plot)?;
            }
            let y = 46 + 20 * i as i32;
            marker((8, y), i, &legend)?;
            legend.draw(&Text::new(short(&dots.name, 17), (20, y), left_middle(12)))?;
        }
        Ok(())
    })
}

/// The range of values with a margin of a twentieth on either side.
fn margins(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (lo, hi) = values.fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(v), hi.max(v)));
    if lo > hi {
        return (0.0, 1.0);
    }
    let margin = if hi > lo { 0.05 * (hi - lo) } else { 0.05 };
    (lo - margin, hi + margin)
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn mesh(chart: &mut Chart<'_, '_>, x: &str, y: &str) -> Drawn {
    chart
        .configure_mesh()
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&|x| tick(*x))
        .y_label_formatter(&|y| format!("{y:.2}"))
        .axis_style(INK.mix(0.7))
        .bold_line_style(INK.mix(0.15))
        .light_line_style(INK.mix(0.0))
        .label_style(ink(12))
        .axis_desc_style(ink(13))
        .draw()?;
    Ok(())
}

/// A number at an axis: two digits where one would hide something.
fn tick(x: f64) -> String {
    if (x * 10.0 - (x * 10.0).round()).abs() < 1e-6 { format!("{x:.1}") } else { format!("{x:.2}") }
}

/// Where on the whole area a point of the chart is.
fn plot_point(chart: &Chart<'_, '_>, at: (f64, f64)) -> (i32, i32) {
    chart.backend_coord(&at)
}

/// One of four shapes, in the colour of series `i`.
fn marker((x, y): (i32, i32), i: usize, area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Drawn {
    let style = colour(i).filled();
    match i % 4 {
        0 => area.draw(&Circle::new((x, y), 4, style))?,
        1 => area.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], style))?,
        2 => area.draw(&Polygon::new(vec![(x, y - 5), (x + 5, y + 4), (x - 5, y + 4)], style))?,
        _ => area.draw(&Polygon::new(vec![(x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y)], style))?,
    }
    Ok(())
}

fn left_middle(size: i32) -> TextStyle<'static> {
    ink(size).pos(Pos::new(HPos::Left, VPos::Center))
}

fn short(name: &str, length: usize) -> String {
    if name.chars().count() <= length {
        return name.to_owned();
    }
    name.chars().take(length - 1).chain(['…']).collect()
}

/// From orange at -1 through near-white at 0 to blue at 1.
fn diverging(t: f64) -> RGBColor {
    let t = t.clamp(-1.0, 1.0);
    let end = if t < 0.0 { (179.0, 88.0, 6.0) } else { (5.0, 82.0, 150.0) };
    let mix = |from: f64, to: f64| (from + (to - from) * t.abs()).round() as u8;
    RGBColor(mix(244.0, end.0), mix(244.0, end.1), mix(240.0, end.2))
}

/// Black or white, whichever has the greater contrast; on no colour is that below 4.58 (WCAG 2 asks for 4.5).
fn text_on(fill: RGBColor) -> RGBColor {
    if contrast(fill, BLACK) >= contrast(fill, WHITE) { BLACK } else { WHITE }
}

/// The contrast ratio of WCAG 2: from 1 to 21, `(lighter + 0.05) / (darker + 0.05)` of the relative luminances.
fn contrast(a: RGBColor, b: RGBColor) -> f64 {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |c: RGBColor| 0.2126 * linear(c.0) + 0.7152 * linear(c.1) + 0.0722 * linear(c.2);
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_published_examples() {
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 1e-9);
        // The lightest grey that passes on white, and the first that does not.
        assert!((contrast(RGBColor(0x76, 0x76, 0x76), WHITE) - 4.54).abs() < 0.005);
        assert!((contrast(WHITE, RGBColor(0x77, 0x77, 0x77)) - 4.48).abs() < 0.005);
    }

    #[test]
    fn numbers_in_cells_can_be_read_at_every_value() {
        for step in -100..=100 {
            let fill = diverging(f64::from(step) / 100.0);
            assert!(contrast(fill, text_on(fill)) >= 4.5, "{step}: {}", contrast(fill, text_on(fill)));
        }
    }

    #[test]
    fn a_figure_names_itself_and_takes_the_pages_colour() {
        let figure = Lines {
            title: "Training <accuracy>",
            x: "noise ratio",
            y: "accuracy",
            y_range: (0.4, 1.0),
            reference: Some((0.5, "chance")),
            series: vec![Series {
                name: "rung-1".into(),
                points: vec![(0.0, 0.9, 0.8, 1.0), (1.0, 0.9, 0.8, 1.0)],
            }],
        };
        let svg = lines(&figure);
        assert!(svg.starts_with("<svg viewBox=\"0 0 640 400\""), "{svg}");
        assert!(
            svg.contains("<title>Training &lt;accuracy&gt;</title>") && svg.ends_with("</svg>\n"),
            "{svg}"
        );
        assert!(svg.contains("currentColor") && !svg.contains(INK_HEX));
        for word in ["noise ratio", "rung-1", "chance"] {
            assert!(svg.contains(word), "{word} is missing");
        }
    }
}
