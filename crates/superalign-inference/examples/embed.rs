//! Embeds lines of text: `cargo run --release --example embed -- MODEL_DIR < texts.txt`.
//!
//! Prints, for each line, the line before it that is nearest in cosine; on standard error, which runtime was used,
//! and how fast.

use std::io::{BufRead as _, Write as _};
use superalign_core::{EmbedRequest, Layer, Model as _, Pooling};
use superalign_inference::{FeatureCache, OnnxModel, OpenOptions, Runtime, embed_cached};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: embed MODEL_DIR < texts.txt")?;
    let texts: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.trim().is_empty()).collect();

    let runtime = Runtime::from_env()?;
    eprintln!("{runtime}");
    let mut model = OnnxModel::open(folder.as_ref(), runtime, &OpenOptions::default())?;
    let request = EmbedRequest { pooling: Pooling::Mean, layer: Layer::Last };
    let started = std::time::Instant::now();
    let vectors = match superalign_inference::home() {
        Some(home) => {
            let cache = FeatureCache::new(&home.join("features"));
            embed_cached(&mut model, &cache, &texts, request, &mut |_| true)?
        }
        None => model.embed(&texts, request, &mut |_| true)?,
    };
    let seconds = started.elapsed().as_secs_f64();
    let cut = model.usage().truncated;
    eprintln!("{} texts in {seconds:.2} s, {cut} of them cut to the model's length", texts.len());

    let mut out = std::io::stdout().lock();
    for (row, text) in texts.iter().enumerate() {
        let cosine = |other: usize| {
            let (a, b) = (vectors.row(row), vectors.row(other));
            a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt()
        };
        match (0..row).max_by(|a, b| cosine(*a).total_cmp(&cosine(*b))) {
            Some(nearest) => writeln!(out, "{:.3}\t{text}\t<- {}", cosine(nearest), texts[nearest])?,
            None => writeln!(out, "     \t{text}")?,
        }
    }
    Ok(())
}
