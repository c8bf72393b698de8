//! The seam behind which language models run: one real implementation, and fakes in tests.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// A language model that can be read: hidden states of texts, likelihoods of continuations.
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
