//! Which runs there are.

use super::ExploreError;
use crate::plan::Plan;
use crate::record::{Manifest, Status, read_tags};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Where runs are taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    /// Every run of this folder, those that are yet to be made included.
    Of(PathBuf),
    /// These folders.
    These(Vec<PathBuf>),
}

impl Runs {
    /// These run folders and no others.
    ///
    /// # Errors
    /// A folder without a manifest, or two folders of one name.
    pub fn these(folders: &[PathBuf]) -> Result<Self, ExploreError> {
        for (place, folder) in folders.iter().enumerate() {
            if !folder.join("manifest.json").is_file() {
                return Err(ExploreError::NoRun { path: folder.clone() });
            }
            if let Some(first) = folders[..place].iter().find(|other| other.file_name() == folder.file_name())
            {
                return Err(ExploreError::SameName { first: first.clone(), second: folder.clone() });
            }
        }
        Ok(Self::These(folders.to_vec()))
    }

    /// The folder of a run, by its name; nothing where there is no such run.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let named = |folder: &PathBuf| folder.file_name().is_some_and(|own| own == name);
        self.folders().into_iter().find(named)
    }

    /// The folders, by name.
    #[must_use]
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = match self {
            Self::These(folders) => folders.clone(),
            Self::Of(folder) => {
                let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
                entries
                    .map(|entry| entry.path())
                    .filter(|path| path.join("manifest.json").is_file())
                    .collect()
            }
        };
        found.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        found
    }
}

/// `data/runs.json`: what there is to see.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Index {
    /// Version of this format.
    pub schema: u32,
    /// Whether runs may change, and have events while they do.
    pub live: bool,
    /// The runs, by name.
    pub runs: Vec<Listed>,
}

/// A run, as far as a list tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// The name of its folder.
    pub folder: String,
    /// The experiment.
    pub experiment: String,
    /// Heading of its report.
    pub title: String,
    /// `quick` or `full`.
    pub profile: String,
    /// `started` or `complete`.
    pub status: String,
    /// When it was begun, in seconds since 1970.
    pub started: u64,
    /// How long it took so far.
    pub seconds: f64,
    /// Number of cells that failed.
    pub failed: usize,
    /// Number of cells.
    pub cells: usize,
    /// Number of jobs, by which its progress is counted.
    pub jobs: usize,
    /// Digest of its items.
    pub digest: String,
    /// Words that people have given it, sorted.
    pub tags: Vec<String>,
    /// Which of its files are there.
    pub files: Vec<String>,
    /// Why nothing else is known of it.
    pub error: Option<String>,
}

impl Index {
    /// The version of the format.
    pub const SCHEMA: u32 = 1;

    /// Reads the manifests of all runs. One that cannot be read is listed with the reason.
    #[must_use]
    pub fn read(runs: &Runs, live: bool) -> Self {
        let runs = runs.folders().iter().map(|folder| Listed::read(folder)).collect();
        Self { schema: Self::SCHEMA, live, runs }
    }

    /// The index as JSON.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        // Texts, numbers and lists, which JSON always takes.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Listed {
    fn read(folder: &Path) -> Self {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files: Vec<String> = super::FILES
            .iter()
            .filter(|file| folder.join(file).is_file())
            .map(|file| (*file).to_owned())
            .collect();
        // A run whose tags cannot be read is a run all the same; `superalign tag` says what is wrong with them.
        let tags = read_tags(folder).unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>();
        let nothing = |error: String| Self {
            folder: name.clone(),
            experiment: String::new(),
            title: String::new(),
            profile: String::new(),
            status: String::new(),
            started: 0,
            seconds: 0.0,
            failed: 0,
            cells: 0,
            jobs: 0,
            digest: String::new(),
            tags: tags.clone(),
            files: files.clone(),
            error: Some(error),
        };
        let manifest = match Manifest::read(folder) {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return nothing("its manifest is gone".to_owned()),
            // Where the folder lies is nobody's business who looks at an exported site.
            Err(error) => return nothing(error.to_string().replace(&format!("{}/", folder.display()), "")),
        };
        let plan = &manifest.plan;
        Self {
            folder: name.clone(),
            experiment: plan.experiment.clone(),
            title: plan.title.clone(),
            profile: format!("{:?}", plan.profile).to_lowercase(),
            status: status(manifest.status).to_owned(),
            started: manifest.started,
            seconds: manifest.seconds.values().sum(),
            failed: manifest.failed,
            cells: plan.cells(),
            jobs: planned(plan),
            digest: plan.data.digest.clone(),
            tags,
            files,
            error: None,
        }
    }
}

/// Number of jobs of a run; 0 where its manifest cannot be read.
pub(super) fn jobs(folder: &Path) -> usize {
    Manifest::read(folder).ok().flatten().map_or(0, |manifest| planned(&manifest.plan))
}

fn planned(plan: &Plan) -> usize {
    plan.design.experiment().jobs(plan).iter().map(Vec::len).sum()
}

/// How far a run has come, as its manifest writes it.
const fn status(status: Status) -> &'static str {
    match status {
        Status::Started => "started",
        Status::Complete => "complete",
    }
}
