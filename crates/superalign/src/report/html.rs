//! The page: one file without scripts and without anything fetched from elsewhere.

use super::{findings, plan_tables, prose};
use crate::record::{Manifest, Row, Status, TranscriptRow};

/// The report of a run in which nobody was interviewed.
#[must_use]
pub fn page(manifest: &Manifest, rows: &[Row]) -> String {
    page_with(manifest, rows, &[])
}

/// The report of a run.
#[must_use]
pub fn page_with(manifest: &Manifest, rows: &[Row], transcripts: &[TranscriptRow]) -> String {
    let plan = &manifest.plan;
    let found = findings(plan, rows);
    let mut body = String::new();
    body += &format!("<header><p class=\"kicker\">superalign · {}</p>\n", escape(&plan.folder()));
    body += &format!("<h1>{}</h1>\n", escape(&plan.title));
    for paragraph in plan.question.split("\n\n").filter(|p| !p.trim().is_empty()) {
        body += &format!("<p class=\"question\">{}</p>\n", escape(paragraph.trim()));
    }
    body += "</header>\n<main>\n";
    if manifest.status != Status::Complete {
        body +=
            "<p class=\"error\">This run is not complete: run the same command again to continue it.</p>\n";
    }
    body += "<section><h2>What the data say</h2>\n<ul>\n";
    for sentence in &found.sentences {
        body += &format!("<li>{}</li>\n", escape(sentence));
    }
    body += "</ul></section>\n<section><h2>Figures</h2>\n";
    for (svg, caption) in &found.figures {
        body += &format!("<figure>{svg}<figcaption>{}</figcaption></figure>\n", escape(caption));
    }
    body += "</section>\n";
    if !transcripts.is_empty() {
        body += "<section><h2>Exchanges in full</h2>\n";
        for table in plan.design.experiment().exchanges(plan, transcripts) {
            body += &table.html();
        }
        body += "<p>Every exchange, word for word: <a href=\"transcripts.jsonl\">transcripts.jsonl</a>.</p>\n</section>\n";
    }
    body += "<section><h2>Numbers</h2>\n";
    for (i, table) in found.tables.iter().enumerate() {
        body += &if i == 0 {
            table.html()
        } else {
            format!("<details><summary>{}</summary>{}</details>\n", escape(&table.caption), table.html())
        };
    }
    body += &format!(
        "<p>Every number with its interval, seed by seed: <a href=\"metrics.csv\">metrics.csv</a>. \
         Every judgement of every model on every item: <a href=\"items.parquet\">items.parquet</a>. \
         Intervals are {}% bootstrap intervals over groups of items ({} resamples).</p>\n</section>\n",
        100.0 * plan.bootstrap.level,
        plan.bootstrap.draws
    );
    body += &checks(manifest, rows);
    body += "<section><h2>Plan</h2>\n<p>Which part of the data trained what. No group is in two parts, save where a part is another one in other words.</p>\n";
    for table in plan_tables(plan) {
        body += &table.html();
    }
    if !plan.data.notes.is_empty() {
        body += "<p>What the loader understood:</p>\n<ul>\n";
        for note in &plan.data.notes {
            body += &format!("<li>{}</li>\n", escape(note));
        }
        body += "</ul>\n";
    }
    body += "</section>\n";
    body += &provenance(manifest);
    body += "</main>\n";
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'\">\n\
         <title>{} · superalign</title>\n<style>{STYLE}</style></head>\n<body>\n{body}</body></html>\n",
        escape(&plan.title)
    )
}

fn checks(manifest: &Manifest, rows: &[Row]) -> String {
    let mut out = String::from("<section><h2>Checks</h2>\n");
    let errors: Vec<&Row> = rows.iter().filter(|r| r.error.is_some()).collect();
    if manifest.failed == 0 {
        out += &format!("<p>All {} were computed.</p>\n", prose::count(manifest.plan.cells(), "cell"));
    } else {
        out += &format!("<p class=\"error\">{} failed.</p>\n", prose::count(manifest.failed, "cell"));
    }
    for unexpected in &manifest.unexpected {
        out += &format!("<p class=\"error\">Expectation not met: {}</p>\n", escape(unexpected));
    }
    if manifest.unexpected.is_empty() && manifest.plan.expect != crate::spec::ExpectSpec::default() {
        out += "<p>All expectations of the spec (sanity checks, never the hoped-for result) are met.</p>\n";
    }
    if !errors.is_empty() {
        let mut table =
            super::Table::new("Numbers that are undefined, and why", 3, &["cell", "metric", "reason"]);
        for r in errors {
            let seed = r.seed.map(|s| format!(" (seed {s})")).unwrap_or_default();
            table.rows.push(vec![
                format!("{}{seed}", r.cell),
                r.metric.clone(),
                r.error.clone().unwrap_or_default(),
            ]);
        }
        out += &format!(
            "<details><summary>{} undefined, with reasons</summary>{}</details>\n",
            prose::count(table.rows.len(), "number"),
            table.html()
        );
    }
    out + "</section>\n"
}

fn provenance(manifest: &Manifest) -> String {
    let plan = &manifest.plan;
    let mut out = String::from("<section><h2>Provenance</h2>\n<p>Made by</p>\n");
    out += &format!("<pre>{}</pre>\n<dl>\n", escape(&manifest.command));
    let runtime = plan.rungs.first().map_or("none", |r| r.model.runtime.as_str());
    let total: f64 = manifest.seconds.values().sum();
    let stages: Vec<String> = manifest.seconds.iter().map(|(k, s)| format!("{k} {s:.1} s")).collect();
    for (term, text) in [
        ("Code", format!("superalign {}", plan.code)),
        ("Runtime", runtime.to_owned()),
        ("Data", format!("{}, BLAKE3 {}", plan.data.source, plan.data.digest)),
        (
            "Host",
            format!("{}, {}", manifest.host.platform, prose::count(manifest.host.processors, "processor")),
        ),
        ("Time", format!("{total:.1} s ({})", stages.join(", "))),
    ] {
        out += &format!("<dt>{term}</dt><dd>{}</dd>\n", escape(&text));
    }
    out += "</dl>\n<p>This page is derived from <a href=\"manifest.json\">manifest.json</a> and \
            <a href=\"metrics.csv\">metrics.csv</a>; <code>superalign report RUN</code> makes it anew.</p>\n</section>\n";
    out
}

/// Text that can stand between tags and in attributes.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "
:root { color-scheme: light dark; --bg: #fdfdfb; --ink: #1b1f24; --soft: #5a636d; --line: #d8dce0; --link: #0b5cad; --bad: #a3320b; }
@media (prefers-color-scheme: dark) { :root { --bg: #15181c; --ink: #e6e9ec; --soft: #a3acb5; --line: #343a41; --link: #7db7f0; --bad: #f0a585; } }
body { background: var(--bg); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: .2rem 0 .8rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); }
.kicker, figcaption, caption, dt { color: var(--soft); font-size: .9rem; } .question { max-width: 46rem; font-size: 1.05rem; }
li { max-width: 48rem; margin: .3rem 0; } a { color: var(--link); } .error { color: var(--bad); }
figure { margin: 1.2rem 0; } svg { max-width: 100%; height: auto; display: block; } .scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; } caption { text-align: left; padding: .2rem 0; }
th, td { padding: .22rem .7rem .22rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; } thead th { color: var(--soft); } .n { text-align: right; }
pre { overflow-x: auto; border: 1px solid var(--line); padding: .6rem .8rem; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--link); }
@media print { details { display: block; } }
";
