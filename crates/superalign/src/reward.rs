//! How a model scores an answer to a prompt, and the sections of the generated world's benchmark.
//!
//! What `superalign reward-bench run` and the experiment `reward-bench` share; the sums are those of
//! [`superalign_evaluation::reward_bench`].

use clap::ValueEnum;
use ndarray::{Array2, ArrayView2, Axis};
use superalign_core::{
    ChoicePrompt, EmbedRequest, Layer, LogLikelihood, Model, ModelError, Pooling, ScoreHead, ScoreInput,
};
use superalign_data::load::BestOf;
use superalign_data::world;
use superalign_evaluation::reward_bench::{OwnSection, OwnSubset, Table, Weight};
use superalign_learner::{LearnerError, PositionBias, Probe, ProbeConfig, fit_pairs};

/// How a model scores an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scorer {
    /// ln p(answer | prompt)
    Likelihood,
    /// The same per token, so that long answers are not worse for their length
    LikelihoodPerToken,
    /// ln p(answer | prompt) less that of a reference model: the implicit reward of DPO
    Dpo,
    /// A Bradley-Terry probe on the model's vectors, trained on preferences of the world's part for students
    Probe,
    /// ln of the odds that the word after the answer is the good verdict and not the bad one
    Verdict,
    /// The score of a reward model's head
    Reward,
}

impl Scorer {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Likelihood => "likelihood",
            Self::LikelihoodPerToken => "likelihood-per-token",
            Self::Dpo => "dpo",
            Self::Probe => "probe",
            Self::Verdict => "verdict",
            Self::Reward => "reward",
        }
    }
}

/// How a head reads a prompt and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReadAs {
    /// As a conversation where the model has a chat template, else as one text
    Auto,
    /// As a conversation
    Chat,
    /// As two texts, which the tokenizer joins
    Pair,
    /// As one text
    Text,
}

impl ReadAs {
    /// The way of this head where none is named.
    pub(crate) const fn by(self, head: &ScoreHead) -> Self {
        match self {
            Self::Auto if head.reads_chats => Self::Chat,
            Self::Auto => Self::Text,
            how => how,
        }
    }

    /// A prompt and its answer; `join` stands between them where they are one text.
    pub(crate) fn input(self, prompt: &str, join: &str, answer: &str) -> ScoreInput {
        match self {
            Self::Chat => ScoreInput::answer(prompt, answer),
            Self::Pair => ScoreInput::Pair(prompt.to_owned(), answer.to_owned()),
            Self::Text | Self::Auto => ScoreInput::Text(format!("{prompt}{join}{answer}")),
        }
    }
}

/// What stands between a prompt and an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// A line end, or a blank where the prompt ends in a colon.
    Plain,
    /// These characters.
    Text(String),
}

impl Join {
    fn after<'a>(&'a self, prompt: &str) -> &'a str {
        match self {
            Self::Plain if prompt.ends_with(':') => " ",
            Self::Plain => "\n",
            Self::Text(text) => text,
        }
    }
}

/// Scores of the answers of each item.
pub(crate) type ScoresByItem = Vec<Vec<f64>>;

/// Why there are no scores.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScorerError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("the probe of {model} cannot be trained: {reason}")]
    Probe { model: String, reason: LearnerError },
}

/// The log-likelihoods of the answers after their prompts.
pub(crate) fn likelihoods(
    model: &mut dyn Model,
    items: &[BestOf],
    join: &Join,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
    let prompts: Vec<ChoicePrompt> = items
        .iter()
        .map(|item| ChoicePrompt {
            prefix: format!("{}{}", item.prompt, join.after(&item.prompt)),
            choices: item.answers.clone(),
        })
        .collect();
    model.choice_log_likelihoods(&prompts, done)
}

/// Their sums, or their means over tokens.
pub(crate) fn by_likelihood(found: &[Vec<LogLikelihood>], scorer: Scorer) -> ScoresByItem {
    let one = |found: &LogLikelihood| match scorer {
        Scorer::LikelihoodPerToken => found.sum / found.tokens.max(1) as f64,
        _ => found.sum,
    };
    found.iter().map(|answers| answers.iter().map(one).collect()).collect()
}

/// The implicit reward of a policy, up to its factor: the log-ratio to the reference (Rafailov et al. 2023).
pub(crate) fn by_log_ratio(policy: &[Vec<LogLikelihood>], reference: &[Vec<LogLikelihood>]) -> ScoresByItem {
    let item = |(policy, reference): (&Vec<LogLikelihood>, &Vec<LogLikelihood>)| {
        policy.iter().zip(reference).map(|(policy, reference)| policy.sum - reference.sum).collect()
    };
    policy.iter().zip(reference).map(item).collect()
}

/// The log-odds of the first verdict against the second after each answer.
pub(crate) fn by_verdict(
    model: &mut dyn Model,
    items: &[BestOf],
    join: &Join,
    verdicts: &[String; 2],
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<ScoresByItem, ModelError> {
    let choices: Vec<String> = verdicts.iter().map(|verdict| format!(" {verdict}")).collect();
    let prompts: Vec<ChoicePrompt> = texts(items, join)
        .into_iter()
        .map(|prefix| ChoicePrompt { prefix, choices: choices.clone() })
        .collect();
    let found = model.choice_log_likelihoods(&prompts, done)?;
    let scores = found.iter().map(|both| both[0].sum - both[1].sum);
    Ok(nested(items, scores))
}

/// The scores that the model's head gives the answers, of several labels that of one. An answer without a prompt is read
/// as a text.
pub(crate) fn by_head(
    model: &mut dyn Model,
    items: &[BestOf],
    join: &Join,
    how: ReadAs,
    label: Option<&str>,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<ScoresByItem, ModelError> {
    let (mut how, mut column) = (how, 0);
    if let Some(head) = model.score_head() {
        let unsupported = |found: &str| {
            let labels: Vec<String> = head.labels.iter().map(|label| format!("`{label}`")).collect();
            let reason = format!("{found}; its scores are {}", labels.join(", "));
            ModelError::Unsupported { model: model.card().name.clone(), reason }
        };
        column = match label {
            Some(label) => head
                .labels
                .iter()
                .position(|one| one == label)
                .ok_or_else(|| unsupported(&format!("it has no score `{label}`")))?,
            None if head.labels.len() > 1 => {
                return Err(unsupported("it has several scores, expected --label to name one"));
            }
            None => 0,
        };
        how = how.by(head);
    }
    let input = |item: &BestOf, answer: &String| match item.prompt.is_empty() {
        true => ScoreInput::Text(answer.clone()),
        false => how.input(&item.prompt, join.after(&item.prompt), answer),
    };
    let inputs: Vec<ScoreInput> =
        items.iter().flat_map(|item| item.answers.iter().map(move |answer| input(item, answer))).collect();
    let scores = model.score(&inputs, done)?;
    Ok(nested(items, scores.column(column).iter().map(|score| f64::from(*score))))
}

/// How many answers an item has, and how many of them, the first, are correct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) answers: usize,
    pub(crate) correct: usize,
}

/// A Bradley-Terry probe trained on every pair of a correct and another answer of an item; w . x is the reward of an
/// answer. `vectors` has a row for each answer, item by item.
#[expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]
pub(crate) fn preference_probe(
    vectors: ArrayView2<'_, f32>,
    shapes: &[Shape],
    config: &ProbeConfig,
) -> Result<Probe, LearnerError> {
    let (mut better, mut worse) = (Vec::new(), Vec::new());
    let mut first = 0;
    for shape in shapes {
        for good in first..first + shape.correct {
            for bad in first + shape.correct..first + shape.answers {
                better.push(good);
                worse.push(bad);
            }
        }
        first += shape.answers;
    }
    let (better, worse) = (vectors.select(Axis(0), &better), vectors.select(Axis(0), &worse));
    let preferred = Array2::ones((better.nrows(), 1));
    let trained = fit_pairs(better.view(), worse.view(), preferred.view(), PositionBias::None, config);
    trained.into_iter().next().unwrap_or(Err(LearnerError::TooFewRows {
        what: "pairs",
        expected: 2,
        found: 0,
    }))
}

/// The rewards w . x of such a probe, one for each row.
#[expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]
pub(crate) fn rewards(probe: &Probe, vectors: ArrayView2<'_, f32>) -> Result<Vec<f64>, LearnerError> {
    probe.logits(vectors).map(|rewards| rewards.to_vec())
}

/// The rewards of answers by a [`preference_probe`] that is trained on other items.
pub(crate) fn by_probe(
    model: &mut dyn Model,
    train: &[BestOf],
    items: &[BestOf],
    join: &Join,
    done: &mut dyn FnMut(usize) -> bool,
) -> Result<ScoresByItem, ScorerError> {
    let pooling = if model.card().generates { Pooling::LastToken } else { Pooling::Mean };
    let request = EmbedRequest { pooling, layer: Layer::Last };
    let texts: Vec<String> = [texts(train, join), texts(items, join)].concat();
    let all: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = model.embed(&all, request, done)?;
    let shapes: Vec<Shape> =
        train.iter().map(|item| Shape { answers: item.answers.len(), correct: item.correct }).collect();
    let first = shapes.iter().map(|shape| shape.answers).sum();
    let failed = |reason| ScorerError::Probe { model: model.card().name.clone(), reason };
    let (known, asked) = vectors.view().split_at(Axis(0), first);
    let probe = preference_probe(known, &shapes, &ProbeConfig::default()).map_err(failed)?;
    let scores = rewards(&probe, asked).map_err(failed)?;
    Ok(nested(items, scores.into_iter()))
}

/// Every answer after its prompt, item by item.
pub(crate) fn texts(items: &[BestOf], join: &Join) -> Vec<String> {
    let text = |item: &BestOf, answer: &String| match item.prompt.is_empty() {
        true => answer.clone(),
        false => format!("{}{}{answer}", item.prompt, join.after(&item.prompt)),
    };
    items.iter().flat_map(|item| item.answers.iter().map(move |answer| text(item, answer))).collect()
}

fn nested(items: &[BestOf], mut scores: impl Iterator<Item = f64>) -> ScoresByItem {
    items.iter().map(|item| scores.by_ref().take(item.answers.len()).collect()).collect()
}

/// What stands between request and answer in the language of the generated world.
pub(crate) const WORLD_JOIN: &str = " say ";

/// The sections of the generated world's benchmark: of equal weight, and in each every item counts the same.
pub(crate) fn world_table() -> Table {
    let section = |section: &world::Section| OwnSection { name: section.name().to_owned(), weight: 1.0 };
    let subset = |subset: &world::Subset| OwnSubset {
        name: subset.name().to_owned(),
        section: subset.section().name().to_owned(),
        weight: Weight::Items,
    };
    Table {
        sections: world::Section::ALL.iter().map(section).collect(),
        subsets: world::Subset::ALL.iter().map(subset).collect(),
    }
}
