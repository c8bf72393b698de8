//! The ladder: which models are trained, from what seed, on how many tokens.

use crate::error::Error;
use crate::model::Shape;
use crate::step::LANES;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::path::Path;
use superalign_core::Seed;

/// A ladder of models that share corpus and budget, as `ladder.toml` describes it.
///
/// ```
/// let ladder = superalign_pretrain::Ladder::parse("
///     seed = 1
///     [training]
///     tokens = 20_000_000
///     [[rung]]
///     name = 'rung-0'
///     layers = 2
///     width = 48
///     heads = 3
///     feed_forward = 128
///     learning_rate = 3e-3
/// ")?;
/// assert_eq!(ladder.rung("rung-0")?.width, 48);
/// assert_eq!(ladder.rung("0")?.name, "rung-0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// Where all randomness comes from.
    pub seed: Seed,
    /// What the rungs have in common.
    pub training: Training,
    /// The models, smallest first.
    #[serde(rename = "rung")]
    pub rungs: Vec<Rung>,
}

/// Budget and schedule, the same for every rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Tokens to train on; more than the corpus has means starting it again.
    pub tokens: u64,
    /// Tokens per step: as many whole documents as fit, and at least one.
    #[serde(default = "Training::default_batch_tokens")]
    pub batch_tokens: usize,
    /// Part of the budget over which the learning rate rises from 0.
    #[serde(default = "Training::default_warmup_fraction")]
    pub warmup_fraction: f64,
    /// Words after which the text counts fully, up to and including the next `focus_until`: answers and verdicts.
    /// None: all words count fully.
    #[serde(default)]
    pub focus_after: Vec<String>,
    /// The word that ends a focus.
    #[serde(default = "Training::default_focus_until")]
    pub focus_until: String,
    /// Weight in the loss of the words outside every focus; inside it is 1.
    #[serde(default = "Training::default_background_weight")]
    pub background_weight: f64,
    /// Decoupled weight decay of the projections.
    #[serde(default = "Training::default_weight_decay")]
    pub weight_decay: f64,
    /// The longest document, in tokens.
    #[serde(default = "Training::default_positions")]
    pub positions: usize,
    /// Steps between checkpoints.
    #[serde(default = "Training::default_checkpoint_every")]
    pub checkpoint_every: u64,
}

impl Training {
    const fn default_batch_tokens() -> usize {
        4096
    }
    const fn default_warmup_fraction() -> f64 {
        0.02
    }
    fn default_focus_until() -> String {
        ".".to_owned()
    }
    const fn default_background_weight() -> f64 {
        1.0
    }
    const fn default_weight_decay() -> f64 {
        0.1
    }
    const fn default_positions() -> usize {
        512
    }
    const fn default_checkpoint_every() -> u64 {
        500
    }
}

/// One model of the ladder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Name of the rung and of its folder.
    pub name: String,
    /// Number of layers.
    pub layers: usize,
    /// Length of a hidden state.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Inner width of the feed-forward block.
    pub feed_forward: usize,
    /// The peak of the learning rate.
    pub learning_rate: f64,
    /// Into how many sums the gradient of a batch is split, and so the most threads that it is made on. The sums of
    /// a large model cost more than they bring where batches are small.
    #[serde(default = "Rung::default_lanes", skip_serializing_if = "Rung::are_default_lanes")]
    pub lanes: NonZeroUsize,
}

impl Ladder {
    /// Reads a ladder from a file.
    ///
    /// # Errors
    /// A file that cannot be read or that [`Ladder::parse`] refuses.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        Self::parse(&text).map_err(|reason| Error::Ladder { path: path.to_path_buf(), reason })
    }

    /// Reads a ladder from TOML text.
    ///
    /// # Errors
    /// What is wrong, in words: no TOML, an unknown key, a value out of range, two rungs of one name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let ladder: Self = toml::from_str(text).map_err(|e| format!("not a ladder: {e}"))?;
        ladder.check()?;
        Ok(ladder)
    }

    fn check(&self) -> Result<(), String> {
        let t = &self.training;
        let range = |name: &str, value: f64, low: f64, high: f64| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(format!("{name} = {value}: expected a number from {low} to {high}"))
            }
        };
        range("training.warmup_fraction", t.warmup_fraction, 0.0, 0.5)?;
        range("training.background_weight", t.background_weight, 0.0, 1.0)?;
        range("training.weight_decay", t.weight_decay, 0.0, 1.0)?;
        for (name, value) in [
            ("tokens", t.tokens),
            ("positions", t.positions as u64),
            ("checkpoint_every", t.checkpoint_every),
        ] {
            if value == 0 {
                return Err(format!("training.{name} = 0: expected at least 1"));
            }
        }
        if t.background_weight != 1.0 && t.focus_after.is_empty() {
            return Err(format!(
                "training.background_weight = {} needs training.focus_after, the words after which the text counts fully",
                t.background_weight
            ));
        }
        if self.rungs.is_empty() {
            return Err("no rung: expected at least one [[rung]] table".into());
        }
        for (i, rung) in self.rungs.iter().enumerate() {
            let place = format!("rung `{}`", rung.name);
            if rung.name.is_empty() || rung.name.contains(['/', '\\']) || rung.name.starts_with('.') {
                return Err(format!("rung {i}: the name `{}` cannot be that of a folder", rung.name));
            }
            if self.rungs[..i].iter().any(|other| other.name == rung.name) {
                return Err(format!("{place} is there twice: names must differ"));
            }
            range(&format!("{place}: learning_rate"), rung.learning_rate, 1e-8, 1.0)?;
            rung.shape(1, t.positions).check().map_err(|e| format!("{place}: {e}"))?;
        }
        Ok(())
    }

    /// The rung of that name or, if the name is a number, at that place (from 0).
    ///
    /// # Errors
    /// [`Error::Rung`] with the rungs there are.
    pub fn rung(&self, asked: &str) -> Result<&Rung, Error> {
        let by_name = self.rungs.iter().find(|rung| rung.name == asked);
        by_name.or_else(|| self.rungs.get(asked.parse::<usize>().ok()?)).ok_or_else(|| Error::Rung {
            asked: asked.to_string(),
            known: self
                .rungs
                .iter()
                .enumerate()
                .map(|(i, rung)| format!("`{}` ({i})", rung.name))
                .collect::<Vec<_>>()
                .join(", "),
        })
    }
}

impl Rung {
    const fn default_lanes() -> NonZeroUsize {
        LANES
    }

    fn are_default_lanes(lanes: &NonZeroUsize) -> bool {
        *lanes == LANES
    }

    /// The shape of this rung's model over a vocabulary.
    #[must_use]
    pub const fn shape(&self, vocabulary: usize, positions: usize) -> Shape {
        let Self { layers, width, heads, feed_forward, .. } = *self;
        Shape { vocabulary, layers, width, heads, feed_forward, positions }
    }
}
