//! The binary as a whole, where a test within the process could not see what happens.

#[cfg(target_os = "linux")]
mod disk;
mod embed;
#[cfg(unix)]
mod interrupt;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod tags;
