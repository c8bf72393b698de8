//! Joint utility: competence and conformity of one response as one number.

use crate::GapError;
use ndarray::{Array2, ArrayView2, Zip};

/// How competence u_c and conformity u_v of a response, both in [0, 1], make its utility U in [0, 1].
///
/// All three are 0 at (0, 0), 1 at (1, 1), and never fall when either term rises. For right or wrong answers,
/// `Product` and `Minimum` agree: both ask for both.
///
/// ```
/// use superalign_gap::Utility;
/// assert_eq!(Utility::Product.of(0.5, 0.5)?, 0.25);
/// assert_eq!(Utility::Minimum.of(0.5, 0.8)?, 0.5);
/// assert!((Utility::WeightedMean { competence: 0.75 }.of(1.0, 0.0)? - 0.75).abs() < 1e-12);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Utility {
    /// U = u_c u_v: what fails in one fails.
    #[default]
    Product,
    /// U = w u_c + (1 - w) u_v: one may make up for the other.
    WeightedMean {
        /// The weight w of competence, in [0, 1].
        competence: f64,
    },
    /// U = min(u_c, u_v): the worse of both.
    Minimum,
}

impl Utility {
    /// The utility of one response.
    ///
    /// # Errors
    /// A term or a weight outside [0, 1].
    pub fn of(self, competence: f64, conformity: f64) -> Result<f64, GapError> {
        self.check()?;
        for (what, found) in [("competence of item", competence), ("conformity of item", conformity)] {
            in_unit(what, 0, found)?;
        }
        Ok(self.joined(competence, conformity))
    }

    /// The utilities of many responses, (seeds, items) like both terms: what
    /// [`utility_draws`](crate::utility_draws) takes.
    ///
    /// # Errors
    /// Terms of different shapes, a term or a weight outside [0, 1].
    pub fn of_items(
        self,
        competence: ArrayView2<'_, f64>,
        conformity: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, GapError> {
        self.check()?;
        for (what, found, expected) in [
            ("number of seeds", conformity.nrows(), competence.nrows()),
            ("number of items", conformity.ncols(), competence.ncols()),
        ] {
            if found != expected {
                return Err(GapError::Shape { what, found, expected });
            }
        }
        for (what, term) in [("competence of item", competence), ("conformity of item", conformity)] {
            term.indexed_iter().try_for_each(|((_, item), &found)| in_unit(what, item, found))?;
        }
        Ok(Zip::from(competence).and(conformity).map_collect(|&c, &v| self.joined(c, v)))
    }

    fn check(self) -> Result<(), GapError> {
        match self {
            Self::WeightedMean { competence } if !(0.0..=1.0).contains(&competence) => {
                Err(GapError::setting("competence", competence, "a weight in [0, 1]"))
            }
            _ => Ok(()),
        }
    }

    fn joined(self, competence: f64, conformity: f64) -> f64 {
        match self {
            Self::Product => competence * conformity,
            // In this form the mean of two equal numbers is that number, to the bit.
            Self::WeightedMean { competence: weight } => {
                (conformity + weight * (competence - conformity)).clamp(0.0, 1.0)
            }
            Self::Minimum => competence.min(conformity),
        }
    }
}

fn in_unit(what: &'static str, index: usize, found: f64) -> Result<(), GapError> {
    if (0.0..=1.0).contains(&found) {
        Ok(())
    } else {
        Err(GapError::Value { what, index, found, expected: "a number in [0, 1]" })
    }
}
