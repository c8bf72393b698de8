//! Strengths of players by maximum likelihood: Bradley-Terry, and Davidson's model of ties.

use super::comparison::{Comparison, Tables};
use super::newton::{Local, maximum};
use crate::SignalError;
use ndarray::{Array1, Array2};

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
    /// Factor of the penalty `ridge sum theta_i^2`, from 0; above 0 every list of comparisons has strengths.
    pub ridge: f64,
}

/// What Davidson's model finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Davidson {
    /// Log-strength of each player; their sum is 0.
    pub log_strengths: Vec<f64>,
    /// How common ties are, from 0: two players alike tie with probability `tie / (1 + tie)`.
    pub tie: f64,
}

/// Bradley-Terry log-strengths theta (1952), of which the sum is 0: `P(i beats j) = 1 / (1 + exp(theta_j - theta_i))`.
///
/// The maximum of the likelihood less the penalty, by Newton's method, to about 1e-12. The strengths `exp theta` have a
/// geometric mean of 1.
///
/// ```
/// use superalign_signal::preference::{BradleyTerry, Comparison, Preferred::{First, Second}, bradley_terry};
/// let list = [First, First, First, Second].map(|preferred| Comparison { first: 0, second: 1, preferred });
/// let theta = bradley_terry(&list, 2, &BradleyTerry::default())?;
/// assert!((theta[0] - theta[1] - 3_f64.ln()).abs() < 1e-9);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No comparison, a player that is not there or is compared with itself, a ridge that is negative or not finite.
/// Without a ridge, players that no chain of wins connects both ways: then some strength is infinite, or arbitrary (Ford
/// 1957).
pub fn bradley_terry(
    comparisons: &[Comparison],
    players: usize,
    by: &BradleyTerry,
) -> Result<Vec<f64>, SignalError> {
    if !(by.ridge.is_finite() && by.ridge >= 0.0) {
        return Err(SignalError::setting("ridge", by.ridge, "a finite number from 0"));
    }
    let tables = Tables::new(comparisons, players)?;
    let wins = match by.ties {
        Ties::HalfWin => tables.halves(),
        Ties::Dropped => tables.wins,
    };
    if by.ridge == 0.0 {
        connected("Bradley-Terry strength", &wins)?;
    }
    let theta = maximum("Bradley-Terry strength", Array1::zeros(players), |theta| {
        // The likelihood does not depend on the mean, which this pins to 0.
        let mut here = Local {
            value: -by.ridge * theta.dot(theta),
            gradient: theta * (-2.0 * by.ridge),
            curvature: Array2::from_elem((players, players), 1.0 / players as f64),
        };
        here.curvature.diag_mut().iter_mut().for_each(|diagonal| *diagonal += 2.0 * by.ridge);
        for i in 0..players {
            for j in 0..i {
                let (won, lost) = (wins[[i, j]], wins[[j, i]]);
                if won + lost == 0.0 {
                    continue;
                }
                let d = theta[i] - theta[j];
                let p = 1.0 / (1.0 + (-d).exp());
                // ln(1 + exp x), which does not overflow.
                let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
                here.value -= won * softplus(-d) + lost * softplus(d);
                let slope = won - (won + lost) * p;
                here.gradient[i] += slope;
                here.gradient[j] -= slope;
                let bend = (won + lost) * p * (1.0 - p);
                here.curvature[[i, i]] += bend;
                here.curvature[[j, j]] += bend;
                here.curvature[[i, j]] -= bend;
                here.curvature[[j, i]] -= bend;
            }
        }
        here
    })?;
    Ok(centred(theta))
}

/// Davidson's extension to ties (1970), which Newman (2023) fits as well: with strengths `pi = exp theta`,
/// `P(i beats j) = pi_i / D` and `P(tie) = 2 v sqrt(pi_i pi_j) / D`, where `D = pi_i + pi_j + 2 v sqrt(pi_i pi_j)`.
///
/// The maximum of the likelihood over theta and `tie = v`, by Newton's method, to about 1e-12.
///
/// ```
/// use superalign_signal::preference::{Comparison, Preferred::{First, Second, Tie}, davidson};
/// let list = [First, Second, Tie].map(|preferred| Comparison { first: 0, second: 1, preferred });
/// let found = davidson(&list, 2)?;
/// assert!(found.log_strengths[0].abs() < 1e-9 && (found.tie - 0.5).abs() < 1e-9);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No comparison, a player that is not there or is compared with itself; nothing but ties; players that no chain of
/// wins or ties connects both ways.
pub fn davidson(comparisons: &[Comparison], players: usize) -> Result<Davidson, SignalError> {
    let tables = Tables::new(comparisons, players)?;
    let halves = tables.halves();
    connected("Davidson strength", &halves)?;
    if tables.ties.iter().all(|&ties| ties == 0.0) {
        let log_strengths = bradley_terry(comparisons, players, &BradleyTerry::default())?;
        return Ok(Davidson { log_strengths, tie: 0.0 });
    }
    if tables.wins.iter().all(|&wins| wins == 0.0) {
        return Err(SignalError::undefined("Davidson strength", "all comparisons are ties"));
    }
    // The last number is ln 2 v; the model is a multinomial logit, so that all is concave.
    let found = maximum("Davidson strength", Array1::zeros(players + 1), |at| {
        let mut here = Local {
            value: 0.0,
            gradient: Array1::zeros(players + 1),
            curvature: Array2::from_elem((players + 1, players + 1), 0.0),
        };
        here.curvature.slice_mut(ndarray::s![..players, ..players]).fill(1.0 / players as f64);
        for i in 0..players {
            for j in 0..i {
                let counts = [tables.wins[[i, j]], tables.wins[[j, i]], tables.ties[[i, j]]];
                let n: f64 = counts.iter().sum();
                if n == 0.0 {
                    continue;
                }
                let scores = [at[i], at[j], at[players] + 0.5 * (at[i] + at[j])];
                let most = scores.iter().fold(f64::NEG_INFINITY, |most, &score| most.max(score));
                let total = scores.map(|score| (score - most).exp()).iter().sum::<f64>().ln() + most;
                let shares = scores.map(|score| (score - total).exp());
                // What each outcome adds to the slopes along i, j and the tie.
                let places = [i, j, players];
                let features = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 1.0]];
                let mean: [f64; 3] =
                    std::array::from_fn(|f| (0..3).map(|o| shares[o] * features[o][f]).sum());
                for outcome in 0..3 {
                    here.value += counts[outcome] * (scores[outcome] - total);
                    for f in 0..3 {
                        here.gradient[places[f]] += counts[outcome] * (features[outcome][f] - mean[f]);
                        for g in 0..3 {
                            here.curvature[[places[f], places[g]]] += n
                                * shares[outcome]
                                * (features[outcome][f] - mean[f])
                                * (features[outcome][g] - mean[g]);
                        }
                    }
                }
            }
        }
        here
    })?;
    let tie = 0.5 * found[players].exp();
    Ok(Davidson { log_strengths: centred(found.slice(ndarray::s![..players]).to_owned()), tie })
}

fn centred(theta: Array1<f64>) -> Vec<f64> {
    let mean = theta.sum() / theta.len() as f64;
    theta.iter().map(|theta| theta - mean).collect()
}

/// Every player must be reached from every other along wins (here: from player 0, and back to it).
fn connected(statistic: &'static str, wins: &Array2<f64>) -> Result<(), SignalError> {
    let players = wins.nrows();
    for (along, what) in [(true, "beats"), (false, "is beaten by")] {
        let mut reached = vec![false; players];
        reached[0] = true;
        let mut next = vec![0];
        while let Some(player) = next.pop() {
            for other in 0..players {
                let edge = if along { wins[[player, other]] } else { wins[[other, player]] };
                if edge > 0.0 && !std::mem::replace(&mut reached[other], true) {
                    next.push(other);
                }
            }
        }
        if let Some(missed) = reached.iter().position(|reached| !reached) {
            return Err(SignalError::undefined(
                statistic,
                format!("no chain of comparisons shows that player 0 {what} player {missed}"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::comparison::round;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strengths_that_do_not_exist_say_why() {
        let message = |list: &[(u32, u32, i8)], players| {
            bradley_terry(&round(list), players, &BradleyTerry::default()).unwrap_err().to_string()
        };
        assert_eq!(
            message(&[(0, 1, 1), (1, 2, 1), (2, 1, 1)], 3),
            "Bradley-Terry strength is undefined: no chain of comparisons shows that player 0 is beaten by player 1"
        );
        assert_eq!(
            message(&[(0, 1, 1), (1, 0, 1)], 3),
            "Bradley-Terry strength is undefined: no chain of comparisons shows that player 0 beats player 2"
        );
        let by = BradleyTerry { ridge: -1.0, ..BradleyTerry::default() };
        let found = bradley_terry(&round(&[(0, 1, 1)]), 2, &by).unwrap_err().to_string();
        assert_eq!(found, "ridge = -1: expected a finite number from 0");
        let found = davidson(&round(&[(0, 1, 0)]), 2).unwrap_err().to_string();
        assert_eq!(found, "Davidson strength is undefined: all comparisons are ties");
    }

    #[test]
    fn without_ties_both_models_are_one() {
        let list = round(&[(0, 1, 1), (1, 2, 1), (2, 0, 1), (0, 2, 1), (0, 1, 1)]);
        let plain = bradley_terry(&list, 3, &BradleyTerry::default()).unwrap();
        assert_eq!(davidson(&list, 3).unwrap(), Davidson { log_strengths: plain, tie: 0.0 });
    }

    proptest! {
        #[test]
        fn expected_wins_are_the_wins(games in prop::collection::vec((0_u32..4, 1_u32..4, 0_i8..3), 20..60)) {
            let mut list: Vec<_> = games.into_iter().map(|(a, by, won)| (a, (a + by) % 4, won)).collect();
            // A circle connects all.
            list.extend([(0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 0, 1)]);
            let list = round(&list);
            let theta = bradley_terry(&list, 4, &BradleyTerry::default()).unwrap();
            prop_assert!(theta.iter().sum::<f64>().abs() < 1e-9);
            let won = super::super::win_counts(&list, 4).unwrap();
            let mut expected = [0.0; 4];
            for game in &list {
                let (i, j) = (game.first as usize, game.second as usize);
                let p = 1.0 / (1.0 + (theta[j] - theta[i]).exp());
                expected[i] += p;
                expected[j] += 1.0 - p;
            }
            prop_assert!(won.iter().zip(expected).all(|(won, e)| (won - e).abs() < 1e-8));
            let found = davidson(&list, 4).unwrap();
            let mut ties = 0.0;
            for game in &list {
                let d = found.log_strengths[game.first as usize] - found.log_strengths[game.second as usize];
                let tie = 2.0 * found.tie * (0.5 * d).exp();
                ties += tie / (d.exp() + 1.0 + tie);
            }
            let there = list.iter().filter(|game| game.preferred.score() == 0.5).count() as f64;
            prop_assert!((ties - there).abs() < 1e-8);
        }
    }
}
