//! One comparison of two players, as judges make them.

/// Which of two was preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preferred {
    /// The first.
    First,
    /// The second.
    Second,
    /// Neither.
    Tie,
}

impl Preferred {
    /// What the first is given for it: 1, 0 or, for a tie, one half.
    #[must_use]
    pub const fn score(self) -> f64 {
        match self {
            Self::First => 1.0,
            Self::Second => 0.0,
            Self::Tie => 0.5,
        }
    }
}

/// A comparison of two players (answers, models), which are numbered from 0.
///
/// ```
/// use superalign_core::{Comparison, Preferred};
/// let game = Comparison { first: 3, second: 1, preferred: Preferred::Tie };
/// assert_eq!(game.preferred.score(), 0.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Comparison {
    /// The one player.
    pub first: u32,
    /// The other player.
    pub second: u32,
    /// Which was preferred.
    pub preferred: Preferred,
}
