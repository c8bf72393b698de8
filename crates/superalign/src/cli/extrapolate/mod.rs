//! `superalign extrapolate`: what a table of right answers by difficulty or scale says of levels beyond it.
//!
//! The maths are those of [`superalign_evaluation::extrapolation`]; here is how a table is read (`columns`, `table`),
//! what is fitted, tested and predicted (`work`), how it is shown (`show`, `plot`), and the item response models
//! (`irt`).

mod columns;
mod irt;
mod plot;
mod show;
mod table;
#[cfg(test)]
mod tests;
mod work;

use super::{Failure, say};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use superalign_core::{Bootstrap, Seed};
use superalign_evaluation::extrapolation as maths;
use superalign_evaluation::extrapolation::Spacing;

const EXAMPLES: &str = "\
Examples:
  superalign extrapolate table.csv                            fit, backtest and weigh four curves
  superalign extrapolate table.csv --predict 7,8              what levels 7 and 8 will show
  superalign extrapolate table.csv --model logistic --floor 0.25 --backtest
  superalign extrapolate ladder.csv --x scale --predict 1e9 --plot ladder.svg
  superalign extrapolate items.parquet --columns x=hops,correct=right,model=name --json
  superalign extrapolate answers.csv --irt 2pl                difficulty and slope of items

A prediction that is refused is shown with the reason, and is no failure.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExtrapolateArgs {
    /// CSV, TSV, JSON, JSONL or Parquet: a level with successes and trials, with a score and n, or with one answer
    table: PathBuf,
    /// What columns are for, as in `x=size,correct=right`, where their names do not say it: x, successes, trials,
    /// score, correct, model, cluster; with --irt person, item, correct, count
    #[arg(long, value_name = "ROLE=NAME,...", value_delimiter = ',')]
    columns: Vec<String>,
    /// What the levels are: of difficulty right answers fall, of scale they rise with the logarithm
    #[arg(long, value_name = "WHAT", default_value = "difficulty")]
    x: Levels,
    /// The curve, or all of them weighted by how well they foretold the levels that are known
    #[arg(long, value_name = "CURVE", default_value = "stack")]
    model: Model,
    /// Levels to predict
    #[arg(long, value_name = "X,...", value_delimiter = ',', allow_negative_numbers = true)]
    predict: Vec<f64>,
    /// Number of new items of a prediction; the mean number of a level unless given
    #[arg(long, value_name = "N")]
    items: Option<u64>,
    /// Least share, of guessing: a number or `free`. Without it 0, and free for a power law over difficulty
    #[arg(long, value_name = "SHARE")]
    floor: Option<String>,
    /// Greatest share: a number or `free`. Without it 1, and free for a power law over scale
    #[arg(long, value_name = "SHARE")]
    ceiling: Option<String>,
    /// What varies in resamples: answers; answers and levels, which stray from the curve; or whole clusters
    #[arg(long, value_name = "WHAT", default_value = "straying")]
    resampling: Resampling,
    /// Levels of the first fit of the backtests; as few as all curves allow unless given
    #[arg(long, value_name = "N")]
    first: Option<usize>,
    /// Farthest level that backtests predict, counted in levels
    #[arg(long, value_name = "N", default_value_t = 3)]
    horizon: usize,
    /// Forecasts that must reach a distance before it counts as tested
    #[arg(long, value_name = "N", default_value_t = 3)]
    enough: usize,
    /// What to do beyond the tested distance
    #[arg(long, value_name = "WHAT", default_value = "widen")]
    beyond: Beyond,
    /// Show the backtests by horizon, against the last value and a straight line
    #[arg(long)]
    backtest: bool,
    /// Fit an item response model to persons' answers instead
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["predict", "backtest", "plot"])]
    irt: Option<irt::IrtModel>,
    /// What is known of the items beforehand, with --irt
    #[arg(long, value_name = "PRIOR", default_value = "flat", requires = "irt")]
    prior: irt::Prior,
    /// Print one JSON object in place of tables
    #[arg(long)]
    json: bool,
    /// Draw curves and predictions into an SVG file
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Level of the intervals
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    /// Resamples for an interval
    #[arg(long, value_name = "N", default_value_t = 1000)]
    draws: usize,
    /// Seed of all that is drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What levels are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Levels {
    /// Difficulty.
    Difficulty,
    /// Parameters, compute, data.
    Scale,
}

impl Levels {
    const fn name(self) -> &'static str {
        match self {
            Self::Difficulty => "difficulty",
            Self::Scale => "scale",
        }
    }

    const fn spacing(self) -> Spacing {
        match self {
            Self::Difficulty => Spacing::Even,
            Self::Scale => Spacing::Ratio,
        }
    }
}

/// Which curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Model {
    /// Logistic.
    Logistic,
    /// Power law.
    Power,
    /// Clipped line.
    ClippedLinear,
    /// Monotone.
    Monotone,
    /// All of them, weighted.
    Stack,
}

/// What varies in resamples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Resampling {
    /// Answers.
    Binomial,
    /// Answers and levels.
    Straying,
    /// Clusters.
    Clusters,
}

impl Resampling {
    const fn maths(self) -> maths::Resampling {
        match self {
            Self::Binomial => maths::Resampling::Binomial,
            Self::Straying => maths::Resampling::Straying,
            Self::Clusters => maths::Resampling::Clusters,
        }
    }
}

/// What to do beyond what was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Beyond {
    /// Refuse.
    Refuse,
    /// Widen.
    Widen,
}

pub(super) fn extrapolate(args: &ExtrapolateArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let by =
        Bootstrap { draws: args.draws, level: args.level, seed: Seed::new(args.seed).named("extrapolate") };
    by.check().map_err(Failure::usage)?;
    for (key, found) in
        [("first", args.first.unwrap_or(1)), ("horizon", args.horizon), ("enough", args.enough)]
    {
        if found == 0 {
            return Err(Failure::Usage(format!("--{key} 0: expected at least 1")));
        }
    }
    if args.items == Some(0) {
        return Err(Failure::Usage("--items 0: expected at least 1".to_owned()));
    }
    let table = superalign_data::columns::read(&args.table).map_err(Failure::usage)?;
    if let Some(model) = args.irt {
        return irt::irt(&table, model, args, out);
    }
    let clustered = match args.resampling {
        Resampling::Clusters => table::Clustered::Yes,
        Resampling::Binomial | Resampling::Straying => table::Clustered::No,
    };
    let counts = table::counts(&table, &args.columns, args.x.spacing(), clustered)?;
    let found = work::work(&counts, args, &by).map_err(|failure| match failure {
        // What is wrong with an option is no fault of the table.
        Failure::Usage(message) if !message.starts_with("--") => {
            Failure::Usage(format!("{}: {message}", args.table.display()))
        }
        other => other,
    })?;
    if let Some(path) = &args.plot {
        let svg = plot::plot(&counts, &found, args);
        crate::record::write_whole(path, svg.as_bytes()).map_err(Failure::failed)?;
    }
    if args.json {
        let text = serde_json::to_string_pretty(&show::json(&table, &counts, &found, args));
        say(out, text.map_err(Failure::failed)?);
    } else {
        show::text(&counts, &found, args, out);
    }
    Ok(())
}
