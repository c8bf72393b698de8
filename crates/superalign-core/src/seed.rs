//! Seeds: named, splittable, the same on every machine.

use rand::SeedableRng;
use serde::{Deserialize, Serialize};

/// The generator that every [`Seed`] opens: xoshiro256++, whose stream is fixed by its specification.
pub type Rng = rand_xoshiro::Xoshiro256PlusPlus;

/// The source of all randomness of a computation, passed as an argument.
///
/// A seed is never consumed: child seeds are derived from it by name or by number, so that adding a
/// consumer of randomness in one place leaves all other places as they were.
///
/// ```
/// use superalign_core::Seed;
/// let run = Seed::new(7);
/// assert_ne!(run.named("noise"), run.named("split"));
/// assert_eq!(run.named("noise").nth(3), Seed::new(7).named("noise").nth(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(u64);

impl Seed {
    /// The seed a user writes: any whole number.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number of this seed, for records.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The child seed of that name (FNV-1a over the name, mixed with this seed).
    #[must_use]
    pub const fn named(self, name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
            i += 1;
        }
        Self(mix(self.0 ^ mix(hash)))
    }

    /// The child seed of that number.
    #[must_use]
    pub const fn nth(self, index: u64) -> Self {
        Self(mix(self.0.wrapping_add(mix(index ^ 0x9e37_79b9_7f4a_7c15))))
    }

    /// A fresh generator at the start of this seed's stream.
    #[must_use]
    pub fn rng(self) -> Rng {
        Rng::seed_from_u64(self.0)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection of 64-bit words.
const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        // These values are part of the format: changing them changes every world and every run.
        let seed = Seed::new(42).named("world").nth(5);
        assert_eq!(seed.value(), 18244714796765548866);
        let mut rng = seed.rng();
        assert_eq!([rng.next_u64(), rng.next_u64()], [16205225483293149141, 757599223573816112]);
    }

    #[test]
    fn children_differ_from_their_parent_and_from_each_other() {
        let parent = Seed::new(0);
        let mut seen: Vec<_> = (0..1000).map(|i| parent.nth(i)).collect();
        seen.push(parent);
        seen.push(parent.named(""));
        seen.push(parent.named("a"));
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 1003);
    }
}
