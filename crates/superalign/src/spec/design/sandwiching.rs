//! A weak judge, helped by stronger advisors.

use super::{ITEMS, LossName};
use crate::spec::section::{Bounds, Choice, Section};
use crate::spec::{SpecError, prompts};
use serde::{Deserialize, Serialize};
use superalign_data::world::Family;
use superalign_paradigm::sandwiching::{Config, Judging, Length, Prompts, Silence, Speech};

/// What varies in a sandwiching experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sandwiching {
    /// Items that judges label and that train the students; two make a question.
    pub student: usize,
    /// Held-out items with gold labels.
    pub test: usize,
    /// Share of the groups of its part that each seed draws for training, in `(0, 1]`.
    pub resample: f64,
    /// Families of the world's questions.
    pub family: Vec<Family>,
    /// Difficulties of the world's questions.
    pub difficulty: Vec<usize>,
    /// How hearings are held.
    pub hearing: Config,
    /// What models are told.
    pub prompts: Prompts,
    /// Protocols with advisors; alone and with the full context judges decide in any case.
    pub protocol: Vec<ProtocolName>,
    /// The loss of the students.
    pub loss: LossName,
}

/// A protocol with advisors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProtocolName {
    /// One advisor argues an assigned side.
    Consultancy,
    /// Two advisors argue opposite sides.
    Debate,
}

impl ProtocolName {
    /// Its name in cells and transcripts.
    #[must_use]
    pub fn name(self) -> &'static str {
        Choice::name(&self)
    }
}

impl Sandwiching {
    pub(super) fn read(
        spec: &Section<'_>,
        data: &Section<'_>,
        grid: &Section<'_>,
    ) -> Result<Self, SpecError> {
        let hearing = spec.section("hearing")?;
        let usual = Config::default();
        let max_tokens = hearing.count("max-tokens", 1..100_001)?.unwrap_or(80);
        let temperature = hearing.number("temperature", Bounds::Closed(0.0, 10.0))?.unwrap_or(1.0);
        let speech = match hearing.choice::<Speaking>("speech")?.unwrap_or(Speaking::Quotes) {
            Speaking::Quotes => Speech::Quotes,
            Speaking::Arguments => Speech::Arguments { max_tokens, temperature: temperature as f32 },
        };
        let config = Config {
            turns: hearing.count("turns", 1..21)?.unwrap_or(usual.turns),
            candidates: hearing.count("candidates", 1..1001)?.unwrap_or(usual.candidates),
            silence: hearing.choice("silence")?.unwrap_or(usual.silence),
            shown: hearing.number("shown", Bounds::Closed(0.0, 1.0))?.unwrap_or(usual.shown),
            speech,
            judging: hearing.choice("judging")?.unwrap_or(usual.judging),
            length: hearing.choice("length")?.unwrap_or(usual.length),
        };
        hearing.finish()?;
        let read_prompts =
            spec.file("prompts")?.map_or_else(|| Ok(Prompts::world()), |path| prompts::read(&path))?;
        if matches!(config.speech, Speech::Arguments { .. }) && read_prompts.advisor.is_none() {
            let message = "arguments are to be written, and the prompts do not say how".to_owned();
            let help = "add [advisor] with a `prompt` to them, or set speech = \"quotes\"".to_owned();
            return Err(hearing.error("speech", message, Some(help)));
        }
        if config.judging == Judging::Verdicts && read_prompts.verdict.is_none() {
            let message = "answers are to be judged by verdict, and the prompts do not say how".to_owned();
            let help =
                "add [verdict] with `prompt`, `right` and `wrong` to them, or set judging = \"answers\"";
            return Err(hearing.error("judging", message, Some(help.to_owned())));
        }
        let all = ProtocolName::ALL.iter().map(|(_, protocol)| *protocol).collect();
        Ok(Self {
            student: data.count("student", ITEMS)?.unwrap_or(600),
            test: data.count("test", ITEMS)?.unwrap_or(600),
            resample: data.number("resample", Bounds::Above(0.0, 1.0))?.unwrap_or(0.8),
            family: data
                .choices("family")?
                .unwrap_or_else(|| vec![Family::Lookup, Family::Order, Family::Chain]),
            difficulty: data.counts("difficulty", 1..7)?.unwrap_or_else(|| vec![1, 2, 3]),
            hearing: config,
            prompts: read_prompts,
            protocol: grid.choices("protocol")?.unwrap_or(all),
            loss: grid.choice("loss")?.unwrap_or(LossName::Xent),
        })
    }
}

/// What advisors say, by name.
#[derive(Clone, Copy, PartialEq)]
enum Speaking {
    Quotes,
    Arguments,
}

impl Choice for Speaking {
    const ALL: &'static [(&'static str, Self)] = &[("quotes", Self::Quotes), ("arguments", Self::Arguments)];
}

impl Choice for Judging {
    const ALL: &'static [(&'static str, Self)] = &[("answers", Self::Answers), ("verdicts", Self::Verdicts)];
}

impl Choice for Silence {
    const ALL: &'static [(&'static str, Self)] =
        &[("permitted", Self::Permitted), ("forbidden", Self::Forbidden)];
}

impl Choice for Length {
    const ALL: &'static [(&'static str, Self)] = &[("sum", Self::Sum), ("per-token", Self::PerToken)];
}

impl Choice for ProtocolName {
    const ALL: &'static [(&'static str, Self)] =
        &[("consultancy", Self::Consultancy), ("debate", Self::Debate)];
}

/// Those whose contexts are sentences.
impl Choice for Family {
    const ALL: &'static [(&'static str, Self)] =
        &[("lookup", Self::Lookup), ("order", Self::Order), ("chain", Self::Chain)];
}
