//! What is asked of a generator, and what is wrong with it.

use superalign_core::{ModelError, Seed};

/// How completions are made. Checked when used; the defaults are greedy decoding of 64 tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerateOptions {
    /// Most tokens of a completion, at least 1. A completion also ends where the model has no more positions.
    pub max_tokens: usize,
    /// Completions of each prompt, at least 1. The prompt itself is read once, however many there are.
    pub samples: usize,
    /// How the next token is chosen.
    pub sampling: Sampling,
    /// Scores of tokens seen before, in the prompt or since, are divided by this where positive and multiplied where
    /// negative. 1 changes nothing; see [`sampling::repetition_penalty`](crate::sampling::repetition_penalty).
    pub repetition_penalty: f32,
    /// Texts that end a completion. The text is cut before the first of them; its tokens stay in the list of tokens.
    pub stop: Vec<String>,
    /// What the model's own end token does.
    pub end: EndToken,
    /// Whether the tokenizer puts its special tokens in front of a prompt.
    pub special_tokens: SpecialTokens,
    /// Completions that share a pass through the model, at least 1. The tokens do not depend on it but where two
    /// scores differ in their last digits.
    pub rows: usize,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            max_tokens: 64,
            samples: 1,
            sampling: Sampling::Greedy,
            repetition_penalty: 1.0,
            stop: Vec::new(),
            end: EndToken::default(),
            special_tokens: SpecialTokens::default(),
            rows: 16,
        }
    }
}

/// How the next token is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampling {
    /// The token with the highest score; of equal ones that with the lowest id.
    Greedy,
    /// Drawn by the softmax of the scores that the filters leave.
    Random(Filters),
}

/// Filters of the scores, applied in this order, as transformers does: temperature, top-k, top-p, min-p.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filters {
    /// Scores are divided by it; above 0. Small is close to greedy, 1 is the model's own distribution.
    pub temperature: f32,
    /// Only that many of the highest scores, at least 1.
    pub top_k: Option<usize>,
    /// Only the smallest set of most probable tokens that together have this probability, in (0, 1].
    pub top_p: Option<f32>,
    /// Only tokens at least this many times as probable as the most probable one, in [0, 1].
    pub min_p: Option<f32>,
}

impl Default for Filters {
    fn default() -> Self {
        Self { temperature: 1.0, top_k: None, top_p: None, min_p: None }
    }
}

/// What the model's own end token does (`eos_token_id` of generation_config.json, else of config.json).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndToken {
    /// It ends the completion and is its last token.
    #[default]
    Stop,
    /// It is a token like others: for measurements.
    Ignore,
}

/// Whether the tokenizer puts its special tokens in front of a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpecialTokens {
    /// It does. Those that it puts behind a text are left out, as the text goes on.
    #[default]
    Add,
    /// The prompt has them as a chat template wrote them.
    AsWritten,
}

/// A text to be continued, and the seed of its completions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The text.
    pub text: String,
    /// Sample `i` draws from `seed.nth(i)`, so the draws depend neither on other prompts nor on the batch.
    pub seed: Seed,
}

impl Prompt {
    /// Prompts with the seeds `seed.nth(0)`, `seed.nth(1)` and so on.
    pub fn list<T: Into<String>>(texts: impl IntoIterator<Item = T>, seed: Seed) -> Vec<Self> {
        let prompt = |(at, text): (u64, T)| Self { text: text.into(), seed: seed.nth(at) };
        (0..).zip(texts).map(prompt).collect()
    }
}

/// A completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Position of its prompt in the request.
    pub prompt: usize,
    /// Number among the prompt's completions.
    pub sample: usize,
    /// The new text, without special tokens, cut before a stop string.
    pub text: String,
    /// The new tokens; the end token is among them.
    pub tokens: Vec<u32>,
    /// Why it ended.
    pub finish: Finish,
    /// The seed that it drew from.
    pub seed: Seed,
    /// Number of tokens of the prompt that the model read.
    pub prompt_tokens: usize,
    /// Whether the prompt was too long and was cut.
    pub truncated: bool,
}

/// Why a completion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// By the model's end token.
    End,
    /// By a stop string.
    Stop,
    /// By the most tokens allowed, or the model's last position.
    Length,
}

impl Finish {
    /// Its name in files: `end`, `stop` or `length`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// What happens while completions are made.
///
/// Events of one completion come in order; those of different completions in whatever order they are ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A token was added.
    Token {
        /// Position of the prompt in the request.
        prompt: usize,
        /// Number among the prompt's completions.
        sample: usize,
        /// The token.
        token: u32,
        /// The text that is certain now. It may be empty, as long as a letter lacks bytes or a stop string may be
        /// beginning; all of a completion's pieces joined are its text.
        text: String,
    },
    /// A completion ended. `rest` is the text held back until now.
    Finished {
        /// All of it.
        completion: Completion,
        /// What no [`Event::Token`] has told of its text.
        rest: String,
    },
}

/// Why nothing was generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// A setting outside its range.
    #[error("{setting} is {found}, expected {expected}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// What the model said.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl GenerateOptions {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`GenerateError::Setting`] with the first one outside its range.
    pub fn check(&self) -> Result<(), GenerateError> {
        let counts = [("max_tokens", self.max_tokens), ("samples", self.samples), ("rows", self.rows)];
        for (setting, count) in counts {
            require(setting, &count, count > 0, "at least 1")?;
        }
        let penalty = self.repetition_penalty;
        let above_0 = "a finite number above 0";
        require("repetition_penalty", &penalty, penalty.is_finite() && penalty > 0.0, above_0)?;
        if let Some(empty) = self.stop.iter().find(|text| text.is_empty()) {
            require("stop", &format!("{empty:?}"), false, "texts of one letter at least")?;
        }
        let Sampling::Random(Filters { temperature, top_k, top_p, min_p }) = self.sampling else {
            return Ok(());
        };
        require("temperature", &temperature, temperature.is_finite() && temperature > 0.0, above_0)?;
        if let Some(k) = top_k {
            require("top_k", &k, k > 0, "at least 1")?;
        }
        if let Some(p) = top_p {
            require("top_p", &p, p > 0.0 && p <= 1.0, "a number above 0 and at most 1")?;
        }
        if let Some(p) = min_p {
            require("min_p", &p, (0.0..=1.0).contains(&p), "a number from 0 to 1")?;
        }
        Ok(())
    }
}

fn require(
    setting: &'static str,
    found: &impl ToString,
    fulfilled: bool,
    expected: &'static str,
) -> Result<(), GenerateError> {
    if fulfilled {
        Ok(())
    } else {
        Err(GenerateError::Setting { setting, found: found.to_string(), expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_checked_and_named() {
        let ok = GenerateOptions::default();
        assert!(ok.check().is_ok());
        let random = |filters| GenerateOptions { sampling: Sampling::Random(filters), ..ok.clone() };
        let usual = Filters::default();
        assert!(
            random(Filters { top_k: Some(1), top_p: Some(1.0), min_p: Some(0.0), ..usual }).check().is_ok()
        );
        let wrong = [
            GenerateOptions { max_tokens: 0, ..ok.clone() },
            GenerateOptions { samples: 0, ..ok.clone() },
            GenerateOptions { rows: 0, ..ok.clone() },
            GenerateOptions { repetition_penalty: 0.0, ..ok.clone() },
            GenerateOptions { stop: vec![".".into(), String::new()], ..ok.clone() },
            random(Filters { temperature: f32::NAN, ..usual }),
            random(Filters { top_k: Some(0), ..usual }),
            random(Filters { top_p: Some(0.0), ..usual }),
            random(Filters { min_p: Some(1.5), ..usual }),
        ];
        let said: Vec<String> = wrong.iter().map(|o| o.check().expect_err("refused").to_string()).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        max_tokens is 0, expected at least 1
        samples is 0, expected at least 1
        rows is 0, expected at least 1
        repetition_penalty is 0, expected a finite number above 0
        stop is "", expected texts of one letter at least
        temperature is NaN, expected a finite number above 0
        top_k is 0, expected at least 1
        top_p is 0, expected a number above 0 and at most 1
        min_p is 1.5, expected a number from 0 to 1
        "#);
    }
}
