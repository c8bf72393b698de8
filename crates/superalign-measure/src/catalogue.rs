//! What a metric is to the command line: its name, its options, what it needs, and how it is called.

use crate::found::{Found, Undefined};
use crate::input::Input;
use std::fmt::Write as _;

/// A metric and how to compute it.
#[derive(Debug)]
pub struct Metric {
    /// Family it belongs to.
    pub family: &'static str,
    /// Name on the command line.
    pub name: &'static str,
    /// What it says, in a few words.
    pub about: &'static str,
    /// What a file must hold.
    pub needs: Need,
    /// What can be chosen.
    pub options: &'static [Opt],
    /// The settings with which it is computed when nobody asks: none, one, or several, each written as on the
    /// command line.
    pub usual: &'static [&'static str],
    /// Computes it.
    pub(crate) run: fn(&Input<'_>, &Settings) -> Result<Vec<Found>, Undefined>,
}

/// A metric of a family, and what it needs.
pub(crate) const fn metric(
    (family, needs): (&'static str, Need),
    name: &'static str,
    about: &'static str,
    options: &'static [Opt],
    usual: &'static [&'static str],
    run: fn(&Input<'_>, &Settings) -> Result<Vec<Found>, Undefined>,
) -> Metric {
    Metric { family, name, about, needs, options, usual, run }
}

/// What a metric can be computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Votes of annotators on items.
    Votes,
    /// Answers of sources and the right ones.
    Answers,
    /// Answers of sources and the right ones, all numbers.
    Numbers,
    /// Labels, votes, or counts of categories.
    Counts,
    /// The same, and what is likely by a reference.
    CountsAndReference,
    /// The same, and a second file of such.
    TwoCounts,
    /// Rows of probabilities, or votes, of which an item's shares are a row.
    Soft,
    /// Probabilities and the label of each row.
    Labelled,
    /// One probability (that of the second class) or several, and labels.
    Binary,
    /// Log-odds and the label of each row.
    Logits,
    /// Log-odds of several epochs and the label of each row.
    Epochs,
    /// Probabilities by several members.
    Members,
    /// Votes and probabilities.
    VotesAndProbabilities,
    /// Texts.
    Texts,
    /// Embeddings.
    Embeddings,
    /// Embeddings, and those of a second file.
    TwoEmbeddings,
    /// Comparisons of two named candidates.
    Pairs,
    /// Comparisons made in both orders.
    BothOrders,
    /// Comparisons with the lengths of both candidates.
    Lengths,
    /// Comparisons of several judges on the same items.
    Judges,
    /// Comparisons with the authors of both candidates and the judge.
    Authors,
}

impl Need {
    /// In words, for a message and the list.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Votes => "votes of annotators",
            Self::Answers => "answers of sources and a gold column",
            Self::Numbers => "answers and a gold column, all numbers",
            Self::Counts => "labels, votes or counts",
            Self::CountsAndReference => "labels, votes or counts, and a reference column or file",
            Self::TwoCounts => "labels, votes or counts, and a second file of them as the reference",
            Self::Soft => "probabilities, or votes",
            Self::Labelled => "probabilities and labels",
            Self::Binary => "probabilities and labels",
            Self::Logits => "log-odds and labels",
            Self::Epochs => "log-odds of several epochs and labels",
            Self::Members => "probabilities by several members",
            Self::VotesAndProbabilities => "votes of annotators and probabilities",
            Self::Texts => "texts",
            Self::Embeddings => "embeddings",
            Self::TwoEmbeddings => "embeddings, and a second file of them as the reference",
            Self::Pairs => "comparisons of named candidates",
            Self::BothOrders => "comparisons made in both orders",
            Self::Lengths => "comparisons with the lengths of both candidates",
            Self::Judges => "comparisons, or votes, of several judges on the same items",
            Self::Authors => "comparisons with judges and authors",
        }
    }
}

/// One thing that can be chosen.
#[derive(Debug)]
pub struct Opt {
    /// Its name.
    pub key: &'static str,
    /// What can be written.
    pub kind: Kind,
    /// As it would be written; empty where nothing is chosen.
    pub default: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
}

/// What can be written behind an option.
#[derive(Debug)]
pub enum Kind {
    /// One of these words.
    Word(&'static [&'static str]),
    /// A number; `inf` is one.
    Number,
    /// A whole number from 0.
    Whole,
    /// Anything.
    Text,
}

pub(crate) const fn word(
    key: &'static str,
    words: &'static [&'static str],
    default: &'static str,
    about: &'static str,
) -> Opt {
    Opt { key, kind: Kind::Word(words), default, about }
}

pub(crate) const fn number(key: &'static str, default: &'static str, about: &'static str) -> Opt {
    Opt { key, kind: Kind::Number, default, about }
}

pub(crate) const fn whole(key: &'static str, default: &'static str, about: &'static str) -> Opt {
    Opt { key, kind: Kind::Whole, default, about }
}

pub(crate) const fn text(key: &'static str, default: &'static str, about: &'static str) -> Opt {
    Opt { key, kind: Kind::Text, default, about }
}

/// What was chosen for one computation, checked against the options of its metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Every option with its value, chosen or not.
    pub values: Vec<(&'static str, String)>,
}

impl Settings {
    /// Checks `key=value` pairs.
    pub(crate) fn of(metric: &Metric, chosen: &[(&str, &str)]) -> Result<Self, String> {
        let mut values: Vec<(&'static str, String)> =
            metric.options.iter().map(|opt| (opt.key, opt.default.to_owned())).collect();
        for &(key, value) in chosen {
            let Some(place) = metric.options.iter().position(|opt| opt.key == key) else {
                return Err(unknown(
                    &format!("option `{key}` of {}", metric.name),
                    key,
                    metric.options.iter().map(|opt| opt.key),
                ));
            };
            let opt = &metric.options[place];
            let wrong = |expected: &str| Err(format!("{}: {key}={value}: expected {expected}", metric.name));
            match opt.kind {
                Kind::Word(words) if !words.contains(&value) => {
                    let near = nearest(value, words.iter().copied());
                    let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                    return wrong(&format!("one of {}{near}", words.join(", ")));
                }
                Kind::Number if parse(value).is_none() => return wrong("a number"),
                Kind::Whole if value.parse::<usize>().is_err() => return wrong("a whole number from 0"),
                _ => values[place].1 = value.to_owned(),
            }
        }
        Ok(Self { values })
    }

    /// The word of an option.
    pub(crate) fn word(&self, key: &str) -> &str {
        let found = self.values.iter().find(|(of, _)| *of == key);
        found.map_or("", |(_, value)| value)
    }

    /// The number of an option, unless it is empty.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        parse(self.word(key))
    }

    /// The number of an option that has a default.
    pub(crate) fn real(&self, key: &str) -> f64 {
        self.number(key).unwrap_or_else(|| unreachable!("{key} has a default and was checked"))
    }

    /// The whole number of an option that has a default.
    pub(crate) fn whole(&self, key: &str) -> usize {
        self.word(key).parse().unwrap_or_else(|_| unreachable!("{key} has a default and was checked"))
    }
}

/// A number as it is written on a command line.
fn parse(text: &str) -> Option<f64> {
    match text {
        "inf" | "infinity" => Some(f64::INFINITY),
        text => text.parse().ok().filter(|x: &f64| x.is_finite()),
    }
}

/// The message for a name that does not exist, with the nearest that does.
pub(crate) fn unknown(what: &str, name: &str, known: impl Iterator<Item = &'static str> + Clone) -> String {
    let mut message = format!("there is no {what}");
    match nearest(name, known.clone()) {
        Some(near) => _ = write!(message, "; did you mean `{near}`?"),
        None => {
            let known: Vec<&str> = known.collect();
            if known.is_empty() {
                message += "; it has none";
            } else if known.len() <= 12 {
                _ = write!(message, "; there are {}", known.join(", "));
            } else {
                message += "; `superalign measure --list` names all";
            }
        }
    }
    message
}

/// The name that is closest to `wanted`, if any is close enough to be meant.
fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.into_iter().map(|name| (strsim::jaro_winkler(wanted, name), name));
    near.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
