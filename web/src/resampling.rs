//! How intervals are made.

use crate::Fault;
use superalign_core::Seed;
use superalign_gap::Bootstrap;
use wasm_bindgen::prelude::*;

/// The bootstrap behind every interval: draws, level, seed, and which items are drawn together.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Resampling {
    bootstrap: Bootstrap,
    groups: Option<Vec<u32>>,
}

#[wasm_bindgen]
impl Resampling {
    /// `draws` resamples (1,000 serve most), `level` in (0, 1) (usually 0.95), any `seed`; `groups` has one number
    /// per item, and items of one number are drawn together. Without it every item is drawn alone.
    ///
    /// # Errors
    /// `draws` is not a whole number of at least 1. The level is checked by whoever uses it.
    #[wasm_bindgen(constructor)]
    pub fn new(draws: f64, level: f64, seed: u32, groups: Option<Vec<u32>>) -> Result<Resampling, JsError> {
        Ok(Self::read(draws, level, seed, groups)?)
    }

    /// The same with a seed derived from this one by name, as the command line derives its own.
    #[must_use]
    pub fn named(&self, name: &str) -> Resampling {
        self.seeded(self.bootstrap.seed.named(name))
    }

    /// The same with the seed of this number among those derived from this one.
    #[must_use]
    pub fn nth(&self, index: u32) -> Resampling {
        self.seeded(self.bootstrap.seed.nth(u64::from(index)))
    }
}

impl Resampling {
    pub(crate) fn read(draws: f64, level: f64, seed: u32, groups: Option<Vec<u32>>) -> Result<Self, Fault> {
        if !(1.0..=f64::from(u32::MAX)).contains(&draws) || draws.fract() != 0.0 {
            return Err(Fault::Draws { draws });
        }
        let bootstrap = Bootstrap { draws: draws as usize, level, seed: Seed::new(u64::from(seed)) };
        Ok(Self { bootstrap, groups })
    }

    fn seeded(&self, seed: Seed) -> Self {
        Self { bootstrap: Bootstrap { seed, ..self.bootstrap }, groups: self.groups.clone() }
    }

    pub(crate) fn bootstrap(&self) -> &Bootstrap {
        &self.bootstrap
    }

    pub(crate) fn groups(&self) -> Option<&[u32]> {
        self.groups.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_derived_as_everywhere() {
        let by = Resampling::read(10.0, 0.95, 3, Some(vec![1, 2])).unwrap();
        let derived = by.named("compare").nth(2);
        assert_eq!(derived.bootstrap.seed, Seed::new(3).named("compare").nth(2));
        assert_eq!((derived.groups(), derived.bootstrap.draws), (by.groups(), 10));
    }

    #[test]
    fn draws_are_counted_in_whole_numbers() {
        for draws in [0.0, -1.0, 1.5, f64::NAN, f64::INFINITY] {
            let error = Resampling::read(draws, 0.95, 1, None).unwrap_err();
            assert_eq!(error.to_string(), format!("{draws} draws: expected a whole number of at least 1"));
        }
        assert!(Resampling::read(1.0, 0.95, 1, Some(vec![1, 1])).is_ok());
    }
}
