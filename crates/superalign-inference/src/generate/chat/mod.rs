//! Conversations as the text that a model was trained on: the chat template of its folder.

mod python;

pub use python::Now;
pub use superalign_core::Message;

use crate::error::OpenError;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Value, context};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Where the text of a conversation ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChatEnd {
    /// Where the assistant begins to answer (`add_generation_prompt`).
    #[default]
    Answer,
    /// After the last message.
    Messages,
}

/// A chat template: Jinja, as transformers runs it.
///
/// Blocks are trimmed (`trim_blocks`, `lstrip_blocks`). Known are, beside Jinja's own, loop controls, `raise_exception`,
/// `strftime_now`, `tojson` in Python's form, methods of Python's strings, lists and dictionaries, and
/// `{% generation %}`, which changes nothing. `messages`, `add_generation_prompt`, `tools` and `documents` (none), and
/// the special tokens of the folder (`bos_token` and so on) are defined.
///
/// ```
/// use superalign_inference::{ChatEnd, ChatTemplate, Message};
///
/// let source = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}\
///               {% if add_generation_prompt %}<|assistant|>{% endif %}";
/// let template = ChatTemplate::new(source, [])?;
/// let text = template.render(&[Message::user("Is water wet?")], ChatEnd::Answer, None)?;
/// assert_eq!(text, "<|user|>Is water wet?\n<|assistant|>");
/// # Ok::<(), superalign_inference::ChatError>(())
/// ```
pub struct ChatTemplate {
    environment: Environment<'static>,
    tokens: BTreeMap<String, String>,
}

/// Why a conversation has no text.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// The template is not Jinja.
    #[error("the chat template cannot be read: {reason}")]
    Template {
        /// Where it fails.
        reason: String,
    },
    /// The template refuses the conversation (`raise_exception`).
    #[error("the chat template refuses this conversation: {reason}")]
    Refused {
        /// What it says.
        reason: String,
    },
    /// The template fails.
    #[error("the chat template failed: {reason}")]
    Failed {
        /// What went wrong, and where.
        reason: String,
    },
}

/// A special token, as the files write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Token {
    Text(String),
    Full { content: String },
}

/// A template, or several of which one is the default.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    One(String),
    Several(Vec<Named>),
}

#[derive(Deserialize)]
struct Named {
    name: String,
    template: String,
}

const NAME: &str = "chat template";

impl ChatTemplate {
    /// A template from its source and the special tokens that it may name.
    ///
    /// # Errors
    /// [`ChatError::Template`] where the source is not Jinja.
    pub fn new(source: &str, tokens: impl IntoIterator<Item = (String, String)>) -> Result<Self, ChatError> {
        let mut environment = Environment::new();
        let trimmed = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(trimmed.map_err(|error| ChatError::Template { reason: told(&error) })?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        python::add(&mut environment);
        environment
            .add_template_owned(NAME, python::without_generation_tags(source))
            .map_err(|error| ChatError::Template { reason: told(&error) })?;
        Ok(Self { environment, tokens: tokens.into_iter().collect() })
    }

    /// The template of a model's folder, where it has one: `chat_template.jinja`, else `chat_template` in
    /// `tokenizer_config.json` (of several that named `default`). Special tokens are those of
    /// `special_tokens_map.json` and `tokenizer_config.json`.
    ///
    /// # Errors
    /// A file that cannot be read or understood, a template that is not Jinja.
    pub fn read(folder: &Path) -> Result<Option<Self>, OpenError> {
        type Map = BTreeMap<String, serde_json::Value>;
        let path = folder.join("tokenizer_config.json");
        let config: Map = super::read_json(&path)?;
        let map: Map = super::read_json(&folder.join("special_tokens_map.json"))?;
        let invalid = |path: &Path, reason: String| OpenError::Invalid { path: path.to_path_buf(), reason };
        let jinja = folder.join("chat_template.jinja");
        let (place, source) = if jinja.is_file() {
            let text = std::fs::read_to_string(&jinja)
                .map_err(|error| OpenError::Unreadable { path: jinja.clone(), reason: error.to_string() })?;
            (jinja, text)
        } else {
            let Some(value) = config.get("chat_template").filter(|value| !value.is_null()) else {
                return Ok(None);
            };
            let source = Source::deserialize(value).map_err(|_| {
                invalid(&path, "chat_template is neither a text nor a list of named texts".into())
            })?;
            let source = match source {
                Source::One(text) => text,
                Source::Several(list) => {
                    let names: Vec<String> = list.iter().map(|one| one.name.clone()).collect();
                    let default = list.into_iter().find(|one| one.name == "default");
                    let default = default.ok_or_else(|| {
                        invalid(
                            &path,
                            format!(
                                "its chat templates are {}; expected one named default",
                                names.join(", ")
                            ),
                        )
                    })?;
                    default.template
                }
            };
            (path, source)
        };
        let tokens = map.into_iter().chain(config).filter(|(name, _)| name.ends_with("_token"));
        let text = |(name, value): (String, serde_json::Value)| match Token::deserialize(&value).ok()? {
            Token::Text(text) | Token::Full { content: text } => Some((name, text)),
        };
        let tokens: Vec<(String, String)> = tokens.filter_map(text).collect();
        Self::new(&source, tokens).map(Some).map_err(|error| invalid(&place, error.to_string()))
    }

    /// The text of a conversation. `now` is what `strftime_now` tells; a template that asks without one fails.
    ///
    /// The special tokens are part of the text:
    /// [`SpecialTokens::AsWritten`](crate::SpecialTokens::AsWritten) keeps the tokenizer from adding them again.
    ///
    /// # Errors
    /// [`ChatError::Refused`] where the template raises an exception, [`ChatError::Failed`] where it fails.
    pub fn render(&self, messages: &[Message], end: ChatEnd, now: Option<Now>) -> Result<String, ChatError> {
        let failed = |error: &minijinja::Error| match python::raised(error) {
            Some(reason) => ChatError::Refused { reason },
            None => ChatError::Failed { reason: told(error) },
        };
        let template = self.environment.get_template(NAME).map_err(|error| failed(&error))?;
        let message = |one: &Message| {
            Value::from_pairs([("role", one.role.as_str()), ("content", one.content.as_str())])
        };
        let messages: Vec<Value> = messages.iter().map(message).collect();
        let tokens = self.tokens.iter().map(|(name, token)| (name.as_str(), token.as_str()));
        let context = context! {
            messages,
            add_generation_prompt => end == ChatEnd::Answer,
            tools => Value::from(()),
            documents => Value::from(()),
            strftime_now => python::strftime_now(now),
            ..Value::from_pairs(tokens)
        };
        template.render(context).map_err(|error| failed(&error))
    }
}

/// What Jinja said, in a line.
fn told(error: &minijinja::Error) -> String {
    let mut text = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    if let Some(line) = error.line() {
        text = format!("line {line}: {text}");
    }
    text
}
