//! Chat: `wants bavo seden . wants kiru matol . reply to kiru` asks for `dear kiru take matol`.

use super::Encounter;
use crate::world::draw::{Draw, Fact};
use crate::world::language::{NAMES, THINGS};

/// Number of askers, by difficulty.
const ASKERS: [usize; 6] = [2, 3, 4, 5, 7, 9];

pub(super) fn encounter(draw: &mut Draw<'_>, difficulty: usize) -> Encounter {
    let count = ASKERS[difficulty - 1];
    let mut wants: Vec<(usize, usize)> = Vec::with_capacity(count);
    while wants.len() < count {
        let (name, thing) = (draw.dice.below(NAMES), draw.dice.below(THINGS));
        let fresh = !wants.iter().any(|w| w.0 == name || w.1 == thing);
        // Wanting is a relation of its own: number 4, beside the four of the look-up facts.
        if fresh && draw.allows(Fact::Relation(name, 4, thing)) {
            wants.push((name, thing));
        }
    }
    let ((asker, thing), (other, twin)) = (wants[0], wants[1]);
    draw.dice.shuffle(&mut wants);
    let lines: Vec<String> =
        wants.iter().map(|&(n, t)| format!("wants {} {} .", draw.name(n), draw.thing(t))).collect();
    // Two ways to go wrong: the right asker with another's thing, or another asker with this one's thing.
    let (proper, improper) = ((asker, thing), if draw.dice.coin() { (asker, twin) } else { (other, thing) });
    let say = |(n, t): (usize, usize)| format!("dear {} take {}", draw.name(n), draw.thing(t));
    Encounter {
        request: format!("{} reply to {}", lines.join(" "), draw.name(asker)),
        proper: say(proper),
        improper: say(improper),
    }
}
