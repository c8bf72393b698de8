//! Where completions go: a file that is whole or named `.part`, lines of JSON, or text.

use super::super::{Failure, Printed, print};
use super::input::{Asked, What};
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use superalign_inference::{Completion, Message, Prompt};

/// What was asked, for the lines of the answers.
pub(super) struct Sheet<'a> {
    pub(super) asked: &'a [Asked],
    pub(super) prompts: &'a [Prompt],
}

/// A line of the output.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<&'a [Message]>,
    /// The text that the model read.
    prompt: &'a str,
    sample: usize,
    completion: &'a str,
    tokens: usize,
    finish: &'static str,
    seed: u64,
    prompt_tokens: usize,
    prompt_truncated: bool,
}

/// Takes completions in order.
pub(super) struct Writer<'a> {
    to: To<'a>,
}

enum To<'a> {
    File { part: PathBuf, whole: PathBuf, file: BufWriter<File> },
    Lines(&'a mut dyn Write),
    Text(&'a mut dyn Write),
    Streamed(&'a mut dyn Write),
}

impl<'a> Writer<'a> {
    /// Lines into a file, which has its name when it is whole.
    pub(super) fn file(path: &Path) -> Result<Self, Failure> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part).map_err(|error| unwritten(&part, &error))?;
        Ok(Self { to: To::File { part, whole: path.to_path_buf(), file: BufWriter::new(file) } })
    }

    pub(super) fn lines(out: &'a mut dyn Write) -> Self {
        Self { to: To::Lines(out) }
    }

    pub(super) fn text(out: &'a mut dyn Write) -> Self {
        Self { to: To::Text(out) }
    }

    /// Only what is streamed.
    pub(super) fn nothing(out: &'a mut dyn Write) -> Self {
        Self { to: To::Streamed(out) }
    }

    /// A piece of the only completion.
    pub(super) fn stream(&mut self, piece: &str) {
        if let To::Streamed(out) = &mut self.to {
            // What cannot be printed is told at the end.
            let _ = out.write_all(piece.as_bytes()).and_then(|()| out.flush());
        }
    }

    pub(super) fn write(
        &mut self,
        sheet: &Sheet<'_>,
        completions: &[Completion],
    ) -> Result<Printed, Failure> {
        let line = |one: &Completion| line(sheet, one).map_err(Failure::failed);
        match &mut self.to {
            To::File { part, file, .. } => {
                for one in completions {
                    if let Err(error) = writeln!(file, "{}", line(one)?) {
                        let failure = unwritten(part, &error);
                        self.discard();
                        return Err(failure);
                    }
                }
                if let Err(error) = file.flush() {
                    let failure = unwritten(part, &error);
                    self.discard();
                    return Err(failure);
                }
            }
            To::Lines(out) => {
                let lines: String =
                    completions.iter().map(|one| Ok(line(one)? + "\n")).collect::<Result<_, Failure>>()?;
                return print(*out, lines.as_bytes());
            }
            To::Text(out) => {
                let texts: String = completions.iter().map(|one| text(sheet, one) + "\n").collect();
                return print(*out, texts.as_bytes());
            }
            To::Streamed(out) => return print(*out, b"\n"),
        }
        Ok(Printed::All)
    }

    /// Gives the file its name.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        let To::File { part, whole, file } = &mut self.to else { return Ok(()) };
        let done = file.flush().and_then(|()| file.get_ref().sync_all());
        let done = done.and_then(|()| std::fs::rename(&part, &whole));
        done.map_err(|error| unwritten(whole, &error))
    }

    /// Keeps what is there and says where.
    pub(super) fn keep(&mut self) -> Result<String, Failure> {
        match &mut self.to {
            To::File { part, file, .. } => {
                file.flush().map_err(|error| unwritten(part, &error))?;
                Ok(format!("in {}", part.display()))
            }
            _ => Ok("printed".to_owned()),
        }
    }

    /// Removes what is half-written.
    pub(super) fn discard(&mut self) {
        if let To::File { part, .. } = &self.to {
            let _ = std::fs::remove_file(part);
        }
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("{}: cannot be written: {error}", path.display()))
}

fn line(sheet: &Sheet<'_>, one: &Completion) -> serde_json::Result<String> {
    let asked = &sheet.asked[one.prompt];
    serde_json::to_string(&Line {
        id: asked.id.as_ref(),
        messages: match &asked.what {
            What::Messages(messages) => Some(messages),
            What::Text(_) => None,
        },
        prompt: &sheet.prompts[one.prompt].text,
        sample: one.sample,
        completion: &one.text,
        tokens: one.tokens.len(),
        finish: one.finish.name(),
        seed: one.seed.value(),
        prompt_tokens: one.prompt_tokens,
        prompt_truncated: one.truncated,
    })
}

/// The completion under its prompt, the prompt only once.
fn text(sheet: &Sheet<'_>, one: &Completion) -> String {
    let head =
        if one.sample == 0 { format!("> {}\n", sheet.prompts[one.prompt].text) } else { String::new() };
    format!("{head}{}\n", one.text)
}
