//! Tasks and preferences as balanced binary items: one candidate, right or wrong.
//!
//! This is the form in which weak-to-strong generalization is studied (Burns et al. 2023, arXiv 2312.09390).
//! Here are the texts that a model reads and the balance of the labels; files and splits live elsewhere.

use crate::item::{BinaryItem, Preference, Tags, Task};
use superalign_core::Seed;
use superalign_core::rand::Rng as _;

/// How many items a question gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BinaryForm {
    /// One item per question: the right candidate for half of the questions, a random wrong one for the other half.
    Single,
    /// Two items per question in the same group: the right candidate, and a random wrong one.
    Pair,
}

/// The text of a candidate answer:
///
/// ```text
/// {context}
/// Q: {question} A: {candidate}
/// ```
///
/// Without a context the first line is left out.
///
/// ```
/// use superalign_data::binary::task_text;
/// assert_eq!(task_text("It rains.", "Is it wet?", "yes"), "It rains.\nQ: Is it wet? A: yes");
/// assert_eq!(task_text("", "Is it wet?", "yes"), "Q: Is it wet? A: yes");
/// ```
#[must_use]
pub fn task_text(context: &str, question: &str, candidate: &str) -> String {
    if context.is_empty() {
        format!("Q: {question} A: {candidate}")
    } else {
        format!("{context}\nQ: {question} A: {candidate}")
    }
}

/// The text of a response: the prompt, then the response on a line of its own, or after a space where the
/// prompt ends in a colon (`Assistant:`). Without a prompt it is the response alone.
///
/// ```
/// use superalign_data::binary::response_text;
/// assert_eq!(response_text("Name a fruit.", "A pear."), "Name a fruit.\nA pear.");
/// assert_eq!(response_text("Human: Hi\n\nAssistant:", "Hello."), "Human: Hi\n\nAssistant: Hello.");
/// ```
#[must_use]
pub fn response_text(prompt: &str, response: &str) -> String {
    if prompt.is_empty() {
        response.to_owned()
    } else if prompt.ends_with(':') {
        format!("{prompt} {response}")
    } else {
        format!("{prompt}\n{response}")
    }
}

/// Binary items from tasks: [`task_text`] of one candidate, `label` = it is the right one.
///
/// The label is balanced: the numbers of right and wrong items differ by at most 1 overall and within every
/// set of equal [`Tags`] (family, difficulty). Which questions get the right candidate, and which wrong one
/// stands for the others, depends on the seed and the task's id, not on the order of the tasks. The items come
/// in the order of the tasks, right before wrong in a pair; ids are `{task id}#{position of the candidate}`.
///
/// Three kinds of candidate make no sense alone, and are treated as the literature does or left out:
/// a candidate that speaks *of the above* is never shown; where `None of the above` is the right answer the task
/// can only give a wrong item; where `All of the above` is, the task gives none. A pair needs both sides. Where
/// the surplus of one label cannot be balanced, surplus tasks are left out (so the result can be shorter than
/// `tasks`), and so is a task with `gold` out of range.
///
/// What balance cannot remove: an answer that is right more often than others of the file (`yes` in BoolQ,
/// 62%) stays the better bet. Compare with a baseline that reads only the candidate.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_data::binary::{BinaryForm, binary_items};
/// use superalign_data::item::{Tags, Task};
/// let task = Task {
///     id: "t1".into(),
///     group: "g".into(),
///     context: "Ada is taller than Bo.".into(),
///     question: "Who is taller?".into(),
///     choices: vec!["Bo".into(), "Ada".into()],
///     gold: 1,
///     tags: Tags::default(),
/// };
/// let items = binary_items(&[task], BinaryForm::Pair, Seed::new(1));
/// assert_eq!(items[0].text, "Ada is taller than Bo.\nQ: Who is taller? A: Ada");
/// assert_eq!((items[0].id.as_str(), items[0].label, items[1].label), ("t1#1", true, false));
/// ```
#[must_use]
pub fn binary_items(tasks: &[Task], form: BinaryForm, seed: Seed) -> Vec<BinaryItem> {
    let seed = seed.named("binary tasks");
    let sides: Vec<Sides> = tasks.iter().map(|task| task_sides(task, seed.named(&task.id))).collect();
    let tags: Vec<&Tags> = tasks.iter().map(|task| &task.tags).collect();
    build(&sides, &tags, form, |i, candidate, label| {
        let task = &tasks[i];
        BinaryItem {
            id: format!("{}#{candidate}", task.id),
            group: task.group.clone(),
            text: task_text(&task.context, &task.question, &task.choices[candidate]),
            label,
            tags: task.tags.clone(),
        }
    })
}

/// Binary items from preferences: [`response_text`] of one side, `label` = it is the chosen one.
///
/// Balanced, ordered and drawn as [`binary_items`]; ids are `{id}#chosen` and `{id}#rejected`. In
/// [`BinaryForm::Pair`] both sides are given and share their group.
///
/// ```
/// use superalign_core::Seed;
/// use superalign_data::binary::{BinaryForm, preference_items};
/// use superalign_data::item::{Preference, Tags};
/// let preference = Preference {
///     id: "p1".into(),
///     group: "g".into(),
///     prompt: "Name a fruit.".into(),
///     chosen: "A pear.".into(),
///     rejected: "A chair.".into(),
///     tags: Tags::default(),
/// };
/// let items = preference_items(&[preference], BinaryForm::Pair, Seed::new(1));
/// assert_eq!(items[1].text, "Name a fruit.\nA chair.");
/// assert_eq!((items[1].id.as_str(), items[1].label), ("p1#rejected", false));
/// ```
#[must_use]
pub fn preference_items(preferences: &[Preference], form: BinaryForm, seed: Seed) -> Vec<BinaryItem> {
    let seed = seed.named("binary preferences");
    let sides: Vec<Sides> = preferences
        .iter()
        .map(|p| Sides { right: Some(0), wrong: Some(1), key: seed.named(&p.id).rng().next_u64() })
        .collect();
    let tags: Vec<&Tags> = preferences.iter().map(|p| &p.tags).collect();
    build(&sides, &tags, form, |i, side, label| {
        let p = &preferences[i];
        let (name, response) = if side == 0 { ("chosen", &p.chosen) } else { ("rejected", &p.rejected) };
        BinaryItem {
            id: format!("{}#{name}", p.id),
            group: p.group.clone(),
            text: response_text(&p.prompt, response),
            label,
            tags: p.tags.clone(),
        }
    })
}

/// The candidates of a question that can stand alone, and its place in the shuffled order.
struct Sides {
    right: Option<usize>,
    wrong: Option<usize>,
    key: u64,
}

fn task_sides(task: &Task, seed: Seed) -> Sides {
    let mut rng = seed.rng();
    let key = rng.next_u64();
    let Some(gold) = task.choices.get(task.gold) else {
        return Sides { right: None, wrong: None, key };
    };
    if of_the_above(gold) && !gold.trim_start().to_lowercase().starts_with("none") {
        return Sides { right: None, wrong: None, key };
    }
    let right = (!of_the_above(gold)).then_some(task.gold);
    let others: Vec<usize> =
        (0..task.choices.len()).filter(|&i| i != task.gold && !of_the_above(&task.choices[i])).collect();
    // The bias of taking a 64-bit number modulo a few choices is below 1e-18.
    let wrong = match others.len() as u64 {
        0 => None,
        n => others.get((rng.next_u64() % n) as usize).copied(),
    };
    Sides { right, wrong, key }
}

fn of_the_above(choice: &str) -> bool {
    choice.len() < 60 && choice.to_lowercase().contains("of the above")
}

fn build(
    sides: &[Sides],
    tags: &[&Tags],
    form: BinaryForm,
    item: impl Fn(usize, usize, bool) -> BinaryItem,
) -> Vec<BinaryItem> {
    let labels = match form {
        BinaryForm::Single => balanced_labels(sides, tags),
        BinaryForm::Pair => Vec::new(),
    };
    let mut items = Vec::with_capacity(sides.len());
    for (i, side) in sides.iter().enumerate() {
        match form {
            BinaryForm::Pair => {
                if let (Some(right), Some(wrong)) = (side.right, side.wrong) {
                    items.push(item(i, right, true));
                    items.push(item(i, wrong, false));
                }
            }
            BinaryForm::Single => {
                if let Some(label) = labels[i]
                    && let Some(candidate) = if label { side.right } else { side.wrong }
                {
                    items.push(item(i, candidate, label));
                }
            }
        }
    }
    items
}

/// One label per question, balanced to within one in every stratum of equal tags and overall; `None` leaves it out.
fn balanced_labels(sides: &[Sides], tags: &[&Tags]) -> Vec<Option<bool>> {
    let mut order: Vec<usize> =
        (0..sides.len()).filter(|&i| sides[i].right.is_some() || sides[i].wrong.is_some()).collect();
    order.sort_by_key(|&i| (tags[i], sides[i].key, i));
    let mut labels = vec![None; sides.len()];
    // Questions alternate along the shuffled order; the phase is carried from stratum to stratum.
    let mut odd = order.first().is_some_and(|&i| sides[i].key & 1 == 1);
    for stratum in order.chunk_by(|&a, &b| tags[a] == tags[b]) {
        let only_wrong: Vec<usize> = stratum.iter().copied().filter(|&i| sides[i].right.is_none()).collect();
        let only_right: Vec<usize> = stratum.iter().copied().filter(|&i| sides[i].wrong.is_none()).collect();
        let free: Vec<usize> = stratum
            .iter()
            .copied()
            .filter(|&i| sides[i].right.is_some() && sides[i].wrong.is_some())
            .collect();
        let wrong = only_wrong.len().min(free.len() + only_right.len());
        let right = only_right.len().min(free.len() + only_wrong.len());
        let n = free.len() + wrong + right;
        let positives = n / 2 + usize::from(n % 2 == 1 && odd);
        odd ^= n % 2 == 1;
        only_wrong.iter().take(wrong).for_each(|&i| labels[i] = Some(false));
        only_right.iter().take(right).for_each(|&i| labels[i] = Some(true));
        let still = positives.saturating_sub(right);
        free.iter().enumerate().for_each(|(k, &i)| labels[i] = Some(k < still));
    }
    labels
}

#[cfg(test)]
mod tests;
