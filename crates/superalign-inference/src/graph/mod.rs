//! What an ONNX file contains, read without a runtime: inputs, outputs, nodes and the shapes of the weights.
//!
//! Runtimes answer a file that is no graph, or weights that are missing, with whatever their parser trips over; one
//! of them computes every output whether it is wanted or not. So the file is read here first, refused with a reason,
//! and cut down to the outputs that a task needs ([`Graph::keep`]).

mod attention;
mod chain;
mod cut;
mod message;
mod stateless;
mod wire;

pub(crate) use attention::{ATTENTION, DOMAIN, InPlace, LayerCache};
pub(crate) use chain::matrix_chain;
pub(crate) use stateless::{CacheShape, SWITCHES, is_cache};

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use wire::{Field, fields, put_bytes, varint};

/// An input or output of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    /// Its name.
    pub(crate) name: String,
    /// Type of its elements, in ONNX's numbering.
    pub(crate) element: u64,
    /// Its dimensions; `None` where one is not fixed.
    pub(crate) shape: Vec<Option<u64>>,
}

/// ONNX's number for 32-bit floats.
pub(crate) const FLOAT32: u64 = 1;

/// ONNX's number for 64-bit whole numbers.
pub(crate) const INT64: u64 = 7;

/// A weight.
#[derive(Clone, Debug)]
struct Weight {
    name: String,
    dims: Vec<u64>,
    element: u64,
    external: Option<External>,
    /// Its values, where they are a few whole numbers, such as a shape.
    whole: Vec<i64>,
}

impl Weight {
    /// Number of its values.
    fn size(&self) -> u64 {
        self.dims.iter().fold(1, |size: u64, dim| size.saturating_mul(*dim))
    }
}

/// Where a weight outside the file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct External {
    /// File, relative to the graph's folder.
    pub(crate) location: String,
    /// First byte.
    pub(crate) offset: u64,
    /// Number of bytes; to the end where it is not given.
    pub(crate) length: Option<u64>,
}

#[derive(Clone, Debug)]
struct Node {
    operator: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    /// What its inner graphs take from outside (conditions, loops).
    captured: Vec<String>,
}

/// An ONNX file and its table of contents.
#[derive(Debug)]
pub(crate) struct Graph {
    bytes: Vec<u8>,
    /// Where the graph's own message lies in `bytes`.
    body: Range<usize>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    nodes: Vec<Node>,
    weights: Vec<Weight>,
}

impl Graph {
    /// Reads the table of contents of an ONNX file.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        if bytes.is_empty() {
            return Err("the file is empty".into());
        }
        if bytes.starts_with(b"version https://git-lfs") {
            return Err("it is a pointer of Git LFS; `git lfs pull` fetches the file itself".into());
        }
        let mut body = None;
        let mut version = None;
        for field in fields(&bytes) {
            let field = field?;
            match field.number {
                1 => version = field.number(),
                7 => body = field.bytes().map(|inner| field.whole.end - inner.len()..field.whole.end),
                _ => {}
            }
        }
        version.ok_or("it states no format version (ir_version)")?;
        let body = body.ok_or("it contains no graph")?;
        let mut graph = Self {
            bytes,
            body,
            inputs: Vec::new(),
            outputs: Vec::new(),
            nodes: Vec::new(),
            weights: Vec::new(),
        };
        let (mut inputs, mut outputs, mut nodes, mut weights) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for field in fields(&graph.bytes[graph.body.clone()]) {
            let field = field?;
            match (field.number, field.bytes()) {
                (1, Some(node)) => nodes.push(read_node(node)?),
                (5, Some(tensor)) => weights.push(read_weight(tensor)?),
                (11, Some(port)) => inputs.push(read_port(port)?),
                (12, Some(port)) => outputs.push(read_port(port)?),
                _ => {}
            }
        }
        // Old files list the weights among the inputs as well.
        let names: HashSet<&str> = weights.iter().map(|weight| weight.name.as_str()).collect();
        inputs.retain(|port: &Port| !names.contains(port.name.as_str()));
        if inputs.is_empty() || outputs.is_empty() {
            return Err(format!("its graph has {} inputs and {} outputs", inputs.len(), outputs.len()));
        }
        (graph.inputs, graph.outputs, graph.nodes, graph.weights) = (inputs, outputs, nodes, weights);
        Ok(graph)
    }

    /// The weights that lie in other files, by name.
    pub(crate) fn external(&self) -> impl Iterator<Item = (&str, &External)> {
        self.weights.iter().filter_map(|weight| Some((weight.name.as_str(), weight.external.as_ref()?)))
    }

    /// Number of weights, those of norms and biases included; whole numbers and single values are not counted.
    pub(crate) fn parameters(&self) -> u64 {
        // 1 f32, 2 u8, 3 i8 (quantised), 10 f16, 11 f64, 16 bf16
        let counted =
            self.weights.iter().filter(|w| [1, 2, 3, 10, 11, 16].contains(&w.element) && !w.dims.is_empty());
        counted.map(Weight::size).filter(|size| *size > 1).fold(0, u64::saturating_add)
    }

    /// How many weights of which element type (in ONNX's numbering) there are, the most first; whole numbers of 64 bits
    /// and single values, which serve as shapes and indices, are not counted.
    pub(crate) fn elements(&self) -> Vec<(u64, u64)> {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for weight in self.weights.iter().filter(|weight| weight.element != INT64) {
            let size = weight.size();
            if !weight.dims.is_empty() && size > 1 {
                let count: &mut u64 = counts.entry(weight.element).or_default();
                *count = count.saturating_add(size);
            }
        }
        let mut counts: Vec<(u64, u64)> = counts.into_iter().collect();
        counts.sort_by_key(|(element, count)| (std::cmp::Reverse(*count), *element));
        counts
    }

    /// Shape `(rows, width)` of the table in which the ids of `input` are looked up.
    pub(crate) fn embedding(&self, input: &str) -> Option<(usize, usize)> {
        let makers: HashMap<&str, &Node> = self
            .nodes
            .iter()
            .flat_map(|node| node.outputs.iter().map(move |name| (name.as_str(), node)))
            .collect();
        // Follows a value back through nodes that only change its type or shape.
        let source = |name: &str| {
            let mut name = name.to_owned();
            for _ in 0..8 {
                match makers.get(name.as_str()) {
                    Some(node) if is_passing(&node.operator) => name.clone_from(node.inputs.first()?),
                    _ => break,
                }
            }
            Some(name)
        };
        let weights: HashMap<&str, &Weight> = self.weights.iter().map(|w| (w.name.as_str(), w)).collect();
        self.nodes.iter().filter(|node| node.operator == "Gather").find_map(|node| {
            let (table, ids) = (node.inputs.first()?, node.inputs.get(1)?);
            let weight = weights.get(source(table)?.as_str())?;
            match (source(ids)? == input, weight.dims.as_slice()) {
                (true, &[rows, width]) => Some((usize::try_from(rows).ok()?, usize::try_from(width).ok()?)),
                _ => None,
            }
        })
    }

    /// The file with another graph in it.
    fn with_body(&self, body: &[u8]) -> Result<Vec<u8>, String> {
        let mut file = Vec::with_capacity(body.len() + 1024);
        for field in fields(&self.bytes) {
            let field = field?;
            if field.number == 7 {
                put_bytes(&mut file, 7, body);
            } else {
                file.extend_from_slice(&self.bytes[field.whole]);
            }
        }
        Ok(file)
    }

    /// The names of everything that is needed to compute `outputs`.
    fn needed(&self, outputs: &[&str]) -> HashSet<String> {
        let mut makers: HashMap<&str, usize> = HashMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            makers.extend(node.outputs.iter().map(|name| (name.as_str(), index)));
        }
        let mut needed: HashSet<String> = HashSet::new();
        let mut open: Vec<String> = outputs.iter().map(|name| (*name).to_owned()).collect();
        while let Some(name) = open.pop() {
            if name.is_empty() || !needed.insert(name.clone()) {
                continue;
            }
            if let Some(&index) = makers.get(name.as_str()) {
                let node = &self.nodes[index];
                open.extend(node.inputs.iter().chain(&node.captured).cloned());
            }
        }
        needed
    }
}

fn is_passing(operator: &str) -> bool {
    matches!(operator, "Cast" | "Identity" | "Reshape" | "DequantizeLinear")
}

fn read_node(message: &[u8]) -> Result<Node, String> {
    let mut node =
        Node { operator: String::new(), inputs: Vec::new(), outputs: Vec::new(), captured: Vec::new() };
    for field in fields(message) {
        let field = field?;
        match field.number {
            1 => node.inputs.push(field.text().unwrap_or_default()),
            2 => node.outputs.push(field.text().unwrap_or_default()),
            4 => node.operator = field.text().unwrap_or_default(),
            5 => capture(field.bytes().unwrap_or_default(), &mut node.captured)?,
            _ => {}
        }
    }
    Ok(node)
}

/// Collects all names that the graphs inside an attribute mention: more than they take from outside, never less.
fn capture(attribute: &[u8], names: &mut Vec<String>) -> Result<(), String> {
    for field in fields(attribute) {
        let field = field?;
        // 6 `g`, 11 `graphs`
        let (6 | 11, Some(graph)) = (field.number, field.bytes()) else { continue };
        for part in fields(graph) {
            let part = part?;
            match (part.number, part.bytes()) {
                (1, Some(inner)) => {
                    let node = read_node(inner)?;
                    names.extend(node.inputs.into_iter().chain(node.captured));
                }
                (12, Some(port)) => names.push(read_port(port)?.name),
                _ => {}
            }
        }
    }
    Ok(())
}

fn read_port(message: &[u8]) -> Result<Port, String> {
    let mut port = Port { name: String::new(), element: 0, shape: Vec::new() };
    for field in fields(message) {
        let field = field?;
        match (field.number, field.bytes()) {
            (1, _) => port.name = field.text().unwrap_or_default(),
            (2, Some(kind)) => {
                for tensor in inner(kind, 1)? {
                    for part in fields(tensor) {
                        let part = part?;
                        match (part.number, part.bytes()) {
                            (1, _) => port.element = part.number().unwrap_or_default(),
                            (2, Some(shape)) => {
                                for dim in inner(shape, 1)? {
                                    let size = fields(dim).flatten().find(|field| field.number == 1);
                                    port.shape.push(size.and_then(|field| field.number()));
                                }
                            }
                            _ => {}
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(port)
}

/// The messages of one number inside a message.
fn inner(message: &[u8], number: u32) -> Result<Vec<&[u8]>, String> {
    fields(message)
        .filter_map(|field| match field {
            Ok(field) if field.number == number => field.bytes().map(Ok),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
        .collect()
}

fn read_weight(message: &[u8]) -> Result<Weight, String> {
    let mut weight =
        Weight { name: String::new(), dims: Vec::new(), element: 0, external: None, whole: Vec::new() };
    let mut outside = false;
    let mut values = None;
    let mut entries = BTreeMap::new();
    for field in fields(message) {
        let field = field?;
        match field.number {
            1 => read_dims(&field, &mut weight.dims)?,
            2 => weight.element = field.number().unwrap_or_default(),
            7 | 9 => values = field.bytes().map(|bytes| (field.number, bytes)),
            8 => weight.name = field.text().unwrap_or_default(),
            13 => {
                let entry = field.bytes().unwrap_or_default();
                let part =
                    |number| fields(entry).flatten().find(|f| f.number == number).and_then(|f| f.text());
                entries.insert(part(1).unwrap_or_default(), part(2).unwrap_or_default());
            }
            14 => outside = field.number() == Some(1),
            _ => {}
        }
    }
    if outside {
        let number = |key: &str| {
            let text = entries.get(key);
            text.map(|text| {
                text.parse::<u64>().map_err(|_| format!("weight {}: {key} {text:?}", weight.name))
            })
            .transpose()
        };
        weight.external = Some(External {
            location: entries.get("location").cloned().unwrap_or_default(),
            offset: number("offset")?.unwrap_or(0),
            length: number("length")?,
        });
    }
    if weight.element == INT64 && weight.size() <= 8 {
        weight.whole = match values {
            Some((9, raw)) => raw.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect(),
            Some((_, packed)) => read_varints(packed)?,
            None => Vec::new(),
        };
    }
    Ok(weight)
}

/// Whole numbers, packed.
fn read_varints(packed: &[u8]) -> Result<Vec<i64>, String> {
    let mut at = 0;
    let mut values = Vec::new();
    while at < packed.len() {
        values.push(varint(packed, &mut at).ok_or("malformed whole numbers")?.cast_signed());
    }
    Ok(values)
}

/// Dimensions come one by one or packed.
fn read_dims(field: &Field<'_>, dims: &mut Vec<u64>) -> Result<(), String> {
    if let Some(number) = field.number() {
        dims.push(number);
    } else if let Some(packed) = field.bytes() {
        let mut at = 0;
        while at < packed.len() {
            dims.push(varint(packed, &mut at).ok_or("malformed dimensions")?);
        }
    }
    Ok(())
}
