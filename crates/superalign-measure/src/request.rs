//! Which metrics are asked for.

use crate::catalogue::{Metric, Need, Settings, unknown};
use crate::families::{FAMILIES, metrics};
use crate::input::Input;
use superalign_core::{Bootstrap, BootstrapError, Seed};

/// What was asked for.
#[derive(Debug)]
pub enum Asked {
    /// Nothing in particular.
    Usual,
    /// These families and metrics.
    Named(Vec<Name>),
}

/// A name that was asked for.
#[derive(Debug)]
pub enum Name {
    /// All that is usual of a family.
    Family(&'static str),
    /// One metric with its settings.
    Metric(&'static Metric, Settings),
}

/// Understands what is asked for: families, or metrics with options, as in `ece:bins=10`; nothing means all that is
/// usual.
///
/// # Errors
/// A name or an option that does not exist, with the nearest that does.
pub fn asked(names: &[String]) -> Result<Asked, String> {
    if names.is_empty() {
        return Ok(Asked::Usual);
    }
    let mut all = Vec::new();
    for text in names {
        let mut parts = text.trim().split(':');
        let name = parts.next().unwrap_or_default().trim().to_lowercase().replace('_', "-");
        let mut chosen = Vec::new();
        for part in parts {
            let Some(pair) = part.split_once('=') else {
                return Err(format!("--metrics {text}: found `{part}`, expected `option=value`"));
            };
            chosen.push(pair);
        }
        if let Some(family) = FAMILIES.iter().find(|family| **family == name) {
            if !chosen.is_empty() {
                return Err(format!("--metrics {text}: a family has no options; name one of its metrics"));
            }
            all.push(Name::Family(family));
            continue;
        }
        let Some(metric) = metrics().find(|metric| metric.name == name) else {
            let known = metrics().map(|metric| metric.name).chain(FAMILIES.iter().copied());
            return Err(unknown(&format!("metric `{name}`"), &name, known));
        };
        all.push(Name::Metric(metric, Settings::of(metric, &chosen)?));
    }
    Ok(Asked::Named(all))
}

impl Asked {
    /// The computations to be done with this input.
    ///
    /// # Errors
    /// Nothing is measured of it by default, or a family has nothing for it.
    pub fn choose(&self, input: &Input<'_>) -> Result<Vec<(&'static Metric, Settings)>, String> {
        match self {
            Self::Usual => {
                let usual: Vec<_> = FAMILIES.iter().flat_map(|family| usual(input, family)).collect();
                if usual.is_empty() {
                    return Err(format!(
                        "the file holds {}, of which nothing is measured by default: name a metric of `superalign \
                         measure --list`",
                        input.signal.shape.title()
                    ));
                }
                Ok(usual)
            }
            Self::Named(names) => {
                let mut all = Vec::new();
                for name in names {
                    match name {
                        Name::Metric(metric, settings) => all.push((*metric, settings.clone())),
                        Name::Family(family) => {
                            let found = usual(input, family);
                            if found.is_empty() {
                                return Err(format!(
                                    "the file holds {}; {family} needs {}",
                                    input.signal.shape.title(),
                                    needs(family)
                                ));
                            }
                            all.extend(found);
                        }
                    }
                }
                Ok(all)
            }
        }
    }
}

/// What a family computes of this input when nobody says more.
fn usual(input: &Input<'_>, family: &str) -> Vec<(&'static Metric, Settings)> {
    // Whose votes they are, one cannot see: votes count as those of judges when somebody says so.
    let meant = |metric: &Metric| metric.needs != Need::Judges || input.signal.pairs.is_some();
    let possible =
        metrics().filter(move |metric| metric.family == family && input.has(metric.needs) && meant(metric));
    possible.flat_map(|metric| metric.usual.iter().map(move |chosen| (metric, of(metric, chosen)))).collect()
}

/// The metrics that would be computed, were there fewer rows.
#[must_use]
pub fn left_out(input: &Input<'_>) -> Vec<&'static str> {
    let dear = metrics().filter(|metric| input.has(metric.needs) && !affordable(metric, input));
    dear.map(|metric| metric.name).collect()
}

/// Whether a metric takes a few seconds at most: what looks at all pairs of rows has to be asked for by name where
/// there are many.
fn affordable(metric: &Metric, input: &Input<'_>) -> bool {
    const MOST: usize = 400_000_000;
    let rows = input.signal.rows.max(input.reference.map_or(0, |reference| reference.rows));
    !matches!(metric.name, "prdc" | "mmd2") || rows.saturating_mul(rows) <= MOST
}

/// The settings that a usual computation is written with.
fn of(metric: &'static Metric, chosen: &str) -> Settings {
    let chosen: Vec<(&str, &str)> = chosen.split(':').filter_map(|pair| pair.split_once('=')).collect();
    Settings::of(metric, &chosen).unwrap_or_else(|error| unreachable!("{error}"))
}

/// What the metrics of a family need, each need once.
fn needs(family: &str) -> String {
    let mut needs: Vec<&str> = Vec::new();
    for metric in metrics().filter(|metric| metric.family == family) {
        if !needs.contains(&metric.needs.title()) {
            needs.push(metric.needs.title());
        }
    }
    needs.join(", or ")
}

/// How intervals are made of a seed, the same for everybody who measures a file; none where there are no draws.
///
/// # Errors
/// A level outside (0, 1), with or without draws.
pub fn intervals(seed: u64, draws: usize, level: f64) -> Result<Option<Bootstrap>, BootstrapError> {
    let by = Bootstrap { draws: draws.max(1), level, seed: Seed::new(seed).named("measure") };
    by.check()?;
    Ok((draws > 0).then_some(by))
}
