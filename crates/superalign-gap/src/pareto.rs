//! The Pareto front in the plane of competence and conformity, and the area below it.

use crate::GapError;
use crate::draws::{Draws, same_count};
use superalign_core::Estimate;

/// A front of students, of which none is beaten in both objectives.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    /// Places of the students on the front, by rising competence.
    pub members: Vec<usize>,
    /// Area that the front dominates above the reference.
    pub hypervolume: Estimate,
    /// For every student, the share of draws in which it is on the front.
    pub presence: Vec<f64>,
}

/// Whether `one` is at least as good as `other` in both objectives, and better in one.
fn dominates(one: (f64, f64), other: (f64, f64)) -> bool {
    one.0 >= other.0 && one.1 >= other.1 && one != other
}

/// Places of the points (competence, conformity) that no other point dominates, by rising first coordinate; equal
/// points are all on the front.
///
/// # Errors
/// No point, a coordinate that is not finite.
///
/// ```
/// use superalign_gap::pareto_front;
/// assert_eq!(pareto_front(&[(0.8, 0.5), (0.6, 0.9), (0.6, 0.7), (0.9, 0.4)])?, [1, 0, 3]);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
pub fn pareto_front(points: &[(f64, f64)]) -> Result<Vec<usize>, GapError> {
    check(points)?;
    Ok(front(points))
}

/// The area of all that at least one point dominates above the reference: the union of the rectangles from `reference`
/// to the points (Zitzler and Thiele 1998). Points that are not above the reference in both coordinates add nothing.
///
/// In units of both axes: with the reference (chance, chance) it is at most (1 - chance)^2.
///
/// # Errors
/// As [`pareto_front`]; a reference that is not finite.
///
/// ```
/// use superalign_gap::hypervolume;
/// let found = hypervolume(&[(0.8, 0.6), (0.6, 0.9)], (0.5, 0.5))?;
/// assert!((found - (0.3 * 0.1 + 0.1 * 0.3)).abs() < 1e-12);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
pub fn hypervolume(points: &[(f64, f64)], reference: (f64, f64)) -> Result<f64, GapError> {
    check(points)?;
    check_reference(reference)?;
    Ok(area(points, reference))
}

/// The front of students whose scores come with joint draws, its hypervolume with an interval, and how often each
/// student is on the front. `students` are (competence, conformity); every draw gets a front of its own.
///
/// The best of several noisy scores is better than the best of the true ones, so hypervolume is biased upwards, the
/// more the closer the students are; the interval is that of the biased quantity. Compare sets of equal size.
///
/// # Errors
/// As [`hypervolume`]; another number of draws, a level outside (0, 1).
///
/// ```
/// use superalign_core::Seed;
/// use superalign_gap::{Draws, front_of_students};
/// let score = |value, seed| Draws::normal(value, 0.01, 200, Seed::new(seed)).unwrap();
/// let students = [(score(0.8, 1), score(0.6, 2)), (score(0.6, 3), score(0.9, 4)), (score(0.5, 5), score(0.7, 6))];
/// let found = front_of_students(&students, (0.5, 0.5), 0.95)?;
/// assert_eq!(found.members, [1, 0]);
/// assert!(found.hypervolume.covers(0.06) && found.presence[2] < 0.01);
/// # Ok::<(), superalign_gap::GapError>(())
/// ```
pub fn front_of_students(
    students: &[(Draws, Draws)],
    reference: (f64, f64),
    level: f64,
) -> Result<Front, GapError> {
    check_reference(reference)?;
    let values: Vec<_> = students.iter().map(|(c, v)| (c.value, v.value)).collect();
    check(&values)?;
    let all: Vec<&Draws> = students.iter().flat_map(|(c, v)| [c, v]).collect();
    let count = same_count(&all)?;
    let mut presence = vec![0.0; students.len()];
    let mut areas = Vec::with_capacity(count);
    for draw in 0..count {
        let drawn: Vec<_> = students.iter().map(|(c, v)| (c.draws[draw], v.draws[draw])).collect();
        check(&drawn)?;
        front(&drawn).into_iter().for_each(|place| presence[place] += 1.0 / count as f64);
        areas.push(area(&drawn, reference));
    }
    let hypervolume = Draws { value: area(&values, reference), draws: areas }.estimate(level)?;
    Ok(Front { members: front(&values), hypervolume, presence })
}

fn check(points: &[(f64, f64)]) -> Result<(), GapError> {
    if points.is_empty() {
        return Err(GapError::TooFew { what: "points", found: 0, expected: 1 });
    }
    for (index, &(x, y)) in points.iter().enumerate() {
        for (what, found) in [("competence of point", x), ("conformity of point", y)] {
            if !found.is_finite() {
                return Err(GapError::Value { what, index, found, expected: "a finite number" });
            }
        }
    }
    Ok(())
}

fn check_reference(reference: (f64, f64)) -> Result<(), GapError> {
    for found in [reference.0, reference.1] {
        if !found.is_finite() {
            return Err(GapError::setting("reference", found, "a finite number"));
        }
    }
    Ok(())
}

fn front(points: &[(f64, f64)]) -> Vec<usize> {
    let mut members: Vec<usize> =
        (0..points.len()).filter(|&p| !points.iter().any(|&other| dominates(other, points[p]))).collect();
    members.sort_by(|&a, &b| points[a].0.total_cmp(&points[b].0));
    members
}

fn area(points: &[(f64, f64)], reference: (f64, f64)) -> f64 {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    // From the most competent down: each point adds what it reaches above all before.
    let (mut height, mut area) = (reference.1, 0.0);
    for (x, y) in sorted {
        if x > reference.0 && y > height {
            area += (x - reference.0) * (y - height);
            height = y;
        }
    }
    area
}
