//! Scores of texts, pairs and conversations by the head of a classifier or reward model.

use super::files::Config;
use super::smoke::{Row, answers};
use super::{OnnxModel, failure};
use crate::batch;
use crate::error::OpenError;
use crate::generate::{ChatEnd, ChatTemplate, Now};
use crate::graph::Graph;
use crate::tokenize::Tokens;
use ndarray::{Array2, ArrayD, ArrayView2, Axis, Ix2};
use std::path::Path;
use superalign_core::{ModelError, ProbabilityRule, ScoreHead, ScoreInput};

/// A head, and how its model writes a conversation.
pub(super) struct Head {
    pub(super) known: ScoreHead,
    output: String,
    template: Option<ChatTemplate>,
    now: Option<Now>,
}

impl Head {
    /// The head whose scores are in `output`.
    pub(super) fn read(
        folder: &Path,
        output: &str,
        graph: &Graph,
        config: &Config,
    ) -> Result<Self, OpenError> {
        let template = ChatTemplate::read(folder)?;
        let port = graph.outputs.iter().find(|port| port.name == output);
        let stated = port.and_then(|port| usize::try_from(port.shape.last().copied().flatten()?).ok());
        let named = (!config.labels.is_empty()).then_some(config.labels.len());
        // transformers leaves two labels unsaid.
        let count = stated.or(named).or(config.num_labels).unwrap_or(2);
        let label = |at| config.labels.get(at).cloned().unwrap_or_else(|| format!("LABEL_{at}"));
        let rule = match config.problem_type.as_deref() {
            Some("regression") => ProbabilityRule::None,
            Some("multi_label_classification") => ProbabilityRule::Sigmoid,
            _ if count == 1 => ProbabilityRule::Sigmoid,
            _ => ProbabilityRule::Softmax,
        };
        let labels = (0..count).map(label).collect();
        let known = ScoreHead { labels, rule, reads_chats: template.is_some() };
        Ok(Self { known, output: output.to_owned(), template, now: None })
    }
}

impl OnnxModel {
    /// Tells the date that the chat template may write into conversations; without it a template that asks fails.
    pub fn set_chat_date(&mut self, now: Option<Now>) {
        if let Some(head) = &mut self.head {
            head.now = now;
        }
    }

    pub(super) fn scores(
        &mut self,
        inputs: &[ScoreInput],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError> {
        let head = self.head.as_ref().ok_or_else(|| ModelError::Unsupported {
            model: self.card.name.clone(),
            reason: "it is no classifier or reward model: its graph has no logits over (batch, classes)"
                .into(),
        })?;
        let (output, classes) = (head.output.clone(), head.known.labels.len());
        if inputs.is_empty() {
            return Ok(Array2::zeros((0, classes)));
        }
        let written = inputs.iter().enumerate().map(|(index, input)| self.written(head, index, input));
        let written = written.collect::<Result<Vec<Written<'_>>, ModelError>>()?;
        let encoded = self.tokenize(&written, |tokenizer, one| match one {
            Written::Text(text) => tokenizer.encode(text),
            Written::Pair(first, second) => tokenizer.encode_pair(first, second),
            Written::Chat(text) => tokenizer.as_written(text),
        })?;
        for Tokens { ids, truncated, unknown, .. } in &encoded {
            self.usage.add(ids.len(), *truncated, *unknown);
        }
        let rows: Vec<Row> = encoded.into_iter().map(|one| (one.ids, one.types)).collect();
        let lengths: Vec<usize> = rows.iter().map(|(ids, _)| ids.len()).collect();
        // A head on a decoder finds the last token by the padding behind it; where nothing says which token that
        // is, no row is padded.
        let equal = !(self.roles.mask && self.pad_stated);
        let batches = batch::plan(&lengths, self.token_budget, equal);
        self.pool
            .bring_to_front(&self.graph_path, &self.graph, &output)
            .map_err(|reason| self.failed(&reason))?;

        let card = &self.card;
        let failed = |reason: String| failure(card, &reason);
        let (roles, pad) = (&self.roles, self.pad);
        let wanted = [true, roles.mask, roles.types, roles.positions];
        let mut scores = Array2::zeros((inputs.len(), classes));
        let mut finished = 0;
        batch::run(
            self.pool.front(),
            &batches,
            |session, batch| {
                let rows: Vec<Row> = batch.iter().map(|&row| rows[row].clone()).collect();
                let told = answers(session, &rows, wanted, pad).map_err(failed)?;
                checked(told, classes).map_err(failed)
            },
            |batch, told: Array2<f32>| {
                for (&row, told) in batch.iter().zip(told.outer_iter()) {
                    if told.iter().any(|score| !score.is_finite()) {
                        return Err(failed(format!("text {row} has a score that is not a finite number")));
                    }
                    scores.row_mut(row).assign(&told);
                }
                finished += batch.len();
                if done(finished) { Ok(()) } else { Err(ModelError::Stopped) }
            },
        )?;
        Ok(scores)
    }

    /// What the tokenizer is given of an input.
    fn written<'a>(
        &self,
        head: &Head,
        index: usize,
        input: &'a ScoreInput,
    ) -> Result<Written<'a>, ModelError> {
        Ok(match input {
            ScoreInput::Text(text) => Written::Text(text),
            ScoreInput::Pair(first, second) => Written::Pair(first, second),
            ScoreInput::Chat(messages) => {
                let template = head.template.as_ref().ok_or_else(|| ModelError::Unsupported {
                    model: self.card.name.clone(),
                    reason: "it has no chat template, expected chat_template.jinja or one in \
                             tokenizer_config.json; give it texts or pairs"
                        .into(),
                })?;
                let text = template.render(messages, ChatEnd::Messages, head.now);
                Written::Chat(text.map_err(|error| ModelError::Input { index, reason: error.to_string() })?)
            }
        })
    }
}

/// An input as texts.
enum Written<'a> {
    Text(&'a str),
    Pair(&'a str, &'a str),
    /// With its special tokens.
    Chat(String),
}

fn checked(told: ArrayD<f32>, classes: usize) -> Result<Array2<f32>, String> {
    let shape = told.shape().to_vec();
    match told.into_dimensionality::<Ix2>() {
        Ok(told) if told.len_of(Axis(1)) == classes => Ok(told),
        _ => Err(format!("scores of shape {shape:?}, expected (texts, {classes})")),
    }
}

/// The probabilities that raw scores `(texts, labels)` stand for, of the same shape; `None` where they are no
/// probabilities.
///
/// By [`ProbabilityRule::Softmax`] p_i = exp(s_i) / sum over j of exp(s_j) within a row, by [`ProbabilityRule::Sigmoid`]
/// p_i = 1 / (1 + exp(-s_i)): what the text-classification pipeline of transformers does. Computed in double precision,
/// so that large scores do not overflow.
///
/// ```
/// use ndarray::array;
/// use superalign_core::ProbabilityRule;
/// use superalign_inference::probabilities;
///
/// let p = probabilities(array![[0.0_f32, 0.0], [1000.0, 0.0]].view(), ProbabilityRule::Softmax).expect("probabilities");
/// assert_eq!(p, array![[0.5, 0.5], [1.0, 0.0]]);
/// assert!(probabilities(array![[3.5_f32]].view(), ProbabilityRule::None).is_none());
/// ```
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "array views are Copy, which the lint does not see")]
pub fn probabilities(scores: ArrayView2<'_, f32>, rule: ProbabilityRule) -> Option<Array2<f64>> {
    let mut found = scores.mapv(f64::from);
    match rule {
        ProbabilityRule::None => return None,
        ProbabilityRule::Sigmoid => found.mapv_inplace(|score| 1.0 / (1.0 + (-score).exp())),
        ProbabilityRule::Softmax => {
            for mut row in found.outer_iter_mut() {
                let highest = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
                row.mapv_inplace(|score| (score - highest).exp());
                let sum = row.sum();
                row /= sum;
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn probabilities_are_shares_that_a_shift_of_all_scores_leaves(
            scores in prop::collection::vec(-30.0_f32..30.0, 6), shift in -5.0_f32..5.0,
        ) {
            let scores = Array2::from_shape_vec((2, 3), scores).expect("six");
            let p = probabilities(scores.view(), ProbabilityRule::Softmax).expect("probabilities");
            for row in p.outer_iter() {
                prop_assert!((row.sum() - 1.0).abs() < 1e-12);
            }
            let moved = probabilities((&scores + shift).view(), ProbabilityRule::Softmax).expect("probabilities");
            prop_assert!(p.iter().zip(&moved).all(|(a, b)| (a - b).abs() < 1e-4));
        }

        #[test]
        fn one_score_against_nothing_is_a_sigmoid(score in -30.0_f32..30.0) {
            let two = probabilities(array![[score, 0.0]].view(), ProbabilityRule::Softmax).expect("probabilities");
            let one = probabilities(array![[score]].view(), ProbabilityRule::Sigmoid).expect("probabilities");
            prop_assert!((two[(0, 0)] - one[(0, 0)]).abs() < 1e-12);
        }
    }
}
