//! Invariances and bounds of the whole family.

use super::*;
use ndarray::Axis;
use proptest::prelude::*;
use superalign_core::{Bootstrap, Seed};

const SCORES: [Score; 3] = [Score::SelfConfidence, Score::NormalisedMargin, Score::WeightedEntropy];

proptest! {
    #[test]
    fn the_order_of_items_does_not_matter(n in 2_usize..150, k in 2_usize..6, seed in 0_u64..1000, by in 1_usize..150) {
        let (labels, probs) = test_input(n, k, seed);
        let turn: Vec<usize> = (0..n).map(|i| (i + by) % n).collect();
        let turned: Vec<u32> = turn.iter().map(|&i| labels[i]).collect();
        let rows = probs.select(Axis(0), &turn);
        let options = JointOptions::default();
        let joint = confident_joint(&labels, probs.view(), &options).unwrap();
        prop_assert_eq!(&joint, &confident_joint(&turned, rows.view(), &options).unwrap());
        for score in SCORES {
            let a = label_quality(&labels, probs.view(), score, Adjustment::None).unwrap();
            let b = label_quality(&turned, rows.view(), score, Adjustment::None).unwrap();
            prop_assert!(turn.iter().zip(&b).all(|(&i, b)| a[i] == *b && (0.0..=1.0).contains(b)));
        }
        for filter in [Filter::NoiseRate, Filter::Class, Filter::Both, Filter::Confident, Filter::Predicted] {
            let options = SuspectOptions { filter, ..SuspectOptions::default() };
            let a = suspects(&labels, probs.view(), &options).unwrap();
            let mut b: Vec<usize> =
                suspects(&turned, rows.view(), &options).unwrap().into_iter().map(|i| turn[i]).collect();
            b.sort_unstable();
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn renaming_classes_renames_the_joint(n in 2_usize..150, k in 2_usize..6, seed in 0_u64..1000) {
        let (labels, probs) = test_input(n, k, seed);
        let renamed: Vec<u32> = labels.iter().map(|&label| (label + 1) % k as u32).collect();
        let order: Vec<usize> = (0..k).map(|class| (class + k - 1) % k).collect();
        let columns = probs.select(Axis(1), &order);
        let options = JointOptions::default();
        let a = confident_joint(&labels, probs.view(), &options).unwrap();
        let b = confident_joint(&renamed, columns.view(), &options).unwrap();
        prop_assert_eq!(a.select(Axis(0), &order).select(Axis(1), &order), b);
    }

    #[test]
    fn calibrated_joints_keep_the_number_of_each_label(n in 1_usize..200, k in 2_usize..6, seed in 0_u64..1000) {
        let (labels, probs) = test_input(n, k, seed);
        let joint = confident_joint(&labels, probs.view(), &JointOptions::default()).unwrap();
        let calibrated = calibrate_joint(joint.view(), &labels).unwrap();
        for (class, row) in (0..).zip(calibrated.rows()) {
            prop_assert_eq!(row.sum(), labels.iter().filter(|&&label| label == class).count() as u64);
        }
        let found = latent(calibrated.view(), &labels, PriorMethod::Count, Refinement::None).unwrap();
        prop_assert!((found.prior.sum() - 1.0).abs() < 1e-9);
        for matrix in [&found.noise_matrix, &found.inverse_noise_matrix] {
            prop_assert!(matrix.sum_axis(Axis(0)).iter().all(|sum| sum.abs() < 1e-9 || (sum - 1.0).abs() < 1e-9));
        }
    }

    /// Both filters' suspects are those of each, and no suspect's label is its most likely class.
    #[test]
    fn filters_nest(n in 10_usize..200, k in 2_usize..6, seed in 0_u64..1000) {
        let (labels, probs) = test_input(n, k, seed);
        let found = |filter| {
            suspects(&labels, probs.view(), &SuspectOptions { filter, ..SuspectOptions::default() }).unwrap()
        };
        let (rate, class) = (found(Filter::NoiseRate), found(Filter::Class));
        let both: Vec<usize> = rate.iter().copied().filter(|item| class.contains(item)).collect();
        prop_assert_eq!(&found(Filter::Both), &both);
        let predicted = found(Filter::Predicted);
        prop_assert!(rate.iter().chain(&class).all(|item| predicted.contains(item)));
        let count = issue_count(&labels, probs.view(), IssueCount::Confident).unwrap();
        prop_assert_eq!(found(Filter::LowMargin).len(), count);
        let options = SuspectOptions::default();
        let score = Score::NormalisedMargin;
        let ranked = ranked_suspects(&labels, probs.view(), &options, score, Adjustment::None).unwrap();
        prop_assert!(ranked.windows(2).all(|pair| pair[0].quality <= pair[1].quality));
        prop_assert_eq!(ranked.len(), rate.len());
    }
}

#[test]
fn noise_rates_cover_the_rate_that_was_drawn() {
    // A fifth of the labels are drawn anew from 4 classes: 15% are wrong.
    let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) };
    let mut covered = 0;
    for seed in 0..10 {
        let (labels, probs) = test_input(2000, 4, seed);
        let rates = noise_rates(&labels, probs.view(), &by).unwrap();
        covered += usize::from(rates.overall.covers(0.15));
        assert!(rates.overall.hi - rates.overall.lo < 0.05);
        assert!(rates.of_given.iter().chain(&rates.of_true).all(|rate| {
            let rate = rate.as_ref().unwrap();
            rate.lo <= rate.value && rate.value <= rate.hi && rate.hi < 0.3
        }));
    }
    assert!(covered >= 7, "{covered}");
}
#[test]
fn among_equals_the_earlier_item_is_the_suspect() {
    // Items 0 to 3 are alike, and the joint has room for two.
    let probs = ndarray::Array2::from_shape_fn((12, 2), |(i, j)| {
        let of_zero = if i < 4 {
            0.05
        } else if i < 6 {
            0.9
        } else {
            0.1
        };
        if j == 0 { of_zero } else { 1.0 - of_zero }
    });
    let labels: Vec<u32> = (0..12).map(|i| u32::from(i >= 6)).collect();
    let options = SuspectOptions { filter: Filter::Class, share: 0.5, ..SuspectOptions::default() };
    let found = suspects(&labels, probs.view(), &options).unwrap();
    assert_eq!(found, [0, 1]);
}
