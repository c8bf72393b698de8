//! A graph that continues a key-value cache, made one that reads whole sequences: its cache is empty, always.
//!
//! Exports for generation ask for `past_key_values.N.key|value` `(batch, heads, past, size)`. Here these inputs become
//! values that the graph makes itself, of length 0, so that it can be asked like a graph without cache.

use super::message::{integer, put_node};
use super::wire::{fields, put_bytes, put_number};
use super::{Graph, Port, read_port};

/// ONNX's numbers for element types.
const FLOAT16: u64 = 10;
const INT64: u64 = 7;
const BOOL: u64 = 9;

/// Head count and head size of the cache, for graphs that do not state them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheShape {
    pub(crate) heads: Option<u64>,
    pub(crate) size: Option<u64>,
}

/// Whether an input is part of a key-value cache.
pub(crate) fn is_cache(name: &str) -> bool {
    name.starts_with("past_key_values") || name.starts_with("past_key.") || name.starts_with("past_value.")
}

/// Inputs that say how a cache is used: whether it is, and how many logits are wanted (0: all).
pub(crate) const SWITCHES: [&str; 2] = ["use_cache_branch", "num_logits_to_keep"];

impl Graph {
    /// The graph with an empty cache: without the inputs of the cache and of its switches.
    pub(crate) fn stateless(&self, stated: CacheShape) -> Result<Self, String> {
        let mut nodes = Vec::new();
        let mut constants = Vec::new();
        put_node(&mut nodes, "", "Shape", &["input_ids"], &["superalign.shape"], &[]);
        put_bytes(&mut constants, 5, &whole_numbers("superalign.first", &[0]));
        put_node(
            &mut nodes,
            "",
            "Gather",
            &["superalign.shape", "superalign.first"],
            &["superalign.batch"],
            &[integer("axis", 0)],
        );
        let mut shapes: Vec<(u64, u64)> = Vec::new();
        for port in &self.inputs {
            if is_cache(&port.name) {
                let shape = shape_of(port, stated)?;
                if !shapes.contains(&shape) {
                    shapes.push(shape);
                    let (rest, whole) = names(shape);
                    put_bytes(&mut constants, 5, &whole_numbers(&rest, &[shape.0, 0, shape.1]));
                    put_node(
                        &mut nodes,
                        "",
                        "Concat",
                        &["superalign.batch", &rest],
                        &[&whole],
                        &[integer("axis", 0)],
                    );
                }
                let value = zero(port.element);
                put_node(
                    &mut nodes,
                    "",
                    "ConstantOfShape",
                    &[&names(shape).1],
                    &[&port.name],
                    &[tensor("value", &value)],
                );
            } else if SWITCHES.contains(&port.name.as_str()) {
                put_bytes(&mut constants, 5, &off(port)?);
            }
        }
        let message = &self.bytes[self.body.clone()];
        let mut body = nodes;
        body.extend_from_slice(&constants);
        body.reserve(message.len());
        for field in fields(message) {
            let field = field?;
            let name = match (field.number, field.bytes()) {
                (11, Some(port)) => read_port(port)?.name,
                _ => String::new(),
            };
            if !(is_cache(&name) || SWITCHES.contains(&name.as_str())) {
                body.extend_from_slice(&message[field.whole]);
            }
        }
        Self::parse(self.with_body(&body)?)
    }
}

/// Heads and size of an input of the cache.
fn shape_of(port: &Port, stated: CacheShape) -> Result<(u64, u64), String> {
    let heads = port.shape.get(1).copied().flatten().or(stated.heads);
    let size = port.shape.get(3).copied().flatten().or(stated.size);
    match (port.shape.len(), heads, size) {
        (4, Some(heads), Some(size)) => Ok((heads, size)),
        (dimensions, ..) => Err(format!(
            "input {} has {dimensions} dimensions, {}; expected the four dimensions batch, heads, past, size, with \
             heads and size in the graph or in config.json",
            port.name,
            if dimensions == 4 {
                "and neither it nor config.json says how many heads of what size"
            } else {
                "which is another kind of cache"
            }
        )),
    }
}

fn names((heads, size): (u64, u64)) -> (String, String) {
    (format!("superalign.rest.{heads}x{size}"), format!("superalign.past.{heads}x{size}"))
}

/// A switch, off: false or 0 in the shape that the input has.
fn off(port: &Port) -> Result<Vec<u8>, String> {
    let dims: Vec<u64> = port.shape.iter().map(|dim| dim.unwrap_or(1)).collect();
    let width = match port.element {
        BOOL => 1,
        INT64 => 8,
        _ => 0,
    };
    if width == 0 || dims.iter().any(|dim| *dim != 1) {
        return Err(format!(
            "input {} has element type {} and shape {dims:?}; expected one value, true or false ({BOOL}) or a 64-bit \
             whole number ({INT64})",
            port.name, port.element
        ));
    }
    Ok(raw(&port.name, port.element, &dims, &[0; 8][..width]))
}

fn raw(name: &str, element: u64, dims: &[u64], bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    dims.iter().for_each(|dim| put_number(&mut out, 1, *dim));
    put_number(&mut out, 2, element);
    put_bytes(&mut out, 8, name.as_bytes());
    put_bytes(&mut out, 9, bytes);
    out
}

fn whole_numbers(name: &str, values: &[u64]) -> Vec<u8> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    raw(name, INT64, &[values.len() as u64], &bytes)
}

fn zero(element: u64) -> Vec<u8> {
    let width = if element == FLOAT16 || element == 16 { 2 } else { 4 };
    raw("", element, &[1], &vec![0; width])
}

fn tensor(name: &str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, 1, name.as_bytes());
    put_bytes(&mut out, 5, value);
    put_number(&mut out, 20, 4);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(element: u64, shape: &[Option<u64>]) -> Port {
        Port { name: "past_key_values.0.key".into(), element, shape: shape.to_vec() }
    }

    #[test]
    fn the_shape_of_a_cache_is_the_graphs_else_the_configurations() {
        let stated = CacheShape { heads: Some(2), size: Some(64) };
        assert_eq!(shape_of(&port(1, &[None, Some(4), None, Some(8)]), stated), Ok((4, 8)));
        assert_eq!(shape_of(&port(1, &[None, None, None, Some(8)]), stated), Ok((2, 8)));
        let said =
            [shape_of(&port(1, &[None; 4]), CacheShape::default()), shape_of(&port(1, &[None; 3]), stated)]
                .map(|error| error.expect_err("unknown"));
        assert!(said[0].contains("neither it nor config.json says how many heads"), "{}", said[0]);
        assert!(said[1].contains("has 3 dimensions, which is another kind of cache"), "{}", said[1]);
    }

    #[test]
    fn only_a_single_value_can_be_switched_off() {
        assert!(off(&port(BOOL, &[Some(1)])).is_ok() && off(&port(INT64, &[])).is_ok());
        assert!(off(&port(1, &[Some(1)])).is_err() && off(&port(BOOL, &[Some(2)])).is_err());
    }

    #[test]
    fn names_of_a_cache_are_told_from_others() {
        assert!(is_cache("past_key_values.11.value") && is_cache("past_key_values.0.decoder.key"));
        assert!(!is_cache("position_ids") && !is_cache("present.0.key"));
    }
}
