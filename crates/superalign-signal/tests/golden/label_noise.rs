//! Golden values of `label_noise`.
