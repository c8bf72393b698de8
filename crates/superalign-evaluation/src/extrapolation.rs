//! Ability beyond the items that can be checked.
