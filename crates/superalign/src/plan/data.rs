//! From a world or a file to disjoint parts of binary items.

use super::PartPlan;
use crate::spec::{DataSource, Spec};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use superalign_core::{ChoicePrompt, Seed};
use superalign_data::DataError;
use superalign_data::binary::{BinaryForm, binary_items, preference_items};
use superalign_data::item::{BinaryItem, Objective, Task};
use superalign_data::load::{Content, load};
use superalign_data::split::split_by_group;
use superalign_data::world::{self, World};
use superalign_paradigm::sandwiching::{Case, sentences};

/// The fewest items of a part: below, intervals are wider than any effect.
const FEWEST: usize = 40;

/// A part that an experiment asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Its name, such as `test`.
    pub name: &'static str,
    /// What it trains or tests.
    pub role: &'static str,
    /// The part of the generated world that it is taken from.
    pub part: world::Part,
    /// Number of items.
    pub items: usize,
    /// The objective whose labels it has; none is the spec's.
    pub objective: Option<Objective>,
}

/// A part of the items.
#[derive(Clone, Debug)]
pub struct Part {
    /// `train`, `teacher`, `student` or `test`.
    pub name: &'static str,
    /// What it trains or tests.
    pub role: &'static str,
    /// Its items.
    pub items: Vec<BinaryItem>,
    /// Requests with their answers, where it is made of such: each answer is an item, in this order.
    pub prompts: Vec<ChoicePrompt>,
    /// Questions with two answers, where it is made of such.
    pub cases: Vec<Asked>,
}

/// A question with two answers, each of which is an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The question; the order of its answers says nothing of the truth.
    pub case: Case,
    /// Places of the items that are its first and its second answer.
    pub items: [usize; 2],
}

impl Asked {
    /// A question of that name, about the items at two places with their answers.
    #[must_use]
    pub fn new(item: &str, context: &str, question: &str, mut both: [(usize, &str); 2]) -> Self {
        both.sort_unstable_by_key(|(_, answer)| *answer);
        let case = Case {
            item: item.to_owned(),
            context: sentences(context),
            question: question.to_owned(),
            answers: both.map(|(_, answer)| answer.to_owned()),
        };
        Self { case, items: both.map(|(place, _)| place) }
    }
}

impl Part {
    /// For each item the candidate answer, with which its text ends; nothing where the part does not hold it apart.
    #[must_use]
    pub fn answers(&self) -> Vec<Option<&str>> {
        let mut answers = vec![None; self.items.len()];
        let of_prompts =
            self.prompts.iter().flat_map(|prompt| &prompt.choices).map(String::as_str).enumerate();
        let of_cases = self
            .cases
            .iter()
            .flat_map(|asked| asked.items.into_iter().zip(&asked.case.answers))
            .map(|(i, a)| (i, a.as_str()));
        for (i, answer) in of_prompts.chain(of_cases) {
            if self.items.get(i).is_some_and(|item| item.text.ends_with(answer)) {
                answers[i] = Some(answer);
            }
        }
        answers
    }

    /// What the plan says of it.
    pub(super) fn plan(&self) -> PartPlan {
        PartPlan {
            name: self.name.to_owned(),
            role: self.role.to_owned(),
            items: self.items.len(),
            groups: self.items.iter().map(|i| i.group.as_str()).collect::<BTreeSet<_>>().len(),
            positives: self.items.iter().filter(|i| i.label).count(),
        }
    }
}

/// The parts that a spec asks for, and what the loader understood.
///
/// # Errors
/// A file that cannot be read, or that holds too few items or groups.
pub fn gather(spec: &Spec) -> Result<(Vec<Part>, Vec<String>), DataError> {
    let experiment = spec.design.experiment();
    if let Some(parts) = experiment.own_parts(&spec.data.source) {
        return Ok((parts?, Vec::new()));
    }
    let wanted = experiment.parts();
    match &spec.data.source {
        DataSource::World(seed) => Ok((from_world(*seed, spec.data.objective, &wanted), Vec::new())),
        DataSource::File(path) if wanted.iter().any(|w| w.objective.is_some()) => Err(DataError::Split {
            found: format!("{} has labels of one objective", path.display()),
            expected: format!("labels of competence and of conformity, which `{}` compares", spec.name),
            remedy: "leave out --data: the generated world has both".into(),
        }),
        DataSource::File(path) => from_file(path, &wanted),
    }
}

fn from_world(seed: u64, objective: Objective, wanted: &[Wanted]) -> Vec<Part> {
    let world = World::new(Seed::new(seed));
    let part = |w: &Wanted| Part {
        name: w.name,
        role: w.role,
        items: world.binary_items(w.part, w.objective.unwrap_or(objective), w.items.div_ceil(2), 0),
        prompts: Vec::new(),
        cases: Vec::new(),
    };
    wanted.iter().map(part).collect()
}

fn from_file(path: &Path, wanted: &[Wanted]) -> Result<(Vec<Part>, Vec<String>), DataError> {
    let loaded = load(path, None)?;
    let seed = Seed::new(0).named("binary");
    let items = match &loaded.content {
        Content::Tasks(tasks) => binary_items(tasks, BinaryForm::Pair, seed),
        Content::Preferences(preferences) => preference_items(preferences, BinaryForm::Pair, seed),
    };
    let mut notes = loaded.describe();
    let total: usize = wanted.iter().map(|w| w.items).sum();
    if items.len() < total {
        notes.push(format!(
            "the spec asks for {total} items, the file gives {}: the parts are smaller in proportion",
            items.len()
        ));
    }
    let scale = 1.0 / items.len().max(total) as f64;
    let shares: Vec<f64> = wanted.iter().map(|w| w.items as f64 * scale).collect();
    let groups: Vec<&str> = items.iter().map(|i| i.group.as_str()).collect();
    let split = split_by_group(&groups, &shares, Seed::new(0).named("parts"))?;
    let parts: Vec<Part> = wanted
        .iter()
        .zip(split)
        .map(|(w, members)| {
            let items: Vec<BinaryItem> = members.into_iter().map(|i| items[i].clone()).collect();
            let cases = cases(&items, &loaded.content);
            Part { name: w.name, role: w.role, items, prompts: Vec::new(), cases }
        })
        .collect();
    match parts.iter().find(|p| p.items.len() < FEWEST) {
        None => Ok((parts, notes)),
        Some(small) => Err(DataError::Split {
            found: format!(
                "{} gives {} binary items, of which {} fall to the part `{}`",
                path.display(),
                items.len(),
                small.items.len(),
                small.name
            ),
            expected: format!("at least {FEWEST} items in every part, for an interval to mean anything"),
            remedy: "give a larger file".into(),
        }),
    }
}

/// The questions whose two answers are items.
fn cases(items: &[BinaryItem], content: &Content) -> Vec<Asked> {
    let Content::Tasks(tasks) = content else { return Vec::new() };
    let by_id: HashMap<&str, &Task> = tasks.iter().map(|task| (task.id.as_str(), task)).collect();
    let candidate = |item: &BinaryItem| -> Option<(&Task, usize)> {
        let (id, number) = item.id.rsplit_once('#')?;
        Some((*by_id.get(id)?, number.parse().ok()?))
    };
    let mut first: HashMap<&str, (usize, usize)> = HashMap::new();
    let mut found = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let Some((task, chosen)) = candidate(item) else { continue };
        match first.remove(task.id.as_str()) {
            None => drop(first.insert(&task.id, (place, chosen))),
            Some((before, other)) => {
                let both = [(before, task.choices[other].as_str()), (place, task.choices[chosen].as_str())];
                found.push(Asked::new(&task.id, &task.context, &task.question, both));
            }
        }
    }
    found
}

/// Digest over every item of every part, in order.
pub(super) fn digest(parts: &[Part]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        // An item is text and numbers only, which JSON always takes.
        let bytes = serde_json::to_vec(&(part.name, &part.items)).unwrap_or_default();
        hasher.update(&bytes);
    }
    hasher.finalize().to_hex().to_string()
}
