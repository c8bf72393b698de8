//! Counting: `box has seden matol seden . ask many seden 2`.

use super::{Question, Scene};
use crate::world::draw::{Draw, Fact};
use crate::world::language::THINGS;
use crate::world::text_hash;

/// Length of the list, by difficulty.
const LENGTHS: [usize; 6] = [3, 5, 7, 9, 11, 14];
/// The largest count that is asked for: one digit.
const MOST: usize = 9;

pub(super) fn scene(draw: &mut Draw<'_>, difficulty: usize) -> Scene {
    let length = LENGTHS[difficulty - 1];
    loop {
        let kinds = draw.dice.distinct(THINGS, 3);
        // The twins are neighbours, and the coin says which of them is the count.
        let low = draw.dice.between(1, MOST.min(length - 1) - 1);
        let (count, twin) = if draw.dice.coin() { (low, low + 1) } else { (low + 1, low) };
        let mut list = vec![kinds[0]; count];
        while list.len() < length {
            list.push(kinds[1 + draw.dice.below(2)]);
        }
        draw.dice.shuffle(&mut list);
        let words: Vec<&str> = list.iter().map(|&t| draw.thing(t)).collect();
        let context = format!("box has {} .", words.join(" "));
        if !draw.allows(Fact::Whole(text_hash(&[&context]))) {
            continue;
        }
        let mut questions = vec![question(draw, kinds[0], count, twin)];
        for &kind in &kinds[1..] {
            let other = list.iter().filter(|&&t| t == kind).count();
            if (1..=MOST).contains(&other) {
                let twin =
                    if other == 1 || (other < MOST && draw.dice.coin()) { other + 1 } else { other - 1 };
                questions.push(question(draw, kind, other, twin));
            }
        }
        return Scene { context, recital: Vec::new(), questions };
    }
}

fn question(draw: &Draw<'_>, kind: usize, count: usize, twin: usize) -> Question {
    Question {
        text: format!("many {}", draw.thing(kind)),
        right: count.to_string(),
        twin: twin.to_string(),
        others: Vec::new(),
    }
}
