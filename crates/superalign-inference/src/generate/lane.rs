//! Completions made side by side: rows that end leave, prompts that wait enter.

use super::block::{Block, Pick};
use super::graph::DecoderGraph;
use super::options::{Completion, EndToken, Event, Finish, GenerateOptions, Prompt};
use super::pass::{Padding, Reader, pass};
use super::sampling;
use super::text::Detokenizer;
use crate::batch;
use crate::tokenize::{TextTokenizer, Tokens};
use ndarray::{Array2, ArrayViewD, Axis};
use rand::Rng as _;
use std::collections::VecDeque;
use superalign_core::Rng;

/// What all lanes of a request share.
pub(super) struct Shared<'a> {
    pub(super) graph: &'a DecoderGraph,
    pub(super) tokenizer: &'a TextTokenizer,
    pub(super) options: &'a GenerateOptions,
    /// Tokens that end a text.
    pub(super) ends: &'a [u32],
    /// Number of tokens that the model has positions for.
    pub(super) positions: usize,
    /// Largest padded size of a pass over prompts.
    pub(super) budget: usize,
    pub(super) prompts: &'a [Prompt],
    pub(super) encoded: &'a [Tokens],
}

/// One completion to be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) prompt: usize,
    pub(super) sample: usize,
}

/// Why a lane stopped before its end.
pub(super) enum Halt {
    /// Nobody wants the rest.
    Stopped,
    Failed(String),
}

impl From<String> for Halt {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// A completion in the making.
struct Row {
    wanted: Wanted,
    rng: Rng,
    /// Prompt and completion.
    ids: Vec<u32>,
    prompt: usize,
    text: Detokenizer,
    ended: bool,
}

/// Makes the completions of `job`, in the order in which they end; `tell` is asked after each pass whether to go on.
pub(super) fn run(
    reader: &mut Reader,
    shared: &Shared<'_>,
    job: &[Wanted],
    tell: &mut dyn FnMut(Vec<Event>) -> bool,
) -> Result<(), Halt> {
    // A job that is a little larger is done at once.
    let limit = shared.options.rows.max(job.len().min(shared.options.rows + shared.options.rows / 8));
    let mut waiting: VecDeque<Wanted> = job.iter().copied().collect();
    let mut rows: Vec<Row> = Vec::new();
    let mut cache = Block::empty(shared.graph, 0)?;
    let mut held: Option<Prefix> = None;
    let mut events = Vec::new();
    loop {
        if !events.is_empty() && !tell(std::mem::take(&mut events)) {
            return Err(Halt::Stopped);
        }
        let ended = rows.iter().filter(|row| row.ended).count();
        if ended == rows.len() && waiting.is_empty() {
            return Ok(());
        }
        // Copying the cache costs about as much as a step, so not every row that ends is replaced at once.
        let room = limit - rows.len() + ended;
        let enter = !waiting.is_empty() && (rows.is_empty() || room * 4 >= limit || ended == rows.len());
        if enter {
            let entering: Vec<Wanted> = waiting.drain(..room.min(waiting.len())).collect();
            admit(reader, shared, &entering, &mut rows, &mut cache, &mut held, &mut events)?;
            continue;
        }
        if waiting.is_empty() && ended * 2 >= rows.len() {
            let picks: Vec<Pick> = going(&rows).map(|row| Pick { block: 0, row }).collect();
            cache = Block::gather(&[&cache], &picks)?;
            rows.retain(|row| !row.ended);
        }
        let mut scores = step(reader, shared, &rows, &mut cache)?;
        for (row, mut scores) in rows.iter_mut().zip(scores.outer_iter_mut()) {
            if !row.ended {
                let scores =
                    scores.as_slice_mut().ok_or_else(|| "scores that are not contiguous".to_owned())?;
                extend(shared, row, scores, &mut events)?;
            }
        }
    }
}

fn going(rows: &[Row]) -> impl Iterator<Item = usize> {
    rows.iter().enumerate().filter(|(_, row)| !row.ended).map(|(at, _)| at)
}

/// A prompt that was read: its cache and the scores of what follows.
struct Prefix {
    prompt: usize,
    cache: Block,
    scores: Vec<f32>,
}

/// Lets completions enter: their prompts are read, each once, and rows that ended leave.
fn admit(
    reader: &mut Reader,
    shared: &Shared<'_>,
    entering: &[Wanted],
    rows: &mut Vec<Row>,
    cache: &mut Block,
    held: &mut Option<Prefix>,
    events: &mut Vec<Event>,
) -> Result<(), String> {
    let mut prompts: Vec<usize> = entering.iter().map(|one| one.prompt).collect();
    prompts.dedup();
    // The samples of the first prompt may have begun to enter before.
    let known = held.take().filter(|prefix| prompts.first() == Some(&prefix.prompt));
    let new = &prompts[usize::from(known.is_some())..];
    let lengths: Vec<usize> = new.iter().map(|prompt| shared.encoded[*prompt].ids.len()).collect();
    let mut place = vec![(0, 0); new.len()];
    let mut blocks = vec![std::mem::replace(cache, Block::empty(shared.graph, 0)?)];
    let mut scores: Vec<Array2<f32>> = vec![Array2::zeros((0, 0))];
    if let Some(known) = known {
        let width = known.scores.len();
        scores.push(Array2::from_shape_vec((1, width), known.scores).map_err(|error| error.to_string())?);
        blocks.push(known.cache);
    }
    let before = blocks.len();
    for batch in batch::plan(&lengths, shared.budget, false) {
        let tokens: Vec<&[u32]> = batch.iter().map(|&at| shared.encoded[new[at]].ids.as_slice()).collect();
        let (block, told) = read(reader, shared.graph, &tokens)?;
        for (row, &at) in batch.iter().enumerate() {
            place[at] = (blocks.len(), row);
        }
        blocks.push(block);
        scores.push(told);
    }
    let placed = |prompt: usize| match new.iter().position(|one| *one == prompt) {
        Some(at) => place[at],
        None => (before - 1, 0),
    };
    let mut picks: Vec<Pick> = going(rows).map(|row| Pick { block: 0, row }).collect();
    rows.retain(|row| !row.ended);
    for wanted in entering {
        let (block, row) = placed(wanted.prompt);
        picks.push(Pick { block, row });
        let tokens = &shared.encoded[wanted.prompt];
        let seed = shared.prompts[wanted.prompt].seed.nth(wanted.sample as u64);
        let mut entered = Row {
            wanted: *wanted,
            rng: seed.rng(),
            ids: tokens.ids.clone(),
            prompt: tokens.ids.len(),
            text: Detokenizer::default(),
            ended: false,
        };
        extend(shared, &mut entered, &mut scores[block].row(row).to_vec(), events)?;
        rows.push(entered);
    }
    let blocks: Vec<&Block> = blocks.iter().collect();
    if let Some(last) = entering.last() {
        // Whether more samples of it come is known to the queue only; keeping one row costs little.
        let (block, row) = placed(last.prompt);
        let more = last.sample + 1 < shared.options.samples;
        *held = if more {
            Some(Prefix {
                prompt: last.prompt,
                cache: Block::gather(&blocks, &[Pick { block, row }])?,
                scores: scores[block].row(row).to_vec(),
            })
        } else {
            None
        };
    }
    *cache = Block::gather(&blocks, &picks)?;
    Ok(())
}

/// Longest piece of a prompt that is read at once; the scores of all its tokens are in memory together.
const PIECE: usize = 512;

/// Reads prompts from their beginning: their cache, and the scores of what follows each, (prompts, vocabulary).
pub(super) fn read(
    reader: &mut Reader,
    graph: &DecoderGraph,
    tokens: &[&[u32]],
) -> Result<(Block, Array2<f32>), String> {
    let mut block = Block::empty(graph, tokens.len())?;
    let padding = if graph.cache.is_empty() { Padding::Right } else { Padding::Left };
    let mut rest = tokens.to_vec();
    if let ([only], false, true) = (tokens, graph.cache.is_empty(), graph.steps_of_any_length) {
        let mut only = *only;
        while only.len() > PIECE {
            pass(reader, graph, &mut block, &[&only[..PIECE]], padding, |_| Ok(()))?;
            only = &only[PIECE..];
        }
        rest = vec![only];
    }
    let scores = pass(reader, graph, &mut block, &rest, padding, |scores| last(&scores, &rest, padding))?;
    Ok((block, scores))
}

/// The scores at the last token of each row.
fn last(scores: &ArrayViewD<'_, f32>, tokens: &[&[u32]], padding: Padding) -> Result<Array2<f32>, String> {
    let columns = scores.len_of(Axis(1));
    let mut out = Array2::zeros((tokens.len(), scores.len_of(Axis(2))));
    for (row, ids) in tokens.iter().enumerate() {
        let column = if padding == Padding::Left { columns } else { ids.len() };
        let column = column.checked_sub(1).ok_or("a row without a token")?;
        out.row_mut(row).assign(&scores.slice(ndarray::s![row, column, ..]));
    }
    Ok(out)
}

/// The scores of the next token of each row.
fn step(
    reader: &mut Reader,
    shared: &Shared<'_>,
    rows: &[Row],
    cache: &mut Block,
) -> Result<Array2<f32>, String> {
    if shared.graph.cache.is_empty() {
        let tokens: Vec<&[u32]> = rows.iter().map(|row| row.ids.as_slice()).collect();
        return read(reader, shared.graph, &tokens).map(|(_, scores)| scores);
    }
    // A row that ended is read on until the next copy of the cache, as a row without past.
    for (row, length) in rows.iter().zip(&mut cache.lengths) {
        if row.ended {
            *length = 0;
        }
    }
    let newest = |row: &&Row| row.ids.len() - 1;
    let tokens: Vec<&[u32]> = rows.iter().map(|row| &row.ids[newest(&row)..]).collect();
    pass(reader, shared.graph, cache, &tokens, Padding::Left, |scores| last(&scores, &tokens, Padding::Left))
}

/// Adds a token to a row, chosen by `scores`, and tells of it.
fn extend(
    shared: &Shared<'_>,
    row: &mut Row,
    scores: &mut [f32],
    events: &mut Vec<Event>,
) -> Result<(), String> {
    let options = shared.options;
    if scores.iter().any(|score| score.is_nan()) {
        return Err("scores that are not numbers".to_owned());
    }
    sampling::repetition_penalty(scores, &row.ids, options.repetition_penalty);
    let rng = &mut row.rng;
    // 53 bits, as many as the number holds.
    let unit = || (rng.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64);
    let token = sampling::choose(scores, options.sampling, unit).ok_or("no token has a finite score")?;
    row.ids.push(token);
    let end = options.end == EndToken::Stop && shared.ends.contains(&token);
    let mut finish = None;
    let mut piece = String::new();
    if end {
        finish = Some(Finish::End);
    } else {
        row.text.push(shared.tokenizer, token)?;
        if row.text.cut_at(&options.stop) {
            finish = Some(Finish::Stop);
        } else {
            piece = row.text.certain(&options.stop);
        }
    }
    let full = row.ids.len() - row.prompt >= options.max_tokens || row.ids.len() >= shared.positions;
    if finish.is_none() && full {
        finish = Some(Finish::Length);
    }
    let Wanted { prompt, sample } = row.wanted;
    events.push(Event::Token { prompt, sample, token, text: piece });
    let Some(mut finish) = finish else { return Ok(()) };
    row.ended = true;
    if finish != Finish::Stop {
        row.text.finish(shared.tokenizer)?;
        if row.text.cut_at(&options.stop) {
            finish = Finish::Stop;
        }
    }
    let (text, rest) = row.text.take();
    let tokens = &shared.encoded[prompt];
    let completion = Completion {
        prompt,
        sample,
        text,
        tokens: row.ids[row.prompt..].to_vec(),
        finish,
        seed: shared.prompts[prompt].seed.nth(sample as u64),
        prompt_tokens: row.prompt,
        truncated: tokens.truncated,
    };
    events.push(Event::Finished { completion, rest });
    Ok(())
}
