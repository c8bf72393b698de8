//! What holds for any votes.

use super::{planted, right, votes};
use crate::truth::{
    ClassPrior, DawidSkene, Glad, Mace, MaceMethod, Majority, OneCoin, Search, Skill, Smoothing, dawid_skene,
    glad, mace, majority, one_coin, wawa, zero_based_skill,
};
use crate::{SignalError, Votes};
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use superalign_core::Seed;

const RATERS: [f64; 5] = [0.9, 0.8, 0.7, 0.6, 0.3];

/// Posterior, labels, and one number for each rater.
type Outcome = (Array2<f64>, Vec<u32>, Vec<f64>);

/// Every model with its defaults.
fn all(votes: &Votes) -> Vec<(&'static str, Outcome)> {
    let skills = |skills: Vec<Option<f64>>| skills.into_iter().map(|skill| skill.unwrap_or(-1.0)).collect();
    let search = || Search { iterations: 60, ..Search::default() };
    let ds = |options: DawidSkene| {
        let found = dawid_skene(votes, None, &DawidSkene { search: search(), ..options }).unwrap();
        (found.posterior, found.labels, found.raters.accuracy)
    };
    let coin = |options: OneCoin| {
        let found = one_coin(votes, None, &OneCoin { search: search(), ..options }).unwrap();
        (found.posterior, found.labels, found.raters.accuracy)
    };
    let spam = |options: Mace| {
        let found = mace(votes, None, &Mace { search: search(), ..options }).unwrap();
        (found.posterior, found.labels, found.raters.competence)
    };
    let m = majority(votes, None, &Majority::default()).unwrap();
    let w = wawa(votes, None).unwrap();
    let z = zero_based_skill(votes, None, &Skill::default()).unwrap();
    let g = glad(votes, None, &Glad { search: search(), ..Glad::default() }).unwrap();
    vec![
        ("majority", (m.posterior, m.labels, skills(m.skills))),
        ("wawa", (w.posterior, w.labels, skills(w.skills))),
        ("zero-based", (z.posterior, z.labels, skills(z.skills))),
        ("dawid-skene", ds(DawidSkene::default())),
        ("dawid-skene ml", ds(DawidSkene::maximum_likelihood())),
        ("one-coin", coin(OneCoin::default())),
        ("one-coin ml", coin(OneCoin::maximum_likelihood())),
        ("glad", (g.posterior, g.labels, g.raters.ability)),
        ("mace", spam(Mace::default())),
        ("mace em", spam(Mace { method: MaceMethod::Em { smoothing: 0.01 }, ..Mace::default() })),
    ]
}

fn close<'a>(a: impl IntoIterator<Item = &'a f64>, b: impl IntoIterator<Item = &'a f64>) -> bool {
    a.into_iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_and_names_do_not_matter(seed in 0_u64..1000, k in 2_usize..5, shift in 1_usize..5) {
        let (table, _) = planted(Seed::new(seed), 150, &RATERS, k, 0.2);
        let before = all(&votes(&table));
        let mut moved = table.clone();
        for i in 0..150 {
            for r in 0..5 {
                // Item i goes to i + 37, rater r to r + shift, category c to k - 1 - c.
                let label = table[[i, r]];
                moved[[(i + 37) % 150, (r + shift) % 5]] = if label < 0 { -1 } else { k as i64 - 1 - label };
            }
        }
        for ((name, old), (_, new)) in before.iter().zip(all(&votes(&moved))) {
            // The first of equals is another one when the categories change their order.
            if ["majority", "wawa", "zero-based"].contains(name) && name != &"majority" {
                continue;
            }
            for i in 0..150 {
                let mut row = new.0.row((i + 37) % 150).to_vec();
                row.reverse();
                prop_assert!(close(&row, old.0.row(i)), "{} {} {:?} {}", name, i, row, old.0.row(i));
            }
            if name != &"majority" {
                let raters: Vec<_> = (0..5).map(|r| new.2[(r + shift) % 5]).collect();
                prop_assert!(close(&raters, &old.2), "{} {:?} {:?}", name, raters, old.2);
            }
        }
    }

    #[test]
    fn permuting_items_changes_no_bit(seed in 0_u64..1000) {
        let (table, _) = planted(Seed::new(seed), 120, &RATERS, 3, 0.3);
        let order: Vec<usize> = (0..120).map(|i| (i * 7) % 120).collect();
        let found = dawid_skene(&votes(&table), None, &DawidSkene::default()).unwrap();
        let permuted = dawid_skene(&votes(&table.select(Axis(0), &order)), None, &DawidSkene::default()).unwrap();
        prop_assert_eq!(found.raters, permuted.raters);
        prop_assert_eq!(found.posterior.select(Axis(0), &order), permuted.posterior);
    }

    #[test]
    fn posteriors_are_distributions(seed in 0_u64..1000, k in 2_usize..4, missing in 0.0..0.9) {
        let (mut table, _) = planted(Seed::new(seed), 60, &RATERS, k, missing);
        table.row_mut(7).fill(-1);
        let votes = votes(&table);
        prop_assume!(votes.categories() > 1);
        for (name, (posterior, labels, raters)) in all(&votes) {
            prop_assert!(posterior.iter().all(|p| (0.0..=1.0).contains(p)), "{}", name);
            prop_assert!(posterior.sum_axis(Axis(1)).iter().all(|sum| (sum - 1.0).abs() < 1e-12), "{}", name);
            prop_assert!(raters.iter().all(|x| x.is_finite()), "{}", name);
            for (row, label) in posterior.rows().into_iter().zip(labels) {
                prop_assert!(row.iter().all(|p| *p <= row[label as usize]), "{}", name);
            }
        }
    }

    #[test]
    fn the_likelihood_is_that_of_the_definition(seed in 0_u64..1000, k in 2_usize..5, missing in 0.0..0.5) {
        let (table, _) = planted(Seed::new(seed), 40, &RATERS, k, missing);
        let votes = votes(&table);
        prop_assume!(votes.categories() == k);
        let found = dawid_skene(&votes, None, &DawidSkene::default()).unwrap();
        let mut expected = 0.0;
        for i in (0..votes.items()).filter(|&i| !votes.labels_of_item(i).is_empty()) {
            let of_truth = |c: usize| {
                let of_vote = |(r, l): (u32, u32)| found.raters.matrices[[r as usize, c, l as usize]];
                found.class_prior[c] * votes.of_item(i).map(of_vote).product::<f64>()
            };
            expected += (0..k).map(of_truth).sum::<f64>().ln();
        }
        prop_assert!((found.log_likelihood - expected).abs() < 1e-9, "{} {}", found.log_likelihood, expected);
        // The densities of the priors, of 50 votes of which 35 are right, and of one item for each category.
        let mut objective = expected + found.class_prior.iter().map(|p| p.ln()).sum::<f64>();
        for ((_, c, l), p) in found.raters.matrices.indexed_iter() {
            objective += p.ln() * if c == l { 35.0 } else { 15.0 / (k - 1) as f64 };
        }
        prop_assert!((found.objective - objective).abs() < 1e-9);
    }

    #[test]
    fn no_iteration_makes_the_fit_worse(seed in 0_u64..1000) {
        let (table, _) = planted(Seed::new(seed), 60, &RATERS, 3, 0.3);
        let votes = votes(&table);
        let objectives = |fit: &dyn Fn(Search) -> f64| -> Vec<f64> {
            (1..12).map(|iterations| fit(Search { iterations, tolerance: 0.0, ..Search::default() })).collect()
        };
        let fits: [&dyn Fn(Search) -> f64; 6] = [
            &|search| dawid_skene(&votes, None, &DawidSkene { search, ..DawidSkene::default() }).unwrap().objective,
            &|search| dawid_skene(&votes, None, &DawidSkene { search, ..DawidSkene::maximum_likelihood() }).unwrap().objective,
            &|search| one_coin(&votes, None, &OneCoin { search, ..OneCoin::default() }).unwrap().objective,
            &|search| glad(&votes, None, &Glad { search, ..Glad::default() }).unwrap().objective,
            &|search| mace(&votes, None, &Mace { search, ..Mace::default() }).unwrap().objective,
            &|search| mace(&votes, None, &Mace { search, method: MaceMethod::Em { smoothing: 0.1 } }).unwrap().objective,
        ];
        for fit in fits {
            let found = objectives(fit);
            prop_assert!(found.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9), "{:?}", found);
        }
    }

    #[test]
    fn more_starts_are_never_worse(seed in 0_u64..1000) {
        let (table, _) = planted(Seed::new(seed), 30, &RATERS, 3, 0.5);
        let with = |starts| {
            let search = Search { starts, seed: Seed::new(seed), ..Search::default() };
            dawid_skene(&votes(&table), None, &DawidSkene { search, ..DawidSkene::maximum_likelihood() }).unwrap().objective
        };
        prop_assert!(with(4) >= with(1));
    }
}

#[test]
fn models_find_who_is_good() {
    let (table, truth) = planted(Seed::new(3), 2000, &[0.9, 0.9, 0.6, 0.3, 0.2, 0.2, 0.2], 3, 0.0);
    let votes = votes(&table);
    let plain = right(&majority(&votes, None, &Majority::default()).unwrap().labels, &truth);
    for (name, (_, labels, raters)) in all(&votes).into_iter().skip(1) {
        assert!(right(&labels, &truth) > plain + 0.01, "{name}: {} {plain}", right(&labels, &truth));
        assert!(raters[0] > raters[2] && raters[2] > raters[4], "{name}: {raters:?}");
    }
    // The accuracy of a rater who is right with 0.9 and else says anything: 0.9 + 0.1 / 3. A prior would shrink it.
    let found = dawid_skene(&votes, None, &DawidSkene::maximum_likelihood()).unwrap();
    assert!((found.raters.accuracy[0] - 0.933).abs() < 0.02, "{:?}", found.raters.accuracy);
}

#[test]
fn one_coin_is_dawid_skene_for_two_symmetric_classes() {
    // The same votes with both categories exchanged make the classes symmetric, and so the matrices one coin each.
    let (table, _) = planted(Seed::new(3), 300, &[0.8, 0.6, 0.5], 2, 0.0);
    let both = ndarray::concatenate(Axis(0), &[table.view(), table.mapv(|l| 1 - l).view()]).unwrap();
    let votes = votes(&both);
    let full = dawid_skene(&votes, None, &DawidSkene::maximum_likelihood()).unwrap();
    let coin = one_coin(&votes, None, &OneCoin::maximum_likelihood()).unwrap();
    assert!((full.log_likelihood - coin.log_likelihood).abs() < 1e-6);
    assert!(close(&full.raters.accuracy, &coin.raters.accuracy));
}

#[test]
fn columns_of_one_rater_share_its_matrix() {
    let (table, _) = planted(Seed::new(3), 2000, &[0.8, 0.7, 0.5, 0.6], 2, 0.0);
    let search = Search { columns: Some(vec![0, 1, 1, 2]), ..Search::default() };
    let found = dawid_skene(&votes(&table), None, &DawidSkene { search, ..DawidSkene::maximum_likelihood() })
        .unwrap();
    assert_eq!(found.raters.accuracy.len(), 3);
    let apart = dawid_skene(&votes(&table), None, &DawidSkene::maximum_likelihood()).unwrap().raters.accuracy;
    assert!(apart[2] < found.raters.accuracy[1] && found.raters.accuracy[1] < apart[1]);
}

#[test]
fn many_categories_and_many_raters_are_no_trouble() {
    let (table, truth) = planted(Seed::new(9), 900, &[0.6; 40], 20, 0.7);
    for (name, (_, labels, _)) in all(&votes(&table)) {
        assert!(right(&labels, &truth) > 0.97, "{name} {}", right(&labels, &truth));
    }
}

#[test]
fn a_fixed_class_prior_decides_where_votes_do_not() -> Result<(), SignalError> {
    let votes = votes(&ndarray::array![[0, 1], [1, 0], [-1, -1]]);
    let options = OneCoin {
        accuracy: Smoothing::Dirichlet { votes: 100.0, correct: 0.7 },
        classes: ClassPrior::Fixed(vec![0.2, 0.8]),
        search: Search::default(),
    };
    let found = one_coin(&votes, None, &options)?;
    assert_eq!((found.labels, found.class_prior), (vec![1, 1, 1], vec![0.2, 0.8]));
    assert!((found.posterior[[2, 0]] - 0.2).abs() < 1e-15);
    Ok(())
}

#[test]
fn many_distinct_items_are_summed_in_a_fixed_order() {
    // Several chunks of items; the sums are those of the whole, and with rayon those of one thread.
    let (table, _) = planted(Seed::new(5), 20_000, &[0.5; 12], 4, 0.1);
    let votes = votes(&table);
    let search = Search { iterations: 5, ..Search::default() };
    let fit = || {
        dawid_skene(&votes, None, &DawidSkene { search: search.clone(), ..DawidSkene::default() }).unwrap()
    };
    let found = fit();
    let classes = found.posterior.sum_axis(Axis(0));
    for (class, prior) in classes.iter().zip(&found.class_prior) {
        assert!(((class + 1.0) / 20_004.0 - prior).abs() < 1e-12, "{class} {prior}");
    }
    #[cfg(feature = "rayon")]
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(fit), found);
    }
}
