//! The seam behind which language models run: one real implementation, and fakes in tests.

use crate::Seed;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// A language model that can be read: hidden states of texts, likelihoods of continuations, scores of a head.
pub trait Model {
    /// What this model is.
    fn card(&self) -> &ModelCard;

    /// One vector per text, shape `(texts, card().width)`, in the order given.
    ///
    /// `done` is called with the number of texts finished so far (for progress bars); returning `false`
    /// asks the model to stop, which it answers with [`ModelError::Stopped`].
    ///
    /// # Errors
    /// A text that the tokenizer refuses or that is empty, a layer that the model lacks, a failure of the runtime.
    fn embed(
        &mut self,
        texts: &[&str],
        request: EmbedRequest,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError>;

    /// Log-likelihood of every choice after its prompt, one inner vector per prompt, in the order given.
    ///
    /// # Errors
    /// As [`Model::embed`]; also a model without a language head ([`ModelCard::generates`] is false).
    fn choice_log_likelihoods(
        &mut self,
        prompts: &[ChoicePrompt],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<LogLikelihood>>, ModelError>;

    /// The head of a classifier or reward model; `None` where there is none, as in most models.
    fn score_head(&self) -> Option<&ScoreHead> {
        None
    }

    /// The raw scores (logits) of the head, shape `(inputs, score_head().labels.len())`, in the order given.
    ///
    /// # Errors
    /// As [`Model::embed`]; also a model without such a head, and a chat where [`ScoreHead::reads_chats`] is false.
    fn score(
        &mut self,
        inputs: &[ScoreInput],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError> {
        let _ = (inputs, done);
        Err(self.lacks("it has no head that scores texts; expected a classifier or reward model"))
    }

    /// Texts that go on from each prompt, `request.samples` of them for each, in the order given.
    ///
    /// # Errors
    /// As [`Model::embed`]; also a model that does not generate, which is what a model does that says nothing else.
    fn generate(
        &mut self,
        prompts: &[String],
        request: &GenerateRequest,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<Generation>>, ModelError> {
        let _ = (prompts, request, done);
        Err(self.lacks("it does not generate text"))
    }

    /// The text by which the model is told of a conversation, up to where it would answer: its chat template, filled in.
    ///
    /// # Errors
    /// A model without a chat template, or one whose template refuses the messages.
    fn chat(&self, messages: &[Message]) -> Result<String, ModelError> {
        let _ = messages;
        Err(self.lacks("it has no chat template; expected one in its folder, or plain prompts"))
    }

    /// Number of tokens of each text, as the model would read it alone.
    ///
    /// # Errors
    /// A text that the tokenizer refuses, or a model that does not say.
    fn token_counts(&self, texts: &[&str]) -> Result<Vec<usize>, ModelError> {
        let _ = texts;
        Err(self.lacks("it does not count tokens"))
    }

    /// The error of a model that lacks what was asked for.
    fn lacks(&self, reason: &str) -> ModelError {
        ModelError::Unsupported { model: self.card().name.clone(), reason: reason.to_owned() }
    }
}

/// What a model is: enough to name it in a record and to key a cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Name for tables, usually that of its folder.
    pub name: String,
    /// Hex digest over the bytes of graph, weights, tokenizer and configuration.
    pub digest: String,
    /// Number of layers whose hidden state can be asked for, the embeddings not counted.
    pub layers: usize,
    /// Length of a hidden state.
    pub width: usize,
    /// Number of parameters, where it is known.
    pub parameters: Option<u64>,
    /// Whether it has a language head (logits over its vocabulary).
    pub generates: bool,
    /// The runtime that executes it, with its version.
    pub runtime: String,
}

/// Which vector [`Model::embed`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmbedRequest {
    /// How the positions of a text become one vector.
    pub pooling: Pooling,
    /// The layer that is read.
    pub layer: Layer,
}

/// How the positions of a text become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The state at the last token: what a decoder is about to say.
    LastToken,
    /// The mean over all tokens that are not padding.
    Mean,
    /// The state at the first token, which encoders such as BERT train to stand for the text ("CLS").
    Cls,
}

/// The layer that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The output of the last layer (after the final norm, where the model has one).
    Last,
    /// Output of layer N, counted from 1; 0 is the embeddings.
    Index(usize),
}

/// A prompt and the continuations to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoicePrompt {
    /// What comes before.
    pub prefix: String,
    /// The continuations, at least one.
    pub choices: Vec<String>,
}

/// The log-likelihood of a continuation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLikelihood {
    /// Sum over its tokens of ln p(token | what came before), at most 0, in nats.
    pub sum: f64,
    /// Number of its tokens, for normalisation by length.
    pub tokens: usize,
}

/// How texts are generated.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerateRequest {
    /// The most tokens that are written.
    pub max_tokens: usize,
    /// Number of texts for each prompt.
    pub samples: usize,
    /// 0 is greedy; 1 draws from the model's own distribution.
    pub temperature: f32,
    /// Draws from the most probable tokens that have this probability together, where given.
    pub top_p: Option<f32>,
    /// The text ends before the first of these.
    pub stop: Vec<String>,
    /// Where the draws come from.
    pub seed: Seed,
}

/// A text that a model wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// The text.
    pub text: String,
    /// Number of its tokens.
    pub tokens: usize,
}

/// The head of a classifier or reward model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreHead {
    /// Name of each score; a reward model has one.
    pub labels: Vec<String>,
    /// How scores become probabilities.
    pub rule: ProbabilityRule,
    /// Whether it reads [`ScoreInput::Chat`]: whether its folder says how a conversation is written.
    pub reads_chats: bool,
}

/// How the raw scores of a head become probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbabilityRule {
    /// One label of several is right: exp(s_i) / sum over j of exp(s_j).
    Softmax,
    /// Each label is right or not, whatever the others; so is a single one, as of a reward model: 1 / (1 + exp(-s)).
    Sigmoid,
    /// They are quantities, and not to be read as probabilities.
    None,
}

/// What a classifier or reward model is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScoreInput {
    /// One text.
    Text(String),
    /// Two texts, which the model's tokenizer joins in its own way, as cross-encoders read them.
    Pair(String, String),
    /// A conversation, which the model's own template writes down.
    Chat(Vec<Message>),
}

impl ScoreInput {
    /// A prompt and its answer as a conversation.
    ///
    /// ```
    /// use superalign_core::{Message, ScoreInput};
    /// let ScoreInput::Chat(messages) = ScoreInput::answer("Is water wet?", "Yes.") else { unreachable!("a chat") };
    /// assert_eq!(messages[1], Message { role: "assistant".into(), content: "Yes.".into() });
    /// ```
    pub fn answer(prompt: impl Into<String>, response: impl Into<String>) -> Self {
        Self::Chat(vec![Message::user(prompt), Message::assistant(response)])
    }
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks: usually `system`, `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A message of the user.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: "user".into(), content: content.into() }
    }

    /// A message of the system.
    pub fn system(content: impl Into<String>) -> Self {
        Self { role: "system".into(), content: content.into() }
    }

    /// A message of the model.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: "assistant".into(), content: content.into() }
    }
}

/// Why a model did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The caller's `done` returned `false`.
    #[error("stopped on request")]
    Stopped,
    /// The input cannot be given to this model.
    #[error("text {index}: {reason}")]
    Input {
        /// Position of the text in the request.
        index: usize,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// The model lacks what was asked for.
    #[error("model {model}: {reason}")]
    Unsupported {
        /// Name of the model.
        model: String,
        /// What it lacks, and what it offers instead.
        reason: String,
    },
    /// The runtime failed.
    #[error("model {model}: {reason}")]
    Runtime {
        /// Name of the model.
        model: String,
        /// What the runtime said.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bare(ModelCard);

    impl Model for Bare {
        fn card(&self) -> &ModelCard {
            &self.0
        }

        fn embed(
            &mut self,
            texts: &[&str],
            _: EmbedRequest,
            _: &mut dyn FnMut(usize) -> bool,
        ) -> Result<Array2<f32>, ModelError> {
            Ok(Array2::zeros((texts.len(), self.0.width)))
        }

        fn choice_log_likelihoods(
            &mut self,
            _: &[ChoicePrompt],
            _: &mut dyn FnMut(usize) -> bool,
        ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_model_that_says_nothing_of_a_head_has_none() {
        let mut model = Bare(ModelCard {
            name: "bare".into(),
            digest: String::new(),
            layers: 1,
            width: 2,
            parameters: None,
            generates: false,
            runtime: "none".into(),
        });
        assert_eq!(model.score_head(), None);
        let error = model.score(&[ScoreInput::Text("a".into())], &mut |_| true).unwrap_err();
        assert_eq!(
            error.to_string(),
            "model bare: it has no head that scores texts; expected a classifier or reward model"
        );
    }
}
