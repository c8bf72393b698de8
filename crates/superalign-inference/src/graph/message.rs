//! Messages of ONNX as they are written: nodes, their attributes, ports.

use super::wire::{put_bytes, put_number};

/// Appends a node to a graph, named by its first output; the domain of ONNX's own operators is empty.
pub(super) fn put_node(
    graph: &mut Vec<u8>,
    domain: &str,
    operator: &str,
    inputs: &[&str],
    outputs: &[&str],
    attributes: &[Vec<u8>],
) {
    let mut node = Vec::new();
    inputs.iter().for_each(|input| put_bytes(&mut node, 1, input.as_bytes()));
    outputs.iter().for_each(|output| put_bytes(&mut node, 2, output.as_bytes()));
    outputs.first().into_iter().for_each(|output| put_bytes(&mut node, 3, output.as_bytes()));
    put_bytes(&mut node, 4, operator.as_bytes());
    attributes.iter().for_each(|attribute| put_bytes(&mut node, 5, attribute));
    if !domain.is_empty() {
        put_bytes(&mut node, 7, domain.as_bytes());
    }
    put_bytes(graph, 1, &node);
}

/// An attribute that is a whole number.
pub(super) fn integer(name: &str, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, 1, name.as_bytes());
    put_number(&mut out, 3, value);
    put_number(&mut out, 20, 2);
    out
}

/// An input or output; a dimension without a size may be any.
pub(super) fn port(name: &str, element: u64, dims: &[Option<u64>]) -> Vec<u8> {
    let mut shape = Vec::new();
    for dim in dims {
        let mut size = Vec::new();
        if let Some(dim) = dim {
            put_number(&mut size, 1, *dim);
        }
        put_bytes(&mut shape, 1, &size);
    }
    let (mut tensor, mut kind, mut port) = (Vec::new(), Vec::new(), Vec::new());
    put_number(&mut tensor, 1, element);
    put_bytes(&mut tensor, 2, &shape);
    put_bytes(&mut kind, 1, &tensor);
    put_bytes(&mut port, 1, name.as_bytes());
    put_bytes(&mut port, 2, &kind);
    port
}
