//! From model folders to rungs: one model at one layer each, from the weakest to the strongest.

use super::RungPlan;
use crate::record::cell_safe;
use crate::spec::{ModelSource, ModelsSpec};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use superalign_core::{Layer, Model};

/// One rung of the ladder.
#[derive(Debug)]
pub struct Rung {
    /// What the plan says of it.
    pub plan: RungPlan,
    /// Which of the opened models it reads.
    pub model: usize,
}

/// Opens the model in a folder; tests give a fake.
pub type OpenModel<'a> = &'a mut dyn FnMut(&Path) -> Result<Box<dyn Model>, LadderError>;

/// Opened models; a rung names its own by position.
pub type Models = Vec<Box<dyn Model>>;

/// Why there is no ladder.
#[derive(Debug, thiserror::Error)]
pub enum LadderError {
    /// `ladder.toml` is missing or unreadable.
    #[error("the ladder {}: {found}; expected {expected}", path.display())]
    Ladder {
        /// The file.
        path: PathBuf,
        /// What was found.
        found: String,
        /// What was expected, or the remedy.
        expected: String,
    },
    /// A rung or layer that does not exist was named.
    #[error("{what} {named} does not exist; there are {available}")]
    Missing {
        /// Rung or layer, of what.
        what: String,
        /// The number that was given.
        named: usize,
        /// What there is.
        available: String,
    },
    /// A model cannot be opened.
    #[error("the model in {} cannot be used: {reason}", path.display())]
    Model {
        /// The folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// The part of `ladder.toml` that matters here: one `[[rung]]` table per folder, weakest first.
#[derive(Deserialize)]
struct LadderFile {
    #[serde(rename = "rung")]
    rungs: Vec<LadderRung>,
}

#[derive(Deserialize)]
struct LadderRung {
    name: String,
}

/// The model folders that a spec means, from the weakest to the strongest.
///
/// # Errors
/// A ladder without a readable `ladder.toml`, or without a rung that the spec names.
pub fn rung_folders(models: &ModelsSpec) -> Result<Vec<PathBuf>, LadderError> {
    let (ladder, wanted) = match &models.source {
        ModelSource::Folders(folders) => return Ok(folders.clone()),
        ModelSource::Ladder(path, wanted) => (path, wanted),
    };
    let file = ladder.join("ladder.toml");
    let failed = |found: String| LadderError::Ladder {
        path: file.clone(),
        found,
        expected: "`[[rung]]` tables with a `name`, weakest first (or give folders with `--model DIR`)"
            .into(),
    };
    let text = std::fs::read_to_string(&file).map_err(|e| failed(e.to_string()))?;
    let read: LadderFile = toml::from_str(&text).map_err(|e| failed(e.message().to_owned()))?;
    let all: Vec<PathBuf> = read.rungs.into_iter().map(|rung| ladder.join(rung.name)).collect();
    if let Some(missing) = all.iter().find(|rung| !rung.is_dir()) {
        return Err(LadderError::Ladder {
            path: missing.clone(),
            found: "no such folder".into(),
            expected:
                "a trained rung: `cargo xtask pretrain` makes the ladder, `--model DIR` takes another model"
                    .into(),
        });
    }
    if all.is_empty() {
        return Err(failed("an empty list".into()));
    }
    let Some(wanted) = wanted else { return Ok(all) };
    wanted
        .iter()
        .map(|&n| {
            all.get(n - 1).cloned().ok_or_else(|| LadderError::Missing {
                what: format!("rung of {}", ladder.display()),
                named: n,
                available: format!("rungs 1 to {}", all.len()),
            })
        })
        .collect()
}

/// Opens the models and lists the rungs.
///
/// # Errors
/// As [`rung_folders`]; a folder that is no model; a layer that a model lacks.
pub fn open_rungs(models: &ModelsSpec, open: OpenModel<'_>) -> Result<(Models, Vec<Rung>), LadderError> {
    let (mut opened, mut rungs): (Models, Vec<Rung>) = (Vec::new(), Vec::new());
    for folder in rung_folders(models)? {
        let model = open(&folder)?;
        let card = model.card().clone();
        let pooling = models.pooling.resolve(card.generates);
        let layers: Vec<Layer> = match &models.layers {
            None => vec![Layer::Last],
            Some(layers) => layers.iter().map(|&n| Layer::Index(n)).collect(),
        };
        for layer in layers {
            let mut name = cell_safe(&card.name);
            if let Layer::Index(n) = layer {
                if n > card.layers {
                    return Err(LadderError::Missing {
                        what: format!("layer of {}", card.name),
                        named: n,
                        available: format!("layers 0 (the embeddings) to {}", card.layers),
                    });
                }
                name = format!("{name}@{n}");
            }
            // Two folders of the same name are told apart by number.
            let twins =
                rungs.iter().filter(|r| r.plan.model.name == card.name && r.model != opened.len()).count();
            if twins > 0 {
                name = format!("{name}-{}", opened.len() + 1);
            }
            let plan = RungPlan { name, model: card.clone(), layer, pooling };
            rungs.push(Rung { plan, model: opened.len() });
        }
        opened.push(model);
    }
    Ok((opened, rungs))
}
