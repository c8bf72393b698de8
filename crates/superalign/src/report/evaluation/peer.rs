//! Peer review in the report.

use super::Page;
use crate::experiment::exam::{
    BREAKDOWN, FAVOUR, KENDALL, METHODS, SELF, SOLVED, STRENGTH, collusion_cell, judge_cell, method_cell,
    player_cell, ranked_cell,
};
use crate::record::Row;
use crate::report::figure::{self, Bar, Bars, Heat};
use crate::report::prose::{Effect, and, compare};
use crate::report::table::{Table, shown};
use superalign_core::Estimate;

/// The ranking that is drawn.
const DRAWN: &str = "bradley-terry";
/// The rankings that are put to the test by bad judges.
const TESTED: [&str; 3] = ["bradley-terry", "judge-weighted", "prd"];

impl Page<'_> {
    pub(super) fn peer_sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        let taus: Vec<(&str, Estimate)> = METHODS
            .iter()
            .filter_map(|method| Some((*method, self.row(&method_cell(method), KENDALL)?.estimate()?)))
            .collect();
        if taus.is_empty() {
            let why = self.row(&method_cell(DRAWN), KENDALL).and_then(|row| row.error.clone());
            return why.map(|why| format!("Peer review gives no number: {why}.")).into_iter().collect();
        }
        let list = |wanted: &dyn Fn(&Estimate) -> bool| {
            let those = taus.iter().filter(|(_, tau)| wanted(tau));
            those.map(|(method, tau)| format!("{method} {tau}")).collect::<Vec<String>>()
        };
        let (right, wrong) = (list(&|tau| tau.lo > 0.0), list(&|tau| tau.hi < 0.0));
        let open = list(&|tau| tau.lo <= 0.0 && tau.hi >= 0.0);
        let mut text = format!(
            "Peer review, {} players who vote on one another's answers to withheld tasks:",
            self.peers.len()
        );
        let mut parts = Vec::new();
        if !right.is_empty() {
            parts.push(format!(" the ranking agrees with true capability by {} (Kendall tau)", and(&right)));
        }
        if !wrong.is_empty() {
            parts.push(format!(" it runs against true capability by {}", and(&wrong)));
        }
        if !open.is_empty() {
            parts.push(format!(" no agreement can be claimed by {}", and(&open)));
        }
        text += &parts.join(";");
        out.push(text + ".");
        let plain = taus.iter().find(|(method, _)| *method == DRAWN).map(|(_, tau)| *tau);
        if let Some(plain) = plain {
            let better: Vec<String> = taus
                .iter()
                .filter(|(method, tau)| *method != DRAWN && compare(tau, &plain) == Effect::Positive)
                .map(|(method, _)| (*method).to_owned())
                .collect();
            out.push(if better.is_empty() {
                "No way of weighing the judges is better than counting every vote the same by more than the intervals."
                    .to_owned()
            } else {
                format!("Better than counting every vote the same: {}.", and(&better))
            });
        }
        let selves: Vec<(usize, Estimate)> = (1..=self.peers.len())
            .filter_map(|n| Some((n, self.row(&format!("peer/judge={n}"), SELF)?.estimate()?)))
            .collect();
        let most = selves.iter().max_by(|a, b| a.1.value.total_cmp(&b.1.value));
        let least = selves.iter().min_by(|a, b| a.1.value.total_cmp(&b.1.value));
        if let (Some(most), Some(least)) = (most, least) {
            let name = |n: usize| self.peers[n - 1].name.clone();
            out.push(format!(
                "Votes on one's own answers are left out of every ranking. Who answers and judges by one and the same \
                 probability prefers itself wherever it is sure: self-preference is between {} ({}) and {} ({}), and is \
                 high for whom the others contradict.",
                least.1,
                name(least.0),
                most.1,
                name(most.0)
            ));
        }
        let stands: Vec<String> = TESTED
            .iter()
            .filter_map(|method| {
                let row = self.row(&collusion_cell("vote-for-last", method), BREAKDOWN)?;
                Some(match (row.estimate(), &row.error) {
                    (Some(share), _) => format!("{method} at {share}"),
                    (None, Some(why)) => format!("{method} not ({why})"),
                    (None, None) => format!("{method} not measured"),
                })
            })
            .collect();
        if !stands.is_empty() {
            let mut strengths: Vec<Estimate> = (1..=self.peers.len())
                .filter_map(|n| self.row(&ranked_cell(DRAWN, n), STRENGTH).and_then(Row::estimate))
                .collect();
            strengths.sort_by(|a, b| b.value.total_cmp(&a.value));
            let close = match &strengths[..] {
                [first, second, ..] if compare(first, second) != Effect::Positive => {
                    " (the first is not told from the second, so that little is needed)"
                }
                _ => "",
            };
            out.push(format!(
                "If judges conspire to vote for whom the ranking has last, the first is no longer first from this share \
                 of bad judges on: {}{close}.",
                and(&stands)
            ));
        }
        out.push(
            "A task has two candidates, so that a vote says no more than which answer the judge would give itself: peers \
             who err alike confirm one another, and rungs of one ladder do err alike."
                .to_owned(),
        );
        out
    }

    pub(super) fn peer_lines(&self, table: &mut Table) {
        for method in METHODS {
            let question = format!("Kendall tau of {method} with true capability");
            table.rows.push(vec![
                "peer review".to_owned(),
                question,
                shown(self.row(&method_cell(method), KENDALL)),
            ]);
        }
    }

    pub(super) fn peer_figures(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let numbers: Vec<usize> = (1..=self.peers.len()).collect();
        let strength = |n: usize| self.row(&ranked_cell(DRAWN, n), STRENGTH).and_then(Row::estimate);
        let mut order = numbers.clone();
        let value =
            |n: usize| self.row(&player_cell(n), SOLVED).and_then(|row| row.value).unwrap_or(f64::MIN);
        order.sort_by(|a, b| value(*b).total_cmp(&value(*a)).then(a.cmp(b)));
        let bars: Vec<(String, Vec<Option<Bar>>)> = order
            .iter()
            .map(|&n| (n.to_string(), vec![strength(n).map(|e| (e.value, e.lo, e.hi))]))
            .collect();
        let ends = || bars.iter().flat_map(|(_, bars)| bars.iter().flatten()).flat_map(|bar| [bar.1, bar.2]);
        if ends().next().is_none() {
            return out;
        }
        let (low, high) = ends().fold((0.0_f64, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
        out.push((
            figure::bars(&Bars {
                title: "Ranking by peers, truly best first",
                y: "strength (Bradley-Terry, log-odds)",
                y_range: (1.1 * low - 0.02, 1.1 * high + 0.02),
                reference: Some((0.0, "mean")),
                kinds: vec![DRAWN.to_owned()],
                groups: bars,
            }),
            "Strength of each player by the votes of the others, with its interval, in the order of true capability: a \
             ranking that is right falls from left to right. Numbers are those of the table of players."
                .to_owned(),
        ));
        let cell = |judge: usize, player: usize| {
            let row = self.row(&judge_cell(judge, player), FAVOUR)?;
            Some(row.value.ok_or_else(|| "none".to_owned()))
        };
        let cells: Vec<Vec<_>> =
            numbers.iter().map(|&j| numbers.iter().map(|&p| cell(j, p)).collect()).collect();
        let extreme = cells.iter().flatten().flatten().flatten().fold(0.0_f64, |most, v| most.max(v.abs()));
        let names = |n: &usize| n.to_string();
        out.push((
            figure::heat(&Heat {
                title: "Whom judges favour",
                x: "player",
                y: "judge",
                columns: numbers.iter().map(names).collect(),
                rows: self.peers.iter().enumerate().map(|(i, p)| format!("{} {}", i + 1, p.short)).collect(),
                extreme,
                cells,
            }),
            "How much more often a judge votes for a player's answers than the other judges of the same pairs do."
                .to_owned(),
        ));
        out
    }

    pub(super) fn peer_tables(&self) -> Vec<Table> {
        let mut columns = vec!["no.", "player", "solved, truly", "self-preference"];
        columns.extend(METHODS);
        let mut players = Table::new("Players, as their peers and the truth have them", 2, &columns);
        for (i, player) in self.peers.iter().enumerate() {
            let n = i + 1;
            let mut row = vec![
                n.to_string(),
                player.name.clone(),
                shown(self.row(&player_cell(n), SOLVED)),
                shown(self.row(&format!("peer/judge={n}"), SELF)),
            ];
            row.extend(METHODS.iter().map(|method| shown(self.row(&ranked_cell(method, n), STRENGTH))));
            players.rows.push(row);
        }
        let mut bad = Table::new(
            "Share of bad judges that a ranking stands",
            2,
            &["attack", "ranking", "share, or why none"],
        );
        for attack in ["vote-for-last", "copy"] {
            for method in TESTED {
                let Some(row) = self.row(&collusion_cell(attack, method), BREAKDOWN) else { continue };
                let text = row.error.clone().unwrap_or_else(|| shown(Some(row)));
                bad.rows.push(vec![attack.to_owned(), method.to_owned(), text]);
            }
        }
        vec![players, bad]
    }
}
