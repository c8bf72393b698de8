//! Hidden states of texts, one vector each.

use super::sessions::{self, Padded};
use super::{OnnxModel, failure};
use crate::batch;
use crate::tokenize::Tokens;
use ndarray::{Array2, ArrayView2, ArrayViewD, Axis, Ix3, s};
use superalign_core::{EmbedRequest, Layer, ModelError, Pooling};

impl OnnxModel {
    pub(super) fn embed_texts(
        &mut self,
        texts: &[&str],
        request: EmbedRequest,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Array2<f32>, ModelError> {
        let output = self.state_output(request.layer)?;
        if texts.is_empty() {
            return Ok(Array2::zeros((0, self.card.width)));
        }
        let rows = self.tokenize(texts, |tokenizer, text| tokenizer.encode(text))?;
        rows.iter().for_each(|row| self.usage.add(row.ids.len(), row.truncated, row.unknown));
        let lengths: Vec<usize> = rows.iter().map(|row| row.ids.len()).collect();
        let batches = batch::plan(&lengths, self.token_budget, !self.roles.mask);
        self.pool
            .bring_to_front(&self.graph_path, &self.graph, &output)
            .map_err(|reason| self.failed(&reason))?;

        let (width, card) = (self.card.width, &self.card);
        let failed = |reason: String| failure(card, &reason);
        let roles = &self.roles;
        let mut vectors = Array2::zeros((texts.len(), width));
        let mut finished = 0;
        batch::run(
            self.pool.front(),
            &batches,
            |session, batch| {
                let padded = Padded::new(batch.iter().map(|&row| {
                    let Tokens { ids, types, .. } = &rows[row];
                    (ids.as_slice(), types.as_slice())
                }));
                sessions::run(session, roles, &padded, |states| {
                    pool(states, &padded.lengths, request.pooling, width)
                })
                .map_err(failed)
            },
            |batch, pooled: Array2<f32>| {
                for (&row, vector) in batch.iter().zip(pooled.outer_iter()) {
                    if vector.iter().any(|x| !x.is_finite()) {
                        return Err(failed(format!("text {row} has a state that is not a finite number")));
                    }
                    vectors.row_mut(row).assign(&vector);
                }
                finished += batch.len();
                if done(finished) { Ok(()) } else { Err(ModelError::Stopped) }
            },
        )?;
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
            Pooling::Mean => {
                real.outer_iter().for_each(|state| vector += &state);
                vector /= length as f32;
            }
        }
    }
    Ok(vectors)
}
