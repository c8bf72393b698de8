//! A graph that does nothing but multiply large matrices, to learn what a device can do at best.

use super::FLOAT32;
use super::message::port;
use super::wire::{put_bytes, put_number};

/// A graph with the input `factor`, one 32-bit float, that multiplies a square matrix, times the factor, `products` times
/// by another, and gives the mean.
pub(crate) fn matrix_chain(side: usize, products: usize) -> Vec<u8> {
    let scale = 1.0 / (side as f32).sqrt();
    // Signs without a pattern keep the values in range, and the multipliers busy.
    let sign = |at: u64| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63) as f32 * 2.0 - 1.0;
    let count = (side * side) as u64;
    let bytes: Vec<u8> = (0..count).flat_map(|at| (sign(at) * scale).to_le_bytes()).collect();
    let mut graph = Vec::new();
    let mut node = |operator: &str, inputs: &[&str], output: &str| {
        let mut node = Vec::new();
        inputs.iter().for_each(|input| put_bytes(&mut node, 1, input.as_bytes()));
        put_bytes(&mut node, 2, output.as_bytes());
        put_bytes(&mut node, 4, operator.as_bytes());
        put_bytes(&mut graph, 1, &node);
    };
    node("Mul", &["matrix", "factor"], "state.0");
    for step in 0..products {
        node("MatMul", &[&format!("state.{step}"), "matrix"], &format!("state.{}", step + 1));
    }
    node("ReduceMean", &[&format!("state.{products}")], "mean");
    put_bytes(&mut graph, 2, b"chain");
    let mut matrix = Vec::new();
    put_number(&mut matrix, 1, side as u64);
    put_number(&mut matrix, 1, side as u64);
    put_number(&mut matrix, 2, 1);
    put_bytes(&mut matrix, 8, b"matrix");
    put_bytes(&mut matrix, 9, &bytes);
    put_bytes(&mut graph, 5, &matrix);
    put_bytes(&mut graph, 11, &port("factor", FLOAT32, &[Some(1)]));
    put_bytes(&mut graph, 12, &port("mean", FLOAT32, &[Some(1), Some(1)]));
    let mut opset = Vec::new();
    put_number(&mut opset, 2, 17);
    let mut file = Vec::new();
    put_number(&mut file, 1, 8);
    put_bytes(&mut file, 7, &graph);
    put_bytes(&mut file, 8, &opset);
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    #[test]
    fn the_chain_is_a_graph() {
        let graph = Graph::parse(matrix_chain(4, 3)).expect("a graph");
        assert_eq!(graph.parameters(), 16);
        assert_eq!((graph.inputs.len(), graph.outputs.len(), graph.nodes.len()), (1, 1, 5));
        assert_eq!(graph.inputs[0].shape, [Some(1)]);
    }
}
