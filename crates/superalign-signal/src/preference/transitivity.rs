//! Whether preferences order the players at all.

use super::comparison::{Comparison, Tables, check};
use crate::{Bootstrap, Estimate, SignalError, resample};
use ndarray::Array2;
use rustc_hash::FxHashMap;

/// Triads of players whose three pairs all have a majority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycles {
    /// Number of such triads.
    pub complete: u64,
    /// Number of those in which each player is beaten by one of the others.
    pub cyclic: u64,
}

/// What is asked of `p_ik` where `p_ij` and `p_jk` are at least one half: p is a share of wins, a tie being half a win.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transitivity {
    /// At least one half.
    #[default]
    Weak,
    /// At least the smaller of the two.
    Moderate,
    /// At least the larger of the two.
    Strong,
}

/// The triads of the majority tournament: of each pair the player that won more often beats the other; pairs with as many
/// wins on both sides, or none, have no majority.
///
/// Give one judge's comparisons for that judge, or those of all for the pooled triads. Costs one pass over the pairs of
/// players with a majority, 64 third players at a time.
///
/// ```
/// use superalign_signal::preference::{Comparison, Preferred::First, cycles};
/// let list = [(0, 1), (1, 2), (2, 0)].map(|(first, second)| Comparison { first, second, preferred: First });
/// let found = cycles(&list, 3)?;
/// assert_eq!((found.complete, found.cyclic), (1, 1));
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// No comparison, a player that is not there or is compared with itself.
pub fn cycles(comparisons: &[Comparison], players: usize) -> Result<Cycles, SignalError> {
    Ok(triads(&Tables::new(comparisons, players)?.wins))
}

/// The share of complete triads that are cyclic, in `0..=1`; 1/4 if every majority were a coin's. See [`cycles`].
///
/// ```
/// use superalign_signal::preference::{Comparison, Preferred::First, cycle_rate};
/// let list = [(0, 1), (1, 2), (0, 2)].map(|(first, second)| Comparison { first, second, preferred: First });
/// assert_eq!(cycle_rate(&list, 3)?, 0.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`cycles`]; no complete triad.
pub fn cycle_rate(comparisons: &[Comparison], players: usize) -> Result<f64, SignalError> {
    rate(cycles(comparisons, players)?)
}

/// As [`cycle_rate`], with its percentile interval over resampled comparisons.
///
/// # Errors
/// As [`cycle_rate`]; more than one resample in twenty without a complete triad.
pub fn cycle_rate_estimate(
    comparisons: &[Comparison],
    players: usize,
    by: &Bootstrap,
) -> Result<Estimate, SignalError> {
    check(comparisons, players)?;
    let mut places = FxHashMap::default();
    let (mut kinds, mut counts) = (Vec::new(), Vec::<u32>::new());
    for &comparison in comparisons {
        let place = *places.entry(comparison).or_insert_with(|| {
            kinds.push(comparison);
            counts.push(0);
            counts.len() - 1
        });
        counts[place] += 1;
    }
    let mut tables = Tables::new(comparisons, players)?;
    resample::estimate_of_counts(by, "cycle rate", &counts, |counts| {
        tables.wins.fill(0.0);
        for (comparison, &count) in kinds.iter().zip(counts) {
            tables.add(comparison, f64::from(count));
        }
        rate(triads(&tables.wins))
    })
}

/// Kendall's coefficient of consistence `zeta = 1 - d / d_max` (Kendall and Babington Smith 1940), in `0..=1`: d cyclic
/// triads of `d_max = (n^3 - n) / 24` for an odd number n of players, `(n^3 - 4 n) / 24` for an even one.
///
/// ```
/// use superalign_signal::preference::{Comparison, Preferred::First, consistence};
/// let list = [(0, 1), (1, 2), (2, 0)].map(|(first, second)| Comparison { first, second, preferred: First });
/// assert_eq!(consistence(&list, 3)?, 0.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`cycles`]; fewer than three players; a pair without a majority, as the maximum is that of a full tournament.
pub fn consistence(comparisons: &[Comparison], players: usize) -> Result<f64, SignalError> {
    if players < 3 {
        return Err(SignalError::TooFew { what: "players", found: players, expected: 3 });
    }
    let tables = Tables::new(comparisons, players)?;
    for i in 0..players {
        if let Some(j) = (0..i).find(|&j| tables.wins[[i, j]] == tables.wins[[j, i]]) {
            return Err(SignalError::undefined(
                "coefficient of consistence",
                format!("players {j} and {i} have no majority between them"),
            ));
        }
    }
    let n = players as f64;
    let most = if players % 2 == 1 { n * n * n - n } else { n * n * n - 4.0 * n } / 24.0;
    Ok(1.0 - triads(&tables.wins).cyclic as f64 / most)
}

/// The share of chains i, j, k with `p_ij >= 1/2` and `p_jk >= 1/2`, of three players that were all compared, in which
/// `p_ik` is less than stochastic transitivity asks, in `0..=1`.
///
/// Small samples violate the strong form by chance; the weak one is what an order of the players needs. Costs `n^3`.
///
/// ```
/// use superalign_signal::preference::{Comparison, Preferred::First, Transitivity, transitivity_violations};
/// let list = [(0, 1), (1, 2), (2, 0)].map(|(first, second)| Comparison { first, second, preferred: First });
/// assert_eq!(transitivity_violations(&list, 3, Transitivity::Weak)?, 1.0);
/// # Ok::<(), superalign_signal::SignalError>(())
/// ```
///
/// # Errors
/// As [`cycles`]; no three players that were all compared.
pub fn transitivity_violations(
    comparisons: &[Comparison],
    players: usize,
    form: Transitivity,
) -> Result<f64, SignalError> {
    let halves = Tables::new(comparisons, players)?.halves();
    let p = Array2::from_shape_fn((players, players), |(i, j)| {
        let games = halves[[i, j]] + halves[[j, i]];
        if games > 0.0 { Some(halves[[i, j]] / games) } else { None }
    });
    let (mut chains, mut violated) = (0_u64, 0_u64);
    for i in 0..players {
        for j in 0..players {
            let Some(one) = p[[i, j]].filter(|&share| share >= 0.5) else { continue };
            for k in (0..players).filter(|&k| k != i) {
                let (Some(two), Some(whole)) = (p[[j, k]].filter(|&share| share >= 0.5), p[[i, k]]) else {
                    continue;
                };
                let asked = match form {
                    Transitivity::Weak => 0.5,
                    Transitivity::Moderate => one.min(two),
                    Transitivity::Strong => one.max(two),
                };
                chains += 1;
                violated += u64::from(whole < asked);
            }
        }
    }
    if chains == 0 {
        return Err(SignalError::undefined("transitivity", "no three players were all compared"));
    }
    Ok(violated as f64 / chains as f64)
}

fn rate(found: Cycles) -> Result<f64, SignalError> {
    match found.complete {
        0 => Err(SignalError::undefined("cycle rate", "no three players have a majority in all their pairs")),
        complete => Ok(found.cyclic as f64 / complete as f64),
    }
}

fn triads(wins: &Array2<f64>) -> Cycles {
    let players = wins.nrows();
    let length = players.div_ceil(64);
    // Whom each player beats, and by whom it is beaten, as bits.
    let (mut beats, mut beaten) = (vec![0_u64; players * length], vec![0_u64; players * length]);
    for i in 0..players {
        for j in 0..players {
            if wins[[i, j]] > wins[[j, i]] {
                beats[i * length + j / 64] |= 1 << (j % 64);
                beaten[j * length + i / 64] |= 1 << (i % 64);
            }
        }
    }
    let row = |bits: &[u64], player: usize| bits[player * length..][..length].to_vec();
    let (mut complete, mut cyclic) = (0, 0);
    for i in 0..players {
        let (wins, losses) = (row(&beats, i), row(&beaten, i));
        for j in (0..players).filter(|j| wins[j / 64] >> (j % 64) & 1 == 1) {
            let (their_wins, their_losses) = (&beats[j * length..], &beaten[j * length..]);
            for word in 0..length {
                cyclic += u64::from((their_wins[word] & losses[word]).count_ones());
                let (ours, theirs) = (wins[word] | losses[word], their_wins[word] | their_losses[word]);
                complete += u64::from((ours & theirs).count_ones());
            }
        }
    }
    // Each triad is met at each of its three pairs.
    Cycles { complete: complete / 3, cyclic: cyclic / 3 }
}

#[cfg(test)]
mod tests {
    use super::super::comparison::round;
    use super::*;
    use proptest::prelude::*;
    use superalign_core::Seed;

    #[test]
    fn what_does_not_exist_says_why() {
        let list = round(&[(0, 1, 1), (1, 2, 0)]);
        assert_eq!(
            cycle_rate(&list, 3).unwrap_err().to_string(),
            "cycle rate is undefined: no three players have a majority in all their pairs"
        );
        assert_eq!(
            consistence(&list, 3).unwrap_err().to_string(),
            "coefficient of consistence is undefined: players 0 and 2 have no majority between them"
        );
        assert_eq!(consistence(&list[..1], 2).unwrap_err().to_string(), "2 players: expected at least 3");
        assert_eq!(
            transitivity_violations(&list, 3, Transitivity::Weak).unwrap_err().to_string(),
            "transitivity is undefined: no three players were all compared"
        );
    }

    #[test]
    fn forms_of_transitivity_differ() {
        // p01 = 1, p12 = 3/4, p02 = 2/3: fine but for the strong form.
        let list = round(&[
            (0, 1, 1),
            (1, 2, 1),
            (1, 2, 1),
            (1, 2, 1),
            (2, 1, 1),
            (0, 2, 1),
            (0, 2, 1),
            (2, 0, 1),
            (0, 2, 1),
        ]);
        let of = |form| transitivity_violations(&list, 3, form).unwrap();
        assert_eq!(
            [of(Transitivity::Weak), of(Transitivity::Moderate), of(Transitivity::Strong)],
            [0.0, 0.0, 1.0]
        );
        let by = Bootstrap { draws: 100, ..Bootstrap::new(Seed::new(1)) };
        let many: Vec<_> = list.iter().cycle().take(900).copied().collect();
        assert_eq!(cycle_rate_estimate(&many, 3, &by).unwrap().hi, 0.0);
    }

    proptest! {
        #[test]
        fn cycles_follow_from_the_scores(players in 3_usize..9, coins in prop::collection::vec(any::<bool>(), 36)) {
            let pairs = (0..players as u32).flat_map(|i| (0..i).map(move |j| (i, j)));
            let list: Vec<_> =
                pairs.zip(&coins).map(|((i, j), &won)| (i, j, if won { 1 } else { 2 })).collect();
            let list = round(&list);
            let found = cycles(&list, players).unwrap();
            let choose = |n: f64, k: f64| if k == 2.0 { n * (n - 1.0) / 2.0 } else { n * (n - 1.0) * (n - 2.0) / 6.0 };
            let mut scores = vec![0.0; players];
            for game in &list {
                scores[game.first as usize] += game.preferred.score();
                scores[game.second as usize] += 1.0 - game.preferred.score();
            }
            // Of a triad that is no cycle, one player beats both others.
            let ordered: f64 = scores.iter().map(|&score| choose(score, 2.0)).sum();
            let all = choose(players as f64, 3.0);
            prop_assert_eq!(found, Cycles { complete: all as u64, cyclic: (all - ordered) as u64 });
            let zeta = consistence(&list, players).unwrap();
            prop_assert!((0.0..=1.0).contains(&zeta) && (zeta == 1.0) == (found.cyclic == 0));
            let weak = transitivity_violations(&list, players, Transitivity::Weak).unwrap();
            prop_assert_eq!(weak == 0.0, found.cyclic == 0);
        }
    }
}
