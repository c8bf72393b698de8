//! How diverse texts are.
//!
//! Cut the texts once into a [`Corpus`], count its n-grams once with [`Ngrams`], and pass these to the metrics:
//!
//! | file | what it measures |
//! |---|---|
//! | distinct | distinct-n (corpus, per text, summed, adjusted), entropy of n-grams, self-repetition |
//! | bleu | BLEU, self-BLEU against all others or pair by pair |
//! | rouge | ROUGE-N, ROUGE-L, homogenisation |
//! | compression | compression ratio |
//! | richness, window | type-token ratios, Yule, Simpson, HD-D; MTLD, MATTR, MSTTR |
//! | duplicates | exact and near duplicates, clusters |
//!
//! Intervals (`…_estimate`) are over texts, for corpora of as many texts. A text drawn twice would repeat itself, and
//! so distort what is measured; hence each text's influence is resampled, found exactly by leaving out one text at a
//! time: t* = t + sum `c_i` `u_i` / n with `u_i` = (n - 1) (mean(`t_j`) - `t_i`), where `t_i` is the value without text i and
//! `c_i` how often it was drawn. This is the jackknife's spread (Efron & Stein 1981), and the plain bootstrap where the
//! metric is a mean over texts.

mod bleu;
mod compression;
mod corpus;
mod deflate;
mod distinct;
mod duplicates;
mod influence;
mod ngrams;
mod richness;
mod rouge;
mod similar;
mod window;

pub use bleu::{
    Bleu, LongOrders, Smoothing, bleu, pairwise_bleu, pairwise_bleu_estimate, self_bleu, self_bleu_estimate,
    self_bleu_scores,
};
pub use compression::{Compressed, compression};
pub use corpus::{Corpus, Tokenizer};
pub use distinct::{
    adjusted_distinct_n, distinct_n, distinct_n_estimate, distinct_sum, mean_distinct_n,
    mean_distinct_n_estimate, ngram_entropy, ngram_entropy_estimate, self_repetition,
};
pub use duplicates::{Clusters, Duplicates, NearDuplicates, Pair, Search, exact_duplicates, near_duplicates};
pub use ngrams::{Boundary, Ngrams};
pub use richness::{Richness, hdd, richness};
pub use rouge::{Overlap, homogenisation, homogenisation_estimate, rouge_l, rouge_n};
pub use window::{FactorEnd, LastSegment, mattr, msttr, mtld};
