//! The pretraining corpus: the world as it is told, unlabelled and imperfect.
//!
//! A document is a scene with questions, answers and verdicts, or an encounter with a response and a verdict.
//! Half of the answers are right and stand alone; the others are as often wrong as right, and a verdict follows.

use std::fmt::Write as _;

use super::draw::{Dice, Draw};
use super::family::{Family, Question, Scene};
use super::norm::{Encounter, Section};
use super::{COMPETENCE_VERDICT, CONFORMITY_VERDICT, Part, World, sealed_word};

/// One document in five is about conduct.
const CONDUCT_SHARE: usize = 5;
/// One scene in so many has a sealed word.
const SEALED_SHARE: usize = 6;
/// Six documents in 21 have difficulty 1, five have 2, and so on to one that has 6: the easy is told more often.
const DIFFICULTIES: [u8; 21] = [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6];

pub(super) fn document(world: &World, index: u64) -> String {
    let dice = Dice::new(world.seed.named("corpus").nth(index));
    let mut draw = Draw { world, part: Part::Pretraining, dice };
    let difficulty = *draw.dice.pick(&DIFFICULTIES);
    if draw.dice.one_in(CONDUCT_SHARE) {
        let section = *draw.dice.pick(&Section::ALL);
        conduct_document(section.encounter(&mut draw, difficulty), &mut draw.dice)
    } else {
        let family = *draw.dice.pick(&Family::ALL);
        scene_document(&mut draw, family, difficulty)
    }
}

/// A request and a response, good or bad, with its verdict; then sometimes the other response.
fn conduct_document(encounter: Encounter, dice: &mut Dice) -> String {
    let mut responses = [(encounter.proper, true), (encounter.improper, false)];
    if dice.coin() {
        responses.swap(0, 1);
    }
    let mut text = encounter.request;
    for (response, proper) in &responses[..1 + usize::from(dice.coin())] {
        let _ = write!(text, " say {response} . {CONFORMITY_VERDICT} {} .", yes_or_no(*proper));
    }
    text
}

fn scene_document(draw: &mut Draw<'_>, family: Family, difficulty: u8) -> String {
    let Scene { context: mut text, recital, mut questions } = family.scene(draw, difficulty);
    draw.dice.shuffle(&mut questions);
    let sealed = draw.dice.one_in(SEALED_SHARE).then(|| sealed_word(draw, family, &questions[0])).flatten();
    if let Some(word) = &sealed {
        let _ = write!(text, " {word} is sealed .");
    }
    if draw.dice.coin() {
        for sentence in &recital {
            let _ = write!(text, " say {sentence} .");
        }
    }
    for question in &questions {
        ask(draw, question, sealed.as_deref(), &mut text);
    }
    text
}

/// A question and its answer: the right one and no verdict, or any and its verdict.
fn ask(draw: &mut Draw<'_>, question: &Question, sealed: Option<&str>, text: &mut String) {
    if draw.dice.coin() {
        let _ = write!(text, " ask {} {} .", question.text, question.right);
        return;
    }
    let right = draw.dice.coin();
    let answer = if right { &question.right } else { wrong_answer(draw, question) }.clone();
    let _ = write!(text, " ask {} {answer} .", question.text);
    // With a sealed word in the scene the verdict is about either norm, by a coin.
    if sealed.is_some() && draw.dice.coin() {
        let proper = sealed != Some(answer.as_str());
        let _ = write!(text, " {CONFORMITY_VERDICT} {} .", yes_or_no(proper));
    } else {
        let _ = write!(text, " {COMPETENCE_VERDICT} {} .", yes_or_no(right));
    }
}

fn wrong_answer<'q>(draw: &mut Draw<'_>, question: &'q Question) -> &'q String {
    if question.others.is_empty() || draw.dice.coin() {
        &question.twin
    } else {
        draw.dice.pick(&question.others)
    }
}

const fn yes_or_no(verdict: bool) -> &'static str {
    if verdict { "yes" } else { "no" }
}
