//! Tables for the terminal and the page, from one description.

use super::html::escape;
use crate::plan::Plan;
use crate::record::Row;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle};
use superalign_core::Layer;

/// A table with a caption; columns after the first are numbers and stand at the right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Names of the columns.
    pub header: Vec<String>,
    /// The cells.
    pub rows: Vec<Vec<String>>,
    /// How many columns at the left are names.
    pub names: usize,
}

impl Table {
    /// A table of which the first `names` columns are names.
    pub(crate) fn new(caption: impl Into<String>, names: usize, header: &[&str]) -> Self {
        let header = header.iter().map(|h| (*h).to_owned()).collect();
        Self { caption: caption.into(), header, rows: Vec::new(), names }
    }

    /// The table as HTML.
    pub(crate) fn html(&self) -> String {
        let mut out =
            format!("<div class=\"scroll\"><table><caption>{}</caption><thead><tr>", escape(&self.caption));
        for (i, name) in self.header.iter().enumerate() {
            let class = if i < self.names { "" } else { " class=\"n\"" };
            out += &format!("<th scope=\"col\"{class}>{}</th>", escape(name));
        }
        out += "</tr></thead><tbody>\n";
        for row in &self.rows {
            out += "<tr>";
            for (i, cell) in row.iter().enumerate() {
                out += &match i {
                    0 => format!("<th scope=\"row\">{}</th>", escape(cell)),
                    i if i < self.names => format!("<td>{}</td>", escape(cell)),
                    _ => format!("<td class=\"n\">{}</td>", escape(cell)),
                };
            }
            out += "</tr>\n";
        }
        out + "</tbody></table></div>\n"
    }
}

/// A table as lines of text.
#[must_use]
pub fn terminal(table: &Table) -> String {
    let mut out = comfy_table::Table::new();
    let style = UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());
    out.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
    out.set_header(&table.header);
    out.add_rows(&table.rows);
    for (i, column) in out.column_iter_mut().enumerate() {
        if i >= table.names {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = out.lines().map(|l| l.trim_end().to_owned()).collect();
    format!("{}\n{}\n", table.caption, lines.join("\n"))
}

/// What a dry run shows: parts, models, grid and settings.
#[must_use]
pub fn plan_tables(plan: &Plan) -> Vec<Table> {
    let mut parts = Table::new(
        format!(
            "Data: {} (digest {})",
            plan.data.source,
            &plan.data.digest[..12.min(plan.data.digest.len())]
        ),
        2,
        &["part", "what it does", "items", "groups", "true"],
    );
    for p in &plan.data.parts {
        parts.rows.push(vec![
            p.name.clone(),
            p.role.clone(),
            p.items.to_string(),
            p.groups.to_string(),
            format!("{:.1}%", 100.0 * p.positives as f64 / p.items.max(1) as f64),
        ]);
    }
    let mut models = Table::new(
        "Models, weakest first",
        3,
        &["rung", "layer", "pooling", "width", "parameters", "digest", "runtime"],
    );
    for r in &plan.rungs {
        models.rows.push(vec![
            r.name.clone(),
            match r.layer {
                Layer::Last => format!("last of {}", r.model.layers),
                Layer::Index(n) => format!("{n} of {}", r.model.layers),
            },
            match r.pooling {
                superalign_core::Pooling::LastToken => "last token".to_owned(),
                superalign_core::Pooling::Mean => "mean".to_owned(),
                superalign_core::Pooling::Cls => "first token".to_owned(),
            },
            r.model.width.to_string(),
            r.model.parameters.map_or_else(|| "unknown".to_owned(), thousands),
            r.model.digest.chars().take(12).collect(),
            r.model.runtime.clone(),
        ]);
    }
    let mut settings = Table::new("Settings", 2, &["key", "value"]);
    let mut set = |key: &str, value: String| settings.rows.push(vec![key.to_owned(), value]);
    set("experiment", plan.experiment.clone());
    set("profile", format!("{:?}", plan.profile).to_lowercase());
    set("objective", format!("{:?}", plan.data.objective).to_lowercase());
    set("seeds", join(&plan.seeds));
    set("cells", plan.cells().to_string());
    // Specs are tables of texts, numbers and lists, which JSON always takes.
    for (section, values) in [
        ("", serde_json::to_value(&plan.design)),
        ("learner.", serde_json::to_value(plan.learner)),
        ("bootstrap.", serde_json::to_value(plan.bootstrap)),
    ] {
        flatten(section, &values.unwrap_or_default(), &mut set);
    }
    set("code", plan.code.clone());
    set("run", plan.folder());
    vec![parts, models, settings]
}

/// A row as a table cell: the number with its interval, or the shortest form of why there is none.
pub(crate) fn shown(row: Option<&Row>) -> String {
    match row {
        None => "not measured".to_owned(),
        Some(row) => match (row.estimate(), &row.error) {
            (Some(e), _) => e.to_string(),
            (None, Some(_)) => "undefined".to_owned(),
            (None, None) => "not measured".to_owned(),
        },
    }
}

/// Sets every key of a table, those of tables within it by their paths.
fn flatten(section: &str, value: &serde_json::Value, set: &mut impl FnMut(&str, String)) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let key = format!("{section}{key}");
        if value.is_object() {
            flatten(&format!("{key}."), value, set);
        } else {
            set(&key, plain(value));
        }
    }
}

/// A JSON value as it is said in a table: lists without brackets, texts without quotes.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Array(values) => join(&values.iter().map(plain).collect::<Vec<_>>()),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn join<T: std::fmt::Display>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// 1234567 as 1,234,567.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}
