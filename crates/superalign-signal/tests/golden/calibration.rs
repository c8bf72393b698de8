//! Golden values of `calibration`.
