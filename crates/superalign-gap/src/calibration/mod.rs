//! Calibrating the capability-capacity gap: how the gain depends on gamma, and which gamma gains most.
//!
//! [`calibrate`] takes one point per teacher-student [`Pair`], chooses among three shapes of gain(gamma) and answers
//! with gamma*, or with the reason why there is none; [`Calibration::advise`] says it in words.
//!
//! | shape | formula | parameters |
//! |---|---|---|
//! | [`Shape::Flat`] | a | 1 |
//! | [`Shape::Monotone`] | a + b (exp(k z) - 1) / k, a + b z at k = 0 | 3 |
//! | [`Shape::Unimodal`] | a + b z + c z^2, c <= 0 | 3 |
//!
//! z is gamma, moved and scaled so that the measured range is [-1, 1].
//!
//! *Why this monotone curve?* Gains that rise and level off are the alternative that a peak must be told from. A
//! straight line would lose against a parabola on any such data, and the parabola's vertex would then be reported as a
//! peak. Isotonic regression has no form beyond its steps, and loses by its roughness alone. The exponential levels
//! off, speeds up or is straight, always goes one way, and has as many parameters as the parabola: cross-validation
//! then compares shapes.

mod advice;
mod choice;
mod pairs;
mod shape;

pub use advice::{Advice, Direction};
pub use choice::{Calibration, Config, Folds, NoOptimum, Optimum, ShapeScore, calibrate};
pub use pairs::{MINIMUM_GAMMAS, Pair};
pub use shape::{Bend, Curve, Shape};
