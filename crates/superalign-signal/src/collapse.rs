//! Whether a signal has lost part of what it could say.
