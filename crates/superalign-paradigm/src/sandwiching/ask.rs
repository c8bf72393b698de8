//! What a reader believes: questions to models, all of a step in one call.

use super::script::{Listing, Script, View};
use super::{Config, Judging, Length};
use crate::{Cost, ParadigmError};
use std::collections::HashMap;
use superalign_core::{ChoicePrompt, GenerateRequest, Generation, LogLikelihood, Model};

/// What a reader believes about a case.
#[derive(Clone, Debug)]
pub(super) struct Belief {
    /// Probability of the first answer, a mean over both orders of listing them.
    pub(super) probability: f64,
    /// Its log-odds, likewise.
    pub(super) log_odds: f64,
    /// What was asked, in the first of the orders.
    pub(super) prompt: String,
    /// Tokens that were read for it.
    pub(super) tokens: u64,
}

impl Belief {
    /// The probability of a side.
    pub(super) fn of(&self, side: usize) -> f64 {
        if side == 0 { self.probability } else { 1.0 - self.probability }
    }
}

/// Where questions are put, and counted.
pub(super) struct Desk<'a> {
    pub(super) script: &'a Script,
    pub(super) config: &'a Config,
    pub(super) cost: Cost,
    answered: usize,
    done: &'a mut dyn FnMut(usize) -> bool,
}

/// The questions of one call; the same question is put once.
#[derive(Default)]
struct Questions {
    prompts: Vec<ChoicePrompt>,
    places: HashMap<(String, [String; 2]), usize>,
}

impl Questions {
    fn place(&mut self, prefix: String, choices: [String; 2]) -> usize {
        let next = self.prompts.len();
        let place = *self.places.entry((prefix.clone(), choices.clone())).or_insert(next);
        if place == next {
            self.prompts.push(ChoicePrompt { prefix, choices: choices.to_vec() });
        }
        place
    }
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        script: &'a Script,
        config: &'a Config,
        done: &'a mut dyn FnMut(usize) -> bool,
    ) -> Self {
        Self { script, config, cost: Cost::default(), answered: 0, done }
    }

    /// What the reader believes in each view.
    pub(super) fn beliefs(
        &mut self,
        model: &mut dyn Model,
        views: &[View<'_>],
    ) -> Result<Vec<Belief>, ParadigmError> {
        let mut questions = Questions::default();
        // Of each view, the two questions whose log-odds make its belief; they may be one.
        let mut asked: Vec<[usize; 2]> = Vec::with_capacity(views.len());
        for view in views {
            asked.push(match self.config.judging {
                Judging::Answers => {
                    let mut ask = |listing| -> Result<usize, ParadigmError> {
                        let prefix = self.script.judge(model, view, listing)?;
                        let choice = |answer| self.script.choice(view, listing, answer);
                        Ok(questions.place(prefix, [choice(0)?, choice(1)?]))
                    };
                    [ask(Listing::AsGiven)?, ask(Listing::Swapped)?]
                }
                Judging::Verdicts => {
                    let mut ask = |answer| -> Result<usize, ParadigmError> {
                        let (prefix, words) = self.script.verdict(model, view, answer)?;
                        Ok(questions.place(prefix, words.clone()))
                    };
                    [ask(0)?, ask(1)?]
                }
            });
        }
        let said = self.put(model, &questions.prompts)?;
        let prefixes: Vec<&str> = questions.prompts.iter().map(|prompt| prompt.prefix.as_str()).collect();
        let counts = model.token_counts(&prefixes)?;
        let tokens =
            |place: usize| (counts[place] + said[place].iter().map(|one| one.tokens).sum::<usize>()) as u64;
        self.cost.tokens_read += (0..prefixes.len()).map(tokens).sum::<u64>();
        let odds: Vec<f64> =
            said.iter().map(|both| self.log_odds(model, both)).collect::<Result<_, ParadigmError>>()?;
        let belief = |&[one, other]: &[usize; 2]| {
            let (first, second) = (odds[one], odds[other]);
            let (probability, log_odds) = match self.config.judging {
                Judging::Answers => {
                    let both = sigmoid(first) + sigmoid(second);
                    (both / 2.0, f64::midpoint(first, second))
                }
                Judging::Verdicts => {
                    let log_odds = (first - second) / 2.0;
                    (sigmoid(log_odds), log_odds)
                }
            };
            let tokens = tokens(one) + if one == other { 0 } else { tokens(other) };
            Belief { probability, log_odds, prompt: questions.prompts[one].prefix.clone(), tokens }
        };
        Ok(asked.iter().map(belief).collect())
    }

    /// Texts that a model writes, with the tokens of each prompt.
    pub(super) fn texts(
        &mut self,
        model: &mut dyn Model,
        prompts: &[String],
        request: &GenerateRequest,
    ) -> Result<Vec<(u64, Vec<Generation>)>, ParadigmError> {
        let before = self.answered;
        let written = model.generate(prompts, request, &mut |n| (self.done)(before + n))?;
        self.answered += prompts.len();
        let prompts: Vec<&str> = prompts.iter().map(String::as_str).collect();
        let counts = model.token_counts(&prompts)?;
        self.cost.calls += prompts.len() as u64;
        self.cost.tokens_read += counts.iter().map(|&n| n as u64).sum::<u64>();
        self.cost.tokens_written += written.iter().flatten().map(|one| one.tokens as u64).sum::<u64>();
        Ok(counts.into_iter().map(|n| n as u64).zip(written).collect())
    }

    fn put(
        &mut self,
        model: &mut dyn Model,
        prompts: &[ChoicePrompt],
    ) -> Result<Vec<Vec<LogLikelihood>>, ParadigmError> {
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        let before = self.answered;
        let said = model.choice_log_likelihoods(prompts, &mut |n| (self.done)(before + n))?;
        self.answered += prompts.len();
        self.cost.calls += prompts.len() as u64;
        Ok(said)
    }

    fn log_odds(&self, model: &dyn Model, both: &[LogLikelihood]) -> Result<f64, ParadigmError> {
        let likelihood = |one: &LogLikelihood| match self.config.length {
            Length::Sum => one.sum,
            Length::PerToken => one.sum / one.tokens.max(1) as f64,
        };
        let odds = match both {
            [one, other] => likelihood(one) - likelihood(other),
            _ => f64::NAN,
        };
        if odds.is_nan() {
            return Err(ParadigmError::Undefined {
                what: "belief",
                reason: format!("{} gave {both:?} for two choices", model.card().name).into(),
            });
        }
        Ok(odds)
    }
}

/// 1 / (1 + e^-x), so that sigmoid(-x) is 1 - sigmoid(x) to the last digit or two.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}
