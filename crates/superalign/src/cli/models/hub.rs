//! A model hub: which files a repository holds, and how they come into the cache on this machine.
//!
//! The protocol, the layout of the cache and resuming are `hf-hub`'s. Added here: what is asked for is checked before
//! it is sent, what came is compared with the size and digest that the hub states, and offline means offline.

use super::manifest::{FileDigest, digest, inside};
use hf_hub::api::sync::{Api, ApiBuilder, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use serde::Deserialize;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where models come from.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Address of the hub; the client's own where it is `None`.
    pub(super) endpoint: Option<String>,
    /// Folder of the cache.
    pub(super) cache: PathBuf,
    /// Token for repositories that ask for one.
    pub(super) token: Option<String>,
    /// Whether only the cache is used.
    pub(super) offline: Offline,
}

/// Whether the hub may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offline {
    /// Ask the hub.
    No,
    /// Use what the cache holds and nothing else.
    Yes,
}

impl Settings {
    /// What the environment says: `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`, as Python's client
    /// reads them.
    pub(super) fn from_env() -> Result<Self, String> {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let home = std::env::home_dir().map(|home| home.join(".cache/huggingface").display().to_string());
        let home = text("HF_HOME").or(home).map(|home| Path::new(&home).join("hub"));
        let cache = text("HF_HUB_CACHE").map(PathBuf::from).or(home);
        let on = |value: String| matches!(value.to_lowercase().as_str(), "1" | "on" | "yes" | "true");
        Ok(Self {
            endpoint: text("HF_ENDPOINT").map(|address| address.trim_end_matches('/').to_owned()),
            cache: cache.ok_or("no folder for the cache of models is known; set HF_HOME to one")?,
            token: text("HF_TOKEN"),
            offline: if text("HF_HUB_OFFLINE").is_some_and(on) { Offline::Yes } else { Offline::No },
        })
    }
}

/// A repository at one commit.
#[derive(Debug)]
pub(super) struct Repository {
    pub(super) commit: String,
    pub(super) licence: Option<String>,
    pub(super) files: Vec<RemoteFile>,
    access: Access,
}

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RemoteFile {
    pub(super) path: String,
    /// Size that the hub states.
    pub(super) bytes: Option<u64>,
    /// SHA-256 that the hub states, for large files.
    pub(super) sha256: Option<String>,
}

#[derive(Debug)]
enum Access {
    Hub(Box<ApiRepo>),
    Cache(PathBuf),
}

/// What the hub says of a repository.
#[derive(Deserialize)]
struct Info {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: Option<String>,
    size: Option<u64>,
}

/// Whether a text names a repository: `ORG/NAME`, or a name alone as the oldest have.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    if name.split('/').count() <= 2 && name.split('/').all(plain) {
        Ok(())
    } else {
        Err(format!("{name:?} names no repository, expected ORG/NAME"))
    }
}

impl Repository {
    /// Asks the hub, or the cache when offline, what a repository holds.
    pub(super) fn find(settings: &Settings, name: &str, revision: &str) -> Result<Self, String> {
        check_name(name)?;
        if inside(revision).is_none() {
            return Err(format!("{revision:?} names no revision, expected a branch, a tag or a commit"));
        }
        let repo = Repo::with_revision(name.to_owned(), RepoType::Model, revision.to_owned());
        match settings.offline {
            Offline::Yes => Self::in_cache(settings, &repo, name, revision),
            Offline::No => Self::on_hub(settings, repo, name, revision),
        }
    }

    fn on_hub(settings: &Settings, repo: Repo, name: &str, revision: &str) -> Result<Self, String> {
        let api =
            api(settings).map_err(|error| format!("the hub's client does not start: {error}"))?.repo(repo);
        let address = settings.endpoint.as_deref().unwrap_or("the model hub");
        // `blobs` brings sizes and digests. A hub that does not answer at all should not be waited for.
        let request = api.info_request().query("blobs", "true");
        let request = request.config().timeout_global(Some(Duration::from_secs(60))).build();
        let said = |reason: &dyn std::fmt::Display| {
            format!(
                "{address} was asked for {name} at {revision}: {reason}\nName and revision may be wrong, the repository \
                 may need a token (HF_TOKEN), or the network a mirror (HF_ENDPOINT); HF_HUB_OFFLINE=1 uses what the \
                 cache holds"
            )
        };
        let mut answer = request.call().map_err(|error| said(&error))?;
        let info: Info = answer.body_mut().read_json().map_err(|error| said(&error))?;
        let files: Vec<RemoteFile> = info
            .siblings
            .into_iter()
            .map(|file| {
                let (bytes, sha256) =
                    file.lfs.map_or((file.size, None), |lfs| (lfs.size.or(file.size), lfs.sha256));
                RemoteFile { path: file.rfilename, bytes, sha256 }
            })
            .collect();
        if inside(&info.sha).is_none() {
            return Err(said(&format!("its commit is {:?}", info.sha)));
        }
        if let Some(odd) = files.iter().find(|file| inside(&file.path).is_none()) {
            return Err(said(&format!("it lists {:?}, expected a path inside the repository", odd.path)));
        }
        let licence = info.tags.iter().find_map(|tag| tag.strip_prefix("license:")).map(str::to_owned);
        // From here on that commit, whatever is pushed meanwhile.
        let fixed = Repo::with_revision(name.to_owned(), RepoType::Model, info.sha.clone());
        Cache::new(settings.cache.clone())
            .repo(Repo::with_revision(name.to_owned(), RepoType::Model, revision.to_owned()))
            .create_ref(&info.sha)
            .map_err(|error| format!("{}: {error}", settings.cache.display()))?;
        let api = self::api(settings).map_err(|error| error.to_string())?.repo(fixed);
        Ok(Self { commit: info.sha, licence, files, access: Access::Hub(Box::new(api)) })
    }

    fn in_cache(settings: &Settings, repo: &Repo, name: &str, revision: &str) -> Result<Self, String> {
        let folder = settings.cache.join(repo.folder_name());
        let named = std::fs::read_to_string(folder.join("refs").join(revision)).ok();
        let commit = named.map_or_else(|| revision.to_owned(), |commit| commit.trim().to_owned());
        let snapshot = folder.join("snapshots").join(&commit);
        let mut files = Vec::new();
        list(&snapshot, "", &mut files);
        if files.is_empty() || inside(&commit).is_none() {
            return Err(format!(
                "HF_HUB_OFFLINE is set, and the cache {} holds no {name} at {revision}\nUnset it, or fetch on a machine \
                 with a network and copy that folder",
                settings.cache.display()
            ));
        }
        Ok(Self { commit, licence: None, files, access: Access::Cache(snapshot) })
    }

    /// The file on this machine, fetched if it is not there, compared with what the hub states; and its digest.
    pub(super) fn get(&self, file: &RemoteFile) -> Result<(PathBuf, FileDigest), String> {
        let path = match &self.access {
            Access::Cache(snapshot) => snapshot.join(&file.path),
            Access::Hub(api) => api.get(&file.path).map_err(|error| {
                format!("{}: {error}\nThe same command continues where it stopped", file.path)
            })?,
        };
        let (bytes, sha256) = digest(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let reason = match (file.bytes, &file.sha256) {
            (Some(stated), _) if stated != bytes => format!("{bytes} bytes came, expected {stated}"),
            (_, Some(stated)) if *stated != sha256 => format!("SHA-256 {sha256} came, expected {stated}"),
            _ => return Ok((path, FileDigest { path: file.path.clone(), bytes, sha256 })),
        };
        // Neither the name nor what it stands for may be taken for the file again.
        if let Ok(blob) = path.canonicalize() {
            let _ = std::fs::remove_file(blob);
        }
        let _ = std::fs::remove_file(&path);
        Err(format!("{}: {reason}; it was thrown away, and the same command fetches it again", file.path))
    }
}

fn api(settings: &Settings) -> Result<Api, hf_hub::api::sync::ApiError> {
    let cache = Cache::new(settings.cache.clone());
    let mut builder =
        ApiBuilder::from_cache(cache).with_retries(3).with_progress(std::io::stderr().is_terminal());
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    if let Some(token) = &settings.token {
        builder = builder.with_token(Some(token.clone()));
    }
    builder.build()
}

/// The files under a folder, by path relative to it.
fn list(folder: &Path, prefix: &str, files: &mut Vec<RemoteFile>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        match std::fs::metadata(entry.path()) {
            Ok(meta) if meta.is_dir() => list(&entry.path(), &format!("{path}/"), files),
            Ok(meta) => files.push(RemoteFile { path, bytes: Some(meta.len()), sha256: None }),
            Err(_) => {}
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
}
