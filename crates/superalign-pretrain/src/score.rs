//! Zero-shot ability: which of two verdict words a model finds likelier after a text.

use crate::error::Error;
use crate::model::{Documents, Model, Workspace};
use crate::tokenizer::Vocabulary;
use crate::weights::Folder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use superalign_core::Estimate;

/// Tokens that pass through the model at once.
const BATCH_TOKENS: usize = 2048;

/// A text with the right verdict on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What the model reads.
    pub text: String,
    /// Whether the right verdict is yes.
    pub label: bool,
    /// What kind of item it is.
    #[serde(default)]
    pub tags: ItemTags,
}

/// The columns by which accuracy is broken down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemTags {
    /// Which ability the label speaks about.
    #[serde(default)]
    pub objective: String,
    /// Family of task.
    #[serde(default)]
    pub family: String,
    /// Difficulty from 1 to 6.
    #[serde(default)]
    pub difficulty: Option<u8>,
}

/// Reads items, one JSON object per line; other fields are ignored.
///
/// # Errors
/// A file that cannot be read, is empty, or has a line that is no item.
pub fn read_items(path: &Path) -> Result<Vec<Item>, Error> {
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    let mut items = Vec::new();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        items.push(serde_json::from_str(line).map_err(|e| Error::Items {
            place: format!("{}, line {}", path.display(), i + 1),
            reason: format!(
                "not an item: {e}; expected an object with `text`, `label` (true or false) and `tags`"
            ),
        })?);
    }
    if items.is_empty() {
        let place = path.display().to_string();
        return Err(Error::Items { place, reason: "no item: expected one JSON object per line".into() });
    }
    Ok(items)
}

/// ln p(yes) - ln p(no) after each text, in the order given; above 0 the model says yes.
///
/// # Errors
/// A word that the vocabulary lacks, a text longer than the model takes.
pub fn margins(
    folder: &Folder,
    items: &[Item],
    yes: &str,
    no: &str,
    done: &mut dyn FnMut(usize),
) -> Result<Vec<f32>, Error> {
    let Folder { model, vocabulary } = folder;
    let word = |word: &str| {
        vocabulary.number(word).map(|n| n as usize).ok_or_else(|| Error::Items {
            place: "verdicts".into(),
            reason: format!("the word `{word}` is not in the vocabulary of this model"),
        })
    };
    let (yes, no) = (word(yes)?, word(no)?);
    let mut space = Workspace::new();
    let mut margins = Vec::with_capacity(items.len());
    let (mut tokens, mut ends) = (Vec::new(), Vec::new());
    let mut last_ends = 0;
    for (i, item) in items.iter().enumerate() {
        encode(vocabulary, item, i, &mut tokens)?;
        ends.push(tokens.len());
        let longest = model.shape().positions;
        if tokens.len() - last_ends > longest {
            return Err(Error::Items {
                place: format!("item {}", i + 1),
                reason: format!(
                    "{} tokens, but the model takes {longest}: shorten the text",
                    tokens.len() - last_ends
                ),
            });
        }
        last_ends = tokens.len();
        if tokens.len() >= BATCH_TOKENS || i + 1 == items.len() {
            run(model, &tokens, &ends, [yes, no], &mut space, &mut margins)?;
            tokens.clear();
            ends.clear();
            last_ends = 0;
            done(i + 1);
        }
    }
    Ok(margins)
}

fn encode(vocabulary: &Vocabulary, item: &Item, index: usize, tokens: &mut Vec<u32>) -> Result<(), Error> {
    vocabulary.encode(&item.text, || format!("item {}", index + 1), tokens)
}

fn run(
    model: &Model<f32>,
    tokens: &[u32],
    ends: &[usize],
    [yes, no]: [usize; 2],
    space: &mut Workspace<f32>,
    margins: &mut Vec<f32>,
) -> Result<(), Error> {
    model.forward(&Documents::new(tokens, ends, model.shape())?, space);
    let rows = space.logits().chunks_exact(model.shape().vocabulary);
    // The normaliser is the same for both words and cancels.
    let differences: Vec<f32> = rows.map(|row| row[yes] - row[no]).collect();
    margins.extend(ends.iter().map(|&end| differences[end - 1]));
    Ok(())
}

/// Accuracy over some of the items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// `all`, `objective`, `family` or `difficulty`.
    pub by: String,
    /// The value that its items share.
    pub value: String,
    /// Number of items.
    pub items: usize,
    /// Accuracy with its 95% Wilson interval.
    pub accuracy: Estimate,
    /// Accuracy with the threshold at the group's own median margin instead of 0: what is left when a bias
    /// towards one verdict is taken away (for balanced groups).
    pub centred: Estimate,
    /// How often the model says yes.
    pub yes: f64,
}

/// Accuracy overall, per objective, per family, per difficulty, and per family and difficulty.
#[must_use]
pub fn summarise(items: &[Item], margins: &[f32]) -> Vec<Group> {
    let mut members: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
    for (i, item) in items.iter().enumerate() {
        let tags = &item.tags;
        let difficulty = tags.difficulty.map(|d| d.to_string());
        let keys = [
            Some("all".to_string()),
            Some(tags.objective.clone()).filter(|s| !s.is_empty()),
            Some(tags.family.clone()).filter(|s| !s.is_empty()),
            difficulty.clone(),
            difficulty.filter(|_| !tags.family.is_empty()).map(|d| format!("{} {d}", tags.family)),
        ];
        for (rank, key) in keys.into_iter().enumerate() {
            if let Some(key) = key {
                members.entry((rank, key)).or_default().push(i);
            }
        }
    }
    members
        .into_iter()
        .filter_map(|((rank, value), places)| {
            let n = places.len();
            let some = NonZeroUsize::new(n)?;
            let right = |threshold: f32| {
                let hits = places.iter().filter(|&&i| (margins[i] > threshold) == items[i].label).count();
                wilson(hits, some)
            };
            let mut sorted: Vec<f32> = places.iter().map(|&i| margins[i]).collect();
            sorted.sort_by(f32::total_cmp);
            let median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
            Some(Group {
                by: ["all", "objective", "family", "difficulty", "family and difficulty"][rank].into(),
                value,
                items: n,
                accuracy: right(0.0),
                centred: right(median),
                yes: places.iter().filter(|&&i| margins[i] > 0.0).count() as f64 / n as f64,
            })
        })
        .collect()
}

/// A proportion with its 95% interval (Wilson 1927).
#[must_use]
pub fn wilson(hits: usize, n: NonZeroUsize) -> Estimate {
    const Z: f64 = 1.959_963_984_540_054;
    let n = n.get() as f64;
    let p = hits as f64 / n;
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Estimate { value: p, lo: (middle - half).max(0.0), hi: (middle + half).min(1.0) }
}
