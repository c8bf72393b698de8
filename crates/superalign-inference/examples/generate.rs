//! Continues prompts, one a line of standard input: `cargo run --release --example generate -- MODEL_DIR [SAMPLES [ROUNDS]]`.
//!
//! With `ROUNDS`, all prompts are continued that often by 64 tokens each, end tokens ignored, and only figures are
//! printed: this is what `benches/peers/generate.py` times.

use std::io::{BufRead as _, Write as _};
use std::time::Instant;
use superalign_core::Seed;
use superalign_inference::{
    CacheUse, EndToken, Filters, GenerateOptions, Generator, OpenOptions, Prompt, Runtime, Sampling, generate,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: generate MODEL_DIR [SAMPLES [ROUNDS]]")?;
    let samples = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let rounds: Option<usize> = arguments.next().map(|text| text.parse()).transpose()?;
    let runtime = Runtime::from_env()?;
    let mut model = Generator::open(folder.as_ref(), runtime, &OpenOptions::default(), CacheUse::default())?;
    let lines: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>()?;
    let prompts = Prompt::list(lines, Seed::new(1));
    let mut out = std::io::stdout().lock();
    if let Some(rounds) = rounds {
        let rows = std::env::var("ROWS").map_or(Ok(16), |text| text.parse())?;
        let options = GenerateOptions { end: EndToken::Ignore, samples, rows, ..GenerateOptions::default() };
        for _ in 0..rounds {
            let start = Instant::now();
            let completions = generate(&mut model, &prompts, &options, &mut |_| true)?;
            let tokens: usize = completions.iter().map(|one| one.tokens.len()).sum();
            let ids: Vec<&[u32]> = completions.iter().map(|one| one.tokens.as_slice()).collect();
            let seconds = start.elapsed().as_secs_f64();
            writeln!(out, "{{\"tokens\": {tokens}, \"seconds\": {seconds}, \"ids\": {ids:?}}}")?;
        }
        return Ok(());
    }
    eprintln!("{} on {}", model.name(), runtime.name());
    let sampling = if samples > 1 { Sampling::Random(Filters::default()) } else { Sampling::Greedy };
    let options = GenerateOptions { samples, sampling, ..GenerateOptions::default() };
    for one in generate(&mut model, &prompts, &options, &mut |_| true)? {
        writeln!(out, "{}\t{}\t{}\t{}", one.prompt, one.sample, one.finish.name(), one.text)?;
    }
    Ok(())
}
