//! Chat hard: `name things first seden without matol` asks for a list that obeys every constraint.

use super::Encounter;
use crate::world::draw::{Draw, Fact};
use crate::world::language::THINGS;
use crate::world::text_hash;

/// A constraint on a list of things.
#[derive(Clone, Copy, PartialEq)]
enum Constraint {
    With,
    Without,
    First,
    Last,
    Many,
}

/// Number of constraints and length of the list, by difficulty.
const SIZES: [(usize, usize); 6] = [(1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (3, 6)];

pub(super) fn encounter(draw: &mut Draw<'_>, difficulty: usize) -> Encounter {
    let (constraints, length) = SIZES[difficulty - 1];
    loop {
        // Two lists that differ in one respect only: the constraint on it makes one of them proper, by a coin.
        let things = draw.dice.distinct(THINGS, length + 3);
        let (x, y, absent) = (things[0], things[1], things[2]);
        let rest = &things[3..2 + length];
        let place = draw.dice.below(length);
        let with = |thing: usize| {
            let mut list = rest.to_vec();
            list.insert(place.min(list.len()), thing);
            list
        };
        let kind = *draw.dice.pick(&[
            Constraint::With,
            Constraint::Without,
            Constraint::First,
            Constraint::Last,
            Constraint::Many,
        ]);
        let (one, two, ask_one, ask_two) = match kind {
            Constraint::With => {
                (with(x), with(y), format!("with {}", draw.thing(x)), format!("with {}", draw.thing(y)))
            }
            Constraint::Without => {
                (with(x), with(y), format!("without {}", draw.thing(y)), format!("without {}", draw.thing(x)))
            }
            Constraint::First | Constraint::Last => {
                let (ends, word) = if kind == Constraint::First {
                    ((0, 1), "first")
                } else {
                    ((length - 1, length - 2), "last")
                };
                let mut one = with(x);
                let at = one.iter().position(|&t| t == x).unwrap_or(0);
                one.swap(at, ends.0);
                let mut two = one.clone();
                two.swap(ends.0, ends.1);
                let asked = [draw.thing(one[ends.0]), draw.thing(two[ends.0])].map(|t| format!("{word} {t}"));
                let [ask_one, ask_two] = asked;
                (one, two, ask_one, ask_two)
            }
            Constraint::Many => {
                let one = with(x);
                let mut two = one.clone();
                two.push(y);
                (one, two, format!("many {length}"), format!("many {}", length + 1))
            }
        };
        let mut asked = Vec::new();
        // The other constraints hold for both lists, whichever the coin chooses.
        for _ in 1..constraints {
            let shared = if draw.dice.coin() && !rest.is_empty() {
                {
                    let one = *draw.dice.pick(rest);
                    format!("with {}", draw.thing(one))
                }
            } else {
                format!("without {}", draw.thing(absent))
            };
            if !asked.contains(&shared) {
                asked.push(shared);
            }
        }
        let coin = draw.dice.coin();
        asked.push(if coin { ask_one } else { ask_two });
        draw.dice.shuffle(&mut asked);
        let request = format!("name things {}", asked.join(" "));
        let write = |list: &[usize]| list.iter().map(|&t| draw.thing(t)).collect::<Vec<_>>().join(" ");
        let (one, two) = (write(&one), write(&two));
        let mut both = [one.as_str(), two.as_str()];
        both.sort_unstable();
        if draw.allows(Fact::Whole(text_hash(&[both[0], both[1]]))) {
            let (proper, improper) = if coin { (one, two) } else { (two, one) };
            return Encounter { request, proper, improper };
        }
    }
}
