//! Rankings as tables and as JSON.

use super::RankArgs;
use super::compute::Ranking;
use super::votes::Votes;
use crate::report::{Table, thousands};
use clap::ValueEnum;
use serde_json::{Map, Value, json};
use superalign_data::signal::Signal;
use superalign_evaluation::peer_review::{Breakdown, Tally, connectivity};

/// All that is shown.
pub(super) struct Report<'a> {
    pub(super) args: &'a RankArgs,
    pub(super) signal: &'a Signal,
    pub(super) votes: &'a Votes,
    pub(super) ranking: &'a Ranking,
    pub(super) breakdown: Option<&'a Breakdown>,
}

impl Report<'_> {
    /// What the file holds, a sentence a line.
    pub(super) fn understood(&self) -> Vec<String> {
        let (signal, votes) = (self.signal, self.votes);
        let plural = |n: usize, one: &str, many: &str| {
            format!("{} {}", thousands(n as u64), if n == 1 { one } else { many })
        };
        let roles: Vec<String> = signal
            .roles
            .iter()
            .map(|(role, names)| {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                format!("{role} = {}", names.join(", "))
            })
            .collect();
        let mut columns = format!("Columns: {}.", roles.join("; "));
        if !signal.ignored.is_empty() {
            let names: Vec<String> = signal.ignored.iter().take(8).map(|name| format!("`{name}`")).collect();
            let more = signal.ignored.len().saturating_sub(8);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            columns += &format!(" Passed over: {}{more}.", names.join(", "));
        }
        let mut size = format!(
            "{} of {}",
            plural(votes.list.len(), "comparison", "comparisons"),
            plural(votes.players.len(), "player", "players")
        );
        for (labels, one, many) in [(&votes.judges, "judge", "judges"), (&votes.prompts, "prompt", "prompts")]
        {
            if let Some(labels) = labels {
                size += &format!(", {}", plural(labels.count(), one, many));
            }
        }
        let mut lines = vec![
            format!(
                "{}: {} of a {} file.",
                signal.path.display(),
                plural(signal.rows, "row", "rows"),
                signal.container.name()
            ),
            columns,
            size + ".",
        ];
        lines.extend(votes.notes.iter().cloned());
        lines
    }

    /// The players from the first to the last.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.votes.players.len()).collect();
        order.sort_by_key(|&player| (self.ranking.ranks[player].rank, player));
        order
    }

    pub(super) fn tables(&self) -> Vec<Table> {
        let ranking = self.ranking;
        let interval = format!("{}% interval", 100.0 * self.args.level);
        let caption =
            format!("{}: {}; intervals: {}", self.args.method.name(), ranking.unit, ranking.interval);
        let header = ["rank", "player", "score", &interval, "ranks", "wins", "ties", "losses", "n"];
        let mut table = Table::new(caption, 2, &header);
        for player in self.order() {
            let (ranks, record) = (ranking.ranks[player], self.votes.records[player]);
            let between = |lo: String, hi: String| format!("{lo} to {hi}");
            let interval = ranking.estimates.as_ref().map_or_else(String::new, |estimates| {
                between(digits(estimates[player].lo), digits(estimates[player].hi))
            });
            let known = ranking.estimates.is_some() && self.args.method != super::Method::Elo;
            let whole = |x: f64| thousands(x as u64);
            table.rows.push(vec![
                ranks.rank.to_string(),
                self.votes.players[player].clone(),
                digits(ranking.scores[player]),
                interval,
                if known { between(ranks.best.to_string(), ranks.worst.to_string()) } else { String::new() },
                whole(record.wins),
                whole(record.ties),
                whole(record.losses),
                whole(record.games()),
            ]);
        }
        let mut tables = vec![table];
        if let Some(weights) = &ranking.judges {
            let what = weights.what;
            let mut table = Table::new(format!("judges: {what}"), 1, &["judge", "weight", "standard error"]);
            for (name, weight, error) in &weights.judges {
                let error = error.map_or_else(String::new, digits);
                table.rows.push(vec![name.clone(), digits(*weight), error]);
            }
            tables.push(table);
        }
        tables
    }

    /// What goes with the tables, a sentence a line.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(tie) = self.ranking.tie {
            lines.push(format!("Two players alike tie with probability {}.", digits(tie / (1.0 + tie))));
        }
        lines.extend(self.ranking.remarks.iter().cloned());
        if let (Some(found), Some(target)) = (self.breakdown, &self.args.collusion) {
            let leader = self.votes.name(found.leader);
            lines.push(match found.share {
                Some(share) => format!(
                    "{leader} is first no more when {} of the {} judges collude for `{target}` ({} to {}, by which they are).",
                    percent(share.value),
                    found.judges,
                    percent(share.lo),
                    percent(share.hi)
                ),
                None => format!(
                    "{leader} stays first in some orders even if all {} judges collude for `{target}`.",
                    found.judges
                ),
            });
        }
        lines
    }

    pub(super) fn json(&self) -> Value {
        let (args, votes, ranking) = (self.args, self.votes, self.ranking);
        let order = self.order();
        let name = |value: Option<clap::builder::PossibleValue>| value.map(|v| v.get_name().to_owned());
        let players: Vec<Value> = order
            .iter()
            .map(|&player| {
                let (ranks, record) = (ranking.ranks[player], votes.records[player]);
                let mut row = Map::new();
                let mut set = |key: &str, value: Value| row.insert(key.to_owned(), value);
                set("rank", json!(ranks.rank));
                set("player", json!(votes.players[player]));
                set("score", json!(ranking.scores[player]));
                if let Some(estimates) = &ranking.estimates {
                    set("lo", json!(estimates[player].lo));
                    set("hi", json!(estimates[player].hi));
                    if args.method != super::Method::Elo {
                        set("best_rank", json!(ranks.best));
                        set("worst_rank", json!(ranks.worst));
                    }
                }
                set("wins", json!(record.wins));
                set("ties", json!(record.ties));
                set("losses", json!(record.losses));
                set("n", json!(record.games()));
                row.into()
            })
            .collect();
        let matrix = |matrix: &ndarray::Array2<f64>| -> Value {
            order.iter().map(|&i| order.iter().map(|&j| matrix[[i, j]]).collect::<Vec<_>>()).collect()
        };
        let mut out = Map::new();
        let mut set = |key: &str, value: Value| out.insert(key.to_owned(), value);
        set("file", json!(self.signal.path.display().to_string()));
        set("digest", json!(self.signal.digest));
        set("understood", self.understood().into());
        set("method", json!(args.method.name()));
        set("score", json!(ranking.unit));
        set("interval", json!(ranking.interval));
        set("level", json!(args.level));
        set("ties", json!(name(args.ties.to_possible_value())));
        set("ridge", json!(args.ridge));
        set("seed", json!(args.seed));
        set("draws", json!(args.draws));
        set("comparisons", json!(votes.list.len()));
        set("players", players.into());
        if let Some(tie) = ranking.tie {
            set("tie", json!(tie));
        }
        if let Some(beats) = &ranking.beats {
            set("win_probability", matrix(beats));
        }
        if let Some(stronger) = &ranking.stronger {
            set("stronger_probability", matrix(stronger));
        }
        if let Some(weights) = &ranking.judges {
            let rows: Vec<Value> = weights
                .judges
                .iter()
                .map(
                    |(name, weight, error)| json!({"judge": name, "weight": weight, "standard_error": error}),
                )
                .collect();
            set("judge_weights", json!({"weight": weights.what, "judges": rows}));
        }
        if let Ok(tally) = Tally::new(&votes.list, votes.players.len()) {
            let found = connectivity(&tally);
            let names = |players: &[u32]| -> Vec<&String> {
                players.iter().map(|&player| &votes.players[player as usize]).collect()
            };
            let components: Vec<_> = found.components.iter().map(|component| names(component)).collect();
            set(
                "connectivity",
                json!({
                    "components": components,
                    "islands": found.islands,
                    "undefeated": names(&found.undefeated),
                    "winless": names(&found.winless),
                }),
            );
        }
        if let Some(found) = self.breakdown {
            let share =
                found.share.map(|share| json!({"share": share.value, "lo": share.lo, "hi": share.hi}));
            set(
                "collusion",
                json!({
                    "for": args.collusion,
                    "leader": votes.players[found.leader as usize],
                    "judges": found.judges,
                    "breakdown": share,
                    "flipped": found.flipped,
                }),
            );
        }
        set("remarks", self.remarks().into());
        out.into()
    }
}

fn digits(x: f64) -> String {
    // Rounding errors are no finding.
    let x = if x.abs() < 1e-9 { 0.0 } else { x };
    if x.abs() >= 100.0 { format!("{x:.1}") } else { format!("{x:.3}") }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}
