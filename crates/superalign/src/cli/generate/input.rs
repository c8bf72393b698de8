//! Prompts as they come: lines of JSON, lines of text, or the command line.

use super::super::Failure;
use serde::Deserialize;
use std::io::Read;
use std::path::Path;
use superalign_inference::Message;

/// What is to be continued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// What the line calls itself; it is written to each of its completions.
    pub(super) id: Option<serde_json::Value>,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Text(String),
    Messages(Vec<Message>),
}

#[derive(Deserialize)]
struct Line {
    id: Option<serde_json::Value>,
    prompt: Option<String>,
    messages: Option<Vec<Message>>,
}

/// Reads the prompts of a file, `-` for standard input: a text a line where the name ends in `.txt`, else JSONL.
pub(super) fn read(path: &Path) -> Result<Vec<Asked>, Failure> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(path).map(|found| bytes = found)
    };
    read.map_err(|error| Failure::Usage(format!("{name}: cannot be read: {error}")))?;
    let plain = path.extension().is_some_and(|extension| extension == "txt");
    let mut asked = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let wrong = |reason: String| Failure::Usage(format!("{name}, line {}: {reason}", number + 1));
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line)
            .map_err(|error| wrong(format!("not UTF-8 from byte {} on", error.valid_up_to() + 1)))?;
        if text.trim().is_empty() {
            continue;
        }
        asked.push(if plain {
            Asked { id: None, what: What::Text(text.to_owned()) }
        } else {
            object(text).map_err(wrong)?
        });
    }
    if asked.is_empty() {
        return Err(Failure::Usage(format!("{name}: no prompt in it, expected one a line")));
    }
    Ok(asked)
}

fn object(text: &str) -> Result<Asked, String> {
    const EXPECTED: &str =
        r#"expected {"prompt": "..."} or {"messages": [{"role": "user", "content": "..."}]}"#;
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("not JSON: {error}; {EXPECTED}"))?;
    let keys = value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
    let line: Line = serde_json::from_value(value).map_err(|error| format!("{error}; {EXPECTED}"))?;
    let what = match (line.prompt, line.messages) {
        (Some(prompt), None) => What::Text(prompt),
        (None, Some(messages)) => What::Messages(messages),
        (Some(_), Some(_)) => return Err(format!("both a prompt and messages; {EXPECTED}")),
        (None, None) => {
            let keys = keys.unwrap_or_default().join(", ");
            return Err(format!("its keys are {}; {EXPECTED}", if keys.is_empty() { "none" } else { &keys }));
        }
    };
    Ok(Asked { id: line.id, what })
}
