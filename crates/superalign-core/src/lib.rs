//! The few types that two superalign crates need.
//!
//! Here live [`Seed`] (where every random number comes from), [`Estimate`] (a number with its interval), [`Bootstrap`]
//! (how such an interval is made), [`Comparison`] (what a judge says of two players) and [`Model`] (the one seam behind
//! which language models run). No arithmetic of the subject, no I/O, no clock, no threads.

mod binomial;
mod bootstrap;
mod estimate;
mod model;
mod preference;
mod seed;

pub use binomial::{binomial, multinomial};
pub use bootstrap::{Bootstrap, BootstrapError, below};
pub use estimate::Estimate;
pub use model::{
    ChoicePrompt, EmbedRequest, GenerateRequest, Generation, Layer, LogLikelihood, Message, Model, ModelCard,
    ModelError, Pooling, ProbabilityRule, ScoreHead, ScoreInput,
};
pub use preference::{Comparison, Preferred};
pub use rand;
pub use seed::{Rng, Seed};
