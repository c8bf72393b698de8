//! Which continuation does a model find likely: `cargo run --release --example choose -- MODEL_DIR PREFIX CHOICE...`.

use std::io::Write as _;
use superalign_core::{ChoicePrompt, Model as _};
use superalign_inference::{OnnxModel, OpenOptions, Runtime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(prefix)) = (arguments.next(), arguments.next()) else {
        return Err("usage: choose MODEL_DIR PREFIX CHOICE...".into());
    };
    let prompt = ChoicePrompt { prefix, choices: arguments.collect() };
    let mut model = OnnxModel::open(folder.as_ref(), Runtime::from_env()?, &OpenOptions::default())?;
    eprintln!("{} on {}", model.card().name, model.card().runtime);
    let answers = model.choice_log_likelihoods(std::slice::from_ref(&prompt), &mut |_| true)?;
    let mut out = std::io::stdout().lock();
    for (choice, likelihood) in prompt.choices.iter().zip(answers.iter().flatten()) {
        writeln!(out, "{:9.4} nats, {} tokens\t{choice}", likelihood.sum, likelihood.tokens)?;
    }
    Ok(())
}
