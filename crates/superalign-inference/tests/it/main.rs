//! The crate from outside: tiny models of known answers, a real encoder where it is there, and every error's text.

mod chat;
mod errors;
mod features;
mod generation;
mod heads;
mod install;
mod parity;
mod runtimes;
mod stream;
mod support;
mod wild;
