//! The designs: what varies in an experiment, and which part of the data trains what; one file each.
//!
//! A design is what a spec says under `paradigm`, `[data]` and `[grid]`. How it is carried out is in `experiment`.

mod noise_capacity;
mod weak_to_strong;

pub use noise_capacity::{NoiseCapacity, NoiseName};
pub use weak_to_strong::WeakToStrong;

use super::SpecError;
use super::section::{Choice, Section};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Numbers of items that a part may have.
const ITEMS: Range<usize> = 50..10_000_001;

/// What varies, and which part of the data trains what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "paradigm")]
pub enum Design {
    /// Training accuracy against label noise, per rung.
    NoiseCapacity(NoiseCapacity),
    /// Every pair of a teacher and a student that is no weaker.
    WeakToStrong(WeakToStrong),
}

impl Design {
    /// The design that `paradigm` names.
    pub(super) fn read(
        spec: &Section<'_>,
        data: &Section<'_>,
        grid: &Section<'_>,
    ) -> Result<Self, SpecError> {
        let paradigm = spec
            .choice::<Paradigm>("paradigm")?
            .ok_or_else(|| spec.error("paradigm", "the spec lacks the key `paradigm`".into(), None))?;
        Ok(match paradigm {
            Paradigm::NoiseCapacity => Self::NoiseCapacity(NoiseCapacity::read(data, grid)?),
            Paradigm::WeakToStrong => Self::WeakToStrong(WeakToStrong::read(data, grid)?),
        })
    }
}

/// The losses that a spec can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossName {
    /// Mean cross-entropy against the soft label.
    Xent,
    /// Cross-entropy with auxiliary confidence.
    Logconf,
}

/// The designs by name.
#[derive(Clone, Copy, PartialEq)]
enum Paradigm {
    NoiseCapacity,
    WeakToStrong,
}

impl Choice for Paradigm {
    const ALL: &'static [(&'static str, Self)] =
        &[("noise-capacity", Self::NoiseCapacity), ("weak-to-strong", Self::WeakToStrong)];
}

impl Choice for LossName {
    const ALL: &'static [(&'static str, Self)] = &[("xent", Self::Xent), ("logconf", Self::Logconf)];
}
