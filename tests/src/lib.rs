//! Nothing lives here: the integration tests are in `it/`, one module per theme.
