//! Where and in which number format a model runs: options that the commands share.

use clap::{Args, ValueEnum};
use superalign_inference::{DeviceChoice, GraphChoice, GraphFormat, OpenOptions};

#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    /// Where the model runs: auto (CUDA where a card works, else the processor), cpu, cuda (all cards) or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// The graph in this number format, where the folder has several
    #[arg(long, value_enum)]
    precision: Option<PrecisionArg>,
    /// Cores to use [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    cores: Option<u16>,
    /// Most tokens of a batch, padding included [default: 256 on the processor, 16384 on a card]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    token_budget: Option<u32>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PrecisionArg {
    /// model.onnx
    F32,
    /// model_fp16.onnx
    F16,
    /// model_bf16.onnx
    Bf16,
    /// model_int8.onnx or model_quantized.onnx
    Int8,
}

impl PlaceArgs {
    /// The options of a model that is opened so.
    pub(super) fn options(&self) -> OpenOptions {
        let format = |precision| match precision {
            PrecisionArg::F32 => GraphFormat::Full,
            PrecisionArg::F16 => GraphFormat::F16,
            PrecisionArg::Bf16 => GraphFormat::Bf16,
            PrecisionArg::Int8 => GraphFormat::Int8,
        };
        OpenOptions {
            graph: self.precision.map_or(GraphChoice::Auto, |one| GraphChoice::Format(format(one))),
            device: self.device,
            cores: self.cores.map(usize::from),
            token_budget: self.token_budget.map(|tokens| usize::try_from(tokens).unwrap_or(usize::MAX)),
            ..OpenOptions::default()
        }
    }
}
