//! Sections of one's own: subsets and weights from a [`Table`] in place of the official ones.

use super::items::{Accuracy, Prompts};
use super::{Missing, interval, parts};
use crate::{Bootstrap, Estimate, EvaluationError};

/// Which subsets make up which section, and what they weigh. Checked when it is used.
///
/// A section is the mean of its subsets' accuracies by [`OwnSubset::weight`], the overall score that of the sections by
/// [`OwnSection::weight`]. With the official weights the numbers are those of [`v1_scores`](super::v1_scores) without
/// the prior sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The sections, in the order of the scores.
    pub sections: Vec<OwnSection>,
    /// The subsets, in any order.
    pub subsets: Vec<OwnSubset>,
}

/// A section of one's own.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnSection {
    /// Its name.
    pub name: String,
    /// What it weighs in the overall score: a finite number above 0.
    pub weight: f64,
}

/// A subset of one's own.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnSubset {
    /// Its name, as the items have it.
    pub name: String,
    /// Name of the section that it counts for.
    pub section: String,
    /// What it weighs there.
    pub weight: Weight,
}

/// What a subset weighs in its section.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Weight {
    /// The number of its items: every item counts the same.
    #[default]
    Items,
    /// So much: a finite number above 0.
    Fixed(f64),
}

/// Scores by a [`Table`], each with its own reason where it does not exist.
#[derive(Clone, Debug, PartialEq)]
pub struct Own<T> {
    /// The sections, in the order of [`Table::sections`].
    pub sections: Vec<Result<T, EvaluationError>>,
    /// Their weighted mean.
    pub overall: Result<T, EvaluationError>,
}

impl Table {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// No section; two sections or two subsets of one name; a subset of a section that is not there; a section without
    /// subsets; a weight that is no finite number above 0.
    ///
    /// ```
    /// use superalign_evaluation::reward_bench::{OwnSection, OwnSubset, Table, Weight};
    /// let section = OwnSection { name: "safety".into(), weight: 1.0 };
    /// let subset = OwnSubset { name: "refuse".into(), section: "safty".into(), weight: Weight::Items };
    /// let table = Table { sections: vec![section], subsets: vec![subset] };
    /// let found = table.check().unwrap_err().to_string();
    /// assert_eq!(found, "table is undefined: subset \"refuse\" is of section \"safty\", which is not among safety");
    /// ```
    pub fn check(&self) -> Result<(), EvaluationError> {
        self.places().map(|_| ())
    }

    /// The section of each subset, by number.
    fn places(&self) -> Result<Vec<usize>, EvaluationError> {
        let wrong = |reason: String| Err(EvaluationError::undefined("table", reason));
        if self.sections.is_empty() {
            return wrong("it has no section".to_owned());
        }
        let fixed = self.subsets.iter().filter_map(|subset| match subset.weight {
            Weight::Items => None,
            Weight::Fixed(weight) => Some((&subset.name, weight)),
        });
        for (name, weight) in self.sections.iter().map(|section| (&section.name, section.weight)).chain(fixed)
        {
            if !(weight > 0.0 && weight.is_finite()) {
                return wrong(format!("the weight of {name:?} is {weight}, not a finite number above 0"));
            }
        }
        let names: Vec<&str> = self.sections.iter().map(|section| section.name.as_str()).collect();
        if let Some(name) = twice(&names) {
            return wrong(format!("section {name:?} is there twice"));
        }
        if let Some(name) = twice(&self.subsets.iter().map(|subset| subset.name.as_str()).collect::<Vec<_>>())
        {
            return wrong(format!("subset {name:?} is there twice"));
        }
        let mut places = Vec::with_capacity(self.subsets.len());
        for OwnSubset { name, section, .. } in &self.subsets {
            match names.iter().position(|known| known == section) {
                Some(place) => places.push(place),
                None => {
                    let known = names.join(", ");
                    return wrong(format!(
                        "subset {name:?} is of section {section:?}, which is not among {known}"
                    ));
                }
            }
        }
        match (0..names.len()).find(|place| !places.contains(place)) {
            Some(place) => wrong(format!("section {:?} has no subset", names[place])),
            None => Ok(places),
        }
    }

    fn place(&self, name: &str) -> Result<usize, EvaluationError> {
        self.subsets.iter().position(|subset| subset.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.subsets.iter().map(|subset| subset.name.as_str()).collect();
            let reason = format!("the table has no subset {name:?}; it has {}", names.join(", "));
            EvaluationError::undefined("score", reason)
        })
    }
}

fn twice<'a>(names: &[&'a str]) -> Option<&'a str> {
    names.iter().enumerate().find(|(place, name)| names[..*place].contains(name)).map(|(_, name)| *name)
}

/// The scores of accuracies by subset.
///
/// # Errors
/// A table that makes no sense; a subset that it does not have, or that occurs twice; an accuracy outside `0..=1`. A
/// score with missing parts has its own error: see [`Missing`].
///
/// ```
/// use superalign_evaluation::reward_bench::{Accuracy, Missing, OwnSection, OwnSubset, Table, Weight, own_scores};
/// let subset = |name: &str, weight| OwnSubset { name: name.into(), section: "safety".into(), weight };
/// let table = Table {
///     sections: vec![OwnSection { name: "safety".into(), weight: 1.0 }],
///     subsets: vec![subset("refuse", Weight::Items), subset("respond", Weight::Fixed(30.0))],
/// };
/// let refuse = Accuracy { subset: "refuse", items: 10, value: 0.9 };
/// let respond = Accuracy { subset: "respond", items: 500, value: 0.5 };
/// let found = own_scores(&table, &[refuse.clone(), respond], Missing::Refuse)?;
/// assert!((found.overall? - (0.9 * 10.0 + 0.5 * 30.0) / 40.0).abs() < 1e-12);
/// let found = own_scores(&table, &[refuse], Missing::Refuse)?.sections[0].clone().unwrap_err();
/// assert_eq!(found.to_string(), "section is undefined: safety: there is no respond");
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn own_scores(
    table: &Table,
    accuracies: &[Accuracy<'_>],
    missing: Missing,
) -> Result<Own<f64>, EvaluationError> {
    let places = table.places()?;
    let mut values = vec![f64::NAN; places.len()];
    let mut items = vec![0; places.len()];
    for (index, accuracy) in accuracies.iter().enumerate() {
        let place = table.place(accuracy.subset)?;
        if !values[place].is_nan() {
            let reason = format!("subset {:?} is given twice", accuracy.subset);
            return Err(EvaluationError::undefined("score", reason));
        }
        super::check_share("accuracy", index, accuracy.value)?;
        if accuracy.items == 0 {
            let (what, expected) = ("number of items of accuracy", "at least 1");
            return Err(EvaluationError::Value { what, index, found: 0.0, expected });
        }
        (values[place], items[place]) = (accuracy.value, accuracy.items);
    }
    let plan = Plan::new(table, &places, &items, missing);
    let (sections, overall) = plan.values(&values);
    let found = plan.sections.into_iter().zip(sections);
    Ok(Own {
        sections: found.map(|(used, value)| used.map(|_| value)).collect(),
        overall: plan.overall.map(|_| overall),
    })
}

/// As [`own_scores`], from the items themselves and with intervals: the percentile bootstrap over prompts, as
/// [`v1_estimates`](super::v1_estimates).
///
/// # Errors
/// As [`own_scores`]; other numbers of credits or prompts than of items; a credit outside `0..=1`; settings of the
/// bootstrap out of range. A score of which a subset has one prompt, or that is undefined in more than one resample in
/// twenty, has its own error.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_evaluation::Bootstrap;
/// use superalign_evaluation::reward_bench::{Missing, OwnSection, OwnSubset, Table, Weight, own_estimates};
/// let subset = OwnSubset { name: "refuse".into(), section: "safety".into(), weight: Weight::Items };
/// let section = OwnSection { name: "safety".into(), weight: 1.0 };
/// let table = Table { sections: vec![section], subsets: vec![subset] };
/// let credits: Vec<f64> = (0..200).map(|n| f64::from(n % 4 != 0)).collect();
/// let by = Bootstrap::new(Seed::new(1));
/// let found = own_estimates(&table, &["refuse"; 200], &credits, None, Missing::Refuse, &by)?.overall?;
/// assert!(found.value == 0.75 && found.lo > 0.68 && found.hi < 0.82);
/// # Ok::<(), superalign_evaluation::EvaluationError>(())
/// ```
pub fn own_estimates<S: AsRef<str>>(
    table: &Table,
    subsets: &[S],
    credits: &[f64],
    prompts: Option<&[u32]>,
    missing: Missing,
    by: &Bootstrap,
) -> Result<Own<Estimate>, EvaluationError> {
    by.check()?;
    let places = table.places()?;
    let of_item = subsets.iter().map(|name| table.place(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let prompts = Prompts::new(&of_item, credits, prompts, places.len())?;
    let mut items = vec![0; places.len()];
    of_item.iter().for_each(|&place| items[place] += 1);
    let plan = Plan::new(table, &places, &items, missing);
    let (values, overall) = plan.values(&prompts.accuracies());
    let draws: Vec<(Vec<f64>, f64)> =
        (0..by.draws as u64).map(|n| plan.values(&prompts.resample(&mut by.seed.nth(n).rng()))).collect();
    let name = |place: usize| table.subsets[place].name.as_str();
    let section = |number: usize| {
        let used = plan.sections[number].as_ref().map_err(Clone::clone)?;
        let found = prompts.check_spread("section", used, name).and_then(|()| {
            interval(by, "section", values[number], draws.iter().map(|draw| draw.0[number]).collect())
        });
        found.map_err(|reason| of_section(&table.sections[number].name, reason))
    };
    let whole = plan.overall.as_ref().map_err(Clone::clone).and_then(|counted| {
        let used: Vec<usize> = counted.iter().flat_map(|&n| &plan.sections[n]).flatten().copied().collect();
        prompts.check_spread("overall", &used, name)?;
        interval(by, "overall", overall, draws.iter().map(|draw| draw.1).collect())
    });
    Ok(Own { sections: (0..table.sections.len()).map(section).collect(), overall: whole })
}

/// The error of a section, with its name.
fn of_section(name: &str, error: EvaluationError) -> EvaluationError {
    match error {
        EvaluationError::Undefined { reason, .. } => {
            EvaluationError::undefined("section", format!("{name}: {reason}"))
        }
        other => other,
    }
}

/// Which subsets make up each section and what they weigh, or why it does not exist.
struct Plan<'a> {
    table: &'a Table,
    weights: Vec<f64>,
    sections: Vec<Result<Vec<usize>, EvaluationError>>,
    overall: Result<Vec<usize>, EvaluationError>,
}

impl<'a> Plan<'a> {
    fn new(table: &'a Table, places: &[usize], items: &[usize], missing: Missing) -> Self {
        let section = |number: usize| {
            let of: Vec<usize> = (0..places.len()).filter(|&place| places[place] == number).collect();
            let names: Vec<&str> = of.iter().map(|&place| table.subsets[place].name.as_str()).collect();
            let found = parts("section", &names, |n| items[of[n]] > 0, missing)
                .map_err(|reason| of_section(&table.sections[number].name, reason))?;
            Ok(found.into_iter().map(|n| of[n]).collect::<Vec<usize>>())
        };
        let sections: Vec<Result<Vec<usize>, EvaluationError>> =
            (0..table.sections.len()).map(section).collect();
        let there: Vec<usize> = (0..sections.len()).filter(|&n| sections[n].is_ok()).collect();
        let lacking = sections.iter().find_map(|section| section.as_ref().err());
        let overall = match lacking {
            Some(reason) if missing == Missing::Refuse => {
                Err(EvaluationError::undefined("overall", reason.to_string()))
            }
            _ if there.is_empty() => Err(EvaluationError::undefined("overall", "there is no section")),
            _ => Ok(there),
        };
        let weight = |(subset, &items): (&OwnSubset, &usize)| match subset.weight {
            Weight::Items => items as f64,
            Weight::Fixed(weight) => weight,
        };
        Self { table, weights: table.subsets.iter().zip(items).map(weight).collect(), sections, overall }
    }

    /// The sections and the overall score; NaN where one does not exist.
    fn values(&self, accuracies: &[f64]) -> (Vec<f64>, f64) {
        let sections: Vec<f64> = self
            .sections
            .iter()
            .map(|used| match used {
                Ok(used) => mean(used.iter().map(|&place| (accuracies[place], self.weights[place]))),
                Err(_) => f64::NAN,
            })
            .collect();
        let overall = match &self.overall {
            Ok(used) => mean(used.iter().map(|&n| (sections[n], self.table.sections[n].weight))),
            Err(_) => f64::NAN,
        };
        (sections, overall)
    }
}

fn mean(parts: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (value, weight) in parts {
        sum += value * weight;
        weights += weight;
    }
    sum / weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reward_bench::{Priors, SUBSETS, Section, accuracies, v1_estimates, v1_scores};
    use superalign_core::Seed;

    fn official() -> Table {
        let section = |section: Section| OwnSection { name: section.name().to_owned(), weight: 1.0 };
        let subset = |subset: &crate::reward_bench::Subset| OwnSubset {
            name: subset.name.to_owned(),
            section: subset.section.name().to_owned(),
            weight: Weight::Fixed(f64::from(subset.weight)),
        };
        Table { sections: Section::ALL.map(section).into(), subsets: SUBSETS.iter().map(subset).collect() }
    }

    #[test]
    fn the_official_weights_give_the_official_numbers() {
        let subsets: Vec<&str> = SUBSETS.iter().flat_map(|s| vec![s.name; s.items as usize]).collect();
        let credits: Vec<f64> = (0..subsets.len()).map(|n| f64::from(n * 7919 % 10 < 7)).collect();
        let by = Bootstrap { draws: 100, ..Bootstrap::new(Seed::new(3)) };
        let theirs = v1_estimates(&subsets, &credits, None, Priors::LeftOut, Missing::Refuse, &by).unwrap();
        let mine = own_estimates(&official(), &subsets, &credits, None, Missing::Refuse, &by).unwrap();
        assert_eq!(mine.sections, theirs.sections);
        assert_eq!(mine.overall, theirs.overall);
        let found = accuracies(&subsets, &credits).unwrap();
        let pairs: Vec<(&str, f64)> = found.iter().map(|one| (one.subset, one.value)).collect();
        let theirs = v1_scores(&pairs, Priors::LeftOut, Missing::Refuse).unwrap();
        let mine = own_scores(&official(), &found, Missing::Refuse).unwrap();
        assert_eq!((mine.sections, mine.overall), (theirs.sections.into(), theirs.overall));
    }

    #[test]
    fn what_is_missing_is_named_or_left_out() {
        let given = [Accuracy { subset: "hep-go", items: 9, value: 0.5 }];
        let refused = own_scores(&official(), &given, Missing::Refuse).unwrap();
        let chat = "overall is undefined: section is undefined: Chat: there is no alpacaeval-easy";
        assert!(refused.overall.unwrap_err().to_string().starts_with(chat));
        let partial = own_scores(&official(), &given, Missing::Partial).unwrap();
        assert_eq!((partial.overall, partial.sections[3].clone()), (Ok(0.5), Ok(0.5)));
        assert!(partial.sections[0].is_err());
        let none = own_scores(&official(), &[], Missing::Partial).unwrap().overall.unwrap_err();
        assert_eq!(none.to_string(), "overall is undefined: there is no section");
        let by = Bootstrap::new(Seed::new(1));
        let one = own_estimates(&official(), &["hep-go"], &[1.0], None, Missing::Partial, &by).unwrap();
        assert_eq!(
            one.sections[3].clone().unwrap_err().to_string(),
            "section is undefined: Reasoning: hep-go has one prompt, which has no spread"
        );
    }

    #[test]
    fn tables_and_accuracies_that_make_no_sense_are_refused() {
        let message = |change: &dyn Fn(&mut Table)| {
            let mut table = official();
            change(&mut table);
            table.check().unwrap_err().to_string()
        };
        assert_eq!(message(&|table| table.sections.clear()), "table is undefined: it has no section");
        assert_eq!(
            message(&|table| table.sections[1].weight = 0.0),
            "table is undefined: the weight of \"Chat Hard\" is 0, not a finite number above 0"
        );
        assert_eq!(
            message(&|table| table.subsets[3].weight = Weight::Fixed(f64::NAN)),
            "table is undefined: the weight of \"mt-bench-easy\" is NaN, not a finite number above 0"
        );
        assert_eq!(
            message(&|table| table.sections[1].name = "Chat".to_owned()),
            "table is undefined: section \"Chat\" is there twice"
        );
        assert_eq!(
            message(&|table| table.subsets[1].name = table.subsets[0].name.clone()),
            "table is undefined: subset \"alpacaeval-easy\" is there twice"
        );
        assert_eq!(
            message(&|table| table.subsets.truncate(16)),
            "table is undefined: section \"Reasoning\" has no subset"
        );
        let message = |given: &[Accuracy<'_>]| {
            own_scores(&official(), given, Missing::Partial).unwrap_err().to_string()
        };
        let go = Accuracy { subset: "hep-go", items: 9, value: 0.5 };
        assert_eq!(
            message(&[go.clone(), go.clone()]),
            "score is undefined: subset \"hep-go\" is given twice"
        );
        assert!(
            message(&[Accuracy { subset: "hep-c", ..go.clone() }]).contains("no subset \"hep-c\"; it has")
        );
        assert_eq!(
            message(&[Accuracy { items: 0, ..go.clone() }]),
            "number of items of accuracy 0 is 0: expected at least 1"
        );
        assert_eq!(
            message(&[Accuracy { value: -0.1, ..go }]),
            "accuracy 0 is -0.1: expected a number from 0 to 1"
        );
    }
}
