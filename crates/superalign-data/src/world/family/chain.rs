//! Chains: `leads bavo kiru . leads kiru mesa . … ask leads leads bavo mesa`.

use super::{Question, Scene};
use crate::world::draw::Draw;

pub(super) fn scene(draw: &mut Draw<'_>, difficulty: usize) -> Scene {
    // Half of the scenes go on after the answer, so that the answer is not always an end.
    let tail = usize::from(draw.dice.coin());
    let (context, [asked, other]) = chains(draw, difficulty + tail);
    let mut questions =
        vec![question(draw, &asked, &other, difficulty), question(draw, &other, &asked, difficulty)];
    for _ in 0..3 {
        let hops = draw.dice.between(1, difficulty);
        let from = draw.dice.below(asked.len() - hops);
        let (one, two) = if draw.dice.coin() { (&asked, &other) } else { (&other, &asked) };
        questions.push(question(draw, &one[from..], &two[from..], hops));
    }
    let recital =
        [&asked, &other].map(|path| path.iter().map(|&n| draw.name(n)).collect::<Vec<_>>().join(" "));
    Scene { context, recital: recital.to_vec(), questions }
}

/// Two chains of the same length through different names: the shuffled context, then the chains in random order.
pub(in crate::world) fn chains(draw: &mut Draw<'_>, hops: usize) -> (String, [Vec<usize>; 2]) {
    let one = draw.path(hops + 1, &[]);
    let two = draw.path(hops + 1, &one);
    let mut edges: Vec<(usize, usize)> = one.windows(2).chain(two.windows(2)).map(|e| (e[0], e[1])).collect();
    draw.dice.shuffle(&mut edges);
    let context: Vec<String> =
        edges.into_iter().map(|(a, b)| format!("leads {} {} .", draw.name(a), draw.name(b))).collect();
    let pair = if draw.dice.coin() { [one, two] } else { [two, one] };
    (context.join(" "), pair)
}

fn question(draw: &Draw<'_>, asked: &[usize], other: &[usize], hops: usize) -> Question {
    Question {
        text: format!("{}{}", "leads ".repeat(hops), draw.name(asked[0])),
        right: draw.name(asked[hops]).to_owned(),
        twin: draw.name(other[hops]).to_owned(),
        others: Vec::new(),
    }
}
