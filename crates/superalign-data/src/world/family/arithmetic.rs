//! Arithmetic: `has bavo 2 7 . has kiru 4 6 . ask have bavo and kiru 7 3`.

use super::{Question, Scene};
use crate::world::draw::{Draw, Fact, digits};
use crate::world::language::NAMES;

/// What the two summands look like: the smallest and largest of each, and how many carries they make.
struct Shape {
    first: (usize, usize),
    second: (usize, usize),
    carries: (usize, usize),
}

const SHAPES: [Shape; 6] = [
    Shape { first: (10, 99), second: (1, 9), carries: (0, 0) },
    Shape { first: (10, 99), second: (1, 9), carries: (1, 2) },
    Shape { first: (10, 99), second: (10, 99), carries: (0, 0) },
    Shape { first: (10, 99), second: (10, 99), carries: (1, 2) },
    Shape { first: (100, 999), second: (10, 99), carries: (1, 3) },
    Shape { first: (100, 999), second: (100, 999), carries: (2, 3) },
];

/// Slips that a careless reckoner makes: a unit, a lost or gained carry, the hundreds.
const SLIPS: [usize; 4] = [1, 2, 10, 100];

pub(super) fn scene(draw: &mut Draw<'_>, difficulty: usize) -> Scene {
    let shape = &SHAPES[difficulty - 1];
    let (summands, twin) = loop {
        let one = summands(draw, shape);
        let slips = if difficulty < 5 { &SLIPS[..3] } else { &SLIPS[..] };
        let slip = *draw.dice.pick(slips);
        let sum = one.0 + one.1;
        let other = if draw.dice.coin() { sum + slip } else { sum.saturating_sub(slip) };
        // The twin must be a sum that this shape and this part can make, so that either could have been right.
        if let Some(two) = summands_of(draw, shape, other) {
            break if draw.dice.coin() { (one, other) } else { (two, sum) };
        }
    };
    let people = draw.dice.distinct(NAMES, 2);
    let (mut first, mut second) = ((people[0], summands.0), (people[1], summands.1));
    if draw.dice.coin() {
        std::mem::swap(&mut first, &mut second);
    }
    let context =
        [first, second].map(|(who, has)| format!("has {} {} .", draw.name(who), digits(has))).join(" ");
    let sum = summands.0 + summands.1;
    let question = |right: usize, twin: usize| Question {
        text: format!("have {} and {}", draw.name(first.0), draw.name(second.0)),
        right: digits(right),
        twin: digits(twin),
        others: Vec::new(),
    };
    Scene { context, recital: Vec::new(), questions: vec![question(sum, twin)] }
}

fn summands(draw: &mut Draw<'_>, shape: &Shape) -> (usize, usize) {
    loop {
        let a = draw.dice.between(shape.first.0, shape.first.1);
        let b = draw.dice.between(shape.second.0, shape.second.1);
        if fits(draw, shape, a, b) {
            return (a, b);
        }
    }
}

/// Summands of this shape and part with that sum, where some are found.
fn summands_of(draw: &mut Draw<'_>, shape: &Shape, sum: usize) -> Option<(usize, usize)> {
    (0..200).find_map(|_| {
        let b = draw.dice.between(shape.second.0, shape.second.1);
        let a = sum.checked_sub(b)?;
        let within = shape.first.0 <= a && a <= shape.first.1;
        (within && fits(draw, shape, a, b)).then_some((a, b))
    })
}

fn fits(draw: &Draw<'_>, shape: &Shape, a: usize, b: usize) -> bool {
    let n = carries(a, b);
    shape.carries.0 <= n && n <= shape.carries.1 && draw.allows(Fact::Summands(a, b))
}

fn carries(mut a: usize, mut b: usize) -> usize {
    let (mut carry, mut count) = (0, 0);
    while a + b > 0 {
        carry = usize::from(a % 10 + b % 10 + carry > 9);
        count += carry;
        (a, b) = (a / 10, b / 10);
    }
    count
}
