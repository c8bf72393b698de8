//! What a model writes: the seam's `generate`, `chat` and `token_counts`, for [`OnnxModel`].

use super::{OnnxModel, OpenOptions};
use crate::generate::{
    CacheUse, ChatEnd, ChatTemplate, Event, Filters, GenerateError, GenerateOptions, Generator,
    Message as ChatMessage, Prompt, Sampling, generate,
};
use crate::runtime::Runtime;
use std::path::PathBuf;
use std::sync::OnceLock;
use superalign_core::{GenerateRequest, Generation, Message, ModelError};

/// The folder that a model came from, and what is opened from it when it is first asked for.
pub(super) struct Writer {
    folder: PathBuf,
    runtime: &'static Runtime,
    options: OpenOptions,
    generator: Option<Generator>,
    template: OnceLock<Result<Option<ChatTemplate>, String>>,
}

impl Writer {
    pub(super) fn new(folder: PathBuf, runtime: &'static Runtime, options: &OpenOptions) -> Self {
        let options = options.clone();
        Self { folder, runtime, options, generator: None, template: OnceLock::new() }
    }
}

impl OnnxModel {
    /// Texts after each prompt; the special tokens that a prompt begins with are not put before it again.
    pub(super) fn write(
        &mut self,
        prompts: &[String],
        request: &GenerateRequest,
        done: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<Generation>>, ModelError> {
        let unsupported = |reason: String| ModelError::Unsupported { model: self.card.name.clone(), reason };
        if !self.card.generates {
            return Err(unsupported("it does not generate text: its graph has no logits".into()));
        }
        let writer = &mut self.writer;
        let generator = match &mut writer.generator {
            Some(generator) => generator,
            none => {
                let options = OpenOptions { name: Some(self.card.name.clone()), ..writer.options.clone() };
                let opened =
                    Generator::open(&writer.folder, writer.runtime, &options, CacheUse::WherePossible);
                none.insert(opened.map_err(|error| unsupported(error.to_string()))?)
            }
        };
        let sampling = if request.temperature == 0.0 {
            Sampling::Greedy
        } else {
            Sampling::Random(Filters {
                temperature: request.temperature,
                top_p: request.top_p,
                ..Filters::default()
            })
        };
        let options = GenerateOptions {
            max_tokens: request.max_tokens,
            samples: request.samples,
            sampling,
            stop: request.stop.clone(),
            ..GenerateOptions::default()
        };
        let mut finished = 0;
        let mut sink = |event: &Event| {
            finished += usize::from(matches!(event, Event::Finished { .. }));
            done(finished / request.samples.max(1))
        };
        let completions = generate(generator, &Prompt::list(prompts, request.seed), &options, &mut sink);
        let completions = completions.map_err(|error| match error {
            GenerateError::Model(error) => error,
            setting @ GenerateError::Setting { .. } => unsupported(setting.to_string()),
        })?;
        let mut texts: Vec<Vec<Generation>> = vec![Vec::new(); prompts.len()];
        for one in completions {
            texts[one.prompt].push(Generation { text: one.text, tokens: one.tokens.len() });
        }
        Ok(texts)
    }

    /// A conversation as the model's chat template writes it, up to where the model answers.
    pub(super) fn conversation(&self, messages: &[Message]) -> Result<String, ModelError> {
        let unsupported = |reason: String| ModelError::Unsupported { model: self.card.name.clone(), reason };
        let read = || ChatTemplate::read(&self.writer.folder).map_err(|error| error.to_string());
        let template = match self.writer.template.get_or_init(read) {
            Ok(Some(template)) => template,
            Ok(None) => {
                return Err(unsupported(
                    "its folder has no chat template (chat_template.jinja, or chat_template in \
                     tokenizer_config.json); expected one, or plain prompts"
                        .into(),
                ));
            }
            Err(reason) => return Err(unsupported(reason.clone())),
        };
        let message = |one: &Message| ChatMessage { role: one.role.clone(), content: one.content.clone() };
        let messages: Vec<ChatMessage> = messages.iter().map(message).collect();
        template.render(&messages, ChatEnd::Answer, None).map_err(|error| unsupported(error.to_string()))
    }

    /// Numbers of tokens, with the special ones that stand in front of a text.
    pub(super) fn counts(&self, texts: &[&str]) -> Result<Vec<usize>, ModelError> {
        self.tokenize(texts, |tokenizer, text| Ok(tokenizer.prompt(text)?.ids.len()))
    }
}
