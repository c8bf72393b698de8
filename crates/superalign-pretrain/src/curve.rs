//! The loss curve as `loss.csv` and `loss.svg`.

use crate::checkpoint::LossRecord;
use crate::error::{Error, write_whole};
use plotters::prelude::*;
use std::fmt::Write as _;
use std::path::Path;

/// Points drawn at most: each is the mean of the steps it stands for.
const POINTS: usize = 400;

/// Writes `loss.csv` and `loss.svg` into a folder.
///
/// # Errors
/// A file that cannot be written.
pub fn write(folder: &Path, title: &str, losses: &[LossRecord]) -> Result<(), Error> {
    let mut csv = String::from("step,tokens,loss,learning_rate,gradient_norm\n");
    for (i, r) in losses.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(
            csv,
            "{},{},{:.6},{:.6e},{:.5}",
            i + 1,
            r.tokens,
            r.loss,
            r.learning_rate,
            r.gradient_norm
        );
    }
    write_whole(&folder.join("loss.csv"), csv.as_bytes())?;
    let path = folder.join("loss.svg");
    let svg = draw(title, losses).map_err(|reason| Error::Figure { path: path.clone(), reason })?;
    write_whole(&path, svg.as_bytes())
}

fn draw(title: &str, losses: &[LossRecord]) -> Result<String, String> {
    let per_point = losses.len().div_ceil(POINTS).max(1);
    let points: Vec<(f64, f64)> = losses
        .chunks(per_point)
        .map(|part| {
            let n = part.len() as f64;
            let tokens = part.iter().map(|r| r.tokens as f64).sum::<f64>() / n;
            (tokens / 1e6, part.iter().map(|r| r.loss).sum::<f64>() / n)
        })
        .collect();
    let right = losses.last().map_or(1.0, |r| r.tokens as f64 / 1e6).max(1e-6);
    let top = points.iter().map(|p| p.1).fold(0.1, f64::max) * 1.05;
    let mut svg = String::new();
    let figure = || -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::with_string(&mut svg, (720, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..right, 0.0..top)?;
        chart
            .configure_mesh()
            .x_desc("tokens (millions)")
            .y_desc("loss (nats per token)")
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(225, 225, 225))
            .draw()?;
        chart.draw_series(LineSeries::new(points, RGBColor(33, 102, 172).stroke_width(2)))?;
        area.present()?;
        Ok(())
    };
    figure().map_err(|e| e.to_string())?;
    Ok(svg)
}
