//! Order: `tops bavo kiru . tops mesa bavo . … ask higher of mesa and kiru is mesa`.

use super::{Question, Scene};
use crate::world::draw::Draw;

pub(super) fn scene(draw: &mut Draw<'_>, difficulty: usize) -> Scene {
    // One name more than the distance needs: the asked pair does not always span the whole order.
    let mut order = draw.path(difficulty + 2, &[]);
    // The coin: neighbours are facts without direction, and either direction of the whole order is as likely.
    if draw.dice.coin() {
        order.reverse();
    }
    let from = draw.dice.below(2);
    let mut questions = vec![question(draw, order[from], order[from + difficulty])];
    questions.push(question(draw, order[1 - from], order[1 - from + difficulty]));
    for _ in 0..3 {
        let nearer = draw.dice.between(1, difficulty);
        let start = draw.dice.below(order.len() - nearer);
        questions.push(question(draw, order[start], order[start + nearer]));
    }

    let mut pairs: Vec<(usize, usize)> = order.windows(2).map(|p| (p[0], p[1])).collect();
    draw.dice.shuffle(&mut pairs);
    let context: Vec<String> =
        pairs.into_iter().map(|(a, b)| format!("tops {} {} .", draw.name(a), draw.name(b))).collect();
    let recital = order.iter().map(|&n| draw.name(n)).collect::<Vec<_>>().join(" ");
    Scene { context: context.join(" "), recital: vec![recital], questions }
}

fn question(draw: &mut Draw<'_>, high: usize, low: usize) -> Question {
    let (one, two) = if draw.dice.coin() { (high, low) } else { (low, high) };
    Question {
        text: format!("higher of {} and {} is", draw.name(one), draw.name(two)),
        right: draw.name(high).to_owned(),
        twin: draw.name(low).to_owned(),
        others: Vec::new(),
    }
}
