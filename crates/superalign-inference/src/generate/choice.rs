//! Likelihoods of choices through the cache: a prefix is read once, and its cache copied to its choices.

use super::block::{Block, Pick};
use super::graph::DecoderGraph;
use super::lane::read;
use super::pass::{Padding, Reader, pass};
use crate::batch;
use crate::tokenize::Continued;
use ndarray::{ArrayView1, Ix3};
use superalign_core::ModelError;

/// Choices of one prompt that follow the very same tokens.
struct Group<'a> {
    prompt: usize,
    prefix: &'a [u32],
    /// Number of the choice in its prompt, and its tokens.
    choices: Vec<(usize, &'a [u32])>,
}

/// Tokens of choices that are read after a prefix. The last token of a choice is never read, only predicted; so
/// choices of which one begins with another share a row.
struct Row<'a> {
    group: usize,
    tokens: &'a [u32],
    choices: Vec<(usize, &'a [u32])>,
}

/// A choice of a prompt, and the logarithm of its likelihood.
pub(crate) type Sum = (usize, usize, f64);

/// The log-likelihoods of all choices. `collect` is told of those of one batch of prefixes after the other.
pub(crate) fn sums(
    readers: &mut [Reader],
    graph: &DecoderGraph,
    budget: usize,
    encoded: &[Vec<Continued>],
    failed: impl Fn(String) -> ModelError + Sync,
    mut collect: impl FnMut(Vec<Sum>) -> Result<(), ModelError>,
) -> Result<(), ModelError> {
    let groups: Vec<Group<'_>> =
        encoded.iter().enumerate().flat_map(|(prompt, choices)| groups(prompt, choices)).collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.prefix.len()).collect();
    let batches = batch::plan(&lengths, budget, false);
    batch::run(
        readers,
        &batches,
        |reader, batch| {
            let groups: Vec<&Group<'_>> = batch.iter().map(|&at| &groups[at]).collect();
            batch_sums(reader, graph, budget, &groups).map_err(&failed)
        },
        |_, sums| collect(sums),
    )
}

fn groups(prompt: usize, choices: &[Continued]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (number, Continued { ids, start, .. }) in choices.iter().enumerate() {
        let (prefix, tokens) = ids.split_at(*start);
        // A prompt that is too long is cut by as much as each choice needs, so that prefixes may differ.
        match groups.iter_mut().find(|group| group.prefix == prefix) {
            Some(group) => group.choices.push((number, tokens)),
            None => groups.push(Group { prompt, prefix, choices: vec![(number, tokens)] }),
        }
    }
    groups
}

fn rows<'a>(group: usize, choices: &[(usize, &'a [u32])]) -> Vec<Row<'a>> {
    let mut longer: Vec<_> = choices.iter().filter(|(_, tokens)| tokens.len() > 1).copied().collect();
    longer.sort_by_key(|(number, tokens)| (std::cmp::Reverse(tokens.len()), *number));
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (number, tokens) in longer {
        let read = &tokens[..tokens.len() - 1];
        match rows.iter_mut().find(|row| row.tokens.starts_with(read)) {
            Some(row) => row.choices.push((number, tokens)),
            None => rows.push(Row { group, tokens: read, choices: vec![(number, tokens)] }),
        }
    }
    rows
}

fn batch_sums(
    reader: &mut Reader,
    graph: &DecoderGraph,
    budget: usize,
    groups: &[&Group<'_>],
) -> Result<Vec<Sum>, String> {
    let prefixes: Vec<&[u32]> = groups.iter().map(|group| group.prefix).collect();
    let (block, first) = read(reader, graph, &prefixes)?;
    let mut sums: Vec<Vec<f64>> = Vec::with_capacity(groups.len());
    for (group, scores) in groups.iter().zip(first.outer_iter()) {
        let one = |(_, tokens): &(usize, &[u32])| log_probability(&scores, tokens.first());
        sums.push(group.choices.iter().map(one).collect::<Result<_, String>>()?);
    }
    let rows: Vec<Row<'_>> =
        groups.iter().enumerate().flat_map(|(at, group)| rows(at, &group.choices)).collect();
    let lengths: Vec<usize> = rows.iter().map(|row| row.tokens.len()).collect();
    for batch in batch::plan(&lengths, budget, false) {
        let picks: Vec<Pick> = batch.iter().map(|&at| Pick { block: 0, row: rows[at].group }).collect();
        let mut tiled = Block::gather(&[&block], &picks)?;
        let tokens: Vec<&[u32]> = batch.iter().map(|&at| rows[at].tokens).collect();
        pass(reader, graph, &mut tiled, &tokens, Padding::Right, |scores| {
            let scores = scores.into_dimensionality::<Ix3>().map_err(|error| error.to_string())?;
            for (row, &at) in batch.iter().enumerate() {
                for (number, tokens) in &rows[at].choices {
                    let mut sum = 0.0;
                    for (position, token) in tokens[1..].iter().enumerate() {
                        sum += log_probability(&scores.slice(ndarray::s![row, position, ..]), Some(token))?;
                    }
                    let group = rows[at].group;
                    let place = groups[group].choices.iter().position(|(one, _)| one == number);
                    sums[group][place.ok_or("a choice of another prompt")?] += sum;
                }
            }
            Ok(())
        })?;
    }
    let told = groups.iter().zip(sums).flat_map(|(group, sums)| {
        group.choices.iter().zip(sums).map(|((number, _), sum)| (group.prompt, *number, sum))
    });
    Ok(told.collect())
}

fn log_probability(scores: &ArrayView1<'_, f32>, token: Option<&u32>) -> Result<f64, String> {
    let token = *token.ok_or("a choice without a token")?;
    let score = scores
        .get(token as usize)
        .ok_or_else(|| format!("logits over {} tokens, expected one for token {token}", scores.len()))?;
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = scores.iter().map(|score| f64::from(score - highest).exp()).sum();
    let told = f64::from(score - highest) - total.ln();
    if told.is_finite() { Ok(told.min(0.0)) } else { Err("logits that are not finite numbers".to_owned()) }
}
