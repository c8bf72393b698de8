//! A model tried out: two texts alone, and both in one padded batch, must give the same.

use super::sessions::said;
use super::{OnnxModel, failure};
use crate::graph::Graph;
use ndarray::{Array2, ArrayD, Axis};
use ort::session::Session;
use ort::value::TensorRef;
use serde::Serialize;
use superalign_core::ModelError;

/// How a trial went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SmokeTest {
    /// The output that was read.
    pub output: String,
    /// Number of tokens of each text.
    pub tokens: [usize; 2],
    /// What was read: the texts, or the first tokens of the vocabulary where the tokenizer knows no word of them.
    pub read: &'static str,
    /// Shape of the output for both texts.
    pub shape: Vec<usize>,
    /// |padded - alone| / |alone|, of all values of both texts taken together (Euclidean lengths).
    pub difference: f64,
    /// Largest difference that is put down to rounding, by the type of the weights.
    pub tolerance: f64,
}

impl SmokeTest {
    /// Whether padding changes nothing but the last digits.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.difference <= self.tolerance
    }
}

/// What rounding may change: 1e-4 for 32-bit floats, 0.02 for 16-bit floats, 0.3 for whole numbers, whose scale follows
/// the batch.
fn tolerance(graph: &Graph) -> f64 {
    match graph.elements().first() {
        Some((10, _)) => 0.02,
        Some((16, _)) => 0.05,
        Some((2..=5 | 21 | 22, _)) => 0.3,
        _ => 1e-4,
    }
}

impl OnnxModel {
    /// Runs two texts alone and together, padded to one length, and compares the answers.
    ///
    /// A graph without `attention_mask` is never given a padded batch; there the two rows are the first text twice.
    /// Read are the scores of a classifier, else the last layer's states, else the logits.
    ///
    /// # Errors
    /// The runtime fails, or an answer is not a finite number.
    pub fn smoke_test(&mut self, texts: [&str; 2]) -> Result<SmokeTest, ModelError> {
        let states = self.roles.states.iter().flatten().next_back();
        let output = self.roles.scores.as_ref().or(states).or(self.roles.logits.as_ref()).cloned();
        let output = output.ok_or_else(|| self.failed("it has no output that is known"))?;
        let (mut rows, read) = match self.tokenize(&texts, |tokenizer, text| tokenizer.encode(text)) {
            Ok(tokens) => (tokens.into_iter().map(|one| (one.ids, one.types)).collect(), "texts"),
            Err(ModelError::Input { .. }) => (self.first_tokens(), "first tokens of the vocabulary"),
            Err(error) => return Err(error),
        };
        if !self.roles.mask {
            rows = vec![rows[0].clone(); 2];
        }
        let tokens = [rows[0].0.len(), rows[1].0.len()];
        self.pool
            .bring_to_front(&self.graph_path, &self.graph, &output)
            .map_err(|reason| self.failed(&reason))?;
        let (card, roles, pad) = (&self.card, &self.roles, self.pad);
        let failed = |reason: String| failure(card, &reason);
        let session = self.pool.front().first_mut().ok_or_else(|| failed("no session was opened".into()))?;
        let wanted = [true, roles.mask, roles.types, roles.positions];
        let mut run = |rows: &[Row]| answers(session, rows, wanted, pad).map_err(failed);
        let alone = [run(&rows[..1])?, run(&rows[1..])?];
        let both = run(&rows)?;
        let (mut apart, mut size) = (0.0, 0.0);
        for (row, (alone, length)) in alone.iter().zip(tokens).enumerate() {
            let mut padded = both.index_axis(Axis(0), row).to_owned();
            let alone = alone.index_axis(Axis(0), 0);
            if padded.ndim() == 2 {
                padded = padded.slice_axis(Axis(0), ndarray::Slice::from(..length)).to_owned();
            }
            if padded.shape() != alone.shape() {
                let reason = format!(
                    "{output} has shape {:?} alone and {:?} in a batch",
                    alone.shape(),
                    padded.shape()
                );
                return Err(failed(reason));
            }
            for (a, b) in alone.iter().zip(&padded) {
                if !(a.is_finite() && b.is_finite()) {
                    return Err(failed(format!(
                        "{output} of text {row} has a value that is not a finite number"
                    )));
                }
                apart += f64::from(a - b).powi(2);
                size += f64::from(*a).powi(2);
            }
        }
        let difference = if apart == 0.0 { 0.0 } else { (apart / size).sqrt() };
        let shape = both.shape().to_vec();
        Ok(SmokeTest { output, tokens, read, shape, difference, tolerance: tolerance(&self.graph) })
    }

    /// Rows of 5 and 3 tokens from the beginning of the vocabulary.
    fn first_tokens(&self) -> Vec<Row> {
        let count = self.tokenizer.highest().map_or(1, |(_, id)| id + 1);
        [5, 3].map(|length| ((0..length).map(|id| id % count).collect(), vec![0; length as usize])).into()
    }
}

/// Token ids of a text, and which of two texts each belongs to.
pub(super) type Row = (Vec<u32>, Vec<u32>);

/// Runs rows in one batch, padded to one length; `wanted` says which of the four inputs the graph has.
pub(super) fn answers(
    session: &mut Session,
    rows: &[Row],
    wanted: [bool; 4],
    pad: i64,
) -> Result<ArrayD<f32>, String> {
    let shape = (rows.len(), rows.iter().map(|(ids, _)| ids.len()).max().unwrap_or(0));
    let table = |value: &dyn Fn(&Row, usize) -> Option<i64>, rest: i64| {
        Array2::from_shape_fn(shape, |(row, column)| value(&rows[row], column).unwrap_or(rest))
    };
    let ids = table(&|(ids, _), at| ids.get(at).map(|id| i64::from(*id)), pad);
    let mask = table(&|(ids, _), at| Some(i64::from(at < ids.len())), 0);
    let types = table(&|(_, types), at| types.get(at).map(|kind| i64::from(*kind)), 0);
    let positions = table(&|_, at| i64::try_from(at).ok(), 0);
    let names = ["input_ids", "attention_mask", "token_type_ids", "position_ids"];
    let mut inputs = Vec::new();
    for ((name, values), _) in
        names.into_iter().zip([&ids, &mask, &types, &positions]).zip(wanted).filter(|(_, wanted)| *wanted)
    {
        inputs.push((name, TensorRef::from_array_view(values).map_err(said)?));
    }
    let outputs = session.run(inputs).map_err(said)?;
    let value = outputs.values().next().ok_or("the runtime returned no output")?;
    let values = match value.try_extract_array::<f32>() {
        Ok(values) => values.to_owned(),
        Err(error) => match value.try_extract_array::<half::f16>() {
            Ok(values) => values.mapv(half::f16::to_f32),
            Err(_) => return Err(said(error)),
        },
    };
    if values.ndim() >= 2 && values.shape()[0] == rows.len() {
        Ok(values)
    } else {
        Err(format!("an output of shape {:?}, expected {} rows", values.shape(), rows.len()))
    }
}
