//! Sandwiching: a weak judge who cannot see the whole context decides with the help of stronger advisors.
//!
//! A [`Case`] is a question with two answers about a context of sentences. The judge gives a probability to the first
//! answer, p = softmax of the log-likelihoods of the two, averaged over both orders in which a prompt may list them.
//! What it sees depends on the protocol:
//!
//! | protocol | the judge sees | hearings of a case |
//! |---|---|---|
//! | [`alone`] | a share of the context, or nothing of it | 1 |
//! | [`consultancy`] | that share, and what an advisor says who argues an assigned side | 2, one for each side |
//! | [`debate`] | that share, and what two advisors say who argue opposite sides in turn | 2, by who speaks first |
//! | [`full_context`] | everything | 1 |
//!
//! The label of a case is the mean of the verdicts of its hearings, and each hearing is a vote of the [`Signal`].
//!
//! **What an advisor says.** It wants to persuade this judge, whatever the truth. With [`Speech::Quotes`] it quotes a
//! sentence: its own model ranks all sentences by how much they move its own belief to its side,
//!
//! ```text
//! influence(s) = logit p(side | whole context) - logit p(side | context without s)
//! ```
//!
//! and of the first `candidates` that nobody has quoted it says the one after which the judge gives its side the greatest
//! probability (best of n by the judge's own likelihood), or nothing where that serves it better. With [`Speech::Arguments`] it writes: n samples, and
//! the best by the judge's likelihood, or nothing. Quotes in what it writes are compared with the context word for word, and those
//! that are not there are marked for the judge.
//!
//! Sources: sandwiching is Cotra 2021 and Bowman et al. 2022 (arXiv 2211.03540); debate Irving et al. 2018 (1805.00899);
//! the quoted evidence and best of n by the judge follow Khan et al. 2024 (2402.06782), consultancy Michael et al. 2023
//! (2311.08702). How well judges did, and what persuasion is worth, `superalign_evaluation::oversight` says: it takes the
//! truth, and nothing here can.

mod ask;
mod evidence;
mod hearing;
mod script;
#[cfg(test)]
mod tests;

pub use evidence::sentences;
pub use script::{Form, Instruction, Marks, Prompts, Script, Verdict};

use crate::{ParadigmError, Signal, Transcript};
use hearing::{Court, Seating};
use serde::{Deserialize, Serialize};
use superalign_core::{Model, Seed};

/// A question with two answers about a context.
///
/// To have one candidate judged, put it into the question and let the answers be the verdicts ("right", "wrong"). Which
/// answer comes first must not depend on the truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its name; it must not tell the truth, as it is part of what transcripts and signals show.
    pub item: String,
    /// The sentences of the context, in order; [`sentences`] cuts a text into them.
    pub context: Vec<String>,
    /// What is asked.
    pub question: String,
    /// The two answers, which differ.
    pub answers: [String; 2],
}

/// How hearings are held. Checked when used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Speeches of each advisor, at least 1.
    pub turns: usize,
    /// What an advisor may say is chosen from so many proposals, at least 1, by the judge's own likelihood; with 1, the
    /// judge is not asked.
    pub candidates: usize,
    /// Whether an advisor may say nothing.
    pub silence: Silence,
    /// Share of the sentences that the judge sees itself, from 0 to 1 (rounded up, drawn by the seed and the case).
    pub shown: f64,
    /// What advisors say.
    pub speech: Speech,
    /// How a reader's belief is read.
    pub judging: Judging,
    /// How likelihoods of answers of different length are compared.
    pub length: Length,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            turns: 1,
            candidates: 3,
            silence: Silence::Permitted,
            shown: 0.0,
            speech: Speech::Quotes,
            judging: Judging::Answers,
            length: Length::Sum,
        }
    }
}

/// What advisors say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speech {
    /// One sentence of the context in each turn.
    Quotes,
    /// A text that they write, by the script's prompt for advisors.
    Arguments {
        /// Its most tokens, at least 1.
        max_tokens: usize,
        /// Temperature at which it is drawn; 0 is greedy, and then all proposals are the same.
        temperature: f32,
    },
}

/// Whether an advisor may say nothing, which it does where all that it could say makes its side less probable to the judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Silence {
    /// It may; with one candidate it speaks, as the judge is not asked.
    Permitted,
    /// It has to speak, if need be to its own harm.
    Forbidden,
}

/// How a reader's belief is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judging {
    /// By the likelihood of the two answers after the judge's prompt.
    Answers,
    /// By the likelihood of the two words of verdict after each answer: logit p = (l0 - l1) / 2, with lk the log-odds of
    /// the good word after answer k.
    Verdicts,
}

/// How likelihoods of answers of different length are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// As they are.
    Sum,
    /// Per token.
    PerToken,
}

/// What came of hearings.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The label of a case is the probability that its first answer is right; each hearing is a vote.
    pub signal: Signal,
    /// One for each case, in their order: its hearings one after the other, each ended by the judge's verdict.
    pub transcripts: Vec<Transcript>,
}

/// The judge decides alone, on the share of the context that it sees.
///
/// `done` is called with the number of questions that models have answered; returning `false` stops.
///
/// # Errors
/// No cases, answers that do not differ, a setting out of its range, a template that fails, a model that does not answer.
pub fn alone(
    judge: &mut dyn Model,
    cases: &[Case],
    script: &Script,
    config: &Config,
    seed: Seed,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Outcome, ParadigmError> {
    Court::new("alone", cases, script, config, seed, done)?.read(judge, config.shown)
}

/// The judge sees the whole context: what protocols are measured against.
///
/// # Errors
/// As [`alone`].
pub fn full_context(
    judge: &mut dyn Model,
    cases: &[Case],
    script: &Script,
    config: &Config,
    seed: Seed,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Outcome, ParadigmError> {
    Court::new("full-context", cases, script, config, seed, done)?.read(judge, 1.0)
}

/// One advisor argues an assigned side, `config.turns` times: a hearing for each side.
///
/// The first vote is the judge's probability of the first answer when the advisor argued for it, the second
/// when it argued for the second.
///
/// # Errors
/// As [`alone`].
pub fn consultancy(
    judge: &mut dyn Model,
    advisor: &mut dyn Model,
    cases: &[Case],
    script: &Script,
    config: &Config,
    seed: Seed,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Outcome, ParadigmError> {
    let sides = |side| Seating {
        name: format!("{} for answer {}", advisor.card().name, side + 1),
        sides: vec![side; config.turns],
    };
    let seats = [sides(0), sides(1)];
    Court::new("consultancy", cases, script, config, seed, done)?.hear(judge, advisor, &seats)
}

/// Two advisors, one model in two roles, argue opposite sides, `config.turns` times each and in turn: a hearing in which
/// the one for the first answer begins, and one in which the other does.
///
/// ```
/// use superalign_core::{ChoicePrompt, EmbedRequest, LogLikelihood, Model, ModelCard, ModelError, Seed};
/// use superalign_paradigm::sandwiching::{Case, Config, Prompts, Script, debate, sentences};
///
/// /// Believes what it reads: an answer is likelier by a nat each time that it is read of the one who is asked about.
/// struct Reader(ModelCard);
/// impl Model for Reader {
///     fn card(&self) -> &ModelCard { &self.0 }
///     fn embed(&mut self, _: &[&str], _: EmbedRequest, _: &mut dyn FnMut(usize) -> bool)
///         -> Result<ndarray::Array2<f32>, ModelError> { Err(self.lacks("it has no vectors")) }
///     fn choice_log_likelihoods(&mut self, prompts: &[ChoicePrompt], _: &mut dyn FnMut(usize) -> bool)
///         -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
///         let one = |prompt: &ChoicePrompt, choice: &str| {
///             let (read, asked) = prompt.prefix.split_once("ask ").unwrap_or(("", ""));
///             LogLikelihood { sum: read.matches(&format!("{asked}{choice} .")).count() as f64 - 9.0, tokens: 1 }
///         };
///         Ok(prompts.iter().map(|p| p.choices.iter().map(|c| one(p, c)).collect()).collect())
///     }
///     fn token_counts(&self, texts: &[&str]) -> Result<Vec<usize>, ModelError> {
///         Ok(texts.iter().map(|text| text.split_whitespace().count()).collect())
///     }
/// }
/// # let card = |name: &str| ModelCard { name: name.into(), digest: String::new(), layers: 1, width: 1,
/// #     parameters: None, generates: true, runtime: String::new() };
/// let (mut judge, mut advisor) = (Reader(card("weak")), Reader(card("strong")));
/// let case = Case {
///     item: "one".into(),
///     context: sentences("likes bavo seden . holds kiru matol ."),
///     question: "likes bavo".into(),
///     answers: ["seden".into(), "matol".into()],
/// };
/// let script = Script::new(&Prompts::world())?;
/// let found = debate(
///     &mut judge, &mut advisor, &[case], &script, &Config::default(), Seed::new(1), &mut |_| true,
/// )?;
/// // One side has evidence; the other quotes what nobody asked about.
/// assert!((found.signal.labels()[0] - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-12);
/// assert_eq!(found.transcripts[0].turns[0].text, "likes bavo seden .");
/// # Ok::<(), superalign_paradigm::ParadigmError>(())
/// ```
///
/// # Errors
/// As [`alone`].
pub fn debate(
    judge: &mut dyn Model,
    advisor: &mut dyn Model,
    cases: &[Case],
    script: &Script,
    config: &Config,
    seed: Seed,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Outcome, ParadigmError> {
    let begins = |first: usize| Seating {
        name: format!("{} on both sides, answer {} first", advisor.card().name, first + 1),
        sides: (0..2 * config.turns).map(|turn| (first + turn) % 2).collect(),
    };
    let seats = [begins(0), begins(1)];
    Court::new("debate", cases, script, config, seed, done)?.hear(judge, advisor, &seats)
}
