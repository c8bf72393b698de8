//! What preference votes say about their judges.
