//! Peer review: who answers the withheld tasks best, by what the players themselves say of one another's answers.
//!
//! Where two players choose different candidates of a task, every other player votes for the one to which it gives more
//! probability, or for neither where they are alike. Votes on one's own answers are kept apart: they tell how much a
//! player prefers itself, and count in no ranking.

use super::tasks::ratio_by;
use super::{Exam, Player, SOLVED, mean_by};
use crate::experiment::score::bootstrap;
use crate::record::Row;
use rayon::prelude::*;
use superalign_core::{Bootstrap, Comparison, Estimate, Preferred};
use superalign_evaluation::EvaluationError;
use superalign_evaluation::peer_review::{
    BradleyTerry, Colluders, Collusion, Davidson, JudgeWeighted, PeerRank, ReviewerWeights, Tally,
    average_win_rate, bradley_terry, collusion, davidson, judge_weighted, peer_rank, resampled_counts,
};
use superalign_evaluation::surrogate::{Correlation, rank_correlation};
use superalign_signal::preference::{Judgement, self_preference};

use super::KENDALL;

/// A player's score by a ranking.
pub(crate) const STRENGTH: &str = "strength";
/// How much more a judge prefers its own answers than others prefer them.
pub(crate) const SELF: &str = "self-preference";
/// How much more often a judge votes for a player than the other judges of the same comparisons do.
pub(crate) const FAVOUR: &str = "votes-less-others";
/// The smallest share of bad judges at which somebody else is first.
pub(crate) const BREAKDOWN: &str = "breakdown-share";

/// The rankings.
pub(crate) const METHODS: [&str; 6] =
    ["win-rate", "bradley-terry", "davidson", "judge-weighted", "prd", "pico"];

/// A ranking of many votes is made anew for each.
const MOST_DRAWS: usize = 200;
/// Orders in which judges go bad.
const ORDERS: usize = 10;
/// More votes than these are not cast: tasks are left out.
const MOST_VOTES: usize = 4_000_000;
/// So that every list of votes has strengths; beside some hundred votes for each pair it changes nothing.
const RIDGE: f64 = 0.01;

/// The cell of a ranking.
pub(crate) fn method_cell(method: &str) -> String {
    format!("peer/method={method}")
}

/// The cell of a player, by its number from 1.
pub(crate) fn player_cell(number: usize) -> String {
    format!("peer/player={number}")
}

/// The cell of a player in a ranking.
pub(crate) fn ranked_cell(method: &str, number: usize) -> String {
    format!("{}/player={number}", method_cell(method))
}

/// The cell of a judge and a player.
pub(crate) fn judge_cell(judge: usize, player: usize) -> String {
    format!("peer/judge={judge}/player={player}")
}

/// The cell of a ranking under bad judges.
pub(crate) fn collusion_cell(attack: &str, method: &str) -> String {
    format!("peer/collusion={attack}/method={method}")
}

/// All rows of the peer review.
pub(super) fn rows(exam: &Exam<'_>) -> Vec<Row> {
    let players = &exam.peers;
    let review = match Review::new(exam, players) {
        Ok(review) => review,
        Err(why) => {
            return METHODS
                .iter()
                .map(|method| {
                    Row::new(
                        method_cell(method),
                        None,
                        KENDALL,
                        "correlation",
                        0,
                        Err::<Estimate, _>(why.clone()),
                    )
                })
                .collect();
        }
    };
    let mut rows = review.truth();
    let rankings: Vec<Vec<Row>> = METHODS.par_iter().map(|method| review.ranking(method)).collect();
    rows.extend(rankings.into_iter().flatten());
    let judges: Vec<Vec<Row>> = (0..players.len()).into_par_iter().map(|judge| review.judge(judge)).collect();
    rows.extend(judges.into_iter().flatten());
    rows.extend(review.collusion());
    rows
}

/// The votes, task by task.
struct Review<'a> {
    exam: &'a Exam<'a>,
    players: usize,
    /// Places of the tasks among all, and their groups.
    tasks: Vec<usize>,
    groups: Vec<u32>,
    /// What each player gets for each of these tasks, a mean over seeds.
    solved: Vec<Vec<f64>>,
    /// Votes on others, those of one task together; `ends[n]` is where the votes of task n end.
    votes: Vec<Comparison>,
    judges: Vec<u32>,
    ends: Vec<usize>,
    /// Votes of the two who answered.
    own: Vec<Judgement>,
}

impl<'a> Review<'a> {
    fn new(exam: &'a Exam<'a>, players: &[Player]) -> Result<Self, String> {
        let mut said: Vec<Vec<&[f64]>> = Vec::new();
        let mut solved = Vec::new();
        for player in players {
            said.push(exam.said.by_seed(&player.cell, &exam.plan.seeds, exam.part)?);
            solved.push(exam.mean_solved(player)?);
        }
        let mut review = Self {
            exam,
            players: players.len(),
            tasks: Vec::new(),
            groups: Vec::new(),
            solved: Vec::new(),
            votes: Vec::new(),
            judges: Vec::new(),
            ends: Vec::new(),
            own: Vec::new(),
        };
        for task in exam.withheld().into_iter().take(exam.peer) {
            for seed in 0..exam.plan.seeds.len() {
                let of_seed: Vec<&[f64]> = said.iter().map(|said| said[seed]).collect();
                review.ask(task, &of_seed);
            }
            review.tasks.push(task);
            review.groups.push(exam.tasks[task].group);
            review.ends.push(review.votes.len());
            if review.votes.len() > MOST_VOTES {
                break;
            }
        }
        if review.votes.is_empty() {
            return Err(format!("{} players and no task on which they differ", players.len()));
        }
        review.solved =
            solved.iter().map(|solved| review.tasks.iter().map(|&task| solved[task]).collect()).collect();
        Ok(review)
    }

    /// The votes on a task, of one seed.
    fn ask(&mut self, task: usize, said: &[&[f64]]) {
        let item = self.exam.tasks[task];
        let number = self.tasks.len() as u32;
        // How much surer of the right candidate than of the wrong one.
        let lead: Vec<f64> = said.iter().map(|said| said[item.right] - said[item.wrong]).collect();
        for first in 0..lead.len() {
            for second in first + 1..lead.len() {
                // Who has no answer is not compared.
                if lead[first] * lead[second] >= 0.0 {
                    continue;
                }
                for (judge, lead_of) in lead.iter().enumerate() {
                    let preferred = if lead_of.abs() < self.exam.tie || *lead_of == 0.0 {
                        Preferred::Tie
                    } else if (*lead_of > 0.0) == (lead[first] > 0.0) {
                        Preferred::First
                    } else {
                        Preferred::Second
                    };
                    let (first_, second_, judge_) = (first as u32, second as u32, judge as u32);
                    if judge == first || judge == second {
                        self.own.push(Judgement {
                            item: number,
                            judge: judge_,
                            first: first_,
                            second: second_,
                            preferred,
                        });
                    } else {
                        self.votes.push(Comparison { first: first_, second: second_, preferred });
                        self.judges.push(judge_);
                    }
                }
            }
        }
    }

    fn by(&self, name: &str) -> Bootstrap {
        let by = bootstrap(self.exam.plan, name);
        Bootstrap { draws: by.draws.min(MOST_DRAWS), ..by }
    }

    /// The true capability on the tasks that the peers were asked.
    fn truth(&self) -> Vec<Row> {
        let of = |(player, solved): (usize, &Vec<f64>)| {
            let cell = player_cell(player + 1);
            let found = mean_by(solved, &self.groups, &bootstrap(self.exam.plan, &cell));
            Row::new(cell, None, SOLVED, "share", solved.len(), found)
        };
        self.solved.iter().enumerate().map(of).collect()
    }

    /// A ranking's strengths, and how far they agree with the truth: both over the same resamples of tasks.
    fn ranking(&self, method: &str) -> Vec<Row> {
        let cell = method_cell(method);
        let by = self.by(&format!("{cell}/{KENDALL}"));
        let found = resampled_counts(self.tasks.len(), Some(&self.groups), &by, |counts| {
            let (votes, judges) = self.drawn(counts);
            let scores = scores(method, &votes, &judges, self.players)?;
            let sure = |solved: &Vec<f64>| {
                let (mut sum, mut all) = (0.0, 0.0);
                for (score, &count) in solved.iter().zip(counts) {
                    (sum, all) = (sum + score * f64::from(count), all + f64::from(count));
                }
                sum / all
            };
            let truth: Vec<f64> = self.solved.iter().map(sure).collect();
            let tau = rank_correlation(&scores, &truth, Correlation::Kendall)?;
            Ok([vec![tau], scores].concat())
        });
        let n = self.votes.len();
        match found {
            Err(why) => vec![Row::new(cell, None, KENDALL, "correlation", n, Err::<Estimate, _>(why))],
            Ok(found) => {
                let mut rows =
                    vec![Row::new(cell, None, KENDALL, "correlation", n, Ok::<_, String>(found.scores[0]))];
                let unit = match method {
                    "win-rate" | "prd" | "pico" => "share",
                    _ => "log-odds",
                };
                rows.extend(found.scores[1..].iter().enumerate().map(|(player, strength)| {
                    Row::new(
                        ranked_cell(method, player + 1),
                        None,
                        STRENGTH,
                        unit,
                        n,
                        Ok::<_, String>(*strength),
                    )
                }));
                rows
            }
        }
    }

    /// The votes of tasks that are drawn so often.
    fn drawn(&self, counts: &[u32]) -> (Vec<Comparison>, Vec<u32>) {
        let (mut votes, mut judges) =
            (Vec::with_capacity(self.votes.len()), Vec::with_capacity(self.votes.len()));
        let mut start = 0;
        for (&end, &count) in self.ends.iter().zip(counts) {
            for _ in 0..count {
                votes.extend_from_slice(&self.votes[start..end]);
                judges.extend_from_slice(&self.judges[start..end]);
            }
            start = end;
        }
        (votes, judges)
    }

    /// How a judge votes: for itself, and for every player beside what the others say of the same answers.
    fn judge(&self, judge: usize) -> Vec<Row> {
        let cell = format!("peer/judge={}", judge + 1);
        let mut all: Vec<Judgement> = self.own.clone();
        let mut start = 0;
        for (task, &end) in self.ends.iter().enumerate() {
            all.extend((start..end).map(|n| Judgement {
                item: task as u32,
                judge: self.judges[n],
                first: self.votes[n].first,
                second: self.votes[n].second,
                preferred: self.votes[n].preferred,
            }));
            start = end;
        }
        let own = self_preference(&all, judge as u32, &bootstrap(self.exam.plan, &format!("{cell}/{SELF}")));
        let mut rows = vec![Row::new(&*cell, None, SELF, "difference", self.tasks.len(), own)];
        // By task and player: votes of the judge for the player, those of the others on the same pairs as a mean, and
        // the number of pairs.
        let mut sums = vec![vec![(0.0, 0.0); self.tasks.len()]; self.players];
        let mut start = 0;
        for (task, &end) in self.ends.iter().enumerate() {
            // The votes on one pair of answers stand together.
            let pairs = self.votes[start..end].chunks_exact(self.players - 2);
            for (votes, judges) in pairs.zip(self.judges[start..end].chunks_exact(self.players - 2)) {
                let (Some(place), true) =
                    (judges.iter().position(|&other| other as usize == judge), judges.len() > 1)
                else {
                    continue;
                };
                let total: f64 = votes.iter().map(|vote| vote.preferred.score()).sum();
                let own = votes[place].preferred.score();
                let excess = own - (total - own) / (votes.len() - 1) as f64;
                for (player, excess) in [(votes[place].first, excess), (votes[place].second, -excess)] {
                    let sum = &mut sums[player as usize][task];
                    *sum = (sum.0 + excess, sum.1 + 1.0);
                }
            }
            start = end;
        }
        for (player, sums) in sums.iter().enumerate().filter(|(player, _)| *player != judge) {
            let cell = judge_cell(judge + 1, player + 1);
            let (excess, pairs): (Vec<f64>, Vec<f64>) = sums.iter().copied().unzip();
            let n = pairs.iter().sum::<f64>() as usize;
            let found = ratio_by(&excess, &pairs, &self.groups, &self.by(&cell));
            rows.push(Row::new(cell, None, FAVOUR, "difference", n, found));
        }
        rows
    }

    /// How many bad judges the rankings stand.
    fn collusion(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let honest = match scores("bradley-terry", &self.votes, &self.judges, self.players) {
            Ok(honest) => honest,
            Err(why) => {
                let cell = collusion_cell("vote-for-last", "bradley-terry");
                return vec![Row::new(cell, None, BREAKDOWN, "share", 0, Err::<Estimate, _>(why))];
            }
        };
        let last = (0..honest.len()).min_by(|&a, &b| honest[a].total_cmp(&honest[b])).unwrap_or_default();
        let mut tried = Vec::new();
        for (attack, colluders) in
            [("vote-for-last", Colluders::VoteFor(last as u32)), ("copy", Colluders::Copy)]
        {
            tried
                .extend(["bradley-terry", "judge-weighted", "prd"].map(|method| (attack, colluders, method)));
        }
        let found: Vec<Row> = tried
            .par_iter()
            .map(|&(attack, colluders, method)| {
                let cell = collusion_cell(attack, method);
                let by = bootstrap(self.exam.plan, &cell);
                let by = Collusion { colluders, by: Bootstrap { draws: ORDERS.min(by.draws), ..by } };
                let found = collusion(&self.votes, &self.judges, self.players, &by, |votes, judges| {
                    scores(method, votes, judges, self.players)
                });
                let outcome = found.map_err(|e| e.to_string()).and_then(|found| {
                    let stays = || {
                        let flips = found.flipped.last().copied().unwrap_or_default();
                        format!(
                            "in {:.0}% of orders the first stays first even if all {} judges go bad",
                            100.0 * (1.0 - flips),
                            found.judges
                        )
                    };
                    found.share.ok_or_else(stays)
                });
                Row::new(cell, None, BREAKDOWN, "share", self.players, outcome)
            })
            .collect();
        rows.extend(found);
        rows
    }
}

/// The scores of all players by a ranking.
fn scores(
    method: &str,
    votes: &[Comparison],
    judges: &[u32],
    players: usize,
) -> Result<Vec<f64>, EvaluationError> {
    let peers = |weights| {
        let by = PeerRank { weights, ..PeerRank::default() };
        peer_rank(votes, judges, players, &by).map(|found| found.scores)
    };
    match method {
        "win-rate" => average_win_rate(&Tally::new(votes, players)?),
        "davidson" => Ok(davidson(&Tally::new(votes, players)?, &Davidson { ridge: RIDGE })?.log_strengths),
        "judge-weighted" => {
            let by = JudgeWeighted { ridge: RIDGE, ..JudgeWeighted::default() };
            Ok(judge_weighted(votes, judges, players, &by)?.strengths.log_strengths)
        }
        "prd" => peers(ReviewerWeights::MinMax),
        "pico" => peers(ReviewerWeights::Proportional),
        _ => bradley_terry(
            &Tally::new(votes, players)?,
            &BradleyTerry { ridge: RIDGE, ..BradleyTerry::default() },
        ),
    }
}
