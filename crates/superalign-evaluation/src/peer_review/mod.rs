//! Ranking models by comparisons of their answers, made by judges that may be models themselves.
//!
//! | question | functions |
//! |---|---|
//! | who met whom, and how did it end? | [`Tally`], [`connectivity`] |
//! | who is how strong? | [`bradley_terry`], [`davidson`] (ties), [`rank_centrality`], [`elo`], [`pagerank`], [`average_win_rate`], [`win_counts`] |
//! | how sure is that? | [`bradley_terry_strengths`], [`davidson_strengths`] (covariance: Fisher, sandwich, clustered), [`rank_intervals`], [`resampled`] (any ranking) |
//! | how often does one beat another? | [`win_probabilities`]; how probably is it stronger: [`Strengths::stronger`] |
//! | which judges can be relied on? | [`judge_weighted`], [`peer_rank`] (PRD, PiCO) |
//! | what do the judges say together, weighted? | [`weighted_vote`] |
//! | how many bad judges does a ranking stand? | [`collusion`] |
//!
//! Players and judges are numbers from 0; a comparison names two players and which was preferred. What a judge does to
//! a single vote (position bias, self-preference, swap inconsistency, agreement) is measured in one place,
//! `superalign_signal::preference`, and not here.

mod bradley_terry;
mod collusion;
mod connectivity;
mod dense;
mod elo;
mod errors;
mod judge_weighted;
mod model;
mod newton;
mod pagerank;
mod peer_rank;
mod rank_centrality;
mod ranks;
mod rates;
mod resample;
mod tally;

pub use bradley_terry::{BradleyTerry, Davidson, DavidsonStrengths, Ties, bradley_terry, davidson};
pub use collusion::{Breakdown, Colluders, Collusion, collusion};
pub use connectivity::{Connectivity, connectivity};
pub use elo::{Elo, elo, elo_over_orders};
pub use errors::{Errors, Strengths, bradley_terry_strengths, davidson_strengths, win_probabilities};
pub use judge_weighted::{JudgeWeighted, JudgeWeightedStrengths, judge_weighted};
pub use pagerank::pagerank;
pub use peer_rank::{PeerRank, PeerRanking, ReviewerWeights, peer_rank, weighted_vote};
pub use rank_centrality::rank_centrality;
pub use ranks::{RankInterval, rank_intervals, ranks};
pub use rates::{average_win_rate, win_counts};
pub use resample::{Resampled, resampled, resampled_counts};
pub use superalign_core::{Comparison, Preferred};
pub use tally::{Pair, Record, Tally};
