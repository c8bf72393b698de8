//! Turns of phrase that the reports share: comparisons that say no more than the intervals allow.

use superalign_core::Estimate;

/// What an interval says about a quantity of which 0 means no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Positive,
    Negative,
    None,
}

/// Reads an interval.
pub(crate) fn effect(e: &Estimate) -> Effect {
    if e.lo > 0.0 {
        Effect::Positive
    } else if e.hi < 0.0 {
        Effect::Negative
    } else {
        Effect::None
    }
}

/// Whether the first interval lies above the second, below it, or neither can be said.
pub(crate) fn compare(a: &Estimate, b: &Estimate) -> Effect {
    if a.lo > b.hi {
        Effect::Positive
    } else if a.hi < b.lo {
        Effect::Negative
    } else {
        Effect::None
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn and(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `1 pair`, `2 pairs`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_that_the_interval_does_not() {
        let e = |lo, hi| Estimate { value: f64::midpoint(lo, hi), lo, hi };
        assert_eq!(effect(&e(0.01, 0.2)), Effect::Positive);
        assert_eq!(effect(&e(-0.01, 0.2)), Effect::None);
        assert_eq!(effect(&e(-0.3, -0.2)), Effect::Negative);
        assert_eq!(compare(&e(0.5, 0.6), &e(0.3, 0.5)), Effect::None);
        assert_eq!(compare(&e(0.51, 0.6), &e(0.3, 0.5)), Effect::Positive);
        assert_eq!(and(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(count(1, "pair"), "1 pair");
    }
}
