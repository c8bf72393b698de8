//! Comparing two models on the same items.
