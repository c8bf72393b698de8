//! How far raters agree, beyond chance.
