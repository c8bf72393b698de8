//! Properties that hold for any set of rows.

use super::*;
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use proptest::prelude::*;

/// Rows of whole and broken numbers, none of them zero, some alike.
fn rows(n: std::ops::Range<usize>, d: usize) -> impl Strategy<Value = Array2<f64>> {
    let coordinate = prop_oneof![(-3..4_i32).prop_map(f64::from), -2.0..2.0_f64];
    n.prop_flat_map(move |n| prop::collection::vec(coordinate.clone(), n * d)).prop_map(move |values| {
        let mut x = Array2::from_shape_vec((values.len() / d, d), values).unwrap();
        x.column_mut(0).mapv_inplace(|value| if value.abs() < 0.1 { 1.0 } else { value });
        x
    })
}

/// The rows from the last to the first.
fn reversed(x: &Array2<f64>) -> ArrayView2<'_, f64> {
    x.slice(ndarray::s![..;-1, ..])
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn vendi(order: f64) -> Vendi {
    Vendi { order, ..Vendi::default() }
}

proptest! {
    #[test]
    fn the_order_of_rows_is_of_no_account(x in rows(5..12, 3), y in rows(5..12, 3), k in 1..4_usize) {
        let refuse = ZeroRows::Refuse;
        for (found, other) in [
            (vendi_score(x.view(), &vendi(1.0)), vendi_score(reversed(&x), &vendi(1.0))),
            (mean_pairwise_cosine(x.view(), refuse), mean_pairwise_cosine(reversed(&x), refuse)),
            (log_det_plus_identity(x.view(), refuse), log_det_plus_identity(reversed(&x), refuse)),
            (
                effective_rank(x.view(), RankEntropy::RoyVetterli),
                effective_rank(reversed(&x), RankEntropy::RoyVetterli),
            ),
            (frechet_distance(x.view(), y.view()), frechet_distance(reversed(&x), reversed(&y))),
            (median_distance(x.view(), Some(y.view())), median_distance(reversed(&y), Some(reversed(&x)))),
        ] {
            prop_assert!(close(found.unwrap(), other.unwrap()));
        }
        let found = prdc(x.view(), y.view(), k).unwrap();
        prop_assert_eq!(found, prdc(reversed(&x), reversed(&y), k).unwrap());
        let swapped = prdc(y.view(), x.view(), k).unwrap();
        prop_assert_eq!((found.precision, found.recall), (swapped.recall, swapped.precision));
    }

    #[test]
    fn scores_lie_between_one_and_the_rank_and_fall_with_the_order(x in rows(1..12, 4)) {
        let mut before = x.nrows().min(4) as f64 + 1e-9;
        for order in [0.0, 0.3, 1.0, 1.2, 2.0, 7.0, f64::INFINITY] {
            let score = vendi_score(x.view(), &vendi(order)).unwrap();
            prop_assert!(score >= 1.0 - 1e-9 && score <= before + 1e-9, "{} {}", order, score);
            before = score;
        }
        for kernel in [Kernel::Rbf(Bandwidth::Gamma(0.3)), Kernel::default()] {
            // The second order has a way of its own; orders beside it do not.
            let at = |order| vendi_score(x.view(), &Vendi { order, kernel }).unwrap();
            prop_assert!((at(2.0) - f64::midpoint(at(2.0 - 1e-6), at(2.0 + 1e-6))).abs() < 1e-6 * at(2.0));
        }
    }

    #[test]
    fn lengths_and_repetitions_of_rows_do_not_move_a_score(x in rows(1..9, 3), factor in 0.01..100.0_f64) {
        let twice = concatenate(Axis(0), &[x.view(), (&x * factor).view()]).unwrap();
        for order in [0.0, 0.5, 1.0, 2.0, f64::INFINITY] {
            let (once, twice) = (vendi_score(x.view(), &vendi(order)), vendi_score(twice.view(), &vendi(order)));
            prop_assert!((once.clone().unwrap() - twice.clone().unwrap()).abs() < 1e-3, "{order} {once:?} {twice:?}");
        }
    }

    #[test]
    fn sums_over_pairs_agree_with_the_definition(x in rows(2..9, 3), y in rows(2..9, 3), gamma in 0.01..2.0_f64) {
        let mut cosines = 0.0;
        let n = x.nrows();
        for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).filter(|(i, j)| i != j) {
            let (a, b) = (x.row(i), x.row(j));
            cosines += a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt();
        }
        let found = mean_pairwise_cosine(x.view(), ZeroRows::Refuse).unwrap();
        prop_assert!(close(found, cosines / (n * (n - 1)) as f64));
        let mean = |x: &Array2<f64>, y: &Array2<f64>| {
            let kernel = |a: ndarray::ArrayView1<'_, f64>, b: ndarray::ArrayView1<'_, f64>| {
                (-gamma * (&a - &b).mapv(|value| value * value).sum()).exp()
            };
            let sum: f64 = x.rows().into_iter().map(|a| y.rows().into_iter().map(|b| kernel(a, b)).sum::<f64>()).sum();
            sum / (x.nrows() * y.nrows()) as f64
        };
        let found = mmd2(x.view(), y.view(), Bandwidth::Gamma(gamma)).unwrap();
        prop_assert!(close(found.biased, mean(&x, &x) + mean(&y, &y) - 2.0 * mean(&x, &y)));
    }

    #[test]
    fn kernels_and_rows_give_the_same_score(x in rows(2..9, 3), order in 0.5..4.0_f64) {
        let unit = Array2::from_shape_fn(x.dim(), |(i, j)| x[[i, j]] / x.row(i).dot(&x.row(i)).sqrt());
        let kernel = unit.dot(&unit.t());
        let found = vendi_score_of_kernel(kernel.view(), order, Diagonal::Ones, None).unwrap();
        prop_assert!((found - vendi_score(x.view(), &vendi(order)).unwrap()).abs() < 1e-5);
        let diversity = internal_diversity(kernel.view(), None).unwrap();
        let n = x.nrows() as f64;
        let cosine = mean_pairwise_cosine(x.view(), ZeroRows::Refuse).unwrap();
        prop_assert!(close(diversity, 1.0 - (1.0 + (n - 1.0) * cosine) / n));
    }

    #[test]
    fn volumes_have_their_bounds(x in rows(1..5, 6)) {
        let n = x.nrows() as f64;
        let volume = log_det_plus_identity(x.view(), ZeroRows::Refuse).unwrap();
        prop_assert!(volume >= (1.0 + n).ln() - 1e-9 && volume <= n * 2.0_f64.ln() + 1e-9);
        if let Ok(log) = log_det(x.view()) {
            prop_assert!(log <= 1e-12 && log <= volume);
        }
        let rank = effective_rank(x.view(), RankEntropy::RoyVetterli).unwrap();
        prop_assert!(rank >= 1.0 - 1e-9 && rank <= n + 1e-9);
        if let Ok(ratio) = participation_ratio(x.view()) {
            prop_assert!(ratio >= 1.0 - 1e-9 && ratio <= n - 1.0 + 1e-9);
        }
    }

    #[test]
    fn a_set_is_at_no_distance_from_itself_and_a_shift_is_one(x in rows(2..12, 3), shift in -5.0..5.0_f64) {
        prop_assert!(frechet_distance(x.view(), x.view()).unwrap() < 1e-9);
        prop_assert!(mmd2(x.view(), x.view(), Bandwidth::Gamma(0.5)).unwrap().biased < 1e-12);
        let moved = &x + shift;
        prop_assert!(close(frechet_distance(x.view(), moved.view()).unwrap(), 3.0 * shift * shift));
    }

    #[test]
    fn histograms_are_compared_alike_from_both_sides(counts in prop::collection::vec((0..9_u32, 0..9_u32), 1..9)) {
        let (p, q): (Vec<f64>, Vec<f64>) = counts.iter().map(|(p, q)| (f64::from(*p), f64::from(*q))).unzip();
        for smoothing in [Smoothing::None, Smoothing::AddHalf] {
            let options = MauveOptions { smoothing, ..MauveOptions::default() };
            let Ok(found) = mauve(&p, &q, &options) else { continue };
            let back = mauve(&q, &p, &options).unwrap();
            prop_assert!(close(found.mauve, back.mauve) && close(found.frontier_integral, back.frontier_integral));
            prop_assert!(found.mauve > 0.0 && found.mauve <= 1.0);
            prop_assert!(found.frontier_integral >= -1e-12 && found.frontier_integral <= 1.0 + 1e-12);
        }
    }

    #[test]
    fn single_precision_input_is_taken_as_it_is(x in rows(5..12, 3), y in rows(5..12, 3)) {
        let (x, y) = (x.mapv(|value| value as f32), y.mapv(|value| value as f32));
        let (wide_x, wide_y) = (x.mapv(f64::from), y.mapv(f64::from));
        prop_assert_eq!(vendi_score(x.view(), &vendi(1.0)), vendi_score(wide_x.view(), &vendi(1.0)));
        prop_assert_eq!(prdc(x.view(), y.view(), 2), prdc(wide_x.view(), wide_y.view(), 2));
        prop_assert_eq!(frechet_distance(x.view(), y.view()), frechet_distance(wide_x.view(), wide_y.view()));
        // Columns first, as a transposed array lies in memory.
        let strided = x.t().to_owned().reversed_axes();
        prop_assert_eq!(vendi_score(x.view(), &vendi(1.0)), vendi_score(strided.view(), &vendi(1.0)));
        prop_assert_eq!(prdc(x.view(), y.view(), 2), prdc(strided.view(), y.view(), 2));
    }

    #[test]
    fn neighbours_are_the_first_of_all_rows_sorted(x in rows(2..14, 3), at in 0..14_usize, k in 1..16_usize) {
        let at = at % x.nrows();
        let found = nearest_neighbours(x.view(), at, k, ZeroRows::Refuse).unwrap();
        prop_assert_eq!(found.len(), k.min(x.nrows() - 1));
        let length = |row: usize| x.row(row).dot(&x.row(row)).sqrt();
        let cosine = |row: usize| x.row(row).dot(&x.row(at)) / (length(row) * length(at));
        for one in &found {
            prop_assert!(one.row != at && close(one.cosine, cosine(one.row)));
        }
        for pair in found.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            prop_assert!(a.cosine > b.cosine || a.cosine == b.cosine && a.row < b.row);
        }
        // Whoever is left out is no nearer than the last.
        let least = found.last().unwrap().cosine;
        for row in (0..x.nrows()).filter(|row| *row != at && found.iter().all(|one| one.row != *row)) {
            prop_assert!(cosine(row) <= least + 1e-9);
        }
        // More neighbours begin with fewer, and cosine goes both ways.
        let all = nearest_neighbours(x.view(), at, x.nrows(), ZeroRows::Refuse).unwrap();
        prop_assert_eq!(&all[..found.len()], &found[..]);
        let back = nearest_neighbours(x.view(), found[0].row, x.nrows(), ZeroRows::Refuse).unwrap();
        prop_assert!(close(back.iter().find(|one| one.row == at).unwrap().cosine, found[0].cosine));
    }
}
