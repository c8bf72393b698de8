//! Which labels are wrong, and in what way.
