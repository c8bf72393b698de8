//! Whether stated probabilities come true.
