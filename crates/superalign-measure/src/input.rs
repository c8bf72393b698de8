//! What the metrics are computed from, made of the file once and when it is needed.

use crate::catalogue::Need;
use crate::found::{Outcome, Undefined};
use ndarray::{Array2, ArrayView2, ArrayView3};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use superalign_core::{Bootstrap, Estimate, Seed};
use superalign_data::columns::NOTHING;
use superalign_data::signal::{self, Matrix, Signal};
use superalign_signal::{SignalError, Votes};

/// The file, the reference, and how intervals are made.
pub struct Input<'a> {
    pub(crate) signal: &'a Signal,
    pub(crate) reference: Option<&'a Signal>,
    /// No intervals without it.
    pub(crate) by: Option<Bootstrap>,
    pub(crate) seed: Seed,
    votes: OnceCell<Result<Votes, Undefined>>,
    every: OnceCell<Result<Votes, Undefined>>,
    soft: OnceCell<Option<Array2<f64>>>,
    counts: OnceCell<Result<Counts, Undefined>>,
}

/// How often each category came up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) names: Vec<String>,
    pub(crate) counts: Vec<u64>,
    /// What was counted.
    pub(crate) of: &'static str,
}

impl Counts {
    pub(crate) fn total(&self) -> usize {
        self.counts.iter().sum::<u64>() as usize
    }
}

impl<'a> Input<'a> {
    /// Of a file, perhaps with another to compare it with. Nothing is computed yet.
    #[must_use]
    pub fn new(signal: &'a Signal, reference: Option<&'a Signal>, by: Option<Bootstrap>, seed: Seed) -> Self {
        Self {
            signal,
            reference,
            by,
            seed,
            votes: OnceCell::new(),
            every: OnceCell::new(),
            soft: OnceCell::new(),
            counts: OnceCell::new(),
        }
    }

    /// Whether the file holds what is needed.
    #[must_use]
    pub fn has(&self, need: Need) -> bool {
        let signal = self.signal;
        let width = |matrix: &Option<Matrix>| matrix.as_ref().map_or(0, |matrix| matrix.shape[1]);
        let counts =
            |signal: &Signal| signal.counts.is_some() || signal.labels.is_some() || signal.votes.is_some();
        let labelled = signal.classes.is_some();
        let pairs = signal.pairs.as_ref();
        match need {
            Need::Votes => signal.votes.is_some(),
            Need::Answers => signal.votes.as_ref().is_some_and(|votes| votes.gold.is_some()),
            Need::Numbers => signal.answers.is_some(),
            Need::Counts => counts(signal),
            Need::CountsAndReference => {
                counts(signal) && (signal.reference.is_some() || self.reference.is_some_and(counts))
            }
            Need::TwoCounts => counts(signal) && self.reference.is_some_and(counts),
            Need::Soft => width(&signal.probabilities) > 1 || signal.votes.is_some(),
            Need::Labelled => width(&signal.probabilities) > 1 && labelled,
            Need::Binary => matches!(width(&signal.probabilities), 1 | 2) && labelled,
            Need::Logits => labelled && signal.logits.as_ref().is_some_and(|logits| logits.shape.len() == 2),
            Need::Epochs => labelled && signal.logits.as_ref().is_some_and(|logits| logits.shape.len() == 3),
            Need::Members => signal.members.as_ref().is_some_and(|members| members.shape.len() == 3),
            Need::VotesAndProbabilities => signal.votes.is_some() && width(&signal.probabilities) > 1,
            Need::Texts => signal.texts.is_some(),
            Need::Embeddings => signal.embeddings.is_some(),
            Need::TwoEmbeddings => {
                signal.embeddings.is_some() && self.reference.is_some_and(|file| file.embeddings.is_some())
            }
            Need::Pairs => pairs.is_some_and(|pairs| pairs.left.is_some()),
            Need::BothOrders => pairs.is_some_and(|pairs| {
                pairs.winner_swapped.is_some() || pairs.items.is_some() && pairs.left.is_some()
            }),
            Need::Lengths => pairs.is_some_and(|pairs| pairs.lengths.is_some()),
            Need::Judges => match pairs {
                Some(pairs) => pairs.judges.is_some() && pairs.items.is_some(),
                None => signal.votes.is_some(),
            },
            Need::Authors => pairs.is_some_and(|pairs| pairs.judges.is_some() && pairs.written.is_some()),
        }
    }

    /// The value with its interval, or alone where no intervals are wanted or there is none.
    pub(crate) fn interval(
        &self,
        value: impl FnOnce() -> Result<f64, SignalError>,
        estimate: impl FnOnce(&Bootstrap) -> Result<Estimate, SignalError>,
    ) -> Outcome {
        let Some(by) = &self.by else { return value().into() };
        match estimate(by) {
            Ok(found) => Outcome::Estimate(found),
            Err(why) => match value() {
                Ok(value) => Outcome::Bare(value, why.to_string()),
                Err(why) => Outcome::Undefined(why.to_string()),
            },
        }
    }

    /// The votes, of every annotator the first on an item; their categories those that occur.
    pub(crate) fn votes(&self) -> Result<&Votes, Undefined> {
        let made = self.votes.get_or_init(|| {
            let votes = self.signal_votes()?;
            let column = votes.repeats.as_ref().map_or(&votes.annotator, |repeats| &repeats.column);
            made(votes, column, votes.annotators.len())
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// Every vote; those of an annotator who votes more than once on an item have the columns of
    /// [`Input::columns`].
    pub(crate) fn every_vote(&self) -> Result<&Votes, Undefined> {
        let votes = self.signal_votes()?;
        let Some(repeats) = &votes.repeats else { return self.votes() };
        let all = self.every.get_or_init(|| made(votes, &repeats.column, repeats.columns.len()));
        all.as_ref().map_err(Clone::clone)
    }

    /// The annotator of each column of [`Input::every_vote`], where some have several.
    pub(crate) fn columns(&self) -> Option<&[u32]> {
        self.signal.votes.as_ref()?.repeats.as_ref().map(|repeats| repeats.columns.as_slice())
    }

    fn signal_votes(&self) -> Result<&'a signal::Votes, Undefined> {
        self.signal.votes.as_ref().ok_or_else(|| Undefined("there are no votes".to_owned()))
    }

    /// Refuses tables of items and categories that do not fit into memory: real numbers as labels make as many
    /// categories as votes.
    pub(crate) fn affordable(&self) -> Result<(), Undefined> {
        const MOST: usize = 1 << 28;
        let votes = self.every_vote()?;
        let (items, categories) = (votes.items(), votes.categories());
        if items.saturating_mul(categories) > MOST {
            return Err(Undefined(format!(
                "{items} items times {categories} categories are too many for a table: expected at most {MOST}"
            )));
        }
        Ok(())
    }

    /// The votes of two annotators alone, the first on every item.
    pub(crate) fn votes_of(&self, annotators: [&str; 2]) -> Result<Votes, Undefined> {
        let votes = self.signal_votes()?;
        let mut places = [0, 0];
        for (place, name) in places.iter_mut().zip(annotators) {
            *place = votes.annotators.iter().position(|annotator| annotator == name).ok_or_else(|| {
                Undefined(format!("there is no annotator `{name}`, only {}", shortened(&votes.annotators)))
            })?;
        }
        if places[0] == places[1] {
            return Err(Undefined(format!("`{}` was named twice: expected two annotators", annotators[0])));
        }
        let mut table = Array2::from_elem((votes.items.len(), 2), f64::NAN);
        for ((&item, &annotator), &category) in votes.item.iter().zip(&votes.annotator).zip(&votes.category) {
            let column = places.iter().position(|&place| place == annotator as usize);
            if let Some(cell) = column.map(|column| &mut table[[item as usize, column]])
                && cell.is_nan()
            {
                *cell = value(votes, category);
            }
        }
        Ok(Votes::numbers(table.view())?)
    }

    /// The name of a category of [`Input::votes`].
    pub(crate) fn category(&self, votes: &Votes, category: u32) -> &str {
        let value = votes.values()[category as usize];
        let Some(table) = &self.signal.votes else { return "" };
        let place = match &table.values {
            Some(values) => values.partition_point(|&x| x < value),
            None => value as usize,
        };
        table.categories.get(place).map_or("", |name| name)
    }

    /// The names of all categories of [`Input::votes`].
    pub(crate) fn categories(&self, votes: &Votes) -> Vec<&str> {
        (0..votes.categories() as u32).map(|category| self.category(votes, category)).collect()
    }

    /// For each item the right category of [`Input::votes`], where it is known and occurs among the votes. What is
    /// right and was never said has a number of its own.
    pub(crate) fn gold(&self, votes: &Votes) -> Option<Vec<Option<u32>>> {
        let table = self.signal.votes.as_ref()?;
        let gold = table.gold.as_ref()?;
        let category = |code: u32| {
            let value = value(table, code);
            let place = votes.values().partition_point(|&x| x < value);
            if votes.values().get(place) == Some(&value) {
                place as u32
            } else {
                votes.categories() as u32 + code
            }
        };
        Some(gold.iter().take(votes.items()).map(|&code| (code != NOTHING).then(|| category(code))).collect())
    }

    /// The right category of each item and what each source said first, of the items whose right one is known.
    pub(crate) fn answers(&self) -> Result<(Vec<u32>, Array2<u32>), Undefined> {
        let none = || Undefined("there are no answers with a gold column".to_owned());
        let votes = self.signal.votes.as_ref().ok_or_else(none)?;
        let gold = votes.gold.as_ref().ok_or_else(none)?;
        let sources = votes.annotators.len();
        let first = votes.repeats.as_ref().map_or(&votes.annotator, |repeats| &repeats.column);
        let list = || votes.item.iter().zip(first).filter(|(_, source)| (**source as usize) < sources);
        // Looked for beforehand, since a table with many gaps may be too large to make.
        let mut answered = vec![0; votes.items.len()];
        list().for_each(|(&item, _)| answered[item as usize] += 1);
        let known: Vec<usize> = (0..gold.len()).filter(|&item| gold[item] != NOTHING).collect();
        if let Some(&item) = known.iter().find(|&&item| answered[item] < sources) {
            let mut lacks = vec![true; sources];
            list()
                .filter(|(of, _)| **of as usize == item)
                .for_each(|(_, &source)| lacks[source as usize] = false);
            let source = lacks.iter().position(|&lacks| lacks).unwrap_or(0);
            return Err(Undefined(format!(
                "item {} has no answer of `{}`: expected answers of all sources",
                votes.items[item], votes.annotators[source]
            )));
        }
        let mut row = vec![NOTHING; votes.items.len()];
        known.iter().zip(0..).for_each(|(&item, place)| row[item] = place);
        let mut given = Array2::from_elem((known.len(), sources), NOTHING);
        for ((&item, &source), &category) in votes.item.iter().zip(first).zip(&votes.category) {
            if row[item as usize] != NOTHING && (source as usize) < sources {
                given[[row[item as usize] as usize, source as usize]] = category;
            }
        }
        Ok((known.iter().map(|&item| gold[item]).collect(), given))
    }

    /// The first votes with the columns of the probabilities as labels.
    pub(crate) fn votes_as_classes(&self) -> Result<Votes, Undefined> {
        let none = || Undefined("there are no votes and probabilities".to_owned());
        let votes = self.signal.votes.as_ref().ok_or_else(none)?;
        let names = &self.signal.probabilities.as_ref().ok_or_else(none)?.names;
        let class = |category: &String| {
            let named = names.iter().position(|name| name == category);
            named.or_else(|| category.parse().ok().filter(|&class| class < names.len())).ok_or_else(|| {
                Undefined(format!("the label `{category}` is no class: expected {}", shortened(names)))
            })
        };
        let classes: Vec<usize> = votes.categories.iter().map(class).collect::<Result<_, _>>()?;
        let mut table = Array2::from_elem((votes.items.len(), votes.annotators.len()), f64::NAN);
        for ((&item, &annotator), &category) in votes.item.iter().zip(&votes.annotator).zip(&votes.category) {
            let cell = &mut table[[item as usize, annotator as usize]];
            if cell.is_nan() {
                *cell = classes[category as usize] as f64;
            }
        }
        Ok(Votes::numbers(table.view())?)
    }

    /// The names of classes.
    pub(crate) fn class_names(&self, classes: &[u32]) -> serde_json::Value {
        let names = self.signal.probabilities.as_ref().map_or(&[][..], |matrix| &matrix.names);
        classes.iter().map(|&class| names.get(class as usize).map_or("", |name| name)).collect()
    }

    /// Rows of shares: the probabilities, or the shares of an item's votes, of items that have some.
    pub(crate) fn soft(&self) -> Result<ArrayView2<'_, f64>, Undefined> {
        if let Some(matrix) = &self.signal.probabilities {
            return Ok(view(matrix)?);
        }
        self.affordable()?;
        let made = self.soft.get_or_init(|| {
            let votes = self.every_vote().ok()?;
            let voted: Vec<usize> =
                (0..votes.items()).filter(|&i| !votes.labels_of_item(i).is_empty()).collect();
            let mut shares = Array2::zeros((voted.len(), votes.categories()));
            for (row, &item) in voted.iter().enumerate() {
                let labels = votes.labels_of_item(item);
                labels.iter().for_each(|&label| shares[[row, label as usize]] += 1.0);
                shares.row_mut(row).mapv_inplace(|count| count / labels.len() as f64);
            }
            Some(shares)
        });
        made.as_ref()
            .map(|shares| shares.view())
            .ok_or_else(|| Undefined("there are no probabilities".to_owned()))
    }

    /// The labels of the rows as classes of `scored`; every row must have one.
    pub(crate) fn classes(&self) -> Result<&[u32], Undefined> {
        let classes =
            self.signal.classes.as_deref().ok_or_else(|| Undefined("there are no labels".to_owned()))?;
        match classes.iter().position(|&class| class == NOTHING) {
            None => Ok(classes),
            Some(row) => Err(Undefined(format!("row {} has no label: expected one in every row", row + 1))),
        }
    }

    /// Probabilities (rows, classes).
    pub(crate) fn probabilities(&self) -> Result<ArrayView2<'_, f64>, Undefined> {
        let none = || Undefined("there are no probabilities".to_owned());
        Ok(view(self.signal.probabilities.as_ref().ok_or_else(none)?)?)
    }

    /// The probability of the second of two classes, and whether that is the label.
    pub(crate) fn binary(&self) -> Result<(Vec<f64>, Vec<bool>), Undefined> {
        let probabilities = self.probabilities()?;
        let column = probabilities.column(probabilities.ncols() - 1).to_vec();
        if probabilities.ncols() > 2 {
            return Err(Undefined(format!("there are {} classes: expected two", probabilities.ncols())));
        }
        Ok((column, self.classes()?.iter().map(|&class| class == 1).collect()))
    }

    /// Log-odds (rows, classes).
    pub(crate) fn logits(&self) -> Result<ArrayView2<'_, f64>, Undefined> {
        let none = || Undefined("there are no log-odds".to_owned());
        Ok(view(self.signal.logits.as_ref().ok_or_else(none)?)?)
    }

    /// Log-odds (rows, epochs, classes).
    pub(crate) fn epochs(&self) -> Result<ArrayView3<'_, f64>, Undefined> {
        let none = || Undefined("there are no log-odds of several epochs".to_owned());
        cube(self.signal.logits.as_ref().ok_or_else(none)?)
    }

    /// Probabilities (rows, members, classes).
    pub(crate) fn members(&self) -> Result<ArrayView3<'_, f64>, Undefined> {
        let none = || Undefined("there are no predictions of members".to_owned());
        cube(self.signal.members.as_ref().ok_or_else(none)?)
    }

    /// Embeddings (rows, dimensions).
    pub(crate) fn embeddings(&self) -> Result<ArrayView2<'_, f64>, Undefined> {
        let none = || Undefined("there are no embeddings".to_owned());
        Ok(view(self.signal.embeddings.as_ref().ok_or_else(none)?)?)
    }

    /// Embeddings of the reference.
    pub(crate) fn reference_embeddings(&self) -> Result<ArrayView2<'_, f64>, Undefined> {
        let none = || Undefined("there is no reference of embeddings: name one with --reference".to_owned());
        Ok(view(self.reference.and_then(|file| file.embeddings.as_ref()).ok_or_else(none)?)?)
    }

    /// The texts.
    pub(crate) fn texts(&self) -> Result<&[std::sync::Arc<str>], Undefined> {
        self.signal.texts.as_deref().ok_or_else(|| Undefined("there are no texts".to_owned()))
    }

    /// How often each category came up: by the column that says so, else among labels, else among all votes.
    pub(crate) fn counts(&self) -> Result<&Counts, Undefined> {
        self.counts.get_or_init(|| counted(self.signal)).as_ref().map_err(Clone::clone)
    }

    /// The counts and, for the same categories, what is likely by the reference.
    pub(crate) fn counts_and_reference(&self) -> Result<(Counts, Vec<f64>), Undefined> {
        let counts = self.counts()?;
        if let Some(reference) = &self.signal.reference {
            return Ok((counts.clone(), reference.clone()));
        }
        // A file of counts may hold shares as well, since only their ratios matter.
        if let Some(file) = self.reference
            && let Some(shares) = &file.counts
            && (self.signal.names.is_none() || file.names.is_none())
        {
            if shares.len() != counts.counts.len() {
                let (found, expected) = (shares.len(), counts.counts.len());
                return Err(Undefined(format!("the reference has {found} categories: expected {expected}")));
            }
            return Ok((counts.clone(), shared(shares.clone())));
        }
        if let Some(file) = self.reference
            && let (Some(shares), Some(names)) = (&file.counts, &file.names)
        {
            let (mut all, mut reference) = (counts.clone(), vec![0.0; counts.counts.len()]);
            for (name, share) in names.iter().zip(shares) {
                match all.names.iter().position(|mine| mine == name) {
                    Some(place) => reference[place] += share,
                    None => {
                        all.names.push(name.clone());
                        all.counts.push(0);
                        reference.push(*share);
                    }
                }
            }
            return Ok((all, shared(reference)));
        }
        let (counts, reference) = self.two_counts()?;
        Ok((counts, shared(reference.counts.iter().map(|&count| count as f64).collect())))
    }

    /// The counts of file and reference, both over the categories of either.
    pub(crate) fn two_counts(&self) -> Result<(Counts, Counts), Undefined> {
        let none = || Undefined("there is no reference: name a file with --reference".to_owned());
        let (mut counts, mut reference) =
            (self.counts()?.clone(), counted(self.reference.ok_or_else(none)?)?);
        let named: BTreeMap<&str, (u64, u64)> = counts
            .names
            .iter()
            .zip(&counts.counts)
            .map(|(name, &count)| (name.as_str(), (count, 0)))
            .chain(
                reference
                    .names
                    .iter()
                    .zip(&reference.counts)
                    .map(|(name, &count)| (name.as_str(), (0, count))),
            )
            .fold(BTreeMap::new(), |mut sums, (name, (mine, theirs))| {
                let sum: &mut (u64, u64) = sums.entry(name).or_default();
                sum.0 += mine;
                sum.1 += theirs;
                sums
            });
        let names: Vec<String> = named.keys().map(|&name| name.to_owned()).collect();
        let (mine, theirs) = named.values().copied().unzip();
        (counts.names, counts.counts) = (names.clone(), mine);
        (reference.names, reference.counts) = (names, theirs);
        Ok((counts, reference))
    }
}

/// Counts or shares of a second file as shares that sum to 1; of nothing there are none.
fn shared(mut counts: Vec<f64>) -> Vec<f64> {
    let total: f64 = counts.iter().sum();
    if total > 0.0 {
        counts.iter_mut().for_each(|count| *count /= total);
    }
    counts
}

/// The votes in the first `width` columns.
fn made(votes: &signal::Votes, column: &[u32], width: usize) -> Result<Votes, Undefined> {
    let list = || {
        let all = votes.item.iter().zip(column).zip(&votes.category);
        all.map(|((&item, &column), &category)| (item, column, value(votes, category)))
            .filter(|(_, column, _)| (*column as usize) < width)
    };
    // A table keeps items without votes; it is only made where it has not many more cells than votes.
    if votes.items.len().saturating_mul(width) <= 4 * votes.item.len() + 1024 {
        let mut table = Array2::from_elem((votes.items.len(), width), f64::NAN);
        list().for_each(|(item, column, label)| table[[item as usize, column as usize]] = label);
        return Ok(Votes::numbers(table.view())?);
    }
    let (mut items, mut columns, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for (item, column, label) in list() {
        items.push(item);
        columns.push(column);
        labels.push(label);
    }
    Ok(Votes::triples(&items, &columns, &labels)?)
}

/// A category as the number by which [`Votes`] know it.
fn value(votes: &signal::Votes, category: u32) -> f64 {
    votes.values.as_ref().map_or(f64::from(category), |values| values[category as usize])
}

fn counted(signal: &Signal) -> Result<Counts, Undefined> {
    let count = |codes: &[u32], names: &[String], of| {
        let mut counts = vec![0; names.len()];
        codes.iter().filter(|&&code| code != NOTHING).for_each(|&code| counts[code as usize] += 1);
        Counts { names: names.to_vec(), counts, of }
    };
    if let Some(found) = &signal.counts {
        if let Some(row) = found.iter().position(|x| x.fract() != 0.0 || *x > 9e15) {
            let found = found[row];
            return Err(Undefined(format!(
                "the count in row {} is {found}: expected a whole number",
                row + 1
            )));
        }
        let numbered = || (1..=found.len()).map(|row| row.to_string()).collect();
        let names = signal.names.clone().unwrap_or_else(numbered);
        return Ok(Counts { names, counts: found.iter().map(|&x| x as u64).collect(), of: "counted" });
    }
    if let Some(labels) = &signal.labels {
        return Ok(count(&labels.codes, &labels.names, "labels"));
    }
    match &signal.votes {
        Some(votes) => Ok(count(&votes.category, &votes.categories, "votes")),
        None => Err(Undefined("there are no labels, votes or counts".to_owned())),
    }
}

fn view(matrix: &Matrix) -> Result<ArrayView2<'_, f64>, ndarray::ShapeError> {
    ArrayView2::from_shape((matrix.shape[0], matrix.shape[1..].iter().product()), &matrix.values)
}

fn cube(matrix: &Matrix) -> Result<ArrayView3<'_, f64>, Undefined> {
    match matrix.shape[..] {
        [rows, members, classes] => Ok(ArrayView3::from_shape((rows, members, classes), &matrix.values)?),
        _ => Err(Undefined("there is one list a row: expected a list of lists".to_owned())),
    }
}

/// The first names of many.
#[must_use]
pub fn shortened(names: &[String]) -> String {
    const MOST: usize = 8;
    let first: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST);
    if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
}
