//! From probabilities to right and wrong, and from item-level results back to probabilities.

use super::FoundBy;
use crate::plan::{Part, Plan};
use crate::record::ItemRow;
use ndarray::Array2;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use superalign_core::Seed;
use superalign_data::item::BinaryItem;
use superalign_data::split::split_by_group;
use superalign_gap::Bootstrap;

/// The truth about a part: labels, and which items share a group.
///
/// Gold labels are read through an accessor that says what for, and through no other way: no module beside this one
/// names an item's label, which a test sees to. [`Truth::taught`] is for parts whose gold labels train someone;
/// [`Truth::ceiling`] and [`Truth::evaluation`] must not reach a signal, which a test of every paradigm sees to.
#[derive(Clone, Debug)]
pub(super) struct Truth<'a> {
    pub(super) part: &'a Part,
    pub(super) groups: Vec<u32>,
    gold: Vec<bool>,
}

impl<'a> Truth<'a> {
    /// The truth about the part of that name.
    pub(super) fn of(parts: &'a [Part], name: &str) -> Result<Self, String> {
        let part = parts.iter().find(|p| p.name == name);
        part.ok_or_else(|| format!("the plan lacks the part {name}")).map(|part| Self {
            part,
            groups: group_numbers(&part.items),
            gold: part.items.iter().map(|i| i.label).collect(),
        })
    }

    /// Number of items.
    pub(super) fn len(&self) -> usize {
        self.gold.len()
    }

    /// Gold labels that train a teacher, or are turned into noise.
    ///
    /// # Panics
    /// On a part that a signal labels, or that tests: nobody is taught by the truth about it.
    pub(super) fn taught(&self) -> &[bool] {
        let name = self.part.name;
        assert!(
            !["student", "test"].iter().any(|withheld| name.starts_with(withheld)),
            "the gold labels of the part {name} teach nobody"
        );
        &self.gold
    }

    /// Gold labels that train a ceiling: the same student, supervised by the truth.
    pub(super) fn ceiling(&self) -> &[bool] {
        &self.gold
    }

    /// Gold labels for judging what was said, and for nothing else.
    pub(super) fn evaluation(&self) -> &[bool] {
        &self.gold
    }

    /// Whether each probability is on the right side of one half.
    pub(super) fn correct(&self, probabilities: &[f64]) -> Vec<bool> {
        probabilities.iter().zip(&self.gold).map(|(p, gold)| (*p >= 0.5) == *gold).collect()
    }

    /// One row per seed: whether each item is answered rightly.
    pub(super) fn correct_by_seed(&self, by_seed: &[&[f64]]) -> Array2<bool> {
        Array2::from_shape_fn((by_seed.len(), self.gold.len()), |(s, i)| {
            (by_seed[s][i] >= 0.5) == self.gold[i]
        })
    }

    /// Kinds of item, `family=...` and `family=.../difficulty=...`, with the positions of their items.
    pub(super) fn kinds(&self) -> BTreeMap<String, Vec<usize>> {
        let mut kinds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (i, item) in self.part.items.iter().enumerate() {
            let family = format!("family={}", crate::record::cell_safe(&item.tags.family));
            if let Some(difficulty) = item.tags.difficulty {
                kinds.entry(format!("{family}/difficulty={difficulty}")).or_default().push(i);
            }
            kinds.entry(family).or_default().push(i);
        }
        // One kind only is the whole part.
        if kinds.len() == 1 { BTreeMap::new() } else { kinds }
    }
}

/// Groups as numbers, in order of first sight.
pub(super) fn group_numbers(items: &[BinaryItem]) -> Vec<u32> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    items
        .iter()
        .map(|item| {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(&item.group).or_insert(next)
        })
        .collect()
}

/// The positions of a share of a part's items, drawn by group: all of them where the share is 1.
pub(super) fn drawn(truth: &Truth<'_>, share: f64, seed: Seed) -> Result<Vec<usize>, String> {
    if share >= 1.0 {
        return Ok((0..truth.len()).collect());
    }
    let groups: Vec<&str> = truth.part.items.iter().map(|i| i.group.as_str()).collect();
    let mut parts = split_by_group(&groups, &[share], seed).map_err(|e| e.to_string())?;
    Ok(parts.swap_remove(0))
}

/// How intervals are made, for the cell of that name.
pub(super) fn bootstrap(plan: &Plan, name: &str) -> Bootstrap {
    Bootstrap {
        draws: plan.bootstrap.draws,
        level: plan.bootstrap.level,
        seed: Seed::new(plan.bootstrap.seed).named(name),
    }
}

/// Who speaks about the items of a part.
pub(super) struct Speaker<'a> {
    pub(super) model: &'a str,
    pub(super) signal: &'a str,
    pub(super) seed: u64,
}

/// Item-level rows: what a speaker says about the items of a part.
///
/// `given(i)` is the label that item `i` had in the speaker's training, where it was trained on.
pub(super) fn item_rows(
    speaker: &Speaker<'_>,
    part: &Part,
    probabilities: &[f64],
    given: impl Fn(usize) -> Option<f64>,
) -> Vec<ItemRow> {
    let (model, signal, name): (Arc<str>, Arc<str>, Arc<str>) =
        (speaker.model.into(), speaker.signal.into(), part.name.into());
    let rows = part.items.iter().zip(probabilities).enumerate().map(|(i, (item, p))| ItemRow {
        item: item.id.as_str().into(),
        group: item.group.as_str().into(),
        family: item.tags.family.as_str().into(),
        difficulty: item.tags.difficulty.map(u64::from),
        conflict: item.tags.conflict,
        part: name.clone(),
        gold: item.label,
        model: model.clone(),
        signal: signal.clone(),
        seed: speaker.seed,
        given: given(i),
        probability: *p,
    });
    rows.collect()
}

/// Probabilities by signal, seed and part, in the order of the part's items.
pub(super) struct Said(HashMap<(String, u64, String), Vec<f64>>);

impl Said {
    /// Reads them out of what jobs found.
    pub(super) fn read(found: &FoundBy) -> Self {
        let mut said: HashMap<(String, u64, String), Vec<f64>> = HashMap::new();
        for found in found.values() {
            let same =
                |a: &ItemRow, b: &ItemRow| a.signal == b.signal && a.seed == b.seed && a.part == b.part;
            for run in found.items.chunk_by(same) {
                let key = (run[0].signal.to_string(), run[0].seed, run[0].part.to_string());
                said.entry(key).or_default().extend(run.iter().map(|r| r.probability));
            }
        }
        Self(said)
    }

    /// What the speaker taught by `signal` says about a part, or the reason why it says nothing.
    pub(super) fn about(&self, signal: &str, seed: u64, part: &str) -> Result<&[f64], String> {
        self.0
            .get(&(signal.to_owned(), seed, part.to_owned()))
            .map(Vec::as_slice)
            .ok_or_else(|| format!("{signal} has no results for seed {seed}"))
    }

    /// As [`Said::about`], for every seed.
    pub(super) fn by_seed(&self, signal: &str, seeds: &[u64], part: &str) -> Result<Vec<&[f64]>, String> {
        seeds.iter().map(|&seed| self.about(signal, seed, part)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &'static str) -> Part {
        Part { name, role: "plays its part", items: Vec::new(), prompts: Vec::new(), cases: Vec::new() }
    }

    #[test]
    fn nobody_is_taught_by_what_is_withheld() {
        for (name, withheld) in [
            ("teacher", false),
            ("train", false),
            ("student", true),
            ("student-conformity", true),
            ("test", true),
        ] {
            let parts = [part(name)];
            let truth = Truth::of(&parts, name).unwrap();
            let read = std::panic::catch_unwind(|| truth.taught().len());
            assert_eq!(read.is_err(), withheld, "{name}");
            assert_eq!((truth.ceiling().len(), truth.evaluation().len()), (0, 0));
        }
    }

    /// The places of gold labels in a text: fields called `label` of an item, or `gold` of a row.
    fn named(text: &str) -> Vec<&str> {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let follows = |line: &str, field: &str| {
            line.match_indices(field).any(|(at, _)| {
                let next = line[at + field.len()..].chars().next().unwrap_or(' ');
                !(next.is_alphanumeric() || next == '_' || next == '(')
            })
        };
        code.filter(|line| follows(line, ".label") || follows(line, ".gold")).collect()
    }

    #[test]
    fn gold_labels_are_named_here_and_nowhere_else() {
        assert_eq!(
            named("let y = item.label;\nrow.labels();\n// row.gold\nrow.gold\nground.gold(x)").len(),
            2
        );
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/experiment");
        let mut folders = vec![root];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name != "score.rs") {
                    files += 1;
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert_eq!(named(&text), Vec::<&str>::new(), "{} reads gold labels", path.display());
                }
            }
        }
        assert!(files > 10);
    }
}
