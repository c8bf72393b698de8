//! Hidden states of texts, one vector each: all at once, or as a stream.

use super::files::unreadable;
use super::sessions::{self, Padded};
use super::{OnnxModel, failure};
use crate::error::OpenError;
use crate::pipeline::{self, Heard, Shape, Steps};
use crate::tokenize::Tokens;
use ndarray::{Array2, ArrayView2, ArrayViewD, Axis, Ix3, s};
use ort::session::Session;
use std::path::Path;
use superalign_core::{EmbedRequest, Layer, ModelError, Pooling};

/// What is asked of [`OnnxModel::embed_stream`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// Which vectors.
    pub request: EmbedRequest,
    /// Whether they are scaled.
    pub scale: Scale,
    /// Texts at the beginning whose vectors are there already: windows that end before are read and passed over.
    pub skip: usize,
}

/// Whether vectors are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scale {
    /// As the model gives them.
    #[default]
    AsIs,
    /// To length 1 in the Euclidean norm, so that dot products are cosines; a vector of zeros is an error.
    UnitLength,
}

/// What [`OnnxModel::embed_stream`] tells.
#[derive(Debug)]
pub enum StreamEvent<'a> {
    /// So many texts are finished, with so many tokens, since the stream began.
    Progress {
        /// Texts, those passed over not counted.
        texts: usize,
        /// Their tokens.
        tokens: usize,
    },
    /// The next vectors, in the order of the texts.
    Vectors {
        /// Number of the first text.
        first: usize,
        /// Shape `(texts, width)`.
        vectors: ArrayView2<'a, f32>,
    },
}

/// The pooling that a folder of sentence-transformers states in `1_Pooling/config.json`; `None` where there is none.
///
/// # Errors
/// [`OpenError`]: the file cannot be read, or states none that is known here, or several.
pub fn stated_pooling(folder: &Path) -> Result<Option<Pooling>, OpenError> {
    let path = folder.join("1_Pooling").join("config.json");
    let object = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&path, &error)),
        Ok(bytes) => serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&bytes),
    };
    let invalid = |reason: String| OpenError::Invalid { path: path.clone(), reason };
    let object = object.map_err(|error| invalid(format!("not a JSON object: {error}")))?;
    // Newer files have one name, older ones a switch each.
    let stated: Vec<&str> = match object.get("pooling_mode").and_then(serde_json::Value::as_str) {
        Some(name) => vec![name],
        None => object
            .iter()
            .filter(|(_, value)| value.as_bool() == Some(true))
            .filter_map(|(key, _)| key.strip_prefix("pooling_mode_"))
            .collect(),
    };
    match stated.as_slice() {
        ["mean" | "mean_tokens"] => Ok(Some(Pooling::Mean)),
        ["cls" | "cls_token"] => Ok(Some(Pooling::Cls)),
        ["lasttoken"] => Ok(Some(Pooling::LastToken)),
        other => Err(invalid(format!(
            "it states the pooling {:?}, expected mean, cls or lasttoken; name one yourself",
            other.join(" and ")
        ))),
    }
}

/// A session with its room for a batch.
struct Worker<'a> {
    session: &'a mut Session,
    padded: Padded,
}

impl OnnxModel {
    /// The vectors of a stream of texts of any length, in the order given and in bounded memory.
    ///
    /// Texts are read in windows of 1,024 (8 MiB if that is less; more texts where batches are large), sorted by length
    /// within a window, and divided into batches of at most the token budget. Reading and `sink` run on the calling
    /// thread; tokenizing and inference beside it, on one thread per session and core. At most three windows are under
    /// way: where `sink` is slow, reading waits. The vectors are, to the bit, those of [`Model::embed`] for the same
    /// texts, whatever the number of cores; [`OnnxModel::usage`] counts what was cut.
    ///
    /// `sink` may end the stream with any error of its own; [`ModelError::Stopped`] is there for that.
    ///
    /// ```no_run
    /// use superalign_core::{EmbedRequest, Layer, ModelError, Pooling};
    /// use superalign_inference::{OnnxModel, OpenOptions, Runtime, Scale, StreamEvent, StreamOptions};
    ///
    /// let mut model = OnnxModel::open("minilm".as_ref(), Runtime::from_env()?, &OpenOptions::default())?;
    /// let request = EmbedRequest { pooling: Pooling::Mean, layer: Layer::Last };
    /// let options = StreamOptions { request, scale: Scale::UnitLength, skip: 0 };
    /// let texts = (0..1_000_000).map(|n| Ok::<_, ModelError>(format!("text number {n}")));
    /// let mut rows = 0;
    /// model.embed_stream(texts, &options, &mut |event| {
    ///     if let StreamEvent::Vectors { vectors, .. } = event {
    ///         rows += vectors.nrows(); // write them somewhere
    ///     }
    ///     Ok(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of `texts` and `sink`, and the [`ModelError`]s of [`Model::embed`]; the index in [`ModelError::Input`] is the
    /// number of the text in the stream. Vectors of windows before it were handed to `sink`.
    ///
    /// [`Model::embed`]: superalign_core::Model::embed
    pub fn embed_stream<T: AsRef<str> + Send, E: From<ModelError>>(
        &mut self,
        texts: impl IntoIterator<Item = Result<T, E>>,
        options: &StreamOptions,
        sink: &mut dyn FnMut(StreamEvent<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let StreamOptions { request, scale, skip } = *options;
        let output = self.state_output(request.layer)?;
        self.pool
            .bring_to_front(&self.graph_path, &self.graph, &output)
            .map_err(|reason| self.failed(&reason))?;
        let (width, card, roles, tokenizer) = (self.card.width, &self.card, &self.roles, &self.tokenizer);
        let usage = &mut self.usage;
        let mut workers: Vec<Worker<'_>> = self
            .pool
            .front()
            .iter_mut()
            .map(|session| Worker { session, padded: Padded::default() })
            .collect();
        let helpers = self.cores.saturating_sub(workers.len());
        let shape = Shape { equal: !roles.mask, skip, helpers, ..Shape::new(self.token_budget, width) };
        let steps = Steps {
            model: &card.name,
            size: &|text: &T| text.as_ref().len(),
            encode: &|text: &T| tokenizer.encode(text.as_ref()),
            length: &|tokens: &Tokens| tokens.ids.len(),
            answer: &|worker: &mut Worker<'_>, rows: &[&Tokens]| {
                let Worker { session, padded } = worker;
                padded.fill(rows.iter().map(|tokens| (tokens.ids.as_slice(), tokens.types.as_slice())));
                let read = |states: ArrayViewD<'_, f32>| {
                    let mut vectors = pool(states, &padded.lengths, request.pooling, width)?;
                    if scale == Scale::UnitLength {
                        to_unit_length(&mut vectors)?;
                    }
                    Ok(vectors.into_raw_vec_and_offset().0)
                };
                sessions::run(session, roles, padded, read).map_err(|reason| failure(card, &reason))
            },
        };
        let (mut texts_done, mut tokens_done) = (0, 0);
        pipeline::run(&mut workers, &shape, &mut texts.into_iter(), &steps, &mut |heard| match heard {
            Heard::Encoded(rows) => {
                rows.iter().for_each(|row| usage.add(row.ids.len(), row.truncated, row.unknown));
                Ok(())
            }
            Heard::Batch { items, tokens } => {
                (texts_done, tokens_done) = (texts_done + items, tokens_done + tokens);
                sink(StreamEvent::Progress { texts: texts_done, tokens: tokens_done })
            }
            Heard::Window { first, answers } => sink(StreamEvent::Vectors { first, vectors: answers }),
        })
    }

    pub(super) fn embed_texts(
        &mut self,
        texts: &[&str],
        request: EmbedRequest,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError> {
        let mut vectors = Array2::zeros((texts.len(), self.card.width));
        let options = StreamOptions { request, scale: Scale::AsIs, skip: 0 };
        self.embed_stream(texts.iter().map(Ok), &options, &mut |event| {
            match event {
                StreamEvent::Progress { texts, .. } if !done(texts) => return Err(ModelError::Stopped),
                StreamEvent::Progress { .. } => {}
                StreamEvent::Vectors { first, vectors: part } => {
                    vectors.slice_mut(s![first..first + part.nrows(), ..]).assign(&part);
                }
            }
            Ok(())
        })?;
        Ok(vectors)
    }

    /// The output that holds a layer.
    fn state_output(&self, layer: Layer) -> Result<String, ModelError> {
        let states = &self.roles.states;
        let unsupported = |wanted: String| {
            let given = |(n, name): (usize, &Option<String>)| name.as_ref().map(|_| n.to_string());
            let given: Vec<String> = states.iter().enumerate().filter_map(given).collect();
            let given = if given.is_empty() {
                "none: export it with its hidden states".to_owned()
            } else {
                format!("layers {}", given.join(", "))
            };
            ModelError::Unsupported {
                model: self.card.name.clone(),
                reason: format!("it does not give the states of {wanted}; it gives {given}"),
            }
        };
        match layer {
            Layer::Last => {
                states.last().cloned().flatten().ok_or_else(|| unsupported("the last layer".into()))
            }
            Layer::Index(n) => {
                states.get(n).cloned().flatten().ok_or_else(|| unsupported(format!("layer {n}")))
            }
        }
    }
}

/// One vector per row of states `(rows, positions, width)`, padding left out.
fn pool(
    states: ArrayViewD<'_, f32>,
    lengths: &[usize],
    pooling: Pooling,
    width: usize,
) -> Result<Array2<f32>, String> {
    let states = states.into_dimensionality::<Ix3>().map_err(|error| error.to_string())?;
    if states.len_of(Axis(2)) != width {
        return Err(format!("states of width {}, expected {width}", states.len_of(Axis(2))));
    }
    let mut vectors = Array2::zeros((lengths.len(), width));
    for (row, &length) in lengths.iter().enumerate() {
        let real: ArrayView2<'_, f32> = states.slice(s![row, ..length, ..]);
        let mut vector = vectors.row_mut(row);
        match pooling {
            Pooling::LastToken => vector.assign(&real.row(length - 1)),
            Pooling::Cls => vector.assign(&real.row(0)),
            Pooling::Mean => {
                real.outer_iter().for_each(|state| vector += &state);
                vector /= length as f32;
            }
        }
    }
    Ok(vectors)
}

/// Scales each row to length 1.
fn to_unit_length(vectors: &mut Array2<f32>) -> Result<(), String> {
    for mut vector in vectors.outer_iter_mut() {
        let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        if length == 0.0 {
            return Err("a vector of zeros, which has no direction; leave the vectors as they are".into());
        }
        vector.mapv_inplace(|x| (f64::from(x) / length) as f32);
    }
    Ok(())
}
