//! Golden values of established packages (`data/*.json`), and the fixtures that are not part of the repository.

mod paired;
mod rankings;
mod reward_bench;
mod surrogate;
