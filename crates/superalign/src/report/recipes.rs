//! The part of a weak-to-strong report about recipes: what can happen between a teacher's labels and the student.

use super::Numbers;
use super::figure::{self, Heat};
use super::prose::{Effect, and, effect};
use super::table::{Table, shown};
use crate::experiment::recipes::{differs, recipe_cell, recipe_name, taught, zero_shot_cell};
use crate::experiment::weak_to_strong::{GAIN, RECIPE_GAIN, TEST, ceiling_cell};
use crate::record::Row;
use crate::spec::{RecipeName, WeakToStrong};

/// The pairs in which a recipe differs from the direct one.
fn pairs<'a>(rungs: &'a [&'a str], recipe: RecipeName) -> impl Iterator<Item = (&'a str, &'a str)> {
    (0..rungs.len()).flat_map(move |i| {
        (i..rungs.len()).filter(move |&j| differs(recipe, i, j)).map(move |j| (rungs[i], rungs[j]))
    })
}

/// What the recipes gained, in words.
pub(super) fn sentences(rungs: &[&str], design: &WeakToStrong, numbers: &Numbers<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for recipe in taught(design) {
        let name = recipe_name(recipe);
        let row = numbers.summary(&format!("recipe={name}"), RECIPE_GAIN);
        let Some(all) = row.and_then(Row::estimate) else { continue };
        let says = match effect(&all) {
            Effect::Positive => "it helps",
            Effect::Negative => "it harms",
            Effect::None => "no effect can be claimed",
        };
        let gains: Vec<_> = pairs(rungs, recipe)
            .filter_map(|(i, j)| numbers.summary(&recipe_cell(i, j, recipe), RECIPE_GAIN)?.estimate())
            .collect();
        let count = |wanted: Effect| gains.iter().filter(|gain| effect(gain) == wanted).count();
        out.push(format!(
            "{name} against all labels as they are: {:+.3} [{:+.3}, {:+.3}] test accuracy on average over teachers and \
             stronger students: {says}. Of {} pairs it is better in {} and worse in {}.",
            all.value,
            all.lo,
            all.hi,
            gains.len(),
            count(Effect::Positive),
            count(Effect::Negative)
        ));
    }
    if design.recipe.contains(&RecipeName::ZeroShot) {
        let listed: Vec<String> = rungs
            .iter()
            .map(|rung| {
                let own = shown(numbers.summary(&zero_shot_cell(rung), TEST));
                format!("{rung} {own} (ceiling {})", shown(numbers.summary(&ceiling_cell(rung), TEST)))
            })
            .collect();
        out.push(format!("Without any supervision, by their own verdicts, rungs reach: {}.", and(&listed)));
    }
    out
}

/// The gain of every recipe in every pair of a teacher and a stronger student.
pub(super) fn figure(
    rungs: &[&str],
    design: &WeakToStrong,
    numbers: &Numbers<'_>,
) -> Option<(String, String)> {
    let recipes: Vec<RecipeName> = taught(design).collect();
    if recipes.is_empty() {
        return None;
    }
    let all: Vec<(usize, usize)> =
        (0..rungs.len()).flat_map(|i| (i + 1..rungs.len()).map(move |j| (i, j))).collect();
    let cell = |recipe: RecipeName, (i, j): (usize, usize)| {
        let row = numbers.summary(&recipe_cell(rungs[i], rungs[j], recipe), RECIPE_GAIN)?;
        Some(row.value.ok_or_else(|| "undefined".to_owned()))
    };
    let figure = figure::heat(&Heat {
        title: "Gain of recipes over the labels as they are",
        x: "teacher, student",
        y: "recipe",
        columns: all.iter().map(|&(i, j)| format!("{}, {}", rungs[i], rungs[j])).collect(),
        rows: recipes.iter().map(|&recipe| recipe_name(recipe).to_owned()).collect(),
        extreme: 0.1,
        cells: recipes.iter().map(|&recipe| all.iter().map(|&pair| cell(recipe, pair)).collect()).collect(),
    });
    let caption = "Test accuracy of the student less that of the same student taught by all labels as they are. Empty \
                   where the two are the same.";
    Some((figure, caption.to_owned()))
}

/// A row for every recipe and pair.
pub(super) fn table(rungs: &[&str], design: &WeakToStrong, numbers: &Numbers<'_>) -> Option<Table> {
    let header = ["recipe", "teacher", "student", "student acc.", "gain over teacher", "gain over direct"];
    let mut table = Table::new("Recipes between the labels and the student", 3, &header);
    for recipe in taught(design) {
        for (i, j) in pairs(rungs, recipe) {
            let cell = recipe_cell(i, j, recipe);
            let mut row = vec![recipe_name(recipe).to_owned(), i.to_owned(), j.to_owned()];
            row.extend([TEST, GAIN, RECIPE_GAIN].map(|metric| shown(numbers.summary(&cell, metric))));
            table.rows.push(row);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}
