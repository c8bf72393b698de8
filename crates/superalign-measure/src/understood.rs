//! What was found in a file, as JSON and in sentences.

use serde_json::{Map, Value, json};
use superalign_data::signal::Signal;

/// What the file holds and how it was read: container, shape, rows, the columns of each role, and what is in them.
#[must_use]
pub fn understood(signal: &Signal) -> Value {
    let roles = signal.roles.iter().map(|(role, names)| (role.to_string(), json!(names)));
    let roles: Map<String, Value> = roles.collect();
    let mut understood = Map::new();
    let mut set = |key: &str, value: Value| {
        understood.insert(key.to_owned(), value);
    };
    set("container", json!(signal.container.name()));
    set("shape", json!(signal.shape.name()));
    set("rows", json!(signal.rows));
    set("columns", roles.into());
    set("ignored", json!(signal.ignored));
    set("notes", json!(notes(signal)));
    if let Some(votes) = &signal.votes {
        set("items", json!(votes.items.len()));
        set("annotators", json!(votes.annotators));
        set("categories", json!(votes.categories));
        set("votes", json!(votes.item.len()));
        set("missing", json!(votes.missing));
        if let Some(repeats) = &votes.repeats {
            let most = repeats.most().into_iter();
            let most: Map<String, Value> =
                most.map(|(annotator, n)| (votes.annotators[annotator as usize].clone(), json!(n))).collect();
            set("repeats", json!({"votes": repeats.votes, "same_label": repeats.same, "most": most}));
        }
    } else if let Some(labels) = &signal.labels {
        set("categories", json!(labels.names));
    }
    if let Some(pairs) = &signal.pairs {
        set("candidates", json!(pairs.candidates));
    }
    let scored = signal.members.as_ref().or(signal.probabilities.as_ref()).or(signal.logits.as_ref());
    if let Some(scored) = scored {
        set("classes", json!(scored.names));
    }
    understood.into()
}

/// What was decided that may be meant otherwise, a sentence each.
#[must_use]
pub fn notes(signal: &Signal) -> Vec<String> {
    let mut notes = signal.notes.clone();
    if signal.votes.as_ref().is_some_and(|votes| votes.repeats.is_some()) {
        notes.push(
            "Every vote counts for labels, shares and what is inferred as true; for agreement, ensembles, wawa and \
             zero-based-skill only the first of an annotator on an item does."
                .to_owned(),
        );
    }
    notes
}
