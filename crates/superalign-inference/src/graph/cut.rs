//! A graph cut down to the outputs that a task needs.

use super::wire::{fields, put_bytes};
use super::{External, Graph, read_node, read_port, read_weight};
use std::collections::HashSet;

/// Finds the bytes of a weight outside the file, or `None` to leave it there.
type TakeIn<'a> = dyn FnMut(&External) -> Result<Option<Vec<u8>>, String> + 'a;

impl Graph {
    /// The file with only `outputs` and what they need.
    ///
    /// Weights outside the file are taken in where `take_in` finds their bytes, and stay references where it
    /// returns `None`.
    pub(crate) fn keep(&self, outputs: &[&str], take_in: &mut TakeIn<'_>) -> Result<Vec<u8>, String> {
        let needed = self.needed(outputs);
        let body = self.keep_body(outputs, &needed, take_in)?;
        self.with_body(&body)
    }

    fn keep_body(
        &self,
        outputs: &[&str],
        needed: &HashSet<String>,
        take_in: &mut TakeIn<'_>,
    ) -> Result<Vec<u8>, String> {
        let message = &self.bytes[self.body.clone()];
        let mut body = Vec::with_capacity(message.len());
        for field in fields(message) {
            let field = field?;
            let inner = field.bytes().unwrap_or_default();
            let keep = match field.number {
                1 => read_node(inner)?.outputs.iter().any(|name| needed.contains(name)),
                5 => {
                    let weight = read_weight(inner)?;
                    if !needed.contains(&weight.name) {
                        false
                    } else if let Some(bytes) =
                        weight.external.as_ref().map(&mut *take_in).transpose()?.flatten()
                    {
                        put_bytes(&mut body, 5, &taken_in(inner, &bytes)?);
                        false
                    } else {
                        true
                    }
                }
                12 => outputs.contains(&read_port(inner)?.name.as_str()),
                13 => needed.contains(&read_port(inner)?.name),
                _ => true,
            };
            if keep {
                body.extend_from_slice(&message[field.whole]);
            }
        }
        Ok(body)
    }
}

/// The tensor with its bytes inside: without the reference (13, 14), with `raw_data` (9).
fn taken_in(tensor: &[u8], bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(tensor.len() + bytes.len());
    for field in fields(tensor) {
        let field = field?;
        if !matches!(field.number, 9 | 13 | 14) {
            out.extend_from_slice(&tensor[field.whole]);
        }
    }
    put_bytes(&mut out, 9, bytes);
    Ok(out)
}
