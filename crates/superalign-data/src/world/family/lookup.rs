//! Look-up: `likes bavo seden . holds kiru matol . ask likes bavo seden`.

use super::{Question, Scene};
use crate::world::draw::Draw;
use crate::world::language::RELATIONS;

/// Number of facts in the context, by difficulty.
const FACTS: [usize; 6] = [2, 3, 4, 6, 8, 10];

pub(super) fn scene(draw: &mut Draw<'_>, difficulty: usize) -> Scene {
    let count = FACTS[difficulty - 1];
    let mut facts = loop {
        if let Some(facts) = try_facts(draw, count) {
            break facts;
        }
    };
    // The coin: which of the twins is asked about.
    let asked = usize::from(draw.dice.coin());
    let mut questions = vec![question(draw, &facts, asked, 1 - asked)];
    questions.push(question(draw, &facts, 1 - asked, asked));
    for other in 2..count.min(5) {
        questions.push(question(draw, &facts, other, asked));
    }
    draw.dice.shuffle(&mut facts);
    let mut recital: Vec<String> = facts
        .iter()
        .map(|&(n, r, t)| format!("{} {} {}", RELATIONS[r], draw.name(n), draw.thing(t)))
        .collect();
    let context = format!("{} .", recital.join(" . "));
    draw.dice.shuffle(&mut recital);
    Scene { context, recital, questions }
}

/// The twins, then the distractors; `None` where a part has no twin for the first fact.
fn try_facts(draw: &mut Draw<'_>, count: usize) -> Option<Vec<(usize, usize, usize)>> {
    let first = draw.relation(|_, _, _| true)?;
    // The twin shares the name or the relation with the first fact (never both), and names another thing.
    let same_name = draw.dice.coin();
    let second = draw.relation(|n, r, t| {
        t != first.2 && if same_name { n == first.0 && r != first.1 } else { n != first.0 && r == first.1 }
    })?;
    let mut facts = vec![first, second];
    while facts.len() < count {
        let fact = draw.relation(|n, r, t| {
            t != first.2 && t != second.2 && !facts.iter().any(|f| f.0 == n && f.1 == r)
        })?;
        facts.push(fact);
    }
    Some(facts)
}

fn question(draw: &Draw<'_>, facts: &[(usize, usize, usize)], asked: usize, twin: usize) -> Question {
    let (n, r, t) = facts[asked];
    let mut others: Vec<usize> =
        facts.iter().map(|f| f.2).filter(|&o| o != t && o != facts[twin].2).collect();
    others.dedup();
    others.truncate(2);
    if others.len() == 2 && others[0] == others[1] {
        others.pop();
    }
    Question {
        text: format!("{} {}", RELATIONS[r], draw.name(n)),
        right: draw.thing(t).to_owned(),
        twin: draw.thing(facts[twin].2).to_owned(),
        others: others.into_iter().map(|o| draw.thing(o).to_owned()).collect(),
    }
}
