//! `superalign extrapolate --irt`: difficulty and slope of items from persons' right and wrong answers.

use super::super::{Failure, say};
use super::ExtrapolateArgs;
use super::columns::{Role, Roles, quoted};
use super::show::{estimate, interval};
use crate::report::{Table, terminal};
use clap::ValueEnum;
use ndarray::Array2;
use serde_json::{Value, json};
use std::io::Write;
use superalign_data::columns::Columns;
use superalign_evaluation::EvaluationError;
use superalign_evaluation::extrapolation::{
    ItemModel, ItemPrior, ItemResponse, Items, Parameter, ability_mean, item_response,
};

const ROLES: [Role; 4] = [
    Role { name: "person", known_as: &["person", "student", "model", "respondent", "id"] },
    Role { name: "item", known_as: &["item", "item_id", "question"] },
    Role { name: "correct", known_as: &["correct", "is_correct", "right", "response"] },
    Role { name: "count", known_as: &["freq", "frequency", "count"] },
];
const FORMS: &str =
    "a column of right and wrong answers for each item, or the columns `person`, `item`, `correct`";
const REMEDY: &str = "name them with --columns, as in `person=who,item=question,correct=right`";
const NODES: usize = 61;

/// Which item response model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum IrtModel {
    /// One slope for all items.
    Rasch,
    /// A slope for each item.
    #[value(name = "2pl")]
    TwoParameter,
}

/// What is known of the items beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Prior {
    /// Nothing.
    Flat,
    /// Weak knowledge.
    Weak,
}

/// Answers of persons to items.
struct Answers {
    items: Vec<String>,
    persons: Vec<String>,
    /// (persons, items): 1 right, 0 wrong, -1 none.
    table: Array2<i8>,
    /// How many persons each row stands for.
    counts: Option<Vec<u64>>,
}

pub(super) fn irt(
    table: &Columns,
    model: IrtModel,
    args: &ExtrapolateArgs,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let answers = answers(table, &args.columns)?;
    let options = ItemResponse {
        model: match model {
            IrtModel::Rasch => ItemModel::Rasch,
            IrtModel::TwoParameter => ItemModel::TwoParameter,
        },
        prior: match args.prior {
            Prior::Flat => ItemPrior::Flat,
            Prior::Weak => ItemPrior::weak(),
        },
        nodes: NODES,
        ..ItemResponse::default()
    };
    let found = item_response(answers.table.view(), answers.counts.as_deref(), &options)
        .map_err(|error| named(table, &error, &answers))?;
    if args.json {
        let json = json(table, &answers, &found, args).map_err(Failure::usage)?;
        say(out, serde_json::to_string_pretty(&json).map_err(Failure::failed)?);
    } else {
        text(table, &answers, &found, args, out).map_err(Failure::usage)?;
    }
    Ok(())
}

/// The error, with the names of the items where it may tell of one.
fn named(table: &Columns, error: &EvaluationError, answers: &Answers) -> Failure {
    Failure::Usage(format!("{}: {error} (items, from 0: {})", table.path.display(), quoted(&answers.items)))
}

fn answers(table: &Columns, columns: &[String]) -> Result<Answers, Failure> {
    let roles = Roles::new(table, columns, &ROLES)?;
    let counts = match roles.get("count") {
        None => None,
        Some(column) => {
            let expected = "a whole number, at least 0";
            let numbers = roles.numbers(column, expected)?;
            if let Some(row) = numbers.iter().position(|x| x.fract() != 0.0 || *x < 0.0) {
                return Err(roles.cell(column, row, expected, "correct the cell"));
            }
            Some(numbers.iter().map(|&x| x as u64).collect::<Vec<_>>())
        }
    };
    let (Some(item), Some(correct)) = (roles.get("item"), roles.get("correct")) else {
        let passed = ["person", "count"].map(|role| roles.get(role).map(|column| column.name.as_str()));
        let wide: Vec<_> =
            table.columns.iter().filter(|column| !passed.contains(&Some(column.name.as_str()))).collect();
        if wide.is_empty() {
            return Err(roles.lacks(FORMS, REMEDY));
        }
        let columns = wide.iter().map(|column| roles.answers(column)).collect::<Result<Vec<_>, _>>()?;
        let persons = match roles.get("person") {
            Some(column) => roles.names(column).map(|(places, names)| {
                places.into_iter().map(|place| names[place].clone()).collect::<Vec<_>>()
            })?,
            None => (1..=table.rows).map(|row| row.to_string()).collect(),
        };
        return Ok(Answers {
            items: wide.iter().map(|column| column.name.clone()).collect(),
            persons,
            table: Array2::from_shape_fn((table.rows, columns.len()), |(row, item)| columns[item][row]),
            counts,
        });
    };
    let Some(person) = roles.get("person") else { return Err(roles.lacks(FORMS, REMEDY)) };
    if counts.is_some() {
        return Err(roles.lacks("no `count` beside `person`, `item` and `correct`", "leave it out"));
    }
    let ((person_of, persons), (item_of, items)) = (roles.names(person)?, roles.names(item)?);
    let mut found = Array2::from_elem((persons.len(), items.len()), -1);
    let mut seen = Array2::from_elem((persons.len(), items.len()), false);
    for (row, answer) in roles.answers(correct)?.into_iter().enumerate() {
        let place = [person_of[row], item_of[row]];
        if seen[place] {
            let expected =
                format!("one answer of `{}` to `{}`", persons[person_of[row]], items[item_of[row]]);
            return Err(roles.cell(correct, row, &expected, "leave one of the rows out"));
        }
        seen[place] = true;
        found[place] = answer;
    }
    Ok(Answers { items, persons, table: found, counts: None })
}

/// Slope, intercept and difficulty of an item, each with its interval.
fn item(found: &Items, place: usize) -> Result<[Parameter; 3], EvaluationError> {
    Ok([found.slopes[place], found.intercepts[place], found.difficulty(place)?])
}

fn text(
    table: &Columns,
    answers: &Answers,
    found: &Items,
    args: &ExtrapolateArgs,
    out: &mut dyn Write,
) -> Result<(), EvaluationError> {
    say(
        out,
        format!(
            "{}: answers of {} persons ({} rows) to {} items.",
            table.path.display(),
            found.persons,
            answers.table.nrows(),
            answers.items.len()
        ),
    );
    say(
        out,
        format!(
            "Log-likelihood {:.3} with {} parameters, AIC {:.3}.",
            found.log_likelihood,
            found.parameters,
            2.0 * found.parameters as f64 - 2.0 * found.log_likelihood
        ),
    );
    if found.model == ItemModel::Rasch {
        let variance = found.ability_variance()?.interval(args.level)?;
        say(out, format!("Variance of the abilities where slopes are 1: {}.", interval(&variance)));
    }
    let caption = format!("Items, with {:.0}% Wald intervals", 100.0 * args.level);
    let mut shown = Table::new(caption, 1, &["item", "slope", "intercept", "difficulty"]);
    for (place, name) in answers.items.iter().enumerate() {
        let mut row = vec![name.clone()];
        for parameter in item(found, place)? {
            row.push(interval(&parameter.interval(args.level)?));
        }
        shown.rows.push(row);
    }
    say(out, "");
    let _ = write!(out, "{}", terminal(&shown));
    Ok(())
}

fn json(
    table: &Columns,
    answers: &Answers,
    found: &Items,
    args: &ExtrapolateArgs,
) -> Result<Value, EvaluationError> {
    let of = |parameter: &Parameter| -> Result<Value, EvaluationError> {
        let mut value = estimate(&parameter.interval(args.level)?);
        value["error"] = json!(parameter.error);
        Ok(value)
    };
    let mut items = Vec::new();
    for (place, name) in answers.items.iter().enumerate() {
        let [slope, intercept, difficulty] = item(found, place)?;
        items.push(json!({
            "item": name,
            "slope": of(&slope)?,
            "intercept": of(&intercept)?,
            "difficulty": of(&difficulty)?,
        }));
    }
    let abilities = ability_mean(found, answers.table.view(), NODES)?;
    let persons: Vec<Value> = answers
        .persons
        .iter()
        .zip(&abilities)
        .map(
            |(name, ability)| json!({ "person": name, "ability": ability.value, "deviation": ability.error }),
        )
        .collect();
    Ok(json!({
        "file": table.path.display().to_string(),
        "digest": table.digest,
        "model": match found.model {
            ItemModel::Rasch => "rasch",
            ItemModel::TwoParameter => "2pl",
        },
        "level": args.level,
        "log_likelihood": found.log_likelihood,
        "parameters": found.parameters,
        "persons": found.persons,
        "ability_variance": match found.model {
            ItemModel::Rasch => of(&found.ability_variance()?)?,
            ItemModel::TwoParameter => Value::Null,
        },
        "items": items,
        "abilities": persons,
    }))
}
