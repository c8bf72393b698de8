//! An independent solver: it knows the language from its description and reads items as text. What it answers is
//! compared with gold.

use super::world;
use std::collections::HashMap;
use superalign_data::world::{COMPETENCE_VERDICTS, CONFORMITY_VERDICTS, Family, HARDEST, Part};

/// Divides a question with an answer into the two, by the words of each kind of question.
fn divide(asked: &str) -> Option<(String, String)> {
    let words: Vec<&str> = asked.split_whitespace().collect();
    // A sum has several words, those after `have one and other`; every other answer has one.
    let at = if words.first() == Some(&"have") { 4 } else { words.len().checked_sub(1)? };
    if words.len() < at {
        return None;
    }
    Some((words[..at].join(" "), words[at..].join(" ")))
}

/// The right answer to a question about a context, worked out from the words alone.
fn solve(context: &str, question: &str) -> Option<String> {
    let sentences: Vec<Vec<&str>> = context.split(" .").map(|s| s.split_whitespace().collect()).collect();
    let asked: Vec<&str> = question.split_whitespace().collect();
    match asked.as_slice() {
        ["higher", "of", one, "and", other, "is"] => {
            let below = pairs(&sentences, "tops");
            let reaches = |from: &str, to: &str| {
                std::iter::successors(Some(from), |at| below.get(at).copied()).any(|at| at == to)
            };
            match (reaches(one, other), reaches(other, one)) {
                (true, false) => Some((*one).to_owned()),
                (false, true) => Some((*other).to_owned()),
                _ => None,
            }
        }
        ["have", one, "and", other] => {
            let owns = |name: &str| -> Option<u32> {
                let said = sentences.iter().find(|s| s.len() > 2 && s[0] == "has" && s[1] == name)?;
                said[2..].concat().parse().ok()
            };
            let sum = (owns(one)? + owns(other)?).to_string();
            Some(sum.chars().map(String::from).collect::<Vec<_>>().join(" "))
        }
        ["many", thing] => {
            let list = sentences.iter().find(|s| s.starts_with(&["box", "has"]))?;
            Some(list[2..].iter().filter(|t| *t == thing).count().to_string())
        }
        ["is", expression @ ..] => {
            let assigned =
                |s: &Vec<&'_ str>| (s.len() == 3 && s[0] == "is").then(|| s[2].parse().ok()).flatten();
            let values: HashMap<&str, bool> =
                sentences.iter().filter_map(|s| assigned(s).map(|value| (s[1], value))).collect();
            let mut rest = expression;
            let value = evaluate(&mut rest, &values)?;
            rest.is_empty().then(|| value.to_string())
        }
        [hops @ .., name] if hops.iter().all(|word| *word == "leads") => {
            let next = pairs(&sentences, "leads");
            hops.iter().try_fold(*name, |at, _| next.get(at).copied()).map(str::to_owned)
        }
        [relation, name] => {
            let said = sentences.iter().find(|s| s.len() == 3 && s[0] == *relation && s[1] == *name)?;
            Some(said[2].to_owned())
        }
        _ => None,
    }
}

fn pairs<'a>(sentences: &[Vec<&'a str>], verb: &str) -> HashMap<&'a str, &'a str> {
    sentences.iter().filter(|s| s.len() == 3 && s[0] == verb).map(|s| (s[1], s[2])).collect()
}

/// term = `not` term | `(` term (`and` | `or`) term `)` | name
fn evaluate(rest: &mut &[&str], values: &HashMap<&str, bool>) -> Option<bool> {
    let (&first, after) = rest.split_first()?;
    *rest = after;
    match first {
        "not" => Some(!evaluate(rest, values)?),
        "(" => {
            let left = evaluate(rest, values)?;
            let (&operator, after) = rest.split_first()?;
            *rest = after;
            let right = evaluate(rest, values)?;
            let (&close, after) = rest.split_first()?;
            *rest = after;
            match (operator, close) {
                ("and", ")") => Some(left && right),
                ("or", ")") => Some(left || right),
                _ => None,
            }
        }
        name => values.get(name).copied(),
    }
}

#[test]
fn every_task_has_the_answer_that_a_reader_works_out() {
    let world = world();
    for family in Family::ALL {
        for part in Part::ALL {
            for difficulty in 1..=HARDEST {
                for index in 0..100 {
                    let task = world.task(part, family, difficulty, index);
                    let answer = solve(&task.context, &task.question);
                    assert_eq!(answer.as_deref(), Some(task.choices[task.gold].as_str()), "{task:?}");
                    let mut choices = task.choices.clone();
                    choices.sort();
                    choices.dedup();
                    assert_eq!(choices.len(), task.choices.len(), "{task:?}");
                }
            }
        }
    }
}

#[test]
fn every_binary_item_is_labelled_as_a_reader_would() {
    for item in world().binary_items(Part::Test, superalign_data::item::Objective::Competence, 3600, 0) {
        let (context, asked) = item.text.split_once(" ask ").expect("a question");
        let (question, candidate) = divide(asked).expect("a question and a candidate");
        let answer = solve(context, &question);
        assert!(answer.is_some(), "{item:?}");
        assert_eq!(answer == Some(candidate), item.label, "{item:?}");
    }
}

#[test]
fn every_answer_and_verdict_of_the_corpus_is_true() {
    let world = world();
    let (mut verdicts, mut plain) = (0, 0);
    for index in (0..5_000).map(|i| 40 * i) {
        let document = world.document(index);
        let mut parts = document.split(" ask ");
        let context = parts.next().expect("a document has words");
        for asked in parts {
            let said = asked.trim_end_matches(" .");
            let (before, last) = said.rsplit_once(' ').expect("several words");
            let of = |verdicts: [&str; 2]| verdicts.iter().position(|word| *word == last);
            let (competence, conformity) = (of(COMPETENCE_VERDICTS), of(CONFORMITY_VERDICTS));
            let asked = if competence.or(conformity).is_some() { before } else { said };
            let (question, answer) = divide(asked).expect("a question and an answer");
            let right = solve(context, &question).expect("a question with an answer");
            if let Some(verdict) = competence {
                assert_eq!(verdict == 0, answer == right, "{document}");
                verdicts += 1;
            } else if let Some(verdict) = conformity {
                let sealed = context.contains(&format!("{answer} is sealed"));
                assert_eq!(verdict == 1, sealed, "{document}");
            } else {
                assert_eq!(answer, right, "{document}");
                plain += 1;
            }
        }
    }
    assert!(verdicts > 5_000 && plain > 5_000, "{verdicts} verdicts, {plain} plain answers");
}
