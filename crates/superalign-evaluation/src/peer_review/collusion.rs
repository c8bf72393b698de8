//! How many judges have to collude before a ranking has another first player.

use super::tally::check;
use crate::{Bootstrap, Estimate, EvaluationError};
use std::collections::BTreeMap;
use superalign_core::{Comparison, Preferred, below};

/// What bad judges do to their votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colluders {
    /// Prefer this player in every comparison in which it takes part, and vote as they did in the others.
    VoteFor(u32),
    /// Copy one judge, drawn anew for each draw: on a pair of players that this judge compared they say what it said
    /// there most often (a tie where that is undecided), and vote as they did on the others.
    Copy,
}

/// What is tried on a ranking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Collusion {
    /// What the bad judges do.
    pub colluders: Colluders,
    /// How many orders of judges are tried, how sure the interval is, and the seed of the orders.
    pub by: Bootstrap,
}

/// How many bad judges a ranking stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Breakdown {
    /// Number of judges.
    pub judges: usize,
    /// Who is first as long as all judges are honest; of players that share the place, the one with the lowest number.
    pub leader: u32,
    /// The smallest share of bad judges at which somebody else is first, a mean over the orders in which judges go bad;
    /// the interval is that between orders. Nothing where in some order the leader stays first even if all go bad.
    pub share: Option<Estimate>,
    /// For 0, 1, ... bad judges, in what share of the orders the leader is first no more.
    pub flipped: Vec<f64>,
}

/// Replaces judges by colluding ones, one more at a time and in random orders, and ranks each time.
///
/// `judges` has a number for each comparison, from 0; `scores` is the ranking: from comparisons and their judges to a
/// score for each player, and is called `by.draws * judges` times at most. [`Colluders::VoteFor`] is an attack;
/// [`Colluders::Copy`] says what a ranking relies on if judges that look many are one, such as models of one family. A
/// ranking that is undefined for some votes (a target that no longer loses has no finite strength) ends that order as
/// flipped if `scores` is an error; give the ranking a ridge to have it ranked.
///
/// ```
/// use superalign_core::{Bootstrap, Seed};
/// use superalign_evaluation::peer_review::{
///     Colluders, Collusion, Comparison, Preferred::First, Tally, average_win_rate, collusion,
/// };
/// // Nine judges say 0 > 1 > 2, each once.
/// let games = [(0, 1), (1, 2), (0, 2)].map(|(first, second)| Comparison { first, second, preferred: First });
/// let list = [games; 9].concat();
/// let judges: Vec<u32> = (0..27).map(|n| n / 3).collect();
/// let by = Collusion { colluders: Colluders::VoteFor(2), by: Bootstrap { draws: 20, ..Bootstrap::new(Seed::new(1)) } };
/// let found = collusion(&list, &judges, 3, &by, |votes, _| average_win_rate(&Tally::new(votes, 3)?))?;
/// // With k of 9 bad, player 2 wins k / 9 of its comparisons, and player 0 (1 + (9 - k) / 9) / 2: 7 are enough.
/// assert_eq!(found.share.unwrap().value, 7.0 / 9.0);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// As [`Tally::new`](super::Tally::new); another number of judges than of comparisons; fewer than two judges with a
/// vote; a target that is not there, or is the leader already; settings of the draws out of range; what `scores` says
/// of the honest votes.
pub fn collusion(
    comparisons: &[Comparison],
    judges: &[u32],
    players: usize,
    by: &Collusion,
    mut scores: impl FnMut(&[Comparison], &[u32]) -> Result<Vec<f64>, EvaluationError>,
) -> Result<Breakdown, EvaluationError> {
    by.by.check()?;
    check(comparisons, players)?;
    if judges.len() != comparisons.len() {
        let what = "number of judges' labels";
        return Err(EvaluationError::Shape { what, found: judges.len(), expected: comparisons.len() });
    }
    // The votes of each judge.
    let mut of_judge: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (vote, &judge) in judges.iter().enumerate() {
        of_judge.entry(judge).or_default().push(vote);
    }
    let votes: Vec<Vec<usize>> = of_judge.into_values().collect();
    let count = votes.len();
    if count < 2 {
        return Err(EvaluationError::TooFew { what: "judges", found: count, expected: 2 });
    }
    let leader = first(&scores(comparisons, judges)?);
    if let Colluders::VoteFor(target) = by.colluders {
        if target as usize >= players {
            let expected = "below the number of players";
            return Err(EvaluationError::setting("target", f64::from(target), expected));
        }
        if target == leader {
            let reason = format!("player {target} is first already");
            return Err(EvaluationError::undefined("breakdown share", reason));
        }
    }
    let mut flips = vec![0_u32; count + 1];
    // At how many bad judges somebody else is first, by order.
    let mut shares = Vec::with_capacity(by.by.draws);
    for draw in 0..by.by.draws as u64 {
        let mut rng = by.by.seed.nth(draw).rng();
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, below(&mut rng, last + 1));
        }
        let model = match by.colluders {
            Colluders::VoteFor(_) => BTreeMap::new(),
            // The first is copied by those after it.
            Colluders::Copy => habits(comparisons, &votes[order[0]]),
        };
        let mut now = comparisons.to_vec();
        let mut share = None;
        for (bad, &judge) in order.iter().enumerate() {
            for &vote in &votes[judge] {
                now[vote].preferred = corrupt(&comparisons[vote], by.colluders, &model);
            }
            let is_flipped = match scores(&now, judges) {
                Ok(scores) => first(&scores) != leader,
                Err(_) => true,
            };
            flips[bad + 1] += u32::from(is_flipped);
            if is_flipped && share.is_none() {
                share = Some(bad + 1);
            }
        }
        shares.extend(share);
    }
    let share = (shares.len() == by.by.draws).then(|| {
        // The sum of whole numbers, so that equal draws have exactly their own mean.
        let mean = shares.iter().sum::<usize>() as f64 / (count * shares.len()) as f64;
        by.by.interval(mean, shares.into_iter().map(|bad| bad as f64 / count as f64).collect())
    });
    let flipped = flips.into_iter().map(|flips| f64::from(flips) / by.by.draws as f64).collect();
    Ok(Breakdown { judges: count, leader, share, flipped })
}

fn corrupt(vote: &Comparison, colluders: Colluders, model: &BTreeMap<(u32, u32), i64>) -> Preferred {
    match colluders {
        Colluders::VoteFor(target) if vote.first == target => Preferred::First,
        Colluders::VoteFor(target) if vote.second == target => Preferred::Second,
        Colluders::VoteFor(_) => vote.preferred,
        Colluders::Copy => {
            let (low, high) = (vote.first.min(vote.second), vote.first.max(vote.second));
            match model.get(&(low, high)) {
                None => vote.preferred,
                Some(0) => Preferred::Tie,
                Some(&for_low) if (for_low > 0) == (vote.first == low) => Preferred::First,
                Some(_) => Preferred::Second,
            }
        }
    }
}

/// For each pair that the judge compared, its votes for the player with the lower number less those for the other.
fn habits(comparisons: &[Comparison], votes: &[usize]) -> BTreeMap<(u32, u32), i64> {
    let mut habits = BTreeMap::new();
    for &vote in votes {
        let Comparison { first, second, preferred } = comparisons[vote];
        let for_first = match preferred {
            Preferred::First => 1,
            Preferred::Second => -1,
            Preferred::Tie => 0,
        };
        let for_low = if first < second { for_first } else { -for_first };
        *habits.entry((first.min(second), first.max(second))).or_insert(0) += for_low;
    }
    habits
}

/// The player with the highest score.
fn first(scores: &[f64]) -> u32 {
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter().position(|&score| score == best).unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::super::tally::round;
    use super::super::{JudgeWeighted, Tally, average_win_rate, judge_weighted};
    use super::*;
    use superalign_core::Seed;

    /// Votes of `count` judges on six players, of whom the first is the best.
    fn votes(count: u32) -> (Vec<Comparison>, Vec<u32>) {
        let mut rng = Seed::new(9).rng();
        let (mut list, mut judges) = (Vec::new(), Vec::new());
        for judge in 0..count {
            for (i, j) in (0..6_u32).flat_map(|j| (0..j).map(move |i| (i, j))) {
                let won = below(&mut rng, 100) < 60 + 5 * (j - i) as usize;
                list.push((i, j, if won { 1 } else { 2 }));
                judges.push(judge);
            }
        }
        (round(&list), judges)
    }

    fn of(colluders: Colluders) -> Collusion {
        Collusion { colluders, by: Bootstrap { draws: 20, ..Bootstrap::new(Seed::new(1)) } }
    }

    fn plain(votes: &[Comparison], _: &[u32]) -> Result<Vec<f64>, EvaluationError> {
        average_win_rate(&Tally::new(votes, 6)?)
    }

    #[test]
    fn more_colluders_never_help_the_leader() {
        let (list, judges) = votes(20);
        let found = collusion(&list, &judges, 6, &of(Colluders::VoteFor(5)), plain).unwrap();
        assert_eq!((found.judges, found.leader, found.flipped[0], found.flipped[20]), (20, 0, 0.0, 1.0));
        assert!(found.flipped.windows(2).all(|two| two[0] <= two[1]), "{:?}", found.flipped);
        let share = found.share.unwrap();
        assert!(0.2 < share.lo && share.hi < 0.9 && share.covers(share.value), "{share}");
        // One that is nearly first needs fewer than the last.
        let near = collusion(&list, &judges, 6, &of(Colluders::VoteFor(1)), plain).unwrap();
        assert!(near.share.unwrap().value < share.value);
    }

    #[test]
    fn weights_by_agreement_stand_few_and_entrench_many() {
        let (list, judges) = votes(20);
        let by = JudgeWeighted { spread: 0.5, ridge: 0.1 };
        let weighted = |votes: &[Comparison], judges: &[u32]| {
            Ok(judge_weighted(votes, judges, 6, &by)?.strengths.log_strengths)
        };
        let config = of(Colluders::VoteFor(5));
        let config = Collusion { by: Bootstrap { draws: 4, ..config.by }, ..config };
        let found = collusion(&list, &judges, 6, &config, weighted).unwrap();
        let share = found.share.unwrap();
        assert!(share.value > 0.25 && share.value < 0.9, "{share}");
    }

    #[test]
    fn copies_of_a_judge_are_that_judge() {
        // One judge of five prefers player 1; if all copy it, player 1 is first.
        let list = round(&[(0, 1, 1), (1, 0, 2), (0, 1, 1), (0, 1, 1), (1, 0, 1)]);
        let scores = |votes: &[Comparison], _: &[u32]| average_win_rate(&Tally::new(votes, 2)?);
        let config = Collusion {
            colluders: Colluders::Copy,
            by: Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) },
        };
        let found = collusion(&list, &[0, 1, 2, 3, 4], 2, &config, scores).unwrap();
        assert_eq!((found.leader, found.share), (0, None));
        // It is the one that is copied in about a fifth of the draws.
        assert!((found.flipped[5] - 0.2).abs() < 0.08, "{:?}", found.flipped);
        assert_eq!(found.flipped[1], 0.0);
    }

    #[test]
    fn mistakes_are_told() {
        let (list, judges) = votes(3);
        let message = |target, judges: &[u32]| {
            collusion(&list, judges, 6, &of(Colluders::VoteFor(target)), plain).unwrap_err().to_string()
        };
        assert_eq!(message(0, &judges), "breakdown share is undefined: player 0 is first already");
        assert_eq!(message(6, &judges), "target = 6: expected below the number of players");
        assert_eq!(message(5, &[0; 45]), "1 judges: expected at least 2");
        assert_eq!(message(5, &[0; 4]), "number of judges' labels: found 4, expected 45");
    }
}
