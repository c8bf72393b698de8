//! Label noise of an exact ratio, nested across ratios.
//!
//! A kind of noise is an *order* in which binary labels go wrong ([`Noise`]): a ratio takes the first of them, so
//! that for one seed the labels wrong at a ratio are wrong at every larger one, and a curve over ratios (training
//! accuracy against noise, Kim et al. 2025, Figures 3 and 5) differs from point to point only by what was added.
//! Labels of more than two classes live in `classes`; which kind a spec asks for does not live here.

mod classes;
#[cfg(test)]
mod tests;

pub use classes::{Transition, corrupt};

use crate::DataError;
use superalign_core::rand::RngExt as _;
use superalign_core::rand::seq::SliceRandom as _;
use superalign_core::{Rng, Seed};

/// The order in which the labels of a set of binary items go wrong.
///
/// At ratio r the first `round(r n)` of n labels are flipped (half away from zero). At ratio 1 every label is
/// flipped, not randomised: a label is *wrong* with probability r, and for noise that is blind to the items 1/2 is
/// the ratio without information.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_data::noise::Noise;
/// let clean = vec![true; 10];
/// let noisy = Noise::uniform(10, Seed::new(1)).flip(&clean, 0.3)?;
/// assert_eq!(noisy.iter().filter(|label| !**label).count(), 3);
/// # Ok::<(), superalign_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noise {
    order: Vec<usize>,
}

impl Noise {
    /// Uniform noise: every set of labels of one size is equally likely, whatever the labels are.
    #[must_use]
    pub fn uniform(n: usize, seed: Seed) -> Self {
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut seed.named("noise").rng());
        Self { order }
    }

    /// Class-conditional noise: labels of a class go wrong at a rate in proportion to its weight, `[false, true]`.
    ///
    /// At ratio r a label of class c is wrong with probability `min(1, l w_c)`, l being such that the ratio is
    /// exact; of a class with m labels the number of flips is within 1.5 of that share. Equal weights spoil the
    /// classes evenly; with a weight of 0 that class goes wrong only once the other one has none left.
    ///
    /// # Errors
    /// [`DataError::Weight`] when a weight is negative or not finite, or both are 0.
    ///
    /// ```
    /// use superalign_core::Seed;
    /// use superalign_data::noise::Noise;
    /// let clean: Vec<bool> = (0..100).map(|i| i < 50).collect();
    /// let noisy = Noise::class_conditional(&clean, [1.0, 3.0], Seed::new(1))?.flip(&clean, 0.2)?;
    /// let wrong = |class| (0..100).filter(|&i| clean[i] == class && noisy[i] != class).count();
    /// assert_eq!([wrong(false), wrong(true)], [5, 15]);
    /// # Ok::<(), superalign_data::DataError>(())
    /// ```
    pub fn class_conditional(labels: &[bool], weights: [f64; 2], seed: Seed) -> Result<Self, DataError> {
        let classes: Vec<usize> = labels.iter().map(|&label| usize::from(label)).collect();
        let order = classes::order(&classes, &weights, &mut seed.named("noise by class").rng())?;
        Ok(Self { order })
    }

    /// Instance-dependent noise: an item's label goes wrong sooner the larger its weight (its difficulty, say, or
    /// its nearness to the boundary of a reference model: [`margin_weights`]).
    ///
    /// The order is that of drawing without replacement with probability in proportion to the weights (Efraimidis
    /// and Spirakis 2006); items of weight 0 come last, in random order. Equal weights give uniform noise.
    ///
    /// # Errors
    /// [`DataError::Weight`] when a weight is negative or not finite.
    ///
    /// ```
    /// use superalign_core::Seed;
    /// use superalign_data::noise::Noise;
    /// let noise = Noise::instance_dependent(&[1.0, 0.0, 1.0], Seed::new(1))?;
    /// assert_eq!(noise.flip(&[true; 3], 2.0 / 3.0)?, [false, true, false]);
    /// # Ok::<(), superalign_data::DataError>(())
    /// ```
    pub fn instance_dependent(weights: &[f64], seed: Seed) -> Result<Self, DataError> {
        check_weights(weights)?;
        let mut rng = seed.named("noise by instance").rng();
        // An exponential waiting time with rate w; those that never go wrong wait behind all others.
        let keys = weights.iter().map(|&w| {
            let wait = -(1.0 - rng.random::<f64>()).ln();
            if w > 0.0 { (false, wait / w) } else { (true, wait) }
        });
        Ok(Self { order: by_key(&keys.collect::<Vec<_>>()) })
    }

    /// Noise as a weak teacher makes it: the labels that it holds wrong with most confidence go first.
    ///
    /// `probabilities` are the teacher's, of the class `true`. Labels go wrong in falling order of the probability
    /// that the teacher gives to the wrong class (equal ones in random order). So at the teacher's own error rate
    /// the noisy labels are its hardened labels; below, its gravest mistakes; above, what it was least sure of too.
    ///
    /// # Errors
    /// [`DataError::Weight`] for a probability outside [0, 1]; [`DataError::Lengths`] for another number of them.
    ///
    /// ```
    /// use superalign_core::Seed;
    /// use superalign_data::noise::Noise;
    /// let clean = [true, true, false, false];
    /// let noise = Noise::teacher_made(&clean, &[0.9, 0.2, 0.4, 0.7], Seed::new(1))?;
    /// assert_eq!(noise.flip(&clean, 0.5)?, [true, false, false, true]);
    /// # Ok::<(), superalign_data::DataError>(())
    /// ```
    pub fn teacher_made(labels: &[bool], probabilities: &[f64], seed: Seed) -> Result<Self, DataError> {
        same_length("probabilities", probabilities.len(), labels.len())?;
        if let Some(item) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            let expected = "a probability from 0 to 1";
            return Err(DataError::Weight { item, found: probabilities[item], expected });
        }
        let mut rng = seed.named("noise of a teacher").rng();
        let right = labels.iter().zip(probabilities).map(|(&label, &p)| if label { p } else { 1.0 - p });
        Ok(Self { order: by_key(&right.map(|p| (p, rng.random::<f64>())).collect::<Vec<_>>()) })
    }

    /// The positions of the labels that are wrong at `ratio`, in the order in which they went wrong.
    ///
    /// # Errors
    /// [`DataError::Ratio`] when `ratio` is not a number from 0 to 1.
    pub fn wrong(&self, ratio: f64) -> Result<&[usize], DataError> {
        let n = self.order.len();
        Ok(&self.order[..count(ratio, n)?])
    }

    /// The labels with those flipped that are wrong at `ratio`.
    ///
    /// # Errors
    /// As [`Noise::wrong`]; [`DataError::Lengths`] when the labels are not as many as the order was made for.
    pub fn flip(&self, labels: &[bool], ratio: f64) -> Result<Vec<bool>, DataError> {
        same_length("labels", labels.len(), self.order.len())?;
        let mut noisy = labels.to_vec();
        for &i in self.wrong(ratio)? {
            noisy[i] = !noisy[i];
        }
        Ok(noisy)
    }
}

/// Weights for [`Noise::instance_dependent`] from a reference model's probabilities: 2 min(p, 1 - p), which is 1 on
/// its boundary and 0 where it is certain.
///
/// ```
/// assert_eq!(superalign_data::noise::margin_weights(&[0.5, 0.75, 0.0]), [1.0, 0.5, 0.0]);
/// ```
#[must_use]
pub fn margin_weights(probabilities: &[f64]) -> Vec<f64> {
    probabilities.iter().map(|p| 2.0 * p.min(1.0 - p)).collect()
}

fn count(ratio: f64, n: usize) -> Result<usize, DataError> {
    if !(0.0..=1.0).contains(&ratio) {
        return Err(DataError::Ratio { found: ratio });
    }
    Ok(((ratio * n as f64).round() as usize).min(n))
}

/// Positions by rising key; equal keys keep their order.
fn by_key<K: PartialOrd>(keys: &[K]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    // Keys are checked to be numbers.
    order.sort_by(|&i, &j| keys[i].partial_cmp(&keys[j]).unwrap_or(std::cmp::Ordering::Equal));
    order
}

fn check_weights(weights: &[f64]) -> Result<(), DataError> {
    match weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        None => Ok(()),
        Some(item) => {
            let expected = "a finite number, 0 or more";
            Err(DataError::Weight { item, found: weights[item], expected })
        }
    }
}

fn same_length(what: &'static str, found: usize, expected: usize) -> Result<(), DataError> {
    if found == expected { Ok(()) } else { Err(DataError::Lengths { what, found, expected }) }
}

/// Shuffles the members of every class apart.
fn shuffled_by_class(classes: &[usize], count: usize, rng: &mut Rng) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); count];
    for (i, &class) in classes.iter().enumerate() {
        members[class].push(i);
    }
    for class in &mut members {
        class.shuffle(rng);
    }
    members
}
