//! Preferences and scores as files, in the official columns.

use crate::cli::Failure;
use crate::record::write_whole;
use crate::reward::ScoresByItem;
use arrow::array::{ArrayRef, Float64Builder, ListBuilder, RecordBatch, StringArray, UInt64Array};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use superalign_data::item::Preference;
use superalign_data::load::BestOf;
use superalign_evaluation::reward_bench::{Rule, best_of_credit, pair_credits};

/// What a column holds of a preference.
type Column = fn(&Preference) -> &str;

/// Writes preferences in the columns of version 1: as Parquet where the name ends so, else as JSONL. Ids are those
/// within the file, without the subset.
pub(in crate::cli) fn write_preferences(path: &Path, preferences: &[Preference]) -> Result<(), Failure> {
    let id = |preference: &Preference| {
        let subset = format!("{}/", preference.tags.family);
        preference.id.strip_prefix(&subset).unwrap_or(&preference.id).to_owned()
    };
    let columns: [(&str, Column); 6] = [
        ("prompt", |one| &one.prompt),
        ("chosen", |one| &one.chosen),
        ("chosen_model", |_| "proper"),
        ("rejected", |one| &one.rejected),
        ("rejected_model", |_| "improper"),
        ("subset", |one| &one.tags.family),
    ];
    if is_parquet(path) {
        let ids: Vec<String> = preferences.iter().map(id).collect();
        let mut arrays: Vec<(&str, ArrayRef)> = vec![("id", Arc::new(StringArray::from(ids)))];
        for (name, of) in columns {
            arrays.push((name, Arc::new(StringArray::from_iter_values(preferences.iter().map(of)))));
        }
        return write_parquet(path, arrays);
    }
    let lines = preferences.iter().map(|one| {
        let mut fields = serde_json::Map::new();
        fields.insert("id".to_owned(), json!(id(one)));
        columns.iter().for_each(|(name, of)| {
            fields.insert((*name).to_owned(), json!(of(one)));
        });
        serde_json::Value::Object(fields)
    });
    write_lines(path, lines)
}

/// Writes what models said of items; [`superalign_data::load::load_scores`] reads it.
pub(super) fn write_scores(
    path: &Path,
    items: &[BestOf],
    models: &[(String, ScoresByItem)],
) -> Result<(), Failure> {
    let pairs = items.iter().all(|item| item.answers.len() == 2);
    let rows = || {
        models.iter().flat_map(|(model, scores)| {
            items.iter().zip(scores).map(move |(item, scores)| (model.as_str(), item, scores.as_slice()))
        })
    };
    // Several correct answers have a score together with other items alone.
    let result = |item: &BestOf, scores: &[f64]| match scores {
        [chosen, rejected] => {
            pair_credits(&[*chosen], &[*rejected], Rule::Classifier).ok().map(|credits| credits[0])
        }
        _ if item.correct == 1 => best_of_credit(scores).ok(),
        _ => None,
    };
    if !is_parquet(path) {
        return write_lines(
            path,
            rows().map(|(model, item, scores)| {
                let mut row = json!({
                    "id": item.id, "subset": item.subset, "model": model, "prompt": item.prompt,
                    "results": result(item, scores),
                });
                if pairs {
                    row["chosen"] = json!(item.answers[0]);
                    row["rejected"] = json!(item.answers[1]);
                    row["score_chosen"] = json!(scores[0]);
                    row["score_rejected"] = json!(scores[1]);
                } else {
                    row["answers"] = json!(item.answers);
                    row["scores"] = json!(scores);
                    row["num_correct"] = json!(item.correct);
                }
                row
            }),
        );
    }
    let text = |of: fn((&str, &BestOf)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows().map(|(model, item, _)| of((model, item)))))
    };
    let number = |of: &dyn Fn(&BestOf, &[f64]) -> Option<f64>| -> ArrayRef {
        let mut column = Float64Builder::new();
        rows().for_each(|(_, item, scores)| column.append_option(of(item, scores)));
        Arc::new(column.finish())
    };
    let mut columns = vec![
        ("id", text(|(_, item)| item.id.clone())),
        ("subset", text(|(_, item)| item.subset.clone())),
        ("model", text(|(model, _)| model.to_owned())),
        ("prompt", text(|(_, item)| item.prompt.clone())),
    ];
    if pairs {
        columns.extend([
            ("chosen", text(|(_, item)| item.answers[0].clone())),
            ("rejected", text(|(_, item)| item.answers[1].clone())),
            ("score_chosen", number(&|_, scores| Some(scores[0]))),
            ("score_rejected", number(&|_, scores| Some(scores[1]))),
        ]);
    } else {
        let mut lists = ListBuilder::new(Float64Builder::new());
        for (_, _, scores) in rows() {
            lists.values().append_slice(scores);
            lists.append(true);
        }
        let correct = UInt64Array::from_iter_values(rows().map(|(_, item, _)| item.correct as u64));
        columns.extend([
            ("scores", Arc::new(lists.finish()) as ArrayRef),
            ("num_correct", Arc::new(correct) as ArrayRef),
        ]);
    }
    columns.push(("results", number(&result)));
    write_parquet(path, columns)
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
}

fn write_lines(path: &Path, rows: impl Iterator<Item = serde_json::Value>) -> Result<(), Failure> {
    let mut text = String::new();
    for row in rows {
        text += &row.to_string();
        text.push('\n');
    }
    write(path, text.as_bytes())
}

fn write_parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<(), Failure> {
    let failed =
        |why: &dyn std::fmt::Display| Failure::failed(format!("cannot write {}: {why}", path.display()));
    let batch = RecordBatch::try_from_iter(columns).map_err(|e| failed(&e))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("superalign".to_owned())
        .build();
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).map_err(|e| failed(&e))?;
    writer.write(&batch).map_err(|e| failed(&e))?;
    writer.close().map_err(|e| failed(&e))?;
    write(path, &bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|e| Failure::failed(format!("cannot write {}: {e}", path.display())))?;
        return write_whole(path, bytes).map_err(Failure::failed);
    }
    // A bare name lies here.
    write_whole(&Path::new(".").join(path), bytes).map_err(Failure::failed)
}
