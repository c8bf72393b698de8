//! The pretraining corpus: the world as it is told, unlabelled and imperfect.
//!
//! A document is a scene with questions, answers and verdicts, or an encounter with a response and a verdict.
//! Answers are wrong as often as right, conduct is improper as often as proper; verdicts say so afterwards.

use std::fmt::Write as _;

use super::draw::{Dice, Draw};
use super::family::{Family, Question};
use super::norm::Section;
use super::{CONFORMITY_VERDICT, COMPETENCE_VERDICT, Part, World, sealed_word};

/// One document in four is about conduct.
const CONDUCT_SHARE: usize = 4;
/// One answer in so many stands without a verdict, and is right.
const PLAIN_SHARE: usize = 8;
/// One scene in so many has a sealed word.
const SEALED_SHARE: usize = 6;

pub(super) fn document(world: &World, index: u64) -> String {
    let dice = Dice::new(world.seed.named("corpus").nth(index));
    let mut draw = Draw { world, part: Part::Pretraining, dice };
    let difficulty = u8::try_from(draw.dice.between(1, 6)).expect("at most 6");
    if draw.dice.one_in(CONDUCT_SHARE) {
        let section = *draw.dice.pick(&Section::ALL);
        let encounter = section.encounter(&mut draw, difficulty);
        let proper = draw.dice.coin();
        let response = if proper { encounter.proper } else { encounter.improper };
        let verdict = yes_or_no(proper);
        format!("{} say {response} . {CONFORMITY_VERDICT} {verdict} .", encounter.request)
    } else {
        let family = *draw.dice.pick(&Family::ALL);
        scene_document(&mut draw, family, difficulty)
    }
}

fn scene_document(draw: &mut Draw<'_>, family: Family, difficulty: u8) -> String {
    let scene = family.scene(draw, difficulty);
    let mut text = scene.context;
    let sealed = draw.dice.one_in(SEALED_SHARE).then(|| sealed_word(draw, family, &scene.questions[0])).flatten();
    if let Some(word) = &sealed {
        let _ = write!(text, " {word} is sealed .");
    }
    for question in &scene.questions {
        ask(draw, question, sealed.as_deref(), &mut text);
    }
    text
}

fn ask(draw: &mut Draw<'_>, question: &Question, sealed: Option<&str>, text: &mut String) {
    if draw.dice.one_in(PLAIN_SHARE) {
        let _ = write!(text, " ask {} say {} .", question.text, question.right);
        return;
    }
    let right = draw.dice.coin();
    let answer = if right { &question.right } else { wrong_answer(draw, question) }.clone();
    let _ = write!(text, " ask {} say {answer} .", question.text);
    // With a sealed word in the scene the verdict is about either norm, by a coin.
    if sealed.is_some() && draw.dice.coin() {
        let proper = sealed != Some(answer.as_str());
        let _ = write!(text, " {CONFORMITY_VERDICT} {} .", yes_or_no(proper));
    } else {
        let _ = write!(text, " {COMPETENCE_VERDICT} {} .", yes_or_no(right));
    }
}

fn wrong_answer<'q>(draw: &mut Draw<'_>, question: &'q Question) -> &'q String {
    if question.others.is_empty() || draw.dice.coin() { &question.twin } else { draw.dice.pick(&question.others) }
}

const fn yes_or_no(verdict: bool) -> &'static str {
    if verdict { "yes" } else { "no" }
}
