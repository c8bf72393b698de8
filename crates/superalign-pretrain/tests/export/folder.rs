//! Folders with random weights, as transformers would save them.

use half::f16;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::collections::BTreeMap;
use std::path::Path;
use superalign_core::Seed;

/// The sizes of a test model.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) vocabulary: usize,
    pub(crate) width: usize,
    pub(crate) feed_forward: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) key_value_heads: usize,
    pub(crate) norm_epsilon: f64,
    pub(crate) element: Dtype,
}

pub(crate) const SMALL: Shape = Shape {
    vocabulary: 61,
    width: 24,
    feed_forward: 40,
    layers: 2,
    heads: 3,
    key_value_heads: 3,
    norm_epsilon: 1e-6,
    element: Dtype::F16,
};

/// Two query heads to a key head, and single precision.
pub(crate) const GROUPED: Shape = Shape {
    vocabulary: 97,
    width: 48,
    feed_forward: 128,
    layers: 3,
    heads: 4,
    key_value_heads: 2,
    norm_epsilon: 1e-5,
    element: Dtype::F32,
};

/// The values that are on disk, in double precision.
pub(crate) struct Parameters {
    pub(crate) shape: Shape,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
}

impl Parameters {
    pub(crate) fn vector(&self, name: &str) -> Vec<f64> {
        self.tensors[name].1.clone()
    }

    /// Rows are outputs.
    pub(crate) fn matrix(&self, name: &str) -> Vec<Vec<f64>> {
        let (shape, values) = &self.tensors[name];
        values.chunks(shape[1]).map(<[f64]>::to_vec).collect()
    }

    /// Name and sizes of every tensor.
    fn names(shape: &Shape) -> Vec<(String, Vec<usize>)> {
        let (d, f) = (shape.width, shape.feed_forward);
        let kv = d / shape.heads * shape.key_value_heads;
        let mut names = vec![
            ("model.embed_tokens.weight".to_owned(), vec![shape.vocabulary, d]),
            ("model.norm.weight".to_owned(), vec![d]),
        ];
        for layer in 0..shape.layers {
            for (name, sizes) in [
                ("input_layernorm", vec![d]),
                ("self_attn.q_proj", vec![d, d]),
                ("self_attn.k_proj", vec![kv, d]),
                ("self_attn.v_proj", vec![kv, d]),
                ("self_attn.o_proj", vec![d, d]),
                ("post_attention_layernorm", vec![d]),
                ("mlp.gate_proj", vec![f, d]),
                ("mlp.up_proj", vec![f, d]),
                ("mlp.down_proj", vec![d, f]),
            ] {
                names.push((format!("model.layers.{layer}.{name}.weight"), sizes));
            }
        }
        names
    }

    /// Weights of such a size that every part of the model matters: norms around 1, projections that keep the
    /// scale, rounded to what the file can hold.
    pub(crate) fn random(shape: Shape, seed: Seed) -> Self {
        let draw = |name: &str, sizes: &[usize]| -> Vec<f64> {
            let (centre, spread) = match sizes {
                [_] => (1.0, 0.3),
                _ if name.contains("embed") => (0.0, 1.0),
                [_, inputs] => (0.0, (3.0 / *inputs as f64).sqrt()),
                _ => unreachable!("no tensor of {sizes:?}"),
            };
            let seed = seed.named(name);
            let unit = |i| seed.nth(i).value() as f64 / 2f64.powi(63) - 1.0;
            let count = sizes.iter().product::<usize>() as u64;
            let round = |x: f64| match shape.element {
                Dtype::F16 => f16::from_f64(x).to_f64(),
                _ => f64::from(x as f32),
            };
            (0..count).map(|i| round(centre + spread * unit(i))).collect()
        };
        let named = Self::names(&shape).into_iter();
        let tensors = named.map(|(name, sizes)| {
            let values = draw(&name, &sizes);
            (name, (sizes, values))
        });
        Self { shape, tensors: tensors.collect() }
    }

    /// Writes `model.safetensors` and `config.json`.
    pub(crate) fn save(&self, folder: &Path) {
        let bytes = |values: &[f64]| -> Vec<u8> {
            match self.shape.element {
                Dtype::F16 => values.iter().flat_map(|&x| f16::from_f64(x).to_le_bytes()).collect(),
                _ => values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect(),
            }
        };
        let raw: Vec<_> =
            self.tensors.iter().map(|(name, (sizes, values))| (name, sizes, bytes(values))).collect();
        let views = raw.iter().map(|(name, sizes, bytes)| {
            (*name, TensorView::new(self.shape.element, (*sizes).clone(), bytes).unwrap())
        });
        let metadata = Some([("format".to_owned(), "pt".to_owned())].into());
        std::fs::write(
            folder.join("model.safetensors"),
            safetensors::serialize(views.collect::<Vec<_>>(), metadata).unwrap(),
        )
        .unwrap();
        std::fs::write(folder.join("config.json"), self.config().to_string()).unwrap();
    }

    pub(crate) fn config(&self) -> serde_json::Value {
        serde_json::json!({
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_act": "silu",
            "hidden_size": self.shape.width,
            "intermediate_size": self.shape.feed_forward,
            "num_attention_heads": self.shape.heads,
            "num_hidden_layers": self.shape.layers,
            "num_key_value_heads": self.shape.key_value_heads,
            "rms_norm_eps": self.shape.norm_epsilon,
            "rope_theta": 10_000.0,
            "tie_word_embeddings": true,
            "vocab_size": self.shape.vocabulary,
        })
    }

    /// A whole number below the vocabulary for every position of sequence `row`.
    pub(crate) fn tokens(&self, row: u64, length: usize) -> Vec<i64> {
        let seed = Seed::new(row).named("tokens");
        (0..length as u64).map(|i| (seed.nth(i).value() % self.shape.vocabulary as u64) as i64).collect()
    }
}
