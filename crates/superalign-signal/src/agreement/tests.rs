//! Values, edge cases and wording.
