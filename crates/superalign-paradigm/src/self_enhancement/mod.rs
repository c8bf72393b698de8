//! Self-enhancement: a model labels for itself, or for its peers, over rounds.
//!
//! Round 0 is what the model says of every item without any training: the log-odds of its verdict under several views
//! (ways to put the item) and temperatures. Self-consistency (Wang et al. 2023) makes a signal of them: the mean vote,
//! as confident as the votes are of one mind. In every further round the most confident labels are kept ([`Gate`]),
//! those that the model's own criticism contradicts left out ([`Critique`]), a student is trained on them on the
//! model's features, and what the student says under every view is the next round's votes.
//!
//! One member teaches itself (self-training, Scudder 1965). Of several, each is taught what all of them keep, which is
//! co-training (Blum and Mitchell 1998), except that the pool is made anew in every round; or what the others keep.
//! [`Student::Pairs`] is trained on preferences that it makes itself: of two candidates of a task, the one that it
//! scores higher.
//!
//! What a model says of itself can end in its saying one thing of everything. [`Health`] measures after every round how
//! much of the diversity of labels and of features is left, and a [`StopRule`] ends the rounds when too little is.
//! Nothing here knows the truth; accuracy and calibration against it belong to whoever has it.
//!
//! - [`enhance`]: the rounds; [`Config`], [`Member`]: of whom and how; [`Enhanced`], [`Round`], [`End`]: what came of it;
//! - [`consistency`], [`within_tasks`]: votes from log-odds;
//! - [`Health`], [`StopRule`], [`first_collapse`]: collapse;
//! - [`ask_verdicts`], [`ask_critiques`], [`verdict_log_odds`], [`critique_transcripts`]: the questions to models.

mod ask;
mod gate;
mod health;
mod rounds;
mod votes;

pub use ask::{
    Asked, ask_critiques, ask_verdicts, critique_transcripts, upheld, verdict_log_odds, verdict_prompts,
};
pub use health::{Health, Reason, StopRule, first_collapse};
pub use rounds::{End, Enhanced, Member, Round, View, enhance};
pub use votes::{consistency, within_tasks};

use crate::ParadigmError;
use superalign_learner::ProbeConfig;

/// How a model enhances itself. The fields are checked when it starts.
///
/// ```
/// use superalign_paradigm::self_enhancement::{Balance, Config, Gate};
/// let config = Config { gate: Gate::Share { share: 0.3, balance: Balance::Free }, ..Config::default() };
/// assert!(config.stop.is_some(), "stopping by collapse is on unless it is switched off");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Rounds of training, at least 1; 3 by default.
    pub rounds: usize,
    /// Temperatures T > 0 of the votes: one is cast with probability 1 / (1 + exp(-z / T)), z the log-odds. At least
    /// one; 1 by default.
    pub temperatures: Vec<f64>,
    /// How votes are drawn.
    pub draws: Draws,
    /// Which labels train the student.
    pub gate: Gate,
    /// What self-critique does to labels.
    pub critique: Critique,
    /// What the student is trained on.
    pub student: Student,
    /// How labels become targets.
    pub targets: Targets,
    /// Who labels the items that the student was trained on.
    pub relabel: Relabel,
    /// Whose labels train the student of a member that has peers.
    pub lessons: Lessons,
    /// How the student is trained.
    pub probe: ProbeConfig,
    /// When collapse ends the rounds; `None` goes on to the last.
    pub stop: Option<StopRule>,
}

/// How votes are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Draws {
    /// Not at all: a vote is its own expectation, the probability.
    #[default]
    Expected,
    /// So many for each view and temperature, at least 1; the vote is the share that says `right`.
    Sampled(usize),
}

/// Which labels train the student. Labels of exactly one half never do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// All.
    All,
    /// The most confident.
    Share {
        /// Share of all items (or pairs), in (0, 1].
        share: f64,
        /// Whether both classes are kept alike.
        balance: Balance,
    },
    /// Those whose confidence |2p - 1| is at least this, in [0, 1].
    Threshold(f64),
}

/// Whether both classes are kept alike. Pairs have no classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// The most confident of each class, as many of one as of the other.
    #[default]
    Equal,
    /// The most confident, whatever their class.
    Free,
}

/// What self-critique does to labels.
///
/// The model reads an item with its own verdict and says whether that verdict holds ([`Member::critique`]); a label
/// whose verdict it holds for less likely than not is contradicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Critique {
    /// Nothing.
    #[default]
    None,
    /// Contradicted labels train nobody; of pairs, those with a contradicted label.
    Drop,
    /// Contradicted labels are turned round; of pairs, those with two contradicted labels, and with one it is left out.
    Flip,
}

/// What the student is trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Student {
    /// Single items: is this candidate right?
    #[default]
    Items,
    /// Pairs of candidates of one task: which is the better one? Log-odds are then those within the task
    /// ([`within_tasks`]), so this student knows that one candidate of each task is right.
    Pairs,
}

/// How labels become targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// Hardened: 0 or 1.
    #[default]
    Hard,
    /// As they are. A student of all its own soft labels learns nothing new but from noise: they are its optimum.
    Soft,
}

/// Who labels the items that a student was trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relabel {
    /// The student itself.
    #[default]
    InSample,
    /// Students of the same kind that were trained without them: so many folds (at least 2), each task in one.
    CrossFit(usize),
}

/// Whose labels train the student of a member that has peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lessons {
    /// Those that any of them keeps, its own among them: the pool of Blum and Mitchell (1998). Of two that contradict
    /// each other the surer one prevails.
    #[default]
    Shared,
    /// Those that the others keep, as in co-teaching (Han et al. 2018): of two members, each takes over the other's.
    Exchanged,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rounds: 3,
            temperatures: vec![1.0],
            draws: Draws::default(),
            gate: Gate::Share { share: 0.5, balance: Balance::Equal },
            critique: Critique::default(),
            student: Student::default(),
            targets: Targets::default(),
            relabel: Relabel::default(),
            lessons: Lessons::default(),
            probe: ProbeConfig::default(),
            stop: Some(StopRule::default()),
        }
    }
}

impl Config {
    /// Whether every field is within its range.
    ///
    /// # Errors
    /// [`ParadigmError::Setting`] (or the learner's) for the first field that is not.
    pub fn check(&self) -> Result<(), ParadigmError> {
        let at_least = |key, found: usize, least: usize| {
            if found >= least {
                return Ok(());
            }
            Err(ParadigmError::Setting {
                key,
                found: found as f64,
                expected: format!("at least {least}").into(),
            })
        };
        at_least("rounds", self.rounds, 1)?;
        if let Draws::Sampled(draws) = self.draws {
            at_least("draws", draws, 1)?;
        }
        if let Relabel::CrossFit(folds) = self.relabel {
            at_least("folds", folds, 2)?;
        }
        match self.gate {
            Gate::Share { share, .. } if !(share > 0.0 && share <= 1.0) => {
                return Err(ParadigmError::Setting {
                    key: "share",
                    found: share,
                    expected: "a number above 0, at most 1".into(),
                });
            }
            Gate::Threshold(at) => health::unit("threshold", at)?,
            Gate::Share { .. } | Gate::All => {}
        }
        votes::check_temperatures(&self.temperatures)?;
        if let Some(rule) = &self.stop {
            rule.check()?;
        }
        self.probe.check()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
