//! Boolean: `is bavo true . is kiru false . ask is ( bavo and not kiru ) false`.

use super::{Question, Scene};
use crate::world::draw::{Dice, Draw, Fact};
use crate::world::language::NAMES;
use crate::world::text_hash;

/// Number of variables in the context, by difficulty.
const VARIABLES: [usize; 6] = [2, 2, 3, 3, 4, 4];

pub(super) fn scene(draw: &mut Draw<'_>, difficulty: usize) -> Scene {
    let (context, mut recital, names, values) = loop {
        let names = draw.dice.distinct(NAMES, VARIABLES[difficulty - 1]);
        let values: Vec<bool> = names.iter().map(|_| draw.dice.coin()).collect();
        let lines: Vec<String> =
            names.iter().zip(&values).map(|(&n, v)| format!("is {} {v}", draw.name(n))).collect();
        let context = format!("{} .", lines.join(" . "));
        if draw.allows(Fact::Whole(text_hash(&[&context]))) {
            break (context, lines, names, values);
        }
    };
    let mut questions = vec![question(draw, &names, &values, difficulty)];
    for _ in 0..4 {
        let operators = draw.dice.below(difficulty + 1);
        questions.push(question(draw, &names, &values, operators));
    }
    draw.dice.shuffle(&mut recital);
    Scene { context, recital, questions }
}

fn question(draw: &mut Draw<'_>, names: &[usize], values: &[bool], operators: usize) -> Question {
    // The coin: the value that the expression shall have.
    let wanted = draw.dice.coin();
    loop {
        let mut text = String::from("is ");
        let value = expression(
            &mut draw.dice,
            operators,
            values,
            &mut |v| draw.world.language.names[names[v]].as_str(),
            &mut text,
        );
        text.truncate(text.trim_end().len());
        if value == wanted {
            return Question {
                text,
                right: value.to_string(),
                twin: (!value).to_string(),
                others: Vec::new(),
            };
        }
    }
}

/// Writes a random expression with that many operators (`and`, `or`; `not` before a variable or a bracket),
/// and returns its value; with none it is a variable, negated or not.
fn expression<'a>(
    dice: &mut Dice,
    operators: usize,
    values: &[bool],
    name: &mut impl FnMut(usize) -> &'a str,
    text: &mut String,
) -> bool {
    let negate = dice.one_in(3);
    if negate {
        text.push_str("not ");
    }
    if operators == 0 {
        let v = dice.below(values.len());
        text.push_str(name(v));
        text.push(' ');
        return values[v] ^ negate;
    }
    let left_operators = dice.below(operators);
    text.push_str("( ");
    let left = expression(dice, left_operators, values, name, text);
    let both = dice.coin();
    text.push_str(if both { "and " } else { "or " });
    let right = expression(dice, operators - 1 - left_operators, values, name, text);
    text.push_str(") ");
    (if both { left && right } else { left || right }) ^ negate
}
