//! The truth behind noisy votes.
