//! `superalign models fetch`: from a repository of a hub into a folder that can be opened.

use super::hub::{RemoteFile, Repository, Settings};
use super::manifest::{FileDigest, Manifest, Shapes, inside};
use super::{Failure, say, size};
use clap::Args;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use superalign_inference::{GraphChoice, NoGraph, choose_graph, describe, is_data_of};

const EXAMPLES: &str = "\
Examples:
  superalign models fetch onnx-community/Qwen2.5-0.5B-Instruct
  superalign models fetch onnx-community/Qwen2.5-0.5B-Instruct --graph q4f16 -o models/qwen-0.5b
  superalign models fetch sentence-transformers/all-MiniLM-L6-v2 --revision v1.0
  superalign models fetch ORG/NAME --file 'onnx/*_int8.onnx' --file 'vocab.*'
  HF_HUB_OFFLINE=1 superalign models fetch ORG/NAME        from the cache, without a network

The cache under HF_HOME is shared with Python. HF_ENDPOINT names a mirror, HF_TOKEN opens what is gated.
What was stopped continues when the same command is given again.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct FetchArgs {
    /// Repository: ORG/NAME
    #[arg(value_name = "ORG/NAME")]
    pub(super) repository: String,
    /// Fetch the files that match this pattern, in place of a graph; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub(super) file: Vec<String>,
    /// The graph: auto, f32, f16, bf16, int8, uint8, q4, q4f16, bnb4, or a file
    #[arg(long, value_name = "GRAPH", default_value = "auto", conflicts_with = "file")]
    pub(super) graph: String,
    /// Branch, tag or commit
    #[arg(long, default_value = "main")]
    pub(super) revision: String,
    /// Folder that receives the files [default: models/NAME]
    #[arg(short, long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

/// How to get a graph where a repository has none.
const EXPORT: &str =
    "`optimum-cli export onnx --model ORG/NAME DIR` makes one, from Python's package optimum[onnxruntime]";

/// Files that come with every graph: settings, tokenizer, licence.
const COMPANIONS: [&str; 9] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "README.md",
    "LICENSE*",
];

pub(super) fn fetch(args: &FetchArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let settings = Settings::from_env().map_err(Failure::Usage)?;
    fetch_from(&settings, args, out)
}

pub(super) fn fetch_from(settings: &Settings, args: &FetchArgs, out: &mut dyn Write) -> Result<(), Failure> {
    super::hub::check_name(&args.repository).map_err(Failure::Usage)?;
    let repository = Repository::find(settings, &args.repository, &args.revision).map_err(Failure::Failed)?;
    let chosen = chosen(&repository.files, args).map_err(Failure::Usage)?;
    let name = args.repository.rsplit('/').next().unwrap_or(&args.repository);
    let folder = args.out.clone().unwrap_or_else(|| Path::new("models").join(name));
    let before = Manifest::read(&folder).map_err(Failure::Usage)?;
    check_before(&folder, before.as_ref(), args, &repository.commit).map_err(Failure::Usage)?;
    let total: u64 = chosen.files.iter().filter_map(|file| file.bytes).sum();
    eprintln!("{} at {}: {} files, {}", args.repository, repository.commit, chosen.files.len(), size(total));

    let mut manifest = Manifest {
        source: args.repository.clone(),
        revision: args.revision.clone(),
        commit: repository.commit.clone(),
        licence: repository.licence.clone(),
        graph: chosen.graph,
        shapes: None,
        files: Vec::new(),
    };
    // All of it first, so that the folder is filled in one go.
    let mut cached = Vec::new();
    for file in &chosen.files {
        let (path, digest) = repository.get(file).map_err(Failure::Failed)?;
        check_recorded(before.as_ref(), &digest).map_err(Failure::Failed)?;
        cached.push((path, digest.clone()));
        manifest.files.push(digest);
    }
    // What an earlier call fetched of the same commit stays on record.
    if let Some(before) = before {
        let names: BTreeSet<String> = manifest.files.iter().map(|file| file.path.clone()).collect();
        manifest.files.extend(before.files.into_iter().filter(|file| !names.contains(&file.path)));
        manifest.graph = manifest.graph.or(before.graph);
        manifest.licence = manifest.licence.or(before.licence);
    }
    manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    // Before the files: whoever stops in between has a folder that the same command completes.
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::Failed(format!("{}: {error}", folder.display())))?;
    manifest.write(&folder).map_err(Failure::Failed)?;
    for (cached, digest) in &cached {
        place(cached, &folder, digest).map_err(Failure::Failed)?;
    }
    let graph = manifest.graph.clone().map_or(GraphChoice::Auto, GraphChoice::File);
    let described = describe(&folder, &graph);
    manifest.shapes = described.as_ref().ok().map(|found| Shapes {
        task: found.task.to_string(),
        layers: found.layers,
        width: found.width,
        heads: found.heads,
        key_value_heads: found.key_value_heads,
        vocabulary: found.vocabulary,
        positions: found.positions,
        parameters: found.parameters,
    });
    manifest.write(&folder).map_err(Failure::Failed)?;
    say(out, format!("{} files of {} are in {}", manifest.files.len(), args.repository, folder.display()));
    match &manifest.licence {
        Some(licence) => say(out, format!("licence: {licence}")),
        None => say(out, "licence: not stated by the repository's tags; see its README"),
    }
    match described {
        Ok(found) => say(out, format!("{}: {}, {} layers", found.graph, found.task, found.layers)),
        Err(error) => say(out, format!("not a model that can be opened as it is: {error}")),
    }
    say(out, format!("try it: superalign models check {}", folder.display()));
    Ok(())
}

/// The files that are fetched, and which of them is the graph.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) files: Vec<RemoteFile>,
    pub(super) graph: Option<String>,
}

/// What of a repository is fetched: the graph that is asked for (or the files that match), its weights, and what says
/// how it is used.
pub(super) fn chosen(files: &[RemoteFile], args: &FetchArgs) -> Result<Chosen, String> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let matching = |pattern: &str| -> Result<Vec<&str>, String> {
        let parsed = glob::Pattern::new(pattern).map_err(|error| format!("--file {pattern}: {error}"))?;
        Ok(paths.iter().copied().filter(|path| parsed.matches(path)).collect())
    };
    let mut graph = None;
    if args.file.is_empty() {
        let Ok(choice) = args.graph.parse::<GraphChoice>();
        let found = choose_graph(&paths, &choice).map_err(|error| match error {
            NoGraph::None => {
                format!(
                    "{} has no .onnx file; {}",
                    args.repository,
                    EXPORT.replace("ORG/NAME", &args.repository)
                )
            }
            NoGraph::Several { found } => {
                format!("{} has the graphs {}; name one with --graph", args.repository, found.join(", "))
            }
            absent @ NoGraph::Absent { .. } => format!("{}: {absent}", args.repository),
        })?;
        wanted.insert(found);
        graph = Some(found.to_owned());
    }
    for pattern in &args.file {
        let found = matching(pattern)?;
        if found.is_empty() {
            return Err(format!(
                "--file {pattern} matches none of the {} files: {}",
                paths.len(),
                paths.join(", ")
            ));
        }
        wanted.extend(found);
    }
    let graphs: Vec<&str> = wanted.iter().copied().filter(|path| path.ends_with(".onnx")).collect();
    if let ([only], None) = (graphs.as_slice(), &graph) {
        graph = Some((*only).to_owned());
    }
    wanted.extend(paths.iter().filter(|path| graphs.iter().any(|graph| is_data_of(path, graph))));
    for pattern in COMPANIONS {
        wanted.extend(matching(pattern)?.into_iter().filter(|path| !path.contains('/')));
    }
    let files = files.iter().filter(|file| wanted.contains(file.path.as_str())).cloned().collect();
    Ok(Chosen { files, graph })
}

/// A folder that holds something else is not written into.
fn check_before(
    folder: &Path,
    before: Option<&Manifest>,
    args: &FetchArgs,
    commit: &str,
) -> Result<(), String> {
    let occupied = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    match before {
        None if occupied => Err(format!(
            "{} is not empty and has no model.toml; expected a new folder, or one that this command filled",
            folder.display()
        )),
        Some(before) if before.source != args.repository || before.commit != commit => Err(format!(
            "{} holds {} at commit {}, and {} at commit {commit} was asked for; expected another folder (-o), or \
             --revision {}",
            folder.display(),
            before.source,
            before.commit,
            args.repository,
            before.commit
        )),
        _ => Ok(()),
    }
}

/// A commit has one content.
fn check_recorded(before: Option<&Manifest>, digest: &FileDigest) -> Result<(), String> {
    let recorded = before.and_then(|before| before.files.iter().find(|file| file.path == digest.path));
    match recorded {
        Some(recorded) if recorded != digest => Err(format!(
            "{}: the hub gives SHA-256 {}, model.toml has {}, for one commit",
            digest.path, digest.sha256, recorded.sha256
        )),
        _ => Ok(()),
    }
}

/// Puts a file of the cache into the folder; a file that is there already must be the same.
fn place(cached: &Path, folder: &Path, digest: &FileDigest) -> Result<(), String> {
    let path = &digest.path;
    let target = folder.join(inside(path).ok_or_else(|| format!("{path:?} leads out of the folder"))?);
    let parent = target.parent().unwrap_or(folder);
    let said = |error: std::io::Error| format!("{}: {error}", target.display());
    if target.exists() {
        return match digest.deviation(folder) {
            None => Ok(()),
            Some(deviation) => {
                Err(format!("{}: {deviation}; remove the file to fetch it again", folder.display()))
            }
        };
    }
    std::fs::create_dir_all(parent).map_err(said)?;
    let staging = tempfile::Builder::new().prefix(".fetching-").tempdir_in(parent).map_err(said)?;
    let whole = staging.path().join("file");
    // One copy on the disk where cache and folder share it.
    let blob = cached.canonicalize().map_err(said)?;
    if std::fs::hard_link(&blob, &whole).is_err() {
        std::fs::copy(&blob, &whole).map_err(said)?;
    }
    std::fs::rename(&whole, &target).map_err(said)
}
