//! `superalign models check`: a folder described, compared with its digests, and tried out.

use super::manifest::{Deviation, Manifest};
use super::show::{self, Found};
use super::{Failure, say};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use superalign_inference::{GraphChoice, OnnxModel, OpenOptions, RuntimeChoice, describe};

const EXAMPLES: &str = "\
Examples:
  superalign models check models/ladder/rung-1
  superalign models check path/to/folder --graph onnx/model_fp16.onnx
  superalign models check path/to/folder --graph int8 --json
  superalign models check path/to/folder --runtime onnxruntime

Exit codes:
  0  the folder can be used
  1  it can be read, and digests differ or the trial fails
  2  it cannot be read or opened";

/// The two sentences of the trial; one is longer, so that the other is padded.
const SENTENCES: [&str; 2] =
    ["The river froze early this year, and the ferry stayed on the other bank.", "It is raining."];

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct CheckArgs {
    /// Folder with an ONNX graph, tokenizer.json and config.json
    pub(super) dir: PathBuf,
    /// The graph: auto, f32, f16, bf16, int8, uint8, q4, q4f16, bnb4, or a file of the folder
    #[arg(long, value_name = "GRAPH", default_value = "auto")]
    pub(super) graph: String,
    /// Runtime that tries it out: auto, tract or onnxruntime [default: SUPERALIGN_RUNTIME, else auto]
    #[arg(long, value_name = "RUNTIME")]
    pub(super) runtime: Option<RuntimeChoice>,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn check(args: &CheckArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let manifest = Manifest::read(&args.dir).map_err(Failure::Usage)?;
    let graph = match args.graph.parse::<GraphChoice>() {
        // Of several graphs, the one that was fetched for use.
        Ok(GraphChoice::Auto) => match manifest.as_ref().and_then(|manifest| manifest.graph.clone()) {
            Some(graph) => GraphChoice::File(graph),
            None => GraphChoice::Auto,
        },
        Ok(choice) => choice,
    };
    let description = describe(&args.dir, &graph).map_err(Failure::usage)?;
    let deviations: Option<Vec<Deviation>> = manifest.as_ref().map(|manifest| manifest.deviations(&args.dir));
    let runtime = super::super::runtime::start(args.runtime)?;
    let options = OpenOptions { graph, cores: Some(1), ..OpenOptions::default() };
    let mut model = OnnxModel::open(&args.dir, runtime, &options).map_err(Failure::usage)?;
    let trial = model.smoke_test(SENTENCES).map_err(|error| error.to_string());
    let found = Found { description, manifest, deviations, runtime: runtime.name(), trial };
    if args.json {
        say(out, found.json().to_string());
    } else {
        show::print(&found, out);
    }
    match found.problems() {
        0 => Ok(()),
        _ => Err(Failure::Silent),
    }
}
