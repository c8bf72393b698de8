//! The parts of a signal, made of the columns that have their roles.

use super::{Pairs, Repeats, Role, Roles, Shape, Signal};
use crate::columns::{Cells, Codes, Column, Columns, NOTHING, Texts};
use crate::error::DataError;
use std::sync::Arc;

/// Votes of annotators on items, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Votes {
    /// Names of the items, sorted; in a wide table those of the rows.
    pub items: Vec<String>,
    /// Names of the annotators, sorted; in a wide table in the order of the columns.
    pub annotators: Vec<String>,
    /// The categories, sorted, those of the right answers with them.
    pub categories: Vec<String>,
    /// The categories as numbers, where all of them are.
    pub values: Option<Vec<f64>>,
    /// The item of each vote.
    pub item: Vec<u32>,
    /// The annotator of each vote.
    pub annotator: Vec<u32>,
    /// The category of each vote.
    pub category: Vec<u32>,
    /// Rows (cells of a wide table) without a label.
    pub missing: usize,
    /// The category that is right for each item; [`NOTHING`] where that is not known.
    pub gold: Option<Vec<u32>>,
    /// Where annotators voted more than once on an item.
    pub repeats: Option<Repeats>,
}

/// Answers with a size, all there: of several sources, and the right ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// The answers (rows, sources).
    pub answers: Matrix,
    /// The right answer of each row.
    pub gold: Vec<f64>,
}

/// Numbers of every row, of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// The numbers, one row after the other; none is missing.
    pub values: Vec<f64>,
    /// Number of rows, and the lengths of the dimensions within a row.
    pub shape: Vec<usize>,
    /// What the places of the last dimension are called.
    pub names: Vec<String>,
}

impl Signal {
    /// Makes every part whose columns are there.
    pub(super) fn fill(&mut self, file: &Columns, roles: &Roles<'_>) -> Result<(), DataError> {
        // Of counts, a column of labels names what was counted.
        let counted = roles.one(Role::Label).filter(|_| self.shape == Shape::Counts);
        if let Some(column) = roles.one(Role::Item).or(counted).filter(|_| self.shape != Shape::Votes) {
            self.names = Some(row_names(column, file.rows));
        }
        match self.shape {
            Shape::Votes => {
                let votes = long(file, roles)?;
                self.notes.extend(votes.repeats.as_ref().map(|repeats| repeats.note(&votes.annotators)));
                self.votes = Some(votes);
            }
            Shape::Wide | Shape::Answers => {
                let ratings = roles.all(Role::Rating);
                self.votes = Some(wide(file, &ratings, roles.one(Role::Gold), self.names.clone())?);
                if let Some(gold) = roles.one(Role::Gold) {
                    self.answers = sized(&ratings, gold, file.rows);
                }
            }
            Shape::Preferences => self.pairs = Some(Pairs::of(file, roles, &mut self.notes)?),
            _ => {
                let ratings = roles.all(Role::Rating);
                if !ratings.is_empty() {
                    self.votes = Some(wide(file, &ratings, None, self.names.clone())?);
                }
            }
        }
        let label = roles.one(Role::Label).filter(|_| !matches!(self.shape, Shape::Votes | Shape::Counts));
        if let Some(column) = label {
            self.labels = Some(codes(file, column, Role::Label)?);
        }
        if let Some(column) = roles.one(Role::Text) {
            self.texts = Some(texts(file, column)?);
        }
        self.probabilities = matrix(file, &roles.all(Role::Probability), Role::Probability)?;
        self.logits = matrix(file, &roles.all(Role::Logit), Role::Logit)?;
        self.members = matrix(file, &roles.all(Role::Members), Role::Members)?;
        self.embeddings = matrix(file, &roles.all(Role::Embedding), Role::Embedding)?;
        // A list of lists under the name of probabilities is that of members.
        if self.members.is_none() && self.probabilities.as_ref().is_some_and(|p| p.shape.len() == 3) {
            self.members = self.probabilities.take();
        }
        if let Some(flat) =
            [&self.probabilities, &self.embeddings].into_iter().flatten().find(|m| m.shape.len() != 2)
        {
            let column = roles.one(Role::Embedding).or(roles.one(Role::Probability)).map_or("", |c| &c.name);
            let found = format!("lists of {} dimensions", flat.shape.len() - 1);
            return Err(file.cell(0, column, found, "one list of numbers a row", "flatten them"));
        }
        let scored = self.members.as_ref().or(self.probabilities.as_ref()).or(self.logits.as_ref());
        let truth = roles.one(Role::Label).or(roles.one(Role::Gold));
        if let (Some(scored), Some(column)) = (scored, truth) {
            let (classes, note) = classes(file, column, scored)?;
            self.classes = Some(classes);
            self.notes.extend(note);
        }
        self.counts = amounts(file, roles.one(Role::Count))?;
        self.reference = amounts(file, roles.one(Role::Reference))?;
        Ok(())
    }
}

/// Votes from one row each.
fn long(file: &Columns, roles: &Roles<'_>) -> Result<Votes, DataError> {
    let role = |role| roles.one(role).ok_or_else(|| Roles::missing(file, role, "votes"));
    let items = codes(file, role(Role::Item)?, Role::Item)?;
    let annotators = codes(file, role(Role::Annotator)?, Role::Annotator)?;
    let label = role(Role::Label)?;
    let gold_column = roles.one(Role::Gold);
    let joint = joint_codes(file, &label_columns(&[label], gold_column), Role::Label)?;
    let rows = file.rows;
    let mut votes = Votes {
        items: items.names,
        annotators: annotators.names,
        categories: joint.names,
        values: joint.values,
        item: Vec::with_capacity(rows),
        annotator: Vec::with_capacity(rows),
        category: Vec::with_capacity(rows),
        missing: 0,
        gold: None,
        repeats: None,
    };
    let mut gold = vec![NOTHING; votes.items.len()];
    for row in 0..rows {
        let (item, annotator, category) = (items.codes[row], annotators.codes[row], joint.codes[row]);
        for (code, role) in [(item, Role::Item), (annotator, Role::Annotator)] {
            if code == NOTHING {
                let column = roles.one(role).map_or("", |column| &column.name);
                let expected = format!("the name of an {role}");
                return Err(file.cell(
                    row,
                    column,
                    "nothing".to_owned(),
                    &expected,
                    "fill it in or remove the row",
                ));
            }
        }
        if gold_column.is_some() && joint.codes[rows + row] != NOTHING {
            gold[item as usize] = joint.codes[rows + row];
        }
        if category == NOTHING {
            votes.missing += 1;
            continue;
        }
        votes.item.push(item);
        votes.annotator.push(annotator);
        votes.category.push(category);
    }
    votes.gold = gold_column.map(|_| gold);
    votes.repeats = Repeats::find(&votes);
    Ok(votes)
}

/// Votes from one column for each annotator, or from lists.
fn wide(
    file: &Columns,
    ratings: &[&Column],
    gold: Option<&Column>,
    names: Option<Vec<String>>,
) -> Result<Votes, DataError> {
    let spread = spread(ratings);
    let columns: Vec<&Column> =
        spread.as_ref().map_or_else(|| ratings.to_vec(), |columns| columns.iter().collect());
    let joint = joint_codes(file, &label_columns(&columns, gold), Role::Rating)?;
    let rows = file.rows;
    let mut votes = Votes {
        items: names.unwrap_or_else(|| (1..=rows).map(|row| row.to_string()).collect()),
        annotators: columns.iter().map(|column| column.name.clone()).collect(),
        categories: joint.names,
        values: joint.values,
        item: Vec::new(),
        annotator: Vec::new(),
        category: Vec::new(),
        missing: 0,
        gold: gold.map(|_| joint.codes[columns.len() * rows..].to_vec()),
        repeats: None,
    };
    for row in 0..rows {
        for annotator in 0..columns.len() {
            match joint.codes[annotator * rows + row] {
                NOTHING => votes.missing += 1,
                category => {
                    votes.item.push(row as u32);
                    votes.annotator.push(annotator as u32);
                    votes.category.push(category);
                }
            }
        }
    }
    Ok(votes)
}

/// One column for each place of the lists.
fn spread(ratings: &[&Column]) -> Option<Vec<Column>> {
    let [Column { cells: Cells::Lists { shape, values }, .. }] = ratings else { return None };
    let [width] = shape.as_slice() else { return None };
    let column = |place: usize| Column {
        name: place.to_string(),
        cells: Cells::Numbers(values.iter().skip(place).step_by(*width).copied().collect()),
    };
    Some((0..*width).map(column).collect())
}

fn label_columns<'a>(ratings: &[&'a Column], gold: Option<&'a Column>) -> Vec<&'a Column> {
    ratings.iter().copied().chain(gold).collect()
}

/// Answers and gold as numbers, where all are there and are numbers.
fn sized(ratings: &[&Column], gold: &Column, rows: usize) -> Option<Answers> {
    let spread = spread(ratings);
    let columns: Vec<&Column> =
        spread.as_ref().map_or_else(|| ratings.to_vec(), |columns| columns.iter().collect());
    let numbers = |column: &Column| match &column.cells {
        Cells::Numbers(numbers) if numbers.iter().all(|x| !x.is_nan()) => Some(numbers.clone()),
        _ => None,
    };
    let gold = numbers(gold)?;
    let sources: Vec<Vec<f64>> = columns.iter().map(|column| numbers(column)).collect::<Option<_>>()?;
    let values = (0..rows).flat_map(|row| sources.iter().map(move |source| source[row])).collect();
    let names = columns.iter().map(|column| column.name.clone()).collect();
    Some(Answers { answers: Matrix { values, shape: vec![rows, sources.len()], names }, gold })
}

/// The categories of one column.
pub(super) fn codes(file: &Columns, column: &Column, role: Role) -> Result<Codes, DataError> {
    column
        .codes()
        .ok_or_else(|| unsuited(file, column, &format!("one name or number a row for the role {role}")))
}

/// The categories of several columns together; the codes of one column come after those of the other.
pub(super) fn joint_codes(file: &Columns, columns: &[&Column], role: Role) -> Result<Codes, DataError> {
    if let [column] = columns {
        return codes(file, column, role);
    }
    let numbers = |column: &&Column| match &column.cells {
        Cells::Numbers(numbers) => Some(numbers.clone()),
        _ => None,
    };
    let cells = match columns.iter().map(numbers).collect::<Option<Vec<_>>>() {
        Some(numbers) => Cells::Numbers(numbers.concat()),
        None => {
            let mut all = Texts::default();
            for column in columns {
                let Codes { codes, names, .. } = codes(file, column, role)?;
                // The names of a column may be those of another one: `distinct` may hold a text twice, which sorting
                // brings together.
                let first = all.distinct.len() as u32;
                all.distinct.extend(names.into_iter().map(Arc::from));
                all.codes.extend(
                    codes.into_iter().map(|code| if code == NOTHING { NOTHING } else { first + code }),
                );
            }
            Cells::Texts(all)
        }
    };
    let joint = Column { name: String::new(), cells };
    codes(file, &joint, role)
}

/// The texts of a column; a number is the text that it is written with.
fn texts(file: &Columns, column: &Column) -> Result<Vec<Arc<str>>, DataError> {
    let missing =
        |row| file.cell(row, &column.name, "nothing".to_owned(), "a text", "fill it in or remove the row");
    match &column.cells {
        Cells::Texts(Texts { distinct, codes }) => codes
            .iter()
            .enumerate()
            .map(|(row, &code)| distinct.get(code as usize).cloned().ok_or_else(|| missing(row)))
            .collect(),
        // A column of empty cells: empty texts, where the container has no other way to write them.
        Cells::Numbers(numbers) => Ok(numbers
            .iter()
            .map(|x| if x.is_nan() { Arc::from("") } else { Arc::from(x.to_string()) })
            .collect()),
        Cells::Lists { .. } | Cells::Mixed { .. } => Err(unsuited(file, column, "a text in every row")),
    }
}

/// The numbers of a list column, or of several columns side by side.
fn matrix(file: &Columns, columns: &[&Column], role: Role) -> Result<Option<Matrix>, DataError> {
    let suited = "a number in every row, or a list of them";
    let matrix = match columns {
        [] => return Ok(None),
        [Column { name, cells: Cells::Lists { shape, values }, .. }] => {
            let last = shape.last().copied().unwrap_or(0);
            let width: usize = shape.iter().product();
            if let Some(place) = values.iter().position(|x| x.is_nan()) {
                let found = "a list with an empty place".to_owned();
                return Err(file.cell(
                    place / width.max(1),
                    name,
                    found,
                    "a number in every place",
                    "fill it in",
                ));
            }
            let names = (0..last).map(|place| place.to_string()).collect();
            let shape = std::iter::once(file.rows).chain(shape.iter().copied()).collect();
            Matrix { values: values.clone(), shape, names }
        }
        columns => {
            let mut numbers = Vec::with_capacity(columns.len());
            for column in columns {
                let Cells::Numbers(found) = &column.cells else { return Err(unsuited(file, column, suited)) };
                if let Some(row) = found.iter().position(|x| x.is_nan()) {
                    let found = "nothing".to_owned();
                    return Err(file.cell(
                        row,
                        &column.name,
                        found,
                        "a number",
                        "fill it in or remove the row",
                    ));
                }
                numbers.push(found);
            }
            let mut values = Vec::with_capacity(file.rows * columns.len());
            for row in 0..file.rows {
                values.extend(numbers.iter().map(|numbers| numbers[row]));
            }
            Matrix { values, shape: vec![file.rows, columns.len()], names: class_names(columns) }
        }
    };
    if matrix.values.is_empty() {
        let column = columns.first().map_or("", |column| &column.name);
        let expected = format!("at least one number for the role {role}");
        return Err(file.cell(0, column, "an empty list".to_owned(), &expected, "fill it in"));
    }
    Ok(Some(matrix))
}

/// What is left of the names when their common beginning is taken away: `prob_cat` and `prob_dog` are cat and dog.
fn class_names(columns: &[&Column]) -> Vec<String> {
    let first = columns.first().map_or("", |column| column.name.as_str());
    let common = |end: usize| columns.iter().all(|column| column.name.starts_with(&first[..end]));
    let ends = first.char_indices().filter(|(_, c)| !c.is_ascii_digit()).map(|(i, c)| i + c.len_utf8());
    let shared = ends.take_while(|&end| common(end)).last().unwrap_or(0);
    // Only whole words go: `prob_cat` and `prob_cow` have `prob_` in common, not `prob_c`.
    let word = if first[..shared].contains('_') {
        first[..shared].rfind('_').map_or(0, |end| end + 1)
    } else if columns.iter().all(|column| column.name[shared..].bytes().all(|b| b.is_ascii_digit())) {
        shared
    } else {
        0
    };
    let names: Vec<&str> = columns.iter().map(|column| &column.name[word..]).collect();
    if columns.len() < 2 || names.iter().any(|name| name.is_empty()) {
        return columns.iter().map(|column| column.name.clone()).collect();
    }
    names.into_iter().map(str::to_owned).collect()
}

/// The class of every row's label, by its name among those of the classes, or by its place.
fn classes(
    file: &Columns,
    column: &Column,
    scored: &Matrix,
) -> Result<(Vec<u32>, Option<String>), DataError> {
    let labels = codes(file, column, Role::Label)?;
    // One column of probabilities is that of the second of two classes.
    let binary = scored.shape.last() == Some(&1);
    let names: &[String] = if binary { &[] } else { &scored.names };
    let count = if binary { 2 } else { names.len() };
    let whole = |label: &str| label.parse::<usize>().ok().filter(|&class| class < count);
    let named = |label: &str| names.iter().position(|name| name == label);
    let truth = |label: &str| match label.to_lowercase().as_str() {
        "true" | "yes" | "right" | "correct" => Some(1),
        "false" | "no" | "wrong" | "incorrect" => Some(0),
        _ => None,
    };
    let by = |find: &dyn Fn(&str) -> Option<usize>| {
        labels.names.iter().map(|label| find(label).map(|class| class as u32)).collect::<Option<Vec<_>>>()
    };
    let mut note = None;
    let place = by(&named).or_else(|| by(&whole)).or_else(|| if count == 2 { by(&truth) } else { None });
    let place = place.or_else(|| {
        let sorted = labels.values.is_none() && labels.names.len() == count;
        sorted.then(|| {
            let pairs: Vec<String> = labels
                .names
                .iter()
                .enumerate()
                .map(|(class, label)| format!("`{label}` = {class}"))
                .collect();
            note = Some(format!("The labels are no names of classes: taken in order, {}.", pairs.join(", ")));
            (0..count as u32).collect()
        })
    });
    match place {
        Some(place) => {
            let code = |&code: &u32| if code == NOTHING { NOTHING } else { place[code as usize] };
            Ok((labels.codes.iter().map(code).collect(), note))
        }
        None => {
            let wrong =
                labels.names.iter().position(|label| named(label).or(whole(label)).is_none()).unwrap_or(0);
            let row = labels.codes.iter().position(|&code| code as usize == wrong).unwrap_or(0);
            let found = format!("`{}`", labels.names[wrong]);
            let expected =
                if names.is_empty() || names.iter().enumerate().all(|(i, name)| *name == i.to_string()) {
                    format!("a class from 0 to {}", count - 1)
                } else {
                    format!("a class, {} or its place from 0", crate::error::quoted(names))
                };
            Err(file.cell(
                row,
                &column.name,
                found,
                &expected,
                "correct it, or name the column of the labels",
            ))
        }
    }
}

/// Numbers that are not negative, one a row.
fn amounts(file: &Columns, column: Option<&Column>) -> Result<Option<Vec<f64>>, DataError> {
    let Some(column) = column else { return Ok(None) };
    let Cells::Numbers(numbers) = &column.cells else {
        return Err(unsuited(file, column, "a number in every row"));
    };
    match numbers.iter().position(|x| x.is_nan() || *x < 0.0) {
        None => Ok(Some(numbers.clone())),
        Some(row) => {
            let found =
                if numbers[row].is_nan() { "nothing".to_owned() } else { format!("`{}`", numbers[row]) };
            Err(file.cell(row, &column.name, found, "a number that is not negative", "correct it"))
        }
    }
}

/// What the rows are called.
fn row_names(column: &Column, rows: usize) -> Vec<String> {
    match column.codes() {
        None => (1..=rows).map(|row| row.to_string()).collect(),
        Some(Codes { codes, names, .. }) => codes
            .iter()
            .enumerate()
            .map(|(row, &code)| names.get(code as usize).cloned().unwrap_or_else(|| (row + 1).to_string()))
            .collect(),
    }
}

/// The error for a column whose cells are of the wrong kind.
pub(super) fn unsuited(file: &Columns, column: &Column, expected: &str) -> DataError {
    let mut expected = expected;
    let (row, found) = match &column.cells {
        Cells::Mixed { row, found, expected: before } => {
            expected = before;
            (*row, found.clone())
        }
        Cells::Texts(texts) => {
            let number = |code: &u32| {
                *code == NOTHING || crate::columns::number(&texts.distinct[*code as usize]).is_some()
            };
            let row = texts.codes.iter().position(|code| !number(code)).unwrap_or(0);
            let text = texts.distinct.get(texts.codes[row] as usize).map_or("", |text| text);
            (row, format!("`{}`", crate::load::row::short(text)))
        }
        cells => (0, cells.kind()),
    };
    file.cell(
        row,
        &column.name,
        found,
        expected,
        "correct it, or give the role to another column with `--columns`",
    )
}

/// The length of a candidate in every row: a number, or that of its text in characters.
pub(super) fn lengths(file: &Columns, column: &Column) -> Result<Vec<f64>, DataError> {
    match &column.cells {
        Cells::Texts(_) => Ok(texts(file, column)?.iter().map(|text| text.chars().count() as f64).collect()),
        _ => Ok(amounts(file, Some(column))?.unwrap_or_default()),
    }
}
