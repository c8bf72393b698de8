//! The words of hearings: templates of prompts, compiled.

use super::Case;
use super::evidence::Said;
use crate::ParadigmError;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::{Deserialize, Serialize};
use superalign_core::{Message, Model};

/// Templates of prompts, in Jinja. Checked by [`Script::new`].
///
/// Known in all of them: `context` (the sentences that the reader sees), `speeches` (what was said: each with `text`, and
/// `answer` and `letter` of the side that said it), `question`, `answers` (both, in the order in which they are listed: each
/// with `letter`, A or B, and `text`), `open`, `close` and `unverified` (see [`Marks`]). Those for one answer know it as
/// `answer` and `letter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Prompts {
    /// Plain texts, or conversations by the model's chat template.
    pub form: Form,
    /// What the judge is asked; advisors are asked the same, with the whole context, where they rank sentences.
    pub judge: Instruction,
    /// How an answer goes on from there.
    pub choice: String,
    /// How the judge is asked about one answer, for [`Judging::Verdicts`](super::Judging::Verdicts).
    pub verdict: Option<Verdict>,
    /// How an advisor is asked to argue, for [`Speech::Arguments`](super::Speech::Arguments); knows `answer` and `letter` of
    /// its own side, and `opponent`, the other answer.
    pub advisor: Option<Instruction>,
    /// What stands around quotes.
    pub marks: Marks,
}

/// Plain texts, or conversations by the model's chat template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The text as it is.
    Plain,
    /// A message of the system, where there is one, and one of the user.
    Chat,
}

/// What a model is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// Template of the message of the system; chat only.
    pub system: Option<String>,
    /// Template of the prompt, or of the message of the user.
    pub prompt: String,
}

/// How one answer is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is asked.
    pub ask: Instruction,
    /// The word for a right answer and the word for a wrong one.
    pub words: [String; 2],
}

/// What stands around quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Before a quote.
    pub open: String,
    /// After a quote.
    pub close: String,
    /// After a quote that the context does not have.
    pub unverified: String,
}

impl Prompts {
    /// Prompts in the language of the generated world: the evidence, then `ask` and the question.
    #[must_use]
    pub fn world() -> Self {
        let told = "{% for sentence in context %}{{ sentence }} {% endfor %}\
                    {% for speech in speeches %}{{ speech.text }} {% endfor %}ask {{ question }}";
        let instruction = |prompt: String| Instruction { system: None, prompt };
        Self {
            form: Form::Plain,
            judge: instruction(told.to_owned()),
            choice: " {{ answer }}".to_owned(),
            verdict: Some(Verdict {
                ask: instruction(format!("{told} {{{{ answer }}}}")),
                words: [" right".to_owned(), " wrong".to_owned()],
            }),
            advisor: None,
            marks: Marks { open: String::new(), close: String::new(), unverified: String::new() },
        }
    }
}

/// Prompts, compiled.
#[derive(Debug)]
pub struct Script {
    environment: Environment<'static>,
    prompts: Prompts,
}

/// A case as a reader sees it.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    pub(super) case: &'a Case,
    pub(super) context: Vec<&'a str>,
    pub(super) speeches: Vec<&'a Said>,
}

/// The order in which a prompt lists the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    AsGiven,
    Swapped,
}

const LETTERS: [&str; 2] = ["A", "B"];

/// What templates may ask for.
const KNOWN: [&str; 10] = [
    "answer",
    "answers",
    "close",
    "context",
    "letter",
    "open",
    "opponent",
    "question",
    "speeches",
    "unverified",
];

impl Listing {
    /// The letter of an answer.
    const fn letter(self, answer: usize) -> &'static str {
        match self {
            Self::AsGiven => LETTERS[answer],
            Self::Swapped => LETTERS[1 - answer],
        }
    }
}

impl Script {
    /// Compiles prompts, and tries each on an example.
    ///
    /// # Errors
    /// [`ParadigmError::Template`], with the key (`judge.prompt`) of a template that is not Jinja, or that asks for what is
    /// not known.
    pub fn new(prompts: &Prompts) -> Result<Self, ParadigmError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut add = |key: &'static str, template: &str| {
            let added = environment.add_template_owned(key, template.to_owned());
            added.map_err(|error| refused(key, &error))
        };
        let mut instruction = |system: &'static str, prompt: &'static str, told: &Instruction| {
            if let Some(text) = &told.system {
                add(system, text)?;
            }
            add(prompt, &told.prompt)
        };
        instruction("judge.system", "judge.prompt", &prompts.judge)?;
        if let Some(verdict) = &prompts.verdict {
            instruction("verdict.system", "verdict.prompt", &verdict.ask)?;
        }
        if let Some(advisor) = &prompts.advisor {
            instruction("advisor.system", "advisor.prompt", advisor)?;
        }
        add("judge.choice", &prompts.choice)?;
        let script = Self { environment, prompts: prompts.clone() };
        script.try_out()?;
        Ok(script)
    }

    /// The prompts that it was made of.
    #[must_use]
    pub const fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    fn try_out(&self) -> Result<(), ParadigmError> {
        let case = Case {
            item: "example".to_owned(),
            context: vec!["Ada is taller than Bo.".to_owned()],
            question: "Who is taller?".to_owned(),
            answers: ["Ada".to_owned(), "Bo".to_owned()],
        };
        let said = Said::quote(0, 0, &case.context[0], &self.prompts.marks);
        let view = View { case: &case, context: vec![&case.context[0]], speeches: vec![&said] };
        let names: Vec<String> = self.environment.templates().map(|(name, _)| name.to_owned()).collect();
        // In a fixed order, so that of two mistakes the same one is told.
        let mut names = names;
        names.sort();
        for name in &names {
            self.knows(name)?;
            self.text(name, &view, Listing::AsGiven, 0)?;
        }
        Ok(())
    }

    /// Refuses a template that asks for what is not known.
    fn knows(&self, key: &str) -> Result<(), ParadigmError> {
        let template = self.environment.get_template(key).map_err(|error| refused(key, &error))?;
        let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        unknown.retain(|name| {
            !KNOWN.contains(&name.as_str()) && !self.environment.globals().any(|(g, _)| g == name)
        });
        unknown.sort();
        match unknown.first() {
            None => Ok(()),
            Some(name) => {
                let reason = format!("`{name}` is not known; known are {}", KNOWN.join(", "));
                Err(ParadigmError::Template { key: key.to_owned(), reason })
            }
        }
    }

    /// What the judge is asked.
    pub(super) fn judge(
        &self,
        model: &dyn Model,
        view: &View<'_>,
        listing: Listing,
    ) -> Result<String, ParadigmError> {
        self.told(model, ["judge.system", "judge.prompt"], view, listing, 0)
    }

    /// How an answer goes on from there.
    pub(super) fn choice(
        &self,
        view: &View<'_>,
        listing: Listing,
        answer: usize,
    ) -> Result<String, ParadigmError> {
        self.text("judge.choice", view, listing, answer)
    }

    /// What is asked about one answer, and the two words of verdict.
    pub(super) fn verdict(
        &self,
        model: &dyn Model,
        view: &View<'_>,
        answer: usize,
    ) -> Result<(String, &[String; 2]), ParadigmError> {
        let Some(verdict) = &self.prompts.verdict else { return Err(lacks("verdict.prompt")) };
        // Listed so that the answer in question comes first, whichever it is.
        let listing = if answer == 0 { Listing::AsGiven } else { Listing::Swapped };
        let text = self.told(model, ["verdict.system", "verdict.prompt"], view, listing, answer)?;
        Ok((text, &verdict.words))
    }

    /// What an advisor is asked who argues for an answer.
    pub(super) fn advisor(
        &self,
        model: &dyn Model,
        view: &View<'_>,
        side: usize,
    ) -> Result<String, ParadigmError> {
        if self.prompts.advisor.is_none() {
            return Err(lacks("advisor.prompt"));
        }
        let listing = if side == 0 { Listing::AsGiven } else { Listing::Swapped };
        self.told(model, ["advisor.system", "advisor.prompt"], view, listing, side)
    }

    fn told(
        &self,
        model: &dyn Model,
        [system, prompt]: [&'static str; 2],
        view: &View<'_>,
        listing: Listing,
        answer: usize,
    ) -> Result<String, ParadigmError> {
        let prompt = self.text(prompt, view, listing, answer)?;
        if self.prompts.form == Form::Plain {
            return Ok(prompt);
        }
        let mut messages = Vec::new();
        if self.environment.get_template(system).is_ok() {
            let content = self.text(system, view, listing, answer)?;
            messages.push(Message { role: "system".to_owned(), content });
        }
        messages.push(Message { role: "user".to_owned(), content: prompt });
        Ok(model.chat(&messages)?)
    }

    fn text(
        &self,
        key: &str,
        view: &View<'_>,
        listing: Listing,
        answer: usize,
    ) -> Result<String, ParadigmError> {
        let order = if listing == Listing::AsGiven { [0, 1] } else { [1, 0] };
        let texts = &view.case.answers;
        let answers = order.map(|a| context! { letter => listing.letter(a), text => &texts[a] });
        let speech = |said: &&Said| {
            context! { text => &said.text, answer => &texts[said.side], letter => listing.letter(said.side) }
        };
        let speeches: Vec<minijinja::Value> = view.speeches.iter().map(speech).collect();
        let sentences: Vec<minijinja::Value> = view.context.iter().map(|&s| s.into()).collect();
        let marks = &self.prompts.marks;
        let all = context! {
            context => sentences,
            speeches,
            question => &view.case.question,
            answers => answers.to_vec(),
            answer => &texts[answer],
            opponent => &texts[1 - answer],
            letter => listing.letter(answer),
            open => &marks.open,
            close => &marks.close,
            unverified => &marks.unverified,
        };
        let template = self.environment.get_template(key);
        template.and_then(|template| template.render(all)).map_err(|error| refused(key, &error))
    }
}

fn lacks(key: &str) -> ParadigmError {
    ParadigmError::Template {
        key: key.to_owned(),
        reason: "there is none, and the settings need it".to_owned(),
    }
}

/// What Jinja said, in a line.
fn refused(key: &str, error: &minijinja::Error) -> ParadigmError {
    let mut reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    if let Some(line) = error.line() {
        reason = format!("line {line}: {reason}");
    }
    ParadigmError::Template { key: key.to_owned(), reason }
}
