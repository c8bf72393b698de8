//! RewardBench 2: six domains of equal weight.

use super::items::Prompts;
use super::ties::{self, TiesItem};
use super::{Missing, interval, parts};
use crate::{Bootstrap, Estimate, EvaluationError};

/// A domain of RewardBench 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Answers without false statements; 475 items.
    Factuality,
    /// Exact instructions; 160 items.
    PreciseIf,
    /// 183 items.
    Math,
    /// 450 items.
    Safety,
    /// Answers to the question asked; 495 items.
    Focus,
    /// Several equally correct answers; 102 items: see [`Ties`](super::Ties).
    Ties,
}

impl Domain {
    /// All of them, in the order of the leaderboard.
    pub const ALL: [Self; 6] =
        [Self::Factuality, Self::PreciseIf, Self::Math, Self::Safety, Self::Focus, Self::Ties];

    /// The name in the column `subset`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Factuality => "Factuality",
            Self::PreciseIf => "Precise IF",
            Self::Math => "Math",
            Self::Safety => "Safety",
            Self::Focus => "Focus",
            Self::Ties => "Ties",
        }
    }
}

/// Scores of RewardBench 2, each with its own reason where it does not exist.
#[derive(Clone, Debug, PartialEq)]
pub struct V2<T> {
    /// The mean credit of each domain, for Ties its score, in the order of [`Domain::ALL`].
    pub domains: [Result<T, EvaluationError>; 6],
    /// Their unweighted mean.
    pub overall: Result<T, EvaluationError>,
}

/// The scores of accuracies by domain, given with their names; that of Ties is
/// [`Ties::overall`](super::Ties::overall).
///
/// # Errors
/// A name that is no domain, or occurs twice; an accuracy outside `0..=1`, for Ties outside `-0.01..=1.01`. A missing
/// domain has its own error: see [`Missing`].
///
/// ```
/// use superalign_evaluation::reward_bench::{Missing, v2_scores};
/// let given = [("Factuality", 0.6), ("Math", 0.8)];
/// let refused = v2_scores(&given, Missing::Refuse)?.overall.unwrap_err().to_string();
/// assert_eq!(refused, "overall is undefined: there is no Precise IF, Safety, Focus, Ties");
/// assert!((v2_scores(&given, Missing::Partial)?.overall? - 0.7).abs() < 1e-12);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn v2_scores(accuracies: &[(&str, f64)], missing: Missing) -> Result<V2<f64>, EvaluationError> {
    let mut values = [None; 6];
    for &(name, accuracy) in accuracies {
        let domain = domain(name)?;
        if values[domain as usize].replace(accuracy).is_some() {
            return Err(EvaluationError::undefined("score", format!("domain {name:?} is given twice")));
        }
    }
    check(&values)?;
    Ok(V2 {
        domains: Domain::ALL.map(|domain| values[domain as usize].ok_or_else(|| absent(domain))),
        overall: v2_overall(values, missing),
    })
}

/// As [`v2_scores`], from the items themselves and with intervals: the percentile bootstrap over prompts.
///
/// `subsets` holds the name of the domain of each item that is not of Ties, `credits` its credit, `prompts` a label of
/// its prompt; without labels, each item has a prompt of its own. `ties` holds the items of Ties, none where there
/// are none. Domains are resampled each within itself, but together where they share prompts.
///
/// # Errors
/// As [`v2_scores`] and, with items of Ties, as [`ties_scores`](super::ties_scores); other numbers of credits or
/// prompts than of items; a credit outside `0..=1`; settings of the bootstrap out of range. A score of which a domain
/// has one prompt, or that is undefined in more than one resample in twenty, has its own error.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_evaluation::{Bootstrap, reward_bench::{Domain, Missing, v2_estimates}};
/// let credits: Vec<f64> = (0..300).map(|n| f64::from(n % 3 != 0)).collect();
/// let by = Bootstrap::new(Seed::new(1));
/// let found = v2_estimates(&["Math"; 300], &credits, None, &[], Missing::Refuse, &by)?;
/// let math = found.domains[Domain::Math as usize].clone()?;
/// assert!(math.lo > 0.6 && math.hi < 0.73);
/// assert!(found.overall.is_err());
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn v2_estimates<S: AsRef<str>>(
    subsets: &[S],
    credits: &[f64],
    prompts: Option<&[u32]>,
    ties: &[TiesItem<'_>],
    missing: Missing,
    by: &Bootstrap,
) -> Result<V2<Estimate>, EvaluationError> {
    by.check()?;
    let place = |name: &S| match domain(name.as_ref())? {
        Domain::Ties => Err(EvaluationError::undefined("credit", "an item of Ties has none; it has scores")),
        other => Ok(other as usize),
    };
    let of_item = subsets.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let items = Prompts::new(&of_item, credits, prompts, Domain::ALL.len())?;
    let mut value = items.accuracies();
    let mut draws: Vec<Vec<f64>> =
        (0..by.draws as u64).map(|n| items.resample(&mut by.seed.nth(n).rng())).collect();
    if !ties.is_empty() {
        let prompts = ties::prompts(ties)?;
        value[Domain::Ties as usize] = ties::of(&prompts).overall;
        for (draw, ties) in draws.iter_mut().zip(ties::draws(&prompts, by)?) {
            draw[Domain::Ties as usize] = ties.overall;
        }
    }
    let estimate = |domain: Domain| {
        let place = domain as usize;
        if value[place].is_nan() {
            return Err(absent(domain));
        }
        if domain != Domain::Ties {
            items.check_spread(domain.name(), &[place], |place| Domain::ALL[place].name())?;
        }
        interval(by, domain.name(), value[place], draws.iter().map(|draw| draw[place]).collect())
    };
    let overall = parts("overall", &Domain::ALL.map(Domain::name), |place| !value[place].is_nan(), missing)
        .and_then(|used| {
            items.check_spread("overall", &used, |place| Domain::ALL[place].name())?;
            let mean = |values: &[f64]| used.iter().map(|&n| values[n]).sum::<f64>() / used.len() as f64;
            interval(by, "overall", mean(&value), draws.iter().map(|draw| mean(draw)).collect())
        });
    Ok(V2 { domains: Domain::ALL.map(estimate), overall })
}

/// The overall score: the unweighted mean of the six domains, in the order of [`Domain::ALL`].
///
/// # Errors
/// A missing domain; with [`Missing::Partial`], six of them; a score outside `0..=1`, for Ties outside `-0.01..=1.01`.
///
/// ```
/// use superalign_evaluation::reward_bench::{Missing, v2_overall};
/// let found = v2_overall([0.5347, 0.3563, 0.6066, 0.7178, 0.5737, 0.6527].map(Some), Missing::Refuse)?;
/// assert_eq!(format!("{found:.4}"), "0.5736");
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn v2_overall(domains: [Option<f64>; 6], missing: Missing) -> Result<f64, EvaluationError> {
    check(&domains)?;
    let used = parts("overall", &Domain::ALL.map(Domain::name), |n| domains[n].is_some(), missing)?;
    Ok(used.iter().filter_map(|&place| domains[place]).sum::<f64>() / used.len() as f64)
}

fn check(values: &[Option<f64>; 6]) -> Result<(), EvaluationError> {
    for (index, value) in values.iter().enumerate() {
        let Some(found) = *value else { continue };
        if index != Domain::Ties as usize {
            super::check_share("score of domain", index, found)?;
        } else if !(-0.01..=1.01 + 1e-9).contains(&found) {
            let (what, expected) = ("score of domain", "a number from -0.01 to 1.01, for Ties");
            return Err(EvaluationError::Value { what, index, found, expected });
        }
    }
    Ok(())
}

fn domain(name: &str) -> Result<Domain, EvaluationError> {
    Domain::ALL.into_iter().find(|domain| domain.name() == name).ok_or_else(|| {
        let names = Domain::ALL.map(Domain::name).join(", ");
        EvaluationError::undefined("score", format!("RewardBench 2 has no domain {name:?}; it has {names}"))
    })
}

fn absent(domain: Domain) -> EvaluationError {
    EvaluationError::undefined(domain.name(), "it is not given")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reward_bench::TiesKind;
    use superalign_core::Seed;

    #[test]
    fn what_is_no_score_is_refused() {
        let message = |given: &[(&str, f64)]| v2_scores(given, Missing::Partial).unwrap_err().to_string();
        assert_eq!(
            message(&[("math", 0.5)]),
            "score is undefined: RewardBench 2 has no domain \"math\"; it has Factuality, Precise IF, Math, Safety, Focus, Ties"
        );
        assert_eq!(
            message(&[("Math", 0.5), ("Math", 0.5)]),
            "score is undefined: domain \"Math\" is given twice"
        );
        assert_eq!(message(&[("Math", 1.005)]), "score of domain 2 is 1.005: expected a number from 0 to 1");
        assert_eq!(
            message(&[("Ties", 1.1)]),
            "score of domain 5 is 1.1: expected a number from -0.01 to 1.01, for Ties"
        );
        let none = v2_scores(&[], Missing::Partial).unwrap();
        assert_eq!(none.domains[2].clone().unwrap_err().to_string(), "Math is undefined: it is not given");
        let ties =
            v2_estimates(&["Ties"], &[1.0], None, &[], Missing::Partial, &Bootstrap::new(Seed::new(1)));
        assert_eq!(
            ties.unwrap_err().to_string(),
            "credit is undefined: an item of Ties has none; it has scores"
        );
    }

    #[test]
    fn the_interval_of_the_whole_is_made_of_independent_parts() {
        let names: Vec<&str> = Domain::ALL[..5].iter().flat_map(|domain| vec![domain.name(); 200]).collect();
        let credits: Vec<f64> = (0..1000).map(|n| f64::from(n * 7919 % 10 < 5)).collect();
        let scores: Vec<[f64; 3]> = (0..50).map(|n| [2.0, 1.9, f64::from(n * 37 % 50) / 10.0]).collect();
        let mut ties = Vec::new();
        for (prompt, scores) in (0..).zip(&scores) {
            ties.push(TiesItem { kind: TiesKind::Tied, prompt, correct: 2, scores });
            ties.push(TiesItem { kind: TiesKind::Reference, prompt, correct: 1, scores });
        }
        let by = Bootstrap { draws: 4000, ..Bootstrap::new(Seed::new(2)) };
        let found = v2_estimates(&names, &credits, None, &ties, Missing::Refuse, &by).unwrap();
        let width = |estimate: &Estimate| estimate.hi - estimate.lo;
        let overall = found.overall.unwrap();
        let parts: Vec<Estimate> = found.domains.into_iter().map(Result::unwrap).collect();
        let expected = parts.iter().map(|part| width(part).powi(2)).sum::<f64>().sqrt() / 6.0;
        assert!((width(&overall) / expected - 1.0).abs() < 0.06, "{overall} {expected}");
        let alone = crate::reward_bench::ties_estimates(&ties, &by).unwrap();
        assert_eq!(parts[5], alone.overall);
    }
}
