//! The workbench: specs become plans, plans become runs, runs become reports.
//!
//! - [`spec`]: what an experiment's TOML says, checked;
//! - [`plan`]: the spec with its inputs looked at: which part of the data trains what, with which models;
//! - [`experiment`]: the jobs of each experiment, and what is summed up over them;
//! - [`run`]: carrying out a plan, resumable at any moment;
//! - [`record`]: the files of a run;
//! - [`report`]: the page and the tables made of them;
//! - [`explore`]: run folders as the page in a browser asks for them;
//! - [`cli`]: the command line.
//!
//! What a metric, a probe or a world is, the crates below say; nothing of it is computed here.

pub mod cli;
pub mod experiment;
pub mod explore;
pub mod plan;
pub mod progress;
pub mod record;
pub mod report;
mod reward;
pub mod run;
pub mod spec;
