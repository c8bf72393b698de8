//! Names of the losses, their defaults, and the ranges of their parameters.

use super::Loss;
use crate::LearnerError;
use superalign_core::Seed;

const SHARE: &str = "a share in [0, 1]";

impl Loss {
    /// The names of all losses.
    pub const NAMES: [&'static str; 13] = [
        "xent",
        "kl",
        "logconf",
        "product",
        "entropy",
        "window",
        "gce",
        "bootstrap-soft",
        "bootstrap-hard",
        "small-loss",
        "confident-learning",
        "label-smoothing",
        "adaptconf",
    ];

    /// The loss of that name, with its default parameters.
    ///
    /// # Errors
    /// [`LearnerError::UnknownLoss`], which lists the names, for any other.
    ///
    /// ```
    /// use superalign_learner::Loss;
    /// assert_eq!(Loss::named("gce")?, Loss::Gce { q: 0.7 });
    /// assert!(Loss::named("gec").is_err());
    /// for name in Loss::NAMES {
    ///     assert_eq!(Loss::named(name)?.name(), name);
    /// }
    /// # Ok::<(), superalign_learner::LearnerError>(())
    /// ```
    pub fn named(name: &str) -> Result<Self, LearnerError> {
        Ok(match name {
            "xent" => Self::CrossEntropy,
            "kl" => Self::Kl,
            "logconf" => Self::LogConf { max_confidence: 0.5, warmup: 0.2 },
            "product" => Self::Product { label_power: 1.0, own_power: 1.0 },
            "entropy" => Self::Entropy { max_confidence: 0.5, warmup: 0.2 },
            "window" => Self::Window { radius: 0.15 },
            "gce" => Self::Gce { q: 0.7 },
            "bootstrap-soft" => Self::BootstrapSoft { trust: 0.95 },
            "bootstrap-hard" => Self::BootstrapHard { trust: 0.8 },
            "small-loss" => Self::SmallLoss { noise: 0.2, warmup: 0.2 },
            "confident-learning" => Self::ConfidentLearning { folds: 5, seed: Seed::new(0) },
            "label-smoothing" => Self::LabelSmoothing { smoothing: 0.1 },
            "adaptconf" => Self::AdaptConf { temperature: 1.0, warmup: 0.25 },
            _ => return Err(LearnerError::UnknownLoss { found: name.to_owned() }),
        })
    }

    /// Its name, one of [`Loss::NAMES`].
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::CrossEntropy => "xent",
            Self::Kl => "kl",
            Self::LogConf { .. } => "logconf",
            Self::Product { .. } => "product",
            Self::Entropy { .. } => "entropy",
            Self::Window { .. } => "window",
            Self::Gce { .. } => "gce",
            Self::BootstrapSoft { .. } => "bootstrap-soft",
            Self::BootstrapHard { .. } => "bootstrap-hard",
            Self::SmallLoss { .. } => "small-loss",
            Self::ConfidentLearning { .. } => "confident-learning",
            Self::LabelSmoothing { .. } => "label-smoothing",
            Self::AdaptConf { .. } => "adaptconf",
        }
    }

    /// Whether every parameter is within its range.
    ///
    /// # Errors
    /// [`LearnerError::Setting`] for the first one that is not.
    pub fn check(&self) -> Result<(), LearnerError> {
        let share = |x: f64| (0.0..=1.0).contains(&x);
        let below_one = |key, x: f64| (key, x, "a share in [0, 1)", (0.0..1.0).contains(&x));
        let above_none = |key, x: f64| (key, x, "a share in (0, 1]", x > 0.0 && x <= 1.0);
        let any_share = |key, x: f64| (key, x, SHARE, share(x));
        let not_negative = |key, x: f64| (key, x, "a finite number of at least 0", x >= 0.0 && x.is_finite());
        let parameters = match *self {
            Self::CrossEntropy | Self::Kl => vec![],
            Self::LogConf { max_confidence, warmup } => {
                vec![any_share("max_confidence", max_confidence), any_share("warmup", warmup)]
            }
            Self::Product { label_power, own_power } => {
                vec![not_negative("label_power", label_power), not_negative("own_power", own_power)]
            }
            Self::Entropy { max_confidence, warmup } => {
                vec![below_one("max_confidence", max_confidence), any_share("warmup", warmup)]
            }
            Self::Window { radius } => vec![not_negative("radius", radius)],
            Self::Gce { q } => vec![above_none("q", q)],
            Self::BootstrapSoft { trust } | Self::BootstrapHard { trust } => vec![above_none("trust", trust)],
            Self::SmallLoss { noise, warmup } => {
                vec![below_one("noise", noise), any_share("warmup", warmup)]
            }
            Self::ConfidentLearning { folds, .. } => {
                vec![("folds", folds as f64, "at least 2", folds >= 2)]
            }
            Self::LabelSmoothing { smoothing } => vec![any_share("smoothing", smoothing)],
            Self::AdaptConf { temperature, warmup } => {
                let positive = temperature > 0.0 && temperature.is_finite();
                let temperature = ("temperature", temperature, "a finite number above 0", positive);
                vec![temperature, any_share("warmup", warmup)]
            }
        };
        match parameters.into_iter().find(|(.., holds)| !holds) {
            Some((key, found, expected, _)) => Err(LearnerError::Setting { key, found, expected }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_losses_that_are_fit_to_use() {
        for name in Loss::NAMES {
            let loss = Loss::named(name).expect("a name from the list");
            assert_eq!((loss.name(), loss.check()), (name, Ok(())));
        }
        assert_eq!(Loss::default().name(), "xent");
    }

    #[test]
    fn errors_name_what_there_is() {
        let bad = [
            Loss::LogConf { max_confidence: 1.2, warmup: 0.2 },
            Loss::Product { label_power: -1.0, own_power: 1.0 },
            Loss::Entropy { max_confidence: 1.0, warmup: 0.2 },
            Loss::Window { radius: f64::NAN },
            Loss::Gce { q: 0.0 },
            Loss::BootstrapSoft { trust: 1.5 },
            Loss::BootstrapHard { trust: 0.0 },
            Loss::SmallLoss { noise: 1.0, warmup: 0.2 },
            Loss::ConfidentLearning { folds: 1, seed: Seed::new(0) },
            Loss::LabelSmoothing { smoothing: -0.1 },
            Loss::AdaptConf { temperature: 0.0, warmup: 0.2 },
        ];
        let mut messages: Vec<String> = bad
            .iter()
            .map(|loss| format!("{}: {}", loss.name(), loss.check().expect_err("out of range")))
            .collect();
        messages.push(Loss::named("gec").expect_err("not a loss").to_string());
        insta::assert_snapshot!(messages.join("\n"), @r#"
        logconf: max_confidence = 1.2: expected a share in [0, 1]
        product: label_power = -1: expected a finite number of at least 0
        entropy: max_confidence = 1: expected a share in [0, 1)
        window: radius = NaN: expected a finite number of at least 0
        gce: q = 0: expected a share in (0, 1]
        bootstrap-soft: trust = 1.5: expected a share in (0, 1]
        bootstrap-hard: trust = 0: expected a share in (0, 1]
        small-loss: noise = 1: expected a share in [0, 1)
        confident-learning: folds = 1: expected at least 2
        label-smoothing: smoothing = -0.1: expected a share in [0, 1]
        adaptconf: temperature = 0: expected a finite number above 0
        loss "gec" is not known; expected one of xent, kl, logconf, product, entropy, window, gce, bootstrap-soft, bootstrap-hard, small-loss, confident-learning, label-smoothing, adaptconf
        "#);
    }
}
