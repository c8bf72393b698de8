//! Builds an ONNX graph node by node.
//!
//! A value is named after the node that makes it, and nodes after the module of the Hugging Face model that they
//! belong to (`model.layers.0.mlp.down_proj.MatMul`), so that a graph viewer shows the model's own structure.
//! There is nothing here about decoders.

use prost::Message;

use super::error::ExportError;
use super::proto::{
    Attribute, AttributeKind, Axis, Element, Entry, Extent, Graph, Location, Model, Node, OperatorSet, Shape,
    Tensor, TensorType, Type, ValueInfo,
};
use super::weights::Weights;

/// Operator set 17 and file version 8: ONNX 1.12 of 2022, which every runtime of today reads.
const OPERATOR_SET: i64 = 17;
const FILE_VERSION: i64 = 8;

/// The name of a value in the graph.
pub(super) type Value = String;

/// The length of an axis of an input or output.
#[derive(Clone, Copy)]
pub(super) enum Length {
    /// Known when the graph is written.
    Fixed(usize),
    /// Known when it runs; equal names are equal lengths, and a sum of names is their sum.
    Named(&'static str),
}

/// A tensor of the safetensors file, and how it is stored there.
#[derive(Clone)]
pub(super) struct Weight {
    pub(super) name: Value,
    pub(super) element: Element,
}

/// A graph in the making, whose weights stay in the safetensors file.
pub(super) struct Builder<'a> {
    weights: &'a Weights,
    graph: Graph,
}

impl<'a> Builder<'a> {
    /// An empty graph over the tensors of `weights`.
    pub(super) fn new(name: &str, weights: &'a Weights) -> Self {
        Self { weights, graph: Graph { name: name.to_owned(), ..Graph::default() } }
    }

    /// Declares an input.
    pub(super) fn input(&mut self, name: &str, element: Element, shape: &[Length]) -> Value {
        self.graph.input.push(value_info(name, element, shape));
        name.to_owned()
    }

    /// Declares an output, which some node must make.
    pub(super) fn output(&mut self, name: &str, element: Element, shape: &[Length]) {
        self.graph.output.push(value_info(name, element, shape));
    }

    /// Adds a node with one output, named as the node.
    pub(super) fn node(&mut self, op: &str, name: &str, inputs: &[&str]) -> Value {
        self.node_with(op, name, inputs, Vec::new())
    }

    /// Adds a node with attributes and one output, named as the node.
    pub(super) fn node_with(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attribute: Vec<Attribute>,
    ) -> Value {
        self.push(op, name, inputs, attribute, vec![name.to_owned()]);
        name.to_owned()
    }

    /// Splits the last axis in two halves.
    pub(super) fn halves(&mut self, name: &str, x: &str) -> (Value, Value) {
        let (low, high) = (format!("{name}.low"), format!("{name}.high"));
        self.push("Split", name, &[x], vec![int("axis", -1)], vec![low.clone(), high.clone()]);
        (low, high)
    }

    fn push(&mut self, op: &str, name: &str, inputs: &[&str], attribute: Vec<Attribute>, output: Vec<Value>) {
        let input = inputs.iter().map(|&value| value.to_owned()).collect();
        self.graph.node.push(Node {
            input,
            output,
            name: name.to_owned(),
            op_type: op.to_owned(),
            attribute,
        });
    }

    /// A single-precision number, without axes.
    pub(super) fn scalar(&mut self, name: &str, value: f32) -> Value {
        self.constant(name, Element::F32, &[], value.to_le_bytes().to_vec())
    }

    /// A list of single-precision numbers.
    pub(super) fn floats(&mut self, name: &str, values: &[f32]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, Element::F32, &[values.len()], bytes)
    }

    /// An integer, without axes.
    pub(super) fn integer(&mut self, name: &str, value: i64) -> Value {
        self.constant(name, Element::I64, &[], value.to_le_bytes().to_vec())
    }

    /// A list of integers: axes or a shape.
    pub(super) fn integers(&mut self, name: &str, values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, Element::I64, &[values.len()], bytes)
    }

    fn constant(&mut self, name: &str, element: Element, dims: &[usize], bytes: Vec<u8>) -> Value {
        self.graph.initializer.push(Tensor {
            dims: dims.iter().map(|&n| n as i64).collect(),
            data_type: element.into(),
            name: name.to_owned(),
            raw_data: Some(bytes),
            ..Tensor::default()
        });
        name.to_owned()
    }

    /// A tensor of the safetensors file, as it is stored; [`Self::single`] makes it single precision.
    pub(super) fn weight(&mut self, name: &str, shape: &[usize]) -> Result<Weight, ExportError> {
        let placed = self.weights.place(name, shape)?;
        let entry = |key: &str, value: String| Entry { key: key.to_owned(), value };
        self.graph.initializer.push(Tensor {
            dims: shape.iter().map(|&n| n as i64).collect(),
            data_type: placed.element.into(),
            name: name.to_owned(),
            external_data: vec![
                entry("location", self.weights.location.clone()),
                entry("offset", placed.offset.to_string()),
                entry("length", placed.length.to_string()),
            ],
            data_location: Location::External.into(),
            ..Tensor::default()
        });
        Ok(Weight { name: name.to_owned(), element: placed.element })
    }

    /// `weight` in single precision: itself if it is stored so.
    pub(super) fn single(&mut self, name: &str, weight: &Weight) -> Value {
        if weight.element == Element::F32 {
            return weight.name.clone();
        }
        self.cast(name, &weight.name, Element::F32)
    }

    /// Converts the elements of `value`.
    pub(super) fn cast(&mut self, name: &str, value: &str, to: Element) -> Value {
        self.node_with("Cast", name, &[value], vec![int("to", i64::from(i32::from(to)))])
    }

    /// The file: equal graphs give equal bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let note = format!("Weights are external data: keep {} in the same folder.", self.weights.location);
        Model {
            ir_version: FILE_VERSION,
            producer_name: env!("CARGO_PKG_NAME").to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            doc_string: note,
            graph: Some(self.graph),
            opset_import: vec![OperatorSet { domain: String::new(), version: OPERATOR_SET }],
        }
        .encode_to_vec()
    }
}

/// An integer attribute.
pub(super) fn int(name: &str, value: i64) -> Attribute {
    Attribute { name: name.to_owned(), i: Some(value), ints: Vec::new(), kind: AttributeKind::Int.into() }
}

/// An attribute that is a list of integers.
pub(super) fn ints(name: &str, values: &[i64]) -> Attribute {
    Attribute { name: name.to_owned(), i: None, ints: values.to_vec(), kind: AttributeKind::Ints.into() }
}

fn value_info(name: &str, element: Element, shape: &[Length]) -> ValueInfo {
    let axis = |length: &Length| Axis {
        value: Some(match *length {
            Length::Fixed(n) => Extent::Fixed(n as i64),
            Length::Named(name) => Extent::Named(name.to_owned()),
        }),
    };
    let shape = Some(Shape { dim: shape.iter().map(axis).collect() });
    let tensor = Some(TensorType { elem_type: element.into(), shape });
    ValueInfo { name: name.to_owned(), kind: Some(Type { tensor }) }
}
