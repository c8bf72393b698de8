//! `superalign world`: the generated world, to be read, and to be written as files.

use super::reward_bench::write_preferences;
use super::{Failure, say};
use crate::progress::Progress;
use crate::report::{Table, terminal};
use clap::{Subcommand, ValueEnum};
use std::io::Write;
use std::path::{Path, PathBuf};
use superalign_core::Seed;
use superalign_data::item::Objective;
use superalign_data::world::{Family, HARDEST, Part, Section, Subset, World};

const SAMPLE_EXAMPLES: &str = "\
Examples:
  superalign world sample
  superalign world sample --difficulty 6 --seed 2";
const CORPUS_EXAMPLES: &str = "\
Examples:
  superalign world corpus --tokens 1000000 -o corpus.txt";
const TOKENIZER_EXAMPLES: &str = "\
Examples:
  superalign world tokenizer -o tokenizer.json";
const ITEMS_EXAMPLES: &str = "\
Examples:
  superalign world items --part test --pairs 1800 -o items.jsonl
  superalign world items --objective conformity -o conformity.jsonl";
const PREFERENCES_EXAMPLES: &str = "\
Examples:
  superalign world preferences -o preferences.jsonl
  superalign world preferences --part student --per-subset 500 --seed 2 -o train.parquet";

/// Documents from along the corpus, which begins with the easy ones.
const CORPUS_SAMPLES: [u64; 6] = [0, 20_000, 40_000, 80_000, 120_000, 120_001];
/// Documents between two steps of the progress bar.
const STEP: usize = 10_000;

#[derive(Debug, Subcommand)]
pub(super) enum WorldCommand {
    /// Show one item of every family of task and every section of norms
    #[command(after_help = SAMPLE_EXAMPLES)]
    Sample {
        /// Seed of the world
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// From 1 to 6; without it three difficulties are shown
        #[arg(long, value_parser = clap::value_parser!(u8).range(1..=i64::from(HARDEST)))]
        difficulty: Option<u8>,
        /// Which item of its kind
        #[arg(long, default_value_t = 0)]
        index: u64,
    },
    /// Write the pretraining corpus, one document a line
    #[command(after_help = CORPUS_EXAMPLES)]
    Corpus {
        /// Seed of the world
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// At least so many tokens, counting the two that mark a document's ends
        #[arg(long, default_value_t = 16_500_000)]
        tokens: usize,
        /// File to be written
        #[arg(short, long)]
        out: PathBuf,
    },
    /// Write the tokenizer of the world's language, in the format of the `tokenizers` library
    #[command(after_help = TOKENIZER_EXAMPLES)]
    Tokenizer {
        /// Seed of the world
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// File to be written
        #[arg(short, long)]
        out: PathBuf,
    },
    /// Write binary items as JSONL: every pair holds a right and a wrong candidate
    #[command(after_help = ITEMS_EXAMPLES)]
    Items {
        /// Seed of the world
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Which part of the world: no two parts share a fact
        #[arg(long, value_enum, default_value = "test")]
        part: PartName,
        /// What the labels speak about
        #[arg(long, value_enum, default_value = "competence")]
        objective: ObjectiveName,
        /// Number of pairs
        #[arg(long, default_value_t = 1800)]
        pairs: usize,
        /// File to be written
        #[arg(short, long)]
        out: PathBuf,
    },
    /// Write the preference set: chat, chat-hard, safety and reasoning, in the columns of RewardBench
    #[command(after_help = PREFERENCES_EXAMPLES)]
    Preferences {
        /// Seed of the world
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Which part of the world: no two parts share a fact
        #[arg(long, value_enum, default_value = "test")]
        part: PartName,
        /// Number of preferences for each of the 12 subsets
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        per_subset: u32,
        /// File to be written: Parquet where the name ends so, else JSONL
        #[arg(short, long)]
        out: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum PartName {
    Pretraining,
    Teacher,
    Student,
    Validation,
    Test,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ObjectiveName {
    Competence,
    Conformity,
}

pub(super) fn world(command: &WorldCommand, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        WorldCommand::Sample { seed, difficulty, index } => {
            sample(&World::new(Seed::new(*seed)), *difficulty, *index, out);
            Ok(())
        }
        WorldCommand::Corpus { seed, tokens, out: path } => {
            let world = World::new(Seed::new(*seed));
            let (mut written, mut documents) = (0, 0);
            let stage = Progress::auto().stage("corpus (tokens)", *tokens);
            write_lines(path, |file| {
                while written < *tokens {
                    let document = world.document(documents);
                    written += document.split(' ').count() + 2;
                    documents += 1;
                    writeln!(file, "{document}")?;
                    if documents.is_multiple_of(STEP as u64) {
                        stage.set(written.min(*tokens));
                    }
                }
                Ok(())
            })?;
            drop(stage);
            say(out, format!("{}: {documents} documents, {written} tokens", path.display()));
            Ok(())
        }
        WorldCommand::Tokenizer { seed, out: path } => {
            let world = World::new(Seed::new(*seed));
            write_lines(path, |file| file.write_all(world.tokenizer_json().as_bytes()))?;
            say(out, format!("{}: {} words", path.display(), world.vocabulary().len()));
            Ok(())
        }
        WorldCommand::Items { seed, part, objective, pairs, out: path } => {
            let world = World::new(Seed::new(*seed));
            let (part, objective) = (part.part(), objective.objective());
            let stage = Progress::auto().stage("items (pairs)", *pairs);
            write_lines(path, |file| {
                for begin in (0..*pairs).step_by(STEP) {
                    let count = STEP.min(pairs - begin);
                    for item in world.binary_items(part, objective, count, begin as u64) {
                        serde_json::to_writer(&mut *file, &item)?;
                        file.write_all(b"\n")?;
                    }
                    stage.set(begin + count);
                }
                Ok(())
            })?;
            drop(stage);
            say(out, format!("{}: {} items of part {}", path.display(), 2 * pairs, part.name()));
            Ok(())
        }
        WorldCommand::Preferences { seed, part, per_subset, out: path } => {
            preferences(*seed, part.part(), *per_subset, path, out)
        }
    }
}

fn preferences(
    seed: u64,
    part: Part,
    per_subset: u32,
    path: &Path,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let set = World::new(Seed::new(seed)).preference_set(part, per_subset as usize);
    write_preferences(path, &set)?;
    let (path, n, part) = (path.display(), set.len(), part.name());
    say(out, format!("{path}: {n} preferences of part {part}, {per_subset} for each of these subsets"));
    let mut table = Table::new("Subsets", 2, &["subset", "section", "difficulties"]);
    for subset in Subset::ALL {
        let difficulties: Vec<String> = subset.difficulties().iter().map(ToString::to_string).collect();
        table.rows.push(vec![
            subset.name().to_owned(),
            subset.section().name().to_owned(),
            difficulties.join(" "),
        ]);
    }
    let _ = write!(out, "{}", terminal(&table));
    Ok(())
}

fn sample(world: &World, difficulty: Option<u8>, index: u64, out: &mut dyn Write) {
    let difficulties = difficulty.map_or_else(|| vec![1, 3, HARDEST], |d| vec![d]);
    for family in Family::ALL {
        say(out, format!("\n{} (task)", family.name()));
        for &difficulty in &difficulties {
            let task = world.task(Part::Test, family, difficulty, index);
            say(out, format!("  {difficulty}  {} ask {}", task.context, task.question));
            for (i, choice) in task.choices.iter().enumerate() {
                let mark = if i == task.gold { "right" } else { "wrong" };
                say(out, format!("       {choice}  ({mark})"));
            }
        }
    }
    for section in Section::ALL {
        say(out, format!("\n{} (norm)", section.name()));
        for &difficulty in &difficulties {
            let pair = world.preference(Part::Test, section, difficulty, index);
            say(out, format!("  {difficulty}  {}", pair.prompt));
            say(out, format!("       say {}  (proper)", pair.chosen));
            say(out, format!("       say {}  (improper)", pair.rejected));
        }
    }
    say(out, "\npretraining corpus");
    for first in CORPUS_SAMPLES {
        say(out, format!("  {}", world.document(first + index)));
    }
}

/// Writes a file under a temporary name and renames it when it is whole.
fn write_lines(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let attempt = || -> std::io::Result<()> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = std::io::BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
        write(&mut file)?;
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    attempt().map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
}

impl PartName {
    const fn part(self) -> Part {
        match self {
            Self::Pretraining => Part::Pretraining,
            Self::Teacher => Part::Teacher,
            Self::Student => Part::Student,
            Self::Validation => Part::Validation,
            Self::Test => Part::Test,
        }
    }
}

impl ObjectiveName {
    const fn objective(self) -> Objective {
        match self {
            Self::Competence => Objective::Competence,
            Self::Conformity => Objective::Conformity,
        }
    }
}
