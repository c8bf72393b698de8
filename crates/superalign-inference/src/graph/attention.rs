//! A decoder's attention made one node, and its cache a buffer that is not copied.
//!
//! A graph with a key-value cache returns the whole cache, one token longer, from every step: it copies all that it has
//! read to add one column. Where every layer is written as below, its attention becomes one node of an operator of ours
//! ([`ATTENTION`]), which reads the cache where it lies; the graph then returns only what is new in it. The projections,
//! `(rows, new, heads * width)`, become one product:
//!
//! ```text
//! q, k, v       = MatMul(states, weights)                             three weights
//! heads(x)      = Reshape(x)                                          (rows, new, heads, width)
//! turn(x)       = x * cos + Concat(-high, low) * sin                  low, high = Split(x)
//! swap(x)       = Transpose(x)                                        (rows, heads, new, width) and back
//! present.key   = Concat(past.key, swap(turn(heads(k))))
//! present.value = Concat(past.value, swap(heads(v)))
//! shares        = Softmax(MatMul(swap(turn(heads(q))) * scale, Transpose(present.key)) + bias)
//! mixed         = Reshape(swap(MatMul(shares, present.value)))        (rows, new, heads * width)
//! ```
//!
//! This is how our own exports write Llama's layers. The mask, the positions and their angles stay nodes of the graph, so
//! nothing needs to be assumed of them.

use super::message::{integer, port, put_node};
use super::wire::{fields, put_bytes, put_number};
use super::{FLOAT32, Graph, INT64, Node, read_node, read_port, read_varints};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The domain of our operators.
pub(crate) const DOMAIN: &str = "superalign";

/// Attention with rotary positions over a cache and new tokens. Inputs: queries, keys and values side by side, keys and
/// values of the cache, bias, cosines, sines, shape of the cache, scale. Outputs: what the queries find; the keys, turned;
/// the values.
pub(crate) const ATTENTION: &str = "CachedAttention";

/// A graph that reads its cache in place.
#[derive(Debug)]
pub(crate) struct InPlace {
    pub(crate) graph: Graph,
    /// For each layer, the outputs with the keys and the values of the new tokens, `(rows, new, heads * width)`.
    pub(crate) news: Vec<[String; 2]>,
}

/// One layer's cache: the names of its keys and values, and the width of a head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerCache<'a> {
    pub(crate) width: usize,
    pub(crate) past: [&'a str; 2],
    pub(crate) present: [&'a str; 2],
}

impl InPlace {
    /// The input that tells the shape `(rows, heads, tokens, width)` which the cache would have in the graph as it was.
    pub(crate) const SHAPE: &'static str = "superalign.past";
}

impl Graph {
    /// The graph with its attention in place, where all of it is written in the way that is known; else `None`.
    ///
    /// The inputs of the cache keep their names and take it as our operator does. The outputs of the cache become
    /// [`InPlace::news`].
    pub(crate) fn in_place(&self, layers: &[LayerCache<'_>]) -> Result<Option<InPlace>, String> {
        let nodes = Nodes::read(self)?;
        let found: Option<Vec<Found>> = layers.iter().map(|layer| nodes.attention(layer)).collect();
        let Some(found) = found.filter(|found| !found.is_empty()) else { return Ok(None) };
        let mut changes = Changes::default();
        for past in layers.iter().flat_map(|layer| layer.past) {
            changes.ports.insert(past, past);
            for at in nodes.shapes_of(past) {
                let output = nodes.list[at].node.outputs.clone();
                changes.replace(&[at], vec![New::node("", "Identity", &[InPlace::SHAPE], output)]);
            }
        }
        for (layer, found) in layers.iter().zip(&found) {
            let Found { states, weights, angles: [cos, sin], news, bias, scale, mixed, .. } = found;
            changes.ports.extend(layer.present.into_iter().zip(news.each_ref().map(String::as_str)));
            let [past_key, past_value] = layer.past;
            let [weight, product] =
                ["weights", "projections"].map(|name| format!("superalign.{name}.{mixed}"));
            let joined = New::node("", "Concat", weights, vec![weight.clone()]);
            let projected = New::node("", "MatMul", &[states, &weight], vec![product.clone()]);
            let inputs = [&product, past_key, past_value, bias, cos, sin, InPlace::SHAPE, scale];
            let [key, value] = news.clone();
            let attended = New::node(DOMAIN, ATTENTION, &inputs, vec![mixed.clone(), key, value]);
            let joined = New { attributes: vec![integer("axis", 1)], ..joined };
            changes.replace(&found.nodes, vec![joined, projected, attended]);
        }
        let file = self.changed(&changes)?;
        let news = found.into_iter().map(|found| found.news).collect();
        Ok(Some(InPlace { graph: Self::parse(file)?, news }))
    }

    /// The file with other nodes, and other ports for the cache.
    fn changed(&self, changes: &Changes<'_>) -> Result<Vec<u8>, String> {
        let message = &self.bytes[self.body.clone()];
        let mut body = Vec::with_capacity(message.len());
        let mut number = 0;
        for field in fields(message) {
            let field = field?;
            let inner = field.bytes().unwrap_or_default();
            match field.number {
                1 => {
                    let change = changes.nodes.get(&number);
                    number += 1;
                    if let Some(nodes) = change {
                        for New { domain, operator, inputs, outputs, attributes } in nodes {
                            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
                            let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
                            put_node(&mut body, domain, operator, &inputs, &outputs, attributes);
                        }
                        continue;
                    }
                }
                11 | 12 => {
                    if let Some(name) = changes.ports.get(read_port(inner)?.name.as_str()) {
                        put_bytes(&mut body, field.number, &port(name, FLOAT32, &[None; 4]));
                        continue;
                    }
                }
                // What was once inferred of values in between may no longer be so.
                13 => continue,
                _ => {}
            }
            body.extend_from_slice(&message[field.whole]);
        }
        put_bytes(&mut body, 11, &port(InPlace::SHAPE, INT64, &[Some(4)]));
        let mut file = self.with_body(&body)?;
        let mut domain = Vec::new();
        put_bytes(&mut domain, 1, DOMAIN.as_bytes());
        put_number(&mut domain, 2, 1);
        put_bytes(&mut file, 8, &domain);
        Ok(file)
    }
}

/// What becomes of a graph.
#[derive(Default)]
struct Changes<'a> {
    /// By number of the node that goes: what comes in its place.
    nodes: BTreeMap<usize, Vec<New>>,
    /// By name of an input or output: its new name.
    ports: HashMap<&'a str, &'a str>,
}

/// A node in place of others.
struct New {
    domain: &'static str,
    operator: &'static str,
    inputs: Vec<String>,
    outputs: Vec<String>,
    attributes: Vec<Vec<u8>>,
}

impl New {
    fn node(
        domain: &'static str,
        operator: &'static str,
        inputs: &[impl AsRef<str>],
        outputs: Vec<String>,
    ) -> Self {
        let inputs = inputs.iter().map(|name| name.as_ref().to_owned()).collect();
        Self { domain, operator, inputs, outputs, attributes: Vec::new() }
    }
}

impl Changes<'_> {
    /// Puts nodes where the last of others was, which all go: what they take is made by then.
    fn replace(&mut self, gone: &[usize], new: Vec<New>) {
        self.nodes.extend(gone.iter().map(|&at| (at, Vec::new())));
        if let Some(&last) = gone.iter().max() {
            self.nodes.insert(last, new);
        }
    }
}

/// One layer's attention, found.
struct Found {
    /// What is projected.
    states: String,
    /// Of queries, keys and values.
    weights: [String; 3],
    /// Cosines and sines.
    angles: [String; 2],
    /// Keys, turned, and values.
    news: [String; 2],
    bias: String,
    scale: String,
    mixed: String,
    nodes: Vec<usize>,
}

/// Vectors that are turned by their positions, found.
struct Turned {
    /// The projection.
    vectors: String,
    /// Cosines and sines.
    angles: [String; 2],
    turned: String,
    nodes: Vec<usize>,
}

/// The nodes of a graph, with what is needed to recognise them.
struct Nodes {
    list: Vec<Told>,
    /// The nodes that take a value.
    users: HashMap<String, Vec<usize>>,
    /// The node that makes a value.
    makers: HashMap<String, usize>,
    outputs: HashSet<String>,
    /// Weights of one value.
    numbers: HashSet<String>,
    /// Weights that are shapes.
    shapes: HashMap<String, Vec<i64>>,
}

struct Told {
    node: Node,
    attributes: Vec<(String, Vec<i64>)>,
}

impl Told {
    fn attribute(&self, name: &str) -> Option<&[i64]> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, values)| values.as_slice())
    }

    /// Whether it works along the last of four dimensions.
    fn along_the_last(&self) -> bool {
        matches!(self.attribute("axis"), Some([-1 | 3]))
    }
}

impl Nodes {
    fn read(graph: &Graph) -> Result<Self, String> {
        let mut list = Vec::new();
        for field in fields(&graph.bytes[graph.body.clone()]) {
            let field = field?;
            if let (1, Some(node)) = (field.number, field.bytes()) {
                list.push(Told { node: read_node(node)?, attributes: read_attributes(node)? });
            }
        }
        let (mut users, mut makers) = (HashMap::<String, Vec<usize>>::new(), HashMap::new());
        for (at, told) in list.iter().enumerate() {
            for name in told.node.inputs.iter().chain(&told.node.captured) {
                users.entry(name.clone()).or_default().push(at);
            }
            makers.extend(told.node.outputs.iter().map(|name| (name.clone(), at)));
        }
        let outputs = graph.outputs.iter().map(|port| port.name.clone()).collect();
        let single = graph.weights.iter().filter(|weight| weight.element == FLOAT32 && weight.size() == 1);
        let numbers = single.map(|weight| weight.name.clone()).collect();
        let shapes = graph.weights.iter().filter(|weight| !weight.whole.is_empty());
        let shapes = shapes.map(|weight| (weight.name.clone(), weight.whole.clone())).collect();
        Ok(Self { list, users, makers, outputs, numbers, shapes })
    }

    fn users(&self, name: &str) -> &[usize] {
        self.users.get(name).map_or(&[], Vec::as_slice)
    }

    fn is(&self, at: usize, operator: &str) -> bool {
        self.list[at].node.operator == operator
    }

    /// The nodes that ask for nothing but the shape of a value.
    fn shapes_of(&self, name: &str) -> impl Iterator<Item = usize> {
        self.users(name).iter().copied().filter(|at| self.is(*at, "Shape"))
    }

    /// The only node that takes a value, which is not asked for outside, and what it makes.
    fn only(&self, name: &str, operator: &str) -> Option<(usize, &str)> {
        match self.users(name) {
            [at] if self.is(*at, operator) && !self.outputs.contains(name) => Some((*at, self.made(*at)?)),
            _ => None,
        }
    }

    /// The value that a node makes, if it makes one.
    fn made(&self, at: usize) -> Option<&str> {
        match self.list[at].node.outputs.as_slice() {
            [output] => Some(output),
            _ => None,
        }
    }

    /// The other of a node's two inputs.
    fn other(&self, at: usize, name: &str) -> Option<&str> {
        match self.list[at].node.inputs.as_slice() {
            [a, b] if a == name && b != name => Some(b),
            [a, b] if b == name && a != name => Some(a),
            _ => None,
        }
    }

    /// The node that makes a value for one node only, and what it takes first.
    fn made_by(&self, name: &str, operator: &str) -> Option<(usize, &str)> {
        let at = *self.makers.get(name)?;
        let alone = self.is(at, operator) && self.users(name).len() == 1 && !self.outputs.contains(name);
        alone.then(|| Some((at, self.list[at].node.inputs.first()?.as_str())))?
    }

    /// The node that swaps heads and tokens to make a value for one node only, and what it takes.
    fn swapped(&self, name: &str) -> Option<(usize, &str)> {
        self.made_by(name, "Transpose").filter(|(at, _)| self.swaps(*at))
    }

    fn swaps(&self, at: usize) -> bool {
        self.list[at].attribute("perm") == Some(&[0, 2, 1, 3])
    }

    /// The node that divides vectors into heads of a width, and what it takes.
    fn divided(&self, name: &str, width: usize) -> Option<(usize, &str)> {
        let at = *self.makers.get(name).filter(|at| self.is(**at, "Reshape"))?;
        let [vectors, shape] = self.list[at].node.inputs.as_slice() else { return None };
        let [0, 0, _, last] = self.shapes.get(shape)?.as_slice() else { return None };
        (usize::try_from(*last) == Ok(width)).then_some((at, vectors.as_str()))
    }

    /// The nodes that append to a tensor of the cache, and what they append, as it is before heads and tokens are swapped.
    fn append(&self, past: &str, present: &str) -> Option<([usize; 2], &str)> {
        let mut users = self.users(past).iter().copied().filter(|at| !self.is(*at, "Shape"));
        let (Some(at), None) = (users.next(), users.next()) else { return None };
        let told = &self.list[at];
        let [first, swapped] = told.node.inputs.as_slice() else { return None };
        let right = told.node.operator == "Concat"
            && first == past
            && told.node.outputs == [present]
            && matches!(told.attribute("axis"), Some([2 | -2]));
        let (swap, new) = self.swapped(swapped).filter(|_| right)?;
        Some(([at, swap], new))
    }

    fn attention(&self, layer: &LayerCache<'_>) -> Option<Found> {
        let LayerCache { width, past, present } = *layer;
        let (append_keys, keys) = self.append(past[0], present[0])?;
        let (append_values, values) = self.append(past[1], present[1])?;
        let keys = self.turned(keys, width)?;
        let (divide, values) = self.divided(values, width).filter(|_| self.users(values).len() == 1)?;
        let [turn] = *self.users(present[0]) else { return None };
        let turned = self.made(turn).filter(|_| self.is(turn, "Transpose"))?;
        if self.list[turn].attribute("perm") != Some(&[0, 1, 3, 2]) {
            return None;
        }
        let (product, scores) = self.only(turned, "MatMul")?;
        let [scaled, second] = self.list[product].node.inputs.as_slice() else { return None };
        let (multiply, _) = self.made_by(scaled, "Mul").filter(|_| second == turned)?;
        let [a, b] = self.list[multiply].node.inputs.as_slice() else { return None };
        let (swapped, scale) = if self.numbers.contains(b) { (a, b) } else { (b, a) };
        let (swap, queries) = self.swapped(swapped).filter(|_| self.numbers.contains(scale))?;
        let queries = self.turned(queries, width).filter(|queries| queries.angles == keys.angles)?;
        let (add, biased) = self.only(scores, "Add")?;
        let bias = self.other(add, scores)?;
        let (softmax, shares) =
            self.only(biased, "Softmax").filter(|(at, _)| self.list[*at].along_the_last())?;
        let (mix, mixed) = self.only(shares, "MatMul")?;
        if self.list[mix].node.inputs != [shares, present[1]] || self.users(present[1]) != [mix] {
            return None;
        }
        let (back, mixed) = self.only(mixed, "Transpose").filter(|(at, _)| self.swaps(*at))?;
        let (merge, mixed) = self.only(mixed, "Reshape")?;
        if !matches!(self.shapes.get(self.list[merge].node.inputs.get(1)?)?.as_slice(), [0, 0, _]) {
            return None;
        }
        let (of_queries, states, a) = self.projected(&queries.vectors)?;
        let (of_keys, others, b) = self.projected(&keys.vectors)?;
        let (of_values, thirds, c) = self.projected(values)?;
        if [others, thirds] != [states; 2] {
            return None;
        }
        let mut nodes = vec![divide, multiply, swap, turn, product, add, softmax, mix, back, merge];
        nodes.extend([of_queries, of_keys, of_values]);
        nodes.extend(append_keys.into_iter().chain(append_values));
        nodes.extend(queries.nodes.iter().chain(&keys.nodes));
        Some(Found {
            states: states.to_owned(),
            weights: [a, b, c].map(str::to_owned),
            angles: keys.angles,
            news: [keys.turned, values.to_owned()],
            bias: bias.to_owned(),
            scale: scale.clone(),
            mixed: mixed.to_owned(),
            nodes,
        })
    }

    /// The product that makes a projection for one node only, what is projected, and the weights.
    fn projected(&self, name: &str) -> Option<(usize, &str, &str)> {
        let (at, states) = self.made_by(name, "MatMul")?;
        Some((at, states, self.other(at, states)?))
    }

    /// What makes vectors that are turned by their positions, for one node only.
    fn turned(&self, turned: &str, width: usize) -> Option<Turned> {
        let (add, along) = self.made_by(turned, "Add")?;
        let across = self.other(add, along)?;
        let (along, divided) = self.made_by(along, "Mul")?;
        let (across, joined) = self.made_by(across, "Mul")?;
        let (join, minus) =
            self.made_by(joined, "Concat").filter(|(at, _)| self.list[*at].along_the_last())?;
        let low = self.other(join, minus)?;
        let (negate, high) = self.made_by(minus, "Neg")?;
        let (split, _) = self.made_by(high, "Split").filter(|(at, _)| self.list[*at].along_the_last())?;
        let halves =
            self.list[split].node.inputs == [divided] && self.list[split].attribute("split").is_none();
        if !halves || self.list[split].node.outputs != [low, high] || self.users(low) != [join] {
            return None;
        }
        let (divide, vectors) = self.divided(divided, width)?;
        if !self.users(divided).iter().all(|at| [split, along].contains(at)) {
            return None;
        }
        Some(Turned {
            vectors: vectors.to_owned(),
            angles: [self.other(along, divided)?, self.other(across, joined)?].map(str::to_owned),
            turned: turned.to_owned(),
            nodes: vec![divide, split, negate, join, across, along, add],
        })
    }
}

/// The attributes of a node that are whole numbers.
fn read_attributes(node: &[u8]) -> Result<Vec<(String, Vec<i64>)>, String> {
    let mut attributes = Vec::new();
    for field in fields(node) {
        let field = field?;
        let (5, Some(attribute)) = (field.number, field.bytes()) else { continue };
        let (mut name, mut values) = (String::new(), Vec::new());
        for part in fields(attribute) {
            let part = part?;
            match (part.number, part.number(), part.bytes()) {
                (1, ..) => name = part.text().unwrap_or_default(),
                (3 | 8, Some(value), _) => values.push(value.cast_signed()),
                (8, _, Some(packed)) => values.extend(read_varints(packed)?),
                _ => {}
            }
        }
        attributes.push((name, values));
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn rung(number: usize) -> Graph {
        let file = format!("../../models/ladder/rung-{number}/model_with_past.onnx");
        let bytes =
            std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a graph of the ladder");
        Graph::parse(bytes).expect("a graph")
    }

    fn in_place(graph: &Graph, width: usize) -> Option<InPlace> {
        let names: Vec<[[String; 2]; 2]> =
            (0..graph.inputs.iter().filter(|port| port.name.ends_with(".key")).count())
                .map(|layer| {
                    ["past_key_values", "present"]
                        .map(|of| ["key", "value"].map(|side| format!("{of}.{layer}.{side}")))
                })
                .collect();
        let layers: Vec<LayerCache<'_>> = names
            .iter()
            .map(|[past, present]| LayerCache {
                width,
                past: past.each_ref().map(String::as_str),
                present: present.each_ref().map(String::as_str),
            })
            .collect();
        graph.in_place(&layers).expect("a graph that can be read")
    }

    /// Head width of a graph's cache.
    fn width(graph: &Graph) -> usize {
        let port = graph.inputs.iter().find(|port| port.name == "past_key_values.0.key").expect("a cache");
        usize::try_from(port.shape[3].expect("a fixed width")).expect("a small one")
    }

    fn count(graph: &Graph, operator: &str) -> usize {
        graph.nodes.iter().filter(|node| node.operator == operator).count()
    }

    #[test]
    fn every_layer_of_the_ladder_is_recognised() {
        for number in 0..4 {
            let graph = rung(number);
            let found = in_place(&graph, width(&graph)).expect("attention as our exports write it");
            let layers = count(&graph, "Softmax");
            assert_eq!((found.news.len(), count(&found.graph, ATTENTION)), (layers, layers));
            for gone in ["Softmax", "Split", "Neg", "Reshape"] {
                assert_eq!(count(&found.graph, gone), 0, "{gone}");
            }
            // One product with the weights for three, and none with the cache.
            assert_eq!(count(&graph, "MatMul") - count(&found.graph, "MatMul"), layers * 4);
            let outputs: Vec<&str> = found.graph.outputs.iter().map(|port| port.name.as_str()).collect();
            assert!(found.news.iter().flatten().all(|name| outputs.contains(&name.as_str())), "{outputs:?}");
            let asked =
                found.graph.inputs.iter().find(|port| port.name == InPlace::SHAPE).expect("a new input");
            assert_eq!((asked.element, asked.shape.as_slice()), (INT64, &[Some(4)][..]));
            assert_eq!(found.graph.parameters(), graph.parameters());
        }
    }

    #[test]
    fn what_is_written_in_another_way_stays_as_it_is() {
        let graph = rung(0);
        let width = width(&graph);
        assert!(in_place(&graph, width + 1).is_none(), "heads of another width");
        // Each name is as long as the one that it replaces, so that the file stays one.
        let changes: [(&[u8], &[u8]); 5] = [
            (b"Softmax", b"Sigmoid"),
            (b"Split", b"Slice"),
            (b"Neg", b"Abs"),
            (b"Concat", b"Expand"),
            (b"LessOrEqual", b"GreaterThan"),
        ];
        for (from, to) in changes {
            let mut bytes = graph.bytes.clone();
            for at in 0..bytes.len() - from.len() {
                if &bytes[at..at + from.len()] == from {
                    bytes[at..at + to.len()].copy_from_slice(to);
                }
            }
            let changed = in_place(&Graph::parse(bytes).expect("a graph still"), width);
            // The mask may be made in any way.
            assert_eq!(changed.is_some(), from == b"LessOrEqual", "{}", String::from_utf8_lossy(from));
        }
    }
}
