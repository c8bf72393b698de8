//! `superalign data`: what the loader makes of a file.

use super::{Failure, say};
use clap::Subcommand;
use std::io::Write;
use std::path::PathBuf;
use superalign_core::Seed;
use superalign_data::binary::{BinaryForm, binary_items, preference_items};
use superalign_data::load::{Content, load};

const EXAMPLES: &str = "\
Examples:
  superalign data check boolq.jsonl
  superalign data check preferences.parquet";

#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    /// Say what the loader understood of a file, and show the first item as a model reads it
    #[command(after_help = EXAMPLES)]
    Check {
        /// CSV, JSON, JSONL or Parquet: tasks with choices, yes/no questions, or preferences
        file: PathBuf,
    },
}

pub(super) fn data(command: &DataCommand, out: &mut dyn Write) -> Result<(), Failure> {
    let DataCommand::Check { file } = command;
    let loaded = load(file, None).map_err(Failure::usage)?;
    for line in loaded.describe() {
        say(out, line);
    }
    let seed = Seed::new(0).named("binary");
    let items = match &loaded.content {
        Content::Tasks(tasks) => binary_items(tasks, BinaryForm::Pair, seed),
        Content::Preferences(preferences) => preference_items(preferences, BinaryForm::Pair, seed),
    };
    let groups: std::collections::BTreeSet<&str> = items.iter().map(|i| i.group.as_str()).collect();
    say(out, format!("{} binary items in {} groups", items.len(), groups.len()));
    for item in items.iter().take(2) {
        say(out, format!("\n{} ({})\n{}", item.id, if item.label { "right" } else { "wrong" }, item.text));
    }
    Ok(())
}
