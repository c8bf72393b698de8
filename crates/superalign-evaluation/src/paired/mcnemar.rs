//! Two models' right and wrong answers to the same items, and whether they differ.

use crate::EvaluationError;
use crate::special::{half_binomial, normal_two_sided};

/// How often both models, one or neither of them were right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Items that both got right.
    pub both: u64,
    /// Items that the first alone got right.
    pub first_only: u64,
    /// Items that the second alone got right.
    pub second_only: u64,
    /// Items that neither got right.
    pub neither: u64,
}

impl Table {
    /// Counts the answers of two models: whether each was right, item by item.
    ///
    /// # Errors
    /// No item; two numbers of answers.
    ///
    /// ```
    /// use superalign_evaluation::paired::Table;
    /// let table = Table::new(&[true, true, false, true], &[true, false, false, false])?;
    /// assert_eq!(table, Table { both: 1, first_only: 2, second_only: 0, neither: 1 });
    /// assert_eq!((table.discordance()?, table.difference()?), (0.5, 0.5));
    /// # Ok::<(), superalign_evaluation::EvaluationError>(())
    /// ```
    pub fn new(first: &[bool], second: &[bool]) -> Result<Self, EvaluationError> {
        if first.len() != second.len() {
            let what = "number of answers of the second model";
            return Err(EvaluationError::Shape { what, found: second.len(), expected: first.len() });
        }
        if first.is_empty() {
            return Err(EvaluationError::TooFew { what: "items", found: 0, expected: 1 });
        }
        let mut table = Self::default();
        for (&first, &second) in first.iter().zip(second) {
            table.both += u64::from(first & second);
            table.first_only += u64::from(first & !second);
            table.second_only += u64::from(!first & second);
            table.neither += u64::from(!first & !second);
        }
        Ok(table)
    }

    /// The share of items on which one model is right and the other wrong, in `0..=1`.
    ///
    /// # Errors
    /// No item.
    pub fn discordance(&self) -> Result<f64, EvaluationError> {
        Ok((self.first_only as f64 + self.second_only as f64) / self.items()?)
    }

    /// The first model's share of right answers less the second's, in `-1..=1`.
    ///
    /// # Errors
    /// No item.
    pub fn difference(&self) -> Result<f64, EvaluationError> {
        Ok((self.first_only as f64 - self.second_only as f64) / self.items()?)
    }

    fn items(&self) -> Result<f64, EvaluationError> {
        match [self.both, self.first_only, self.second_only, self.neither].map(|n| n as f64).iter().sum() {
            0.0 => Err(EvaluationError::TooFew { what: "items", found: 0, expected: 1 }),
            items => Ok(items),
        }
    }
}

/// McNemar's test (1947). Of the b + c items on which the models differ, b went to the first:
///
/// | test | statistic | two-sided p-value |
/// |---|---|---|
/// | `Exact` | min(b, c) | 2 P(X <= min(b, c)), at most 1; X binomial(b + c, 1/2) |
/// | `MidP` | min(b, c) | the exact one less P(X = min(b, c)); 1 where b = c |
/// | `ChiSquared` | (b - c)^2 / (b + c) | that of chi-squared with one degree of freedom |
/// | `Corrected` | (abs(b - c) - 1)^2 / (b + c), 0 where b = c | the same |
///
/// The mid-p test keeps its level and finds more than the exact one (Fagerland, Lydersen and Laake 2013).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum McNemar {
    /// The exact binomial test.
    #[default]
    Exact,
    /// The exact test that counts what was observed by half.
    MidP,
    /// The asymptotic test.
    ChiSquared,
    /// The asymptotic test with Edwards's correction for continuity.
    Corrected,
}

/// What McNemar's test found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemarTest {
    /// The test's statistic, from 0.
    pub statistic: f64,
    /// The two-sided p-value, in `0..=1`.
    pub p_value: f64,
}

/// Whether two models' shares of right answers differ, from the items on which one alone is right.
///
/// As `mcnemar` of statsmodels (which has no mid-p, and a corrected statistic of 1 / (b + c) where b = c; here it is 0,
/// as in R). Items are independent: for groups see [`sign_flip`](super::sign_flip).
///
/// # Errors
/// For the asymptotic tests, models that never differ; the exact tests then have a p-value of 1.
///
/// ```
/// use superalign_evaluation::paired::{McNemar, Table, mcnemar};
/// let table = Table { both: 59, first_only: 6, second_only: 16, neither: 80 };
/// assert!((mcnemar(&table, McNemar::Exact)?.p_value - 0.052_479).abs() < 1e-6);
/// assert!((mcnemar(&table, McNemar::MidP)?.p_value - 0.034_690).abs() < 1e-6);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn mcnemar(table: &Table, test: McNemar) -> Result<McNemarTest, EvaluationError> {
    let (first, second) = (table.first_only, table.second_only);
    let (fewer, apart) = (first.min(second), first.abs_diff(second));
    let discordant = first as f64 + second as f64;
    if discordant == 0.0 {
        return match test {
            McNemar::Exact | McNemar::MidP => Ok(McNemarTest { statistic: 0.0, p_value: 1.0 }),
            McNemar::ChiSquared | McNemar::Corrected => Err(EvaluationError::undefined(
                "McNemar's chi-squared",
                "there is no item on which one model is right and the other wrong",
            )),
        };
    }
    let exact = |observed: f64| {
        if apart == 0 {
            return McNemarTest { statistic: fewer as f64, p_value: 1.0 };
        }
        let (at_most, exactly) = half_binomial(fewer, first.saturating_add(second));
        let p_value = (2.0 * at_most - observed * exactly).clamp(0.0, 1.0);
        McNemarTest { statistic: fewer as f64, p_value }
    };
    let asymptotic = |apart: u64| {
        let root = apart as f64 / discordant.sqrt();
        McNemarTest { statistic: root * root, p_value: normal_two_sided(root) }
    };
    Ok(match test {
        McNemar::Exact => exact(0.0),
        McNemar::MidP => exact(1.0),
        McNemar::ChiSquared => asymptotic(apart),
        McNemar::Corrected => asymptotic(apart.saturating_sub(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [McNemar; 4] = [McNemar::Exact, McNemar::MidP, McNemar::ChiSquared, McNemar::Corrected];

    #[test]
    fn models_that_never_differ() {
        let alike = Table { both: 5, neither: 2, ..Table::default() };
        for test in [McNemar::Exact, McNemar::MidP] {
            assert_eq!(mcnemar(&alike, test).unwrap().p_value, 1.0);
        }
        for test in [McNemar::ChiSquared, McNemar::Corrected] {
            assert_eq!(
                mcnemar(&alike, test).unwrap_err().to_string(),
                "McNemar's chi-squared is undefined: there is no item on which one model is right and the other wrong"
            );
        }
        assert_eq!(Table::default().discordance().unwrap_err().to_string(), "0 items: expected at least 1");
        assert_eq!(
            Table::new(&[true], &[]).unwrap_err().to_string(),
            "number of answers of the second model: found 0, expected 1"
        );
    }

    #[test]
    fn exchanging_the_models_changes_nothing() {
        for (first_only, second_only) in [(0, 9), (3, 4), (20, 20), (1_000_000, 998_000), (u64::MAX, 7)] {
            let table = Table { first_only, second_only, ..Table::default() };
            let other = Table { first_only: second_only, second_only: first_only, ..table };
            for test in ALL {
                let found = mcnemar(&table, test).unwrap();
                assert_eq!(found, mcnemar(&other, test).unwrap());
                assert!((0.0..=1.0).contains(&found.p_value), "{found:?}");
            }
        }
    }

    #[test]
    fn for_many_items_all_tests_agree() {
        let table = Table { first_only: 1_002_000, second_only: 998_500, ..Table::default() };
        let found = ALL.map(|test| mcnemar(&table, test).unwrap().p_value);
        for p in found {
            assert!((p / found[0] - 1.0).abs() < 0.01, "{found:?}");
        }
    }
}
