//! Strengths of players by maximum likelihood: Bradley-Terry, and Davidson's model of ties.

use super::connectivity::{connectivity, is_soon_strong};
use super::model::{Kind, Model};
use super::tally::Tally;
use crate::EvaluationError;

/// What a tie is in the Bradley-Terry model, which has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// Half a win for each.
    #[default]
    HalfWin,
    /// As if it had not been compared.
    Dropped,
}

/// How Bradley-Terry strengths are found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BradleyTerry {
    /// What a tie is.
    pub ties: Ties,
    /// Factor of the penalty `ridge sum theta_i^2`, from 0; above 0 every list of comparisons has strengths: those of
    /// largest posterior density when every theta is normal with variance `1 / (2 ridge)`.
    pub ridge: f64,
}

/// How strengths are found where ties are an outcome of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Davidson {
    /// Factor of the penalty `ridge sum theta_i^2`, from 0, as in [`BradleyTerry`].
    pub ridge: f64,
}

/// What Davidson's model finds.
#[derive(Clone, Debug, PartialEq)]
pub struct DavidsonStrengths {
    /// Log-strength of each player; their sum is 0.
    pub log_strengths: Vec<f64>,
    /// How common ties are, from 0: two players alike tie with probability `tie / (1 + tie)`.
    pub tie: f64,
}

/// Bradley-Terry log-strengths theta (1952), of which the sum is 0: `P(i beats j) = 1 / (1 + exp(theta_j - theta_i))`.
///
/// The maximum of the likelihood less the penalty, by Newton's method, to a gradient of norm 1e-9 and beyond. The
/// strengths `exp theta` have a geometric mean of 1, as those of evalica; choix's penalty is the same.
///
/// ```
/// use superalign_evaluation::peer_review::{BradleyTerry, Comparison, Preferred::{First, Second}, Tally, bradley_terry};
/// let list = [First, First, First, Second].map(|preferred| Comparison { first: 0, second: 1, preferred });
/// let theta = bradley_terry(&Tally::new(&list, 2)?, &BradleyTerry::default())?;
/// assert!((theta[0] - theta[1] - 3_f64.ln()).abs() < 1e-9);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// Fewer than two players; a ridge that is negative or not finite. Without a ridge, players that no chain of wins
/// connects both ways, by their numbers: then some strength is infinite, or arbitrary (Ford 1957). See
/// [`connectivity`].
pub fn bradley_terry(tally: &Tally, by: &BradleyTerry) -> Result<Vec<f64>, EvaluationError> {
    Ok(Model::new(tally, Kind::BradleyTerry(*by))?.fit(None)?.0)
}

/// Davidson's extension to ties (1970), which Newman (2023) fits as well: with strengths `pi = exp theta`,
/// `P(i beats j) = pi_i / D` and `P(tie) = 2 v sqrt(pi_i pi_j) / D`, where `D = pi_i + pi_j + 2 v sqrt(pi_i pi_j)`.
///
/// The maximum of the likelihood (less the penalty) over theta and `tie = v`, as [`bradley_terry`]. Davidson's own nu
/// is `2 v`; evalica calls this method `newman`. Without a tie, v is 0 and the strengths are those of
/// [`bradley_terry`].
///
/// ```
/// use superalign_evaluation::peer_review::{Comparison, Davidson, Preferred::{First, Second, Tie}, Tally, davidson};
/// let list = [First, Second, Tie].map(|preferred| Comparison { first: 0, second: 1, preferred });
/// let found = davidson(&Tally::new(&list, 2)?, &Davidson::default())?;
/// assert!(found.log_strengths[0].abs() < 1e-9 && (found.tie - 0.5).abs() < 1e-9);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// As [`bradley_terry`], where a tie connects two players both ways; nothing but ties.
pub fn davidson(tally: &Tally, by: &Davidson) -> Result<DavidsonStrengths, EvaluationError> {
    let (log_strengths, tie) = Model::new(tally, Kind::Davidson(*by))?.fit(None)?;
    Ok(DavidsonStrengths { log_strengths, tie: tie.unwrap_or(0.0) })
}

/// Whether a method can be used at all: two players, a ridge from 0, and without one strengths that exist.
pub(super) fn check(
    statistic: &'static str,
    tally: &Tally,
    ridge: f64,
    ties: Ties,
) -> Result<(), EvaluationError> {
    if tally.players() < 2 {
        return Err(EvaluationError::TooFew { what: "players", found: tally.players(), expected: 2 });
    }
    if !(ridge.is_finite() && ridge >= 0.0) {
        return Err(EvaluationError::setting("ridge", ridge, "a finite number from 0"));
    }
    if ridge > 0.0 {
        return Ok(());
    }
    let found = match ties {
        Ties::HalfWin if is_soon_strong(tally) => return Ok(()),
        Ties::HalfWin => connectivity(tally),
        Ties::Dropped => connectivity(&tally.without_ties()),
    };
    match found.explain(|player| format!("player {player}")) {
        None => Ok(()),
        Some(why) => Err(EvaluationError::Undefined { statistic, reason: why.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::*;
    use crate::peer_review::win_counts;
    use proptest::prelude::*;

    fn tally(list: &[(u32, u32, i8)], players: usize) -> Tally {
        Tally::new(&round(list), players).unwrap()
    }

    #[test]
    fn strengths_that_do_not_exist_say_why() {
        let message = |list: &[(u32, u32, i8)], players| {
            bradley_terry(&tally(list, players), &BradleyTerry::default()).unwrap_err().to_string()
        };
        assert_eq!(
            message(&[(0, 1, 1), (1, 2, 1), (2, 1, 1)], 3),
            "Bradley-Terry strength is undefined: player 0 never lost nor tied"
        );
        assert_eq!(
            message(&[(0, 1, 1), (1, 0, 1)], 3),
            "Bradley-Terry strength is undefined: player 2 was never compared"
        );
        let by = BradleyTerry { ridge: -1.0, ..BradleyTerry::default() };
        let found = bradley_terry(&tally(&[(0, 1, 1)], 2), &by).unwrap_err().to_string();
        assert_eq!(found, "ridge = -1: expected a finite number from 0");
        let by = BradleyTerry { ties: Ties::Dropped, ..BradleyTerry::default() };
        let found = bradley_terry(&tally(&[(0, 1, 0), (1, 0, 1)], 2), &by).unwrap_err().to_string();
        assert_eq!(
            found,
            "Bradley-Terry strength is undefined: player 1 never lost nor tied, player 0 never won nor tied"
        );
        let found = davidson(&tally(&[(0, 1, 0)], 2), &Davidson::default()).unwrap_err().to_string();
        assert_eq!(found, "Davidson strength is undefined: all comparisons are ties");
    }

    #[test]
    fn a_prior_gives_strengths_to_all() {
        let list = [(0, 1, 1), (0, 2, 1)];
        let by = BradleyTerry { ridge: 0.5, ..BradleyTerry::default() };
        let theta = bradley_terry(&tally(&list, 4), &by).unwrap();
        assert!(theta[0] > 0.1 && (theta[1] - theta[2]).abs() < 1e-12, "{theta:?}");
        assert!(theta.iter().sum::<f64>().abs() < 1e-12);
        // A ridge that is nearly none leads far out, and is still solved: theta_0 = -theta_1 = x with
        // 1 / (1 + exp 2x) = 2 ridge x.
        let by = BradleyTerry { ridge: 1e-9, ..BradleyTerry::default() };
        let x = bradley_terry(&tally(&[(0, 1, 1)], 2), &by).unwrap()[0];
        assert!((1.0 / (1.0 + (2.0 * x).exp()) / (2e-9 * x) - 1.0).abs() < 1e-6, "{x}");
        let found = davidson(&tally(&[(0, 1, 1), (0, 1, 0)], 2), &Davidson { ridge: 0.1 }).unwrap();
        assert!(found.log_strengths[0] > 0.0 && found.tie > 0.0);
    }

    #[test]
    fn without_ties_both_models_are_one() {
        let tally = tally(&[(0, 1, 1), (1, 2, 1), (2, 0, 1), (0, 2, 1), (0, 1, 1)], 3);
        let log_strengths = bradley_terry(&tally, &BradleyTerry::default()).unwrap();
        let found = davidson(&tally, &Davidson::default()).unwrap();
        assert_eq!(found, DavidsonStrengths { log_strengths, tie: 0.0 });
    }

    #[test]
    fn a_long_chain_is_solved() {
        // 300 players, each with three wins and a loss against the next: conjugate gradients alone take long here.
        let games = (0..299).flat_map(|i| [(i, i + 1, 1), (i, i + 1, 1), (i, i + 1, 1), (i, i + 1, 2)]);
        let theta = bradley_terry(&tally(&games.collect::<Vec<_>>(), 300), &BradleyTerry::default()).unwrap();
        assert!(theta.windows(2).all(|two| (two[0] - two[1] - 3_f64.ln()).abs() < 1e-6));
    }

    proptest! {
        #[test]
        fn expected_wins_are_the_wins(games in prop::collection::vec((0_u32..4, 1_u32..4, 0_i8..3), 20..60)) {
            let mut list: Vec<_> = games.into_iter().map(|(a, by, won)| (a, (a + by) % 4, won)).collect();
            // A circle connects all.
            list.extend([(0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 0, 1)]);
            let list = round(&list);
            let tally = Tally::new(&list, 4).unwrap();
            let theta = bradley_terry(&tally, &BradleyTerry::default()).unwrap();
            prop_assert!(theta.iter().sum::<f64>().abs() < 1e-9);
            let won = win_counts(&tally);
            let mut expected = [0.0; 4];
            for game in &list {
                let (i, j) = (game.first as usize, game.second as usize);
                let p = 1.0 / (1.0 + (theta[j] - theta[i]).exp());
                expected[i] += p;
                expected[j] += 1.0 - p;
            }
            prop_assert!(won.iter().zip(expected).all(|(won, e)| (won - e).abs() < 1e-8));
            let found = davidson(&tally, &Davidson::default()).unwrap();
            let mut ties = 0.0;
            for game in &list {
                let d = found.log_strengths[game.first as usize] - found.log_strengths[game.second as usize];
                let tie = 2.0 * found.tie * (0.5 * d).exp();
                ties += tie / (d.exp() + 1.0 + tie);
            }
            let there = list.iter().filter(|game| game.preferred.score() == 0.5).count() as f64;
            prop_assert!((ties - there).abs() < 1e-8);
        }

        #[test]
        fn players_can_be_renamed(games in prop::collection::vec((0_u32..4, 1_u32..4, 0_i8..3), 1..40), ridge in 0.01..1.0) {
            let list: Vec<_> = games.into_iter().map(|(a, by, won)| (a, (a + by) % 4, won)).collect();
            let renamed: Vec<_> = list.iter().map(|&(a, b, won)| (3 - a, 3 - b, won)).collect();
            let by = BradleyTerry { ridge, ..BradleyTerry::default() };
            let theta = bradley_terry(&tally(&list, 4), &by).unwrap();
            let other = bradley_terry(&tally(&renamed, 4), &by).unwrap();
            prop_assert!(theta.iter().zip(other.iter().rev()).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }
}
