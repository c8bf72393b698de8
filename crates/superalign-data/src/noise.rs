//! Label noise of an exact ratio, nested across ratios. Other kinds of noise do not live here yet.

use crate::DataError;
use superalign_core::Seed;
use superalign_core::rand::seq::SliceRandom as _;

/// Uniform noise: flips exactly `round(ratio * n)` of the `n` labels (half away from zero), each set of that
/// size being equally likely.
///
/// Nested: for one seed, the labels flipped at a ratio are flipped at every larger ratio too, so a curve
/// over ratios (training accuracy against noise, Kim et al. 2025, Figures 3 and 5) differs from point to
/// point only by the labels that were added. At ratio 1 every label is flipped, not randomised: a label
/// is *wrong* with probability `ratio`, and 0.5 is the ratio without information.
///
/// The same seed and number of labels flip the same positions on every machine, whatever the labels are.
///
/// # Errors
/// [`DataError::Ratio`] when `ratio` is not a number from 0 to 1.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_data::noise::flip;
/// let clean = vec![true; 10];
/// let noisy = flip(&clean, 0.3, Seed::new(1))?;
/// assert_eq!(noisy.iter().filter(|label| !**label).count(), 3);
/// # Ok::<(), superalign_data::DataError>(())
/// ```
pub fn flip(labels: &[bool], ratio: f64, seed: Seed) -> Result<Vec<bool>, DataError> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.shuffle(&mut seed.named("noise").rng());
    flip_first(labels, &order, ratio)
}

/// Uniform noise, stratified by class: as [`flip`], and each class gives its share of the flips.
///
/// Exactly `round(ratio * n)` labels are flipped in all, and of a class with `m` labels, `ratio * m` within
/// less than 1.5. Nested across ratios like [`flip`]. It depends on the labels: the classes are shuffled apart
/// and merged in proportion to their sizes.
///
/// # Errors
/// [`DataError::Ratio`] when `ratio` is not a number from 0 to 1.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_data::noise::flip_by_class;
/// let clean: Vec<bool> = (0..100).map(|i| i < 20).collect();
/// let noisy = flip_by_class(&clean, 0.5, Seed::new(1))?;
/// assert_eq!((0..20).filter(|&i| !noisy[i]).count(), 10);
/// assert_eq!((20..100).filter(|&i| noisy[i]).count(), 40);
/// # Ok::<(), superalign_data::DataError>(())
/// ```
pub fn flip_by_class(labels: &[bool], ratio: f64, seed: Seed) -> Result<Vec<bool>, DataError> {
    let mut rng = seed.named("noise by class").rng();
    let mut classes: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
    for (i, &label) in labels.iter().enumerate() {
        classes[usize::from(label)].push(i);
    }
    for class in &mut classes {
        class.shuffle(&mut rng);
    }
    // The j-th of m stands at (2j + 1) / 2m of the way: every prefix of the merged order holds each class
    // in proportion to within one item.
    let [negative, positive] = classes;
    let (m0, m1) = (negative.len() as u128, positive.len() as u128);
    let mut order = Vec::with_capacity(labels.len());
    let (mut i, mut j) = (0, 0);
    while i < negative.len() || j < positive.len() {
        let negative_first = j == positive.len()
            || (i < negative.len() && (2 * i as u128 + 1) * m1 <= (2 * j as u128 + 1) * m0);
        if negative_first {
            order.push(negative[i]);
            i += 1;
        } else {
            order.push(positive[j]);
            j += 1;
        }
    }
    flip_first(labels, &order, ratio)
}

fn flip_first(labels: &[bool], order: &[usize], ratio: f64) -> Result<Vec<bool>, DataError> {
    if !(0.0..=1.0).contains(&ratio) {
        return Err(DataError::Ratio { found: ratio });
    }
    let count = ((ratio * labels.len() as f64).round() as usize).min(labels.len());
    let mut noisy = labels.to_vec();
    for &i in &order[..count] {
        noisy[i] = !noisy[i];
    }
    Ok(noisy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flipped(clean: &[bool], noisy: &[bool]) -> Vec<usize> {
        (0..clean.len()).filter(|&i| clean[i] != noisy[i]).collect()
    }

    #[test]
    fn the_flips_of_a_seed_never_change() {
        // Part of the format: changing these changes every noise experiment.
        let noisy = flip(&[true; 20], 0.2, Seed::new(7)).unwrap();
        insta::assert_debug_snapshot!(flipped(&[true; 20], &noisy), @"
        [
            2,
            6,
            14,
            17,
        ]
        ");
    }

    #[test]
    fn a_ratio_outside_its_range_is_refused() {
        for ratio in [-0.1, 1.0001, f64::NAN, f64::INFINITY] {
            assert!(matches!(flip(&[true], ratio, Seed::new(0)), Err(DataError::Ratio { .. })));
            assert!(matches!(flip_by_class(&[true], ratio, Seed::new(0)), Err(DataError::Ratio { .. })));
        }
        assert_eq!(
            flip(&[true], 1.5, Seed::new(0)).unwrap_err().to_string(),
            "noise ratio: found 1.5, expected a number from 0 to 1"
        );
    }

    #[test]
    fn every_position_is_equally_likely() {
        let mut hits = [0_u32; 10];
        for seed in 0..10_000 {
            for i in flipped(&[false; 10], &flip(&[false; 10], 0.3, Seed::new(seed)).unwrap()) {
                hits[i] += 1;
            }
        }
        // 10,000 draws of probability 0.3: standard deviation 46.
        assert!(hits.iter().all(|&h| (2800..3200).contains(&h)), "{hits:?}");
    }

    proptest! {
        #[test]
        fn exact_nested_and_repeatable(
            labels in proptest::collection::vec(any::<bool>(), 0..300),
            a in 0.0..=1.0_f64, b in 0.0..=1.0_f64, seed: u64,
        ) {
            let (low, high) = (a.min(b), a.max(b));
            for noise in [flip, flip_by_class] {
                let less = noise(&labels, low, Seed::new(seed)).unwrap();
                let more = noise(&labels, high, Seed::new(seed)).unwrap();
                prop_assert_eq!(&less, &noise(&labels, low, Seed::new(seed)).unwrap());
                let (less, more) = (flipped(&labels, &less), flipped(&labels, &more));
                prop_assert_eq!(less.len(), (low * labels.len() as f64).round() as usize);
                prop_assert_eq!(more.len(), (high * labels.len() as f64).round() as usize);
                prop_assert!(less.iter().all(|i| more.contains(i)));
            }
            prop_assert_eq!(flip(&labels, 0.0, Seed::new(seed)).unwrap(), labels.clone());
            let all: Vec<bool> = labels.iter().map(|label| !label).collect();
            prop_assert_eq!(flip(&labels, 1.0, Seed::new(seed)).unwrap(), all);
        }

        #[test]
        fn each_class_gives_its_share(
            labels in proptest::collection::vec(any::<bool>(), 1..300), ratio in 0.0..=1.0_f64, seed: u64,
        ) {
            let noisy = flip_by_class(&labels, ratio, Seed::new(seed)).unwrap();
            for class in [true, false] {
                let size = labels.iter().filter(|&&label| label == class).count() as f64;
                let flips = flipped(&labels, &noisy).into_iter().filter(|&i| labels[i] == class).count() as f64;
                prop_assert!((flips - ratio * size).abs() < 1.5, "{flips} of {size} at {ratio}");
            }
        }

        #[test]
        fn positions_do_not_depend_on_the_labels(
            labels in proptest::collection::vec(any::<bool>(), 1..200), ratio in 0.0..=1.0_f64, seed: u64,
        ) {
            let other: Vec<bool> = labels.iter().map(|label| !label).collect();
            let one = flip(&labels, ratio, Seed::new(seed)).unwrap();
            let two = flip(&other, ratio, Seed::new(seed)).unwrap();
            prop_assert_eq!(flipped(&labels, &one), flipped(&other, &two));
        }
    }
}
