//! Whether a list of numbers is a distribution.

use crate::SignalError;

/// How far from 1 a distribution may sum.
const SLACK: f64 = 1e-6;

/// Checks the distribution of this place: shares from 0, which sum to 1 within 1e-6.
pub(crate) fn checked_shares(shares: impl Iterator<Item = f64>, place: usize) -> Result<(), SignalError> {
    let mut sum = 0.0;
    let mut worst = f64::INFINITY;
    for share in shares {
        sum += share;
        worst = worst.min(share);
    }
    if worst < 0.0 {
        return Err(SignalError::Value {
            what: "least share of distribution",
            index: place,
            found: worst,
            expected: "at least 0",
        });
    }
    if (sum - 1.0).abs() <= SLACK {
        Ok(())
    } else {
        Err(SignalError::Value {
            what: "sum of distribution",
            index: place,
            found: sum,
            expected: "1, within 1e-6",
        })
    }
}

/// The shares of a checked distribution, by their sum.
pub(crate) fn normalised(shares: &[f64], place: usize) -> Result<Vec<f64>, SignalError> {
    checked_shares(shares.iter().copied(), place)?;
    let sum: f64 = shares.iter().sum();
    Ok(shares.iter().map(|share| share / sum).collect())
}
