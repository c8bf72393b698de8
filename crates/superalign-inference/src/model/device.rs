//! A device measured: does it agree with the CPU, how many tokens a second does it read, and which share of what it can
//! multiply at best is that.

use super::sessions::{open_one, said};
use super::smoke::{Row, answers};
use super::{OnnxModel, failure};
use crate::graph::matrix_chain;
use crate::runtime::{Runtime, RuntimeKind, answer};
use ndarray::{ArrayD, arr1};
use ort::value::TensorRef;
use serde::Serialize;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use superalign_core::ModelError;

/// Where a graph runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceTarget {
    /// The processor, on all cores.
    Cpu,
    /// The CUDA device of that number.
    Cuda(i32),
}

impl std::fmt::Display for DeviceTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviceWorkload {
    /// Texts of a batch.
    pub texts: usize,
    /// Tokens of a text; fewer where the model reads fewer.
    pub tokens: usize,
    /// Least time that each measurement takes.
    pub time: Duration,
    /// Side of the square matrices whose products give the peak.
    pub side: usize,
    /// Number of such products in a row.
    pub products: usize,
}

impl DeviceWorkload {
    /// What keeps a large card busy; for a processor, less.
    #[must_use]
    pub const fn of(target: DeviceTarget) -> Self {
        match target {
            DeviceTarget::Cpu => {
                Self { texts: 8, tokens: 64, time: Duration::from_secs(1), side: 1024, products: 8 }
            }
            DeviceTarget::Cuda(_) => {
                Self { texts: 128, tokens: 128, time: Duration::from_secs(2), side: 4096, products: 32 }
            }
        }
    }
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceReport {
    /// The device: `cpu`, `cuda:0`.
    pub device: String,
    /// The runtime and its version.
    pub runtime: String,
    /// The model and the output that was computed.
    pub model: String,
    /// Texts and tokens of a batch.
    pub batch: [usize; 2],
    /// |device - CPU| / |CPU|, over all values of one batch (Euclidean lengths).
    pub difference: f64,
    /// Tokens a second; inputs and outputs are copied to the device and back each time.
    pub tokens_per_second: f64,
    /// The same on the processor.
    pub cpu_tokens_per_second: f64,
    /// Products of weights and of attention, 2 operations per multiplication, in 10^9 a second.
    pub gflops: f64,
    /// What a chain of large 32-bit products reaches on the same device and runtime.
    pub peak_gflops: f64,
}

impl DeviceReport {
    /// Which share of the measured peak the model reaches.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.gflops / self.peak_gflops
    }

    /// Whether the device's answers are those of the processor: within 1e-2, as cards round 32-bit products to fewer
    /// digits unless told otherwise.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.difference <= 1e-2
    }
}

/// The CUDA cards of this machine, as its driver names them; none where there is no driver.
#[must_use]
pub fn cuda_cards() -> Vec<String> {
    let folders = std::fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten();
    let named = folders.filter_map(|folder| {
        let text = std::fs::read_to_string(folder.path().join("information")).ok()?;
        Some(text.lines().find_map(|line| line.strip_prefix("Model:"))?.trim().to_owned())
    });
    let mut cards: Vec<String> = named.collect();
    if cards.is_empty() {
        let text = answer(Command::new("nvidia-smi").arg("-L"), Duration::from_secs(10)).unwrap_or_default();
        cards.extend(text.lines().filter(|line| line.starts_with("GPU ")).map(str::to_owned));
    }
    cards
}

impl OnnxModel {
    /// Measures the model on a device against the processor.
    ///
    /// # Errors
    /// tract runs, which knows no devices; the device cannot be used, with what the runtime says; it never runs on the
    /// processor instead.
    pub fn measure_device(
        &self,
        runtime: &Runtime,
        target: DeviceTarget,
        workload: &DeviceWorkload,
    ) -> Result<DeviceReport, ModelError> {
        let failed = |reason: String| failure(&self.card, &reason);
        if runtime.kind() != RuntimeKind::OnnxRuntime {
            return Err(ModelError::Unsupported {
                model: self.card.name.clone(),
                reason: format!(
                    "{} knows no devices, expected ONNX Runtime: superalign runtime install",
                    runtime.name()
                ),
            });
        }
        let states = self.roles.states.iter().flatten().next_back();
        let output = states.or(self.roles.scores.as_ref()).or(self.roles.logits.as_ref());
        let output = output.ok_or_else(|| failed("it has no output that is known".into()))?;
        let bytes = self.graph.keep(&[output], &mut |_| Ok(None)).map_err(failed)?;
        let folder = self.graph_path.parent().unwrap_or(Path::new(""));
        let length = workload.tokens.min(self.tokenizer.limit()).max(1);
        let rows = self.pretended(workload.texts.max(1), length);
        let wanted = [true, self.roles.mask, self.roles.types, self.roles.positions];
        let tokens = (rows.len() * length) as f64;
        let measured = |target| -> Result<(ArrayD<f32>, f64), String> {
            let mut session = open_one(runtime, &bytes, folder, target, self.cores)?;
            let values = answers(&mut session, &rows, wanted, self.pad)?;
            let seconds =
                repeated(workload.time, || answers(&mut session, &rows, wanted, self.pad).map(drop))?;
            Ok((values, tokens / seconds))
        };
        let (expected, cpu_tokens_per_second) = measured(DeviceTarget::Cpu).map_err(failed)?;
        let (found, tokens_per_second) = measured(target).map_err(failed)?;
        if found.shape() != expected.shape() {
            return Err(failed(format!(
                "{output} has shape {:?} on {target}, {:?} on the CPU",
                found.shape(),
                expected.shape()
            )));
        }
        let (mut apart, mut size) = (0.0, 0.0);
        for (a, b) in found.iter().zip(&expected) {
            apart += f64::from(a - b).powi(2);
            size += f64::from(*b).powi(2);
        }
        let peak_gflops = peak(runtime, target, workload, self.cores).map_err(failed)?;
        Ok(DeviceReport {
            device: target.to_string(),
            runtime: runtime.name(),
            model: format!("{}, {output}", self.card.name),
            batch: [rows.len(), length],
            difference: if apart == 0.0 { 0.0 } else { (apart / size).sqrt() },
            tokens_per_second,
            cpu_tokens_per_second,
            gflops: tokens_per_second * self.operations(length) / 1e9,
            peak_gflops,
        })
    }

    /// Operations per token: two per weight that is multiplied, and attention's products over half the text or all of it.
    fn operations(&self, length: usize) -> f64 {
        let table = self.graph.embedding("input_ids").map_or(0, |(rows, width)| (rows * width) as u64);
        let weights = self.graph.parameters().saturating_sub(table) as f64;
        2.0 * weights + 4.0 * (length * self.card.width * self.card.layers) as f64
    }

    /// Rows of tokens spread over the vocabulary.
    fn pretended(&self, texts: usize, length: usize) -> Vec<Row> {
        let count = self.tokenizer.highest().map_or(1, |(_, id)| u64::from(id) + 1);
        let id = |row: usize, at: usize| u32::try_from((row as u64 * 7919 + at as u64 * 104_729) % count);
        let ids = |row| (0..length).map(|at| id(row, at).unwrap_or(0)).collect();
        (0..texts).map(|row| (ids(row), vec![0; length])).collect()
    }
}

/// What a chain of matrix products reaches, in 10^9 operations a second.
fn peak(
    runtime: &Runtime,
    target: DeviceTarget,
    workload: &DeviceWorkload,
    cores: usize,
) -> Result<f64, String> {
    let (side, products) = (workload.side.max(1), workload.products.max(1));
    let bytes = matrix_chain(side, products);
    let mut session = open_one(runtime, &bytes, Path::new(""), target, cores)?;
    let factor = arr1(&[1.0_f32]);
    let seconds = repeated(workload.time, || {
        let input = TensorRef::from_array_view(&factor).map_err(said)?;
        session.run(vec![("factor", input)]).map(drop).map_err(said)
    })?;
    Ok(2.0 * (side as f64).powi(3) * products as f64 / seconds / 1e9)
}

/// The shortest time of a call in seconds, of as many calls as fit into `time`, the first not counted.
fn repeated(time: Duration, mut call: impl FnMut() -> Result<(), String>) -> Result<f64, String> {
    call()?;
    let started = Instant::now();
    let mut best = f64::INFINITY;
    loop {
        let begun = Instant::now();
        call()?;
        best = best.min(begun.elapsed().as_secs_f64());
        if started.elapsed() >= time {
            return Ok(best.max(1e-9));
        }
    }
}
