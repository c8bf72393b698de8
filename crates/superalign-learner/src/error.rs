//! Why a student could not be trained or asked.

use crate::Head;

/// Why a student could not be trained or asked. Positions are counted from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LearnerError {
    /// Features and labels (or predictions and targets) speak of different numbers of rows.
    #[error("{what}: expected {expected} rows, as many as there are {of}, found {found}")]
    Rows {
        /// What has the wrong number of rows.
        what: &'static str,
        /// What sets the number.
        of: &'static str,
        /// Rows expected.
        expected: usize,
        /// Rows found.
        found: usize,
    },
    /// The features have another number of columns than the student was trained on.
    #[error("features: expected {expected} columns, as many as the student was trained on, found {found}")]
    Columns {
        /// Columns expected.
        expected: usize,
        /// Columns found.
        found: usize,
    },
    /// There are no features.
    #[error("features: expected at least one column, found none")]
    NoColumns,
    /// There are too few rows.
    #[error("{what}: expected at least {expected} rows, found {found}")]
    TooFewRows {
        /// What has too few rows.
        what: &'static str,
        /// The least number of rows.
        expected: usize,
        /// Rows found.
        found: usize,
    },
    /// A feature is infinite or not a number.
    #[error(
        "features: row {row}, column {column} is {value}; expected a finite number: \
         drop the row, or see why the encoder overflowed"
    )]
    NonFinite {
        /// Row of the feature.
        row: usize,
        /// Column of the feature.
        column: usize,
        /// What was found there.
        value: f32,
    },
    /// The features are so large that their products overflow single precision.
    #[error(
        "features: their products overflow single precision (largest root mean square of a column: {largest:e}); \
         set scaling to unit variance"
    )]
    Overflow {
        /// The largest root mean square of a column, after centring.
        largest: f64,
    },
    /// A label is outside [0, 1] or not a number.
    #[error("labels: row {row}, problem {problem} is {value}; expected a probability in [0, 1]")]
    Label {
        /// Row of the label.
        row: usize,
        /// Column of the label: the problem.
        problem: usize,
        /// What was found there.
        value: f64,
    },
    /// A probability is outside [0, 1] or not a number.
    #[error("probabilities: row {row} is {value}; expected a number in [0, 1]")]
    Probability {
        /// Row of the probability.
        row: usize,
        /// What was found there.
        value: f64,
    },
    /// A logit is infinite or not a number.
    #[error("logits: row {row} is {value}; expected a finite number")]
    Logit {
        /// Row of the logit.
        row: usize,
        /// What was found there.
        value: f64,
    },
    /// All labels are exactly 0 or all exactly 1: the unpenalised intercept has no finite optimum.
    #[error(
        "labels: problem {problem} has the label {value} on all {rows} rows, so the best intercept is infinite; \
         expected both classes, or soft labels"
    )]
    OneClass {
        /// The problem.
        problem: usize,
        /// The label that all rows have.
        value: u8,
        /// Number of rows.
        rows: usize,
    },
    /// Labels of fewer than two classes.
    #[error("labels: problem {problem} has {found} classes; expected at least 2, one column each")]
    TooFewClasses {
        /// The problem.
        problem: usize,
        /// Classes found.
        found: usize,
    },
    /// The class probabilities of a row do not sum to 1.
    #[error("labels: row {row}, problem {problem}: the class probabilities sum to {sum}; expected 1")]
    ClassSum {
        /// Row of the labels.
        row: usize,
        /// The problem.
        problem: usize,
        /// Sum found.
        sum: f64,
    },
    /// A class has probability 0 on all rows: its unpenalised intercept has no finite optimum.
    #[error(
        "labels: problem {problem}, class {class} has probability 0 on all {rows} rows, so its best intercept is \
         infinite; drop the class, or use soft labels"
    )]
    EmptyClass {
        /// The problem.
        problem: usize,
        /// The class.
        class: usize,
        /// Number of rows.
        rows: usize,
    },
    /// The two items of a pair have different numbers of features.
    #[error("second items: expected {expected} columns, as many as the first items have, found {found}")]
    PairColumns {
        /// Columns expected.
        expected: usize,
        /// Columns found.
        found: usize,
    },
    /// A setting is outside its range.
    #[error("{key} = {found}: expected {expected}")]
    Setting {
        /// Name of the setting.
        key: &'static str,
        /// Its value.
        found: f64,
        /// Its range, in words.
        expected: &'static str,
    },
    /// The loss has no meaning for pairs.
    #[error("loss {found} is not offered for pairs; expected another one, or pairs pruned beforehand")]
    LossOfPairs {
        /// Its name.
        found: &'static str,
    },
    /// There is no loss of that name.
    #[error("loss \"{found}\" is not known; expected one of {}", crate::Loss::NAMES.join(", "))]
    UnknownLoss {
        /// The name that was found.
        found: String,
    },
    /// The optimum was not reached.
    #[error(
        "problem {problem}: after {iterations} iterations the gradient norm is {gradient_norm:e}, \
         expected at most {tolerance:e}: raise max_iterations or tolerance, lower the penalty C, or scale the features"
    )]
    NotConverged {
        /// The problem.
        problem: usize,
        /// Iterations spent.
        iterations: usize,
        /// Norm of the gradient at the end.
        gradient_norm: f64,
        /// Norm that was asked for.
        tolerance: f64,
    },
    /// The rank of a trunk is no number of combinations that its features can have.
    #[error("rank = {found}: expected from 1 to {columns}, the number of columns of the features")]
    Rank {
        /// Its rank.
        found: usize,
        /// Columns of the features.
        columns: usize,
    },
    /// A plan trains an objective that has no labels.
    #[error(
        "problem {problem} has no {head} labels, which its plan trains: give them, or choose another plan"
    )]
    NoLabels {
        /// The problem.
        problem: usize,
        /// The objective.
        head: Head,
    },
    /// A label of one of the two objectives of a trunk is outside [0, 1] or not a number.
    #[error("{head} labels: row {row}, problem {problem} is {value}; expected a probability in [0, 1]")]
    ObjectiveLabel {
        /// The objective.
        head: Head,
        /// Row of the label, among the items of the objective.
        row: usize,
        /// The problem.
        problem: usize,
        /// What was found there.
        value: f64,
    },
    /// The features of the two objectives have different columns.
    #[error(
        "features: {competence} columns for competence, {conformity} for conformity; \
         expected features of one encoder"
    )]
    ObjectiveColumns {
        /// Columns of the competence items.
        competence: usize,
        /// Columns of the conformity items.
        conformity: usize,
    },
    /// Weights of a trunk have not the shape they should have.
    #[error("trunk: {what} is {found}, expected {expected}")]
    TrunkShape {
        /// What has another size.
        what: &'static str,
        /// The size it should have.
        expected: usize,
        /// The size it has.
        found: usize,
    },
    /// Whole groups cannot be held out without leaving too little on one side.
    #[error(
        "stopping: holding out whole groups leaves {training} {head} rows to train on and {held_out} to measure; \
         expected at least 2 and 1: use more or smaller groups, or another share"
    )]
    HeldOut {
        /// The objective.
        head: Head,
        /// Rows left to train on.
        training: usize,
        /// Rows held out.
        held_out: usize,
    },
    /// The weights of a trunk have grown beyond single precision.
    #[error(
        "problem {problem} diverged at step {step}: lower the learning rate, or set scaling to unit variance"
    )]
    Diverged {
        /// The problem.
        problem: usize,
        /// Steps taken before.
        step: usize,
    },
}
