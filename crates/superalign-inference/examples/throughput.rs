//! Embeds the same texts as often as it is told to: `… --example throughput -- MODEL_DIR TEXTS [GRAPH] < commands`.
//!
//! Each line of standard input is a command and is answered by a line of JSON: `embed` embeds all lines of the file TEXTS
//! and tells the seconds, `save FILE` writes the vectors of the last time as 32-bit floats. This is what
//! `benches/peers/embed.py` times.

use std::io::{BufRead as _, Write as _};
use std::time::Instant;
use superalign_core::{EmbedRequest, Layer, Model as _, Pooling};
use superalign_inference::{GraphChoice, OnnxModel, OpenOptions, Runtime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next();
    let usage = "usage: throughput MODEL_DIR TEXTS [GRAPH]";
    let (folder, texts) = (next().ok_or(usage)?, next().ok_or(usage)?);
    let graph = next().map_or(Ok(GraphChoice::Auto), |text| text.parse())?;
    let texts = std::fs::read_to_string(texts)?;
    let texts: Vec<&str> = texts.lines().collect();
    let runtime = Runtime::from_env()?;
    let mut model =
        OnnxModel::open(folder.as_ref(), runtime, &OpenOptions { graph, ..OpenOptions::default() })?;
    let request = EmbedRequest { pooling: Pooling::Mean, layer: Layer::Last };
    let (mut vectors, mut out) = (None, std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split_once(' ') {
            Some(("save", file)) => {
                let values: &ndarray::Array2<f32> = vectors.as_ref().ok_or("nothing is embedded yet")?;
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                std::fs::write(file, bytes)?;
                serde_json::json!({ "shape": values.shape() })
            }
            None if line == "embed" => {
                let (before, start) = (model.usage(), Instant::now());
                vectors = Some(model.embed(&texts, request, &mut |_| true)?);
                let seconds = start.elapsed().as_secs_f64();
                let tokens = model.usage().tokens - before.tokens;
                serde_json::json!({ "texts": texts.len(), "tokens": tokens, "seconds": seconds, "runtime": runtime.name() })
            }
            _ => return Err(format!("{line:?} is no command, expected embed or save FILE").into()),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
