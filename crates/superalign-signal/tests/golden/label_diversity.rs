//! Golden values of `label_diversity`.
