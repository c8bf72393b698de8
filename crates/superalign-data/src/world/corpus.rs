//! The pretraining corpus: the world as it is told, unlabelled and imperfect.
//!
//! A document is a scene with questions, answers and verdicts, or an encounter with a response and a verdict.
//! Some answers are right and stand alone; the others are as often wrong as right, and a verdict follows.
//!
//! The documents come in the order of a course ([`Lesson`]), as children's books come before the papers: models
//! this small find the easy circuits (look a word up, compare it with what was said) sooner where little else is told.

use std::fmt::Write as _;

use super::draw::{Dice, Draw};
use super::family::{Family, Question, Scene};
use super::language::{NAMES, THINGS};
use super::norm::{Encounter, Section};
use super::{COMPETENCE_VERDICTS, CONFORMITY_VERDICTS, Part, World, sealed_word};

/// Questions that are asked in a scene, some of them again; at most three times as many as there are.
const QUESTIONS: usize = 8;
/// Of twenty documents, so many are about conduct.
const CONDUCT: usize = 3;
/// One scene in so many has a sealed word.
const SEALED_SHARE: usize = 8;
/// One scene in so many is recited before the questions.
const RECITAL_SHARE: usize = 8;
/// Of ten questions, so many have the right answer and no verdict.
const PLAIN: usize = 3;
/// Six documents in 21 have difficulty 1, five have 2, and so on to one that has 6: the easy is told more often.
const DIFFICULTIES: [u8; 21] = [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6];

/// What a document teaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lesson {
    /// Facts are looked up, and every answer is right.
    Facts,
    /// Facts are looked up, and every answer has its verdict.
    Verdicts,
    /// Everything, up to a difficulty.
    All { hardest: u8 },
}

impl Lesson {
    /// Which lesson a document belongs to, by its number.
    const fn of(index: u64) -> Self {
        match index {
            0..12_000 => Self::Facts,
            12_000..26_000 => Self::Verdicts,
            26_000..70_000 => Self::All { hardest: 2 },
            70_000..110_000 => Self::All { hardest: 4 },
            _ => Self::All { hardest: super::HARDEST },
        }
    }

    const fn hardest(self) -> u8 {
        match self {
            Self::Facts | Self::Verdicts => 3,
            Self::All { hardest } => hardest,
        }
    }
}

pub(super) fn document(world: &World, index: u64) -> String {
    let dice = Dice::new(world.seed.named("corpus").nth(index));
    let mut draw = Draw { world, part: Part::Pretraining, dice };
    let lesson = Lesson::of(index);
    let difficulty = loop {
        let difficulty = *draw.dice.pick(&DIFFICULTIES);
        if difficulty <= lesson.hardest() {
            break difficulty;
        }
    };
    match lesson {
        Lesson::Facts | Lesson::Verdicts => scene_document(&mut draw, lesson, Family::Lookup, difficulty),
        Lesson::All { .. } if draw.dice.below(20) < CONDUCT => {
            let section = *draw.dice.pick(&Section::ALL);
            conduct_document(section.encounter(&mut draw, difficulty), &mut draw.dice)
        }
        Lesson::All { .. } => {
            let family = *draw.dice.pick(&Family::ALL);
            scene_document(&mut draw, lesson, family, difficulty)
        }
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
        let _ = write!(text, " say {response} {} .", verdict(CONFORMITY_VERDICTS, *proper));
    }
    text
}

fn scene_document(draw: &mut Draw<'_>, lesson: Lesson, family: Family, difficulty: u8) -> String {
    let Scene { context: mut text, recital, questions } = family.scene(draw, difficulty);
    let mut sealed = None;
    if let Lesson::All { .. } = lesson {
        sealed = draw.dice.one_in(SEALED_SHARE).then(|| sealed_word(draw, family, &questions[0])).flatten();
        if let Some(word) = &sealed {
            let _ = write!(text, " {word} is sealed .");
        }
        if draw.dice.one_in(RECITAL_SHARE) {
            for sentence in &recital {
                let _ = write!(text, " say {sentence} .");
            }
        }
    }
    for _ in 0..QUESTIONS.min(3 * questions.len()) {
        let question = draw.dice.pick(&questions);
        ask(draw, lesson, family, question, sealed.as_deref(), &mut text);
    }
    text
}

/// A question and its answer: the right one and no verdict, or any and its verdict.
fn ask(
    draw: &mut Draw<'_>,
    lesson: Lesson,
    family: Family,
    question: &Question,
    sealed: Option<&str>,
    text: &mut String,
) {
    let plain = match lesson {
        Lesson::Facts => true,
        Lesson::Verdicts => false,
        Lesson::All { .. } => draw.dice.below(10) < PLAIN,
    };
    if plain {
        let _ = write!(text, " ask {} {} .", question.text, question.right);
        return;
    }
    let right = draw.dice.coin();
    let answer = if right { question.right.clone() } else { mistake(draw, lesson, family, question) };
    // With a sealed word in the scene the verdict is about either norm, by a coin.
    let said = if sealed.is_some() && draw.dice.coin() {
        verdict(CONFORMITY_VERDICTS, sealed != Some(answer.as_str()))
    } else {
        verdict(COMPETENCE_VERDICTS, right)
    };
    let _ = write!(text, " ask {} {answer} {said} .", question.text);
}

/// A wrong answer: half the time any word of the kind, otherwise one that the scene suggests.
fn mistake(draw: &mut Draw<'_>, lesson: Lesson, family: Family, question: &Question) -> String {
    if lesson == Lesson::Verdicts || draw.dice.coin() {
        loop {
            let any = match family {
                Family::Lookup => {
                    let thing = draw.dice.below(THINGS);
                    draw.thing(thing).to_owned()
                }
                Family::Chain | Family::Order => {
                    let name = draw.dice.below(NAMES);
                    draw.name(name).to_owned()
                }
                Family::Counting => draw.dice.between(1, 9).to_string(),
                Family::Arithmetic | Family::Boolean => question.twin.clone(),
            };
            if any != question.right {
                return any;
            }
        }
    }
    if question.others.is_empty() || draw.dice.coin() {
        question.twin.clone()
    } else {
        draw.dice.pick(&question.others).clone()
    }
}

const fn verdict(words: [&'static str; 2], good: bool) -> &'static str {
    if good { words[0] } else { words[1] }
}
