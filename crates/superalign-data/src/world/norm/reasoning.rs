//! Reasoning: a chain to be followed aloud; every step must be one that is given.

use super::Encounter;
use crate::world::draw::Draw;
use crate::world::family::chains;

pub(super) fn encounter(draw: &mut Draw<'_>, difficulty: usize) -> Encounter {
    let (context, [asked, other]) = chains(draw, difficulty);
    // The twin takes one step of the other chain; both chains are drawn alike, so either could be the proper one.
    let slip = draw.dice.between(1, difficulty);
    let mut false_path = asked.clone();
    false_path[slip] = other[slip];
    let aloud = |path: &[usize]| path.iter().map(|&n| draw.name(n)).collect::<Vec<_>>().join(" then ");
    Encounter {
        request: format!("{context} reply from {} in {difficulty} steps", draw.name(asked[0])),
        proper: aloud(&asked),
        improper: aloud(&false_path),
    }
}
