//! From model folders to rungs: one model at one layer each, from the weakest to the strongest.

use super::RungPlan;
use crate::record::cell_safe;
use crate::spec::{ModelSource, ModelsSpec};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use superalign_core::{Layer, Model, ModelCard};

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

#[derive(Clone, Deserialize)]
struct LadderRung {
    name: String,
    /// Layers and width that the model must have, where it comes from elsewhere.
    layers: Option<usize>,
    width: Option<usize>,
    /// Repository of the weights of a model that is not shipped.
    source: Option<String>,
    /// The command that makes its folder; `SOURCE` and `DIR` stand for the repository and the folder.
    get: Option<String>,
}

impl LadderRung {
    /// How its folder comes about.
    fn remedy(&self, folder: &Path) -> String {
        match (&self.source, &self.get) {
            (None, None) => {
                "a trained rung: `cargo xtask pretrain` makes the ladder, `--model DIR` takes another model"
                    .into()
            }
            (source, get) => {
                let source = source.as_deref().unwrap_or("ORG/NAME");
                let get = get.as_deref().unwrap_or("superalign models fetch SOURCE -o DIR");
                let command = get.replace("SOURCE", source).replace("DIR", &folder.display().to_string());
                format!("the model {source}: `{command}` gets it")
            }
        }
    }
}

/// The model folders that a spec means, from the weakest to the strongest.
///
/// # Errors
/// A ladder without a readable `ladder.toml`, or without a rung that the spec names.
pub fn rung_folders(models: &ModelsSpec) -> Result<Vec<PathBuf>, LadderError> {
    Ok(sources(models)?.into_iter().map(|(folder, _)| folder).collect())
}

/// The model folders with what the ladder says of them.
fn sources(models: &ModelsSpec) -> Result<Vec<(PathBuf, Option<LadderRung>)>, LadderError> {
    let (ladder, wanted) = match &models.source {
        ModelSource::Folders(folders) => {
            return Ok(folders.iter().map(|folder| (folder.clone(), None)).collect());
        }
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
    if read.rungs.is_empty() {
        return Err(failed("an empty list".into()));
    }
    let count = read.rungs.len();
    let numbers = wanted.clone().unwrap_or_else(|| (1..=count).collect());
    let missing = |n| LadderError::Missing {
        what: format!("rung of {}", ladder.display()),
        named: n,
        available: format!("rungs 1 to {count}"),
    };
    let mut chosen = Vec::new();
    for n in numbers {
        let rung = n.checked_sub(1).and_then(|at| read.rungs.get(at).cloned()).ok_or_else(|| missing(n))?;
        let folder = ladder.join(&rung.name);
        if !folder.is_dir() {
            let expected = rung.remedy(&folder);
            return Err(LadderError::Ladder { path: folder, found: "no such folder".into(), expected });
        }
        chosen.push((folder, Some(rung)));
    }
    Ok(chosen)
}

/// A model from elsewhere must be the one that the ladder means.
fn check_shape(folder: &Path, rung: &LadderRung, card: &ModelCard) -> Result<(), LadderError> {
    let differs = |stated: Option<usize>, found: usize| stated.is_some_and(|stated| stated != found);
    if rung.source.is_some() && (differs(rung.layers, card.layers) || differs(rung.width, card.width)) {
        let or = |stated: Option<usize>| stated.map_or("any".to_owned(), |stated| stated.to_string());
        return Err(LadderError::Ladder {
            path: folder.to_owned(),
            found: format!("a model of {} layers and width {}", card.layers, card.width),
            expected: format!(
                "{} layers and width {}; {}",
                or(rung.layers),
                or(rung.width),
                rung.remedy(folder)
            ),
        });
    }
    Ok(())
}

/// Opens the models and lists the rungs.
///
/// # Errors
/// As [`rung_folders`]; a folder that is no model; a layer that a model lacks.
pub fn open_rungs(models: &ModelsSpec, open: OpenModel<'_>) -> Result<(Models, Vec<Rung>), LadderError> {
    let (mut opened, mut rungs): (Models, Vec<Rung>) = (Vec::new(), Vec::new());
    for (folder, rung) in sources(models)? {
        let model = open(&folder)?;
        let card = model.card().clone();
        if let Some(rung) = &rung {
            check_shape(&folder, rung, &card)?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::PoolingChoice;

    fn spec(ladder: &Path, rungs: Option<Vec<usize>>) -> ModelsSpec {
        let source = ModelSource::Ladder(ladder.to_owned(), rungs);
        ModelsSpec { source, layers: None, pooling: PoolingChoice::Auto }
    }

    /// A model of two layers and width 8 that is never asked.
    struct Silent(ModelCard);

    impl Model for Silent {
        fn card(&self) -> &ModelCard {
            &self.0
        }

        fn embed(
            &mut self,
            _: &[&str],
            _: superalign_core::EmbedRequest,
            _: &mut dyn FnMut(usize) -> bool,
        ) -> Result<ndarray::Array2<f32>, superalign_core::ModelError> {
            Err(superalign_core::ModelError::Stopped)
        }

        fn choice_log_likelihoods(
            &mut self,
            _: &[superalign_core::ChoicePrompt],
            _: &mut dyn FnMut(usize) -> bool,
        ) -> Result<Vec<Vec<superalign_core::LogLikelihood>>, superalign_core::ModelError> {
            Err(superalign_core::ModelError::Stopped)
        }
    }

    fn silent(_: &Path) -> Result<Box<dyn Model>, LadderError> {
        Ok(Box::new(Silent(ModelCard {
            name: "silent".into(),
            digest: String::new(),
            layers: 2,
            width: 8,
            parameters: None,
            generates: true,
            runtime: "none".into(),
        })))
    }

    #[test]
    fn a_rung_that_is_not_there_says_how_to_get_it() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        let qwen = rung_folders(&spec(&shipped.join("qwen2.5"), Some(vec![2]))).expect_err("not fetched");
        let clean = |error: &LadderError| error.to_string().replace(&shipped.display().to_string(), "models");
        insta::assert_snapshot!(clean(&qwen), @r#"
        the ladder models/qwen2.5/1.5b: no such folder; expected the model Qwen/Qwen2.5-1.5B-Instruct: `optimum-cli export onnx --model Qwen/Qwen2.5-1.5B-Instruct --task feature-extraction models/qwen2.5/1.5b` gets it
        "#);
        assert_eq!(rung_folders(&spec(&shipped.join("ladder"), None)).expect("shipped").len(), 4);
        let beyond = rung_folders(&spec(&shipped.join("qwen2.5"), Some(vec![5]))).expect_err("four rungs");
        assert!(beyond.to_string().contains("rungs 1 to 4"), "{beyond}");
    }

    #[test]
    fn a_model_from_elsewhere_must_have_the_shape_that_the_ladder_states() {
        let ladder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(ladder.path().join("small")).expect("made");
        let write = |text: &str| std::fs::write(ladder.path().join("ladder.toml"), text).expect("written");
        write("[[rung]]\nname = \"small\"\nsource = \"org/small\"\nlayers = 2\nwidth = 8\n");
        let spec = spec(ladder.path(), None);
        assert_eq!(open_rungs(&spec, &mut silent).expect("fits").1.len(), 1);
        write("[[rung]]\nname = \"small\"\nsource = \"org/small\"\nlayers = 3\nwidth = 8\n");
        let error = open_rungs(&spec, &mut silent).err().expect("another shape");
        let text = error.to_string().replace(&ladder.path().display().to_string(), "LADDER");
        insta::assert_snapshot!(text, @r#"
        the ladder LADDER/small: a model of 2 layers and width 8; expected 3 layers and width 8; the model org/small: `superalign models fetch org/small -o LADDER/small` gets it
        "#);
    }
}
