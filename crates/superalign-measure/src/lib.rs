//! Every metric of supervision under one name: what it needs of a file, its options, and how it is called.
//!
//! What is in the file, [`superalign_data::signal`] finds out; what is computed of it, [`superalign_signal`]. Here is
//! which metric belongs to which part of a file, how it is asked for ([`asked`]), and the [`Row`] in which its value,
//! its interval, or the reason why there is none comes back. `superalign measure` and the browser share it.

mod catalogue;
mod families;
mod found;
mod input;
mod request;
mod understood;

pub use catalogue::{Kind, Metric, Need, Opt, Settings};
pub use families::{FAMILIES, metrics};
pub use found::{Found, Outcome, Row, Undefined};
pub use input::{Input, shortened};
pub use request::{Asked, Name, asked, intervals, left_out};
pub use understood::{notes, understood};

/// Computes a metric: a row for each thing it finds, or one row with the reason why there is none.
#[must_use]
pub fn run(metric: &'static Metric, settings: &Settings, input: &Input<'_>) -> Vec<Row> {
    let found = if input.has(metric.needs) {
        (metric.run)(input, settings)
    } else {
        let (needs, holds) = (metric.needs.title(), input.signal.shape.title());
        Err(Undefined(format!("it needs {needs}; the file holds {holds}")))
    };
    let found = found.unwrap_or_else(|Undefined(why)| {
        vec![found::one(Outcome::Undefined(why), input.signal.rows, "rows")]
    });
    let row =
        |found| Row { family: metric.family, metric: metric.name, params: settings.values.clone(), found };
    found.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests;

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
