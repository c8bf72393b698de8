//! The Llama decoder as a graph, twice: whole sequences with every hidden state, and steps with a key-value cache.
//!
//! Shapes below: B sequences, S new tokens, P tokens in the cache (0 without one), T = P + S, H heads of width D.
//! Names of inputs and outputs are those of Optimum's exports.

use super::config::Config;
use super::error::ExportError;
use super::graph::{Builder, Length, Value, Weight, int, ints};
use super::proto::Element;
use super::weights::Weights;

const BATCH: Length = Length::Named("batch_size");
const SEQUENCE: Length = Length::Named("sequence_length");
const PAST: Length = Length::Named("past_sequence_length");
const TOTAL: Length = Length::Named("past_sequence_length + sequence_length");

/// Bytes of `model.onnx`: token ids and mask in; logits and hidden states out.
pub(super) fn whole_sequences(config: &Config, weights: &Weights) -> Result<Vec<u8>, ExportError> {
    let mut decoder = Decoder::new("decoder", config, weights)?;
    let ids = decoder.graph.input("input_ids", Element::I64, &[BATCH, SEQUENCE]);
    let mask = decoder.graph.input("attention_mask", Element::I64, &[BATCH, SEQUENCE]);
    decoder.graph.output("logits", Element::F32, &[BATCH, SEQUENCE, Length::Fixed(config.vocabulary)]);
    for layer in 0..=config.layers {
        let shape = [BATCH, SEQUENCE, Length::Fixed(config.width)];
        decoder.graph.output(&hidden_state(layer), Element::F32, &shape);
    }

    let length = decoder.length_of_axis(&ids, 1, "sequence_length");
    let keys = decoder.range("zero", &length, "causal.keys");
    let allowed = decoder.allowed(&keys, &keys, &mask);
    let positions = decoder.count_positions(&allowed);
    let shared = decoder.shared(&positions, &allowed);
    let mut hidden = decoder.embed(&ids, &hidden_state(0));
    for layer in 0..config.layers {
        // The last state is taken after the final norm, as transformers does.
        let last = layer + 1 == config.layers;
        let output = if last { format!("model.layers.{layer}") } else { hidden_state(layer + 1) };
        hidden = decoder.layer(layer, &hidden, &shared, None, &output)?;
    }
    let hidden = decoder.norm("model.norm", &hidden, &hidden_state(config.layers))?;
    decoder.head(&hidden)?;
    Ok(decoder.graph.into_bytes())
}

/// Bytes of `model_with_past.onnx`: new tokens, their positions, the mask over cache and new tokens, and the cache
/// in; logits and the longer cache out.
pub(super) fn cached_steps(config: &Config, weights: &Weights) -> Result<Vec<u8>, ExportError> {
    let mut decoder = Decoder::new("decoder_with_past", config, weights)?;
    let ids = decoder.graph.input("input_ids", Element::I64, &[BATCH, SEQUENCE]);
    let mask = decoder.graph.input("attention_mask", Element::I64, &[BATCH, TOTAL]);
    let positions = decoder.graph.input("position_ids", Element::I64, &[BATCH, SEQUENCE]);
    decoder.graph.output("logits", Element::F32, &[BATCH, SEQUENCE, Length::Fixed(config.vocabulary)]);
    let cache_shape =
        |length| [BATCH, Length::Fixed(config.key_value_heads), length, Length::Fixed(config.head_width)];
    let mut caches = Vec::with_capacity(config.layers);
    for layer in 0..config.layers {
        let mut declare = |half| {
            let present = format!("present.{layer}.{half}");
            decoder.graph.output(&present, Element::F32, &cache_shape(TOTAL));
            decoder.graph.input(&format!("past_key_values.{layer}.{half}"), Element::F32, &cache_shape(PAST))
        };
        caches.push(Cache { key: declare("key"), value: declare("value") });
    }

    let new = decoder.length_of_axis(&ids, 1, "sequence_length");
    let old = decoder.length_of_axis(&caches[0].key, 2, "past_sequence_length");
    let total = decoder.graph.node("Add", "total_sequence_length", &[&old, &new]);
    let keys = decoder.range("zero", &total, "causal.keys");
    let queries = decoder.range(&old, &total, "causal.queries");
    let allowed = decoder.allowed(&queries, &keys, &mask);
    let positions = decoder.graph.cast("position_ids.single", &positions, Element::F32);
    let positions = decoder.unsqueeze(&positions, 2, "position_ids.column");
    let shared = decoder.shared(&positions, &allowed);
    let mut hidden = decoder.embed(&ids, "model.embed_tokens");
    for (layer, cache) in caches.iter().enumerate() {
        hidden = decoder.layer(layer, &hidden, &shared, Some(cache), &format!("model.layers.{layer}"))?;
    }
    let hidden = decoder.norm("model.norm", &hidden, "model.norm")?;
    decoder.head(&hidden)?;
    Ok(decoder.graph.into_bytes())
}

fn hidden_state(layer: usize) -> Value {
    format!("hidden_states.{layer}")
}

/// One layer's keys and values of earlier tokens, each (B, key-value heads, P, D).
struct Cache {
    key: Value,
    value: Value,
}

/// What every layer reads: rotary factors (B, S, 1, D) and the attention bias (B, 1, S, T).
struct Shared {
    cos: Value,
    sin: Value,
    bias: Value,
}

/// The graph in the making.
struct Decoder<'a> {
    config: &'a Config,
    graph: Builder<'a>,
    /// Token embeddings (vocabulary, width), which a tied head uses again.
    table: Weight,
}

impl<'a> Decoder<'a> {
    fn new(name: &str, config: &'a Config, weights: &'a Weights) -> Result<Self, ExportError> {
        let mut graph = Builder::new(name, weights);
        let (heads, width) = (config.heads as i64, config.head_width as i64);
        // In a Reshape, 0 keeps the axis as it is: no shape arithmetic at run time.
        graph.integers("shape.query", &[0, 0, heads, width]);
        graph.integers("shape.key_value", &[0, 0, config.key_value_heads as i64, width]);
        graph.integers("shape.merged", &[0, 0, heads * width]);
        graph.integer("zero", 0);
        graph.integer("one", 1);
        graph.integers("axis.1", &[1]);
        graph.integers("axis.2", &[2]);
        graph.scalar("norm.exponent", 2.0);
        graph.scalar("norm.epsilon", config.norm_epsilon as f32);
        graph.scalar("attention.scale", (config.head_width as f64).sqrt().recip() as f32);
        if config.key_value_heads < config.heads {
            let group = config.heads / config.key_value_heads;
            let shared_by: Vec<i64> = (0..config.heads).map(|head| (head / group) as i64).collect();
            graph.integers("attention.key_value_head", &shared_by);
        }
        let table = graph.weight("model.embed_tokens.weight", &[config.vocabulary, config.width])?;
        Ok(Self { config, graph, table })
    }

    /// The length of an axis of `x`, as a number.
    fn length_of_axis(&mut self, x: &str, axis: i64, name: &str) -> Value {
        let shape = self.graph.node("Shape", &format!("{name}.shape"), &[x]);
        let axis = self.graph.integer(&format!("{name}.axis"), axis);
        self.graph.node("Gather", name, &[&shape, &axis])
    }

    /// `from`, `from` + 1, and so on below `to`.
    fn range(&mut self, from: &str, to: &str, name: &str) -> Value {
        self.graph.node("Range", name, &[from, to, "one"])
    }

    /// Inserts axis 1 or 2, of length 1.
    fn unsqueeze(&mut self, x: &str, axis: usize, name: &str) -> Value {
        self.graph.node("Unsqueeze", name, &[x, if axis == 1 { "axis.1" } else { "axis.2" }])
    }

    /// Which key each query may look at, as booleans (B, S, T): none that comes later, none that is padding.
    fn allowed(&mut self, queries: &str, keys: &str, mask: &str) -> Value {
        let queries = self.unsqueeze(queries, 1, "causal.queries.column");
        // Not `queries >= keys`: tract 0.23 takes a comparison of two ranges for a split of one axis (the mask's
        // first row would become two), but leaves a difference alone.
        let ahead = self.graph.node("Sub", "causal.ahead", &[keys, &queries]);
        let causal = self.graph.node("LessOrEqual", "causal", &[&ahead, "zero"]);
        let kept = self.graph.cast("attention_mask.kept", mask, Element::Bool);
        let kept = self.unsqueeze(&kept, 1, "attention_mask.row");
        self.graph.node("And", "allowed", &[&causal, &kept])
    }

    /// Positions (B, S, 1): of a token, how many tokens it may look at, less itself. So real tokens count from 0 on
    /// whichever side the padding is.
    fn count_positions(&mut self, allowed: &str) -> Value {
        let (one, zero) = (self.graph.scalar("positions.one", 1.0), self.graph.scalar("positions.zero", 0.0));
        let counted = self.graph.cast("positions.counted", allowed, Element::F32);
        let count = self.graph.node("ReduceSum", "positions.count", &[&counted, "axis.2"]);
        let below = self.graph.node("Sub", "positions.below", &[&count, &one]);
        self.graph.node("Max", "positions", &[&below, &zero])
    }

    fn shared(&mut self, positions: &str, allowed: &str) -> Shared {
        let width = self.config.head_width;
        let frequency = |i: usize| self.config.rope_theta.powf(-2.0 * i as f64 / width as f64) as f32;
        let frequencies: Vec<f32> = (0..width / 2).map(frequency).collect();
        let frequencies = self.graph.floats("rotary.frequencies", &frequencies);
        let half = self.graph.node("Mul", "rotary.half", &[positions, &frequencies]);
        let angles = self.graph.node_with("Concat", "rotary.angles", &[&half, &half], vec![int("axis", -1)]);
        let angles = self.unsqueeze(&angles, 2, "rotary.angles.per_head");
        let cos = self.graph.node("Cos", "rotary.cos", &[&angles]);
        let sin = self.graph.node("Sin", "rotary.sin", &[&angles]);
        // The lowest finite number, as in transformers: a row without any allowed key stays free of NaN.
        let (open, shut) = (self.graph.scalar("bias.open", 0.0), self.graph.scalar("bias.shut", f32::MIN));
        let allowed = self.unsqueeze(allowed, 1, "allowed.per_head");
        let bias = self.graph.node("Where", "bias", &[&allowed, &open, &shut]);
        Shared { cos, sin, bias }
    }

    /// Token embeddings (B, S, width). Half precision is widened after the look-up, not the whole table before.
    fn embed(&mut self, ids: &str, output: &str) -> Value {
        let table = self.table.clone();
        if table.element == Element::F32 {
            return self.graph.node("Gather", output, &[&table.name, ids]);
        }
        let rows = self.graph.node("Gather", "model.embed_tokens.Gather", &[&table.name, ids]);
        self.graph.cast(output, &rows, Element::F32)
    }

    /// Logits (B, S, vocabulary).
    fn head(&mut self, hidden: &str) -> Result<(), ExportError> {
        let weight = if self.config.tied_head {
            self.table.clone()
        } else {
            self.graph.weight("lm_head.weight", &[self.config.vocabulary, self.config.width])?
        };
        self.project("lm_head", hidden, &weight, "logits");
        Ok(())
    }

    /// x W', where W is stored as (out, in). Runtimes fold the widening and the transpose when they load the graph.
    fn project(&mut self, module: &str, x: &str, weight: &Weight, output: &str) -> Value {
        let wide = self.graph.single(&format!("{module}.weight.single"), weight);
        let perm = vec![ints("perm", &[1, 0])];
        let turned = self.graph.node_with("Transpose", &format!("{module}.weight.T"), &[&wide], perm);
        self.graph.node("MatMul", output, &[x, &turned])
    }

    /// A bias-free linear layer whose weight is `module`.weight, (out, in).
    fn linear(&mut self, module: &str, x: &str, [columns, rows]: [usize; 2]) -> Result<Value, ExportError> {
        let weight = self.graph.weight(&format!("{module}.weight"), &[rows, columns])?;
        Ok(self.project(module, x, &weight, module))
    }

    /// Root-mean-square norm: x / sqrt(mean(x^2) + epsilon) * weight.
    fn norm(&mut self, module: &str, x: &str, output: &str) -> Result<Value, ExportError> {
        let weight = self.graph.weight(&format!("{module}.weight"), &[self.config.width])?;
        let g = &mut self.graph;
        let weight = g.single(&format!("{module}.weight.single"), &weight);
        let square = g.node("Pow", &format!("{module}.square"), &[x, "norm.exponent"]);
        let axes = vec![ints("axes", &[-1]), int("keepdims", 1)];
        let mean = g.node_with("ReduceMean", &format!("{module}.mean"), &[&square], axes);
        let mean = g.node("Add", &format!("{module}.mean.safe"), &[&mean, "norm.epsilon"]);
        let root = g.node("Sqrt", &format!("{module}.root"), &[&mean]);
        let unit = g.node("Div", &format!("{module}.unit"), &[x, &root]);
        Ok(g.node("Mul", output, &[&unit, &weight]))
    }

    /// One pre-norm layer: attention, then the gated feed-forward network, each added to its input.
    fn layer(
        &mut self,
        layer: usize,
        x: &str,
        shared: &Shared,
        cache: Option<&Cache>,
        output: &str,
    ) -> Result<Value, ExportError> {
        let at = format!("model.layers.{layer}");
        let name = format!("{at}.input_layernorm");
        let normed = self.norm(&name, x, &name)?;
        let attended = self.attention(layer, &normed, shared, cache)?;
        let x = self.graph.node("Add", &format!("{at}.self_attn.residual"), &[x, &attended]);
        let name = format!("{at}.post_attention_layernorm");
        let normed = self.norm(&name, &x, &name)?;
        let fed = self.feed_forward(&format!("{at}.mlp"), &normed)?;
        Ok(self.graph.node("Add", output, &[&x, &fed]))
    }

    /// SwiGLU: down(silu(gate(x)) * up(x)).
    fn feed_forward(&mut self, at: &str, x: &str) -> Result<Value, ExportError> {
        let (width, inner) = (self.config.width, self.config.feed_forward);
        let gate = self.linear(&format!("{at}.gate_proj"), x, [width, inner])?;
        let up = self.linear(&format!("{at}.up_proj"), x, [width, inner])?;
        let sigmoid = self.graph.node("Sigmoid", &format!("{at}.act_fn.sigmoid"), &[&gate]);
        let silu = self.graph.node("Mul", &format!("{at}.act_fn"), &[&gate, &sigmoid]);
        let gated = self.graph.node("Mul", &format!("{at}.gated"), &[&silu, &up]);
        self.linear(&format!("{at}.down_proj"), &gated, [inner, width])
    }

    /// Causal attention with rotary positions; with a cache, its keys and values come first.
    fn attention(
        &mut self,
        layer: usize,
        x: &str,
        shared: &Shared,
        cache: Option<&Cache>,
    ) -> Result<Value, ExportError> {
        let at = format!("model.layers.{layer}.self_attn");
        let width = self.config.width;
        let query_width = self.config.heads * self.config.head_width;
        let key_width = self.config.key_value_heads * self.config.head_width;
        let query = self.linear(&format!("{at}.q_proj"), x, [width, query_width])?;
        let key = self.linear(&format!("{at}.k_proj"), x, [width, key_width])?;
        let value = self.linear(&format!("{at}.v_proj"), x, [width, key_width])?;
        // Heads stay on axis 2 until positions are in.
        let split = |g: &mut Builder, x: &str, shape: &str, name: &str| {
            g.node("Reshape", &format!("{at}.{name}.split"), &[x, shape])
        };
        let query = split(&mut self.graph, &query, "shape.query", "query");
        let key = split(&mut self.graph, &key, "shape.key_value", "key");
        let value = split(&mut self.graph, &value, "shape.key_value", "value");
        let query = self.rotate(&query, shared, &format!("{at}.query.rotary"));
        let key = self.rotate(&key, shared, &format!("{at}.key.rotary"));
        let query = self.swap_heads(&query, &format!("{at}.query"));
        let key = self.swap_heads(&key, &format!("{at}.key"));
        let value = self.swap_heads(&value, &format!("{at}.value"));
        let (key, value) = match cache {
            None => (key, value),
            Some(cache) => (
                self.append(&cache.key, &key, &format!("present.{layer}.key")),
                self.append(&cache.value, &value, &format!("present.{layer}.value")),
            ),
        };
        let key = self.repeat_heads(&key, &format!("{at}.key.repeated"));
        let value = self.repeat_heads(&value, &format!("{at}.value.repeated"));

        let g = &mut self.graph;
        let perm = |axes: &[i64]| vec![ints("perm", axes)];
        let query = g.node("Mul", &format!("{at}.query.scaled"), &[&query, "attention.scale"]);
        let key = g.node_with("Transpose", &format!("{at}.key.T"), &[&key], perm(&[0, 1, 3, 2]));
        let scores = g.node("MatMul", &format!("{at}.scores"), &[&query, &key]);
        let scores = g.node("Add", &format!("{at}.scores.masked"), &[&scores, &shared.bias]);
        let shares = g.node_with("Softmax", &format!("{at}.shares"), &[&scores], vec![int("axis", -1)]);
        let mixed = g.node("MatMul", &format!("{at}.mixed"), &[&shares, &value]);
        let mixed = g.node_with("Transpose", &format!("{at}.mixed.T"), &[&mixed], perm(&[0, 2, 1, 3]));
        let merged = g.node("Reshape", &format!("{at}.merged"), &[&mixed, "shape.merged"]);
        self.linear(&format!("{at}.o_proj"), &merged, [query_width, width])
    }

    /// (B, S, H, D) to (B, H, S, D) or back.
    fn swap_heads(&mut self, x: &str, name: &str) -> Value {
        self.graph.node_with("Transpose", name, &[x], vec![ints("perm", &[0, 2, 1, 3])])
    }

    /// Rotary positions: x cos + rotate_half(x) sin, where rotate_half((a, b)) = (-b, a).
    fn rotate(&mut self, x: &str, shared: &Shared, name: &str) -> Value {
        let g = &mut self.graph;
        let (low, high) = g.halves(&format!("{name}.halves"), x);
        let minus = g.node("Neg", &format!("{name}.minus"), &[&high]);
        let turned = g.node_with("Concat", &format!("{name}.turned"), &[&minus, &low], vec![int("axis", -1)]);
        let along = g.node("Mul", &format!("{name}.along"), &[x, &shared.cos]);
        let across = g.node("Mul", &format!("{name}.across"), &[&turned, &shared.sin]);
        g.node("Add", name, &[&along, &across])
    }

    /// The cache, then the new keys or values, along the tokens.
    fn append(&mut self, past: &str, new: &str, output: &str) -> Value {
        self.graph.node_with("Concat", output, &[past, new], vec![int("axis", 2)])
    }

    /// Gives every query head its key or value head, where several share one.
    fn repeat_heads(&mut self, x: &str, name: &str) -> Value {
        if self.config.key_value_heads == self.config.heads {
            return x.to_owned();
        }
        self.graph.node_with("Gather", name, &[x, "attention.key_value_head"], vec![int("axis", 1)])
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use prost::Message;
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;

    use super::super::proto::Model;
    use super::*;

    /// One layer of one head, in half precision, whose key cache holds one number per token and half.
    const CONFIG: Config = Config {
        vocabulary: 5,
        width: 2,
        feed_forward: 3,
        layers: 1,
        heads: 1,
        key_value_heads: 1,
        head_width: 2,
        norm_epsilon: 1e-6,
        rope_theta: 10_000.0,
        tied_head: true,
    };

    fn weights() -> (tempfile::TempDir, Weights) {
        let layer = |name: &str| format!("model.layers.0.{name}.weight");
        let tensors = [
            ("model.embed_tokens.weight".to_owned(), vec![5, 2]),
            ("model.norm.weight".to_owned(), vec![2]),
            (layer("input_layernorm"), vec![2]),
            (layer("self_attn.q_proj"), vec![2, 2]),
            (layer("self_attn.k_proj"), vec![2, 2]),
            (layer("self_attn.v_proj"), vec![2, 2]),
            (layer("self_attn.o_proj"), vec![2, 2]),
            (layer("post_attention_layernorm"), vec![2]),
            (layer("mlp.gate_proj"), vec![3, 2]),
            (layer("mlp.up_proj"), vec![3, 2]),
            (layer("mlp.down_proj"), vec![2, 3]),
        ];
        let zeros = [0; 20];
        let views = tensors.into_iter().map(|(name, shape)| {
            let bytes = 2 * shape.iter().product::<usize>();
            (name, TensorView::new(Dtype::F16, shape, &zeros[..bytes]).unwrap())
        });
        let folder = tempfile::tempdir().unwrap();
        let bytes = safetensors::serialize(views, None).unwrap();
        std::fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        let weights = Weights::open(folder.path(), "model.safetensors").unwrap();
        (folder, weights)
    }

    /// The graph as text: a line for every tensor kept elsewhere, then one for every node.
    fn listing(bytes: &[u8]) -> String {
        let graph = Model::decode(bytes).unwrap().graph.unwrap();
        let mut text = String::new();
        for tensor in graph.initializer.iter().filter(|tensor| tensor.raw_data.is_none()) {
            let place: Vec<_> = tensor.external_data.iter().map(|entry| entry.value.as_str()).collect();
            writeln!(text, "{} {:?} at {}", tensor.name, tensor.dims, place.join(", ")).unwrap();
        }
        for node in graph.node {
            let constants: Vec<_> = node
                .attribute
                .iter()
                .map(|a| {
                    a.i.map_or_else(|| format!("{}={:?}", a.name, a.ints), |i| format!("{}={i}", a.name))
                })
                .collect();
            let inputs = [node.input.join(", "), constants.join(", ")].join("; ");
            let inputs = inputs.trim_end_matches("; ");
            writeln!(text, "{} = {}({inputs})", node.output.join(", "), node.op_type).unwrap();
        }
        text
    }

    #[test]
    fn the_graph_over_whole_sequences_reads_as_the_formulas_do() {
        let (_folder, weights) = weights();
        insta::assert_snapshot!(listing(&whole_sequences(&CONFIG, &weights).unwrap()));
    }

    #[test]
    fn the_graph_with_a_cache_differs_in_masks_and_keys_only() {
        let (_folder, weights) = weights();
        let lines = |bytes: Vec<u8>| listing(&bytes).lines().map(ToOwned::to_owned).collect::<Vec<_>>();
        let whole = lines(whole_sequences(&CONFIG, &weights).unwrap());
        let cached = lines(cached_steps(&CONFIG, &weights).unwrap());
        let own: Vec<&str> = cached.iter().filter(|line| !whole.contains(line)).map(String::as_str).collect();
        insta::assert_snapshot!(own.join("\n"));
    }
}
