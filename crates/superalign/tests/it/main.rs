//! The binary as a whole, where a test within the process could not see what happens.

mod embed;
mod interrupt;
