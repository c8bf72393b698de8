//! Carrying out a plan: jobs in stages, a journal as they finish, whole files at the end.
//!
//! A run that is killed at any moment goes on from its journal and ends with the same `metrics.csv` to the
//! byte: a job's rows are taken from the journal, its item-level results from `cells/`, and whatever is
//! missing or damaged there is done again, which gives the same bytes.

use crate::experiment::{self, Found, FoundBy, Inputs, Job, ReadError, Reading, Room};
use crate::plan::{Part, Plan, Rung};
use crate::progress::Progress;
use crate::record::{
    Entry, Host, Journal, Lock, Manifest, RecordError, Row, Status, metrics_csv, read_items, read_metrics,
    read_transcripts, text_rows, write_items, write_texts, write_transcripts, write_whole,
};
use crate::report;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use superalign_core::Model;

/// Where and how to run.
#[derive(Debug)]
pub struct Options<'a> {
    /// The folder of all runs.
    pub runs: &'a Path,
    /// The folder of cached features.
    pub cache: &'a Path,
    /// Whether what is there of this run counts.
    pub past: Past,
    /// The command, for the manifest.
    pub command: String,
    /// Where progress is shown.
    pub progress: &'a Progress,
    /// Becomes true when the user wants to stop.
    pub stop: &'a AtomicBool,
}

/// What to do with what an earlier run of the same plan left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// Continue it, or show it when it is complete.
    Continue,
    /// Delete it and begin anew.
    Discard,
}

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// All files are there; `news` says whether anything was computed.
    Complete {
        /// The run folder.
        folder: PathBuf,
        /// Its manifest.
        manifest: Box<Manifest>,
        /// Its metrics.
        rows: Vec<Row>,
        /// Whether it was complete before.
        before: bool,
    },
    /// The user stopped it; the same command continues it.
    Stopped {
        /// The run folder.
        folder: PathBuf,
        /// Finished jobs.
        done: usize,
        /// All jobs.
        total: usize,
    },
}

/// Why a run failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The run folder.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The cache of features.
    #[error(transparent)]
    Read(ReadError),
}

/// The inputs of a run, as [`crate::plan`] gathers them.
pub struct Material {
    /// The items.
    pub parts: Vec<Part>,
    /// The opened models.
    pub models: Vec<Box<dyn Model>>,
    /// The rungs.
    pub rungs: Vec<Rung>,
}

/// Carries out a plan, or shows what an earlier run of it found.
///
/// # Errors
/// The run folder cannot be written, is damaged, or another process works on it. A cell that fails is no
/// error: its rows say why, and [`Manifest::failed`] counts it.
pub fn execute(plan: &Plan, material: Material, options: &Options<'_>) -> Result<Outcome, RunError> {
    let outcome = carry_out(plan, material, options)?;
    if let Outcome::Complete { folder, .. } = &outcome {
        // `items.parquet` holds what was here; a run that still has it is complete all the same.
        let _ = std::fs::remove_dir_all(folder.join("cells"));
    }
    Ok(outcome)
}

/// As [`execute`], and leaves `cells/` as it is.
fn carry_out(plan: &Plan, mut material: Material, options: &Options<'_>) -> Result<Outcome, RunError> {
    let folder = options.runs.join(plan.folder());
    std::fs::create_dir_all(&folder).map_err(RecordError::io("make", &folder))?;
    let _lock = Lock::take(&folder)?;
    if options.past == Past::Discard {
        discard(&folder)?;
    }
    let earlier = Manifest::read(&folder)?;
    if let Some(manifest) = &earlier
        && manifest.status == Status::Complete
        && let Ok(rows) = read_metrics(&folder.join("metrics.csv"))
    {
        let manifest = Box::new(manifest.clone());
        return Ok(Outcome::Complete { folder, manifest, rows, before: true });
    }
    let mut manifest = Manifest {
        schema: Manifest::SCHEMA,
        status: Status::Started,
        failed: 0,
        unexpected: Vec::new(),
        plan: plan.clone(),
        command: options.command.clone(),
        host: Host::here(),
        started: earlier.as_ref().map_or_else(now, |m| m.started),
        seconds: earlier.map(|m| m.seconds).unwrap_or_default(),
    };
    manifest.write(&folder)?;
    let experiment = plan.design.experiment();
    let stages = experiment.jobs(plan);
    let total = stages.iter().map(Vec::len).sum();
    let (journal, entries) = Journal::open(&folder.join("journal.jsonl"))?;
    let stopped = |done| Ok(Outcome::Stopped { folder: folder.clone(), done, total });

    let clock = Instant::now();
    let reading = Reading { cache: options.cache, progress: options.progress, stop: options.stop };
    let read =
        experiment::read_features(plan, &material.parts, &mut material.models, &material.rungs, &reading);
    add(&mut manifest.seconds, "reading", clock);
    let clock = Instant::now();
    let read = read.and_then(|features| {
        let Material { parts, models, rungs } = &mut material;
        let mut room = Room::new(plan, parts, models, rungs, &reading);
        Ok((features, experiment.interview(&mut room)?))
    });
    if read.as_ref().is_ok_and(|(_, interviews)| !interviews.signals.is_empty()) {
        add(&mut manifest.seconds, "interviews", clock);
    }
    let (features, interviews) = match read {
        Ok(read) => read,
        Err(ReadError::Stopped) => {
            manifest.write(&folder)?;
            return stopped(entries.len());
        }
        Err(error) => return Err(RunError::Read(error)),
    };
    let inputs = Inputs { plan, parts: &material.parts, features, interviews };

    let clock = Instant::now();
    let jobs = Jobs { folder: &folder, inputs: &inputs, entries, journal: Mutex::new(journal), options };
    let found = jobs.all(&stages, total)?;
    add(&mut manifest.seconds, "training", clock);
    if found.len() < total {
        manifest.write(&folder)?;
        return stopped(found.len());
    }

    let clock = Instant::now();
    let in_order: Vec<&Found> = stages.iter().flatten().filter_map(|job| found.get(&job.name)).collect();
    let mut rows: Vec<Row> = in_order.iter().flat_map(|f| f.rows.iter().cloned()).collect();
    manifest.failed = failed_cells(&rows);
    rows.extend(experiment.summarise(&inputs, &found));
    manifest.unexpected = unexpected(plan, &rows);
    add(&mut manifest.seconds, "summary", clock);
    write_items(&folder.join("items.parquet"), in_order.iter().flat_map(|f| &f.items))?;
    write_texts(&folder.join("texts.parquet"), &text_rows(inputs.parts))?;
    write_whole(&folder.join("metrics.csv"), &metrics_csv(&plan.experiment, &rows))?;
    let transcripts = &inputs.interviews.transcripts;
    if !transcripts.is_empty() {
        write_transcripts(&folder.join("transcripts.jsonl"), transcripts)?;
    }
    manifest.status = Status::Complete;
    let page = report::page_with(&manifest, &rows, transcripts);
    write_whole(&folder.join("report.html"), page.as_bytes())?;
    manifest.write(&folder)?;
    Ok(Outcome::Complete { folder, manifest: Box::new(manifest), rows, before: false })
}

/// Makes `report.html` anew from a run folder's manifest and metrics.
///
/// # Errors
/// The folder holds no run, or one that is not complete, or cannot be written.
pub fn rewrite_report(folder: &Path) -> Result<PathBuf, RecordError> {
    let manifest = Manifest::read(folder)?.ok_or_else(|| RecordError::Damaged {
        path: folder.to_owned(),
        line: None,
        found: "no manifest.json".to_owned(),
        expected: "the folder of a run, such as runs/noise-capacity-1a2b3c4d".to_owned(),
    })?;
    let rows = read_metrics(&folder.join("metrics.csv"))?;
    let path = folder.join("report.html");
    let transcripts = read_transcripts(&folder.join("transcripts.jsonl"))?;
    write_whole(&path, report::page_with(&manifest, &rows, &transcripts).as_bytes())?;
    Ok(path)
}

/// The jobs of a run under way.
struct Jobs<'a> {
    folder: &'a Path,
    inputs: &'a Inputs<'a>,
    entries: BTreeMap<String, Entry>,
    journal: Mutex<Journal>,
    options: &'a Options<'a>,
}

impl Jobs<'_> {
    /// Does what is not done yet; fewer results than jobs mean that the user stopped.
    fn all(&self, stages: &[Vec<Job>], total: usize) -> Result<FoundBy, RecordError> {
        let cells = self.folder.join("cells");
        std::fs::create_dir_all(&cells).map_err(RecordError::io("make", &cells))?;
        let title = format!("{}: training", self.inputs.plan.experiment);
        let progress = self.options.progress.stage(title, total);
        let mut found = FoundBy::new();
        for stage in stages {
            let results: Vec<Option<(String, Found)>> = stage
                .par_iter()
                .map(|job| {
                    if self.options.stop.load(Ordering::Relaxed) {
                        return Ok(None);
                    }
                    let result = self.one(job, &cells, &found)?;
                    progress.step();
                    Ok(Some((job.name.clone(), result)))
                })
                .collect::<Result<_, RecordError>>()?;
            let before = found.len();
            found.extend(results.into_iter().flatten());
            if found.len() < before + stage.len() {
                break;
            }
        }
        Ok(found)
    }

    /// A job's results: from the records where they are sound, else by doing it.
    fn one(&self, job: &Job, cells: &Path, earlier: &FoundBy) -> Result<Found, RecordError> {
        let path = cells.join(job.file_name());
        if let Some(entry) = self.entries.get(&job.name)
            && let Some(items) = read_items(&path, &entry.items)?
        {
            return Ok(Found { rows: entry.rows.clone(), items });
        }
        let clock = Instant::now();
        let found = self.inputs.plan.design.experiment().run(job, self.inputs, earlier);
        let items = write_items(&path, &found.items)?;
        let seconds = clock.elapsed().as_secs_f64();
        let entry = Entry { job: job.name.clone(), rows: found.rows.clone(), items, seconds };
        // A thread that panicked while holding the journal had not begun a line or had finished it.
        let mut journal = self.journal.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        journal.append(&entry)?;
        Ok(found)
    }
}

/// The files of a run that are results. The manifest comes first: without it nothing else counts as a run.
const RESULTS: [&str; 7] = [
    "manifest.json",
    "journal.jsonl",
    "metrics.csv",
    "items.parquet",
    "texts.parquet",
    "transcripts.jsonl",
    "report.html",
];

/// Removes what an earlier run left, the lock and the tags apart.
fn discard(folder: &Path) -> Result<(), RecordError> {
    for name in RESULTS {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(RecordError::io("remove", &path)(e));
            }
            _ => {}
        }
    }
    let cells = folder.join("cells");
    match std::fs::remove_dir_all(&cells) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(RecordError::io("remove", &cells)(e)),
        _ => Ok(()),
    }
}

/// Number of cells (of one seed) with a number that could not be computed.
fn failed_cells(rows: &[Row]) -> usize {
    let mut cells: Vec<(&str, Option<u64>)> =
        rows.iter().filter(|r| r.error.is_some()).map(|r| (r.cell.as_str(), r.seed)).collect();
    cells.sort_unstable();
    cells.dedup();
    cells.len()
}

/// The sanity checks of the plan that do not hold.
fn unexpected(plan: &Plan, rows: &[Row]) -> Vec<String> {
    let mut out = Vec::new();
    let expect = &plan.expect;
    if let Some(cells) = expect.cells
        && cells != plan.cells()
    {
        out.push(format!("the grid has {} cells; expected {cells}", plan.cells()));
    }
    if let Some(digest) = &expect.data_digest
        && !plan.data.digest.starts_with(digest.as_str())
    {
        let found = &plan.data.digest[..digest.len().min(plan.data.digest.len())];
        out.push(format!("the data have the digest {found}; expected {digest}"));
    }
    for (name, lo, hi) in &expect.reference {
        let row = rows.iter().find(|r| r.seed.is_none() && format!("{} {}", r.cell, r.metric) == *name);
        match row.and_then(|r| r.value) {
            Some(value) if (*lo..=*hi).contains(&value) => {}
            Some(value) => out.push(format!("{name} is {value:.4}; expected {lo} to {hi}")),
            None => out.push(format!("{name} was not measured; expected {lo} to {hi}")),
        }
    }
    out
}

fn add(seconds: &mut BTreeMap<String, f64>, stage: &str, since: Instant) {
    *seconds.entry(stage.to_owned()).or_default() += since.elapsed().as_secs_f64();
}

/// Seconds since 1970: when a run was begun is part of its record, and of nothing else.
fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the recorder notes when a run was begun")]
    let time = std::time::SystemTime::now();
    time.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

#[cfg(test)]
pub(crate) mod tests;
