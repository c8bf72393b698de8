//! What is refused, in which words; and what the order of the input does not change.

use crate::extrapolation::{
    Backtest, Beyond, Bound, Curve, Extrapolation, ItemModel, ItemPrior, ItemResponse, Points, Reach,
    Resampling, Target, Trend, ability_mean, ability_top, backtest, by_horizon, extrapolate, fit,
    item_response, profile, resample, stack_scores, tested_reach,
};
use crate::{Bootstrap, EvaluationError};
use ndarray::{Array2, array};
use proptest::prelude::*;
use std::fmt::Debug;
use superalign_core::Seed;

fn says<T: Debug>(found: Result<T, EvaluationError>, expected: &str) {
    assert_eq!(found.unwrap_err().to_string(), expected);
}

fn by() -> Bootstrap {
    Bootstrap { draws: 50, ..Bootstrap::new(Seed::new(1)) }
}

fn falling() -> Points {
    Points::new(&[1.0, 2.0, 3.0, 4.0, 5.0], &[19, 17, 11, 6, 2], &[20; 5]).unwrap()
}

#[test]
fn counts_that_cannot_be_are_refused() {
    says(Points::new(&[], &[], &[]), "0 rows: expected at least 1");
    says(Points::new(&[1.0], &[1, 2], &[3]), "number of right counts: found 2, expected 1");
    says(Points::new(&[1.0], &[1], &[]), "number of totals: found 0, expected 1");
    says(Points::clustered(&[1.0], &[1], &[1], &[]), "number of clusters: found 0, expected 1");
    says(Points::new(&[f64::NAN], &[1], &[1]), "level of row 0 is NaN: expected a finite number");
    says(Points::new(&[1.0], &[0], &[0]), "number of items in row 0 is 0: expected at least 1");
}

#[test]
fn curves_that_cannot_be_are_refused() {
    let free = Bound::Free;
    let curve = Curve::Logistic { floor: free, ceiling: Bound::Fixed(1.5) };
    says(fit(&falling(), curve), "ceiling = 1.5: expected a share in [0, 1]");
    let curve = Curve::ClippedLinear { floor: Bound::Fixed(0.5), ceiling: Bound::Fixed(0.5) };
    says(fit(&falling(), curve), "floor = 0.5: expected a share below 0.5");
    let few = Points::new(&[1.0, 1.0, 2.0], &[1, 2, 2], &[3; 3]).unwrap();
    let curve = Curve::Logistic { floor: free, ceiling: Bound::Fixed(1.0) };
    says(fit(&few, curve), "2 levels: expected at least 3");
    says(
        fit(
            &Points::new(&[-1.0, 2.0], &[1, 1], &[2; 2]).unwrap(),
            Curve::PowerLaw { asymptote: Bound::Fixed(1.0) },
        ),
        "level 0 is -1: expected above 0 for a power law",
    );
    let fitted = fit(&falling(), Curve::logistic()).unwrap();
    says(fitted.at(f64::INFINITY), "level 0 is inf: expected a finite number");
}

#[test]
fn intervals_that_do_not_exist_are_refused() {
    let points = falling();
    let fitted = fit(&points, Curve::logistic()).unwrap();
    let of = |target| profile(&points, &fitted, target, 0.95);
    says(of(Target::Parameter(2)), "profile likelihood is undefined: floor is fixed at 0");
    says(of(Target::Parameter(9)), "parameter below their number: found 9, expected 4");
    says(profile(&points, &fitted, Target::Share(1.0), 1.0), "level = 1: expected a number between 0 and 1");
    let steps = fit(&points, Curve::Monotone(Trend::Falling)).unwrap();
    says(
        profile(&points, &steps, Target::Share(1.0), 0.9),
        "profile likelihood is undefined: the likelihood of this curve is not smooth: resample instead",
    );
    says(
        resample(&points, Curve::logistic(), Resampling::Clusters, &by()),
        "cluster bootstrap is undefined: the points have no clusters",
    );
    let one = Points::clustered(&[1.0, 2.0], &[3, 1], &[4, 4], &[5, 5]).unwrap();
    says(resample(&one, Curve::logistic(), Resampling::Clusters, &by()), "1 clusters: expected at least 2");
    says(
        resample(&one, Curve::logistic(), Resampling::Straying, &by()),
        "straying of levels is undefined: 2 rows are fitted by 2 parameters",
    );
    // Each cluster is one level: most resamples of three lack one.
    let lone = Points::clustered(&[1.0, 2.0, 3.0], &[3, 2, 1], &[4; 3], &[0, 1, 2]).unwrap();
    let curve = Curve::Logistic { floor: Bound::Free, ceiling: Bound::Fixed(1.0) };
    let error = resample(&lone, curve, Resampling::Clusters, &by()).unwrap_err().to_string();
    assert!(error.starts_with("curve is undefined: it does not exist in "), "{error}");
    let none = Bootstrap { draws: 0, ..by() };
    says(
        resample(&points, Curve::logistic(), Resampling::Binomial, &none),
        "bootstrap: draws = 0: expected at least 1",
    );
    let found = resample(&points, Curve::logistic(), Resampling::Binomial, &by()).unwrap();
    says(found.outcome(1.0, 0), "number of items to come 0 is 0: expected at least 1");
}

#[test]
fn predictions_keep_to_what_was_tested() {
    let points = falling();
    let options = Extrapolation {
        resampling: Resampling::Binomial,
        bootstrap: by(),
        tested: 2.0,
        beyond: Beyond::Refuse,
    };
    let members = [(Curve::logistic(), 0.5), (Curve::LastValue, 0.5)];
    let at = |x, options: &Extrapolation| {
        extrapolate(&points, &members, &[(x, 40)], options).map(|found| found[0])
    };
    assert_eq!(at(4.5, &options).unwrap().reach, Reach::Within);
    let tested = at(7.0, &options).unwrap();
    assert_eq!(tested.reach, Reach::Tested);
    assert!(tested.disagreement[0] < 0.02 && (tested.disagreement[1] - 0.1).abs() < 1e-12);
    says(at(8.0, &options), "prediction is undefined: level 8 is 3 beyond the last, and 2 was tested");
    says(at(0.5, &options), "prediction is undefined: level 0.5 is below the first, 1: backtests go upwards");
    let widen = Extrapolation { beyond: Beyond::Widen, ..options };
    let (narrow, wide) = (Extrapolation { tested: 3.0, ..options }, at(8.0, &widen).unwrap());
    let narrow = at(8.0, &narrow).unwrap();
    assert_eq!(wide.reach, Reach::Widened { factor: 1.5 });
    let by = (wide.outcome.hi - wide.outcome.value) / (narrow.outcome.hi - narrow.outcome.value);
    assert!((by - 1.5).abs() < 1e-12 && wide.outcome.value == narrow.outcome.value);
    let untested = Extrapolation { tested: 0.0, ..widen };
    says(at(8.0, &untested), "prediction is undefined: level 8 is 3 beyond the last, and 0 was tested");
    let of = |members: &[(Curve, f64)]| extrapolate(&points, members, &[(5.0, 1)], &options);
    says(of(&[]), "0 curves: expected at least 1");
    says(of(&[(Curve::Linear, 0.9)]), "sum of the weights = 0.9: expected 1");
    says(of(&[(Curve::Linear, f64::NAN)]), "weight of curve 0 is NaN: expected a number of 0 or more");
    let negative = Extrapolation { tested: -1.0, ..options };
    says(at(5.0, &negative), "tested = -1: expected a distance of 0 or more");
}

#[test]
fn backtests_without_a_level_to_test_are_refused() {
    let options = Backtest { first: 5, horizon: 1, resampling: Resampling::Binomial, bootstrap: by() };
    let of = |options: &Backtest| backtest(&falling(), Curve::logistic(), options);
    says(of(&options), "5 levels: expected at least 6");
    says(of(&Backtest { horizon: 0, ..options }), "horizon = 0: expected at least 1");
    says(of(&Backtest { first: 0, ..options }), "first = 0: expected at least 1");
    says(of(&Backtest { first: 1, ..options }), "1 levels: expected at least 2");
    says(by_horizon(&[&[]], &by()), "0 forecasts: expected at least 1");
    says(tested_reach(&[&[]], 3), "0 forecasts: expected at least 3");
    says(stack_scores(array![[f64::NEG_INFINITY]].view()), "log-score 0 is -inf: expected a finite number");
    says(stack_scores(Array2::zeros((0, 2)).view()), "0 forecasts: expected at least 1");
}

#[test]
fn answers_that_cannot_be_are_refused() {
    let options = ItemResponse::default();
    let of = |answers: Array2<i8>, options: &ItemResponse| item_response(answers.view(), None, options);
    says(of(Array2::zeros((0, 3)), &options), "0 persons: expected at least 1");
    says(of(Array2::zeros((3, 0)), &options), "0 items: expected at least 1");
    says(of(array![[1, 0, 2]], &options), "answer 2 is 2: expected 1 (right), 0 (wrong) or less (none)");
    says(of(array![[-1, -1, -9]], &options), "0 persons with an answer: expected at least 1");
    says(of(array![[1, 0], [0, 1]], &options), "2 items: expected at least 3");
    let rasch = ItemResponse { model: ItemModel::Rasch, ..options };
    says(of(array![[1], [0]], &rasch), "1 items: expected at least 2");
    says(
        of(array![[1, 0, 1], [0, 0, 1]], &options),
        "item response model is undefined: item 1 has no right answer: leave it out or give a prior",
    );
    says(
        of(array![[1, -1, 1], [0, -1, 1]], &options),
        "item response model is undefined: item 1 has no answer: leave it out or give a prior",
    );
    let answers = array![[1, 0, 1], [0, 1, 0]];
    says(
        of(answers.clone(), &ItemResponse { nodes: 4, ..options }),
        "nodes = 4: expected a number in 5..=200",
    );
    says(
        of(answers.clone(), &ItemResponse { iterations: 0, ..options }),
        "iterations = 0: expected at least 1",
    );
    let prior =
        ItemPrior::LogNormal { log_slope_mean: 0.0, log_slope_deviation: 0.0, intercept_deviation: 1.0 };
    says(
        of(answers.clone(), &ItemResponse { prior, ..options }),
        "log_slope_deviation = 0: expected a number in [1e-3, 1e3]",
    );
    let counts = item_response(answers.view(), Some(&[1]), &options);
    says(counts, "number of counts: found 1, expected 2");
    // Two items that always agree are separated without error.
    let same = Array2::from_shape_fn((40, 3), |(i, j)| if j < 2 { (i % 2) as i8 } else { (i / 2 % 2) as i8 });
    let error = of(same, &options).unwrap_err().to_string();
    assert!(
        error.starts_with("item response model is undefined: ") && error.ends_with("give a prior"),
        "{error}"
    );
}

#[test]
fn abilities_that_do_not_exist_say_why() {
    let answers =
        Array2::from_shape_fn((200, 4), |(i, j)| i8::from((j < i % 5) ^ ((i * 3 + j * 11) % 7 == 0)));
    let items = item_response(answers.view(), None, &ItemResponse::default()).unwrap();
    let people = array![[1, 1, 1, 1], [0, 0, 0, -1], [-1, -1, -1, -1], [1, 0, 0, 1]];
    let top = ability_top(&items, people.view()).unwrap();
    let name = "ability of greatest likelihood is undefined: the answers of person";
    for (i, which) in ["all speak for more", "all speak for less", "say nothing"].into_iter().enumerate() {
        says(top[i].clone(), &format!("{name} {i} {which}: take the posterior mean"));
    }
    assert!(top[3].is_ok());
    let mean = ability_mean(&items, people.view(), 61).unwrap();
    assert!(mean[2].value.abs() < 1e-12 && (mean[2].error - 1.0).abs() < 1e-12);
    says(ability_top(&items, array![[1]].view()), "number of items: found 1, expected 4");
    says(ability_mean(&items, people.view(), 3), "nodes = 3: expected a number in 5..=200");
    says(items.difficulty(7), "item below the number of items: found 7, expected 4");
    says(
        items.ability_variance(),
        "variance of the abilities is undefined: under the two-parameter model it is 1 by definition",
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_and_the_unit_of_levels_do_not_matter(
        right in proptest::collection::vec(0_u64..=30, 6),
        by in 0.1_f64..10.0,
        shift in -5.0_f64..5.0,
    ) {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let curves =
            [Curve::logistic(), Curve::Monotone(Trend::Rising), Curve::LastValue, Curve::Linear];
        let here = Points::new(&x, &right, &[30; 6]).unwrap();
        let mirrored: Vec<f64> = x.iter().rev().map(|x| by * x + shift).collect();
        let back: Vec<u64> = right.iter().rev().copied().collect();
        let there = Points::new(&mirrored, &back, &[30; 6]).unwrap();
        for curve in curves {
            let (a, b) = (fit(&here, curve).unwrap(), fit(&there, curve).unwrap());
            prop_assert!((a.log_likelihood - b.log_likelihood).abs() < 1e-6, "{:?} {} {}", curve, a.log_likelihood, b.log_likelihood);
            for x in [0.0, 1.0, 3.5, 9.0] {
                let (a, b) = (a.at(x).unwrap(), b.at(by * x + shift).unwrap());
                prop_assert!((a - b).abs() < 1e-4, "{:?} {} {} {}", curve, x, a, b);
            }
        }
    }

    #[test]
    fn nested_curves_fit_better_and_the_monotone_one_best(
        right in proptest::collection::vec(0_u64..=30, 6),
    ) {
        let points = Points::new(&[1.0, 2.0, 4.0, 5.0, 6.0, 9.0], &right, &[30; 6]).unwrap();
        let of = |curve| fit(&points, curve).unwrap().log_likelihood;
        let (free, zero, one) = (Bound::Free, Bound::Fixed(0.0), Bound::Fixed(1.0));
        let [two, three, four] = [(zero, one), (free, one), (free, free)]
            .map(|(floor, ceiling)| of(Curve::Logistic { floor, ceiling }));
        prop_assert!(two <= three + 1e-5 && three <= four + 1e-5, "{} {} {}", two, three, four);
        let monotone = of(Curve::Monotone(Trend::Rising)).max(of(Curve::Monotone(Trend::Falling)));
        prop_assert!(four <= monotone + 1e-5, "{} {}", four, monotone);
        let power = of(Curve::PowerLaw { asymptote: free });
        prop_assert!(power <= monotone + 1e-5);
        let clipped = of(Curve::ClippedLinear { floor: free, ceiling: free });
        prop_assert!(clipped <= monotone + 1e-5);
        let line = of(Curve::ClippedLinear { floor: zero, ceiling: one });
        prop_assert!(line <= clipped + 1e-3, "{} {}", line, clipped);
    }

    #[test]
    fn the_order_of_persons_and_items_does_not_matter(seed in 0_u64..1000) {
        let answer = |i: u64, j: u64| {
            let value = Seed::new(seed).nth(i * 5 + j).value() >> 40;
            i8::from((value % 97) as f64 / 97.0 < 0.3 + 0.1 * ((i + j) % 5) as f64)
        };
        let answers = Array2::from_shape_fn((80, 4), |(i, j)| answer(i as u64, j as u64));
        let turned = Array2::from_shape_fn((80, 4), |(i, j)| answers[[79 - i, 3 - j]]);
        let options = ItemResponse { model: ItemModel::Rasch, prior: ItemPrior::weak(), ..ItemResponse::default() };
        let a = item_response(answers.view(), None, &options).unwrap();
        let b = item_response(turned.view(), None, &options).unwrap();
        prop_assert!((a.log_likelihood - b.log_likelihood).abs() < 1e-6);
        for j in 0..4 {
            prop_assert!((a.intercepts[j].value - b.intercepts[3 - j].value).abs() < 1e-5);
        }
    }
}
