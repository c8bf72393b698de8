//! The wording of errors, verdicts and advice.

use crate::normal;
use superalign_core::{Estimate, Seed};
use superalign_gap::calibration::{Advice, Direction};
use superalign_gap::capacity::Verdict;
use superalign_gap::{GapError, Utility};

const SOME: Estimate = Estimate { value: 0.0411, lo: 0.0352, hi: 0.0477 };

#[test]
fn advice_in_words() {
    let of = |direction| {
        Advice { teacher: "rung-1".into(), capability: 0.66, range: (0.02, 0.31), direction }.to_string()
    };
    let said = [
        of(Direction::Between { low: 0.7212, high: 0.8049, gain: SOME }),
        of(Direction::Strongest),
        of(Direction::Nearest),
        of(Direction::Any { gain: SOME }),
        of(Direction::Unsure { gamma: Estimate { value: 0.25, lo: 0.18, hi: 0.31 } }),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    for teacher rung-1 (C 0.66), students with K between 0.72 and 0.80 are predicted to gain most (0.041 [0.035, 0.048]); beyond that the gain falls
    for teacher rung-1 (C 0.66), the data show no interior optimum: the gain rises over the whole measured range of gamma (0.02 to 0.31); take students with K near 0.97, and measure wider gaps
    for teacher rung-1 (C 0.66), the data show no interior optimum: the gain falls over the whole measured range of gamma (0.02 to 0.31); take students with K near 0.68, and measure narrower gaps
    for teacher rung-1 (C 0.66), the data show no interior optimum: the gain is 0.041 [0.035, 0.048] over the whole measured range of gamma (0.02 to 0.31); take the cheapest student
    for teacher rung-1 (C 0.66), the data show no interior optimum: the fitted peak is at gamma 0.250 [0.180, 0.310], which reaches the end of the measured range (0.02 to 0.31); measure more pairs
    ");
}

#[test]
fn verdicts_in_words() {
    let said = [
        Verdict::Determined.to_string(),
        Verdict::Level { fall: Estimate { value: 0.004, lo: -0.011, hi: 0.02 } }.to_string(),
        Verdict::StillFalling { asymptote: Estimate { value: 0.1, lo: 0.0, hi: 0.29 }, last: 0.31 }
            .to_string(),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    the curve determines its asymptote
    undetermined: the error falls by 0.004 [-0.011, 0.020] from the first size to the last, which may be nothing
    undetermined: the error still falls at the last size, where it is 0.310; it may end at 0.100 [0.000, 0.290]
    ");
}

#[test]
fn errors_in_words() {
    let few = GapError::TooFew { what: "distinct gammas", found: 3, expected: 4 };
    let draws = normal(0.5, 0.1, 3, Seed::new(1));
    let said = [
        few.to_string(),
        draws.minus(&normal(0.5, 0.1, 4, Seed::new(1))).unwrap_err().to_string(),
        draws.estimate(0.0).unwrap_err().to_string(),
        Utility::Product.of(0.5, 1.5).unwrap_err().to_string(),
        Utility::WeightedMean { competence: -1.0 }.of(0.5, 0.5).unwrap_err().to_string(),
        GapError::Over { rounds: 4 }.to_string(),
        superalign_gap::hypervolume(&[(0.5, f64::NAN)], (0.5, 0.5)).unwrap_err().to_string(),
        superalign_gap::capacity::RankCorrelation::Kendall
            .of(&[1.0; 3], &[1.0, 2.0, 3.0])
            .unwrap_err()
            .to_string(),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    3 distinct gammas: expected at least 4
    number of draws: found 4, expected 3
    bootstrap: level = 0: expected a number between 0 and 1
    conformity of item 0 is 1.5: expected a number in [0, 1]
    competence = -1: expected a weight in [0, 1]
    all 4 rounds are over: no outcome is expected
    conformity of point 0 is NaN: expected a finite number
    rank correlation is undefined: an estimator gives every rung the same number
    ");
}
