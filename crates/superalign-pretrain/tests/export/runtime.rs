//! The exported graphs on whichever runtime the process has chosen.

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{DynValue, Tensor};
use std::path::Path;

/// A session, and the names of its outputs.
pub(crate) struct Graph(Session);

/// Several sequences of one length, some of whose tokens are padding.
pub(crate) struct Padded {
    pub(crate) ids: Vec<Vec<i64>>,
    pub(crate) mask: Vec<Vec<i64>>,
}

/// An output: values, and their shape.
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    /// The last axis at these indices of the others.
    pub(crate) fn row(&self, at: &[usize]) -> &[f32] {
        let last = self.shape[self.shape.len() - 1];
        let index = at.iter().zip(&self.shape).fold(0, |index, (&i, &n)| index * n + i);
        &self.values[index * last..][..last]
    }

    pub(crate) fn finite(&self) -> bool {
        self.values.iter().all(|x| x.is_finite())
    }
}

/// Keys and values of the tokens so far, by input name.
pub(crate) type Cache = Vec<(String, DynValue)>;

fn matrix(rows: &[Vec<i64>]) -> DynValue {
    let shape = [rows.len(), rows[0].len()];
    Tensor::from_array((shape, rows.concat())).unwrap().into_dyn()
}

impl Graph {
    pub(crate) fn open(environment: &Environment, path: &Path) -> Self {
        let builder = Session::builder(environment).unwrap();
        let mut builder = builder.with_optimization_level(GraphOptimizationLevel::Level3).unwrap();
        Self(builder.commit_from_file(path).unwrap())
    }

    /// Input and output names, in the graph's order.
    pub(crate) fn names(&self) -> (Vec<String>, Vec<String>) {
        let inputs = self.0.inputs().iter().map(|input| input.name().to_owned());
        let outputs = self.0.outputs().iter().map(|output| output.name().to_owned());
        (inputs.collect(), outputs.collect())
    }

    /// Every output of a graph without cache.
    pub(crate) fn run(&mut self, batch: &Padded) -> Vec<(String, Array)> {
        let inputs = vec![
            ("input_ids".to_owned(), matrix(&batch.ids)),
            ("attention_mask".to_owned(), matrix(&batch.mask)),
        ];
        let outputs = self.0.run(inputs).unwrap();
        outputs.iter().map(|(name, value)| (name.to_owned(), array(&value))).collect()
    }

    /// Logits of the new tokens; `cache` grows by them.
    pub(crate) fn step(
        &mut self,
        ids: &[Vec<i64>],
        mask: &[Vec<i64>],
        positions: &[Vec<i64>],
        cache: &mut Cache,
    ) -> Array {
        let mut inputs = vec![
            ("input_ids".to_owned(), matrix(ids)),
            ("attention_mask".to_owned(), matrix(mask)),
            ("position_ids".to_owned(), matrix(positions)),
        ];
        inputs.append(cache);
        let mut outputs = self.0.run(inputs).unwrap();
        let names: Vec<String> = outputs.keys().map(ToOwned::to_owned).collect();
        for name in names.iter().filter(|name| name.starts_with("present")) {
            let past = name.replace("present", "past_key_values");
            cache.push((past, outputs.remove(name).unwrap()));
        }
        array(&outputs["logits"])
    }
}

/// A cache of no tokens.
pub(crate) fn empty_cache(layers: usize, shape: [usize; 4]) -> Cache {
    let names = (0..layers).flat_map(|n| ["key", "value"].map(|half| format!("past_key_values.{n}.{half}")));
    let empty = || Tensor::from_array((shape, Vec::<f32>::new())).unwrap().into_dyn();
    names.map(|name| (name, empty())).collect()
}

fn array(value: &DynValue) -> Array {
    let (shape, values) = value.try_extract_tensor::<f32>().unwrap();
    Array { shape: shape.iter().map(|&n| n as usize).collect(), values: values.to_vec() }
}
