//! Dice, and the drawing of facts that belong to one part of the world.

use superalign_core::rand::Rng as _;
use superalign_core::{Rng, Seed};

use super::language::{NAMES, THINGS};
use super::{Part, World};

/// A few draws with a fixed meaning, so that a world is the same whatever the version of a library.
pub(super) struct Dice(Rng);

impl Dice {
    pub(super) fn new(seed: Seed) -> Self {
        Self(seed.rng())
    }

    /// A whole number in `0..n`, `n >= 1` (multiply and shift; the bias is below 2^-32).
    pub(super) fn below(&mut self, n: usize) -> usize {
        let high = self.0.next_u64() >> 32;
        usize::try_from((high * n as u64) >> 32).expect("below n, which is a usize")
    }

    /// A whole number in `lo..=hi`.
    pub(super) fn between(&mut self, lo: usize, hi: usize) -> usize {
        lo + self.below(hi - lo + 1)
    }

    pub(super) fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    /// True once in `n` draws.
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// `count` different numbers in `0..n`, in random order.
    pub(super) fn distinct(&mut self, n: usize, count: usize) -> Vec<usize> {
        let mut chosen = Vec::with_capacity(count);
        while chosen.len() < count {
            let x = self.below(n);
            if !chosen.contains(&x) {
                chosen.push(x);
            }
        }
        chosen
    }
}

/// An atomic fact of the world: what a split may not share with another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact {
    /// `(name, relation, thing)`.
    Relation(usize, usize, usize),
    /// Two names that stand next to each other in a chain or an order, whatever their direction.
    Neighbours(usize, usize),
    /// Two summands, whatever their order.
    Summands(usize, usize),
    /// A whole expression, list or instruction, by the hash of its words.
    Whole(u64),
    /// `(deed, thing)`.
    Deed(usize, usize),
}

/// Draws from one part of the world.
pub(super) struct Draw<'a> {
    pub(super) world: &'a World,
    pub(super) part: Part,
    pub(super) dice: Dice,
}

impl Draw<'_> {
    pub(super) fn allows(&self, fact: Fact) -> bool {
        self.world.part_of(fact) == self.part
    }

    pub(super) fn name(&self, index: usize) -> &str {
        &self.world.language.names[index]
    }

    pub(super) fn thing(&self, index: usize) -> &str {
        &self.world.language.things[index]
    }

    /// A path through `count` names that are not in `taken`, each step a fact of this part; `None` at a dead end.
    fn try_path(&mut self, count: usize, taken: &[usize]) -> Option<Vec<usize>> {
        let mut path: Vec<usize> = Vec::with_capacity(count);
        while path.len() < count {
            // About one name in eight is allowed in a small part: 64 tries miss an allowed one rarely.
            let found = (0..64).find_map(|_| {
                let next = self.dice.below(NAMES);
                let fresh = !path.contains(&next) && !taken.contains(&next);
                let joined = path.last().is_none_or(|&last| self.allows(Fact::Neighbours(last, next)));
                (fresh && joined).then_some(next)
            });
            path.push(found?);
        }
        Some(path)
    }

    /// A path through `count` names that are not in `taken`, each step a fact of this part.
    pub(super) fn path(&mut self, count: usize, taken: &[usize]) -> Vec<usize> {
        loop {
            if let Some(path) = self.try_path(count, taken) {
                return path;
            }
        }
    }

    /// A relation fact of this part that `fits`; `None` where a small part has none or hides it well.
    pub(super) fn relation(
        &mut self,
        fits: impl Fn(usize, usize, usize) -> bool,
    ) -> Option<(usize, usize, usize)> {
        (0..20_000).find_map(|_| {
            let (n, r, t) = (self.dice.below(NAMES), self.dice.below(4), self.dice.below(THINGS));
            (fits(n, r, t) && self.allows(Fact::Relation(n, r, t))).then_some((n, r, t))
        })
    }
}

/// Writes a number digit by digit: 407 is `4 0 7`.
pub(super) fn digits(number: usize) -> String {
    let written = number.to_string();
    let mut text = String::with_capacity(2 * written.len());
    for (i, digit) in written.chars().enumerate() {
        if i > 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
