//! Invariances, bounds and limits of the whole family, and what it refuses.

use super::*;
use ndarray::{Array2, Axis, array};
use proptest::prelude::*;
use superalign_core::Seed;

const WIDTH: Bins = Bins::Width { count: 7, closed: Closed::Right };
const ALL: [Bins; 8] = [
    WIDTH,
    Bins::Width { count: 7, closed: Closed::Left },
    Bins::Width { count: 7, closed: Closed::LeftOneApart },
    Bins::Mass { count: 7, cut: Cut::Ranks },
    Bins::Mass { count: 7, cut: Cut::Midpoints },
    Bins::Mass { count: 7, cut: Cut::Quantiles },
    Bins::Sweep,
    Bins::Distinct,
];
const NORMS: [Norm; 5] = [Norm::L1, Norm::L2, Norm::L2Debiased, Norm::Max, Norm::Average];

fn pairs() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    // Hundredths, so that confidences repeat and fall on edges.
    prop::collection::vec((0_u32..=100, any::<bool>()), 1..80)
        .prop_map(|items| items.into_iter().map(|(p, hit)| (f64::from(p) / 100.0, hit)).unzip())
}

fn table() -> impl Strategy<Value = (Vec<u32>, Array2<f64>)> {
    (2_usize..6, 1_usize..60).prop_flat_map(|(k, n)| {
        let values = prop::collection::vec(0.0..1.0_f64, n * k);
        (prop::collection::vec(0..k as u32, n), values).prop_map(move |(labels, values)| {
            let mut probs = Array2::from_shape_vec((n, k), values).unwrap() + 1e-3;
            let sums = probs.sum_axis(Axis(1)).insert_axis(Axis(1));
            probs /= &sums;
            (labels, probs)
        })
    })
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

proptest! {
    #[test]
    fn norms_are_in_their_order((p, hit) in pairs()) {
        for bins in ALL {
            let table = reliability(&p, &hit, bins).unwrap();
            prop_assert_eq!(table.items, p.len());
            let [l1, l2, debiased, max, average] = NORMS.map(|norm| table.error(norm));
            let slack = 1.0 + 1e-9;
            prop_assert!(0.0 <= l1 && l1 <= l2 * slack + 1e-12 && l2 <= max * slack + 1e-12 && max <= 1.0);
            prop_assert!(debiased <= l2 * slack + 1e-12 && average <= max * slack + 1e-12);
            for bin in &table.bins {
                prop_assert!(bin.lo <= bin.confidence + 1e-7 && bin.confidence <= bin.hi + 1e-7, "{bins:?} {bin:?}");
                prop_assert!(bin.accuracy.covers(bin.accuracy.value) && bin.accuracy.lo < bin.accuracy.hi);
            }
        }
    }

    #[test]
    fn the_order_of_items_does_not_matter((p, hit) in pairs(), by in 1_usize..80) {
        let turn = |i: usize| (i + by) % p.len();
        let q: Vec<f64> = (0..p.len()).map(|i| p[turn(i)]).collect();
        let turned: Vec<bool> = (0..p.len()).map(|i| hit[turn(i)]).collect();
        for bins in ALL {
            // Ranks part equal confidences by their order, as documented.
            if matches!(bins, Bins::Sweep | Bins::Mass { cut: Cut::Ranks, .. }) {
                continue;
            }
            let (a, b) = (reliability(&p, &hit, bins).unwrap(), reliability(&q, &turned, bins).unwrap());
            for norm in NORMS {
                prop_assert!(close(a.error(norm), b.error(norm)), "{bins:?} {norm:?}");
            }
        }
        prop_assert!(close(brier_binary(&p, &hit).unwrap(), brier_binary(&q, &turned).unwrap()));
    }

    #[test]
    fn murphy_adds_up((p, hit) in pairs()) {
        for bins in ALL {
            let m = murphy(&p, &hit, bins).unwrap();
            let sum = m.reliability - m.resolution + m.uncertainty + m.within_bin_variance - m.within_bin_covariance;
            prop_assert!(close(sum, m.brier) && close(m.brier, brier_binary(&p, &hit).unwrap()), "{bins:?}");
        }
    }

    #[test]
    fn renaming_classes_does_not_matter((labels, probs) in table()) {
        let k = probs.ncols();
        let renamed: Vec<u32> = labels.iter().map(|&label| (label + 1) % k as u32).collect();
        let order: Vec<usize> = (0..k).map(|class| (class + k - 1) % k).collect();
        let turned = probs.select(Axis(1), &order);
        let (a, b) = (probs.view(), turned.view());
        for norm in NORMS {
            let top = |labels: &[u32], probs| top_label_reliability(labels, probs, WIDTH).unwrap().error(norm);
            prop_assert!(close(top(&labels, a), top(&renamed, b)));
            let classwise = |labels: &[u32], probs| classwise_error(labels, probs, WIDTH, norm).unwrap();
            prop_assert!(close(classwise(&labels, a), classwise(&renamed, b)));
        }
        let score = |labels: &[u32], probs| brier(labels, probs, BrierScale::Full).unwrap();
        prop_assert!(close(score(&labels, a), score(&renamed, b)));
        let loss = |labels: &[u32], probs| nll(labels, probs, Clip::Never).unwrap();
        prop_assert!(close(loss(&labels, a), loss(&renamed, b)));
    }

    /// The pass over the table and the pass over pairs are two ways to one table; so are classes one by one.
    #[test]
    fn tables_and_pairs_agree((labels, probs) in table()) {
        let (p, hit) = top_labels(&labels, probs.view()).unwrap();
        for bins in ALL {
            let a = top_label_reliability(&labels, probs.view(), bins).unwrap();
            let b = reliability(&p, &hit, bins).unwrap();
            for norm in NORMS {
                prop_assert!(close(a.error(norm), b.error(norm)));
            }
            let columns = columns(&labels, &probs);
            let mean = columns.iter().map(|(p, hit)| reliability(p, hit, bins).unwrap().error(Norm::L1)).sum::<f64>()
                / columns.len() as f64;
            prop_assert!(close(classwise_error(&labels, probs.view(), bins, Norm::L1).unwrap(), mean));
        }
        let brier_of = |(p, hit): &(Vec<f64>, Vec<bool>)| brier_binary(p, hit).unwrap();
        let sum: f64 = columns(&labels, &probs).iter().map(brier_of).sum();
        prop_assert!(close(brier(&labels, probs.view(), BrierScale::Full).unwrap(), sum));
        prop_assert!(close(classwise_murphy(&labels, probs.view(), WIDTH).unwrap().brier, sum));
        prop_assert!(close(brier(&labels, probs.view(), BrierScale::Half).unwrap(), sum / 2.0));
    }

    /// Isotonic regression is the projection onto non-decreasing maps: no such map of the points is nearer.
    #[test]
    fn isotonic_is_best_and_rises((p, hit) in pairs(), steps in prop::collection::vec(0.0..0.05_f64, 101)) {
        let y: Vec<f64> = hit.iter().map(|&hit| f64::from(u8::from(hit))).collect();
        let map = Isotonic::fit(&p, &y, None).unwrap();
        let knots: Vec<_> = map.knots().collect();
        prop_assert!(knots.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
        let error = |f: &dyn Fn(f64) -> f64| p.iter().zip(&y).map(|(&p, y)| (f(p) - y).powi(2)).sum::<f64>();
        let best = error(&|p| map.predict(p));
        let rising = |p: f64| steps[..=(p * 100.0).round() as usize].iter().sum::<f64>();
        prop_assert!(best <= error(&rising) + 1e-9 && best <= error(&|p| p) + 1e-9);
        // It is calibrated on its own items: fitting again changes nothing.
        let fitted: Vec<f64> = p.iter().map(|&p| map.predict(p).clamp(0.0, 1.0)).collect();
        let again = Isotonic::fit(&fitted, &y, None).unwrap();
        prop_assert!(fitted.iter().all(|&p| close(again.predict(p), p)));
        // A weight of 2 is an item twice.
        let doubled = Isotonic::fit(&p, &y, Some(&vec![2.0; p.len()])).unwrap();
        prop_assert!(map.knots().zip(doubled.knots()).all(|(a, b)| a.0 == b.0 && close(a.1, b.1)));
    }
}

/// Of each class, its probabilities and whether it is the label.
fn columns(labels: &[u32], probs: &Array2<f64>) -> Vec<(Vec<f64>, Vec<bool>)> {
    let of_class = |(column, class): (ndarray::ArrayView1<'_, f64>, u32)| {
        (column.to_vec(), labels.iter().map(|&label| label == class).collect())
    };
    probs.columns().into_iter().zip(0..).map(of_class).collect()
}

#[test]
fn what_is_undefined_says_why() {
    let message = |found: SignalError| found.to_string();
    let refused = |p: &[f64], hit: &[bool]| message(reliability(p, hit, WIDTH).unwrap_err());
    assert_eq!(refused(&[], &[]), "0 items: expected at least 1");
    assert_eq!(refused(&[0.5], &[]), "number of outcomes: found 0, expected 1");
    assert_eq!(
        refused(&[0.5, f64::NAN], &[true; 2]),
        "confidence 1 is NaN: expected a number between 0 and 1"
    );
    let probs = array![[1.0, 0.0], [0.5, 0.5]];
    assert_eq!(
        message(nll(&[1, 0], probs.view(), Clip::Never).unwrap_err()),
        "negative log-likelihood is undefined: the label of item 0 has probability 0; clipping would make it finite"
    );
    assert_eq!(
        message(nll(&[1, 0], probs.view(), Clip::At(0.5)).unwrap_err()),
        "epsilon = 0.5: expected a number between 0 and 0.5"
    );
    let weighed = |y: &[f64], weights: &[f64]| message(Isotonic::fit(&[0.5], y, Some(weights)).unwrap_err());
    assert_eq!(weighed(&[1.0], &[0.0]), "weight 0 is 0: expected a finite number above 0");
    assert_eq!(weighed(&[1.0], &[]), "number of weights: found 0, expected 1");
    assert_eq!(weighed(&[f64::NAN], &[1.0]), "outcome 0 is NaN: expected a finite number");
}

#[test]
fn intervals_hold_what_they_are_of() {
    // 4,000 items at a confidence of 0.8 of which 70% are right: every gap is 0.1, its standard error 0.0072.
    let hit: Vec<bool> = (0..4000).map(|i| i % 10 < 7).collect();
    let labels: Vec<u32> = hit.iter().map(|&hit| u32::from(!hit)).collect();
    let probs = Array2::from_shape_fn((4000, 2), |(_, j)| if j == 0 { 0.8 } else { 0.2 });
    let by = Bootstrap { draws: 400, ..Bootstrap::new(Seed::new(2)) };
    let check = |found: Estimate, value: f64, half: f64| {
        assert!((found.value - value).abs() < 1e-9, "{found}");
        assert!((found.hi - found.value - half).abs() < 0.2 * half, "{found}");
        assert!((found.value - found.lo - half).abs() < 0.2 * half, "{found}");
    };
    let half = 1.96 * 0.007_246;
    check(calibration_error_estimate(&[0.8; 4000], &hit, WIDTH, Norm::L1, &by).unwrap(), 0.1, half);
    check(top_label_error_estimate(&labels, probs.view(), WIDTH, Norm::Max, &by).unwrap(), 0.1, half);
    check(classwise_error_estimate(&labels, probs.view(), WIDTH, Norm::L2, &by).unwrap(), 0.1, half);
    // A right item costs 0.04, a wrong one 0.64.
    check(brier_binary_estimate(&[0.8; 4000], &hit, &by).unwrap(), 0.22, 0.6 * half);
    check(brier_estimate(&labels, probs.view(), BrierScale::Full, &by).unwrap(), 0.44, 1.2 * half);
    let (right, wrong) = (-(0.8_f64.ln()), -(0.2_f64.ln()));
    let expected = 0.7 * right + 0.3 * wrong;
    check(nll_estimate(&labels, probs.view(), Clip::Never, &by).unwrap(), expected, (wrong - right) * half);
}
