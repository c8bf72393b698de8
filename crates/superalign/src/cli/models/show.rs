//! What a check found, for people and as JSON.

use super::manifest::{Deviation, Manifest};
use super::{say, size};
use crate::report::thousands;
use serde_json::{Value, json};
use std::io::Write;
use superalign_inference::{Description, PortDescription, SmokeTest};

/// Everything that a check found.
pub(super) struct Found {
    pub(super) description: Description,
    pub(super) manifest: Option<Manifest>,
    /// `None` without a manifest.
    pub(super) deviations: Option<Vec<Deviation>>,
    pub(super) runtime: String,
    pub(super) trial: Result<SmokeTest, String>,
}

impl Found {
    /// Number of things that are not as they should be.
    pub(super) fn problems(&self) -> usize {
        let failed = !self.trial.as_ref().is_ok_and(SmokeTest::passed);
        self.deviations.as_ref().map_or(0, Vec::len) + usize::from(failed)
    }

    pub(super) fn json(&self) -> Value {
        let trial = match &self.trial {
            Ok(trial) => json!({"passed": trial.passed(), "result": trial}),
            Err(error) => json!({"passed": false, "error": error}),
        };
        let digests = self.deviations.as_ref().map(|found| {
            json!({
                "files": self.manifest.as_ref().map_or(0, |manifest| manifest.files.len()),
                "deviations": found.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        });
        json!({
            "usable": self.problems() == 0,
            "model": self.description,
            "source": self.manifest.as_ref().map(|manifest| json!({
                "repository": manifest.source,
                "revision": manifest.revision,
                "commit": manifest.commit,
                "licence": manifest.licence,
            })),
            "digests": digests,
            "runtime": self.runtime,
            "trial": trial,
        })
    }
}

pub(super) fn print(found: &Found, out: &mut dyn Write) {
    let model = &found.description;
    let mut line = |name: &str, text: String| say(out, format!("{name:<14}{text}"));
    let or = |value: Option<usize>| value.map_or("not stated".to_owned(), |value| thousands(value as u64));
    line("folder", model.folder.display().to_string());
    let files: Vec<String> =
        model.files.iter().map(|file| format!("{} ({})", file.path, size(file.bytes))).collect();
    line("graph", model.graph.clone());
    line("files", files.join(", "));
    if !model.other_graphs.is_empty() {
        line("other graphs", model.other_graphs.join(", "));
    }
    if let Some(manifest) = &found.manifest {
        let licence = manifest.licence.as_deref().unwrap_or("not stated");
        line("source", format!("{} at {}, licence {licence}", manifest.source, manifest.commit));
    }
    line("task", model.task.to_string());
    if !model.classes.is_empty() {
        line("classes", model.classes.join(", "));
    }
    let stated = |value: &Option<String>| value.clone().unwrap_or_else(|| "not stated".into());
    line("architecture", format!("{}, family {}", stated(&model.architecture), stated(&model.family)));
    let heads = match (model.heads, model.key_value_heads) {
        (Some(heads), Some(fewer)) if fewer != heads => format!("{heads} ({fewer} of keys and values)"),
        (heads, _) => or(heads),
    };
    line("layers", format!("{}, width {}, heads {heads}", model.layers, or(model.width)));
    let states: Vec<String> = model.states.iter().map(ToString::to_string).collect();
    line(
        "states",
        if states.is_empty() { "of no layer".into() } else { format!("of layers {}", states.join(", ")) },
    );
    let longest = model.positions.map_or("not stated".into(), |n| format!("{} tokens", thousands(n as u64)));
    line("vocabulary", format!("{}, longest text {longest}", or(model.vocabulary)));
    let elements: Vec<String> =
        model.elements.iter().map(|one| format!("{} {}", thousands(one.count), one.element)).collect();
    line("parameters", format!("{} ({})", thousands(model.parameters), elements.join(", ")));
    let (plain, cached) = model.inputs_without_cache();
    let cache = if cached > 0 { format!(", {cached} of a key-value cache") } else { String::new() };
    line("inputs", format!("{}{cache}", ports(&plain)));
    let (present, outputs): (Vec<_>, Vec<_>) =
        model.outputs.iter().partition(|port| port.name.starts_with("present"));
    let cache =
        if present.is_empty() { String::new() } else { format!(", {} of a key-value cache", present.len()) };
    line("outputs", format!("{}{cache}", ports(&outputs)));
    let tokenizer = &model.tokenizer;
    let mut words = vec![format!(
        "{}, {} tokens, {} put around a text",
        tokenizer.kind,
        or(tokenizer.tokens),
        tokenizer.added
    )];
    if let Some(length) = tokenizer.stated_truncation {
        words.push(format!("truncation to {length} is stated and not used"));
    }
    if let Some(padding) = &tokenizer.stated_padding {
        words.push(format!("padding {padding} is stated and not used"));
    }
    if let Some(limit) = tokenizer.stated_limit {
        words.push(format!("stated limit {limit}"));
    }
    line("tokenizer", words.join("; "));
    line("chat template", stated(&tokenizer.chat_template));
    let digests = match &found.deviations {
        None => "no model.toml, nothing to compare with".into(),
        Some(none) if none.is_empty() => "as model.toml has them".into(),
        Some(some) => some.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    };
    line("digests", digests);
    let trial = match &found.trial {
        Ok(trial) => format!(
            "{}: {} of {} and {} tokens, shape {:?}; padded and alone differ by {:.1e}, tolerance {:.0e} ({})",
            if trial.passed() { "passed" } else { "FAILED" },
            trial.output,
            trial.tokens[0],
            trial.tokens[1],
            trial.shape,
            trial.difference,
            trial.tolerance,
            found.runtime
        ),
        Err(error) => format!("FAILED: {error}"),
    };
    line("trial", trial);
}

fn ports<'a>(ports: impl IntoIterator<Item = &'a &'a PortDescription>) -> String {
    let texts: Vec<String> =
        ports.into_iter().map(|port| format!("{} {}{}", port.name, port.element, port.shape)).collect();
    texts.join(", ")
}
