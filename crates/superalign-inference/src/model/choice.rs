//! Log-likelihoods of continuations.

use super::sessions::{self, Padded};
use super::{OnnxModel, failure};
use crate::batch;
use crate::error::OpenError;
use crate::generate::Reader;
use crate::generate::choice as through_cache;
use crate::generate::graph::DecoderGraph;
use crate::generate::read_json;
use crate::tokenize::Continued;
use ndarray::{ArrayViewD, Ix3};
use std::path::Path;
use superalign_core::{ChoicePrompt, LogLikelihood, ModelError};

/// A row of tokens that the model reads, and the continuations whose likelihood it tells.
struct Row {
    prompt: usize,
    ids: Vec<u32>,
    asked: Vec<Asked>,
}

/// A continuation that a row tells the likelihood of: its tokens follow position `start - 1`.
struct Asked {
    choice: usize,
    start: usize,
    tokens: Vec<u32>,
}

impl OnnxModel {
    pub(super) fn choices(
        &mut self,
        prompts: &[ChoicePrompt],
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
        let output = self.roles.logits.clone().ok_or_else(|| ModelError::Unsupported {
            model: self.card.name.clone(),
            reason:
                "it is no causal language model: its graph has no logits over (batch, sequence, vocabulary)"
                    .into(),
        })?;
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        let encoded =
            self.tokenize(prompts, |tokenizer, prompt| tokenizer.continued(&prompt.prefix, &prompt.choices))?;
        encoded.iter().flatten().for_each(|one| self.usage.add(one.ids.len(), one.truncated, one.unknown));
        let none = LogLikelihood { sum: f64::NEG_INFINITY, tokens: 0 };
        let mut results: Vec<Vec<LogLikelihood>> =
            encoded.iter().map(|choices| vec![none; choices.len()]).collect();
        let rows: Vec<Row> =
            encoded.iter().enumerate().flat_map(|(prompt, choices)| rows(prompt, choices)).collect();
        // Where every prompt takes one row, nothing would be read twice.
        if rows.len() > prompts.len() && self.cached.is_some() {
            return self.choices_through_cache(&encoded, results, done);
        }
        let lengths: Vec<usize> = rows.iter().map(|row| row.ids.len()).collect();
        let batches = batch::plan(&lengths, self.token_budget, false);
        self.pool
            .bring_to_front(&self.graph_path, &self.graph, &output)
            .map_err(|reason| self.failed(&reason))?;

        let card = &self.card;
        let failed = |reason: String| failure(card, &reason);
        let roles = &self.roles;
        let mut open: Vec<usize> = vec![0; prompts.len()];
        rows.iter().for_each(|row| open[row.prompt] += 1);
        let mut finished = 0;
        batch::run(
            self.pool.front(),
            &batches,
            |session, batch| {
                let padded = Padded::new(batch.iter().map(|&row| (rows[row].ids.as_slice(), [].as_slice())));
                let read = |logits: ArrayViewD<'_, f32>| sums(logits, batch.iter().map(|&row| &rows[row]));
                sessions::run(session, roles, &padded, read).map_err(failed)
            },
            |batch, sums: Vec<Vec<f64>>| {
                for (&row, sums) in batch.iter().zip(sums) {
                    let Row { prompt, asked, .. } = &rows[row];
                    for (one, sum) in asked.iter().zip(sums) {
                        results[*prompt][one.choice] = LogLikelihood { sum, tokens: one.tokens.len() };
                    }
                    open[*prompt] -= 1;
                    finished += usize::from(open[*prompt] == 0);
                }
                if done(finished) { Ok(()) } else { Err(ModelError::Stopped) }
            },
        )?;
        Ok(results)
    }

    fn choices_through_cache(
        &mut self,
        encoded: &[Vec<Continued>],
        mut results: Vec<Vec<LogLikelihood>>,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<LogLikelihood>>, ModelError> {
        let (card, pool) = (&self.card, &self.pool);
        let failed = |reason: String| failure(card, &reason);
        let Some((graph, readers)) = &mut self.cached else { return Ok(results) };
        if readers.is_empty() {
            let open =
                |graph: &DecoderGraph, outputs: &[&str]| pool.beside(&graph.path, &graph.graph, outputs);
            *readers = Reader::open(graph, &open).map_err(failed)?;
        }
        let mut open: Vec<usize> = encoded.iter().map(Vec::len).collect();
        let mut finished = 0;
        through_cache::sums(readers, graph, self.token_budget, encoded, failed, |sums| {
            for (prompt, choice, sum) in sums {
                let Continued { ids, start, .. } = &encoded[prompt][choice];
                results[prompt][choice] = LogLikelihood { sum, tokens: ids.len() - start };
                open[prompt] -= 1;
                finished += usize::from(open[prompt] == 0);
            }
            if done(finished) { Ok(()) } else { Err(ModelError::Stopped) }
        })?;
        Ok(results)
    }
}

/// The graph with a cache beside a decoder's graph, where there is one that takes several tokens after a cache.
pub(super) fn cached(folder: &Path) -> Result<Option<DecoderGraph>, OpenError> {
    match DecoderGraph::with_cache(folder, &read_json(&folder.join("config.json"))?) {
        Ok(found) => Ok(found.filter(|graph| graph.steps_of_any_length)),
        // The decoder of another kind of model; whole sequences need nothing of it.
        Err(OpenError::Graph { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The rows of a prompt. The last token of a choice is never read, only predicted; so choices of one token share a
/// row, and so do choices of which one begins with another.
fn rows(prompt: usize, choices: &[Continued]) -> Vec<Row> {
    let mut order: Vec<usize> = (0..choices.len()).collect();
    order.sort_by_key(|&choice| (std::cmp::Reverse(choices[choice].ids.len()), choice));
    let mut rows: Vec<Row> = Vec::new();
    for choice in order {
        let Continued { ids, start, .. } = &choices[choice];
        let read = &ids[..ids.len() - 1];
        let asked = Asked { choice, start: *start, tokens: ids[*start..].to_vec() };
        match rows.iter_mut().find(|row| row.ids.starts_with(read)) {
            Some(row) => row.asked.push(asked),
            None => rows.push(Row { prompt, ids: read.to_vec(), asked: vec![asked] }),
        }
    }
    rows
}

/// For each row, the log-likelihood of each continuation asked of it, from logits `(rows, positions, vocabulary)`.
fn sums<'a>(
    logits: ArrayViewD<'_, f32>,
    rows: impl Iterator<Item = &'a Row>,
) -> Result<Vec<Vec<f64>>, String> {
    let logits = logits.into_dimensionality::<Ix3>().map_err(|error| error.to_string())?;
    let one = |row: usize, asked: &Asked| {
        let mut sum = 0.0;
        for (position, &token) in (asked.start - 1..).zip(&asked.tokens) {
            let scores = logits.slice(ndarray::s![row, position, ..]);
            let score = scores.get(token as usize).ok_or_else(|| {
                format!("logits over {} tokens, expected one for token {token}", scores.len())
            })?;
            let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let total: f64 = scores.iter().map(|score| f64::from(score - highest).exp()).sum();
            sum += f64::from(score - highest) - total.ln();
        }
        if sum.is_finite() { Ok(sum.min(0.0)) } else { Err("logits that are not finite numbers".to_owned()) }
    };
    rows.enumerate().map(|(row, data)| data.asked.iter().map(|asked| one(row, asked)).collect()).collect()
}
