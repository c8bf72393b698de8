//! Known parameters are found again, and intervals cover them as often as they say.

use crate::extrapolation::{
    Backtest, Beyond, Bound, Curve, Extrapolation, ItemModel, ItemPrior, ItemResponse, Points, Reach,
    Resampling, Spacing, Target, Trend, ability_mean, backtest, backtest_mixture, by_horizon, chance,
    extrapolate, fit, item_response, profile, resample, stack, tested_reach,
};
use crate::{Bootstrap, EvaluationError};
use ndarray::Array2;
use superalign_core::{Rng, Seed};

fn seed(name: &str, number: u64) -> Seed {
    Seed::new(11).named(name).nth(number)
}

/// Counts about a curve, whose levels stray by normal errors of log-odds.
fn counts(x: &[f64], items: u64, stray: f64, rng: &mut Rng, share: impl Fn(f64) -> f64) -> Points {
    let draw = |&x: &f64| {
        let share = chance::logistic(chance::logit(share(x)) + stray * chance::normal(rng));
        chance::binomial(rng, items as f64, share) as u64
    };
    let right: Vec<u64> = x.iter().map(draw).collect();
    Points::new(x, &right, &vec![items; x.len()]).unwrap()
}

fn answers(slopes: &[f64], intercepts: &[f64], persons: usize, seed: Seed) -> (Vec<f64>, Array2<i8>) {
    let mut rng = seed.rng();
    let abilities: Vec<f64> = (0..persons).map(|_| chance::normal(&mut rng)).collect();
    let answers = Array2::from_shape_fn((persons, slopes.len()), |(i, j)| {
        chance::binomial(&mut rng, 1.0, chance::logistic(slopes[j] * abilities[i] + intercepts[j])) as i8
    });
    (abilities, answers)
}

#[test]
fn items_are_found_again_and_their_intervals_cover() {
    let slopes: Vec<f64> = (0..12).map(|j| 0.6 + 0.1 * f64::from(j)).collect();
    let intercepts: Vec<f64> = (0..12).map(|j| f64::from((j * 5) % 12) * 0.3 - 1.6).collect();
    let (mut covered, mut asked) = (0, 0);
    for number in 0..8 {
        let (abilities, answers) = answers(&slopes, &intercepts, 800, seed("items", number));
        let found = item_response(answers.view(), None, &ItemResponse::default()).unwrap();
        assert!(found.gradient < 1e-5, "{}", found.gradient);
        for (found, truth) in found.slopes.iter().zip(&slopes).chain(found.intercepts.iter().zip(&intercepts))
        {
            asked += 1;
            covered += usize::from(found.interval(0.95).unwrap().covers(*truth));
        }
        let means = ability_mean(&found, answers.view(), 61).unwrap();
        let inside = means
            .iter()
            .zip(&abilities)
            .filter(|(mean, truth)| (mean.value - **truth).abs() < 1.96 * mean.error);
        let share = inside.count() as f64 / 800.0;
        assert!((0.92..0.98).contains(&share), "abilities: {share}");
    }
    let share = f64::from(covered as u32) / f64::from(asked as u32);
    assert!((0.90..=0.99).contains(&share), "{share}");
}

#[test]
fn the_common_slope_is_found_again() {
    let (_, answers) =
        answers(&[1.3; 10], &[-2.0, -1.5, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, 1.5, 2.0], 2000, seed("rasch", 0));
    let options = ItemResponse { model: ItemModel::Rasch, ..ItemResponse::default() };
    let found = item_response(answers.view(), None, &options).unwrap();
    assert!(
        (found.slopes[0].value - 1.3).abs() < 3.5 * found.slopes[0].error && found.slopes[0].error < 0.06
    );
    assert!((found.ability_variance().unwrap().value - found.slopes[0].value.powi(2)).abs() < 1e-12);
}

#[test]
fn a_prior_keeps_what_data_leave_open_finite() {
    // The last item is answered rightly by all.
    let mut answers = answers(&[1.0; 5], &[0.0; 5], 60, seed("prior", 0)).1;
    answers.column_mut(4).fill(1);
    let error = item_response(answers.view(), None, &ItemResponse::default()).unwrap_err().to_string();
    assert_eq!(
        error,
        "item response model is undefined: item 4 has no wrong answer: leave it out or give a prior"
    );
    let options = ItemResponse { prior: ItemPrior::weak(), ..ItemResponse::default() };
    let found = item_response(answers.view(), None, &options).unwrap();
    assert!(found.intercepts[4].value > 2.0 && found.intercepts[4].value < 9.0 && found.gradient < 1e-6);
    assert!(found.slopes.iter().all(|slope| slope.value > 0.2 && slope.value < 4.0));
}

#[test]
fn profile_intervals_cover_as_often_as_they_say() {
    let x: Vec<f64> = (1..=8).map(f64::from).collect();
    let curve = Curve::Logistic { floor: Bound::Free, ceiling: Bound::Fixed(1.0) };
    let truth = |x: f64| 0.2 + 0.8 * chance::logistic(-1.2 * (x - 4.5));
    let expected = [-1.2, 4.5, 0.2];
    let mut covered = [0; 4];
    let rounds = 200;
    for number in 0..rounds {
        let points = counts(&x, 100, 0.0, &mut seed("profile", number).rng(), truth);
        let fitted = fit(&points, curve).unwrap();
        for (place, truth) in expected.iter().enumerate() {
            let interval = profile(&points, &fitted, Target::Parameter(place), 0.9).unwrap();
            covered[place] += usize::from(interval.covers(*truth));
        }
        let interval = profile(&points, &fitted, Target::Share(9.0), 0.9).unwrap();
        covered[3] += usize::from(interval.covers(truth(9.0)));
    }
    for covered in covered {
        let share = covered as f64 / rounds as f64;
        assert!((0.83..=0.96).contains(&share), "{share}");
    }
}

#[test]
fn a_profile_sees_what_the_data_leave_open() {
    // The ceiling is never reached, and at least near the last share.
    let points = Points::new(&[1.0, 2.0, 3.0, 4.0], &[2, 5, 11, 24], &[200; 4]).unwrap();
    let curve = Curve::Logistic { floor: Bound::Fixed(0.0), ceiling: Bound::Free };
    let fitted = fit(&points, curve).unwrap();
    let ceiling = profile(&points, &fitted, Target::Parameter(3), 0.95).unwrap();
    assert!(ceiling.hi > 0.99 && ceiling.lo > 0.07 && ceiling.lo < 0.12, "{ceiling}");
}

#[test]
fn resampled_intervals_cover_parameters_and_outcomes() {
    let x: Vec<f64> = (0..8).map(|i| f64::from(1 << i)).collect();
    let curve = Curve::PowerLaw { asymptote: Bound::Free };
    let truth = |x: f64| 0.9 - 0.6 * x.powf(-0.5);
    let (mut share, mut outcome) = (0, 0);
    let rounds = 100;
    for number in 0..rounds {
        let mut rng = seed("power", number).rng();
        let points = counts(&x, 400, 0.0, &mut rng, truth);
        let by = Bootstrap { draws: 100, ..Bootstrap::new(seed("by", number)) };
        let found = resample(&points, curve, Resampling::Binomial, &by).unwrap();
        share += usize::from(found.share(256.0).unwrap().covers(truth(256.0)));
        let next = chance::binomial(&mut rng, 200.0, truth(256.0)) / 200.0;
        outcome += usize::from(found.outcome(256.0, 200).unwrap().covers(next));
    }
    assert!((86..=99).contains(&share), "{share}");
    assert!((88..=100).contains(&outcome), "{outcome}");
}

/// Backtests of many students on one curve; by horizon.
fn backtests(stray: f64, resampling: Resampling, curves: &[Curve]) -> Vec<Vec<Vec<super::super::Forecast>>> {
    let x: Vec<f64> = (1..=10).map(f64::from).collect();
    let series = 40;
    let of = |curve: &Curve| {
        (0..series)
            .map(|number| {
                let mut rng = seed("ladder", number).rng();
                let midpoint = 4.0 + 3.0 * f64::from(number as u32) / f64::from(series as u32);
                let points = counts(&x, 300, stray, &mut rng, |x| chance::logistic(-0.7 * (x - midpoint)));
                let bootstrap = Bootstrap { draws: 100, ..Bootstrap::new(seed("backtest", number)) };
                let options = Backtest { first: 5, horizon: 3, resampling, bootstrap };
                backtest(&points, *curve, &options).unwrap()
            })
            .collect()
    };
    curves.iter().map(of).collect()
}

#[test]
fn backtests_cover_where_the_model_is_right_and_it_beats_the_baselines() {
    let found = backtests(0.0, Resampling::Binomial, &[Curve::logistic(), Curve::LastValue, Curve::Linear]);
    let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(3)) };
    let views: Vec<Vec<&[_]>> =
        found.iter().map(|series| series.iter().map(Vec::as_slice).collect()).collect();
    let reports: Vec<_> = views.iter().map(|series| by_horizon(series, &by).unwrap()).collect();
    for (i, report) in reports[0].iter().enumerate() {
        assert_eq!(report.forecasts, 40 * (5 - i));
        assert!((0.90..=0.99).contains(&report.coverage.value), "{report:?}");
        assert!(report.bias.value.abs() < 0.02, "{report:?}");
        for other in &reports[1..] {
            assert!(report.crps.value < 0.8 * other[i].crps.value, "{report:?} {:?}", other[i]);
        }
    }
    assert_eq!(tested_reach(&views[0], 100).unwrap(), 3.0);
    let flat: Vec<Vec<_>> = found.iter().map(|series| series.concat()).collect();
    let weights = stack(&flat.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    assert!(weights[0] > 0.9, "{weights:?}");
}

#[test]
fn straying_levels_need_intervals_that_know_of_it() {
    let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(3)) };
    let cover = |resampling| {
        let found = backtests(0.35, resampling, &[Curve::logistic()]);
        let series: Vec<&[_]> = found[0].iter().map(Vec::as_slice).collect();
        by_horizon(&series, &by).unwrap()[0].coverage.value
    };
    let (blind, knowing) = (cover(Resampling::Binomial), cover(Resampling::Straying));
    assert!(blind < 0.85 && (0.90..=0.99).contains(&knowing), "{blind} {knowing}");
}

#[test]
fn clusters_widen_what_strays_together() {
    // Ten families of items, each with its own midpoint.
    let (mut x, mut right, mut clusters) = (vec![], vec![], vec![]);
    let mut rng = seed("clusters", 0).rng();
    for family in 0..10 {
        let midpoint = 4.0 + 1.5 * chance::normal(&mut rng);
        for level in 1..=7 {
            let share = chance::logistic(midpoint - f64::from(level));
            x.push(f64::from(level));
            right.push(chance::binomial(&mut rng, 100.0, share) as u64);
            clusters.push(family);
        }
    }
    let points = Points::clustered(&x, &right, &[100; 70], &clusters).unwrap();
    let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(1)) };
    let width = |resampling| {
        let midpoint = resample(&points, Curve::logistic(), resampling, &by).unwrap().parameters()[1];
        midpoint.hi - midpoint.lo
    };
    assert!(width(Resampling::Clusters) > 4.0 * width(Resampling::Binomial));
}

#[test]
fn every_curve_fits_shares_at_their_ends() -> Result<(), EvaluationError> {
    let free = Bound::Free;
    let curves = [
        Curve::logistic(),
        Curve::Logistic { floor: free, ceiling: free },
        Curve::PowerLaw { asymptote: free },
        Curve::PowerLaw { asymptote: Bound::Fixed(0.0) },
        Curve::ClippedLinear { floor: free, ceiling: free },
        Curve::ClippedLinear { floor: Bound::Fixed(0.0), ceiling: Bound::Fixed(1.0) },
        Curve::Monotone(Trend::Falling),
        Curve::LastValue,
        Curve::Linear,
    ];
    let x = [1.0, 2.0, 3.0, 4.0, 5.0];
    for right in [[0; 5], [20; 5], [20, 20, 20, 0, 0], [20, 0, 20, 0, 20], [0, 0, 0, 20, 20]] {
        let points = Points::new(&x, &right, &[20; 5])?;
        for curve in curves {
            let found = fit(&points, curve)?;
            assert!(
                found.log_likelihood.is_finite() && found.parameters.iter().all(|p| p.1.is_finite()),
                "{curve:?}"
            );
            let by = Bootstrap { draws: 20, ..Bootstrap::new(Seed::new(1)) };
            let found = resample(&points, curve, Resampling::Binomial, &by)?;
            for x in [0.5, 3.5, 9.0, 1e6] {
                let outcome = found.outcome(x, 30)?;
                assert!(0.0 <= outcome.lo && outcome.lo <= outcome.hi && outcome.hi <= 1.0, "{curve:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn levels_that_count_by_ratios_are_levels_of_their_logarithm() -> Result<(), EvaluationError> {
    let sizes = [6e4, 2e5, 8e5, 3e6, 1.2e7, 5e7];
    let right = [520, 561, 632, 699, 772, 821];
    let points = Points::new(&sizes, &right, &[1000; 6])?.spaced(Spacing::Ratio)?;
    let logs: Vec<f64> = sizes.iter().map(|size: &f64| size.ln()).collect();
    let plain = Points::new(&logs, &right, &[1000; 6])?;
    let by = Bootstrap { draws: 40, ..Bootstrap::new(Seed::new(1)) };
    let free = Bound::Free;
    for curve in [
        Curve::Logistic { floor: Bound::Fixed(0.5), ceiling: free },
        Curve::ClippedLinear { floor: Bound::Fixed(0.5), ceiling: Bound::Fixed(1.0) },
        Curve::Linear,
        Curve::Monotone(Trend::Rising),
    ] {
        let (found, other) = (fit(&points, curve)?, fit(&plain, curve)?);
        for size in [1e5, 3e5, 4e7, 1e9] {
            assert!((found.at(size)? - other.at(size.ln())?).abs() < 1e-9, "{curve:?} {size}");
        }
        if let (Some(found), Some(other)) = (found.parameters.get(1), other.parameters.get(1)) {
            let other = if found.0 == "midpoint" { other.1.exp() } else { other.1 };
            assert!((found.1 / other - 1.0).abs() < 1e-6, "{curve:?}: {found:?} {other}");
        }
        let options = Backtest { first: 4, horizon: 2, resampling: Resampling::Binomial, bootstrap: by };
        let (one, two) = (backtest(&points, curve, &options)?, backtest(&plain, curve, &options)?);
        for (one, two) in one.iter().zip(&two) {
            assert!((one.distance - two.distance).abs() < 1e-12 && (one.crps - two.crps).abs() < 1e-3);
        }
    }
    // A power law is one in the level itself, whichever way distances count.
    let power = Curve::PowerLaw { asymptote: free };
    let even = Points::new(&sizes, &right, &[1000; 6])?;
    assert!((fit(&points, power)?.at(1e9)? - fit(&even, power)?.at(1e9)?).abs() < 1e-9);
    let zero = Points::new(&[0.0, 1.0], &[1, 2], &[9; 2])?.spaced(Spacing::Ratio).unwrap_err().to_string();
    assert_eq!(zero, "level 0 is 0: expected above 0, where levels count by ratios");
    assert!(fit(&points, Curve::logistic())?.at(0.0).is_err());
    let options = Extrapolation {
        resampling: Resampling::Binomial,
        bootstrap: by,
        tested: 10.0_f64.ln(),
        beyond: Beyond::Refuse,
    };
    let members = [(Curve::logistic(), 1.0)];
    assert_eq!(extrapolate(&points, &members, &[(5e8, 100)], &options)?[0].reach, Reach::Tested);
    let far = extrapolate(&points, &members, &[(1e9, 100)], &options).unwrap_err().to_string();
    assert_eq!(
        far,
        "prediction is undefined: level 1000000000 is 20.00 times the last, and 10.00 times was tested"
    );
    Ok(())
}

#[test]
fn a_mixture_is_tested_as_a_whole() -> Result<(), EvaluationError> {
    let points = Points::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[97, 90, 71, 48, 29, 11], &[100; 6])?;
    let by = Bootstrap { draws: 200, ..Bootstrap::new(Seed::new(5)) };
    let options = Backtest { first: 3, horizon: 2, resampling: Resampling::Binomial, bootstrap: by };
    let (logistic, linear) = (Curve::logistic(), Curve::Linear);
    let one = backtest(&points, logistic, &options)?;
    assert_eq!(backtest_mixture(&points, &[(logistic, 1.0), (linear, 0.0)], &options)?, one);
    let two = backtest(&points, linear, &options)?;
    let both = backtest_mixture(&points, &[(logistic, 0.5), (linear, 0.5)], &options)?;
    for ((one, two), both) in one.iter().zip(&two).zip(&both) {
        let mean = 0.5 * (one.predicted.value + two.predicted.value);
        assert!((both.predicted.value - mean).abs() < 1e-12);
        let score = (0.5 * one.log_score.exp() + 0.5 * two.log_score.exp()).ln();
        assert!((both.log_score - score).abs() < 1e-9);
        assert!(both.predicted.lo <= one.predicted.lo.max(two.predicted.lo) + 1e-12);
    }
    let error = backtest_mixture(&points, &[(logistic, 0.5)], &options).unwrap_err().to_string();
    assert_eq!(error, "sum of the weights = 0.5: expected 1");
    Ok(())
}

#[test]
fn a_monotone_curve_through_every_level_does_not_stray() -> Result<(), EvaluationError> {
    let points = Points::new(&[1.0, 2.0, 3.0], &[90, 50, 10], &[100; 3])?;
    let by = Bootstrap { draws: 50, ..Bootstrap::new(Seed::new(1)) };
    let curve = Curve::Monotone(Trend::Falling);
    let straying = resample(&points, curve, Resampling::Straying, &by)?.share(3.0)?;
    assert_eq!(straying, resample(&points, curve, Resampling::Binomial, &by)?.share(3.0)?);
    assert!(
        resample(
            &points,
            Curve::Logistic { floor: Bound::Free, ceiling: Bound::Fixed(1.0) },
            Resampling::Straying,
            &by
        )
        .is_err()
    );
    Ok(())
}
