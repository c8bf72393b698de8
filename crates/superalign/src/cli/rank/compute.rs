//! Which ranking, with which intervals.

use super::votes::{Labels, Votes};
use super::{Interval, Method, RankArgs, TiesAs};
use ndarray::Array2;
use superalign_core::{Bootstrap, Estimate};
use superalign_evaluation::EvaluationError;
use superalign_evaluation::peer_review::{
    BradleyTerry, Breakdown, Colluders, Collusion, Comparison, Davidson, Elo, Errors, JudgeWeighted,
    PeerRank, RankInterval, Resampled, ReviewerWeights, Strengths, Tally, Ties, average_win_rate,
    bradley_terry, bradley_terry_strengths, collusion, connectivity, davidson, davidson_strengths, elo,
    elo_over_orders, judge_weighted, pagerank, peer_rank, rank_centrality, rank_intervals, ranks, resampled,
    resampled_counts, win_probabilities,
};

/// Fewer labels than this are too few to cluster by, unless somebody asks for it.
const FEW_CLUSTERS: usize = 10;

/// What each judge counts.
pub(super) struct Weights {
    /// What a weight is.
    pub(super) what: &'static str,
    /// Name, weight, and its standard error.
    pub(super) judges: Vec<(String, f64, Option<f64>)>,
}

/// Scores and ranks of the players, and how sure they are.
pub(super) struct Ranking {
    pub(super) scores: Vec<f64>,
    pub(super) estimates: Option<Vec<Estimate>>,
    pub(super) ranks: Vec<RankInterval>,
    /// What a score is.
    pub(super) unit: &'static str,
    /// How the intervals were made.
    pub(super) interval: String,
    /// How common ties are, in Davidson's model.
    pub(super) tie: Option<f64>,
    /// What each judge counts, where the method weighs them.
    pub(super) judges: Option<Weights>,
    /// P(row beats column).
    pub(super) beats: Option<Array2<f64>>,
    /// How probable it is that the row's player is the stronger.
    pub(super) stronger: Option<Array2<f64>>,
    pub(super) remarks: Vec<String>,
}

pub(super) fn ranking(args: &RankArgs, votes: &Votes, by: &Bootstrap) -> Result<Ranking, String> {
    connected(args, votes)?;
    match args.method {
        Method::BradleyTerry | Method::Davidson if args.interval != Some(Interval::Bootstrap) => {
            likelihood(args, votes, by)
        }
        Method::Elo => by_elo(args, votes, by),
        Method::JudgeWeighted
            if !matches!(args.interval, Some(Interval::Bootstrap | Interval::Clustered)) =>
        {
            weighted(args, votes, by)
        }
        _ => by_resamples(args, votes, by),
    }
}

/// Where strengths do not exist, the players to blame, by name.
fn connected(args: &RankArgs, votes: &Votes) -> Result<(), String> {
    let strengths = match args.method {
        Method::BradleyTerry => "Bradley-Terry strengths",
        Method::Davidson => "Davidson strengths",
        Method::JudgeWeighted => "judge-weighted strengths",
        Method::RankCentrality => "the scores of rank centrality",
        _ => return Ok(()),
    };
    let prior = args.method != Method::RankCentrality;
    if prior && args.ridge > 0.0 {
        return Ok(());
    }
    let dropped = args.method == Method::BradleyTerry && args.ties == TiesAs::Dropped;
    let decided = |game: &&Comparison| !dropped || game.preferred.score() != 0.5;
    let list: Vec<Comparison> = votes.list.iter().filter(decided).copied().collect();
    if list.is_empty() {
        return Err(format!("{strengths} do not exist: all comparisons are ties, and ties are dropped"));
    }
    let tally = Tally::new(&list, votes.players.len()).map_err(text)?;
    let Some(why) = connectivity(&tally).explain(|player| votes.name(player)) else { return Ok(()) };
    let remedy = if prior { "`--ridge 0.1` (a prior), or " } else { "" };
    Err(format!("{strengths} do not exist: {why}; use {remedy}`--method win-rate`, or add comparisons"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err takes")]
fn text(error: EvaluationError) -> String {
    error.to_string()
}

fn bradley_terry_of(args: &RankArgs) -> BradleyTerry {
    let ties = match args.ties {
        TiesAs::HalfWin => Ties::HalfWin,
        TiesAs::Dropped => Ties::Dropped,
    };
    BradleyTerry { ties, ridge: args.ridge }
}

/// Bradley-Terry and Davidson with the intervals of their likelihoods.
fn likelihood(args: &RankArgs, votes: &Votes, by: &Bootstrap) -> Result<Ranking, String> {
    let mut remarks = Vec::new();
    let wanted = match args.interval {
        Some(Interval::Clustered) => 2,
        _ => FEW_CLUSTERS,
    };
    let useful = |labels: &Option<Labels>| labels.as_ref().is_some_and(|labels| labels.count() >= wanted);
    let kinds = (useful(&votes.prompts), useful(&votes.judges));
    let clustered = matches!(args.interval, None | Some(Interval::Clustered));
    let codes =
        |labels: &'_ Option<Labels>| labels.as_ref().map_or(Vec::new(), |labels| labels.codes.clone());
    let (prompts, judges) = (codes(&votes.prompts), codes(&votes.judges));
    let (errors, interval) = match (args.interval, kinds) {
        (Some(Interval::Fisher | Interval::None), _) => (Errors::Fisher, "Fisher information".to_owned()),
        (_, (true, true)) if clustered => (
            Errors::TwoWay(&prompts, &judges),
            format!("clustered by prompts ({}) and judges ({})", count(&votes.prompts), count(&votes.judges)),
        ),
        (_, (true, false)) if clustered => {
            (Errors::Clustered(&prompts), format!("clustered by prompts ({})", count(&votes.prompts)))
        }
        (_, (false, true)) if clustered => {
            (Errors::Clustered(&judges), format!("clustered by judges ({})", count(&votes.judges)))
        }
        (Some(Interval::Clustered), _) => return Err(no_clusters()),
        _ => (Errors::Sandwich, "sandwich".to_owned()),
    };
    for (labels, what) in [(&votes.prompts, "prompts"), (&votes.judges, "judges")] {
        if let Some(labels) = labels
            && interval.contains(what)
            && labels.count() < FEW_CLUSTERS
        {
            remarks.push(format!(
                "{} {what} are few to cluster by: intervals may be too short.",
                labels.count()
            ));
        }
    }
    let players = votes.players.len();
    let found = match args.method {
        Method::Davidson => {
            davidson_strengths(&votes.list, players, &Davidson { ridge: args.ridge }, errors).map_err(text)?
        }
        _ => bradley_terry_strengths(&votes.list, players, &bradley_terry_of(args), errors).map_err(text)?,
    };
    of_strengths(args, found, &interval, None, remarks, by)
}

fn no_clusters() -> String {
    "there is nothing to cluster by: expected a column of prompts or of judges with two labels at least; name it with \
     `--columns item=NAME` or `--columns judge=NAME`"
        .to_owned()
}

fn count(labels: &Option<Labels>) -> usize {
    labels.as_ref().map_or(0, Labels::count)
}

fn of_strengths(
    args: &RankArgs,
    found: Strengths,
    interval: &str,
    judges: Option<Weights>,
    remarks: Vec<String>,
    by: &Bootstrap,
) -> Result<Ranking, String> {
    let none = args.interval == Some(Interval::None);
    let (estimates, ranks) = if none {
        (None, certain(&found.log_strengths))
    } else {
        let ranks =
            rank_intervals(&found, &Bootstrap { seed: by.seed.named("ranks"), ..*by }).map_err(text)?;
        (Some(found.estimates(by.level).map_err(text)?), ranks)
    };
    Ok(Ranking {
        estimates,
        ranks,
        unit: "log-strength, sum 0",
        interval: if none { "none".to_owned() } else { format!("{interval}; ranks hold together") },
        tie: found.tie,
        judges,
        beats: Some(win_probabilities(&found.log_strengths, found.tie.unwrap_or(0.0))),
        stronger: (!none).then(|| found.stronger()),
        scores: found.log_strengths,
        remarks,
    })
}

/// Ranks without intervals.
fn certain(scores: &[f64]) -> Vec<RankInterval> {
    ranks(scores).into_iter().map(|rank| RankInterval { rank, best: rank, worst: rank }).collect()
}

fn by_elo(args: &RankArgs, votes: &Votes, by: &Bootstrap) -> Result<Ranking, String> {
    if !matches!(args.interval, None | Some(Interval::None)) {
        return Err("elo has no sampling interval here: it shows how far ratings depend on the order; leave --interval \
                    out, or use `--method bradley-terry`"
            .to_owned());
    }
    let players = votes.players.len();
    let scores = elo(&votes.list, players, &Elo::default()).map_err(text)?;
    let orders = match args.interval {
        None => Some(elo_over_orders(&votes.list, players, &Elo::default(), by).map_err(text)?),
        Some(_) => None,
    };
    let estimates = orders.map(|orders| {
        // The rating is that of the file's order; the interval is that of random ones, and need not hold it.
        let each = scores.iter().zip(orders);
        each.map(|(&value, of)| Estimate { value, ..of }).collect()
    });
    let interval =
        if estimates.is_some() { format!("{} random orders", by.draws) } else { "none".to_owned() };
    Ok(Ranking {
        ranks: certain(&scores),
        scores,
        estimates,
        unit: "rating (start 1000, scale 400, step 4)",
        interval,
        tie: None,
        judges: None,
        beats: None,
        stronger: None,
        remarks: vec![
            "Ratings depend on the order of the rows; the interval says how far, and nothing of how few rows there are."
                .to_owned(),
        ],
    })
}

/// Bradley-Terry with judges' weights, and the intervals of its information.
fn weighted(args: &RankArgs, votes: &Votes, by: &Bootstrap) -> Result<Ranking, String> {
    if args.interval == Some(Interval::Sandwich) {
        return Err("judge-weighted has fisher, clustered and bootstrap intervals".to_owned());
    }
    let judges = judges(votes)?;
    let config = JudgeWeighted { ridge: args.ridge, ..JudgeWeighted::default() };
    let found = judge_weighted(&votes.list, &judges.codes, votes.players.len(), &config).map_err(text)?;
    let each = found.discriminations.iter().zip(&found.standard_errors).zip(&judges.names);
    let weights = Weights {
        what: "discrimination (1 the mean, 0 a coin)",
        judges: each.map(|((&g, &se), name)| (name.clone(), g, Some(se))).collect(),
    };
    of_strengths(
        args,
        found.strengths,
        "Fisher information of strengths and judges",
        Some(weights),
        vec!["Where most judges err alike they are believed: `--collusion PLAYER` tries that.".to_owned()],
        by,
    )
}

/// The judges, where every comparison has one.
fn judges(votes: &Votes) -> Result<&Labels, String> {
    let judges = votes.judges.as_ref().ok_or(
        "this method needs judges: expected a column for the role judge, such as `judge`; name it with `--columns \
         judge=NAME`",
    )?;
    if judges.codes.iter().any(|&code| code as usize >= judges.names.len()) {
        return Err("this method needs the judge of every comparison; some rows have none".to_owned());
    }
    Ok(judges)
}

/// The player that made each comparison.
fn reviewers(votes: &Votes) -> Result<Vec<u32>, String> {
    let judges = judges(votes)?;
    let place = |name: &String| votes.players.iter().position(|player| player == name);
    let places: Vec<Option<usize>> = judges.names.iter().map(place).collect();
    if let Some(stranger) = places.iter().position(Option::is_none) {
        return Err(format!(
            "the judge `{}` is no player: this method ranks players that judge one another; use `--method \
             judge-weighted` for other judges",
            judges.names[stranger]
        ));
    }
    Ok(judges.codes.iter().map(|&code| places[code as usize].unwrap_or_default() as u32).collect())
}

/// The scores of a method from comparisons and who made them, which is asked for by the methods that weigh judges only.
fn scores(
    args: &RankArgs,
    players: usize,
    list: &[Comparison],
    judges: &[u32],
) -> Result<Vec<f64>, EvaluationError> {
    let tally = || Tally::new(list, players);
    match args.method {
        Method::BradleyTerry => bradley_terry(&tally()?, &bradley_terry_of(args)),
        Method::Davidson => Ok(davidson(&tally()?, &Davidson { ridge: args.ridge })?.log_strengths),
        Method::Elo => elo(list, players, &Elo::default()),
        Method::Pagerank => pagerank(&tally()?, 0.85),
        Method::RankCentrality => rank_centrality(&tally()?),
        Method::WinRate => average_win_rate(&tally()?),
        Method::JudgeWeighted => {
            let by = JudgeWeighted { ridge: args.ridge, ..JudgeWeighted::default() };
            Ok(judge_weighted(list, judges, players, &by)?.strengths.log_strengths)
        }
        Method::Prd | Method::Pico => Ok(peer_rank(list, judges, players, &peer_rank_of(args))?.scores),
    }
}

fn peer_rank_of(args: &RankArgs) -> PeerRank {
    let weights =
        if args.method == Method::Pico { ReviewerWeights::Proportional } else { ReviewerWeights::MinMax };
    PeerRank { weights, ..PeerRank::default() }
}

/// Any other method, with intervals over resamples.
fn by_resamples(args: &RankArgs, votes: &Votes, by: &Bootstrap) -> Result<Ranking, String> {
    if matches!(args.interval, Some(Interval::Fisher | Interval::Sandwich)) {
        return Err(format!(
            "{} has no likelihood, and no fisher or sandwich intervals: expected bootstrap, clustered or none",
            args.method.name()
        ));
    }
    let players = votes.players.len();
    let given = match args.method {
        Method::Prd | Method::Pico => reviewers(votes)?,
        Method::JudgeWeighted => judges(votes)?.codes.clone(),
        _ => Vec::new(),
    };
    let clusters = match args.interval {
        Some(Interval::None) => None,
        Some(Interval::Clustered) => {
            let some = |labels: &'_ Option<Labels>| labels.as_ref().is_some_and(|labels| labels.count() > 1);
            match (some(&votes.prompts), some(&votes.judges)) {
                (true, _) => Some(("prompts", &votes.prompts)),
                (false, true) => Some(("judges", &votes.judges)),
                _ => return Err(no_clusters()),
            }
        }
        _ if count(&votes.prompts) >= FEW_CLUSTERS => Some(("prompts", &votes.prompts)),
        _ => None,
    };
    let value = scores(args, players, &votes.list, &given).map_err(text)?;
    let mut remarks = Vec::new();
    let labels = clusters.and_then(|(_, labels)| labels.as_ref()).map(|labels| labels.codes.as_slice());
    let of_draws: Result<Option<Resampled>, EvaluationError> = if args.interval == Some(Interval::None) {
        Ok(None)
    } else if given.is_empty() {
        resampled(&votes.list, players, labels, by, |tally| of_tally(args, tally)).map(Some)
    } else {
        resampled_counts(votes.list.len(), labels, by, |counts| {
            let (mut list, mut judges) = (Vec::new(), Vec::new());
            for ((&game, &judge), &times) in votes.list.iter().zip(&given).zip(counts) {
                list.extend(std::iter::repeat_n(game, times as usize));
                judges.extend(std::iter::repeat_n(judge, times as usize));
            }
            scores(args, players, &list, &judges)
        })
        .map(Some)
    };
    let found = of_draws.unwrap_or_else(|why| {
        remarks.push(format!("no intervals: {why}"));
        None
    });
    let judges = match args.method {
        Method::Prd | Method::Pico => {
            let ranked = peer_rank(&votes.list, &given, players, &peer_rank_of(args)).map_err(text)?;
            if !ranked.converged {
                remarks.push(format!("The weights still changed after {} rounds.", ranked.rounds));
            }
            remarks.push(
                "Weights reward who agrees with most: `--collusion PLAYER` tries what that costs.".to_owned(),
            );
            let each = votes.players.iter().zip(ranked.weights);
            let judges = each.map(|(name, weight)| (name.clone(), weight, None)).collect();
            Some(Weights { what: "weight, sum 1", judges })
        }
        _ => None,
    };
    let over = clusters
        .map_or_else(|| "comparisons".to_owned(), |(what, labels)| format!("{what} ({})", count(labels)));
    Ok(Ranking {
        unit: match args.method {
            Method::Pagerank => "share of time, sum 1",
            Method::WinRate => "mean win rate",
            Method::Prd | Method::Pico => "weighted win rate",
            _ => "log-strength, sum 0",
        },
        interval: match &found {
            Some(found) => format!("bootstrap over {over}, {} of {} draws", found.defined, by.draws),
            None => "none".to_owned(),
        },
        ranks: found.as_ref().map_or_else(|| certain(&value), |found| found.ranks.clone()),
        estimates: found.map(|found| found.scores),
        scores: value,
        tie: None,
        judges,
        beats: None,
        stronger: None,
        remarks,
    })
}

/// The methods that need a tally only.
fn of_tally(args: &RankArgs, tally: &Tally) -> Result<Vec<f64>, EvaluationError> {
    match args.method {
        Method::BradleyTerry => bradley_terry(tally, &bradley_terry_of(args)),
        Method::Davidson => Ok(davidson(tally, &Davidson { ridge: args.ridge })?.log_strengths),
        Method::Pagerank => pagerank(tally, 0.85),
        Method::RankCentrality => rank_centrality(tally),
        _ => average_win_rate(tally),
    }
}

/// What share of the judges has to collude for a player.
pub(super) fn breakdown(
    args: &RankArgs,
    votes: &Votes,
    player: &str,
    by: &Bootstrap,
) -> Result<Breakdown, String> {
    /// Orders of judges: each costs a ranking for every judge.
    const ORDERS: usize = 100;
    let target = votes.players.iter().position(|name| name == player).ok_or_else(|| {
        let names: Vec<String> = votes.players.iter().take(8).map(|name| format!("`{name}`")).collect();
        format!("--collusion {player}: there is no such player; there are {}", names.join(", "))
    })?;
    let given = match args.method {
        Method::Prd | Method::Pico => reviewers(votes)?,
        _ => judges(votes)?.codes.clone(),
    };
    let orders = Bootstrap { draws: by.draws.min(ORDERS), seed: by.seed.named("collusion"), ..*by };
    let config = Collusion { colluders: Colluders::VoteFor(target as u32), by: orders };
    let players = votes.players.len();
    collusion(&votes.list, &given, players, &config, |list, judges| scores(args, players, list, judges))
        .map_err(text)
}
