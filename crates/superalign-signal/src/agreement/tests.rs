//! The definitions written out, over all pairs of votes and a table of weights, and what follows from them.

use super::*;
use ndarray::{Array2, Axis, array, s};
use proptest::prelude::*;
use superalign_core::{Seed, below};

const PLAIN: Weighting = Weighting::new(Weights::Identity);
const STARS: Categories = Categories::Whole { first: -1, last: 12 };

/// Every coefficient with every kind of weights, spacing and categories.
fn all() -> Vec<Coefficient> {
    let weights = [
        Weights::Identity,
        Weights::Linear(Spacing::Index),
        Weights::Linear(Spacing::Value),
        Weights::Quadratic(Spacing::Index),
        Weights::Quadratic(Spacing::Value),
        Weights::Ordinal,
    ];
    let weightings = [Categories::Observed, STARS]
        .map(|categories| weights.map(|weights| Weighting { weights, categories }))
        .concat();
    let of = |w| {
        [
            Coefficient::Raw(w),
            Coefficient::Cohen(w),
            Coefficient::Conger(w),
            Coefficient::Fleiss(w, Raters::Varying),
            Coefficient::Fleiss(w, Raters::Equal),
            Coefficient::BrennanPrediger(w),
            Coefficient::WeightedKrippendorff(w),
            Coefficient::Gwet(w),
        ]
    };
    let levels = [Level::Nominal, Level::Ordinal, Level::Interval, Level::Ratio];
    weightings.into_iter().flat_map(of).chain(levels.map(Coefficient::Krippendorff)).collect()
}

/// Ratings with gaps; labels are not evenly spaced.
fn ratings(
    items: std::ops::Range<usize>,
    raters: std::ops::Range<usize>,
) -> impl Strategy<Value = Array2<f64>> {
    let label = prop::sample::select(vec![f64::NAN, 0.0, 1.0, 4.0, 5.0, 12.0]);
    (items, raters).prop_flat_map(move |(items, raters)| {
        prop::collection::vec(label.clone(), items * raters)
            .prop_map(move |labels| Array2::from_shape_vec((items, raters), labels).unwrap())
    })
}

fn of(table: &Array2<f64>, coefficient: Coefficient) -> Option<f64> {
    value(&Votes::numbers(table.view()).unwrap(), coefficient).ok()
}

/// The coefficient by its definition; None where it does not exist.
fn by_definition(table: &Array2<f64>, coefficient: Coefficient) -> Option<f64> {
    let mut items: Vec<Vec<f64>> =
        table.rows().into_iter().map(|row| row.iter().copied().filter(|x| !x.is_nan()).collect()).collect();
    if matches!(coefficient, Coefficient::Cohen(_)) {
        if table.ncols() != 2 {
            return None;
        }
        items.retain(|item| item.len() == 2);
    }
    if let Coefficient::Fleiss(_, Raters::Equal) = coefficient
        && items.iter().any(|item| item.len() != items[0].len())
    {
        return None;
    }
    let paired: Vec<&Vec<f64>> = items.iter().filter(|item| item.len() > 1).collect();
    let pooled: Vec<f64> = paired.iter().flat_map(|item| item.iter().copied()).collect();
    let weighting = match coefficient {
        Coefficient::Raw(w)
        | Coefficient::Cohen(w)
        | Coefficient::Conger(w)
        | Coefficient::Fleiss(w, _)
        | Coefficient::BrennanPrediger(w)
        | Coefficient::WeightedKrippendorff(w)
        | Coefficient::Gwet(w) => w,
        Coefficient::Krippendorff(_) => PLAIN,
    };
    let mut categories: Vec<f64> = match weighting.categories {
        Categories::Observed => items.concat(),
        Categories::Whole { first, last } => (first..=last).map(f64::from).collect(),
    };
    categories.sort_by(f64::total_cmp);
    categories.dedup();
    let q = categories.len() as f64;
    let place = |x: f64| categories.iter().position(|&c| c == x).unwrap() as f64;
    let range = categories.last()? - categories[0];
    let distance = |x: f64, y: f64| {
        let index = (place(x) - place(y)).abs();
        match (coefficient, weighting.weights) {
            _ if x == y => 0.0,
            (Coefficient::Krippendorff(Level::Ordinal), _) => {
                let between = pooled.iter().filter(|v| (x.min(y)..=x.max(y)).contains(v)).count() as f64;
                let ends = pooled.iter().filter(|&&v| v == x || v == y).count() as f64;
                (between - ends / 2.0).powi(2)
            }
            (Coefficient::Krippendorff(Level::Interval), _) => (x - y).powi(2),
            (Coefficient::Krippendorff(Level::Ratio), _) => ((x - y) / (x + y)).powi(2),
            (_, Weights::Identity) => 1.0,
            (_, Weights::Linear(Spacing::Index)) => index / (q - 1.0),
            (_, Weights::Linear(Spacing::Value)) => (x - y).abs() / range,
            (_, Weights::Quadratic(Spacing::Index)) => (index / (q - 1.0)).powi(2),
            (_, Weights::Quadratic(Spacing::Value)) => ((x - y) / range).powi(2),
            (_, Weights::Ordinal) => index * (index + 1.0) / (q * (q - 1.0)),
        }
    };
    let pairs =
        |item: &[f64]| -> f64 { item.iter().flat_map(|&x| item.iter().map(move |&y| distance(x, y))).sum() };
    let mean_of_items =
        |of: &dyn Fn(&[f64]) -> f64| paired.iter().map(|item| of(item)).sum::<f64>() / paired.len() as f64;
    let observed = mean_of_items(&|item| pairs(item) / (item.len() * (item.len() - 1)) as f64);
    let voted: Vec<&Vec<f64>> = items.iter().filter(|item| !item.is_empty()).collect();
    let share = |x: f64| {
        let shares =
            voted.iter().map(|item| item.iter().filter(|&&v| v == x).count() as f64 / item.len() as f64);
        shares.sum::<f64>() / voted.len() as f64
    };
    let over_categories = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        categories.iter().flat_map(|&x| categories.iter().map(move |&y| of(x, y))).sum()
    };
    let expected = match coefficient {
        Coefficient::Raw(_) => return (!paired.is_empty()).then_some(1.0 - observed),
        Coefficient::Cohen(_) => {
            let all: f64 = items.iter().flat_map(|a| items.iter().map(move |b| distance(a[0], b[1]))).sum();
            all / (items.len() * items.len()) as f64
        }
        Coefficient::Conger(_) => {
            let of_rater = |g| table.column(g).iter().copied().filter(|x| !x.is_nan()).collect::<Vec<f64>>();
            let raters: Vec<Vec<f64>> =
                (0..table.ncols()).map(of_rater).filter(|votes| !votes.is_empty()).collect();
            let mut means = Vec::new();
            for (g, a) in raters.iter().enumerate() {
                for b in &raters[..g] {
                    let sum: f64 = a.iter().flat_map(|&x| b.iter().map(move |&y| distance(x, y))).sum();
                    means.push(sum / (a.len() * b.len()) as f64);
                }
            }
            means.iter().sum::<f64>() / means.len() as f64
        }
        Coefficient::Fleiss(..) => over_categories(&|x, y| share(x) * share(y) * distance(x, y)),
        Coefficient::BrennanPrediger(_) => over_categories(&distance) / (q * q),
        Coefficient::Gwet(_) if q < 2.0 => return None,
        Coefficient::Gwet(_) => {
            let all = over_categories(&|x, y| 1.0 - distance(x, y)) / (q * (q - 1.0));
            1.0 - all * categories.iter().map(|&x| share(x) * (1.0 - share(x))).sum::<f64>()
        }
        Coefficient::Krippendorff(_) | Coefficient::WeightedKrippendorff(_) => {
            let n = pooled.len() as f64;
            let observed: f64 =
                paired.iter().map(|item| pairs(item) / (item.len() as f64 - 1.0)).sum::<f64>() / n;
            let expected = pairs(&pooled) / (n * (n - 1.0));
            return (expected > 0.0).then_some(1.0 - observed / expected);
        }
    };
    (expected > 1e-12 && !paired.is_empty()).then_some(1.0 - observed / expected)
}

fn alike(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-10 * b.abs().max(1.0),
        (a, b) => a.is_none() && b.is_none(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_coefficient_is_what_its_definition_says(table in ratings(1..9, 1..5)) {
        for coefficient in all() {
            let (found, expected) = (of(&table, coefficient), by_definition(&table, coefficient));
            prop_assert!(alike(found, expected), "{coefficient:?}: {found:?} for {expected:?}");
            prop_assert!(found.is_none_or(|value| value <= 1.0 + 1e-12));
        }
    }

    #[test]
    fn neither_the_order_of_items_nor_that_of_raters_counts(table in ratings(2..20, 2..4), by in 1_usize..19) {
        let turned = Array2::from_shape_fn(table.dim(), |(i, j)| {
            table[[(i + by) % table.nrows(), table.ncols() - 1 - j]]
        });
        for coefficient in all() {
            prop_assert!(alike(of(&table, coefficient), of(&turned, coefficient)), "{coefficient:?}");
        }
    }

    #[test]
    fn labels_may_be_renamed_as_far_as_their_scale_allows(table in ratings(2..20, 2..4)) {
        let renamed = table.mapv(|x| if x.is_nan() { x } else { (x * 7.0 + 1.0) % 13.0 });
        let turned = table.mapv(|x| 3.0 - 2.0 * x);
        let stretched = table.mapv(|x| 1e-3 * x);
        for coefficient in all() {
            let before = of(&table, coefficient);
            match coefficient {
                Coefficient::Krippendorff(level) => {
                    prop_assert!(level != Level::Nominal || alike(before, of(&renamed, coefficient)));
                    prop_assert!(level == Level::Ratio || alike(before, of(&turned, coefficient)));
                    prop_assert!(alike(before, of(&stretched, coefficient)), "{level:?}");
                }
                Coefficient::Raw(w) | Coefficient::Cohen(w) | Coefficient::Conger(w) | Coefficient::Fleiss(w, _)
                | Coefficient::BrennanPrediger(w) | Coefficient::WeightedKrippendorff(w) | Coefficient::Gwet(w) => {
                    prop_assert!(w.weights != Weights::Identity || alike(before, of(&renamed, coefficient)));
                    prop_assert!(w.categories == STARS || alike(before, of(&turned, coefficient)), "{coefficient:?}");
                }
            }
        }
    }

    #[test]
    fn a_pair_of_raters_is_measured_as_if_it_were_alone(table in ratings(2..14, 2..5)) {
        for coefficient in all() {
            let found = pairwise(&Votes::numbers(table.view()).unwrap(), coefficient);
            for a in 0..table.ncols() {
                for b in 0..table.ncols() {
                    let mut pair = ndarray::stack![Axis(1), table.column(a), table.column(b)];
                    for mut row in pair.rows_mut() {
                        if row.iter().any(|x| x.is_nan()) {
                            row.fill(f64::NAN);
                        }
                    }
                    let both = pair.column(0).iter().filter(|x| !x.is_nan()).count();
                    prop_assert_eq!(found.items[[a, b]], both);
                    let pair = pair.select(Axis(0), &rated(&pair));
                    let expected = of(&pair, coefficient);
                    prop_assert!(alike(found.values[[a, b]].clone().ok(), expected), "{:?} {} {}", coefficient, a, b);
                }
            }
        }
    }
}

fn rated(table: &Array2<f64>) -> Vec<usize> {
    (0..table.nrows()).filter(|&i| !table[[i, 0]].is_nan()).collect()
}

/// Raters who agree in part, with gaps where asked for.
fn some_raters(items: usize, raters: usize, missing: usize) -> Array2<f64> {
    let mut rng = Seed::new(5).named("raters").rng();
    let mut table = Array2::zeros((items, raters));
    for mut row in table.rows_mut() {
        let class = below(&mut rng, 4);
        for label in &mut row {
            let other = [class, class, below(&mut rng, 4)][below(&mut rng, 3)];
            *label = if below(&mut rng, 100) < missing { f64::NAN } else { other as f64 + 1.0 };
        }
    }
    table
}

#[test]
fn the_interval_is_as_wide_as_the_standard_error_says() {
    let by = Bootstrap::new(Seed::new(2));
    for (raters, missing) in [(2, 0), (2, 20), (4, 0), (4, 30)] {
        let votes = Votes::numbers(some_raters(600, raters, missing).view()).unwrap();
        for (coefficient, found) in all().into_iter().zip(estimates(&votes, &all(), &by)) {
            let Ok(found) = found else {
                assert!(value(&votes, coefficient).is_err());
                continue;
            };
            let half = 1.96 * standard_error(&votes, coefficient, LoneVotes::LeftOut).unwrap();
            let wider = half / ((found.hi - found.lo) / 2.0);
            assert!((0.88..1.12).contains(&wider), "{coefficient:?}: {found} and {half}");
            let by_chance = 1.96 * standard_error(&votes, coefficient, LoneVotes::ByChance).unwrap();
            assert!(by_chance > half - 1e-12 && (missing > 0 || by_chance < half + 1e-12), "{coefficient:?}");
            assert!(found.covers(found.value));
            assert!((found.value - value(&votes, coefficient).unwrap()).abs() < 1e-12);
        }
    }
}

/// Values of statsmodels 0.15.0, `cohens_kappa(table, wt=...)`.
#[test]
fn standard_errors_of_weighted_kappa_are_those_of_statsmodels() {
    let first = [0_i8, 1, 2, 3, 0, 1, 2, 3, 0, 0, 2, 2, 3, 1, 1, 3, 0, 2, 2, 1];
    let second = [0_i8, 1, 2, 3, 1, 1, 2, 2, 0, 3, 2, 1, 3, 1, 0, 3, 0, 2, 3, 1];
    let votes = Votes::dense(ndarray::stack![Axis(1), first, second].view()).unwrap();
    for (weights, expected) in [
        (Weights::Identity, [0.6, 0.13546299207614682, 0.12823589374447564]),
        (Weights::Linear(Spacing::Index), [0.6666666666666666, 0.1327243035044477, 0.15701203067847316]),
        (Weights::Quadratic(Spacing::Index), [0.6963123644251626, 0.1805569388269685, 0.22263670318273399]),
    ] {
        let weighting = Weighting::new(weights);
        let kappa = Coefficient::Cohen(weighting);
        let found = [
            value(&votes, kappa),
            standard_error(&votes, kappa, LoneVotes::LeftOut),
            null_standard_error(&votes, weighting),
        ];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found.unwrap() - expected).abs() < 1e-14, "{weights:?}");
        }
    }
}

/// Values and standard errors of irrCAC 0.4.4.
#[test]
fn what_irrcac_gives_for_gaps_and_weights() {
    let x = f64::NAN;
    let votes = Votes::numbers(
        array![
            [0.0, 0.0, 1.0, x],
            [1.0, x, 1.0, 1.0],
            [2.0, 2.0, 2.0, 2.0],
            [x, 3.0, x, x],
            [0.0, 1.0, x, 0.0],
            [3.0, 3.0, 3.0, 2.0],
            [x, 0.0, 0.0, 0.0],
            [1.0, 1.0, 2.0, 1.0],
            [2.0, x, x, 3.0],
            [0.0, 0.0, 0.0, 0.0],
            [x, 1.0, 1.0, x],
            [3.0, 3.0, 2.0, 3.0],
        ]
        .view(),
    )
    .unwrap();
    let fleiss = |w| Coefficient::Fleiss(w, Raters::Varying);
    let of: [&dyn Fn(Weighting) -> Coefficient; 4] =
        [&Coefficient::Conger, &Coefficient::BrennanPrediger, &Coefficient::WeightedKrippendorff, &fleiss];
    for (weights, expected) in [
        (
            Weights::Identity,
            [
                (0.535608345589152, 0.147676680394131),
                (0.535353535353535, 0.15249149767273),
                (0.563409563409563, 0.126555440120552),
                (0.531679726624639, 0.151283414147591),
            ],
        ),
        (
            Weights::Quadratic(Spacing::Value),
            [
                (0.860606060606061, 0.087242514953547),
                (0.860606060606061, 0.089446452335342),
                (0.866327180140038, 0.042914907128104),
                (0.865699330591722, 0.078898590993534),
            ],
        ),
        (
            Weights::Ordinal,
            [
                (0.814131215579855, 0.090950921897376),
                (0.814141414141414, 0.093912236760965),
                (0.82233502538071, 0.054288543452633),
                (0.819589009382788, 0.081978420837658),
            ],
        ),
        (
            Weights::Linear(Spacing::Value),
            [
                (0.721166222647948, 0.103441908944185),
                (0.721212121212122, 0.108707621738122),
                (0.735182849936948, 0.075849326212665),
                (0.725261127740027, 0.096848606466246),
            ],
        ),
    ] {
        for (coefficient, (expected, error)) in of.into_iter().zip(expected) {
            let coefficient = coefficient(Weighting::new(weights));
            assert!((value(&votes, coefficient).unwrap() - expected).abs() < 1e-12, "{coefficient:?}");
            let found = standard_error(&votes, coefficient, LoneVotes::ByChance).unwrap();
            assert!((found - error).abs() < 1e-12, "{coefficient:?}: {found}");
        }
    }
}

#[test]
fn coefficients_share_their_resamples() {
    let votes = Votes::numbers(some_raters(60, 3, 20).view()).unwrap();
    let by = Bootstrap { draws: 50, ..Bootstrap::new(Seed::new(2)) };
    for (coefficient, found) in all().into_iter().zip(estimates(&votes, &all(), &by)) {
        let alone = estimate(&votes, coefficient, &by);
        let ends =
            |found: Result<Estimate, SignalError>| found.map(|found| [found.value, found.lo, found.hi]);
        match (ends(found), ends(alone)) {
            // Alone, a coefficient may tell fewer kinds of items apart, and sums in another order.
            (Ok(found), Ok(alone)) => {
                assert!(found.iter().zip(alone).all(|(a, b)| (a - b).abs() < 1e-12), "{coefficient:?}");
            }
            (found, alone) => assert_eq!(found, alone),
        }
    }
}

#[test]
fn the_null_standard_error_is_that_of_raters_who_guess() {
    // Two raters of 500 items who draw their labels with these chances: kappa's spread over 2,000 such pairs.
    let mut rng = Seed::new(8).rng();
    for weights in [Weights::Identity, Weights::Linear(Spacing::Index), Weights::Quadratic(Spacing::Value)] {
        let weighting = Weighting::new(weights);
        let mut kappas = Vec::new();
        let mut errors = Vec::new();
        for _ in 0..2000 {
            let table = Array2::from_shape_fn((500, 2), |_| [0_i8, 0, 0, 1, 1, 2][below(&mut rng, 6)]);
            let votes = Votes::dense(table.view()).unwrap();
            kappas.push(value(&votes, Coefficient::Cohen(weighting)).unwrap());
            errors.push(null_standard_error(&votes, weighting).unwrap());
        }
        let spread = (kappas.iter().map(|k| k * k).sum::<f64>() / 2000.0).sqrt();
        let error = errors.iter().sum::<f64>() / 2000.0;
        assert!((error / spread - 1.0).abs() < 0.05, "{weights:?}: {error} and {spread}");
    }
}

#[test]
fn many_labels_make_no_table() {
    // 6,000 labels: their pairs would not fit a table, neither for all raters nor for two.
    let mut rng = Seed::new(3).rng();
    let level: Vec<f64> = (0..3000).map(|_| below(&mut rng, 100_000) as f64).collect();
    let table = Array2::from_shape_fn((3000, 2), |(i, _)| level[i] + below(&mut rng, 30_000) as f64);
    let votes = Votes::numbers(table.view()).unwrap();
    assert!(votes.categories() > 4096);
    let coefficients = all().into_iter().filter(|c| !format!("{c:?}").contains("Whole"));
    for coefficient in coefficients {
        let found = value(&votes, coefficient).unwrap();
        let pair = pairwise(&votes, coefficient);
        assert!((pair.values[[1, 0]].clone().unwrap() - found).abs() < 1e-12, "{coefficient:?}");
        assert_eq!(pair.items, array![[3000, 3000], [3000, 3000]]);
        let few = table.slice(s![..40, ..]).to_owned();
        assert!(alike(of(&few, coefficient), by_definition(&few, coefficient)), "{coefficient:?}");
    }
}

#[test]
fn on_complete_ratings_alpha_is_kappa_with_a_correction() {
    let table = some_raters(50, 4, 0);
    let alpha = of(&table, Coefficient::Krippendorff(Level::Nominal)).unwrap();
    let kappa = of(&table, Coefficient::Fleiss(PLAIN, Raters::Equal)).unwrap();
    assert!((1.0 - alpha - (1.0 - 1.0 / 200.0) * (1.0 - kappa)).abs() < 1e-12);
    assert_eq!(of(&table, Coefficient::Fleiss(PLAIN, Raters::Varying)), Some(kappa));
}

#[test]
fn who_agrees_always_has_one() {
    let table = array![[0.0, 0.0, 0.0], [5.0, 5.0, f64::NAN], [9.0, f64::NAN, 9.0]];
    let votes = Votes::numbers(table.view()).unwrap();
    for coefficient in all() {
        if let Ok(found) = parts(&votes, coefficient) {
            assert_eq!((found.value, found.observed), (1.0, 1.0), "{coefficient:?}");
        }
    }
}

#[test]
fn what_does_not_exist_says_why() {
    let dense = |table: Array2<i8>| Votes::dense(table.view()).unwrap();
    let error = |votes: &Votes, coefficient| value(votes, coefficient).unwrap_err().to_string();
    let alpha = Coefficient::Krippendorff(Level::Nominal);
    let (cohen, bp, ac1) =
        (Coefficient::Cohen(PLAIN), Coefficient::BrennanPrediger(PLAIN), Coefficient::Gwet(PLAIN));

    let none = "0 items with two votes or more: expected at least 1";
    assert_eq!(error(&dense(array![[0], [1]]), alpha), none);
    assert_eq!(error(&dense(array![[0, -1], [-1, 1]]), cohen), none);
    assert_eq!(error(&dense(Array2::zeros((0, 0))), ac1), none);

    let one = dense(array![[2, 2], [2, 2], [2, -1]]);
    let reason = "is undefined: all votes have one label, so that chance alone agrees always";
    assert_eq!(error(&one, alpha), format!("Krippendorff's alpha {reason}"));
    assert_eq!(error(&one, cohen), format!("Cohen's kappa {reason}"));
    assert_eq!(error(&one, Coefficient::Fleiss(PLAIN, Raters::Varying)), format!("Fleiss' kappa {reason}"));
    let reason = "is undefined: there is one category, so that chance alone agrees always";
    assert_eq!(error(&one, bp), format!("Brennan-Prediger coefficient {reason}"));
    assert_eq!(error(&one, ac1), format!("Gwet's AC1 {reason}"));
    let given = Weighting { categories: STARS, ..PLAIN };
    for coefficient in
        [Coefficient::BrennanPrediger(given), Coefficient::Gwet(given), Coefficient::Raw(PLAIN)]
    {
        assert_eq!(value(&one, coefficient), Ok(1.0));
    }

    assert_eq!(
        error(&one, Coefficient::Fleiss(PLAIN, Raters::Equal)),
        "Fleiss' kappa is undefined: items have from 1 to 2 votes, and equally many are asked for"
    );
    assert_eq!(
        error(&dense(array![[0, 1, 0]]), cohen),
        "number of raters of Cohen's kappa: found 3, expected 2"
    );
    let tiny = Votes::numbers(array![[0.0, 1e-200], [0.0, 0.0]].view()).unwrap();
    assert_eq!(value(&tiny, Coefficient::Krippendorff(Level::Interval)), Ok(0.0));
    let apart = Votes::numbers(array![[1.0, 1.0], [1.0 + f64::EPSILON, 1.0]].view()).unwrap();
    assert!(value(&apart, Coefficient::Krippendorff(Level::Ratio)).is_ok());
}

#[test]
fn errors_of_standard_errors_and_intervals_say_why() {
    let votes = Votes::dense(array![[0_i8, 1], [0, -1]].view()).unwrap();
    assert_eq!(
        standard_error(&votes, Coefficient::Krippendorff(Level::Nominal), LoneVotes::LeftOut)
            .unwrap_err()
            .to_string(),
        "1 items for a standard error: expected at least 2"
    );
    assert!(
        standard_error(&votes, Coefficient::Gwet(PLAIN), LoneVotes::LeftOut).is_ok(),
        "Gwet's counts the item with one vote"
    );
    let by = Bootstrap { draws: 0, ..Bootstrap::new(Seed::new(0)) };
    let error = estimate(&votes, Coefficient::Raw(PLAIN), &by).unwrap_err().to_string();
    assert_eq!(error, "bootstrap: draws = 0: expected at least 1");
    // A quarter of the resamples draws one of the items alone, and then there is nothing to agree on.
    let votes = Votes::dense(array![[0_i8, 1], [0, 0], [0, 0]].view()).unwrap();
    let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(0)) };
    let error = estimate(&votes, Coefficient::Cohen(PLAIN), &by).unwrap_err().to_string();
    assert!(error.starts_with("Cohen's kappa is undefined: it does not exist in "), "{error}");
}
