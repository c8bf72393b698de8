//! Gap annealing: which student to train next, as the target gap follows a schedule.
//!
//! [`Annealing`] is a state machine without training: [`Annealing::next`] says which candidate to train under which
//! teacher and on which budget, the caller trains it, and [`Annealing::record`] takes what came out. Each round's
//! student is the next round's teacher. All policies have the same total budget, so that they can be compared.
//!
//! ```
//! use superalign_core::{Estimate, Seed};
//! use superalign_gap::Draws;
//! use superalign_gap::annealing::{Annealing, Budget, Candidate, Config, Outcome, Policy, Schedule, Scores};
//! let sure = |value: f64| Draws { value, draws: vec![value - 0.01, value, value + 0.01] };
//! let candidate = |rung, k| Candidate {
//!     name: format!("rung-{rung}"),
//!     rung,
//!     rank: None,
//!     width: None,
//!     capacity: Estimate { value: k, lo: k - 0.01, hi: k + 0.01 },
//!     cost: 1.0 + rung as f64,
//! };
//! let config = Config {
//!     policy: Policy::Annealed(Schedule::Linear { from: 0.10, to: 0.05 }),
//!     rounds: 2,
//!     budget: Budget { steps: 1001, labels: 4000 },
//!     most_uses: 1,
//!     level: 0.95,
//!     teacher: Scores { competence: sure(0.60), conformity: sure(0.80) },
//! };
//! let ladder = vec![candidate(0, 0.64), candidate(1, 0.71), candidate(2, 0.78)];
//! let mut annealing = Annealing::new(config, ladder)?;
//! let round = annealing.next().expect("the first round");
//! assert_eq!((round.candidate, round.budget.steps), (1, 501)); // K - C = .11 is nearest to .10
//! annealing.record(Outcome {
//!     scores: Scores { competence: sure(0.68), conformity: sure(0.75) },
//!     competence_only: Some(sure(0.69)),
//! })?;
//! let record = &annealing.records()[0];
//! assert!((record.tax.unwrap().value - 0.01).abs() < 1e-12);
//! assert_eq!(record.regressions.len(), 1); // conformity fell from .80 to .75
//! assert_eq!(annealing.next().unwrap().candidate, 2); // .78 - .68 is nearer to .05 than .64 - .68
//! # Ok::<(), superalign_gap::GapError>(())
//! ```

mod controller;
mod policy;
mod record;
mod schedule;

pub use controller::{Annealing, Config};
pub use policy::{Budget, Candidate, Policy, Round};
pub use record::{Objective, Outcome, Record, Regression, Scores};
pub use schedule::{Confidence, Schedule};
