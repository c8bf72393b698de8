//! The likelihoods of Bradley-Terry and Davidson over a tally: value, slopes, and what one comparison adds to them.

use super::bradley_terry::{BradleyTerry, Davidson, Ties, check};
use super::newton::{Local, Mixed, maximum, norm};
use super::tally::Tally;
use crate::EvaluationError;
use superalign_core::Preferred;

/// Above so wide a spread of log-strengths, strengths themselves have no common scale in floating point.
const WIDEST: f64 = 600.0;

/// Which likelihood.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    BradleyTerry(BradleyTerry),
    Davidson(Davidson),
}

/// A likelihood of the log-strengths, and with Davidson of `ln 2 v` behind them.
pub(super) struct Model<'a> {
    tally: &'a Tally,
    pub(super) kind: Kind,
    pub(super) ends: Vec<(u32, u32)>,
    ridge: f64,
}

impl<'a> Model<'a> {
    /// The likelihood, where its maximum exists.
    pub(super) fn new(tally: &'a Tally, kind: Kind) -> Result<Self, EvaluationError> {
        let (statistic, ridge, ties) = match kind {
            Kind::BradleyTerry(by) => ("Bradley-Terry strength", by.ridge, by.ties),
            Kind::Davidson(by) => ("Davidson strength", by.ridge, Ties::HalfWin),
        };
        check(statistic, tally, ridge, ties)?;
        let mut kind = kind;
        if let Kind::Davidson(by) = kind {
            let ties: f64 = tally.pairs().iter().map(|pair| pair.tied).sum();
            if ties == tally.comparisons() {
                return Err(EvaluationError::undefined(statistic, "all comparisons are ties"));
            }
            if ties == 0.0 {
                // v is 0, at the end of its range: what is left is the other model.
                kind = Kind::BradleyTerry(BradleyTerry { ties: Ties::HalfWin, ridge: by.ridge });
            }
        }
        let ends = tally.pairs().iter().map(|pair| (pair.first, pair.second)).collect();
        Ok(Self { tally, kind, ends, ridge })
    }

    pub(super) fn players(&self) -> usize {
        self.tally.players()
    }

    /// The log-strengths and, where ties are an outcome, v. `start` may hold numbers near those.
    pub(super) fn fit(&self, start: Option<&[f64]>) -> Result<(Vec<f64>, Option<f64>), EvaluationError> {
        let mut at = self.numbers(start)?;
        let tie = match self.kind {
            Kind::BradleyTerry(_) => None,
            Kind::Davidson(_) => at.pop().map(|ln| 0.5 * ln.exp()),
        };
        Ok((at, tie))
    }

    /// The log-strengths, and `ln 2 v` where ties are an outcome.
    pub(super) fn numbers(&self, start: Option<&[f64]>) -> Result<Vec<f64>, EvaluationError> {
        let players = self.players();
        let (statistic, numbers) = match self.kind {
            Kind::BradleyTerry(_) => ("Bradley-Terry strength", players),
            Kind::Davidson(_) => ("Davidson strength", players + 1),
        };
        let mut at = vec![0.0; numbers];
        match start.filter(|start| start.len() == numbers) {
            Some(start) => at.copy_from_slice(start),
            None => self.guess(&mut at),
        }
        let weight = self.tally.comparisons();
        let mut at = maximum(statistic, &self.ends, (players, weight), at, |at| self.local(at))?;
        let mean = at[..players].iter().sum::<f64>() / players as f64;
        at[..players].iter_mut().for_each(|theta| *theta -= mean);
        Ok(at)
    }

    /// Log-odds of shrunken shares of wins: right where all met all.
    fn guess(&self, at: &mut [f64]) {
        let players = self.players();
        for (theta, record) in at.iter_mut().zip(self.tally.records()) {
            let won = record.wins + 0.5 * record.ties;
            *theta = ((won + 1.0) / (record.games() - won + 1.0)).ln();
        }
        let mean = at[..players].iter().sum::<f64>() / players as f64;
        at[..players].iter_mut().for_each(|theta| *theta -= mean);
        if let Some(tie) = at.get_mut(players) {
            let ties: f64 = self.tally.pairs().iter().map(|pair| pair.tied).sum();
            *tie = (2.0 * ties / (self.tally.comparisons() - ties)).ln();
        }
    }

    pub(super) fn local(&self, at: &[f64]) -> Local {
        let mut here = match self.kind {
            Kind::BradleyTerry(by) => self.halves(at, by.ties),
            Kind::Davidson(_) => self.outcomes(at),
        };
        for (player, theta) in at.iter().enumerate().take(self.players()) {
            here.gradient[player] -= 2.0 * self.ridge * theta;
            here.diagonal[player] += 2.0 * self.ridge;
        }
        here.merit = -norm(&here.gradient);
        here
    }

    fn halves(&self, at: &[f64], ties: Ties) -> Local {
        let mut gradient = vec![0.0; at.len()];
        let (low, high) =
            at.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
        // With strengths at hand a pair costs one division, and no exponential.
        let middle = 0.5 * (low + high);
        let strengths: Vec<f64> = if high - low < WIDEST {
            at.iter().map(|theta| (theta - middle).exp()).collect()
        } else {
            Vec::new()
        };
        let half = if ties == Ties::HalfWin { 0.5 } else { 0.0 };
        let along = self.tally.pairs().iter().map(|pair| {
            let (i, j) = (pair.first as usize, pair.second as usize);
            let (won, lost) = (pair.won + half * pair.tied, pair.lost + half * pair.tied);
            let p = if strengths.is_empty() {
                1.0 / (1.0 + (at[j] - at[i]).exp())
            } else {
                strengths[i] / (strengths[i] + strengths[j])
            };
            let q = if strengths.is_empty() {
                1.0 / (1.0 + (at[i] - at[j]).exp())
            } else {
                strengths[j] / (strengths[i] + strengths[j])
            };
            let slope = won * q - lost * p;
            gradient[i] += slope;
            gradient[j] -= slope;
            (won + lost) * p * q
        });
        let along = along.collect();
        Local { merit: 0.0, gradient, along, mixed: Vec::new(), diagonal: vec![0.0; at.len()] }
    }

    fn outcomes(&self, at: &[f64]) -> Local {
        let players = self.players();
        let mut here = Local {
            merit: 0.0,
            gradient: vec![0.0; at.len()],
            along: Vec::with_capacity(self.ends.len()),
            mixed: Vec::with_capacity(self.ends.len()),
            diagonal: vec![0.0; at.len()],
        };
        for pair in self.tally.pairs() {
            let (i, j) = (pair.first as usize, pair.second as usize);
            let n = pair.won + pair.lost + pair.tied;
            let [p, q, t] = shares(at[i] - at[j], at[players]);
            // The number along the difference is 1/2, -1/2 or 0; the tie's is 0, 0 or 1.
            let mean = 0.5 * (p - q);
            let slope = 0.5 * (pair.won - pair.lost) - n * mean;
            here.gradient[i] += slope;
            here.gradient[j] -= slope;
            here.gradient[players] += pair.tied - n * t;
            here.along.push(n * (0.25 * (p + q) - mean * mean));
            here.mixed.push(Mixed { place: players as u32, mixed: -n * mean * t, third: n * t * (1.0 - t) });
        }
        here
    }

    /// What one comparison adds to the slope along the difference of its players, and to that of the tie.
    pub(super) fn score(&self, at: &[f64], first: u32, second: u32, preferred: Preferred) -> (f64, f64) {
        let d = at[first as usize] - at[second as usize];
        match self.kind {
            Kind::BradleyTerry(by) => {
                if preferred == Preferred::Tie && by.ties == Ties::Dropped {
                    return (0.0, 0.0);
                }
                (preferred.score() - 1.0 / (1.0 + (-d).exp()), 0.0)
            }
            Kind::Davidson(_) => {
                let [p, q, t] = shares(d, at[self.players()]);
                let tied = f64::from(u8::from(preferred == Preferred::Tie));
                (preferred.score() - 0.5 - 0.5 * (p - q), tied - t)
            }
        }
    }
}

/// The probabilities of a win, a loss and a tie at a difference d of log-strengths, `tie` being `ln 2 v`.
pub(super) fn shares(d: f64, tie: f64) -> [f64; 3] {
    let scores = [0.5 * d, -0.5 * d, tie];
    let most = scores.iter().fold(f64::NEG_INFINITY, |most, &score| most.max(score));
    let weights = scores.map(|score| (score - most).exp());
    let total: f64 = weights.iter().sum();
    weights.map(|weight| weight / total)
}
