//! How diverse texts are.
