//! How diverse a set of vectors is, alone and against a reference.
