//! Problems with the same or with opposite labels, of which one has to be solved: a sweep over noise ratios begins
//! (and for flipped labels ends) with the same labels for every seed.

use crate::{LearnerError, Probe};
use ndarray::{ArrayView1, ArrayView2};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

/// How the labels of a problem relate to those of the one that is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twin {
    Same,
    /// y and 1 - y: the student is the negative one.
    Opposite,
}

/// The problems to solve, and for each of `problems` its place among them.
pub(crate) fn find(labels: ArrayView2<'_, f64>, problems: &[usize]) -> (Vec<usize>, Vec<(usize, Twin)>) {
    let mut solved: Vec<usize> = Vec::new();
    let mut known: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut places = Vec::with_capacity(problems.len());
    for &j in problems {
        let column = labels.column(j);
        let candidates = known.entry(digest(column)).or_default();
        let place = candidates.iter().find_map(|&place| {
            let other = labels.column(solved[place]);
            if column == other {
                return Some((place, Twin::Same));
            }
            let opposite = column.iter().zip(other).all(|(a, b)| *a == 1.0 - b);
            opposite.then_some((place, Twin::Opposite))
        });
        places.push(place.unwrap_or_else(|| {
            candidates.push(solved.len());
            solved.push(j);
            (solved.len() - 1, Twin::Same)
        }));
    }
    (solved, places)
}

/// Alike for labels and their opposites, where those are exact.
fn digest(labels: ArrayView1<'_, f64>) -> u64 {
    let turn = labels.first().is_some_and(|&y| y > 0.5);
    let mut hasher = DefaultHasher::new();
    for &y in labels {
        hasher.write_u64((if turn { 1.0 - y } else { y } + 0.0).to_bits());
    }
    hasher.finish()
}

/// The answer to a problem from that to its twin.
pub(crate) fn answer(
    problem: usize,
    twin: Twin,
    solved: &Result<Probe, LearnerError>,
) -> Result<Probe, LearnerError> {
    match solved.clone() {
        Ok(mut probe) => {
            if twin == Twin::Opposite {
                probe.weights.mapv_inplace(|w| -w);
                probe.intercept = -probe.intercept;
            }
            Ok(probe)
        }
        Err(LearnerError::NotConverged { iterations, gradient_norm, tolerance, .. }) => {
            Err(LearnerError::NotConverged { problem, iterations, gradient_norm, tolerance })
        }
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn same_and_opposite_labels_are_found() {
        let labels = array![[1.0, 0.0, 0.0, 1.0, 0.25, 0.75], [0.0, 1.0, 1.0, 0.5, 0.0, 1.0]];
        let (solved, places) = find(labels.view(), &[0, 1, 2, 3, 4, 5]);
        assert_eq!(solved, [0, 3, 4]);
        let (same, opposite) = (Twin::Same, Twin::Opposite);
        assert_eq!(places, [(0, same), (0, opposite), (0, opposite), (1, same), (2, same), (2, opposite)]);
        assert_eq!(find(labels.view(), &[2, 1]), (vec![2], vec![(0, same), (0, same)]));
    }
}
